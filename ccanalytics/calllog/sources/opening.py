"""How formats that are no table with a header open their files; packing and encoding by content."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ccanalytics.calllog.decoding import TextFile
from ccanalytics.calllog.readers import Opened, worked
from ccanalytics.calllog.reading import Layout, read_rows

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from ccanalytics.calllog.reading import Rows
    from ccanalytics.calllog.sources.base import Plan, Settings

__all__ = ["LINES", "delimited", "lines_of", "opened", "text_of"]

# A whole line is one field: its parts are taken apart by the source.
LINES = Layout(delimiter="\x1f", quote=None, header=False)


def text_of(path: Path, settings: Settings) -> TextFile:
    """The file as text, as the settings say."""
    return TextFile(path, settings.chosen_encoding, settings.most_times)


def lines_of(text: TextFile) -> Generator[Rows]:
    """Lines as rows with the one field ``text``."""
    return read_rows(text, LINES, ["text"])


def delimited(path: Path, plan: Plan, settings: Settings) -> Opened:
    """Delimited text laid out as the plan says; each block is split by the thread that works."""
    text = text_of(path, settings)
    rows = partial(read_rows, text, plan.layout, plan.fields)
    return Opened(plan, lambda work: rows(work=work), text.remarks)


def opened(plan: Plan, text: TextFile, rows: Iterator[Rows]) -> Opened:
    """Rows that the source itself makes of a text."""
    return Opened(plan, lambda work: worked(rows, work), text.remarks)
