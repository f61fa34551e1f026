"""What the law of patience costs in seats: Erlang C, exponential, and the log's own curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._seats import check_number, counted
from ccanalytics.statistics.frames import spoken

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.statistics.patience import Patience

__all__ = ["SeatsByPatience", "seats_by_patience"]


@dataclass(frozen=True, eq=False, kw_only=True)
class SeatsByPatience(Result):
    """Seats under each law of patience, and what they do if the log's own curve is right.

    Attributes
    ----------
    frame
        Per law (``none``, ``exponential``, ``own``): ``required_agents``; what that law promises
        with them (``service_level``, ``abandonment``); and what the own curve says of so many
        (``service_level_own``, ``abandonment_own``).
    """

    frame: pl.DataFrame

    def seats(self, law: str) -> int:
        """Seats under one law: ``none``, ``exponential`` or ``own``."""
        rows = self.frame.filter(self.frame["law"] == law)
        if not rows.height:
            raise InputError("no such law", f"law={law!r}", "none, exponential or own")
        return int(rows["required_agents"][0])

    def summary(self) -> str:
        """The seats in words, and what the exponential law costs."""
        exponential, own = self.seats("exponential"), self.seats("own")
        less = exponential - own
        cost = (
            "the exponential law costs nothing here"
            if not less
            else f"the exponential law asks for {abs(less)} seat{'s' if abs(less) > 1 else ''} "
            f"{'too many' if less > 0 else 'too few'}"
        )
        none = self.seats("none")
        worth = (
            "That callers give up saves no seat here"
            if none <= own
            else f"That callers give up saves {counted(none - own, 'seat')}"
        )
        return (
            f"{worth}: {own} with the log's own patience, {none} if nobody gave up (Erlang C). "
            f"With exponential patience of {spoken(self.inputs['exponential_s'])} on average "
            f"(Erlang A) it is {exponential}: {cost}. Seats for {self.inputs['calls']:,.0f} calls "
            f"of {self.inputs['aht']:,.0f} s in {spoken(self.inputs['per'])}, the goal being "
            f"{self.inputs['goal'].describe()}."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the laws."""
        return self.frame


def seats_by_patience(
    found: Patience, goal: ServiceLevel, *, calls: float, aht: float, per: float = 1800.0,
    group: tuple[Any, ...] = (), max_abandonment: float | None = None,
) -> SeatsByPatience:  # fmt: skip
    """Set the seats of one interval under three laws of patience side by side.

    Parameters
    ----------
    found
        What :func:`ccanalytics.statistics.patience` gave.
    goal
        The service level wanted.
    calls, aht, per
        Calls in an interval of ``per`` seconds, and their average handle time in seconds.
    group
        Values of the keys of ``found``, in their order.
    max_abandonment
        Greatest share that may give up, 0–1; Erlang C, in which nobody does, ignores it.

    Examples
    --------
    >>> import polars as pl
    >>> from ccanalytics import ServiceLevel
    >>> from ccanalytics.statistics.patience import patience
    >>> import numpy as np
    >>> rng = np.random.default_rng(5)
    >>> left, answer = 300 * rng.weibull(0.6, 9000), rng.exponential(60, 9000)
    >>> waits = pl.DataFrame({"seconds": np.minimum(left, answer).round().astype(int),
    ...     "outcome": np.where(left < answer, "abandoned", "answered"), "calls": 1,
    ...     "queued": True})
    >>> seats = seats_by_patience(patience(waits), ServiceLevel(0.8, 20), calls=100, aht=180)
    >>> seats.seats("none"), seats.seats("own") < seats.seats("none")
    (14, True)
    """
    import polars as pl

    from ccanalytics.queueing import Queue

    for name, value in (("calls", calls), ("aht", aht), ("per", per)):
        check_number(name, value)
    own = found.law(*group)
    mean = found.quantile("exponential_patience_s", *group).value
    true = Queue(calls, per, aht, patience=own)
    rows = []
    for name, law in (("none", None), ("exponential", mean), ("own", own)):
        queue = Queue(calls, per, aht, patience=law)
        limit = None if law is None else max_abandonment
        agents = int(queue.agents_for(goal, max_abandonment=limit))
        promised, kept = queue.performance(agents), true.performance(agents)
        rows.append(
            (name, agents, promised.service_level(goal), promised.abandonment,
             kept.service_level(goal), kept.abandonment)
        )  # fmt: skip
    numbers = ("service_level", "abandonment", "service_level_own", "abandonment_own")
    frame = pl.DataFrame(
        rows,
        schema={"law": pl.String, "required_agents": pl.Int64} | dict.fromkeys(numbers, pl.Float64),
        orient="row",
    )
    same = len({row[1] for row in rows[1:]}) == 1
    return SeatsByPatience(
        frame=frame,
        inputs={"calls": calls, "aht": aht, "per": per, "goal": goal, "group": group,
                "max_abandonment": max_abandonment, "exponential_s": mean},
        checks=(Check("Exponential law for seats", "holds" if same else "fails",
                      f"{rows[1][1]} seats against {rows[2][1]} with the log's own curve"),),
    )  # fmt: skip
