"""What the sample centre is made of: every cause a named number with its unit and its meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from ccanalytics.errors import InputError, share_hint
from ccanalytics.simulation.sample.demand_parameters import DemandParameters
from ccanalytics.simulation.sample.people_parameters import PeopleParameters, check_people
from ccanalytics.simulation.sample.support_parameters import SupportParameters

__all__ = ["CentreParameters"]


def _of(default: float, unit: str, meaning: str) -> Any:
    """A field of :class:`CentreParameters` with its unit and meaning as metadata."""
    return field(default=default, metadata={"unit": unit, "meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class CentreParameters(DemandParameters, PeopleParameters, SupportParameters):
    """The causes at work in the sample centre, each with a default; ``describe()`` lists them.

    Sizes are those of the whole centre (``scale=1``: 350 agents). Shares are 0–1, seconds end in
    ``_s``. A cause is switched off by its own number, and everything else in the world stays as
    it was, because each component draws from its own stream of random numbers:
    ``sms_offer=0`` removes SMS-assist before the call, ``assist_offer=0`` SMS-assist during the
    call, ``web_use_query=0, web_use_transaction=0, web_takes_sms_hall=0`` the web hall,
    ``opt_in=0, keyword=0`` the reminders. :class:`DemandParameters`, :class:`PeopleParameters` and
    :class:`SupportParameters` tell how each of their causes is.

    Raises
    ------
    InputError
        A number outside what its unit allows; the message names it.

    Examples
    --------
    >>> CentreParameters().assist_saving_s
    10.0
    >>> CentreParameters(sms_offer=30)
    Traceback (most recent call last):
        ...
    ccanalytics.errors.InputError: a share must lie between 0 and 1 (sms_offer=30): write 30% as 0.3
    """

    # Volume
    calls_per_day: float = _of(
        22_000,
        "calls",
        "first calls of an ordinary weekday without SMS-assist and web, at scale 1 and mid-log",
    )
    saturday: float = _of(0.90, "factor", "volume of a Saturday over that of a weekday")
    sunday: float = _of(0.85, "factor", "volume of a Sunday over that of a weekday")
    festival: float = _of(0.82, "factor", "volume in the seven days from Spring Festival's eve")
    day_cv: float = _of(0.05, "cv", "variation of the gamma factor that all calls of a day share")
    interval_sd: float = _of(0.05, "log sd", "noise of the half-hourly rate within the day")
    interval_memory: float = _of(0.85, "share", "correlation of that noise between half-hours")
    service_week_cv: float = _of(0.04, "cv", "variation of the gamma factor of a service and week")
    zipf_exponent: float = _of(1.0, "number", "service shares fall as (rank + shift)^-exponent")
    zipf_shift: float = _of(2.5, "number", "shift of the rank in the service shares")

    # Customers
    customers: float = _of(
        1_000_000, "customers", "customers of the centre at scale 1, those included who join later"
    )
    caller_shape: float = _of(0.6, "number", "shape of the gamma law of customers' call rates")
    withheld: float = _of(0.04, "share", "calls whose number is withheld: no customer in the log")
    silver: float = _of(0.15, "share", "customers of the silver tier")
    gold: float = _of(0.05, "share", "customers of the gold tier")
    silver_rate: float = _of(1.4, "factor", "call rate of silver customers over standard ones")
    gold_rate: float = _of(2.0, "factor", "call rate of gold customers over standard ones")

    # Voice menu
    menu_mean_s: float = _of(35, "s", "mean time in the voice menu (gamma, shape 3)")
    left_menu: float = _of(0.05, "share", "callers who hang up in the menu, asking for nobody")
    contained_query: float = _of(0.12, "share", "queries that the voice menu completes")
    contained_transaction: float = _of(0.03, "share", "transactions that the voice menu completes")

    # Handle time: lognormal within a service
    query_median_s: float = _of(88, "s", "typical median handle time of a query")
    transaction_median_s: float = _of(125, "s", "typical median handle time of a transaction")
    service_spread: float = _of(0.15, "log sd", "spread of services' medians around the typical")
    handle_log_sd: float = _of(0.88, "log sd", "handle time within a service")
    wrap_share: float = _of(0.13, "share", "mean share of after-call work in the handle time")
    hold_chance: float = _of(0.22, "share", "calls with a spell on hold")
    hold_share: float = _of(0.15, "share", "mean share of hold in the handle time of those")

    # Patience, redials, follow-up calls
    impatient: float = _of(0.12, "share", "callers who give up soon (exponential patience)")
    impatient_mean_s: float = _of(15, "s", "mean patience of those")
    patience_median_s: float = _of(240, "s", "median patience of the others (lognormal)")
    patience_log_sd: float = _of(1.1, "log sd", "spread of their patience")
    patience_cap_s: float = _of(3600, "s", "nobody waits longer")
    redial: float = _of(0.55, "share", "abandoned attempts that are followed by another")
    redial_median_s: float = _of(900, "s", "median delay of a redial (lognormal)")
    redial_log_sd: float = _of(1.5, "log sd", "spread of that delay; longest 18 hours")
    follow_up: float = _of(0.08, "share", "answered first calls with another call within 24 hours")
    follow_up_median_s: float = _of(10_800, "s", "median delay of the follow-up (lognormal)")
    follow_up_log_sd: float = _of(0.9, "log sd", "spread of that delay; longest 14 hours")

    # Agents
    agents: float = _of(350, "agents", "positions at scale 1; more are opened if the roster needs")
    goal_share: float = _of(0.80, "share", "service level that the plan aims at")
    goal_within_s: float = _of(20, "s", "threshold of that service level")
    least_seats: float = _of(2, "agents", "nobody sits alone, not even at night")
    plan_log_sd: float = _of(0.06, "log sd", "error of the weekly volume forecast behind the plan")
    turnover: float = _of(0.35, "per year", "rate at which tenured in-house agents leave")

    # SMS-assist before the call: offered in the menu to callers who ask for an agent
    sms_offer: float = _of(0.20, "share", "first calls of known customers offered it, once live")
    sms_offer_menu_s: float = _of(8, "s", "menu time that the offer adds to a call")
    acceptance_query: float = _of(0.45, "share", "offers accepted, typical query")
    acceptance_transaction: float = _of(0.33, "share", "offers accepted, typical transaction")
    channel_spread: float = _of(0.30, "logit sd", "spread of services around each typical share")
    sms_delivery: float = _of(0.97, "share", "accepted offers whose SMS arrives")
    completion_query: float = _of(0.92, "share", "delivered SMS that settle a query")
    completion_transaction: float = _of(0.84, "share", "delivered SMS that settle a transaction")
    leakage_query: float = _of(0.06, "share", "completed queries that lead to a call all the same")
    leakage_transaction: float = _of(0.10, "share", "the same of completed transactions")
    sms_failed_return: float = _of(0.80, "share", "not completed: the customer calls again")
    sms_return_mean_s: float = _of(108_000, "s", "mean delay of those calls (exponential)")
    return_handle: float = _of(1.15, "factor", "handle time of a call after a channel, over others")
    sms_first: float = _of(0.15, "share of span", "first service goes live")
    sms_last: float = _of(1.10, "share of span", "last one does; beyond 1: not within the log")

    # SMS-assist during the call: the agent sends text instead of reading it out
    assist_offer: float = _of(0.30, "share", "answered calls offered it, once live")
    assist_acceptance: float = _of(0.55, "share", "offers accepted")
    assist_delivery: float = _of(0.98, "share", "accepted offers whose SMS arrives")
    assist_saving_s: float = _of(10.0, "s", "talk time saved in a call that accepted")
    assist_min_talk_s: float = _of(30, "s", "offered only in calls that would talk this long")
    assist_first: float = _of(0.25, "share of span", "first service goes live")
    assist_last: float = _of(1.15, "share of span", "last one does; beyond 1: not within the log")

    # Web hall
    web_use_query: float = _of(0.08, "share", "needs taken to the web first, typical query")
    web_use_transaction: float = _of(0.055, "share", "the same of a typical transaction")
    web_build_up_s: float = _of(3_888_000, "s", "use grows as 1 − exp(−time since live / this)")
    web_completion: float = _of(0.82, "share", "sessions that settle the need, typical service")
    web_leakage: float = _of(0.06, "share", "completed sessions that lead to a call all the same")
    web_return_mean_s: float = _of(108_000, "s", "mean delay of those calls (exponential)")
    web_failed_return: float = _of(0.90, "share", "failed sessions of would-be callers: they call")
    web_failed_median_s: float = _of(1_200, "s", "median delay of those calls (lognormal)")
    web_failed_log_sd: float = _of(1.2, "log sd", "spread of that delay")
    web_new_demand: float = _of(
        1.5, "per session", "sessions of people who would never have called, per would-be caller's"
    )
    web_new_call: float = _of(0.15, "share", "failed sessions of those that cause a call")
    web_covered: float = _of(0.43, "share", "services in the web hall before the log begins")
    web_last: float = _of(0.95, "share of span", "by when the web hall covers every service")

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            place = f"{each.name}={value!r}"
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise InputError("a parameter must be a number", place, "give it as a number")
            if not math.isfinite(value) or value < 0:
                raise InputError("a parameter must be finite and not negative", place)
            unit = each.metadata["unit"]
            if unit == "share" and value > 1:
                remedy = share_hint(value, "give a share from 0 to 1")
                raise InputError("a share must lie between 0 and 1", place, remedy)
            if each.name in _WHOLE and value != round(value):
                raise InputError("this parameter must be a whole number", place)
            if unit == "share of span" and value > 10:
                raise InputError("a go-live must lie within ten times the span", place)
            if value == 0 and (each.name in _ABOVE_ZERO):
                raise InputError("this parameter must be above 0", place)
        if self.silver + self.gold > 1:
            where = f"silver={self.silver!r}, gold={self.gold!r}"
            raise InputError("the tiers exceed all customers", where, "let them sum to 1 at most")
        if self.left_menu + max(self.contained_query, self.contained_transaction) > 1:
            where = f"left_menu={self.left_menu!r}"
            raise InputError("more callers end in the menu than enter it", where, "lower it")
        if (self.hold_share + self.wrap_share) * 1.5 >= 1:
            where = f"hold_share={self.hold_share!r}, wrap_share={self.wrap_share!r}"
            raise InputError("hold and wrap leave no time to talk", where, "lower them")
        if self.waves > 200 or self.outage < 1:
            where = f"waves={self.waves!r}, outage={self.outage!r}"
            raise InputError("at most 200 waves; an outage lowers no volume", where)
        if self.interval_memory >= 1:
            raise InputError(
                "noise that never fades has no level", f"interval_memory={self.interval_memory!r}"
            )
        if self.assist_saving_s >= self.assist_min_talk_s:
            where = f"assist_saving_s={self.assist_saving_s!r}"
            raise InputError("a call cannot save all its talk", where, "raise assist_min_talk_s")
        for first, last in (
            ("sms_first", "sms_last"),
            ("assist_first", "assist_last"),
            ("wave_first", "wave_last"),
        ):
            if getattr(self, first) > getattr(self, last):
                where = f"{first}={getattr(self, first)!r}"
                raise InputError("the first go-live comes after the last", where, f"see {last}")
        check_people(self)

    def describe(self) -> dict[str, dict[str, Any]]:
        """Every parameter with its value, unit and meaning, as ``truth.json`` holds them."""
        return {
            each.name: {
                "value": getattr(self, each.name),
                "unit": each.metadata["unit"],
                "meaning": each.metadata["meaning"],
            }
            for each in fields(self)
        }


# The log is in whole seconds, and people come whole.
_WHOLE = frozenset(
    {
        "assist_saving_s",
        "sms_offer_menu_s",
        "least_seats",
        "waves",
        "term_days",
        "lines_days",
        "lines_least",
    }
)
_ABOVE_ZERO = frozenset(
    {
        "calls_per_day",
        "customers",
        "caller_shape",
        "menu_mean_s",
        "query_median_s",
        "transaction_median_s",
        "impatient_mean_s",
        "patience_median_s",
        "patience_cap_s",
        "redial_median_s",
        "follow_up_median_s",
        "goal_within_s",
        "sms_return_mean_s",
        "web_build_up_s",
        "web_return_mean_s",
        "web_failed_median_s",
        "agents",
        "least_seats",
        "saturday",
        "sunday",
        "festival",
        "bill_lift",
        "holiday",
        "web_use_contained",
        "outage",
        "waves",
        "term_days",
        "churn_subscribed",
        "churn_failed_days",
        "second_line_agents",
        "second_line_median_s",
        "ticket_median_s",
        "ticket_network",
        "lines_blocking",
        "lines_load",
        "lines_days",
        "silver_rate",
        "gold_rate",
        "return_handle",
        "goal_share",
    }
)
