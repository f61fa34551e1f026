"""How long callers waited, and when those who gave up called again: counts of whole seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals.stable.v2 as nw

from ccanalytics.calllog.engine import nearest
from ccanalytics.calllog.rollups.scope import Scope, collect

if TYPE_CHECKING:
    import polars as pl

__all__ = ["redial_delays", "wait_counts"]


def wait_counts(scope: Scope, keys: list[str]) -> pl.DataFrame:
    """Offered calls by whole seconds of wait; see ``CallLog.waits``."""
    import polars as pl

    wait = nw.col("wait_s")
    left = nw.col("is_abandoned")
    calls = (
        scope.arrived(scope.calls())
        .filter(nw.col("is_offered"))
        .with_columns(queued=left | (wait > 0), seconds=nearest(wait))
    )
    groups = list(dict.fromkeys([*keys, "outcome", "queued", "seconds"]))
    counted = collect(calls.group_by(*groups).agg(nw.len().alias("calls")))
    return counted.with_columns(pl.col("seconds", "calls").cast(pl.Int64)).sort(groups)


def redial_delays(scope: Scope, keys: list[str], up_to_s: int) -> pl.DataFrame:
    """Abandoned calls of known customers by the time to their next; see ``CallLog.redials``."""
    import polars as pl

    since, end = nw.col("arrived_epoch"), scope.log_end
    seen, delay = nw.lit(end) - since, nw.col("_next") - since
    again = ~nw.col("_next").is_null() & (delay <= up_to_s)
    found = [
        collect(
            paired.filter(nw.col("is_abandoned"))
            .select(
                *keys,
                again=again,
                seconds=nw.when(again)
                .then(delay)
                .otherwise(nw.when(seen < up_to_s).then(seen).otherwise(nw.lit(up_to_s)))
                .cast(nw.Int64),
            )
            .group_by(*keys, "again", "seconds")
            .agg(nw.len().alias("calls"))
        )
        for paired in scope.followed()
    ]
    counted = pl.concat(found).group_by(*keys, "again", "seconds").agg(pl.col("calls").sum())
    frame = counted.with_columns(pl.col("seconds", "calls").cast(pl.Int64))
    return frame.select(*keys, "seconds", "again", "calls").sort([*keys, "seconds", "again"])
