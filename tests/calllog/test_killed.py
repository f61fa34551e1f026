"""A load that is killed leaves nothing half-written, and the next one puts everything right."""

import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from ccanalytics import CallLog

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")

AT = datetime(2025, 3, 3, 9, tzinfo=UTC)

# Counts the lines of the package's own code that are run, and dies before a given one. Prints how
# many there were, and which of them spoke to the database.
LOADER = """
import linecache, os, signal, sys
import duckdb, polars, pyarrow.csv, pyarrow.parquet
import ccanalytics
from ccanalytics import CallLog

home = os.path.dirname(ccanalytics.__file__)
fatal, seen, statements = int(sys.argv[3]), 0, []

def watch(frame, event, argument):
    global seen
    if not frame.f_code.co_filename.startswith(home):
        return None
    if event == "line":
        seen += 1
        if seen == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        if ".execute(" in linecache.getline(frame.f_code.co_filename, frame.f_lineno):
            statements.append(seen)
    return watch

log = CallLog(sys.argv[1], time_zone="UTC")
sys.settrace(watch)
log.load(sys.argv[2], source="ccanalytics")
sys.settrace(None)
print(seen, *statements)
"""


def run(log, file, fatal=0):
    return subprocess.run(
        [sys.executable, "-c", LOADER, str(log), str(file), str(fatal)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def export(tmp_path_factory, write_table):
    """A file of calls, some of which are rejected, some of which stand twice."""
    folder = tmp_path_factory.mktemp("export")
    return write_table(
        folder / "calls.csv",
        "calls",
        [
            {
                "call_id": f"c{i % 4900}",
                "arrived_at": AT + timedelta(seconds=i),
                "queue": f"queue {i % 7}",
                "talk_s": -1.0 if i % 100 == 0 else float(i % 300),
            }
            for i in range(5000)
        ],
    )


@pytest.fixture(scope="module")
def undisturbed(export, log_content):
    """What a log holds after this file: (content, number of moments, those of statements)."""
    log = CallLog(export.parent / "reference.duckdb", time_zone="UTC")
    report = log.load(export, source="ccanalytics")
    assert report.read == 5000
    assert report.rejected == 50
    assert report.duplicates > 50
    done = run(export.parent / "counted.duckdb", export)
    assert done.returncode == 0, done.stderr
    total, *statements = map(int, done.stdout.split())
    assert len(statements) > 10
    return log_content(log, timeless=True), total, statements


def _left(folder, export):
    return sorted(p.name for p in folder.iterdir() if p != export)


@pytest.mark.parametrize("seed", range(2))
def test_a_first_load_killed_at_any_moment_is_made_good_by_the_next(
    tmp_path, export, undisturbed, log_content, seed
):
    content, total, statements = undisturbed
    rng = random.Random(seed)
    # Moments in the thick of it: half of them right at a statement of the database.
    fatal = rng.choice(statements) + rng.randrange(2) if seed % 2 else rng.randrange(1, total)
    path = tmp_path / "centre.duckdb"
    killed = run(path, export, fatal)
    assert killed.returncode == -signal.SIGKILL, (fatal, killed.stderr)
    log = CallLog(path, time_zone="UTC")
    report = log.load(export, source="ccanalytics")
    assert report.read == 5000
    assert log_content(log, timeless=True) == content
    assert log.check().checks[0].status == "holds"
    assert _left(tmp_path, export) == ["centre.duckdb"]


@pytest.mark.parametrize("where", ["first", "last"])
def test_a_first_load_killed_while_it_writes_is_made_good(
    tmp_path, export, undisturbed, log_content, where
):
    content, _, statements = undisturbed
    fatal = {
        "first": statements[0] + 1,
        "last": statements[-1],  # right before the statement that makes it lasting
    }[where]
    path = tmp_path / "centre [1].duckdb"
    assert run(path, export, fatal).returncode == -signal.SIGKILL
    log = CallLog(path, time_zone="UTC")
    log.load(export, source="ccanalytics")
    assert log_content(log, timeless=True) == content
    assert _left(tmp_path, export) == ["centre [1].duckdb"]


@pytest.fixture(scope="module")
def started(tmp_path_factory, write_table, export):
    """A log that holds a call already, and what this load goes through in it."""
    folder = tmp_path_factory.mktemp("started")
    earlier = write_table(
        folder / "calls_before.csv", "calls", [{"call_id": "before", "arrived_at": AT}]
    )
    log = CallLog(folder / "centre.duckdb", time_zone="UTC")
    log.load(earlier, source="ccanalytics")
    held = log.path.read_bytes()
    done = run(log.path, export)
    assert done.returncode == 0, done.stderr
    total, *statements = map(int, done.stdout.split())
    return held, total, statements


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_load_comes_in_whole_or_not_at_all(tmp_path, export, started, log_content, seed):
    held, total, statements = started
    log = CallLog(tmp_path / "centre.duckdb")
    log.path.write_bytes(held)
    before = log_content(log)
    rng = random.Random(seed)
    fatal = rng.choice(statements[len(statements) // 3 :]) if seed else rng.randrange(total // 2)
    assert run(log.path, export, fatal).returncode == -signal.SIGKILL
    loads = log.table("loads").height
    assert log.table("calls").height == (1 if loads == 1 else 1 + 4851)
    assert log.rejects().height == (0 if loads == 1 else 50)
    if loads == 1:
        assert log_content(log) == before
    assert log.load(export, source="ccanalytics").read == 5000
    assert log.table("calls").height == 1 + 4851
    assert _left(tmp_path, export) == ["centre.duckdb"]
