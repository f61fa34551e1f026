"""What became of every row that a load read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ccanalytics.results import Result
from ccanalytics.schema import TABLES
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.errors import InputError

__all__ = ["AS_THEY_CAME", "FileLoad", "LoadReport"]

AS_THEY_CAME = "identifiers are stored as they came"
_TOLD = 8


@dataclass(frozen=True)
class FileLoad:
    """What became of the rows of one file."""

    file: str
    table: str
    read: int
    loaded: int
    duplicates: int
    rejected: int
    reasons: dict[str, int] = field(default_factory=dict)
    remarks: dict[str, int] = field(default_factory=dict)
    already_loaded: bool = False
    identifiers: str = "as_they_are"
    cannot_tell: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class LoadReport(Result):
    """What became of every row read: loaded, a duplicate, or rejected with reasons."""

    files: tuple[FileLoad, ...]
    # Of several files, those that could not be loaded, and why; nothing of them came in.
    failed: dict[str, InputError] = field(default_factory=dict)
    # Files of a folder that are no exports.
    passed_over: tuple[str, ...] = ()

    @property
    def read(self) -> int:
        """Rows read, header lines and blank lines not counted."""
        return sum(f.read for f in self.files)

    @property
    def loaded(self) -> int:
        """Rows that came in."""
        return sum(f.loaded for f in self.files)

    @property
    def duplicates(self) -> int:
        """Rows that were there already."""
        return sum(f.duplicates for f in self.files)

    @property
    def rejected(self) -> int:
        """Rows set aside."""
        return sum(f.rejected for f in self.files)

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows were rejected for each reason (a row may have several)."""
        return dict(sum((Counter(f.reasons) for f in self.files), Counter()).most_common())

    @property
    def remarks(self) -> dict[str, int]:
        """What was loaded with something set to unknown, and how often."""
        return dict(sum((Counter(f.remarks) for f in self.files), Counter()).most_common())

    @property
    def cannot_tell(self) -> tuple[str, ...]:
        """What the formats of these files never tell; null in the log."""
        return tuple(dict.fromkeys(f.cannot_tell for f in self.files if f.cannot_tell))

    def summary(self) -> str:
        """The balance in a sentence, reasons after it, and files that could not be loaded."""
        text = self.balance()
        if self.failed:
            told = "; ".join(f"{file}: {error}" for file, error in self.failed.items())
            text += f" Not loaded, {counted(len(self.failed), 'file')}: {told}."
        return text

    def balance(self) -> str:
        """What became of the rows of the files that were loaded."""
        text = (
            f"Read {counted(self.read, 'row')}: {self.loaded:,} loaded, "
            f"{counted(self.duplicates, 'duplicate')}, {self.rejected:,} rejected."
        )
        if self.reasons:
            text += f" Rejected: {_listed(self.reasons)}."
        if self.remarks:
            text += f" Loaded with a remark: {_listed(self.remarks)}."
        text += "".join(f" {told}" for told in self.cannot_tell)
        again = [f.file for f in self.files if f.already_loaded]
        if again:
            text += f" Loaded before, so nothing changed: {_some(again)}."
        plain = {f.table for f in self.files if f.identifiers != "keyed"}
        if any(column.person for name in plain for column in TABLES[name].columns):
            text += f" {AS_THEY_CAME.capitalize()}: no key was given."
        if self.passed_over:
            text += f" Passed over, being no exports: {_some(list(self.passed_over))}."
        return text

    def to_frame(self) -> pl.DataFrame:
        """One row per file."""
        import polars as pl

        return pl.DataFrame(
            [(f.file, f.table, f.read, f.loaded, f.duplicates, f.rejected) for f in self.files],
            schema={
                "file": pl.String,
                "table": pl.String,
                "read": pl.Int64,
                "loaded": pl.Int64,
                "duplicates": pl.Int64,
                "rejected": pl.Int64,
            },
            orient="row",
        )


def _some(names: list[str]) -> str:
    """The first names, each in one line whatever it holds."""
    more = len(names) - _TOLD
    shown = [name if name.isprintable() else repr(name) for name in names[:_TOLD]]
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _listed(counts: dict[str, int]) -> str:
    """The commonest, each with its number of rows."""
    told = [f"{what} ({counted(rows, 'row')})" for what, rows in list(counts.items())[:_TOLD]]
    more = len(counts) - _TOLD
    return "; ".join(told) + (f"; and {counted(more, 'other reason')}" if more > 0 else "")
