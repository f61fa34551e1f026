"""M/M/n+G: endless lines and callers of any patience (Baccelli and Hebuterne; Zeltyn).

A caller who waits v seconds if patient meets a density c·f(v), with f(v) = e^{λH(v) − cv},
c = nμ and H the integral of the survival of patience, in units of "all busy, nobody waits". The
exponent is concave, so that each integral lives around one peak, whose width sets the pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from ccanalytics.queueing.ratios import states_below

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.queueing.door import Array
    from ccanalytics.queueing.patience import Law

__all__ = ["GeneralPatience", "Kind", "VirtualWait"]

Kind = Literal["any", "left", "kept", "wait", "kept_wait", "left_wait"]

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_REACH = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 44.0])
_NEGLIGIBLE = 44.0
_ROWS = 1 << 15  # pieces evaluated at once


class VirtualWait:
    """Integrals over the virtual wait, element by element."""

    def __init__(self, arrivals: Array, service: Array, law: Law) -> None:
        self._lam, self._c, self._law = arrivals, service, law
        self._every = np.arange(arrivals.size)
        with np.errstate(divide="ignore"):
            self._peak = law.time_of(np.clip(1 - service / arrivals, 0.0, 1.0))

    @property
    def whole(self) -> tuple[Array, Array]:
        """From 0 to the end of time."""
        return np.zeros_like(self._lam), np.full_like(self._lam, np.inf)

    def exponent(self, v: Array, which: NDArray[np.intp]) -> Array:
        """λH(v) − cv, written so that nothing cancels: (λ − c)v − λ(v − H(v))."""
        lam = self._lam[which]
        return (lam - self._c[which]) * v - lam * self._law.left_sum(v, which)

    def integrals(
        self, start: Array, stop: Array, kinds: tuple[Kind, ...]
    ) -> tuple[Array, dict[Kind, Array]]:
        """Integrals of kind(v)·f(v) from ``start`` to ``stop``, each over e^shift; and the shift."""
        top = np.clip(self._peak, start, stop)
        shift = self.exponent(top, self._every)
        which, left, right = self._pieces(start, stop, top, shift)
        sums = {kind: np.zeros(start.size) for kind in kinds}
        for begin in range(0, which.size, _ROWS):
            rows = slice(begin, begin + _ROWS)
            i = which[rows]
            half = (right[rows] - left[rows]) / 2
            v = (left[rows] + half)[:, None] + half[:, None] * _POINTS
            column = i[:, None]
            left_sum = self._law.left_sum(v, column)
            lam = self._lam[column]
            exponent = (lam - self._c[column]) * v - lam * left_sum
            weight = np.exp(exponent - shift[column]) * _WEIGHTS * half[:, None]
            gone = None if kinds == ("any",) else self._law.left(v, column)
            for kind in kinds:
                value = weight if gone is None else weight * _factor(kind, v, gone, left_sum)
                sums[kind] += np.bincount(i, value.sum(axis=1), start.size)
        return shift, sums

    def _pieces(
        self, start: Array, stop: Array, top: Array, shift: Array
    ) -> tuple[NDArray[np.intp], Array, Array]:
        """Cut [start, stop] so that on each piece 16 points are enough; leave out what is nothing."""
        after = self._width(top, shift, 1.0)
        before = self._width(top, shift, -1.0)
        high = np.minimum(stop, top + _REACH[-1] * after)
        low = np.maximum(start, top - _REACH[-1] * before)
        points = np.concatenate(
            [
                top[:, None],
                np.minimum(top[:, None] + after[:, None] * _REACH, high[:, None]),
                np.maximum(top[:, None] - before[:, None] * _REACH, low[:, None]),
            ],
            axis=1,
        )
        cut_which, cut_at = self._law.cuts(low, high)
        which = np.concatenate([np.repeat(self._every, points.shape[1]), cut_which])
        at = np.concatenate([points.reshape(-1), cut_at])
        order = np.lexsort((at, which))
        which, at = which[order], at[order]
        level = self.exponent(at, which) - shift[which]
        same = (which[1:] == which[:-1]) & (at[1:] > at[:-1])
        same &= np.maximum(level[1:], level[:-1]) > -_NEGLIGIBLE
        return which[:-1][same], at[:-1][same], at[1:][same]

    def _width(self, top: Array, shift: Array, side: float) -> Array:
        """A distance at which the exponent has fallen by 1 to 4."""
        width = 1 / (self._lam + self._c)
        open_ = self._every
        for _ in range(200):
            at = np.maximum(top[open_] + side * width[open_], 0.0)
            drop = shift[open_] - self.exponent(at, open_)
            open_ = open_[(drop < 1) & (at > 0)] if side < 0 else open_[drop < 1]
            if not open_.size:
                break
            width[open_] *= 2
        return width


def _factor(kind: Kind, v: Array, gone: Array, gone_sum: Array) -> Array:
    if kind == "left":
        return gone
    if kind == "kept":
        return 1 - gone
    if kind == "wait":
        return v - gone_sum
    if kind == "kept_wait":
        return v * (1 - gone)
    if kind == "left_wait":
        return v * gone - gone_sum
    return np.ones_like(v)


class GeneralPatience:
    """M/M/n+G in steady state.

    Without one if more callers than can be served never give up: then the queue grows without
    end, and all who are served wait for ever.
    """

    def __init__(self, load: Array, agents: Array, aht: Array, law: Law) -> None:
        lam, c = load / aht, agents / aht
        self._staffed = agents > 0
        self._steady = (lam * law.never < c) & self._staffed
        self._lam = lam
        self._c = np.where(self._steady, c, 2 * lam)
        self._law = law
        self._virtual = VirtualWait(lam, self._c, law)
        self._shift, sums = self._virtual.integrals(
            *self._virtual.whole, ("any", "left", "kept", "wait")
        )
        with np.errstate(over="ignore", invalid="ignore"):
            free = states_below(np.where(self._steady, agents, 1.0), load)
            free = np.where(np.isinf(free), free, free * np.exp(-self._shift))
        self._free = free
        self._total = free + self._c * sums["any"]
        self.blocked = np.zeros_like(load)
        # Without a steady state all who would give up do, and the rest share what is served.
        gone = 1 - law.never
        self.waiting = self._else(self._share(sums["any"]), 1.0)
        self.abandoned = self._else(self._share(sums["left"]), gone)
        answered = self._tail_share(free, sums["kept"])
        self.answered = self._else(answered, np.where(self._staffed, 1 - gone, 0.0))
        self.mean_wait = self._else(
            self._share(sums["wait"]), np.inf if law.never > 0 else self._mean_patience()
        )
        self._left, self._kept = sums["left"], sums["kept"]

    def _mean_patience(self) -> float:
        end = np.array([1e300])
        return float(end[0] - self._law.left_sum(end, np.zeros(1, dtype=np.intp))[0])

    def _else(self, values: Array, limit: Array | float) -> Array:
        return np.where(self._steady, values, limit)

    def _share(self, integral: Array, shift: Array | None = None) -> Array:
        with np.errstate(invalid="ignore"):
            grown = 1.0 if shift is None else np.exp(shift - self._shift)
            return np.where(np.isinf(self._total), 0.0, self._c * integral * grown / self._total)

    def _tail_share(self, free: Array, integral: Array) -> Array:
        with np.errstate(invalid="ignore"):
            share = (free + self._c * integral) / self._total
        return np.where(np.isinf(self._total), 1.0, share)

    def _after(self, t: Array, kind: Kind) -> Array:
        start = np.broadcast_to(np.asarray(t, dtype=float), self._lam.shape)
        shift, sums = self._virtual.integrals(start, np.full_like(self._lam, np.inf), (kind,))
        return self._share(sums[kind], shift)

    def _until(self, t: float, kind: Kind) -> Array:
        zero = np.zeros_like(self._lam)
        shift, sums = self._virtual.integrals(zero, zero + t, (kind,))
        return self._share(sums[kind], shift)

    def _immediate(self) -> Array:
        return self._tail_share(self._free, np.zeros_like(self._lam))

    def virtual_after(self, t: Array) -> Array:
        return self._else(self._after(t, "any"), 1.0)

    def virtual_within(self, t: float) -> Array:
        return self._else(self._immediate() + self._until(t, "any"), 0.0)

    def answered_after(self, t: Array) -> Array:
        return self._else(self._after(t, "kept"), self.answered)

    def answered_within(self, t: float) -> Array:
        return self._else(self._immediate() + self._until(t, "kept"), 0.0)

    def abandoned_within(self, t: float) -> Array:
        start = np.broadcast_to(np.asarray(t, dtype=float), self._lam.shape)
        gone = self._law.left(start, np.arange(start.size))
        within = self._until(t, "left") + gone * self._after(start, "any")
        return self._else(within, gone)

    def abandoned_after(self, t: Array) -> Array:
        start = np.broadcast_to(np.asarray(t, dtype=float), self._lam.shape)
        gone = self._law.left(start, np.arange(start.size))
        later = self._after(start, "left") - gone * self._after(start, "any")
        limit = 1 - self._law.never - gone
        return self._else(np.maximum(later, 0.0), limit)

    def answered_wait(self) -> Array:
        _, sums = self._virtual.integrals(*self._virtual.whole, ("kept_wait",))
        with np.errstate(invalid="ignore"):
            mean = self._share(sums["kept_wait"]) / self.answered
        return self._else(mean, np.where(self._staffed, np.inf, np.nan))

    def abandoned_wait(self) -> Array:
        _, sums = self._virtual.integrals(*self._virtual.whole, ("left_wait",))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = sums["left_wait"] / self._left
        return self._else(mean, self._mean_patience() if self._law.never == 0 else np.nan)
