"""Weights that sum to one: the controls, or the weeks, that look most like what is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["fit_weights"]

_FIRST = 100


def fit_weights(
    gram: Floats,
    cross: Floats,
    square: Floats,
    ridge: Floats,
    allowed: Floats,
    least: Floats,
    *,
    steps: int = 10_000,
) -> Floats:
    """Minimise ‖Aw − b‖² + ridge·‖w‖² over w ≥ 0, Σw = 1, for several problems at once.

    Frank–Wolfe steps with exact line search, from equal weights, until the objective falls by less
    than ``least``; after 100 steps weights below a quarter of the largest are set to 0, and the
    rest goes on. It is the published procedure of synthetic difference in differences (the numbers
    it is known by depend on where it stops), which needs no solver. Being small steps on a few
    vectors, all problems take them together.

    Parameters
    ----------
    gram, cross, square
        Problems × J × J: AᵀA; problems × J: Aᵀb; problems: bᵀb.
    ridge, least
        Problems.
    allowed
        Problems × J: 1 where a weight may be above 0.
    steps
        The most that are taken.
    """
    start = allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1)
    first = _steps(gram, cross, square, ridge, allowed, least, start, _FIRST)
    sparse = np.where(first <= first.max(axis=1, keepdims=True) / 4, 0.0, first)
    sparse /= np.maximum(sparse.sum(axis=1, keepdims=True), 1e-300)
    return _steps(gram, cross, square, ridge, allowed, least, sparse, steps)


def _steps(
    gram: Floats, cross: Floats, square: Floats, ridge: Floats, allowed: Floats, least: Floats,
    start: Floats, most: int,
) -> Floats:  # fmt: skip
    done = start.copy()
    at = np.flatnonzero(allowed.sum(axis=1) > 0)
    closed = allowed[at] == 0
    x, g, h, r = start[at], gram[at], cross[at], ridge[at]
    along = np.einsum("bij,bj->bi", g, x)
    before = np.full(at.size, np.inf)
    for step in range(most):
        rows = np.arange(at.size)
        slope = along - h + r[:, None] * x
        best = np.where(closed, np.inf, slope).argmin(axis=1)
        way = -x
        way[rows, best] += 1
        moved = g[rows, :, best] - along
        bend = np.einsum("bi,bi->b", way, moved) + r * np.einsum("bi,bi->b", way, way)
        fall = -np.einsum("bi,bi->b", slope, way)
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.where(bend > 0, np.clip(fall / bend, 0, 1), 0.0)
        x = x + size[:, None] * way
        along = along + size[:, None] * moved
        value = np.einsum("bi,bi->b", x, along - 2 * h + r[:, None] * x) + square[at]
        going = (step < 1) | (before - value > least[at])
        if not going.all():
            done[at[~going]] = x[~going]
            at, closed, x, along = at[going], closed[going], x[going], along[going]
            g, h, r, value = g[going], h[going], r[going], value[going]
            if not at.size:
                return done
        before = value
    done[at] = x
    return done
