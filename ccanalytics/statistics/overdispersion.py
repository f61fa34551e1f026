"""How much volumes vary beyond chance: within the day, and from day to day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.frames import as_polars, check_counts

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Overdispersion", "overdispersion"]

_FEWEST_DAYS = 4  # of a weekday
_FEW_DAYS = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class Overdispersion(Result):
    """Variation of volume beyond Poisson.

    Attributes
    ----------
    ratio
        Median over cells (weekday and time of day) of variance over mean: 1 for Poisson.
    ratio_quartiles
        Quartiles of the same over cells.
    cv
        Coefficient of variation of an interval's rate, both parts together: what
        ``requirement(cv=…)`` takes when the day is not yet known.
    cv_day, cv_within
        Its parts: what moves whole days up or down, and what is left once the day's level is
        known. cv² = cv_day² + cv_within².
    cells
        ``weekday``, ``clock``, ``days``, ``calls`` (mean), ``dispersion``.
    """

    ratio: Estimate
    ratio_quartiles: tuple[float, float]
    cv: Estimate
    cv_day: Estimate
    cv_within: Estimate
    cells: pl.DataFrame

    def summary(self) -> str:
        """The ratio, the coefficient of variation and its parts."""
        low, high = self.ratio_quartiles
        return (
            f"Beyond chance, an interval's volume varies by {self.cv.format('{:.1%}')} about its "
            f"weekday and time of day (coefficient of variation): {self.cv_day.value:.1%} from day "
            f"to day, {self.cv_within.value:.1%} within the day. The variance of calls is "
            f"{self.ratio.value:.1f} times their mean, where chance alone gives 1 (half of "
            f"{self.cells.height} intervals of the week: {low:.1f} to {high:.1f}). Moments with "
            "Poisson noise taken out; limits by leaving out one day at a time "
            f"({self.inputs['days']} days)."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the cells."""
        return self.cells


def overdispersion(
    demand: Any,
    *,
    weekdays: Iterable[int] = (1, 2, 3, 4, 5, 6, 7),
    hours: tuple[int, int] = (0, 24),
    min_mean: float = 1.0,
    exclude: Iterable[Any] = (),
    level: float = 0.95,
) -> Overdispersion:
    """Measure how volumes vary within weekday and time of day.

    With N calls of day d in interval i, mean mᵢ over the n days of one weekday, and
    N ~ Poisson(mᵢ·D_d·W_di): Σ(N − m̂)²·n/(n−1) − N over Σm̂² estimates cv², and the same sum of
    products of different intervals of one day estimates cv_day², because chance and what happens
    within the day do not connect them. Growth, seasons and holidays within the span count as
    variation from day to day: leave days out with ``exclude``, or take a shorter span.

    Parameters
    ----------
    demand
        Frame of ``log.demand(every)`` or ``log.intervals(every)``, without keys: ``local_start``
        and ``calls`` (or ``offered``).
    weekdays
        1 (Monday) to 7.
    hours
        First and last hour of the day, the last excluded.
    min_mean
        Cells with fewer calls on average are left out.
    exclude
        Local dates to leave out.
    level
        Of the limits, 0–1.

    Raises
    ------
    DataError
        No weekday has four days, or no cell enough calls.

    References
    ----------
    G. Jongbloed, G. Koole (2001), Managing uncertainty in call centres using Poisson mixtures,
    Applied Stochastic Models in Business and Industry 17, 307–318.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timedelta
    >>> start = [datetime(2025, 3, 3) + timedelta(hours=h) for h in range(24 * 70)]
    >>> draw = np.random.default_rng(1).poisson(50, len(start))
    >>> found = overdispersion(pl.DataFrame({"local_start": start, "calls": draw}))
    >>> found.ratio.low < 1.05 and found.cv_day.low < 0.01
    True
    """
    import polars as pl

    level = check_level(level)
    chosen = sorted({int(day) for day in weekdays})
    if not chosen or not set(chosen) <= set(range(1, 8)):
        raise InputError("weekdays are 1 (Monday) to 7", f"weekdays={weekdays!r}")
    first, last = hours
    if not 0 <= first < last <= 24:
        raise InputError("hours rise from 0 to 24", f"hours={hours!r}", "such as (7, 24)")
    rows = as_polars(demand, "demand", ["local_start"], "log.demand(every)")
    name = next((n for n in ("calls", "offered") if n in rows.columns), None)
    if name is None:
        raise InputError("demand lacks a column", "missing: calls", "take it from log.demand")
    check_counts(rows, [name], "demand")
    at = pl.col("local_start")
    rows = rows.select(at, day=at.dt.date(), weekday=at.dt.weekday(), clock=at.dt.time(),
                       n=pl.col(name).cast(pl.Float64))  # fmt: skip
    if rows.select("local_start").is_duplicated().any():
        # The repeated hour of a clock change is as long as two: no cell has its like.
        rows = rows.filter(~pl.col("local_start").is_duplicated().any().over("day"))
        if rows.is_empty():
            raise InputError("the frame has several rows for each interval", "column local_start",
                             "ask for one queue with where=, or roll up without by=")  # fmt: skip
    hour = pl.col("clock").dt.hour()
    rows = rows.filter(
        pl.col("weekday").is_in(chosen), (hour >= first) & (hour < last),
        ~pl.col("day").is_in(_dates(exclude)),
    )  # fmt: skip
    closed = rows.group_by("day").agg(pl.col("n").sum()).filter(pl.col("n") == 0)["day"].to_list()
    rows = rows.filter(~pl.col("day").is_in(closed))
    weeks, left_out = _matrices(rows, min_mean)
    if not weeks:
        raise DataError(
            "there are too few days to tell how volumes vary",
            f"no weekday has {_FEWEST_DAYS} days with calls",
            "take a longer span",
        )
    days = sum(block.shape[0] for _, _, block in weeks)
    blocks = [block for _, _, block in weeks]
    whole = _moments([_sums(block) for block in blocks])
    without = np.array(list(_leave_one_out(blocks)))
    fewest = min(block.shape[0] for block in blocks)
    limits = [_jackknife(v, w, level) for v, w in zip(whole, without.T, strict=True)]
    squares = [_root(estimate) for estimate in limits[1:]]
    cells = pl.concat(
        pl.DataFrame({"weekday": weekday, "clock": clocks, "days": block.shape[0],
                      "calls": block.mean(axis=0), "dispersion": _dispersion(block)})
        for weekday, clocks, block in weeks
    )  # fmt: skip
    ratio = limits[0]
    quartiles = np.quantile(cells["dispersion"].to_numpy(), [0.25, 0.75])
    return Overdispersion(
        ratio=Estimate(ratio.value, max(ratio.low, 0.0), ratio.high, level),
        ratio_quartiles=(float(quartiles[0]), float(quartiles[1])),
        cv=squares[0], cv_day=squares[1], cv_within=squares[2], cells=cells,
        inputs={"weekdays": chosen, "hours": hours, "min_mean": min_mean, "level": level,
                "exclude": sorted(map(str, _dates(exclude))), "days": days},
        checks=_checks(fewest, closed, left_out),
    )  # fmt: skip


