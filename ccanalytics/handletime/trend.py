"""Where handle time is going: week by week, and as one line with an honest interval."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.handletime.valuecounts import ValueCounts, as_counts, checked, grouped
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.effect import signed
from ccanalytics.statistics.frames import label_of, whole_weeks
from ccanalytics.statistics.trend import Line, line

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

__all__ = ["Trend", "trend"]

_QUARTER, _YEAR = 365.2425 / 28, 365.2425 / 7


@dataclass(frozen=True, eq=False, kw_only=True)
class Trend(Result):
    """Weekly handle times and their linear trend, in all or by key.

    Attributes
    ----------
    rows
        One row per key and whole week: keys…, ``week`` (its Monday), ``calls`` (above 0 s),
        ``mean_s``, ``median_s``, and ``typical_s`` = exp(mean of logs from the floor on), each
        with ``_low`` and ``_high``; ``log_mean``; ``fitted_s`` with ``_low`` and ``_high``, the
        trend line of the typical time.
    slopes
        One row per key: ``weeks``, ``per_quarter`` and ``per_year`` (relative change of the
        typical time, 0.05 is 5% longer) with ``_low`` and ``_high``, ``shows`` (whether the
        interval leaves 0 out) and ``autocorrelation`` of the residuals.
    refused
        Key → why no line was fitted.
    """

    rows: pl.DataFrame
    slopes: pl.DataFrame
    keys: tuple[str, ...]
    refused: dict[str, str] = field(default_factory=dict)
    method: str = ""

    def change(self, *key: Any, per: str = "year") -> Estimate:
        """Give the change of the typical time per ``quarter`` or ``year`` of one key.

        Raises
        ------
        InputError
            No line was fitted for that key.
        """
        if per not in ("quarter", "year"):
            raise InputError("no such span", f"per={per!r}", "quarter or year")
        for row in self.slopes.iter_rows(named=True):
            if tuple(row[name] for name in self.keys) == key:
                low, high = row[f"per_{per}_low"], row[f"per_{per}_high"]
                return Estimate(row[f"per_{per}"], low, high, self.inputs["level"])
        why = self.refused.get(label_of(key), "no such key")
        raise InputError("there is no trend for this key", f"{label_of(key)}: {why}", "")

    def table(self) -> pl.DataFrame:
        """Give the trends, by key or in all, those with most calls first."""
        return self.slopes.drop("autocorrelation")

    def to_frame(self) -> pl.DataFrame:
        """Give the weeks, one row per key and week."""
        return self.rows

    def summary(self) -> str:
        """Say whether handle time moves, by how much, and how it was found."""
        words = [self._one(row) for row in self.slopes.iter_rows(named=True)]
        if self.keys:
            shown = self.slopes.filter(self.slopes["shows"])
            up = int((shown["per_year"] > 0).sum())
            n = self.slopes.height
            words = [
                f"By {' and '.join(self.keys)}: of {n} with enough weeks, {up} take longer with "
                f"time, {shown.height - up} take less, and {n - shown.height} show no trend; by "
                f"chance alone about {n * (1 - self.inputs['level']):.1f} of {n} would show one.",
                *(self._one(row) for row in shown.iter_rows(named=True)),
            ]
        if self.refused:
            words.append(f"Left out, with too few weeks or calls: {', '.join(self.refused)}.")
        words.append(self.method)
        return " ".join(words)

    def _one(self, row: dict[str, Any]) -> str:
        name = label_of(row[key] for key in self.keys) or "Handle time"
        # A year is not foretold from a few months.
        per = "year" if row["weeks"] >= 40 else "quarter"
        value, low, high = (row[f"per_{per}{end}"] for end in ("", "_low", "_high"))
        level = f"{100 * self.inputs['level']:g}% interval {signed(low)} to {signed(high)}"
        if not row["shows"]:
            return (
                f"{name}: no trend that the data can show over {row['weeks']} weeks "
                f"({signed(value)} a {per}, {level})."
            )
        word = "longer" if value > 0 else "shorter"
        return (
            f"{name}: calls take {abs(value):.1%} {word} a {per} ({level}), over {row['weeks']} "
            "weeks."
        )


def trend(
    value_counts: Any,
    by: str | Iterable[str] = (),
    *,
    floor_s: float = 10,
    min_weeks: int = 8,
    min_calls: int = 30,
    level: float = 0.95,
) -> Trend:
    """Fit a linear trend to the weekly mean of log handle time.

    Weekly means have Student's limits, medians exact ones by rank, means of logs Student's. The
    line is least squares on the weekly means of logs (seconds from ``floor_s`` on), its errors
    Newey–West, corrected for short series.

    Parameters
    ----------
    value_counts
        Frame of ``CallLog.handle_times(every="1w")``. Weeks that the log covers in part are left
        out.
    by
        Key columns: a trend for each.
    floor_s
        Seconds from which logs are taken; shorter calls would dominate them.
    min_weeks
        Fewest weeks for a line.
    min_calls
        Fewest calls for a week to count.
    level
        Of the intervals, 0–1.

    Raises
    ------
    InputError
        A missing column or key, intervals that are not weeks, bad counts.
    DataError
        Fewer than ``min_weeks`` whole weeks (for every key).
    """
    import polars as pl

    level = check_level(level)
    frame = checked(value_counts, by, weekly=True)
    keys = [k for k in frame.columns if k not in ("local_start", "interval_s", "seconds", "calls")]
    frame, cut = whole_weeks(frame, "the value counts")
    rows, slopes, refused, lags = [], [], {}, set()
    for key, part in grouped(frame, keys):
        names = dict(zip(keys, key, strict=True))
        weeks = [
            _week(names, start, as_counts(week), floor_s, level)
            for (start,), week in part.group_by(["local_start"], maintain_order=True)
        ]
        kept = [week for week in weeks if week["floor_calls"] >= min_calls]
        if len(kept) < min_weeks:
            thin = len(weeks) - len(kept)
            refused[label_of(key)] = f"{len(kept)} weeks, at least {min_weeks} are needed" + (
                f" ({thin} more have fewer than {min_calls} calls)" if thin else ""
            )
            continue
        first = kept[0]["week"]
        at = np.array([(week["week"] - first).days / 7 for week in kept])
        fitted = line([week["log_mean"] for week in kept], at, level)
        lags.add(fitted.lags)
        rows += [
            week | dict(zip(("fitted_s", "fitted_s_low", "fitted_s_high"), height, strict=True))
            for week, height in zip(kept, _heights(fitted), strict=True)
        ]
        slopes.append(names | _slope(fitted, len(kept), sum(week["calls"] for week in kept)))
    if not slopes:
        worst = next(iter(refused.values()), "no whole week") if frame.height else "no whole week"
        raise DataError(
            "there are too few whole weeks to tell a trend", worst, "load more of the log"
        )
    order = pl.DataFrame(slopes, infer_schema_length=None)
    return Trend(
        inputs={
            "by": keys,
            "floor_s": floor_s,
            "min_weeks": min_weeks,
            "min_calls": min_calls,
            "level": level,
        },
        checks=_checks(cut, order),
        rows=pl.DataFrame(rows, infer_schema_length=None).with_columns(
            pl.col(pl.Float64).fill_nan(None)
        ),
        slopes=order.sort("calls", descending=True, maintain_order=True),
        keys=tuple(keys),
        refused=refused,
        method=(
            f"Method: a line through the weekly means of log seconds, of calls from {floor_s:g} s "
            f"on, with Newey–West errors over {_lags(lags)}, corrected for the short series; it "
            "follows the typical call, not the mean for staffing."
        ),
    )


def _week(
    names: dict[str, Any], start: Any, times: ValueCounts, floor_s: float, level: float
) -> dict[str, Any]:
    timed, long = times.above(0), times.from_(floor_s)
    logs = ValueCounts(np.log(long.seconds), long.calls)
    mean, median = timed.mean_limits(level), timed.median_limits(level)
    low, high = logs.mean_limits(level)
    return {
        **names,
        "week": start.date() if isinstance(start, dt.datetime) else start,
        "calls": timed.size,
        "floor_calls": long.size,
        "mean_s": timed.mean,
        "mean_s_low": mean[0],
        "mean_s_high": mean[1],
        "median_s": timed.quantile(0.5),
        "median_s_low": median[0],
        "median_s_high": median[1],
        "log_mean": logs.mean,
        "typical_s": math.exp(logs.mean),
        "typical_s_low": math.exp(low),
        "typical_s_high": math.exp(high),
    }


def _heights(fitted: Line) -> list[tuple[float, ...]]:
    columns = np.exp(np.column_stack([fitted.fitted, fitted.low, fitted.high]))
    return [tuple(row) for row in columns.tolist()]


def _slope(fitted: Line, weeks: int, calls: int) -> dict[str, Any]:
    slope = fitted.slope
    out: dict[str, Any] = {"calls": calls, "weeks": weeks}
    for per, length in (("quarter", _QUARTER), ("year", _YEAR)):
        for end, value in (("", slope.value), ("_low", slope.low), ("_high", slope.high)):
            out[f"per_{per}{end}"] = math.expm1(value * length)
    out["shows"] = slope.excludes_zero
    out["autocorrelation"] = fitted.corrected.residual_correlation
    return out


def _lags(lags: set[int]) -> str:
    few, many = min(lags), max(lags)
    return f"{few} weeks" if few == many else f"{few} to {many} weeks"


def _checks(cut: int, slopes: pl.DataFrame) -> tuple[Check, ...]:
    checks = []
    if cut:
        what = "1 week" if cut == 1 else f"{cut} weeks"
        checks.append(
            Check("whole weeks", "informs", f"{what} that the log covers in part left out")
        )
    r = slopes["autocorrelation"].drop_nans().to_list()
    if r:
        most = max(r, key=abs)
        told = f"{most:.2f}" if len(r) == 1 else f"up to {most:.2f}"
        checks.append(
            Check(
                "autocorrelation",
                "informs",
                f"residuals of neighbouring weeks correlate by {told}; the intervals allow for it",
            )
        )
    if slopes["weeks"].max() < 104:  # type: ignore[operator]
        checks.append(
            Check(
                "season",
                "informs",
                "less than two years: a yearly season cannot be told from a trend",
            )
        )
    checks.append(
        Check(
            "mix",
            "informs",
            "a trend over all calls may be a change in what they are about; look at it by service",
        )
    )
    return tuple(checks)
