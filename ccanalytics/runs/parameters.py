"""Values for a notebook's parameters: from text or from Python, to the declared kind."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from ccanalytics.runs.notebook import Notebook, Parameter

__all__ = ["convert", "resolve"]

_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}
_WORDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "list": "a list, items separated by commas",
    "dict": "a mapping such as {'a': 1}",
}


def resolve(notebook: Notebook, given: Mapping[str, Any] | Sequence[str]) -> dict[str, Any]:
    """Convert what was given to the kinds the notebook declares.

    Parameters
    ----------
    notebook
        Whose parameters they are.
    given
        Values by name, or texts ``name=value`` as a command line takes them.

    Raises
    ------
    InputError
        For a name the notebook does not have, or a value that does not fit.
    """
    values: dict[str, Any] = {}
    for name, value in _pairs(given):
        if name == "log":
            raise InputError("the log is given by itself", "parameter log", "pass it as log=")
        if name in values:
            raise InputError("a parameter is given twice", f"{name}", "give it once")
        values[name] = convert(notebook.parameter(name), value)
    return values


def convert(parameter: Parameter, value: Any) -> Any:
    """Convert one value, text or Python, to the kind that the parameter declares.

    Raises
    ------
    InputError
        If the value does not fit; the message says what would.
    """
    fitted = _native(value)
    if isinstance(fitted, str) and fitted.strip().lower() in {"none", "null"}:
        fitted = None if parameter.optional else fitted
    if fitted is None:
        if parameter.optional:
            return None
        raise _misfit(parameter, value)
    if not parameter.kind:
        return _guess(fitted)
    return _fit(parameter, parameter.kind, fitted, value)


def _pairs(given: Mapping[str, Any] | Sequence[str]) -> list[tuple[str, Any]]:
    if isinstance(given, Mapping):
        return list(given.items())
    pairs = []
    for text in [given] if isinstance(given, str) else given:
        name, equals, value = str(text).partition("=")
        if not equals or not name.strip():
            raise InputError("a parameter is written name=value", repr(text), "add the =")
        pairs.append((name.strip(), value.strip()))
    return pairs


def _native(value: Any) -> Any:
    """Turn what other libraries return into plain Python; dates become text."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (tuple, set, frozenset)):
        return [_native(item) for item in value]
    if hasattr(value, "tolist"):  # numpy scalars and arrays, polars and pandas columns
        return value.tolist()
    return value


def _fit(parameter: Parameter, kind: str, value: Any, given: Any) -> Any:
    text = value.strip() if isinstance(value, str) else None
    if kind == "str":
        if text is None:
            raise _misfit(parameter, given)
        return text
    if kind == "bool":
        word = text.lower() if text is not None else str(value).lower()
        if word in _TRUE | _FALSE and isinstance(value, (str, bool)):
            return word in _TRUE
        raise _misfit(parameter, given)
    if kind in {"int", "float"}:
        return _number(parameter, kind, value, given)
    if kind == "dict":
        read = _guess(text) if text is not None else value
        if isinstance(read, dict):
            return read
        raise _misfit(parameter, given)
    if text is not None:
        read = _guess(text) if text.startswith("[") else text.split(",")
        value = [] if text == "" else read
    if not isinstance(value, list):
        value = [value]
    if parameter.item in _WORDS:
        return [_fit(parameter, parameter.item, item, given) for item in value]
    return [_guess(item.strip()) if isinstance(item, str) else item for item in value]


def _number(parameter: Parameter, kind: str, value: Any, given: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _misfit(parameter, given)
    try:
        number = float(value)
    except ValueError:
        raise _misfit(parameter, given) from None
    if not math.isfinite(number):
        raise _misfit(parameter, given)
    if kind == "float":
        return number
    if number != int(number):
        raise _misfit(parameter, given)
    return int(value) if isinstance(value, int) else int(number)


def _guess(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value


def _misfit(parameter: Parameter, value: Any) -> InputError:
    wanted = _WORDS.get(parameter.kind, "a value")
    if parameter.kind == "list" and parameter.item in _WORDS:
        wanted += f", each {_WORDS[parameter.item]}"
    if parameter.optional:
        wanted += ", or None"
    remedy = f"give {wanted}"
    if isinstance(value, str) and value.strip().endswith("%"):
        remedy += "; shares are written 0 to 1, so 80% is 0.80"
    elif parameter.meaning:
        remedy += f": {parameter.meaning}"
    return InputError("a parameter's value does not fit", f"{parameter.name}={value!r}", remedy)