def _root(square: Estimate) -> Estimate:
    value, low, high = (
        float(np.sqrt(max(x, 0.0))) for x in (square.value, square.low, square.high)
    )
    return Estimate(value, low, high, square.level)


def _dates(values: Iterable[Any]) -> list[Any]:
    from datetime import date

    return [v if isinstance(v, date) else date.fromisoformat(str(v)) for v in values]


def _matrices(rows: pl.DataFrame, min_mean: float) -> tuple[list[tuple[int, Any, Floats]], int]:
    """Per weekday: its number, the clocks, and calls by day × time of day; cells left out."""
    import polars as pl

    found, left_out = [], 0
    for weekday in rows["weekday"].unique().sort().to_list():
        some = rows.filter(pl.col("weekday") == weekday)
        wide = some.pivot(on="clock", index="day", values="n").sort("day").drop("day")
        # A day that a clock change shortened has no count for what it skipped.
        wide = wide.drop_nulls()
        if wide.height < _FEWEST_DAYS:
            left_out += wide.width
            continue
        block = wide.to_numpy()
        clocks = np.array(wide.columns)
        keep = block.mean(axis=0) >= min_mean
        left_out += int((~keep).sum())
        order = np.argsort(clocks[keep])
        if keep.any():
            found.append((weekday, clocks[keep][order], block[:, keep][:, order]))
    return found, left_out


def _dispersion(block: Floats) -> Floats:
    return np.asarray(block.var(axis=0, ddof=1) / block.mean(axis=0))


def _sums(block: Floats) -> tuple[Floats, Floats]:
    """Dispersions by cell, and what the moments are ratios of."""
    n = block.shape[0]
    mean = block.mean(axis=0)
    variance = block.var(axis=0, ddof=1)
    total, of_days = mean.sum(), block.sum(axis=1).var(ddof=1)
    # Squares of estimated means are too large by the variance of the mean.
    square = (mean**2 - variance / n).sum()
    pairs = total**2 - of_days / n - square
    return variance / mean, np.array(
        [(variance - mean).sum(), square, of_days - variance.sum(), pairs]
    )


def _moments(parts: list[tuple[Floats, Floats]]) -> tuple[float, float, float, float]:
    """Median dispersion, cv², cv_day² and cv_within²."""
    ratio = float(np.median(np.concatenate([part[0] for part in parts])))
    extra, square, shared, pairs = np.sum([part[1] for part in parts], axis=0)
    both = extra / square
    day = shared / pairs if pairs > 0 else 0.0
    return ratio, float(both), float(day), float(both - day)


def _leave_one_out(blocks: list[Floats]) -> Any:
    done = [_sums(block) for block in blocks]
    for at, block in enumerate(blocks):
        for day in range(block.shape[0]):
            parts = list(done)
            parts[at] = _sums(np.delete(block, day, axis=0))
            yield _moments(parts)


def _jackknife(value: float, without: Floats, level: float) -> Estimate:
    from scipy.special import stdtrit

    n = without.size
    spread = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    half = float(stdtrit(n - 1, 0.5 + level / 2) * spread)
    return Estimate(value, value - half, value + half, level)


def _checks(fewest: int, closed: list[Any], left_out: int) -> tuple[Check, ...]:
    enough = fewest >= _FEW_DAYS
    return (
        Check(
            "Days of each weekday",
            "holds" if enough else "fails",
            f"at least {fewest}" + ("" if enough else ": too few for a variance worth much"),
        ),
        Check(
            "What counts as variation",
            "informs",
            "growth, seasons, holidays and unusual days within the span are in it",
        ),
        Check(
            "Left out",
            "informs",
            f"{len(closed)} days without calls, {left_out} cells with too few calls or days",
        ),
    )
