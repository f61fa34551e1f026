"""How fast the Erlang family is, side by side with peers, as ratios in one run.

Peers that are not installed are skipped. Times are printed, never asserted; memory is asserted.
Run with ``pytest tests/benchmarks/test_queueing_speed.py``.
"""

import subprocess
import sys
import time

import numpy as np
import pytest

from ccanalytics.queueing import Queue, servers_for_blocking
from ccanalytics.servicelevel import ServiceLevel

GOAL = ServiceLevel(0.80, within=20)
AHT, INTERVAL = 300.0, 900.0


def year(whole=True):
    """Calls in the 35,040 quarter-hours of a year: mean 60, peak 226 erlangs, closed at night."""
    rng = np.random.default_rng(7)
    slot = np.arange(35_040)
    hour, day = slot % 96 / 4, slot // 96 % 7
    shape = np.exp(-(((hour - 11) / 3.2) ** 2)) + 0.85 * np.exp(-(((hour - 16) / 3.2) ** 2)) + 0.06
    shape[(hour < 6.5) | (hour >= 22.5)] = 0
    week = np.array([1.15, 1.05, 1.0, 1.0, 1.0, 0.6, 0.45])[day]
    load = shape * week * (1 + 0.12 * np.sin(2 * np.pi * slot / slot.size))
    load *= 210 / load.max()
    calls = load * INTERVAL / AHT
    return rng.poisson(calls).astype(float) if whole else calls * rng.uniform(0.97, 1.03, slot.size)


def best(function, rounds):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def peer_year(calls):
    """The best peer, interval by interval; the cap just below 1 keeps it from dividing by 0."""
    tools = pytest.importorskip("call_center_tools", reason="peer call-center-tools not installed")

    def run():
        return [
            tools.calc_staffing(c * 3600 / INTERVAL, AHT, max_occupancy=0.999999).agents
            if c > 0
            else 0
            for c in calls.tolist()
        ]

    return run


@pytest.mark.parametrize("whole", [True, False], ids=["whole calls", "all distinct"])
@pytest.mark.parametrize("patience", [None, 180.0], ids=["Erlang C", "Erlang A"])
def test_a_year_of_quarter_hours(benchmark, say, patience, whole):
    calls = year(whole)
    benchmark.group = "a year of quarter-hours, 80/20"
    found = benchmark.pedantic(
        lambda: Queue(calls, INTERVAL, AHT, patience).agents_for(GOAL), rounds=7, warmup_rounds=1
    )
    mine = benchmark.stats.stats.min if benchmark.stats else float("nan")
    load = calls * AHT / INTERVAL
    say(
        f"year, mean {load.mean():.0f}, peak {load.max():.0f} erlangs, "
        f"{(calls == 0).mean():.0%} closed: {1e3 * mine:.1f} ms"
    )
    peer = peer_year(calls)
    theirs = best(peer, 2)
    if patience is None:
        assert found.tolist() == peer()
    say(f"call-center-tools (plain Erlang C): {theirs:.2f} s, ratio {theirs / mine:.0f}")


def test_twenty_eight_queues_stay_under_a_gigabyte(say):
    """981,120 solves in a process of their own, whose largest size is read at the end."""
    code = """
import resource, sys, time
sys.path.insert(0, sys.argv[1])
import numpy as np
from test_queueing_speed import AHT, GOAL, INTERVAL, year
from ccanalytics.queueing import Queue
calls = year()[:, None] * np.linspace(0.2, 1.4, 28)
before = time.perf_counter()
for patience in (None, 180.0):
    agents = Queue(calls, INTERVAL, AHT, patience).agents_for(GOAL)
assert agents.shape == (35_040, 28)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, __file__.rpartition("/")[0]],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    peak, seconds = done.stdout.split()
    unit = 1 if sys.platform == "darwin" else 1024
    gigabytes = int(peak) * unit / 1e9
    say(f"2 × 981,120 solves (C and A): {float(seconds):.1f} s, {gigabytes:.2f} GB at most")
    assert gigabytes < 1


def test_trunks_for_a_large_load(benchmark, say):
    benchmark.group = "trunks for 9,800 erlangs at 1%"
    found = benchmark.pedantic(
        lambda: servers_for_blocking(9800, 0.01), rounds=20, iterations=5, warmup_rounds=1
    )
    mine = benchmark.stats.stats.min if benchmark.stats else float("nan")
    say(f"trunks for 9,800 erlangs at 1%: {found}, {1e3 * mine:.2f} ms")
    queuing = pytest.importorskip("pyworkforce.queuing", reason="peer pyworkforce not installed")
    if not hasattr(queuing, "ErlangB"):
        pytest.skip("this pyworkforce has no Erlang B (0.5.4 and newer do)")
    peer = queuing.ErlangB(transactions=9800, aht=1, interval=1)
    answers = []
    theirs = best(lambda: answers.append(peer.required_positions(0.01)), 1)
    say(f"pyworkforce: {answers[-1]}, {theirs:.2f} s, ratio {theirs / mine:,.0f}")


def test_cost_by_load(say):
    """A single solve from a few erlangs to many: its cost hardly grows."""
    costs = []
    for load in (10, 100, 1_000, 10_000, 100_000):
        for patience in (None, 180.0):
            queue = Queue(load * INTERVAL / AHT, INTERVAL, AHT, patience)
            seconds = best(lambda q=queue: q.agents_for(GOAL), 9)
            costs.append(f"{load:,} E {'C' if patience is None else 'A'} {1e3 * seconds:.2f}")
    say("ms a solve: " + ", ".join(costs))
