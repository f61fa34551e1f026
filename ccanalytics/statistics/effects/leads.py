"""Whether units that went live early were moving away from the others before they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.results import Estimate
from ccanalytics.statistics.effects.left_out import jackknife, leave_one_out
from ccanalytics.statistics.effects.two_way import fitted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.statistics.effects.panel import Panel

    Floats = NDArray[np.float64]

__all__ = ["drift_of"]

_YEAR = 365.2425 / 7
_FEWEST_LIVE = 5
_EQUAL = 200.0  # calls a week from which units count alike: their own ups and downs outdo chance


def drift_of(panel: Panel, level: float) -> Estimate | None:
    """Trend of the first unit to go live less that of the last, as a change a year.

    On untreated cells log E[callsᵢₜ] = αᵢ + λₜ + γ·rankᵢ·t, Poisson, where the rank of the dates
    goes from 1 (first) to 0 (never): one step from γ = 0, its limits by leaving out one unit at a
    time. Services chosen early because their calls were falling have γ < 0 whatever the roll-out
    does, and a window of a few weeks would not see it. None where fewer than five units go live.
    """
    from scipy.special import stdtrit

    if panel.goes_live.sum() < _FEWEST_LIVE:
        return None
    base, keep = panel.untreated, leave_one_out(len(panel.calls))
    mean = fitted(panel.calls, base[None] * keep[:, :, None], panel.others)
    start = np.minimum(panel.start, panel.calls.shape[1])
    rank = (start[:, None] < start[None, :]).sum(axis=1) / max(len(start) - 1, 1)
    usual = (mean[0] * base).sum(axis=1) / base.sum(axis=1)
    weight = base * (usual / (1 + usual / _EQUAL) / np.maximum(usual, 1e-12))[:, None]
    away = _beyond(
        rank[:, None] * np.arange(panel.calls.shape[1])[None, :] / _YEAR, weight * mean[0]
    )
    some = keep[:, :, None] * weight
    moved = ((panel.calls[None] - mean) * some * away).sum(axis=(1, 2))
    size = (mean * some * away**2).sum(axis=(1, 2))
    if size[0] <= 0:
        return None
    slope = moved / np.maximum(size, 1e-12)
    error, degrees = jackknife(slope[1:])
    half = float(stdtrit(degrees, 0.5 + level / 2)) * error
    value, low, high = np.expm1([slope[0], slope[0] - half, slope[0] + half]).tolist()
    return Estimate(value, low, high, level)


def _beyond(x: Floats, weight: Floats) -> Floats:
    """What of x is in no level of a unit or of a week."""
    for _ in range(60):
        for axis in (1, 0):
            total = np.maximum(weight.sum(axis=axis, keepdims=True), 1e-12)
            x = x - (x * weight).sum(axis=axis, keepdims=True) / total
    return x
