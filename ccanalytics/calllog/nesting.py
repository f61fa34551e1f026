"""How deeply a JSON text is nested, told before any parser has to go there."""

from __future__ import annotations

import re

__all__ = ["DEEPEST", "TOO_DEEP", "too_deep"]

# No export comes near it, and every parser that reads one gets along with it.
DEEPEST = 100
TOO_DEEP = "JSON nested too deeply"
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[{\]}]', re.DOTALL)


def too_deep(text: str) -> bool:
    """Whether objects and lists stand within each other more than :data:`DEEPEST` times.

    Examples
    --------
    >>> too_deep("[" * 101 + "]" * 101), too_deep('{"a": [[1], "[["]}')
    (True, False)
    """
    if text.count("{") + text.count("[") <= DEEPEST:
        return False
    depth = 0
    for mark in _MARKS.finditer(text):
        sign = mark[0]
        if sign in "[{":
            depth += 1
            if depth > DEEPEST:
                return True
        elif sign in "]}":
            depth -= 1
    return False
