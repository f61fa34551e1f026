"""Erlang's blocking and waiting formulas, and their inverses."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from ccanalytics.queueing.door import Array, broadcast, plain, real, refuse
from ccanalytics.queueing.ratios import below
from ccanalytics.queueing.search import bracketed_root, least_whole

__all__ = ["erlang_b", "erlang_c", "load_for_blocking", "servers_for_blocking"]

_LEAST_LOAD = 1e-200  # stands for "no load" where a formula divides by it


def blocking(load: Array, servers: Array) -> Array:
    """Erlang B on flat, checked arrays."""
    return 1 / below(servers, np.maximum(load, _LEAST_LOAD))


def waiting(load: Array, servers: Array) -> Array:
    """Erlang C on flat, checked arrays; 1 where the queue has no steady state."""
    x = np.maximum(load, _LEAST_LOAD)
    stable = servers > load
    n = np.where(stable, servers, 1.0)
    rho = np.where(stable, x, 0.5) / n
    result = 1 / (below(n, np.where(stable, x, 0.5)) * (1 - rho) + rho)
    return np.where(stable, result, 1.0)


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
    A. K. Erlang (1917); A. A. Jagerman, "Some properties of the Erlang loss function", Bell
    System Technical Journal 53 (1974).

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
    return plain(blocking(v["load"], v["servers"]), shape)


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
    return plain(waiting(v["load"], v["servers"]), shape)


def servers_for_blocking(load: Any, blocking: Any, *, fractional: bool = False) -> Any:
    r"""Least servers that block no more than a given share (inverse of Erlang B).

    Parameters
    ----------
    load
        Offered load in erlangs, 0 or more; scalar or array.
    blocking
        Greatest share of lost calls, above 0 and at most 1; scalar or array.
    fractional
        The real-valued requirement instead of the whole number above it.

    Returns
    -------
    int, float or array
        Servers; no load needs none.

    Raises
    ------
    InputError
        NaN, infinity, a negative load, a percent for a share, a blocking of 0 (which no number
        of servers reaches), or shapes that do not broadcast.

    References
    ----------
    Standard Erlang B tables.

    Examples
    --------
    >>> servers_for_blocking(9800, 0.01)
    9771
    >>> servers_for_blocking([10.0, 100.0], 0.01)
    array([ 18, 117])
    """
    target = real(
        "blocking",
        blocking,
        above=0,
        most=1,
        remedy=""
        if np.size(blocking) and np.ndim(blocking) == 0 and blocking != 0
        else "no number of servers blocks nothing; allow a small share such as 0.001",
    )
    shape, v = broadcast(load=real("load", load, least=0), blocking=target)
    return plain(*_servers(v["load"], v["blocking"], fractional, shape))


def _servers(
    load: Array, target: Array, fractional: bool, shape: tuple[int, ...]
) -> tuple[Any, tuple[int, ...]]:
    x = np.maximum(load, _LEAST_LOAD)
    aim = np.log(target) + 1e-12

    def score(which: Any, n: Array) -> Array:
        return -np.log(below(n, x[which])) - aim[which]

    result = np.zeros(load.size)
    # B(0) = 1, so that nobody needs a server where there is no load or all may be lost.
    need = np.flatnonzero((load > 0) & (target < 1))
    if need.size:

        def part(which: Any, n: Array) -> Array:
            return score(need[which], n)

        root = np.sqrt(load[need])
        deviate = _blocking_deviate(root, target[need])
        guess = np.maximum(load[need] + deviate * root, 1.0)
        zero = np.zeros(need.size)
        n, at, under = least_whole(part, guess, zero, 0.5 * root)
        if fractional:
            under = np.where(n == 1, -aim[need], under)
            n = bracketed_root(part, n - 1, n, under, at)
        result[need] = n
    return (result if fractional else result.astype(np.int64)), shape


def _blocking_deviate(root: Array, target: Array) -> Array:
    """β with φ(β)/Φ(β) = blocking × √load, the square-root rule for blocking, by Newton steps."""
    aim = np.log(target * root)
    beta = np.where(aim < -0.2, np.sqrt(np.maximum(-2 * aim, 0)), -target * root)
    for _ in range(4):
        mills = np.sqrt(np.pi / 2) * special.erfcx(-beta / np.sqrt(2))  # Φ/φ
        beta = beta + (aim + np.log(mills)) / -(beta + 1 / mills)
    return np.where(np.isfinite(beta), beta, 0.0)


def load_for_blocking(servers: Any, blocking: Any) -> Any:
    r"""Load that a number of servers carries at a given blocking (inverse of Erlang B).

    Parameters
    ----------
    servers
        Lines, agents or ports, above 0, whole or real; scalar or array.
    blocking
        Share of lost calls, above 0 and below 1; scalar or array.

    Returns
    -------
    float or array
        Offered load in erlangs.

    Raises
    ------
    InputError
        NaN, infinity, a percent for a share, or shapes that do not broadcast.

    References
    ----------
    Standard Erlang B tables.

    Examples
    --------
    >>> round(load_for_blocking(10, 0.01), 6)
    4.461177
    """
    shape, v = broadcast(
        servers=real("servers", servers, above=0),
        blocking=real("blocking", blocking, above=0, below=1),
    )
    n, aim = v["servers"], np.log(v["blocking"])

    def score(which: Any, log_load: Array) -> Array:
        return aim[which] + np.log(below(n[which], np.exp(log_load)))

    every = np.arange(n.size)
    # B grows with the load, from 0 to 1, between 1 − n/R and Rⁿ/Γ(n + 1).
    high = np.log(n / (1 - v["blocking"])) + 1e-9
    low = np.minimum((aim + special.gammaln(n + 1)) / n, high) - 1e-9
    root = bracketed_root(score, low, high, score(every, low), score(every, high))
    return plain(np.exp(root), shape)
