"""Several threads over a stream: what comes out keeps its order, and little is held at a time."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from concurrent.futures import Future

__all__ = ["in_order", "workers"]

A = TypeVar("A")
B = TypeVar("B")
_MOST = 4


def workers() -> int:
    """How many blocks are worked on at once: the processors we may use, up to four."""
    free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(free, _MOST))


def in_order(items: Iterator[A], work: Callable[[A], B]) -> Generator[tuple[A, Callable[[], B]]]:
    """Each item with a call that waits for its result; the next ones are under way meanwhile.

    The items themselves are drawn in a thread of their own. An error in either comes out where the
    item would have. Closing the iterator stops everything: what has not begun is given up, and what
    is being worked on is waited for.
    """
    ahead = workers()
    reader = ThreadPoolExecutor(1, thread_name_prefix="ccanalytics-read")
    pool = ThreadPoolExecutor(ahead, thread_name_prefix="ccanalytics-load")
    under_way: deque[tuple[A, Future[B]]] = deque()
    coming: Future[A | None] | None = None
    try:
        coming = reader.submit(next, items, None)
        while coming is not None or under_way:
            while coming is not None and len(under_way) <= ahead:
                if under_way:
                    # Whatever comes first: no worker is idle while the oldest is waited for.
                    either: list[Future[Any]] = [coming, under_way[0][1]]
                    wait(either, return_when=FIRST_COMPLETED)
                    # What is under way already comes before an error of the reading.
                    if not coming.done() or coming.exception() is not None:
                        break
                item = coming.result()
                if item is None:
                    coming = None
                    break
                under_way.append((item, pool.submit(work, item)))
                coming = reader.submit(next, items, None)
            if under_way:
                # It stays in the row while it is out, so that closing waits for it too.
                item, future = under_way[0]
                yield item, future.result
                under_way.popleft()
                del item, future
    finally:
        # The work is waited for, not the threads: an iterator that was dropped may be closed by the
        # collector inside any thread, one that is just starting or ending among them, and joining
        # another there never returns.
        reader.shutdown(wait=False, cancel_futures=True)
        pool.shutdown(wait=False, cancel_futures=True)
        rest: list[Future[Any]] = [future for _, future in under_way]
        rest += [coming] if coming is not None else []
        wait([future for future in rest if not future.cancelled()])
