"""The course of a day in small pieces, and the birth–death chain that runs through it.

Within a piece the arrival rate, the agents and all means are constant. Beside the distribution p
of the calls in the system the pass keeps, for the calls that arrived in the interval, entered
and still wait, how many are ahead of them (m) and the same weighted by the time they have waited
(the age). Those ahead leave as the chain's calls do, and later arrivals do not matter, so that

    p′ = Qp,   m′ = Lm + w·p on the states from n on,   age′ = L·age + m,

where L holds the deaths of those ahead and the caller's own impatience, and w is the arrival rate
over its mean in the interval (1 where nobody calls: what a first caller would meet).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import UnsupportedError
from ccanalytics.queueing.radau import (
    TOLERANCE,
    WEIGHTS,
    Bands,
    Block,
    bend,
    next_step,
    stages,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccanalytics.queueing.door import Array

    Visit = Callable[[float, float, list[Array], float], None]

__all__ = ["MOST_CALLS", "Course", "Part", "at_moments", "follow_waits", "padded", "run", "through"]

MOST_CALLS = 50_000  # in the system; beyond it a fluid model or a simulation is the better tool
_LOSS = 1e-13  # probability that one step may lose at the top of the state space
_TRIM = 1e-16


@dataclass(frozen=True, eq=False)
class Course:
    """Intervals by row: arrival rates by piece, seconds, agents, rates of service and patience."""

    rates: Array  # intervals × pieces, calls per second
    seconds: Array
    agents: Array
    service: Array  # μ
    patience: Array  # θ, 0 for endless patience
    lines: Array  # inf for endless lines

    @property
    def size(self) -> int:
        """Number of intervals."""
        return self.seconds.size

    @property
    def weights(self) -> Array:
        """Arrival rate over its mean in the interval; 1 where nobody calls."""
        mean = self.rates.mean(axis=1, keepdims=True)
        return np.where(mean > 0, self.rates / np.where(mean > 0, mean, 1.0), 1.0)

    def chain(self, i: int, piece: int, top: int) -> Bands:
        """The chain of calls in the system; births from ``top`` leave it, and are lost."""
        k = np.arange(top + 1.0)
        births = np.where(k < self.lines[i], self.rates[i, piece], 0.0)
        deaths = self.deaths(i, k)
        return Bands(births[:-1], -(births + deaths), deaths[1:])

    def deaths(self, i: int, k: Array) -> Array:
        """Rate at which k calls become k − 1."""
        n = self.agents[i]
        return np.minimum(k, n) * self.service[i] + np.maximum(k - n, 0.0) * self.patience[i]

    def ahead(self, i: int, top: int, own: float) -> Bands:
        """Calls ahead of one who waits, from n to ``top``; ``own`` is that caller's impatience."""
        deaths = self.deaths(i, np.arange(self.agents[i], top + 1.0))
        return Bands(np.zeros(max(deaths.size - 1, 0)), -(deaths + own), deaths[1:])

    def first_step(self, i: int) -> float:
        """A step that the fastest common event allows; it soon grows."""
        fastest = self.rates[i].max() + self.agents[i] * self.service[i] + self.patience[i]
        return float(min(self.seconds[i], 4 / max(fastest, 4 / self.seconds[i])))


@dataclass(eq=False)
class Part:
    """What one interval leaves behind."""

    start: Array  # distribution at its start
    weight: Array = field(default_factory=lambda: np.zeros(1))  # ∫ w·p over p: as arrivals find it
    time: Array = field(default_factory=lambda: np.zeros(1))  # ∫ p
    waited: float = 0.0  # seconds waited in it by those who arrived in it, over ∫ w
    answered: float = 0.0  # share of them answered in it after a wait …
    answered_wait: float = 0.0  # … and their waits
    waiting: Array = field(default_factory=lambda: np.zeros(0))  # m at its end
    age: Array = field(default_factory=lambda: np.zeros(0))
    lost: float = 0.0


def padded(values: Array, size: int) -> Array:
    """``values`` followed by zeros."""
    return np.concatenate([values, np.zeros(size - values.size)]) if size > values.size else values


def roomy(course: Course, i: int, p: Array) -> Array:
    """The distribution cut where it has died out, with room above for the interval's calls."""
    tail = np.cumsum(p[::-1])[::-1]
    held = int(np.searchsorted(-tail, -_TRIM)) + 1
    load = course.rates[i].max() / course.service[i]
    aim = int(max(held, course.agents[i], load) + 6 * np.sqrt(load) + 30)
    aim = int(max(min(aim, max(course.lines[i], held)), course.agents[i]))
    return padded(p[: aim + 1], aim + 1)


