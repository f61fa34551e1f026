"""What the records of a text are, found by a small state machine that shares no code with the
package: how many a load must account for, in which lines they begin, and what each one says.

The rule (``data/README.md``, *Records*): a line is a record, unless it is blank. A field in
quotation marks may hold line ends, so that a record goes on until its mark is closed, over at most
20 lines, each of which is text; where it then has not as many fields as the file has columns, or
its mark is never closed, its first line is a record of its own, a broken one. Where no line ends
otherwise, carriage returns end lines.
"""

import codecs
import json
import re
from dataclasses import dataclass

MOST_LINES = 20
_UTF8_IN_GB = re.compile(rb"(?<![\x80-\xff])(?:[\xe4-\xe9][\x80-\xbf]{2}){2,}(?![\x80-\xff])")


# What is no character becomes half of one, which no line of text holds.
codecs.register_error("fuzz-half", lambda error: ("\ud800", error.end))


@dataclass(frozen=True)
class Record:
    """One record: the line (or item) in which it begins, its text, whether it is whole."""

    line: int
    text: str
    whole: bool
    lines: int = 1


def ends_open(content: bytes, encoding: str) -> bool:
    """Whether the last line lacks its end."""
    if encoding.startswith(("utf-16", "utf-32")):
        text = _wide_lines(content, encoding)
        return text[-1] != ""
    return not _fed(content).endswith(b"\n")


def _fed(content: bytes) -> bytes:
    """With line feeds, also where the lines of a file end in carriage returns alone."""
    return content if b"\n" in content else content.replace(b"\r", b"\n")


def lines_of(content: bytes, encoding: str, *, returns: bool = False) -> list[str | None]:
    """The lines of a text; None for one that is no text, or holds what no text holds.

    ``returns``: carriage returns within a line are no fault (JSON takes them for blanks).
    """
    if encoding.startswith(("utf-16", "utf-32")):
        lines = _wide_lines(content, encoding)
    else:
        content = content.removeprefix(b"\xef\xbb\xbf") if "utf-8" in encoding else content
        if encoding == "gb18030":
            content = content.removeprefix(b"\x84\x31\x95\x33")
        raw = _fed(content).split(b"\n")
        lines = [_text(line, encoding) for line in raw]
    open_end = lines[-1] != ""  # also where the last line is no text
    if not open_end:
        lines.pop()
    last = len(lines) - 1
    tidy = [
        line[:-1]
        if line is not None and line.endswith("\r") and (i < last or not open_end)
        else line
        for i, line in enumerate(lines)
    ]
    return [
        None
        if line is None or (not returns and ("\0" in line or ("\r" in line and line.strip(" \r"))))
        else line
        for line in tidy
    ]


def _text(line: bytes, encoding: str) -> str | None:
    if encoding == "gb18030" and _UTF8_IN_GB.search(line):
        return None
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None


def _wide_lines(content: bytes, encoding: str) -> list[str | None]:
    unit = 2 if encoding.startswith("utf-16") else 4
    odd = len(content) % unit
    whole = content[: len(content) - odd]
    name = encoding
    if name in ("utf-16", "utf-32"):
        marks = {b"\xfe\xff": "utf-16-be", b"\xff\xfe": "utf-16-le"}
        # Without a mark: the order in which more letters are plain ones.
        big = sum(not high for high in whole[::2]) > sum(not high for high in whole[1::2])
        unmarked = "utf-16-be" if big else "utf-16-le"
        name = marks.get(whole[:2], unmarked) if unit == 2 else name
        whole = whole[2:] if unit == 2 and whole[:2] in marks else whole
    text = whole.decode(name, errors="fuzz-half").removeprefix("\ufeff")
    text += "\ud800" if odd else ""
    text = text if "\n" in text else text.replace("\r", "\n")
    return [None if re.search("[\ud800-\udfff]", line) else line for line in text.split("\n")]


def fields_of(text: str, delimiter: str, quote: str | None) -> list[str] | None:
    """Fields of a record; None where a quotation mark stays open.

    As lenient as spreadsheets are: a mark counts at the beginning of a field alone, and what
    follows a closing mark belongs to the field.
    """
    if quote is None:
        return text.split(delimiter)
    fields, now = [], []
    inside = closed = False
    begin = True
    for sign in text:
        if inside:
            if sign == quote:
                inside, closed = False, True
            else:
                now.append(sign)
        elif closed and sign == quote:
            now.append(sign)
            inside, closed = True, False
        elif sign == delimiter:
            fields.append("".join(now))
            now, begin, closed = [], True, False
            continue
        elif begin and sign == quote:
            inside = True
        else:
            now.append(sign)
            closed = False
        begin = False
    return None if inside else [*fields, "".join(now)]


def records_of(
    lines: list[str | None], first: int, width: int, delimiter: str, quote: str | None
) -> list[Record]:
    """Records from the line ``first`` (from 1) on."""
    found = []
    at = first - 1
    while at < len(lines):
        line = lines[at]
        if line is not None and not line.strip(" \r"):
            at += 1
            continue
        taken = 1
        fields = None if line is None else fields_of(line, delimiter, quote)
        text = line or ""
        if line is not None and fields is None:
            whole = line
            for more in range(1, min(MOST_LINES, len(lines) - at)):
                following = lines[at + more]
                if following is None:
                    break
                whole += "\n" + following
                fields = fields_of(whole, delimiter, quote)
                if fields is not None:
                    if len(fields) == width:
                        taken, text = more + 1, whole
                    break
        good = fields is not None and len(fields) == width
        found.append(Record(at + 1, text, good, taken))
        at += taken
    return found


def line_records(lines: list[str | None]) -> list[Record]:
    """Each line that is not blank, a record; the unit separator is no sign of text."""
    return [
        Record(i, line or "", line is not None and "\x1f" not in line)
        for i, line in enumerate(lines, 1)
        if line is None or line.strip(" \r")
    ]


def is_json(text: str, kind: type | tuple[type, ...] = dict) -> bool:
    try:
        return isinstance(json.loads(text), kind)
    except (ValueError, RecursionError):
        return False


def _once(pairs: list[tuple]) -> dict | None:
    """An object; None for one with a key that stands twice."""
    found = dict(pairs)
    return found if len(found) == len(pairs) else None


DEEPEST = 100


def depth_of(text: str) -> int:
    """How many objects and lists stand within each other at most, up to the first broken string."""
    depth = deepest = 0
    inside = skip = False
    for sign in text:
        if skip:
            skip = False
        elif inside:
            skip, inside = sign == "\\", sign != '"'
        elif sign == '"':
            inside = True
        else:
            depth += (sign in "[{") - (sign in "]}")
            deepest = max(deepest, depth)
    return deepest


def answer_records(text: str) -> int | None:
    """How many intervals an answer of Genesys Cloud tells; None for what is no answer."""
    if depth_of(text) > DEEPEST:
        return None
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_int=str, parse_float=str)
        results = value["results"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    if not isinstance(results, list):
        return None
    count = 0
    for result in results:
        data = result.get("data") if isinstance(result, dict) else None
        count += len(data) if isinstance(data, list) and data else 1
    return count
