"""A load that is killed leaves whole files or nothing, and the next one puts everything right.

Loads are killed at random moments: by the clock, within a stage drawn at random, so that the
database is hit in the middle of its work too. ``CCANALYTICS_FULL=1`` kills 300.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from ccanalytics import CallLog
from ccanalytics.calllog.workspace import STAGES

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs fork and SIGKILL")

FULL = bool(os.environ.get("CCANALYTICS_FULL"))
KILLS = 300 if FULL else 8
AT = datetime(2025, 3, 3, 9, tzinfo=UTC)

# Imports once, then loads in one forked process after the other, which says each stage it enters.
SERVER = """
import logging, os, sys
import duckdb, polars, pyarrow.csv, pyarrow.parquet, filelock
from ccanalytics import CallLog
from ccanalytics.calllog import checks, generation, loading, report

class Say(logging.Handler):
    def emit(self, record):
        os.write(1, f"{record.getMessage()}\\n".encode())

stages = logging.getLogger("ccanalytics.stages")
stages.setLevel("DEBUG"); stages.propagate = False; stages.addHandler(Say())
for line in sys.stdin:
    log, path = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if not child:
        status = 1
        try:
            os.write(1, f"{os.getpid()}\\n".encode())
            CallLog(log, time_zone="UTC").load(path, source="ccanalytics")
            status = 0
        finally:
            os._exit(status)
    os.write(1, f"ended {os.waitpid(child, 0)[1]}\\n".encode())
