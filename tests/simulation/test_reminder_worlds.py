from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from scipy import stats

from ccanalytics import simulation
from ccanalytics.errors import InputError
from ccanalytics.schema import TABLES
from ccanalytics.simulation.panels.quantile import poisson_counts, sparse_counts

SMALL = {"customers": 400, "days": 60}


def draw(**options):
    return simulation.draw_reminders(**{**SMALL, **options})


def near(values, truth, errors=4.5):
    """The mean of independent values is the truth, within its Monte Carlo error."""
    values = np.asarray(values, float)
    return abs(values.mean() - truth) < errors * values.std(ddof=1) / np.sqrt(values.size)


def test_sparse_counts_are_the_poisson_quantile():
    u = np.random.default_rng(1).random(20_000)
    for rate in (1e-4, 0.02, 0.7, 4.0, 30.0):
        mean = np.full(u.size, rate)
        counts = sparse_counts(u, mean)
        np.testing.assert_array_equal(counts, stats.poisson.ppf(u, rate))
        np.testing.assert_array_equal(counts, poisson_counts(stats.norm.ppf(u), mean))
    edge = np.array([0.0, np.nextafter(1, 0)])
    assert sparse_counts(edge, np.array([0.5, 0.5])).tolist()[0] == 0
    assert 10 < sparse_counts(edge, np.array([0.5, 0.5])).tolist()[1] < 20


def test_a_world_depends_on_seed_and_number_alone():
    many, one = draw(worlds=9), draw(worlds=5)
    many.panel(1)
    assert many.panel(4).equals(one.panel(4))
    assert many.subscriptions(4).equals(one.subscriptions(4))
    assert not many.panel(3).equals(many.panel(4))


def test_without_effect_reminders_change_nothing():
    truth = draw(effect=0).truth(0)
    np.testing.assert_array_equal(truth.realised, truth.realised_without)
    np.testing.assert_array_equal(truth.expected, truth.expected_without)


@pytest.mark.parametrize(
    ("cause", "same"),
    [
        ("effect", ["base", "subscribed_on", "luck"]),
        ("bill_rise", ["bill_day", "subscribed_on", "luck"]),
        ("day_cv", ["bill_day", "subscribed_on", "luck"]),
        ("wave_opt_in", ["base", "own_on", "wave", "luck"]),
        ("own_opt_in", ["base", "wave", "luck"]),
    ],
)
def test_removing_a_cause_leaves_the_others_bit_for_bit(cause, same):
    whole, less = draw().world(2), draw(**{cause: 0}).world(2)
    for name in same:
        np.testing.assert_array_equal(getattr(whole, name), getattr(less, name))


def test_days_since_a_reminder_and_a_bill_follow_the_calendar():
    world = draw(start="2024-01-03", bill_rise=2, bill_fade=1, day_cv=0).world(0)
    # Reminders go out on the 5th, 10th, 15th and 25th.
    assert world.since[:10].tolist() == [-1, -1, 0, 1, 2, 3, 4, 0, 1, 2]
    first = np.flatnonzero(world.bill_day == 1)[0]  # billed two days before the span, then 1 Feb
    ratio = world.base[first] / world.base[first, 26]  # 29 January; all three are weekdays
    assert ratio[0] == pytest.approx(1 + 2 * np.exp(-2), rel=1e-9)
    assert ratio[29] == pytest.approx(3, rel=1e-9)


def test_calls_have_the_mean_and_spread_of_the_parameters():
    worlds = draw(worlds=40, effect=0, bill_rise=0, saturday=1, sunday=1, day_cv=0)
    calls = [worlds.world(i).calls() for i in range(40)]
    assert near([each.mean() * 30 for each in calls], 0.6)
    per_customer = np.concatenate([each.sum(axis=1) for each in calls])
    assert near((per_customer - 1.2) ** 2, 1.2 + 1.2**2 / 0.6)  # Poisson mixed by gamma
    alike = draw(caller_shape=1e8, bill_rise=0, saturday=1, sunday=1, day_cv=0).world(0).base
    np.testing.assert_allclose(alike * 30, 0.6, rtol=1e-3)
    noisy = draw(worlds=200, customers=2, day_cv=0.2, bill_rise=0, saturday=1, sunday=1)
    luck = np.stack([noisy.world(i).base[0] / noisy.world(i).base[0].mean() for i in range(200)])
    assert near(luck.var(axis=1, ddof=1), 0.2**2, errors=6)


def test_effect_by_day_since_the_reminder():
    table = draw(effect=-0.4, half_life=2, induced=0.1).truth(0).by_day()
    expected = [-0.3, -0.4 / 2**0.5, -0.2, -0.4 / 2**1.5]
    np.testing.assert_allclose(table["relative"], expected, atol=1e-12)
    truth = draw(effect=-0.4, window=2).truth(0)
    outside = (truth.since >= 2) | (truth.since < 0)
    np.testing.assert_array_equal(truth.expected[:, outside], truth.expected_without[:, outside])


