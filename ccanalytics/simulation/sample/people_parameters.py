"""What the people of the sample centre are made of: agents, tools, training, reviews, surveys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ccanalytics.errors import InputError

__all__ = ["PeopleParameters", "check_people"]


def _of(default: float, unit: str, meaning: str) -> Any:
    """A parameter with its unit and meaning as metadata."""
    return field(default=default, metadata={"unit": unit, "meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class PeopleParameters:
    """Causes on the side of the agents; :class:`CentreParameters` holds them with all others.

    Switched off by its own number: ``agent_log_sd=0`` lasting differences, ``novice_least=1,
    novice_most=1`` learning, ``kb_talk_novice=0, kb_talk_expert=0, kb_error=0, kb_transfer=0`` the
    knowledge base, ``course_pace=0, course_error=0, course_score=0`` courses. The plan, the shifts
    and the people stay as they were.
    """

    # Who works
    intake_days: float = _of(28, "days", "people leave, and successors start, every so many days")
    team_size: float = _of(12, "agents", "positions of a team")
    outsourced: float = _of(0.25, "share", "teams whose agents an outsourcer employs")
    outsourced_turnover: float = _of(2.0, "factor", "rate of leaving there over that in-house")
    leaving_novice: float = _of(2.5, "factor", "rate of leaving in the first 90 days over later")
    leaving_slow: float = _of(0.35, "log rate", "more leaving per sd of lasting slowness")

    # How fast: handle time over that of a typical tenured agent
    agent_log_sd: float = _of(0.13, "log sd", "lasting differences between agents")
    novice_least: float = _of(1.30, "factor", "handle time of the quickest newcomers, first day")
    novice_most: float = _of(1.80, "factor", "handle time of the slowest newcomers, first day")
    proficient_days: float = _of(135, "days", "after which a newcomer is as quick as others")
    learning_power: float = _of(
        0, "0 or 1", "0: the excess decays exponentially; 1: a power of days worked"
    )
    plan_pace: float = _of(0.96, "factor", "handle time that the planner expects, over typical")

    # The day at work
    plan_shrinkage: float = _of(
        0.14, "share", "of a shift that the planner expects to go to breaks and meetings"
    )
    break_s: float = _of(900, "s", "a short break; one in a half shift, two in a full one")
    meal_s: float = _of(1_800, "s", "the meal of a shift of six hours or more")
    meeting_s: float = _of(1_800, "s", "the team's meeting, in each agent's first shift of a week")
    late_chance: float = _of(0.12, "share", "shifts begun late")
    late_mean_s: float = _of(240, "s", "mean delay of those (exponential)")
    adherence_sd_s: float = _of(90, "s", "by which breaks begin and end off schedule")
    states_weeks: float = _of(4, "weeks", "at the end of the log with agent states and schedules")

    # Knowledge base, team by team
    kb_first: float = _of(0.35, "share of span", "first team gets the knowledge base")
    kb_last: float = _of(1.10, "share of span", "last team does; beyond 1: not within the log")
    kb_talk_novice: float = _of(0.20, "share", "talk time it saves a newcomer")
    kb_talk_expert: float = _of(0.01, "share", "talk time it saves a long-tenured agent")
    kb_tenure_days: float = _of(180, "days", "the saving fades with tenure as exp(−tenure / this)")
    kb_error: float = _of(0.20, "share", "errors it prevents, of a newcomer's")
    kb_transfer: float = _of(0.30, "share", "transfers to the second line it prevents")
    kb_use: float = _of(0.35, "share", "answered calls in which an article is opened, once live")
    kb_logged: float = _of(0.10, "share", "of those openings that the log keeps: a sample")

    # Transfers, errors, knowledge
    transfer: float = _of(0.06, "share", "calls sent to the second line, without knowledge base")
    error: float = _of(0.06, "share", "checked items wrong, of a typical tenured agent")
    error_logit_sd: float = _of(0.45, "logit sd", "lasting differences of agents in errors")
    error_novice: float = _of(0.80, "logit", "more errors on the first day; fades like slowness")
    error_long: float = _of(0.35, "logit", "more errors per unit of log handle time of the call")
    score_mean: float = _of(74, "points", "knowledge score of a tenured agent, out of 100")
    score_sd: float = _of(8, "points", "lasting differences in knowledge")
    score_novice: float = _of(12, "points", "fewer points on the first day; fades like slowness")
    score_noise: float = _of(6, "points", "luck of the day in a test")

    # Courses
    course_share: float = _of(0.5, "share", "agents drawn by lot for the randomised course")
    course_on: float = _of(0.50, "share of span", "the randomised course takes place")
    coaching_on: float = _of(0.25, "share of span", "coaching of the lowest in a test")
    coaching_share: float = _of(0.20, "share", "agents sent to coaching, lowest scores first")
    course_hours: float = _of(4, "hours", "length of a course")
    course_cost: float = _of(600, "money", "cost of a seat in a course")
    course_pace: float = _of(0.04, "share", "handle time that the randomised course saves")
    course_error: float = _of(0.20, "share", "errors that it prevents")
    course_score: float = _of(7, "points", "knowledge gained in it")
    coaching_pace: float = _of(0.01, "share", "handle time that coaching saves")
    coaching_error: float = _of(0.10, "share", "errors that coaching prevents")
    coaching_score: float = _of(2, "points", "knowledge gained in coaching")
    retained: float = _of(0.6, "share", "of the points gained that are left at the delayed test")
    delayed_days: float = _of(60, "days", "from a course to the delayed test")

    # Reviews
    reviews_a_month: float = _of(4, "calls", "calls of each agent reviewed at random a month")
    reviewers: float = _of(6, "people", "reviewers at scale 1; at least 2")
    reviewer_logit_sd: float = _of(0.35, "logit sd", "strictness differs between reviewers by this")
    reviewer_finds: float = _of(0.90, "share", "wrong items that a typical reviewer marks wrong")
    reviewer_false: float = _of(0.03, "share", "right items that a typical reviewer marks wrong")
    reviewed_twice: float = _of(0.06, "share", "random reviews repeated by another reviewer")
    targeted: float = _of(0.35, "per review", "targeted reviews for each random one")
    targeted_long: float = _of(0.6, "share", "of those chosen because the call was long")

    # Surveys
    survey: float = _of(0.10, "share", "answered calls of known customers invited to a survey")
    survey_response: float = _of(0.20, "share", "of neutral customers who answer")
    survey_unhappy: float = _of(0.35, "logit", "more answers per point of score below neutral")
    survey_strong: float = _of(0.45, "logit", "more answers per point away from neutral")
    satisfaction: float = _of(0.9, "sd", "by which a resolved call without wait beats neutral")
    satisfaction_wait: float = _of(0.25, "sd", "less, per doubling of wait beyond a minute")
    satisfaction_unresolved: float = _of(0.8, "sd", "less, when the customer must call again")
    satisfaction_agent: float = _of(0.30, "sd", "lasting differences of agents")


def check_people(parameters: PeopleParameters) -> None:
    """Refuse what no centre could be.

    Raises
    ------
    InputError
        A parameter that contradicts another, or its own meaning; the message names it.
    """
    p = parameters
    for name, least, most in (
        *((each, 1e-9, float("inf")) for each in _ABOVE_ZERO),
        ("intake_days", 1, 3650),
        ("team_size", 1, 10_000),
        ("novice_least", 1, 10),
        ("novice_most", p.novice_least, 10),
        ("agent_log_sd", 0, 0.4),
        ("plan_shrinkage", 0, 0.9),
        ("kb_last", p.kb_first, 10),
        ("kb_talk_novice", 0, 0.6),
        ("course_pace", 0, 0.5),
        ("coaching_pace", 0, 0.5),
        ("learning_power", 0, 1),
    ):
        value = getattr(p, name)
        if not least <= value <= most:
            told = "above 0" if least == 1e-9 else f"between {least:g} and {most:g}"
            raise InputError(f"this parameter must be {told}", f"{name}={value!r}")
    if p.learning_power not in (0, 1):
        where = f"learning_power={p.learning_power!r}"
        raise InputError("learning follows one law or the other", where, "give 0 or 1")


_ABOVE_ZERO = ("proficient_days", "kb_tenure_days", "plan_pace", "delayed_days", "reviewers")
