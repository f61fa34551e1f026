"""Several effects as one: the sum over units, with what their weeks have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.results import Estimate
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.newey_west import lag_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccanalytics.statistics.effects.effect import SeriesEffect

__all__ = ["Combined", "combined"]


@dataclass(frozen=True)
class Combined:
    """The effect on several units together, once each is live."""

    units: int
    relative: Estimate
    removed_per_week: Estimate
    degrees: float


def combined(effects: Sequence[SeriesEffect], level: float = 0.95) -> Combined:
    """Add up effects that were each estimated from the weeks of their own unit.

    With actual calls Aᵢ a week after the change and relative effects ρᵢ, the sum's is
    ΣAᵢ / Σ[Aᵢ/(1 + ρᵢ)] − 1. A bad week is bad for many units: the weekly influences of the units
    are added before the Newey–West variance is taken, so that what they share is counted in full.

    Raises
    ------
    InputError
        No effect, or effects whose weeks do not overlap at all.
    """
    import polars as pl
    from scipy.special import stdtrit

    level = check_level(level)
    if not effects:
        raise InputError("there is nothing to combine", "effects=[]", "give one effect at least")
    actual = np.array([_after(effect) for effect in effects])
    without = actual / (1 + np.array([effect.relative.value for effect in effects]))
    weight = without / without.sum()
    moved = pl.concat(
        effect.series.select("week", pl.col("influence").fill_null(0) * share)
        for effect, share in zip(effects, weight.tolist(), strict=True)
    )
    z = moved.group_by("week").agg(pl.col("influence").sum()).sort("week")["influence"].to_numpy()
    lags = lag_for(z.size)
    variance = z @ z + 2 * sum(
        (1 - lag / (lags + 1)) * (z[lag:] @ z[:-lag]) for lag in range(1, lags + 1)
    )
    degrees = float(weight @ [effect.degrees for effect in effects])
    half = float(stdtrit(degrees, 0.5 + level / 2)) * np.sqrt(max(0.0, variance))
    ratio = np.log(actual.sum() / without.sum())
    ends = np.array([ratio, ratio - half, ratio + half])
    value, low, high = np.expm1(ends).tolist()
    removed, most, least = (actual.sum() * np.expm1(-ends)).tolist()
    return Combined(
        units=len(effects),
        relative=Estimate(value, low, high, level),
        removed_per_week=Estimate(removed, least, most, level),
        degrees=degrees,
    )


def _after(effect: SeriesEffect) -> float:
    series = effect.series
    return float(series.filter(series["phase"] == "after")["calls"].to_numpy().mean())
