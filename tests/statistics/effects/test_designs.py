"""Designs with a control: planted truth without noise, other fits, and what cannot be answered."""

from __future__ import annotations

import datetime as dt
import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import optimize

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.effects import (
    NEVER,
    group_time,
    segmented_units,
    staggered,
    structural,
    synthetic_control,
    synthetic_did,
)
from ccanalytics.statistics.effects.local_level import fit_local_level
from ccanalytics.statistics.effects.weights import fit_weights

CONTROLLED = [staggered, group_time, synthetic_did, synthetic_control, structural]
FOR_ONE = [synthetic_did, synthetic_control, structural]
MONDAY = dt.date(2024, 1, 1)
LIVE = np.array([24, 28, 32, 36, 40, 44] + 8 * [NEVER])


def estimate(design, calls, live, **more):
    weeks = [MONDAY + dt.timedelta(weeks=k) for k in range(calls.shape[1])]
    units = [f"u{i:02d}" for i in range(len(calls))]
    return design(calls, live, units=units, weeks=weeks, **more)


def worlds(live=LIVE, change=0.88, weeks=60, noise=0.0, seed=1):
    rng = np.random.default_rng(seed)
    size = np.linspace(900, 100, len(live))[:, None]
    week = np.exp(0.1 * np.sin(np.arange(weeks) / 7) + 0.05 * rng.standard_normal(weeks))
    event = np.arange(weeks)[None, :] - np.asarray(live)[:, None]
    mean = size * week * np.where(event >= 0, change, 1.0)
    if noise:
        return rng.poisson(mean * np.exp(noise * rng.standard_normal(mean.shape))).astype(float)
    return mean


@pytest.mark.parametrize("design", CONTROLLED)
def test_an_effect_without_noise_is_found_whatever_moves_all_units(design):
    found = estimate(design, worlds(), LIVE)
    assert found.relative.value == pytest.approx(-0.12, abs=2e-4)
    assert found.units == 6
    assert found.placebo.value == pytest.approx(0, abs=5e-4)
    assert found.design in found.inputs.get("design", found.design)
    removed = (worlds(change=1.0) - worlds())[np.arange(60)[None, :] > LIVE[:, None]].sum()
    assert found.removed_per_week.value * found.weeks.height == pytest.approx(removed, rel=5e-3)
    events = dict(found.events.select("event", "relative").iter_rows())
    assert events[3] == pytest.approx(-0.12, abs=5e-4)
    assert events[-3] == pytest.approx(0, abs=1e-3)
    assert "Grade: weak, since only" not in found.summary()
    assert found.to_frame().equals(found.events)


@pytest.mark.parametrize("design", CONTROLLED)
def test_another_roll_out_is_held_apart_and_one_on_the_same_days_refused(design):
    start = np.array([10, 50, 20, 45, 12, 52, 15, 30, 33, 22, 41, 18, 60, 60])
    other = (np.arange(60)[None, :] >= start[:, None]).astype(float)
    calls = worlds() * np.where(other > 0, 0.7, 1.0)
    found = estimate(design, calls, LIVE, others={"app": other})
    assert found.relative.value == pytest.approx(-0.12, abs=2e-3)
    same = (np.arange(60)[None, :] >= LIVE[:, None]).astype(float)
    with pytest.raises(DataError, match="cannot be told apart"):
        estimate(design, worlds(), LIVE, others={"app": same})


def test_a_group_is_held_against_the_same_weeks_of_those_not_live_yet():
    calls = worlds(noise=0.05)
    live = np.where(np.arange(14) < 4, 30, NEVER)
    found = estimate(group_time, calls, live, base_weeks=6)
    own, control = calls[:4], calls[4:]
    ratio = own[:, 31:].sum() / (
        own[:, 24:30].sum() / 6 * control[:, 31:].sum() / (control[:, 24:30].sum() / 6)
    )
    assert found.relative.value == pytest.approx(ratio - 1, abs=1e-9)
    logs = []
    for i in range(14):
        rest = [j for j in range(14) if j != i]
        logs.append(np.log1p(estimate(group_time, calls[rest], live[rest], base_weeks=6)
                             .relative.value))  # fmt: skip
    error = np.sqrt(13 / 14 * ((np.array(logs) - np.mean(logs)) ** 2).sum())
    half = np.log1p(found.relative.high) - np.log1p(found.relative.value)
    assert half > 1.96 * error  # Student's t on fewer degrees
    without = dict(found.without.iter_rows())
    assert without["u02"] == pytest.approx(np.expm1(logs[2]), abs=1e-9)


def test_weights_near_the_optimum_of_another_solver():
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((40, 6)), rng.standard_normal(40)
    got = fit_weights(
        (a.T @ a)[None], (a.T @ b)[None], np.array([b @ b]), np.array([4.0]), np.ones((1, 6)),
        np.array([1e-12]),
    )[0]  # fmt: skip

    def miss(w):
        return ((a @ w - b) ** 2).sum() + 4 * (w**2).sum()

    best = optimize.minimize(
        miss, np.full(6, 1 / 6), bounds=[(0, 1)] * 6,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
    )  # fmt: skip
    assert got.sum() == pytest.approx(1)
    assert (got >= 0).all()
    assert miss(got) == pytest.approx(best.fun, rel=1e-5)


