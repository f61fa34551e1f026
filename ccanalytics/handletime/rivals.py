"""The lognormal law beside its rivals: which law handle times follow most closely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ccanalytics.handletime.valuecounts import ValueCounts

    Floats = NDArray[np.float64]

__all__ = ["Fit", "fits"]


@dataclass(frozen=True)
class Fit:
    """A law fitted by maximum likelihood: its name, its mean in seconds, and its distance.

    ``ks`` is the largest distance between the law and the counted shares (Kolmogorov–Smirnov).
    """

    law: str
    mean_s: float
    ks: float


def fits(times: ValueCounts, floor_s: float) -> tuple[Fit, ...]:
    """Fit lognormal, gamma, Weibull and exponential laws; the closest first.

    Calls from ``floor_s`` seconds on; lognormal, gamma and Weibull begin at 0, the exponential at
    the floor. Empty below two calls or without spread.

    Parameters
    ----------
    times
        Calls by whole seconds.
    floor_s
        Seconds from which calls are taken, above 0.

    Examples
    --------
    >>> from ccanalytics.handletime.valuecounts import ValueCounts
    >>> seconds = np.arange(11.0, 400)
    >>> times = ValueCounts(seconds, 1e4 * np.exp(-(seconds - 10) / 60))
    >>> fits(times, 10)[0].law
    'exponential'
    """
    from scipy.special import ndtr

    long = times.from_(floor_s)
    if long.size < 2 or long.seconds.size < 2:
        return ()
    n, seconds, calls = long.calls.sum(), long.seconds, long.calls
    logs = np.log(seconds)
    mean, log_mean = float(seconds @ calls / n), float(logs @ calls / n)
    log_sd = float(np.sqrt(((logs - log_mean) ** 2) @ calls / (n - 1)))
    past = max(mean - floor_s, np.finfo(float).tiny)
    upto = np.cumsum(calls) / n

    def told(name: str, law_mean: float, share: Floats) -> Fit:
        far = max(np.abs(upto - share).max(), np.abs(upto - calls / n - share).max())
        return Fit(name, law_mean, float(far))

    found = [
        told(
            "lognormal", float(np.exp(log_mean + log_sd**2 / 2)), ndtr((logs - log_mean) / log_sd)
        ),
        told("gamma", mean, _gamma(seconds, mean, log_mean)),
        told("exponential", floor_s + past, -np.expm1(-(seconds - floor_s) / past)),
        told("Weibull", *_weibull(seconds, logs, calls / n)),
    ]
    return tuple(sorted(found, key=lambda fit: fit.ks))


def _gamma(seconds: Floats, mean: float, log_mean: float) -> Floats:
    """Shape k solves log k − ψ(k) = log mean − mean log."""
    from scipy.special import digamma, gammainc

    gap = np.log(mean) - log_mean
    shape = _root(lambda k: np.log(k) - digamma(k) - gap, 1e-3, 1e6)
    return np.asarray(gammainc(shape, seconds * shape / mean))


def _weibull(seconds: Floats, logs: Floats, share: Floats) -> tuple[float, Floats]:
    """Shape k solves Σp·sᵏ·log s / Σp·sᵏ − 1/k = Σp·log s; seconds over their largest."""
    from scipy.special import gamma

    top = float(seconds.max())
    relative, inner = seconds / top, logs - np.log(top)

    def off(k: float) -> float:
        powers = share * relative**k
        return float(powers @ inner / powers.sum() - 1 / k - share @ inner)

    shape = _root(off, 1e-2, 1e3)
    scale = top * float(share @ relative**shape) ** (1 / shape)
    return scale * float(gamma(1 + 1 / shape)), -np.expm1(-((seconds / scale) ** shape))


def _root(function: Callable[[float], Any], low: float, high: float) -> float:
    from scipy.optimize import brentq

    below, above = function(low), function(high)
    if np.sign(below) == np.sign(above):  # a law beyond what handle times can be
        return low if abs(below) < abs(above) else high
    return float(brentq(function, low, high, xtol=1e-12, rtol=1e-12))
