import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.control import (
    changes,
    cusum,
    cusum_run_length,
    ewma,
    ewma_run_length,
    individuals,
    rates,
    shares,
)
from ccanalytics.statistics.control.run_length import shewhart_run_length


@pytest.mark.parametrize(
    ("found", "published"),
    [
        (cusum_run_length(0.5, 4), 167.68),
        (cusum_run_length(0.5, 5), 465.44),
        (cusum_run_length(0.5, 4, 1.0), 8.38),
        (cusum_run_length(0.5, 5, 1.0), 10.38),
        (cusum_run_length(0.5, 5, -1.0), 10.38),
        (ewma_run_length(0.1, 2.703, 1.0), 9.75),
        (ewma_run_length(0.2, 2.86, 1.0), 9.80),
        (shewhart_run_length(3.0), 370.40),
        (shewhart_run_length(3.0, 1.0), 43.89),
    ],
)
def test_published_run_lengths(found, published):
    assert found == pytest.approx(published, abs=0.006)


def test_published_run_lengths_of_ewma_without_a_change():
    assert ewma_run_length(0.1, 2.703) == pytest.approx(371.9, abs=0.06)
    assert ewma_run_length(0.2, 2.86) == pytest.approx(371.1, abs=0.06)
    # An EWMA of the newest point alone is a chart of single values.
    assert ewma_run_length(1.0, 2.5) == pytest.approx(shewhart_run_length(2.5), rel=1e-9)


def test_constants_of_the_chart_of_single_values():
    """2.66 and 3.267: 3/d₂ and 1 + 3·d₃/d₂ of two standard normal points."""
    values = np.array([5.0, 7, 6, 9, 4, 6, 7, 5, 8, 6, 5, 7])
    chart = individuals(values)
    mean_range = np.abs(np.diff(values)).mean()
    assert (chart.frame["high"][0] - values.mean()) / mean_range == pytest.approx(2.66, abs=0.002)
    d2 = 2 / np.sqrt(np.pi)
    d3 = np.sqrt(2 - d2**2)
    limit = chart.frame["range_high"][0] / mean_range
    assert limit == pytest.approx(3.267)
    assert limit == pytest.approx(1 + 3 * d3 / d2, abs=0.0006)


@pytest.mark.parametrize(
    ("chart", "settings"),
    [(cusum, {"reference": 0.5, "limit": 4}), (ewma, {"weight": 0.2, "limit": 2.4})],
)
def test_simulated_run_lengths(chart, settings):
    """First signals of the chart itself, on series whose centre and spread are known."""
    rng = np.random.default_rng(5)
    known = np.tile([-1.0, 1.0], 400) / np.sqrt(np.pi)  # mean 0, mean moving range 1.128
    lengths = []
    for _ in range(400):
        series = np.concatenate([known, rng.standard_normal(3000)])
        found = chart(series, baseline=known.size, **settings)
        signals = found.frame["signal"].to_numpy()[known.size :]
        assert signals.any()
        lengths.append(int(np.argmax(signals)) + 1)
    mean, error = np.mean(lengths), np.std(lengths) / 20
    assert abs(mean - found.run_length) < 4 * error
    assert found.false_every < found.run_length


def test_false_signals_of_limits_that_are_estimates():
    """Points outside limits that come from 40 points, over many such charts."""
    rng = np.random.default_rng(6)
    outside = [
        individuals(rng.standard_normal(240), baseline=40).frame["signal"].to_numpy()[40:].mean()
        for _ in range(500)
    ]
    said = individuals(rng.standard_normal(240), baseline=40).false_every
    assert 100 < said < 200 < shewhart_run_length(3)
    assert abs(np.mean(outside) - 1 / said) < 4 * np.std(outside) / np.sqrt(500)


def sums(steps):
    """The recursion as it is written in the books."""
    value, out = 0.0, []
    for step in steps:
        value = max(0.0, value + step)
        out.append(value)
    return np.array(out)


@given(st.lists(st.integers(-50, 50), min_size=12, max_size=60).filter(lambda x: len(set(x)) > 1))
def test_the_sums_are_those_of_the_recursion(values):
    y = np.array(values, float)
    found = cusum(y).frame["statistic"].to_numpy() * 5
    sigma = np.abs(np.diff(y)).mean() / (2 / np.sqrt(np.pi))
    up, down = (sums(side * (y - y.mean()) / sigma - 0.5) for side in (1, -1))
    np.testing.assert_allclose(found, np.where(up >= down, up, -down), atol=1e-9)


@given(st.lists(st.integers(-50, 50), min_size=12, max_size=60).filter(lambda x: len(set(x)) > 1),
       st.floats(0.01, 100), st.floats(-1000, 1000))  # fmt: skip
def test_signals_do_not_depend_on_units(values, scale, shift):
    y = np.array(values, float)
    for chart in (individuals, ewma, cusum):
        here = chart(y).frame["statistic"].to_numpy()
        there = chart(scale * y + shift).frame["statistic"].to_numpy()
        np.testing.assert_allclose(here, there, atol=1e-6)


def test_laney_keeps_false_signals_rare_where_plain_limits_would_not():
    """Days that differ by more than chance: 4,000 calls a day, the day's own share wobbles."""
    rng = np.random.default_rng(8)
    sizes = rng.integers(3000, 5000, 400)
    counts = rng.binomial(sizes, rng.beta(200, 1800, 400))
    plain, widened = shares(counts, sizes, laney=False), shares(counts, sizes)
    # Spread is 1.7 times that of single calls: 33 of 400 are expected outside plain limits.
    assert 20 <= plain.signals.height <= 50
    assert widened.signals.height <= 6
    assert any("differ by" in check.detail for check in widened.checks)
    told = rates(rng.poisson(rng.gamma(50, 0.4, 300) * 100), np.full(300, 100.0))
    assert told.signals.height <= 5


