"""A typical day, or week: the mean of many days, with each day kept so that doubts can be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.staffing import _days
from ccanalytics.staffing._closed import ClosedDays, left_out
from ccanalytics.staffing._days import LOCAL, WEEKDAYS
from ccanalytics.staffing._seats import counted, on_day
from ccanalytics.statistics.frames import over_a_day

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import polars as pl

    Dates = str | date | Iterable[str | date] | None

__all__ = ["TypicalDemand", "typical_day", "typical_week"]


@dataclass(frozen=True, eq=False, kw_only=True)
class TypicalDemand(Result):
    """Mean demand by time of day, over the days it was taken from.

    Attributes
    ----------
    demand
        Demand frame of one day (or of a week, with the key ``weekday``): ``interval_start``,
        ``local_start``, ``utc_offset_s``, ``interval_s``, keys, mean ``calls``, call-weighted
        ``aht_s``, and ``cv`` over the days. It is dated on the last such day of the span.
    counts
        What the means were taken from: keys, ``clock``, ``date``, ``calls``, ``aht_s``.
    dates
        The days, ascending.
    keys
        Names of the key columns.
    name
        What it is, such as "average Wednesday".
    time_zone
        Of the wall clock.
    lacks
        What the log never recorded of a handle time, such as "after-call work"; may be empty.
    """

    demand: pl.DataFrame
    counts: pl.DataFrame
    dates: tuple[date, ...]
    keys: tuple[str, ...]
    name: str
    time_zone: str
    lacks: str = ""

    def describe(self) -> str:
        """Name it with its days, as reports do."""
        return f"{self.name} ({self.describe_days()})"

    def describe_days(self) -> str:
        """Say how many days there are, from when to when."""
        first, last = on_day(self.dates[0]), on_day(self.dates[-1])
        if len(self.dates) == 1:
            return f"one day only, {first}"
        return f"{len(self.dates)} days from {first} to {last}"

    def describe_hours(self) -> str:
        """Say which hours of the day are in it, if not all."""
        hours = self.inputs["hours"]
        whole = hours is None or tuple(map(str, hours)) in {("00:00", "24:00"), ("00:00", "00:00")}
        return "" if whole else f"{hours[0]} to {hours[1]}"

    def summary(self) -> str:
        """Volume and peak in words, and how the mean was taken."""
        per_day = self.demand["calls"].sum() / (7 if "weekday" in self.keys else 1)
        top = self.demand.row(int(self.demand["calls"].arg_max() or 0), named=True)
        weekday = f"{WEEKDAYS[top['weekday'] - 1]} " if "weekday" in self.keys else ""
        name = self.describe()
        return (
            f"{name[:1].upper()}{name[1:]}: {per_day:,.0f} calls a day, the busiest interval from "
            f"{weekday}{top['local_start']:%H:%M} with {top['calls']:,.1f} in "
            f"{top['interval_s'] / 60:g} minutes. Mean over days of the same local time of day, "
            "an interval without calls counted as zero; handle times weighted by calls."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the demand."""
        return self.demand


def typical_day(
    demand: Any,
    *,
    time_zone: str,
    weekdays: int | Iterable[int] | Literal["busiest"] | None = None,
    aht_s: float | None = None,
    hours: tuple[str, str] | None = None,
    exclude: Dates = None,
    closed_days: ClosedDays = "leave out",
    recorded: Collection[str] | None = None,
) -> TypicalDemand:
    """Give the mean day: per local time of day, the mean over days of calls.

    A day inside the frame's span on which the interval does not appear had no calls then and
    counts as zero. A day without any call at all, where its weekday usually has 10 or more, was
    closed or is missing from the log: it is left out, and a check names it. A time that a clock
    change skipped does not count at all, one that it doubled counts twice. Handle times are
    weighted by calls.

    Parameters
    ----------
    demand
        Frame of ``log.demand(every)``, with or without keys: intervals of one length below a day.
    time_zone
        IANA name of the centre's wall clock, such as ``log.time_zone``.
    weekdays
        Which days: 1 (Monday) to 7, or several; ``"busiest"`` takes the weekday with the most
        calls a day; None takes all days together.
    aht_s
        Use this handle time instead of the measured ones, in seconds.
    hours
        Opening hours by the wall clock, such as ``("07:00", "24:00")``; intervals that begin
        outside are left out, and the calls in them counted in a check. None takes all.
    exclude
        Local dates to leave out: a date, text such as ``"2024-02-10..2024-02-17, 2024-05-01"``
        (both ends of a range included), or a list of these.
    closed_days
        Days without any call: ``"leave out"`` of every mean, or count as ``"zero"``.
    recorded
        Columns of the calls that the log ever fills (``log.columns_filled("calls")``): if
        after-call work is not among them, the answer says that handle times lack it. None does
        not look, and nor does a handle time of your own (``aht_s``).

    Raises
    ------
    InputError
        A frame of another form, intervals of several lengths, no such weekday or time zone.
    DataError
        No such day in the span, or no handle time known anywhere.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timezone
    >>> start = [datetime(2025, 3, day, 9, tzinfo=timezone.utc) for day in (3, 10)]
    >>> frame = pl.DataFrame({"interval_start": start, "interval_s": [3600, 3600],
    ...                       "calls": [10, 30], "aht_s": [100.0, 200.0]})
    >>> day = typical_day(frame, weekdays=1, time_zone="UTC")
    >>> day.demand.select("calls", "aht_s").row(0)
    (20.0, 175.0)
    """
    rows, keys = _days.read(demand, time_zone, aht_s)
    whole, (out, _) = rows, left_out(rows, exclude, closed_days)
    rows, outside = _days.within(rows, hours)
    chosen, name = _days.choose(rows, weekdays, out)
    _, checks = left_out(whole, exclude, closed_days, chosen)
    checks = [*checks, *_never_closed(rows, aht_s, chosen, out)]
    asked = {"weekdays": chosen, "time_zone": time_zone, "aht_s": aht_s, "hours": hours,
             "exclude": sorted(out), "lacks": _lacks(recorded, aht_s)}  # fmt: skip
    return _mean(rows, keys, f"average {name}", asked, [*checks, *outside])


