"""Searches that bracket, prove and stop: the least whole number, and the root between two."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ccanalytics.queueing.door import Array

__all__ = ["Score", "bracketed_root", "greatest_real", "least_whole", "longest"]

Score = Callable[[NDArray[np.intp], Array], Array]
"""Score(which, n): how far the elements ``which`` are from their goal at ``n``; ≤ 0 meets it."""

_LIMIT = 2.0**52
_FAR = 8.0  # a score beyond this says no more than "far away"


def least_whole(
    score: Score, guess: Array, failing: Array, scale: Array, most: Array | None = None
) -> tuple[Array, Array, Array]:
    """Least whole number above ``failing`` whose score is ≤ 0, one per element.

    Every answer is proved: it meets the goal, and the number below it was tried and does not
    (or is ``failing``, which is known not to). The score must fall as the number grows.

    Parameters
    ----------
    score
        See :data:`Score`. It need not be finite.
    guess
        Where to look first.
    failing
        Whole numbers known to fail, one per element.
    scale
        A first guess at how far the number must move to change the score by 1.
    most
        The largest numbers allowed, if there are any.

    Returns
    -------
    number, score at it, score below it
        ``inf`` where no number allowed (or up to 2⁵²) meets the goal.
    """
    size = guess.size
    low, high = failing.astype(float), np.full(size, np.inf)
    low_score, high_score = np.full(size, np.inf), np.full(size, -np.inf)
    limit = np.full(size, _LIMIT) if most is None else most
    step = np.maximum(scale, 1.0)  # how far to walk for a score of 1
    candidate = np.clip(np.ceil(guess), low + 1, limit)
    active = np.flatnonzero(low < limit)
    rounds = 0
    while active.size:
        rounds += 1
        n = candidate[active]
        value = score(active, n)
        met = value <= 0
        yes, no = active[met], active[~met]
        with np.errstate(invalid="ignore"):  # the first time there is nothing to compare with
            step[yes] = _pace(step[yes], n[met] - high[yes], value[met] - high_score[yes])
            step[no] = _pace(step[no], n[~met] - low[no], value[~met] - low_score[no])
        high[yes], high_score[yes] = n[met], value[met]
        low[no], low_score[no] = n[~met], value[~met]
        i = active[(high[active] - low[active] > 1) & (low[active] < limit[active])]
        after = _next(low[i], high[i], low_score[i], high_score[i], step[i], rounds)
        candidate[i] = np.clip(after, low[i] + 1, np.minimum(high[i] - 1, limit[i]))
        active = i
    return high, high_score, low_score


def _pace(step: Array, moved: Array, gained: Array) -> Array:
    """The pace that the last two scores on one side show, with a margin; else twice the last."""
    with np.errstate(invalid="ignore", divide="ignore"):
        shown = -1.3 * moved / gained
    return np.where(np.isfinite(shown) & (shown > 0), np.clip(shown, 2 * step, 64 * step), 2 * step)


def _next(
    low: Array, high: Array, low_score: Array, high_score: Array, step: Array, rounds: int
) -> Array:
    """The next number to try; the caller keeps it inside the bracket."""
    finite_low, finite_high = np.isfinite(low_score), np.isfinite(high_score)
    with np.errstate(invalid="ignore", over="ignore"):
        # With one side only, walk a little further than the score asks for, to close the bracket.
        up = low + np.where(finite_low, np.minimum(low_score, _FAR), 1.0) * step + 1
        down = high - np.where(finite_high, np.minimum(-high_score, _FAR), 1.0) * step - 1
        secant = low + (high - low) * (low_score / (low_score - high_score))
        middle = np.floor((low + high) / 2)
        if rounds == 1:
            # A good guess is off by less than one: close the bracket right beside it.
            up = np.where(up < low + 4, low + 1, np.ceil(up))
            down = np.where(down > high - 4, high - 1, np.floor(down))
        if rounds > 6 and rounds % 2:
            secant = middle  # a crooked score must not slow the search down
    unbounded = np.isinf(high)
    inside = np.where(finite_low & finite_high, np.ceil(secant), middle)
    # Nothing but the first failing number lies below: walk down instead of halving a wide gap.
    one_sided = np.where(unbounded, np.ceil(up), np.maximum(np.floor(down), middle))
    return np.where(unbounded | ~finite_low, one_sided, inside)


def bracketed_root(
    score: Score,
    low: Array,
    high: Array,
    low_score: Array,
    high_score: Array,
    relative: float = 2 * np.finfo(float).eps,
) -> Array:
    """Where the score crosses 0 between ``low`` (above 0) and ``high`` (≤ 0), to a few ulp.

    Chandrupatla's method, every element at its own pace.
    """
    a, b = high.astype(float), low.astype(float)
    fa, fb = high_score.astype(float), low_score.astype(float)
    result = a.copy()
    c, fc = a.copy(), fa.copy()
    t = np.full(a.size, 0.5)
    active = np.flatnonzero((fa != 0) & (a != b))
    for _ in range(200):
        if not active.size:
            break
        i = active
        xt = a[i] + t[i] * (b[i] - a[i])
        ft = score(i, xt)
        ft = np.where(np.isnan(ft), np.inf, ft)
        same = (ft > 0) == (fa[i] > 0)
        c[i], fc[i] = np.where(same, a[i], b[i]), np.where(same, fa[i], fb[i])
        b[i], fb[i] = np.where(same, b[i], a[i]), np.where(same, fb[i], fa[i])
        a[i], fa[i] = xt, ft
        best = np.where(np.abs(fa[i]) < np.abs(fb[i]), a[i], b[i])
        result[i] = best
        width = np.abs(b[i] - a[i])
        tolerance = relative * np.abs(best) + np.finfo(float).tiny
        t[i] = _fraction(
            a[i], b[i], c[i], fa[i], fb[i], fc[i], tolerance / np.maximum(width, tolerance)
        )
        active = i[(width > 2 * tolerance) & (ft != 0)]
    return result


def _fraction(a: Array, b: Array, c: Array, fa: Array, fb: Array, fc: Array, edge: Array) -> Array:
    """Inverse quadratic interpolation where Chandrupatla's test trusts it, else one half."""
    with np.errstate(all="ignore"):
        xi = (a - b) / (c - b)
        phi = (fa - fb) / (fc - fb)
        trusted = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
        t = fa / (fb - fa) * fc / (fb - fc)
        t += (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    t = np.where(trusted & np.isfinite(t), t, 0.5)
    edge = np.minimum(edge, 0.5)
    return np.clip(t, edge, 1 - edge)


def greatest_real(score: Score, start: Array) -> Array:
    """Greatest positive number whose score is ≤ 0; the score must rise as the number grows.

    ``inf`` where it never gets above 0, and 0 where it is above 0 however small the number.
    """
    every = np.arange(start.size)
    meets, fails = np.log(start), np.log(start)

    def at(which: NDArray[np.intp], log: Array) -> Array:
        value = score(which, np.exp(log))
        return np.where(np.isnan(value), np.inf, value)

    first = at(every, meets)
    meets_score, fails_score = first.copy(), first.copy()
    # Upwards to e²⁰ times the start, which is any number; downwards to the smallest floats.
    for side, bound, values, last in (
        (1.0, fails, fails_score, 16),
        (-1.0, meets, meets_score, 512),
    ):
        open_ = every[first <= 0] if side > 0 else every[first > 0]
        step = 0.04
        while open_.size and step < last:
            other, other_score = (meets, meets_score) if side > 0 else (fails, fails_score)
            other[open_], other_score[open_] = bound[open_], values[open_]
            bound[open_] = bound[open_] + side * step
            values[open_] = at(open_, bound[open_])
            open_ = open_[values[open_] <= 0] if side > 0 else open_[values[open_] > 0]
            step *= 2
    never, always = meets_score > 0, fails_score <= 0
    solved = np.flatnonzero(~never & ~always)
    result = np.where(never, 0.0, np.inf)
    if solved.size:
        root = bracketed_root(
            lambda which, log: at(solved[which], log),
            fails[solved],
            meets[solved],
            fails_score[solved],
            meets_score[solved],
        )
        result[solved] = np.exp(root)
    return result


def longest(
    above: Callable[[Array], Array], share: float, scale: Array, some: NDArray[np.intp]
) -> Array:
    """Time that a share of callers is still above, for the elements ``some``; 0 if fewer wait.

    ``above`` takes a time for every element; ``inf`` where the share never falls so far.
    """
    times, aim = np.zeros(scale.size), np.log(share)

    def score(which: NDArray[np.intp], t: Array) -> Array:
        times[:] = 0.0
        times[some[which]] = t
        with np.errstate(divide="ignore"):
            return np.log(above(times.copy())[some[which]]) - aim

    every = np.arange(some.size)
    low, high = np.zeros(some.size), scale[some] * 1e-3
    low_score, high_score = score(every, low), score(every, high)
    for _ in range(80):
        open_ = np.flatnonzero(high_score > 0)
        if not open_.size:
            break
        low[open_], low_score[open_] = high[open_], high_score[open_]
        high[open_] *= 2
        high_score[open_] = score(open_, high[open_])
    result = np.where(high_score > 0, np.inf, 0.0)
    found = np.flatnonzero((high_score <= 0) & (low_score > 0))
    result[found] = bracketed_root(
        lambda which, t: score(found[which], t),
        low[found],
        high[found],
        low_score[found],
        high_score[found],
    )
    return result
