"""What is simulated, checked once: demand, agents and callers as the event loops need them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.demand import MEASURES, as_demand
from ccanalytics.errors import InputError, share_hint
from ccanalytics.simulation.arrivals import MixedPoisson, Replay
from ccanalytics.simulation.laws import delay_of, law_of

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.simulation.laws import Law

    Floats = NDArray[np.float64]
    Wholes = NDArray[np.int64]

_ROUNDING_S = 1e-3  # starts and lengths may differ by so much
# Columns of results and of records that stand beside the keys; limits and further goals, too.
_TAKEN = re.compile(
    r"(arrived|fresh|blocked|left_menu|answered|abandoned|unserved|cut_off|abandonment|"
    r"blocking|wait_probability|asa_s|mean_wait_s|abandoned_mean_wait_s|aht_s|queue_length|"
    r"service_level(_\d+)?)(_low|_high)?|"
    r"call_id|arrived_at|answered_at|ended_at|menu_s|wait_s|talk_s|outcome|attempt|agent_group"
)

__all__ = ["Callers", "Grid", "Menu", "Retry", "by_type", "callers_of", "grid_of"]


@dataclass(frozen=True)
class Retry:
    """Callers who call again: what share of them, and after how long.

    Parameters
    ----------
    share
        Share who call again, 0–1.
    after
        Delay: mean seconds (exponential), a law of scipy.stats, or observed seconds.

    Examples
    --------
    >>> Retry(0.5, after=600)
    Retry(share=0.5, after=600)
    """

    share: float
    after: Any

    def __post_init__(self) -> None:
        _share("share", self.share)
        delay_of(self.after, "after")


@dataclass(frozen=True)
class Menu:
    """The voice menu before the queue: how long, and what share never asks for an agent.

    Parameters
    ----------
    time
        Time in the menu: mean seconds (exponential), a law of scipy.stats, or observed seconds.
    leaves
        Share of callers whose call ends in the menu, served there or gone, 0–1.

    Examples
    --------
    >>> Menu(60, leaves=0.3)
    Menu(time=60, leaves=0.3)
    """

    time: Any
    leaves: float = 0.0

    def __post_init__(self) -> None:
        _share("leaves", self.leaves)
        if self.time is None:
            raise InputError("a voice menu takes time", "time=None", "give seconds")
        law_of(self.time, "time")


def _share(name: str, value: Any) -> None:
    number = isinstance(value, (int, float, np.integer, np.floating))
    if isinstance(value, bool) or not number or not math.isfinite(value):
        raise InputError("this must be a number", f"{name}={value!r}", "give a share from 0 to 1")
    if not 0 <= value <= 1:
        hint = share_hint(value, "give a share from 0 to 1")
        raise InputError("a share must lie between 0 and 1", f"{name}={value!r}", hint)


@dataclass(frozen=True, eq=False)
class Grid:
    """Intervals and types of the demand; K intervals, T types.

    Attributes
    ----------
    intervals
        Frame of the intervals: interval_start, interval_s and what else goes with a start.
    keys
        Frame of the types, one row each; no column if the demand has no key.
    names
        Names of the types, as users give them in mappings.
    edges
        K + 1 bounds in seconds from the first start.
    calls, aht, cv
        K × T; ``cv`` is 0 where the demand does not give it.
    day
        K: number of the local day.
    given_in_order
        Whether the demand came in order of time; else its rows are not the K intervals.
    """

    intervals: pl.DataFrame
    keys: pl.DataFrame
    names: tuple[str, ...]
    edges: Floats
    calls: Floats
    aht: Floats
    cv: Floats
    day: Wholes
    given_in_order: bool


def grid_of(demand: Any) -> Grid:
    """Check that every type has the same intervals, without gap or overlap.

    Raises
    ------
    InputError
        Names the first row where the intervals of a type do not join, or differ between types.
    """
    import narwhals.stable.v2 as nw
    import polars as pl

    frame = as_demand(demand)
    given: Any = nw.from_native(demand, eager_only=True)["interval_start"]
    keys = [name for name in frame.columns if name not in MEASURES]
    taken = [name for name in keys if _TAKEN.fullmatch(name)]
    if taken:
        raise InputError(
            "a key of the demand has the name of a result",
            f"column {taken[0]!r}",
            "rename it, or drop it if it is no key",
        )
    parts = frame.partition_by(keys, maintain_order=True) if keys else [frame]
    names = tuple(
        " / ".join(str(value) for value in part.select(keys).row(0)) if keys else "calls"
        for part in parts
    )
    if len(set(names)) < len(names):
        raise InputError("two types of calls have the same name", f"keys {', '.join(keys)}")
    first = parts[0]
    for part, name in zip(parts, names, strict=True):
        _joined(part, name)
        _same(first, part, name)
    keep = [
        c
        for c in ("interval_start", "local_start", "utc_offset_s", "interval_s")
        if c in keys or c in first.columns
    ]
    length = first["interval_s"].to_numpy()
    if "local_start" in first.columns:
        date = first["local_start"].dt.date()
    else:  # the days of the zone in which the demand came
        date = first["interval_start"].dt.convert_time_zone(given.dtype.time_zone).dt.date()
    day = (date - date[0]).dt.total_days().to_numpy().astype(np.int64)

    def matrix(column: str, empty: float) -> Floats:
        if column not in frame.columns:
            return np.full((first.height, len(parts)), empty)
        return np.stack([p[column].fill_null(empty).to_numpy() for p in parts], axis=1)

    return Grid(
        intervals=first.select(keep),
        keys=pl.concat([p.select(keys).head(1) for p in parts]) if keys else pl.DataFrame(),
        names=names,
        edges=np.concatenate([[0.0], np.cumsum(length)]),
        calls=matrix("calls", 0.0),
        aht=matrix("aht_s", 0.0),
        cv=matrix("cv", 0.0),
        day=day,
        given_in_order=given.unique(maintain_order=True).is_sorted(),
    )


def _joined(part: pl.DataFrame, name: str) -> None:
    start = part["interval_start"].dt.epoch("us").to_numpy() / 1e6
    length = part["interval_s"].to_numpy()
    gap = start[1:] - (start + length)[:-1]
    wrong = np.flatnonzero(np.abs(gap) > _ROUNDING_S)
    if wrong.size:
        row = int(wrong[0]) + 1
        missing = gap[row - 1] > 0
        raise InputError(
            "the demand has a gap before this interval"
            if missing
            else "this interval of the demand overlaps the one before",
            f"{name}, row {row}: {part['interval_start'][row]}, "
            f"{abs(gap[row - 1]):g} s {'missing' if missing else 'too early'}",
            "give every interval, with 0 calls where the centre is closed"
            if missing
            else "give each moment to one interval",
        )


def _same(first: pl.DataFrame, part: pl.DataFrame, name: str) -> None:
    columns = ["interval_start", "interval_s"]
    known = dict(first.select(columns).iter_rows())
    odd = [
        f"row {row}: {at}, {length:g} s"
        for row, (at, length) in enumerate(part.select(columns).iter_rows())
        if at not in known or abs(length - known[at]) > _ROUNDING_S
    ]
    if not odd and first.height == part.height:
        return
    where = odd[0] if odd else f"{part.height} rows"
    raise InputError(
        "every type of call needs the same intervals",
        f"{name}, {where}; the first type has {first.height}",
        "give every interval of every type, with 0 calls where none come",
    )


@dataclass(frozen=True, eq=False)
class Callers:
    """What callers are like, by type: tuples of T laws, and arrays of T shares."""

    work: tuple[Law, ...]
    patience: tuple[Law, ...]
    menu: tuple[Law, ...]
    leaves: Floats
    redial: Floats
    redial_after: tuple[Law, ...]
    redial_blocked: Floats
    redial_blocked_after: tuple[Law, ...]
    reconnect: Floats
    reconnect_after: tuple[Law, ...]
    has_menu: bool

    @property
    def again(self) -> bool:
        """Whether anyone calls again."""
        return bool((self.redial + self.redial_blocked + self.reconnect > 0).any())


def by_type(value: Any, name: str, names: tuple[str, ...]) -> list[Any]:
    """A value for each type: one for all, or a mapping from the name of every type."""
    if not isinstance(value, Mapping):
        return [value] * len(names)
    unknown = [key for key in value if key not in names]
    if unknown:
        raise InputError(
            "there is no such type of call",
            f"{name}: {unknown[0]!r}",
            "the demand has " + ", ".join(map(repr, names)),
        )
    missing = [each for each in names if each not in value]
    if missing:
        raise InputError(
            "every type of call needs its own value here", f"{name}: {missing[0]!r} is missing"
        )
    return [value[each] for each in names]


def callers_of(
    names: tuple[str, ...],
    handle_time: Any,
    patience: Any,
    menu: Any,
    redial: Any,
    redial_blocked: Any,
    reconnect: Any,
) -> Callers:
    """Laws and shares of every type, checked."""

    def laws(value: Any, name: str, *, scaled: bool = False) -> tuple[Law, ...]:
        return tuple(
            law_of(each, name if len(names) == 1 else f"{name} of {kind}", scaled=scaled)
            for each, kind in zip(by_type(value, name, names), names, strict=True)
        )

    def retries(value: Any, name: str) -> tuple[Floats, tuple[Law, ...]]:
        each = by_type(value, name, names)
        for one in each:
            if one is not None and not isinstance(one, Retry):
                raise InputError(
                    "calls that come again need a share and a delay",
                    f"{name}={one!r}",
                    f"write {name}=Retry(0.5, after=600)",
                )
        return (
            np.array([0.0 if one is None else one.share for one in each]),
            tuple(law_of(None if one is None else one.after, name) for one in each),
        )

    menus = by_type(menu, "menu", names)
    if any(one is not None for one in menus):
        for one in menus:
            if not isinstance(one, Menu):
                raise InputError(
                    "a voice menu needs its time", f"menu={one!r}", "write menu=Menu(60)"
                )
    has_menu = menus[0] is not None
    shapes = {
        kind: 1.0 if shape is None else shape  # exponential
        for kind, shape in zip(names, by_type(handle_time, "handle_time", names), strict=True)
    }
    redial_share, redial_after = retries(redial, "redial")
    blocked_share, blocked_after = retries(redial_blocked, "redial_blocked")
    reconnect_share, reconnect_after = retries(reconnect, "reconnect")
    return Callers(
        work=laws(shapes, "handle_time", scaled=True),
        patience=laws(patience, "patience"),
        menu=tuple(law_of(one.time if one else None, "menu") for one in menus),
        leaves=np.array([one.leaves if one else 0.0 for one in menus]),
        redial=redial_share,
        redial_after=redial_after,
        redial_blocked=blocked_share,
        redial_blocked_after=blocked_after,
        reconnect=reconnect_share,
        reconnect_after=reconnect_after,
        has_menu=has_menu,
    )


def check_arrivals(arrivals: Any) -> MixedPoisson | Replay | None:
    """Poisson by default."""
    if arrivals is None or isinstance(arrivals, (MixedPoisson, Replay)):
        return arrivals
    raise InputError(
        "there is no such way for calls to arrive",
        f"arrivals={arrivals!r}" if isinstance(arrivals, (str, type)) else type(arrivals).__name__,
        "give None (Poisson), MixedPoisson(cv=…) or Replay(calls)",
    )
