"""Event study by day: counts of one group against another's of the same cell, day by day.

Given all calls of a cell (a date, and what else calls depend on, such as the bill day), those of
the group are binomial: whatever moves both groups in a cell, be it the weekday, a holiday or the
bill, drops out. It is the conditional form of a Poisson regression with a level for every cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.results import Estimate
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["EventDays", "event_days"]


@dataclass(frozen=True, eq=False)
class EventDays:
    """Log rate ratios of the group over the controls, by column of the design.

    Attributes
    ----------
    log, covariance
        Estimates and their covariance, clustered by date (CR2).
    degrees
        Degrees of freedom of each: Satterthwaite's (tr B)²/tr B², B being the covariance that the
        pulls of dates have if calls are binomial. Pulls of the few dates of an event sum to about
        nothing, so that two of them have one degree of freedom.
    """

    log: Floats
    covariance: Floats
    degrees: Floats

    def error(self, which: int) -> float:
        """Standard error of a log ratio."""
        return float(np.sqrt(max(self.covariance[which, which], 0.0)))

    def relative(self, which: int, level: float) -> Estimate:
        """A ratio less 1, with its limits."""
        from scipy.special import stdtrit

        half = float(stdtrit(self.degrees[which], 0.5 + level / 2)) * self.error(which)
        ends = self.log[which] + np.array([0.0, -half, half])
        value, low, high = np.expm1(ends).tolist()
        return Estimate(value, low, high, level)

    def p_value(self, which: list[int]) -> float:
        """Joint p-value that all of these are 0, by the F distribution."""
        from scipy.special import fdtrc

        part = self.log[which]
        square = float(part @ np.linalg.pinv(self.covariance[np.ix_(which, which)]) @ part)
        return float(fdtrc(len(which), self.degrees[which].min(), square / len(which)))


def event_days(
    calls: Any, people: Any, control_calls: Any, control_people: Any,
    design: Any, level: Any, date: Any,
) -> EventDays:  # fmt: skip
    r"""Fit log(λ₁/λ₀) = level + design·τ, rows being parts of the group in a cell.

    With n people and y calls of the group (1) and the controls (0) of its cell,
    y₁ | y₁ + y₀ is binomial with odds (n₁/n₀)·exp(level + design·τ). Errors are clustered by date,
    which holds what rows of one day share (controls among it): Σ_g p_g p_g', with the pull
    p_g = M^(−1/2)(M^(−1/2)·M₋g·M^(−1/2))^(−1/2)M^(−1/2)·s_g of a date, of the information M, that
    of the other dates M₋g, and the score s_g (CR2). Few dates have an event, and the plain sandwich
    would take their own pull out of their own error.

    Parameters
    ----------
    calls, people, control_calls, control_people
        Per row.
    design
        Rows × columns whose effect is asked.
    level
        Code of the group's level (bill day, say) of each row: each has its own.
    date
        Code of the date of each row.

    Raises
    ------
    DataError
        No call in the group or the controls, a column that cannot be told apart, or one that is
        of a single date.

    References
    ----------
    Bell & McCaffrey (2002), Bias reduction in standard errors for linear regression with
    multi-stage samples, Survey Methodology 28.
    """
    y1, n1, y0, n0 = (np.asarray(v, float) for v in (calls, people, control_calls, control_people))
    x = np.atleast_2d(np.asarray(design, float).T).T
    use = (n1 > 0) & (n0 > 0) & (y1 + y0 > 0)
    if not y1[use].sum() or not y0[use].sum():
        raise DataError("no call came from one of the groups", "calls: 0", "take more of the log")
    _, own = np.unique(np.asarray(level)[use], return_inverse=True)
    days, day = np.unique(np.asarray(date)[use], return_inverse=True)
    # A level where one of the groups has no call says nothing, and would run off to infinity.
    seen = (np.bincount(own, y1[use]) > 0) & (np.bincount(own, y0[use]) > 0)
    rows = seen[own]
    own, x = np.unique(own[rows], return_inverse=True)[1], x[use][rows]
    y, n = y1[use][rows], (y1 + y0)[use][rows]
    offset, day = np.log(n1[use] / n0[use])[rows], day[rows]
    if not rows.any() or np.linalg.matrix_rank(_within(x, np.ones(len(x)), own)) < x.shape[1]:
        raise DataError(
            "days with and without the event cannot be told apart",
            counted(len(days), "date"),
            "take more of the log, or a shorter window",
        )
    beta, share = _solved(x, own, y, n, offset)
    count = len(days)
    pulls, degrees = _pulls(x, own, day, n * share * (1 - share), y - n * share, count)
    return EventDays(beta, pulls.T @ pulls, np.clip(degrees, 1.0, max(count - 1, 1)))


def _pulls(
    x: Floats,
    own: NDArray[np.int64],
    day: NDArray[np.int64],
    weight: Floats,
    off: Floats,
    count: int,
) -> tuple[Floats, Floats]:
    """Dates × columns: what each date adds to the error, without the part that it took itself; and
    the degrees of freedom of each column.

    Levels are estimated anew without it: information and score are sums over cells of a date and a
    level, and levels drop out of what the other dates leave (Schur complement).
    """
    many = x.shape[1]
    keys, cell = np.unique(np.stack([day, own]), axis=1, return_inverse=True)
    at, level = keys
    w, s = (np.asarray(np.bincount(cell, v), float) for v in (weight, off))
    wx, sx = (
        np.asarray(np.stack([np.bincount(cell, v * c) for c in x.T], 1), float)
        for v in (weight, off)
    )
    square = np.zeros((count, many, many))
    np.add.at(square, day, x[:, :, None] * x[:, None, :] * weight[:, None, None])
    total = np.asarray(np.bincount(level, w), float)
    mean = np.asarray(np.stack([np.bincount(level, column) for column in wx.T], 1), float)

    def taken(sums: Floats, weights: Floats) -> Floats:
        """What levels of such sums take out of the information."""
        return np.asarray(
            sums[:, :, None] * sums[:, None, :] / np.maximum(weights, 1e-300)[:, None, None]
        )

    whole = square.sum(axis=0) - taken(mean, total).sum(axis=0)
    # A level that is of this date alone goes with it.
    left = np.where(total[level] - w > 1e-9 * total[level], total[level] - w, 0.0)
    there = np.where(left[:, None] > 0, mean[level] - wx, 0.0)
    rest = np.zeros((count, many, many))
    np.add.at(rest, at, taken(mean[level], total[level]) - taken(there, left))
    rest += whole - square
    score = np.zeros((count, many))
    np.add.at(score, at, sx - there / np.maximum(left, 1e-300)[:, None] * s[:, None])
    # Half of the jackknife's step on the scale of logs: (I − H_g)^(−1/2), of Bell and McCaffrey.
    spread, turn = np.linalg.eigh(whole)
    root = (turn / np.sqrt(spread)) @ turn.T
    kept, axes = np.linalg.eigh(root @ rest @ root)
    if (kept < 1e-9).any():
        raise DataError(
            "an event on a single date cannot be told from whatever else happened on it",
            f"{counted(count, 'date')} in all",
            "take more of the log",
        )
    half = np.einsum("gij,gj,gkj->gik", axes, 1 / np.sqrt(kept), axes)
    pulls = np.einsum("gij,gj->gi", half, score @ root) @ root
    # Where dates are independent and each has its share of the information, covariances of their
    # pulls are those of scores less what the fit takes out of all: B = diag(own) − u·u'.
    part = root @ (whole - rest) @ root
    degrees = np.empty(many)
    for column in range(many):
        to = np.einsum("j,gjk->gk", root[column], half)
        u = np.einsum("gk,gkl->gl", to, part)
        alone, taken_out = (to * u).sum(axis=1), (u * u).sum(axis=1)
        trace = (alone - taken_out).sum()
        squares = (alone**2 - 2 * alone * taken_out).sum() + ((u.T @ u) ** 2).sum()
        degrees[column] = trace**2 / max(squares, 1e-300)
    return np.asarray(pulls), degrees


def _within(x: Floats, weight: Floats, own: NDArray[np.int64]) -> Floats:
    """Columns less their weighted mean of the level."""
    total = np.bincount(own, weight)
    means = np.column_stack([np.bincount(own, weight * column) for column in x.T])
    return np.asarray(x - (means / total[:, None])[own])


def _solved(
    x: Floats, own: NDArray[np.int64], y: Floats, n: Floats, offset: Floats
) -> tuple[Floats, Floats]:
    """Newton's steps for a binomial regression with logit link; and each row's share.

    Levels are many and each row has one: their part of every step is a division.
    """
    beta, levels = np.zeros(x.shape[1]), np.zeros(own.max() + 1)
    for _ in range(50):
        share = 1 / (1 + np.exp(-np.clip(x @ beta + levels[own] + offset, -30, 30)))
        weight, off = n * share * (1 - share), y - n * share
        apart, total = _within(x, weight, own), np.bincount(own, weight)
        inner = apart.T @ (apart * weight[:, None])
        step = np.linalg.lstsq(inner, apart.T @ off, rcond=None)[0]
        moved = np.bincount(own, off - weight * (x @ step)) / total
        beta, levels = beta + np.clip(step, -2, 2), levels + np.clip(moved, -2, 2)
        if max(np.abs(step).max(), np.abs(moved).max()) < 1e-10:
            share = 1 / (1 + np.exp(-np.clip(x @ beta + levels[own] + offset, -30, 30)))
            return np.asarray(beta), np.asarray(share)
    raise DataError(
        "too few calls to tell days with and without the event apart",
        f"{int(y.sum())} calls of the group",
        "take more of the log, or coarser groups",
    )
