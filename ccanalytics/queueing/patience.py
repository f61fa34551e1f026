"""How long callers wait before they hang up: what integrals need, exponential and endless."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.queueing.door import Array

__all__ = ["Endless", "Exponential", "Law", "bend"]


class Law(Protocol):
    """Patience as the integrals need it; ``which`` says to which element a time belongs."""

    def left(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is at most ``v`` (constant within a jump's piece)."""

    def kept(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is above ``v``."""

    def left_since(self, start: Array, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is above ``start`` and at most ``v``."""

    def left_sum(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Integral of :meth:`left` from 0 to ``v``."""

    def kept_sum(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Integral of :meth:`kept` from 0 to ``v``."""

    def time_of(self, share: Array) -> Array:
        """About the time by which ``share`` have left; ``inf`` if so many never do."""

    def cuts(self, low: Array, high: Array) -> tuple[NDArray[np.intp], Array]:
        """Times between ``low`` and ``high`` at which an integral must be cut, with elements."""

    def mean_of(self, which: NDArray[np.intp]) -> Array:
        """Mean patience of the elements ``which``."""

    mean: Array | None
    """Mean patience by element where it is exponential, ``None`` where it is endless."""

    never: float
    """Share that never leaves."""


def bend(tau: Array) -> Array:
    """Exp(−τ) − 1 + τ, without cancellation for small τ."""
    term = np.full_like(tau, 1.0)
    clipped = np.minimum(tau, 0.5)
    for k in range(17, 2, -1):
        term = 1 - term * clipped / k
    return np.where(tau < 0.5, clipped * clipped / 2 * term, np.expm1(-tau) + tau)


class Exponential:
    """Exponential patience with a mean of its own for every element."""

    never = 0.0

    def __init__(self, mean: Array) -> None:
        self.mean: Array | None = mean
        self._mean = mean

    def left(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is at most ``v``."""
        return -np.expm1(-v / self._mean[which])

    def kept(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is above ``v``."""
        return np.exp(-v / self._mean[which])

    def left_since(self, start: Array, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is above ``start`` and at most ``v``."""
        mean = self._mean[which]
        return -np.exp(-start / mean) * np.expm1((start - v) / mean)

    def left_sum(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Integral of :meth:`left` from 0 to ``v``."""
        mean = self._mean[which]
        return bend(v / mean) * mean

    def kept_sum(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Integral of :meth:`kept` from 0 to ``v``."""
        mean = self._mean[which]
        return -np.expm1(-v / mean) * mean

    def time_of(self, share: Array) -> Array:
        """About the time by which ``share`` have left; ``inf`` for all of them."""
        with np.errstate(divide="ignore"):
            return -np.log1p(-share) * self._mean

    def cuts(self, low: Array, high: Array) -> tuple[NDArray[np.intp], Array]:
        """Times at which an integral from ``low`` to ``high`` must be cut, with their elements."""
        steps = self._mean[:, None] * np.array([0.7, 2.0, 5.0, 12.0, 30.0, 70.0])
        points = np.concatenate([steps, low[:, None] + steps], axis=1)
        inside = (points > low[:, None]) & (points < high[:, None])
        return np.nonzero(inside)[0], points[inside]

    def mean_of(self, which: NDArray[np.intp]) -> Array:
        """Mean patience of the elements ``which``."""
        return self._mean[which]


class Endless:
    """Callers who never give up."""

    never = 1.0
    mean: Array | None = None

    def left(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is at most ``v``."""
        del which
        return np.zeros_like(v)

    left_sum = left

    def left_since(self, start: Array, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is above ``start`` and at most ``v``."""
        del start, which
        return np.zeros_like(v)

    def kept(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is above ``v``."""
        del which
        return np.ones_like(v)

    def kept_sum(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Integral of :meth:`kept` from 0 to ``v``."""
        del which
        return v

    def time_of(self, share: Array) -> Array:
        """About the time by which ``share`` have left."""
        return np.where(share > 0, np.inf, 0.0)

    def cuts(self, low: Array, high: Array) -> tuple[NDArray[np.intp], Array]:
        """Times at which an integral from ``low`` to ``high`` must be cut, with their elements."""
        del low, high
        return np.empty(0, dtype=np.intp), np.empty(0)

    def mean_of(self, which: NDArray[np.intp]) -> Array:
        """Mean patience of the elements ``which``."""
        return np.full(which.size, np.inf)
