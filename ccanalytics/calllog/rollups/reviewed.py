"""Quality reviews counted: items and reviews by sample, and marks that two reviewers gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.agents import AGENT_KEYS
from ccanalytics.calllog.rollups.scope import Scope, collect, flag
from ccanalytics.calllog.timegrid import starts_of
from ccanalytics.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.timegrid import Every

__all__ = ["OF_CALL", "REVIEW_KEYS", "review_pairs", "reviews", "with_agents"]

OF_CALL = ("service", "queue", "tier")
"""Keys that a record has from the call it belongs to."""

REVIEW_KEYS = ("item", "critical", "reviewer", *AGENT_KEYS, *OF_CALL)
_OF_MARK = ("item", "critical")
_COUNTS = (
    *("reviews", "reviews_failed", "items_marked", "items_failed"),
    *("items_failed_nn", "items_failed_xn", "items_failed_xx"),
    *("unmarked", "repeated", "unknown_calls"),
)


def with_agents(scope: Scope, rows: nw.LazyFrame[Any], keys: list[str]) -> nw.LazyFrame[Any]:
    """Add the keys that the table of agents holds."""
    named = [key for key in keys if key in AGENT_KEYS and key != "agent"]
    if not named:
        return rows
    people = scope.engine.table("agents").select("agent", *named)
    return rows.join(people, on="agent", how="left")


def of_calls(scope: Scope, rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add what the call of each record tells: keys, ``_agent``, and whether it is there.

    Where calls are chosen, records of others are left out, and so are those of unknown calls.
    """
    calls = scope.calls().select("call_id", *OF_CALL, _agent=nw.col("agent"), _there=nw.lit(1))
    return rows.join(calls, on="call_id", how="inner" if scope.where else "left")


def reviews(
    scope: Scope, every: Every | None, keys: list[str], first: int, last: int
) -> pl.DataFrame:
    """Rows of ``CallLog.reviews``: see there."""
    import polars as pl

    marks = scope.engine.dated("reviews", "at")
    each = _first_of_call(
        of_calls(
            scope,
            marks.group_by("review_id").agg(
                nw.col("call_id").max(),
                nw.col("agent").max(),
                nw.col("reviewer").max(),
                nw.col("sampled").max(),
                nw.col("at_epoch").max(),
            ),
        )
    ).with_columns(
        agent=nw.when(nw.col("agent").is_null()).then("_agent").otherwise(nw.col("agent"))
    )
    wrong = ~nw.col("passed")
    unit = ["review_id", *(key for key in keys if key in _OF_MARK)]
    marked = (
        marks.select(
            *unit,
            _n=flag(~nw.col("passed").is_null()),
            _x=flag(wrong),
            _critical=flag(wrong & nw.col("critical")) if "critical" not in unit else flag(wrong),
            _unmarked=flag(nw.col("passed").is_null()),
        )
        .group_by(*unit)
        .agg(
            nw.col("_n").sum(),
            nw.col("_x").sum(),
            nw.col("_critical").max(),
            nw.col("_unmarked").sum(),
        )
    )
    rows = with_agents(scope, marked.join(each, on="review_id", how="inner"), keys)
    slots: list[str] = []
    if every is not None:
        units, _ = scope.grid(every)
        rows, slots = scope.placed(rows, every, "at_epoch"), ["slot"]
    elif first > -(2**62) or last < 2**62:
        rows = rows.filter(nw.col("at_epoch") >= first, nw.col("at_epoch") < last)
    once = (nw.col("_again") == 0) & (nw.col("_n") > 0)
    n, x = (nw.when(nw.col("_again") == 0).then(name).otherwise(0) for name in ("_n", "_x"))
    measured = {
        "reviews": flag(once),
        "reviews_failed": flag(once & (nw.col("_critical") == 1)),
        "items_marked": n,
        "items_failed": x,
        "items_failed_nn": n * n,
        "items_failed_xn": x * n,
        "items_failed_xx": x * x,
        "unmarked": nw.col("_unmarked"),
        "repeated": nw.col("_again"),
        "unknown_calls": flag(once & nw.col("_there").is_null()),
    }
    counted = collect(
        rows.select(*slots, *keys, "sampled", **{f"_m_{k}": v for k, v in measured.items()})
        .group_by(*slots, *keys, "sampled")
        .agg(*(nw.col(f"_m_{name}").sum().alias(name) for name in measured))
    ).with_columns(pl.col(_COUNTS).cast(pl.Int64))
    if every is None:
        return counted.select(*keys, "sampled", *_COUNTS).sort(*keys, "sampled")
    starts = starts_of(units)
    return (
        starts.join(counted, on="slot", how="inner")
        .drop("slot")
        .with_columns(pl.col("interval_start").dt.replace_time_zone("UTC"))
        .sort(*keys, "sampled", "interval_start")
    )


def _first_of_call(each: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Mark reviews of a call that was reviewed before in the same sample: ``_again``."""
    each = each.with_columns(
        sampled=nw.col("sampled").fill_null("unknown"), _at=nw.col("at_epoch").fill_null(-1)
    )
    before = nw.col("review_id").shift(1).over("call_id", "sampled", order_by=["_at", "review_id"])
    return each.with_columns(_before=before).with_columns(
        _again=flag(~nw.col("call_id").is_null() & ~nw.col("_before").is_null())
    )


def review_pairs(scope: Scope, first: int, last: int) -> pl.DataFrame:
    """Rows of ``CallLog.review_pairs``: see there."""
    import polars as pl

    marks = scope.engine.dated("reviews", "at").filter(
        ~nw.col("passed").is_null(), ~nw.col("call_id").is_null()
    )
    if not collect(marks.filter(~nw.col("reviewer").is_null()).select("item").head(1)).height:
        raise DataError(
            "the log does not say who reviewed, so no two reviewers can be compared",
            "reviews have no call_id, reviewer and passed together",
            "load reviews with the call and the reviewer of each",
        )
    if first > -(2**62) or last < 2**62:
        marks = marks.filter(nw.col("at_epoch") >= first, nw.col("at_epoch") < last)
    # Who marked an item of a call twice counts once, an error found at either time as found.
    own = (
        of_calls(scope, marks.filter(~nw.col("reviewer").is_null()))
        .select("call_id", "item", "reviewer", _p=flag(nw.col("passed")))
        .group_by("call_id", "item", "reviewer")
        .agg(nw.col("_p").min())
    )
    place = ["call_id", "item"]
    many = own.group_by(*place).agg(raters=nw.len()).filter(nw.col("raters") > 1)
    mine = scope.engine.keep(own.join(many, on=place, how="inner"))
    other = mine.select(*place, other=nw.col("reviewer"), _other=nw.col("_p"))
    both = mine.join(other, on=place, how="inner").filter(nw.col("reviewer") < nw.col("other"))
    told = ["item", "reviewer", "other", "raters", "_p", "_other"]
    counted = collect(both.group_by(*told).agg(pairs=nw.len()))
    return counted.select(
        *told[:3],
        pl.col("raters").cast(pl.Int64),
        passed=pl.col("_p") == 1,
        other_passed=pl.col("_other") == 1,
        pairs=pl.col("pairs").cast(pl.Int64),
    ).sort(*told[:4], "passed", "other_passed")
