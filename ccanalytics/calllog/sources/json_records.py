"""Records in JSON: one a line, or the items of one array.

Reading is lenient about what one value may hold, so that a bad value sets aside its record alone:
numbers too long or infinite, ``NaN`` and keys that stand twice come out as :class:`Odd`. Lines are
cut by :func:`ccanalytics.calllog.reading.read_rows`; an array is read whole and cut into its items
here.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.nesting import TOO_DEEP, too_deep
from ccanalytics.calllog.reading import Rows
from ccanalytics.calllog.sources.opening import lines_of
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ccanalytics.calllog.decoding import TextFile

__all__ = ["Odd", "document", "inside", "items", "json_rows", "parsed"]

_LARGEST_DOCUMENT = 512 << 20
_LONGEST_NUMBER = 400
_ITEMS_A_BLOCK = 5_000
_LOOKED_AT = 50
# JSON can write half a pair of UTF-16, which is no text.
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Odd:
    """A value that JSON allows, or nearly, and no record should hold."""

    what: str


def _integer(text: str) -> int | Odd:
    return int(text) if len(text) <= 18 else Odd("a number of too many digits")


def _real(text: str) -> float | Odd:
    value = float(text) if len(text) <= _LONGEST_NUMBER else math.inf
    return value if math.isfinite(value) else Odd("a number too large")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Odd:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Odd("a key that stands twice")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs,
    parse_int=_integer,
    parse_float=_real,
    parse_constant=lambda name: Odd(f"{name}, which is no number"),
)


def parsed(text: str) -> tuple[Any, str]:
    """The value of a JSON text, and why it has none."""
    if too_deep(text):
        return None, TOO_DEEP
    try:
        return _DECODER.decode(text), ""
    except RecursionError:
        return None, TOO_DEEP
    except ValueError:
        return None, "not valid JSON"


def inside(value: Any, *path: str) -> Any:
    """The value under a path of keys; None where a part of it is missing or null."""
    for key in path:
        if isinstance(value, Odd):
            return value
        if value is None:
            return None
        if not isinstance(value, dict):
            return Odd("no object where one is expected")
        value = value.get(key)
    if isinstance(value, str) and not value.isascii() and _HALF.search(value):
        return Odd("half a character")
    return value


def json_rows(text: TextFile) -> Iterator[Rows]:
    """Records as rows with the one field ``text``, whether they stand in lines or in an array."""
    blocks = lines_of(text)
    first = next(blocks, None)
    while first is not None and not first.good.height and not first.bad.height:
        first = next(blocks, None)
    if first is None:
        return
    if _one_document(first):
        blocks.close()
        yield from _from_array(text)
        return
    if not first.good["text"].str.contains(r"^\s*\{").any():
        raise InputError(
            "this is no file of JSON records",
            f"{text.path}, line 1",
            "each line must be an object, or the file one array of objects",
        )
    yield _whole(first)
    for rows in blocks:
        yield _whole(rows)


def _one_document(first: Rows) -> bool:
    """Whether a file is an array, or an object written over several lines.

    Its first line says so, healthy or not, unless most of the lines are objects of their own: one
    line may be damaged, the first as well as any other.
    """
    good = first.good.select("_line", "text")
    start = min([*good.head(1).iter_rows(), *first.bad.select("_line", "_raw").head(1).iter_rows()])
    if not start[1].lstrip().startswith("[") and start[1].strip() != "{":
        return False
    lines = good["text"].head(_LOOKED_AT)
    return 2 * sum(isinstance(parsed(text)[0], dict) for text in lines) <= len(lines)


def _whole(rows: Rows) -> Rows:
    """A last line without a line end is not cut off where it is a whole JSON value."""
    if rows.open_line is None or not rows.good.height:
        return rows
    last = rows.good.tail(1)
    cut = last["_line"][0] != rows.open_line or parsed(last["text"][0])[1]
    return rows if cut else replace(rows, open_line=None)


def document(file: TextFile) -> str:
    """The whole text of a file."""
    parts: list[str] = []
    size = 0
    for rows in lines_of(file):
        if rows.bad.height:
            raise InputError(
                "the file holds what is no text",
                f"{file.path}, line {rows.bad['_line'][0]}: {rows.bad['reasons'][0][0]}",
                "name the encoding, such as --encoding gb18030, or export it again",
            )
        parts.extend(rows.good["text"])
        size += sum(map(len, rows.good["text"]))
        if size > _LARGEST_DOCUMENT:
            raise InputError(
                "one JSON document of more than 512 MiB is not read",
                str(file.path),
                "export it as one record a line, or in parts",
            )
    return "\n".join(parts)


def items(text: str, at: int, path: Path) -> Iterator[str]:
    """The texts of the items of the array that opens at ``at``."""
    at += 1
    while True:
        at = _blank(text, at)
        if text.startswith("]", at):
            if text[at + 1 :].strip():
                raise _broken(path, text, at + 1, "more follows after the end of the array")
            return
        try:
            _, end = _DECODER.raw_decode(text, at)
        except RecursionError:
            raise _broken(path, text, at, "nested too deeply") from None
        except (ValueError, StopIteration) as error:
            told = getattr(error, "pos", at)
            raise _broken(path, text, told, "not valid JSON, or cut off") from None
        yield text[at:end]
        at = _blank(text, end)
        if text.startswith(",", at):
            at += 1
        elif not text.startswith("]", at):
            raise _broken(path, text, at, "not valid JSON, or cut off")


def _blank(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _broken(path: Path, text: str, at: int, what: str) -> InputError:
    return InputError(
        f"the JSON document is broken: {what}",
        f"{path}, line {text.count(chr(10), 0, at) + 1}",
        "export it again; as one record a line, a broken record would be set aside alone",
    )


def _from_array(file: TextFile) -> Iterator[Rows]:
    import polars as pl

    path = file.path
    text = document(file)
    at = _blank(text, 0)
    found = items(text, at, path) if text.startswith("[", at) else items(f"[{text}]", 0, path)
    block: list[tuple[int, str, str]] = []
    size = path.stat().st_size
    schema = {"_line": pl.Int64, "_raw": pl.String, "text": pl.String}
    bad = pl.DataFrame(schema={"_line": pl.Int64, "_raw": pl.String, "reasons": pl.List(pl.String)})
    for number, item in enumerate(found, 1):
        # An array has no lines worth the name: its items are counted instead.
        block.append((number, item, item))
        if len(block) == _ITEMS_A_BLOCK:
            yield Rows(pl.DataFrame(block, schema=schema, orient="row"), bad, size // 2)
            block = []
    yield Rows(pl.DataFrame(block, schema=schema, orient="row"), bad, size)
