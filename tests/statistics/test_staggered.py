"""Staggered roll-outs: closed forms, another library's fit, worlds whose truth is known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.effects import NEVER, staggered
from ccanalytics.statistics.effects.two_way import fitted

MONDAY = dt.date(2024, 1, 1)


def weeks_of(n):
    return [MONDAY + dt.timedelta(weeks=k) for k in range(n)]


def estimate(calls, live, **more):
    units = [f"u{i:02d}" for i in range(len(calls))]
    return staggered(calls, live, units=units, weeks=weeks_of(calls.shape[1]), **more)


def random_calls(rng, units=12, weeks=40):
    size = rng.uniform(20, 400, (units, 1))
    week = np.exp(0.2 * rng.standard_normal((1, weeks)))
    return rng.poisson(size * week).astype(float)


def test_one_date_is_the_ratio_of_ratios():
    calls = random_calls(np.random.default_rng(1))
    live = np.where(np.arange(12) < 5, 20, NEVER)
    found = estimate(calls, live)
    treated, control = calls[:5], calls[5:]
    ratio = treated[:, 21:].sum() / treated[:, :20].sum()
    # The week of going live is a week for the controls as well, and no more.
    ratio /= control[:, 21:].sum() / control[:, :20].sum()
    assert found.relative.value == pytest.approx(ratio - 1, abs=1e-7)
    assert found.units == 5
    assert found.controls == 7
    assert found.unit_weeks == 5 * 19


def test_the_fit_is_that_of_a_poisson_regression_with_dummies():
    rng = np.random.default_rng(2)
    calls = random_calls(rng, units=7, weeks=15)
    live = np.array([4, 6, 9, 12, 99, 99, 99])
    other = np.clip(np.arange(15)[None, :] - np.array([[3], [20], [8], [5], [2], [20], [10]]), 0, 1)
    used = (np.arange(15)[None, :] < live[:, None]).astype(float)
    ours = fitted(calls, used, other[None].astype(float))
    unit, week = np.meshgrid(np.arange(7), np.arange(15), indexing="ij")
    design = np.column_stack(
        [np.eye(7)[unit.ravel()], np.eye(15)[week.ravel()][:, 1:], other.ravel()]
    )
    some = used.ravel() > 0
    theirs = sm.GLM(calls.ravel()[some], design[some], family=sm.families.Poisson()).fit(tol=1e-12)
    assert ours.ravel() == pytest.approx(np.exp(design @ theirs.params), rel=1e-5)


def test_the_jackknife_by_hand():
    calls = random_calls(np.random.default_rng(3))
    live = np.array([12, 15, 18, 20, 22, 25, 28, 30] + 4 * [NEVER])
    found = estimate(calls, live)
    logs = []
    for i in range(12):
        rest = [j for j in range(12) if j != i]
        logs.append(np.log1p(estimate(calls[rest], live[rest]).relative.value))
    error = np.sqrt(11 / 12 * ((np.array(logs) - np.mean(logs)) ** 2).sum())
    pulls = (np.array(logs) - np.mean(logs)) ** 2
    degrees = min(2 * pulls.sum() ** 2 / (pulls**2).sum(), 11)
    assert found.degrees == pytest.approx(degrees, rel=1e-4)
    middle, half = np.log1p(found.relative.value), stats.t.ppf(0.975, degrees) * error
    assert np.log1p(found.relative.low) == pytest.approx(middle - half, abs=1e-6)
    assert np.log1p(found.relative.high) == pytest.approx(middle + half, abs=1e-6)
    without = dict(found.without.iter_rows())
    assert without["u03"] == pytest.approx(np.expm1(logs[3]), abs=1e-6)


def test_an_effect_without_noise_is_found_exactly_whatever_its_course():
    size = np.linspace(100, 900, 10)[:, None]
    week = 1 + 0.3 * np.sin(np.arange(60) / 9)[None, :]
    live = np.array([10, 15, 20, 25, 30, 35, 40, 45, NEVER, NEVER])
    event = np.arange(60)[None, :] - live[:, None]
    course = np.where(event >= 1, 0.8 + 0.2 * np.exp(-event.clip(0) / 5), 1.0)
    found = estimate(size * week * course, live)
    mean = size * week
    cells = event >= 1
    truth = (mean * course)[cells].sum() / mean[cells].sum() - 1
    assert found.relative.value == pytest.approx(truth, abs=1e-7)
    events = dict(found.events.select("event", "relative").iter_rows())
    assert events[1] == pytest.approx(0.2 * np.exp(-1 / 5) - 0.2, abs=1e-6)
    assert all(abs(events[e]) < 1e-6 for e in range(-8, 0))
    assert found.placebo.value == pytest.approx(0, abs=1e-6)
    assert found.weeks["counterfactual"].sum() == pytest.approx(mean[cells].sum(), rel=1e-6)
    per_week = (mean * (1 - course))[cells].sum() / found.weeks.height
    assert found.removed_per_week.value == pytest.approx(per_week, rel=1e-5)


def test_another_roll_out_of_the_same_units_is_held_apart():
    size, live = np.linspace(100, 900, 12)[:, None], np.array([10 + 3 * i for i in range(12)])
    event = np.arange(60)[None, :] - live[:, None]
    other_live = np.array([30, 8, 22, 41, 15, 35, 12, 27, 50, 19, 44, 33])
    other = (np.arange(60)[None, :] >= other_live[:, None]).astype(float)
    calls = size * np.where(event >= 0, 0.9, 1.0) * np.where(other > 0, 0.7, 1.0)
    apart = estimate(calls, live, others={"other": other})
    assert apart.relative.value == pytest.approx(-0.1, abs=1e-5)
    assert abs(estimate(calls, live).relative.value + 0.1) > 0.01


def test_another_roll_out_on_the_same_days_is_refused():
    calls = random_calls(np.random.default_rng(7))
    live = np.array([12, 15, 18, 20, 22, 25, 28, 30] + 4 * [NEVER])
    same = (np.arange(40)[None, :] >= live[:, None]).astype(float)
    with pytest.raises(DataError, match=r"cannot be told apart.*app"):
        estimate(calls, live, others={"app": same})
    # One that was always there, or never, is in the units' levels.
    for share in (np.ones_like(same), np.zeros_like(same)):
        beside = estimate(calls, live, others={"app": share})
        assert beside.relative == estimate(calls, live).relative


def test_growth_before_going_live_is_seen_and_lowers_the_grade():
    rng = np.random.default_rng(4)
    live = np.array([20, 24, 28, 32, 36, 40, 44, 48] + 12 * [NEVER])
    event = np.arange(60)[None, :] - live[:, None]
    ahead = np.where(event >= -8, 0.85, 1.0)  # they fell before anything went live
    calls = rng.poisson(np.linspace(200, 600, 20)[:, None] * ahead).astype(float)
    found = estimate(calls, live)
    assert found.placebo.excludes_zero
    assert found.grade == "weak"
    assert found.checks[0].status == "fails"


def test_units_that_cannot_serve_are_left_out_with_the_reason():
    calls = random_calls(np.random.default_rng(5))
    calls[3, :] = 0
    live = np.array([-4, 3, 20, NEVER] + [25, 28] + 6 * [NEVER])
    found = estimate(calls, live)
    told = " ".join(str(check) for check in found.checks)
    assert "u00: it was live before the first week" in told
    assert "u01: only 3 weeks before it went live" in told
    assert "u03: no call before it went live" in told
    assert found.units == 3


def test_what_cannot_be_answered():
    calls = random_calls(np.random.default_rng(6))
    with pytest.raises(DataError, match="while others have it"):
        estimate(calls, np.full(12, 20))
    with pytest.raises(DataError, match="nothing went live"):
        estimate(calls, np.full(12, NEVER))
    with pytest.raises(DataError, match="too few units"):
        estimate(calls[:3], np.array([20, 25, NEVER]))
    with pytest.raises(InputError, match="units × weeks"):
        estimate(calls, np.full(5, 20))
    with pytest.raises(InputError, match="0 or more"):
        estimate(-calls, np.full(12, 20))
    with pytest.raises(InputError, match="level"):
        estimate(calls, np.full(12, 20), level=95)
