"""Before and after: another library's fit, the regression to the mean, and what is refused."""

import numpy as np
import pytest
import statsmodels.api as sm

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.effects.ancova import ancova


def scores(rng, n=200, effect=0.0, cut=0.2):
    skill = rng.normal(70, 8, n)
    before = skill + rng.normal(0, 6, n)
    low = before < np.quantile(before, cut)
    return before, skill + rng.normal(0, 6, n) + effect * low, low


def test_the_effect_and_its_error_are_those_of_a_regression():
    before, after, low = scores(np.random.default_rng(1), effect=3)
    found = ancova(before, after, low)
    design = sm.add_constant(np.column_stack([low, before]).astype(float))
    theirs = sm.OLS(after, design).fit(cov_type="HC2")
    assert found.effect.value == pytest.approx(theirs.params[1], abs=1e-9)
    assert found.error == pytest.approx(theirs.bse[1], abs=1e-9)
    assert found.gain.value == pytest.approx((after - before)[low].mean())
    assert found.expected_gain + found.effect.value == pytest.approx(found.gain.value)
    alone = sm.OLS(after[~low], sm.add_constant(before[~low])).fit()
    assert found.slope.value == pytest.approx(alone.params[1], abs=1e-9)


def test_degrees_of_freedom_are_few_where_few_were_treated():
    """Of a few treated about their number less 1; of two large groups about all."""
    rng = np.random.default_rng(2)
    before = rng.normal(0, 1, 400)
    few = np.arange(400) < 5
    found = ancova(before, rng.normal(0, 1, 400), few)
    assert 3 < found.degrees < 6
    many = ancova(before, rng.normal(0, 1, 400), np.arange(400) % 2 == 0)
    assert many.degrees == pytest.approx(396, abs=12)


def test_the_luck_of_the_lowest_is_expected_to_go():
    """Scores with reliability r: a distance d from the mean is expected to shrink to r·d."""
    before, after, low = scores(np.random.default_rng(3), n=40_000)
    found = ancova(before, after, low)
    reliability = 8**2 / (8**2 + 6**2)
    assert found.slope.value == pytest.approx(reliability, abs=0.02)
    expected = (1 - reliability) * (found.untreated_before - found.before)
    assert found.regression == pytest.approx(expected, abs=0.5)
    assert found.effect.value == pytest.approx(0, abs=0.4)


@pytest.mark.parametrize("treated", [[0] * 5, [1, 0, 0, 0, 0], [1, 1, 1, 0, 0]])
def test_too_few_to_compare(treated):
    with pytest.raises(DataError, match="too few"):
        ancova([1, 2, 3, 4, 5], [2, 3, 4, 5, 6], treated)


def test_what_is_no_score_is_refused():
    with pytest.raises(InputError, match="finite"):
        ancova([1, 2, 3, np.nan, 5], [1] * 5, [1, 1, 0, 0, 0])
    with pytest.raises(InputError, match="one score"):
        ancova([1, 2, 3], [1, 2], [1, 0])
    with pytest.raises(DataError, match="alike"):
        ancova([1, 2, 5, 5, 5], [1] * 5, [1, 1, 0, 0, 0])
