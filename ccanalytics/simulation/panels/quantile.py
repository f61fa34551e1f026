"""Poisson counts from standard normal deviates, so that worlds can share their luck."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["poisson_counts", "sparse_counts"]

_LARGE = 25.0
_NEAR = 0.03


def poisson_counts(z: NDArray[np.float64], rate: NDArray[np.float64]) -> NDArray[np.int64]:
    r"""Give the Poisson quantile at Φ(z): the least k with P(X ≤ k) ≥ Φ(z).

    With z standard normal, counts are exactly Poisson; with the same z and a higher rate there are
    never fewer. A series in 1/√rate gives the continuous quantile x, of which k is the whole part;
    where x lies near a whole number, or the rate is small, the distribution function decides.

    Parameters
    ----------
    z
        Standard normal deviates.
    rate
        Means, 0 or more; same shape.

    References
    ----------
    Giles (2016), Algorithm 955: approximation of the inverse Poisson cumulative distribution
    function, ACM Transactions on Mathematical Software 42, 7.

    Examples
    --------
    >>> poisson_counts(np.array([0.0, 1.0, 1.0]), np.array([100.0, 100.0, 0.0])).tolist()
    [100, 110, 0]
    """
    from scipy.special import ndtr, pdtr

    z, rate = np.broadcast_arrays(z, rate)
    safe = np.maximum(rate, 1.0)
    root = np.sqrt(safe)
    w2 = z * z
    x = rate + root * z + (2 + w2) / 6
    x += (-z / 36 - z * w2 / 72) / root + (-8 / 405 + 7 * w2 / 810 + w2 * w2 / 270) / safe
    count = np.floor(x)
    part = x - count
    doubt = (part < _NEAR) | (part > 1 - _NEAR) | (rate < _LARGE) | (w2 > 20)
    count = np.maximum(count, 0)
    at = np.nonzero(doubt)
    if at[0].size:
        u, mean, k = ndtr(z[at]), rate[at], count[at]
        while (low := pdtr(k, mean) < u).any():
            k[low] += 1
        while (high := (k > 0) & (pdtr(np.maximum(k - 1, 0), mean) >= u)).any():
            k[high] -= 1
        count[at] = k
    return count.astype(np.int64)


def sparse_counts(u: NDArray[np.float64], rate: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give the Poisson quantile at u (0 ≤ u < 1) where rates are small: most counts are 0.

    Examples
    --------
    >>> sparse_counts(np.array([0.5, 0.95, 0.999]), np.array([0.1, 0.1, 0.1])).tolist()
    [0, 1, 2]
    """
    u, rate = np.broadcast_arrays(u, rate)
    count = np.zeros(u.shape, np.int64)
    at = np.nonzero(u > np.exp(-rate))
    left, mean = u[at], rate[at]
    term = np.exp(-mean)
    reached, k = term.copy(), np.zeros(left.size, np.int64)
    # A term that no longer adds anything ends the sum also where rounding keeps it below u.
    while (more := (reached < left) & ((k < mean) | (term > 1e-18))).any():
        k[more] += 1
        term[more] *= mean[more] / k[more]
        reached[more] += term[more]
    count[at] = k
    return count
