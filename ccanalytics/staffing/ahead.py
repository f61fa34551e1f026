"""Demand ahead by the plain rule: the mean of the last four same weekdays, times growth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ccanalytics.errors import DataError, InputError, share_hint
from ccanalytics.results import Check, Result
from ccanalytics.staffing import _days
from ccanalytics.staffing._closed import ClosedDays, left_out
from ccanalytics.staffing._days import LOCAL, WEEKDAYS
from ccanalytics.staffing._seats import check_number, counted, on_day

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    Dates = str | date | Iterable[str | date] | None

__all__ = ["DemandAhead", "ahead"]

_SAME = 4
# A day of which the frame lacks so much of what its weekday usually brings is not whole.
_LACKING = 0.02


@dataclass(frozen=True, eq=False, kw_only=True)
class DemandAhead(Result):
    """A plain forecast: demand of the coming weeks as the last ones were.

    Attributes
    ----------
    demand
        Demand frame of the coming days: ``interval_start``, ``local_start``, ``utc_offset_s``,
        ``interval_s``, keys, ``calls``, ``aht_s`` and ``cv`` over the four days of each mean.
    past
        Calls of every local day the rule could look at: ``date``, ``calls``, and whether the day
        is ``used`` in a mean.
    dates
        The coming days, ascending; days named as closed are not among them.
    keys
        Names of the key columns.
    name
        Says that the forecast is plain.
    time_zone
        Of the wall clock.
    """

    demand: pl.DataFrame
    past: pl.DataFrame
    dates: tuple[date, ...]
    keys: tuple[str, ...]
    time_zone: str
    name: str = "plain forecast"

    def daily(self) -> pl.DataFrame:
        """Give calls by coming local day: date, calls."""
        import polars as pl

        return (
            self.demand.group_by(pl.col("local_start").dt.date().alias("date"))
            .agg(pl.col("calls").sum())
            .sort("date")
        )

    def summary(self) -> str:
        """Volume and busiest day in words, and how plain the rule is."""
        days = self.daily()
        calls = days["calls"].to_list()
        top = days.row(int(days["calls"].arg_max() or 0), named=True)
        growth = self.inputs["growth"]
        times = f", times {1 + growth:.4g} for growth" if growth else ""
        day = top["date"]
        return (
            f"Plain forecast, {on_day(self.dates[0])} to {on_day(self.dates[-1])}: "
            f"{sum(calls):,.0f} calls, {sum(calls) / len(calls):,.0f} a day; the busiest day "
            f"is {WEEKDAYS[day.weekday()]} {on_day(day)} with {top['calls']:,.0f}. Each interval "
            f"is the mean of the last four same weekdays at the same local time{times}: no trend, "
            "no season, no holidays."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the demand."""
        return self.demand


