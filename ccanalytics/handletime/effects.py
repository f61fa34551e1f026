"""One roll-out, several outcomes: those that the data can answer, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import DataError, InputError
from ccanalytics.handletime.effect import effect
from ccanalytics.handletime.effect_result import OUTCOMES
from ccanalytics.results import Result

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from ccanalytics.handletime.effect_result import HandleEffect

__all__ = ["Effects", "effects"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Effects(Result):
    """What a roll-out did, outcome by outcome.

    Attributes
    ----------
    effects
        Outcome → its effect.
    refused
        Outcome → why there is none.
    """

    effects: dict[str, HandleEffect]
    refused: dict[str, str]

    def of(self, outcome: str) -> HandleEffect:
        """Give the effect on one outcome, or refuse with its reason.

        Raises
        ------
        DataError
            The data cannot answer for it.
        InputError
            It was not asked for.
        """
        if outcome in self.effects:
            return self.effects[outcome]
        if outcome in self.refused:
            raise DataError(self.refused[outcome], f"outcome={outcome!r}", "")
        asked = ", ".join([*self.effects, *self.refused])
        raise InputError("this was not asked for", f"outcome={outcome!r}", f"one of {asked}")

    def summary(self) -> str:
        """Give the change of each outcome, and what cannot be said."""
        said = [f"{each.short()} (grade: {each.grade})" for each in self.effects.values()]
        said += [f"{OUTCOMES[o].words}: no answer, {why}" for o, why in self.refused.items()]
        return ". ".join(one[:1].upper() + one[1:] for one in said) + "."

    def to_frame(self) -> pl.DataFrame:
        """Give a row per outcome, refused ones with their reason."""
        import polars as pl

        rows: list[tuple[Any, ...]] = [
            (o, e.grade, e.design, e.calls, e.relative.value, e.relative.low, e.relative.high, None)
            for o, e in self.effects.items()
        ]
        rows += [(o, None, None, None, None, None, None, why) for o, why in self.refused.items()]
        names = dict.fromkeys(("outcome", "grade", "design"), pl.String) | {"calls": pl.Int64}
        ends = dict.fromkeys(("relative", "relative_low", "relative_high"), pl.Float64)
        schema = {**names, **ends, "refused": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")


def effects(
    panel: Any,
    rollouts: Any,
    treatment: str | None = None,
    outcomes: Iterable[str] = ("aht", "transfers", "errors"),
    **options: Any,
) -> Effects:
    """Estimate what a roll-out did to several outcomes.

    Parameters
    ----------
    panel, rollouts, treatment, **options
        As :func:`effect` takes them.
    outcomes
        Of those that :func:`effect` knows.

    Raises
    ------
    InputError
        As :func:`effect`; what the data cannot answer is in ``refused`` instead.
    """
    found: dict[str, HandleEffect] = {}
    refused: dict[str, str] = {}
    for outcome in outcomes:
        try:
            found[outcome] = effect(panel, rollouts, treatment, outcome=outcome, **options)
        except DataError as error:
            refused[outcome] = f"{error.what} ({error.where})" if error.where else error.what
    inputs = {"treatment": treatment, "outcomes": [*found, *refused], **options}
    return Effects(inputs=inputs, effects=found, refused=refused)
