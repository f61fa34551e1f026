"""The day on the floor: spells in which an agent takes calls, and what lies between them.

Shifts are planned with breaks, a meal, a weekly meeting and courses; people start late and keep
their breaks a little off schedule. Calls only ever go to someone who is really there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.learning import ALL_CAUSES, skill
from ccanalytics.simulation.sample.volumes import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people import Crew
    from ccanalytics.simulation.sample.programme import Programme
    from ccanalytics.simulation.sample.roster import Roster

    Whole = NDArray[np.int64]

__all__ = ["ACTIVITIES", "Absences", "Floor", "floor_of"]

ACTIVITIES = ("training", "meeting", "break")
_TRAINING, _MEETING, _BREAK = range(3)
_ROUND_S = 300
_LEAST_BETWEEN_S = 900


@dataclass(frozen=True, eq=False)
class Absences:
    """Spells of a shift away from calls, planned and actual; ``kind`` indexes ACTIVITIES."""

    shift: Whole
    kind: Whole
    planned_start: Whole
    planned_end: Whole
    start: Whole
    end: Whole


@dataclass(frozen=True, eq=False)
class Floor:
    """Spells in which an agent takes calls, in order of their start (seconds).

    ``shift`` is the roster's shift, ``pace`` the agent's factor on handle time that day and
    ``talk_pace`` that on talk time besides.
    """

    start: Whole
    end: Whole
    person: Whole
    shift: Whole
    pace: NDArray[np.floating[Any]]
    talk_pace: NDArray[np.floating[Any]]
    absences: Absences

    @property
    def day(self) -> Whole:
        """Day on which each spell begins."""
        return self.start // DAY_S

    def paced(
        self,
        parameters: CentreParameters,
        crew: Crew,
        programme: Programme,
        causes: frozenset[str],
    ) -> Floor:
        """The same floor, its people as they would be with these causes alone."""
        skills = skill(parameters, crew, programme, self.person, self.day, causes)
        return Floor(
            self.start,
            self.end,
            self.person,
            self.shift,
            skills.pace,
            skills.talk_pace,
            self.absences,
        )


def floor_of(
    parameters: CentreParameters,
    roster: Roster,
    programme: Programme,
    rng: np.random.Generator,
) -> Floor:
    """Spells on the floor of all shifts."""
    p, shifts = parameters, roster.start.size
    noise = rng.standard_normal((shifts, 8)) * p.adherence_sd_s
    late = (rng.random(shifts) < p.late_chance) * rng.standard_exponential(shifts) * p.late_mean_s
    planned = _planned(p, roster, programme)
    cursor = roster.start + np.rint(late).astype(np.int64)
    spells, absences = [], []
    for place, (kind, begin, end, there) in enumerate(planned):
        shift = np.flatnonzero(there)
        # What is first in the shift begins with it; the rest a little off schedule.
        start = begin[shift] + np.rint(noise[shift, place % 4]).astype(np.int64)
        start = np.clip(start, cursor[shift], roster.end[shift])
        stop = end[shift] + np.rint(noise[shift, 4 + place % 4]).astype(np.int64)
        stop = np.clip(stop, start, roster.end[shift])
        spells.append((cursor[shift], start, shift))
        absences.append((shift, np.full(shift.size, kind), begin[shift], end[shift], start, stop))
        cursor[shift] = stop
    spells.append((cursor, roster.end, np.arange(shifts)))
    start, end, shift = (np.concatenate(each) for each in zip(*spells, strict=True))
    keep = np.flatnonzero(end > start)
    order = keep[np.lexsort((shift[keep], start[keep]))]
    away = [np.concatenate(each) for each in zip(*absences, strict=True)]
    by_time = np.lexsort((away[2], away[0]))
    blank = np.ones(order.size)
    bare = Floor(
        start=start[order],
        end=end[order],
        person=roster.person[shift[order]],
        shift=shift[order],
        pace=blank,
        talk_pace=blank,
        absences=Absences(*(each[by_time] for each in away)),
    )
    return bare.paced(p, roster.crew, programme, ALL_CAUSES)


def _planned(
    p: CentreParameters, roster: Roster, programme: Programme
) -> list[tuple[int, Whole, Whole, NDArray[np.bool_]]]:
    """Kind, planned start and end of each thing that may be in a shift, and whether it is."""
    length = roster.end - roster.start
    # Neighbouring seats take their breaks at different times: an even spread, not chance.
    even = roster.seat * 0.6180339887 % 1
    full, half = length >= 6 * 3600, (length >= 4 * 3600) & (length < 6 * 3600)

    def at(least: float, most: float) -> Whole:
        place = length * (least + (most - least) * even)
        return np.asarray(roster.start + np.rint(place / _ROUND_S).astype(np.int64) * _ROUND_S)

    courses = _course_shifts(roster, programme.course_day) | _course_shifts(
        roster, programme.coaching_day
    )
    course = np.minimum(round(p.course_hours * 3600), length)
    wanted = [
        (_TRAINING, roster.start, course, courses),
        (_MEETING, at(0.08, 0.14), round(p.meeting_s), _first_of_week(roster) & ~courses),
        (_BREAK, at(0.26, 0.34), round(p.break_s), full),
        (_BREAK, at(0.48, 0.58), round(p.meal_s), full),
        (_BREAK, at(0.42, 0.58), round(p.break_s), half),
        (_BREAK, at(0.74, 0.84), round(p.break_s), full),
    ]
    planned = []
    until = roster.start - _LEAST_BETWEEN_S
    for kind, begin, lasts, there in wanted:
        end = begin + lasts
        fits = there & (end > begin) & (begin >= until + _LEAST_BETWEEN_S) & (end <= roster.end)
        planned.append((kind, begin, end, fits))
        until = np.where(fits, end, until)
    return planned


def _course_shifts(roster: Roster, day: Whole) -> NDArray[np.bool_]:
    """Each agent's first shift on or after the day of the course."""
    size = roster.start.size
    after = roster.start // DAY_S >= day[roster.person]
    first = np.full(day.size, size)
    np.minimum.at(first, roster.person[after], np.flatnonzero(after))
    chosen = np.zeros(size + 1, bool)
    chosen[first] = True
    return chosen[:size]


def _first_of_week(roster: Roster) -> NDArray[np.bool_]:
    """Each agent's first shift of each week of the log; shifts are in order of start."""
    week = roster.person * 10_000 + roster.start // (7 * DAY_S)
    chosen = np.zeros(week.size, bool)
    chosen[np.unique(week, return_index=True)[1]] = True
    return chosen
