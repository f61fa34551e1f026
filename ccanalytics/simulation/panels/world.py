"""One small world: its demand, its roll-outs, and the same world without them."""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.simulation.panels.plan import Plan, draw_plan
from ccanalytics.simulation.panels.quantile import poisson_counts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ccanalytics.simulation.panels.parameters import PanelParameters, RollOut
    from ccanalytics.simulation.panels.periods import Periods

__all__ = ["PanelWorld", "Scenario", "stream_of", "unit_sizes"]

_MOST_CALLS = 1e12


@dataclass(frozen=True, eq=False)
class Scenario:
    """What happens in a world with all, or without some, of its roll-outs.

    Attributes
    ----------
    first_rate, offered_rate
        Units × periods: expected first attempts and offered calls, given the world's shocks.
    abandonment
        Periods: share of offered calls abandoned; all units share the agents.
    first_attempts, offered
        Units × periods: calls.
    handle_mean_s
        Units × periods: mean handle time expected.
    """

    first_rate: NDArray[np.float64]
    offered_rate: NDArray[np.float64]
    abandonment: NDArray[np.float64]
    first_attempts: NDArray[np.int64]
    offered: NDArray[np.int64]
    handle_mean_s: NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class PanelWorld:
    """World number ``index`` of a seed; its random numbers depend on these two alone.

    Attributes
    ----------
    factors
        Name of a cause → its factor on the calls, broadcasting to units × periods.
    plans
        Treatment → its `Plan` in this world.
    """

    seed: int
    index: int
    parameters: PanelParameters
    periods: Periods
    units: int
    interaction: float
    factors: dict[str, NDArray[np.float64]]
    plans: dict[str, Plan]
    _seen: dict[frozenset[str], Scenario] = field(default_factory=dict, repr=False)

    @classmethod
    def draw(
        cls,
        seed: int,
        index: int,
        parameters: PanelParameters,
        periods: Periods,
        units: int,
        rollouts: tuple[RollOut, ...],
        interaction: float,
    ) -> PanelWorld:
        """Draw the causes; counts follow when they are asked for."""
        plans = {
            r.treatment: draw_plan(r, units, periods, _Named(seed, index, r.treatment))
            for r in rollouts
        }
        return cls(
            seed=seed,
            index=index,
            parameters=parameters,
            periods=periods,
            units=units,
            interaction=interaction,
            factors=_factors(parameters, periods, units, plans, _Named(seed, index, "")),
            plans=plans,
        )

    @cached_property
    def baseline(self) -> NDArray[np.float64]:
        """Units × periods: expected first attempts if nobody used any of the treatments."""
        p = self.parameters
        rate = unit_sizes(p, self.units)[:, None] * (p.calls_per_week * self.periods.days / 7)
        for factor in self.factors.values():
            rate = rate * factor
        return np.broadcast_to(rate, (self.units, len(self.periods)))

    @property
    def factual(self) -> Scenario:
        """The world as it is: the one that the panel shows."""
        return self.without(())

    def without(self, treatments: str | Iterable[str] | None = None) -> Scenario:
        """The same world, the same luck, without these roll-outs (None: without any).

        Raises
        ------
        InputError
            A treatment that is not rolled out in this world.
        """
        if treatments is None:
            treatments = self.plans
        elif isinstance(treatments, str):
            treatments = (treatments,)
        left_out = frozenset(treatments)
        for name in left_out - self.plans.keys():
            known = ", ".join(self.plans)
            raise InputError("nothing of this name is rolled out", f"{name!r}", f"one of {known}")
        if left_out not in self._seen:
            self._seen[left_out] = self._scenario(left_out)
        return self._seen[left_out]

    @cached_property
    def answered(self) -> NDArray[np.int64]:
        """Units × periods: offered calls that an agent answered."""
        offered, share = self.factual.offered, self.factual.abandonment
        abandoned = stream_of(self.seed, self.index, "abandon").binomial(offered, share[None, :])
        return np.asarray(offered - abandoned)

    def _scenario(self, left_out: frozenset[str]) -> Scenario:
        p, base = self.parameters, self.baseline
        with np.errstate(over="ignore", invalid="ignore"):
            first = base * self._ratio(left_out)
        if not (first <= _MOST_CALLS).all():
            raise InputError(
                "these causes multiply to more calls than can be counted",
                f"up to {np.max(first):g} calls in a unit and period",
                "lower calls_per_week, or the strongest cause",
            )
        if p.spill_over and self.units > 1:
            size = unit_sizes(p, self.units)[:, None]
            # What unit j loses goes to the others in proportion to their sizes.
            moved = np.maximum(base - first, 0) / (1 - size)
            first = first + p.spill_over * size * (moved.sum(axis=0) - moved)
        abandonment = self._abandonment(first.sum(axis=0))
        redial = p.redial * abandonment / (1 - p.redial * abandonment)
        luck = self._luck
        first_attempts = poisson_counts(luck[0], first)
        redials = poisson_counts(luck[1], first * redial) if redial.any() else 0
        handle = self._handle_mean_s
        for name, plan in self.plans.items():
            if plan.rollout.handle_effect:
                handle = handle * plan.handle_ratio(live=name not in left_out)
        return Scenario(
            first_rate=first,
            offered_rate=first * (1 + redial),
            abandonment=abandonment,
            first_attempts=first_attempts,
            offered=first_attempts + redials,
            handle_mean_s=handle,
        )

    def _ratio(self, left_out: frozenset[str]) -> NDArray[np.float64] | float:
        ratio: NDArray[np.float64] | float = 1.0
        for name, plan in self.plans.items():
            ratio = ratio * plan.ratio(live=name not in left_out)
        if self.interaction:
            doses = [p.own if name in left_out else p.dose for name, p in self.plans.items()]
            for one, other in itertools.combinations(doses, 2):
                ratio = ratio * np.exp(self.interaction * one * other)
        return ratio

    def _abandonment(self, first: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share abandoned by period: redials add to the load that makes callers abandon."""
        p = self.parameters
        usual = np.full(first.shape, float(p.abandonment))
        if not (p.congestion and p.abandonment):
            return usual
        # The agents were planned for the calendar, the growth and the trend, not for shocks.
        planned = np.asarray(p.calls_per_week * self.periods.days / 7)
        for name in ("calendar", "season", "growth"):
            planned = planned * self.factors[name]
        load = first / planned
        odds = p.abandonment / (1 - p.abandonment)
        share = usual
        for _ in range(200):
            more = (1 - p.redial * usual) / (1 - p.redial * share)
            busy = odds * (load * more) ** p.congestion
            before, share = share, busy / (1 + busy)
            if np.abs(share - before).max() < 1e-13:
                break
        return share

    @cached_property
    def _luck(self) -> NDArray[np.float64]:
        shape = (self.units, len(self.periods))
        return np.stack(
            [
                stream_of(self.seed, self.index, k).standard_normal(shape)
                for k in ("first", "redial")
            ]
        )

    @cached_property
    def handle_log_mean(self) -> NDArray[np.float64]:
        """Units × periods: mean of the logarithm of handle time if nobody used any treatment."""
        p, shape = self.parameters, (self.units, len(self.periods))
        rng = stream_of(self.seed, self.index, "handle time")
        unit = p.handle_unit_sd * rng.standard_normal((self.units, 1))
        noise = p.handle_period_sd * rng.standard_normal(shape)
        return np.asarray(
            np.log(p.handle_median_s) + unit + noise + p.handle_trend * self.periods.year
        )

    @property
    def _handle_mean_s(self) -> NDArray[np.float64]:
        return np.asarray(np.exp(self.handle_log_mean + self.parameters.handle_log_sd**2 / 2))


def unit_sizes(parameters: PanelParameters, units: int) -> NDArray[np.float64]:
    """Share of each unit, the biggest first: (rank + shift)^-exponent, summing to 1."""
    weight = (np.arange(1.0, units + 1) + parameters.zipf_shift) ** -parameters.zipf_exponent
    return np.asarray(weight / weight.sum())


@dataclass(frozen=True)
class _Named:
    """Streams of random numbers by name, each a function of seed, world and name alone."""

    seed: int
    index: int
    prefix: str

    def __call__(self, part: str) -> np.random.Generator:
        return stream_of(self.seed, self.index, f"{self.prefix}/{part}")


def stream_of(seed: int, index: int, name: str) -> np.random.Generator:
    """Give the random numbers of one cause in one world."""
    key = (index, zlib.crc32(name.encode()))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def _factors(
    p: PanelParameters, periods: Periods, units: int, plans: dict[str, Plan], stream: _Named
) -> dict[str, NDArray[np.float64]]:
    shape, year = (units, len(periods)), periods.year
    angle = 2 * np.pi * periods.of_year
    factors = {
        "calendar": periods.calendar,
        "season": np.exp(p.season * np.cos(angle - 2 * np.pi * p.season_peak)),
        "growth": np.exp((p.growth + p.trend) * year),
    }
    if p.season_unit_sd:
        wave = p.season_unit_sd * stream("season").standard_normal((2, units, 1))
        factors["season_unit"] = np.exp(wave[0] * np.cos(angle) + wave[1] * np.sin(angle))
    if p.trend_unit_sd:
        slope = p.trend_unit_sd * stream("trend").standard_normal((units, 1))
        factors["trend_unit"] = np.exp(slope * year)
    for name, plan in plans.items():
        if plan.trend.any():
            factors[f"trend_of_{name}"] = np.exp(plan.trend[:, None] * year)
    if p.unit_sd:
        factors["unit"] = _shocks(p.unit_sd, p.unit_memory, shape, stream("unit"))
    if p.common_sd:
        factors["common"] = _shocks(p.common_sd, p.common_memory, (1, shape[1]), stream("common"))
    if p.dispersion_cv:
        form = p.dispersion_cv**-2
        factors["dispersion"] = stream("dispersion").standard_gamma(form, shape) / form
    return factors


def _shocks(
    sd: float, memory: float, shape: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Lognormal factors with mean 1 whose logarithms are a stationary AR(1) process."""
    fresh = rng.standard_normal(shape).T.copy()
    step = (1 - memory**2) ** 0.5
    for t in range(1, len(fresh)):
        fresh[t] = memory * fresh[t - 1] + step * fresh[t]
    return np.asarray(np.exp(sd * fresh.T - sd**2 / 2))
