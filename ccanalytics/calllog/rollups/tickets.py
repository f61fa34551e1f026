"""Tickets counted: hours until they were closed, those still open, and those opened again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.agents import AGENT_KEYS
from ccanalytics.calllog.rollups.reviewed import with_agents
from ccanalytics.calllog.rollups.scope import Scope, collect, flag, narrowed
from ccanalytics.calllog.timegrid import starts_of

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.timegrid import Every

__all__ = ["TICKET_KEYS", "TICKET_STATES", "tickets", "tickets_opened"]

TICKET_KEYS = ("service", "owner", *AGENT_KEYS)
TICKET_STATES = ("closed", "open", "closed before opened", "opened after the end")
_HOUR = 3600


def tickets(scope: Scope, keys: list[str], first: int, last: int) -> pl.DataFrame:
    """Rows of ``CallLog.tickets``: see there."""
    import polars as pl

    rows = _dated(scope)
    moments = rows.select(nw.col("_opened").max().alias("a"), nw.col("_closed").max().alias("b"))
    found = [each for each in collect(moments).row(0) if each is not None]
    # Open is what was not closed when the table of tickets ends; it may end before the calls do,
    # and a date in the future is no end.
    end = min([scope.log_end, *([max(found)] if found else [])])
    if any(key in AGENT_KEYS for key in keys):
        calls = scope.everything().select("call_id", "agent")
        rows = with_agents(scope, rows.join(calls, on="call_id", how="left"), keys)
    rows = rows.filter(nw.col("_opened") >= first, nw.col("_opened") < last)
    opened, closed = nw.col("_opened"), nw.col("_closed")
    shut = ~closed.is_null() & (closed <= end)
    state = (
        nw.when(~closed.is_null() & (closed < opened))
        .then(nw.lit(TICKET_STATES[2]))
        .otherwise(
            nw.when(opened > end)
            .then(nw.lit(TICKET_STATES[3]))
            .otherwise(nw.when(shut).then(nw.lit("closed")).otherwise(nw.lit("open")))
        )
    )
    rows = rows.with_columns(state=state)
    good = nw.col("state").is_in(TICKET_STATES[:2])
    # Closed within n hours, open for n hours in full.
    length = (
        nw.when(nw.col("state") == "closed")
        .then((closed - opened + _HOUR - 1) // _HOUR)
        .otherwise((nw.lit(end) - opened) // _HOUR)
    )
    counted = collect(
        rows.with_columns(hours=nw.when(good).then(length))
        .group_by(*keys, "state", "reopened", "hours")
        .agg(tickets=nw.len())
    )
    order = [*keys, "state", "reopened", "hours"]
    return counted.select(
        *order[:-1], pl.col("hours").cast(pl.Int64), pl.col("tickets").cast(pl.Int64)
    ).sort(order)


def _dated(scope: Scope) -> nw.LazyFrame[Any]:
    """Tickets with both moments in epoch seconds, narrowed to the services asked for."""
    opened = scope.engine.dated("tickets", "opened_at").rename({"at_epoch": "_opened"})
    closed = scope.engine.dated("tickets", "closed_at").select("ticket", _closed=nw.col("at_epoch"))
    return narrowed(opened, scope.where).join(closed, on="ticket", how="left")


def tickets_opened(scope: Scope, every: Every, keys: list[str]) -> pl.DataFrame:
    """Columns interval_start (aware UTC), keys…, opened, opened_again; within the span."""
    import polars as pl

    units, _ = scope.grid(every)
    counted = collect(
        scope.placed(_dated(scope), every, "_opened")
        .select("slot", *keys, _again=flag(nw.col("reopened")))
        .group_by("slot", *keys)
        .agg(tickets=nw.len(), reopened=nw.col("_again").sum())
    )
    starts = starts_of(units).select("slot", "interval_start")
    return counted.join(starts, on="slot").select(
        pl.col("interval_start").dt.replace_time_zone("UTC"),
        *keys,
        pl.col("tickets", "reopened").cast(pl.Int64),
    )
