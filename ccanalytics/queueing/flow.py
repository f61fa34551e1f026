"""What comes in, as flat arrays: calls, handle time, patience, lines and the calls that return."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ccanalytics.queueing.endless import ErlangA, ErlangC
from ccanalytics.queueing.general import GeneralQueue
from ccanalytics.queueing.patience import Endless, Exponential
from ccanalytics.queueing.search import bracketed_root

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.queueing.door import Array
    from ccanalytics.queueing.patience import Law
    from ccanalytics.queueing.steady import Steady

__all__ = ["Flow"]

_NO_CALLS = 1e-200  # stands for "no calls": the limit that a first caller would meet
_WITHOUT_END = 1e12  # times the load: stands for callers who return without end


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
    patience: Array | Law | None = None
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
        names = ("per", "aht", "patience", "lines", "redial", "redial_blocked", "reconnect")
        values = (getattr(self, name) for name in names)
        return all(np.ptp(v) == 0 for v in values if isinstance(v, np.ndarray) and v.size)

    def take(self, which: NDArray[np.intp] | slice) -> Flow:
        """The elements ``which``."""
        if isinstance(which, slice):
            which = np.arange(self.size)[which]
        fields: dict[str, Any] = {}
        for name in ("calls", "per", "aht", "lines", "redial", "redial_blocked", "reconnect"):
            value = getattr(self, name)
            fields[name] = None if value is None else value[which]
        if isinstance(self.patience, np.ndarray):
            fields["patience"] = self.patience[which]
        return replace(self, **fields)

    def attempts(self, agents: Array) -> Array:
        """All attempts over first attempts; ``inf`` where callers return without end."""
        if not self.returns:
            return np.ones(self.size)
        load = np.maximum(self.load, _NO_CALLS)
        top = np.full(self.size, np.log(_WITHOUT_END))

        def missing(which: NDArray[np.intp], log_factor: Array) -> Array:
            factor = np.exp(log_factor)
            part = self.take(which)
            return 1 - factor * part._leaving(load[which] * factor, agents[which])

        every = np.arange(self.size)
        zero = np.zeros(self.size)
        at_top = missing(every, top)
        root = np.exp(bracketed_root(missing, zero, top, missing(every, zero), at_top))
        return np.where(at_top > 0, np.inf, np.maximum(root, 1.0))

    def _leaving(self, load: Array, agents: Array) -> Array:
        """Share of attempts after which the caller does not call again."""
        steady = self._at(load, agents)
        assert self.redial is not None
        assert self.redial_blocked is not None
        assert self.reconnect is not None
        return (
            steady.abandoned * (1 - self.redial)
            + steady.blocked * (1 - self.redial_blocked)
            + steady.answered * (1 - self.reconnect)
        )

    def steady(self, agents: Array) -> tuple[Steady, Array]:
        """The queue in steady state with so many agents, and attempts over first attempts."""
        factor = self.attempts(agents)
        load = np.maximum(self.load, _NO_CALLS)
        if self.returns:
            load = load * np.minimum(factor, _WITHOUT_END)
        return self._at(load, agents), factor

    def _at(self, load: Array, agents: Array) -> Steady:
        if self.lines is not None:
            law = Endless() if self.patience is None else Exponential(self.patience)
            return GeneralQueue(load, agents, self.aht, law, self.lines)
        if self.patience is None:
            return ErlangC(load, agents, self.aht)
        if isinstance(self.patience, np.ndarray):
            return ErlangA(load, agents, self.aht, self.patience)
        return GeneralQueue(load, agents, self.aht, self.patience)
