"""Any law of patience, by its survival function.

It is read once, at the door, into pieces on which 1 − survival is a polynomial to full precision;
jumps (a fixed patience, a curve estimated from a log) become edges of pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.polynomial import chebyshev

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ccanalytics.queueing.door import Array

__all__ = ["Curve", "is_law"]

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
        octaves = 2.0 ** np.arange(-10, np.log2(_LONGEST) + 1)
        shares = self._values(octaves)
        final = float(shares[-1])
        last = octaves[np.argmax(shares >= final)]
        start = np.concatenate(
            [[0.0], octaves[octaves <= last], knots[(knots > 0) & (knots < last)]]
        )
        start = np.unique(start)
        low, high, rest = start[:-1], start[1:], np.full(start.size - 1, np.inf)
        done: list[tuple[Array, Array, Array]] = []
        pieces = 0
        while low.size:
            fit, size, after = self._fit(low, high)
            good = self._resolved(size, after, rest) | (high - low <= 4e-15 * high + 1e-13)
            done.append((low[good], high[good], fit[good]))
            low, high, rest = low[~good], high[~good], after[~good]
            pieces += int(good.sum())
            if pieces + low.size > _MOST_PIECES:
                raise InputError(
                    "the survival function of patience is too rough to read",
                    f"patience={self._name}",
                    "smooth it, or name its corners in an attribute knots",
                )
            cut = (low + high) / 2
            rough = np.flatnonzero(rest > 1e-8 * size[~good])
            cut[rough] = self._jump(low[rough], high[rough])
            low, high = np.concatenate([low, cut]), np.concatenate([cut, high])
            rest = np.concatenate([rest, rest])
        low, high, fit = (np.concatenate(parts) for parts in zip(*done, strict=True))
        order = np.argsort(low)
        self._low, self._half = low[order], (high - low)[order] / 2
        self._high = high[order]
        self._coef = fit[order].T.copy()
        # Antiderivative on each piece, going on from the piece before.
        anti = chebyshev.chebint(self._coef, lbnd=-1, axis=0) * self._half
        sums = np.cumsum(anti.sum(axis=0))
        anti[0, 1:] += sums[:-1]
        self._anti = anti
        self._end, self._end_sum, self._final = float(self._high[-1]), float(sums[-1]), final
        self.never = max(1.0 - final, 0.0)
        self._share_at_end = np.maximum.accumulate(self._coef.sum(axis=0))

    def _fit(self, low: Array, high: Array) -> tuple[Array, Array, Array]:
        """Chebyshev coefficients by piece, the largest value, and the last coefficients' size."""
        half = (high - low) / 2
        values = self._values((low + half)[:, None] + half[:, None] * _NODES)
        order = np.argsort(low)
        if (np.diff(values[order, ::-1].reshape(-1)) < -1e-9).any():
            raise InputError(
                "a survival function never rises",
                f"patience={self._name}",
                "give a law of patience, or a curve that only falls",
            )
        fit = np.einsum("ij,jk->ik", values, _FIT)
        flat = values.max(axis=1) == values.min(axis=1)
        fit[flat, 1:] = 0.0
        fit[flat, 0] = values[flat, 0]
        return fit, values.max(axis=1), np.abs(fit[:, -3:]).max(axis=1)

    def _resolved(self, size: Array, rest: Array, before: Array) -> NDArray[np.bool_]:
        """Whether the pieces are exact: to the digits of the law itself.

        A share computed as an exponential is known to as many digits as its logarithm leaves; and
        where halving a piece does not help any more, what is left is the law's own rounding.
        """
        digits = 2e-15 * (1 - 2 * np.log(np.maximum(size, 1e-300)))
        floor = 4e-16 if self._cdf is None else 1e-40
        noise = (rest > before / 4) & (rest < np.maximum(1e-12 * size, 1e-17))
        return (rest <= np.maximum(digits * size, floor)) | noise

    def _jump(self, low: Array, high: Array) -> Array:
        """Where to cut a rough piece: at its jump if there is one, else in the middle."""
        a, b = low.copy(), high.copy()
        fa, fb = self._values(a), self._values(b)
        earlier = fb - fa
        for step in range(60):
            m = (a + b) / 2
            fm = self._values(m)
            right = fb - fm > fm - fa
            a, fa = np.where(right, m, a), np.where(right, fm, fa)
            b, fb = np.where(right, b, m), np.where(right, fb, fm)
            if step == 40:
                earlier = fb - fa
        # A jump stays as high however near one looks; a steep slope does not.
        jump = (fb - fa > 0.9 * earlier) & (fb - fa > 1e-9 * fb) & (b < high)
        return np.where(jump, b, (low + high) / 2)

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
