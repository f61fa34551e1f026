"""Channels and stages in words."""

from __future__ import annotations

from ccanalytics.vocabulary import term

__all__ = ["begun", "name_of"]

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
    if (channel, stage) in _ROLLED_OUT:
        return term(_ROLLED_OUT[channel, stage])
    return f"{_CHANNELS.get(channel, channel)} {_STAGES.get(stage, stage)}"


def begun(stage: str) -> str:
    """Say what a contact of that stage is: an offer, or a session."""
    return "sessions" if stage == "own_initiative" else "offers"
