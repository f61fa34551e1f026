"""The daily peak of lines, held against what recorded calls, coming at random, would give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.dates import read_dates
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing._seats import check_share, counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["LinePeaks", "line_peaks"]

_WANTED = 0.9
_MOST_CALLS = 500_000_000  # drawn in all; more replications than that allows are cut


@dataclass(frozen=True, eq=False, kw_only=True)
class LinePeaks(Result):
    """Peaks seen and peaks expected, day by day.

    Attributes
    ----------
    frame
        Per ``day``: ``calls``, ``peak_lines``, ``expected_peak_lines`` (median of the simulated),
        ``peak_lines_low``, ``peak_lines_high`` and ``inside``.
    """

    frame: pl.DataFrame

    @property
    def inside(self) -> float:
        """Share of days whose peak lies inside its limits."""
        return float(self.frame["inside"].mean())  # type: ignore[arg-type]

    def summary(self) -> str:
        """How many days lie inside, and the model."""
        n = int(self.frame["inside"].sum())
        return (
            f"On {n:,} of {counted(self.frame.height, 'day')} ({self.inside:.1%}) the most lines "
            f"at once lay inside the {self.inputs['level']:.0%} band of the model. The model is "
            "fed with the recorded calls only: they come at random (Poisson) at each interval's "
            "own count, and hold a line for a time of the log's shape and the day's own mean, with "
            f"lines without end; {self.inputs['replications']:,} simulated days each."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the days."""
        return self.frame


def line_peaks(
    intervals: pl.DataFrame,
    holding_times: pl.DataFrame,
    peaks: pl.DataFrame,
    *,
    weekdays: Iterable[int] = (1, 2, 3, 4, 5, 6, 7),
    exclude: Any = None,
    replications: int = 200,
    level: float = 0.95,
    seed: int = 1,
) -> LinePeaks:
    r"""Hold the daily peak of lines against what random calls would give.

    The infinite-server model M(t)/G/∞: lines in use at t are Poisson of mean
    m(t) = ∫ λ(t − u)·P(S > u) du. The law of a day's maximum has no closed form; it is simulated.
    The band runs between the (1 − level)/2 and (1 + level)/2 quantiles of the simulated maxima.

    Parameters
    ----------
    intervals
        Frame of ``log.intervals(every)`` without keys: ``arrived`` and ``line_busy_s``.
    holding_times
        Frame of ``log.holding_times()``: the shape of the law; its mean is taken day by day.
    peaks
        Frame of ``log.lines("1d")``.
    weekdays
        Days that count, 1 Monday to 7 Sunday.
    exclude
        Further days left out, as for :func:`~ccanalytics.staffing.typical_day`: holidays, outages.
    replications
        Simulated days for each day.
    level
        Of the band.
    seed
        Same seed, same answer.

    Returns
    -------
    LinePeaks

    Raises
    ------
    InputError
        A frame of another kind, or a number out of its range.
    DataError
        No day is left.

    References
    ----------
    S. G. Eick, W. A. Massey and W. Whitt, The physics of the Mt/G/∞ queue, Operations Research 41
    (1993), 731–742.
    """
    import polars as pl

    for name, frame, columns in (
        ("intervals", intervals, ("local_start", "interval_s", "arrived", "line_busy_s")),
        ("holding_times", holding_times, ("seconds", "calls")),
        ("peaks", peaks, ("local_start", "peak_lines")),
    ):
        lacking = [c for c in columns if c not in getattr(frame, "columns", ())]
        if lacking:
            raise InputError("the frame lacks a column", f"{name}: {lacking[0]}", "see line_peaks")
    whole = isinstance(replications, int) and not isinstance(replications, bool)
    if not whole or not 20 <= replications <= 100_000:
        raise InputError("replications are whole, 20 to 100,000", f"{replications=}")
    check_share("level", level, low=0, allow_one=False)
    day = pl.col("local_start").dt.date()
    out = read_dates(exclude)
    seen = (
        peaks.select(day.alias("day"), "peak_lines")
        .filter(pl.col("day").dt.weekday().is_in(list(weekdays)), ~pl.col("day").is_in(list(out)))
    )  # fmt: skip
    rows = intervals.with_columns(day=day).sort("interval_start")
    shape = np.repeat(holding_times["seconds"].to_numpy(), holding_times["calls"].to_numpy())
    table = []
    if shape.size and shape.mean() > 0:
        shape = shape / shape.mean()
        rng = np.random.default_rng(seed)
        total = float(rows["arrived"].sum())
        replications = max(20, min(replications, int(_MOST_CALLS / max(total, 1.0))))
        for (date,), group in rows.group_by("day", maintain_order=True):
            found = seen.filter(pl.col("day") == date)
            calls = group["arrived"].to_numpy()
            if not found.height or not calls.sum():
                continue
            mean = float(group["line_busy_s"].sum()) / float(calls.sum())
            length = group["interval_s"].to_numpy().astype(float)
            most = _maxima(calls, length, shape * mean, replications, rng)
            half = (1 - level) / 2
            low, middle, high = np.quantile(most, [half, 0.5, 1 - half], method="inverted_cdf")
            peak = int(found["peak_lines"].item())
            table.append(
                {
                    "day": date, "calls": int(calls.sum()), "peak_lines": peak,
                    "expected_peak_lines": int(middle), "peak_lines_low": int(low),
                    "peak_lines_high": int(high), "inside": bool(low <= peak <= high),
                }
            )  # fmt: skip
    if not table:
        raise DataError(
            "no day with calls is left to compare", f"{len(out)} days left out", "widen the span"
        )
    result = pl.DataFrame(table)
    share = float(result["inside"].mean())  # type: ignore[arg-type]
    above = result.filter(pl.col("peak_lines") > pl.col("peak_lines_high")).height
    below = result.filter(pl.col("peak_lines") < pl.col("peak_lines_low")).height
    words = (
        f"{share:.1%} of days, at least {_WANTED:.0%} wanted; the peak was above the band on "
        f"{counted(above, 'day')} and below on {below:,}"
    )
    return LinePeaks(
        frame=result,
        inputs={
            "weekdays": sorted(set(weekdays)), "exclude": sorted(out), "level": level,
            "replications": replications, "seed": seed,
        },
        checks=(Check("Peaks inside the band", "holds" if share >= _WANTED else "fails", words),),
    )  # fmt: skip


def _maxima(
    calls: NDArray[Any], length: Floats, times: Floats, replications: int, rng: Any
) -> NDArray[np.int64]:
    """Most lines at once on each simulated day, which begins with all lines free."""
    begin = np.concatenate([[0.0], np.cumsum(length)[:-1]])
    most = np.zeros(replications, np.int64)
    for r in range(replications):
        which = np.repeat(np.arange(calls.size), rng.poisson(calls))
        starts = begin[which] + rng.random(which.size) * length[which]
        ends = np.sort(starts + rng.choice(times, which.size))
        starts.sort()
        held = np.arange(1, starts.size + 1) - np.searchsorted(ends, starts, side="right")
        most[r] = held.max(initial=0)
    return most
