import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.effects import segmented

MONDAY = dt.date(2024, 1, 1)


def weeks_of(n):
    return [MONDAY + dt.timedelta(weeks=k) for k in range(n)]


def world(rng, *, n=52, at=26, effect=-0.08, correlation=0.4, sd=0.05, level=600):
    """Weekly counts with a trend, correlated weeks, Poisson noise, and a step at week ``at``."""
    errors = rng.normal(size=n + 60)
    for i in range(1, n + 60):
        errors[i] = correlation * errors[i - 1] + errors[i] * np.sqrt(1 - correlation**2)
    mean = level * np.exp(sd * errors[60:] - sd**2 / 2 + 0.1 * np.arange(n) / 52)
    return rng.poisson(mean * np.where(np.arange(n) >= at, 1 + effect, 1))


def test_a_planted_step_is_found_exactly_where_there_is_no_noise():
    k = np.arange(60)
    calls = 1000 * np.exp(0.004 * k) * np.where(k > 30, 0.9, 1)
    effect = segmented(weeks_of(60), calls, MONDAY + dt.timedelta(weeks=30, days=3), unit="x")
    assert effect.relative.value == pytest.approx(-0.1, abs=1e-9)
    after = calls[31:]
    assert effect.removed_per_week.value == pytest.approx((after / 0.9 - after).mean(), rel=1e-9)
    assert (effect.weeks_before, effect.weeks_after) == (30, 29)
    series = effect.series
    assert series["phase"].to_list() == ["before"] * 30 + ["transition"] + ["after"] * 29
    assert series["fitted"].null_count() == 1
    assert series["counterfactual"].drop_nulls().to_numpy() == pytest.approx(after / 0.9, rel=1e-9)


def test_a_growing_effect_is_averaged_over_the_weeks_after():
    k = np.arange(60)
    growth = np.where(k > 30, 0.95 - 0.004 * (k - 31), 1)
    calls = 1e5 * growth
    effect = segmented(weeks_of(60), calls, weeks_of(60)[30], slope=True)
    truth = calls[31:].sum() / 1e5 / 29 - 1
    assert effect.relative.value == pytest.approx(truth, abs=0.001)


def test_exposure_by_degrees():
    k = np.arange(60)
    dose = np.clip((k - 20) / 20, 0, 1)
    calls = 1e4 * np.exp(0.002 * k - 0.2 * dose)
    effect = segmented(weeks_of(60), calls, weeks_of(60)[21], exposure=dose)
    assert effect.relative.value == pytest.approx(
        calls[21:].sum() / (calls[21:] * np.exp(0.2 * dose[21:])).sum() - 1, abs=1e-9
    )


def test_working_days_take_holidays_out():
    k = np.arange(60)
    days = np.where(k % 9 == 4, 3, 5)
    calls = 200.0 * days * np.where(k > 30, 0.9, 1)
    with_days = segmented(weeks_of(60), calls, weeks_of(60)[30], working_days=days)
    without = segmented(weeks_of(60), calls, weeks_of(60)[30])
    assert with_days.relative.value == pytest.approx(-0.1, abs=1e-9)
    assert abs(without.relative.value + 0.1) > 1e-4
    assert "per working day" in with_days.summary()


def test_the_season_enters_only_where_the_series_is_long_enough():
    k = np.arange(120)
    calls = 1000 * np.exp(0.2 * np.sin(2 * np.pi * k * 7 / 365.2425)) * np.where(k > 70, 0.9, 1)
    long = segmented(weeks_of(120), calls, weeks_of(120)[70])
    assert long.inputs["season"] == 1
    assert long.relative.value == pytest.approx(-0.1, abs=1e-6)
    short = segmented(weeks_of(60), calls[:60], weeks_of(60)[30])
    assert short.inputs["season"] == 0
    assert any(check.name == "season" for check in short.checks)


def test_intervals_cover_planted_effects_and_placebos_stay_quiet():
    """200 worlds of 52 weeks: near 95% cover; alarms in at most a tenth (binomial, 99.9%)."""
    rng = np.random.default_rng(20)
    hits = alarms = 0
    for _ in range(200):
        effect = segmented(weeks_of(52), world(rng), weeks_of(52)[26])
        hits += effect.relative.low <= -0.08 <= effect.relative.high
        alarms += any(placebo.relative.excludes_zero for placebo in effect.placebos)
        assert effect.grade == "weak"
    assert 178 <= hits <= 200
    assert alarms <= 34


