"""The SMS hall, and what the web hall takes from it: one self-service channel living off another.

Whoever texts a keyword gets the answer by SMS; no call would have been made otherwise and none is
caused. Once the web hall has the service, some of these contacts are made there instead: web
sessions that removed no call at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.needs import adoption
from ccanalytics.simulation.sample.services import CATALOGUE, IS_QUERY
from ccanalytics.simulation.sample.volumes import DAY_S, first_in_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.population import Population
    from ccanalytics.simulation.sample.services import GoLive, Traits
    from ccanalytics.simulation.sample.volumes import Volumes

__all__ = ["HALL_MEANINGS", "HallUses", "draw_hall", "hall_truth"]

HALL_MEANINGS: dict[str, str] = {
    "cannibalised": "contacts that the web hall took from another self-service channel, by "
    "service: sms_hall_uses without the web hall, those taken from it, and calls that the voice "
    "menu would have completed, taken from it; expected, and counted in this log",
}


@dataclass(frozen=True, eq=False)
class HallUses:
    """Uses of the SMS hall, in order of time, had the web hall not been; ``web``: made there."""

    at: NDArray[np.int32]
    service: NDArray[np.uint8]
    customer: NDArray[np.int32]
    web: NDArray[np.bool_]
    completed: NDArray[np.bool_]


def uses_expected(
    parameters: CentreParameters, traits: Traits, volumes: Volumes
) -> NDArray[np.float64]:
    """Services × days: uses of the SMS hall without the web hall; its services are the queries."""
    share = np.where(IS_QUERY, traits.share, 0.0).sum()
    of_calls = parameters.sms_hall / (parameters.calls_per_day * share)
    return np.asarray(np.where(IS_QUERY[:, None], volumes.expected, 0.0) * of_calls)


def taken_share(parameters: CentreParameters, go_live: GoLive, days: int) -> NDArray[np.float64]:
    """Services × days: share of those uses that go to the web hall instead."""
    live = np.arange(days)[None, :] - go_live.web[:, None]
    return np.asarray(parameters.web_takes_sms_hall * adoption(parameters, live))


def draw_hall(
    parameters: CentreParameters,
    traits: Traits,
    go_live: GoLive,
    volumes: Volumes,
    population: Population,
    rng: np.random.Generator,
) -> HallUses:
    """Uses by half-hour, each by someone who is a customer then."""
    p = parameters
    expected = uses_expected(p, traits, volumes)
    cells = expected[:, :, None] * volumes.profile[None, :, :]
    kinds, days, _ = cells.shape
    counts = rng.poisson(np.moveaxis(cells, 0, 2).reshape(days * 48, kinds))
    at, _ = first_in_cells(counts.sum(axis=1), rng)
    service = np.repeat(np.tile(np.arange(kinds, dtype=np.uint8), days * 48), counts.ravel())
    share = taken_share(p, go_live, days)[service, at // DAY_S]
    web = rng.random(at.size) < share
    done = np.where(web, traits.web_completion[service], p.sms_hall_completion)
    completed = rng.random(at.size) < done
    customer = population.anyone(at, rng)
    order = np.argsort(at, kind="stable")
    return HallUses(
        at=at[order],
        service=service[order],
        customer=customer[order],
        web=web[order],
        completed=completed[order],
    )


def hall_truth(
    parameters: CentreParameters,
    traits: Traits,
    go_live: GoLive,
    volumes: Volumes,
    hall: HallUses,
    menu_taken: NDArray[np.float64],
    menu_counted: NDArray[np.int64],
) -> dict[str, Any]:
    """The ``cannibalised`` part of ``truth.json``; ``menu_…`` is by service."""
    uses = uses_expected(parameters, traits, volumes)
    taken = (uses * taken_share(parameters, go_live, uses.shape[1])).sum(axis=1)
    seen = np.bincount(hall.service, minlength=len(CATALOGUE))
    moved = np.bincount(hall.service[hall.web], minlength=len(CATALOGUE))
    columns = {
        "sms_hall_uses": (uses.sum(axis=1), seen),
        "from_sms_hall": (taken, moved),
        "from_menu": (menu_taken, menu_counted),
    }
    return {
        name: {
            "expected": float(expected.sum()),
            "counted": int(counted.sum()),
            "services": {
                service.code: [round(float(one), 2), int(other)]
                for service, one, other in zip(CATALOGUE, expected, counted, strict=True)
                if one > 0
            },
        }
        for name, (expected, counted) in columns.items()
    }
