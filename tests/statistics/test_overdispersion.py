"""Variation of volumes: planted parts are found, chance alone is not taken for it."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics import overdispersion


def planted(weeks, cv_day, cv_within, seed, mean=40.0):
    rng = np.random.default_rng(seed)
    days = 7 * weeks
    shape = mean * (1 + 0.5 * np.sin(np.arange(24) / 24 * 2 * np.pi))
    weekday = 1 + 0.1 * (np.arange(days) % 7)

    def gamma(cv, size):
        return rng.gamma(cv**-2, cv**2, size) if cv else np.ones(size)

    rate = np.outer(weekday * gamma(cv_day, days), shape) * gamma(cv_within, (days, 24))
    start = datetime(2025, 3, 3)
    return pl.DataFrame(
        {"local_start": [start + timedelta(hours=h) for h in range(24 * days)],
         "calls": rng.poisson(rate).ravel()}
    )  # fmt: skip


def test_planted_parts_lie_within_their_limits():
    hits = {"cv": 0, "cv_day": 0, "cv_within": 0}
    truth = {"cv_day": 0.2}
    # Of independent factors the whole has (1 + a²)(1 + b²) − 1, and the rest is what is within.
    truth["cv"] = np.sqrt((1 + 0.04) * (1 + 0.0225) - 1)
    truth["cv_within"] = np.sqrt(truth["cv"] ** 2 - 0.04)
    values = {name: [] for name in hits}
    for seed in range(30):
        found = overdispersion(planted(20, 0.2, 0.15, seed))
        for name in hits:
            estimate = getattr(found, name)
            hits[name] += estimate.low <= truth[name] <= estimate.high
            values[name].append(estimate.value**2)
    for name, count in hits.items():
        assert count >= 24, (name, hits)
        error = np.std(values[name]) / np.sqrt(30)
        assert abs(np.mean(values[name]) - truth[name] ** 2) < 4 * error, name


def test_chance_alone_is_no_variation():
    found = overdispersion(planted(26, 0, 0, 1))
    assert found.ratio.low < 1 < found.ratio.high + 0.1
    assert found.cv.low == 0
    assert found.cv.value < 0.05
    assert found.cv_day.value < 0.03


def test_squares_add():
    found = overdispersion(planted(12, 0.3, 0.1, 2))
    assert found.cv.value**2 == pytest.approx(found.cv_day.value**2 + found.cv_within.value**2)


def test_it_is_what_a_requirement_takes():
    from ccanalytics import ServiceLevel, staffing

    found = overdispersion(planted(26, 0.2, 0.1, 3))
    demand = pl.DataFrame(
        {"interval_start": [datetime(2025, 3, 3, 9)], "interval_s": [1800.0],
         "calls": [100.0], "aht_s": [180.0]}
    ).with_columns(pl.col("interval_start").dt.replace_time_zone("UTC"))  # fmt: skip
    goal = ServiceLevel(0.8, 20)
    seats = [
        staffing.requirement(demand, goal, patience=120, cv=cv).frame["required_agents"][0]
        for cv in (None, found.cv.value)
    ]
    assert seats[1] > seats[0]


def test_few_days_and_odd_arguments_are_refused():
    frame = planted(3, 0.1, 0.1, 1)
    with pytest.raises(DataError, match="too few days"):
        overdispersion(frame)
    with pytest.raises(InputError, match="weekdays"):
        overdispersion(frame, weekdays=(0,))
    with pytest.raises(InputError, match="hours"):
        overdispersion(frame, hours=(9, 9))
    with pytest.raises(InputError, match="several rows"):
        overdispersion(pl.concat([frame, frame]))
    few = overdispersion(planted(5, 0.1, 0.1, 1))
    assert few.checks[0].status == "fails"


@pytest.mark.real
def test_the_banks_published_ratio(bank_log):
    found = overdispersion(
        bank_log.demand("30min", calls="arrived"), weekdays=(7, 1, 2, 3, 4), hours=(7, 24)
    )
    assert round(found.ratio.value, 1) == 5.4
    assert [round(q, 1) for q in found.ratio_quartiles] == [3.7, 7.5]
    assert found.cv_day.low > 0.15
