"""From what is wanted to what it takes: agents, calls, handle time or patience."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from ccanalytics.queueing.door import refuse
from ccanalytics.queueing.goals import Goals, meets
from ccanalytics.queueing.ratios import below
from ccanalytics.queueing.rules import waiting_deviate
from ccanalytics.queueing.search import Score, bracketed_root, greatest_real, least_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.queueing.door import Array
    from ccanalytics.queueing.flow import Flow
    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["agents", "greatest", "patience"]

_CHUNK = 32768  # elements solved at once: few enough to stay small, enough to be fast
_AT_ONCE = 16  # numbers of agents tried at once where every one has to be
_EXACT = 2 * np.finfo(float).eps
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
    some, back = _distinct(flow, goals, need)
    solved = np.empty(some.size)
    for start in range(0, some.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        which = some[part]
        solved[part] = _agents(flow.take(which), goals, which, _EXACT if fractional else None)
    result[need] = solved if back is None else solved[back]
    unreached = np.isinf(result)
    if unreached.any():
        lines = np.inf if flow.lines is None else flow.lines.reshape(shape)
        refuse(
            "no number of agents reaches this goal with these lines",
            {"calls": flow.calls.reshape(shape), "lines": lines},
            unreached.reshape(shape),
            "ask for less, or change the number of lines",
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
    load = own.load

    def score(which: NDArray[np.intp], n: Array) -> Array:
        flow = own if which.size == own.size else own.take(which)
        return goals.score(flow, n, part[which])

    if own.lines is not None and _crooked(own, goals):
        return _first(score, own.lines)
    # Endless patience on endless lines: no number up to the load has a steady state.
    patient = own.patience is None and own.lines is None
    failing = np.floor(load) if patient else np.full(load.size, -1.0)
    if own.lines is not None and goals.level is not None and goals.level.share == 1:
        failing = own.lines - 1  # below an agent for each line somebody may wait
    whole, at, under = least_whole(score, guess, failing, 0.5 * np.sqrt(load), most=own.lines)
    if not fractional:
        return whole
    return bracketed_root(score, np.maximum(whole - 1, 0), whole, under, at, relative=fractional)


def _crooked(own: Flow, goals: Goals) -> bool:
    """Whether more agents may be worse, so that only trying every number finds the least.

    On finite lines callers who give up sooner than they would be served free their lines: with
    fewer agents fewer may be blocked. And where callers return, fewer blocked means more who wait.
    """
    if not isinstance(own.patience, np.ndarray):
        return False
    blocked = "max_blocking" in goals.limits or (goals.level and goals.level.include_blocked)
    sooner = bool((own.patience < own.aht).any())
    return bool(blocked and sooner) or (own.returns and "max_abandonment" in goals.limits)


def _first(score: Score, lines: Array) -> Array:
    """Least of all numbers of agents up to the lines whose score is ≤ 0; ``inf`` if none is."""
    result = np.full(lines.size, np.inf)
    for start in range(0, int(lines.max()) + 1, _AT_ONCE):
        tried = np.arange(start, start + _AT_ONCE, dtype=float)
        open_ = np.flatnonzero(np.isinf(result) & (lines >= start))
        if not open_.size:
            break
        which, n = (x.reshape(-1) for x in np.meshgrid(open_, tried, indexing="ij"))
        allowed = n <= lines[which]
        met = np.zeros(n.size, dtype=bool)
        met[allowed] = score(which[allowed], n[allowed]) <= 0
        met = met.reshape(open_.size, tried.size)
        some = met.any(axis=1)
        result[open_[some]] = start + met[some].argmax(axis=1)
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
        if own.lines is not None and "max_abandonment" in limits:
            start = _before_failure(score, start)
        result[part] = greatest_real(score, start)
    return result


def _before_failure(score: Score, start: Array) -> Array:
    """The last of many values, from small to large, before the first that fails.

    Past some load all lines are taken and fewer give up again, so that the last value that meets
    a limit on abandonment is not the one that is meant.
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