def typical_week(
    demand: Any,
    *,
    time_zone: str,
    aht_s: float | None = None,
    hours: tuple[str, str] | None = None,
    exclude: Dates = None,
    closed_days: ClosedDays = "leave out",
    recorded: Collection[str] | None = None,
) -> TypicalDemand:
    """Give the mean week: :func:`typical_day` of each weekday, with the key ``weekday``."""
    import polars as pl

    rows, keys = _days.read(demand, time_zone, aht_s)
    out, checks = left_out(rows, exclude, closed_days)
    rows, outside = _days.within(rows, hours)
    if "weekday" in keys:
        raise InputError("the frame has a key called weekday already", "column 'weekday'")
    rows = rows.with_columns(weekday=pl.col("_date").dt.weekday().cast(pl.Int64))
    every = tuple(range(1, 8))
    checks = [*checks, *_never_closed(rows, aht_s, every, out)]
    asked = {"weekdays": every, "time_zone": time_zone, "aht_s": aht_s, "hours": hours,
             "exclude": sorted(out), "lacks": _lacks(recorded, aht_s)}  # fmt: skip
    return _mean(rows, ("weekday", *keys), "average week", asked, [*checks, *outside])


def _never_closed(
    rows: pl.DataFrame, aht_s: float | None, weekdays: tuple[int, ...], out: Collection[Any]
) -> tuple[Check, ...]:
    """Name calls over a day, which are in the volume but in no measured handle time."""
    import polars as pl

    if aht_s is not None or "over_a_day" not in rows.columns:
        return ()
    weekday = pl.col("_date").dt.weekday().is_in(weekdays)
    mine = rows.filter(weekday, ~pl.col("_date").is_in(list(out)))
    return over_a_day(int(mine["over_a_day"].sum()), "counted without that time")


def _lacks(recorded: Collection[str] | None, aht_s: float | None) -> str:
    if isinstance(recorded, str):
        raise InputError("recorded is a list of columns", f"recorded={recorded!r}", "")
    known = recorded is None or aht_s is not None or "wrap_s" in recorded
    return "" if known else "after-call work"


