"""Trunk lines: planned every quarter for the calls foreseen, and what happens when all are taken.

A line is held from the first second of a call to the last, menu and queue included. Callers who
come while a group's lines are all taken hear a busy signal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.compiled import compiled
from ccanalytics.simulation.sample.heap import moment, packed, place, pop, push
from ccanalytics.simulation.sample.records import BLOCKED, WITHHELD
from ccanalytics.simulation.sample.volumes import DAY_S, HALF_HOUR_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.population import Population
    from ccanalytics.simulation.sample.records import CallRecords, Events
    from ccanalytics.simulation.sample.volumes import Volumes

__all__ = ["LINES_MEANINGS", "LINE_GROUPS", "SECOND_GROUP", "Lines", "fit_lines", "group_of"]

# Two of the centre's own province, one for each other, and that of the second line.
LINE_GROUPS = ("central-1", "central-2", "north-1", "south-1")
SECOND_GROUP = "second-1"
_SITES = ("east", "west", "west", "south", "east")

LINES_MEANINGS: dict[str, str] = {
    "lines": "by trunk group: lines planned and the load they were planned for (erlangs, spare "
    "included) in each period; most_at_once: calls in progress; blocked: calls of the log that "
    "found no line free. What is told of the queue, and of first calls and requests, is of a "
    "centre without busy signals: blocked calls are counted there as what they would have been",
}


@dataclass(frozen=True, eq=False)
class Lines:
    """Groups × periods: lines from each of the days ``from_day`` on; and what came of them."""

    from_day: NDArray[np.int64]
    lines: NDArray[np.int64]
    load: NDArray[np.float64]
    most: NDArray[np.int64]
    blocked: NDArray[np.int64]

    def rows(self) -> list[tuple[str, str, int, int]]:
        """Site, group, lines and day, wherever the number changes."""
        names = (*LINE_GROUPS, SECOND_GROUP)
        return [
            (_SITES[group], names[group], int(each[period]), int(self.from_day[period]))
            for group, each in enumerate(self.lines)
            for period in range(self.from_day.size)
            if not period or each[period] != each[period - 1]
        ]

    def truth(self) -> dict[str, Any]:
        """The ``lines`` part of ``truth.json``."""
        return {
            name: {
                "lines": self.lines[group].tolist(),
                "erlangs": np.round(self.load[group], 3).tolist(),
                "most_at_once": int(self.most[group]),
                "blocked": int(self.blocked[group]),
            }
            for group, name in enumerate((*LINE_GROUPS, SECOND_GROUP)[: len(self.lines)])
        } | {"from_day": self.from_day.tolist()}

    def with_second(
        self, parameters: CentreParameters, begin: NDArray[Any], end: NDArray[Any]
    ) -> Lines:
        """With the second line's own group, which is as large as its busiest moment at least."""
        busiest = _busiest(begin, self.from_day)
        hold = float((end - begin).mean()) if begin.size else 0.0
        load = busiest * hold / HALF_HOUR_S * parameters.lines_load
        most = int(_in_use(begin, end).max(initial=0))
        lines = np.maximum(_planned(parameters, load), most)
        return Lines(
            from_day=self.from_day,
            lines=np.vstack([self.lines, lines]),
            load=np.vstack([self.load, load]),
            most=np.append(self.most, most),
            blocked=np.append(self.blocked, 0),
        )


def group_of(population: Population, customer: NDArray[Any]) -> NDArray[np.uint8]:
    """The trunk group of each call: of the caller's province, and two of the centre's own."""
    who = np.arange(population.size)
    province = population.province[who].astype(np.uint8)
    own = np.where(population.prefecture % 2 == 0, 0, 1)
    group = np.where(province == 0, own, province + 1).astype(np.uint8)
    return group[np.where(customer >= 0, customer, WITHHELD - customer)]


