"""Binary heaps in arrays: times, rows whose first field is their time, and slots with a time each.

The last know where each slot is, so that a time can be changed or taken out wherever it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.compiled import compiled_in_place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Times = NDArray[np.float64]
    Rows = NDArray[np.float64]
    Wholes = NDArray[np.int64]

__all__ = ["drop_due", "pop_row", "pop_time", "push_row", "push_time", "replace_least", "set_due"]


@compiled_in_place
def replace_least(heap: Times, size: int, value: float) -> None:
    """Take the least time out and put another in: one walk down the heap."""
    place = 0
    child = 1
    while child < size:
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[place] = heap[child]
        place = child
        child = 2 * place + 1
    heap[place] = value


@compiled_in_place
def push_time(heap: Times, size: int, value: float) -> None:
    """Add a time to the ``size`` there are; the heap has room for it."""
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if heap[parent] <= value:
            break
        heap[place] = heap[parent]
        place = parent
    heap[place] = value


@compiled_in_place
def pop_time(heap: Times, size: int) -> float:
    """Take the least of ``size`` times out and return it."""
    least: float = heap[0]
    if size > 1:
        replace_least(heap, size - 1, heap[size - 1])
    return least


@compiled_in_place
def push_row(heap: Rows, size: int, row: Times) -> None:
    """Add a row to the ``size`` there are; ties leave in any order."""
    # Field by field: copying slices costs several times as much.
    fields = heap.shape[1]
    time = row[0]
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if heap[parent, 0] <= time:
            break
        for field in range(fields):
            heap[place, field] = heap[parent, field]
        place = parent
    for field in range(fields):
        heap[place, field] = row[field]


@compiled_in_place
def pop_row(heap: Rows, size: int, row: Times) -> None:
    """Take the earliest of ``size`` rows out, into ``row``."""
    fields = heap.shape[1]
    for field in range(fields):
        row[field] = heap[0, field]
    last = size - 1
    time = heap[last, 0]
    place = 0
    child = 1
    while child < last:
        if child + 1 < last and heap[child + 1, 0] < heap[child, 0]:
            child += 1
        if heap[child, 0] >= time:
            break
        for field in range(fields):
            heap[place, field] = heap[child, field]
        place = child
        child = 2 * place + 1
    if last > 0:
        for field in range(fields):
            heap[place, field] = heap[last, field]


@compiled_in_place
def set_due(  # pragma: no cover
    due: Times, slots: Wholes, place: Wholes, size: int, slot: int, time: float
) -> int:
    """Give a slot its time, whether it had one or none (``place`` −1); the new size."""
    hole = place[slot]
    if hole < 0:
        hole = size
        size += 1
    _settle(due, slots, place, size, hole, slot, time)
    return size


@compiled_in_place
def drop_due(  # pragma: no cover
    due: Times, slots: Wholes, place: Wholes, size: int, slot: int
) -> int:
    """Take a slot's time out, if it has one; the new size."""
    hole = place[slot]
    if hole < 0:
        return size
    place[slot] = -1
    size -= 1
    if hole < size:
        _settle(due, slots, place, size, hole, slots[size], due[size])
    return size


@compiled_in_place
def _settle(  # pragma: no cover
    due: Times, slots: Wholes, place: Wholes, size: int, hole: int, slot: int, time: float
) -> None:
    """Fill a hole, after walking it up or down to where the time belongs."""
    while hole > 0:
        parent = (hole - 1) >> 1
        if due[parent] <= time:
            break
        due[hole], slots[hole] = due[parent], slots[parent]
        place[slots[hole]] = hole
        hole = parent
    child = 2 * hole + 1
    while child < size:
        if child + 1 < size and due[child + 1] < due[child]:
            child += 1
        if due[child] >= time:
            break
        due[hole], slots[hole] = due[child], slots[child]
        place[slots[hole]] = hole
        hole = child
        child = 2 * hole + 1
    due[hole], slots[hole], place[slot] = time, slot, hole
