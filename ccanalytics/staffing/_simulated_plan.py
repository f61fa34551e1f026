"""Agents by simulation, key by key, stretch by stretch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.results import Check
from ccanalytics.staffing import _motion
from ccanalytics.staffing._by_simulation import least_by_simulation
from ccanalytics.staffing._methods import Found, Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["simulated"]

_MEASURES = ("service_level", "occupancy", "wait_probability", "asa", "abandonment")
_NAMES = {"asa": "asa_s"}
_MOST_RUNS = 30


def simulated(plan: Plan) -> Found:
    """Least agents by the event simulator; the frame says what it found, with limits."""
    import polars as pl

    from ccanalytics.simulation import MixedPoisson, simulate

    rows, rules = plan.rows, plan.rules
    days = _motion.days_of(rows, plan.keys)
    agents = np.zeros(rows.height, np.int64)
    names = [*_MEASURES, "service_level_low", "service_level_high"]
    measures = {name: np.full(rows.height, np.nan) for name in names}
    short: list[int] = []
    runs = 0
    for day in days:
        part = rows[day.rows.tolist()].select("interval_start", "interval_s", "calls", "aht_s")
        cv = None if plan.volume is None else plan.volume.cv[day.rows]
        if cv is not None:
            part = part.with_columns(cv=pl.Series(cv))

        # Long enough for the queue to have forgotten that the centre was empty.
        settled = max(float(day.per[0]), 5 * float(day.aht[0])) if day.calls[0] > 0 else 0.0

        def evaluate(
            n: NDArray[np.int64],
            part: Any = part,
            uncertain: bool = cv is not None,
            warmup_s: float = settled,
        ) -> Any:
            nonlocal runs
            runs += 1
            found = simulate(
                part,
                n,
                goals=rules.goal,
                patience=rules.patience,
                handle_time=plan.handle_time,
                arrivals=MixedPoisson() if uncertain else None,
                warmup_s=warmup_s,
                replications=plan.replications,
                seed=plan.seed,
            ).intervals
            if plan.progress is not None:
                plan.progress(min(runs, _MOST_RUNS * len(days)), _MOST_RUNS * len(days), "plans")
            return {
                name: found[_NAMES.get(name, name)].cast(pl.Float64).fill_null(np.nan).to_numpy()
                for name in names
            }

        best = least_by_simulation(
            evaluate, rules, day.calls, day.per, day.aht, _motion.modified(day)
        )
        agents[day.rows] = best.agents
        for name in names:
            measures[name][day.rows] = best.measures[name]
        short += day.rows[best.short].tolist()
    if rules.patience is None:
        measures.pop("abandonment")
    checks = [
        Check(
            "Simulated",
            "informs",
            f"{runs} plans of {plan.replications} replications each; handle times "
            + ("exponential" if plan.handle_time is None else "of the law given")
            + "; limits of each interval's service level are in the table",
        )
    ]
    if short:
        starts = ", ".join(str(rows["interval_start"][i]) for i in short[:3])
        checks.append(
            Check(
                "Goal reached",
                "fails",
                f"{len(short)} intervals fall short of the goal with any number tried: {starts}",
            )
        )
    return Found(agents, measures, checks=tuple(checks), said=(f"seed {plan.seed}",))
