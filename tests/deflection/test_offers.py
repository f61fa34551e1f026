"""Offers by lot from frames of the log: how often limits cover, and when the lot is doubted."""

from __future__ import annotations

import os

import numpy as np
import polars as pl
import pytest

from ccanalytics import deflection
from ccanalytics.errors import DataError, InputError
from ccanalytics.simulation.panels import RollOut, draw_panels, draw_reminders

FULL = bool(os.environ.get("CCANALYTICS_FULL"))
WORLDS = 1000 if FULL else 40
WINDOWS = {"before_days": 12, "lead_days": 12, "after_days": 14}


def judged(name, rows):
    """Coverage, standard error over spread and bias as the issue asks, or as so few worlds can."""
    value, true, low, high, error, alarm = np.array(rows, float).T
    off, n = value - true, value.size
    cover, ratio = ((low <= true) & (true <= high)).mean(), error.mean() / off.std(ddof=1)
    bias = abs(off.mean() / true.mean())
    print(
        f"| {name} | {n:,} | {true.mean():+.3f} | {cover:.1%} | {ratio:.2f} | {bias:.1%} | "
        f"{alarm.mean():.1%} |"
    )
    room = 0.02 if FULL else 3 * np.sqrt(0.05 * 0.95 / n)
    assert 0.95 - room <= cover <= min(0.95 + room, 1)
    wide = 0.0 if FULL else 0.3
    assert 0.9 - wide <= ratio <= 1.15 + wide
    chance = (
        (2 if FULL else 3.5) * off.std(ddof=1) / np.sqrt(n)
    )  # what so many worlds cannot tell from bias
    assert abs(off.mean()) <= 0.05 * abs(true.mean()) + chance
    assert alarm.mean() <= 0.10 + (0 if FULL else 0.1)


def failed(found):
    return any(check.status == "fails" for check in found.checks)


def logs(estimate, true):
    return [np.log1p(x) for x in (estimate.value, true, estimate.low, estimate.high)]


@pytest.mark.parametrize(
    ("design", "estimate"),
    [("randomised", deflection.randomised), ("encouragement", deflection.encouraged)],
)
def test_limits_cover_in_worlds_of_units(design, estimate):
    worlds = draw_panels(worlds=WORLDS, seed=3, design=design)
    everybody, takers = [], []
    for i in range(WORLDS):
        truth = worlds.truth(i)
        found = estimate(worlds.panel(i), worlds.rollouts(i), use=worlds.use(i), draws=99)
        true = logs(found.relative, truth.overall().relative)
        everybody.append((*true, found.errors["relative"], failed(found)))
        some = found.complier_relative
        error = found.errors["complier_relative"]
        takers.append((some.value, truth.complier, some.low, some.high, error, failed(found)))
    judged(f"{design}, units: all", everybody)
    judged(f"{design}, units: takers", takers)
    assert found.grade in ("strong", "weak")
    assert found.f_statistic == np.inf


def truths(worlds, i):
    """Relative change of those invited, and of those brought to subscribe, in their windows."""
    world, truth = worlds.world(i), worlds.truth(i, "waves")
    sums = np.zeros((2, 2))
    for wave in np.unique(world.wave):
        mine = world.wave == wave
        day = int(world.wave_day[mine][0])
        stop = day + WINDOWS["after_days"]
        if day < 24 or stop > len(worlds.days) or not (world.wave_day >= stop).any():
            continue
        brought = mine & (world.subscribed_on == day) & (world.own_on > day)
        for row, who in enumerate((mine, brought)):
            sums[row] += (
                truth.expected[who, day:stop].sum(),
                truth.expected_without[who, day:stop].sum(),
            )
    return sums[:, 0] / sums[:, 1] - 1


def test_limits_cover_in_worlds_of_customers():
    """Frequent callers subscribe by themselves: only the waves can tell."""
    many = WORLDS if FULL else 15
    causes = {"customers": 5000, "effect": -0.3, "selection": 0.5, "calls_per_month": 2.0}
    worlds = draw_reminders(worlds=many, seed=21, **causes)
    everybody, takers = [], []
    for i in range(many):
        true, brought = truths(worlds, i)
        found = deflection.encouraged(worlds.offers(i, **WINDOWS), by_lot=True)
        alarm = failed(found)
        everybody.append((*logs(found.relative, true), found.errors["relative"], alarm))
        some = found.complier_relative
        takers.append(
            (some.value, brought, some.low, some.high, found.errors["complier_relative"], alarm)
        )
    judged("encouragement, customers: all", everybody)
    judged("encouragement, customers: takers", takers)
    assert found.strata == 5
    assert "wave 6: no control" in str(found.checks[-1])


