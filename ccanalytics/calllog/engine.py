"""What computes the roll-ups: the few things that a narwhals expression cannot say for itself.

A roll-up asks its engine for frames by name and writes everything else as narwhals expressions, so
that the same definition runs in a DuckDB file and on Spark. The names are the canonical tables and
three small views over them, which each engine defines in its own SQL:

``base``
    ``calls`` with ``arrived_epoch`` (whole seconds), ``arrived_ms``, ``answered_ms``, ``ended_ms``,
    ``is_offered``, ``is_answered``, ``is_abandoned``, ``recorded_s`` (talk, hold and after-call
    work of an answered call) and ``handle_s``: the same, null where it is over a day.
``events``
    ``self_service`` with ``at_epoch``.
``counted``
    ``interval_counts`` with ``started_epoch``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

from ccanalytics.errors import DataError
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    import duckdb
    import polars as pl

__all__ = ["Covered", "DuckEngine", "Engine", "collect", "nearest"]

# A window holds each of its rows, some 100 bytes with what they are sorted by.
_ROWS_HELD = 20_000_000
_EPOCH, _SECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1)


@dataclass(frozen=True)
class Covered:
    """Epoch seconds of the first and the last arrival."""

    first: int
    last: int


class Engine(ABC):
    """One state of a log, as the roll-ups see it.

    Attributes
    ----------
    place
        The file or folder, for messages.
    """

    place: str

    @property
    @abstractmethod
    def time_zone(self) -> str:
        """Where the centre stands (IANA name)."""

    @abstractmethod
    def table(self, name: str) -> nw.LazyFrame[Any]:
        """A canonical table, or ``base``, ``events`` or ``counted``."""

    @abstractmethod
    def spells(self, name: str) -> nw.LazyFrame[Any]:
        """A table with ``started_at`` and ``ended_at``, these also as ``start`` and ``end``: epoch
        milliseconds."""

    @abstractmethod
    def hand_over(self, frame: pl.DataFrame) -> nw.LazyFrame[Any]:
        """A small frame, for joins."""

    @abstractmethod
    def dated(self, name: str, column: str) -> nw.LazyFrame[Any]:
        """A table with one of its moments also as ``at_epoch``: whole epoch seconds."""

    @abstractmethod
    def keep(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """The rows of a large frame worked out once, where they are, for several uses."""

    def many_parts(self, name: str) -> int:
        """In how many parts a table goes through what must hold each row: a cluster deals its
        rows out by itself."""
        del name
        return 1

    def parts(self, name: str, by: str) -> list[nw.LazyFrame[Any]]:
        """A table in so many parts, each value of ``by`` in one: for windows over it."""
        del by
        return [self.table(name)]

    @abstractmethod
    def whole(self, name: str) -> pl.DataFrame:
        """A whole table, in its order; timestamps are naive UTC."""

    def holds(self, name: str) -> bool:
        """Whether a table has any rows."""
        column = TABLES[name].names[0]
        return collect(self.table(name).select(column).head(1)).height > 0

    def filled(self, name: str) -> list[str]:
        """Columns of a table that are not null throughout."""
        names = TABLES[name].names
        row = collect(self.table(name).select(*(nw.col(n).count() for n in names))).row(0)
        return [n for n, count in zip(names, row, strict=True) if count]

    def covered(self) -> Covered | None:
        """From when to when calls came in; None if the log has none."""
        # The column itself, not a number made of it: DuckDB has its bounds in its statistics.
        arrived = nw.col("arrived_at")
        row = collect(self.table("calls").select(first=arrived.min(), last=arrived.max())).row(0)
        if row[0] is None:
            return None
        first, last = (moment.replace(tzinfo=UTC) - _EPOCH for moment in row)
        return Covered(first // _SECOND, last // _SECOND)

    def over(self) -> int:
        """Epoch second at which the last call was over, of a log that has calls."""
        moments, parts = ("arrived_at", "answered_at", "ended_at"), ("talk_s", "hold_s", "wrap_s")
        bounds = collect(
            self.table("calls").select(*(nw.col(name).max() for name in (*moments, *parts)))
        ).row(0, named=True)
        ends = [
            (bounds[name].replace(tzinfo=UTC) - _EPOCH) // _SECOND * 1000
            for name in moments
            if bounds[name] is not None
        ]
        if bounds["answered_at"] is not None:
            # Only a call answered so late can have lasted longer than the last answer.
            longest = sum(bounds[name] or 0 for name in parts)
            answered = (bounds["answered_at"].replace(tzinfo=UTC) - _EPOCH) // _SECOND
            late = int((answered - longest - 2) * 1000)
            handled = nearest(nw.col("handle_s") * 1000)
            last = (nw.col("answered_ms") + handled).max()
            rows = self.table("base").filter(nw.col("answered_ms") >= late).select(last=last)
            ends.append(collect(rows)[0, "last"] or 0)
        return max(ends) // 1000


class DuckEngine(Engine):
    """A connection to a DuckDB log; it is open for one question."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, place: str) -> None:
        self._connection = connection
        self.place = place
        self._kept = 0

    @property
    def time_zone(self) -> str:
        """Where the centre stands (IANA name)."""
        return str(self._connection.execute("SELECT time_zone FROM meta").fetchall()[0][0])

    def table(self, name: str) -> nw.LazyFrame[Any]:
        """A table or view of the file."""
        return nw.from_native(self._connection.table(name))

    def spells(self, name: str) -> nw.LazyFrame[Any]:
        """Rows with their bounds in epoch milliseconds."""
        relation = self._connection.table(name).project(
            '*, CAST(epoch_us(started_at) // 1000 AS BIGINT) AS "start", '
            'CAST(epoch_us(ended_at) // 1000 AS BIGINT) AS "end"'
        )
        return nw.from_native(relation)

    def dated(self, name: str, column: str) -> nw.LazyFrame[Any]:
        """Rows with a moment in epoch seconds."""
        relation = self._connection.table(name).project(
            f'*, CAST(epoch_us("{column}") // 1000000 AS BIGINT) AS "at_epoch"'
        )
        return nw.from_native(relation)

    def hand_over(self, frame: pl.DataFrame) -> nw.LazyFrame[Any]:
        """A frame as a relation of this connection."""
        return nw.from_native(self._connection.from_arrow(frame.to_arrow()))

    def keep(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """A temporary table, gone with the connection."""
        self._kept += 1
        name = f"kept_{self._kept}"
        query = frame.to_native().sql_query()
        self._connection.execute(f"CREATE TEMP TABLE {name} AS {query}")
        return nw.from_native(self._connection.table(name))

    def many_parts(self, name: str) -> int:
        """As many as it takes to stay within the memory limit."""
        ((rows,),) = self._connection.table(name).aggregate("count(*)").fetchall()
        return -(-rows // _ROWS_HELD)

    def parts(self, name: str, by: str) -> list[nw.LazyFrame[Any]]:
        """A table in parts by a hash."""
        relation, many = self._connection.table(name), self.many_parts(name)
        if many < 2:
            return [nw.from_native(relation)]
        return [
            nw.from_native(relation.filter(f'hash("{by}") % {many} = {part}'))
            for part in range(many)
        ]

    def filled(self, name: str) -> list[str]:
        """Columns of a table that are not null throughout: looked for no further than the first."""
        names = TABLES[name].names
        looks = ", ".join(
            f'EXISTS (SELECT 1 FROM "{name}" WHERE "{n}" IS NOT NULL)'  # noqa: S608
            for n in names
        )
        (found,) = self._connection.execute(f"SELECT {looks}").fetchall()
        return [n for n, there in zip(names, found, strict=True) if there]

    def whole(self, name: str) -> pl.DataFrame:
        """A whole table."""
        import polars as pl

        # By name: a log that was brought up from an older schema has new columns at the end.
        columns = ", ".join(f'"{c}"' for c in TABLES[name].names) if name in TABLES else "*"
        frame = pl.from_arrow(
            self._connection.sql(f'SELECT {columns} FROM "{name}"').to_arrow_table()  # noqa: S608
        )
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - for the type checker
        return frame


def nearest(amount: nw.Expr) -> nw.Expr:
    """The nearest whole number to an amount that is not negative, half going up.

    Engines differ in what ``round`` does with a half, and it takes DuckDB longer.
    """
    return (amount + 0.5).floor().cast(nw.Int64)


def recorded() -> nw.Expr:
    """Talk, hold and after-call work of answered calls: ``recorded_s`` where no other is asked.

    The view's CASE would be asked of every call.
    """
    return nw.col("talk_s") + nw.col("hold_s").fill_null(0) + nw.col("wrap_s").fill_null(0)


def collect(frame: nw.LazyFrame[Any]) -> pl.DataFrame:
    """Run it where the rows are, and bring the small result out as polars."""
    import polars as pl

    # DuckDB's sums of integers have 128 bits, of which Arrow would make decimals.
    wide = [name for name, kind in frame.collect_schema().items() if kind == nw.Int128]
    if wide:
        frame = frame.with_columns(nw.col(*wide).cast(nw.Int64))
    result = pl.from_arrow(frame.collect("pyarrow").to_native())
    if not isinstance(result, pl.DataFrame):
        raise DataError("the roll-up gave no table")
    return result
