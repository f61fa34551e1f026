"""What management does for its agents: a knowledge base team by team, a course drawn by lot,
and coaching for those who scored lowest.

Whom the course is given to is chance; whom coaching is given to is not, and the luck of a bad day
sends some there who did not need it: they do better next time, with or without coaching.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.simulation.sample.learning import newness
from ccanalytics.simulation.sample.people import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people import Crew

    Days = NDArray[np.int64]

__all__ = ["COACHING", "COURSE", "OCCASIONS", "Programme", "Tests", "draw_programme"]

COURSE, COACHING = "shorter calls", "coaching"
OCCASIONS = ("pre", "post", "delayed")
_ELIGIBLE_DAYS = 60
_PRE, _POST = 14, 7  # days before and after a course


@dataclass(frozen=True, eq=False)
class Tests:
    """Knowledge tests taken: who, in which course's study, on which occasion, when, the score.

    ``expected`` is the score without the luck of the day, ``gain`` what the course gave of it.
    """

    person: Days
    coaching: NDArray[np.bool_]
    occasion: Days
    day: Days
    score: NDArray[np.float64]
    expected: NDArray[np.float64]
    gain: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Programme:
    """Days of each measure, :data:`~ccanalytics.simulation.sample.people.NEVER` without it.

    ``kb_day`` and ``kb_planned`` are by team, ``course_day`` and ``coaching_day`` by agent.
    ``in_lot`` are the agents among whom the course was drawn.
    """

    kb_day: Days
    kb_planned: Days
    course_day: Days
    coaching_day: Days
    in_lot: NDArray[np.bool_]
    screened: NDArray[np.bool_]
    tests: Tests


def draw_programme(
    parameters: CentreParameters, crew: Crew, days: int, rng: np.random.Generator
) -> Programme:
    """Who gets what and when, and the tests that go with it."""
    p, size = parameters, crew.size
    teams = int(crew.team.max(initial=0)) + 1
    rank = rng.permutation(teams)
    kb = np.rint(days * (p.kb_first + (p.kb_last - p.kb_first) * rank / max(teams - 1, 1)))
    kb_day = kb.astype(np.int64)
    slip = 7 if days >= 56 else 1
    kb_planned = kb_day - slip * rng.integers(0, 3, teams)

    # One draw per agent whoever is eligible, so that nobody's luck depends on another's.
    lot, within = rng.random(size), rng.integers(0, 5, size)
    noise = rng.standard_normal((6, size))
    course, coaching = round(days * p.course_on), round(days * p.coaching_on)
    in_lot = _eligible(crew, course) & (course < days)
    course_day = np.where(in_lot & (lot < p.course_share), course + within, NEVER)

    screened = _eligible(crew, coaching) & (coaching < days)
    first = _score(p, crew, course_day, None, coaching - _PRE, noise[3])
    lowest = np.argsort(np.where(screened, first, np.inf), kind="stable")
    sent = lowest[: round(p.coaching_share * screened.sum())]
    coaching_day = np.full(size, NEVER)
    coaching_day[sent] = coaching + within[sent]

    taken = []
    for study, group, centre in ((0, in_lot, course), (1, screened, coaching)):
        for occasion, day in enumerate(
            (centre - _PRE, centre + 5 + _POST, centre + 5 + round(p.delayed_days))
        ):
            here = np.flatnonzero(group & (crew.left > day) & (0 <= day < days))
            score, usual = (
                _score(p, crew, course_day, coaching_day, day, each)
                for each in (noise[3 * study + occasion], np.zeros(size))
            )
            points, on = ((p.course_score, course_day), (p.coaching_score, coaching_day))[study]
            gain = _gain(p, points, day - on)
            taken.append((here, study, occasion, day, score[here], usual[here], gain[here]))
    count = [each[0].size for each in taken]
    person, study_of, occasion_of, day_of, *scores = zip(*taken, strict=True)
    return Programme(
        kb_day=kb_day,
        kb_planned=kb_planned,
        course_day=course_day,
        coaching_day=coaching_day,
        in_lot=in_lot,
        screened=screened,
        tests=Tests(
            np.concatenate(person),
            np.repeat(study_of, count) == 1,
            np.repeat(occasion_of, count),
            np.repeat(day_of, count),
            *(np.concatenate(each) for each in scores),
        ),
    )


def _eligible(crew: Crew, day: int) -> NDArray[np.bool_]:
    return np.asarray((crew.hired <= day - _ELIGIBLE_DAYS) & (crew.left > day + 5))


def _gain(p: CentreParameters, points: float, since: Days) -> NDArray[np.float64]:
    """Points that are left so many days after a course: they fade up to the delayed test."""
    faded = np.clip(since / max(p.delayed_days, 1), 0, 1)
    return np.asarray(np.where(since > 0, points * (1 - (1 - p.retained) * faded), 0.0))


def _score(
    p: CentreParameters,
    crew: Crew,
    course_day: Days,
    coaching_day: Days | None,
    day: int,
    noise: NDArray[np.float64],
) -> NDArray[np.float64]:
    new = newness(p, day - crew.hired, crew.excess)
    gain = _gain(p, p.course_score, day - course_day)
    if coaching_day is not None:
        gain = gain + _gain(p, p.coaching_score, day - coaching_day)
    score = p.score_mean + p.score_sd * crew.score - p.score_novice * new + gain
    return np.asarray(np.clip(score + p.score_noise * noise, 0, 100))
