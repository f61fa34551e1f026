"""What the runner reads of a notebook before it runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ccanalytics import runs
from ccanalytics.errors import InputError
from ccanalytics.runs import notebook as finding
from ccanalytics.runs.notebook import find, read

FIXTURES = Path(__file__).parent / "fixtures"


def test_title_question_and_parameters_are_read_without_running() -> None:
    waits = read(FIXTURES / "waits.ipynb")
    assert waits.title == "How long do callers wait?"
    assert waits.question.startswith("The question. Do enough callers reach an agent in time,")
    assert [p.name for p in waits.parameters] == [
        "log",
        "goal",
        "within",
        "shown",
        "start",
        "detail",
        "seed",
    ]
    goal = waits.parameter("goal")
    assert (goal.default, goal.kind, goal.optional) == (0.8, "float", False)
    assert goal.meaning == "share of calls to be answered in time, 0 to 1"
    start = waits.parameter("start")
    assert (start.default, start.kind, start.optional) == (None, "str", True)
    shown = waits.parameter("shown")
    assert (shown.kind, shown.item) == ("list", "str")


def test_the_nearest_parameter_is_named() -> None:
    with pytest.raises(InputError, match=r"waits: 'gaol'.*did you mean 'goal'\? it has log, goal"):
        read(FIXTURES / "waits.ipynb").parameter("gaol")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('log = ""\nx = 1 + y', "not a literal"),
        ('log = ""\nfor i in []: pass', "more than parameters"),
        ('log = ""\na = b = 1', "more than parameters"),
        ('log = ""\na, b = 1, 2', "one plain name"),
        ('log = ""\na = 1\na = 2', "declared twice"),
        ('log = ""\na: complex = 1', "type unknown"),
        ('log = ""\na: int | str = 1', "type unknown"),
        ("log = ", "not Python"),
        ("share = 0.8  # share", "parameter named log"),
    ],
)
def test_a_parameters_cell_holds_literals_only(write_notebook, source: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(write_notebook(parameters=source))


def test_a_list_over_several_lines_keeps_its_meaning(write_notebook) -> None:
    source = 'log = ""\ndays = [\n    1,\n    2.5,\n]  # windows, days'
    days = read(write_notebook(parameters=source)).parameter("days")
    assert (days.default, days.item, days.meaning) == ([1, 2.5], "float", "windows, days")


@pytest.mark.parametrize("count", [0, 2])
def test_there_is_one_parameters_cell(tmp_path: Path, count: int) -> None:
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": ['log = ""']}
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "cells": [cell] * count}), encoding="utf-8")
    with pytest.raises(InputError, match=f"exactly one cell.*this one has {count}"):
        read(path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"cells": 3}', '{"nbformat": 4, "cells": [1]}', "\x00"]
)
def test_what_is_no_notebook_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="not a notebook"):
        read(path)


def test_an_old_notebook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text('{"nbformat": 3, "worksheets": []}', encoding="utf-8")
    with pytest.raises(InputError, match="format 3"):
        read(path)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with the fixture as its notebooks, in place of the real one."""
    package = tmp_path / "site" / "ccanalytics"
    (package / "notebooks").mkdir(parents=True)
    text = (FIXTURES / "waits.ipynb").read_text(encoding="utf-8")
    for name in ("seats", "handle_time"):
        (package / "notebooks" / f"{name}.ipynb").write_text(text, encoding="utf-8")
    monkeypatch.setattr(finding, "files", lambda _: package)
    return package


def test_notebooks_are_found_inside_an_installed_package(shelf: Path) -> None:
    assert [n.name for n in runs.notebooks()] == ["handle_time", "seats"]
    assert find("seats") == shelf / "notebooks" / "seats.ipynb"
    assert find("Handle-Time").stem == "handle_time"


def test_notebooks_are_found_beside_a_checkout(shelf: Path) -> None:
    (shelf / "notebooks").rename(shelf.parent / "notebooks")
    assert find("seats") == shelf.parent / "notebooks" / "seats.ipynb"


def test_an_unknown_notebook_names_the_nearest_and_all(shelf: Path) -> None:
    with pytest.raises(InputError, match=r"did you mean 'seats'\? there are handle_time, seats"):
        find("seat")


@pytest.mark.parametrize("what", ["missing.ipynb", "folder/x"])
def test_a_path_that_is_not_there(what: str) -> None:
    with pytest.raises(InputError, match="no such file"):
        find(what)


def test_a_directory_is_no_notebook(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="directory"):
        find(tmp_path)
