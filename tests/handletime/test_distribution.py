import datetime as dt
import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ccanalytics import handletime
from ccanalytics.errors import DataError, InputError
from ccanalytics.handletime.valuecounts import ValueCounts


def counted(seconds, **keys):
    values, calls = np.unique(np.asarray(seconds), return_counts=True)
    return pl.DataFrame({**keys, "seconds": values, "calls": calls})


lists = st.lists(st.integers(0, 4000), min_size=2, max_size=300).filter(lambda v: max(v) > 0)


@given(lists)
def test_agrees_with_numpy_on_one_row_per_call(seconds):
    answer = handletime.distribution(counted(seconds))
    row = answer.overall.row(0, named=True)
    timed = np.array([s for s in seconds if s > 0], dtype=float)
    assert row["calls"] == len(seconds)
    assert row["zero_calls"] == len(seconds) - timed.size
    assert row["mean_s"] == pytest.approx(timed.mean())
    if timed.size > 1:
        assert row["sd_s"] == pytest.approx(timed.std(ddof=1), abs=1e-9)
    for share in (10, 25, 75, 90, 95, 99):
        assert row[f"p{share}_s"] == pytest.approx(np.quantile(timed, share / 100))
    assert row["median_s"] == pytest.approx(np.median(timed))
    assert row["short_calls"] == sum(s <= 10 for s in seconds)


@given(lists)
def test_the_fit_agrees_with_scipy_on_one_row_per_call(seconds):
    from scipy.stats import kstest, norm

    law = handletime.distribution(counted(seconds)).law
    logs = np.log([s for s in seconds if s >= 10])
    if len(set(logs)) < 2:
        assert law is None
        return
    assert law.log_mean == pytest.approx(logs.mean())
    assert law.log_sd == pytest.approx(logs.std(ddof=1))
    # scipy looks at every call, ties included: the same largest distance.
    assert law.ks == pytest.approx(kstest(logs, norm(logs.mean(), logs.std(ddof=1)).cdf).statistic)


def test_the_median_has_exact_limits():
    """Of ten calls the 2nd and the 9th hold the median with 97.9%, the 3rd and 8th with 89.1%."""
    times = ValueCounts(np.arange(1.0, 11), np.ones(10))
    assert times.median_limits(0.95) == (2, 9)
    assert times.median_limits(0.89) == (3, 8)
    assert all(
        math.isnan(x) for x in ValueCounts(np.arange(1.0, 6), np.ones(5)).median_limits(0.95)
    )


@pytest.mark.parametrize("n", [6, 7, 50, 1001])
def test_ranks_of_the_median_are_the_widest_allowed(n):
    from scipy.stats import binom

    low, high = ValueCounts(np.arange(1.0, n + 1), np.ones(n)).median_limits(0.95)
    k = int(low)
    assert high == n + 1 - k
    assert binom.cdf(k - 1, n, 0.5) <= 0.025 < binom.cdf(k, n, 0.5)


def test_intervals_cover_in_lognormal_worlds():
    """300 worlds of 400 calls: mean, median and smearing mean near the truth (99.9% limits)."""
    rng = np.random.default_rng(9)
    m, s = 4.8, 0.95
    mean, median = math.exp(m + s * s / 2), math.exp(m)
    hits = np.zeros(2, dtype=int)
    smeared = []
    for _ in range(300):
        answer = handletime.distribution(counted(np.rint(rng.lognormal(m, s, 400))))
        for i, (estimate, truth) in enumerate(((answer.mean, mean), (answer.median, median))):
            hits[i] += estimate.low <= truth <= estimate.high
        smeared.append(answer.law.mean_s)
    # Student's interval for the mean of a skewed law covers a little less than it promises.
    assert 265 <= hits[0] <= 299
    assert 272 <= hits[1] <= 300
    assert np.mean(smeared) == pytest.approx(mean, rel=0.02)


def test_zeros_enter_no_mean_and_the_words_say_so():
    answer = handletime.distribution(counted([0, 0, 0, 100, 300]))
    assert answer.mean.value == 200
    assert "above 0 s" in answer.summary()
    assert "3 of them have 0 s and enter no mean" in answer.summary()
    assert answer.short.value == 0.6


def test_a_spike_of_short_calls_is_named_unprompted():
    rng = np.random.default_rng(2)
    clean = np.rint(rng.lognormal(4.8, 0.95, 5000))
    spiked = np.append(clean, rng.integers(1, 9, 400))
    names = [
        [check.name for check in handletime.distribution(counted(seconds)).checks]
        for seconds in (clean, spiked)
    ]
    assert "short calls" not in names[0]
    assert "short calls" in names[1]


