"""What coverage starts from: services with their days, calls by week, and what sets them apart."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.deflection.comparisons import NO_CALL_TAKEN
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check
from ccanalytics.statistics.effects.rollouts import days_of, in_a_row
from ccanalytics.statistics.effects.weekly import as_date
from ccanalytics.vocabulary import counted, term

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.deflection.launched import Launched

    Floats = NDArray[np.float64]
    Days = dict[str, dt.date]

__all__ = [
    "TRAITS",
    "calls_by_week",
    "coverage_checks",
    "days_live",
    "listed",
    "named",
    "traits_of",
]

TRAITS = ("kind", "handle time", "volume")


def days_live(table: pl.DataFrame) -> dict[str, Days]:
    """Give the day on which each channel took up each service, by channel."""
    found: dict[str, Days] = {}
    for column in table.columns:
        if column.endswith("_on"):
            rows = table.select("service", column).drop_nulls().iter_rows()
            found[column[:-3]] = {unit: as_date(column, day) for unit, day in rows}
    return found


def named(asked: str | None, days: dict[str, Days], starts: list[dt.date]) -> str:
    """Give the channel asked for, or that of those within the weeks with most left to cover."""
    end = starts[-1] + dt.timedelta(days=7)
    if not any(days.values()):
        raise InputError(
            "the services have no day on which any channel took them up",
            "columns such as web_hall_on" if not days else ", ".join(f"{n}_on" for n in days),
            "load services with their days",
        )
    if asked is not None:
        if asked not in days:
            raise InputError(
                "no such channel", f"treatment={asked!r}", "one of " + ", ".join(sorted(days))
            )
        return asked
    within = [
        name
        for name, each in days.items()
        if name not in NO_CALL_TAKEN and any(starts[0] <= day < end for day in each.values())
    ]
    if not within:
        raise InputError(
            "no channel that takes calls away took up a service within the log",
            "treatment=None",
            "one of " + ", ".join(sorted(days)),
        )
    return min(within, key=lambda name: (sum(day < end for day in days[name].values()), name))


def calls_by_week(
    weeks: pl.DataFrame, units: list[str], count: str
) -> tuple[list[dt.date], Floats]:
    """Give first days of the weeks, and calls as units × weeks."""
    rows = weeks.drop_nulls("unit")
    if rows.select("unit", "local_start").is_duplicated().any():
        raise InputError("a service has one row a week", "panel", "drop the duplicates")
    stamps = rows["local_start"].unique().sort()
    row = {unit: i for i, unit in enumerate(units)}
    column = {stamp: j for j, stamp in enumerate(stamps)}
    calls = np.zeros((len(units), len(column)))
    for unit, stamp, number in rows.select("unit", "local_start", count).iter_rows():
        if unit in row:
            calls[row[unit], column[stamp]] = number
    if not units:
        raise DataError(
            "the log holds no table of services, so coverage cannot be told",
            "0 services",
            "load services with the days on which a channel took them up",
        )
    if not calls.any():
        raise DataError(
            "no call of the panel is about a service of the table",
            f"{counted(len(units), 'service')} in the table",
            "use the same codes in calls and services",
        )
    return in_a_row(days_of(stamps)), calls


def listed(table: pl.DataFrame, units: list[str], live_on: Days, recent: Floats) -> pl.DataFrame:
    """List the services with their day and their share of calls."""
    import polars as pl

    def text(column: str, otherwise: list[Any]) -> list[Any]:
        if column not in table.columns:
            return otherwise
        known = dict(table.select("service", pl.col(column).cast(pl.String)).iter_rows())
        return [known.get(unit) or other for unit, other in zip(units, otherwise, strict=True)]

    return pl.DataFrame(
        {
            "unit": units,
            "name": text("name", list(units)),
            "kind": text("kind", [None] * len(units)),
            "live_on": [live_on.get(unit) for unit in units],
            "calls_per_week": recent,
            "share": recent / max(float(recent.sum()), 1e-9),
        },
        schema={
            **dict.fromkeys(["unit", "name", "kind"], pl.String),
            "live_on": pl.Date,
            "calls_per_week": pl.Float64,
            "share": pl.Float64,
        },
    )


def traits_of(weeks: pl.DataFrame, frame: pl.DataFrame, calls: Floats) -> Floats:
    """Give units × `TRAITS`: 1 for a query, log of mean handle time and of calls a week.

    What is unknown of a service is taken as the mean of the others; a trait that is unknown
    throughout is 0 everywhere, and tells nothing apart.
    """
    import polars as pl

    kind = np.array([np.nan if k is None else float(k == "query") for k in frame["kind"]])
    handle = np.full(len(kind), np.nan)
    if {"handled", "handle_s"} <= set(weeks.columns):
        sums = weeks.group_by("unit").agg(pl.col("handled", "handle_s").cast(pl.Float64).sum())
        known = {unit: s / n for unit, n, s in sums.iter_rows() if n and s}
        handle = np.array([np.log(known.get(unit, np.nan)) for unit in frame["unit"]])
    volume = np.log(np.maximum(calls.mean(axis=1), 1e-3))
    columns = []
    for values in (kind, handle, volume):
        mean = np.nanmean(values) if np.isfinite(values).any() else 0.0
        columns.append(np.where(np.isfinite(values), values, mean))
    return np.column_stack(columns)


def coverage_checks(
    name: str, seen: Launched, proof: pl.DataFrame, units: list[str], silent: int
) -> tuple[Check, ...]:
    """Say what was left out, what was mixed up, and how the proof went."""
    checks = []
    if proof.height:
        inside = int(proof["inside"].sum())
        checks.append(
            Check(
                "last launches foretold",
                "holds" if inside >= 0.6 * proof.height else "fails",
                f"{inside} of {proof.height} came out within their intervals",
            )
        )
    else:
        checks.append(
            Check("last launches foretold", "informs", "too few launches to keep any apart")
        )
    if seen.mixed:
        checks.append(
            Check(
                "other channels",
                "fails",
                f"{', '.join(term(other) for other in seen.mixed)} took up services in the same "
                f"weeks as {name}, and cannot be held apart",
            )
        )
    if seen.left_out:
        reasons: dict[str, list[str]] = {}
        for i, why in seen.left_out.items():
            reasons.setdefault(why, []).append(units[i])
        told = "; ".join(f"{counted(len(some), 'service')} {why}" for why, some in reasons.items())
        checks.append(Check("launches left out", "informs", told))
    if silent:
        checks.append(
            Check(
                "services without calls",
                "informs",
                f"{counted(silent, 'service')} to come had no call in the last weeks",
            )
        )
    checks.append(
        Check(
            "order of launches",
            "informs",
            "services are not taken up by lot: those to come may differ from those that are live "
            "in ways that kind, handle time and volume do not show",
        )
    )
    return tuple(checks)
