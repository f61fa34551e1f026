"""Every file of the sample centre's exports, one frame at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ccanalytics.simulation.sample.demand_tables import demand_frames
from ccanalytics.simulation.sample.people_tables import people_frames, people_rollouts
from ccanalytics.simulation.sample.support_tables import line_groups_frame, tickets_frame
from ccanalytics.simulation.sample.tables import (
    QUEUES,
    agents_frame,
    calls_frames,
    events_frame,
    rollouts_frame,
    services_frame,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import polars as pl

    from ccanalytics.simulation.sample.build import Built
    from ccanalytics.simulation.sample.days import Calendar
    from ccanalytics.simulation.sample.lines import Lines
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people_log import PeopleLog
    from ccanalytics.simulation.sample.population import Population
    from ccanalytics.simulation.sample.records import CallRecords, Events
    from ccanalytics.simulation.sample.reminders import Reminders
    from ccanalytics.simulation.sample.roster import Roster
    from ccanalytics.simulation.sample.second_line import SecondLine
    from ccanalytics.simulation.sample.services import GoLive
    from ccanalytics.simulation.sample.tickets import Tickets

__all__ = ["Exported", "frames"]


@dataclass(frozen=True, eq=False)
class Exported:
    """What the files are made of; whatever else a centre was built from may be let go."""

    start: date
    days: int
    go_live: GoLive
    calendar: Calendar
    population: Population
    reminders: Reminders
    roster: Roster
    people: PeopleLog
    calls: CallRecords
    events: Events
    lines: Lines
    second: SecondLine
    tickets: Tickets

    @classmethod
    def of(cls, built: Built) -> Exported:
        """The exported part of a centre."""
        return cls(
            start=built.start,
            days=built.days,
            go_live=built.go_live,
            calendar=built.volumes.calendar,
            population=built.population,
            reminders=built.reminders,
            roster=built.roster,
            people=built.people,
            calls=built.calls,
            events=built.events,
            lines=built.lines,
            second=built.second,
            tickets=built.tickets,
        )


def frames(
    parameters: CentreParameters, exported: Exported, midnight: int
) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Table, suffix of the file's name, and rows; calls by local month, all else whole."""
    import polars as pl

    start, days, roster, people = exported.start, exported.days, exported.roster, exported.people
    for month, calls in calls_frames(
        exported.calls, roster, exported.population, people, exported.second, start, midnight
    ):
        yield "calls", f"_{month}", calls
    yield "self_service", "", events_frame(exported.events, midnight)
    yield "services", "", services_frame(exported.go_live, start, days)
    rollouts = [
        rollouts_frame(exported.go_live, start, days),
        people_rollouts(people, roster, start, days),
    ]
    yield "rollouts", "", pl.concat(rollouts)
    second = agents_frame(exported.second.people, start, QUEUES[1], "second line")
    yield "agents", "", pl.concat([agents_frame(roster.people, start), second])
    for table, frame in demand_frames(parameters, exported, midnight):
        yield table, "", frame
    for table, frame in people_frames(
        parameters, people, exported.calls, roster, exported.second, start, midnight
    ):
        yield table, "", frame
    if exported.tickets.call.size:
        yield "tickets", "", tickets_frame(exported.tickets, midnight)
    yield "line_groups", "", line_groups_frame(exported.lines, start)
