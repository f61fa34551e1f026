"""How many would call, and when: week, day, calendar, and days that are simply busier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.simulation.sample.days import BILL_DAYS, calendar_of
from ccanalytics.simulation.sample.services import CATALOGUE, IS_BILLING, IS_FAULT

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.days import Calendar
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.services import Traits

__all__ = ["DAY_S", "HALF_HOUR_S", "Volumes", "bill_lift", "draw_volumes", "first_in_cells"]

DAY_S = 86_400
HALF_HOUR_S = 1_800

# Weight of each hour of the day: two peaks at work, one in the evening, a quiet night.
_WORKDAY = (
    *(10, 7, 5, 4, 4, 6, 13, 30, 68, 92, 100, 94),
    *(72, 70, 84, 90, 88, 80, 70, 72, 70, 56, 36, 20),
)
_WEEKEND = (
    *(12, 8, 6, 5, 5, 6, 10, 22, 52, 82, 96, 94),
    *(78, 72, 80, 84, 84, 80, 76, 78, 74, 60, 40, 23),
)


# The network fails at 10; people call about it until 16 o'clock.
_OUTAGE = slice(20, 32)


@dataclass(frozen=True, eq=False)
class Volumes:
    """Expected and actual rates of would-be first calls.

    Attributes
    ----------
    calendar
        What was known of each day beforehand.
    expected
        Services × days: calls expected from the calendar alone.
    profile
        Days × 48: share of a day's calls in each half-hour, as the planner knows it.
    actual
        Services × days: the same with the day's and the service's own luck.
    rate
        Days × 48: calls of all services expected in each half-hour, luck included, the outage
        left out.
    outage_day, outage_extra
        The day of the network fault, −1 for none, and services × 48: calls it adds.
    """

    calendar: Calendar
    expected: NDArray[np.float64]
    profile: NDArray[np.float64]
    actual: NDArray[np.float64]
    rate: NDArray[np.float64]
    outage_day: int
    outage_extra: NDArray[np.float64]

    def cells(self) -> NDArray[np.float64]:
        """Services × days × 48: first calls expected in each half-hour, luck included."""
        shape = self.rate / self.actual.sum(axis=0)[:, None]
        cells = self.actual[:, :, None] * shape[None, :, :]
        if self.outage_day >= 0:
            cells[:, self.outage_day] += self.outage_extra
        return np.asarray(cells)


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
    p, calendar = parameters, calendar_of(start, days)
    weekday, weekend = calendar.weekday, (calendar.weekday >= 5) & ~calendar.make_up
    off = ~calendar.workday & (weekday < 5) & ~calendar.festival
    level = np.select(
        [weekend & (weekday == 5), weekend, off], [p.saturday, p.sunday, p.holiday], 1
    )
    level = level * np.where(calendar.festival, p.festival, 1.0) * growth(p, days)
    billing = np.array(list(BILL_DAYS.values())) @ bill_lift(p, calendar)
    by_service = np.where(IS_BILLING[:, None], billing[None, :], 1.0)
    expected = p.calls_per_day * scale * traits.share[:, None] * by_service * level[None, :]

    works = calendar.workday | (calendar.festival & (weekday < 5))
    profile = np.where(works[:, None], half_hours(_WORKDAY)[None, :], half_hours(_WEEKEND)[None, :])
    day_factor = _gamma_factors(p.day_cv, (days,), rng)
    week = (np.arange(days) + start.weekday()) // 7
    week_factor = _gamma_factors(p.service_week_cv, (len(CATALOGUE), week[-1] + 1), rng)
    actual = expected * day_factor[None, :] * week_factor[:, week]
    noise = _correlated(days * 48, p.interval_sd, p.interval_memory, rng).reshape(days, 48)
    rate = actual.sum(axis=0)[:, None] * profile * noise

    extra = np.zeros((len(CATALOGUE), 48))
    outage = _outage_day(p, calendar)
    if outage >= 0:
        added = np.where(IS_FAULT, actual[:, outage] * (p.outage - 1), 0.0)
        extra[:, _OUTAGE] = added[:, None] / (_OUTAGE.stop - _OUTAGE.start)
    return Volumes(calendar, expected, profile, actual, rate, outage, extra)


def growth(parameters: CentreParameters, days: int) -> NDArray[np.float64]:
    """Customers of each day over those in the middle of the log."""
    years = (np.arange(days) - (days - 1) / 2) / 365
    return np.asarray((1 + parameters.customer_growth) ** years)


def bill_lift(parameters: CentreParameters, calendar: Calendar) -> NDArray[np.float64]:
    """Bill days × days: how much more often a customer of that bill day asks about billing."""
    return np.where(calendar.bill_window, parameters.bill_lift, 1.0)


def _outage_day(parameters: CentreParameters, calendar: Calendar) -> int:
    """The first workday from the chosen place in the span; −1 if there is none."""
    later = np.flatnonzero(calendar.workday & ~calendar.festival)
    later = later[later >= parameters.outage_at * calendar.days]
    return int(later[0]) if later.size and parameters.outage > 1 else -1


def first_in_cells(
    counts: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Seconds at which calls come, given a count per half-hour, and the half-hour of each."""
    cell = np.repeat(np.arange(counts.size, dtype=np.int32), counts.ravel())
    within = rng.integers(0, HALF_HOUR_S, cell.size, dtype=np.int32)
    return cell * np.int32(HALF_HOUR_S) + within, cell


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
