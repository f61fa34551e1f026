"""Before and after a roll-out: the first, weak answer to how many calls it took away."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ccanalytics.deflection.doubts import doubts
from ccanalytics.errors import CcanalyticsError, DataError, InputError
from ccanalytics.results import Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects import combined, segmented
from ccanalytics.statistics.effects.effect import in_words
from ccanalytics.statistics.effects.rollouts import (
    Live,
    days_of,
    exposure,
    live_within,
    others_live,
    part_live,
    refuse_twice,
    treatment_of,
)
from ccanalytics.statistics.effects.weekly import as_date
from ccanalytics.statistics.frames import as_polars, check_counts, whole_weeks, with_names
from ccanalytics.statistics.multiple import Several, p_value, several
from ccanalytics.vocabulary import counted, term

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from ccanalytics.statistics.effects import Combined, SeriesEffect

__all__ = ["BeforeAfter", "before_after"]

_ROLLOUTS = ("unit_kind", "unit", "treatment", "live_on")
_NO_ROLLOUTS = "the log holds no roll-out dates, so there is no before and after to compare"


@dataclass(frozen=True, eq=False, kw_only=True)
class BeforeAfter(Result):
    """The estimate before and after for each unit that went live, and for all units together.

    Attributes
    ----------
    treatment
        What went live.
    effects
        One SeriesEffect per unit, the largest number of calls removed first.
    together
        Their sum, once each unit is live; None where there is no effect to add.
    refused
        Unit → why no estimate was made.
    total
        The SeriesEffect on all calls as one series, units that never went live included, which also
        holds calls that moved from one unit to another; None where it was refused.
    total_refused
        Why there is no total; empty where there is one.
    """

    treatment: str
    effects: tuple[SeriesEffect, ...]
    together: Combined | None = None
    refused: dict[str, str] = field(default_factory=dict)
    total: SeriesEffect | None = None
    total_refused: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing could be estimated."""
        return not self.effects and self.total is None

    def or_refuse(self) -> BeforeAfter:
        """Give the answer itself, or refuse where nothing could be estimated.

        Raises
        ------
        DataError
            There are no roll-outs, or none that the data can answer for; the message says why.
        """
        if not self.empty:
            return self
        if not self.refused and not self.total_refused:
            raise DataError(_NO_ROLLOUTS)
        raise DataError(f"nothing can be said of {self.name} before and after", self.total_refused)

    @property
    def name(self) -> str:
        """What went live, in words."""
        return term(self.treatment)

    @property
    def several(self) -> Several:
        """The units looked at together: what chance alone would show, and what stands out."""
        chances = [p_value(effect.relative, effect.degrees) for effect in self.effects]
        return several(chances, self.inputs["level"])

    @property
    def main(self) -> SeriesEffect:
        """The effect on the unit with most calls; the total where no unit has one."""
        if not self.effects:
            return self.total or self.or_refuse().effects[0]
        return max(self.effects, key=lambda effect: effect.series["calls"].sum())

    def effect(self, unit: str) -> SeriesEffect:
        """Give the SeriesEffect of one unit.

        Raises
        ------
        InputError
            The unit never went live, or was refused; the message says which and why.
        """
        for effect in self.effects:
            if effect.unit == unit:
                return effect
        why = self.refused.get(unit)
        raise InputError(
            f"there is no estimate for {unit!r}",
            why or "it never went live",
            "one of " + (", ".join(effect.unit for effect in self.effects) or "none"),
        )

    def to_frame(self) -> pl.DataFrame:
        """Give a row per unit, refused ones included with their reason.

        ``stands_out``: whether the unit's change remains once all units are looked at together.
        """
        import polars as pl

        done = [
            effect.to_frame().with_columns(stands_out=pl.lit(value=stands))
            for effect, stands in zip(self.effects, self.several.stands_out, strict=True)
        ]
        left = pl.DataFrame(
            {"unit": list(self.refused), "refused": list(self.refused.values())},
            schema={"unit": pl.String, "refused": pl.String},
        )
        return pl.concat([*done, left], how="diagonal")

    def summary(self) -> str:
        """Say what happened in all, how far to trust it, and how many units were estimated."""
        if not self.effects and not self.refused and self.total is None:
            return f"{_NO_ROLLOUTS[0].upper()}{_NO_ROLLOUTS[1:]}."
        words = [self.headline()]
        if self.together is not None:
            words.append(
                "Grade: weak, since each is one series without a control: whatever else changed "
                "at that time would count as the effect."
            )
            words.append(self._each())
        words.append(
            self.total.headline()
            if self.total is not None
            else f"All calls as one series: no estimate, since {self.total_refused}."
        )
        if self.refused:
            was = "was" if len(self.refused) == 1 else "were"
            left = counted(len(self.refused), self.inputs["unit_kind"])
            words.append(f"{left} {was} left out, with reasons.")
        if self.effects or self.total:
            words.append(self.main.method)
        return " ".join(words)

    def headline(self) -> str:
        """Give the answer alone, in one sentence."""
        if self.together is None:
            of = counted(len(self.refused), self.inputs["unit_kind"])
            return f"{self.name}: none of {of} could be estimated."
        kind = self.inputs["unit_kind"]
        return in_words(
            f"{self.name}, {counted(self.together.units, kind, f'{kind}s together')}",
            self.together.relative,
            self.together.removed_per_week,
            "once live",
        )

    def table(self, names: Mapping[str, str | None] | None = None) -> pl.DataFrame:
        """Give the estimates of the units, most calls removed first; names of units beside."""
        frame = self.to_frame()
        change = ["relative", "relative_low", "relative_high", "removed_per_week"]
        wanted = ["unit", "live_on", "weeks_before", "weeks_after", *change, "stands_out"]
        if not self.effects:
            return frame.select("unit").clear()
        return with_names(frame.drop_nulls("relative").select(wanted), "unit", names)

    def left_out(self, names: Mapping[str, str | None] | None = None) -> pl.DataFrame:
        """Give the units that were refused, each with its reason."""
        frame = self.to_frame().select("unit", "refused")
        return with_names(frame.drop_nulls("refused"), "unit", names)

    def _each(self) -> str:
        shown = [e for e in self.effects if e.relative.excludes_zero]
        fewer = sum(e.relative.value < 0 for e in shown)
        told = self.several.in_words()
        return f"{told} Of those that show one, {fewer} had fewer calls, {len(shown) - fewer} more."


