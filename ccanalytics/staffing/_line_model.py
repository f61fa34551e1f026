"""Lines, voice menu and agents of every interval: the joint model, with callers who redial."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.queueing import MenuQueue
from ccanalytics.staffing._seats import check_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ccanalytics.queueing.menu import MenuPerformance
    from ccanalytics.servicelevel import ServiceLevel

    Floats = NDArray[np.float64]

__all__ = ["LineModel"]

_SLACK = 1e-12
_ROUNDS = 200
_CLOSE = 1e-10
_LEAST_KEPT = 1e-9  # where everybody redials for ever, a billion attempts stand for "endless"


@dataclass(eq=False)
class LineModel:
    """Steady state of row ``i`` with any number of agents and lines; each is computed once.

    Of the calls that meet a busy signal a share ``redial`` tries again, so that attempts T solve
    T = calls + redial·T·B(T), B the joint model's blocking: extended Erlang B, with a queue.
    """

    calls: Floats
    per: Floats
    aht: Floats
    menu: float
    to_agent: float
    patience: float | None
    redial: float
    goal: ServiceLevel
    max_blocking: float
    max_occupancy: float | None
    _known: dict[tuple[int, int, int], MenuPerformance] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """One menu, one share and one patience serve all rows: lists and texts are refused."""
        self.menu = check_number("menu", self.menu, "give mean seconds in the voice menu")
        self.to_agent = check_number("to_agent", self.to_agent, "give a share between 0 and 1")
        if self.patience is not None:
            why = "give mean seconds until a caller gives up, or None"
            self.patience = check_number("patience", self.patience, why)

    def queue(self, i: int, more: float = 1.0) -> MenuQueue:
        """The calls of a row, ``more`` times as many."""
        return MenuQueue(
            float(self.calls[i]) * more, float(self.per[i]), menu=self.menu,
            to_agent=self.to_agent, aht=float(self.aht[i]), patience=self.patience,
        )  # fmt: skip

    @property
    def load(self) -> Floats:
        """Erlangs of first attempts offered to agents."""
        return self.calls * self.to_agent * self.aht / self.per

    @property
    def menu_load(self) -> Floats:
        """Erlangs of first attempts in the voice menu."""
        return self.calls * self.menu / self.per

    def at(self, i: int, agents: int, lines: int) -> MenuPerformance:
        """Give the steady state, redials included."""
        key = (i, agents, lines)
        if key not in self._known:
            found = self.queue(i).performance(agents, lines)
            if self.redial and found.blocking:
                more = self._attempts(i, agents, lines, found)
                found = self.queue(i, more).performance(agents, lines)
            self._known[key] = found
        return self._known[key]

    def _attempts(self, i: int, agents: int, lines: int, found: MenuPerformance) -> float:
        """Solve x·(1 − redial·B(x)) = 1 for the attempts x of every call.

        What lines carry grows with the attempts, so that there is one solution. By Newton's steps
        from below, B'(x) = B·(lines − mean lines in use)/x; halving where a step would leave the
        bounds. A simple iteration converges so slowly where many redial that it never ended.
        """
        low, high = 1.0, 1 / max(1 - self.redial, _LEAST_KEPT)
        x = 1.0
        for _ in range(_ROUNDS):
            b = float(found.blocking)
            kept = 1 - self.redial * b
            over = x * kept - 1
            low, high = (low, min(x, high)) if over > 0 else (max(x, low), high)
            slope = kept - self.redial * b * max(lines - float(found.lines_busy), 0.0)
            step = over / slope if slope > 0 else np.inf
            if abs(step) <= _CLOSE * x:  # the next would be as small as its square
                return min(max(x - step, low), high)
            x = x - step if low < x - step < high else (low + high) / 2
            if high - low <= _CLOSE * x:
                return x
            found = self.queue(i, x).performance(agents, lines)
        return x

    def few_blocked(self, i: int, agents: int, lines: int) -> bool:
        """Whether blocking keeps to its limit."""
        return bool(self.at(i, agents, lines).blocking <= self.max_blocking * (1 + _SLACK))

    def well_served(self, i: int, agents: int, lines: int) -> bool:
        """Whether those who got in are served as wanted, by agents who are not too busy."""
        found = self.at(i, agents, lines)
        if found.service_level(self.goal) < self.goal.share - _SLACK:
            return False
        most = self.max_occupancy
        return most is None or bool(found.occupancy <= most + _SLACK)

    def least_agents(
        self, holds: Callable[[int, int, int], bool], i: int, lines: int, start: int, low: int = 0
    ) -> int | None:
        """Least agents, above ``low`` and up to ``lines``, from which on a condition holds.

        Both conditions are eased by every agent. None: they do not hold even with all. The search
        goes up from ``start`` in growing steps, then halves.
        """
        high, step = min(max(start, low + 1), lines), 1
        while not holds(i, high, lines):
            if high == lines:
                return None
            low, high, step = high, min(high + step, lines), 2 * step
        step = 1
        while high - low > 1:
            # From a start that holds, first down in growing steps.
            middle = max(high - step, (low + high) // 2)
            if holds(i, middle, lines):
                high, step = middle, 2 * step
            else:
                low, step = middle, lines
        return high

    def unblocked(self, i: int, lines: int, well: int) -> int | None:
        """Least agents, from ``well`` on, with which few are blocked; None: no number does.

        Where callers give up, an agent more may as well hold a line longer than the caller who
        would have left: one is added at a time, until blocking falls no more.
        """
        if self.patience is None:
            return self.least_agents(self.few_blocked, i, lines, well, well - 1)
        for agents in range(well, lines + 1):
            if self.few_blocked(i, agents, lines):
                return agents
            if agents < lines:
                now, then = (self.at(i, n, lines).blocking for n in (agents, agents + 1))
                if then >= now * (1 - _SLACK):
                    return None
        return None

    def lines_for(self, i: int, agents: int) -> int:
        """Least lines with which so many agents keep blocking to its limit."""
        if not self.calls[i]:
            return 0
        # Where attempts at the limit itself do no harm, the solution below it does none.
        more = 1 / (1 - self.redial * self.max_blocking)
        lines = int(self.queue(i, more).lines_for(agents, self.max_blocking))
        while self.redial and lines > 1 and self.few_blocked(i, agents, lines - 1):
            lines -= 1
        return lines

    def fewest_lines(self) -> int:
        """Lines below which blocking cannot keep to its limit, however many agents there are.

        With patient callers those that an agent for every line would need. Callers who give up
        free lines, and then only the menu is sure to hold one.
        """
        from ccanalytics.queueing import servers_for_blocking

        if self.patience is not None:
            if not self.menu_load.any():
                return int(self.calls.any())
            least = servers_for_blocking(self.menu_load, self.max_blocking)
            return max(int(np.max(np.asarray(least), initial=0)), 1)
        load = self.load + self.menu_load
        lines = servers_for_blocking(load, self.max_blocking, redial=self.redial)
        return int(np.max(np.asarray(lines), initial=0))

    def measures(self, agents: Any, lines: int) -> dict[str, list[Any]]:
        """Columns of what the agents and lines of every row bring; null without calls."""
        names = {
            "blocking": "blocking", "wait_probability": "wait_probability", "asa": "asa_s",
            "abandonment": "abandonment", "occupancy": "occupancy", "in_menu": "in_menu",
            "lines_busy": "lines_busy",
        }  # fmt: skip
        table: dict[str, list[Any]] = {name: [] for name in [*names.values(), "service_level"]}
        for i, n in enumerate(agents):
            found = self.at(i, int(n), lines) if self.calls[i] and n and lines else None
            for name, column in names.items():
                table[column].append(None if found is None else float(getattr(found, name)))
            level = None if found is None else float(found.service_level(self.goal))
            table["service_level"].append(level)
        return table
