"""What every roll-up starts with: which calls, which keys, which intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.calllog.timegrid import Every, Span, grid
from ccanalytics.errors import DataError, InputError
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    import duckdb
    import polars as pl

__all__ = ["KEYS", "Scope", "check_keys", "check_where", "collect", "narrowed"]

# Columns of calls by which it makes sense to group: the texts that name something.
KEYS = tuple(
    c.name
    for c in TABLES["calls"].columns
    if c.kind == "text" and c.name not in ("call_id", "parent_call_id", "customer")
)


@dataclass(frozen=True)
class Scope:
    """A connection, and the part of the log that a question is about."""

    connection: duckdb.DuckDBPyConnection
    time_zone: str
    span: Span
    where: Mapping[str, list[str | None]]

    def calls(self) -> nw.LazyFrame[Any]:
        """The base view, narrowed to ``where``; times are not narrowed here."""
        return narrowed(nw.from_native(self.connection.table("base")), self.where)

    def counted(self) -> nw.LazyFrame[Any]:
        """Intervals that a switch counted itself, narrowed to ``where``."""
        return narrowed(nw.from_native(self.connection.table("counted")), self.where)

    def everything(self) -> nw.LazyFrame[Any]:
        """The base view, whole."""
        return nw.from_native(self.connection.table("base"))

    def log_end(self) -> int:
        """Epoch second of the last arrival in the log, whatever the question is about."""
        return int(collect(self.everything().select(nw.col("arrived_epoch").max()))[0, 0])

    def fitted(self, every: Every) -> Every:
        """The interval on the longest unit that the centre's zone allows over the span."""
        return every.fitted(self.span, self.time_zone)

    def grid(self, every: Every) -> tuple[pl.DataFrame, nw.LazyFrame[Any]]:
        """The units of the span with their intervals: as a frame, and in the database."""
        frame = grid(every, self.span, self.time_zone)
        return frame, self.hand_over(frame.select("unit", "slot"))

    def hand_over(self, frame: pl.DataFrame) -> nw.LazyFrame[Any]:
        """A small frame as a relation of this connection."""
        return nw.from_native(self.connection.from_arrow(frame.to_arrow()))


def narrowed(frame: nw.LazyFrame[Any], where: Mapping[str, list[str | None]]) -> nw.LazyFrame[Any]:
    """Rows whose columns have one of the values asked for; ``None`` stands for unknown."""
    for name, values in where.items():
        known = [v for v in values if v is not None]
        keep = nw.col(name).is_in(known) if known else nw.lit(value=False)
        if len(known) < len(values):
            keep = keep | nw.col(name).is_null()
        frame = frame.filter(keep)
    return frame


def check_keys(
    names: str | Iterable[str], argument: str, allowed: tuple[str, ...] = KEYS
) -> list[str]:
    """Names of key columns, refused by name if the table has no such key."""
    if not isinstance(names, (str, Iterable)):
        raise InputError("this must be a column or a list of columns", f"{argument}={names!r}")
    keys = [names] if isinstance(names, str) else list(names)
    for name in keys:
        if name not in allowed:
            raise InputError(
                "no such column to group or choose by",
                f"{argument}: {name!r}",
                "one of " + ", ".join(allowed),
            )
    if len(set(keys)) < len(keys):
        raise InputError("a column stands twice", f"{argument}={keys!r}")
    return keys


def check_where(where: object, allowed: tuple[str, ...] = KEYS) -> dict[str, list[str | None]]:
    """Column → values to keep, each a text or None for unknown."""
    if where is None:
        return {}
    if not isinstance(where, Mapping):
        raise InputError(
            "this must be a mapping of columns to values",
            f"where={where!r}",
            'such as {"queue": "sales"}',
        )
    check_keys(list(where), "where", allowed)
    chosen = {}
    for name, value in where.items():
        values = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
        if not values or not all(v is None or isinstance(v, str) for v in values):
            raise InputError(
                "values to choose by are texts (or None for unknown)",
                f"where: {name}={value!r}",
                'such as {"queue": ["sales", "service"]}',
            )
        chosen[name] = values
    return chosen


def collect(frame: nw.LazyFrame[Any]) -> pl.DataFrame:
    """Run it in the database, and bring the small result out as polars."""
    import polars as pl

    result = pl.from_arrow(frame.to_native().to_arrow_table())
    if not isinstance(result, pl.DataFrame):
        raise DataError("the roll-up gave no table")
    # Integer sums leave DuckDB as 128-bit decimals.
    wide = [n for n, t in result.schema.items() if isinstance(t, pl.Decimal) or t == pl.Int128]
    return result.with_columns(pl.col(wide).cast(pl.Int64))
