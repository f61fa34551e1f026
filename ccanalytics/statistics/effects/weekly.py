"""A weekly series, checked at the door: whole weeks seven days apart, with counts."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.statistics.checking import counts as check_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["APART", "Weekly", "as_date", "as_weekly", "break_in"]

APART = "weeks must be seven days apart and in order"


@dataclass(frozen=True, eq=False)
class Weekly:
    """Weeks by their first day, and what was counted in each."""

    weeks: list[dt.date]
    calls: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.weeks)

    def part(self, keep: slice) -> Weekly:
        """Take some of the weeks."""
        return Weekly(self.weeks[keep], self.calls[keep])

    def index_of(self, day: dt.date) -> int:
        """Give the position of the week that holds ``day``; negative or ≥ len outside."""
        return (day - self.weeks[0]).days // 7

    @property
    def span(self) -> str:
        """First and last day, in words."""
        return f"{self.weeks[0]} to {self.weeks[-1] + dt.timedelta(days=6)}"


def as_date(name: str, value: Any) -> dt.date:
    """Read a day given as a date, a timestamp or ISO text.

    >>> as_date("live_on", "2025-03-01")
    datetime.date(2025, 3, 1)
    """
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, np.datetime64) and not np.isnat(value):
        return value.astype("datetime64[D]").item()
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value[:10])
        except ValueError:
            pass
    raise InputError("this is not a day", f"{name}={value!r}", "give it as YYYY-MM-DD")


def break_in(days: list[dt.date]) -> str:
    """Name the first two weeks that are not seven days apart; empty where all are."""
    for before, after in itertools.pairwise(days):
        if (after - before).days != 7:
            return f"{after} follows {before}"
    return ""


def as_weekly(weeks: Any, calls: Any) -> Weekly:
    """Check that weeks are seven days apart, in order, each with its count.

    Raises
    ------
    InputError
        Lengths that differ, weeks that are missing, twice or out of order (the message names the
        first), or a count that is negative or not finite.
    """
    days = [as_date("week", week) for week in weeks]
    counted = np.atleast_1d(check_counts("calls", calls))
    if len(days) != counted.size:
        raise InputError(
            "each week needs one count",
            f"{len(days)} weeks, {counted.size} counts",
            "give columns of one length",
        )
    if not days:
        raise InputError("the series is empty", "weeks=[]", "give weeks with their counts")
    if gap := break_in(days):
        raise InputError(APART, gap, "ask the log for weeks (every='1w'), which leaves none out")
    return Weekly(days, counted)
