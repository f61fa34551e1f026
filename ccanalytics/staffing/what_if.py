"""What if the goal were another: the day at each goal, and the price of each further point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError, share_hint
from ccanalytics.results import Check, Result
from ccanalytics.staffing import _again
from ccanalytics.staffing._seats import check_number, model_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from ccanalytics.staffing.required import Requirement

__all__ = ["WhatIf", "what_if"]

_SHARES = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98)


@dataclass(frozen=True, eq=False, kw_only=True)
class WhatIf(Result):
    """All intervals together at each goal, from low to high.

    Attributes
    ----------
    frame
        Per ``target_service_level``: what is predicted over all calls (``service_level``, ``asa``,
        ``abandonment``, ``occupancy``), ``agent_hours`` seated, ``scheduled_hours`` paid, ``cost``
        (null without a price), agents at the peak, and the price against the row before:
        ``hours_per_point`` (scheduled) and ``cost_per_point``, per percentage point of predicted
        service level; null in the first row and where no hour is added.
    intervals
        Per goal and interval: ``required_agents``, ``service_level``.
    models
        Per ``model`` (Erlang C, and Erlang A or M/M/n+G where patience is given) at the goal asked
        for: ``agent_hours``, ``scheduled_hours``, ``required_agents`` at the peak.
    requirement
        What was asked about.
    """

    frame: pl.DataFrame
    intervals: pl.DataFrame
    models: pl.DataFrame
    requirement: Requirement

    @property
    def at_goal(self) -> dict[str, Any]:
        """The row of the goal that was asked for."""
        share = self.requirement.goal.share
        return self.frame.filter(self.frame["target_service_level"] == share).row(0, named=True)

    @property
    def hours_between(self) -> float | None:
        """Agent-hours that Erlang C asks for beyond the plan; None without patience."""
        if self.models.height < 2:
            return None
        without, given = self.models["agent_hours"]
        return float(without - given)

    def summary(self) -> str:
        """The goal, the next points up and their price, and what patience is worth."""
        import polars as pl

        here = self.at_goal
        words = (
            f"{self.requirement.goal.describe().split(',')[0]} takes "
            f"{here['scheduled_hours']:,.1f} scheduled hours and then serves "
            f"{here['service_level']:.1%} of all calls in time."
        )
        further = self.frame.filter(
            (pl.col("target_service_level") > self.requirement.goal.share)
            & pl.col("hours_per_point").is_not_null()
        )
        if further.height:
            first, last = further.row(0, named=True), further.row(-1, named=True)
            words += f" From there each further point costs {_price(first)}"
            if further.height > 1:
                words += (
                    f", and {_price(last)} on the way to a goal of "
                    f"{last['target_service_level']:.0%}"
                )
            words += "."
        between = self.hours_between
        if between is not None:
            without, given = self.models["required_agents"]
            peak = f"{without} instead of {given}" if without != given else f"as many, {given},"
            words += (
                f" Were nobody to give up (Erlang C), the same goal would take {between:,.1f} more "
                f"seated hours and {peak} agents at the peak."
            )
        return words + f" Method: {self.inputs['method_words']}."

    def to_frame(self) -> pl.DataFrame:
        """Give the goals."""
        return self.frame

    def table(self) -> pl.DataFrame:
        """Give the goals as a table to read: no empty columns."""
        empty = [name for name in self.frame.columns if self.frame[name].is_null().all()]
        return self.frame.drop(empty)


def _price(row: dict[str, Any]) -> str:
    hours = f"{row['hours_per_point']:,.2g}" if row["hours_per_point"] < 10 else (
        f"{row['hours_per_point']:,.0f}"
    )  # fmt: skip
    if row["cost_per_point"] is None:
        return f"{hours} scheduled hours"
    return f"{row['cost_per_point']:,.0f} ({hours} scheduled hours)"


def what_if(
    requirement: Requirement,
    shares: Iterable[float] = _SHARES,
    *,
    cost_per_hour: float | None = None,
) -> WhatIf:
    """Plan all intervals at a ladder of goals, and price each further point of service level.

    Every row is a plan of its own: the least agents per interval with which the share is met, the
    threshold, the counting, the bounds and the method as in the requirement. The price of a point
    is the difference of hours, or cost, over that of the predicted service level in percentage
    points, from one plan to the next that costs more and serves more. A goal at each interval
    gives whole agents, so the day serves somewhat more than asked.

    Parameters
    ----------
    requirement
        What :func:`requirement` gave.
    shares
        Goals, above 0 and below 1; the requirement's own is always among them.
    cost_per_hour
        Of a paid (scheduled) hour, in any currency.

    Raises
    ------
    InputError
        No requirement, or a share outside its range.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timezone
    >>> from ccanalytics import ServiceLevel, staffing
    >>> frame = pl.DataFrame({
    ...     "interval_start": [datetime(2025, 3, 3, 9, tzinfo=timezone.utc)],
    ...     "interval_s": [3600], "calls": [200], "aht_s": [180.0]})
    >>> need = staffing.requirement(frame, ServiceLevel(0.80, within=20))
    >>> ladder = what_if(need, (0.80, 0.90), cost_per_hour=20).frame
    >>> ladder.select("agent_hours", "cost", "hours_per_point").rows()[1]
    (15.0, 300.0, 0.188...)
    """
    import polars as pl

    need = _again.check_requirement(requirement)
    price = _again.cost_of(cost_per_hour)
    method, checks = _again.stand_in(need)
    rows, parts = [], []
    start = [c for c in ("local_start", "interval_s") if c in need.frame.columns]
    unreached: list[float] = []
    for share in _ladder(shares, need.goal.share):
        own = share == need.goal.share and method == need.inputs["method"]
        try:
            plan = need if own else _again.again(need, goal=_again.other_share(need, share))
        except DataError:
            if share <= need.goal.share:
                raise
            unreached.append(share)
            continue
        hours = plan.scheduled_hours
        rows.append(
            {
                "target_service_level": share,
                **_again.overall(plan.frame),
                "agent_hours": plan.agent_hours,
                "scheduled_hours": hours,
                "required_agents": int(plan.peak["required_agents"]),
                "cost": None if price is None else hours * price,
            }
        )
        parts.append(
            plan.frame.select(
                pl.lit(share).alias("target_service_level"), "interval_start", *start,
                *need.keys, "calls", "required_agents", "service_level",
            )
        )  # fmt: skip
    frame = _priced(pl.DataFrame(rows, infer_schema_length=None), price)
    if need.inputs["patience"] is None:
        frame = frame.with_columns(abandonment=pl.lit(None, pl.Float64))
    if unreached:
        words = "no number of agents reaches " + ", ".join(f"{s:.0%}" for s in unreached)
        checks = [*checks, Check("Goals out of reach", "informs", words)]
    models, said = _models(need)
    return WhatIf(
        frame=frame,
        intervals=pl.concat(parts),
        models=models,
        requirement=need,
        inputs={**need.inputs, "shares": frame["target_service_level"].to_list(),
                "cost_per_hour": price},
        checks=(*checks, *said),
    )  # fmt: skip


def _ladder(shares: Any, own: float) -> list[float]:
    try:
        given = [check_number("shares", share) for share in shares]
    except TypeError as error:
        raise InputError("goals are a list of shares", f"shares={shares!r}", "") from error
    for share in given:
        if not 0 < share < 1:
            hint = share_hint(share, "such as 0.9")
            raise InputError("a goal here is above 0 and below 1", f"shares: {share!r}", hint)
    return sorted({*given, own})


def _priced(frame: pl.DataFrame, price: float | None) -> pl.DataFrame:
    import polars as pl

    points = frame["service_level"].to_numpy() * 100
    hours = frame["scheduled_hours"].to_numpy()
    per: list[float | None] = [None] * frame.height
    last = 0
    for at in range(1, frame.height):
        if hours[at] > hours[last] and points[at] > points[last] + 1e-9:
            per[at] = float((hours[at] - hours[last]) / (points[at] - points[last]))
            last = at
    column = pl.Series("hours_per_point", per, pl.Float64)
    cost = column * (np.nan if price is None else price)
    return frame.with_columns(
        pl.col("cost").cast(pl.Float64), column, cost.fill_nan(None).alias("cost_per_point")
    )


def _models(need: Requirement) -> tuple[pl.DataFrame, list[Check]]:
    """Set Erlang C beside the model with patience at the goal asked for."""
    import polars as pl

    patience = need.inputs["patience"]
    schema = {"model": pl.String, "agent_hours": pl.Float64, "scheduled_hours": pl.Float64,
              "required_agents": pl.Int64}  # fmt: skip
    plans = []
    checks = []
    if patience is None:
        plans.append(("Erlang C", need))
        words = "none in this model (Erlang C); give patience to see Erlang A beside"
        checks.append(Check("Callers who give up", "informs", words))
    else:
        plans.append((model_of(patience), need))
        plans.insert(0, ("Erlang C", _again.again(need, patience=None, max_abandonment=None)))
    rows = [
        (model, plan.agent_hours, plan.scheduled_hours, int(plan.peak["required_agents"]))
        for model, plan in plans
    ]
    return pl.DataFrame(rows, schema=schema, orient="row"), checks
