"""Waits behind a queue of known length, with and without patience.

A caller who finds q waiting and every one of n agents busy is answered at the (q + 1)th departure
ahead of him. Without patience that is a gamma variable. With it the departures come at rates
(n + kh)/aht, k = q … 0, so that Y = e^{−θT} of the time T to an answer is beta with parameters
α = n/h and q + 1, and the caller stays that long with chance Y.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from ccanalytics.queueing.door import Array

__all__ = ["Waits", "waits"]


class Waits(NamedTuple):
    """By the number waiting ahead, of those who find every agent busy."""

    answered: Array
    answered_in_time: Array
    gave_up_in_time: Array
    virtual_in_time: Array
    """What an endlessly patient caller would meet."""
    wait: Array
    answered_wait: Array
    """Mean seconds, counted over all who wait."""


def waits(ahead: int, n: float, aht: float, hurry: float, t: float) -> Waits:
    """Chances and means for 0 … ``ahead`` − 1 waiting ahead, within ``t`` seconds."""
    turns: Array = np.arange(1, ahead + 1, dtype=np.float64)
    if hurry == 0:
        soon: Array = np.asarray(special.gammainc(turns, n * t / aht), dtype=np.float64)
        wait = turns * aht / n
        return Waits(np.ones(ahead), soon, np.zeros(ahead), soon, wait, wait)
    alpha, theta = n / hurry, hurry / aht
    answered: Array = alpha / (alpha + turns)
    gone = -math.expm1(-theta * t)
    virtual = special.betainc(turns, alpha, gone)
    in_time: Array = answered * special.betainc(turns, alpha + 1, gone)
    gave_up = np.maximum(1 - (1 - virtual) * math.exp(-theta * t) - in_time, 0.0)
    wait = turns / (alpha + turns) / theta
    # E[T·Y], with T = −log(Y)/θ: the slope of log E[Yˢ] at s = 1.
    slope = special.digamma(alpha + turns + 1) - special.digamma(alpha + 1)
    return Waits(answered, in_time, gave_up, virtual, wait, answered * slope / theta)
