"""Who calls: customers with rates and tiers of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters

__all__ = ["TIERS", "Population", "draw_population"]

TIERS = ("standard", "silver", "gold")


@dataclass(frozen=True, eq=False)
class Population:
    """Customers: ``tier`` indexes :data:`TIERS`, ``share`` is each one's share of all calls."""

    tier: NDArray[np.uint8]
    cumulative: NDArray[np.float64]

    @property
    def size(self) -> int:
        """Number of customers."""
        return self.tier.size

    def callers(self, count: int, rng: np.random.Generator) -> NDArray[np.int32]:
        """Customers drawn by their call rates."""
        point = rng.random(count) * self.cumulative[-1]
        found = np.searchsorted(self.cumulative, point, side="right")
        return np.minimum(found, self.size - 1).astype(np.int32)

    def anyone(self, count: int, rng: np.random.Generator) -> NDArray[np.int32]:
        """Customers drawn alike, whether they tend to call or not."""
        return rng.integers(0, self.size, count).astype(np.int32)


def draw_population(
    parameters: CentreParameters, scale: float, rng: np.random.Generator
) -> Population:
    """Gamma rates around each tier's own: a few call weekly, many not once a year."""
    p = parameters
    size = max(50, round(p.customers * scale))
    chance = rng.random(size)
    tier = np.select([chance < p.gold, chance < p.gold + p.silver], [2, 1], 0).astype(np.uint8)
    of_tier = np.array([1.0, p.silver_rate, p.gold_rate])[tier]
    return Population(tier, np.cumsum(rng.gamma(p.caller_shape, 1.0, size) * of_tier))
