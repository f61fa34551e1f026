"""Counting what the sample centre's worlds hold: calls, causes, contacts and what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.needs import CAUSED, CONTAINED, REQUEST, TOLD
from ccanalytics.simulation.sample.pool import FIRST, FOLLOW_UP, REDIAL
from ccanalytics.simulation.sample.services import CATALOGUE
from ccanalytics.simulation.sample.volumes import DAY_S
from ccanalytics.simulation.sample.worlds import FROM_SMS, FROM_WEB, INDUCED, tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.needs import Needs
    from ccanalytics.simulation.sample.pool import Attempts
    from ccanalytics.simulation.sample.records import Handling
    from ccanalytics.simulation.sample.services import GoLive
    from ccanalytics.simulation.sample.worlds import World

__all__ = [
    "WINDOWS",
    "count_causes",
    "count_contacts",
    "count_repeats",
    "count_world",
    "effects",
]

WINDOWS = (1, 3, 7, 14, 30)


def count_world(
    needs: Needs, world: World, first_weekday: int, span_s: int
) -> dict[str, NDArray[np.int64]]:
    """Calls, requests and handle seconds of a world by service and week."""
    service = needs.service[world.need]
    asks = np.flatnonzero(world.requests)
    seconds = world.handle_s[asks].astype(float)
    return {
        "calls": tally(service, world.at, first_weekday, span_s),
        "requests": tally(service[asks], world.at[asks], first_weekday, span_s),
        "handle_s": tally(service[asks], world.at[asks], first_weekday, span_s, seconds),
    }


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
    told = np.flatnonzero((needs.told == TOLD) & asks)
    return {
        "reminders_told": tally(needs.service[told], needs.at[told], first_weekday, span_s),
        "reminders_caused": of((needs.told[world.need] == CAUSED) & may_ask),
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
        "reminders": counts["without_reminders"][measure] - counts["both"][measure],
        "all": counts["nothing"][measure] - counts["both"][measure],
        "sms_before_call": counts["web_only"][measure] - counts["both"][measure],
        "web": counts["sms_only"][measure] - counts["both"][measure],
        "both": counts["neither"][measure] - counts["both"][measure],
    }


def count_contacts(
    needs: Needs,
    world: World,
    work: Handling,
    go_live: GoLive,
    rows: NDArray[np.int64],
    attempts: Attempts,
) -> dict[str, NDArray[np.int64]]:
    """Counts of each stage of each channel, and of what came of it, by service.

    ``rows`` are the world's rows of the requests.
    """
    first_wish = (attempts.shift >= 0) & (attempts.kind < FOLLOW_UP)
    answered = rows[attempts.request[first_wish]]
    return {**_funnels(needs, world, work, go_live, answered), **_returned(needs, world)}


def _funnels(
    needs: Needs, world: World, work: Handling, go_live: GoLive, answered: NDArray[np.int64]
) -> dict[str, NDArray[np.int64]]:
    """Counts of each stage of each channel, by service."""
    sent, sessions = world.need[world.diverted], world.sessions
    latent, done = needs.latent[sessions], needs.web_done[sessions]
    assisted = answered[work.assist_accepted[answered]]

    def count(need: NDArray[Any]) -> NDArray[np.int64]:
        return np.bincount(needs.service[need], minlength=len(CATALOGUE))

    return {
        "sms_offered": count(world.need[world.offered]),
        "sms_accepted": count(sent),
        "sms_delivered": count(sent[needs.sms_delivered[sent]]),
        "sms_completed": count(sent[needs.sms_done[sent]]),
        "web_sessions_of_callers": count(sessions[~latent]),
        "web_completed_of_callers": count(sessions[~latent & done]),
        "web_instead_of_menu": count(sessions[~latent & (needs.fate[sessions] == CONTAINED)]),
        "web_instead_of_sms": count(
            sessions[
                ~latent
                & needs.sms_offered[sessions]
                & needs.sms_accepted[sessions]
                & (needs.at[sessions] // DAY_S >= go_live.sms[needs.service[sessions]])
            ]
        ),
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


def _returned(needs: Needs, world: World) -> dict[str, NDArray[np.int64]]:
    """Contacts whose customer asked an agent because of them, by service."""
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
