"""The queue run again, with fresh luck, in worlds that lack a cause.

A run keeps what the log's customers asked for, when, and how long it takes, and who was on the
floor; it draws anew how long callers wait, whether and when they redial or follow up, and how long
follow-up calls take. One run draws the same luck in every world, so that worlds differ by their
cause; the mean over runs is what the cause does, and their spread says how well that is known.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ccanalytics.compiled import COMPILES
from ccanalytics.simulation.sample.line import count_days
from ccanalytics.simulation.sample.luck import Evenly, stream
from ccanalytics.simulation.sample.needs import follow_up_s, patience_s, redials
from ccanalytics.simulation.sample.pool import DRAWS, Requests, later_luck, serve_with
from ccanalytics.simulation.sample.queue_effects import LEAST_RUNS, runs_wanted, totals
from ccanalytics.simulation.sample.volumes import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.floor import Floor
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.pool import Attempts

    Daily = NDArray[np.int64]

__all__ = ["MOST_RUNS", "Replays", "counted"]

MOST_RUNS = 8
_MOST_SERVED = 40_000_000  # requests served in one world, unless fewer than the least runs
_MOST_INTERPRETED = 20_000  # requests of a log whose queue plain Python runs again in a minute
_BLOCK = 250_000  # requests of a part that is run on its own


def counted(parameters: CentreParameters, attempts: Attempts, first_day: int, days: int) -> Daily:
    """Measures × days of some attempts, from ``first_day``; calls count on the day they enter."""
    sums = np.zeros(8 * days, np.int64)
    columns: list[Any] = [
        attempts.kind,
        attempts.entry,
        attempts.wait_s,
        attempts.handle_s,
        attempts.shift,
        sums,
    ]
    if not COMPILES:
        columns = [memoryview(each) for each in columns]
    count_days(first_day, days, parameters.goal_within_s, *columns)
    return sums.reshape(8, days)


@dataclass(frozen=True, eq=False)
class _Block:
    """Days that are run on their own, after the day before them: the pool is empty by night."""

    first: int
    days: int


class Replays:
    """Runs of the log's own world, and of worlds to hold against it.

    ``most_runs`` is fixed by the size of the log alone, never by the clock: the same arguments
    give the same answer. It is 0 where running the queue again would take hours.
    """

    def __init__(
        self, parameters: CentreParameters, requests: Requests, floor: Floor, days: int, seed: int
    ) -> None:
        self.parameters, self.requests, self.floor = parameters, requests, floor
        self.days, self.seed = days, seed
        size = requests.entry.size
        self.most_runs = int(np.clip(_MOST_SERVED // max(size, 1), LEAST_RUNS, MOST_RUNS))
        if not size or (not COMPILES and size > _MOST_INTERPRETED):
            self.most_runs = 0
        length = max(7, -(-days * _BLOCK // max(size, 1)))
        self._blocks = [
            _Block(first, min(length, days - first)) for first in range(0, days, length)
        ]
        self._log: list[Daily] = []
        self._luck = cache(self._draw)

    def compare(self, requests: Requests, floor: Floor) -> tuple[Daily, Daily]:
        """Runs × measures × days of a world, and of the log's own world with the same luck."""
        there: list[Daily] = []
        wanted = min(LEAST_RUNS, self.most_runs)
        while len(there) < wanted:
            self._log += self._runs(self.requests, self.floor, range(len(self._log), wanted))
            there += self._runs(requests, floor, range(len(there), wanted))
            runs = np.array(there), np.array(self._log[:wanted])
            wanted = runs_wanted(*runs, self.most_runs)
        empty = np.zeros((0, 8, self.days), np.int64)
        return runs if there else (empty, empty)

    def log_totals(self) -> dict[str, float]:
        """What the log's own world counts, on average over all its runs."""
        return {"runs": len(self._log), **(totals(np.array(self._log)) if self._log else {})}

    def _runs(self, requests: Requests, floor: Floor, numbers: range) -> list[Daily]:
        for number in numbers:
            self._luck(number)  # once, before the threads ask for it
        parts = [(number, block) for number in numbers for block in self._blocks]

        def run(part: tuple[int, _Block]) -> Daily:
            return self._run(requests, floor, *part)

        workers = min(os.cpu_count() or 1, 4) if COMPILES else 1
        with ThreadPoolExecutor(workers) as pool:
            done = list(pool.map(run, parts))
        each = len(self._blocks)
        return [
            np.concatenate(done[first : first + each], axis=1)
            for first in range(0, len(done), each)
        ]

    def _run(self, requests: Requests, floor: Floor, number: int, block: _Block) -> Daily:
        p, end_s = self.parameters, (block.first + block.days) * DAY_S
        warm_s = (block.first - 1) * DAY_S
        few = slice(*np.searchsorted(requests.entry, (warm_s, end_s)))
        some = Requests(
            **{each.name: getattr(requests, each.name)[few] for each in fields(Requests)}
        )
        # Who started a day earlier has gone home.
        spells = slice(
            *np.searchsorted(floor.start, (warm_s - DAY_S, end_s + int(p.patience_cap_s) + 2))
        )
        there = replace(
            floor,
            **{
                name: getattr(floor, name)[spells]
                for name in ("start", "end", "person", "shift", "pace", "talk_pace")
            },
        )
        first, later = self._luck(number)
        # One entry of the table for each request; later attempts use the places before it.
        draw = (some.key * 13 + 12) % DRAWS
        anew = replace(some, **{name: table[draw] for name, table in first.items()})
        return counted(p, serve_with(p, anew, there, end_s, later), block.first, block.days)

    def _draw(self, number: int) -> tuple[dict[str, NDArray[Any]], list[NDArray[Any]]]:
        p, rng = self.parameters, stream(self.seed, f"pool again {number}")
        even = cast("np.random.Generator", Evenly(rng))
        first: dict[str, NDArray[Any]] = {
            "patience_s": patience_s(p, DRAWS, even),
            "redials": redials(p.redial, DRAWS, even),
            "follow_up_s": follow_up_s(p, DRAWS, even),
        }
        return first, later_luck(p, rng)
