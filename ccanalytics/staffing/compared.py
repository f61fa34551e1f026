"""Methods compared: what each asks for, judged by the day in motion, and whether it matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ccanalytics.errors import InputError, UnsupportedError
from ccanalytics.results import Check, Result
from ccanalytics.staffing import _again, _motion
from ccanalytics.staffing._methods import METHOD_WORDS, is_exponential
from ccanalytics.staffing._seats import Rules, check_share, counted
from ccanalytics.staffing.requirement import requirement

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing.required import Requirement

__all__ = ["MethodComparison", "compare_methods"]

Severity = Literal["none", "slight", "severe"]
_METHODS = ("stationary", "lagged", "modified", "iterative")
# Beyond these the choice of method is called severe.
_SEVERE_MISS = 0.05
_SEVERE_SHARE = 0.10
_SEVERE_HOURS = 0.03


@dataclass(frozen=True, eq=False, kw_only=True)
class MethodComparison(Result):
    """Agents by each method, and what callers meet with them when the day moves.

    Attributes
    ----------
    frame
        Per ``method``: ``agent_hours``; and, judged by the day in motion: ``service_level`` over
        all calls, ``intervals_short`` (of ``intervals_with_calls``) whose level is below the goal
        by more than the tolerance, ``calls_short`` (share of calls that come in them), and
        ``worst_shortfall`` (goal less the lowest level, a share; 0 where none is short).
    intervals
        Per method and interval: ``required_agents``, ``service_level`` in motion.
    goal
        What was to be met.
    keys
        Names of the key columns.
    severity
        Whether the choice of method matters: ``none``, ``slight`` or ``severe``.
    """

    frame: pl.DataFrame
    intervals: pl.DataFrame
    goal: ServiceLevel
    keys: tuple[str, ...]
    severity: Severity

    def row(self, method: str) -> dict[str, Any]:
        """Give the row of a method."""
        return self.frame.filter(self.frame["method"] == method).row(0, named=True)

    def summary(self) -> str:
        """Say whether the choice matters, and what the simplest method misses or wastes."""
        first, last = self.frame.row(0, named=True), self.frame.row(-1, named=True)
        answer = {
            "none": "The choice of method does not matter here",
            "slight": "The choice of method matters a little here",
            "severe": "The choice of method matters here",
        }[self.severity]
        return (
            f"{answer}: {self._said(first)}; {self._said(last)}. Short means more than "
            f"{100 * self.inputs['tolerance']:.3g} point{_s(100 * self.inputs['tolerance'])} below "
            f"the goal of {self.goal.share:.0%}, judged by the day in motion (every plan walked "
            "through the whole day with the queue that each interval hands to the next)."
        )

    def _said(self, row: dict[str, Any]) -> str:
        hours = f"the {row['method']} method takes {row['agent_hours']:,.1f} agent-hours"
        if not row["intervals_short"]:
            return f"{hours} and falls short in no interval"
        return (
            f"{hours} and falls short in {row['intervals_short']} of "
            f"{counted(row['intervals_with_calls'], 'interval')} with calls "
            f"({row['calls_short']:.0%} of calls), at worst by "
            f"{100 * row['worst_shortfall']:.0f} points"
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the methods."""
        return self.frame


