"""Whether the first contact settled it, and what each agent's calls took beside others' alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.agents import AGENT_KEYS
from ccanalytics.calllog.rollups.reviewed import OF_CALL, with_agents
from ccanalytics.calllog.rollups.scope import Scope, collect, flag, narrowed
from ccanalytics.schema import LONGEST_HANDLE_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["CASE_KEYS", "RESOLUTION_KEYS", "agent_calls", "resolutions"]

RESOLUTION_KEYS = (*OF_CALL, "site", "transfer", *(key for key in AGENT_KEYS if key != "site"))
CASE_KEYS = (*OF_CALL, "client", "site", "line_group")
_NEVER = 2**62
_SAME = ["customer", "service"]


def resolutions(
    scope: Scope, keys: list[str], windows_s: Sequence[int], first: int, last: int
) -> pl.DataFrame:
    """Rows of ``CallLog.resolutions``: see there."""
    import polars as pl

    # A leg at the second line continues a call: the customer did not ask again.
    asked = scope.everything().filter(nw.col("is_offered"), nw.col("parent_call_id").is_null())
    begun = collect(asked.select(first=nw.col("arrived_epoch").min()))[0, "first"]
    order = ["arrived_epoch", "call_id"]
    at = nw.col("arrived_epoch")
    known = (
        asked.filter(~nw.col("customer").is_null())
        .with_columns(_had=nw.when(nw.col("is_answered")).then(at).otherwise(nw.lit(-_NEVER)))
        .with_columns(
            _next=at.shift(-1).over(*_SAME, order_by=order),
            _ago=nw.col("_had").shift(1).over(*_SAME, order_by=order).fill_null(-_NEVER),
        )
        .with_columns(_ago=nw.col("_ago").cum_max().over(*_SAME, order_by=order))
    )
    inside = (at >= first) & (at < last)
    rows = narrowed(known, scope.where).filter(nw.col("is_answered"), inside)
    moved = nw.col("transfer").is_in(["second_line", "other"])
    flags: dict[str, nw.Expr] = {"_answered": nw.lit(1)}
    for i, window in enumerate(windows_s):
        watched = (at + window <= scope.log_end) & (at - window >= begun)
        contact = watched & (at - nw.col("_ago") > window)
        again = contact & (nw.col("_next") - at <= window)
        flags |= {
            f"unwatched_{i}": flag(~watched),
            f"first_contacts_{i}": flag(contact),
            f"again_{i}": flag(again),
            f"transferred_{i}": flag(contact & moved),
            f"transferred_again_{i}": flag(again & moved),
        }
    counted = _summed(scope, rows, keys, flags)
    unknown = narrowed(asked.filter(nw.col("customer").is_null()), scope.where)
    others = _summed(
        scope,
        unknown.filter(nw.col("is_answered"), inside),
        keys,
        {"unknown_customers": flag(nw.col("customer").is_null())},
    )
    both = counted.join(others, on=keys, how="full", coalesce=True, nulls_equal=True) if keys else (
        pl.concat([counted, others], how="horizontal")
    )  # fmt: skip
    names = ("first_contacts", "again", "transferred", "transferred_again", "unwatched")
    parts = [
        both.select(
            *keys,
            pl.lit(window // 86400, pl.Int64).alias("window_days"),
            *(pl.col(f"{name}_{i}").fill_null(0).cast(pl.Int64).alias(name) for name in names),
            pl.col("unknown_customers").fill_null(0).cast(pl.Int64),
        )
        for i, window in enumerate(windows_s)
    ]
    return pl.concat(parts).sort([*keys, "window_days"])


def _summed(
    scope: Scope, rows: nw.LazyFrame[Any], keys: list[str], flags: dict[str, nw.Expr]
) -> pl.DataFrame:
    """Sums of flags by keys; one row if there are none."""
    rows = with_agents(scope, rows.drop("site") if "site" in keys else rows, keys)
    chosen = rows.select(*keys, **flags)
    sums = [nw.col(name).sum() for name in flags]
    return collect(chosen.group_by(*keys).agg(*sums) if keys else chosen.select(*sums))


def agent_calls(
    scope: Scope, keys: list[str], case: list[str], first: int, last: int
) -> pl.DataFrame:
    """Rows of ``CallLog.agent_calls``: see there."""
    import polars as pl

    at, time = nw.col("arrived_epoch"), nw.col("handle_s")
    rows = scope.calls().filter(nw.col("is_answered"), at >= first, at < last)
    usual = time.mean().over(*case) if case else time.mean().over("is_answered")
    rows = rows.with_columns(_usual=usual)
    off = time - nw.col("_usual")
    measured = {
        "answered": nw.lit(1),
        "handled": flag(~time.is_null()),
        "over_a_day": flag(nw.col("recorded_s") > LONGEST_HANDLE_S),
        "handle_s": time,
        "expected_s": nw.when(~time.is_null()).then("_usual"),
        "off_ss": off * off,
        "transferred": flag(nw.col("transfer").is_in(["second_line", "other"])),
    }
    rows = with_agents(scope, rows.drop("site") if "site" in keys else rows, keys)
    counted = collect(
        rows.select(*keys, **{f"_m_{name}": value for name, value in measured.items()})
        .group_by(*keys)
        .agg(*(nw.col(f"_m_{name}").sum().alias(name) for name in measured))
    )
    whole, sums = (
        ["answered", "handled", "over_a_day", "transferred"],
        ["handle_s", "expected_s", "off_ss"],
    )
    return counted.with_columns(
        pl.col(whole).cast(pl.Int64), pl.col(sums).cast(pl.Float64).fill_null(0.0)
    ).sort(keys)
