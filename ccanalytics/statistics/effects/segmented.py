"""Segmented regression: a weekly count before and after a change, in one series.

The simplest design, and the least trusted: with no control, whatever else changed at that time
(a price, a fault, a holiday, another channel) is counted as the effect. Its grade is always weak.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate
from ccanalytics.statistics.checking import check_level, counts, normal_quantile
from ccanalytics.statistics.effects.count_model import (
    LEAST_CALLS,
    YEAR,
    CountData,
    CountFit,
    fit_counts,
    step_at,
)
from ccanalytics.statistics.effects.effect import SeriesEffect
from ccanalytics.statistics.effects.placebo import placebo_check, placebo_dates
from ccanalytics.statistics.effects.weekly import Weekly, as_date, as_weekly
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import polars as pl
    from numpy.typing import NDArray

__all__ = ["segmented"]

REASON = (
    "it is one series without a control: whatever else changed at that time would count as "
    "the effect"
)


def segmented(
    weeks: Any,
    calls: Any,
    live_on: Any,
    *,
    exposure: Any = None,
    others: Mapping[str, Any] | None = None,
    working_days: Any = None,
    slope: bool = False,
    season: int | None = None,
    level: float = 0.95,
    unit: str = "The series",
    min_weeks: int = 8,
    placebos: int = 3,
) -> SeriesEffect:
    r"""Estimate what a change did to a weekly count from its level before and after.

    log E[callsₜ] = log(daysₜ) + a + c·t + season + b·exposureₜ (+ d·exposureₜ·weeks since) +
    Σ eⱼ·otherⱼₜ, by quasi-Poisson regression, so that weeks without a call need no special care.
    The relative effect is Σ fitted / Σ counterfactual − 1 over the weeks after (exp(b) − 1 for a
    plain step). The week that holds the change is left out.

    Parameters
    ----------
    weeks, calls
        First day of each week, seven days apart, and its count.
    live_on
        First day of the change.
    exposure
        Share of the series that is treated, by week, 0–1 (nan leaves a week out); default 0
        before the change and 1 after it.
    others
        Other changes by name, each with its exposure by week: estimated beside this one.
    working_days
        Working days in each week, as an offset; default: all weeks alike.
    slope
        Whether the effect may also grow or fade linearly.
    season
        Pairs of yearly Fourier terms; default 1 from two years of weeks, 2 from three, else 0.
    level
        Of the intervals, 0–1.
    unit
        What the series is, for the words.
    min_weeks
        Fewest weeks on either side.
    placebos
        How many dates before the change to test, where there is room.

    Raises
    ------
    InputError
        Weeks that are missing or out of order, counts that are negative or not finite, columns of
        different lengths.
    DataError
        A change outside the span, fewer than ``min_weeks`` weeks or 20 calls on either side
        (where exposure is given: of half its largest value), another change in the same weeks.

    References
    ----------
    Bernal, Cummins & Gasparrini (2017), Interrupted time series regression for the evaluation of
    public health interventions, International Journal of Epidemiology 46, 348–355.

    Examples
    --------
    >>> import datetime as dt, numpy as np
    >>> weeks = [dt.date(2025, 1, 6) + dt.timedelta(weeks=k) for k in range(41)]
    >>> calls = np.where(np.arange(41) > 20, 900, 1000) + np.arange(41) % 3
    >>> effect = segmented(weeks, calls, weeks[20], unit="balance")
    >>> round(effect.relative.value, 2), effect.grade
    (-0.1, 'weak')
    """
    level = check_level(level)
    series, day = as_weekly(weeks, calls), as_date("live_on", live_on)
    n, at = len(series), series.index_of(day)
    if not 0 <= at < n:
        raise DataError(
            "the change lies outside the weeks counted",
            f"live on {day}, weeks {series.span}",
            "load the weeks around it, or correct the date",
        )
    if not series.calls.any():
        raise DataError("the series holds no calls", f"{series.span}", "")
    data = CountData(
        series,
        _exposure(exposure, n, at),
        _per_week("working_days", working_days, n),
        {name: _shares(name, other, n) for name, other in (others or {}).items()},
    )
    dose, used = data.dose, data.used
    before, after = used & (dose == 0), used & (dose > 0)
    half = np.nanmax(dose, initial=0) / 2
    _enough(series, used & (dose <= half), used & (dose > half), min_weeks)
    pairs = _pairs(season, n)
    fit = fit_counts(data, pairs, slope=slope, level=level)
    actual = series.calls[after].mean()
    # Calls removed for one that came: 1/(1 + change) − 1. A lower change removes more.
    least, value, most = (
        float(-actual * change / (1 + change))
        for change in (fit.relative.high, fit.relative.value, fit.relative.low)
    )
    removed = Estimate(value, least, most, level)
    fakes = placebo_dates(data, at, min_weeks, placebos, level)
    inputs = {
        "live_on": day,
        "weeks": series.span,
        "slope": slope,
        "season": pairs,
        "working_days": working_days is not None,
        "others": list(data.others),
        "level": level,
        "min_weeks": min_weeks,
    }
    return SeriesEffect(
        inputs=inputs,
        checks=(placebo_check(fakes), *_checks(fit, pairs, n, days=working_days is not None)),
        unit=unit,
        design="segmented regression",
        grade="weak",
        reason=REASON,
        live_on=day,
        relative=fit.relative,
        removed_per_week=removed,
        weeks_before=int(before.sum()),
        weeks_after=int(after.sum()),
        placebos=fakes,
        degrees=fit.corrected.degrees,
        series=_points(series, fit, dose, used, level),
        method=_method(fit, pairs, day, exposed=exposure is not None, inputs=inputs),
    )


def _exposure(exposure: Any, n: int, at: int) -> NDArray[np.float64]:
    if exposure is None:
        return step_at(n, at)
    dose = _shares("exposure", exposure, n)
    if (dose[:at] > 0).any():
        raise InputError(
            "the series is exposed before the change",
            f"exposure {dose[:at].max():g}",
            "give the first day of exposure as live_on",
        )
    return dose


def _shares(name: str, values: Any, n: int) -> NDArray[np.float64]:
    shares = np.asarray(values, dtype=float)
    if shares.shape != (n,) or (shares < 0).any() or (shares > 1).any():
        told = f"{shares.size} values for {n} weeks"
        if shares.size:
            told += f", from {np.nanmin(shares):g} to {np.nanmax(shares):g}"
        raise InputError(f"{name} needs a share from 0 to 1 for each week", told, "")
    return shares


def _per_week(name: str, values: Any, n: int) -> NDArray[np.float64]:
    if values is None:
        return np.ones(n)
    days = counts(name, values)
    if days.shape != (n,):
        raise InputError(f"{name} needs one value for each week", f"{days.size} for {n} weeks", "")
    return days


def _enough(series: Weekly, before: Any, after: Any, min_weeks: int) -> None:
    for side, mask in (("before", before), ("after", after)):
        if mask.sum() < min_weeks:
            raise DataError(
                f"there are too few weeks {side} the change",
                f"{counted(int(mask.sum()), 'week')}, at least {min_weeks} are needed",
                "load more weeks" if side == "before" else "wait, or load the weeks since",
            )
        calls = series.calls[mask].sum()
        if calls < LEAST_CALLS:
            raise DataError(
                f"there are too few calls {side} the change",
                f"{calls:g} calls, at least {LEAST_CALLS} are needed",
                "take services together",
            )


def _pairs(season: int | None, n: int) -> int:
    if season is None:
        return min(2, max(0, int(n // YEAR) - 1))
    if isinstance(season, bool) or not isinstance(season, (int, np.integer)) or season < 0:
        raise InputError("season is a number of Fourier pairs", f"season={season!r}", "0, 1 or 2")
    if season and n < 2 * YEAR - 1:
        raise DataError(
            "a yearly season cannot be told from a change on less than two years of weeks",
            f"{n} weeks",
            "leave season out",
        )
    return int(season)


def _points(
    series: Weekly,
    fit: CountFit,
    dose: NDArray[np.float64],
    used: NDArray[np.bool_],
    level: float,
) -> pl.DataFrame:
    import polars as pl

    n = len(series)
    fitted, counter, low, high, influence = (np.full(n, np.nan) for _ in range(5))
    influence[used] = fit.influence
    fitted[used] = np.exp(fit.design @ fit.beta + fit.offset)
    plain = fit.plain
    line = plain @ fit.beta + fit.offset
    variance = np.einsum("ij,jk,ik->i", plain, fit.covariance, plain)
    # Regressors that nearly repeat each other leave tiny negative variances, by rounding.
    spread = np.sqrt(np.maximum(variance, 0) * fit.corrected.scale)
    half = fit.corrected.quantile(level) * spread
    after = used & (dose > 0)
    chosen = after[used]
    counter[after] = np.exp(line[chosen])
    low[after], high[after] = np.exp((line - half)[chosen]), np.exp((line + half)[chosen])
    phase = np.where(after, "after", np.where(used & (dose == 0), "before", "transition"))
    return pl.DataFrame(
        {
            "week": series.weeks,
            "calls": series.calls,
            "phase": phase,
            "fitted": fitted,
            "counterfactual": counter,
            "counterfactual_low": low,
            "counterfactual_high": high,
            "influence": influence,
        }
    ).with_columns(pl.col(pl.Float64).fill_nan(None))


def _method(
    fit: CountFit, pairs: int, day: dt.date, *, exposed: bool, inputs: dict[str, Any]
) -> str:
    parts = ["a level", "a linear trend"]
    if pairs:
        parts.append(f"a yearly season ({pairs} Fourier pair{'s' if pairs > 1 else ''})")
    if exposed:
        parts.append(f"the share of the series that is treated, from {day} on")
    else:
        parts.append("a step at the change, whose week is left out")
    if inputs["slope"]:
        parts[-1] += ", and its growth or fading"
    beside = f", beside {' and '.join(inputs['others'])}" if inputs["others"] else ""
    offset = ", per working day" if inputs["working_days"] else ""
    return (
        f"Method: segmented regression on the log of weekly counts{offset} (quasi-Poisson) with "
        f"{', '.join(parts[:-1])} and {parts[-1]}{beside}; Newey–West errors over {fit.lags} "
        "weeks, corrected for the short series."
    )


def _checks(fit: CountFit, pairs: int, n: int, *, days: bool) -> tuple[Check, ...]:
    checks = []
    r = fit.corrected.residual_correlation
    checks.append(
        Check(
            "autocorrelation",
            "informs",
            f"residuals of neighbouring weeks correlate by {r:.2f}, which suggests "
            f"{fit.corrected.correlation:.2f} for the errors themselves; the interval allows for "
            f"it ({fit.corrected.degrees:.0f} degrees of freedom)",
        )
    )
    if not pairs:
        checks.append(
            Check(
                "season",
                "informs",
                f"{n} weeks are too few to tell a yearly season from the change: a holiday or a "
                "busy season after it counts as effect",
            )
        )
    if not days:
        checks.append(
            Check("working days", "informs", "weeks with holidays count like any other week")
        )
    # What a two-sided test would find in four of five tries.
    least = (fit.corrected.quantile(fit.relative.level) + normal_quantile(0.6)) * fit.std_error
    checks.append(
        Check(
            "smallest effect that would show",
            "informs",
            f"a fall of {-np.expm1(-least):.1%} would be found in four of five such series; "
            "a smaller one would often pass unseen",
        )
    )
    return tuple(checks)
