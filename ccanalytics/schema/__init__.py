"""The canonical tables and columns: what a call log holds, in which unit, and what null means.

This is the one definition. The store makes its tables from it, the ``ccanalytics`` format is its
written form, the sample centre writes it, and ``data/README.md`` prints it (a test compares).
"""

from __future__ import annotations

from ccanalytics.schema.columns import Column, Kind, Person, Table
from ccanalytics.schema.dictionary import dictionary
from ccanalytics.schema.tables import OUTCOMES, TABLES

__all__ = [
    "LONGEST_HANDLE_S",
    "OUTCOMES",
    "SCHEMA_VERSION",
    "TABLES",
    "Column",
    "Kind",
    "Person",
    "Table",
    "dictionary",
]

# 2 has customers, subscriptions, days, contracts, schedules, assessments and articles besides;
# 3 has tickets, line_groups, queue_events, interval_counts and the books of persons, of what was
# forgotten and of what followed from a load; 4 knows no handle time over a day.
SCHEMA_VERSION = 4

LONGEST_HANDLE_S = 86_400
"""A record of more is a clock gone wrong, or a call that nobody closed: it has no handle time."""
