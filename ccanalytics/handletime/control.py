"""Is a move of handle time a signal: daily typical times, their season removed, on a chart."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ccanalytics.dates import read_dates
from ccanalytics.errors import DataError, InputError
from ccanalytics.handletime.valuecounts import PARTS, as_counts, check_part, checked
from ccanalytics.results import Check, Result
from ccanalytics.statistics.control import changes, cusum, ewma, individuals
from ccanalytics.statistics.effects.effect import signed
from ccanalytics.statistics.frames import as_polars
from ccanalytics.vocabulary import counted, term

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.statistics.control import ControlChart, Segment

    Floats = NDArray[np.float64]

__all__ = ["HandleControl", "control_chart"]

_CHARTS = {"cusum": cusum, "ewma": ewma, "individuals": individuals}
_SAID = {
    "cusum": "CUSUM chart (k 0.5, h 5 standard deviations)",
    "ewma": "EWMA chart (weight 0.1, 2.703 standard deviations)",
    "individuals": "Chart of single days (2.66 mean moving ranges)",
}
_DAY_S = (82_800, 90_000)  # a day, and one on which clocks change
_WEEKDAYS = 7
_NEAR_DAYS = 14


@dataclass(frozen=True, eq=False, kw_only=True)
class HandleControl(Result):
    """Typical handle time by day on a control chart, and the days on which its level changed.

    Attributes
    ----------
    chart
        The chart, on the logarithm of the typical time less its weekday's habit.
    frame
        One row per day: ``day``, ``calls``, ``typical_s``, ``adjusted_s`` (the weekday's habit
        removed), ``centre_s``, ``low_s`` and ``high_s`` (null for a CUSUM), ``in_baseline``,
        ``signal`` and ``level_s``: the level of the stretch between two changes.
    changes
        One row per change of level: ``day`` (the first at the new level), ``level_s``,
        ``change`` (as a share of the level before), ``beside`` (roll-outs within two weeks of it).
    left_out
        Days left out, by reason.
    """

    chart: ControlChart
    frame: pl.DataFrame
    changes: pl.DataFrame
    left_out: dict[str, int]

    def headline(self) -> str:
        """Say whether the newest days are a signal, and when the level changed last."""
        what = PARTS[self.inputs["part"]]
        last = self.frame.row(-1, named=True)
        if last["signal"]:
            usual = float(self.frame.filter(self.frame["in_baseline"])["adjusted_s"].median())  # type: ignore[arg-type]
            side = "above" if last["statistic"] > 0 else "below"
            now = f"{what} signals on {last['day']}: it runs {side} the {usual:.0f} s of the start"
        else:
            now = f"{what} shows no signal on {last['day']}"
        if not self.changes.height:
            return f"{now}; its level did not change within these days."
        row = self.changes.row(-1, named=True)
        beside = f", beside {row['beside']}" if row["beside"] else ""
        return (
            f"{now}; its level changed {counted(self.changes.height, 'time')}, last on "
            f"{row['day']}: {signed(row['aht_change'])}, to {row['level_s']:.0f} s{beside}."
        )

    def summary(self) -> str:
        """Give the answer, the chart with its false alarms, and what was removed."""
        left = "".join(f" {counted(n, 'day')} left out: {why}." for why, n in self.left_out.items())
        signals = counted(self.chart.signals.height, "day")
        return (
            f"{self.headline()} {signals[:1].upper()}{signals[1:]} of {self.frame.height:,} are "
            f"signals. {_SAID[self.inputs['chart']]}, centre and spread from the first "
            f"{counted(self.chart.baseline, 'day')}: a false signal about every "
            f"{self.chart.false_every:,.0f} days where nothing changes. Charted is the typical "
            "time of a day (exponential of the mean of logs) less the habit of its weekday; "
            "changes of level are cuts whose price allows for neighbouring days that hang "
            f"together.{left}"
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the days."""
        return self.frame


