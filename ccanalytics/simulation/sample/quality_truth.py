"""What is true of quality: errors at large and as reviews show them, satisfaction, courses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.learning import error_chance
from ccanalytics.simulation.sample.people import NEVER
from ccanalytics.simulation.sample.programme import COACHING, COURSE, OCCASIONS
from ccanalytics.simulation.sample.reviews import ITEMS, item_chance, marked_chance
from ccanalytics.simulation.sample.surveys import response_chance, scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.answered import Answered
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people_log import PeopleLog

    Floats = NDArray[np.floating[Any]]

__all__ = ["quality_truth", "wrong_share"]


def wrong_share(parameters: CentreParameters, error: Floats, answered: Answered) -> Floats:
    """Share of items that are wrong in each call, in expectation."""
    total = np.zeros(answered.size)
    for item in ITEMS:
        total += error_chance(parameters, error + item.harder, answered.log_length)
    return total / len(ITEMS)


def quality_truth(
    parameters: CentreParameters, log: PeopleLog, some: Answered
) -> dict[str, dict[str, Any]]:
    """Reviews, surveys and courses of the truth; ``some`` stands for all answered calls."""
    return {
        "reviews": _reviews(parameters, log, some),
        "surveys": _surveys(parameters, log, some),
        "courses": _courses(log),
    }


def _reviews(p: CentreParameters, log: PeopleLog, some: Answered) -> dict[str, Any]:
    reviews = log.reviews
    chance = item_chance(p, log.crew, log.programme, some)
    # What typical reviewers would mark wrong, were every call reviewed.
    found, false = (marked_chance(p, np.array([each]), reviews.strictness) for each in (1, 0))
    marked = chance * found.mean() + (1 - chance) * false.mean()
    of = {"random": ~reviews.targeted, "targeted": reviews.targeted}
    return {
        "wrong_share": float(chance.mean()),
        "wrong_share_by_item": {
            item.name: float(chance[:, each].mean()) for each, item in enumerate(ITEMS)
        },
        "critical_fail_share": float(
            (1 - np.prod(1 - chance[:, [i.critical for i in ITEMS]], axis=1)).mean()
        ),
        "marked_share_expected": float(marked.mean()),
        "reviews": {name: int(which.sum()) for name, which in of.items()},
        "wrong_share_of_reviewed": {
            name: _mean(reviews.wrong[which]) for name, which in of.items()
        },
        "marked_share_of_reviewed": {
            name: _mean(reviews.marked[which]) for name, which in of.items()
        },
        "strictness_logit": {
            f"R{each + 1:02d}": float(value) for each, value in enumerate(reviews.strictness)
        },
    }


def _surveys(p: CentreParameters, log: PeopleLog, some: Answered) -> dict[str, Any]:
    surveys = log.surveys
    score = scores(p, log.crew, some, log.survey_root)
    chance = response_chance(p, score)
    said = surveys.answered_at >= 0
    return {
        "mean_score": float(score.mean()),
        "mean_score_expected_of_responders": float((score * chance).sum() / chance.sum()),
        "share_4_or_5": float((score >= 4).mean()),
        "response_share_expected": float(chance.mean()),
        "response_share_by_score": {
            str(each): float(response_chance(p, np.array([each]))[0]) for each in range(1, 6)
        },
        "mean_score_of_invited": _mean(surveys.score),
        "mean_score_of_responders": _mean(surveys.score[said]),
        "invited": int(said.size),
        "answered": int(said.sum()),
    }


def _courses(log: PeopleLog) -> dict[str, Any]:
    programme, tests = log.programme, log.programme.tests
    truth = {}
    for study, (name, day) in enumerate(
        ((COURSE, programme.course_day), (COACHING, programme.coaching_day))
    ):
        mine = tests.coaching == bool(study)
        took = day[tests.person] < NEVER
        pre = mine & (tests.occasion == 0)
        truth[name] = {
            "taken": int((day < NEVER).sum()),
            "compared": int((programme.screened if study else programme.in_lot).sum()),
            # What luck alone made of the first test: it will not come again.
            "luck_in_pre_test": {
                "taken": _mean((tests.score - tests.expected)[pre & took]),
                "not_taken": _mean((tests.score - tests.expected)[pre & ~took]),
            },
            "gain_points": {
                occasion: _mean(tests.gain[mine & took & (tests.occasion == each)])
                - _mean(tests.gain[mine & ~took & (tests.occasion == each)])
                for each, occasion in enumerate(OCCASIONS)
            },
        }
    return truth


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if values.size else 0.0
