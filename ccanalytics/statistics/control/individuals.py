"""The chart of single values and their moving ranges (XmR)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.results import Check
from ccanalytics.statistics.control.chart import (
    ControlChart,
    baseline_of,
    points_of,
    spread_of,
    stated,
)
from ccanalytics.statistics.control.run_length import shewhart_run_length, with_estimates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["MOVING_RANGE_LIMIT", "individuals", "neighbours"]

_SIGMAS = 3.0
MOVING_RANGE_LIMIT = 3.267
"""Upper limit of the moving range, over its mean (D₄ of two points)."""


def individuals(
    values: Any,
    *,
    at: Sequence[Any] | None = None,
    baseline: int | None = None,
    what: str = "The series",
) -> ControlChart:
    """Chart single values: limits are the mean ± 2.66 mean moving ranges.

    2.66 is 3/d₂ with d₂ = 2/√π = 1.128, the mean range of two standard normal points: what moves
    slowly widens the limits little. The season must be removed first. ``moving_range`` and its
    limit ``range_high`` stand in the frame; a range beyond it is no signal of its own here, since
    it nearly always comes with one of the values.

    Parameters
    ----------
    values
        One number per point, in order of time.
    at
        What stands beside them, such as days; default 0, 1, 2, …
    baseline
        Points, from the first, from which mean and limits come; default all.
    what
        What is charted, for the words.

    Raises
    ------
    InputError
        Values that are not finite numbers, fewer than ten points.
    DataError
        A baseline in which nothing moves or that is longer than the series.

    References
    ----------
    Shewhart (1931), Economic control of quality of manufactured product; Wheeler & Chambers (1992),
    Understanding statistical process control.

    Examples
    --------
    >>> chart = individuals([10, 12, 11, 9, 10, 11, 12, 10, 9, 11, 10, 18], baseline=11)
    >>> chart.signals["at"].to_list(), round(chart.frame["high"][0], 2)
    ([11], 14.18)
    """
    import polars as pl

    y, beside = points_of(values, at, "values")
    used = baseline_of(y.size, baseline)
    own = y[used]
    spread = spread_of(np.diff(own))
    if not spread:
        raise DataError(
            "nothing moves in the baseline, so there are no limits",
            f"all {own.size} points are {own[0]:g}",
            "take a longer one",
        )
    centre = float(own.mean())
    half = _SIGMAS * spread
    ranges = np.append(np.nan, np.abs(np.diff(y)))
    frame = stated(beside, y, centre, centre - half, centre + half, (y - centre) / half, used)
    return ControlChart(
        what=what,
        frame=frame.with_columns(
            moving_range=pl.Series(ranges).fill_nan(None),
            range_high=pl.lit(MOVING_RANGE_LIMIT * float(np.abs(np.diff(own)).mean())),
        ),
        baseline=int(used.sum()),
        run_length=shewhart_run_length(_SIGMAS),
        false_every=with_estimates(
            lambda scale, shift: shewhart_run_length(_SIGMAS * scale, shift), int(used.sum())
        ),
        method=(
            f"Chart of single values: centre {centre:,.4g}, limits 2.66 mean moving ranges to "
            f"either side, from {int(used.sum())} points."
        ),
        inputs={"baseline": int(used.sum()), "what": what},
        checks=neighbours(own),
    )


def neighbours(own: NDArray[np.float64]) -> tuple[Check, ...]:
    """Doubt a baseline whose neighbouring points hang together."""
    off = own - own.mean()
    total = float(off @ off)
    if not total:
        return ()
    correlation = float(off[1:] @ off[:-1]) / total
    loose = abs(correlation) <= 2 / np.sqrt(own.size)
    return (
        Check(
            "neighbouring points",
            "holds" if loose else "fails",
            f"correlate by {correlation:.2f}".replace("-", "−")
            + ("" if loose else ": false signals come more often than said; remove the season or "
               "take longer intervals"),
        ),
    )  # fmt: skip
