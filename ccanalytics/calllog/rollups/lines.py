"""Lines in use at once: the most and the mean of every interval, and the busy hours of days.

A call takes its line when it comes in and gives it back when it ends: +1 and −1 on a running
sum. What falls on one millisecond is netted first, so that a line that is given back and taken
again at the same moment counts once. Everything is whole milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.engine import nearest
from ccanalytics.calllog.rollups.scope import Scope, collect

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.timegrid import Every

__all__ = ["busy_hours", "holding_times", "lines_by_slot", "lines_there"]

QUARTERS = 4  # of an hour


def lines_by_slot(scope: Scope, every: Every, keys: list[str], units: pl.DataFrame) -> pl.DataFrame:
    """Columns slot, keys…, ``peak_lines``, ``mean_lines``, ``lines_seen``, one row per key.

    Keys are those that occur in the scope, whatever their times.
    """
    import polars as pl

    changes = collect(_changes(scope, every, keys)).sort([*keys, "unit"])
    length = every.unit_s * 1000
    # Groups are numbered, because a join on "most recent before" does not match unknown keys.
    groups = pl.DataFrame({"_group": [0]}, schema={"_group": pl.Int64})
    changes = changes.with_columns(_group=pl.lit(0, pl.Int64))
    if keys:
        occurring: nw.LazyFrame[Any] = scope.calls().group_by(*keys).agg(nw.len().alias("_n"))
        groups = collect(occurring).drop("_n").sort(keys).with_row_index("_group")
        groups = groups.with_columns(pl.col("_group").cast(pl.Int64))
        changes = changes.drop("_group").join(groups, on=keys, how="inner", nulls_equal=True)
    changes = changes.sort("_group", "unit")
    before = changes.select(
        "_group", pl.col("unit") + 1, pl.col("net").cum_sum().over("_group").alias("_held")
    )
    dense = groups.join(units.select("unit", "slot"), how="cross").sort("_group", "unit")
    dense = dense.join_asof(
        before, on="unit", by="_group", strategy="backward", check_sortedness=False
    ).join(changes.drop(keys), on=["_group", "unit"], how="left")
    held = pl.col("_held").fill_null(0)
    # What was held before counts, unless it changed in the very moment in which the unit begins.
    most = pl.max_horizontal(
        pl.col("most"), pl.when(pl.col("at_start").fill_null(0) == 0).then(held)
    )
    frame = dense.group_by("slot", *keys).agg(
        peak_lines=most.max().cast(pl.Int64),
        mean_lines=(held * length + pl.col("part").fill_null(0)).sum() / (pl.len() * length),
    )
    seen = collect(_seen(scope, every, keys))
    return frame.join(seen, on=["slot", *keys], how="left", nulls_equal=True).with_columns(
        pl.col("lines_seen").cast(pl.Int64).fill_null(0)
    )


def _changes(scope: Scope, every: Every, keys: list[str]) -> nw.LazyFrame[Any]:
    """Per unit and key: net change, most at once after any change, and what the mean needs."""
    length = every.unit_s * 1000
    first, last = scope.epochs()
    calls = scope.calls().filter(
        nw.col("outcome") != "blocked",
        nw.col("ended_ms") > nw.col("arrived_ms"),
        nw.col("ended_ms") > first * 1000,
        nw.col("arrived_ms") < last * 1000,
    )
    edges = nw.concat(
        [
            calls.select(*keys, at=nw.col(column), net=nw.lit(sign))
            for column, sign in (("arrived_ms", 1), ("ended_ms", -1))
        ]
    )
    netted = edges.group_by(*keys, "at").agg(net=nw.col("net").sum())
    running = nw.col("net").cum_sum().over(*keys, order_by="at")
    return (
        netted.with_columns(
            running=running,
            unit=nw.col("at") // length,
            part=(length - nw.col("at") % length) * nw.col("net"),
            at_start=nw.when(nw.col("at") % length == 0).then(nw.lit(1)).otherwise(nw.lit(0)),
        )
        .group_by(*keys, "unit")
        .agg(
            net=nw.col("net").sum(),
            most=nw.col("running").max(),
            part=nw.col("part").sum(),
            at_start=nw.col("at_start").max(),
        )
    )


def _seen(scope: Scope, every: Every, keys: list[str]) -> nw.LazyFrame[Any]:
    """Different lines of the calls that came in, per slot and key."""
    calls = scope.placed(scope.calls().filter(~nw.col("line").is_null()), every)
    # The line may itself be a key.
    calls = calls.select("slot", *keys, _line=nw.col("line"))
    return calls.group_by("slot", *keys).agg(lines_seen=nw.col("_line").n_unique())


def holding_times(scope: Scope, keys: list[str]) -> pl.DataFrame:
    """Calls by whole seconds for which they held a line; see ``CallLog.holding_times``."""
    import polars as pl

    held = scope.arrived(scope.calls()).filter(
        ~nw.col("ended_ms").is_null(),
        nw.col("outcome") != "blocked",
        nw.col("ended_ms") >= nw.col("arrived_ms"),
    )
    seconds = nearest((nw.col("ended_ms") - nw.col("arrived_ms")) / 1000)
    counted = collect(
        held.with_columns(seconds=seconds).group_by(*keys, "seconds").agg(nw.len().alias("calls"))
    )
    return counted.with_columns(pl.col("calls", "seconds").cast(pl.Int64)).sort([*keys, "seconds"])


def lines_there(frame: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Add ``lines``: how many the group has on that day, as the table of line groups says."""
    import polars as pl

    day = pl.col("local_start").dt.date().alias("from_on")
    table = groups.select("line_group", "from_on", "lines").sort("from_on")
    order = frame.columns
    return (
        frame.with_row_index("_row")
        .with_columns(day)
        .sort("from_on")
        .join_asof(
            table, on="from_on", by="line_group", strategy="backward", check_sortedness=False
        )
        .sort("_row")
        .select(*order, pl.col("lines").cast(pl.Int64))
    )


