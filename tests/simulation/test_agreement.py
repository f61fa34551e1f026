"""Formulas and simulation of one model, each within the other's confidence limits.

Limits are at 99.9%, so that some forty comparisons at fixed seeds agree by no accident and fail
when a formula or the event loop is wrong by more than chance. CCANALYTICS_FULL=1 simulates ten
times as long.
"""

import os

import numpy as np
import pytest
import scipy.stats as st

from ccanalytics import Queue, ServiceLevel
from ccanalytics.simulation import Menu, Retry, simulate

FULL = os.environ.get("CCANALYTICS_FULL") == "1"
COUNTINGS = (
    "offered",
    "answered",
    "abandoned_in_time",
    "late_abandoned",
    "short_as_served",
    "short_excluded",
    "virtual",
)
GOALS = [ServiceLevel(0.8, 20, counting=name, short=5) for name in COUNTINGS]
BLOCKED = ServiceLevel(0.8, 20, include_blocked=True)


def inside(estimate, value, digits=0.0):
    assert estimate.low - digits <= value <= estimate.high + digits, (estimate, value)


def long_run(demand, calls, per, aht, agents, replications=20, hours=40, **how):
    """A steady state: many hours at one rate after a warm-up of two."""
    hours = hours * (10 if FULL else 1)
    frame = demand(calls * 3600 * hours / per, aht, interval_s=3600 * hours)
    return simulate(
        frame,
        agents,
        warmup_s=7200,
        replications=replications,
        level=0.999,
        **{"goals": GOALS, **how},
    )


@pytest.mark.parametrize(
    ("agents", "patience", "lines"),
    [
        (83, 180, None),
        (84, 180, None),
        (70, 180, None),
        (91, None, None),
        (84, 60, 100),
        (84, None, 95),
        (84, None, 84),
        (84, 180, 84),
    ],
)
def test_erlang_family(demand, agents, patience, lines):
    """1,000 calls an hour of 300 s: Erlang A, C, B and what lies between; seven countings."""
    found = long_run(demand, 1000, 3600, 300, agents, patience=patience, lines=lines)
    exact = Queue(1000, 3600, 300, patience=patience, lines=lines).performance(agents)
    for goal in GOALS:
        inside(found.service_level(goal), exact.service_level(goal))
    inside(found.abandonment, exact.abandonment)
    inside(found.blocking, exact.blocking)
    inside(found.wait_probability, exact.wait_probability)
    inside(found.asa, exact.asa)
    inside(found.mean_wait, exact.mean_wait)
    inside(found.occupancy, exact.occupancy)
    inside(found.queue_length, exact.queue_length)


def test_published_queue_with_abandonment(demand):
    """M/M/100 at 95 erlangs, patience twice the handle time: P(abandon) is 0.01514."""
    found = long_run(demand, 1140, 3600, 300, 100, patience=600, goals=ServiceLevel(0.8, 20))
    inside(found.abandonment, 0.015141)
    inside(found.service_level(), 0.8119)


@pytest.mark.parametrize(
    "law",
    [
        st.uniform(0, 240),
        st.gamma(2, scale=60),
        st.lognorm(s=1.0, scale=120 / np.exp(0.5)),
        st.weibull_min(0.6, scale=80),
        st.uniform(120, 1e-6),
    ],
    ids=["uniform", "Erlang-2", "lognormal", "Weibull", "fixed"],
)
def test_patience_of_any_law(demand, law):
    """M/M/n+G: 48 calls a minute of one minute on 50 agents."""
    found = long_run(demand, 48, 60, 60, 50, patience=law, hours=20)
    exact = Queue(48, 60, 60, patience=law).performance(50)
    inside(found.abandonment, exact.abandonment)
    inside(found.mean_wait, exact.mean_wait)
    inside(found.service_level(GOALS[-1]), exact.service_level(GOALS[-1]))
    inside(found.service_level(GOALS[0]), exact.service_level(GOALS[0]))


def test_patience_of_a_mixture_given_as_a_sample(demand):
    """The published mixture (METHODS: half mean .5, half 3.5 minutes) drawn from its own sample."""
    rng = np.random.default_rng(3)
    sample = np.where(
        rng.random(400_000) < 0.5, rng.exponential(30, 400_000), rng.exponential(210, 400_000)
    )
    found = long_run(demand, 48, 60, 60, 50, patience=sample, hours=20)
    inside(found.abandonment, 0.040516, digits=2e-4)
    inside(found.mean_wait, 2.24, digits=0.02)


def test_redials_come_as_the_fixed_point_says(demand):
    """Erlang X, λ = 60, half of those who abandon call again: λ* = 70.0, P(abandon) .28572.

    The formula takes redials for new Poisson arrivals; long delays make them so.
    """
    found = long_run(
        demand,
        60,
        60,
        60,
        50,
        patience=120,
        redial=Retry(0.5, after=7200),
        hours=120,
        replications=12,
        goals=(),
    )
    # Before the delay's memory is full fewer call again: the first tenth is not counted.
    late = long_run_after(found)
    assert late == pytest.approx(70.0004, rel=0.01)
    assert found.abandonment.value == pytest.approx(0.28572, abs=0.006)


