"""Whether units that went live were moving away from the others before they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.results import Estimate
from ccanalytics.statistics.effects.left_out import jackknife, leave_one_out

if TYPE_CHECKING:
    from ccanalytics.statistics.effects.left_out import Foretold
    from ccanalytics.statistics.effects.panel import Panel

__all__ = ["drift_of"]

_YEAR = 365.2425 / 7
_FEWEST = 12


def drift_of(panel: Panel, fit: Foretold, level: float) -> Estimate | None:
    """Slope of log(counted/foretold) over the weeks before going live, as a change a year.

    One slope for all units that go live, weighted by calls foretold, within units; its limits by
    leaving out one unit at a time. A placebo window sees a jump; the slope sees a slow drift, which
    grows into a bias although each window alone looks harmless. None where units have fewer than
    12 weeks before, or fewer than four went live.
    """
    keep = leave_one_out(len(panel.calls))
    if len(fit.foretold) < len(keep):
        return None
    cells = (panel.event < 0) & panel.goes_live[:, None]
    cells &= np.isfinite(fit.foretold[0]) & (cells.sum(axis=1) >= _FEWEST)[:, None]
    if cells.any(axis=1).sum() < 4:
        return None
    when = np.where(cells, panel.event, 0).astype(float)
    middle = when.sum(axis=1, keepdims=True) / np.maximum(cells.sum(axis=1, keepdims=True), 1)
    away = np.where(cells, when - middle, 0.0) / _YEAR
    some = keep[:, :, None] * cells[None] * np.isfinite(fit.foretold)
    mean = np.where(some > 0, fit.foretold, 0.0)
    # One Newton step for calls = mean·exp(slope·away): within units the levels are fitted already.
    score = ((panel.calls[None] - mean) * some * away).sum(axis=(1, 2))
    size = (mean * away**2).sum(axis=(1, 2))
    slope = score / np.maximum(size, 1e-12)
    error, degrees = jackknife(slope[1:])
    from scipy.special import stdtrit

    half = float(stdtrit(degrees, 0.5 + level / 2)) * error
    value, low, high = np.expm1([slope[0], slope[0] - half, slope[0] + half]).tolist()
    return Estimate(value, low, high, level)
