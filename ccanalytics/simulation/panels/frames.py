"""Small worlds in the forms in which a call log gives its roll-ups and tables."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.simulation.panels.plan import NEVER

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.simulation.panels.periods import Periods
    from ccanalytics.simulation.panels.world import PanelWorld

__all__ = ["handle_frame", "panel_frame", "rollout_frame", "unit_names", "use_frame"]

# The columns of log.panel() in their order; those not drawn are 0 (counts) or null (seconds).
_NO_CALLS = ("left_menu", "contained", "diverted", "blocked", "waited")
_UNKNOWN = ("menu_s", "wait_s", "answered_wait_s", "abandoned_wait_s", "talk_s", "hold_s", "wrap_s")
_UNKNOWN_LAST = ("mean_wait_s", "asa_s")
_MOST_CALLS = 100_000_000
_UNKNOWN_END = ("wait_p50_s", "wait_p90_s", "agent_busy_s", "line_busy_s")


def unit_names(units: int) -> list[str]:
    """Name the units, the biggest first: U01, U02 and so on."""
    width = max(2, len(str(units)))
    return [f"U{k:0{width}d}" for k in range(1, units + 1)]


def time_columns(periods: Periods) -> pl.DataFrame:
    """One row per period: interval_start, local_start, utc_offset_s, interval_s."""
    import polars as pl

    zone = ZoneInfo(periods.time_zone)
    local = [dt.datetime.combine(day, dt.time()) for day in [*periods.starts, periods.day(-1)]]
    local[-1] = dt.datetime.combine(periods.day(len(periods)), dt.time())
    aware = [each.replace(tzinfo=zone) for each in local]
    at = [each.timestamp() for each in aware]
    return pl.DataFrame(
        {
            "interval_start": [dt.datetime.fromtimestamp(second, dt.UTC) for second in at[:-1]],
            "local_start": local[:-1],
            "utc_offset_s": [round(each.utcoffset().total_seconds()) for each in aware[:-1]],  # type: ignore[union-attr]
            "interval_s": np.rint(np.diff(at)).astype(np.int64),
        },
        schema={
            "interval_start": pl.Datetime("us", "UTC"),
            "local_start": pl.Datetime("us"),
            "utc_offset_s": pl.Int64,
            "interval_s": pl.Int64,
        },
    )


def _with_times(times: pl.DataFrame, units: int, columns: dict[str, Any]) -> pl.DataFrame:
    import polars as pl

    span = times.height
    names = pl.DataFrame({"unit": unit_names(units)})
    index = np.repeat(np.arange(units), span)
    return pl.concat(
        [
            times[np.tile(np.arange(span), units)],
            names[index],
            pl.DataFrame(columns),
        ],
        how="horizontal",
    )


def panel_frame(world: PanelWorld, times: pl.DataFrame, *, handle: bool) -> pl.DataFrame:
    """Give the panel as ``log.panel(unit=…, every=…)`` does."""
    import polars as pl

    now, answered = world.factual, world.answered
    offered = now.offered
    columns: dict[str, Any] = {
        "arrived": offered.ravel(),
        "offered": offered.ravel(),
        "answered": answered.ravel(),
        "abandoned": (offered - answered).ravel(),
    }
    zero = np.zeros(offered.size, np.int64)
    columns |= dict.fromkeys(_NO_CALLS, zero)
    columns["handled"] = answered.ravel() if handle else zero
    nothing = pl.Series([None], dtype=pl.Float64).new_from_index(0, offered.size)
    columns |= dict.fromkeys(_UNKNOWN, nothing)
    total = handle_sums(world)[0].ravel() if handle else nothing
    columns["handle_s"] = total
    columns |= dict.fromkeys(_UNKNOWN_LAST, nothing)
    columns["aht_s"] = nothing
    columns |= dict.fromkeys(_UNKNOWN_END, nothing)
    columns["first_attempts"] = now.first_attempts.ravel()
    frame = _with_times(times, world.units, columns)
    if handle:
        mean = pl.when(pl.col("handled") > 0).then(pl.col("handle_s") / pl.col("handled"))
        frame = frame.with_columns(aht_s=mean)
    return frame


def rollout_frame(world: PanelWorld, unit_kind: str, *, randomised: bool) -> pl.DataFrame:
    """Give the roll-outs as ``log.table("rollouts")`` does, without units that never go live."""
    import polars as pl

    names, rows = unit_names(world.units), []
    for treatment, plan in world.plans.items():
        for unit in np.flatnonzero(plan.live != NEVER).tolist():
            day = world.periods.day(int(plan.live[unit]))
            rows.append((unit_kind, names[unit], treatment, day, day, randomised))
    schema = {
        "unit_kind": pl.String,
        "unit": pl.String,
        "treatment": pl.String,
        "planned_on": pl.Date,
        "live_on": pl.Date,
        "randomised": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("unit", "treatment")


def use_frame(world: PanelWorld, times: pl.DataFrame, treatment: str) -> pl.DataFrame:
    """Give who was offered a treatment, and what share used it, by unit and period."""
    plan = world.plans[treatment]
    return _with_times(
        times,
        world.units,
        {"offered_it": plan.treated.ravel(), "use": plan.use.ravel()},
    )


def handle_frame(world: PanelWorld, times: pl.DataFrame) -> pl.DataFrame:
    """Give sums and variances of handle time by unit and period, and their expectation."""
    import polars as pl

    total, variance, log_mean, log_variance = handle_sums(world)
    calls = world.answered.ravel()
    frame = _with_times(
        times,
        world.units,
        {
            "calls": calls,
            "handle_s": total.ravel(),
            "handle_var_s2": variance.ravel(),
            "log_mean": log_mean.ravel(),
            "log_var": log_variance.ravel(),
            "expected_s": world.factual.handle_mean_s.ravel(),
            "expected_without_s": world.without().handle_mean_s.ravel(),
        },
    )
    return frame.with_columns(pl.col("handle_var_s2", "log_mean", "log_var").fill_nan(None))


def handle_sums(world: PanelWorld) -> tuple[NDArray[np.float64], ...]:
    """Draw each answered call's handle time: sum, variance, mean and variance of logarithms.

    Variances are those of a sample (divisor n − 1), nan for fewer than two calls.
    """
    from ccanalytics.simulation.panels.world import stream_of

    calls = world.answered
    if calls.sum() > _MOST_CALLS:
        raise InputError(
            "so many handle times do not fit into memory",
            f"{calls.sum():,} calls answered",
            "lower calls_per_week, or draw fewer periods",
        )
    sd = world.parameters.handle_log_sd
    z = stream_of(world.seed, world.index, "calls' handle time").standard_normal(int(calls.sum()))
    # The mean of each cell is taken out, so that sums of squares lose no digits.
    centre = np.log(world.factual.handle_mean_s) - sd**2 / 2
    relative = np.exp(sd * z)
    n = calls.ravel()
    scale = np.exp(centre).ravel()
    mean, squares = _moments(relative, n)
    log_mean, log_squares = _moments(z, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = scale**2 * np.where(n > 1, squares / (n - 1), np.nan)
        log_variance = sd**2 * np.where(n > 1, log_squares / (n - 1), np.nan)
    log_mean = np.where(n > 0, centre.ravel() + sd * log_mean, np.nan)
    parts = (scale * n * mean, variance, log_mean, log_variance)
    return tuple(each.reshape(calls.shape) for each in parts)


def _moments(
    values: NDArray[np.float64], n: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean, and sum of squares around it, of runs of ``n`` values; 0 for empty runs."""
    mean, squares = np.zeros(n.size), np.zeros(n.size)
    some = n > 0
    starts = (np.cumsum(n) - n)[some]
    if starts.size:
        mean[some] = np.add.reduceat(values, starts) / n[some]
        squares[some] = np.add.reduceat((values - np.repeat(mean, n)) ** 2, starts)
    return mean, squares