def test_by_key_with_unknown_keys():
    frame = pl.concat(
        [
            counted([100, 200], service="A"),
            counted([10, 20, 30], service="B"),
            counted([5], service=None).with_columns(pl.col("service").cast(pl.String)),
        ]
    )
    answer = handletime.distribution(frame, by="service")
    assert answer.rows["service"].to_list() == ["B", "A", None]
    assert answer.rows["mean_s"].to_list() == [20, 150, 5]
    assert answer.rows["ks"][2] is None
    assert answer.mean.value == pytest.approx(365 / 6)
    assert answer.to_frame().equals(answer.rows)
    # A key that is there but not asked for is summed over.
    assert handletime.distribution(frame).overall["calls"].item() == 6


def test_the_histogram_holds_every_call_and_its_area_is_one():
    rng = np.random.default_rng(6)
    answer = handletime.distribution(counted(np.rint(rng.lognormal(4.8, 0.95, 3000))))
    bars = answer.histogram()
    timed = answer.overall["timed_calls"].item()
    assert bars["calls"].sum() == timed
    assert bars["share"].sum() == pytest.approx(1)
    width = np.log2(bars["to_s"] / bars["from_s"])
    assert (bars["density"] * width).sum() == pytest.approx(1)
    assert (bars["to_s"] - bars["from_s"]).min() >= 1 - 1e-9
    fitted = bars.filter(pl.col("law").is_not_null())
    assert fitted["from_s"].min() >= 9.5
    # Where calls are many the curve runs through the bars.
    middle = fitted.filter(pl.col("calls") > 100)
    assert (middle["law"] / middle["density"] - 1).abs().max() < 0.25


def test_other_frames_and_one_long_call():
    frame = pd.DataFrame({"seconds": [3600], "calls": [1]})
    answer = handletime.distribution(frame)
    assert answer.mean.value == 3600
    assert math.isnan(answer.mean.low)
    assert "nan" not in answer.summary()
    assert answer.law is None
    assert answer.histogram()["calls"].to_list() == [1]


@pytest.mark.parametrize(
    ("frame", "settings", "error", "words"),
    [
        (counted([0, 0]), {}, DataError, "no answered call has a time"),
        (counted([5]).clear(), {}, DataError, "0 calls"),
        (counted([5]).drop("calls"), {}, InputError, "missing: calls"),
        (counted([-5]), {}, InputError, "seconds=-5"),
        (pl.DataFrame({"seconds": [math.inf], "calls": [1]}), {}, InputError, "seconds=inf"),
        (pl.DataFrame({"seconds": [math.nan], "calls": [1]}), {}, InputError, "seconds=nan"),
        (pl.DataFrame({"seconds": [None, 5], "calls": [1, 2]}), {}, InputError, "must be known"),
        (pl.DataFrame({"seconds": ["long"], "calls": [1]}), {}, InputError, "must hold numbers"),
        (counted([5]), {"by": ["service"]}, InputError, "by='service'"),
        (counted([5]), {"floor_s": 0}, InputError, "floor_s=0"),
        (counted([5]), {"short_s": "10"}, InputError, "short_s='10'"),
        (counted([5]), {"part": "coffee"}, InputError, "part='coffee'"),
        (counted([5]), {"level": 95}, InputError, "level=95"),
        ("calls.csv", {}, InputError, "got str"),
    ],
)
def test_refusals(frame, settings, error, words):
    with pytest.raises(error) as caught:
        handletime.distribution(frame, **settings)
    assert words in str(caught.value)


def test_keys_beyond_the_largest_are_taken_together_and_nothing_is_lost():
    sizes = {"A": 50, "B": 40, None: 30, "C": 2, "D": 1}
    rows = [{"service": key, "seconds": 60 + n, "calls": n} for key, n in sizes.items()]
    frame = pl.DataFrame(rows)
    answer = handletime.distribution(frame, by="service", most=3)
    assert answer.rows["service"].to_list() == ["A", "B", None, "all others"]
    assert answer.rows["calls"].to_list() == [50, 40, 30, 3]
    assert answer.rows["mean_s"][3] == pytest.approx((2 * 62 + 61) / 3)
    assert answer.largest(2) == ["A", "B"]
    assert answer.largest() == ["A", "B", None]
    assert "the other 2 together" in str(answer.checks)
    whole = handletime.distribution(frame, by="service", most=4)
    assert whole.rows.height == 5  # one too many is no reason to hide its name
    with pytest.raises(InputError, match="most=0"):
        handletime.distribution(frame, by="service", most=0)


def test_the_mean_without_zeros_points_to_the_one_with_them():
    answer = handletime.distribution(pl.DataFrame({"seconds": [0, 100], "calls": [1, 3]}))
    assert answer.mean_with_zeros_s == 75
    assert "1 of them has 0 s and enters no mean" in answer.summary()
    assert "with these the mean is 75.0 s" in answer.summary()


