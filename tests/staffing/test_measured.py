"""Shrinkage as measured: planted days, the published adherence, and the sample centre."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, staffing
from ccanalytics.errors import DataError, InputError

SAMPLE = Path(__file__).parents[2] / "data" / "sample"


def day(*rows):
    """Rows of (agent, activity, state, minutes)."""
    return pl.DataFrame(
        [(agent, activity, state, False, 60.0 * minutes)
         for agent, activity, state, minutes in rows],
        schema={"agent": pl.String, "activity": pl.String, "state": pl.String,
                "overlapping": pl.Boolean, "seconds": pl.Float64},
        orient="row",
    )  # fmt: skip


def test_a_published_adherence():
    """25 of 480 minutes off schedule: 94.79%."""
    found = staffing.measured_shrinkage(
        day(("a", "calls", "available", 300), ("a", "calls", "handling", 125),
            ("a", "break", "break", 30), ("a", "calls", "break", 10), ("a", "calls", None, 15))
    )  # fmt: skip
    assert round(found.adherence.value, 4) == 0.9479
    assert found.occupancy.value == 125 / 425
    assert found.utilisation.value == 125 / 480
    assert found.conformance.value == 425 / 450
    assert dict(found.frame.select("component", "share").rows()) == {
        "absent": 15 / 480, "break": 40 / 480
    }  # fmt: skip
    assert dict(found.frame.select("component", "planned").rows()) == {
        "absent": 0.0, "break": 30 / 480
    }  # fmt: skip
    assert found.shrinkage.share == pytest.approx(55 / 480)
    assert found.share.value == pytest.approx(55 / 480)


def test_the_right_total_at_the_wrong_time():
    found = staffing.measured_shrinkage(
        day(("a", "calls", "break", 60), ("a", "break", "available", 60),
            ("a", "calls", "handling", 120))
    )  # fmt: skip
    assert found.conformance.value == 1
    assert found.adherence.value == 0.5


def test_work_outside_the_schedule_is_not_paid_time():
    found = staffing.measured_shrinkage(
        day(("a", "calls", "handling", 60), (("a"), None, "handling", 30))
    )
    assert found.utilisation.value == 1
    assert found.conformance.value == 1.5
    assert found.shrinkage.share == 0
    assert "1,800 s" in next(c.detail for c in found.checks if "outside" in c.name)


def test_without_a_schedule_recorded_time_is_paid():
    found = staffing.measured_shrinkage(
        day(("a", None, "available", 60), ("a", None, "training", 20), ("b", None, "handling", 20))
    )
    assert found.adherence is found.conformance is None
    assert found.shrinkage.share == pytest.approx(0.2)
    assert any(c.name == "Schedule" and c.status == "fails" for c in found.checks)


def test_limits_cover_as_often_as_they_say():
    hits = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rows = []
        for agent in range(25):
            total = rng.uniform(200, 500)
            share = rng.beta(4, 16)
            rows += [(str(agent), "calls", "break", total * share),
                     (str(agent), "calls", "available", total * (1 - share))]  # fmt: skip
        found = staffing.measured_shrinkage(day(*rows)).share
        hits += found.low <= 0.2 <= found.high
    assert 86 <= hits <= 100


def test_it_is_what_a_requirement_takes():
    found = staffing.measured_shrinkage(
        day(("a", "calls", "available", 80), ("a", "break", "break", 20))
    )
    demand = pl.DataFrame(
        {"interval_start": ["2025-03-03T09:00:00Z"], "interval_s": [1800.0], "calls": [100.0],
         "aht_s": [180.0]}
    ).with_columns(pl.col("interval_start").str.to_datetime(time_zone="UTC"))  # fmt: skip
    need = staffing.requirement(demand, ServiceLevel(0.8, 20), shrinkage=found.shrinkage)
    assert need.frame["scheduled_agents"][0] == 18  # 14 / 0.8 = 17.5


def test_frames_that_cannot_be_used_are_named():
    with pytest.raises(InputError, match="lacks a column"):
        staffing.measured_shrinkage(day(("a", "calls", "available", 1)).drop("agent"))
    with pytest.raises(DataError, match="time on calls"):
        staffing.measured_shrinkage(day(("a", "calls", "break", 1)))


def test_the_sample_centre(tmp_path):
    from ccanalytics import CallLog

    log = CallLog(tmp_path / "sample.duckdb")
    log.load(SAMPLE, source="ccanalytics")
    found = staffing.measured_shrinkage(log.activities())
    # Counted from the files, without the package: all that was recorded in each state.
    raw = pl.read_csv(SAMPLE / "agent_states.csv", try_parse_dates=True).with_columns(
        s=(pl.col("ended_at") - pl.col("started_at")).dt.total_seconds()
    )
    spent = dict(raw.group_by("state").agg(pl.col("s").sum()).rows())
    busy = spent["handling"] + spent["wrap"]
    assert found.occupancy.value == pytest.approx(busy / (busy + spent["available"]), rel=1e-6)
    plan = pl.read_csv(SAMPLE / "schedules.csv", try_parse_dates=True)
    paid = (plan["ended_at"] - plan["started_at"]).dt.total_seconds().sum()
    assert found.inputs["paid_s"] == pytest.approx(paid, rel=0.002)
    frame = {row["component"]: row for row in found.frame.iter_rows(named=True)}
    for name in ("break", "meeting", "training"):
        assert frame[name]["seconds"] == pytest.approx(spent[name], rel=0.002)
        assert frame[name]["share_low"] < frame[name]["share"] < frame[name]["share_high"]
    assert 0.95 < found.adherence.value < 1
