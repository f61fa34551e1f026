"""Tiers of callers who share agents: whoever stands higher is answered first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.queueing.door import Array, real
from ccanalytics.queueing.erlang import erlang_c
from ccanalytics.queueing.search import least_whole
from ccanalytics.results import Result
from ccanalytics.servicelevel import ServiceLevel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["PriorityPerformance", "PriorityQueue"]

_MOST_AGENTS = 10_000_000
_ROUNDING = 1e-12
# Euler summation: terms before the averaging, terms averaged, and the discretisation's digits.
_TERMS, _AVERAGED, _DIGITS = 38, 11, 18.4


class PriorityQueue:
    r"""Tiers of patient callers before one group of agents, a call in progress never interrupted.

    With C Erlang's chance that every agent is busy, and σₖ the load of tiers 1 … k over the agents,
    the mean wait of tier k is

    Wₖ = C·(aht/n) / ((1 − σₖ₋₁)(1 − σₖ))   (Cobham),

    and the wait of those who wait has the transform (1 − σₖ)·n/aht / ((1 − σₖ)·n/aht + z), where
    z = s + Λ(1 − β(s)), Λ is the rate of the tiers above and β the transform of the time until n
    busy agents have worked off one call and all from above that come meanwhile. Handle times are
    exponential with one mean for all tiers, which is what makes this exact.

    Parameters
    ----------
    calls
        Calls per interval of each tier, the first answered first: a list, or a mapping from names.
    per
        Length of the interval in seconds.
    aht
        Average handle time in seconds, the same for all tiers.

    Raises
    ------
    InputError
        No tier, or a number that is not finite or out of its range.

    References
    ----------
    A. Cobham, Priority assignment in waiting line problems, Operations Research 2 (1954), 70–76;
    O. Kella and U. Yechiali, Waiting times in the non-preemptive priority M/M/c queue, Stochastic
    Models 1 (1985), 257–262.

    Examples
    --------
    >>> tiers = PriorityQueue({"gold": 30, "plain": 70}, per=1800, aht=180)
    >>> found = tiers.performance(agents=14)
    >>> found.mean_wait.round(5)
    array([2.84943, 9.97301])
    >>> found.service_level(ServiceLevel(0.8, within=20)).round(4)
    array([0.9487, 0.8827])
    """

    def __init__(
        self, calls: Sequence[float] | Mapping[str, float] | Any, per: float, aht: float
    ) -> None:
        named = dict(calls) if isinstance(calls, Mapping) else None
        numbers = real("calls", calls if named is None else list(named.values()), least=0)
        if numbers.ndim != 1 or not numbers.size:
            raise InputError(
                "calls are one number per tier", f"calls={calls!r}", "such as [30, 70]"
            )
        self.tiers = (
            tuple(str(name) for name in named)
            if named is not None
            else tuple(f"tier {k}" for k in range(1, numbers.size + 1))
        )
        self.calls = numbers
        self.per = _scalar("per", per)
        self.aht = _scalar("aht", aht)
        self.load = numbers * (self.aht / self.per)
        self.inputs = {"calls": calls, "per": per, "aht": aht}

    def __repr__(self) -> str:
        return f"PriorityQueue({', '.join(f'{k}={v!r}' for k, v in self.inputs.items())})"

    def performance(self, agents: int) -> PriorityPerformance:
        """Steady state with so many agents.

        Where the load reaches the agents there is no steady state for the lowest tiers: they wait
        for ever, and the tiers above them find every agent busy.

        Parameters
        ----------
        agents
            Whole, 1 or more.
        """
        n = _agents(agents)
        return PriorityPerformance(
            inputs={**self.inputs, "agents": agents},
            tiers=self.tiers,
            calls=self.calls,
            agents=int(n),
            wait_probability=float(erlang_c(self.load.sum(), n)),
            _rate=n / self.aht,
            _above=np.concatenate([[0.0], np.cumsum(self.load)]) / n,
        )

    def agents_for(self, goals: ServiceLevel | Sequence[ServiceLevel | None]) -> int:
        """Least agents with which every tier is served at last, and meets its goal.

        Parameters
        ----------
        goals
            One goal for all tiers, or one for each; None for a tier without a promise.

        Raises
        ------
        InputError
            Another number of goals than of tiers.
        DataError
            A goal that no number of agents reaches.
        """
        wanted = self._goals(goals)
        asked = [(k, g) for k, g in enumerate(wanted) if g is not None and self.calls[k] > 0]
        load = float(self.load.sum())

        def score(_: Any, agents: Array) -> Array:
            found = self.performance(int(agents[0]))
            short = [g.share - found.within(g.within)[k] - _ROUNDING for k, g in asked]
            return np.array([max(short, default=-1.0)])

        # With no more agents than erlangs the lowest tier waits for ever.
        failing, width = np.floor([load]), np.sqrt([load + 1])
        most = np.array([float(_MOST_AGENTS)])
        found, _, _ = least_whole(score, failing + width, failing, 4 * width, most)
        if np.isinf(found[0]):
            raise DataError(
                "no number of agents reaches this goal", f"goals={goals!r}", "ask for less"
            )
        return int(found[0])

    def _goals(self, goals: Any) -> list[ServiceLevel | None]:
        if isinstance(goals, ServiceLevel):
            return [goals] * len(self.tiers)
        wanted = list(goals) if isinstance(goals, (list, tuple)) else [goals]
        if len(wanted) != len(self.tiers) or not all(
            goal is None or isinstance(goal, ServiceLevel) for goal in wanted
        ):
            raise InputError(
                "one goal for all tiers, or one for each (None: no promise)",
                f"{len(self.tiers)} tiers, goals={goals!r}",
                "such as [ServiceLevel(0.9, 20), None]",
            )
        return wanted


@dataclass(frozen=True, eq=False, kw_only=True)
class PriorityPerformance(Result):
    """Steady state of a :class:`PriorityQueue`; every measure has one number per tier.

    Attributes
    ----------
    wait_probability
        Share of calls that find every agent busy, the same for all tiers.
    """

    tiers: tuple[str, ...]
    calls: Array
    agents: int
    wait_probability: float
    _rate: float
    _above: Array

    @property
    def occupancy(self) -> float:
        """Share of their time that agents are busy."""
        return float(min(self._above[-1], 1.0))

    @property
    def mean_wait(self) -> Array:
        """Mean wait in seconds; callers are patient, so it is the ASA as well."""
        before, own = 1 - self._above[:-1], 1 - self._above[1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            wait = self.wait_probability / self._rate / (before * own)
        return np.where(own > 0, wait, np.inf)

    def within(self, seconds: float) -> Array:
        """Share of calls answered within so many seconds.

        The transform is inverted by Euler summation (Abate and Whitt 1995), to about 1e-8.
        """
        t = float(real("seconds", seconds, least=0))
        tail = np.array([self._tail(k, t) for k in range(len(self.tiers))])
        return 1 - self.wait_probability * tail

    def _tail(self, tier: int, t: float) -> float:
        """Chance that a caller of a tier who waits does so for longer than ``t``."""
        above, own = float(self._above[tier]), 1 - float(self._above[tier + 1])
        if own <= 0:
            return 1.0
        rate = self._rate
        if t == 0 or above == 0:
            return float(np.exp(-own * rate * t))
        faster = above * rate

        def transform(s: Any) -> Any:
            both = rate + s + faster
            worked_off = 2 * rate / (both + np.sqrt(both * both - 4 * faster * rate))
            z = s + faster * (1 - worked_off)
            return z / (own * rate + z) / s

        return _inverted(transform, t)

    def service_level(self, goal: ServiceLevel) -> Array:
        """Share answered in time; nobody gives up, so that all countings agree."""
        if not isinstance(goal, ServiceLevel):
            raise InputError(
                "the goal must be a ServiceLevel", f"goal={goal!r}", "ServiceLevel(0.80, within=20)"
            )
        return self.within(goal.within)

    def to_frame(self) -> pl.DataFrame:
        """One row per tier."""
        import polars as pl

        return pl.DataFrame(
            {
                "tier": self.tiers,
                "calls": self.calls,
                "wait_probability": [self.wait_probability] * len(self.tiers),
                "mean_wait": self.mean_wait,
            }
        )

    def summary(self) -> str:
        """Waits of the tiers in words, and the model."""
        told = ", ".join(
            f"{name} {wait:,.1f} s" if np.isfinite(wait) else f"{name} without end"
            for name, wait in zip(self.tiers, self.mean_wait, strict=True)
        )
        return (
            f"With {self.agents:,} agents, {self.wait_probability:.1%} of calls find every agent "
            f"busy; the mean wait is: {told}. Model: priorities without interruption (Cobham), "
            "patient callers, exponential handle times of one mean, steady state."
        )


def _inverted(transform: Any, t: float) -> float:
    """A function of time from its Laplace transform."""
    k = np.arange(_TERMS + _AVERAGED + 1)
    s = (_DIGITS + 2j * np.pi * k) / (2 * t)
    terms = np.real(transform(s)) * np.where(k % 2, -1.0, 1.0)
    terms[0] /= 2
    sums = np.cumsum(terms)[_TERMS:]
    from scipy.special import binom

    weights = binom(_AVERAGED, np.arange(_AVERAGED + 1)) / 2.0**_AVERAGED
    value = float(np.exp(_DIGITS / 2) / t * (weights @ sums))
    return min(max(value, 0.0), 1.0)


def _scalar(name: str, value: Any) -> float:
    array = real(name, value, above=0)
    if array.ndim:
        raise InputError("one number for all tiers", f"{name}={value!r}", "give a scalar")
    return float(array)


def _agents(value: Any) -> float:
    array = real("agents", value, least=1, most=_MOST_AGENTS, whole=True)
    if array.ndim:
        raise InputError("one number of agents at a time", f"agents={value!r}", "give a scalar")
    return float(array)
