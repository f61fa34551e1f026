"""Charts with a memory, for small lasting changes: EWMA and CUSUM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.statistics.control.chart import (
    ControlChart,
    baseline_of,
    points_of,
    spread_of,
    stated,
)
from ccanalytics.statistics.control.individuals import neighbours
from ccanalytics.statistics.control.run_length import (
    cusum_run_length,
    ewma_run_length,
    with_estimates,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["cusum", "ewma"]


def ewma(
    values: Any,
    *,
    at: Sequence[Any] | None = None,
    baseline: int | None = None,
    weight: float = 0.1,
    limit: float = 2.703,
    what: str = "The series",
) -> ControlChart:
    """Chart the exponentially weighted mean: it sees a lasting change of one σ in ten points.

    z = (1 − λ)z + λy from the centre on; limits are centre ± L·σ·√(λ/(2 − λ)), σ from moving
    ranges. ``value`` in the frame is z.

    Parameters
    ----------
    values, at, baseline, what
        As :func:`individuals` takes them.
    weight
        λ of the newest point.
    limit
        L. The defaults run 372 points between false signals.

    References
    ----------
    Roberts (1959), Control chart tests based on geometric moving averages, Technometrics 1(3);
    Crowder (1987), A simple method for studying run-length distributions, Technometrics 29(4).

    Examples
    --------
    >>> chart = ewma([0, 1, -1, 0, 1, -1, 0, 1, -1, 0] + [1.5] * 20, baseline=10)
    >>> chart.signals["at"].to_list()[0]
    16
    """
    run_length = ewma_run_length(weight, limit)
    y, beside, used, centre, sigma = _door(values, at, baseline)
    from scipy.signal import lfilter

    smoothed = centre + lfilter([weight], [1.0, weight - 1.0], y - centre)
    half = limit * sigma * np.sqrt(weight / (2 - weight))
    return ControlChart(
        what=what,
        frame=stated(
            beside, smoothed, centre, centre - half, centre + half,
            (smoothed - centre) / half, used,
        ),
        baseline=int(used.sum()),
        run_length=run_length,
        false_every=with_estimates(
            lambda scale, shift: ewma_run_length(weight, limit * scale, shift), int(used.sum())
        ),
        method=(
            f"EWMA chart: weight {weight:g} of the newest point, limits {limit:g} of its standard "
            f"deviations about {centre:,.4g}, from {int(used.sum())} points."
        ),
        inputs={"baseline": int(used.sum()), "weight": weight, "limit": limit, "what": what},
        checks=neighbours(y[used]),
    )  # fmt: skip


def cusum(
    values: Any,
    *,
    at: Sequence[Any] | None = None,
    baseline: int | None = None,
    reference: float = 0.5,
    limit: float = 5.0,
    what: str = "The series",
) -> ControlChart:
    """Chart cumulative sums to either side: what gathers beyond k σ a point, until h σ.

    C⁺ = max(0, C⁺ + (y − centre)/σ − k), C⁻ likewise below; a signal stands while either exceeds
    h. ``value`` in the frame is the series itself; ``statistic`` is the larger sum over h, negative
    below; ``low`` and ``high`` are null: the limit is not one of single values.

    Parameters
    ----------
    values, at, baseline, what
        As :func:`individuals` takes them.
    reference, limit
        k and h. The defaults run 465 points between false signals; a change of one σ signals
        after ten.

    References
    ----------
    Page (1954), Continuous inspection schemes, Biometrika 41.

    Examples
    --------
    >>> chart = cusum([0, 1, -1, 0, 1, -1, 0, 1, -1, 0] + [1.5] * 20, baseline=10)
    >>> chart.signals["at"].to_list()[0]
    16
    """
    run_length = cusum_run_length(reference, limit)
    y, beside, used, centre, sigma = _door(values, at, baseline)
    z = (y - centre) / sigma
    up, down = _gathered(z - reference), _gathered(-z - reference)
    statistic = np.where(up >= down, up, -down) / limit
    return ControlChart(
        what=what,
        frame=stated(beside, y, centre, np.nan, np.nan, statistic, used),
        baseline=int(used.sum()),
        run_length=run_length,
        false_every=with_estimates(
            # Wider standard deviations stretch k and h alike.
            lambda scale, shift: cusum_run_length(reference * scale, limit * scale, shift),
            int(used.sum()),
        ),
        method=(
            f"CUSUM chart: k {reference:g} and h {limit:g} standard deviations about "
            f"{centre:,.4g}, from {int(used.sum())} points."
        ),
        inputs={"baseline": int(used.sum()), "reference": reference, "limit": limit, "what": what},
        checks=neighbours(y[used]),
    )


def _gathered(steps: Floats) -> Floats:
    """Sums that never fall below 0: the sum less its least so far."""
    sums = np.cumsum(steps)
    return np.asarray(sums - np.minimum(np.minimum.accumulate(sums), 0.0))


def _door(
    values: Any, at: Sequence[Any] | None, baseline: int | None
) -> tuple[Floats, list[Any], NDArray[np.bool_], float, float]:
    y, beside = points_of(values, at, "values")
    used = baseline_of(y.size, baseline)
    sigma = spread_of(np.diff(y[used]))
    if not sigma:
        raise DataError(
            "nothing moves in the baseline, so there are no limits",
            f"all {int(used.sum())} points are {y[0]:g}",
            "take a longer one",
        )
    return y, beside, used, float(y[used].mean()), sigma