def before_after(
    panel: Any,
    rollouts: Any,
    *,
    treatment: str | None = None,
    unit_kind: str = "service",
    count: str = "first_attempts",
    slope: bool = False,
    min_weeks: int = 8,
    level: float = 0.95,
    names: Mapping[str, str | None] | None = None,
) -> BeforeAfter:
    """Compare weekly calls before and after a roll-out, per unit and in total.

    Each unit's series goes through `ccanalytics.statistics.effects.segmented`. For the total of
    all units the step is replaced by the share of traffic whose unit went live within these
    weeks, so that roll-outs on different days are one estimate; if all went live in one week that
    week is left out. Other treatments of the same units are estimated beside this one.

    Parameters
    ----------
    panel
        Frame of ``CallLog.panel(unit=…, every="1w")``. Weeks that the log covers in part are left
        out.
    rollouts
        Frame of ``CallLog.table("rollouts")``.
    treatment
        What went live; may be left out where there is only one.
    unit_kind
        Which kind of unit the panel holds.
    count
        What is counted: ``first_attempts``, so that fewer redials do not pass for fewer needs, or
        ``offered``.
    slope
        Whether the effect may also grow or fade.
    min_weeks
        Fewest weeks on either side.
    level
        Of the intervals, 0–1.
    names
        Names of units, for the sentences.

    Raises
    ------
    InputError
        A frame without its columns, a panel that is not weekly, a kind of unit that the roll-outs
        do not have.
    DataError
        A treatment that the roll-outs do not have. What else the data cannot support is listed in
        ``refused``, not raised. No roll-outs at all give an empty answer that says so.
    """
    import polars as pl

    level = check_level(level)
    needs = ["local_start", "interval_s", "unit", count]
    weeks = as_polars(panel, "panel", needs, "log.panel(unit=…, every='1w')")
    check_counts(weeks, [count], "panel")
    dates = as_polars(rollouts, "rollouts", _ROLLOUTS, "log.table('rollouts')")
    dates = dates.filter(pl.col("unit_kind") == unit_kind)
    weeks, cut = whole_weeks(weeks, "the weeks of the panel")
    name = treatment_of(treatment, dates)
    refuse_twice(dates, weeks)
    chosen = dates.filter(pl.col("treatment") == name)
    inputs = {
        "treatment": name,
        "unit_kind": unit_kind,
        "count": count,
        "slope": slope,
        "min_weeks": min_weeks,
        "level": level,
    }
    if not chosen.height:
        return BeforeAfter(inputs=inputs, treatment=name, effects=())
    live = {row["unit"]: row["live_on"] for row in chosen.iter_rows(named=True)}
    others = others_live(dates.filter(pl.col("treatment") != name))
    options = {"slope": slope, "min_weeks": min_weeks, "level": level}
    effects, refused = _each(weeks, live, others, count, options)
    try:
        total, why = _total(weeks, live, others, count, options), ""
    except CcanalyticsError as error:
        total, why = None, str(error)
    return BeforeAfter(
        inputs=inputs,
        checks=doubts(effects, total, (weeks, live, others), (cut, count), names or {}),
        treatment=name,
        effects=tuple(sorted(effects, key=lambda e: -e.removed_per_week.value)),
        together=combined(effects, level) if effects else None,
        refused=refused,
        total=total,
        total_refused=why,
    )


