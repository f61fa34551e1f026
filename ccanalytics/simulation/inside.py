"""Callers inside the centre, for the event loop of several queues: their places and their time.

Every caller has a slot, and at most one thing that will happen: the menu ends for who hears it,
who waits gives up, who talks has finished. The callers of a type who wait are a linked list of
slots in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ccanalytics.compiled import compiled_in_place
from ccanalytics.simulation.heaps import drop_due, push_row, set_due
from ccanalytics.simulation.pool import put_record
from ccanalytics.simulation.tally import ANSWERED, FIRST_IN_TIME, HANDLE_S, WAIT_ANSWERED_S, WAITED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.groups import Groups
    from ccanalytics.simulation.tally import Again, Centre, Floats, Tally, Wholes

__all__ = [
    "AHEAD",
    "ARRIVED_AT",
    "ATTEMPT",
    "CLOCK",
    "DRAWN",
    "EVENTS",
    "FINISH",
    "GROUP",
    "HOME",
    "INSIDE",
    "IN_MENU",
    "JOINED",
    "LAST_CALL",
    "LATER",
    "NEXT",
    "PATIENCE",
    "PHASE",
    "RECORDS",
    "SERVED",
    "SPARE",
    "STAFF",
    "START",
    "TALKING",
    "TYPE",
    "WAITING",
    "WORK",
    "State",
    "book_group",
    "book_lines",
    "book_queue",
    "choose",
    "come_again",
    "empty_state",
    "grown",
    "has_idle",
    "join",
    "leave_queue",
    "release",
    "serve",
    "will_happen",
    "write",
]

# Places in the state of the whole.
NEXT, STAFF, CLOCK, EVENTS, LATER, DRAWN, RECORDS, INSIDE, SPARE = range(9)
# What a caller's slot holds: times, and whole numbers.
ARRIVED_AT, JOINED, WORK, PATIENCE, START, FINISH = range(6)
TYPE, HOME, ATTEMPT, PHASE, AHEAD, BEHIND, GROUP, SERVED, LAST_CALL = range(9)
NOWHERE, IN_MENU, WAITING, TALKING = range(4)


class State(NamedTuple):
    """The centre at one moment."""

    at: Wholes
    times: Floats  # slots × times
    whole: Wholes  # slots × whole numbers
    spare: Wholes  # slots that are free, a stack
    due: Floats  # heap: when the next thing happens to those to whom anything does
    slots: Wholes  # heap: to whom
    place: Wholes  # slots: where in the heap, or −1
    later: Floats  # heap: time, type, work, kind of attempt
    ends: Wholes  # types × 2: first and last slot of each queue
    waiting: Wholes  # types
    level: Wholes  # groups: agents on a call
    staff: Wholes  # groups: agents on shift
    leaving: Wholes  # groups: agents on their last call, their shift over
    since: Floats  # groups, then types, then lines: until when the time is booked
    event: Floats  # scratch
    routes: Wholes
    serves: NDArray[np.bool_]
    priority: Wholes
    head_start: Floats


def empty_state(centre: Centre, groups: Groups, room: int) -> State:
    """A centre in which nobody calls yet."""
    types, count = groups.priority.size, len(groups.names)
    at = np.zeros(9, np.int64)
    at[STAFF], at[SPARE] = 1, room
    return State(
        at=at,
        times=np.zeros((room, 6)),
        whole=np.zeros((room, 9), np.int64),
        spare=np.arange(room, dtype=np.int64),
        due=np.zeros(room),
        slots=np.zeros(room, np.int64),
        place=np.full(room, -1, np.int64),
        later=np.zeros((room, 4)),
        ends=np.full((types, 2), -1, np.int64),
        waiting=np.zeros(types, np.int64),
        level=np.zeros(count, np.int64),
        staff=centre.agents[0].copy(),
        leaving=np.zeros(count, np.int64),
        since=np.full(count + types + 1, centre.bounds[0]),
        event=np.zeros(4),
        routes=groups.routes,
        serves=groups.serves,
        priority=groups.priority,
        head_start=groups.head_start,
    )


def grown(state: State) -> State:
    """Twice the room."""

    def twice(array: Any) -> Any:
        return np.concatenate([array, np.zeros_like(array)])

    room, free = state.spare.size, int(state.at[SPARE])
    spare = twice(state.spare)
    spare[free : free + room] = np.arange(room, 2 * room)
    state.at[SPARE] += room
    return state._replace(
        times=twice(state.times),
        whole=twice(state.whole),
        spare=spare,
        due=twice(state.due),
        slots=twice(state.slots),
        place=np.concatenate([state.place, np.full(room, -1, np.int64)]),
        later=twice(state.later),
    )


@compiled_in_place
def book_group(state: State, tally: Tally, now: float, group: int) -> None:  # pragma: no cover
    """Book the agents' time up to now at the level it had."""
    spent = now - state.since[group]
    if spent > 0:
        clock = state.at[CLOCK]
        tally.busy[clock, group] += spent * state.level[group]
        tally.overtime[clock, group] += spent * state.leaving[group]
        state.since[group] = now


@compiled_in_place
def has_idle(state: State, group: int) -> bool:  # pragma: no cover
    """Whether an agent on shift is without a call."""
    return state.level[group] - state.leaving[group] < state.staff[group]


@compiled_in_place
def book_queue(state: State, tally: Tally, now: float, kind: int) -> None:  # pragma: no cover
    """Book the time of those who wait up to now."""
    place = state.level.size + kind
    spent = now - state.since[place]
    if spent > 0:
        tally.queue[state.at[CLOCK], kind] += spent * state.waiting[kind]
        state.since[place] = now


