"""A level that wanders beside a regressor: fitted to one series, drawn forward.

log calls = μ + β·x + ε with μ a random walk. Given the ratio q of the walk's variance to the
noise's this is a regression with a known covariance, so that a table of ratios answers all at once;
statsmodels' UnobservedComponents finds the same best ratio (a test compares) by a search that takes
a quarter of a second a series, and 40 series at one go are usual.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["LocalLevel", "fit_local_level"]

_RATIOS = np.concatenate([[0.0], np.logspace(-4, 2, 49)])
_LEAST = 0.005  # of the weight: rarer ratios are not drawn


@dataclass(frozen=True, eq=False)
class LocalLevel:
    """A fitted series and what it foretells.

    Attributes
    ----------
    ratio, noise, slope
        The likeliest q; variance of ε and β at it.
    misses
        What each week differed from what the weeks before it foretold, in standard errors.
    mean
        Weeks foretold: expected exp(y).
    draws
        Draws × weeks foretold, of exp(y).
    """

    ratio: float
    noise: float
    slope: float
    misses: Floats
    mean: Floats
    draws: Floats


def fit_local_level(y: Floats, x: Floats, draws: int, rng: np.random.Generator) -> LocalLevel:
    """Fit ``y`` on the first weeks of ``x`` and foretell the rest of them.

    Level and slope are diffuse, so that their likelihood is the restricted one. Draws take ratios
    by their likelihood, flat on the logarithm: a short series does not know whether its level
    wanders, and the best ratio alone would promise too much.
    """
    n, span = y.size, x.size
    white = _whitening(_round_up(span))[:, :n, :n]
    logdet = -2 * np.log(np.diagonal(white, axis1=1, axis2=2)).sum(axis=1)
    design = np.column_stack([np.ones(span), x])
    xw, yw = white @ design[:n], white @ y
    gram = np.einsum("qti,qtj->qij", xw, xw)
    beta = np.linalg.solve(gram, np.einsum("qti,qt->qi", xw, yw)[..., None])[..., 0]
    rest = yw - np.einsum("qti,qi->qt", xw, beta)
    squares = np.maximum((rest**2).sum(axis=1), 1e-12)
    fit = -((n - 2) * np.log(squares) + logdet + np.linalg.slogdet(gram)[1]) / 2
    noise = squares / (n - 2)
    weight = np.exp(fit - fit.max())
    weight /= weight.sum()
    weight[weight < _LEAST] = 0.0
    weight /= weight.sum()
    number = np.arange(1.0, span + 1)
    walk = np.minimum(number[:, None], number[None, :])
    mean, paths = np.zeros(span - n), []
    share = np.diff(np.round(np.concatenate([[0], np.cumsum(weight)]) * draws)).astype(int)
    for k in np.flatnonzero(weight):
        q = _RATIOS[k]
        carried = white[k] @ (q * walk[:n, n:])
        middle = design[n:] @ beta[k] + carried.T @ rest[k]
        open_ = design[n:] - carried.T @ xw[k]
        spread = np.eye(span - n) + q * walk[n:, n:] - carried.T @ carried
        spread += open_ @ np.linalg.solve(gram[k], open_.T)
        root = np.linalg.cholesky(noise[k] * spread + 1e-12 * np.eye(span - n))
        mean += weight[k] * np.exp(middle + noise[k] / 2)
        paths.append(middle + rng.standard_normal((share[k], span - n)) @ root.T)
    best = int(fit.argmax())
    return LocalLevel(
        ratio=float(_RATIOS[best]),
        noise=float(noise[best]),
        slope=float(beta[best, 1]),
        misses=rest[best] / np.sqrt(noise[best]),
        mean=mean,
        draws=np.exp(np.concatenate(paths)),
    )


def _round_up(span: int) -> int:
    return -(-span // 52) * 52


@lru_cache(maxsize=4)
def _whitening(span: int) -> Floats:
    """Inverse Cholesky factors by ratio; those of fewer weeks are their upper left corners."""
    number = np.arange(1.0, span + 1)
    walk = np.minimum(number[:, None], number[None, :])
    factor = np.linalg.cholesky(np.eye(span) + _RATIOS[:, None, None] * walk)
    return np.asarray(np.tril(np.linalg.inv(factor)))
