import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccanalytics.errors import InputError
from ccanalytics.statistics import wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high", "digits"),
    [
        # METHODS.md §4, per cent
        (5, 5, 56.6, 100, 1),
        (4, 5, 37.6, 96.4, 1),
        (17, 20, 64.0, 94.8, 1),
        (85, 100, 76.7, 90.7, 1),
        (10, 100, 5.52, 17.44, 2),
        (0, 50, 0, 7.13, 2),
        (297, 486, 56.7, 65.3, 1),  # §8.1
    ],
)
def test_published_intervals(successes, trials, low, high, digits):
    found = wilson(successes, trials)
    assert [round(100 * limit, digits) for limit in found] == [low, high]


@settings(deadline=None)  # the first example pays for importing statsmodels
@given(
    st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]),
)
def test_agrees_with_statsmodels(counts, level):
    from statsmodels.stats.proportion import proportion_confint

    x, n = counts
    low, high = wilson(x, n, level)
    assert [low, high] == pytest.approx(
        proportion_confint(x, n, alpha=1 - level, method="wilson"), abs=1e-12
    )
    assert 0 <= low <= x / n <= high <= 1


@given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_limits_solve_the_score_equation(counts):
    x, n = counts
    p = x / n
    for limit in wilson(x, n):
        if 0 < limit < 1:
            z = abs(p - limit) / np.sqrt(limit * (1 - limit) / n)
            assert z == pytest.approx(1.959964, abs=1e-4)


def test_arrays_broadcast_and_no_trials_have_no_limits():
    low, high = wilson([0, 5, 0], [[10], [50]])
    assert low.shape == high.shape == (2, 3)
    low, high = wilson([0, 3], [0, 10])
    assert np.isnan([low[0], high[0]]).all()
    assert low[1] == pytest.approx(wilson(3, 10)[0])
    assert np.isnan(wilson(0, 0)).all()
    assert isinstance(wilson(1, 2)[0], float)


@pytest.mark.parametrize(
    ("successes", "trials", "level", "names"),
    [
        (6, 5, 0.95, "successes=6, trials=5"),
        ([1, 9], [5, 5], 0.95, "successes=9, trials=5"),
        (-1, 5, 0.95, "successes=-1"),
        (1, -5, 0.95, "trials=-5"),
        (float("nan"), 5, 0.95, "successes=nan"),
        (1, float("inf"), 0.95, "trials=inf"),
        ("many", 5, 0.95, "successes='many'"),
        (None, 5, 0.95, "successes=None"),
        (True, 5, 0.95, "successes=True"),
        (1, 5, 95, "level=95"),
        (1, 5, 0, "level=0"),
        (1, 5, float("nan"), "level=nan"),
        (1, 5, "high", "level='high'"),
        ([1, 2], [5, 5, 5], 0.95, "(2,) and (3,)"),
    ],
)
def test_bad_input_is_named(successes, trials, level, names):
    with pytest.raises(InputError) as caught:
        wilson(successes, trials, level)
    assert names in str(caught.value)
    assert caught.value.remedy
