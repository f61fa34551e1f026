r"""Linear chains in time: Radau IIA collocation, seven stages, order 13, tridiagonal systems.

Rates of a queue differ by orders of magnitude, so that an explicit method blows up unless its
step is below about 2.7/(λ + nμ). This one is stable at any step, and a chain whose distribution
changes slowly takes steps of minutes. With the nodes c, the matrix A of collocation and
A = T·diag(g)·T⁻¹, the stages of y′ = My + f over a step h are sums of seven solutions of

    (I − h·gⱼ·M) zⱼ = eⱼ·y + h·gⱼ·φⱼ,   e = T⁻¹·1,   φ = T⁻¹f,

each a tridiagonal system, three of them conjugate to three others. A block may feed the next.
Source: E. Hairer and G. Wanner, Solving Ordinary Differential Equations II, sections IV.5 and IV.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.polynomial import legendre
from scipy.linalg import lapack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ccanalytics.queueing.door import Array

__all__ = ["NODES", "TOLERANCE", "WEIGHTS", "Bands", "Block", "follow", "next_step", "stages"]

_STAGES = 7
TOLERANCE = 1e-8  # of the stages' polynomial; the end of a step is some orders more precise


def _scheme() -> tuple[Any, ...]:
    # The nodes are the zeros of P₇ − P₆, of which 1 is one.
    difference = np.zeros(_STAGES + 1)
    difference[-2:] = -1.0, 1.0
    x = np.sort(legendre.legroots(difference).real)
    x[-1] = 1.0
    values = legendre.legvander(x, _STAGES - 1)
    integrals = np.stack(
        [
            legendre.legval(x, legendre.legint(np.eye(_STAGES)[m], lbnd=-1)) / 2
            for m in range(_STAGES)
        ],
        axis=1,
    )
    matrix = np.linalg.solve(values.T, integrals.T).T
    roots, vectors = np.linalg.eig(matrix)
    ones = np.linalg.solve(vectors, np.ones(_STAGES))
    keep = np.flatnonzero(roots.imag > -1e-12)
    twice = np.where(np.abs(roots.imag[keep]) > 1e-12, 2.0, 1.0)
    mix = vectors[:, keep] * twice
    # The highest coefficient of the polynomial through the start and all stages.
    through = legendre.legvander(np.concatenate([[-1.0], x]), _STAGES)
    highest = np.linalg.inv(through)[-1]
    return (x + 1) / 2, matrix[-1], roots[keep], mix, ones[keep], highest


NODES, WEIGHTS, _ROOTS, _MIX, _ONES, _HIGHEST = _scheme()


@dataclass(frozen=True, eq=False)
class Bands:
    """A tridiagonal matrix: ``lower[k]`` leads from k to k + 1, ``upper[k]`` from k + 1 to k."""

    lower: Array
    diagonal: Array
    upper: Array

    def solve(self, factor: complex, right: Any) -> Any:
        """X with (I − factor·M) x = right; columns of ``right`` share the matrix."""
        size = self.diagonal.size
        if size == 0:
            return right
        middle = 1 - factor * self.diagonal
        if size == 1:
            return right / middle[0]
        gtsv = lapack.zgtsv if isinstance(factor, complex) else lapack.dgtsv
        *_, solution, fault = gtsv(
            -factor * self.lower,
            middle,
            -factor * self.upper,
            right,
            overwrite_dl=1,
            overwrite_d=1,
            overwrite_du=1,
            overwrite_b=1,
        )
        if fault:  # a generator's resolvent is never singular right of 0
            raise ArithmeticError(f"gtsv returned {fault}")
        return solution


@dataclass(frozen=True, eq=False)
class Block:
    """One system y′ = My + source + feed(the block before)."""

    matrix: Bands
    source: Array | None = None
    feed: Callable[[Any], Any] | None = None


def stages(blocks: Sequence[Block], start: Sequence[Array], h: float) -> list[Array]:
    """Values of every block at the nodes ``h * NODES``, the first axis of each array."""
    parts: list[list[Any]] = [[] for _ in blocks]
    for root, one in zip(_ROOTS, _ONES, strict=True):
        real = abs(root.imag) < 1e-12
        factor = h * float(root.real) if real else complex(h * root)
        unit = float(one.real) if real else complex(one)
        before: Any = None
        for block, y, part in zip(blocks, start, parts, strict=True):
            right = unit * y
            if block.source is not None:
                right = right + factor * unit * block.source
            if block.feed is not None:
                right = right + factor * block.feed(before)
            before = block.matrix.solve(factor, right)
            part.append(before)
    return [np.tensordot(_MIX, np.stack(part), axes=1).real for part in parts]


def bend(start: Array, values: Array) -> Array:
    """The highest coefficient of the polynomial through the start and the stages."""
    return _HIGHEST[0] * start + np.tensordot(_HIGHEST[1:], values, axes=1)


def next_step(h: float, error: float, tolerance: float = TOLERANCE) -> float:
    """Length of the step to try next (or again), from the error of the last one."""
    return h * float(np.clip(0.9 * (tolerance / max(error, 1e-300)) ** (1 / _STAGES), 0.1, 6.0))


def follow(
    blocks: Sequence[Block], start: Sequence[Array], seconds: float, first: float, scale: Any
) -> list[Array]:
    """All blocks after ``seconds``, the first one held to TOLERANCE × ``scale`` by column."""
    y, done, h = list(start), 0.0, min(first, seconds)
    while seconds - done > 1e-12 * seconds:
        h = min(h, seconds - done)
        values = stages(blocks, y, h)
        top = bend(y[0], values[0])
        error = float((np.abs(top).max(axis=0) / scale).max()) if top.size else 0.0
        if error <= TOLERANCE:
            y, done = [v[-1] for v in values], done + h
        h = next_step(h, error)
    return y
