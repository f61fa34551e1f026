"""Shrinkage by named components, each with the base that its share is taken of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ccanalytics.errors import InputError
from ccanalytics.staffing._seats import check_share

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

__all__ = ["Shrinkage", "read_shrinkage", "shrinkage_share"]

Base = Literal["paid", "remaining"]


@dataclass(frozen=True, eq=False)
class Shrinkage:
    """Paid time in which agents are not there to take calls, component by component.

    With shares p₁ … of paid time and r₁ … of what then remains, the whole is

        s = 1 − (1 − Σ pᵢ)·Π (1 − rⱼ).

    Shares of paid time add, shares of what remains compound. Scheduled = seated/(1 − s).

    Parameters
    ----------
    paid
        Component → its share of paid time, 0–1.
    remaining
        Component → its share of the time that the others leave, 0–1.

    Raises
    ------
    InputError
        A percent where a share belongs, a component named twice, or nothing left to work.

    Examples
    --------
    >>> round(Shrinkage(paid={"breaks": 0.10, "leave": 0.20}).share, 12)
    0.3
    >>> round(Shrinkage(remaining={"breaks": 0.10, "leave": 0.20}).share, 12)
    0.28
    """

    paid: Mapping[str, float] | None = None
    remaining: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        for base in ("paid", "remaining"):
            given = getattr(self, base)
            if given is None:
                continue
            if not hasattr(given, "items"):
                raise InputError(
                    "components are named, each with its share",
                    f"{base}={given!r}",
                    f'such as {base}={{"breaks": 0.1}}',
                )
            for name, share in given.items():
                check_share(f"{base}[{name!r}]", share, low=0, allow_one=False)
        twice = set(self.paid or {}) & set(self.remaining or {})
        if twice:
            raise InputError(
                "a component has one base", f"{min(twice)!r} stands under both", "choose one"
            )
        if sum((self.paid or {}).values()) >= 1:
            raise InputError(
                "the components leave no time to take calls",
                f"shares of paid time sum to {sum((self.paid or {}).values()):.3g}",
                "check which of them overlap",
            )

    @property
    def share(self) -> float:
        """Of paid time, all components together."""
        left = 1 - sum((self.paid or {}).values())
        for share in (self.remaining or {}).values():
            left *= 1 - share
        return 1 - left

    def describe(self) -> str:
        """In words, each component with its base.

        >>> Shrinkage(paid={"leave": 0.1}, remaining={"breaks": 0.05}).describe()
        '14.5% shrinkage: leave 10% of paid time, breaks 5% of what remains'
        """
        parts = [
            f"{name} {share * 100:.3g}% of {words}"
            for given, words in ((self.paid, "paid time"), (self.remaining, "what remains"))
            for name, share in (given or {}).items()
        ]
        return f"{self.share * 100:.3g}% shrinkage" + (": " + ", ".join(parts) if parts else "")

    def to_frame(self) -> pl.DataFrame:
        """One row per component: component, base, share."""
        import polars as pl

        rows = [(name, base, float(share)) for base in ("paid", "remaining")
                for name, share in (getattr(self, base) or {}).items()]  # fmt: skip
        schema = {"component": pl.String, "base": pl.String, "share": pl.Float64}
        return pl.DataFrame(rows, schema=schema, orient="row")


def shrinkage_share(value: Any) -> float:
    """The whole share of a number or of components."""
    if isinstance(value, Shrinkage):
        return value.share
    check_share("shrinkage", value, low=0, allow_one=False)
    return float(value)


_PART = re.compile(
    r"(?P<name>.*?\S)\s+(?P<number>\d+(?:\.\d+)?|\.\d+)\s*(?P<percent>%?)\s*"
    r"(?:of\s+)?(?P<base>paid|remaining)?",
    re.IGNORECASE,
)
_HOW = 'write "0.3", "30%", or components such as "breaks 10% paid, training 5% remaining"'


def read_shrinkage(text: Any) -> float | Shrinkage:
    """Read shrinkage from text: a share, a percentage, or named components with their base.

    A component is its name, its share (``10%`` or ``0.1``) and its base: ``paid`` for a share of
    paid time, ``remaining`` for one of what the others leave. Components are parted by commas.

    Raises
    ------
    InputError
        Text of another form, a component without its base, or shares that leave no time.

    Examples
    --------
    >>> read_shrinkage("30%"), read_shrinkage("0.3"), read_shrinkage(0.3)
    (0.3, 0.3, 0.3)
    >>> round(read_shrinkage("breaks 10% paid, leave 20% remaining").share, 12)
    0.28
    """
    if isinstance(text, Shrinkage):
        return text
    if not isinstance(text, str):
        return shrinkage_share(text)
    words = text.strip()
    number = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(%?)", words)
    if number:
        return shrinkage_share(_share(number[1], number[2]))
    given: dict[str, dict[str, float]] = {"paid": {}, "remaining": {}}
    for part in re.split(r"[,;]", words):
        found = _PART.fullmatch(part.strip())
        if found is None:
            raise InputError("this is no component of shrinkage", repr(part.strip()), _HOW)
        if found["base"] is None:
            raise InputError(
                "a component needs its base",
                repr(part.strip()),
                'add "paid" (share of paid time) or "remaining" (share of what the others leave)',
            )
        name = found["name"]
        if any(name in each for each in given.values()):
            raise InputError("a component stands twice", repr(name), "give it once")
        given[found["base"].lower()][name] = _share(found["number"], found["percent"])
    return Shrinkage(**given)


def _share(number: str, percent: str) -> float:
    # 28% is 0.28, not 28 × 0.01 = 0.28000000000000003.
    return float(number) / 100 if percent else float(number)
