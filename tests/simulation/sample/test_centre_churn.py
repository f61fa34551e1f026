"""Customers who leave, terms that end, and a channel that lives off another: files and truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from ccanalytics.simulation import CentreParameters
from ccanalytics.simulation.sample.churn import stay_longer
from ccanalytics.simulation.sample.days import calendar_of
from ccanalytics.simulation.sample.population import draw_population, first_day_without
from ccanalytics.simulation.sample.volumes import growth

STRONG = CentreParameters(
    customer_turnover=0.5, churn_subscribed=0.4, churn_failed=0.3, opt_in=0.6, renewal=0.7
)


@pytest.fixture(scope="module")
def leaving(make_sample):
    """A centre whose customers leave often, and for reasons."""
    return make_sample(weeks=26, scale=0.04, seed=11, parameters=STRONG)


@pytest.fixture(scope="module")
def customers(leaving):
    return leaving.table("customers")


def test_the_rate_of_leaving_is_the_one_given():
    p = CentreParameters(customer_turnover=0.4, customer_growth=0.0)
    days = 546
    population = draw_population(
        p, calendar_of(date(2024, 1, 1), days), 0.1, np.random.default_rng(1)
    )
    there = np.minimum(population.leaves, days) - np.maximum(population.joined, 0)
    years = there[population.joined < days].sum() / 365
    left = int((population.leaves < days).sum())
    assert abs(left - 0.4 * years) < 4 * (0.4 * years) ** 0.5


@pytest.mark.parametrize("grows", [0.0, 0.06, 0.5])
def test_customers_grow_as_calls_do(grows):
    p, days = CentreParameters(customer_growth=grows, customer_turnover=0.3), 546
    population = draw_population(
        p, calendar_of(date(2024, 1, 1), days), 0.2, np.random.default_rng(2)
    )
    day = np.arange(0, days, 60)
    there = np.array(
        [((population.joined <= each) & (population.left > each)).sum() for each in day]
    )
    wanted = growth(p, days)[day]
    assert there / there.mean() == pytest.approx(wanted / wanted.mean(), rel=0.02)


def test_a_hazard_that_is_halved_takes_twice_as_long():
    p = CentreParameters(churn_subscribed=0.5)
    leaves = np.array([5.5, 15.25, 30.25, 200.5], np.float32)
    started, until = np.array([-1, 10, 10, 10], np.int32), np.array([-1, 100, 100, 100], np.int32)
    # 10 + 5.25 / 0.5; 10 + 20.25 / 0.5; and 45 days later beyond the term.
    assert stay_longer(p, leaves, started, until).tolist() == [6, 21, 51, 246]
    alike = replace(p, churn_subscribed=1.0)
    assert (stay_longer(alike, leaves, started, until) == first_day_without(leaves)).all()


def test_customers_lost_because_of_a_cause_are_as_expected(leaving, customers):
    told = leaving.truth["churn"]
    assert told["customers"] == customers.height
    assert told["lost"] == customers["left_on"].is_not_null().sum()
    because = told["lost_because"]
    assert told["lost"] == (
        told["lost_of_their_own_accord"] + sum(each["counted"] for each in because.values())
    )
    for name, sign in (("reminders", -1), ("failed_self_service", 1)):
        expected, counted = because[name]["expected"], because[name]["counted"]
        assert sign * expected > 100
        assert abs(counted - expected) < 4 * abs(expected) ** 0.5
        assert because[name]["per_case"] == pytest.approx(expected / because[name]["cases"])


def test_the_log_shows_that_subscribers_stay_and_failures_drive_away(leaving, customers):
    """By person-days, as an analyst would: the same rates, without any truth."""
    p = STRONG
    subscriptions = leaving.table("subscriptions")
    spells = subscriptions.with_columns(end=pl.col("ended_on").fill_null(date(2024, 7, 1))).join(
        customers, on="customer"
    )
    days = (spells["end"] - spells["started_on"]).dt.total_days().sum()
    lost = (spells["left_on"] == spells["ended_on"]).sum()
    rate = p.customer_turnover / 365
    failed = leaving.events.filter(~pl.col("completed") & (pl.col("stage") != "during_call"))
    driven = failed["customer"].n_unique()
    assert driven > 2000
    joined = failed.join(customers, on="customer")
    soon = (
        (joined["left_on"] - joined["at"].dt.convert_time_zone("Asia/Shanghai").dt.date())
        .dt.total_days()
        .is_between(0, 30)
        .sum()
    )
    # Of 0.3, 1 − 1/e within the mean delay; and the usual rate on top.
    assert soon / joined.height == pytest.approx(p.churn_failed * (1 - np.exp(-1)), abs=0.05)
    never = spells.filter(~pl.col("customer").is_in(failed["customer"].implode()))
    exposure = (never["end"] - never["started_on"]).dt.total_days().sum()
    left = (never["left_on"] == never["ended_on"]).sum()
    wanted = rate * p.churn_subscribed * exposure
    assert abs(left - wanted) < 4 * wanted**0.5 + 0.02 * wanted
    assert lost > left
    assert days > exposure


def test_nobody_is_heard_of_after_leaving(leaving, customers):
    zone = "Asia/Shanghai"
    left = customers.drop_nulls("left_on").select("customer", "left_on")
    messages = leaving.table("reminders").join(left, on="customer")
    on = pl.col("sent_at").dt.convert_time_zone(zone).dt.date()
    assert messages.filter(on >= pl.col("left_on")).is_empty()
    terms = leaving.table("subscriptions").join(left, on="customer")
    assert terms.filter(pl.col("ended_on") > pl.col("left_on")).is_empty()
    web = leaving.events.filter(pl.col("stage") == "own_initiative").join(left, on="customer")
    on = pl.col("at").dt.convert_time_zone(zone).dt.date()
    assert web.filter(on >= pl.col("left_on")).is_empty()
    # A call that follows a contact may come a little later than the leaving.
    calls = leaving.calls.join(left, on="customer")
    on = pl.col("arrived_at").dt.convert_time_zone(zone).dt.date()
    late = calls.filter(on >= pl.col("left_on"))
    assert late.height < 0.01 * leaving.calls.height


def test_without_reasons_nobody_is_lost_because(make_sample):
    plain = make_sample(
        weeks=8, scale=0.02, parameters=CentreParameters(churn_subscribed=1.0, churn_failed=0.0)
    )
    because = plain.truth["churn"]["lost_because"]
    assert all(each["counted"] == 0 for each in because.values())
    assert all(abs(each["expected"]) < 1e-9 for each in because.values())


def test_terms_end_after_ninety_days_and_are_renewed_by_lot(leaving, customers):
    terms = leaving.table("subscriptions").sort("customer", "started_on")
    length = (terms["ended_on"] - terms["started_on"]).dt.total_days()
    assert length.max() == 90
    renewals = terms.filter(pl.col("source") == "renewal")
    before = renewals.join(
        terms, left_on=["customer", "started_on"], right_on=["customer", "ended_on"]
    )
    assert before.height == renewals.height  # each begins on the day on which another ended
    left = customers.drop_nulls("left_on").select("customer", "left_on")
    over = (
        terms.drop_nulls("ended_on")
        .join(left, on="customer", how="left")
        .filter(pl.col("left_on").is_null() | (pl.col("left_on") > pl.col("ended_on")))
    )
    low, high = binom.interval(1 - 1e-4, over.height, STRONG.renewal)
    assert low <= renewals.height <= high
    told = leaving.truth["expected"]["renewals"]
    assert told["renewed"] == renewals.height
    assert told["expired"] == over.height - renewals.height
    assert told["needs_answered"] > 0


def test_the_web_hall_takes_from_the_sms_hall(sample):
    told = sample.truth["expected"]["cannibalised"]
    hall = sample.events.filter(
        (pl.col("channel") == "sms") & (pl.col("stage") == "own_initiative")
    )
    assert hall["call_id"].null_count() == hall.height
    assert hall.height == told["sms_hall_uses"]["counted"] - told["from_sms_hall"]["counted"]
    assert set(hall["service"]) == {f"Q{each:02d}" for each in range(1, 15)}
    for each in told.values():
        assert abs(each["counted"] - each["expected"]) < 4 * each["expected"] ** 0.5
        assert each["expected"] > 500
    dates = dict(sample.services.select("service", "sms_hall_on").rows())
    assert all((dates[code] is not None) == code.startswith("Q") for code in dates)
    assert max(day for day in dates.values() if day) < date(2024, 1, 1)


def test_the_sms_hall_falls_where_the_web_hall_comes(make_sample):
    """An analyst's two-by-two: services that the web hall took up within the log, and others."""
    centre = make_sample(
        weeks=26,
        scale=0.02,
        seed=3,
        parameters=CentreParameters(sms_hall=15_000, web_takes_sms_hall=0.6),
    )
    hall = centre.events.filter(
        (pl.col("channel") == "sms") & (pl.col("stage") == "own_initiative")
    )
    on = dict(centre.services.select("service", "web_hall_on").rows())
    local = pl.col("at").dt.convert_time_zone("Asia/Shanghai").dt.date()
    by = dict(
        hall.group_by("service", local.alias("on"))
        .len()
        .group_by("service")
        .agg("on", "len")
        .select("service", pl.struct("on", "len"))
        .rows()
    )
    came = [
        code
        for code, day in on.items()
        if code in by and date(2024, 1, 29) < day < date(2024, 4, 1)
    ]
    assert came
    for code in came:
        counts = dict(zip(by[code]["on"], by[code]["len"], strict=True))
        before = [n for day, n in counts.items() if day < on[code]]
        late = [n for day, n in counts.items() if (day - on[code]).days > 60]
        # Full use is 0.6; after sixty days and more 1 − exp(−60/45) of it at least.
        assert 0.3 < np.mean(late) / np.mean(before) < 0.7
