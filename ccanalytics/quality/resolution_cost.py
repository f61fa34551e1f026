"""What a contact costs that settles the matter: handle time over first-contact resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.statistics.checking import check_level, normal_quantile
from ccanalytics.statistics.frames import alike, as_polars, check_counts, check_known, over_a_day_in
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ResolutionCost", "resolution_cost"]

_CALLS = ("handled", "handle_s", "off_ss")


@dataclass(frozen=True, eq=False, kw_only=True)
class ResolutionCost(Result):
    """Cost of a contact that settles the matter.

    Attributes
    ----------
    frame
        One row per key: ``handled``, ``aht_s``, ``first_contacts``, ``resolution``, and
        ``cost_per_resolution`` with limits.
    overall
        The same of all together.
    """

    frame: pl.DataFrame
    overall: pl.DataFrame
    key: str

    def headline(self) -> str:
        """Say what a resolved contact costs."""
        row = self.overall.row(0, named=True)
        return (
            f"A contact that settles the matter costs {row['cost_per_resolution']:,.2f} on average "
            f"({100 * self.inputs['level']:g}% interval {row['cost_per_resolution_low']:,.2f} to "
            f"{row['cost_per_resolution_high']:,.2f})."
        )

    def summary(self) -> str:
        """Give the cost and what it is made of."""
        row = self.overall.row(0, named=True)
        return (
            f"{self.headline()} {self.inputs['cost_per_hour']:g} an hour, of which "
            f"{self.inputs['productive']:.0%} is spent on calls; {row['aht_s']:.0f} s a call, over "
            f"{row['resolution']:.1%} of first contacts after which nobody asked again. Waiting "
            "customers, transfers and tickets cost more, and are not in it."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the rows."""
        return self.frame


def resolution_cost(
    calls: Any, contacts: Any, *, cost_per_hour: float, productive: float = 1.0, by: str = "team",
    window_days: int = 7, level: float = 0.95,
) -> ResolutionCost:  # fmt: skip
    """Estimate the cost of a contact that settles the matter, by team or agent.

    Cost an hour × AHT/3600 / productive / FCR; limits on the scale of logs, variance
    s²/(n·AHT²) + (1 − FCR)/(FCR·m).

    Parameters
    ----------
    calls
        Frame of ``CallLog.agent_calls([by])``.
    contacts
        Frame of ``CallLog.resolutions(by=[by])``.
    cost_per_hour
        Of an agent's paid hour.
    productive
        Share of paid time spent on calls, 0–1; 1 counts handling alone.
    by
        The key that both have.
    window_days
        Window of the contacts.

    Raises
    ------
    InputError
        A frame without its columns, a cost that is not above 0.
    DataError
        No key has both handled calls and first contacts.
    """
    import polars as pl

    level = check_level(level)
    _positive("cost_per_hour", cost_per_hour, 1e12, "30")
    _positive("productive", productive, 1, "0.7")
    time = as_polars(calls, "calls", (by, *_CALLS), f"log.agent_calls(['{by}'])")
    check_counts(time, _CALLS, "calls")
    check_known(time, _CALLS, "calls")
    needs = (by, "window_days", "first_contacts", "again")
    first = as_polars(contacts, "contacts", needs, f"log.resolutions(by=['{by}'])")
    check_counts(first, ["first_contacts", "again"], "contacts")
    check_known(first, ["first_contacts", "again"], "contacts")
    time = alike(time, by, first, "calls")
    first = alike(first, by, time, "contacts").filter(pl.col("window_days") == window_days)
    rows = (
        time.group_by(by).agg(pl.col(_CALLS).sum())
        .join(first.group_by(by).agg(pl.col("first_contacts", "again").sum()), on=by, how="left")
    )  # fmt: skip
    known = rows.filter(pl.col("first_contacts") > pl.col("again"), pl.col("handled") > 0)
    known = known.filter(pl.col(by).is_not_null(), pl.col("handle_s") > 0)
    if not known.height:
        raise DataError(
            f"no {by} has both handled calls and first contacts that settled anything",
            f"window_days={window_days}",
            "take a window that log.resolutions was asked for, or more of the log",
        )
    unit = cost_per_hour / 3600 / productive
    whole = known.select(pl.exclude(by).sum()).with_columns(pl.lit("all").alias(by))
    left = rows.height - known.height
    every = float(rows["handle_s"].sum())
    lacks = 1 - float(known["handle_s"].sum()) / every
    return ResolutionCost(
        inputs={
            "cost_per_hour": cost_per_hour, "productive": productive, "by": by,
            "window_days": window_days, "level": level,
        },
        checks=(*over_a_day_in(time, "calls of agents"), *_left_out(left, by, lacks)),
        frame=_costs(known, by, unit, level).sort(by),
        overall=_costs(whole, by, unit, level),
        key=by,
    )  # fmt: skip


def _costs(rows: pl.DataFrame, by: str, unit: float, level: float) -> pl.DataFrame:
    import polars as pl

    n, time, off, m, again = (
        rows[name].cast(float).to_numpy()
        for name in ("handled", "handle_s", "off_ss", "first_contacts", "again")
    )
    aht, settled = time / n, 1 - again / m
    spread = np.sqrt(off / n / (n * aht**2) + (1 - settled) / (settled * m))
    cost = unit * aht / settled
    wide = np.exp(normal_quantile(level) * spread)
    return rows.select(
        by, pl.col("handled").cast(pl.Int64), aht_s=pl.Series(aht),
        first_contacts=pl.col("first_contacts").cast(pl.Int64), resolution=pl.Series(settled),
        cost_per_resolution=pl.Series(cost), cost_per_resolution_low=pl.Series(cost / wide),
        cost_per_resolution_high=pl.Series(cost * wide),
    )  # fmt: skip


def _positive(name: str, value: object, most: float, such: str) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value <= most:  # type: ignore[operator]
        raise InputError(
            "this must be above 0" + (f", {most:g} at most" if most < 1e9 else ""),
            f"{name}={value!r}",
            f"such as {such}",
        )


def _left_out(left: int, by: str, lacks: float) -> tuple[Check, ...]:
    if not left:
        return ()
    told = (
        f"{counted(left, by)} without timed calls, or without a first contact that settled "
        f"anything; {lacks:.1%} of handle time is theirs and in no cost"
    )
    return (Check("left out", "informs", told),)
