"""Channels and stages in words."""

from __future__ import annotations

__all__ = ["begun", "name_of"]

_CHANNELS = {"sms": "SMS", "web": "Web", "app": "App", "menu": "Voice menu"}
_STAGES = {
    "before_call": "before the call",
    "during_call": "during the call",
    "own_initiative": "on customers' own initiative",
    "reminder": "after a reminder",
}


# Where the customer comes to the channel, the channel's name says it all.
_OWN = {"web": "Web channel", "app": "App", "menu": "Voice menu", "sms": "SMS hall"}


def name_of(channel: str, stage: str) -> str:
    """Name a channel and its stage in words.

    >>> name_of("sms", "before_call")
    'SMS before the call'
    """
    if stage == "own_initiative" and channel in _OWN:
        return _OWN[channel]
    return f"{_CHANNELS.get(channel, channel)} {_STAGES.get(stage, stage)}"


def begun(stage: str) -> str:
    """Say what a contact of that stage is: an offer, or a session."""
    return "sessions" if stage == "own_initiative" else "offers"
