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

from ccanalytics.simulation.sample.services import CATALOGUE
from ccanalytics.simulation.sample.volumes import DAY_S, first_in_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.population import Population
    from ccanalytics.simulation.sample.services import GoLive, Traits
    from ccanalytics.simulation.sample.volumes import Volumes

__all__ = ["CONTAINED", "LEFT_MENU", "REQUEST", "Needs", "draw_needs", "patience_s"]

REQUEST, LEFT_MENU, CONTAINED = 0, 1, 2
_LONGEST_RETURN_S = 60 * DAY_S


@dataclass(frozen=True, eq=False)
class Needs:
    """One entry per need; seconds count from the log's first midnight, in whole seconds.

    ``latent`` needs are those of people who would never have called: they exist only where the
    web hall is. ``fate`` is what the call does in the voice menu, if it is made. ``web`` to
    ``web_delay_s``: goes to the web first, is served there, calls all the same, after how long.
    ``sms_…``: the same for SMS-assist before the call, ``assist_…`` for that during it.
    ``redials``: attempts left after abandoning; ``follow_up_s``: another call so long after being
    served, or 0.
    """

    at: NDArray[np.int64]
    service: NDArray[np.uint8]
    customer: NDArray[np.int32]
    withheld: NDArray[np.bool_]
    latent: NDArray[np.bool_]
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
    own: np.random.Generator,
    latent: np.random.Generator,
) -> Needs:
    """The needs behind would-be calls (from ``own``) and behind new demand (from ``latent``)."""
    counts = own.poisson(volumes.rate)
    at, cell = first_in_cells(counts, own)
    service = _services(volumes.actual, cell // 48, own)
    callers = population.callers(at.size, own)
    would_call = _draw(parameters, traits, go_live, at, service, callers, own, latent=False)

    at, service = _new_demand(parameters, traits, go_live, volumes, latent)
    visitors = population.anyone(at.size, latent)
    would_not = _draw(parameters, traits, go_live, at, service, visitors, latent, latent=True)
    return Needs(
        **{
            each.name: np.concatenate(
                [getattr(would_call, each.name), getattr(would_not, each.name)]
            )
            for each in fields(Needs)
        }
    )


def patience_s(
    parameters: CentreParameters, count: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Patience in whole seconds: some give up soon, the others follow a lognormal law."""
    p = parameters
    soon = rng.random(count) < p.impatient
    short = rng.standard_exponential(count) * p.impatient_mean_s
    usual = p.patience_median_s * np.exp(p.patience_log_sd * rng.standard_normal(count))
    return _whole(np.minimum(np.where(soon, short, usual), p.patience_cap_s))


def _services(
    actual: NDArray[np.float64], day: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """The service of each need, by the mix of its day."""
    mix = np.cumsum(actual, axis=0).T
    mix = mix / mix[:, -1:]
    # One search for all days: each day's shares lie in a unit interval of their own.
    ladder = (mix + np.arange(len(mix))[:, None]).ravel()
    found = np.searchsorted(ladder, day + rng.random(day.size), side="right")
    return np.minimum(found - day * len(CATALOGUE), len(CATALOGUE) - 1).astype(np.uint8)


def adoption(parameters: CentreParameters, days_live: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of its final use that the web hall has for a service live since so many days."""
    grown = -np.expm1(-(np.maximum(days_live, 0) + 1) * DAY_S / parameters.web_build_up_s)
    return np.asarray(np.where(days_live >= 0, grown, 0.0))


def _new_demand(
    parameters: CentreParameters,
    traits: Traits,
    go_live: GoLive,
    volumes: Volumes,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    days = np.arange(volumes.expected.shape[1])
    use = traits.web_use[:, None] * adoption(parameters, days[None, :] - go_live.web[:, None])
    by_day = volumes.expected * use * parameters.web_new_demand
    counts = rng.poisson(by_day.sum(axis=0)[:, None] * volumes.profile)
    at, cell = first_in_cells(counts, rng)
    if not at.size:
        return at, np.zeros(0, np.uint8)
    # Days without any web session draw nothing; an even mix there only avoids dividing by 0.
    mix = np.where(by_day.sum(axis=0)[None, :] > 0, by_day, 1.0)
    return at, _services(mix, cell // 48, rng)


def _draw(
    parameters: CentreParameters,
    traits: Traits,
    go_live: GoLive,
    at: NDArray[np.int64],
    service: NDArray[np.uint8],
    customer: NDArray[np.int32],
    rng: np.random.Generator,
    *,
    latent: bool,
) -> Needs:
    p, n = parameters, at.size

    def chance(share: float | NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.asarray(rng.random(n) < share)

    withheld = chance(0.0 if latent else p.withheld)
    in_menu = rng.random(n)
    stays = in_menu >= p.left_menu + traits.contained[service]
    fate = np.select([in_menu < p.left_menu, ~stays], [LEFT_MENU, CONTAINED], REQUEST)
    menu = 3 + rng.gamma(3.0, max(p.menu_mean_s - 3, 0.0) / 3, n)
    noise = rng.standard_normal(n, dtype=np.float32)
    handle = traits.handle_median_s[service] * np.exp(p.handle_log_sd * noise)
    held = chance(p.hold_chance)

    web = chance(traits.web_use[service] * adoption(p, at // DAY_S - go_live.web[service]))
    web_done = chance(traits.web_completion[service])
    web_back = chance(
        np.where(web_done, p.web_leakage, p.web_new_call if latent else p.web_failed_return)
    )
    after_done = rng.standard_exponential(n) * p.web_return_mean_s
    after_failed = p.web_failed_median_s * np.exp(p.web_failed_log_sd * rng.standard_normal(n))
    web_delay = np.where(web_done, after_done, after_failed)

    accepted = chance(traits.acceptance[service])
    delivered = chance(p.sms_delivery) & accepted
    done = chance(traits.completion[service]) & delivered
    back = chance(np.where(done, traits.leakage[service], p.sms_failed_return)) & accepted
    assist_accepted = chance(p.assist_acceptance)
    return Needs(
        at=at,
        service=service,
        customer=customer,
        withheld=withheld,
        latent=np.full(n, latent),
        fate=fate.astype(np.uint8),
        menu_s=_whole(np.where(fate == LEFT_MENU, menu * 0.6, menu)),
        handle_s=_whole(handle),
        wrap_part=_part(p.wrap_share, n, rng),
        hold_part=_part(p.hold_share, n, rng) * held.astype(np.float32),
        patience_s=patience_s(p, n, rng),
        redials=_redials(p.redial, n, rng),
        follow_up_s=_follow_up(p, n, rng),
        web=np.full(n, True) if latent else web,
        web_done=web_done,
        web_back=web_back,
        web_delay_s=_delay(at, web_delay),
        sms_offered=chance(p.sms_offer) & (fate == REQUEST) & ~withheld,
        sms_accepted=accepted,
        sms_delivered=delivered,
        sms_done=done,
        sms_back=back,
        # Of the call, not of the need: which moment of the day it is, is settled in the world.
        sms_delay_s=_whole(
            np.minimum(rng.standard_exponential(n) * p.sms_return_mean_s, _LONGEST_RETURN_S)
        ),
        assist_offered=chance(p.assist_offer),
        assist_accepted=assist_accepted,
        assist_delivered=chance(p.assist_delivery) & assist_accepted,
    )


def awake(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Nobody calls back at night: what falls before 7 in the morning waits eight hours."""
    return np.asarray(at + np.where(at % DAY_S < 7 * 3600, 8 * 3600, 0))


def _delay(at: NDArray[np.int64], delay: NDArray[np.float64]) -> NDArray[np.int32]:
    later = awake(at + np.maximum(np.rint(np.minimum(delay, _LONGEST_RETURN_S)), 60).astype(int))
    return (later - at).astype(np.int32)


def _part(mean: float, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Shares of the handle time: uniform from half the mean to one and a half times it."""
    return (mean * (0.5 + rng.random(count))).astype(np.float32)


def _redials(again: float, count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """How often a caller tries again after abandoning: geometric, five times at most."""
    chance = rng.random(count)
    return np.sum([chance < again**times for times in range(1, 6)], axis=0).astype(np.uint8)


def _follow_up(parameters: CentreParameters, count: int, rng: np.random.Generator) -> NDArray[Any]:
    """Seconds from the end of a call to the follow-up call; 0 where none comes."""
    p = parameters
    delay = p.follow_up_median_s * np.exp(p.follow_up_log_sd * rng.standard_normal(count))
    comes = rng.random(count) < p.follow_up
    return np.where(comes, _whole(np.clip(delay, 60, 14 * 3600)), 0).astype(np.int32)


def _whole(seconds: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.maximum(np.rint(seconds), 1).astype(np.int32)
