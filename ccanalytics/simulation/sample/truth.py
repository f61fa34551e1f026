"""What is true of the sample centre, for those who check an estimator; no log holds any of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.needs import REQUEST
from ccanalytics.simulation.sample.pool import FIRST, FOLLOW_UP, REDIAL
from ccanalytics.simulation.sample.services import CATALOGUE
from ccanalytics.simulation.sample.volumes import DAY_S
from ccanalytics.simulation.sample.worlds import FROM_SMS, FROM_WEB, INDUCED, tally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.build import Built
    from ccanalytics.simulation.sample.needs import Needs
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.pool import Attempts
    from ccanalytics.simulation.sample.worlds import World

__all__ = ["TRUTH_FORMAT", "WINDOWS", "arithmetic", "truth_of"]

TRUTH_FORMAT = "ccanalytics sample truth"
WINDOWS = (1, 3, 7, 14, 30)

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


def count_worlds(
    needs: Needs, worlds: dict[str, World], first_weekday: int, span_s: int
) -> dict[str, dict[str, NDArray[np.int64]]]:
    """Calls, requests and handle seconds of each world by service and week."""
    counts = {}
    for name, world in worlds.items():
        service = needs.service[world.need]
        asks = world.requests
        counts[name] = {
            "calls": tally(service, world.at, first_weekday, span_s),
            "requests": tally(service[asks], world.at[asks], first_weekday, span_s),
            "handle_s": tally(
                service[asks],
                world.at[asks],
                first_weekday,
                span_s,
                world.handle_s[asks].astype(float),
            ),
        }
    return counts


def count_causes(
    needs: Needs, world: World, first_weekday: int, span_s: int
) -> dict[str, NDArray[np.int64]]:
    """Requests that each channel took, gave back and caused, by service and week."""
    service = needs.service[world.need]
    asks = needs.fate == REQUEST
    taken = world.sessions[asks[world.sessions] & ~needs.latent[world.sessions]]

    def of(selected: NDArray[np.bool_]) -> NDArray[np.int64]:
        return tally(service[selected], world.at[selected], first_weekday, span_s)

    # A call that the web gave back or caused may accept the SMS: it is given back here, and
    # taken there.
    may_ask = asks[world.need]
    return {
        "web_taken": tally(needs.service[taken], needs.at[taken], first_weekday, span_s),
        "web_given_back": of((world.origin == FROM_WEB) & may_ask),
        "web_caused": of((world.origin == INDUCED) & may_ask),
        "sms_taken": of(world.diverted),
        "sms_given_back": of(world.origin == FROM_SMS),
    }


def effects(
    counts: dict[str, dict[str, NDArray[np.int64]]], measure: str
) -> dict[str, NDArray[np.int64]]:
    """What each channel removed, by service and week."""
    return {
        "sms_before_call": counts["web_only"][measure] - counts["both"][measure],
        "web": counts["sms_only"][measure] - counts["both"][measure],
        "both": counts["neither"][measure] - counts["both"][measure],
    }


def describe_services(parameters: CentreParameters, built: Built) -> list[dict[str, Any]]:
    """True probabilities and counts of each service."""
    p, traits, go_live = parameters, built.traits, built.go_live
    handle_mean = traits.handle_median_s * np.exp(p.handle_log_sd**2 / 2)
    live = {"sms_before_call": go_live.sms, "sms_during_call": go_live.assist, "web": go_live.web}
    counts = {**_funnels(built), **_returned(built)}
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


def _funnels(built: Built) -> dict[str, NDArray[np.int64]]:
    """Counts of each stage of each channel, by service."""
    needs, world, work = built.needs, built.worlds["both"], built.work
    sent, sessions = world.need[world.diverted], world.sessions
    latent, done = needs.latent[sessions], needs.web_done[sessions]
    first_wish = (built.attempts.shift >= 0) & (built.attempts.kind < FOLLOW_UP)
    answered = built.request_rows[built.attempts.request[first_wish]]
    assisted = answered[work.assist_accepted[answered]]

    def count(need: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.bincount(needs.service[need], minlength=len(CATALOGUE))

    return {
        "sms_offered": count(world.need[world.offered]),
        "sms_accepted": count(sent),
        "sms_delivered": count(sent[needs.sms_delivered[sent]]),
        "sms_completed": count(sent[needs.sms_done[sent]]),
        "web_sessions_of_callers": count(sessions[~latent]),
        "web_completed_of_callers": count(sessions[~latent & done]),
        "web_sessions_new_demand": count(sessions[latent]),
        "web_completed_new_demand": count(sessions[latent & done]),
        "answered_first_wish": count(world.need[answered]),
        "assist_offered": count(world.need[answered[work.assist_offered[answered]]]),
        "assist_accepted": count(world.need[assisted]),
        "assist_saved_s": np.bincount(
            needs.service[world.need[assisted]],
            work.assist_saved_s[assisted],
            minlength=len(CATALOGUE),
        ).astype(np.int64),
    }


def _returned(built: Built) -> dict[str, NDArray[np.int64]]:
    """Contacts whose customer asked an agent because of them, by service."""
    needs, world = built.needs, built.worlds["both"]
    never = np.iinfo(np.int64).max
    counts = {}
    for channel, contact, began, back in (
        (
            "sms",
            world.need[world.diverted],
            world.at[world.diverted],
            world.origin == FROM_SMS,
        ),
        (
            "web",
            world.sessions,
            needs.at[world.sessions],
            # A caller who comes back from the web and then accepts the SMS asked nobody yet.
            np.isin(world.origin, (FROM_WEB, INDUCED)) & world.requests,
        ),
    ):
        came = np.full(needs.size, never)
        came[world.need[back]] = world.at[back]
        returned = came[contact] < never
        # The difference is of use only where a call came.
        delay = np.where(returned, came[contact], 0) - began
        done = (needs.sms_done if channel == "sms" else needs.web_done)[contact]
        chosen = {f"{channel}_failed_returned": returned & ~done} | {
            f"{channel}_completed_returned_{days}d": returned & done & (delay <= days * DAY_S)
            for days in WINDOWS
        }
        for name, which in chosen.items():
            counts[name] = np.bincount(needs.service[contact[which]], minlength=len(CATALOGUE))
    return counts


def count_repeats(attempts: Attempts) -> dict[str, int]:
    """Calls in the log beyond the first ones."""
    return {
        "redials": int((attempts.kind & REDIAL).sum()),
        "follow_up_calls": int((attempts.kind == FOLLOW_UP).sum()),
        "first_requests": int((attempts.kind == FIRST).sum()),
    }


def truth_of(
    parameters: CentreParameters, inputs: Mapping[str, Any], built: Built
) -> dict[str, Any]:
    """All of ``truth.json``."""
    weekday = built.start.weekday()
    counts = count_worlds(built.needs, built.worlds, weekday, built.span_s)
    causes = count_causes(built.needs, built.worlds["both"], weekday, built.span_s)
    services = describe_services(parameters, built)
    removed: dict[str, dict[str, float]] = {
        channel: {
            measure: int(effects(counts, measure)[channel].sum())
            for measure in ("calls", "requests", "handle_s")
        }
        for channel in ("sms_before_call", "web", "both")
    }
    for channel, without in (
        ("sms_before_call", "web_only"),
        ("web", "sms_only"),
        ("both", "neither"),
    ):
        for measure in ("calls", "requests", "handle_s"):
            base = int(counts[without][measure].sum())
            removed[channel][f"{measure}_share"] = removed[channel][measure] / base if base else 0.0
    worked = np.bincount(built.roster.person, minlength=len(built.roster.people)) > 0
    return {
        "format": TRUTH_FORMAT,
        "schema": 1,
        **inputs,
        "meanings": MEANINGS,
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
            "repeats": count_repeats(built.attempts),
            "agents": {
                "positions": len({person.position for person in built.roster.people}),
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
        "defects": [],
    }


def arithmetic(truth: Mapping[str, Any]) -> dict[str, float]:
    """The centre's figures at full size, as a published account of one reports them.

    ``…_ten_months`` are scaled to 300 days of a centre of 350 agents: 110,000 assists before the
    call, 50,000 during it and "nearly 7%" of traffic were published, on a base left unstated.
    """
    overall, days = truth["overall"], 7 * truth["weeks"]
    size = 300 / days / truth["scale"]
    contacts, both = overall["contacts"], overall["worlds"]["both"]
    offers, sent = contacts["sms_offered"], contacts["sms_accepted"]
    calls = both["calls"] + overall["repeats"]["redials"] + overall["repeats"]["follow_up_calls"]
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
        "saved_hours_during_call_ten_months": contacts["assist_saved_s"] * size / 3600,
    }
