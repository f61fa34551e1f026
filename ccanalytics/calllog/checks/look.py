"""What the checks share: one connection, and a few small frames that are counted once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ccanalytics.calllog.timegrid import Every, Span, grid
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb
    import polars as pl

__all__ = ["DURATIONS", "PARTS", "Look"]

DURATIONS = ("menu_s", "wait_s", "talk_s", "hold_s", "wrap_s")
# Columns that split a centre into parts, each with a switch, a clock or an export of its own.
PARTS = ("line_group", "site", "queue", "client")
_NAMED = ("outcome", "queue", "service", "site", "line_group", "client", "tier")
_MOST_VALUES = 500
_CHUNK = 3_000_000

# Everything that changes of definition are read from, in one pass: per local day, and per column.
_FILLED = ("customer", "service", "agent", "answered_at", "ended_at", *DURATIONS)
_DAILY = """
SELECT g.day, count(*) AS calls, count(*) FILTER (is_answered) AS answered, {filled}, {durations},
    count(*) FILTER (is_answered AND abs(wait_s + coalesce(menu_s, 0)
        - (answered_ms - arrived_ms) / 1000) > 1) AS wait_off,
    count(*) FILTER (is_answered AND wait_s + answered_ms + arrived_ms IS NOT NULL) AS wait_both
