"""Local days as people write them: one, several, or from the first to the last."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from ccanalytics.errors import InputError

__all__ = ["read_dates"]

_REMEDY = 'write "2024-02-10", or "2024-02-10..2024-02-17" for all days from the first to the last'


def read_dates(days: Any, what: str = "exclude") -> frozenset[date]:
    """Read local dates: a date, text with dates and ranges, or a list of these.

    ``what`` is the argument that an error names.

    >>> sorted(d.day for d in read_dates("2024-02-10..2024-02-12, 2024-02-20"))
    [10, 11, 12, 20]
    """
    if days is None:
        return frozenset()
    if isinstance(days, datetime):
        raise InputError("a day is a date, without a time", f"{what}={days!r}", _REMEDY)
    if isinstance(days, date):
        return frozenset([days])
    if isinstance(days, str):
        return frozenset(
            d for word in re.split(r"[,;\s]+", _joined(days)) for d in _range(word, what)
        )
    try:
        items = list(days)
    except TypeError as error:
        raise InputError("these are no dates", f"{what}={days!r}", _REMEDY) from error
    if not all(isinstance(item, (str, date)) for item in items):
        raise InputError("these are no dates", f"{what}={days!r}", _REMEDY)
    return frozenset(d for item in items for d in read_dates(item, what))


def _joined(text: str) -> str:
    return re.sub(r"\s*\.\.\s*", "..", text.strip())


def _range(word: str, what: str) -> list[date]:
    if not word:
        return []
    ends = word.split("..")
    try:
        first, last = date.fromisoformat(ends[0]), date.fromisoformat(ends[-1])
    except ValueError as error:
        raise InputError("this is no date", f"{what}: {word!r}", _REMEDY) from error
    if len(ends) > 2 or last < first:
        raise InputError("this is no range of dates", f"{what}: {word!r}", _REMEDY)
    return [first + timedelta(n) for n in range((last - first).days + 1)]