def test_a_break_before_the_change_raises_the_alarm():
    k = np.arange(80)
    calls = 1000 * np.where(k > 25, 0.8, 1) * np.where(k > 55, 0.9, 1) + k % 5
    effect = segmented(weeks_of(80), calls, weeks_of(80)[55])
    check = next(check for check in effect.checks if check.name == "placebo dates")
    assert check.status == "fails"


def test_no_effect_reads_as_none_that_shows():
    rng = np.random.default_rng(5)
    effect = segmented(weeks_of(52), world(rng, effect=0), weeks_of(52)[26], unit="balance")
    assert not effect.relative.excludes_zero
    assert effect.summary().startswith("balance: no change that the data can show")
    assert "weak" in effect.summary()
    assert "without a control" in effect.summary()


def test_the_words_and_the_frame():
    k = np.arange(60)
    calls = np.where(k > 30, 700, 1000) + k % 7
    effect = segmented(weeks_of(60), calls, weeks_of(60)[30], unit="balance")
    assert "fewer calls after 2024-07-29 than would have come" in effect.summary()
    frame = effect.to_frame()
    assert frame.height == 1
    assert frame["grade"].item() == "weak"
    assert frame["relative_low"].item() < frame["relative"].item() < frame["relative_high"].item()
    removed = effect.removed_per_week
    assert 0 < removed.low < removed.value < removed.high


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(2, 50))
def test_scaling_the_counts_leaves_the_relative_effect(seed, factor):
    calls = world(np.random.default_rng(seed), n=30, at=15)
    one = segmented(weeks_of(30), calls, weeks_of(30)[15], placebos=0)
    many = segmented(weeks_of(30), calls * factor, weeks_of(30)[15], placebos=0)
    assert many.relative.value == pytest.approx(one.relative.value, rel=1e-6)
    assert many.relative.low == pytest.approx(one.relative.low, rel=1e-6)
    assert many.removed_per_week.value == pytest.approx(
        factor * one.removed_per_week.value, rel=1e-6
    )


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"live_on": MONDAY - dt.timedelta(days=1)}, DataError, "outside the weeks"),
        ({"live_on": "2026-01-01"}, DataError, "outside the weeks"),
        ({"live_on": weeks_of(40)[7]}, DataError, "7 weeks, at least 8"),
        ({"live_on": weeks_of(40)[32]}, DataError, "7 weeks, at least 8"),
        ({"calls": np.zeros(40)}, DataError, "holds no calls"),
        ({"calls": np.r_[np.full(21, 100), np.zeros(19)]}, DataError, "too few calls after"),
        ({"calls": np.full(39, 5)}, InputError, "40 weeks, 39 counts"),
        ({"calls": np.r_[-1, np.full(39, 5)]}, InputError, "calls=-1"),
        ({"calls": np.r_[np.nan, np.full(39, 5)]}, InputError, "calls=nan"),
        ({"weeks": [*weeks_of(39), MONDAY]}, InputError, "seven days apart"),
        ({"weeks": weeks_of(80)[::2]}, InputError, "seven days apart"),
        ({"live_on": "soon"}, InputError, "live_on='soon'"),
        ({"live_on": None}, InputError, "live_on=None"),
        ({"level": 95}, InputError, "level=95"),
        ({"season": 1}, DataError, "less than two years"),
        ({"season": -1}, InputError, "season=-1"),
        ({"exposure": np.full(40, 2.0)}, InputError, "exposure"),
        ({"exposure": np.ones(40)}, InputError, "exposed before"),
        ({"working_days": np.ones(3)}, InputError, "3 for 40 weeks"),
    ],
)
def test_refusals(changes, error, words):
    settings = {"weeks": weeks_of(40), "calls": np.full(40, 100), "live_on": weeks_of(40)[20]}
    with pytest.raises(error) as caught:
        segmented(**(settings | changes))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_eight_weeks_on_either_side_suffice():
    effect = segmented(weeks_of(17), np.arange(17) % 3 + 100, weeks_of(17)[8])
    assert (effect.weeks_before, effect.weeks_after) == (8, 8)
    assert effect.placebos == ()
