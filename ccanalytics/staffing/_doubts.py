"""Doubts that a requirement carries: gaps, moving demand, patience, volumes that vary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.results import Check
from ccanalytics.staffing._seats import counted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["gaps", "moving", "patient", "reordered", "short_intervals", "varied"]


def gaps(frame: pl.DataFrame, keys: tuple[str, ...]) -> Check:
    """See gaps and overlaps, because the length of an interval is known."""
    import polars as pl

    step = pl.col("interval_start").diff().dt.total_seconds()
    extra = step - pl.col("interval_s").shift()
    if keys:
        extra = extra.over(keys)
    moved = frame.with_columns(extra.alias("_extra"))
    gaps, overlaps = moved.filter(pl.col("_extra") > 0.5), moved.filter(pl.col("_extra") < -0.5)
    name = "Gaps and overlaps"
    if overlaps.height:
        words = (
            f"{counted(overlaps.height, 'interval')} overlapping the one before: calls count "
            f"twice; the first at {_at(overlaps, keys)}; give each moment to one interval"
        )
        return Check(name, "fails", words)
    if gaps.height and "weekday" not in keys:
        words = (
            f"{counted(gaps.height, 'gap')} between intervals; nobody is planned for the time "
            f"between; the first ends at {_at(gaps, keys)}; where the centre is open, give the "
            "interval with its calls, or 0"
        )
        return Check(name, "informs", words)
    return Check(name, "holds", "none, the intervals follow each other")


def reordered(given: Any, keys: tuple[str, ...]) -> list[Check]:
    """Say it where the rows of the answer are not in the order in which they were given."""
    import polars as pl

    names = [*keys, "interval_start"]
    order = pl.DataFrame({name: list(given[name]) for name in names}).with_row_index("_row")
    if order.sort(names, maintain_order=True)["_row"].is_sorted():
        return []
    words = "the demand came in another order; the answer is sorted by " + (
        f"{', '.join(keys)} and time" if keys else "time"
    )
    return [Check("Order of rows", "informs", words)]


def _at(rows: pl.DataFrame, keys: tuple[str, ...]) -> str:
    """Name the first of some intervals."""
    row = rows.sort("interval_start").row(0, named=True)
    named = ", ".join(f"{key} {row[key]}" for key in keys)
    if "local_start" in rows.columns:
        when = f"{row['local_start']:%Y-%m-%d %H:%M} local time"
    else:
        when = f"{row['interval_start']:%Y-%m-%d %H:%M} UTC"
    return when + (f" ({named})" if named else "")


def moving(frame: pl.DataFrame, keys: tuple[str, ...]) -> list[Check]:
    """Warn when demand moves within a handle time: steady state lags behind.

    κ = RA·√R·(2π/24 h)·AHT, with R the mean load and RA the relative amplitude of the day. It
    orders the half-hours that the stationary method under-staffs; a rule of thumb.
    """
    import polars as pl

    some = frame.filter((pl.col("load") > 0) & pl.col("aht_s").is_not_null())
    if some.is_empty() or frame["interval_s"].to_numpy().max() > 14400:
        return []
    kappa = 0.0
    for part in some.partition_by(keys) if keys else [some]:
        load, calls = part["load"].to_numpy(), part["calls"].to_numpy()
        swing = min(float(load.max() / load.mean()) - 1, 1.0)
        aht_h = float(part["aht_s"].to_numpy() @ calls / calls.sum()) / 3600
        kappa = max(kappa, swing * float(np.sqrt(load.mean())) * 2 * np.pi / 24 * aht_h)
    name = "Pace of demand"
    index = (
        f"(κ = {kappa:.2f}, an index of how much the load moves within one handle time; below 0.15 "
        "is slow)"
    )
    if kappa < 0.15:
        return [Check(name, "holds", f"slow, so steady state is a fair picture {index}")]
    words = (
        "fast: intervals after a rise will be under-served; staff for the load a handle time before"
    )
    return [Check(name, "informs" if kappa < 0.3 else "fails", f"{words} {index}")]


def short_intervals(frame: pl.DataFrame, method: str) -> list[Check]:
    """Warn where an interval is shorter than the handle time: no steady state settles in it."""
    import polars as pl

    if method in ("iterative", "simulated"):
        return []
    brief = frame.filter((pl.col("calls") > 0) & (pl.col("aht_s") > pl.col("interval_s")))
    if brief.is_empty():
        return []
    words = (
        f"{counted(brief.height, 'interval')} shorter than the handle time, the first "
        f"{brief['interval_start'][0]:%Y-%m-%d %H:%M} UTC: no steady state settles so soon; take "
        "method='iterative' or longer intervals"
    )
    return [Check("Length of intervals", "fails", words)]


def patient(patience: object) -> list[Check]:
    """Remark that nobody gives up in the model."""
    if patience is not None:
        return []
    words = (
        "no caller gives up in this model; where callers do, it asks for more agents than needed"
    )
    return [Check("Callers who give up", "informs", words + " (give patience to see)")]


def varied(frame: pl.DataFrame) -> list[Check]:
    """Tell how much days differ beyond chance."""
    import polars as pl

    if "cv" not in frame.columns:
        return []
    known = frame.filter(pl.col("cv").is_not_null() & (pl.col("calls") >= 5))
    if known.is_empty():
        return []
    # Poisson counts vary too: 1/√mean. Only what exceeds it is news.
    chance = 1 / known["calls"].to_numpy()
    middle = float(np.median(np.sqrt(np.clip(known["cv"].to_numpy() ** 2 - chance, 0, None))))
    name = "Differences between days"
    if middle < 0.05:
        return [Check(name, "holds", "hardly more than chance")]
    words = (
        f"the same interval differs between days by {middle:.0%} beyond chance (median), so agents "
        "for the mean day fall short on busier ones"
    )
    return [Check(name, "fails", words)]
