"""Calls by interval and key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.busy import busy_by_slot
from ccanalytics.calllog.rollups.scope import Scope, collect
from ccanalytics.calllog.timegrid import starts_of
from ccanalytics.servicelevel import within_column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from ccanalytics.calllog.timegrid import Every
    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["demand_counts", "interval_counts", "thresholds"]

_COUNTS = ("left_menu", "contained", "diverted", "blocked")
_PARTS = ("menu_s", "wait_s", "talk_s", "hold_s", "wrap_s")


def thresholds(goals: Sequence[ServiceLevel]) -> list[tuple[str, float]]:
    """The counts within a threshold that the goals need, each once."""
    wanted: dict[str, tuple[str, float]] = {}
    for goal in goals:
        for argument, column in goal.columns().items():
            if argument == "answered_within":
                wanted[column] = ("answered", goal.within)
            elif argument == "abandoned_within":
                wanted[column] = ("abandoned", goal.within)
            elif argument == "abandoned_short":
                wanted[column] = ("abandoned", goal.short)
    return list(wanted.values())


def _count(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))


def interval_counts(
    scope: Scope, every: Every, keys: list[str], goals: Sequence[ServiceLevel], filled: set[str]
) -> Callable[[], pl.DataFrame]:
    """Ask the log; what comes back makes the table: a row per interval and key, nothing left out.

    The table is made when the log is closed, so that it and what the database holds of a large
    log are never in memory together. ``filled`` names the columns of calls that the log ever
    fills: sums of others are null.
    """
    import polars as pl

    units, _ = scope.grid(every)
    offered, answered = nw.col("is_offered"), nw.col("is_answered")
    abandoned, wait = nw.col("is_abandoned"), nw.col("wait_s")
    # What has a handle time, and what was never timed as a whole: not what took over a day.
    timed = answered & (~nw.col("handle_s").is_null() | nw.col("recorded_s").is_null())
    measures: dict[str, nw.Expr] = {
        "offered": _count(offered),
        "answered": _count(answered),
        "abandoned": _count(abandoned),
        **{name: _count(nw.col("outcome") == name) for name in _COUNTS},
        "waited": _count(offered & (wait > 0)),
        "handled": _count(~nw.col("handle_s").is_null()),
        "_waits": _count(offered & ~wait.is_null()),
        "_answered_waits": _count(answered & ~wait.is_null()),
        "menu_s": nw.col("menu_s"),
        "wait_s": nw.when(offered).then(wait),
        "answered_wait_s": nw.when(answered).then(wait),
        "abandoned_wait_s": nw.when(abandoned).then(wait),
        **{name: nw.when(timed).then(nw.col(name)) for name in ("talk_s", "hold_s", "wrap_s")},
        "handle_s": nw.col("handle_s"),
    }
    for what, seconds in thresholds(goals):
        measures[within_column(what, seconds)] = _count(
            (answered if what == "answered" else abandoned) & (wait <= seconds)
        )
    wait_of_offered = nw.col("_wait_of_offered")
    placed = scope.placed(scope.calls(), every).select(
        "slot",
        *keys,
        _wait_of_offered=nw.when(offered).then(wait),
        **{f"_m_{name}": value for name, value in measures.items()},
    )
    counted = [
        collect(
            part.group_by("slot", *keys).agg(
                nw.len().alias("arrived"),
                *(nw.col(f"_m_{name}").sum().alias(name) for name in measures),
                wait_of_offered.quantile(0.5, interpolation="linear").alias("wait_p50_s"),
                wait_of_offered.quantile(0.9, interpolation="linear").alias("wait_p90_s"),
            )
        )
        for part in scope.in_stretches(placed, units)
    ]
    counted = [pl.concat(counted)]
    groups = _groups(scope, keys, counted)
    counted += [
        busy_by_slot(scope, every, keys, units, what).rename({"busy_s": f"{what}_busy_s"})
        for what in ("agent", "line")
    ]

    def table() -> pl.DataFrame:
        frame = _dense(units, keys, groups, counted)
        return _finished(frame, keys, list(measures), filled)

    return table


def demand_counts(scope: Scope, every: Every, keys: list[str], calls: str) -> pl.DataFrame:
    """Columns interval_start (aware UTC), local_start, utc_offset_s, interval_s, keys…, calls,
    handled, handle_s, over_a_day, also where nothing happened; ``calls`` is ``offered`` or
    ``arrived``."""
    import polars as pl

    units, _ = scope.grid(every)
    handle = nw.col("handle_s")
    wanted = nw.len() if calls == "arrived" else nw.col("_offered").sum()
    counted = collect(
        scope.placed(scope.calls(), every)
        .select(
            "slot",
            *keys,
            "handle_s",
            _recorded=nw.col("recorded_s"),
            _offered=_count(nw.col("is_offered")),
        )
        .group_by("slot", *keys)
        .agg(
            calls=wanted,
            handled=handle.count(),
            handle_s=handle.sum(),
            over_a_day=nw.col("_recorded").count() - handle.count(),
        )
    )
    frame = _dense(units, keys, _groups(scope, keys, [counted]), [counted])
    return frame.select(
        pl.col("interval_start").dt.replace_time_zone("UTC"),
        "local_start",
        "utc_offset_s",
        "interval_s",
        *keys,
        pl.col("calls", "handled", "handle_s").cast(pl.Float64).fill_null(0),
        pl.col("over_a_day").cast(pl.Int64).fill_null(0),
    )


def _dense(
    units: pl.DataFrame, keys: list[str], groups: pl.DataFrame | None, told: list[pl.DataFrame]
) -> pl.DataFrame:
    """What was counted, in one row per interval and combination of keys, in their order.

    The place of every row that was told is worked out, and each column fetched from there: a join
    would copy all columns for each of the frames. Those in ``told`` are taken out of it.
    """
    import numpy as np
    import polars as pl

    starts = starts_of(units)
    frame = starts if groups is None else groups.sort(keys).join(starts, how="cross")
    first, many = starts["slot"].item(0), starts.height
    while told:
        rows = told.pop()
        place = (rows["slot"] - first).to_numpy()
        if groups is not None:
            number = groups.sort(keys).with_row_index("_number")
            named = rows.select(keys).join(
                number, on=keys, how="left", nulls_equal=True, maintain_order="left"
            )
            place = place + named["_number"].to_numpy().astype(np.int64) * many
        whence = np.full(frame.height, -1)
        whence[place] = np.arange(rows.height)
        index = pl.Series(whence)
        index = index.set(index < 0, None)
        frame = frame.with_columns(rows.drop("slot", *keys).select(pl.all().gather(index)))
    return frame


def _groups(scope: Scope, keys: list[str], counted: list[pl.DataFrame]) -> pl.DataFrame | None:
    """The combinations of keys that occur at all: those of other days have their rows too."""
    import polars as pl

    if not keys:
        return None
    if scope.whole:
        return pl.concat([part.select(keys).unique() for part in counted]).unique()
    groups: nw.LazyFrame[Any] = scope.calls().group_by(*keys).agg(nw.len().alias("_n"))
    return collect(groups).drop("_n")


def _finished(
    frame: pl.DataFrame, keys: list[str], measures: list[str], filled: set[str]
) -> pl.DataFrame:
    import polars as pl

    counts = ["arrived", *(m for m in measures if not m.endswith("_s") or "_in_" in m)]
    sums = [m for m in measures if m not in counts]
    unknown = {part for part in _PARTS if part not in filled}
    if "wait_s" in unknown:
        unknown |= {"answered_wait_s", "abandoned_wait_s"}
    if "talk_s" in unknown:
        unknown.add("handle_s")
    if not {"talk_s", "answered_at"} <= filled:
        unknown.add("agent_busy_s")
    if "ended_at" not in filled:
        unknown.add("line_busy_s")

    def ratio(top: str, bottom: str) -> pl.Expr:
        return pl.when(pl.col(bottom) > 0).then(pl.col(top) / pl.col(bottom))

    frame = frame.with_columns(
        pl.col(counts).cast(pl.Int64).fill_null(0),
        pl.col(*sums, "agent_busy_s", "line_busy_s").cast(pl.Float64).fill_null(0.0),
    )
    frame = frame.with_columns(
        mean_wait_s=ratio("wait_s", "_waits"),
        asa_s=ratio("answered_wait_s", "_answered_waits"),
        aht_s=ratio("handle_s", "handled"),
    ).with_columns(pl.lit(None, pl.Float64).alias(name) for name in unknown)
    order = [
        "interval_start",
        "local_start",
        "utc_offset_s",
        "interval_s",
        *keys,
        *(c for c in counts if not c.startswith("_")),
        *sums,
        "mean_wait_s",
        "asa_s",
        "aht_s",
        "wait_p50_s",
        "wait_p90_s",
        "agent_busy_s",
        "line_busy_s",
    ]
    return frame.select(order).with_columns(pl.col("interval_start").dt.replace_time_zone("UTC"))
