"""Control charts: what is a signal, what is noise, and how often noise alone gives a signal."""

from ccanalytics.statistics.control.attributes import rates, shares
from ccanalytics.statistics.control.changes import Segment, changes
from ccanalytics.statistics.control.chart import ControlChart
from ccanalytics.statistics.control.individuals import individuals
from ccanalytics.statistics.control.memory import cusum, ewma
from ccanalytics.statistics.control.run_length import cusum_run_length, ewma_run_length

__all__ = [
    "ControlChart",
    "Segment",
    "changes",
    "cusum",
    "cusum_run_length",
    "ewma",
    "ewma_run_length",
    "individuals",
    "rates",
    "shares",
]
