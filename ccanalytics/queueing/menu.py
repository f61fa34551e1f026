"""Lines, a voice menu and agents as one model: what a busy signal hides from the queue."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.queueing.door import Array, broadcast, plain, real, refuse
from ccanalytics.queueing.menu_states import MOST_LINES, States, blocked, solve
from ccanalytics.queueing.menu_waits import Waits, waits
from ccanalytics.queueing.search import least_whole
from ccanalytics.results import Result
from ccanalytics.servicelevel import ServiceLevel

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray

__all__ = ["MenuPerformance", "MenuQueue"]

_SLACK = 1e-12


class MenuQueue:
    r"""Calls on N lines that pass a voice menu, of which a share goes on to agents.

    A call takes a line if one is free and meets a busy signal otherwise. It holds the line through
    the menu, the wait for an agent and its handling. With i calls in the menu and j at the agents,
    i + j ≤ N, a = λ·menu, r = p·λ·aht and h = aht/patience, the steady state is a product,

        π(i, j) ∝ aⁱ/i! · rʲ/j!                                   (j ≤ n),
        π(i, j) ∝ aⁱ/i! · rʲ/n! / Π_{q=1}^{j−n} (n + q·h)          (j > n),

    whatever the law of the time in the menu. A call is blocked with the chance of i + j = N; a
    call that leaves the menu for an agent finds the others as if there were N − 1 lines. It waits,
    with q waiting before it, until q + 1 more have left; with patience, e^{−wait/patience} is then
    a beta variable of parameters n/h and q + 1.

    Parameters
    ----------
    calls
        Calls per interval, 0 or more.
    per
        Length of the interval in seconds.
    menu
        Mean seconds in the voice menu, 0 or more.
    to_agent
        Share of calls that go on from the menu to an agent, 0–1.
    aht
        Average handle time of those in seconds.
    patience
        Mean seconds after which a caller who waits for an agent gives up (exponential), above 0;
        None for callers who never do.

    All may be scalars or arrays that broadcast, with the agents and lines asked for later.

    Raises
    ------
    InputError
        A number that is not finite or out of its range, or arrays that do not broadcast.

    References
    ----------
    R. Srinivasan, J. Talim and J. Wang, Performance analysis of a call center with interactive
    voice response units, TOP 12 (2004).

    Examples
    --------
    >>> queue = MenuQueue(calls=10, per=60, menu=60, to_agent=0.7, aht=180)
    >>> few = queue.performance(agents=22, lines=35)
    >>> round(few.blocking, 5), round(few.wait_probability, 5), round(few.mean_wait / 60, 5)
    (0.08364, 0.31949, 0.13139)
    >>> queue.lines_for(agents=22, max_blocking=0.01)
    64
    >>> impatient = MenuQueue(10, 60, menu=60, to_agent=0.7, aht=180, patience=120)
    >>> impatient.lines_for(agents=22, max_blocking=0.01)
    42
    """

    def __init__(
        self, calls: Any, per: Any, menu: Any, to_agent: Any, aht: Any, patience: Any = None
    ) -> None:
        self.inputs = {
            "calls": calls,
            "per": per,
            "menu": menu,
            "to_agent": to_agent,
            "aht": aht,
            "patience": patience,
        }
        self._arrays = {
            "calls": real("calls", calls, least=0),
            "per": real("per", per, above=0, remedy="give the interval's length in seconds"),
            "menu": real("menu", menu, least=0, remedy="give mean seconds in the voice menu"),
            "to_agent": real("to_agent", to_agent, least=0, most=1),
            "aht": real("aht", aht, above=0, remedy="give mean handle time in seconds"),
        }
        self._patient = patience is None
        if not self._patient:
            why = "mean seconds until a caller gives up; None for callers who never do"
            self._arrays["patience"] = real("patience", patience, above=0, remedy=why)
        broadcast(**self._arrays)

    def __repr__(self) -> str:
        return f"MenuQueue({', '.join(f'{k}={v!r}' for k, v in self.inputs.items())})"

    def _flat(self, **further: Array) -> tuple[tuple[int, ...], dict[str, Array]]:
        shape, v = broadcast(**self._arrays, **further)
        rate = v["calls"] / v["per"]
        v["a"], v["r"] = rate * v["menu"], rate * v["to_agent"] * v["aht"]
        v["hurry"] = np.zeros(rate.size) if self._patient else v["aht"] / v["patience"]
        return shape, v

    def performance(self, agents: Any, lines: Any) -> MenuPerformance:
        """Steady state with so many agents and lines.

        Parameters
        ----------
        agents
            Whole, 1 or more; scalar or array.
        lines
            Whole, 1 to 1,000,000; scalar or array. More agents than lines do no harm.

        Returns
        -------
        MenuPerformance
            Its attributes have the shape of all arguments together.

        Raises
        ------
        InputError
            Numbers that are not whole or out of range.
        """
        shape, v = self._flat(agents=_whole("agents", agents), lines=_whole("lines", lines))
        states = [
            solve(*values)
            for values in zip(*(v[k] for k in ("a", "r", "agents", "lines", "hurry")), strict=True)
        ]
        return MenuPerformance(
            inputs={**self.inputs, "agents": agents, "lines": lines},
            _v=v,
            _states=states,
            _shape=shape,
        )

    def lines_for(self, agents: Any, max_blocking: Any) -> Any:
        """Least number of lines with which no more than a given share of calls is blocked.

        Blocking falls with every line, so that the answer is proved: it meets the limit, and one
        line fewer does not. The textbook recipe, Erlang B on λ(menu + p(asa + aht)), finds fewer.

        Parameters
        ----------
        agents
            Whole, 1 or more; scalar or array.
        max_blocking
            Greatest share of blocked calls, above 0 and at most 1; scalar or array.

        Returns
        -------
        int or array
            Lines; no calls need none.

        Raises
        ------
        InputError
            A number out of range, or a share that no number of lines reaches: where agents are
            too few, the queue fills whatever lines there are.
        """
        target = real("max_blocking", max_blocking, least=0, most=1)
        remedy = "a blocking of 0 takes endless lines; allow a small share such as 0.001"
        real("max_blocking", target, above=0, most=1, remedy=remedy)
        shape, v = self._flat(agents=_whole("agents", agents), max_blocking=target)
        n, most = v["agents"], v["max_blocking"]
        # Agents who never rest leave 1 − n/r of those who ask for them outside.
        with np.errstate(divide="ignore"):
            floor = np.where((v["r"] > 0) & (v["hurry"] == 0), 1 - n / v["r"], 0.0)
        bad = floor >= most * (1 + _SLACK)
        if bad.any():
            refuse(
                "no number of lines keeps blocking so low, because the agents cannot handle more",
                {"max_blocking": most, "agents": n, "agents' load in erlangs": v["r"]},
                bad,
                "give more agents",
            )
        result = np.zeros(n.size)
        need = np.flatnonzero((most < 1) & (v["a"] + v["r"] > 0))
        if need.size:
            aim = np.log(most[need]) + _SLACK

            def score(which: NDArray[np.intp], lines: Array) -> Array:
                i = need[which]
                found = zip(v["a"][i], v["r"][i], n[i], lines, v["hurry"][i], strict=True)
                return np.array([blocked(*values) for values in found]) - aim[which]

            load = v["a"][need] + np.minimum(v["r"][need], n[need])
            width = np.sqrt(load)
            result[need], *_ = least_whole(
                score,
                load + width,
                np.zeros(need.size),
                width,
                most=np.full(need.size, float(MOST_LINES)),
            )
        if np.isinf(result).any():
            refuse(
                f"more than {MOST_LINES:,} lines would be needed",
                {"max_blocking": most, "agents": n},
                np.isinf(result),
                "give more agents, or allow more blocking",
            )
        return plain(result.astype(np.int64), shape)


def _whole(name: str, value: Any) -> Array:
    most = MOST_LINES if name == "lines" else None
    return real(name, value, least=1, most=most, whole=True)


@dataclass(frozen=True, eq=False, kw_only=True)
class MenuPerformance(Result):
    """Steady state of a :class:`MenuQueue` with a given number of agents and lines.

    Numbers for scalar arguments, arrays of the common shape otherwise. ``blocking`` is a share of
    all calls; waits and service level are of the calls that ask for an agent (where nobody does,
    as the first caller would meet it). Without calls nothing is blocked and nobody waits.
    """

    _v: dict[str, Array] = field(repr=False)
    _states: list[States] = field(repr=False)
    _shape: tuple[int, ...] = field(repr=False)

    def _give(self, values: Any) -> Any:
        return plain(np.array(values, dtype=float), self._shape)

    @property
    def blocking(self) -> Any:
        """Share of calls that find no free line."""
        return self._give([s.blocked for s in self._states])

    @property
    def wait_probability(self) -> Any:
        """Share of the calls for an agent that find every agent busy."""
        return self._give([s.found_waiting.sum() for s in self._states])

    @property
    def mean_wait(self) -> Any:
        """Mean wait for an agent in seconds, of all calls for an agent."""
        return self._give(self._means(lambda w: w.wait, 0.0))

    @property
    def asa(self) -> Any:
        """Mean wait of the answered, in seconds."""
        return self._give(self._means(lambda w: w.answered_wait, 0.0) / self._answered)

    @property
    def abandonment(self) -> Any:
        """Share of the calls for an agent that give up."""
        return self._give(np.maximum(1 - self._answered, 0.0))

    @property
    def _answered(self) -> Array:
        return self._means(lambda w: w.answered, 1.0)

    def wait_above(self, seconds: Any) -> Any:
        """Share of the calls for an agent that wait longer than ``seconds`` (a scalar)."""
        t = real("seconds", seconds, least=0)
        if t.ndim:
            raise InputError("one threshold at a time", f"seconds={seconds!r}", "give a scalar")
        late = self._means(lambda w: 1 - w.answered_in_time - w.gave_up_in_time, 0.0, float(t))
        return self._give(np.maximum(late, 0.0))

    def _means(self, of: Callable[[Waits], Array], at_once: float, t: float = 0.0) -> Array:
        """A measure over the calls for an agent; ``at_once`` is its value without a wait."""
        values = []
        names = ("agents", "aht", "hurry")
        for s, n, aht, hurry in zip(self._states, *(self._v[k] for k in names), strict=True):
            found = s.found_waiting
            behind = found @ of(waits(found.size, n, aht, hurry, t))
            values.append(behind + at_once * (1 - found.sum()))
        return np.array(values)

    def service_level(self, goal: ServiceLevel) -> Any:
        """Share of the calls for an agent answered in time, as the goal counts.

        Blocked ones count as if as many of them would have asked for an agent.
        """
        if not isinstance(goal, ServiceLevel):
            raise InputError(
                "the goal must be a ServiceLevel",
                f"goal={goal!r}",
                "write ServiceLevel(0.80, within=20) for 80% within 20 s",
            )
        blocked = np.array([s.blocked for s in self._states])
        # Blocked calls for each that entered: endless where no call finds a line.
        with np.errstate(divide="ignore"):
            beside = blocked / (1 - blocked)
        if goal.counting == "virtual":
            level = self._means(lambda w: w.virtual_in_time, 1.0, goal.within)
            return self._give(level / (1 + beside) if goal.include_blocked else level)
        answered = self._answered
        served, base = goal.parts(
            answered=answered,
            answered_within=self._means(lambda w: w.answered_in_time, 1.0, goal.within),
            abandoned=1 - answered,
            abandoned_within=self._means(lambda w: w.gave_up_in_time, 0.0, goal.within),
            abandoned_short=self._means(lambda w: w.gave_up_in_time, 0.0, goal.short),
            blocked=beside,
        )
        return self._give(served / base)

    @property
    def _carried(self) -> Array:
        """Erlangs that agents carry."""
        entered = self._v["r"] * (1 - np.array([s.blocked for s in self._states]))
        return np.asarray(entered * self._answered)

    @property
    def occupancy(self) -> Any:
        """Share of their time that agents are busy."""
        return self._give(np.minimum(self._carried / self._v["agents"], 1.0))

    @property
    def in_menu(self) -> Any:
        """Mean number of calls in the voice menu: the ports in use."""
        return self._give(self._v["a"] * (1 - np.array([s.blocked for s in self._states])))

    @property
    def queue_length(self) -> Any:
        """Mean number of callers waiting for an agent."""
        return self._give([s.queue for s in self._states])

    @property
    def lines_busy(self) -> Any:
        """Mean number of lines in use: menu, wait and handling together."""
        return self._give(np.asarray(self.in_menu).reshape(-1) + self._carried + self._queue)

    @property
    def _queue(self) -> Array:
        return np.array([s.queue for s in self._states])

    def to_frame(self) -> pl.DataFrame:
        """One row per element: agents, lines and every measure."""
        import polars as pl

        names = (
            "blocking",
            "wait_probability",
            "mean_wait",
            "abandonment",
            "occupancy",
            "queue_length",
            "in_menu",
            "lines_busy",
        )
        columns = {name: np.atleast_1d(getattr(self, name)).reshape(-1) for name in names}
        return pl.DataFrame({"agents": self._v["agents"], "lines": self._v["lines"], **columns})

    def summary(self) -> str:
        """The answer in words, then the model."""
        model = (
            "Model: lines, voice menu and agents jointly (Srinivasan, Talim and Wang); "
            + ("exponential patience and" if self._v["hurry"].any() else "patient callers,")
            + " exponential handle times, steady state."
        )
        if self._shape != ():
            n, lines = self._v["agents"], self._v["lines"]
            if not n.size:
                return f"No case was asked for. {model}"
            return (
                f"{n.size:,} cases, {n.min():g} to {n.max():g} agents on {lines.min():g} to "
                f"{lines.max():g} lines. {model}"
            )
        gave_up = f", {self.abandonment:.1%} give up" if self._v["hurry"].any() else ""
        return (
            f"With {self._v['agents'][0]:g} agents on {self._v['lines'][0]:g} lines, "
            f"{self.blocking:.1%} of calls meet a busy signal, {self.wait_probability:.1%} of "
            f"those who ask for an agent wait, {self.mean_wait:.1f} s on average over all of "
            f"them{gave_up}, and agents are busy {self.occupancy:.1%} of the time. {model}"
        )
