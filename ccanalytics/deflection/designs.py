"""Several designs asked the same question, and whether their answers agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.deflection.effect import DESIGNS, effect
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Result
from ccanalytics.statistics.effects.effect import signed
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from ccanalytics.statistics.effects import PanelEffect

__all__ = ["Designs", "designs"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Designs(Result):
    """What each design makes of one roll-out, the most trusted first.

    Attributes
    ----------
    effects
        Design → its effect.
    refused
        Design → why it gives none.
    """

    effects: dict[str, PanelEffect]
    refused: dict[str, str]

    @property
    def main(self) -> PanelEffect:
        """The most trusted that could answer: of the best grade, the first in order of trust."""
        moderate = [e for e in self.effects.values() if e.grade != "weak"]
        return (moderate or list(self.effects.values()))[0]

    @property
    def agree(self) -> tuple[str, ...]:
        """Designs whose limits hold the estimate of the most trusted one."""
        value = self.main.relative.value
        return tuple(
            name
            for name, each in self.effects.items()
            if each is not self.main and each.relative.low <= value <= each.relative.high
        )

    def or_refuse(self) -> Designs:
        """Give the answer itself, or refuse where no design could answer.

        Raises
        ------
        DataError
            With the reason of the most trusted design.
        """
        if not self.effects:
            raise DataError("no design can answer", next(iter(self.refused.values())), "")
        return self

    def to_frame(self) -> pl.DataFrame:
        """Give a row per design, refused ones included with their reason."""
        import polars as pl

        rows = [
            {
                "design": name,
                "grade": each.grade,
                "units": each.units,
                "relative": each.relative.value,
                "relative_low": each.relative.low,
                "relative_high": each.relative.high,
                "removed_per_week": each.removed_per_week.value,
                "removed_per_week_low": each.removed_per_week.low,
                "removed_per_week_high": each.removed_per_week.high,
                "placebo": each.placebo.value if each.placebo else None,
                "alarm": each.alarm,
                "refused": None,
            }
            for name, each in self.effects.items()
        ]
        rows += [{"design": name, "refused": why} for name, why in self.refused.items()]
        schema = {
            "design": pl.String,
            "grade": pl.String,
            "units": pl.Int64,
            **dict.fromkeys(
                ("relative", "relative_low", "relative_high", "removed_per_week",
                 "removed_per_week_low", "removed_per_week_high", "placebo"), pl.Float64,
            ),
            "alarm": pl.Boolean,
            "refused": pl.String,
        }  # fmt: skip
        return pl.DataFrame(rows, schema=schema)

    def table(self) -> pl.DataFrame:
        """Give the designs that answered, in words, with what is read first."""
        import polars as pl

        change = ["relative", "relative_low", "relative_high", "removed_per_week"]
        rows = self.to_frame().drop_nulls("relative")
        words = pl.col("design").str.replace_all("_", " ")
        return rows.select(words, "grade", *change, "placebo", "alarm")

    def summary(self) -> str:
        """Say what the most trusted design finds, and which others agree with it."""
        self.or_refuse()
        others = len(self.effects) - 1
        named = self.main.design.replace("_", " ")
        words = [f"By the design {named}: {self.main.headline()} Grade: {self.main.grade}."]
        if others:
            words.append(
                f"{len(self.agree)} of {counted(others, 'other design')} "
                f"{'holds' if len(self.agree) == 1 else 'hold'} this estimate within "
                f"{'its' if len(self.agree) == 1 else 'their'} limits. All are of the same data: "
                "agreement is no second witness, disagreement is a warning."
            )
        return " ".join(words)


def designs(
    panel: Any,
    rollouts: Any,
    treatment: str | None = None,
    *,
    which: Sequence[str] = tuple(DESIGNS),
    **options: Any,
) -> Designs:
    """Estimate one roll-out by several designs, side by side.

    Parameters
    ----------
    panel, rollouts, treatment
        As for :func:`effect`.
    which
        Names of designs; all of them by default.
    **options
        ``unit_kind``, ``count``, ``min_weeks`` and ``level`` of :func:`effect`.

    Raises
    ------
    InputError
        As :func:`effect`. What the data cannot support is not raised: it is listed in ``refused``.
    """
    names = [which] if isinstance(which, str) else list(which)
    unknown = [name for name in names if name not in DESIGNS]
    if unknown or not names:
        raise InputError("no such design", f"which={which!r}", "of " + ", ".join(DESIGNS))
    effects, refused = {}, {}
    for name in sorted(names, key=list(DESIGNS).index):
        try:
            effects[name] = effect(panel, rollouts, treatment, design=name, **options)
        except DataError as error:
            refused[name] = str(error)
    found = Designs(
        effects=effects,
        refused=refused,
        inputs={"treatment": treatment, "which": names, **options},
    )
    if not effects:
        return found
    return Designs(effects=effects, refused=refused, inputs=found.inputs, checks=_checks(found))


def _checks(found: Designs) -> tuple[Check, ...]:
    main, checks = found.main, []
    apart = [
        f"{name.replace('_', ' ')} {signed(each.relative.value)}"
        for name, each in found.effects.items()
        if each is not main and name not in found.agree
    ]
    if len(found.effects) > 1:
        checks.append(
            Check(
                "Designs beside each other",
                "fails" if apart else "holds",
                f"{', '.join(apart)}: limits without {signed(main.relative.value)}"
                if apart
                else f"all limits hold {signed(main.relative.value)}",
            )
        )
    alarms = [name.replace("_", " ") for name, each in found.effects.items() if each.alarm]
    if alarms:
        checks.append(
            Check("Tried where nothing had happened", "fails", f"{', '.join(alarms)} found some")
        )
    if any(each.controls for each in found.effects.values()) and "segmented" in found.effects:
        checks.append(
            Check(
                "Calls removed a week",
                "informs",
                "with every unit live by the design segmented; by the others the mean of the weeks "
                "since the first went live, when fewer were",
            )
        )
    checks += [
        Check(f"Design {name.replace('_', ' ')}", "informs", f"gives no answer: {why}")
        for name, why in found.refused.items()
    ]
    return tuple(checks)
