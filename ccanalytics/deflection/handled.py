"""Handle time of some calls against others of the same services."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.results import Estimate
from ccanalytics.statistics.checking import normal_quantile

if TYPE_CHECKING:
    import polars as pl

__all__ = ["longer_by"]

_FEWEST = 2  # calls of a side, without which its spread is unknown


def longer_by(rows: pl.DataFrame, level: float) -> tuple[Estimate, int] | None:
    """Give the difference of mean handle time, service by service, in seconds.

    d = Σ w_s·(ā_s − b̄_s), w_s the share of touched calls that service s has, with the variance
    Σ w_s²·(s²_a/n_a + s²_b/n_b): what other services are called about does not count as longer
    calls. Services with fewer than two calls on a side are left out.

    Parameters
    ----------
    rows
        ``touched``, ``touched_s`` (seconds), ``touched_ss`` (sum of squares) and the same of
        ``others``, a row per service.

    Returns
    -------
    (Estimate, int) or None
        The difference, and the touched calls it rests on; None where no service has both.
    """
    usable = rows.filter((rows["touched"] >= _FEWEST) & (rows["others"] >= _FEWEST))
    if not usable.height:
        return None
    parts = {}
    for who in ("touched", "others"):
        n, total, squares = (
            usable[f"{who}{end}"].to_numpy().astype(float) for end in ("", "_s", "_ss")
        )
        mean = total / n
        parts[who] = n, mean, np.maximum(squares - n * mean * mean, 0) / (n - 1)
    (n, mean, spread), (m, other, other_spread) = parts["touched"], parts["others"]
    weight = n / n.sum()
    value = float(weight @ (mean - other))
    error = float(np.sqrt(weight**2 @ (spread / n + other_spread / m)))
    half = normal_quantile(level) * error
    return Estimate(value, value - half, value + half, level), int(n.sum())
