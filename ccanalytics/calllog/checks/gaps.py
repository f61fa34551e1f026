"""Days and hours in which calls are missing, against the centre's own weekly pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.checks.finding import Finding
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.checks.look import Look

__all__ = ["empty_days", "missing_hours"]

# A run of empty hours is a gap if the pattern expects so many calls in it: by chance alone it
# would stay empty once in three million times.
_EXPECTED = 15.0
_SEEN = 3


def empty_days(look: Look) -> list[Finding]:
    """Days without any call, closed or missing from the export.

    Where the log has a calendar (table ``days``), a workday without calls fails and a holiday is
    nothing to tell.
    """
    import polars as pl

    days = look.hours.group_by("day", maintain_order=True).agg(pl.col("calls").sum())
    empty = days.filter(pl.col("calls") == 0)["day"].to_list()
    calendar = {
        row["on"]: row["workday"]
        for row in look.all('SELECT "on", workday FROM days WHERE workday IS NOT NULL')
    }
    workdays = [day for day in empty if calendar.get(day)]
    name, base = "days without a call", days.height
    if not empty:
        said = "the one day has calls" if base == 1 else f"each of the {base:,} days has calls"
        return [Finding(name=name, verdict="holds", detail=said, base=base, of="day")]
    if calendar and all(day in calendar for day in empty) and not workdays:
        said = f"{len(empty):,} of {counted(base, 'day')}, none of them a workday"
        return [Finding(name=name, verdict="holds", detail=said, base=base, of="day")]
    shown = workdays or empty
    detail = (
        f"{len(empty):,} of {counted(base, 'day')}: {', '.join(str(d) for d in shown[:10])}"
        + (" …" if len(shown) > 10 else "")
        + ("; workdays of the calendar" if workdays else "")
        + "; closed, or missing from the export?"
    )
    return [
        Finding(
            name=name,
            verdict="fails" if workdays else "informs",
            detail=detail,
            count=len(empty),
            base=base,
            of="day",
            examples=tuple({"day": f"{d:%Y-%m-%d}", "weekday": f"{d:%A}"} for d in shown[:5]),
            consequences={
                "volume": "means by weekday leave these days out or count them as zero",
                "customer": "calls again over these days are not seen",
            },
            remedy="load the missing export; if the centre was closed, say so in the table days",
            care=True,
        )
    ]


def missing_hours(look: Look) -> list[Finding]:
    """Hours without a call inside days with calls, where the same hour of other weeks has many.

    A gap is a run of empty hours in which the medians of the same weekday and hour (of all days,
    where a weekday was seen fewer than three times) add up to 15 calls or more. Between calls of
    the same day it fails; at the day's beginning or end it informs, since a centre may open late
    or close early.
    """
    runs = _runs(look.hours)
    gaps = [run for run in runs if run["inside"]]
    short = [run for run in runs if not run["inside"]]
    hours = look.hours.height
    found = [
        _told(
            "missing hours",
            gaps,
            hours,
            "fails",
            "between calls of the same day",
            "load the missing export, or leave these days out of every mean",
        )
    ]
    if short:
        found.append(
            _told(
                "days that begin late or end early",
                short,
                hours,
                "informs",
                "at the beginning or the end of a day",
                "if the centre was closed then, nothing; otherwise load the missing export",
            )
        )
    return found


def _told(
    name: str, runs: list[dict[str, Any]], base: int, verdict: Any, where: str, remedy: str
) -> Finding:
    if not runs:
        return Finding(
            name=name, verdict="holds", detail=f"none of {base:,} hours", base=base, of="hour"
        )
    runs = sorted(runs, key=lambda run: -run["expected"])
    hours = sum(run["hours"] for run in runs)
    lost = sum(run["expected"] for run in runs)
    first = runs[0]
    return Finding(
        name=name,
        verdict=verdict,
        detail=f"{counted(hours, 'hour')} without a call {where}, in which other weeks have about "
        f"{lost:,.0f} calls; the largest: {first['from']:%Y-%m-%d %H:%M} to "
        f"{first['to']:%H:%M}, about {first['expected']:,.0f} calls",
        count=hours,
        base=base,
        of="hour",
        examples=tuple(
            {
                "from": f"{run['from']:%Y-%m-%d %H:%M}",
                "to": f"{run['to']:%Y-%m-%d %H:%M}",
                "calls expected": f"{run['expected']:,.0f}",
            }
            for run in runs[:5]
        ),
        consequences={
            "volume": "the mean of these hours is too low",
            "customer": "calls again in these hours are not seen",
        },
        remedy=remedy,
    )


def _runs(hours: pl.DataFrame) -> list[dict[str, Any]]:
    """Runs of empty hours that should not be empty."""
    import polars as pl

    calls = pl.col("calls")
    busy = hours.with_columns(_day=calls.sum().over("day")).filter(pl.col("_day") > 0)
    # The first and the last day may be cut by the export itself.
    first, last = (busy.filter(calls > 0)["slot"][edge] for edge in (0, -1))
    busy = busy.filter(pl.col("slot").is_between(first, last))
    usual = busy.group_by("weekday", "hour").agg(_own=calls.median(), _seen=pl.len())
    anyday = busy.group_by("hour").agg(_any=calls.min(), _middle=calls.median(), _all=pl.len())
    # With few weeks, an hour is expected only if nearly every day has calls in it.
    held = busy.group_by("hour").agg(_zero=(calls == 0).mean())
    busy = (
        busy.join(usual, on=["weekday", "hour"])
        .join(anyday, on="hour")
        .join(held, on="hour")
        .with_columns(
            expected=pl.when(pl.col("_seen") >= _SEEN)
            .then("_own")
            .when((pl.col("_all") > _SEEN) & (pl.col("_zero") < 0.25))
            .then("_middle")
            .otherwise(0.0)
        )
        .sort("slot")
    )
    empty = calls == 0
    # A run ends where an hour has calls, and where the day ends.
    number = (empty != empty.shift(1)) | (pl.col("day") != pl.col("day").shift(1))
    runs = (
        busy.with_columns(_run=number.fill_null(value=True).cum_sum())
        .group_by("_run", maintain_order=True)
        .agg(
            pl.col("calls").sum(),
            pl.col("expected").sum(),
            pl.col("day").first(),
            pl.col("slot").first(),
            hours=pl.len(),
            **{
                "from": pl.col("local_start").first(),
                "to": pl.col("local_start").last() + pl.duration(hours=1),
            },
        )
        .filter((pl.col("calls") == 0) & (pl.col("expected") >= _EXPECTED))
    )
    ends = (
        busy.filter(calls > 0)
        .group_by("day")
        .agg(_first=pl.col("slot").min(), _last=pl.col("slot").max())
    )
    return (
        runs.join(ends, on="day", how="left")
        .with_columns(inside=pl.col("slot").is_between(pl.col("_first"), pl.col("_last")))
        .to_dicts()
    )
