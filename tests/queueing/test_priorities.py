"""Tiers: Cobham's waits to the digits, service levels against simulation and conservation."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from ccanalytics import Queue, ServiceLevel, queueing
from ccanalytics.errors import DataError, InputError

GOAL = ServiceLevel(0.8, within=20)


def tiers(*calls, aht=180, per=1800):
    return queueing.PriorityQueue(list(calls), per, aht)


def test_published_waits():
    assert tiers(30, 70).performance(14).mean_wait == pytest.approx([2.84943, 9.97301], abs=6e-6)
    three = tiers(20, 30, 50).performance(14).mean_wait
    assert three == pytest.approx([2.61198, 4.06308, 12.18924], abs=6e-6)
    assert three @ [0.2, 0.3, 0.5] == pytest.approx(7.83594, abs=6e-6)


def test_cobham_in_exact_arithmetic():
    """W_k = C·(aht/n)/((1 − σ_{k−1})(1 − σ_k)), by fractions, to 1e-10 and better."""
    from fractions import Fraction
    from itertools import pairwise
    from math import factorial

    for calls, n in (([30, 70], 14), ([20, 30, 50], 14), ([1, 5, 90, 4], 11), ([7], 1)):
        load = [Fraction(c) * 180 / 1800 for c in calls]
        total = sum(load)
        top = total**n / factorial(n) * Fraction(n) / (n - total)
        c = top / (sum(total**k / factorial(k) for k in range(n)) + top)
        sums = [sum(load[:k]) / n for k in range(len(load) + 1)]
        exact = [float(c * 180 / n / ((1 - before) * (1 - own))) for before, own in pairwise(sums)]
        found = tiers(*calls).performance(n).mean_wait
        assert found == pytest.approx(exact, rel=1e-12)


def test_the_order_of_service_moves_no_work():
    """The call-weighted mean wait is that of one queue, whatever the tiers."""
    rng = np.random.default_rng(4)
    for _ in range(50):
        calls = rng.uniform(1, 60, rng.integers(1, 6))
        n = int(np.ceil(calls.sum() / 10)) + int(rng.integers(1, 6))
        found = tiers(*calls).performance(n)
        one = Queue(calls.sum(), 1800, 180).performance(n)
        assert found.mean_wait @ calls / calls.sum() == pytest.approx(one.mean_wait, rel=1e-10)
        assert (np.diff(found.mean_wait) > 0).all()
        assert found.wait_probability == pytest.approx(one.wait_probability)


def test_the_law_of_the_wait_has_its_mean_and_starts_at_the_chance_to_wait():
    found = tiers(20, 30, 50).performance(14)
    assert found.within(0) == pytest.approx(1 - found.wait_probability)
    seconds = np.linspace(0, 1500, 15_001)
    tail = 1 - np.array([found.within(t) for t in seconds])
    assert np.trapezoid(tail, seconds, axis=0) == pytest.approx(found.mean_wait, rel=1e-4)
    assert (np.diff(tail, axis=0) < 1e-9).all()
    # The highest tier waits as if it were alone once everybody is busy: an exponential.
    top = found.wait_probability * np.exp(-(1 - 2 / 14) * 14 / 180 * seconds)
    assert tail[:, 0] == pytest.approx(top, abs=1e-9)


def test_service_levels_lie_inside_simulated_limits():
    from ccanalytics.simulation import simulate

    frame = pl.concat(
        pl.DataFrame(
            {
                "interval_start": [datetime(2025, 3, 3, tzinfo=UTC)],
                "interval_s": [1800.0 * 300],
                "calls": [calls * 300.0],
                "aht_s": [180.0],
                "tier": [name],
            }
        )
        for name, calls in (("1", 20), ("2", 30), ("3", 50))
    )
    run = simulate(
        frame, 12, goals=GOAL, priority={"1": 0, "2": 1, "3": 2}, warmup_s=7200,
        replications=30, level=0.999, seed=11,
    )  # fmt: skip
    formula = tiers(20, 30, 50).performance(12)
    rows = run.types.sort("tier")
    for name, told in (("service_level", formula.service_level(GOAL)),
                       ("asa_s", formula.mean_wait)):  # fmt: skip
        low, high = (rows[f"{name}_{end}"].cast(float).to_numpy() for end in ("low", "high"))
        assert (low <= told).all(), (name, told)
        assert (told <= high).all(), (name, told)


def test_overload_falls_on_the_lowest_tiers():
    found = tiers(60, 60).performance(11)  # 6 and 6 erlangs
    assert found.mean_wait[0] == pytest.approx(180 / 11 / (1 - 6 / 11))
    assert found.mean_wait[1] == np.inf
    assert found.within(20)[1] == 0
    assert "without end" in found.summary()
    assert found.occupancy == 1


def test_least_agents_are_proved():
    goals = [ServiceLevel(0.95, 10), ServiceLevel(0.8, 20)]
    queue = tiers(30, 70)
    n = queue.agents_for(goals)
    enough, fewer = queue.performance(n), queue.performance(n - 1)
    assert enough.within(10)[0] >= 0.95
    assert enough.within(20)[1] >= 0.8
    assert fewer.within(10)[0] < 0.95 or fewer.within(20)[1] < 0.8
    assert tiers(100).agents_for(GOAL) == Queue(100, 1800, 180).agents_for(GOAL) == 14
    assert queue.agents_for([ServiceLevel(0.95, 10), None]) <= n
    assert tiers(0, 0).agents_for(GOAL) == 1


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (tiers, "one number per tier"),
        (lambda: tiers(-1, 3), "calls"),
        (lambda: queueing.PriorityQueue([1], 1800, [1, 2]), "one number for all tiers"),
        (lambda: tiers(1).performance(1.5), "agents"),
        (lambda: tiers(1).performance([1, 2]), "one number of agents"),
        (lambda: tiers(1, 2).agents_for([GOAL]), "one goal for all tiers"),
        (lambda: tiers(1).performance(3).service_level(0.8), "ServiceLevel"),
    ],
)
def test_bad_input(call, told):
    with pytest.raises(InputError, match=told):
        call()


def test_a_goal_nobody_reaches():
    with pytest.raises(DataError, match="no number of agents"):
        tiers(10**9, aht=1e6).agents_for(ServiceLevel(0.999, 0))
