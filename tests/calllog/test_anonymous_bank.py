"""Quirks of the Anonymous Bank's files, each on a row made for it."""

from datetime import UTC, datetime

import pytest

from ccanalytics import CallLog
from ccanalytics.errors import InputError

_NAMES = (
    "vru+line call_id customer_id priority type date vru_entry vru_exit vru_time q_start q_exit "
    "q_time outcome ser_start ser_exit ser_time server"
)
HEADER = _NAMES.split()
SERVED = {
    "vru+line": "AA0101",
    "call_id": "34536",
    "customer_id": "0",
    "priority": "0",
    "type": "PS",
    "date": "990201",
    "vru_entry": "7:02:47",
    "vru_exit": "7:02:56",
    "vru_time": "9",
    "q_start": "0:00:00",
    "q_exit": "0:00:00",
    "q_time": "0",
    "outcome": "AGENT",
    "ser_start": "7:02:55",
    "ser_exit": "7:05:41",
    "ser_time": "166",
    "server": "DORIT",
}
QUEUED = SERVED | {
    "customer_id": "23317894",
    "priority": "2",
    "q_start": "7:02:56",
    "q_exit": "7:04:00",
    "q_time": "64",
    "ser_start": "7:03:59",
}
NOBODY = {"ser_start": "0:00:00", "ser_exit": "0:00:00", "ser_time": "0", "server": "NO_SERVER"}


def moment(day, hour, minute, second):
    """A moment of February 1999 on Jerusalem's winter clock, in UTC."""
    return datetime(1999, 2, day, hour - 2, minute, second, tzinfo=UTC)


@pytest.fixture
def load(tmp_path):
    def loaded(*rows, header=HEADER):
        lines = ["\t".join(header), *("\t".join(row[name] for name in HEADER) for row in rows)]
        path = tmp_path / "02_February.txt"
        path.write_text("\n".join(lines) + "\n")
        log = CallLog(tmp_path / "bank.duckdb")
        report = log.load(path, source="anonymous_bank")
        return log.table("calls").rows(named=True), report, log

    return loaded


def test_a_call_that_was_served(load):
    (row,), report, log = load(SERVED)
    assert log.time_zone == "Asia/Jerusalem"
    assert (report.read, report.loaded, report.remarks) == (1, 1, {})
    assert row["outcome"] == "answered"
    assert (row["line"], row["line_group"], row["service"], row["agent"]) == (
        "AA0101",
        "AA01",
        "PS",
        "DORIT",
    )
    assert (row["menu_s"], row["wait_s"], row["talk_s"]) == (9.0, 0.0, 166.0)
    assert row["hold_s"] is row["wrap_s"] is None
    assert row["arrived_at"] == moment(1, 7, 2, 47)
    assert row["answered_at"] == moment(1, 7, 2, 55)
    assert row["ended_at"] == moment(1, 7, 5, 41)
    # A caller who did not queue has neither number nor priority; 0 is not a value.
    assert row["customer"] is row["tier"] is None
    assert row["call_id"] not in (None, "34536")


def test_a_call_that_queued_has_its_customer_and_priority(load):
    (row,), _, _ = load(QUEUED)
    assert (row["customer"], row["tier"], row["wait_s"]) == ("23317894", "2", 64.0)
    # The service begins a second before the queue is left; that is noted as it was.
    assert row["answered_at"] == moment(1, 7, 3, 59)


def test_priority_0_of_one_who_queued_is_a_priority(load):
    (row,), _, _ = load(QUEUED | {"customer_id": "0", "priority": "0"})
    assert (row["customer"], row["tier"]) == (None, "0")


def test_those_who_hang_up_abandon_or_leave_the_menu(load):
    rows, _, _ = load(
        QUEUED | NOBODY | {"outcome": "HANG"},
        SERVED | NOBODY | {"outcome": "HANG"},
    )
    abandoned, left = sorted(rows, key=lambda r: r["outcome"])
    assert (abandoned["outcome"], abandoned["wait_s"]) == ("abandoned", 64.0)
    assert abandoned["ended_at"] == moment(1, 7, 4, 0)
    assert (left["outcome"], left["wait_s"], left["menu_s"]) == ("left_menu", None, 9.0)
    assert left["ended_at"] == moment(1, 7, 2, 56)
    for row in rows:
        assert row["answered_at"] is row["talk_s"] is row["agent"] is None


def test_phantoms_are_no_calls(load):
    rows, report, _ = load(SERVED | NOBODY | {"outcome": "PHANTOM"}, SERVED)
    assert len(rows) == 1
    assert report.reasons == {"PHANTOM: not a call": 1}


def test_an_agent_of_no_name(load):
    (row,), report, _ = load(SERVED | {"server": "NO_SERVER"})
    assert row["agent"] is None
    assert row["talk_s"] == 166.0
    assert sum(report.remarks.values()) == 1


def test_a_negative_menu_time_is_unknown(load):
    (row,), report, _ = load(SERVED | {"vru_time": "-352"})
    assert row["menu_s"] is None
    assert row["arrived_at"] == moment(1, 7, 2, 47)
    assert sum(report.remarks.values()) == 1


