"""Staffing: how many agents, interval by interval, and which shifts seat them.

Frames of demand in, Results out; nothing here opens a log.
"""

from ccanalytics.staffing._seats import scheduled
from ccanalytics.staffing.cover import ShiftCover, cover
from ccanalytics.staffing.curve import ServiceLevelCurve, service_level_curve
from ccanalytics.staffing.plan import DayPlan, day_plan
from ccanalytics.staffing.requirement import Requirement, requirement
from ccanalytics.staffing.shifts import Shift, shifts
from ccanalytics.staffing.spikes import Spikes, spikes
from ccanalytics.staffing.typical import TypicalDemand, typical_day, typical_week

__all__ = [
    "DayPlan",
    "Requirement",
    "ServiceLevelCurve",
    "Shift",
    "ShiftCover",
    "Spikes",
    "TypicalDemand",
    "cover",
    "day_plan",
    "requirement",
    "scheduled",
    "service_level_curve",
    "shifts",
    "spikes",
    "typical_day",
    "typical_week",
]
