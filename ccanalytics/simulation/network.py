"""Several types of calls and groups of agents: skills, priorities and routing, event by event.

An arriving call goes to the first group on its route with an idle agent, and waits otherwise. An
agent who is free takes, of the waiting calls within the group's skills, the one of the highest
priority, and among equals the one with the longest wait, head start included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.compiled import compiled_in_place
from ccanalytics.simulation.heaps import pop_row
from ccanalytics.simulation.inside import (
    ARRIVED_AT,
    ATTEMPT,
    CLOCK,
    DRAWN,
    EVENTS,
    FINISH,
    GROUP,
    HOME,
    IN_MENU,
    INSIDE,
    JOINED,
    LAST_CALL,
    LATER,
    NEXT,
    PATIENCE,
    PHASE,
    RECORDS,
    SERVED,
    SPARE,
    STAFF,
    START,
    TALKING,
    TYPE,
    WAITING,
    WORK,
    State,
    book_group,
    book_lines,
    book_queue,
    choose,
    come_again,
    empty_state,
    grown,
    has_idle,
    join,
    leave_queue,
    release,
    serve,
    will_happen,
)
from ccanalytics.simulation.pool import DONE, MORE_DRAWS, MORE_RECORDS, MORE_ROOM, put_record
from ccanalytics.simulation.tally import (
    ABANDONED,
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
    WAIT_UNSERVED_S,
    WAITED,
)

if TYPE_CHECKING:
    from ccanalytics.simulation.groups import Groups
    from ccanalytics.simulation.tally import Again, Calls, Centre, Floats, Tally

__all__ = ["Network"]


@compiled_in_place
def _send_away(  # pragma: no cover
    state: State, tally: Tally, records: Floats, now: float
) -> None:
    """Nobody will serve those who wait."""
    for kind in range(state.waiting.size):
        while state.ends[kind, 0] >= 0:
            slot = state.ends[kind, 0]
            leave_queue(state, tally, now, slot)
            cell = tally.calls[state.whole[slot, HOME], kind]
            if state.whole[slot, SERVED] == 1:
                cell[CUT_OFF] += 1
                cell[HANDLE_S] -= state.times[slot, WORK]
                release(state, tally, records, now, slot, 0)
            else:
                cell[UNSERVED] += 1
                cell[WAITED] += 1
                cell[WAIT_UNSERVED_S] += now - state.times[slot, JOINED]
                release(state, tally, records, now, slot, 4)


@compiled_in_place
def _hand_back(  # pragma: no cover
    state: State, again: Again, tally: Tally, now: float, group: int
) -> None:
    """The call that the group began last goes back to the head of its queue."""
    slot = -1
    for each in range(state.whole.shape[0]):
        if (
            state.whole[each, PHASE] == TALKING
            and state.whole[each, GROUP] == group
            and (slot < 0 or state.times[each, START] > state.times[slot, START])
        ):
            slot = each
    state.level[group] -= 1
    state.times[slot, WORK] = state.times[slot, FINISH] - now
    patience = again.patience[state.whole[slot, TYPE], state.at[DRAWN]]
    state.at[DRAWN] += 1
    join(state, tally, now, slot, patience, True)


@compiled_in_place
def _last_call(state: State, group: int) -> None:  # pragma: no cover
    """The agent of the group who will be free first goes home then."""
    slot = -1
    for each in range(state.whole.shape[0]):
        if (
            state.whole[each, PHASE] == TALKING
            and state.whole[each, GROUP] == group
            and state.whole[each, LAST_CALL] == 0
            and (slot < 0 or state.times[each, FINISH] < state.times[slot, FINISH])
        ):
            slot = each
    state.whole[slot, LAST_CALL] = 1
    state.leaving[group] += 1


@compiled_in_place
def _staff_changes(  # pragma: no cover
    state: State, again: Again, centre: Centre, tally: Tally, records: Floats, now: float
) -> None:
    """A bin ends: its time is booked, agents come and go, and free ones take who waits."""
    groups = state.level.size
    for group in range(groups):
        book_group(state, tally, now, group)
    for kind in range(state.waiting.size):
        book_queue(state, tally, now, kind)
    book_lines(state, tally, now)
    state.at[CLOCK] = state.at[STAFF]
    state.at[STAFF] += 1
    for group in range(groups):
        state.staff[group] = centre.agents[state.at[CLOCK], group]
    for group in range(groups):
        while state.level[group] - state.leaving[group] > state.staff[group]:
            if centre.rejoin:
                _hand_back(state, again, tally, now, group)
            else:
                _last_call(state, group)
    if now >= centre.close:
        _send_away(state, tally, records, now)
    for group in range(groups):
        while has_idle(state, group):
            slot = choose(state, now, group)
            if slot < 0:
                break
            leave_queue(state, tally, now, slot)
            serve(state, centre, tally, now, slot, group)


@compiled_in_place
def _agent_free(  # pragma: no cover
    state: State,
    again: Again,
    centre: Centre,
    tally: Tally,
    records: Floats,
    now: float,
    slot: int,
) -> None:
    """A call ends, and its agent takes the next."""
    kind, group = state.whole[slot, TYPE], state.whole[slot, GROUP]
    book_group(state, tally, now, group)
    state.level[group] -= 1
    if state.whole[slot, LAST_CALL] == 1:
        state.leaving[group] -= 1
    release(state, tally, records, now, slot, 0)
    come_again(state, again, centre.reconnect[kind], 2, now, kind, 1.0, KIND_RECONNECT)
    if has_idle(state, group):
        slot = choose(state, now, group)
        if slot >= 0:
            leave_queue(state, tally, now, slot)
            serve(state, centre, tally, now, slot, group)


@compiled_in_place
def _give_up(  # pragma: no cover
    state: State,
    again: Again,
    centre: Centre,
    tally: Tally,
    records: Floats,
    now: float,
    slot: int,
) -> None:
    """A caller's patience ends."""
    kind = state.whole[slot, TYPE]
    leave_queue(state, tally, now, slot)
    cell = tally.calls[state.whole[slot, HOME], kind]
    if state.whole[slot, SERVED] == 1:
        cell[CUT_OFF] += 1
        cell[HANDLE_S] -= state.times[slot, WORK]  # the rest is never handled
        release(state, tally, records, now, slot, 0)
        return
    patience, work = state.times[slot, PATIENCE], state.times[slot, WORK]
    cell[ABANDONED] += 1
    cell[WAITED] += 1
    cell[WAIT_ABANDONED_S] += patience
    for j in range(centre.within.size):
        if patience <= centre.within[j]:
            cell[FIRST_IN_TIME + 3 * j + 1] += 1
    release(state, tally, records, now, slot, 1)
    come_again(state, again, centre.redial[kind], 0, now, kind, work, KIND_REDIAL)