def ahead(
    demand: Any,
    weeks: int,
    *,
    time_zone: str,
    growth: float = 0.0,
    aht_s: float | None = None,
    hours: tuple[str, str] | None = None,
    exclude: Dates = None,
    closed_days: ClosedDays = "leave out",
) -> DemandAhead:
    """Forecast the coming weeks plainly: mean of the last four same weekdays × (1 + growth).

    The coming days begin on the local day after the frame's last. Each interval's calls are the
    mean, over the last four days of the same weekday, of the same local time; its handle time is
    weighted by calls; its ``cv`` is the standard deviation over the mean of the four. Days
    without any call where their weekday usually has 10 or more, days excluded, and a first or
    last day that the frame does not hold whole are skipped, and earlier ones taken instead. A
    time that a clock change skips has no interval, one that it doubles has two.

    Parameters
    ----------
    demand
        Frame of ``log.demand(every)``, with or without keys: intervals of one length, an hour at
        most.
    weeks
        How many weeks ahead, 1 to 104.
    time_zone
        IANA name of the centre's wall clock, such as ``log.time_zone``.
    growth
        Change of the volume against the past, a share: 0.05 for 5% more.
    aht_s
        Use this handle time instead of the measured ones, in seconds.
    hours
        Opening hours by the wall clock; see :func:`typical_day`.
    exclude
        Local dates left out: past ones of the means, coming ones of the forecast.
    closed_days
        See :func:`typical_day`.

    Raises
    ------
    InputError
        A frame of another form, or an argument outside its range.
    DataError
        A weekday of which fewer than four days are left to look at.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timedelta, timezone
    >>> start = [datetime(2025, 3, 3, 9, tzinfo=timezone.utc) + timedelta(d) for d in range(28)]
    >>> frame = pl.DataFrame({"interval_start": start, "interval_s": 3600, "aht_s": 180.0,
    ...                       "calls": [10.0 + d // 7 for d in range(28)]})
    >>> coming = ahead(frame, 1, time_zone="UTC", growth=0.10)
    >>> str(coming.demand["local_start"][0]), round(coming.demand["calls"][0], 4)
    ('2025-03-31 09:00:00', 12.65)
    """
    import polars as pl

    if isinstance(weeks, bool) or not isinstance(weeks, int) or not 1 <= weeks <= 104:
        raise InputError("weeks ahead are a whole number from 1 to 104", f"weeks={weeks!r}")
    rate = check_number("growth", growth)
    if not -1 < rate <= 1:
        hint = share_hint(rate, "-0.1 is a tenth less")
        raise InputError("growth is a share above -1 and at most 1", f"growth={growth!r}", hint)
    rows, keys = _days.read(demand, time_zone, aht_s)
    step = int(rows["interval_s"][0])
    if step > 3600:
        raise InputError(
            "a forecast by local time needs intervals of an hour or less",
            f"interval_s={step}",
            'roll up by "1h", "30min" or "15min"',
        )
    out, checks = left_out(rows, exclude, closed_days)
    cut = _cut_days(rows)
    last_day: Any = rows["_date"].max()
    rows, outside = _days.within(rows, hours)
    used = _last_four(rows, out | frozenset(cut), last_day)
    means = _means(rows, keys, used, time_zone).with_columns(pl.col("calls") * (1 + rate))
    days = [last_day + timedelta(n) for n in range(1, 7 * weeks + 1)]
    coming = [day for day in days if day not in out]
    if not coming:
        raise DataError("every coming day is left out", f"exclude={exclude!r}", "leave some in")
    frame = _coming(coming, means, step, time_zone, keys)
    past = (
        rows.group_by(pl.col("_date").alias("date"))
        .agg(pl.col("calls").sum())
        .sort("date")
        .with_columns(used=pl.col("date").is_in([d for four in used.values() for d in four]))
    )
    return DemandAhead(
        demand=frame,
        past=past,
        dates=tuple(coming),
        keys=keys,
        time_zone=time_zone,
        inputs={
            "weeks": weeks,
            "growth": rate,
            "time_zone": time_zone,
            "aht_s": aht_s,
            "hours": hours,
            "exclude": sorted(out),
        },
        checks=(*_told(used, last_day, cut, len(days) - len(coming)), *checks, *outside),
    )


def _cut_days(rows: pl.DataFrame) -> list[date]:
    """Find whether the first or the last day of the frame is not whole."""
    import polars as pl

    first, last = rows["_date"].min(), rows["_date"].max()
    cut = []
    for day, lacking in (
        (first, pl.col("_clock") < rows.filter(pl.col("_date") == first)["_clock"].min()),
        (last, pl.col("_clock") > rows.filter(pl.col("_date") == last)["_clock"].max()),
    ):
        others = rows.filter((pl.col("_date") != day) & (pl.col("_date").dt.weekday()
                                                         == pl.lit(day).dt.weekday()))  # fmt: skip
        usual = float(others["calls"].sum())
        if usual and float(others.filter(lacking)["calls"].sum()) > _LACKING * usual:
            cut.append(day)
    return cut  # type: ignore[return-value]


def _last_four(rows: pl.DataFrame, out: frozenset[date], last: date) -> dict[int, list[date]]:
    first: Any = rows["_date"].min()
    used: dict[int, list[date]] = {}
    for weekday in range(1, 8):
        day = last - timedelta((last.isoweekday() - weekday) % 7)
        four: list[date] = []
        while day >= first and len(four) < _SAME:
            if day not in out:
                four.append(day)
            day -= timedelta(7)
        if len(four) < _SAME:
            raise DataError(
                "a plain forecast takes the last four same weekdays, and there are fewer",
                f"{counted(len(four), WEEKDAYS[weekday - 1])} left of {on_day(first)} to "
                f"{on_day(last)}",
                "give a log of four whole weeks or more, or exclude fewer days",
            )
        used[weekday] = four
    return used


