"""A binary heap in two arrays, for loops that may be compiled: smallest key first, then lowest id.

Unlike ``heapq``'s tuples these compile, and ties are settled, so that order never depends on luck.
"""

from __future__ import annotations

from typing import Any

from ccanalytics.simulation.compiled import compiled

__all__ = ["pop", "push", "sink"]


@compiled
def push(keys: Any, ids: Any, size: int, key: int, new: int) -> None:
    """Add an entry to a heap that holds ``size`` of them."""
    at = size
    while at > 0:
        above = (at - 1) // 2
        if keys[above] < key or (keys[above] == key and ids[above] < new):
            break
        keys[at] = keys[above]
        ids[at] = ids[above]
        at = above
    keys[at] = key
    ids[at] = new


@compiled
def sink(keys: Any, ids: Any, size: int, key: int, new: int) -> None:
    """Put an entry in the place of the first one."""
    at = 0
    below = 1
    while below < size:
        other = below + 1
        if other < size and (
            keys[other] < keys[below] or (keys[other] == keys[below] and ids[other] < ids[below])
        ):
            below = other
        if key < keys[below] or (key == keys[below] and new < ids[below]):
            break
        keys[at] = keys[below]
        ids[at] = ids[below]
        at = below
        below = 2 * at + 1
    keys[at] = key
    ids[at] = new


@compiled
def pop(keys: Any, ids: Any, size: int) -> None:
    """Take the first entry out of a heap that holds ``size`` of them."""
    if size > 1:
        sink(keys, ids, size - 1, keys[size - 1], ids[size - 1])
