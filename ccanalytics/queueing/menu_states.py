"""Steady state of lines, menu and agents: sums of products, on a logarithmic scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

from ccanalytics.queueing.ratios import deviance, stirling

if TYPE_CHECKING:
    from ccanalytics.queueing.door import Array

__all__ = ["MOST_LINES", "States", "blocked", "solve"]

MOST_LINES = 1_000_000


class States(NamedTuple):
    """One case: the share blocked, the mean queue, and what a call for an agent finds."""

    blocked: float
    queue: float
    found_waiting: Array
    """Chances that all agents are busy and 0, 1, 2 … wait, at the end of the menu."""


def _log_poisson(k: Array, x: float) -> Array:
    """Logarithm of e⁻ˣxᵏ/k!, to nearly full precision however small."""
    if x == 0:
        return np.where(k == 0, 0.0, -np.inf)
    many = np.maximum(k, 10.0)  # Stirling's series is for 10 and more
    value = -deviance(many, np.full_like(many, x)) - stirling(many)
    value -= 0.5 * np.log(2 * np.pi * many)
    few = np.minimum(k, 10.0)
    return np.where(k < 10, few * np.log(x) - x - special.gammaln(few + 1), value)


def _log_at_most(k: Array, x: float) -> Array:
    """Logarithm of P(Poisson(x) ≤ k), k whole."""
    if x == 0:
        return np.zeros(k.size)
    # Below the mean terms are added up on the logarithmic scale, so that nothing underflows.
    few = k < x
    value = np.empty(k.size)
    value[~few] = np.log(special.gammaincc(k[~few] + 1, x))
    some = k[few]
    if some.size:
        terms = _log_poisson(np.arange(some.max() + 1), x)
        value[few] = np.logaddexp.accumulate(terms)[some.astype(np.intp)]
    return value


def _log_agents(j: Array, r: float, n: float, hurry: float) -> Array:
    """Logarithm of the weights of j = 0, 1, 2 … calls at the agents, over eʳ.

    ``hurry`` is handle time over patience: with q waiting, calls leave at (n + q·hurry)/aht.
    """
    value = _log_poisson(np.minimum(j, n), r)
    queued = np.maximum(j - n, 0.0)
    if r == 0:
        return np.where(queued > 0, -np.inf, value)
    if hurry == 0:
        return value + queued * np.log(r / n)
    return value + np.cumsum(np.where(queued > 0, np.log(r / (n + queued * hurry)), 0.0))


def _total(logs: Array) -> tuple[float, Array]:
    """Logarithm of the sum of exponentials, and their shares of it."""
    top = logs.max()
    if np.isneginf(top):
        return -np.inf, np.zeros(logs.size)
    values = np.exp(logs - top)
    whole = values.sum()
    return float(top + np.log(whole)), values / whole


def blocked(a: float, r: float, n: float, lines: float, hurry: float) -> float:
    """Logarithm of the share of calls that find all lines taken."""
    j = np.arange(lines + 1)
    return _blocked(_log_agents(j, r, n, hurry), _log_at_most(lines - j, a), j, a)


def _blocked(agents: Array, at_most: Array, j: Array, a: float) -> float:
    full, _ = _total(agents + _log_poisson(j[-1] - j, a))
    every, _ = _total(agents + at_most)
    return full - every


def solve(a: float, r: float, n: float, lines: float, hurry: float) -> States:
    """The steady state with ``a`` erlangs in the menu and ``r`` offered to ``n`` agents."""
    j = np.arange(lines + 1)
    agents, at_most = _log_agents(j, r, n, hurry), _log_at_most(lines - j, a)
    _, at = _total(agents + at_most)
    first = int(min(n, lines))
    queue = float(at[first:] @ np.maximum(j[first:] - n, 0.0))
    # Whoever leaves the menu sees the others on one line fewer.
    _, found = _total(agents[:-1] + at_most[1:])
    return States(float(np.exp(_blocked(agents, at_most, j, a))), queue, found[first:])
