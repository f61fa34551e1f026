"""Who sits where: seats by half-hour from a forecast, shifts that fill them, people who work them.

Seats follow the square-root rule (Halfin & Whitt 1981) with the threshold's correction: the least
β whose 1 − α(β)·exp(−β√R·t/AHT) reaches the goal, on a weekly forecast that is a little wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from ccanalytics.simulation.sample.needs import awake
from ccanalytics.simulation.sample.people import Person, draw_people
from ccanalytics.simulation.sample.volumes import DAY_S, HALF_HOUR_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people import Crew
    from ccanalytics.simulation.sample.pool import Requests
    from ccanalytics.simulation.sample.volumes import Volumes

__all__ = ["Person", "Roster", "draw_roster", "forecast", "seats_for"]

_LONGEST_SHIFT = 16  # half-hours


@dataclass(frozen=True, eq=False)
class Roster:
    """Shifts in order of their start (seconds), who works each, and on which of the seats."""

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    person: NDArray[np.int64]
    people: tuple[Person, ...]
    seats: NDArray[np.int64]
    seat: NDArray[np.int64]
    crew: Crew


def forecast(
    parameters: CentreParameters, volumes: Volumes, requests: Requests, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Requests by half-hour as the planner foresees them, follow-up calls included.

    Calendar and shape of the day are known, and the level of each week but for an error; what
    makes a day or an hour busier than the calendar says is not.
    """
    days = len(volumes.profile)
    follows = requests.follow_up_s > 0
    later = requests.entry + requests.handle_s + requests.follow_up_s
    at = np.concatenate([requests.entry, awake(later[follows])])
    at = at[at < days * DAY_S]
    shape = volumes.expected.sum(axis=0)[:, None] * volumes.profile
    # Over the day follow-up calls come later than first ones.
    usual = np.bincount(at % DAY_S // HALF_HOUR_S, minlength=48)
    shape = shape * (usual / shape.sum(axis=0))[None, :]
    week = np.arange(days) // 7
    realised = np.bincount(at // (7 * DAY_S), minlength=week[-1] + 1)
    level = realised / np.bincount(week, shape.sum(axis=1) + 1e-12)
    sd = parameters.plan_log_sd
    error = np.exp(sd * rng.standard_normal(level.size) - sd**2 / 2)
    return np.asarray((shape * (level * error)[week][:, None]).ravel())


def wait_probability(beta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Halfin and Whitt's chance of waiting with β√R seats to spare: 1 / (1 + βΦ(β)/φ(β))."""
    density = np.exp(-(beta**2) / 2) / np.sqrt(2 * np.pi)
    return np.asarray(1 / (1 + beta * ndtr(beta) / density))


def seats_for(
    calls: NDArray[np.float64], aht_s: float, share: float, within_s: float, least: int = 1
) -> NDArray[np.int64]:
    """Agents for each half-hour's calls, by the square-root rule to the nearest whole number."""
    load = calls * aht_s / HALF_HOUR_S
    beta = np.arange(0.05, 4.0, 0.05)
    root = np.sqrt(load)[:, None]
    level = 1 - wait_probability(beta) * np.exp(-beta * root * within_s / aht_s)
    enough = np.argmax(level >= share, axis=1)
    enough = np.where((level >= share).any(axis=1), enough, beta.size - 1)
    return np.maximum(np.rint(load + beta[enough] * root[:, 0]), least).astype(np.int64)


def draw_roster(
    parameters: CentreParameters,
    seats: NDArray[np.int64],
    scale: float,
    rng: np.random.Generator,
) -> Roster:
    """Shifts of at most eight hours for the seats, worked by agents with rest between them.

    ``seats`` is what the calls need; breaks and meetings come on top.
    """
    p = parameters
    root = int(rng.integers(1 << 62))
    seats = np.rint(seats / (1 - p.plan_shrinkage)).astype(np.int64)
    seats = _without_short_dips(seats)
    start, end, seat = _shifts(seats)
    position, positions = _positions(start, end, max(1, round(p.agents * scale)), rng)
    people, crew = draw_people(p, positions, seats.size // 48, scale, root)
    person = _workers(people, start, position)
    return Roster(start * HALF_HOUR_S, end * HALF_HOUR_S, person, people, seats, seat, crew)


def _without_short_dips(seats: NDArray[np.int64], width: int = 4) -> NDArray[np.int64]:
    """Seats stay open through dips of under two hours, so that shifts do not fall to pieces."""

    def window(values: NDArray[np.int64], before: int, after: int) -> NDArray[np.int64]:
        padded = np.pad(values, (before, after), mode="edge")
        return np.lib.stride_tricks.sliding_window_view(padded, before + after + 1)

    highest = window(seats, width - 1, 0).max(axis=1)
    return np.asarray(window(highest, 0, width - 1).min(axis=1))


def _shifts(
    seats: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    starts, ends, numbers = [], [], []
    for seat in range(1, int(seats.max()) + 1):
        edge = np.diff(np.concatenate([[0], (seats >= seat).astype(np.int8), [0]]))
        for first, last in zip(np.flatnonzero(edge == 1), np.flatnonzero(edge == -1), strict=True):
            parts = -(-(last - first) // _LONGEST_SHIFT)
            cuts = first + (last - first) * np.arange(parts + 1) // parts
            starts.append(cuts[:-1])
            ends.append(cuts[1:])
            numbers.append(np.full(parts, seat))
    start, end = np.concatenate(starts), np.concatenate(ends)
    order = np.argsort(start, kind="stable")
    return start[order], end[order], np.concatenate(numbers)[order]


def _positions(
    start: NDArray[np.int64], end: NDArray[np.int64], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], int]:
    """Which position works each shift: the best rested; a new one is opened if none is rested.

    Sixteen hours between shifts, and 64 after every fifth: no more than five shifts a week.
    """
    # At the start everyone is somewhere in the week: some have just gone home, some work on.
    rested = [
        (float(when), number, int(worked))
        for number, (when, worked) in enumerate(
            zip(rng.uniform(-128, 128, count), rng.integers(0, 5, count), strict=True)
        )
    ]
    rested.sort()
    jitter = rng.random(start.size).tolist()
    position = np.empty(start.size, np.int64)
    for shift, (begin, finish) in enumerate(zip(start.tolist(), end.tolist(), strict=True)):
        if rested and rested[0][0] <= begin:
            _, number, worked = heappop(rested)
        else:
            number, worked, count = count, 0, count + 1
        rest = 128 if worked % 5 == 4 else 32
        heappush(rested, (finish + rest + jitter[shift], number, worked + 1))
        position[shift] = number
    return position, count


def _workers(
    people: tuple[Person, ...], start: NDArray[np.int64], position: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Who works each shift: the person whose spell in the position had begun by its day.

    Whoever leaves works until the morning of that day; the successor's first shift begins on it.
    """
    keys = np.array([each.position * 10**7 + each.hired + 10**6 for each in people])
    order = np.argsort(keys)
    wanted = position * 10**7 + start * HALF_HOUR_S // DAY_S + 10**6
    return np.asarray(order[np.searchsorted(keys[order], wanted, side="right") - 1])
