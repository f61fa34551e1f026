"""Tiers: what a promise to one tier of customers costs the others, by formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.queueing import PriorityQueue, Queue
from ccanalytics.results import Check, Result
from ccanalytics.servicelevel import ServiceLevel
from ccanalytics.staffing._seats import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

__all__ = ["TierPromise", "tier_promise"]

_SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True, eq=False, kw_only=True)
class TierPromise(Result):
    """Waits of the tiers with and without priorities.

    Attributes
    ----------
    by_agents
        Per number of agents and tier: ``agents``, ``tier``, ``calls``, ``service_level`` and
        ``mean_wait_s`` (s) with priorities, ``service_level_alike`` and ``mean_wait_alike_s`` where
        all are served in their order.
    by_share
        The same with the agents asked for, while the first tier's share of the calls moves:
        ``first_share``, ``tier``, ``service_level``, ``mean_wait_s``.
    agents
        Agents at which the rest is read.
    agents_alike
        Least agents that keep the first tier's promise to everybody, without priorities.
    agents_first
        Least agents that keep it to the first tier alone, with priorities.
    """

    by_agents: pl.DataFrame
    by_share: pl.DataFrame
    agents: int
    agents_alike: int
    agents_first: int

    def at_agents(self) -> pl.DataFrame:
        """The rows of the agents asked for, one per tier."""
        return self.by_agents.filter(self.by_agents["agents"] == self.agents)

    def summary(self) -> str:
        """What the promise brings the first tier, costs the last, and saves in agents."""
        rows = self.at_agents().to_dicts()
        first, last = rows[0], rows[-1]
        saved = self.agents_alike - self.agents_first
        return (
            f"With {counted(self.agents, 'agent')}, answering {first['tier']} first raises its "
            f"service level from {first['service_level_alike']:.1%} to {first['service_level']:.1%}"
            f" and takes that of {last['tier']} from {last['service_level_alike']:.1%} to "
            f"{last['service_level']:.1%} (mean wait {_wait(last['mean_wait_alike_s'])} to "
            f"{_wait(last['mean_wait_s'])}). Keeping the promise ({self.inputs['goal']}) to "
            f"{first['tier']} alone takes {counted(self.agents_first, 'agent')}, to everybody "
            f"{self.agents_alike:,}: {counted(saved, 'agent') if saved else 'no agent'} fewer"
            + (", paid for by the waits of the others" if saved else "")
            + ". Priorities without interruption (Cobham), patient callers, exponential handle "
            "times of one mean, steady state."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the waits by number of agents."""
        return self.by_agents


def _wait(seconds: float) -> str:
    return f"{seconds:,.1f} s" if np.isfinite(seconds) else "without end"


def tier_promise(
    calls: Mapping[str, float] | Sequence[float],
    per: float,
    aht: float,
    goal: ServiceLevel,
    *,
    agents: int | None = None,
) -> TierPromise:
    """Show what answering one tier first brings it, and costs the tiers below.

    Parameters
    ----------
    calls, per, aht
        As for :class:`~ccanalytics.queueing.PriorityQueue`: calls per interval by tier, the first
        answered first; length of the interval and handle time in seconds.
    goal
        What is promised to the first tier.
    agents
        Agents at which the answer is read; None takes the least that keep the promise to everybody
        without priorities.

    Returns
    -------
    TierPromise

    Raises
    ------
    InputError
        Fewer than two tiers with calls, or a number out of its range.

    Notes
    -----
    Work is conserved: the call-weighted mean wait is the same with and without priorities. What
    one tier gains the others pay, second for second.

    Examples
    --------
    >>> found = tier_promise({"gold": 30, "plain": 70}, 1800, 180, ServiceLevel(0.9, within=20))
    >>> found.agents, found.agents_first
    (15, 13)
    >>> found.at_agents()["mean_wait_s"].round(2).to_list()
    [1.53, 4.59]
    """
    import polars as pl

    if not isinstance(goal, ServiceLevel):
        raise InputError(
            "the goal must be a ServiceLevel", f"goal={goal!r}", "ServiceLevel(0.9, within=20)"
        )
    queue = PriorityQueue(calls, per, aht)
    if len(queue.tiers) < 2 or (queue.calls > 0).sum() < 2:
        raise InputError(
            "a promise to one tier needs another tier with calls", f"calls={calls!r}",
            "give two tiers or more",
        )  # fmt: skip
    total = float(queue.calls.sum())
    one = Queue(total, per, aht)
    alike = int(one.agents_for(goal))
    first = queue.agents_for([goal, *[None] * (len(queue.tiers) - 1)])
    asked = alike if agents is None else queue.performance(agents).agents
    least = int(np.floor(queue.load.sum())) + 1
    span = range(least, max(alike, asked) + max(3, round(np.sqrt(queue.load.sum()))))
    by_agents = pl.concat(
        _rows(queue, n, goal, one).select(pl.lit(n).alias("agents"), pl.all())
        for n in sorted({*span, asked})
    )
    rest = queue.calls[1:] / queue.calls[1:].sum()
    by_share = pl.concat(
        _rows(
            PriorityQueue(
                dict(zip(queue.tiers, total * np.r_[share, (1 - share) * rest], strict=True)),
                per, aht,
            ),
            asked, goal, one,
        ).select(pl.lit(share).alias("first_share"), "tier", "service_level", "mean_wait_s")
        for share in sorted({*_SHARES, float(queue.calls[0] / total)})
    )  # fmt: skip
    return TierPromise(
        by_agents=by_agents,
        by_share=by_share,
        agents=asked,
        agents_alike=alike,
        agents_first=first,
        inputs={"calls": calls, "per": per, "aht": aht, "goal": goal.describe(), "agents": agents},
        checks=_checks(queue, asked),
    )


def _rows(queue: PriorityQueue, agents: int, goal: ServiceLevel, one: Queue) -> pl.DataFrame:
    """Every tier with so many agents, beside one queue for all."""
    import polars as pl

    found, alike = queue.performance(agents), one.performance(agents)
    stable = agents > queue.load.sum()
    return pl.DataFrame(
        {
            "tier": queue.tiers,
            "calls": queue.calls,
            "service_level": found.service_level(goal),
            "mean_wait_s": found.mean_wait,
            "service_level_alike": [float(alike.service_level(goal)) if stable else 0.0]
            * len(queue.tiers),
            "mean_wait_alike_s": [float(alike.mean_wait) if stable else np.inf] * len(queue.tiers),
        }
    )


def _checks(queue: PriorityQueue, agents: int) -> tuple[Check, ...]:
    load = float(queue.load.sum())
    patient = Check(
        "Patience",
        "informs",
        "nobody gives up in this formula; where callers do, the waits of the lower tiers are "
        "shorter than said, because more of them leave (simulate tells)",
    )
    if agents <= load:
        words = (
            f"{counted(agents, 'agent')} for {load:,.1f} erlangs: the lowest tier waits for ever"
        )
        return (Check("Steady state", "fails", words), patient)
    return (patient,)
