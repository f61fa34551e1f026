"""How handle times are distributed: means for staffing, medians beside them, and a law."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.handletime.doubts import doubts, fit_in_words, taken_together
from ccanalytics.handletime.lognormal import Lognormal, fit_lognormal
from ccanalytics.handletime.rivals import Fit, fits
from ccanalytics.handletime.valuecounts import (
    OTHER,
    PARTS,
    ValueCounts,
    as_counts,
    check_part,
    checked,
    grouped,
    largest,
    ordered,
)
from ccanalytics.results import Estimate, Result
from ccanalytics.statistics import wilson
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.frames import with_names
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

__all__ = ["HandleTimes", "distribution"]

PERCENTILES = (10, 25, 75, 90, 95, 99)


@dataclass(frozen=True, eq=False, kw_only=True)
class HandleTimes(Result):
    """Handle times of answered calls, in all and by key. Times of 0 seconds count only as such.

    Attributes
    ----------
    overall, rows
        ``overall`` is one row, ``rows`` one per key, the most frequent first, where there are
        many keys the rest together as "all others" at the end. Columns: keys…,
        ``calls`` (answered, time known), ``zero_calls``, ``zero_share``, ``short_calls`` and
        ``short_share`` (at most ``short_s`` seconds, zeros included, of all); of calls above 0 s:
        ``timed_calls``, ``mean_s``, ``sd_s``, ``median_s``, ``p10_s`` … ``p99_s``; of calls from
        ``floor_s`` on: ``floor_calls``, ``floor_mean_s`` (arithmetic), ``log_mean``, ``log_sd``,
        ``ks`` and ``lognormal_mean_s`` = exp(log_mean + log_sd²/2). Shares, means and medians
        have ``_low`` and ``_high``.
    keys
        The key columns of ``rows``.
    law
        The lognormal law over all calls; None where it cannot be fitted.
    rivals
        Lognormal, gamma, Weibull and exponential laws over all calls, the closest first.
    times
        The counts themselves, over all calls.
    others
        How many keys with fewer calls are taken together as "all others".
    """

    overall: pl.DataFrame
    rows: pl.DataFrame
    keys: tuple[str, ...]
    law: Lognormal | None
    times: ValueCounts
    rivals: tuple[Fit, ...] = ()
    others: int = 0

    @property
    def mean(self) -> Estimate:
        """Mean of calls above 0 s, in seconds: what staffing needs."""
        return self._estimate("mean_s")

    @property
    def mean_with_zeros_s(self) -> float:
        """Mean over answered calls of at most a day, those of 0 s included.

        It is the AHT of the interval counts, unless these hold longer calls.
        """
        return self.times.mean

    @property
    def median(self) -> Estimate:
        """Median of calls above 0 s, in seconds: what a typical call takes."""
        return self._estimate("median_s")

    @property
    def short(self) -> Estimate:
        """Share of answered calls of at most ``short_s`` seconds."""
        return self._estimate("short_share")

    def largest(self, top: int | None = None) -> list[Any]:
        """Give the keys with most calls, for ``where`` of another question; one key column only.

        Raises
        ------
        InputError
            The times are not split by one key.
        """
        if len(self.keys) != 1:
            raise InputError("the times are not split by one key", f"by={list(self.keys)}", "")
        values = self.rows[self.keys[0]].to_list()
        return [value for value in values if not (self.others and value == OTHER)][:top]

    def histogram(self, per_doubling: int = 4) -> pl.DataFrame:
        """Give the histogram on a logarithmic axis, and the law's curve in the same measure.

        Parameters
        ----------
        per_doubling
            Bars per doubling of time; short times get wider bars, since seconds are whole.

        Returns
        -------
        polars.DataFrame
            from_s, to_s, middle_s, calls, share (of calls above 0 s), density (share per doubling
            of time, so that area is share) and law (density by the lognormal law, scaled to the
            share of calls from the floor on; null below the floor or without a law).
        """
        import polars as pl

        if isinstance(per_doubling, bool) or not 1 <= per_doubling <= 64:
            raise InputError("bars per doubling", f"per_doubling={per_doubling!r}", "from 1 to 64")
        timed = self.times.above(0)
        top = math.log2(timed.seconds.max() + 1)
        # Edges between whole seconds, each second in one bar.
        edges = np.unique(np.round(2 ** np.arange(0, top + 1 / per_doubling, 1 / per_doubling)))
        edges = np.append(0.5, edges + 0.5)
        calls, _ = np.histogram(timed.seconds, bins=edges, weights=timed.calls)
        width = np.diff(np.log2(edges))
        share = calls / timed.size
        law = np.full(calls.size, np.nan)
        if self.law is not None:
            floor = self.inputs["floor_s"]
            kept = timed.from_(floor).size / timed.size
            inside = edges[:-1] >= floor - 0.5
            law[inside] = (kept * np.diff(self.law.cdf(edges)) / width)[inside]
        used = np.flatnonzero(calls)
        span = slice(used[0], used[-1] + 1)
        return pl.DataFrame(
            {
                "from_s": edges[:-1],
                "to_s": edges[1:],
                "middle_s": np.sqrt(edges[:-1] * edges[1:]),
                "calls": calls.astype(int),
                "share": share,
                "density": share / width,
                "law": law,
            }
        ).with_columns(pl.col("law").fill_nan(None))[span]

    def table(self, names: Mapping[str, str | None] | None = None) -> pl.DataFrame:
        """Give what matters most, by key or in all, over calls above 0 s; names of keys beside."""
        import polars as pl

        means = ["mean_s", "mean_s_low", "mean_s_high", "median_s"]
        table = self.to_frame().select(
            *self.keys, pl.col("timed_calls").alias("calls"), *means, "sd_s", "p90_s", "short_share"
        )
        return with_names(table, self.keys[0], names) if self.keys else table

    def to_frame(self) -> pl.DataFrame:
        """Give one row per key, or one row in all without keys."""
        return self.rows if self.keys else self.overall

    def summary(self) -> str:
        """Say how long a call takes, how the times spread, and what was left out."""
        row = self.overall.row(0, named=True)
        part = self.inputs["part"]
        words = [
            f"{PARTS[part]} is {self.mean.value:.1f} s on the mean{_limits(self.mean, '.1f')}, "
            f"which staffing needs, and {self.median.value:g} s on the median"
            f"{_limits(self.median, 'g')}, which a typical call takes.",
            f"This is over {counted(row['timed_calls'], 'answered call')} with a time above 0 s; "
            f"one in ten takes longer than {row['p90_s']:,.0f} s"
            + (f", the standard deviation is {row['sd_s']:.1f} s." if row["sd_s"] else "."),
        ]
        words.append(
            f"{row['short_share']:.2%} of {counted(row['calls'], 'answered call')} take at most "
            f"{self.inputs['short_s']:g} s; {self._zeros(row['zero_calls'])}."
        )
        if self.law is not None:
            words.append(
                f"From {self.inputs['floor_s']:g} s on, the times {fit_in_words(self.law.ks)} a "
                f"lognormal law (log mean {self.law.log_mean:.3f}, log sd {self.law.log_sd:.3f}, "
                f"Kolmogorov–Smirnov distance {self.law.ks:.4f}), whose mean "
                f"exp(m + s²/2) is {self.law.mean_s:.1f} s beside {row['floor_mean_s']:.1f} s "
                "counted."
            )
        if self.rivals:
            words.append(self._closest())
        return " ".join(words)

    def _closest(self) -> str:
        """Say which law is closest, and how far off the others are."""
        best, *rest = self.rivals
        others = ", ".join(f"{fit.law} {fit.ks:.1%}" for fit in rest)
        return f"Of four laws the {best.law} is closest, {best.ks:.1%} off; {others}."

    def laws(self) -> pl.DataFrame:
        """Give the laws that were fitted from the floor on: law, its mean, and how far it is off.

        ``ks`` is the largest distance to the counted share at any length.
        """
        import polars as pl

        rows = [(fit.law, fit.mean_s, fit.ks) for fit in self.rivals]
        return pl.DataFrame(rows, schema=["law", "mean_s", "ks"], orient="row")

    def _zeros(self, zero: int) -> str:
        if not zero:
            return "none has 0 s"
        told = (
            "1 of them has 0 s and enters" if zero == 1 else f"{zero:,} of them have 0 s and enter"
        )
        # Interval counts hold calls of more than a day, which are left out here.
        whole = all(check.name != "longer than a day" for check in self.checks)
        same = ", the average handle time (AHT) of interval counts" if whole else ""
        return f"{told} no mean here; with these the mean is {self.mean_with_zeros_s:.1f} s{same}"

    def _estimate(self, name: str) -> Estimate:
        row = self.overall.row(0, named=True)
        value, low, high = (
            math.nan if row[f"{name}{end}"] is None else row[f"{name}{end}"]
            for end in ("", "_low", "_high")
        )
        return Estimate(value, low, high, self.inputs["level"])


def distribution(
    value_counts: Any,
    by: str | Iterable[str] = (),
    *,
    floor_s: float = 10,
    short_s: float = 10,
    part: str = "handle",
    most: int | None = 200,
    level: float = 0.95,
) -> HandleTimes:
    """Describe handle times from counts of whole seconds.

    Parameters
    ----------
    value_counts
        Frame of ``CallLog.handle_times``: seconds, calls, and keys; polars or pandas.
    by
        Key columns to split by.
    floor_s
        Seconds from which the lognormal law is fitted.
    short_s
        Seconds up to which a call is short.
    part
        What was timed, for the words: handle, talk, hold, wrap.
    most
        Keys to describe one by one, those with most calls; the others are taken together. None
        describes all.
    level
        Of the intervals, 0–1: Student's for means, exact ranks for medians, Wilson's for shares.

    Raises
    ------
    InputError
        A missing column or key, seconds or calls that are negative or not finite, a floor that is
        not above 0.
    DataError
        No call above 0 seconds.

    Examples
    --------
    >>> import polars as pl
    >>> times = distribution(pl.DataFrame({"seconds": [0, 30, 60, 120], "calls": [1, 5, 9, 5]}))
    >>> round(times.mean.value, 2), times.median.value, round(times.law.median_s, 1)
    (67.89, 60.0, 60.0)
    """
    level = check_level(level)
    for name, value in (("floor_s", floor_s), ("short_s", short_s)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e9:
            raise InputError("this must be seconds above 0", f"{name}={value!r}", "such as 10")
    check_part(part)
    frame, long = checked(value_counts, by)
    keys = [name for name in frame.columns if name not in ("seconds", "calls")]
    everything = as_counts(frame)
    if not everything.above(0).size:
        raise DataError(
            "no answered call has a time above 0 seconds",
            counted(everything.size, "call"),
            "look at whether the log knows this part: log.columns_filled('calls')",
        )
    settings = {"floor_s": floor_s, "short_s": short_s, "level": level}
    overall = _frame([_row((), [], everything, **settings)])
    shown, others = largest(frame, keys, most)
    groups = [_row(key, keys, as_counts(mine), **settings) for key, mine in grouped(shown, keys)]
    rows = ordered(_frame(groups), keys, others) if keys else overall
    law = fit_lognormal(everything.above(0), floor_s)
    return HandleTimes(
        inputs={"by": keys, "part": part, "most": most, **settings},
        checks=(
            *long,
            *doubts(everything, law, short_s, floor_s, level),
            *taken_together(keys, others, most),
        ),
        overall=overall,
        rows=rows,
        keys=tuple(keys),
        law=law,
        times=everything,
        rivals=fits(everything.above(0), floor_s),
        others=others,
    )


def _row(
    key: tuple[Any, ...],
    keys: list[str],
    times: ValueCounts,
    *,
    floor_s: float,
    short_s: float,
    level: float,
) -> dict[str, Any]:
    timed, long = times.above(0), times.from_(floor_s)
    short, zero = times.count_upto(short_s), times.size - timed.size
    short_low, short_high = wilson(short, times.size, level)
    mean_low, mean_high = timed.mean_limits(level)
    median_low, median_high = timed.median_limits(level)
    law = fit_lognormal(timed, floor_s)
    return {
        **dict(zip(keys, key, strict=True)),
        "calls": times.size,
        "zero_calls": zero,
        "zero_share": zero / times.size if times.size else math.nan,
        "short_calls": short,
        "short_share": short / times.size if times.size else math.nan,
        "short_share_low": short_low,
        "short_share_high": short_high,
        "timed_calls": timed.size,
        "mean_s": timed.mean,
        "mean_s_low": mean_low,
        "mean_s_high": mean_high,
        "sd_s": timed.sd,
        "median_s": timed.quantile(0.5),
        "median_s_low": median_low,
        "median_s_high": median_high,
        **{f"p{share}_s": timed.quantile(share / 100) for share in PERCENTILES},
        "floor_calls": long.size,
        "floor_mean_s": long.mean,
        "log_mean": law.log_mean if law else math.nan,
        "log_sd": law.log_sd if law else math.nan,
        "ks": law.ks if law else math.nan,
        "lognormal_mean_s": law.mean_s if law else math.nan,
    }


def _limits(estimate: Estimate, number: str) -> str:
    if math.isnan(estimate.low):
        return ""  # too few calls for limits
    level = f"{100 * estimate.level:g}% interval"
    return f" ({level} {estimate.low:{number}} to {estimate.high:{number}})"


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col(pl.Float64).fill_nan(None)
    )
