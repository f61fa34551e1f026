"""The profile of traffic: calls and service level by weekday and time of day, and the busy hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Result
from ccanalytics.servicelevel import ServiceLevel
from ccanalytics.traffic import _cells, _doubts
from ccanalytics.traffic._door import WEEKDAYS, as_intervals, day
from ccanalytics.vocabulary import measure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import polars as pl

__all__ = ["BusiestHour", "BusyHour", "TrafficProfile", "profile"]

Volume = Literal["offered", "arrived"]
_OPTIONAL = ("arrived", "blocked", "left_menu", "contained", "diverted", "waited", "handled")
_SUMS = ("wait_s", "answered_wait_s", "handle_s", "agent_busy_s")


@dataclass(frozen=True)
class BusyHour:
    """The clock hour with the most calls on average over the days of the frame.

    ``load`` is what the agents carried in it, in erlangs; None where handling is unknown.
    """

    clock: str
    calls: float
    share_of_day: float
    load: float | None


@dataclass(frozen=True)
class BusiestHour:
    """The one clock hour with the most calls: a peak that happened, not a rule."""

    local_start: datetime
    calls: float
    service_level: float


@dataclass(frozen=True, eq=False, kw_only=True)
class TrafficProfile(Result):
    """How traffic is spread over the week, and how it was served.

    Attributes
    ----------
    slots
        Per weekday (1 Monday … 7 Sunday) and local time of day: ``intervals`` seen, mean
        ``calls``, ``offered`` in all, whether those are too ``few`` for a share,
        ``service_level``, ``abandonment``, ``mean_wait_s``, and the variance of the calls over
        their mean, ``dispersion``.
    hours
        Per clock hour: mean ``calls``, carried ``load`` in erlangs, ``days`` seen.
    days
        Per local date: ``calls``, the ``usual`` number of its weekday, ``score`` (robust
        standard deviations from it) and ``kind``: zero, high, low, partial, or null.
    totals
        Over all intervals; a value is None where the log does not know it.
    busy_hour, busiest_hour
        By mean over days, and the single one.
    dispersion, dispersion_low, dispersion_high
        Median and quartiles of variance over mean within weekday and time of day; 1 for plain
        chance (Poisson), nan where too few weeks were seen.
    """

    goal: ServiceLevel
    slots: pl.DataFrame
    hours: pl.DataFrame
    days: pl.DataFrame
    totals: Mapping[str, float | None]
    busy_hour: BusyHour
    busiest_hour: BusiestHour
    dispersion: float
    dispersion_low: float
    dispersion_high: float

    def summary(self) -> str:
        """Volume, service level, busy hour and waits in words."""
        total, volume = self.totals, self.inputs["calls"]
        first, last = self.days["date"][0], self.days["date"][-1]
        level, left = total["service_level"], total["abandonment"]
        served = (
            f"{level:.1%} were {_definition(self.goal)} (the goal is {100 * self.goal.share:.10g}%)"
            if level is not None
            else "none could be counted for the service level"
        )
        text = (
            f"From {day(first)} to {day(last)}, {total[volume]:,.0f} calls were "
            f"{'offered to agents' if volume == 'offered' else 'received'}, "
            f"{self.days['calls'].sum() / self.days.height:,.0f} a day; {served}"
        )
        text += f", and {left:.1%} of the offered abandoned. " if left is not None else ". "
        end = f"{(int(self.busy_hour.clock[:2]) + 1) % 24:02d}:00"
        load = self.busy_hour.load
        carried = f" ({load:,.1f} erlangs carried by agents)" if load is not None else ""
        peak = self.busiest_hour
        text += (
            f"The busy hour, the clock hour with the most calls on average over all days, is "
            f"{self.busy_hour.clock}–{end} with {self.busy_hour.calls:,.0f} calls{carried}; the "
            f"busiest hour seen was {day(peak.local_start.date())}, {peak.local_start:%H:%M}, "
            f"with {peak.calls:,.0f}. "
        )
        if total["mean_wait_s"] is not None and total["asa_s"] is not None:
            text += (
                f"All offered callers waited {total['mean_wait_s']:.0f} s on average, those who "
                f"were answered {total['asa_s']:.0f} s (the average speed of answer). "
            )
        return text + "Shares are ratios of sums, so that a busy interval weighs more."

    def to_frame(self) -> pl.DataFrame:
        """Give the slots: one row per weekday and time of day."""
        return self.slots

    def matrix(self, name: str) -> pl.DataFrame:
        """Give one column of the slots as a table: a row per weekday, a column per time of day."""
        import polars as pl

        if name not in self.slots.columns[2:]:
            raise InputError(
                "the slots have no such column",
                f"{name!r}",
                "choose one of " + ", ".join(self.slots.columns[2:]),
            )
        wide = self.slots.sort("clock").pivot("clock", index="weekday", values=name)
        names = pl.Series("weekday", [WEEKDAYS[number - 1] for number in wide["weekday"]])
        return (
            wide.with_columns(_order=pl.col("weekday"), weekday=names).sort("_order").drop("_order")
        )

    def unusual_days(self) -> pl.DataFrame:
        """Give the days that stand out within their weekday, as a table to read."""
        import polars as pl

        words = {"zero": "no calls", "high": "unusually busy", "low": "unusually quiet"}
        return self.days.filter(pl.col("kind").is_in(list(words))).select(
            "date",
            pl.col("weekday").replace_strict(dict(enumerate(WEEKDAYS, 1)), return_dtype=pl.String),
            "calls",
            pl.col("usual").alias("usual_calls"),
            pl.col("kind").replace_strict(words).alias("remark"),
        )

    def overview(self) -> pl.DataFrame:
        """Give the totals as a table to read: measure, value as text, definition."""
        import polars as pl

        rows = []
        for name, value in self.totals.items():
            it = measure(name)
            shown = "not recorded" if value is None else _written(value, it.unit)
            what = it.definition
            if name == "service_level":
                what = f"{_definition(self.goal)}; the goal is {100 * self.goal.share:.10g}%"
            rows.append({"measure": it.label, "value": shown, "definition": what})
        return pl.DataFrame(rows)


def profile(
    intervals: Any,
    goal: ServiceLevel,
    *,
    calls: Volume = "offered",
    outlier: float = 3.5,
    min_mean: float = 5.0,
    min_cell_calls: float = 30,
) -> TrafficProfile:
    """Describe traffic by weekday and local time of day, its busy hour and its totals.

    A cell is a weekday and a local time of day. Its mean is over the intervals that the frame
    has: an interval of the log's span in which nobody called counts as zero, a day outside the
    span does not count. Service level and abandonment are ratios of sums, never means of ratios.
    The busy hour is the clock hour with the greatest mean number of calls over the days on
    which the whole hour was seen (a time-consistent busy hour).

    Parameters
    ----------
    intervals
        Frame of ``log.intervals(every, goals=[goal])`` without ``by``; ``every`` divides 1 hour.
    goal
        What service level is asked for, and how it is counted.
    calls
        Which calls are the volume: ``offered`` to agents, or all that ``arrived``.
    outlier
        A day is unusual beyond this many robust standard deviations from the median of its
        weekday; 3.5 is the customary bound for modified z-scores (Iglewicz and Hoaglin 1993).
    min_mean
        Cells with fewer calls on average do not count for the dispersion.
    min_cell_calls
        Cells with fewer offered calls in the whole span have too ``few`` for a share: with 30, a
        share of 80% is known to 15 percentage points or so.

    Raises
    ------
    InputError
        A frame of another form, several rows for one interval, intervals longer than an hour.
    DataError
        An empty frame, no call at all, or no whole clock hour.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime, timedelta, timezone
    >>> start = [datetime(2025, 3, 3) + timedelta(hours=h) for h in range(48)]
    >>> frame = pl.DataFrame({
    ...     "interval_start": [s.replace(tzinfo=timezone.utc) for s in start],
    ...     "local_start": start, "interval_s": [3600] * 48,
    ...     "offered": [10 + h % 24 for h in range(48)], "abandoned": [1] * 48,
    ...     "answered": [9 + h % 24 for h in range(48)], "answered_in_20s": [5] * 48})
    >>> profile(frame, ServiceLevel(0.8, within=20)).busy_hour.clock
    '23:00'
    """
    import polars as pl

    if not isinstance(goal, ServiceLevel):
        raise InputError("the goal must be a ServiceLevel", f"goal={goal!r}", "see ServiceLevel")
    if calls not in get_args(Volume):
        raise InputError("no such volume", f"calls={calls!r}", "choose offered or arrived")
    if isinstance(min_cell_calls, bool) or not min_cell_calls >= 0:
        raise InputError("the least number of calls is 0 or more", f"{min_cell_calls=}", "30")
    counted = {"offered", "answered", "abandoned", calls, *goal.columns().values()}
    rows = as_intervals(intervals, sorted(counted))
    known = [name for name in (*_OPTIONAL, *_SUMS) if name in rows.columns]
    _cells.check_lengths(rows)
    rows = rows.with_columns(
        *(pl.col(name).cast(pl.Float64) for name in {*counted, *known}),
        weekday=pl.col("local_start").dt.weekday(),
        clock=pl.col("local_start").dt.strftime("%H:%M"),
        date=pl.col("local_start").dt.date(),
    ).with_columns(_volume=pl.col(calls))
    if rows["_volume"].null_count() or not rows["_volume"].sum():
        raise DataError(
            "there is no call in these intervals",
            f"column {calls!r} sums to nothing",
            "load calls, or widen start and end",
        )
    slots = _cells.slots(rows, goal, min_cell_calls)
    hours, busy, peak = _cells.hours(rows, goal)
    daily = _cells.days(rows, outlier)
    spread = slots.filter(
        (pl.col("calls") >= min_mean) & (pl.col("intervals") >= 4) & (pl.col("dispersion") >= 0)
    )["dispersion"]
    quantile = [
        float("nan") if spread.is_empty() else float(spread.quantile(q, "linear") or 0.0)
        for q in (0.25, 0.5, 0.75)
    ]
    return TrafficProfile(
        goal=goal,
        slots=slots,
        hours=hours,
        days=daily,
        totals=_totals(rows, goal),
        busy_hour=BusyHour(**busy),
        busiest_hour=BusiestHour(**peak),
        dispersion=quantile[1],
        dispersion_low=quantile[0],
        dispersion_high=quantile[2],
        inputs={
            "goal": goal.describe(),
            "calls": calls,
            "interval_s": float(rows["interval_s"][0]),
            "outlier": outlier,
            "min_mean": min_mean,
            "min_cell_calls": min_cell_calls,
        },
        checks=(
            *_doubts.span(daily),
            *_doubts.unusual(daily),
            _doubts.spread(quantile, daily.height / 7),
            *_cells.gap_check(rows),
        ),
    )


def _totals(rows: pl.DataFrame, goal: ServiceLevel) -> dict[str, float | None]:
    """Sum up; a ratio without a denominator is None."""

    def total(name: str) -> float | None:
        # A column that is null throughout was never recorded: its polars sum would say 0.
        if name not in rows.columns or rows[name].null_count() == rows.height:
            return None
        return float(rows[name].sum())

    def ratio(over: str, under: str) -> float | None:
        top, base = total(over), total(under)
        return None if top is None or not base else top / base

    level = goal.observed(**{key: total(name) or 0 for key, name in goal.columns().items()})
    # All that arrived, then what became of it, so that the rows add up.
    counts = (
        *("arrived", "blocked", "left_menu", "contained", "diverted"),
        *("offered", "answered", "abandoned", "waited"),
    )
    return {
        **{name: total(name) for name in counts},
        "service_level": None if level != level else float(level),  # noqa: PLR0124  (nan)
        "abandonment": ratio("abandoned", "offered"),
        "mean_wait_s": ratio("wait_s", "offered"),
        "asa_s": ratio("answered_wait_s", "answered"),
        "aht_s": ratio("handle_s", "handled"),
    }


def _definition(goal: ServiceLevel) -> str:
    return goal.describe().split(" ", 1)[1]


def _written(value: float, unit: str) -> str:
    return {"share": f"{value:.1%}", "s": f"{value:,.1f} s"}.get(unit, f"{value:,.0f}")
