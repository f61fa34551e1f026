"""Staffing: how many agents, interval by interval, and which shifts seat them.

Frames of demand in, Results out; nothing here opens a log.
"""

from ccanalytics.staffing._seats import scheduled
from ccanalytics.staffing.absence import people_for
from ccanalytics.staffing.cover import ShiftCover, cover
from ccanalytics.staffing.curve import ServiceLevelCurve, service_level_curve
from ccanalytics.staffing.plan import DayPlan, day_plan
from ccanalytics.staffing.required import Requirement
from ccanalytics.staffing.requirement import requirement
from ccanalytics.staffing.shifts import Shift, shifts
from ccanalytics.staffing.shrinkage import Shrinkage
from ccanalytics.staffing.spikes import Spikes, spikes
from ccanalytics.staffing.typical import TypicalDemand, typical_day, typical_week

__all__ = [
    "DayPlan",
    "Requirement",
    "ServiceLevelCurve",
    "Shift",
    "ShiftCover",
    "Shrinkage",
    "Spikes",
    "TypicalDemand",
    "cover",
    "day_plan",
    "people_for",
    "requirement",
    "scheduled",
    "service_level_curve",
    "shifts",
    "spikes",
    "typical_day",
    "typical_week",
]
