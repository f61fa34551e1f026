"""When units went live, and what share of the traffic that was, week by week."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.effects.weekly import APART, as_date, break_in

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "Live",
    "days_of",
    "exposure",
    "in_a_row",
    "live_within",
    "others_live",
    "part_live",
    "refuse_twice",
    "treatment_of",
]

Live = dict[str, Any]


def others_live(dates: pl.DataFrame) -> dict[str, Live]:
    """Give the live days of each other treatment, by unit."""
    found: dict[str, Live] = {}
    for row in dates.drop_nulls("live_on").iter_rows(named=True):
        found.setdefault(row["treatment"], {})[row["unit"]] = row["live_on"]
    return found


def live_within(live: Live, starts: list[dt.date]) -> dict[str, dt.date]:
    """Keep the units that went live within the weeks: earlier ones belong to the level."""
    days = {unit: as_date("live_on", day) for unit, day in live.items() if day is not None}
    end = starts[-1] + dt.timedelta(days=7)
    return {unit: day for unit, day in days.items() if starts[0] <= day < end}


def exposure(
    starts: list[dt.date], live: dict[str, dt.date], share: dict[str, float]
) -> list[float]:
    """Give the share of traffic whose unit is live, by week."""
    return [
        min(1.0, sum(share.get(unit, 0) * part_live(start, day) for unit, day in live.items()))
        for start in starts
    ]


def days_of(column: pl.Series) -> list[dt.date]:
    """Give the days at which a column of weeks starts."""
    return [as_date("local_start", start) for start in column]


def in_a_row(starts: list[dt.date]) -> list[dt.date]:
    """Give weeks themselves, or refuse those of which one is missing: its calls are not zero."""
    if gap := break_in(starts):
        raise DataError(
            APART, gap, "load the calls of the weeks between, or take a span without them"
        )
    return starts


def refuse_twice(dates: pl.DataFrame, weeks: pl.DataFrame) -> None:
    """A unit goes live once with each treatment, and has one count a week."""
    import polars as pl

    live = dates.drop_nulls("live_on").select("treatment", "unit", "live_on").unique()
    twice = live.group_by("treatment", "unit").len().filter(pl.col("len") > 1)
    twice = twice.drop_nulls().sort("unit", "treatment")
    if twice.height:
        name, unit, _ = twice.row(0)
        days = live.filter(pl.col("treatment") == name, pl.col("unit") == unit)["live_on"].sort()
        raise InputError(
            "a unit goes live once",
            f"{unit}, {name}: {days[0]} and {days[1]}",
            "keep the day on which customers could use it",
        )
    rows = weeks.drop_nulls("unit").select("unit", "local_start")
    if rows.is_duplicated().any():
        unit, at = rows.filter(rows.is_duplicated()).row(0)
        raise InputError("a unit has one row a week", f"{unit!r}, {at}", "drop the duplicates")


def part_live(start: dt.date, day: dt.date) -> float:
    """Give the share of a week's days on which a unit is live."""
    return min(max((start - day).days + 7, 0), 7) / 7


def treatment_of(asked: str | None, dates: pl.DataFrame) -> str:
    """Give the treatment asked for, or the only one there is; empty without any roll-out.

    Raises
    ------
    InputError
        None is asked for where there are several.
    DataError
        The one asked for is not among them. A report asks by its usual name, and says so where the
        log has none.
    """
    known = sorted(map(str, dates["treatment"].drop_nulls().unique().to_list()))
    if asked is None:
        if len(known) > 1:
            raise InputError(
                "more than one thing went live", "treatment=None", "one of " + ", ".join(known)
            )
        return known[0] if known else ""
    if known and asked not in known:
        raise DataError(
            "nothing of this name went live", f"treatment={asked!r}", "one of " + ", ".join(known)
        )
    return asked
