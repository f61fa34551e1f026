"""The canonical tables on the side of the agents, as frames."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.simulation.sample.floor import ACTIVITIES
from ccanalytics.simulation.sample.luck import luck
from ccanalytics.simulation.sample.people import NEVER
from ccanalytics.simulation.sample.programme import COACHING, COURSE, OCCASIONS
from ccanalytics.simulation.sample.reviews import ITEMS
from ccanalytics.simulation.sample.services import CATALOGUE
from ccanalytics.simulation.sample.states import CALLS, STATES
from ccanalytics.simulation.sample.tables import _codes, _names, _stamps, _whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people_log import PeopleLog
    from ccanalytics.simulation.sample.records import CallRecords
    from ccanalytics.simulation.sample.roster import Roster
    from ccanalytics.simulation.sample.second_line import SecondLine
    from ccanalytics.simulation.sample.states import Spells

__all__ = ["people_frames", "people_rollouts"]

INSTRUMENT = "knowledge test"
KNOWLEDGE_BASE = "knowledge_base"
_ARTICLES_EACH = 4
_OPENED, _LOGGED, _WHICH = range(3)


def people_frames(
    parameters: CentreParameters,
    log: PeopleLog,
    calls: CallRecords,
    roster: Roster,
    second: SecondLine,
    start: date,
    midnight: int,
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each table of the people's side with its name."""
    import polars as pl

    codes = [person.code for person in roster.people]
    others = [person.code for person in second.people]
    for table, column, names, here, there in (
        ("agent_states", "state", STATES, log.states, second.states),
        ("schedules", "activity", (*ACTIVITIES, CALLS), log.plan, second.plan),
    ):
        parts = ((here, codes), (there, others))
        yield table, pl.concat(_spells(*each, names, column, midnight) for each in parts)
    yield "reviews", _reviews(log, codes, midnight)
    yield "surveys", _surveys(log, midnight)
    yield "trainings", _trainings(parameters, log, codes, start)
    yield "assessments", _assessments(log, codes, midnight)
    yield "articles", _articles(parameters, log, calls, codes, midnight)


def people_rollouts(log: PeopleLog, roster: Roster, start: date, days: int) -> pl.DataFrame:
    """Rows of the rollouts table: the knowledge base by team, courses by agent."""
    import polars as pl

    programme = log.programme

    def on(day: int, within: int = NEVER) -> date | None:
        return start + timedelta(days=int(day)) if day < within else None

    rows = [
        ("team", f"team {team + 1:02d}", KNOWLEDGE_BASE, on(planned), on(live, days), False)
        for team, (planned, live) in enumerate(
            zip(programme.kb_planned, programme.kb_day, strict=True)
        )
    ]
    for treatment, group, day, lot in (
        (COURSE, programme.in_lot, programme.course_day, True),
        (COACHING, programme.screened, programme.coaching_day, False),
    ):
        for person in np.flatnonzero(group):
            planned = on(day[person])
            code = roster.people[person].code
            rows.append(("agent", code, treatment, planned, on(day[person], days), lot))
    columns = ("unit_kind", "unit", "treatment", "planned_on", "live_on", "randomised")
    kinds = (pl.String, pl.String, pl.String, pl.Date, pl.Date, pl.Boolean)
    return pl.DataFrame(rows, schema=dict(zip(columns, kinds, strict=True)), orient="row")


def _spells(
    spells: Spells, codes: list[str], names: tuple[str, ...], column: str, midnight: int
) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(
        {
            "agent": _names(codes, spells.person),
            column: _names(names, spells.kind),
            "started_at": _stamps(spells.start + midnight),
            "ended_at": _stamps(spells.end + midnight),
        }
    )


