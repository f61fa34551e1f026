"""Sensitivity: which input, were it a tenth off, moves the seats and the service most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError, share_hint
from ccanalytics.results import Check, Result
from ccanalytics.staffing import _again, _methods
from ccanalytics.staffing._seats import check_number

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.staffing.required import Requirement

__all__ = ["Sensitivity", "sensitivity"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Sensitivity(Result):
    """The requirement with one input changed at a time.

    Attributes
    ----------
    frame
        Per ``factor`` (volume, handle time, patience, shrinkage) and ``change`` (a share, such as
        −0.1): ``scheduled_agents`` at the peak and ``scheduled_hours`` of the new requirement,
        ``seats_change`` and ``hours_change`` against the plan, and ``service_level`` over all
        calls if the people scheduled stay as planned, with ``level_change``.
    requirement
        What was asked about.
    """

    frame: pl.DataFrame
    requirement: Requirement

    def order(self) -> list[str]:
        """Name the factors, the one that moves scheduled hours most first."""
        import polars as pl

        return (
            self.frame.group_by("factor")
            .agg(
                (pl.col("hours_change").max() - pl.col("hours_change").min()).alias("hours"),
                (pl.col("level_change").max() - pl.col("level_change").min()).alias("level"),
            )
            .sort("hours", "level", "factor", descending=[True, True, False])["factor"]
            .to_list()
        )

    def summary(self) -> str:
        """What each factor does when it is worse by the change, in words."""
        import polars as pl

        base = self.requirement
        parts, idle = [], []
        order = self.order()
        for factor in order:
            rows = self.frame.filter(pl.col("factor") == factor)
            row = rows.sort(
                "hours_change", pl.col("level_change").neg(), "change", descending=True
            ).row(0, named=True)
            said = _said(row)
            if not said:
                idle.append(factor)
                continue
            way = "higher" if row["change"] > 0 else "lower"
            most = " matters most" if factor == order[0] and len(order) > 1 else ""
            parts.append(f"{factor}{most}: {abs(row['change']):.0%} {way} is {said}")
        if idle:
            verb = "changes" if len(idle) == 1 else "change"
            listed = ", ".join(idle[:-1]) + " and " + idle[-1] if len(idle) > 1 else idle[0]
            parts.append(f"{listed} {verb} nothing that shows")
        return (
            f"The plan takes {base.scheduled_hours:,.1f} scheduled hours and serves "
            f"{base.service_level:.1%} in time. Each input off by {self.inputs['change']:.0%} the "
            "way that costs more, one at a time. "
            + " ".join(f"{part[:1].upper()}{part[1:]}." for part in parts)
            + f" Method: {self.inputs['method_words']}."
        ).replace(" -", " −")

    def to_frame(self) -> pl.DataFrame:
        """Give the changes."""
        return self.frame


def _said(row: dict[str, Any]) -> str:
    """What one change does, without what rounds to nothing; empty where nothing is left."""
    parts = []
    if round(row["hours_change"], 1):
        parts.append(f"{row['hours_change']:+,.1f} scheduled hours")
        if row["seats_change"]:
            parts[0] += f" ({row['seats_change']:+d} at the peak)"
    elif row["seats_change"]:
        parts.append(f"{row['seats_change']:+d} scheduled at the peak")
    points = round(100 * row["level_change"], 1)
    if points:
        one = "" if abs(points) == 1 else "s"
        parts.append(f"{points:+.1f} point{one} of service level if the people stay as planned")
    return ", or ".join(parts)


def sensitivity(requirement: Requirement, change: float = 0.10) -> Sensitivity:
    """Change volume, handle time, patience and shrinkage in turn, down and up.

    Two answers to each change. In seats: the requirement anew. In service: what the plan gives if
    the people it schedules stay; with more shrinkage fewer of them are seated,
    ⌊scheduled·(1 − s′)⌋, and no more than planned are taken away or added elsewhere.

    Parameters
    ----------
    requirement
        What :func:`requirement` gave.
    change
        By which share each input is changed, above 0 and below 1.

    Raises
    ------
    InputError
        No requirement, or a change outside its range.

    Notes
    -----
    Patience is changed only where it is a mean in seconds, and shrinkage where it is above 0;
    shrinkage in its total, whatever its components. Absence stays as it is.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timezone
    >>> from ccanalytics import ServiceLevel, staffing
    >>> frame = pl.DataFrame({
    ...     "interval_start": [datetime(2025, 3, 3, 9, tzinfo=timezone.utc)],
    ...     "interval_s": [1800], "calls": [100], "aht_s": [180.0]})
    >>> need = staffing.requirement(frame, ServiceLevel(0.80, within=20))
    >>> sensitivity(need).frame.select("factor", "change", "seats_change").rows()
    [('volume', -0.1, -2), ('volume', 0.1, 1), ('handle time', -0.1, -2), ('handle time', 0.1, 1)]
    """
    import polars as pl

    need = _again.check_requirement(requirement)
    by = check_number("change", change)
    if not 0 < by < 1:
        hint = share_hint(by, "such as 0.1")
        raise InputError("a change is a share between 0 and 1", f"change={change!r}", hint)
    method, checks = _again.stand_in(need)
    demand = _again.demand_of(need)
    base = need if method == need.inputs["method"] else _again.again(need)
    level = _again.overall(base.frame)["service_level"]
    patience, shrinkage = need.inputs["patience"], need.inputs["shrinkage"]
    factors = ["volume", "handle time"]
    if patience is not None and _methods.is_exponential(patience):
        factors.append("patience")
    else:
        words = "not varied: " + (
            "nobody gives up in this model"
            if patience is None
            else "it is a law, not a mean in seconds"
        )
        checks = [*checks, Check("Patience", "informs", words)]
    if shrinkage:
        factors.append("shrinkage")
    rows = [
        _changed(base, demand, factor, sign * by, level) for factor in factors for sign in (-1, 1)
    ]
    return Sensitivity(
        frame=pl.DataFrame(rows),
        requirement=base,
        inputs={**base.inputs, "change": by},
        checks=tuple(checks),
    )


def _changed(
    base: Requirement, demand: pl.DataFrame, factor: str, change: float, level: float
) -> dict[str, Any]:
    import polars as pl

    by = 1 + change
    settings: dict[str, Any] = {}
    agents = base.frame["required_agents"].to_numpy()
    if factor == "volume":
        demand = demand.with_columns(pl.col("calls") * by)
    elif factor == "handle time":
        demand = demand.with_columns(pl.col("aht_s") * by)
    elif factor == "patience":
        settings["patience"] = base.inputs["patience"] * by
    else:
        settings["shrinkage"] = min(base.inputs["shrinkage"] * by, 0.99)
    new = _again.again(base, demand, **settings)
    if factor == "shrinkage":
        # Fewer scheduled do for the same seats; those scheduled already seat so many.
        planned = _seated(base, settings["shrinkage"])
        agents = np.where(agents > 0, planned, 0)
        settings = {}
    held = _again.overall(
        base.frame.with_columns(required_agents=pl.Series(agents)),
        _again.with_agents(base, demand, agents, **settings),
    )["service_level"]
    seats = int(base.frame["scheduled_agents"].to_numpy().max())
    new_seats = int(new.frame["scheduled_agents"].to_numpy().max())
    return {
        "factor": factor,
        "change": change,
        "scheduled_agents": new_seats,
        "seats_change": new_seats - seats,
        "scheduled_hours": new.scheduled_hours,
        "hours_change": new.scheduled_hours - base.scheduled_hours,
        "service_level": held,
        "level_change": held - level,
    }


def _seated(base: Requirement, shrinkage: float) -> Any:
    """Give the agents seated, if the people of the plan meet another shrinkage."""
    asked, share = base.frame["required_agents"].to_numpy(), base.inputs["shrinkage"]
    people = np.ceil(np.round(asked / (1 - share), 9))
    return np.floor(np.round(people * (1 - shrinkage), 9)).astype(np.int64)
