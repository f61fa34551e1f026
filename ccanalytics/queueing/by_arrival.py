"""What a day in motion gives: measures by interval, by when a call arrived."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.queueing.course import at_moments, follow_waits, padded
from ccanalytics.queueing.door import real, refuse
from ccanalytics.queueing.goals import levels
from ccanalytics.queueing.tagged import ANSWERED, ANSWERED_WAIT, GAVE_UP, WAIT, futures, within
from ccanalytics.queueing.transient_doubts import doubts
from ccanalytics.results import Result
from ccanalytics.servicelevel import ServiceLevel

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.queueing.course import Course, Part
    from ccanalytics.queueing.door import Array
    from ccanalytics.queueing.steady import Steady

__all__ = ["Transient"]

_POINTS = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Transient(Result):
    """A queue through a day, made by :func:`~ccanalytics.queueing.transient`.

    Every measure is an array with one value per interval. A call belongs to the interval in which
    it *arrived*: ``wait_probability``, ``mean_wait``, ``asa``, ``answered``, ``abandonment``,
    ``blocking`` and the service level follow the interval's arrivals to their end, in whatever
    interval that comes and with the agents who are there by then; after the last interval its
    agents stay on. Where nobody calls they are what a first caller would meet. ``queue_length``,
    ``busy`` and ``occupancy`` are means over the interval's time, ``abandoned_calls`` the calls
    that give up in it, and ``waiting_at_end`` and ``busy_at_end`` hold at its last moment.

    Abandonment and blocking are shares of all arrivals; ``mean_wait`` and ``wait_probability``
    are over the calls that entered, ``asa`` over the answered. What is undefined is ``nan``.
    """

    _course: Course = field(repr=False)
    _parts: list[Part] = field(repr=False)
    _end: Array = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self,
            "checks",
            (*self.checks, *doubts(self._course, self._lost, self._left, self._endless)),
        )

    @property
    def _lost(self) -> float:
        return sum(part.lost for part in self._parts) + max(1 - float(self._end.sum()), 0.0)

    @property
    def _left(self) -> float:
        return float(self.waiting_at_end[-1])

    @property
    def _endless(self) -> bool:
        """Whether callers of endless patience wait when the last agent has gone."""
        last = self._course.patience[-1] == 0 and self._course.agents[-1] == 0
        return bool(last and self._left > 1e-9)

    @property
    def agents(self) -> Array:
        """Agents, as given."""
        return self._course.agents.copy()

    @property
    def calls(self) -> Array:
        """Calls that arrive in the interval, blocked ones included."""
        return self._course.rates.mean(axis=1) * self._course.seconds

    @property
    def load(self) -> Array:
        """Calls × AHT / length of the interval, in erlangs (what a stationary method sees)."""
        return self._course.rates.mean(axis=1) / self._course.service

    @cached_property
    def _entered(self) -> Array:
        """Share of arrivals that find a free line."""
        return self._found(lambda i, k: k < self._course.lines[i])

    @cached_property
    def _at_once(self) -> Array:
        return self._found(lambda i, k: k < self._course.agents[i])

    def _found(self, holds: Any) -> Array:
        """Share of the arrivals that find a state for which ``holds(interval, states)``."""
        shares = [
            part.weight @ holds(i, np.arange(part.weight.size)) / self._course.seconds[i]
            for i, part in enumerate(self._parts)
        ]
        return np.array(shares)

    @cached_property
    def _ends(self) -> Array:
        """Intervals × (answered, gave up, seconds waited, seconds waited by the answered)."""
        follow_waits(self._course, self._parts)
        out = np.empty((self._course.size, 4))
        for i, (part, after) in enumerate(
            zip(self._parts, futures(self._course, self._parts), strict=True)
        ):
            n = int(self._course.agents[i])
            size = min(part.waiting.size, after.shape[0] - n)
            later = after[n : n + size]
            own = self._course.patience[i]
            out[i] = part.waiting[:size] @ later
            out[i] += [part.answered, own * part.waited, part.waited, part.answered_wait]
            out[i, ANSWERED_WAIT] += part.age[:size] @ later[:, ANSWERED]
        return out / self._course.seconds[:, None]

    @cached_property
    def _stuck(self) -> Array:
        if self._course.patience[-1] > 0 or self._course.agents[-1] > 0:
            return np.zeros(self._course.size)
        rest = self._entered - self._at_once - self._ends[:, ANSWERED] - self._ends[:, GAVE_UP]
        return np.where(rest > 1e-9, rest, 0.0)

    @property
    def answered(self) -> Array:
        """Share of the interval's arrivals that an agent answers, sooner or later."""
        return self._at_once + self._ends[:, ANSWERED]

    @property
    def abandonment(self) -> Array:
        """Share of the interval's arrivals that give up before an agent first answers."""
        return self._ends[:, GAVE_UP]

    @property
    def blocking(self) -> Array:
        """Share of the interval's arrivals that find no free line."""
        return self._found(lambda i, k: k >= self._course.lines[i])

    @property
    def wait_probability(self) -> Array:
        """Share of the interval's calls that entered which find every agent busy."""
        waiting = self._found(
            lambda i, k: (k >= self._course.agents[i]) & (k < self._course.lines[i])
        )
        return self._over_entered(waiting)

    @property
    def mean_wait(self) -> Array:
        """Mean wait in seconds of the interval's calls that entered, answered or not."""
        wait = self._over_entered(self._ends[:, WAIT])
        return np.where(self._stuck > 0, np.inf, wait)

    @property
    def asa(self) -> Array:
        """Average speed of answer: mean wait in seconds of the interval's answered calls."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(
                self.answered > 1e-14, self._ends[:, ANSWERED_WAIT] / self.answered, np.nan
            )

    def _over_entered(self, values: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self._entered > 1e-14, values / self._entered, np.nan)

    @property
    def queue_length(self) -> Array:
        """Mean number of callers waiting, over the interval's time."""
        return np.array(
            [
                part.time @ np.maximum(np.arange(part.time.size) - n, 0) / seconds
                for part, n, seconds in self._rows
            ]
        )

    @property
    def busy(self) -> Array:
        """Mean number of busy agents, over the interval's time."""
        return np.array(
            [
                part.time @ np.minimum(np.arange(part.time.size), n) / seconds
                for part, n, seconds in self._rows
            ]
        )

    @property
    def _rows(self) -> Any:
        return zip(self._parts, self._course.agents, self._course.seconds, strict=True)

    @property
    def occupancy(self) -> Array:
        """Share of the interval's time that agents are busy; ``nan`` without agents."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.agents > 0, self.busy / self.agents, np.nan)

    @property
    def abandoned_calls(self) -> Array:
        """Calls that give up in the interval, whenever they arrived: ∫θ·E[queue length]."""
        return self._course.patience * self.queue_length * self._course.seconds

    @cached_property
    def _closing(self) -> list[Array]:
        return [*(part.start for part in self._parts[1:]), self._end]

    @property
    def waiting_at_end(self) -> Array:
        """Mean number of callers waiting at the interval's last moment: the backlog."""
        pairs = zip(self._closing, self._course.agents, strict=True)
        return np.array([p @ np.maximum(np.arange(p.size) - n, 0) for p, n in pairs])

    @property
    def busy_at_end(self) -> Array:
        """Mean number of busy agents at the interval's last moment."""
        pairs = zip(self._closing, self._course.agents, strict=True)
        return np.array([p @ np.minimum(np.arange(p.size), n) for p, n in pairs])

    def service_level(self, goal: ServiceLevel, points: int = _POINTS) -> Array:
        """Share of the interval's calls served in time, as ``goal`` counts it.

        Agents who come or go within the threshold are taken into account: calls that arrive
        close to an interval's end are followed one by one into the next.

        Parameters
        ----------
        goal
            A service level, of any counting.
        points
            Moments of arrival (Gauss points) before every change of staff at which a caller is
            followed; 5 give about six digits, four where the threshold is
            longer than the interval.

        Returns
        -------
        array
            ``nan`` where no call counts.

        Raises
        ------
        InputError
            Not a service level, or points that are not a whole number from 1 to 100.
        """
        if not isinstance(goal, ServiceLevel):
            raise InputError(
                "the goal must be a ServiceLevel",
                f"goal={goal!r}",
                "write ServiceLevel(0.80, within=20) for 80% within 20 s",
            )
        number = int(real("points", points, least=1, most=100, whole=True))
        return levels(cast("Steady", _Arrivals(self, number)), goal)

    def wait_above(self, seconds: Any, points: int = _POINTS) -> Array:
        """Share of the interval's calls that entered and wait longer than ``seconds``."""
        t = real("seconds", seconds, least=0)
        if t.ndim:
            raise InputError("one threshold at a time", f"seconds={seconds!r}", "give a scalar")
        number = int(real("points", points, least=1, most=100, whole=True))
        share = self._within(float(t), number)
        return np.maximum(1 - self._over_entered(share[:, 0] + share[:, 1]), 0.0)

    def _within(self, t: float, points: int) -> Array:
        known: dict[tuple[float, int], Array] = self.__dict__.setdefault("_known", {})
        if (t, points) not in known:
            known[t, points] = within(self._course, self._parts, t, points)
        return known[t, points]

    def distribution(self, times: Any = None) -> Array:
        """Chances of 0, 1, 2 … calls in the system, one row per moment.

        Parameters
        ----------
        times
            Seconds since the start, one axis or a scalar; by default the start and the end of
            every interval. Each row takes 8 bytes per state; nothing is kept.

        Returns
        -------
        array
            Rows by moments, as wide as the widest distribution needs.
        """
        ends = np.cumsum(self._course.seconds)
        if times is None:
            rows = [self._parts[0].start, *self._closing]
        else:
            asked = real("times", times, least=0)
            if (asked > ends[-1] * (1 + 1e-12)).any():
                bad = asked > ends[-1]
                refuse("times must lie inside the day", {"times": asked}, bad, f"end: {ends[-1]:g}")
            rows = at_moments(self._course, self._parts, np.atleast_1d(asked).reshape(-1))
        width = max(row.size for row in rows)
        table = np.stack([padded(row, width) for row in rows])
        return table[0] if times is not None and np.ndim(times) == 0 else table

    def to_frame(self) -> pl.DataFrame:
        """One row per interval: calls, agents and every measure."""
        import polars as pl

        names = (
            "agents",
            "calls",
            "load",
            "occupancy",
            "wait_probability",
            "mean_wait",
            "asa",
            "abandonment",
            "blocking",
            "queue_length",
        )
        columns = {name: getattr(self, name) for name in names}
        return pl.DataFrame({"interval_s": self._course.seconds, **columns})

    def summary(self) -> str:
        """The answer in words, then the model."""
        calls, wait = self.calls, self.wait_probability
        counted = calls * self._entered
        if not counted.sum():
            return f"Nobody calls, or nobody finds a line. {self._model()}"
        share = np.nansum(wait * counted) / counted.sum()
        worst = int(np.nanargmax(np.where(calls > 0, wait, np.nan)))
        lost = ""
        if self._course.patience.any():
            lost += f", {self.abandonment @ calls / calls.sum():.1%} give up"
        if np.isfinite(self._course.lines).any():
            lost += f", {self.blocking @ calls / calls.sum():.1%} of calls meet a busy signal"
        return (
            f"Over {calls.size:,} intervals with {calls.sum():,.0f} calls and "
            f"{self.agents.min():g} to {self.agents.max():g} agents, {share:.1%} of callers "
            f"wait{lost}; at worst {wait[worst]:.1%} wait, in interval {worst + 1}, and "
            f"{self.waiting_at_end[-1]:.2g} callers wait at the end. {self._model()}"
        )

    def _model(self) -> str:
        course = self._course
        name = "M(t)/M/n(t)" + ("/N" if np.isfinite(course.lines).any() else "")
        name += "+M" if course.patience.any() else ""
        start = self.inputs["start"]
        begin = start if isinstance(start, str) else "as given"
        return (
            f"Model: {name}, Kolmogorov forward equations, by interval of arrival; exponential "
            f"handle times; start {begin}; calls above a falling number of agents rejoin the queue."
        )


class _Arrivals:
    """The interval's arrivals as :func:`levels` wants a queue: shares of all arrivals."""

    def __init__(self, day: Transient, points: int) -> None:
        self._day, self._points = day, points
        self.answered, self.abandoned = day.answered, day.abandonment
        self.blocked = day.blocking

    def answered_within(self, t: float) -> Array:
        """Share of arrivals answered within ``t``."""
        # The two come from different integrals, equal to nine digits or so.
        return np.minimum(self._day._within(t, self._points)[:, 0], self.answered)  # noqa: SLF001

    def abandoned_within(self, t: float) -> Array:
        """Share of arrivals that gave up within ``t``."""
        return np.minimum(self._day._within(t, self._points)[:, 1], self.abandoned)  # noqa: SLF001

    def virtual_within(self, t: float) -> Array:
        """Share of the calls that entered whose virtual wait is at most ``t``."""
        virtual = self._day._within(t, self._points)[:, 2]  # noqa: SLF001
        return self._day._over_entered(virtual)  # noqa: SLF001
