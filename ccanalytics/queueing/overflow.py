"""Overflow between groups of lines: what is turned away comes in bunches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.queueing.door import Array, broadcast, plain, real, refuse
from ccanalytics.queueing.ratios import lost
from ccanalytics.queueing.search import bracketed_root, least_whole

__all__ = [
    "Overflow",
    "equivalent_random",
    "overflow",
    "overflow_blocking",
    "servers_for_overflow",
]

Method = Literal["hayward", "wilkinson"]


@dataclass(frozen=True, eq=False)
class Overflow:
    """A stream of calls told by two moments: of the calls it would keep on endless lines.

    Attributes
    ----------
    mean
        Erlangs.
    variance
        Of the number of calls, erlangs squared. Streams that are independent add both.
    """

    mean: Any
    variance: Any

    @property
    def peakedness(self) -> Any:
        """Variance over mean: 1 for calls that come at random; 1 also where nothing overflows."""
        mean, variance = np.asarray(self.mean, float), np.asarray(self.variance, float)
        some = mean > 0
        return plain(
            np.where(some, variance / np.where(some, mean, 1.0), 1.0).reshape(-1), mean.shape
        )

    def __add__(self, other: Overflow) -> Overflow:
        """Both streams together, taken as independent."""
        if not isinstance(other, Overflow):
            return NotImplemented
        return Overflow(self.mean + other.mean, self.variance + other.variance)


def overflow(load: Any, servers: Any) -> Overflow:
    r"""Mean and variance of the load that a full group of lines turns away.

    M = R·B(R, n),  V = M·(1 − M + R/(n + 1 + M − R)).

    Parameters
    ----------
    load
        Erlangs R offered at random, 0 or more; scalar or array.
    servers
        Lines n, 0 or more, whole or real; scalar or array.

    Returns
    -------
    Overflow
        Of the broadcast shape; its ``peakedness`` is V/M. Streams can be added.

    Raises
    ------
    InputError
        NaN, infinity, a negative value, or shapes that do not broadcast.

    References
    ----------
    R. I. Wilkinson, Theories for toll traffic engineering in the USA, Bell System Technical
    Journal 35 (1956), 421–514.

    Examples
    --------
    >>> turned_away = overflow(10, 10)
    >>> round(turned_away.mean, 5), round(turned_away.variance, 5)
    (2.14582, 4.36245)
    >>> both = turned_away + overflow(6, 8)
    >>> round(both.mean, 5), round(both.variance, 5)
    (2.87708, 5.73485)
    """
    shape, v = broadcast(
        load=real("load", load, least=0), servers=real("servers", servers, least=0)
    )
    mean, variance = _moments(v["load"], v["servers"])
    return Overflow(plain(mean, shape), plain(variance, shape))


def _moments(load: Array, servers: Array) -> tuple[Array, Array]:
    mean = load * lost(load, servers)
    # n + 1 + M − R is above 0 for every R; rounding alone may say otherwise where R is huge.
    room = np.maximum(servers + 1 + mean - load, np.finfo(float).tiny)
    return mean, np.where(load > 0, mean * np.maximum(1 - mean + load / room, 0.0), 0.0)


def equivalent_random(mean: Any, peakedness: Any) -> tuple[Any, Any]:
    """Find the one group whose overflow has a given mean and peakedness (Wilkinson).

    Parameters
    ----------
    mean
        Erlangs M that overflow, above 0; scalar or array.
    peakedness
        Variance over mean Z, 1 or more; scalar or array.

    Returns
    -------
    load, servers
        Erlangs R* offered at random to n* lines, n* real: R*·B(R*, n*) = M, and the variance of
        that overflow is Z·M. Z = 1 is R* = M on no lines.

    Raises
    ------
    InputError
        A mean of 0 or less, a peakedness below 1 (use Hayward's formula), or NaN.

    References
    ----------
    R. I. Wilkinson (1956), see :func:`overflow`.

    Examples
    --------
    >>> load, servers = equivalent_random(2.14582, 2.03300)
    >>> round(load, 3), round(servers, 3)
    (10.0, 10.0)
    """
    shape, v = broadcast(
        mean=real("mean", mean, above=0),
        peakedness=real(
            "peakedness",
            peakedness,
            least=1,
            remedy="smoother streams have no such group: take method='hayward'",
        ),
    )
    load, servers = _equivalent(v["mean"], v["peakedness"])
    return plain(load, shape), plain(servers, shape)


def _equivalent(mean: Array, peakedness: Array) -> tuple[Array, Array]:
    def servers(which: Any, load: Array) -> Array:
        m, z = mean[which], peakedness[which]
        return np.maximum(load * (m + z) / (m + z - 1) - m - 1, 0.0)

    def score(which: Any, load: Array) -> Array:
        return np.asarray(np.log(load * lost(load, servers(which, load)) / mean[which]))

    everywhere = np.arange(mean.size)
    # With no lines more overflows than M; Rapp's rule of thumb, doubled, is beyond the root.
    low = (mean + 1) * (mean + peakedness - 1) / (mean + peakedness)
    high = np.maximum(mean * peakedness + 3 * peakedness * (peakedness - 1), low) * 2
    for _ in range(60):
        short = score(everywhere, high) > 0
        if not short.any():
            break
        high = np.where(short, 2 * high, high)
    low_score = np.maximum(score(everywhere, low), 0.0)
    load = bracketed_root(score, low, high, low_score, score(everywhere, high))
    load = np.where(low_score > 0, load, low)
    return load, servers(everywhere, load)


def overflow_blocking(
    mean: Any, peakedness: Any, servers: Any, *, method: Method = "hayward"
) -> Any:
    r"""Share of a peaked stream that further lines turn away as well.

    Hayward: B(M/Z, n/Z) with Erlang's B for real n. Wilkinson: the overflow of the equivalent
    group with n lines more, R*·B(R*, n* + n)/M; exact where the stream came from one group.

    Parameters
    ----------
    mean
        Erlangs M of the stream, 0 or more; scalar or array.
    peakedness
        Variance over mean Z, above 0 (for Wilkinson: 1 or more); scalar or array.
    servers
        Lines n, 0 or more; scalar or array.
    method
        ``"hayward"`` or ``"wilkinson"``.

    Returns
    -------
    float or array
        A share from 0 to 1 of the calls of the stream.

    Raises
    ------
    InputError
        A number out of its range, or an unknown method.

    References
    ----------
    A. A. Fredericks, Congestion in blocking systems: a simple approximation technique, Bell
    System Technical Journal 59 (1980), 805–827 (Hayward's formula); Wilkinson (1956).

    Examples
    --------
    >>> first = overflow(20, 20)
    >>> round(overflow_blocking(first.mean, first.peakedness, 6), 5)
    0.19019
    >>> round(overflow_blocking(first.mean, first.peakedness, 6, method="wilkinson"), 5)
    0.23409
    """
    wilkinson = _check(method)
    shape, v = broadcast(
        mean=real("mean", mean, least=0),
        peakedness=_peakedness(peakedness, wilkinson),
        servers=real("servers", servers, least=0),
    )
    return plain(_blocking(v["mean"], v["peakedness"], v["servers"], wilkinson), shape)


def servers_for_overflow(
    mean: Any, peakedness: Any, blocking: Any, *, method: Method = "hayward"
) -> Any:
    """Least lines that turn away no more than a share of a peaked stream.

    Parameters
    ----------
    mean, peakedness, method
        As for :func:`overflow_blocking`.
    blocking
        Share of the stream, above 0 and below 1.

    Returns
    -------
    int or array
        Whole lines n; n − 1 turn away more.

    Raises
    ------
    InputError
        A number out of its range, or an unknown method.

    References
    ----------
    See :func:`overflow_blocking`.

    Examples
    --------
    >>> first = overflow(20, 20)
    >>> servers_for_overflow(first.mean, first.peakedness, 0.02)
    12
    """
    wilkinson = _check(method)
    shape, v = broadcast(
        mean=real("mean", mean, least=0),
        peakedness=_peakedness(peakedness, wilkinson),
        blocking=real("blocking", blocking, above=0, below=1),
    )
    size = v["mean"].size

    def score(which: Any, n: Array) -> Array:
        b = _blocking(v["mean"][which], v["peakedness"][which], n, wilkinson)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(b / v["blocking"][which]))

    guess = v["mean"] + 2 * np.sqrt(v["mean"] * v["peakedness"])
    number, _, _ = least_whole(score, guess, np.full(size, -1.0), np.sqrt(guess + 1))
    if np.isinf(number).any():
        refuse(
            "no number of lines that can be counted is enough",
            {"mean": v["mean"], "peakedness": v["peakedness"]},
            np.isinf(number),
            "give a load of the size that it has in life",
        )
    return plain(number.astype(np.int64), shape)


def _check(method: str) -> bool:
    if not isinstance(method, str) or method not in ("hayward", "wilkinson"):
        raise InputError("no such method", f"method={method!r}", "'hayward' or 'wilkinson'")
    return method == "wilkinson"


def _peakedness(value: Any, wilkinson: bool) -> Array:
    if wilkinson:
        return real("peakedness", value, least=1, remedy="take method='hayward' below 1")
    return real("peakedness", value, above=0)


def _blocking(mean: Array, peakedness: Array, servers: Array, wilkinson: bool) -> Array:
    some = mean > 0
    result = np.where(servers > 0, 0.0, 1.0)
    m, z, n = mean[some], peakedness[some], servers[some]
    if wilkinson:
        load, lines = _equivalent(m, z)
        result[some] = np.minimum(load * lost(load, lines + n) / m, 1.0)
    else:
        result[some] = lost(m / z, n / z)
    return result
