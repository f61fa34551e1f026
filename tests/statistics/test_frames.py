"""What frames must hold: unknown is not zero, and what is asked wrongly is named."""

import datetime as dt

import polars as pl
import pytest

from ccanalytics import handletime, quality
from ccanalytics.errors import InputError

WEEK = {"local_start": dt.datetime(2024, 1, 1), "interval_s": 604_800}
CALLS = {
    "agent": "a", "team": "t", "handled": 5, "handle_s": 500.0, "expected_s": 500.0, "off_ss": 9.0
}  # fmt: skip
CELLS = {
    **WEEK, "agent": "a", "timed_calls": 40, "timed_s": 4000.0, "timed_ss": 5e5,
    "timed_logs": 180.0, "timed_logs2": 900.0,
}  # fmt: skip
REVIEWS = {"sampled": "random", "reviews": 20, "items_marked": 100, "items_failed": 3}
CONTACTS = {
    "team": "t", "window_days": 7, "first_contacts": 9, "again": 1, "transferred": 0,
    "transferred_again": 0, "unwatched": 0, "unknown_customers": 0,
}  # fmt: skip
DAY = {
    "local_start": dt.datetime(2024, 1, 1), "interval_s": 86_400, "offered": 90, "abandoned": 3,
    "handled": 87, "handle_s": 9000.0,
}  # fmt: skip


def cost(contacts):
    return quality.resolution_cost(pl.DataFrame([CALLS]), contacts, cost_per_hour=30)


@pytest.mark.parametrize(
    ("question", "row", "column"),
    [
        (quality.error_rates, REVIEWS, "items_failed"),
        (quality.error_rates, REVIEWS, "reviews"),
        (quality.agreement, {"passed": True, "other_passed": True, "pairs": 3}, "pairs"),
        (quality.satisfaction, {"score": 3.0, "surveys": 3}, "surveys"),
        (quality.tickets, {"state": "open", "reopened": False, "hours": 3, "tickets": 3},
         "tickets"),
        (quality.first_contact_resolution, CONTACTS, "again"),
        (cost, CONTACTS, "again"),
        (quality.complaint_chart, {**WEEK, "tickets": 3, "answered": 90}, "answered"),
        (quality.bulletin, DAY, "local_start"),
        (quality.bulletin, DAY, "interval_s"),
        (handletime.agents, CELLS, "timed_s"),
        (handletime.agents, CELLS, "local_start"),
        (handletime.control_chart, {**WEEK, "seconds": 60, "calls": 9}, "interval_s"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("typed", [True, False])
def test_unknown_counts_are_refused_and_not_taken_as_zero(question, row, column, typed):
    rows = pl.DataFrame([row] * 3)
    kind = rows.schema[column] if typed else pl.Null
    rows = rows.with_columns(pl.lit(None, kind).alias(column))
    with pytest.raises(InputError, match=column):
        question(rows)


def test_logs_that_are_none_are_refused():
    rows = pl.DataFrame([CELLS]).with_columns(timed_logs=pl.lit(float("nan")))
    with pytest.raises(InputError, match="timed_logs"):
        handletime.agents(rows)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        (quality.error_rates, REVIEWS),
        (quality.first_contact_resolution, CONTACTS),
        (quality.tickets, {"state": "open", "reopened": False, "hours": 3, "tickets": 3}),
    ],
)
def test_keys_are_names(question, row):
    with pytest.raises(InputError, match="names of columns"):
        question(pl.DataFrame([row]), by=3)
