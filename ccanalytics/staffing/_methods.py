"""How each method finds the agents of a requirement, and what it predicts with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.staffing import _motion, _uncertain

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.results import Check
    from ccanalytics.staffing._seats import Rules

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["METHOD_WORDS", "Found", "Plan", "Volume", "find", "is_exponential", "predicted"]

METHOD_WORDS = {
    "stationary": "stationary, interval by interval (SIPP), with one mean handle time per interval",
    "lagged": "stationary at the load one handle time earlier (Lag SIPP)",
    "modified": "stationary at the load that endless agents would carry (modified offered load)",
    "iterative": "the day in motion, interval after interval with the queue that the ones before "
    "leave",
    "simulated": "the day simulated call by call, agents changed until every interval meets the "
    "goal",
}


@dataclass(frozen=True, eq=False)
class Volume:
    """How uncertain each interval's rate is, and the chance with which the goal shall hold."""

    cv: Floats
    chance: float | None


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be found."""

    rows: pl.DataFrame
    keys: tuple[str, ...]
    rules: Rules
    method: str
    over: str = "interval"
    volume: Volume | None = None
    handle_time: Any = None
    replications: int = 400
    seed: int = 1
    progress: Any = None


@dataclass(frozen=True, eq=False)
class Found:
    """Agents by row, measures with them, and the load that the method took instead of R."""

    agents: Whole
    measures: dict[str, Floats]
    load: Floats | None = None
    checks: tuple[Check, ...] = ()
    said: tuple[str, ...] = field(default_factory=tuple)

    def words(self) -> str:
        """What the plan assumed besides, in words."""
        return "".join(f", {each}" for each in self.said)


def is_exponential(patience: Any) -> bool:
    """Whether a patience is endless or a mean in seconds."""
    return patience is None or isinstance(patience, (int, float, np.integer, np.floating))


def find(plan: Plan) -> Found:
    """Agents of the plan by its method."""
    if plan.method == "simulated":
        from ccanalytics.staffing._simulated_plan import simulated

        return simulated(plan)
    rows, rules = plan.rows, plan.rules
    calls, per = rows["calls"].to_numpy(), rows["interval_s"].to_numpy()
    aht = rows["aht_s"].fill_nan(None).fill_null(1.0).to_numpy()
    days: list[_motion.Day] = []
    load = None
    served = calls
    if plan.method != "stationary":
        days = _motion.days_of(rows, plan.keys)
        of = _motion.lagged if plan.method == "lagged" else _motion.modified
        load = _motion.gathered(days, [of(day) for day in days])
        # An interval whose own callers are none needs nobody for the load that has gone before.
        served = np.where(calls > 0, load * per / aht, 0.0)
    wanted, said = served, []
    if plan.volume is not None and plan.volume.chance is not None:
        wanted = served * _uncertain.factor_reached(plan.volume.chance, plan.volume.cv)
        said.append(f"volumes up to the {plan.volume.chance:.0%} quantile")
    if plan.method == "iterative":
        factor = np.where(served > 0, wanted / np.maximum(served, 1e-300), 1.0)
        agents, measures = _iterative(plan, days, factor, served)
        load = None
    else:
        agents = _formula(plan, wanted, per, aht)
        measures = predicted(plan, days, agents, served, per, aht)
    if plan.volume is not None:
        some = (served > 0) & (agents > 0)
        met = np.full(calls.size, np.nan)
        met[some] = _uncertain.chance_met(
            rules, served[some], per[some], aht[some], agents[some], plan.volume.cv[some]
        )
        measures["goal_chance"] = met
        if plan.volume.chance is None:
            said.append("means over uncertain volumes, weighted by calls")
    return Found(agents, measures, load, said=tuple(said))


def _formula(plan: Plan, calls: Floats, per: Floats, aht: Floats) -> Whole:
    rules = plan.rules
    if plan.over == "day":
        from ccanalytics.staffing._over_day import least_over_day

        return least_over_day(rules, calls, per, aht, _group(plan))
    if plan.volume is not None and plan.volume.chance is None:
        return _uncertain.least_on_average(rules, calls, per, aht, plan.volume.cv)
    return rules.agents_for(calls, per, aht)


def _group(plan: Plan) -> Whole:
    """Number of the local day and key of each row."""
    import polars as pl

    start = "local_start" if "local_start" in plan.rows.columns else "interval_start"
    day = plan.rows.select(*plan.keys, pl.col(start).dt.date().alias("_day"))
    return np.asarray(day.select(pl.struct(pl.all()).rank("dense")).to_series().to_numpy(), int)


def _iterative(
    plan: Plan, days: list[_motion.Day], factor: Floats, served: Floats
) -> tuple[Whole, dict[str, Floats]]:
    from dataclasses import replace

    rules = plan.rules
    busier = [replace(day, calls=day.calls * factor[day.rows]) for day in days]
    guesses = [
        rules.agents_for(served[day.rows] * factor[day.rows], day.per, day.aht) for day in days
    ]
    found, measures = _motion.least_in_motion(busier, rules, guesses)
    if (factor != 1).any():
        measures = _motion.in_motion(days, rules, found)
    if rules.patience is None:
        measures.pop("abandonment")
    return _motion.gathered(days, found).astype(np.int64), measures


def predicted(
    plan: Plan, days: list[_motion.Day], agents: Whole, calls: Floats, per: Floats, aht: Floats
) -> dict[str, Floats]:
    rules = plan.rules
    if days and is_exponential(rules.patience) and plan.volume is None:
        measures = _motion.in_motion(days, rules, [agents[day.rows] for day in days])
    else:
        measures = {name: np.full(calls.size, np.nan) for name in _uncertain.MEASURES}
        some = (calls > 0) & (agents > 0)
        if some.any():
            args = (calls[some], per[some], aht[some], agents[some])
            values = (
                _steady(rules, *args)
                if plan.volume is None
                else _uncertain.on_average(rules, *args, plan.volume.cv[some])
            )
            for name in measures:
                measures[name][some] = values[name]
    if rules.patience is None:
        measures.pop("abandonment")
    return measures


def _steady(
    rules: Rules, calls: Floats, per: Floats, aht: Floats, agents: Whole
) -> dict[str, Floats]:
    from ccanalytics.queueing import Queue

    p = Queue(calls=calls, per=per, aht=aht, patience=rules.patience).performance(agents=agents)
    return {
        name: p.service_level(rules.goal) if name == "service_level" else getattr(p, name)
        for name in _uncertain.MEASURES
    }
