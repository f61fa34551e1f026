"""Who works at the centre: people who come in intakes, differ for good, and leave, the slow sooner.

Each position is a chain of people that began long before the log, so that those at work on its
first day are the ones who stayed: survivors, quicker than the newcomers they once were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters

__all__ = ["IN_HOUSE", "OUTSOURCED", "Crew", "Person", "draw_people", "no_differences"]

IN_HOUSE, OUTSOURCED = "in-house", "outsourced"
_SITES = ("east", "west")
_OUTSOURCER_SITE = "south"
_BEFORE = 2_600  # days of history before the log
_NOVICE_DAYS = 90
NEVER = 1 << 30


@dataclass(frozen=True)
class Person:
    """An agent; days count from the first of the log, ``left`` is None while employed."""

    code: str
    position: int
    hired: int
    left: int | None
    site: str = "east"
    employer: str = IN_HOUSE
    team: int = 0


@dataclass(frozen=True, eq=False)
class Crew:
    """What is true of each agent and in no log; standard scores but for ``excess``.

    ``slow``: lasting slowness, ``excess``: extra handle time on the first day (0.5: half as much
    again), ``error``, ``score``, ``manner``: lasting differences in errors, in knowledge and in
    how satisfied customers are. ``hired`` and ``left`` are days, :data:`NEVER` while employed.
    """

    hired: NDArray[np.int64]
    left: NDArray[np.int64]
    team: NDArray[np.int64]
    slow: NDArray[np.float64]
    excess: NDArray[np.float64]
    error: NDArray[np.float64]
    score: NDArray[np.float64]
    manner: NDArray[np.float64]

    @property
    def size(self) -> int:
        """Number of agents, past ones included."""
        return self.hired.size


def no_differences(people: tuple[Person, ...]) -> Crew:
    """A crew of typical tenured agents."""
    zeros = np.zeros(len(people))
    hired = np.array([each.hired for each in people], np.int64)
    left = np.array([NEVER if each.left is None else each.left for each in people], np.int64)
    team = np.array([each.team for each in people], np.int64)
    return Crew(hired, left, team, *(5 * [zeros]))


def draw_people(
    parameters: CentreParameters, positions: int, days: int, scale: float, root: int
) -> tuple[tuple[Person, ...], Crew]:
    """Agents who hold the positions one after another, coded in the order of hiring.

    Each position draws from a stream of its own, so that one position's people do not depend on
    another's.
    """
    p = parameters
    # Small centres have smaller teams, so that there are teams to compare.
    team_size = max(3, round(p.team_size * min(scale, 1.0) ** 0.5))
    spells: list[tuple[int, int, int | None, tuple[float, ...]]] = []
    for position in range(positions):
        rng = np.random.default_rng([root, position])
        outsourced = _is_outsourced(position // team_size, p.outsourced)
        yearly = p.turnover * (p.outsourced_turnover if outsourced else 1.0)
        grid = max(1, round(p.intake_days))
        hired = -_BEFORE // grid * grid
        while hired < days:
            traits = (*rng.standard_normal(4).tolist(), rng.random())
            worked = _days_worked(yearly / 365, traits[0], rng.standard_exponential(), p)
            left = min(hired + -(-max(worked, 1) // grid) * grid, NEVER)
            if left > 0:
                spells.append((hired, position, left if left < days else None, traits))
            hired = left
    spells.sort(key=lambda each: each[:2])
    people = tuple(
        _person(code, position, hired, left, position // team_size, p.outsourced)
        for code, (hired, position, left, _) in enumerate(spells, start=1)
    )
    slow, error, score, manner, even = np.array([each[3] for each in spells]).T
    blank = no_differences(people)
    excess = p.novice_least - 1 + (p.novice_most - p.novice_least) * even
    return people, Crew(blank.hired, blank.left, blank.team, slow, excess, error, score, manner)


def _days_worked(rate: float, slow: float, draw: float, p: CentreParameters) -> int:
    """Days until leaving: a rate higher in the first months, and higher for the slow."""
    rate = max(rate * float(np.exp(p.leaving_slow * slow)), 1e-9)
    early = rate * p.leaving_novice
    if draw < early * _NOVICE_DAYS:
        return int(draw / early)
    return int(min(_NOVICE_DAYS + (draw - early * _NOVICE_DAYS) / rate, NEVER))


def _is_outsourced(team: int, share: float) -> bool:
    """Every so many teams one, evenly spread, the first in-house wherever it can be."""
    return int((team + 1) * share + 1e-9) > int(team * share + 1e-9)


def _person(
    code: int, position: int, hired: int, left: int | None, team: int, share: float
) -> Person:
    if _is_outsourced(team, share):
        site, employer = _OUTSOURCER_SITE, OUTSOURCED
    else:
        site, employer = _SITES[team % 2], IN_HOUSE
    return Person(f"A{code:04d}", position, hired, left, site, employer, team)
