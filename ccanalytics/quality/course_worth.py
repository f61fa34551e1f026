"""Whether a course pays: draws of what it saves against what it costs, wages included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.results import Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["INVISIBLE", "CourseWorth", "course_worth"]

INVISIBLE = (
    "fewer errors and fewer calls that come again because of them",
    "satisfaction of customers",
    "agents who stay longer",
    "what trained agents pass on to others",
)
"""Benefits that nothing here puts a price on: listed, and kept out of the sum."""

_SURE = 0.95  # share of draws from which it is said to pay, or not to
_DEGREES = 10_000.0  # beyond which Student's t is the normal law


@dataclass(frozen=True, eq=False, kw_only=True)
class CourseWorth(Result):
    """Cost and benefit of a course, by draws.

    Attributes
    ----------
    trainees
        Agents who took it.
    cost, seats, wages
        All of it; what the seats cost; wages of trainees in the hours of the course.
    hours_freed
        Hours of handling that it saves over the horizon.
    benefit, net, roi
        Worth of these hours; benefit less cost; (benefit − cost)/cost.
    pays
        Share of draws in which the benefit is above the cost.
    break_even_weeks
        Weeks until the expected benefit has paid for it; inf if never.
    break_even_effect
        Change of handle time, as a share, at which it just pays over the horizon (negative); −1
        or below: none would.
    draws
        Net of each draw.
    over_time
        ``week`` since the course, expected net with limits.
    invisible
        Benefits that are in none of these.
    """

    trainees: int
    cost: float
    seats: float
    wages: float
    hours_freed: Estimate
    benefit: Estimate
    net: Estimate
    roi: Estimate
    pays: float
    break_even_weeks: float
    break_even_effect: float
    draws: Floats
    over_time: pl.DataFrame
    invisible: tuple[str, ...] = INVISIBLE

    @property
    def verdict(self) -> str:
        """Whether it pays, in words that follow its name."""
        if self.pays >= _SURE:
            return "pays for itself"
        if self.pays <= 1 - _SURE:
            return "does not pay for itself"
        return "may or may not pay for itself"

    @property
    def chance(self) -> str:
        """In how many draws it pays: all and none are said only of all and none."""
        if self.pays in (0, 1):
            return "all draws" if self.pays else "no draw"
        shown = f"{self.pays:.0%}"
        return {"100%": "more than 99%", "0%": "fewer than 1%"}.get(shown, shown) + " of draws"

    def headline(self) -> str:
        """Give the answer alone."""
        weeks = self.inputs["weeks"]
        when = (
            f"it breaks even after {self.break_even_weeks:.0f} weeks"
            if np.isfinite(self.break_even_weeks)
            else "the expected benefit never reaches the cost"
        )
        return (
            f"The course {self.verdict}: in {self.chance} the benefit of {weeks} weeks "
            f"is above its cost of {self.cost:,.0f}, and {when}."
        )

    def summary(self) -> str:
        """Give the answer and how it was counted."""
        return (
            f"{self.headline()} Benefit: {self.hours_freed.value:,.0f} hours of handling less "
            f"({self.hours_freed.low:,.0f} to {self.hours_freed.high:,.0f}) for "
            f"{counted(self.trainees, 'agent')}, worth {self.benefit.value:,.0f} at "
            f"{self.inputs['wage']:g} an hour. Cost: seats "
            f"{self.seats:,.0f} and trainees' wages {self.wages:,.0f}; return "
            f"{_percent(self.roi.value)} ({_percent(self.roi.low)} to "
            f"{_percent(self.roi.high)}). A change of handle time by "
            f"{_percent(self.break_even_effect, 1)} would just pay. Not in this sum: "
            f"{'; '.join(self.invisible)}."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give cost, benefit and return as rows, in money or as a share."""
        import polars as pl

        rows: list[tuple[str, float, float | None, float | None]] = [
            ("seats", self.seats, None, None),
            ("wages of trainees", self.wages, None, None),
            ("cost", self.cost, None, None),
            ("benefit", self.benefit.value, self.benefit.low, self.benefit.high),
            ("net", self.net.value, self.net.low, self.net.high),
        ]
        names = ["item", "money", "money_low", "money_high"]
        return pl.DataFrame(rows, schema=names, orient="row")


