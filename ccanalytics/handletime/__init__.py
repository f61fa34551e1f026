"""How long calls take: the distribution, its parts, where it is going, and who takes them."""

from ccanalytics.handletime.agents import AgentEffects, agents
from ccanalytics.handletime.attrition import Attrition, attrition
from ccanalytics.handletime.control import HandleControl, control_chart
from ccanalytics.handletime.distribution import HandleTimes, distribution
from ccanalytics.handletime.effective import EffectiveAgents, effective_agents
from ccanalytics.handletime.learning import LearningCurve, learning_curve, learning_law
from ccanalytics.handletime.mix import Mix, mix
from ccanalytics.handletime.overview import Overview, overview
from ccanalytics.handletime.parts import HandleParts, parts
from ccanalytics.handletime.trend import Trend, trend

__all__ = [
    "AgentEffects",
    "Attrition",
    "EffectiveAgents",
    "HandleControl",
    "HandleParts",
    "HandleTimes",
    "LearningCurve",
    "Mix",
    "Overview",
    "Trend",
    "agents",
    "attrition",
    "control_chart",
    "distribution",
    "effective_agents",
    "learning_curve",
    "learning_law",
    "mix",
    "overview",
    "parts",
    "trend",
]