def control_chart(
    value_counts: Any,
    *,
    chart: Literal["cusum", "ewma", "individuals"] = "cusum",
    baseline_days: int = 56,
    part: str = "handle",
    floor_s: float = 10,
    min_calls: int = 30,
    exclude: Any = None,
    rollouts: Any = None,
) -> HandleControl:
    """Put daily handle time on a control chart, its weekday removed, with changes of level.

    Parameters
    ----------
    value_counts
        Frame of ``CallLog.handle_times(every="1d")``, of one kind of call or of all.
    chart
        ``cusum`` and ``ewma`` see small lasting changes, ``individuals`` single odd days.
    baseline_days
        First days from which centre, limits and weekday habits come, 21 or more.
    part, floor_s
        What was timed, and seconds from which logs are taken.
    min_calls
        Days with fewer calls are left out.
    exclude
        Days left out, such as holidays: dates, or text such as "2024-02-10..2024-02-17".
    rollouts
        Frame of ``CallLog.table("rollouts")``, whose dates are held beside changes; None for none.

    Raises
    ------
    InputError
        A frame that is not of days, a chart that is not known, a baseline below three weeks.
    DataError
        Fewer days than the baseline, or a weekday that is not in it.

    Examples
    --------
    >>> import datetime as dt, polars as pl
    >>> days = [dt.datetime(2024, 1, 1) + dt.timedelta(days=k) for k in range(90)]
    >>> times = pl.DataFrame({"local_start": days, "interval_s": 86400, "calls": 100,
    ...     "seconds": [200 + k % 3 + 15 * (k >= 70) for k in range(90)]})
    >>> answer = control_chart(times)
    >>> answer.changes["day"].to_list(), round(answer.changes["aht_change"][0], 3)
    ([datetime.date(2024, 3, 11)], 0.075)
    """
    import polars as pl

    part = check_part(part)
    if chart not in _CHARTS:
        raise InputError("no such chart", f"chart={chart!r}", "one of " + ", ".join(_CHARTS))
    whole = isinstance(baseline_days, int) and not isinstance(baseline_days, bool)
    if not whole or baseline_days < 3 * _WEEKDAYS:
        raise InputError(
            "a baseline has three weeks or more", f"baseline_days={baseline_days!r}", "56"
        )
    frame, long = checked(value_counts, (), weekly=True)
    days, left = _days(frame, floor_s, min_calls, exclude)
    at: list[dt.date] = days["day"].to_list()
    if len(at) <= baseline_days:
        raise DataError(
            "there are not more days than the baseline takes",
            f"{counted(len(at), 'day')}, baseline_days={baseline_days}",
            "take more of the log, or a shorter baseline",
        )
    logs = np.log(days["typical_s"].to_numpy())
    used = np.arange(len(at)) < baseline_days
    adjusted, habit = _without_weekday(logs, at, used)
    # Habits were fitted on the baseline, so that it varies less than days to come.
    tight = adjusted.copy()
    centre = adjusted[used].mean()
    tight[used] = centre + (adjusted[used] - centre) * np.sqrt(
        used.sum() / max(used.sum() - habit, 1)
    )
    name = PARTS[part]
    found = _CHARTS[chart](tight, at=at, baseline=int(used.sum()), what=name)
    stretches = changes(adjusted, at=at)
    levels = np.concatenate([np.full(each.points, each.mean) for each in stretches])
    limits = found.frame.select(pl.col("centre", "low", "high").exp().name.suffix("_s"))
    told = pl.concat(
        [
            days.with_columns(adjusted_s=pl.Series(np.exp(adjusted))),
            limits,
            found.frame.select("statistic", "in_baseline", "signal"),
        ],
        how="horizontal",
    ).with_columns(level_s=pl.Series(np.exp(levels)))
    return HandleControl(
        inputs={
            "chart": chart, "baseline_days": baseline_days, "part": part, "floor_s": floor_s,
            "min_calls": min_calls, "exclude": sorted(read_dates(exclude)),
        },
        checks=(*long, *found.checks, *_checks(habit, at)),
        chart=found,
        frame=told,
        changes=_changes(stretches, _live(rollouts)),
        left_out=left,
    )  # fmt: skip


