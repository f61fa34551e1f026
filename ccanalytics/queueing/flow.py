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

__all__ = ["Flow", "read"]

_NO_CALLS = 1e-200  # stands for "no calls": the limit that a first caller would meet
_WITHOUT_END = 1e12  # times the load: stands for callers who return without end


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
            arrays[name] = real(name, inputs[name], above=0, remedy=remedy)
    if inputs["calls"] is not None:
        arrays["calls"] = real("calls", inputs["calls"], least=0)
    if lines is not None:
        remedy = "leave lines out, or None, for endless lines"
        arrays["lines"] = real("lines", lines, least=0, whole=True, remedy=remedy)
    returns = {
        "redial": real("redial", inputs["redial"], least=0, most=1),
        "redial_blocked": real("redial_blocked", inputs["redial_blocked"], least=0, most=1),
        "reconnect": real("reconnect", inputs["reconnect"], least=0, below=1),
    }
    some = any(share.any() for share in returns.values())
    arrays |= {name if some else "_" + name: share for name, share in returns.items()}
    return arrays, law


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

    def check_lines(self, agents: Array) -> None:
        """Refuse agents without a line, and parts of agents on finite lines."""
        if self.lines is None:
            return
        bad = (agents > self.lines) | (agents % 1 != 0)
        if bad.any():
            refuse(
                "with finite lines agents must be whole, and each needs a line",
                {"agents": agents, "lines": self.lines},
                bad,
                "give whole agents, at most as many as lines",
            )

    def attempts(self, agents: Array) -> Array:
        """All attempts over first attempts; ``inf`` where callers return without end."""
        if not self.returns:
            return np.ones(self.size)
        load = np.maximum(self.load, _NO_CALLS)
        top = np.full(self.size, np.log(_WITHOUT_END))

        def missing(which: NDArray[np.intp], log_factor: Array) -> Array:
            factor = np.exp(log_factor)
            part = self.take(which)
            return 1 - factor * part.leaving(load[which] * factor, agents[which])

        every = np.arange(self.size)
        zero = np.zeros(self.size)
        at_top = missing(every, top)
        root = np.exp(bracketed_root(missing, zero, top, missing(every, zero), at_top))
        return np.where(at_top > 0, np.inf, np.maximum(root, 1.0))

    def leaving(self, load: Array, agents: Array) -> Array:
        """Share of attempts after which the caller does not call again."""
        steady = self._at(load, agents)
        redial, blocked, reconnect = (
            cast("Array", share) for share in (self.redial, self.redial_blocked, self.reconnect)
        )
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
            load = load * np.minimum(factor, _WITHOUT_END)
        return self._at(load, agents), factor

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