def test_realised_effects_tend_to_expected_ones():
    worlds = draw(worlds=150, effect=-0.3)
    found = [worlds.truth(i).overall() for i in range(150)]
    assert near([each["removed_realised"] - each["removed"] for each in found], 0)
    assert np.std([each["removed_realised"] for each in found]) > 0


def test_the_truth_of_waves_is_of_those_they_brought():
    worlds = draw(effect=-0.3)
    world, truth = worlds.world(0), worlds.truth(0, "waves")
    brought = (world.own_on > 0) & (world.subscribed_on < 60)
    assert set(np.flatnonzero(truth.reached.any(axis=1))) <= set(np.flatnonzero(brought))
    own = world.own_on < 0
    np.testing.assert_array_equal(truth.expected[own], truth.expected_without[own])
    assert truth.overall()["relative"] == pytest.approx(-0.3)


def test_naive_comparison_fails_by_selection_and_waves_do_not():
    """Calls in reminder windows, of subscribers against others and of invited against not yet."""
    worlds = draw(worlds=60, customers=1500, effect=-0.3, selection=1.0, wave_opt_in=0.8)
    naive, instrumented = [], []
    for i in range(60):
        world = worlds.world(i)
        calls, works = world.calls(), (world.since >= 0) & (world.since < 4)
        middle = works & (np.arange(60) > 20) & (np.arange(60) < 48)
        own = world.own_on < 0
        first, last = world.wave == 1, world.wave == 6
        mean = calls[:, middle].mean(axis=1)
        naive.append(mean[own].mean() / mean[~own & ~world.reached().any(axis=1)].mean() - 1)
        # The first wave was sent, the last one was not: what they differ by, per call of those
        # whom an invitation can bring.
        before = world.calls("reminders")[~own][:, middle].mean() * (~own).mean() * 0.8
        instrumented.append((mean[first].mean() - mean[last].mean()) / before)
    assert np.mean(naive) > 0.1  # subscribers call more, although the reminders remove calls
    assert near(instrumented, -0.3)
    assert not near(instrumented, 0)


def test_tables_have_the_columns_of_the_schema():
    worlds = draw()
    for name in ("subscriptions", "reminders"):
        frame = getattr(worlds, name)(0)
        assert frame.columns == [column.name for column in TABLES[name].columns]
        key = list(TABLES[name].key)
        assert frame.select(key).is_duplicated().sum() == 0
    sent, started = worlds.reminders(0), worlds.subscriptions(0)
    assert sent["sent_at"].dtype == pl.Datetime("us", "UTC")
    assert sent["sent_at"].min() == dt.datetime(2024, 1, 5, 1, tzinfo=dt.UTC)
    joined = sent.join(started, on="customer", how="left")
    assert (joined["started_on"] <= joined["sent_at"].dt.date()).all()
    assert joined["started_on"].null_count() == 0


def test_groups_and_customers_add_up():
    worlds = draw()
    groups, panel = worlds.groups(0), worlds.panel(0)
    assert groups["calls"].sum() == panel["calls"].sum() == worlds.world(0).calls().sum()
    per_day = groups.group_by("on").agg(pl.col("customers").sum())
    assert per_day["customers"].to_list() == [400] * 60
    table = worlds.customers_table(0)
    assert table["bill_day"].unique().sort().to_list() == [1, 5, 10, 15, 20]
    assert table.group_by("wave", "wave_on").len().height == 6


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"customers": 0}, "customers=0"),
        ({"days": 1.5}, "days=1.5"),
        ({"seed": -1}, "seed=-1"),
        ({"effect": -15}, "write a fall by 15% as -0.15"),
        ({"effect": float("nan")}, "effect=nan"),
        ({"effect": -0.5, "induced": -0.6}, "induced=-0.6"),
        ({"own_opt_in": 15}, "write 15% as 0.15"),
        ({"own_opt_in": 0, "selection": 1}, "own_opt_in=0"),
        ({"window": 0}, "window=0"),
        ({"calls_per_month": 0}, "calls_per_month=0"),
        ({"first": 0.9, "last": 0.1}, "first=0.9"),
        ({"reminders": 3}, "reminders"),
        ({"start": "2024-13-01"}, "2024-13-01"),
        ({"customers": 10**6}, "customers=1000000, days=60"),
        ({"customers": 1, "days": 10**7}, "the calendar ends before (days=10000000)"),
        ({"time_zone": "Nowhere"}, "Nowhere"),
    ],
)
def test_bad_input_is_named(options, told):
    with pytest.raises(InputError) as caught:
        draw(**options)
    assert told in str(caught.value)


def test_worlds_and_causes_that_do_not_exist_are_named():
    worlds = draw(worlds=2)
    with pytest.raises(InputError, match="0 to 1"):
        worlds.panel(2)
    with pytest.raises(InputError, match="without='bills'"):
        worlds.truth(0, without="bills")
