"""The canonical tables of the sample centre, as frames: what its exports would hold."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.lines import LINE_GROUPS, SECOND_GROUP, group_of
from ccanalytics.simulation.sample.population import PROVINCES, TIERS
from ccanalytics.simulation.sample.records import BLOCKED, OUTCOMES, STAGES, WITHHELD
from ccanalytics.simulation.sample.services import CATALOGUE
from ccanalytics.simulation.sample.volumes import DAY_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.people import Person
    from ccanalytics.simulation.sample.people_log import PeopleLog
    from ccanalytics.simulation.sample.population import Population
    from ccanalytics.simulation.sample.records import CallRecords, Events
    from ccanalytics.simulation.sample.roster import Roster
    from ccanalytics.simulation.sample.second_line import SecondLine
    from ccanalytics.simulation.sample.services import GoLive

__all__ = ["agents_frame", "calls_frames", "events_frame", "rollouts_frame", "services_frame"]

_CHANNELS = ("sms", "sms", "web", "sms")
TRANSFERS = ("none", "second_line")
QUEUES = ("hotline", "second_line")


def calls_frames(
    calls: CallRecords,
    roster: Roster,
    population: Population,
    people: PeopleLog,
    second: SecondLine,
    start: date,
    midnight: int,
) -> Iterator[tuple[str, pl.DataFrame]]:
    """The calls table a local month at a time: (year-month, frame)."""
    import polars as pl

    last = int(calls.arrived[-1]) if calls.arrived.size else -1
    first_day = start
    while (first_day - start).days * DAY_S <= last:
        next_month = (first_day.replace(day=1) + timedelta(days=32)).replace(day=1)
        edges = [(day - start).days * DAY_S for day in (first_day, next_month)]
        part, other = (
            slice(*np.searchsorted(each.arrived, edges).tolist()) for each in (calls, second.calls)
        )
        frame = _calls(calls, part, roster.people, population, midnight, QUEUES[0]).with_columns(
            call_id=_codes("C", np.arange(part.start + 1, part.stop + 1), 8),
            parent_call_id=pl.lit(None, pl.String),
            line_group=_names(LINE_GROUPS, group_of(population, calls.customer[part])),
            transfer=_names(
                TRANSFERS, np.maximum(people.transfer[part], 0), people.transfer[part] >= 0
            ),
        )
        if other.stop > other.start:
            more = _calls(second.calls, other, second.people, population, midnight, QUEUES[1])
            more = more.with_columns(
                call_id=_codes("D", np.arange(other.start + 1, other.stop + 1), 8),
                parent_call_id=_codes("C", second.parent[other] + 1, 8),
                line_group=pl.lit(SECOND_GROUP),
                menu_s=pl.lit(None, frame["menu_s"].dtype),
                transfer=pl.when(pl.col("agent").is_not_null()).then(pl.lit(TRANSFERS[0])),
            )
            # Where seconds are equal, the first line's come first.
            frame = pl.concat([frame, more.select(frame.columns)]).sort(
                "arrived_at", maintain_order=True
            )
        yield first_day.strftime("%Y-%m"), frame
        first_day = next_month


def _calls(
    calls: CallRecords,
    part: slice,
    people: tuple[Person, ...],
    population: Population,
    midnight: int,
    queue: str,
) -> pl.DataFrame:
    """What the calls of either queue have in common."""
    import polars as pl

    person, customer = calls.person[part], calls.customer[part]
    arrived = calls.arrived[part].astype(np.int64) + midnight
    queued, answered = calls.wait_s[part] >= 0, person >= 0
    through = calls.outcome[part] != BLOCKED
    menu = calls.menu_s[part]
    joined = arrived + np.maximum(menu, 0) + np.maximum(calls.wait_s[part], 0)
    spoken = np.where(answered, calls.talk_s[part] + calls.hold_s[part], 0)
    caller = np.where(customer >= 0, customer, WITHHELD - customer)
    who = np.maximum(person, 0)
    return pl.DataFrame(
        {
            "customer": _codes("K", customer + 1, 7, customer >= 0),
            "site": _names([each.site for each in people], who, answered),
            "client": _names([each.client for each in PROVINCES], population.province[caller]),
            "queue": pl.repeat(queue, person.size, eager=True),
            # What a call was about is told in the menu.
            "service": _names([s.code for s in CATALOGUE], calls.service[part], through),
            "tier": _names(TIERS, population.tier[np.maximum(customer, 0)], customer >= 0),
            "arrived_at": _stamps(arrived),
            "answered_at": _stamps(joined, answered),
            "ended_at": _stamps(joined + spoken),
            "menu_s": _whole(menu, through),
            "wait_s": _whole(calls.wait_s[part], queued),
            "talk_s": _whole(calls.talk_s[part], answered),
            "hold_s": _whole(calls.hold_s[part], answered),
            "wrap_s": _whole(calls.wrap_s[part], answered),
            "outcome": _names(OUTCOMES, calls.outcome[part]),
            "agent": _names([each.code for each in people], who, answered),
        }
    )


def events_frame(events: Events, midnight: int) -> pl.DataFrame:
    """The self_service table."""
    import polars as pl

    return pl.DataFrame(
        {
            "event_id": _codes("E", np.arange(1, events.at.size + 1), 8),
            "customer": _codes("K", events.customer + 1, 7),
            "channel": _names(_CHANNELS, events.stage),
            "stage": _names(STAGES, events.stage),
            "service": _names([s.code for s in CATALOGUE], events.service),
            "call_id": _codes("C", events.call + 1, 8, events.call >= 0),
            "at": _stamps(events.at.astype(np.int64) + midnight),
            "accepted": events.accepted == 1,
            "delivered": _flags(events.delivered),
            "completed": _flags(events.completed),
        }
    )


def services_frame(go_live: GoLive, start: date, days: int) -> pl.DataFrame:
    """The services table."""
    import polars as pl

    return pl.DataFrame(
        {
            "service": [s.code for s in CATALOGUE],
            "name": [s.name for s in CATALOGUE],
            "name_zh": [s.name_zh for s in CATALOGUE],
            "kind": [s.kind for s in CATALOGUE],
            "sms_assist_before_on": _dates(go_live.sms, start, days),
            "sms_assist_during_on": _dates(go_live.assist, start, days),
            "sms_hall_on": _dates(go_live.hall, start, 0),
            "web_hall_on": _dates(go_live.web, start, days),
        }
    ).sort("service")


def rollouts_frame(go_live: GoLive, start: date, days: int) -> pl.DataFrame:
    """The rollouts table: each channel for each service, planned and live."""
    import polars as pl

    return pl.concat(
        pl.DataFrame(
            {
                "unit_kind": ["service"] * len(CATALOGUE),
                "unit": [s.code for s in CATALOGUE],
                "treatment": [treatment] * len(CATALOGUE),
                "planned_on": _dates(go_live.planned[name], start),
                "live_on": _dates(getattr(go_live, name), start, days),
                "randomised": [False] * len(CATALOGUE),
            }
        ).sort("unit")
        for name, treatment in (
            ("sms", "sms_assist_before"),
            ("assist", "sms_assist_during"),
            ("web", "web_hall"),
        )
    )


def agents_frame(
    people: tuple[Person, ...], start: date, skill: str = QUEUES[0], team: str = "team"
) -> pl.DataFrame:
    """The agents table, of people who may serve one queue."""
    import polars as pl

    hired = [start + timedelta(days=person.hired) for person in people]
    return pl.DataFrame(
        {
            "agent": [person.code for person in people],
            "hired_on": hired,
            "left_on": pl.Series(
                [
                    None if person.left is None else start + timedelta(days=person.left)
                    for person in people
                ],
                dtype=pl.Date,
            ),
            "site": [person.site for person in people],
            "employer": [person.employer for person in people],
            "team": [f"{team} {person.team + 1:02d}" for person in people],
            # People start in intakes, named by their first day.
            "cohort": [each.isoformat() for each in hired],
            "skills": [skill] * len(people),
        }
    )


def _dates(days: NDArray[np.int64], start: date, before: int | None = None) -> pl.Series:
    import polars as pl

    values = [
        start + timedelta(days=day) if before is None or day < before else None
        for day in days.tolist()
    ]
    return pl.Series(values, dtype=pl.Date)


def _stamps(seconds: NDArray[Any], known: NDArray[np.bool_] | None = None) -> pl.Series:
    import polars as pl

    return _whole(seconds.astype(np.int64) * 1000, known).cast(pl.Datetime("ms"))


def _whole(values: NDArray[Any], known: NDArray[np.bool_] | None = None) -> pl.Series:
    import polars as pl

    series = pl.Series(values)
    return series if known is None else series.set(pl.Series(~known), None)


def _codes(
    letter: str, numbers: NDArray[Any], digits: int, known: NDArray[np.bool_] | None = None
) -> pl.Series:
    import polars as pl

    if known is not None:
        numbers = np.where(known, numbers, 0)
    if numbers.size and numbers.min() >= 0 and numbers.max() < 10**digits:
        codes = _digits(letter, numbers, digits)
    else:
        text = pl.lit(pl.Series(numbers)).cast(pl.String).str.zfill(digits)
        codes = pl.select(pl.concat_str(pl.lit(letter), text)).to_series()
    return codes if known is None else codes.set(pl.Series(~known), None)


def _digits(letter: str, numbers: NDArray[Any], digits: int) -> pl.Series:
    """The letter and the digits, laid out as Arrow keeps text: all codes are equally long."""
    import polars as pl
    import pyarrow as pa

    width = len(letter) + digits
    text = np.empty((numbers.size, width), np.uint8)
    text[:, : len(letter)] = np.frombuffer(letter.encode(), np.uint8)
    rest = numbers.astype(np.uint32)
    for place in range(width - 1, len(letter) - 1, -1):
        tens = rest // 10
        text[:, place] = rest - 10 * tens + ord("0")
        rest = tens
    ends = np.arange(numbers.size + 1, dtype=np.int64) * width
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(text)]
    return pl.Series(pa.Array.from_buffers(pa.large_string(), numbers.size, buffers))


def _names(
    names: tuple[str, ...] | list[str],
    numbers: NDArray[Any],
    known: NDArray[np.bool_] | None = None,
) -> pl.Series:
    import polars as pl

    found = pl.Series(list(names), dtype=pl.String).gather(numbers.astype(np.uint32))
    return found if known is None else found.set(pl.Series(~known), None)


def _flags(values: NDArray[np.int8]) -> pl.Series:
    import polars as pl

    return pl.Series(values == 1).set(pl.Series(values < 0), None)
