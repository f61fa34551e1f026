"""Staggered roll-outs over clusters of people: means of agents by week, each cell with its weight.

What would have come is foretold from cells that no roll-out has touched: the cluster's level, the
agent's own distance from it, the week, how long the agent has been there, and other changes. No
treated cell helps to foretell another. An agent's distance is shrunk as far as their untreated
cells are noisy; of one who came after the roll-out nothing is known, and the cluster's level
stands in.

Each cluster has levels of its own, which are taken out of its cells first. What is left are a few
numbers that all clusters share, so that leaving a cluster out is one small equation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.results import Estimate
from ccanalytics.statistics.effects.left_out import jackknife

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

__all__ = ["Cells", "Nested", "Ratio", "nested"]

_TINY = 1e-7
_ROUNDS, _NEAR, _BLIND, _SLIVER = 4, 0.05, 1e-4, 1e-10


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows: an agent in a week.

    Attributes
    ----------
    value, weight
        Mean outcome of the cell, and what it weighs: calls, or items looked at.
    cluster, person, week
        Codes from 0. ``person`` equal to ``cluster`` throughout: clusters are the people.
    shared
        Rows × covariates that all clusters share, such as a curve of tenure.
    untreated
        Cells that may foretell.
    """

    value: Floats
    weight: Floats
    cluster: Ints
    person: Ints
    week: Ints
    shared: Floats
    untreated: Bools

    @property
    def alone(self) -> bool:
        """Whether clusters are single people."""
        return bool((self.person == self.cluster).all())


@dataclass(frozen=True, eq=False)
class Ratio:
    """Found over foretold in some cells, on the scale of the outcome.

    Attributes
    ----------
    value, left_out
        Weighted mean of value less foretold; the same without each cluster.
    foretold
        Weighted mean of what was foretold, with all clusters.
    share, share_left_out
        The same over what was foretold, for outcomes that are shares.
    weight, clusters
        Weight of the cells, and how many clusters have some.
    """

    value: float
    left_out: Floats
    foretold: float
    share: float
    share_left_out: Floats
    weight: float
    clusters: int

    def difference(self, level: float) -> Estimate:
        """Mean of value less foretold, with its limits."""
        half, _, _ = limits(self.left_out, level)
        return Estimate(self.value, self.value - half, self.value + half, level)

    def relative(self, level: float, *, logs: bool) -> Estimate:
        """Share by which the outcome differs; ``logs``: the values are logs already."""
        if logs:
            found = self.difference(level)
            value, low, high = np.expm1([found.value, found.low, found.high]).tolist()
            return Estimate(value, low, high, level)
        half, _, _ = limits(self.share_left_out, level)
        return Estimate(self.share, max(self.share - half, -1.0), self.share + half, level)


def limits(left_out: Floats, level: float) -> tuple[float, float, float]:
    """Half-width of the limits, standard error and degrees of freedom of a jackknife.

    Leaving a cluster out takes its weight from its own foretelling, which makes the jackknife too
    wide, as CR3 is; √(1 − 1/K) of K clusters brings it to about CR2 (Bell & McCaffrey 2002). With
    12 teams errors were 1.14 of the spread of 300 worlds without it.
    """
    from scipy.special import stdtrit

    error, degrees = jackknife(left_out)
    error *= float(np.sqrt(1 - 1 / max(int(np.isfinite(left_out).sum()), 2)))
    return float(stdtrit(degrees, 0.5 + level / 2)) * error, error, degrees


