"""Commands that answer from a call log: run, notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ccanalytics.cli.terminal import Json, Log, app, bar, emit, say
from ccanalytics.errors import InputError

__all__ = ["notebooks", "run"]


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
            say(done.answer)
        say(f"Report: {done.output}")


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
        say(f"{n.name}: {n.title}")
        if n.question:
            say(f"  {n.question}")
        for p in n.parameters:
            say(f"    -p {p.name}={p.default!r}  {p.meaning}")
