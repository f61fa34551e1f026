"""Sums over cells of the profile: weekday and time of day, clock hour, date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.servicelevel import ServiceLevel

__all__ = ["check_lengths", "days", "gap_check", "hours", "slots"]

# A normal law's standard deviation is so many times its median absolute deviation.
_MAD = 1.4826


def check_lengths(rows: pl.DataFrame) -> None:
    """Refuse intervals that do not fill clock hours."""
    lengths = rows["interval_s"].unique().to_list()
    if len(lengths) > 1 or 3600 % lengths[0]:
        raise InputError(
            "a profile by time of day needs intervals of one length that divides an hour",
            f"interval_s={sorted(lengths)[:3]}",
            'roll up by "1h", "30min", "15min" or less',
        )


def slots(rows: pl.DataFrame, goal: ServiceLevel, least: float = 0) -> pl.DataFrame:
    """Give means and ratios of sums per weekday and time of day; ``least`` calls are enough."""
    import polars as pl

    needed = dict.fromkeys([*goal.columns().values(), "offered", "abandoned"])
    waits = [pl.col("wait_s").sum()] if _known(rows, "wait_s") else []
    cells = (
        rows.group_by("weekday", "clock")
        .agg(
            pl.len().alias("intervals"),
            pl.col("_volume").mean().alias("calls"),
            (pl.col("_volume").var() / pl.col("_volume").mean()).alias("dispersion"),
            *(pl.col(name).sum() for name in needed),
            *waits,
        )
        .sort("weekday", "clock")
    )
    level = pl.Series("service_level", goal.of(cells), dtype=pl.Float64).fill_nan(None)
    wait = pl.col("wait_s") / pl.col("offered") if waits else pl.lit(None, pl.Float64)
    return cells.select(
        "weekday",
        "clock",
        "intervals",
        "calls",
        "offered",
        (pl.col("offered") < least).alias("few"),
        level,
        (pl.col("abandoned") / pl.col("offered")).fill_nan(None).alias("abandonment"),
        wait.fill_nan(None).alias("mean_wait_s"),
        pl.col("dispersion").fill_nan(None),
    )


def hours(
    rows: pl.DataFrame, goal: ServiceLevel
) -> tuple[pl.DataFrame, dict[str, Any], dict[str, Any]]:
    """Give mean calls per clock hour, the busy hour, and the busiest hour seen."""
    import polars as pl

    needed = dict.fromkeys(goal.columns().values())
    busy = (
        pl.col("agent_busy_s").sum() / 3600
        if _known(rows, "agent_busy_s")
        else pl.lit(None, pl.Float64)
    )
    seen = (
        rows.with_columns(hour=pl.col("local_start").dt.truncate("1h"))
        .group_by("hour")
        .agg(
            pl.col("interval_s").sum().alias("_length"),
            pl.col("_volume").sum().alias("_calls"),
            busy.alias("_load"),
            *(pl.col(name).sum() for name in needed),
        )
        # Hours at the edge of the span, and the doubled hour of a clock change, are not hours.
        .filter(pl.col("_length") == 3600)
        .sort("hour")
    )
    if seen.is_empty():
        raise DataError(
            "no clock hour was seen whole", f"{rows.height} intervals", "widen start and end"
        )
    mean = (
        seen.group_by(clock=pl.col("hour").dt.strftime("%H:%M"))
        .agg(
            pl.col("_calls").mean().alias("calls"),
            pl.col("_load").mean().alias("load"),
            pl.len().alias("days"),
        )
        .sort("clock")
    )
    top = mean.row(int(mean["calls"].arg_max() or 0), named=True)
    peak = seen.row(int(seen["_calls"].arg_max() or 0), named=True)
    day_total = float(mean["calls"].sum())
    return (
        mean,
        {
            "clock": top["clock"],
            "calls": top["calls"],
            "share_of_day": top["calls"] / day_total if day_total else float("nan"),
            "load": top["load"],
        },
        {
            "local_start": peak["hour"],
            "calls": peak["_calls"],
            "service_level": float(
                goal.observed(**{key: peak[name] for key, name in goal.columns().items()})
            ),
        },
    )


def days(rows: pl.DataFrame, outlier: float) -> pl.DataFrame:
    """Compare each date's calls with the median of its weekday, in robust deviations.

    The scale is 1.4826 × the median absolute deviation, or the square root of the median (that
    of Poisson counts) where that is greater: a few like days would make it nearly zero.
    """
    import polars as pl

    if not outlier > 0:
        raise InputError("the bound for unusual days is above 0", f"outlier={outlier!r}")
    daily = (
        rows.group_by("date")
        .agg(
            pl.col("weekday").first(),
            pl.col("_volume").sum().alias("calls"),
            # Clock changes make days of 23 and 25 hours.
            (pl.col("interval_s").sum() < 23 * 3600).alias("_part"),
        )
        .sort("date")
    )
    whole = daily.filter(~pl.col("_part"))
    usual = whole.group_by("weekday").agg(
        pl.col("calls").median().alias("usual"),
        (pl.col("calls") - pl.col("calls").median()).abs().median().alias("_mad"),
        pl.len().alias("_days"),
    )
    scale = pl.max_horizontal(_MAD * pl.col("_mad"), pl.col("usual").sqrt(), pl.lit(1.0))
    score = pl.when(~pl.col("_part")).then((pl.col("calls") - pl.col("usual")) / scale)
    # Three days cannot say which of them is unusual.
    judged = (pl.col("_days") >= 4) & ~pl.col("_part")
    return (
        daily.join(usual, on="weekday", how="left", maintain_order="left")
        .with_columns(score=score)
        .with_columns(
            kind=pl.when(pl.col("_part"))
            .then(pl.lit("partial"))
            .when((pl.col("calls") == 0) & (pl.col("usual") > 0))
            .then(pl.lit("zero"))
            .when(judged & (pl.col("score") > outlier))
            .then(pl.lit("high"))
            .when(judged & (pl.col("score") < -outlier))
            .then(pl.lit("low"))
        )
        .select("date", "weekday", "calls", "usual", "score", "kind")
    )


def gap_check(rows: pl.DataFrame) -> list[Check]:
    """Say where the frame has no row between its first and its last interval."""
    import polars as pl

    gaps = rows.select(
        (pl.col("interval_start").diff().dt.total_seconds() / pl.col("interval_s") - 1)
        .fill_null(0)
        .round()
        .clip(0)
        .sum()
    ).item()
    if not gaps:
        return []
    return [
        Check(
            "Intervals missing",
            "informs",
            f"{gaps:,.0f} inside the span have no row in the frame and count neither as zero nor "
            "as a day",
        )
    ]


def _known(rows: pl.DataFrame, name: str) -> bool:
    return name in rows.columns and rows[name].null_count() < rows.height
