"""What is true of the sample centre, for those who check an estimator; no log holds any of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.churn import CHURN_MEANINGS
from ccanalytics.simulation.sample.counts import effects
from ccanalytics.simulation.sample.lines import LINES_MEANINGS
from ccanalytics.simulation.sample.people_truth import people_truth
from ccanalytics.simulation.sample.queue_truth import QUEUE_MEANINGS
from ccanalytics.simulation.sample.removed import EXPECTED_MEANINGS, expectations
from ccanalytics.simulation.sample.second_line import SECOND_MEANINGS
from ccanalytics.simulation.sample.services import CATALOGUE
from ccanalytics.simulation.sample.sms_hall import HALL_MEANINGS
from ccanalytics.simulation.sample.tickets import TICKET_MEANINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ccanalytics.simulation.sample.build import Built
    from ccanalytics.simulation.sample.parameters import CentreParameters

__all__ = ["TRUTH_FORMAT", "arithmetic", "truth_of"]

TRUTH_FORMAT = "ccanalytics sample truth"
# The world against which each removal is counted.
_WITHOUT = {
    "sms_before_call": "web_only",
    "web": "sms_only",
    "both": "neither",
    "reminders": "without_reminders",
    "all": "nothing",
}

# "Nearly 7%" of traffic, 110,000 assists before the call in about ten months.
_PUBLISHED = {"assists_before_call": 110_000.0, "diverted_share": 0.07}

MEANINGS: dict[str, str] = {
    "worlds": "the same needs in four worlds: without SMS-assist before the call and web, with one "
    "of them, and with both (the log); counted by the week (from Monday) in which the call comes",
    "calls": "first calls that come in; redials and follow-up calls are not counted",
    "requests": "first calls that ask for an agent, whether or not an agent answers; a call that "
    "follows a failed or leaking self-service contact is one, redials and follow-up calls are not",
    "handle_s": "agent-seconds those requests take if every one is answered, before the seconds "
    "that SMS-assist during the call saves",
    "removed": "the world without the channel less the world with it, as counted; sms_before_call "
    "and web each given that the other is there, both against neither; they do not sum where one "
    "customer would have used either; …_share is of the world without the channel",
    "causes": "requests that a channel took, gave back (the customer called all the same) and "
    "caused (nobody would have called): neither − taken + given_back + caused = both, by service "
    "and week",
    "probabilities": "what each customer does by chance; …_of_completed leads to a call at any "
    "time, of which the log sees those before its end",
    "contacts": "what came of offers and sessions, summed over services; …_returned: the customer "
    "asked an agent because of the contact, within the log (…_7d: within 7 days); the log itself "
    "also shows chance calls in the window",
    "counts": "the same by service; assist_…: of answered calls other than follow-up calls, each "
    "that accepted shorter by exactly the saving",
    "service_weeks": "worlds and causes as matrices, services × weeks, in the order of the lists",
    "defects": "known peculiarities planted in the log",
}


def describe_services(parameters: CentreParameters, built: Built) -> list[dict[str, Any]]:
    """True probabilities and counts of each service."""
    p, traits, go_live = parameters, built.traits, built.go_live
    handle_mean = traits.handle_median_s * np.exp(p.handle_log_sd**2 / 2)
    live = {"sms_before_call": go_live.sms, "sms_during_call": go_live.assist, "web": go_live.web}
    counts = built.contacts
    return [
        {
            "service": service.code,
            "share_of_needs": float(traits.share[each]),
            "live_on": {
                name: (built.start + timedelta(days=int(day[each]))).isoformat()
                if day[each] < built.days
                else None
                for name, day in live.items()
            },
            "probabilities": {
                "sms_offer": p.sms_offer,
                "sms_acceptance": float(traits.acceptance[each]),
                "sms_delivery": p.sms_delivery,
                "sms_completion_of_delivered": float(traits.completion[each]),
                "sms_leakage_of_completed": float(traits.leakage[each]),
                "sms_return_of_failed": p.sms_failed_return,
                "web_use_at_last": float(traits.web_use[each]),
                "web_completion": float(traits.web_completion[each]),
                "web_leakage_of_completed": p.web_leakage,
                "assist_acceptance": p.assist_acceptance,
            },
            "handle": {
                "median_s": float(traits.handle_median_s[each]),
                "mean_s": float(handle_mean[each]),
                "log_sd": p.handle_log_sd,
            },
            "counts": {name: int(values[each]) for name, values in counts.items()},
        }
        for each, service in enumerate(CATALOGUE)
    ]


def truth_of(
    parameters: CentreParameters, inputs: Mapping[str, Any], built: Built
) -> dict[str, Any]:
    """All of ``truth.json``."""
    counts, causes = built.counts, built.causes
    services = describe_services(parameters, built)
    removed: dict[str, dict[str, float]] = {
        channel: {
            measure: int(effects(counts, measure)[channel].sum())
            for measure in ("calls", "requests", "handle_s")
        }
        for channel in _WITHOUT
    }
    for channel, without in _WITHOUT.items():
        for measure in ("calls", "requests", "handle_s"):
            base = int(counts[without][measure].sum())
            removed[channel][f"{measure}_share"] = removed[channel][measure] / base if base else 0.0
    worked = np.bincount(built.roster.person, minlength=len(built.roster.people)) > 0
    return {
        "format": TRUTH_FORMAT,
        "schema": 1,
        **inputs,
        "meanings": {
            **MEANINGS,
            **EXPECTED_MEANINGS,
            **QUEUE_MEANINGS,
            **CHURN_MEANINGS,
            **HALL_MEANINGS,
            **SECOND_MEANINGS,
            **TICKET_MEANINGS,
            **LINES_MEANINGS,
        },
        "parameters": parameters.describe(),
        "overall": {
            "worlds": {
                name: {measure: int(each.sum()) for measure, each in world.items()}
                for name, world in counts.items()
            },
            "removed": removed,
            "causes": {name: int(each.sum()) for name, each in causes.items()},
            "contacts": {
                name: sum(each["counts"][name] for each in services)
                for name in services[0]["counts"]
            },
            "repeats": built.repeats,
            "agents": {
                "positions": len({person.position for person in built.roster.people}),
                "second_line_positions": len({each.position for each in built.second.people}),
                "people_who_worked": int(worked.sum()),
                "shifts": int(built.roster.start.size),
                "seat_hours": float(built.roster.seats.sum() / 2),
            },
        },
        "services": services,
        "service_weeks": {
            "services": [service.code for service in CATALOGUE],
            "weeks": [each.isoformat() for each in built.weeks],
            "worlds": {
                name: {measure: each.tolist() for measure, each in world.items()}
                for name, world in counts.items()
            },
            "causes": {name: each.tolist() for name, each in causes.items()},
        },
        "expected": expectations(parameters, built),
        "offered": built.offered,
        "churn": built.churn,
        "second_line": built.second.truth,
        "tickets": built.tickets.truth,
        "lines": built.lines.truth(),
        "people": people_truth(parameters, built.roster, built.people, built.waiting, built.span_s),
        "defects": [],
    }


def arithmetic(truth: Mapping[str, Any]) -> dict[str, float]:
    """The centre's figures at full size, as a published account of one reports them.

    ``…_ten_months`` are scaled to 300 days of a centre of 350 agents: 110,000 assists before the
    call, 50,000 during it and "nearly 7%" of traffic were published, on a base left unstated.
    """
    overall, days = truth["overall"], 7 * truth["weeks"]
    declared = truth["parameters"]["published_base"]["value"]
    size = 300 / days / truth["scale"]
    contacts, both = overall["contacts"], overall["worlds"]["both"]
    offers, sent = contacts["sms_offered"], contacts["sms_accepted"]
    calls = both["calls"] + overall["repeats"]["redials"] + overall["repeats"]["follow_up_calls"]
    diverted, share = _PUBLISHED["assists_before_call"], _PUBLISHED["diverted_share"]
    base = declared * calls * size
    return {
        "calls_a_day": calls / days / truth["scale"],
        "calls_ten_months": calls * size,
        "calls_per_position_a_month": calls / days * 30 / overall["agents"]["positions"],
        "assists_before_call_ten_months": sent * size,
        "assists_during_call_ten_months": contacts["assist_accepted"] * size,
        "acceptance": sent / offers if offers else 0.0,
        "assists_before_call_per_call": sent / calls if calls else 0.0,
        "removed_by_both": overall["removed"]["both"]["requests_share"],
        "removed_by_sms_before_call": overall["removed"]["sms_before_call"]["requests_share"],
        "published_assists_before_call": diverted,
        "published_diverted_share": share,
        "published_base_calls": diverted / share,
        "declared_base_calls_ten_months": base,
        "saved_hours_during_call_ten_months": contacts["assist_saved_s"] * size / 3600,
    }
