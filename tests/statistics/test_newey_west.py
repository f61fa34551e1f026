import numpy as np
import pytest

from ccanalytics.statistics.newey_west import correction, lag_for, lag_one


def test_the_usual_lag():
    assert [lag_for(n) for n in (8, 25, 50, 100, 200)] == [2, 2, 3, 4, 4]


def test_lag_one():
    assert lag_one(np.array([1.0, -1, 1, -1])) == -0.75
    assert np.isnan(lag_one(np.zeros(4)))


@pytest.mark.parametrize("n", [9, 30])
def test_a_mean_of_independent_values_gets_students_interval(n):
    """Without lags and correlation the corrected interval is the textbook's t interval."""
    residuals = np.tile([1.0, -1.0], n)[:n] - np.tile([1.0, -1.0], n)[:n].mean()
    found = correction(np.ones((n, 1)), residuals, np.ones(1), lags=0)
    assert found.correlation == 0
    assert found.scale == pytest.approx(n / (n - 1))
    assert found.degrees == pytest.approx(n - 1)


def test_correlated_residuals_widen_the_interval():
    rng = np.random.default_rng(3)
    n = 60
    design = np.column_stack([np.ones(n), np.arange(n), np.arange(n) > 30])
    contrast = np.array([0, 0, 1.0])
    errors = np.zeros(n)
    for i in range(1, n):
        errors[i] = 0.7 * errors[i - 1] + rng.normal()
    hat = design @ np.linalg.pinv(design)
    calm, wild = (
        correction(design, r - hat @ r, contrast, lags=3) for r in (rng.normal(size=n), errors)
    )
    assert wild.correlation > calm.correlation
    assert wild.scale > calm.scale > 1
    assert wild.degrees < n
    assert wild.quantile(0.95) > calm.quantile(0.95) > 1.96


def test_residuals_of_zero_count_as_independent():
    found = correction(np.ones((10, 1)), np.zeros(10), np.ones(1), lags=0)
    assert found.scale == pytest.approx(10 / 9)
