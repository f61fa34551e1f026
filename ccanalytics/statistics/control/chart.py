"""What every control chart gives: points, limits, signals, and how often chance signals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Result
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["FEWEST", "ControlChart", "baseline_of", "points_of", "spread_of", "stated"]

FEWEST = 10
"""Fewest points from which limits are computed."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ControlChart(Result):
    """A series with its limits, and the points that are signals.

    Attributes
    ----------
    what
        What is charted, for the words.
    frame
        One row per point: ``at``, ``value``, ``centre``, ``low``, ``high``, ``statistic`` (what is
        held against ±1: how far the point, or what has gathered up to it, is towards a limit),
        ``in_baseline`` and ``signal``.
    baseline
        Points from which centre and limits come.
    run_length
        Points between two false signals, on average, where nothing changes, points are independent
        and normal, and centre and spread are known.
    false_every
        The same with centre and spread as uncertain as the baseline leaves them.
    method
        The chart and its constants, in words.
    """

    what: str
    frame: pl.DataFrame
    baseline: int
    run_length: float
    false_every: float
    method: str

    @property
    def signals(self) -> pl.DataFrame:
        """The points that are signals."""
        return self.frame.filter(self.frame["signal"])

    def headline(self) -> str:
        """Say in one sentence how many points are signals, and which is the newest."""
        found = self.signals
        if not found.height:
            return (
                f"{self.what}: {counted(self.frame.height, 'point')}, none outside what chance "
                "brings."
            )
        row = found.row(-1, named=True)
        side = "above" if row["statistic"] > 0 else "below"
        expected = self.frame.height / self.false_every
        return (
            f"{self.what}: {counted(found.height, 'signal')} in "
            f"{counted(self.frame.height, 'point')}, where chance alone would give about "
            f"{expected:.1f}; the newest at {_moment(row['at'])}, {side} what was usual."
        )

    def summary(self) -> str:
        """Say what signals, how often chance would, and how the limits were found."""
        return (
            f"{self.headline()} {self.method} A false signal comes about every "
            f"{self.false_every:,.0f} points where nothing changes."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the points."""
        return self.frame


def points_of(values: Any, at: Sequence[Any] | None, name: str) -> tuple[Floats, list[Any]]:
    """Check a series of numbers and what stands beside its points."""
    try:
        y = np.asarray(values, float)
    except (TypeError, ValueError) as error:
        raise InputError("a series is of numbers", f"{name}={str(values)[:40]}") from error
    if y.ndim != 1:
        raise InputError("a series has one dimension", f"{name} has {y.ndim}")
    wrong = np.flatnonzero(~np.isfinite(y))
    if wrong.size:
        raise InputError(
            "a point is not finite", f"{name}[{wrong[0]}]={y[wrong[0]]}", "leave such points out"
        )
    beside = list(range(y.size)) if at is None else list(at)
    if len(beside) != y.size:
        raise InputError("every point has one date", f"{y.size} points, {len(beside)} dates")
    return y, beside


def baseline_of(size: int, baseline: int | None) -> NDArray[np.bool_]:
    """Which points the limits come from: the first ``baseline``, or all."""
    if baseline is None:
        baseline = size
    if isinstance(baseline, bool) or not isinstance(baseline, int) or baseline < FEWEST:
        raise InputError(
            f"limits need a whole number of points, {FEWEST} or more",
            f"baseline={baseline!r}" if baseline != size else f"{counted(size, 'point')}",
            "take a longer series",
        )
    if baseline > size:
        raise DataError(
            "the series is shorter than the points that limits should come from",
            f"{counted(size, 'point')}, baseline={baseline}",
            "take a longer series or a shorter baseline",
        )
    return np.arange(size) < baseline


def stated(
    at: list[Any], values: Floats, centre: Any, low: Any, high: Any, statistic: Floats,
    used: NDArray[np.bool_],
) -> pl.DataFrame:  # fmt: skip
    """The frame of a chart; a statistic beyond ±1 is a signal."""
    import polars as pl

    size = values.size
    return pl.DataFrame(
        {
            "at": at,
            "value": values,
            "centre": np.broadcast_to(np.asarray(centre, float), size),
            "low": np.broadcast_to(np.asarray(low, float), size),
            "high": np.broadcast_to(np.asarray(high, float), size),
            "statistic": statistic,
            "in_baseline": used,
            "signal": np.abs(statistic) > 1,
        },
        strict=False,
    ).with_columns(pl.col(pl.Float64).fill_nan(None))


def spread_of(differences: Floats) -> float:
    """Standard deviation from mean moving ranges of two, MR/1.128, or 0."""
    return float(np.mean(np.abs(differences))) / (2 / math.sqrt(math.pi))


def _moment(at: Any) -> str:
    return str(at)
