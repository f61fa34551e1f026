"""Saving against cost, and the chance that one exceeds the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.results import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Money", "money_of"]


@dataclass(frozen=True)
class Money:
    """Over the span of the demand, in the currency of the prices given.

    Attributes
    ----------
    saving
        Paid hours freed × their price.
    cost
        Of the channel.
    chance
        That the saving exceeds the cost, over the draws.
    """

    saving: Estimate
    cost: float
    chance: float

    def in_words(self) -> str:
        """Give both and the chance in a sentence."""
        saved = self.saving.format("{:,.0f}").replace("-", "−")
        return (
            f"At that price {saved} are saved against a cost of {self.cost:,.0f}; the saving "
            f"exceeds it with a chance of {self.chance:.0%}."
        )


def money_of(hours: NDArray[np.float64], banked: Estimate, price: Any, cost: Any) -> Money:
    """Money of paid hours: their draws, their estimate, the price of one, and what was spent."""
    for name, number in (("cost_per_hour", price), ("channel cost", cost)):
        real = isinstance(number, (int, float)) and not isinstance(number, bool)
        if not real or not np.isfinite(number) or number < 0:
            raise InputError("a price is a number, 0 or more", f"{name}={number!r}")
    saving = Estimate(banked.value * price, banked.low * price, banked.high * price, banked.level)
    return Money(saving, float(cost), float(np.mean(hours * price > cost)))
