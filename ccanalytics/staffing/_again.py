"""A requirement asked again with something changed, and what other agents would have done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.demand import MEASURES
from ccanalytics.errors import InputError
from ccanalytics.results import Check
from ccanalytics.staffing import _methods, _motion
from ccanalytics.staffing._seats import Rules, check_number
from ccanalytics.staffing.required import Requirement
from ccanalytics.staffing.requirement import requirement, volume_of

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = [
    "SERVED",
    "again",
    "check_requirement",
    "cost_of",
    "demand_of",
    "overall",
    "stand_in",
    "with_agents",
]

SERVED = ("service_level", "asa", "abandonment", "occupancy")
_KEPT = (
    "patience", "max_occupancy", "max_abandonment", "min_agents", "over", "cv", "chance",
    "absence", "show_up",
)  # fmt: skip


def check_requirement(need: Any) -> Requirement:
    """Refuse what is no requirement, or has no calls."""
    if not isinstance(need, Requirement):
        raise InputError(
            "this question is about a requirement",
            f"got {type(need).__name__}",
            "give what staffing.requirement returned",
        )
    if not float(need.frame["calls"].sum()):
        raise InputError(
            "a requirement without calls has nothing to change", "0 calls", "widen the demand"
        )
    return need


def demand_of(need: Requirement) -> pl.DataFrame:
    """Give the demand that a requirement was asked for."""
    return need.frame.select(c for c in need.frame.columns if c in (*MEASURES, *need.keys))


def _settings(need: Requirement) -> dict[str, Any]:
    components = need.inputs["shrinkage_components"]
    asked = {name: need.inputs[name] for name in _KEPT}
    shrinkage = need.inputs["shrinkage"] if components is None else components
    return {**asked, "shrinkage": shrinkage, "method": stand_in(need)[0]}


def stand_in(need: Requirement) -> tuple[str, list[Check]]:
    """Name the method with which the question is asked again; a simulation is too slow for it."""
    method = need.inputs["method"]
    if method != "simulated":
        return method, []
    words = (
        "the requirement was simulated; here the modified offered load stands in for it, so levels "
        "differ a little from its own"
    )
    return "modified", [Check("Method of this answer", "informs", words)]


def again(need: Requirement, demand: pl.DataFrame | None = None, **changes: Any) -> Requirement:
    """Ask for the requirement again, with other demand, another goal or another setting."""
    settings = {**_settings(need), **changes}
    goal = settings.pop("goal", need.goal)
    return requirement(demand_of(need) if demand is None else demand, goal, **settings)


def with_agents(
    need: Requirement, demand: pl.DataFrame, agents: Whole, *, method: str = "", **changes: Any
) -> dict[str, Floats]:
    """Predict, row by row, what callers meet with these agents."""
    settings = {**_settings(need), **changes}
    rules = Rules(
        need.goal,
        patience=settings["patience"],
        max_occupancy=settings["max_occupancy"],
        max_abandonment=None,
        min_agents=settings["min_agents"],
    )
    volume = volume_of(demand, settings["cv"], settings["chance"])
    plan = _methods.Plan(demand, need.keys, rules, method or settings["method"], "interval", volume)
    calls, per = demand["calls"].to_numpy(), demand["interval_s"].to_numpy()
    aht = demand["aht_s"].fill_nan(None).fill_null(1.0).to_numpy()
    days: list[_motion.Day] = []
    served = calls
    if plan.method != "stationary":
        days = _motion.days_of(demand, need.keys)
        of = _motion.lagged if plan.method == "lagged" else _motion.modified
        load = _motion.gathered(days, [of(day) for day in days])
        served = np.where(calls > 0, load * per / aht, 0.0)
    found = _methods.predicted(plan, days, agents, served, per, aht)
    empty = (calls > 0) & (agents <= 0)  # nobody is there, and nobody is served
    found["service_level"] = np.where(empty, 0.0, found["service_level"])
    return found


def overall(frame: pl.DataFrame, found: dict[str, Any] | None = None) -> dict[str, float]:
    """Means over all calls (the wait over answered ones; occupancy over seated hours)."""
    values = {
        name: np.asarray(
            frame[name].cast(float).fill_null(np.nan).to_numpy() if found is None else found[name],
            float,
        )
        for name in SERVED
        if (name in frame.columns if found is None else name in found)
    }
    calls = frame["calls"].to_numpy()
    some = (calls > 0) & ~np.isnan(values["service_level"])
    gone = values.get("abandonment", np.zeros(calls.size))
    gone = np.where(np.isnan(gone), 0.0, gone)
    seated = frame["required_agents"].to_numpy() * frame["interval_s"].to_numpy()
    weights = {"asa": calls * (1 - gone), "occupancy": seated}
    out = {}
    for name, value in values.items():
        weight = np.where(some & ~np.isnan(value), weights.get(name, calls), 0.0)
        total = float(weight.sum())
        out[name] = float(np.where(weight > 0, value, 0.0) @ weight) / total if total else np.nan
    out.setdefault("abandonment", 0.0)
    return out


def cost_of(cost_per_hour: Any) -> float | None:
    """Check a price of a paid hour."""
    if cost_per_hour is None:
        return None
    price = check_number("cost_per_hour", cost_per_hour)
    if price < 0:
        raise InputError(
            "an hour costs 0 or more", f"cost_per_hour={cost_per_hour!r}", "in any currency"
        )
    return price


def other_share(need: Requirement, share: float) -> Any:
    """Give the same goal with another share."""
    return replace(need.goal, share=share)
