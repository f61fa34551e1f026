"""What every comparison of units over weeks is tried on, and how that is told.

An effect is not believed since it was estimated: the same estimate is made where nothing had
happened, without each unit in turn, and week by week.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.results import Check, Estimate
from ccanalytics.statistics.effects.effect import signed
from ccanalytics.statistics.effects.panel import LEADS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.statistics.effects.left_out import Foretold
    from ccanalytics.statistics.effects.panel import Panel

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["LAGS", "POWER", "alone", "before", "drifted", "events", "relative_or_none", "without"]

LAGS = 26
"""Weeks after going live that an event study shows."""
POWER = 0.8416
"""Normal quantile of 80%: how far beyond its limits an effect is that shows four times in five."""
_UNITS_A_WEEK = 3  # fewest in a week of the event study


def relative_or_none(fit: Foretold, cells: Bools, level: float) -> Estimate | None:
    """The change in some cells; None where there are none, or nothing came in them."""
    try:
        return fit.ratios(cells).relative(level) if cells.any() else None
    except DataError:
        return None


def events(
    panel: Panel, fit: Foretold, early: Foretold, level: float
) -> list[tuple[int, int, float, float, float]]:
    """Week since going live, units in it, the change and its limits.

    Weeks before it are told by what ``early`` foretells, from cells further back; of all weeks,
    those with as many units as make a mean, or all where fewer went live.
    """
    rows = []
    fewest = min(_UNITS_A_WEEK, int(panel.treated.any(axis=1).sum()))
    for event in range(-LEADS, LAGS + 1):
        model = early if event < 0 else fit
        cells = (panel.event == event) & np.isfinite(model.foretold[0])
        if cells.sum() < fewest:
            continue
        found = relative_or_none(model, cells, level)
        if found is not None:
            rows.append((event, int(cells.sum()), found.value, found.low, found.high))
    return rows


def without(units: Sequence[str], left_out: Floats, middle: float) -> pl.DataFrame:
    """``unit`` and ``relative_without`` it, the one that matters most first.

    ``left_out`` and ``middle`` are shares; units without which nothing can be told are not there.
    """
    import polars as pl

    share = pl.col("relative_without")
    frame = pl.DataFrame({"unit": list(units), "relative_without": left_out})
    return frame.filter(share.is_finite()).sort((share - middle).abs(), descending=True)


def before(placebo: Estimate | None) -> list[Check]:
    """The same estimate of weeks when nothing had happened."""
    if placebo is None:
        return []
    told = f"{signed(placebo.value)} ({signed(placebo.low)} to {signed(placebo.high)})"
    why = f"the same estimate of weeks when nothing had happened is {told}"
    return [Check("Weeks before going live", "fails" if placebo.excludes_zero else "holds", why)]


def drifted(drift: Estimate | None, who: str, span: str) -> list[Check]:
    """Whether the first to go live were moving away from the last; ``span`` as in "a year"."""
    if drift is None:
        return []
    told = f"{signed(drift.value)} {span} beside the last"
    limits = f"({signed(drift.low)} to {signed(drift.high)})"
    why = f"{who} had a trend of {told} {limits}"
    return [Check("Drift before going live", "fails" if drift.excludes_zero else "holds", why)]


def alone(unit: str, left_out: pl.DataFrame, middle: float) -> list[Check]:
    """Whether one unit alone turns the answer; ``left_out`` as :func:`without` gives it."""
    if not left_out.height:
        return []
    name, share = left_out.row(0)
    why = f"without {name}, which matters most, it is {signed(share)}"
    turns = np.sign(share) != np.sign(middle)
    return [Check(f"One {unit} alone", "fails" if turns else "holds", why)]
