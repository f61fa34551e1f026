"""Agents: how many were present, as far as calls tell, and what they did against the plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.engine import nearest
from ccanalytics.calllog.rollups.busy import seconds_by_slot
from ccanalytics.calllog.rollups.scope import Scope, collect

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.timegrid import Every

__all__ = ["AGENT_KEYS", "agent_seconds", "compared", "present_seconds"]

AGENT_KEYS = ("agent", "site", "employer", "team", "cohort")
_STATES = ("available", "handling", "wrap", "break", "meeting", "training", "other")
_ACTIVITIES = ("calls", "break", "meeting", "training", "other")
_NONE = "none"
_CODES = {"agent_states": "state", "schedules": "activity"}
_SECONDS = {"agent_states": "actual_s", "schedules": "scheduled_s"}


def present_seconds(
    scope: Scope, every: Every, keys: list[str], units: pl.DataFrame, gap_s: float
) -> pl.DataFrame:
    """Agent-seconds of presence per slot and key: columns slot, keys…, busy_s.

    A spell lasts from the answer of its first call to the end of its last, as long as no more
    than ``gap_s`` seconds lie between the end of one and the answer of the next.
    """
    own = list(dict.fromkeys(["agent", *keys]))
    calls = scope.calls().filter(~nw.col("agent").is_null(), ~nw.col("answered_ms").is_null())
    handled = nw.when(nw.col("handle_s") > 0).then(nw.col("handle_s")).otherwise(nw.lit(0.0))
    calls = calls.select(
        *own,
        "call_id",
        start=nw.col("answered_ms"),
        end=nw.col("answered_ms") + nearest(handled * 1000),
    )
    order = ["start", "end", "call_id"]
    over = calls.with_columns(_until=nw.col("end").cum_max().over(*own, order_by=order))
    over = over.with_columns(_before=nw.col("_until").shift(1).over(*own, order_by=order))
    fresh = nw.col("_before").is_null() | (nw.col("start") - nw.col("_before") > gap_s * 1000)
    over = over.with_columns(_new=nw.when(fresh).then(nw.lit(1)).otherwise(nw.lit(0)))
    over = over.with_columns(_spell=nw.col("_new").cum_sum().over(*own, order_by=order))
    spells = (
        over.group_by(*own, "_spell")
        .agg(start=nw.col("start").min(), end=nw.col("end").max())
        .filter(nw.col("end") > nw.col("start"))
    )
    return seconds_by_slot(spells, every, keys, units)


def _spells(scope: Scope, table: str, until: int) -> nw.LazyFrame[Any]:
    """Agent, code and bounds in milliseconds; one that is open lasts until the table's last."""
    end = nw.when(nw.col("end").is_null()).then(nw.lit(until, nw.Int64)).otherwise(nw.col("end"))
    rows = scope.engine.spells(table).select("agent", "start", code=nw.col(_CODES[table]), end=end)
    return rows.filter(nw.col("end") > nw.col("start"))


def _bounds(scope: Scope, *tables: str) -> dict[str, tuple[int, int]]:
    """First start and last moment of each table in milliseconds; those that are empty are not
    there."""
    # The columns themselves, not numbers made of them: DuckDB has their bounds in its statistics.
    start, end = nw.col("started_at"), nw.col("ended_at")
    each = [
        scope.engine.table(table)
        .select(low=start.min(), high=start.max(), ended=end.max())
        .with_columns(table=nw.lit(table))
        for table in tables
    ]
    found = {
        table: (_ms(low), _ms(high if ended is None else max(high, ended)))
        for low, high, ended, table in collect(nw.concat(each)).rows()
        if low is not None
    }
    return {table: found[table] for table in tables if table in found}


def _ms(moment: datetime) -> int:
    return (moment.replace(tzinfo=UTC) - datetime.fromtimestamp(0, UTC)) // timedelta(
        milliseconds=1
    )


def _named(scope: Scope, spells: nw.LazyFrame[Any], keys: list[str]) -> nw.LazyFrame[Any]:
    """Spells with the keys that stand in the table of agents."""
    more = [key for key in keys if key != "agent"]
    if not more:
        return spells
    agents = scope.engine.table("agents").select("agent", *more)
    return spells.join(agents, on="agent", how="left")