def busy_hours(quarters: pl.DataFrame, keys: list[str], weekdays: list[int]) -> pl.DataFrame:
    """Busy hours of every day from its quarter-hours; see ``CallLog.busy_hours``."""
    import polars as pl

    hour = quarters.sort([*keys, "interval_start"]).with_columns(
        day=pl.col("local_start").dt.date(),
        clock=pl.col("local_start").dt.time(),
        load=pl.col("mean_lines").rolling_sum(QUARTERS).shift(1 - QUARTERS).over(keys or pl.lit(0))
        / QUARTERS,
    )
    # An hour that begins in a day and ends in the next belongs to the one in which it begins.
    hour = hour.with_columns(load=pl.col("load").fill_null(0.0))
    within = [*keys, "day"]
    per_day = hour.group_by(within, maintain_order=True).agg(
        peak_lines=pl.col("peak_lines").max(),
        mean_lines=pl.col("mean_lines").mean(),
        busiest_hour=pl.col("clock").get(pl.col("load").arg_max()),
        busiest_hour_erlangs=pl.col("load").max(),
    )
    used = hour.filter(
        pl.col("day").dt.weekday().is_in(weekdays),
        (pl.col("mean_lines").sum().over(within)) > 0,
    )
    by_clock = (
        used.group_by([*keys, "clock"]).agg(_mean=pl.col("load").mean())
        .sort([*keys, "_mean", "clock"], descending=[*[False] * len(keys), True, False])
    )  # fmt: skip
    chosen = (
        by_clock.group_by(keys, maintain_order=True).first() if keys else by_clock.head(1)
    ).rename({"clock": "consistent_hour"})
    per_day = (
        per_day.join(chosen.drop("_mean"), on=keys, how="left", nulls_equal=True)
        if keys
        else per_day.with_columns(
            consistent_hour=pl.lit(chosen["consistent_hour"].first(), pl.Time)
        )
    )
    at_hour = hour.group_by([*within, "clock"]).agg(consistent_hour_erlangs=pl.col("load").max())
    return (
        per_day.join(
            at_hour, left_on=[*within, "consistent_hour"], right_on=[*within, "clock"],
            how="left", nulls_equal=True,
        )
        .filter(pl.col("day").dt.weekday().is_in(weekdays), pl.col("peak_lines") > 0)
        .select(
            *within, "peak_lines", "mean_lines", "busiest_hour", "busiest_hour_erlangs",
            "consistent_hour", "consistent_hour_erlangs",
        )
        .sort(within)
    )  # fmt: skip
