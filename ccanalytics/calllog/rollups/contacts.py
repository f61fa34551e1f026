"""Who came again: repeat calls, first attempts, and what self-service led to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.scope import Scope, collect, narrowed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from ccanalytics.calllog.timegrid import Every

__all__ = ["first_attempts", "recontacts", "self_service"]

_DAY = 86400
# Stands for "no call" in a running minimum, which skips over null.
_NEVER = 2**62


def _flag(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))


def recontacts(
    scope: Scope, keys: list[str], within_s: Sequence[float], first: int, last: int
) -> pl.DataFrame:
    """Per key and window: calls of known customers that were followed long enough, and of them
    those after which the same customer called again (about anything, anywhere).

    ``first`` and ``last`` are the epoch seconds between which calls start a window; the log ends
    with its last arrival, and a window that reaches beyond it is not counted.
    """
    import polars as pl

    # Withheld callers would be one giant partition, and false repeats.
    known = scope.everything().filter(~nw.col("customer").is_null())
    paired = known.with_columns(
        _next=nw.col("arrived_epoch")
        .shift(-1)
        .over("customer", order_by=["arrived_epoch", "call_id"])
    )
    end = scope.log_end
    paired = narrowed(paired, scope.where)
    paired = paired.filter((nw.col("arrived_epoch") >= first) & (nw.col("arrived_epoch") < last))
    since, after = nw.col("arrived_epoch"), nw.col("_next") - nw.col("arrived_epoch")
    flags = {}
    for i, window in enumerate(within_s):
        followed = since + window <= end
        flags[f"followed_{i}"] = _flag(followed)
        flags[f"again_{i}"] = _flag(followed & (after <= window))
    counted = collect(
        paired.select(*keys, _all=nw.lit(1), **flags)
        .group_by(*(keys or ["_all"]))
        .agg(*(nw.col(name).sum() for name in flags))
    )
    parts = [
        counted.select(
            *keys,
            pl.lit(float(window)).alias("window_s"),
            pl.col(f"followed_{i}").alias("followed"),
            pl.col(f"again_{i}").alias("again"),
        )
        for i, window in enumerate(within_s)
    ]
    return pl.concat(parts).sort([*keys, "window_s"])


def first_attempts(scope: Scope, every: Every, keys: list[str], quiet_s: float) -> pl.DataFrame:
    """Offered calls per interval and key whose customer had not asked for the same service in the
    ``quiet_s`` seconds before; calls of unknown customers count as first.

    Columns interval_start (aware UTC), keys…, first_attempts.
    """
    import polars as pl

    units, slots = scope.grid(every)
    # Who asked before is looked up among all calls, whatever part of them is asked about.
    offered = scope.everything().filter(nw.col("is_offered"))
    before = (
        nw.col("arrived_epoch")
        .shift(1)
        .over("customer", "service", order_by=["arrived_epoch", "call_id"])
    )
    known = offered.filter(~nw.col("customer").is_null()).with_columns(_before=before)
    known = narrowed(known, scope.where)
    unknown = narrowed(offered.filter(nw.col("customer").is_null()), scope.where)
    repeat = ~nw.col("_before").is_null() & (nw.col("arrived_epoch") - nw.col("_before") <= quiet_s)
    chosen = nw.concat(
        [
            known.select(*keys, "arrived_epoch", _first=nw.when(repeat).then(0).otherwise(1)),
            unknown.select(*keys, "arrived_epoch", _first=nw.lit(1)),
        ]
    )
    counted = (
        chosen.with_columns(unit=nw.col("arrived_epoch") // every.unit_s)
        .join(slots, on="unit", how="inner")
        .group_by("slot", *keys)
        .agg(first_attempts=nw.col("_first").sum())
    )
    starts = units.group_by("slot").agg(pl.col("interval_start").first())
    return (
        collect(counted)
        .join(starts, on="slot")
        .select(
            pl.col("interval_start").dt.replace_time_zone("UTC"),
            *keys,
            pl.col("first_attempts").cast(pl.Int64),
        )
    )


def self_service(
    scope: Scope, keys: list[str], recontact_days: Sequence[int], first: int, last: int
) -> pl.DataFrame:
    """The funnel's counts per channel, stage, key and window; see ``CallLog.self_service``."""
    import polars as pl

    events = scope.events()
    events = events.with_columns(_at=nw.col("at_epoch"))
    groups = ["channel", "stage", *keys]
    funnel = collect(
        events.filter((nw.col("_at") >= first) & (nw.col("_at") < last))
        .select(
            *groups,
            "_at",
            accepted=_flag(nw.col("accepted")),
            delivered=_flag(nw.col("delivered")),
            _noted=_flag(~nw.col("delivered").is_null()),
            completed=_flag(nw.col("completed")),
        )
        .group_by(*groups)
        .agg(
            nw.len().alias("sent"),
            nw.col("accepted").sum(),
            nw.col("delivered").sum(),
            nw.col("_noted").sum(),
            nw.col("completed").sum(),
        )
    )
    # Where delivery was never noted it is unknown, not zero.
    known = (pl.col("_noted") > 0) | (pl.col("accepted") == 0)
    funnel = funnel.with_columns(delivered=pl.when(known).then(pl.col("delivered")))
    followed = _leakage(scope, events, groups, recontact_days, first, last)
    eligible = _eligible(scope, events, keys, first, last)
    windows = pl.DataFrame({"window_days": list(recontact_days)}, schema={"window_days": pl.Int64})
    frame = (
        funnel.join(windows, how="cross")
        .join(followed, on=[*groups, "window_days"], how="left", nulls_equal=True)
        .join(eligible, on=groups, how="left", nulls_equal=True)
        .with_columns(pl.col("followed", "recontacted", "eligible").fill_null(0))
        .sort([*groups, "window_days"])
    )
    whole = ["eligible", "sent", "accepted", "delivered", "completed", "followed", "recontacted"]
    return frame.select(*groups, "window_days", pl.col(whole).cast(pl.Int64))