def course_worth(
    effect: Any,
    *,
    trainees: int,
    calls_a_week: float,
    aht_s: float,
    wage: float,
    hours: float,
    seat_cost: float,
    weeks: int = 52,
    half_life_weeks: float | None = None,
    leaving_a_year: float = 0.0,
    usable: float = 1.0,
    draws: int = 10_000,
    seed: int = 1,
    level: float = 0.95,
) -> CourseWorth:
    """Weigh what a course saves against what it costs.

    A draw takes an effect e on the log of handle time from its estimate (Student's t), and sums
    over the weeks since the course: trainees still there × calls × aht·(1 − exp(e·retained)) / 3600
    hours, × wage × usable. Cost = trainees × (seat_cost + hours × wage). No benefit but hours of
    handling is counted.

    Parameters
    ----------
    effect
        What :func:`ccanalytics.handletime.effect` returned, or an :class:`Estimate` of the change
        of handle time as a share.
    trainees
        Agents who took the course.
    calls_a_week
        Of a trainee, of the kind that the course is about.
    aht_s
        Mean handle time of these without the course, in seconds.
    wage
        Cost of an agent's hour, in money.
    hours, seat_cost
        Hours of the course, and cost of a seat without wages.
    weeks
        Horizon.
    half_life_weeks
        Weeks after which half of the effect is left; None: it stays.
    leaving_a_year
        Share of agents that leave in a year, 0–1: what they learnt leaves with them.
    usable
        Share of freed hours that turn into fewer paid hours, 0–1.
    draws, seed, level
        How many, their seed, and the level of the limits.

    Raises
    ------
    InputError
        Numbers that cannot be; the message names them.

    References
    ----------
    Phillips (2003), Return on investment in training and performance improvement programs.

    Examples
    --------
    >>> worth = course_worth(
    ...     Estimate(-0.04, -0.05, -0.03), trainees=20, calls_a_week=200, aht_s=180, wage=120,
    ...     hours=4, seat_cost=600,
    ... )
    >>> round(worth.cost), round(worth.benefit.value / 1000), worth.pays > 0.99
    (21600, 50, True)
    """
    import polars as pl

    level = check_level(level)
    _check(
        trainees=(trainees, 1, np.inf), calls_a_week=(calls_a_week, 0, np.inf),
        aht_s=(aht_s, 1e-9, np.inf), wage=(wage, 0, np.inf), hours=(hours, 0, np.inf),
        seat_cost=(seat_cost, 0, np.inf), weeks=(weeks, 1, 1040),
        leaving_a_year=(leaving_a_year, 0, 0.999), usable=(usable, 0, 1),
        draws=(draws, 100, 10_000_000),
    )  # fmt: skip
    if half_life_weeks is not None:
        _check(half_life_weeks=(half_life_weeks, 1e-9, np.inf))
    change, degrees = _change_of(effect)
    rng = np.random.default_rng(seed)
    from scipy.special import stdtrit

    middle, low, high = np.log1p([change.value, change.low, change.high])
    free = min(degrees, _DEGREES)
    error = (high - low) / 2 / float(stdtrit(free, 0.5 + change.level / 2))
    drawn = middle + error * rng.standard_t(free, draws)
    at = np.arange(1, weeks + 1)
    there = (1 - leaving_a_year) ** (at / 52.18)
    left = np.ones(weeks) if half_life_weeks is None else 0.5 ** (at / half_life_weeks)
    volume = trainees * calls_a_week * there * aht_s / 3600  # hours of handling a week

    def hours_of(logs: Floats) -> Floats:
        """Hours freed, draws × weeks."""
        return np.asarray(-np.expm1(logs[:, None] * left[None, :]) * volume)

    price = wage * usable
    cost = trainees * (seat_cost + hours * wage)
    ends = [0.5 - level / 2, 0.5 + level / 2]
    expected = hours_of(np.array([middle]))[0]
    freed = np.empty(draws)
    paths = np.empty((2, weeks))
    shown = hours_of(drawn[: min(draws, 4_000)])
    paths[:] = np.quantile(np.cumsum(shown, axis=1), ends, axis=0) * price - cost
    for first in range(0, draws, 4_000):
        freed[first : first + 4_000] = hours_of(drawn[first : first + 4_000]).sum(axis=1)
    net = freed * price - cost
    told = float(expected.sum())
    low, high = np.quantile(freed, ends).tolist()

    def estimate(scale: float, shift: float) -> Estimate:
        return Estimate(told * scale + shift, low * scale + shift, high * scale + shift, level)

    running = np.cumsum(expected) * price - cost
    paid = np.flatnonzero(running >= 0)
    per_cost = price / cost if cost > 0 else np.inf
    return CourseWorth(
        trainees=int(trainees),
        cost=float(cost),
        seats=float(trainees * seat_cost),
        wages=float(trainees * hours * wage),
        hours_freed=estimate(1, 0),
        benefit=estimate(price, 0),
        net=estimate(price, -cost),
        roi=estimate(per_cost, -1) if cost > 0 else Estimate(np.inf, np.inf, np.inf, level),
        pays=float((net > 0).mean()),
        break_even_weeks=float(at[paid[0]]) if paid.size else np.inf,
        break_even_effect=_break_even(volume, left, price, cost),
        draws=net,
        over_time=pl.DataFrame(
            {"week": at, "net": running, "net_low": paths[0], "net_high": paths[1]}
        ),
        inputs={
            "trainees": trainees, "calls_a_week": calls_a_week, "aht_s": aht_s, "wage": wage,
            "hours": hours, "seat_cost": seat_cost, "weeks": weeks,
            "half_life_weeks": half_life_weeks, "leaving_a_year": leaving_a_year,
            "usable": usable, "draws": draws, "seed": seed, "level": level,
        },
    )  # fmt: skip


