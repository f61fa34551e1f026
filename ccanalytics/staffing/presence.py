"""Agents of the log beside a plan: how many were there, how busy, and where paid time went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._seats import counted
from ccanalytics.staffing.measured import ON_CALLS, measured_shrinkage
from ccanalytics.staffing.required import Requirement
from ccanalytics.staffing.typical import TypicalDemand
from ccanalytics.statistics.frames import as_polars

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.staffing.measured import MeasuredShrinkage

__all__ = ["AgentsSeen", "agents_seen"]

Source = Literal["agent states", "calls"]


@dataclass(frozen=True, eq=False, kw_only=True)
class AgentsSeen(Result):
    """Agents on the days that a plan was made from.

    Attributes
    ----------
    frame
        Per interval of the typical day: ``local_start``, ``interval_s``, ``load`` (erlangs),
        ``required_agents``, and ``agents_present`` (mean over the days); empty where the log knows
        of no agent.
    source
        Where presence comes from: ``agent states`` (measured) or ``calls`` (inferred); None.
    days
        How many days the mean is over.
    shrinkage
        Where paid time went; None where the log has no agent states.
    missing
        Name of each part that is None, and why.
    """

    frame: pl.DataFrame
    source: Source | None
    days: int
    requirement: Requirement
    shrinkage: MeasuredShrinkage | None
    missing: dict[str, str]

    @property
    def hours(self) -> float:
        """Agent-hours present over the day."""
        return float((self.frame["agents_present"] * self.frame["interval_s"]).sum()) / 3600

    def summary(self) -> str:
        """Present against required, and where paid time went."""
        if self.source is None:
            return f"How many agents were there is unknown: {self.missing['presence']}."
        need = self.requirement
        at = need.peak["local_start"]
        row = self.frame.filter(self.frame["local_start"] == at).row(0, named=True)
        how = (
            "measured from agent states (available, handling or in after-call work)"
            if self.source == "agent states"
            else "inferred from calls, so that agents who idled at the edges of a spell are missed"
        )
        of = f" of {self.inputs['days']}" if self.days < self.inputs["days"] else ""
        words = (
            f"At the plan's peak, {need.when(need.peak)}, {row['agents_present']:.1f} agents were "
            f"present on average where {row['required_agents']} are required; over the day "
            f"{self.hours:,.1f} agent-hours where {need.agent_hours:,.1f} are. Present is {how}; "
            f"mean over {counted(self.days, 'day')}{of}."
        )
        if self.shrinkage is not None:
            busy, lost = self.shrinkage.occupancy.format("{:.0%}"), self.shrinkage.share.value
            words += (
                f" Agents on calls were busy {busy} of that time, and {lost:.0%} of paid time "
                f"was not spent on calls, where the plan takes {need.inputs['shrinkage']:.0%}."
            )
        return words

    def to_frame(self) -> pl.DataFrame:
        """Give the intervals."""
        return self.frame


def agents_seen(
    requirement: Requirement,
    typical: TypicalDemand,
    states: Any = None,
    inferred: Any = None,
    activities: Any = None,
) -> AgentsSeen:
    """Set the agents of the log beside those a plan requires, on the days of the plan.

    Agent states are measured and go first; where the log has none, presence as inferred from calls
    stands in and is said to be inferred.

    Parameters
    ----------
    requirement, typical
        The plan of a typical day, and that day.
    states
        Frame of ``log.agent_time(every)`` at the plan's intervals, or None.
    inferred
        Frame of ``log.agents_present(every)`` at the plan's intervals, or None.
    activities
        Frame of ``log.activities()``, for shrinkage; or None.

    Raises
    ------
    InputError
        Things of another kind. What the data cannot answer raises nothing, and is in ``missing``.
    """
    import polars as pl

    if not isinstance(requirement, Requirement) or not isinstance(typical, TypicalDemand):
        raise InputError(
            "agents are set beside the plan of a typical day",
            f"got {type(requirement).__name__} and {type(typical).__name__}",
            "give what staffing.requirement and staffing.typical_day returned",
        )
    missing: dict[str, str] = {}
    seen = pl.DataFrame()
    source: Source | None = None
    if states is not None:
        rows = as_polars(states, "states", ["local_start", "state", "actual_s", "interval_s"],
                         "log.agent_time(every)")  # fmt: skip
        rows = rows.filter(pl.col("state").is_in(ON_CALLS), pl.col("actual_s").is_not_null())
        seen = rows.group_by("local_start").agg(_s=pl.col("actual_s").sum())
        source = "agent states"
    if not seen.height and inferred is not None:
        rows = as_polars(inferred, "inferred", ["local_start", "agents_present", "interval_s"],
                         "log.agents_present(every)")  # fmt: skip
        seen = rows.group_by("local_start").agg(
            _s=(pl.col("agents_present") * pl.col("interval_s")).sum()
        )
        source = "calls"
    frame, days = pl.DataFrame(), 0
    if seen.height:
        frame, days = _by_clock(requirement, typical, seen)
    if not days:
        source, frame = None, frame.clear()
        missing["presence"] = (
            "the log has neither agent states nor the agent of each call"
            if not seen.height
            else "no agent was seen on the days of this plan"
        )
    shrinkage = None
    if activities is None:
        missing["shrinkage"] = "the log has no agent states"
    else:
        try:
            shrinkage = measured_shrinkage(activities)
        except DataError as error:
            missing["shrinkage"] = f"{error.what} ({error.where})"
    checks = []
    if shrinkage is None and source is not None:
        checks.append(Check("Shrinkage", "informs", f"unknown: {missing['shrinkage']}"))
    if source == "calls":
        words = "inferred from calls, not measured: a lower bound while agents idle"
        checks.append(Check("Agents present", "informs", words))
    return AgentsSeen(
        frame=frame, source=source, days=days, requirement=requirement, shrinkage=shrinkage,
        missing=missing, inputs={"name": requirement.name, "days": len(typical.dates)},
        checks=tuple(checks),
    )  # fmt: skip


def _by_clock(
    need: Requirement, typical: TypicalDemand, seen: pl.DataFrame
) -> tuple[pl.DataFrame, int]:
    """The mean per time of day over those days of the plan on which anybody was seen."""
    import polars as pl

    at = pl.col("local_start")
    seen = seen.filter(at.dt.date().is_in(list(typical.dates)))
    days = seen.filter(pl.col("_s") > 0)["local_start"].dt.date().n_unique()
    clock = at.dt.strftime("%H:%M").alias("_clock")
    by_clock = seen.group_by(clock).agg(pl.col("_s").sum() / max(days, 1))
    frame = need.frame.select("local_start", "interval_s", "load", "required_agents", clock)
    present = (pl.col("_s").fill_null(0.0) / pl.col("interval_s")).alias("agents_present")
    joined = frame.join(by_clock, on="_clock", how="left", maintain_order="left")
    return joined.with_columns(present).drop("_clock", "_s"), days
