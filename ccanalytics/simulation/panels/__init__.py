"""Small worlds for coverage studies, their truth known: roll-outs by unit, reminded customers."""

from __future__ import annotations

from ccanalytics.simulation.panels.customers import ReminderParameters
from ccanalytics.simulation.panels.draw import Panels, draw_panels
from ccanalytics.simulation.panels.parameters import PanelParameters, RollOut
from ccanalytics.simulation.panels.reminders import (
    ReminderTruth,
    ReminderWorlds,
    draw_reminders,
)
from ccanalytics.simulation.panels.teams import TeamParameters, TeamWorld, draw_team_world
from ccanalytics.simulation.panels.truth import PanelTruth, TrueEffect
from ccanalytics.simulation.panels.world import PanelWorld

__all__ = [
    "PanelParameters",
    "PanelTruth",
    "PanelWorld",
    "Panels",
    "ReminderParameters",
    "ReminderTruth",
    "ReminderWorlds",
    "RollOut",
    "TeamParameters",
    "TeamWorld",
    "TrueEffect",
    "draw_panels",
    "draw_reminders",
    "draw_team_world",
]
