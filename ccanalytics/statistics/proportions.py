"""Intervals for shares: Wilson's, which stays inside 0–1 and is honest about small counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.statistics.checking import check_level, counts, normal_quantile

__all__ = ["wilson"]


def wilson(successes: Any, trials: Any, level: float = 0.95) -> tuple[Any, Any]:
    """Give Wilson's score interval for a share.

    With *x* successes in *n* trials, p = x/n and z the normal deviate of ``level``, the limits are
    [p + z²/2n ∓ z·√(p(1−p)/n + z²/4n²)] / (1 + z²/n).

    Parameters
    ----------
    successes, trials
        Counts, scalars or arrays that broadcast; 0 ≤ successes ≤ trials.
    level
        Share of such intervals that cover, 0–1.

    Returns
    -------
    (low, high)
        Shares 0–1: floats for scalars, arrays otherwise; nan where there is no trial.

    Raises
    ------
    InputError
        A negative count, nan, infinity, more successes than trials, or a level outside 0–1.

    References
    ----------
    E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22, 209–212.

    Examples
    --------
    Seventeen of twenty reviews passed:

    >>> low, high = wilson(17, 20)
    >>> round(low, 3), round(high, 3)
    (0.64, 0.948)
    """
    level = check_level(level)
    x, n = counts("successes", successes), counts("trials", trials)
    try:
        x, n = np.broadcast_arrays(x, n)
    except ValueError as error:
        raise InputError(
            "successes and trials have shapes that do not go together",
            f"{x.shape} and {n.shape}",
            "give one count of successes for each count of trials",
        ) from error
    if (x > n).any():
        at = int(np.flatnonzero((x > n).ravel())[0])
        raise InputError(
            "there are more successes than trials",
            f"successes={x.flat[at]:g}, trials={n.flat[at]:g}",
            "a share cannot exceed 1: look at how the two were counted",
        )
    z2 = normal_quantile(level) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        p = x / n
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = np.sqrt(z2) * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        # None, or all, of the trials: that limit is 0, or 1, exactly; rounding would miss it.
        low = np.where(n > 0, np.where(x == 0, 0.0, np.maximum(middle - half, 0.0)), np.nan)
        high = np.where(n > 0, np.where(x == n, 1.0, np.minimum(middle + half, 1.0)), np.nan)
    return (float(low), float(high)) if low.ndim == 0 else (low, high)