def _days(
    frame: pl.DataFrame, floor_s: float, min_calls: int, exclude: Any
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Typical time of each day, and how many days were left out, by reason."""
    import polars as pl

    lengths = frame["interval_s"].unique().to_list()
    if any(not _DAY_S[0] <= length <= _DAY_S[1] for length in lengths):
        longest = max(lengths)
        if longest > _DAY_S[1]:
            raise InputError(
                "the value counts must be by day", f"an interval has {longest:,} s",
                "ask the log for every='1d'",
            )  # fmt: skip
    away = read_dates(exclude)
    rows, left = [], {"too few calls": 0, "excluded": 0, "covered in part": 0}
    for (start, length), mine in frame.group_by(["local_start", "interval_s"], maintain_order=True):
        long = as_counts(mine).from_(floor_s)
        day = start.date() if isinstance(start, dt.datetime) else start
        reason = (
            "covered in part" if length < _DAY_S[0]
            else "excluded" if day in away
            else "too few calls" if long.size < min_calls
            else ""
        )  # fmt: skip
        if reason:
            left[reason] += 1
            continue
        typical = float(np.exp((np.log(long.seconds) * long.calls).sum() / long.size))
        rows.append((day, int(long.size), typical))
    schema = {"day": pl.Date, "calls": pl.Int64, "typical_s": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row"), {k: n for k, n in left.items() if n}


def _without_weekday(
    logs: Floats, at: list[dt.date], used: NDArray[np.bool_]
) -> tuple[Floats, int]:
    """The series less each weekday's habit in the baseline, and how many habits were fitted."""
    weekday = np.array([day.weekday() for day in at])
    present = np.unique(weekday)
    habit = np.zeros(_WEEKDAYS)
    for each in present:
        mine = used & (weekday == each)
        if mine.sum() < 2:
            raise DataError(
                "a weekday is not twice in the baseline, so its habit is unknown",
                f"{['Mon', 'Tues', 'Wednes', 'Thurs', 'Fri', 'Satur', 'Sun'][each]}day",
                "take a longer baseline, or exclude such days",
            )
        habit[each] = logs[mine].mean()
    # Centred over the baseline, so that seconds stay what they are on average.
    habit[present] -= habit[weekday[used]].mean()
    return logs - habit[weekday], int(present.size)


def _live(rollouts: Any) -> list[tuple[dt.date, str]]:
    if rollouts is None:
        return []
    frame = as_polars(rollouts, "rollouts", ["treatment", "live_on"], "log.table('rollouts')")
    rows = frame.select("live_on", "treatment").drop_nulls().unique().sort("live_on", "treatment")
    return [(day, term(name)) for day, name in rows.iter_rows()]


def _changes(stretches: tuple[Segment, ...], live: list[tuple[dt.date, str]]) -> pl.DataFrame:
    import polars as pl

    rows = []
    for before, after in pairwise(stretches):
        near: dict[str, int] = {}
        for day, name in live:
            if abs((after.first - day).days) <= _NEAR_DAYS:
                near[name] = near.get(name, 0) + 1
        beside = ", ".join(
            name if number == 1 else f"{name} ({number} units)" for name, number in near.items()
        )
        rows.append(
            (after.first, float(np.exp(after.mean)), float(np.expm1(after.mean - before.mean)),
             beside)
        )  # fmt: skip
    schema = {
        "day": pl.Date,
        "level_s": pl.Float64,
        "aht_change": pl.Float64,
        "beside": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _checks(habit: int, at: list[dt.date]) -> tuple[Check, ...]:
    checks = [
        Check("season", "informs",
              f"habits of {counted(habit, 'weekday')} are removed; a season of the year is not, "
              "and shows as a change of level")
    ]  # fmt: skip
    gaps = (at[-1] - at[0]).days + 1 - len(at)
    if gaps:
        checks.append(Check("days without a value", "informs", counted(gaps, "day")))
    return tuple(checks)
