"""The waiting line itself: one pass over the requests in order of time, compiled where it can be.

State lives in arrays, so that the pass may be made in parts and its progress be shown.
"""

from __future__ import annotations

from typing import Any

from ccanalytics.compiled import compiled_in_place as compiled
from ccanalytics.simulation.sample.heap import moment, packed, place, pop, push, sink

__all__ = ["DUE", "FREE", "LATER", "STATES", "WAITING", "WRITTEN", "count_days", "pass_through"]

# What the state counts: spells that have been put in the heap of agents, agents in it, later
# attempts ever made, those still to come, attempts written.
DUE, FREE, LATER, WAITING, WRITTEN = range(5)
STATES = 5
_DAY_S = 86_400
_NIGHT_S = 7 * 3600
_AFTER_NIGHT_S = 8 * 3600
_FOLLOW_UP = 2  # a redial of either kind is one more


@compiled
def pass_through(  # noqa: PLR0915 - one loop, so that it compiles to one
    first: int,
    last: int,
    span_s: int,
    horizon: int,
    state: Any,
    entries: Any,
    keys: Any,
    patiences: Any,
    handles: Any,
    saved: Any,
    rest_shares: Any,
    redials: Any,
    follow_ups: Any,
    typical: Any,
    starts: Any,
    ends: Any,
    persons: Any,
    paces: Any,
    talk_paces: Any,
    busy_until: Any,
    free: Any,
    later: Any,
    later_request: Any,
    later_kind: Any,
    later_menu: Any,
    later_left: Any,
    later_patience: Any,
    later_handle: Any,
    draw_delay: Any,
    draw_menu: Any,
    draw_patience: Any,
    draw_factor: Any,
    out_request: Any,
    out_kind: Any,
    out_entry: Any,
    out_menu: Any,
    out_wait: Any,
    out_handle: Any,
    out_spell: Any,
) -> None:
    """Requests ``first`` to ``last``, and the later attempts that fall between them.

    With ``last`` the number of requests, the later attempts after them are made as well.
    """
    draws = len(draw_delay)
    due, ready, made = state[DUE], state[FREE], state[LATER]
    waiting, row = state[WAITING], state[WRITTEN]
    index = first
    while index < last or (last == len(entries) and waiting > 0):
        if waiting > 0 and (index >= last or moment(later[0]) < entries[index]):
            entry, slot = moment(later[0]), place(later[0])
            pop(later, waiting)
            waiting -= 1
            request, kind = later_request[slot], later_kind[slot]
            menu, left = later_menu[slot], later_left[slot]
            patience, handle = later_patience[slot], later_handle[slot]
            less = saved[request] if kind < _FOLLOW_UP else 0
        else:
            request, kind, entry, menu = index, 0, entries[index], 0
            left, patience = redials[index], patiences[index]
            handle, less = handles[index], saved[index]
            index += 1

        # Bring the agent who can take a call first to the top of the heap of agents.
        while due < len(starts) and starts[due] <= entry + horizon:
            push(free, ready, packed(starts[due], due))
            ready += 1
            due += 1
        wait, spell = horizon, -1
        while ready > 0:
            at, top = moment(free[0]), place(free[0])
            if ends[top] <= max(at, entry):
                pop(free, ready)
                ready -= 1
            elif busy_until[persons[top]] > at:
                # Still with the last call of the spell before.
                sink(free, ready, packed(busy_until[persons[top]], top))
            else:
                wait, spell = max(at - entry, 0), top
                break
        takes = 0
        if wait <= patience:
            rest = rest_shares[request]
            pace = paces[spell] * ((1.0 - rest) * talk_paces[spell] + rest)
            takes = max(int(handle * pace + 0.5) - less, 1)
            busy_until[persons[spell]] = entry + wait + takes
            sink(free, ready, packed(entry + wait + takes, spell))
        else:
            wait, spell = patience, -1

        out_request[row] = request
        out_kind[row] = kind
        out_entry[row] = entry
        out_menu[row] = menu
        out_wait[row] = wait
        out_handle[row] = takes
        out_spell[row] = spell
        row += 1

        # The same request draws the same luck, whatever else happens in the centre.
        again, draw = -1, 0
        new_kind, new_left, new_handle = kind | 1, left - 1, handle
        if spell < 0:
            if left > 0:
                draw = (keys[request] * 13 + (kind // 2) * 6 + left) % draws
                again = entry + patience + draw_delay[draw]
        elif kind == 0 and follow_ups[request] > 0:
            again = entry + wait + takes + follow_ups[request]
            if again % _DAY_S < _NIGHT_S:
                again += _AFTER_NIGHT_S
            new_kind, new_left = _FOLLOW_UP, redials[request]
            draw = (keys[request] * 13 + left + 6) % draws
            new_handle = max(int(typical[request] * draw_factor[draw] + 0.5), 1)
        if 0 <= again < span_s:
            later_request[made] = request
            later_kind[made] = new_kind
            later_menu[made] = draw_menu[draw]
            later_left[made] = new_left
            later_patience[made] = draw_patience[draw]
            later_handle[made] = new_handle
            push(later, waiting, packed(again + draw_menu[draw], made))
            made += 1
            waiting += 1
    state[DUE], state[FREE], state[LATER] = due, ready, made
    state[WAITING], state[WRITTEN] = waiting, row


@compiled
def count_days(
    first_day: int,
    days: int,
    goal_s: float,
    kinds: Any,
    entries: Any,
    waits: Any,
    handles: Any,
    spells: Any,
    out: Any,
) -> None:
    """Add attempts to daily counts, a row of ``days`` for each of ``replays.MEASURES``."""
    for row in range(len(entries)):
        day = entries[row] // _DAY_S - first_day
        if 0 <= day < days:
            kind, wait = kinds[row], waits[row]
            out[day] += 1
            if kind == 0:
                out[days + day] += 1
            if kind == 1 or kind == _FOLLOW_UP + 1:
                out[2 * days + day] += 1
            if kind == _FOLLOW_UP:
                out[3 * days + day] += 1
            if spells[row] >= 0:
                out[4 * days + day] += 1
                out[5 * days + day] += handles[row]
                if wait <= goal_s:
                    out[6 * days + day] += 1
            out[7 * days + day] += wait