FROM base JOIN grid_of_days g ON g.unit = arrived_epoch // ? GROUP BY g.day
"""
_OF_DURATION = """
    sum(ln({c})) FILTER ({c} > 0) AS {c}_log, count(*) FILTER ({c} > 0) AS {c}_some,
    count(*) FILTER ({c} > 0 AND {c} % 5 = 0) AS {c}_fives,
    count(*) FILTER ({c} > 0 AND {c} % 60 = 0) AS {c}_sixties,
    count(*) FILTER ({c} > 0 AND {c} % 1 = 0) AS {c}_wholes"""


@dataclass
class Look:
    """One look at a log: a read-only connection, and what several checks need of it."""

    connection: duckdb.DuckDBPyConnection
    time_zone: str
    rows: dict[str, int]

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows of a query as mappings; values are bound."""
        cursor = self.connection.execute(sql, list(values))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def one(self, sql: str, values: Sequence[Any] = ()) -> dict[str, Any]:
        """The only row of a query."""
        return self.all(sql, values)[0]

    def frame(self, sql: str, values: Sequence[Any] = ()) -> pl.DataFrame:
        """A small result as a polars frame."""
        import polars as pl

        relation = self.connection.sql(sql, params=list(values))
        result = pl.from_arrow(relation.to_arrow_table())
        assert isinstance(result, pl.DataFrame)  # noqa: S101 - for the type checker
        wide = [n for n, t in result.schema.items() if isinstance(t, pl.Decimal) or t == pl.Int128]
        return result.with_columns(pl.col(wide).cast(pl.Int64))

    @property
    def calls(self) -> int:
        """How many calls there are."""
        return self.rows["calls"]

    @cached_property
    def span(self) -> Span:
        """Local days from the first arrival to the last."""
        zone = ZoneInfo(self.time_zone)
        ends = self.one("SELECT min(arrived_at) AS first, max(arrived_at) AS last FROM calls")
        first, last = (
            ends[edge].replace(tzinfo=UTC).astimezone(zone).date() for edge in ("first", "last")
        )
        return Span(first, last + timedelta(days=1))

    @cached_property
    def filled(self) -> dict[str, int]:
        """How many calls have each column."""
        names = TABLES["calls"].names
        counts = ", ".join(f'count("{name}") AS "{name}"' for name in names)
        return self.one(f"SELECT {counts} FROM calls")  # noqa: S608 - names of the schema

    @cached_property
    def _units(self) -> pl.DataFrame:
        """The grid of local hours; its rows are units of time that no clock change cuts."""
        import polars as pl

        every = Every.parse("1h").fitted(self.span, self.time_zone)
        return grid(every, self.span, self.time_zone).with_columns(
            day=pl.col("local_start").dt.date(),
            hour=pl.col("local_start").dt.hour().cast(pl.Int64),
            unit_s=pl.lit(every.unit_s, dtype=pl.Int64),
        )

    def with_days(self) -> int:
        """Make the relation ``grid_of_days`` (unit, day) known to queries; the unit's seconds."""
        self.connection.register("grid_of_days", self._units.select("unit", "day").to_arrow())
        return int(self._units["unit_s"][0])

    @cached_property
    def hours(self) -> pl.DataFrame:
        """Calls per local hour, also where none came: slot, local_start, utc_offset_s, day, hour,
        weekday, interval_s, calls."""
        import polars as pl

        counts = self._counted("")
        return (
            self._units.join(counts, on="unit", how="left")
            .group_by("slot", maintain_order=True)
            .agg(
                pl.col(
                    "interval_start", "local_start", "utc_offset_s", "day", "hour", "interval_s"
                ).first(),
                pl.col("calls").sum().fill_null(0),
            )
            .with_columns(weekday=pl.col("local_start").dt.weekday().cast(pl.Int64))
        )

    def hours_of(self, part: str) -> pl.DataFrame:
        """Calls per local day, hour and value of a part: day, hour, value, calls."""
        import polars as pl

        return (
            self._counted(part)
            .join(self._units.select("unit", "day", "hour"), on="unit")
            .group_by("day", "hour", "value")
            .agg(pl.col("calls").sum())
        )

    def _counted(self, part: str) -> pl.DataFrame:
        unit_s = int(self._units["unit_s"][0])
        if not part:
            return self.frame(
                "SELECT CAST(arrived_epoch // ? AS BIGINT) AS unit, count(*) AS calls FROM base "
                "GROUP BY 1",
                [unit_s],
            )
        return self.frame(
            f'SELECT CAST(arrived_epoch // ? AS BIGINT) AS unit, "{part}" AS value, '  # noqa: S608
            f'count(*) AS calls FROM base WHERE "{part}" IS NOT NULL GROUP BY 1, 2',
            [unit_s],
        )

    @cached_property
    def few(self) -> dict[str, int]:
        """How many values the columns that name something have, where they are not too many."""
        names = [n for n in _NAMED if self.filled[n]]
        if not names:
            return {}
        counts = ", ".join(f'approx_count_distinct("{n}") AS "{n}"' for n in names)
        found = self.one(f"SELECT {counts} FROM calls")  # noqa: S608 - names of the schema
        return {name: count for name, count in found.items() if count <= _MOST_VALUES}

    @cached_property
    def days(self) -> pl.DataFrame:
        """Per local day with calls: counts of filled columns, logs and roundness of durations."""
        sql = _DAILY.format(
            filled=", ".join(f'count("{c}") AS "{c}"' for c in _FILLED),
            durations=", ".join(_OF_DURATION.format(c=c) for c in DURATIONS),
        )
        return self.frame(sql, [self.with_days()]).sort("day")

    def named_days(self, name: str) -> pl.DataFrame:
        """Calls per local day and value of a column: day, value, calls."""
        return self.frame(
            f'SELECT g.day, "{name}" AS value, count(*) AS calls FROM base '  # noqa: S608
            "JOIN grid_of_days g ON g.unit = arrived_epoch // ? "
            f'WHERE "{name}" IS NOT NULL GROUP BY 1, 2',
            [self.with_days()],
        )

    def chunks(self, most: int = _CHUNK) -> Iterator[tuple[datetime, datetime]]:
        """Spans of time (as the log has it, the last excluded), each with a few million calls.

        What must be sorted or grouped call by call goes span by span, so that memory does not
        grow with the log.
        """
        held, begin = 0, self.hours["interval_start"][0]
        for start, calls in self.hours.select("interval_start", "calls").iter_rows():
            if held and held + calls > most:
                yield begin, start
                begin, held = start, 0
            held += calls
        yield begin, self.hours["interval_start"][-1] + timedelta(hours=1)

    def local(self, moment: datetime | None) -> str:
        """A moment of the log on the centre's own clock."""
        if moment is None:
            return "–"
        here = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(self.time_zone))
        return f"{here:%Y-%m-%d %H:%M:%S}"