def _reviews(log: PeopleLog, codes: list[str], midnight: int) -> pl.DataFrame:
    import polars as pl

    reviews, items = log.reviews, len(ITEMS)
    size = reviews.row.size
    each = np.repeat(np.arange(size), items)
    row = reviews.row[each]
    item = np.tile(np.arange(items), size)
    return pl.DataFrame(
        {
            "review_id": _codes("V", each + 1, 6),
            "call_id": _codes("C", log.answered.call[row] + 1, 8),
            "agent": _names(codes, log.answered.person[row]),
            "reviewer": _codes("R", reviews.reviewer[each] + 1, 2),
            "item": _names([i.name for i in ITEMS], item),
            "passed": ~reviews.marked.ravel(),
            "critical": np.array([i.critical for i in ITEMS])[item],
            "sampled": _names(("random", "targeted"), reviews.targeted[each].astype(np.int64)),
            "at": _stamps(reviews.at[each] + midnight),
        }
    )


def _surveys(log: PeopleLog, midnight: int) -> pl.DataFrame:
    import polars as pl

    surveys = log.surveys
    said = surveys.answered_at >= 0
    return pl.DataFrame(
        {
            "call_id": _codes("C", log.answered.call[surveys.row] + 1, 8),
            "channel": np.full(surveys.row.size, "sms"),
            "sent_at": _stamps(surveys.sent_at + midnight),
            "answered_at": _stamps(surveys.answered_at + midnight, said),
            "score": _whole(surveys.score, said),
        }
    )


def _trainings(p: CentreParameters, log: PeopleLog, codes: list[str], start: date) -> pl.DataFrame:
    import polars as pl

    rows = []
    for course, days in (
        (COURSE, log.programme.course_day),
        (COACHING, log.programme.coaching_day),
    ):
        for person in np.flatnonzero(days < NEVER):
            on = start + timedelta(days=int(days[person]))
            rows.append((codes[person], course, on, float(p.course_hours), float(p.course_cost)))
    return pl.DataFrame(
        rows,
        schema={
            "agent": pl.String,
            "course": pl.String,
            "on": pl.Date,
            "hours": pl.Float64,
            "cost": pl.Float64,
        },
        orient="row",
    ).sort("on", "agent", "course")


def _assessments(log: PeopleLog, codes: list[str], midnight: int) -> pl.DataFrame:
    import polars as pl

    tests = log.programme.tests
    at = tests.day * 86_400 + np.where(tests.coaching, 10, 14) * 3600 + midnight
    return pl.DataFrame(
        {
            "agent": _names(codes, tests.person),
            "instrument": np.full(tests.person.size, INSTRUMENT),
            "course": _names((COURSE, COACHING), tests.coaching.astype(np.int64)),
            "occasion": _names(OCCASIONS, tests.occasion),
            "at": _stamps(at),
            "score": np.rint(tests.score),
        }
    ).sort("at", "agent", "course")


def _articles(
    p: CentreParameters, log: PeopleLog, calls: CallRecords, codes: list[str], midnight: int
) -> pl.DataFrame:
    """A sample of the articles that agents opened during calls, once their team had them."""
    import polars as pl

    answered, programme = log.answered, log.programme
    team = log.crew.team[answered.person]
    live = np.flatnonzero(answered.day >= programme.kb_day[team])
    key = answered.key[live]
    opened = luck(log.article_root, key, _OPENED) < p.kb_use
    row = live[opened & (luck(log.article_root, key, _LOGGED) < p.kb_logged)]
    some = answered.take(row)
    chance = luck(log.article_root, some.key, _WHICH)
    # Of each service's articles, the first answers most questions.
    which = 1 + (chance**2 * _ARTICLES_EACH).astype(np.int64)
    service: NDArray[np.uint8] = calls.service[some.call]
    return pl.DataFrame(
        {
            "agent": _names(codes, some.person),
            "call_id": _codes("C", some.call + 1, 8),
            "article": pl.select(
                pl.concat_str(
                    _names([s.code for s in CATALOGUE], service),
                    pl.lit("-"),
                    pl.lit(pl.Series(which)).cast(pl.String),
                )
            ).to_series(),
            "at": _stamps(some.at + calls.talk_s[some.call] // 3 + np.int64(midnight)),
        }
    )
