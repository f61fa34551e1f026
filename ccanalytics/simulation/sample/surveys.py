"""What customers thought of their call, whom the survey asked, and who answered it.

Satisfaction hangs on the wait, on whether the matter was settled, and on the agent; whether a
customer answers hangs on the satisfaction itself, so those who answer are not like the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit, ndtri

from ccanalytics.simulation.sample.luck import luck

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.answered import Answered
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people import Crew

__all__ = ["Surveys", "draw_surveys", "response_chance", "scores"]

NEUTRAL = 3
_STEPS = (-1.2, -0.5, 0.1, 0.9)
_AFTER_S = 300
_ANSWER_MEAN_S = 6 * 3600
_ANSWER_LAST_S = 3 * 86_400
# Draws of a call's luck; a number each, so that none is used twice.
_INVITED, _MOOD, _ANSWERS, _DELAY = range(4)


@dataclass(frozen=True, eq=False)
class Surveys:
    """Invitations in order of the calls; ``row`` is the place among answered calls.

    ``score`` is what the customer thinks, whether or not they say so; ``answered_at`` is −1 of
    those who do not.
    """

    row: NDArray[np.int64]
    sent_at: NDArray[np.int64]
    answered_at: NDArray[np.int64]
    score: NDArray[np.int64]


def scores(
    parameters: CentreParameters, crew: Crew, answered: Answered, root: int
) -> NDArray[np.int64]:
    """The score, 1 to 5, that each customer would give."""
    p = parameters
    mood = ndtri(np.clip(luck(root, answered.key, _MOOD), 1e-12, 1 - 1e-12))
    waited = np.log2(1 + np.maximum(answered.wait_s - 60, 0) / 60)
    latent = p.satisfaction - p.satisfaction_wait * waited + mood
    latent = latent - p.satisfaction_unresolved * answered.unresolved
    latent = latent + p.satisfaction_agent * crew.manner[answered.person]
    return np.asarray(1 + np.searchsorted(_STEPS, latent), np.int64)


def response_chance(parameters: CentreParameters, score: NDArray[np.int64]) -> NDArray[np.float64]:
    """Chance that a customer of that score answers the survey."""
    p = parameters
    off = score - NEUTRAL
    neutral = float(logit(np.clip(p.survey_response, 1e-9, 1 - 1e-9)))
    return np.asarray(expit(neutral + p.survey_strong * np.abs(off) - p.survey_unhappy * off))


def draw_surveys(
    parameters: CentreParameters, crew: Crew, answered: Answered, span_s: int, root: int
) -> Surveys:
    """Invitations sent within the log, and what came of them."""
    invited = answered.known & (luck(root, answered.key, _INVITED) < parameters.survey)
    row = np.flatnonzero(invited)
    some = answered.take(row)
    sent = some.at.astype(np.int64) + some.handle_s + _AFTER_S
    score = scores(parameters, crew, some, root)
    answers = luck(root, some.key, _ANSWERS) < response_chance(parameters, score)
    delay = -np.log1p(-luck(root, some.key, _DELAY)) * _ANSWER_MEAN_S
    at = sent + 20 + np.rint(np.minimum(delay, _ANSWER_LAST_S)).astype(np.int64)
    # What comes after the log ends is not in it.
    at = np.where(answers & (at < span_s), at, -1)
    there = sent < span_s
    return Surveys(row[there], sent[there], at[there], score[there])
