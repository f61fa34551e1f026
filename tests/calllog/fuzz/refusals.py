"""When a whole file may be refused: the list in data/README.md, and what excuses each cause."""

import json
import re
from functools import cache
from pathlib import Path

from . import counting
from .cases import Case

README = Path(__file__).parents[3] / "data" / "README.md"
_HEADING = "## When a whole file is refused"


@cache
def causes() -> dict[str, str]:
    """The causes in the documentation, ``…`` for what varies, and what it says of each."""
    text = README.read_text(encoding="utf-8").split(_HEADING, 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    return {what: when for what, when in rows if what not in ("cause", "---") and "---" not in what}


def pattern(what: str) -> re.Pattern[str]:
    """What fits a cause of the documentation."""
    return re.compile(".*".join(map(re.escape, what.split("…"))), re.DOTALL)


def listed(told: str) -> str | None:
    """The cause of the documentation that a refusal has."""
    fits = [what for what in causes() if pattern(what).fullmatch(told)]
    return max(fits, key=len, default=None)


def excused(case: Case, told: str, base) -> bool:
    """Whether the mutation is reason enough to refuse the file for that cause."""
    if case.seed.binary:
        return _binary(case, told)
    if case.content is None:
        return True  # what comes out before the damage is noticed may look like anything
    if "of kind" in told:
        return not case.content[:16].decode("latin-1").isprintable() or case.packing == "plain"
    if "compressed file" in told or "archive" in told:
        return False
    if "longer than 4 MiB" in told:
        return max(map(len, case.content.split(b"\n"))) > 4 << 20
    encoding = case.options.get("encoding") or (
        "utf-8" if case.encoding == "utf-8-sig" else case.encoding
    )
    lines = counting.lines_of(case.content, encoding)
    filled = [line for line in lines if line is None or line.strip(" \t\r\x0b\x0c")]
    if "cut off in the middle of its last line" in told:
        return not case.allow_cut and (
            counting.ends_open(case.content, encoding) or case.much_touched
        )
    if "is empty" in told:
        return not filled
    if "the bytes of the file are not" in told:
        return case.much_touched
    if "first line is not text" in told:
        return not filled or filled[0] is None or case.much_touched
    if "JSON document is broken" in told or "what is no text" in told:
        start = (filled[0] or "").lstrip() if filled else ""
        return case.seed.kind == "document" or not _whole_json(lines, start)
    if case.seed.header and case.seed.kind == "delimited":
        first = filled[0] if filled else None
        return first != case.seed.text.split("\n", 1)[0] or case.much_touched
    # A file without a header: none of its records may be left whole.
    return not set(base.rows) & {line for line in filled if line} or case.much_touched


def _whole_json(lines: list[str | None], start: str) -> bool:
    text = "\n".join(line or "" for line in lines)
    try:
        json.loads(text if start.startswith("[") else f"[{text}]")
    except (ValueError, RecursionError):
        return False
    return True


def _binary(case: Case, told: str) -> bool:
    if case.cells is None:
        return True
    names = [name.strip() for name in case.cells[0]]
    before = case.seed.text.split("\n", 1)[0].split(",")
    filled = [row for row in case.cells if any(cell.strip() for cell in row)]
    return names != before or not filled or "empty" in told
