"""Agents found against the simulator, where no formula knows the handle times or the patience.

The formula is kept as a compass. In each interval the simulated service level differs from the
formula's by so much on the scale of log odds; with that difference added the formula says how many
agents to try next. What is settled at the end is settled by the simulation alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ccanalytics.staffing._seats import Rules

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]
    Evaluate = Callable[[Whole], dict[str, Floats]]

__all__ = ["Found", "good", "least_by_simulation"]

_ROUNDS = 6
_POLISH = 40
_EDGE = 1e-3
# Agents taken away at once stand at least so many intervals apart, so that each is judged alone.
_APART = 3


@dataclass(eq=False)
class Found:
    """Agents, what the simulation says of them, and how often it was asked."""

    agents: Whole
    measures: dict[str, Floats]
    runs: int
    short: Whole = field(default_factory=lambda: np.zeros(0, np.int64))


def least_by_simulation(
    evaluate: Evaluate, rules: Rules, calls: Floats, per: Floats, aht: Floats, load: Floats
) -> Found:
    """Fewest agents with which every interval's calls meet the goal and the bounds.

    ``load`` (erlangs, one per interval) is where the search begins. An interval without calls
    keeps the fewest agents allowed.
    """
    busy = calls > 0
    served = np.where(busy, np.maximum(load, 1e-9) * per / np.maximum(aht, 1e-9), 0.0)
    agents = rules.agents_for(served, per, aht)
    tried: dict[bytes, dict[str, Floats]] = {}

    def run(n: Whole) -> dict[str, Floats]:
        key = n.tobytes()
        if key not in tried:
            tried[key] = evaluate(n)
        return tried[key]

    for _ in range(_ROUNDS):
        level = run(agents)["service_level"]
        following = _compass(rules, served, per, aht, agents, level, busy)
        if (following == agents).all():
            break
        agents = following
    agents = _made_good(run, rules, agents, busy)
    agents = _pared(run, rules, served, per, aht, agents, busy)
    measures = run(agents)
    return Found(agents, measures, len(tried), np.flatnonzero(busy & ~good(measures, rules)))


def _odds(level: Floats) -> Floats:
    kept = np.clip(level, _EDGE, 1 - _EDGE)
    return np.log(kept / (1 - kept))


def _formula(rules: Rules, calls: Floats, per: Floats, aht: Floats, agents: Whole) -> Floats:
    from ccanalytics.queueing import Queue

    queue = Queue(calls=calls, per=per, aht=aht, patience=rules.patience)
    level = queue.performance(agents=np.maximum(agents, 1)).service_level(rules.goal)
    return np.asarray(np.where(agents > 0, level, 0.0))


def _compass(
    rules: Rules,
    calls: Floats,
    per: Floats,
    aht: Floats,
    agents: Whole,
    level: Floats,
    busy: NDArray[np.bool_],
) -> Whole:
    """Agents with which the formula, corrected by what the simulation showed, meets the goal."""
    off = np.zeros(calls.size)
    off[busy] = _odds(np.nan_to_num(level[busy])) - _odds(
        _formula(rules, calls[busy], per[busy], aht[busy], agents[busy])
    )
    wanted = _odds(np.array([rules.goal.share]))[0]
    reach = int(np.ceil(2 * np.sqrt(agents.max(initial=1)) + 3))
    chosen = agents.copy()
    steps = np.arange(-reach, reach + 1)
    at = np.flatnonzero(busy)
    numbers = np.maximum(agents[at][:, None] + steps, max(rules.min_agents, 1))
    flat = numbers.reshape(-1)
    spread = np.repeat(at, steps.size)
    levels = _formula(rules, calls[spread], per[spread], aht[spread], flat).reshape(numbers.shape)
    enough = _odds(levels) + off[at][:, None] >= wanted
    first = np.where(enough.any(axis=1), enough.argmax(axis=1), steps.size - 1)
    chosen[at] = numbers[np.arange(at.size), first]
    return chosen


def good(measures: dict[str, Floats], rules: Rules) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        good = measures["service_level"] >= rules.goal.share
        if rules.max_occupancy is not None:
            good &= measures["occupancy"] <= rules.max_occupancy
        if rules.max_abandonment is not None:
            good &= measures["abandonment"] <= rules.max_abandonment
    return np.asarray(good)


def _made_good(run: Evaluate, rules: Rules, agents: Whole, busy: NDArray[np.bool_]) -> Whole:
    """One agent more wherever the simulation falls short, until nowhere does."""
    for _ in range(_POLISH):
        short = busy & ~good(run(agents), rules)
        if not short.any():
            break
        agents = agents + short
    return agents


def _pared(
    run: Evaluate,
    rules: Rules,
    calls: Floats,
    per: Floats,
    aht: Floats,
    agents: Whole,
    busy: NDArray[np.bool_],
) -> Whole:
    """Take agents away one at a time, and put back those whose absence is felt anywhere."""
    kept = np.zeros(agents.size, bool)  # tried without, and found needed
    for _ in range(_POLISH):
        level = run(agents)["service_level"]
        fewer = np.maximum(agents - 1, 0)
        guess = np.full(agents.size, -np.inf)
        some = busy & (fewer > 0)
        if some.any():
            here = _formula(rules, calls[some], per[some], aht[some], agents[some])
            there = _formula(rules, calls[some], per[some], aht[some], fewer[some])
            guess[some] = _odds(np.nan_to_num(level[some])) + _odds(there) - _odds(here)
        hopeful = some & ~kept & (fewer >= rules.min_agents)
        # A little below the goal may still do: the formula is only the compass.
        hopeful &= guess >= _odds(np.array([rules.goal.share]))[0] - 0.15
        chosen: list[int] = []
        for i in np.argsort(-guess):
            if hopeful[i] and all(abs(int(i) - other) >= _APART for other in chosen):
                chosen.append(int(i))
        if not chosen:
            break
        trial = agents.copy()
        trial[chosen] -= 1
        short = busy & ~good(run(trial), rules)
        for i in chosen:
            # Its own calls, and those of the next two that inherit its queue.
            if short[i : i + _APART].any():
                kept[i] = True
                trial[i] += 1
        if (busy & ~good(run(trial), rules)).any():
            kept[chosen] = True
            continue
        agents = trial
    return agents
