"""Patience: against two other implementations, planted laws, and the bank's published figures."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from scipy import stats

from ccanalytics import Queue, simulation
from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics import PatienceCurve, patience
from ccanalytics.statistics.survival import kaplan_meier


def value_counts(patient, answer, **keys):
    """Value counts of whole-second waits, of callers answered after so long if they stay."""
    left = patient < answer
    frame = pl.DataFrame(
        {
            "outcome": np.where(left, "abandoned", "answered"),
            "queued": True,
            "seconds": np.rint(np.minimum(patient, answer)).astype(int),
            **keys,
        }
    )
    return frame.group_by(pl.all()).len("calls").sort(pl.all())


def draw(law, n, seed, mean_answer=90.0):
    rng = np.random.default_rng(seed)
    return value_counts(law.rvs(n, random_state=rng), rng.exponential(mean_answer, n))


def repeated(waits):
    """One row a call: seconds, and whether it ended in abandonment."""
    seconds = np.repeat(waits["seconds"].to_numpy(), waits["calls"].to_numpy())
    left = np.repeat((waits["outcome"] == "abandoned").to_numpy(), waits["calls"].to_numpy())
    return seconds.astype(float), left


# ---- Kaplan–Meier -------------------------------------------------------------------------------


def test_curve_limits_agree_with_scipy():
    waits = draw(stats.weibull_min(0.7, scale=200), 400, 3)
    seconds, left = repeated(waits)
    found = patience(waits, fewest=10).survival
    data = stats.CensoredData(uncensored=seconds[left], right=seconds[~left])
    other = stats.ecdf(data).sf
    limits = other.confidence_interval(0.95, method="log-log")
    keep = np.isin(other.quantiles, found["seconds"].to_numpy())
    np.testing.assert_allclose(found["survival"], other.probabilities[keep], atol=1e-12)
    np.testing.assert_allclose(found["survival_low"], limits.low.probabilities[keep], atol=1e-10)
    np.testing.assert_allclose(found["survival_high"], limits.high.probabilities[keep], atol=1e-10)


def test_curve_and_median_limits_agree_with_statsmodels():
    survfunc = pytest.importorskip("statsmodels.duration.survfunc")
    seconds, left = repeated(draw(stats.expon(scale=150), 700, 8))
    other = survfunc.SurvfuncRight(seconds, left.astype(int))
    found = kaplan_meier(seconds, left.astype(float), (~left).astype(float))
    np.testing.assert_allclose(found.survival, other.surv_prob, atol=1e-12)
    np.testing.assert_allclose(found.at_risk, other.n_risk)
    for share in (0.25, 0.5):
        mine = found.quantile(share)
        assert mine.value == other.quantile(share)
        assert (mine.low, mine.high) == other.quantile_ci(share)


def test_a_textbook_example_by_hand():
    # Times 6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+ of 21 patients
    # (Freireich et al. 1963; Cox & Oakes 1984): S(6) .857, S(10) .753, S(23) .448, median 23.
    ended = {6: 3, 7: 1, 10: 1, 13: 1, 16: 1, 22: 1, 23: 1}
    cut = {6: 1, 9: 1, 10: 1, 11: 1, 17: 1, 19: 1, 20: 1, 25: 1, 32: 2, 34: 1, 35: 1}
    times = sorted({*ended, *cut})
    km = kaplan_meier(
        np.array(times, float),
        np.array([ended.get(t, 0) for t in times], float),
        np.array([cut.get(t, 0) for t in times], float),
    )
    assert km.survival.round(3).tolist() == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    median = km.quantile(0.5)
    assert (median.value, median.high) == (23, math.inf)
    assert km.at(5).value == 1
    assert round(km.at(12).value, 3) == 0.753


def test_median_limits_cover_as_often_as_they_say():
    law = stats.lognorm(1.3, scale=120)
    hits = 0
    for seed in range(100):
        found = patience(draw(law, 500, seed)).quantile("patience_p50_s")
        hits += found.low <= 120 <= found.high
    # 95% of 100 within four standard errors of the binomial; rounding to seconds shifts little.
    assert 87 <= hits <= 100


def test_exponential_limits_cover_as_often_as_they_say():
    hits = 0
    for seed in range(120):
        found = patience(draw(stats.expon(scale=200), 120, seed, 60.0))
        estimate = found.quantile("exponential_patience_s")
        hits += estimate.low <= 200 <= estimate.high
    assert 104 <= hits <= 120


# ---- what it says -------------------------------------------------------------------------------


def test_the_exponential_law_is_judged():
    good = patience(draw(stats.expon(scale=200), 50_000, 1))
    assert next(c for c in good.checks if c.name == "Exponential law").status == "holds"
    assert good.frame["distance"][0] < 0.02
    bad = patience(draw(stats.weibull_min(0.5, scale=200), 50_000, 1))
    assert next(c for c in bad.checks if c.name == "Exponential law").status == "fails"


def test_hazard_shows_a_planted_spike():
    rng = np.random.default_rng(5)
    n = 40_000
    patient = rng.exponential(400, n)
    impatient = rng.random(n) < 0.05
    patient[impatient] = rng.uniform(0, 5, impatient.sum())
    found = patience(value_counts(patient, rng.exponential(90, n)))
    first, later = found.hazard.row(0, named=True), found.hazard.row(4, named=True)
    assert (first["from_s"], first["to_s"]) == (0, 5)
    # 5% leave within five seconds, the rest at 1 in 400 a second; of all, those answered in the
    # meantime (1 in 90 a second) aside: 0.0602 abandonments in 4.71 seconds waited.
    assert first["hazard"] == pytest.approx(0.0602 / 4.71, rel=0.04)
    assert first["hazard_low"] < 0.0602 / 4.71 < first["hazard_high"]
    assert later["hazard_low"] < 1 / 400 < later["hazard_high"]


def test_groups_with_few_abandonments_say_what_was_done_instead():
    big = draw(stats.lognorm(1, scale=150), 4000, 1).with_columns(queue=pl.lit("big"))
    few = draw(stats.lognorm(1, scale=150), 120, 2).with_columns(queue=pl.lit("few"))
    rare = few.filter(pl.col("outcome") == "answered").with_columns(queue=pl.lit("rare"))
    found = patience(pl.concat([big, few, rare]), by="queue")
    assert found.frame.select("queue", "method").rows() == [
        ("big", "kaplan_meier"), ("few", "exponential"), ("rare", "pooled")
    ]  # fmt: skip
    assert isinstance(found.law("big"), PatienceCurve)
    assert found.law("few") == found.quantile("exponential_patience_s", "few").value
    assert isinstance(found.law("rare"), PatienceCurve)
    width = [
        found.quantile("exponential_patience_s", q).high
        - found.quantile("exponential_patience_s", q).low
        for q in ("big", "few")
    ]
    assert width[1] > 4 * width[0]
    told = [c.detail for c in found.checks if c.name == "Few abandonments"]
    assert told[0].startswith("few: too few gave up for a curve")
    assert told[1].startswith("rare: too few gave up for any")
    everyone = patience(pl.concat([big, few, rare]).drop("queue"))
    assert everyone.keys == ()
    with pytest.raises(InputError, match="no such group"):
        found.law("none")


def test_too_few_in_all_are_refused():
    waits = draw(stats.expon(scale=2000), 60, 2).filter(pl.col("outcome") == "answered")
    with pytest.raises(DataError, match="too few callers gave up"):
        patience(waits)


def test_calls_that_tell_nothing_are_counted_and_left_out():
    waits = draw(stats.expon(scale=100), 3000, 2)
    direct = pl.DataFrame({"outcome": ["answered", "abandoned"], "queued": [False, True],
                           "seconds": [0, None], "calls": [500, 7]})  # fmt: skip
    more = pl.concat([waits, direct], how="vertical_relaxed")
    assert patience(more).frame.equals(patience(waits).frame)
    assert "500 never queued; of 7 the wait is unknown" in str(patience(more).checks[-1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fewest": 5}, "fewest"),
        ({"level": 95}, "0.95 for 95"),
        ({"edges": [5, 3]}, "rise"),
        ({"by": "nothing"}, "no such key"),
    ],
)
def test_bad_arguments_are_named(change, words):
    with pytest.raises(InputError) as refused:
        patience(draw(stats.expon(scale=100), 500, 2), **change)
    assert words in str(refused.value) or words == "0.95 for 95"


# ---- the curve in models ------------------------------------------------------------------------

LAW = stats.lognorm(1.2, scale=150)


@pytest.fixture(scope="module")
def curve():
    rng = np.random.default_rng(9)
    n = 400_000
    return patience(value_counts(LAW.rvs(n, random_state=rng), rng.exponential(150, n))).law()


def test_the_curve_follows_the_true_law(curve):
    at = np.array([5.0, 20, 60, 150, 300])
    np.testing.assert_allclose(curve.sf(at), LAW.sf(at), atol=0.004)
    assert (np.diff(curve.sf(np.linspace(0, 5000, 20_000))) <= 0).all()
    assert curve.sf(0) == 1
    np.testing.assert_allclose(curve.cdf(at) + curve.sf(at), 1)
    np.testing.assert_allclose(curve.sf(curve.quantile([0.1, 0.5, 0.9, 0.999])),
                               [0.9, 0.5, 0.1, 0.001], rtol=1e-3)  # fmt: skip
    beyond = curve.reliable_s + np.array([0.0, 100, 200])
    tail = np.log(curve.sf(beyond))
    np.testing.assert_allclose(np.diff(tail), -100 * curve.tail)


@pytest.mark.parametrize("agents", [9, 10, 12])
def test_a_queue_with_the_curve_is_the_queue_with_the_law(curve, agents):
    mine = Queue(100, 1800, 180, patience=curve).performance(agents)
    true = Queue(100, 1800, 180, patience=LAW).performance(agents)
    assert mine.abandonment == pytest.approx(true.abandonment, rel=0.02)
    assert mine.mean_wait == pytest.approx(true.mean_wait, rel=0.02)
    assert mine.wait_probability == pytest.approx(true.wait_probability, rel=0.01)


def test_draws_follow_the_curve(curve):
    drawn = curve.sample(20_000, rng=np.random.default_rng(3))
    assert stats.kstest(drawn, curve.cdf).pvalue > 0.001
    assert curve.mean() == pytest.approx(drawn.mean(), rel=0.04)


def test_a_simulation_with_the_curve_meets_the_formula(curve):
    from datetime import UTC, datetime, timedelta

    start = datetime(2025, 3, 3, 9, tzinfo=UTC)
    demand = pl.DataFrame(
        {"interval_start": [start + timedelta(hours=h) for h in range(24)],
         "interval_s": 3600.0, "calls": 200.0, "aht_s": 180.0}
    )  # fmt: skip
    found = simulation.simulate(demand, 10, patience=curve, replications=20, seed=4)
    truth = Queue(200, 3600, 180, patience=curve).performance(10).abandonment
    row = found.overall.row(0, named=True)
    # 20 days from an empty start; their own limits, widened for that start.
    assert row["abandonment_low"] - 0.004 < truth < row["abandonment_high"] + 0.006


def test_curves_with_crooked_knots_are_refused():
    for knots, height, tail in (
        ([0.0, 5.0], [0.1, 0.2], 0.1), ([5.0, 4.0], [0.1, 0.2], 0.1), ([5.0], [-0.1], 0.1),
        ([5.0, 6.0], [0.2, 0.1], 0.1), ([5.0], [0.1], 0.0), ([5.0], [0.1, 0.2], 0.1),
    ):  # fmt: skip
        with pytest.raises(InputError):
            PatienceCurve(knots, height, tail)


# ---- the bank -----------------------------------------------------------------------------------


@pytest.mark.real
def test_the_banks_published_patience(bank_log):
    found = patience(bank_log.waits())
    assert found.quantile("patience_p25_s").value == 91
    assert found.quantile("patience_p50_s").value == 333
    assert round(found.quantile("exponential_patience_s").value) == 378
    february = patience(bank_log.waits(start="1999-02-01", end="1999-03-01"))
    assert february.quantile("patience_p25_s").value == 93
    assert february.quantile("patience_p50_s").value == 280
    assert round(february.quantile("exponential_patience_s").value) == 348


@pytest.mark.real
def test_the_banks_published_patience_by_type(bank_log):
    waits = bank_log.waits(by=["service", "tier"])
    found = patience(waits, by="service")
    for service, quarter, median in (("PS", 104, 609), ("NE", 266, 590), ("NW", 55, 170),
                                     ("IN", 92, 290)):  # fmt: skip
        assert found.quantile("patience_p25_s", service).value == quarter
        estimate = found.quantile("patience_p50_s", service)
        assert estimate.value == median
        assert estimate.low < median < estimate.high
        seconds, left = repeated(waits.filter(pl.col("queued"), pl.col("service") == service))
        data = stats.CensoredData(uncensored=seconds[left], right=seconds[~left])
        other = stats.ecdf(data).sf
        assert other.quantiles[np.argmax(other.probabilities <= 0.5)] == median
        limits = other.confidence_interval(0.95, method="log-log")
        assert limits.low.quantiles[np.argmax(limits.low.probabilities <= 0.5)] == estimate.low
    tiers = patience(waits, by="tier").frame
    assert (tiers["abandoned"] / tiers["calls"]).round(3).to_list() == [0.471, 0.272, 0.150]
