"""Who leaves, and because of what: fewer while reminders come, more after failed self-service.

Leaving of one's own accord is a chance of every day alike. While reminders come the chance is
multiplied; each failed self-service contact drives some away, after a while. Whoever leaves is
replaced: the volume of calls is given, the callers are drawn among those who are customers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.population import first_day_without
from ccanalytics.simulation.sample.volumes import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.needs import Needs
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.population import Population
    from ccanalytics.simulation.sample.reminders import Reminders
    from ccanalytics.simulation.sample.sms_hall import HallUses
    from ccanalytics.simulation.sample.worlds import World

__all__ = ["CHURN_MEANINGS", "drive_away", "stay_longer"]

CHURN_MEANINGS: dict[str, str] = {
    "churn": "customers who left within the log. lost_because is with the cause less without it, "
    "each customer's own luck the same, counted, and expected: for reminders given who subscribed "
    "and renewed, for failed self-service given who failed when and who would have left anyway; "
    "negative: customers kept. per_case is expected, per subscriber and per failed contact",
}


def stay_longer(
    parameters: CentreParameters,
    leaves: NDArray[np.float32],
    started: NDArray[np.int32],
    until: NDArray[np.int32],
) -> NDArray[np.int32]:
    """First day without each customer, whose rate of leaving is another while subscribed.

    The subscription runs from day ``started`` (−1: none) to ``until``, as long as the customer is
    one: the same hazard is used up, only later or sooner.
    """
    factor = parameters.churn_subscribed
    subscribed = np.flatnonzero(started >= 0)
    start, length = started[subscribed], (until - started)[subscribed]
    rest = leaves[subscribed] - start
    inside = rest / factor
    later = np.where(inside <= length, inside, rest + (1 - factor) * length)
    moved = leaves.copy()
    moved[subscribed] = start + later
    return first_day_without(moved)


def drive_away(
    parameters: CentreParameters,
    population: Population,
    reminders: Reminders,
    needs: Needs,
    world: World,
    hall: HallUses,
    days: int,
    rng: np.random.Generator,
) -> tuple[Population, Reminders, dict[str, Any]]:
    """Customers after failed self-service; whose later contacts become those of others.

    ``needs.customer`` and ``hall.customer`` are changed in place. Returns the population and its
    reminders with those who left gone, and the ``churn`` part of ``truth.json``.
    """
    p = parameters
    who, day = _failures(needs, world, hall)
    there = day < population.left[who]
    who, day = who[there], day[there]
    hit = np.flatnonzero(rng.random(who.size, np.float32) < p.churn_failed)
    after = day[hit] + rng.standard_exponential(hit.size) * p.churn_failed_days
    left = population.left.copy()
    np.minimum.at(left, who[hit], first_day_without(after))
    told = _truth(p, population, reminders, who, day, left, days)

    stays = population.left
    population = replace(population, left=left)
    for group, latent in ((needs, needs.latent), (hall, None)):
        when = group.at // np.int32(DAY_S)
        last = left[group.customer]
        gone = np.flatnonzero((when >= last) & (last < stays[group.customer]))
        at, service = group.at[gone], group.service[gone]
        others = population.callers(at, service, rng)
        if latent is not None:
            others = np.where(latent[gone], population.anyone(at, rng), others)
        group.customer[gone] = others
    return population, reminders.without_leavers(left), told


def _failures(
    needs: Needs, world: World, hall: HallUses
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Customer and moment (days) of each contact that did not settle what it was for."""
    sent = np.flatnonzero(world.diverted)
    sent = sent[~needs.sms_done[world.need[sent]]]
    web = world.sessions[~needs.web_done[world.sessions]]
    failed = np.flatnonzero(~hall.completed)
    who = [needs.customer[world.need[sent]], needs.customer[web], hall.customer[failed]]
    at = [world.at[sent], needs.at[web], hall.at[failed]]
    return np.concatenate(who), np.concatenate(at) / DAY_S


def _truth(
    p: CentreParameters,
    population: Population,
    reminders: Reminders,
    who: NDArray[np.int32],
    day: NDArray[np.float64],
    left: NDArray[np.int32],
    days: int,
) -> dict[str, Any]:
    """Whoever's day without them is within the log is lost, and its last day is ``days − 1``."""
    alone = first_day_without(population.leaves)
    here = population.joined < days
    subscribers = reminders.subscribers
    yearly = p.customer_turnover / 365
    rest = np.maximum(days - 1 - reminders.started[subscribers], 0)
    spent = np.minimum(reminders.until[subscribers] - reminders.started[subscribers], rest)
    with_cause = -np.expm1(-yearly * (rest - (1 - p.churn_subscribed) * spent))
    kept = float((with_cause + np.expm1(-yearly * rest)).sum())

    # Chance that none of a customer's failures has driven them away by the end.
    chance = p.churn_failed * -np.expm1(-np.maximum(days - 1 - day, 0) / p.churn_failed_days)
    log_none = np.bincount(who, np.log1p(-np.minimum(chance, 1 - 1e-12)), population.size)
    stayed = population.left >= days
    driven = float(-np.expm1(log_none[stayed]).sum())
    return {
        "customers": int(here.sum()),
        "lost": int((here & (left < days)).sum()),
        "lost_of_their_own_accord": int((here & (alone < days)).sum()),
        "lost_because": {
            "reminders": {
                "cases": int(subscribers.size),
                "expected": kept,
                "counted": int((population.left < days).sum() - (alone < days).sum()),
                "per_case": kept / max(subscribers.size, 1),
            },
            "failed_self_service": {
                "cases": int(who.size),
                "expected": driven,
                "counted": int((left < days).sum() - (population.left < days).sum()),
                "per_case": driven / max(who.size, 1),
            },
        },
    }
