"""How good calls were, how sure that is, and day by day what deserves attention."""

from ccanalytics.quality.agreeing import Agreement, agreement
from ccanalytics.quality.bulletin import Bulletin, bulletin
from ccanalytics.quality.complaints import ComplaintWeek, complaint_chart, complaint_week
from ccanalytics.quality.errors_found import ErrorRates, error_rates
from ccanalytics.quality.frontiers import Frontier, frontier
from ccanalytics.quality.personal import AgentFile, agent_file
from ccanalytics.quality.resolution_cost import ResolutionCost, resolution_cost
from ccanalytics.quality.resolved import Resolution, first_contact_resolution
from ccanalytics.quality.sampling import (
    SamplingPlan,
    acceptance,
    plan_for_risks,
    reviews_for_width,
    sampling_plan,
)
from ccanalytics.quality.satisfied import Satisfaction, satisfaction
from ccanalytics.quality.ticketing import Tickets, tickets

__all__ = [
    "AgentFile",
    "Agreement",
    "Bulletin",
    "ComplaintWeek",
    "ErrorRates",
    "Frontier",
    "Resolution",
    "ResolutionCost",
    "SamplingPlan",
    "Satisfaction",
    "Tickets",
    "acceptance",
    "agent_file",
    "agreement",
    "bulletin",
    "complaint_chart",
    "complaint_week",
    "error_rates",
    "first_contact_resolution",
    "frontier",
    "plan_for_risks",
    "resolution_cost",
    "reviews_for_width",
    "sampling_plan",
    "satisfaction",
    "tickets",
]
