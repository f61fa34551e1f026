"""The staff of one pool with the greatest expected profit, and the frontier on the way there.

Intervals meet only in the windows of contracts. Paying ever more for a call served in time gives,
interval by interval, the plans of the frontier (Everett 1963, Generalized Lagrange multipliers,
Operations Research 11, 399–417). From the best of them single agents, and pairs of agents, are
moved as long as the profit grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.staffing._pool_tables import expected_penalty

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.staffing._pool_tables import PoolTables
    from ccanalytics.staffing.contracts import Contract

    Floats = NDArray[np.float64]
    Wholes = NDArray[np.int64]

__all__ = ["Outcome", "best_staff", "frontier", "outcome"]

_PRICES = 40  # of a call served in time, tried one after another
_STARTS = 3
_PAIRS = 64  # intervals up to which pairs of agents are moved
_MOVES = 20_000


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a staffing of one pool brings: money in all, and by client."""

    agents: Wholes
    cost: float
    bills: Floats
    penalties: Floats
    missed: Floats
    levels: Floats
    busy_hours: float
    hours: float
    fine: float = 0.0

    @property
    def score(self) -> float:
        """Profit less a fine that keeps the search from promises that must not be missed."""
        return self.profit - self.fine

    @property
    def profit(self) -> float:
        """Bills less cost and expected penalties."""
        return float(self.bills.sum() - self.penalties.sum() - self.cost)


class _Client:
    """Windows of one client: their sums at a place, and their penalty."""

    def __init__(self, pool: PoolTables, number: int) -> None:
        member = pool.members[number]
        self.contract: Contract = pool.portfolio.contracts[member]
        self.calls, self.day = pool.portfolio.calls[member], pool.day
        self.moments = pool.clients[number]
        self.days = pool.portfolio.days
        self.length = self.contract.window_days
        self.keep = pool.portfolio.keep
        # More than any staff costs: the search never buys a missed promise.
        self.fine = 100 * float(pool.cost.max(axis=1).sum()) if self.keep else 0.0
        self.matters = self.contract.penalised or bool(self.keep)

    def spread(self, places: Wholes) -> tuple[Floats, Floats, Floats]:
        """Surplus, variance and bill of every interval at its place."""
        rows = np.arange(places.size)
        it = self.moments
        return it.surplus[:, rows, places], it.variance[:, rows, places], it.bill[rows, places]

    def windows(self, surplus: Floats, variance: Floats, bill: Floats) -> tuple[Floats, ...]:
        """Add intervals up to windows: surplus and variance by node, bill, calls, how many."""
        if self.length == 0:
            some = self.calls > 0
            return (surplus[:, some], variance[:, some], bill[some], self.calls[some],
                    np.ones(int(some.sum())))  # fmt: skip

        def by_day(values: Floats) -> Floats:
            total = np.zeros((*values.shape[:-1], self.days))
            np.add.at(total.T, self.day, values.T)
            return total

        s, v, b, c = by_day(surplus), by_day(variance), by_day(bill), by_day(self.calls)
        if self.length == 1:
            some = c > 0
            return s[:, some], v[:, some], b[some], c[some], np.ones(int(some.sum()))
        # The days given stand for all: a window holds so many of them, each of a volume of its own.
        scale = self.length / self.days
        mean = s.mean(axis=0).sum() * scale
        spread = (v.mean(axis=0) + s.var(axis=0)).sum() * scale
        one = np.ones((1, 1))
        return (mean * one, spread * one, np.array([b.sum() * scale]),
                np.array([c.sum() * scale]), np.array([1 / scale]))  # fmt: skip

    def penalty(self, places: Wholes) -> tuple[float, float, float]:
        """Expected penalty over the span, chance that a window is missed, and the fine for it."""
        from ccanalytics.staffing._chance import missed

        s, v, b, c, many = self.windows(*self.spread(places))
        loss = expected_penalty(self.contract, s, v, c, b)
        chance = missed(s, v).mean(axis=0)
        over = self.fine * np.maximum(chance - (1 - self.keep), 0.0)
        share = float(chance @ many / many.sum()) if many.size else 0.0
        return float(loss @ many), share, float(over @ many)

    def separable(self) -> Floats | None:
        """Penalty by interval and place, where every interval is a window of its own."""
        if self.length or not self.matters:
            return None
        it = self.moments
        calls = np.broadcast_to(self.calls[:, None], it.bill.shape)
        loss = expected_penalty(
            self.contract, it.surplus, it.variance, calls, it.bill, self.keep, self.fine
        )
        return np.where(calls > 0, loss, 0.0)


