"""How long calls take: the distribution, its parts, and where it is going."""

from ccanalytics.handletime.control import HandleControl, control_chart
from ccanalytics.handletime.distribution import HandleTimes, distribution
from ccanalytics.handletime.effect import effect
from ccanalytics.handletime.effect_result import HandleEffect
from ccanalytics.handletime.effects import Effects, effects
from ccanalytics.handletime.mix import Mix, mix
from ccanalytics.handletime.outreach import Outreach, outreach
from ccanalytics.handletime.overview import Overview, overview
from ccanalytics.handletime.parts import HandleParts, parts
from ccanalytics.handletime.proficiency import Proficiency, proficiency
from ccanalytics.handletime.trend import Trend, trend

__all__ = [
    "Effects",
    "HandleControl",
    "HandleEffect",
    "HandleParts",
    "HandleTimes",
    "Mix",
    "Outreach",
    "Overview",
    "Proficiency",
    "Trend",
    "control_chart",
    "distribution",
    "effect",
    "effects",
    "mix",
    "outreach",
    "overview",
    "parts",
    "proficiency",
    "trend",
]
