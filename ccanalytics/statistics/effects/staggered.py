"""Staggered roll-outs: units that are live against units that are not yet, week by week.

What would have come is foretold from the cells that no roll-out has touched: the unit's own level
times the level of the week that units without the treatment show. No treated week helps to foretell
another, so effects may grow, fade and differ between units, where a regression on a dummy for
"live" would mix them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.effect import Grade, in_words, signed
from ccanalytics.statistics.effects.left_out import Fit, Ratios
from ccanalytics.statistics.effects.two_way import told_apart
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["NEVER", "StaggeredEffect", "staggered"]

NEVER = 1_000_000  # week in which a unit goes live that never does
_LEADS, _LAGS = 8, 26  # weeks before and after going live that the event study shows
_POWER = 0.8416  # normal quantile of 80%
_FEWEST_UNITS = 3  # in a week of the event study
_SAME = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class StaggeredEffect(Result):
    """What a roll-out over several units did to their weekly counts.

    Attributes
    ----------
    name
        What went live.
    units, controls
        How many went live and are estimated; how many were untreated in those weeks.
    live
        Names of those that are estimated.
    relative
        Σ calls / Σ calls that would have come − 1, over weeks that units are live.
    removed_per_week
        Calls that would have come less those that did, a week, all units together.
    unit_weeks
        Cells that this rests on.
    placebo
        The same in the eight weeks before each unit went live, when nothing had happened.
    detectable
        The smallest effect, as a share, that data like these would show four times in five.
    events
        Per week since going live (``event``; negative before): ``relative`` with limits.
    weeks
        Per week with units live: ``week``, ``calls`` of these, ``counterfactual`` with limits.
    without
        Per unit: ``unit``, ``relative_without``: the estimate if that unit is left out.
    grade, reason
        How far to trust it, and why no further.
    degrees
        Degrees of freedom of the limits.
    """

    name: str
    units: int
    controls: int
    live: tuple[str, ...]
    relative: Estimate
    removed_per_week: Estimate
    unit_weeks: int
    placebo: Estimate | None
    detectable: float
    events: pl.DataFrame
    weeks: pl.DataFrame
    without: pl.DataFrame
    grade: Grade
    reason: str
    degrees: float

    def headline(self) -> str:
        """Give the answer alone, in one sentence."""
        of = f"{self.name}, {counted(self.units, 'unit')} together"
        return in_words(of, self.relative, self.removed_per_week, "once live")

    def summary(self) -> str:
        """Give the answer, its grade with the reason, and the method."""
        placebo = (
            f" In the {_LEADS} weeks before, when nothing had changed, the same estimate is "
            f"{signed(self.placebo.value)} ({signed(self.placebo.low)} to "
            f"{signed(self.placebo.high)})."
            if self.placebo is not None
            else ""
        )
        return (
            f"{self.headline()} Grade: {self.grade}, since {self.reason}.{placebo} An effect of "
            f"{self.detectable:.1%} would be shown four times in five. Staggered difference in "
            f"differences on counts: {self.unit_weeks:,} live unit-weeks against what "
            f"{counted(self.controls, 'unit')} that were not, or not yet, live foretell (Poisson, "
            "levels of units and weeks); limits by leaving out one unit at a time."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the event study."""
        return self.events


def staggered(
    calls: Any,
    live: Any,
    *,
    units: Sequence[str],
    weeks: Sequence[dt.date],
    others: Mapping[str, Any] | None = None,
    name: str = "The roll-out",
    min_weeks: int = 8,
    level: float = 0.95,
) -> StaggeredEffect:
    """Estimate a roll-out from when its units went live, not-yet-treated units being the control.

    On cells without the treatment log E[callsᵢₜ] = αᵢ + λₜ (+ Σ βₖ·otherₖᵢₜ), Poisson; with μᵢₜ
    what that foretells, the effect is Σ calls / Σ μ − 1 over live cells. The week of going live is
    left out, and so are weeks in which every unit is live: nothing says what they would have been.
    Limits are those of the jackknife over units, on the log, with Student's t; where few large
    units decide, their influences leave fewer degrees of freedom (Satterthwaite).

    Parameters
    ----------
    calls
        Units × weeks.
    live
        Position of the week in which each unit went live; ``NEVER`` for one that did not. A unit
        that was live before the first week has a position below 0 and is left out.
    units, weeks
        Names, and first days of the weeks.
    others
        Other changes by name, each units × weeks: the share of the week's days on which it was
        live. Estimated beside this one from cells without it.
    name
        What went live, for the words.
    min_weeks
        Fewest weeks before it of a unit that is estimated.
    level
        Of the limits, 0–1.

    Raises
    ------
    InputError
        Arrays that do not fit each other, or counts that cannot be.
    DataError
        Another change cannot be told from this one; nothing or only one unit went live within the
        span; no unit is without it while others are live; or fewer than four units in all.

    References
    ----------
    Borusyak, Jaravel & Spiess (2024), Revisiting event-study designs: robust and efficient
    estimation, Review of Economic Studies 91; Wooldridge (2023), Simple approaches to nonlinear
    difference-in-differences with panel data, Econometrics Journal 26.
    """
    level = check_level(level)
    table = _Table.of(calls, live, units, weeks, others, min_weeks)
    fit, early = table.fit(table.untreated), table.fit(table.early)
    found = fit.ratios(table.treated)
    half = found.half(level)
    ends = np.array([found.log, found.log - half, found.log + half])
    actual = float((table.calls * table.treated).sum()) / max(table.weeks_live, 1)
    removed, most, least = (actual * np.expm1(-ends)).tolist()
    placebo = _placebo(table, early, level)
    grade, reason = _graded(placebo, table)
    treated = table.treated.any(axis=1)
    return StaggeredEffect(
        name=name,
        units=int(treated.sum()),
        controls=int(((table.untreated * table.treated.any(axis=0)).sum(axis=1) > 0).sum()),
        live=tuple(table.units[i] for i in np.flatnonzero(treated)),
        relative=found.relative(level),
        removed_per_week=Estimate(removed, least, most, level),
        unit_weeks=int(table.treated.sum()),
        placebo=placebo,
        detectable=float(-np.expm1(-(half + _POWER * found.error))),
        events=_events(table, fit, early, level),
        weeks=_by_week(table, found, level),
        without=_without(table, found),
        grade=grade,
        reason=reason,
        degrees=found.degrees,
        inputs={"name": name, "min_weeks": min_weeks, "level": level},
        checks=_checks(table, placebo, found),
    )


