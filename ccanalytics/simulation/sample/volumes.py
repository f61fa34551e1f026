"""How many would call, and when: week, day, calendar, and days that are simply busier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.simulation.sample.services import CATALOGUE, IS_BILLING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.services import Traits

__all__ = ["DAY_S", "HALF_HOUR_S", "SPRING_FESTIVALS", "Volumes", "draw_volumes", "first_in_cells"]

DAY_S = 86_400
HALF_HOUR_S = 1_800

# First day of the lunar year; the centre's calendar is known for these years only.
SPRING_FESTIVALS: dict[int, date] = {
    2020: date(2020, 1, 25),
    2021: date(2021, 2, 12),
    2022: date(2022, 2, 1),
    2023: date(2023, 1, 22),
    2024: date(2024, 2, 10),
    2025: date(2025, 1, 29),
    2026: date(2026, 2, 17),
    2027: date(2027, 2, 6),
    2028: date(2028, 1, 26),
    2029: date(2029, 2, 13),
    2030: date(2030, 2, 3),
}

# Weight of each hour of the day: two peaks at work, one in the evening, a quiet night.
_WORKDAY = (
    *(10, 7, 5, 4, 4, 6, 13, 30, 68, 92, 100, 94),
    *(72, 70, 84, 90, 88, 80, 70, 72, 70, 56, 36, 20),
)
_WEEKEND = (
    *(12, 8, 6, 5, 5, 6, 10, 22, 52, 82, 96, 94),
    *(78, 72, 80, 84, 84, 80, 76, 78, 74, 60, 40, 23),
)


@dataclass(frozen=True, eq=False)
class Volumes:
    """Expected and actual rates of would-be first calls.

    Attributes
    ----------
    expected
        Services × days: calls expected from the calendar alone.
    profile
        Days × 48: share of a day's calls in each half-hour, as the planner knows it.
    actual
        Services × days: the same with the day's and the service's own luck.
    rate
        Days × 48: calls of all services expected in each half-hour, luck included.
    """

    expected: NDArray[np.float64]
    profile: NDArray[np.float64]
    actual: NDArray[np.float64]
    rate: NDArray[np.float64]


def half_hours(weights: tuple[int, ...]) -> NDArray[np.float64]:
    """A day's profile by half-hour, summing to 1, from weights at the middle of each hour."""
    hours = np.arange(-1, 25) + 0.5
    around_midnight = np.array([weights[-1], *weights, weights[0]], float)
    profile = np.interp(np.arange(48) / 2 + 0.25, hours, around_midnight)
    return np.asarray(profile / profile.sum())


def draw_volumes(
    parameters: CentreParameters,
    traits: Traits,
    start: date,
    days: int,
    scale: float,
    rng: np.random.Generator,
) -> Volumes:
    """Rates by service, day and half-hour; doubly stochastic, so counts are over-dispersed."""
    p = parameters
    dates = [start + timedelta(days=day) for day in range(days)]
    weekday = np.array([each.weekday() for each in dates])
    level = np.select([weekday == 5, weekday == 6], [p.saturday, p.sunday], 1.0)
    level = level * np.where([_is_festival(each) for each in dates], p.festival, 1.0)
    billing = np.where([each.day <= 3 for each in dates], p.month_start, 1.0)
    by_service = np.where(IS_BILLING[:, None], billing[None, :], 1.0)
    expected = p.calls_per_day * scale * traits.share[:, None] * by_service * level[None, :]

    profile = np.where(
        (weekday >= 5)[:, None], half_hours(_WEEKEND)[None, :], half_hours(_WORKDAY)[None, :]
    )
    day_factor = _gamma_factors(p.day_cv, (days,), rng)
    week = (np.arange(days) + start.weekday()) // 7
    week_factor = _gamma_factors(p.service_week_cv, (len(CATALOGUE), week[-1] + 1), rng)
    actual = expected * day_factor[None, :] * week_factor[:, week]
    noise = _correlated(days * 48, p.interval_sd, p.interval_memory, rng).reshape(days, 48)
    return Volumes(expected, profile, actual, actual.sum(axis=0)[:, None] * profile * noise)


def first_in_cells(
    counts: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Seconds at which calls come, given a count per half-hour, and the half-hour of each."""
    cell = np.repeat(np.arange(counts.size), counts.ravel())
    return cell * HALF_HOUR_S + rng.integers(0, HALF_HOUR_S, cell.size), cell


def _is_festival(day: date) -> bool:
    eve = SPRING_FESTIVALS[day.year] - timedelta(days=1)
    return eve <= day < eve + timedelta(days=7)


def _gamma_factors(
    cv: float, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.float64]:
    if cv == 0:
        return np.ones(shape)
    return rng.gamma(1 / cv**2, cv**2, shape)


def _correlated(
    count: int, sd: float, memory: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Lognormal factors with mean 1 whose logarithms are a first-order autoregression."""
    level, *steps = rng.standard_normal(count + 1).tolist()
    fresh, walk = (1 - memory**2) ** 0.5, []
    for step in steps:
        level = memory * level + fresh * step
        walk.append(level)
    return np.asarray(np.exp(sd * np.array(walk) - sd**2 / 2))
