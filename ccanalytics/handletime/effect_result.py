"""What a change did to handle time, transfers or errors: the answer and its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ccanalytics.results import Estimate, Result
from ccanalytics.statistics.effects.effect import Grade, signed
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    import polars as pl

__all__ = ["OUTCOMES", "HandleEffect", "Outcome", "amount", "seconds_of"]

LEADS = 8


@dataclass(frozen=True)
class Outcome:
    """What an effect is on: how it is called, per what, and its unit of change.

    ``shares``: the outcome is a share of calls or items; else the log of seconds.
    """

    name: str
    words: str
    shorter: str
    longer: str
    per: str
    shares: bool


OUTCOMES = {
    each.name: each
    for each in (
        Outcome("aht", "handle time", "shorter", "longer", "call", shares=False),
        Outcome("transfers", "transfers to the second line", "fewer", "more", "call", shares=True),
        Outcome("errors", "items wrong", "fewer", "more", "item of a random review", shares=True),
    )
}


@dataclass(frozen=True, eq=False, kw_only=True)
class HandleEffect(Result):
    """What a roll-out did to the calls of those who got it.

    Attributes
    ----------
    name, outcome
        What went live, and on what the effect is: ``aht``, ``transfers`` or ``errors``.
    design, method, grade, reason
        How it was estimated, how far to trust it, and why no further.
    unit
        What went live together: ``team``, ``agent`` or ``service``.
    live, controls
        Units that are estimated; how many were untreated in those weeks.
    agents, cells, calls
        Agents (0: not told apart), agent-weeks (or unit-weeks), and calls or items after going
        live that it rests on.
    relative
        Change as a share of what would have been: −0.05 is 5% shorter. Of handle time it is that
        of the typical (geometric mean) time.
    change
        Change per call: seconds of handle time, or share of calls or items.
    per_assisted_s
        Seconds per call in which SMS-assist was accepted; None elsewhere.
    placebo, drift
        The same in the weeks before going live; trend of units that went live first beside the
        last, before they did, in 13 weeks.
    gap
        Effect on the first group less that on the last (of ``by``), as a share; None without
        groups.
    detectable
        The smallest effect, as a share, that data like these would show four times in five.
    by_group, later, events, without
        Per group of ``by``; per stretch of weeks since going live; per week since (negative
        before); and with each unit left out.
    errors
        Standard errors on the log (shares: of the log ratio) by group; ``all`` for the whole.
    degrees
        Degrees of freedom of the limits.
    """

    name: str
    outcome: str
    design: str
    method: str
    grade: Grade
    reason: str
    unit: str
    live: tuple[str, ...]
    controls: int
    agents: int
    cells: int
    calls: int
    relative: Estimate
    change: Estimate
    per_assisted_s: Estimate | None = None
    placebo: Estimate | None
    drift: Estimate | None
    gap: Estimate | None
    detectable: float
    by_group: pl.DataFrame
    later: pl.DataFrame
    events: pl.DataFrame
    without: pl.DataFrame
    errors: dict[str, float]
    degrees: float

    @property
    def alarm(self) -> bool:
        """Whether a falsification fails: what should not be there is there."""
        return any(each is not None and each.excludes_zero for each in (self.placebo, self.drift))

    def headline(self) -> str:
        """Give the answer alone, in a sentence or two."""
        told, change = OUTCOMES[self.outcome], self.relative
        level = f"{100 * change.level:g}% interval"
        who = f"{self.name}, {counted(len(self.live), self.unit)}"
        if not change.excludes_zero:
            return (
                f"{who}: no change of {told.words} that the data can show; the estimate is "
                f"{signed(change.value)}, and anything from {signed(change.low)} to "
                f"{signed(change.high)} fits ({level}).{self._assisted()}{self._groups()}"
            )
        which = told.shorter if change.value < 0 else told.longer
        size = f"{abs(change.value):.1%} {which}"
        said = f"{size} {told.words}" if told.shares else f"{told.words} is {size}"
        return (
            f"{who}: {said} than without it ({level} {signed(change.low)} to "
            f"{signed(change.high)}), {amount(self.outcome, self.change)} per {told.per}."
            f"{self._assisted()}{self._groups()}"
        )

    def short(self) -> str:
        """Give the change in a few words."""
        told, change = OUTCOMES[self.outcome], self.relative
        limits = f"{signed(change.low)} to {signed(change.high)}"
        words = told.words[:1].upper() + told.words[1:]
        if not change.excludes_zero:
            return f"{words}: no change that the data can show ({limits})"
        return f"{words}: {signed(change.value)} ({limits})"

    def _reach(self) -> str:
        if self.detectable < 1:
            return f"An effect of {self.detectable:.1%} would be shown four times in five."
        return (
            "The data are too few to show even a fall to none four times in five; "
            f"a rise of {self.detectable:.0%} would show."
        )

    def _assisted(self) -> str:
        if self.per_assisted_s is None:
            return ""
        told = f" In a call in which it was accepted: {amount('aht', self.per_assisted_s)}"
        if self.per_assisted_s.excludes_zero and not self.relative.excludes_zero:
            told += (
                "; this is seen since it takes the saving to be the same in all such calls, and "
                "services differ in how many they have"
            )
        return f"{told}."

    def _groups(self) -> str:
        rows = self.by_group
        if rows.height < 2:
            return ""
        told = ", ".join(
            f"{row['group']} {signed(row['relative'])} ({signed(row['relative_low'])} to "
            f"{signed(row['relative_high'])})"
            for row in rows.iter_rows(named=True)
        )
        if self.gap is None or not self.gap.excludes_zero:
            return f" By group: {told}; that they differ is not shown."
        return f" By group: {told}."

    def summary(self) -> str:
        """Give the answer, its grade with the reason, and the method."""
        placebo = (
            f" In the {LEADS} weeks before, when nothing had changed, the same estimate is "
            f"{signed(self.placebo.value)} ({signed(self.placebo.low)} to "
            f"{signed(self.placebo.high)})."
            if self.placebo is not None
            else ""
        )
        return (
            f"{self.headline()} Grade: {self.grade}, since {self.reason}.{placebo} {self._reach()} "
            f"{self.method} It rests on "
            f"{self.calls:,} {'items' if self.outcome == 'errors' else 'calls'} and "
            f"{counted(self.controls, self.unit)} that had not, or not yet, got it."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the answer, whole and by group."""
        import polars as pl

        whole = pl.DataFrame(
            {
                "group": ["all"],
                "calls": [self.calls],
                "relative": [self.relative.value],
                "relative_low": [self.relative.low],
                "relative_high": [self.relative.high],
                "change": [self.change.value],
                "change_low": [self.change.low],
                "change_high": [self.change.high],
            }
        )
        rows = self.by_group.select(whole.columns) if self.by_group.height else whole.clear()
        return pl.concat([whole, rows], how="vertical_relaxed").rename(
            {
                old: old.replace("change", "change_s" if self.outcome == "aht" else "change_share")
                for old in ("change", "change_low", "change_high")
            }
        )


def seconds_of(mean_s: float, relative: Estimate) -> Estimate:
    """Seconds by which calls that now take ``mean_s`` on the mean were changed.

    >>> round(seconds_of(90.0, Estimate(-0.1, -0.25, 0.0)).value, 6)
    -10.0
    """
    value, low, high = (
        mean_s * (1 - 1 / (1 + share)) for share in (relative.value, relative.low, relative.high)
    )
    return Estimate(value, low, high, relative.level)


def amount(outcome: str, change: Estimate) -> str:
    """Say a change in its own unit, with its limits."""

    def told(value: float) -> str:
        text = f"{value:+.1f} s" if outcome == "aht" else f"{100 * value:+.2f} points"
        return text.replace("-", "−")

    return f"{told(change.value)} ({told(change.low)} to {told(change.high)})"
