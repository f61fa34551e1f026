"""Retention: rows about people older than a day go, and their text leaves the file.

A deleted row stays readable in the blocks of a database file until they are used again. So the log
is written anew without those rows, beside itself, and the new file takes its place in one step:
whoever is interrupted has the old log or the new one, whole. The books stay: what was loaded is
what is there and what was forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ccanalytics.calllog.tables import quoted
from ccanalytics.calllog.timegrid import parse_day
from ccanalytics.errors import InputError
from ccanalytics.results import Result
from ccanalytics.schema import TABLES
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from ccanalytics.calllog.store import Store

__all__ = ["FORGOTTEN", "KEPT", "ForgetReport", "forget"]

_OF_ITS_CALL = "call_id IN (SELECT call_id FROM log.calls WHERE arrived_at < $moment)"
# Which rows of each table are forgotten: $moment is the day's local midnight in UTC, $day the day.
# What still runs on that day is kept; what belongs to a call goes with it.
FORGOTTEN: dict[str, str] = {
    "calls": "arrived_at < $moment",
    "self_service": f'"at" < $moment OR {_OF_ITS_CALL}',
    "reminders": "sent_at < $moment",
    "subscriptions": "ended_on < $day",
    "customers": "left_on < $day",
    "agents": "left_on < $day",
    "agent_states": "coalesce(ended_at, started_at) < $moment",
    "schedules": "coalesce(ended_at, started_at) < $moment",
    "reviews": f'"at" < $moment OR {_OF_ITS_CALL}',
    "surveys": f"coalesce(answered_at, sent_at) < $moment OR {_OF_ITS_CALL}",
    "trainings": '"on" < $day',
    "assessments": '"at" < $moment',
    "articles": f'"at" < $moment OR {_OF_ITS_CALL}',
    "queue_events": f'"at" < $moment OR {_OF_ITS_CALL}',
    "tickets": f"closed_at < $moment OR {_OF_ITS_CALL}",
}
# Tables that say nothing of a person.
KEPT = ("services", "days", "contracts", "rollouts", "line_groups", "interval_counts")


@dataclass(frozen=True, eq=False, kw_only=True)
class ForgetReport(Result):
    """How many rows of each table were forgotten (or would be, in a dry run).

    Attributes
    ----------
    before
        The first local day that is kept.
    rows
        Rows by table, those with any.
    rejects
        Rejected rows whose raw text was emptied; their reasons stay.
    dry_run
        Whether nothing was changed.
    """

    before: date
    rows: dict[str, int]
    rejects: int
    dry_run: bool

    def summary(self) -> str:
        """What was forgotten, in words."""
        would = "would be " if self.dry_run else ""
        parts = [f"{counted(n, 'row')} of {t.replace('_', ' ')}" for t, n in self.rows.items()]
        told = ", ".join(parts) if parts else "nothing"
        text = f"Of the days before {self.before}, {told} {would}forgotten"
        if self.rejects:
            text += f", and the text of {counted(self.rejects, 'rejected row')} {would}emptied"
        return text + ("." if self.dry_run else "; the log was written anew without them.")

    def to_frame(self) -> pl.DataFrame:
        """Rows by table."""
        import polars as pl

        return pl.DataFrame(
            {"table": list(self.rows), "rows": list(self.rows.values())},
            schema={"table": pl.String, "rows": pl.Int64},
        )


def forget(store: Store, before: object, *, dry_run: bool = False) -> ForgetReport:
    """Delete rows about people older than a local day, and write the log anew without them."""
    day = parse_day(before, "before")
    if day is None:
        raise InputError("a day is needed", "before is not given", "write it as YYYY-MM-DD")
    if day > datetime.now(UTC).date() + timedelta(days=1):
        raise InputError(
            "this day has not come yet: everything would be forgotten",
            f"before={day}",
            "give the first day that is to stay",
        )
    with store.reading() as connection:  # whoever is no log of ours is refused here
        ((zone,),) = connection.execute("SELECT time_zone FROM meta").fetchall()
        moment = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        values: dict[str, object] = {"moment": moment.replace(tzinfo=None), "day": day}
        if dry_run:
            return _counted(connection, store, day, values, dry_run=True)
    # Also where no row goes: a file may still hold what other tools deleted.
    with store.rewriting() as connection:
        report = _counted(connection, store, day, values, dry_run=False)
        _write_anew(connection, values, report)
    return report


def _counted(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    day: date,
    values: dict[str, object],
    *,
    dry_run: bool,
) -> ForgetReport:
    rows = {}
    for table, condition in FORGOTTEN.items():
        (n,) = _run(
            connection,
            f'SELECT count(*) FROM log."{table}" WHERE {condition}',  # noqa: S608
            values,
        ).fetchall()[0]
        if n:
            rows[table] = int(n)
    (texts,) = connection.execute("SELECT count(*) FROM log.rejects WHERE raw <> ''").fetchall()[0]
    return ForgetReport(
        inputs={"before": str(day), "log": str(store.path)},
        before=day,
        rows=rows,
        rejects=int(texts),
        dry_run=dry_run,
    )


def _write_anew(
    connection: duckdb.DuckDBPyConnection, values: dict[str, object], report: ForgetReport
) -> None:
    connection.execute("COPY FROM DATABASE log TO fresh (SCHEMA)")
    for (table,) in connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'log'"
    ).fetchall():
        name = quoted(table)
        if table == "rejects":
            what = "SELECT * REPLACE ('' AS raw) FROM log.rejects"
        else:
            what = f"SELECT * FROM log.{name}"  # noqa: S608 - quoted
            if table in FORGOTTEN:
                what += f" WHERE NOT coalesce({FORGOTTEN[table]}, false)"
        _run(connection, f"INSERT INTO fresh.{name} BY NAME {what}", values)
    for table, n in report.rows.items():
        connection.execute(
            "INSERT INTO fresh.forgotten VALUES (now() AT TIME ZONE 'UTC', ?, ?, ?)",
            [report.before, table, n],
        )


def _run(
    connection: duckdb.DuckDBPyConnection, sql: str, values: dict[str, object]
) -> duckdb.DuckDBPyConnection:
    """Execute with those of the values that the statement names."""
    return connection.execute(sql, {k: v for k, v in values.items() if f"${k}" in sql})


assert {*FORGOTTEN, *KEPT} == set(TABLES), "every table says what becomes of its rows"  # noqa: S101
