"""Calls of agents by interval and kind, as sums: what models of agents stand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.handletime.valuecounts import TIME_COLUMNS
from ccanalytics.results import Check
from ccanalytics.statistics.frames import as_polars, check_counts, check_known, key_columns
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

__all__ = ["LEFT_OUT", "SOURCE", "AgentCells", "agent_cells", "hired_days", "listed"]

SOURCE = "CallLog.agent_handling"
PEOPLE = "CallLog.agents"

LEFT_OUT = {
    "untimed": "without handle time",
    "negative_times": "with a negative time",
    "zero_times": "below 1 s",
    "over_a_day": "longer than a day",
}
"""Columns of calls that are not timed, in words."""

_SUMS = ("timed_s", "timed_ss", "timed_logs", "timed_logs2")


@dataclass(frozen=True, eq=False)
class AgentCells:
    """Agents × intervals × kinds that have calls.

    Attributes
    ----------
    agents, starts, kinds
        Names of agents, first local days of intervals, number of kinds.
    agent, period, kind
        Of each cell, places in these, in the order of agents.
    calls, total_s, squares_s, logs, logs2
        Of each cell: timed calls, sums of seconds, of their squares, of logs and of their squares.
    days
        Length of the intervals.
    left_out
        Calls that are not in the cells, by reason in words.
    keys
        The columns that make kinds.
    """

    agents: list[str]
    starts: list[dt.date]
    kinds: int
    agent: Places
    period: Places
    kind: Places
    calls: Floats
    total_s: Floats
    squares_s: Floats
    logs: Floats
    logs2: Floats
    days: int
    left_out: dict[str, int]
    keys: tuple[str, ...]

    def by_agent(self, values: Floats) -> Floats:
        """Sums of cells over each agent."""
        return np.bincount(self.agent, values, len(self.agents)).astype(float)

    @property
    def within(self) -> tuple[float, float]:
        """Sum of squares of logs about the mean of their cell, and its degrees of freedom."""
        square = np.maximum(self.logs2 - self.logs**2 / self.calls, 0.0)
        return float(square.sum()), float((self.calls - 1).sum())

    def checks(self) -> tuple[Check, ...]:
        """Say what was left out."""
        gone = {why: count for why, count in self.left_out.items() if count}
        if not gone:
            return ()
        total = sum(gone.values())
        told = ", ".join(f"{count:,} {why}" for why, count in gone.items())
        of = total + self.calls.sum()
        return (
            Check("calls left out", "informs", f"{total:,} of {of:,.0f} answered calls: {told}"),
        )


def agent_cells(frame: Any, most: int, *, longest_days: int = 31) -> AgentCells:
    """Check a frame of ``CallLog.agent_handling`` and number what is in it.

    Parameters
    ----------
    frame
        The frame; every column that the roll-up does not define is a key.
    most
        Kinds to tell apart, those with most calls; the others are taken together.
    longest_days
        Longest interval that the model can use.

    Raises
    ------
    InputError
        A missing column, counts that cannot be, intervals that are too long.
    DataError
        No timed call whose agent is known.
    """
    import polars as pl

    needs = ("local_start", "interval_s", "agent", "timed_calls", *_SUMS)
    rows = as_polars(frame, "frame", needs, SOURCE)
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InputError("this must be a whole number of kinds, 1 or more", f"most={most!r}")
    check_counts(rows, ("timed_calls", *_SUMS), "frame")
    check_known(rows, ("local_start", "interval_s", "timed_calls", *_SUMS), "frame")
    known = {*TIME_COLUMNS, "agent", "timed_calls", "second_line", *_SUMS, *LEFT_OUT}
    keys = key_columns(rows, known)
    left = {
        why: int(rows[name].fill_null(0).sum())
        for name, why in LEFT_OUT.items()
        if name in rows.columns
    }
    nobody = pl.col("agent").is_null()
    left["whose agent is unknown"] = int(rows.filter(nobody)["timed_calls"].sum())
    rows = rows.filter(~nobody, pl.col("timed_calls") > 0)
    if not rows.height:
        told = ", ".join(f"{count:,} {why}" for why, count in left.items() if count) or "no call"
        raise DataError(
            "no answered call has both an agent and a time",
            told,
            "take a longer span, or a source with the agent of each call",
        )
    days = round(float(rows["interval_s"].max()) / 86400)  # type: ignore[arg-type]
    if days > longest_days:
        raise InputError(
            "the intervals of this frame are too long for the question",
            f"{days} days, at most {longest_days}",
            "ask the log with every='1w'",
        )
    kinds, number = _kinds(rows, keys, most)
    rows = rows.with_columns(_kind=kinds, _on=pl.col("local_start").cast(pl.Date))
    agents = rows["agent"].cast(pl.String).unique().sort()
    starts = rows["_on"].unique().sort()
    rows = (
        rows.with_columns(
            _agent=pl.col("agent").cast(pl.String).replace_strict(
                agents, np.arange(agents.len()), return_dtype=pl.Int64
            ),
            _period=pl.col("_on").replace_strict(
                starts, np.arange(starts.len()), return_dtype=pl.Int64
            ),
        )
        .group_by("_agent", "_period", "_kind")
        .agg(pl.col("timed_calls", *_SUMS).cast(pl.Float64).sum())
        .sort("_agent", "_period", "_kind")
    )  # fmt: skip
    counts, total, squares, logs, logs2 = (rows[n].to_numpy() for n in ("timed_calls", *_SUMS))
    agent, period, kind = (rows[f"_{n}"].to_numpy() for n in ("agent", "period", "kind"))
    return AgentCells(
        agents=agents.to_list(), starts=starts.to_list(), kinds=number,
        agent=agent, period=period, kind=kind,
        calls=counts, total_s=total, squares_s=squares, logs=logs, logs2=logs2,
        days=max(days, 1), left_out=left, keys=tuple(keys),
    )  # fmt: skip


def _kinds(rows: pl.DataFrame, keys: list[str], most: int) -> tuple[pl.Series, int]:
    """Number of each row's kind: 0 for that with most calls, the rarest taken together."""
    import polars as pl

    if not keys:
        return pl.Series(np.zeros(rows.height, np.int64)), 1
    sizes = (
        rows.group_by(keys).agg(_n=pl.col("timed_calls").sum())
        .sort(["_n", *keys], descending=[True] + [False] * len(keys), nulls_last=True)
        .with_row_index("_kind").with_columns(pl.col("_kind").cast(pl.Int64).clip(0, most - 1))
    )  # fmt: skip
    told = rows.join(sizes, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return told["_kind"], min(sizes.height, most)


def listed(people: Any, needs: tuple[str, ...] = ("agent", "hired_on", "left_on")) -> pl.DataFrame:
    """Check a frame of ``CallLog.agents()`` or of ``CallLog.table("agents")``.

    Raises
    ------
    InputError
        A missing column, one that holds no dates, an agent who stands twice.
    """
    import polars as pl

    rows = as_polars(people, "people", needs, PEOPLE)
    for name in ("hired_on", "left_on"):
        if name in needs and not rows.schema[name].is_temporal() and rows.schema[name] != pl.Null:
            raise InputError(
                f"column {name!r} must hold dates", f"it holds {rows.schema[name]}", PEOPLE
            )
    rows = rows.with_columns(
        pl.col("agent").cast(pl.String),
        *(pl.col(n).cast(pl.Date) for n in ("hired_on", "left_on") if n in needs),
    )
    twice = rows.filter(pl.col("agent").is_duplicated())
    if twice.height:
        raise InputError("an agent stands twice", f"people: {twice[0, 'agent']!r}", "one row each")
    return rows


def hired_days(cells: AgentCells, people: pl.DataFrame) -> tuple[Floats, Floats, list[str]]:
    """Days from the first interval's start to hiring and to leaving, by agent of the cells.

    nan where there is no such day; the third are agents without a day of hiring, or with one after
    they left.
    """
    import polars as pl

    first = cells.starts[0]
    known = pl.DataFrame({"agent": cells.agents}).join(people, on="agent", how="left")
    hired, left = (
        (known[name] - first).dt.total_days().cast(pl.Float64).fill_null(np.nan).to_numpy()
        for name in ("hired_on", "left_on")
    )
    wrong = np.isnan(hired) | (left < hired)
    return (
        np.where(wrong, np.nan, hired),
        left,
        [agent for agent, bad in zip(cells.agents, wrong, strict=True) if bad],
    )


def some_names(names: list[str], most: int = 5) -> str:
    """A few names, and how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def agents_left_out(names: list[str], why: str) -> tuple[Check, ...]:
    """Name agents that a model cannot use."""
    if not names:
        return ()
    told = f"{counted(len(names), 'agent')} left out: {some_names(names)}"
    return (Check(why, "informs", told),)
