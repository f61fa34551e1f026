"""What the sample centre's worlds hold on average, exactly: no draw, so no Monte Carlo error.

Given how busy each half-hour is, what becomes of a need is a chain of independent choices. The
calls a world expects are then sums of products of probabilities, moved in time by the delays of
those who call again. Averaging draws of needs leads to the same numbers, only more slowly: the
counts of ``counts.py`` are one such draw, and the tests hold both against each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from ccanalytics.simulation.sample.needs import CAUSED_MEAN_S, awake, new_demand, web_use
from ccanalytics.simulation.sample.services import IS_ASKED_BACK, IS_REMINDED
from ccanalytics.simulation.sample.volumes import DAY_S, HALF_HOUR_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.population import Population
    from ccanalytics.simulation.sample.reminders import Reminders
    from ccanalytics.simulation.sample.services import GoLive, Traits
    from ccanalytics.simulation.sample.volumes import Volumes

    Cells = NDArray[np.float64]
    Kernel = NDArray[np.float32]

__all__ = ["Demand", "Expected", "demand_of", "expect", "menu_taken"]

_LONGEST_DAYS = 14  # an exponential delay of 30 hours lasts longer once in 70,000 times
_MOMENTS, _DELAYS = 6, 600
_SAMPLE = 200_000


@dataclass(frozen=True, eq=False)
class Demand:
    """What no channel changes, services × days × 48: needs, sessions of new demand, and more.

    ``fresh`` is the share of each service's needs that reminders answer, ``caused`` the calls that
    messages cause. ``assist_s`` are the seconds that SMS-assist during the call saves on average
    in an answered call of each service, once live, and ``again_s`` in one after a channel.
    """

    own: Cells
    new: Cells
    fresh: Cells
    caused: Cells
    mean_s: NDArray[np.float64]
    assist_s: NDArray[np.float64]
    again_s: NDArray[np.float64]
    after_web: Kernel
    after_failure: Kernel
    after_sms: Kernel
    web_flows: dict[bool, tuple[Cells, Cells]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Expected:
    """First calls of a world, services × days × 48; ``handle_s`` if every request is answered."""

    calls: Cells
    requests: Cells
    handle_s: Cells


def demand_of(
    parameters: CentreParameters,
    traits: Traits,
    go_live: GoLive,
    volumes: Volumes,
    population: Population,
    reminders: Reminders,
) -> Demand:
    """Expected needs of every kind, from rates alone."""
    p = parameters
    own = volumes.cells()
    share = reminders.protection(population) * p.reminder_prevents
    mean = traits.handle_median_s * np.exp(p.handle_log_sd**2 / 2)
    saved = (
        p.assist_offer * p.assist_acceptance * round(p.assist_saving_s) * (1 - p.withheld)
    ) * _long_enough(p, traits.handle_median_s)
    again = (p.assist_offer * p.assist_acceptance * round(p.assist_saving_s)) * _long_enough(
        p, traits.handle_median_s * p.return_handle
    )
    return Demand(
        own=own,
        new=new_demand(p, traits, go_live, volumes),
        fresh=np.where(IS_REMINDED[:, None, None], share[None], 0.0),
        caused=_caused(p, reminders, own.shape),
        mean_s=mean,
        assist_s=saved,
        again_s=again,
        after_web=_exponential(p.web_return_mean_s, 60),
        after_failure=_lognormal(p),
        after_sms=_exponential(p.sms_return_mean_s, 1),
    )


def expect(
    parameters: CentreParameters,
    traits: Traits,
    go_live: GoLive,
    demand: Demand,
    *,
    sms: bool = True,
    web: bool = True,
    reminders: bool = True,
    assist: bool = True,
) -> Expected:
    """The world with these channels, as ``worlds.make_world`` draws it."""
    p = parameters
    days = demand.own.shape[1]
    contained = traits.contained[:, None, None]
    asks = 1 - p.left_menu - contained
    use = web_use(p, traits, go_live, days)[:, :, None] if web else np.zeros((len(asks), days, 1))
    of_menu = np.minimum(use * p.web_use_contained, 1.0)
    own = demand.own * (1 - demand.fresh) if reminders else demand.own
    caused = demand.caused if reminders else np.zeros_like(own)
    new = demand.new if web else np.zeros_like(own)

    back, drawn = _after_web(p, traits, demand, own, new, use, reminders=reminders)
    # Those whom the menu would serve call again as well, and are then served by it.
    by_menu = of_menu / np.where(use > 0, use, 1.0)

    named = 1 - p.withheld
    fresh_ask, back_ask = own * (1 - use) * asks, back * asks
    new_ask = (drawn + caused) * asks
    live = _live(go_live.sms, days) if sms else np.zeros((len(asks), days, 1))
    offer = p.sms_offer * traits.acceptance[:, None, None] * live
    taken = [fresh_ask * named * offer, back_ask * named * offer, new_ask * offer]
    settled = (p.sms_delivery * traits.completion)[:, None, None]
    returns = settled * traits.leakage[:, None, None] + (1 - settled) * p.sms_failed_return
    after_sms = _moved(sum(taken) * returns, None, demand.after_sms)

    usual = fresh_ask - taken[0] + new_ask - taken[2]
    longer = back_ask - taken[1] + after_sms
    calls = (
        own * ((1 - use) * (1 - contained) + (1 - of_menu) * contained)
        + back * ((1 - contained) + by_menu * contained)
        + drawn
        + caused
        + after_sms
    )
    helps = _live(go_live.assist, days) if assist else np.zeros((len(asks), days, 1))
    spent = demand.mean_s[:, None, None] * (usual + p.return_handle * longer)
    saved = demand.assist_s[:, None, None] * usual + demand.again_s[:, None, None] * longer
    return Expected(calls, usual + longer, spent - helps * saved)


def menu_taken(
    parameters: CentreParameters, traits: Traits, go_live: GoLive, demand: Demand
) -> NDArray[np.float64]:
    """By service: calls that the voice menu would have completed, taken to the web hall."""
    wanted = (demand.own * (1 - demand.fresh)).sum(axis=2)
    use = web_use(parameters, traits, go_live, wanted.shape[1])
    of_menu = np.minimum(use * parameters.web_use_contained, 1.0)
    return np.asarray((wanted * of_menu).sum(axis=1) * traits.contained)


def _after_web(
    parameters: CentreParameters,
    traits: Traits,
    demand: Demand,
    own: Cells,
    new: Cells,
    use: NDArray[np.float64],
    *,
    reminders: bool,
) -> tuple[Cells, Cells]:
    """Calls after the web: of those with a need of their own, and of new demand."""
    p, done = parameters, traits.web_completion[:, None, None]
    if not use.any():
        return np.zeros_like(own), np.zeros_like(own)
    # Whatever else a world lacks, its web flows are those of the first world that asked.
    if reminders not in demand.web_flows:
        later, at_once = demand.after_web, demand.after_failure
        back = _moved(own * (done * p.web_leakage), use, later)
        back += _moved(own * ((1 - done) * p.web_failed_return), use, at_once)
        drawn = _moved(new * (done * p.web_leakage), None, later)
        drawn += _moved(new * ((1 - done) * p.web_new_call), None, at_once)
        demand.web_flows[reminders] = back, drawn
    return demand.web_flows[reminders]


def _live(day: NDArray[np.int64], days: int) -> NDArray[np.float64]:
    """Services × days × 1: whether a channel has gone live."""
    return (np.arange(days)[None, :] >= day[:, None]).astype(float)[:, :, None]


def _caused(
    parameters: CentreParameters, reminders: Reminders, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Calls that messages cause; after hours of thought, in equal parts by service."""
    invited = reminders.invited_at[reminders.invited_at >= 0]
    sent = np.concatenate([invited, reminders.sent_at]) // HALF_HOUR_S
    messages = np.bincount(sent, minlength=shape[1] * 48)[: shape[1] * 48].reshape(shape[1:])
    calls = messages[None] * parameters.reminder_causes / IS_ASKED_BACK.sum()
    moved = _moved(calls.astype(float), None, _exponential(CAUSED_MEAN_S, 60, shift=60))
    return np.where(IS_ASKED_BACK[:, None, None], moved, 0.0)


