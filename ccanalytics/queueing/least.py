"""Least agents for what is wanted: a good guess, a search that proves, and where more agents may be
worse, every number that may be the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from ccanalytics.queueing.door import refuse
from ccanalytics.queueing.goals import Goals, meets, wavers
from ccanalytics.queueing.ratios import below
from ccanalytics.queueing.rules import waiting_deviate
from ccanalytics.queueing.search import Score, bracketed_root, least_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.queueing.door import Array
    from ccanalytics.queueing.flow import Flow
    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["agents"]

_CHUNK = 32768  # elements solved at once: few enough to stay small, enough to be fast
_EXACT = 2 * np.finfo(float).eps
_MANY, _KNOTS = 1000, 100  # from how many alike elements on, at how many loads to solve first
_AT_ONCE = 1 << 16  # numbers of agents tried at once where every one has to be


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
    some, back = _distinct(flow, goals, need)
    solved = np.empty(some.size)
    for start in range(0, some.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        which = some[part]
        solved[part] = _agents(flow.take(which), goals, which, _EXACT if fractional else None)
    result[need] = solved if back is None else solved[back]
    unreached = np.isinf(result)
    if unreached.any():
        given = {"calls": flow.calls, "lines": flow.lines}
        refuse(
            "no number of agents reaches this goal"
            + ("" if flow.lines is None else " with these lines"),
            {name: value.reshape(shape) for name, value in given.items() if value is not None},
            unreached.reshape(shape),
            "ask for less" + ("" if flow.lines is None else ", or change the number of lines"),
        )
    return result


def _distinct(
    flow: Flow, goals: Goals, need: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp] | None]:
    """Elements that stand for all: numbers of calls are often whole, and then they repeat."""
    calls = flow.calls[need]
    limits = goals.limits.values()
    if need.size <= _MANY or not (flow.alike and all(np.ptp(limit) == 0 for limit in limits)):
        return need, None
    if calls.max() > 8 * need.size or (calls % 1).any():
        return need, None
    whole = calls.astype(np.intp)
    stands = np.full(whole.max() + 1, -1)
    stands[whole] = need
    seen = stands >= 0
    return stands[seen], (np.cumsum(seen) - 1)[whole]


def _agents(own: Flow, goals: Goals, part: NDArray[np.intp], fractional: float | None) -> Array:
    """Least agents for elements with calls; ``fractional`` is the relative width of the root."""
    guess = _guess(own, goals, part)
    many = own.size > _MANY and own.classic and not fractional
    if many and goals.level is not None and not goals.limits:
        result, proved = _proved(own, goals.level, guess)
        rest = np.flatnonzero(~proved)
        if rest.size:
            result[rest] = _search(own.take(rest), goals, part[rest], guess[rest], None)
        return result
    return _search(own, goals, part, guess, fractional)


def _search(
    own: Flow, goals: Goals, part: NDArray[np.intp], guess: Array, fractional: float | None
) -> Array:
    score = _score(own, goals, part)
    crooked = _crooked(own, goals)
    if own.lines is not None and crooked:
        low = _sure(own, goals, part, guess)
        return _first(score, low, own.lines, _hopeless(own, goals, part))
    whole, at, under = _straight(own, goals, part, guess)
    if crooked:
        low = _sure(own, goals, part, guess)
        whole = np.minimum(whole, _first(score, low, whole - 1))
        every = np.arange(own.size)
        at, under = score(every, whole), score(every, np.maximum(whole - 1, 0))
    if not fractional:
        return whole
    return bracketed_root(score, np.maximum(whole - 1, 0), whole, under, at, relative=fractional)


def _score(own: Flow, goals: Goals, part: NDArray[np.intp]) -> Score:
    every = np.arange(own.size)

    def score(which: NDArray[np.intp], n: Array) -> Array:
        flow = own if np.array_equal(which, every) else own.take(which)
        return goals.score(flow, n, part[which])

    return score


def _straight(
    own: Flow, goals: Goals, part: NDArray[np.intp], guess: Array
) -> tuple[Array, Array, Array]:
    """Least number, and the scores at and below it, of goals that more agents only get nearer."""
    load = own.load
    # Endless patience on endless lines: no number up to the load has a steady state.
    patient = own.patience is None and own.lines is None
    failing = np.floor(load) if patient else np.full(load.size, -1.0)
    if own.lines is not None and goals.level is not None and goals.level.share == 1:
        failing = own.lines - 1  # below an agent for each line somebody may wait
    score = _score(own, goals, part)
    return least_whole(score, guess, failing, 0.5 * np.sqrt(load), most=own.lines)


def _sooner(own: Flow) -> bool:
    """Whether callers may give up sooner than an agent would be done with them."""
    if isinstance(own.patience, np.ndarray):
        return bool((own.patience < own.aht).any())
    return own.patience is not None


def _crooked(own: Flow, goals: Goals) -> bool:
    """Whether more agents may be worse, so that only trying every number finds the least.

    * Callers who give up sooner than they would be served free their lines: with fewer agents
      fewer may be blocked.
    * Those who are answered may return more often than those who give up: then more agents mean
      more attempts, and may even be busier.
    * A late short-abandon threshold credits callers whom more agents would answer, but late.
    """
    if own.patience is None:
        return False
    if goals.level is not None and wavers(goals.level):
        return True
    sooner = _sooner(own)
    if own.lines is None:
        answered_return = own.reconnect is not None and bool(own.reconnect.any())
        return sooner and answered_return and "max_occupancy" in goals.limits
    if own.returns:
        return sooner or goals.block or "max_abandonment" in goals.limits
    return sooner and goals.block


def _sure(own: Flow, goals: Goals, part: NDArray[np.intp], guess: Array) -> Array:
    """A number below which the goals are out of reach; ``inf`` where they are at any number.

    Callers who return only add to the calls. Without them, goals on those who entered get nearer
    with every agent; goals on the blocked do where patience is longer than handle time.
    """
    plain = replace(own, redial=None, redial_blocked=None, reconnect=None)
    level, limits = goals.level, dict(goals.limits)
    if level is not None and wavers(level):
        level = None
    if own.lines is not None and _sooner(own):
        limits.pop("max_blocking", None)
        level = None if level is None else replace(level, include_blocked=False)
    if own.lines is not None and own.returns:
        limits.pop("max_abandonment", None)
    if level is None and not limits:
        return np.zeros(own.size)
    return _straight(plain, Goals(level, limits), part, guess)[0]


Hopeless = Callable[["NDArray[np.intp]", "Array"], "NDArray[np.bool_]"]


def _hopeless(own: Flow, goals: Goals, part: NDArray[np.intp]) -> Hopeless | None:
    """Whether from a number on too many are blocked: with short patience ever more are."""
    if not (isinstance(own.patience, np.ndarray) and goals.block):
        return None
    plain = replace(own, redial=None, redial_blocked=None, reconnect=None)
    most = np.ones(own.size)
    if "max_blocking" in goals.limits:
        most = goals.limits["max_blocking"][part]
    if goals.level is not None and goals.level.include_blocked:
        most = np.minimum(most, 1 - goals.level.share)
    most = np.where(own.patience < own.aht, most * (1 + 1e-9) + 1e-12, 1.0)

    def hopeless(which: NDArray[np.intp], n: Array) -> NDArray[np.bool_]:
        return plain.take(which).steady(n)[0].blocked > most[which]

    return hopeless


def _first(score: Score, low: Array, high: Array, hopeless: Hopeless | None = None) -> Array:
    """Least of all whole numbers from low to high whose score is ≤ 0; ``inf`` if none is."""
    result, start, step = np.full(low.size, np.inf), low.copy(), 4
    open_ = np.flatnonzero(low <= high)
    while open_.size:
        n = start[open_, None] + np.arange(step)
        allowed = n <= high[open_, None]
        met = np.zeros(n.shape, dtype=bool)
        met[allowed] = score(np.repeat(open_, allowed.sum(axis=1)), n[allowed]) <= 0
        some = met.any(axis=1)
        found = open_[some]
        result[found] = start[found] + met[some].argmax(axis=1)
        start[open_] += step
        open_ = open_[~some & (start[open_] <= high[open_])]
        if hopeless is not None and open_.size:
            open_ = open_[~hopeless(open_, start[open_] - 1)]
        step = max(4, min(2 * step, 512, _AT_ONCE // max(open_.size, 1)))
    return result


def _proved(own: Flow, level: ServiceLevel, guess: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Erlang C in bulk: the guess, and where one sum proves it and disproves the one below."""
    load = own.load
    n = np.maximum(np.ceil(guess), np.floor(load) + 1)
    fewer = below(n - 1, load)
    met = []
    for servers, states in ((n, 1 + n / load * fewer), (n - 1, fewer)):
        rate = np.maximum(servers - load, 0.0)
        late = np.exp(-rate * (level.within / own.aht)) * servers
        late /= states * rate + load
        met.append(meets(1 - late, level.share) & (rate > 0))
    return n, met[0] & ~met[1]


