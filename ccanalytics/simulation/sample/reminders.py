"""Reminders that customers asked for, and the mass SMS that invited them, in an order by lot.

Everyone's wave is drawn by lot, so the wave is an instrument: it moves who subscribes, and has no
other way to move who calls than the messages. Whoever calls often subscribes more often; so a
plain comparison of subscribers with others is wrong. Terms that end are renewed by lot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.simulation.sample.churn import stay_longer
from ccanalytics.simulation.sample.services import IS_REMINDED
from ccanalytics.simulation.sample.volumes import DAY_S, HALF_HOUR_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.days import Calendar
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.population import Population

__all__ = ["Reminders", "draw_reminders"]

_NINE = 9 * 3600
_NEVER = -(10**6)


@dataclass(frozen=True, eq=False)
class Reminders:
    """Who was invited, who subscribed, and what was sent.

    Attributes
    ----------
    waves
        The day of each wave, those after the log's end included.
    wave, invited_at
        One entry per customer: the wave drawn for them, and the second of their invitation (−1:
        none within the log).
    started, until, ended, source
        One entry per customer: first day of the subscription, the day on which its last term is
        over (−1 and −1: none), and the earlier of that day and the customer's leaving; 0 for a
        keyword sent unasked, otherwise the number of the wave.
    left
        One entry per customer: first day without them, the subscription considered.
    offset_s
        Seconds after nine o'clock at which each customer's messages go out.
    sent, sent_at
        Reminders: to whom, at which second.
    latest
        For each day the last reminder day up to and including it.
    """

    waves: NDArray[np.int64]
    wave: NDArray[np.uint8]
    invited_at: NDArray[np.int32]
    started: NDArray[np.int32]
    until: NDArray[np.int32]
    ended: NDArray[np.int32]
    left: NDArray[np.int32]
    source: NDArray[np.uint8]
    offset_s: NDArray[np.int32]
    sent: NDArray[np.int32]
    sent_at: NDArray[np.int32]
    latest: NDArray[np.int32]
    lasts_s: int
    term: int

    @property
    def subscribers(self) -> NDArray[np.int64]:
        """Customers who ever subscribed within the log."""
        return np.flatnonzero(self.started >= 0)

    def terms(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Subscriber and first day of each term that began while they were a customer."""
        who = self.subscribers
        count = np.maximum(-(-(self.ended[who] - self.started[who]) // self.term), 0)
        customer = np.repeat(who, count)
        number = np.arange(customer.size) - np.repeat(np.cumsum(count) - count, count)
        return customer, self.started[customer] + number * self.term

    def without_leavers(self, left: NDArray[np.int32]) -> Reminders:
        """The same, nobody subscribed, invited or reminded from their day of leaving on."""
        ended = np.minimum(self.ended, left)
        there = self.started < ended
        invited = self.invited_at // DAY_S < left
        kept = self.sent_at // DAY_S < left[self.sent]
        return replace(
            self,
            started=np.where(there, self.started, -1).astype(np.int32),
            until=np.where(there, self.until, -1).astype(np.int32),
            ended=np.where(there, ended, -1).astype(np.int32),
            source=np.where(there, self.source, 0).astype(np.uint8),
            invited_at=np.where(invited, self.invited_at, -1).astype(np.int32),
            left=left,
            sent=self.sent[kept],
            sent_at=self.sent_at[kept],
        )

    def fresh(
        self, customer: NDArray[np.int32], at: NDArray[np.int32], service: NDArray[np.uint8]
    ) -> NDArray[np.bool_]:
        """Needs whose answer a reminder has told the customer not long ago."""
        found = np.zeros(at.size, bool)
        able = np.flatnonzero(IS_REMINDED[service] & (self.started[customer] >= 0))
        who, when = customer[able], at[able]
        send = _NINE + self.offset_s[who]
        day = self.latest[np.maximum((when - send) // DAY_S, -1)]
        sent = day * DAY_S + send
        found[able] = (
            (day > self.started[who])
            & (day <= self.ended[who])
            & (sent <= when)
            & (when < sent + self.lasts_s)
        )
        return found

    def protection(
        self, population: Population, source: int | None = None, *, renewed: bool = False
    ) -> NDArray[np.float64]:
        """Days × 48: share of the demand for reminded queries that comes while a reminder is fresh.

        The expected share, by each subscriber's rate and bill days, without any need drawn; of
        all subscribers, or of those of one source, or of renewed terms alone.
        """
        lift = population.lift
        kinds, days = lift.shape
        edges = np.zeros((kinds, days * 48 + 2))
        rate, bill = population.rate[self.sent].astype(float), population.bill[self.sent]
        if source is not None:
            rate = rate * (self.source[self.sent] == source)
        if renewed:
            rate = rate * (self.sent_at // DAY_S > self.started[self.sent] + self.term)
        stop = np.minimum(population.left[self.sent], days).astype(np.int64) * DAY_S
        # A customer who has left asks nothing more; neither does one whose next message is due.
        for when, sign in (
            (self.sent_at.astype(np.int64), 1.0),
            (self._until(), -1.0),
        ):
            cell, within = np.divmod(np.minimum(when, np.maximum(stop, self.sent_at)), HALF_HOUR_S)
            part = within / HALF_HOUR_S
            np.add.at(edges, (bill, cell), sign * rate * (1 - part))
            np.add.at(edges, (bill, cell + 1), sign * rate * part)
        fresh = np.cumsum(edges, axis=1)[:, : days * 48].reshape(kinds, days, 48)
        weighted = np.einsum("gd,gdh->dh", lift, fresh)
        everyone = (lift * population.rate_by_bill_day()).sum(axis=0)
        return np.asarray(weighted / np.maximum(everyone, 1e-9)[:, None])

    def _until(self) -> NDArray[np.int64]:
        """When each reminder is stale, or the next one of the same customer replaces it."""
        until = self.sent_at.astype(np.int64) + self.lasts_s
        same = self.sent[1:] == self.sent[:-1]
        until[:-1] = np.where(same, np.minimum(until[:-1], self.sent_at[1:]), until[:-1])
        return until


def draw_reminders(
    parameters: CentreParameters,
    population: Population,
    calendar: Calendar,
    rng: np.random.Generator,
) -> Reminders:
    """Waves by lot, subscriptions by inclination, reminders by the calendar."""
    p, days, size = parameters, calendar.days, population.size
    count = round(p.waves)
    place = np.arange(count) / max(count - 1, 1)
    waves = np.rint(days * (p.wave_first + (p.wave_last - p.wave_first) * place)).astype(np.int64)
    wave = rng.integers(0, count, size, dtype=np.uint8)
    spread = rng.integers(0, 2 * 3600, size, dtype=np.int32)
    day = waves[wave]
    here = (population.joined <= day) & (day < np.minimum(population.left, days))
    invited_at = np.where(here, day * DAY_S + _NINE + spread, -1).astype(np.int32)

    inclined = np.sqrt(population.rate / max(float(population.rate.mean()), 1e-9))
    replies = here & (rng.random(size) < np.minimum(p.opt_in * inclined, 0.9))
    replied = day + rng.integers(0, 3, size)
    unasked = rng.random(size) < np.minimum(p.keyword * inclined, 0.9)
    texted = np.floor(rng.random(size) * days).astype(np.int64)
    unasked &= (population.joined <= texted) & (texted < population.left)
    early = unasked & ~(replies & (replied <= texted))
    started = np.where(early, texted, np.where(replies, replied, -1))
    started = np.where(started < np.minimum(population.left, days), started, -1).astype(np.int32)
    term = round(p.term_days)
    until = np.where(started >= 0, started + term * _terms(p, days, size, rng), -1).astype(np.int32)
    left = stay_longer(p, population.leaves, started, until)
    ended = np.minimum(until, left)
    source = np.where(early | (started < 0), 0, wave + 1).astype(np.uint8)
    if p.opt_in == 0 and p.keyword == 0:
        invited_at[:] = -1

    reminder_days = np.flatnonzero(calendar.reminder)
    who = np.flatnonzero(started >= 0)
    # Whoever leaves in the morning gets no message on that day.
    last = np.where(until < left, until, left - 1)
    to, on = _messages(started[who], last[who], reminder_days)
    sent = who[to].astype(np.int32)
    sent_at = (on * DAY_S + _NINE + spread[sent]).astype(np.int32)
    order = np.lexsort((sent_at, sent))
    latest = np.full(days + 1, _NEVER, np.int32)
    latest[reminder_days] = reminder_days
    # The last entry stands for the day before the first.
    latest[:days] = np.maximum.accumulate(latest[:days])
    return Reminders(
        waves=waves,
        wave=(wave + 1).astype(np.uint8),
        invited_at=invited_at,
        started=started,
        until=until,
        ended=ended,
        left=left,
        source=source,
        offset_s=spread,
        sent=sent[order],
        sent_at=sent_at[order],
        latest=latest,
        lasts_s=round(p.reminder_lasts_s),
        term=term,
    )


def _terms(
    parameters: CentreParameters, days: int, size: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """How many terms a subscription would run: renewed by lot, never beyond the log's end twice."""
    most = days // round(parameters.term_days) + 2
    chance = rng.random(size)
    terms = np.ones(size, np.int64)
    for each in range(1, most):
        terms += chance < parameters.renewal**each
    return terms


def _messages(
    started: NDArray[np.int32], ended: NDArray[np.int32], reminder_days: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Subscriber and day of each reminder: after the first day, up to the last."""
    first = np.searchsorted(reminder_days, started, side="right")
    last = np.searchsorted(reminder_days, ended, side="right")
    count = np.maximum(last - first, 0)
    who = np.repeat(np.arange(started.size), count)
    place = np.arange(who.size) - np.repeat(np.cumsum(count) - count, count)
    return who, reminder_days[np.repeat(first, count) + place]
