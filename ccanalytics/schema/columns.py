"""What a column and a table are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Column",
    "Kind",
    "Person",
    "Table",
    "at",
    "person",
    "seconds",
    "text",
    "total",
    "whole",
]

Kind = Literal["text", "timestamp", "date", "seconds", "number", "whole", "flag"]
Person = Literal["", "customer", "agent", "number", "unit_kind"]


@dataclass(frozen=True)
class Column:
    """A column: its kind of value, what it means, and its unit or the values it may take.

    ``person`` says whom the column identifies (or which column of the row tells that; ``number``:
    it may hold a telephone number, as a customer does): what it holds is replaced by a pseudonym at
    the door, and masked in rows that are set aside.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    values: tuple[str, ...] = ()
    person: Person = ""
    # A sum over many calls or agents: no single duration, so no longest one.
    summed: bool = False

    @property
    def coded(self) -> bool:
        """Whether it takes only values of a list, or what can be read as its kind."""
        return bool(self.values) or self.kind != "text"


@dataclass(frozen=True)
class Table:
    """A table: one row per what, identified by which columns."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)


def text(name: str, meaning: str, *values: str, required: bool = False) -> Column:
    """Free text, or one of some values."""
    return Column(name, "text", meaning, required, values)


def person(name: str, who: Person, meaning: str, *, required: bool = False) -> Column:
    """Text that identifies a person; see :class:`Column`."""
    return Column(name, "text", meaning, required, person=who)


def at(name: str, meaning: str, *, required: bool = False) -> Column:
    """A moment in UTC."""
    return Column(name, "timestamp", meaning, required)


def seconds(name: str, meaning: str) -> Column:
    """A duration."""
    return Column(name, "seconds", meaning)


def total(name: str, meaning: str) -> Column:
    """Durations of many calls or agents, added up."""
    return Column(name, "seconds", meaning, summed=True)


def whole(name: str, meaning: str) -> Column:
    """A whole number."""
    return Column(name, "whole", meaning)