@compiled_in_place
def _look_for_agent(  # pragma: no cover
    state: State, centre: Centre, tally: Tally, records: Floats, now: float, slot: int
) -> None:
    """A caller has come through the menu: served at once, or in the queue."""
    kind = state.whole[slot, TYPE]
    state.times[slot, JOINED] = now
    if now >= centre.close:
        tally.calls[state.whole[slot, HOME], kind, UNSERVED] += 1
        release(state, tally, records, now, slot, 4)
        return
    for place in range(state.level.size):
        group = state.routes[kind, place]
        if group < 0:
            break
        if has_idle(state, group):
            serve(state, centre, tally, now, slot, group)
            return
    join(state, tally, now, slot, state.times[slot, PATIENCE], False)


@compiled_in_place
def _happens(  # pragma: no cover
    state: State, again: Again, centre: Centre, tally: Tally, records: Floats
) -> None:
    """The next event."""
    now, slot = state.due[0], state.slots[0]
    phase = state.whole[slot, PHASE]
    if phase == TALKING:
        _agent_free(state, again, centre, tally, records, now, slot)
    elif phase == WAITING:
        _give_up(state, again, centre, tally, records, now, slot)
    elif state.whole[slot, GROUP] == 1:  # whoever leaves in the menu was marked so
        tally.calls[state.whole[slot, HOME], state.whole[slot, TYPE], LEFT_MENU] += 1
        release(state, tally, records, now, slot, 2)
    else:
        _look_for_agent(state, centre, tally, records, now, slot)


