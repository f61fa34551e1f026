"""What is true of the centre's people: each cause's effect, on the same calls with and without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.learning import skill, transfer_chance
from ccanalytics.simulation.sample.people_meanings import PEOPLE_MEANINGS
from ccanalytics.simulation.sample.quality_truth import quality_truth, wrong_share
from ccanalytics.simulation.sample.queue_truth import WORLDS
from ccanalytics.simulation.sample.roster import seats_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ccanalytics.simulation.sample.answered import Answered
    from ccanalytics.simulation.sample.parameters import CentreParameters
    from ccanalytics.simulation.sample.people_log import PeopleLog
    from ccanalytics.simulation.sample.roster import Roster

    Floats = NDArray[np.floating[Any]]
    Chosen = NDArray[np.bool_]

__all__ = ["BANDS", "people_truth"]

# Days of tenure, by whose first day an agent is in the band.
BANDS = {"under_90_days": (-1, 90), "90_to_364_days": (90, 365), "a_year_or_more": (365, 1 << 30)}
_MOST = 1_000_000  # calls looked at: enough for errors far under 2%


def people_truth(
    parameters: CentreParameters, roster: Roster, log: PeopleLog, span_s: int
) -> dict[str, Any]:
    """The part of ``truth.json`` on the people's side."""
    p, floor, size = parameters, log.floor, log.answered.size
    if not size:
        return {"meanings": PEOPLE_MEANINGS, "answered": 0}
    some = log.answered.take(slice(None, None, -(-size // _MOST)))
    skills = {
        name: skill(p, log.crew, log.programme, floor.person, floor.day, causes)
        for name, causes in WORLDS.items()
    }
    paces = {name: _paces(each, some) for name, each in skills.items()}
    wrong = {name: wrong_share(p, each.error[some.spell], some) for name, each in skills.items()}
    sent = {
        name: transfer_chance(p, log.crew, log.programme, floor.person, floor.day, causes)[
            some.spell
        ]
        for name, causes in WORLDS.items()
    }
    tenure = some.day - log.crew.hired[some.person]
    groups = {"all": np.ones(some.size, bool)} | {
        name: (tenure >= low) & (tenure < high) for name, (low, high) in BANDS.items()
    }
    usual = some.base_s / np.exp(some.log_length.astype(float))
    expected_s = usual * np.exp(p.handle_log_sd**2 / 2)
    effects = {}
    for world in list(WORLDS)[1:]:
        acts = (paces[world] != paces["log"]) | (wrong[world] != wrong["log"])
        acts |= sent[world] != sent["log"]
        chosen = groups | {"where_it_acts": acts}
        if world == "without_knowledge_base":
            chosen |= {f"where_it_acts_{name}": acts & groups[name] for name in BANDS}
        effects[world.removeprefix("without_") if world != "none" else "joint"] = {
            name: _effect(which, expected_s, some, *_pair(world, paces, wrong, sent))
            for name, which in chosen.items()
            if which.any()
        }
    mean = {name: float((expected_s * each).mean()) for name, each in paces.items()}
    return {
        "meanings": PEOPLE_MEANINGS,
        "answered": size,
        "calls_looked_at": some.size,
        "worlds": {
            name: {
                "handle_s": mean[name],
                "pace": float(paces[name].mean()),
                "erlangs": mean[name] * size / span_s,
                "wrong_share": float(wrong[name].mean()),
                "transfer_share": float(sent[name].mean()),
                **_seats(p, log, mean[name]),
            }
            for name in WORLDS
        },
        "effects": effects,
        "queue": log.queue,
        "agents": _agents(p, roster, log, some, paces["log"], wrong["log"]),
        **quality_truth(p, log, some),
    }


def _paces(skills: Any, some: Answered) -> Floats:
    rest = some.rest_share.astype(float)
    talk = skills.talk_pace[some.spell]
    return np.asarray(skills.pace[some.spell] * ((1 - rest) * talk + rest))


def _pair(world: str, *measures: dict[str, Floats]) -> list[tuple[Floats, Floats]]:
    return [(each["log"], each[world]) for each in measures]


def _effect(
    which: Chosen,
    expected_s: Floats,
    some: Answered,
    pace: tuple[Floats, Floats],
    wrong: tuple[Floats, Floats],
    sent: tuple[Floats, Floats],
) -> dict[str, float]:
    """With the cause less without it, over some calls, and how well that is known."""
    there, gone = (each[which] for each in pace)
    change = expected_s[which] * (there - gone)
    without = float((expected_s[which] * gone).mean())
    value = float(change.mean())
    error = float(change.std() / np.sqrt(change.size))
    return {
        "calls": int(which.sum()),
        "handle_s": value,
        "handle_s_counted": float((some.base_s[which] * (there - gone)).mean()),
        "handle_share": value / without,
        "handle_log": float(np.log(there / gone).mean()),
        "monte_carlo_error": error / abs(value) if value else 0.0,
        "wrong_share": float((wrong[0][which] - wrong[1][which]).mean()),
        "transfer_share": float((sent[0][which] - sent[1][which]).mean()),
    }


def _seats(p: CentreParameters, log: PeopleLog, handle_s: float) -> dict[str, float]:
    """Seats that the plan's own rule asks for at that handle time, breaks left out."""
    calls = np.bincount(log.answered.at // 1800, minlength=log.foreseen.size)
    # The plan's volume, scaled to calls that were answered.
    foreseen = log.foreseen * (calls.sum() / max(log.foreseen.sum(), 1e-9))
    seats = seats_for(foreseen, handle_s, p.goal_share, p.goal_within_s, 1)
    return {"seats_at_peak": int(seats.max()), "seat_hours": float(seats.sum() / 2)}


def _agents(
    p: CentreParameters,
    roster: Roster,
    log: PeopleLog,
    some: Answered,
    pace: Floats,
    wrong: Floats,
) -> list[dict[str, Any]]:
    """What is true of each agent who took calls."""
    crew, count = log.crew, log.crew.size
    calls = np.bincount(log.answered.person, minlength=count)
    seen = np.maximum(np.bincount(some.person, minlength=count), 1)

    def mean(values: Floats) -> Floats:
        return np.asarray(np.bincount(some.person, values, minlength=count) / seen)

    own, errors = mean(pace), mean(wrong)
    return [
        {
            "agent": person.code,
            "calls": int(calls[each]),
            "lasting_pace": float(np.exp(p.agent_log_sd * crew.slow[each])),
            "first_day_excess": float(crew.excess[each]),
            "mean_pace": float(own[each]),
            "wrong_share": float(errors[each]),
            "satisfaction_sd": float(p.satisfaction_agent * crew.manner[each]),
        }
        for each, person in enumerate(roster.people)
        if calls[each]
    ]
