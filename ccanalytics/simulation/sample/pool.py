"""The pool of agents: first come first served, callers who give up, redial and call again.

A caller entering at t takes the agent who is free first, at f: served at max(t, f) if that is
before the caller's patience ends, gone at t + patience otherwise. Taken in order of entry this is
exactly first come, first served, at one heap operation a call: whoever gives up never holds an
agent. Among agents who are free, the longest idle one takes the call.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.simulation.sample.needs import patience_s
from ccanalytics.simulation.sample.volumes import DAY_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.roster import Roster

__all__ = ["FIRST", "FOLLOW_UP", "FOLLOW_UP_REDIAL", "REDIAL", "Attempts", "Requests", "serve"]

# A redial keeps what it is a redial of in the upper bit.
FIRST, REDIAL, FOLLOW_UP, FOLLOW_UP_REDIAL = 0, 1, 2, 3
_CHUNK = 100_000


@dataclass(frozen=True, eq=False)
class Requests:
    """First requests for an agent, sorted by ``entry``, the second at which they join the queue."""

    entry: NDArray[np.int64]
    patience_s: NDArray[np.int32]
    handle_s: NDArray[np.int32]
    redials: NDArray[np.uint8]
    follow_up_s: NDArray[np.int32]
    typical_s: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Attempts:
    """Every attempt to reach an agent, first ones and later ones, in order of entry.

    ``request`` is the first request behind it, ``shift`` who served it (−1: abandoned), and
    ``menu_s`` the menu time of later attempts (0 for first ones, whose own is known).
    """

    request: NDArray[np.int64]
    kind: NDArray[np.int64]
    entry: NDArray[np.int64]
    menu_s: NDArray[np.int64]
    wait_s: NDArray[np.int64]
    handle_s: NDArray[np.int64]
    shift: NDArray[np.int64]


def serve(
    parameters: CentreParameters,
    requests: Requests,
    roster: Roster,
    span_s: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> Attempts:
    """What becomes of each request, and of the redials and follow-up calls it leads to.

    Whole seconds throughout, so that the log adds up. An agent takes no call at or after the end
    of the shift, and finishes the one at hand. Attempts that would begin after the log's span are
    not made.
    """
    queue = _Queue(parameters, roster, span_s, rng)
    count = requests.entry.size
    for first in range(0, count, _CHUNK):
        part = slice(first, first + _CHUNK)
        for index, (entry, patience, handle, redials, follow_up, typical) in enumerate(
            zip(
                requests.entry[part].tolist(),
                requests.patience_s[part].tolist(),
                requests.handle_s[part].tolist(),
                requests.redials[part].tolist(),
                requests.follow_up_s[part].tolist(),
                requests.typical_s[part].tolist(),
                strict=True,
            ),
            first,
        ):
            if queue.again and queue.again[0][0] < entry:
                queue.later_ones(entry)
            wait = queue.attempt(entry, index, FIRST, 0, handle, patience, redials)
            if wait >= 0 and follow_up:
                queue.follow_up(entry + wait + handle + follow_up, index, typical, redials)
        if progress is not None:
            progress(min(first + _CHUNK, count), count)
    queue.later_ones(1 << 62)
    return Attempts(*(np.frombuffer(each, np.int64) for each in queue.out))


class _Queue:
    """The queue at one moment: agents by the second they are free, callers who will call again."""

    def __init__(
        self,
        parameters: CentreParameters,
        roster: Roster,
        span_s: int,
        rng: np.random.Generator,
    ) -> None:
        self.span_s = span_s
        self.horizon = int(parameters.patience_cap_s) + 1
        self.starts, self.ends = roster.start.tolist(), roster.end.tolist()
        self.due = 0
        self.free: list[tuple[int, int]] = []
        self.again: list[tuple[int, int, int, int, int, int]] = []
        self.out = [array("q") for _ in range(7)]
        self.write = [each.append for each in self.out]
        self.redial_draws = _redial_draws(parameters, rng)
        self.follow_draws = _follow_draws(parameters, rng)
        self.patiences = _patience_draws(parameters, rng)

    def attempt(
        self,
        entry: int,
        index: int,
        kind: int,
        menu: int,
        handle: int,
        patience: int,
        redials: int,
    ) -> int:
        """One caller joins the queue: the wait if an agent takes the call, −1 if none does."""
        free, starts, ends = self.free, self.starts, self.ends
        while self.due < len(starts) and starts[self.due] <= entry + self.horizon:
            heappush(free, (starts[self.due], self.due))
            self.due += 1
        while free and ends[free[0][1]] <= max(free[0][0], entry):
            heappop(free)
        wait = max(free[0][0] - entry, 0) if free else self.horizon
        shift = -1
        if wait <= patience:
            shift = free[0][1]
            heapreplace(free, (entry + wait + handle, shift))
        else:
            wait = patience
        values = (index, kind, entry, menu, wait, handle, shift)
        for write, value in zip(self.write, values, strict=True):
            write(value)
        if shift >= 0:
            return wait
        if redials:
            delay, next_menu = next(self.redial_draws)
            at = entry + patience + delay
            if at < self.span_s:
                later = (at + next_menu, index, kind | REDIAL, next_menu, handle, redials - 1)
                heappush(self.again, later)
        return -1

    def follow_up(self, at: int, index: int, typical: float, redials: int) -> None:
        """A served caller will call again about the same, though not at night."""
        at += 8 * 3600 if at % DAY_S < 7 * 3600 else 0
        if at < self.span_s:
            menu, factor = next(self.follow_draws)
            handle = max(1, round(typical * factor))
            heappush(self.again, (at + menu, index, FOLLOW_UP, menu, handle, redials))

    def later_ones(self, until: int) -> None:
        """Redials and follow-up calls that join the queue before that second."""
        while self.again and self.again[0][0] < until:
            entry, index, kind, menu, handle, redials = heappop(self.again)
            self.attempt(entry, index, kind, menu, handle, next(self.patiences), redials)


def _redial_draws(
    parameters: CentreParameters, rng: np.random.Generator
) -> Iterator[tuple[int, int]]:
    p = parameters
    while True:
        delay = p.redial_median_s * np.exp(p.redial_log_sd * rng.standard_normal(4096))
        whole = np.clip(np.rint(delay), 5, 18 * 3600).astype(np.int64)
        yield from zip(whole.tolist(), _menus(p, rng), strict=True)


def _follow_draws(
    parameters: CentreParameters, rng: np.random.Generator
) -> Iterator[tuple[int, float]]:
    p = parameters
    while True:
        factor = np.exp(p.handle_log_sd * rng.standard_normal(4096))
        yield from zip(_menus(p, rng), factor.tolist(), strict=True)


def _patience_draws(parameters: CentreParameters, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from patience_s(parameters, 4096, rng).tolist()


def _menus(parameters: CentreParameters, rng: np.random.Generator) -> list[int]:
    menu = 3 + rng.gamma(3.0, max(parameters.menu_mean_s - 3, 0.0) / 3, 4096)
    whole: list[int] = np.rint(menu).astype(np.int64).tolist()
    return whole
