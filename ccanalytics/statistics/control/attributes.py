"""Charts of shares (p) and rates (u), their limits widened to what days really do (Laney)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check
from ccanalytics.statistics.control.chart import (
    ControlChart,
    baseline_of,
    points_of,
    spread_of,
    stated,
)
from ccanalytics.statistics.control.individuals import neighbours
from ccanalytics.statistics.control.run_length import shewhart_run_length, with_estimates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["rates", "shares"]

_SIGMAS = 3.0


def shares(
    counts: Any,
    sizes: Any,
    *,
    at: Sequence[Any] | None = None,
    baseline: int | None = None,
    laney: bool = True,
    what: str = "The share",
) -> ControlChart:
    """Chart shares (p, or p′ with Laney's correction).

    With p̄ the share of all baseline points together and σᵢ = √(p̄(1 − p̄)/nᵢ), limits are
    p̄ ± 3·σᵢ·σ_z; σ_z is the spread of zᵢ = (pᵢ − p̄)/σᵢ by moving ranges, 1 in a plain p chart.
    Calls are over-dispersed: with thousands a day plain limits would call most days a signal.

    Parameters
    ----------
    counts, sizes
        Per point: how many, of how many; a point with size 0 must be left out before.
    at, baseline, what
        As :func:`individuals` takes them.
    laney
        Whether limits are widened (or narrowed) by σ_z.

    Raises
    ------
    InputError
        Counts above sizes, sizes of 0, numbers that are not finite, too few points.
    DataError
        A baseline in which the share is 0 or 1 throughout.

    References
    ----------
    Laney (2002), Improved control charts for attributes, Quality Engineering 14(4).

    Examples
    --------
    >>> found = shares([12, 9, 11, 10, 8, 12, 11, 9, 10, 10, 30], [100] * 11, baseline=10)
    >>> found.signals["at"].to_list()
    [10]
    """
    k, beside = points_of(counts, at, "counts")
    n, _ = points_of(sizes, beside, "sizes")
    _check_sizes(k, n, most=True)
    used = baseline_of(k.size, baseline)
    centre = float(k[used].sum() / n[used].sum())
    return _chart(
        k / n, centre, np.sqrt(centre * (1 - centre) / n), beside, used, laney, what,
        ("p", "sizes"), 1.0,
    )  # fmt: skip


def rates(
    counts: Any,
    exposures: Any,
    *,
    at: Sequence[Any] | None = None,
    baseline: int | None = None,
    laney: bool = True,
    what: str = "The rate",
) -> ControlChart:
    """Chart rates (u, or u′ with Laney's correction), such as complaints per 1,000 calls.

    As :func:`shares`, with σᵢ = √(ū/nᵢ): a unit of exposure may bring more than one.

    Parameters
    ----------
    counts, exposures
        Per point: events, and units of exposure (calls, days, subscribers), above 0.
    at, baseline, laney, what
        As :func:`shares` takes them.

    Examples
    --------
    >>> found = rates([12, 9, 11, 10, 8, 12, 11, 9, 10, 10, 30], [2.5] * 11, baseline=10)
    >>> found.frame["centre"][0], found.signals["at"].to_list()
    (4.08, [10])
    """
    k, beside = points_of(counts, at, "counts")
    n, _ = points_of(exposures, beside, "exposures")
    _check_sizes(k, n, most=False)
    used = baseline_of(k.size, baseline)
    centre = float(k[used].sum() / n[used].sum())
    return _chart(
        k / n, centre, np.sqrt(centre / n), beside, used, laney, what, ("u", "exposures"), np.inf
    )


def _check_sizes(k: Floats, n: Floats, *, most: bool) -> None:
    name = "sizes" if most else "exposures"
    for wrong, why in (
        (n <= 0, f"{name} are above 0"),
        (k < 0, "counts are 0 or more"),
        ((k > n) & most, "a share counts no more than there are"),
    ):
        if wrong.any():
            i = int(np.flatnonzero(wrong)[0])
            raise InputError(why, f"point {i}: {k[i]:g} of {n[i]:g}", "leave the point out")


def _chart(
    y: Floats, centre: float, sigma: Floats, at: list[Any], used: NDArray[np.bool_], laney: bool,
    what: str, names: tuple[str, str], most: float,
) -> ControlChart:  # fmt: skip
    if not sigma.all():
        raise DataError(
            "nothing moves in the baseline, so there are no limits",
            f"the {'share' if most == 1 else 'rate'} is {centre:g} throughout",
            "take a longer one",
        )
    z = (y - centre) / sigma
    widened = spread_of(np.diff(z[used])) if laney else 1.0
    if not widened:
        raise DataError("nothing moves in the baseline, so there are no limits", f"{centre:g}")
    half = _SIGMAS * sigma * widened
    name = names[0] + ("′" if laney else "")
    checks = neighbours(z[used])
    if laney and not 0.8 <= widened <= 1.25:
        checks = (
            *checks,
            Check(
                "differences between days", "informs",
                f"points differ by {widened:.2f} times what the chance of single calls brings; "
                "limits allow for it",
            ),
        )  # fmt: skip
    count = int(used.sum())
    return ControlChart(
        what=what,
        frame=stated(
            at, y, centre, np.maximum(centre - half, 0.0), np.minimum(centre + half, most),
            (y - centre) / half, used,
        ),
        baseline=count,
        run_length=shewhart_run_length(_SIGMAS),
        false_every=with_estimates(
            lambda scale, shift: shewhart_run_length(_SIGMAS * scale, shift), count
        ),
        method=(
            f"{name} chart: centre {centre:,.4g}, limits 3 standard deviations to either side"
            + (f", widened {widened:.2f} times (Laney)" if laney else "")
            + f", from {count} points."
        ),
        inputs={"baseline": count, "laney": laney, "what": what},
        checks=checks,
    )  # fmt: skip
