"""A first shift cover: the cheapest set of shifts that seats what every interval requires."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._seats import check_number, clock, counted
from ccanalytics.staffing.required import SINGLE_DAYS, Requirement
from ccanalytics.staffing.shifts import Shift

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["ShiftCover", "cover"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ShiftCover(Result):
    """How many people work each shift, and what that seats.

    Attributes
    ----------
    shifts
        Per shift: ``shift``, ``start``, ``length_s``, ``cost`` of one person, ``agents``.
    intervals
        Per interval: the column that was covered, ``covered_agents``, and the difference,
        ``spare_agents`` or ``uncovered_agents``.
    cost
        Of all shifts, in the unit of the shifts' costs; agent-hours where they had none.
    optimal
        Whether nothing cheaper exists (proved), or the search stopped with what it had.
    """

    shifts: pl.DataFrame
    intervals: pl.DataFrame
    cost: float
    optimal: bool

    @property
    def people(self) -> int:
        """Number of shifts worked."""
        return int(self.shifts["agents"].sum())

    @property
    def paid_hours(self) -> float:
        """Agent-hours of all shifts."""
        return float((self.shifts["agents"] * self.shifts["length_s"]).sum()) / 3600

    def hours(self, column: str) -> float:
        """Agent-hours of a column of the intervals, such as ``spare_agents``."""
        return float((self.intervals[column] * self.intervals["interval_s"]).sum()) / 3600

    def seated(self) -> pl.DataFrame:
        """Give people by shift and interval, in long form, shifts without people left out."""
        import polars as pl

        used = self.shifts.filter(pl.col("agents") > 0)
        rows = [
            {"local_start": at, "shift": row["shift"], "agents": row["agents"]}
            for row in used.iter_rows(named=True)
            for at, length in self.intervals.select("local_start", "interval_s").iter_rows()
            if Shift("", row["start_s"], row["length_s"]).covers(_second(at), length)
        ]
        return pl.DataFrame(
            rows, schema={"local_start": pl.Datetime, "shift": pl.String, "agents": pl.Int64}
        )

    def table(self) -> pl.DataFrame:
        """Give the shifts that are worked, as a table to read."""
        import polars as pl

        used = self.shifts.filter(pl.col("agents") > 0).sort("start_s")
        hours = (pl.col("length_s") / 3600).alias("hours")
        # Planned, not persons of the log: no small cell, so not named "people".
        return used.select("shift", hours, pl.col("agents").alias("scheduled_agents"))

    def summary(self) -> str:
        """People, cost and waste in words; what no shift covers first."""
        need, spare = self.hours(self.inputs["agents"]), self.hours("spare_agents")
        missed = self.intervals.filter(self.intervals["uncovered_agents"] > 0)
        first, which = "", "every interval"
        if missed.height:
            most = int(missed["uncovered_agents"].to_numpy().max())
            needed = counted(most, "agent") + (" is needed" if most == 1 else " are needed")
            first = f"No shift covers {_ranges(missed)}, where up to {needed}. "
            which = "the other intervals"
        costs = f" at a cost of {self.cost:,.10g}" if self.inputs["priced"] else ""
        shifts = self.shifts.filter(self.shifts["agents"] > 0).height
        proof = (
            "nothing cheaper exists (proved)"
            if self.optimal
            else "the search ended before this was proved cheapest"
        )
        return (
            f"{first}{'1 person' if self.people == 1 else f'{self.people:,} people'} on "
            f"{counted(shifts, 'shift')} cover{'s' if self.people == 1 else ''} {which}{costs}: "
            f"{self.paid_hours:,.1f} paid hours for {need:,.1f} hours needed, {spare:,.1f} hours "
            f"to spare; {proof}. Integer programme (CP-SAT through pyworkforce) over "
            f"{self.shifts.height} possible shifts of one day that repeats, so a shift over "
            "midnight serves the early hours; without breaks."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the shifts."""
        return self.shifts


