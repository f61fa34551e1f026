"""Demand that moves: the load a handle time later, and agents found against the day in motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.queueing.goals import meets
from ccanalytics.queueing.stepping import Arrivals, advance, room

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.staffing._seats import Rules

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["Day", "days_of", "gathered", "in_motion", "lagged", "least_in_motion", "modified"]

_TOP = 1e-7  # chance of the last state from which on the state space is widened
_MOST_STATES = 20_000


@dataclass(frozen=True, eq=False)
class Day:
    """Intervals of one key that follow each other without gap: rows of the frame, and demand."""

    rows: Whole
    calls: Floats
    per: Floats
    aht: Floats

    @property
    def load(self) -> Floats:
        """Erlangs."""
        return self.calls * self.aht / self.per


def days_of(frame: pl.DataFrame, keys: tuple[str, ...]) -> list[Day]:
    """Stretches without a gap; handle times of empty intervals are taken from their neighbours."""
    import polars as pl

    frame = frame.with_row_index("_row")
    parts = frame.partition_by(keys, maintain_order=True) if keys else [frame]
    days = []
    for part in parts:
        start = part["interval_start"].dt.epoch("us").to_numpy() / 1e6
        per = part["interval_s"].to_numpy()
        cuts = np.flatnonzero(np.abs(start[1:] - (start + per)[:-1]) > 0.5) + 1
        known = part["aht_s"].fill_nan(None).forward_fill().backward_fill()
        aht = known.fill_null(1.0).to_numpy()
        columns = (part["_row"].cast(pl.Int64).to_numpy(), part["calls"].to_numpy(), per, aht)
        days += [Day(*each) for each in zip(*(np.split(c, cuts) for c in columns), strict=True)]
    return days


def gathered(days: list[Day], values: Sequence[NDArray[Any]]) -> Floats:
    """Values of the days on the rows of the frame."""
    out = np.zeros(sum(day.rows.size for day in days))
    for day, value in zip(days, values, strict=True):
        out[day.rows] = value
    return out


def lagged(day: Day) -> Floats:
    """Load one handle time earlier: calls of the interval shifted back by its handle time.

    Before the first interval calls are taken to have come as in it.
    """
    edges = np.concatenate([[0.0], np.cumsum(day.per)])
    so_far = np.concatenate([[0.0], np.cumsum(day.calls)])

    def until(moment: Floats) -> Floats:
        before = np.minimum(moment, 0.0) * day.calls[0] / day.per[0]
        return np.interp(np.maximum(moment, 0.0), edges, so_far) + before

    calls = until(edges[1:] - day.aht) - until(edges[:-1] - day.aht)
    return np.asarray(calls * day.aht / day.per)


def modified(day: Day) -> Floats:
    """Mean load with endless agents over each interval, from a steady start."""
    from ccanalytics.queueing import modified_offered_load

    return modified_offered_load(day.calls, day.per, day.aht, start="steady").mean


def _batches(days: list[Day]) -> Iterator[list[int]]:
    """Days of the same intervals and much the same size, which are solved side by side."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place, day in enumerate(days):
        size = int(2 * np.log2(max(float(day.load.max(initial=0.0)), 4.0)))
        groups.setdefault((size, day.per.tobytes()), []).append(place)
    yield from groups.values()


@dataclass(eq=False)
class _Walk:
    """Several queues in motion, row by row, from a steady start."""

    calls: Floats  # rows × intervals
    per: Floats
    service: Floats
    patience: Floats
    p: Floats

    @classmethod
    def of(cls, days: list[Day], patience: float | None, agents: Floats) -> _Walk:
        """Start at the load of the first interval, as if with endless agents."""
        from scipy import stats

        calls, aht = np.stack([d.calls for d in days]), np.stack([d.aht for d in days])
        per = days[0].per
        load = calls * aht / per
        states = room(load.max(axis=1), agents.max(axis=1))
        first = stats.poisson.pmf(np.arange(states), load[:, :1])
        return cls(
            calls,
            per,
            1 / aht,
            np.full(len(days), 0.0 if patience is None else 1 / patience),
            first / first.sum(axis=1, keepdims=True),
        )

    def step(self, i: int, which: Whole, agents: Floats) -> tuple[Floats, Arrivals]:
        """Interval ``i`` of some rows with these agents: the end, and what its calls meet."""
        while True:
            rate = self.calls[which, i] / self.per[i]
            service, own = self.service[which, i], self.patience[which]
            p = self.p[which]
            short = int(agents.max()) + 20 - p.shape[1]
            if short > 0:
                self.widen(short)
                continue
            end, mean = advance(p, rate, agents, service, own, float(self.per[i]))
            if max(end[:, -1].max(), mean[:, -1].max()) < _TOP or p.shape[1] >= _MOST_STATES:
                return end, Arrivals(mean, agents, service, own)
            self.widen(p.shape[1])

    def widen(self, more: int) -> None:
        """Add states at the top."""
        self.p = np.pad(self.p, ((0, 0), (0, more)))

    def go_on(self, which: Whole, end: Floats) -> None:
        """Take the end of an interval as the start of the next."""
        if end.shape[1] < self.p.shape[1]:
            end = np.pad(end, ((0, 0), (0, self.p.shape[1] - end.shape[1])))
        elif end.shape[1] > self.p.shape[1]:
            self.widen(end.shape[1] - self.p.shape[1])
        self.p[which] = end


