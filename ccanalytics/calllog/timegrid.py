"""Intervals of the centre's own clock over whole UTC units.

Roll-ups count by *unit*: the UTC epoch second divided by a unit length that divides every interval
and every offset from UTC. A small table made here joins units to intervals of local time, so that
a clock change gives a day of 23 or 25 hours and a repeated hour stays two hours.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Every", "Span", "grid", "parse_day", "starts_of"]

# All offsets from UTC in use since 1972 are multiples of a quarter of an hour.
_QUARTER = 900
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 0}
_POLARS = {"s": "s", "min": "m", "h": "h", "d": "d", "w": "w", "mo": "mo"}
_LONGEST_GRID = 20_000_000


@dataclass(frozen=True)
class Span:
    """Whole local days, the last excluded."""

    first: date
    last: date


@dataclass(frozen=True)
class Every:
    """Length of an interval: ``30min``, ``1h``, ``1d``, ``1w`` (from Monday), ``1mo``."""

    text: str
    polars: str
    unit_s: int
    sub_day: bool
    seconds: int = 86400

    def fitted(self, span: Span, time_zone: str) -> Every:
        """The same interval on the longest unit that this zone allows over this span.

        The unit must divide the interval, each offset from UTC and each moment of change.
        """
        zone = ZoneInfo(time_zone)
        first, last = _midnight(span.first, zone), _midnight(span.last, zone)
        changes = _changes(zone, first, last)
        moments = [moment for moment, _ in changes[1:]]
        unit = math.gcd(self.seconds, *(offset for _, offset in changes), *moments)
        return replace(self, unit_s=unit)

    @classmethod
    def parse(cls, text: str) -> Every:
        """Read an interval; it must divide the day, or be a day, a week or a month."""
        match = re.fullmatch(r"(\d{1,4})\s*(s|min|m|h|d|w|mo)", str(text).strip())
        if match:
            number, unit = int(match[1]), "min" if match[2] == "m" else match[2]
            seconds = number * _UNITS[unit]
            if unit in ("s", "min", "h") and number and 86400 % seconds == 0:
                return cls(
                    f"{number}{unit}",
                    f"{number}{_POLARS[unit]}",
                    math.gcd(seconds, _QUARTER),
                    seconds < 86400,
                    min(seconds, 86400),
                )
            if unit in ("d", "w", "mo") and number == 1:
                return cls(f"1{unit}", f"1{_POLARS[unit]}", _QUARTER, sub_day=False)
        raise InputError(
            "this is not an interval that fits into days",
            f"every={text!r}",
            "such as 15min, 30min, 1h, 2h, 1d, 1w or 1mo",
        )


def parse_day(value: object, name: str) -> date | None:
    """A day given as a date or as ISO text."""
    if value is None:
        return None
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise InputError(
            "this is not a day", f"{name}={value!r}", "write it as YYYY-MM-DD"
        ) from error


def grid(every: Every, span: Span, time_zone: str) -> pl.DataFrame:
    """One row per unit: unit, slot, interval_start, local_start, utc_offset_s, interval_s.

    Intervals that a span cuts (a week begun before it) are there as far as the span reaches.
    """
    import polars as pl

    zone = ZoneInfo(time_zone)
    first, last = _midnight(span.first, zone), _midnight(span.last, zone)
    if (last - first) // every.unit_s > _LONGEST_GRID:
        raise InputError(
            "this is more intervals than a table can hold",
            f"every={every.text!r} from {span.first} to {span.last}",
            "choose a longer interval or a shorter span",
        )
    # A start of day that is no multiple of the unit (never since 1972) would blur the edges.
    units = pl.int_range(
        first // every.unit_s, -(-last // every.unit_s), dtype=pl.Int64, eager=True
    )
    frame = pl.LazyFrame({"unit": units}).with_columns(
        _utc=pl.from_epoch(pl.col("unit") * every.unit_s, time_unit="s").cast(pl.Datetime("us"))
    )
    frame = frame.join_asof(
        _offsets(zone, first, last).lazy(), left_on="_utc", right_on="_from", strategy="backward"
    )
    local = pl.col("_utc") + pl.duration(seconds=pl.col("utc_offset_s"))
    frame = frame.with_columns(local_start=local.dt.truncate(every.polars))
    key = ["local_start", "utc_offset_s"] if every.sub_day else ["local_start"]
    starts = (
        frame.group_by(key, maintain_order=True)
        .agg(
            interval_start=pl.col("_utc").min(),
            interval_s=(pl.len() * every.unit_s).cast(pl.Int64),
            **({} if every.sub_day else {"utc_offset_s": pl.col("utc_offset_s").first()}),
        )
        .with_row_index("slot")
        .with_columns(pl.col("slot").cast(pl.Int64))
    )
    return (
        frame.select("unit", *key)
        .join(starts, on=key)
        .select("unit", "slot", "interval_start", "local_start", "utc_offset_s", "interval_s")
        .sort("unit")
        .collect()
    )


def starts_of(units: pl.DataFrame) -> pl.DataFrame:
    """The intervals of a grid: slot, interval_start, local_start, utc_offset_s, interval_s."""
    import polars as pl

    return units.filter(pl.col("slot").is_first_distinct()).drop("unit")


def _midnight(day: date, zone: ZoneInfo) -> int:
    """Epoch second at which a local day begins (after a gap at midnight: at its first moment)."""
    wall = datetime(day.year, day.month, day.day, tzinfo=zone)
    return int(wall.timestamp())


def _changes(zone: ZoneInfo, first: int, last: int) -> list[tuple[int, int]]:
    """Since when (epoch second) which offset from UTC holds, over a span, found to the second."""

    def offset(epoch: int) -> int:
        delta = datetime.fromtimestamp(epoch, UTC).astimezone(zone).utcoffset() or timedelta(0)
        return int(delta.total_seconds())

    rows = [(first, offset(first))]
    step = 86400
    here = first
    while here < last:
        there = min(here + step, last)
        if offset(there) != offset(here):
            low, high = here, there
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if offset(middle) != offset(here) else (middle, high)
            rows.append((high, offset(high)))
        here = there
    return rows


def _offsets(zone: ZoneInfo, first: int, last: int) -> pl.DataFrame:
    """The same as a frame."""
    import polars as pl

    rows = _changes(zone, first, last)
    return pl.DataFrame(
        {
            "_from": pl.from_epoch(pl.Series([r[0] for r in rows]), time_unit="s").cast(
                pl.Datetime("us")
            ),
            "utc_offset_s": pl.Series([r[1] for r in rows], dtype=pl.Int64),
        }
    ).sort("_from")
