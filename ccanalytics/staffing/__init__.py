"""Staffing: how many agents, interval by interval, and which shifts seat them.

Frames of demand in, Results out; nothing here opens a log.
"""

from ccanalytics.staffing._seats import scheduled
from ccanalytics.staffing.abandonment_models import AbandonmentModels, abandonment_models
from ccanalytics.staffing.absence import people_for
from ccanalytics.staffing.ahead import DemandAhead, ahead
from ccanalytics.staffing.busy_signal import BusySignal, busy_signal
from ccanalytics.staffing.by_patience import SeatsByPatience, seats_by_patience
from ccanalytics.staffing.callers import Callers, Unasked, callers
from ccanalytics.staffing.clients import ClientPlans, client_plans
from ccanalytics.staffing.coming_months import coming_months
from ccanalytics.staffing.compared import MethodComparison, compare_methods
from ccanalytics.staffing.contact_pattern import ContactPattern, contact_pattern
from ccanalytics.staffing.contracts import Contract, read_contracts
from ccanalytics.staffing.cover import ShiftCover, cover
from ccanalytics.staffing.curve import ServiceLevelCurve, service_level_curve
from ccanalytics.staffing.foretold import foretold, split_day
from ccanalytics.staffing.growth import TrunkGrowth, read_seasons, trunk_growth
from ccanalytics.staffing.line_peaks import LinePeaks, line_peaks
from ccanalytics.staffing.lines_measured import LinesMeasured, lines_measured, read_weekdays
from ccanalytics.staffing.measured import MeasuredShrinkage, measured_shrinkage
from ccanalytics.staffing.menu_measured import MenuMeasured, menu_measured
from ccanalytics.staffing.merging import MergeOrder, merge_order
from ccanalytics.staffing.overflow_groups import (
    OverflowPlan,
    groups_measured,
    no_line_groups,
    overflow_plan,
)
from ccanalytics.staffing.plan import DayPlan, day_plan
from ccanalytics.staffing.presence import AgentsSeen, agents_seen
from ccanalytics.staffing.proof import Proof, prove
from ccanalytics.staffing.required import Requirement
from ccanalytics.staffing.requirement import requirement
from ccanalytics.staffing.sensitivity import Sensitivity, sensitivity
from ccanalytics.staffing.shared_out import SharedOut, shared_out
from ccanalytics.staffing.sharing import Sharing, read_groups, sharing
from ccanalytics.staffing.shifts import Shift, shifts
from ccanalytics.staffing.shrinkage import Shrinkage, read_shrinkage
from ccanalytics.staffing.site_overflow import SiteOverflow, site_overflow
from ccanalytics.staffing.sites import SitePlans, site_plans
from ccanalytics.staffing.spikes import Spikes, spikes
from ccanalytics.staffing.tier_rules import TierRules, tier_rules
from ccanalytics.staffing.tiers import TierPromise, tier_promise
from ccanalytics.staffing.trunks import TrunkPlan, trunks
from ccanalytics.staffing.typical import TypicalDemand, typical_day, typical_week
from ccanalytics.staffing.what_if import WhatIf, what_if

__all__ = [
    "AbandonmentModels",
    "AgentsSeen",
    "BusySignal",
    "Callers",
    "ClientPlans",
    "ContactPattern",
    "Contract",
    "DayPlan",
    "DemandAhead",
    "LinePeaks",
    "LinesMeasured",
    "MeasuredShrinkage",
    "MenuMeasured",
    "MergeOrder",
    "MethodComparison",
    "OverflowPlan",
    "Proof",
    "Requirement",
    "SeatsByPatience",
    "Sensitivity",
    "ServiceLevelCurve",
    "SharedOut",
    "Sharing",
    "Shift",
    "ShiftCover",
    "Shrinkage",
    "SiteOverflow",
    "SitePlans",
    "Spikes",
    "TierPromise",
    "TierRules",
    "TrunkGrowth",
    "TrunkPlan",
    "TypicalDemand",
    "Unasked",
    "WhatIf",
    "abandonment_models",
    "agents_seen",
    "ahead",
    "busy_signal",
    "callers",
    "client_plans",
    "coming_months",
    "compare_methods",
    "contact_pattern",
    "cover",
    "day_plan",
    "foretold",
    "groups_measured",
    "line_peaks",
    "lines_measured",
    "measured_shrinkage",
    "menu_measured",
    "merge_order",
    "no_line_groups",
    "overflow_plan",
    "people_for",
    "prove",
    "read_contracts",
    "read_groups",
    "read_seasons",
    "read_shrinkage",
    "read_weekdays",
    "requirement",
    "scheduled",
    "seats_by_patience",
    "sensitivity",
    "service_level_curve",
    "shared_out",
    "sharing",
    "shifts",
    "site_overflow",
    "site_plans",
    "spikes",
    "split_day",
    "tier_promise",
    "tier_rules",
    "trunk_growth",
    "trunks",
    "typical_day",
    "typical_week",
    "what_if",
]
