"""What a reader is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ccanalytics.calllog.pipeline import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    import polars as pl

    from ccanalytics.calllog.reading import Rows
    from ccanalytics.calllog.sources import Plan

__all__ = ["HEADER_LINES", "Opened", "Reader", "no_bad_rows", "worked"]

T = TypeVar("T")
# So many lines from the top may come before the header: titles, report parameters.
HEADER_LINES = 30


class Reader(ABC):
    """A table in a file of one kind."""

    @abstractmethod
    def headers(self) -> Iterator[tuple[int, list[str]]]:
        """Lines that may be the header, best first: number from 1, and names.

        Raises InputError where the file cannot be read at all.
        """

    def without(self, header: list[str], strangers: list[str]) -> list[str]:  # noqa: ARG002
        """The header without names that only some rows bring along, which are then set aside.

        Where one header is that of all rows, it stays as it is.
        """
        return header

    @abstractmethod
    def rows(self, plan: Plan, header: int) -> Iterator[Rows]:
        """What follows the header in that line, as text under the names of ``plan.fields``."""

    def worked(self, plan: Plan, header: int, work: Callable[[Rows], T]) -> Generator[T]:
        """What ``work`` makes of each block of rows, in order, several of them at once."""
        return worked(self.rows(plan, header), work)

    def remarks(self) -> list[str]:
        """What the report should say of how the file was read; complete after the last row."""
        return []


def worked(rows: Iterator[Rows], work: Callable[[Rows], T]) -> Generator[T]:
    """What ``work`` makes of each block of rows, in order, several of them at once."""
    for _, done in in_order(rows, work):
        yield done()


@dataclass(frozen=True)
class Opened:
    """A file ready to be read.

    Attributes
    ----------
    plan
        The source's plan for it.
    worked
        Takes a function, and gives what it makes of each block of rows (see :meth:`Reader.worked`).
    remarks
        What the report should say of how the file was read; complete after the last row.
    """

    plan: Plan
    worked: Callable[[Callable[[Rows], Any]], Generator[Any]]
    remarks: Callable[[], list[str]] = list


def no_bad_rows() -> pl.DataFrame:
    """The frame of a block in which every row can be split."""
    import polars as pl

    return pl.DataFrame(
        schema={"_line": pl.Int64, "_raw": pl.String, "reasons": pl.List(pl.String)}
    )
