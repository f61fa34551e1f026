"""One definition of service level: six countings, in numbers and in words."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccanalytics import ServiceLevel
from ccanalytics.errors import InputError, UnsupportedError

# ICMI's example (METHODS.md section 1): answered 1,000, of them 860 within 20 s; abandoned 60, of
# them 20 within 20 s and 10 within 5 s.
ICMI = {
    "answered": 1000,
    "answered_within": 860,
    "abandoned": 60,
    "abandoned_within": 20,
    "abandoned_short": 10,
}
ICMI_COLUMNS = {
    "answered": 1000,
    "answered_in_20s": 860,
    "abandoned": 60,
    "abandoned_in_20s": 20,
    "abandoned_in_5s": 10,
    "blocked": 40,
}
SIX = {
    "abandoned_in_time": 83.02,
    "answered": 86.00,
    "offered": 81.13,
    "late_abandoned": 82.69,
    "short_as_served": 82.08,
    "short_excluded": 81.90,
}


def goal_of(counting, **options):
    return ServiceLevel(0.8, within=20, counting=counting, short=5, **options)


@pytest.mark.parametrize(("counting", "percent"), SIX.items())
def test_the_published_example_in_every_counting(counting, percent):
    goal = goal_of(counting)
    assert round(100 * goal.observed(**ICMI), 2) == percent
    assert round(100 * goal.of(ICMI_COLUMNS), 2) == percent


@pytest.mark.parametrize(("counting", "percent"), SIX.items())
@pytest.mark.parametrize("frame", [pl.DataFrame, pd.DataFrame])
def test_rows_of_a_frame(counting, percent, frame):
    columns = {name: [count, 0, 2 * count] for name, count in ICMI_COLUMNS.items()}
    level = goal_of(counting).of(frame(columns))
    assert isinstance(level, np.ndarray)
    assert [round(100 * x, 2) for x in level[[0, 2]]] == [percent, percent]
    assert math.isnan(level[1])


def test_blocked_calls_stand_outside_unless_they_are_asked_in():
    assert goal_of("offered").of(ICMI_COLUMNS) == 860 / 1060
    assert goal_of("offered", include_blocked=True).of(ICMI_COLUMNS) == 860 / 1100
    assert goal_of("short_excluded", include_blocked=True).of(ICMI_COLUMNS) == 860 / 1090


@pytest.mark.parametrize("counting", SIX)
def test_the_columns_it_needs_are_enough_and_no_more(counting):
    goal = goal_of(counting, include_blocked=True)
    needed = goal.columns().values()
    assert goal.of({name: ICMI_COLUMNS[name] for name in needed}) == goal.of(ICMI_COLUMNS)
    for name in needed:
        fewer = {other: ICMI_COLUMNS[other] for other in needed if other != name}
        with pytest.raises(InputError, match=name) as caught:
            goal.of(fewer)
        assert "goals=" in str(caught.value)


def test_scalars_in_scalars_out_arrays_in_arrays_out():
    goal = ServiceLevel(0.8, 20)
    assert type(goal.observed(answered=10, answered_within=8)) is float
    level = goal.observed(
        answered=np.array([10, 10]), answered_within=np.array([8, 5]), abandoned=[[0], [10]]
    )
    assert level.tolist() == [[0.8, 0.5], [0.4, 0.25]]
    assert math.isnan(goal.observed(answered=0, answered_within=0))


def test_shares_of_arrivals_serve_as_well_as_counts():
    goal = goal_of("offered")
    share = goal.observed(answered=0.9, answered_within=0.72, abandoned=0.1)
    assert share == pytest.approx(0.72)


counts = st.integers(0, 10_000)


@given(counts, counts, counts, counts, counts)
def test_order_of_the_countings(in_time, late, abandoned_short, abandoned_soon, abandoned_late):
    """What credits or forgives more is never lower, and all are shares."""
    given_ = {
        "answered": in_time + late,
        "answered_within": in_time,
        "abandoned": abandoned_short + abandoned_soon + abandoned_late,
        "abandoned_within": abandoned_short + abandoned_soon,
        "abandoned_short": abandoned_short,
    }
    if not given_["answered"]:
        return
    level = {counting: goal_of(counting).observed(**given_) for counting in SIX}
    assert all(0 <= x <= 1 for x in level.values())
    near = 1e-12
    assert level["offered"] <= level["short_excluded"] + near
    assert level["short_excluded"] <= level["short_as_served"] + near
    assert level["short_as_served"] <= level["abandoned_in_time"] + near
    assert level["offered"] <= level["late_abandoned"] + near
    assert level["late_abandoned"] <= level["answered"] + near
    if given_["abandoned"] == 0:
        assert len(set(level.values())) == 1


def test_virtual_is_for_models_only():
    goal = ServiceLevel(0.8, 20, counting="virtual")
    assert "endless patience" in goal.describe()
    for question in (
        goal.columns,
        lambda: goal.of(ICMI_COLUMNS),
        lambda: goal.observed(answered=1, answered_within=1),
    ):
        with pytest.raises(UnsupportedError, match="virtual") as caught:
            question()
        assert "another counting" in str(caught.value)


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        (
            ServiceLevel(0.8, 20),
            "80% answered within 20 s, as a share of all offered calls",
        ),
        (
            ServiceLevel(0.85, 15, counting="answered"),
            "85% answered within 15 s, as a share of answered calls",
        ),
        (
            ServiceLevel(0.8, 20, counting="abandoned_in_time"),
            "80% answered or abandoned within 20 s, as a share of all offered calls",
        ),
        (
            ServiceLevel(0.8, 20, counting="late_abandoned"),
            "80% answered within 20 s, as a share of offered calls less those abandoned "
            "within 20 s",
        ),
        (
            ServiceLevel(0.8, 20, counting="short_as_served", short=5),
            "80% answered within 20 s or abandoned within 5 s, as a share of all offered calls",
        ),
        (
            ServiceLevel(0.8, 20, counting="short_excluded", short=5),
            "80% answered within 20 s, as a share of offered calls less those abandoned within 5 s",
        ),
        (
            ServiceLevel(0.999, 7.5, include_blocked=True),
            "99.9% answered within 7.5 s, as a share of all offered calls; blocked calls count as "
            "not answered",
        ),
        (ServiceLevel(0.07, 0), "7% answered within 0 s, as a share of all offered calls"),
        (ServiceLevel(0.29, 20), "29% answered within 20 s, as a share of all offered calls"),
    ],
)
def test_the_definition_in_words(goal, words):
    assert goal.describe() == str(goal) == words


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"share": 80}, "share=80"),
        ({"share": 0}, "share=0"),
        ({"share": -0.1}, "share=-0.1"),
        ({"share": 1.01}, "share=1.01"),
        ({"share": math.nan}, "share=nan"),
        ({"share": math.inf}, "share=inf"),
        ({"share": "80%"}, "share='80%'"),
        ({"share": None}, "share=None"),
        ({"share": True}, "share=True"),
        ({"share": np.array([0.8])}, "share="),
        ({"share": 10**400}, "share="),
        ({"within": -1}, "within=-1"),
        ({"within": math.inf}, "within=inf"),
        ({"within": math.nan}, "within=nan"),
        ({"within": "20"}, "within='20'"),
        ({"within": True}, "within=True"),
        ({"counting": "handled"}, "counting='handled'"),
        ({"counting": None}, "counting=None"),
        ({"counting": 5}, "counting=5"),
        ({"counting": ["offered"]}, "counting="),
        ({"counting": "short_excluded"}, "short=0"),
        ({"counting": "short_as_served", "short": 0}, "short=0"),
        ({"short": -5}, "short=-5"),
        ({"short": math.nan}, "short=nan"),
        ({"short": "5"}, "short='5'"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_value(arguments, named):
    with pytest.raises(InputError) as caught:
        ServiceLevel(**({"share": 0.8, "within": 20} | arguments))
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_percent_is_told_how_to_write_it():
    with pytest.raises(InputError, match=r"80% is 0\.8"):
        ServiceLevel(80, within=20)


def test_numbers_of_numpy_are_numbers():
    goal = ServiceLevel(np.float64(0.8), within=np.int64(20), short=np.float32(5))
    assert goal.describe() == ServiceLevel(0.8, 20).describe()
    assert goal.columns()["answered_within"] == "answered_in_20s"
    assert ServiceLevel(1, within=0).observed(answered=4, answered_within=3) == 0.75


def test_goals_are_values():
    assert ServiceLevel(0.8, 20) == ServiceLevel(0.8, within=20, counting="offered")
    assert len({ServiceLevel(0.8, 20), ServiceLevel(0.8, 20), ServiceLevel(0.8, 30)}) == 2


@pytest.mark.parametrize("counts_", [5, None, "answered", [1, 2]])
def test_counts_of_another_kind_are_refused(counts_):
    with pytest.raises(InputError):
        ServiceLevel(0.8, 20).of(counts_)


def test_counts_that_contradict_each_other_are_refused():
    """More answered in time than answered at all would be a share above 1."""
    with pytest.raises(InputError, match="answered_within"):
        ServiceLevel(0.8, 20).observed(answered=10, answered_within=20)
    with pytest.raises(InputError, match="abandoned"):
        ServiceLevel(0.8, 20).observed(answered=10, answered_within=5, abandoned=-5)


@given(st.floats(0.001, 1e6), st.floats(0.001, 1e6))
def test_two_thresholds_have_two_columns(one, other):
    names = {ServiceLevel(0.8, within=t).columns()["answered_within"] for t in (one, other)}
    assert len(names) == (1 if one == other else 2)