def test_a_lot_that_is_none_is_found_out():
    """Frequent callers were invited first: balance fails, and the answer is weak."""
    many = 200 if FULL else 8
    worlds = draw_reminders(worlds=many, seed=22, customers=3000, effect=-0.3, by_rate=0.3)
    caught = [
        deflection.encouraged(worlds.offers(i, **WINDOWS), by_lot=True).grade == "weak"
        for i in range(many)
    ]
    print(f"| waves by call rate, customers | {many} | alarms {np.mean(caught):.1%} |")
    assert np.mean(caught) >= 0.8


def test_units_that_grow_apart_are_found_out():
    """Units were chosen by their growth: the weeks just before show it."""
    many = 200 if FULL else 10
    growth = RollOut(waves=1, first=0.5, last=0.5, never=0.5, compliance=0.6, trend_gap=0.5)
    worlds = draw_panels(worlds=many, seed=5, design="staggered", effect=growth)
    caught = [
        failed(deflection.randomised(worlds.panel(i), worlds.rollouts(i), by_lot=True, draws=9))
        for i in range(many)
    ]
    print(f"| units by growth | {many} | alarms {np.mean(caught):.1%} |")
    assert np.mean(caught) >= 0.8 - (0 if FULL else 0.2)


def test_an_answer_without_use_or_lot_says_so():
    worlds = draw_panels(worlds=1, seed=3, units=20, design="randomised")
    found = deflection.randomised(worlds.panel(0), worlds.rollouts(0))
    assert found.take_up is None
    assert "Who took it up is not known" in found.summary()
    assert found.unit == "service"
    no_lot = worlds.rollouts(0).with_columns(randomised=pl.lit(None, pl.Boolean))
    assert deflection.randomised(worlds.panel(0), no_lot).grade in ("moderate", "weak")
    told = deflection.encouraged(worlds.panel(0), no_lot, window_weeks=10)
    assert told.design == "encouraged"


def test_what_may_be_nothing_is_not_told_of_those_who_took_it_up():
    worlds = draw_reminders(worlds=1, customers=3000, days=150, effect=0.0, seed=2)
    found = deflection.encouraged(worlds.offers(0), draws=50)
    assert not found.complier_relative.excludes_zero
    assert "no change that the data can show in these" in found.headline()
    assert "these called" not in found.headline()


def test_what_cannot_be_answered():
    worlds = draw_reminders(worlds=1, customers=200, days=90, waves=1)
    alone = worlds.offers(0, before_days=5, lead_days=5, after_days=10)
    with pytest.raises(DataError, match="nobody to compare"):
        deflection.encouraged(alone)
    with pytest.raises(DataError, match="nobody was invited"):
        deflection.encouraged(alone.clear())
    with pytest.raises(InputError, match="lacks a column"):
        deflection.randomised(alone.drop("assigned"))
    with pytest.raises(InputError, match="no such option"):
        deflection.randomised(alone, window_weeks=4)
    panels = draw_panels(worlds=1, units=6, periods=20)
    panel, dates = panels.panel(0), panels.rollouts(0)
    late = dates.with_columns(live_on=pl.date(2030, 1, 1))
    with pytest.raises(DataError, match="nothing went live within the log"):
        deflection.randomised(panel, late)
    at_once = dates.with_columns(live_on=pl.date(2024, 3, 4))
    every = pl.concat([at_once, at_once[:1].with_columns(unit=pl.lit("U06"))]).unique("unit")
    every = every.filter(pl.col("unit").is_in(panel["unit"].unique().implode()))
    whole = panel.filter(pl.col("unit").is_in(every["unit"].implode()))
    with pytest.raises(DataError, match="nobody to compare"):
        deflection.randomised(whole, every)
    with pytest.raises(InputError, match="window_weeks"):
        deflection.randomised(panel, dates, window_weeks=0)
