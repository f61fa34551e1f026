"""What a simulation found: per interval and overall, each figure with its limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.results import Estimate, Result
from ccanalytics.servicelevel import ServiceLevel
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
    from collections.abc import Mapping

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.simulation.groups import Groups
    from ccanalytics.simulation.plan import Grid
    from ccanalytics.simulation.tally import Tally

    Floats = NDArray[np.float64]

__all__ = ["Book", "Simulation"]

_COUNTS = {
    "arrived": ARRIVED,
    "first_attempts": FIRST_TRIES,
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
        self.levels: dict[str, dict[str, Ratios]] = {
            name: {} for name in ("overall", "intervals", "types", "interval_types", "groups")
        }
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
            level = self.levels["groups"]
            for name, y, x in (
                ("occupancy", busy.sum(axis=0), (self.agent_s + over).sum(axis=0)),
                ("busy_agents", busy.sum(axis=0), length.sum()),
            ):
                level.setdefault(name, Ratios(name in _SHARES)).add(y, np.broadcast_to(x, y.shape))

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
            "abandoned_wait_s": (calls[..., WAIT_ABANDONED_S], calls[..., ABANDONED]),
            "aht_s": (calls[..., HANDLE_S], calls[..., ANSWERED]),
            "queue_length": times["queue"],
            **{name: value for name, value in times.items() if name != "queue"},
        }
        for place, goal in enumerate(self.goals):
            parts[f"service_level_{place}"] = self._goal(goal, calls, entered)
        for name, (y, x) in parts.items():
            share = name in _SHARES or name.startswith("service_level")
            y, x = np.broadcast_arrays(np.asarray(y, float), np.asarray(x, float))
            self.levels[level].setdefault(name, Ratios(share)).add(y, x)

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

    def table(self, level: str, confidence: float) -> dict[str, Floats]:
        """Every measure of a level with its limits, counts as means a replication."""
        columns: dict[str, Floats] = {}
        for name, ratios in self.levels[level].items():
            shown = name
            if name.startswith("service_level_"):
                place = int(name.rsplit("_", 1)[1])
                shown = "service_level" if place == 0 else f"service_level_{place + 1}"
            value, low, high = ratios.estimate(confidence)
            columns[shown] = value
            columns[f"{shown}_low"], columns[f"{shown}_high"] = low, high
        return columns


@dataclass(frozen=True, eq=False, kw_only=True)
class Simulation(Result):
    """Outcome of a simulation.

    Frames hold the mean over replications of each measure and its limits (``…_low``, ``…_high``):
    counts per replication; ``abandonment`` and ``blocking`` as shares of all attempts;
    ``wait_probability`` and ``mean_wait_s`` over calls that entered the queue; ``asa_s`` over the
    answered; ``occupancy`` as handling time over agents' time, that beyond the end of a shift
    included; ``queue_length``, ``busy_agents`` and ``lines_held`` as means over time;
    ``unserved`` callers still waited when the centre closed, or for ever.

    Attributes
    ----------
    intervals
        One row per interval, with start, length and agents.
    overall
        One row.
    types, interval_types
        By type of call, where there are several; otherwise empty.
    groups
        By group of agents, where there are several; otherwise empty.
    goals
        The goals; the first one's column is ``service_level``, the next ``service_level_2``, …
    level
        Level of the intervals.
    """

    intervals: pl.DataFrame
    overall: pl.DataFrame
    types: pl.DataFrame
    interval_types: pl.DataFrame
    groups: pl.DataFrame
    goals: tuple[ServiceLevel, ...]
    level: float = 0.95
    _records: Mapping[int, pl.DataFrame] = field(default_factory=dict, repr=False)

    def estimate(self, measure: str) -> Estimate:
        """A measure of the whole span, such as ``"abandonment"``, with its limits.

        Raises
        ------
        InputError
            No such measure.
        """
        if measure not in self.overall.columns or measure.endswith(("_low", "_high")):
            known = [n for n in self.overall.columns if not n.endswith(("_low", "_high"))]
            raise InputError(
                "there is no such measure", f"measure={measure!r}", "choose of " + ", ".join(known)
            )
        row = self.overall.row(0, named=True)
        return Estimate(row[measure], row[f"{measure}_low"], row[f"{measure}_high"], self.level)

    def service_level(self, goal: ServiceLevel | None = None) -> Estimate:
        """Service level of the whole span by one of the goals asked for; the first by default."""
        if not self.goals:
            raise InputError(
                "no service level was asked for", "goals=()", "simulate(…, goals=[goal])"
            )
        if goal is None:
            return self.estimate("service_level")
        if goal not in self.goals:
            raise InputError(
                "this goal was not counted", f"goal={goal}", "name it in simulate(…, goals=[…])"
            )
        place = self.goals.index(goal)
        return self.estimate("service_level" if place == 0 else f"service_level_{place + 1}")

    @property
    def abandonment(self) -> Estimate:
        """Share of all attempts that abandon."""
        return self.estimate("abandonment")

    @property
    def blocking(self) -> Estimate:
        """Share of all attempts that meet a busy signal."""
        return self.estimate("blocking")

    @property
    def wait_probability(self) -> Estimate:
        """Share of calls that enter the queue and wait."""
        return self.estimate("wait_probability")

    @property
    def asa(self) -> Estimate:
        """Mean wait of the answered, seconds."""
        return self.estimate("asa_s")

    @property
    def mean_wait(self) -> Estimate:
        """Mean wait of all calls that enter the queue, seconds."""
        return self.estimate("mean_wait_s")

    @property
    def occupancy(self) -> Estimate:
        """Handling time over agents' time."""
        return self.estimate("occupancy")

    @property
    def queue_length(self) -> Estimate:
        """Callers waiting, mean over time."""
        return self.estimate("queue_length")

    def calls(self, replication: int = 0) -> pl.DataFrame:
        """Call records of one replication in the columns of the canonical table ``calls``.

        The demand's key columns come along; ``service`` or ``queue`` among them are columns of
        the canonical table. ``talk_s`` is the whole handle time. Callers still waiting at closing
        time are recorded as abandoned.

        Raises
        ------
        InputError
            Records were not asked for, or there is no such replication.
        """
        if not self._records:
            raise InputError(
                "no call records were kept", "records=False", "simulate(…, records=True)"
            )
        if replication not in self._records:
            raise InputError(
                "there is no such replication",
                f"replication={replication!r}",
                f"0 to {len(self._records) - 1}",
            )
        return self._records[replication]

    def to_frame(self) -> pl.DataFrame:
        """One row per interval; the attribute ``intervals``."""
        return self.intervals

    def summary(self) -> str:
        """The service level or the abandonment with its limits, and how they were found."""
        inputs = self.inputs
        if self.goals:
            met = self.service_level()
            answer = (
                f"Over the whole span {met.format('{:.1%}')} of the calls meet the goal "
                f"“{self.goals[0].describe()}”, and {self.abandonment.format('{:.1%}')} abandon. "
            )
        else:
            answer = (
                f"{self.abandonment.format('{:.1%}')} of all attempts abandon, and those answered "
                f"wait {self.asa.format('{:.1f} s')} on average. "
            )
        return answer + (
            f"Simulated {inputs['replications']} times, "
            f"{self.overall['arrived'][0]:,.0f} attempts each: arrivals {inputs['arrivals']}, "
            f"handle time {inputs['handle_time']}, patience {inputs['patience']}; seed "
            f"{inputs['seed']}."
        )
