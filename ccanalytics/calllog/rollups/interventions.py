"""Agents and services by interval: what an intervention may have changed, ready for a design.

Handle times are compared on logs, less what calls about the same matter usually take, so that an
agent who happens to get the long ones does not pass for slow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.agent_handling import agent_handling
from ccanalytics.calllog.rollups.scope import Scope, collect, flag, narrowed
from ccanalytics.calllog.timegrid import starts_of

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.timegrid import Every

__all__ = ["agent_weeks", "assisted"]

_DAYS_A_WEEK = 7
_NAMES = {
    "timed_calls": "calls",
    "timed_s": "handle_s",
    "timed_logs": "log_handle",
    "timed_logs2": "log_handle_squares",
}
_PERSON = ("hired_on", "left_on", "team", "site", "employer", "cohort")


def agent_weeks(scope: Scope, every: Every, matters: list[str]) -> pl.DataFrame:
    """Agents × intervals; see ``CallLog.agent_panel``."""
    import polars as pl

    counted = (
        agent_handling(scope, every, matters)
        .filter(pl.col("agent").is_not_null(), pl.col("timed_calls") > 0)
        .rename(_NAMES)
    )
    grid = ["interval_start", "local_start", "utc_offset_s", "interval_s"]
    # Means by matter over the whole span: what a call of the kind usually takes.
    usual = counted.group_by(matters).agg(
        (pl.col("log_handle").sum() / pl.col("calls").sum()).alias("_log"),
        (pl.col("handle_s").sum() / pl.col("calls").sum()).alias("_s"),
        (pl.col("second_line").sum() / pl.col("calls").sum()).alias("_sent"),
    ) if matters else None  # fmt: skip
    if usual is None:
        told = counted.with_columns(
            (pl.col(old).sum() / pl.col("calls").sum()).alias(new)
            for new, old in (("_log", "log_handle"), ("_s", "handle_s"), ("_sent", "second_line"))
        )
    else:
        told = counted.join(usual, on=matters, how="left", nulls_equal=True)
    sums = ["calls", "handle_s", "log_handle", "log_handle_squares", "second_line"]
    rows = told.group_by(*grid, "agent").agg(
        *(pl.col(name).sum() for name in sums),
        (pl.col("calls") * pl.col("_log")).sum().alias("usual_log_handle"),
        (pl.col("calls") * pl.col("_s")).sum().alias("usual_handle_s"),
        (pl.col("calls") * pl.col("_sent")).sum().alias("usual_second_line"),
    )
    rows = rows.join(_reviewed(scope, every), on=["interval_start", "agent"], how="left")
    rows = rows.with_columns(pl.col("items_marked", "items_failed").fill_null(0))
    people = collect(scope.engine.table("agents").select("agent", *_PERSON))
    middle = (pl.col("local_start") + pl.duration(seconds=pl.col("interval_s") // 2)).dt.date()
    tenure = (middle - pl.col("hired_on")).dt.total_days() // _DAYS_A_WEEK
    return (
        rows.join(people, on="agent", how="left")
        .with_columns(tenure_weeks=tenure.clip(0).cast(pl.Int64))
        .select(
            *grid,
            "agent",
            *_PERSON,
            "tenure_weeks",
            *sums,
            *(
                "usual_log_handle",
                "usual_handle_s",
                "usual_second_line",
                "items_marked",
                "items_failed",
            ),
        )
        .sort("agent", "interval_start")
    )


def _reviewed(scope: Scope, every: Every) -> pl.DataFrame:
    """Items of random reviews by the interval of the call, the agent's who took it."""
    import polars as pl

    calls = scope.calls().filter(nw.col("is_answered"), ~nw.col("agent").is_null())
    calls = calls.select("call_id", "arrived_epoch", "agent")
    items = (
        scope.engine.table("reviews")
        .filter(nw.col("sampled") == "random", ~nw.col("passed").is_null())
        .select("call_id", "passed")
        .join(calls, on="call_id", how="inner")
        .with_columns(_failed=flag(~nw.col("passed")))
    )
    items = (
        scope.placed(items, every)
        .group_by("slot", "agent")
        .agg(nw.len().alias("items_marked"), nw.col("_failed").sum().alias("items_failed"))
    )
    units, _ = scope.grid(every)
    starts = starts_of(units).select("slot", "interval_start")
    return (
        collect(items)
        .join(starts, on="slot")
        .select(
            pl.col("interval_start").dt.replace_time_zone("UTC"),
            "agent",
            pl.col("items_marked", "items_failed").cast(pl.Int64),
        )
    )


def assisted(scope: Scope, every: Every, keys: list[str]) -> pl.DataFrame:
    """Calls handled and calls helped by a message in them; see ``CallLog.assisted_calls``."""
    import polars as pl

    units, _ = scope.grid(every)
    calls = scope.calls().filter(nw.col("is_answered"), nw.col("handle_s") > 0)
    during = narrowed(scope.engine.table("events"), scope.where).filter(
        nw.col("stage") == "during_call", ~nw.col("call_id").is_null()
    )
    offers = during.group_by("call_id").agg(
        nw.len().alias("_offers"), flag(nw.col("accepted")).max().alias("_taken")
    )
    rows = (
        scope.placed(calls, every)
        .join(offers, on="call_id", how="left")
        .with_columns(
            _offered=flag(~nw.col("_offers").is_null()),
            _taken=nw.col("_taken").fill_null(0),
        )
        .group_by("slot", *keys)
        .agg(
            nw.len().alias("calls"),
            nw.col("handle_s").sum(),
            nw.col("_offered").sum().alias("assist_offered"),
            nw.col("_taken").sum().alias("assisted"),
        )
    )
    found = collect(rows).with_columns(pl.col("calls", "assist_offered", "assisted").cast(pl.Int64))
    starts = starts_of(units)
    return (
        starts.join(found, on="slot")
        .with_columns(pl.col("interval_start").dt.replace_time_zone("UTC"))
        .drop("slot")
        .sort([*keys, "interval_start"])
    )
