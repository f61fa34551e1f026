"""The search for lines and agents: each number of lines has its least agents, each its price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.queueing import erlang_b, servers_for_blocking

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.staffing._line_model import LineModel
    from ccanalytics.staffing._seats import Rules

    Wholes = NDArray[np.int64]

__all__ = ["LineSearch", "Prices"]

_SAFE = 1e-9


@dataclass(frozen=True)
class Prices:
    """Of a scheduled hour, and of a line and a port over the span; None: hours decide."""

    hour: float
    line: float
    port: float


@dataclass(eq=False)
class LineSearch:
    """Least lines, least agents, or both at least cost."""

    model: LineModel
    rules: Rules
    prices: Prices | None
    max_port_blocking: float

    def lines_for(self, agents: Wholes) -> int:
        """Least lines with which the agents given block little in every interval.

        Never fewer than agents.
        """
        if not self.model.calls.any():
            return 0
        lines = max(self.model.lines_for(i, int(n)) for i, n in enumerate(agents))
        return max(lines, int(agents.max()))

    def agents_on(self, lines: int) -> Wholes:
        """Least agents of every interval on so many lines."""
        found = self._least_agents(lines, None)
        if found is None:
            least = max(lines + 1, self.model.fewest_lines())
            while self._least_agents(least, None) is None:
                least += 1
            raise InputError(
                "so few lines block too many calls, however many agents there are",
                f"lines={lines}, max_blocking={self.model.max_blocking:g}",
                f"give at least {least}, or allow more blocking",
            )
        return found[0]

    def _least_agents(self, lines: int, before: Wholes | None) -> tuple[Wholes, Wholes] | None:
        """Least agents that block little and serve well, and least that serve well.

        ``before``: the latter with fewer lines. With more lines they cannot be fewer.
        """
        m = self.model
        both, serve = np.zeros(m.calls.size, np.int64), np.zeros(m.calls.size, np.int64)
        for i in map(int, np.flatnonzero(m.calls > 0)):
            start = int(m.load[i]) + 1 if before is None else int(before[i])
            low = 0 if before is None else start - 1
            well = m.least_agents(m.well_served, i, lines, start, low)
            if well is None:
                return None
            few = m.unblocked(i, lines, well)
            if few is None:
                return None
            serve[i], both[i] = well, few
        return both, serve

    def least(self) -> tuple[int, Wholes, list[dict[str, Any]]]:
        """Lines and agents that cost least together, and what was weighed.

        More lines can only ask for more agents to serve well, and can only cost more themselves:
        once that alone is no cheaper than the best, nothing later can be.
        """
        if not self.model.calls.any():
            none = np.zeros(self.model.calls.size, np.int64)
            return 0, none, [self.option(none, 0)]
        lines, before = self.model.fewest_lines(), None
        options: list[dict[str, Any]] = []
        best: tuple[float, int, Wholes] | None = None
        while True:
            found = self._least_agents(lines, before)
            if found is not None:
                agents, before = found
                options.append(self.option(agents, lines))
                price = self._price(agents, lines)
                if best is None or price < best[0] - _SAFE * abs(best[0]):
                    best = (price, lines, agents)
                if self._price(before, lines) >= best[0] - _SAFE * abs(best[0]):
                    return best[1], best[2], options
            lines += 1

    def _price(self, agents: Wholes, lines: int) -> float:
        hours = float(self._hours(self.rules.scheduled(agents)))
        if self.prices is None:
            return hours
        return (
            hours * self.prices.hour
            + lines * self.prices.line
            + self.ports(lines) * self.prices.port
        )

    def _hours(self, agents: Wholes) -> float:
        return float(agents @ self.model.per / 3600)

    def option(self, agents: Wholes, lines: int) -> dict[str, Any]:
        """One row of what was weighed."""
        return {
            "lines": lines,
            "agents": int(agents.max(initial=0)),
            "agent_hours": self._hours(agents),
            "scheduled_hours": self._hours(self.rules.scheduled(agents)),
            "cost": None if self.prices is None else self._price(agents, lines),
        }

    def ports(self, lines: int) -> int:
        """Least ports that keep what lines let in; the load offered is on the safe side of it."""
        m = self.model
        if not lines or not m.menu_load.any():
            return 0
        # At most 1/(1 − redial × blocking) attempts follow a call, of which 1 − blocking enter.
        load = float(m.menu_load.max())
        ports = int(servers_for_blocking(load, self.max_port_blocking, redial=m.redial))
        return max(1, min(ports, lines))

    def port_blocking(self, ports: int) -> float:
        """Share of calls with a line that so many ports lose, in the busiest interval."""
        load = float(self.model.menu_load.max(initial=0.0))
        return float(erlang_b(load, ports)) if load else 0.0

    def textbook(self, agents: Wholes) -> int | None:
        """Lines by Erlang B on the mean time that a line is held, with endless lines."""
        from ccanalytics.queueing import Queue

        m = self.model
        most = 0
        for i in np.flatnonzero(m.calls > 0):
            held = m.menu
            if m.to_agent:
                asks = float(m.calls[i]) * m.to_agent
                queue = Queue(asks, float(m.per[i]), float(m.aht[i]), patience=m.patience)
                found = queue.performance(int(agents[i]))
                if not np.isfinite(found.mean_wait):
                    return None
                served = 1 - found.abandonment
                held += m.to_agent * (found.mean_wait + served * float(m.aht[i]))
            load = float(m.calls[i]) * held / float(m.per[i])
            most = max(most, int(servers_for_blocking(load, m.max_blocking, redial=m.redial)))
        return most

    def worst_blocking(self, agents: Wholes, lines: int | None) -> float | None:
        """Blocking in the worst interval; None without calls."""
        some = np.flatnonzero(self.model.calls > 0)
        if not lines or not some.size:
            return None
        return float(max(self.model.at(int(i), int(agents[i]), lines).blocking for i in some))
