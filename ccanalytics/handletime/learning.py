"""Learning: how much longer newcomers take, told within agents, so that who left does not bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError
from ccanalytics.handletime.agentcells import (
    agent_cells,
    agents_left_out,
    hired_days,
    listed,
)
from ccanalytics.handletime.learningmodel import LearningModel, leavers_pace, spread_doubts, student
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["LearningCurve", "learning_curve", "learning_law"]


def learning_law(first: Any, rate: Any, unit: Any) -> Any:
    """Give Wright's law of learning: T_k = T₁·k^(log₂ r).

    Parameters
    ----------
    first
        Time of the first unit, T₁, seconds.
    rate
        Learning rate r, 0 < r: the factor by which each doubling of units multiplies the time.
    unit
        Which unit, k ≥ 1: calls, days or weeks worked. All three broadcast.

    Returns
    -------
    float or array
        Seconds.

    Raises
    ------
    InputError
        A rate that is not above 0, or a unit below 1.

    References
    ----------
    T. P. Wright (1936), Factors affecting the cost of airplanes, Journal of the Aeronautical
    Sciences 3, 122–128.

    Examples
    --------
    >>> [round(float(each), 2) for each in learning_law(100, 0.8, [1, 2, 4, 8, 16])]
    [100.0, 80.0, 64.0, 51.2, 40.96]
    """
    t, r, k = (np.asarray(each, float) for each in (first, rate, unit))
    if not ((r > 0) & np.isfinite(r)).all():
        raise InputError("a learning rate is above 0", f"rate={rate!r}", "0.8 for a fifth less")
    if not (k >= 1).all():
        raise InputError("units are counted from 1", f"unit={unit!r}")
    found = t * k ** np.log2(r)
    return float(found) if found.ndim == 0 else found


@dataclass(frozen=True, eq=False, kw_only=True)
class LearningCurve(Result):
    """How long newcomers take, relative to tenured agents, by weeks of work.

    Attributes
    ----------
    rate
        Learning rate: the factor on typical handle time for each doubling of weeks of work.
    proficient_weeks
        Weeks of work until typical handle time is within ``within`` of tenured; nan: not reached
        in this log.
    rows
        One row per week asked for: ``weeks_worked``, ``relative_time`` with limits (typical handle
        time over that of tenured agents), ``naive`` (from who was there, not within agents),
        ``learners`` (agents seen near that tenure) and ``timed_calls``; null where too few agents
        were seen.
    errors
        Weeks of work → standard error of the logarithm of ``relative_time`` there.
    curve
        The same at every knot of the curve.
    leavers
        Typical handle time of those who left, over those who stayed, like tenure held against like;
        None where too few left.
    newcomers, tenured
        Agents seen before and after ``tenured_weeks``.
    """

    rate: Estimate
    proficient_weeks: Estimate
    errors: dict[float, float]
    rows: pl.DataFrame
    curve: pl.DataFrame
    leavers: Estimate | None
    newcomers: int
    tenured: int

    def headline(self) -> str:
        """Give the answer alone, in one or two sentences."""
        told = self.rows.filter(self.rows["relative_time"].is_not_null())
        weeks = self.inputs["tenured_weeks"]
        if not told.height:
            return "No week of work asked for was seen in enough agents."
        first = told.row(0, named=True)
        start = (
            f"In week {first['weeks_worked']:g} of work newcomers take {_times(first)} the time "
            f"of agents with {weeks:g} weeks or more"
        )
        within, soon = self.inputs["within"], self.proficient_weeks
        if np.isnan(soon.value):
            return f"{start}; when they come within {within:.0%} is not seen in this log."
        if soon.value <= first["weeks_worked"] and first["relative_time"] <= 1 + within:
            return f"{start}: no slower by {within:.0%} or more."
        reach = f"{soon.low:.0f} to {soon.high:.0f}" if np.isfinite(soon.high) else "not known"
        return f"{start}; they come within {within:.0%} after {soon.value:.0f} weeks ({reach})."

    def summary(self) -> str:
        """Give the answer, the rate, what a naive curve says, and the method."""
        rate = self.rate
        words = [self.headline()]
        if rate.high < 1:
            words.append(
                f"Each doubling of weeks worked multiplies typical handle time by "
                f"{rate.format('{:.3f}')}."
            )
        else:
            words.append(
                f"No learning beyond chance: each doubling of weeks worked multiplies typical "
                f"handle time by {rate.format('{:.3f}')}."
            )
        words.append(
            f"Each of {counted(self.newcomers, 'newcomer')} is followed: levels of "
            "agents, kinds of calls and intervals of the log are held, so that who left, which "
            "calls came and what changed for all are not taken for learning. Times are on logs "
            "(typical); limits take agents, not calls, as independent."
        )
        return " ".join(words)

    def to_frame(self) -> pl.DataFrame:
        """Give the weeks asked for."""
        return self.rows


def _times(row: dict[str, float]) -> str:
    value, low, high = (row[f"relative_time{side}"] for side in ("", "_low", "_high"))
    return f"{value:.2f} times ({low:.2f} to {high:.2f})"


def learning_curve(
    frame: Any,
    people: Any,
    *,
    weeks: Iterable[float] = (1, 4, 13, 26, 52),
    tenured_weeks: float = 52,
    within: float = 0.05,
    most: int = 60,
    level: float = 0.95,
) -> LearningCurve:
    """Estimate how handle time falls with weeks of work, within agents.

    On logs of seconds of calls of agent *i*, kind *s*, interval *t*, in the *w*-th week of work:

        log y = αᵢ + βₛ + γₜ + f(w) + e,

    once with the law f = log(r)·log₂ w, so that T_w = T₁ w^(log₂ r), and once with f straight
    between knots. f is constant from ``tenured_weeks`` on: that agents so old no
    longer learn is what tells learning from what changed for all. αᵢ holds what is lasting about
    an agent, so that slow agents who leave do not make the others look as if they had learned.

    Parameters
    ----------
    frame
        Frame of ``CallLog.agent_handling("1w", by=[…])``, or of days; its keys are kinds of calls.
    people
        Frame of ``CallLog.agents()``: ``agent``, ``hired_on``, ``left_on``.
    weeks
        Weeks of work to tell, 1 (the first) to ``tenured_weeks``.
    tenured_weeks
        From which on nobody learns any more.
    within
        Share of tenured handle time within which a newcomer counts as proficient.
    most
        Kinds to tell apart, those with most calls.
    level
        Of the limits, 0–1: agents are clusters (CR2), and Student's t has as many degrees of
        freedom as agents carry the coefficient.

    Raises
    ------
    InputError
        A frame without its columns or of intervals above a week, weeks that cannot be.
    DataError
        Fewer than three newcomers with a day of hiring, or three tenured agents.

    References
    ----------
    Gans, Liu, Mandelbaum, Shen & Ye (2010), Service times in call centers: agent heterogeneity and
    learning, IMS Collections 6, 99–123; Bell & McCaffrey (2002), Survey Methodology 28, 169–181;
    Carter, Schnepel & Steigerwald (2017), Review of Economics and Statistics 99, 698–709.

    Examples
    --------
    >>> import datetime as dt, polars as pl
    >>> monday, rows, hired = dt.date(2024, 1, 1), [], []
    >>> for i in range(12):  # six who come one after the other, six who were there long before
    ...     first = 4 * i if i < 6 else -60
    ...     hired.append((f"a{i}", monday + dt.timedelta(weeks=first), None))
    ...     for t in range(max(first, 0), 80):
    ...         log = float(np.log(learning_law(300, 0.9, min(t - first + 1, 52))))
    ...         rows.append((monday + dt.timedelta(weeks=t), 604800, f"a{i}", 50, 50 * log,
    ...                      50 * log**2, 50 * 250.0, 50 * 9e4))
    >>> cells = pl.DataFrame(rows, orient="row", schema=["local_start", "interval_s", "agent",
    ...     "timed_calls", "timed_logs", "timed_logs2", "timed_s", "timed_ss"])
    >>> agents = pl.DataFrame(hired, orient="row", schema={"agent": pl.String,
    ...     "hired_on": pl.Date, "left_on": pl.Date})
    >>> found = learning_curve(cells, agents)
    >>> round(found.rate.value, 3), round(found.rows["relative_time"][0], 3)
    (0.9, 1.823)
    """
    import polars as pl

    level = check_level(level)
    asked = _weeks(weeks, tenured_weeks, within)
    cells = agent_cells(frame, most, longest_days=8)
    rows = listed(people)
    hired, left, unknown = hired_days(cells, rows)
    model = LearningModel.of(cells, hired, asked, float(tenured_weeks))
    law = model.sums.fit([0], model.nuisance)
    curve = model.sums.fit(model.hats_at, model.nuisance)
    naive = model.sums.between([*model.hats_at, *model.nuisance])[: len(model.hats_at)]
    quantiles = student(curve.degrees, level)
    theta, errors = curve.beta[: len(model.hats_at)], curve.errors
    half = quantiles * errors
    (slope,), (slope_error,) = law.beta[:1], law.errors
    wide = float(student(law.degrees, level)[0] * slope_error)
    value, low, high = (float(np.exp(slope + k * wide)) for k in (0, -1, 1))
    rate = Estimate(value, low, high, level)
    soon = model.hats.crossing(theta, curve.covariance, quantiles, float(np.log1p(within)), level)
    told = model.told(theta, half, naive)
    leavers, left_count = leavers_pace(model, curve.beta, left, level)
    return LearningCurve(
        inputs={
            "weeks": tuple(asked), "tenured_weeks": tenured_weeks, "within": within, "most": most,
            "level": level, "by": cells.keys,
        },
        checks=(
            *_checks(model, told, leavers, left_count, soon, asked),
            *spread_doubts(model),
            *agents_left_out(unknown, "agents without a day of hiring"),
            *cells.checks(),
        ),
        rate=rate,
        proficient_weeks=soon,
        errors=dict(zip(model.hats.weeks.tolist(), errors.tolist(), strict=False)),
        rows=pl.DataFrame({"weeks_worked": asked})
        .join(told, on="weeks_worked", how="left").sort("weeks_worked"),
        curve=told,
        leavers=leavers,
        newcomers=model.newcomers,
        tenured=model.tenured,
    )  # fmt: skip


def _weeks(weeks: Iterable[float], tenured: Any, within: Any) -> list[float]:
    for name, value, low in (("tenured_weeks", tenured, 4), ("within", within, 1e-6)):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not low <= value < (1e4 if name == "tenured_weeks" else 1):
            raise InputError("this is out of range", f"{name}={value!r}", "52 weeks, within 0.05")
    try:
        asked = sorted({float(each) for each in weeks})
    except (TypeError, ValueError):
        raise InputError("weeks must be numbers", f"weeks={weeks!r}", "(1, 4, 13)") from None
    if not asked or not all(1 <= each <= tenured for each in asked):
        raise InputError(
            "weeks of work lie between 1 and tenured_weeks",
            f"weeks={asked!r}, tenured_weeks={tenured:g}",
        )
    return asked


def _checks(
    model: LearningModel,
    told: pl.DataFrame,
    leavers: Estimate | None,
    left_count: int,
    soon: Estimate,
    asked: list[float],
) -> tuple[Check, ...]:
    checks = [_survivors(told, leavers, left_count)]
    missing = [week for week in asked if week in model.hats.dropped]
    if missing:
        checks.append(
            Check("tenures seen", "fails",
                  "too few agents were seen near "
                  + ", ".join(f"{week:g}" for week in missing)
                  + " weeks of work; nothing is said of these")
        )  # fmt: skip
    if np.isnan(soon.value):
        checks.append(
            Check("time to proficiency", "fails",
                  "not reached in this log: too few agents were seen at the tenures between")
        )  # fmt: skip
    if model.tenured < 10 or model.newcomers < 10:
        checks.append(
            Check("few agents", "informs",
                  f"{counted(model.newcomers, 'newcomer')} and "
                  f"{counted(model.tenured, 'tenured agent')}: limits rest on few people")
        )  # fmt: skip
    checks.append(
        Check("what changed for some", "informs",
              "a tool or a course that reached newcomers alone, or team by team, is told as "
              "learning; what reached all in the same week is not")
    )  # fmt: skip
    return tuple(checks)


def _survivors(told: pl.DataFrame, leavers: Estimate | None, left: int) -> Check:
    first = told.row(0, named=True)
    apart = (
        f"the naive curve puts newcomers in week {first['weeks_worked']:g} at "
        f"{first['naive']:.2f} times tenured where the same agents, followed, give "
        f"{first['relative_time']:.2f}"
    )
    if leavers is None:
        return Check("who left", "informs", f"{counted(left, 'agent')} left, too few to compare")
    if leavers.low > 1 or leavers.high < 1:
        which = "slower" if leavers.value > 1 else "faster"
        return Check(
            "who left", "fails",
            f"the {left} who left were {abs(leavers.value - 1):.0%} {which} at the same tenure "
            f"({leavers.low - 1:+.0%} to {leavers.high - 1:+.0%}), so that those who stay look "
            f"{'quicker' if which == 'slower' else 'slower'} than people become: {apart}",
        )  # fmt: skip
    return Check(
        "who left", "holds",
        f"the {left} who left were about as quick as the others at the same tenure; {apart}",
    )  # fmt: skip
