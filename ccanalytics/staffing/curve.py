"""The curve: what each agent more or fewer does to service level, wait and occupancy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._seats import Rules, check_number, counted, model_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing.shrinkage import Shrinkage

__all__ = ["ServiceLevelCurve", "service_level_curve"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ServiceLevelCurve(Result):
    """Service against agents, for one interval.

    Attributes
    ----------
    points
        Per ``model`` ("Erlang C"; and "Erlang A", or "M/M/n+G" for another law, when patience is
        given) and number of
        ``agents``: ``service_level``, ``occupancy``, ``wait_probability``, ``asa``,
        ``abandonment``, ``cost`` of the interval (null without a price) and ``cost_per_point`` of
        the last agent (per percentage point of service level that it adds), and whether the goal
        is ``met``. Where agents of Erlang C are no more than the load, waits grow without end.
    required
        Least agents by model.
    load
        In erlangs.
    """

    points: pl.DataFrame
    goal: ServiceLevel
    required: dict[str, int]
    load: float

    @property
    def seats_between(self) -> int | None:
        """Agents that Erlang C asks for beyond the model with patience; None without."""
        if len(self.required) < 2:
            return None
        without, given = self.required.values()
        return without - given

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
            + f". {self._between()}The goal is {self.goal.describe()}; steady state."
        )

    def _between(self) -> str:
        between = self.seats_between
        if between is None:
            return ""
        if not between:
            return "Both models ask for the same. "
        return f"That callers give up is worth {counted(between, 'seat')}. "

    def to_frame(self) -> pl.DataFrame:
        """Give the points."""
        return self.points


def service_level_curve(
    calls: float,
    per: float,
    aht: float,
    goal: ServiceLevel,
    *,
    patience: Any = None,
    agents: Iterable[int] | None = None,
    cost_per_hour: float | None = None,
    shrinkage: float | Shrinkage = 0.0,
) -> ServiceLevelCurve:
    """Give service level, ASA and occupancy against agents around the requirement.

    Parameters
    ----------
    calls, per, aht
        Calls in ``per`` seconds, each of ``aht`` seconds on average; one interval.
    goal
        The service level wanted.
    patience
        Mean seconds until a waiting caller leaves, or a law with ``.sf``; adds Erlang A, or
        M/M/n+G, beside Erlang C.
    agents
        Which numbers of agents; by default some below and above the requirement.
    cost_per_hour, shrinkage
        Price of a paid hour, in any currency, and the share of paid time lost: a seat costs
        length × price/(1 − shrinkage) in the interval.

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
    from ccanalytics.staffing._again import cost_of
    from ccanalytics.staffing.shrinkage import shrinkage_share

    price, lost = cost_of(cost_per_hour), shrinkage_share(shrinkage)
    seat = float("nan") if price is None else per / 3600 * price / (1 - lost)
    for name, value in (("calls", calls), ("per", per), ("aht", aht)):
        if check_number(name, value) <= 0:
            raise InputError(
                "a curve needs an interval with calls", f"{name}={value!r}", "give more than 0"
            )
    models = {"Erlang C": None} | ({} if patience is None else {model_of(patience): patience})
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
        level = np.asarray(p.service_level(goal))
        gained = 100 * np.diff(level, prepend=np.nan) / np.diff(numbers, prepend=np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            a_point = np.where(gained > 1e-9, seat / gained, np.nan)
        frames.append(
            pl.DataFrame(
                {
                    "model": [model] * numbers.size,
                    "agents": numbers,
                    "service_level": level,
                    "occupancy": np.broadcast_to(p.occupancy, numbers.shape),
                    "wait_probability": np.broadcast_to(p.wait_probability, numbers.shape),
                    "asa": np.broadcast_to(p.asa, numbers.shape),
                    "abandonment": np.broadcast_to(p.abandonment, numbers.shape),
                    "cost": numbers * seat,
                    "cost_per_point": a_point,
                    "met": numbers >= required[model],
                }
            ).with_columns(pl.col("cost", "cost_per_point").fill_nan(None))
        )
    return ServiceLevelCurve(
        points=pl.concat(frames),
        goal=goal,
        required=required,
        load=load,
        inputs={"calls": calls, "per": per, "aht": aht, "patience": patience,
                "goal": goal.describe(), "cost_per_hour": price, "shrinkage": lost},
        checks=_checks(models),
    )  # fmt: skip


def _around(load: float, required: dict[str, int]) -> np.ndarray:
    spread = max(4, math.ceil(2 * math.sqrt(load)))
    low = min(math.floor(load) - spread // 2, min(required.values()) - 3)
    return np.arange(max(1, low), max(required.values()) + spread + 1)


def _given(agents: Iterable[int], required: dict[str, int]) -> np.ndarray:
    try:
        numbers = np.unique(np.asarray([*agents, *required.values()]))
    except (TypeError, ValueError) as error:
        raise InputError(
            "agents are a list of whole numbers", f"agents={agents!r}", "range(10, 21)"
        ) from error
    if numbers.dtype.kind not in "iu" or numbers[0] < 1:
        raise InputError("agents are whole numbers from 1", f"agents={agents!r}", "range(10, 21)")
    return numbers


def _checks(models: dict[str, Any]) -> tuple[Check, ...]:
    if len(models) > 1:
        words = "Erlang C lets nobody give up, " + (
            "Erlang A lets callers leave after exponential patience"
            if "Erlang A" in models
            else "M/M/n+G lets callers leave by the law of patience given"
        )
        return (Check("Two models", "informs", words),)
    words = "none in this model (Erlang C); give patience to see Erlang A beside"
    return (Check("Callers who give up", "informs", words),)
