"""What every model of a queue in steady state answers, element by element.

Shares are of all arrivals unless a name says otherwise; times are in seconds. A *virtual* wait is
that of a caller of endless patience who got a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ccanalytics.queueing.door import Array

__all__ = ["Steady"]


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
