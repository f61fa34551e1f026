"""An effect: what a change did to a count, by which design, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ccanalytics.results import Estimate, Result
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl

__all__ = ["Effect", "Grade", "Placebo", "SeriesEffect", "in_words", "signed"]

Grade = Literal["strong", "moderate", "weak"]


@dataclass(frozen=True)
class Placebo:
    """The same estimate at a date when nothing happened: its interval should hold 0."""

    on: dt.date
    relative: Estimate


@dataclass(frozen=True, eq=False, kw_only=True)
class Effect(Result):
    """What a change did to a weekly count: what every design answers.

    Attributes
    ----------
    design, grade, reason
        How it was estimated, how far to trust it, and why no further.
    relative
        Mean change over the weeks after, as a share of what would have come: −0.08 is 8% fewer.
    removed_per_week
        Calls that would have come less those that did, a week, over the weeks after.
    degrees
        Degrees of freedom of the intervals.
    method
        The model and its errors, in words.
    """

    design: str
    grade: Grade
    reason: str
    relative: Estimate
    removed_per_week: Estimate
    degrees: float
    method: str

    def headline(self) -> str:
        """Give the answer alone, in one sentence."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, kw_only=True)
class SeriesEffect(Effect):
    """What a change did to one weekly series that has no control.

    Attributes
    ----------
    unit
        What was treated, as the log names it, or what the series is.
    live_on
        First day of the change.
    weeks_before, weeks_after
        Weeks that the estimate rests on.
    placebos
        The same estimate at dates before the change.
    series
        One row per week: ``week`` (its Monday), ``calls``, ``phase`` (before, transition, after),
        ``fitted``, after the change ``counterfactual`` with ``counterfactual_low`` and
        ``counterfactual_high``, and ``influence``, what the week's residual added to the log of
        one plus ``relative`` (for sums over several series).
    """

    unit: str
    live_on: dt.date
    weeks_before: int
    weeks_after: int
    placebos: tuple[Placebo, ...]
    series: pl.DataFrame

    def headline(self) -> str:
        """Give the answer alone, in one sentence."""
        return in_words(self.unit, self.relative, self.removed_per_week, f"after {self.live_on}")

    def summary(self) -> str:
        """Give the answer, its grade with the reason, and the method."""
        return (
            f"{self.headline()} Grade: {self.grade}, since {self.reason}. {self.method} It rests "
            f"on {counted(self.weeks_before, 'week')} before and {self.weeks_after:,} after."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the answer as one row."""
        import polars as pl

        return pl.DataFrame(
            {
                "unit": [self.unit],
                "live_on": [self.live_on],
                "design": [self.design],
                "grade": [self.grade],
                "weeks_before": [self.weeks_before],
                "weeks_after": [self.weeks_after],
                "relative": [self.relative.value],
                "relative_low": [self.relative.low],
                "relative_high": [self.relative.high],
                "removed_per_week": [self.removed_per_week.value],
                "removed_per_week_low": [self.removed_per_week.low],
                "removed_per_week_high": [self.removed_per_week.high],
            }
        )


def signed(share: float) -> str:
    """Write a change in percent with its sign.

    >>> signed(-0.081), signed(0.02)
    ('−8.1%', '+2.0%')
    """
    return f"{share:+.1%}".replace("-", "−")


def in_words(unit: str, change: Estimate, removed: Estimate, when: str) -> str:
    """Say a change and the calls it removed a week in one sentence."""
    fewer = "fewer" if change.value <= 0 else "more"
    limits = f"{signed(change.low)} to {signed(change.high)}"
    if not change.excludes_zero:
        return (
            f"{unit}: no change that the data can show {when}; the estimate is "
            f"{abs(change.value):.1%} {fewer} calls, and anything from {limits} fits "
            f"({100 * change.level:g}% interval)."
        )
    sign = 1 if change.value <= 0 else -1
    low, high = sorted((sign * removed.low, sign * removed.high))
    return (
        f"{unit}: {abs(change.value):.1%} {fewer} calls {when} than would have come "
        f"({100 * change.level:g}% interval {limits}), {sign * removed.value:,.0f} a week "
        f"({low:,.0f} to {high:,.0f})."
    )
