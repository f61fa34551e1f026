"""What self-service takes away: the funnel that is measured, the effect that is estimated."""

from ccanalytics.deflection.before_after import BeforeAfter, before_after
from ccanalytics.deflection.comparisons import Comparisons, before_after_each
from ccanalytics.deflection.funnel import Funnel, funnel
from ccanalytics.deflection.overview import Overview, overview

__all__ = [
    "BeforeAfter",
    "Comparisons",
    "Funnel",
    "Overview",
    "before_after",
    "before_after_each",
    "funnel",
    "overview",
]
