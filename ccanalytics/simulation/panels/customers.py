"""Customers of one small world: how often they call, when their bill comes, who is reminded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.simulation.panels.parameters import cause, check_causes, described
from ccanalytics.simulation.panels.quantile import sparse_counts
from ccanalytics.simulation.panels.world import stream_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Customers", "ReminderParameters", "draw_customers"]


@dataclass(frozen=True, kw_only=True)
class ReminderParameters:
    """The causes in worlds of customers, each with a default; ``describe()`` lists them.

    Raises
    ------
    InputError
        A number outside what its unit allows; the message names it.

    Examples
    --------
    >>> ReminderParameters(waves=2.5)
    Traceback (most recent call last):
        ...
    ccanalytics.errors.InputError: this parameter must be a whole number (waves=2.5)
    """

    effect: float = cause(-0.15, "relative", "change of calls on the day of a reminder")
    half_life: float = cause(0.0, "days", "halving time of the effect; 0: it stays for the window")
    window: float = cause(4.0, "whole days", "days over which a reminder works, its own included")
    induced: float = cause(0.0, "relative", "calls that the reminder itself causes on its day")
    calls_per_month: float = cause(0.6, "calls", "mean calls of a customer in 30 ordinary weekdays")
    caller_shape: float = cause(0.6, "number", "shape of the gamma law of customers' call rates")
    saturday: float = cause(0.90, "factor", "volume of a Saturday over that of a weekday")
    sunday: float = cause(0.85, "factor", "volume of a Sunday over that of a weekday")
    day_cv: float = cause(0.05, "cv", "variation of the gamma factor that all calls of a day share")
    bill_rise: float = cause(1.5, "relative", "rise of calls on the day of the bill")
    bill_fade: float = cause(3.0, "days", "time constant of its fading")
    own_opt_in: float = cause(0.15, "share", "customers who subscribe by themselves, beforehand")
    wave_opt_in: float = cause(0.30, "share", "of the others, who subscribe when a wave invites")
    selection: float = cause(
        0.0, "log", "log odds of own opt-in per standard deviation of the log rate"
    )
    waves: float = cause(6.0, "whole number", "waves that invite customers, in random order")
    first: float = cause(0.2, "share", "of the span, after which the first wave is sent")
    last: float = cause(0.8, "share", "of the span, after which the last one is")
    by_rate: float = cause(
        0.0, "correlation", "1: frequent callers are invited first; 0: a lot draws the order"
    )
    term: float = cause(0.0, "whole days", "length of a subscription's term; 0: it has no end")
    renewal: float = cause(0.0, "share", "terms that are renewed when they end, by lot")
    leaving: float = cause(0.0, "per year", "rate at which customers leave")
    leaving_subscribed: float = cause(1.0, "factor", "that rate while subscribed, over otherwise")

    def __post_init__(self) -> None:
        check_causes(self)
        for name in ("calls_per_month", "caller_shape", "bill_fade", "window", "waves"):
            if getattr(self, name) <= 0:
                raise InputError(
                    "this parameter must be above 0", f"{name}={getattr(self, name)!r}"
                )
        if self.effect + self.induced <= -1:
            where = f"effect={self.effect!r}, induced={self.induced!r}"
            raise InputError("calls cannot become negative", where)
        if not -1 <= self.by_rate <= 1:
            raise InputError("a correlation lies between -1 and 1", f"by_rate={self.by_rate!r}")
        if self.first > self.last:
            where = f"first={self.first!r}, last={self.last!r}"
            raise InputError("the first wave comes after the last", where)
        if 0 < self.own_opt_in < 1 or not self.selection:
            return
        raise InputError(
            "selection needs some who subscribe and some who do not",
            f"own_opt_in={self.own_opt_in!r}",
        )

    def describe(self) -> dict[str, dict[str, Any]]:
        """Every parameter with its value, unit and meaning."""
        return described(self)


@dataclass(frozen=True, eq=False)
class Customers:
    """One world.

    Attributes
    ----------
    parameters
        The causes.
    base
        Customers × days: expected calls if nobody were reminded.
    since
        Days: whole days since the last reminder day; negative before the first.
    bill_day, wave, wave_day
        Customers: day of the month of the bill; wave that invites them (from 1), and the number of
        its day.
    subscribed_on
        Customers: number of the day from which they are subscribed; negative if by themselves
        before the span, beyond the span if never.
    own_on
        Customers: the same, had there been no waves.
    until, own_until
        Customers: number of the day on which the subscription ends, also without the waves.
    left, own_left
        Customers: number of the first day without them, also without the waves.
    luck
        Customers × days: uniform numbers, of which each count is a quantile.
    """

    parameters: ReminderParameters
    base: NDArray[np.float64]
    since: NDArray[np.int64]
    bill_day: NDArray[np.int64]
    wave: NDArray[np.int64]
    wave_day: NDArray[np.int64]
    subscribed_on: NDArray[np.int64]
    own_on: NDArray[np.int64]
    until: NDArray[np.int64]
    own_until: NDArray[np.int64]
    left: NDArray[np.int64]
    own_left: NDArray[np.int64]
    luck: NDArray[np.float64]
    _seen: dict[str, NDArray[np.int64]] = field(default_factory=dict, repr=False)

    def reached(self, without: str = "") -> NDArray[np.bool_]:
        """Customers × days: the last reminder was sent to them."""
        if without == "reminders":
            return np.zeros(self.base.shape, bool)
        start, until = self.subscribed_on, self.until
        if without == "waves":
            start, until = self.own_on, self.own_until
        sent = np.arange(self.since.size) - self.since
        return (start[:, None] <= sent) & (sent < until[:, None]) & (self.since >= 0)

    def rate(self, without: str = "") -> NDArray[np.float64]:
        """Customers × days: expected calls, given the customers and the days' luck."""
        p = self.parameters
        works = (self.since >= 0) & (self.since < p.window)
        fade = 2.0 ** (-np.maximum(self.since, 0) / p.half_life) if p.half_life else 1.0
        ratio = 1 + np.where(works, p.effect * fade, 0) + p.induced * (self.since == 0)
        left = self.own_left if without == "waves" else self.left
        here = np.arange(self.since.size) < left[:, None]
        return np.asarray(self.base * here * np.where(self.reached(without), ratio, 1.0))

    def calls(self, without: str = "") -> NDArray[np.int64]:
        """Customers × days: calls that come."""
        if without not in self._seen:
            self._seen[without] = sparse_counts(self.luck, self.rate(without))
        return self._seen[without]


