"""What the calls that a channel removes free: seats by interval, paid hours, whole shifts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing import Shift
    from ccanalytics.staffing.shrinkage import Shrinkage

    Floats = NDArray[np.float64]

__all__ = ["Rules", "World", "remaining", "restored", "shift_hours"]

_MOST_CELLS = 20_000_000  # intervals × draws at once
_COVERS = 9  # shift covers over the range of an effect; between them hours lie on a line


def remaining(calls: Any, aht_s: Any, removed: Any, removed_aht_s: Any) -> tuple[Any, Any]:
    """Give the calls that still come and their handle time, when a share of calls is removed.

    calls' = calls·(1 − d) and AHT' = (AHT − d·a)/(1 − d): the load falls by d·a/AHT, which is less
    than d where the calls that go are the short ones.

    Parameters
    ----------
    calls, aht_s
        As they would come: per interval, and mean seconds.
    removed
        Share d that goes, below 1; negative where the channel brings calls.
    removed_aht_s
        Mean seconds a of the calls that go.

    Examples
    --------
    >>> calls, aht = remaining(2000, 174, 0.07, 90)
    >>> round(calls), round(aht, 2)
    (1860, 180.32)
    """
    try:
        calls, aht, share, gone = (
            np.asarray(x, float) for x in (calls, aht_s, removed, removed_aht_s)
        )
    except (TypeError, ValueError) as error:
        raise InputError("these are numbers", f"calls={calls!r}, aht_s={aht_s!r}") from error
    try:
        np.broadcast_shapes(calls.shape, aht.shape, share.shape, gone.shape)
    except ValueError as error:
        raise InputError(
            "calls, handle times and shares do not fit each other",
            f"shapes {calls.shape}, {aht.shape}, {share.shape}, {gone.shape}",
        ) from error
    if not (np.isfinite(calls).all() and (calls >= 0).all()):
        raise InputError("calls are finite, 0 or more", "calls")
    if not (np.isfinite(aht).all() and (aht > 0).all()):
        raise InputError("handle times are finite and above 0", "aht_s")
    if not (np.isfinite(gone).all() and (gone >= 0).all()):
        raise InputError("calls that go take a time, 0 or more", f"removed_aht_s={removed_aht_s!r}")
    if not (np.isfinite(share).all() and (share < 1).all()):
        raise InputError("a share below 1 must be removed", f"removed={removed!r}")
    left = (aht - share * gone) / (1 - share)
    if np.any(~(left > 0)):
        raise InputError(
            "the calls that go would take more time than all calls do",
            f"removed={removed!r}, removed_aht_s={removed_aht_s!r}, aht_s={aht_s!r}",
            "look at the handle time of the calls that go",
        )
    rest = calls * (1 - share)
    return (rest, left) if rest.ndim else (float(rest), float(left))


def restored(calls: Floats, aht: Floats, share: float, gone: Floats) -> tuple[Floats, Floats]:
    """The calls as they would come, from those that come with the channel."""
    if not share < 1:
        raise InputError("a share below 1 must be removed", f"removed={share:g}")
    return calls / (1 - share), (1 - share) * aht + share * gone


@dataclass(frozen=True)
class Rules:
    """What seats are planned for, and by how much more people are paid."""

    goal: ServiceLevel
    shrinkage: float | Shrinkage
    patience: Any
    max_occupancy: float | None
    min_agents: int

    def agents(self, calls: Floats, per: Floats, aht: Floats) -> NDArray[np.int64]:
        """The least agents of each interval, all of which have calls."""
        from ccanalytics.queueing import Queue

        queue = Queue(calls, per, aht, patience=self.patience)
        least = queue.agents_for(self.goal, max_occupancy=self.max_occupancy)
        return np.maximum(np.asarray(least, np.int64), self.min_agents)

    def people(self, agents: NDArray[np.int64]) -> NDArray[np.int64]:
        """Scheduled so that so many are seated."""
        from ccanalytics.staffing import scheduled
        from ccanalytics.staffing.shrinkage import shrinkage_share

        return np.asarray(scheduled(agents, shrinkage_share(self.shrinkage)), np.int64)


@dataclass(frozen=True, eq=False)
class World:
    """The calls without the channel, by interval, and what any effect on them frees."""

    rules: Rules
    calls: Floats
    aht: Floats
    per: Floats
    own: Floats

    def with_channel(self, share: Floats, gone: Floats) -> tuple[Floats, Floats]:
        """Intervals × draws: calls that still come, and their handle time."""
        return remaining(
            self.calls[:, None],
            self.aht[:, None],
            share[None, :],
            gone[None, :] * self.own[:, None],
        )

    def told(self, share: Floats, gone: Floats) -> dict[str, Floats]:
        """Per draw: calls and erlang-hours avoided, seated and scheduled hours freed."""
        step = max(1, _MOST_CELLS // max(self.calls.size, 1))
        parts = []
        for first in range(0, share.size, step):
            few = slice(first, first + step)
            calls, aht = self.with_channel(share[few], gone[few])
            before = self.rules.agents(self.calls, self.per, self.aht)
            after = self.rules.agents(calls, self.per[:, None], aht)
            hours = self.per[:, None] / 3600
            freed = self.rules.people(before)[:, None] - self.rules.people(after)
            parts.append(
                {
                    "calls": (self.calls[:, None] - calls).sum(axis=0),
                    "erlang_hours": (
                        (self.calls * self.aht)[:, None] - calls * aht
                    ).sum(axis=0) / 3600,
                    "seat_hours": ((before[:, None] - after) * hours).sum(axis=0),
                    "scheduled_hours": (freed * hours).sum(axis=0),
                }
            )  # fmt: skip
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def frame(self, rows: pl.DataFrame, share: float, gone: float) -> pl.DataFrame:
        """The intervals at the estimate itself."""
        import polars as pl

        from ccanalytics.queueing import Queue

        calls, aht = (x[:, 0] for x in self.with_channel(np.array([share]), np.array([gone])))
        before = self.rules.agents(self.calls, self.per, self.aht)
        after = self.rules.agents(calls, self.per, aht)

        def served(some: Floats, handle: Floats) -> Floats:
            queue = Queue(some, self.per, handle, patience=self.rules.patience)
            return np.asarray(
                queue.performance(np.maximum(before, 1)).service_level(self.rules.goal)
            )

        return rows.select("interval_start", "interval_s").with_columns(
            calls_without=pl.Series(self.calls), calls_with=pl.Series(calls),
            load_without=pl.Series(self.calls * self.aht / self.per),
            load_with=pl.Series(calls * aht / self.per),
            agents_without=pl.Series(before), agents_with=pl.Series(after),
            service_level_without=pl.Series(served(self.calls, self.aht)),
            service_level_kept=pl.Series(served(calls, aht)),
        )  # fmt: skip


def shift_hours(
    world: World, rows: pl.DataFrame, share: Floats, gone: float, shifts: Sequence[Shift]
) -> Floats:
    """Paid hours that shifts drop, for each share removed.

    The cheapest cover is found at a few shares between the least and the most; ``rows`` are the
    intervals of one day.
    """
    import polars as pl

    from ccanalytics.staffing import cover

    def paid(agents: NDArray[np.int64]) -> float:
        people = pl.Series("scheduled_agents", world.rules.people(agents))
        return cover(rows.with_columns(people), shifts).paid_hours

    points = np.unique(np.linspace(share.min(), share.max(), _COVERS))
    before = paid(world.rules.agents(world.calls, world.per, world.aht))
    calls, aht = world.with_channel(points, np.full(points.size, gone))
    after = [
        paid(world.rules.agents(calls[:, each], world.per, aht[:, each]))
        for each in range(points.size)
    ]
    return np.asarray(np.interp(share, points, before - np.array(after)))
