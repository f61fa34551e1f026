"""The curve: what each agent more or fewer does to service level, wait and occupancy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._seats import Rules, check_number, counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["ServiceLevelCurve", "service_level_curve"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ServiceLevelCurve(Result):
    """Service against agents, for one interval.

    Attributes
    ----------
    points
        Per ``model`` ("Erlang C", and "Erlang A" when patience is given) and number of
        ``agents``: ``service_level``, ``occupancy``, ``wait_probability``, ``asa``,
        ``abandonment``, and whether the goal is ``met``. Where agents of Erlang C are no more
        than the load, waits grow without end.
    required
        Least agents by model.
    load
        In erlangs.
    """

    points: pl.DataFrame
    goal: ServiceLevel
    required: dict[str, int]
    load: float

    def summary(self) -> str:
        """The requirement and its two neighbours in words."""
        import polars as pl

        parts = []
        for model, agents in self.required.items():
            rows = self.points.filter(pl.col("model") == model)
            near = {row["agents"]: row for row in rows.iter_rows(named=True)}
            here = near[agents]
            level, busy, asa = here["service_level"], here["occupancy"], here["asa"]
            text = (
                f"{counted(agents, 'agent')} by {model}: with them {level:.1%} of calls are served "
                f"in time, at {busy:.0%} occupancy and {asa:.0f} s average "
                "speed of answer"
            )
            if agents - 1 in near:
                text += f" ({agents - 1} would give {near[agents - 1]['service_level']:.1%}"
                if agents + 1 in near:
                    text += f", {agents + 1} {near[agents + 1]['service_level']:.1%}"
                text += ")"
            parts.append(text)
        return (
            f"{self.load:.3g} erlangs need "
            + "; ".join(parts)
            + f". The goal is {self.goal.describe()}; steady state."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the points."""
        return self.points


def service_level_curve(
    calls: float,
    per: float,
    aht: float,
    goal: ServiceLevel,
    *,
    patience: float | None = None,
    agents: Iterable[int] | None = None,
) -> ServiceLevelCurve:
    """Give service level, ASA and occupancy against agents around the requirement.

    Parameters
    ----------
    calls, per, aht
        Calls in ``per`` seconds, each of ``aht`` seconds on average; one interval.
    goal
        The service level wanted.
    patience
        Mean seconds until a waiting caller leaves; adds Erlang A beside Erlang C.
    agents
        Which numbers of agents; by default some below and above the requirement.

    Raises
    ------
    InputError
        No calls, or a number out of its range.

    Examples
    --------
    >>> from ccanalytics import ServiceLevel
    >>> curve = service_level_curve(100, 1800, 180, ServiceLevel(0.80, within=20))
    >>> curve.required
    {'Erlang C': 14}
    """
    import polars as pl

    from ccanalytics.queueing import Queue

    for name, value in (("calls", calls), ("per", per), ("aht", aht)):
        if check_number(name, value) <= 0:
            raise InputError(
                "a curve needs an interval with calls", f"{name}={value!r}", "give more than 0"
            )
    models = {"Erlang C": None} | ({} if patience is None else {"Erlang A": patience})
    required = {
        model: int(Rules(goal, patience=mean).agents_for([calls], [per], [aht])[0])
        for model, mean in models.items()
    }
    load = calls * aht / per
    numbers = _around(load, required) if agents is None else _given(agents, required)
    frames = []
    for model, mean in models.items():
        full = np.full(numbers.shape, float(calls))
        p = Queue(calls=full, per=per, aht=aht, patience=mean).performance(agents=numbers)
        frames.append(
            pl.DataFrame(
                {
                    "model": [model] * numbers.size,
                    "agents": numbers,
                    "service_level": p.service_level(goal),
                    "occupancy": np.broadcast_to(p.occupancy, numbers.shape),
                    "wait_probability": np.broadcast_to(p.wait_probability, numbers.shape),
                    "asa": np.broadcast_to(p.asa, numbers.shape),
                    "abandonment": np.broadcast_to(p.abandonment, numbers.shape),
                    "met": numbers >= required[model],
                }
            )
        )
    return ServiceLevelCurve(
        points=pl.concat(frames),
        goal=goal,
        required=required,
        load=load,
        inputs={"calls": calls, "per": per, "aht": aht, "patience": patience,
                "goal": goal.describe()},
        checks=_checks(models),
    )  # fmt: skip


def _around(load: float, required: dict[str, int]) -> np.ndarray:
    spread = max(4, math.ceil(2 * math.sqrt(load)))
    low = min(math.floor(load) - spread // 2, min(required.values()) - 3)
    return np.arange(max(1, low), max(required.values()) + spread + 1)


def _given(agents: Iterable[int], required: dict[str, int]) -> np.ndarray:
    numbers = np.unique(np.asarray([*agents, *required.values()]))
    if numbers.dtype.kind not in "iu" or numbers[0] < 1:
        raise InputError("agents are whole numbers from 1", f"agents={agents!r}", "range(10, 21)")
    return numbers


def _checks(models: dict[str, Any]) -> tuple[Check, ...]:
    if len(models) > 1:
        words = (
            "Erlang C lets nobody give up, Erlang A lets callers leave after exponential patience"
        )
        return (Check("Two models", "informs", words),)
    words = "none in this model (Erlang C); give patience to see Erlang A beside"
    return (Check("Callers who give up", "informs", words),)
