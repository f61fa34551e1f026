"""Where handle time is going: week by week, and as one line with an honest interval."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.handletime.doubts import taken_together
from ccanalytics.handletime.valuecounts import (
    PARTS,
    ValueCounts,
    as_counts,
    check_part,
    checked,
    grouped,
    largest,
)
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.effect import signed
from ccanalytics.statistics.frames import label_of, whole_weeks
from ccanalytics.statistics.multiple import Several, p_value, several
from ccanalytics.statistics.trend import Line, line
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

__all__ = ["Trend", "trend"]

_NAMED = 8
_STANDING = 4
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
        interval leaves 0 out), ``p_value`` (of no change), ``stands_out`` (whether the change
        remains once all keys are looked at together) and ``autocorrelation`` of the residuals.
    refused
        Key → why no line was fitted.
    """

    rows: pl.DataFrame
    slopes: pl.DataFrame
    keys: tuple[str, ...]
    refused: dict[str, str] = field(default_factory=dict)
    method: str = ""
    names: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def several(self) -> Several:
        """The keys looked at together: what chance alone would show, and what stands out."""
        return several(self.slopes["p_value"].to_list(), self.inputs["level"])

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
        label = label_of(self.names.get(value) or value for value in key)
        why = self.refused.get(label, "no such key")
        raise InputError("there is no trend for this key", f"{label}: {why}", "")

    def table(self) -> pl.DataFrame:
        """Give the trends, by key or in all, those with most calls first."""
        return self.slopes.drop("autocorrelation", "p_value")

    def to_frame(self) -> pl.DataFrame:
        """Give the weeks, one row per key and week."""
        return self.rows

    def headline(self) -> str:
        """Answer whether handle time is changing, in one sentence; by key, how many keys are."""
        if self.keys:
            told = self.several.in_words()
            return f"By {' and '.join(self.keys)}: {told[0].lower()}{told[1:]}"
        row = self.slopes.row(0, named=True)
        what, change = PARTS[self.inputs["part"]], self._change(row)
        if not row["shows"]:
            return f"{what} shows no change beyond chance{change}."
        return f"{what} is {'rising' if row['per_year'] > 0 else 'falling'}{change}."

    def summary(self) -> str:
        """Say whether handle time moves, by how much, and how it was found."""
        words = [self.headline()]
        if self.keys:
            words += self._standing()
        if self.refused:
            names = list(self.refused)
            more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
            told = f"{', '.join(names[:_NAMED])}{more}"
            words.append(f"Left out, with too few weeks or calls: {told}.")
        words.append(self.method)
        return " ".join(words)

    def _standing(self) -> list[str]:
        """Name the keys that stand out, those that move most first."""
        rows = self.slopes.filter(self.slopes["stands_out"])
        rows = rows.sort(rows["per_year"].abs(), descending=True)
        if not rows.height:
            return []
        named = [
            f"{self._label(row)}{self._change(row, short=k > 0)}"
            for k, row in enumerate(rows.head(_STANDING).iter_rows(named=True))
        ]
        more = f" and {rows.height - _STANDING:,} more" if rows.height > _STANDING else ""
        return [f"{'; '.join(named)}{more}."]

    def _label(self, row: dict[str, Any]) -> str:
        return label_of(self.names.get(row[key]) or row[key] for key in self.keys)

    def _change(self, row: dict[str, Any], *, short: bool = False) -> str:
        # A year is not foretold from a few months.
        per = "year" if row["weeks"] >= 40 else "quarter"
        value, low, high = (row[f"per_{per}{end}"] for end in ("", "_low", "_high"))
        limits = f"{100 * self.inputs['level']:g}% interval {signed(low)} to {signed(high)}"
        if short:
            return f": {signed(value)} a {per} ({signed(low)} to {signed(high)})"
        weeks = counted(row["weeks"], "week")
        return f": {signed(value)} a {per} for the typical call ({limits}), over {weeks}"