def _each(
    weeks: pl.DataFrame, live: Live, others: dict[str, Live], count: str, options: dict[str, Any]
) -> tuple[list[SeriesEffect], dict[str, str]]:

    effects, refused = [], {}
    by_unit = weeks.sort("local_start").partition_by("unit", as_dict=True)
    for unit, day in live.items():
        mine = by_unit.get((unit,), weeks.clear())
        if day is None:
            refused[str(unit)] = "it was planned, but no day is recorded on which it went live"
        elif not mine.height:
            refused[str(unit)] = "the log holds no calls about it in these weeks"
        else:
            starts = days_of(mine["local_start"])
            beside = {
                term(name): [part_live(start, as_date("live_on", days[unit])) for start in starts]
                for name, days in others.items()
                if unit in days
            }
            try:
                effects.append(
                    segmented(starts, mine[count], day, others=beside, unit=str(unit), **options)
                )
            except CcanalyticsError as error:
                refused[str(unit)] = str(error)
    return effects, refused


def _total(
    weeks: pl.DataFrame, live: Live, others: dict[str, Live], count: str, options: dict[str, Any]
) -> SeriesEffect:
    import polars as pl

    series = weeks.group_by("local_start").agg(pl.col(count).sum()).sort("local_start")
    starts = days_of(series["local_start"])
    within = live_within(live, starts)
    if not within:
        raise DataError(
            "no unit went live within these weeks", f"{starts[0]} to {starts[-1]}", "load more"
        )
    share = {
        row["unit"]: row[count] / max(1, series[count].sum())
        for row in weeks.group_by("unit").agg(pl.col(count).sum()).iter_rows(named=True)
    }
    first, last = min(within.values()), max(within.values())
    one_week = (first - starts[0]).days // 7 == (last - starts[0]).days // 7
    return segmented(
        starts,
        series[count],
        first,
        exposure=None if one_week else exposure(starts, within, share),
        others={
            term(name): exposure(starts, live_within(days, starts), share)
            for name, days in others.items()
        },
        unit="All calls as one series",
        **options,
    )
