"""Cannibalisation: use that a channel took over from other self-service, and not from agents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ccanalytics.deflection.channels import name_of, place_of
from ccanalytics.deflection.effect import effect
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.effects.effect import signed
from ccanalytics.statistics.effects.rollouts import treatment_of
from ccanalytics.statistics.frames import as_polars
from ccanalytics.vocabulary import term

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from ccanalytics.statistics.effects import PanelEffect

__all__ = ["TakenOver", "taken_over"]

_IN_CALLS = ("before_call", "during_call")
_ROLLOUTS = ("unit_kind", "unit", "treatment", "live_on")
_NEEDS = ("local_start", "interval_s", "channel", "unit", "uses")


@dataclass(frozen=True, eq=False, kw_only=True)
class TakenOver(Result):
    """What a roll-out did to the use of every other self-service channel.

    Attributes
    ----------
    name
        What went live, in words.
    effects
        Channel → the effect on its uses, of services that went live against those not live yet.
    refused
        Channel → why there is no answer.
    """

    name: str
    effects: dict[str, PanelEffect]
    refused: dict[str, str]

    def or_refuse(self) -> TakenOver:
        """Give the answer itself, or refuse where no channel has one.

        Raises
        ------
        DataError
            With the reasons.
        """
        if not self.effects:
            told = "; ".join(f"{_named(name)}: {why}" for name, why in self.refused.items())
            raise DataError(f"what {self.name} took over cannot be estimated", told, "")
        return self

    def headline(self) -> str:
        """Say what was taken over from each channel."""
        if not self.effects:
            return f"What {self.name} took over from other self-service cannot be estimated."
        told = [self._said(name, each) for name, each in self.effects.items()]
        return f"{self.name}, about services once it was live: {'; '.join(told)}."

    def summary(self) -> str:
        """Give the answer, its grades with their reasons, and what cannot be said."""
        alike: dict[str, list[str]] = {}
        for name, each in self.effects.items():
            alike.setdefault(f"{each.grade}, since {each.reason}", []).append(_named(name))
        grades = " ".join(
            f"Grade of {' and '.join(names)}: {grade}." for grade, names in alike.items()
        )
        no = "".join(f" {_named(name)}: no answer, {why}." for name, why in self.refused.items())
        if not self.effects:
            return f"{self.headline()}{no}"
        return (
            f"{self.headline()} {grades} Uses taken over from self-service were no calls to agents "
            f"before: they are completed in the channel, and deflect nothing.{no}"
        )

    def to_frame(self) -> pl.DataFrame:
        """Give a row per channel: its change with limits, uses a week fewer, grade."""
        import polars as pl

        rows = [
            (
                _named(name), each.grade, each.units,
                each.relative.value, each.relative.low, each.relative.high,
                each.removed_per_week.value, each.removed_per_week.low,
                each.removed_per_week.high,
            )
            for name, each in self.effects.items()
        ]  # fmt: skip
        schema = {
            "channel": pl.String, "grade": pl.String, "units": pl.Int64, "relative": pl.Float64,
            "relative_low": pl.Float64, "relative_high": pl.Float64,
            "uses_taken_over": pl.Float64, "uses_taken_over_low": pl.Float64,
            "uses_taken_over_high": pl.Float64,
        }  # fmt: skip
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _said(self, channel: str, found: PanelEffect) -> str:
        change, gone = found.relative, found.removed_per_week
        limits = f"{signed(change.low)} to {signed(change.high)}"
        if not change.excludes_zero:
            return (
                f"no change of the use of {_named(channel)} that the data can show "
                f"({signed(change.value)}, {limits})"
            )
        fewer, sign = ("less", 1) if change.value < 0 else ("more", -1)
        return (
            f"{abs(change.value):.1%} {fewer} use of {_named(channel)} ({limits}), "
            f"{_uses(gone, sign)} a week"
        )


def taken_over(
    uses: Any,
    rollouts: Any,
    treatment: str | None = None,
    *,
    apart: Iterable[str] | None = None,
    unit_kind: str = "service",
    min_weeks: int = 8,
    level: float = 0.95,
) -> TakenOver:
    """Estimate what a channel took over from other self-service channels (cannibalisation).

    The staggered design of :func:`effect`, on the weekly uses of each other channel: services that
    went live against services that were not live yet.

    Parameters
    ----------
    uses
        Frame of ``CallLog.uses("1w")``.
    rollouts
        Frame of ``CallLog.table("rollouts")``.
    treatment
        What went live; may be left out where there is only one.
    apart
        Other roll-outs that may change self-service too, and are held apart. Default: all but
        assists in calls (before and during the call), which reach nobody who is in self-service.
    unit_kind, min_weeks, level
        As :func:`effect` takes them.

    Returns
    -------
    TakenOver
        Channels that cannot be answered for have the reason.

    Raises
    ------
    InputError
        A frame without its columns; a roll-out or a setting that cannot be.
    DataError
        No self-service channel but the one that went live has uses.

    Examples
    --------
    >>> import polars as pl
    >>> from ccanalytics.simulation import draw_panels
    >>> world = draw_panels(worlds=1, seed=2, units=20, effect=-0.3)
    >>> panel = world.panel(0).rename({"first_attempts": "uses"})
    >>> found = taken_over(panel.with_columns(channel=pl.lit("sms")), world.rollouts(0))
    >>> found.effects["sms"].relative.high < 0
    True
    """
    import polars as pl

    frame = as_polars(uses, "uses", _NEEDS, "log.uses('1w')")
    dates = as_polars(rollouts, "rollouts", _ROLLOUTS, "log.table('rollouts')")
    treatment = treatment_of(treatment, dates.filter(pl.col("unit_kind") == unit_kind))
    own = place_of(treatment)
    channels = frame["channel"].drop_nulls().unique().sort().to_list()
    others = [each for each in channels if (each, "own_initiative") != own]
    if not others:
        raise DataError(
            "no other self-service channel has uses that could be taken over",
            f"channels: {', '.join(channels) or 'none'}",
            "load self_service with the other channels, and calls that ended in the menu",
        )
    dates, aside = _held_apart(dates, treatment, apart)
    effects: dict[str, PanelEffect] = {}
    refused: dict[str, str] = {}
    for name in others:
        mine = frame.filter(pl.col("channel") == name)
        try:
            effects[name] = effect(
                mine, dates, treatment, unit_kind=unit_kind, count="uses",
                min_weeks=min_weeks, level=level,
            )  # fmt: skip
        except DataError as error:
            refused[name] = str(error)
    checks = [
        Check(f"{check.name} ({_named(name)})", check.status, check.detail)
        for name, each in effects.items()
        for check in each.checks
        if check.status == "fails"
    ]
    if aside:
        checks.append(
            Check("Other roll-outs", "informs",
                  f"taken to leave other self-service alone: {', '.join(map(term, aside))}")
        )  # fmt: skip
    return TakenOver(
        inputs={
            "treatment": treatment, "apart": apart, "unit_kind": unit_kind,
            "min_weeks": min_weeks, "level": level,
        },
        checks=tuple(checks),
        name=term(treatment) if treatment else "a new channel",
        effects=effects,
        refused=refused,
    )  # fmt: skip


def _held_apart(
    dates: pl.DataFrame, treatment: str, apart: Iterable[str] | None
) -> tuple[pl.DataFrame, list[str]]:
    """The roll-outs that matter for self-service, and the names of the others."""
    import polars as pl

    names = dates["treatment"].drop_nulls().unique().sort().to_list()
    chosen = None
    if apart is not None:
        given = [apart] if isinstance(apart, str) or not hasattr(apart, "__iter__") else list(apart)
        if unknown := [each for each in given if each not in names]:
            one_of = f"one of {', '.join(map(str, names))}" if names else "the log has none"
            raise InputError("no such roll-out", f"apart={unknown[0]!r}", one_of)
        chosen = set(given)
    aside = [
        name
        for name in names
        if name != treatment
        and ((place_of(name) or ("", ""))[1] in _IN_CALLS if chosen is None else name not in chosen)
    ]
    return dates.filter(~pl.col("treatment").is_in(aside)), aside


def _named(channel: str) -> str:
    return "the voice menu" if channel == "menu" else name_of(channel, "own_initiative")


def _uses(gone: Estimate, sign: int) -> str:
    low, high = sorted((sign * gone.low, sign * gone.high))
    return f"{sign * gone.value:,.0f} uses ({low:,.0f} to {high:,.0f})"
