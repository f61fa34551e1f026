"""Columns and readings of a learning curve: hats over tenure, and where it comes down to enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.results import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["KNOTS", "Hats", "doublings"]

KNOTS = (1.0, 2.0, 4.0, 8.0, 13.0, 26.0, 52.0, 104.0)
"""Weeks of work, the first is 1, between which the curve is straight over doublings of them."""

_FEWEST_AGENTS = 3
_FEWEST_CALLS = 50
_FINE = 400


def doublings(week: Floats, tenured: float) -> Floats:
    """How often weeks of work have doubled since the first, until tenured."""
    return np.log2(np.clip(week, 1.0, tenured))


@dataclass(frozen=True, eq=False)
class Hats:
    """A curve that is straight between knots, and 0 from the last on.

    Attributes
    ----------
    weeks
        Knots, rising; the last is where agents count as tenured.
    dropped
        Knots that have too few agents or calls about them to be told.
    """

    weeks: Floats
    dropped: tuple[float, ...]

    @classmethod
    def supported(
        cls, knots: Floats, week: Floats, agent: NDArray[np.int64], calls: Floats
    ) -> Hats:
        """Keep the knots that enough agents have worked near; the last is kept in any case."""
        weights = _weights(knots, week)
        keep, near = [], weights > 0.25
        for k in range(knots.size - 1):
            # Near alone is not enough: a knot at the edge is told by those at or beyond it.
            some = near[:, k]
            agents = np.unique(agent[some]).size
            keep.append(agents >= _FEWEST_AGENTS and calls[some].sum() >= _FEWEST_CALLS)
        keep.append(True)
        kept = np.array(keep)
        return cls(knots[kept], tuple(float(each) for each in knots[~kept]))

    def columns(self, week: Floats) -> Floats:
        """Rows × knots without the last: the share of each knot's height that a row has."""
        return _weights(self.weeks, week)[:, :-1]

    def crossing(
        self, theta: Floats, covariance: Floats, quantiles: Floats, below: float, level: float
    ) -> Estimate:
        """Weeks of work by which the curve, made to fall only, has come down to ``below``.

        The limits are those at which its band comes down; nan where no agent has worked so long
        that it could be seen.
        """
        fine = np.geomspace(self.weeks[0], self.weeks[-1], _FINE)
        rows = self.columns(fine)
        curve = rows @ theta
        error = np.sqrt(np.einsum("ij,jk,ik->i", rows, covariance, rows))
        # The last knot is 0 by definition and has no quantile of its own.
        half = (rows @ quantiles) / np.maximum(rows.sum(axis=1), 1e-12) * error
        value, low, high = (
            self._first(fine, line, below) for line in (curve, curve - half, curve + half)
        )
        return Estimate(
            value[0] if value[0] == value[1] else float("nan"),
            low[0],
            high[1],
            level,
        )

    def _first(self, fine: Floats, line: Floats, below: float) -> tuple[float, float]:
        """Weeks between which the curve comes down: one week, unless knots there are unknown."""
        from scipy.optimize import isotonic_regression

        falling = isotonic_regression(line, increasing=False).x
        under = np.flatnonzero(falling <= below + 1e-12)
        week = float(fine[under[0]]) if under.size else float(self.weeks[-1])
        at = int(np.searchsorted(self.weeks, week))
        low = float(self.weeks[at - 1]) if at else 0.0
        high = float(self.weeks[at])
        if not any(low < each < high for each in self.dropped):
            return week, week
        # Where it came down cannot be told: no sooner than seen, and perhaps never in this log.
        return (low, float("inf")) if at else (0.0, week)


def _weights(knots: Floats, week: Floats) -> Floats:
    """Rows × knots: linear weights on the scale of doublings, all of them within the knots."""
    at, marks = np.log2(np.clip(week, knots[0], knots[-1])), np.log2(knots)
    place = np.clip(np.searchsorted(marks, at, side="right") - 1, 0, knots.size - 2)
    share = (at - marks[place]) / (marks[place + 1] - marks[place])
    rows = np.arange(week.size)
    found = np.zeros((week.size, knots.size))
    found[rows, place] += 1 - share
    found[rows, place + 1] += share
    return found
