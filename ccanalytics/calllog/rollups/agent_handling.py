"""Handle time by agent: sums from which means, spreads and effects follow, and who took calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.scope import Scope, collect, flag
from ccanalytics.calllog.timegrid import starts_of
from ccanalytics.schema import LONGEST_HANDLE_S

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.timegrid import Every

__all__ = ["COUNTS", "agent_handling", "agents_seen"]

COUNTS = ("timed_calls", "second_line", "untimed", "negative_times", "zero_times", "over_a_day")
SUMS = ("timed_s", "timed_ss", "timed_logs", "timed_logs2")


def agent_handling(scope: Scope, every: Every, keys: list[str]) -> pl.DataFrame:
    """Rows of ``CallLog.agent_handling()``: see there."""
    import polars as pl

    units, _ = scope.grid(every)
    handle = nw.col("handle_s")
    timed = handle >= 1
    # Logs are taken of what is timed alone: of others there is none.
    length = nw.when(timed).then(handle)
    groups = list(dict.fromkeys(["slot", "agent", *keys]))
    calls = (
        scope.placed(scope.calls().filter(nw.col("is_answered")), every)
        .with_columns(_length=length)
        .with_columns(_log=nw.col("_length").log())
        .select(
            *groups,
            timed_calls=flag(timed),
            second_line=flag(timed & (nw.col("transfer") == "second_line")),
            untimed=flag(nw.col("recorded_s").is_null()),
            negative_times=flag(handle < 0),
            zero_times=flag((handle >= 0) & (handle < 1)),
            over_a_day=flag(nw.col("recorded_s") > LONGEST_HANDLE_S),
            timed_s=nw.col("_length"),
            timed_ss=nw.col("_length") * nw.col("_length"),
            timed_logs=nw.col("_log"),
            timed_logs2=nw.col("_log") * nw.col("_log"),
        )
    )
    summed = calls.group_by(*groups).agg(*(nw.col(name).sum() for name in (*COUNTS, *SUMS)))
    starts = starts_of(units)
    return (
        collect(summed)
        .with_columns(
            pl.col(COUNTS).fill_null(0).cast(pl.Int64),
            pl.col(SUMS).fill_null(0.0).cast(pl.Float64),
        )
        .join(starts, on="slot")
        .with_columns(pl.col("interval_start").dt.replace_time_zone("UTC"))
        .select(
            *("interval_start", "local_start", "utc_offset_s", "interval_s"),
            *groups[1:],
            *COUNTS,
            *SUMS,
        )
        .sort(["interval_start", *groups[1:]], nulls_last=True)
    )


def agents_seen(scope: Scope) -> pl.DataFrame:
    """First and last answered call of each agent in the span: epoch seconds of their arrival."""
    arrived = nw.col("arrived_epoch")
    return collect(
        scope.arrived(scope.calls())
        .filter(nw.col("is_answered"), ~nw.col("agent").is_null())
        .group_by("agent")
        .agg(first_s=arrived.min(), last_s=arrived.max(), answered=nw.len())
    )
