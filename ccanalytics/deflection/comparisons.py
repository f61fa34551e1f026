"""Every roll-out of the log before and after, each estimated beside the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.deflection.before_after import BeforeAfter, before_after
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.statistics.effects.effect import signed
from ccanalytics.statistics.frames import as_polars

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Comparisons", "before_after_each"]

NO_CALL_TAKEN = ("sms_assist_during",)
"""Roll-outs that shorten calls and take none away."""

_NO_ROLLOUTS = "the log holds no roll-out dates, so there is no before and after to compare"


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparisons(Result):
    """One `BeforeAfter` per thing that went live, the largest number of calls removed first."""

    answers: tuple[BeforeAfter, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing could be estimated."""
        return all(answer.empty for answer in self.answers)

    def or_refuse(self) -> Comparisons:
        """Give the answer itself, or refuse where nothing could be estimated.

        Raises
        ------
        DataError
            There are no roll-outs, or none that the data can answer for.
        """
        if not self.answers:
            raise DataError(_NO_ROLLOUTS)
        if self.empty:
            self.answers[0].or_refuse()
        return self

    def of(self, treatment: str | None = None) -> BeforeAfter:
        """Give the answer for one treatment; None takes the first.

        Raises
        ------
        InputError
            Nothing of this name went live.
        """
        if treatment is None:
            return self.or_refuse().answers[0]
        for answer in self.answers:
            if answer.treatment == treatment:
                return answer
        known = ", ".join(answer.treatment for answer in self.answers) or "none"
        raise InputError("nothing of this name went live", f"{treatment!r}", f"one of {known}")

    def named(self, treatment: str | None = None) -> str | None:
        """Give the treatment to look at closely: the one asked for, or the first; None if none."""
        if not self.answers:
            return treatment
        return self.answers[0].treatment if treatment is None else self.of(treatment).treatment

    def to_frame(self) -> pl.DataFrame:
        """Give a row per treatment: units, the change of their sum, calls removed a week."""
        import polars as pl

        rows = []
        for answer in self.answers:
            row: dict[str, Any] = {
                "treatment": answer.treatment,
                "name": answer.name,
                "units": len(answer.effects),
                "left_out": len(answer.refused),
            }
            if answer.together is not None:
                for name in ("relative", "removed_per_week"):
                    estimate = getattr(answer.together, name)
                    row |= {
                        name: estimate.value,
                        f"{name}_low": estimate.low,
                        f"{name}_high": estimate.high,
                    }
            rows.append(row)
        return pl.DataFrame(rows, infer_schema_length=None)

    def summary(self) -> str:
        """Say what each roll-out did to the calls, and how far to trust it."""
        if not self.answers:
            return f"{_NO_ROLLOUTS[0].upper()}{_NO_ROLLOUTS[1:]}."
        words = [answer.headline() for answer in self.answers]
        if not self.empty:
            words.append(
                "Grade: weak, since each is one series without a control: whatever else changed "
                "at that time would count as the effect."
            )
            words.append(self.of().main.method)
        return " ".join(words)


def before_after_each(panel: Any, rollouts: Any, **options: Any) -> Comparisons:
    """Compare weekly calls before and after each kind of roll-out.

    Parameters
    ----------
    panel, rollouts
        As for `before_after`.
    **options
        The other arguments of `before_after`, ``treatment`` excepted.

    Raises
    ------
    InputError
        As `before_after`.
    """
    frame = as_polars(rollouts, "rollouts", ["unit_kind", "treatment"], "log.table('rollouts')")
    kind = options.get("unit_kind", "service")
    mine = frame.filter(frame["unit_kind"] == kind)["treatment"].drop_nulls()
    names = sorted(map(str, mine.unique().to_list()))
    answers = [_one(panel, rollouts, name, options) for name in names]
    answers.sort(key=lambda a: a.together.removed_per_week.value if a.together else float("-inf"))
    answers.reverse()
    return Comparisons(
        inputs={"treatments": names} | {k: v for k, v in options.items() if k != "names"},
        checks=tuple(_idle(answer) for answer in answers if answer.treatment in NO_CALL_TAKEN),
        answers=tuple(answers),
    )


def _one(panel: Any, rollouts: Any, name: str, options: dict[str, Any]) -> BeforeAfter:
    try:
        return before_after(panel, rollouts, treatment=name, **options)
    except DataError as error:  # such as no whole week at all
        inputs = {"treatment": name, "unit_kind": "service", "level": 0.95}
        inputs |= {key: value for key, value in options.items() if key != "names"}
        return BeforeAfter(inputs=inputs, treatment=name, effects=(), total_refused=str(error))


def _idle(answer: BeforeAfter) -> Check:
    """Hold the method against a roll-out that can take no call away."""
    if answer.together is None:
        return Check(answer.name, "informs", "takes no call away by its nature; not estimated")
    change = answer.together.relative
    found = f"{signed(change.value)} ({signed(change.low)} to {signed(change.high)})"
    if change.excludes_zero:
        words = f"it takes no call away by its nature, yet the same method finds {found}"
        return Check(answer.name, "fails", f"{words}: something else moved calls in these weeks")
    words = "it takes no call away by its nature, and the same method finds none"
    return Check(answer.name, "holds", f"{words}: {found}")
