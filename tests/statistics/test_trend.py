import numpy as np
import pytest

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.trend import line


def test_a_line_without_noise_is_found():
    found = line(3 + 0.25 * np.arange(20))
    assert found.slope.value == pytest.approx(0.25)
    assert found.fitted == pytest.approx(3 + 0.25 * np.arange(20))


def test_missing_weeks_keep_their_distance():
    at = np.array([0, 1, 2, 5, 6, 9, 10.0])
    assert line(2 - 0.5 * at, at).slope.value == pytest.approx(-0.5)


def test_intervals_cover_a_planted_slope():
    """300 seeded series of 26 weeks, errors correlated by 0.5: near 95% cover (99.9% limits)."""
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(300):
        errors = rng.normal(size=80)
        for i in range(1, 80):
            errors[i] += 0.5 * errors[i - 1]
        slope = line(0.02 * np.arange(26) + 0.1 * errors[54:]).slope
        hits += slope.low <= 0.02 <= slope.high
    assert 266 <= hits <= 299


@pytest.mark.parametrize(
    ("values", "at", "error", "words"),
    [
        ([1, 2, 3], None, DataError, "3 given"),
        ([1, 2, np.nan, 4, 5], None, InputError, "finite"),
        ([1, 2, 3, 4], [0, 1, 1, 2], InputError, "rise"),
        ([1, 2, 3, 4], [0, 1], InputError, "one length"),
    ],
)
def test_refusals(values, at, error, words):
    with pytest.raises(error) as caught:
        line(values, at)
    assert words in str(caught.value)
