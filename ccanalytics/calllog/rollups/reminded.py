"""Calls and customers by day: of those reminded, of those never subscribed, and around expiry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np

from ccanalytics.calllog.rollups.people import FAR
from ccanalytics.calllog.rollups.scope import collect

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.engine import Engine
    from ccanalytics.calllog.rollups.people import People

__all__ = ["facts", "leaving", "reminded"]

_KEYS = ["state", "number", "bill_day", "day", "weeks"]


def reminded(
    people: People,
    kind: str | None,
    subscription: str | None,
    up_to: int,
    around: int,
    quiet_s: float,
) -> pl.DataFrame:
    """Rows of ``CallLog.reminded()``: see there."""
    import polars as pl

    subscribed = people.subscriptions(subscription)
    base = people.customers()
    calls = people.first_attempts(quiet_s)
    spells = _spells(people, base, subscribed, kind, up_to)
    parts = [
        _counted("reminded", spells, calls, people.days),
        _counted("never subscribed", _never(base, subscribed, people.days), calls, people.days),
        _counted("expired", _expired(base, subscribed, people.days, around), calls, people.days),
    ]
    start, end = people.asked
    frame = pl.concat(parts).filter(pl.col("number") >= start, pl.col("number") < end)
    dates = pl.DataFrame({"number": range(people.days)}, schema={"number": pl.Int64})
    dates = dates.with_columns(
        on=pl.Series([people.day(k) for k in range(people.days)], dtype=pl.Date)
    )
    return (
        frame.join(dates, on="number")
        .select("state", "on", "bill_day", "day", "weeks", "customers", "calls")
        .sort("state", "on", "bill_day", "day", "weeks")
    )


def _spells(
    people: People,
    base: nw.LazyFrame[Any],
    subscribed: nw.LazyFrame[Any],
    kind: str | None,
    up_to: int,
) -> nw.LazyFrame[Any]:
    """One row per reminder: from its day until the next, or for ``up_to`` days.

    Left out are those after which the subscription ended before that: days soon after a reminder
    and later ones must be of the same customers.
    """
    sent = people.sent(kind, invitations=False).select("customer", "day").unique()
    sent = sent.filter(nw.col("day") >= 0, nw.col("day") < people.days)
    following = sent.with_columns(_next=nw.col("day").shift(-1).over("customer", order_by="day"))
    joined = following.join(base, on="customer", how="inner")
    joined = joined.join(subscribed, on="customer", how="left").with_columns(
        last=nw.min_horizontal(
            nw.col("_next").fill_null(FAR), nw.col("day") + up_to, nw.lit(people.days)
        )
    )
    whole = joined.filter(
        nw.col("until").fill_null(FAR) >= nw.col("last"), nw.col("left") >= nw.col("last")
    )
    return whole.select(
        "customer",
        "bill_day",
        first=nw.col("day"),
        last=nw.col("last"),
        zero=nw.col("day"),
        # Before the start there are none; engines round quotients below 0 their own ways.
        weeks=nw.when(nw.col("day") >= nw.col("start")).then(
            (nw.col("day") - nw.col("start")) // 7
        ),
    )


def _never(base: nw.LazyFrame[Any], subscribed: nw.LazyFrame[Any], days: int) -> nw.LazyFrame[Any]:
    """Customers who never subscribed: from joining until they leave."""
    others = base.join(subscribed.select("customer"), on="customer", how="anti")
    return others.select(
        "customer",
        "bill_day",
        first=nw.max_horizontal(nw.col("joined"), nw.lit(0)),
        last=nw.min_horizontal(nw.col("left"), nw.lit(days)),
        zero=nw.lit(FAR),
        weeks=nw.lit(-1),
    )


def _expired(
    base: nw.LazyFrame[Any], subscribed: nw.LazyFrame[Any], days: int, around: int
) -> nw.LazyFrame[Any]:
    """Customers whose last term ended while they stayed: days around its end."""
    joined = subscribed.join(base, on="customer", how="inner")
    over = joined.filter(
        (nw.col("until") < nw.col("left"))
        & (nw.col("until") - around >= nw.max_horizontal(nw.col("start"), nw.lit(0)))
        & (nw.col("until") + around <= days)
        & (nw.col("until") + around <= nw.col("left"))
    )
    return over.select(
        "customer",
        "bill_day",
        first=nw.col("until") - around,
        last=nw.col("until") + around,
        zero=nw.col("until"),
        weeks=nw.lit(-1),
    )


def _counted(
    state: str, spells: nw.LazyFrame[Any], calls: nw.LazyFrame[Any], days: int
) -> pl.DataFrame:
    """Customers and calls of spells by day of the log, bill day and day of the spell."""
    import polars as pl

    spells = spells.filter(nw.col("last") > nw.col("first"), nw.col("first") < days)
    keys = ["bill_day", "first", "last", "zero", "weeks"]
    groups = collect(spells.group_by(*keys).agg(customers=nw.len()))
    whole = {name: pl.col(name).cast(pl.Int64) for name in (*keys, "customers")}
    groups = groups.select(**whole).with_columns(
        number=pl.int_ranges("first", pl.min_horizontal("last", days))
    )
    there = groups.explode("number").drop_nulls("number")
    there = _numbered(there, "number").group_by(_KEYS[1:]).agg(pl.col("customers").sum())
    near = calls.join(spells, on="customer", how="inner").filter(
        (nw.col("day") >= nw.col("first")) & (nw.col("day") < nw.col("last"))
    )
    came = collect(
        near.group_by("day", "bill_day", "zero", "weeks").agg(calls=nw.col("calls").sum())
    )
    came = came.select(
        number=pl.col("day").cast(pl.Int64),
        **{n: pl.col(n).cast(pl.Int64) for n in ("bill_day", "zero", "weeks", "calls")},
    )
    came = _numbered(came, "number").group_by(_KEYS[1:]).agg(pl.col("calls").sum())
    return (
        there.join(came, on=_KEYS[1:], how="left", nulls_equal=True)
        .with_columns(pl.col("calls").fill_null(0), state=pl.lit(state))
        .with_columns(weeks=pl.when(pl.col("weeks") >= 0).then("weeks"))
        .select(*_KEYS, pl.col("customers").cast(pl.Int64), "calls")
    )


def _numbered(frame: pl.DataFrame, number: str) -> pl.DataFrame:
    """Day of the spell, null where it has none."""
    import polars as pl

    zero = pl.col("zero")
    return frame.with_columns(
        day=pl.when(zero < FAR).then(pl.col(number) - zero), weeks=pl.col("weeks").fill_null(-1)
    )


def leaving(people: People, kind: str | None, subscription: str | None) -> pl.DataFrame:
    """Rows of ``CallLog.leaving()``: see there."""
    import polars as pl

    invited = people.sent(kind, invitations=True).group_by("customer")
    base = people.customers().join(
        invited.agg(invited=nw.col("day").min()), on="customer", how="left"
    )
    base = base.join(people.subscriptions(subscription), on="customer", how="left")
    keys = ["joined", "left", "invited", "start", "until"]
    groups = collect(
        base.with_columns(
            joined=nw.max_horizontal(nw.col("joined"), nw.lit(0)),
            invited=nw.col("invited").fill_null(FAR),
            start=nw.col("start").fill_null(FAR),
            until=nw.col("until").fill_null(FAR),
        )
        .group_by(*keys)
        .agg(n=nw.len())
    )
    joined, left, invite, start, until, n = (
        groups[name].cast(pl.Int64).to_numpy() for name in (*keys, "n")
    )
    days = people.days
    there, gone = np.zeros((2, 2, days + 1)), np.zeros((2, 2, days + 1))
    for i, asked in ((0, (np.zeros_like(n), invite)), (1, (invite, np.full_like(n, FAR)))):
        # Days of a subscription, of the time before it and of that after it.
        for s, (low, high) in (
            (1, (start, until)),
            (0, (np.zeros_like(n), start)),
            (0, (until, np.full_like(n, FAR))),
        ):
            first = np.maximum(np.maximum(joined, asked[0]), low)
            last = np.minimum(np.minimum(left, asked[1]), high)
            some = (first < last) & (first < days)
            np.add.at(there[i, s], first[some], n[some])
            np.add.at(there[i, s], np.minimum(last[some], days), -n[some])
            # Whoever is first missing on a day left on the day before.
            ends = some & (last == left) & (left < days)
            np.add.at(gone[i, s], left[ends] - 1, n[ends])
    here = np.cumsum(there, axis=-1)[..., : days - 1].round().astype(np.int64)
    left_then = gone[..., : days - 1].round().astype(np.int64)
    since, to = (people.day(number) for number in people.asked)
    return (
        pl.concat(
            pl.DataFrame(
                {
                    "on": pl.Series([people.day(k) for k in range(days - 1)], dtype=pl.Date),
                    "invited": bool(i),
                    "subscribed": bool(s),
                    "customers": here[i, s],
                    "left": left_then[i, s],
                }
            )
            for i in (0, 1)
            for s in (0, 1)
        )
        .filter(pl.col("customers") > 0, pl.col("on") >= since, pl.col("on") < to)
        .sort("on", "invited", "subscribed")
    )


def facts(engine: Engine) -> pl.DataFrame:
    """Rows of ``CallLog.reminder_facts()``: see there."""
    import polars as pl

    known = engine.table("customers").select("customer", _known=nw.lit(1))
    rows = engine.table("reminders").join(known, on="customer", how="left")
    told = collect(
        rows.group_by("kind", "wave").agg(
            first_on=nw.col("sent_at").min(),
            last_on=nw.col("sent_at").max(),
            messages=nw.len(),
            customers=nw.col("customer").n_unique(),
            _known=nw.col("_known").sum(),
        )
    )
    return told.select(
        "kind",
        "wave",
        pl.col("first_on", "last_on").cast(pl.Date),
        pl.col("messages", "customers").cast(pl.Int64),
        unknown=pl.col("messages").cast(pl.Int64) - pl.col("_known").fill_null(0).cast(pl.Int64),
    ).sort("kind", "first_on")
