"""Why mean handle time changed: like calls take another time, or other calls come."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.handletime.doubts import taken_together
from ccanalytics.handletime.shapley import Factors, split_of
from ccanalytics.handletime.valuecounts import PARTS, check_part, checked, largest
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.frames import key_names, label_of, with_names
from ccanalytics.vocabulary import counted, term

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Mix", "mix"]

_FEWEST = 4  # intervals on each side for limits
_MOST_FACTORS = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Mix(Result):
    """A change of mean handle time, in what calls of a kind take and in which kinds come.

    Attributes
    ----------
    before, after
        Mean time per handled call above 0 s, seconds.
    change, rate, mix
        After less before; its part from calls of the same kind taking other times; its part from
        the mix. ``rate`` + ``mix`` = ``change``.
    factors
        One row per key column: ``factor``, ``mix_s`` with limits: its share of the mix.
    rows
        One row per kind: the keys, ``calls_before``, ``calls_after``, ``share_before``,
        ``share_after``, ``mean_before_s``, ``mean_after_s``, ``rate_s`` and ``mix_s``: what it
        adds to each part. ``mix_s`` counts against the mean of all, so that a kind longer than
        the mean adds where its share grows. ``fewer_calls`` is the side with fewer, if it has any.
    keys
        The key columns.
    split_on
        First day of the time after.
    """

    before: Estimate
    after: Estimate
    change: Estimate
    rate: Estimate
    mix: Estimate
    factors: pl.DataFrame
    rows: pl.DataFrame
    keys: tuple[str, ...]
    split_on: dt.date

    def headline(self) -> str:
        """Give the answer alone, in one sentence."""
        moved = self.change.value
        kinds = " and ".join(term(key).lower() for key in self.keys)
        told = (
            f"{PARTS[self.inputs['part']]} {_moved(moved)} from {self.split_on} on, from "
            f"{self.before.value:.1f} to {self.after.value:.1f} s"
        )
        if self.rows.height == 1:
            return f"{told}; all calls are of one {kinds}, so that no mix can have moved it."
        return (
            f"{told}: {_signed(self.rate)} since calls of the same {kinds} take "
            f"{'longer' if self.rate.value > 0 else 'less time'}, {_signed(self.mix)} since the "
            f"mix moved to {'longer' if self.mix.value > 0 else 'shorter'} ones"
            f"{_by_chance(self.rate, self.mix)}."
        )

    def summary(self) -> str:
        """Give the answer, what it hides, and the method."""
        words = [self.headline()]
        if self.rate.value * self.mix.value < 0 and abs(self.change.value) < 0.5 * abs(
            self.rate.value
        ):
            words.append(
                f"The mean of all hides {abs(self.rate.value) - abs(self.change.value):.1f} of "
                f"the {abs(self.rate.value):.1f} s by which like calls changed."
            )
        words.append(
            f"Kitagawa's decomposition over {counted(self.rows.height, 'kind')}: differences of "
            "times at the mean shares, differences of shares at the mean times; nothing is left "
            "over. Limits by leaving out one interval of the log at a time."
        )
        return " ".join(words)

    def table(
        self, names: Mapping[str, str | None] | None = None, top: int | None = None
    ) -> pl.DataFrame:
        """Give the kinds, those that move the mean most first; names of keys beside."""
        import polars as pl

        most = (pl.col("rate_s").abs() + pl.col("mix_s").abs()).alias("_most")
        rows = self.rows.sort(most, descending=True).head(top or self.rows.height)
        rows = rows.with_columns(pl.col("rate_s", "mix_s").round(2))
        return with_names(rows, self.keys[0], names)

    def to_frame(self) -> pl.DataFrame:
        """Give one row per kind."""
        return self.rows


def _by_chance(rate: Estimate, mix: Estimate) -> str:
    """Name the parts that chance alone may have made."""
    parts = [
        name
        for name, part in (("the first", rate), ("the second", mix))
        if not (np.isnan(part.low) or part.excludes_zero)
    ]
    return f"; {' and '.join(parts)} may be chance" if parts else ""


def _moved(seconds: float) -> str:
    size = f"{abs(seconds):.1f} s"
    return "hardly moved" if size == "0.0 s" else f"{'rose' if seconds > 0 else 'fell'} by {size}"


def _signed(seconds: Estimate) -> str:
    told = f"{seconds.value:+.1f} s".replace("-", "−")
    if np.isnan(seconds.low):
        return told
    limits = f"{seconds.low:+.1f} to {seconds.high:+.1f}".replace("-", "−")
    return f"{told} ({100 * seconds.level:g}% interval {limits})"


def mix(
    value_counts: Any,
    split_on: dt.date | str | None = None,
    by: str | Iterable[str] = ("service",),
    *,
    part: str = "handle",
    most: int | None = 200,
    level: float = 0.95,
) -> Mix:
    """Split a change of mean handle time into rate and mix.

    With pₖ the share of handled calls of kind k and hₖ its mean handle time, before and after:
    rate = Σ (pₖ + p'ₖ)/2 · (h'ₖ − hₖ) and mix = Σ (hₖ + h'ₖ)/2 · (p'ₖ − pₖ). Where kinds are
    cells of several factors, the mix is split among these: the share of a cell is the product of
    one term for each factor (Das Gupta), each term's change weighed over all orders in which the
    factors could have changed.

    Parameters
    ----------
    value_counts
        Frame of ``CallLog.handle_times(by=[…], every="1w")``, or of days; polars or pandas. Calls
        of 0 s are left out.
    split_on
        First local day of the time after; an interval that holds it within is left out. None
        takes the middle of the intervals.
    by
        Key columns that make kinds of calls.
    part
        What was timed, for the words: handle, talk, hold, wrap.
    most
        Kinds to tell apart, those with most calls; the others are taken together.
    level
        Of the limits, 0–1: jackknife over intervals on each side, Student's t.

    Raises
    ------
    InputError
        A frame without its columns, counts that cannot be, a day that is none.
    DataError
        No handled call before or after the day.

    References
    ----------
    Kitagawa (1955), Components of a difference between two rates, JASA 50; Das Gupta (1993),
    Standardization and decomposition of rates, U.S. Bureau of the Census P23-186.

    Examples
    --------
    >>> import datetime as dt, polars as pl
    >>> weeks = pl.DataFrame({
    ...     "local_start": [dt.datetime(2024, 1, 1)] * 2 + [dt.datetime(2024, 1, 8)] * 2,
    ...     "interval_s": [604800] * 4, "service": ["simple", "complex"] * 2,
    ...     "seconds": [90, 210, 90, 200], "calls": [300, 700, 230, 700]})
    >>> answer = mix(weeks, "2024-01-08")
    >>> round(answer.change.value, 2), round(answer.rate.value, 2), round(answer.mix.value, 2)
    (-1.2, -7.26, 6.06)
    """
    import polars as pl

    level, part = check_level(level), check_part(part)
    keys = _keys(by)
    frame, long = checked(value_counts, keys, weekly=True)
    frame = frame.filter(pl.col("seconds") > 0)
    day = _day(frame["local_start"], split_on)
    frame, left = _sided(frame, day)
    frame, others = largest(frame, keys, most)
    cells = _Cells.of(frame, keys, day)
    found = cells.parts(*cells.sums())
    half, degrees = cells.spread(level)

    def estimate(name: str, k: int | None = None) -> Estimate:
        value = found[name] if k is None else found[name][k]
        wide = half[name] if k is None else half[name][k]
        return Estimate(float(value), float(value - wide), float(value + wide), level)

    parts = [estimate("factors", k) for k in range(len(keys))]
    return Mix(
        inputs={"split_on": day, "by": keys, "part": part, "most": most, "level": level},
        checks=(*long, *_checks(cells, left, degrees), *taken_together(keys, others, most)),
        before=estimate("before"),
        after=estimate("after"),
        change=estimate("change"),
        rate=estimate("rate"),
        mix=estimate("mix"),
        factors=pl.DataFrame(
            [(k, p.value, p.low, p.high) for k, p in zip(keys, parts, strict=True)],
            schema=["factor", "mix_s", "mix_s_low", "mix_s_high"],
            orient="row",
        ),
        rows=cells.frame(found),
        keys=tuple(keys),
        split_on=day,
    )


def _keys(by: str | Iterable[str]) -> list[str]:
    keys = key_names(by)
    if not 1 <= len(keys) <= _MOST_FACTORS or len(set(keys)) < len(keys):
        raise InputError(
            "kinds of calls are made of one to five different columns",
            f"by={keys!r}",
            "['service']",
        )
    return keys


def _day(starts: pl.Series, value: dt.date | str | None) -> dt.date:
    if value is None:
        found = starts.unique().sort()
        if found.len() < 2:
            raise DataError(
                "one interval has no before and after",
                f"{counted(found.len(), 'interval')}",
                "ask the log for weeks or days",
            )
        middle = found[found.len() // 2]
        return middle.date() if isinstance(middle, dt.datetime) else middle
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise InputError("this must be a day", f"split_on={value!r}", "'2024-06-03'") from None


def _sided(frame: pl.DataFrame, day: dt.date) -> tuple[pl.DataFrame, int]:
    """Rows of intervals wholly before or after the day, and how many intervals hold it within."""
    import polars as pl

    start = pl.col("local_start").cast(pl.Datetime("us"))
    midnight = dt.datetime.combine(day, dt.time())
    # Length in whole days, so that a week with a change of clocks ends where the next begins.
    length = pl.duration(days=(pl.col("interval_s") / 86400).round().cast(pl.Int64))
    within = (start < midnight) & (start + length > midnight) & (pl.col("interval_s") > 43200)
    cut = frame.filter(within)["local_start"].n_unique()
    return frame.filter(~within), cut


@dataclass(frozen=True, eq=False)
class _Cells:
    """Calls and seconds: kinds × intervals, and which intervals are after the day."""

    calls: Floats
    seconds: Floats
    after: NDArray[np.bool_]
    kinds: pl.DataFrame
    keys: list[str]
    factors: Factors

    @classmethod
    def of(cls, frame: pl.DataFrame, keys: list[str], day: dt.date) -> _Cells:
        import polars as pl

        kinds = frame.select(keys).unique().sort(keys, nulls_last=True).with_row_index("_kind")
        starts = frame.select("local_start").unique().sort("local_start").with_row_index("_at")
        rows = (
            frame.join(kinds, on=keys, nulls_equal=True)
            .join(starts, on="local_start")
            .group_by("_kind", "_at")
            .agg(
                pl.col("calls").sum().cast(pl.Float64),
                total_s=(pl.col("seconds") * pl.col("calls")).sum().cast(pl.Float64),
            )
        )
        shape = (kinds.height, starts.height)
        calls, seconds = np.zeros(shape), np.zeros(shape)
        at = rows["_kind"].to_numpy(), rows["_at"].to_numpy()
        calls[at], seconds[at] = rows["calls"].to_numpy(), rows["total_s"].to_numpy()
        midnight = dt.datetime.combine(day, dt.time())
        after = (starts["local_start"].cast(pl.Datetime("us")) >= midnight).to_numpy()
        kinds = kinds.drop("_kind")
        found = cls(calls, seconds, after, kinds, keys, Factors(kinds))
        for side, name in ((~after, "before"), (after, "from")):
            if not calls[:, side].sum():
                raise DataError(
                    f"no handled call {name} this day" + (" on" if name == "from" else ""),
                    f"split_on={day}",
                    "choose a day within the log",
                )
        return found

    def sums(self) -> tuple[Floats, Floats]:
        """Calls and seconds, kinds × (before, after)."""
        sides = np.stack([~self.after, self.after], axis=1).astype(float)
        return self.calls @ sides, self.seconds @ sides

    def parts(self, n: Floats, s: Floats) -> dict[str, Any]:
        """All parts of the change, from calls and seconds by side."""
        with np.errstate(divide="ignore", invalid="ignore"):
            h = s / n
        # A kind without calls on one side has no time there: its change is of the mix alone.
        h = np.where(n > 0, h, h[:, ::-1])
        h = np.where(np.isfinite(h), h, 0.0)
        p = n / n.sum(axis=0)
        middle = h.mean(axis=1)
        rate = p.mean(axis=1) * (h[:, 1] - h[:, 0])
        means = s.sum(axis=0) / n.sum(axis=0)
        moved = p[:, 1] - p[:, 0]
        by_factor = split_of(*(self.factors.terms(n[:, side]) for side in (0, 1)))
        return {
            "before": means[0],
            "after": means[1],
            "change": means[1] - means[0],
            "rate": rate.sum(),
            "mix": float(middle @ moved),
            "factors": by_factor @ middle,
            "n": n, "p": p, "h": np.where(n > 0, h, np.nan),
            "rate_rows": rate, "mix_rows": (middle - means.mean()) * moved,
        }  # fmt: skip

    def spread(self, level: float) -> tuple[dict[str, Any], int]:
        """Half the width of each interval: the jackknife over the intervals of each side."""
        from scipy import stats

        told = ("before", "after", "change", "rate", "mix", "factors")
        sides = [np.flatnonzero(~self.after), np.flatnonzero(self.after)]
        if min(map(len, sides)) < _FEWEST:
            return {n: np.full(len(self.keys), np.nan) if n == "factors" else np.nan
                    for n in told}, 0  # fmt: skip
        n, s = self.sums()
        variance: dict[str, Any] = dict.fromkeys(told, 0.0)
        for side, members in enumerate(sides):
            rows: dict[str, list[Any]] = {name: [] for name in told}
            for each in members:
                less, gone = n.copy(), s.copy()
                less[:, side] -= self.calls[:, each]
                gone[:, side] -= self.seconds[:, each]
                if less[:, side].sum() <= 0:
                    continue
                some = self.parts(less, np.maximum(gone, 0.0))
                for name in told:
                    rows[name].append(some[name])
            count = len(rows["rate"])
            for name in told:
                values = np.array(rows[name])
                off = values - values.mean(axis=0)
                variance[name] = variance[name] + (count - 1) / count * (off**2).sum(axis=0)
        degrees = self.after.size - 2
        wide = float(stats.t.ppf((1 + level) / 2, degrees))
        return {name: wide * np.sqrt(variance[name]) for name in told}, degrees

    def frame(self, found: dict[str, Any]) -> pl.DataFrame:
        import polars as pl

        n, p, h = found["n"], found["p"], found["h"]
        return self.kinds.with_columns(
            calls_before=pl.Series(n[:, 0].astype(np.int64)),
            calls_after=pl.Series(n[:, 1].astype(np.int64)),
            share_before=pl.Series(p[:, 0]), share_after=pl.Series(p[:, 1]),
            mean_before_s=pl.Series(h[:, 0]), mean_after_s=pl.Series(h[:, 1]),
            rate_s=pl.Series(found["rate_rows"]), mix_s=pl.Series(found["mix_rows"]),
            fewer_calls=pl.Series(np.where((n > 0).all(axis=1), n.min(axis=1), n.max(axis=1))),
        ).with_columns(
            pl.col("mean_before_s", "mean_after_s").fill_nan(None),
            pl.col("fewer_calls").cast(pl.Int64),
        ).filter(
            (pl.col("calls_before") > 0) | (pl.col("calls_after") > 0)
        )  # fmt: skip


def _checks(cells: _Cells, left: int, degrees: int) -> tuple[Check, ...]:
    checks = []
    n, _ = cells.sums()
    one_sided = int(((n == 0).any(axis=1) & (n > 0).any(axis=1)).sum())
    if one_sided:
        names = [
            label_of(row)
            for row, seen in zip(
                cells.kinds.iter_rows(), (n == 0).any(axis=1) & (n > 0).any(axis=1), strict=True
            )
            if seen
        ]
        checks.append(
            Check("Kinds on one side alone", "informs",
                  f"{', '.join(names[:5])}{' and others' if len(names) > 5 else ''}: their change "
                  "is of the mix")
        )  # fmt: skip
    if not degrees:
        checks.append(
            Check("Limits", "fails",
                  f"{counted(int((~cells.after).sum()), 'interval')} before and "
                  f"{int(cells.after.sum()):,} after are too few to say how much is chance; "
                  f"{_FEWEST} on each side are needed")
        )  # fmt: skip
    if left:
        checks.append(
            Check("Interval cut", "informs",
                  f"{counted(left, 'interval')} with that day within it left out")
        )  # fmt: skip
    checks.append(
        Check("Season", "informs",
              "two times of the year are compared: where call kinds come by season, take the same "
              "weeks of another year")
    )  # fmt: skip
    return tuple(checks)
