"""From what is wanted to what it takes: agents, calls, handle time or patience."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.queueing.door import refuse
from ccanalytics.queueing.goals import Goals
from ccanalytics.queueing.rules import waiting_deviate
from ccanalytics.queueing.search import bracketed_root, greatest_real, least_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.queueing.door import Array
    from ccanalytics.queueing.flow import Flow
    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["agents", "greatest", "patience"]

_CHUNK = 32768  # elements solved at once: few enough to stay small, enough to be fast
_MANY, _KNOTS = 1000, 100  # from how many alike elements on, at how many loads to solve first
_TRIALS = np.exp(np.linspace(np.log(1e-4), np.log(1e8), 97))  # patience over handle time


def agents(
    flow: Flow,
    goal: ServiceLevel | None,
    limits: dict[str, Array],
    shape: tuple[int, ...],
    fractional: bool,
) -> Array:
    """Least agents, whole or fractional, on flat arrays."""
    goals = Goals(goal, limits)
    result = np.zeros(flow.size)
    need = np.flatnonzero(flow.calls > 0)
    for start in range(0, need.size, _CHUNK):
        part = need[start : start + _CHUNK]
        result[part] = _agents(flow.take(part), goals, part, fractional)
    unreached = np.isinf(result)
    if unreached.any():
        assert flow.lines is not None
        refuse(
            "no number of agents reaches this goal with these lines",
            {"lines": flow.lines.reshape(shape), "calls": flow.calls.reshape(shape)},
            unreached.reshape(shape),
            "ask for less, or change the number of lines",
        )
    return result


def _agents(own: Flow, goals: Goals, part: NDArray[np.intp], fractional: bool) -> Array:
    load = own.load

    def score(which: NDArray[np.intp], n: Array) -> Array:
        flow = own if which.size == own.size else own.take(which)
        return goals.score(flow, n, part[which])

    root = np.sqrt(load)
    guess = _guess(own, goals, part)
    # Endless patience on endless lines: no number up to the load has a steady state.
    patient = own.patience is None and own.lines is None
    failing = np.floor(load) if patient else np.full(load.size, -1.0)
    if goals.level is not None and goals.level.share == 1:
        assert own.lines is not None
        failing = own.lines - 1  # below an agent for each line somebody may wait
    whole, at, under = least_whole(score, guess, failing, 0.5 * root, most=own.lines)
    if not fractional:
        return whole
    return bracketed_root(score, np.maximum(whole - 1, 0), whole, under, at)


def _guess(own: Flow, goals: Goals, part: NDArray[np.intp]) -> Array:
    """Where to look first; a good guess saves time and decides nothing."""
    load = own.load
    alike = own.alike and all(np.ptp(limit[part]) == 0 for limit in goals.limits.values())
    if own.size > _MANY and alike and np.ptp(load) > 0:
        # One demand curve: solve it exactly at some loads and read the others off.
        low, high = load.min(), load.max()
        roots = np.linspace(np.sqrt(low), np.sqrt(high), _KNOTS)
        few = own.take(np.zeros(_KNOTS, dtype=np.intp))
        few = replace(few, calls=np.clip(roots**2, low, high) / few.aht * few.per)
        at = part[np.zeros(_KNOTS, dtype=np.intp)]
        exact = _agents(few, goals, at, fractional=own.lines is None)
        if np.isfinite(exact).all():
            return load + np.interp(np.sqrt(load), roots, exact - few.load)
    if goals.level is None or goals.level.share == 1:
        return load + 0.5 * np.sqrt(load)
    return load + np.sqrt(load) * waiting_deviate(
        load, goals.level.within / own.aht, 1 - goals.level.share
    )


def greatest(
    what: str, flow: Flow, goal: ServiceLevel | None, limits: dict[str, Array], agents: Array
) -> Array:
    """Most calls, or longest handle time, on flat arrays."""
    goals = Goals(goal, limits)
    result = np.zeros(flow.size)
    staffed = agents > 0
    if what == "aht":
        # Without calls every handle time will do.
        result[flow.calls == 0] = np.inf
        staffed &= flow.calls > 0
    need = np.flatnonzero(staffed)
    for begin in range(0, need.size, _CHUNK):
        part = need[begin : begin + _CHUNK]
        own, n = flow.take(part), agents[part]

        def score(
            which: NDArray[np.intp],
            value: Array,
            own: Flow = own,
            n: Array = n,
            part: NDArray[np.intp] = part,
        ) -> Array:
            tried = replace(own.take(which), **{what: value})
            return goals.score(tried, n[which], part[which])

        start = n * own.per / (own.aht if what == "calls" else own.calls)
        result[part] = greatest_real(score, start)
    return result


def patience(
    flow: Flow,
    goal: ServiceLevel | None,
    limits: dict[str, Array],
    agents: Array,
    shape: tuple[int, ...],
) -> Array:
    """Mean patience at which the one thing asked for is just met, on flat arrays."""
    goals = Goals(goal, limits)

    def score(which: NDArray[np.intp], log: Array) -> Array:
        tried = replace(flow.take(which), patience=np.exp(log))
        return goals.score(tried, agents[which], which)

    every = np.arange(flow.size)
    logs = np.log(_TRIALS)[:, None] + np.log(flow.aht)
    scores = np.array([score(every, row) for row in logs])
    scores = np.where(np.isnan(scores), np.inf, scores)
    met = scores <= 0
    changes = met[1:] != met[:-1]
    bad = changes.sum(axis=0) != 1
    if bad.any():
        index = int(np.argmax(bad))
        none = changes[:, index].sum() == 0
        refuse(
            "no mean patience gives exactly this" if none else "several mean patiences give this",
            {
                "agents": agents.reshape(shape),
                **{f"max_{name}": limit.reshape(shape) for name, limit in limits.items()},
            },
            bad.reshape(shape),
            "ask for a value between those of very short and of endless patience"
            if none
            else "ask by max_abandonment or max_asa, which decide it",
        )
    at = np.argmax(changes, axis=0)
    a, b = logs[at, every], logs[at + 1, every]
    fa, fb = scores[at, every], scores[at + 1, every]
    first = fa <= 0  # met by the shorter patience
    root = bracketed_root(
        score, np.where(first, b, a), np.where(first, a, b), np.where(first, fb, fa),
        np.where(first, fa, fb),
    )
    return np.exp(root)
