import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.random_effects import random_effects


def test_it_agrees_with_statsmodels_where_that_has_an_answer():
    """Paule-Mandel variance and mean of a constant alone, on thirteen vaccine-like trials."""
    rng = np.random.default_rng(3)
    effects, variances = rng.normal(-0.7, 0.6, 13), rng.uniform(0.02, 0.5, 13)
    theirs = combine_effects(effects, variances, method_re="iterated", use_t=True)
    ours = random_effects(effects, variances, np.ones((13, 1)))
    assert ours.between == pytest.approx(theirs.tau2, rel=1e-3)
    assert ours.beta[0] == pytest.approx(theirs.mean_effect_re, rel=1e-4)
    assert ours.degrees == 12


def test_without_spread_it_is_the_weighted_mean():
    found = random_effects([1.0, 1.1, 0.9], [1.0, 4.0, 1.0], np.ones((3, 1)))
    assert found.between == 0
    assert found.beta[0] == pytest.approx((1 + 1.1 / 4 + 0.9) / 2.25)
    np.testing.assert_allclose(found.shrunk, found.beta[0])


def test_prediction_intervals_hold_the_next_effect():
    """600 worlds of 20 effects about a line: near 80% of the intervals hold the next."""
    from scipy.special import stdtrit

    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(600):
        x = np.column_stack([np.ones(21), rng.random(21) < 0.4]).astype(float)
        x[:2, 1] = 0, 1
        variances = rng.uniform(0.005, 0.05, 20) ** 2
        true = x @ [-0.05, -0.03] + rng.normal(0, 0.02, 21)
        found = random_effects(true[:20] + rng.normal(0, variances**0.5), variances, x[:20])
        mean, spread = found.predict(x[20:])
        hits += abs(true[20] - mean[0]) <= stdtrit(found.degrees, 0.9) * spread[0] ** 0.5
    assert 0.76 <= hits / 600 <= 0.86


def test_bad_input_is_named():
    with pytest.raises(InputError, match="do not fit"):
        random_effects([1.0], [1.0, 2.0], [[1.0]])
    with pytest.raises(InputError, match="above 0"):
        random_effects([1.0, 2.0], [0.0, 1.0], [[1.0], [1.0]])
    with pytest.raises(DataError, match="too few"):
        random_effects([1.0], [1.0], [[1.0]])