def _break_even(volume: Floats, left: Floats, price: float, cost: float) -> float:
    """The change of handle time at which benefit and cost are alike, by bisection."""
    if cost == 0:
        return 0.0
    most = float((-np.expm1(np.log(1e-6) * left) * volume).sum()) * price
    if most < cost:
        return -1.0
    low, high = np.log(1e-6), 0.0
    for _ in range(80):
        middle = (low + high) / 2
        if float((-np.expm1(middle * left) * volume).sum()) * price > cost:
            low = middle
        else:
            high = middle
    return float(np.expm1(middle))


def _change_of(effect: Any) -> tuple[Estimate, float]:
    """The change of handle time as a share, and degrees of freedom of its limits."""
    if isinstance(effect, Estimate):
        change, degrees = effect, np.inf
    elif getattr(effect, "outcome", None) == "aht":
        change, degrees = effect.relative, float(effect.degrees)
    else:
        raise InputError(
            "an effect on handle time is needed",
            f"got {type(effect).__name__}",
            "give what handletime.effect returned with outcome='aht', or an Estimate",
        )
    if not -1 < change.low <= change.value <= change.high or not np.isfinite(change.high):
        raise InputError("a change is a share above −1, between its limits", f"{change}")
    return change, degrees


def _check(**given: tuple[Any, float, float]) -> None:
    for name, (value, least, most) in given.items():
        number = isinstance(value, (int, float, np.integer, np.floating))
        if isinstance(value, bool) or not number or not least <= value <= most:
            span = f"between {least:g} and {most:g}" if np.isfinite(most) else f"{least:g} or more"
            raise InputError(f"this must be a number, {span}", f"{name}={value!r}")


def _percent(share: float, digits: int = 0) -> str:
    return f"{share:+.{digits}%}".replace("-", "−")
