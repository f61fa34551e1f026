"""What the centre's systems record of it all: calls and self-service, without any truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.needs import CONTAINED, LEFT_MENU, REQUEST
from ccanalytics.simulation.sample.pool import FIRST, FOLLOW_UP, Requests
from ccanalytics.simulation.sample.volumes import DAY_S
from ccanalytics.simulation.sample.worlds import FROM_SMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.floor import Floor
    from ccanalytics.simulation.sample.needs import Needs
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.pool import Attempts
    from ccanalytics.simulation.sample.services import GoLive, Traits
    from ccanalytics.simulation.sample.sms_hall import HallUses
    from ccanalytics.simulation.sample.worlds import World

__all__ = [
    "BLOCKED",
    "OUTCOMES",
    "STAGES",
    "CallRecords",
    "Events",
    "Handling",
    "handling",
    "record",
]

OUTCOMES = ("answered", "abandoned", "left_menu", "contained", "diverted", "blocked")
# Answered and abandoned are 0 and 1: whether nobody answered.
_LEFT, _CONTAINED, _DIVERTED, BLOCKED = 2, 3, 4, 5
# The last one is the SMS hall's.
STAGES = ("before_call", "during_call", "own_initiative", "own_initiative")
_MISSING = -1
WITHHELD = -2  # less the customer: who called is not in the log, whose line it was is
_HALL = 3
_CHUNK = 1 << 20  # attempts dealt with at once, to spare memory


@dataclass(frozen=True, eq=False)
class Handling:
    """What SMS-assist during the call does to each first call, if it is answered."""

    assist_offered: NDArray[np.bool_]
    assist_accepted: NDArray[np.bool_]
    assist_saved_s: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class CallRecords:
    """Every call in order of arrival; −1 where there is nothing to record."""

    arrived: NDArray[np.int32]
    customer: NDArray[np.int32]
    service: NDArray[np.uint8]
    outcome: NDArray[np.uint8]
    menu_s: NDArray[np.int32]
    wait_s: NDArray[np.int32]
    talk_s: NDArray[np.int32]
    hold_s: NDArray[np.int32]
    wrap_s: NDArray[np.int32]
    person: NDArray[np.int32]
    attempt: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Events:
    """Every self-service event in order of time; flags are 1, 0, or −1 for not applicable."""

    at: NDArray[np.int32]
    customer: NDArray[np.int32]
    stage: NDArray[np.int8]
    service: NDArray[np.uint8]
    call: NDArray[np.int32]
    accepted: NDArray[np.int8]
    delivered: NDArray[np.int8]
    completed: NDArray[np.int8]


def handling(parameters: CentreParameters, needs: Needs, world: World, go_live: GoLive) -> Handling:
    """What SMS-assist during the call would do to each first call."""
    need = world.need
    talk = world.handle_s * (1 - needs.hold_part[need] - needs.wrap_part[need])
    live = world.at // DAY_S >= go_live.assist.astype(np.int32)[needs.service[need]]
    offered = (
        live
        & needs.assist_offered[need]
        & ~needs.withheld[need]
        & (talk >= parameters.assist_min_talk_s + 1)
    )
    accepted = offered & needs.assist_accepted[need]
    return Handling(offered, accepted, accepted * np.int32(round(parameters.assist_saving_s)))


def menu_s(parameters: CentreParameters, needs: Needs, world: World) -> NDArray[np.int64]:
    """Time in the menu of each first call; an offer takes its time."""
    extra = world.offered * np.int32(round(parameters.sms_offer_menu_s))
    return np.asarray(needs.menu_s[world.need] + extra)


def requests_of(
    parameters: CentreParameters, traits: Traits, needs: Needs, world: World, work: Handling
) -> tuple[NDArray[np.int64], Requests]:
    """The first calls that ask for an agent (their rows in the world) in order of entry."""
    row = np.flatnonzero(world.requests)
    entry = world.at[row] + menu_s(parameters, needs, world)[row]
    order = np.argsort(entry, kind="stable")
    row, need = row[order], world.need[row[order]]
    return row, Requests(
        entry=entry[order].astype(np.int32),
        # A need has at most two requests in a world: its own, and one after a failed SMS.
        key=(2 * need + (world.origin[row] == FROM_SMS)).astype(np.int32),
        patience_s=needs.patience_s[need],
        handle_s=world.handle_s[row],
        saved_s=work.assist_saved_s[row],
        rest_share=needs.hold_part[need] + needs.wrap_part[need],
        redials=needs.redials[need],
        follow_up_s=needs.follow_up_s[need],
        typical_s=traits.handle_median_s.astype(np.float32)[needs.service[need]],
    )


def record(
    parameters: CentreParameters,
    needs: Needs,
    world: World,
    work: Handling,
    row: NDArray[np.int64],
    attempts: Attempts,
    floor: Floor,
    hall: HallUses,
) -> tuple[CallRecords, Events]:
    """The log of calls and the log of self-service; ``row`` is the world's row of each request."""
    of = row.astype(np.int32)[attempts.request]
    first = attempts.kind == FIRST
    menus = menu_s(parameters, needs, world)
    menu = np.where(first, menus[of], attempts.menu_s)
    answered = attempts.shift >= 0
    parts = [np.empty(of.size, np.int32) for _ in range(3)]
    for begin in range(0, of.size, _CHUNK):
        few = slice(begin, begin + _CHUNK)
        for part, values in zip(
            parts, _parts(needs, world, work, of[few], attempts, few, floor), strict=True
        ):
            part[few] = values
    talk, hold, wrap = parts

    ends_in_menu = np.flatnonzero(~world.requests)
    fate = needs.fate[world.need[ends_in_menu]]
    in_menu = np.select(
        [world.diverted[ends_in_menu], fate == LEFT_MENU, fate == CONTAINED],
        [_DIVERTED, _LEFT, _CONTAINED],
        REQUEST,
    )
    rows = np.concatenate([of, ends_in_menu.astype(np.int32)])
    arrived = np.concatenate([attempts.entry - menu, world.at[ends_in_menu]]).astype(np.int32)
    order = np.argsort(arrived, kind="stable")
    absent = np.full(ends_in_menu.size, _MISSING, np.int32)

    def column(attempted: NDArray[Any], otherwise: NDArray[Any]) -> NDArray[np.int32]:
        return np.concatenate([attempted, otherwise])[order].astype(np.int32, copy=False)

    need = world.need[rows[order]]
    who = np.append(floor.person, _MISSING).astype(np.int32)[attempts.shift]
    calls = CallRecords(
        arrived=arrived[order],
        customer=np.where(
            needs.withheld[need], WITHHELD - needs.customer[need], needs.customer[need]
        ).astype(np.int32),
        service=needs.service[need],
        outcome=np.concatenate([~answered, in_menu.astype(np.uint8)])[order],
        menu_s=column(menu, menus[ends_in_menu]),
        wait_s=column(attempts.wait_s, absent),
        talk_s=column(talk, absent),
        hold_s=column(hold, absent),
        wrap_s=column(wrap, absent),
        person=column(who, absent),
        attempt=column(np.arange(of.size, dtype=np.int32), absent),
    )

    place = np.empty(rows.size, np.int32)
    place[order] = np.arange(rows.size, dtype=np.int32)
    place_of_first = np.full(world.need.size, _MISSING, np.int32)
    place_of_first[of[first]] = place[: of.size][first]
    place_of_first[ends_in_menu] = place[of.size :]
    # Half-way through the talk of an answered call.
    when = np.flatnonzero(answered & (attempts.kind < FOLLOW_UP) & work.assist_offered[of])
    during_at = attempts.entry[when] + attempts.wait_s[when] + talk[when] // 2
    events = _events(
        needs, world, work, place_of_first, (of[when], during_at, place[: of.size][when]), hall
    )
    return calls, events


