"""What SMS-assist during the call, or any change by service, did to the handle time of its calls.

Means of handle time by service and week are compared as counts are: the service's level times the
week's. Seconds stay seconds, so that what a call saves in which it was accepted can be told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.handletime.effect_cells import dates_of
from ccanalytics.handletime.effect_result import HandleEffect, seconds_of
from ccanalytics.results import Check, Estimate
from ccanalytics.statistics.effects.falsifications import (
    POWER,
    alone,
    before,
    events,
    relative_or_none,
    without,
)
from ccanalytics.statistics.effects.left_out import Foretold, leave_one_out
from ccanalytics.statistics.effects.nested import Cells, limits, nested
from ccanalytics.statistics.effects.panel import LEADS, NEVER, Panel, told
from ccanalytics.statistics.effects.rollouts import others_live, part_live
from ccanalytics.statistics.effects.two_way import fitted
from ccanalytics.statistics.effects.weekly import as_date
from ccanalytics.statistics.frames import as_polars, check_counts, whole_weeks
from ccanalytics.vocabulary import counted, term

if TYPE_CHECKING:
    import datetime as dt

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.handletime.effect_cells import Asked
    from ccanalytics.statistics.effects.effect import Grade

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["service_effect"]

_NEEDS = ("local_start", "interval_s", "service", "calls", "handle_s")
_FEWEST, _CONTROLS, _STEPS = 5, 10, 6
_METHOD = (
    "Staggered difference in differences on handle time: what untreated weeks foretell (level of "
    "the service times level of the week, calls weighing); limits by leaving out one service at a "
    "time."
)


def service_effect(
    panel: Any, rollouts: Any, asked: Asked, windows: tuple[int, ...]
) -> HandleEffect:
    """Estimate by services; see :func:`ccanalytics.handletime.effect`."""
    if asked.outcome != "aht":
        raise InputError("of services, handle time alone is told", f"outcome={asked.outcome!r}")
    if asked.design == "randomised":
        raise InputError("services are compared staggered", f"design={asked.design!r}")
    frame = as_polars(panel, "panel", _NEEDS, "log.assisted_calls()")
    names: list[str] = [n for n in ("calls", "handle_s", "assisted") if n in frame.columns]
    check_counts(frame, names, "panel")
    dates, rows, name = dates_of(rollouts, asked)
    weeks, cut = whole_weeks(frame, "the weeks of the panel")
    units, days, tables = _tables(weeks, names)
    calls, seconds = tables["calls"], tables["handle_s"]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(calls > 0, seconds / calls, 0.0)
    place = {unit: i for i, unit in enumerate(units)}
    live = np.full(len(units), NEVER)
    for unit, day in rows.drop_nulls("live_on").select("unit", "live_on").iter_rows():
        if unit in place:
            live[place[unit]] = (as_date("live_on", day) - days[0]).days // 7
    others = _others(dates, name, units, days)
    whole = Panel.of(mean, live, units, days, others, asked.min_weeks)
    kept = [place[unit] for unit in whole.units]
    weight = calls[kept]
    fit, early = _foretell(whole, weight, 0), _foretell(whole, weight, LEADS)
    found = fit.ratios(whole.treated)
    level = asked.level
    half = found.half(level)
    relative = found.relative(level)
    now = float((mean[kept] * weight * found.cells).sum() / (weight * found.cells).sum())
    change = seconds_of(now, relative)
    placebo = relative_or_none(early, whole.leads(), 1 - (1 - level) * 2 / 3)
    live_units = [whole.units[i] for i in np.flatnonzero(found.cells.any(axis=1))]
    controls = int(((whole.untreated * found.cells.any(axis=0)).sum(axis=1) > 0).sum())
    assisted = tables["assisted"][kept] if "assisted" in tables else None
    grade, reason = _graded(placebo, controls, len(live_units))
    middle = float(np.expm1(found.log))
    left_out = without(whole.units, np.expm1(found.left_out), middle)
    checks = [*before(placebo), *alone("service", left_out, middle)]
    checks += _remarks(whole, others, cut)
    return HandleEffect(
        name=term(name), outcome="aht", design="staggered", method=_METHOD, grade=grade,
        reason=reason, unit="service", live=tuple(live_units), controls=controls, agents=0,
        cells=int(found.cells.sum()), calls=int((weight * found.cells).sum()),
        relative=relative, change=change,
        per_assisted_s=_per_assisted(whole, weight, assisted, level),
        placebo=placebo, drift=None, gap=None,
        detectable=float(-np.expm1(-(half + POWER * found.error))),
        by_group=_empty(), later=_later(whole, fit, windows, level),
        events=_rows([e for e in events(whole, fit, early, level) if e[0]], "event"),
        without=left_out, errors={"all": found.error}, degrees=found.degrees,
        inputs={
            "treatment": name, "outcome": "aht", "by": None, "design": "staggered",
            "unit_kind": "service", "windows": windows, "min_weeks": asked.min_weeks,
            "level": level,
        },
        checks=tuple(checks),
    )  # fmt: skip


def _tables(
    weeks: pl.DataFrame, names: list[str]
) -> tuple[list[str], list[dt.date], dict[str, Floats]]:
    """Services, weeks and their sums, 0 where there is no row."""
    rows = weeks.drop_nulls("service")
    if rows.select("service", "local_start").is_duplicated().any():
        raise InputError("a service has one row a week", "panel", "sum them up first")
    if not rows.height:
        raise DataError(
            "no call tells its service, so services cannot be compared",
            "column 'service' is null throughout",
            "load calls with service",
        )
    units = rows["service"].unique().sort().to_list()
    stamps = weeks["local_start"].unique().sort().to_list()
    row, column = ({v: k for k, v in enumerate(each)} for each in (units, stamps))
    i = [row[u] for u in rows["service"].to_list()]
    j = [column[s] for s in rows["local_start"].to_list()]
    tables = {}
    for name in names:
        tables[name] = np.zeros((len(units), len(stamps)))
        tables[name][i, j] = rows[name].to_numpy()
    return units, [as_date("local_start", s) for s in stamps], tables


def _others(
    dates: pl.DataFrame, name: str, units: list[str], days: list[dt.date]
) -> dict[str, Floats]:
    """Shares of each week in which other roll-outs of the same services were live."""
    import polars as pl

    rest = dates.filter(pl.col("unit_kind") == "service", pl.col("treatment") != name)
    found = {}
    for other, live in others_live(rest).items():
        on = {unit: as_date("live_on", day) for unit, day in live.items()}
        found[term(other)] = np.array(
            [[part_live(day, on[unit]) if unit in on else 0.0 for day in days] for unit in units]
        )
    return found


def _foretell(panel: Panel, weight: Floats, ahead: int) -> Foretold:
    """Levels of services and weeks from untreated cells, calls weighing; then without each."""
    base = panel.base(ahead) * (weight > 0)
    used = (base * weight / weight.mean())[None] * leave_one_out(len(base))[:, :, None]
    mean = fitted(panel.calls, used, panel.others)
    known = (used.sum(axis=1) > 0)[:, None, :] & (base.sum(axis=1) > 0)[None, :, None]
    return Foretold(panel.calls, np.where(known, mean, np.nan), weight=weight)


def _per_assisted(
    panel: Panel, weight: Floats, assisted: Floats | None, level: float
) -> Estimate | None:
    """Seconds less in a call in which it was accepted, taken to be the same in all such calls.

    meanᵢₜ = αᵢ·λₜ·(others) − s·doseᵢₜ in all cells but weeks of going live, calls weighing; the
    dose is the share of the service's calls in which it is accepted once live: not the week's
    own share, which is larger in weeks of longer calls. Since treated weeks help to
    tell the levels, this is known better than the whole; it leans on s being one number. Gauss and
    Newton's steps from s = 0; limits by leaving out one service at a time.
    """
    if assisted is None:
        return None
    after = panel.event >= 1
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (assisted * after).sum(axis=1) / (weight * after).sum(axis=1)
    dose = np.nan_to_num(share)[:, None] * (panel.event >= 0)
    some = (weight > 0) & (panel.event != 0)
    if (dose[some] > 0).sum() < _FEWEST or not (dose[some] == 0).any():
        return None
    unit, week = np.nonzero(some)
    saved = 0.0
    for _ in range(_STEPS):
        base = fitted(panel.calls + saved * dose, some * weight / weight.mean(), panel.others)
        mean = base[some]
        fit = nested(
            Cells(
                value=(panel.calls[some] + saved * dose[some]) / mean - 1,
                weight=weight[some],
                cluster=unit,
                person=unit,
                week=week,
                shared=np.column_stack([*(o[some] for o in panel.others), dose[some] / mean]),
                untreated=np.ones(unit.size, bool),
            )
        )
        if abs(fit.space[0, -1, -1] - 1) > 1e-3:
            return None
        left = saved - fit.theta[:, -1]
        if abs(left[0] - saved) < 1e-3:
            break
        saved = float(left[0])
    half, _, _ = limits(left[1:], level)
    return Estimate(-float(left[0]), -float(left[0]) - half, -float(left[0]) + half, level)


def _graded(placebo: Estimate | None, controls: int, live: int) -> tuple[Grade, str]:
    if placebo is None:
        return "weak", "there are no weeks before going live to try the method on"
    if placebo.excludes_zero:
        return "weak", "it shows an effect before anything had happened"
    if controls < _CONTROLS:
        return "weak", f"only {counted(controls, 'service')} can serve as control"
    if live < _FEWEST:
        return "weak", f"only {counted(live, 'service')} went live"
    return "moderate", (
        "services were not drawn by lot, and another change of the same services on the same days "
        "would count as its effect"
    )


def _rows(found: list[tuple[Any, ...]], first: str) -> pl.DataFrame:
    import polars as pl

    kinds = {first: pl.Int64 if first == "event" else pl.String, "units": pl.Int64}
    if first != "event":
        kinds["calls"] = pl.Int64
    ends = dict.fromkeys(("relative", "relative_low", "relative_high"), pl.Float64)
    return pl.DataFrame(found, schema={**kinds, **ends}, orient="row")


def _empty() -> pl.DataFrame:
    import polars as pl

    ends = ("relative", "change")
    names = [f"{name}{end}" for name in ends for end in ("", "_low", "_high")]
    kinds = {"group": pl.String, "agents": pl.Int64, "calls": pl.Int64}
    return pl.DataFrame(schema={**kinds, **dict.fromkeys(names, pl.Float64)})


def _later(panel: Panel, fit: Foretold, windows: tuple[int, ...], level: float) -> pl.DataFrame:
    rows, first = [], 1
    weight = fit.weight if fit.weight is not None else np.ones_like(panel.calls)
    for last in (*windows, None):
        until = np.inf if last is None else last
        cells = panel.treated & (panel.event >= first) & (panel.event <= until)
        try:
            found = fit.ratios(cells)
        except DataError:
            found = None
        if found is not None:
            told_ = found.relative(level)
            name = f"{first} to {last}" if last is not None else f"{first} or more"
            units = int(found.cells.any(axis=1).sum())
            calls = int((weight * found.cells).sum())
            rows.append((name, units, calls, told_.value, told_.low, told_.high))
        first = (last or 0) + 1
    return _rows(rows, "weeks_since")


def _remarks(panel: Panel, others: dict[str, Floats], cut: int) -> list[Check]:
    remarks = []
    if others:
        remarks.append(Check("Other roll-outs", "informs", "held apart: " + ", ".join(others)))
    if panel.left_out:
        remarks.append(Check("Services left out", "informs", told(panel.left_out)))
    if cut:
        remarks.append(Check("Weeks cut", "informs", f"{counted(cut, 'row')} covered in part"))
    return remarks