def cover(
    requirement: Requirement | Any,
    shifts: Sequence[Shift],
    *,
    agents: str = "scheduled_agents",
    max_seats: int | None = None,
    max_seconds: float = 30.0,
) -> ShiftCover:
    """Cover one day's requirement with shifts at least cost (Dantzig 1954).

    Minimise Σ cost·x over whole numbers x of people per shift, so that in every interval the
    people on shifts that span the whole of it are at least the agents needed. The day repeats:
    a shift over midnight covers the early hours. Intervals that no shift can cover are left out
    of the programme and reported.

    Parameters
    ----------
    requirement
        A :class:`Requirement` of one day, or a frame with local_start, interval_s and ``agents``.
    shifts
        What :func:`shifts` made. Costs for all of them, or for none.
    agents
        Which column to cover: ``scheduled_agents`` are people on shift, shrinkage included;
        ``required_agents`` would be seats.
    max_seats
        Never more people at once than this.
    max_seconds
        End the search then, with the best cover found.

    Raises
    ------
    InputError
        Several days or keys, no shifts, two of one name, or a max_seats that cannot hold.
    DataError
        No cover found in the time given.

    References
    ----------
    G. B. Dantzig (1954), A comment on Edie's "Traffic delays at toll booths", Operations
    Research 2, 339–341.
    """
    import polars as pl

    rows = _one_day(requirement, agents)
    listed = _listed(shifts)
    need = rows[agents].to_numpy().astype(int)
    at = [_second(stamp) for stamp in rows["local_start"]]
    matrix = np.array(
        [[int(s.covers(a, n)) for a, n in zip(at, rows["interval_s"], strict=True)] for s in listed]
    )
    asked = np.where(matrix.any(axis=0), need, 0)
    cost, scale = _whole_costs(listed)
    limit = _limit(max_seats, rows, asked)
    people, optimal = _solve(listed, matrix, asked, cost, limit, max_seconds)
    seated = people @ matrix
    priced = listed[0].cost is not None
    intervals = rows.with_columns(
        pl.Series("covered_agents", seated),
        pl.Series("spare_agents", np.maximum(seated - need, 0)),
        pl.Series("uncovered_agents", np.maximum(need - seated, 0)),
    )
    return ShiftCover(
        shifts=pl.DataFrame(
            {
                "shift": [s.name for s in listed],
                "start": [clock(s.start_s) for s in listed],
                "start_s": [s.start_s for s in listed],
                "length_s": [s.length_s for s in listed],
                "cost": [s.length_s / 3600 if s.cost is None else float(s.cost) for s in listed],
                "agents": people,
            }
        ),
        intervals=intervals,
        cost=float(Fraction(int(people @ np.array(cost))) / scale),
        optimal=optimal,
        inputs={"agents": agents, "max_seats": max_seats, "priced": priced,
                "max_seconds": max_seconds},
        checks=(*_checks(intervals, optimal), *_inherited(requirement)),
    )  # fmt: skip


def _one_day(requirement: Any, agents: str) -> pl.DataFrame:
    import polars as pl

    frame = requirement.frame if isinstance(requirement, Requirement) else requirement
    if not isinstance(frame, pl.DataFrame):
        raise InputError(
            "shifts cover a Requirement or a polars frame", f"got {type(frame).__name__}", ""
        )
    missing = [c for c in ("local_start", "interval_s", agents) if c not in frame.columns]
    if missing:
        raise InputError(
            "the requirement lacks a column",
            "missing: " + ", ".join(missing),
            "take it from staffing.requirement(staffing.typical_day(…), goal)",
        )
    if frame.height == 0:
        raise DataError("the requirement is empty", "0 rows", "give one day")
    if frame["local_start"].dt.date().n_unique() > 1 or frame["local_start"].is_duplicated().any():
        raise InputError(
            "shifts are covered for one day and one queue at a time",
            f"{frame.height} intervals from {frame['local_start'][0]} to "
            f"{frame['local_start'][-1]}",
            "filter to one day, or take a typical day",
        )
    value = frame[agents]
    if not value.dtype.is_integer() or value.null_count() or (value < 0).any():
        raise InputError("agents are whole numbers, 0 or more", f"column {agents!r}", "")
    return frame.select("local_start", "interval_s", agents).sort("local_start")


def _listed(shifts: Sequence[Shift]) -> list[Shift]:
    listed = list(shifts)
    if not listed or not all(isinstance(shift, Shift) for shift in listed):
        raise InputError(
            "shifts must be a list of Shift", f"got {listed[:2]!r}", "make it by staffing.shifts(…)"
        )
    names = [shift.name for shift in listed]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError("two shifts have one name", ", ".join(twice[:3]), "leave one out")
    if len({shift.cost is None for shift in listed}) > 1:
        raise InputError("some shifts have a cost and some have none", "", "give all of them one")
    return listed


