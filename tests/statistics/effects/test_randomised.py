"""Offers by lot: hand-made numbers, another library's, and lots that are none."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.effects import randomised
from ccanalytics.statistics.effects import trial as trials
from ccanalytics.statistics.effects.trial import fieller


def by_lot(seed=1, size=3000, effect=-0.5, take=0.4, own=0.1, **more):
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.8, 1.0, size)
    lot = rng.random(size) < 0.5
    always, never = rng.random(size) < own, rng.random(size) < 1 - take
    taken = always | (lot & ~never)
    calls = rng.poisson(rate * np.where(taken, 1 + effect, 1.0))
    before, lead = rng.poisson(rate), rng.poisson(rate / 2)
    return {
        "after": calls, "assigned": lot, "before": before, "lead": lead, "taken": taken,
        "taken_before": always, "by_lot": True, **more,
    }  # fmt: skip


def test_one_stratum_without_covariate_is_the_difference_of_means():
    data = by_lot()
    calls, lot = data["after"], data["assigned"]
    found = randomised(calls, lot)
    one, other = calls[lot], calls[~lot]
    assert found.change.value == pytest.approx(one.mean() - other.mean(), abs=1e-12)
    error = np.sqrt(one.var() / one.size + other.var() / other.size)
    assert found.errors["change"] == pytest.approx(error, rel=1e-3)
    assert found.relative.value == pytest.approx(one.mean() / other.mean() - 1, abs=1e-12)
    assert found.removed.value == pytest.approx(-lot.sum() * found.change.value)


def test_strata_count_as_their_assigned_by_hand():
    # Stratum a: 4 against 2 calls each, two assigned; b: 1 against 2, four assigned.
    after = [4, 4, 1, 3, 1, 1, 1, 1, 2, 2]
    lot = [1, 1, 0, 0, 1, 1, 1, 1, 0, 0]
    found = randomised(after, lot, stratum=["a"] * 4 + ["b"] * 6)
    assert found.change.value == pytest.approx((2 * 2 + 4 * -1) / 6)
    assert found.control_mean.value == pytest.approx(2)
    assert found.by_stratum["relative"].to_list() == pytest.approx([1.0, -0.5])
    assert found.grade == "weak"
    assert "only 4 customers" in found.reason


def test_two_stage_least_squares_and_its_first_stage_of_another_library():
    """linearmodels 7.1: IV2SLS of calls on take-up, the lot as instrument, robust covariance."""
    data = by_lot(seed=4, size=400)
    found = randomised(data["after"], data["assigned"], taken=data["taken"])
    assert found.complier.value == pytest.approx(-0.3299890049477752, abs=1e-9)
    assert found.errors["complier"] == pytest.approx(0.3403865534642349, rel=0.01)
    assert found.take_up.value == pytest.approx(0.3638, abs=5e-5)
    assert found.f_statistic == pytest.approx(73.776, rel=0.01)


def test_anderson_rubin_limits_are_where_the_test_just_rejects():
    covariance = np.array([[0.04, 0.01], [0.01, 0.02]])
    low, high = fieller(-1.0, 2.0, covariance, 1.96)
    for ratio in (low, high):
        gap = -1.0 - ratio * 2.0
        variance = np.array([1, -ratio]) @ covariance @ np.array([1, -ratio])
        assert gap**2 == pytest.approx(1.96**2 * variance)
    assert low < -0.5 < high
    # An assignment that moves nobody for certain leaves no end.
    assert fieller(-1.0, 0.2, covariance, 1.96) is None


def test_leaving_each_out_and_the_linear_form_agree(monkeypatch):
    data = by_lot(size=380)
    exact = randomised(**data)
    monkeypatch.setattr(trials, "_EXACT", 10)
    linear = randomised(**data)
    assert linear.relative.value == exact.relative.value
    for name, error in exact.errors.items():
        assert linear.errors[name] == pytest.approx(error, rel=0.02)


def test_a_subject_in_several_strata_is_one_cluster():
    data = by_lot(size=300)
    twice = {key: np.concatenate([data[key], data[key]]) for key in ("after", "assigned", "before")}
    who = np.tile(np.arange(300), 2)
    strata = np.repeat(["a", "b"], 300)
    once = randomised(data["after"], data["assigned"], before=data["before"])
    found = randomised(subject=who, stratum=strata, **twice)
    apart = randomised(stratum=strata, **twice)
    assert found.errors["change"] == pytest.approx(once.errors["change"], rel=1e-6)
    assert apart.errors["change"] < 0.75 * found.errors["change"]


def test_calls_before_tighten_the_limits_and_move_the_estimate_little():
    data = by_lot()
    plain = randomised(data["after"], data["assigned"])
    sharp = randomised(**data)
    assert sharp.errors["change"] < 0.9 * plain.errors["change"]
    saved = 1 - (sharp.errors["change"] / plain.errors["change"]) ** 2
    assert sharp.tightened == pytest.approx(saved, abs=0.05)
    assert abs(sharp.change.value - plain.change.value) < 2 * plain.errors["change"]


def test_the_p_value_is_that_of_all_lots():
    after = np.array([0, 1, 3, 5, 1, 0, 2, 9.0])
    lot = np.array([1, 1, 1, 1, 0, 0, 0, 0], bool)
    gap = abs(after[lot].mean() - after[~lot].mean())
    extreme = 0
    for chosen in combinations(range(8), 4):
        mine = np.isin(np.arange(8), chosen)
        extreme += abs(after[mine].mean() - after[~mine].mean()) >= gap - 1e-12
    found = randomised(after, lot, draws=20_000)
    assert found.p_value == pytest.approx(extreme / 70, abs=0.012)
    # Of many rows the lot's own moments stand for draws.
    many = by_lot(size=1600, effect=-0.05)
    few = randomised(many["after"][:1450], many["assigned"][:1450])
    wide = randomised(many["after"], many["assigned"])
    assert wide.p_value == pytest.approx(few.p_value, abs=0.25)


def test_a_sound_lot_is_strong_and_says_what_it_could_have_seen():
    found = randomised(**by_lot())
    assert found.grade == "strong"
    assert {check.status for check in found.checks} == {"holds"}
    assert found.complier_relative.low < -0.5 < found.complier_relative.high
    assert 0 < found.detectable < 0.5
    assert "whether or not they took it up" in found.summary()
    assert randomised(**by_lot() | {"by_lot": None}).grade == "moderate"
    assert randomised(**by_lot() | {"by_lot": False}).grade == "weak"


def test_a_lot_that_favours_callers_is_weak_with_the_reason():
    data = by_lot()
    rng = np.random.default_rng(2)
    chance = np.where(data["before"] > 1, 0.7, 0.4)
    data["assigned"] = rng.random(3000) < chance
    found = randomised(**data)
    assert found.grade == "weak"
    assert "balance" in found.reason
    assert any(c.status == "fails" and "more than a lot" in c.detail for c in found.checks)


def test_a_lot_that_moves_nobody_leaves_the_takers_unknown():
    data = by_lot(size=800)
    data["taken"] = np.arange(800) % 3 == 0
    weak = randomised(**data)
    assert weak.f_statistic < 10
    assert weak.complier is None
    assert weak.complier_relative is None
    assert "too few to say" in weak.headline()
    assert any(c.name == "Strength of the lot" and c.status == "fails" for c in weak.checks)
    assert weak.grade == "moderate"  # of all assigned, what is said stands
    assert randomised(**data, design="encouraged").grade == "weak"


def test_units_of_different_size_are_measured_in_their_calls_before():
    rng = np.random.default_rng(6)
    size = np.geomspace(50, 5000, 40)
    lot = rng.permutation(40) < 20
    use = np.where(lot, 0.6, 0.1)
    before, lead = rng.poisson(size * 30), rng.poisson(size * 5)
    after = rng.poisson(size * 20 * (1 - 0.2 * use))
    found = randomised(
        after, lot, before=before, lead=lead, taken=use, per="before", unit="service", by_lot=True
    )
    assert found.relative.value == pytest.approx((1 - 0.12) / (1 - 0.02) - 1, abs=0.01)
    assert found.complier_relative.value == pytest.approx(-0.2, abs=0.02)
    assert found.f_statistic == np.inf
    assert "all assigned alike" in " ".join(c.detail for c in found.checks)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"assigned": np.ones(3000)}, DataError, "no control"),
        ({"after": np.zeros(3000)}, DataError, "no call"),
        ({"after": -np.ones(3000)}, InputError, "0 or more"),
        ({"taken": np.full(3000, 2.0)}, InputError, "between 0 and 1"),
        ({"before": np.ones(5)}, InputError, "one value"),
        ({"assigned": np.full(3000, 0.5)}, InputError, "true or false"),
        ({"per": "call"}, InputError, "per subject or per call"),
        ({"level": 95}, InputError, "level"),
    ],
)
def test_what_cannot_be_answered(change, error, words):
    with pytest.raises(error, match=words):
        randomised(**by_lot() | change)
