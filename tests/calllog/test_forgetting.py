"""Retention: old rows about people go, their text leaves the file, and the books balance."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

import ccanalytics as cc
from ccanalytics.calllog.forgetting import FORGOTTEN, KEPT
from ccanalytics.cli import main
from ccanalytics.errors import InputError, LogError
from ccanalytics.schema import TABLES

OLD, NEW = datetime(2024, 5, 1, 9, tzinfo=UTC), datetime(2025, 5, 1, 9, tzinfo=UTC)
CUT = "2025-01-01"
# Long and alike in nothing, so that no compression hides it.
GOES = "old-caller-7Qz9vXw3kLr8TnB2"
STAYS = "new-caller-5Yh1mPc6dGs4JfV0"


@pytest.fixture
def log(make_log):
    calls = [
        {"call_id": "old", "arrived_at": OLD, "customer": GOES, "agent": "left"},
        {"call_id": "eve", "arrived_at": datetime(2024, 12, 31, 22, 59, tzinfo=UTC)},
        {"call_id": "new", "arrived_at": NEW, "customer": STAYS, "agent": "here"},
    ]
    return make_log(
        calls,
        "Europe/Berlin",
        self_service=[
            {"channel": "sms", "stage": "before_call", "at": OLD, "customer": GOES},
            {"channel": "sms", "stage": "before_call", "at": NEW, "call_id": "old"},
            {"channel": "sms", "stage": "before_call", "at": NEW, "customer": STAYS},
        ],
        surveys=[{"call_id": "old", "channel": "sms"}, {"call_id": "new", "channel": "sms"}],
        customers=[
            {"customer": GOES, "left_on": date(2024, 6, 1)},
            {"customer": STAYS, "joined_on": date(2020, 1, 1)},
        ],
        agents=[{"agent": "left", "left_on": date(2024, 6, 1)}, {"agent": "here"}],
        agent_states=[
            {
                "agent": "here",
                "state": "available",
                "started_at": datetime(2024, 12, 31, tzinfo=UTC),
                "ended_at": NEW,
            }
        ],
        services=[{"service": "S1"}],
    )


def balanced(log):
    finding = log.check().findings[0]
    return finding.name == "every row is accounted for" and finding.verdict == "holds"


def test_every_table_says_what_becomes_of_its_rows():
    assert {*FORGOTTEN} | {*KEPT} == {*TABLES}
    personal = {"customer", "agent", "reviewer", "call_id"}
    assert not [t for t in KEPT if personal & set(TABLES[t].names)]


def test_old_rows_go_and_the_books_balance(log):
    told = log.forget(CUT)
    # 23:59 in Berlin is still the old year, and what belongs to a call goes with it.
    assert told.rows == {
        "calls": 2,
        "self_service": 2,
        "surveys": 1,
        "customers": 1,
        "agents": 1,
    }
    assert "2 rows of calls" in told.summary()
    assert told.to_frame()["rows"].sum() == 7
    assert log.table("calls")["call_id"].to_list() == ["new"]
    assert log.table("customers")["customer"].to_list() == [STAYS]
    assert log.table("agent_states").height == 1  # still running on the day
    assert log.table("services").height == 1
    assert balanced(log)
    assert "(7 of them forgotten since)" in log.check().findings[0].detail
    again = log.forget(CUT)
    assert again.rows == {}
    assert balanced(log)


def test_events_go_with_the_calls_that_followed_from_them(tmp_path):
    samples = Path(__file__).parent / "samples"
    log = cc.CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    log.load(samples / "asterisk_queue_log.txt", "asterisk_queue_log", identifiers="as_they_are")
    calls = log.table("calls").height
    assert calls
    assert balanced(log)
    assert log.forget("2025-01-01").rows == {}
    told = log.forget("2025-01-02").rows
    assert (told["queue_events"], told["calls"]) == (39, calls)
    assert balanced(log)


def test_the_text_is_no_longer_in_the_file(log):
    assert GOES.encode() in log.path.read_bytes()
    log.forget(CUT)
    held = log.path.read_bytes()
    assert GOES.encode() not in held
    assert STAYS.encode() in held
    assert [p.name for p in log.path.parent.iterdir() if p.name.startswith(".")] == []
    assert not log.path.with_name(log.path.name + ".wal").exists()


def test_raw_text_of_rejected_rows_is_emptied_and_its_reason_stays(tmp_path):
    (tmp_path / "calls.csv").write_text(
        f"call_id,arrived_at,outcome,customer\na,soon,answered,{GOES}\n"
        "b,2025-05-01T09:00:00Z,answered,k\n"
    )
    log = cc.CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    assert log.load(tmp_path / "calls.csv", "ccanalytics").rejected == 1
    assert log.forget("2020-01-01").rejects == 1
    aside = log.rejects()
    assert aside["raw"].to_list() == [""]
    assert aside["reasons"].list.len().to_list() == [1]
    assert GOES.encode() not in log.path.read_bytes()
    assert balanced(log)


def test_a_log_goes_on_as_before(log, tmp_path, write_table):
    path = write_table(tmp_path / "calls.csv", "calls", [{"call_id": "x", "arrived_at": NEW}])
    loads = log.table("loads")["load"].to_list()
    before = log.fingerprint()
    log.path.chmod(0o640)
    log.forget(CUT)
    assert log.path.stat().st_mode & 0o777 == 0o640
    assert log.fingerprint() == before  # of what was loaded; the books are whole
    assert log.load(path, "ccanalytics").loaded == 1
    assert log.table("loads")["load"].to_list() == [*loads, max(loads) + 1]
    assert log.intervals("1d")["arrived"].sum() == 2
    assert balanced(log)


def test_a_dry_run_counts_and_changes_nothing(log, log_content):
    before = log_content(log)
    told = log.forget(CUT, dry_run=True)
    assert told.rows["calls"] == 2
    assert "would be forgotten" in told.summary()
    assert log_content(log) == before
    assert told.rows == log.forget(CUT).rows


@pytest.mark.parametrize("wrong", ["soon", "2999-01-01", None, "2025-13-01"])
def test_a_wrong_day_is_refused(log, log_content, wrong):
    before = log_content(log)
    with pytest.raises(InputError):
        log.forget(wrong)
    assert log_content(log) == before


def test_a_log_in_use_is_not_touched(log):
    log._store.wait_s = 0.2
    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(log.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        other.stdout.readline()
        with pytest.raises(LogError, match="in use"):
            log.forget(CUT)
        other.communicate(b"\n")
    assert log.table("calls").height == 3


@pytest.mark.parametrize("at", ["CHECKPOINT fresh", "replace"])
def test_whoever_is_killed_has_the_old_log_or_the_new_one(log, log_content, at):
    before = log_content(log)
    program = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        import ccanalytics as cc
        from ccanalytics.calllog.generation import Loading
        replace = Loading._replace
        def killed(load):
            os.kill(os.getpid(), signal.SIGKILL)
        def late(load):
            replace(load)
            os.kill(os.getpid(), signal.SIGKILL)
        Loading._replace = killed if sys.argv[2] != "replace" else late
        cc.CallLog(sys.argv[1]).forget("2025-01-01")
    """)
    done = subprocess.run(
        [sys.executable, "-c", program, str(log.path), at],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    if at == "replace":
        assert log.table("calls").height == 1
    else:
        assert log_content(log) == before
    assert balanced(log)
    log.forget(CUT)
    assert GOES.encode() not in log.path.read_bytes()
    assert balanced(log)
    # What the killed one left beside the log is gone too.
    assert [p.name for p in log.path.parent.iterdir() if p.name.startswith(".")] == []


def test_the_command_says_what_went(log, capsys):
    assert main(["forget", "--log", str(log.path), "--before", CUT, "--dry-run"]) == 0
    assert "would be forgotten" in capsys.readouterr().out
    assert main(["forget", "--log", str(log.path), "--before", CUT, "--json"]) == 0
    assert '"calls": 2' in capsys.readouterr().out
    assert main(["forget", "--log", str(log.path), "--before", "soon"]) == 2
    assert main(["forget", "--log", str(log.path.with_name("none")), "--before", CUT]) == 3
    with duckdb.connect(str(log.path), read_only=True) as connection:
        ((days,),) = connection.execute("SELECT max(before) FROM forgotten").fetchall()
    assert days == date(2025, 1, 1)
