"""Worlds: the first calls that come when a channel is there, and when it is not.

The same needs, with or without SMS-assist before the call, the web hall and reminders. The log is
the world with all; the truth about a channel is the difference between two worlds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.needs import CAUSED, REQUEST, TOLD, awake
from ccanalytics.simulation.sample.services import CATALOGUE
from ccanalytics.simulation.sample.volumes import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.needs import Needs
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.services import GoLive

__all__ = ["FROM_SMS", "FROM_WEB", "INDUCED", "OWN", "World", "make_world", "tally"]

OWN, FROM_WEB, INDUCED, FROM_SMS = 0, 1, 2, 3


@dataclass(frozen=True, eq=False)
class World:
    """First calls of a world, redials and follow-up calls left out.

    Attributes
    ----------
    need, at, origin
        The need behind each call, its second, and how it came about: on the customer's own
        account, after the web, by the web alone (a need that would not have called), after SMS.
    offered, diverted
        SMS-assist was offered in the menu; the caller accepted it and never asked for an agent.
    sessions
        Needs that were taken to the web hall.
    """

    need: NDArray[np.int32]
    at: NDArray[np.int32]
    origin: NDArray[np.uint8]
    offered: NDArray[np.bool_]
    diverted: NDArray[np.bool_]
    sessions: NDArray[np.int32]
    requests: NDArray[np.bool_]
    handle_s: NDArray[np.int32]


def make_world(
    parameters: CentreParameters,
    needs: Needs,
    go_live: GoLive,
    span_s: int,
    *,
    sms: bool = True,
    web: bool = True,
    reminders: bool = True,
) -> World:
    """The first calls that come within the log's span with these channels."""
    # A need that a reminder has answered never comes up; one that a message causes does.
    there = needs.told != (TOLD if reminders else CAUSED)
    to_web = (needs.web & there) if web else np.zeros(needs.size, bool)
    calls_now = ~needs.latent & ~to_web & there
    calls_later = to_web & needs.web_back
    need = np.flatnonzero(calls_now | calls_later).astype(np.int32)
    later = calls_later[need]
    at = needs.at[need] + np.where(later, needs.web_delay_s[need], np.int32(0))
    origin = np.zeros(need.size, np.uint8)
    origin[later] = np.where(needs.latent[need[later]], INDUCED, FROM_WEB)

    request = needs.fate[need] == REQUEST
    if sms:
        live = at // DAY_S >= go_live.sms.astype(np.int32)[needs.service[need]]
        offered = live & needs.sms_offered[need]
    else:
        offered = np.zeros(need.size, bool)
    diverted = offered & needs.sms_accepted[need]
    again = diverted & needs.sms_back[need]
    again_need = need[again]
    again_at = awake(at[again] + needs.sms_delay_s[again_need])

    none = np.zeros(again_need.size, bool)
    need = np.concatenate([need, again_need])
    at = np.concatenate([at, again_at])
    origin = np.concatenate([origin, np.full(again_need.size, FROM_SMS, np.uint8)])
    offered = np.concatenate([offered, none])
    diverted = np.concatenate([diverted, none])
    request = np.concatenate([request, ~none])

    within = at < span_s
    need, origin = need[within], origin[within]
    handle = needs.handle_s[need]
    after = np.flatnonzero((origin == FROM_WEB) | (origin == FROM_SMS))
    handle[after] = np.rint(handle[after] * parameters.return_handle)
    return World(
        need=need,
        at=at[within],
        origin=origin,
        offered=offered[within],
        diverted=diverted[within],
        sessions=np.flatnonzero(to_web).astype(np.int32),
        requests=(request & ~diverted)[within],
        handle_s=handle,
    )


def tally(
    service: NDArray[np.uint8],
    at: NDArray[Any],
    first_weekday: int,
    span_s: int,
    weight: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Services × weeks (from Monday): how many, or the sum of whole-number weights."""
    weeks = week_of(span_s - 1, first_weekday) + 1
    cell = service.astype(np.int32) * weeks + week_of(at, first_weekday)
    sums = np.bincount(cell, weight, minlength=len(CATALOGUE) * weeks)
    return np.rint(sums).astype(np.int64).reshape(len(CATALOGUE), weeks)


def week_of(at: NDArray[Any] | int, first_weekday: int) -> NDArray[np.int64]:
    """Number of the week, counted from the one in which the log begins."""
    return np.asarray((np.asarray(at) // DAY_S + first_weekday) // 7)
