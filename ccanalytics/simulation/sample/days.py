"""The Chinese calendar as a centre feels it: workdays, holidays, make-up days, bill days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BILL_DAYS", "REMINDER_DAYS", "SPRING_FESTIVALS", "Calendar", "calendar_of"]

# First day of the lunar year; the centre's calendar is known for these years only.
SPRING_FESTIVALS: dict[int, date] = {
    2020: date(2020, 1, 25),
    2021: date(2021, 2, 12),
    2022: date(2022, 2, 1),
    2023: date(2023, 1, 22),
    2024: date(2024, 2, 10),
    2025: date(2025, 1, 29),
    2026: date(2026, 2, 17),
    2027: date(2027, 2, 6),
    2028: date(2028, 1, 26),
    2029: date(2029, 2, 13),
    2030: date(2030, 2, 3),
}

# Days of the month on which customers' bills come out, with the share of customers of each.
BILL_DAYS: dict[int, float] = {1: 0.40, 5: 0.15, 10: 0.15, 15: 0.15, 20: 0.15}
BILL_WINDOW_DAYS = 3
REMINDER_DAYS = (5, 10, 15, 25)

# Days off and the weekend days worked for them are published one year at a time. Of other years
# only the days fixed by law are known here: month and day, and how many days.
_PUBLISHED: dict[int, tuple[tuple[str, str, int], ...]] = {
    2024: (
        ("New Year", "01-01", 1),
        ("Spring Festival", "02-10", 8),
        ("Qingming", "04-04", 3),
        ("Labour Day", "05-01", 5),
        ("Dragon Boat", "06-10", 1),
        ("Mid-Autumn", "09-15", 3),
        ("National Day", "10-01", 7),
    ),
    2025: (
        ("New Year", "01-01", 1),
        ("Spring Festival", "01-28", 8),
        ("Qingming", "04-04", 3),
        ("Labour Day", "05-01", 5),
        ("Dragon Boat", "05-31", 3),
        ("National Day", "10-01", 8),
    ),
    2026: (
        ("New Year", "01-01", 3),
        ("Spring Festival", "02-15", 9),
        ("Qingming", "04-04", 3),
        ("Labour Day", "05-01", 5),
        ("Dragon Boat", "06-19", 3),
        ("Mid-Autumn", "09-25", 3),
        ("National Day", "10-01", 7),
    ),
}
_BY_LAW = (("New Year", "01-01", 1), ("Labour Day", "05-01", 1), ("National Day", "10-01", 3))
_MAKE_UP = {
    2024: "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
    2025: "01-26 02-08 04-27 09-28 10-11",
    2026: "01-04 02-14 02-28 05-09 09-20 10-10",
}


@dataclass(frozen=True, eq=False)
class Calendar:
    """What is known of each day of the log beforehand.

    ``festival`` marks the seven days from Spring Festival's eve; ``bill_window`` (bill days ×
    days) the three days from each bill day; ``reminder`` the days on which reminders go out.
    """

    dates: tuple[date, ...]
    weekday: NDArray[np.int64]
    workday: NDArray[np.bool_]
    make_up: NDArray[np.bool_]
    festival: NDArray[np.bool_]
    reminder: NDArray[np.bool_]
    bill_window: NDArray[np.bool_]
    holiday: tuple[str | None, ...]

    @property
    def days(self) -> int:
        """Number of days."""
        return len(self.dates)


def calendar_of(start: date, days: int) -> Calendar:
    """The calendar of a log of so many days."""
    dates = tuple(start + timedelta(days=day) for day in range(days))
    off: dict[date, str] = {}
    make_up: set[date] = set()
    for year in {each.year for each in dates}:
        off |= _holidays(year)
        make_up |= {date.fromisoformat(f"{year}-{day}") for day in _MAKE_UP.get(year, "").split()}
    weekday = np.array([each.weekday() for each in dates])
    works = np.array([each in make_up for each in dates])
    holiday = tuple(off.get(each) for each in dates)
    free = np.array([name is not None for name in holiday])
    # Bills of the month before may still be felt on the first days.
    window = np.array(
        [
            [
                any((each - timedelta(days=back)).day == day for back in range(BILL_WINDOW_DAYS))
                for each in dates
            ]
            for day in BILL_DAYS
        ]
    )
    return Calendar(
        dates=dates,
        weekday=weekday,
        workday=((weekday < 5) & ~free) | works,
        make_up=works,
        festival=np.array([_is_festival(each) for each in dates]),
        reminder=np.array([each.day in REMINDER_DAYS for each in dates]),
        bill_window=window,
        holiday=holiday,
    )


def _holidays(year: int) -> dict[date, str]:
    spells = _PUBLISHED.get(year)
    if spells is None:
        first = SPRING_FESTIVALS[year].strftime("%m-%d")
        spells = (*_BY_LAW, ("Spring Festival", first, 7))
    return {
        date.fromisoformat(f"{year}-{first}") + timedelta(days=day): name
        for name, first, length in spells
        for day in range(length)
    }


def _is_festival(day: date) -> bool:
    eve = SPRING_FESTIVALS[day.year] - timedelta(days=1)
    return eve <= day < eve + timedelta(days=7)
