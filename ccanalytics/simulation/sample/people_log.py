"""All that the centre's people did beside taking calls, gathered for its tables and its truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.simulation.sample.answered import answered_calls
from ccanalytics.simulation.sample.learning import transfer_chance
from ccanalytics.simulation.sample.luck import luck, root_of
from ccanalytics.simulation.sample.reviews import draw_reviews
from ccanalytics.simulation.sample.states import actual_states, planned_activities
from ccanalytics.simulation.sample.surveys import draw_surveys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.answered import Answered
    from ccanalytics.simulation.sample.floor import Floor
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people import Crew
    from ccanalytics.simulation.sample.pool import Attempts, Requests
    from ccanalytics.simulation.sample.programme import Programme
    from ccanalytics.simulation.sample.records import CallRecords
    from ccanalytics.simulation.sample.reviews import Reviews
    from ccanalytics.simulation.sample.roster import Roster
    from ccanalytics.simulation.sample.states import Spells
    from ccanalytics.simulation.sample.surveys import Surveys

__all__ = ["PeopleLog", "people_log"]


@dataclass(frozen=True, eq=False)
class PeopleLog:
    """Answered calls and what came of them.

    ``transfer`` is by call: 0 to nobody, 1 to the second line, −1: not answered.
    ``foreseen`` are the calls of each half-hour in the plan.
    """

    crew: Crew
    programme: Programme
    floor: Floor
    answered: Answered
    transfer: NDArray[np.int8]
    surveys: Surveys
    reviews: Reviews
    states: Spells
    plan: Spells
    foreseen: NDArray[np.float64]
    survey_root: int
    article_root: int


def people_log(
    parameters: CentreParameters,
    roster: Roster,
    programme: Programme,
    floor: Floor,
    requests: Requests,
    attempts: Attempts,
    calls: CallRecords,
    plan: NDArray[np.float64],
    span_s: int,
    scale: float,
    seed: int,
) -> PeopleLog:
    """Transfers, surveys, reviews and states of a log; each from luck of its own."""
    p, crew = parameters, roster.crew
    answered = answered_calls(calls, requests, attempts, floor)
    chance = transfer_chance(p, crew, programme, floor.person, floor.day)[answered.spell]
    transfer = np.full(calls.person.size, -1, np.int8)
    transfer[answered.call] = luck(root_of(seed, "transfers"), answered.key) < chance
    survey_root = root_of(seed, "surveys")
    surveys = draw_surveys(p, crew, answered, span_s, survey_root)
    return PeopleLog(
        crew=crew,
        programme=programme,
        floor=floor,
        answered=answered,
        transfer=transfer,
        surveys=surveys,
        reviews=draw_reviews(
            p, crew, programme, answered, surveys, span_s, scale, root_of(seed, "reviews")
        ),
        states=actual_states(p, calls, answered, floor, roster, span_s),
        plan=planned_activities(p, roster, floor, span_s),
        foreseen=plan,
        survey_root=survey_root,
        article_root=root_of(seed, "articles"),
    )
