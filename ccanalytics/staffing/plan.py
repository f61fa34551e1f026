"""The plan of a day: its requirement and the shifts that cover it, as one answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ccanalytics.errors import InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._seats import counted, percent
from ccanalytics.staffing.cover import ShiftCover
from ccanalytics.staffing.required import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import polars as pl

__all__ = ["DayPlan", "day_plan"]


@dataclass(frozen=True, eq=False, kw_only=True)
class DayPlan(Result):
    """Goal, seats and shifts of one day.

    Attributes
    ----------
    requirement, shifts
        What it is made of.
    """

    requirement: Requirement
    shifts: ShiftCover

    def summary(self) -> str:
        """Goal, agents at the peak and cost of the shifts in a sentence, then what stands behind.

        The goal is written without its way of counting; the sentences after have it in full.
        """
        need, cover = self.requirement, self.shifts
        top, shrinkage = need.peak, need.inputs["shrinkage"]
        least = "at least " if need.lacks else ""
        scheduled = (
            f" ({top['scheduled_agents']} scheduled after {percent(shrinkage)} shrinkage)"
            if shrinkage
            else ""
        )
        day = f" on an {need.name}" if need.name else ""
        hours = f"{cover.paid_hours:,.10g} paid hours"
        cost = (
            f"{cover.cost:,.10g} ({hours}, {counted_people(cover.people)})"
            if cover.inputs["priced"]
            else f"{hours} ({counted_people(cover.people)})"
        )
        missed = cover.intervals.filter(cover.intervals["uncovered_agents"] > 0).height
        but = f", and leave {counted(missed, 'interval')} uncovered" if missed else ""
        return (
            f"{need.goal.describe().split(',')[0]}{day}: "
            f"{least}{counted(top['required_agents'], 'agent')} seated at the peak, "
            f"{need.at_peak()}{scheduled}{need.caution}; shifts cost {least}{cost}{but}. "
            f"{need.details()}"
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the requirement: one row per interval."""
        return self.requirement.to_frame()

    def write(self, path: str | Path) -> Path:
        """Write the requirement as ``.csv``, or with the shifts beside it as ``.xlsx``.

        See :meth:`Requirement.write`.
        """
        from ccanalytics.staffing._sheet import write

        names = {"shift": "Shift", "hours": "Length (hours)", "scheduled_agents": "People"}
        shifts = self.shifts.table().rename(names)
        return write({"Requirement": self.requirement.sheet(), "Shifts": shifts}, path)


def day_plan(
    requirement: Requirement, shifts: ShiftCover, *, doubts: Iterable[Check] = ()
) -> DayPlan:
    """Put a requirement and its cover together, so that one sentence names goal, seats and cost.

    Parameters
    ----------
    requirement
        What :func:`requirement` gave, of one day and one queue.
    shifts
        What :func:`cover` made of it.
    doubts
        Further checks that shall travel with the plan; they stand first.

    Raises
    ------
    InputError
        Things of another kind, or shifts that cover other agents than these.
    """
    if not isinstance(requirement, Requirement) or not isinstance(shifts, ShiftCover):
        got = f"{type(requirement).__name__} and {type(shifts).__name__}"
        raise InputError(
            "a plan is a Requirement and a ShiftCover", f"got {got}", "see requirement and cover"
        )
    asked = shifts.inputs["agents"]
    ours = requirement.frame.sort("local_start").select("local_start", asked)
    if not ours.equals(shifts.intervals.select("local_start", asked)):
        raise InputError(
            "these shifts cover another requirement",
            f"column {asked!r} differs",
            "give the cover of this requirement",
        )
    told = {check.name for check in requirement.checks}
    return DayPlan(
        requirement=requirement,
        shifts=shifts,
        inputs={**requirement.inputs, **shifts.inputs},
        checks=(
            *doubts,
            *requirement.checks,
            *(check for check in shifts.checks if check.name not in told),
        ),
    )


def counted_people(number: int) -> str:
    """Write a number of people.

    >>> counted_people(1), counted_people(36)
    ('1 person', '36 people')
    """
    return "1 person" if number == 1 else f"{number:,} people"
