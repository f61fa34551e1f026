"""What every question of staffing shares: checked arguments, and the least agents per row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError, share_hint
from ccanalytics.servicelevel import ServiceLevel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Rules",
    "check_number",
    "check_share",
    "clock",
    "counted",
    "on_day",
    "tied",
    "time_of_day",
]


_MOST_AGENTS = 1_000_000  # more than any centre has; larger numbers are slips


_LEAST_OCCUPANCY = 0.05


def _is_list(patience: Any) -> bool:
    """Whether patience holds several numbers; a law does not, and neither does an array of one."""
    if isinstance(patience, np.ndarray):
        return patience.ndim > 0
    return isinstance(patience, (list, tuple)) or hasattr(patience, "to_numpy")


@dataclass(frozen=True, eq=False)
class Rules:
    """What the agents must achieve, and the bounds beside the goal."""

    goal: ServiceLevel
    shrinkage: Any = 0.0
    patience: Any = None
    max_occupancy: float | None = None
    max_abandonment: float | None = None
    min_agents: int = 0
    absence: float = 0.0
    show_up: float = 0.95

    def __post_init__(self) -> None:
        if not isinstance(self.goal, ServiceLevel):
            raise InputError(
                "the goal must be a ServiceLevel",
                f"goal={self.goal!r}",
                "write ServiceLevel(0.80, within=20)",
            )
        from ccanalytics.staffing.shrinkage import shrinkage_share

        shrinkage_share(self.shrinkage)
        check_share("absence", self.absence, low=0, allow_one=False)
        check_share("show_up", self.show_up, low=0, allow_one=False)
        if self.show_up == 0:
            raise InputError(
                "with no chance asked for, nobody need turn up",
                f"show_up={self.show_up!r}",
                "give a chance such as 0.95",
            )
        for name in ("max_occupancy", "max_abandonment"):
            if getattr(self, name) is not None:
                check_share(name, getattr(self, name), low=0, allow_one=True)
        if self.max_occupancy is not None and 0 < self.max_occupancy < _LEAST_OCCUPANCY:
            raise InputError(
                f"a bound on occupancy is {_LEAST_OCCUPANCY:.0%} or more; below, agents would be "
                "paid for waiting almost alone",
                f"max_occupancy={self.max_occupancy!r}",
                "give a share such as 0.85, or min_agents for a floor",
            )
        if isinstance(self.patience, str):
            raise InputError(
                "patience is mean seconds or a law, not a text",
                f"patience={self.patience!r}",
                "give a number or None; what a log shows is callers(…).law()",
            )
        if _is_list(self.patience):
            # The formulas would take a list as one mean per row, the simulator as a sample.
            raise InputError(
                "patience is one mean or one law for all rows; a list may mean a mean per row, or "
                "times that were observed",
                f"patience: {type(self.patience).__name__} of {len(self.patience)}",
                "give mean seconds, or a law such as callers(…).law(); rows of other patience are "
                "asked for one by one",
            )
        if self.patience is None and self.max_abandonment is not None:
            raise InputError(
                "a bound on abandonment needs callers who abandon",
                f"max_abandonment={self.max_abandonment!r}, patience=None",
                "give patience in seconds",
            )
        if isinstance(self.min_agents, bool) or not isinstance(self.min_agents, (int, np.integer)):
            raise InputError("the least number of agents is whole", f"min_agents={self.min_agents}")
        if not 0 <= self.min_agents <= _MOST_AGENTS:
            raise InputError(
                f"the least number of agents is 0 to {_MOST_AGENTS:,}", f"{self.min_agents=}"[5:]
            )

    def agents_for(self, calls: Any, per: Any, aht: Any) -> NDArray[np.int64]:
        """Give the least agents per row; without calls ``min_agents`` are enough."""
        from ccanalytics.queueing import Queue

        calls, per, aht = np.broadcast_arrays(
            np.asarray(calls, float), np.asarray(per, float), np.asarray(aht, float)
        )
        agents = np.zeros(calls.shape, dtype=np.int64)
        some = calls > 0
        if some.any():
            queue = Queue(calls=calls[some], per=per[some], aht=aht[some], patience=self.patience)
            agents[some] = queue.agents_for(
                self.goal,
                max_occupancy=self.max_occupancy,
                max_abandonment=self.max_abandonment,
            )
        return np.maximum(agents, self.min_agents)

    def bound_for(self, calls: Any, per: Any, aht: Any) -> NDArray[np.int64]:
        """Give the least agents that the bounds beside the goal allow, per row with calls."""
        from ccanalytics.queueing import Queue

        least = np.full(np.shape(calls), max(self.min_agents, 0), dtype=np.int64)
        if self.max_occupancy is None and self.max_abandonment is None:
            return least
        queue = Queue(calls=calls, per=per, aht=aht, patience=self.patience)
        bound = queue.agents_for(
            None, max_occupancy=self.max_occupancy, max_abandonment=self.max_abandonment
        )
        return np.maximum(bound, least)

    def refuse_implausible(self, agents: Any, rows: Any) -> None:
        """Refuse more agents, seated or scheduled, than any centre has: a unit has slipped."""
        share = self._shrinkage()
        present = np.asarray(scheduled(agents, share))
        for name, number, cause in (
            ("seated", np.asarray(agents), "look at calls and aht_s: per interval, and seconds"),
            ("scheduled", present, f"look at shrinkage={share!r}"),
            # On average; the chance that enough turn up asks for more still.
            (
                "scheduled",
                np.ceil(present / (1 - self.absence)),
                f"look at absence={self.absence!r}",
            ),
        ):
            if (number > _MOST_AGENTS).any():
                row = int(np.argmax(number > _MOST_AGENTS))
                raise InputError(
                    f"more than {_MOST_AGENTS:,} agents {name} in an interval are not planned",
                    f"{rows['interval_start'][row]:%Y-%m-%d %H:%M} UTC: {number[row]:,.0f} agents",
                    cause,
                )

    def _shrinkage(self) -> float:
        from ccanalytics.staffing.shrinkage import shrinkage_share

        return shrinkage_share(self.shrinkage)

    def scheduled(self, agents: Any) -> NDArray[np.int64]:
        """Give the people to schedule so that ``agents`` are seated after shrinkage."""
        from ccanalytics.staffing.absence import people_for

        present = scheduled(agents, self._shrinkage())
        return np.asarray(people_for(present, self.absence, self.show_up))

    def inputs(self) -> dict[str, Any]:
        """Give what was asked, for a Result."""
        from ccanalytics.staffing.shrinkage import Shrinkage, shrinkage_share

        return {
            "goal": self.goal.describe(),
            "shrinkage": shrinkage_share(self.shrinkage),
            "shrinkage_components": self.shrinkage
            if isinstance(self.shrinkage, Shrinkage)
            else None,
            "absence": self.absence,
            "show_up": self.show_up,
            "patience": self.patience,
            "max_occupancy": self.max_occupancy,
            "max_abandonment": self.max_abandonment,
            "min_agents": self.min_agents,
        }

    def words(self) -> str:
        """Give the model in words."""
        callers = (
            "callers who wait without end (Erlang C)"
            if self.patience is None
            else f"callers who lose patience after {self.patience:g} s on average (Erlang A)"
            if isinstance(self.patience, (int, float, np.number))
            else "callers as patient as this log shows (M/M/n+G)"
            if hasattr(self.patience, "reliable_s")
            else "callers of the patience law given (M/M/n+G)"
        )
        bounds = [
            f"{words} at most {value:.0%}"
            for words, value in (
                ("occupancy", self.max_occupancy),
                ("abandonment", self.max_abandonment),
            )
            if value is not None
        ]
        if self.min_agents:
            bounds.append(f"never fewer than {self.min_agents} agents")
        return callers + (", " + ", ".join(bounds) if bounds else "")


def check_number(name: str, value: object, remedy: str = "give a finite number") -> float:
    """Give a finite number as float, or say which argument is not one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError("this must be a number", f"{name}={value!r}", remedy)
    try:
        number = float(value)
    except OverflowError:
        where = f"{name} is a whole number past any float"
        raise InputError("this must be a finite number", where, remedy) from None
    if not math.isfinite(number):
        raise InputError("this must be a finite number", f"{name}={value!r}", remedy)
    return number