def least_in_motion(days: list[Day], rules: Rules, guesses: list[Whole]) -> list[Whole]:
    """Least agents interval by interval, each given the queue that the ones before have left.

    The distribution of calls in the system is carried from interval to interval, and in each the
    least agents are taken with which the interval's own calls meet the goal and the bounds.
    """
    found = [np.zeros_like(each) for each in guesses]
    for batch in _batches(days):
        chosen = [days[place] for place in batch]
        guess = np.stack([guesses[place] for place in batch])
        walk = _Walk.of(chosen, rules.patience, guess.astype(float))
        agents = np.empty_like(guess)
        for i in range(guess.shape[1]):
            agents[:, i] = _least(walk, i, rules, guess[:, i])
        for place, row in zip(batch, agents, strict=True):
            found[place] = row
    return found


def _least(walk: _Walk, i: int, rules: Rules, guess: Whole) -> Whole:
    rows = guess.size
    calls = walk.calls[:, i] > 0
    least = np.full(rows, rules.min_agents)
    # The greatest number known to fail, and the smallest known to do.
    fails = least - 1
    does = np.where(calls, np.iinfo(np.int64).max, least)
    ends: list[Any] = [None] * rows
    try_next = np.where(calls, np.maximum(guess, least), least)
    below = np.where(calls, np.maximum(try_next - 1, fails), fails)
    pending: list[tuple[int, int]] = []
    for row in range(rows):
        pending.append((row, int(try_next[row])))
        if below[row] > fails[row]:
            pending.append((row, int(below[row])))
    stride = np.ones(rows, dtype=np.int64)
    while pending:
        which = np.array([row for row, _ in pending])
        agents = np.array([n for _, n in pending], dtype=float)
        end, arrivals = walk.step(i, which, agents)
        good = _good(arrivals, rules) | ~calls[which]
        for at, (row, n) in enumerate(pending):
            if good[at]:
                if n <= does[row]:
                    does[row], ends[row] = n, end[at]
            else:
                fails[row] = max(fails[row], n)
        pending = []
        for row in range(rows):
            if does[row] == np.iinfo(np.int64).max:
                stride[row] *= 2
                if fails[row] > 10_000_000:
                    raise DataError(
                        "no number of agents reaches the goal in an interval",
                        f"interval {i}",
                        "lower the goal, or lengthen the intervals",
                    )
                pending.append((row, int(fails[row] + stride[row])))
            elif does[row] - fails[row] > 1:
                # Near the guess step by step, far from it by halves.
                gap = int(does[row] - fails[row])
                pending.append((row, int(does[row] - 1 if gap < 4 else fails[row] + gap // 2)))
    width = max(each.size for each in ends)
    walk.go_on(np.arange(rows), np.stack([np.pad(e, (0, width - e.size)) for e in ends]))
    return does


def _good(arrivals: Arrivals, rules: Rules) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        good = meets(arrivals.service_level(rules.goal), rules.goal.share)
        if rules.max_occupancy is not None:
            good &= arrivals.occupancy <= rules.max_occupancy * (1 + 1e-12)
        if rules.max_abandonment is not None:
            good &= arrivals.abandoned <= rules.max_abandonment * (1 + 1e-12)
    return np.asarray(good & (arrivals.agents > 0))


def in_motion(days: list[Day], rules: Rules, agents: list[Whole]) -> dict[str, Floats]:
    """What each interval's calls meet with these agents, on all rows of the frame in order."""
    size = sum(day.rows.size for day in days)
    names = ("service_level", "occupancy", "wait_probability", "asa", "abandonment")
    out = {name: np.full(size, np.nan) for name in names}
    for batch in _batches(days):
        chosen = [days[place] for place in batch]
        n = np.stack([agents[place] for place in batch]).astype(float)
        walk = _Walk.of(chosen, rules.patience, n)
        every = np.arange(len(batch))
        for i in range(n.shape[1]):
            end, met = walk.step(i, every, n[:, i])
            walk.go_on(every, end)
            rows = np.array([day.rows[i] for day in chosen])
            some = (walk.calls[:, i] > 0) & (n[:, i] > 0)
            with np.errstate(invalid="ignore", divide="ignore"):
                values = (
                    met.service_level(rules.goal),
                    met.occupancy,
                    met.wait_probability,
                    met.asa,
                    met.abandoned,
                )
            for name, value in zip(names, values, strict=True):
                out[name][rows[some]] = value[some]
    return out
