"""What a design with a control answers, and the falsifications that every such design shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.results import Check, Estimate
from ccanalytics.statistics.effects.effect import Effect, Grade, in_words, signed
from ccanalytics.statistics.effects.falsifications import (
    POWER,
    alone,
    before,
    drifted,
    events,
    relative_or_none,
    without,
)
from ccanalytics.statistics.effects.leads import drift_of
from ccanalytics.statistics.effects.panel import LEADS, told
from ccanalytics.statistics.effects.spill import controls_moved
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from ccanalytics.statistics.effects.left_out import Foretold, Ratios
    from ccanalytics.statistics.effects.panel import Panel

    Design = Callable[[Panel, int], Foretold]

__all__ = ["PanelEffect", "assessed"]

_EVENTS = ["event", "units", "relative", "relative_low", "relative_high"]
_CONTROLS = 10
_FEWEST_LIVE = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class PanelEffect(Effect):
    """What a roll-out did to the weekly counts of the units that went live.

    Attributes
    ----------
    name
        What went live.
    units, controls
        How many went live and are estimated; how many were untreated in those weeks.
    live
        Names of those that are estimated.
    relative
        Σ calls / Σ calls that would have come − 1, over weeks that units are live.
    removed_per_week
        Calls that would have come less those that did, a week, all units together: the mean of the
        weeks since the first went live, in which others were not live yet.
    unit_weeks
        Cells that this rests on.
    placebo
        The same in the eight weeks before each unit went live, when nothing had happened.
    drift
        Trend a year of units that went live first less that of the last, before they did.
    controls_moved
        Mean change of the controls' calls as others went live; a rise where calls fell says that
        they moved there.
    detectable
        The smallest effect, as a share, that data like these would show four times in five.
    events
        Per week since going live (``event``; negative before): ``relative`` with limits.
    weeks
        Per week with units live: ``week``, ``calls`` of these, ``counterfactual`` with limits.
    without
        Per unit: ``unit``, ``relative_without``: the estimate if that unit is left out.
    """

    name: str
    units: int
    controls: int
    live: tuple[str, ...]
    unit_weeks: int
    placebo: Estimate | None
    drift: Estimate | None
    controls_moved: Estimate | None
    detectable: float
    events: pl.DataFrame
    weeks: pl.DataFrame
    without: pl.DataFrame

    @property
    def alarm(self) -> bool:
        """Whether a falsification fails: what should not be there is there."""
        before = (each is not None and each.excludes_zero for each in (self.placebo, self.drift))
        return any(before) or _moved(self.controls_moved, self.relative)

    def headline(self) -> str:
        """Give the answer alone, in one sentence."""
        together = f"{counted(self.units, 'unit')} together" if self.units > 1 else self.live[0]
        return in_words(
            f"{self.name}, {together}", self.relative, self.removed_per_week, "once live"
        )

    def summary(self) -> str:
        """Give the answer, its grade with the reason, and the method."""
        placebo = (
            f" In the {LEADS} weeks before, when nothing had changed, the same estimate is "
            f"{signed(self.placebo.value)} ({signed(self.placebo.low)} to "
            f"{signed(self.placebo.high)})."
            if self.placebo is not None
            else ""
        )
        week = (
            f" Calls a week are the mean of the {counted(self.weeks.height, 'week')} since the "
            "first went live."
            if self.controls and self.relative.excludes_zero
            else ""
        )
        return (
            f"{self.headline()}{week} Grade: {self.grade}, since {self.reason}.{placebo} An effect "
            f"of {self.detectable:.1%} would be shown four times in five. {self.method} It rests "
            f"on {self.unit_weeks:,} live unit-weeks and {counted(self.controls, 'unit')} that "
            "were not, or not yet, live."
        )

    def to_frame(self) -> pl.DataFrame:
        """Give the event study."""
        return self.events


def assessed(
    panel: Panel,
    design: Design,
    *,
    name: str,
    called: str,
    method: str,
    level: float,
    cap: str = "",
    inputs: Mapping[str, Any],
) -> PanelEffect:
    """Estimate by a design, try it where nothing had happened, and grade it.

    Parameters
    ----------
    panel
        Who went live when.
    design
        Takes the panel and a number of weeks; foretells calls as if units had gone live so much
        earlier.
    name, called, method
        What went live; name of the design; the model in words.
    cap
        Why the grade is weak whatever the checks show; empty where it may be better.
    """
    import polars as pl

    fit, early = design(panel, 0), design(panel, LEADS)
    found = fit.ratios(panel.treated)
    half = found.half(level)
    ends = np.array([found.log, found.log - half, found.log + half])
    actual = float((panel.calls * found.cells).sum()) / max(int(found.cells.any(axis=0).sum()), 1)
    removed, most, least = (actual * np.expm1(-ends)).tolist()
    # Three falsifications that together alarm in a tenth of sound worlds at most: a drift in 5%,
    # the placebo in 3.3%, the controls, of which one direction counts, in 1.7%.
    each = 1 - (1 - level) * 2 / 3
    placebo, drift = relative_or_none(early, panel.leads(), each), drift_of(panel, level)
    moved = controls_moved(panel, each)
    controls = int((panel.untreated.sum(axis=1) > 0).sum())
    treated = found.cells.any(axis=1)
    left_out = without(panel.units, np.expm1(found.left_out), float(np.expm1(found.log)))
    if treated.sum() < _FEWEST_LIVE:
        cap = (
            f"only {counted(int(treated.sum()), 'unit')} went live, whose own ups and downs may "
            "pass for an effect"
        )
    grade, reason = _graded(placebo, drift, _moved(moved, found.relative(level)), controls, cap)
    return PanelEffect(
        name=name,
        design=called,
        method=method,
        units=int(treated.sum()),
        controls=int(((panel.untreated * found.cells.any(axis=0)).sum(axis=1) > 0).sum()),
        live=tuple(panel.units[i] for i in np.flatnonzero(treated)),
        relative=found.relative(level),
        removed_per_week=Estimate(removed, least, most, level),
        unit_weeks=int(found.cells.sum()),
        placebo=placebo,
        drift=drift,
        controls_moved=moved,
        detectable=float(-np.expm1(-(half + POWER * found.error))),
        events=pl.DataFrame(events(panel, fit, early, level), schema=_EVENTS, orient="row"),
        weeks=_by_week(panel, found, level),
        without=left_out,
        grade=grade,
        reason=reason,
        degrees=found.degrees,
        inputs=dict(inputs),
        checks=_checks(panel, (placebo, drift, moved), found, left_out),
    )


def _moved(moved: Estimate | None, change: Estimate) -> bool:
    """Whether the controls went the other way than the units that went live."""
    if moved is None or not moved.excludes_zero:
        return False
    return bool(np.sign(moved.value) == -np.sign(change.value))


def _graded(
    placebo: Estimate | None, drift: Estimate | None, moved: bool, controls: int, cap: str
) -> tuple[Grade, str]:
    if placebo is None:
        return "weak", "there are no weeks before going live to try the method on"
    if placebo.excludes_zero:
        return "weak", (
            "it shows an effect before anything had happened: units that went live moved otherwise "
            "than those that had not"
        )
    if drift is not None and drift.excludes_zero:
        return "weak", (
            "units that went live were moving away from the others long before: their calls may "
            "have gone on doing so without it"
        )
    if moved:
        return "weak", (
            "calls of units that never went live rose as others did: calls may have moved there, "
            "and count twice"
        )
    if controls < _CONTROLS:
        return "weak", f"only {counted(controls, 'unit')} can serve as control"
    if cap:
        return "weak", cap
    return "moderate", (
        "units were not drawn by lot: whoever chose the dates may have known what was coming, a "
        "campaign for the same units on the same days would count as its effect, and calls that "
        "move from a unit to another count twice"
    )


def _by_week(panel: Panel, found: Ratios, level: float) -> pl.DataFrame:
    """Calls of live units and what would have come; limits as far off as the whole estimate's."""
    import polars as pl

    half = found.half(level)
    live = found.cells.any(axis=0)
    mean = found.foretold.sum(axis=0)[live]
    return pl.DataFrame(
        {
            "week": [panel.weeks[i] for i in np.flatnonzero(live)],
            "units": found.cells.sum(axis=0)[live],
            "calls": (panel.calls * found.cells).sum(axis=0)[live],
            "counterfactual": mean,
            "counterfactual_low": mean * np.exp(-half),
            "counterfactual_high": mean * np.exp(half),
        }
    )


