"""Who calls: customers with rates, tiers, homes, bill days and comings and goings of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.days import BILL_DAYS
from ccanalytics.simulation.sample.luck import luck
from ccanalytics.simulation.sample.services import IS_BILLING
from ccanalytics.simulation.sample.volumes import DAY_S, bill_lift

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.days import Calendar
    from ccanalytics.simulation.sample.parameters import CentreParameters

__all__ = ["PROVINCES", "TIERS", "Population", "Province", "draw_population"]

TIERS = ("standard", "silver", "gold")
_FOR_EVER = 10.0**6


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
_CHUNK = 1 << 20
_SLOTS = 8  # places of a customer of average rate in the book from which callers are drawn


@dataclass(frozen=True, eq=False)
class Population:
    """Customers, one entry each; days count from the first of the log.

    ``tier`` indexes :data:`TIERS`, ``province`` :data:`PROVINCES`, ``bill`` the bill days;
    ``leaves`` is the moment, in days, of leaving of one's own accord, ``left`` the first day
    without the customer, whatever the reason;
    ``rate`` is in proportion to how often someone calls. ``book`` holds each customer as often as
    their rate says: a place drawn from it is a caller.
    """

    tier: NDArray[np.uint8]
    province: NDArray[np.uint8]
    prefecture: NDArray[np.uint8]
    bill: NDArray[np.uint8]
    joined: NDArray[np.int32]
    left: NDArray[np.int32]
    leaves: NDArray[np.float32]
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
        """Who calls: by call rate, among the customers of the day, near bill days about bills.

        Each caller is a matter of the call's own luck: that one customer leaves later than in
        another world moves no other call to somebody else.
        """
        top, root = self.lift.max(), int(rng.integers(1 << 62))
        found = np.empty(at.size, np.int32)

        def weight(who: NDArray[np.int32], few: NDArray[Any]) -> NDArray[np.float64]:
            day = at[few] // DAY_S
            lift = self.lift[self.bill[who], day] / top
            there = (self.joined[who] <= day) & (day < self.left[who])
            return np.where(IS_BILLING[service[few]], lift, 1) * there

        for few in _chunks(at.size):
            found[few] = _drawn(root, few, self.book, weight)
        return found

    def anyone(self, at: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int32]:
        """Customers of that day drawn alike, whether they tend to call or not."""
        root = int(rng.integers(1 << 62))
        found = np.empty(at.size, np.int32)
        everyone = np.arange(self.size, dtype=np.int32)

        def weight(who: NDArray[np.int32], few: NDArray[Any]) -> NDArray[np.float64]:
            day = at[few] // DAY_S
            there = (self.joined[who] <= day) & (day < self.left[who])
            return there.astype(float)

        for few in _chunks(at.size):
            found[few] = _drawn(root, few, everyone, weight)
        return found

    def rate_by_bill_day(self) -> NDArray[np.float64]:
        """Bill days × days: rate of all customers of each day."""
        kinds, days = self.lift.shape
        total = np.zeros((kinds, days + 1))
        for edge, sign in ((self.joined, 1.0), (self.left, -1.0)):
            day = np.clip(edge, 0, days)
            np.add.at(total, (self.bill, day), sign * self.rate)
        return np.asarray(np.cumsum(total, axis=1)[:, :days])


def _chunks(count: int) -> Iterator[NDArray[np.int64]]:
    """Numbers up to a count, so many at a time that drawing for them takes little memory."""
    for begin in range(0, count, _CHUNK):
        yield np.arange(begin, min(begin + _CHUNK, count))


def _drawn(
    root: int,
    number: NDArray[np.int64],
    book: NDArray[np.int32],
    weight: Callable[[NDArray[np.int32], NDArray[Any]], NDArray[np.float64]],
) -> NDArray[np.int32]:
    """A place of the book for each number, drawn again until its weight accepts it."""
    found = np.empty(number.size, np.int32)
    open_, draw = np.arange(number.size), 0
    while open_.size:
        place = (luck(root, number[open_], draw) * book.size).astype(np.int64)
        found[open_] = book[place]
        accepted = luck(root, number[open_], draw + 1) < weight(found[open_], number[open_])
        open_, draw = open_[~accepted], draw + 2
    return found


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
    joined, leaves = _spells(p, calendar.days, size, rng)
    left = first_day_without(leaves)
    book = np.repeat(np.arange(size, dtype=np.int32), places)
    lift = bill_lift(p, calendar)
    return Population(tier, province, prefecture, bill, joined, left, leaves, places, book, lift)


def _by_share(shares: list[float], size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    edges = np.cumsum(shares) / np.sum(shares)
    return np.searchsorted(edges[:-1], rng.random(size), side="right").astype(np.uint8)


def first_day_without(leaves: NDArray[np.floating[Any]]) -> NDArray[np.int32]:
    """The day on which a customer is no longer one, for the moment of leaving in days."""
    return np.floor(leaves).astype(np.int32) + 1


def _spells(
    parameters: CentreParameters, days: int, size: int, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """First day and moment of leaving: as many join as leave, and growth on top.

    Leaving is a chance of every day alike, so those who are there at the start are like any.
    """
    yearly = max(parameters.customer_turnover, 1e-9)
    grows = np.log1p(parameters.customer_growth) / 365
    before = -np.ceil(rng.standard_exponential(size) * 365 / max(yearly, 0.05))
    # Customers who join for each one who is there on the first day.
    grown = np.expm1(grows * days)
    joining = grown + yearly / 365 * (grown / grows if grows > 0 else days)
    new = rng.random(size) < joining / (1 + joining)
    place = rng.random(size)
    place = np.log1p(place * grown) / grows if grows > 0 else place * days
    joined = np.where(new, np.minimum(np.floor(place), days - 1), np.maximum(before, -9000))
    stays = rng.standard_exponential(size) * 365 / yearly
    leaves = np.minimum(np.maximum(joined, 0) + stays, _FOR_EVER)
    return joined.astype(np.int32), leaves.astype(np.float32)
