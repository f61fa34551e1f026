"""How fast sites are put together: 250 sites × a year of half-hours, three ways; merges; clients.

Times are of the processor, printed and never asserted. The bound of three ways is 10 seconds.
Run with ``pytest tests/benchmarks/test_sites_speed.py``.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, staffing
from ccanalytics.staffing import Contract

GOAL = ServiceLevel(0.80, within=20)
SITES, YEAR = 250, 365 * 48


@cache
def year(sites=SITES, intervals=YEAR, key="site"):
    """Sites of unlike size, whose half-hours follow day and week; calls are whole numbers."""
    rng = np.random.default_rng(5)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    at = pl.Series([start + timedelta(minutes=30 * k) for k in range(intervals)])
    hour = np.arange(intervals) % 48 / 2
    shape = np.exp(-(((hour - 10.5) / 3) ** 2)) + 0.8 * np.exp(-(((hour - 16) / 3) ** 2)) + 0.02
    shape *= np.where(np.arange(intervals) // 48 % 7 < 5, 1.0, 0.5)
    size = rng.lognormal(3.5, 0.8, sites)
    calls = rng.poisson(size[:, None] * shape)
    return pl.DataFrame(
        {
            "interval_start": pl.concat([at] * sites),
            "interval_s": 1800.0,
            "calls": calls.reshape(-1).astype(float),
            "aht_s": 180.0,
            key: np.repeat([f"{key} {k:03}" for k in range(sites)], intervals),
        }
    )


def used(function):
    """Processor seconds, of all threads, and what came of it."""
    before = time.process_time()
    found = function()
    return time.process_time() - before, found


def test_a_year_of_half_hours_of_250_sites_three_ways(say):
    demand = year()
    province = {f"site {k:03}": f"province {k % 31:02}" for k in range(SITES)}
    ways = {"250 sites": "separate", "31 provinces": province, "one": "pooled"}
    staffing.site_plans(year(3, 48), GOAL)  # imports are not what is measured
    for times in (1, 2):
        seconds, found = used(lambda: staffing.site_plans(demand, GOAL, ways))
        rows = found.frame.select("arrangement", "seats", "agent_hours").rows()
        say(f"three ways, {demand.height:,} rows, run {times}: {seconds:.1f} s (bound: 10 s)")
    assert [row[0] for row in rows] == list(ways)
    assert rows[0][2] > rows[1][2] > rows[2][2]


@pytest.mark.parametrize("tried", [30, 100])
def test_the_order_of_250_merges(say, tried):
    demand = year(SITES, 48)
    seconds, found = used(lambda: staffing.merge_order(demand, GOAL, tried=tried))
    assert found.frame.height == SITES
    saved = found.frame["saved"][SITES // 2]
    say(f"250 merges of a day, {tried} tried at each step: {seconds:.1f} s; "
        f"half way {saved:,.0f} agent-hours saved")  # fmt: skip


@pytest.mark.parametrize("clients", [3, 5])
def test_the_best_staff_of_clients(say, clients):
    demand = year(clients, 48, "client")
    names = sorted(demand["client"].unique())
    terms = [Contract(client=name, goal=GOAL, price_per_call=3.0, penalty_share=0.1)
             for name in names]  # fmt: skip
    seconds, found = used(lambda: staffing.client_plans(demand, terms, cost_per_hour=20.0))
    assert found.best["profit"] >= found.frame["profit"].to_numpy().max()
    say(f"{clients} clients, a day of half-hours, every way to share: {seconds:.1f} s")
