"""A binary heap of moments and places, for loops that may be compiled.

A moment (whole seconds, below 2³¹) and a place (below 2³²) are one number of 64 bits, the moment
first: one comparison settles both, and ties go to the lowest place, so that order never depends
on luck.
"""

from __future__ import annotations

from typing import Any

from ccanalytics.compiled import compiled_in_place as compiled

__all__ = ["moment", "packed", "place", "pop", "push", "sink"]

_BITS = 32
_LOW = (1 << _BITS) - 1


@compiled
def packed(at: int, where: int) -> int:
    """The entry of a moment and a place."""
    return (at << _BITS) | where


@compiled
def moment(entry: int) -> int:
    """The moment of an entry."""
    return entry >> _BITS


@compiled
def place(entry: int) -> int:
    """The place of an entry."""
    return entry & _LOW


@compiled
def push(heap: Any, size: int, new: int) -> None:
    """Add an entry to a heap that holds ``size`` of them."""
    at = size
    while at > 0:
        above = (at - 1) >> 1
        if heap[above] < new:
            break
        heap[at] = heap[above]
        at = above
    heap[at] = new


@compiled
def sink(heap: Any, size: int, new: int) -> None:
    """Put an entry in the place of the first one."""
    # What is put there mostly belongs far down: the hole goes to the bottom without asking, and
    # the entry climbs from there.
    at = 0
    below = 2
    while below < size:
        below -= heap[below - 1] < heap[below]
        heap[at] = heap[below]
        at = below
        below = 2 * at + 2
    if below == size:
        heap[at] = heap[below - 1]
        at = below - 1
    push(heap, at, new)


@compiled
def pop(heap: Any, size: int) -> None:
    """Take the first entry out of a heap that holds ``size`` of them."""
    if size > 1:
        sink(heap, size - 1, heap[size - 1])
