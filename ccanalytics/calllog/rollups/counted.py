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

    from ccanalytics.calllog.engine import Engine
    from ccanalytics.calllog.rollups.scope import Scope
    from ccanalytics.calllog.timegrid import Every

__all__ = ["COUNTED_KEYS", "counted_intervals", "told_of"]

COUNTED_KEYS = ("queue", "media")
_COLUMNS = TABLES["interval_counts"].columns
_WHOLE = [c.name for c in _COLUMNS if c.kind == "whole"]
_SUMS = [c.name for c in _COLUMNS if c.summed]
_KNOWN = [*_WHOLE, *_SUMS, "within_s"]


def told_of(engine: Engine) -> dict[str, int]:
    """``first`` and ``last`` epoch second of the counts, ``rows``, and how many tell each column.

    Empty where the log holds no counts.
    """
    started = nw.col("started_epoch")
    told = engine.table("counted").select(
        first=started.min(),
        last=started.max(),
        rows=nw.len(),
        **{n: nw.col(n).count() for n in _KNOWN},
    )
    row = collect(told).row(0, named=True)
    return row if row["rows"] else {}


def counted_intervals(
    scope: Scope, every: Every, keys: list[str], told: dict[str, int]
) -> pl.DataFrame:
    """One row per interval and key for which the switch told anything.

    ``told`` as :func:`told_of` gives it: a column that no row tells, or that every row does,
    needs no counting by group.
    """
    import polars as pl

    units, _ = scope.grid(every)
    rows = scope.placed(scope.counted(), every, "started_epoch")
    known = [name for name in _KNOWN if told[name]]
    partly = [name for name in known if told[name] < told["rows"]]
    prepared = rows.select(
        "slot", *keys, *known, "interval_s", _end=nw.col("started_epoch") + nw.col("interval_s")
    )
    within = (nw.col("within_s").min().alias("_low"), nw.col("within_s").max().alias("_high"))
    counted = collect(
        prepared.group_by("slot", *keys).agg(
            nw.len().alias("counted_intervals"),
            nw.col("_end").max().alias("_end"),
            nw.col("interval_s").max().alias("_longest"),
            *(within if "within_s" in known else ()),
            *(nw.col(name).count().alias(f"_told_{name}") for name in partly),
            *(nw.col(name).sum().alias(name) for name in known if name != "within_s"),
        )
    )

    def of(name: str, value: pl.Expr, kind: type[pl.DataType]) -> pl.Expr:
        if name not in known:
            value = pl.lit(None)
        elif name in partly:
            value = pl.when(pl.col(f"_told_{name}") == pl.col("counted_intervals")).then(value)
        return value.cast(kind).alias(name)

    uniform = pl.when(pl.col("_low") == pl.col("_high")).then(pl.col("_low"))
    starts = starts_of(units)
    frame = counted.lazy().join(starts.lazy(), on="slot", how="inner")
    frame = frame.with_columns(
        *(of(name, pl.col(name), pl.Int64) for name in _WHOLE),
        *(of(name, pl.col(name), pl.Float64) for name in _SUMS),
        of("within_s", uniform, pl.Float64),
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
