"""Staffing: how many agents, interval by interval, and which shifts seat them.

Frames of demand in, Results out; nothing here opens a log.
"""

from ccanalytics.staffing._seats import scheduled
from ccanalytics.staffing.abandonment_models import AbandonmentModels, abandonment_models
from ccanalytics.staffing.absence import people_for
from ccanalytics.staffing.by_patience import SeatsByPatience, seats_by_patience
from ccanalytics.staffing.cover import ShiftCover, cover
from ccanalytics.staffing.curve import ServiceLevelCurve, service_level_curve
from ccanalytics.staffing.measured import MeasuredShrinkage, measured_shrinkage
from ccanalytics.staffing.plan import DayPlan, day_plan
from ccanalytics.staffing.required import Requirement
from ccanalytics.staffing.requirement import requirement
from ccanalytics.staffing.shifts import Shift, shifts
from ccanalytics.staffing.shrinkage import Shrinkage
from ccanalytics.staffing.spikes import Spikes, spikes
from ccanalytics.staffing.typical import TypicalDemand, typical_day, typical_week

__all__ = [
    "AbandonmentModels",
    "DayPlan",
    "MeasuredShrinkage",
    "Requirement",
    "SeatsByPatience",
    "ServiceLevelCurve",
    "Shift",
    "ShiftCover",
    "Shrinkage",
    "Spikes",
    "TypicalDemand",
    "abandonment_models",
    "cover",
    "day_plan",
    "measured_shrinkage",
    "people_for",
    "requirement",
    "scheduled",
    "seats_by_patience",
    "service_level_curve",
    "shifts",
    "spikes",
    "typical_day",
    "typical_week",
]