def agent_seconds(scope: Scope, every: Every, keys: list[str], units: pl.DataFrame) -> pl.DataFrame:
    """Seconds per slot, key and state, and as planned; see ``CallLog.agent_time``.

    Columns slot, keys…, state, actual_s, scheduled_s.
    """
    import polars as pl

    bounds = _bounds(scope, *_CODES)
    # Both tables in one question, which the database answers with all its threads.
    spells = nw.concat(
        [
            _spells(scope, table, until).with_columns(_measure=nw.lit(_SECONDS[table]))
            for table, (_, until) in bounds.items()
        ]
    )
    spells = _named(scope, spells.rename({"code": "state"}), keys)
    frame = seconds_by_slot(spells, every, [*keys, "state", "_measure"], units)
    seconds, measure = pl.col("busy_s"), pl.col("_measure")
    apart = {
        name: pl.when(measure == name).then(seconds).otherwise(0.0)
        for name in (_SECONDS[table] for table in bounds)
    }
    return (
        frame.lazy()
        .filter(seconds > 0)
        .select("slot", *keys, "state", **apart)
        .group_by("slot", *keys, "state")
        .agg(pl.col(*apart).sum())
        .collect()
    )


def compared(scope: Scope, keys: list[str], first: int, last: int) -> pl.DataFrame:
    """Seconds by planned activity and by state at once; see ``CallLog.activities``.

    Columns keys…, activity, state, overlapping, seconds; the span is what both tables cover.
    """
    import polars as pl

    found = _bounds(scope, *_CODES)
    states, plans = found["agent_states"], found.get("schedules")
    low, high = max(first * 1000, states[0]), min(last * 1000, states[1])
    if plans is not None:
        low, high = max(low, plans[0]), min(high, plans[1])
    edges = []
    for table, what, names, bounds in (
        ("agent_states", "state", _STATES, states),
        ("schedules", "activity", _ACTIVITIES, plans),
    ):
        if bounds is None:
            continue
        spells = _spells(scope, table, bounds[1])
        for edge, sign in (("start", 1), ("end", -1)):
            edges.append(
                spells.select(
                    "agent",
                    # Spells are cut to the span that both tables cover.
                    at=nw.when(nw.col(edge) < low).then(nw.lit(low))
                    .otherwise(nw.when(nw.col(edge) > high).then(nw.lit(high))
                    .otherwise(nw.col(edge))),
                    **_marks("state", names if what == "state" else (), _STATES, sign),
                    **_marks("plan", names if what == "activity" else (), _ACTIVITIES, sign),
                )
            )  # fmt: skip
    columns = [*(f"state_{n}" for n in _STATES), *(f"plan_{n}" for n in _ACTIVITIES)]
    netted = nw.concat(edges).group_by("agent", "at").agg(*(nw.col(c).sum() for c in columns))
    running = netted.select(
        "agent",
        _length=nw.col("at").shift(-1).over("agent", order_by="at") - nw.col("at"),
        **{c: nw.col(c).cum_sum().over("agent", order_by="at") for c in columns},
    ).filter(nw.col("_length") > 0)
    on = [nw.when(nw.col(c) > 0).then(nw.lit(1)).otherwise(nw.lit(0)) for c in columns]
    in_states, in_plans = on[: len(_STATES)], on[len(_STATES) :]
    running = running.select(
        "agent",
        "_length",
        activity=_first("plan", _ACTIVITIES),
        state=_first("state", _STATES),
        overlapping=(nw.sum_horizontal(*in_states) > 1) | (nw.sum_horizontal(*in_plans) > 1),
    ).filter((nw.col("activity") != _NONE) | (nw.col("state") != _NONE))
    groups = [*keys, "activity", "state", "overlapping"]
    counted = collect(
        _named(scope, running, keys).group_by(*groups).agg(seconds=nw.col("_length").sum())
    )
    null = pl.col("activity", "state").replace({_NONE: None})
    return (
        counted.with_columns(null, seconds=pl.col("seconds").cast(pl.Float64) / 1000)
        .sort(groups)
        .select(*groups, "seconds")
    )


def _marks(
    prefix: str, mine: tuple[str, ...], names: tuple[str, ...], sign: int
) -> dict[str, nw.Expr]:
    """One column a code: ±1 where the spell is of that code."""
    return {
        f"{prefix}_{name}": nw.when(nw.col("code") == name).then(nw.lit(sign)).otherwise(nw.lit(0))
        if mine
        else nw.lit(0)
        for name in names
    }


def _first(prefix: str, names: tuple[str, ...]) -> nw.Expr:
    """The first of the codes that holds; where spells overlap the order of the schema decides."""
    chosen = nw.lit(_NONE)
    for name in reversed(names):
        chosen = nw.when(nw.col(f"{prefix}_{name}") > 0).then(nw.lit(name)).otherwise(chosen)
    return chosen
