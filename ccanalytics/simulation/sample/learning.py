"""How fast, how right and how knowing an agent is on a day: learning, tools and courses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, logit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people import Crew
    from ccanalytics.simulation.sample.programme import Programme

    Days = NDArray[np.integer[Any]]
    Floats = NDArray[np.floating[Any]]

__all__ = ["ALL_CAUSES", "Skill", "error_chance", "newness", "skill", "transfer_chance"]

ALL_CAUSES = frozenset({"differences", "learning", "knowledge_base", "course", "coaching"})


@dataclass(frozen=True, eq=False)
class Skill:
    """Of some agents, each on a day: factors on handle time and on talk time, and the rest.

    ``pace`` multiplies all of the handle time, ``talk_pace`` talk alone; ``error`` is the logit
    of a checked item being wrong in a call of typical length.
    """

    pace: Floats
    talk_pace: Floats
    error: Floats


def newness(parameters: CentreParameters, tenure_days: Days, excess: Floats) -> Floats:
    """Share of the first day's extra handle time that is left after so many days."""
    p = parameters
    tenure = np.maximum(tenure_days, 0)
    if not p.learning_power:
        # Down to a twentieth when proficient.
        return np.asarray(np.exp(-3 * tenure / p.proficient_days))
    some = np.maximum(excess, 1e-12)
    steepness = np.log1p(some) / np.log1p(p.proficient_days)
    return np.asarray(np.maximum((1 + some) * (1.0 + tenure) ** -steepness - 1, 0) / some)


def tool_share(parameters: CentreParameters, tenure_days: Days) -> Floats:
    """How much of a newcomer's benefit from the knowledge base an agent has."""
    return np.asarray(np.exp(-np.maximum(tenure_days, 0) / parameters.kb_tenure_days))


def skill(
    parameters: CentreParameters,
    crew: Crew,
    programme: Programme,
    person: Days,
    day: Days,
    causes: frozenset[str] = ALL_CAUSES,
) -> Skill:
    """Skills of agents on days, with all causes at work or with some of them."""
    p = parameters
    tenure = day - crew.hired[person]
    pace, error = np.ones(person.size), np.full(person.size, _logit(p.error))
    if "differences" in causes:
        pace = pace * np.exp(p.agent_log_sd * crew.slow[person])
        error = error + p.error_logit_sd * crew.error[person]
    if "learning" in causes:
        new = newness(p, tenure, crew.excess[person])
        pace = pace * (1 + crew.excess[person] * new)
        error = error + p.error_novice * new
    for course, on, saves, prevents in (
        ("course", programme.course_day, p.course_pace, p.course_error),
        ("coaching", programme.coaching_day, p.coaching_pace, p.coaching_error),
    ):
        if course in causes:
            taken = day > on[person]
            pace = pace * np.where(taken, 1 - saves, 1)
            error = error + np.where(taken, _log1m(prevents), 0)
    talk_pace = np.ones(person.size)
    if "knowledge_base" in causes:
        live = day >= programme.kb_day[crew.team[person]]
        novice = tool_share(p, tenure)
        saved = p.kb_talk_expert + (p.kb_talk_novice - p.kb_talk_expert) * novice
        talk_pace = np.where(live, 1 - saved, 1.0)
        error = error + np.where(live, np.log(np.maximum(1 - p.kb_error * novice, 1e-9)), 0)
    return Skill(pace, talk_pace, error)


def error_chance(parameters: CentreParameters, error: Floats, log_length: Floats) -> Floats:
    """Chance that a checked item of a call is wrong; ``log_length`` of base time over median."""
    return np.asarray(expit(error + parameters.error_long * log_length))


def transfer_chance(
    parameters: CentreParameters,
    crew: Crew,
    programme: Programme,
    person: Days,
    day: Days,
    causes: frozenset[str] = ALL_CAUSES,
) -> Floats:
    """Chance that an agent sends a call to the second line: newcomers twice as often."""
    p = parameters
    chance = np.full(person.size, p.transfer)
    if "learning" in causes:
        chance = chance * (1 + newness(p, day - crew.hired[person], crew.excess[person]))
    if "knowledge_base" in causes:
        live = day >= programme.kb_day[crew.team[person]]
        chance = chance * np.where(live, 1 - p.kb_transfer, 1)
    return np.minimum(chance, 1.0)


def _logit(share: float) -> float:
    return float(logit(np.clip(share, 1e-9, 1 - 1e-9)))


def _log1m(share: float) -> float:
    return float(np.log(max(1 - share, 1e-9)))
