"""Sampling plans: how many reviews, and how many errors to accept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Result
from ccanalytics.statistics.checking import check_level, normal_quantile

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "SamplingPlan",
    "acceptance",
    "plan_for_risks",
    "reviews_for_width",
    "sampling_plan",
]

_MOST = 1_000_000
_POINTS = 101


@dataclass(frozen=True, eq=False, kw_only=True)
class SamplingPlan(Result):
    """So many reviews, and the most wrong ones at which the work passes.

    Attributes
    ----------
    n, accept
        Calls reviewed, and the most wrong ones at which the work passes.
    curve
        One row per share: ``defects``, ``passes`` (chance 0–1).
    """

    n: int
    accept: int
    curve: pl.DataFrame

    def acceptance(self, defects: Any) -> Any:
        """Give the chance that work with such a share of errors passes."""
        return acceptance(self.n, self.accept, defects)

    def share_at(self, chance: float) -> float:
        """Give the share of errors with which work passes with this chance."""
        from scipy.special import betaincinv

        if self.accept == self.n:
            return 1.0
        # P(X ≤ c) = 1 − I_p(c + 1, n − c).
        return float(betaincinv(self.accept + 1, self.n - self.accept, 1 - chance))

    def headline(self) -> str:
        """Say the plan, and what it lets pass."""
        errors = f"{self.accept} of them wrong" if self.accept else "none of them wrong"
        most = "at most " if self.accept else ""
        return (
            f"Review {self.n:,} calls and pass the work with {most}{errors}: work with "
            f"{self.share_at(0.95):.1%} wrong passes 19 times in 20, work with "
            f"{self.share_at(0.10):.1%} once in 10."
        )

    def summary(self) -> str:
        """Give the plan, and what passing means."""
        return (
            f"{self.headline()} Calls are drawn at random from many (binomial). To pass is not to "
            "be free of errors: it means that as few were found as good work would show."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the curve."""
        return self.curve


def sampling_plan(n: int, accept: int) -> SamplingPlan:
    """Judge a sampling plan: how likely work passes, whatever share of it is wrong.

    Parameters
    ----------
    n, accept
        As :func:`acceptance` takes them; :func:`plan_for_risks` finds them.

    Examples
    --------
    >>> plan = sampling_plan(80, 2)
    >>> round(plan.acceptance(0.05), 4), round(plan.share_at(0.2306), 3)
    (0.2306, 0.05)
    """
    import polars as pl

    acceptance(n, accept, 0.5)
    plan = SamplingPlan(inputs={"n": n, "accept": accept}, n=n, accept=accept, curve=pl.DataFrame())
    upto = plan.share_at(0.005) if accept < n else 1.0
    defects = np.linspace(0, upto, _POINTS)
    curve = pl.DataFrame({"defects": defects, "passes": acceptance(n, accept, defects)})
    return SamplingPlan(inputs=plan.inputs, n=n, accept=accept, curve=curve)


def acceptance(n: int, accept: int, defects: Any) -> Any:
    """Give the chance that a sample passes: at most ``accept`` of ``n`` reviewed calls are wrong.

    P = Σ_{k ≤ c} C(n, k)·pᵏ·(1 − p)ⁿ⁻ᵏ, of calls drawn from many.

    Parameters
    ----------
    n
        Calls reviewed.
    accept
        c, the most wrong ones at which the sample passes.
    defects
        p, share of calls that are wrong, 0–1; scalar or array.

    Returns
    -------
    float or array
        Chance 0–1.

    Raises
    ------
    InputError
        Numbers that are not whole, more accepted than reviewed, shares outside 0–1.

    References
    ----------
    Dodge & Romig (1959), Sampling inspection tables.

    Examples
    --------
    >>> [round(float(p), 4) for p in acceptance(80, 2, [0.01, 0.02, 0.05, 0.08])]
    [0.9534, 0.7844, 0.2306, 0.0404]
    """
    from scipy.stats import binom

    n, c = _whole("n", n, 1), _whole("accept", accept, 0)
    if c > n:
        raise InputError("no more can be wrong than are reviewed", f"accept={c}, n={n}", "")
    p = np.asarray(defects, float)
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError("a share of defects lies between 0 and 1", f"defects={defects!r}"[:60])
    chance = binom.cdf(c, n, p)
    return float(chance) if np.ndim(chance) == 0 else chance


def reviews_for_width(half_width: float, share: float = 0.5, level: float = 0.95) -> int:
    """Give the fewest reviews whose Wilson interval reaches at most so far to either side.

    Half of its width is z·√(p(1 − p)/n + z²/4n²)/(1 + z²/n).

    Parameters
    ----------
    half_width
        Share, such as 0.05 for ±5 points.
    share
        The share that is expected; 0.5 is the worst case.
    level
        Of the interval.

    Examples
    --------
    >>> reviews_for_width(0.098), reviews_for_width(0.05, 0.1)
    (97, 141)
    """
    level = check_level(level)
    w, p = _share("half_width", half_width), _share("share", share, ends=True)
    z = normal_quantile(level)

    def half(n: int) -> float:
        return z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)

    n = 1
    while half(n) > w:
        n *= 2
        if n > 2**40:
            raise DataError("no sample is large enough for this", f"half_width={w:g}", "widen it")
    low, high = n // 2, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if half(middle) <= w else (middle, high)
    return high


def plan_for_risks(
    good: float, bad: float, *, producer: float = 0.05, consumer: float = 0.10
) -> tuple[int, int]:
    """Give the smallest plan (n, accept) that keeps both risks.

    Work of which a share ``good`` is wrong fails with a chance of at most ``producer``; work of
    which ``bad`` is wrong passes with at most ``consumer``.

    Raises
    ------
    InputError
        Shares and risks outside 0–1, or ``bad`` not above ``good``.
    DataError
        No plan of up to a million reviews does it.

    Examples
    --------
    >>> n, accept = plan_for_risks(0.01, 0.08)
    >>> n, accept, acceptance(n, accept, 0.01) >= 0.95, acceptance(n, accept, 0.08) <= 0.10
    (65, 2, True, True)
    """
    from scipy.stats import binom, nbinom

    good, bad = _share("good", good), _share("bad", bad)
    producer, consumer = _share("producer", producer), _share("consumer", consumer)
    if bad <= good:
        raise InputError("bad work has more errors than good work", f"good={good}, bad={bad}", "")
    for begin, end in ((0, 64), (64, 1024), (1024, 65_536)):
        c = np.arange(begin, end)
        # At most c errors in n ⇔ error number c + 1 comes after n: the fewest n strict enough.
        n = nbinom.ppf(1 - consumer, c + 1, bad) + c + 1
        kept = (binom.cdf(c, n, good) >= 1 - producer) & (n <= _MOST)
        if kept.any():
            first = int(np.argmax(kept))
            return int(n[first]), int(c[first])
    raise DataError(
        "no plan tells such work apart", f"good={good:g}, bad={bad:g}", "set them further apart"
    )


def _whole(name: str, value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(f"this must be a whole number, {least} or more", f"{name}={value!r}")
    return int(value)


def _share(name: str, value: object, *, ends: bool = False) -> float:
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not (0 <= float(value) <= 1 if ends else 0 < float(value) < 1):  # type: ignore[arg-type]
        raise InputError(
            "this must be a share between 0 and 1", f"{name}={value!r}", "such as 0.05"
        )
    return float(value)  # type: ignore[arg-type]
