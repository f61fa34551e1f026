"""What every model of a queue in steady state answers, element by element.

Shares are of all arrivals unless a name says otherwise; times are in seconds. A *virtual* wait is
that of a caller of endless patience who got a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from ccanalytics.queueing.door import Array

__all__ = ["Parts", "Steady"]


class Steady(Protocol):
    """A queue in steady state, on flat arrays of one length."""

    answered: Array
    abandoned: Array
    blocked: Array
    waiting: Array
    """Share of the calls that entered which find every agent busy."""
    mean_wait: Array
    """Mean wait of the calls that entered."""

    def answered_within(self, t: float) -> Array:
        """Share of arrivals answered within ``t``."""

    def answered_after(self, t: Array) -> Array:
        """Share of arrivals answered later than ``t``."""

    def abandoned_within(self, t: float) -> Array:
        """Share of arrivals that gave up within ``t``."""

    def abandoned_after(self, t: Array) -> Array:
        """Share of arrivals that gave up later than ``t``."""

    def virtual_within(self, t: float) -> Array:
        """Share of the calls that entered whose virtual wait is at most ``t``."""

    def virtual_after(self, t: Array) -> Array:
        """Share of the calls that entered whose virtual wait is above ``t``."""

    def answered_wait(self) -> Array:
        """Mean wait of the answered."""

    def abandoned_wait(self) -> Array:
        """Mean wait of those who gave up."""


class Parts:
    """Several models in a row, answering as one."""

    def __init__(self, models: Sequence[Steady], parts: Sequence[slice]) -> None:
        self._models, self._parts = models, parts
        self.answered = np.concatenate([m.answered for m in models])
        self.abandoned = np.concatenate([m.abandoned for m in models])
        self.blocked = np.concatenate([m.blocked for m in models])
        self.waiting = np.concatenate([m.waiting for m in models])
        self.mean_wait = np.concatenate([m.mean_wait for m in models])

    def _at(self, name: str, t: Array | float) -> Array:
        times = np.asarray(t, dtype=float)
        return np.concatenate(
            [
                getattr(model, name)(times if times.ndim == 0 else times[part])
                for model, part in zip(self._models, self._parts, strict=True)
            ]
        )

    def answered_within(self, t: float) -> Array:
        return self._at("answered_within", t)

    def answered_after(self, t: Array) -> Array:
        return self._at("answered_after", t)

    def abandoned_within(self, t: float) -> Array:
        return self._at("abandoned_within", t)

    def abandoned_after(self, t: Array) -> Array:
        return self._at("abandoned_after", t)

    def virtual_within(self, t: float) -> Array:
        return self._at("virtual_within", t)

    def virtual_after(self, t: Array) -> Array:
        return self._at("virtual_after", t)

    def answered_wait(self) -> Array:
        return np.concatenate([m.answered_wait() for m in self._models])

    def abandoned_wait(self) -> Array:
        return np.concatenate([m.abandoned_wait() for m in self._models])
