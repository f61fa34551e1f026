"""How fast the simulator is, side by side with peers on one model, as ratios in one run.

M/M/100 at 95 erlangs with patience twice the handle time, random draws included. Times are
printed, never asserted; memory is asserted. Run with
``pytest tests/benchmarks/test_simulation_speed.py``.
"""

import random
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest

from ccanalytics.simulation import simulate

AHT, AGENTS, PATIENCE = 300.0, 100, 600.0
RATE = 95 / AHT  # calls a second


def frame(calls, rate=RATE, **keys):
    from datetime import UTC, datetime

    return pl.DataFrame(
        {
            "interval_start": [datetime(2025, 3, 3, tzinfo=UTC)],
            "interval_s": [calls / rate],
            "calls": [float(calls)],
            "aht_s": [AHT],
            **{name: [value] for name, value in keys.items()},
        }
    )


def speed(function, calls, rounds=3):
    """Calls a second, the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return calls / best


def ours(calls):
    return simulate(frame(calls), AGENTS, patience=PATIENCE, replications=1)


def with_simpy(calls):
    """The lean form: a caller's clock runs only while nobody is free."""
    simpy = pytest.importorskip("simpy", reason="peer simpy not installed")
    chance = random.Random(1)
    env = simpy.Environment()
    desk = simpy.Resource(env, AGENTS)
    gone = 0

    def caller():
        nonlocal gone
        with desk.request() as turn:
            if not turn.triggered:
                yield turn | env.timeout(chance.expovariate(1 / PATIENCE))
                if not turn.triggered:
                    gone += 1
                    return
            yield env.timeout(chance.expovariate(1 / AHT))

    def arrivals():
        for _ in range(calls):
            yield env.timeout(chance.expovariate(RATE))
            env.process(caller())

    env.process(arrivals())
    env.run()
    return gone / calls


def with_ciw(calls):
    ciw = pytest.importorskip("ciw", reason="peer ciw not installed")
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(RATE)],
        service_distributions=[ciw.dists.Exponential(1 / AHT)],
        reneging_time_distributions=[ciw.dists.Exponential(1 / PATIENCE)],
        number_of_servers=[AGENTS],
    )
    ciw.seed(1)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(calls, method="Arrive")
    records = simulation.get_all_records()
    return sum(record.record_type == "renege" for record in records) / max(len(records), 1)


def test_one_pool_beside_peers(benchmark, say):
    benchmark.group = "M/M/100+M"
    count = 4_000_000
    ours(1000)  # compiled before the clock starts
    found = benchmark.pedantic(lambda: ours(count), rounds=3)
    mine = count / benchmark.stats.stats.min if benchmark.stats else float("nan")
    say(f"ours: {mine / 1e6:.1f} million calls a second, abandonment {found.abandonment.value:.4f}")
    assert found.abandonment.value == pytest.approx(0.015141, abs=5e-4)
    for name, peer, number in (("simpy", with_simpy, 60_000), ("ciw", with_ciw, 20_000)):
        theirs = speed(lambda p=peer, n=number: p(n), number, rounds=2)
        say(f"{name}: {theirs:,.0f} calls a second, ratio {mine / theirs:,.0f}")


def test_several_skills_with_priorities(benchmark, say):
    benchmark.group = "three types, four groups, priorities, head start"
    count = 1_000_000
    demand = pl.concat(
        [
            frame(count * share, rate=RATE * share, queue=name)
            for name, share in (("a", 0.4), ("b", 0.35), ("c", 0.25))
        ]
    )

    def run(demand):
        return simulate(
            demand,
            {"A": 40, "B": 33, "C": 20, "all": 8},
            skills={"A": ["a", "b"], "B": ["b"], "C": ["c"], "all": ["a", "b", "c"]},
            priority={"a": 0, "b": 1, "c": 1},
            head_start={"b": 30},
            patience=PATIENCE,
            replications=1,
        )

    run(demand.with_columns(pl.col("calls") / 1000, pl.col("interval_s") / 1000))
    benchmark.pedantic(lambda: run(demand), rounds=3)
    mine = count / benchmark.stats.stats.min if benchmark.stats else float("nan")
    say(f"several skills: {mine / 1e6:.2f} million calls a second")


def test_time_by_calls_and_by_agents(say):
    ours(1000)
    by_calls = [1e6 / speed(lambda c=c: ours(c), c) for c in (10**5, 10**6, 10**7)]
    say("µs a call for 100,000, 1 and 10 million calls: " + ", ".join(f"{t:.3f}" for t in by_calls))
    told = []
    for agents in (10, 100, 1_000, 10_000):
        rate = 0.95 * agents / AHT
        demand = frame(1_000_000, rate=rate)
        told.append(
            1e6
            / speed(
                lambda d=demand, n=agents: simulate(d, n, patience=PATIENCE, replications=1), 10**6
            )
        )
    say("µs a call with 10, 100, 1,000, 10,000 agents: " + ", ".join(f"{t:.3f}" for t in told))


def test_a_hundred_million_calls_stay_small(say):
    """Memory grows with intervals, not with calls: read at the end of a process of its own."""
    code = """
import resource, sys, time
sys.path.insert(0, sys.argv[1])
from test_simulation_speed import ours
ours(1000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
ours(100_000_000)
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter() - start)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, __file__.rpartition("/")[0]],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    before, peak, seconds = (float(each) for each in done.stdout.split())
    unit = 1 if sys.platform == "darwin" else 1024
    say(
        f"100 million calls: {seconds:.0f} s, {peak * unit / 1e9:.2f} GB at most, "
        f"{before * unit / 1e9:.2f} GB before"
    )
    assert (peak - before) * unit < 0.2e9
    assert np.isfinite(seconds)
