"""Service level as one object: the same definition for a log, a formula and a sentence.

The six countings that centres use, and the virtual one that only a model has, differ in what
becomes of callers who abandon. With answered *A*, of them *Aₜ* within *t* seconds, abandoned *B*,
of them *Bₜ* within *t* and *Bₛ* within the short-abandon threshold *s*:

==================  ==========================  =========================================
counting            formula                     callers who abandon …
==================  ==========================  =========================================
offered             Aₜ / (A + B)                count as failures, all of them
answered            Aₜ / A                      do not count at all
abandoned_in_time   (Aₜ + Bₜ) / (A + B)         count as served if they left within *t*
late_abandoned      Aₜ / (A + B − Bₜ)           count only if they left after *t*
short_as_served     (Aₜ + Bₛ) / (A + B)         count as served if they left within *s*
short_excluded      Aₜ / (A + B − Bₛ)           count unless they left within *s*
virtual             P(V ≤ t)                    would have waited V had they been patient
==================  ==========================  =========================================
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from ccanalytics.errors import InputError, UnsupportedError

__all__ = ["Counting", "ServiceLevel", "within_column"]

Counting = Literal[
    "offered",
    "answered",
    "abandoned_in_time",
    "late_abandoned",
    "short_as_served",
    "short_excluded",
    "virtual",
]

_NUMBERS = "give a number, such as share=0.8 or within=20"
_WORDS: dict[str, str] = {
    "offered": "answered within {t}, as a share of all offered calls",
    "answered": "answered within {t}, as a share of answered calls",
    "abandoned_in_time": "answered or abandoned within {t}, as a share of all offered calls",
    "late_abandoned": "answered within {t}, as a share of offered calls less those abandoned "
    "within {t}",
    "short_as_served": "answered within {t} or abandoned within {s}, as a share of all offered "
    "calls",
    "short_excluded": "answered within {t}, as a share of offered calls less those abandoned "
    "within {s}",
    "virtual": "that a caller of endless patience would wait no longer than {t} (a model's figure)",
}


def within_column(what: str, seconds: float) -> str:
    """Name of the column that counts calls ``answered`` or ``abandoned`` within ``seconds``.

    >>> within_column("answered", 20)
    'answered_in_20s'
    """
    return f"{what}_in_{seconds:g}s"


@dataclass(frozen=True)
class ServiceLevel:
    """A service-level goal: what share, within how many seconds, counted how.

    Parameters
    ----------
    share
        The share wanted, 0–1 (never percent).
    within
        Threshold of the wait in seconds.
    counting
        How callers who abandon are counted; see the table at the head of the module.
    short
        Short-abandon threshold in seconds. Needed, and above 0, for ``short_as_served`` and
        ``short_excluded``; other countings do not use it.
    include_blocked
        Whether calls that met a busy signal stand in the denominator. By default they do not.

    Examples
    --------
    ICMI's example: 1,000 answered, 860 of them within 20 s; 60 abandoned, 20 of them within 20 s.

    >>> goal = ServiceLevel(0.80, within=20)
    >>> round(goal.observed(answered=1000, answered_within=860, abandoned=60), 4)
    0.8113
    >>> goal.describe()
    '80% answered within 20 s, as a share of all offered calls'
    """

    share: float
    within: float
    counting: Counting = "offered"
    short: float = 0
    include_blocked: bool = False

    def __post_init__(self) -> None:
        _check_number("share", self.share)
        _check_number("within", self.within)
        _check_number("short", self.short)
        if not 0 < self.share <= 1:
            hint = f", so {self.share:g}% is {self.share / 100:g}" if self.share > 1 else ""
            raise InputError(
                "a service level is a share above 0 and at most 1",
                f"share={self.share!r}",
                f"write it as a fraction{hint}",
            )
        if not isinstance(self.include_blocked, (bool, np.bool_)):
            raise InputError(
                "include_blocked is yes or no",
                f"include_blocked={self.include_blocked!r}",
                "give True or False",
            )
        if self.within < 0:
            raise InputError(
                "the threshold of the wait cannot be negative",
                f"within={self.within!r}",
                "give seconds, 0 or more",
            )
        if self.counting not in get_args(Counting):
            raise InputError(
                "no such way to count a service level",
                f"counting={self.counting!r}",
                "choose one of " + ", ".join(get_args(Counting)),
            )
        if self.short < 0:
            raise InputError(
                "the short-abandon threshold cannot be negative",
                f"short={self.short!r}",
                "give seconds, 0 or more",
            )
        if self.counting.startswith("short_") and self.short == 0:
            raise InputError(
                f"counting {self.counting!r} needs a short-abandon threshold",
                "short=0",
                "give short in seconds, such as short=5",
            )

    def describe(self) -> str:
        """The definition in words, as it stands in reports."""
        percent = f"{100 * self.share:.10g}%"
        words = _WORDS[self.counting].format(t=f"{self.within:g} s", s=f"{self.short:g} s")
        joint = " chance " if self.counting == "virtual" else " "
        blocked = "; blocked calls count as not answered" if self.include_blocked else ""
        return f"{percent}{joint}{words}{blocked}"

    def __str__(self) -> str:
        return self.describe()

    def columns(self) -> dict[str, str]:
        """Counts this goal needs from a log: argument of :meth:`observed` → column of a roll-up.

        >>> ServiceLevel(0.8, within=20).columns()
        {'answered': 'answered', 'answered_within': 'answered_in_20s', 'abandoned': 'abandoned'}
        """
        self._refuse_virtual()
        needed = {
            "answered": "answered",
            "answered_within": within_column("answered", self.within),
        }
        if self.counting != "answered":
            needed["abandoned"] = "abandoned"
        if self.counting in ("abandoned_in_time", "late_abandoned"):
            needed["abandoned_within"] = within_column("abandoned", self.within)
        if self.counting.startswith("short_"):
            needed["abandoned_short"] = within_column("abandoned", self.short)
        if self.include_blocked:
            needed["blocked"] = "blocked"
        return needed

    def observed(
        self,
        *,
        answered: Any,
        answered_within: Any,
        abandoned: Any = 0,
        abandoned_within: Any = 0,
        abandoned_short: Any = 0,
        blocked: Any = 0,
    ) -> Any:
        """Service level from counts, or from shares of arrivals; scalars or arrays.

        Where nothing is in the denominator the service level is undefined: ``nan``.
        """
        self._refuse_virtual()
        answered, answered_within, abandoned, abandoned_within, abandoned_short, blocked = (
            np.asarray(v, dtype=float)
            for v in (
                answered,
                answered_within,
                abandoned,
                abandoned_within,
                abandoned_short,
                blocked,
            )
        )
        for part, whole, words in (
            (answered_within, answered, "answered_within, answered"),
            (abandoned_within, abandoned, "abandoned_within, abandoned"),
            (abandoned_short, abandoned, "abandoned_short, abandoned"),
            (blocked, np.inf, "blocked"),
            (abandoned, np.inf, "abandoned"),
            (answered, np.inf, "answered"),
        ):
            # Shares from a formula may differ in the last digits.
            if np.any((part < 0) | (part > whole + 1e-9 * np.maximum(whole, 1))):
                raise InputError(
                    "these counts contradict each other",
                    words,
                    "a part is 0 or more, and no more than its whole",
                )
        served, base = self.parts(
            answered=answered,
            answered_within=answered_within,
            abandoned=abandoned,
            abandoned_within=abandoned_within,
            abandoned_short=abandoned_short,
            blocked=blocked,
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            level = np.where(base > 0, served / base, np.nan)
        return float(level) if level.ndim == 0 else level

    def parts(
        self,
        *,
        answered: Any,
        answered_within: Any,
        abandoned: Any = 0,
        abandoned_within: Any = 0,
        abandoned_short: Any = 0,
        blocked: Any = 0,
    ) -> tuple[Any, Any]:
        """Numerator and denominator of the service level; sums of parts are parts of sums.

        >>> ServiceLevel(0.8, 20).parts(answered=1000, answered_within=860, abandoned=60)
        (860, 1060)
        """
        self._refuse_virtual()
        served, base = answered_within, answered + abandoned
        if self.counting == "answered":
            base = answered + 0 * abandoned
        elif self.counting == "abandoned_in_time":
            served = answered_within + abandoned_within
        elif self.counting == "late_abandoned":
            base = base - abandoned_within
        elif self.counting == "short_as_served":
            served = answered_within + abandoned_short
        elif self.counting == "short_excluded":
            base = base - abandoned_short
        if self.include_blocked:
            base = base + blocked
        return served, base

    def of(self, counts: Mapping[str, Any] | Any) -> Any:
        """Service level of a roll-up's rows (a frame or a mapping with the columns needed)."""
        names = counts.keys() if isinstance(counts, Mapping) else getattr(counts, "columns", None)
        if names is None:
            raise InputError(
                "this is neither a frame nor a mapping of counts", f"got {type(counts).__name__}"
            )
        needed = self.columns()
        missing = [column for column in needed.values() if column not in names]
        if missing:
            raise InputError(
                "these counts lack what the service level needs",
                "missing: " + ", ".join(missing),
                "ask for it by naming the goal in the roll-up: intervals(…, goals=[goal])",
            )
        return self.observed(
            **{argument: np.asarray(counts[column], float) for argument, column in needed.items()}
        )

    def _refuse_virtual(self) -> None:
        if self.counting == "virtual":
            raise UnsupportedError(
                "the virtual service level exists in models only: nobody measured how long those "
                "who hung up would have waited",
                "counting='virtual'",
                "use another counting for a log",
            )


def _check_number(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError("this must be a number", f"{name}={value!r}", _NUMBERS)
    try:
        finite = math.isfinite(value)
    except OverflowError:
        finite = False
    if not finite:
        raise InputError("this must be a finite number", f"{name}={str(value)[:20]}", _NUMBERS)
