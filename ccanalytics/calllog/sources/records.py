"""Call detail records as text: which column is which, with a header, a known order, or a told one.

Switches write such files without a header, in an order that their configuration sets. The order is
taken from ``columns`` if the user gives it, from a header if there is one, else from the first
lines: that of the known orders whose times, durations and codes are found where they should be.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ccanalytics.calllog.reading import split_line
from ccanalytics.calllog.sources.opening import lines_of, text_of
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ccanalytics.calllog.reading import Layout
    from ccanalytics.calllog.sources.base import Settings

__all__ = ["Orders", "find_order", "first_records"]

_LOOKED_AT = 50


@dataclass(frozen=True)
class Orders:
    """What is known of a format's columns."""

    what: str
    known: Mapping[str, tuple[str, ...]]
    aliases: Mapping[str, str]
    required: tuple[str, ...]
    # Columns whose text shows whether an order is right.
    telling: Mapping[str, Callable[[str], bool]]

    def names(self, given: tuple[str, ...] | list[str]) -> tuple[str, ...]:
        """The names as this format has them: lower case, aliases replaced."""
        lower = [name.strip().strip('"').lower().removeprefix("variable_") for name in given]
        return tuple(self.aliases.get(name, name) for name in lower)


def first_records(path: Path, settings: Settings, layout: Layout) -> list[list[str]]:
    """The first records of a file, split; those that cannot be split are left out."""
    with closing(lines_of(text_of(path, settings))) as blocks:
        for rows in blocks:
            texts = rows.good["text"].head(_LOOKED_AT).to_list()
            if texts:
                split = [split_line(text, layout) for text in texts]
                return [fields for fields in split if fields is not None]
    return []


def find_order(
    path: Path, settings: Settings, layout: Layout, orders: Orders
) -> tuple[tuple[str, ...], bool, str]:
    """Names of the columns, whether the first line is a header, and a note on how it was told."""
    records = first_records(path, settings, layout)
    if settings.columns is not None:
        names = orders.names(settings.columns)
        _check(names, orders, "columns")
        widths = {len(record) for record in records}
        if len(names) not in widths and records:
            raise InputError(
                f"{len(names)} columns are named, but the first lines have "
                + " or ".join(map(str, sorted(widths))),
                f"{path}: columns={', '.join(settings.columns)}",
                "name every column of the file, in order",
            )
        header = bool(records) and orders.names(records[0]) == names
        return names, header, ""
    if records:
        head = orders.names(records[0])
        if set(orders.required) <= set(head):
            _check(head, orders, f"{path}, line 1")
            return head, True, ""
    fits = {name: _fitting(records, names, orders) for name, names in orders.known.items()}
    best = max(fits.values(), default=0)
    chosen = [name for name, count in fits.items() if count == best]
    if not best or len(chosen) > 1:
        raise InputError(
            f"the order of the columns of this file of {orders.what} cannot be told from its "
            "first lines",
            f"{path}, line 1",
            f"name them with --columns ({', '.join(orders.required)} and others are known)",
        )
    note = f"order of the columns told from the content: {chosen[0]}"
    return orders.known[chosen[0]], False, note


def _check(names: tuple[str, ...], orders: Orders, where: str) -> None:
    missing = [name for name in orders.required if name not in names]
    twice = sorted({name for name in names if names.count(name) > 1})
    if missing or twice:
        raise InputError(
            "these columns are missing" if missing else "these columns stand twice",
            f"{where}: {', '.join(missing or twice)}",
            "name each column once; those that are of no use may have any name",
        )


def _fitting(records: list[list[str]], names: tuple[str, ...], orders: Orders) -> int:
    """How many of the first records look right in this order."""
    places = [(names.index(name), test) for name, test in orders.telling.items() if name in names]
    return sum(
        len(record) == len(names) and all(test(record[at].strip()) for at, test in places)
        for record in records
    )
