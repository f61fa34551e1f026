"""The transient solution and the simulation of one day, interval by interval.

Limits at 99.99% for some two hundred comparisons at fixed seeds.
"""

import os

import numpy as np
import pytest

from ccanalytics import ServiceLevel
from ccanalytics.queueing import transient
from ccanalytics.simulation import simulate

REPLICATIONS = 8000 if os.environ.get("CCANALYTICS_FULL") == "1" else 800
CALLS = [20, 60, 140, 150, 90, 60, 20, 0]
GOAL = ServiceLevel(0.8, within=20)


@pytest.mark.parametrize(
    ("agents", "patience", "lines"),
    [
        ([4, 9, 16, 18, 18, 18, 18, 18], 150, None),
        ([4, 9, 16, 18, 18, 18, 18, 18], None, None),
        ([5, 9, 18, 16, 10, 8, 4, 2], 150, None),
        ([5, 9, 18, 16, 12, 9, 5, 5], 150, 26),
        ([6, 8, 18, 19, 13, 10, 6, 4], None, None),
    ],
    ids=["staff rises", "endless patience", "staff falls", "finite lines", "falls, endless"],
)
def test_a_day_interval_by_interval(demand, agents, patience, lines):
    exact = transient(CALLS, 1800, 200, agents, patience=patience, lines=lines)
    found = simulate(
        demand(CALLS, 200),
        agents,
        patience=patience,
        lines=lines,
        goals=GOAL,
        when_staff_falls="rejoin",
        replications=REPLICATIONS,
        level=0.9999,
        seed=2,
    ).intervals
    pairs = {
        "queue_length": exact.queue_length,
        "wait_probability": exact.wait_probability,
        "blocking": exact.blocking,
        "service_level": exact.service_level(GOAL),
    }
    if patience is not None and all(np.diff(agents) >= 0):
        pairs["abandonment"] = exact.abandonment
    for name, given in pairs.items():
        low, high = found[f"{name}_low"].to_numpy(), found[f"{name}_high"].to_numpy()
        values = np.broadcast_to(given, low.shape)
        known = np.isfinite(low) & np.isfinite(values) & (np.asarray(CALLS) > 0)
        rare = 1e-5  # queues too rare to be seen in so many replications
        wrong = known & ~((low - rare <= values) & (values <= high + rare))
        assert not wrong.any(), (
            name,
            np.flatnonzero(wrong),
            low[wrong],
            values[wrong],
            high[wrong],
        )
        assert known.sum() >= 7
