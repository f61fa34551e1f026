"""What removed calls free: the seats of worked examples, and what must hold of any."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics import Queue, ServiceLevel, deflection, staffing
from ccanalytics.errors import InputError
from ccanalytics.results import Estimate

GOAL = ServiceLevel(0.8, within=20)
SURE = Estimate(0.07, 0.05, 0.09)


def demand_of(calls, aht_s=174.0, per=3600):
    calls = np.atleast_1d(np.asarray(calls, float))
    start = datetime(2025, 3, 3, tzinfo=UTC)
    at = [start + timedelta(seconds=per * i) for i in range(calls.size)]
    return pl.DataFrame(
        {"interval_start": at, "local_start": [t.replace(tzinfo=None) for t in at],
         "interval_s": per, "calls": calls, "aht_s": np.broadcast_to(aht_s, calls.shape)}
    )  # fmt: skip


def day():
    return demand_of(50 + 200 * np.sin(np.arange(48) / 48 * np.pi) ** 2, 180.0, 1800)


# 30% simple calls of 90 s among 70% of 210 s; 7% of calls go, all of them simple.
@pytest.mark.parametrize(
    ("calls", "before", "after", "wrong"),
    [(60, 5, 5, 5), (200, 13, 13, 12), (600, 34, 33, 32), (2000, 104, 100, 97)],
)
def test_the_seats_of_the_worked_table(calls, before, after, wrong):
    told = deflection.value(0.07, demand_of(calls), GOAL, removed_aht_s=90)
    assert told.frame["agents_without"].item() == before
    assert told.frame["agents_with"].item() == after
    assert told.erlang_hours.value / (calls * 174 / 3600) == pytest.approx(0.0362, abs=5e-5)
    # Taken for average calls, more seats seem free than are, and the answer says so.
    average = deflection.value(0.07, demand_of(calls), GOAL)
    assert average.frame["agents_with"].item() == wrong
    assert any(check.status == "fails" and "average calls" in check.detail
               for check in average.checks)  # fmt: skip


def test_what_remains():
    calls, aht = deflection.remaining(2000, 174, 0.07, 90)
    assert calls == pytest.approx(1860)
    assert aht == pytest.approx(180.32, abs=0.005)
    # The load that goes is that of the calls that go.
    assert calls * aht == pytest.approx(2000 * 174 - 140 * 90)
    with pytest.raises(InputError, match="more time than all calls"):
        deflection.remaining(100, 100, 0.5, 250)
    for change, words in (
        ((100, 100, 1.0, 50), "below 1"), ((100, 100, float("-inf"), 50), "below 1"),
        ((-1, 100, 0.1, 50), "calls"), ((100, 0, 0.1, 50), "aht_s"),
        ((100, 100, 0.1, -50), "removed_aht_s"), (("x", 100, 0.1, 50), "numbers"),
        (([1, 2, 3], [100, 100], 0.1, 50), "do not fit"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            deflection.remaining(*change)


def test_with_and_without_are_two_sides_of_one_world():
    before = day()
    calls, aht = deflection.remaining(before["calls"], before["aht_s"], 0.07, 90)
    after = before.with_columns(calls=pl.Series(calls), aht_s=pl.Series(aht))
    one = deflection.value(SURE, before, GOAL, removed_aht_s=90, shrinkage=0.3)
    two = deflection.value(SURE, after, GOAL, removed_aht_s=90, shrinkage=0.3, demand_is="with")
    assert two.calls.value == pytest.approx(one.calls.value)
    assert two.scheduled_hours.value == pytest.approx(one.scheduled_hours.value)
    assert two.frame["agents_without"].to_list() == one.frame["agents_without"].to_list()


def test_agents_are_the_least_that_meet_the_goal():
    frame = deflection.value(SURE, day(), GOAL, removed_aht_s=90).frame
    aht = frame["load_with"] * 1800 / frame["calls_with"]
    queue = Queue(frame["calls_with"], 1800, aht)
    assert (queue.performance(frame["agents_with"].to_numpy()).service_level(GOAL) >= 0.8).all()
    fewer = np.maximum(frame["agents_with"].to_numpy() - 1, 1)
    assert (queue.performance(fewer).service_level(GOAL) < 0.8).all()


def test_where_no_seat_is_freed_better_service_is_the_value():
    told = deflection.value(0.01, demand_of(60), GOAL, removed_aht_s=90)
    assert told.seat_hours.value == 0
    before, after = told.service_levels
    assert after > before
    assert "no seat is freed" in told.summary()


def test_limits_hold_the_estimate_and_grow_with_doubt():
    narrow = deflection.value(SURE, day(), GOAL, removed_aht_s=90)
    wide = deflection.value(Estimate(0.07, 0.01, 0.13), day(), GOAL, removed_aht_s=90)
    for name in ("calls", "erlang_hours", "seat_hours"):
        one, other = getattr(narrow, name), getattr(wide, name)
        assert other.low <= one.low <= one.value <= one.high <= other.high
    assert narrow.calls.low == pytest.approx(0.05 * day()["calls"].sum(), rel=0.02)
    doubtful = deflection.value(Estimate(0.03, -0.02, 0.08), day(), GOAL, removed_aht_s=90)
    assert doubtful.checks[0].status == "fails"
    assert doubtful.calls.low < 0


def test_lines_are_freed_only_by_those_who_never_dial():
    assert deflection.value(SURE, day(), GOAL, removed_aht_s=90).line_erlang_hours is None
    web = deflection.value(SURE, day(), GOAL, removed_aht_s=90, line_s=150)
    assert web.line_erlang_hours.value == pytest.approx(web.calls.value * 150 / 3600)


def test_shifts_drop_whole_people():
    shifts = staffing.shifts("8h", every="4h")
    told = deflection.value(SURE, day(), GOAL, removed_aht_s=90, shrinkage=0.3, shifts=shifts)
    assert told.shift_hours.value % 8 == 0
    assert told.waterfall()["step"].to_list()[-1] == "paid hours that shifts drop"
    need = staffing.requirement(day(), GOAL, shrinkage=0.3)
    calls, aht = deflection.remaining(day()["calls"], day()["aht_s"], 0.07, 90)
    rest = day().with_columns(calls=pl.Series(calls), aht_s=pl.Series(aht))
    less = staffing.requirement(rest, GOAL, shrinkage=0.3)
    saved = staffing.cover(need, shifts).paid_hours - staffing.cover(less, shifts).paid_hours
    assert told.shift_hours.value == saved


def test_money_and_its_chance():
    given = {"removed_aht_s": 90, "shrinkage": 0.3, "cost_per_hour": 40}
    free = deflection.value(SURE, day(), GOAL, **given)
    assert free.money.saving.value == pytest.approx(40 * free.scheduled_hours.value)
    assert free.money.chance == 1
    even = 0.99 * free.money.saving.value  # hours come in steps
    fair = deflection.value(SURE, day(), GOAL, **given, channel_cost=even / 2,
                            cost_per_item=even / 2 / 1000, items=1000)  # fmt: skip
    assert fair.money.cost == pytest.approx(even)
    assert 0.25 < fair.money.chance < 0.75
    assert deflection.value(SURE, day(), GOAL, **given, channel_cost=10 * even).money.chance == 0
    assert "chance of" in fair.summary()


def test_the_same_seed_the_same_answer():
    one, two = (deflection.value(SURE, day(), GOAL, removed_aht_s=90) for _ in range(2))
    assert one.seat_hours == two.seat_hours


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"removed": "much"}, "removed"),
        ({"removed": Estimate(0.1, 0.2, 0.0)}, "removed"),
        ({"removed": 1.2}, "below 1"),
        ({"removed_aht_s": -5}, "take time"),
        ({"removed": 0.5, "removed_aht_s": 900}, "more time than all calls"),
        ({"demand_is": "unsure"}, "demand_is"),
        ({"cost_per_hour": -1}, "cost_per_hour"),
        ({"cost_per_hour": 1, "channel_cost": float("inf")}, "channel_cost"),
        ({"level": 2}, "level"),
        ({"line_s": -1}, "line_s"),
        ({"line_s": float("nan")}, "line_s"),
        ({"min_agents": 2.5}, "min_agents"),
        ({"items": -1}, "items"),
        ({"seed": "x"}, "seed"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_input(change, words):
    given = {"removed": 0.07, "removed_aht_s": 90, **change}
    with pytest.raises(InputError, match=words):
        deflection.value(given.pop("removed"), day(), GOAL, **given)


def test_a_share_given_without_limits_is_not_called_certain():
    told = deflection.value(0.07, day(), GOAL, removed_aht_s=90)
    assert "interval 7.0%" not in told.summary()
    assert told.summary().startswith("7.0% of calls removed are ")
    checks = {check.name: check.status for check in told.checks}
    assert checks["Certainty of the effect"] == "informs"
    sure = deflection.value(SURE, day(), GOAL, removed_aht_s=90)
    assert "7.0% (95% interval 5.0% to 9.0%)" in sure.summary()
    assert {c.name: c.status for c in sure.checks}["Certainty of the effect"] == "holds"
