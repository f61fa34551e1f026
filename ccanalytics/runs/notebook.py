"""A notebook as the runner sees it: where it is, what it asks, which parameters it declares."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from ccanalytics.errors import InputError

__all__ = ["Notebook", "Parameter", "find", "notebooks", "read"]

_KINDS = {"bool", "int", "float", "str", "list", "dict"}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a notebook, as its ``parameters`` cell declares it.

    ``kind`` is bool, int, float, str, list, dict, or empty where only ``None`` is known of it;
    ``item`` is the kind of a list's items; ``optional`` says whether None is allowed;
    ``meaning`` is the trailing comment, which gives the unit too.
    """

    name: str
    default: Any
    kind: str
    item: str
    optional: bool
    meaning: str


@dataclass(frozen=True)
class Notebook:
    """A notebook that can be run.

    ``title`` is its H1, ``question`` the paragraph below it, ``cells`` counts those with code,
    ``needs`` are the topics its answer rests on, as the notebook's own metadata declare them
    (``{"ccanalytics": {"needs": ["volume", "wait"]}}``); the checks of a log name the same.
    """

    name: str
    path: Path
    title: str
    question: str
    parameters: tuple[Parameter, ...]
    cells: int = 0
    needs: tuple[str, ...] = ()

    def parameter(self, name: str) -> Parameter:
        """Look up a parameter by name; InputError with the nearest name otherwise."""
        known = {parameter.name: parameter for parameter in self.parameters}
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise InputError(
                "the notebook has no such parameter",
                f"{self.name}: {name!r}",
                f"{hint}it has {', '.join(known)}",
            )
        return known[name]


def notebooks() -> list[Notebook]:
    """List the notebooks that come with the package, by name."""
    return [read(path) for path in sorted(_folder().glob("*.ipynb"))]


def find(notebook: str | Path) -> Path:
    """Find a notebook by its name among those of the package, or by its path.

    Raises
    ------
    InputError
        If there is none; the message lists the names.
    """
    text = str(notebook)
    if isinstance(notebook, Path) or text.endswith(".ipynb") or "/" in text or "\\" in text:
        path = Path(notebook).expanduser()
        if not path.is_file():
            reason = "this is a directory" if path.is_dir() else "there is no such file"
            raise InputError(reason, text, "give the path of a notebook (.ipynb) or a name")
        return path.resolve()
    known = {path.stem: path for path in sorted(_folder().glob("*.ipynb"))}
    name = text.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        there = f"there are {', '.join(known)}" if known else "none are installed"
        raise InputError("there is no notebook of this name", repr(text), hint + there)
    return known[name]


def read(path: Path) -> Notebook:
    """Read what a notebook asks and which parameters it declares, without running it."""
    content = _content(path)
    cells = list(content["cells"])
    tagged = [
        _source(cell)
        for cell in cells
        if cell.get("cell_type") == "code" and "parameters" in cell["metadata"].get("tags", [])
    ]
    if len(tagged) != 1:
        raise InputError(
            f"a notebook has exactly one cell tagged 'parameters', this one has {len(tagged)}",
            path.name,
            "tag the cell that declares them in JupyterLab's property inspector",
        )
    declared = _declared(tagged[0], path.name)
    if "log" not in [parameter.name for parameter in declared]:
        raise InputError(
            "every notebook has a parameter named log, this one has not",
            path.name,
            'add  log = ""  # path of the call log  to its parameters cell',
        )
    title, question = _heading(
        [_source(cell) for cell in cells if cell.get("cell_type") == "markdown"]
    )
    code = sum(c.get("cell_type") == "code" and bool(_source(c).strip()) for c in cells)
    own = content.get("metadata", {}).get("ccanalytics", {})
    needs = tuple(str(need) for need in own.get("needs", ()))
    return Notebook(path.stem, path, title or path.stem, question, tuple(declared), code, needs)


def _folder() -> Path:
    """Where the notebooks are: inside an installed package, or beside it in a checkout."""
    package = Path(str(files("ccanalytics")))
    inside = package / "notebooks"
    return inside if inside.is_dir() else package.parent / "notebooks"


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["nbformat"] != 4:
            what = f"this is a notebook of format {content['nbformat']}"
            raise InputError(what, path.name, "open and save it in JupyterLab, which writes 4")
        for cell in content["cells"]:
            cell.setdefault("metadata", {})
        return dict(content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("this is not a notebook", str(path), "give an .ipynb file") from error
    except OSError as error:
        reason = error.strerror or "the file cannot be read"
        raise InputError(reason, str(path), "give a notebook you may read") from error


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _heading(texts: list[str]) -> tuple[str, str]:
    """Find the H1 and the first paragraph below it, as plain text."""
    title = ""
    for text in texts:
        for block in re.split(r"\n\s*\n|(?<=\n)(?=#)|(?<=^)(?=#)", text):
            words = " ".join(block.split())
            if not title:
                first, _, rest = block.strip().partition("\n")
                if re.match(r"#\s", first):
                    title, words = _plain(first[1:]), " ".join(rest.split())
                else:
                    continue
            if words and not words.startswith("#"):
                return title, _plain(words)
    return title, ""


def _plain(markdown: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return re.sub(r"(\*\*|__|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w))", "", text).strip()


def _declared(source: str, where: str) -> list[Parameter]:
    try:
        statements = ast.parse(source).body
        comments = _comments(source)
    except (SyntaxError, tokenize.TokenError) as error:
        raise InputError("the parameters cell is not Python", where, str(error)) from error
    found: dict[str, Parameter] = {}
    for statement in statements:
        place = f"{where}, parameters cell, line {statement.lineno}"
        remedy = "write one  name = literal  # meaning, unit  per line"
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value, annotation = statement.targets[0], statement.value, ""
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            target, value = statement.target, statement.value
            annotation = ast.unparse(statement.annotation).strip("'\"")
        else:
            raise InputError("the parameters cell holds more than parameters", place, remedy)
        if not isinstance(target, ast.Name):
            raise InputError("a parameter is one plain name", place, remedy)
        try:
            default = ast.literal_eval(value)
        except (ValueError, TypeError) as error:
            raise InputError("a parameter's default is not a literal", place, remedy) from error
        if target.id in found:
            raise InputError(f"the parameter {target.id!r} is declared twice", place, "keep one")
        lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
        meaning = " ".join(comments[line] for line in lines if line in comments)
        found[target.id] = _parameter(target.id, default, annotation, meaning, place)
    return list(found.values())


def _parameter(name: str, default: Any, annotation: str, meaning: str, place: str) -> Parameter:
    if isinstance(default, tuple):
        default = list(default)
    optional, item = default is None, ""
    kind = "" if default is None else type(default).__name__
    if annotation:
        parts = [part.strip() for part in annotation.split("|")]
        optional = optional or "None" in parts
        named = [part for part in parts if part != "None"]
        match = re.fullmatch(r"(\w+)(?:\[(\w+)\])?", named[0]) if len(named) == 1 else None
        if match is None or match[1] not in _KINDS:
            remedy = "one of bool, int, float, str, list[…], dict, each with or without | None"
            raise InputError("a parameter of a type unknown here", f"{place}: {annotation}", remedy)
        kind, item = match[1], match[2] or ""
    if kind == "list" and not item:
        kinds = {type(value).__name__ for value in default or []}
        # 1 and 2.5 together are floats.
        item = "float" if kinds == {"int", "float"} else kinds.pop() if len(kinds) == 1 else ""
    return Parameter(name, default, kind, item, optional, meaning)


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokens
        if token.type == tokenize.COMMENT
    }
