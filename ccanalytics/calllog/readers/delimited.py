"""Delimited text: CSV and its kin, in any encoding and packing."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ccanalytics.calllog.readers.base import HEADER_LINES, Reader
from ccanalytics.calllog.reading import read_rows, split_line
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from ccanalytics.calllog.decoding import TextFile
    from ccanalytics.calllog.reading import Layout, Rows
    from ccanalytics.calllog.sources import Plan

__all__ = ["Delimited"]

T = TypeVar("T")


class Delimited(Reader):
    """Reader of delimited text; the header is a line, or the source's own where it has none."""

    def __init__(self, text: TextFile, layout: Layout) -> None:
        self.text = text
        self.layout = layout
        self._first = 1
        self._header = 1

    def headers(self) -> Iterator[tuple[int, list[str]]]:
        """The first line that is not blank, then those below it."""
        lines = self.text.first_lines(HEADER_LINES if self.layout.header else 1)
        self._first = lines[0][0]
        open_mark = False
        for number, line in lines:
            names = split_line(line, self.layout)
            if names is not None:
                yield number, names
            elif number == self._first:
                open_mark = True
        if open_mark:
            raise InputError(
                "a quotation mark in the first line is not closed",
                f"{self.text.path}, line {self._first}",
                "carriage returns stand in the line: let all lines end alike"
                if "\r" in lines[0][1]
                else "check the file",
            )

    def rows(self, plan: Plan, header: int) -> Iterator[Rows]:
        """Blocks of rows; damaged lines apart."""
        self._pass_over(header)
        return read_rows(self.text, plan.layout, plan.fields)

    def worked(self, plan: Plan, header: int, work: Callable[[Rows], T]) -> Generator[T]:
        """A block is split into fields by the thread that works on it further."""
        self._pass_over(header)
        return read_rows(self.text, plan.layout, plan.fields, work=work)

    def _pass_over(self, header: int) -> None:
        self._header = header
        self.text.skipped = header - 1

    def remarks(self) -> list[str]:
        """Encoding, and a header that does not come first."""
        above = (
            [f"the header was found in line {self._header}; what stands above was passed over"]
            if self._header > self._first
            else []
        )
        return [*above, *self.text.remarks()]
