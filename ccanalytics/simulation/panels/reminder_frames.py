"""Small worlds of customers in the forms in which a call log counts offers and reminders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import polars as pl

    from ccanalytics.simulation.panels.customers import Customers

__all__ = ["leaving_frame", "offers_frame", "reminded_frame"]


def offers_frame(
    world: Customers, names: Sequence[str], before: int, lead: int, after: int
) -> pl.DataFrame:
    """Give customers × waves as ``log.offers()`` does, waves of which nobody is left included."""
    import polars as pl

    calls, span = world.calls(), world.since.size
    who, parts = pl.Series("customer", list(names)), []
    for wave in np.unique(world.wave).tolist():
        mine = world.wave == wave
        day = int(world.wave_day[mine][0])
        stop = day + after
        if day < before + lead or stop > span:
            continue
        # Nobody is invited who has left; whoever left first is never invited.
        invited = np.where(world.wave_day < world.left, world.wave_day, span)
        there = (world.left > day) & ((invited == day) | (invited >= stop))
        chosen = np.flatnonzero(there)
        counted = calls[chosen]
        parts.append(
            pl.DataFrame(
                {
                    "customer": who[chosen],
                    "wave": [f"wave {wave}"] * chosen.size,
                    "assigned": invited[chosen] == day,
                    "before": counted[:, day - lead - before : day - lead].sum(axis=1),
                    "lead": counted[:, day - lead : day].sum(axis=1),
                    "after": counted[:, day:stop].sum(axis=1),
                    "taken": (world.subscribed_on[chosen] < stop) & (world.until[chosen] > day),
                    "taken_before": (world.subscribed_on[chosen] < day)
                    & (world.until[chosen] >= day),
                    "left": world.left[chosen] < stop,
                }
            )
        )
    return pl.concat(parts).sort("wave", "customer")


def reminded_frame(
    world: Customers, days: Sequence[dt.date], up_to: int, around: int
) -> pl.DataFrame:
    """Give customers and calls by day as ``log.reminded()`` does."""
    import polars as pl

    calls, span = world.calls(), world.since.size
    number = np.arange(span)
    here = number < world.left[:, None]
    start, until = world.subscribed_on, np.minimum(world.until, world.left)
    ever = (start < span) & (until > start)
    to = (start[:, None] <= number) & (number < until[:, None]) & ever[:, None]
    to &= world.since == 0
    sent = np.maximum.accumulate(np.where(to, number, -1), axis=1)
    since = number - sent
    # The next reminder after each day, and where the days after the last one end.
    later = np.where(to, number, 2 * span)
    following = np.minimum.accumulate(later[:, ::-1], axis=1)[:, ::-1]
    following = np.concatenate([following[:, 1:], np.full((len(to), 1), 2 * span)], axis=1)
    last = np.minimum(np.minimum(following, sent + up_to), span)
    whole = (until >= span)[:, None] | (until[:, None] >= last)
    state = np.where(here & (sent >= 0) & (since < up_to) & whole, 0, -1)
    state = np.where(here & ~ever[:, None], 1, state)
    weeks = (sent - start[:, None]) // 7
    rows = [(state, np.where(state == 0, since, -1000), np.where(state == 0, weeks, -1))]
    end = until[:, None]
    whole = ever & (world.until < world.left) & (until - around >= np.maximum(start, 0))
    whole &= (until + around <= span) & (until + around <= world.left)
    near = whole[:, None] & (number >= end - around) & (number < end + around)
    rows.append(
        (np.where(near, 2, -1), np.where(near, number - end, -1000), np.full(here.shape, -1))
    )
    bill = np.broadcast_to(world.bill_day[:, None], here.shape)
    at = np.broadcast_to(number, here.shape)
    parts = []
    for which, day, week in rows:
        some = which >= 0
        parts.append(
            pl.DataFrame(
                {
                    "state": which[some],
                    "number": at[some],
                    "bill_day": bill[some],
                    "day": day[some],
                    "weeks": week[some],
                    "calls": calls[some],
                }
            )
        )
    keys = ["state", "number", "bill_day", "day", "weeks"]
    names = {0: "reminded", 1: "never subscribed", 2: "expired"}
    return (
        pl.concat(parts)
        .group_by(keys)
        .agg(customers=pl.len().cast(pl.Int64), calls=pl.col("calls").sum().cast(pl.Int64))
        .select(
            pl.col("state").replace_strict(names, return_dtype=pl.String),
            pl.col("number")
            .replace_strict(dict(enumerate(days)), return_dtype=pl.Date)
            .alias("on"),
            "bill_day",
            pl.when(pl.col("day") > -1000).then("day").alias("day"),
            pl.when(pl.col("weeks") >= 0).then("weeks").alias("weeks"),
            "customers",
            "calls",
        )
        .sort("state", "on", "bill_day", "day", "weeks")
    )


def leaving_frame(world: Customers, days: Sequence[dt.date]) -> pl.DataFrame:
    """Give customers and leavers by day as ``log.leaving()`` does."""
    import polars as pl

    span = world.since.size
    number = np.arange(span - 1)
    here = number < world.left[:, None]
    gone = here & (number == world.left[:, None] - 1)
    asked = (world.wave_day < world.left)[:, None] & (number >= world.wave_day[:, None])
    until = np.minimum(world.until, world.left)[:, None]
    on = (world.subscribed_on[:, None] <= number) & (number < until)
    frame = pl.DataFrame(
        {
            "on": np.broadcast_to(number, here.shape)[here],
            "invited": asked[here],
            "subscribed": on[here],
            "left": gone[here],
        }
    )
    keys = ["on", "invited", "subscribed"]
    told = frame.group_by(keys).agg(
        customers=pl.len().cast(pl.Int64), left=pl.col("left").sum().cast(pl.Int64)
    )
    dates = pl.col("on").replace_strict(dict(enumerate(days)), return_dtype=pl.Date)
    return told.with_columns(on=dates).sort(keys)
