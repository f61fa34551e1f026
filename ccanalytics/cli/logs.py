"""Commands on a call log: load, check, forget, run, notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ccanalytics.cli.terminal import Json, Log, app, bar, emit
from ccanalytics.errors import DataError, InputError

__all__ = ["check", "forget", "load", "notebooks", "run"]


@app.command()
def load(
    files: Annotated[list[Path], typer.Argument(help="Export files, or a folder of our own form.")],
    source: Annotated[str, typer.Option(help="Format: ccanalytics, generic or anonymous_bank.")],
    log: Log,
    mapping: Annotated[
        Path | None, typer.Option(help="For generic: the TOML file that names the columns.")
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="For ccanalytics: the table, if the name does not tell.")
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Where the centre stands, such as Asia/Shanghai.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="Of text files, such as gb18030.")] = "utf-8",
    allow_cut: Annotated[
        bool, typer.Option("--allow-cut", help="Load a file that ends in mid-line.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Load export files into a call log; each file comes in whole or not at all.

    Example: ccanalytics load 02_February.txt.gz --source anonymous_bank --log bank.duckdb
    """
    from ccanalytics.calllog import CallLog

    call_log = CallLog(log, time_zone=time_zone)
    reports = []
    for file in files:
        with bar("loading", bytes_=True) as progress:
            report = call_log.load(
                file,
                source,
                mapping=mapping,
                table=table,
                encoding=encoding,
                allow_cut=allow_cut,
                progress=progress,
            )
        reports.append(report)
        if not as_json:
            print(f"{file}: {report.summary()}")
        if report.read and report.rejected == report.read:
            raise DataError(
                "no row of the file could be used",
                f"{file}: {next(iter(report.reasons))}",
                "check source, mapping and units; ccanalytics check --rejects 5 shows rows",
            )
    if as_json:
        keys = ("read", "loaded", "duplicates", "rejected")
        emit(
            {
                "log": str(log),
                **{key: sum(getattr(r, key) for r in reports) for key in keys},
                "files": [{**vars(one)} for report in reports for one in report.files],
            }
        )


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

        write_trust(found, log, html)
    if as_json:
        emit({**found.to_dict(), "rejects": rows, "html": str(html) if html else None})
    else:
        print(told(found))
        for row in rows:
            print(f"{row['file']}, line {row['line']}: {'; '.join(row['reasons'])}: {row['raw']!r}")
        if html is not None:
            print(f"Report: {html}")
    if not found.rows["calls"]:
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
        print(done.summary())


@app.command()
def run(
    notebook: Annotated[str, typer.Argument(help="A notebook's name, or a path to one.")],
    log: Log,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Set one; repeatable."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The HTML file; default: reports/NOTEBOOK.html.")
    ] = None,
    small_cells: Annotated[
        int,
        typer.Option(min=0, help="Leave out rows on fewer calls or people; 0 shows all."),
    ] = 5,
    as_json: Json = False,
) -> None:
    """Run a notebook on a log, print its answer, and write its report.

    Example: ccanalytics run seats --log bank.duckdb -p share=0.8 -p within=20
    """
    from ccanalytics.runs import run as run_notebook

    with bar("running") as progress:
        done = run_notebook(
            notebook,
            log=log,
            parameters=_pairs(parameter or []),
            output=output,
            progress=progress,
            small_cells=small_cells,
        )
    if as_json:
        emit(
            {
                "notebook": done.notebook,
                "report": str(done.output),
                "answer": done.answer,
                "summary": done.details,
                "findings": [dict(finding) for finding in done.findings],
                "checks": [vars(c) for c in done.checks],
                "rows": dict(done.rows),
                "fingerprint": done.fingerprint,
                "parameters": dict(done.parameters),
                "inputs": dict(done.inputs),
            }
        )
    else:
        if done.answer:
            print(done.answer)
        print(f"Report: {done.output}")


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise InputError(
                "a parameter has the form NAME=VALUE", f"-p {text}", "such as -p share=0.8"
            )
        if name.strip() in pairs:
            raise InputError("a parameter is given twice", f"-p {text}", "give it once")
        pairs[name.strip()] = value
    return pairs


@app.command()
def notebooks(as_json: Json = False) -> None:
    """List the notebooks, their questions and their parameters.

    Example: ccanalytics notebooks
    """
    from ccanalytics.runs import notebooks as available

    found = available()
    if as_json:
        emit(
            {
                "notebooks": [
                    {
                        "name": n.name,
                        "title": n.title,
                        "question": n.question,
                        "parameters": [
                            {"name": p.name, "default": p.default, "meaning": p.meaning}
                            for p in n.parameters
                        ],
                    }
                    for n in found
                ]
            }
        )
        return
    for n in found:
        print(f"{n.name}: {n.title}")
        if n.question:
            print(f"  {n.question}")
        for p in n.parameters:
            print(f"    -p {p.name}={p.default!r}  {p.meaning}")