@compiled_in_place
def _call_comes(  # pragma: no cover
    state: State,
    calls: Calls,
    again: Again,
    centre: Centre,
    tally: Tally,
    records: Floats,
    now: float,
    first: bool,
) -> None:
    """A first attempt, or a later one: a busy signal, the menu or the queue."""
    at = state.at
    if first:
        i = at[NEXT]
        at[NEXT] += 1
        kind, work, attempt = calls.kind[i], calls.work[i], KIND_FIRST
        patience, in_menu, leaves = calls.patience[i], calls.menu[i], calls.leaves[i]
    else:
        pop_row(state.later, at[LATER], state.event)
        at[LATER] -= 1
        if now >= centre.end:
            return
        kind, work, attempt = int(state.event[1]), state.event[2], int(state.event[3])
        drawn = at[DRAWN]
        at[DRAWN] += 1
        patience, in_menu = again.patience[kind, drawn], again.menu[kind, drawn]
        leaves = again.leaves[kind, drawn]
        if attempt == KIND_RECONNECT:
            work = again.work[kind, drawn]
    cell = tally.calls[at[CLOCK], kind]
    cell[ARRIVED] += 1
    if attempt == KIND_FIRST:
        cell[FIRST_TRIES] += 1
    if centre.lines > 0 and at[INSIDE] >= centre.lines:
        cell[BLOCKED] += 1
        if records.shape[0] > 0:
            put_record(records, at[RECORDS], now, np.nan, np.nan, now, kind, 3, -1, attempt)
            at[RECORDS] += 1
        come_again(state, again, centre.redial_blocked[kind], 1, now, kind, work, KIND_REDIAL)
        return
    book_lines(state, tally, now)
    at[INSIDE] += 1
    at[SPARE] -= 1
    slot = state.spare[at[SPARE]]
    times, whole = state.times, state.whole
    times[slot, ARRIVED_AT] = times[slot, JOINED] = now
    times[slot, WORK], times[slot, PATIENCE] = work, patience
    whole[slot, TYPE], whole[slot, HOME] = kind, at[CLOCK]
    whole[slot, ATTEMPT], whole[slot, SERVED] = attempt, 0
    if centre.has_menu:
        whole[slot, PHASE], whole[slot, GROUP] = IN_MENU, 1 if leaves else 0
        will_happen(state, now + in_menu, slot)
    else:
        _look_for_agent(state, centre, tally, records, now, slot)


@compiled_in_place
def _run(  # pragma: no cover
    calls: Calls,
    last: bool,
    again: Again,
    centre: Centre,
    tally: Tally,
    records: Floats,
    state: State,
) -> int:
    """Take events until the calls, the draws, the room or the records run out."""
    at, bounds = state.at, centre.bounds
    bins, count = centre.agents.shape[0], calls.at.size
    while True:
        # At a staff change every call in progress may be handed back, and every waiting one leave.
        busy = state.level.sum() if centre.rejoin else 0
        if at[DRAWN] + 4 + busy >= again.chance.shape[1]:
            return MORE_DRAWS
        if at[SPARE] < 4 or at[LATER] + 4 >= state.later.shape[0]:
            return MORE_ROOM
        if records.shape[0] > 0 and at[RECORDS] + 4 + state.waiting.sum() >= records.shape[0]:
            return MORE_RECORDS
        now, source = np.inf, 0
        if at[NEXT] < count:
            now = calls.at[at[NEXT]]
        elif not last:
            return DONE
        if at[LATER] > 0 and state.later[0, 0] < now:
            now, source = state.later[0, 0], 1
        if at[EVENTS] > 0 and state.due[0] <= now:
            now, source = state.due[0], 2
        if at[STAFF] < bins and bounds[at[STAFF]] <= now:
            now, source = bounds[at[STAFF]], 3
        if source == 3:
            _staff_changes(state, again, centre, tally, records, now)
        elif now == np.inf:
            _send_away(state, tally, records, max(centre.end, bounds[bins - 1]))
            return DONE
        elif source == 2:
            _happens(state, again, centre, tally, records)
        else:
            _call_comes(state, calls, again, centre, tally, records, now, source == 0)


class Network:
    """The centre at one moment: callers in menus, queues and conversations."""

    MORE_DRAWS, MORE_RECORDS = MORE_DRAWS, MORE_RECORDS

    def __init__(self, centre: Centre, groups: Groups, room: int = 512) -> None:
        self._centre = centre
        self._state = empty_state(centre, groups, room)

    @property
    def records(self) -> int:
        """Rows in the records since they were last emptied."""
        return int(self._state.at[RECORDS])

    def run(self, calls: Calls, last: bool, again: Again, tally: Tally, records: Floats) -> int:
        """Take calls until they, the draws or the records run out; which, is returned."""
        while True:
            reason: int = _run(calls, last, again, self._centre, tally, records, self._state)
            if reason != MORE_ROOM:
                return reason
            self._state = grown(self._state)

    def refill(self, reason: int) -> None:
        """What had run out is there again."""
        self._state.at[{DONE: NEXT, MORE_DRAWS: DRAWN, MORE_RECORDS: RECORDS}[reason]] = 0
