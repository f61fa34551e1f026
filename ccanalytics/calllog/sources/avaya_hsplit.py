"""Avaya CMS: interval rows of the table ``hsplit``, exported as delimited text with a header.

A row is one interval of one split; it goes into ``interval_counts`` and is never made into calls.
Its quirks, and what becomes of them:

- ``starttime`` is the hour and minute as one number: 30 is 00:30, 830 is 08:30;
- ``intrvl`` counts minutes; times are the CMS server's wall clock;
- ``row_date`` is YYYY-MM-DD, or with slashes month/day/year (day/month/year cannot be told apart:
  export ISO dates there);
- ``acceptable`` counts answers within the split's own threshold: told only where the column
  ``servicelevel`` is exported;
- of the hour that comes twice in autumn, the second pass has the keys of the first: a duplicate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ccanalytics.calllog.reading import Layout
from ccanalytics.calllog.sources.base import Plan, Settings, Source, flag, listed, to_utc
from ccanalytics.calllog.sources.counted import keeping_first
from ccanalytics.calllog.sources.opening import delimited, text_of
from ccanalytics.calllog.sources.texts import number
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    import duckdb
    import polars as pl

    from ccanalytics.calllog.readers import Opened

__all__ = ["AvayaHsplit"]

_KEYS = ("row_date", "split", "starttime", "intrvl")
_COUNTS = {
    "offered": "callsoffered",
    "answered": "acdcalls",
    "abandoned": "abncalls",
    "flowed_out": "outflowcalls",
    "answered_in_time": "acceptable",
}
_SUMS = {
    "answered_wait_s": "anstime",
    "abandoned_wait_s": "abntime",
    "talk_s": "acdtime",
    "hold_s": "holdtime",
    "wrap_s": "acwtime",
    "staffed_s": "i_stafftime",
    "available_s": "i_availtime",
}
_NUMBERS = {**_COUNTS, **_SUMS, "within_s": "servicelevel"}


class AvayaHsplit(Source):
    """Reader of exported interval rows."""

    name: ClassVar[str] = "avaya_hsplit"
    title: ClassVar[str] = "Avaya CMS hsplit interval rows (CSV; counts, no calls)"
    cannot_tell: ClassVar[str] = (
        "Avaya's hsplit rows tell no single call: no callers, distributions or percentiles; short "
        "abandons are among the abandoned, and the threshold is told only by servicelevel."
    )

    def plan(self, path: Path, header: list[str], settings: Settings) -> Plan:  # noqa: ARG002
        """Find the delimiter and the columns."""
        ((_, line),) = text_of(path, settings).first_lines(1)
        layout = Layout(max(",|;\t", key=line.count))
        names = [name.strip().strip('"').lower() for name in line.split(layout.delimiter)]
        missing = [name for name in (*_KEYS, "acdcalls") if name not in names]
        twice = sorted({name for name in names if names.count(name) > 1})
        if missing or twice:
            raise InputError(
                "this is no export of hsplit: these columns are missing"
                if missing
                else "these columns stand twice",
                f"{path}, line 1: {', '.join(missing or twice)}",
                "export hsplit with its column names in the first line",
            )
        return Plan("interval_counts", [f"_{name}" for name in names], layout)

    def open(self, path: Path, settings: Settings) -> Opened:
        """Delimited text with a header."""
        return delimited(path, self.plan(path, [], settings), settings)

    def persons(self, plan: Plan, settings: Settings) -> dict[str, str] | None:  # noqa: ARG002
        """Nobody: counts of splits."""
        return {}

    def convert(self, rows: pl.DataFrame, plan: Plan, settings: Settings) -> pl.DataFrame:
        """Rows to counts and sums."""
        import polars as pl

        given = {c: f"_{n}" for c, n in _NUMBERS.items() if f"_{n}" in plan.fields}
        texts = [f"_{name}" for name in _KEYS] + list(given.values())
        rows = rows.with_columns(pl.col(name).str.strip_chars() for name in texts)
        clock = number(pl.col("_starttime").str.replace(":", "", literal=True))
        minutes = number(pl.col("_intrvl"))
        whole = (clock == clock.floor()) & (clock >= 0) & (clock % 100 < 60) & (clock < 2400)
        rows = rows.with_columns(
            *(number(pl.col(text)).alias(column) for column, text in given.items()),
            queue=pl.when(pl.col("_split") != "").then(pl.col("_split")),
            media=pl.lit("voice"),
            interval_s=pl.when((minutes > 0) & (minutes <= 1440)).then(minutes * 60),
            _day=_day(pl.col("_row_date")),
            _clock=pl.when(whole).then(clock // 100 * 3600 + clock % 100 * 60).cast(pl.Int64),
        )
        wall = pl.col("_day") + pl.duration(seconds=pl.col("_clock"))
        rows = rows.with_columns(_wall=wall).with_columns(
            started_at=to_utc(pl.col("_wall"), settings.time_zone or "UTC"),
            handled=pl.col("answered") if "answered" in given else pl.lit(None, pl.Float64),
        )
        counts = [name for name in (*_COUNTS, "handled") if name in rows.columns]
        return rows.with_columns(
            *(
                pl.when(pl.col(name).is_between(0, 1e12)).then(pl.col(name).floor()).cast(pl.Int64)
                for name in counts
            ),
            reasons=listed(
                [
                    flag(
                        "row_date is not a date (YYYY-MM-DD or MM/DD/YYYY)",
                        pl.col("_day").is_null(),
                    ),
                    flag("starttime is not an hour and minute (HHMM)", pl.col("_clock").is_null()),
                    flag(
                        "starttime is a time that does not exist: the clocks were put forward",
                        pl.col("_wall").is_not_null() & pl.col("started_at").is_null(),
                    ),
                    flag("intrvl is not a number of minutes", pl.col("interval_s").is_null()),
                    *(
                        flag(
                            f"{_NUMBERS[name]} is not a number",
                            (pl.col(text) != "") & pl.col(name).is_null(),
                        )
                        for name, text in given.items()
                    ),
                    *(
                        flag(
                            f"{_NUMBERS[name]} is not a whole number of 0 or more",
                            (pl.col(name) < 0) | (pl.col(name) != pl.col(name).floor()),
                        )
                        for name in given
                        if name in _COUNTS
                    ),
                ]
            ),
            remarks=listed(
                [
                    flag(
                        "more calls answered than offered: moved between intervals",
                        pl.col("answered") > pl.col("offered"),
                    )
                ]
                if "offered" in given
                else []
            ),
        )

    def taking_over(
        self, connection: duckdb.DuckDBPyConnection, staged: Path
    ) -> AbstractContextManager[dict[str, int]]:
        """The first telling of an interval is kept."""
        return keeping_first(connection, staged)


def _day(text: pl.Expr) -> pl.Expr:
    import polars as pl

    def exact(pattern: str, form: str) -> pl.Expr:
        return (
            pl.when(text.str.contains(pattern))
            .then(text)
            .str.to_datetime(form, strict=False, time_unit="us")
        )

    return pl.coalesce(
        exact(r"^\d{4}-\d{2}-\d{2}$", "%Y-%m-%d"), exact(r"^\d{1,2}/\d{1,2}/\d{4}$", "%m/%d/%Y")
    )
