"""The plan simulated: it holds where the model is true, and fails where it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, staffing
from ccanalytics.errors import InputError
from ccanalytics.simulation import MixedPoisson

GOAL = ServiceLevel(0.80, within=20)


def demand(calls, starts=None, per=1800.0, aht=180.0, **more):
    calls = np.asarray(calls, float)
    start = datetime(2025, 3, 3, 8, tzinfo=UTC)
    starts = [per * i for i in range(calls.size)] if starts is None else starts
    return pl.DataFrame(
        {
            "interval_start": [start + timedelta(seconds=s) for s in starts],
            "interval_s": per,
            "calls": calls,
            "aht_s": aht,
            **more,
        }
    )


@pytest.fixture(scope="module")
def need():
    return staffing.requirement(demand([60, 80, 110, 90, 100, 70]), GOAL, "iterative", patience=120)


def test_a_plan_in_motion_is_what_the_simulation_finds(need):
    proof = staffing.prove(need, replications=300, seed=3)
    assert proof.simulated.low < proof.planned < proof.simulated.high
    assert proof.failing.filter("missed").height == 0
    assert proof.summary().startswith("The plan holds")
    frame = proof.frame
    assert (frame["simulated_service_level_low"] <= frame["simulated_service_level"]).all()
    again = staffing.prove(need, replications=300, seed=3)
    assert again.frame.equals(frame)


def test_a_plan_too_small_fails_and_is_named(need):
    thin = staffing.requirement(
        demand([60, 80, 110, 90, 100, 70]), ServiceLevel(0.55, within=20), patience=120
    )
    from dataclasses import replace

    # Agents for 55% that promise 80%.
    weak = replace(need, frame=need.frame.with_columns(thin.frame["required_agents"]))
    proof = staffing.prove(weak, replications=100)
    missed = proof.frame.filter("missed")
    assert missed.height >= 4
    assert proof.frame.filter("differs").height >= 4
    assert proof.summary().startswith(f"The plan fails in {missed.height} of 6 intervals")
    assert weak.when(missed.row(0, named=True))[:8] in proof.summary()
    assert (missed["simulated_service_level_high"] < 0.8).all()


def test_handle_times_of_the_log_are_taken_and_kept_to_the_mean(need):
    import scipy.stats as st

    counts = pl.DataFrame({"seconds": [60, 180, 600], "calls": [50, 30, 20]})
    for law in (counts, counts.to_pandas(), st.lognorm(s=0.9)):
        proof = staffing.prove(need, handle_time=law, replications=60)
        # The mean of each interval is the plan's, so the day is nearly as planned.
        assert abs(proof.simulated.value - proof.planned) < 0.06
    assert "sample" in staffing.prove(need, handle_time=counts, replications=5).summary()


def test_each_key_is_proven_by_itself_with_its_own_handle_times():
    both = pl.concat([demand([90, 90], queue=["a", "a"]), demand([40, 40], queue=["b", "b"])])
    need = staffing.requirement(both, GOAL, patience=120)
    counts = pl.DataFrame({"queue": ["a", "b"], "seconds": [180, 180], "calls": [5, 5]})
    proof = staffing.prove(need, handle_time=counts, replications=40)
    assert proof.frame["queue"].to_list() == ["a", "a", "b", "b"]
    assert proof.frame["simulated_service_level"].null_count() == 0
    alone = staffing.prove(
        staffing.requirement(demand([90, 90]), GOAL, patience=120),
        handle_time=pl.DataFrame({"seconds": [180], "calls": [1]}),
        replications=40,
    )
    assert proof.frame["simulated_service_level"][0] == pytest.approx(
        alone.frame["simulated_service_level"][0], abs=1e-12
    )
    with pytest.raises(InputError, match="queue='b'"):
        staffing.prove(need, handle_time=counts.filter(pl.col("queue") == "a"), replications=5)


def test_gaps_make_stretches_and_overlaps_are_refused():
    gapped = staffing.requirement(demand([90, 90, 90], [0, 1800, 7200]), GOAL)
    proof = staffing.prove(gapped, replications=20)
    assert "2 stretches" in next(c.detail for c in proof.checks if c.name == "Gaps")
    assert proof.frame["simulated_service_level"].null_count() == 0
    twice = staffing.requirement(demand([90, 90, 90], [0, 1800, 2700]), GOAL)
    with pytest.raises(InputError, match=r"08:45 UTC, 900 s too early.*give each moment"):
        staffing.prove(twice, replications=20)


def test_rows_out_of_order_are_proven_in_order(need):
    mixed = staffing.requirement(
        demand([60, 80, 110, 90, 100, 70]).sample(fraction=1, shuffle=True, seed=1),
        GOAL, "iterative", patience=120,
    )  # fmt: skip
    one, other = (staffing.prove(each, replications=10).frame for each in (need, mixed))
    assert one.equals(other)


def test_intervals_without_calls_have_no_verdict():
    proof = staffing.prove(
        staffing.requirement(demand([0, 90, 0, 90]), GOAL, patience=120), replications=20
    )
    levels = proof.frame["simulated_service_level"]
    assert [level is None for level in levels] == [True, False, True, False]
    assert proof.table().height == 2


def test_an_uncertain_volume_is_simulated_as_uncertain():
    plan = staffing.requirement(demand([100] * 4), GOAL, patience=120, cv=0.2)
    proof = staffing.prove(plan, replications=400, seed=2)
    # METHODS 2.10: 13 agents serve 83.94% when the rate has a cv of 0.2, and 88.86% when known.
    assert plan.frame["required_agents"].to_list() == [13] * 4
    assert proof.simulated.low < 0.8394 < proof.simulated.high
    known = staffing.prove(plan, arrivals=MixedPoisson(cv=0.0), replications=400, seed=2)
    assert known.simulated.low < 0.8886 < known.simulated.high


def test_a_goal_over_the_day_is_judged_by_the_day():
    plan = staffing.requirement(demand([20, 100, 60, 100]), GOAL, patience=120, over="day")
    proof = staffing.prove(plan, replications=100)
    assert proof.summary().startswith("The day as a whole meets the goal")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"replications": 1}, "two replications"),
        ({"tolerance": 5}, "write 5% as 0.05"),
        ({"patience": "long"}, "as planned"),
        ({"handle_time": 200}, "aht_s"),
        ({"handle_time": pl.DataFrame({"seconds": [], "calls": []})}, "handle times"),
    ],
)
def test_what_a_proof_refuses(need, settings, words):
    with pytest.raises(InputError, match=words):
        staffing.prove(need, **settings)


def test_a_warning_names_the_first_gap_and_the_first_overlap():
    for starts, words in (
        ([0, 1800, 7200], "the first ends at 2025-03-03 10:00 UTC"),
        ([0, 1800, 2700], "the first at 2025-03-03 08:45 UTC; give each moment"),
    ):
        found = staffing.requirement(demand([9, 9, 9], starts), GOAL)
        assert words in next(c.detail for c in found.checks if c.name == "Gaps and overlaps")