@dataclass(frozen=True, eq=False)
class _Table:
    calls: Floats
    event: NDArray[np.int64]
    untreated: Floats
    treated: Bools
    others: Floats
    units: list[str]
    weeks: list[dt.date]
    left_out: dict[str, str]
    min_weeks: int

    @classmethod
    def of(
        cls, calls: Any, live: Any, units: Any, weeks: Any, others: Any, min_weeks: int
    ) -> _Table:
        table = np.asarray(calls, float)
        names, days = [str(u) for u in units], list(weeks)
        start = np.asarray(live, np.int64)
        if table.shape != (len(names), len(days)) or start.shape != (len(names),):
            raise InputError(
                "calls are units × weeks, with one week of going live for each unit",
                f"calls {table.shape}, {start.size} dates, {len(names)} units, {len(days)} weeks",
            )
        if not np.isfinite(table).all() or (table < 0).any():
            raise InputError("counts are 0 or more", "calls holds a negative or unknown one")
        other_names = list(others or {})
        more = np.zeros((len(other_names), *table.shape))
        for k, other in enumerate(other_names):
            more[k] = others[other]
        left: dict[str, str] = {}
        keep = np.ones(len(names), bool)
        for i, name in enumerate(names):
            before = int(min(max(start[i], 0), len(days)))
            if start[i] < 0:
                left[name] = "it was live before the first week"
            elif start[i] < len(days) and before < min_weeks:
                left[name] = f"only {counted(before, 'week')} before it went live"
            elif not table[i, :before].any():
                left[name] = "no call before it went live"
            keep[i] = name not in left
        chosen = [n for n, k in zip(names, keep, strict=True) if k]
        return cls._kept(
            table[keep], start[keep], more[:, keep], other_names, chosen, days, left, min_weeks
        )

    @classmethod
    def _kept(
        cls, calls: Floats, start: Any, others: Floats, other_names: list[str],
        names: list[str], days: Any,
        left: dict[str, str], min_weeks: int,
    ) -> _Table:  # fmt: skip
        event = np.arange(len(days))[None, :] - start[:, None]
        untreated = (event < 0).astype(float)
        known = untreated.sum(axis=0) > 0
        treated = (event >= 1) & known[None, :]
        if len(names) < 4:
            raise DataError(
                "there are too few units for a comparison between them",
                f"{counted(len(names), 'unit')}; left out: {_told(left)}",
                "a comparison before and after needs one",
            )
        if not treated.any():
            within = bool(((start >= 0) & (start < len(days))).any())
            raise DataError(
                "no unit is without the treatment while others have it"
                if within
                else "nothing went live within these weeks",
                f"{days[0]} to {days[-1]}; left out: {_told(left)}",
                "take a longer span, or compare before and after",
            )
        if treated.any(axis=1).sum() == 1:
            raise DataError(
                "only one unit went live: its own ups and downs cannot be told from an effect",
                f"{names[int(np.argmax(treated.any(axis=1)))]}; left out: {_told(left)}",
                "compare it before and after, or wait for a second one",
            )
        apart = told_apart(untreated, others)
        for other, each, seen in zip(other_names, others, apart, strict=True):
            before = (each * untreated).sum(axis=1) / untreated.sum(axis=1)
            if not seen and np.any(np.abs(each - before[:, None])[treated] > _SAME):
                raise DataError(
                    "another roll-out came to the same units in the same weeks, and the two cannot "
                    "be told apart",
                    str(other),
                    "call both one treatment, with the day of the first",
                )
        return cls(calls, event, untreated, treated, others[apart], names, days, left, min_weeks)

    @property
    def weeks_live(self) -> int:
        return int(self.treated.any(axis=0).sum())

    def fit(self, base: Floats) -> Fit:
        """What some untreated cells foretell."""
        return Fit.of(self.calls, base, self.others)

    @property
    def early(self) -> Floats:
        """Cells further before going live than the weeks on which the method is tried."""
        base = (self.event < -_LEADS).astype(float)
        base[self.event.max(axis=1) < 0] = 1.0
        return base


