"""The loss formulas the other way round: servers for a blocking, load for servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from ccanalytics.errors import InputError, UnsupportedError
from ccanalytics.queueing.door import Array, broadcast, flag, plain, real
from ccanalytics.queueing.engset import congestion
from ccanalytics.queueing.erlang import lost_with_redials
from ccanalytics.queueing.ratios import lost
from ccanalytics.queueing.search import bracketed_root, greatest_real, least_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["load_for_blocking", "servers_for_blocking"]

_MOST_ERLANGS = 1e15  # beyond, floats do not tell one server from the next
_SLACK = 1e-12  # blocking equal to the target in twelve digits meets it


def servers_for_blocking(
    load: Any, blocking: Any, *, fractional: bool = False, redial: Any = 0.0, sources: Any = None
) -> Any:
    r"""Least servers that block no more than a given share (inverse of the loss formulas).

    Parameters
    ----------
    load
        Offered load in erlangs, 0 or more, or with ``sources`` erlangs per idle source; scalar
        or array.
    blocking
        Greatest share of lost calls, above 0 and at most 1; scalar or array.
    fractional
        The real-valued requirement instead of the whole number above it (not with ``sources``).
    redial
        Share of the blocked that try again (extended Erlang B); scalar or array.
    sources
        Number of callers (Engset, call congestion); ``None`` for endlessly many.

    Returns
    -------
    int, float or array
        Servers; no load needs none.

    Raises
    ------
    InputError
        NaN, infinity, a negative load, a percent for a share, a blocking of 0 (which no number
        of servers reaches), or shapes that do not broadcast.
    UnsupportedError
        ``redial`` together with ``sources``, or a fractional number with ``sources``.

    References
    ----------
    Standard Erlang B tables.

    Examples
    --------
    >>> servers_for_blocking(9800, 0.01)
    9771
    >>> servers_for_blocking([10.0, 100.0], 0.01)
    array([ 18, 117])
    >>> servers_for_blocking(10, 0.01, redial=0.5), servers_for_blocking(0.3, 0.05, sources=10)
    (18, 5)
    """
    arrays = {
        "load": real("load", load, least=0, most=_MOST_ERLANGS),
        "blocking": _share("blocking", blocking),
    }
    fractional = flag("fractional", fractional)
    model, shape, v = _model(arrays, redial, sources, fractional)
    x, target = v["load"], v["blocking"]
    result = np.zeros(x.size)
    # Without servers every call is lost, so that none are needed where there are no calls, or
    # all may be lost. A single source, alone, is never blocked by one server.
    need = np.flatnonzero((x > 0) & (target < 1))
    if need.size:
        aim = np.log(target[need]) + _SLACK

        def score(which: NDArray[np.intp], n: Array) -> Array:
            with np.errstate(divide="ignore"):
                return np.log(model(need[which], x[need[which]], n)) - aim[which]

        scale = x[need] if sources is None else v["sources"][need] * x[need] / (1 + x[need])
        root = np.sqrt(scale)
        guess = np.maximum(scale + _deviate(root, target[need]) * root, 1.0)
        most = None if sources is None else v["sources"][need]
        n, at, under = least_whole(score, guess, np.zeros(need.size), 0.5 * root, most=most)
        if fractional:
            under = np.where(n == 1, -aim, under)  # B = 1 without servers
            n = bracketed_root(score, n - 1, n, under, at)
        result[need] = n
    return plain(result if fractional else result.astype(np.int64), shape)


def load_for_blocking(
    servers: Any, blocking: Any, *, redial: Any = 0.0, sources: Any = None
) -> Any:
    r"""Load that a number of servers carries at a given blocking (inverse of the loss formulas).

    Parameters
    ----------
    servers
        Lines, agents or ports, above 0, whole or real (whole with ``sources``); scalar or array.
    blocking
        Share of lost calls, above 0 and below 1; scalar or array.
    redial
        Share of the blocked that try again (extended Erlang B); scalar or array.
    sources
        Number of callers (Engset, call congestion); ``None`` for endlessly many.

    Returns
    -------
    float or array
        Offered load of first attempts in erlangs, or with ``sources`` erlangs per idle source;
        ``inf`` where servers are as many as sources, which blocks nobody.

    Raises
    ------
    InputError
        NaN, infinity, a percent for a share, or shapes that do not broadcast.
    UnsupportedError
        ``redial`` together with ``sources``.

    References
    ----------
    Standard Erlang B tables.

    Examples
    --------
    >>> round(load_for_blocking(10, 0.01), 6)
    4.461177
    """
    arrays = {
        "servers": real("servers", servers, above=0, whole=sources is not None),
        "blocking": _share("blocking", blocking, below=1),
    }
    _, shape, v = _model(arrays, redial, sources, fractional=False)
    n, b = v["servers"], v["blocking"]
    aim = np.log(b)
    if sources is not None:

        def few(which: NDArray[np.intp], a: Array) -> Array:
            share = congestion(v["sources"][which] - 1, a, n[which])
            with np.errstate(divide="ignore"):
                return np.log(share) - aim[which]

        return plain(greatest_real(few, n / v["sources"]), shape)

    def score(which: NDArray[np.intp], log_load: Array) -> Array:
        with np.errstate(divide="ignore"):
            return aim[which] - np.log(lost(np.exp(log_load), n[which]))

    every = np.arange(n.size)
    # B grows with the load from 0 to 1, between 1 − n/R and Rⁿ/Γ(n + 1).
    high = np.log(n / (1 - b)) + 1e-9
    low = np.minimum((aim + special.gammaln(n + 1)) / n, high) - 1e-9
    attempts = np.exp(bracketed_root(score, low, high, score(every, low), score(every, high)))
    # Of all attempts, redial × blocking are repeats.
    return plain(attempts * (1 - v["redial"] * b), shape)


def _share(name: str, value: Any, below: float | None = None) -> Array:
    array = real(name, value, least=0, most=1)
    real(
        name,
        array,
        above=0,
        below=below,
        most=None if below else 1,
        remedy="a blocking of 0 takes endless servers, and 1 none; allow a small share"
        " such as 0.001",
    )
    return array


Model = Callable[["NDArray[np.intp]", Array, Array], Array]


def _model(
    arrays: dict[str, Array], redial: Any, sources: Any, fractional: bool
) -> tuple[Model, tuple[int, ...], dict[str, Array]]:
    """The loss formula that the arguments choose, on elements of the broadcast arrays."""
    arrays = {**arrays, "redial": real("redial", redial, least=0, most=1)}
    if sources is not None:
        if arrays["redial"].any():
            raise UnsupportedError(
                "few callers who also try again have no formula",
                f"redial={redial!r} with sources={sources!r}",
                "leave out one of them, or simulate",
            )
        if fractional:
            raise InputError(
                "Engset's formula is for whole servers",
                "fractional=True with sources",
                "ask for whole servers",
            )
        arrays["sources"] = real("sources", sources, least=1, whole=True)
    shape, v = broadcast(**arrays)

    def model(which: NDArray[np.intp], load: Array, servers: Array) -> Array:
        if sources is not None:
            return congestion(v["sources"][which] - 1, load, servers)
        if arrays["redial"].any():
            return lost_with_redials(load, servers, v["redial"][which])
        return lost(load, servers)

    return model, shape, v


def _deviate(root: Array, target: Array) -> Array:
    """β with φ(β)/Φ(β) = blocking × √load, the square-root rule for blocking, by Newton steps."""
    aim = np.log(target * root)
    beta = np.where(aim < -0.2, np.sqrt(np.maximum(-2 * aim, 0)), -target * root)
    for _ in range(4):
        mills = np.sqrt(np.pi / 2) * special.erfcx(-beta / np.sqrt(2))  # Φ/φ
        beta = beta - (aim + np.log(mills)) / (beta + 1 / mills)
    return np.where(np.isfinite(beta), beta, 0.0)
