"""Calls counted by whole seconds: moments and percentiles without a row per call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.schema import LONGEST_HANDLE_S
from ccanalytics.statistics.checking import normal_quantile
from ccanalytics.statistics.frames import (
    as_polars,
    check_counts,
    check_known,
    key_columns,
    key_names,
    over_a_day,
)
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.results import Check

__all__ = [
    "OTHER",
    "PARTS",
    "TIME_COLUMNS",
    "ValueCounts",
    "as_counts",
    "check_part",
    "checked",
    "grouped",
    "largest",
    "ordered",
]

PARTS = {
    "handle": "Handle time",
    "talk": "Talk time",
    "hold": "Hold time",
    "wrap": "After-call work",
}
"""Parts that can be timed, in words."""

OTHER = "all others"
"""Key under which the groups beyond the largest are taken together."""

TIME_COLUMNS = ("interval_start", "local_start", "utc_offset_s", "interval_s")


@dataclass(frozen=True, eq=False)
class ValueCounts:
    """Distinct seconds, rising, and how many calls took each.

    Examples
    --------
    >>> times = ValueCounts(np.array([10.0, 20.0, 40.0]), np.array([1.0, 2.0, 1.0]))
    >>> times.size, times.mean, times.quantile(0.5)
    (4, 22.5, 20.0)
    """

    seconds: NDArray[np.float64]
    calls: NDArray[np.float64]

    @property
    def size(self) -> int:
        """Number of calls."""
        return int(self.calls.sum())

    @property
    def mean(self) -> float:
        """Mean; nan without calls."""
        return float(self.seconds @ self.calls / self.size) if self.size else float("nan")

    @property
    def sd(self) -> float:
        """Standard deviation with divisor n − 1; nan below two calls."""
        if self.size < 2:
            return float("nan")
        return float(np.sqrt(((self.seconds - self.mean) ** 2) @ self.calls / (self.size - 1)))

    def from_(self, floor_s: float) -> ValueCounts:
        """Keep the calls of at least ``floor_s`` seconds."""
        keep = self.seconds >= floor_s
        return ValueCounts(self.seconds[keep], self.calls[keep])

    def above(self, seconds: float) -> ValueCounts:
        """Keep the calls that took longer than ``seconds``."""
        keep = self.seconds > seconds
        return ValueCounts(self.seconds[keep], self.calls[keep])

    def count_upto(self, seconds: float) -> int:
        """Count the calls of at most ``seconds``."""
        return int(self.calls[self.seconds <= seconds].sum())

    def quantile(self, share: float) -> float:
        """Give the value below which ``share`` of the calls lie, linear between two calls."""
        if not self.size:
            return float("nan")
        place = (self.size - 1) * share
        low, high = self._ranked(int(np.floor(place))), self._ranked(int(np.ceil(place)))
        return float(low + (high - low) * (place - np.floor(place)))

    def mean_limits(self, level: float) -> tuple[float, float]:
        """Give limits of the mean: mean ∓ t·sd/√n."""
        from scipy.special import stdtrit

        if self.size < 2:
            return float("nan"), float("nan")
        half = float(stdtrit(self.size - 1, 0.5 + level / 2)) * self.sd / np.sqrt(self.size)
        return self.mean - half, self.mean + half

    def median_limits(self, level: float) -> tuple[float, float]:
        """Give exact limits of the median: the calls ranked k and n + 1 − k.

        k is the largest rank with P(Binomial(n, ½) < k) ≤ (1 − level)/2; nan where there is none.
        """
        from scipy.special import bdtr

        n, tail = self.size, (1 - level) / 2
        k = max(0, int(n / 2 - normal_quantile(level) * np.sqrt(n) / 2) - 2)
        while k < n and bdtr(k, n, 0.5) <= tail:
            k += 1
        while k > 0 and bdtr(k - 1, n, 0.5) > tail:
            k -= 1
        if k < 1:
            return float("nan"), float("nan")
        return self._ranked(k - 1), self._ranked(n - k)

    def _ranked(self, rank: int) -> float:
        """Give the value of the call with that rank, from 0."""
        return float(self.seconds[np.searchsorted(np.cumsum(self.calls), rank, side="right")])


def checked(
    value_counts: Any, by: str | Iterable[str], *, weekly: bool = False
) -> tuple[pl.DataFrame, tuple[Check, ...]]:
    """Check a frame of value counts: keys…, local_start and interval_s if weekly, seconds, calls.

    Calls of more than a day are left out, and said to be.

    Raises
    ------
    InputError
        A missing column, a key that the frame lacks, seconds or calls that are negative or not
        finite.
    DataError
        No call is left.
    """
    import polars as pl

    needs = ["seconds", "calls", *(["local_start", "interval_s"] if weekly else [])]
    source = "log.handle_times(by=…, every='1w')" if weekly else "log.handle_times(by=…)"
    frame = as_polars(value_counts, "value_counts", needs, source)
    check_counts(frame, ["seconds", "calls"], "value_counts")
    keys = key_names(by)
    there = key_columns(frame, [*TIME_COLUMNS, "seconds", "calls"])
    for key in keys:
        if key not in there:
            raise InputError(
                "the value counts have no such key",
                f"by={key!r}",
                f"ask the log for it: log.handle_times(by=[{key!r}])"
                + (f", or take one of {', '.join(there)}" if there else ""),
            )
    if frame.select("seconds", "calls").null_count().sum_horizontal().item():
        raise InputError("seconds and calls must be known", "value_counts", "drop unknown rows")
    whole = ["local_start", "interval_s"] if weekly else []
    check_known(frame, whole, "value_counts")
    long = int(frame.filter(pl.col("seconds") > LONGEST_HANDLE_S)["calls"].sum())
    frame = frame.filter(pl.col("seconds") <= LONGEST_HANDLE_S)
    if long and not frame["calls"].sum():
        raise DataError(
            "no call has a time of at most a day",
            f"{counted(long, 'call')} longer than a day",
            "look at the units of the times: ccanalytics check",
        )
    return (
        frame.group_by([*keys, *whole, "seconds"])
        .agg(_sum("calls"))
        .sort([*keys, *whole, "seconds"])
    ), over_a_day(long)


def check_part(part: object) -> str:
    """Check the name of a part of handle time.

    >>> check_part("talk")
    'talk'
    """
    if not isinstance(part, str) or part not in PARTS:
        raise InputError("no such part", f"part={part!r}", "one of " + ", ".join(PARTS))
    return part


def largest(frame: pl.DataFrame, keys: list[str], most: int | None) -> tuple[pl.DataFrame, int]:
    """Keep the ``most`` groups with most calls, and take the others together.

    Returns the counts, the others under the key `OTHER` (of each key column), and how many groups
    those are. With one group too many nothing is gained, so it stays.
    """
    import polars as pl

    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        raise InputError(
            "the number of groups is whole, 1 or more", f"most={most!r}", "such as 200"
        )
    if not keys or most is None:
        return frame, 0
    sizes = (
        frame.group_by(keys)
        .agg(_sum("calls"))
        .sort("calls", *keys, descending=[True, *[False] * len(keys)])
    )
    left = sizes.height - most
    if left < 2:
        return frame, 0
    kept = sizes.head(most).select(*keys, pl.lit(value=True).alias("_kept"))
    measures = [name for name in frame.columns if name not in (*keys, "calls")]
    return (
        frame.join(kept, on=keys, how="left", nulls_equal=True)
        .with_columns(
            pl.when(pl.col("_kept").is_null())
            .then(pl.lit(OTHER))
            .otherwise(pl.col(key).cast(pl.String))
            .alias(key)
            for key in keys
        )
        .group_by([*keys, *measures])
        .agg(_sum("calls"))
        .sort([*keys, *measures])
        .select(frame.columns),
        left,
    )


def ordered(rows: pl.DataFrame, keys: list[str], others: int) -> pl.DataFrame:
    """Put the keys with most calls first, and those taken together last."""
    import polars as pl

    if not others:
        return rows.sort("calls", descending=True, maintain_order=True)
    last = pl.all_horizontal(pl.col(keys) == OTHER).fill_null(value=False)
    return rows.sort(last, "calls", descending=[False, True], maintain_order=True)


def grouped(frame: pl.DataFrame, keys: list[str]) -> Iterator[tuple[tuple[Any, ...], pl.DataFrame]]:
    """Go through the groups of a frame in order, with their keys; all of it without keys."""
    if not keys:
        yield (), frame
        return
    yield from frame.group_by(keys, maintain_order=True)


def as_counts(frame: pl.DataFrame) -> ValueCounts:
    """Take the columns seconds and calls as value counts."""
    seconds = frame["seconds"].to_numpy().astype(float)
    calls = frame["calls"].to_numpy().astype(float)
    if (np.diff(seconds) < 0).any():
        order = np.argsort(seconds, kind="stable")
        seconds, calls = seconds[order], calls[order]
    new = np.diff(seconds, prepend=np.nan) != 0
    if not new.all():
        calls = np.add.reduceat(calls, np.flatnonzero(new))
    return ValueCounts(seconds[new], calls)


def _sum(name: str) -> pl.Expr:
    import polars as pl

    return pl.col(name).sum()