def test_a_service_without_a_time(load):
    (row,), report, _ = load(
        SERVED | {"ser_start": "0:00:00", "ser_exit": "0:00:00", "ser_time": "0"}
    )
    assert (row["outcome"], row["talk_s"]) == ("answered", 0.0)
    assert row["answered_at"] == moment(1, 7, 2, 56)
    assert sum(report.remarks.values()) == 1


def test_a_service_that_begins_at_midnight_is_a_time(load):
    """0:00:00 means "never" only where nothing was timed."""
    (row,), report, _ = load(
        SERVED
        | {"vru_entry": "23:59:50", "vru_exit": "23:59:59", "ser_start": "0:00:00"}
        | {"ser_exit": "0:01:30", "ser_time": "90"}
    )
    assert row["answered_at"] == moment(2, 2, 0, 0).replace(hour=22, day=1)
    assert row["ended_at"] == moment(2, 2, 1, 30).replace(hour=22, day=1)
    assert report.remarks == {}


def test_calls_cross_midnight(load):
    (row,), _, log = load(
        QUEUED
        | {"vru_entry": "23:58:00", "vru_exit": "23:58:09", "q_start": "23:58:09"}
        | {"q_exit": "0:01:09", "q_time": "180", "ser_start": "0:01:08"}
        | {"ser_exit": "0:31:08", "ser_time": "1800"}
    )
    assert row["arrived_at"] == datetime(1999, 2, 1, 21, 58, tzinfo=UTC)
    assert row["answered_at"] == datetime(1999, 2, 1, 22, 1, 8, tzinfo=UTC)
    assert row["ended_at"] == datetime(1999, 2, 1, 22, 31, 8, tzinfo=UTC)
    assert log.busy("1d")["busy_s"].to_list() == [0.0, 1800.0]


def test_types_with_stray_blanks_and_the_stray_type(load):
    rows, report, _ = load(SERVED | {"type": " TT"}, SERVED | {"type": "AA", "ser_time": "1"})
    assert sorted(r["service"] for r in rows) == ["AA", "TT"]
    assert report.rejected == 0


def test_services_over_two_hours_stay(load):
    (row,), _, _ = load(SERVED | {"ser_exit": "10:02:55", "ser_time": "10800"})
    assert row["talk_s"] == 10_800.0


BAD = [
    ("outcome", "LOST"),
    ("outcome", ""),
    ("type", "XX"),
    ("date", "990230"),
    ("date", "1999-02-01"),
    ("vru_entry", "25:00:00"),
    ("vru_entry", "soon"),
    ("vru_time", "nine"),
    ("q_time", "-5"),
    ("q_time", ""),
    ("ser_time", "-1"),
    ("ser_time", "1.5"),
]


def test_rows_that_cannot_be_used_say_why(load):
    rows, report, log = load(*(SERVED | {field: text} for field, text in BAD), SERVED)
    assert len(rows) == 1
    assert (report.read, report.rejected) == (len(BAD) + 1, len(BAD))
    for (field, text), reasons in zip(BAD, log.rejects()["reasons"].to_list(), strict=True):
        assert any(field in reason for reason in reasons), (field, text, reasons)


def test_a_time_that_the_clock_change_skipped(load):
    """Israel put its clocks forward on 2 April 1999 at 02:00."""
    rows, report, _ = load(
        SERVED | {"date": "990402", "vru_entry": "2:30:00"},
        SERVED | {"date": "990402", "vru_entry": "3:30:00", "vru_exit": "3:30:09"},
    )
    assert len(rows) == 1
    assert rows[0]["arrived_at"] == datetime(1999, 4, 2, 0, 30, tzinfo=UTC)
    (reason,) = report.reasons
    assert "clocks" in reason


def test_quotation_marks_are_plain_text(load):
    (row,), _, _ = load(SERVED | {"server": '"DORIT'})
    assert row["agent"] == '"DORIT'


def test_the_same_row_twice_is_one_call_and_a_duplicate(load):
    rows, report, _ = load(SERVED, SERVED, SERVED | {"call_id": "34537"})
    assert len(rows) == 2
    assert report.duplicates == 1


@pytest.mark.parametrize(
    "header", [HEADER[:-1], [*HEADER, "more"], [*HEADER[1:], HEADER[0]], ["a", "b"]]
)
def test_another_header_is_refused(tmp_path, header):
    path = tmp_path / "february.txt"
    path.write_text("\t".join(header) + "\n")
    with pytest.raises(InputError, match=r"february\.txt") as caught:
        CallLog(tmp_path / "bank.duckdb").load(path, source="anonymous_bank")
    assert "generic" in str(caught.value)


def test_loading_again_gives_the_same_account(load):
    rows = (SERVED | {"vru_time": "-352"}, SERVED | {"outcome": "LOST"}, SERVED)
    _, first, log = load(*rows)
    _, again, _ = load(*rows)
    assert again.files[0].already_loaded
    assert (again.reasons, again.remarks) == (first.reasons, first.remarks)
    assert again.remarks
    assert log.table("remarks")["rows"].sum() == 1
