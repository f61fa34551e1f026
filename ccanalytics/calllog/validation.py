"""What must hold of every row, whatever its source, and what follows from the rest of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.calllog.sources.base import flag, listed

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.schema import Table

__all__ = ["validated"]

_LONGEST_S = 100 * 86400.0
_FIRST_YEAR, _LAST_YEAR = 1970, 2199

_POLARS = {
    "text": "String",
    "date": "Date",
    "seconds": "Float64",
    "number": "Float64",
    "whole": "Int64",
    "flag": "Boolean",
}


def validated(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The columns of the table, with what holds for every source checked."""
    import polars as pl

    frame = frame.with_columns(
        pl.lit(None).alias(c.name) for c in table.columns if c.name not in frame.columns
    ).with_columns(
        pl.col(c.name).cast(
            pl.Datetime("us") if c.kind == "timestamp" else getattr(pl, _POLARS[c.kind])
        )
        for c in table.columns
    )
    reasons = []
    for column in table.columns:
        value = pl.col(column.name)
        if column.required and (table.name, column.name) != ("calls", "call_id"):
            reasons.append(flag(f"{column.name} is missing", value.is_null()))
        if column.values:
            reasons.append(
                flag(
                    f"{column.name} is not one of {', '.join(column.values)}",
                    value.is_not_null() & ~value.is_in(list(column.values)),
                )
            )
        if column.kind == "seconds":
            reasons.append(flag(f"{column.name} is negative", value < 0))
            if not column.summed:
                reasons.append(flag(f"{column.name} is longer than 100 days", value > _LONGEST_S))
        if column.kind == "timestamp":
            sane = value.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR)
            reasons.append(
                flag(f"{column.name} is not between {_FIRST_YEAR} and {_LAST_YEAR}", ~sane)
            )
    if table.name == "calls":
        frame = _completed(frame)
        reasons.append(flag("ended before it arrived", pl.col("ended_at") < pl.col("arrived_at")))
    # A cell that could not be read is null now: "missing" beside "is not a number" says it twice.
    fresh = (
        pl.when(pl.col("reasons").list.len() == 0)
        .then(listed(reasons))
        .otherwise(pl.lit([], dtype=pl.List(pl.String)))
    )
    return frame.with_columns(reasons=pl.concat_list(pl.col("reasons"), fresh))


def _completed(frame: pl.DataFrame) -> pl.DataFrame:
    """Moments that follow from durations, and a wait that follows from moments."""
    import polars as pl

    def seconds(name: str) -> pl.Expr:
        # A duration that will be rejected must not overflow on its way there.
        known = pl.col(name).fill_null(0).clip(0, _LONGEST_S)
        return pl.duration(microseconds=(known * 1e6).round().cast(pl.Int64))

    took = (pl.col("answered_at") - pl.col("arrived_at")).dt.total_microseconds() / 1e6
    served = pl.col("outcome") == "answered"
    frame = frame.with_columns(
        pl.col("wait_s").fill_null(
            pl.when(served & (took >= pl.col("menu_s").fill_null(0))).then(
                took - pl.col("menu_s").fill_null(0)
            )
        )
    )
    queued = pl.col("arrived_at") + seconds("menu_s") + seconds("wait_s")
    frame = frame.with_columns(
        pl.col("answered_at").fill_null(
            pl.when(served & pl.col("wait_s").is_not_null()).then(queued)
        )
    )
    talked = pl.col("answered_at") + seconds("talk_s") + seconds("hold_s")
    return frame.with_columns(
        pl.col("ended_at").fill_null(
            pl.when(served & pl.col("talk_s").is_not_null())
            .then(talked)
            .when(~served & (pl.col("wait_s").is_not_null() | pl.col("menu_s").is_not_null()))
            .then(queued)
        )
    )
