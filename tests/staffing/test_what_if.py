"""Goals and their price, inputs a little off, methods side by side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics import Queue, ServiceLevel, staffing
from ccanalytics.errors import InputError, UnsupportedError

GOAL = ServiceLevel(0.80, within=20)


def demand(calls, per=1800.0, aht=180.0):
    calls = np.asarray(calls, float)
    start = datetime(2025, 3, 3, 8, tzinfo=UTC)
    return pl.DataFrame(
        {
            "interval_start": [start + timedelta(seconds=per * i) for i in range(calls.size)],
            "interval_s": per,
            "calls": calls,
            "aht_s": np.broadcast_to(np.asarray(aht, float), calls.shape),
        }
    )


def hump(size=20, mean=100.0, swing=0.7):
    return mean * (1 + swing * np.sin(2 * np.pi * np.arange(size) / size))


@pytest.fixture(scope="module")
def need():
    return staffing.requirement(demand(hump()), GOAL, patience=120, shrinkage=0.3)


@pytest.fixture(scope="module")
def ladder(need):
    return staffing.what_if(need, cost_per_hour=20)


def test_a_point_costs_what_erlang_says():
    """100 calls in 30 min of 180 s: 14 agents serve 88.83% in time, 15 serve 94.14%."""
    need = staffing.requirement(demand([100]), GOAL)
    found = staffing.what_if(need, (0.8, 0.9), cost_per_hour=30).frame
    low, high = (
        Queue(calls=100, per=1800, aht=180).performance(agents=n).service_level(GOAL)
        for n in (14, 15)
    )
    assert found["agent_hours"].to_list() == [7.0, 7.5]
    assert found["cost"].to_list() == [210.0, 225.0]
    assert found["service_level"].to_list() == pytest.approx([low, high])
    assert found["hours_per_point"].to_list() == [None, pytest.approx(0.5 / (100 * (high - low)))]
    assert found["cost_per_point"][1] == pytest.approx(15 / (100 * (high - low)))


def test_more_agents_serve_more_and_cost_more(ladder):
    frame = ladder.frame
    for name in ("agent_hours", "scheduled_hours", "service_level", "cost"):
        assert (frame[name].diff().drop_nulls() >= 0).all(), name
    for name in ("asa", "abandonment", "occupancy"):
        assert (frame[name].diff().drop_nulls() <= 1e-12).all(), name
    assert (frame["hours_per_point"].drop_nulls() > 0).all()
    assert frame["cost"].to_numpy() == pytest.approx(20 * frame["scheduled_hours"].to_numpy())
    # The plan of the goal is the requirement itself.
    assert ladder.at_goal["agent_hours"] == ladder.requirement.agent_hours


def test_erlang_c_asks_for_more_than_erlang_a(ladder, need):
    hours = dict(zip(ladder.models["model"], ladder.models["agent_hours"], strict=True))
    assert hours["Erlang A"] == need.agent_hours
    without = staffing.requirement(demand(hump()), GOAL, shrinkage=0.3)
    assert hours["Erlang C"] == without.agent_hours
    assert ladder.hours_between == pytest.approx(without.agent_hours - need.agent_hours)
    assert ladder.hours_between > 0
    assert "Erlang C" in ladder.summary()
    assert staffing.what_if(without, (0.8, 0.9)).hours_between is None


def test_the_curve_says_what_patience_is_worth_and_what_a_seat_costs():
    curve = staffing.service_level_curve(
        100, 1800, 180, GOAL, patience=120, cost_per_hour=21, shrinkage=0.3
    )
    assert curve.seats_between == curve.required["Erlang C"] - curve.required["Erlang A"] == 2
    row = curve.points.filter((pl.col("model") == "Erlang C") & (pl.col("agents") == 14))
    assert row["cost"][0] == pytest.approx(14 * 0.5 * 21 / 0.7)
    prices = curve.points["cost_per_point"].drop_nulls()
    assert (prices > 0).all()
    plain = staffing.service_level_curve(100, 1800, 180, GOAL)
    assert plain.points["cost"].null_count() == plain.points.height


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ((0.8, 90), "write 90% as 0.9"),
        ((0,), "above 0"),
        ((1.0,), "below 1"),
        (0.8, "list"),
        ((10**400,), "past any float"),
    ],
)
def test_a_ladder_of_goals_is_checked(need, shares, words):
    with pytest.raises(InputError, match=words):
        staffing.what_if(need, shares)


def test_questions_want_a_requirement(need):
    for ask in (staffing.what_if, staffing.sensitivity, staffing.prove):
        with pytest.raises(InputError, match="requirement"):
            ask(need.frame)
        with pytest.raises(InputError, match="without calls"):
            ask(staffing.requirement(demand([0, 0]), GOAL))
    with pytest.raises(InputError, match="cost_per_hour=-1"):
        staffing.what_if(need, cost_per_hour=-1)


def test_sensitivity_has_the_right_signs(need):
    found = staffing.sensitivity(need, 0.10)
    rows = {(r["factor"], r["change"] > 0): r for r in found.frame.iter_rows(named=True)}
    assert {factor for factor, _ in rows} == {"volume", "handle time", "patience", "shrinkage"}
    for factor in ("volume", "handle time", "shrinkage"):
        assert rows[factor, True]["hours_change"] > 0 > rows[factor, False]["hours_change"]
        assert rows[factor, True]["level_change"] < 0, factor
        assert rows[factor, False]["level_change"] >= 0, factor
    # 10% more volume is a requirement that can be asked for directly.
    more = staffing.requirement(
        demand(1.1 * hump()), GOAL, patience=120, shrinkage=0.3
    ).scheduled_hours
    assert rows["volume", True]["scheduled_hours"] == more
    # 33% instead of 30%: of ⌈n/0.7⌉ scheduled, ⌊0.67·⌈n/0.7⌉⌋ are seated.
    n = need.frame["required_agents"].to_numpy()
    seated = np.floor(0.67 * need.frame["scheduled_agents"].to_numpy())
    calls = need.frame["calls"].to_numpy()
    level = Queue(calls=calls, per=1800.0, aht=180.0, patience=120).performance(
        agents=seated.astype(int)
    )
    assert (seated < n).any()
    assert rows["shrinkage", True]["service_level"] == pytest.approx(
        level.service_level(GOAL) @ calls / calls.sum()
    )


def test_sensitivity_leaves_out_what_is_not_there():
    bare = staffing.sensitivity(staffing.requirement(demand([100, 120]), GOAL))
    assert set(bare.frame["factor"]) == {"volume", "handle time"}
    assert any(check.name == "Patience" for check in bare.checks)
    with pytest.raises(InputError, match=r"write 10% as 0\.1"):
        staffing.sensitivity(bare.requirement, 10)


@pytest.mark.parametrize("method", ["lagged", "modified", "iterative"])
def test_questions_are_asked_again_by_the_method_of_the_plan(method):
    need = staffing.requirement(demand(hump(12)), GOAL, method, patience=120)
    ladder = staffing.what_if(need, (0.8, 0.9))
    again = staffing.requirement(
        demand(hump(12)), ServiceLevel(0.9, within=20), method, patience=120
    )
    assert ladder.frame["agent_hours"].to_list() == [need.agent_hours, again.agent_hours]
    found = staffing.sensitivity(need)
    assert found.frame.filter(pl.col("change") > 0)["level_change"].to_list()[0] < 0


def test_a_steady_day_does_not_care_about_the_method():
    found = staffing.compare_methods(demand([100.0] * 8), GOAL, patience=120)
    assert found.severity == "none"
    assert found.frame["agent_hours"].n_unique() == 1
    assert found.frame["intervals_short"].to_list() == [0] * 4
    assert "does not matter" in found.summary()


def test_long_calls_on_a_steep_day_care():
    """Handle times of an hour and half-hours that treble: the stationary plan lags behind."""
    steep = demand([20, 20, 60, 60, 60, 20, 20, 20], aht=3600.0)
    found = staffing.compare_methods(steep, GOAL, patience=600)
    assert found.severity == "severe"
    assert "matters here" in found.summary()
    walked = found.row("iterative")
    assert walked["intervals_short"] == 0
    assert walked["worst_shortfall"] == 0
    # When calls fall the stationary plan forgets those still in progress.
    short = found.intervals.filter((pl.col("method") == "stationary") & pl.col("short"))
    assert short.height >= 1
    assert found.row("stationary")["calls_short"] == pytest.approx(
        short["calls"].sum() / steep["calls"].sum()
    )


def test_what_cannot_be_compared():
    import scipy.stats as st

    frame = demand([100, 100])
    with pytest.raises(UnsupportedError, match="exponential"):
        staffing.compare_methods(frame, GOAL, patience=st.gamma(2, scale=60))
    with pytest.raises(UnsupportedError, match="simulated"):
        staffing.compare_methods(frame, GOAL, ("stationary", "simulated"))
    for wrong in (("stationary",), "stationary", ("lagged", "lagged")):
        with pytest.raises(InputError, match="two methods"):
            staffing.compare_methods(frame, GOAL, wrong)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("30%", 0.3), ("0.3", 0.3), (" .3 ", 0.3), (0.3, 0.3), ("0", 0.0), ("28 %", 0.28),
        ("breaks 10% paid, leave 20% paid", 0.3),
        ("breaks 10% remaining; leave 20% remaining", 0.28),
        ("one-to-one meetings 0.1 of paid, training 5% of remaining", 1 - 0.9 * 0.95),
    ],
)  # fmt: skip
def test_shrinkage_is_read_from_text(text, share):
    read = staffing.read_shrinkage(text)
    assert (read.share if isinstance(read, staffing.Shrinkage) else read) == pytest.approx(share)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("30", "write 30% as 0.3"), ("breaks 10%", "needs its base"), ("breaks", "no component"),
        ("breaks 10% paid, breaks 5% remaining", "twice"), ("", "no component"),
        ("a 60% paid, b 50% paid", "leave no time"), ("breaks 120% paid", "0 and 1"),
    ],
)  # fmt: skip
def test_shrinkage_in_words_that_cannot_be_read(text, words):
    with pytest.raises(InputError, match=words):
        staffing.read_shrinkage(text)
