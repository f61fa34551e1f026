"""The months to come from a plan of today and from how the log's subscribers call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.demand import MEASURES
from ccanalytics.staffing.callers import Unknown
from ccanalytics.staffing.contact_pattern import DAYS_A_MONTH
from ccanalytics.staffing.growth import TrunkGrowth, trunk_growth

if TYPE_CHECKING:
    from datetime import date

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing.contact_pattern import ContactPattern
    from ccanalytics.staffing.trunks import TrunkPlan

__all__ = ["coming_months"]

_PASSED_ON = (
    "menu", "to_agent", "max_blocking", "max_port_blocking", "patience", "redial",
    "max_occupancy", "shrinkage", "cost_per_hour", "line_cost", "port_cost",
)  # fmt: skip


def coming_months(
    plan: TrunkPlan,
    pattern: ContactPattern,
    goal: ServiceLevel,
    *,
    months: int,
    first: date | None = None,
    subscribers: float | None = None,
    contact_rate: float | None = None,
    growth: float | None = None,
    seasons: Any = None,
) -> TrunkGrowth | Unknown:
    """Plan the months after the log as today is planned, with what is not given measured.

    The plan's day, over an average day's calls of the log, is kept as it is in every month.

    Parameters
    ----------
    plan
        Of :func:`~ccanalytics.staffing.trunks`; its menu, shares, limits and prices are kept.
    pattern
        Of :func:`~ccanalytics.staffing.contact_pattern`.
    goal
        The service level.
    months
        How many, 1 to 120.
    first
        A day in the first month; default: the month after the last whole one of the log.
    subscribers, contact_rate
        None: as measured. One of them is enough where the log knows its calls.
    growth
        Of subscribers a month. None: as measured, or none.
    seasons
        None: as measured, or every month average.

    Returns
    -------
    TrunkGrowth or Unknown
        The latter says what is missing.
    """
    per_day = pattern.calls_per_day
    if not per_day or not plan.frame["calls"].sum():
        return Unknown(what="the months to come", reason="there are no calls", inputs={})
    people = subscribers if subscribers is not None else pattern.subscribers
    rate = contact_rate if contact_rate is not None else pattern.contact_rate
    if people is None and rate is not None:
        people = per_day * DAYS_A_MONTH / rate
    if rate is None and people is not None:
        rate = per_day * DAYS_A_MONTH / people
    if people is None or rate is None:
        return Unknown(
            what="how many lines the coming months need",
            reason=f"{pattern.missing['contact_rate']}; give the number of subscribers",
            inputs={},
        )
    return trunk_growth(
        months,
        goal,
        plan.frame.select(name for name in plan.frame.columns if name in MEASURES),
        first=first or pattern.next_month,
        subscribers=people,
        contact_rate=rate,
        per_day=per_day,
        growth=(pattern.growth or 0.0) if growth is None else growth,
        seasons=pattern.seasons if seasons is None else seasons,
        **{name: plan.inputs[name] for name in _PASSED_ON},
    )