def outcome(pool: PoolTables, places: Wholes) -> Outcome:
    """What the pool brings with these numbers of agents."""
    rows = np.arange(places.size)
    clients = [_Client(pool, number) for number in range(len(pool.members))]
    losses = [client.penalty(places) for client in clients]
    hours = pool.per / 3600
    return Outcome(
        agents=pool.agents[rows, places],
        cost=float(pool.cost[rows, places].sum()),
        bills=np.array([client.moments.bill[rows, places].sum() for client in clients]),
        penalties=np.array([loss for loss, _, _ in losses]),
        missed=np.array([chance for _, chance, _ in losses]),
        fine=float(sum(fine for _, _, fine in losses)),
        levels=np.array(
            [
                client.moments.level[rows, places] @ client.calls / client.calls.sum()
                for client in clients
            ]
        ),
        busy_hours=float(pool.busy[rows, places] @ hours),
        hours=float(pool.agents[rows, places] @ hours),
    )


def frontier(pool: PoolTables) -> list[Wholes]:
    """Plans of the frontier, from the cheapest to nearly perfect service, one per price."""
    plain = _separable(pool)
    served = sum(
        (
            client.moments.level * client.calls[:, None]
            for client in (_Client(pool, number) for number in range(len(pool.members)))
        ),
        start=np.zeros(pool.cost.shape),
    )
    # From nothing to where even the last call of the last interval is worth a seat.
    seat = pool.portfolio.price * float(pool.per.max()) / 3600
    prices = [0.0, *np.geomspace(1e-4 * seat, 1e3 * seat, _PRICES)]
    return [np.argmax(plain + price * served, axis=1) for price in prices]


def _separable(pool: PoolTables) -> Floats:
    """Money by interval and number of agents, but for windows longer than an interval."""
    money = -pool.cost
    for number in range(len(pool.members)):
        client = _Client(pool, number)
        money = money + client.moments.bill
        own = client.separable()
        if own is not None:
            money = money - own
    return np.asarray(money, float)


def best_staff(pool: PoolTables) -> tuple[Outcome, list[Outcome]]:
    """The most profitable plan that was found, and the frontier."""
    plans = frontier(pool)
    known = [outcome(pool, plan) for plan in plans]
    order = sorted(range(len(plans)), key=lambda k: -known[k].score)
    linked = [
        client
        for client in (_Client(pool, number) for number in range(len(pool.members)))
        if client.length and client.matters
    ]
    if not linked:
        return known[order[0]], known
    plain = _separable(pool)
    found = [outcome(pool, _climbed(pool, linked, plain, plans[k].copy())) for k in order[:_STARTS]]
    return max(found, key=lambda one: one.score), known


def _climbed(pool: PoolTables, linked: list[_Client], plain: Floats, places: Wholes) -> Wholes:
    """Move agents one by one, and in pairs, as long as profit grows."""
    rows = np.arange(places.size)
    for _ in range(_MOVES):
        moves = [(row, step) for step in (-1, 1) for row in rows
                 if 0 <= places[row] + step < pool.width]  # fmt: skip
        at = np.array([row for row, _ in moves])
        to = places[at] + np.array([step for _, step in moves])
        change = plain[at, to] - plain[at, places[at]]
        gains = change - sum(_differences(client, places, at, to) for client in linked)
        best = int(np.argmax(gains))
        if gains[best] > 1e-9:
            places[at[best]] = to[best]
            continue
        if places.size > _PAIRS:
            return places
        first, second = np.triu_indices(at.size, 1)
        keep = at[first] != at[second]
        if pool.portfolio.cv and any(client.length > 1 for client in linked):
            # A day's volume ties its intervals: two days would have to be followed at once.
            keep &= pool.day[at[first]] == pool.day[at[second]]
        first, second = first[keep], second[keep]
        if not first.size:
            return places
        both = change[first] + change[second]
        both = both - sum(
            _pair_differences(client, places, at, to, first, second) for client in linked
        )
        best = int(np.argmax(both))
        if both[best] <= 1e-9:
            return places
        for k in (first[best], second[best]):
            places[at[k]] = to[k]
    return places


