"""Doubts about a comparison before and after: what else happened, and what chance would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccanalytics.deflection.rollouts import days_of, live_within
from ccanalytics.results import Check

if TYPE_CHECKING:
    import polars as pl

    from ccanalytics.deflection.rollouts import Live
    from ccanalytics.statistics.effects import Effect

__all__ = ["doubts"]

_OF_ALL = ("season", "working days")


def doubts(
    effects: list[Effect],
    total: Effect | None,
    beside: tuple[pl.DataFrame, Live, dict[str, Live]],
    cut: int,
    count: str,
) -> tuple[Check, ...]:
    """Gather what speaks for and against the estimates."""
    return (
        *_placebos(effects),
        *(check for check in (total.checks if total else ()) if check.name in _OF_ALL),
        *_beside(*beside),
        *_cut(cut),
        _fewer_redials(count),
    )


def _beside(weeks: pl.DataFrame, live: Live, others: dict[str, Live]) -> list[Check]:
    starts = days_of(weeks["local_start"].unique().sort())
    counted = {
        name: sum(unit in live for unit in live_within(days, starts))
        for name, days in others.items()
    }
    told = ", ".join(f"{name} ({n} units)" for name, n in counted.items() if n)
    if not told:
        return []
    return [
        Check(
            "other changes",
            "informs",
            f"within these weeks the same units also had {told}, estimated beside this one; what "
            "is not in the roll-outs (a campaign, a price) still counts as effect",
        )
    ]


def _placebos(effects: list[Effect]) -> list[Check]:
    tried = [effect for effect in effects if effect.placebos]
    name = "placebo dates"
    if not tried:
        return [Check(name, "informs", "none tried: too few weeks before the changes")]
    wrong = [e.unit for e in tried if any(p.relative.excludes_zero for p in e.placebos)]
    # Each unit's dates are tested together at its level, so few alarms are chance.
    told = f"{len(wrong)} of {len(tried)} units show an 'effect' where nothing happened"
    if len(wrong) <= max(1, 0.1 * len(tried)):
        return [Check(name, "holds", f"{told}, as chance would have it")]
    return [Check(name, "fails", f"{told} ({', '.join(wrong)}): these series move by themselves")]


def _cut(cut: int) -> list[Check]:
    if not cut:
        return []
    what = "1 week" if cut == 1 else f"{cut} weeks"
    return [Check("whole weeks", "informs", f"{what} that the log covers in part left out")]


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
