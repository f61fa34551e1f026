"""What a log holds, and what to know before trusting it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ccanalytics.calllog.pseudonyms import held
from ccanalytics.calllog.report import AS_THEY_CAME
from ccanalytics.calllog.sources import SOURCES
from ccanalytics.results import Check, Result
from ccanalytics.schema import TABLES
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.calllog.log import CallLog

__all__ = ["LogCheck", "check_log"]

_TOLD = 8
_NEEDED = {
    "customer": "repeat callers and re-contacts cannot be counted",
    "service": "nothing can be told by service",
    "agent": "nothing can be told by agent",
    "menu_s": "time in the voice menu is unknown, and lines are busy longer than shown",
    "wait_s": "waits and service level are unknown",
    "talk_s": "handle time is unknown; staffing needs one from elsewhere",
    "hold_s": "hold is inside talk time, or was not recorded",
    "wrap_s": "after-call work was not recorded: agents are busy longer than shown",
    "answered_at": "when agents were busy is unknown",
    "ended_at": "when lines were busy is unknown",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class LogCheck(Result):
    """Rows by table and outcome, the days covered, and doubts."""

    rows: dict[str, int]
    outcomes: dict[str, int]
    first_day: str
    last_day: str
    time_zone: str
    rejected: dict[str, int]

    def summary(self) -> str:
        """What the log holds, in words."""
        others = [
            f"{counted(n, 'row')} of {t.replace('_', ' ')}"
            for t, n in self.rows.items()
            if n and t != "calls"
        ]
        if not self.rows["calls"]:
            return "The log holds no calls" + (f", but {', '.join(others)}." if others else ".")
        return (
            f"The log holds {counted(self.rows['calls'], 'call')} from {self.first_day} to "
            f"{self.last_day} (local days in {self.time_zone})"
            + (f", and {', '.join(others)}" if others else "")
            + ". "
            + ", ".join(f"{n:,} {o.replace('_', ' ')}" for o, n in self.outcomes.items())
            + "."
        )

    def to_frame(self) -> pl.DataFrame:
        """Rows by table."""
        import polars as pl

        return pl.DataFrame(
            {"table": list(self.rows), "rows": list(self.rows.values())},
            schema={"table": pl.String, "rows": pl.Int64},
        )


def check_log(log: CallLog) -> LogCheck:
    """Look the log over; counts are made in the database."""
    checks: list[Check] = []
    with log._store.reading() as connection:  # noqa: SLF001 - the check is part of the log
        rows = {
            name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0])  # noqa: S608
            for name in TABLES
        }
        outcomes = dict(
            connection.execute(
                "SELECT outcome, count(*) AS n FROM calls GROUP BY outcome ORDER BY n DESC"
            ).fetchall()
        )
        (zone,) = connection.execute("SELECT time_zone FROM meta").fetchall()[0]
        rejected = dict(
            connection.execute(
                "SELECT reason, count(*) AS n FROM (SELECT unnest(reasons) AS reason FROM rejects) "
                "GROUP BY reason ORDER BY n DESC"
            ).fetchall()
        )
        remarks = connection.execute(
            'SELECT remark, sum("rows")::BIGINT AS n FROM remarks GROUP BY remark ORDER BY n DESC'
        ).fetchall()
        sources = connection.execute("SELECT DISTINCT source FROM loads ORDER BY source").fetchall()
        read, loaded, duplicates, set_aside = connection.execute(
            'SELECT coalesce(sum("read"), 0)::BIGINT, coalesce(sum(loaded), 0)::BIGINT, '
            "coalesce(sum(duplicates), 0)::BIGINT, coalesce(sum(rejected), 0)::BIGINT FROM loads"
        ).fetchall()[0]
        kept = held(connection)
    checks.append(
        Check(
            "every row is accounted for",
            "holds" if read == loaded + duplicates + set_aside else "fails",
            f"{read:,} read = {loaded:,} loaded + {counted(duplicates, 'duplicate')} "
            f"+ {set_aside:,} rejected",
        )
    )
    if kept is not None:
        checks.append(
            Check(
                "persons",
                "holds" if kept[0] == "keyed" else "informs",
                "customers and agents are stored as keyed pseudonyms"
                if kept[0] == "keyed"
                else f"{AS_THEY_CAME}: load into a new log with a key (ccanalytics key FILE) to "
                "have pseudonyms",
            )
        )
    for reason, count in list(rejected.items())[:_TOLD]:
        checks.append(Check("rejected", "informs", f"{reason}: {counted(count, 'row')}"))
    if len(rejected) > _TOLD:
        more = counted(len(rejected) - _TOLD, "other reason")
        checks.append(
            Check("rejected", "informs", f"{more}; ccanalytics check --rejects shows rows")
        )
    checks.extend(
        Check("loaded with a remark", "informs", f"{r}: {counted(n, 'row')}") for r, n in remarks
    )
    checks.extend(
        Check("what the format cannot tell", "informs", SOURCES[source].cannot_tell)
        for (source,) in sources
        if source in SOURCES and SOURCES[source].cannot_tell
    )
    first_day = last_day = ""
    if rows["calls"]:
        filled = set(log.columns_filled("calls"))
        checks.extend(
            Check(f"{column} is never recorded", "informs", consequence)
            for column, consequence in _NEEDED.items()
            if column not in filled
        )
        days = log.intervals("1d")
        first_day, last_day = (str(days["local_start"][i].date()) for i in (0, days.height - 1))
        empty = [str(d.date()) for d in days.filter(days["arrived"] == 0)["local_start"]]
        checks.append(
            Check(
                "days without a call",
                "informs" if empty else "holds",
                f"{len(empty):,} of {counted(days.height, 'day')}: {', '.join(empty[:10])}"
                + (" …" if len(empty) > 10 else "")
                + "; closed, or missing from the export?"
                if empty
                else (
                    "the one day has calls"
                    if days.height == 1
                    else f"each of the {days.height:,} days has calls"
                ),
            )
        )
    return LogCheck(
        inputs={"log": str(log.path)},
        checks=tuple(checks),
        rows=rows,
        outcomes=outcomes,
        first_day=first_day,
        last_day=last_day,
        time_zone=str(zone),
        rejected=rejected,
    )