"""


class Server:
    """Loads in processes of their own, and kills them."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def load(self, log, path, at=None, after=0.0):
        """Load, and kill it that many seconds after it entered that stage.

        Gives the stages gone through as (name, seconds), and whether it was killed.
        """
        self.process.stdin.write(f"{log}\t{path}\n")
        child = int(self.process.stdout.readline())
        gone = []
        while not (line := self.process.stdout.readline()).startswith("ended"):
            assert line, "the server of loads is gone"
            gone.append((line.strip(), time.monotonic()))
            if line.strip() == at:
                at = None
                time.sleep(after)
                os.kill(child, signal.SIGKILL)
        ended = time.monotonic()
        status = int(line.split()[1])
        assert status in (0, signal.SIGKILL), f"status {status}"
        times = [t for _, t in gone] + [ended]
        return [(s, times[i + 1] - times[i]) for i, (s, _) in enumerate(gone)], status != 0

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def exports(tmp_path_factory, write_table):
    """Three tables; calls of which some are rejected and some stand twice."""
    folder = tmp_path_factory.mktemp("exports")
    write_table(folder / "agents.csv", "agents", [{"agent": f"a{i}"} for i in range(50)])
    write_table(
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
    write_table(folder / "services.csv", "services", [{"service": f"s{i}"} for i in range(9)])
    return folder


@pytest.fixture(scope="module")
def starts(tmp_path_factory, write_table):
    """No log, and a log that holds something: their bytes."""
    folder = tmp_path_factory.mktemp("starts")
    earlier = write_table(
        folder / "calls_before.csv",
        "calls",
        [{"call_id": f"before {i}", "arrived_at": AT} for i in range(20_000)],
    )
    log = CallLog(folder / "centre.duckdb", time_zone="UTC")
    log.load(earlier, source="ccanalytics")
    return {"new": None, "started": log.path.read_bytes()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, starts, exports, log_content):
    """What a log holds before, and after each of the three files."""
    states = {}
    for name, held in starts.items():
        log = CallLog(tmp_path_factory.mktemp(name) / "centre.duckdb", time_zone="UTC")
        states[name] = [None]
        if held:
            log.path.write_bytes(held)
            states[name] = [log_content(log, timeless=True)]
        for table in ("agents", "calls", "services"):
            report = log.load(exports / f"{table}.csv", source="ccanalytics")
            assert report.read == report.loaded + report.duplicates + report.rejected
            states[name].append(log_content(log, timeless=True))
        assert (report.read, log.rejects().height, log.table("loads")["duplicates"].max()) == (
            *(9, 50),
            99,
        )
    return states


@pytest.fixture(scope="module")
def usual(server, starts, exports, tmp_path_factory):
    """How long each stage takes, in seconds."""
    longest = dict.fromkeys(STAGES, 0.0)
    for name, held in starts.items():
        path = tmp_path_factory.mktemp(f"timed {name}") / "centre.duckdb"
        if held:
            path.write_bytes(held)
        gone, killed = server.load(path, exports)
        assert not killed
        for stage, seconds in gone:
            longest[stage] = max(longest[stage], seconds)
    assert [s for s in STAGES if not longest[s]] == ["migrating"]
    return longest


def _names(folder):
    return {p.name for p in folder.iterdir()}


def test_loads_killed_at_random_moments(
    tmp_path, server, exports, starts, undisturbed, usual, log_content, capsys
):
    """Each leaves a state between two files, at once readable; the next load makes it good."""
    rng = random.Random(300)
    hit, tries = Counter(), 0
    while hit.total() < KILLS:
        tries += 1
        assert tries < 3 * KILLS, f"too few loads could be killed: {hit}"
        start = rng.choice(list(starts))
        at = rng.choice([s for s in STAGES if s not in ("migrating", "done")])
        if start == "new" and at == "copying":
            continue
        path = tmp_path / str(tries) / "centre [1].duckdb"
        path.parent.mkdir()
        if starts[start]:
            path.write_bytes(starts[start])
        gone, killed = server.load(path, exports, at, rng.random() * usual[at])
        if not killed:
            continue
        hit[gone[-1][0]] += 1
        states = undisturbed[start]
        left = log_content(path, timeless=True) if path.exists() else None
        assert left in states, (start, gone)
        # What was published is a whole number of files, no more than were folded in.
        names = [s for s, _ in gone]
        assert states.index(left) <= names.count("checkpointing"), (start, gone)
        assert states.index(left) == 0 or "publishing" in names, (start, gone)
        log = CallLog(path, time_zone="UTC")
        log.load(exports, source="ccanalytics")
        assert log_content(path, timeless=True) == states[-1], (start, gone)
        assert log.check().checks[0].status == "holds"
        assert _names(path.parent) == {path.name}
        path.unlink()
    inside = hit.total() - hit["reading"] - hit["waiting"] - hit["done"]
    with capsys.disabled():
        if FULL:
            told = ", ".join(f"{s} {hit[s]}" for s in STAGES if hit[s])
            print(f"\n{hit.total()} loads killed, {inside} in the staging or the commit: {told}")
    assert inside >= (200 if FULL else KILLS // 2)
    assert len(hit) >= (8 if FULL else 3)


@pytest.mark.parametrize("at", STAGES[3:4] + STAGES[5:])
def test_a_load_killed_as_it_enters_a_stage(
    tmp_path, server, exports, starts, undisturbed, log_content, at
):
    path = tmp_path / "centre.duckdb"
    path.write_bytes(starts["started"])
    gone, killed = server.load(path, exports / "calls.csv", at)
    assert killed
    states = undisturbed["started"]
    left = log_content(path, timeless=True)
    assert left == states[0] or gone[-1][0] in ("publishing", "done"), gone
    assert at != "done" or left != states[0]
    log = CallLog(path)
    assert log.load(exports / "calls.csv", source="ccanalytics").read == 5000
    assert log_content(path, timeless=True)["calls"] == states[-1]["calls"]
    assert _names(tmp_path) == {"centre.duckdb"}


def test_what_killed_loads_leave_is_swept_whoever_has_their_number_now(
    tmp_path, server, exports, starts, log_content
):
    """Work folders and locks belong to whoever holds them, not to a process number."""
    path = tmp_path / "centre.duckdb"
    path.write_bytes(starts["started"])
    for at in ("staging", "copying", "taking over", "checkpointing"):
        assert server.load(path, exports / "calls.csv", at)[1]
    left = {p.name for p in tmp_path.iterdir()} - {path.name}
    assert len([name for name in left if name.startswith(".ccanalytics-load-")]) >= 1
    lock = tmp_path / ".centre.duckdb.lock"
    lock.write_text(str(os.getpid()))  # a process that is alive has the dead one's number
    log = CallLog(path, wait_s=0)
    assert log.check().rows["calls"] == 20_000
    assert log.load(exports / "calls.csv", source="ccanalytics").loaded == 4851
    assert _names(tmp_path) == {"centre.duckdb"}
