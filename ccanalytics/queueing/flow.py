"""What comes in, as flat arrays: calls, handle time, patience, lines and the calls that return."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from ccanalytics.errors import UnsupportedError
from ccanalytics.queueing.curve import Curve, is_law
from ccanalytics.queueing.door import Array, real, refuse
from ccanalytics.queueing.endless import ErlangA, ErlangC
from ccanalytics.queueing.general import GeneralQueue
from ccanalytics.queueing.patience import Endless, Exponential
from ccanalytics.queueing.search import bracketed_root

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ccanalytics.queueing.steady import Steady

__all__ = ["Flow", "check_load", "read"]

_NO_CALLS = 1e-200  # stands for "no calls": the limit that a first caller would meet
_MOST_ERLANGS = 1e9  # of first attempts
_MOST_LINES = 1e9  # more are as good as endless
_LEAST_S, _MOST_S = 1e-12, 1e15  # seconds that anything lasts
_WITHOUT_END = 1e9  # times the load: stands for callers who return without end …
_MOST_ATTEMPTS = 1e15  # … but no more erlangs than this


def read(inputs: Mapping[str, Any]) -> tuple[dict[str, Array], Curve | None]:
    """The arguments of a queue, checked: its arrays by name, and the law of patience if any.

    Shares of callers who return that are 0 everywhere are given as ``_`` names: they cost
    nothing, but their shapes have to fit.
    """
    seconds = {
        "per": "give the interval's length in seconds",
        "aht": "give mean handle time in seconds",
        "patience": "give mean seconds, a law with .sf(x), or None for endless patience",
    }
    patience, lines = inputs["patience"], inputs["lines"]
    law = Curve(patience) if is_law(patience) else None
    if law is not None and lines is not None:
        raise UnsupportedError(
            "no exact answer is known for finite lines with a general law of patience",
            f"lines={lines!r}",
            "give mean patience in seconds (exponential), leave lines out, or simulate",
        )
    arrays = {}
    for name, remedy in seconds.items():
        if name == "per" or (inputs[name] is not None and not (name == "patience" and law)):
            array = real(name, inputs[name], above=0, remedy=remedy)
            arrays[name] = real(name, array, least=_LEAST_S, most=_MOST_S, remedy=remedy)
    if inputs["calls"] is not None:
        arrays["calls"] = real("calls", inputs["calls"], least=0)
    if lines is not None:
        remedy = "leave lines out, or None, for endless lines"
        arrays["lines"] = real("lines", lines, least=0, most=_MOST_LINES, whole=True, remedy=remedy)
    returns = {
        "redial": real("redial", inputs["redial"], least=0, most=1),
        "redial_blocked": real("redial_blocked", inputs["redial_blocked"], least=0, most=1),
        "reconnect": real("reconnect", inputs["reconnect"], least=0, below=1),
    }
    some = any(share.any() for share in returns.values())
    arrays |= {name if some else "_" + name: share for name, share in returns.items()}
    return arrays, law


def check_load(flat: Mapping[str, Array], shape: tuple[int, ...]) -> None:
    """Refuse more erlangs than there can be, from flat arguments; some may be missing."""
    if not {"calls", "aht"} <= flat.keys():
        return
    with np.errstate(over="ignore"):
        bad = flat["calls"] * flat["aht"] / flat["per"] > _MOST_ERLANGS
    if bad.any():
        refuse(
            f"calls × aht / per is more than {_MOST_ERLANGS:,.0f} erlangs",
            {name: flat[name].reshape(shape) for name in ("calls", "per", "aht")},
            bad.reshape(shape),
            "give calls per interval, and seconds",
        )


@dataclass(frozen=True, eq=False)
class Flow:
    """Demand on a queue, element by element.

    ``patience`` is ``None`` (endless), mean seconds by element (exponential), or one law.
    ``redial``, ``redial_blocked`` and ``reconnect`` are the shares of those who gave up, were
    blocked and were answered that call again; ``None`` where nobody does.
    """

    calls: Array
    per: Array
    aht: Array
    patience: Array | Curve | None = None
    lines: Array | None = None
    redial: Array | None = None
    redial_blocked: Array | None = None
    reconnect: Array | None = None

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.calls.size

    @property
    def load(self) -> Array:
        """First attempts in erlangs."""
        return self.calls * self.aht / self.per

    @property
    def kind_of_patience(self) -> Literal["endless", "exponential", "general"]:
        """Which model of patience this is."""
        if self.patience is None:
            return "endless"
        return "exponential" if isinstance(self.patience, np.ndarray) else "general"

    @property
    def returns(self) -> bool:
        """Whether anybody calls again."""
        return self.redial is not None

    @property
    def classic(self) -> bool:
        """Whether this is Erlang C: patient callers, endless lines, nobody returns."""
        return self.patience is None and self.lines is None and not self.returns

    @property
    def alike(self) -> bool:
        """Whether the elements differ in their calls alone."""
        values = (getattr(self, f.name) for f in fields(self) if f.name != "calls")
        return all(np.ptp(v) == 0 for v in values if isinstance(v, np.ndarray) and v.size)

    def take(self, which: NDArray[np.intp]) -> Flow:
        """The elements ``which``."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(
            self, **{k: v[which] for k, v in values.items() if isinstance(v, np.ndarray)}
        )

    def check_lines(self, agents: Array, shape: tuple[int, ...]) -> None:
        """Refuse agents without a line, and parts of agents on finite lines."""
        if self.lines is None:
            return
        bad = (agents > self.lines) | (agents % 1 != 0)
        if bad.any():
            refuse(
                "with finite lines agents must be whole, and each needs a line",
                {"agents": agents.reshape(shape), "lines": self.lines.reshape(shape)},
                bad.reshape(shape),
                "give whole agents, at most as many as lines",
            )

    def attempts(self, agents: Array) -> Array:
        """All attempts over first attempts; ``inf`` where callers return without end."""
        if not self.returns:
            return np.ones(self.size)
        redial, blocked, reconnect = self._shares
        if self.patience is None and self.lines is None:
            return 1 / (1 - reconnect)
        load = np.maximum(self.load, _NO_CALLS)

        def missing(which: NDArray[np.intp], log_factor: Array) -> Array:
            factor = np.exp(log_factor)
            part = self.take(which)
            return 1 - factor * part.leaving(load[which] * factor, agents[which])

        # At least this share of all attempts is a caller's last one, which bounds their number.
        last = 1 - reconnect
        if self.patience is not None:
            last = np.minimum(last, 1 - redial)
        if self.lines is not None:
            last = np.minimum(last, 1 - blocked)
        with np.errstate(divide="ignore"):
            bound = -np.log(last)
        most = np.log(self._most_factor)
        top = np.minimum(bound, most)
        log_factor = np.where(self._can_leave(load, agents) > 1, 0.0, np.inf)
        open_ = np.flatnonzero((top > 0) & (log_factor == 0))
        low, high = np.zeros(self.size), np.minimum(top, 0.5)
        low_score, high_score = np.zeros(self.size), np.zeros(self.size)
        if open_.size:
            low_score[open_] = missing(open_, low[open_])
        open_ = open_[low_score[open_] > 0]
        solve = open_
        while open_.size:
            high_score[open_] = missing(open_, high[open_])
            open_ = open_[(high_score[open_] > 0) & (high[open_] < top[open_])]
            low[open_], low_score[open_] = high[open_], high_score[open_]
            high[open_] = np.minimum(2 * high[open_] + 0.5, top[open_])
        # Attempts above their bound are a matter of the last digit.
        beyond = solve[high_score[solve] > 0]
        log_factor[beyond] = np.where(bound < most, bound, np.inf)[beyond]
        solve = solve[high_score[solve] <= 0]
        log_factor[solve] = bracketed_root(
            lambda which, value: missing(solve[which], value),
            low[solve],
            high[solve],
            low_score[solve],
            high_score[solve],
        )
        return np.exp(log_factor)

    @property
    def _shares(self) -> tuple[Array, Array, Array]:
        return (
            cast("Array", self.redial),
            cast("Array", self.redial_blocked),
            cast("Array", self.reconnect),
        )

    def _can_leave(self, load: Array, agents: Array) -> Array:
        """Calls that would leave for good over first attempts, were attempts without end.

        Then all agents are busy, and all lines taken. Where no more than come anew can leave, the
        attempts grow without end.
        """
        redial, blocked, reconnect = self._shares
        if isinstance(self.patience, Curve):
            return np.full(self.size, np.inf)  # what its longest patience allows shows itself
        leave = agents / load * (1 - reconnect)
        if self.lines is None:
            return np.where(redial < 1, np.inf, leave)
        if self.patience is not None:
            leave += (1 - redial) * (self.lines - agents) * self.aht / (self.patience * load)
        return np.where(blocked < 1, np.inf, leave)

    def leaving(self, load: Array, agents: Array) -> Array:
        """Share of attempts after which the caller does not call again."""
        steady = self._at(load, agents)
        redial, blocked, reconnect = self._shares
        return (
            steady.abandoned * (1 - redial)
            + steady.blocked * (1 - blocked)
            + steady.answered * (1 - reconnect)
        )

    def steady(self, agents: Array) -> tuple[Steady, Array]:
        """The queue in steady state with so many agents, and attempts over first attempts."""
        factor = self.attempts(agents)
        load = np.maximum(self.load, _NO_CALLS)
        if self.returns:
            load = load * np.minimum(factor, self._most_factor)
        return self._at(load, agents), factor

    @property
    def _most_factor(self) -> Array:
        return np.minimum(_WITHOUT_END, _MOST_ATTEMPTS / np.maximum(self.load, 1.0))

    def attempted(self, factor: Array) -> Array:
        """Attempts a second, a very large number where callers return without end."""
        return self.calls / self.per * np.minimum(factor, self._most_factor)

    def _at(self, load: Array, agents: Array) -> Steady:
        patience = self.patience
        if isinstance(patience, Curve):
            return GeneralQueue(load, agents, self.aht, patience)
        if self.lines is not None:
            law = Endless() if patience is None else Exponential(patience)
            return GeneralQueue(load, agents, self.aht, law, self.lines)
        if patience is None:
            return ErlangC(load, agents, self.aht)
        return ErlangA(load, agents, self.aht, patience)