def _exponential(mean_s: float, least_s: float, shift: float = 0.0) -> Kernel:
    quantile = (np.arange(_DELAYS) + 0.5) / _DELAYS
    return _kernel(np.maximum(np.rint(shift - np.log1p(-quantile) * mean_s), least_s))


def _lognormal(parameters: CentreParameters) -> Kernel:
    p = parameters
    normal = ndtri((np.arange(_DELAYS) + 0.5) / _DELAYS)
    delay = p.web_failed_median_s * np.exp(p.web_failed_log_sd * normal)
    return _kernel(np.maximum(np.rint(delay), 60))


def _kernel(delay: NDArray[np.float64]) -> Kernel:
    """Half-hours of the beginning × half-hours of this and later days: shares of the calls."""
    moment = (np.arange(_MOMENTS) + 0.5) / _MOMENTS * HALF_HOUR_S
    begin = (np.arange(48)[:, None] * HALF_HOUR_S + moment[None, :]).astype(np.int64)
    at = awake(begin[:, :, None] + delay.astype(np.int64)[None, None, :])
    later = np.minimum(at // DAY_S, _LONGEST_DAYS - 1) * 48 + at % DAY_S // HALF_HOUR_S
    width = (int(later.max()) // 48 + 1) * 48
    cell = np.arange(48)[:, None, None] * width + later
    share = np.bincount(cell.ravel(), minlength=48 * width) / (_MOMENTS * delay.size)
    return share.reshape(48, width).astype(np.float32)


def _moved(flow: Cells, factor: NDArray[np.float64] | None, kernel: Kernel) -> Cells:
    """The calls that come later of a flow of contacts; beyond the log's end they are lost."""
    flow = np.ascontiguousarray(flow if factor is None else flow * factor, np.float32)
    later = np.zeros(flow.shape)
    days = flow.shape[-2]
    if not flow.any():
        return later
    # One product for all days: many small ones would mostly wait for each other's threads.
    width = min(kernel.shape[1] // 48, days)
    moved = (flow.reshape(-1, 48) @ kernel[:, : width * 48]).reshape(*flow.shape[:-1], width, 48)
    for day in range(width):
        later[..., day:, :] += moved[..., : days - day, day, :]
    return later


def _long_enough(parameters: CentreParameters, median: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of each service's calls whose talk is long enough for SMS-assist to be offered."""
    p, rng = parameters, np.random.default_rng(0)
    hold = p.hold_share * (0.5 + rng.random(_SAMPLE)) * (rng.random(_SAMPLE) < p.hold_chance)
    wrap = p.wrap_share * (0.5 + rng.random(_SAMPLE))
    talk = np.exp(p.handle_log_sd * ndtri(rng.random(_SAMPLE))) * (1 - hold - wrap)
    order = np.sort(talk)
    found = np.searchsorted(order, (p.assist_min_talk_s - 0.5) / median)
    return np.asarray(1 - found / _SAMPLE)
