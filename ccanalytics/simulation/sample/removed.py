"""What each cause truly removed from the sample centre's agents: calls, seconds, erlangs, seats.

Each world lacks one cause, one lacks all of them, and one is the log's own; what a cause removed is
the world without it less the log. Channels overlap, so the single removals do not sum to the joint
one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.counts import effects
from ccanalytics.simulation.sample.expected import demand_of, expect, menu_taken
from ccanalytics.simulation.sample.services import IS_REMINDED
from ccanalytics.simulation.sample.sms_hall import hall_truth
from ccanalytics.simulation.sample.volumes import HALF_HOUR_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.build import Built
    from ccanalytics.simulation.sample.expected import Demand, Expected
    from ccanalytics.simulation.sample.parameters import CentreParameters

__all__ = ["CAUSES", "EXPECTED_MEANINGS", "expectations"]

# What is missing in the world against which each removal is told.
CAUSES: dict[str, dict[str, bool]] = {
    "sms_before_call": {"sms": False},
    "sms_during_call": {"assist": False},
    "web": {"web": False},
    "reminders": {"reminders": False},
    "sms_before_call_and_web": {"sms": False, "web": False},
    "all": {"sms": False, "assist": False, "web": False, "reminders": False},
}
_LAST_DAYS = 28

EXPECTED_MEANINGS: dict[str, str] = {
    "expected": "the same worlds on average over all draws of needs, given how busy each half-hour "
    "was: sums of probabilities, so there is no Monte Carlo error, and delays on a grid whose "
    "error is under 0.1% of any total",
    "expected.counted": "what the one draw behind this log shows of the same removals: counted, "
    "expected, and the standard error of the count, which bounds how far apart they may be",
    "expected.waves": "reminders by the wave that led to the subscription: customers invited and "
    "subscribed, needs_answered before they came up (on average), per subscriber (the effect on "
    "those whom an invitation moves) and per invited customer (intention to treat; beside those, "
    "calls_caused_by_invitations); keyword: subscribed unasked",
    "expected.renewals": "terms that expired and that were renewed within the log, by lot; "
    "needs_answered: by reminders of renewed terms",
    "expected.worlds": "the log, and the world without each cause, all other causes at work",
    "expected.removed": "that world less the log; handle_s here counts what SMS-assist during the "
    "call saves; agent_erlangs are those seconds over the seconds of the span",
    "expected.seats": "agents that a planner seats for the typical half-hours (48 of workdays, 48 "
    "of other days) at the parameters' goal, by Erlang C, of first requests alone: whole agents, "
    "agents with fractions, and seat hours a week; over the span and over its last 28 days, when "
    "the channels have built up",
}


def expectations(parameters: CentreParameters, built: Built) -> dict[str, Any]:
    """The ``expected`` part of ``truth.json``."""
    demand = demand_of(
        parameters,
        built.traits,
        built.go_live,
        built.volumes,
        built.population,
        built.reminders,
    )

    def world(**missing: bool) -> Expected:
        return expect(parameters, built.traits, built.go_live, demand, **missing)

    log = world()
    span, last = (_period(built, days) for days in (built.days, min(_LAST_DAYS, built.days)))
    found: dict[str, Any] = {
        "worlds": {"log": _totals(log, built)},
        "removed": {},
        "seats": {
            "span": {"log": _seats(parameters, log, span)},
            "last_28_days": {"log": _seats(parameters, log, last)},
        },
        "service_weeks": {"log": _by_week(log, built)},
    }
    found["waves"] = _waves(parameters, built, demand)
    found["renewals"] = _renewals(parameters, built, demand)
    found["cannibalised"] = hall_truth(
        parameters,
        built.traits,
        built.go_live,
        built.volumes,
        built.hall,
        menu_taken(parameters, built.traits, built.go_live, demand),
        built.contacts["web_instead_of_menu"],
    )
    here = found["worlds"]["log"]
    for cause, missing in CAUSES.items():
        without = world(**missing)
        there = found["worlds"][f"without_{cause}"] = _totals(without, built)
        gone = {name: there[name] - here[name] for name in here}
        shares = {
            f"{name}_share": gone[name] / there[name] if there[name] else 0.0
            for name in ("calls", "requests", "handle_s")
        }
        found["removed"][cause] = {**gone, **shares}
        for name, period in (("span", span), ("last_28_days", last)):
            seats = found["seats"][name]
            seats[f"without_{cause}"] = _seats(parameters, without, period)
        found["service_weeks"][f"without_{cause}"] = _by_week(without, built)
    for seats in found["seats"].values():
        base = seats["log"]
        seats["removed"] = {
            cause: {
                name: seats[f"without_{cause}"][name] - base[name]
                for name in ("seat_hours_a_week", "seat_hours_a_week_fractional", "busiest")
            }
            for cause in CAUSES
        }
    found["counted"] = _counted(found["removed"], built)
    return found


def _counted(removed: dict[str, Any], built: Built) -> dict[str, dict[str, float]]:
    """The count of each removal beside its expectation."""
    moved = {name: float(each.sum()) for name, each in built.causes.items()}
    told = {}
    for cause, name, own in (
        ("sms_before_call", "sms_before_call", ("sms",)),
        ("web", "web", ("web",)),
        ("sms_before_call_and_web", "both", ("sms", "web")),
        ("reminders", "reminders", ("reminders",)),
    ):
        # Each request taken, given back or caused is a difference of one, and they are independent.
        differences = sum(n for each, n in moved.items() if each.startswith(own))
        told[cause] = {
            "requests": float(effects(built.counts, "requests")[name].sum()),
            "expected": removed[cause]["requests"],
            "standard_error": differences**0.5,
        }
    return told


def _waves(
    parameters: CentreParameters, built: Built, demand: Demand
) -> dict[str, dict[str, float]]:
    """What reminders do to those whom each wave won over."""
    reminders, population = built.reminders, built.population
    subscribed = reminders.started >= 0
    invited = reminders.invited_at >= 0
    wanted = demand.own[IS_REMINDED].sum(axis=0)
    told = {}
    for source in range(reminders.waves.size + 1):
        here = subscribed & (reminders.source == source)
        asked = int((invited & (reminders.wave == source)).sum())
        if not here.any() and not asked:
            continue
        fresh = reminders.protection(population, source) * parameters.reminder_prevents
        answered = float((wanted * fresh).sum())
        told[f"wave {source}" if source else "keyword"] = {
            "invited": asked,
            "subscribed": int(here.sum()),
            "needs_answered": answered,
            "needs_answered_per_subscriber": answered / max(int(here.sum()), 1),
            "needs_answered_per_invited": answered / asked if asked else 0.0,
            "calls_caused_by_invitations": asked * parameters.reminder_causes,
        }
    return told


def _renewals(parameters: CentreParameters, built: Built, demand: Demand) -> dict[str, float]:
    """Terms that ended by lot or went on, and what the renewed ones did."""
    reminders, population = built.reminders, built.population
    _, begins = reminders.terms()
    first = reminders.subscribers.size
    renewed = int((begins < built.days).sum()) - first
    until, left = (each[reminders.subscribers] for each in (reminders.until, reminders.left))
    # Expired: at the end of a term, not by leaving.
    expired = int(((until < left) & (until < built.days)).sum())
    fresh = reminders.protection(population, renewed=True) * parameters.reminder_prevents
    answered = float((demand.own[IS_REMINDED].sum(axis=0) * fresh).sum())
    return {
        "expired": expired,
        "renewed": renewed,
        "needs_answered": answered,
        "needs_answered_per_renewal": answered / renewed if renewed else 0.0,
    }


def _totals(world: Expected, built: Built) -> dict[str, float]:
    seconds = float(world.handle_s.sum())
    return {
        "calls": float(world.calls.sum()),
        "requests": float(world.requests.sum()),
        "handle_s": seconds,
        "agent_erlangs": seconds / built.span_s,
    }


def _by_week(world: Expected, built: Built) -> dict[str, list[list[float]]]:
    week = (np.arange(built.days) + built.start.weekday()) // 7
    first = np.flatnonzero(np.diff(week, prepend=-1))
    return {
        name: np.round(np.add.reduceat(cells.sum(axis=2), first, axis=1), 2).tolist()
        for name, cells in (("requests", world.requests), ("handle_s", world.handle_s))
    }


def _period(built: Built, days: int) -> list[tuple[float, NDArray[np.int64]]]:
    """Days of each kind in the last so many, and how many of the kind a usual week has."""
    chosen = np.arange(built.days - days, built.days)
    works = built.volumes.calendar.workday[chosen]
    return [(5.0, chosen[works]), (2.0, chosen[~works])]


def _seats(
    parameters: CentreParameters,
    world: Expected,
    period: list[tuple[float, NDArray[np.int64]]],
) -> dict[str, float]:
    """What the typical half-hours of a period need."""
    from ccanalytics.queueing import Queue
    from ccanalytics.servicelevel import ServiceLevel

    p = parameters
    goal = ServiceLevel(p.goal_share, within=p.goal_within_s)
    requests, seconds = world.requests.sum(axis=0), world.handle_s.sum(axis=0)
    whole, fractional, busiest = 0.0, 0.0, 0.0
    for times, days in period:
        if not days.size:
            continue
        calls, spent = requests[days].mean(axis=0), seconds[days].mean(axis=0)
        queue = Queue(calls=calls, per=HALF_HOUR_S, aht=spent / np.maximum(calls, 1e-12))
        agents = queue.agents_for(goal)
        whole += times * float(np.sum(agents)) / 2
        fractional += times * float(np.sum(queue.agents_for(goal, fractional=True))) / 2
        busiest = max(busiest, float(np.max(agents)))
    return {
        "seat_hours_a_week": whole,
        "seat_hours_a_week_fractional": fractional,
        "busiest": busiest,
    }
