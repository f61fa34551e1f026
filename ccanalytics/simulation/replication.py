"""One replication: calls are drawn stretch by stretch and handed to the event loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.simulation.arrivals import MixedPoisson, Stream, rate_factors
from ccanalytics.simulation.laws import Tap
from ccanalytics.simulation.tally import RECORD_FIELDS, Again, Calls, Centre, Tally, empty_tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ccanalytics.simulation.groups import Groups
    from ccanalytics.simulation.laws import Law
    from ccanalytics.simulation.plan import Callers

    Floats = NDArray[np.float64]

__all__ = ["Setting", "replicate"]

_STRETCH = 65_536  # calls drawn at once: enough to keep NumPy busy, small enough for the cache
_RECORDS = 262_144


@dataclass(frozen=True, eq=False)
class Setting:
    """All that a replication needs, but its seed; bins are warm-up, intervals, afterwards."""

    bounds: Floats
    calls: Floats
    aht: Floats
    cv: Floats
    day: NDArray[np.int64]
    mixed: MixedPoisson | None
    replayed: tuple[Floats, ...] | None
    callers: Callers
    groups: Groups
    lines: int
    within: Floats
    rejoin: bool
    closing: str
    records: bool

    @property
    def types(self) -> int:
        """Number of types."""
        return self.calls.shape[1]

    def centre(self) -> Centre:
        """As the event loop takes it."""
        serve = self.closing == "serve"
        agents = self.groups.agents
        after = agents[-1:] if serve else np.zeros_like(agents[-1:])
        end = float(self.bounds[-2])
        return Centre(
            bounds=self.bounds,
            agents=np.ascontiguousarray(np.concatenate([agents[:1], agents, after])),
            aht=np.ascontiguousarray(np.concatenate([self.aht[:1], self.aht, self.aht[-1:]])),
            within=self.within,
            lines=self.lines,
            has_menu=self.callers.has_menu,
            redial=self.callers.redial,
            redial_blocked=self.callers.redial_blocked,
            reconnect=self.callers.reconnect,
            end=end,
            close=np.inf if serve else end,
            rejoin=self.rejoin,
        )


class _Draws:
    """Random numbers of a replication: one stream for each purpose and type.

    A call's own draws do not depend on what becomes of other calls, so two scenarios with one
    seed see the same callers.
    """

    def __init__(self, setting: Setting, seed: np.random.SeedSequence) -> None:
        self.setting, self.callers = setting, setting.callers
        kinds = setting.types
        streams = iter(seed.spawn(1 + 6 * kinds))
        self.rates = np.random.default_rng(next(streams))
        rng = [[np.random.default_rng(next(streams)) for _ in range(6)] for _ in range(kinds)]
        callers = setting.callers
        self.arrivals = [each[0] for each in rng]
        self.work = [Tap(law, each[1]) for law, each in zip(callers.work, rng, strict=True)]
        self.patience = [Tap(law, each[2]) for law, each in zip(callers.patience, rng, strict=True)]
        self.menu = [Tap(law, each[3]) for law, each in zip(callers.menu, rng, strict=True)]
        self.leaves = [each[4] for each in rng]
        self.later = [each[5] for each in rng]

    def stretches(self) -> Iterator[Calls]:
        """First attempts, a stretch of time after the other, in order of arrival."""
        setting = self.setting
        calls = setting.calls
        if setting.mixed is not None:
            calls = calls * np.stack(
                [
                    rate_factors(setting.cv[:, kind], setting.day, setting.mixed, rng)
                    for kind, rng in enumerate(self.rates.spawn(setting.types))
                ],
                axis=1,
            )
        warm = setting.bounds[1] - setting.bounds[0]
        first = calls[:1] * (warm / (setting.bounds[2] - setting.bounds[1]))
        bounds = setting.bounds[:-1]
        calls = np.concatenate([first, calls])
        if setting.replayed is None:
            streams = [
                Stream(bounds, calls[:, kind], rng) for kind, rng in enumerate(self.arrivals)
            ]
            sizes = np.concatenate([[0.0], np.cumsum(calls.sum(axis=1))])
            steps = np.arange(_STRETCH, sizes[-1], _STRETCH)
            ends = np.append(np.interp(steps, sizes, bounds), bounds[-1])
            for end in ends:
                yield self._merged([stream.until(end) for stream in streams])
        else:
            total = np.sort(np.concatenate(setting.replayed))
            ends = np.append(total[_STRETCH::_STRETCH], np.inf)
            before = -np.inf
            for end in ends:
                yield self._merged(
                    [times[(times >= before) & (times < end)] for times in setting.replayed]
                )
                before = end

    def _merged(self, times: list[Floats]) -> Calls:
        callers = self.callers
        parts = [
            (
                at,
                np.full(at.size, kind),
                self.work[kind].draw(at.size) / callers.work[kind].mean,
                self.patience[kind].draw(at.size),
                *self._menus(kind, at.size),
            )
            for kind, at in enumerate(times)
        ]
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        if len(times) > 1:
            order = np.argsort(columns[0], kind="stable")
            columns = [column[order] for column in columns]
        return Calls(*columns)

    def _menus(self, kind: int, count: int) -> tuple[Floats, NDArray[np.bool_]]:
        callers = self.callers
        if not callers.has_menu:
            return np.zeros(count), np.zeros(count, bool)
        return (
            self.menu[kind].draw(count),
            self.leaves[kind].random(count) < callers.leaves[kind],
        )

    def again(self, count: int) -> Again:
        """Draws for calls that come again; hardly any where nobody does."""
        callers, kinds = self.callers, self.setting.types
        count = count if callers.again or self.setting.rejoin else 16

        def each(laws: tuple[Law, ...]) -> Floats:
            return np.stack(
                [law.draw(count, rng) for law, rng in zip(laws, self.later, strict=True)]
            )

        chance = np.stack([rng.random(count) for rng in self.later])
        delays = [callers.redial_after, callers.redial_blocked_after, callers.reconnect_after]
        work = each(callers.work) / np.array([[law.mean] for law in callers.work])
        menus = np.zeros((kinds, count))
        leaves = np.zeros((kinds, count), bool)
        if callers.has_menu:
            menus = each(callers.menu)
            leaves = np.stack([rng.random(count) for rng in self.later]) < callers.leaves[:, None]
        return Again(
            chance=chance,
            delay=np.stack([each(law) for law in delays]),
            work=work,
            patience=each(callers.patience),
            menu=menus,
            leaves=leaves,
        )


def replicate(setting: Setting, seed: np.random.SeedSequence) -> tuple[Tally, Floats | None]:
    """Counts of one replication, and its records if asked for."""
    # numba is loaded here, not when the module is.
    from ccanalytics.simulation.network import Network
    from ccanalytics.simulation.pool import Pool

    draws = _Draws(setting, seed)
    centre = setting.centre()
    bins, groups = centre.agents.shape
    tally = empty_tally(bins, setting.types, groups, setting.within.size)
    loop: Pool | Network
    if setting.groups.is_one_queue and not setting.rejoin:
        loop = Pool(centre)
    else:
        loop = Network(centre, setting.groups)
    kept: list[Floats] = []
    records = np.empty((_RECORDS if setting.records else 0, len(RECORD_FIELDS)))
    again = draws.again(_STRETCH // 8)
    stretches = draws.stretches()
    calls, following = next(stretches), next(stretches, None)
    while True:
        reason = loop.run(calls, following is None, again, tally, records)
        if reason == loop.MORE_DRAWS:
            again = draws.again(_STRETCH // 8)
        elif reason == loop.MORE_RECORDS:
            kept.append(records[: loop.records].copy())
        elif following is None:
            break
        else:
            calls, following = following, next(stretches, None)
        loop.refill(reason)
    kept.append(records[: loop.records].copy())
    return tally, np.concatenate(kept) if setting.records else None
