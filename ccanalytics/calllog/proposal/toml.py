"""A mapping as TOML text: what is sure as a line, what is not as a comment to choose from."""

from __future__ import annotations

import json
from dataclasses import dataclass

__all__ = ["Line", "rendered", "written"]

_SECTIONS = ("file", "columns", "units", "outcomes")
_WIDEST = 300


@dataclass(frozen=True)
class Line:
    """One line of a mapping; where it is not ``sure`` it is a comment."""

    section: str
    key: str
    value: object
    why: str
    sure: bool = True


def written(value: object) -> str:
    """A text or a list of texts as TOML writes it."""
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    # JSON's escapes are TOML's, but for the one control character that JSON lets stand.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else written(key)


def _comment(text: str) -> str:
    """Text from a file in one line: nothing in it can end the comment."""
    shown = "".join(letter if letter.isprintable() else "�" for letter in text)
    return "# " + (shown if len(shown) <= _WIDEST else shown[:_WIDEST] + "…")


def rendered(head: list[str], lines: tuple[Line, ...], unused: tuple[str, ...]) -> str:
    """The whole file.

    Examples
    --------
    >>> print(rendered(["Proposed"], (Line("columns", "queue", "Queue", "its name"),), ()))
    # Proposed
    <BLANKLINE>
    [columns]
    # its name
    queue = "Queue"
    <BLANKLINE>
    """
    parts = [_comment(text) for text in head]
    for section in _SECTIONS:
        within = [line for line in lines if line.section == section]
        if not within:
            continue
        parts.extend(["", f"[{section}]"])
        before = ""
        for line in within:
            if line.why != before:
                parts.append(_comment(line.why))
            before = line.why
            text = f"{_key(line.key)} = {written(line.value)}"
            # A value may be long, but holds no line end: TOML's escapes see to that.
            parts.append(text if line.sure else f"# {text}")
        if section == "columns" and unused:
            parts.append(_comment("not used: " + ", ".join(map(repr, unused))))
    return "\n".join(parts) + "\n"
