"""How good calls were and how sure that is, what training gave, what deserves attention today."""

from ccanalytics.quality.agreeing import Agreement, agreement
from ccanalytics.quality.bulletin import Bulletin, bulletin
from ccanalytics.quality.coached import Coaching, coaching
from ccanalytics.quality.complaints import ComplaintWeek, complaint_chart, complaint_week
from ccanalytics.quality.course_worth import CourseWorth, course_worth
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
from ccanalytics.quality.score_pairs import courses
from ccanalytics.quality.ticketing import Tickets, tickets
from ccanalytics.quality.trained import Training, training

__all__ = [
    "AgentFile",
    "Agreement",
    "Bulletin",
    "Coaching",
    "ComplaintWeek",
    "CourseWorth",
    "ErrorRates",
    "Frontier",
    "Resolution",
    "ResolutionCost",
    "SamplingPlan",
    "Satisfaction",
    "Tickets",
    "Training",
    "acceptance",
    "agent_file",
    "agreement",
    "bulletin",
    "coaching",
    "complaint_chart",
    "complaint_week",
    "course_worth",
    "courses",
    "error_rates",
    "first_contact_resolution",
    "frontier",
    "plan_for_risks",
    "resolution_cost",
    "reviews_for_width",
    "sampling_plan",
    "satisfaction",
    "tickets",
    "training",
]
