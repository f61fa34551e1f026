"""Intervals that a switch counted itself, added up to coarser ones or over queues.

A sum over rows of which one does not tell is unknown, not the sum of the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.scope import collect
from ccanalytics.calllog.timegrid import starts_of
from ccanalytics.errors import DataError
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.rollups.scope import Scope
    from ccanalytics.calllog.timegrid import Every

__all__ = ["COUNTED_KEYS", "counted_intervals"]

COUNTED_KEYS = ("queue", "media")
_COLUMNS = TABLES["interval_counts"].columns
_WHOLE = [c.name for c in _COLUMNS if c.kind == "whole"]
_SUMS = [c.name for c in _COLUMNS if c.summed]


def counted_intervals(scope: Scope, every: Every, keys: list[str]) -> pl.DataFrame:
    """One row per interval and key for which the switch told anything."""
    import polars as pl

    units, _ = scope.grid(every)
    rows = scope.placed(scope.counted(), every, "started_epoch")
    known = [*_WHOLE, *_SUMS, "within_s"]
    prepared = rows.select(
        "slot", *keys, *known, "interval_s", _end=nw.col("started_epoch") + nw.col("interval_s")
    )
    counted = collect(
        prepared.group_by("slot", *keys).agg(
            nw.len().alias("counted_intervals"),
            nw.col("_end").max().alias("_end"),
            nw.col("interval_s").max().alias("_longest"),
            nw.col("within_s").min().alias("_within_low"),
            nw.col("within_s").max().alias("_within_high"),
            *(nw.col(name).count().alias(f"_told_{name}") for name in known),
            *(nw.col(name).sum().alias(name) for name in [*_WHOLE, *_SUMS]),
        )
    )
    starts = starts_of(units)
    told = {name: pl.col(f"_told_{name}") == pl.col("counted_intervals") for name in known}
    uniform = told["within_s"] & (pl.col("_within_low") == pl.col("_within_high"))
    frame = counted.lazy().join(starts.lazy(), on="slot", how="inner")
    frame = frame.with_columns(
        *(pl.when(told[n]).then(pl.col(n)).cast(pl.Int64) for n in _WHOLE),
        *(pl.when(told[n]).then(pl.col(n)).cast(pl.Float64) for n in _SUMS),
        within_s=pl.when(uniform).then(pl.col("_within_low")),
    )
    parts = pl.col("talk_s") + pl.col("hold_s").fill_null(0) + pl.col("wrap_s").fill_null(0)
    handled = pl.coalesce("handled", "answered")
    frame = frame.with_columns(handle_s=pl.coalesce("handle_s", parts)).with_columns(
        asa_s=pl.when(pl.col("answered") > 0).then(pl.col("answered_wait_s") / pl.col("answered")),
        aht_s=pl.when(handled > 0).then(pl.col("handle_s") / handled),
    )
    found = frame.sort([*keys, "interval_start"]).collect()
    _check_fit(found, every)
    return found.select(
        pl.col("interval_start").dt.replace_time_zone("UTC"),
        "local_start",
        "utc_offset_s",
        "interval_s",
        *keys,
        *_WHOLE,
        "within_s",
        *_SUMS,
        "asa_s",
        "aht_s",
        pl.col("counted_intervals").cast(pl.Int64),
    )


def _check_fit(frame: pl.DataFrame, every: Every) -> None:
    """Refuse intervals that are shorter than those that were counted, or cut across them."""
    import polars as pl

    end = pl.col("interval_start").dt.epoch("s") + pl.col("interval_s")
    cut = frame.filter(pl.col("_end") > end)
    if cut.height:
        row = cut.row(0, named=True)
        raise DataError(
            f"intervals of {every.text} cannot be told from counts of {row['_longest']:g} s",
            f"interval that begins {row['interval_start']} UTC",
            "ask for longer intervals",
        )