def long_run_after(found):
    """Attempts a minute."""
    return found.overall["arrived"][0] / found.intervals["interval_s"].sum() * 60


def test_reconnects_and_blocked_redials(demand):
    queue = Queue(100, 1800, 180, lines=16, redial_blocked=0.6, reconnect=0.15)
    exact = queue.performance(12)
    found = long_run(
        demand,
        100,
        1800,
        180,
        12,
        lines=16,
        redial_blocked=Retry(0.6, after=3600),
        reconnect=Retry(0.15, after=3600),
        hours=400,
        goals=(),
    )
    assert found.blocking.value == pytest.approx(exact.blocking, rel=0.03)
    assert found.occupancy.value == pytest.approx(exact.occupancy, rel=0.01)


@pytest.mark.parametrize(
    ("lines", "blocked", "waits", "mean_minutes", "above", "utilisation"),
    [
        (30, 0.15357, 0.09003, 0.02257, 0.02446, 0.80795),
        (35, 0.08364, 0.31949, 0.13139, 0.15492, 0.87471),
        (50, 0.02239, 0.64742, 0.73831, 0.52636, 0.93317),
        (64, 0.00953, 0.71592, 1.23796, 0.61838, 0.94545),
    ],
)
def test_lines_menu_and_agents(demand, lines, blocked, waits, mean_minutes, above, utilisation):
    """Srinivasan, Talim & Wang 2004: 10 calls a minute, menu 1 min, 70% go on, 3 min, 22 agents."""
    goal = ServiceLevel(0.8, 20)
    found = long_run(
        demand,
        10,
        60,
        180,
        22,
        lines=lines,
        menu=Menu(60, leaves=0.3),
        hours=150,
        goals=goal,
        replications=16,
    )
    inside(found.blocking, blocked)
    inside(found.wait_probability, waits)
    inside(found.mean_wait, mean_minutes * 60)
    inside(found.service_level(), 1 - above)
    inside(found.occupancy, utilisation)


def test_cobham_priorities(demand):
    """Non-preemptive, 14 agents, 10 erlangs: .2/.3/.5 of the calls wait 2.61, 4.06, 12.19 s."""
    import polars as pl

    frame = pl.concat(
        [
            demand(100 * share * 400, 180, interval_s=1800 * 400, tier=name)
            for name, share in (("gold", 0.2), ("silver", 0.3), ("standard", 0.5))
        ]
    )
    found = simulate(
        frame,
        14,
        priority={"gold": 0, "silver": 1, "standard": 2},
        warmup_s=7200,
        replications=30 if not FULL else 300,
        level=0.999,
    )
    rows = {row["tier"]: row for row in found.types.to_dicts()}
    for tier, wait in (("gold", 2.61198), ("silver", 4.06308), ("standard", 12.18924)):
        assert rows[tier]["asa_s_low"] <= wait <= rows[tier]["asa_s_high"], rows[tier]["asa_s"]
    inside(found.asa, 7.83593701)


def test_uncertain_rates_are_call_weighted(demand):
    """Whole days busier or quieter by one gamma factor: METHODS 2.10, CV .2, n = 14: .8891."""
    from ccanalytics.simulation import MixedPoisson

    goal = ServiceLevel(0.8, 20)
    for cv, level in ((0.1, 0.9214), (0.2, 0.8891)):
        found = simulate(
            demand(1600, 180, interval_s=1800 * 16),
            14,
            patience=120,
            arrivals=MixedPoisson(cv=cv),
            goals=goal,
            warmup_s=1800,
            replications=1500 * (4 if FULL else 1),
            level=0.999,
        )
        inside(found.service_level(), level)


def test_two_clearly_separate_pools_are_two_queues(demand):
    import polars as pl

    frame = pl.concat(
        [
            demand(1000 * 40, 300, interval_s=3600 * 40, queue="a"),
            demand(400 * 40, 180, interval_s=3600 * 40, queue="b"),
        ]
    )
    found = simulate(
        frame,
        {"A": 84, "B": 22},
        skills={"A": ["a"], "B": ["b"]},
        patience={"a": 180, "b": 90},
        warmup_s=7200,
        replications=20,
        level=0.999,
    )
    rows = {row["queue"]: row for row in found.types.to_dicts()}
    for name, queue, agents in (
        ("a", Queue(1000, 3600, 300, patience=180), 84),
        ("b", Queue(400, 3600, 180, patience=90), 22),
    ):
        exact = queue.performance(agents)
        for measure, value in (("abandonment", exact.abandonment), ("asa_s", exact.asa)):
            assert rows[name][f"{measure}_low"] <= value <= rows[name][f"{measure}_high"]
