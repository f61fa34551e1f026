"""Needs: what customers want, and what each would do if a channel were there.

A need is what would be one first call in a world without SMS-assist and web. Everything that a
world may ask about it (Would this customer go to the web first? Accept the SMS? Call again?) is
drawn once, beforehand. Worlds with and without a channel then differ by its cause alone, need by
need, and what a channel removed can be counted instead of estimated.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.services import IS_ASKED_BACK
from ccanalytics.simulation.sample.volumes import DAY_S, first_in_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.population import Population
    from ccanalytics.simulation.sample.reminders import Reminders
    from ccanalytics.simulation.sample.services import GoLive, Traits
    from ccanalytics.simulation.sample.volumes import Volumes

__all__ = ["CAUSED", "CONTAINED", "LEFT_MENU", "REQUEST", "TOLD", "Needs", "draw_needs"]

REQUEST, LEFT_MENU, CONTAINED = 0, 1, 2
TOLD, CAUSED = 1, 2
CAUSED_MEAN_S = 6 * 3600
_LONGEST_RETURN_S = 60 * DAY_S


@dataclass(frozen=True, eq=False)
class Needs:
    """One entry per need; seconds count from the log's first midnight, in whole seconds.

    ``latent`` needs are those of people who would never have called: they exist only where the
    web hall is. ``told`` is of reminders: 1 where one has told the customer the answer, so that
    the need goes away; 2 where a message puts the question into the customer's head. ``fate``
    is what the call does in the voice menu, if it is made. ``web`` to ``web_delay_s``: goes to the
    web first, is served there, calls all the same, after how long.
    ``sms_…``: the same for SMS-assist before the call, ``assist_…`` for that during it.
    ``redials``: attempts left after abandoning; ``follow_up_s``: another call so long after being
    served, or 0.
    """

    at: NDArray[np.int32]
    service: NDArray[np.uint8]
    customer: NDArray[np.int32]
    withheld: NDArray[np.bool_]
    latent: NDArray[np.bool_]
    told: NDArray[np.uint8]
    fate: NDArray[np.uint8]
    menu_s: NDArray[np.int32]
    handle_s: NDArray[np.int32]
    wrap_part: NDArray[np.float32]
    hold_part: NDArray[np.float32]
    patience_s: NDArray[np.int32]
    redials: NDArray[np.uint8]
    follow_up_s: NDArray[np.int32]
    web: NDArray[np.bool_]
    web_done: NDArray[np.bool_]
    web_back: NDArray[np.bool_]
    web_delay_s: NDArray[np.int32]
    sms_offered: NDArray[np.bool_]
    sms_accepted: NDArray[np.bool_]
    sms_delivered: NDArray[np.bool_]
    sms_done: NDArray[np.bool_]
    sms_back: NDArray[np.bool_]
    sms_delay_s: NDArray[np.int32]
    assist_offered: NDArray[np.bool_]
    assist_accepted: NDArray[np.bool_]
    assist_delivered: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """Number of needs, latent ones included."""
        return self.at.size


def draw_needs(
    parameters: CentreParameters,
    traits: Traits,
    go_live: GoLive,
    volumes: Volumes,
    population: Population,
    reminders: Reminders,
    own: np.random.Generator,
    latent: np.random.Generator,
    told: np.random.Generator,
) -> Needs:
    """Needs behind would-be calls (``own``), behind new demand (``latent``), and caused by
    messages (``told``), each from its own stream."""
    p = parameters
    at, service = _places(volumes.cells(), own)
    customer = population.callers(at, service, own)
    answered = told.random(at.size, np.float32) < p.reminder_prevents
    answered &= reminders.fresh(customer, at, service)
    parts = [_draw(p, traits, go_live, at, service, customer, own, told=answered)]

    at, service = _places(new_demand(p, traits, go_live, volumes), latent)
    customer = population.anyone(at, latent)
    parts.append(_draw(p, traits, go_live, at, service, customer, latent, latent=True))

    at, service, customer = _asked_back(p, reminders, told)
    twice = np.full(at.size, CAUSED)
    parts.append(_draw(p, traits, go_live, at, service, customer, told, told=twice))
    # Field by field, so that two copies of everything never stand in memory.
    joined = {
        each.name: np.concatenate([part.pop(each.name) for part in parts]) for each in fields(Needs)
    }
    return Needs(**joined)


def patience_s(
    parameters: CentreParameters, count: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Patience in whole seconds: some give up soon, the others follow a lognormal law."""
    p = parameters
    patience = rng.standard_normal(count, np.float32)
    patience = p.patience_median_s * np.exp(p.patience_log_sd * patience)
    soon = np.flatnonzero(rng.random(count, np.float32) < p.impatient)
    patience[soon] = rng.standard_exponential(soon.size) * p.impatient_mean_s
    return _whole(np.minimum(patience, p.patience_cap_s))


