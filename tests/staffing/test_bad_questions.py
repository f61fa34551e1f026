"""What-if and hindsight functions refuse what they cannot use, in words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from ccanalytics import ServiceLevel, staffing
from ccanalytics.errors import InputError

GOAL = ServiceLevel(0.80, within=20)
DAY = pl.DataFrame(
    {
        "interval_start": [datetime(2025, 3, 3, 9, tzinfo=UTC)],
        "interval_s": [3600],
        "calls": [200],
        "aht_s": [180.0],
    }
)


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


@pytest.mark.parametrize(("share", "words"), [(80, "write 80% as 0.8"), (1.1, "such as 0.9")])
def test_a_share_just_above_one_is_a_slip_and_no_percentage(share: float, words: str) -> None:
    need = staffing.requirement(DAY, GOAL)
    with pytest.raises(InputError, match=words):
        staffing.what_if(need, (share,))


def test_absence_that_leaves_nobody_is_refused_before_it_is_computed() -> None:
    with pytest.raises(InputError, match="agents scheduled in an interval are not planned"):
        staffing.requirement(DAY, GOAL, absence=0.9999999)


def test_shrinkage_is_told_with_the_decimal_it_has() -> None:
    parts = staffing.read_shrinkage("breaks 10% paid, training 5% remaining")
    assert "scheduled after 14.5% shrinkage)" in (
        staffing.requirement(DAY, GOAL, shrinkage=parts).summary()
    )


def test_sensitivity_names_what_matters_most_and_what_changes_nothing() -> None:
    plan = staffing.requirement(DAY, GOAL, min_agents=100)
    words = staffing.sensitivity(plan).summary()
    assert "andle time and volume change nothing that shows" in words
    assert "+0" not in words
    words = staffing.sensitivity(staffing.requirement(DAY, GOAL, shrinkage=0.3)).summary()
    assert words.count("matters most") == 1
    assert "+0" not in words


def test_a_bound_that_asks_for_crowds_is_met_in_motion_as_the_formula_meets_it() -> None:
    # Nobody waits with so many agents, so that occupancy is load over agents in both.
    crowd = staffing.requirement(DAY, GOAL, "iterative", max_occupancy=0.05)
    assert crowd.peak["required_agents"] == 200
    assert crowd.peak["service_level"] == pytest.approx(1.0, abs=1e-9)


def test_what_was_not_asked_for_says_how_to_ask() -> None:
    words = staffing.Unasked(what="No weeks ahead were asked for", remedy="set -p weeks_ahead=2")
    assert words.summary() == "No weeks ahead were asked for: set -p weeks_ahead=2."
    assert words.to_frame().height == 1
