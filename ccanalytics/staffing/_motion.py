"""Demand that moves: the load a handle time later, and agents found against the day in motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.simulation.motion import Asked
    from ccanalytics.staffing._seats import Rules

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = [
    "Day",
    "days_of",
    "gathered",
    "in_motion",
    "lagged",
    "least_in_motion",
    "modified",
    "refuse_overlaps",
]


@dataclass(frozen=True, eq=False)
class Day:
    """Intervals of one key that follow each other without gap: rows of the frame, and demand."""

    rows: Whole
    calls: Floats
    per: Floats
    aht: Floats

    @property
    def load(self) -> Floats:
        """Erlangs."""
        return self.calls * self.aht / self.per


def refuse_overlaps(frame: pl.DataFrame, keys: tuple[str, ...]) -> None:
    """InputError where a moment stands in two intervals: a day in motion passes each but once."""
    import polars as pl

    early = pl.col("interval_start").diff().dt.total_seconds() - pl.col("interval_s").shift()
    moved = frame.with_columns((early.over(keys) if keys else early).alias("_early"))
    wrong = moved.filter(pl.col("_early") < -0.5)
    if wrong.height:
        row = wrong.row(0, named=True)
        raise InputError(
            "this interval overlaps the one before",
            f"{row['interval_start']:%Y-%m-%d %H:%M} UTC, {-row['_early']:g} s too early"
            + "".join(f", {key} {row[key]}" for key in keys),
            "give each moment to one interval",
        )


def days_of(frame: pl.DataFrame, keys: tuple[str, ...]) -> list[Day]:
    """Stretches without a gap; handle times of empty intervals are taken from their neighbours."""
    import polars as pl

    frame = frame.with_row_index("_row")
    parts = frame.partition_by(keys, maintain_order=True) if keys else [frame]
    days = []
    for part in parts:
        start = part["interval_start"].dt.epoch("us").to_numpy() / 1e6
        per = part["interval_s"].to_numpy()
        cuts = np.flatnonzero(np.abs(start[1:] - (start + per)[:-1]) > 0.5) + 1
        known = part["aht_s"].fill_nan(None).forward_fill().backward_fill()
        aht = known.fill_null(1.0).to_numpy()
        columns = (part["_row"].cast(pl.Int64).to_numpy(), part["calls"].to_numpy(), per, aht)
        days += [Day(*each) for each in zip(*(np.split(c, cuts) for c in columns), strict=True)]
    return days


def gathered(days: list[Day], values: Sequence[NDArray[Any]]) -> Floats:
    """Values of the days on the rows of the frame."""
    out = np.zeros(sum(day.rows.size for day in days))
    for day, value in zip(days, values, strict=True):
        out[day.rows] = value
    return out


def lagged(day: Day) -> Floats:
    """Load one handle time earlier: calls of the interval shifted back by its handle time.

    Before the first interval calls are taken to have come as in it.
    """
    edges = np.concatenate([[0.0], np.cumsum(day.per)])
    so_far = np.concatenate([[0.0], np.cumsum(day.calls)])

    def until(moment: Floats) -> Floats:
        before = np.minimum(moment, 0.0) * day.calls[0] / day.per[0]
        return np.interp(np.maximum(moment, 0.0), edges, so_far) + before

    calls = until(edges[1:] - day.aht) - until(edges[:-1] - day.aht)
    return np.asarray(calls * day.aht / day.per)


def modified(day: Day) -> Floats:
    """Mean load with endless agents over each interval, from a steady start."""
    from ccanalytics.queueing import modified_offered_load

    return modified_offered_load(day.calls, day.per, day.aht, start="steady").mean


def least_in_motion(
    days: list[Day], rules: Rules, guesses: list[Whole]
) -> tuple[list[Whole], dict[str, Floats]]:
    """Least agents interval by interval, each given the queue that the ones before have left."""
    from ccanalytics.simulation.motion import least_agents

    found, told = [], []
    for day, guess in zip(days, guesses, strict=True):
        agents, rows = least_agents(
            day.calls, day.per, day.aht, rules.patience, guess, _asked(rules)
        )
        if (agents < 0).any():
            raise DataError(
                "no number of agents reaches the goal in an interval",
                f"row {int(day.rows[np.flatnonzero(agents < 0)[0]])} of the demand",
                "lower the goal, or lengthen the intervals",
            )
        found.append(agents)
        told.append(rows)
    return found, _named(days, told)


def in_motion(days: list[Day], rules: Rules, agents: list[Whole]) -> dict[str, Floats]:
    """What each interval's calls meet with these agents, on all rows of the frame in order."""
    from ccanalytics.simulation.motion import met_by

    told = [
        met_by(day.calls, day.per, day.aht, rules.patience, n, _asked(rules))
        for day, n in zip(days, agents, strict=True)
    ]
    return _named(days, told)


def _asked(rules: Rules) -> Asked:
    from ccanalytics.simulation.motion import Asked

    return Asked.of(rules.goal, rules.max_occupancy, rules.max_abandonment, rules.min_agents)


def _named(days: list[Day], told: list[Floats]) -> dict[str, Floats]:
    from ccanalytics.simulation.motion import MEASURES

    return {
        name: gathered(days, [rows[:, place] for rows in told])
        for place, name in enumerate(MEASURES)
    }
