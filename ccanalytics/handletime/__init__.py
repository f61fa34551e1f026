"""How long calls take: the distribution, its parts, where it is going, and who takes them."""

from ccanalytics.handletime.agents import AgentEffects, agents
from ccanalytics.handletime.attrition import Attrition, attrition
from ccanalytics.handletime.control import HandleControl, control_chart
from ccanalytics.handletime.distribution import HandleTimes, distribution
from ccanalytics.handletime.effect import effect
from ccanalytics.handletime.effect_result import HandleEffect
from ccanalytics.handletime.effective import EffectiveAgents, effective_agents
from ccanalytics.handletime.effects import Effects, effects
from ccanalytics.handletime.learning import LearningCurve, learning_curve, learning_law
from ccanalytics.handletime.mix import Mix, mix
from ccanalytics.handletime.outreach import Outreach, outreach
from ccanalytics.handletime.overview import Overview, overview
from ccanalytics.handletime.parts import HandleParts, parts
from ccanalytics.handletime.proficiency import Proficiency, proficiency
from ccanalytics.handletime.trend import Trend, trend

__all__ = [
    "AgentEffects",
    "Attrition",
    "EffectiveAgents",
    "Effects",
    "HandleControl",
    "HandleEffect",
    "HandleParts",
    "HandleTimes",
    "LearningCurve",
    "Mix",
    "Outreach",
    "Overview",
    "Proficiency",
    "Trend",
    "agents",
    "attrition",
    "control_chart",
    "distribution",
    "effect",
    "effective_agents",
    "effects",
    "learning_curve",
    "learning_law",
    "mix",
    "outreach",
    "overview",
    "parts",
    "proficiency",
    "trend",
]
