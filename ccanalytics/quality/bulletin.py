"""The daily bulletin: of all measures of all services, what deserves attention today."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.dates import read_dates
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.frames import (
    as_polars,
    check_counts,
    check_known,
    key_columns,
    label_of,
)
from ccanalytics.statistics.multiple import holm
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Bulletin", "bulletin"]

_ALL = "all calls"
_TIME = ("interval_start", "local_start", "utc_offset_s", "interval_s")
_NEEDS = ("local_start", "interval_s", "offered", "abandoned", "handled", "handle_s")
_SUMS = ["offered", "abandoned", "handled", "handle_s"]
_DAY_S = (82_800, 90_000)  # a day, and one on which clocks change
_FEWEST_WEEKS, _MOST_WEEKS = 4, 26
_WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
# Measure → what a point is made of, and the scale on which days are compared.
_MEASURES = {
    "calls": ("offered", None, "log"),
    "abandonment": ("abandoned", "offered", "angle"),
    "aht_s": ("handle_s", "handled", "log"),
}
_WORDS = {"calls": "offered calls", "abandonment": "abandonment", "aht_s": "average handle time"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Bulletin(Result):
    """What lies outside what is usual on one day.

    Attributes
    ----------
    day
        The day.
    items
        What deserves attention, the surest first, at most so many: ``key`` (all calls, or a
        service), ``measure``, ``value``, ``usual_low`` and ``usual_high`` (where such a day lies
        with the level's chance), ``p_value``, ``calls`` (what the value rests on).
    history
        Days of the items: ``key``, ``measure``, ``day``, ``value``.
    looked_at
        Every measure and key that was looked at, in the same columns, with ``position`` (0 at what
        is usual, ±1 at its limits) and ``stands_out``.
    more
        Items beyond the most that are shown.
    skipped
        Measures and keys with too few calls to judge.
    days
        Days that the usual rests on.
    """

    day: dt.date
    items: pl.DataFrame
    history: pl.DataFrame
    looked_at: pl.DataFrame
    more: int
    skipped: int
    days: int
    names: Mapping[str, str | None] = field(default_factory=dict)

    def headline(self) -> str:
        """Say in one sentence how much deserves attention."""
        when = f"{self.day:%A}, {self.day}"
        if not self.items.height:
            return (
                f"{when}: nothing lies outside what is usual, of "
                f"{counted(self.looked_at.height, 'measure')} looked at."
            )
        first = self._item(self.items.row(0, named=True))
        return (
            f"{when}: {counted(self.items.height + self.more, 'thing')} "
            f"{'deserves' if self.items.height + self.more == 1 else 'deserve'} attention; first, "
            f"{first}."
        )

    def summary(self) -> str:
        """Give the items with their evidence, and how often a day without cause has one."""
        rest = [self._item(row) for row in self.items.iter_rows(named=True)][1:]
        words = [self.headline()]
        if rest:
            more = f"; and {self.more:,} more" if self.more else ""
            words.append(f"Then {'; '.join(rest)}{more}.")
        words.append(
            f"Usual is what the {counted(self.days, 'day')} before gave for "
            f"{_WEEKDAYS[self.day.weekday()]}. All measures are looked at together (Holm), so "
            f"that at most one day in {1 / (1 - self.inputs['level']):.0f} has an item without a "
            "cause."
        )
        return " ".join(words)

    def table(self) -> pl.DataFrame:
        """Give the items in words, as the bulletin prints them."""
        return self._worded(self.items).with_row_index("item", offset=1)

    def everything(self) -> pl.DataFrame:
        """Give all that was looked at in words, the least usual first."""
        rows = self.looked_at.sort("p_value", "key", "measure")
        return self._worded(rows).hstack(rows.select("p_value", "position", "stands_out"))

    def _worded(self, frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        rows = [
            (self._label(row["key"]), _WORDS[row["measure"]], *_told(row), row["calls"])
            for row in frame.iter_rows(named=True)
        ]
        words = dict.fromkeys(["about", "measure", "today", "usual"], pl.String)
        return pl.DataFrame(rows, schema={**words, "calls": pl.Int64}, orient="row")

    def to_frame(self) -> pl.DataFrame:
        """Give everything that was looked at."""
        return self.looked_at

    def _label(self, key: str) -> str:
        return self.names.get(key) or key

    def _item(self, row: dict[str, Any]) -> str:
        today, usual = _told(row)
        side = "above" if row["value"] > row["usual_high"] else "below"
        return (
            f"{_WORDS[row['measure']]} of {self._label(row['key'])} {today}, {side} the usual "
            f"{usual}"
        )


def _told(row: dict[str, Any]) -> tuple[str, str]:
    form = {"calls": "{:,.0f}", "abandonment": "{:.1%}", "aht_s": "{:.0f}"}[row["measure"]]
    unit = " s" if row["measure"] == "aht_s" else ""
    low, high = form.format(row["usual_low"]), form.format(row["usual_high"])
    return form.format(row["value"]) + unit, f"{low} to {high}{unit}"


def bulletin(
    daily: Any,
    day: dt.date | str | None = None,
    *,
    weeks: int = 8,
    most: int = 5,
    min_calls: int = 50,
    exclude: Any = None,
    level: float = 0.95,
    names: Mapping[str, str | None] | None = None,
) -> Bulletin:
    """Find what lies outside what is usual on a day, of calls, abandonment and handle time.

    For every key and for all calls together each measure of the day is held against the weeks
    before: its weekday's habit there, and the spread of days about their habits (of counts and
    shares no less than chance alone makes it). Counts and times are compared on logs, shares on the
    angle arcsin √p; limits are those of a new day (Student's t, n less weekdays degrees of
    freedom). Items are what Holm's procedure leaves of all measures together.

    Parameters
    ----------
    daily
        Frame of ``CallLog.intervals("1d", by=[…])``; polars or pandas. Without a key, all calls.
    day
        The local day; default: the last one covered in full.
    weeks
        Weeks before it from which the usual comes, 4 to 26.
    most
        Items shown.
    min_calls
        Mean calls a day (offered, or handled) below which a measure is not looked at.
    exclude
        Days that are no usual ones, such as holidays: dates, or text like
        "2024-02-10..2024-02-17".
    level
        1 − level is the chance of an item on a day without a cause.
    names
        Names of keys, for the words.

    Raises
    ------
    InputError
        A frame without its columns or not of days, a day that it does not hold.
    DataError
        Fewer weeks before the day than two for its weekday, or nothing with calls enough.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6.
    """
    import polars as pl

    level = check_level(level)
    _whole("weeks", weeks, _FEWEST_WEEKS, _MOST_WEEKS)
    _whole("most", most, 1, 50)
    _whole("min_calls", min_calls, 1, 10**9)
    frame = as_polars(daily, "daily", _NEEDS, "log.intervals('1d', by=['service'])")
    numbers = [name for name, kind in frame.schema.items() if kind.is_numeric()]
    keys = key_columns(frame, [*_TIME, *numbers])
    frame = frame.with_columns(pl.col("offered", "abandoned", "handled", "handle_s").fill_null(0))
    check_counts(frame, ["offered", "abandoned", "handled", "handle_s"], "daily")
    check_known(frame, ["local_start", "interval_s"], "daily")
    lengths = frame["interval_s"]
    if frame.height and float(lengths.max()) > _DAY_S[1]:  # type: ignore[arg-type]
        raise InputError(
            "the bulletin is by day",
            f"an interval has {float(lengths.max()):,.0f} s",  # type: ignore[arg-type]
            "ask for every='1d'",
        )
    frame = frame.filter(lengths >= _DAY_S[0]).with_columns(
        _day=pl.col("local_start").cast(pl.Date),
        _key=_key_of(frame.filter(lengths >= _DAY_S[0]), keys),
    )
    today = _today(frame["_day"], day)
    away = read_dates(exclude)
    usual = sorted(
        each
        for each in frame["_day"].unique()
        if 0 < (today - each).days <= 7 * weeks and each not in away
    )
    of_weekday = sum(each.weekday() == today.weekday() for each in usual)
    if of_weekday < 2:
        raise DataError(
            "too few such weekdays before the day to say what is usual",
            f"{counted(of_weekday, 'day')} of the {weeks} weeks before {today}",
            "take more of the log, or exclude fewer days",
        )
    rows = frame.filter(pl.col("_day").is_in([*usual, today]))
    dates = [*usual, today]
    labels, amounts = _amounts(rows, dates, with_keys=bool(keys))
    looked: list[dict[str, Any]] = []
    skipped = 0
    for key, table in zip(labels, amounts, strict=True):
        for measure in _MEASURES:
            found = _judged(table, dates, measure, min_calls, level)
            skipped += found is None
            if found is not None:
                looked.append({"key": key, "measure": measure, **found})
    if not looked:
        raise DataError(
            "no measure has calls enough to be judged",
            f"min_calls={min_calls}",
            "lower min_calls, or group by something coarser",
        )
    told, items = _standing(
        [{k: v for k, v in row.items() if not k.startswith("_")} for row in looked], level
    )
    shown = set(items.head(most).select("key", "measure").iter_rows())
    return Bulletin(
        inputs={
            "day": today, "weeks": weeks, "most": most, "min_calls": min_calls,
            "exclude": sorted(away), "level": level,
        },
        checks=_cut_short(told, frame, today) + _checks(skipped, usual, weeks, away, today),
        day=today,
        items=items.head(most),
        history=pl.DataFrame(
            [
                (row["key"], row["measure"], each, float(value))
                for row in looked
                if (row["key"], row["measure"]) in shown
                for each, value in zip(row["_days"], row["_values"], strict=True)
            ],
            schema={"key": pl.String, "measure": pl.String, "day": pl.Date, "value": pl.Float64},
            orient="row",
        ),
        looked_at=told,
        more=max(items.height - most, 0),
        skipped=skipped,
        days=len(usual),
        names=names or {},
    )  # fmt: skip


def _amounts(
    rows: pl.DataFrame, dates: list[dt.date], *, with_keys: bool
) -> tuple[list[str], Floats]:
    """Names, and keys × sums × days: all calls first, then each key."""
    import polars as pl

    sums = rows.group_by("_key", "_day").agg(pl.col(_SUMS).sum().cast(pl.Float64))
    names = sums["_key"].unique().sort().to_list()
    at = sums.select(
        pl.col("_key").replace_strict(names, range(len(names)), return_dtype=pl.Int64),
        pl.col("_day").replace_strict(dates, range(len(dates)), return_dtype=pl.Int64),
    )
    each = np.zeros((len(names), len(_SUMS), len(dates)))
    each[at["_key"].to_numpy(), :, at["_day"].to_numpy()] = sums.select(_SUMS).to_numpy()
    total = each.sum(axis=0, keepdims=True)
    if not with_keys:
        return [_ALL], total
    return [_ALL, *names], np.concatenate([total, each])


def _judged(
    table: Floats, dates: list[dt.date], measure: str, min_calls: int, level: float
) -> dict[str, Any] | None:
    """One measure of the last day against the days before; None where calls are too few."""
    from scipy.special import stdtr, stdtrit

    above, below, scale = _MEASURES[measure]
    amount = table[_SUMS.index(above)]
    base = table[_SUMS.index(below or above)]
    if base[:-1].mean() < min_calls or (below and base[-1] <= 0):
        return None
    seen = base > 0
    if not below:
        amount, base = np.maximum(amount, 0.5), np.ones_like(amount)
        seen = np.ones_like(seen)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = amount / base
        y = np.log(share) if scale == "log" else np.arcsin(np.sqrt(np.clip(share, 0, 1)))
    seen &= np.isfinite(y)
    if not seen[-1]:
        return None
    weekday = np.array([each.weekday() for each in dates])
    usual = seen.copy()
    usual[-1] = False
    mine = usual & (weekday == weekday[-1])
    present = np.unique(weekday[usual])
    degrees = int(usual.sum()) - present.size
    if mine.sum() < 2 or degrees < 3:
        return None
    habit = np.zeros(7)
    for each in present:
        habit[each] = y[usual & (weekday == each)].mean()
    off = y[usual] - habit[weekday[usual]]
    # Days that were as good as equal do not make the next one surer than chance allows.
    spread = max(float(np.sqrt((off @ off) / degrees)), _chance(measure, table, mine))
    wide = spread * float(np.sqrt(1 + 1 / mine.sum()))
    centre = float(habit[weekday[-1]])
    distance = float(y[-1] - centre)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = float(2 * stdtr(degrees, -abs(np.divide(distance, wide)))) if distance else 1.0
    half = wide * float(stdtrit(degrees, 0.5 + level / 2))
    ends = centre + np.array([-1, 1]) * half
    low, high = np.exp(ends) if scale == "log" else np.sin(np.clip(ends, 0, np.pi / 2)) ** 2
    calls = table[_SUMS.index("offered" if measure != "aht_s" else "handled"), -1]
    return {
        "_days": [each for each, there in zip(dates, seen, strict=True) if there],
        "_values": share[seen],
        "value": float(share[-1]), "usual_low": float(low), "usual_high": float(high),
        "p_value": p, "position": distance / half if half else 0.0, "calls": int(calls),
    }  # fmt: skip


def _chance(measure: str, table: Floats, days: NDArray[np.bool_]) -> float:
    """Spread by chance alone: 1/√calls of the log of a count, 1/(2√offered) of a share's angle."""
    calls = float(table[_SUMS.index("offered"), days].mean())
    return {"calls": 1.0, "abandonment": 0.5}.get(measure, 0.0) / np.sqrt(max(calls, 1.0))