def test_a_wandering_level_as_statsmodels_finds_it():
    rng = np.random.default_rng(3)
    x = rng.standard_normal(80)
    y = 5 + 0.7 * x[:60] + np.cumsum(0.3 * rng.standard_normal(60)) + 0.5 * rng.standard_normal(60)
    ours = fit_local_level(y, x, 4000, rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = sm.tsa.UnobservedComponents(
            y, level="llevel", exog=x[:60, None], mle_regression=False
        )
        theirs = model.fit(disp=False)
    assert ours.noise == pytest.approx(theirs.params[0], rel=0.15)
    assert ours.ratio == pytest.approx(theirs.params[1] / theirs.params[0], rel=0.35)  # a grid
    assert ours.slope == pytest.approx(theirs.smoothed_state[1, -1], abs=0.02)
    ahead = theirs.get_forecast(20, exog=x[60:, None])
    drawn = np.log(ours.draws)
    assert drawn.std(axis=0) == pytest.approx(ahead.se_mean, rel=0.15)
    assert drawn.mean(axis=0) == pytest.approx(ahead.predicted_mean, abs=0.15)


@pytest.mark.parametrize("design", FOR_ONE)
def test_one_unit_alone_is_answered_with_a_grade_that_says_so(design):
    live = np.where(np.arange(14) == 3, 40, NEVER)
    found = estimate(design, worlds(live, noise=0.04), live)
    assert found.units == 1
    assert found.live == ("u03",)
    assert found.grade == "weak"
    assert found.relative.low < -0.12 < found.relative.high
    assert "u03: 1" in found.headline()
    with pytest.raises(DataError, match=r"only one unit went live.*synthetic_control"):
        estimate(staggered, worlds(live), live)


@pytest.mark.parametrize("design", [*FOR_ONE, segmented_units])
def test_three_weeks_of_history_are_refused(design):
    live = np.where(np.arange(14) == 3, 3, NEVER)
    with pytest.raises(DataError, match=r"only 3 weeks before|too few weeks before"):
        estimate(design, worlds(live), live)


def test_short_histories_are_no_structural_series():
    live = np.where(np.arange(14) == 3, 12, NEVER)
    with pytest.raises(DataError, match="at least 20"):
        estimate(structural, worlds(live), live)


@pytest.mark.parametrize("design", FOR_ONE)
def test_without_units_that_stay_untreated_nothing_is_synthetic(design):
    live = np.array([20] * 11 + [NEVER] * 3)
    with pytest.raises(DataError, match="too few units stay untreated"):
        estimate(design, worlds(live), live)


def test_units_out_of_reach_are_no_control_and_show_calls_that_moved():
    live, calls = np.where(np.arange(14) < 5, 30, NEVER), None
    calls = worlds(live, noise=0.03, seed=5)
    calls[5:12, 30:] *= 1.12  # what left the live units turned up here
    told = estimate(staggered, calls, live, outside=["u12", "u13"])
    assert told.controls_moved.value == pytest.approx(0.12, abs=0.05)
    assert told.alarm
    assert told.grade == "weak"
    assert "moved there" in told.reason
    assert "u12, u13: it is out of the roll-out's reach" in " ".join(map(str, told.checks))
    still = estimate(staggered, worlds(live, noise=0.03, seed=5), live, outside=["u12", "u13"])
    assert not still.controls_moved.excludes_zero
    with pytest.raises(InputError, match="no such unit"):
        estimate(staggered, calls, live, outside=["u99"])
    with pytest.raises(InputError, match="within the roll-out's reach"):
        estimate(staggered, calls, live, outside=["u01"])


def test_services_chosen_because_they_were_falling_show_a_drift():
    calls = worlds(noise=0.03)
    rank = np.linspace(1, 0, 14)[:, None]
    falling = calls * np.exp(-0.4 * rank * np.arange(60) / 52)
    found = estimate(staggered, falling, LIVE)
    assert found.drift.high < 0
    assert found.alarm
    assert found.grade == "weak"
    assert not estimate(staggered, calls, LIVE).drift.excludes_zero


def test_before_and_after_added_up_has_no_control_and_says_so():
    calls = np.round(worlds(noise=0.04) / worlds(change=1.0) * 500)
    found = estimate(segmented_units, calls, LIVE)
    assert found.grade == "weak"
    assert found.controls == 0
    assert found.relative.low < -0.12 < found.relative.high
    assert found.units == 6
    one = estimate(segmented_units, calls[:1], LIVE[:1])
    assert one.units == 1
    weeks = found.weeks
    assert weeks["calls"].sum() == calls[np.arange(60)[None, :] > LIVE[:, None]].sum()


def test_options_that_cannot_be():
    with pytest.raises(InputError, match="base_weeks"):
        estimate(group_time, worlds(), LIVE, base_weeks=0)
    with pytest.raises(InputError, match="no such controls"):
        estimate(group_time, worlds(), LIVE, controls="some")