def _leakage(
    scope: Scope,
    events: nw.LazyFrame[Any],
    groups: list[str],
    recontact_days: Sequence[int],
    first: int,
    last: int,
) -> pl.DataFrame:
    """Completed contacts followed to each window's end, and those who asked an agent by then."""
    import polars as pl

    completed = events.filter(nw.col("completed"), ~nw.col("customer").is_null())
    # Only calls of customers with such a contact are put in order: of all calls few.
    asked = (
        scope.calls()
        .filter(nw.col("is_offered"), ~nw.col("customer").is_null())
        .join(completed.select("customer"), on="customer", how="semi")
    )
    end = scope.log_end
    both = nw.concat(
        [
            completed.select(
                "customer",
                "service",
                "channel",
                "stage",
                _t=nw.col("_at"),
                _order=nw.lit(0),
                _call=nw.lit(_NEVER),
            ),
            asked.select(
                "customer",
                "service",
                channel=nw.lit(None, nw.String),
                stage=nw.lit(None, nw.String),
                _t=nw.col("arrived_epoch"),
                _order=nw.lit(1),
                _call=nw.col("arrived_epoch"),
            ),
        ]
    )
    # The next request at or after each moment, per customer and service.
    following = both.with_columns(
        _next=nw.col("_call")
        .cum_min(reverse=True)
        .over("customer", "service", order_by=["_t", "_order"])
    ).filter(~nw.col("channel").is_null() & (nw.col("_t") >= first) & (nw.col("_t") < last))
    flags = {}
    for i, days in enumerate(recontact_days):
        seen = nw.col("_t") + days * _DAY <= end
        flags[f"followed_{i}"] = _flag(seen)
        flags[f"recontacted_{i}"] = _flag(seen & (nw.col("_next") - nw.col("_t") <= days * _DAY))
    counted = collect(
        following.select(*groups, **flags)
        .group_by(*groups)
        .agg(*(nw.col(name).sum() for name in flags))
    )
    return pl.concat(
        counted.select(
            *groups,
            pl.col(f"followed_{i}").alias("followed"),
            pl.col(f"recontacted_{i}").alias("recontacted"),
            pl.lit(days, pl.Int64).alias("window_days"),
        )
        for i, days in enumerate(recontact_days)
    )


def _eligible(
    scope: Scope, events: nw.LazyFrame[Any], keys: list[str], first: int, last: int
) -> pl.DataFrame:
    """Contacts that could have used the channel: calls about a service since the channel's first
    record for it, and sessions begun on one's own initiative."""
    import polars as pl

    stages = ["channel", "stage"]
    live = events.group_by(*stages, "service").agg(_live=nw.col("_at").min())
    calls = (
        scope.calls()
        .filter((nw.col("arrived_epoch") >= first) & (nw.col("arrived_epoch") < last))
        .select("service", "arrived_epoch")
    )
    counted = collect(
        live.join(calls, on="service", how="inner")
        .filter(nw.col("arrived_epoch") >= nw.col("_live"))
        .group_by(*stages, "service")
        .agg(nw.len().alias("_calls"))
    )
    own = collect(
        events.filter(
            nw.col("stage") == "own_initiative",
            nw.col("accepted"),
            (nw.col("_at") >= first) & (nw.col("_at") < last),
        )
        .group_by(*stages, "service")
        .agg(nw.len().alias("_sessions"))
    )
    both = counted.join(own, on=[*stages, "service"], how="full", coalesce=True)
    both = both.with_columns(
        eligible=pl.col("_calls").fill_null(0) + pl.col("_sessions").fill_null(0)
    )
    return both.group_by(*stages, *keys).agg(pl.col("eligible").sum())
