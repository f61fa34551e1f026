"""The books of a simulation: running sums of every measure, at each level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.estimates import Ratios
from ccanalytics.simulation.tally import (
    ABANDONED,
    ANSWERED,
    ARRIVED,
    BLOCKED,
    CUT_OFF,
    FIRST_IN_TIME,
    FIRST_TRIES,
    HANDLE_S,
    LEFT_MENU,
    UNSERVED,
    WAIT_ABANDONED_S,
    WAIT_ANSWERED_S,
    WAIT_UNSERVED_S,
    WAITED,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.simulation.groups import Groups
    from ccanalytics.simulation.plan import Grid
    from ccanalytics.simulation.tally import Tally

    Floats = NDArray[np.float64]

__all__ = ["Book"]

_COUNTS = {
    "arrived": ARRIVED,
    "fresh": FIRST_TRIES,
    "blocked": BLOCKED,
    "left_menu": LEFT_MENU,
    "answered": ANSWERED,
    "abandoned": ABANDONED,
    "unserved": UNSERVED,
    "cut_off": CUT_OFF,
}
_SHARES = ("abandonment", "blocking", "wait_probability", "occupancy")


class Book:
    """Running sums of every measure, at each level: overall, by interval, by type, by group."""

    def __init__(self, grid: Grid, groups: Groups, goals: tuple[ServiceLevel, ...]) -> None:
        self.grid, self.groups, self.goals = grid, groups, goals
        self.thresholds = sorted(
            {t for g in goals for t in (g.within, g.short) if t or g.within == t}
        )
        length = np.diff(grid.edges)
        self.length = length
        self.agent_s = groups.agents * length[:, None]
        # Measure → whether it is a share, whether of calls; and the sums of all, one after another.
        self.kinds: dict[str, dict[str, tuple[bool, bool]]] = {
            name: {} for name in ("overall", "intervals", "types", "interval_types", "groups")
        }
        self.sums = {name: Ratios(is_share=False) for name in self.kinds}
        self.replications = 0

    def add(self, tally: Tally) -> None:
        """Enter one replication."""
        self.replications += 1
        calls = tally.calls[1:-1]
        busy, over = tally.busy[1:-1], tally.overtime[1:-1]
        queue, lines = tally.queue[1:-1], tally.lines[1:-1, 0]
        length = self.length
        self._enter(
            "overall",
            calls.sum(axis=(0, 1)),
            queue=(queue.sum(), length.sum()),
            busy_agents=(busy.sum(), length.sum()),
            occupancy=(busy.sum(), self.agent_s.sum() + over.sum()),
            lines_held=(lines.sum(), length.sum()),
        )
        self._enter(
            "intervals",
            calls.sum(axis=1),
            queue=(queue.sum(axis=1), length),
            busy_agents=(busy.sum(axis=1), length),
            occupancy=(busy.sum(axis=1), (self.agent_s + over).sum(axis=1)),
            lines_held=(lines, length),
        )
        if len(self.grid.names) > 1:
            self._enter("types", calls.sum(axis=0), queue=(queue.sum(axis=0), length.sum()))
            self._enter("interval_types", calls, queue=(queue, length[:, None]))
        if len(self.groups.names) > 1:
            offered = (self.agent_s + over).sum(axis=0)
            self._book(
                "groups",
                {
                    "occupancy": (busy.sum(axis=0), offered),
                    "busy_agents": (busy.sum(axis=0), length.sum()),
                },
                offered.shape,
            )

    def _enter(self, level: str, calls: Floats, **times: tuple[Any, Any]) -> None:
        entered = calls[..., ARRIVED] - calls[..., BLOCKED] - calls[..., LEFT_MENU]
        waits = calls[..., WAIT_ANSWERED_S] + calls[..., WAIT_ABANDONED_S]
        one = np.ones_like(entered)
        parts: dict[str, tuple[Any, Any]] = {
            **{name: (calls[..., column], one) for name, column in _COUNTS.items()},
            "abandonment": (calls[..., ABANDONED], calls[..., ARRIVED]),
            "blocking": (calls[..., BLOCKED], calls[..., ARRIVED]),
            "wait_probability": (calls[..., WAITED], entered),
            "asa_s": (calls[..., WAIT_ANSWERED_S], calls[..., ANSWERED]),
            "mean_wait_s": (waits + calls[..., WAIT_UNSERVED_S], entered),
            "abandoned_mean_wait_s": (calls[..., WAIT_ABANDONED_S], calls[..., ABANDONED]),
            "aht_s": (calls[..., HANDLE_S], calls[..., ANSWERED]),
            "queue_length": times["queue"],
            **{name: value for name, value in times.items() if name != "queue"},
        }
        for place, goal in enumerate(self.goals):
            parts[f"service_level_{place}"] = self._goal(goal, calls, entered)
        self._book(level, parts, entered.shape)

    def _book(self, level: str, parts: dict[str, tuple[Any, Any]], shape: tuple[int, ...]) -> None:
        """Add one replication of every measure at once, as one array."""
        if not self.kinds[level]:
            for name in parts:
                share = name in _SHARES or name.startswith("service_level")
                self.kinds[level][name] = (share, name != "occupancy" and level != "groups")
        y, x = np.empty((2, len(parts), *shape))
        for place, (above, below) in enumerate(parts.values()):
            y[place], x[place] = above, below
        self.sums[level].add(y, x)

    def _goal(self, goal: ServiceLevel, calls: Floats, entered: Floats) -> tuple[Floats, Floats]:
        def within(seconds: float, what: int) -> Floats:
            place = FIRST_IN_TIME + 3 * self.thresholds.index(seconds) + what
            return np.asarray(calls[..., place])

        if goal.counting == "virtual":
            blocked = calls[..., BLOCKED] if goal.include_blocked else 0.0
            return within(goal.within, 2), entered + blocked
        served, base = goal.parts(
            answered=calls[..., ANSWERED],
            answered_within=within(goal.within, 0),
            # Callers sent away at closing time were not served: they count as abandoned late.
            abandoned=calls[..., ABANDONED] + calls[..., UNSERVED],
            abandoned_within=within(goal.within, 1),
            abandoned_short=within(goal.short, 1) if goal.short else 0.0,
            blocked=calls[..., BLOCKED],
        )
        return served, base

    def ratios(self, level: str, name: str) -> Ratios:
        """The sums of one measure."""
        place = list(self.kinds[level]).index(name)
        return self.sums[level].of(place, *self.kinds[level][name])

    def table(self, level: str, confidence: float) -> dict[str, Floats]:
        """Every measure of a level with its limits, counts as means a replication."""
        columns: dict[str, Floats] = {}
        for name in self.kinds[level]:
            shown = name
            if name.startswith("service_level_"):
                place = int(name.rsplit("_", 1)[1])
                shown = "service_level" if place == 0 else f"service_level_{place + 1}"
            value, low, high = self.ratios(level, name).estimate(confidence)
            columns[shown] = value
            columns[f"{shown}_low"], columns[f"{shown}_high"] = low, high
        return columns
