"""Designs that ask what a change did, one per file, each with its falsifications."""

from ccanalytics.statistics.effects.combined import Combined, combined
from ccanalytics.statistics.effects.effect import Effect, Grade, Placebo, SeriesEffect
from ccanalytics.statistics.effects.group_time import group_time, group_time_effects
from ccanalytics.statistics.effects.offer_effect import OfferEffect
from ccanalytics.statistics.effects.panel_effect import PanelEffect
from ccanalytics.statistics.effects.randomised import randomised
from ccanalytics.statistics.effects.segmented import segmented
from ccanalytics.statistics.effects.segmented_units import segmented_units
from ccanalytics.statistics.effects.staggered import NEVER, staggered
from ccanalytics.statistics.effects.structural import structural
from ccanalytics.statistics.effects.synthetic import (
    synthetic_control,
    synthetic_did,
    synthetic_difference,
)
from ccanalytics.statistics.effects.two_by_two import TwoByTwo, two_by_two

__all__ = [
    "NEVER",
    "Combined",
    "Effect",
    "Grade",
    "OfferEffect",
    "PanelEffect",
    "Placebo",
    "SeriesEffect",
    "TwoByTwo",
    "combined",
    "group_time",
    "group_time_effects",
    "randomised",
    "segmented",
    "segmented_units",
    "staggered",
    "structural",
    "synthetic_control",
    "synthetic_did",
    "synthetic_difference",
    "two_by_two",
]
