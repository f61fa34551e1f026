"""Building the sample centre in memory: each component from its own stream of random numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.churn import drive_away
from ccanalytics.simulation.sample.counts import (
    count_causes,
    count_contacts,
    count_repeats,
    count_world,
)
from ccanalytics.simulation.sample.floor import floor_of
from ccanalytics.simulation.sample.lines import fit_lines
from ccanalytics.simulation.sample.luck import stream
from ccanalytics.simulation.sample.needs import draw_needs
from ccanalytics.simulation.sample.people_log import people_log
from ccanalytics.simulation.sample.pool import serve
from ccanalytics.simulation.sample.population import draw_population
from ccanalytics.simulation.sample.programme import draw_programme
from ccanalytics.simulation.sample.queue_truth import REQUESTED, QueueTruth
from ccanalytics.simulation.sample.records import handling, record, requests_of
from ccanalytics.simulation.sample.reminders import draw_reminders
from ccanalytics.simulation.sample.replays import Replays
from ccanalytics.simulation.sample.roster import draw_roster, forecast, seats_for
from ccanalytics.simulation.sample.second_line import draw_second_line
from ccanalytics.simulation.sample.services import draw_go_live, draw_traits
from ccanalytics.simulation.sample.sms_hall import draw_hall
from ccanalytics.simulation.sample.tickets import draw_tickets
from ccanalytics.simulation.sample.volumes import DAY_S, draw_volumes
from ccanalytics.simulation.sample.worlds import make_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.lines import Lines
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people_log import PeopleLog
    from ccanalytics.simulation.sample.population import Population
    from ccanalytics.simulation.sample.records import CallRecords, Events
    from ccanalytics.simulation.sample.reminders import Reminders
    from ccanalytics.simulation.sample.roster import Roster
    from ccanalytics.simulation.sample.second_line import SecondLine
    from ccanalytics.simulation.sample.services import GoLive, Traits
    from ccanalytics.simulation.sample.sms_hall import HallUses
    from ccanalytics.simulation.sample.tickets import Tickets
    from ccanalytics.simulation.sample.volumes import Volumes

__all__ = ["Built", "build"]

# Order matters: a component's stream is its place in this list. Add new ones at the end.
_COMPONENTS = (
    "traits",
    "go_live",
    "volumes",
    "population",
    "needs",
    "new_demand",
    "plan",
    "roster",
    "pool",
    "reminders",
    "told",
)
# Worlds that were not, and what is missing in each; the last one is the log.
_WORLDS: dict[str, dict[str, bool]] = {
    "nothing": {"sms": False, "web": False, "reminders": False},
    "neither": {"sms": False, "web": False},
    "sms_only": {"web": False},
    "web_only": {"sms": False},
    "without_reminders": {"reminders": False},
    "both": {},
}


@dataclass(frozen=True, eq=False)
class Built:
    """A whole centre: its causes, what its worlds count, and what its systems recorded.

    ``counts`` holds first calls by world, measure, service and week; ``causes`` and ``contacts``
    what each channel did in the log's own world; ``offered`` and ``waiting`` what channels and
    people did to the queue.
    """

    start: date
    span_s: int
    traits: Traits
    go_live: GoLive
    volumes: Volumes
    population: Population
    reminders: Reminders
    counts: dict[str, dict[str, NDArray[np.int64]]]
    causes: dict[str, NDArray[np.int64]]
    contacts: dict[str, NDArray[np.int64]]
    repeats: dict[str, int]
    roster: Roster
    calls: CallRecords
    people: PeopleLog
    events: Events
    offered: dict[str, Any]
    waiting: dict[str, Any]
    hall: HallUses
    churn: dict[str, Any]
    lines: Lines
    second: SecondLine
    tickets: Tickets

    @property
    def days(self) -> int:
        """Days of the log."""
        return self.span_s // DAY_S

    @property
    def weeks(self) -> list[date]:
        """The Mondays of the weeks that the log touches."""
        monday = self.start - timedelta(days=self.start.weekday())
        last = (self.days - 1 + self.start.weekday()) // 7
        return [monday + timedelta(weeks=each) for each in range(last + 1)]


def build(
    parameters: CentreParameters,
    start: date,
    weeks: int,
    scale: float,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Built:
    """A centre; ``progress`` counts the first requests that the pool has served."""
    p, days = parameters, 7 * weeks
    streams = np.random.SeedSequence(seed).spawn(len(_COMPONENTS))
    rng = {
        name: np.random.default_rng(stream)
        for name, stream in zip(_COMPONENTS, streams, strict=True)
    }
    traits = draw_traits(p, rng["traits"])
    go_live = draw_go_live(p, days, start.weekday(), rng["go_live"])
    volumes = draw_volumes(p, traits, start, days, scale, rng["volumes"])
    population = draw_population(p, volumes.calendar, scale, rng["population"])
    reminders = draw_reminders(p, population, volumes.calendar, rng["reminders"])
    population = replace(population, left=reminders.left)
    needs = draw_needs(
        p,
        traits,
        go_live,
        volumes,
        population,
        reminders,
        rng["needs"],
        rng["new_demand"],
        rng["told"],
    )
    world = make_world(p, needs, go_live, days * DAY_S)
    hall = draw_hall(p, traits, go_live, volumes, population, stream(seed, "hall"))
    population, reminders, churn = drive_away(
        p, population, reminders, needs, world, hall, days, stream(seed, "churn")
    )
    work = handling(p, needs, world, go_live)
    rows, requests = requests_of(p, traits, needs, world, work)

    calls = forecast(p, volumes, requests, rng["plan"])
    aht = float(requests.handle_s.mean()) * p.plan_pace if rows.size else p.query_median_s
    seats = seats_for(calls, aht, p.goal_share, p.goal_within_s, max(1, round(p.least_seats)))
    roster = draw_roster(p, seats, scale, rng["roster"])
    programme = draw_programme(p, roster.crew, days, stream(seed, "programme"))
    floor = floor_of(p, roster, programme, stream(seed, "floor"))

    counts = {}
    with QueueTruth(Replays(p, requests, floor, days, seed)) as queue:
        for name, missing in _WORLDS.items():
            # Only the log's own world is kept.
            there = make_world(p, needs, go_live, days * DAY_S, **missing) if missing else world
            counts[name] = count_world(needs, there, start.weekday(), days * DAY_S)
            if name in REQUESTED:
                aided = handling(p, needs, there, go_live)
                asked = requests_of(p, traits, needs, there, aided)[1]
                del there, aided
                queue.without_channel(REQUESTED[name], asked)
                del asked
        queue.without_assist()
        queue.without_people(p, roster.crew, programme)

        attempts = serve(p, requests, floor, days * DAY_S, stream(seed, "pool"), progress)
        log, events = record(p, needs, world, work, rows, attempts, floor, hall)
        causes = count_causes(needs, world, start.weekday(), days * DAY_S)
        contacts = count_contacts(needs, world, work, go_live, rows, attempts)
        # Needs take more memory than all that follows from them.
        del needs, world, work, rows
        lines, log = fit_lines(p, volumes, population, log, events)
        people = people_log(
            p, roster, programme, floor, requests, attempts, log, calls, days * DAY_S, scale, seed
        )
        second = draw_second_line(p, log, people, days * DAY_S, scale, seed)
        until = second.calls.arrived + second.calls.wait_s
        until = until + np.maximum(second.calls.talk_s, 0)
        lines = lines.with_second(p, second.calls.arrived, until)
        offered, waiting = queue.told(p, attempts)
    return Built(
        start=start,
        span_s=days * DAY_S,
        traits=traits,
        go_live=go_live,
        volumes=volumes,
        population=population,
        reminders=reminders,
        counts=counts,
        causes=causes,
        contacts=contacts,
        repeats=count_repeats(attempts),
        roster=roster,
        calls=log,
        people=people,
        events=events,
        offered=offered,
        waiting=waiting,
        hall=hall,
        churn=churn,
        lines=lines,
        second=second,
        tickets=draw_tickets(p, log, people.answered, days * DAY_S, seed),
    )