def trend(
    value_counts: Any,
    by: str | Iterable[str] = (),
    *,
    floor_s: float = 10,
    min_weeks: int = 8,
    min_calls: int = 30,
    part: str = "handle",
    most: int | None = 200,
    level: float = 0.95,
    names: Mapping[str, str | None] | None = None,
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
    part
        What was timed, for the words: handle, talk, hold, wrap.
    most
        Keys to look at one by one, those with most calls; the others are taken together.
    level
        Of the intervals, 0–1.
    names
        Names of keys, for the sentences.

    Raises
    ------
    InputError
        A missing column or key, intervals that are not weeks, bad counts.
    DataError
        Fewer than ``min_weeks`` whole weeks (for every key).
    """
    import polars as pl

    level, part = check_level(level), check_part(part)
    frame, long = checked(value_counts, by, weekly=True)
    keys = [k for k in frame.columns if k not in ("local_start", "interval_s", "seconds", "calls")]
    frame, cut = whole_weeks(frame, "the value counts")
    frame, others = largest(frame, keys, most)
    known = names or {}
    rows, slopes, refused, lags = [], [], {}, set()
    for key, mine in grouped(frame, keys):
        place = dict(zip(keys, key, strict=True))
        weeks = [
            _week(place, start, as_counts(week), floor_s, level)
            for (start,), week in mine.group_by(["local_start"], maintain_order=True)
        ]
        kept = [week for week in weeks if week["floor_calls"] >= min_calls]
        if len(kept) < min_weeks:
            thin = len(weeks) - len(kept)
            label = label_of(known.get(value) or value for value in key)
            refused[label] = f"{counted(len(kept), 'week')}, at least {min_weeks} are needed" + (
                f" ({thin:,} more {'has' if thin == 1 else 'have'} fewer than "
                f"{counted(min_calls, 'call')})"
                if thin
                else ""
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
        slopes.append(place | _slope(fitted, len(kept), sum(week["calls"] for week in kept)))
    if not slopes:
        worst = next(iter(refused.values()), "no whole week") if frame.height else "no whole week"
        raise DataError(
            "there are too few whole weeks to tell a trend", worst, "load more of the log"
        )
    order = pl.DataFrame(slopes, infer_schema_length=None)
    together = several(order["p_value"].to_list(), level)
    order = order.with_columns(stands_out=pl.Series(together.stands_out, dtype=pl.Boolean))
    return Trend(
        inputs={
            "by": keys,
            "floor_s": floor_s,
            "min_weeks": min_weeks,
            "min_calls": min_calls,
            "part": part,
            "most": most,
            "level": level,
        },
        checks=(*long, *_checks(cut, order, keyed=bool(keys)), *taken_together(keys, others, most)),
        rows=pl.DataFrame(rows, infer_schema_length=None).with_columns(
            pl.col(pl.Float64).fill_nan(None)
        ),
        slopes=order.sort("calls", descending=True, maintain_order=True),
        keys=tuple(keys),
        refused=refused,
        names=known,
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
    change = Estimate(out["per_year"], out["per_year_low"], out["per_year_high"], slope.level)
    out["p_value"] = p_value(change, fitted.corrected.degrees)
    out["autocorrelation"] = fitted.corrected.residual_correlation
    return out


def _lags(lags: set[int]) -> str:
    few, many = min(lags), max(lags)
    return counted(few, "week") if few == many else f"{few} to {many} weeks"


def _checks(cut: int, slopes: pl.DataFrame, *, keyed: bool) -> tuple[Check, ...]:
    checks = []
    if cut:
        are = "is" if cut == 1 else "are"
        told = f"{counted(cut, 'week')} that the log covers in part {are} left out"
        checks.append(Check("whole weeks", "informs", told))
    r = slopes["autocorrelation"].drop_nans().to_list()
    if r:
        most = max(r, key=abs)
        size = f"{most:.2f}".replace("-", "−")
        told = size if len(r) == 1 else f"up to {size}"
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
    if not keyed:
        words = "a trend over all calls may be a change in what they are about; look at it by key"
        checks.append(Check("mix", "informs", words))
    return tuple(checks)
