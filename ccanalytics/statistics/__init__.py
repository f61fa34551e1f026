"""What several topics share: intervals for estimates, and causal designs with falsifications."""

from ccanalytics.statistics.proportions import wilson

__all__ = ["wilson"]
