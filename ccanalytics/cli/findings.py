"""The report of a log's checks as lines of a terminal: headline first, doubts before the rest."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ccanalytics.calllog.checks import Finding, LogCheck

__all__ = ["told"]

_WIDTH = 96


def told(found: LogCheck) -> str:
    """All of a log's report as text."""
    if not found.rows["calls"]:
        return found.holds()
    lines = [*_wrapped(found.headline()), "", *_wrapped(found.holds()), ""]
    for title, verdict in (("Fails", "fails"), ("To know", "informs")):
        group = [f for f in found.findings if f.verdict == verdict]
        if group:
            lines += [title, *(line for one in group for line in _lines(found, one)), ""]
    holding = [f.as_check() for f in found.findings if f.verdict == "holds"]
    if holding:
        lines += ["Holds", *(line for one in holding for line in _wrapped(str(one), 2, 4))]
    return "\n".join(lines).rstrip()


def _lines(found: LogCheck, one: Finding) -> list[str]:
    lines = _wrapped(str(one.as_check()), 2, 4)
    # What only informs and touches no figure is a line.
    if not one.needs_care and not one.examples:
        return lines
    touched: dict[str, list[str]] = {}
    for use, why in found.touched(one).items():
        touched.setdefault(why, []).append(use.replace("_", " "))
    for why, uses in touched.items():
        lines += _wrapped(f"{', '.join(uses)}: {why}.", 4, 8)
    for row in one.examples[: 3 if one.needs_care else 1]:
        words = ", ".join(f"{name} {value}" for name, value in row.items() if value != "–")
        lines += _wrapped(f"e.g. {words}", 4, 9)
    if one.remedy:
        lines += _wrapped(f"Do: {one.remedy}.", 4, 8)
    return lines


def _wrapped(text: str, first: int = 0, then: int = 0) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=" " * first,
        subsequent_indent=" " * then,
        break_on_hyphens=False,
    )
