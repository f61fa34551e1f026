"""Which rows and which days a typical day is taken from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ccanalytics.demand import MEASURES, as_demand
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check
from ccanalytics.staffing._seats import check_number, time_of_day

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

__all__ = ["LOCAL", "WEEKDAYS", "choose", "read", "span", "within"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Columns of a roll-up that tell the wall clock; they are no keys.
LOCAL = ("local_start", "utc_offset_s")


def read(demand: Any, time_zone: str, aht_s: float | None) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Check the frame and add the wall clock."""
    import polars as pl

    try:
        ZoneInfo(time_zone)
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise InputError(
            "no such time zone", f"time_zone={time_zone!r}", "give an IANA name"
        ) from error
    if not isinstance(demand, pl.DataFrame):
        import narwhals.stable.v2 as nw

        try:
            demand = nw.from_native(demand, eager_only=True).to_polars()
        except TypeError as error:
            raise InputError(
                "demand must be a polars or pandas frame", f"got {type(demand).__name__}"
            ) from error
    if demand.height == 0:
        raise DataError("the demand frame is empty", "0 rows", "widen start and end")
    rows = demand.drop(LOCAL, strict=False)
    if aht_s is not None:
        if check_number("aht_s", aht_s) <= 0:
            raise InputError("a handle time is above 0 seconds", f"aht_s={aht_s!r}")
        rows = rows.with_columns(aht_s=pl.lit(float(aht_s)))
    elif {"aht_s", "calls"} <= set(rows.columns):
        # Calls of which nobody was answered have no handle time of their own: they take that of
        # all, so that their load is not lost. as_demand would refuse them.
        time, calls = pl.col("aht_s").cast(pl.Float64), pl.col("calls").cast(pl.Float64)
        if rows.filter(calls > 0).height and rows.filter(time > 0).is_empty():
            raise DataError(
                "this log does not know how long calls take",
                "aht_s is null throughout",
                "give aht_s in seconds",
            )
        handled = (time * calls).sum() / calls.filter(time.is_not_null()).sum()
        rows = rows.with_columns(
            aht_s=pl.when(calls > 0).then(time.fill_null(handled)).otherwise(time)
        )
    rows = as_demand(rows)
    keys = tuple(name for name in rows.columns if name not in MEASURES)
    lengths = rows["interval_s"].unique().to_list()
    if len(lengths) > 1 or 86400 % lengths[0] or lengths[0] > 43200:
        raise InputError(
            "a typical day needs intervals of one length that divides a day",
            f"interval_s={sorted(lengths)[:3]}",
            'roll up by "1h", "30min" or "15min"',
        )
    wall = pl.col("interval_start").dt.convert_time_zone(time_zone).dt.replace_time_zone(None)
    return rows.with_columns(_clock=wall.dt.time(), _date=wall.dt.date()), keys


def within(rows: pl.DataFrame, hours: Any) -> tuple[pl.DataFrame, list[Check]]:
    """Keep what begins within the opening hours, and say how much is left out."""
    import polars as pl

    if hours is None:
        return rows, []
    if isinstance(hours, str) or len(hours) != 2:
        raise InputError(
            "opening hours are two times of day", f"hours={hours!r}", '("07:00", "24:00")'
        )
    opens, closes = time_of_day("hours", hours[0]), time_of_day("hours", hours[1], end=True)
    second = pl.col("_clock").dt.hour().cast(pl.Int64) * 3600
    second = second + pl.col("_clock").dt.minute().cast(pl.Int64) * 60
    late, early = second >= opens, second < closes
    # Open over midnight: from 20:00 to 04:00.
    kept = rows.filter(late & early if opens < closes else late | early)
    if kept.is_empty():
        raise DataError(
            "no interval begins within the opening hours", f"hours={hours!r}", "widen them"
        )
    if kept.height == rows.height:
        return rows, []
    every = float(rows["calls"].sum())
    share = 1 - float(kept["calls"].sum()) / every if every else 0.0
    if share <= 0:
        return kept, []  # who asked for these hours needs no remark that nothing is lost
    few = (
        f"{every * share:,.0f} of {every:,.0f} calls" if share < 0.005 else f"{share:.1%} of calls"
    )
    words = f"{few} came outside {hours[0]} to {hours[1]} and are left out"
    return kept, [Check("Opening hours", "informs" if share < 0.01 else "fails", words)]


def choose(
    rows: pl.DataFrame, weekdays: Any, out: frozenset[date] = frozenset()
) -> tuple[tuple[int, ...], str]:
    """Give the weekdays asked for, and their name; days left ``out`` have no say in the busiest."""
    import polars as pl

    if weekdays is None:
        return tuple(range(1, 8)), "day"
    if isinstance(weekdays, str):
        if weekdays != "busiest":
            raise InputError(
                "no such weekday", f"weekdays={weekdays!r}", 'give 1 to 7, or "busiest"'
            )
        per_day = span(rows).filter(~pl.col("_date").is_in(list(out)))
        per_day = per_day.with_columns(_weekday=pl.col("_date").dt.weekday())
        totals = rows.group_by("_date").agg(pl.col("calls").sum())
        mean = (
            per_day.join(totals, on="_date", how="left")
            .group_by("_weekday")
            .agg(pl.col("calls").fill_null(0).mean())
            .sort("_weekday")
        )
        weekdays = int(mean["_weekday"][int(mean["calls"].arg_max() or 0)])
    wanted = (weekdays,) if isinstance(weekdays, int) else tuple(weekdays)
    good = wanted and all(
        isinstance(n, int) and not isinstance(n, bool) and 1 <= n <= 7 for n in wanted
    )
    if not good:
        raise InputError(
            "a weekday is 1 (Monday) to 7 (Sunday)", f"weekdays={weekdays!r}", "such as 3"
        )
    wanted = tuple(sorted(set(wanted)))
    return wanted, ", ".join(WEEKDAYS[n - 1] for n in wanted) if len(wanted) < 7 else "day"


def span(rows: pl.DataFrame) -> pl.DataFrame:
    """Give every local date from the first row to the last."""
    import polars as pl

    first, last = rows["_date"].min(), rows["_date"].max()
    return pl.select(_date=pl.date_range(pl.lit(first), pl.lit(last), "1d"))
