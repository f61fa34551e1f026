"""Repeat callers: shares with Wilson's limits, and what cannot be followed."""

from __future__ import annotations

import polars as pl
import pytest

from ccanalytics import traffic
from ccanalytics.errors import DataError, InputError

COUNTS = pl.DataFrame(
    {
        "outcome": ["abandoned", "abandoned", "answered", "answered", "left_menu"],
        "window_s": [600, 3600, 600, 3600, 600],
        "followed": [20, 100, 50, 85, 0],
        "again": [17, 10, 0, 85, 0],
    }
)


def test_limits_are_wilsons():
    shares = traffic.repeat_callers(COUNTS).shares.filter(pl.col("outcome") == "abandoned")
    # 17/20 and 10/100 of the published table of Wilson intervals.
    assert [round(v, 3) for v in shares["recontact_low"]] == [0.640, 0.055]
    assert [round(v, 3) for v in shares["recontact_high"]] == [0.948, 0.174]
    assert shares["recontact"].to_list() == [0.85, 0.10]


def test_limits_stay_inside_0_and_1_and_groups_without_customers_are_null():
    result = traffic.repeat_callers(COUNTS)
    rows = {(r["outcome"], r["window_s"]): r for r in result.shares.to_dicts()}
    assert rows["answered", 600]["recontact_low"] == 0
    assert rows["answered", 3600]["recontact_high"] == 1
    assert rows["left_menu", 600]["recontact"] is None
    assert any("left_menu" in check.detail for check in result.checks)


def test_the_summary_tells_each_window():
    text = traffic.repeat_callers(COUNTS).summary()
    assert "within 10 min after 0.0% of the answered calls (50 of them only; 0% to 7%)" in text
    assert "85.0% of the abandoned calls (20 of them only; 64% to 95%)" in text
    assert "within 1 h" in text


def test_without_keys_all_calls_are_one_group():
    result = traffic.repeat_callers(COUNTS.drop("outcome").head(1))
    assert result.keys == ()
    assert "within 10 min of 85.0% of all calls" not in result.summary()
    assert "within 10 min after 85.0% of all calls" in result.summary()


def test_a_wider_level_gives_wider_limits():
    narrow = traffic.repeat_callers(COUNTS, level=0.5).shares
    wide = traffic.repeat_callers(COUNTS, level=0.99).shares
    assert (wide["recontact_low"] <= narrow["recontact_low"]).all()
    assert (wide["recontact_high"] >= narrow["recontact_high"]).all()


def test_nobody_known_is_a_data_error():
    with pytest.raises(DataError, match="known customer"):
        traffic.repeat_callers(COUNTS.with_columns(followed=0, again=0))
    with pytest.raises(DataError, match="empty"):
        traffic.repeat_callers(COUNTS.clear())


def test_impossible_counts_are_refused():
    with pytest.raises(InputError, match="more calls again"):
        traffic.repeat_callers(COUNTS.with_columns(again=pl.col("followed") + 1))
    with pytest.raises(InputError, match="window_s"):
        traffic.repeat_callers(COUNTS.drop("window_s"))
    with pytest.raises(InputError, match="level"):
        traffic.repeat_callers(COUNTS, level=1.5)
