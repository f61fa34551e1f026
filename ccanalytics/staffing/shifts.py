"""Shifts: when people may start, how long they stay, and what that costs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ccanalytics.errors import InputError
from ccanalytics.staffing._seats import check_number, clock, time_of_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import time

__all__ = ["Shift", "shifts"]

DAY = 86400


@dataclass(frozen=True)
class Shift:
    """A shift: seconds after midnight at which it starts, its length, and its cost.

    ``cost`` is in any unit; None stands for its paid hours. A shift that runs over midnight
    serves the early hours of the next day.
    """

    name: str
    start_s: int
    length_s: int
    cost: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.start_s < DAY:
            raise InputError(
                "a shift starts within the day", f"start_s={self.start_s}", "0 to below 86400"
            )
        if not 0 < self.length_s <= DAY:
            raise InputError(
                "a shift lasts more than nothing and at most a day",
                f"length_s={self.length_s}",
                'such as "8h"',
            )
        if self.cost is not None and check_number("cost", self.cost) < 0:
            raise InputError("a shift cannot cost less than nothing", f"cost={self.cost!r}", "")

    def covers(self, from_s: float, length_s: float) -> bool:
        """Tell whether it spans a whole interval of the day, its own or the next one's.

        >>> night = Shift("night", 22 * 3600, 8 * 3600)
        >>> night.covers(5 * 3600, 3600), night.covers(6 * 3600, 3600)
        (True, False)
        """
        end = self.start_s + self.length_s
        return any(self.start_s <= from_s + on and from_s + on + length_s <= end for on in (0, DAY))


def shifts(
    length: str | float,
    *,
    starts: Iterable[str | time] | None = None,
    every: str | float | None = None,
    first: str | time = "00:00",
    last: str | time = "23:59",
    cost: float | Sequence[float] | None = None,
) -> list[Shift]:
    """Make shifts of one length; add lists to have several lengths.

    Parameters
    ----------
    length
        Such as ``"8h"``, ``"7h30min"``, or seconds.
    starts
        Local times of day, such as ``("00:00", "06:00")``. Give these, or ``every``.
    every
        A start every so often, such as ``"1h"``, from ``first`` to ``last``.
    first, last
        Earliest and latest start when ``every`` is given.
    cost
        Cost of one person on the shift, one number or one per start; None means paid hours.

    Raises
    ------
    InputError
        A duration or time that cannot be read, both or neither of starts and every, costs that
        do not match the starts, a start named twice.

    Examples
    --------
    >>> [shift.name for shift in shifts("8h", starts=("06:00", "22:00"))]
    ['06:00–14:00', '22:00–06:00']
    >>> len(shifts("8h", every="30min", first="06:00", last="16:00"))
    21
    """
    length_s = _duration("length", length)
    if (starts is None) == (every is None):
        raise InputError(
            "shifts start at given times, or every so often",
            f"starts={starts!r}, every={every!r}",
            "give one of the two",
        )
    if every is not None:
        step, low, high = (
            _duration("every", every),
            time_of_day("first", first),
            time_of_day("last", last),
        )
        if low > high:
            raise InputError("the first start is after the last", f"first={first}, last={last}", "")
        at = list(range(low, high + 1, step))
    else:
        if isinstance(starts, str):
            starts = [starts]
        at = [time_of_day("starts", start) for start in starts or ()]
    if not at:
        raise InputError("there is no start", f"starts={starts!r}", "give at least one")
    twice = {clock(start) for start in at if at.count(start) > 1}
    if twice:
        raise InputError("a start is named twice", ", ".join(sorted(twice)), "name it once")
    costs = [cost] * len(at) if cost is None or isinstance(cost, (int, float)) else list(cost)
    if len(costs) != len(at):
        raise InputError(
            "costs must match the starts", f"{len(costs)} costs, {len(at)} starts", "one for each"
        )
    return [
        Shift(_name(start, length_s), start, length_s, price)
        for start, price in zip(at, costs, strict=True)
    ]


def _name(start_s: int, length_s: int) -> str:
    """Name a shift by its hours; midnight at its end is 24:00."""
    end = clock(start_s + length_s)
    return f"{clock(start_s)}–{'24:00' if end == '00:00' else end}"


def _duration(name: str, value: str | float) -> int:
    """Read "8h", "7h30min", "450min" or seconds."""
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(?:(\d+(?:\.\d+)?)\s*h)?\s*(?:(\d+)\s*min)?\s*", value)
        if not match or not any(match.groups()):
            raise InputError(
                "this is no duration", f"{name}={value!r}", 'write it as "8h", "7h30min" or seconds'
            )
        seconds = 3600 * float(match[1] or 0) + 60 * int(match[2] or 0)
    else:
        seconds = check_number(name, value)
    if seconds < 60 or seconds % 60:
        raise InputError("a duration here is whole minutes", f"{name}={value!r}", 'such as "8h"')
    return int(seconds)
