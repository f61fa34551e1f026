"""Placebo dates: the same estimate where nothing happened, which must find nothing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.results import Check
from ccanalytics.statistics.effects.count_model import LEAST_CALLS, fit_counts
from ccanalytics.statistics.effects.effect import Placebo, signed

if TYPE_CHECKING:
    from ccanalytics.statistics.effects.count_model import CountData

__all__ = ["placebo_check", "placebo_dates"]


def placebo_dates(
    data: CountData, upto: int, min_weeks: int, wanted: int, level: float
) -> tuple[Placebo, ...]:
    """Estimate a step at up to ``wanted`` dates in the weeks before ``upto``.

    Dates are spread over the part that leaves ``min_weeks`` on either side; none is tried where
    there is no such part. Their intervals hold together at ``level`` (Bonferroni).
    """
    room = np.arange(min_weeks, upto - min_weeks)
    if wanted < 1 or room.size == 0:
        return ()
    places = np.unique(room[np.linspace(0, room.size - 1, wanted + 2).round().astype(int)[1:-1]])
    # Several dates are tried: each gets the level at which all of them together keep ``level``.
    each = 1 - (1 - level) / len(places)
    found = []
    for place in places.tolist():
        history = data.history(upto, place)
        calls = history.series.calls
        sides = [calls[history.used & (history.dose == side)].sum() for side in (0, 1)]
        if min(sides) < LEAST_CALLS:
            continue
        with contextlib.suppress(DataError):  # another change came in these very weeks
            fit = fit_counts(history, 0, slope=False, level=each)
            found.append(Placebo(history.series.weeks[place], fit.relative))
    return tuple(found)


def placebo_check(fakes: tuple[Placebo, ...]) -> Check:
    """Say what the placebo dates showed."""
    name = "placebo dates"
    if not fakes:
        return Check(
            name, "informs", "none tried: too few weeks before the change to cut them once more"
        )
    tried = ", ".join(f"{fake.on} {signed(fake.relative.value)}" for fake in fakes)
    wrong = [fake for fake in fakes if fake.relative.excludes_zero]
    if wrong:
        return Check(
            name,
            "fails",
            f"an 'effect' also appears where nothing happened ({tried}): the series moves by "
            "itself, and the estimate may be such a move",
        )
    return Check(name, "holds", f"no effect appears where nothing happened ({tried})")
