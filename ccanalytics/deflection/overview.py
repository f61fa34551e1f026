"""What self-service takes away: calls that no longer come, beside what was settled.

The estimate that can be trusted most leads: against units that were not live, where the data allow
one; the same before and after, without a control, comes second and is called weak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.deflection.channels import name_of
from ccanalytics.deflection.comparisons import NO_CALL_TAKEN
from ccanalytics.deflection.shares import REMOVING_STAGES
from ccanalytics.errors import CcanalyticsError, InputError
from ccanalytics.results import Result
from ccanalytics.statistics.effects.effect import signed
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.deflection.before_after import BeforeAfter
    from ccanalytics.deflection.comparisons import Comparisons
    from ccanalytics.deflection.designs import Designs
    from ccanalytics.deflection.funnel import Funnel
    from ccanalytics.statistics.effects import PanelEffect

__all__ = ["Overview", "overview"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Overview(Result):
    """How many calls fewer came, and beside it the shares of the funnel.

    Attributes
    ----------
    funnel
        What was settled in the channels: counted, but not calls saved.
    comparisons
        How many calls fewer came, before and after: what the question asks, but a weak estimate.
    designs
        One roll-out against units that were not live; None where it was not asked for.
    """

    funnel: Funnel
    comparisons: Comparisons
    designs: Designs | None = None

    @property
    def controlled(self) -> PanelEffect | None:
        """The effect against units that were not live; None where there is none."""
        if self.designs is None or not self.designs.effects:
            return None
        main = self.designs.main
        return main if main.controls else None

    def or_refuse(self) -> Overview:
        """Give the answer itself, or refuse where the log has neither records nor roll-outs.

        Raises
        ------
        DataError
            There is nothing to say.
        """
        if self.funnel.empty and not self.comparisons.answers:
            self.funnel.or_refuse()
        return self

    def to_frame(self) -> pl.DataFrame:
        """Give a row per channel that can take calls away: the estimate, and the shares beside it.

        ``units`` are those that could be estimated; the change (``relative``) is of the calls
        about these, once live, by the ``design`` and with the ``grade`` beside it; gross and net
        deflection are of the ``eligible`` contacts. The effect with a control has a row of its own.
        """
        import polars as pl

        rows: dict[str, dict[str, Any]] = {}
        for answer in self._estimated():
            together = answer.together
            rows[answer.name] = {
                "units": len(answer.effects),
                "design": "before and after",
                "grade": "weak" if together is not None else None,
            }
            if together is not None:
                rows[answer.name] |= {
                    "relative": together.relative.value,
                    "relative_low": together.relative.low,
                    "relative_high": together.relative.high,
                    "removed_per_week": together.removed_per_week.value,
                }
        for row in self._settled():
            name = name_of(row["channel"], row["stage"])
            shares = {key: row[key] for key in ("eligible", "gross_deflection", "net_deflection")}
            rows[name] = rows.get(name, {}) | shares
        numbers = ["relative", "relative_low", "relative_high", "removed_per_week"]
        first, main = [], self.controlled
        if main is not None:
            first.append(
                {
                    "channel": main.name,
                    "units": main.units,
                    "design": main.design.replace("_", " "),
                    "grade": main.grade,
                    "relative": main.relative.value,
                    "relative_low": main.relative.low,
                    "relative_high": main.relative.high,
                    "removed_per_week": main.removed_per_week.value,
                }
            )
        return pl.DataFrame(
            [*first, *({"channel": name, **row} for name, row in rows.items())],
            schema={
                "channel": pl.String,
                "units": pl.Int64,
                "design": pl.String,
                "grade": pl.String,
                **dict.fromkeys(numbers, pl.Float64),
                "eligible": pl.Int64,
                "gross_deflection": pl.Float64,
                "net_deflection": pl.Float64,
            },
        )

    def summary(self) -> str:
        """Say how many calls fewer came, then what was settled and why that is something else."""
        words = [*self._against(), self._taken(), *self._shares()]
        if any(answer.together is not None for answer in self._estimated()):
            which = "Grade of before and after" if self.controlled is not None else "Grade"
            words.append(
                f"{which}: weak, since whatever else changed in the same weeks would count as the "
                "effect; each estimate is of the calls about the services named, whose own series "
                "are long enough on both sides of their go-live."
            )
        return " ".join(words)

    def _against(self) -> list[str]:
        main = self.controlled
        if main is None:
            return []
        return [f"Against units that were not live, grade {main.grade}: {main.headline()}"]

    def _estimated(self) -> list[BeforeAfter]:
        return [a for a in self.comparisons.answers if a.treatment not in NO_CALL_TAKEN]

    def _settled(self) -> list[dict[str, Any]]:
        totals, window = self.funnel.totals, self.funnel.window_days
        rows = totals.filter(
            (totals["window_days"] == window) & totals["stage"].is_in(REMOVING_STAGES)
        )
        return rows.drop_nulls("net_deflection").sort("sent", descending=True).to_dicts()

    def _taken(self) -> str:
        lead = "How many calls fewer came cannot be told"
        answers = self._estimated()
        found = [answer for answer in answers if answer.together is not None]
        if not answers:
            return f"{lead}: the log holds no day on which a channel that takes calls went live."
        if not found:
            try:
                answers[0].or_refuse()
            except CcanalyticsError as error:
                return f"{lead}: {error}."
            return f"{lead}: no service has enough weeks before and after its go-live."
        told = "; ".join(_clause(answer) for answer in found)
        kind = "weak estimates" if len(found) > 1 else "a weak estimate"
        return f"Once live, {told} ({kind}: before against after, without a control)."

    def _shares(self) -> list[str]:
        rows = self._settled()
        if not rows:
            return [self.funnel.summary()] if self.funnel.empty else []
        names = [name_of(row["channel"], row["stage"]) for row in rows]
        gross = _listed(
            f"{row['gross_deflection']:.1%} of {row['eligible']:,} ({name})"
            for row, name in zip(rows, names, strict=True)
        )
        net = _listed(f"{row['net_deflection']:.1%}" for row in rows)
        days = counted(self.funnel.window_days, "day")
        apart = (
            " and, standing on different bases, cannot be added or set beside the change above"
            if len(rows) > 1
            else " and stands on another base than the change above"
        )
        return [
            f"Counted in the channels: of the contacts that could have used them, customers "
            f"settled {gross}, net of those who asked an agent within {days} {net}.",
            f"Gross and net shares are not calls saved: they hold customers who would never have "
            f"called{apart}.",
        ]


def overview(funnel: Funnel, comparisons: Comparisons, designs: Designs | None = None) -> Overview:
    """Put the estimate of calls taken away before the shares that were settled.

    Parameters
    ----------
    funnel
        Of `funnel`.
    comparisons
        Of `before_after_each`.
    designs
        Of `designs`, for one roll-out: its effect against units that were not live leads.

    Raises
    ------
    InputError
        Arguments of another kind.
    """
    for name, value, needs in (
        ("funnel", funnel, "totals"),
        ("comparisons", comparisons, "answers"),
    ):
        if not hasattr(value, needs):
            raise InputError(f"{name} must come from deflection", f"got {type(value).__name__}", "")
    if designs is not None and not hasattr(designs, "effects"):
        raise InputError(
            "designs must come from deflection.designs", f"got {type(designs).__name__}", ""
        )
    return Overview(
        inputs={"window_days": funnel.window_days, **comparisons.inputs},
        checks=(*comparisons.checks, *funnel.checks),
        funnel=funnel,
        comparisons=comparisons,
        designs=designs,
    )


def _clause(answer: BeforeAfter) -> str:
    together = answer.together
    assert together is not None  # noqa: S101 - for the type checker
    change, removed = together.relative, together.removed_per_week
    about = "the calls about its " + counted(together.units, answer.inputs["unit_kind"])
    level = f"{100 * change.level:g}% interval"
    if not change.excludes_zero:
        limits = f"{level} {signed(change.low)} to {signed(change.high)}"
        return (
            f"{answer.name} shows no effect beyond chance on {about}, {signed(change.value)} "
            f"({limits})"
        )
    low, high = sorted((abs(change.low), abs(change.high)))
    limits = f"{level} {low:.1%} to {high:.1%}"
    if change.value > 0:
        return f"{answer.name} came with {change.value:.1%} more of {about} ({limits})"
    return (
        f"{answer.name} took away {-change.value:.1%} of {about} ({limits}), "
        f"{removed.value:,.0f} a week"
    )


def _listed(words: Any) -> str:
    several = list(words)
    if len(several) < 2:
        return "".join(several)
    return f"{', '.join(several[:-1])} and {several[-1]}"