def _checks(
    panel: Panel, tried: tuple[Estimate | None, ...], found: Ratios, left_out: pl.DataFrame
) -> tuple[Check, ...]:
    placebo, drift, moved = tried
    checks = before(placebo) + drifted(drift, "units that went live first", "a year")
    if moved is not None:
        beside = "units out of reach" if panel.outside is not None else "their own trend"
        checks.append(
            Check("Controls as others went live",
                  "fails" if _moved(moved, found.relative(moved.level)) else "holds",
                  f"against {beside} their calls changed by {signed(moved.value)} "
                  f"({signed(moved.low)} to {signed(moved.high)}); a smaller move of calls to them "
                  "would not be seen")
        )  # fmt: skip
    checks += alone("unit", left_out, float(np.expm1(found.log)))
    all_live = int((panel.untreated.sum(axis=0) == 0).sum())
    if all_live:
        checks.append(Check("Weeks without a control", "informs",
                            f"{counted(all_live, 'week')} in which every unit is live are left "
                            "out"))  # fmt: skip
    gone = panel.treated.any(axis=1) & ~found.cells.any(axis=1)
    left = panel.left_out | {
        panel.units[i]: "too few controls stay untreated beside it" for i in np.flatnonzero(gone)
    }
    if left:
        checks.append(Check("Units left out", "informs", told(left)))
    return tuple(checks)
