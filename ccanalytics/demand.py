"""Demand: the table that planning speaks, checked once at the door.

One row per interval and key: how many calls, and how long a handled call takes.

================  =======================================================================
column            meaning
================  =======================================================================
interval_start    aware UTC timestamp, start of the interval
interval_s        its length in seconds; if missing, the commonest step per key is taken
local_start       optional: the start by the centre's own clock; utc_offset_s beside it
calls             calls in the interval, 0 or more (a mean may be fractional)
aht_s             average handle time in seconds; may be null where there are no calls
cv                optional: coefficient of variation of the volume
over_a_day        optional: calls that no handle time counts, as it would be over a day
*anything else*   key columns (queue, service, …), passed through untouched
================  =======================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MEASURES", "as_demand"]

MEASURES = (
    "interval_start",
    "local_start",
    "utc_offset_s",
    "interval_s",
    "calls",
    "aht_s",
    "cv",
    "over_a_day",
)


def as_demand(frame: Any) -> pl.DataFrame:
    """A checked copy of a demand frame (polars or pandas in, polars out), sorted by key and time.

    Raises
    ------
    InputError
        A missing column, an interval_start without a time zone, calls that are negative or not
        finite, calls without a handle time, or two rows for one interval and key; the message
        names the first such row (counted from 0).
    DataError
        No row at all.
    """
    import polars as pl

    if not isinstance(frame, pl.DataFrame):
        import narwhals.stable.v2 as nw

        try:
            frame = nw.from_native(frame, eager_only=True).to_polars()
        except TypeError as error:
            raise InputError(
                "demand must be a polars or pandas frame", f"got {type(frame).__name__}"
            ) from error
    for name in ("interval_start", "calls", "aht_s"):
        if name not in frame.columns:
            raise InputError(
                "the demand frame lacks a column",
                f"column {name!r}",
                "it needs interval_start, calls and aht_s",
            )
    if not frame.height:
        raise DataError("the demand frame has no rows", "0 rows", "widen the span or the choice")
    stamp = frame.schema["interval_start"]
    if not isinstance(stamp, pl.Datetime) or stamp.time_zone is None:
        raise InputError(
            "interval_start must be a timestamp with a time zone",
            f"it is {stamp}",
            "convert it to aware UTC",
        )
    known = ("calls", "aht_s", "interval_s", "cv", "over_a_day")
    numbers = [name for name in known if name in frame.columns]
    for name in numbers:
        if not frame.schema[name].is_numeric() and frame.schema[name] != pl.Null:
            raise InputError(
                "this column of the demand frame must hold numbers",
                f"column {name!r} is {frame.schema[name]}",
            )
    keys = [name for name in frame.columns if name not in MEASURES]
    for name in keys:
        if frame.schema[name].is_float():
            raise InputError(
                "a column that is no measure of demand is a key, and names no number",
                f"column {name!r} is {frame.schema[name]}",
                "drop it, or write it as text",
            )
    frame = frame.with_row_index("_row").with_columns(
        pl.col("interval_start").dt.convert_time_zone("UTC").dt.cast_time_unit("us"),
        pl.col(numbers).cast(pl.Float64),
    )
    _first(frame, pl.col("interval_start").is_null(), "interval_start", "every row needs its start")
    _first(frame, ~_from_zero("calls"), "calls", "give a finite number, 0 or more")
    no_time = (pl.col("calls") > 0) & ~(_from_zero("aht_s") & (pl.col("aht_s") != 0))
    _first(frame, no_time, "aht_s", "an interval with calls needs a handle time above 0 seconds")
    for name in ("cv", "over_a_day"):
        if name in numbers:
            wrong = pl.col(name).is_not_null() & ~_from_zero(name)
            _first(frame, wrong, name, "give a finite number, 0 or more, or null")
    if "interval_s" not in frame.columns:
        frame = _with_lengths(frame, keys)
    no_length = ~(_from_zero("interval_s") & (pl.col("interval_s") != 0))
    _first(frame, no_length, "interval_s", "give finite seconds above 0")
    frame = frame.sort([*keys, "interval_start"])
    same = pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(name).shift()) for name in (*keys, "interval_start")
    ) & (pl.int_range(pl.len()) > 0)
    twice = same | same.shift(-1, fill_value=False)
    _first(frame, twice, "interval_start", "each interval and key may stand once")
    return frame.drop("_row")


def _from_zero(column: str) -> pl.Expr:
    """Whether a value is a finite number of at least 0; null and NaN are not."""
    import polars as pl

    value = pl.col(column)
    return (value.is_finite() & (value >= 0)).fill_null(value=False)


def _first(frame: pl.DataFrame, bad: pl.Expr, column: str, remedy: str) -> None:
    wrong = frame.filter(bad)
    if wrong.height:
        row = wrong.bottom_k(1, by="_row").row(0, named=True)
        raise InputError(
            f"{wrong.height} of {frame.height} demand rows cannot be used",
            f"row {row['_row']}, {row['interval_start']}: {column}={row[column]!r}",
            remedy,
        )


def _with_lengths(frame: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Take the commonest step between starts as the length, per key."""
    import polars as pl

    step = pl.col("interval_start").diff().dt.total_seconds()
    if keys:
        step = step.over(keys)
    ordered = frame.sort([*keys, "interval_start"]).with_columns(_step=step)
    mode = pl.col("_step").drop_nulls().mode().min()
    ordered = ordered.with_columns(
        interval_s=(mode.over(keys) if keys else mode).cast(pl.Float64)
    ).drop("_step")
    if ordered["interval_s"].null_count():
        raise InputError(
            "the length of an interval cannot be told from a single row",
            "column 'interval_s' is missing",
            "add interval_s in seconds",
        )
    return ordered