def fit_lines(
    parameters: CentreParameters,
    volumes: Volumes,
    population: Population,
    calls: CallRecords,
    events: Events,
) -> tuple[Lines, CallRecords]:
    """Lines by group and period, and the calls with those marked that found none free.

    Calls with a self-service event are never the ones turned away, so that both logs agree; where
    such calls alone exceed the lines (far too few of them), a group carries one too many.
    """
    p, days = parameters, len(volumes.profile)
    from_day = np.arange(0, days, round(p.lines_days))
    end = calls.arrived + calls.menu_s
    for part in (calls.wait_s, calls.talk_s, calls.hold_s):
        end += np.maximum(part, 0)
    # Known to the planner: the calendar, calls per first call, and how long a line is held.
    known = volumes.expected.sum(axis=0)[:, None] * volumes.profile
    calls_each = calls.arrived.size / max(float(known.sum()), 1e-9)
    hold_s = float((end - calls.arrived).mean()) if end.size else 0.0
    busiest = np.maximum.reduceat(known.max(axis=1), from_day) * calls_each
    everyone = group_of(population, np.arange(population.size))
    share = np.bincount(everyone, population.rate, minlength=len(LINE_GROUPS))
    share = share / max(share.sum(), 1e-9)
    load = share[:, None] * busiest[None, :] * hold_s / HALF_HOUR_S * p.lines_load
    lines = _planned(p, load)

    group = group_of(population, calls.customer)
    protected = np.zeros(end.size, bool)
    protected[events.call[events.call >= 0]] = True
    blocked = np.zeros(end.size, bool)
    most = np.zeros(len(LINE_GROUPS), np.int64)
    for each in range(len(LINE_GROUPS)):
        mine = np.flatnonzero(group == each)
        begin, until = calls.arrived[mine], end[mine]
        limit = lines[each].astype(np.int32)[begin // round(p.lines_days * DAY_S)]
        in_use = _in_use(begin, until)
        if (in_use > limit).any():
            turned = np.zeros(mine.size, np.bool_)
            _turn_away(begin, until, protected[mine], limit, turned)
            blocked[mine] = turned
            in_use = _in_use(begin[~turned], until[~turned])
        most[each] = in_use.max(initial=0)
    lost = np.bincount(group[blocked], minlength=len(LINE_GROUPS))
    return Lines(from_day, lines, load, most, lost), _marked(calls, blocked)


def _planned(parameters: CentreParameters, load: NDArray[np.float64]) -> NDArray[np.int64]:
    from ccanalytics.queueing import servers_for_blocking

    enough = np.asarray(servers_for_blocking(load, parameters.lines_blocking), np.int64)
    return np.maximum(enough, max(1, round(parameters.lines_least)))


def _marked(calls: CallRecords, blocked: NDArray[np.bool_]) -> CallRecords:
    if not blocked.any():
        return calls
    nothing = np.int32(-1)
    return replace(
        calls,
        outcome=np.where(blocked, BLOCKED, calls.outcome).astype(np.uint8),
        **{
            name: np.where(blocked, nothing, getattr(calls, name))
            for name in ("menu_s", "wait_s", "talk_s", "hold_s", "wrap_s", "person")
        },
    )


def _busiest(begin: NDArray[Any], from_day: NDArray[np.int64]) -> NDArray[np.float64]:
    """Calls of the busiest half-hour of the week on average, in each period."""
    week = 7 * DAY_S
    weeks = int(begin.max(initial=0)) // week + 1
    usual = np.bincount(begin % week // HALF_HOUR_S, minlength=336) / weeks
    return np.full(from_day.size, float(usual.max()))


def _in_use(begin: NDArray[Any], end: NDArray[Any]) -> NDArray[np.int32]:
    """Calls in progress just after each one's beginning; ``begin`` is sorted."""
    over = np.searchsorted(np.sort(end), begin, side="right")
    return (np.arange(1, begin.size + 1) - over).astype(np.int32)


def _turn_away(
    begin: NDArray[Any],
    end: NDArray[Any],
    protected: NDArray[np.bool_],
    limit: NDArray[np.int32],
    turned: NDArray[np.bool_],
) -> None:
    """Mark calls so that never more than ``limit`` are in progress: the last to come goes first."""
    ends, stack = np.empty(begin.size, np.int64), np.empty(begin.size, np.int64)
    _sweep(begin, end, protected, limit, ends, stack, turned)


@compiled
def _sweep(
    begin: Any,
    end: Any,
    protected: Any,
    limit: Any,
    ends: Any,
    stack: Any,
    turned: Any,
) -> None:
    size = 0
    in_use = 0
    top = 0
    for call in range(len(begin)):
        now = begin[call]
        while size > 0 and moment(ends[0]) <= now:
            if not turned[place(ends[0])]:
                in_use -= 1
            pop(ends, size)
            size -= 1
        if in_use == 0:
            top = 0
        if end[call] > now:
            push(ends, size, packed(end[call], call))
            size += 1
            in_use += 1
            if not protected[call]:
                stack[top] = call
                top += 1
        while in_use > limit[call] and top > 0:
            top -= 1
            last = stack[top]
            if end[last] > now:
                turned[last] = True
                in_use -= 1
