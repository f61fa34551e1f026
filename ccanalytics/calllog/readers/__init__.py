"""Readers: each turns one kind of file into blocks of rows as text, with their line numbers.

A source never sees what a table came in: CSV, Parquet, NDJSON and Excel all arrive as
:class:`~ccanalytics.calllog.reading.Rows`. To add a kind, write one file with a subclass of
:class:`~ccanalytics.calllog.readers.base.Reader`, and name it in :func:`reader_of`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ccanalytics.calllog.decoding import TextFile, kind_of
from ccanalytics.calllog.readers.base import HEADER_LINES, Opened, Reader, worked
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from ccanalytics.calllog.reading import Layout
    from ccanalytics.calllog.sources import Settings, Source

__all__ = ["Opened", "Reader", "open_table", "reader_of", "worked"]


def reader_of(path: Path, layout: Layout, settings: Settings) -> Reader:
    """What reads a file, by its content.

    Raises
    ------
    InputError
        The file cannot be read, is empty, or is of a kind that holds no table.
    """
    from ccanalytics.calllog.readers.delimited import Delimited
    from ccanalytics.calllog.readers.excel import Excel
    from ccanalytics.calllog.readers.ndjson import Ndjson, looks_like_json
    from ccanalytics.calllog.readers.parquet import Parquet

    kind = kind_of(path)
    if kind == "parquet":
        return Parquet(path)
    if kind == "excel":
        return Excel(path, settings.chosen_sheet, settings.most_times)
    text = TextFile(path, settings.chosen_encoding, settings.most_times)
    if looks_like_json(text):
        return Ndjson(text)
    return Delimited(text, layout)


def open_table(path: Path, source: Source, settings: Settings) -> Opened:
    """The plan of a source for a file, and its rows.

    Where the first line is no header that the source knows, one is looked for in the lines below;
    what stands above it is passed over, and that is said.

    Raises
    ------
    InputError
        The file cannot be read, or is not of the source's format.
    """
    reader = reader_of(path, source.layout(settings), settings)
    refused: InputError | None = None
    for line, header in reader.headers():
        try:
            strangers = source.strangers(path, header, settings)
            names = reader.without(header, strangers) if strangers else header
            plan = source.plan(path, names, settings)
        except InputError as error:
            refused = refused or error
            continue
        return Opened(plan, partial(reader.worked, plan, line), reader.remarks)
    if refused is not None:
        raise refused
    raise InputError(
        "no line could be the header",
        f"{path}: the first {HEADER_LINES} lines",
        "check delimiter and quotation mark",
    )
