"""The run itself: papermill with this interpreter's own kernel, cell by cell.

Imported only when a notebook runs; papermill takes two seconds to import.
"""

from __future__ import annotations

import json
import logging
import os
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ccanalytics
from ccanalytics import errors
from ccanalytics.runs.kernel import ERROR_FILE, FOLDER_VARIABLE, SMALL_CELLS_VARIABLE
from ccanalytics.runs.without import without

# The validator of notebooks would build a grammar of addresses, which takes longer than many a
# run; without it, it does not look at addresses.
with without("rfc3987_syntax"):
    import nbformat

import papermill
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellExecutionError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccanalytics.errors import CcanalyticsError

__all__ = ["MAY_END", "MAY_REFUSE", "SKIPPED", "Stop", "Watch", "execute"]

# A cell with this tag may find that the data cannot answer: its sentence stands in the report,
# the rest of its section is left out, and the run goes on.
MAY_REFUSE = "may-refuse"
# The same, where nothing can be said without it: all but the last section is left out.
MAY_END = "may-end"
SKIPPED = "ccanalytics-skipped"
KERNEL_NOTES = "kernel.txt"
_START_S = 120
_LOG = "papermill"


@dataclass
class Stop:
    """Where and why a notebook stopped."""

    cell: int
    section: str
    name: str
    message: str
    error: CcanalyticsError | None = None


@dataclass
class Watch:
    """What the run tells while it goes on, and where it stopped."""

    folder: Path
    tell: Callable[[str], None]
    small_cells: int = 0
    stop: Stop | None = None
    section: str = ""
    refusals: list[str] = field(default_factory=list)


def execute(path: Path, values: dict[str, Any], watch: Watch) -> tuple[Any, Path]:
    """Execute a notebook with these parameter values.

    Returns the executed notebook and the file it is in, under the watch's folder. Where the
    notebook stopped early, ``watch.stop`` says so.
    """
    executed = watch.folder / "executed.ipynb"
    # What goes wrong comes out as an error; papermill's guesses at parameters are of no interest.
    papermill_log = logging.getLogger(_LOG)
    level = papermill_log.level
    papermill_log.setLevel(logging.CRITICAL)
    try:
        papermill.execute_notebook(
            nbformat.read(path, as_version=4),
            str(executed),
            parameters=values,
            engine_name="ccanalytics",
            kernel_name="python3",
            language="python",
            progress_bar=False,
            start_timeout=_START_S,
            # Charts are large: the notebook is written once, not twice a cell.
            request_save_on_cell_execute=False,
            watch=watch,
        )
    except papermill.PapermillExecutionError:
        if watch.stop is None:
            raise
    finally:
        papermill_log.setLevel(level)
    return nbformat.read(executed, as_version=4), executed


