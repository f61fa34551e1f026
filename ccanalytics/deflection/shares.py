"""Shares of the funnel, each with its denominator and its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.statistics import wilson

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["REMOVING_STAGES", "SHARES", "product_limits", "with_shares"]

# Share → what is counted, over what.
SHARES = {
    "acceptance": ("accepted", "sent"),
    "delivery": ("delivered", "accepted"),
    "completion": ("completed", "accepted"),
    "leakage": ("recontacted", "followed"),
    "gross_deflection": ("completed", "eligible"),
}

REMOVING_STAGES = ("before_call", "own_initiative")
"""Stages that can take a call away: an assist during a call does not, and a reminder answers
nobody who is calling."""


def product_limits(
    first: tuple[NDArray[np.float64], ...], second: tuple[NDArray[np.float64], ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give limits of a product of two independent shares from the limits of each.

    On logs the distances add in squares: with p in (l, u) and q in (m, v) the product's limits are
    p·q·exp(∓√(ln²(p/l) + ln²(q/m))), and likewise above (Zou & Donner 2008, Statistics in
    Medicine 27, 1693–1702). They stay within l·m and u·v. Where a share is 0, the lower limit is 0
    and the upper u·v.

    >>> low, high = product_limits((np.array([.5]), np.array([.4]), np.array([.6])),
    ...                            (np.array([1.]), np.array([1.]), np.array([1.])))
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (0.4, 0.6)
    """
    (p, p_low, p_high), (q, q_low, q_high) = first, second
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        down = np.hypot(np.log(p / p_low), np.log(q / q_low))
        up = np.hypot(np.log(p_high / p), np.log(q_high / q))
        none = (p * q) == 0
        low = np.where(none, 0.0 * p * q, p * q * np.exp(-down))
        high = np.where(none, p_high * q_high, p * q * np.exp(up))
    return low, high


def with_shares(counts: pl.DataFrame, level: float) -> pl.DataFrame:
    """Add each share with its limits; null where its denominator is 0 or unknown.

    Net deflection is gross deflection × (1 − leakage).
    """
    import polars as pl

    columns: dict[str, NDArray[np.float64]] = {}
    removes = counts["stage"].is_in(REMOVING_STAGES).to_numpy()
    for name, (top, bottom) in SHARES.items():
        x = counts[top].cast(pl.Float64).to_numpy()
        n = counts[bottom].cast(pl.Float64).to_numpy()
        known = np.isfinite(x) & np.isfinite(n) & (x <= n)
        if name == "gross_deflection":
            known &= removes
        x, n = np.where(known, x, 0), np.where(known, n, 0)
        low, high = wilson(x, n, level)
        with np.errstate(invalid="ignore"):
            columns[name] = x / n
        columns[f"{name}_low"], columns[f"{name}_high"] = low, high
    stay = tuple(1 - columns[f"leakage{end}"] for end in ("", "_high", "_low"))
    gross = tuple(columns[f"gross_deflection{end}"] for end in ("", "_low", "_high"))
    columns["net_deflection"] = gross[0] * stay[0]
    columns["net_deflection_low"], columns["net_deflection_high"] = product_limits(gross, stay)
    return counts.with_columns(
        pl.Series(name, values).fill_nan(None) for name, values in columns.items()
    )
