"""Doubts about a comparison before and after: what else happened, and what chance would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.results import Check
from ccanalytics.statistics.effects.rollouts import days_of, live_within
from ccanalytics.vocabulary import counted, term

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from ccanalytics.statistics.effects import SeriesEffect
    from ccanalytics.statistics.effects.rollouts import Live

__all__ = ["doubts"]

_OF_ALL = ("season", "working days")


def doubts(
    effects: list[SeriesEffect],
    total: SeriesEffect | None,
    beside: tuple[pl.DataFrame, Live, dict[str, Live]],
    asked: tuple[int, str],
    names: Mapping[str, str | None],
) -> tuple[Check, ...]:
    """Gather what speaks for and against the estimates.

    ``asked`` holds the number of weeks left out and what was counted, ``names`` those of units.
    """
    cut, count = asked
    return (
        *_placebos(effects, names),
        *(check for check in (total.checks if total else ()) if check.name in _OF_ALL),
        *_beside(*beside),
        *_cut(cut),
        _fewer_redials(count),
    )


def _beside(weeks: pl.DataFrame, live: Live, others: dict[str, Live]) -> list[Check]:
    starts = days_of(weeks["local_start"].unique().sort())
    beside = {
        name: sum(unit in live for unit in live_within(days, starts))
        for name, days in others.items()
    }
    told = ", ".join(f"{term(name)} ({n:,})" for name, n in beside.items() if n)
    if not told:
        return []
    return [
        Check(
            "other changes",
            "informs",
            f"within these weeks some of the same units also got {told}, estimated beside this "
            "one; what is not in the roll-outs (a campaign, a price) still counts as effect",
        )
    ]


def _placebos(effects: list[SeriesEffect], names: Mapping[str, str | None]) -> list[Check]:
    tried = [effect for effect in effects if effect.placebos]
    name = "placebo dates"
    if not tried:
        return [Check(name, "informs", "none tried: too few weeks before the changes")]
    wrong = [
        names.get(e.unit) or e.unit
        for e in tried
        if any(p.relative.excludes_zero for p in e.placebos)
    ]
    # Each unit's dates are tested together at its level, so few alarms are chance.
    units = f"{len(wrong)} of {counted(len(tried), 'unit')}"
    told = f"{units} {'shows' if len(wrong) == 1 else 'show'} an 'effect' where nothing happened"
    if len(wrong) <= max(1, 0.1 * len(tried)):
        return [Check(name, "holds", f"{told}, as chance would have it")]
    return [Check(name, "fails", f"{told} ({', '.join(wrong)}): these series move by themselves")]


def _cut(cut: int) -> list[Check]:
    if not cut:
        return []
    are = "is" if cut == 1 else "are"
    told = f"{counted(cut, 'week')} that the log covers in part {are} left out"
    return [Check("whole weeks", "informs", told)]


def _fewer_redials(count: str) -> Check:
    name = "redials"
    if count == "first_attempts":
        return Check(name, "holds", "first attempts are counted, so redials do not enter")
    return Check(
        name,
        "fails",
        f"{count} calls include redials: where queues got shorter at that time, fewer redials "
        "count as effect; first_attempts leaves them out",
    )
