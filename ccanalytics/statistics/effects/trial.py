"""A trial as sums: who was assigned, stratum by stratum, and what each subject added to the sums.

Everything that a trial estimates is a function of a few sums per stratum and arm. Its error is the
jackknife over subjects: the function again without each of them. Of many subjects the function is
taken as linear in what one of them adds, which is the cluster-robust (sandwich) variance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Quantities = Callable[[Floats], Floats]

__all__ = ["Jackknife", "Trial", "fieller", "jackknife", "means"]

_EXACT = 400  # subjects up to which each is left out in earnest


@dataclass(frozen=True, eq=False)
class Trial:
    """Rows of a trial, strata without both arms left out.

    Attributes
    ----------
    subject, stratum
        Codes from 0, one per row; a subject may have a row in several strata.
    assigned
        Whether the row's subject was assigned in this stratum.
    weight
        What a row's counts are divided by: 1, or the calls before.
    """

    subject: Ints
    stratum: Ints
    assigned: NDArray[np.bool_]
    weight: Floats

    @property
    def cell(self) -> Ints:
        """Two cells a stratum: controls, then assigned."""
        return np.asarray(2 * self.stratum + self.assigned)

    @property
    def subjects(self) -> int:
        """How many there are."""
        return int(self.subject.max()) + 1

    @property
    def strata(self) -> int:
        """How many there are."""
        return int(self.stratum.max()) + 1

    def slope(self, y: Floats, x: Floats) -> float:
        """Give the slope of ``y`` on ``x`` within strata and arms: what a covariate takes out."""
        away = [self._from_mean(each) for each in (y, x)]
        square = float(self.weight @ away[1] ** 2)
        return float(self.weight @ (away[0] * away[1])) / square if square > 0 else 0.0

    def spread(self, y: Floats) -> float:
        """Sum of squares of ``y`` within strata and arms."""
        return float(self.weight @ self._from_mean(y) ** 2)

    def _from_mean(self, values: Floats) -> Floats:
        size = np.bincount(self.cell, self.weight)
        mean = np.bincount(self.cell, self.weight * values) / np.where(size > 0, size, 1)
        return np.asarray(values - mean[self.cell])


def means(totals: Floats, which: int) -> tuple[Floats, Floats, Floats]:
    """Give weights of the strata and the means of assigned and of controls in each.

    ``totals`` are … × strata × 2 × sums, the first of the sums being the weight. Strata count as
    their assigned weigh, so that the answer is about those who were assigned.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = totals[..., 1, 0] / totals[..., 1, 0].sum(axis=-1, keepdims=True)
        mean = totals[..., which] / totals[..., 0]
    return weight, np.asarray(mean[..., 1]), np.asarray(mean[..., 0])


@dataclass(frozen=True, eq=False)
class Jackknife:
    """Quantities and, by subject, how far each moves them.

    Attributes
    ----------
    value
        The quantities.
    pulls
        Subjects × quantities: the estimate with the subject less that without, about their mean.
    """

    value: Floats
    pulls: Floats

    @property
    def covariance(self) -> Floats:
        """Covariance of the quantities."""
        n = len(self.pulls)
        return np.asarray((n - 1) / n * self.pulls.T @ self.pulls)

    def error(self, which: int) -> float:
        """Standard error of one of them."""
        n = len(self.pulls)
        return float(np.sqrt((n - 1) / n * (self.pulls[:, which] ** 2).sum()))

    def degrees(self, which: int) -> float:
        """Degrees of freedom: Satterthwaite's 2(Σv)²/Σv² of the squared pulls v."""
        square = self.pulls[:, which] ** 2
        fourth = float((square**2).sum())
        found = 2 * float(square.sum()) ** 2 / fourth if fourth > 0 else np.inf
        return float(np.clip(found, 1.0, max(len(self.pulls) - 1, 1)))


def jackknife(trial: Trial, sums: list[Floats], quantities: Quantities) -> Jackknife:
    """Evaluate functions of the cells' sums, and again without each subject.

    Parameters
    ----------
    sums
        What is summed, one array over rows each; the weight is put before them.
    quantities
        From sums (… × strata × 2 × 1 + len(sums)) to values (… × quantities).
    """
    rows = np.column_stack([trial.weight, *sums])
    cells, many, cell = 2 * trial.strata, trial.subjects, trial.cell
    shape = (trial.strata, 2, rows.shape[1])
    totals = np.zeros((cells, rows.shape[1]))
    np.add.at(totals, cell, rows)
    value = quantities(totals.reshape(shape))
    if many <= _EXACT:
        own = np.zeros((many, cells, rows.shape[1]))
        np.add.at(own, (trial.subject, cell), rows)
        without = quantities((totals[None] - own).reshape(many, *shape))
        known = np.where(np.isfinite(without), without, value)
        pulls = value - known
    else:
        gradient = _gradient(totals, shape, quantities)
        moved = (
            np.einsum("rm,rmq->rq", rows, gradient[cell])
            if len(rows) < 200_000
            else _by_part(rows, gradient, cell)
        )
        pulls = np.column_stack(
            [np.bincount(trial.subject, column, minlength=many) for column in moved.T]
        )
    return Jackknife(value, pulls - pulls.mean(axis=0))


def _by_part(rows: Floats, gradient: Floats, cell: Ints) -> Floats:
    """A product row by row that needs little memory."""
    found = np.empty((len(rows), gradient.shape[2]))
    for c in range(len(gradient)):
        mine = cell == c
        found[mine] = rows[mine] @ gradient[c]
    return found


def _gradient(totals: Floats, shape: tuple[int, ...], quantities: Quantities) -> Floats:
    """Cells × sums × quantities, by central differences."""
    flat = totals.ravel()
    step = 1e-5 * np.maximum(np.abs(flat), 1.0)
    moved = np.eye(flat.size) * step
    ahead, back = (quantities((flat + sign * moved).reshape(flat.size, *shape)) for sign in (1, -1))
    found = (ahead - back) / (2 * step)[:, None]
    return np.asarray(np.nan_to_num(found).reshape(*totals.shape, -1))


def fieller(
    above: float, below: float, covariance: Floats, deviate: float
) -> tuple[float, float] | None:
    """Give the limits of ``above``/``below`` that hold however small ``below`` is.

    All ratios ρ with (above − ρ·below)² ≤ deviate²·Var(above − ρ·below): with the effect of an
    assignment above and that on its take-up below, the set of Anderson and Rubin (1949). None
    where it has no end: the assignment moved too few.
    """
    c2 = deviate**2
    square = float(below**2 - c2 * covariance[1, 1])
    if square <= 0:
        return None
    middle = float(above * below - c2 * covariance[0, 1])
    root = middle**2 - square * (above**2 - c2 * covariance[0, 0])
    half = float(np.sqrt(max(root, 0.0)))
    return (middle - half) / square, (middle + half) / square
