"""The plan of a day, its ties, and the files it is written to."""

from __future__ import annotations

import csv
import sys
import zipfile
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from ccanalytics import ServiceLevel, staffing
from ccanalytics.errors import InputError, UnsupportedError

GOAL = ServiceLevel(0.80, within=20)
START = datetime(2025, 3, 3, tzinfo=UTC)


def demand(calls, days=28):
    """The same day again and again; ``calls`` per hour of it."""
    starts = [START + timedelta(hours=h) for h in range(24 * days)]
    return pl.DataFrame(
        {"interval_start": starts, "interval_s": 3600, "calls": [float(c) for c in calls] * days,
         "aht_s": 180.0}
    )  # fmt: skip


def requirement(calls, **settings):
    day = staffing.typical_day(demand(calls), weekdays=1, time_zone="UTC")
    return staffing.requirement(day, GOAL, **settings)


HOURS = [0] * 8 + [60] * 2 + [100, 100, 60, 100] + [60] * 4 + [0] * 6


@pytest.fixture
def plan():
    need = requirement(HOURS, shrinkage=0.3)
    return staffing.day_plan(need, staffing.cover(need, staffing.shifts("8h", every="1h")))


def test_the_headline_names_goal_seats_and_shifts(plan):
    headline = plan.summary().split(". ")[0]
    top = plan.requirement.peak
    assert headline.startswith("80% answered within 20 s on an average Monday: ")
    assert f"{top['required_agents']} agents seated at the peak" in headline
    assert f"{top['scheduled_agents']} scheduled after 30% shrinkage" in headline
    assert f"shifts cost {plan.shifts.paid_hours:,.0f} paid hours" in headline
    assert f"{plan.shifts.people} people" in headline
    assert plan.to_frame().equals(plan.requirement.frame)


def test_intervals_that_need_as_many_agents_are_named(plan):
    assert plan.requirement.at_peak() == "from 10:00, also 11:00 and 13:00"
    assert requirement([0] * 9 + [100] + [60] * 14).at_peak() == "from 09:00"
    assert requirement([60] * 24).at_peak() == "from 00:00, also in 23 more intervals"
    week = staffing.typical_week(demand(HOURS), time_zone="UTC")
    assert "also in 20 more intervals" in staffing.requirement(week, GOAL).at_peak()


def test_uncovered_intervals_are_in_the_headline():
    need = requirement(HOURS)
    plan = staffing.day_plan(need, staffing.cover(need, staffing.shifts("8h", starts="08:00")))
    assert "leave 2 intervals uncovered" in plan.summary().split(". ")[0]
    assert any(check.status == "fails" and "16:00–18:00" in check.detail for check in plan.checks)


def test_a_plan_is_made_of_a_requirement_and_its_own_cover(plan):
    other = requirement([c + 50 for c in HOURS], shrinkage=0.3)
    with pytest.raises(InputError, match="another requirement"):
        staffing.day_plan(other, plan.shifts)
    with pytest.raises(InputError, match="ShiftCover"):
        staffing.day_plan(other, other)


def test_the_csv_has_every_interval_and_units(plan, tmp_path):
    path = plan.write(tmp_path / "seats.csv")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # Excel takes it for UTF-8
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["Interval start (local time)"] for row in rows] == [
        f"{hour:02d}:00" for hour in range(24)
    ]
    frame = plan.requirement.frame
    assert [int(row["Required agents"]) for row in rows] == frame["required_agents"].to_list()
    assert {row["Interval (seconds)"] for row in rows} == {"3600"}
    assert "Average handle time (seconds)" in rows[0]
    assert "Offered load (erlangs)" in rows[0]
    assert "Service level (share)" in rows[0]


def test_the_workbook_has_requirement_and_shifts(plan, tmp_path):
    path = plan.write(str(tmp_path / "seats.xlsx"))
    pytest.importorskip("fastexcel")
    sheets = pl.read_excel(path, sheet_id=0)
    assert list(sheets) == ["Requirement", "Shifts"]
    table = sheets["Requirement"]
    assert table.height == 24
    assert table["Required agents"].to_list() == plan.requirement.frame["required_agents"].to_list()
    assert sheets["Shifts"]["People"].sum() == plan.shifts.people


EVIL = [
    "=1+1",
    "http://x.invalid",
    "+1",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("http://x.invalid","x")',
    "\t=1",
    "12",
]


@pytest.fixture
def evil():
    """Queues that are named by somebody who wishes no good."""
    frame = pl.concat([demand(HOURS).with_columns(queue=pl.lit(name)) for name in EVIL])
    day = staffing.typical_day(frame, weekdays=1, time_zone="UTC")
    return staffing.requirement(day, GOAL)


def test_text_from_a_log_is_never_a_formula_in_csv(evil, tmp_path):
    path = evil.write(tmp_path / "seats.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        queues = {row["queue"] for row in csv.DictReader(file)}
    assert {queue.removeprefix("'") for queue in queues} == set(EVIL)
    assert not any(queue[0] in "=+-@\t\r\n" for queue in queues)
    assert "12" in queues  # harmless text is left as it is


def test_text_from_a_log_is_never_a_formula_or_a_link_in_excel(evil, tmp_path):
    path = evil.write(tmp_path / "seats.xlsx")
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        shared = book.read("xl/sharedStrings.xml").decode()
        names = book.namelist()
    assert "<f>" not in sheet
    assert "<f " not in sheet
    assert "<hyperlink" not in sheet
    assert "=1+1" in shared
    assert not any("externalLink" in name for name in names)


@pytest.mark.parametrize(
    ("name", "words"),
    [("seats.txt", "csv or .xlsx"), ("seats", "csv or .xlsx"), ("", "file name"),
     ("no/such/folder/seats.csv", "existing folder"),
     ("no/such/folder/seats.xlsx", "existing folder")],
)  # fmt: skip
def test_a_file_that_cannot_be_written_is_refused(plan, tmp_path, name, words):
    with pytest.raises(InputError, match=words):
        plan.write(tmp_path / name if name else "")
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_the_remedy_is_named(plan, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(UnsupportedError, match=r"ccanalytics\[excel\]"):
        plan.write(tmp_path / "seats.xlsx")


def test_a_week_of_queues_is_written_with_its_weekdays_and_unknown_queues(tmp_path):
    frame = pl.concat(
        [demand(HOURS).with_columns(queue=pl.lit(name, pl.String)) for name in ("sales", None)]
    )
    need = staffing.requirement(staffing.typical_week(frame, time_zone="UTC"), GOAL)
    for name in ("week.csv", "week.xlsx"):
        need.write(tmp_path / name)
    table = pl.read_csv(tmp_path / "week.csv")
    assert table.height == 2 * 7 * 24
    assert table["weekday"].unique(maintain_order=True).to_list()[0] == "Monday"
    assert table["queue"].null_count() == 7 * 24


def test_a_requirement_of_real_dates_is_written_with_them(tmp_path):
    need = staffing.requirement(demand(HOURS, days=2), GOAL)
    table = pl.read_csv(need.write(tmp_path / "dates.csv"))
    assert table["Interval start (UTC)"][24] == "2025-03-04 00:00"
    pytest.importorskip("fastexcel")
    table = pl.read_excel(need.write(tmp_path / "dates.xlsx"))
    assert table["Interval start (UTC)"][24] == datetime.fromisoformat("2025-03-04")
