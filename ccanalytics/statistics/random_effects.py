"""Random effects: what many estimates say of one that is yet to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["RandomEffects", "random_effects"]

_GRID = 80


@dataclass(frozen=True, eq=False)
class RandomEffects:
    """A line through effects that differ truly and by chance.

    Attributes
    ----------
    beta, covariance
        Coefficients and their covariance (Knapp & Hartung).
    between
        Variance of true effects about the line.
    between_next
        The same for a forecast: its mean given the effects, with all spreads alike beforehand.
        Chance may hide a spread wholly, and a forecast must not trust a 0.
    degrees
        Degrees of freedom: effects less coefficients.
    shrunk, shrunk_variance
        Each effect drawn to the line, by as much as chance moved it.
    """

    beta: Floats
    covariance: Floats
    between: float
    between_next: float
    degrees: int
    shrunk: Floats
    shrunk_variance: Floats

    def predict(self, x: Any) -> tuple[Floats, Floats]:
        """Give mean and variance of true effects that are not among them, one per row of x."""
        rows = np.asarray(x, float)
        of_line = np.einsum("ij,jk,ik->i", rows, self.covariance, rows)
        return rows @ self.beta, of_line + self.between_next


def random_effects(effects: Any, variances: Any, x: Any) -> RandomEffects:
    """Fit y_i = x_i β + u_i + e_i, var(u) the same for all and var(e_i) known.

    The variance between, ω², is the one at which Σ (y_i − x_i β)²/(ω² + v_i) equals its expectation
    n − p (Paule & Mandel 1982, Journal of Research of the National Bureau of Standards 87); the
    covariance of β is scaled by the mean square that is left, no less than 1 (Knapp & Hartung
    2003, Statistics in Medicine 22), and used with Student's t.

    Parameters
    ----------
    effects, variances
        Estimates and their squared standard errors.
    x
        Rows of covariates, the constant among them.

    Raises
    ------
    InputError
        Shapes that do not fit, a variance that is not above 0.
    DataError
        No more effects than coefficients, or covariates that cannot be told apart.

    The forecast's variance is a mean over ω by the restricted likelihood (Gelman 2006, Bayesian
    Analysis 1, on the flat prior).

    Examples
    --------
    >>> found = random_effects([1.0, 2.0, 3.0], [1e-9] * 3, [[1.0]] * 3)
    >>> round(float(found.beta[0]), 6), round(found.between, 6)
    (2.0, 1.0)
    """
    y, v, rows = (np.asarray(each, float) for each in (effects, variances, x))
    if y.ndim != 1 or v.shape != y.shape or rows.shape[:1] != y.shape or rows.ndim != 2:
        raise InputError(
            "effects, variances and rows of x do not fit each other",
            f"{y.shape}, {v.shape}, {rows.shape}",
        )
    if not (np.isfinite(y).all() and np.isfinite(v).all() and (v > 0).all()):
        raise InputError("variances are finite and above 0, effects finite", "variances")
    n, p = rows.shape
    if n <= p or np.linalg.matrix_rank(rows) < p:
        raise DataError(
            "there are too few effects for so many coefficients", f"{n} effects, {p} coefficients"
        )
    between = _between(y, v, rows)
    weight = 1 / (between + v)
    beta, bread = _line(y, weight, rows)
    left = float(weight @ (y - rows @ beta) ** 2) / (n - p)
    covariance = bread * max(left, 1.0)
    pull = between / (between + v)
    mean = rows @ beta
    of_line = np.einsum("ij,jk,ik->i", rows, covariance, rows)
    return RandomEffects(
        beta=beta,
        covariance=covariance,
        between=between,
        between_next=max(_likely(y, v, rows), between),
        degrees=n - p,
        shrunk=pull * y + (1 - pull) * mean,
        shrunk_variance=pull * v + (1 - pull) ** 2 * of_line,
    )


def _line(y: Floats, weight: Floats, rows: Floats) -> tuple[Floats, Floats]:
    bread = np.asarray(np.linalg.inv(rows.T @ (weight[:, None] * rows)), float)
    return bread @ (rows.T @ (weight * y)), bread


def _likely(y: Floats, v: Floats, rows: Floats) -> float:
    """Mean of ω² by its restricted likelihood, with a flat prior on ω."""
    tried = np.linspace(0, 3 * max(float(np.std(y)), 1e-9), _GRID)
    logs = np.empty(_GRID)
    for k, spread in enumerate(tried):
        weight = 1 / (spread**2 + v)
        beta, bread = _line(y, weight, rows)
        left = float(weight @ (y - rows @ beta) ** 2)
        logs[k] = (np.log(weight).sum() + np.linalg.slogdet(bread)[1] - left) / 2
    share = np.exp(logs - logs.max())
    return float(share @ tried**2 / share.sum())


def _between(y: Floats, v: Floats, rows: Floats) -> float:
    from scipy.optimize import brentq

    def excess(between: float) -> float:
        weight = 1 / (between + v)
        beta, _ = _line(y, weight, rows)
        return float(weight @ (y - rows @ beta) ** 2) - (len(y) - rows.shape[1])

    if excess(0.0) <= 0:
        return 0.0
    high = float(np.var(y)) + float(v.max())
    while excess(high) > 0:
        high *= 2
    return float(brentq(excess, 0.0, high, xtol=1e-12, rtol=1e-9))
