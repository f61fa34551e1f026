"""Frames at the door: polars or pandas in, polars on, and no column missing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

__all__ = [
    "WHOLE_WEEK_S",
    "alike",
    "as_kinds",
    "as_polars",
    "check_counts",
    "check_known",
    "check_numbers",
    "check_texts",
    "key_columns",
    "key_names",
    "label_of",
    "over_a_day",
    "over_a_day_in",
    "whole_weeks",
    "with_names",
]

WHOLE_WEEK_S = 7 * 86400 - 3600
"""A week is whole from this length on: the one in which clocks go forward lacks an hour."""


def as_polars(frame: Any, what: str, needs: Iterable[str], source: str) -> pl.DataFrame:
    """Turn a polars or pandas frame into polars, and name a column that is missing.

    ``what`` is the argument, ``source`` the call that gives such a frame.
    """
    import polars as pl

    if not isinstance(frame, pl.DataFrame):
        import narwhals.stable.v2 as nw

        try:
            frame = nw.from_native(frame, eager_only=True).to_polars()
        except TypeError as error:
            raise InputError(
                f"{what} must be a polars or pandas frame",
                f"got {type(frame).__name__}",
                f"take it from {source}",
            ) from error
    missing = [name for name in needs if name not in frame.columns]
    if missing:
        raise InputError(
            f"the frame {what} lacks a column",
            f"missing: {', '.join(missing)}",
            f"take it from {source}",
        )
    return frame


def check_numbers(frame: pl.DataFrame, names: Iterable[str]) -> None:
    """Refuse columns that hold something else than numbers; null is none, and let through."""
    import polars as pl

    for name in names:
        if not frame.schema[name].is_numeric() and frame.schema[name] != pl.Null:
            raise InputError(
                f"column {name!r} must hold numbers", f"it holds {frame.schema[name]}", ""
            )


def as_kinds(frame: pl.DataFrame, what: str, kinds: Mapping[str, str]) -> pl.DataFrame:
    """Give columns the type that they are meant to have, or name the one that cannot have it.

    pandas makes floats of whole numbers with gaps, and timestamps of days. ``kinds``: column →
    ``date``, ``whole`` (numbers) or ``truth``; null stays null.
    """
    import polars as pl

    types = {"date": pl.Date(), "whole": pl.Int64(), "truth": pl.Boolean()}
    told = {"date": "days", "whole": "whole numbers", "truth": "true or false"}
    for name, kind in kinds.items():
        own, column = frame.schema[name], pl.col(name)
        if own == pl.String and kind == "date":
            column = column.str.slice(0, 10).str.to_date("%Y-%m-%d")
        fits = {
            "date": own in (pl.Date, pl.Datetime, pl.String),
            "whole": own.is_numeric(),
            "truth": own == pl.Boolean,
        }[kind] or own in (pl.Null, pl.Object)
        try:
            cast = frame.with_columns(column.cast(types[kind])) if fits else None
        except pl.exceptions.PolarsError:
            cast = None
        if cast is None:
            raise InputError(f"column {name!r} of {what} must hold {told[kind]}", f"it holds {own}")
        if own.is_float() and (frame[name] != cast[name]).any():
            raise InputError(
                f"column {name!r} of {what} must hold {told[kind]}", "some have fractions"
            )
        frame = cast
    return frame


def alike(frame: pl.DataFrame, key: str, other: pl.DataFrame, what: str) -> pl.DataFrame:
    """Give a frame whose key can be joined with another's: one that is null throughout takes its
    type, one of another type is refused."""
    import polars as pl

    own, wanted = frame.schema[key], other.schema[key]
    if wanted in (own, pl.Null):
        return frame
    if own == pl.Null:
        return frame.with_columns(pl.col(key).cast(wanted))
    raise InputError(
        f"the frames name {key} in different types", f"{own} in {what}, else {wanted}", "cast it"
    )


def check_counts(frame: pl.DataFrame, names: Iterable[str], what: str) -> None:
    """Refuse counts that are not numbers, negative, or not finite; the first row is named."""
    import polars as pl

    for name in names:
        check_numbers(frame, [name])
        bad = frame.with_row_index("_row").filter(
            ~(pl.col(name).cast(pl.Float64).is_finite() & (pl.col(name) >= 0)).fill_null(True)
        )
        if bad.height:
            row = bad.row(0, named=True)
            raise InputError(
                f"{bad.height} of {frame.height} rows of {what} cannot be used",
                f"row {row['_row']}: {name}={row[name]!r}",
                "counts and seconds are finite and 0 or more",
            )


def check_texts(frame: pl.DataFrame, names: Iterable[str], what: str) -> None:
    """Refuse columns that hold something else than words."""
    import polars as pl

    for name in names:
        own = frame.schema[name]
        if frame.height and own not in (pl.String, pl.Categorical, pl.Enum):
            raise InputError(f"column {name!r} of {what} must hold words", f"it holds {own}")


def check_known(frame: pl.DataFrame, names: Iterable[str], what: str) -> None:
    """Refuse rows in which one of these columns is null: unknown is not zero."""
    for name in names:
        unknown = frame[name].null_count()
        if unknown:
            raise InputError(
                f"{unknown:,} of {frame.height:,} rows of {what} do not tell {name}",
                f"column {name!r} is null there",
                "unknown is not zero: leave these rows out, or take the frame from the log",
            )


def key_columns(frame: pl.DataFrame, known: Iterable[str]) -> list[str]:
    """List the columns that are keys: all that the roll-up does not define itself."""
    mine = set(known)
    return [name for name in frame.columns if name not in mine]


def key_names(by: Any) -> list[str]:
    """Give names of key columns, one or several, as a list.

    >>> key_names("service"), key_names(("queue", "service"))
    (['service'], ['queue', 'service'])
    """
    keys = [by] if isinstance(by, str) or not hasattr(by, "__iter__") else list(by)
    if not all(isinstance(key, str) for key in keys):
        raise InputError("keys are names of columns", f"by={by!r}", "such as ['service']")
    return keys


def with_names(
    frame: pl.DataFrame, key: str, names: Mapping[str, str | None] | None
) -> pl.DataFrame:
    """Put a column ``name`` beside a key column, where names are known of any of its values."""
    import polars as pl

    known = {code: name for code, name in (names or {}).items() if name}
    if key not in frame.columns or not set(known) & set(frame[key].to_list()):
        return frame
    name = pl.Series("name", [known.get(value) for value in frame[key]])
    return frame.insert_column(frame.columns.index(key) + 1, name)


def over_a_day(calls: int, so: str = "left out") -> tuple[Check, ...]:
    """Name the calls that are longer than a day, and what follows: they are left out."""
    if not calls:
        return ()
    told = f"{counted(calls, 'call is', 'calls are')} longer than a day, {so}"
    return (Check("longer than a day", "fails", f"{told}: a clock, or a record never closed"),)


def over_a_day_in(frame: pl.DataFrame, what: str) -> tuple[Check, ...]:
    """Name such calls of a frame that may tell them in the column ``over_a_day``."""
    if "over_a_day" not in frame.columns:
        return ()
    check_counts(frame.drop_nulls("over_a_day"), ["over_a_day"], what)
    return over_a_day(int(frame["over_a_day"].sum() or 0))


def label_of(values: Iterable[Any]) -> str:
    """Name a row by its keys; a key that is null is unknown.

    >>> label_of(["sales", None])
    'sales, unknown'
    """
    return ", ".join("unknown" if value is None else str(value) for value in values)


def spoken(seconds: float) -> str:
    """Seconds as people say them; minutes are rounded to seconds, hours to minutes.

    >>> [spoken(s) for s in (42, 333, 3600, 86400)]
    ['42 s', '5 min 33 s', '1 h', '24 h']
    """
    if not math.isfinite(seconds):
        return "∞"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    count, rest, big, small = *divmod(whole, 60), "min", "s"
    if whole >= 3600:
        count, rest, big, small = *divmod(round(whole / 60), 60), "h", "min"
    return f"{count} {big}" + (f" {rest} {small}" if rest else "")


def whole_weeks(frame: pl.DataFrame, what: str) -> tuple[pl.DataFrame, int]:
    """Keep the weeks that the log covers in full, and count those it covers in part.

    Raises
    ------
    InputError
        The intervals are not weeks, or it is not known when one begins or how long it is.
    DataError
        There are none, or none of them is whole.
    """
    import polars as pl

    check_numbers(frame, ["interval_s"])
    check_known(frame, ["local_start", "interval_s"], what)
    longest = frame.select(pl.col("interval_s").max()).item()
    if longest is None:
        raise DataError(
            f"{what} hold no whole week", "the frame has no row", "take more of the log"
        )
    starts = frame.select("local_start", "interval_s").unique()
    whole = starts.filter(pl.col("interval_s") >= WHOLE_WEEK_S).height
    # Of a log's weeks only the first and the last can be cut.
    if longest and (longest > WHOLE_WEEK_S + 7200 or (not whole and starts.height > 2)):
        raise InputError(
            f"{what} must be by week",
            f"the longest interval has {longest:,} s",
            "ask the log for every='1w'",
        )
    if longest and not whole:
        raise DataError(
            f"{what} hold no whole week",
            f"the longest reaches over {counted(round(longest / 86400), 'day')}",
            "take more of the log",
        )
    return frame.filter(pl.col("interval_s") >= WHOLE_WEEK_S), starts.height - whole
