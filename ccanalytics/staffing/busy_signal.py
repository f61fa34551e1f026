"""The busy-signal trick: fewer lines make the queue look good, since fewer callers get into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.results import Check, Result
from ccanalytics.servicelevel import ServiceLevel
from ccanalytics.staffing._line_model import LineModel
from ccanalytics.staffing._seats import check_share, counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

__all__ = ["BusySignal", "busy_signal"]

_RARE = 0.002  # blocking at which the default range of lines ends
_POINTS = 60


@dataclass(frozen=True, eq=False, kw_only=True)
class BusySignal(Result):
    """What callers meet with the same agents on more and more lines.

    Attributes
    ----------
    frame
        Per number of ``lines``: ``blocking``, ``service_level`` (of those who got in: what the
        queue's own report shows), ``service_level_of_all`` (who met a busy signal counts as not
        served), ``asa_s``, ``wait_probability``, ``abandonment``, ``occupancy``.
    goal
        The service level asked for.
    """

    frame: pl.DataFrame
    goal: ServiceLevel

    @property
    def flattering(self) -> dict[str, Any] | None:
        """Row with most lines at which the queue's report meets the goal and all callers do not."""
        lying = self.frame.filter(
            self.frame["service_level"] >= self.goal.share,
            self.frame["service_level_of_all"] < self.goal.share,
        )
        return lying.row(-1, named=True) if lying.height else None

    def summary(self) -> str:
        """The two reports of the fewest and the most lines."""
        few, many = (self.frame.row(k, named=True) for k in (0, -1))
        who = counted(self.inputs["agents"], "agent")
        drop = few["service_level"] - many["service_level"]
        told = (
            f"With the same {who}, {few['lines']:,} lines show {few['service_level']:.1%} served "
            f"as wanted where {many['lines']:,} lines show {many['service_level']:.1%}; but "
            f"{few['blocking']:.1%} of calls met a busy signal instead of {many['blocking']:.1%}, "
            f"and of all callers {few['service_level_of_all']:.1%} and "
            f"{many['service_level_of_all']:.1%} were served as wanted."
            if drop > 0.005
            else f"With {who} the number of lines hardly changes what the queue's report shows: "
            f"{few['service_level']:.1%} served as wanted on {few['lines']:,} lines, "
            f"{many['service_level']:.1%} on {many['lines']:,}; busy signals fall from "
            f"{few['blocking']:.1%} to {many['blocking']:.1%} of calls."
        )
        return f"{told} {self.goal}; lines, voice menu and agents jointly."

    def to_frame(self) -> pl.DataFrame:
        """Give the rows."""
        return self.frame


def busy_signal(
    calls: float,
    per: float,
    aht: float,
    goal: ServiceLevel,
    *,
    agents: int,
    menu: float = 0.0,
    to_agent: float = 1.0,
    patience: float | None = None,
    redial: float = 0.0,
    lines: Iterable[int] | None = None,
) -> BusySignal:
    """Show blocking, service level and speed of answer against the number of lines.

    Parameters
    ----------
    calls, per
        Calls that come in, in so many seconds.
    aht
        Handle time in seconds.
    goal
        The service level; its own counting of blocked calls does not matter here.
    agents
        Agents seated, the same throughout.
    menu, to_agent, patience, redial
        As for :func:`~ccanalytics.staffing.trunks`.
    lines
        Numbers of lines; default: from one for every agent until busy signals are rare.

    Returns
    -------
    BusySignal

    Raises
    ------
    InputError
        Fewer lines than agents, no line at all, or numbers out of their range.

    Examples
    --------
    >>> from ccanalytics import ServiceLevel
    >>> shown = busy_signal(600, 3600, 180, ServiceLevel(0.80, within=20), agents=22, menu=60,
    ...                     to_agent=0.7, lines=[30, 64])
    >>> [round(x, 3) for x in shown.frame["service_level"]]
    [0.976, 0.382]
    """
    import polars as pl

    if not isinstance(goal, ServiceLevel):
        raise InputError("the goal must be a ServiceLevel", f"goal={goal!r}")
    check_share("redial", redial, low=0, allow_one=True)
    goal = replace(goal, include_blocked=False)
    of_all = replace(goal, include_blocked=True)
    try:
        came, length, handled = (np.array([float(x)]) for x in (calls, per, aht))
    except (TypeError, ValueError) as error:
        raise InputError("these must be numbers", f"{calls=}, {per=}, {aht=}") from error
    model = LineModel(came, length, handled, menu, to_agent, patience, redial, goal, _RARE, None)
    model.queue(0)
    if isinstance(agents, bool) or not isinstance(agents, (int, np.integer)) or agents < 1:
        raise InputError("agents are whole, 1 or more", f"agents={agents!r}")
    numbers = _lines(model, int(agents), lines)
    rows = []
    for many in numbers:
        found = model.at(0, int(agents), many)
        rows.append(
            {
                "lines": many,
                "blocking": found.blocking,
                "service_level": found.service_level(goal),
                "service_level_of_all": found.service_level(of_all),
                "asa_s": found.asa,
                "wait_probability": found.wait_probability,
                "abandonment": found.abandonment,
                "occupancy": found.occupancy,
            }
        )
    shown = BusySignal(
        frame=pl.DataFrame(rows),
        goal=goal,
        inputs={
            "calls": calls, "per": per, "aht": aht, "goal": goal.describe(), "agents": int(agents),
            "menu": menu, "to_agent": to_agent, "patience": patience, "redial": redial,
        },
    )  # fmt: skip
    lying = shown.flattering
    if lying is None:
        words = "no number of lines here makes the queue's report meet the goal against the callers"
        check = Check("Busy-signal trick", "holds", words)
    else:
        words = (
            f"on {lying['lines']:,} lines the queue's report says {lying['service_level']:.1%} and "
            f"the goal looks met, while of all callers {lying['service_level_of_all']:.1%} are "
            f"served as wanted and {lying['blocking']:.1%} meet a busy signal"
        )
        check = Check("Busy-signal trick", "informs", words)
    return replace(shown, checks=(check,))


def _lines(model: LineModel, agents: int, lines: Iterable[int] | None) -> list[int]:
    if lines is None:
        spare = 2 * agents + int(2 * model.menu_load[0]) + 10
        try:
            last = min(model.lines_for(0, agents), agents + 3 * spare)
        except InputError:  # agents who never keep up: the queue fills whatever there is
            last = agents + spare
        last = max(last, agents + 5)
        return list(range(agents, last + 1, max(1, (last - agents) // _POINTS)))
    try:
        given = list(lines)
        numbers = sorted({int(n) for n in given})
        whole = all(float(n) == int(n) and not isinstance(n, bool) for n in given)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError("lines are whole numbers", f"lines={lines!r}") from error
    if not whole:
        raise InputError("lines are whole numbers", f"lines={given!r}")
    if not numbers:
        raise InputError("give some numbers of lines", "lines=[]", "such as range(22, 65)")
    if numbers[0] < agents:
        raise InputError(
            "there are fewer lines than agents: some could never have a caller",
            f"lines={numbers[0]}, agents={agents}",
            "give at least a line for every agent",
        )
    return numbers
