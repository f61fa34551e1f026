"""Volumes that are not known: the day's rate is the forecast times a gamma factor of mean 1.

What callers meet is weighted by calls, E[B·SL(B·λ)]/E[B]: on a busy day more of them meet it.
Weighting a gamma law by its value gives a gamma law again, of one shape more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.staffing._seats import Rules

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["MEASURES", "chance_met", "factor_reached", "least_on_average", "on_average"]

MEASURES = ("service_level", "occupancy", "wait_probability", "asa", "abandonment")
# B as a smooth function of a standard normal number: Gauss–Hermite nodes settle ten digits.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(21)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def _factors(cv: Floats) -> Floats:
    """Rows × nodes: values of B, by its call-weighted law, at the nodes."""
    from scipy import stats

    shape = 1 / np.maximum(cv, 1e-6)[:, None] ** 2
    low, high = _NODES[_NODES < 0], _NODES[_NODES >= 0]
    weighted = (
        np.concatenate(
            [
                stats.gamma.ppf(stats.norm.cdf(low), shape + 1),
                stats.gamma.isf(stats.norm.sf(high), shape + 1),
            ],
            axis=1,
        )
        / shape
    )
    return np.asarray(np.where(cv[:, None] > 0, weighted, 1.0))


def factor_reached(chance: float, cv: Floats) -> Floats:
    """The factor that B does not exceed with this chance."""
    from scipy import stats

    shape = 1 / np.maximum(cv, 1e-6) ** 2
    return np.asarray(np.where(cv > 0, stats.gamma.ppf(chance, shape) / shape, 1.0))


def on_average(
    rules: Rules, calls: Floats, per: Floats, aht: Floats, agents: Whole, cv: Floats
) -> dict[str, Floats]:
    """Measures with these agents, call-weighted over B (occupancy and waits of all: over days)."""
    from ccanalytics.queueing import Queue

    factor = _factors(cv)
    queue = Queue(
        calls=calls[:, None] * factor, per=per[:, None], aht=aht[:, None], patience=rules.patience
    )
    p = queue.performance(agents=np.broadcast_to(agents[:, None], factor.shape))
    # The nodes are weighted by calls; dividing by B gives back the plain mean over days.
    plain = _WEIGHTS / factor
    level = p.service_level(rules.goal)
    answered = 1 - p.abandonment
    with np.errstate(invalid="ignore", divide="ignore"):
        asa = np.where(answered > 0, p.asa, 0.0)
        return {
            "service_level": level @ _WEIGHTS,
            "occupancy": (p.occupancy * plain).sum(axis=1) / plain.sum(axis=1),
            "wait_probability": p.wait_probability @ _WEIGHTS,
            "asa": (asa * answered) @ _WEIGHTS / (answered @ _WEIGHTS),
            "abandonment": p.abandonment @ _WEIGHTS,
        }


def least_on_average(rules: Rules, calls: Floats, per: Floats, aht: Floats, cv: Floats) -> Whole:
    """Least agents with which the call-weighted service and the bounds hold, row by row."""
    from ccanalytics.staffing._by_simulation import good

    agents = np.zeros(calls.size, np.int64)
    some = np.flatnonzero(calls > 0)
    if not some.size:
        return np.maximum(agents, rules.min_agents)
    calls, per, aht, cv = calls[some], per[some], aht[some], cv[some]
    low = np.zeros(some.size, np.int64)
    high = rules.agents_for(calls * factor_reached(0.5, cv), per, aht)

    def holds(which: Any, n: Whole) -> NDArray[np.bool_]:
        return good(on_average(rules, calls[which], per[which], aht[which], n, cv[which]), rules)

    # Upwards until it holds, then by halves between the last that failed and the first that held.
    waiting = np.arange(some.size)
    step = np.ones(some.size, np.int64)
    while waiting.size:
        done = holds(waiting, high[waiting])
        waiting = waiting[~done]
        low[waiting] = high[waiting]
        high[waiting] += step[waiting]
        step[waiting] *= 2
    while True:
        open_ = np.flatnonzero(high - low > 1)
        if not open_.size:
            break
        middle = (low[open_] + high[open_]) // 2
        done = holds(open_, middle)
        high[open_[done]] = middle[done]
        low[open_[~done]] = middle[~done]
    agents[some] = high
    return np.maximum(agents, rules.min_agents)


def chance_met(
    rules: Rules, calls: Floats, per: Floats, aht: Floats, agents: Whole, cv: Floats
) -> Floats:
    """Chance that the interval's rate is one at which these agents meet the goal."""
    from scipy import stats

    from ccanalytics.queueing import Queue

    queue = Queue(calls=None, per=per, aht=aht, patience=rules.patience)
    most = np.asarray(queue.calls_for(np.maximum(agents, 1), rules.goal), float)
    shape = 1 / np.maximum(cv, 1e-6) ** 2
    met = stats.gamma.cdf(most / calls * shape, shape)
    return np.asarray(np.where(cv > 0, met, (most >= calls).astype(float)) * (agents > 0))
