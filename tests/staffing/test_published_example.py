"""The Wednesdays of February 1999: a staffing example published on real records, and its spike."""

from __future__ import annotations

import csv
import gzip
import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from ccanalytics import ServiceLevel, staffing

pytestmark = pytest.mark.real

# T. W. Miller, Modeling Techniques in Predictive Analytics, chapter 6.
PUBLISHED = [1, 1, 1, 0, 1, 1, 1, 4, 8, 9, 10, 9, 8, 16, 10, 10, 6, 7, 8, 8, 6, 6, 5, 4]
GOAL = ServiceLevel(0.50, within=0)
ZONE = "Asia/Jerusalem"


@pytest.fixture(scope="module")
def bank():
    """Count the arrivals of every clock hour of February from the raw file."""
    folder = os.environ.get("CCANALYTICS_REAL_DATA")
    if not folder:
        pytest.skip("CCANALYTICS_REAL_DATA is not set")
    path = Path(folder) / "anonymous_bank" / "02_February.txt.gz"
    seen: Counter[datetime] = Counter()
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["outcome"].strip() != "PHANTOM":
                day = datetime.strptime(row["date"], "%y%m%d").replace(tzinfo=ZoneInfo(ZONE))
                seen[day + timedelta(hours=int(row["vru_entry"].split(":")[0]))] += 1
    return pl.DataFrame(
        {
            "interval_start": [at.astimezone(UTC) for at in seen],
            "interval_s": [3600] * len(seen),
            "calls": list(seen.values()),
            "aht_s": [200.0] * len(seen),
        }
    )


@pytest.fixture(scope="module")
def wednesday(bank):
    # At 15 calls an hour per agent, a call takes 240 s.
    return staffing.typical_day(bank, weekdays=3, time_zone=ZONE, aht_s=240)


def test_the_24_counts_come_out_exactly(wednesday):
    need = staffing.requirement(wednesday, GOAL)
    assert need.frame["required_agents"].to_list() == PUBLISHED
    assert need.summary().startswith(
        "An average Wednesday needs 16 agents seated at its peak, from 13:00; but that peak comes "
        "from one day, Wednesday 3 February 1999: without it the most is 10, from 10:00, also "
        "14:00 and 15:00."
    )
    assert need.table()["required_agents"].to_list() == PUBLISHED
    assert need.table()["interval"].to_list() == [f"{hour:02d}:00" for hour in range(24)]
    assert wednesday.dates == tuple(date(1999, 2, day) for day in (3, 10, 17, 24))


def test_the_peak_comes_from_the_spike_of_one_day(wednesday):
    found = staffing.spikes(wednesday, GOAL)
    assert found.flagged.height == 1
    row = found.flagged.row(0, named=True)
    assert row["local_start"].hour == 13
    assert row["date"] == date(1999, 2, 3)
    assert row["day_calls"] == 494
    assert row["other_calls"] == [99, 136, 86]
    assert (row["required_agents"], row["required_without"]) == (16, 9)
    assert found.table()["calls_on_other_days"].to_list() == ["99, 136 and 86"]
    text = found.summary()
    assert "Wednesday 3 February 1999" in text
    assert "494" in text
    assert "without it 9 suffice" in text


def test_planning_without_the_spike_changes_that_hour_only(wednesday):
    found = staffing.spikes(wednesday, GOAL)
    need = staffing.requirement(found.demand_without, GOAL)
    assert need.frame["required_agents"].to_list() == [*PUBLISHED[:13], 9, *PUBLISHED[14:]]


def test_the_published_shifts_cover_it_for_6588(wednesday):
    folder = Path(os.environ["CCANALYTICS_REAL_DATA"]) / "anonymous_bank"
    table = pl.read_csv(folder / "shifts_february_wednesdays.csv")
    names = [f"Shift{number}" for number in range(1, 9)]
    starts = [f"{table[name].arg_max():02d}:00" for name in names]
    shifts = staffing.shifts("6h", starts=starts, cost=(252, 288, 180, 180, 180, 288, 288, 288))
    for shift, name in zip(shifts, names, strict=True):
        assert [shift.covers(3600 * h, 3600) for h in range(24)] == table[name].cast(bool).to_list()
    found = staffing.cover(staffing.requirement(wednesday, GOAL), shifts)
    assert found.cost == 6588
    assert found.optimal
    assert (found.intervals["covered_agents"] >= pl.Series(PUBLISHED)).all()
    # Whoever reads the cover alone learns what it is paid for.
    (doubt,) = [check for check in found.checks if check.status == "fails"]
    assert "494 calls" in doubt.detail
    assert "3 February 1999" in doubt.detail
    plan = staffing.day_plan(staffing.requirement(wednesday, GOAL), found)
    headline = plan.summary().split(". ")[0]
    for part in ("50% answered", "16 agents", "from 13:00", "3 February", "shifts cost 6,588"):
        assert part in headline


def test_it_comes_out_of_the_call_log_too(tmp_path, wednesday):
    from ccanalytics import CallLog

    log = CallLog(tmp_path / "february.duckdb")
    folder = Path(os.environ["CCANALYTICS_REAL_DATA"]) / "anonymous_bank"
    log.load(folder / "02_February.txt.gz", source="anonymous_bank")
    day = staffing.typical_day(
        log.demand("1h", calls="arrived"), weekdays=3, time_zone=log.time_zone, aht_s=240
    )
    assert day.demand["calls"].to_list() == wednesday.demand["calls"].to_list()
    assert staffing.requirement(day, GOAL).frame["required_agents"].to_list() == PUBLISHED
