"""Building the sample centre in memory: each component from its own stream of random numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from ccanalytics.simulation.sample.needs import draw_needs
from ccanalytics.simulation.sample.pool import serve
from ccanalytics.simulation.sample.population import draw_population
from ccanalytics.simulation.sample.records import handling, record, requests_of
from ccanalytics.simulation.sample.roster import draw_roster, forecast, seats_for
from ccanalytics.simulation.sample.services import draw_go_live, draw_traits
from ccanalytics.simulation.sample.volumes import DAY_S, draw_volumes
from ccanalytics.simulation.sample.worlds import make_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.needs import Needs
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.pool import Attempts
    from ccanalytics.simulation.sample.population import Population
    from ccanalytics.simulation.sample.records import CallRecords, Events, Handling
    from ccanalytics.simulation.sample.roster import Roster
    from ccanalytics.simulation.sample.services import GoLive, Traits
    from ccanalytics.simulation.sample.worlds import World

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
)
_WORLDS = {
    "neither": (False, False),
    "sms_only": (True, False),
    "web_only": (False, True),
    "both": (True, True),
}


@dataclass(frozen=True, eq=False)
class Built:
    """A whole centre: its causes, its four worlds, and what its systems recorded."""

    start: date
    span_s: int
    traits: Traits
    go_live: GoLive
    population: Population
    needs: Needs
    worlds: dict[str, World]
    work: Handling
    request_rows: NDArray[np.int64]
    attempts: Attempts
    roster: Roster
    calls: CallRecords
    events: Events

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
    population = draw_population(p, scale, rng["population"])
    needs = draw_needs(p, traits, go_live, volumes, population, rng["needs"], rng["new_demand"])
    worlds = {
        name: make_world(p, needs, go_live, days * DAY_S, sms=sms, web=web)
        for name, (sms, web) in _WORLDS.items()
    }
    world = worlds["both"]
    work = handling(p, needs, world, go_live)
    rows, requests = requests_of(p, traits, needs, world, work)

    calls = forecast(p, volumes, requests, rng["plan"])
    aht = float(requests.handle_s.mean()) if rows.size else p.query_median_s
    seats = seats_for(calls, aht, p.goal_share, p.goal_within_s, max(1, round(p.least_seats)))
    roster = draw_roster(p, seats, scale, rng["roster"])
    attempts = serve(p, requests, roster, days * DAY_S, rng["pool"], progress)
    log, events = record(p, needs, world, work, rows, attempts, roster)
    return Built(
        start=start,
        span_s=days * DAY_S,
        traits=traits,
        go_live=go_live,
        population=population,
        needs=needs,
        worlds=worlds,
        work=work,
        request_rows=rows,
        attempts=attempts,
        roster=roster,
        calls=log,
        events=events,
    )
