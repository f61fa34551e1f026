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
    waves = waves.filter(pl.col("day") >= 0, pl.col("day") < people.days)
    first, (start, end) = min(waves["day"].to_list(), default=0), people.asked
    fits = waves.filter(pl.col("day") >= start + before + lead, pl.col("day") + after <= end)
    if not fits.height:
        raise DataError(
            "no wave has its windows within the log",
            f"{before + lead} days before and {after} after, {end - start} days, waves on "
            + (", ".join(str(people.day(day)) for day in waves["day"].to_list()[:8]) or "none"),
            "shorten before_days, lead_days or after_days, or take more of the log",
        )
    earliest = invited.group_by("customer").agg(invited=nw.col("day").min())
    # Messages of a wave may go out over several days.
    each = (
        invited.join(earliest, on="customer", how="inner")
        .filter(nw.col("day") == nw.col("invited"))
        .group_by("customer")
        .agg(invited=nw.col("invited").min(), own_wave=nw.col("wave").min())
    )
    base = people.customers().filter(nw.col("joined") <= first)
    base = base.join(each, on="customer", how="left")
    base = base.join(people.subscriptions(subscription), on="customer", how="left")
    base = base.with_columns(
        invited=nw.col("invited").fill_null(FAR),
        own_wave=nw.col("own_wave").fill_null(""),
        start=nw.col("start").fill_null(FAR),
        until=nw.col("until").fill_null(-FAR),
    )
    chosen = people.scope.engine.hand_over(
        fits.select("wave", wave_day=pl.col("day").cast(pl.Int64))
    )
    return _counted(base, people.first_attempts(quiet_s), chosen, before, lead, after)


def _counted(
    base: nw.LazyFrame[Any],
    calls: nw.LazyFrame[Any],
    waves: nw.LazyFrame[Any],
    before: int,
    lead: int,
    after: int,
) -> pl.DataFrame:
    """All waves in one pass over the calls."""
    import polars as pl

    day, invited = nw.col("wave_day"), nw.col("invited")
    assigned = nw.col("own_wave") == nw.col("wave")
    there = base.join(waves, how="cross").filter(
        nw.col("joined") <= day - lead - before,
        nw.col("left") > day,
        assigned | (invited >= day + after),
    )
    near = calls.join(waves, how="cross").filter(
        nw.col("day") >= day - lead - before, nw.col("day") < day + after
    )
    number = nw.col("calls")
    early, late = nw.col("day") < day - lead, nw.col("day") >= day
    counted = near.group_by("customer", "wave").agg(
        before=nw.when(early).then(number).otherwise(0).sum(),
        lead=nw.when(~early & ~late).then(number).otherwise(0).sum(),
        after=nw.when(late).then(number).otherwise(0).sum(),
    )
    rows = there.join(counted, on=["customer", "wave"], how="left").select(
        "customer",
        "wave",
        assigned=assigned,
        before=nw.col("before").fill_null(0),
        lead=nw.col("lead").fill_null(0),
        after=nw.col("after").fill_null(0),
        taken=(nw.col("start") < day + after) & (nw.col("until") > day),
        taken_before=(nw.col("start") < day) & (nw.col("until") >= day),
        left=nw.col("left") < day + after,
    )
    counts = ["before", "lead", "after"]
    return collect(rows).with_columns(pl.col(counts).cast(pl.Int64)).sort("wave", "customer")