def through(
    course: Course,
    i: int,
    p: Array,
    cuts: Array | None = None,
    visit: Visit | None = None,
    *,
    waits: bool = False,
) -> tuple[Array, list[Array], float]:
    """Carry the distribution through interval ``i``.

    ``visit(w, h, stages, end)`` sees every step: its weight and length, the stages of every block
    and the moment at which it ends; no step runs over one of ``cuts``. Returns the distribution,
    with ``waits`` the blocks of those who still wait, and the probability lost at the top.
    """
    pieces = course.rates.shape[1]
    edges = course.seconds[i] * np.arange(1, pieces + 1) / pieces
    stops = edges if cuts is None else np.union1d(edges, cuts[(cuts > 0) & (cuts < edges[-1])])
    n, own, lost = int(course.agents[i]), course.patience[i], 0.0
    y, now, h = [roomy(course, i, p)], 0.0, course.first_step(i)
    if waits:
        y += [np.zeros(y[0].size - n), np.zeros(y[0].size - n)]
    for stop in stops:
        piece = min(int((now + stop) / 2 / edges[-1] * pieces), pieces - 1)
        rate, weight = course.rates[i, piece], course.weights[i, piece]
        blocks: list[Block] = []
        while stop - now > 1e-11 * edges[-1]:
            if not blocks:
                blocks = _blocks(course, i, piece, y[0].size - 1, own if waits else None)
            step = min(h, stop - now)
            values = stages(blocks, y, step)
            error = float(np.abs(bend(y[0], values[0])).sum())
            if waits and y[1].size:
                left = np.abs(bend(y[1], values[1])).sum() / edges[-1]
                error = max(error, float(left))
            if error > TOLERANCE:
                h = next_step(step, error)
                continue
            top = y[0].size - 1
            if top < course.lines[i]:
                gone = float(rate * step * (WEIGHTS @ np.abs(values[0][:, -1])))
                if gone > _LOSS:
                    size = _larger(course, i, top) + 1
                    y = [padded(y[0], size), *(padded(v, size - n) for v in y[1:])]
                    blocks = []
                    continue
                lost += gone
            y, now = [v[-1] for v in values], now + step
            if visit is not None:
                visit(weight, step, values, now)
            # A last short step before a stop says nothing about the next.
            h = max(next_step(step, error), h if step < h else 0.0)
    return y[0], y[1:], lost


def _blocks(course: Course, i: int, piece: int, top: int, own: float | None) -> list[Block]:
    blocks = [Block(course.chain(i, piece, top))]
    if own is not None:
        n, weight = int(course.agents[i]), course.weights[i, piece]
        enter = weight * (np.arange(n, top + 1) < course.lines[i])
        ahead = course.ahead(i, top, own)
        blocks += [
            Block(ahead, feed=lambda p: enter * p[n:]),
            Block(ahead, feed=lambda m: m),
        ]
    return blocks


def _larger(course: Course, i: int, top: int) -> int:
    size = int(min(1.3 * top + 30, course.lines[i]))
    if size > MOST_CALLS:
        raise UnsupportedError(
            f"more than {MOST_CALLS:,} calls would be in the system at once",
            f"interval {i}",
            "give more agents, finite lines or patience, or simulate",
        )
    return size


def run(course: Course, start: Array) -> tuple[list[Part], Array]:
    """Every interval's part, without those who wait, and the distribution at the end."""
    parts, p = [], start
    for i in range(course.size):
        part = Part(start=p)

        def visit(
            weight: float, h: float, values: list[Array], now: float, part: Part = part
        ) -> None:
            del now
            time = h * (WEIGHTS @ values[0])
            size = max(part.time.size, time.size)
            part.time = padded(part.time, size) + padded(time, size)
            part.weight = padded(part.weight, size) + padded(weight * time, size)

        p, _, part.lost = through(course, i, p, visit=visit)
        parts.append(part)
    return parts, p


def follow_waits(course: Course, parts: list[Part]) -> None:
    """Complete every part with those who wait: a second pass, three times the work of the first."""
    for i, part in enumerate(parts):
        if part.waiting.size:
            continue
        out = course.agents[i] * course.service[i]

        def visit(
            weight: float,
            h: float,
            values: list[Array],
            now: float,
            part: Part = part,
            out: float = out,
        ) -> None:
            del weight, now
            m, age = (h * (WEIGHTS @ v) for v in values[1:])
            part.waited += m.sum()
            part.answered += out * m[0]
            part.answered_wait += out * age[0]

        _, (part.waiting, part.age), _ = through(course, i, part.start, visit=visit, waits=True)


def at_moments(course: Course, parts: list[Part], times: Array) -> list[Array]:
    """Distributions at seconds since the start; each interval is gone through once more."""
    ends = np.cumsum(course.seconds)
    rows: dict[float, Array] = {}
    for i, part in enumerate(parts):
        begin, length = ends[i] - course.seconds[i], course.seconds[i]
        last = i == course.size - 1
        # The moment of a change counts to the interval that it begins.
        inside = times[(times >= begin) & ((times < ends[i]) | last)]
        if not inside.size:
            continue
        cuts, near = np.unique(inside - begin), 1e-10 * length
        for cut in cuts[cuts <= near]:
            rows[float(cut + begin)] = part.start
        found: list[tuple[float, Array]] = []

        def visit(
            weight: float,
            h: float,
            values: list[Array],
            now: float,
            found: list[tuple[float, Array]] = found,
        ) -> None:
            del weight, h
            found.append((now, values[0][-1]))

        through(course, i, part.start, cuts, visit)
        moments = np.array([now for now, _ in found])
        for cut in cuts[cuts > near]:
            rows[float(cut + begin)] = found[int(np.argmin(np.abs(moments - cut)))][1]
    known = np.array(list(rows))
    return [rows[float(known[np.argmin(np.abs(known - t))])] for t in times]
