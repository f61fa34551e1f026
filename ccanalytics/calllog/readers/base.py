"""What a reader is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from ccanalytics.calllog.reading import Rows
    from ccanalytics.calllog.sources import Plan

__all__ = ["HEADER_LINES", "Opened", "Reader", "no_bad_rows"]

# So many lines from the top may come before the header: titles, report parameters.
HEADER_LINES = 30


class Reader(ABC):
    """A table in a file of one kind."""

    @abstractmethod
    def headers(self) -> Iterator[tuple[int, list[str]]]:
        """Lines that may be the header, best first: number from 1, and names.

        Raises InputError where the file cannot be read at all.
        """

    @abstractmethod
    def rows(self, plan: Plan, header: int) -> Iterator[Rows]:
        """What follows the header in that line, as text under the names of ``plan.fields``."""

    def remarks(self) -> list[str]:
        """What the report should say of how the file was read; complete after the last row."""
        return []


@dataclass(frozen=True)
class Opened:
    """A file ready to be read: the source's plan, its rows, and who reads them."""

    plan: Plan
    rows: Iterator[Rows]
    reader: Reader


def no_bad_rows() -> pl.DataFrame:
    """The frame of a block in which every row can be split."""
    import polars as pl

    return pl.DataFrame(
        schema={"_line": pl.Int64, "_raw": pl.String, "reasons": pl.List(pl.String)}
    )
