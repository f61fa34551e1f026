"""Shift covers: least cost against another solver, midnight, gaps, limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from ccanalytics import ServiceLevel, staffing
from ccanalytics.errors import DataError, InputError

START = datetime(2025, 3, 3, tzinfo=UTC).replace(tzinfo=None)


def day(need, column="scheduled_agents"):
    length = 86400 // len(need)
    return pl.DataFrame(
        {
            "local_start": [START + timedelta(seconds=length * i) for i in range(len(need))],
            "interval_s": [float(length)] * len(need),
            column: need,
        }
    )


def matrix(shifts, frame):
    seconds = [(at - START).total_seconds() for at in frame["local_start"]]
    return np.array([[s.covers(a, 86400 / len(seconds)) for a in seconds] for s in shifts], float)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_nothing_cheaper_exists_by_another_solver(data):
    need = data.draw(st.lists(st.integers(0, 20), min_size=24, max_size=24))
    hours = data.draw(st.integers(2, 12))
    starts = data.draw(st.sets(st.integers(0, 23), min_size=3, max_size=10))
    cost = data.draw(st.lists(st.integers(1, 50), min_size=len(starts), max_size=len(starts)))
    shifts = staffing.shifts(
        f"{hours}h", starts=[f"{start:02d}:00" for start in sorted(starts)], cost=cost
    )
    frame = day(need)
    cells = matrix(shifts, frame)
    asked = np.where(cells.any(axis=0), need, 0)
    found = staffing.cover(frame, shifts)
    other = milp(
        cost, constraints=LinearConstraint(cells.T, lb=asked), integrality=1, bounds=Bounds(0)
    )
    assert found.optimal
    assert found.cost == pytest.approx(other.fun, abs=1e-6)
    assert (found.intervals["covered_agents"].to_numpy() >= asked).all()


def test_seated_spare_and_uncovered_add_up():
    need = [0, 1, 2, 3, 5, 8, 8, 5, 3, 2, 1, 0]
    found = staffing.cover(
        day(need), staffing.shifts("8h", every="2h", first="04:00", last="12:00")
    )
    frame = found.intervals
    assert frame["uncovered_agents"].to_list() == [0, 1] + [0] * 8 + [1, 0]
    people = found.seated().group_by("local_start").agg(pl.col("agents").sum())
    joined = frame.join(people, on="local_start", how="left").fill_null(0)
    assert joined["agents"].to_list() == frame["covered_agents"].to_list()
    balance = frame["scheduled_agents"] + frame["spare_agents"] - frame["uncovered_agents"]
    assert balance.to_list() == frame["covered_agents"].to_list()
    assert found.paid_hours == found.hours("covered_agents")


def test_intervals_that_no_shift_covers_are_named_first():
    found = staffing.cover(
        day([1, 0, 3, 3, 4, 2, 0, 0]), staffing.shifts("6h", starts=("06:00", "12:00"))
    )
    assert found.summary().startswith("No shift covers 00:00–03:00, where up to 1 agent is needed")
    check = found.checks[0]
    assert check.status == "fails"
    assert "00:00–03:00" in check.detail
    assert found.intervals["covered_agents"].to_list()[2:6] >= [3, 3, 4, 2]


def test_a_night_shift_covers_the_early_hours_of_the_same_pattern():
    need = [2, 2, 0, 0, 0, 0, 0, 2]
    found = staffing.cover(day(need), staffing.shifts("9h", starts=("21:00",)))
    assert found.people == 2
    assert found.intervals["uncovered_agents"].sum() == 0


def test_without_costs_paid_hours_are_least_so_short_shifts_win():
    long, short = staffing.shifts("12h", starts="08:00"), staffing.shifts("4h", starts="08:00")
    found = staffing.cover(day([0, 0, 6, 0, 0, 0]), long + short)
    assert found.shifts.filter(pl.col("agents") > 0)["length_s"].to_list() == [4 * 3600]
    assert found.cost == found.paid_hours == 24


def test_costs_may_be_fractions_and_are_given_back_in_their_unit():
    shifts = staffing.shifts("8h", starts=("00:00", "08:00", "16:00"), cost=(101.25, 80.5, 90))
    found = staffing.cover(day([1] * 24), shifts)
    assert found.cost == 101.25 + 80.5 + 90
    assert "at a cost of 271.75" in found.summary()


def test_a_requirement_is_covered_after_shrinkage_by_default():
    frame = pl.DataFrame(
        {
            "interval_start": [datetime(2025, 3, 3, h, tzinfo=UTC) for h in range(24)],
            "interval_s": [3600] * 24,
            "calls": [100] * 24,
            "aht_s": [180.0] * 24,
        }
    )
    typical = staffing.typical_day(frame, time_zone="UTC")
    need = staffing.requirement(typical, ServiceLevel(0.8, within=20), shrinkage=0.3)
    people = staffing.cover(need, staffing.shifts("8h", starts=("00:00", "08:00", "16:00")))
    seats = staffing.cover(
        need, staffing.shifts("8h", starts=("00:00", "08:00", "16:00")), agents="required_agents"
    )
    assert people.people == need.frame["scheduled_agents"].to_list()[0] * 3
    assert seats.people == need.frame["required_agents"].to_list()[0] * 3


def test_a_day_that_needs_nobody_costs_nothing():
    found = staffing.cover(day([0] * 24), staffing.shifts("8h", every="4h"))
    assert (found.people, found.cost, found.optimal) == (0, 0, True)


def test_the_same_cover_every_time():
    frame, shifts = day([3, 5, 9, 4] * 6), staffing.shifts("5h", every="1h")
    first = staffing.cover(frame, shifts).shifts
    assert first.equals(staffing.cover(frame, shifts).shifts)


def test_seats_bound_people_at_once():
    # Needing 4 for four hours and 2 before and after, with six-hour shifts only.
    need = [0, 0, 2, 4, 4, 2, 0, 0]
    shifts = staffing.shifts("6h", every="3h")
    assert staffing.cover(day(need), shifts, max_seats=4).intervals["covered_agents"].max() <= 4
    with pytest.raises(InputError, match="4 agents are needed at 09:00"):
        staffing.cover(day(need), shifts, max_seats=3)
    with pytest.raises(InputError, match="cannot cover the day"):
        # Both shifts serve 00:00–06:00, so three on each are six at once there.
        staffing.cover(
            day([0, 3, 0, 3]), staffing.shifts("12h", starts=("18:00", "00:00")), max_seats=3
        )


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (day([1] * 24).drop("scheduled_agents"), "scheduled_agents"),
        (pl.concat([day([1] * 24), day([1] * 24)]), "one day and one queue"),
        (day([1.5] * 24), "whole numbers"),
        (day([-1] * 24), "whole numbers"),
        ([1, 2, 3], "polars frame"),
    ],
)
def test_a_frame_of_another_form_is_refused(frame, words):
    with pytest.raises(InputError) as refused:
        staffing.cover(frame, staffing.shifts("8h", every="4h"))
    assert words in str(refused.value)


def test_odd_shifts_are_refused():
    frame = day([1] * 24)
    twice = staffing.shifts("8h", starts="06:00") * 2
    with pytest.raises(InputError, match="one name"):
        staffing.cover(frame, twice)
    mixed = staffing.shifts("8h", starts="06:00", cost=3) + staffing.shifts("8h", starts="07:00")
    with pytest.raises(InputError, match="some shifts have a cost"):
        staffing.cover(frame, mixed)
    with pytest.raises(InputError, match="list of Shift"):
        staffing.cover(frame, [])
    with pytest.raises(InputError, match="max_seats"):
        staffing.cover(frame, staffing.shifts("8h", every="4h"), max_seats=0)
    with pytest.raises(InputError, match="max_seconds"):
        staffing.cover(frame, staffing.shifts("8h", every="4h"), max_seconds=0)
    with pytest.raises(DataError, match="empty"):
        staffing.cover(frame.clear(), staffing.shifts("8h", every="4h"))


def test_planned_people_are_no_small_cell_of_a_report():
    from ccanalytics import smallcells

    shown = staffing.cover(day([1, 2, 4] * 8), staffing.shifts("8h", every="4h")).table()
    assert shown.height
    assert smallcells.hidden(shown, 5) == ([], [])
