"""A log of two calls, notebooks written for one test, and one report that many tests read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from ccanalytics import runs

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def tiny_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of two calls."""
    from ccanalytics.calllog import CallLog

    folder = tmp_path_factory.mktemp("log")
    (folder / "calls.csv").write_text(
        "arrived_at,answered_at,talk_s,outcome\n"
        "2025-03-03T09:00:00Z,2025-03-03T09:00:12Z,180,answered\n"
        "2025-03-03T09:01:00Z,,,abandoned\n",
        encoding="utf-8",
    )
    path = folder / "tiny.duckdb"
    CallLog(path, time_zone="Europe/London").load(folder / "calls.csv", source="ccanalytics")
    return path


@pytest.fixture
def write_notebook(tmp_path: Path) -> Callable[..., Path]:
    """Write a notebook of code cells (and markdown: texts that begin with #)."""

    def write(
        *cells: str, parameters: str = 'log = ""  # the call log', tags: Any = None, name: str = "n"
    ) -> Path:
        made = [nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})]
        for number, text in enumerate(cells):
            if text.startswith("#"):
                made.append(nbformat.v4.new_markdown_cell(text))
            else:
                metadata = {"tags": [tags[number]]} if tags and tags.get(number) else {}
                made.append(nbformat.v4.new_code_cell(text, metadata=metadata))
        path = tmp_path / f"{name}.ipynb"
        path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=made)), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def waits_run(tiny_log: Path, tmp_path_factory: pytest.TempPathFactory) -> runs.Run:
    """Run the fixture notebook once."""
    output = tmp_path_factory.mktemp("reports") / "waits.html"
    return runs.run(FIXTURES / "waits.ipynb", tiny_log, ["goal=0.85", "detail=yes"], output=output)
