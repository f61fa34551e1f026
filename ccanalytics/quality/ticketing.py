"""Tickets: how long until they are closed, those still open among them, and which come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.frames import (
    as_polars,
    check_counts,
    check_known,
    key_columns,
    key_names,
    label_of,
)
from ccanalytics.statistics.proportions import wilson
from ccanalytics.statistics.survival import kaplan_meier
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    from ccanalytics.statistics.survival import KaplanMeier

__all__ = ["Tickets", "tickets"]

_COLUMNS = ("state", "reopened", "hours", "tickets")
_GOOD = ("closed", "open")


@dataclass(frozen=True, eq=False, kw_only=True)
class Tickets(Result):
    """How long tickets took, and which were opened again.

    Attributes
    ----------
    overall
        As ``groups``, of all tickets.
    groups
        One row per key: ``tickets``, ``open``, ``share`` of all tickets and ``cumulative`` (the
        Pareto: the most tickets first), ``median_hours`` with limits, ``closed_24h`` … (share
        closed within so many hours) with limits, ``reopened`` and ``reopen_rate`` with limits.
    curve
        Kaplan–Meier of all tickets, in hours.
    left_out
        Tickets that cannot be right, by reason.
    """

    overall: pl.DataFrame
    groups: pl.DataFrame
    curve: KaplanMeier
    left_out: Mapping[str, int]
    within: tuple[int, ...]
    keys: tuple[str, ...]
    names: Mapping[str, str | None]

    def median(self) -> Estimate:
        """Hours by which half of the tickets are closed."""
        return self.curve.quantile(0.5)

    def closed_within(self, hours: float) -> Estimate:
        """Share closed within so many hours."""
        left = self.curve.at(hours)
        return Estimate(1 - left.value, 1 - left.high, 1 - left.low, left.level)

    def headline(self) -> str:
        """Say how long half of the tickets take, and how many come back."""
        row, median = self.overall.row(0, named=True), self.median()
        told = (
            f"Half of the tickets are closed within {counted(round(median.value), 'hour')} "
            f"({_interval(median)})"
            if np.isfinite(median.value)
            else "Fewer than half of the tickets are closed in the time that the log sees"
        )
        if row["reopen_rate"] is None:
            return f"{told}."
        names = ("reopen_rate", "reopen_rate_low", "reopen_rate_high")
        value, low, high = (float(row[name]) for name in names)
        rate = Estimate(value, low, high, self.inputs["level"])
        return f"{told}; {rate.format('{:.1%}')} of those closed were opened again."

    def summary(self) -> str:
        """Give the shares closed in time, the open ones, and where most tickets come from."""
        row = self.overall.row(0, named=True)
        shares = ", ".join(
            f"{self.closed_within(each).value:.0%} within {_span(each)}" for each in self.within
        )
        first = ""
        if self.keys and self.groups.height > 1:
            top = self.groups.row(0, named=True)
            name = label_of(self.names.get(top[key]) or top[key] for key in self.keys)
            first = f" Most tickets, {top['share']:.0%}, are of {name}."
        return (
            f"{self.headline()} Closed: {shares}. {counted(row['tickets'], 'ticket')}, of which "
            f"{counted(row['open'], 'is', 'are')} open when the records end; Kaplan–Meier follows "
            f"them until then. The time runs to the last closing.{first}"
        )

    def table(self) -> pl.DataFrame:
        """Give the groups without most limits, for reading."""
        import polars as pl

        median = ["median_hours", "median_hours_low", "median_hours_high"]
        rate = ["reopen_rate", "reopen_rate_low", "reopen_rate_high"]
        shut = [f"closed_{each}h" for each in self.within]
        rows = self.groups.select(*self.keys, "tickets", "share", "open", *median, *shut, *rate)
        hours = pl.col(median)
        return rows.with_columns(pl.when(hours.is_finite()).then(hours).name.keep())

    def to_frame(self) -> pl.DataFrame:
        """Give the groups."""
        return self.groups


def tickets(
    counts: Any,
    *,
    within_hours: Sequence[int] = (24, 48, 168),
    by: Iterable[str] | None = None,
    reopened: bool = True,
    level: float = 0.95,
    names: Mapping[str, str | None] | None = None,
) -> Tickets:
    """Estimate the time until tickets are closed, and how many come back.

    S(t) is the product-limit estimate, tickets still open being followed until the records end;
    its limits are log-log. The share opened again is of those closed at least once of which it is
    told, Wilson limits.

    Parameters
    ----------
    counts
        Frame of ``CallLog.tickets(by)``; polars or pandas.
    within_hours
        Hours within which the share closed is told.
    by
        Keys to group by; default: all of the frame.
    reopened
        Whether tickets that were opened again count in the time until (last) closed.
    level
        Of the limits.
    names
        Names of keys, for the words.

    Raises
    ------
    InputError
        A frame without its columns, hours that are not positive.
    DataError
        No ticket that can be right.

    References
    ----------
    Kaplan & Meier (1958), JASA 53.

    Examples
    --------
    >>> import polars as pl
    >>> seen = pl.DataFrame({"state": ["closed", "closed", "open"], "reopened": False,
    ...     "hours": [5, 30, 40], "tickets": [50, 30, 20]})
    >>> found = tickets(seen)
    >>> found.median().value, found.closed_within(24).value
    (5.0, 0.5)
    """
    import polars as pl

    level = check_level(level)
    hours = sorted({int(each) for each in within_hours})
    if not hours or hours[0] <= 0:
        raise InputError("hours are above 0, one or more", f"within_hours={within_hours!r}", "24")
    rows = as_polars(counts, "counts", _COLUMNS, "log.tickets(by)")
    check_counts(rows, ["tickets"], "counts")
    check_known(rows, ["tickets"], "counts")
    keys = key_columns(rows, _COLUMNS)
    chosen = keys if by is None else key_names(by)
    if set(chosen) - set(keys):
        raise InputError("the frame has no such key", f"by={chosen!r}", ", ".join(keys))
    wrong = rows.filter(~pl.col("state").is_in(_GOOD) | pl.col("hours").is_null())
    left = {
        str(state): int(n)
        for state, n in wrong.group_by("state").agg(pl.col("tickets").sum()).sort("state").rows()
    }
    good = rows.filter(pl.col("state").is_in(_GOOD), pl.col("hours").is_not_null())
    check_counts(good, ["hours"], "counts")
    untold = int(good.filter(pl.col("reopened").is_null())["tickets"].sum())
    if not good["tickets"].sum():
        raise DataError(
            "no ticket can be followed",
            ", ".join(f"{n:,} {why}" for why, n in left.items()) or "no ticket",
            "load tickets with opened_at before closed_at",
        )
    total = int(good["tickets"].sum())
    parts = [_row(part, hours, level, reopened=reopened) | dict(zip(chosen, key, strict=True))
             for key, part in good.group_by(chosen)] if chosen else []  # fmt: skip
    overall = pl.DataFrame([_row(good, hours, level, reopened=reopened)], infer_schema_length=None)
    groups = (
        pl.DataFrame(parts, infer_schema_length=None).select(*chosen, *overall.columns)
        .sort("tickets", *chosen, descending=[True, *(False for _ in chosen)])
        if parts else overall
    )  # fmt: skip
    groups = groups.with_columns(share=pl.col("tickets") / total)
    groups = groups.with_columns(cumulative=pl.col("share").cum_sum())
    order = [*chosen, "tickets", "share", "cumulative"]
    groups = groups.select(*order, pl.exclude(order))
    checks = [
        Check("records", "fails", f"{counted(n, 'ticket')} {why}, left out")
        for why, n in left.items()
    ]
    if untold:
        checks.append(
            Check("opened again, unknown", "informs" if untold < total else "fails",
                  f"of {counted(untold, 'ticket')} the records do not tell whether it was opened "
                  "again: they are in no share of that")
        )  # fmt: skip
    again = int(good.filter(pl.col("reopened"))["tickets"].sum())
    if again:
        checks.append(
            Check(
                "opened again", "informs",
                f"the records tell the last closing alone: of the {counted(again, 'ticket')} "
                + ("opened again the time in between is in it" if reopened else
                   "opened again none is in the time until closed"),
            )
        )  # fmt: skip
    return Tickets(
        inputs={"within_hours": hours, "by": chosen, "reopened": reopened, "level": level},
        checks=tuple(checks),
        overall=overall,
        groups=groups,
        curve=_curve(good if reopened else _not_again(good), level),
        left_out=left,
        within=tuple(hours),
        keys=tuple(chosen),
        names=names or {},
    )


def _curve(rows: pl.DataFrame, level: float) -> KaplanMeier:
    n = rows["tickets"].cast(float).to_numpy()
    closed = (rows["state"] == "closed").to_numpy()
    # Closed within the hour it was opened: the first hour.
    hours = np.maximum(rows["hours"].cast(float).to_numpy(), closed.astype(float))
    return kaplan_meier(hours, np.where(closed, n, 0), np.where(closed, 0, n), level)


def _not_again(rows: pl.DataFrame) -> pl.DataFrame:
    """Tickets that are not known to have been opened again."""
    return rows.filter(~rows["reopened"].fill_null(value=False))


def _row(rows: pl.DataFrame, hours: list[int], level: float, *, reopened: bool) -> dict[str, Any]:
    import polars as pl

    curve = _curve(rows if reopened else _not_again(rows), level)
    median = curve.quantile(0.5)
    row: dict[str, Any] = {
        "tickets": int(rows["tickets"].sum()),
        "open": int(rows.filter(pl.col("state") == "open")["tickets"].sum()),
        "median_hours": median.value,
        "median_hours_low": median.low,
        "median_hours_high": median.high,
    }
    for each in hours:
        left = curve.at(each)
        row |= {
            f"closed_{each}h": 1 - left.value,
            f"closed_{each}h_low": 1 - left.high,
            f"closed_{each}h_high": 1 - left.low,
        }
    back = rows.filter(pl.col("reopened"))
    told = rows.filter(pl.col("reopened").is_not_null())
    once = int(told.filter((pl.col("state") == "closed") | pl.col("reopened"))["tickets"].sum())
    again = int(back["tickets"].sum())
    low, high = wilson(again, once, level) if once else (None, None)
    return row | {
        "reopened": again if told.height else None,
        "reopen_rate": again / once if once else None,
        "reopen_rate_low": low, "reopen_rate_high": high,
    }  # fmt: skip


def _interval(hours: Estimate) -> str:
    level = f"{100 * hours.level:g}% interval"
    if not np.isfinite(hours.high):
        return f"{level} from {hours.low:,.0f} on, with no upper limit"
    return f"{level} {hours.low:,.0f} to {hours.high:,.0f}"


def _span(hours: int) -> str:
    return f"{hours // 24} days" if hours % 24 == 0 and hours >= 72 else counted(hours, "hour")
