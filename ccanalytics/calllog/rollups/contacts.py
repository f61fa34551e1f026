"""Who came again: repeat calls and first attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.scope import Scope, collect, flag, narrowed
from ccanalytics.calllog.timegrid import starts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from ccanalytics.calllog.timegrid import Every

__all__ = ["first_attempts", "recontacts"]


def recontacts(scope: Scope, keys: list[str], within_s: Sequence[float]) -> pl.DataFrame:
    """Per key and window: calls of known customers that were followed long enough, and of them
    those after which the same customer called again (about anything, anywhere).

    Calls of the span start a window; the log ends with its last arrival, and a window that reaches
    beyond it is not counted.
    """
    import polars as pl

    end, since = scope.log_end, nw.col("arrived_epoch")
    flags = {}
    for i, window in enumerate(within_s):
        followed = since + window <= end
        flags[f"followed_{i}"] = flag(followed)
        flags[f"again_{i}"] = flag(followed & (nw.col("_next") - since <= window))
    found = [
        collect(
            paired.select(*keys, _all=nw.lit(1), **flags)
            .group_by(*(keys or ["_all"]))
            .agg(*(nw.col(name).sum() for name in flags))
        )
        for paired in scope.followed()
    ]
    counted = pl.concat(found).group_by(keys or ["_all"]).agg(pl.col(list(flags)).sum())
    parts = [
        counted.select(
            *keys,
            pl.lit(float(window)).alias("window_s"),
            pl.col(f"followed_{i}").alias("followed"),
            pl.col(f"again_{i}").alias("again"),
        )
        for i, window in enumerate(within_s)
    ]
    return pl.concat(parts).sort([*keys, "window_s"])


def first_attempts(scope: Scope, every: Every, keys: list[str], quiet_s: float) -> pl.DataFrame:
    """Offered calls per interval and key whose customer had not asked for the same service in the
    ``quiet_s`` seconds before; calls of unknown customers count as first, unless another call
    handed them on.

    Columns interval_start (aware UTC), keys…, first_attempts.
    """
    import polars as pl

    units, _ = scope.grid(every)
    before = (
        nw.col("arrived_epoch")
        .shift(1)
        .over("customer", "service", order_by=["arrived_epoch", "call_id"])
    )
    quiet = nw.col("arrived_epoch") - nw.col("_before") > quiet_s
    chosen = [
        scope.everything()
        .filter(
            nw.col("is_offered"),
            nw.col("customer").is_null(),
            nw.col("parent_call_id").is_null(),
        )
        .with_columns(_first=nw.lit(1))
    ]
    # Who asked before is looked up among all calls, whatever part of them is asked about.
    chosen += [
        calls.filter(nw.col("is_offered"))
        .with_columns(_before=before)
        .with_columns(_first=flag(nw.col("_before").is_null() | quiet))
        for calls in scope.by_customer()
    ]
    counted = pl.concat(
        collect(
            scope.placed(narrowed(calls, scope.where), every)
            .group_by("slot", *keys)
            .agg(first_attempts=nw.col("_first").sum())
        )
        for calls in chosen
    )
    counted = counted.group_by("slot", *keys).agg(pl.col("first_attempts").sum())
    starts = starts_of(units).select("slot", "interval_start")
    return counted.join(starts, on="slot").select(
        pl.col("interval_start").dt.replace_time_zone("UTC"),
        *keys,
        pl.col("first_attempts").cast(pl.Int64),
    )