def _parts(
    needs: Needs,
    world: World,
    work: Handling,
    of: NDArray[Any],
    attempts: Attempts,
    few: slice,
    floor: Floor,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Talk, hold and wrap of a few attempts; −1 of one that nobody answered."""
    handle, shift = attempts.handle_s[few], attempts.shift[few]
    need = world.need[of]
    hold_part, wrap_part = needs.hold_part[need], needs.wrap_part[need]
    # A follow-up call has a handle time of its own; a redial wants what the first call wanted.
    saved = np.where(attempts.kind[few] < FOLLOW_UP, work.assist_saved_s[of], 0)
    rest = hold_part + wrap_part
    talk_pace = floor.talk_pace[shift]
    # Handle time before tools shortened the talk: hold and wrap are shares of that.
    bare = (handle + saved) / ((1 - rest) * talk_pace + rest)
    hold = np.rint(bare * hold_part).astype(np.int32)
    wrap = np.rint(bare * wrap_part).astype(np.int32)
    talk = np.maximum(handle - hold - wrap, 0)
    wrap = handle - hold - talk
    abandoned = shift < 0
    for each in (talk, hold, wrap):
        each[abandoned] = _MISSING
    return talk, hold, wrap


def _events(
    needs: Needs,
    world: World,
    work: Handling,
    place_of_first: NDArray[np.integer[Any]],
    during: tuple[NDArray[np.integer[Any]], NDArray[np.integer[Any]], NDArray[np.integer[Any]]],
    hall: HallUses,
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
    at = np.concatenate(
        [world.at[offers] + needs.menu_s[before_need], during_at, needs.at[web], hall.at]
    ).astype(np.int32)
    order = np.argsort(at, kind="stable").astype(np.int32)
    missing = np.full(web.size + hall.at.size, _MISSING, np.int8)

    def flags(*parts: NDArray[Any]) -> NDArray[np.int8]:
        return np.concatenate([part.astype(np.int8) for part in parts])[order]

    during_sent = np.where(during_accepted, needs.assist_delivered[during_need], _MISSING)
    return Events(
        at=at[order],
        customer=np.concatenate([needs.customer[need], hall.customer])[order],
        stage=flags(
            np.full(offers.size, 0),
            np.full(during_row.size, 1),
            np.full(web.size, 2),
            np.where(hall.web, 2, _HALL),
        ),
        service=np.concatenate([needs.service[need], hall.service])[order],
        call=np.concatenate([place_of_first[offers], during_call, missing])[order].astype(np.int32),
        accepted=flags(before_accepted, during_accepted, missing >= _MISSING),
        delivered=flags(
            np.where(before_accepted, needs.sms_delivered[before_need], _MISSING),
            during_sent,
            missing[: web.size],
            # The answer is the SMS.
            np.where(hall.web, _MISSING, hall.completed),
        ),
        completed=flags(
            np.where(before_accepted, needs.sms_done[before_need], _MISSING),
            during_sent,
            needs.web_done[web],
            hall.completed,
        ),
    )
