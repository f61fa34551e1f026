"""What a channel took away, by the design that the roll-out allows."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from ccanalytics.deflection.offers import encouraged, randomised
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects import (
    NEVER,
    group_time,
    segmented_units,
    staggered,
    structural,
    synthetic_control,
    synthetic_did,
)
from ccanalytics.statistics.effects.rollouts import (
    days_of,
    in_a_row,
    part_live,
    refuse_twice,
    treatment_of,
)
from ccanalytics.statistics.effects.weekly import as_date
from ccanalytics.statistics.frames import as_polars, check_counts, check_known, whole_weeks
from ccanalytics.vocabulary import counted, term

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.statistics.effects import OfferEffect, PanelEffect

__all__ = ["DESIGNS", "effect"]

_ROLLOUTS = ("unit_kind", "unit", "treatment", "live_on")
DESIGNS: dict[str, Callable[..., PanelEffect]] = {
    "staggered": staggered,
    "group_time": group_time,
    "synthetic_did": synthetic_did,
    "synthetic_control": synthetic_control,
    "structural": structural,
    "segmented": segmented_units,
}
"""Designs for roll-outs whose dates were chosen, the most trusted first."""

_BY_LOT: dict[str, Callable[..., OfferEffect]] = {
    "randomised": randomised,
    "encouraged": encouraged,
}
_COMMON = {"calls", "live", "units", "weeks", "others", "name", "min_weeks", "level"}
_COUNTS = ("first_attempts", "offered", "arrived", "answered", "uses")


@overload
def effect(
    panel: Any,
    rollouts: Any = None,
    treatment: str | None = None,
    *,
    design: Literal["randomised", "encouraged"],
    unit_kind: str = ...,
    count: str = ...,
    min_weeks: int = ...,
    level: float = ...,
    **options: Any,
) -> OfferEffect: ...


@overload
def effect(
    panel: Any,
    rollouts: Any,
    treatment: str | None = None,
    *,
    design: str = ...,
    unit_kind: str = ...,
    count: str = ...,
    min_weeks: int = ...,
    level: float = ...,
    **options: Any,
) -> PanelEffect: ...


def effect(
    panel: Any,
    rollouts: Any = None,
    treatment: str | None = None,
    *,
    design: str = "staggered",
    unit_kind: str = "service",
    count: str = "first_attempts",
    min_weeks: int = 8,
    level: float = 0.95,
    **options: Any,
) -> PanelEffect | OfferEffect:
    """Estimate what a roll-out took away, other roll-outs of the same units being held apart.

    Designs, the most trusted first, each a function of `ccanalytics.statistics.effects`:

    - ``randomised``: a lot decided who got the offer (:func:`randomised`);
    - ``encouraged``: a lot decided who was invited to use it (:func:`encouraged`);
    - ``staggered``: live units against those not live yet, all untreated weeks of theirs (Poisson);
    - ``group_time``: each group of one date, its last weeks before, against those not live yet;
    - ``synthetic_did``: controls and earlier weeks weighted to run alongside each group;
    - ``synthetic_control``: controls weighted to run as each group did; for one or a few units;
    - ``structural``: a level that wanders beside the untreated units' calls; for one or a few;
    - ``segmented``: before and after, without a control; always weak.

    The first two answer for those assigned or brought to use it, the others for the units that
    went live; they take the same panel, or the frame of ``CallLog.offers()`` without roll-outs.

    Parameters
    ----------
    panel
        Frame of ``CallLog.panel(unit=…, every="1w")``; weeks covered in part are left out.
    rollouts
        Frame of ``CallLog.table("rollouts")``.
    treatment
        What went live; may be left out where there is only one.
    design
        One of the above, or ``auto``: the first that the data can answer, with a remark that says
        why those before it could not.
    unit_kind, count, min_weeks, level
        As :func:`before_after` takes them.
    **options
        Of the design, such as ``controls`` and ``base_weeks`` of ``group_time``.

    Raises
    ------
    InputError
        A frame without its columns, a design that is not known, no treatment where there are
        several.
    DataError
        The roll-outs cannot answer: none of this name, none within the span, no unit without it,
        too few units.
    """
    import polars as pl

    level = check_level(level)
    if isinstance(min_weeks, bool) or not isinstance(min_weeks, int) or min_weeks < 1:
        raise InputError("min_weeks is a whole number, 1 or more", f"min_weeks={min_weeks!r}")
    if count not in _COUNTS:
        raise InputError("calls are counted", f"count={count!r}", "one of " + ", ".join(_COUNTS))
    _check_design(design, options)
    if design in _BY_LOT:
        of_units = {} if rollouts is None else {"unit_kind": unit_kind, "count": count}
        return _BY_LOT[design](panel, rollouts, treatment, level=level, **of_units, **options)
    needs = ["local_start", "interval_s", "unit", count]
    weeks = as_polars(panel, "panel", needs, "log.panel(unit=…, every='1w')")
    check_counts(weeks, [count], "panel")
    dates = as_polars(rollouts, "rollouts", _ROLLOUTS, "log.table('rollouts')")
    dates = dates.filter(pl.col("unit_kind") == unit_kind)
    weeks, cut = whole_weeks(weeks, "the weeks of the panel")
    name = treatment_of(treatment, dates)
    live = dates.filter(pl.col("treatment") == name).drop_nulls("live_on")
    if not live.height:
        raise DataError(
            "nothing of this kind went live",
            f"treatment={name!r}, unit_kind={unit_kind!r}",
            "load the roll-outs with their dates",
        )
    refuse_twice(dates, weeks)
    check_known(weeks.drop_nulls("unit"), [count], "panel")
    units, starts, calls = _table(weeks, count)
    others = {
        other: _shares(units, starts, rows)
        for (other,), rows in dates.filter(pl.col("treatment") != name)
        .drop_nulls("live_on")
        .group_by("treatment", maintain_order=True)
    }
    position = {unit: i for i, unit in enumerate(units)}
    unseen = [str(unit) for unit in live["unit"].unique().to_list() if unit not in position]
    if len(unseen) == live["unit"].n_unique():
        raise DataError(
            "no unit that went live has a call in the panel",
            f"{', '.join(sorted(unseen)[:5])}; the panel has {', '.join(map(str, units[:5]))}",
            "name units alike in calls and roll-outs",
        )
    when = np.full(len(units), NEVER)
    for unit, day in live.select("unit", "live_on").iter_rows():
        if unit in position:
            when[position[unit]] = (as_date("live_on", day) - starts[0]).days // 7
    found = _estimated(
        design,
        (calls, when),
        {
            "units": units,
            "weeks": starts,
            "others": {term(other): shares for other, shares in others.items()},
            "name": term(name),
            "min_weeks": min_weeks,
            "level": level,
            **options,
        },
    )
    return replace(
        found,
        inputs={
            **found.inputs,
            "design": found.design,
            "treatment": name,
            "unit_kind": unit_kind,
            "count": count,
        },
        checks=(*found.checks, *_checks(count, cut, others, unseen)),
    )


def _check_design(design: str, options: dict[str, Any]) -> None:
    if not isinstance(design, str):
        raise InputError("a design is named by a text", f"design={design!r}", ", ".join(DESIGNS))
    if design in _BY_LOT:
        return  # they look at their options themselves
    if design != "auto" and design not in DESIGNS:
        known = "auto, or, the most trusted first, " + ", ".join([*_BY_LOT, *DESIGNS])
        raise InputError("no such design", f"design={design!r}", known)
    known_options = (
        set() if design == "auto" else set(inspect.signature(DESIGNS[design]).parameters) - _COMMON
    )
    for name in options.keys() - known_options:
        raise InputError(
            f"the design {design} has no such option",
            f"{name}={options[name]!r}",
            "one of " + ", ".join(sorted(known_options)) if known_options else "leave it out",
        )


def _estimated(design: str, arrays: tuple[Any, Any], given: dict[str, Any]) -> PanelEffect:
    if design != "auto":
        return DESIGNS[design](*arrays, **given)
    refused: list[Check] = []
    for name, estimate in DESIGNS.items():
        try:
            found = estimate(*arrays, **given)
        except DataError as error:
            refused.append(Check(f"Design {name.replace('_', ' ')}", "informs", str(error)))
            last = error
            continue
        return replace(found, checks=(*found.checks, *refused))
    raise last


def _table(weeks: pl.DataFrame, count: str) -> tuple[list[str], list[dt.date], NDArray[np.float64]]:
    """Units, weeks and their counts; a week without a row is one without a call."""
    rows = weeks.drop_nulls("unit")
    units = rows["unit"].unique().sort().to_list()
    stamps = weeks["local_start"].unique().sort()
    column = {stamp: j for j, stamp in enumerate(stamps)}
    row = {unit: i for i, unit in enumerate(units)}
    calls = np.zeros((len(units), len(column)))
    for unit, stamp, number in rows.select("unit", "local_start", count).iter_rows():
        calls[row[unit], column[stamp]] = number
    return units, in_a_row(days_of(stamps)), calls


def _shares(units: list[str], starts: list[dt.date], rows: pl.DataFrame) -> NDArray[np.float64]:
    """Units × weeks: share of the days on which another treatment was live."""
    days = dict(rows.select("unit", "live_on").iter_rows())
    return np.array(
        [
            [part_live(s, as_date("live_on", days[u])) if u in days else 0.0 for s in starts]
            for u in units
        ]
    )


def _checks(count: str, cut: int, others: dict[str, Any], unseen: list[str]) -> tuple[Check, ...]:
    checks = []
    if unseen:
        told = f"{', '.join(sorted(unseen)[:5])}{' and more' if len(unseen) > 5 else ''}"
        checks.append(Check("Units without calls", "informs", f"went live, but not in it: {told}"))
    if others:
        names = ", ".join(term(each) for each in others)
        checks.append(Check("Other roll-outs", "informs", f"held apart: {names}"))
    if count not in ("first_attempts", "uses"):
        checks.append(
            Check("What is counted", "fails",
                  f"{count} holds redials, which fall when queues are shorter")
        )  # fmt: skip
    if cut:
        checks.append(
            Check("Weeks cut", "informs", f"{counted(cut, 'row')} of weeks covered in part")
        )
    return tuple(checks)
