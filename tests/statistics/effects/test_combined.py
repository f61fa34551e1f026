import datetime as dt

import numpy as np
import pytest

from ccanalytics.errors import InputError
from ccanalytics.statistics.effects import combined, segmented

WEEKS = [dt.date(2024, 1, 1) + dt.timedelta(weeks=k) for k in range(52)]
AT = np.linspace(14, 38, 5).astype(int)
LEVEL = np.geomspace(1500, 200, 5)
EFFECT = np.linspace(-0.12, -0.04, 5)
TRUTH = (LEVEL * EFFECT).sum() / LEVEL.sum()


def effects(rng, common=0.05, noise=True):
    shared = common * rng.normal(size=52)
    for i in range(1, 52):
        shared[i] += 0.4 * shared[i - 1]
    found = []
    for at, level, effect in zip(AT, LEVEL, EFFECT, strict=True):
        mean = level * np.exp(shared) * np.where(np.arange(52) > at, 1 + effect, 1)
        calls = rng.poisson(mean) if noise else mean
        found.append(segmented(WEEKS, calls, WEEKS[at], placebos=0))
    return found


def test_without_noise_the_sum_is_exact():
    answer = combined(effects(np.random.default_rng(0), common=0, noise=False))
    assert answer.units == 5
    assert answer.relative.value == pytest.approx(TRUTH)
    assert answer.removed_per_week.value == pytest.approx(-(LEVEL * EFFECT).sum())


def test_one_effect_alone_is_itself():
    (first, *_) = effects(np.random.default_rng(3))
    answer = combined([first])
    assert answer.relative.value == pytest.approx(first.relative.value)
    assert answer.relative.low == pytest.approx(first.relative.low, abs=0.004)
    assert answer.removed_per_week.value == pytest.approx(first.removed_per_week.value)


def test_a_shared_bad_week_is_counted_in_full():
    """60 worlds whose units move together: near 95% of the sums' intervals cover (99.9%)."""
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(60):
        change = combined(effects(rng)).relative
        hits += change.low <= TRUTH <= change.high
    assert 49 <= hits <= 60


def test_nothing_to_combine():
    with pytest.raises(InputError, match="nothing to combine"):
        combined([])
