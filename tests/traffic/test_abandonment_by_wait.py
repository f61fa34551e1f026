"""Patience read from intervals: recovery, published figures, refusals."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ccanalytics import Queue, traffic
from ccanalytics.errors import DataError, InputError

wall = datetime.fromisoformat  # a wall clock: naive on purpose


def points(mean_wait, abandonment, offered=1000):
    """Intervals of an hour whose shares are as given."""
    start = [wall("2025-03-03") + timedelta(hours=h) for h in range(len(mean_wait))]
    count = np.broadcast_to(offered, len(mean_wait)).astype(int)
    return pl.DataFrame(
        {
            "interval_start": [at.replace(tzinfo=UTC) for at in start],
            "local_start": start,
            "interval_s": [3600] * len(start),
            "offered": count,
            "abandoned": np.asarray(abandonment) * count,
            "wait_s": np.asarray(mean_wait) * count,
        }
    )


def test_in_the_erlang_a_queue_the_slope_is_one_over_patience_whatever_the_load():
    p = Queue(calls=np.linspace(60, 160, 30), per=1800, aht=180, patience=150).performance(
        agents=10
    )
    result = traffic.abandonment_by_wait(points(p.mean_wait, p.abandonment))
    assert result.patience_s.value == pytest.approx(150, rel=1e-6)
    assert result.line_intercept == pytest.approx(0, abs=1e-6)
    assert result.total_patience_s == pytest.approx(150, rel=1e-6)


def test_the_limits_cover_a_planted_patience_as_often_as_promised():
    rng, hits, runs, truth = np.random.default_rng(11), 0, 300, 200.0
    for _ in range(runs):
        wait = rng.uniform(5, 80, 240)
        left = rng.binomial(100, wait / truth)
        result = traffic.abandonment_by_wait(points(wait, left / 100, 100))
        hits += result.patience_s.low <= truth <= result.patience_s.high
    # Binomial(300, 0.95): three standard deviations, and some for only ten days of clusters.
    assert hits / runs > 0.95 - 3 * np.sqrt(0.95 * 0.05 / runs) - 0.03


@pytest.mark.parametrize("days", [2, 4])
def test_the_limits_of_a_tiny_log_cover_too_and_say_why_they_are_wide(days):
    rng, hits, runs, truth = np.random.default_rng(4), 0, 300, 200.0
    for _ in range(runs):
        # Each day is of one mood: the hours of a day are no evidence of their own.
        wait = rng.uniform(20, 80, 24 * days)
        mood = np.repeat(rng.normal(1, 0.15, days), 24)
        result = traffic.abandonment_by_wait(points(wait, np.clip(wait / truth * mood, 0, 1), 1000))
        hits += result.slope.low <= 1 / truth <= result.slope.high
    # Binomial(300, 0.95), three standard deviations, and 0.03 for clusters of unequal weight.
    assert hits / runs > 0.95 - 3 * np.sqrt(0.95 * 0.05 / runs) - 0.03
    doubt = next(check for check in result.checks if check.name == "Days behind the limits")
    assert f"only {days}," in doubt.detail
    assert ("1 degree of" in doubt.detail) == (days == 2)


def test_limits_without_an_upper_end_are_told_in_words():
    wait = np.linspace(10, 60, 48)
    left = np.where(np.arange(48) < 24, wait / 50, 0.0)  # one day all leave, one day nobody
    result = traffic.abandonment_by_wait(points(wait, left))
    assert result.patience_s.high == float("inf")
    assert "s upwards" in result.summary()
    assert "inf" not in result.summary().replace("information", "")


def test_days_that_differ_widen_the_limits():
    rng = np.random.default_rng(5)
    wait = rng.uniform(20, 80, 24 * 20)
    own = np.repeat(rng.uniform(0.6, 1.4, 20), 24)  # each day has its own patience
    frame = points(wait, np.clip(wait / 300 * own, 0, 1))
    by_day = traffic.abandonment_by_wait(frame)
    shuffled = frame.with_columns(
        pl.col("wait_s", "abandoned").sample(fraction=1.0, shuffle=True, seed=1)
    )
    alike = traffic.abandonment_by_wait(shuffled)
    width = lambda e: e.high - e.low  # noqa: E731
    assert by_day.inputs["days"] == 20
    assert width(by_day.slope) > 2 * width(alike.slope)


def test_intervals_with_few_calls_are_left_out():
    frame = points(np.linspace(10, 60, 40), np.linspace(0.05, 0.3, 40), [10, 100] * 20)
    result = traffic.abandonment_by_wait(frame)
    assert result.points.height == 20
    assert result.points["offered"].to_numpy().min() == 100


def test_a_line_that_misses_the_origin_is_said():
    wait = np.linspace(10, 60, 40)
    result = traffic.abandonment_by_wait(points(wait, 0.1 + wait / 400))
    check = next(check for check in result.checks if check.name == "Abandonment at no wait")
    assert check.status == "fails"
    assert result.line_patience_s == pytest.approx(400)
    assert result.patience_s.value < 400


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (points(np.linspace(1, 9, 9), np.linspace(0.1, 0.2, 9)), "only 9 intervals"),
        (points(np.linspace(1, 9, 24), np.linspace(0.1, 0.2, 24)), "one day.*several days"),
        (points(np.zeros(20), np.zeros(20)), "nobody waited"),
        (points(np.full(20, 5.0), np.zeros(20)), "nobody abandoned"),
        (points(np.full(20, 5.0), np.zeros(20)).with_columns(wait_s=None), "how long"),
    ],
)
def test_what_cannot_be_told_is_refused(frame, words):
    with pytest.raises(DataError, match=words):
        traffic.abandonment_by_wait(frame)


def test_arguments_are_checked():
    frame = points(np.linspace(1, 40, 40), np.linspace(0.1, 0.2, 40))
    with pytest.raises(InputError, match="min_calls"):
        traffic.abandonment_by_wait(frame, 0)
    with pytest.raises(InputError, match="level"):
        traffic.abandonment_by_wait(frame, level=95)


@pytest.mark.real
def test_the_bank_from_january_to_june_1999():
    folder = os.environ.get("CCANALYTICS_REAL_DATA")
    if not folder:
        pytest.skip("CCANALYTICS_REAL_DATA is not set")
    months = []
    for path in sorted((Path(folder) / "anonymous_bank").glob("0[1-6]_*.txt.gz")):
        with gzip.open(path) as file:
            months.append(pl.read_csv(file.read(), separator="\t", infer_schema=False))
    outcome, wait = pl.col("outcome").str.strip_chars(), pl.col("q_time").cast(pl.Float64)
    hour = (pl.col("date") + pl.col("vru_entry").str.zfill(8)).str.to_datetime("%y%m%d%H:%M:%S")
    frame = (
        pl.concat(months)
        .filter((outcome == "AGENT") | ((outcome == "HANG") & (wait > 0)))
        .group_by(local_start=hour.dt.truncate("1h"))
        .agg(
            pl.len().alias("offered"), (outcome == "HANG").sum().alias("abandoned"),
            wait.sum().alias("wait_s"),
        )
        .with_columns(
            interval_s=3600, interval_start=pl.col("local_start").dt.replace_time_zone("UTC")
        )
    )  # fmt: skip
    result = traffic.abandonment_by_wait(frame)
    # The facts of these records: hours with 30 requests or more, an ordinary line.
    assert round(result.line_patience_s) == 422
    assert round(result.correlation, 3) == 0.867
    assert round(result.total_patience_s) == 378
