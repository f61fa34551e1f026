"""How long callers wait before they hang up: exponential by element, or any law by its survival.

A law is read once, at the door, into pieces on which 1 − survival is a polynomial to full
precision; jumps (a fixed patience, a curve estimated from a log) become edges of pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.polynomial import chebyshev

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ccanalytics.queueing.door import Array

__all__ = ["Curve", "Endless", "Exponential", "Law", "bend", "is_law"]


class Law(Protocol):
    """Patience as the integrals need it; ``which`` says to which element a time belongs."""

    def left(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is at most ``v`` (constant within a jump's piece)."""

    def kept(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is above ``v``."""

    def left_sum(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Integral of :meth:`left` from 0 to ``v``."""

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

    def left_sum(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Integral of :meth:`left` from 0 to ``v``."""
        mean = self._mean[which]
        return bend(v / mean) * mean

    def time_of(self, share: Array) -> Array:
        """About the time by which ``share`` have left."""
        return -np.log1p(-share) * self._mean

    def cuts(self, low: Array, high: Array) -> tuple[NDArray[np.intp], Array]:
        """Times at which an integral from ``low`` to ``high`` must be cut, with their elements."""
        steps = self._mean[:, None] * np.array([0.7, 2.0, 5.0, 12.0, 30.0])
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

    def kept(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is above ``v``."""
        del which
        return np.ones_like(v)

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


_DEGREE = 15
_NODES = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
_FIT = np.linalg.inv(chebyshev.chebvander(_NODES, _DEGREE)).T
_LONGEST = 2.0**34  # seconds, some 500 years
_MOST_PIECES = 50_000


def is_law(value: Any) -> bool:
    """Whether ``value`` offers a survival function under one of its usual names."""
    return any(hasattr(value, name) for name in ("sf", "ccdf"))


def _survival(law: Any) -> Callable[[Any], Any]:
    for candidate in (getattr(law, "sf", None), getattr(law, "ccdf", None)):
        if callable(candidate):
            return candidate
        evaluate = getattr(candidate, "evaluate", None)
        if callable(evaluate):
            return evaluate
    raise InputError(
        "patience has no survival function that can be called",
        f"patience={law!r}",
        "give mean seconds, or a law with .sf(x), .ccdf(x) or .sf.evaluate(x)",
    )


class Curve:
    """Any patience law, read into polynomial pieces of 1 − survival."""

    mean: Array | None = None  # not exponential

    def __init__(self, law: Any) -> None:
        self._survive = _survival(law)
        cdf = getattr(law, "cdf", None)
        self._cdf = cdf if callable(cdf) else None
        self._name = repr(law)
        self._read(_knots(law))

    # Reading the law ------------------------------------------------------------------------

    def _values(self, v: Array) -> Array:
        """1 − survival, as precisely as the law gives it."""
        flat = v.reshape(-1)
        try:
            kept = np.asarray(self._survive(flat), dtype=float)
            if kept.shape != flat.shape:
                kept = np.array([float(self._survive(x)) for x in flat])
            left = 1 - kept
            if self._cdf is not None:
                direct = np.asarray(self._cdf(flat), dtype=float)
                left = np.where(direct < 0.5, direct, left)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise InputError(
                "patience cannot be evaluated at an array of seconds",
                f"patience={self._name}: {error}",
                "give a law whose .sf(x) takes an array and returns shares",
            ) from error
        bad = ~(np.isfinite(kept) & (kept >= -1e-9) & (kept <= 1 + 1e-9))
        if bad.any():
            at = int(np.argmax(bad))
            raise InputError(
                "a survival function gives shares from 0 to 1",
                f"patience.sf({flat[at]:g})={kept[at]:g}",
                "give patience in seconds as a law with a proper survival function",
            )
        return np.clip(left, 0.0, 1.0).reshape(v.shape)

    def _read(self, knots: Array) -> None:
        last = 1.0
        final = float(self._values(np.array([_LONGEST]))[0])
        while last < _LONGEST and float(self._values(np.array([last]))[0]) < final * (1 - 1e-16):
            last *= 2
        start = np.unique(np.concatenate([[0.0, last], knots[(knots > 0) & (knots < last)]]))
        done_low: list[Array] = []
        done_high: list[Array] = []
        done_fit: list[Array] = []
        low, high = start[:-1], start[1:]
        pieces = 0
        while low.size:
            fit, good = self._fit(low, high)
            narrow = (high - low) <= 4e-15 * high + 1e-13
            good |= narrow
            done_low.append(low[good])
            done_high.append(high[good])
            done_fit.append(fit[good])
            pieces += int(good.sum())
            low, high = low[~good], high[~good]
            if pieces + low.size > _MOST_PIECES:
                raise InputError(
                    "the survival function of patience is too rough to read",
                    f"patience={self._name}",
                    "smooth it, or name its corners in an attribute knots",
                )
            cut = self._cut(low, high)
            low, high = np.concatenate([low, cut]), np.concatenate([cut, high])
        order = np.argsort(np.concatenate(done_low))
        self._low = np.concatenate(done_low)[order]
        self._high = np.concatenate(done_high)[order]
        self._half = (self._high - self._low) / 2
        self._coef = np.concatenate(done_fit)[order].T.copy()
        # Antiderivative on each piece, 0 at its left end.
        anti = chebyshev.chebint(self._coef, lbnd=-1, axis=0) * self._half
        whole = anti.sum(axis=0)  # its value at the right end
        anti[0] += np.concatenate([[0.0], np.cumsum(whole)[:-1]])
        self._anti = anti
        self._end = float(self._high[-1])
        self._end_sum = float(np.sum(whole))
        self._final = final
        self.never = 1.0 - final if final < 1 else 0.0
        ends = np.array([self._coef.sum(axis=0)])[0]
        self._share_at_end = np.maximum.accumulate(ends)
        starts = (self._coef * ((-1.0) ** np.arange(_DEGREE + 1))[:, None]).sum(axis=0)
        if (starts[1:] < ends[:-1] - 1e-9).any() or (ends < starts - 1e-9).any():
            raise InputError(
                "a survival function never rises",
                f"patience={self._name}",
                "give a law of patience, or a curve that only falls",
            )

    def _fit(self, low: Array, high: Array) -> tuple[Array, NDArray[np.bool_]]:
        half = (high - low) / 2
        values = self._values((low + half)[:, None] + half[:, None] * _NODES)
        fit = values @ _FIT
        size = values.max(axis=1)
        floor = 4e-16 if self._cdf is None else 1e-40
        rest = np.abs(fit[:, -3:]).max(axis=1)
        flat = values.max(axis=1) == values.min(axis=1)
        fit[flat, 1:] = 0.0
        fit[flat, 0] = values[flat, 0]
        # A share computed as an exponential is known to as many digits as its logarithm leaves.
        digits = 2e-15 * (1 - 2 * np.log(np.maximum(size, 1e-300)))
        return fit, flat | (rest <= np.maximum(digits * size, floor))

    def _cut(self, low: Array, high: Array) -> Array:
        """Where to cut: at the jump if there is one, else in the middle."""
        middle = (low + high) / 2
        a, b = low.copy(), high.copy()
        fa, fb = self._values(a), self._values(b)
        whole = fb - fa
        for _ in range(60):
            m = (a + b) / 2
            fm = self._values(m)
            right = fb - fm > fm - fa
            a, fa = np.where(right, m, a), np.where(right, fm, fa)
            b, fb = np.where(right, b, m), np.where(right, fb, fm)
        jump = (fb - fa > 1e-9 * whole) & (fb - fa > 1e-12 * fb) & (b - a < 1e-12 * (1 + b))
        inside = (b > low) & (b < high)
        return np.where(jump & inside, b, middle)

    # Evaluating it --------------------------------------------------------------------------

    def _evaluate(self, coef: Array, v: Array, beyond: Array) -> Array:
        piece = np.clip(np.searchsorted(self._low, v, side="right") - 1, 0, self._low.size - 1)
        if v.ndim == 2:  # one piece per row: the cuts see to that
            piece = piece[:, v.shape[1] // 2]
            u = (v - self._low[piece, None]) / self._half[piece, None] - 1
            c = coef[:, piece, None]
        else:
            u = (v - self._low[piece]) / self._half[piece] - 1
            c = coef[:, piece]
        value = chebyshev.chebval(np.clip(u, -1, 1), c, tensor=False)
        return np.where(v >= self._end, beyond, value)

    def left(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is at most ``v``."""
        del which
        return np.clip(self._evaluate(self._coef, v, np.full_like(v, self._final)), 0.0, 1.0)

    def kept(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is above ``v``."""
        return 1 - self.left(v, which)

    def left_sum(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Integral of :meth:`left` from 0 to ``v``."""
        del which
        return self._evaluate(self._anti, v, self._end_sum + self._final * (v - self._end))

    def time_of(self, share: Array) -> Array:
        """About the time by which ``share`` have left."""
        piece = np.searchsorted(self._share_at_end, share, side="left")
        inside = np.minimum(piece, self._low.size - 1)
        a, b = self._low[inside].copy(), self._high[inside].copy()
        none = np.zeros(share.size, dtype=np.intp)
        for _ in range(30):
            m = (a + b) / 2
            less = self.left(m, none) < share
            a, b = np.where(less, m, a), np.where(less, b, m)
        found = np.where(piece < self._low.size, b, np.inf)
        return np.where(share <= 0, 0.0, found)

    def cuts(self, low: Array, high: Array) -> tuple[NDArray[np.intp], Array]:
        """Times at which an integral from ``low`` to ``high`` must be cut, with their elements."""
        edges = self._high
        first = np.searchsorted(edges, low, side="right")
        count = np.maximum(np.searchsorted(edges, high, side="left") - first, 0)
        which = np.repeat(np.arange(low.size), count)
        offset = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
        return which, edges[first[which] + offset]

    def mean_of(self, which: NDArray[np.intp]) -> Array:
        """Mean patience of the elements ``which``."""
        mean = np.inf if self.never > 0 else self._end - self._end_sum
        return np.full(which.size, mean)


def _knots(law: Any) -> Array:
    """Corners that a law names itself: ``knots``, or the steps of an empirical curve."""
    for holder, name in ((law, "knots"), (getattr(law, "sf", None), "quantiles")):
        value = getattr(holder, name, None)
        if value is not None and not callable(value):
            knots = np.asarray(value, dtype=float).reshape(-1)
            return np.unique(knots[np.isfinite(knots)])
    return np.empty(0)
