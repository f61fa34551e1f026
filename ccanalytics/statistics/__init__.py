"""What several topics share: intervals for estimates, and causal designs with falsifications."""

from ccanalytics.statistics.gaps import ConcernGaps, concern_gaps
from ccanalytics.statistics.overdispersion import Overdispersion, overdispersion
from ccanalytics.statistics.patience import Patience, patience
from ccanalytics.statistics.patience_curve import PatienceCurve
from ccanalytics.statistics.proportions import wilson
from ccanalytics.statistics.redials import Redials, redials

__all__ = [
    "ConcernGaps",
    "Overdispersion",
    "Patience",
    "PatienceCurve",
    "Redials",
    "concern_gaps",
    "overdispersion",
    "patience",
    "redials",
    "wilson",
]
