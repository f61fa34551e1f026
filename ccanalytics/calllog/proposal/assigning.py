"""Which column of a file is which canonical one: likeness of the name, weighed by what its values
can be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ccanalytics.calllog.proposal.durations import duration_of
from ccanalytics.calllog.proposal.names import SYNONYMS, likeness
from ccanalytics.calllog.proposal.outcomes import looks_like_outcomes
from ccanalytics.calllog.proposal.times import Moments, moments_of
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.proposal.sample import Table

__all__ = ["Assigned", "Column", "assigned", "described"]

_CALLS = TABLES["calls"]
# From here on a name is taken; between the two it is named as a possibility.
_TAKEN, _POSSIBLE = 0.65, 0.4
_FEW_CODES = 60


@dataclass(frozen=True)
class Column:
    """What a column of the file is like."""

    index: int
    name: str
    texts: pl.Series
    values: pl.Series
    different: int
    moments: Moments | None
    number: bool

    @property
    def unique(self) -> bool:
        """Whether every row has a value of its own."""
        return self.different == len(self.values) == len(self.texts)


@dataclass
class Assigned:
    """Columns by canonical name, the reason of each, and what else it might have been."""

    columns: dict[str, list[Column]] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    possible: dict[str, list[Column]] = field(default_factory=dict)

    def give(self, canonical: str, columns: list[Column], why: str) -> None:
        """Take columns for a canonical one."""
        self.columns[canonical], self.why[canonical] = columns, why

    def taken(self) -> set[int]:
        """Indexes of columns that are in use."""
        return {column.index for several in self.columns.values() for column in several}


def described(table: Table) -> list[Column]:
    """Each column of a table that holds anything, with the shape of its values."""
    found = []
    for index, name in enumerate(table.names):
        texts = table.texts(index)
        values = texts.drop_nulls()
        if not name or not len(values) or name in table.names[:index]:
            continue
        duration = (
            duration_of(name, values.head(2_000), ".", "", None)
            or duration_of(name, values.head(2_000), ",", ".", None)
            or duration_of(name, values.head(2_000), ".", ",", None)
        )
        found.append(
            Column(
                index,
                name,
                texts,
                values,
                values.n_unique(),
                moments_of(values),
                duration is not None,
            )
        )
    return found


def assigned(columns: list[Column]) -> Assigned:
    """The best column for each canonical one; each is used once."""
    result = Assigned()
    _arrival_in_two(columns, result)
    pairs = sorted(
        (
            (-score, column.index, canonical, column)
            for canonical in SYNONYMS
            for column in columns
            if (score := _score(canonical, column)) >= _POSSIBLE
        ),
        key=lambda pair: pair[:3],
    )
    for negative, _, canonical, column in pairs:
        if canonical in result.columns or column.index in result.taken():
            continue
        if -negative < _TAKEN:
            result.possible.setdefault(canonical, []).append(column)
            continue
        result.give(canonical, [column], _why(canonical, column))
    _by_order(columns, result)
    for canonical in list(result.possible):
        left = [c for c in result.possible[canonical] if c.index not in result.taken()]
        if canonical in result.columns or not left:
            del result.possible[canonical]
        else:
            result.possible[canonical] = left
    return result


def _score(canonical: str, column: Column) -> float:
    """Likeness of the name, 0 where the values cannot be of that kind."""
    kind = _CALLS.column(canonical).kind
    near = likeness(column.name, canonical)
    whole = column.moments is not None and column.moments.part == "whole"
    if kind == "timestamp":
        return near if whole else 0.0
    if kind == "seconds":
        numbers = whole and column.moments is not None and column.moments.forms[0].startswith("e")
        return near if column.number and (not whole or numbers) else 0.0
    if canonical == "outcome":
        if column.different > _FEW_CODES:
            return 0.0
        codes = looks_like_outcomes(column.values.unique().to_list(), column.name)
        return max(near * (0.7 + 0.3 * codes), 0.75 * codes)
    if column.moments is not None and column.moments.part != "clock" and not column.number:
        return 0.0
    if canonical == "call_id":
        return near if column.unique else near * 0.6
    return near


def _why(canonical: str, column: Column) -> str:
    near = likeness(column.name, canonical)
    told = "its name says so" if near == 1 else "its name comes near" if near else "its values"
    kind = _CALLS.column(canonical).kind
    if kind == "timestamp" and column.moments is not None:
        return f"{told}; values such as {column.moments.example!r} are moments"
    if canonical == "outcome":
        share = looks_like_outcomes(column.values.unique().to_list(), column.name)
        words = f"{share:.0%} of its {column.different} codes are words for outcomes"
        return words if not near else f"{told}; {words}"
    if canonical == "call_id" and column.unique:
        return f"{told}; each row has its own"
    return f"{told}; {column.different:,} different values"


def _arrival_in_two(columns: list[Column], result: Assigned) -> None:
    """A date and a time of day apart, where no column holds both and is called an arrival."""
    if any(_score("arrived_at", column) >= _TAKEN for column in columns):
        return

    def best(part: str) -> Column | None:
        fitting = [c for c in columns if c.moments is not None and c.moments.part == part]
        return max(
            fitting,
            key=lambda c: (likeness(c.name, "arrived_at"), len(c.values), -c.index),
            default=None,
        )

    day, clock = best("date"), best("clock")
    if day is None or clock is None or likeness(clock.name, "arrived_at") < _POSSIBLE:
        return
    result.give(
        "arrived_at",
        [day, clock],
        f"a date ({day.values[0]!r}) and a time of day ({clock.values[0]!r}) stand apart",
    )


def _by_order(columns: list[Column], result: Assigned) -> None:
    """Moments whose names tell nothing, by their order; a single one must be the arrival."""
    if "arrived_at" in result.columns:
        return
    moments = [
        c
        for c in columns
        if c.moments is not None and c.moments.part == "whole" and c.index not in result.taken()
    ]
    full = [c for c in moments if len(c.values) == len(c.texts)]
    if len(moments) == 1 and full:
        result.give("arrived_at", full, "the only column of moments, filled in every row")
    elif moments:
        result.possible["arrived_at"] = moments
