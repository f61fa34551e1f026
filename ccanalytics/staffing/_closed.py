"""Days that are no days of work: named by the user, or without any call."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from ccanalytics.dates import read_dates
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check
from ccanalytics.staffing._days import span
from ccanalytics.staffing._seats import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["ClosedDays", "left_out"]

ClosedDays = Literal["leave out", "zero"]

# Where a weekday usually has so many calls, chance alone leaves a day empty once in 20,000 (e^-10).
_USUAL = 10.0
# Below this share of its weekday's usual calls a day is named: perhaps it was half closed.
_QUIET = 0.2


def left_out(
    rows: pl.DataFrame,
    exclude: Any,
    closed_days: ClosedDays,
    weekdays: Sequence[int] = tuple(range(1, 8)),
) -> tuple[frozenset[date], list[Check]]:
    """Give the days that enter no mean, and checks that name those on ``weekdays``.

    A day without any call, of any key and at any hour, on a weekday that has 10 calls or more on
    its other days, was closed, or is missing from the log. A weekday that never has calls is a
    fact about the week and stays.
    """
    import polars as pl

    if closed_days not in get_args(ClosedDays):
        raise InputError(
            "no such way to treat days without calls",
            f"closed_days={closed_days!r}",
            "choose " + " or ".join(repr(way) for way in get_args(ClosedDays)),
        )
    asked = read_dates(exclude)
    totals = rows.group_by("_date").agg(pl.col("calls").sum())
    days = (
        span(rows).join(totals, on="_date", how="left").with_columns(pl.col("calls").fill_null(0))
    )
    checks = []
    if asked:
        span_days = set(days["_date"].to_list())
        inside = sorted(d for d in asked & span_days if d.isoweekday() in weekdays)
        rest = len(asked) - len(inside)
        words = f"{counted(len(inside), 'day')} as asked: {_named(inside)}" if inside else "none"
        if rest:
            words += f"; {rest} of the {counted(len(asked), 'day')} named did not count here anyway"
        checks.append(Check("Days left out by name", "informs", words))
    days = days.filter(~pl.col("_date").is_in(list(asked))).with_columns(
        _weekday=pl.col("_date").dt.weekday()
    )
    if days.is_empty():
        raise DataError(
            "every day of the span is left out", f"exclude={exclude!r}", "leave some days in"
        )
    usual = pl.col("calls").filter(pl.col("calls") > 0).median().over("_weekday").fill_null(0)
    days = days.with_columns(_usual=usual)
    none = days.filter((pl.col("calls") == 0) & (pl.col("_usual") >= _USUAL))["_date"].to_list()
    out = asked | frozenset(none if closed_days == "leave out" else ())
    empty = [day for day in none if day.isoweekday() in weekdays]
    if empty:
        named = f"{counted(len(empty), 'day')} ({_named(empty)})"
        if closed_days == "leave out":
            words = f"{named}: taken as closed, or missing from the log, and left out of every mean"
        else:
            words = f"{named}: counted as days with zero calls, as asked; they lower every mean"
        checks.append(Check("Days without any call", "informs", words))
    quiet = days.filter(
        pl.col("_weekday").is_in(list(weekdays))
        & (pl.col("calls") > 0)
        & (pl.col("_usual") >= 5 * _USUAL)
        & (pl.col("calls") < _QUIET * pl.col("_usual"))
    )
    if quiet.height:
        words = (
            f"{counted(quiet.height, 'day')} with less than a fifth of the calls usual on that "
            f"weekday: {_named(quiet['_date'].to_list())}; they are in the mean (exclude leaves "
            "days out)"
        )
        checks.append(Check("Days nearly without calls", "informs", words))
    return out, checks


def _named(days: Sequence[date], most: int = 6) -> str:
    """Name days, neighbours as a range.

    >>> _named([date(2024, 2, d) for d in (10, 11, 12, 20)])
    '10–12 Feb 2024, 20 Feb 2024'
    """
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == timedelta(1):
            runs[-1].append(day)
        else:
            runs.append([day])
    words = [_run(run[0], run[-1]) for run in runs[:most]]
    more = sum(len(run) for run in runs[most:])
    return ", ".join(words) + (f" and {more} more" if more else "")


def _run(first: date, last: date) -> str:
    end = f"{last.day} {last:%b %Y}"
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end}"
    return (
        f"{first.day} {first:%b}"
        + (f" {first:%Y}" if first.year != last.year else "")
        + f" – {end}"
    )
