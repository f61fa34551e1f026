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
    from collections.abc import Mapping as Named
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb
    import polars as pl

    from ccanalytics.calllog.pseudonyms import Endpoint, Identifiers, Key
    from ccanalytics.calllog.readers.base import Opened
    from ccanalytics.calllog.sources.mapping import Mapping

__all__ = [
    "Plan",
    "Sample",
    "Settings",
    "Source",
    "after_midnight",
    "any_holds",
    "flag",
    "listed",
    "to_utc",
    "told",
    "trimmed",
]


@dataclass(frozen=True)
class Settings:
    """What the user said about a file beside its name."""

    time_zone: str | None = None
    # None: found out from the file.
    encoding: str | None = None
    allow_cut: bool = False
    table: str | None = None
    mapping: Mapping | None = None
    # The key with which persons are given pseudonyms; None: identifiers stay as they are.
    key: Key | None = None
    # Of a workbook; None: the only one that holds anything.
    sheet: str | None = None
    # How many times its size a packed file may unpack to; None: the default.
    most_times: float | None = None
    # Names of a file's columns in their order, for formats that have no header.
    columns: tuple[str, ...] | None = None

    @property
    def identifiers(self) -> Identifiers:
        """Whether persons' identifiers are replaced by keyed pseudonyms or stay as they are."""
        return "as_they_are" if self.key is None else "keyed"

    @property
    def chosen_encoding(self) -> str | None:
        """What was said with the load, else what the mapping says."""
        return self.encoding or (self.mapping.encoding if self.mapping else None)

    @property
    def chosen_sheet(self) -> str | None:
        """What was said with the load, else what the mapping says."""
        return self.sheet or (self.mapping.sheet if self.mapping else None)

    def text(self) -> str:
        """Everything that could change how a row is read, for telling two loads apart."""
        mapping = self.mapping
        if mapping is not None and self.key is not None:
            mapping = mapping.without_persons(self.key)
        parts = (self.time_zone, self.encoding, self.allow_cut, self.table, mapping)
        return repr((*parts, self.sheet, self.columns, self.identifiers))


@dataclass(frozen=True)
class Plan:
    """How one file will be read: its table, its layout, and the names its fields get."""

    table: str
    fields: list[str]
    layout: Layout = field(default_factory=Layout)
    # What the user should know of every row of the file; remarked with the number of good rows.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """The beginning of a file that nobody has named a format for."""

    path: Path
    # The first lines of text (none of a workbook or Parquet), and the header's names once known.
    lines: tuple[str, ...]
    names: tuple[str, ...] = ()


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
    # Whether the export carries callers' numbers as they were dialled: such a source insists on a
    # key for pseudonyms, or on being told to do without.
    raw_numbers: ClassVar[bool] = False
    # Columns of the log that this format fills with the name of a channel, an account or what was
    # dialled: they may name a person, and with a key they become pseudonyms of their own.
    endpoints: ClassVar[Named[str, Endpoint]] = {}
    # Whether the user may name the columns of a file in their order.
    takes_columns: ClassVar[bool] = False
    # Whether the user may say which table of the log a file holds.
    takes_table: ClassVar[bool] = False
    # The column by which the latest of several rows with one key wins; None: the first wins.
    newest: ClassVar[str | None] = None
    # Whether :meth:`convert` gets the fields by :func:`trimmed`, without blanks around them.
    trims: ClassVar[bool] = False

    def open(self, path: Path, settings: Settings) -> Opened | None:  # noqa: ARG002
        """For formats that are no table with a header: the plan, and the rows.

        None: a reader opens the file by its content, and asks :meth:`plan`. Rows that cannot even
        be split go into ``Rows.bad``; every record is in one of the two.
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

    def strangers(self, path: Path, names: list[str], settings: Settings) -> list[str]:  # noqa: ARG002
        """Names that no row of the format may bring along, where each row names its own (JSON):
        a row that holds one is set aside, and no others with it."""
        return []

    @abstractmethod
    def convert(self, rows: pl.DataFrame, plan: Plan, settings: Settings) -> pl.DataFrame:
        """Text fields to canonical columns, with ``reasons`` (why a row cannot be loaded) and
        ``remarks`` (what was set to unknown), both by :func:`listed`. ``_line`` and ``_raw``
        stay. It runs in several threads at once."""

    def persons(self, plan: Plan, settings: Settings) -> dict[str, str] | None:  # noqa: ARG002
        """Which fields of a row identify a person, and of which kind; they are masked in rows that
        are set aside, whole, or of the kind ``letters`` their letters alone. None where that is
        not known: such a row is masked whole."""
        return None

    def recognises(self, sample: Sample) -> tuple[float, str] | None:  # noqa: ARG002
        """How sure it is (0 to 1) that a file is of this format, and why; None: cannot tell."""
        return None

    def companion(self, path: Path) -> str | None:  # noqa: ARG002 - formats may have one
        """The time zone that a file lying beside the export tells, if any."""
        return None


def canonical_columns(table: str) -> list[str]:
    """Names of a table's columns, in order."""
    return list(TABLES[table].names)


def trimmed(rows: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """Rows whose fields have no blanks around them."""
    import polars as pl

    return rows.with_columns(pl.col(fields).str.strip_chars())


def flag(reason: str, condition: pl.Expr) -> pl.Expr:
    """Whether the condition holds (not where it cannot be told), under the reason's name."""
    return condition.fill_null(value=False).alias(reason)


def listed(flags: Sequence[pl.Expr]) -> pl.Expr:
    """All reasons of a row, one field each; texts are made of them only where one holds.

    An expression of text is its own reason where it is not null; one of lists of text is as many.
    """
    import polars as pl

    if not flags:
        return pl.lit([], dtype=pl.List(pl.String))
    # Numbered, so that two reasons of one name do no harm.
    return pl.struct(one.alias(f"{i}:{one.meta.output_name()}") for i, one in enumerate(flags))


def any_holds(reasons: pl.Series) -> pl.Series:
    """Where at least one of the reasons that :func:`listed` made holds."""
    import polars as pl

    if isinstance(reasons.dtype, pl.List):
        return (reasons.list.len() > 0).fill_null(value=False)
    found = pl.repeat(False, len(reasons), dtype=pl.Boolean, eager=True)
    for name in reasons.struct.fields:
        one = reasons.struct.field(name)
        if isinstance(one.dtype, pl.List):
            one = (one.list.len() > 0).fill_null(value=False)
        found = found | (one if one.dtype == pl.Boolean else one.is_not_null())
    return found


def told(reasons: pl.Series) -> pl.Series:
    """The reasons that :func:`listed` made, as lists of text; for the few rows that have any."""
    import polars as pl

    if isinstance(reasons.dtype, pl.List):
        return reasons
    kinds = {name: reasons.struct.field(name).dtype for name in reasons.struct.fields}
    texts = [
        pl.when(pl.col(name)).then(pl.lit(name.split(":", 1)[1]))
        if kind == pl.Boolean
        else pl.col(name).fill_null([])
        if isinstance(kind, pl.List)
        else pl.col(name)
        for name, kind in kinds.items()
    ]
    listed_ = pl.concat_list(texts).list.drop_nulls()
    return reasons.struct.unnest().select(listed_.alias("reasons"))["reasons"]


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
