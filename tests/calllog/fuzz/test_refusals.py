"""The documentation's list of causes for refusing a whole file, complete both ways."""

import ast
from pathlib import Path

import pytest

import ccanalytics.calllog as package

from .refusals import causes, listed, pattern

ROOT = Path(package.__file__).parent
# Everything that a file goes through on its way into a log.
MODULES = [
    *sorted(ROOT.glob("readers/*.py")),
    *sorted(ROOT.glob("decoding/*.py")),
    *sorted(ROOT.glob("sources/*.py")),
    ROOT / "reading.py",
    ROOT / "blocks.py",
    ROOT / "loading.py",
]
# Of what was said with the load, not of the file.
SAID = {
    "mapping.py": "the mapping's own mistakes",
    "no such source": "--source",
    "source 'generic' needs a mapping": "--mapping",
    "which table this file holds cannot be told from its name": "--table",
    "no such table: …": "--table",
    "the description of the centre cannot be read": "centre.json",
    "none of … files can be loaded": "of several files, each with its own cause",
}


def texts(node: ast.expr) -> list[str]:
    """What the first argument of an error may say, ``…`` for what varies."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in node.values)]
    if isinstance(node, ast.IfExp):
        return texts(node.body) + texts(node.orelse)
    if isinstance(node, ast.BinOp):
        return [a + b for a in texts(node.left) for b in texts(node.right)]
    return ["…"]


def raised() -> set[str]:
    """All causes for which the package refuses a file."""
    found: set[str] = set()
    for module in MODULES:
        if module.name in SAID:
            continue
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InputError":
                found.update(texts(node.args[0]))
    return found


def test_every_cause_in_the_code_is_in_the_documentation():
    missing = {told for told in raised() if told not in SAID and not listed(told)}
    assert not missing


def test_every_cause_in_the_documentation_is_in_the_code():
    """What the documentation promises to refuse, the code can refuse."""
    told = raised()
    unused = {what for what in causes() if not any(pattern(what).fullmatch(one) for one in told)}
    assert not unused


def test_what_is_said_with_a_load_is_still_said():
    assert {what for what in SAID if not what.endswith(".py")} <= raised()


@pytest.mark.parametrize("told", ["the file is odd", "this is not a queue_log of Asterisk 2", ""])
def test_other_causes_are_not_listed(told):
    assert listed(told) is None


def test_the_longest_cause_that_fits_is_the_one():
    assert listed("the workbook is damaged") == "the workbook is damaged"
    assert listed("the archive holds 3 files") == "the archive holds … files"