def _means(
    rows: pl.DataFrame, keys: tuple[str, ...], used: dict[int, list[date]], time_zone: str
) -> pl.DataFrame:
    """Give the mean of the days used, by keys, weekday and clock; a day without the row is 0."""
    import polars as pl

    days = pl.DataFrame({"_date": [d for four in used.values() for d in four]})
    grid = days.join(rows.select("_clock").unique(), how="cross")
    if keys:
        grid = grid.join(rows.select(keys).unique(), how="cross")
    exists = (
        pl.col("_date")
        .dt.combine(pl.col("_clock"))
        .dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
        .is_not_null()
    )
    handled = (pl.col("calls") * pl.col("aht_s")).sum() / pl.col("calls").sum()
    join = [*keys, "_date", "_clock"]
    return (
        grid.filter(exists)
        .join(rows.select(*join, "calls", "aht_s"), on=join, how="left", nulls_equal=True)
        .with_columns(
            pl.col("calls").fill_null(0.0), _weekday=pl.col("_date").dt.weekday().cast(pl.Int64)
        )
        .group_by(*keys, "_weekday", "_clock")
        .agg(
            pl.col("calls").mean(),
            handled.fill_nan(None).alias("aht_s"),
            (pl.col("calls").std() / pl.col("calls").mean()).fill_nan(None).alias("cv"),
        )
    )


def _coming(
    days: list[date], means: pl.DataFrame, step: int, time_zone: str, keys: tuple[str, ...]
) -> pl.DataFrame:
    """Lay the means on the coming days, interval by interval as the clock will really run."""
    import polars as pl

    zone = ZoneInfo(time_zone)
    bounds = [
        (datetime.combine(d, time(), zone), datetime.combine(d + timedelta(1), time(), zone))
        for d in days
    ]
    starts = [
        second
        for begin, end in bounds
        for second in range(int(begin.timestamp()), int(end.timestamp()), step)
    ]
    utc = pl.from_epoch(pl.Series(starts), "s").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    there = pl.col("interval_start").dt.convert_time_zone(time_zone)
    grid = pl.DataFrame({"interval_start": utc}).with_columns(
        local_start=there.dt.replace_time_zone(None),
        utc_offset_s=(there.dt.base_utc_offset() + there.dt.dst_offset()).dt.total_seconds(),
        interval_s=pl.lit(float(step)),
    )
    clock = pl.col("local_start")
    return (
        grid.with_columns(_weekday=clock.dt.weekday().cast(pl.Int64), _clock=clock.dt.time())
        .join(means, on=["_weekday", "_clock"], how="inner")
        .select("interval_start", *LOCAL, "interval_s", *keys, "calls", "aht_s", "cv")
        .sort(*keys, "interval_start")
    )


def _told(used: dict[int, list[date]], last: date, cut: list[date], closed: int) -> list[Check]:
    checks = [
        Check(
            "Plain forecast",
            "informs",
            "the last weeks repeated; neither trend nor season nor the calendar is in it, and its "
            "error on days to come is not measured: take it until a forecast with a backtest is "
            "at hand",
        ),
        Check(
            "Holidays",
            "informs",
            "not known: a coming holiday is forecast as an ordinary day unless it is excluded"
            + (f"; {counted(closed, 'coming day')} left out as asked" if closed else ""),
        ),
    ]
    oldest = min(min(four) for four in used.values())
    if (last - oldest).days >= 7 * _SAME:
        words = f"days were skipped, so a mean reaches back to {on_day(oldest)}"
        checks.append(Check("Age of the days taken", "informs", words))
    if cut:
        names = " and ".join(on_day(day) for day in cut)
        words = f"{names} not whole in the frame, and skipped"
        checks.append(Check("First and last day", "informs", words))
    return checks
