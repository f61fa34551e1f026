"""What self-service takes away: the funnel that is measured, the effect that is estimated."""

from ccanalytics.deflection.before_after import BeforeAfter, before_after
from ccanalytics.deflection.claims import Claim, check_claim
from ccanalytics.deflection.comparisons import Comparisons, before_after_each
from ccanalytics.deflection.coverage import Coverage, coverage
from ccanalytics.deflection.effect import effect
from ccanalytics.deflection.freed import remaining
from ccanalytics.deflection.funnel import Funnel, funnel
from ccanalytics.deflection.ledger import Ledger, ledger
from ccanalytics.deflection.overview import Overview, overview
from ccanalytics.deflection.value import Value, value
from ccanalytics.deflection.worth import worth

__all__ = [
    "BeforeAfter",
    "Claim",
    "Comparisons",
    "Coverage",
    "Funnel",
    "Ledger",
    "Overview",
    "Value",
    "before_after",
    "before_after_each",
    "check_claim",
    "coverage",
    "effect",
    "funnel",
    "ledger",
    "overview",
    "remaining",
    "value",
    "worth",
]
