"""What agents were seen doing and what was planned for them, spell by spell, in the last weeks.

A state log of a whole year would be larger than the log of calls; ``states_weeks`` says how much
of it there is. Within it the grain is the finest: every call's handling and after-call work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.floor import ACTIVITIES
from ccanalytics.simulation.sample.volumes import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.answered import Answered
    from ccanalytics.simulation.sample.floor import Floor
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.records import CallRecords
    from ccanalytics.simulation.sample.roster import Roster

__all__ = ["CALLS", "STATES", "Spells", "actual_states", "planned_activities"]

CALLS = "calls"
STATES = (*ACTIVITIES, "available", "handling", "wrap")
_AVAILABLE, _HANDLING, _WRAP = range(len(ACTIVITIES), len(STATES))


@dataclass(frozen=True, eq=False)
class Spells:
    """Spells of people, ordered by person and start; ``kind`` indexes a list of names."""

    person: NDArray[np.int64]
    kind: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


def planned_activities(
    parameters: CentreParameters, roster: Roster, floor: Floor, span_s: int
) -> Spells:
    """The plan of the last weeks' shifts: ACTIVITIES, and calls in between."""
    shift = np.flatnonzero(_recent(parameters, roster.start, span_s))
    away = floor.absences
    chosen = np.isin(away.shift, shift)
    of, kind = away.shift[chosen], away.kind[chosen]
    start, end = away.planned_start[chosen], away.planned_end[chosen]
    # Between two absences, before the first and after the last: calls.
    at = np.concatenate([roster.start[shift], end])
    until = np.concatenate([start, roster.end[shift]])
    from_shift, to_shift = np.concatenate([shift, of]), np.concatenate([of, shift])
    first, second = np.lexsort((at, from_shift)), np.lexsort((until, to_shift))
    calls = (from_shift[first], np.full(at.size, len(ACTIVITIES)), at[first], until[second])
    parts = [np.concatenate(each) for each in zip(calls, (of, kind, start, end), strict=True)]
    return _ordered(roster.person[parts[0]], *parts[1:])


def actual_states(
    parameters: CentreParameters,
    calls: CallRecords,
    answered: Answered,
    floor: Floor,
    roster: Roster,
    span_s: int,
) -> Spells:
    """What agents did in the last weeks' shifts: STATES, no two at once.

    A call that lasts into a break shortens the break; one that outlasts it leaves none.
    """
    spell = np.flatnonzero(_recent(parameters, roster.start[floor.shift], span_s))
    wanted = np.zeros(floor.start.size, bool)
    wanted[spell] = True
    some = answered.take(np.flatnonzero(wanted[answered.spell]))
    answer = some.at.astype(np.int64)
    wrap = calls.wrap_s[some.call].astype(np.int64)
    done = answer + some.handle_s
    hung_up = done - wrap

    # The end of an agent's last call up to the end of each spell: never earlier than before.
    last = np.zeros(floor.start.size, np.int64)
    np.maximum.at(last, some.spell, done)
    by_person = np.lexsort((floor.start[spell], floor.person[spell]))
    mine = spell[by_person]
    high = np.int64(1) << 40
    reached = np.maximum.accumulate(last[mine] + floor.person[mine] * high)
    reached = reached - floor.person[mine] * high
    before = np.concatenate([[0], reached[:-1]])
    before[np.concatenate([[True], floor.person[mine][1:] != floor.person[mine][:-1]])] = 0
    free_from = np.zeros(floor.start.size, np.int64)
    free_from[mine] = np.maximum(floor.start[mine], before)
    busy_until = np.zeros(floor.start.size, np.int64)
    busy_until[mine] = np.maximum(reached, 0)

    # Available: from the start of the spell or the end of a call to the next call or the end.
    start = np.concatenate([free_from[spell], done])
    end = np.concatenate([answer, np.maximum(floor.end[spell], 0)])
    start_spell, end_spell = (
        np.concatenate([spell, some.spell]),
        np.concatenate([some.spell, spell]),
    )
    first, second = np.lexsort((start, start_spell)), np.lexsort((end, end_spell))
    idle = (start_spell[first], start[first], end[second])

    away = floor.absences
    chosen = np.flatnonzero(_recent(parameters, roster.start[away.shift], span_s))
    person = roster.person[away.shift[chosen]]
    # The spell on the floor before an absence: the agent's last one begun by then.
    key = floor.person[mine] * high + floor.start[mine]
    found = np.searchsorted(key, person * high + away.start[chosen], side="right") - 1
    own = (found >= 0) & (floor.person[mine[found]] == person)
    begins = np.where(own, np.maximum(away.start[chosen], busy_until[mine[found]]), 0)
    begins = np.maximum(begins, away.start[chosen])

    people = [
        floor.person[idle[0]],
        some.person.astype(np.int64),
        some.person.astype(np.int64),
        person,
    ]
    kinds = [
        np.full(idle[0].size, _AVAILABLE),
        np.full(some.size, _HANDLING),
        np.full(some.size, _WRAP),
        away.kind[chosen],
    ]
    starts = [idle[1], answer, hung_up, begins]
    ends = [idle[2], hung_up, done, away.end[chosen]]
    return _ordered(*(np.concatenate(each) for each in (people, kinds, starts, ends)))


def _recent(
    parameters: CentreParameters, shift_start: NDArray[np.int64], span_s: int
) -> NDArray[np.bool_]:
    """Shifts of the last weeks."""
    return np.asarray(shift_start >= span_s - parameters.states_weeks * 7 * DAY_S)


def _ordered(person: Any, kind: Any, start: Any, end: Any) -> Spells:
    order = np.lexsort((start, person))
    order = order[end[order] > start[order]]
    return Spells(person[order], kind[order], start[order], end[order])
