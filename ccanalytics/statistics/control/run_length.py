"""How many points a control chart runs until it signals, on average, by its integral equation."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["cusum_run_length", "ewma_run_length", "shewhart_run_length", "with_estimates"]

_NODES = 48


def shewhart_run_length(limit: float = 3.0, shift: float = 0.0) -> float:
    """Points to a signal outside ±``limit`` standard deviations, independent normal points.

    >>> round(shewhart_run_length(3), 1)
    370.4
    """
    from scipy.special import ndtr

    limit, shift = _positive("limit", limit), _finite("shift", shift)
    chance = float(ndtr(shift - limit) + ndtr(-limit - shift))
    return 1 / chance if chance else math.inf


@lru_cache(maxsize=256)
def cusum_run_length(reference: float, limit: float, shift: float = 0.0) -> float:
    """Points to a signal of a two-sided CUSUM of independent standard normal points.

    With S' = max(0, S + x − k), the mean run length from z solves (Page 1954)
    L(z) = 1 + L(0)·Φ(k − z − δ) + ∫₀ʰ L(s)·φ(s + k − z − δ) ds, by Gauss–Legendre quadrature;
    both sides together run 1/(1/L⁺ + 1/L⁻) points (van Dobben de Bruyn 1968).

    Parameters
    ----------
    reference, limit
        k and h, in standard deviations.
    shift
        δ, of the mean, in standard deviations.

    Raises
    ------
    InputError
        Limits that are not above 0, or a shift that is not finite.

    Examples
    --------
    >>> round(cusum_run_length(0.5, 5), 2), round(cusum_run_length(0.5, 5, 1.0), 2)
    (465.44, 10.38)
    """
    k, h = _positive("reference", reference), _positive("limit", limit)
    shift = _finite("shift", shift)
    up, down = (_one_sided(k, h, signed) for signed in (shift, -shift))
    return 1 / (1 / up + 1 / down)


def _one_sided(k: float, h: float, shift: float) -> float:
    from scipy.special import ndtr

    nodes, weights = _legendre(0.0, h)
    start = np.append(0.0, nodes)
    matrix = np.eye(start.size)
    matrix[:, 0] -= ndtr(k - start - shift)
    matrix[:, 1:] -= weights * _density(nodes[None, :] + k - start[:, None] - shift)
    return float(np.linalg.solve(matrix, np.ones(start.size))[0])


@lru_cache(maxsize=256)
def ewma_run_length(weight: float, limit: float, shift: float = 0.0) -> float:
    """Points to a signal of an EWMA of independent standard normal points, constant limits.

    With z' = (1 − λ)z + λx and limits ±L·√(λ/(2 − λ)), the mean run length from z solves
    (Crowder 1987) L(z) = 1 + (1/λ)·∫ L(s)·φ((s − (1 − λ)z)/λ − δ) ds over the limits.

    Parameters
    ----------
    weight
        λ, above 0 and at most 1.
    limit
        L, in standard deviations of z.
    shift
        δ, of the mean, in standard deviations of a point.

    Examples
    --------
    >>> round(ewma_run_length(0.1, 2.703), 1), round(ewma_run_length(0.1, 2.703, 1.0), 2)
    (371.9, 9.75)
    """
    weight, limit, shift = (
        _positive("weight", weight), _positive("limit", limit), _finite("shift", shift),
    )  # fmt: skip
    if weight > 1:
        raise InputError("the weight of the newest point is at most 1", f"weight={weight:g}", "0.1")
    edge = limit * math.sqrt(weight / (2 - weight))
    nodes, weights = _legendre(-edge, edge)
    start = np.append(0.0, nodes)
    matrix = np.eye(start.size)
    step = (nodes[None, :] - (1 - weight) * start[:, None]) / weight - shift
    matrix[:, 1:] -= weights * _density(step) / weight
    return float(np.linalg.solve(matrix, np.ones(start.size))[0])


def with_estimates(run_length: Callable[[float, float], float], points: int) -> float:
    """Points between false signals where centre and spread were estimated from a few points.

    ``run_length(scale, shift)`` gives them for limits ``scale`` times as wide about a centre that
    is off by ``shift`` standard deviations. The mean of ``points`` normal points is off by
    1/√m; σ from moving ranges has the relative variance (0.8264·m − 1.082)/(m − 1)² (Cryer & Ryan
    1990). False signals, 1/L, are averaged over both by Gauss–Hermite quadrature.

    >>> round(with_estimates(lambda scale, shift: shewhart_run_length(3 * scale, shift), 50))
    239
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(7)
    weights = weights / weights.sum()
    off = 1 / math.sqrt(points)
    wide = math.sqrt((0.8264 * points - 1.082) / (points - 1) ** 2)
    chance = 0.0
    for a, some in zip(nodes, weights, strict=True):
        for b, more in zip(nodes, weights, strict=True):
            scale = max(1 + wide * float(b), 0.05)
            chance += some * more / run_length(scale, off * float(a))
    return 1 / float(chance)


def _legendre(low: float, high: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = (high - low) / 2
    return low + half * (nodes + 1), half * weights


def _density(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


def _positive(name: str, value: float) -> float:
    number = _finite(name, value)
    if not 0 < number <= 50:
        raise InputError("this must be above 0, and 50 at most", f"{name}={value!r}", "such as 0.5")
    return number


def _finite(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise InputError("this must be a number", f"{name}={value!r}")
    number = float(value)
    if not math.isfinite(number):
        raise InputError("this must be finite", f"{name}={value!r}")
    return number