@dataclass(frozen=True, eq=False)
class Nested:
    """A fit, and what it foretells.

    Attributes
    ----------
    rest
        Rows: value less what the cluster's own untreated cells say of the cluster and the agent.
    away
        Rows × shared numbers: the covariates, less the same.
    theta, space
        (1 + clusters) × shared numbers: by all clusters, then without each; and which of their
        sums the untreated cells can tell, as projections.
    known
        Rows whose week enough clusters were untreated in, of clusters that have untreated cells.
    ridge
        Weight at which an agent's own mean counts half; inf: agents of a cluster are alike.
    """

    cells: Cells
    rest: Floats
    away: Floats
    theta: Floats
    space: Floats
    known: Bools
    ridge: float

    def ratio(self, chosen: Bools) -> Ratio | None:
        """Compare some cells; None where nothing is foretold for any.

        Raises
        ------
        DataError
            What is foretold for these hangs on a covariate that untreated cells do not show.
        """
        c = self.cells
        some = chosen & self.known & (c.weight > 0)
        if not some.any():
            return None
        many, w = len(self.theta) - 1, c.weight[some]
        mine = c.cluster[some]

        def by_cluster(values: Floats) -> Floats:
            return np.asarray(np.bincount(mine, values, minlength=many), float)

        total, found = by_cluster(w), by_cluster(w * c.value[some])
        rest, away = by_cluster(w * self.rest[some]), _sums(mine, w, self.away[some], many)
        keep = np.vstack([np.ones(many), 1 - np.eye(many)])
        size = keep @ total
        leans = keep @ away
        lost = np.abs(leans - np.einsum("kij,kj->ki", self.space, leans)).max(axis=1)
        blind = lost > _BLIND * max(float(w.sum()), 1.0)
        if blind[0]:
            raise DataError(
                "what these cells would have been hangs on something that untreated cells do not "
                "show"
            )
        with np.errstate(divide="ignore", invalid="ignore"):
            off = (keep @ rest - (leans * self.theta).sum(1)) / size
            off[blind] = np.nan  # without this cluster nothing tells
            mean = keep @ found / size
            share = off / (mean - off)
        return Ratio(
            float(off[0]), off[1:], float(mean[0] - off[0]), float(share[0]), share[1:],
            float(size[0]), int((total > 0).sum()),
        )  # fmt: skip


def nested(cells: Cells) -> Nested:
    """Fit the untreated cells, with each cluster left out in turn.

    valueᵢₜ = cluster + agentᵢ + weekₜ + sharedᵢₜ·β, weighted least squares; agents' distances from
    their cluster are random, with the variance that the untreated cells show (moments).

    Raises
    ------
    DataError
        Fewer than three clusters have untreated cells.
    """
    c = cells
    used = c.untreated & (c.weight > 0)
    clusters = int(c.cluster.max()) + 1
    weeks = int(c.week.max()) + 1
    has = np.bincount(c.cluster[used], minlength=clusters) > 0
    if has.sum() < 3:
        raise DataError(
            "too few have weeks without the treatment to compare with",
            f"{int(has.sum())} with such weeks",
            "take a longer span, or more teams",
        )
    seen = np.zeros((clusters, weeks), bool)
    seen[c.cluster[used], c.week[used]] = True
    enough = seen.sum(0) >= 2
    used = used & enough[c.week]
    has = np.bincount(c.cluster[used], minlength=clusters) > 0
    known = has[c.cluster] & enough[c.week]
    design = np.zeros((c.value.size, weeks + c.shared.shape[1]))
    design[np.arange(c.value.size), c.week] = 1
    design[:, weeks:] = c.shared
    ridge = np.inf
    for _ in range(0 if c.alone else _ROUNDS):
        rest, _, square, moved = _parts(c, used, design, ridge)
        theta, _ = _solved(square.sum(0)[None], moved.sum(0)[None])
        fresh = _ridge(c, used, c.value - design @ theta[0])
        if abs(fresh - ridge) <= _NEAR * fresh:
            break
        ridge = fresh
    rest, away, square, moved = _parts(c, used, design, ridge)
    total, right = square.sum(0), moved.sum(0)
    theta, space = _solved(
        np.concatenate([total[None], total[None] - square]),
        np.concatenate([right[None], right[None] - moved]),
    )
    return Nested(c, rest, away, theta, space, known, ridge)


