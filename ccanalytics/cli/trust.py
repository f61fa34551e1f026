"""Commands on what a call log may be trusted with, and what it keeps of people: check, forget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ccanalytics.cli.terminal import Json, Log, app, emit, say
from ccanalytics.errors import DataError

__all__ = ["check", "forget"]


@app.command()
def check(
    log: Log,
    rejects: Annotated[int, typer.Option(min=0, help="Show that many rejected rows.")] = 0,
    html: Annotated[Path | None, typer.Option(help="Write the report as an HTML page too.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 4 if a check fails, for scripts.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what a log holds, what to know before trusting it, and what it is fit for.

    Exits 0 when it could look, whatever it found; 4 if there are no calls, and with --strict also
    if a check fails.

    Example: ccanalytics check --log bank.duckdb --html check.html
    """
    from ccanalytics.calllog import CallLog
    from ccanalytics.cli.findings import told
    from ccanalytics.runs import notebooks as available

    call_log = CallLog(log)
    needs = {n.name: n.needs for n in available() if n.needs}
    found = call_log.check(needs)
    rows = call_log.rejects(rejects).to_dicts() if rejects else []
    if html is not None:
        from ccanalytics.runs.trust import write_trust

        html = write_trust(found, log, html)
    if as_json:
        emit({**found.to_dict(), "rejects": rows, "html": str(html) if html else None})
    else:
        say(told(found))
        for row in rows:
            say(f"{row['file']}, line {row['line']}: {'; '.join(row['reasons'])}: {row['raw']!r}")
        if html is not None:
            say(f"Report: {html}")
    if not found.rows["calls"] and not found.rows["interval_counts"]:
        raise DataError("the log holds no calls", str(log), "load an export of calls first")
    if strict and found.failed:
        raise DataError(
            "a check fails" if len(found.failed) == 1 else f"{len(found.failed)} checks fail",
            str(log),
            ", ".join(f.name for f in found.failed),
        )


@app.command()
def forget(
    log: Log,
    before: Annotated[str, typer.Option(help="First day that is kept, YYYY-MM-DD.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Delete rows about people older than a day, for good; the log is written anew.

    Example: ccanalytics forget --before 2024-01-01 --log centre.duckdb --dry-run
    """
    from ccanalytics.calllog import CallLog

    done = CallLog(log).forget(before, dry_run=dry_run)
    if as_json:
        emit(
            {
                "log": str(log),
                "before": str(done.before),
                "rows": done.rows,
                "rejects": done.rejects,
                "dry_run": done.dry_run,
            }
        )
    else:
        say(done.summary())
