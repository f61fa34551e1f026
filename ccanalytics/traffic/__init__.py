"""Traffic: when calls come, how they are served, how long callers wait, and who calls again.

Frames from the call log's roll-ups in, Results out; nothing here opens a log.
"""

from ccanalytics.traffic.profile import BusiestHour, BusyHour, TrafficProfile, profile
from ccanalytics.traffic.repeats import RepeatCallers, repeat_callers
from ccanalytics.traffic.waits import AbandonmentByWait, abandonment_by_wait

__all__ = [
    "AbandonmentByWait",
    "BusiestHour",
    "BusyHour",
    "RepeatCallers",
    "TrafficProfile",
    "abandonment_by_wait",
    "profile",
    "repeat_callers",
]
