import numpy as np
import pytest

from ccanalytics.errors import DataError
from ccanalytics.statistics.rate_ratio import rate_ratio


def test_one_stratum_is_the_ratio_of_rates_with_its_textbook_error():
    found = rate_ratio([30], [1000], [20], [500])
    assert found.value == pytest.approx(0.03 / 0.04)
    # Without strata Var(log ratio) is (1/R)(1/S)(d₁+d₀)T₁T₀/T², by hand:
    above, below = 30 * 500 / 1500, 20 * 1000 / 1500
    half = 1.959964 * np.sqrt(50 * 1000 * 500 / 1500**2 / (above * below))
    assert found.high / found.value == pytest.approx(np.exp(half), rel=1e-6)


def test_strata_keep_what_confounds_out():
    # Twice the rate in the second stratum, where most of the group is; the ratio is 0.5 in both.
    found = rate_ratio([10, 180], [1000, 9000], [180, 40], [9000, 1000])
    assert found.value == pytest.approx(0.5, rel=1e-9)
    crude = (190 / 10_000) / (220 / 10_000)
    assert crude > 0.8


def test_it_covers_as_often_as_it_says():
    rng = np.random.default_rng(1)
    time, control = rng.uniform(500, 5000, (2, 1500, 20))
    rate = rng.uniform(0.001, 0.01, (1500, 20))
    covered = 0
    for t1, t0, r in zip(time, control, rate, strict=True):
        found = rate_ratio(rng.poisson(0.7 * r * t1), t1, rng.poisson(r * t0), t0)
        covered += found.low <= 0.7 <= found.high
    assert 0.93 <= covered / 1500 <= 0.97


def test_what_cannot_be_compared():
    with pytest.raises(DataError, match="no time with both"):
        rate_ratio([1, 2], [10, 10], [0, 0], [0, 0])
    with pytest.raises(DataError, match="none in the controls"):
        rate_ratio([1, 2], [10, 10], [0, 0], [10, 10])
