"""One caller who waits: the calls ahead leave, staff comes and goes, patience runs.

A caller with A calls ahead, A ≥ n, sees them leave at rate nμ + (A − n)θ and hangs up at rate θ;
an agent answers as soon as fewer than n are ahead. Callers who arrive later do not matter (first
come, first served), and calls that rejoin the queue when staff falls came earlier, so they stay
ahead. Values of such a caller (answered or not, seconds to wait) obey the backward equations

    y(A)′ = d(A)·y(A − 1) − (d(A) + θ)·y(A) + reward,

solved from the far end of the horizon, or of the window, to the moment of arrival.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.queueing.course import padded, through
from ccanalytics.queueing.radau import WEIGHTS, Bands, Block, follow

if TYPE_CHECKING:
    from ccanalytics.queueing.course import Course, Part
    from ccanalytics.queueing.door import Array

__all__ = ["ANSWERED", "ANSWERED_WAIT", "GAVE_UP", "WAIT", "futures", "within"]

ANSWERED, GAVE_UP, WAIT, ANSWERED_WAIT = range(4)
_NOTHING = 1e-15
_AT_ONCE = np.array([1.0, 0.0, 0.0, 0.0])  # the same four values of a caller who need not wait


def _backward(course: Course, i: int, top: int, own: float) -> Bands:
    ahead = course.ahead(i, top, own)
    return Bands(ahead.upper, ahead.diagonal, ahead.lower)


def _at_last(course: Course, top: int) -> Array:
    """Values at the horizon's end if the last interval's agents and patience go on for ever."""
    i = course.size - 1
    n, own = int(course.agents[i]), course.patience[i]
    table = np.tile(_AT_ONCE, (top + 1, 1))
    deaths = course.deaths(i, np.arange(top + 1.0))
    for k in range(n, top + 1):
        d, before = deaths[k], table[k - 1] if k else np.zeros(4)
        if d + own == 0:
            table[k] = 0.0  # nobody will ever come
            continue
        reward = np.array([0.0, own, 1.0, 0.0])
        table[k] = (reward + d * before) / (d + own)
        table[k, ANSWERED_WAIT] = (table[k, ANSWERED] + d * before[ANSWERED_WAIT]) / (d + own)
    return table


def _held(part: Part) -> int:
    """Most calls ahead of anybody who still waits at the end, but for a chance of nothing."""
    tail = np.cumsum(part.waiting[::-1])[::-1]
    return int(np.count_nonzero(tail > _NOTHING * max(part.time.sum(), tail[:1].sum())))


def futures(course: Course, parts: list[Part]) -> list[Array]:
    """For every interval, by calls ahead: the four values of one who still waits at its end."""
    tops = np.maximum.accumulate(
        [int(n) + _held(part) for n, part in zip(course.agents, parts, strict=True)]
    )
    table = _at_last(course, int(tops[-1]))
    tables = [table]
    for i in range(course.size - 1, 0, -1):
        top, n, own = int(tops[i - 1]), int(course.agents[i]), course.patience[i]
        before = np.tile(_AT_ONCE, (top + 1, 1))
        if top >= n:
            matrix = _backward(course, i, top, own)
            source = np.zeros((top + 1 - n, 3))
            source[0, ANSWERED] = n * course.service[i]
            source[:, GAVE_UP], source[:, WAIT] = own, 1.0
            later = table[n : top + 1]
            blocks = [Block(matrix, source), Block(matrix, feed=lambda z: z[:, ANSWERED])]
            scale = np.array([1.0, 1.0, max(later[:, WAIT].max(), course.seconds[i])])
            first, last = follow(
                blocks,
                [later[:, :3], later[:, 3]],
                course.seconds[i],
                course.first_step(i),
                scale,
            )
            before[n:] = np.column_stack([first, last])
        table = before
        tables.append(table)
    return tables[::-1]


def _window(course: Course, i: int, offset: float, t: float, top: int) -> tuple[Array, Array]:
    """By calls ahead at a moment of interval ``i``: chances of an answer in time, virtual one.

    The first is of an impatient caller; with the second, of an endlessly patient one, goes the
    chance that an impatient one has given up in time.
    """
    parts, rest, j = [], t, i
    while rest > 0:
        room = course.seconds[j] - (offset if j == i else 0.0)
        tau = rest if j == course.size - 1 else min(rest, room)
        if tau > 0:
            parts.append((j, tau))
        rest, j = rest - tau, min(j + 1, course.size - 1)
    answered = np.zeros(top + 1)
    patient = np.zeros(top + 1)
    kept = 1.0
    for j, tau in reversed(parts):
        n, own = int(course.agents[j]), course.patience[j]
        kept *= np.exp(-own * tau)
        answered[:n] = patient[:n] = 1.0
        if top < n:
            continue
        source = np.zeros(top + 1 - n)
        source[0] = n * course.service[j]
        first = course.first_step(j)
        start = patient[n:]
        same = own == 0 and np.array_equal(answered, patient)
        calm = Block(_backward(course, j, top, 0.0), source)
        patient[n:] = follow([calm], [start], tau, first, 1.0)[0]
        if same:
            answered[n:] = patient[n:]
        else:
            pressed = Block(_backward(course, j, top, own), source)
            answered[n:] = follow([pressed], [answered[n:]], tau, first, 1.0)[0]
    n = int(course.agents[i])
    answered[:n] = patient[:n] = 1.0
    gone = 1.0 - answered - (1.0 - patient) * kept
    gone[:n] = 0.0
    return np.stack([answered, np.maximum(gone, 0.0)]), patient


def within(course: Course, parts: list[Part], t: float, points: int) -> Array:
    """Per interval, as shares of its arrivals: answered, given up, virtually answered within t."""
    out = np.empty((course.size, 3))
    for i, part in enumerate(parts):
        later = _changes(course, i, t)
        total = np.zeros(3)
        if later is None:
            total += _share(course, i, part.weight, 0.0, t)
        else:
            total += _across(course, i, part, t, later, points)
        out[i] = total / course.seconds[i]
    return out


def _share(course: Course, i: int, found: Array, offset: float, t: float) -> Array:
    """Counts of the three kinds among calls that find the states ``found`` (lines free)."""
    top = found.size - 1
    entered = found * (np.arange(top + 1) < course.lines[i])
    # Above the state that anybody still finds there is nothing to weigh.
    tail = np.cumsum(entered[::-1])[::-1]
    top = max(int(np.count_nonzero(tail > 1e-13 * tail[0])), int(course.agents[i]))
    entered = padded(entered, top + 1)[: top + 1]
    impatient, patient = _window(course, i, offset, t, top)
    return np.array([*(impatient @ entered), patient @ entered])


def _changes(course: Course, i: int, t: float) -> Array | None:
    """Moments of interval ``i`` from which a window of ``t`` reaches a next change, if any."""
    ends = np.cumsum(course.seconds[i:])
    reached = np.flatnonzero(ends[:-1] - ends[0] < t)
    after = i + 1 + reached
    if all(
        (getattr(course, name)[after] == getattr(course, name)[i]).all()
        for name in ("agents", "service", "patience")
    ):
        return None
    moments = ends[reached] - t
    return np.union1d(np.maximum(moments, 0.0), [course.seconds[i]])


def _across(course: Course, i: int, part: Part, t: float, later: Array, points: int) -> Array:
    """Counts of the three kinds where the window runs into intervals with other agents."""
    pieces = course.rates.shape[1]
    edges = course.seconds[i] * np.arange(pieces + 1) / pieces
    # Moments closer together than this are one moment.
    least = 1e-9 * course.seconds[i]
    edges = np.union1d(later, edges[edges > later[0]])
    edges = edges[np.concatenate([[True], np.diff(edges) > least])]
    x, weights = np.polynomial.legendre.leggauss(points)
    half = np.diff(edges)[:, None] / 2
    moments = (edges[:-1, None] + half * (1 + x)).reshape(-1)
    weights = (half * weights).reshape(-1)
    cuts = np.union1d(moments, later[:1])
    before = [np.zeros(1)]
    seen: list[tuple[float, Array]] = []

    def visit(weight: float, h: float, values: list[Array], now: float) -> None:
        if now <= later[0] + least:
            p = weight * h * (WEIGHTS @ values[0])
            before[0] = padded(before[0], p.size) + padded(p, before[0].size)
        at = np.flatnonzero(np.abs(moments - now) < 1e-10 * course.seconds[i])
        if at.size:
            seen.append((float(weight * weights[at[0]]), values[0][-1]))

    through(course, i, part.start, cuts, visit)
    total = _share(course, i, before[0], 0.0, t) if later[0] > least else np.zeros(3)
    for (weight, p), moment in zip(seen, moments, strict=True):
        total = total + weight * _share(course, i, p, float(moment), t)
    return total
