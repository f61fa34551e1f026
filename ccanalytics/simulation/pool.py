"""One pool of like agents, first come, first served, without an event list.

In order of joining the queue, a caller meets the agent who is free first, at f: served at
s = max(joined, f) if s − joined is within the caller's patience, and gone before otherwise,
without ever holding an agent. One walk down a heap of agents' free times per answered call.
Staff changes at the bounds of the bins; whoever leaves is the first to be free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.compiled import compiled_in_place
from ccanalytics.simulation.heaps import pop_row, pop_time, push_row, push_time, replace_least
from ccanalytics.simulation.tally import (
    ABANDONED,
    ANSWERED,
    ARRIVED,
    BLOCKED,
    FIRST_IN_TIME,
    FIRST_TRIES,
    HANDLE_S,
    KIND_FIRST,
    KIND_RECONNECT,
    KIND_REDIAL,
    LEFT_MENU,
    UNSERVED,
    WAIT_ABANDONED_S,
    WAIT_ANSWERED_S,
    WAIT_UNSERVED_S,
    WAITED,
)

if TYPE_CHECKING:
    from ccanalytics.simulation.tally import Again, Calls, Centre, Floats, Tally, Wholes

__all__ = ["DONE", "MORE_DRAWS", "MORE_RECORDS", "MORE_ROOM", "Pool", "add_span", "put_record"]

DONE, MORE_DRAWS, MORE_ROOM, MORE_RECORDS = 0, 1, 2, 3
# Places in the state: next call, agents, next staff change, the clock's bin, the bin of the last
# start of service, rows in the heaps of later attempts, of menus and of lines, draws used, records.
_NEXT, _SIZE, _STAFF, _CLOCK, _START, _LATER, _MENU, _LINES, _DRAWN, _RECORDS = range(10)
# Fields of a row in the heap of later attempts, and in that of callers in the menu.
_L_TIME, _L_TYPE, _L_WORK, _L_KIND = range(4)
_M_TIME, _M_ARRIVED, _M_TYPE, _M_WORK, _M_PATIENCE, _M_LEAVES, _M_KIND, _M_BIN = range(8)


@compiled_in_place
def add_span(
    sums: Floats, column: int, bounds: Floats, place: int, low: float, high: float
) -> None:
    """Spread the time from ``low`` (in bin ``place``) to ``high`` over the bins it lies in."""
    while high > bounds[place + 1]:
        sums[place, column] += bounds[place + 1] - low
        low = bounds[place + 1]
        place += 1
    sums[place, column] += high - low


@compiled_in_place
def put_record(  # pragma: no cover
    records: Floats,
    place: int,
    arrived: float,
    joined: float,
    left: float,
    ended: float,
    kind: int,
    outcome: int,
    group: int,
    attempt: int,
) -> None:
    """Keep a call: when it came, joined and left the queue and ended, and what it was."""
    records[place, 0] = arrived
    records[place, 1] = joined
    records[place, 2] = left
    records[place, 3] = ended
    records[place, 4] = kind
    records[place, 5] = outcome
    records[place, 6] = group
    records[place, 7] = attempt


@compiled_in_place
def _change_staff(  # pragma: no cover
    centre: Centre, tally: Tally, at: Wholes, free: Floats, now: float
) -> None:
    """Staff changes that come before an agent is free for a call that waits from now on."""
    bounds = centre.bounds
    while at[_STAFF] < centre.agents.shape[0]:
        change = bounds[at[_STAFF]]
        if at[_SIZE] > 0 and change > max(now, free[0]):
            break
        wanted = centre.agents[at[_STAFF], 0]
        while at[_SIZE] > wanted:
            gone = pop_time(free, at[_SIZE])
            at[_SIZE] -= 1
            if gone > change:
                add_span(tally.overtime, 0, bounds, at[_STAFF], change, gone)
        while at[_SIZE] < wanted:
            push_time(free, at[_SIZE], change)
            at[_SIZE] += 1
        at[_STAFF] += 1


@compiled_in_place
def _run(  # noqa: PLR0915  # pragma: no cover: one loop, for speed
    calls: Calls,
    last: bool,
    again: Again,
    centre: Centre,
    tally: Tally,
    records: Floats,
    at: Wholes,
    free: Floats,
    later: Floats,
    menu: Floats,
    lines: Floats,
    row: Floats,
    next_later: Floats,
) -> int:
    """Take calls until they, the draws, the room or the records run out; which, is returned.

    ``last``: no call follows these, so the queue is emptied, too. ``records`` without rows keeps
    none.
    """
    bounds, end = centre.bounds, centre.end
    bins = centre.agents.shape[0]
    thresholds = centre.within.size
    count = calls.at.size
    while True:
        if at[_DRAWN] + 2 >= again.chance.shape[1]:
            return MORE_DRAWS
        if at[_LATER] + 2 >= later.shape[0] or at[_MENU] + 2 >= menu.shape[0]:
            return MORE_ROOM
        if records.shape[0] > 0 and at[_RECORDS] + 2 >= records.shape[0]:
            return MORE_RECORDS
        # Whatever comes first: a caller leaves the menu, a call, a later attempt.
        now = calls.at[at[_NEXT]] if at[_NEXT] < count else np.inf
        if now == np.inf and not last:
            return DONE
        source = 0
        if at[_LATER] > 0 and later[0, _L_TIME] < now:
            now, source = later[0, _L_TIME], 1
        if at[_MENU] > 0 and menu[0, _M_TIME] <= now:
            now, source = menu[0, _M_TIME], 2
        if now == np.inf:
            _change_staff(centre, tally, at, free, now)
            return DONE
        while now >= bounds[at[_CLOCK] + 1]:
            at[_CLOCK] += 1
        clock = at[_CLOCK]

        if source == 2:
            pop_row(menu, at[_MENU], row)
            at[_MENU] -= 1
            arrived, kind, work, patience = row[1], int(row[2]), row[3], row[4]
            attempt, home = int(row[6]), int(row[7])
            if row[5] > 0:
                tally.calls[home, kind, LEFT_MENU] += 1
                # Lines count by the time at which they are free again; this one is so at once.
                add_span(tally.lines, 0, bounds, home, arrived, now)
                if records.shape[0] > 0:
                    put_record(
                        records, at[_RECORDS], arrived, np.nan, now, now, kind, 2, -1, attempt
                    )
                    at[_RECORDS] += 1
                continue
        else:
            if source == 1:
                pop_row(later, at[_LATER], next_later)
                at[_LATER] -= 1
                if now >= end:
                    continue  # the centre does not answer any more
                kind, work, attempt = int(next_later[1]), next_later[2], int(next_later[3])
                drawn = at[_DRAWN]
                at[_DRAWN] += 1
                patience, in_menu = again.patience[kind, drawn], again.menu[kind, drawn]
                leaves = again.leaves[kind, drawn]
                if attempt == KIND_RECONNECT:
                    work = again.work[kind, drawn]
            else:
                i = at[_NEXT]
                at[_NEXT] += 1
                kind, work, attempt = calls.kind[i], calls.work[i], KIND_FIRST
                patience, in_menu, leaves = calls.patience[i], calls.menu[i], calls.leaves[i]
            arrived, home = now, clock
            tally.calls[home, kind, ARRIVED] += 1
            if attempt == KIND_FIRST:
                tally.calls[home, kind, FIRST_TRIES] += 1
            if centre.lines > 0:
                while at[_LINES] > 0 and lines[0] <= now:
                    pop_time(lines, at[_LINES])
                    at[_LINES] -= 1
                if at[_LINES] + at[_MENU] >= centre.lines:
                    tally.calls[home, kind, BLOCKED] += 1
                    if centre.redial_blocked[kind] > 0:
                        drawn = at[_DRAWN]
                        at[_DRAWN] += 1
                        if again.chance[kind, drawn] < centre.redial_blocked[kind]:
                            next_later[0] = now + again.delay[1, kind, drawn]
                            next_later[1], next_later[2] = kind, work
                            next_later[3] = KIND_REDIAL
                            push_row(later, at[_LATER], next_later)
                            at[_LATER] += 1
                    if records.shape[0] > 0:
                        put_record(
                            records, at[_RECORDS], now, np.nan, np.nan, now, kind, 3, -1, attempt
                        )
                        at[_RECORDS] += 1
                    continue
            if centre.has_menu:
                row[0], row[1], row[2], row[3] = now + in_menu, now, kind, work
                row[4], row[5], row[6], row[7] = patience, leaves, attempt, home
                push_row(menu, at[_MENU], row)
                at[_MENU] += 1
                continue

        # The caller joins the queue, and meets who is there when an agent is free for this call.
        _change_staff(centre, tally, at, free, now)
        start = max(now, free[0]) if at[_SIZE] > 0 else np.inf
        offered_wait = start - now
        cell = tally.calls[home, kind]
        for j in range(thresholds):
            if offered_wait <= centre.within[j]:
                cell[FIRST_IN_TIME + 3 * j + 2] += 1
        if offered_wait > 0 and now < centre.close:
            cell[WAITED] += 1
        if offered_wait <= patience and start < centre.close:
            finish = start + work * centre.aht[home, kind]
            replace_least(free, at[_SIZE], finish)
            cell[ANSWERED] += 1
            cell[WAIT_ANSWERED_S] += offered_wait
            cell[HANDLE_S] += finish - start
            for j in range(thresholds):
                if offered_wait <= centre.within[j]:
                    cell[FIRST_IN_TIME + 3 * j] += 1
            while start >= bounds[at[_START] + 1]:
                at[_START] += 1
            add_span(tally.busy, 0, bounds, at[_START], start, finish)
            if offered_wait > 0:
                add_span(tally.queue, kind, bounds, clock, now, start)
            if centre.reconnect[kind] > 0:
                drawn = at[_DRAWN]
                at[_DRAWN] += 1
                if again.chance[kind, drawn] < centre.reconnect[kind]:
                    next_later[0] = finish + again.delay[2, kind, drawn]
                    next_later[1], next_later[2], next_later[3] = kind, work, KIND_RECONNECT
                    push_row(later, at[_LATER], next_later)
                    at[_LATER] += 1
            released, outcome = finish, 0
            left = start
        elif patience <= centre.close - now and patience < np.inf:
            left = released = now + patience
            cell[ABANDONED] += 1
            cell[WAIT_ABANDONED_S] += patience
            for j in range(thresholds):
                if patience <= centre.within[j]:
                    cell[FIRST_IN_TIME + 3 * j + 1] += 1
            add_span(tally.queue, kind, bounds, clock, now, left)
            if centre.redial[kind] > 0:
                drawn = at[_DRAWN]
                at[_DRAWN] += 1
                if again.chance[kind, drawn] < centre.redial[kind]:
                    next_later[0] = left + again.delay[0, kind, drawn]
                    next_later[1], next_later[2], next_later[3] = kind, work, KIND_REDIAL
                    push_row(later, at[_LATER], next_later)
                    at[_LATER] += 1
            outcome = 1
        else:
            left = max(now, min(centre.close, end))
            released = left if centre.close < np.inf else np.inf
            cell[UNSERVED] += 1
            cell[WAIT_UNSERVED_S] += left - now
            add_span(tally.queue, kind, bounds, clock, now, left)
            outcome = 4
        if centre.lines > 0 or centre.has_menu:
            add_span(
                tally.lines.reshape(-1, 1),
                0,
                bounds,
                home,
                arrived,
                min(released, bounds[bins - 1]),
            )
        if centre.lines > 0:
            push_time(lines, at[_LINES], released)
            at[_LINES] += 1
        if records.shape[0] > 0:
            group = 0 if outcome == 0 else -1
            ended = released if released < np.inf else np.nan
            put_record(
                records, at[_RECORDS], arrived, now, left, ended, kind, outcome, group, attempt
            )
            at[_RECORDS] += 1


class Pool:
    """A pool at one moment: agents by when they are free, and callers who are yet to join."""

    MORE_DRAWS, MORE_RECORDS = MORE_DRAWS, MORE_RECORDS

    def __init__(self, centre: Centre, room: int = 256) -> None:
        agents = centre.agents[:, 0]
        self._centre = centre
        self._at = np.zeros(10, np.int64)
        self._free = np.zeros(max(1, int(agents.max())) + 1)
        self._later = np.zeros((room, 4))
        self._menu = np.zeros((room, 8))
        self._lines = np.zeros(max(1, centre.lines) + 1)
        self._row, self._next_later = np.zeros(8), np.zeros(4)  # scratch
        self._at[_SIZE], self._at[_STAFF] = agents[0], 1
        self._free[: agents[0]] = centre.bounds[0]

    @property
    def records(self) -> int:
        """Rows in the records since they were last emptied."""
        return int(self._at[_RECORDS])

    def run(self, calls: Calls, last: bool, again: Again, tally: Tally, records: Floats) -> int:
        """Take calls until they, the draws or the records run out; which, is returned."""
        while True:
            reason: int = _run(
                calls,
                last,
                again,
                self._centre,
                tally,
                records,
                self._at,
                self._free,
                self._later,
                self._menu,
                self._lines,
                self._row,
                self._next_later,
            )
            if reason != MORE_ROOM:
                return reason
            self._later = np.concatenate([self._later, np.zeros_like(self._later)])
            self._menu = np.concatenate([self._menu, np.zeros_like(self._menu)])

    def refill(self, reason: int) -> None:
        """What had run out is there again."""
        self._at[{DONE: _NEXT, MORE_DRAWS: _DRAWN, MORE_RECORDS: _RECORDS}[reason]] = 0
