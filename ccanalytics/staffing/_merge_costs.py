"""What any pool of sites takes, computed once each; and the best way among all of them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ccanalytics.staffing._seats import Rules
    from ccanalytics.staffing._site_demand import Sites

    Floats = NDArray[np.float64]
    Pool = tuple[int, ...]

__all__ = ["MergeCosts", "best_partitions"]

_CELLS = 4_000_000  # numbers held at once


class MergeCosts:
    """Agent-hours, scheduled hours and seats of pools, named by the numbers of their sites."""

    def __init__(self, sites: Sites, own: Floats, rules: Rules) -> None:
        self._sites, self._own, self._rules = sites, own, rules
        self._hours = sites.per / 3600
        self._load = sites.work / sites.per
        self.known: dict[Pool, Floats] = {}

    def compute(self, pools: Iterable[Pool]) -> None:
        """See to it that these pools are known."""
        new = list(dict.fromkeys(pool for pool in pools if pool not in self.known))
        size = max(1, _CELLS // max(self._hours.size, 1))
        for begin in range(0, len(new), size):
            part = new[begin : begin + size]
            members = np.zeros((len(part), self._own.size))
            for row, pool in enumerate(part):
                # Alone, a site answers all its calls with the same agents, bound or not.
                members[row, list(pool)] = 1 - self._own[list(pool)] if len(pool) > 1 else 1.0
            totals = self._totals(members)
            for row, pool in enumerate(part):
                bound = self._bound[list(pool)].sum(axis=0) if len(pool) > 1 else 0.0
                self.known[pool] = totals[row] + bound

    def total(self, pools: Iterable[Pool]) -> Floats:
        """Add up pools that are known."""
        return np.sum([self.known[pool] for pool in pools], axis=0)

    def law(self, pool: Pool, others: Sequence[Pool]) -> list[float]:
        """Root-erlang-hours that a merge with each of the others saves: √R₁ + √R₂ − √(R₁ + R₂)."""
        if not others:
            return []
        own = self._load[list(pool)].sum(axis=0)
        gains: list[float] = []
        size = max(1, _CELLS // own.size)
        for begin in range(0, len(others), size):
            part = others[begin : begin + size]
            if all(len(other) == 1 for other in part):
                theirs = self._load[[other[0] for other in part]]
            else:
                theirs = np.stack([self._load[list(other)].sum(axis=0) for other in part])
            gain = np.sqrt(theirs) + np.sqrt(own) - np.sqrt(theirs + own)
            gains += (gain @ self._hours).tolist()
        return gains

    @cached_property
    def _bound(self) -> Floats:
        """What the bound calls of every site take by themselves."""
        return self._totals(np.diag(self._own))

    def _totals(self, members: Floats) -> Floats:
        calls, aht = self._sites.joined(members)
        agents = self._rules.agents_for(calls, np.broadcast_to(self._sites.per, calls.shape), aht)
        scheduled = self._rules.scheduled(agents)
        empty = members.sum(axis=1) == 0  # no one is bound here, or all are: no such pool
        totals = np.column_stack(
            [agents @ self._hours, scheduled @ self._hours, agents.max(axis=1).astype(float)]
        )
        totals[empty] = 0.0
        return totals


def best_partitions(
    costs: MergeCosts, group: Sequence[str | None], column: int
) -> dict[int, float]:
    """Least that every number of pools can take: dynamic programming over subsets of sites."""
    n = len(group)
    pool_of = {mask: tuple(k for k in range(n) if mask >> k & 1) for mask in range(1, 2**n)}
    allowed = {mask: pool for mask, pool in pool_of.items() if len({group[k] for k in pool}) == 1}
    costs.compute(allowed.values())
    price = {mask: float(costs.known[pool][column]) for mask, pool in allowed.items()}
    best: dict[int, dict[int, float]] = {0: {0: 0.0}}
    for mask in range(1, 2**n):
        found: dict[int, float] = {}
        lowest = mask & -mask
        part = mask
        while part:
            if part & lowest and part in price:
                for pools, rest in best[mask ^ part].items():
                    total = price[part] + rest
                    if total < found.get(pools + 1, np.inf):
                        found[pools + 1] = total
            part = (part - 1) & mask
        best[mask] = found
    return best[2**n - 1]
