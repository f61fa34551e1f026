"""The lognormal law of handle times, fitted to whole seconds from a floor on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.handletime.valuecounts import ValueCounts

__all__ = ["Lognormal", "fit_lognormal"]


@dataclass(frozen=True)
class Lognormal:
    """Mean and standard deviation of log seconds, and how far the law is from the calls.

    ``ks`` is the largest distance between the two distribution functions (Kolmogorov–Smirnov), in
    points of share.
    """

    log_mean: float
    log_sd: float
    ks: float

    @property
    def mean_s(self) -> float:
        """Mean of the law, exp(m + s²/2): the smearing that takes a mean of logs to seconds."""
        return math.exp(self.log_mean + self.log_sd**2 / 2)

    @property
    def median_s(self) -> float:
        """Median of the law, exp(m)."""
        return math.exp(self.log_mean)

    def cdf(self, seconds: Any) -> NDArray[np.float64]:
        """Give the share of calls that take at most ``seconds`` by the law."""
        from scipy.special import ndtr

        with np.errstate(divide="ignore"):
            logs = np.log(np.asarray(seconds, dtype=float))
        return np.asarray(ndtr((logs - self.log_mean) / self.log_sd))


def fit_lognormal(times: ValueCounts, floor_s: float) -> Lognormal | None:
    """Fit log seconds of at least ``floor_s``; None below two calls or without spread.

    Whole seconds bring ties: the distance is taken at each distinct second, against the share of
    calls up to and with it and against the share below it. No p-value is given, since with rounded
    seconds and thousands of calls every law is "rejected"; the distance says how far it is off.

    Examples
    --------
    >>> from ccanalytics.handletime.valuecounts import ValueCounts
    >>> law = fit_lognormal(ValueCounts(np.array([50.0, 100, 200]), np.ones(3)), floor_s=10)
    >>> round(law.median_s, 6), round(law.log_sd, 4)
    (100.0, 0.6931)
    """
    long = times.from_(floor_s)
    if long.size < 2 or long.seconds.size < 2:
        return None
    n, logs = long.size, np.log(long.seconds)
    mean = float(logs @ long.calls / n)
    sd = math.sqrt(float(((logs - mean) ** 2) @ long.calls / (n - 1)))
    law = Lognormal(mean, sd, math.nan)
    upto = np.cumsum(long.calls) / n
    share = law.cdf(long.seconds)
    ks = float(max(np.abs(upto - share).max(), np.abs(upto - long.calls / n - share).max()))
    return Lognormal(mean, sd, ks)
