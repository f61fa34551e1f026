"""What every roll-up starts with: which calls, which keys, which intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw

from ccanalytics.calllog.engine import collect
from ccanalytics.calllog.timegrid import Every, Span, grid, parse_day
from ccanalytics.errors import DataError, InputError
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.engine import Engine

__all__ = [
    "KEYS",
    "Scope",
    "check_days",
    "check_keys",
    "check_where",
    "collect",
    "flag",
    "narrowed",
    "span_of",
]

Day = date | str


# Columns of calls by which it makes sense to group: the texts that name something.
KEYS = tuple(
    c.name
    for c in TABLES["calls"].columns
    if c.kind == "text" and c.name not in ("call_id", "parent_call_id", "customer")
)


@dataclass(frozen=True)
class Scope:
    """An engine, and the part of the log that a question is about.

    Attributes
    ----------
    log_begin, log_end
        Epoch seconds of the first and the last row in the log, whatever the question is about.
    """

    engine: Engine
    time_zone: str
    span: Span
    where: Mapping[str, list[str | None]]
    log_begin: int
    log_end: int
    _grids: dict[Every, tuple[pl.DataFrame, nw.LazyFrame[Any]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def calls(self) -> nw.LazyFrame[Any]:
        """The base view, narrowed to ``where``; times are not narrowed here."""
        return narrowed(self.everything(), self.where)

    def events(self) -> nw.LazyFrame[Any]:
        """Self-service events, narrowed to ``where``."""
        return narrowed(self.engine.table("events"), self.where)

    def counted(self) -> nw.LazyFrame[Any]:
        """Intervals that a switch counted itself, narrowed to ``where``."""
        return narrowed(self.engine.table("counted"), self.where)

    def everything(self) -> nw.LazyFrame[Any]:
        """The base view, whole."""
        return self.engine.table("base")

    def by_customer(self) -> list[nw.LazyFrame[Any]]:
        """Calls of known customers, all calls of one in one part.

        Withheld callers would be one giant partition, and false repeats.
        """
        known = ~nw.col("customer").is_null()
        return [calls.filter(known) for calls in self.engine.parts("base", "customer")]

    def followed(self) -> list[nw.LazyFrame[Any]]:
        """Calls asked about, of known customers, with the epoch of the customer's next as
        ``_next``: about anything, anywhere."""
        following = (
            nw.col("arrived_epoch")
            .shift(-1)
            .over("customer", order_by=["arrived_epoch", "call_id"])
        )
        return [
            self.arrived(narrowed(calls.with_columns(_next=following), self.where))
            for calls in self.by_customer()
        ]

    def fitted(self, every: Every) -> Every:
        """The interval on the longest unit that the centre's zone allows over the span."""
        return every.fitted(self.span, self.time_zone)

    def grid(self, every: Every) -> tuple[pl.DataFrame, nw.LazyFrame[Any]]:
        """The units of the span with their intervals: as a frame, and where the rows are."""
        if every not in self._grids:
            frame = grid(every, self.span, self.time_zone)
            self._grids[every] = frame, self.engine.hand_over(frame.select("unit", "slot"))
        return self._grids[every]

    def placed(
        self, rows: nw.LazyFrame[Any], every: Every, epoch: str = "arrived_epoch"
    ) -> nw.LazyFrame[Any]:
        """Rows within the span, with the number of their interval as ``slot``.

        Parameters
        ----------
        epoch
            Column of epoch seconds that says when a row was.
        """
        import polars as pl

        units, slots = self.grid(every)
        at, length = nw.col(epoch), every.unit_s
        first = units["unit"].item(0) * length
        each = int((units["slot"] == units["slot"].item(0)).sum())
        if (units["slot"] == pl.int_range(units.height, eager=True) // each).all():
            # All intervals are as long as the first: worked out, not looked up row by row.
            if epoch == "arrived_epoch":
                rows = self.arrived(rows)
            else:
                rows = rows.filter(at >= first, at < first + units.height * length)
            return rows.with_columns(slot=(at - first) // (each * length))
        return rows.with_columns(unit=at // length).join(slots, on="unit", how="inner")

    def in_stretches(self, rows: nw.LazyFrame[Any], units: pl.DataFrame) -> list[nw.LazyFrame[Any]]:
        """Placed rows stretch by stretch of the span: percentiles hold every value of theirs."""
        slots = units["slot"]
        low, high = int(slots.item(0)), int(slots.item(-1)) + 1
        many = min(self.engine.many_parts("calls"), high - low)
        if many < 2:
            return [rows]
        bounds = [low + (high - low) * part // many for part in range(many + 1)]
        slot = nw.col("slot")
        return [rows.filter(slot >= a, slot < b) for a, b in pairwise(bounds)]

    def arrived(self, rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Calls that arrived in the span: no row is looked at where it holds the whole log."""
        if self.whole:
            return rows
        first, last = self.epochs()
        return rows.filter(nw.col("arrived_epoch") >= first, nw.col("arrived_epoch") < last)

    @property
    def whole(self) -> bool:
        """Whether the span holds the whole log."""
        first, last = self.epochs()
        return first <= self.log_begin and self.log_end < last

    def epochs(self) -> tuple[int, int]:
        """First and last epoch second of the span, the last excluded."""
        zone = ZoneInfo(self.time_zone)
        first, last = (
            int(datetime(d.year, d.month, d.day, tzinfo=zone).timestamp())
            for d in (self.span.first, self.span.last)
        )
        return first, last


def span_of(
    seconds: tuple[int, int],
    time_zone: str,
    start: Day | None,
    end: Day | None,
    of: str = "calls",
) -> Span:
    """The local days asked for, as far as the log covers them.

    Parameters
    ----------
    seconds
        First and last epoch second that the log covers.
    of
        What it covers them with, for the message.
    """
    zone = ZoneInfo(time_zone)
    log_first, log_last = (datetime.fromtimestamp(s, UTC).astimezone(zone).date() for s in seconds)
    log_last += timedelta(days=1)
    first, last = parse_day(start, "start"), parse_day(end, "end")
    first = max(first, log_first) if first else log_first
    last = min(last, log_last) if last else log_last
    if first >= last:
        raise DataError(
            f"the log holds no {of} in these days",
            f"start={start!r}, end={end!r}",
            f"the log covers {log_first} until {log_last}, that day excluded",
        )
    return Span(first, last)


def check_days(start: Day | None, end: Day | None) -> None:
    """Refuse days that are none, or stand in the wrong order."""
    first, last = parse_day(start, "start"), parse_day(end, "end")
    if first and last and first >= last:
        raise InputError(
            "the end must come after the start",
            f"start={start!r}, end={end!r}",
            "end is the first day left out",
        )


def flag(condition: nw.Expr) -> nw.Expr:
    """1 where it holds, 0 elsewhere, so that it can be summed."""
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))


def narrowed(frame: nw.LazyFrame[Any], where: Mapping[str, list[str | None]]) -> nw.LazyFrame[Any]:
    """Rows whose columns have one of the values asked for; ``None`` stands for unknown."""
    for name, values in where.items():
        known = [v for v in values if v is not None]
        keep = nw.col(name).is_in(known) if known else nw.lit(value=False)
        if len(known) < len(values):
            keep = keep | nw.col(name).is_null()
        frame = frame.filter(keep)
    return frame


def check_keys(
    names: str | Iterable[str], argument: str, allowed: tuple[str, ...] = KEYS
) -> list[str]:
    """Names of key columns, refused by name if the table has no such key."""
    if not isinstance(names, (str, Iterable)):
        raise InputError("this must be a column or a list of columns", f"{argument}={names!r}")
    keys = [names] if isinstance(names, str) else list(names)
    for name in keys:
        if name not in allowed:
            raise InputError(
                "no such column to group or choose by",
                f"{argument}: {name!r}",
                "one of " + ", ".join(allowed),
            )
    if len(set(keys)) < len(keys):
        raise InputError("a column stands twice", f"{argument}={keys!r}")
    return keys


def check_where(where: object, allowed: tuple[str, ...] = KEYS) -> dict[str, list[str | None]]:
    """Column → values to keep, each a text or None for unknown."""
    if where is None:
        return {}
    if not isinstance(where, Mapping):
        raise InputError(
            "this must be a mapping of columns to values",
            f"where={where!r}",
            'such as {"queue": "sales"}',
        )
    check_keys(list(where), "where", allowed)
    chosen = {}
    for name, value in where.items():
        values = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
        if not values or not all(v is None or isinstance(v, str) for v in values):
            raise InputError(
                "values to choose by are texts (or None for unknown)",
                f"where: {name}={value!r}",
                'such as {"queue": ["sales", "service"]}',
            )
        chosen[name] = values
    return chosen
