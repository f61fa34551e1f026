"""Exact busy seconds of agents and lines per interval: a call that spans intervals is split.

With *U* the unit's length, *A* the number busy at its start, and the offsets within the unit of
what starts and of what ends in it:

    busy = U · A + Σ (U − offset of start) − Σ (U − offset of end)

so no row is ever multiplied by the intervals it spans. Everything is whole milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.scope import Scope, collect

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.timegrid import Every

__all__ = ["busy_by_slot", "seconds_by_slot"]


def _spells(calls: nw.LazyFrame[Any], what: str) -> nw.LazyFrame[Any]:
    """Start and end of each spell, in milliseconds."""
    if what == "agent":
        return calls.filter(nw.col("handle_s") > 0, ~nw.col("answered_ms").is_null()).with_columns(
            start=nw.col("answered_ms"),
            end=nw.col("answered_ms") + (nw.col("handle_s") * 1000).round().cast(nw.Int64),
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
    changes = collect(per_unit).sort([*keys, "unit"])
    if not changes.height:
        return pl.DataFrame(
            schema={"slot": pl.Int64, **dict.fromkeys(keys, pl.String), "busy_s": pl.Float64}
        )
    # From here on the frame is small: one row per unit and key in which something changed.
    # Groups are numbered, because a join on "most recent before" does not match unknown keys.
    groups = changes.select(keys).unique(maintain_order=True).with_row_index("_group")
    if not keys:
        groups = pl.DataFrame({"_group": [0]})
    changes = (
        changes.join(groups, on=keys, how="left", nulls_equal=True)
        if keys
        else changes.with_columns(_group=pl.lit(0))
    )
    changes = changes.with_columns(pl.col("_group").cast(pl.Int64)).sort("_group", "unit")
    groups = groups.with_columns(pl.col("_group").cast(pl.Int64))
    before = changes.select(
        "_group",
        pl.col("unit") + 1,
        pl.col("net").cum_sum().over("_group").alias("_active"),
    )
    dense = groups.join(units.select("unit", "slot"), how="cross").sort("_group", "unit")
    joined = dense.join_asof(
        before, on="unit", by="_group", strategy="backward", check_sortedness=False
    ).join(changes.select("_group", "unit", "part"), on=["_group", "unit"], how="left")
    busy = pl.col("_active").fill_null(0) * length + pl.col("part").fill_null(0)
    return joined.group_by("slot", *keys).agg(busy_s=busy.sum() / 1000)
