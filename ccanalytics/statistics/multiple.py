"""Many estimates at once: how many would show a change by chance, and which stand out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.statistics.checking import check_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ccanalytics.results import Estimate

__all__ = ["Several", "holm", "p_value", "several"]


@dataclass(frozen=True)
class Several:
    """What many tests say together.

    Attributes
    ----------
    tried
        Number of tests.
    shown
        How many, taken one by one, leave 0 out of their interval.
    expected
        How many of ``tried`` chance alone would show: tried × (1 − level).
    by_chance
        Chance of ``shown`` or more if nothing changed anywhere: the binomial tail, which takes
        the tests as independent.
    stands_out
        Per test, whether it remains once all are looked at together: Benjamini and Hochberg's
        procedure at a false discovery rate of 1 − level.
    level
        Of the single intervals, 0–1.
    """

    tried: int
    shown: int
    expected: float
    by_chance: float
    stands_out: tuple[bool, ...]
    level: float

    @property
    def standing(self) -> int:
        """How many stand out."""
        return sum(self.stands_out)

    def in_words(self) -> str:
        """Say in a sentence or two what is chance and what is not."""
        verb = "shows" if self.shown == 1 else "show"
        text = f"One by one, {self.shown} of {self.tried} {verb} a change"
        if self.shown:
            text += (
                f", where chance alone would show about {self.expected:.1f} ({self.shown} or more "
                f"in {_percent(self.by_chance)} of cases)"
            )
        else:
            text += f", where chance alone would show about {self.expected:.1f}"
        none = "none stands out"
        left = none if not self.standing else f"{self.standing} stand{_s(self.standing)} out"
        text += (
            f". All looked at together, {left} (Benjamini–Hochberg, false discovery rate "
            f"{100 * (1 - self.level):.3g}%)"
        )
        if self.standing or not self.shown:
            return f"{text}."
        if self.by_chance > 1 - self.level:
            return f"{text}: no more than chance would make."
        return f"{text}: more than chance would make, but no single one can be named."


def p_value(change: Estimate, degrees: float) -> float:
    """Give the two-sided p-value of "no change" that belongs to an interval of a relative change.

    The interval is Student's on the scale of logs: ln(1 + change) ∓ t·error.

    Examples
    --------
    >>> from ccanalytics.results import Estimate
    >>> round(p_value(Estimate(-0.05, -0.0975, 0.0), 30), 4)
    0.05
    """
    from scipy.special import stdtr, stdtrit

    value, low, high = np.log1p([change.value, change.low, change.high])
    error = (high - low) / 2 / stdtrit(degrees, 0.5 + change.level / 2)
    if error == 0:
        return 1.0 if value == 0 else 0.0
    return float(2 * stdtr(degrees, -abs(value) / error))


def several(p_values: Sequence[float], level: float = 0.95) -> Several:
    """Look at many tests together.

    Parameters
    ----------
    p_values
        One per test, 0–1.
    level
        Of the single intervals; 1 − level is the false discovery rate.

    Raises
    ------
    InputError
        A p-value that is not between 0 and 1.

    References
    ----------
    Benjamini & Hochberg (1995), Controlling the false discovery rate, Journal of the Royal
    Statistical Society B 57, 289–300.

    Examples
    --------
    >>> found = several([0.001, 0.03, 0.04, 0.5, 0.9])
    >>> found.shown, found.stands_out
    (3, (True, False, False, False, False))
    """
    from scipy.stats import binom, false_discovery_control

    rate = 1 - check_level(level)
    p = np.asarray(p_values, dtype=float)
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError("a p-value lies between 0 and 1", f"p_values={p_values!r}"[:80], "")
    shown = int((p < rate).sum())
    adjusted = false_discovery_control(p) if p.size else p
    return Several(
        tried=p.size,
        shown=shown,
        expected=p.size * rate,
        by_chance=float(binom.sf(shown - 1, p.size, rate)) if p.size else 1.0,
        stands_out=tuple((adjusted <= rate).tolist()),
        level=level,
    )


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "fewer than 1%"


def _s(count: int) -> str:
    return "s" if count == 1 else ""


def holm(p: NDArray[np.float64], rate: float) -> NDArray[np.bool_]:
    """Tell which remain: the k-th smallest (from 0) while p ≤ rate/(m − k) for it and all below it.

    >>> holm(np.array([0.01, 0.5, 0.02]), 0.05).tolist()
    [True, False, True]
    """
    order = np.argsort(p)
    kept = np.logical_and.accumulate(p[order] <= rate / (p.size - np.arange(p.size)))
    out = np.zeros(p.size, bool)
    out[order] = kept
    return out
