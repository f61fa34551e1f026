"""The comparison of four means: treated and control, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.results import Estimate
from ccanalytics.statistics.checking import check_level

__all__ = ["TwoByTwo", "two_by_two"]


@dataclass(frozen=True)
class TwoByTwo:
    """The difference of two differences, with its error by pooled variance."""

    effect: Estimate
    error: float
    degrees: int
    p_value: float


def two_by_two(
    treated_before: Any,
    treated_after: Any,
    control_before: Any,
    control_after: Any,
    level: float = 0.95,
) -> TwoByTwo:
    """Give the treated mean's change less the control mean's, from four independent samples.

    The error pools the variance within the samples: s²·Σ 1/nⱼ, on Σ(nⱼ − 1) degrees of freedom.
    Weeks of one unit are not independent, so this is for four handfuls of separate numbers;
    `group_time` with one date is the same comparison for units over weeks.

    Raises
    ------
    InputError
        An empty sample, a value that is not finite, or no sample with two values.

    Examples
    --------
    >>> found = two_by_two([10, 11], [15, 18], [9, 10], [12, 13])
    >>> found.effect.value, round(found.error, 4), round(found.p_value, 4)
    (3.0, 1.7321, 0.1583)
    """
    from scipy.special import stdtr, stdtrit

    level = check_level(level)
    samples = [
        np.atleast_1d(np.asarray(each, float)).ravel()
        for each in (treated_before, treated_after, control_before, control_after)
    ]
    degrees = sum(each.size - 1 for each in samples)
    if not all(each.size and np.isfinite(each).all() for each in samples) or degrees < 1:
        raise InputError(
            "four samples of finite numbers are compared, one of them with two or more",
            f"sizes {[each.size for each in samples]}",
        )
    before, after, other_before, other_after = (float(each.mean()) for each in samples)
    value = (after - before) - (other_after - other_before)
    pooled = sum(float(((each - each.mean()) ** 2).sum()) for each in samples) / degrees
    error = float(np.sqrt(pooled * sum(1 / each.size for each in samples)))
    half = float(stdtrit(degrees, 0.5 + level / 2)) * error
    chance = 2 * float(stdtr(degrees, -abs(value) / error)) if error else float(value == 0)
    return TwoByTwo(Estimate(value, value - half, value + half, level), error, degrees, chance)