def _guess(own: Flow, goals: Goals, part: NDArray[np.intp]) -> Array:
    """Where to look first; a good guess saves time and decides nothing."""
    load = own.load
    if own.classic and goals.level is not None and not goals.limits:
        return load + np.sqrt(load) * _on_curve(own, goals.level)
    alike = own.alike and all(np.ptp(limit[part]) == 0 for limit in goals.limits.values())
    if own.size > _MANY and alike and np.ptp(load) > 0:
        # One demand curve: solve it exactly at some loads and read the others off.
        low, high = load.min(), load.max()
        roots = np.linspace(np.sqrt(low), np.sqrt(high), _KNOTS)
        few = own.take(np.zeros(_KNOTS, dtype=np.intp))
        few = replace(few, calls=np.clip(roots**2, low, high) / few.aht * few.per)
        at = part[np.zeros(_KNOTS, dtype=np.intp)]
        exact = _agents(few, goals, at, fractional=1e-5 if own.lines is None else None)
        if np.isfinite(exact).all():
            return load + np.interp(np.sqrt(load), roots, exact - few.load)
    if goals.level is None or goals.level.share == 1:
        return load + 0.5 * np.sqrt(load)
    level = goals.level
    guess = load + np.sqrt(load) * waiting_deviate(load, level.within / own.aht, 1 - level.share)
    if isinstance(own.patience, np.ndarray) and own.lines is None:
        guess = np.minimum(guess, _impatient_guess(own, own.patience, level))
    return guess


def _impatient_guess(own: Flow, patience: Array, level: ServiceLevel) -> Array:
    """Agents in overload: all wait about as long, those who stay so long fill the agents.

    The queue after the threshold is about normal around R·e^(−t/patience).
    """
    stay = np.exp(-level.within / patience)
    share, least = np.full(own.size, level.share), np.zeros(own.size)
    if level.counting not in ("answered", "virtual", "abandoned_in_time"):
        # Who left counts as failed, and no more are answered than the agents can handle.
        share = np.minimum(share / np.maximum(stay, 1e-3), 0.995)
        least = level.share * own.load
    left = own.load * stay
    guess = left + special.ndtri(share) * np.sqrt(left * own.aht / patience)
    return np.maximum(guess, least)


def _on_curve(own: Flow, goal: ServiceLevel) -> Array:
    """The square-root rule's β, read off a curve where the elements differ in load alone."""
    root, within = np.sqrt(own.load), goal.within / own.aht
    if own.size <= _MANY or np.ptp(within) > 0:
        return waiting_deviate(own.load, within, 1 - goal.share)
    roots = np.linspace(root.min(), root.max(), 4 * _KNOTS)
    return np.interp(root, roots, waiting_deviate(roots**2, within[0], 1 - goal.share))
