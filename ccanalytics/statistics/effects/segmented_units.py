"""Segmented regression of every unit that went live, added up: no control at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import CcanalyticsError, DataError
from ccanalytics.results import Check, Estimate
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.combined import combined
from ccanalytics.statistics.effects.effect import signed
from ccanalytics.statistics.effects.falsifications import POWER
from ccanalytics.statistics.effects.panel import LEADS, told
from ccanalytics.statistics.effects.panel_effect import PanelEffect
from ccanalytics.statistics.effects.segmented import REASON, segmented

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    import polars as pl

    from ccanalytics.statistics.effects.effect import SeriesEffect

__all__ = ["segmented_units"]

_METHOD = (
    "Segmented regression of each unit's own weekly counts (quasi-Poisson, level, trend and step; "
    "Newey–West errors, weeks that are bad for all counted in full), added up."
)


def segmented_units(
    calls: Any,
    live: Any,
    *,
    units: Sequence[str],
    weeks: Sequence[dt.date],
    others: Mapping[str, Any] | None = None,
    name: str = "The roll-out",
    min_weeks: int = 8,
    level: float = 0.95,
) -> PanelEffect:
    """Estimate a roll-out from each unit before and after, by :func:`segmented`, and add up.

    The placebo is the same with the step eight weeks earlier, on the weeks before going live
    alone. The grade is always weak.

    Parameters
    ----------
    calls, live, units, weeks, others, name, min_weeks, level
        As for :func:`staggered`.

    Raises
    ------
    DataError
        No unit could be estimated; the message gives the reasons.
    """
    level = check_level(level)
    table, start = np.asarray(calls, float), np.asarray(live, np.int64)
    days, effects, fakes, refused = list(weeks), [], [], {}
    for i, unit in enumerate(units):
        at = int(start[i])
        if not 0 <= at < len(days):
            continue
        beside = {other: np.asarray(share, float)[i] for other, share in (others or {}).items()}
        beside = {other: share for other, share in beside.items() if np.ptp(share) > 0}
        options: dict[str, Any] = {"unit": str(unit), "level": level, "placebos": 0}
        try:
            effects.append(
                segmented(days, table[i], days[at], others=beside, min_weeks=min_weeks, **options)
            )
        except CcanalyticsError as error:
            refused[str(unit)] = error.what
            continue
        early = {other: share[:at] for other, share in beside.items()}
        try:
            fakes.append(
                segmented(days[:at], table[i, :at], days[at - LEADS], others=early,
                          min_weeks=min(min_weeks, LEADS - 1), **options)
            )  # fmt: skip
        except (CcanalyticsError, IndexError):
            continue
    if not effects:
        raise DataError(
            "no unit can be compared before and after",
            told(refused) if refused else f"nothing went live from {days[0]} to {days[-1]}",
            "load more weeks",
        )
    together = combined(effects, level)
    placebo = combined(fakes, level).relative if fakes else None
    names = {effect.unit for effect in effects}
    change = together.relative
    half = float(np.log1p(change.high) - np.log1p(change.low)) / 2
    return PanelEffect(
        name=name,
        design="segmented",
        method=_METHOD,
        units=len(effects),
        controls=0,
        live=tuple(effect.unit for effect in effects),
        relative=change,
        removed_per_week=together.removed_per_week,
        unit_weeks=sum(effect.weeks_after for effect in effects),
        placebo=placebo,
        drift=None,
        controls_moved=None,
        detectable=_detectable(half, together.degrees, level),
        events=_events(effects),
        weeks=_weeks(effects, half),
        without=_without(effects, level),
        grade="weak",
        reason=REASON,
        degrees=together.degrees,
        inputs={"name": name, "min_weeks": min_weeks, "level": level},
        checks=_checks(placebo, refused, len(names)),
    )


def _detectable(half: float, degrees: float, level: float) -> float:
    from scipy.special import stdtrit

    quantile = float(stdtrit(degrees, 0.5 + level / 2))
    return float(-np.expm1(-half * (1 + POWER / quantile)))


def _rows(effects: list[SeriesEffect]) -> pl.DataFrame:
    import polars as pl

    return pl.concat(
        effect.series.with_columns(
            event=(pl.col("week") - pl.lit(effect.live_on)).dt.total_days() // 7,
            foretold=pl.coalesce("counterfactual", "fitted"),
        )
        for effect in effects
    ).filter(pl.col("phase") != "transition")


def _events(effects: list[SeriesEffect]) -> pl.DataFrame:
    """Calls over foretold ones by week since going live; a single week has no limits here."""
    import polars as pl

    rows = _rows(effects).filter(pl.col("event").is_between(-LEADS, 26))
    found = rows.group_by("event").agg(
        units=pl.len(), relative=pl.col("calls").sum() / pl.col("foretold").sum() - 1
    )
    empty = pl.lit(None, pl.Float64)
    return found.sort("event").with_columns(relative_low=empty, relative_high=empty)


def _weeks(effects: list[SeriesEffect], half: float) -> pl.DataFrame:
    import polars as pl

    rows = _rows(effects).filter(pl.col("phase") == "after")
    found = rows.group_by("week").agg(
        units=pl.len(), calls=pl.col("calls").sum(), counterfactual=pl.col("foretold").sum()
    )
    return found.sort("week").with_columns(
        counterfactual_low=pl.col("counterfactual") * np.exp(-half),
        counterfactual_high=pl.col("counterfactual") * np.exp(half),
    )


def _without(effects: list[SeriesEffect], level: float) -> pl.DataFrame:
    import polars as pl

    rows = []
    for effect in effects:
        rest = [other for other in effects if other is not effect]
        rows.append((effect.unit, combined(rest, level).relative.value if rest else None))
    return pl.DataFrame(
        rows, schema={"unit": pl.String, "relative_without": pl.Float64}, orient="row"
    )


def _checks(placebo: Estimate | None, refused: dict[str, str], units: int) -> tuple[Check, ...]:
    checks = []
    if placebo is not None:
        checks.append(
            Check("Weeks before going live", "fails" if placebo.excludes_zero else "holds",
                  f"the same estimate of weeks when nothing had happened is "
                  f"{signed(placebo.value)} ({signed(placebo.low)} to {signed(placebo.high)})")
        )  # fmt: skip
    if units == 1:
        checks.append(Check("One unit alone", "informs", "a single unit went live"))
    if refused:
        checks.append(Check("Units left out", "informs", told(refused)))
    return tuple(checks)
