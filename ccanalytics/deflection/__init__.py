"""What self-service takes away: the funnel that is measured, the effect that is estimated."""

from ccanalytics.deflection.before_after import BeforeAfter, before_after
from ccanalytics.deflection.churn import Churn, churn
from ccanalytics.deflection.claims import Claim, check_claim
from ccanalytics.deflection.comparisons import Comparisons, before_after_each
from ccanalytics.deflection.coverage import Coverage, coverage
from ccanalytics.deflection.designs import Designs, designs
from ccanalytics.deflection.effect import DESIGNS, effect
from ccanalytics.deflection.expiry import Expiry, expiry
from ccanalytics.deflection.freed import remaining
from ccanalytics.deflection.funnel import Funnel, funnel
from ccanalytics.deflection.ledger import Ledger, ledger
from ccanalytics.deflection.offers import encouraged, randomised
from ccanalytics.deflection.overview import Overview, overview
from ccanalytics.deflection.reminders import Reminders, reminders
from ccanalytics.deflection.takeover import TakenOver, taken_over
from ccanalytics.deflection.value import Value, value
from ccanalytics.deflection.waterfall import Waterfall, waterfall
from ccanalytics.deflection.worth import worth

__all__ = [
    "DESIGNS",
    "BeforeAfter",
    "Churn",
    "Claim",
    "Comparisons",
    "Coverage",
    "Designs",
    "Expiry",
    "Funnel",
    "Ledger",
    "Overview",
    "Reminders",
    "TakenOver",
    "Value",
    "Waterfall",
    "before_after",
    "before_after_each",
    "check_claim",
    "churn",
    "coverage",
    "designs",
    "effect",
    "encouraged",
    "expiry",
    "funnel",
    "ledger",
    "overview",
    "randomised",
    "remaining",
    "reminders",
    "taken_over",
    "value",
    "waterfall",
    "worth",
]
