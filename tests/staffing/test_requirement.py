"""The requirement: published counts, least agents, shrinkage, nights, bounds, bad input."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccanalytics import ServiceLevel, staffing
from ccanalytics.errors import DataError, InputError

GOAL = ServiceLevel(0.80, within=20)
START = datetime(2025, 3, 3, tzinfo=UTC)


def demand(calls, aht=180.0, length=1800, **columns):
    times = aht if isinstance(aht, list) else [aht] * len(calls)
    return pl.DataFrame(
        {
            "interval_start": [START + timedelta(seconds=length * i) for i in range(len(calls))],
            "interval_s": [length] * len(calls),
            "calls": calls,
            "aht_s": times,
            **columns,
        }
    )


def waiting(n, load):
    """Erlang C by the recursion of Erlang B, written down here once more."""
    b = 1.0
    for k in range(1, n + 1):
        b = load * b / (k + load * b)
    return n * b / (n - load * (1 - b))


@pytest.mark.parametrize(
    ("calls", "per", "aht", "share", "within", "agents"),
    [
        (100, 1800, 180, 0.80, 20, 14),
        (250, 3600, 330, 0.80, 30, 28),
        (100, 1800, 180, 0.85, 15, 14),
        (1000, 3600, 300, 0.85, 15, 93),
        (1000, 3600, 300, 0.80, 20, 91),
        (900, 3600, 300, 0.80, 20, 83),
    ],
)
def test_counts_computed_by_others(calls, per, aht, share, within, agents):
    need = staffing.requirement(demand([calls], aht, per), ServiceLevel(share, within=within))
    assert need.frame["required_agents"].to_list() == [agents]


@pytest.mark.parametrize(
    ("counting", "agents"),
    [
        ("abandoned_in_time", 83),
        ("answered", 83),
        ("late_abandoned", 83),
        ("offered", 84),
        ("short_as_served", 84),
        ("short_excluded", 84),
        ("virtual", 84),
    ],
)
def test_with_patience_the_counting_moves_the_requirement(counting, agents):
    short = 5 if counting.startswith("short") else 0
    goal = ServiceLevel(0.80, within=20, counting=counting, short=short)
    need = staffing.requirement(demand([1000], 300.0, 3600), goal, patience=180)
    assert need.frame["required_agents"].to_list() == [agents]
    assert need.frame["abandonment"][0] > 0


@settings(max_examples=40, deadline=None)
@given(
    calls=st.floats(0.5, 400),
    aht=st.floats(20, 900),
    share=st.floats(0.05, 0.98),
    within=st.floats(0, 120),
)
def test_the_requirement_is_least(calls, aht, share, within):
    need = staffing.requirement(demand([calls], aht), ServiceLevel(share, within=within))
    n, load = need.frame["required_agents"][0], calls * aht / 1800
    level = lambda n: 1 - waiting(n, load) * 2.718281828459045 ** (-(n - load) * within / aht)  # noqa: E731
    assert n > load
    assert level(n) >= share - 1e-9
    assert need.frame["service_level"][0] == pytest.approx(level(n), abs=1e-9)
    assert n - 1 <= load or level(n - 1) < share + 1e-9


@pytest.mark.parametrize("seated", [21, 42, 84, 161, 168])
def test_shrinkage_does_not_add_a_seat_by_rounding(seated):
    # Each of these over 0.7 is a whole number that floating point puts a little above.
    need = staffing.requirement(demand([0]), GOAL, shrinkage=0.30, min_agents=seated)
    assert need.frame["scheduled_agents"].to_list() == [round(seated / 0.7)]


def test_fourteen_seated_are_twenty_scheduled_after_30_percent_shrinkage():
    need = staffing.requirement(demand([100]), GOAL, shrinkage=0.30)
    assert need.frame.select("required_agents", "scheduled_agents").row(0) == (14, 20)
    assert need.agent_hours == 7
    assert need.scheduled_hours == 10
    assert need.frame["service_level"][0] == pytest.approx(0.88835001917947, abs=1e-12)
    assert need.frame["asa"][0] == pytest.approx(7.83593701177725, abs=1e-9)
    assert need.frame["occupancy"][0] == pytest.approx(0.7142857, abs=1e-7)


def test_an_interval_without_calls_needs_nobody_or_the_least_agents():
    night = demand([0, 100, 0], [None, 180.0, 0.0])
    frame = staffing.requirement(night, GOAL).frame
    assert frame["required_agents"].to_list() == [0, 14, 0]
    assert frame["load"].to_list() == [0, 10, 0]
    assert frame["service_level"].to_list()[0] is None
    assert staffing.requirement(night, GOAL, min_agents=2).frame["required_agents"].to_list() == [
        2,
        14,
        2,
    ]


def test_a_day_without_any_call_is_answered_too():
    need = staffing.requirement(demand([0, 0]), GOAL)
    assert need.agent_hours == 0
    assert "0 agents" in need.summary()


def test_bounds_beside_the_goal_raise_the_requirement():
    free = staffing.requirement(demand([100]), GOAL).frame.row(0, named=True)
    idle = staffing.requirement(demand([100]), GOAL, max_occupancy=0.6).frame.row(0, named=True)
    assert idle["required_agents"] == 17  # 10 erlangs / 0.6
    assert idle["occupancy"] <= 0.6 < free["occupancy"]
    loose, tight = (
        staffing.requirement(demand([100]), GOAL, patience=120, max_abandonment=bound)
        for bound in (0.5, 0.01)
    )
    assert tight.frame["abandonment"][0] <= 0.01 < loose.frame["abandonment"][0]


def test_patient_callers_are_the_limit_of_impatient_ones():
    endless = staffing.requirement(demand([37, 100, 250]), GOAL).frame["required_agents"]
    nearly = staffing.requirement(demand([37, 100, 250]), GOAL, patience=1e9).frame
    assert endless.to_list() == nearly["required_agents"].to_list()


def test_keys_and_order_are_kept():
    rows = pl.concat(
        [demand([100, 50], queue=["b", "b"]), demand([10, 20], queue=["a", "a"])]
    ).reverse()
    frame = staffing.requirement(rows, GOAL).frame
    assert frame["queue"].to_list() == ["a", "a", "b", "b"]
    alone = staffing.requirement(demand([100, 50]), GOAL).frame["required_agents"].to_list()
    assert frame.filter(pl.col("queue") == "b")["required_agents"].to_list() == alone


def test_the_peak_is_the_greatest_requirement_and_the_means_are_weighted():
    need = staffing.requirement(demand([10, 100, 50]), GOAL)
    assert need.peak["calls"] == 100
    frame = need.frame
    weighted = (frame["service_level"] * frame["calls"]).sum() / frame["calls"].sum()
    assert need.service_level == pytest.approx(weighted)
    busy = frame["load"].sum() / frame["required_agents"].sum()
    assert need.occupancy == pytest.approx(busy)


def test_the_callers_frame_is_not_touched():
    frame = demand([100])
    before = frame.clone()
    staffing.requirement(frame, GOAL, shrinkage=0.2)
    assert frame.equals(before)
    assert staffing.requirement(frame.to_pandas(), GOAL).frame["required_agents"].to_list() == [14]


def test_gaps_and_overlaps_are_seen():
    rows = demand([10, 10, 10])
    statuses = lambda f: {c.name: c.status for c in staffing.requirement(f, GOAL).checks}  # noqa: E731
    name = "Gaps and overlaps"
    assert statuses(rows)[name] == "holds"
    assert statuses(rows[[0, 2]])[name] == "informs"
    assert statuses(rows.with_columns(interval_s=3600))[name] == "fails"


def test_fast_moving_demand_with_long_calls_is_doubted():
    # Two hours a call, load swinging as much as it can: the stationary method is wrong here.
    wave = [0.1, 10, 40, 80, 100, 80, 40, 10] * 3
    slow = staffing.requirement(demand(wave, 7200.0, 3600), GOAL)
    fast = staffing.requirement(demand(wave, 60.0, 3600), GOAL)
    named = lambda need: next(c.status for c in need.checks if c.name == "Pace of demand")  # noqa: E731
    assert (named(slow), named(fast)) == ("fails", "holds")


@pytest.mark.parametrize(
    ("settings_", "words"),
    [
        ({"method": "mol"}, "choose 'stationary'"),
        ({"shrinkage": 30}, "write 30% as 0.3"),
        ({"shrinkage": 1.0}, "shrinkage"),
        ({"shrinkage": float("nan")}, "finite"),
        ({"max_occupancy": 85}, "write 85% as 0.85"),
        ({"max_abandonment": 0.05}, "give patience"),
        ({"patience": -5}, "patience"),
        ({"patience": [60, 120]}, "a list may mean"),
        ({"patience": np.array([60.0])}, "a list may mean"),
        ({"patience": pl.DataFrame({"seconds": [60.0]})}, "a list may mean"),
        ({"patience": "log"}, "callers(…).law()"),
        ({"max_occupancy": 1e-9}, "5% or more"),
        ({"shrinkage": 1 - 1e-9}, "look at shrinkage=0.999999999"),
        ({"min_agents": -1}, "min_agents=-1"),
        ({"min_agents": 1.5}, "whole"),
    ],
)
def test_bad_arguments_are_named_with_their_remedy(settings_, words):
    with pytest.raises(InputError) as refused:
        staffing.requirement(demand([100]), GOAL, **settings_)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (demand([100]).drop("aht_s"), "aht_s"),
        (demand([-1]), "calls"),
        (demand([float("nan")]), "calls"),
        (demand([10], [None]), "handle time"),
        (pl.concat([demand([10]), demand([10])]), "once"),
        (demand([10]).with_columns(pl.col("interval_start").dt.replace_time_zone(None)), "zone"),
        ([1, 2], "polars or pandas"),
    ],
)
def test_bad_frames_are_named_with_their_remedy(frame, words):
    with pytest.raises(InputError) as refused:
        staffing.requirement(frame, GOAL)
    assert words in str(refused.value)


def test_no_rows_are_a_data_error_and_a_number_is_no_goal():
    with pytest.raises(DataError):
        staffing.requirement(demand([100]).clear(), GOAL)
    with pytest.raises(InputError, match="ServiceLevel"):
        staffing.requirement(demand([100]), 0.8)


def test_more_agents_than_any_centre_has_are_refused_with_the_interval():
    with pytest.raises(InputError, match=r"00:30 UTC: .* agents.*calls and aht_s"):
        staffing.requirement(demand([100.0, 1e9]), GOAL)


def test_rows_that_came_in_another_order_are_told():
    def told(frame):
        return [c.detail for c in staffing.requirement(frame, GOAL).checks if "Order" in c.name]

    rows = pl.concat([demand([100, 50], queue=["a", "a"]), demand([10, 20], queue=["b", "b"])])
    assert told(rows) == []
    (words,) = told(rows.reverse())
    assert "sorted by queue and time" in words
    (words,) = told(demand([100, 50]).reverse().to_pandas())
    assert "sorted by time" in words


def test_a_floor_of_newcomers_is_planned_at_their_handle_time():
    """A head worth four fifths takes a quarter longer: what 225 s need is what it needs."""
    from datetime import UTC, datetime

    import polars as pl

    from ccanalytics import ServiceLevel, staffing
    from ccanalytics.errors import InputError

    frame = pl.DataFrame(
        {
            "interval_start": [datetime(2025, 3, 3, 9, tzinfo=UTC)],
            "interval_s": [1800],
            "calls": [100],
            "aht_s": [180.0],
        }
    )
    goal = ServiceLevel(0.80, within=20)
    slow = staffing.requirement(frame, goal, efficiency=0.8)
    same = staffing.requirement(frame.with_columns(aht_s=pl.lit(225.0)), goal)
    assert slow.frame["required_agents"].to_list() == same.frame["required_agents"].to_list()
    assert slow.frame["load"][0] == pytest.approx(12.5)
    assert "80% of the work" in slow.summary()
    assert "of the work" not in same.summary()
    # Asked again from its own frame, it is not made longer twice.
    assert staffing.what_if(slow).frame.height
    with pytest.raises(InputError, match="efficiency=0"):
        staffing.requirement(frame, goal, efficiency=0)