def _mean(
    rows: pl.DataFrame,
    keys: tuple[str, ...],
    name: str,
    asked: dict[str, Any],
    others_said: list[Check],
) -> TypicalDemand:
    import polars as pl

    weekdays, time_zone = asked["weekdays"], asked["time_zone"]

    days = _days.span(rows).filter(pl.col("_date").dt.weekday().is_in(weekdays))
    names = ", ".join(WEEKDAYS[n - 1] for n in weekdays)
    if days.is_empty():
        raise DataError(f"the span has no {names}", f"{rows.height} intervals", "widen it")
    days = days.filter(~pl.col("_date").is_in(asked["exclude"]))
    if days.is_empty():
        raise DataError(
            f"every {names} of the span is left out",
            f"{len(asked['exclude'])} days left out",
            "leave some in, or widen the span",
        )
    weekly = "weekday" in keys and "weekday" in rows.columns
    others = [key for key in keys if not (weekly and key == "weekday")]
    grid = days.join(_clocks(rows, asked["hours"]), how="cross")
    if others:
        grid = grid.join(rows.select(others).unique(), how="cross")
    if weekly:
        grid = grid.with_columns(weekday=pl.col("_date").dt.weekday().cast(pl.Int64))
    exists = (
        pl.col("_date")
        .dt.combine(pl.col("_clock"))
        .dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
        .dt.convert_time_zone("UTC")
    )
    first, last = rows["interval_start"].min(), rows["interval_start"].max()
    join = [*keys, "_date", "_clock"]
    seen = (
        grid.join(rows.select(*join, "calls", "aht_s"), on=join, how="left", nulls_equal=True)
        .with_columns(_utc=exists)
        .filter(
            pl.col("calls").is_not_null()
            | (pl.col("_utc").is_not_null() & pl.col("_utc").is_between(first, last))
        )
        .with_columns(pl.col("calls").fill_null(0.0))
        .sort(*keys, "_clock", "_date")
    )
    handled = (pl.col("calls") * pl.col("aht_s")).sum() / pl.col("calls").sum()
    means = seen.group_by(*keys, "_clock", maintain_order=True).agg(
        pl.col("calls").mean().alias("calls"),
        handled.fill_nan(None).alias("aht_s"),
        (pl.col("calls").std() / pl.col("calls").mean()).fill_nan(None).alias("cv"),
    )
    dated = _dated(means, days, weekly, time_zone).with_columns(
        interval_s=pl.lit(rows["interval_s"][0])
    )
    dates = tuple(seen["_date"].unique().sort().to_list())
    return TypicalDemand(
        demand=dated.select("interval_start", *LOCAL, "interval_s", *keys, "calls", "aht_s", "cv"),
        counts=seen.select(
            *keys,
            clock=pl.col("_clock").dt.strftime("%H:%M"),
            date="_date",
            calls="calls",
            aht_s="aht_s",
        ),
        dates=dates,
        keys=keys,
        name=name,
        time_zone=time_zone,
        lacks=asked["lacks"],
        inputs=asked,
        checks=(*_checks(dates, weekly), *_time_check(asked["lacks"]), *others_said),
    )


def _clocks(rows: pl.DataFrame, hours: tuple[str, str] | None) -> pl.DataFrame:
    """Give the times of day of every interval from the first to the last that the frame has.

    A sparse frame has no row where nobody ever called; such an interval needs nobody, and is
    shown so.
    """
    import polars as pl

    step = int(rows["interval_s"][0])
    seen = rows.select("_clock").unique()
    second = pl.col("_clock").cast(pl.Duration).dt.total_seconds()
    low, high, offsets = rows.select(
        second.min().alias("low"), second.max().alias("high"), (second % step).n_unique()
    ).row(0)
    if offsets > 1:
        return seen  # intervals that do not stand on one grid
    full = pl.select(_clock=pl.int_range(low, high + 1, step) * 1_000_000_000).select(
        pl.col("_clock").cast(pl.Time)
    )
    return _days.within(full.with_columns(calls=0.0), hours)[0].select("_clock")


def _dated(means: pl.DataFrame, days: pl.DataFrame, weekly: bool, time_zone: str) -> pl.DataFrame:
    """Date the means on the last such day whose clock does not change."""
    import polars as pl

    if weekly:
        on = {n: _plain_day(days["_date"].filter(days["_date"].dt.weekday() == n), time_zone)
              for n in days["_date"].dt.weekday().unique().to_list()}  # fmt: skip
        day = pl.col("weekday").replace_strict(on, return_dtype=pl.Date)
    else:
        day = pl.lit(_plain_day(days["_date"], time_zone))
    local = day.dt.combine(pl.col("_clock"), "us")
    aware = pl.col("local_start").dt.replace_time_zone(time_zone)
    return means.with_columns(local_start=local).with_columns(
        interval_start=aware.dt.convert_time_zone("UTC"),
        utc_offset_s=(aware.dt.base_utc_offset() + aware.dt.dst_offset()).dt.total_seconds(),
    )


def _plain_day(dates: pl.Series, time_zone: str) -> date:
    from datetime import datetime, time

    zone = ZoneInfo(time_zone)
    for day in [*reversed(dates.to_list()), *(dates[0] - timedelta(7 * k) for k in range(1, 60))]:
        ends = [datetime.combine(d, time(), zone).utcoffset() for d in (day, day + timedelta(1))]
        if ends[0] == ends[1]:
            return day
    return dates[-1]  # pragma: no cover  (a zone that changes its clock on every such day)


def _checks(dates: tuple[date, ...], weekly: bool) -> tuple[Check, ...]:
    per = len(dates) / 7 if weekly else len(dates)
    enough = per >= 4
    return (
        Check(
            "Days behind the mean",
            "holds" if enough else "fails",
            counted(len(dates), "day")
            + (f", {_few(per)} of each weekday" if weekly else "")
            + ("" if enough else ": too few to tell a habit from an accident"),
        ),
    )


def _few(number: float) -> str:
    """Write a mean of days: whole where it is.

    >>> _few(6.0), _few(5.857)
    ('6', '5.9')
    """
    return f"{round(number, 1):g}"


def _time_check(lacks: str) -> list[Check]:
    if not lacks:
        return []
    words = (
        f"this log never recorded {lacks}, so handle times are too short and the seats are a "
        "lower bound; give aht_s with it to plan for it"
    )
    return [Check(lacks.capitalize(), "fails", words)]
