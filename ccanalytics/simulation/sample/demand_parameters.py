"""What the demand of the sample centre is made of beside its channels: calendar, customers, SMS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["DemandParameters"]


def _of(default: float, unit: str, meaning: str) -> Any:
    """A parameter with its unit and meaning as metadata."""
    return field(default=default, metadata={"unit": unit, "meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class DemandParameters:
    """Causes on the side of customers; :class:`CentreParameters` holds them with all others.

    Switched off by its own number: ``outage=1`` the network fault, ``bill_lift=1`` bill days,
    ``reminder_prevents=0, reminder_causes=0`` what messages do, ``opt_in=0, keyword=0`` the
    messages themselves, ``renewal=0`` second terms, ``web_use_contained=1`` the web hall's pull on
    the voice menu, ``web_takes_sms_hall=0`` that on the SMS hall, ``sms_hall=0`` the SMS hall,
    ``churn_subscribed=1`` and ``churn_failed=0`` what makes customers stay and leave.
    """

    # Calendar
    holiday: float = _of(0.88, "factor", "volume of a weekday that is a holiday, over an ordinary")
    bill_lift: float = _of(
        1.6, "factor", "billing calls of a customer in the three days from their bill day"
    )
    outage: float = _of(6.0, "factor", "fault calls on the day of the network fault; 1: none")
    outage_at: float = _of(0.62, "share of span", "the fault is on the first workday from here")

    # Customers
    customer_turnover: float = _of(
        0.12, "per year", "rate at which customers leave of their own accord; as many join"
    )
    customer_growth: float = _of(0.06, "share a year", "more customers, and more calls with them")
    churn_subscribed: float = _of(
        0.75, "factor", "rate of leaving while reminders come, over that otherwise"
    )
    churn_failed: float = _of(
        0.02, "share", "failed self-service contacts because of which the customer leaves"
    )
    churn_failed_days: float = _of(30, "days", "mean delay of that leaving (exponential)")

    # The SMS hall: an answer to a keyword sent; no call would have been made, and none is caused
    sms_hall: float = _of(
        900, "uses", "of the SMS hall on an ordinary weekday without the web hall, at scale 1"
    )
    sms_hall_completion: float = _of(0.93, "share", "uses of the SMS hall that settle the query")
    web_takes_sms_hall: float = _of(
        0.5, "share", "uses of the SMS hall that go to the web hall instead, once it is in full use"
    )

    # The web hall against the voice menu
    web_use_contained: float = _of(
        1.5, "factor", "web use of those whom the voice menu would serve, over that of others"
    )

    # The published account that the centre is held against
    published_base: float = _of(
        0.24, "share", "part of all calls that its 110,000 assists are 7% of; it does not say"
    )

    # Reminders, on days 5, 10, 15 and 25 of a month
    waves: float = _of(8, "waves", "mass SMS that invite to subscribe; everyone's wave by lot")
    wave_first: float = _of(0.20, "share of span", "the first wave")
    wave_last: float = _of(1.20, "share of span", "the last wave; beyond 1: not within the log")
    opt_in: float = _of(0.25, "share", "invited customers of average call rate who subscribe")
    keyword: float = _of(0.02, "share", "such customers who subscribe unasked, over the span")
    term_days: float = _of(90, "days", "length of a term of a subscription")
    renewal: float = _of(
        0.45, "share", "terms that are renewed when they end, alike for all: expiry is by chance"
    )
    reminder_lasts_s: float = _of(432_000, "s", "how long a reminder keeps its customer informed")
    reminder_prevents: float = _of(
        0.40, "share", "billing queries that do not come up while a reminder is fresh"
    )
    reminder_causes: float = _of(
        0.004, "per message", "calls that an invitation or a reminder causes"
    )
