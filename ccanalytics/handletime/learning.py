"""Learning: how much longer newcomers take, told within agents, so that who left does not bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import DataError, InputError
from ccanalytics.handletime.agentcells import (
    AgentCells,
    agent_cells,
    agents_left_out,
    hired_days,
    listed,
    some_names,
)
from ccanalytics.handletime.learningcurve import KNOTS, Hats, doublings
from ccanalytics.handletime.levels import indicators, within_agents
from ccanalytics.results import Check, Estimate, Result
from ccanalytics.statistics.checking import check_level
from ccanalytics.vocabulary import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.handletime.levels import WithinAgents

    Floats = NDArray[np.float64]

__all__ = ["LearningCurve", "learning_curve", "learning_law"]

_FEWEST = 3  # agents on either side of tenured


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
        One row per week asked for: ``weeks``, ``relative`` with limits (typical handle time over
        that of tenured agents), ``naive`` (the same from who was there, not within agents),
        ``learners`` (agents seen near that tenure) and ``timed_calls``; null where too few agents
        were seen.
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
    rows: pl.DataFrame
    curve: pl.DataFrame
    leavers: Estimate | None
    newcomers: int
    tenured: int

    def headline(self) -> str:
        """Give the answer alone, in one or two sentences."""
        told = self.rows.filter(self.rows["relative"].is_not_null())
        weeks = self.inputs["tenured_weeks"]
        if not told.height:
            return "No week of work asked for was seen in enough agents."
        first = told.row(0, named=True)
        start = (
            f"In week {first['weeks']:g} of work newcomers take "
            f"{_times(first['relative'], first['relative_low'], first['relative_high'])} the time "
            f"of agents with {weeks:g} weeks or more"
        )
        within, soon = self.inputs["within"], self.proficient_weeks
        if np.isnan(soon.value):
            return f"{start}; when they come within {within:.0%} is not seen in this log."
        if soon.value <= told["weeks"].min() and first["relative"] <= 1 + within:
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
            f"Each of {counted(self.newcomers, 'newcomer')} is compared with himself: levels of "
            "agents, kinds of calls and intervals of the log are held, so that who left, which "
            "calls came and what changed for all are not taken for learning. Times are on logs "
            "(typical); limits by leaving out one agent at a time."
        )
        return " ".join(words)

    def to_frame(self) -> pl.DataFrame:
        """Give the weeks asked for."""
        return self.rows


def _times(value: float, low: float, high: float) -> str:
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
        Of the limits, 0–1: jackknife over agents, Student's t with as many degrees of freedom as
        agents carry the coefficient.

    Raises
    ------
    InputError
        A frame without its columns or of intervals above a week, weeks that cannot be.
    DataError
        Fewer than three newcomers with a day of hiring, or three tenured agents.

    References
    ----------
    Gans, Liu, Mandelbaum, Shen & Ye (2010), Service times in call centers: agent heterogeneity and
    learning, IMS Collections 6, 99–123; Carter, Schnepel & Steigerwald (2017), Review of Economics
    and Statistics 99, 698–709.

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
    >>> round(found.rate.value, 3), round(found.rows["relative"][0], 3)
    (0.9, 1.823)
    """
    import polars as pl

    level = check_level(level)
    asked = _weeks(weeks, tenured_weeks, within)
    cells = agent_cells(frame, most, longest_days=8)
    rows = listed(people)
    hired, left, unknown = hired_days(cells, rows)
    model = _Model.of(cells, hired, asked, float(tenured_weeks))
    law = model.sums.fit([0], model.nuisance)
    curve = model.sums.fit(model.hats_at, model.nuisance)
    naive = model.sums.between([*model.hats_at, *model.nuisance])[: len(model.hats_at)]
    quantiles = _quantiles(curve.degrees, level)
    theta, errors = curve.beta[: len(model.hats_at)], curve.errors
    half = quantiles * errors
    (slope,), (slope_error,) = law.beta[:1], law.errors
    wide = float(_quantiles(law.degrees, level)[0] * slope_error)
    rate = Estimate(*(float(np.exp(slope + k * wide)) for k in (0, -1, 1)), level)
    soon = model.hats.crossing(
        theta, curve.covariance, quantiles, float(np.log1p(within)), level
    )
    told = model.told(theta, half, naive)
    leavers, left_count = _leavers(model, curve.beta, left, level)
    return LearningCurve(
        inputs={
            "weeks": tuple(asked), "tenured_weeks": tenured_weeks, "within": within, "most": most,
            "level": level, "by": cells.keys,
        },
        checks=(
            *_checks(model, told, leavers, left_count, soon, asked),
            *_spread(model),
            *agents_left_out(unknown, "agents without a day of hiring"),
            *cells.checks(),
        ),
        rate=rate,
        proficient_weeks=soon,
        rows=pl.DataFrame({"weeks": asked}).join(told, on="weeks", how="left").sort("weeks"),
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


def _quantiles(degrees: Floats, level: float) -> Floats:
    from scipy.special import stdtrit

    return np.asarray(stdtrit(degrees, 0.5 + level / 2), float)


@dataclass(frozen=True, eq=False)
class _Model:
    """Cells with a tenure, their columns (law, hats, kinds, intervals) and normal equations."""

    cells: AgentCells
    used: NDArray[np.bool_]
    tenure: Floats
    hats: Hats
    sums: WithinAgents
    nuisance: NDArray[np.int64]
    newcomers: int
    tenured: int
    tenured_weeks: float

    @property
    def hats_at(self) -> NDArray[np.int64]:
        return np.arange(1, self.hats.weeks.size)

    @classmethod
    def of(cls, cells: AgentCells, hired: Floats, asked: list[float], tenured: float) -> _Model:
        from scipy import sparse

        starts = np.array([(each - cells.starts[0]).days for each in cells.starts], float)
        # Who came within the interval was there from then on. His week of work is that of the
        # middle: 1 for a first week from its Monday.
        begun = np.maximum(starts[cells.period], hired[cells.agent])
        middle = (begun + starts[cells.period] + cells.days) / 2
        tenure = np.maximum((middle - hired[cells.agent]) / 7 + 0.5, 1.0)
        used = ~np.isnan(tenure)
        agent, calls, tenure_used = cells.agent[used], cells.calls[used], tenure[used]
        new, old = (np.unique(agent[some]).size for some in
                    (tenure_used < tenured, tenure_used >= tenured))  # fmt: skip
        _refuse(new, old, tenured, int((~np.isnan(hired)).sum()))
        knots = np.unique([*(k for k in KNOTS if k < tenured), *asked, tenured])
        hats = Hats.supported(knots, tenure_used, agent, calls)
        if hats.weeks.size < 2:
            raise DataError(
                "too few agents were seen at any tenure",
                f"{counted(new, 'newcomer')}",
                "take a longer span",
            )
        columns = sparse.hstack(
            [
                sparse.csr_array(doublings(tenure_used, tenured)[:, None]),
                sparse.csr_array(hats.columns(tenure_used)),
                indicators(cells.kind[used], cells.kinds),
                indicators(cells.period[used], len(cells.starts)),
            ],
            format="csr",
        )
        # Agents without tenure leave; those who stay are numbered anew.
        kept, places = np.unique(agent, return_inverse=True)
        sums = within_agents(places, kept.size, calls, cells.logs[used] / calls, columns)
        return cls(
            cells, used, tenure, hats, sums,
            np.arange(hats.weeks.size, columns.shape[1]), new, old, tenured,
        )  # fmt: skip

    def told(self, theta: Floats, half: Floats, naive: Floats) -> pl.DataFrame:
        """The curve at its knots, with agents and calls seen near each."""
        import polars as pl

        agent, calls = self.cells.agent[self.used], self.cells.calls[self.used]
        near = self.hats.columns(self.tenure[self.used]) > 0.25
        whole = np.append(theta, 0.0), np.append(half, 0.0), np.append(naive, 0.0)
        rows = {
            "weeks": self.hats.weeks,
            "relative": np.exp(whole[0]),
            "relative_low": np.exp(whole[0] - whole[1]),
            "relative_high": np.exp(whole[0] + whole[1]),
            "naive": np.exp(whole[2]),
            "learners": [np.unique(agent[n]).size for n in near.T] + [self.tenured],
            "timed_calls": [
                *(int(calls[n].sum()) for n in near.T),
                int(calls[self.tenure[self.used] >= self.tenured_weeks].sum()),
            ],
        }
        return pl.DataFrame(rows)


def _refuse(new: int, old: int, tenured: float, known: int) -> None:
    if not known:
        raise DataError(
            "no agent with calls has a day of hiring, so nobody's tenure is known",
            "hired_on is null throughout",
            "load a table of agents with hired_on",
        )
    if new < _FEWEST:
        raise DataError(
            "too few newcomers to tell how people learn",
            f"{counted(new, 'agent')} with calls before {tenured:g} weeks of work",
            f"at least {_FEWEST} are needed; take a longer span",
        )
    if old < _FEWEST:
        raise DataError(
            "too few tenured agents to tell learning from what changed for all",
            f"{counted(old, 'agent')} with calls after {tenured:g} weeks of work",
            f"at least {_FEWEST} are needed; lower tenured_weeks if learning ends sooner",
        )


def _leavers(
    model: _Model, beta: Floats, left: Floats, level: float
) -> tuple[Estimate | None, int]:
    """Level of those who left over that of those who stayed, tenure held."""
    from ccanalytics.statistics.random_effects import random_effects

    cells, used = model.cells, model.used
    kept = np.unique(cells.agent[used])
    last = (cells.starts[-1] - cells.starts[0]).days + cells.days
    gone = left[kept] < last - 1
    levels = model.sums.levels(beta, [*model.hats_at, *model.nuisance])
    square, degrees = cells.within
    variance = max(square / max(degrees, 1.0), 1e-12) / model.sums.weight
    count = int(gone.sum())
    if min(count, int((~gone).sum())) < _FEWEST:
        return None, count
    rows = np.column_stack([np.ones(kept.size), gone])
    found = random_effects(levels, variance, rows)
    wide = float(_quantiles(np.array([found.degrees], float), level)[0])
    middle, half = float(found.beta[1]), wide * float(np.sqrt(found.covariance[1, 1]))
    return Estimate(*(float(np.exp(middle + k * half)) for k in (0, -1, 1)), level), count


def _checks(
    model: _Model,
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
        f"the naive curve puts newcomers in week {first['weeks']:g} at "
        f"{first['naive']:.2f} times tenured where the same agents, followed, give "
        f"{first['relative']:.2f}"
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


def _spread(model: _Model) -> tuple[Check, ...]:
    """Say where means fall faster or slower than typical times, since spreads differ."""
    cells = model.cells
    square = np.maximum(cells.logs2 - cells.logs**2 / cells.calls, 0.0)
    new = model.used & (model.tenure < min(13.0, model.tenured_weeks / 2))
    old = model.used & (model.tenure >= model.tenured_weeks)
    parts = []
    for some in (new, old):
        degrees = (cells.calls[some] - 1).sum()
        if degrees < 100:
            return ()
        parts.append(float(square[some].sum() / degrees))
    factor = float(np.exp((parts[0] - parts[1]) / 2))
    if abs(factor - 1) < 0.03:
        return ()
    return (
        Check("means and typical times", "informs",
              f"times of newcomers spread {'more' if factor > 1 else 'less'} on logs: their mean is "
              f"about {factor:.2f} times what the typical time says"),
    )  # fmt: skip