def _places(
    cells: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Second and service of each need, given how many are expected by service and half-hour."""
    kinds = len(cells)
    counts = rng.poisson(np.moveaxis(cells, 0, 2).reshape(-1, kinds))
    at, _ = first_in_cells(counts.sum(axis=1), rng)
    service = np.repeat(np.tile(np.arange(kinds, dtype=np.uint8), len(counts)), counts.ravel())
    return at, service


def adoption(parameters: CentreParameters, days_live: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of its final use that the web hall has for a service live since so many days."""
    grown = -np.expm1(-(np.maximum(days_live, 0) + 1) * DAY_S / parameters.web_build_up_s)
    return np.asarray(np.where(days_live >= 0, grown, 0.0))


def new_demand(
    parameters: CentreParameters, traits: Traits, go_live: GoLive, volumes: Volumes
) -> NDArray[np.float64]:
    """Services × days × 48: web sessions expected of people who would never have called."""
    days = np.arange(volumes.expected.shape[1])
    use = traits.web_use[:, None] * adoption(parameters, days[None, :] - go_live.web[:, None])
    by_day = volumes.expected * use * parameters.web_new_demand
    return np.asarray(by_day[:, :, None] * volumes.profile[None, :, :])


def _asked_back(
    parameters: CentreParameters, reminders: Reminders, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int32]]:
    """Calls that messages cause: second, service and customer of each."""
    invited = np.flatnonzero(reminders.invited_at >= 0).astype(np.int32)
    customer = np.concatenate([invited, reminders.sent])
    at = np.concatenate([reminders.invited_at[invited], reminders.sent_at])
    chosen = np.flatnonzero(rng.random(at.size) < parameters.reminder_causes)
    delay = 60 + rng.standard_exponential(chosen.size) * CAUSED_MEAN_S
    later = awake(at[chosen] + np.rint(np.minimum(delay, 7 * DAY_S)).astype(np.int32))
    service = np.flatnonzero(IS_ASKED_BACK)[rng.integers(0, IS_ASKED_BACK.sum(), chosen.size)]
    return later, service.astype(np.uint8), customer[chosen]


def _draw(
    parameters: CentreParameters,
    traits: Traits,
    go_live: GoLive,
    at: NDArray[np.int32],
    service: NDArray[np.uint8],
    customer: NDArray[np.int32],
    rng: np.random.Generator,
    *,
    latent: bool = False,
    told: NDArray[Any] | None = None,
) -> dict[str, NDArray[Any]]:
    p, n = parameters, at.size
    # Who was never told anything, or would not have called but for a message or the web hall.
    told = np.zeros(n, np.uint8) if told is None else told.astype(np.uint8)
    new = latent or bool(n and told[0] == CAUSED)

    def chance(share: float | NDArray[Any]) -> NDArray[np.bool_]:
        return np.asarray(rng.random(n, np.float32) < np.asarray(share, np.float32))

    withheld = chance(0.0 if new else p.withheld)
    in_menu = rng.random(n, np.float32)
    stays = in_menu >= (p.left_menu + traits.contained).astype(np.float32)[service]
    fate = np.where(stays, REQUEST, CONTAINED).astype(np.uint8)
    fate[in_menu < p.left_menu] = LEFT_MENU
    menu = 3 + rng.standard_gamma(3.0, n, np.float32) * (max(p.menu_mean_s - 3, 0.0) / 3)
    menu[fate == LEFT_MENU] *= 0.6
    handle = rng.standard_normal(n, dtype=np.float32)
    handle = traits.handle_median_s.astype(np.float32)[service] * np.exp(p.handle_log_sd * handle)
    held = chance(p.hold_chance)

    web = chance(0.0 if new else _web_use(p, traits, go_live, at, service, fate))
    web_done = chance(traits.web_completion[service])
    failed_back = p.web_new_call if latent else p.web_failed_return
    web_back = chance(np.where(web_done, p.web_leakage, failed_back))
    web_delay = p.web_failed_median_s * np.exp(
        p.web_failed_log_sd * rng.standard_normal(n, np.float32)
    )
    after_done = rng.standard_exponential(n, np.float32) * p.web_return_mean_s
    np.copyto(web_delay, after_done, where=web_done)

    accepted = chance(traits.acceptance[service])
    delivered = chance(p.sms_delivery) & accepted
    done = chance(traits.completion[service]) & delivered
    back = chance(np.where(done, traits.leakage[service], p.sms_failed_return)) & accepted
    assist_accepted = chance(p.assist_acceptance)
    return {
        "at": at,
        "service": service,
        "customer": customer,
        "withheld": withheld,
        "latent": np.full(n, latent),
        "told": told,
        "fate": fate,
        "menu_s": _whole(menu),
        "handle_s": _whole(handle),
        "wrap_part": _part(p.wrap_share, n, rng),
        "hold_part": _part(p.hold_share, n, rng) * held.astype(np.float32),
        "patience_s": patience_s(p, n, rng),
        "redials": redials(p.redial, n, rng),
        "follow_up_s": follow_up_s(p, n, rng),
        "web": np.full(n, True) if latent else web,
        "web_done": web_done,
        "web_back": web_back,
        "web_delay_s": _delay(at, web_delay),
        "sms_offered": chance(p.sms_offer) & (fate == REQUEST) & ~withheld,
        "sms_accepted": accepted,
        "sms_delivered": delivered,
        "sms_done": done,
        "sms_back": back,
        # Of the call, not of the need: which moment of the day it is, is settled in the world.
        "sms_delay_s": _whole(
            np.minimum(
                rng.standard_exponential(n, np.float32) * p.sms_return_mean_s, _LONGEST_RETURN_S
            )
        ),
        "assist_offered": chance(p.assist_offer),
        "assist_accepted": assist_accepted,
        "assist_delivered": chance(p.assist_delivery) & assist_accepted,
    }


