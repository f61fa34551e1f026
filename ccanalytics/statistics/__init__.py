"""What several topics share: intervals for estimates, and causal designs with falsifications."""

from ccanalytics.statistics.overdispersion import Overdispersion, overdispersion
from ccanalytics.statistics.patience import Patience, patience
from ccanalytics.statistics.patience_curve import PatienceCurve
from ccanalytics.statistics.proportions import wilson
from ccanalytics.statistics.redials import Redials, redials

__all__ = [
    "Overdispersion",
    "Patience",
    "PatienceCurve",
    "Redials",
    "overdispersion",
    "patience",
    "redials",
    "wilson",
]
