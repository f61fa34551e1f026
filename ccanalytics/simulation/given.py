"""What was given for arrivals, held against the demand: uncertain rates, replayed calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.simulation.arrivals import MixedPoisson, Replay

if TYPE_CHECKING:
    from ccanalytics.simulation.plan import Callers, Grid
    from ccanalytics.simulation.tally import Floats

_MOST_CV = 10

__all__ = ["arrivals_in_words", "laws_in_words", "replayed_times", "uncertain_rates"]


def uncertain_rates(arrivals: Any, grid: Grid) -> tuple[MixedPoisson | None, Floats]:
    """The law of uncertain rates, if there is one, and its coefficients of variation."""
    if not isinstance(arrivals, MixedPoisson):
        return None, grid.cv
    cv = grid.cv if arrivals.cv is None else np.full(grid.cv.shape, float(arrivals.cv))
    if arrivals.cv is None and not (cv > 0).any():
        raise InputError(
            "the demand says nothing of how uncertain its volumes are",
            "MixedPoisson(cv=None), and no column cv above 0",
            "give MixedPoisson(cv=0.1), or a column cv in the demand",
        )
    if (cv > _MOST_CV).any():
        row, kind = np.argwhere(cv > _MOST_CV)[0]
        raise InputError(
            f"a coefficient of variation is a number from 0 to {_MOST_CV}",
            f"{grid.names[kind]}, row {row}, {grid.intervals['interval_start'][int(row)]}: "
            f"cv={cv[row, kind]:g}",
            "write 10% as 0.1",
        )
    return arrivals, cv


def replayed_times(arrivals: Any, grid: Grid, warmup_s: float) -> tuple[Floats, ...] | None:
    """The log's arrivals by type, in seconds from the first interval."""
    if not isinstance(arrivals, Replay):
        return None
    import polars as pl

    if warmup_s > 0:
        raise InputError(
            "no calls were recorded for the warm-up",
            f"warmup_s={warmup_s!r} with Replay",
            "begin the demand earlier instead",
        )
    first = grid.intervals["interval_start"][0]
    missing = [name for name in grid.keys.columns if name not in arrivals.calls.columns]
    if missing:
        raise InputError("the calls to replay lack a key of the demand", f"column {missing[0]!r}")
    calls = arrivals.calls.with_columns(
        _at=(pl.col("arrived_at").dt.convert_time_zone("UTC") - first).dt.total_microseconds() / 1e6
    ).filter((pl.col("_at") >= 0) & (pl.col("_at") < grid.edges[-1]))
    parts = []
    for number, name in enumerate(grid.names):
        part = calls
        for key in grid.keys.columns:
            value = pl.lit(grid.keys[key][number])
            try:
                part = part.filter(pl.col(key).eq_missing(value))
            except pl.exceptions.PolarsError as error:
                raise InputError(
                    "a key of the calls to replay is of another kind than the demand's",
                    f"column {key!r}: {calls.schema[key]}, in the demand {grid.keys.schema[key]}",
                    f'cast one of them, such as pl.col("{key}").cast(pl.String)',
                ) from error
        times = part["_at"].to_numpy().astype(float)
        place = np.searchsorted(grid.edges, times, side="right") - 1
        silent = np.flatnonzero(grid.aht[place, number] <= 0)
        if silent.size:
            row = int(place[silent[0]])
            raise InputError(
                "calls are replayed in an interval whose demand has no handle time",
                f"{name}, row {row}: {grid.intervals['interval_start'][row]}",
                "make the demand from the same calls",
            )
        parts.append(times)
    if not sum(part.size for part in parts):
        raise DataError(
            "no call to replay lies within the demand's intervals",
            f"{arrivals.calls.height} calls",
            "take calls and demand of the same span",
        )
    return tuple(parts)


def arrivals_in_words(arrivals: Any) -> str:
    """How calls arrive."""
    if arrivals is None:
        return "Poisson"
    if isinstance(arrivals, Replay):
        return "as in the log"
    cv = "of the demand" if arrivals.cv is None else f"{arrivals.cv:g}"
    return (
        f"mixed Poisson, coefficient of variation {cv}, correlation {arrivals.within_day:g} within "
        f"a day and {arrivals.day_to_day:g} from day to day"
    )


def laws_in_words(callers: Callers, grid: Grid, which: str) -> str:
    """The laws of handle time (``work``) or ``patience``; one word if all types share it."""
    laws = getattr(callers, which)
    if which == "work":
        words = []
        for law in laws:
            text = law.describe()
            exponential = text == "exponential, mean 1 s"
            words.append("exponential" if exponential else text.split(", mean")[0])
    else:
        words = [law.describe() for law in laws]
    if len(set(words)) == 1:
        return words[0]
    return "; ".join(f"{name}: {word}" for name, word in zip(grid.names, words, strict=True))
