"""From single calls to the effect: sample centres loaded as a user would, held against their truth.

Truth is what the world itself expects: first requests that reach agents with SMS-assist before the
call and without it, everything else at work. The ordinary run takes the small centre of this
folder; ``CCANALYTICS_FULL=1`` writes and loads forty, each of a seed of its own, and prints a table
(``-s``).
"""

import datetime as dt
import json
import os

import numpy as np
import polars as pl
import pytest

from ccanalytics import CallLog, deflection
from ccanalytics.simulation import write_centre

FULL = os.environ.get("CCANALYTICS_FULL") == "1"
WORLDS = 40
TREATMENT, CAUSE = "sms_assist_before", "sms_before_call"


def expected_effect(truth, effect, live_on):
    """What the world expects of the very cells of which the estimate is made."""
    told = truth["service_weeks"]
    weeks = {dt.date.fromisoformat(day): j for j, day in enumerate(told["weeks"])}
    rows = {service: i for i, service in enumerate(told["services"])}
    used = [(week, weeks[week]) for week in effect.weeks["week"]]
    here, there = (
        np.array(truth["expected"]["service_weeks"][world]["requests"])
        for world in ("log", f"without_{CAUSE}")
    )
    cells = [
        (rows[unit], j) for unit in effect.live for week, j in used if week > live_on[unit]
    ]  # fmt: skip
    assert len(cells) == effect.unit_weeks
    at = tuple(np.array(cells).T)
    return here[at].sum() / there[at].sum() - 1


def estimated(folder, log):
    truth = json.loads((folder / "truth.json").read_text("utf-8"))
    rollouts = log.table("rollouts")
    effect = deflection.effect(log.panel(unit="service", every="1w"), rollouts, TREATMENT)
    live = rollouts.filter(pl.col("treatment") == TREATMENT, pl.col("unit_kind") == "service")
    return effect, expected_effect(truth, effect, dict(live.select("unit", "live_on").iter_rows()))


def test_the_interval_holds_what_the_small_centre_expects(small_centre):
    effect, truth = estimated(*small_centre)
    assert truth < -0.02
    assert effect.relative.low < truth < effect.relative.high
    assert abs(effect.relative.value - truth) < 0.03


@pytest.mark.skipif(not FULL, reason="forty centres take half an hour (CCANALYTICS_FULL=1)")
def test_forty_centres(tmp_path):
    rows = []
    for seed in range(1, WORLDS + 1):
        folder = tmp_path / f"centre{seed}"
        write_centre(folder, weeks=78, scale=0.02, seed=seed)
        log = CallLog(tmp_path / f"{seed}.duckdb")
        log.load(folder, "ccanalytics")
        effect, truth = estimated(folder, log)
        found = effect.relative
        rows.append((seed, truth, found.value, found.low, found.high, effect.grade))
        print(*rows[-1], flush=True)
        for each in tmp_path.rglob("*"):
            if each.is_file():
                each.unlink()
    _, truth, found, low, high, grade = zip(*rows, strict=True)
    truth, found, low, high = (np.array(each) for each in (truth, found, low, high))
    held = (low <= truth) & (truth <= high)
    off = found - truth
    spread = off.std(ddof=1)
    error = np.mean(np.log1p(high) - np.log1p(low)) / 2 / 1.96
    print(
        f"{held.sum()} of {WORLDS} hold the truth; truth {truth.mean():+.4f}, bias "
        f"{off.mean():+.4f}, spread {spread:.4f}, mean standard error {error:.4f}; "
        f"weak in {sum(each == 'weak' for each in grade)}"
    )
    # 34 or fewer of 40 would come by chance once in 40 studies of an interval that holds 95%.
    assert held.sum() >= 35
    assert abs(off.mean()) <= 0.05 * abs(truth.mean()) + 2 * spread / WORLDS**0.5
