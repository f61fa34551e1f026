"""What to know before trusting a log: one small file per check, and a list of them.

A check is a function of a :class:`~ccanalytics.calllog.checks.look.Look` that returns findings.
To add one, write its file and put it into ``CHECKS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.calllog.checks.agents import agents
from ccanalytics.calllog.checks.changes import appearing, definitions
from ccanalytics.calllog.checks.clock import (
    clock_changes,
    clock_of_a_part,
    clock_of_half_days,
    clock_shifted,
)
from ccanalytics.calllog.checks.duplicates import duplicates
from ccanalytics.calllog.checks.durations import durations
from ccanalytics.calllog.checks.finding import TOPICS, Finding
from ccanalytics.calllog.checks.gaps import empty_days, missing_hours
from ccanalytics.calllog.checks.ledger import ledger, rejected, remarks, twice
from ccanalytics.calllog.checks.lengths import lengths
from ccanalytics.calllog.checks.look import Look
from ccanalytics.calllog.checks.order import order
from ccanalytics.calllog.checks.origins import cannot_tell, persons
from ccanalytics.calllog.checks.recorded import recorded, unknown_in_part
from ccanalytics.calllog.checks.report import Fitness, LogCheck, check_uses
from ccanalytics.calllog.checks.unknown import unknown_calls, unknown_names
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ccanalytics.calllog.file import LogFile

__all__ = ["CHECKS", "TOPICS", "Finding", "Fitness", "LogCheck", "check_log", "describe_log"]

# Of the books alone: also where there are no calls.
_BOOKS = (ledger, rejected, remarks, twice, persons, cannot_tell)
# What every report says of its log; cheap.
_QUICK = (*_BOOKS, recorded, empty_days)
CHECKS = (
    *_QUICK,
    unknown_in_part,
    missing_hours,
    clock_changes,
    clock_of_half_days,
    clock_shifted,
    clock_of_a_part,
    duplicates,
    order,
    durations,
    lengths,
    agents,
    unknown_names,
    unknown_calls,
    definitions,
    appearing,
)


def describe_log(log: LogFile) -> LogCheck:
    """What a log holds, from the books and the counts by day."""
    return _looked(log, _QUICK, {})


def check_log(log: LogFile, uses: Mapping[str, Sequence[str]] | None = None) -> LogCheck:
    """Look the log over; counts are made in the database."""
    return _looked(log, CHECKS, check_uses(uses))


def _looked(
    log: LogFile,
    checks: Sequence[Callable[[Look], list[Finding]]],
    uses: dict[str, tuple[str, ...]],
) -> LogCheck:
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
        reasons = dict(
            connection.execute(
                "SELECT reason, count(*) AS n FROM (SELECT unnest(reasons) AS reason FROM rejects) "
                "GROUP BY reason ORDER BY n DESC"
            ).fetchall()
        )
        look = Look(connection, str(zone), rows)
        if not rows["calls"]:
            checks = _BOOKS
        findings = tuple(finding for check in checks for finding in check(look))
        first = last = ""
        if rows["calls"]:
            days = look.hours["day"]
            first, last = str(days[0]), str(days[-1])
    return LogCheck(
        inputs={"log": str(log.path)},
        checks=tuple(finding.as_check() for finding in findings),
        rows=rows,
        outcomes=outcomes,
        first_day=first,
        last_day=last,
        time_zone=str(zone),
        rejected=reasons,
        findings=findings,
        uses=uses,
    )
