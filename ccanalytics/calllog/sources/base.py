"""What a source is: one export format, turned into canonical columns.

To add a format, write one file with a subclass of :class:`Source`, name it in
``sources/__init__.py``, and add its test and a sample.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from ccanalytics.calllog.reading import Layout
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import duckdb
    import polars as pl

    from ccanalytics.calllog.reading import Rows
    from ccanalytics.calllog.sources.mapping import Mapping

__all__ = ["Plan", "Settings", "Source", "after_midnight", "flag", "to_utc"]


@dataclass(frozen=True)
class Settings:
    """What the user said about a file beside its name."""

    time_zone: str | None = None
    encoding: str = "utf-8"
    allow_cut: bool = False
    table: str | None = None
    mapping: Mapping | None = None
    # Names of a file's columns in their order, for formats that have no header.
    columns: tuple[str, ...] | None = None

    def text(self) -> str:
        """Everything that could change how a row is read, for telling two loads apart."""
        told = (self.time_zone, self.encoding, self.allow_cut, self.table, self.mapping)
        return repr((*told, self.columns) if self.columns else told)


@dataclass(frozen=True)
class Plan:
    """How one file will be read: its table, its layout, and the names its fields get."""

    table: str
    fields: list[str]
    layout: Layout = field(default_factory=Layout)
    # What the user should know of every row of the file; remarked with the number of good rows.
    notes: tuple[str, ...] = ()


class Source(ABC):
    """An export format."""

    name: ClassVar[str]
    title: ClassVar[str]
    # Where the switch stands, if the format is always from there.
    time_zone: ClassVar[str | None] = None
    # Whether timestamps are local, so that a time zone must be known.
    local_times: ClassVar[bool] = True
    # What this format never tells (null in the log), in a sentence for the load report.
    cannot_tell: ClassVar[str] = ""
    # Whether ``customer`` holds telephone numbers as the switch wrote them.
    raw_numbers: ClassVar[bool] = False
    # Whether the user may name the columns of a file in their order.
    takes_columns: ClassVar[bool] = False
    # The column by which the latest of several rows with one key wins; None: the first wins.
    newest: ClassVar[str | None] = None

    def open(self, path: Path, settings: Settings) -> tuple[Plan, Iterator[Rows]] | None:  # noqa: ARG002
        """For formats that are no delimited text with a header: the plan, and the rows.

        None: the loader reads delimited text or Parquet, and asks :meth:`plan`. Rows that cannot
        even be split go into ``Rows.bad``; every record is in one of the two.
        """
        return None

    def taking_over(
        self,
        connection: duckdb.DuckDBPyConnection,  # noqa: ARG002
        staged: Path,  # noqa: ARG002
    ) -> AbstractContextManager[dict[str, int]]:
        """Runs around the take-over of a file's good rows, within its one transaction.

        ``staged`` is the Parquet file of good rows with their ``_line``. What happens on entering
        sees the log as it was; what happens on leaving sees the rows in their table, and may
        derive other tables from them. Remarks (what, how many rows) go into the dictionary.
        """
        return nullcontext({})

    def layout(self, settings: Settings) -> Layout:  # noqa: ARG002 - formats may need it
        """Delimiter, quotation mark and header, known before the file is opened."""
        return Layout()

    @abstractmethod
    def plan(self, path: Path, header: list[str], settings: Settings) -> Plan:
        """Decide from the header how to read the file; InputError if it is not of this format."""

    @abstractmethod
    def convert(self, rows: pl.DataFrame, plan: Plan, settings: Settings) -> pl.DataFrame:
        """Text fields to canonical columns, with ``reasons`` (why a row cannot be loaded) and
        ``remarks`` (what was set to unknown), both lists of text. ``_line`` and
        ``_raw`` stay."""

    def companion(self, path: Path) -> str | None:  # noqa: ARG002 - formats may have one
        """The time zone that a file lying beside the export tells, if any."""
        return None


def canonical_columns(table: str) -> list[str]:
    """Names of a table's columns, in order."""
    return list(TABLES[table].names)


def flag(reason: str, condition: pl.Expr) -> pl.Expr:
    """The reason where the condition holds, null elsewhere (also where it cannot be told)."""
    import polars as pl

    return pl.when(condition.fill_null(value=False)).then(pl.lit(reason))


def listed(flags: Sequence[pl.Expr]) -> pl.Expr:
    """All reasons of a row as a list."""
    import polars as pl

    if not flags:
        return pl.lit([], dtype=pl.List(pl.String))
    return pl.concat_list(list(flags)).list.drop_nulls()


def to_utc(local: pl.Expr, time_zone: str) -> pl.Expr:
    """Local wall-clock time to naive UTC.

    Of the two passes of a repeated hour the first is taken; a time that a clock change skipped
    gives null.
    """
    return (
        local.dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
        .dt.convert_time_zone("UTC")
        .dt.replace_time_zone(None)
        .dt.cast_time_unit("us")
    )


def after_midnight(moment: pl.Expr, start: pl.Expr) -> pl.Expr:
    """A time of day without a date that follows ``start``: the next day's if half a day before."""
    import polars as pl

    return (
        pl.when(moment < start - pl.duration(hours=12))
        .then(moment + pl.duration(days=1))
        .otherwise(moment)
    )
