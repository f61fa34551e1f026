"""Rules of thumb beside the exact answers."""

from __future__ import annotations

import numpy as np
from scipy import special

from ccanalytics.queueing.door import Array

__all__ = ["waiting_deviate"]


def waiting_deviate(load: Array, within: Array, late: Array | float) -> Array:
    """β at which the square-root rule has a share ``late`` waiting over ``within`` handle times.

    Solves α(β)·e^(−β√R·t/AHT) = late by Newton steps, α being Halfin and Whitt's function.
    """
    slope = np.sqrt(load) * within
    aim = -np.log(late)
    beta = aim / (slope + 1.3 + 0.3 * aim)
    for _ in range(4):
        mills = np.sqrt(np.pi / 2) * special.erfcx(-beta / np.sqrt(2))  # Φ/φ
        one = 1 + beta * mills
        step = (np.log(one) + beta * slope - aim) / ((mills + beta * one) / one + slope)
        beta = np.maximum(beta - step, 0.1 * beta)
    return beta