def draw_customers(
    p: ReminderParameters, customers: int, days: Sequence[dt.date], seed: int, index: int
) -> Customers:
    """Draw world ``index``."""
    from ccanalytics.simulation.sample.days import BILL_DAYS, REMINDER_DAYS

    span = len(days)

    def stream(name: str) -> np.random.Generator:
        return stream_of(seed, index, f"customers/{name}")

    often = stream("rate").standard_gamma(p.caller_shape, customers) / p.caller_shape
    share = np.array(list(BILL_DAYS.values()))
    bill_day = stream("bill day").choice(list(BILL_DAYS), customers, p=share / share.sum())
    weekday = np.array([{5: p.saturday, 6: p.sunday}.get(day.weekday(), 1.0) for day in days])
    luck = np.ones(span)
    if p.day_cv:
        luck = stream("day").standard_gamma(p.day_cv**-2, span) * p.day_cv**2
    bills = {day: _since(days, (day,), before=True) for day in BILL_DAYS}
    rise = {day: 1 + p.bill_rise * np.exp(-since / p.bill_fade) for day, since in bills.items()}
    curve = np.stack([rise[day] for day in BILL_DAYS])
    place = np.searchsorted(list(BILL_DAYS), bill_day)
    base = (p.calls_per_month / 30 * often)[:, None] * (weekday * luck)[None, :] * curve[place]

    chance = np.full(customers, float(p.own_opt_in))
    if p.selection:
        log = np.log(np.maximum(often, np.finfo(float).tiny))
        score = (log - log.mean()) / max(float(log.std()), 1e-12)
        chance = 1 / (1 + (1 / p.own_opt_in - 1) * np.exp(-p.selection * score))
    own = stream("own opt-in").random(customers) < chance
    invited = stream("wave opt-in").random(customers) < p.wave_opt_in
    waves = min(int(p.waves), customers)
    order = stream("waves").permutation(customers)
    if p.by_rate:
        rank = np.argsort(np.argsort(often)) / customers - 0.5
        lot = stream("order").standard_normal(customers)
        score = p.by_rate * rank * 12**0.5 + (1 - p.by_rate**2) ** 0.5 * lot
        order = np.argsort(-score, kind="stable")
    wave = np.empty(customers, np.int64)
    wave[order] = np.arange(customers) * waves // customers
    when = np.rint(span * (p.first + (p.last - p.first) * np.arange(waves) / max(1, waves - 1)))
    wave_day = when.astype(np.int64)[wave]
    term = int(p.term)
    ahead = stream("own start").integers(0, term, customers) if term else 0
    own_on = np.where(own, -1 - ahead, span)
    subscribed_on = np.where(own, own_on, np.where(invited, wave_day, span))
    terms = np.ones(customers, np.int64)
    chance = stream("renewal").random(customers)
    for each in range(1, span // term + 2 if term else 1):
        terms += chance < p.renewal**each
    leaves = stream("leaving").standard_exponential(customers)

    def until_left(start: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        until = start + term * terms if term else np.full(customers, 2 * span)
        return until, _left(p, leaves, np.maximum(start, 0), until, span)

    until, left = until_left(subscribed_on)
    own_until, own_left = until_left(own_on)
    return Customers(
        parameters=p,
        base=base,
        since=_since(days, REMINDER_DAYS, before=False),
        bill_day=bill_day,
        wave=wave + 1,
        wave_day=wave_day,
        subscribed_on=subscribed_on,
        own_on=own_on,
        until=until,
        own_until=own_until,
        left=left,
        own_left=own_left,
        luck=stream("calls").random((customers, span)),
    )


def _left(
    p: ReminderParameters,
    leaves: NDArray[np.float64],
    start: NDArray[np.int64],
    until: NDArray[np.int64],
    span: int,
) -> NDArray[np.int64]:
    """First day without each customer: one exponential hazard, used up at another rate while
    subscribed; the span's length or more for those who stay."""
    if not p.leaving:
        return np.full(leaves.size, span)
    when = leaves * 365 / p.leaving
    length, rest = np.maximum(until - start, 0), when - start
    slow = p.leaving_subscribed
    with np.errstate(divide="ignore"):
        inside = rest / slow
    later = np.where(inside <= length, inside, rest + (1 - slow) * length)
    moved = np.where(rest > 0, start + later, when)
    return np.ceil(np.minimum(moved, 2 * span)).astype(np.int64)


def _since(days: Sequence[dt.date], on: Sequence[int], *, before: bool) -> NDArray[np.int64]:
    """Whole days since the last of these days of a month; ``before``: also one before the span."""
    import datetime as dt

    since, last = [], -1
    if before:
        back = next(k for k in range(1, 32) if (days[0] - dt.timedelta(days=k)).day in on)
        last = back - 1
    for day in days:
        last = 0 if day.day in on else last + 1 if last >= 0 else -1
        since.append(last)
    return np.array(since, np.int64)
