"""Coaching of those who scored lowest: what it gave, beside what would have come without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.quality.score_pairs import courses, score_pairs
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.ancova import BeforeAfter, ancova
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.statistics.effects.effect import Grade

__all__ = ["Coaching", "coaching"]

_FEW = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class Coaching(Result):
    """What coaching gave those who got it.

    Attributes
    ----------
    course, occasion
        The course, and which test after it is looked at.
    found
        Gains and the effect; see :class:`~ccanalytics.statistics.effects.ancova.BeforeAfter`.
    by_score
        Whether the score before decided who got it: all coached below all others.
    cut
        The score that parts them; None where they overlap.
    grade, reason
        How far to trust the effect, and why no further.
    scores
        A row per agent: ``agent``, ``score_before``, ``score_after``, ``coached``,
        ``score_expected`` (after, without coaching).
    """

    course: str
    occasion: str
    found: BeforeAfter
    by_score: bool
    cut: float | None
    grade: Grade
    reason: str
    scores: pl.DataFrame

    @property
    def effect(self) -> Estimate:
        """Points that coaching gave."""
        return self.found.effect

    def headline(self) -> str:
        """Give the answer alone."""
        f = self.found
        gained = f"{counted(f.treated, 'coached agent')} gained {_points(f.gain.value)}"
        if f.effect.excludes_zero:
            more = "more" if f.effect.value > 0 else "less"
            return (
                f"{gained}, {_points(abs(f.effect.value))} {more} than they would have without "
                f"coaching ({_limits(f.effect)})."
            )
        return (
            f"{gained}, but {_points(f.expected_gain)} would have come without coaching: no effect "
            f"of it is shown ({_points(f.effect.value)}, {_limits(f.effect)})."
        )

    def summary(self) -> str:
        """Give the answer, its grade with the reason, and the method."""
        f = self.found
        return (
            f"{self.headline()} Whoever scores low has bad luck among the reasons, and luck does "
            f"not repeat: of agents left alone, {_share(1 - f.slope.value)} of a distance from the "
            f"mean is gone by the next test, which makes {_points(f.regression)} of the gain; "
            f"what moved everybody makes {_points(f.expected_gain - f.regression)}. "
            f"Grade: {self.grade}, since {self.reason}. Analysis of covariance on the score before "
            f"against {counted(f.untreated, 'agent')} not coached; errors HC2, degrees of freedom "
            f"by Bell and McCaffrey ({f.degrees:.0f})."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the gains and the effect, a row each, in points of the test."""
        import polars as pl

        f = self.found
        rows: list[tuple[str, float, float | None, float | None]] = [
            ("before and after, coached", f.gain.value, f.gain.low, f.gain.high),
            ("before and after, not coached", f.untreated_gain.value, f.untreated_gain.low,
             f.untreated_gain.high),
            ("would have come without coaching", f.expected_gain, None, None),
            ("of that: regression to the mean", f.regression, None, None),
            ("of that: what moved everybody", f.expected_gain - f.regression, None, None),
            ("given by coaching", f.effect.value, f.effect.low, f.effect.high),
        ]  # fmt: skip
        if f.jump is not None:
            rows.append(("the same at the cut", f.jump.value, f.jump.low, f.jump.high))
        names = ["gain", "points", "points_low", "points_high"]
        return pl.DataFrame(rows, schema=names, orient="row")


