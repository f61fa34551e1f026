"""What the centre's systems record of it all: calls and self-service, without any truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.needs import CONTAINED, LEFT_MENU, REQUEST
from ccanalytics.simulation.sample.pool import FIRST, FOLLOW_UP, Requests
from ccanalytics.simulation.sample.volumes import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.needs import Needs
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.pool import Attempts
    from ccanalytics.simulation.sample.roster import Roster
    from ccanalytics.simulation.sample.services import GoLive, Traits
    from ccanalytics.simulation.sample.worlds import World

__all__ = ["OUTCOMES", "STAGES", "CallRecords", "Events", "Handling", "handling", "record"]

OUTCOMES = ("answered", "abandoned", "left_menu", "contained", "diverted")
_ANSWERED, _ABANDONED, _LEFT, _CONTAINED, _DIVERTED = range(5)
STAGES = ("before_call", "during_call", "own_initiative")
_MISSING = -1


@dataclass(frozen=True, eq=False)
class Handling:
    """Seconds of an agent that each first call takes if it is answered, SMS-assist included."""

    talk_s: NDArray[np.int64]
    hold_s: NDArray[np.int64]
    wrap_s: NDArray[np.int64]
    assist_offered: NDArray[np.bool_]
    assist_accepted: NDArray[np.bool_]
    assist_saved_s: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CallRecords:
    """Every call in order of arrival; −1 where there is nothing to record."""

    arrived: NDArray[np.int64]
    customer: NDArray[np.int32]
    service: NDArray[np.uint8]
    outcome: NDArray[np.uint8]
    menu_s: NDArray[np.int64]
    wait_s: NDArray[np.int64]
    talk_s: NDArray[np.int64]
    hold_s: NDArray[np.int64]
    wrap_s: NDArray[np.int64]
    person: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Events:
    """Every self-service event in order of time; flags are 1, 0, or −1 for not applicable."""

    at: NDArray[np.int64]
    customer: NDArray[np.int32]
    stage: NDArray[np.int8]
    service: NDArray[np.uint8]
    call: NDArray[np.int64]
    accepted: NDArray[np.int8]
    delivered: NDArray[np.int8]
    completed: NDArray[np.int8]


def handling(parameters: CentreParameters, needs: Needs, world: World, go_live: GoLive) -> Handling:
    """Talk, hold and wrap of each first call, less what SMS-assist during the call saves."""
    need = world.need
    hold, wrap = _split(world.handle_s, needs.hold_part[need], needs.wrap_part[need])
    talk = world.handle_s - hold - wrap
    live = world.at // DAY_S >= go_live.assist[needs.service[need]]
    offered = (
        live
        & needs.assist_offered[need]
        & ~needs.withheld[need]
        & (talk >= parameters.assist_min_talk_s)
    )
    accepted = offered & needs.assist_accepted[need]
    saved = np.where(accepted, round(parameters.assist_saving_s), 0)
    return Handling(talk - saved, hold, wrap, offered, accepted, saved)


def menu_s(parameters: CentreParameters, needs: Needs, world: World) -> NDArray[np.int64]:
    """Time in the menu of each first call; an offer takes its time."""
    extra = np.where(world.offered, round(parameters.sms_offer_menu_s), 0)
    return np.asarray(needs.menu_s[world.need].astype(np.int64) + extra)


def requests_of(
    parameters: CentreParameters, traits: Traits, needs: Needs, world: World, work: Handling
) -> tuple[NDArray[np.int64], Requests]:
    """The first calls that ask for an agent (their rows in the world) in order of entry."""
    row = np.flatnonzero(world.requests)
    entry = world.at[row] + menu_s(parameters, needs, world)[row]
    order = np.argsort(entry, kind="stable")
    row, need = row[order], world.need[row[order]]
    return row, Requests(
        entry=entry[order],
        patience_s=needs.patience_s[need],
        handle_s=(work.talk_s + work.hold_s + work.wrap_s)[row],
        redials=needs.redials[need],
        follow_up_s=needs.follow_up_s[need],
        typical_s=traits.handle_median_s[needs.service[need]],
    )


def record(
    parameters: CentreParameters,
    needs: Needs,
    world: World,
    work: Handling,
    row: NDArray[np.int64],
    attempts: Attempts,
    roster: Roster,
) -> tuple[CallRecords, Events]:
    """The log of calls and the log of self-service; ``row`` is the world's row of each request."""
    of = row[attempts.request]
    first = attempts.kind == FIRST
    menus = menu_s(parameters, needs, world)
    menu = np.where(first, menus[of], attempts.menu_s)
    answered = attempts.shift >= 0
    talk, hold, wrap = (
        part[of].astype(np.int64) for part in (work.talk_s, work.hold_s, work.wrap_s)
    )
    # A follow-up call has a handle time of its own; a redial wants what the first call wanted.
    own = attempts.kind >= FOLLOW_UP
    need = world.need[of]
    own_hold, own_wrap = _split(attempts.handle_s, needs.hold_part[need], needs.wrap_part[need])
    talk = np.where(own, attempts.handle_s - own_hold - own_wrap, talk)
    hold, wrap = np.where(own, own_hold, hold), np.where(own, own_wrap, wrap)
    assisted = answered & ~own & work.assist_offered[of]

    ends_in_menu = np.flatnonzero(~world.requests)
    fate = needs.fate[world.need[ends_in_menu]]
    in_menu = np.select(
        [world.diverted[ends_in_menu], fate == LEFT_MENU, fate == CONTAINED],
        [_DIVERTED, _LEFT, _CONTAINED],
        REQUEST,
    )
    rows = np.concatenate([of, ends_in_menu])
    arrived = np.concatenate([attempts.entry - menu, world.at[ends_in_menu]])
    order = np.argsort(arrived, kind="stable")
    absent = np.full(ends_in_menu.size, _MISSING)

    def column(attempted: NDArray[np.int64], otherwise: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.concatenate([attempted, otherwise])[order]

    customer = np.where(needs.withheld, _MISSING, needs.customer)
    shift = np.maximum(attempts.shift, 0)
    calls = CallRecords(
        arrived=arrived[order],
        customer=customer[world.need[rows]][order].astype(np.int32),
        service=needs.service[world.need[rows]][order],
        outcome=column(np.where(answered, _ANSWERED, _ABANDONED), in_menu).astype(np.uint8),
        menu_s=column(menu, menus[ends_in_menu]),
        wait_s=column(attempts.wait_s, absent),
        talk_s=column(np.where(answered, talk, _MISSING), absent),
        hold_s=column(np.where(answered, hold, _MISSING), absent),
        wrap_s=column(np.where(answered, wrap, _MISSING), absent),
        person=column(np.where(answered, roster.person[shift], _MISSING), absent),
    )

    place = np.empty(rows.size, np.int64)
    place[order] = np.arange(rows.size)
    place_of_first = np.full(world.need.size, _MISSING)
    place_of_first[of[first]] = place[: of.size][first]
    place_of_first[ends_in_menu] = place[of.size :]
    # Half-way through the talk of an answered call.
    when = np.flatnonzero(assisted)
    during_at = attempts.entry[when] + attempts.wait_s[when] + talk[when] // 2
    events = _events(
        needs, world, work, place_of_first, (of[when], during_at, place[: of.size][when])
    )
    return calls, events


def _events(
    needs: Needs,
    world: World,
    work: Handling,
    place_of_first: NDArray[np.int64],
    during: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> Events:
    offers = np.flatnonzero(world.offered)
    before_need = world.need[offers]
    before_accepted = world.diverted[offers]
    during_row, during_at, during_call = during
    during_need = world.need[during_row]
    during_accepted = work.assist_accepted[during_row]
    web = world.sessions
    need = np.concatenate([before_need, during_need, web])
    # The offer comes at the end of what the caller would have spent in the menu anyway.
    at = np.concatenate([world.at[offers] + needs.menu_s[before_need], during_at, needs.at[web]])
    order = np.argsort(at, kind="stable")

    def flags(*parts: NDArray[Any]) -> NDArray[np.int8]:
        return np.concatenate(parts)[order].astype(np.int8)

    during_sent = np.where(during_accepted, needs.assist_delivered[during_need], _MISSING)
    return Events(
        at=at[order],
        customer=needs.customer[need][order],
        stage=flags(np.full(offers.size, 0), np.full(during_row.size, 1), np.full(web.size, 2)),
        service=needs.service[need][order],
        call=np.concatenate([place_of_first[offers], during_call, np.full(web.size, _MISSING)])[
            order
        ],
        accepted=flags(before_accepted, during_accepted, np.ones(web.size, np.int64)),
        delivered=flags(
            np.where(before_accepted, needs.sms_delivered[before_need], _MISSING),
            during_sent,
            np.full(web.size, _MISSING),
        ),
        completed=flags(
            np.where(before_accepted, needs.sms_done[before_need], _MISSING),
            during_sent,
            needs.web_done[web],
        ),
    )


def _split(
    handle: NDArray[Any], hold_part: NDArray[np.float32], wrap_part: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return (
        np.rint(handle * hold_part.astype(float)).astype(np.int64),
        np.rint(handle * wrap_part.astype(float)).astype(np.int64),
    )
