"""What a knowledge base, a routing change or a course did to handle time, transfers and errors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.handletime.assist import service_effect
from ccanalytics.handletime.effect_cells import Asked, by_lot, cells_of
from ccanalytics.handletime.effect_result import LEADS, OUTCOMES, HandleEffect, seconds_of
from ccanalytics.results import Check, Estimate
from ccanalytics.statistics.checking import check_level
from ccanalytics.statistics.effects.falsifications import (
    LAGS,
    POWER,
    alone,
    before,
    drifted,
    without,
)
from ccanalytics.statistics.effects.nested import Nested, Ratio, limits, nested
from ccanalytics.vocabulary import counted, term

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.handletime.effect_cells import Prepared
    from ccanalytics.statistics.effects.effect import Grade

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

__all__ = ["DESIGNS", "effect"]

DESIGNS = ("randomised", "staggered")
"""Designs, the most trusted first."""

_FEWEST_UNITS, _FEWEST_LIVE, _FEWEST_ARM = 6, 3, 10
_QUARTER = 13.0  # weeks
_METHOD = {
    "staggered": "Staggered difference in differences on {what}: what untreated weeks foretell "
    "(levels of {unit}s, agents and weeks, a curve of tenure), calls weighing; limits by leaving "
    "out one {unit} at a time.",
    "randomised": "Those drawn by lot against those who were not, on {what}, each against their "
    "own weeks before (levels of agents and weeks, a curve of tenure), calls weighing; limits by "
    "leaving out one {unit} at a time.",
}
_WHAT = {
    "aht": "logs of handle time less what such calls usually take",
    "transfers": "shares of calls less what such calls usually have",
    "errors": "shares of items of random reviews",
}


def effect(
    panel: Any,
    rollouts: Any,
    treatment: str | None = None,
    *,
    outcome: str = "aht",
    by: str | None = "tenure",
    bands: Sequence[int] = (13, 52),
    design: str = "auto",
    unit_kind: str | None = None,
    windows: Sequence[int] = (4, 13, 26),
    min_weeks: int = 8,
    level: float = 0.95,
) -> HandleEffect:
    """Estimate what a roll-out did to those who got it, other roll-outs being held apart.

    On cells without it, E[yᵢₜ] = clusterₖ + agentᵢ + weekₜ + f(tenureᵢₜ) + Σ βⱼ·otherⱼᵢₜ, where
    y is the mean log of handle time less what such calls usually take (or a share), weighted by
    calls; the effect is the weighted mean of y less what that foretells over live cells, and as a
    share exp(effect) − 1. The week of going live is left out, and so are weeks in which fewer than
    two units are untreated. Limits are those of the jackknife over units, with Student's t and
    Satterthwaite's degrees of freedom.

    Parameters
    ----------
    panel
        Frame of ``CallLog.agent_panel()``; for services (``unit_kind="service"``, such as
        SMS-assist during the call) that of ``CallLog.assisted_calls()``.
    rollouts
        Frame of ``CallLog.table("rollouts")``. Units that it names without a date are compared
        with; where it names none such, all others are.
    treatment
        What went live; may be left out where there is only one.
    outcome
        ``aht`` (handle time), ``transfers`` (to the second line) or ``errors`` (failed items of
        random reviews).
    by
        ``tenure``, a column of the panel (``site``, ``employer``), or None.
    bands
        Weeks of tenure at which bands begin.
    design
        ``randomised`` where a lot decided who got it, ``staggered`` where dates were chosen, or
        ``auto``: the first if the roll-outs say that a lot decided, else the second.
    unit_kind
        ``team``, ``agent`` or ``service``; default: the kind that the roll-outs of it name.
    windows
        Weeks since going live at which stretches end in ``later``: whether it lasts.
    min_weeks
        Fewest weeks before it of a unit that is estimated.
    level
        Of the limits, 0–1.

    Raises
    ------
    InputError
        A frame without its columns; an outcome, a design or a treatment that is not known.
    DataError
        Nothing went live within the span; only one unit did; nobody is without it; no hire dates;
        another roll-out came to the same units in the same weeks.

    References
    ----------
    Borusyak, Jaravel & Spiess (2024), Revisiting event-study designs, Review of Economic Studies
    91. Brynjolfsson, Li & Raymond (2025), Generative AI at work, Quarterly Journal of Economics
    140, for effects by tenure.

    Examples
    --------
    >>> from ccanalytics.simulation.panels import draw_team_world
    >>> world = draw_team_world(3)
    >>> found = effect(world.panel, world.rollouts, "knowledge_base")
    >>> found.relative.excludes_zero, found.unit
    (True, 'team')
    """
    level = check_level(level)
    if outcome not in OUTCOMES:
        raise InputError("no such outcome", f"outcome={outcome!r}", "one of " + ", ".join(OUTCOMES))
    if design not in ("auto", *DESIGNS):
        raise InputError("no such design", f"design={design!r}", "auto, " + " or ".join(DESIGNS))
    if isinstance(min_weeks, bool) or not isinstance(min_weeks, int) or min_weeks < 1:
        raise InputError("min_weeks is a whole number, 1 or more", f"min_weeks={min_weeks!r}")
    for name, steps in (("bands", bands), ("windows", windows)):
        right = isinstance(steps, (list, tuple)) and all(type(s) is int and s > 0 for s in steps)
        if not right or sorted(set(steps)) != list(steps):
            raise InputError("these are whole weeks, each above the last", f"{name}={steps!r}")
    asked = Asked(treatment, outcome, by, tuple(bands), design, unit_kind, min_weeks, level)
    if asked.kind_of(rollouts) == "service":
        return service_effect(panel, rollouts, asked, tuple(windows))
    if design == "auto":
        asked = replace(asked, design="randomised" if by_lot(rollouts, asked) else "staggered")
    for split in (True, False):
        told = cells_of(panel, rollouts, asked, split=split)
        fit = nested(told.cells(0))
        try:
            whole = fit.ratio(told.event >= 1)
        except DataError as error:
            if split:
                continue
            raise DataError(
                "another roll-out came to the same people in the same weeks, and the two cannot "
                "be told apart",
                ", ".join(told.others) or "tenure",
                "call both one treatment, with the day of the first",
            ) from error
        break
    return _estimated(told, fit, whole, asked, tuple(windows))


def _estimated(
    told: Prepared, fit: Nested, whole: Ratio | None, asked: Asked, windows: tuple[int, ...]
) -> HandleEffect:
    logs, level = asked.outcome == "aht", asked.level
    if whole is None:
        raise DataError(
            "nobody is without it in the weeks after it went live",
            f"{told.name}; weeks in which at least two units are untreated are needed",
            "compare with teams that get it later, or take a longer span",
        )
    if whole.clusters < 2:
        raise DataError(
            f"only one {told.unit} went live: its own ups and downs cannot be told from an effect",
            told.name,
            "wait for a second one",
        )
    after = (told.event >= 1) & fit.known & (told.weight > 0)
    middle, left = _scale(whole, logs=logs)
    half, error, degrees = limits(left, level)
    relative = whole.relative(level, logs=logs)
    groups, errors, gap = _by_group(told, fit, level, logs=logs)
    each = 1 - (1 - level) * 2 / 3
    early = _early(told)
    placebo = _relative(early, (told.event >= -LEADS) & (told.event < 0), each, logs=logs)
    drift = _drift(told, whole, level, logs=logs)
    live = sorted({told.units[g] for g in told.cluster[after].tolist()})
    controls = len(set(told.cluster[(told.event < 0) & (told.weight > 0)].tolist()))
    grade, reason = _graded(told, asked, placebo, drift, len(live))
    as_share = np.expm1 if logs else np.asarray
    left_out = without(told.units, as_share(left), float(as_share(middle)))
    checks = before(placebo) + drifted(drift, "those who got it first", "in 13 weeks")
    checks += alone(told.unit, left_out, float(as_share(middle)))
    if told.others:
        others = ", ".join(term(other) for other in told.others)
        checks.append(Check("Other roll-outs", "informs", f"held apart: {others}"))
    checks += [Check(name, "informs", why) for name, why in told.remarks]
    return HandleEffect(
        name=term(told.name),
        outcome=asked.outcome,
        design=asked.design,
        method=_METHOD[asked.design].format(what=_WHAT[asked.outcome], unit=told.unit),
        grade=grade,
        reason=reason,
        unit=told.unit,
        live=tuple(live),
        controls=controls,
        agents=len(set(told.person[after].tolist())),
        cells=int(after.sum()),
        calls=int(told.weight[after].sum()),
        relative=relative,
        change=_change(told, whole, after, relative, level, logs=logs),
        placebo=placebo,
        drift=drift,
        gap=gap,
        detectable=_detectable(half + POWER * error, logs=logs),
        by_group=groups,
        later=_later(told, fit, windows, level, logs=logs),
        events=_events(told, fit, early, level, logs=logs),
        without=left_out,
        errors={"all": error, **errors},
        degrees=degrees,
        inputs={
            "treatment": told.name, "outcome": asked.outcome, "by": asked.by,
            "bands": asked.bands, "design": asked.design, "unit_kind": told.unit,
            "windows": windows, "min_weeks": asked.min_weeks, "level": level,
        },
        checks=tuple(checks),
    )  # fmt: skip


def _early(told: Prepared) -> Nested | None:
    try:
        return nested(told.cells(LEADS))
    except DataError:
        return None


def _relative(fit: Nested | None, chosen: Bools, level: float, *, logs: bool) -> Estimate | None:
    """The change in some cells, None where the data cannot say."""
    if fit is None:
        return None
    try:
        ratio = fit.ratio(chosen)
    except DataError:
        return None
    if ratio is None or ratio.clusters < 2:
        return None
    found = ratio.relative(level, logs=logs)
    return found if np.isfinite([found.value, found.low, found.high]).all() else None


def _change(
    told: Prepared, ratio: Ratio, cells: Bools, relative: Estimate, level: float, *, logs: bool
) -> Estimate:
    """Per call: seconds of the mean as the typical time moves, or the share itself."""
    if not logs:
        return ratio.difference(level)
    mean = float(told.seconds[cells].sum() / told.weight[cells].sum())
    return seconds_of(mean, relative)


def _by_group(
    told: Prepared, fit: Nested, level: float, *, logs: bool
) -> tuple[pl.DataFrame, dict[str, float], Estimate | None]:
    import polars as pl

    rows, errors, ends = [], {}, []
    for code, name in enumerate(told.groups):
        chosen = (told.event >= 1) & (told.group == code)
        relative = _relative(fit, chosen, level, logs=logs)
        ratio = fit.ratio(chosen) if relative is not None else None
        if relative is None or ratio is None:
            continue
        cells = chosen & fit.known & (told.weight > 0)
        change = _change(told, ratio, cells, relative, level, logs=logs)
        ends.append(_scale(ratio, logs=logs))
        errors[name] = limits(ends[-1][1], level)[1]
        people = len(set(told.person[cells].tolist()))
        rows.append(
            (name, people, int(ratio.weight), relative.value, relative.low, relative.high,
             change.value, change.low, change.high)
        )  # fmt: skip
    names = ["group", "agents", "calls", "relative", "relative_low", "relative_high"]
    names += ["change", "change_low", "change_high"]
    gap = None
    if len(ends) > 1:
        (first, left), (last, other) = ends[0], ends[-1]
        half = limits(left - other, level)[0]
        gap = _about(first - last, half, level, logs=logs)
    kinds = dict.fromkeys(names, pl.Float64) | {
        "group": pl.String, "agents": pl.Int64, "calls": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=kinds, orient="row"), errors, gap


def _later(
    told: Prepared, fit: Nested, windows: tuple[int, ...], level: float, *, logs: bool
) -> pl.DataFrame:
    """The effect by stretch of weeks since going live."""
    import polars as pl

    rows, first = [], 1
    for last in (*windows, None):
        until = np.inf if last is None else last
        chosen = (told.event >= first) & (told.event <= until)
        relative = _relative(fit, chosen, level, logs=logs)
        if relative is not None:
            some = chosen & fit.known & (told.weight > 0)
            name = f"{first} to {last}" if last is not None else f"{first} or more"
            units = len(set(told.cluster[some].tolist()))
            calls = int(told.weight[some].sum())
            rows.append((name, units, calls, relative.value, relative.low, relative.high))
        first = (last or 0) + 1
    names = {"weeks_since": pl.String, "units": pl.Int64, "calls": pl.Int64}
    ends = dict.fromkeys(("relative", "relative_low", "relative_high"), pl.Float64)
    return pl.DataFrame(rows, schema={**names, **ends}, orient="row")


def _events(
    told: Prepared, fit: Nested, early: Nested | None, level: float, *, logs: bool
) -> pl.DataFrame:
    import polars as pl

    rows = []
    for event in range(-LEADS, LAGS + 1):
        model = early if event < 0 else fit
        relative = _relative(model, told.event == event, level, logs=logs)
        if relative is not None and event:
            units = len(set(told.cluster[(told.event == event) & (told.weight > 0)].tolist()))
            rows.append((event, units, relative.value, relative.low, relative.high))
    names = {"event": pl.Int64, "units": pl.Int64}
    ends = dict.fromkeys(("relative", "relative_low", "relative_high"), pl.Float64)
    return pl.DataFrame(rows, schema={**names, **ends}, orient="row")


def _drift(told: Prepared, whole: Ratio, level: float, *, logs: bool) -> Estimate | None:
    """Trend of the first units to go live less that of the last, in 13 weeks, before they did."""
    if len(set(told.cluster[told.event >= 0].tolist())) < _FEWEST_LIVE + 2:
        return None
    try:
        fit = nested(told.cells(0, trend=True))
    except DataError:
        return None
    if abs(fit.space[0, -1, -1] - 1) > 1e-3:
        return None
    slope = fit.theta[:, -1] * _QUARTER
    if not logs:
        slope = slope / max(whole.foretold, 1e-9)
    half, _, _ = limits(slope[1:], level)
    return _about(float(slope[0]), half, level, logs=logs)


def _about(middle: float, half: float, level: float, *, logs: bool) -> Estimate:
    """Limits about a number, as shares."""
    value, low, high = middle, middle - half, middle + half
    if logs:
        value, low, high = np.expm1([value, low, high]).tolist()
    return Estimate(value, low, high, level)


def _scale(ratio: Ratio, *, logs: bool) -> tuple[float, Floats]:
    """The estimate that the jackknife is about, and the same without each unit."""
    return (ratio.value, ratio.left_out) if logs else (ratio.share, ratio.share_left_out)


def _detectable(reach: float, *, logs: bool) -> float:
    return float(-np.expm1(-reach)) if logs else reach


def _graded(
    told: Prepared,
    asked: Asked,
    placebo: Estimate | None,
    drift: Estimate | None,
    live: int,
) -> tuple[Grade, str]:
    if placebo is None:
        return "weak", "there are too few weeks before going live to try the method on"
    if placebo.excludes_zero:
        return "weak", (
            "it shows an effect before anything had happened: those who got it moved otherwise "
            "than those who had not"
        )
    if drift is not None and drift.excludes_zero:
        return "weak", "those who got it were moving away from the others before"
    if live < _FEWEST_LIVE:
        return "weak", f"only {counted(live, told.unit)} went live"
    if len(told.units) < _FEWEST_UNITS:
        return "weak", f"only {counted(len(told.units), told.unit)} can be compared"
    if asked.design == "randomised":
        arm = min(live, told.never)
        if arm < _FEWEST_ARM:
            return "weak", f"only {counted(arm, told.unit)} stand in the smaller arm"
        if arm < 2 * _FEWEST_ARM:
            return "moderate", (
                f"a lot decided who got it, but only {counted(arm, told.unit)} stand in the "
                "smaller arm"
            )
        return "strong", "a lot decided who got it, and nothing shows before it"
    if told.by_score:
        return "weak", "who got it was chosen, not drawn by lot"
    return "moderate", (
        "who got it when was not drawn by lot: whoever chose may have known what was coming, and "
        "what teams learn from each other counts as no effect"
    )
