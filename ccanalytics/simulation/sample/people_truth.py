"""What is true of the centre's people: each cause's effect, on the same calls with and without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ccanalytics.simulation.sample.learning import Skill, skill, transfer_chance
from ccanalytics.simulation.sample.people_meanings import PEOPLE_MEANINGS
from ccanalytics.simulation.sample.quality_truth import quality_truth, wrong_share
from ccanalytics.simulation.sample.queue_effects import KNOWN, known_or_null
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
_MOST = 1_000_000  # calls looked at; of a group that is not known from these, as many of its own


def people_truth(
    parameters: CentreParameters,
    roster: Roster,
    log: PeopleLog,
    queue: dict[str, Any],
    span_s: int,
) -> dict[str, Any]:
    """The part of ``truth.json`` on the people's side; ``queue`` is what they did to it."""
    p, floor, size = parameters, log.floor, log.answered.size
    if not size:
        return {"meanings": PEOPLE_MEANINGS, "answered": 0}
    every = -(-size // _MOST)
    some = log.answered.take(slice(None, None, every))
    skills = {
        name: (
            skill(p, log.crew, log.programme, floor.person, floor.day, causes),
            transfer_chance(p, log.crew, log.programme, floor.person, floor.day, causes),
        )
        for name, causes in WORLDS.items()
    }
    seen = {name: _calls(p, *each, some) for name, each in skills.items()}
    groups = {"all": np.ones(some.size, bool)} | {name: _in_band(log, some, name) for name in BANDS}
    expected_s = _expected_s(p, some)
    effects: dict[str, dict[str, Any]] = {}
    for world in list(WORLDS)[1:]:
        acts_in = _differs(skills[world], skills["log"])
        acts = acts_in[some.spell]
        chosen = groups | {"where_it_acts": acts}
        if world == "without_knowledge_base":
            chosen |= {f"where_it_acts_{name}": acts & groups[name] for name in BANDS}
        told = effects[world.removeprefix("without_") if world != "none" else "joint"] = {}
        for name, which in chosen.items():
            if not which.any():
                continue
            pair = seen["log"].take(which), seen[world].take(which)
            told[name] = _effect(expected_s[which], some.base_s[which], *pair)
            if "unknown" in told[name] and every > 1:
                # A group of few calls: all of them.
                more = _all_of(log, name, acts_in)
                pair = _calls(p, *skills["log"], more), _calls(p, *skills[world], more)
                told[name] = _effect(_expected_s(p, more), more.base_s, *pair)
    paces, wrong = seen["log"].pace, seen["log"].wrong
    mean = {name: float((expected_s * each.pace).mean()) for name, each in seen.items()}
    return {
        "meanings": PEOPLE_MEANINGS,
        "answered": size,
        "calls_looked_at": some.size,
        "worlds": {
            name: {
                "handle_s": mean[name],
                "pace": float(seen[name].pace.mean()),
                "erlangs": mean[name] * size / span_s,
                "wrong_share": float(seen[name].wrong.mean()),
                "transfer_share": float(seen[name].sent.mean()),
                **_seats(p, log, mean[name]),
            }
            for name in WORLDS
        },
        "effects": effects,
        "queue": queue,
        "agents": _agents(p, roster, log, some, paces, wrong),
        **quality_truth(p, log, some),
    }


@dataclass(frozen=True, eq=False)
class _Calls:
    """Some calls in a world: factor on handle time, share of wrong items, chance of a transfer."""

    pace: Floats
    wrong: Floats
    sent: Floats

    def take(self, which: Chosen) -> _Calls:
        return _Calls(self.pace[which], self.wrong[which], self.sent[which])


def _calls(p: CentreParameters, skills: Skill, sent: Floats, some: Answered) -> _Calls:
    rest = some.rest_share.astype(float)
    talk = skills.talk_pace[some.spell]
    pace = np.asarray(skills.pace[some.spell] * ((1 - rest) * talk + rest))
    return _Calls(pace, wrong_share(p, skills.error[some.spell], some), sent[some.spell])


def _expected_s(p: CentreParameters, some: Answered) -> Floats:
    """Handle time of a typical tenured agent, over the law of lengths."""
    usual = some.base_s / np.exp(some.log_length.astype(float))
    return np.asarray(usual * np.exp(p.handle_log_sd**2 / 2))


def _in_band(log: PeopleLog, some: Answered, band: str) -> Chosen:
    low, high = BANDS[band]
    tenure = some.day - log.crew.hired[some.person]
    return np.asarray((tenure >= low) & (tenure < high))


def _differs(one: tuple[Skill, Floats], other: tuple[Skill, Floats]) -> Chosen:
    """Spells on the floor in which a cause makes a difference."""
    (here, sent), (there, sent_there) = one, other
    return np.asarray(
        (here.pace != there.pace)
        | (here.talk_pace != there.talk_pace)
        | (here.error != there.error)
        | (sent != sent_there)
    )


def _all_of(log: PeopleLog, group: str, acts_in: Chosen) -> Answered:
    """As many of the log's calls in a group as are looked at, of all there are."""
    which = np.ones(log.answered.size, bool)
    if group.startswith("where_it_acts"):
        which &= acts_in[log.answered.spell]
    band = group.removeprefix("where_it_acts").lstrip("_")
    if band in BANDS:
        which &= _in_band(log, log.answered, band)
    places = np.flatnonzero(which)
    return log.answered.take(places[:: -(-places.size // _MOST)])


def _effect(expected_s: Floats, base_s: Floats, there: _Calls, gone: _Calls) -> dict[str, Any]:
    """With the cause less without it, over some calls, and how well that is known."""
    size, change = expected_s.size, expected_s * (there.pace - gone.pace)
    without = expected_s * gone.pace
    share = float(change.sum() / without.sum())
    found = {
        "handle_s": _mean_of(change),
        "handle_share": (share, _mean_of(change - share * without)[1] / float(without.mean())),
        "handle_log": _mean_of(np.log(there.pace / gone.pace)),
        "wrong_share": _mean_of(there.wrong - gone.wrong),
        "transfer_share": _mean_of(there.sent - gone.sent),
    }
    counted = float((base_s * (there.pace - gone.pace)).mean())
    why = f"not known to {KNOWN:.0%} from {size} calls"
    return {"calls": size, "handle_s_counted": counted, **known_or_null(found, why)}


def _mean_of(change: Floats) -> tuple[float, float]:
    """Mean over calls and its standard error; the same in every call means no error."""
    error = float(change.std() / np.sqrt(change.size)) if np.ptp(change) else 0.0
    return float(change.mean()), error


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
