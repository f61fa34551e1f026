"""Ratios over replications with their intervals, from running sums: no replication is kept.

With y and x of R independent replications, r = Σy/Σx has, to first order, the variance
Σ(y − r·x)² / (R(R − 1)) / x̄², and its interval is Student's with R − 1 degrees of freedom
(the ratio estimator of survey statistics and regenerative simulation; Law 2015, ch. 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Ratios"]


@dataclass
class Ratios:
    """Running sums of one ratio, or of several on the first axis, over any array of places."""

    is_share: bool
    of_calls: bool = True  # a share of calls; else of time
    count: int = 0
    y: Floats | float = 0.0
    x: Floats | float = 0.0
    yy: Floats | float = 0.0
    xx: Floats | float = 0.0
    xy: Floats | float = 0.0

    def add(self, y: Floats, x: Floats) -> None:
        """One more replication."""
        self.count += 1
        self.y, self.x = self.y + y, self.x + x
        self.yy, self.xx, self.xy = self.yy + y * y, self.xx + x * x, self.xy + x * y

    def of(self, number: int, is_share: bool, of_calls: bool) -> Ratios:
        """One of several."""
        sums = (np.asarray(each)[number] for each in (self.y, self.x, self.yy, self.xx, self.xy))
        return Ratios(is_share, of_calls, self.count, *sums)

    def estimate(self, level: float) -> tuple[Floats, Floats, Floats]:
        """Value and limits; nan where the ratio is undefined, and limits nan with one replication.

        Where every call of every replication fared alike the variance says nothing: the limit is
        then Clopper and Pearson's for that many independent calls.
        """
        from scipy.special import stdtrit

        y, x = np.asarray(self.y, float), np.asarray(self.x, float)
        count = self.count
        with np.errstate(divide="ignore", invalid="ignore"):
            r = np.where(x > 0, y / x, np.nan)
            rest = self.yy - 2 * r * self.xy + r * r * self.xx
            # Rounding leaves a little below 0 where all replications agree.
            spread = np.sqrt(np.maximum(rest, 0) * count / max(count - 1, 1)) / x
        if count < 2:
            nothing = np.full_like(r, np.nan)
            return r, nothing, nothing
        half = stdtrit(count - 1, 0.5 + level / 2) * spread
        low, high = np.maximum(r - half, 0), r + half  # no measure here falls below 0
        if self.is_share:
            with np.errstate(divide="ignore", invalid="ignore"):
                tail = -np.expm1(np.log((1 - level) / 2) / x)
            high = np.minimum(high, 1)
            if self.of_calls:
                low, high = np.where(y == x, 1 - tail, low), np.where(y == 0, tail, high)
            low, high = np.where(x > 0, low, np.nan), np.where(x > 0, high, np.nan)
        return r, low, high
