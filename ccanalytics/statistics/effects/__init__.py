"""Designs that ask what a change did, one per file, each with its falsifications."""

from ccanalytics.statistics.effects.combined import Combined, combined
from ccanalytics.statistics.effects.effect import Effect, Grade, Placebo
from ccanalytics.statistics.effects.offer_effect import OfferEffect
from ccanalytics.statistics.effects.randomised import randomised
from ccanalytics.statistics.effects.segmented import segmented
from ccanalytics.statistics.effects.staggered import NEVER, StaggeredEffect, staggered

__all__ = [
    "NEVER",
    "Combined",
    "Effect",
    "Grade",
    "OfferEffect",
    "Placebo",
    "StaggeredEffect",
    "combined",
    "randomised",
    "segmented",
    "staggered",
]
