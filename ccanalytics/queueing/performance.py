"""How a queue performs with a given number of agents."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.queueing.door import plain, real
from ccanalytics.queueing.goals import FOREVER, levels
from ccanalytics.queueing.search import longest
from ccanalytics.results import Check, Result

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.queueing.door import Array
    from ccanalytics.queueing.flow import Flow
    from ccanalytics.queueing.steady import Steady
    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["Performance"]

Callers = Literal["all", "answered", "abandoned", "virtual"]
_NEITHER = "there are neither calls nor agents"
_NOBODY = "no call enters"


@dataclass(frozen=True, eq=False, kw_only=True)
class Performance(Result):
    """Steady state of a :class:`~ccanalytics.queueing.Queue` with a given number of agents.

    Numbers for scalar arguments, arrays of the arguments' common shape otherwise. A quantity that
    is undefined (the speed of answer where nobody is answered, the occupancy of no agents) is an
    error for scalars and ``nan`` in its place in an array, so that a night interval does not end
    the year. Without calls, everything is as the first caller would meet it. Where the queue
    grows without end, waits are ``inf`` and the service level is 0.

    Abandonment and blocking are shares of all arrivals; ``mean_wait`` and ``wait_probability``
    are over the calls that entered, ``asa`` over the answered, ``abandoned_wait`` over those who
    gave up. Where callers return, every share is per attempt.
    """

    _flow: Flow = field(repr=False)
    _agents: Array = field(repr=False)
    _steady: Steady = field(repr=False)
    _factor: Array = field(repr=False)
    _shape: tuple[int, ...] = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "checks", (*self.checks, *self._doubts()))

    def _doubts(self) -> tuple[Check, ...]:
        doubts = []
        endless = np.isinf(self._steady.mean_wait) | np.isinf(self._factor)
        if endless.any():
            doubts.append(
                Check(
                    "steady state",
                    "fails",
                    f"in {int(endless.sum())} of {endless.size} cases more calls come than the "
                    "agents can handle, and the queue grows without end",
                )
            )
        if self._flow.returns:
            doubts.append(
                Check(
                    "callers who return",
                    "informs",
                    "their attempts are taken as fresh Poisson calls, however soon they come",
                )
            )
        return tuple(doubts)

    @cached_property
    def _nobody(self) -> NDArray[np.bool_]:
        return (self._flow.calls == 0) & (self._agents == 0)

    def _give(self, values: Array, undefined: Any, name: str, why: str) -> Any:
        if undefined.any():
            if self._shape == ():
                raise InputError(
                    f"{name} is undefined: {why}",
                    f"calls={self._flow.calls[0]:g}, agents={self._agents[0]:g}",
                    "give more agents" if self._agents[0] == 0 else "ask for another measure",
                )
            values = np.where(undefined, np.nan, values)
        return plain(values, self._shape)

    @property
    def agents(self) -> Any:
        """Agents, as given."""
        return plain(self._agents, self._shape)

    @property
    def calls(self) -> Any:
        """Attempts per interval, those of callers who return included; ``inf`` without end."""
        return plain(
            np.where(self._flow.calls > 0, self._flow.calls * self._factor, 0.0), self._shape
        )

    @property
    def load(self) -> Any:
        """Offered load in erlangs, with the attempts of callers who return."""
        return plain(
            np.where(self._flow.calls > 0, self._flow.load * self._factor, 0.0), self._shape
        )

    def service_level(self, goal: ServiceLevel) -> Any:
        """Share of calls served in time, as ``goal`` counts it.

        Examples
        --------
        >>> from ccanalytics import Queue, ServiceLevel
        >>> p = Queue(calls=1000, per=3600, aht=300, patience=180).performance([83, 84])
        >>> p.service_level(ServiceLevel(0.80, within=20)).round(5)
        array([0.77303, 0.80067])
        >>> p.service_level(ServiceLevel(0.80, within=20, counting="abandoned_in_time")).round(5)
        array([0.80844, 0.83252])
        """
        level = levels(self._steady, goal)
        undefined = self._nobody | np.isnan(level)
        return self._give(level, undefined, "the service level", "no call counts")

    @property
    def wait_probability(self) -> Any:
        """Share of the calls that entered which find every agent busy."""
        share = self._steady.waiting
        return self._give(share, self._nobody | np.isnan(share), "the chance of waiting", _NOBODY)

    @property
    def mean_wait(self) -> Any:
        """Mean wait of all calls that entered, in seconds."""
        wait = self._steady.mean_wait
        return self._give(wait, self._nobody | np.isnan(wait), "the mean wait", _NOBODY)

    @property
    def asa(self) -> Any:
        """Average speed of answer: mean wait of the answered, in seconds."""
        wait = self._steady.answered_wait()
        undefined = self._nobody | np.isnan(wait)
        return self._give(wait, undefined, "the speed of answer", "nobody is answered")

    @property
    def abandoned_wait(self) -> Any:
        """Mean wait of those who gave up, in seconds; not their mean patience."""
        wait = self._steady.abandoned_wait()
        undefined = self._nobody | np.isnan(wait)
        return self._give(wait, undefined, "the wait of the abandoned", "nobody gives up")

    @property
    def answered(self) -> Any:
        """Share of all arrivals that are answered."""
        return self._give(self._steady.answered, self._nobody, "the share answered", _NEITHER)

    @property
    def abandonment(self) -> Any:
        """Share of all arrivals that give up."""
        return self._give(self._steady.abandoned, self._nobody, "abandonment", _NEITHER)

    @property
    def blocking(self) -> Any:
        """Share of all arrivals that find no free line."""
        return self._give(self._steady.blocked, self._nobody, "blocking", _NEITHER)

    @property
    def occupancy(self) -> Any:
        """Share of their time that agents are busy."""
        with np.errstate(divide="ignore", invalid="ignore"):
            busy = self._flow.load * self._factor * self._steady.answered / self._agents
        busy = np.where(np.isfinite(busy), np.minimum(busy, 1.0), 1.0)
        return self._give(busy, self._agents == 0, "occupancy", "there are no agents")

    @property
    def queue_length(self) -> Any:
        """Mean number of callers waiting at any moment (Little's law on the calls that entered)."""
        flow, some = self._flow, self._flow.calls > 0
        entering = flow.attempted(self._factor) * (1 - self._steady.blocked)
        with np.errstate(invalid="ignore"):
            wait = np.where(self._steady.blocked == 1, 0.0, self._steady.mean_wait)
            length = np.where(some, entering * wait, 0.0)
        if flow.patience is None and flow.lines is not None:
            # Without agents, patient callers come to hold every line.
            length = np.where(some & (self._agents == 0), flow.lines, length)
        return plain(length, self._shape)

    def wait_above(self, seconds: Any, of: Callers = "all") -> Any:
        """Share of callers who wait longer than ``seconds``.

        Parameters
        ----------
        seconds
            0 or more; a scalar.
        of
            ``all`` that entered, the ``answered``, the ``abandoned``, or ``virtual``: a caller of
            endless patience.

        Examples
        --------
        >>> from ccanalytics import Queue
        >>> p = Queue(calls=48, per=60, aht=60, patience=120).performance(50)
        >>> round(p.wait_above(12.5), 5)
        0.09915
        """
        t = real("seconds", seconds, least=0)
        if t.ndim:
            raise InputError("one threshold at a time", f"seconds={seconds!r}", "give a scalar")
        share = self._above(_callers(of), np.minimum(t, FOREVER))
        undefined = self._nobody | np.isnan(share)
        return self._give(share, undefined, "the wait", f"there is no caller of kind {of!r}")

    def wait_percentile(self, share: Any, of: Callers = "all") -> Any:
        """Seconds within which a given share of callers' waits end.

        Parameters
        ----------
        share
            Above 0 and below 1; a scalar.
        of
            As in :meth:`wait_above`.

        Returns
        -------
        float or array
            Seconds; 0 where so many do not wait, ``inf`` where the queue grows without end.

        Examples
        --------
        >>> from ccanalytics import Queue
        >>> round(Queue(calls=48, per=60, aht=60).performance(50).wait_percentile(0.9), 3)
        58.139
        """
        q = real("share", share, above=0, below=1)
        if q.ndim:
            raise InputError("one share at a time", f"share={share!r}", "give a scalar")
        kind, zero = _callers(of), np.zeros(self._agents.size)
        undefined = self._nobody | np.isnan(self._above(kind, zero))
        times = np.full(zero.size, np.nan)
        some = np.flatnonzero(~undefined)
        times[some] = longest(lambda t: self._above(kind, t), 1 - float(q), self._flow.aht, some)
        return self._give(times, undefined, "the wait", f"there is no caller of kind {of!r}")

    def _above(self, of: str, t: Array) -> Array:
        """Share of a kind of caller who wait longer than t; ``nan`` where there is none."""
        steady = self._steady
        if of == "virtual":
            return steady.virtual_after(t)
        with np.errstate(divide="ignore", invalid="ignore"):
            if of == "answered":
                return steady.answered_after(t) / steady.answered
            if of == "abandoned":
                return steady.abandoned_after(t) / steady.abandoned
            late = steady.answered_after(t) + steady.abandoned_after(t)
            return late / (steady.answered + steady.abandoned)

    def to_frame(self) -> pl.DataFrame:
        """One row per element: agents, attempts and load, and every measure."""
        import polars as pl

        columns = {
            name: np.atleast_1d(getattr(self._arrays, name)).reshape(-1)
            for name in (
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
        }
        return pl.DataFrame(columns)

    @property
    def _arrays(self) -> Performance:
        """The same as an array of one, so that what is undefined is ``nan``."""
        if self._shape != ():
            return self
        fields = {name: getattr(self, name) for name in ("_flow", "_agents", "_steady", "_factor")}
        return Performance(inputs=self.inputs, _shape=(1,), **fields)

    def summary(self) -> str:
        """The answer in words, then the model."""
        if self._shape != ():
            load, agents = np.asarray(self.load), self._agents
            return (
                f"{agents.size:,} cases, {load.min():.4g} to {load.max():.4g} erlangs on "
                f"{agents.min():g} to {agents.max():g} agents. {self._model()}"
            )
        one = self._arrays
        wait, asa, busy = one.wait_probability[0], one.asa[0], one.occupancy[0]
        if self._nobody[0]:
            return f"There are neither calls nor agents. {self._model()}"
        lost = ""
        if self._flow.kind_of_patience != "endless":
            lost += f", {one.abandonment[0]:.1%} give up"
        if self._flow.lines is not None:
            lost += f", {one.blocking[0]:.1%} of calls meet a busy signal"
        answer = (
            "nobody is answered" if np.isnan(asa) else f"those answered wait {asa:.1f} s on average"
        )
        if np.isinf(asa):
            answer = "the queue grows without end"
        work = "" if np.isnan(busy) else f", and agents are busy {busy:.1%} of the time"
        return (
            f"With {self._agents[0]:g} agents for {self.load:.4g} erlangs, {wait:.1%} of callers "
            f"wait{lost}; {answer}{work}. {self._model()}"
        )

    def _model(self) -> str:
        flow = self._flow
        if flow.lines is None:
            name = {
                "endless": "Erlang C (M/M/n): callers of endless patience on endless lines",
                "exponential": "Erlang A (M/M/n+M): exponential patience, endless lines",
                "general": "M/M/n+G: the given law of patience, endless lines",
            }[flow.kind_of_patience]
        elif flow.kind_of_patience == "endless":
            name = "M/M/n/N: finite lines, callers of endless patience"
        else:
            name = "M/M/n/N+M: finite lines, exponential patience"
        if flow.returns:
            name += "; callers who return as a fixed point (Erlang X), shares per attempt"
        return f"Model: {name}; exponential handle times, steady state."


def _callers(of: str) -> str:
    if of not in get_args(Callers):
        raise InputError(
            "no such kind of caller", f"of={of!r}", "choose one of " + ", ".join(get_args(Callers))
        )
    return of
