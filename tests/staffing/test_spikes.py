"""Spikes: what one day does to the requirement, and what it does not."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, staffing
from ccanalytics.errors import InputError

GOAL = ServiceLevel(0.80, within=20)


def mondays(counts, aht=None):
    """Days of three hours from 09:00, a week apart; ``counts`` has a row per day."""
    counts = np.asarray(counts, float)
    rows = []
    for week, row in enumerate(counts):
        for hour, calls in enumerate(row):
            at = pl.datetime(2025, 3, 3, 9, time_zone="UTC")
            shift = timedelta(weeks=week, hours=hour)
            rows.append(
                pl.select(
                    interval_start=at + shift,
                    interval_s=3600,
                    calls=calls,
                    aht_s=180.0 if aht is None else float(aht[week][hour]),
                )
            )
    return staffing.typical_day(pl.concat(rows), weekdays=1, time_zone="UTC")


def test_leaving_a_day_out_is_planning_without_it():
    counts = [[50, 60, 70], [52, 300, 66], [48, 58, 74], [50, 62, 70]]
    found = staffing.spikes(mondays(counts), GOAL)
    assert found.flagged["date"].to_list() == [date(2025, 3, 10)]
    without = staffing.requirement(mondays([counts[0], counts[2], counts[3]]), GOAL).frame
    row = found.flagged.row(0, named=True)
    assert row["required_without"] == without["required_agents"][1]
    assert row["other_calls"] == [60, 58, 62]
    assert row["other_mean"] == 60
    assert found.demand_without["calls"].to_list() == [50, 60, 70]


def test_days_that_are_alike_have_no_spike():
    found = staffing.spikes(mondays([[50, 60, 70]] * 5), GOAL)
    assert found.flagged.is_empty()
    assert found.summary().startswith("No interval owes its requirement to a single day.")


def test_a_long_handle_time_of_one_day_is_a_spike_too():
    usual, odd = [180, 180, 180], [180, 1200, 180]
    found = staffing.spikes(mondays([[60, 60, 60]] * 4, [usual, odd, usual, usual]), GOAL)
    assert found.flagged["date"].to_list() == [date(2025, 3, 10)]
    assert "60 calls of 1,200 s each" in found.summary()


def test_the_bounds_are_both_needed():
    day = mondays([[2, 60, 60], [30, 60, 60], [2, 60, 60], [2, 75, 60]])
    strict = staffing.spikes(day, GOAL, min_share=0.25, min_fall=3)
    loose = staffing.spikes(day, GOAL, min_share=0.0, min_fall=1)
    assert strict.flagged.height < loose.flagged.height
    for row in loose.flagged.to_dicts():
        assert row["required_agents"] - row["required_without"] >= 1


def test_two_days_cannot_say_which_is_unusual():
    found = staffing.spikes(mondays([[50, 60, 70], [50, 600, 70]]), GOAL)
    assert found.flagged.is_empty()
    assert found.frame["required_without"].null_count() == 3
    assert found.checks[0].status == "fails"
    assert "that could be judged" in found.summary()


def test_an_interval_only_one_day_ever_used_falls_to_nothing():
    found = staffing.spikes(mondays([[50, 0, 70], [50, 40, 70], [50, 0, 70]]), GOAL)
    row = found.flagged.row(0, named=True)
    assert row["required_without"] == 0
    assert found.demand_without["calls"].to_list()[1] == 0
    need = staffing.requirement(found.demand_without, GOAL)
    assert need.frame["required_agents"].to_list()[1] == 0


def test_a_week_is_judged_weekday_by_weekday():
    start, rows = pl.datetime(2025, 3, 3, 9, time_zone="UTC"), []
    for day in range(28):
        calls = 400.0 if day == 9 else 60.0
        rows.append(pl.select(interval_start=start + timedelta(day), interval_s=3600, calls=calls,
                              aht_s=180.0))  # fmt: skip
    found = staffing.spikes(staffing.typical_week(pl.concat(rows), time_zone="UTC"), GOAL)
    assert found.flagged.select("weekday", "date").rows() == [(3, date(2025, 3, 12))]
    assert "on Wednesday at 09:00" in found.summary()


def test_bad_arguments_are_named():
    day = mondays([[50, 60, 70]] * 3)
    with pytest.raises(InputError, match="typical_day"):
        staffing.spikes(day.demand, GOAL)
    with pytest.raises(InputError, match="min_share"):
        staffing.spikes(day, GOAL, min_share=25)
    with pytest.raises(InputError, match="min_fall"):
        staffing.spikes(day, GOAL, min_fall=-1)
