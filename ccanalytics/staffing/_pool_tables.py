"""One pool of clients: what every number of agents brings and costs, interval by interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.staffing._chance import mark_variances, missed, shortfall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing.contracts import Contract

    Floats = NDArray[np.float64]
    Wholes = NDArray[np.int64]

__all__ = ["Moments", "PoolTables", "Portfolio"]

_NODES = 7  # volumes of a day that stand for all, where volumes are uncertain
_REACH = 5.0  # root-erlangs above the load up to which agents are looked at


@dataclass(frozen=True, eq=False)
class Portfolio:
    """Calls and work of every client (rows) in every interval (columns), and what holds for all.

    ``day`` numbers the local day of every interval; ``price`` is that of an hour seated, shrinkage
    included; ``premium`` the share by which an hour of a shared seat costs more; ``keep`` the
    chance with which every contract must be kept.
    """

    names: list[str]
    contracts: Sequence[Contract]
    per: Floats
    calls: Floats
    work: Floats
    day: Wholes
    patience: Any
    max_occupancy: float | None
    goal: ServiceLevel | None
    price: float
    premium: float
    cv: float
    keep: float = 0.0

    @property
    def days(self) -> int:
        """Number of days."""
        return int(self.day[-1]) + 1

    def nodes(self) -> Floats:
        """Volumes that stand for all, as factors of the mean: quantiles of a gamma law."""
        if not self.cv:
            return np.ones(1)
        from scipy.stats import gamma

        at = gamma.ppf((np.arange(_NODES) + 0.5) / _NODES, self.cv**-2, scale=self.cv**2)
        spread = (at - at.mean()) / at.std() * self.cv
        return np.asarray(np.maximum(1 + spread, 0.01), float)


@dataclass(frozen=True, eq=False)
class Moments:
    """Of one client, by node, interval and number of agents.

    ``surplus`` is the mean of calls served in time less the share promised of all, ``variance`` its
    variance; ``bill`` what the client pays and ``level`` the service level, means over the nodes.
    """

    surplus: Floats
    variance: Floats
    bill: Floats
    level: Floats


class PoolTables:
    """Numbers of agents from ``first`` on (columns of every table), by interval (rows)."""

    def __init__(self, portfolio: Portfolio, members: Sequence[int]) -> None:
        self.portfolio, self.members = portfolio, list(members)
        self.calls = portfolio.calls[self.members].sum(axis=0)
        work = portfolio.work[self.members].sum(axis=0)
        self.per, self.day = portfolio.per, portfolio.day
        with np.errstate(invalid="ignore", divide="ignore"):
            self.aht = np.where(self.calls > 0, work / self.calls, 1.0)
        self.load = self.calls * self.aht / self.per
        self.first, self.width = self._range()
        self.agents = self.first[:, None] + np.arange(self.width)
        self.price = portfolio.price * (1 + portfolio.premium * (len(self.members) > 1))
        self.cost = self.agents * (self.per / 3600)[:, None] * self.price
        self.busy = np.zeros(self.agents.shape)
        self.clients = self._moments()

    def _range(self) -> tuple[Wholes, int]:
        """Least agents of every interval, and how many numbers from there on are looked at."""
        from ccanalytics.queueing import Queue

        portfolio, some = self.portfolio, self.calls > 0
        least = np.zeros(self.calls.shape, np.int64)
        if some.any():
            queue = Queue(
                self.calls[some], self.per[some], self.aht[some], patience=portfolio.patience
            )
            own = (
                np.floor(self.load[some]).astype(np.int64) + 1
                if portfolio.patience is None
                else np.maximum(np.floor(self.load[some] - 3 * np.sqrt(self.load[some])), 1)
            )
            if portfolio.goal is not None or portfolio.max_occupancy is not None:
                bound = queue.agents_for(portfolio.goal, max_occupancy=portfolio.max_occupancy)
                own = np.maximum(own, bound)
            least[some] = own
        most = np.where(some, np.ceil(self.load + _REACH * np.sqrt(self.load)) + 4, 0)
        return least, int(np.maximum(most - least, 2).max()) + 1

    def _moments(self) -> list[Moments]:
        from ccanalytics.queueing import Queue

        portfolio, nodes = self.portfolio, self.portfolio.nodes()
        contracts = [portfolio.contracts[member] for member in self.members]
        shape = (nodes.size, *self.agents.shape)
        surplus, variance = np.zeros((2, len(contracts), *shape))
        level, answered = np.ones((len(contracts), *shape)), np.ones(shape)
        some = np.flatnonzero(self.calls > 0)
        cells = np.broadcast_to(self.agents[some], (some.size, self.width))
        for k, factor in enumerate(nodes):
            if not some.size:
                break
            calls, per, aht = (
                np.broadcast_to(each[some, None], cells.shape)
                for each in (factor * self.calls, self.per, self.aht)
            )
            found = Queue(calls, per, aht, patience=portfolio.patience).performance(cells)
            lost = np.zeros(cells.shape)
            if portfolio.patience is not None:
                lost = np.nan_to_num(np.asarray(found.abandonment))
            answered[k][some] = 1 - lost
            self.busy[some] += (
                np.nan_to_num(np.asarray(found.occupancy), nan=1.0) * cells / nodes.size
            )
            served = [np.nan_to_num(np.asarray(found.service_level(c.goal))) for c in contracts]
            noise = self._noise(found, contracts, calls / per, aht, cells)
            for number, (member, contract) in enumerate(zip(self.members, contracts, strict=True)):
                own = factor * portfolio.calls[member][some, None]
                share = own / calls
                base = own * (1 - lost) if contract.goal.counting == "answered" else own
                short = served[number] - contract.goal.share
                surplus[number, k][some] = base * short
                # A client's calls are a thinned stream: of the whole pool's noise it meets the
                # part that moves all, by its share squared, and its own luck with single calls.
                level_now = served[number]
                luck = (
                    own
                    * (1 - share)
                    * (
                        level_now * (1 - contract.goal.share) ** 2
                        + (1 - level_now) * contract.goal.share**2
                    )
                )
                variance[number, k][some] = share**2 * noise[number] * per + luck
                level[number, k][some] = level_now
        return [
            Moments(
                surplus[number],
                variance[number],
                self._bill(member, contract, nodes, answered),
                level[number].mean(axis=0),
            )
            for number, (member, contract) in enumerate(zip(self.members, contracts, strict=True))
        ]

    def _noise(
        self, found: Any, contracts: Sequence[Contract], rate: Floats, aht: Floats, cells: Wholes
    ) -> list[Floats]:
        """Variance of the pool's surplus per second, for the promise of every client."""
        noise = [np.zeros(cells.shape) for _ in contracts]
        if not self.portfolio.keep and not any(c.penalised for c in contracts):
            return noise
        leaving = np.zeros(cells.shape)
        if self.portfolio.patience is not None:
            length = np.nan_to_num(np.asarray(found.queue_length))
            lost = np.nan_to_num(np.asarray(found.abandonment))
            np.divide(rate * lost, length, out=leaving, where=(length > 0) & (lost > 0))
        some = cells > 0
        for within in {contract.goal.within for contract in contracts}:
            which = [k for k, contract in enumerate(contracts) if contract.goal.within == within]
            targets = [contracts[k].goal.share for k in which]
            own = mark_variances(rate[some], aht[some], cells[some], within, leaving[some], targets)
            for column, k in enumerate(which):
                noise[k][some] = own[:, column]
        return noise

    def _bill(self, member: int, contract: Contract, nodes: Floats, answered: Floats) -> Floats:
        """What a client pays, by interval and number of agents."""
        portfolio = self.portfolio
        calls, work = portfolio.calls[member], portfolio.work[member]
        paid = (contract.price_per_call * calls + contract.price_per_minute * work / 60)[:, None]
        share = np.tensordot(nodes, answered, axes=1) / nodes.size
        seats = contract.price_per_seat_hour * contract.seats * self.per / 3600
        return np.asarray(paid * share + seats[:, None], float)


def expected_penalty(
    contract: Contract,
    surplus: Floats,
    variance: Floats,
    calls: Floats,
    bill: Floats,
    keep: float = 0.0,
    fine: float = 0.0,
) -> Floats:
    """Expected loss of one window, by nodes on the first axis; a mean over them.

    With ``keep`` a chance to miss above 1 − ``keep`` costs a ``fine`` besides, which no plan that
    can do otherwise would pay.
    """
    chance = missed(surplus, variance).mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        points = np.where(calls > 0, 100 * shortfall(surplus, variance) / calls, 0.0)
    lost = chance * (contract.penalty + contract.penalty_share * bill)
    lost = lost + fine * np.maximum(chance - (1 - keep), 0.0)
    return np.asarray(lost + contract.penalty_per_point * points.mean(axis=0), float)