def _standing(looked: list[dict[str, Any]], level: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    import polars as pl

    frame = pl.DataFrame(looked, infer_schema_length=None)
    out = holm(frame["p_value"].to_numpy(), 1 - level)
    frame = frame.with_columns(stands_out=pl.Series(out))
    items = frame.filter(pl.col("stands_out")).sort("p_value", "calls", descending=[False, True])
    return frame, items.drop("stands_out")


def _key_of(frame: pl.DataFrame, keys: list[str]) -> pl.Series:
    import polars as pl

    if not keys:
        return pl.Series("_key", [_ALL] * frame.height, dtype=pl.String)
    return pl.Series("_key", [label_of(row) for row in frame.select(keys).iter_rows()])


def _today(days: pl.Series, day: dt.date | str | None) -> dt.date:
    if day is None:
        if days.is_empty():
            raise DataError("there is no day covered in full", "0 days", "take more of the log")
        return max(days.to_list())
    asked = read_dates(day, "day")
    if len(asked) != 1:
        raise InputError("the bulletin is of one day", f"day={day!r}", '"2024-06-03"')
    (today,) = asked
    if today not in set(days.to_list()):
        raise InputError(
            "this day is not covered in full by the frame",
            f"day={today}",
            f"it goes from {min(days.to_list())} to {max(days.to_list())}"
            if days.len()
            else "it is empty",
        )
    return today


def _whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(
            f"this must be a whole number from {low} to {high:,}", f"{name}={value!r}", str(low)
        )


def _cut_short(told: pl.DataFrame, frame: pl.DataFrame, today: dt.date) -> tuple[Check, ...]:
    """Doubt a last day with too few calls: the log may end within it."""
    few = told.filter((told["measure"] == "calls") & told["stands_out"] & (told["position"] <= 0))
    if today < frame["_day"].max() or _ALL not in few["key"]:  # type: ignore[operator]
        return ()
    said = "it is the log's last and has few calls: if the export was made during it, ask another"
    return (Check("the day itself", "fails", said),)


def _checks(
    skipped: int, usual: list[dt.date], weeks: int, away: Iterable[dt.date], today: dt.date
) -> tuple[Check, ...]:
    checks = []
    missing = 7 * weeks - len(usual)
    if missing:
        out = sum(0 < (today - each).days <= 7 * weeks for each in away)
        checks.append(
            Check("days before", "informs",
                  f"{len(usual):,} of {7 * weeks:,} are there" + (f", {out:,} were excluded" if out
                  else ""))
        )  # fmt: skip
    if today in set(away):
        checks.append(
            Check("the day itself", "informs", "it is one of the days that are no usual ones")
        )
    if skipped:
        checks.append(
            Check("too few calls", "informs",
                  f"{counted(skipped, 'measure')} of single keys cannot be judged")
        )  # fmt: skip
    checks.append(
        Check("trend", "informs",
              "weeks before are taken to be alike: where volume grows or a season turns, the "
              "newest days stand out for that")
    )  # fmt: skip
    return tuple(checks)
