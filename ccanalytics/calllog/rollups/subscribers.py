"""Customers of the centre's clients, day by day, from when they joined and left."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import narwhals.stable.v2 as nw

from ccanalytics.calllog.rollups.scope import Scope, collect

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

__all__ = ["subscribers_by_day"]


def subscribers_by_day(scope: Scope, first: date, last: date) -> pl.DataFrame:
    """Columns ``day`` and ``subscribers`` from ``first`` until ``last``, that day excluded.

    Who joined on a day nobody noted was always there; who left on a day is not there on it.
    """
    import polars as pl

    people = scope.engine.table("customers")
    parts = []
    for column, sign in (("joined_on", 1), ("left_on", -1)):
        counted = collect(people.group_by(column).agg(n=nw.len())).rename({column: "day"})
        if sign < 0:
            counted = counted.filter(pl.col("day").is_not_null())
        parts.append(counted.select(pl.col("day").cast(pl.Date), pl.col("n").cast(pl.Int64) * sign))
    changes = (
        pl.concat(parts)
        .with_columns(
            pl.max_horizontal(pl.col("day").fill_null(first), pl.lit(first, pl.Date))
        )
        .group_by("day").agg(pl.col("n").sum())
    )  # fmt: skip
    days = pl.DataFrame(
        {"day": pl.date_range(first, last - timedelta(days=1), interval="1d", eager=True)}
    )
    return (
        days.join(changes, on="day", how="left")
        .with_columns(subscribers=pl.col("n").fill_null(0).cum_sum())
        .drop("n")
    )
