"""The periods of a panel: their dates, their place in time, and what the calendar makes of them."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.simulation.sample.days import SPRING_FESTIVALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.panels.parameters import PanelParameters

__all__ = ["Periods", "check_size", "check_whole", "check_zone", "day_of", "make_periods"]

YEAR_DAYS = 365.2425
_MOST_CELLS = 20_000_000


@dataclass(frozen=True, eq=False)
class Periods:
    """Periods of ``days`` local days each.

    ``year`` is the time in years from the middle of the span, ``calendar`` the mean factor of the
    days' calendar, a weekday being 1 and a whole ordinary week 1 as well.
    """

    starts: tuple[dt.date, ...]
    days: int
    time_zone: str
    year: NDArray[np.float64]
    of_year: NDArray[np.float64]
    calendar: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.starts)

    def day(self, index: int) -> dt.date:
        """Give the first day of a period, also of one beyond the span."""
        return self.starts[0] + dt.timedelta(days=self.days * index)


def make_periods(
    parameters: PanelParameters, start: object, periods: int, every: str, time_zone: str
) -> Periods:
    """Lay out the periods; weeks start on Monday."""
    if every not in ("1w", "1d"):
        raise InputError("a panel is by week or by day", f"every={every!r}", "'1w' or '1d'")
    days = 7 if every == "1w" else 1
    check_zone(time_zone)
    first = day_of(start)
    if days == 7 and first.weekday():
        monday = first - dt.timedelta(days=first.weekday())
        raise InputError("weeks start on Monday", f"start={start!r}", f"take {monday}")
    try:
        _ = first + dt.timedelta(days=2 * days * periods)
    except OverflowError as error:
        raise InputError("the calendar ends before", f"periods={periods}", "take fewer") from error
    starts = tuple(first + dt.timedelta(days=days * k) for k in range(periods))
    dates = [first + dt.timedelta(days=k) for k in range(days * periods)]
    factor = np.array([_level(parameters, date) for date in dates])
    week = (5 + parameters.saturday + parameters.sunday) / 7
    middle = np.arange(periods, dtype=np.float64) * days + days / 2
    offset = (first - dt.date(first.year, 1, 1)).days
    return Periods(
        starts=starts,
        days=days,
        time_zone=time_zone,
        year=np.asarray((middle - days * periods / 2) / YEAR_DAYS),
        of_year=np.asarray((middle + offset) / YEAR_DAYS),
        calendar=factor.reshape(periods, days).mean(axis=1) / week,
    )


def day_of(value: object) -> dt.date:
    """Read a day given as a date or as ISO text."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError as error:
        raise InputError("this is not a day", f"start={value!r}", "write YYYY-MM-DD") from error


def _level(p: PanelParameters, date: dt.date) -> float:
    level = {5: p.saturday, 6: p.sunday}.get(date.weekday(), 1.0)
    if date.day <= 3:
        level *= p.month_start
    if p.festival != 1:
        if date.year not in SPRING_FESTIVALS:
            raise InputError(
                "Spring Festival of this year is not known",
                f"{date.year}",
                f"stay within {min(SPRING_FESTIVALS)}–{max(SPRING_FESTIVALS)}, or take festival=1",
            )
        eve = SPRING_FESTIVALS[date.year] - dt.timedelta(days=1)
        if eve <= date < eve + dt.timedelta(days=7):
            level *= p.festival
    return level


def check_whole(**numbers: tuple[Any, int]) -> None:
    """Refuse what is not a whole number of at least so much: name=(value, least)."""
    for name, (value, least) in numbers.items():
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or value < least:
            raise InputError("a whole number is needed", f"{name}={value!r}", f"{least} or more")


def check_size(**numbers: int) -> None:
    """Refuse a world of more cells than fit into memory with ease: the product of these."""
    cells = math.prod(int(number) for number in numbers.values())
    if cells > _MOST_CELLS:
        raise InputError(
            f"a world of {cells:,} cells does not fit into memory",
            ", ".join(f"{name}={number}" for name, number in numbers.items()),
            f"stay below {_MOST_CELLS:,}",
        )


def check_zone(time_zone: str) -> None:
    """Refuse a time zone that is not known."""
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise InputError(
            "no such time zone", f"time_zone={time_zone!r}", "an IANA name such as Asia/Shanghai"
        ) from error
