"""Abandonment against mean wait: how patient callers are, read from intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.traffic._door import as_intervals

if TYPE_CHECKING:
    import polars as pl

__all__ = ["AbandonmentByWait", "abandonment_by_wait"]

# Below this many points a line says more about chance than about patience.
_FEWEST = 10
# With fewer days than this the limits are said to rest on few.
_FEW_DAYS = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class AbandonmentByWait(Result):
    """Share who abandon against the mean wait, a point per interval.

    Attributes
    ----------
    points
        Per interval: ``interval_start``, ``local_start``, ``offered``, ``mean_wait_s``,
        ``abandonment``.
    slope
        Of the line through the origin, per second of mean wait.
    patience_s
        Its reciprocal: mean patience, were patience exponential.
    line_patience_s, line_intercept
        Reciprocal slope and intercept of the ordinary line, which need not pass the origin.
    total_patience_s
        All waiting over all abandonments: the maximum-likelihood mean of exponential patience.
    correlation
        Pearson's, between abandonment and mean wait.
    """

    points: pl.DataFrame
    slope: Estimate
    patience_s: Estimate
    line_patience_s: float
    line_intercept: float
    total_patience_s: float
    correlation: float

    def summary(self) -> str:
        """Patience in words, the method, and how far to trust it."""
        low, high = self.patience_s.low, self.patience_s.high
        limits = f"{low:.0f} to {high:.0f} s" if high < float("inf") else f"{low:.0f} s upwards"
        return (
            f"Abandonment rises by {100 * self.slope.value * 10:.1f} percentage points for every "
            f"10 s of mean wait, which reads as a mean patience of {self.patience_s.value:.0f} s "
            f"({100 * self.patience_s.level:g}% interval {limits}). "
            f"Least squares through the origin over {self.points.height:,} intervals with at least "
            f"{self.inputs['min_calls']:g} offered calls; correlation {self.correlation:.2f}. "
            f"All waiting over all abandonments gives {self.total_patience_s:.0f} s. "
            "It is patience only if patience is exponential: use it for a first model, not as a "
            "fact about callers."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the points."""
        return self.points


