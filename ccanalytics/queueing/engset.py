"""Few callers: Engset's loss formula."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy import special

from ccanalytics.errors import InputError
from ccanalytics.queueing.door import Array, broadcast, plain, real
from ccanalytics.queueing.ratios import LEAST, deviance

__all__ = ["congestion", "engset"]


def engset(
    sources: Any, load: Any, servers: Any, *, seen_by: Literal["caller", "clock"] = "caller"
) -> Any:
    r"""Blocking when few callers share the servers (Engset).

    The share of calls that are blocked (call congestion) is
    C(S−1, c)·aᶜ / Σₖ₌₀ᶜ C(S−1, k)·aᵏ; the share of time that all servers are busy (time
    congestion) is the same with S for S − 1.

    Parameters
    ----------
    sources
        Callers S, a whole number of at least 1; scalar or array.
    load
        Erlangs a offered per *idle* source, 0 or more; scalar or array.
    servers
        Lines c, a whole number, 0 or more; scalar or array.
    seen_by
        ``"caller"`` for call congestion, ``"clock"`` for time congestion.

    Returns
    -------
    float or array
        A share from 0 to 1; no call is blocked where servers are as many as sources.

    Raises
    ------
    InputError
        Anything out of its range, or shapes that do not broadcast.

    References
    ----------
    T. O. Engset (1918); V. B. Iversen, *Teletraffic Engineering Handbook*.

    Examples
    --------
    >>> round(engset(10, 0.3, 5), 7), round(engset(10, 0.3, 5, seen_by="clock"), 7)
    (0.0290637, 0.0450153)
    """
    if seen_by not in ("caller", "clock"):
        raise InputError(
            "congestion is seen by callers or by the clock",
            f"seen_by={seen_by!r}",
            "write 'caller' or 'clock'",
        )
    shape, v = broadcast(
        sources=real("sources", sources, least=1, whole=True),
        load=real("load", load, least=0),
        servers=real("servers", servers, least=0, whole=True),
    )
    others = v["sources"] - (1 if seen_by == "caller" else 0)
    return plain(congestion(others, v["load"], v["servers"]), shape)


def congestion(sources: Array, load: Array, servers: Array) -> Array:
    """Weight of state c over that of the states up to c, binomial weights; flat, checked arrays.

    Below the mean the sum runs down from c and soon ends. Above it the states beyond c are few:
    the sum is all states less those, and the larger part never cancels.
    """
    a = np.maximum(load, LEAST)
    possible = servers <= sources
    c = np.where(possible, servers, 0.0)
    mean = sources * (a / (1 + a))
    down = c <= mean
    ratio = np.where(down, c / ((sources - c + 1) * a), (sources - c) * a / (c + 1))
    total, term, k = np.ones_like(a), ratio.copy(), np.zeros_like(a)
    open_ = np.flatnonzero(term > 0)
    while open_.size:
        i = open_
        total[i] += term[i]
        k[i] += 1
        below = (c[i] - k[i]) / ((sources[i] - c[i] + k[i] + 1) * a[i])
        beyond = (sources[i] - c[i] - k[i]) * a[i] / (c[i] + k[i] + 1)
        term[i] *= np.where(down[i], below, beyond)
        open_ = i[term[i] > 1e-18 * total[i]]
    with np.errstate(divide="ignore", over="ignore"):
        whole = 1 / _binomial(sources, a, c)
    states = np.where(down, total, whole - (total - 1))
    return np.where(possible, 1 / states, 0.0)


def _binomial(sources: Array, a: Array, c: Array) -> Array:
    """Binomial probability of c among the sources, each busy with probability a/(1 + a)."""
    rest = sources - c
    p, q = a / (1 + a), 1 / (1 + a)
    # Loader's form: errors of Stirling's formula and two deviances, nothing large cancels.
    exponent = _stirling_error(sources) - _stirling_error(c) - _stirling_error(rest)
    exponent -= deviance(c, sources * p) + deviance(rest, sources * q)
    inner = (c > 0) & (rest > 0)
    spread = np.where(inner, 2 * np.pi * c * rest / np.maximum(sources, 1), 1.0)
    edge = np.where(c > 0, sources * np.log(p), -sources * np.log1p(a))
    return np.where(inner, np.exp(exponent) / np.sqrt(spread), np.exp(edge))


def _stirling_error(n: Array) -> Array:
    small = np.maximum(n, 1.0)
    direct = special.gammaln(small + 1) - (small + 0.5) * np.log(small) + small
    direct -= 0.5 * np.log(2 * np.pi)
    z = 1 / np.maximum(n, 10.0)
    series = z * (1 / 12 - z**2 * (1 / 360 - z**2 * (1 / 1260 - z**2 * (1 / 1680 - z**2 / 1188))))
    return np.where(n > 16, series, direct)
