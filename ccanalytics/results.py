"""What an answer is: a frozen value that carries its inputs, its doubts and its words."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

__all__ = ["Check", "Estimate", "Result"]

Status = Literal["holds", "fails", "informs"]
_MARKS: dict[str, str] = {"holds": "✓", "fails": "✗", "informs": "i"}


@dataclass(frozen=True)
class Estimate:
    """An uncertain number with its limits: the interval that covers at ``level``.

    >>> print(Estimate(0.812, 0.79, 0.83))
    0.812 (95% interval 0.79 to 0.83)
    """

    value: float
    low: float
    high: float
    level: float = 0.95

    def __str__(self) -> str:
        return self.format("{:.4g}")

    def format(self, number: str) -> str:
        """In words, each number written by a format such as ``"{:.1%}"``."""
        low, high = number.format(self.low), number.format(self.high)
        return f"{number.format(self.value)} ({100 * self.level:g}% interval {low} to {high})"

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside the limits."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Check:
    """A doubt that travels with an answer: it holds, it fails, or it only informs.

    ``name`` is the topic, in words that suit either outcome ("Differences between days", never
    "Volumes are known"); ``detail`` is the finding.

    >>> print(Check("differences between days", "fails", "Mondays differ by half"))
    ✗ Differences between days: Mondays differ by half
    """

    name: str
    status: Status
    detail: str

    @property
    def mark(self) -> str:
        """The sign that stands before it: ✓, ✗ or i."""
        return _MARKS[self.status]

    @property
    def title(self) -> str:
        """The name as a heading, its first letter a capital unless it is the name of a column."""
        first = self.name.split(" ", 1)[0]
        return self.name if "_" in first else self.name[:1].upper() + self.name[1:]

    def __str__(self) -> str:
        return f"{self.mark} {self.title}: {self.detail}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """Base of every answer that is more than a bare number.

    Attributes
    ----------
    inputs
        What was asked, defaults filled in.
    checks
        Doubts: assumptions that hold or fail, and remarks.
    """

    inputs: Mapping[str, Any]
    checks: tuple[Check, ...] = ()

    def summary(self) -> str:
        """Two or three sentences that give the answer, the method and the definition."""
        raise NotImplementedError

    def to_frame(self) -> pl.DataFrame:
        """The answer as a polars frame, one row per item, columns named by the vocabulary."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        doubts = "".join(
            # Sign and colon are text, not style: they survive copying and plain notebooks.
            f'<li class="check {check.status}"><span class="sign">{check.mark}</span> '
            f"<b>{escape(check.title)}:</b> {escape(check.detail)}</li>"
            for check in self.checks
        )
        return (
            f'<div class="result"><p class="answer">{escape(self.summary())}</p>'
            + (f'<ul class="checks" style="list-style:none">{doubts}</ul>' if doubts else "")
            + "</div>"
        )