def _web_use(
    parameters: CentreParameters,
    traits: Traits,
    go_live: GoLive,
    at: NDArray[np.int32],
    service: NDArray[np.uint8],
    fate: NDArray[np.uint8],
) -> NDArray[np.float32]:
    """Chance that each need goes to the web first; those the menu would serve go more readily."""
    use = web_use(parameters, traits, go_live, int(at[-1]) // DAY_S + 1 if at.size else 1)
    own = use.astype(np.float32)[service, at // DAY_S]
    own[fate == CONTAINED] *= parameters.web_use_contained
    return own


def web_use(
    parameters: CentreParameters, traits: Traits, go_live: GoLive, days: int
) -> NDArray[np.float64]:
    """Services × days: share of needs that go to the web first."""
    day = np.arange(days)
    grown = adoption(parameters, day[None, :] - go_live.web[:, None])
    return np.asarray(traits.web_use[:, None] * grown)


def awake(at: NDArray[Any]) -> NDArray[Any]:
    """Nobody calls back at night: what falls before 7 in the morning waits eight hours."""
    late = (at % DAY_S < 7 * 3600).astype(at.dtype)
    return np.asarray(at + late * at.dtype.type(8 * 3600))


def _delay(at: NDArray[np.int32], delay: NDArray[np.float32]) -> NDArray[np.int32]:
    whole = np.maximum(np.rint(np.minimum(delay, _LONGEST_RETURN_S)), 60).astype(np.int32)
    return awake(at + whole) - at


def _part(mean: float, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Shares of the handle time: uniform from half the mean to one and a half times it."""
    return np.float32(mean) * (np.float32(0.5) + rng.random(count, np.float32))


def redials(again: float, count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """How often a caller tries again after abandoning: geometric, five times at most."""
    chance = rng.random(count, np.float32)
    times = np.zeros(count, np.uint8)
    for each in range(1, 6):
        times += chance < np.float32(again**each)
    return times


def follow_up_s(parameters: CentreParameters, count: int, rng: np.random.Generator) -> NDArray[Any]:
    """Seconds from the end of a call to the follow-up call; 0 where none comes."""
    p = parameters
    comes = np.flatnonzero(rng.random(count, np.float32) < p.follow_up)
    delay = p.follow_up_median_s * np.exp(p.follow_up_log_sd * rng.standard_normal(comes.size))
    after = np.zeros(count, np.int32)
    after[comes] = _whole(np.clip(delay, 60, 14 * 3600))
    return after


def _whole(seconds: NDArray[Any]) -> NDArray[np.int32]:
    return np.maximum(np.rint(seconds), 1).astype(np.int32)
