"""What must hold of every row, whatever its source, and what follows from the rest of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.calllog.sources.base import any_holds, flag, listed, told

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.schema import Table

__all__ = ["validated"]

_LONGEST_S = 100 * 86400.0
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_FIRST_DAY, _LAST_DAY = 1900, 9999

_POLARS = {
    "text": "String",
    "date": "Date",
    "seconds": "Float64",
    "number": "Float64",
    "whole": "Int64",
    "flag": "Boolean",
}


def validated(frame: pl.DataFrame, table: Table) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What a source converted, with what holds for every source checked.

    Returns
    -------
    (polars.DataFrame, polars.DataFrame)
        Rows that can be loaded: ``_line``, ``_raw``, the columns of the table, ``remarks``; and
        rows that cannot: ``_line``, ``_raw``, ``reasons`` (lists of text).
    """
    import polars as pl

    wrong = any_holds(frame["reasons"])
    bad = []
    if wrong.any():
        # A cell that could not be read is null now: "missing" beside "is not a number" would say
        # it twice, so these rows are not looked at further.
        bad.append(_set_aside(frame.filter(wrong)))
        frame = frame.filter(~wrong)
    frame = _typed(frame, table)
    if table.name == "calls":
        frame = _completed(frame)
    frame = frame.with_columns(reasons=listed(_rules(table)))
    wrong = any_holds(frame["reasons"])
    if wrong.any():
        bad.append(_set_aside(frame.filter(wrong)))
        frame = frame.filter(~wrong)
    good = frame.select("_line", "_raw", *table.names, "remarks")
    if not bad:
        return good, _set_aside(frame.clear())
    return good, pl.concat(bad).sort("_line")


def _set_aside(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select("_line", "_raw", told(frame["reasons"]).alias("reasons"))


def _typed(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    import polars as pl

    columns = []
    for column in table.columns:
        kind = (
            pl.Datetime("us") if column.kind == "timestamp" else getattr(pl, _POLARS[column.kind])
        )
        value = pl.col(column.name) if column.name in frame.columns else pl.lit(None)
        columns.append(value.cast(kind).alias(column.name))
    return frame.with_columns(columns)


def _rules(table: Table) -> list[pl.Expr]:
    """What is wrong with a row, one expression a rule."""
    import datetime as dt

    import polars as pl

    reasons = []
    first, after = dt.datetime(_FIRST_YEAR, 1, 1), dt.datetime(_LAST_YEAR + 1, 1, 1)  # noqa: DTZ001
    for column in table.columns:
        name, value = column.name, pl.col(column.name)
        if column.required and (table.name, name) != ("calls", "call_id"):
            reasons.append(flag(f"{name} is missing", value.is_null()))
        if column.values:
            known = value.is_in(list(column.values))
            reasons.append(flag(f"{name} is not one of {', '.join(column.values)}", ~known))
        if column.kind == "seconds":
            reasons.append(flag(f"{name} is negative", value < 0))
            if not column.summed:
                reasons.append(flag(f"{name} is longer than 100 days", value > _LONGEST_S))
        if column.kind == "timestamp":
            sane = value.is_between(first, after, closed="left")
            reasons.append(flag(f"{name} is not between {_FIRST_YEAR} and {_LAST_YEAR}", ~sane))
        if column.kind == "date":
            # The year 9999 often stands for "for good"; people were born long before 1970.
            sane = value.is_between(dt.date(_FIRST_DAY, 1, 1), dt.date(_LAST_DAY, 12, 31))
            reasons.append(flag(f"{name} is not between {_FIRST_DAY} and {_LAST_DAY}", ~sane))
    if table.name == "calls":
        reasons.append(flag("ended before it arrived", pl.col("ended_at") < pl.col("arrived_at")))
    return reasons


def _completed(frame: pl.DataFrame) -> pl.DataFrame:
    """Moments that follow from durations, and a wait that follows from moments."""
    import polars as pl

    def seconds(name: str) -> pl.Expr:
        # A duration that will be rejected must not overflow on its way there.
        known = pl.col(name).fill_null(0).clip(0, _LONGEST_S)
        return pl.duration(microseconds=(known * 1e6).round().cast(pl.Int64))

    took = (pl.col("answered_at") - pl.col("arrived_at")).dt.total_microseconds() / 1e6
    served = pl.col("outcome") == "answered"
    frame = frame.with_columns(
        pl.col("wait_s").fill_null(
            pl.when(served & (took >= pl.col("menu_s").fill_null(0))).then(
                took - pl.col("menu_s").fill_null(0)
            )
        )
    )
    queued = pl.col("arrived_at") + seconds("menu_s") + seconds("wait_s")
    frame = frame.with_columns(
        pl.col("answered_at").fill_null(
            pl.when(served & pl.col("wait_s").is_not_null()).then(queued)
        )
    )
    talked = pl.col("answered_at") + seconds("talk_s") + seconds("hold_s")
    return frame.with_columns(
        pl.col("ended_at").fill_null(
            pl.when(served & pl.col("talk_s").is_not_null())
            .then(talked)
            .when(~served & (pl.col("wait_s").is_not_null() | pl.col("menu_s").is_not_null()))
            .then(queued)
        )
    )
