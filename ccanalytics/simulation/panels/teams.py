"""Teams of agents by week, small and fast, with what was done to them known.

Newcomers are slow and learn, the slow leave sooner, successors take their places; a knowledge
base goes live team by team and helps newcomers most; a course is drawn by lot; coaching goes to
whoever scored lowest in a test, luck of the day included.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.errors import InputError

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

__all__ = ["TeamParameters", "TeamWorld", "draw_team_world"]

_START = date(2024, 1, 1)
_NEVER = 1_000_000
_LONG = 156  # weeks back to which those present at the start were hired
BANDS = (13, 52)


@dataclass(frozen=True, kw_only=True)
class TeamParameters:
    """What the worlds are made of; shares are of handle time unless said otherwise."""

    teams: int = 12
    seats: int = 8
    weeks: int = 78
    calls: float = 150.0  # an agent's a week
    call_sd: float = 0.6  # of the log of one call's handle time
    agent_sd: float = 0.13
    team_sd: float = 0.04
    team_week_sd: float = 0.008
    agent_week_sd: float = 0.03
    week_sd: float = 0.02
    trend: float = -0.02  # a year
    newcomer: tuple[float, float] = (1.3, 1.8)  # handle time on the first day, over later
    learning_weeks: float = 6.5
    leaving: float = 0.012  # a week
    leaving_slow: float = 0.35
    kb_novice: float = -0.16  # on logs
    kb_expert: float = -0.02
    kb_weeks: float = 26.0
    kb_never: float = 0.25  # share of teams
    kb_transfer: float = -0.3
    transfer: float = 0.06
    course: float = -0.04
    course_share: float = 0.5
    course_points: float = 7.0
    coaching: float = -0.01
    coaching_points: float = 2.0
    coaching_share: float = 0.2
    retained: float = 0.6
    score_sd: float = 8.0
    score_noise: float = 6.0
    score_newcomer: float = 12.0


@dataclass(frozen=True, eq=False)
class TeamWorld:
    """One world: the frames that a log would give, and what is true.

    Attributes
    ----------
    panel, rollouts, assessments, trainings
        As ``CallLog.agent_panel`` and ``CallLog.table`` give them.
    kb, course, coaching
        Rows of the panel × effect on the log of handle time, 0 where it does not act.
    truth
        Name of a group of cells → mean effect over their calls, cells as the designs take them.
    """

    panel: pl.DataFrame
    rollouts: pl.DataFrame
    assessments: pl.DataFrame
    trainings: pl.DataFrame
    truth: dict[str, float]


def draw_team_world(seed: int, parameters: TeamParameters | None = None) -> TeamWorld:
    """Draw one world.

    Examples
    --------
    >>> world = draw_team_world(1)
    >>> -0.16 < world.truth["knowledge_base under 13 weeks"] < -0.08
    True
    """
    p = parameters or TeamParameters()
    if p.teams < 2 or p.seats < 1 or p.weeks < 30:
        raise InputError("a world has 2 teams, 1 seat and 30 weeks at least", f"{asdict(p)}")
    rng = np.random.default_rng([seed, 77])
    crew = _crew(p, rng)
    rows, at = np.nonzero(crew.there)
    team = crew.team[rows]
    tenure = at - crew.hired[rows]
    live = _live(p, rng)
    course_week, coaching_week = p.weeks // 2, p.weeks // 4
    in_lot = crew.at(course_week) & (crew.hired <= course_week - 9)
    taken = in_lot & (rng.random(crew.size) < p.course_share)
    course_on = np.where(taken, course_week, _NEVER)
    scores = _Scores(p, crew, rng)
    screened = crew.at(coaching_week) & (crew.hired <= coaching_week - 9)
    first = scores.of(coaching_week - 2, course_on, np.full(crew.size, _NEVER))
    order = np.argsort(np.where(screened, first, np.inf), kind="stable")
    sent = np.zeros(crew.size, bool)
    sent[order[: round(p.coaching_share * screened.sum())]] = True
    coaching_on = np.where(sent, coaching_week, _NEVER)

    is_live = at >= live[team]
    knows = np.exp(-tenure / p.kb_weeks)
    kb = np.where(is_live, p.kb_expert + (p.kb_novice - p.kb_expert) * knows, 0.0)
    course = np.where(at > course_on[rows], p.course, 0.0)
    coaching = np.where(at > coaching_on[rows], p.coaching, 0.0)
    common = p.week_sd * rng.standard_normal(p.weeks) + p.trend * np.arange(p.weeks) / 52
    team_week = p.team_week_sd * _walk(rng, (p.teams, p.weeks))
    new = np.exp(-np.maximum(tenure, 0) / p.learning_weeks)
    mean = (
        5.0
        + (p.team_sd * rng.standard_normal(p.teams))[team]
        + crew.slow[rows]
        + np.log1p(crew.excess[rows] * new)
        + common[at]
        + team_week[team, at]
        + p.agent_week_sd * rng.standard_normal(rows.size)
        + kb
        + course
        + coaching
    )
    calls = np.maximum(rng.poisson(p.calls, rows.size), 1)
    some = mean + p.call_sd / np.sqrt(calls) * rng.standard_normal(rows.size)
    chance = p.transfer * (1 + new) * np.where(is_live, 1 + p.kb_transfer, 1.0)
    sent_on = rng.binomial(calls, np.minimum(chance, 1))

    truth = {}
    event = at - live[team]
    covered = live.max() >= p.weeks or at < live.max()
    cells = (event >= 1) & covered
    bands = ((0, BANDS[0]), (BANDS[0], BANDS[1]), (BANDS[1], 1 << 30))
    names = (
        f"under {BANDS[0]} weeks", f"{BANDS[0]} to {BANDS[1] - 1} weeks",
        f"{BANDS[1]} weeks or more",
    )  # fmt: skip
    for name, (low, high) in zip(("all", *names), ((0, 1 << 30), *bands), strict=True):
        which = cells & (tenure >= low) & (tenure < high)
        if which.any():
            truth[f"knowledge_base {name}"] = float(np.average(kb[which], weights=calls[which]))
    truth |= {"course": p.course, "coaching": p.coaching}
    for name, points in (("course", p.course_points), ("coaching", p.coaching_points)):
        truth |= {f"{name} post": scores.gain(points, 2.0), f"{name} delayed": points * p.retained}
    return TeamWorld(
        _panel(crew, rows, at, team, calls, some, sent_on),
        _rollouts(p, live, in_lot, course_on, screened, coaching_on),
        _tests(p, crew, scores, in_lot, screened, course_on, coaching_on, first),
        _courses(course_on, coaching_on),
        truth,
    )


@dataclass(frozen=True, eq=False)
class _Crew:
    team: Ints
    hired: Ints
    left: Ints
    slow: Floats
    excess: Floats
    there: Bools

    @property
    def size(self) -> int:
        return int(self.team.size)

    def at(self, week: int) -> Bools:
        return np.asarray(self.there[:, week])


def _crew(p: TeamParameters, rng: np.random.Generator) -> _Crew:
    """People in seats, one after the other; those present at the start were hired long before."""
    people: list[tuple[int, int, int, float, float]] = []
    low, high = p.newcomer
    for seat in range(p.teams * p.seats):
        week = -_LONG
        while week < p.weeks:
            slow = float(rng.standard_normal())
            rate = p.leaving * np.exp(p.leaving_slow * slow)
            stays = 1 + int(rng.exponential(1 / rate)) if rate > 0 else _NEVER
            people.append(
                (seat // p.seats, week, week + stays, p.agent_sd * slow, rng.uniform(low, high) - 1)
            )
            week += stays
    team, hired, left, slow_, excess = (np.array(each) for each in zip(*people, strict=True))
    here = left > 0
    team, hired, left, slow_, excess = (x[here] for x in (team, hired, left, slow_, excess))
    weeks = np.arange(p.weeks)[None, :]
    there = (hired[:, None] <= weeks) & (weeks < left[:, None])
    return _Crew(team, hired, left, slow_, excess, there)


def _live(p: TeamParameters, rng: np.random.Generator) -> Ints:
    """Weeks of going live: spread over the middle of the span, some teams never."""
    never = max(round(p.kb_never * p.teams), 1)
    goes = np.rint(np.linspace(0.3, 0.8, p.teams - never) * p.weeks).astype(np.int64)
    return np.asarray(rng.permutation(np.concatenate([goes, np.full(never, _NEVER)])))


def _walk(rng: np.random.Generator, shape: tuple[int, int], memory: float = 0.7) -> Floats:
    shock = rng.standard_normal(shape)
    for t in range(1, shape[1]):
        shock[:, t] = memory * shock[:, t - 1] + (1 - memory**2) ** 0.5 * shock[:, t]
    return shock


class _Scores:
    """Knowledge: lasting, less while new, more after a course, and the luck of each day."""

    def __init__(self, p: TeamParameters, crew: _Crew, rng: np.random.Generator) -> None:
        self._p, self._crew, self._rng = p, crew, rng
        self._knows = 74 + p.score_sd * rng.standard_normal(crew.size)

    def gain(self, points: float, weeks: Any) -> Any:
        """Points left so many weeks after a course; they fade over 9 weeks."""
        left = 1 - (1 - self._p.retained) * np.clip(np.asarray(weeks) / 9, 0, 1)
        return np.where(np.asarray(weeks) > 0, points * left, 0.0)[()]

    def of(self, week: int, course_on: Ints, coaching_on: Ints) -> Floats:
        """Scores of all in one week."""
        p, crew = self._p, self._crew
        new = np.exp(-np.maximum(week - crew.hired, 0) / p.learning_weeks)
        return np.asarray(
            self._knows
            - p.score_newcomer * new
            + self.gain(p.course_points, week - course_on)
            + self.gain(p.coaching_points, week - coaching_on)
            + p.score_noise * self._rng.standard_normal(crew.size)
        )


def _code(person: Any) -> str:
    return f"A{int(person) + 1:04d}"


def _panel(
    crew: _Crew, rows: Ints, at: Ints, team: Ints, calls: Ints, mean: Floats, sent: Ints
) -> pl.DataFrame:
    import polars as pl

    start = pl.Series([_START]).cast(pl.Datetime("us"))[0]
    weeks = [start + timedelta(weeks=int(k)) for k in range(int(at.max()) + 1)]
    handle = calls * np.exp(mean + 0.18)
    usual = float(np.average(mean, weights=calls))
    return pl.DataFrame(
        {
            "local_start": pl.Series(weeks, dtype=pl.Datetime("us")).gather(at),
            "interval_s": np.full(rows.size, 604_800),
            "agent": pl.Series([_code(k) for k in range(crew.size)]).gather(rows),
            "hired_on": pl.Series(
                [_START + timedelta(weeks=int(w)) for w in crew.hired], dtype=pl.Date
            ).gather(rows),
            "team": pl.Series([f"team {k + 1:02d}" for k in range(int(team.max()) + 1)]).gather(
                team
            ),
            "tenure_weeks": at - crew.hired[rows],
            "calls": calls,
            "handle_s": handle,
            "log_handle": calls * mean,
            "log_handle_squares": calls * (mean**2 + 0.36),
            "second_line": sent,
            "usual_log_handle": calls * usual,
            "usual_handle_s": calls * float(handle.sum() / calls.sum()),
            "usual_second_line": calls * float(sent.sum() / calls.sum()),
            "items_marked": np.zeros(rows.size, np.int64),
            "items_failed": np.zeros(rows.size, np.int64),
        }
    ).sort("agent", "local_start")


def _rollouts(
    p: TeamParameters, live: Ints, in_lot: Bools, course_on: Ints, screened: Bools,
    coaching_on: Ints,
) -> pl.DataFrame:  # fmt: skip
    import polars as pl

    def on(week: Any) -> date | None:
        return _START + timedelta(weeks=int(week)) if week < p.weeks else None

    rows = [
        ("team", f"team {k + 1:02d}", "knowledge_base", on(week), False)
        for k, week in enumerate(live)
    ]
    for name, group, week, lot in (
        ("course", in_lot, course_on, True),
        ("coaching", screened, coaching_on, False),
    ):
        rows += [("agent", _code(k), name, on(week[k]), lot) for k in np.flatnonzero(group)]
    names = {"unit_kind": pl.String, "unit": pl.String, "treatment": pl.String}
    return pl.DataFrame(
        rows, schema={**names, "live_on": pl.Date, "randomised": pl.Boolean}, orient="row"
    )


def _tests(
    p: TeamParameters, crew: _Crew, scores: _Scores, in_lot: Bools, screened: Bools,
    course_on: Ints, coaching_on: Ints, first: Floats,
) -> pl.DataFrame:  # fmt: skip
    import polars as pl

    rows = []
    for name, group, week in (
        ("course", in_lot, p.weeks // 2), ("coaching", screened, p.weeks // 4)
    ):  # fmt: skip
        for occasion, after in (("pre", -2), ("post", 2), ("delayed", 9)):
            drawn = scores.of(week + after, course_on, coaching_on)
            if name == "coaching" and occasion == "pre":
                drawn = first
            at = _START + timedelta(weeks=week + after)
            there = group & crew.at(min(week + after, p.weeks - 1))
            rows += [
                (_code(k), "test", name, occasion, at, float(drawn[k]))
                for k in np.flatnonzero(there)
            ]
    names = ["agent", "instrument", "course", "occasion", "at", "score"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))


def _courses(course_on: Ints, coaching_on: Ints) -> pl.DataFrame:
    import polars as pl

    rows = [
        (_code(k), name, _START + timedelta(weeks=int(on[k])), 4.0, 600.0)
        for name, on in (("course", course_on), ("coaching", coaching_on))
        for k in np.flatnonzero(on < _NEVER)
    ]
    names = {"agent": pl.String, "course": pl.String, "on": pl.Date}
    return pl.DataFrame(
        rows, schema={**names, "hours": pl.Float64, "cost": pl.Float64}, orient="row"
    )
