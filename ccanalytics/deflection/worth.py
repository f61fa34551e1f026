"""An effect with a control, joined to the seats of a typical week."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.deflection.value import Value, value
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate
from ccanalytics.statistics.effects import PanelEffect
from ccanalytics.statistics.frames import as_polars, check_counts, check_known
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["worth"]

_WEEK_S, _CLOCK_CHANGE_S = 604_800, 7200
_LAST, _MORE = 4, 0.1
_OWN = {"removed", "removed_aht_s", "demand_is", "level"}


def worth(effect: PanelEffect, panel: Any, week: Any, goal: ServiceLevel, **options: Any) -> Value:
    """Say what an effect is worth in a typical week: erlangs, seats, and money if priced.

    The calls that it removes a week are taken as a share of those that would come, spread over the
    week like all calls; their handle time is that of the services that went live.

    Parameters
    ----------
    effect
        What :func:`ccanalytics.deflection.effect` returned.
    panel
        Frame of ``CallLog.panel(unit=…, every="1w")``, with ``handled`` and ``handle_s``.
    week
        Demand of one week with the channel, such as ``staffing.typical_week(…).demand``.
    goal
        The service level that seats are planned for.
    **options
        Of :func:`value`: shrinkage, patience, prices and so on.

    Raises
    ------
    InputError
        No effect with a control, or a demand that is not a week.
    DataError
        The log does not know how long calls of these services take.
    """
    import polars as pl

    if not isinstance(effect, PanelEffect):
        raise InputError(
            "an effect with a control is needed",
            f"got {type(effect).__name__}",
            "give what deflection.effect returned; of an offer by lot, give the share that it "
            "removes to deflection.value",
        )
    if own := sorted(_OWN & options.keys()):
        raise InputError(
            "the effect and its panel say this themselves",
            ", ".join(own),
            "leave it out, or call deflection.value",
        )
    rows = as_polars(panel, "panel", ["unit", "handled", "handle_s"], "log.panel(unit=…)")
    check_counts(rows, ["handled", "handle_s"], "panel")
    sums = (
        rows.filter(pl.col("unit").cast(pl.String).is_in(effect.live))
        .select("handled", "handle_s")
        .sum()
    )
    handled, seconds = sums.row(0)
    if not handled or not seconds:
        raise DataError(
            "the log does not know how long calls about these services take",
            "handle_s is null or 0",
            "give the handle time to deflection.value",
        )
    needs = ["calls", "interval_start", "interval_s"]
    demand = as_polars(week, "week", needs, "staffing.typical_week(…).demand")
    check_counts(demand, ["calls", "interval_s"], "week")
    check_known(demand, needs, "week")
    spanned = float(demand.unique("interval_start")["interval_s"].sum())
    if abs(spanned - _WEEK_S) > _CLOCK_CHANGE_S:
        raise InputError(
            "calls removed a week are held against the calls of a week",
            f"week covers {spanned / 3600:,.1f} hours",
            "give staffing.typical_week(…).demand",
        )
    calls, removed = float(demand["calls"].sum()), effect.removed_per_week
    if calls + min(removed.low, removed.value) <= 0:
        raise InputError(
            "the calls of a week are fewer than the channel may have brought",
            f"{calls:,.0f} calls, and {-removed.low:,.0f} brought at the lower limit",
            "give the demand of all that the panel counts",
        )
    ends = np.array([removed.value, removed.low, removed.high])
    share, low, high = (ends / (calls + ends)).tolist()
    found = value(
        Estimate(share, low, high, removed.level),
        week,
        goal,
        removed_aht_s=float(seconds) / float(handled),
        demand_is="with",
        level=removed.level,
        **options,
    )
    return replace(found, checks=(*found.checks, *_rolled_out(effect)))


def _rolled_out(effect: PanelEffect) -> tuple[Check, ...]:
    """Say what the same share is of the last weeks, if more is live then than on average."""
    came = effect.weeks["counterfactual"]
    mean, last = float(came.mean()), float(came.tail(_LAST).mean())  # type: ignore[arg-type]
    if not effect.controls or abs(last / mean - 1) < _MORE:
        return ()
    now = -effect.relative.value * last
    told = (
        f"the calls removed are the mean of the {counted(came.len(), 'week')} since the first unit "
        f"went live; of the calls in the last {counted(min(_LAST, came.len()), 'week')} the same "
        f"share is {now:,.0f} a week instead of {effect.removed_per_week.value:,.0f}"
    )
    return (Check("Weeks of the roll-out", "informs", told),)
