"""Integrals over the virtual wait, on which patience of any law and finite lines rest.

A caller who would wait v seconds if patient meets a density c·f(v) in units of "all busy, nobody
waits", with c = nμ, H the integral of the survival of patience, and

    f(v) = e^{λH(v) − cv}                       on endless lines (Baccelli and Hebuterne),
    f(v) = e^{λH(v) − cv}·P(Poisson(λH(v)) < m)  with m waiting places (exponential or endless
                                                 patience).

Its logarithm is concave, so that each integral lives around one peak, whose width sets the pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

from ccanalytics.queueing.ratios import below, served_share, small_above, stirling
from ccanalytics.queueing.search import bracketed_root

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.queueing.door import Array
    from ccanalytics.queueing.patience import Law

__all__ = ["Kind", "VirtualWait"]

Kind = Literal["any", "left", "left_since", "kept", "wait", "kept_wait", "left_wait"]

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_REACH = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 44.0])
_NEGLIGIBLE = 44.0  # e⁻⁴⁴ is nothing beside 1
_FEW = 64  # elements up to which the number of numpy calls decides the time
_ROWS = 1 << 15  # pieces evaluated at once


class VirtualWait:
    """The density f, element by element; ``room`` is the number of waiting places, above 0."""

    def __init__(
        self, arrivals: Array, service: Array, law: Law, room: Array | None = None
    ) -> None:
        self._lam, self._c, self._law, self._room = arrivals, service, law, room
        self._every = np.arange(arrivals.size)
        self._peak = law.time_of(np.clip(1 - service / arrivals, 0.0, 1.0))
        if room is not None:
            self._find_peak(room)

    @property
    def whole(self) -> tuple[Array, Array]:
        """From 0 to the end of time."""
        return np.zeros_like(self._lam), np.full_like(self._lam, np.inf)

    def _find_peak(self, room: Array) -> None:
        """With few places the peak comes before the time at which they are all taken."""
        lam, high = self._lam, np.minimum(self._peak, 2 * (room + 40) / self._c)
        taken = lam * self._law.kept_sum(high, self._every)
        few = taken > room - 6 * np.sqrt(room) - 6
        # One place: f is e^{−cv}, which falls from the start.
        self._peak[few & (room == 1)] = 0.0
        near = np.flatnonzero(few & (room > 1) & (high > 0))
        if not near.size:
            return
        start = 1 / (lam + self._c)  # the least width of a peak

        def rising(which: NDArray[np.intp], later: Array) -> Array:
            i = near[which]
            v = later - start[i]
            z = lam[i] * self._law.kept_sum(v, i)
            rise = lam[i] * self._law.kept(v, i)
            with np.errstate(divide="ignore"):
                return np.log(rise * served_share(room[i] - 1, np.maximum(z, 1e-200)) / self._c[i])

        every, low, high = np.arange(near.size), start[near], high[near] + start[near]
        at_low, at_high = rising(every, low), rising(every, high)
        root = bracketed_root(rising, low, high, at_low, at_high, relative=1e-6)
        root = np.where(at_low <= 0, low, np.where(at_high > 0, high, root))
        self._peak[near] = np.maximum(root - start[near], 0.0)

    def exponent(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Logarithm of f."""
        # λH − cv, written so that nothing cancels: (λ − c)v − λ(v − H).
        lam, c = self._lam[which], self._c[which]
        value = (lam - c) * v - lam * self._law.left_sum(v, which)
        if self._room is None:
            return value
        lam, c, m = (np.broadcast_to(x, v.shape) for x in (lam, c, self._room[which]))
        z = lam * self._law.kept_sum(v, which)
        tight = z > m - 9 * np.sqrt(m) - 12
        if tight.any():
            value = np.array(value)
            value[tight] = _with_room(value[tight], z[tight], m[tight], (c * v)[tight])
        return value

    def integrals(
        self, start: Array, stop: Array, kinds: tuple[Kind, ...]
    ) -> tuple[Array, dict[Kind, Array]]:
        """The shift, and integrals of kind(v)·f(v) from ``start`` to ``stop`` over e^shift."""
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
            weight = np.exp(self.exponent(v, column) - shift[column]) * _WEIGHTS * half[:, None]
            for kind in kinds:
                value = weight if kind == "any" else weight * self._factor(kind, v, column, start)
                sums[kind] += np.bincount(i, value.sum(axis=1), start.size)
        return shift, sums

    def _factor(self, kind: Kind, v: Array, which: NDArray[np.intp], start: Array) -> Array:
        law = self._law
        if kind == "left_since":
            return law.left_since(start[which], v, which)
        if kind == "left":
            return law.left(v, which)
        if kind == "kept":
            return law.kept(v, which)
        if kind == "kept_wait":
            return v * law.kept(v, which)
        wait = law.kept_sum(v, which)
        if kind == "wait":
            return wait
        # What they waited who left: of the two forms the one that does not cancel.
        left = law.left(v, which)
        return np.where(
            left < 0.5, v * left - law.left_sum(v, which), wait - v * law.kept(v, which)
        )

    def _pieces(
        self, start: Array, stop: Array, top: Array, shift: Array
    ) -> tuple[NDArray[np.intp], Array, Array]:
        """Cut so that on each piece 20 points are enough; leave out what is nothing."""
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
        if self._room is not None:
            filling = np.clip(self._filling(self._room), low[:, None], high[:, None])
            points = np.concatenate([points, filling], axis=1)
        cut_which, cut_at = self._law.cuts(low, high)
        which = np.concatenate([np.repeat(self._every, points.shape[1]), cut_which])
        at = np.concatenate([points.reshape(-1), cut_at])
        order = np.lexsort((at, which))
        which, at = which[order], at[order]
        level = self.exponent(at, which) - shift[which]
        same = (which[1:] == which[:-1]) & (at[1:] > at[:-1])
        same &= np.maximum(level[1:], level[:-1]) > -_NEGLIGIBLE
        return which[:-1][same], at[:-1][same], at[1:][same]

    def _filling(self, room: Array) -> Array:
        """Times around which a patient caller would find all waiting places taken."""
        spread = np.array([-8.0, -4.0, -1.5, 1.5, 4.0, 8.0])
        taken = np.maximum(room[:, None] + np.sqrt(room)[:, None] * spread, 0.0)
        endless = taken / self._lam[:, None]
        if self._law.mean is None:
            return endless
        mean = self._law.mean[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(endless < mean, -mean * np.log1p(-endless / mean), np.inf)

    def _width(self, top: Array, shift: Array, side: float) -> Array:
        """A distance at which the logarithm has fallen by 1 to 4."""
        width = 1 / (self._lam + self._c)
        doublings = np.arange(16 if width.size < _FEW else 4)
        open_ = self._every
        while open_.size:
            tried = width[open_, None] * 2.0**doublings
            at = np.maximum(top[open_, None] + side * tried, 0.0)
            level = self.exponent(at.reshape(-1), np.repeat(open_, doublings.size))
            drop = shift[open_, None] - level.reshape(at.shape)
            enough = (drop >= 1) | (at == 0) if side < 0 else drop >= 1
            enough |= np.isnan(drop)
            some = enough.any(axis=1)
            first = np.where(some, enough.argmax(axis=1), doublings.size)
            width[open_] *= 2.0**first
            open_ = open_[~some]
        return width


def _with_room(endless: Array, z: Array, m: Array, cv: Array) -> Array:
    """Logarithm of f where the waiting places matter: those taken are Poisson with mean z."""
    value = endless.copy()
    full = z > m  # more than half the time all are taken: count from the last place
    a, y = m[full] - 1, z[full]
    large = np.maximum(a, 10.0)
    with np.errstate(divide="ignore"):
        few = special.xlogy(a, y) - special.gammaln(a + 1)
        many = a * (1 + np.log(y / large)) - stirling(large) - 0.5 * np.log(2 * np.pi * large)
    value[full] = np.where(a < 10, few, many) + np.log(below(a, y)) - cv[full]
    free = ~full
    value[free] += np.log1p(-small_above(m[free] - 1, np.maximum(z[free], 1e-200)))
    return value
