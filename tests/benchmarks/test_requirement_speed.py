"""How fast a requirement is: a week of quarter-hours of 20 queues, by every method but simulation.

Times are of the processor, printed and never asserted; beside them stand ratios to the best peer
asked interval by interval in the same run, where it is installed.
Run with ``pytest tests/benchmarks/test_requirement_speed.py``.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, staffing
from ccanalytics.statistics import PatienceCurve

GOAL = ServiceLevel(0.80, within=20)
QUEUES, WEEK = 20, 672
AHT = 300.0
# A share of a tenth leaves in the first seconds, then ever fewer: as logs show it, and no Weibull.
KNOTS = np.array([5, 10, 20, 40, 60, 90, 120, 180, 240, 300, 420, 600, 900], float)
OWN = PatienceCurve(KNOTS, (KNOTS / 300) ** 0.6, 1 / 400)


@cache
def week(queues=QUEUES):
    """Loads of 2 to 40 erlangs at the peak, with a noon dip, quiet nights and shorter weekends."""
    rng = np.random.default_rng(11)
    start = [datetime(2025, 3, 3, tzinfo=UTC) + timedelta(minutes=15 * i) for i in range(WEEK)]
    hour = np.arange(WEEK) % 96 / 4
    shape = np.exp(-(((hour - 10.5) / 2.6) ** 2)) + 0.9 * np.exp(-(((hour - 16) / 3.0) ** 2)) + 0.04
    shape *= np.array([1.15, 1.05, 1, 1, 1, 0.6, 0.45])[np.arange(WEEK) // 96]
    shape /= shape.max()
    peaks = np.geomspace(2, 40, queues)
    return pl.concat(
        pl.DataFrame(
            {
                "interval_start": start,
                "interval_s": 900,
                "queue": f"q{number:02d}",
                "calls": peak * shape * 900 / AHT * rng.uniform(0.9, 1.1, WEEK),
                "aht_s": AHT * rng.uniform(0.9, 1.1, WEEK),
            }
        )
        for number, peak in enumerate(peaks)
    )


def used(function, rounds=2):
    """Least processor seconds, of all threads."""
    spent = []
    for _ in range(rounds):
        before = time.process_time()
        function()
        spent.append(time.process_time() - before)
    return min(spent)


@cache
def peer():
    """Seconds of call-center-tools, plain Erlang C, interval by interval; None without it."""
    try:
        import call_center_tools as tools
    except ImportError:
        return None
    rows = week().select("calls", "aht_s").rows()
    return used(
        lambda: [
            tools.calc_staffing(calls * 4, aht, max_occupancy=0.999999).agents
            for calls, aht in rows
        ],
        rounds=1,
    )


@pytest.mark.parametrize("patience", [None, 180.0], ids=["Erlang C", "Erlang A"])
@pytest.mark.parametrize("method", ["stationary", "lagged", "modified", "iterative"])
def test_a_week_of_twenty_queues(say, method, patience):
    demand = week()
    found = staffing.requirement(demand, GOAL, method, patience=patience)
    assert found.frame.height == QUEUES * WEEK
    seconds = used(lambda: staffing.requirement(demand, GOAL, method, patience=patience))
    words = f"{method:10s} {'Erlang C' if patience is None else 'Erlang A'}: {seconds:5.2f} s"
    theirs = peer()
    say(words + ("" if theirs is None else f", call-center-tools × {theirs / seconds:.1f}"))


@pytest.mark.parametrize("method", ["stationary", "modified"])
def test_a_week_of_one_queue_with_a_patience_of_its_own(say, method):
    """M/M/n+G integrates the law anew for every interval: a queue at a time."""
    demand = week(1)
    seconds = used(lambda: staffing.requirement(demand, GOAL, method, patience=OWN), rounds=1)
    say(f"{method:10s} own law, one queue: {seconds:5.2f} s, {1e3 * seconds / WEEK:.1f} ms each")
