"""Rules of thumb beside the exact answers: square-root staffing, Halfin–Whitt and Garnett."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from ccanalytics.queueing.door import Array, broadcast, plain, real
from ccanalytics.queueing.search import bracketed_root

__all__ = ["garnett", "halfin_whitt", "square_root_agents", "waiting_deviate"]

_MOST_ERLANGS = 1e15  # beyond, floats do not tell one agent from the next


def _mills(beta: Array) -> Array:
    """Φ(β)/φ(β); ``inf`` beyond 1e308."""
    return np.sqrt(np.pi / 2) * special.erfcx(-beta / np.sqrt(2))


def _log_mills(beta: Array) -> Array:
    """Its logarithm, for every β."""
    high = special.log_ndtr(beta) + beta**2 / 2 + np.log(2 * np.pi) / 2
    return np.where(beta > 1, high, np.log(_mills(np.minimum(beta, 1.0))))


def halfin_whitt(beta: Any) -> Any:
    r"""Probability of waiting at n = R + β√R agents, for large loads and patient callers.

    α(β) = [1 + βΦ(β)/φ(β)]⁻¹, for β > 0; with β ≤ 0 everybody waits.

    Parameters
    ----------
    beta
        Margin over the load in units of √R; scalar or array.

    Returns
    -------
    float or array
        A share from 0 to 1.

    Raises
    ------
    InputError
        Anything but finite numbers.

    References
    ----------
    S. Halfin and W. Whitt, Operations Research 29 (1981).

    Examples
    --------
    >>> round(halfin_whitt(0.5), 4), round(halfin_whitt(1), 4)
    (0.5045, 0.2234)
    """
    b = real("beta", beta)
    positive = np.maximum(b, 0.0)
    with np.errstate(over="ignore"):  # nobody waits
        return plain(1 / (1 + positive * _mills(positive)), b.shape)


def garnett(beta: Any, aht_over_patience: Any) -> Any:
    r"""Probability of waiting at n = R + β√R agents, for large loads and exponential patience.

    [1 + √r·h(β/√r)/h(−β)]⁻¹ with r = θ/μ = AHT/patience and h = φ/(1 − Φ).

    Parameters
    ----------
    beta
        Margin over the load in units of √R, of either sign; scalar or array.
    aht_over_patience
        Average handle time over mean patience, above 0; scalar or array.

    Returns
    -------
    float or array
        A share from 0 to 1.

    Raises
    ------
    InputError
        Anything but finite numbers, or a ratio that is not above 0.

    References
    ----------
    O. Garnett, A. Mandelbaum and M. Reiman, MSOM 4 (2002).

    Examples
    --------
    >>> garnett(0, [0.1, 1, 10]).round(4)
    array([0.7597, 0.5   , 0.2403])
    """
    shape, v = broadcast(
        beta=real("beta", beta),
        aht_over_patience=real("aht_over_patience", aht_over_patience, above=0),
    )
    return plain(_garnett(v["beta"], v["aht_over_patience"]), shape)


def _garnett(beta: Array, ratio: Array) -> Array:
    return np.exp(_log_garnett(beta, ratio))


def _log_garnett(beta: Array, ratio: Array) -> Array:
    # √r·h(β/√r)/h(−β), with h(z) the reciprocal of Φ/φ at −z.
    log = np.log(ratio) / 2 + _log_mills(beta) - _log_mills(-beta / np.sqrt(ratio))
    return -np.logaddexp(0.0, log)


def square_root_agents(load: Any, wait_probability: Any, *, aht_over_patience: Any = None) -> Any:
    r"""Agents by the square-root rule: ⌈R + β√R⌉ with so many waiting in the limit.

    β solves Halfin and Whitt's α(β) = wait_probability, or Garnett's function if callers lose
    patience. A rule of thumb: at most an agent or so from the exact answer of
    :meth:`Queue.agents_for`.

    Parameters
    ----------
    load
        Offered load in erlangs, from 0 to 1e15; scalar or array.
    wait_probability
        Share of callers who may have to wait, above 0 and below 1; scalar or array.
    aht_over_patience
        Average handle time over mean patience; ``None`` for patient callers.

    Returns
    -------
    int or array

    Raises
    ------
    InputError
        Anything out of its range, or shapes that do not broadcast.

    References
    ----------
    S. Borst, A. Mandelbaum and M. Reiman, Operations Research 52 (2004).

    Examples
    --------
    >>> square_root_agents([10, 100, 1000], 0.20)
    array([  14,  111, 1034])
    """
    arrays = {
        "load": real("load", load, least=0, most=_MOST_ERLANGS),
        "wait_probability": real("wait_probability", wait_probability, above=0, below=1),
    }
    if aht_over_patience is not None:
        arrays["ratio"] = real("aht_over_patience", aht_over_patience, above=0)
    shape, v = broadcast(**arrays)
    aim, ratio = np.log(v["wait_probability"]), v.get("ratio")

    def score(which: Any, beta: Array) -> Array:
        if ratio is None:
            with np.errstate(divide="ignore"):
                return -np.logaddexp(0.0, np.log(beta) + _log_mills(beta)) - aim[which]
        return _log_garnett(beta, ratio[which]) - aim[which]

    every = np.arange(aim.size)
    low = np.zeros(aim.size) if ratio is None else -40.0 * np.maximum(np.sqrt(ratio), 1.0)
    high = np.full(aim.size, 40.0)
    beta = bracketed_root(score, low, high, score(every, low), score(every, high))
    exact = v["load"] + beta * np.sqrt(v["load"])
    agents = np.maximum(np.ceil(np.round(exact, 9)), 0.0)
    return plain(agents.astype(np.int64), shape)


def waiting_deviate(load: Array, within: Array, late: Array | float) -> Array:
    """β at which the square-root rule has a share ``late`` waiting over ``within`` handle times.

    Solves α(β)·e^(−β√R·t/AHT) = late by Newton steps.
    """
    slope = np.sqrt(load) * within
    aim = -np.log(late)
    beta = aim / (slope + 1.3 + 0.3 * aim)
    for _ in range(4):
        mills = _mills(beta)
        one = 1 + beta * mills
        step = (np.log(one) + beta * slope - aim) / ((mills + beta * one) / one + slope)
        beta = np.maximum(beta - step, 0.1 * beta)
    return beta