def _placebo(table: _Table, early: Fit, level: float) -> Estimate | None:
    """The estimate for the weeks just before going live, as if it had been so much earlier."""
    goes_live = table.event.max(axis=1) >= 0
    had = table.early.sum(axis=1) >= min(table.min_weeks, 4)
    cells = (table.event >= -_LEADS) & (table.event < 0) & (goes_live & had)[:, None]
    try:
        return early.ratios(cells).relative(level) if cells.any() else None
    except DataError:
        return None


def _graded(placebo: Estimate | None, table: _Table) -> tuple[Grade, str]:
    if placebo is None:
        return "weak", "there are no weeks before going live to try the method on"
    if placebo.excludes_zero:
        return "weak", (
            "it shows an effect before anything had happened: units that went live moved otherwise "
            "than those that had not"
        )
    controls = int((table.untreated.sum(axis=1) > 0).sum())
    if controls < 10:
        return "weak", f"only {counted(controls, 'unit')} can serve as control"
    return "moderate", (
        "units were not drawn by lot: whoever chose the dates may have known what was coming, and "
        "calls that move from a unit to another count twice"
    )


def _events(table: _Table, fit: Fit, early: Fit, level: float) -> pl.DataFrame:
    """Effects by week since going live; before it, from cells further back."""
    import polars as pl

    rows = []
    for event in range(-_LEADS, _LAGS + 1):
        model = early if event < 0 else fit
        cells = (table.event == event) & model.known[0][None, :]
        cells &= (model.base.sum(axis=1) > 0)[:, None]
        if cells.sum() < _FEWEST_UNITS:
            continue
        try:
            found = model.ratios(cells).relative(level)
        except DataError:
            continue
        rows.append((event, int(cells.sum()), found.value, found.low, found.high))
    names = ["event", "units", "relative", "relative_low", "relative_high"]
    return pl.DataFrame(rows, schema=names, orient="row")


def _by_week(table: _Table, found: Ratios, level: float) -> pl.DataFrame:
    """Calls of live units and what would have come; limits as far off as the whole estimate's."""
    import polars as pl

    half = found.half(level)
    live = table.treated.any(axis=0)
    mean = found.foretold.sum(axis=0)[live]
    return pl.DataFrame(
        {
            "week": [table.weeks[i] for i in np.flatnonzero(live)],
            "units": table.treated.sum(axis=0)[live],
            "calls": (table.calls * table.treated).sum(axis=0)[live],
            "counterfactual": mean,
            "counterfactual_low": mean * np.exp(-half),
            "counterfactual_high": mean * np.exp(half),
        }
    )


def _without(table: _Table, found: Ratios) -> pl.DataFrame:
    import polars as pl

    frame = pl.DataFrame({"unit": table.units, "relative_without": np.expm1(found.left_out)})
    return frame.with_columns(
        _far=(pl.col("relative_without") - np.expm1(found.log)).abs()
    ).sort("_far", descending=True).drop("_far")  # fmt: skip


def _checks(table: _Table, placebo: Estimate | None, found: Ratios) -> tuple[Check, ...]:
    checks = []
    if placebo is not None:
        checks.append(
            Check("Weeks before going live", "fails" if placebo.excludes_zero else "holds",
                  f"the same estimate of weeks when nothing had happened is "
                  f"{signed(placebo.value)} ({signed(placebo.low)} to {signed(placebo.high)})")
        )  # fmt: skip
    known = np.isfinite(found.left_out)
    far = int(np.argmax(np.where(known, np.abs(found.left_out - found.log), -1)))
    moved = float(np.expm1(found.left_out[far]))
    turns = np.sign(moved) != np.sign(np.expm1(found.log)) and known[far]
    checks.append(
        Check("One unit alone", "fails" if turns else "holds",
              f"without {table.units[far]}, which matters most, it is {signed(moved)}")
    )  # fmt: skip
    all_live = int((table.untreated.sum(axis=0) == 0).sum())
    if all_live:
        checks.append(Check("Weeks without a control", "informs",
                            f"{counted(all_live, 'week')} in which every unit is live are left "
                            "out"))  # fmt: skip
    if table.left_out:
        checks.append(Check("Units left out", "informs", _told(table.left_out)))
    return tuple(checks)


def _told(left: dict[str, str]) -> str:
    if not left:
        return "none"
    by_reason: dict[str, list[str]] = {}
    for unit, why in left.items():
        by_reason.setdefault(why, []).append(unit)
    return "; ".join(
        f"{', '.join(units[:5])}{f' and {len(units) - 5} more' if len(units) > 5 else ''}: {why}"
        for why, units in by_reason.items()
    )
