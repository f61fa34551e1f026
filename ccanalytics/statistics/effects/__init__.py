"""Designs that ask what a change did, one per file, each with its falsifications."""

from ccanalytics.statistics.effects.combined import Combined, combined
from ccanalytics.statistics.effects.effect import Effect, Grade, Placebo
from ccanalytics.statistics.effects.segmented import segmented

__all__ = ["Combined", "Effect", "Grade", "Placebo", "combined", "segmented"]
