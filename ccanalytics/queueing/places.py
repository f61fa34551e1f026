"""Few waiting places: the states with all agents busy, summed one by one.

Beyond some hundred places the integrals of :mod:`~ccanalytics.queueing.virtual` are quicker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ccanalytics.queueing.door import Array

__all__ = ["FEW_PLACES", "Places", "waiting_places"]

FEW_PLACES = 500
_CELLS = 1 << 18  # numbers in work at once


class Places(NamedTuple):
    """Weights in units of the likeliest of the states with all agents busy."""

    log_unit: Array
    """Logarithm of the weight of "all busy, nobody waits"."""
    queue: Array
    """All agents busy, a place free."""
    served: Array
    """Somebody waits: what agents busy with them weigh."""
    full: Array
    """All places taken."""
    length: Array
    """Sum of those waiting, times weight."""
    kept_wait: Array
    """Of those who enter and are answered, the wait, times weight."""


def waiting_places(arrivals: Array, service: Array, leaving: Array, room: Array) -> Places:
    """Sums over up to ``room`` waiting, who leave at the rate ``leaving`` each."""
    parts = []
    rows = max(1, _CELLS // (int(room.max(initial=0)) + 1))
    for begin in range(0, max(room.size, 1), rows):
        part = slice(begin, begin + rows)
        parts.append(_sums(arrivals[part], service[part], leaving[part], room[part]))
    return Places(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _sums(arrivals: Array, service: Array, leaving: Array, room: Array) -> tuple[Array, ...]:
    k = np.arange(1, int(room.max(initial=0)) + 1)
    departing = service[:, None] + leaving[:, None] * k
    ratio = np.where(k <= room[:, None], arrivals[:, None] / departing, 0.0)
    # Every product starts at the likeliest state, so that it only falls.
    rising = ratio > 1
    one = np.ones((room.size, 1))
    back = np.where(rising, 1 / np.where(rising, ratio, 1.0), 1.0)
    before = np.concatenate([np.cumprod(back[:, ::-1], axis=1)[:, ::-1], one], axis=1)
    weight = before * np.concatenate(
        [one, np.cumprod(np.where(rising, 1.0, ratio), axis=1)], axis=1
    )
    waiting = weight[:, 1:]
    every = np.arange(room.size)
    full = weight[every, room.astype(np.intp)]
    found = np.where(k <= room[:, None], weight[:, :-1], 0.0)  # by those who enter
    turn = np.cumsum(1 / departing, axis=1)  # mean time until the turn of who found k − 1 waiting
    kept = service[:, None] / departing
    return (
        np.log(back).sum(axis=1),
        found.sum(axis=1),
        waiting.sum(axis=1),
        full,
        (waiting * k).sum(axis=1),
        (found * kept * turn).sum(axis=1),
    )
