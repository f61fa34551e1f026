"""Kaplan–Meier on value counts: times of whom the end was seen, and of whom it was not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.results import Estimate
from ccanalytics.statistics.checking import normal_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["KaplanMeier", "kaplan_meier"]


@dataclass(frozen=True, eq=False)
class KaplanMeier:
    """The product-limit estimate at the times of events.

    Attributes
    ----------
    seconds, at_risk, events
        Times at which something ended (seconds, unless the caller counts otherwise), how many were
        under observation just before, how many ended then.
    survival, low, high
        Share that lasts longer, with pointwise log-log limits at ``level``.
    """

    seconds: Floats
    at_risk: Floats
    events: Floats
    survival: Floats
    low: Floats
    high: Floats
    level: float

    def quantile(self, share: float) -> Estimate:
        """Time by which this share has ended, with the limits at which its band crosses.

        ``inf`` where the curve, or its band, never comes down so far.
        """
        value, low, high = (
            _crossing(self.seconds, curve, 1 - share)
            for curve in (self.survival, self.low, self.high)
        )
        return Estimate(value, low, high, self.level)

    def at(self, seconds: float) -> Estimate:
        """Share that lasts longer than this, with its limits."""
        place = int(np.searchsorted(self.seconds, seconds, side="right")) - 1
        if place < 0:
            return Estimate(1.0, 1.0, 1.0, self.level)
        value, low, high = (float(c[place]) for c in (self.survival, self.low, self.high))
        return Estimate(value, low, high, self.level)


def _crossing(seconds: Floats, curve: Floats, height: float) -> float:
    # A curve that should touch the height misses it by rounding.
    below = np.flatnonzero(curve <= height + 1e-12)
    return float(seconds[below[0]]) if below.size else float("inf")


def kaplan_meier(
    seconds: Floats,
    events: Floats,
    censored: Floats,
    level: float = 0.95,
    *,
    entered: Floats | None = None,
) -> KaplanMeier:
    """Estimate survival from value counts.

    S(t) = Π (1 − dᵢ/nᵢ) over times tᵢ ≤ t of dᵢ events among nᵢ at risk; Greenwood's variance
    Σ dᵢ/(nᵢ(nᵢ − dᵢ)), and limits on the scale of log(−log S), which stay inside 0–1. Who is
    censored at a time was still at risk of an event then.

    Parameters
    ----------
    seconds
        Times, each once or more.
    events, censored
        How many ended at that time, and of how many no more than that is known.
    entered
        How many came under observation at that time, later than their beginning (left truncation:
        who ended before is not known of). They are at risk from then on, and the curve is that of
        those who lasted until the first of them came. None: all were observed from 0.

    References
    ----------
    E. L. Kaplan, P. Meier (1958), JASA 53, 457–481; R. Brookmeyer, J. Crowley (1982), Biometrics
    38, 29–41; W. Tsai, N. Jewell, M. Wang (1987), Biometrika 74, 883–886.

    Examples
    --------
    >>> curve = kaplan_meier(np.array([1.0, 2.0, 3.0]), np.array([1, 1, 0]), np.array([0, 1, 1]))
    >>> curve.survival.tolist()
    [0.75, 0.5]
    """
    times, where = np.unique(np.asarray(seconds, float), return_inverse=True)
    ended: Floats = np.bincount(
        where, weights=np.asarray(events, float), minlength=times.size
    ).astype(float)
    gone = ended + np.bincount(where, weights=np.asarray(censored, float), minlength=times.size)
    at_risk: Floats = np.cumsum(gone[::-1])[::-1].astype(float)
    if entered is not None:
        came = np.bincount(where, weights=np.asarray(entered, float), minlength=times.size)
        # At risk of what ends at a time are those who came before it.
        at_risk = np.cumsum(came) - came - (np.cumsum(gone) - gone)
    some = ended > 0
    times, ended, at_risk = times[some], ended[some], at_risk[some]
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.exp(np.cumsum(np.log1p(-ended / at_risk)))
        variance = np.cumsum(ended / (at_risk * (at_risk - ended)))
        spread = normal_quantile(level) * np.sqrt(variance) / np.abs(np.log(survival))
        low, high = survival ** np.exp(spread), survival ** np.exp(-spread)
    # Where the last at risk ended, nothing is known of how far it is from 0.
    last = survival <= 0
    low, high = np.where(last, 0.0, low), np.where(last, np.nan, high)
    return KaplanMeier(times, at_risk, ended, survival, low, high, level)
