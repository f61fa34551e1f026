"""From what is wanted to what it takes: calls, handle time or patience."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.queueing.door import refuse
from ccanalytics.queueing.goals import Goals, wavers
from ccanalytics.queueing.search import Score, bracketed_root, greatest_real

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.queueing.door import Array
    from ccanalytics.queueing.flow import Flow
    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["greatest", "patience"]

_CHUNK = 32768  # elements solved at once: few enough to stay small, enough to be fast
_NO_CALLS = 1e-100  # a second
_TRIALS = np.exp(np.linspace(np.log(1e-4), np.log(1e8), 97))  # patience over handle time


def greatest(
    what: str, flow: Flow, goal: ServiceLevel | None, limits: dict[str, Array], agents: Array
) -> Array:
    """Most calls, or longest handle time, on flat arrays."""
    goals = Goals(goal, limits)
    result = np.zeros(flow.size)
    staffed = agents > 0
    if what == "aht":
        # Without calls every handle time will do.
        none = flow.calls < _NO_CALLS * flow.per
        result[none] = np.inf
        staffed &= ~none
    need = np.flatnonzero(staffed)
    for begin in range(0, need.size, _CHUNK):
        part = need[begin : begin + _CHUNK]
        own, n = flow.take(part), agents[part]
        returning = own if what == "calls" and own.returns else None
        if returning is not None:
            # Everything asked depends on the attempts; those who leave for good are the calls.
            own = replace(own, redial=None, redial_blocked=None, reconnect=None)

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
        late = goal is not None and own.patience is not None and wavers(goal)
        if late or (own.lines is not None and "max_abandonment" in limits):
            start = _before_failure(score, start)
        result[part] = greatest_real(score, start)
        if returning is not None:
            some = np.flatnonzero((result[part] > 0) & np.isfinite(result[part]))
            few = replace(returning.take(some), calls=result[part[some]])
            result[part[some]] *= few.leaving(few.load, n[some])
    return result


def _before_failure(score: Score, start: Array) -> Array:
    """The last of many values, from small to large, before the first that fails.

    Past some load all lines are taken and fewer give up again; or those who give up before a late
    short-abandon threshold are credited. Then the last value that meets the goal is not the one
    that is meant.
    """
    result, steps = start.copy(), np.exp(np.linspace(-9, 7, 161))
    for begin in range(0, start.size, 256):
        part = np.arange(begin, min(begin + 256, start.size))
        tried = start[part][:, None] * steps
        fails = score(np.repeat(part, steps.size), tried.reshape(-1)) > 0
        first = fails.reshape(tried.shape).argmax(axis=1)
        some = first > 0
        result[part[some]] = tried[some, first[some] - 1]
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
                **{name: limit.reshape(shape) for name, limit in limits.items()},
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
        score,
        np.where(first, b, a),
        np.where(first, a, b),
        np.where(first, fb, fa),
        np.where(first, fa, fb),
    )
    return np.exp(root)
