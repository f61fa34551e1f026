"""Any law of patience, by its survival function.

It is read once, at the door, into pieces on which the smaller of survival and 1 − survival is a
polynomial to full precision; jumps (a fixed patience, a curve estimated from a log) become edges
of pieces. Patience may be of any scale from 1e-15 to 1e33 seconds.

A survival function knows how few leave early to 1e-16 only, because it gives 1 less that share. A
law that also has a ``cdf`` (every law of SciPy has) is read from it there, to full precision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

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
_OCTAVES: Array = np.exp2(np.arange(-60.0, 121.0))  # seconds between which patience may lie
_FINEST = 2.0**-10  # seconds: queues do not resolve less, unless patience itself is as short
_MOST_PIECES = 50_000
_BLOCK = 1 << 13  # numbers evaluated at once


def is_law(value: Any) -> bool:
    """Whether ``value`` offers a survival function under one of its usual names."""
    return any(hasattr(value, name) for name in ("sf", "ccdf"))


def _function(law: Any, name: str) -> Callable[[Any], Any] | None:
    candidate = getattr(law, name, None)
    for found in (candidate, getattr(candidate, "evaluate", None)):
        if callable(found):
            return cast("Callable[[Any], Any]", found)
    return None


def _survival(law: Any) -> Callable[[Any], Any]:
    for name in ("sf", "ccdf"):
        found = _function(law, name)
        if found is not None:
            return found
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
        self._cdf = _function(law, "cdf")
        self._name = repr(law)
        self._refuse_negative(law)
        self._read(_knots(law))

    # Reading the law ------------------------------------------------------------------------

    def _values(self, v: Array) -> tuple[Array, Array]:
        """1 − survival and survival, both as precisely as the law gives them."""
        flat = v.reshape(-1)
        kept = self._shares(self._survive, "survival function", flat)
        left = 1 - kept
        if self._cdf is not None:
            direct = self._shares(self._cdf, "distribution function", flat)
            left = np.where(direct < 0.5, direct, left)
        return left.reshape(v.shape), kept.reshape(v.shape)

    def _refuse_negative(self, law: Any) -> None:
        """A law of SciPy tells where its times lie; a curve from a log need not know about < 0."""
        support = getattr(law, "support", None)
        if not callable(support) or self._cdf is None or np.shape(found := support()) != (2,):
            return
        before = float(np.nextafter(0.0, -1.0))
        if found[0] < 0 and float(np.asarray(self._cdf(np.array([before])))[0]) > 1e-9:
            raise InputError(
                "this law gives times that are negative",
                f"patience={self._name}",
                "use a law on 0 and above, such as a lognormal or a gamma",
            )

    def _shares(self, function: Callable[[Any], Any], name: str, v: Array) -> Array:
        try:
            with np.errstate(all="ignore"):  # what is not a share is refused below
                given = np.asarray(function(v))
        except (TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
            raise InputError(
                "patience cannot be evaluated at an array of seconds",
                f"patience={self._name}: {error}",
                "give a law whose .sf(x) takes an array and returns shares",
            ) from error
        if given.dtype.kind not in "fiub" or given.shape != v.shape:
            got = f"{given.dtype} of shape {given.shape} for {v.size} seconds"
            raise InputError(
                f"the {name} of patience must give a real share for each element of an array",
                f"patience={self._name} gives {got}",
                "give a law whose .sf(x) takes an array and returns an array of shares",
            )
        shares = given.astype(float)
        bad = ~(np.isfinite(shares) & (shares >= -1e-9) & (shares <= 1 + 1e-9))
        if bad.any():
            at = int(np.argmax(bad))
            raise InputError(
                f"a {name} gives shares from 0 to 1",
                f"patience={self._name} gives {shares[at]:g} at {v[at]:g} s",
                "give patience in seconds as a law with a proper survival function",
            )
        return np.clip(shares, 0.0, 1.0)

    def _read(self, knots: Array) -> None:
        shares, _ = self._values(_OCTAVES)
        self._check_falling(shares)
        final = float(shares[-1])
        last = _OCTAVES[np.argmax(shares >= final)]
        # About the median patience of those who do not leave at once, beside which the least
        # pieces are nothing.
        at_once = float(self._values(np.array([1e-300]))[0][0])
        scale = float(_OCTAVES[np.argmax(shares >= (at_once + final) / 2)])
        if scale == _OCTAVES[0] and final > at_once:
            raise InputError(
                "patience is too short to be seconds",
                f"patience={self._name}: half have left after {scale:.0e} s",
                "give patience in seconds",
            )
        first = min(_FINEST, scale / 2**20)
        inner = np.array([octave for octave in _OCTAVES if first <= octave <= last])
        start = np.unique(np.concatenate([[0.0, last], inner, knots[(knots > 0) & (knots < last)]]))
        low, high, rest = start[:-1], start[1:], np.full(start.size - 1, np.inf)
        done: list[tuple[Array, Array, Array, Array]] = []
        pieces = 0
        while low.size:
            left, kept, size, after = self._fit(low, high)
            narrow = high - low <= 4e-15 * high + 1e-15 * min(scale, 100.0)
            good = self._resolved(size, after, rest) | narrow
            done.append((low[good], high[good], left[good], kept[good]))
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
        low, high, left, kept = (np.concatenate(parts) for parts in zip(*done, strict=True))
        order = np.argsort(low)
        self._low, self._half = low[order], (high - low)[order] / 2
        self._high = high[order]
        self._end, self._final = float(self._high[-1]), final
        self._left, self._kept = left[order].T.copy(), kept[order].T.copy()
        self._left_sum, self._left_area = self._integrate(self._left)
        self._kept_sum, self._kept_area = self._integrate(self._kept)
        self.never = max(1.0 - final, 0.0)
        self._share_at_end = np.maximum.accumulate(self._left.sum(axis=0))

    def _integrate(self, coef: Array) -> tuple[Array, float]:
        """Antiderivative on each piece, going on from the piece before, and its last value."""
        anti = chebyshev.chebint(coef, lbnd=-1, axis=0) * self._half
        sums = np.cumsum(anti.sum(axis=0))
        anti[0, 1:] += sums[:-1]
        return anti, float(sums[-1])

    def _fit(self, low: Array, high: Array) -> tuple[Array, Array, Array, Array]:
        """Coefficients of 1 − survival and of survival by piece, the largest value of the smaller
        of the two where it counts, and the size of the last coefficients.
        """
        half = (high - low) / 2
        left, kept = self._values((low + half)[:, None] + half[:, None] * _NODES)
        order = np.argsort(low)
        self._check_falling(left[order, ::-1].reshape(-1))
        fit, other = _coefficients(left), _coefficients(kept)
        few = left[:, 0] < 0.5  # the last node: on the whole piece
        one = np.zeros(_DEGREE + 1)
        one[0] = 1.0
        size, rest = left.max(axis=1), np.abs(fit[:, -3:]).max(axis=1)
        rest = np.where(few, rest, np.abs(other[:, -3:]).max(axis=1))
        few = few[:, None]
        return np.where(few, fit, one - other), np.where(few, one - fit, other), size, rest

    def _check_falling(self, left: Array) -> None:
        if (np.diff(left) < -1e-9).any():
            raise InputError(
                "a survival function never rises",
                f"patience={self._name}",
                "give a law of patience, or a curve that only falls",
            )

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
        fa, fb = self._values(a)[0], self._values(b)[0]
        earlier = fb - fa
        for step in range(60):
            m = (a + b) / 2
            fm = self._values(m)[0]
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
        # One piece per row of two dimensions: the cuts see to that.
        at = v[:, v.shape[1] // 2] if v.ndim == 2 else v
        piece = np.clip(np.searchsorted(self._low, at, side="right") - 1, 0, self._low.size - 1)
        if v.ndim == 2:
            u = (v - self._low[piece, None]) / self._half[piece, None] - 1
            c = coef[:, piece, None]
        else:
            u = (v - self._low[piece]) / self._half[piece] - 1
            c = coef[:, piece]
        value = _clenshaw(np.clip(u, -1, 1), c)
        return np.where(v >= self._end, beyond, value)

    def left(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is at most ``v``."""
        del which
        return np.clip(self._evaluate(self._left, v, np.full_like(v, self._final)), 0.0, 1.0)

    def kept(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is above ``v``."""
        del which
        return np.clip(self._evaluate(self._kept, v, np.full_like(v, self.never)), 0.0, 1.0)

    def left_since(self, start: Array, v: Array, which: NDArray[np.intp]) -> Array:
        """Share whose patience is above ``start`` and at most ``v``."""
        early = np.broadcast_to(start, v.shape)[:, 0]
        left, before = self.left(v, which), self.left(early, which)[:, None]
        kept, until = self.kept(v, which), self.kept(early, which)[:, None]
        return np.maximum(np.where(left < 0.5, left - before, until - kept), 0.0)

    def left_sum(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Integral of :meth:`left` from 0 to ``v``."""
        del which
        beyond = self._left_area + self._final * (v - self._end)
        return self._evaluate(self._left_sum, v, beyond)

    def kept_sum(self, v: Array, which: NDArray[np.intp]) -> Array:
        """Integral of :meth:`kept` from 0 to ``v``."""
        del which
        beyond = self._kept_area + self.never * (v - self._end)
        return self._evaluate(self._kept_sum, v, beyond)

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
        mean = np.inf if self.never > 0 else self._kept_area
        return np.full(which.size, mean)


def _clenshaw(u: Array, coef: Array) -> Array:
    """Chebyshev series at ``u``; ``coef`` has a row per degree, a column per row of ``u``.

    The same sums as ``chebval``, in place and on blocks that stay in the processor's cache: most
    of the time of M/M/n+G is spent here.
    """
    value = np.empty_like(u)
    rows = max(1, _BLOCK // max(1, u.size // max(1, u.shape[0])))
    for begin in range(0, u.shape[0], rows):
        x, c = u[begin : begin + rows], coef[:, begin : begin + rows]
        high, low, spare = np.empty_like(x), np.empty_like(x), np.empty_like(x)
        high[...], low[...] = c[-1], c[-2]
        twice = 2 * x
        for each in c[-3::-1]:
            np.subtract(each, high, out=spare)
            high *= twice
            high += low
            low, spare = spare, low
        high *= x
        np.add(low, high, out=value[begin : begin + rows])
    return value


def _coefficients(values: Array) -> Array:
    """Chebyshev coefficients by row; exactly one where the row is flat."""
    fit: Array = np.einsum("ij,jk->ik", values, _FIT)
    flat = values.max(axis=1) == values.min(axis=1)
    fit[flat, 1:] = 0.0
    fit[flat, 0] = values[flat, 0]
    return fit


def _knots(law: Any) -> Array:
    """Corners that a law names itself: ``knots``, or the steps of an empirical curve."""
    for holder, name in ((law, "knots"), (getattr(law, "sf", None), "quantiles")):
        value = getattr(holder, name, None)
        if value is not None and not callable(value):
            knots = np.asarray(value, dtype=float).reshape(-1)
            return np.unique(knots[np.isfinite(knots)])
    return np.empty(0)
