"""Several types of calls and groups of agents: skills, priorities and routing, event by event.

An arriving call goes to the first group on its route with an idle agent, and waits otherwise. An
agent who is free takes, of the waiting calls within the group's skills, the one of the highest
priority, and among equals the one with the longest wait, head start included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.simulation.compiled import compiled
from ccanalytics.simulation.heaps import pop_row, push_row
from ccanalytics.simulation.pool import DONE, MORE_DRAWS, MORE_RECORDS, MORE_ROOM, put_record
from ccanalytics.simulation.tally import (
    ABANDONED,
    ANSWERED,
    ARRIVED,
    BLOCKED,
    CUT_OFF,
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
    from numpy.typing import NDArray

    from ccanalytics.simulation.groups import Groups
    from ccanalytics.simulation.tally import Again, Calls, Centre, Floats, Tally, Wholes

__all__ = ["Network"]

# Places in the state of the whole.
_NEXT, _STAFF, _CLOCK, _EVENTS, _LATER, _DRAWN, _RECORDS, _INSIDE, _SPARE = range(9)
# What a call in the centre knows of itself: times, and whole numbers.
_ARRIVED, _JOINED, _WORK, _PATIENCE, _START, _FINISH = range(6)
_TYPE, _HOME, _ATTEMPT, _PHASE, _TURN, _AHEAD, _BEHIND, _GROUP, _SERVED = range(9)
_NOWHERE, _IN_MENU, _WAITING, _TALKING = range(4)
# Events: an agent is free, a caller gives up, a caller has heard the menu.
_FREE, _GIVES_UP, _MENU_ENDS = 0, 1, 2


@compiled
def _spend(  # pragma: no cover
    tally: Tally, at: Wholes, now: float, since: Floats, level: Wholes, staff: Wholes, group: int
) -> None:
    """Book the time of a group up to now at its level since it last changed."""
    spent = now - since[group]
    if spent > 0:
        clock = at[_CLOCK]
        tally.busy[clock, group] += spent * level[group]
        if level[group] > staff[group]:
            tally.overtime[clock, group] += spent * (level[group] - staff[group])
        since[group] = now


@compiled
def _wait_time(  # pragma: no cover
    tally: Tally, at: Wholes, now: float, since: Floats, waiting: Wholes, kind: int
) -> None:
    """Book the time of a queue up to now."""
    spent = now - since[kind]
    if spent > 0:
        tally.queue[at[_CLOCK], kind] += spent * waiting[kind]
        since[kind] = now


@compiled
def _line_time(tally: Tally, at: Wholes, now: float, since: Floats) -> None:  # pragma: no cover
    """Book the time of the lines held up to now."""
    spent = now - since[0]
    if spent > 0:
        tally.lines[at[_CLOCK], 0] += spent * at[_INSIDE]
        since[0] = now


@compiled
def _unlink(whole: Wholes, ends: Wholes, slot: int) -> None:  # pragma: no cover
    kind, ahead, behind = whole[slot, _TYPE], whole[slot, _AHEAD], whole[slot, _BEHIND]
    if ahead >= 0:
        whole[ahead, _BEHIND] = behind
    else:
        ends[kind, 0] = behind
    if behind >= 0:
        whole[behind, _AHEAD] = ahead
    else:
        ends[kind, 1] = ahead


@compiled
def _link(whole: Wholes, ends: Wholes, slot: int, in_front: bool) -> None:  # pragma: no cover
    kind = whole[slot, _TYPE]
    first, last = ends[kind, 0], ends[kind, 1]
    whole[slot, _AHEAD] = whole[slot, _BEHIND] = -1
    if first < 0:
        ends[kind, 0] = ends[kind, 1] = slot
    elif in_front:
        whole[slot, _BEHIND] = first
        whole[first, _AHEAD] = slot
        ends[kind, 0] = slot
    else:
        whole[slot, _AHEAD] = last
        whole[last, _BEHIND] = slot
        ends[kind, 1] = slot


@compiled
def _choose(  # pragma: no cover
    group: int,
    now: float,
    times: Floats,
    ends: Wholes,
    serves: NDArray[np.bool_],
    priority: Wholes,
    head_start: Floats,
) -> int:
    """The waiting call that an agent of the group takes next, or −1."""
    best, best_rank, best_wait = -1, 0, 0.0
    for kind in range(priority.size):
        slot = ends[kind, 0]
        if slot < 0 or not serves[group, kind]:
            continue
        wait = now - times[slot, _JOINED] + head_start[kind]
        if (
            best < 0
            or priority[kind] < best_rank
            or (priority[kind] == best_rank and wait > best_wait)
        ):
            best, best_rank, best_wait = slot, priority[kind], wait
    return best


@compiled
def _release(whole: Wholes, spare: Wholes, at: Wholes, slot: int) -> None:  # pragma: no cover
    whole[slot, _PHASE] = _NOWHERE
    whole[slot, _TURN] += 1
    spare[at[_SPARE]] = slot
    at[_SPARE] += 1


@compiled
def _serve(  # pragma: no cover
    slot: int,
    group: int,
    now: float,
    centre: Centre,
    tally: Tally,
    at: Wholes,
    times: Floats,
    whole: Wholes,
    events: Floats,
    level: Wholes,
    staff: Wholes,
    since: Floats,
) -> None:
    """An agent takes the call; it has left its queue, or never stood in it."""
    _spend(tally, at, now, since, level, staff, group)
    level[group] += 1
    kind, home = whole[slot, _TYPE], whole[slot, _HOME]
    if whole[slot, _SERVED] == 0:
        whole[slot, _SERVED] = 1
        wait = now - times[slot, _JOINED]
        cell = tally.calls[home, kind]
        times[slot, _WORK] *= centre.aht[home, kind]
        cell[ANSWERED] += 1
        cell[WAIT_ANSWERED_S] += wait
        cell[HANDLE_S] += times[slot, _WORK]
        if wait > 0:
            cell[WAITED] += 1
        for j in range(centre.within.size):
            if wait <= centre.within[j]:
                cell[FIRST_IN_TIME + 3 * j] += 1
        times[slot, _START] = now
    whole[slot, _PHASE], whole[slot, _GROUP] = _TALKING, group
    whole[slot, _TURN] += 1
    times[slot, _FINISH] = now + times[slot, _WORK]
    event = np.empty(4)
    event[0], event[1], event[2], event[3] = (
        times[slot, _FINISH],
        _FREE,
        slot,
        whole[slot, _TURN],
    )
    push_row(events, at[_EVENTS], event)
    at[_EVENTS] += 1


@compiled
def _write(  # pragma: no cover
    records: Floats, at: Wholes, times: Floats, whole: Wholes, slot: int, now: float, outcome: int
) -> None:
    if records.shape[0] > 0:
        left = times[slot, _START] if outcome == 0 else now
        group = whole[slot, _GROUP] if outcome == 0 else -1
        put_record(
            records,
            at[_RECORDS],
            times[slot, _ARRIVED],
            times[slot, _JOINED],
            left,
            now,
            whole[slot, _TYPE],
            outcome,
            group,
            whole[slot, _ATTEMPT],
        )
        at[_RECORDS] += 1


@compiled
def _come_again(  # pragma: no cover
    later: Floats,
    at: Wholes,
    again: Again,
    share: float,
    which: int,
    now: float,
    kind: int,
    work: float,
    attempt: int,
) -> None:
    """Perhaps another attempt later."""
    if share <= 0:
        return
    drawn = at[_DRAWN]
    at[_DRAWN] += 1
    if again.chance[kind, drawn] < share:
        row = np.empty(4)
        row[0], row[1], row[2], row[3] = now + again.delay[which, kind, drawn], kind, work, attempt
        push_row(later, at[_LATER], row)
        at[_LATER] += 1


@compiled
def _run(  # pragma: no cover
    calls: Calls,
    last: bool,
    again: Again,
    centre: Centre,
    tally: Tally,
    records: Floats,
    at: Wholes,
    routes: Wholes,
    serves: NDArray[np.bool_],
    priority: Wholes,
    head_start: Floats,
    times: Floats,
    whole: Wholes,
    spare: Wholes,
    events: Floats,
    later: Floats,
    ends: Wholes,
    waiting: Wholes,
    level: Wholes,
    staff: Wholes,
    since: Floats,
    queue_since: Floats,
    line_since: Floats,
) -> int:
    """Take events until the calls, the draws, the room or the records run out."""
    bounds, end = centre.bounds, centre.end
    bins, groups = centre.agents.shape
    types = priority.size
    count = calls.at.size
    event = np.empty(4)
    row = np.empty(4)
    while True:
        # At a staff change every call in progress may be handed back, and every waiting one served.
        need = 4 + (level.sum() if centre.rejoin else 0)
        if at[_DRAWN] + need >= again.chance.shape[1]:
            return MORE_DRAWS
        if at[_SPARE] < 4 or at[_EVENTS] + need + waiting.sum() >= events.shape[0]:
            return MORE_ROOM
        if at[_LATER] + 4 >= later.shape[0]:
            return MORE_ROOM
        if records.shape[0] > 0 and at[_RECORDS] + 4 + waiting.sum() >= records.shape[0]:
            return MORE_RECORDS
        call_at = calls.at[at[_NEXT]] if at[_NEXT] < count else np.inf
        if call_at == np.inf and not last:
            return DONE
        now, source = call_at, 0
        if at[_LATER] > 0 and later[0, 0] < now:
            now, source = later[0, 0], 1
        if at[_EVENTS] > 0 and events[0, 0] <= now:
            now, source = events[0, 0], 2
        if at[_STAFF] < bins and bounds[at[_STAFF]] <= now:
            now, source = bounds[at[_STAFF]], 3
        if now == np.inf:
            for kind in range(types):
                while ends[kind, 0] >= 0:
                    slot = ends[kind, 0]
                    _unlink(whole, ends, slot)
                    home = whole[slot, _HOME]
                    if whole[slot, _SERVED] == 0:
                        left = max(end, times[slot, _JOINED])
                        cell = tally.calls[home, kind]
                        cell[UNSERVED] += 1
                        cell[WAITED] += 1
                        cell[WAIT_UNSERVED_S] += left - times[slot, _JOINED]
                        _write(records, at, times, whole, slot, left, 4)
                    _release(whole, spare, at, slot)
            return DONE

        if source == 3:
            for group in range(groups):
                _spend(tally, at, now, since, level, staff, group)
            for kind in range(types):
                _wait_time(tally, at, now, queue_since, waiting, kind)
            _line_time(tally, at, now, line_since)
            at[_CLOCK] = at[_STAFF]
            for group in range(groups):
                staff[group] = centre.agents[at[_STAFF], group]
            at[_STAFF] += 1
            if centre.rejoin:
                for group in range(groups):
                    while level[group] > staff[group]:
                        slot = -1
                        for each in range(whole.shape[0]):
                            if (
                                whole[each, _PHASE] == _TALKING
                                and whole[each, _GROUP] == group
                                and (slot < 0 or times[each, _START] > times[slot, _START])
                            ):
                                slot = each
                        kind = whole[slot, _TYPE]
                        level[group] -= 1
                        times[slot, _WORK] = times[slot, _FINISH] - now
                        whole[slot, _PHASE] = _WAITING
                        whole[slot, _TURN] += 1
                        _link(whole, ends, slot, True)
                        waiting[kind] += 1
                        patience = again.patience[kind, at[_DRAWN]]
                        at[_DRAWN] += 1
                        if patience < np.inf:
                            event[0], event[1] = now + patience, _GIVES_UP
                            event[2], event[3] = slot, whole[slot, _TURN]
                            push_row(events, at[_EVENTS], event)
                            at[_EVENTS] += 1
            if now >= centre.close:
                for kind in range(types):
                    while ends[kind, 0] >= 0:
                        slot = ends[kind, 0]
                        _unlink(whole, ends, slot)
                        waiting[kind] -= 1
                        at[_INSIDE] -= 1
                        if whole[slot, _SERVED] == 0:
                            cell = tally.calls[whole[slot, _HOME], kind]
                            cell[UNSERVED] += 1
                            cell[WAITED] += 1
                            cell[WAIT_UNSERVED_S] += now - times[slot, _JOINED]
                            _write(records, at, times, whole, slot, now, 4)
                        else:
                            tally.calls[whole[slot, _HOME], kind, CUT_OFF] += 1
                            _write(records, at, times, whole, slot, now, 0)
                        _release(whole, spare, at, slot)
            for group in range(groups):
                while level[group] < staff[group]:
                    slot = _choose(group, now, times, ends, serves, priority, head_start)
                    if slot < 0:
                        break
                    kind = whole[slot, _TYPE]
                    _unlink(whole, ends, slot)
                    waiting[kind] -= 1
                    _serve(
                        slot,
                        group,
                        now,
                        centre,
                        tally,
                        at,
                        times,
                        whole,
                        events,
                        level,
                        staff,
                        since,
                    )
            continue

        if source == 2:
            pop_row(events, at[_EVENTS], event)
            at[_EVENTS] -= 1
            slot = int(event[2])
            if whole[slot, _TURN] != int(event[3]):
                continue
            kind, home = whole[slot, _TYPE], whole[slot, _HOME]
            if event[1] == _FREE:
                group = whole[slot, _GROUP]
                _spend(tally, at, now, since, level, staff, group)
                level[group] -= 1
                _line_time(tally, at, now, line_since)
                at[_INSIDE] -= 1
                _write(records, at, times, whole, slot, now, 0)
                _come_again(
                    later, at, again, centre.reconnect[kind], 2, now, kind, 1.0, KIND_RECONNECT
                )
                _release(whole, spare, at, slot)
                if level[group] < staff[group]:
                    slot = _choose(group, now, times, ends, serves, priority, head_start)
                    if slot >= 0:
                        kind = whole[slot, _TYPE]
                        _wait_time(tally, at, now, queue_since, waiting, kind)
                        _unlink(whole, ends, slot)
                        waiting[kind] -= 1
                        _serve(
                            slot,
                            group,
                            now,
                            centre,
                            tally,
                            at,
                            times,
                            whole,
                            events,
                            level,
                            staff,
                            since,
                        )
                continue
            if event[1] == _GIVES_UP:
                _wait_time(tally, at, now, queue_since, waiting, kind)
                _line_time(tally, at, now, line_since)
                _unlink(whole, ends, slot)
                waiting[kind] -= 1
                at[_INSIDE] -= 1
                cell = tally.calls[home, kind]
                if whole[slot, _SERVED] == 1:
                    cell[CUT_OFF] += 1
                    _write(records, at, times, whole, slot, now, 0)
                else:
                    cell[ABANDONED] += 1
                    cell[WAITED] += 1
                    cell[WAIT_ABANDONED_S] += times[slot, _PATIENCE]
                    for j in range(centre.within.size):
                        if times[slot, _PATIENCE] <= centre.within[j]:
                            cell[FIRST_IN_TIME + 3 * j + 1] += 1
                    _write(records, at, times, whole, slot, now, 1)
                    _come_again(
                        later,
                        at,
                        again,
                        centre.redial[kind],
                        0,
                        now,
                        kind,
                        times[slot, _WORK],
                        KIND_REDIAL,
                    )
                _release(whole, spare, at, slot)
                continue
            # The menu ends: whole[slot, _GROUP] says whether the caller leaves.
            if whole[slot, _GROUP] == 1:
                tally.calls[home, kind, LEFT_MENU] += 1
                _line_time(tally, at, now, line_since)
                at[_INSIDE] -= 1
                if records.shape[0] > 0:
                    put_record(
                        records,
                        at[_RECORDS],
                        times[slot, _ARRIVED],
                        np.nan,
                        now,
                        now,
                        kind,
                        2,
                        -1,
                        whole[slot, _ATTEMPT],
                    )
                    at[_RECORDS] += 1
                _release(whole, spare, at, slot)
                continue
        else:
            if source == 1:
                pop_row(later, at[_LATER], row)
                at[_LATER] -= 1
                if now >= end:
                    continue
                kind, work, attempt = int(row[1]), row[2], int(row[3])
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
            home = at[_CLOCK]
            tally.calls[home, kind, ARRIVED] += 1
            if attempt == KIND_FIRST:
                tally.calls[home, kind, FIRST_TRIES] += 1
            if centre.lines > 0 and at[_INSIDE] >= centre.lines:
                tally.calls[home, kind, BLOCKED] += 1
                if records.shape[0] > 0:
                    put_record(
                        records, at[_RECORDS], now, np.nan, np.nan, now, kind, 3, -1, attempt
                    )
                    at[_RECORDS] += 1
                _come_again(
                    later,
                    at,
                    again,
                    centre.redial_blocked[kind],
                    1,
                    now,
                    kind,
                    work,
                    KIND_REDIAL,
                )
                continue
            _line_time(tally, at, now, line_since)
            at[_INSIDE] += 1
            at[_SPARE] -= 1
            slot = spare[at[_SPARE]]
            times[slot, _ARRIVED] = times[slot, _JOINED] = now
            times[slot, _WORK], times[slot, _PATIENCE] = work, patience
            whole[slot, _TYPE], whole[slot, _HOME] = kind, home
            whole[slot, _ATTEMPT], whole[slot, _SERVED] = attempt, 0
            whole[slot, _TURN] += 1
            if centre.has_menu:
                whole[slot, _PHASE], whole[slot, _GROUP] = _IN_MENU, 1 if leaves else 0
                event[0], event[1], event[2] = now + in_menu, _MENU_ENDS, slot
                event[3] = whole[slot, _TURN]
                push_row(events, at[_EVENTS], event)
                at[_EVENTS] += 1
                continue

        # The call of this slot looks for an agent.
        times[slot, _JOINED] = now
        served = False
        if now < centre.close:
            for place in range(groups):
                group = routes[kind, place]
                if group < 0:
                    break
                if level[group] < staff[group]:
                    _serve(
                        slot,
                        group,
                        now,
                        centre,
                        tally,
                        at,
                        times,
                        whole,
                        events,
                        level,
                        staff,
                        since,
                    )
                    served = True
                    break
        if served:
            continue
        if now >= centre.close:
            tally.calls[home, kind, UNSERVED] += 1
            _line_time(tally, at, now, line_since)
            at[_INSIDE] -= 1
            _write(records, at, times, whole, slot, now, 4)
            _release(whole, spare, at, slot)
            continue
        _wait_time(tally, at, now, queue_since, waiting, kind)
        waiting[kind] += 1
        whole[slot, _PHASE] = _WAITING
        whole[slot, _TURN] += 1
        _link(whole, ends, slot, False)
        if times[slot, _PATIENCE] < np.inf:
            event[0], event[1], event[2] = now + times[slot, _PATIENCE], _GIVES_UP, slot
            event[3] = whole[slot, _TURN]
            push_row(events, at[_EVENTS], event)
            at[_EVENTS] += 1


class Network:
    """The centre at one moment: callers in menus, queues and conversations."""

    MORE_DRAWS, MORE_RECORDS = MORE_DRAWS, MORE_RECORDS

    def __init__(self, centre: Centre, groups: Groups, room: int = 512) -> None:
        types, start = groups.priority.size, centre.bounds[0]
        self._centre, self._groups = centre, groups
        self._at = np.zeros(9, np.int64)
        self._at[_STAFF], self._at[_SPARE] = 1, room
        self._times = np.zeros((room, 6))
        self._whole = np.zeros((room, 9), np.int64)
        self._spare = np.arange(room, dtype=np.int64)
        self._events = np.zeros((2 * room, 4))
        self._later = np.zeros((room, 4))
        self._ends = np.full((types, 2), -1, np.int64)
        self._waiting = np.zeros(types, np.int64)
        self._level = np.zeros(len(groups.names), np.int64)
        self._staff = centre.agents[0].copy()
        self._since = np.full(len(groups.names), start)
        self._queue_since, self._line_since = np.full(types, start), np.full(1, start)

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
                self._groups.routes,
                self._groups.serves,
                self._groups.priority,
                self._groups.head_start,
                self._times,
                self._whole,
                self._spare,
                self._events,
                self._later,
                self._ends,
                self._waiting,
                self._level,
                self._staff,
                self._since,
                self._queue_since,
                self._line_since,
            )
            if reason != MORE_ROOM:
                return reason
            self._grow()

    def _grow(self) -> None:
        room = self._spare.size
        spare = int(self._at[_SPARE])
        self._times = np.concatenate([self._times, np.zeros_like(self._times)])
        self._whole = np.concatenate([self._whole, np.zeros_like(self._whole)])
        self._spare = np.concatenate([self._spare, np.zeros_like(self._spare)])
        self._spare[spare : spare + room] = np.arange(room, 2 * room)
        self._at[_SPARE] += room
        self._events = np.concatenate([self._events, np.zeros_like(self._events)])
        self._later = np.concatenate([self._later, np.zeros_like(self._later)])

    def refill(self, reason: int) -> None:
        """What had run out is there again."""
        self._at[{DONE: _NEXT, MORE_DRAWS: _DRAWN, MORE_RECORDS: _RECORDS}[reason]] = 0
