"""The pool of agents: first come first served, callers who give up, redial and call again.

A caller entering at t takes the agent who is free first, at f: served at max(t, f) if that is
before the caller's patience ends, gone at t + patience otherwise. Taken in order of entry this is
exactly first come, first served, at one heap operation a call: whoever gives up never holds an
agent. Among agents who are free, the longest idle one takes the call. How long the call takes
depends on who answers it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.needs import patience_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.floor import Floor
    from ccanalytics.simulation.sample.parameters import CentreParameters

__all__ = [
    "DRAWS",
    "FIRST",
    "FOLLOW_UP",
    "FOLLOW_UP_REDIAL",
    "REDIAL",
    "Attempts",
    "Requests",
    "later_luck",
    "serve",
    "serve_with",
]

# A redial keeps what it is a redial of in the upper bit.
FIRST, REDIAL, FOLLOW_UP, FOLLOW_UP_REDIAL = 0, 1, 2, 3
_CHUNK = 500_000
# Luck of later attempts, looked up by request: the same whatever happens to other callers.
DRAWS = 1 << 17


@dataclass(frozen=True, eq=False)
class Requests:
    """First requests for an agent, sorted by ``entry``, the second at which they join the queue.

    ``key`` names the request in every world; ``handle_s`` is what a typical tenured agent takes,
    ``rest_share`` the part of it that is not talk, ``saved_s`` what SMS-assist then saves, and
    ``typical_s`` the median handle time of a follow-up call.
    """

    entry: NDArray[np.int32]
    key: NDArray[np.int32]
    patience_s: NDArray[np.int32]
    handle_s: NDArray[np.int32]
    saved_s: NDArray[np.int32]
    rest_share: NDArray[np.float32]
    redials: NDArray[np.uint8]
    follow_up_s: NDArray[np.int32]
    typical_s: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Attempts:
    """Every attempt to reach an agent, first ones and later ones, in order of entry.

    ``request`` is the first request behind it, ``shift`` the spell on the floor in which an agent
    answered it (−1: abandoned), and ``menu_s`` the menu time of later attempts (0 for first ones,
    whose own is known).
    """

    request: NDArray[np.int32]
    kind: NDArray[np.int8]
    entry: NDArray[np.int32]
    menu_s: NDArray[np.int32]
    wait_s: NDArray[np.int32]
    handle_s: NDArray[np.int32]
    shift: NDArray[np.int32]


def serve(
    parameters: CentreParameters,
    requests: Requests,
    floor: Floor,
    span_s: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> Attempts:
    """What becomes of each request, and of the redials and follow-up calls it leads to."""
    return serve_with(parameters, requests, floor, span_s, later_luck(parameters, rng), progress)


def serve_with(
    parameters: CentreParameters,
    requests: Requests,
    floor: Floor,
    span_s: int,
    luck: list[NDArray[Any]],
    progress: Callable[[int, int], None] | None = None,
) -> Attempts:
    """The same with the luck of later attempts drawn beforehand.

    Whole seconds throughout, so that the log adds up. An agent takes no call at or after the end
    of a spell, and finishes the one at hand. Attempts that would begin after the log's span are
    not made.
    """
    from ccanalytics.compiled import COMPILES
    from ccanalytics.simulation.sample.line import STATES, WRITTEN, pass_through

    count = requests.entry.size
    redials = requests.redials.astype(np.int64)
    follows = requests.follow_up_s > 0
    # Never more later attempts than this; what is not used takes no memory.
    most = int(redials.sum() + follows.sum() + redials[follows].sum()) + 1
    spells = floor.start.size

    def room(size: int, *kinds: type) -> list[NDArray[Any]]:
        return [np.empty(size, kind) for kind in kinds]

    out = room(count + most, np.int32, np.int8, *(5 * [np.int32]))
    later = room(most, np.int64, np.int32, np.int8, *(4 * [np.int32]))
    state = np.zeros(STATES, np.int64)
    arrays: list[Any] = [
        state,
        *(
            np.ascontiguousarray(each, kind)
            for each, kind in (
                (requests.entry, np.int32),
                (requests.key, np.int32),
                (requests.patience_s, np.int32),
                (requests.handle_s, np.int32),
                (requests.saved_s, np.int32),
                (requests.rest_share, np.float32),
                (requests.redials, np.uint8),
                (requests.follow_up_s, np.int32),
                (requests.typical_s, np.float32),
                (floor.start, np.int64),
                (floor.end, np.int64),
                (floor.person, np.int64),
                (floor.pace, np.float64),
                (floor.talk_pace, np.float64),
            )
        ),
        np.zeros(int(floor.person.max(initial=0)) + 1, np.int64),
        *room(spells + 1, np.int64),
        *later,
        *luck,
        *out,
    ]
    if not COMPILES:
        # Elements of a memoryview are Python's own numbers, several times faster one by one.
        arrays = [memoryview(each) for each in arrays]
    horizon = int(parameters.patience_cap_s) + 1
    for first in range(0, max(count, 1), _CHUNK):
        last = min(first + _CHUNK, count)
        pass_through(first, last, span_s, horizon, *arrays)
        if progress is not None:
            progress(last, count)
    return Attempts(*(each[: state[WRITTEN]] for each in out))


def later_luck(parameters: CentreParameters, rng: np.random.Generator) -> list[NDArray[Any]]:
    """Delays of redials, menu times, patiences and handle times of later attempts."""
    p = parameters
    delay = p.redial_median_s * np.exp(p.redial_log_sd * rng.standard_normal(DRAWS))
    menu = 3 + rng.gamma(3.0, max(p.menu_mean_s - 3, 0.0) / 3, DRAWS)
    patience = patience_s(p, DRAWS, rng)
    factor = np.exp(p.handle_log_sd * rng.standard_normal(DRAWS))
    return [
        np.clip(np.rint(delay), 5, 18 * 3600).astype(np.int32),
        np.rint(menu).astype(np.int32),
        patience,
        factor,
    ]