def _differences(client: _Client, places: Wholes, at: Wholes, to: Wholes) -> Floats:
    """By how much every move changes the expected penalty."""
    own = _changes(client, places, at, to)
    return _after(client, places, at, own) - _before(client, places, at)


def _pair_differences(
    client: _Client, places: Wholes, at: Wholes, to: Wholes, first: Wholes, second: Wholes
) -> Floats:
    own = _changes(client, places, at, to)
    if client.length != 1:
        both = tuple(each[..., first] + each[..., second] for each in own)
        return _after(client, places, at[first], both) - _before(client, places, at[first])
    alone = _after(client, places, at, own) - _before(client, places, at)
    same = client.day[at[first]] == client.day[at[second]]
    found = alone[first] + alone[second]
    if same.any():
        one, two = first[same], second[same]
        both = tuple(each[..., one] + each[..., two] for each in own)
        found[same] = _after(client, places, at[one], both) - _before(client, places, at[one])
    return np.asarray(found, float)


def _changes(client: _Client, places: Wholes, at: Wholes, to: Wholes) -> tuple[Floats, ...]:
    it, now = client.moments, places[at]
    return (
        it.surplus[:, at, to] - it.surplus[:, at, now],
        it.variance[:, at, to] - it.variance[:, at, now],
        it.bill[at, to] - it.bill[at, now],
    )


def _sums(client: _Client, places: Wholes) -> tuple[Floats, Floats, Floats, Floats]:
    """Surplus and variance by node and day, bill and calls by day."""
    surplus, variance, bill = client.spread(places)
    shape = (surplus.shape[0], client.days)
    s, v = np.zeros(shape), np.zeros(shape)
    np.add.at(s.T, client.day, surplus.T)
    np.add.at(v.T, client.day, variance.T)
    b = np.bincount(client.day, bill, client.days).astype(np.float64)
    c = np.bincount(client.day, client.calls, client.days).astype(np.float64)
    return s, v, b, c


def _before(client: _Client, places: Wholes, at: Wholes) -> Floats:
    """Expected penalty of the window that every move touches, as it stands."""
    zero = np.zeros(at.size)
    nodes = client.moments.surplus.shape[0]
    return _after(client, places, at, (np.zeros((nodes, at.size)),) * 2 + (zero,))


def _after(client: _Client, places: Wholes, at: Wholes, change: tuple[Floats, ...]) -> Floats:
    """Expected penalty of that window once its sums have changed."""
    s, v, b, c = _sums(client, places)
    day = client.day[at]
    if client.length == 1:
        own = c[day] > 0
        loss = expected_penalty(
            client.contract,
            s[:, day] + change[0],
            v[:, day] + change[1],
            c[day],
            b[day] + change[2],
            client.keep,
            client.fine,
        )
        return np.where(own, loss, 0.0)
    scale = client.length / client.days
    others_s, others_v = s.mean(axis=0), v.mean(axis=0) + s.var(axis=0)
    new = s[:, day] + change[0]
    mean = others_s.sum() - others_s[day] + new.mean(axis=0)
    spread = others_v.sum() - others_v[day] + (v[:, day] + change[1]).mean(axis=0) + new.var(axis=0)
    loss = expected_penalty(
        client.contract, scale * mean[None], scale * spread[None],
        np.full(at.size, scale * c.sum()), scale * (b.sum() + change[2]),
        client.keep, client.fine,
    )  # fmt: skip
    return loss / scale
