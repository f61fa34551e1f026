"""The command line: each command says in one line what went wrong and what to do.

Exit codes: 0 done, 1 a bug, 2 usage or input, 3 the log, 4 data that cannot answer.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ccanalytics.errors import CcanalyticsError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ccanalytics.calllog.loading import Progress

__all__ = ["app", "main"]

app = typer.Typer(
    name="ccanalytics",
    help="Call-centre workforce and traffic analytics over a centre's own call log.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Log = Annotated[
    Path,
    typer.Option("--log", envvar="CCANALYTICS_LOG", help="The call log, a DuckDB file."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = app(arguments, standalone_mode=False)
    except CcanalyticsError as error:
        return _complain(str(error), error.exit_code)
    except typer.Exit as leave:
        return leave.exit_code
    except typer.TyperException as error:
        text = " ".join(error.format_message().split())
        return _complain(f"{text} (see ccanalytics --help)" if text else "", error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return _complain("stopped", 130)
    except BrokenPipeError:
        # Whoever read our output has gone away; nothing is left to say.
        sys.stderr.close()
        return 0
    except Exception as error:  # the last line of defence against a traceback
        import logging

        logging.getLogger("ccanalytics").debug("traceback", exc_info=True)
        name = type(error).__name__
        return _complain(
            f"this is a bug in ccanalytics ({name}: {' '.join(str(error).split())}): "
            "run again with -v before the command for the traceback, and report it",
            1,
        )
    return code if isinstance(code, int) else 0


def _complain(text: str, code: int) -> int:
    if text:
        print(f"ccanalytics: {text}", file=sys.stderr)
    return code


def _version(wanted: bool) -> None:
    if wanted:
        from ccanalytics import __version__

        print(f"ccanalytics {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say what is going on.")] = False,
    _version_wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    if verbose:
        import logging

        logging.basicConfig(level=logging.DEBUG, format="%(name)s: %(message)s")
        for noisy in ("papermill", "asyncio", "traitlets", "numba"):
            logging.getLogger(noisy).setLevel(logging.WARNING)


def _emit(values: dict[str, Any]) -> None:
    print(json.dumps({"schema": 1, **values}, ensure_ascii=False, indent=2, default=str))


@contextmanager
def _bar(text: str, *, bytes_: bool = False) -> Iterator[Progress]:
    """A progress bar on standard error; silent where nobody watches."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn() if bytes_ else MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(text)

        def advance(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=f"{text} {what}")

        yield advance


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
        with _bar("loading", bytes_=True) as progress:
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
    if as_json:
        keys = ("read", "loaded", "duplicates", "rejected")
        _emit(
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
    as_json: Json = False,
) -> None:
    """Say what a log holds and what to know before trusting it.

    Example: ccanalytics check --log bank.duckdb --rejects 5
    """
    from ccanalytics.calllog import CallLog

    call_log = CallLog(log)
    found = call_log.check()
    rows = call_log.rejects(rejects).to_dicts() if rejects else []
    if as_json:
        _emit(
            {
                "summary": found.summary(),
                "rows": found.rows,
                "outcomes": found.outcomes,
                "first_day": found.first_day,
                "last_day": found.last_day,
                "time_zone": found.time_zone,
                "checks": [vars(c) for c in found.checks],
                "rejects": rows,
            }
        )
        return
    print(found.summary())
    for one in found.checks:
        print(f"  {one}")
    for row in rows:
        print(f"  {row['file']}, line {row['line']}: {'; '.join(row['reasons'])}: {row['raw']!r}")


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
    as_json: Json = False,
) -> None:
    """Run a notebook on a log and write its report.

    Example: ccanalytics run seats --log bank.duckdb -p share=0.8 -p within=20
    """
    from ccanalytics.runs import run as run_notebook

    with _bar("running") as progress:
        done = run_notebook(
            notebook, log=log, parameters=_pairs(parameter or []), output=output, progress=progress
        )
    if as_json:
        _emit({"notebook": notebook, "report": str(done.output), "inputs": dict(done.inputs)})
    else:
        print(done.output)


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
        _emit(
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


@app.command()
def agents(
    calls: Annotated[float, typer.Option(help="Calls in a period.")],
    aht: Annotated[float, typer.Option(help="Average handle time in seconds.")],
    per: Annotated[float, typer.Option(help="Length of the period in seconds.")] = 1800,
    share: Annotated[float, typer.Option(help="Service level wanted, 0-1.")] = 0.8,
    within: Annotated[float, typer.Option(help="Threshold of the wait in seconds.")] = 20,
    counting: Annotated[str, typer.Option(help="How abandoned calls are counted.")] = "offered",
    short: Annotated[float, typer.Option(help="Short-abandon threshold in seconds.")] = 0,
    patience: Annotated[
        float | None, typer.Option(help="Mean patience in seconds; default: endless (Erlang C).")
    ] = None,
    max_occupancy: Annotated[float | None, typer.Option(help="Cap on occupancy, 0-1.")] = None,
    shrinkage: Annotated[float, typer.Option(help="Share of paid time away, 0-1.")] = 0,
    as_json: Json = False,
) -> None:
    """Say how many agents meet a service level.

    Example: ccanalytics agents --calls 100 --per 1800 --aht 180 --share 0.8 --within 20
    """
    from ccanalytics.queueing import Queue
    from ccanalytics.servicelevel import ServiceLevel
    from ccanalytics.staffing import scheduled

    goal = ServiceLevel(share, within, counting, short)  # type: ignore[arg-type]
    queue = Queue(calls=calls, per=per, aht=aht, patience=patience)
    seated = queue.agents_for(goal, max_occupancy=max_occupancy)
    paid = scheduled(seated, shrinkage)
    inputs = {
        "calls": calls,
        "per_s": per,
        "aht_s": aht,
        "goal": goal.describe(),
        "patience_s": patience,
        "max_occupancy": max_occupancy,
        "shrinkage": shrinkage,
    }
    if seated == 0:
        figures: dict[str, Any] = {}
    else:
        p = queue.performance(seated)
        figures = {
            "service_level": p.service_level(goal),
            "asa_s": p.asa,
            "mean_wait_s": p.mean_wait,
            "wait_probability": p.wait_probability,
            "abandonment": p.abandonment,
            "occupancy": p.occupancy,
        }
    if as_json:
        _emit({"inputs": inputs, "agents": seated, "scheduled": paid, **figures})
        return
    model = "Erlang C (endless patience)" if patience is None else "Erlang A (exponential patience)"
    print(f"{seated} agents seated, {paid} scheduled at {shrinkage:.0%} shrinkage.")
    print(f"Goal: {goal.describe()}. Model: {model}.")
    if figures:
        print(
            f"With {seated}: service level {figures['service_level']:.1%}, "
            f"ASA {figures['asa_s']:.1f} s, waiting {figures['wait_probability']:.1%}, "
            f"abandoning {figures['abandonment']:.1%}, occupancy {figures['occupancy']:.1%}."
        )


@app.command()
def trunks(
    blocking: Annotated[float, typer.Option(help="Share of calls that may meet a busy signal.")],
    load: Annotated[float | None, typer.Option(help="Busy-hour load in erlangs.")] = None,
    calls: Annotated[float | None, typer.Option(help="Or: calls in a period, …")] = None,
    holding: Annotated[
        float | None, typer.Option(help="… and how long each holds a line, in seconds, …")
    ] = None,
    per: Annotated[float, typer.Option(help="… and the period's length in seconds.")] = 3600,
    as_json: Json = False,
) -> None:
    """Say how many lines keep the busy signal rare (Erlang B).

    A line is held in the voice menu, in the queue and in talk: the load must count all three.

    Example: ccanalytics trunks --load 47 --blocking 0.01
    """
    from ccanalytics.queueing import erlang_b, servers_for_blocking

    if (load is None) == (calls is None) or (calls is None) != (holding is None):
        raise InputError(
            "the load is needed, in one of two ways",
            "",
            "give --load in erlangs, or --calls with --holding (seconds per call) and --per",
        )
    if load is None:
        assert calls is not None  # noqa: S101 - for the type checker
        assert holding is not None  # noqa: S101 - for the type checker
        if not per > 0:
            raise InputError("the period must be longer than 0 s", f"--per {per:g}")
        load = calls * holding / per
    lines = servers_for_blocking(load, blocking)
    reached = erlang_b(load, lines)
    if as_json:
        _emit(
            {
                "inputs": {"load": load, "target_blocking": blocking},
                "lines": lines,
                "blocking": reached,
            }
        )
        return
    print(f"{lines} lines carry {load:g} erlangs with {reached:.2%} of calls blocked (Erlang B).")


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="Where to write; must be new or empty.")],
    weeks: Annotated[int, typer.Option(help="How many weeks.")] = 52,
    scale: Annotated[float, typer.Option(help="Size; 1 is a centre of 350 agents.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Same seed, same centre.")] = 1,
    start: Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")] = "2024-01-01",
    as_json: Json = False,
) -> None:
    """Write the exports of a made-up hotline whose truth is known.

    Example: ccanalytics sample centre/ --weeks 8 --scale 0.05 --seed 7
    """
    from ccanalytics.simulation import write_centre

    with _bar("writing") as progress:
        centre = write_centre(
            folder, weeks=weeks, scale=scale, seed=seed, start=start, progress=progress
        )
    if as_json:
        _emit({"folder": str(folder), "inputs": dict(centre.inputs)})
    else:
        print(centre.summary())


@app.command()
def demo(
    data: Annotated[Path, typer.Option(help="Where the sample centre and its log go.")] = Path(
        "data/demo"
    ),
    reports: Annotated[Path, typer.Option(help="Where the reports go.")] = Path("reports"),
    weeks: Annotated[int, typer.Option(help="How many weeks.")] = 52,
    scale: Annotated[float, typer.Option(help="Size; 1 is a centre of 350 agents.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Same seed, same centre.")] = 1,
) -> None:
    """Make a sample centre, load it, and run every notebook on it.

    Example: ccanalytics demo
    """
    from ccanalytics.runs.demo import demo as run_demo

    written = run_demo(data, reports, weeks=weeks, scale=scale, seed=seed, bar=_bar, say=print)
    print("Four reports:" if len(written) == 4 else f"{len(written)} reports:")
    for path in written:
        print(f"  {path}")


if __name__ == "__main__":
    sys.exit(main())
