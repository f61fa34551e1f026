"""The first rows of an unknown file, as text under the names of its header."""

from __future__ import annotations

import csv
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.database import in_memory
from ccanalytics.calllog.decoding import TextFile, kind_of
from ccanalytics.calllog.proposal.names import SYNONYMS, likeness
from ccanalytics.calllog.readers import reader_of
from ccanalytics.calllog.readers.base import HEADER_LINES
from ccanalytics.calllog.readers.delimited import Delimited
from ccanalytics.calllog.reading import Layout
from ccanalytics.calllog.sources.base import Plan, Settings
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NULLS", "Table", "first_lines", "read_table"]

# What exports write for "unknown".
NULLS = (
    *("NULL", "null", "Null", "-", "--", "N/A", "n/a", "NA", "None", "none", "nil", "\\N", "NaN"),
    *("#N/A", "无", "空", "(null)", "(blank)"),
)

ROWS = 50_000
_LINES_SNIFFED = 2_000
_MOST_COLUMNS = 2_000
_SHOWN = 4


@dataclass(frozen=True)
class Table:
    """What was read of a file: its rows, and how they were read."""

    path: Path
    kind: str
    # Names as the header has them; columns of the frame are numbered.
    names: list[str]
    frame: pl.DataFrame
    layout: Layout
    header_line: int
    lines: tuple[str, ...] = ()
    encoding: str | None = None
    remarks: tuple[str, ...] = field(default=())

    def texts(self, index: int) -> pl.Series:
        """Texts of a column without blanks around them; null where one means unknown."""
        import polars as pl

        value = pl.col("v").str.strip_chars()
        unknown = value.is_in(["", *NULLS])
        return (
            self.frame.to_series(index)
            .to_frame("v")
            .select(pl.when(~unknown).then(value).alias("v"))["v"]
        )

    def values(self, index: int) -> pl.Series:
        """Texts of a column that tell something."""
        return self.texts(index).drop_nulls()

    def nulls(self, index: int) -> list[str]:
        """Which words for the unknown a column holds."""
        texts = self.frame.to_series(index).str.strip_chars()
        return sorted(texts.filter(texts.is_in(list(NULLS))).unique())


def first_lines(path: Path, settings: Settings) -> tuple[str, ...]:
    """The first lines of a file of text; none of other kinds."""
    if kind_of(path) in ("parquet", "excel"):
        return ()
    text = TextFile(path, settings.chosen_encoding, settings.most_times)
    return tuple(line for _, line in text.first_lines(_LINES_SNIFFED))


def read_table(path: Path, settings: Settings, lines: tuple[str, ...]) -> Table:
    """Read the first rows of a file that nothing is known of.

    Raises
    ------
    InputError
        The file cannot be read, holds no table, or has no header.
    """
    layout = _sniffed(path, lines) if lines else Layout()
    reader = reader_of(path, layout, settings)
    found = list(reader.headers())
    if not found:
        raise InputError("no line could be the header", str(path), "check which file this is")
    line, names = max(found, key=lambda one: _rank(one, found))
    if len(names) > _MOST_COLUMNS:
        raise InputError(
            f"the file has {len(names):,} columns", str(path), "write the mapping by hand"
        )
    names = [name.strip() for name in names]
    _refuse_headless(path, line, names)
    plan = Plan("calls", [f"_{i}" for i in range(len(names))], layout)
    import polars as pl

    frames: list[pl.DataFrame] = []
    rows = 0
    for block in reader.rows(plan, line):
        frames.append(block.good.head(ROWS - rows).select(plan.fields))
        rows += frames[-1].height
        if rows >= ROWS:
            break
    if not rows:
        raise InputError(
            "no row below the header fits it",
            f"{path}, line {line}: {len(names)} columns",
            "check which file this is",
        )
    encoding = reader.text.told.name if isinstance(reader, Delimited) else None
    return Table(
        path,
        _kind(reader),
        names,
        pl.concat(frames),
        layout,
        line,
        lines,
        encoding,
        tuple(reader.remarks()),
    )


def _kind(reader: Any) -> str:
    return type(reader).__name__.lower()


def _rank(
    one: tuple[int, list[str]], all_of_them: list[tuple[int, list[str]]]
) -> tuple[float, ...]:
    """How well a line would do as a header: known names, then as many cells as most lines."""
    line, names = one
    widths = [len(other) for _, other in all_of_them]
    usual = max(set(widths), key=lambda width: (widths.count(width), width))
    known = sum(max(likeness(name, column) for column in SYNONYMS) > 0.6 for name in names[:100])
    filled = sum(bool(name.strip()) for name in names)
    return (len(names) == usual, known, filled, -line)


def _refuse_headless(path: Path, line: int, names: list[str]) -> None:
    """Names that are values mean that the file has no header."""
    values = [name for name in names if name.replace(".", "").replace(":", "").isdigit()]
    dates = [name for name in names if sum(c.isdigit() for c in name) >= 6 and ":" in name]
    known = sum(max(likeness(name, column) for column in SYNONYMS) > 0.6 for name in names[:100])
    if len(names) == 1:
        raise InputError(
            "the file has one column: no delimiter divides its lines alike",
            f"{path}, line {line}",
            "choose a source that knows the format, or check which file this is",
        )
    if line and 2 * known < len(names) and (dates or 2 * len(values) > len(names)):
        shown = ", ".join(repr(name[:20]) for name in (dates or values)[:_SHOWN])
        raise InputError(
            "the file has no header: its first line holds values",
            f"{path}, line {line}: {shown}",
            "write a line of column names at its top, or choose a source that knows the format",
        )


def _sniffed(path: Path, lines: tuple[str, ...]) -> Layout:
    """Delimiter and quotation mark by DuckDB's sniffer, or Python's where that sees one column."""
    import duckdb

    text = "\n".join(lines) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "sample.csv"
        copy.write_text(text, encoding="utf-8", errors="replace")
        try:
            with in_memory() as connection:
                delimiter, quote, columns = connection.execute(
                    "SELECT delimiter, quote, len(columns) FROM sniff_csv(?, all_varchar = true)",
                    [str(copy)],
                ).fetchall()[0]
        except duckdb.Error:
            delimiter, quote, columns = ",", '"', 1
    if columns == 1:
        head = "\n".join(lines[:HEADER_LINES])
        try:
            dialect = csv.Sniffer().sniff(head)
        except csv.Error:
            dialect = None
        if dialect and dialect.delimiter.isascii() and not dialect.delimiter.isalnum():
            delimiter = dialect.delimiter
    if len(delimiter) != 1 or not delimiter.isascii():
        raise InputError(
            "the delimiter is not one ASCII character", f"{path}: {delimiter!r}", "export it again"
        )
    # Where no field is quoted, the usual mark does no harm, and serves rows that come later.
    return Layout(delimiter, quote if quote and quote.isascii() and len(quote) == 1 else '"')
