"""What a planner should know about a day in motion before relying on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.results import Check

if TYPE_CHECKING:
    from ccanalytics.queueing.course import Course

__all__ = ["doubts"]

_EXACT = 1e-10


def doubts(course: Course, lost: float, left: float, endless: bool) -> tuple[Check, ...]:
    """Probability lost, staff that falls, callers left at the end, waits that never end."""
    found = [
        Check(
            "state space",
            "holds" if lost <= _EXACT else "fails",
            f"at most {max(lost, 1e-16):.0e} of probability lost at its upper end",
        )
    ]
    falls = int((np.diff(course.agents) < 0).sum())
    if falls:
        found.append(
            Check(
                "staff falls",
                "informs",
                f"after {falls} of {course.size} intervals; calls in progress above the new "
                "number go back to the head of the queue at once",
            )
        )
    if left > 0.005:
        found.append(
            Check(
                "backlog",
                "informs",
                f"{left:.2f} callers still wait at the end, on average; their waits are as if the "
                f"last {course.agents[-1]:g} agents stayed on",
            )
        )
    if endless:
        found.append(
            Check(
                "end of the day",
                "fails",
                "some callers of endless patience wait when the last agent has gone, and their "
                "wait never ends",
            )
        )
    return tuple(found)
