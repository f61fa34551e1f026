"""Erlang's formulas for calls that are lost and calls that wait."""

from __future__ import annotations

from typing import Any

import numpy as np

from ccanalytics.queueing.door import Array, broadcast, plain, real
from ccanalytics.queueing.ratios import LEAST, below, lost, served_share
from ccanalytics.queueing.search import bracketed_root

__all__ = ["erlang_b", "erlang_c", "extended_erlang_b", "lost_with_redials"]


def erlang_b(load: Any, servers: Any) -> Any:
    r"""Probability that a call finds every server busy and is lost (Erlang B).

    B(R, n) = (Rⁿ/n!) / Σₖ₌₀ⁿ Rᵏ/k!; for real n by its continuation
    1/B = R ∫₀^∞ e⁻ᴿˣ (1 + x)ⁿ dx.

    Parameters
    ----------
    load
        Offered load in erlangs, 0 or more; scalar or array.
    servers
        Lines, agents or ports, 0 or more, whole or real; scalar or array.

    Returns
    -------
    float or array
        A share from 0 to 1, of the broadcast shape. Relative error below 1e-12, down to 1e-300.

    Raises
    ------
    InputError
        NaN, infinity, a negative value, or shapes that do not broadcast.

    References
    ----------
    A. K. Erlang (1917); D. L. Jagerman, Bell System Technical Journal 53 (1974).

    Examples
    --------
    >>> round(erlang_b(10, 10), 6)
    0.214582
    >>> erlang_b([3.0, 25.0], [5, 30]).round(6)
    array([0.110054, 0.052603])
    """
    shape, v = broadcast(
        load=real("load", load, least=0), servers=real("servers", servers, least=0)
    )
    return plain(lost(v["load"], v["servers"]), shape)


def extended_erlang_b(load: Any, servers: Any, redial: Any) -> Any:
    r"""Probability that an attempt is lost when some of the lost try again (extended Erlang B).

    B at the load T that solves T = R + redial·T·B(T, n): first attempts and repeated ones,
    taken as one Poisson stream. T itself is ``Queue(…, lines=n, redial_blocked=redial)
    .performance(n).load``.

    Parameters
    ----------
    load
        Load of first attempts in erlangs, 0 or more; scalar or array.
    servers
        Lines, agents or ports, 0 or more, whole or real; scalar or array.
    redial
        Share of the blocked that try again, 0–1; scalar or array.

    Returns
    -------
    float or array
        A share from 0 to 1 of all attempts. 1 where everybody tries again and the servers cannot
        carry the first attempts.

    Raises
    ------
    InputError
        NaN, infinity, a value out of its range, or shapes that do not broadcast.

    References
    ----------
    V. B. Iversen, *Teletraffic Engineering Handbook*; K. L. Hoffman and C. M. Harris, European
    Journal of Operational Research 27 (1986).

    Examples
    --------
    >>> round(extended_erlang_b(10, 15, 0.5), 7)
    0.0406856
    """
    shape, v = broadcast(
        load=real("load", load, least=0),
        servers=real("servers", servers, least=0),
        redial=real("redial", redial, least=0, most=1),
    )
    return plain(lost_with_redials(v["load"], v["servers"], v["redial"]), shape)


def erlang_c(load: Any, servers: Any) -> Any:
    r"""Probability that a patient caller has to wait (Erlang C, M/M/n).

    C = nB / (n − R(1 − B)) with Erlang's B. With no more servers than erlangs there is no steady
    state: sooner or later everybody waits, and the answer is 1.

    Parameters
    ----------
    load
        Offered load in erlangs, 0 or more; scalar or array.
    servers
        Agents, 0 or more, whole or real; scalar or array.

    Returns
    -------
    float or array
        A share from 0 to 1, of the broadcast shape. Relative error below 1e-12, down to 1e-300.

    Raises
    ------
    InputError
        NaN, infinity, a negative value, or shapes that do not broadcast.

    References
    ----------
    A. K. Erlang (1917); R. B. Cooper, *Introduction to Queueing Theory* (1981).

    Examples
    --------
    >>> round(erlang_c(10, 14), 6)
    0.174132
    >>> erlang_c(10, [10, 11, 12]).round(5)
    array([1.     , 0.68212, 0.44939])
    """
    shape, v = broadcast(
        load=real("load", load, least=0), servers=real("servers", servers, least=0)
    )
    stable = v["servers"] > v["load"]
    n = np.where(stable, v["servers"], 1.0)
    x = np.where(stable, np.maximum(v["load"], LEAST), 0.5)
    waiting = 1 / (below(n, x) * ((n - x) / n) + x / n)
    return plain(np.where(stable, waiting, 1.0), shape)


def lost_with_redials(load: Array, servers: Array, redial: Array) -> Array:
    """Extended Erlang B on flat, checked arrays."""
    x = np.maximum(load, LEAST)

    def missing(which: Any, log_factor: Array) -> Array:
        factor = np.exp(log_factor)
        tried, n, r = x[which] * factor, servers[which], redial[which]
        served = served_share(n, tried)
        return 1 - factor * ((1 - r) + r * served)

    # If all were lost, attempts would be 1/(1 − redial) times the load. Where everybody tries
    # again they may be more, without end where the servers cannot carry the load.
    with np.errstate(divide="ignore"):
        top = np.minimum(-np.log1p(-redial), 60.0)
    every = np.arange(load.size)
    at_top = missing(every, top)
    solved = np.flatnonzero(at_top <= 0)
    zero = np.zeros(solved.size)
    result = np.ones(load.size)
    if solved.size:

        def part(which: Any, log_factor: Array) -> Array:
            return missing(solved[which], log_factor)

        start = missing(solved, zero)
        root = bracketed_root(part, zero, top[solved], start, at_top[solved])
        result[solved] = lost(x[solved] * np.exp(root), servers[solved])
    return np.where((redial == 1) & (load >= servers) & (load > 0), 1.0, result)
