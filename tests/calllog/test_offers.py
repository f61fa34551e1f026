"""Offers, reminders and leaving counted in the log, against worlds that count them in arrays."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from ccanalytics.errors import DataError, InputError
from ccanalytics.simulation.panels import draw_reminders

ZONE = "Asia/Shanghai"
CAUSES = {
    "calls_per_month": 6.0, "term": 30, "renewal": 0.5, "leaving": 1.0, "own_opt_in": 0.2,
    "wave_opt_in": 0.5, "waves": 4,
}  # fmt: skip
WINDOWS = {"before_days": 10, "lead_days": 8, "after_days": 15}


def tables_of(worlds, i=0):
    """The world as rows of canonical tables."""
    who = worlds.customers_table(i)
    calls = []
    for customer, on, n in worlds.panel(i).iter_rows():
        at = dt.datetime.combine(on, dt.time(4), dt.UTC)
        # Each call is about something else, so that all are first attempts.
        calls += [
            {"customer": customer, "arrived_at": at, "service": f"s{len(calls) + k}", "talk_s": 60}
            for k in range(n)
        ]
    last = dt.datetime.combine(worlds.days[-1], dt.time(15, 59), dt.UTC)
    first = dt.datetime.combine(worlds.days[0] - dt.timedelta(days=1), dt.time(16), dt.UTC)
    calls += [{"arrived_at": at, "talk_s": 1} for at in (first, last)]  # the log covers all days
    invitations = [
        {
            "customer": customer,
            "kind": "invitation",
            "wave": f"wave {wave}",
            "sent_at": dt.datetime.combine(on, dt.time(1), dt.UTC),
        }
        for customer, wave, on, left in who.select(
            "customer", "wave", "wave_on", "left_on"
        ).iter_rows()
        if on <= worlds.days[-1] and (left is None or on < left)
    ]
    return {
        "calls": calls,
        "customers": who.select("customer", "bill_day", "left_on").to_dicts(),
        "subscriptions": worlds.subscriptions(i).to_dicts(),
        "reminders": worlds.reminders(i).to_dicts() + invitations,
    }


@pytest.fixture(scope="module")
def world_and_log(make_log):
    worlds = draw_reminders(customers=150, days=130, worlds=1, seed=4, time_zone=ZONE, **CAUSES)
    return worlds, make_log(time_zone=ZONE, **tables_of(worlds))


def test_offers_are_those_of_the_world(world_and_log):
    worlds, log = world_and_log
    told = log.offers(**WINDOWS)
    assert told.equals(worlds.offers(0, **WINDOWS))
    assert told["assigned"].any()
    assert told["left"].any()
    assert told["taken_before"].any()
    assert told.filter(pl.col("assigned"))["taken"].mean() > 0.3


def test_days_after_reminders_and_around_expiry_are_those_of_the_world(world_and_log):
    worlds, log = world_and_log
    told = log.reminded(around_days=14)
    assert told.equals(worlds.reminded(0, around_days=14))
    assert set(told["state"]) == {"reminded", "never subscribed", "expired"}
    # Each customer's call of a day is in at most one of the first two states.
    some = told.filter(pl.col("state") != "expired")
    assert some["calls"].sum() <= worlds.panel(0)["calls"].sum()
    assert some["customers"].sum() <= 150 * 130


def test_a_log_in_parts_gives_what_it_gives_whole(world_and_log, monkeypatch):
    from ccanalytics.calllog import engine

    worlds, log = world_and_log
    monkeypatch.setattr(engine, "_ROWS_HELD", 1000)
    assert log.table("calls").height > 2000
    assert log.offers(**WINDOWS).equals(worlds.offers(0, **WINDOWS))
    assert log.reminded(around_days=14).equals(worlds.reminded(0, around_days=14))


def test_who_leaves_is_that_of_the_world(world_and_log):
    worlds, log = world_and_log
    told = log.leaving()
    assert told.equals(worlds.leaving(0))
    gone = worlds.customers_table(0)["left_on"].drop_nulls()
    assert told["left"].sum() == gone.len()


def test_facts_count_messages_to_unknown_customers(make_log):
    at = dt.datetime(2025, 3, 3, 1, tzinfo=dt.UTC)
    log = make_log(
        [{"arrived_at": at, "customer": "a"}],
        customers=[{"customer": "a"}],
        reminders=[
            {"customer": "a", "kind": "bill", "sent_at": at},
            {"customer": "b", "kind": "bill", "sent_at": at},
            {"customer": "b", "kind": "offer", "wave": "w", "sent_at": at},
        ],
    )
    told = log.reminder_facts()
    assert told.select("kind", "wave", "messages", "customers", "unknown").rows() == [
        ("bill", None, 2, 2, 1),
        ("offer", "w", 1, 1, 1),
    ]
    assert make_log([{"arrived_at": at}]).reminder_facts().height == 0


def test_who_was_invited_before_the_days_asked_for_is_no_control(world_and_log):
    worlds, log = world_and_log
    whole = log.offers(**WINDOWS)
    start = worlds.days[40]
    part = log.offers(**WINDOWS, start=start)
    waves = set(part["wave"])
    assert 0 < len(waves) < whole["wave"].n_unique()
    assert part.equals(whole.filter(pl.col("wave").is_in(list(waves))))
    leaving = log.leaving()
    assert log.leaving(start=start).equals(leaving.filter(pl.col("on") >= start))
    days = log.reminded(around_days=14)
    assert log.reminded(around_days=14, start=start).equals(days.filter(pl.col("on") >= start))


def test_redials_count_once(make_log):
    start = dt.datetime(2025, 3, 3, 1, tzinfo=dt.UTC)
    day = dt.timedelta(days=1)
    calls = [{"arrived_at": start}, {"arrived_at": start + 20 * day}]
    calls += [
        {"arrived_at": start + 6 * day + dt.timedelta(minutes=k), "customer": "a", "service": "x"}
        for k in range(3)
    ]
    log = make_log(
        calls,
        customers=[{"customer": "a"}, {"customer": "b"}],
        reminders=[
            {"customer": "a", "kind": "i", "wave": "w", "sent_at": start + 4 * day},
            {"customer": "b", "kind": "i", "wave": "v", "sent_at": start + 10 * day},
        ],
        subscriptions=[{"customer": "a", "kind": "bill", "started_on": dt.date(2025, 3, 8)}],
    )
    windows = {"before_days": 2, "lead_days": 2, "after_days": 5}
    assert log.offers(**windows).filter(wave="w")["after"].to_list() == [1, 0]
    told = log.offers(**windows, quiet_s=30)
    assert told.filter(wave="w")["after"].to_list() == [3, 0]
    assert told.filter(wave="w")["taken"].to_list() == [True, False]


def test_a_wave_may_go_out_over_several_days(make_log):
    start, day = dt.datetime(2025, 3, 3, 1, tzinfo=dt.UTC), dt.timedelta(days=1)
    log = make_log(
        [{"arrived_at": start}, {"arrived_at": start + 20 * day}],
        customers=[{"customer": c} for c in "abc"],
        reminders=[
            {"customer": c, "kind": "i", "wave": w, "sent_at": start + n * day}
            for c, w, n in (("a", "w", 4), ("b", "w", 5), ("c", "v", 12))
        ],
        subscriptions=[{"customer": "a", "kind": "bill", "started_on": dt.date(2025, 3, 8)}],
    )
    told = log.offers(before_days=2, lead_days=2, after_days=5).filter(wave="w")
    assert dict(told.select("customer", "assigned").iter_rows()) == {
        "a": True, "b": True, "c": False
    }  # fmt: skip


def test_what_the_log_cannot_answer(make_log, world_and_log):
    _, log = world_and_log
    with pytest.raises(DataError, match=r"no invitation of this kind.*invitation"):
        log.offers(kind="letter")
    with pytest.raises(DataError, match=r"no reminder of this kind.*bill"):
        log.reminded(kind="letter")
    with pytest.raises(DataError, match=r"no subscription of this kind.*bill"):
        log.reminded(subscription="weekly")
    with pytest.raises(DataError, match="no wave has its windows"):
        log.offers(before_days=200)
    with pytest.raises(InputError, match="days of a window"):
        log.offers(after_days=0)
    at = dt.datetime(2025, 3, 3, 1, tzinfo=dt.UTC)
    bare = make_log([{"arrived_at": at, "customer": "a"}])
    with pytest.raises(DataError, match=r"no reminders|no subscriptions"):
        bare.reminded()
    with pytest.raises(DataError, match="does not know who left"):
        bare.leaving()
    told = [{"customer": "a", "kind": "bill", "sent_at": at}]
    terms = [{"customer": "a", "kind": "bill", "started_on": at.date()}]
    unknown = make_log([{"arrived_at": at}], reminders=told, subscriptions=terms)
    with pytest.raises(DataError, match="does not know its customers"):
        unknown.reminded()
