"""What the event loops count: columns of their arrays, and the parts they are handed.

Intervals are bins: bin 0 is the warm-up, 1…K the intervals asked about, K + 1 what comes after.
A call is counted in the bin in which it arrived; agents' and queues' time where it was spent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Wholes = NDArray[np.int64]

__all__ = [
    "ABANDONED",
    "ANSWERED",
    "ARRIVED",
    "BLOCKED",
    "COLUMNS",
    "CUT_OFF",
    "FIRST_IN_TIME",
    "FIRST_TRIES",
    "HANDLE_S",
    "KIND_FIRST",
    "KIND_RECONNECT",
    "KIND_REDIAL",
    "LEFT_MENU",
    "OUTCOMES",
    "RECORD_FIELDS",
    "UNSERVED",
    "WAITED",
    "WAIT_ABANDONED_S",
    "WAIT_ANSWERED_S",
    "WAIT_UNSERVED_S",
    "Again",
    "Calls",
    "Centre",
    "Tally",
    "empty_tally",
]

ARRIVED, FIRST_TRIES, BLOCKED, LEFT_MENU, ANSWERED, ABANDONED, UNSERVED, WAITED = range(8)
WAIT_ANSWERED_S, WAIT_ABANDONED_S, WAIT_UNSERVED_S, HANDLE_S = range(8, 12)
CUT_OFF = 12  # answered, handed back when staff fell, and given up then
COLUMNS = 13
FIRST_IN_TIME = 13  # then, per threshold: answered, abandoned, and virtual waits within it
KIND_FIRST, KIND_REDIAL, KIND_RECONNECT = 0, 1, 2

# The outcomes of a record, by code; the names are those of the canonical table.
OUTCOMES = ("answered", "abandoned", "left_menu", "blocked", "unserved")
RECORD_FIELDS = (
    "arrived",
    "joined",
    "left_queue",
    "ended",
    "kind_of_call",
    "outcome",
    "group",
    "kind",
)


class Calls(NamedTuple):
    """First attempts of a stretch of time, in order of arrival; one entry each."""

    at: Floats
    kind: Wholes  # type of call
    work: Floats  # handle time, as a multiple of its mean
    patience: Floats
    menu: Floats
    leaves: NDArray[np.bool_]  # hangs up in the voice menu


class Again(NamedTuple):
    """Draws for attempts that follow others: types × how many."""

    chance: Floats
    delay: Floats  # kinds of following × types × how many: redial, after blocking, reconnect
    work: Floats
    patience: Floats
    menu: Floats
    leaves: NDArray[np.bool_]


class Centre(NamedTuple):
    """What does not change within a replication; bins as above."""

    bounds: Floats  # bins + 1
    agents: Wholes  # bins × groups
    aht: Floats  # bins × types
    within: Floats  # thresholds
    lines: int  # 0: endless
    has_menu: bool
    redial: Floats  # by type: chance after abandoning
    redial_blocked: Floats
    reconnect: Floats
    end: float  # of the last interval
    close: float  # when those who wait are sent away; inf: they are served
    rejoin: bool  # calls in progress go back to the queue when staff falls


class Tally(NamedTuple):
    """The counts of a replication."""

    calls: Floats  # bins × types × columns
    busy: Floats  # bins × groups: agent-seconds on calls
    overtime: Floats  # bins × groups: of them, beyond the agents' shift
    queue: Floats  # bins × types: caller-seconds in the queue
    lines: Floats  # bins × 1: line-seconds held


def empty_tally(bins: int, types: int, groups: int, thresholds: int) -> Tally:
    """All zero."""
    return Tally(
        np.zeros((bins, types, COLUMNS + 3 * thresholds)),
        np.zeros((bins, groups)),
        np.zeros((bins, groups)),
        np.zeros((bins, types)),
        np.zeros((bins, 1)),
    )
