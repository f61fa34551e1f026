"""The second line: transferred calls in a queue of their own, for agents with a skill of their own.

The network takes a transferred call back and carries it on to the second line's own lines, where
it is a call of its own that continues the first one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from ccanalytics.simulation.sample.answered import Answered
from ccanalytics.simulation.sample.floor import floor_of
from ccanalytics.simulation.sample.luck import luck, root_of, stream
from ccanalytics.simulation.sample.needs import patience_s
from ccanalytics.simulation.sample.people import NEVER
from ccanalytics.simulation.sample.pool import Requests, serve
from ccanalytics.simulation.sample.programme import Programme, Tests
from ccanalytics.simulation.sample.records import CallRecords
from ccanalytics.simulation.sample.roster import draw_roster, seats_for
from ccanalytics.simulation.sample.states import actual_states, planned_activities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people import Crew, Person
    from ccanalytics.simulation.sample.people_log import PeopleLog
    from ccanalytics.simulation.sample.states import Spells

__all__ = ["SECOND_MEANINGS", "SecondLine", "draw_second_line"]

_TAKEN, _LENGTH = range(2)

SECOND_MEANINGS: dict[str, str] = {
    "second_line": "transferred calls, those of them that are calls in the second line's queue "
    "(within the log; expected: transferred × second_line_taken), what became of them, and the "
    "handle time expected of the agents who took them",
}


@dataclass(frozen=True, eq=False)
class SecondLine:
    """Calls of the second line in order of arrival, and the people who take them.

    ``parent`` is each call's place among the calls of the first line; ``calls.person`` indexes
    ``people``.
    """

    parent: NDArray[np.int32]
    calls: CallRecords
    people: tuple[Person, ...]
    states: Spells
    plan: Spells
    truth: dict[str, Any]


def draw_second_line(
    parameters: CentreParameters,
    first: CallRecords,
    people: PeopleLog,
    span_s: int,
    scale: float,
    seed: int,
) -> SecondLine:
    """Calls, agents and states of the second line, given the calls that the first line sent on."""
    p, root, rng = parameters, root_of(seed, "second line"), stream(seed, "second line")
    sent = np.flatnonzero(people.transfer[people.answered.call] == 1)
    row = sent[luck(root, people.answered.key[sent], _TAKEN) < p.second_line_taken]
    parent, key = people.answered.call[row], people.answered.key[row]
    spoken = first.talk_s[parent] + first.hold_s[parent]
    entry = (people.answered.at[row] + spoken).astype(np.int64)
    order = np.argsort(entry, kind="stable")
    order = order[entry[order] < span_s]
    parent, key, entry = parent[order], key[order], entry[order]
    normal = ndtri(np.clip(luck(root, key, _LENGTH), 1e-9, 1 - 1e-9))
    length = p.second_line_median_s * np.exp(p.second_line_log_sd * normal)
    handle = np.maximum(np.rint(length), 1).astype(np.int32)

    # Planned as the first line is: by the shape of the calls foreseen.
    ratio = entry.size / max(float(people.foreseen.sum()), 1e-9)
    mean_s = p.second_line_median_s * float(np.exp(p.second_line_log_sd**2 / 2))
    least = max(1, round(p.least_seats))
    seats = seats_for(people.foreseen * ratio, mean_s, p.goal_share, p.second_line_within_s, least)
    # They are the centre's own people, in one building.
    own = replace(p, agents=p.second_line_agents, outsourced=0.0, impatient=p.second_line_impatient)
    roster = draw_roster(own, seats, scale, rng)
    staff = tuple(
        replace(person, code=f"B{person.code[1:]}", site="east") for person in roster.people
    )
    roster = replace(roster, people=staff)
    floor = floor_of(own, roster, _no_programme(roster.crew), rng)
    asked = Requests(
        entry=entry.astype(np.int32),
        key=key.astype(np.int32),
        patience_s=patience_s(own, entry.size, rng),
        handle_s=handle,
        saved_s=np.zeros(entry.size, np.int32),
        rest_share=np.full(entry.size, p.wrap_share, np.float32),
        redials=np.zeros(entry.size, np.uint8),
        follow_up_s=np.zeros(entry.size, np.int32),
        typical_s=np.full(entry.size, mean_s, np.float32),
    )
    attempts = serve(own, asked, floor, span_s, rng)
    answered = attempts.shift >= 0
    spell = np.maximum(attempts.shift, 0)
    person = np.where(answered, floor.person[spell], -1).astype(np.int32)
    wrap = np.rint(attempts.handle_s * p.wrap_share).astype(np.int32)
    calls = CallRecords(
        arrived=attempts.entry,
        customer=first.customer[parent],
        service=first.service[parent],
        outcome=(~answered).astype(np.uint8),
        menu_s=np.zeros(entry.size, np.int32),
        wait_s=attempts.wait_s,
        talk_s=np.where(answered, attempts.handle_s - wrap, -1).astype(np.int32),
        hold_s=np.where(answered, 0, -1).astype(np.int32),
        wrap_s=np.where(answered, wrap, -1).astype(np.int32),
        person=person,
        attempt=np.arange(entry.size, dtype=np.int32),
    )
    took = np.flatnonzero(answered)
    some = Answered(
        call=took.astype(np.int32),
        key=key[took],
        person=person[took],
        spell=attempts.shift[took],
        at=attempts.entry[took] + attempts.wait_s[took],
        wait_s=attempts.wait_s[took],
        handle_s=attempts.handle_s[took],
        base_s=handle[took].astype(np.float32),
        log_length=np.zeros(took.size, np.float32),
        rest_share=asked.rest_share[took],
        unresolved=np.zeros(took.size, bool),
        known=first.customer[parent[took]] >= 0,
    )
    return SecondLine(
        parent=parent,
        calls=calls,
        people=staff,
        states=actual_states(own, calls, some, floor, roster, span_s),
        plan=planned_activities(own, roster, floor, span_s),
        truth={
            "transferred": int(sent.size),
            "calls": int(entry.size),
            "expected_calls": float(sent.size * p.second_line_taken),
            "answered": int(took.size),
            "abandoned": int(entry.size - took.size),
            "handle_s": mean_s * float(floor.pace[some.spell].mean()) if took.size else 0.0,
            "agents": int(np.unique(some.person).size),
        },
    )


def _no_programme(crew: Crew) -> Programme:
    """Neither knowledge base nor course: they are who is asked."""
    nobody = np.full(crew.size, NEVER)
    teams = np.full(int(crew.team.max(initial=0)) + 1, NEVER)
    none = np.zeros(0, np.int64)
    tests = Tests(none, none.astype(bool), none, none, *(3 * [none.astype(float)]))
    out = np.zeros(crew.size, bool)
    return Programme(teams, teams, nobody, nobody, out, out, tests)
