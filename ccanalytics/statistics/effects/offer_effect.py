"""What an offer did: to all who were assigned, and to those who took it up because of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ccanalytics.results import Estimate, Result
from ccanalytics.statistics.effects.effect import Grade, signed
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["OfferEffect"]


@dataclass(frozen=True, eq=False, kw_only=True)
class OfferEffect(Result):
    """What an offer did to calls, by comparing those whom a lot chose with those it did not.

    Attributes
    ----------
    name, unit, word, design
        What was offered, to whom (``customer``), what that made them (``assigned``, ``invited``),
        and how: ``randomised`` or ``encouraged``.
    assigned, controls, subjects, strata
        Rows of those assigned and of controls, different subjects among them, and strata.
    control_mean
        Calls per subject that those assigned would have made (per call before, where counts are
        measured in calls before).
    change
        Intention to treat: calls per assigned less those without the assignment.
    relative
        The same as a share of ``control_mean``: −0.08 is 8% fewer.
    removed
        Calls that all those assigned would have made, less those that they did.
    take_up
        Share who took it up because they were assigned (the first stage); None: not known.
    f_statistic
        Of the first stage; below 10 the assignment is a weak instrument.
    complier, complier_relative
        The effect on those who took it up because they were assigned, calls each and as a share
        of what they would have made: two-stage least squares with the limits of Anderson and
        Rubin; None where these have no end, or take-up is not known.
    errors
        Standard errors by name: change, relative (of its logarithm), take_up, complier,
        complier_relative.
    p_value
        Chance of so large a change if the lot had done nothing, by drawing the lot anew.
    detectable
        The smallest share that data like these would show four times in five.
    tightened
        Share of the variance that the calls before take out.
    placebo
        The same estimate for calls before anybody was assigned.
    by_stratum
        Per stratum: assigned, controls, control_mean, relative with limits, take_up.
    grade, reason
        How far to trust it, and why no further.
    degrees
        Degrees of freedom of the limits.
    method
        In words.
    """

    name: str
    unit: str
    word: str
    design: str
    assigned: int
    controls: int
    subjects: int
    strata: int
    control_mean: Estimate
    change: Estimate
    relative: Estimate
    removed: Estimate
    take_up: Estimate | None
    f_statistic: float | None
    complier: Estimate | None
    complier_relative: Estimate | None
    errors: dict[str, float]
    p_value: float
    detectable: float
    tightened: float
    placebo: Estimate | None
    by_stratum: pl.DataFrame
    grade: Grade
    reason: str
    degrees: float
    method: str

    def headline(self) -> str:
        """Give the answer alone, in one or two sentences."""
        return f"{self._all()} {self._takers()}".strip()

    def summary(self) -> str:
        """Give the answer, its grade with the reason, and the method."""
        return f"{self.headline()} Grade: {self.grade}, since {self.reason}. {self.method}"

    def _all(self) -> str:
        level = f"{100 * self.relative.level:g}% interval"
        limits = f"{signed(self.relative.low)} to {signed(self.relative.high)}"
        fewer = "fewer" if self.relative.value <= 0 else "more"
        if not self.relative.excludes_zero:
            return (
                f"{self.name}: no change of calls that the data can show among all "
                f"{self.unit}s {self.word}; {abs(self.relative.value):.1%} {fewer} is the "
                f"estimate, and anything from {limits} fits ({level})."
            )
        return (
            f"{self.name}: {abs(self.relative.value):.1%} {fewer} calls of all {self.unit}s "
            f"{self.word}, whether or not they took it up ({level} {limits})."
        )

    def _takers(self) -> str:
        if self.take_up is None:
            return "Who took it up is not known."
        share = f"{self.take_up.value:.1%} took it up because of it"
        if self.complier_relative is None:
            return f"{share}, too few to say what it did to these."
        c = self.complier_relative
        fewer = "fewer" if c.value <= 0 else "more"
        if not c.excludes_zero:
            return (
                f"{share}; no change that the data can show in these: {abs(c.value):.1%} "
                f"{fewer} is the estimate ({signed(c.low)} to {signed(c.high)})."
            )
        return (
            f"{share}; these called {abs(c.value):.1%} {fewer} "
            f"({signed(c.low)} to {signed(c.high)})."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the answer as a row per group.

        Columns: ``about`` (all assigned, those who took it up because of it, and calls before
        anybody was assigned), ``relative`` and ``calls_each`` (the change per subject, or per call
        before) with limits.
        """
        import polars as pl

        rows = [
            (f"all {self.word}", self.relative, self.change),
            ("took it up because of it", self.complier_relative, self.complier),
            (f"before anybody was {self.word} (placebo)", self.placebo, None),
        ]
        columns = [f"{name}{end}" for name in ("relative", "calls_each") for end in _ENDS]
        return pl.DataFrame(
            [
                (about, *_ends(relative), *_ends(each))
                for about, relative, each in rows
                if relative is not None
            ],
            schema={"about": pl.String, **dict.fromkeys(columns, pl.Float64)},
            orient="row",
        )

    def counts(self) -> str:
        """Say in words what it rests on."""
        return (
            f"{counted(self.assigned, self.unit)} {self.word}, {self.controls:,} as control, in "
            f"{counted(self.strata, 'stratum', 'strata')}"
        )


_ENDS = ("", "_low", "_high")


def _ends(estimate: Estimate | None) -> tuple[float | None, ...]:
    return (None,) * 3 if estimate is None else (estimate.value, estimate.low, estimate.high)
