"""What stands behind the sample centre's first line: the second line, tickets and trunk lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["SupportParameters"]


def _of(default: float, unit: str, meaning: str) -> Any:
    """A parameter with its unit and meaning as metadata."""
    return field(default=default, metadata={"unit": unit, "meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class SupportParameters:
    """Causes behind the first line; :class:`CentreParameters` holds them with all others.

    Switched off by its own number: ``second_line_taken=0`` calls of the second line, ``ticket=0,
    ticket_fault=0`` tickets. ``lines_load`` decides whether callers ever hear a busy signal.
    """

    # The second line: a queue of its own, and agents with a skill of their own
    second_line_taken: float = _of(
        0.80, "share", "transferred calls that go on as a call in the second line's queue"
    )
    second_line_agents: float = _of(40, "agents", "its positions at scale 1; more if needed")
    second_line_median_s: float = _of(240, "s", "median handle time there (lognormal)")
    second_line_log_sd: float = _of(0.8, "log sd", "spread of that handle time")
    second_line_impatient: float = _of(
        0.03, "share", "callers there who give up soon; fewer than of those who have reached nobody"
    )
    second_line_within_s: float = _of(60, "s", "its service level's threshold; share: goal_share")

    # Tickets: what a call leaves to be done
    ticket: float = _of(0.012, "share", "answered calls that leave a ticket")
    ticket_fault: float = _of(0.35, "share", "the same of calls about faults")
    ticket_median_s: float = _of(93_600, "s", "median time to close a ticket (lognormal)")
    ticket_log_sd: float = _of(1.0, "log sd", "spread of that time")
    ticket_network: float = _of(0.5, "factor", "that time of the network department over others'")
    ticket_reopened: float = _of(0.07, "share", "closed tickets that are opened again")
    ticket_reopened_s: float = _of(172_800, "s", "mean delay of that (exponential)")

    # Trunk lines
    lines_blocking: float = _of(
        0.001,
        "share",
        "blocking at which lines are planned, by Erlang B, for the busiest half-hour",
    )
    lines_load: float = _of(2.5, "factor", "load that lines are planned for, over that foreseen")
    lines_least: float = _of(16, "lines", "no trunk group has fewer, however few its calls")
    lines_days: float = _of(91, "days", "after so many days lines are planned anew")
