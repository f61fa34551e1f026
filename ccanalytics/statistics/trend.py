"""A straight line through a series of weeks, with errors that allow for autocorrelation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Estimate
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.newey_west import Correction, correction, lag_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Line", "line"]


@dataclass(frozen=True, eq=False)
class Line:
    """A fitted line: its slope per step, and its height with limits at each point."""

    slope: Estimate
    fitted: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    lags: int
    corrected: Correction


def line(values: Any, at: Any = None, level: float = 0.95) -> Line:
    """Fit a line by least squares, with corrected Newey–West errors.

    Parameters
    ----------
    values
        One number per step.
    at
        Time of each value in steps, rising; default 0, 1, 2, …
    level
        Of the intervals, 0–1. The band is for each point by itself.

    Raises
    ------
    InputError
        Values or times that are not finite, of different lengths, or not rising.
    DataError
        Fewer than four values.

    Examples
    --------
    >>> round(line([1.0, 1.5, 2.0, 2.5, 3.0]).slope.value, 6)
    0.5
    """
    from statsmodels.regression.linear_model import OLS

    level = check_level(level)
    y = np.asarray(values, dtype=float)
    x = np.arange(y.size, dtype=float) if at is None else np.asarray(at, dtype=float)
    if y.ndim != 1 or x.shape != y.shape:
        raise InputError("values and times need one length", f"{y.shape} and {x.shape}", "")
    if not (np.isfinite(y).all() and np.isfinite(x).all() and (np.diff(x) > 0).all()):
        raise InputError("values must be finite and times must rise", "values, at", "")
    if y.size < 4:
        raise DataError("a line needs at least four points", f"{y.size} given", "take more weeks")
    design = np.column_stack([np.ones(y.size), x - x.mean()])
    lags = lag_for(y.size)
    found = OLS(y, design).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
    beta, covariance = np.asarray(found.params), np.asarray(found.cov_params())
    fixed = correction(design, np.asarray(found.resid), np.array([0.0, 1.0]), lags, at=x)
    deviate = fixed.quantile(level) * np.sqrt(fixed.scale)
    half = deviate * np.sqrt(covariance[1, 1])
    fitted = design @ beta
    spread = deviate * np.sqrt(np.einsum("ij,jk,ik->i", design, covariance, design))
    return Line(
        slope=Estimate(float(beta[1]), float(beta[1] - half), float(beta[1] + half), level),
        fitted=fitted,
        low=fitted - spread,
        high=fitted + spread,
        lags=lags,
        corrected=fixed,
    )
