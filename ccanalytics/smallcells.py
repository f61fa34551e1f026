"""Small cells: what rests on too few calls or people to be shown without showing a person.

Models compute on everything. Where frames leave for a report (tables, charts) or a file, rows
keyed by a name whose base is below a threshold lose their numbers, and so does one row more where
a total would give them away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["DEFAULT", "check", "hidden", "least", "set_least", "suppressed"]

DEFAULT = 5
"""Fewest calls or people that a row of a report may rest on, unless the run says otherwise."""

# Counts that shares and means of a row rest on, the first that a frame has.
_BASES = (
    "timed_calls",
    "fewer_calls",
    "handled",
    "followed",
    "calls",
    "answered",
    "offered",
    "eligible",
    "sent",
    "completed",
    "customers",
    "customer_days",
    "contacts",
    "people",
    "reviews",
    "surveys",
    "tickets",
    "pairs",
    "first_contacts",
    "items_marked",
    "n",
)
_TOTALS = {"all", "all calls", "total", "overall"}
# Of this process: a report has a kernel of its own.
_in_force = [0]


def least() -> int:
    """The threshold in force here; 0 outside a report: whoever works in a notebook sees all."""
    return _in_force[0]


def set_least(number: object) -> None:
    """Put a threshold in force from here on; 0 shows everything."""
    _in_force[0] = check(number)


def check(number: object) -> int:
    """The number itself, if it can be a threshold.

    Raises
    ------
    InputError
        If it is no whole number of 0 or more.
    """
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise InputError(
            "this must be a whole number of calls or people, 0 to show all",
            f"small_cells={number!r}",
            f"such as {DEFAULT}",
        )
    return number


def hidden(
    frame: pl.DataFrame, number: int | None = None, *, base: str | None = None
) -> tuple[list[int], list[int]]:
    """Rows of a frame that are too small, and those hidden with them.

    A row is small if its base, the first whole-number count of the frame that shares rest on, is
    above 0 and below the threshold. Along every key, where a single row would be hidden or the
    hidden ones together stay below the threshold, the next smallest goes with them: otherwise a
    total less the rest would tell. Frames without a key of text have no small cells.

    Parameters
    ----------
    frame
        The frame; its keys are its columns of text.
    number
        The threshold; default: the one in force.
    base
        The column of counts, where it is not one of the usual names.

    Returns
    -------
    tuple of two lists
        Row numbers.
    """
    import polars as pl

    number = least() if number is None else number
    if base is None:
        base = next(
            (n for n in _BASES if n in frame.columns and frame.schema[n].is_integer()), None
        )
    keys = [name for name, kind in frame.schema.items() if kind in (pl.String, pl.Categorical)]
    if not number or base is None or not keys or not frame.height:
        return [], []
    counts = [0 if value is None else value for value in frame[base].to_list()]
    names = list(zip(*(frame[key].cast(pl.String).to_list() for key in keys), strict=True))
    rows = [i for i, row in enumerate(names) if not any((v or "").lower() in _TOTALS for v in row)]
    small = [i for i in rows if 0 < counts[i] < number]
    gone = set(small)
    while True:
        before = len(gone)
        for at in range(len(keys)):
            groups: dict[tuple[str, ...], list[int]] = {}
            for i in rows:
                groups.setdefault(names[i][:at] + names[i][at + 1 :], []).append(i)
            # A second name of the same thing makes groups of one: nothing to protect along it.
            for group in groups.values() if len(groups) < len(rows) or len(keys) == 1 else ():
                out = [i for i in group if i in gone]
                if out and (len(out) == 1 or sum(counts[i] for i in out) < number):
                    rest = [i for i in group if i not in gone and counts[i]]
                    if rest:
                        gone.add(min(rest, key=lambda i: counts[i]))
        # Where names come in pairs no key has groups: guard the table as a whole.
        if len(gone) == 1 or (gone and sum(counts[i] for i in gone) < number):
            rest = [i for i in rows if i not in gone and counts[i]]
            if rest:
                gone.add(min(rest, key=lambda i: counts[i]))
        if len(gone) == before:
            return small, sorted(gone - set(small))


def suppressed(
    frame: pl.DataFrame, number: int = DEFAULT, *, base: str | None = None
) -> pl.DataFrame:
    """The frame with the numbers of small rows, and of those hidden with them, set to null.

    For tables that go into a file.

    Examples
    --------
    >>> import polars as pl
    >>> table = pl.DataFrame({"agent": ["a", "b", "c"], "calls": [80, 40, 3]})
    >>> suppressed(table, 5)["calls"].to_list()
    [80, None, None]
    """
    import polars as pl

    if not isinstance(frame, pl.DataFrame):
        raise InputError(
            "this must be a polars frame", f"frame: {type(frame).__name__}", "pl.from_pandas(frame)"
        )
    small, more = hidden(frame, number, base=base)
    if not small:
        return frame
    gone = pl.Series([i in {*small, *more} for i in range(frame.height)])
    numbers = [name for name, kind in frame.schema.items() if kind.is_numeric()]
    return frame.with_columns(pl.when(~gone).then(pl.col(name)).alias(name) for name in numbers)
