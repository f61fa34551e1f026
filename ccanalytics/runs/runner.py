"""Run a notebook on a log and write its report."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccanalytics import smallcells
from ccanalytics.errors import CcanalyticsError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.runs.notebook import Notebook, find, read
from ccanalytics.runs.parameters import resolve
from ccanalytics.runs.provenance import describe, fingerprint, state, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from ccanalytics.runs.engine import Stop

    Progress = Callable[[int, int, str], None]

__all__ = ["Run", "report_place", "run", "write_whole"]

_LOGGER = logging.getLogger("ccanalytics")


@dataclass(frozen=True, eq=False, kw_only=True)
class Run(Result):
    """A notebook that ran, and the report it left.

    Attributes
    ----------
    notebook, title
        The notebook's name and its H1.
    output
        The report: one HTML file that needs no other.
    log
        The call log that was asked.
    rows
        Rows of the log by table.
    fingerprint
        Of what was loaded, in order: two logs of the same files share it.
    parameters
        Every parameter with the value it had, defaults filled in.
    versions
        Of Python and the packages that computed.
    started_at, seconds
        When (aware UTC) and how long it ran.
    charts
        How many figures the report shows.
    answer
        First sentence of the headline answer, empty if the notebook has none.
    details
        All of the headline answer, empty if the notebook has none.
    findings
        Every answer of the report in order: its section, its words, and the checks that fail.
    """

    notebook: str
    title: str
    output: Path
    log: Path
    rows: Mapping[str, int]
    fingerprint: str
    parameters: Mapping[str, Any]
    versions: Mapping[str, str]
    started_at: datetime
    seconds: float
    charts: int
    answer: str
    details: str = ""
    findings: tuple[Mapping[str, Any], ...] = ()

    @property
    def seed(self) -> int | None:
        """The seed of the run, where the notebook has a parameter of that name."""
        return self.parameters.get("seed")

    def summary(self) -> str:
        """Say where the report is, and its headline."""
        words = f"The report {self.title!r} is in {self.output}."
        answer = f" {self.answer}" if self.answer else ""
        version = self.versions["ccanalytics"]
        return (
            f"{words}{answer} Run by ccanalytics {version} on the log {self.log.name} "
            f"({self.fingerprint}) in {self.seconds:.0f} s."
        )

    def to_frame(self) -> pl.DataFrame:
        """What the run can be traced by, one row per item."""
        import polars as pl

        items = {
            "notebook": self.notebook,
            "log": self.log.name,
            "calls": str(self.rows.get("calls", 0)),
            "fingerprint": self.fingerprint,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "output": str(self.output),
            **{f"parameter {name}": repr(value) for name, value in self.parameters.items()},
            **{f"version {name}": value for name, value in self.versions.items()},
        }
        return pl.DataFrame({"item": list(items), "value": list(items.values())})


def run(
    notebook: str | Path,
    log: str | os.PathLike[str],
    parameters: Mapping[str, Any] | Sequence[str] = (),
    output: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    small_cells: int = smallcells.DEFAULT,
) -> Run:
    """Run a notebook on a call log and write one self-contained HTML report.

    Parameters
    ----------
    notebook
        The name of a notebook that comes with the package (``"seats"``), or a path.
    log
        Path of the call log: a DuckDB file, or a folder of Parquet tables (on Spark).
    parameters
        Values by name, or texts ``name=value``; each is converted to the declared type.
    output
        The report's file, or a directory for it; ``reports/NAME.html`` by default. It appears
        when it is complete; a run that fails writes nothing there.
    progress
        Called as ``progress(done, total, what)`` before each cell.
    small_cells
        Fewest calls or people that a row of a table or chart keyed by a name may rest on; smaller
        ones are left out (:mod:`ccanalytics.smallcells`). 0 shows all.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        For an unknown notebook or parameter, a value that does not fit, a place that cannot be
        written.
    LogError
        If there is no log, or it cannot be opened.
    CcanalyticsError
        Of the class that the notebook raised. Any other exception in the notebook becomes a
        plain CcanalyticsError that names the cell, and the executed notebook is kept beside the
        place of the report as ``NAME.failed.ipynb``.
    """
    asked = read(find(notebook))
    smallcells.check(small_cells)
    given = resolve(asked, parameters)
    log_path = Path(log).expanduser().resolve()
    held = describe(log_path)
    target = report_place(output, asked.name)
    values = {p.name: p.default for p in asked.parameters} | given | {"log": str(log_path)}
    steps = _Steps(progress, asked)

    steps.say("reading the log's fingerprint")
    mark, before = fingerprint(log_path), state(log_path)
    started_at, clock = datetime.now(UTC), time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="ccanalytics-", ignore_cleanup_errors=True) as folder:
        steps.say("starting Python")
        executed, refusals = _execute(
            asked, values, _Place(Path(folder), small_cells), target, steps
        )
    seconds = time.perf_counter() - clock

    steps.last("writing the report")
    checks = [Check("part of the answer", "informs", refusal) for refusal in refusals]
    if state(log_path) != before:
        changed = "it was written to while the notebook ran: run again to be sure of one state"
        checks.append(Check("one state of the log", "fails", changed))
    checks += held.checks
    from ccanalytics.runs.report import Facts, report

    facts = Facts(
        notebook=asked,
        log=log_path.name,
        holds=held.summary(),
        fingerprint=mark,
        values=values,
        versions=versions(),
        started_at=started_at,
        seconds=seconds,
        checks=tuple(checks),
        small_cells=small_cells,
    )
    page = report(executed, facts)
    write_whole(target, page.html)
    _failed(target).unlink(missing_ok=True)
    steps.done()
    return Run(
        inputs={
            "notebook": str(notebook),
            "log": str(log),
            "parameters": given,
            "small_cells": small_cells,
        },
        checks=tuple(checks),
        notebook=asked.name,
        title=asked.title,
        output=target,
        log=log_path,
        rows=held.rows,
        fingerprint=mark,
        parameters=values,
        versions=facts.versions,
        started_at=started_at,
        seconds=seconds,
        charts=page.charts,
        answer=page.answer,
        details=page.details,
        findings=page.findings,
    )


@dataclass(frozen=True)
class _Place:
    """Where a run works, and what its report may show."""

    folder: Path
    small_cells: int


class _Steps:
    """Counts cells for whoever watches; the report is the last step."""

    def __init__(self, progress: Progress | None, notebook: Notebook) -> None:
        self._progress = progress
        # One step per cell of code, the injected parameters among them, and one for the report.
        self._total = notebook.cells + 2
        self._at = 0

    def say(self, what: str) -> None:
        if self._progress:
            self._progress(min(self._at, self._total - 1), self._total, what)

    def cell(self, section: str) -> None:
        self.say(section)
        self._at += 1

    def last(self, what: str) -> None:
        self._at = self._total - 1
        self.say(what)

    def done(self) -> None:
        if self._progress:
            self._progress(self._total, self._total, "done")


def _execute(
    asked: Notebook, values: dict[str, Any], how: _Place, target: Path, steps: _Steps
) -> tuple[Any, list[str]]:
    try:
        from ccanalytics.runs.engine import Watch, execute
    except ImportError as error:
        raise InputError(
            "the packages that run notebooks are not installed",
            f"{error.name} is missing",
            "pip install 'ccanalytics[notebooks]'",
        ) from error
    watch = Watch(how.folder, steps.cell, how.small_cells)
    try:
        executed, file = execute(asked.path, values, watch)
    except Exception as error:
        # Whatever the machinery of notebooks raises (a kernel killed, no memory, no sockets):
        # the reader gets one line, and the whole of it stands in the log of the library.
        _LOGGER.debug("the notebook %s could not be executed", asked.name, exc_info=True)
        words = " ".join(str(error).split()) or type(error).__name__
        raise CcanalyticsError(
            "the Python that ran the notebook stopped",
            f"{asked.name}, section {watch.section!r}: {words}",
            "it may have run out of memory: try a shorter period",
        ) from error
    if watch.stop is None:
        return executed, watch.refusals
    if watch.stop.error is not None:
        raise watch.stop.error
    kept = _keep(file, target)
    raise _bug(asked, watch.stop, kept)


def _bug(asked: Notebook, stop: Stop, kept: Path | None) -> CcanalyticsError:
    where = f"{asked.name}, cell {stop.cell}"
    if stop.section:
        where += f", section {stop.section!r}"
    message = f"{stop.name}: {stop.message}" if stop.message else stop.name
    look = f"the notebook as far as it ran is in {kept}" if kept else "run it in JupyterLab to see"
    return CcanalyticsError(
        "the notebook stopped with an unexpected error", where, f"{message}; {look}"
    )


def report_place(output: str | os.PathLike[str] | None, name: str) -> Path:
    """Settle where the report goes, before hours are spent on it."""
    path = Path("reports") / f"{name}.html" if output is None else Path(output).expanduser()
    if path.is_dir():
        path = path / f"{name}.html"
    path = path.resolve()
    if path.suffix.lower() not in {".html", ".htm"}:
        raise InputError("a report is an HTML file", f"output={path.name!r}", "end it in .html")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or "it cannot be made"
        raise InputError(
            f"the report's directory cannot be made: {reason}", str(path.parent), "choose another"
        ) from error
    if not os.access(path.parent, os.W_OK):
        raise InputError(
            "the report's directory is not writable", str(path.parent), "choose another"
        )
    return path


def write_whole(target: Path, text: str) -> None:
    """Write the whole file or nothing."""
    handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # Private by mkstemp's choice; a report is as readable as any file its owner writes.
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(target)
    except OSError as error:
        reason = error.strerror or "it cannot be written"
        raise InputError(f"the report cannot be written: {reason}", str(target), "") from error
    finally:
        Path(name).unlink(missing_ok=True)


def _failed(target: Path) -> Path:
    return target.with_suffix(".failed.ipynb")


def _keep(executed: Path, target: Path) -> Path | None:
    with suppress(OSError):
        shutil.copyfile(executed, _failed(target))
        return _failed(target)
    return None
