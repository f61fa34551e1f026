"""Surveys counted: whom they asked, who answered, and what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.agents import AGENT_KEYS
from ccanalytics.calllog.rollups.reviewed import OF_CALL, with_agents
from ccanalytics.calllog.rollups.scope import Scope, collect, flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["SURVEY_KEYS", "surveys"]

SURVEY_KEYS = ("channel", *OF_CALL, *AGENT_KEYS, "wait", "transfer")
_COUNTS = ("surveys", "blank", "unknown_calls", "too_recent")


def surveys(
    scope: Scope, keys: list[str], waits_s: Sequence[int], settle_s: int, first: int, last: int
) -> pl.DataFrame:
    """Rows of ``CallLog.surveys``: see there."""
    import polars as pl

    calls = scope.calls().select(
        "call_id", *OF_CALL, "agent", "transfer", "wait_s", _there=nw.lit(1)
    )
    asked = scope.engine.dated("surveys", "sent_at").join(
        calls, on="call_id", how="inner" if scope.where else "left"
    )
    if first > -(2**62) or last < 2**62:
        asked = asked.filter(nw.col("at_epoch") >= first, nw.col("at_epoch") < last)
    asked = with_agents(scope, asked.with_columns(wait=_band(waits_s)), keys)
    recent = nw.col("at_epoch") > scope.log_end - settle_s
    old = recent.is_null() | ~recent
    measured = {
        "surveys": flag(old),
        "blank": flag(old & nw.col("score").is_null() & ~nw.col("answered_at").is_null()),
        "unknown_calls": flag(old & nw.col("_there").is_null()),
        "too_recent": flag(recent),
    }
    counted = collect(
        asked.select(*keys, "score", **{f"_m_{k}": v for k, v in measured.items()})
        .group_by(*keys, "score")
        .agg(*(nw.col(f"_m_{name}").sum().alias(name) for name in measured))
    )
    return (
        counted.select(*keys, "score", *_COUNTS)
        .with_columns(pl.col(_COUNTS).cast(pl.Int64), pl.col("score").cast(pl.Float64))
        .sort(*keys, "score")
    )


def _band(edges: Sequence[int]) -> nw.Expr:
    """The band of a wait, named so that names sort as the bands do."""
    wait = nw.col("wait_s")
    names = [f"{i}: up to {edge} s" for i, edge in enumerate(edges, start=1)]
    told = nw.lit(f"{len(edges) + 1}: over {edges[-1]} s")
    for edge, name in zip(reversed(edges), reversed(names), strict=True):
        told = nw.when(wait <= edge).then(nw.lit(name)).otherwise(told)
    return nw.when(~wait.is_null()).then(told)
