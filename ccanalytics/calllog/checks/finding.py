"""A finding: what one check saw, how much of it, what follows, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ccanalytics.results import Check, Status
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["EXAMPLES", "TOPICS", "Finding", "clean", "examples", "judged", "listed", "share"]

EXAMPLES = 5
# A fault in fewer rows than this share of its base informs; from here on it fails.
TOLERANCE = 0.001
_LONGEST = 60
_PEOPLE = ("customer",)
# Seven digits or more that stand alone, or ten and more anywhere, could be a telephone number.
_NUMBER = re.compile(r"(?<![A-Za-z0-9])\d{7,}(?![A-Za-z0-9])|\d{10,}")

# What the questions of notebooks rest on. A check names the topics it touches, a notebook those
# it needs.
TOPICS: dict[str, str] = {
    "volume": "how many calls come when",
    "wait": "waits and service level",
    "handle": "handle time",
    "customer": "who called again",
    "service": "what calls are about",
    "agent": "figures by agent",
    "self_service": "contacts with other channels",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    name
        The topic, in words that suit either verdict.
    verdict
        ``holds``, ``fails`` (enough rows to move a figure) or ``informs``.
    detail
        The finding in words.
    count, base, of
        How many, of how many, and of what (``answered calls``).
    examples
        Up to five rows; customers appear as letters, never by their number.
    consequences
        Topic of :data:`TOPICS` → what it does to figures of that topic.
    remedy
        What to do about it.
    care
        Whether answers on those topics need care; by default when it fails.
    blocks
        Topics that cannot be answered at all.
    """

    name: str
    verdict: Status
    detail: str
    count: int = 0
    base: int = 0
    of: str = ""
    examples: tuple[Mapping[str, str], ...] = ()
    consequences: Mapping[str, str] = field(default_factory=dict)
    remedy: str = ""
    care: bool = False
    blocks: frozenset[str] = frozenset()

    @property
    def needs_care(self) -> bool:
        """Whether an answer on its topics needs care."""
        return self.care or self.verdict == "fails"

    def as_check(self) -> Check:
        """The same as a doubt that travels with an answer."""
        return Check(self.name, self.verdict, self.detail)


def judged(
    name: str,
    count: int,
    base: int,
    of: str,
    *,
    seen: str,
    rows: Iterable[Mapping[str, Any]] = (),
    consequences: Mapping[str, str] | None = None,
    remedy: str = "",
    tolerance: float = TOLERANCE,
    more: str = "",
) -> Finding:
    """A finding about rows that should not be there: none holds, few inform, many fail.

    ``seen`` says what the rows are, as in "3 of 1,200 calls *were answered before they came in*".
    """
    if not count:
        detail = f"none of {_amount(base, of)}" if base else f"there is no {of}"
        return Finding(name=name, verdict="holds", detail=detail, base=base, of=of)
    part = f" ({share(count, base)})" if base else ""
    return Finding(
        name=name,
        verdict="fails" if count >= tolerance * base else "informs",
        detail=f"{count:,} of {_amount(base, of)}{part} {seen}" + (f"; {more}" if more else ""),
        count=count,
        base=base,
        of=of,
        examples=examples(rows),
        consequences=consequences or {},
        remedy=remedy,
    )


def _amount(number: int, of: str) -> str:
    """A number of "answered call with a talk time": the noun, not its tail, takes the plural."""
    head, joint, tail = re.match(r"(.*?)( (?:with|of|on|that|in) |$)(.*)", of).groups()  # type: ignore[union-attr]
    return counted(number, head) + joint + tail


def share(count: float, base: float) -> str:
    """A share in percent with as many places as it needs to differ from 0 and from 100%."""
    percent = 100 * count / base if base else 0.0
    for places in (0, 1, 2):
        text = f"{percent:.{places}f}"
        if (percent >= 10 or float(text) >= 10**-places) and (count == base or text[:3] != "100"):
            return f"{text}%"
    return "under 0.01%" if percent < 50 else "over 99.99%"


def clean(value: object) -> str:
    """A text from a log for people's eyes: one short line, without control characters.

    A run of digits that could be a telephone number keeps its ends only.
    """
    text = "".join(c if c.isprintable() else "·" for c in str(value))
    text = _NUMBER.sub(lambda run: f"{run[0][:3]}…{run[0][-2:]}", text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def examples(rows: Iterable[Mapping[str, Any]]) -> tuple[dict[str, str], ...]:
    """The first few rows, fit to be shown: the same customer has the same letter."""
    letters: dict[str, str] = {}
    shown = []
    for row in list(rows)[:EXAMPLES]:
        one = {}
        for name, value in row.items():
            if value is None:
                one[name] = "–"
            elif name in _PEOPLE:
                one[name] = letters.setdefault(str(value), chr(ord("A") + len(letters)))
            elif isinstance(value, float):
                one[name] = f"{value:,.1f}".removesuffix(".0")
            else:
                one[name] = clean(value)
        shown.append(one)
    return tuple(shown)


def listed(items: Iterable[object], most: int = 5) -> str:
    """A few items by name, and that there are more."""
    texts = [clean(item) for item in items]
    return ", ".join(texts[:most]) + (
        f" and {len(texts) - most:,} more" if len(texts) > most else ""
    )