@compiled_in_place
def book_lines(state: State, tally: Tally, now: float) -> None:  # pragma: no cover
    """Book the time of the lines held up to now."""
    place = state.since.size - 1
    spent = now - state.since[place]
    if spent > 0:
        tally.lines[state.at[CLOCK], 0] += spent * state.at[INSIDE]
        state.since[place] = now


@compiled_in_place
def join(  # pragma: no cover
    state: State, tally: Tally, now: float, slot: int, patience: float, in_front: bool
) -> None:
    """A caller waits, at the end or at the head of the queue, and may give up."""
    whole, ends = state.whole, state.ends
    kind = whole[slot, TYPE]
    book_queue(state, tally, now, kind)
    state.waiting[kind] += 1
    whole[slot, PHASE] = WAITING
    first, last = ends[kind, 0], ends[kind, 1]
    whole[slot, AHEAD] = whole[slot, BEHIND] = -1
    if first < 0:
        ends[kind, 0] = ends[kind, 1] = slot
    elif in_front:
        whole[slot, BEHIND] = first
        whole[first, AHEAD] = slot
        ends[kind, 0] = slot
    else:
        whole[slot, AHEAD] = last
        whole[last, BEHIND] = slot
        ends[kind, 1] = slot
    will_happen(state, now + patience, slot)


@compiled_in_place
def leave_queue(state: State, tally: Tally, now: float, slot: int) -> None:  # pragma: no cover
    """A caller waits no longer."""
    whole, ends = state.whole, state.ends
    kind, ahead, behind = whole[slot, TYPE], whole[slot, AHEAD], whole[slot, BEHIND]
    book_queue(state, tally, now, kind)
    state.waiting[kind] -= 1
    if ahead >= 0:
        whole[ahead, BEHIND] = behind
    else:
        ends[kind, 0] = behind
    if behind >= 0:
        whole[behind, AHEAD] = ahead
    else:
        ends[kind, 1] = ahead


@compiled_in_place
def will_happen(state: State, time: float, slot: int) -> None:  # pragma: no cover
    """When the next thing happens to this caller, in place of what would have; inf for never."""
    size = state.at[EVENTS]
    if time < np.inf:
        size = set_due(state.due, state.slots, state.place, size, slot, time)
    else:
        size = drop_due(state.due, state.slots, state.place, size, slot)
    state.at[EVENTS] = size


@compiled_in_place
def choose(state: State, now: float, group: int) -> int:  # pragma: no cover
    """The waiting call that an agent of the group takes next, or −1."""
    best, best_rank, best_wait = -1, 0, 0.0
    for kind in range(state.priority.size):
        slot = state.ends[kind, 0]
        if slot < 0 or not state.serves[group, kind]:
            continue
        rank = state.priority[kind]
        wait = now - state.times[slot, JOINED] + state.head_start[kind]
        if best < 0 or rank < best_rank or (rank == best_rank and wait > best_wait):
            best, best_rank, best_wait = slot, rank, wait
    return best


@compiled_in_place
def serve(  # pragma: no cover
    state: State, centre: Centre, tally: Tally, now: float, slot: int, group: int
) -> None:
    """An agent takes the call."""
    times, whole = state.times, state.whole
    book_group(state, tally, now, group)
    state.level[group] += 1
    if whole[slot, SERVED] == 0:
        whole[slot, SERVED] = 1
        kind, home = whole[slot, TYPE], whole[slot, HOME]
        wait = now - times[slot, JOINED]
        times[slot, WORK] *= centre.aht[home, kind]
        times[slot, START] = now
        cell = tally.calls[home, kind]
        cell[ANSWERED] += 1
        cell[WAIT_ANSWERED_S] += wait
        cell[HANDLE_S] += times[slot, WORK]
        if wait > 0:
            cell[WAITED] += 1
        for j in range(centre.within.size):
            if wait <= centre.within[j]:
                cell[FIRST_IN_TIME + 3 * j] += 1
    whole[slot, PHASE], whole[slot, GROUP], whole[slot, LAST_CALL] = TALKING, group, 0
    times[slot, FINISH] = now + times[slot, WORK]
    will_happen(state, times[slot, FINISH], slot)


@compiled_in_place
def release(  # pragma: no cover
    state: State, tally: Tally, records: Floats, now: float, slot: int, outcome: int
) -> None:
    """A caller is gone: the line is free, and the slot for another."""
    book_lines(state, tally, now)
    state.at[INSIDE] -= 1
    write(state, records, now, slot, outcome)
    state.whole[slot, PHASE] = NOWHERE
    will_happen(state, np.inf, slot)
    state.spare[state.at[SPARE]] = slot
    state.at[SPARE] += 1


@compiled_in_place
def write(
    state: State, records: Floats, now: float, slot: int, outcome: int
) -> None:  # pragma: no cover
    """Keep the caller's record, if records are kept."""
    if records.shape[0] > 0:
        times, whole = state.times, state.whole
        put_record(
            records,
            state.at[RECORDS],
            times[slot, ARRIVED_AT],
            np.nan if outcome == 2 else times[slot, JOINED],
            times[slot, START] if outcome == 0 else now,
            now,
            whole[slot, TYPE],
            outcome,
            whole[slot, GROUP] if outcome == 0 else -1,
            whole[slot, ATTEMPT],
        )
        state.at[RECORDS] += 1


@compiled_in_place
def come_again(  # pragma: no cover
    state: State,
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
    drawn = state.at[DRAWN]
    state.at[DRAWN] += 1
    if again.chance[kind, drawn] < share:
        row = state.event
        row[0], row[1] = now + again.delay[which, kind, drawn], kind
        row[2], row[3] = work, attempt
        push_row(state.later, state.at[LATER], row)
        state.at[LATER] += 1