def _whole_costs(shifts: list[Shift]) -> tuple[list[int], int]:
    """Scale costs to whole numbers, which the solver wants; paid hours count in minutes."""
    if shifts[0].cost is None:
        return [shift.length_s // 60 for shift in shifts], 60
    # Four decimals: finer than any payroll.
    exact = [Fraction(str(round(float(shift.cost or 0), 4))) for shift in shifts]
    scale = lcm(*(value.denominator for value in exact))
    return [int(value * scale) for value in exact], scale


def _limit(max_seats: int | None, rows: pl.DataFrame, asked: np.ndarray) -> int:
    most = int(asked.max(initial=0))
    if max_seats is None:
        return 0
    if isinstance(max_seats, bool) or not isinstance(max_seats, (int, np.integer)) or max_seats < 1:
        raise InputError("seats are a whole number from 1", f"max_seats={max_seats!r}", "")
    if max_seats < most:
        at = rows["local_start"][int(asked.argmax())]
        raise InputError(
            f"{most} agents are needed at {at:%H:%M}, more than there are seats",
            f"max_seats={max_seats}",
            "give more seats, or a lower goal",
        )
    return int(max_seats)


def _solve(
    shifts: list[Shift],
    matrix: np.ndarray,
    asked: np.ndarray,
    cost: list[int],
    limit: int,
    max_seconds: float,
) -> tuple[np.ndarray, bool]:
    """Hand the programme to pyworkforce."""
    if check_number("max_seconds", max_seconds) <= 0:
        raise InputError("the search needs some time", f"max_seconds={max_seconds!r}", "such as 30")
    most = int(asked.max(initial=0))
    if most == 0:
        return np.zeros(len(shifts), dtype=np.int64), True
    from pyworkforce.scheduling import MinRequiredResources

    # The keys are numbers: names come from users and would become names of columns.
    solution = MinRequiredResources(
        num_days=1,
        periods=asked.size,
        shifts_coverage={str(i): row.tolist() for i, row in enumerate(matrix)},
        required_resources=[asked.tolist()],
        max_period_concurrency=limit or most * len(shifts),
        max_shift_concurrency=most,
        cost_dict={str(i): value for i, value in enumerate(cost)},
        max_search_time=float(max_seconds),
        num_search_workers=1,  # of several cheapest covers, the same one every time
    ).solve()
    if solution["status"] == "INFEASIBLE":
        raise InputError(
            "these shifts cannot cover the day without seating more people at once than there "
            "are seats",
            f"max_seats={limit}",
            "give more seats, or shorter shifts and more starts",
        )
    if solution["status"] not in ("OPTIMAL", "FEASIBLE"):
        raise DataError(
            "no cover was found in the time given",
            f"max_seconds={max_seconds:g}",
            "give more time, or fewer shifts",
        )
    people = np.zeros(len(shifts), dtype=np.int64)
    for row in solution["resources_shifts"]:
        people[int(row["shift"])] = row["resources"]
    return people, solution["status"] == "OPTIMAL"


def _checks(intervals: pl.DataFrame, optimal: bool) -> tuple[Check, ...]:
    missed = intervals.filter(intervals["uncovered_agents"] > 0)
    name = "Coverage"
    covered = (
        Check(name, "holds", "no interval has fewer people than it needs")
        if missed.is_empty()
        else Check(name, "fails", f"no shift spans {_ranges(missed)}; add a shift that does")
    )
    if optimal:
        return (covered,)
    words = "not proved, the search ended early; give more max_seconds"
    return (covered, Check("Least cost", "fails", words))


def _inherited(requirement: Any) -> list[Check]:
    """Repeat what the requirement itself is doubted for: shifts are paid for its slips too."""
    if not isinstance(requirement, Requirement):
        return []
    return [
        check
        for check in requirement.checks
        if check.status == "fails"
        and (check.name == SINGLE_DAYS or check.name == requirement.lacks.capitalize())
    ]


def _second(stamp: Any) -> int:
    return int(stamp.hour * 3600 + stamp.minute * 60 + stamp.second)


def _ranges(intervals: pl.DataFrame) -> str:
    """Join neighbouring intervals: 00:00–01:30, 05:00–05:30."""
    spans: list[list[int]] = []
    for stamp, length in intervals.select("local_start", "interval_s").iter_rows():
        start, end = _second(stamp), _second(stamp) + int(length)
        if spans and spans[-1][1] == start:
            spans[-1][1] = end
        else:
            spans.append([start, end])
    return ", ".join(f"{clock(start)}–{clock(end)}" for start, end in spans)
