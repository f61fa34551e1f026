"""What the centre promises to hold, found in its files by someone who knows no parameter."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from ccanalytics.schema import TABLES

DAY = pl.col("arrived_at").dt.convert_time_zone("Asia/Shanghai").dt.date().alias("on")


@pytest.fixture(scope="module")
def by_day(sample):
    first = sample.first_line.group_by(DAY).len("calls")
    return sample.table("days").join(first, on="on").sort("on")


def test_every_table_of_the_schema_has_rows(sample):
    written = {name.split("_20")[0].removesuffix(".csv") for name in sample.centre.rows}
    # What only a switch writes is in no sample: its events, and its counts by interval.
    assert written == set(TABLES) - {"queue_events", "interval_counts"}
    assert min(sample.centre.rows.values()) > 0


def test_spring_festival_is_quiet_and_its_make_up_days_are_worked(by_day):
    festival = by_day.filter(pl.col("on").is_between(date(2024, 2, 9), date(2024, 2, 15)))
    usual = by_day.filter(pl.col("workday") & (pl.col("on") < date(2024, 2, 4)))["calls"].mean()
    assert festival["calls"].mean() < 0.92 * usual
    assert festival["holiday"].drop_nulls().unique().to_list() == ["Spring Festival"]
    worked = by_day.filter(pl.col("make_up"))
    assert (worked["on"].dt.weekday() > 5).all()
    assert worked["workday"].all()
    assert worked.height == 5


def test_the_outage_is_one_day_of_fault_calls(sample):
    faults = sample.first_line.filter(pl.col("service").is_in(["T05", "Q11"]))
    counts = faults.group_by(DAY).len().sort("len")
    assert counts["len"][-1] > 3 * counts["len"].median()
    assert counts["len"][-1] > 2 * counts["len"][-2]


def test_waves_move_subscriptions_by_lot(sample):
    """The mass SMS as an instrument: an early wave subscribes before a later one is asked."""
    invited = sample.table("reminders").drop_nulls("wave").select("customer", "wave", "sent_at")
    waves = invited.group_by("wave").agg(pl.col("sent_at").min(), pl.len()).sort("sent_at")
    assert waves.height >= 4
    spread = waves["len"].max() / waves["len"].min()
    assert spread < 1.1  # alike in size, as by lot
    first, last = waves["wave"][0], waves["wave"][-1]
    before = waves["sent_at"][-1].date()
    started = sample.table("subscriptions").filter(
        pl.col("source").str.starts_with("wave") & (pl.col("started_on") < before)
    )
    share = {
        wave: started["customer"]
        .is_in(invited.filter(pl.col("wave") == wave)["customer"].implode())
        .sum()
        / invited.filter(pl.col("wave") == wave).height
        for wave in (first, last)
    }
    assert share[first] > 0.1
    assert share[last] == 0


def test_sites_clients_and_employers(sample):
    assert set(sample.agents["site"]) == {"east", "west", "south"}
    taken = sample.calls.drop_nulls("site")["site"].value_counts()
    assert taken.height == 3
    assert taken["count"].min() > 0.03 * taken["count"].sum()
    assert set(sample.agents["employer"]) == {"in-house", "outsourced"}
    contracts = sample.table("contracts")
    assert set(contracts["client"]) == set(sample.calls["client"])
    assert contracts["penalty"].is_between(0, 1).all()
    prices = dict(contracts.select("client", "price").rows())
    assert len(set(prices.values())) == 3


def test_the_centre_grows(make_sample):
    from ccanalytics.simulation import CentreParameters

    centre = make_sample(
        weeks=52,
        scale=0.01,
        seed=2,
        parameters=CentreParameters(customer_growth=1.0, web_use_query=0, web_use_transaction=0),
    )
    customers = centre.table("customers")
    there = [
        customers.filter(
            (pl.col("joined_on") <= day) & (pl.col("left_on").is_null() | (pl.col("left_on") > day))
        ).height
        for day in (date(2024, 1, 1), date(2024, 12, 1))
    ]
    assert there[1] / there[0] == pytest.approx(2 ** (335 / 365), rel=0.05)
    months = dict(centre.first_line.group_by(DAY.dt.month()).len().rows())
    assert months[12] / months[1] == pytest.approx(2 ** (335 / 365), rel=0.15)
    lines = centre.truth["lines"]
    assert lines["central-1"]["erlangs"][-1] > 1.5 * lines["central-1"]["erlangs"][0]
    assert lines["from_day"][1] - lines["from_day"][0] == timedelta(days=91).days
