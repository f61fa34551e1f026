"""Shifts: reading times and durations, midnight, refusals."""

from __future__ import annotations

from datetime import time

import pytest

from ccanalytics import staffing
from ccanalytics.errors import InputError


@pytest.mark.parametrize(
    ("length", "seconds"),
    [("8h", 28800), ("7h30min", 27000), ("450min", 27000), (" 7.5 h ", 27000), (21600, 21600)],
)
def test_durations_as_people_write_them(length, seconds):
    assert staffing.shifts(length, starts="06:00")[0].length_s == seconds


def test_starts_every_so_often():
    made = staffing.shifts("8h", every="30min", first="06:00", last="08:00")
    assert [s.start_s / 3600 for s in made] == [6, 6.5, 7, 7.5, 8]
    assert len(staffing.shifts("6h", every="1h")) == 24


def test_a_shift_over_midnight_serves_the_early_hours():
    (night,) = staffing.shifts("8h", starts=("22:00",))
    assert night.name == "22:00–06:00"
    served = [hour for hour in range(24) if night.covers(3600 * hour, 3600)]
    assert served == [0, 1, 2, 3, 4, 5, 22, 23]


def test_only_whole_intervals_are_covered():
    (odd,) = staffing.shifts("4h", starts=("09:15",))
    halves = [h / 2 for h in range(48) if odd.covers(1800 * h, 1800)]
    assert halves == [9.5, 10, 10.5, 11, 11.5, 12, 12.5]


def test_a_shift_of_a_day_covers_the_day():
    (day,) = staffing.shifts("24h", starts=(time(6),))
    assert all(day.covers(3600 * hour, 3600) for hour in range(24))


def test_costs_go_with_their_starts():
    assert [s.cost for s in staffing.shifts("6h", starts=("00:00", "06:00"), cost=(2, 3))] == [2, 3]
    assert [s.cost for s in staffing.shifts("6h", starts=("00:00", "06:00"), cost=9)] == [9, 9]
    assert staffing.shifts("6h", starts="18:00")[0].cost is None
    assert staffing.shifts("6h", starts="18:00")[0].name == "18:00–24:00"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"length": "eight"}, "no duration"),
        ({"length": ""}, "no duration"),
        ({"length": 0}, "whole minutes"),
        ({"length": "25h"}, "at most a day"),
        ({"length": float("nan")}, "finite"),
        ({"starts": ("25:00",)}, "no time of day"),
        ({"starts": (6,)}, "no time of day"),
        ({"starts": ()}, "no start"),
        ({"starts": ("06:00", "06:00")}, "named twice"),
        ({"starts": None}, "one of the two"),
        ({"every": "1h"}, "one of the two"),
        ({"starts": None, "every": "1h", "first": "10:00", "last": "08:00"}, "after the last"),
        ({"cost": (1, 2, 3)}, "one for each"),
        ({"cost": -1}, "less than nothing"),
    ],
)
def test_what_cannot_be_read_is_named(arguments, words):
    good = {"length": "8h", "starts": ("06:00", "14:00")} | arguments
    with pytest.raises(InputError) as refused:
        staffing.shifts(good.pop("length"), **good)
    assert words in str(refused.value)
