"""The event simulator, and worlds whose truth is known: whole sample centres and small panels."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ccanalytics.simulation.arrivals import MixedPoisson, Replay
    from ccanalytics.simulation.panels import (
        PanelParameters,
        Panels,
        PanelTruth,
        ReminderParameters,
        ReminderWorlds,
        RollOut,
        draw_panels,
        draw_reminders,
    )
    from ccanalytics.simulation.plan import Menu, Retry
    from ccanalytics.simulation.sample import Centre, CentreParameters, write_centre
    from ccanalytics.simulation.simulated import Simulation
    from ccanalytics.simulation.simulator import simulate

# Resolved on first use: whoever writes a sample needs no event loop, and the reverse.
_HOMES = {
    "Centre": "sample",
    "CentreParameters": "sample",
    "Menu": "plan",
    "MixedPoisson": "arrivals",
    "PanelParameters": "panels",
    "PanelTruth": "panels",
    "Panels": "panels",
    "ReminderParameters": "panels",
    "ReminderWorlds": "panels",
    "Replay": "arrivals",
    "Retry": "plan",
    "RollOut": "panels",
    "Simulation": "simulated",
    "draw_panels": "panels",
    "draw_reminders": "panels",
    "simulate": "simulator",
    "write_centre": "sample",
}

__all__ = [
    "Centre",
    "CentreParameters",
    "Menu",
    "MixedPoisson",
    "PanelParameters",
    "PanelTruth",
    "Panels",
    "ReminderParameters",
    "ReminderWorlds",
    "Replay",
    "Retry",
    "RollOut",
    "Simulation",
    "draw_panels",
    "draw_reminders",
    "simulate",
    "write_centre",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
