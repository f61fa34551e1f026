"""Loss formulas against events: few callers (Engset), and groups that overflow to a common one.

The joint table of lines, menu and agents is held against the simulator in
``tests/simulation/test_agreement.py``; the simulator has endless callers, so that few callers are
simulated here.
"""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from ccanalytics import simulation, staffing
from ccanalytics.queueing import engset, erlang_b, overflow, overflow_blocking


def few_callers(sources, load, servers, attempts, seed):
    """Share of attempts that find all servers busy: sources that think, call, and think again.

    Thinking 1/load and talking 1 on average, both exponential; the jump chain of busy servers.
    """
    rng = np.random.default_rng(seed)
    draws = rng.random(4 * attempts)
    busy = made = lost = 0
    for u in draws:
        come = (sources - busy) * load
        if u * (come + busy) >= come:
            busy -= 1
            continue
        made += 1
        if busy == servers:
            lost += 1
        else:
            busy += 1
        if made == attempts:
            break
    return lost / made


@pytest.mark.parametrize(
    ("sources", "load", "servers", "worked"), [(10, 0.3, 5, 0.0290637), (100, 0.1, 15, 0.0174830)]
)
def test_few_callers(sources, load, servers, worked):
    runs = np.array([few_callers(sources, load, servers, 20_000, seed) for seed in range(12)])
    half = 3.5 * runs.std(ddof=1) / np.sqrt(runs.size)
    assert engset(sources, load, servers) == pytest.approx(worked, abs=6e-8)
    assert abs(runs.mean() - worked) < half
    # Random calls of the same load would lose so many more that the runs tell them apart.
    assert erlang_b(sources * load / (1 + load), servers) - runs.mean() > half


def simulated(groups, common):
    """Loss per group where calls look in their own group of lines, then in the common one.

    Lines are agents who take a call at once or never: nobody waits longer than a microsecond.
    """
    demand = pl.concat(
        [
            pl.DataFrame(
                {
                    "interval_start": [datetime(2025, 3, 3, tzinfo=UTC)],
                    "interval_s": [400_000.0],
                    "calls": [load * 400_000 / 100],
                    "aht_s": [100.0],
                    "queue": [name],
                }
            )
            for name, (load, _) in groups.items()
        ]
    )
    return simulation.simulate(
        demand,
        {**{f"lines {name}": lines for name, (_, lines) in groups.items()}, "common": common},
        skills={**{f"lines {name}": [name] for name in groups}, "common": list(groups)},
        routing={name: [f"lines {name}", "common"] for name in groups},
        patience=1e-6,
        warmup_s=2000.0,
        replications=8,
        seed=7,
    )


@pytest.mark.parametrize(
    ("load", "lines", "common", "worked"), [(10, 10, 4, 0.26479), (20, 20, 12, 0.02127)]
)
def test_overflow_of_one_group(load, lines, common, worked):
    found = simulated({"a": (load, lines)}, common).abandonment
    turned = overflow(load, lines)
    lost = (
        turned.mean
        / load
        * overflow_blocking(turned.mean, turned.peakedness, common, method="wilkinson")
    )
    assert lost * load / turned.mean == pytest.approx(worked, abs=6e-6)
    assert found.low < lost < found.high
    hayward = overflow_blocking(turned.mean, turned.peakedness, common)
    # Hayward's formula errs by what METHODS 2.1 says: .22020 and .01196.
    assert not found.low < turned.mean / load * hayward < found.high


def test_overflow_of_two_groups_to_a_common_one():
    """The exact chain says .22462 of what overflows; the plan's moments say .22790."""
    groups = {"a": (10.0, 10), "b": (6.0, 8)}
    plan = staffing.overflow_plan(groups, common=5)
    found = simulated(groups, 5).abandonment
    assert found.low < 2.87708 / 16 * 0.22462 < found.high
    assert plan.blocking == pytest.approx(2.87708 / 16 * 0.22790, rel=1e-4)
    assert plan.blocking == pytest.approx(found.value, rel=0.05)
