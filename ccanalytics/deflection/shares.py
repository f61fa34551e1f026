"""Shares of the funnel, each with its denominator and its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.statistics import wilson

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["REMOVING_STAGES", "SHARES", "SQUARES", "design_effect", "product_limits", "with_shares"]

# Share → what is counted, over what.
SHARES = {
    "acceptance": ("accepted", "sent"),
    "delivery": ("delivered", "accepted"),
    "completion": ("completed", "accepted"),
    "leakage": ("recontacted", "followed"),
    "gross_deflection": ("completed", "eligible"),
    "failed_recontact": ("failed_recontacted", "failed_followed"),
}

# Shares whose sums of squares by customer ``CallLog.self_service`` gives.
_BY_CUSTOMER = ("acceptance", "completion", "leakage", "failed_recontact")
SQUARES = tuple(f"{share}_{part}" for share in _BY_CUSTOMER for part in ("nn", "xn", "xx"))

REMOVING_STAGES = ("before_call", "own_initiative")
"""Stages that can take a call away: an assist during a call does not, and a reminder answers
nobody who is calling."""


def design_effect(x: Any, n: Any, nn: Any, xn: Any, xx: Any) -> NDArray[np.float64]:
    """Give how much further a share strays because a customer's contacts are alike: 1 or more.

    With x_c of n_c at customer c and p = Σx_c/Σn_c: Σ(x_c − p·n_c)² over n·p·(1 − p). Where the
    share is 0 or 1, nothing shows how alike they are, and all of a customer's contacts are taken to
    be: Σn_c²/n. An interval is then that of x and n divided by it (Kish 1965, Survey Sampling).

    >>> design_effect(20, 40, 80, 40, 40).item()  # pairs, and both of a pair do the same
    2.0
    """
    x, n, nn, xn, xx = (np.asarray(each, float) for each in (x, n, nn, xn, xx))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = x / n
        plain = n * p * (1 - p)
        found = np.where(plain > 0, (xx - 2 * p * xn + p * p * nn) / plain, nn / n)
    return np.maximum(np.nan_to_num(found, nan=1.0), 1.0)


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

    Net deflection is gross deflection × (1 − leakage). Limits are Wilson's, widened by the
    `design_effect` where the counts have the sums of squares by customer; that of gross deflection
    is of its completed contacts, which are few among the eligible: Σc²/Σc.
    """
    import polars as pl

    columns: dict[str, NDArray[np.float64]] = {}
    removes = counts["stage"].is_in(REMOVING_STAGES).to_numpy()
    for name, (top, bottom) in SHARES.items():
        if top not in counts.columns:
            continue
        x = counts[top].cast(pl.Float64).to_numpy()
        n = counts[bottom].cast(pl.Float64).to_numpy()
        known = np.isfinite(x) & np.isfinite(n) & (x <= n)
        if name == "gross_deflection":
            known &= removes
        x, n = np.where(known, x, 0), np.where(known, n, 0)
        alike = _alike(counts, name, x, n)
        low, high = wilson(x / alike, n / alike, level)
        with np.errstate(invalid="ignore"):
            columns[name] = x / n
        columns[f"{name}_low"], columns[f"{name}_high"] = low, high
    stay = tuple(1 - columns[f"leakage{end}"] for end in ("", "_high", "_low"))
    gross = tuple(columns[f"gross_deflection{end}"] for end in ("", "_low", "_high"))
    columns["net_deflection"] = gross[0] * stay[0]
    columns["net_deflection_low"], columns["net_deflection_high"] = product_limits(gross, stay)
    return counts.drop(SQUARES, strict=False).with_columns(
        pl.Series(name, values).fill_nan(None) for name, values in columns.items()
    )


def _alike(
    counts: pl.DataFrame, share: str, x: NDArray[np.float64], n: NDArray[np.float64]
) -> NDArray[np.float64]:
    if share == "gross_deflection" and "completion_xx" in counts.columns:
        squares = counts["completion_xx"].to_numpy().astype(float)
        return np.maximum(squares / np.maximum(x, 1), 1.0)
    if f"{share}_xx" not in counts.columns:
        return np.ones_like(x)
    return design_effect(
        x, n, *(counts[f"{share}_{part}"].to_numpy() for part in ("nn", "xn", "xx"))
    )
