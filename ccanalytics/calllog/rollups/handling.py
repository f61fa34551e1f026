"""How long handling takes: counts of whole seconds, small enough for any model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals.stable.v2 as nw

from ccanalytics.calllog.engine import nearest, recorded
from ccanalytics.calllog.rollups.scope import Scope, collect
from ccanalytics.calllog.timegrid import starts_of

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.timegrid import Every

__all__ = ["PARTS", "handle_times"]

PARTS = ("handle", "talk", "hold", "wrap")


def handle_times(scope: Scope, keys: list[str], every: Every | None, part: str) -> pl.DataFrame:
    """Answered calls by whole seconds of one part of handling; see ``CallLog.handle_times``."""
    import polars as pl

    column = recorded() if part == "handle" else nw.col(f"{part}_s")
    calls = (
        scope.calls()
        .filter(nw.col("is_answered"), ~column.is_null())
        .with_columns(seconds=nearest(column))
    )
    if every is None:
        calls = scope.arrived(calls)
    else:
        units, _ = scope.grid(every)
        calls = scope.placed(calls, every)
    groups = [*(["slot"] if every else []), *keys, "seconds"]
    counted = collect(calls.group_by(*groups).agg(nw.len().alias("calls")))
    counted = counted.with_columns(pl.col("calls", "seconds").cast(pl.Int64))
    if every is None:
        return counted.sort([*keys, "seconds"])
    starts = starts_of(units)
    return (
        counted.join(starts, on="slot")
        .with_columns(pl.col("interval_start").dt.replace_time_zone("UTC"))
        .select(
            "interval_start",
            "local_start",
            "utc_offset_s",
            "interval_s",
            *keys,
            "seconds",
            "calls",
        )
        .sort([*keys, "interval_start", "seconds"])
    )
