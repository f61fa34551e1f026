"""Whether calls turned up at the controls as others went live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import CcanalyticsError
from ccanalytics.results import Estimate
from ccanalytics.statistics.effects.count_model import CountData, fit_counts
from ccanalytics.statistics.effects.weekly import Weekly
from ccanalytics.statistics.newey_west import correction, lag_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.statistics.effects.panel import Panel

    Floats = NDArray[np.float64]

__all__ = ["controls_moved"]

_SEASON_FROM = 52  # weeks from which a yearly wave can be fitted beside the roll-out


def controls_moved(panel: Panel, level: float) -> Estimate | None:
    """Mean change of the never-live units' calls as others went live.

    With units out of reach (``panel.outside``), log(controls/outside) is regressed on the share of
    traffic that is live: whatever moves both is no change. Without them the controls' own total
    is, beside a trend and a yearly wave (from 52 weeks), and only an abrupt roll-out in a quiet
    centre would show: a slow one looks like a trend. Newey–West errors, corrected for the short
    series. None where every unit goes live, or where weeks are too few.
    """
    never = ~panel.goes_live
    usual = (panel.calls * panel.untreated).sum(axis=1) / panel.untreated.sum(axis=1)
    dose = (usual / usual.sum()) @ (panel.event >= 0)
    total = panel.calls[never].sum(axis=0)
    if not never.any() or (dose == 0).sum() < panel.min_weeks or not total.all():
        return None
    if panel.outside is not None and panel.outside.all():
        return _against(np.log(total / panel.outside), dose, level)
    weeks = len(panel.weeks)
    data = CountData(Weekly(panel.weeks, total), dose, np.ones(weeks), {})
    try:
        return fit_counts(data, int(weeks >= _SEASON_FROM), slope=False, level=level).relative
    except (CcanalyticsError, ValueError, np.linalg.LinAlgError):
        return None


def _against(ratio: Floats, dose: Floats, level: float) -> Estimate:
    """Step of a log ratio with a dose, at the dose's mean over the weeks after."""
    design = np.column_stack([np.ones(dose.size), dose])
    contrast = np.array([0.0, dose[dose > 0].mean()])
    inverse = np.linalg.pinv(design.T @ design)
    beta = inverse @ design.T @ ratio
    rest = ratio - design @ beta
    pull = design @ inverse @ contrast * rest
    lags = lag_for(dose.size)
    variance = pull @ pull + 2 * sum(
        (1 - lag / (lags + 1)) * (pull[lag:] @ pull[:-lag]) for lag in range(1, lags + 1)
    )
    corrected = correction(design, rest, contrast, lags)
    half = corrected.quantile(level) * float(np.sqrt(max(variance, 0.0) * corrected.scale))
    middle = float(contrast @ beta)
    value, low, high = np.expm1([middle, middle - half, middle + half]).tolist()
    return Estimate(value, low, high, level)
