"""Tickets per 1,000 calls, week by week: a chart, and the report of one week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.statistics.frames import (
    as_polars,
    check_counts,
    check_known,
    key_columns,
    label_of,
)
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import polars as pl

    from ccanalytics.statistics.control import ControlChart

__all__ = ["ComplaintWeek", "complaint_chart", "complaint_week"]

_PER = 1000.0
_NEEDS = ("local_start", "interval_s", "tickets", "answered")
_COUNTS = ("interval_start", "utc_offset_s", "reopened", *_NEEDS)
_SOURCE = "log.tickets_opened('1w', by=['service'])"
_REST = "all others"


@dataclass(frozen=True, eq=False, kw_only=True)
class ComplaintWeek(Result):
    """Tickets of one week against the weeks before, in all and by key.

    Attributes
    ----------
    week
        First day of the week.
    chart
        All tickets per 1,000 calls, limits from the weeks before.
    groups
        One row per key, the most tickets first: ``tickets``, ``answered``, ``per_1000`` and the
        ``usual_per_1000`` with the limits of the chart, ``signal``. Keys with too few tickets to
        be charted stand together.
    """

    week: dt.date
    chart: ControlChart
    groups: pl.DataFrame
    names: Mapping[str, str | None]

    def headline(self) -> str:
        """Say how the week was, and which keys stand out."""
        row = self.chart.frame.row(-1, named=True)
        side = (
            "as usual" if not row["signal"]
            else "above what is usual" if row["value"] > row["centre"]
            else "below what is usual"
        )  # fmt: skip
        out = self.groups.filter(self.groups["signal"])
        told = ", ".join(
            f"{self._label(each['key'])} ({each['per_1000']:.1f}, usually "
            f"{each['usual_per_1000']:.1f})"
            for each in out.iter_rows(named=True)
        )
        more = f"; out of the ordinary: {told}" if told else "; nothing stands out by itself"
        return (
            f"Week of {self.week}: {row['value']:.1f} tickets per 1,000 calls, {side} "
            f"({row['low']:.1f} to {row['high']:.1f}){more}."
        )

    def summary(self) -> str:
        """Give the week, and how the limits were found."""
        return (
            f"{self.headline()} Limits are 3 standard deviations about the "
            f"{counted(self.chart.baseline, 'week')} before, as wide as weeks differ (u′ chart, "
            f"Laney); of {counted(self.groups.height, 'group')} one stands out without a cause in "
            f"about every {max(self.chart.false_every / max(self.groups.height, 1), 1):,.0f} weeks."
        )

    def table(self) -> pl.DataFrame:
        """Give the groups, by their names."""
        import polars as pl

        rows = self.groups
        return rows.with_columns(pl.Series("key", [self._label(key) for key in rows["key"]]))

    def to_frame(self) -> pl.DataFrame:
        """Give the groups."""
        return self.groups

    def _label(self, key: str) -> str:
        return self.names.get(key) or key


def complaint_week(
    opened: Any,
    week: dt.date | str | None = None,
    *,
    weeks: int = 26,
    min_tickets: float = 5,
    names: Mapping[str, str | None] | None = None,
) -> ComplaintWeek:
    """Hold the tickets of one week against the weeks before, in all and by key.

    Parameters
    ----------
    opened
        Frame of ``CallLog.tickets_opened("1w", by=["service"])``; polars or pandas.
    week
        A day of the week; default: the last whole week.
    weeks
        Weeks before it from which limits come, 10 or more; fewer where the log has fewer.
    min_tickets
        Mean tickets a week below which a key is charted with the others of its kind.
    names
        Names of keys, for the words.

    Raises
    ------
    InputError
        A frame without its columns, a week that it does not hold.
    DataError
        Fewer than ten whole weeks before.

    References
    ----------
    Laney (2002), Quality Engineering 14(4).
    """
    import polars as pl

    if isinstance(weeks, bool) or not isinstance(weeks, int) or weeks < 10:
        raise InputError("this must be a whole number of weeks, 10 or more", f"weeks={weeks!r}")
    rows = _read(opened)
    keys = key_columns(rows, _COUNTS)
    rows = _whole(rows).with_columns(_day=pl.col("local_start").dt.date())
    days = rows["_day"].unique().sort().to_list()
    last = _week_of(days, week)
    used = days[max(0, days.index(last) - weeks) : days.index(last) + 1]
    if len(used) < 11:
        raise DataError(
            "too few whole weeks before this one to say what is usual",
            f"{counted(len(used) - 1, 'week')} before {last}",
            "take more of the log",
        )
    rows = rows.filter(pl.col("_day").is_in(used))
    labels = [label_of(row) for row in rows.select(keys).iter_rows()] if keys else []
    rows = rows.with_columns(_key=pl.Series(labels or ["all"] * rows.height, dtype=pl.String))
    mean = rows.group_by("_key").agg(pl.col("tickets").sum() / len(used))
    few = mean.filter(pl.col("tickets") < min_tickets)["_key"].to_list()
    rows = rows.with_columns(
        _key=pl.when(pl.col("_key").is_in(few)).then(pl.lit(_REST)).otherwise("_key")
    )
    groups, skipped = [], 0
    for (key,), part in rows.group_by(["_key"]):
        sums = part.group_by("_day").agg(pl.col("tickets", "answered").sum())
        here = sums.filter(pl.col("_day") == last, pl.col("answered") > 0)
        try:
            chart = complaint_chart(part, baseline=sums.filter(pl.col("answered") > 0).height - 1)
        except (InputError, DataError):
            skipped += 1
            continue
        if not here.height:
            continue
        row = chart.frame.row(-1, named=True)
        groups.append(
            (key, here["tickets"][0], here["answered"][0], row["value"], row["centre"],
             row["low"], row["high"], row["signal"])
        )  # fmt: skip
    schema = {
        "key": pl.String, "tickets": pl.Int64, "answered": pl.Int64, "per_1000": pl.Float64,
        "usual_per_1000": pl.Float64, "usual_per_1000_low": pl.Float64,
        "usual_per_1000_high": pl.Float64, "signal": pl.Boolean,
    }  # fmt: skip
    frame = pl.DataFrame(groups, schema=schema, orient="row")
    checks = []
    if few:
        checks.append(
            Check("few tickets", "informs",
                  f"{counted(len(few), 'group')} with fewer than {min_tickets:g} tickets a week "
                  "stand together")
        )  # fmt: skip
    if skipped:
        checks.append(
            Check("without limits", "fails",
                  f"{counted(skipped, 'group')} cannot be charted: too few weeks, or nothing moves")
        )  # fmt: skip
    chart = complaint_chart(rows, baseline=len(used) - 1)
    return ComplaintWeek(
        inputs={"week": last, "weeks": len(used) - 1, "min_tickets": min_tickets},
        checks=(*checks, *chart.checks),
        week=last,
        chart=chart,
        groups=frame.sort("tickets", "key", descending=[True, False]),
        names=names or {},
    )


def _read(opened: Any) -> pl.DataFrame:
    rows = as_polars(opened, "opened", _NEEDS, _SOURCE)
    check_counts(rows, ["interval_s", "tickets", "answered"], "opened")
    check_known(rows, _NEEDS, "opened")
    return rows


def _week_of(days: list[dt.date], week: dt.date | str | None) -> dt.date:
    from ccanalytics.dates import read_dates

    if not days:
        raise DataError("there is no whole week with answered calls", "0 weeks", "a longer log")
    if week is None:
        return days[-1]
    asked = read_dates(week, "week")
    if len(asked) != 1:
        raise InputError("the report is of one week", f"week={week!r}", '"2024-06-03"')
    (day,) = asked
    known = [each for each in days if 0 <= (day - each).days < 7]
    if not known:
        raise InputError(
            "this week is not covered in full", f"week={day}", f"from {days[0]} to {days[-1]}"
        )
    return known[0]


def _whole(rows: pl.DataFrame) -> pl.DataFrame:
    """Intervals of the usual length; an hour less is the week in which clocks go forward."""
    import polars as pl

    usual = rows["interval_s"].mode().max()
    return rows.filter(pl.col("interval_s") >= (usual or 0) - 3600)  # type: ignore[operator]


def complaint_chart(
    opened: Any, *, baseline: int | None = None, what: str = "Tickets per 1,000 calls"
) -> ControlChart:
    """Chart tickets per 1,000 answered calls by week, with limits as wide as weeks differ (Laney).

    Parameters
    ----------
    opened
        Frame of ``CallLog.tickets_opened()``: ``local_start``, ``interval_s``, ``tickets``,
        ``answered``, summed over its keys. Intervals that the log covers in part (shorter than the
        commonest) and those without answered calls are left out.
    baseline
        Intervals, from the first, from which limits come; default all.
    what
        What is charted, for the words.

    Raises
    ------
    InputError
        A frame without its columns, fewer than ten intervals.

    References
    ----------
    Laney (2002), Quality Engineering 14(4).
    """
    import polars as pl

    from ccanalytics.statistics.control import rates

    rows = _read(opened)
    rows = rows.group_by("local_start").agg(
        pl.col("interval_s").max(), pl.col("tickets", "answered").sum()
    )
    rows = _whole(rows).filter(pl.col("answered") > 0).sort("local_start")
    return rates(
        rows["tickets"].to_list(),
        (rows["answered"] / _PER).to_list(),
        at=rows["local_start"].dt.date().to_list(),
        baseline=baseline,
        what=what,
    )
