"""How often each service was asked for in each self-service channel, interval by interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.scope import Scope, collect, flag
from ccanalytics.calllog.timegrid import starts_of

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.timegrid import Every

__all__ = ["uses"]


def uses(scope: Scope, every: Every) -> pl.DataFrame:
    """Rows of ``CallLog.uses``: see there."""
    import polars as pl

    units, _ = scope.grid(every)
    parts = []
    if scope.engine.holds("self_service"):
        own = scope.events().filter(nw.col("stage") == "own_initiative", nw.col("accepted"))
        parts.append(
            scope.placed(own, every, "at_epoch")
            .select("slot", "channel", "service", completed=flag(nw.col("completed")))
            .group_by("slot", "channel", "service")
            .agg(uses=nw.len(), completed=nw.col("completed").sum())
        )
    # The voice menu leaves no event: a use is a call that ended in it with what was asked for.
    contained = scope.calls().filter(nw.col("outcome") == "contained")
    parts.append(
        scope.placed(contained, every)
        .group_by("slot", "service")
        .agg(uses=nw.len())
        .with_columns(channel=nw.lit("menu"), completed=nw.col("uses"))
        .select("slot", "channel", "service", "uses", "completed")
    )
    counts = ["uses", "completed"]
    told = pl.concat(
        [collect(part).with_columns(pl.col(counts).cast(pl.Int64)) for part in parts],
        how="vertical_relaxed",
    ).rename({"service": "unit"})
    keys = ["channel", "unit"]
    return (
        told.select(keys)
        .unique()
        .join(starts_of(units), how="cross")
        .join(told, on=["slot", *keys], how="left", nulls_equal=True)
        .select(
            pl.col("interval_start").dt.replace_time_zone("UTC"),
            *("local_start", "utc_offset_s", "interval_s", *keys),
            pl.col(counts).fill_null(0),
        )
        .sort([*keys, "interval_start"], nulls_last=True)
    )
