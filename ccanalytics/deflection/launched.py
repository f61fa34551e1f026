"""What each launch did: the ratio of calls that came to those foretold, service by service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError
from ccanalytics.statistics.effects.two_way import fitted, told_apart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Launched", "launched"]

_FEWEST_CONTROLS = 3  # units without the channel in a week, below which it foretells nothing


@dataclass(frozen=True, eq=False)
class Launched:
    """Log ratios of the units that could be estimated, and why the others could not.

    Attributes
    ----------
    at
        Positions of the estimated units.
    log, variance
        Log of counted over foretold calls, and its squared standard error.
    foretold
        Calls a week that would have come, over the weeks that count.
    weeks
        How many these are.
    left_out
        Position → reason, of units that went live and are not estimated.
    mixed
        Names of other changes that could not be told apart and were not held apart.
    """

    at: Ints
    log: Floats
    variance: Floats
    foretold: Floats
    weeks: Ints
    left_out: dict[int, str]
    mixed: tuple[str, ...]


def launched(
    calls: Floats,
    live: Ints,
    others: dict[str, Floats],
    *,
    min_weeks: int,
    settle_weeks: int,
) -> Launched:
    """Compare each unit, once live, with what units that were not live foretell.

    On cells without the channel log E[calls] = unit + week (+ other changes), Poisson, as
    `ccanalytics.statistics.effects.staggered` fits it. The variance of a log ratio is that of the
    weeks after, of the weeks before on which the unit's level rests, and of the weeks' levels:
    1/μ + τ² a week, with τ² and the correlation of neighbouring weeks from the untreated cells of
    all units together.

    Parameters
    ----------
    calls
        Units × weeks.
    live
        Week in which each unit went live; below 0 for earlier, ``NEVER`` for none.
    others
        Name → units × weeks: share of days on which another change was live.
    min_weeks, settle_weeks
        Fewest weeks before; weeks after going live that are left out, while use still grows.

    Raises
    ------
    DataError
        No unit could be estimated.
    """
    size, weeks = calls.shape
    event = np.arange(weeks)[None, :] - live[:, None]
    untreated = ((event < 0) & (live >= 0)[:, None]).astype(float)
    enough = untreated.sum(axis=0) >= _FEWEST_CONTROLS
    usable = untreated * calls.sum(axis=1, keepdims=True).astype(bool)
    after = (event > settle_weeks) & enough[None, :] & (live >= 0)[:, None]
    left_out: dict[int, str] = {}
    for i in np.flatnonzero(live < weeks):
        before, then = int(min(max(live[i], 0), weeks)), int(after[i].sum())
        if live[i] < 0:
            left_out[int(i)] = "live before the log begins"
        elif before < min_weeks:
            left_out[int(i)] = f"fewer than {min_weeks} weeks before it went live"
        elif then < min_weeks:
            left_out[int(i)] = f"fewer than {min_weeks} weeks with a control once use had settled"
        elif not calls[i, :before].any() or not calls[i][after[i]].any():
            left_out[int(i)] = "no call before, or none after"
    at = np.array(
        [i for i in np.flatnonzero((live >= 0) & (live < weeks)) if int(i) not in left_out],
        np.int64,
    )
    if not at.size:
        raise DataError(
            "no launch within the log can be estimated",
            "; ".join(sorted(set(left_out.values()))) or "nothing went live within it",
            "take a longer log",
        )
    shares = np.array(list(others.values())) if others else np.zeros((0, size, weeks))
    apart = told_apart(usable, shares)
    mean = fitted(calls, usable, shares[apart])
    rough, memory = _roughness(calls, mean, usable)
    log, variance, foretold = (np.empty(at.size) for _ in range(3))
    level = _level_variance(mean, usable, rough)
    for k, i in enumerate(at):
        chosen, before = after[i], usable[i] > 0
        log[k] = np.log(calls[i, chosen].sum() / mean[i, chosen].sum())
        own = [_mean_variance(mean[i, part], rough, memory) for part in (chosen, before)]
        share = mean[i, chosen] / mean[i, chosen].sum()
        variance[k] = sum(own) + float(share**2 @ level[chosen]) * _inflation(memory)
        foretold[k] = mean[i, chosen].mean()
    return Launched(
        at=at,
        log=log,
        variance=variance,
        foretold=foretold,
        weeks=after[at].sum(axis=1),
        left_out=left_out,
        mixed=_mixed(others, shares, apart, usable, after),
    )


def _mixed(
    others: dict[str, Floats], shares: Floats, apart: Any, used: Floats, after: Any
) -> tuple[str, ...]:
    """Changes that came to a unit with its launch, and cannot be held apart from it."""
    found = []
    for name, share, seen in zip(others, shares, apart, strict=True):
        before = (share * used).sum(axis=1) / np.maximum(used.sum(axis=1), 1)
        moved = np.abs(share - before[:, None]) > 1e-9
        if not seen and bool((moved & after).any()):
            found.append(name)
    return tuple(found)


def _roughness(calls: Floats, mean: Floats, used: Floats) -> tuple[float, float]:
    """Variance of a unit's week about its level beyond Poisson's, and its memory."""
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = np.where((used > 0) & (mean > 0), calls / mean - 1, np.nan)
        noise = np.where(np.isfinite(residual), 1 / mean, np.nan)
    # Large units tell most of what is beyond Poisson.
    weight = np.where(np.isfinite(residual), 1 / (noise + 0.01) ** 2, 0.0)
    n = np.maximum((used > 0).sum(axis=1, keepdims=True), 2)
    spread = np.nan_to_num((residual**2) * n / (n - 1) - noise)
    rough = max(float((weight * spread).sum() / weight.sum()), 0.0)
    both = np.isfinite(residual[:, 1:]) & np.isfinite(residual[:, :-1])
    pair = weight[:, 1:] * both
    product = np.nan_to_num(residual[:, 1:] * residual[:, :-1])
    if not rough or not pair.sum():
        return rough, 0.0
    # A level estimated from the same weeks hides some of the memory: 1/n of it.
    lag = float((pair * product).sum() / pair.sum()) / rough
    lag += float(np.mean(1 / n))
    return rough, float(np.clip(lag, 0.0, 0.9))


def _inflation(memory: float) -> float:
    return (1 + memory) / (1 - memory)


def _mean_variance(mean: Floats, rough: float, memory: float) -> float:
    """Variance of log(Σ calls/Σ mean) over some weeks."""
    share = mean / mean.sum()
    return float(1 / mean.sum() + rough * _inflation(memory) * (share**2).sum())


def _level_variance(mean: Floats, used: Floats, rough: float) -> Floats:
    """Variance of the log level of each week, from the units that it rests on."""
    base = np.maximum((mean * used).sum(axis=0), 1e-9)
    return np.asarray(1 / base + rough * ((mean * used) ** 2).sum(axis=0) / base**2)
