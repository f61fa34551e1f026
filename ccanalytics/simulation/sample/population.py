"""Who calls: customers with rates, tiers, homes, bill days and comings and goings of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.simulation.sample.days import BILL_DAYS
from ccanalytics.simulation.sample.services import IS_BILLING
from ccanalytics.simulation.sample.volumes import DAY_S, bill_lift

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.days import Calendar
    from ccanalytics.simulation.sample.parameters import CentreParameters

__all__ = ["PROVINCES", "TIERS", "Population", "Province", "draw_population"]

TIERS = ("standard", "silver", "gold")
_FOR_EVER = 10**6


@dataclass(frozen=True)
class Province:
    """A province whose customers the centre serves, for which client, and its share of them."""

    name: str
    client: str
    share: float
    prefectures: int


# The centre's own province, and two whose operators have put their hotline out to it.
PROVINCES = (
    Province("Central", "Central Mobile", 0.86, 8),
    Province("North", "North Mobile", 0.08, 5),
    Province("South", "South Mobile", 0.06, 6),
)
_SLOTS = 8  # places of a customer of average rate in the book from which callers are drawn


@dataclass(frozen=True, eq=False)
class Population:
    """Customers, one entry each; days count from the first of the log.

    ``tier`` indexes :data:`TIERS`, ``province`` :data:`PROVINCES`, ``bill`` the bill days;
    ``rate`` is in proportion to how often someone calls. ``book`` holds each customer as often as
    their rate says: a place drawn from it is a caller.
    """

    tier: NDArray[np.uint8]
    province: NDArray[np.uint8]
    prefecture: NDArray[np.uint8]
    bill: NDArray[np.uint8]
    joined: NDArray[np.int32]
    left: NDArray[np.int32]
    rate: NDArray[np.uint16]
    book: NDArray[np.int32]
    lift: NDArray[np.float64]

    @property
    def size(self) -> int:
        """Number of customers."""
        return self.tier.size

    def callers(
        self, at: NDArray[np.int32], service: NDArray[np.uint8], rng: np.random.Generator
    ) -> NDArray[np.int32]:
        """Who calls: by call rate, among the customers of the day, near bill days about bills."""
        # Whoever is not a customer on that day, or has no bill to ask about, is drawn again.
        top = self.lift.max()
        found = self._draw(self.book, at.size, rng)
        open_ = np.arange(at.size, dtype=np.int32)
        while open_.size:
            who, day = found[open_], at[open_] // DAY_S
            weight = np.where(IS_BILLING[service[open_]], self.lift[self.bill[who], day] / top, 1)
            weight = weight * ((self.joined[who] <= day) & (day < self.left[who]))
            open_ = open_[rng.random(open_.size, np.float32) >= weight]
            found[open_] = self._draw(self.book, open_.size, rng)
        return found

    def anyone(self, at: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int32]:
        """Customers of that day drawn alike, whether they tend to call or not."""
        found = rng.integers(0, self.size, at.size, dtype=np.int32)
        open_ = np.arange(at.size)
        while open_.size:
            who, day = found[open_], at[open_] // DAY_S
            open_ = open_[(day < self.joined[who]) | (day >= self.left[who])]
            found[open_] = rng.integers(0, self.size, open_.size, dtype=np.int32)
        return found

    def rate_by_bill_day(self) -> NDArray[np.float64]:
        """Bill days × days: rate of all customers of each day."""
        kinds, days = self.lift.shape
        total = np.zeros((kinds, days + 1))
        for edge, sign in ((self.joined, 1.0), (self.left, -1.0)):
            day = np.clip(edge, 0, days)
            np.add.at(total, (self.bill, day), sign * self.rate)
        return np.asarray(np.cumsum(total, axis=1)[:, :days])

    @staticmethod
    def _draw(book: NDArray[np.int32], count: int, rng: np.random.Generator) -> NDArray[np.int32]:
        return book[rng.integers(0, book.size, count, dtype=np.int32)]


def draw_population(
    parameters: CentreParameters, calendar: Calendar, scale: float, rng: np.random.Generator
) -> Population:
    """Gamma rates around each tier's own: a few call weekly, many not once a year."""
    p = parameters
    size = max(50, round(p.customers * scale))
    chance = rng.random(size)
    tier = np.select([chance < p.gold, chance < p.gold + p.silver], [2, 1], 0).astype(np.uint8)
    of_tier = np.array([1.0, p.silver_rate, p.gold_rate])[tier]
    rate = rng.gamma(p.caller_shape, 1.0, size) * of_tier
    # Whole places, rounded by chance, so that nobody's rate is off on average.
    places = np.floor(rate / rate.mean() * _SLOTS + rng.random(size)).astype(np.uint16)
    if not places.any():
        places[:] = 1
    province = _by_share([each.share for each in PROVINCES], size, rng)
    # Within a province the first prefecture is the capital: half of the customers live there.
    count = np.array([each.prefectures for each in PROVINCES])[province]
    elsewhere = 1 + np.floor(rng.random(size) * (count - 1))
    prefecture = np.where(rng.random(size) < 0.5, 0, elsewhere).astype(np.uint8)
    bill = _by_share(list(BILL_DAYS.values()), size, rng)
    joined, left = _spells(p, calendar.days, size, rng)
    book = np.repeat(np.arange(size, dtype=np.int32), places)
    lift = bill_lift(p, calendar)
    return Population(tier, province, prefecture, bill, joined, left, places, book, lift)


def _by_share(shares: list[float], size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    edges = np.cumsum(shares) / np.sum(shares)
    return np.searchsorted(edges[:-1], rng.random(size), side="right").astype(np.uint8)


def _spells(
    parameters: CentreParameters, days: int, size: int, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """First and last day of each customer: as many come a year as leave."""
    yearly = max(parameters.customer_turnover, 1e-9)
    before = -np.ceil(rng.standard_exponential(size) * 365 / max(yearly, 0.05))
    new = rng.random(size) < 1 - np.exp(-yearly * days / 365)
    joined = np.where(new, np.floor(rng.random(size) * days), np.maximum(before, -9000))
    stays = rng.standard_exponential(size) * 365 / yearly
    left = np.maximum(joined, 0) + np.minimum(np.ceil(stays) + 1, _FOR_EVER)
    return joined.astype(np.int32), left.astype(np.int32)