def _parts(
    c: Cells, used: Bools, design: Floats, ridge: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Take out each cluster's own levels; the normal equations of what is left, by cluster."""
    both = np.column_stack([c.value, design])
    rest = np.empty_like(both)
    clusters, size = int(c.cluster.max()) + 1, design.shape[1]
    square, moved = np.zeros((clusters, size, size)), np.zeros((clusters, size))
    order = np.argsort(c.cluster, kind="stable")
    edges = np.searchsorted(c.cluster[order], np.arange(clusters + 1))
    for g in range(clusters):
        mine = order[edges[g] : edges[g + 1]]
        w = c.weight[mine] * used[mine]
        rest[mine] = both[mine] - _own(both[mine], w, c.person[mine], ridge)
        inner = both[mine][:, 1:].T * w
        square[g] = inner @ rest[mine][:, 1:]
        moved[g] = inner @ rest[mine][:, 0]
    return rest[:, 0], rest[:, 1:], square, moved


def _solved(square: Floats, moved: Floats) -> tuple[Floats, Floats]:
    """Solutions of normal equations, and projections on what each can tell."""
    scale = np.sqrt(np.maximum(np.diag(square[0]), 1e-12))
    both = np.outer(scale, scale)
    # Not of full rank: levels of weeks and clusters share a constant. The sliver on the diagonal
    # leaves directions alone that nothing tells, and is too small to be seen in others.
    even = square / both
    inverse = np.linalg.inv(even + _SLIVER * np.eye(scale.size))
    right = moved / scale
    theta = np.einsum("kij,kj->ki", inverse, right)
    for _ in range(2):  # refined, so that the sliver and rounding are in no digit that counts
        off = right - np.einsum("kij,kj->ki", even, theta)
        theta = theta + np.einsum("kij,kj->ki", inverse, off)
    return theta / scale, np.asarray(even @ inverse * np.outer(scale, 1 / scale))


def _own(both: Floats, w: Floats, person: Ints, ridge: float) -> Floats:
    """What a cluster's untreated cells say of its level and of its people, row by row.

    An agent's own mean counts as size/(size + ridge), where ``size`` weighs their cells; an endless
    ridge makes all agents of a cluster alike.
    """
    if not w.any():
        return np.zeros_like(both)
    _, who = np.unique(person, return_inverse=True)
    people = int(who.max()) + 1
    size = np.bincount(who, w, minlength=people)
    sums = _sums(who, w, both, people)
    if np.isinf(ridge):
        return np.broadcast_to(sums.sum(0) / size.sum(), both.shape)
    own = sums / np.maximum(size, 1e-300)[:, None]
    near = size / (size + ridge)
    level = (near @ own) / near.sum()
    return np.asarray((level + near[:, None] * (own - level))[who])


def _sums(code: Ints, w: Floats, values: Floats, many: int) -> Floats:
    """Weighted sums of rows by code."""
    order = np.argsort(code, kind="stable")
    found, first = np.unique(code[order], return_index=True)
    sums = np.zeros((many, values.shape[1]))
    sums[found] = np.add.reduceat((w[:, None] * values)[order], first, axis=0)
    return sums


def _ridge(c: Cells, used: Bools, off: Floats) -> float:
    """σ²/τ² by moments: variance of cells within agents over that of agents within clusters.

    ``off`` is value less what all share.
    """
    _, who = np.unique(c.person[used], return_inverse=True)
    w, r = c.weight[used], off[used]
    size = np.bincount(who, w)
    mean = np.bincount(who, w * r) / size
    inside = float((w * (r - mean[who]) ** 2).sum()) / max(who.size - size.size, 1)
    of = np.zeros(size.size, np.int64)
    of[who] = c.cluster[used]
    total = np.bincount(of, size)
    level = np.bincount(of, size * mean) / np.maximum(total, 1e-300)
    spread = float((size * (mean - level[of]) ** 2).sum())
    free = size.size - int((total > 0).sum())
    room = float((total - np.bincount(of, size**2) / np.maximum(total, 1e-300)).sum())
    between = (spread - free * inside) / room if room > 0 else 0.0
    return inside / between if between * size.mean() > _TINY * inside else np.inf
