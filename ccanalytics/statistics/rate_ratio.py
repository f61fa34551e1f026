"""Rates of two groups in strata: the ratio of Mantel and Haenszel."""

from __future__ import annotations

from typing import Any

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.results import Estimate
from ccanalytics.statistics.checking import check_level, normal_quantile

__all__ = ["rate_ratio"]


def rate_ratio(
    events: Any, time: Any, control_events: Any, control_time: Any, level: float = 0.95
) -> Estimate:
    r"""Give the rate of a group over that of controls, compared within strata.

    With events d and time at risk T of group (1) and controls (0) in each stratum, T = T₁ + T₀,
    the ratio is R/S with R = Σ d₁T₀/T and S = Σ d₀T₁/T; the variance of its logarithm is
    Σ (d₁ + d₀)T₁T₀/T² / (R·S).

    Parameters
    ----------
    events, time, control_events, control_time
        One entry per stratum.
    level
        Level of the limits.

    Raises
    ------
    DataError
        No stratum has both groups, or one of them no event.

    References
    ----------
    S. Greenland, J. M. Robins (1985), Estimation of a common effect parameter from sparse
    follow-up data, Biometrics 41.

    Examples
    --------
    >>> print(rate_ratio([20, 30], [1000, 1000], [40, 60], [1000, 1000]))
    0.5 (95% interval 0.3561 to 0.7021)
    """
    level = check_level(level)
    d1, t1, d0, t0 = (np.asarray(v, float) for v in (events, time, control_events, control_time))
    both = (t1 > 0) & (t0 > 0)
    if not both.any():
        raise DataError("there is no time with both groups", "nothing to compare", "")
    d1, t1, d0, t0 = d1[both], t1[both], d0[both], t0[both]
    total = t1 + t0
    above, below = float((d1 * t0 / total).sum()), float((d0 * t1 / total).sum())
    if above <= 0 or below <= 0:
        which = "the group" if above <= 0 else "the controls"
        raise DataError(
            "too few events to compare", f"none in {which} in the time both are seen", "more data"
        )
    variance = float(((d1 + d0) * t1 * t0 / total**2).sum()) / (above * below)
    half = float(normal_quantile(level)) * variance**0.5
    ratio = above / below
    return Estimate(ratio, ratio * float(np.exp(-half)), ratio * float(np.exp(half)), level)
