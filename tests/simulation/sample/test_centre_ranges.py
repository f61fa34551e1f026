"""The sample centre's figures against the ranges measured in real centres (METHODS.md §6.2)."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from ccanalytics.simulation.sample.parameters import CentreParameters
from ccanalytics.simulation.sample.services import draw_traits
from ccanalytics.simulation.sample.volumes import draw_volumes

ZONE = "Asia/Shanghai"


def test_abandonment_and_service_level(year):
    offered = year.offered
    abandoned = (offered["outcome"] == "abandoned").mean()
    assert 0.035 < abandoned < 0.19
    in_time = ((offered["outcome"] == "answered") & (offered["wait_s"] <= 20)).mean()
    assert 0.72 < in_time < 0.88
    by_week = (
        offered.group_by(
            pl.col("arrived_at").dt.convert_time_zone(ZONE).dt.truncate("1w").alias("week")
        )
        .agg((pl.col("outcome") == "abandoned").mean())["outcome"]
        .to_numpy()
    )
    assert by_week.std() > 0.005  # staffing errs from week to week


def test_volume(year):
    assert 700_000 < year.calls.height < 900_000


def test_handle_time_is_lognormal(year):
    answered = year.answered
    logs = answered["handle_s"].log().to_numpy()
    assert 0.91 < logs.std() < 0.96
    within = answered.group_by("service").agg(pl.col("handle_s").log().std())["handle_s"]
    assert within.mean() == pytest.approx(0.90, abs=0.02)
    assert abs(((logs - logs.mean()) ** 3).mean() / logs.std() ** 3) < 0.1


def test_redials_after_abandoning(year):
    known = year.calls.filter(pl.col("customer").is_not_null()).sort("customer", "arrived_at")
    again = known.with_columns(
        gap=(pl.col("arrived_at").shift(-1).over("customer") - pl.col("arrived_at"))
        .dt.total_seconds()
        .fill_null(10**9)
    )
    abandoned = again.filter(pl.col("outcome") == "abandoned")["gap"]
    assert 0.36 <= (abandoned <= 3600).mean() < 0.6
    answered = again.filter(pl.col("outcome") == "answered")["gap"]
    assert (answered <= 86_400).mean() < (abandoned <= 86_400).mean() / 2


def test_days_vary_within_the_weekday(year):
    local = pl.col("arrived_at").dt.convert_time_zone(ZONE)
    days = year.calls.group_by(local.dt.date().alias("day")).len()
    spread = days.group_by(pl.col("day").dt.weekday()).agg(
        (pl.col("len").std() / pl.col("len").mean()).alias("cv")
    )
    assert 0.05 < spread["cv"].mean() < 0.09


def test_customers_differ_and_some_withhold(year):
    known = year.calls["customer"].is_not_null().mean()
    assert 0.95 < known < 0.97
    by_customer = year.calls.drop_nulls("customer").group_by("customer").len()["len"]
    assert by_customer.var() / by_customer.mean() > 3  # Poisson callers would give 1


def test_half_hours_are_over_dispersed_at_full_size():
    # 24 weeks of the whole centre's arrivals, without the centre.
    parameters, rng = CentreParameters(), np.random.default_rng(3)
    traits = draw_traits(parameters, rng)
    volumes = draw_volumes(parameters, traits, date(2024, 3, 4), 168, 1.0, rng)
    counts = rng.poisson(volumes.rate).reshape(24, 7, 48)[:, :, 14:]
    ratio = counts.var(axis=0, ddof=1) / counts.mean(axis=0)
    assert 4 < np.median(ratio) < 13
    quiet = CentreParameters(
        day_cv=0, interval_sd=0, service_week_cv=0, bill_lift=1, outage=1, customer_growth=0
    )
    plain = draw_volumes(quiet, traits, date(2022, 8, 1), 56, 1.0, rng)
    counts = rng.poisson(plain.rate).reshape(8, 7, 48)[:, :, 14:]
    assert np.median(counts.var(axis=0, ddof=1) / counts.mean(axis=0)) == pytest.approx(1, abs=0.1)


def test_the_morning_tells_of_the_afternoon():
    parameters, rng = CentreParameters(), np.random.default_rng(4)
    traits = draw_traits(parameters, rng)
    volumes = draw_volumes(parameters, traits, date(2024, 3, 4), 700, 1.0, rng)
    usual = volumes.expected.sum(axis=0)[:, None] * volumes.profile
    excess = volumes.rate / usual
    morning, afternoon = excess[:, 16:24].mean(axis=1), excess[:, 26:36].mean(axis=1)
    assert 0.4 < np.corrcoef(morning, afternoon)[0, 1] < 0.95
    near = np.corrcoef(excess[:, 20], excess[:, 21])[0, 1]
    assert near > np.corrcoef(excess[:, 16], excess[:, 40])[0, 1]


def test_calendar():
    parameters, rng = CentreParameters(customer_growth=0.0), np.random.default_rng(5)
    traits = draw_traits(parameters, rng)
    volumes = draw_volumes(parameters, traits, date(2024, 1, 29), 28, 1.0, rng)
    total = volumes.expected.sum(axis=0)
    assert volumes.profile.sum(axis=1) == pytest.approx(1)
    # From 29 January 2024; the festival is on Saturday 10 February, its eve a Friday.
    assert total[22] == pytest.approx(total[23])  # both in the bill window of the 20th
    assert total[22] > 1.02 * total[25]  # and the 23rd is not
    by_plan_change = volumes.expected[2]  # no billing: the day's level alone
    usual = by_plan_change[8]
    assert by_plan_change[11] == pytest.approx(usual * parameters.festival)
    assert by_plan_change[17] == pytest.approx(usual * parameters.festival)  # 15 February
    assert by_plan_change[18] == pytest.approx(usual * parameters.holiday)  # off until the 17th
    assert by_plan_change[19] == pytest.approx(usual * parameters.saturday)
    assert by_plan_change[20] == pytest.approx(usual)  # Sunday 18 February, worked
    assert by_plan_change[27] == pytest.approx(usual * parameters.sunday)
    assert (volumes.profile[20] == volumes.profile[8]).all()
    assert (volumes.profile[27] != volumes.profile[8]).any()
