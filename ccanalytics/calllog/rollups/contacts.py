"""Who came again: repeat calls and first attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.scope import Scope, collect, flag, narrowed

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

    # Withheld callers would be one giant partition, and false repeats.
    known = scope.everything().filter(~nw.col("customer").is_null())
    paired = known.with_columns(
        _next=nw.col("arrived_epoch")
        .shift(-1)
        .over("customer", order_by=["arrived_epoch", "call_id"])
    )
    end = scope.log_end
    paired = scope.arrived(narrowed(paired, scope.where))
    since, after = nw.col("arrived_epoch"), nw.col("_next") - nw.col("arrived_epoch")
    flags = {}
    for i, window in enumerate(within_s):
        followed = since + window <= end
        flags[f"followed_{i}"] = flag(followed)
        flags[f"again_{i}"] = flag(followed & (after <= window))
    counted = collect(
        paired.select(*keys, _all=nw.lit(1), **flags)
        .group_by(*(keys or ["_all"]))
        .agg(*(nw.col(name).sum() for name in flags))
    )
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
    ``quiet_s`` seconds before; calls of unknown customers count as first.

    Columns interval_start (aware UTC), keys…, first_attempts.
    """
    import polars as pl

    units, _ = scope.grid(every)
    # Who asked before is looked up among all calls, whatever part of them is asked about.
    offered = scope.everything().filter(nw.col("is_offered"))
    before = (
        nw.col("arrived_epoch")
        .shift(1)
        .over("customer", "service", order_by=["arrived_epoch", "call_id"])
    )
    known = offered.filter(~nw.col("customer").is_null()).with_columns(_before=before)
    known = narrowed(known, scope.where)
    unknown = narrowed(offered.filter(nw.col("customer").is_null()), scope.where)
    repeat = ~nw.col("_before").is_null() & (nw.col("arrived_epoch") - nw.col("_before") <= quiet_s)
    chosen = nw.concat(
        [
            known.select(*keys, "arrived_epoch", _first=nw.when(repeat).then(0).otherwise(1)),
            unknown.select(*keys, "arrived_epoch", _first=nw.lit(1)),
        ]
    )
    counted = (
        scope.placed(chosen, every)
        .group_by("slot", *keys)
        .agg(first_attempts=nw.col("_first").sum())
    )
    starts = units.group_by("slot").agg(pl.col("interval_start").first())
    return (
        collect(counted)
        .join(starts, on="slot")
        .select(
            pl.col("interval_start").dt.replace_time_zone("UTC"),
            *keys,
            pl.col("first_attempts").cast(pl.Int64),
        )
    )
