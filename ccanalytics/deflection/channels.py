"""Channels and stages in words."""

from __future__ import annotations

from typing import Any

from ccanalytics.statistics.frames import as_polars
from ccanalytics.vocabulary import term

__all__ = ["begun", "name_of", "named_places", "place_of"]

_CHANNELS = {"sms": "SMS", "web": "Web", "app": "App", "menu": "Voice menu"}
_STAGES = {
    "before_call": "before the call",
    "during_call": "during the call",
    "own_initiative": "on customers' own initiative",
    "reminder": "after a reminder",
}

# What a contact belongs to, in the words of the roll-outs.
_ROLLED_OUT = {
    ("sms", "before_call"): "sms_assist_before",
    ("sms", "during_call"): "sms_assist_during",
    ("sms", "own_initiative"): "sms_hall",
    ("web", "own_initiative"): "web_hall",
    ("app", "own_initiative"): "app",
    ("menu", "own_initiative"): "menu",
}


def name_of(channel: str, stage: str) -> str:
    """Name a channel and its stage in words, the same as those of its roll-out.

    >>> name_of("sms", "before_call")
    'SMS-assist before the call'
    """
    if stage == "assisted":
        return "Asked an agent at once"
    if (channel, stage) in _ROLLED_OUT:
        return term(_ROLLED_OUT[channel, stage])
    return f"{_CHANNELS.get(channel, channel)} {_STAGES.get(stage, stage)}"


def place_of(treatment: str) -> tuple[str, str] | None:
    """Channel and stage that a roll-out brings, where it is one of a channel.

    >>> place_of("web_hall"), place_of("knowledge_base")
    (('web', 'own_initiative'), None)
    """
    return {name: place for place, name in _ROLLED_OUT.items()}.get(treatment)


def begun(stage: str) -> str:
    """Say what a contact of that stage is: an offer, or a session."""
    return "sessions" if stage == "own_initiative" else "offers"


def named_places(rollouts: Any, services: Any) -> dict[tuple[str, str], int]:
    """Count the services for which the log says that a channel is live, by channel and stage.

    ``rollouts`` and ``services`` are the tables of a log, or None.
    """
    found: dict[tuple[str, str], set[str]] = {}
    treatments = {name: place for place, name in _ROLLED_OUT.items()}
    if rollouts is not None:
        needs = ["unit_kind", "unit", "treatment", "live_on"]
        frame = as_polars(rollouts, "rollouts", needs, "log.table('rollouts')").drop_nulls(
            "live_on"
        )
        for kind, unit, treatment in frame.select(needs[:3]).iter_rows():
            if kind == "service" and treatment in treatments:
                found.setdefault(treatments[treatment], set()).add(unit)
    if services is not None:
        frame = as_polars(services, "services", ["service"], "log.table('services')")
        for name, place in treatments.items():
            if f"{name}_on" in frame.columns:
                units = frame.drop_nulls(f"{name}_on")["service"].to_list()
                if units:
                    found.setdefault(place, set()).update(units)
    return {place: len(units) for place, units in found.items()}