def check_share(name: str, value: object, *, low: float, allow_one: bool) -> None:
    number = check_number(name, value, "give a share between 0 and 1")
    if not (low <= number <= 1 if allow_one else low <= number < 1):
        raise InputError(
            "this is a share between 0 and 1",
            f"{name}={value!r}",
            share_hint(number, "such as 0.3"),
        )


def counted(number: float, noun: str) -> str:
    """Write a number with its noun.

    >>> counted(1, "agent"), counted(1200, "agent")
    ('1 agent', '1,200 agents')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def model_of(patience: Any) -> str:
    """Name the queue: by whether, and by what law, callers give up.

    >>> model_of(None), model_of(120)
    ('Erlang C', 'Erlang A')
    """
    if patience is None:
        return "Erlang C"
    return "Erlang A" if isinstance(patience, (int, float, np.number)) else "M/M/n+G"


def percent(share: float) -> str:
    """Write a share as a percentage, with one decimal where there is one.

    >>> percent(0.145), percent(0.3), percent(1 / 3)
    ('14.5%', '30%', '33.3%')
    """
    return f"{round(100 * share, 1):g}%"


def tied(first: str, others: list[str]) -> str:
    """Name the first of several equals, and the others or how many they are.

    >>> tied("from 10:30", ["from 11:00"])
    'from 10:30, also 11:00'
    >>> tied("from 10:30", ["from 11:00", "from 14:00", "from 15:00"])
    'from 10:30, also 11:00, 14:00 and 15:00'
    >>> tied("from 10:30", ["from 11:00"] * 4)
    'from 10:30, also in 4 more intervals'
    """
    if not others:
        return first
    if len(others) > 3:
        return f"{first}, also in {counted(len(others), 'more interval')}"
    named = [text.removeprefix("from ") for text in others]
    return f"{first}, also " + " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def clock(seconds: float) -> str:
    """Write a time of day; a day after midnight starts again.

    >>> clock(13.5 * 3600), clock(26 * 3600)
    ('13:30', '02:00')
    """
    minutes = round(seconds / 60) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def time_of_day(name: str, value: object, *, end: bool = False) -> int:
    """Read a local time of day as seconds after midnight; ``end`` allows 24:00.

    >>> time_of_day("opens", "07:30"), time_of_day("closes", "24:00", end=True)
    (27000, 86400)
    """
    if end and value == "24:00":
        return 86400
    try:
        at = value if isinstance(value, time) else time.fromisoformat(value)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise InputError(
            "this is no time of day", f"{name}={value!r}", 'write it as "06:30"'
        ) from error
    if at.tzinfo is not None:
        raise InputError(
            "a time of day is the centre's own, without an offset", f"{name}={value!r}"
        )
    return at.hour * 3600 + at.minute * 60 + at.second


def on_day(value: Any) -> str:
    """Write a date as it is read.

    >>> from datetime import date
    >>> on_day(date(1999, 2, 3))
    '3 February 1999'
    """
    return f"{value.day} {value:%B %Y}"


def scheduled(agents: Any, shrinkage: float) -> Any:
    """People to schedule so that ``agents`` are seated: ⌈agents / (1 − shrinkage)⌉.

    The quotient is rounded to 1e-9 first: 21/(1 − 0.3) is 30.000000000000004 to a computer, and
    30 to us.

    Parameters
    ----------
    agents
        Agents seated at once; scalar or array.
    shrinkage
        Share of paid time in which an agent is not there to take calls, 0 or more and below 1.

    Returns
    -------
    int or array
        Of the shape of ``agents``.

    Raises
    ------
    InputError
        A percent where a share belongs, agents that are negative or not numbers.

    Examples
    --------
    >>> scheduled(21, 0.30)
    30
    >>> scheduled([14, 0], 0.30).tolist()
    [20, 0]
    """
    check_share("shrinkage", shrinkage, low=0, allow_one=False)
    try:
        seated = np.asarray(agents, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError("agents must be numbers", f"agents={agents!r}") from error
    if not (np.isfinite(seated) & (seated >= 0)).all():
        raise InputError("agents must be 0 or more", f"agents={agents!r}")
    people = np.ceil(np.round(seated / (1 - shrinkage), 9)).astype(np.int64)
    return int(people) if people.ndim == 0 else people