def compare_methods(
    demand: Any,
    goal: ServiceLevel,
    methods: Iterable[str] = _METHODS,
    *,
    tolerance: float = 0.01,
    patience: float | None = None,
    max_occupancy: float | None = None,
    max_abandonment: float | None = None,
    min_agents: int = 0,
) -> MethodComparison:
    """Ask each method for its agents, and judge them all by one measure: the day in motion.

    The severity is what the methods named first and last differ in. ``severe``: the first falls
    short by more than 5 points somewhere, or in intervals with more than 10% of the calls, or the
    two differ by more than 3% of agent-hours. ``none``: the first is short nowhere and they
    differ by at most 1%. ``slight``: in between.

    Parameters
    ----------
    demand, goal, patience, max_occupancy, max_abandonment, min_agents
        As for :func:`requirement`; patience exponential or none.
    methods
        Two or more of ``stationary``, ``lagged``, ``modified``, ``iterative``; the simplest
        first, the one that it is compared with last.
    tolerance
        How far below the goal an interval may be and still not be called short, a share.

    Raises
    ------
    InputError
        Fewer than two methods, or one that is unknown.
    UnsupportedError
        Patience that is not exponential, or ``simulated``: no formula judges it.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timedelta, timezone
    >>> from ccanalytics import ServiceLevel
    >>> start = [datetime(2025, 3, 3, 9, tzinfo=timezone.utc) + timedelta(hours=h)
    ...          for h in range(4)]
    >>> frame = pl.DataFrame({"interval_start": start, "interval_s": 3600, "aht_s": 180.0,
    ...                       "calls": [100.0] * 4})
    >>> compare_methods(frame, ServiceLevel(0.80, within=20), patience=120).severity
    'none'
    """
    import polars as pl

    names = tuple(methods) if not isinstance(methods, str) else (methods,)
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise InputError(
            "a comparison needs two methods or more, each once",
            f"methods={names!r}",
            'such as ("stationary", "iterative")',
        )
    if "simulated" in names or not is_exponential(patience):
        raise UnsupportedError(
            "the day in motion judges plans for exponential patience and handle times",
            f"patience={patience!r}" if "simulated" not in names else "'simulated'",
            "give mean seconds of patience and leave 'simulated' out, or simulate each plan with "
            "staffing.prove",
        )
    check_share("tolerance", tolerance, low=0, allow_one=False)
    bounds = {"patience": patience, "max_occupancy": max_occupancy,
              "max_abandonment": max_abandonment, "min_agents": min_agents}  # fmt: skip
    plans = {
        name: requirement(demand, goal, name, **bounds)  # type: ignore[arg-type]
        for name in names
    }
    rules = Rules(goal, patience=patience)
    rows, parts = [], []
    for name, plan in plans.items():
        _again.check_requirement(plan)
        judged, row = _judged(plan, rules, tolerance)
        rows.append({"method": name, "agent_hours": plan.agent_hours, **row})
        parts.append(judged.select(pl.lit(name).alias("method"), pl.all()))
    frame = pl.DataFrame(rows)
    first = plans[names[0]]
    return MethodComparison(
        frame=frame,
        intervals=pl.concat(parts),
        goal=goal,
        keys=first.keys,
        severity=_severity(frame),
        inputs={**bounds, "goal": goal.describe(), "methods": names, "tolerance": tolerance,
                "method_words": {name: METHOD_WORDS[name] for name in names}},
        checks=_checks(first),
    )  # fmt: skip


def _judged(
    plan: Requirement, rules: Rules, tolerance: float
) -> tuple[pl.DataFrame, dict[str, Any]]:
    import polars as pl

    frame = plan.frame
    days = _motion.days_of(frame, plan.keys)
    agents = frame["required_agents"].to_numpy()
    level = _motion.in_motion(days, rules, [agents[day.rows] for day in days])["service_level"]
    calls = frame["calls"].to_numpy()
    busy = calls > 0
    level = np.where(busy & (agents == 0), 0.0, level)
    short = busy & (level < rules.goal.share - tolerance)
    start = [c for c in ("local_start",) if c in frame.columns]
    judged = frame.select(
        "interval_start", *start, "interval_s", *plan.keys, "calls", "required_agents",
        pl.Series("service_level", level).fill_nan(None), pl.Series("short", short),
    )  # fmt: skip
    return judged, {
        "service_level": float(level[busy] @ calls[busy] / calls[busy].sum()),
        "intervals_with_calls": int(busy.sum()),
        "intervals_short": int(short.sum()),
        "calls_short": float(calls[short].sum() / calls.sum()),
        "worst_shortfall": max(0.0, float(rules.goal.share - level[short].min(initial=1.0))),
    }


def _severity(frame: pl.DataFrame) -> Severity:
    first, last = frame.row(0, named=True), frame.row(-1, named=True)
    hours = abs(first["agent_hours"] / max(last["agent_hours"], 1e-9) - 1)
    if (
        first["worst_shortfall"] > _SEVERE_MISS
        or first["calls_short"] > _SEVERE_SHARE
        or hours > _SEVERE_HOURS
    ):
        return "severe"
    return "none" if not first["intervals_short"] and hours <= 0.01 else "slight"


def _checks(first: Requirement) -> tuple[Check, ...]:
    kept = [c for c in first.checks if c.name in ("Gaps and overlaps", "Length of intervals")]
    words = (
        "exponential handle times, Poisson calls at each interval's rate, known volumes; each "
        "stretch begins as if its first interval had lasted"
    )
    return (Check("The judge", "informs", words), *kept)


def _s(number: float) -> str:
    return "" if number == 1 else "s"
