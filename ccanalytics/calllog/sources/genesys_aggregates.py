"""Genesys Cloud's conversation aggregates: JSON, counts and milliseconds by group and interval.

A record is one interval of one group; it goes into ``interval_counts`` and is never made into
calls. Its quirks, and what becomes of them:

- all durations are milliseconds;
- a metric that was asked for and is nil is left out: where it is found anywhere in the answer, its
  absence means none; where it is found nowhere, it is unknown;
- the denominator of ``oServiceLevel`` is nOffered − short abandons; another one is remarked;
- the threshold of the service level is not in the answer, nor are the names of queues.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from ccanalytics.calllog.reading import Layout, Rows
from ccanalytics.calllog.sources.base import Plan, Settings, Source, flag, listed
from ccanalytics.calllog.sources.counted import keeping_first
from ccanalytics.calllog.sources.json_records import Odd, inside, json_rows, parsed
from ccanalytics.calllog.sources.opening import opened, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import duckdb
    import polars as pl

    from ccanalytics.calllog.readers import Opened

__all__ = ["GenesysAggregates"]

# Column: metrics that tell it, in order of preference, and which of their statistics.
_COUNTS = {
    "offered": (("nOffered",), "count"),
    "answered": (("tAnswered",), "count"),
    "abandoned": (("tAbandon",), "count"),
    "short_abandoned": (("tShortAbandon",), "count"),
    "flowed_out": (("tFlowOut",), "count"),
    "late": (("nOverSla",), "count"),
    "answered_in_time": (("oServiceLevel",), "numerator"),
    "counted": (("oServiceLevel",), "denominator"),
    "handled": (("tHandle",), "count"),
}
_SUMS = {
    "answered_wait_s": (("tAnswered",), "sum"),
    "abandoned_wait_s": (("tAbandon",), "sum"),
    "talk_s": (("tTalk", "tTalkComplete"), "sum"),
    "hold_s": (("tHeld", "tHeldComplete"), "sum"),
    "wrap_s": (("tAcw",), "sum"),
    "handle_s": (("tHandle",), "sum"),
}
_FIELDS = {**_COUNTS, **_SUMS}
_INTERVAL = (
    r"^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)Z/"
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)Z$"
)


class GenesysAggregates(Source):
    """Reader of the answers of a conversation aggregate query."""

    name: ClassVar[str] = "genesys_aggregates"
    title: ClassVar[str] = "Genesys Cloud conversation aggregates (JSON; counts, no calls)"
    local_times: ClassVar[bool] = False
    cannot_tell: ClassVar[str] = (
        "Genesys Cloud's aggregates tell no single call: no callers, distributions or percentiles; "
        "neither the service level's threshold nor the names of queues nor staffed time."
    )

    def plan(self, path: Path, header: list[str], settings: Settings) -> Plan:  # noqa: ARG002
        """One field: an interval of a group."""
        return Plan("interval_counts", ["text"], Layout(header=False))

    def open(self, path: Path, settings: Settings) -> Opened:
        """Intervals of the answer, or of several, one a line."""
        text = text_of(path, settings)
        rows = _intervals(json_rows(text))
        return opened(self.plan(path, [], settings), text, rows)

    def convert(self, rows: pl.DataFrame, plan: Plan, settings: Settings) -> pl.DataFrame:  # noqa: ARG002
        """Intervals to counts and sums."""
        import polars as pl

        read = [_fields(text) for text in rows["text"]]
        schema: dict[str, Any] = {
            **dict.fromkeys(("queue", "media", "_interval"), pl.String),
            **dict.fromkeys(_FIELDS, pl.Float64),
            "_wrong": pl.List(pl.String),
        }
        frame = pl.concat(
            [rows.select("_line", "_raw"), pl.DataFrame(read, schema=schema, orient="row")],
            how="horizontal",
        )
        both = pl.col("_interval").str.extract_groups(_INTERVAL)
        start, end = (_moment(both.struct.field(str(i))) for i in (1, 2))
        frame = frame.with_columns(started_at=start, _ended_at=end).with_columns(
            interval_s=(pl.col("_ended_at") - pl.col("started_at")).dt.total_microseconds() / 1e6
        )
        other = pl.col("counted") != pl.col("offered") - pl.col("short_abandoned").fill_null(0)
        odd = [
            flag(
                "the interval is not of the form START/END in UTC", pl.col("interval_s").is_null()
            ),
            flag("the interval does not end after its start", pl.col("interval_s") <= 0),
            *(
                flag(
                    f"{name} is not a whole number of 0 or more",
                    (pl.col(name) < 0)
                    | (pl.col(name) != pl.col(name).floor())
                    | (pl.col(name) > 1e12),
                )
                for name in _COUNTS
            ),
        ]
        return frame.with_columns(
            *(
                pl.when(pl.col(name).is_between(0, 1e12)).then(pl.col(name).floor()).cast(pl.Int64)
                for name in _COUNTS
            ),
            *(pl.col(name) / 1000 for name in _SUMS),
            reasons=listed([pl.col("_wrong"), *odd]),
            remarks=listed(
                [flag("the service level's denominator is not offered − short abandons", other)]
            ),
        )

    def taking_over(
        self, connection: duckdb.DuckDBPyConnection, staged: Path
    ) -> AbstractContextManager[dict[str, int]]:
        """The first telling of an interval is kept."""
        return keeping_first(connection, staged)


def _intervals(blocks: Iterator[Rows]) -> Iterator[Rows]:
    """Each answer taken apart into the intervals of its groups."""
    import polars as pl

    number = 0
    for rows in blocks:
        good: list[tuple[int, str, str]] = []
        bad: list[tuple[int, str, list[str]]] = []
        for line, text in rows.good.select("_line", "text").iter_rows():
            answer, why = parsed(text)
            results = inside(answer, "results")
            if why or not isinstance(results, list):
                bad.append((line, text, [why or "an answer without results"]))
                continue
            seen = {m for record in _records(results) for m in _metrics(record)}
            for record in _records(results):
                number += 1
                told = json.dumps({**record, "asked": sorted(seen)}, default=_kept)
                raw = json.dumps({k: record.get(k) for k in ("group", "data")}, default=_kept)
                good.append((number, raw, told))
        schema = {"_line": pl.Int64, "_raw": pl.String, "text": pl.String}
        frame = pl.DataFrame(bad, schema=rows.bad.schema, orient="row")
        yield Rows(
            pl.DataFrame(good, schema=schema, orient="row"),
            pl.concat([rows.bad, frame]),
            rows.bytes_read,
            rows.open_line,
        )


def _records(results: list[Any]) -> Iterator[dict[str, Any]]:
    """One record an interval; a group without any is one record, so that it is accounted for."""
    for result in results:
        data = inside(result, "data")
        for entry in data if isinstance(data, list) and data else [None]:
            yield {"group": inside(result, "group"), "data": entry}


def _metrics(record: dict[str, Any]) -> dict[str, Any]:
    metrics = inside(record, "data", "metrics")
    found: dict[str, Any] = {}
    for metric in metrics if isinstance(metrics, list) else []:
        name = inside(metric, "metric")
        if isinstance(name, str) and not inside(metric, "qualifier"):
            found.setdefault(name, inside(metric, "stats"))
    return found


def _kept(value: Any) -> Any:
    return {"odd": value.what} if isinstance(value, Odd) else str(value)


def _fields(text: str) -> tuple[Any, ...]:
    record, _ = parsed(text)
    wrong: list[str] = []
    metrics, asked = _metrics(record), set(record["asked"])
    texts: list[str | None] = []
    for path, missing in (
        (("group", "queueId"), None),
        (("group", "mediaType"), "all"),
        (("data", "interval"), None),
    ):
        value = inside(record, *path)
        if value is None and missing is None:
            held = record.get(path[0])
            odd = held.get("odd") if isinstance(held, dict) else None
            wrong.append(f"{path[0]}: {odd}" if odd else f"{path[-1]} is missing")
        elif value is not None and (not isinstance(value, str) or len(value) > 200):
            wrong.append(f"{path[-1]} is not a short text")
            value = None
        texts.append(value or missing)
    idle = not inside(metrics.get("nOffered"), "count")
    numbers = []
    for column, (names, statistic) in _FIELDS.items():
        name = next((n for n in names if n in metrics), None)
        value = inside(metrics.get(name) if name else None, statistic)
        # A medium may have no service level at all: its absence means nothing while calls came.
        if name is None and asked.intersection(names) and (idle or statistic in ("count", "sum")):
            value = 0
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            what = value.get("odd", "an object") if isinstance(value, dict) else "no number"
            wrong.append(f"{name}.{statistic} ({column}) is {what}")
            value = None
        numbers.append(float(value) if value is not None else None)
    return (*texts, *numbers, wrong)


def _moment(text: pl.Expr) -> pl.Expr:
    import polars as pl

    return pl.coalesce(
        text.str.to_datetime(form, strict=False, time_unit="us")
        for form in ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")
    )