@pytest.mark.parametrize("name", ["lognorm", "gamma", "weibull_min"])
def test_rivals_are_those_of_scipy_and_the_true_law_is_closest(name):
    """Maximum likelihood by scipy on one row per call, location 0."""
    law = {
        "lognorm": stats.lognorm(0.8, scale=120),
        "gamma": stats.gamma(2.0, scale=90),
        "weibull_min": stats.weibull_min(1.6, scale=200),
    }[name]
    seconds = np.rint(law.rvs(4000, random_state=3))
    seconds = seconds[seconds >= 1]
    value, calls = np.unique(seconds, return_counts=True)
    found = handletime.distribution(
        pl.DataFrame({"seconds": value, "calls": calls}), floor_s=1
    ).rivals
    words = {"lognorm": "lognormal", "gamma": "gamma", "weibull_min": "Weibull"}
    assert found[0].law == words[name]
    means = {fit.law: fit.mean_s for fit in found}
    for kind, word in words.items():
        dist = getattr(stats, kind)
        own = dist(*dist.fit(seconds, floc=0))
        assert means[word] == pytest.approx(own.mean(), rel=2e-3)
        share = own.cdf(value)
        upto = np.cumsum(calls) / calls.sum()
        far = max(np.abs(upto - share).max(), np.abs(upto - calls / calls.sum() - share).max())
        assert {fit.law: fit.ks for fit in found}[word] == pytest.approx(far, abs=1e-3)


def worlds(spike, count=120):
    """Lognormal calls of many centres; a share of them cut off within ten seconds instead."""
    rng = np.random.default_rng(31)
    for _ in range(count):
        size = int(rng.integers(1500, 6000))
        seconds = np.rint(np.exp(rng.normal(rng.uniform(4.5, 5.2), rng.uniform(0.7, 1.0), size)))
        cut = rng.random(size) < spike * rng.uniform(0.7, 1.3)
        seconds[cut] = rng.integers(1, 9, cut.sum())
        value, calls = np.unique(seconds, return_counts=True)
        yield pl.DataFrame({"seconds": value, "calls": calls})


def named(frame):
    return any(check.name == "short calls" for check in handletime.distribution(frame).checks)


def test_the_spike_is_named_where_it_is_planted_and_only_there():
    """In 95% of worlds with one call in twenty-five cut off, in 5% of clean ones."""
    assert np.mean([named(frame) for frame in worlds(0.04)]) >= 0.95
    assert np.mean([named(frame) for frame in worlds(0.0)]) <= 0.05


def test_calls_of_more_than_a_day_are_left_out_and_named():
    """A record that nobody closed would be the mean of all."""
    rows = counted([100] * 50 + [86_400] + [86_401, 400_000])
    found = handletime.distribution(rows)
    assert found.overall["calls"].item() == 51
    assert found.overall["mean_s"].item() == pytest.approx((100 * 50 + 86_400) / 51)
    doubt = next(check for check in found.checks if check.name == "longer than a day")
    assert doubt.status == "fails"
    assert doubt.detail.startswith("2 calls are longer than a day, left out")
    zeros = handletime.distribution(counted([0, 100, 90_000])).summary()
    assert "with these the mean is 50.0 s." in zeros  # which is not that of interval counts
    assert "(AHT) of interval counts" in handletime.distribution(counted([0, 100])).summary()
    with pytest.raises(DataError, match="at most a day"):
        handletime.distribution(counted([90_000]))


def test_one_call_is_one():
    said = handletime.distribution(counted([110])).summary()
    assert "over 1 answered call with" in said
    assert "of 1 answered call take" in said


@pytest.mark.parametrize("question", [handletime.distribution, handletime.trend, handletime.mix])
def test_keys_are_names(question):
    rows = counted([100], local_start=dt.datetime(2024, 1, 1), interval_s=604_800)
    with pytest.raises(InputError, match="names of columns"):
        question(rows, by=3)


def test_every_answer_about_time_names_calls_of_more_than_a_day():
    days = [dt.datetime(2024, 1, 1) + dt.timedelta(days=k) for k in range(84)]
    seconds = [(day, 60 + 5 * k, 20) for day in days for k in range(9)]
    rows = pl.DataFrame(
        [*seconds, (days[0], 200_000, 1)], orient="row", schema=["local_start", "seconds", "calls"]
    ).with_columns(service=pl.lit("s"))
    daily = rows.with_columns(interval_s=86_400)
    weekly = rows.with_columns(pl.col("local_start").dt.truncate("1w"), interval_s=604_800)
    for found in (
        handletime.trend(weekly), handletime.mix(weekly), handletime.control_chart(
            daily.with_columns(pl.col("seconds") + pl.col("local_start").dt.day() % 5)
        ),
    ):  # fmt: skip
        assert [c.name for c in found.checks].count("longer than a day") == 1, type(found)
