"""Customers × waves: who was invited by a wave, who was not yet, and how often both called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.people import FAR
from ccanalytics.calllog.rollups.scope import collect
from ccanalytics.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.rollups.people import People

__all__ = ["offers"]


def offers(
    people: People,
    kind: str | None,
    subscription: str | None,
    before: int,
    lead: int,
    after: int,
    quiet_s: float,
) -> pl.DataFrame:
    """Rows of ``CallLog.offers``: see there."""
    import polars as pl

    invited = people.sent(kind, invitations=True)
    waves = collect(invited.group_by("wave").agg(day=nw.col("day").min(), n=nw.len()))
    waves = waves.sort("day", "wave")
    first = waves["day"].min()
    fits = waves.filter(pl.col("day") >= before + lead, pl.col("day") + after <= people.days)
    if not fits.height:
        raise DataError(
            "no wave has its windows within the log",
            f"{before + lead} days before and {after} after, log of {people.days} days, waves on "
            + ", ".join(str(people.day(day)) for day in waves["day"].to_list()[:8]),
            "shorten before_days, lead_days or after_days, or take more of the log",
        )
    each = invited.group_by("customer").agg(invited=nw.col("day").min())
    base = people.customers().filter(nw.col("joined") <= int(first))
    base = base.join(each, on="customer", how="left")
    base = base.join(people.subscriptions(subscription), on="customer", how="left")
    base = base.with_columns(
        invited=nw.col("invited").fill_null(FAR),
        start=nw.col("start").fill_null(FAR),
        until=nw.col("until").fill_null(-FAR),
    )
    calls = people.first_attempts(quiet_s)
    parts = [
        _wave(base, calls, name, day, before, lead, after)
        for name, day in fits.select("wave", "day").iter_rows()
    ]
    return pl.concat(parts).sort("wave", "customer")


def _wave(
    base: nw.LazyFrame[Any],
    calls: nw.LazyFrame[Any],
    wave: str,
    day: int,
    before: int,
    lead: int,
    after: int,
) -> pl.DataFrame:
    import polars as pl

    stop, begin = day + after, day - lead - before
    # Messages of a wave may go out over several days.
    there = base.filter(
        (nw.col("joined") <= begin) & (nw.col("left") > day) & (nw.col("invited") >= day)
    )
    chosen = there.filter((nw.col("invited") == day) | (nw.col("invited") >= stop))
    near = calls.filter((nw.col("day") >= begin) & (nw.col("day") < stop))
    number = nw.col("calls")
    counted = near.group_by("customer").agg(
        before=nw.when(nw.col("day") < day - lead).then(number).otherwise(0).sum(),
        lead=nw.when((nw.col("day") >= day - lead) & (nw.col("day") < day))
        .then(number)
        .otherwise(0)
        .sum(),
        after=nw.when(nw.col("day") >= day).then(number).otherwise(0).sum(),
    )
    rows = chosen.join(counted, on="customer", how="left").select(
        "customer",
        assigned=nw.col("invited") == day,
        before=nw.col("before").fill_null(0),
        lead=nw.col("lead").fill_null(0),
        after=nw.col("after").fill_null(0),
        taken=(nw.col("start") < stop) & (nw.col("until") > day),
        taken_before=(nw.col("start") < day) & (nw.col("until") >= day),
        left=nw.col("left") < stop,
    )
    frame = collect(rows)
    counts = ["before", "lead", "after"]
    return frame.select(
        "customer",
        pl.lit(wave).alias("wave"),
        "assigned",
        pl.col(counts).cast(pl.Int64),
        "taken",
        "taken_before",
        "left",
    )
