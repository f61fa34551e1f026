"""Designs that ask what a change did, one per file, each with its falsifications."""

from ccanalytics.statistics.effects.combined import Combined, combined
from ccanalytics.statistics.effects.effect import Effect, Grade, Placebo, SeriesEffect
from ccanalytics.statistics.effects.panel_effect import PanelEffect
from ccanalytics.statistics.effects.segmented import segmented
from ccanalytics.statistics.effects.staggered import NEVER, staggered

__all__ = [
    "NEVER",
    "Combined",
    "Effect",
    "Grade",
    "PanelEffect",
    "Placebo",
    "SeriesEffect",
    "combined",
    "segmented",
    "staggered",
]
