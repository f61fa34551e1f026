"""What-if and hindsight functions refuse what they cannot use, in words."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
import pytest

from ccanalytics import ServiceLevel, staffing
from ccanalytics.errors import InputError

GOAL = ServiceLevel(0.80, within=20)


@pytest.mark.parametrize("values", [["a", "b"], [1, 2], [True, False]])
def test_days_are_split_by_times_only(values: list[Any]) -> None:
    with pytest.raises(InputError, match="local_start must hold times"):
        staffing.split_day(pl.DataFrame({"local_start": values}))


def test_rows_without_a_time_split_nothing() -> None:
    days = [datetime(2025, 3, day) for day in range(1, 11)]
    assert staffing.split_day(pl.DataFrame({"local_start": [None, *days]})) == date(2025, 3, 6)
    assert staffing.split_day(pl.DataFrame({"local_start": [None, None]})) is None


@pytest.mark.parametrize("agents", [5, float("nan"), [[1, 2]], "12", [0], [1.5]])
def test_a_curve_needs_a_list_of_whole_agents(agents: Any) -> None:
    with pytest.raises(InputError, match="agents are"):
        staffing.service_level_curve(100, 1800, 180, GOAL, agents=agents)