def coaching(
    assessments: Any,
    trainings: Any,
    course: str | None = None,
    *,
    occasion: str = "post",
    instrument: str | None = None,
    by_lot: bool = False,
    level: float = 0.95,
) -> Coaching:
    """Judge coaching by tests before and after, guarded against regression to the mean.

    Parameters
    ----------
    assessments, trainings
        Frames of ``CallLog.table("assessments")`` and ``CallLog.table("trainings")``.
    course
        Name of the coaching in both; default: the one that went to the lowest scores.
    occasion
        Test after it: ``post`` or ``delayed``.
    instrument
        Which test; may be left out where the course has one.
    by_lot
        Whether a lot decided who was coached.
    level
        Of the limits, 0–1.

    Raises
    ------
    InputError
        A frame without its columns, an occasion or a course that is not known.
    DataError
        No second test, nobody coached, or nobody left alone.

    Examples
    --------
    >>> from ccanalytics.simulation.panels import draw_team_world
    >>> world = draw_team_world(2)
    >>> found = coaching(world.assessments, world.trainings)
    >>> found.found.gain.value > found.effect.value, found.by_score
    (True, True)
    """
    import numpy as np
    import polars as pl

    level = check_level(level)
    if occasion not in ("post", "delayed"):
        raise InputError("no such test after a course", f"occasion={occasion!r}", "post or delayed")
    if course is None:
        listed = courses(trainings, assessments)
        lowest = listed.filter("by_score")["course"].to_list()
        if len(lowest) != 1:
            raise DataError(
                "which course went to the lowest scores cannot be told",
                ", ".join(lowest or listed["course"].to_list()),
                "give course",
            )
        course = str(lowest[0])
    pairs, remarks = score_pairs(assessments, trainings, course, occasion, instrument)
    before, after = pairs["before"].to_numpy(), pairs["after"].to_numpy()
    took = pairs["taken"].to_numpy()
    if not took.any():
        raise DataError("nobody who was coached was tested before and after", f"course={course!r}")
    found = ancova(before, after, took, level=level)
    by_score = bool(before[took].max() <= before[~took].min())
    cut = float((before[took].max() + before[~took].min()) / 2) if by_score else None
    line = found.before + found.expected_gain + found.slope.value * (before - found.before)
    grade, reason = _graded(found, by_lot=by_lot, by_score=by_score)
    scores = pairs.select(
        "agent", score_before="before", score_after="after", coached="taken",
        score_expected=pl.Series(np.asarray(line)),
    )  # fmt: skip
    return Coaching(
        course=course,
        occasion=occasion,
        found=found,
        by_score=by_score,
        cut=cut,
        grade=grade,
        reason=reason,
        scores=scores,
        checks=(*_checks(found, by_score=by_score), *remarks),
        inputs={
            "course": course, "occasion": occasion, "instrument": instrument, "by_lot": by_lot,
            "level": level,
        },
    )  # fmt: skip


def _graded(found: BeforeAfter, *, by_lot: bool, by_score: bool) -> tuple[Grade, str]:
    if found.treated < _FEW or found.untreated < _FEW:
        few = min(found.treated, found.untreated)
        return "weak", f"only {counted(few, 'agent')} stand in the smaller group"
    if found.jump is not None and (
        found.jump.high < found.effect.low or found.jump.low > found.effect.high
    ):
        return "weak", "at the cut it is another: the line between the two tests is not straight"
    if by_lot:
        return "strong", "a lot decided who was coached"
    if by_score:
        return "moderate", (
            "the score before alone decided who was coached, so that those above the cut tell what "
            "would have come, as long as the line goes on straight below it"
        )
    return "weak", "somebody chose who was coached, for reasons that the scores do not tell"


def _checks(found: BeforeAfter, *, by_score: bool) -> list[Check]:
    fooled = found.gain.low > found.effect.value
    checks = [
        Check("Before and after alone", "fails" if fooled else "holds",
              f"it says {_points(found.gain.value)}, of which {_points(found.expected_gain)} would "
              "have come anyway"),
        Check("Who was coached", "informs",
              "all below all others in the test before" if by_score
              else "not by the score before alone"),
    ]  # fmt: skip
    if found.jump is not None:
        apart = found.jump.high < found.effect.low or found.jump.low > found.effect.high
        checks.append(
            Check("Straight line", "fails" if apart else "holds",
                  f"with another slope on each side the effect at the cut is "
                  f"{_points(found.jump.value)} ({_limits(found.jump)})")
        )  # fmt: skip
    return checks


def _points(value: float) -> str:
    return f"{value:.1f} points".replace("-", "−")


def _share(value: float) -> str:
    return f"{value:.0%}".replace("-", "−")


def _limits(told: Estimate) -> str:
    low, high = (f"{end:.1f}".replace("-", "−") for end in (told.low, told.high))
    return f"{100 * told.level:g}% interval {low} to {high}"