def abandonment_by_wait(
    intervals: Any, min_calls: float = 30, *, level: float = 0.95
) -> AbandonmentByWait:
    """Set abandonment against mean wait, interval by interval.

    In a queue with exponential patience of mean 1/θ, P(abandon) = θ·E[wait] whatever the load
    and the number of agents, so the slope through the origin estimates θ: Σxy/Σx². Its limits
    come from a sandwich variance summed within local days, because intervals of one day are
    alike, and Student's t with as many degrees of freedom as days less one: few days make them
    wide. A single day gives no limits and is refused.

    Parameters
    ----------
    intervals
        Frame of ``log.intervals(every)``, without ``by``; an hour is a good length.
    min_calls
        Intervals with fewer offered calls are left out: their shares are mostly chance.
    level
        Of the limits, 0–1.

    Raises
    ------
    DataError
        Fewer than 10 such intervals, all of one day, or nobody who waited, or abandoned, in them.

    References
    ----------
    L. Brown et al. (2005), Statistical analysis of a telephone call center, JASA 100, 36–50.
    A. C. Cameron, D. L. Miller (2015), A practitioner's guide to cluster-robust inference,
    Journal of Human Resources 50, 317–372.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timedelta, timezone
    >>> start = [datetime(2025, 3, 3) + timedelta(hours=h) for h in range(48)]
    >>> frame = pl.DataFrame({
    ...     "interval_start": [s.replace(tzinfo=timezone.utc) for s in start],
    ...     "local_start": start, "interval_s": [3600] * 48, "offered": [100] * 48,
    ...     "abandoned": [h for h in range(48)], "wait_s": [h * 200.0 for h in range(48)]})
    >>> round(abandonment_by_wait(frame).patience_s.value, 6)
    200.0
    """
    import polars as pl

    check_level(level)
    if isinstance(min_calls, bool) or not isinstance(min_calls, (int, float)) or not min_calls >= 1:
        raise InputError("the least number of calls is 1 or more", f"min_calls={min_calls!r}")
    rows = as_intervals(intervals, ["offered", "abandoned", "wait_s"])
    if rows["wait_s"].null_count() == rows.height:
        raise DataError(
            "this log does not know how long callers waited",
            "wait_s is null throughout",
            "load a source with the time in queue",
        )
    points = (
        rows.filter(pl.col("offered") >= min_calls)
        .filter(pl.col("wait_s").is_not_null())
        .select(
            "interval_start",
            "local_start",
            "offered",
            (pl.col("wait_s") / pl.col("offered")).alias("mean_wait_s"),
            (pl.col("abandoned") / pl.col("offered")).alias("abandonment"),
        )
    )
    if points.height < _FEWEST:
        raise DataError(
            f"only {points.height} intervals have at least {min_calls:g} offered calls, too few "
            "for a line",
            f"{_FEWEST} are needed",
            "take longer intervals, a longer span, or a smaller min_calls",
        )
    x, y = points["mean_wait_s"].to_numpy(), points["abandonment"].to_numpy()
    waited, left = float(rows["wait_s"].sum()), float(rows["abandoned"].sum())
    if not x.any() or not y.any():
        raise DataError(
            "nobody abandoned, so patience cannot be seen"
            if x.any()
            else "nobody waited, so patience cannot be seen",
            f"{points.height} intervals",
            "look at a busier span",
        )
    slope = float(x @ y / (x @ x))
    dates = points["local_start"].dt.date().to_numpy()
    days = int(np.unique(dates).size)
    if days == 1:
        raise DataError(
            "all points lie on one day, so how far chance moves them cannot be told",
            f"{points.height} intervals of {points['local_start'][0]:%Y-%m-%d}",
            "take a span of several days",
        )
    half = _t_quantile(level, days - 1) * _sandwich(x, y - slope * x, dates)
    low, high = max(slope - half, 0.0), slope + half
    varied = float(np.ptp(x)) > 0
    line = np.polyfit(x, y, 1) if varied else np.array([np.nan, np.nan])
    moved = varied and float(np.ptp(y)) > 0
    return AbandonmentByWait(
        points=points,
        slope=Estimate(slope, low, high, level),
        patience_s=Estimate(1 / slope, 1 / high, 1 / low if low > 0 else float("inf"), level),
        line_patience_s=float(1 / line[0]) if line[0] else float("inf"),
        line_intercept=float(line[1]),
        total_patience_s=waited / left,
        correlation=float(np.corrcoef(x, y)[0, 1]) if moved else float("nan"),
        inputs={"min_calls": min_calls, "level": level, "days": days},
        checks=_checks(line, points.height, rows.height, days),
    )


def _sandwich(x: np.ndarray, residual: np.ndarray, dates: np.ndarray) -> float:
    """Give the standard error of a slope through the origin, scores summed within days."""
    _, of_day = np.unique(dates, return_inverse=True)
    score = np.bincount(of_day, weights=x * residual)
    few = score.size / (score.size - 1)
    return float(np.sqrt(few * (score @ score)) / (x @ x))


def _t_quantile(level: float, freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + level / 2))


def _checks(line: np.ndarray, used: int, seen: int, days: int) -> tuple[Check, ...]:
    intercept = float(line[1])
    near = abs(intercept) < 0.02
    few = (
        f"only {days}, so the limits are wide (Student's t with {days - 1} degree"
        f"{'' if days == 2 else 's'} of freedom)"
    )
    return (
        Check(
            "Abandonment at no wait",
            "holds" if near else "fails",
            f"an ordinary line has slope 1/{1 / line[0]:.0f} s and meets zero wait at "
            f"{intercept:.1%} abandonment, where exponential patience has none"
            + ("" if near else ": some leave at once, or patience changes with the wait"),
        ),
        Check(
            "Intervals left out",
            "informs",
            f"{seen - used:,} of {seen:,} had too few calls and are not drawn",
        ),
        *([Check("Days behind the limits", "fails", few)] if days < _FEW_DAYS else []),
    )
