"""Notebooks: their form, and what they say on a real or a made-up log."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def _cells(path: Path, kind: str) -> list[dict]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == kind]


def test_the_four_are_there() -> None:
    assert {p.stem for p in NOTEBOOKS} >= {"traffic", "seats", "deflection", "handle_time"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_stored_notebook_is_clean(path: Path) -> None:
    for cell in _cells(path, "code"):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        tree = ast.parse("".join(cell["source"]))
        defined = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
        assert defined == []
        assert "SELECT " not in "".join(cell["source"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_stored_notebook_has_one_title_one_parameters_cell_and_its_limits(path: Path) -> None:
    text = ["".join(cell["source"]) for cell in _cells(path, "markdown")]
    headings = [line for block in text for line in block.splitlines() if line.startswith("#")]
    assert sum(line.startswith("# ") for line in headings) == 1
    assert "limit" in [line for line in headings if line.startswith("## ")][-1].lower()
    tagged = [c for c in _cells(path, "code") if "parameters" in c["metadata"].get("tags", [])]
    assert len(tagged) == 1
    tree = ast.parse("".join(tagged[0]["source"]))
    assert all(isinstance(node, (ast.Assign, ast.AnnAssign)) for node in tree.body)
    for node in tree.body:
        ast.literal_eval(node.value)
