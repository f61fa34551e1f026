"""The door of this room: frames of the call log's roll-ups, checked before anything is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    import polars as pl

__all__ = ["WEEKDAYS", "as_intervals", "as_polars", "check_counts", "day", "days"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def as_polars(frame: Any, what: str, columns: Iterable[str], remedy: str) -> pl.DataFrame:
    """Give a polars copy of a polars or pandas frame that has rows and these columns."""
    import polars as pl

    if not isinstance(frame, pl.DataFrame):
        import narwhals.stable.v2 as nw

        try:
            frame = nw.from_native(frame, eager_only=True).to_polars()
        except TypeError as error:
            raise InputError(
                f"{what} must be a polars or pandas frame", f"got {type(frame).__name__}", remedy
            ) from error
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InputError(f"{what} lacks a column", "missing: " + ", ".join(missing), remedy)
    if frame.height == 0:
        raise DataError(f"{what} is empty", "0 rows", "load calls, or widen start and end")
    return frame


def as_intervals(frame: Any, columns: Iterable[str]) -> pl.DataFrame:
    """Check a roll-up of ``log.intervals``: one row per interval, local times, sane counts."""
    import polars as pl

    counted = list(dict.fromkeys(columns))
    rows = as_polars(
        frame,
        "the interval frame",
        ["interval_start", "local_start", "interval_s", *counted],
        "take it from log.intervals(every, goals=[goal])",
    )
    stamp = rows.schema["local_start"]
    if not isinstance(stamp, pl.Datetime) or stamp.time_zone is not None:
        raise InputError(
            "local_start must be the centre's wall clock, without a time zone",
            f"it is {stamp}",
            "take the frame from log.intervals",
        )
    twice = rows.filter(pl.col("interval_start").is_duplicated())
    if twice.height:
        raise InputError(
            "the frame has several rows for one interval",
            f"{twice['interval_start'][0]}",
            "ask for one queue or service with where=, or roll up without by=",
        )
    check_counts(rows, counted)
    if not bool((rows["interval_s"] > 0).fill_null(False).all()):
        raise InputError("an interval needs a length above 0 seconds", "column interval_s", "")
    return rows.sort("interval_start")


def check_counts(rows: pl.DataFrame, columns: Iterable[str]) -> None:
    """Refuse counts and sums that are negative or not finite; null is for who never knew."""
    import polars as pl

    for name in columns:
        if not rows.schema[name].is_numeric() and rows.schema[name] != pl.Null:
            raise InputError("a count must be a number", f"column {name!r}: {rows.schema[name]}")
        value = pl.col(name).cast(pl.Float64)
        wrong = rows.filter(~(value.is_finite() & (value >= 0)).fill_null(True))
        if wrong.height:
            raise InputError(
                f"{wrong.height} rows have a count that is negative or not finite",
                f"column {name!r}: {wrong[name][0]!r}",
                "give numbers, 0 or more, and null where it is unknown",
            )


def day(value: date) -> str:
    """Write a date as it is read.

    >>> from datetime import date
    >>> day(date(1999, 2, 3))
    'Wednesday 3 February 1999'
    """
    return f"{WEEKDAYS[value.isoweekday() - 1]} {value.day} {value:%B %Y}"


def days(values: list[date], most: int = 4) -> str:
    """Write some dates, and how many more there are."""
    named = ", ".join(f"{value.day} {value:%b %Y}" for value in values[:most])
    more = len(values) - most
    return named + (f" and {more} more" if more > 0 else "")
