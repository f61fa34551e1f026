"""Exact busy seconds of agents and lines per interval: a call that spans intervals is split.

With *U* the unit's length, *A* the number busy at its start, and the offsets within the unit of
what starts and of what ends in it:

    busy = U · A + Σ (U − offset of start) − Σ (U − offset of end)

so no row is ever multiplied by the intervals it spans. Everything is whole milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.engine import nearest, recorded
from ccanalytics.calllog.rollups.scope import Scope, collect
from ccanalytics.schema import LONGEST_HANDLE_S

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.timegrid import Every

__all__ = ["busy_by_slot", "seconds_by_slot"]


def _spells(calls: nw.LazyFrame[Any], what: str) -> nw.LazyFrame[Any]:
    """Start and end of each spell, in milliseconds."""
    if what == "agent":
        took = recorded()
        return calls.filter(
            nw.col("is_answered"),
            ~nw.col("answered_ms").is_null(),
            took > 0,
            took <= LONGEST_HANDLE_S,
        ).with_columns(
            start=nw.col("answered_ms"), end=nw.col("answered_ms") + nearest(took * 1000)
        )
    return calls.filter(nw.col("ended_ms") > nw.col("arrived_ms")).with_columns(
        start=nw.col("arrived_ms"), end=nw.col("ended_ms")
    )


def busy_by_slot(
    scope: Scope, every: Every, keys: list[str], units: pl.DataFrame, what: str
) -> pl.DataFrame:
    """Seconds busy per slot and key: columns slot, keys…, busy_s.

    ``what`` is ``agent`` (handling: from the answer through after-call work) or ``line`` (from
    arrival until the line is free). What falls outside the units is left out.
    """
    return seconds_by_slot(_spells(scope.calls(), what), every, keys, units)


def _until_end(length: int, sign: int) -> nw.Expr:
    """From an edge to the end of its unit; a multiplication costs less than a remainder."""
    left = (nw.col("unit") + 1) * length - nw.col("_at")
    return left if sign > 0 else -1 * left


def seconds_by_slot(
    spells: nw.LazyFrame[Any], every: Every, keys: list[str], units: pl.DataFrame
) -> pl.DataFrame:
    """Seconds of any spells (``start`` and ``end`` in milliseconds) per slot and key."""
    import numpy as np
    import polars as pl

    length = every.unit_s * 1000
    edges = []
    for edge, sign in (("start", 1), ("end", -1)):
        at = nw.col(edge)
        edges.append(
            spells.select(*keys, _at=at, unit=at // length)
            .select(*keys, "unit", net=nw.lit(sign), part=_until_end(length, sign))
            .group_by(*keys, "unit")
            .agg(net=nw.col("net").sum(), part=nw.col("part").sum())
        )
    per_unit = (
        nw.concat(edges)
        .group_by(*keys, "unit")
        .agg(net=nw.col("net").sum(), part=nw.col("part").sum())
    )
    changes = collect(per_unit)
    if not changes.height:
        return pl.DataFrame(
            schema={"slot": pl.Int64, **dict.fromkeys(keys, pl.String), "busy_s": pl.Float64}
        )
    groups = changes.select(keys).unique() if keys else pl.DataFrame({"_": [0]})
    numbered = groups.with_columns(_group=pl.int_range(groups.height, dtype=pl.Int64))
    group = (
        changes.join(numbered, on=keys, nulls_equal=True, how="left", maintain_order="left")[
            "_group"
        ].to_numpy()
        if keys
        else np.zeros(changes.height, np.int64)
    )
    unit = changes["unit"].to_numpy() - units["unit"].item(0)
    # From here on arrays of one row per group and one column per unit.
    busy = np.zeros((groups.height, units.height), np.int64)
    # What changes in a unit counts from the next one on; what came earlier, from the first.
    later = np.maximum(unit + 1, 0)
    there = later < units.height
    np.add.at(busy, (group[there], later[there]), changes["net"].to_numpy()[there])
    busy = busy.cumsum(axis=1) * length
    there = (unit >= 0) & (unit < units.height)
    busy[group[there], unit[there]] += changes["part"].to_numpy()[there]
    slot = units["slot"].to_numpy()
    begin = np.flatnonzero(np.diff(slot, prepend=slot[0] - 1))
    seconds = np.add.reduceat(busy, begin, axis=1) / 1000
    named = groups[np.repeat(np.arange(groups.height), len(begin))].select(keys)
    return pl.DataFrame({"slot": np.tile(slot[begin], groups.height)}).with_columns(
        *named.get_columns(), busy_s=pl.Series(seconds.ravel())
    )