class _OwnKernels(KernelSpecManager):
    """Knows one kernel: the interpreter that runs this, whatever else is registered."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002
        # Private files in place of ~/.ipython are not enough: a history would be opened anyway.
        extra = [
            "--ext=ccanalytics.runs.kernel",
            "--HistoryManager.enabled=False",
        ]
        return KernelSpec(**get_kernel_dict(extra_arguments=extra))


class _Client(PapermillNotebookClient):
    watch: Watch

    def create_kernel_manager(self) -> AsyncKernelManager:
        folder = self.watch.folder
        self.km = AsyncKernelManager(
            kernel_name=self.kernel_name,
            kernel_spec_manager=_OwnKernels(),
            connection_file=str(folder / "connection.json"),
        )
        return self.km

    def papermill_execute_cells(self) -> None:
        skipping, resumes = False, 0
        last = max(
            (i for i, cell in enumerate(self.nb.cells) if _sections(cell)),
            default=len(self.nb.cells),
        )
        for index, cell in enumerate(self.nb.cells):
            if cell.cell_type == "markdown" and (headings := _headings(cell.source)):
                self.watch.section = headings[-1][1]
                skipping = skipping and (min(headings)[0] > 2 or index < resumes)
            if skipping:
                cell.metadata.setdefault("tags", []).append(SKIPPED)
            elif cell.cell_type == "code" and cell.source.strip():
                self.watch.tell(self.watch.section)
                if self._runs(cell, index):
                    continue
                skipping = True
                resumes = last if MAY_END in _tags(cell) else 0
                if self.watch.stop is not None:
                    break

    def _runs(self, cell: Any, index: int) -> bool:
        """Execute one cell; False if it stopped, by refusal or by error."""
        try:
            self.nb_man.cell_start(cell, index)
            self.execute_cell(cell, index)
        except CellExecutionError as stopped:
            error = _kept(self.watch.folder)
            refuses = not {MAY_REFUSE, MAY_END}.isdisjoint(_tags(cell))
            if refuses and isinstance(error, errors.DataError):
                cell.outputs = [_sentence(error)]
                self.watch.refusals.append(str(error))
            else:
                self.nb_man.cell_exception(cell, cell_index=index, exception=stopped)
                # Numbered as the author sees it: without the cell that papermill put in.
                number = sum("injected-parameters" not in _tags(c) for c in self.nb.cells[:index])
                self.watch.stop = Stop(
                    number + 1, self.watch.section, stopped.ename, stopped.evalue, error
                )
            return False
        finally:
            self.nb_man.cell_complete(cell, cell_index=index)
        return True


class _Engine(NBClientEngine):
    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, watch: Watch, start_timeout: int, **_: Any
    ) -> Any:
        work = watch.folder / "work"
        work.mkdir()
        client = _Client(
            nb_man,
            kernel_name=kernel_name,
            startup_timeout=start_timeout,
            timeout=None,
            log=logging.getLogger(_LOG),
            resources={"metadata": {"path": str(work)}},
        )
        client.watch = watch
        # What the kernel says of itself is kept for the error that might need it.
        with (watch.folder / KERNEL_NOTES).open("w", encoding="utf-8") as notes:
            return client.execute(env=_environment(watch), stderr=notes)


papermill_engines.register("ccanalytics", _Engine)


def _environment(watch: Watch) -> dict[str, str]:
    """Build the kernel's environment: the caller's, without anybody's start-up files."""
    folder = watch.folder
    private = {
        "PLOTLY_RENDERER": "plotly_mimetype",
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        FOLDER_VARIABLE: str(folder),
        SMALL_CELLS_VARIABLE: str(watch.small_cells),
    }
    # A checkout that was never installed is found where this process found it.
    home = str(Path(ccanalytics.__file__).resolve().parents[1])
    if home not in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        before = os.environ.get("PYTHONPATH", "")
        private["PYTHONPATH"] = os.pathsep.join(part for part in (home, before) if part)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONSTARTUP"}
    return kept | private


def _kept(folder: Path) -> CcanalyticsError | None:
    """Take the error that the kernel wrote down, if it was one of ours."""
    file = folder / ERROR_FILE
    if not file.exists():
        return None
    parts = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    error: CcanalyticsError = getattr(errors, parts.pop("name"))(**parts)
    return error


def _sentence(error: CcanalyticsError) -> Any:
    from html import escape

    text = str(error)
    text = f"{text[:1].upper()}{text[1:]}."
    html = f'<div class="result refusal"><p class="answer">{escape(text)}</p></div>'
    return nbformat.v4.new_output("display_data", data={"text/html": html, "text/plain": text})


def _tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _sections(cell: Any) -> bool:
    """Whether a section begins in this cell."""
    return cell.cell_type == "markdown" and any(level == 2 for level, _ in _headings(cell.source))


def _headings(markdown: str) -> list[tuple[int, str]]:
    """Give level and words of the headings of a cell."""
    found = []
    for line in markdown.splitlines():
        mark, _, words = line.strip().partition(" ")
        if mark and set(mark) == {"#"} and len(mark) <= 6 and words.strip():
            found.append((len(mark), words.strip(" #")))
    return found