def test_plain_limits_are_those_of_the_books():
    """p̄ = 0.1 of 100: 0.1 ± 3·0.03."""
    counts = [10, 9, 11, 10, 12, 8, 10, 9, 11, 10]
    chart = shares(counts, [100] * 10, laney=False)
    assert chart.frame["centre"][0] == pytest.approx(0.1)
    assert chart.frame["high"][0] == pytest.approx(0.19)
    assert chart.frame["low"][0] == pytest.approx(0.01)
    u = rates([4] * 10, [2.0] * 10, laney=False)
    assert u.frame["high"][0] == pytest.approx(2 + 3 * np.sqrt(2 / 2))
    assert u.frame["low"][0] == 0.0


def test_a_planted_change_is_a_signal_and_said():
    rng = np.random.default_rng(1)
    series = np.concatenate([rng.normal(200, 5, 60), rng.normal(207, 5, 30)])
    chart = cusum(series, baseline=60, what="Handle time")
    first = chart.signals["at"][0]
    assert 60 < first < 80
    assert "Handle time: " in chart.headline()
    assert "above what was usual" in chart.headline()
    assert chart.run_length == pytest.approx(465.44, abs=0.01)


def test_neighbours_that_hang_together_are_doubted():
    rng = np.random.default_rng(4)
    walk = np.cumsum(rng.standard_normal(80))
    (check,) = individuals(walk).checks
    assert check.status == "fails"
    (check,) = individuals(rng.standard_normal(80)).checks
    assert check.status == "holds"


STEADY = [1.0, 2.0] * 10


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda: individuals([1, 2, 3]), InputError, "10 or more"),
        (lambda: individuals([1.0] * 20), DataError, "nothing moves"),
        (lambda: individuals([1, float("nan")] * 10), InputError, r"values\[1\]=nan"),
        (lambda: individuals(["a"] * 12), InputError, "of numbers"),
        (lambda: individuals([STEADY, STEADY]), InputError, "one dimension"),
        (lambda: individuals(STEADY, at=[1]), InputError, "one date"),
        (lambda: individuals(STEADY, baseline=40), DataError, "shorter than"),
        (lambda: individuals(STEADY, baseline=True), InputError, "baseline=True"),
        (lambda: shares([5] * 12, [4] * 12), InputError, "no more than there are"),
        (lambda: shares([0] * 12, [4] * 12), DataError, "nothing moves"),
        (lambda: shares([0] * 12, [0] * 12), InputError, "above 0"),
        (lambda: rates([-1] * 12, [4] * 12), InputError, "0 or more"),
        (lambda: ewma(STEADY, weight=1.5), InputError, "at most 1"),
        (lambda: cusum(STEADY, limit=0), InputError, "limit=0"),
        (lambda: cusum(STEADY, reference="k"), InputError, "must be a number"),
        (lambda: cusum_run_length(0.5, float("inf")), InputError, "finite"),
    ],
)
def test_refusals(ask, error, words):
    with pytest.raises(error, match=words):
        ask()


def correlated(rng, size, rho):
    """A stationary autoregression of order one with variance 1."""
    noise = rng.standard_normal(size) * np.sqrt(1 - rho**2)
    noise[0] = rng.standard_normal()
    for i in range(1, size):
        noise[i] += rho * noise[i - 1]
    return noise


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_changes_are_rarely_found_where_there_are_none(rho):
    rng = np.random.default_rng(21)
    found = sum(len(changes(correlated(rng, 120, rho))) > 1 for _ in range(150))
    assert found / 150 <= 0.07


def test_planted_changes_are_found_where_they_are():
    rng = np.random.default_rng(22)
    right = 0
    for _ in range(60):
        y = correlated(rng, 200, 0.3) + 3 * (np.arange(200) >= 80) - 2.5 * (np.arange(200) >= 150)
        starts = [each.first for each in changes(y)]
        right += len(starts) == 3 and abs(starts[1] - 80) <= 3 and abs(starts[2] - 150) <= 3
    assert right >= 54


def test_cuts_are_the_cheapest_of_all():
    """Against every way of cutting a short series in at most three."""
    rng = np.random.default_rng(23)
    for _ in range(20):
        y = rng.standard_normal(24) + 2.5 * (np.arange(24) >= rng.integers(6, 18))
        steps = np.diff(y)
        variance = np.mean(steps**2)
        rho = min(max(1 + 2 * np.mean(steps[1:] * steps[:-1]) / variance, 0), 0.9)
        price = 3 * variance / 2 / (1 - rho) * (1 + rho) / (1 - rho) * np.log(24)

        def cost(cuts, y=y, price=price):
            ends = [0, *cuts, 24]
            parts = [y[a:b] for a, b in itertools.pairwise(ends)]
            return sum(((p - p.mean()) ** 2).sum() for p in parts) + price * len(cuts)

        ways = [(), *((i,) for i in range(4, 21))]
        ways += [(i, j) for i in range(4, 17) for j in range(i + 4, 21)]
        best = min(ways, key=cost)
        found = tuple(each.first for each in changes(y, shortest=4))[1:]
        assert len(found) > 2 or cost(found) == pytest.approx(cost(best))


def test_refusals_of_changes():
    assert len(changes([5.0] * 20)) == 1
    with pytest.raises(DataError, match="at least 14"):
        changes(range(12))
    with pytest.raises(InputError, match="shortest=1"):
        changes(STEADY, shortest=1)
