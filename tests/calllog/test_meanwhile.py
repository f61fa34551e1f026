"""What goes on while a load runs: readers, other loads, other programs, disks that fill up."""

import errno
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import duckdb
import pytest

from ccanalytics import CallLog
from ccanalytics.errors import LogError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="logs are kept on POSIX systems")

FULL = bool(os.environ.get("CCANALYTICS_FULL"))
AT = datetime(2025, 3, 3, 9, tzinfo=UTC)
COMMIT = ("copying", "taking over", "committing", "checkpointing", "publishing")

# Loads, says each stage it enters, and in the stages named goes on only when told to. In the stage
# named with "full", no file can grow from there on ("limit"), or the disk has no room left.
LOADER = """
import logging, os, resource, signal, sys
import ccanalytics

log, file, pauses, full, how = sys.argv[1:6]

def fill():
    with open(os.path.join(os.path.dirname(log), "filler"), "wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            pass

class Say(logging.Handler):
    def emit(self, record):
        name = record.getMessage()
        print(name, flush=True)
        if name in pauses.split(","):
            sys.stdin.readline()
        if name == full and how == "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))
        elif name == full:
            fill()

stages = logging.getLogger("ccanalytics.stages")
stages.setLevel("DEBUG"); stages.propagate = False; stages.addHandler(Say())
try:
    report = ccanalytics.CallLog(log, time_zone="UTC", wait_s=30).load(file, source="ccanalytics")
except ccanalytics.errors.CcanalyticsError as error:
    print("error", type(error).__name__, error)
else:
    print("loaded", report.loaded)
"""


class Loader:
    """A load in a process of its own that waits to be told to go on."""

    def __init__(self, log, file, pauses=(), full="", how=""):
        self.process = subprocess.Popen(
            [sys.executable, "-c", LOADER, str(log), str(file), ",".join(pauses), full, how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until(self, stage):
        while line := self.process.stdout.readline():
            if line.strip() == stage:
                return
        raise AssertionError(f"{stage} was not reached: {self.process.stderr.read()}")

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        out, err = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, err
        assert "Traceback" not in err
        return out.splitlines()[-1]


@pytest.fixture
def small(make_log, write_table):
    """A log of one call, and a file of two more beside it."""
    log = make_log([{"arrived_at": AT}])
    more = [{"call_id": f"more{i}", "arrived_at": AT} for i in range(2)]
    return log, write_table(log.path.parent / "calls_more.csv", "calls", more)


def counts(log):
    return log.table("calls").height, log.table("loads")["loaded"].sum()


def test_questions_are_answered_at_once_in_every_stage_of_a_load(small):
    """Before the new state is in place they see the old one; nobody waits, nobody fails."""
    log, more = small
    hasty = CallLog(log.path, wait_s=0)
    stages = ("reading", "staging", "waiting", *COMMIT, "done")
    loader = Loader(log.path, more, stages)
    for stage in stages:
        loader.until(stage)
        assert counts(hasty) == ((3, 3) if stage == "done" else (1, 1)), stage
        if stage in ("staging", "publishing"):
            assert hasty.check().rows["calls"] == hasty.intervals("1d")["arrived"].sum() == 1
        loader.go_on()
    assert loader.end() == "loaded 2"


def test_another_load_gets_in_while_one_reads_and_waits_while_one_writes(
    small, write_table, caplog
):
    log, more = small
    other = write_table(
        log.path.parent / "calls_other.csv", "calls", [{"call_id": "o", "arrived_at": AT}]
    )
    loader = Loader(log.path, more, ("staging", *COMMIT))
    loader.until("staging")
    # Its work folder is not swept by the other, which does not wait.
    assert CallLog(log.path, wait_s=0).load(other, source="ccanalytics").loaded == 1
    loader.go_on()
    third = write_table(
        log.path.parent / "calls_third.csv", "calls", [{"call_id": "t", "arrived_at": AT}]
    )
    for stage in COMMIT:
        loader.until(stage)
        with pytest.raises(LogError, match=r"in use .*try again") as caught:
            CallLog(log.path, wait_s=0.05).load(third, source="ccanalytics")
        assert f"process {loader.process.pid}" in str(caught.value)
        if stage != "publishing":
            loader.go_on()
    timer = threading.Timer(0.5, loader.go_on)
    timer.start()
    with caplog.at_level(logging.WARNING, "ccanalytics"):
        assert log.load(third, source="ccanalytics").loaded == 1
    assert any("waiting" in record.getMessage() for record in caplog.records)
    timer.join()
    assert loader.end() == "loaded 2"
    assert counts(log) == (5, 5)
    left = {p.name for p in log.path.parent.iterdir() if p.suffix != ".csv"}
    assert left == {"centre.duckdb"}


def test_the_same_file_twice_at_once_is_loaded_once(small):
    log, more = small
    loader = Loader(log.path, more, ("staging",))
    loader.until("staging")
    assert log.load(more, source="ccanalytics").loaded == 2
    before = log.fingerprint()
    loader.go_on()
    assert loader.end() == "loaded 0"
    assert log.fingerprint() == before


def test_a_state_is_kept_for_several_questions(small):
    log, more = small
    with log.snapshot() as state:
        assert counts(state) == (1, 1)
        loader = Loader(log.path, more)
        assert loader.end() == "loaded 2"
        assert counts(state) == (1, 1)
        assert state.check().rows["calls"] == 1
        # Another thread, and another object for the same log, see the log as it is now.
        assert counts(CallLog(log.path)) == (3, 3)
    assert counts(log) == (3, 3)


def test_a_load_of_this_thread_may_be_asked_about_meanwhile(small):
    log, more = small
    seen = []
    log.load(more, source="ccanalytics", progress=lambda *_: seen.append(counts(log)))
    assert set(seen) <= {(1, 1), (3, 3)}
    assert seen[0] == (1, 1)


# ---- readers ------------------------------------------------------------------------------------

READERS = """
import json, os, sys, time
import duckdb, polars, pyarrow, filelock
import ccanalytics
from ccanalytics.calllog import checks, generation
from ccanalytics.calllog.rollups import intervals

def read(path, stop):
    log, told = ccanalytics.CallLog(path, wait_s=0), {"states": [], "errors": [], "longest_s": 0.0}
    told["rounds"] = 0
    while not os.path.exists(stop) or not told["rounds"]:
        began = time.perf_counter()
        try:
            with log.snapshot():
                loads = log.table("loads")
                check = log.check()
                state = [
                    loads.height, loads["loaded"].sum(), check.rows["calls"],
                    log.intervals("1d", by=["queue"])["arrived"].sum(),
                    loads["rejected"].sum(), log.rejects(None).height,
                ]
        except Exception as error:
            told["errors"].append(f"{type(error).__name__}: {error}")
        else:
            if state not in told["states"]:
                told["states"].append(state)
        told["rounds"] += 1
        told["longest_s"] = max(told["longest_s"], time.perf_counter() - began)
    os.write(1, (json.dumps(told) + "\\n").encode())

children = []
for _ in range(int(sys.argv[3])):
    child = os.fork()
    if not child:
        try:
            read(sys.argv[1], sys.argv[2])
        finally:
            os._exit(0)
    children.append(child)
os.write(1, b"started\\n")
for child in children:
    os.waitpid(child, 0)
"""


def test_eight_readers_during_loads_see_whole_states_only(tmp_path, write_table, capsys):
    """Counts over several tables fit together in every state that any of them sees."""
    files = [
        write_table(
            tmp_path / f"calls_{n}.csv",
            "calls",
            [
                {
                    "call_id": f"{n} {i}",
                    "arrived_at": AT,
                    "queue": f"q{i % 3}",
                    "talk_s": -1.0 if i % 10 == 0 else 5.0,
                }
                for i in range(1000 * (n + 1))
            ],
        )
        for n in range(40 if FULL else 3)
    ]
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    log.load(files[0], source="ccanalytics")
    stop = tmp_path / "stop"
    readers = subprocess.Popen(
        [sys.executable, "-c", READERS, str(log.path), str(stop), "8"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert readers.stdout.readline() == "started\n"
    for file in files[1:]:
        log.load(file, source="ccanalytics")
    stop.touch()
    out, err = readers.communicate(timeout=300)
    told = [json.loads(line) for line in out.splitlines()]
    assert len(told) == 8, err
    assert [error for one in told for error in one["errors"]] == []
    whole = []
    for n in range(1, len(files) + 1):
        read = sum(1000 * (i + 1) for i in range(n))
        whole.append([n, *([read * 9 // 10] * 3), read // 10, read // 10])
    for one in told:
        assert [state for state in one["states"] if state not in whole] == []
        assert one["states"] == sorted(one["states"]), "a reader went back in time"
    seen = {tuple(state) for one in told for state in one["states"]}
    assert len(seen) > 1
    if FULL:
        rounds = sum(one["rounds"] for one in told)
        longest = max(one["longest_s"] for one in told)
        with capsys.disabled():
            print(
                f"\n8 readers, {rounds} rounds of four questions during {len(files) - 1} loads: "
                f"no error, {len(seen)} states seen, longest round {longest:.2f} s"
            )


# ---- other programs -----------------------------------------------------------------------------

WRITER = """
import os, signal, sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("SET wal_autocheckpoint = '1GB'")
connection.execute("CREATE TABLE notes AS SELECT 'mine' AS note")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_another_program_left_unfolded_is_kept(small):
    log, more = small
    subprocess.run([sys.executable, "-c", WRITER, str(log.path)], check=False, timeout=60)
    wal = log.path.with_name("centre.duckdb.wal")
    assert wal.exists()
    assert counts(log) == (1, 1)
    assert log.load(more, source="ccanalytics").loaded == 2
    assert not wal.exists()
    with duckdb.connect(str(log.path), read_only=True) as connection:
        assert connection.execute("SELECT note FROM notes").fetchall() == [("mine",)]
    assert counts(log) == (3, 3)


def test_no_other_program_writes_while_a_load_takes_over(small):
    log, more = small
    loader = Loader(log.path, more, ("taking over",))
    loader.until("taking over")
    with pytest.raises(duckdb.IOException, match="lock"):
        duckdb.connect(str(log.path))
    loader.go_on()
    assert loader.end() == "loaded 2"
    duckdb.connect(str(log.path)).close()


def _when(stage, do, monkeypatch):
    """Do something when a load of this process enters that stage."""
    from ccanalytics.calllog import generation, loading

    def staged(name):
        if name == stage:
            do()

    monkeypatch.setattr(generation, "stage", staged)
    monkeypatch.setattr(loading, "stage", staged)


@pytest.mark.parametrize("by", ["another log", "text", "nothing"])
def test_a_log_replaced_while_a_load_runs_is_not_overwritten(
    small, make_log, monkeypatch, log_content, by
):
    log, more = small
    other = make_log([{"arrived_at": AT, "call_id": f"other{i}"} for i in range(7)]).path
    content = other.read_bytes()

    def replace():
        if by == "another log":
            other.replace(log.path)
        elif by == "text":
            log.path.unlink()
            log.path.write_text("hello")
        else:
            log.path.unlink()

    _when("committing", replace, monkeypatch)
    with pytest.raises(LogError, match="replaced the log"):
        log.load(more, source="ccanalytics")
    assert {
        "another log": lambda: log.path.read_bytes() == content,
        "text": lambda: log.path.read_text() == "hello",
        "nothing": lambda: not log.path.exists(),
    }[by]()
    assert not [p for p in log.path.parent.iterdir() if p.name.startswith(".")]


def test_a_log_replaced_in_mid_read_is_read_to_the_end(small, make_log):
    log, _ = small
    other = make_log([{"arrived_at": AT, "call_id": f"other{i}"} for i in range(7)]).path
    with log.snapshot():
        assert counts(log) == (1, 1)
        other.replace(log.path)
        assert counts(log) == (1, 1)
    assert counts(log) == (7, 7)
    with log.snapshot():
        log.path.unlink()
        log.path.write_bytes(b"hello")
        assert counts(log) == (7, 7)
    with pytest.raises(LogError, match="not a call log"):
        counts(log)


@pytest.mark.parametrize("stage", ["staging", *COMMIT])
def test_a_folder_that_vanishes_is_an_error_in_one_line(tmp_path, write_table, monkeypatch, stage):
    folder = tmp_path / "folder"
    folder.mkdir()
    calls = write_table(tmp_path / "calls.csv", "calls", [{"arrived_at": AT}])
    more = write_table(tmp_path / "calls_more.csv", "calls", [{"call_id": "m", "arrived_at": AT}])
    log = CallLog(folder / "centre.duckdb", time_zone="UTC")
    log.load(calls, source="ccanalytics")
    _when(stage, lambda: shutil.rmtree(folder), monkeypatch)
    with pytest.raises(LogError) as caught:
        log.load(more, source="ccanalytics")
    assert "\n" not in str(caught.value)
    assert not folder.exists()
    with pytest.raises(LogError, match="no call log here"):
        log.check()


# ---- no room ------------------------------------------------------------------------------------


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def _names(folder):
    return {p.name for p in folder.iterdir()}


def _many(path, write_table):
    rows = [{"call_id": f"many {i * 7919 % 65537}", "arrived_at": AT} for i in range(15_000)]
    return write_table(path, "calls", rows)


@pytest.mark.parametrize(
    ("how", "stage"),
    [
        *(("limit", stage) for stage in ("staging", *COMMIT[:4])),
        *(("no room", s) for s in (("staging", *COMMIT[:4]) if FULL else ("checkpointing",))),
    ],
)
def test_a_disk_that_is_full_in_any_stage_leaves_the_log_as_it_was(
    request, tmp_path, write_table, make_log, log_content, stage, how
):
    folder = tmp_path if how == "limit" else request.getfixturevalue("tiny_disk")
    path = folder / "centre.duckdb"
    shutil.copyfile(make_log([{"arrived_at": AT}]).path, path)
    file = _many(tmp_path / "calls_many.csv", write_table)
    before, held, names = log_content(path), path.read_bytes(), _names(folder)
    said = Loader(path, file, (), stage, how).end()
    assert said.startswith("error LogError"), said
    assert "without it" in said
    assert path.read_bytes() == held
    assert log_content(path) == before
    assert _names(folder) - {"filler"} == names
    (folder / "filler").unlink(missing_ok=True)
    assert CallLog(path).load(file, source="ccanalytics").loaded == 15_000


def test_no_room_for_a_second_copy_is_said_before_it_is_made(small, monkeypatch):
    import fcntl

    def refuse(*_):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    log, more = small
    held = log.path.read_bytes()
    monkeypatch.setattr(fcntl, "ioctl", refuse)  # as where no blocks can be shared
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=9, used=8, free=1))
    with pytest.raises(LogError, match="room for a second copy"):
        log.load(more, source="ccanalytics")
    assert log.path.read_bytes() == held
    monkeypatch.undo()
    assert log.load(more, source="ccanalytics").loaded == 2


def test_a_later_file_that_fails_takes_no_earlier_one_with_it(small, write_table, monkeypatch):
    """Also where copies are shared by several files, and the failure is the database's own."""
    from ccanalytics.calllog import generation

    log, _ = small
    folder = log.path.parent / "exports"
    folder.mkdir()
    write_table(folder / "agents.csv", "agents", [{"agent": "a"}])
    write_table(folder / "calls.csv", "calls", [{"call_id": "n", "arrived_at": AT}])
    write_table(folder / "services.csv", "services", [{"service": "s"}])
    monkeypatch.setattr(generation, "_COPYING", 1e-9)  # copying is dear: once for all
    published = []
    _when("publishing", lambda: published.append(1), monkeypatch)
    (folder / "services.csv").write_text("what is this\n1\n")
    report = log.load(folder, source="ccanalytics")
    assert [file.rsplit("/", 1)[1] for file in report.failed] == ["services.csv"]
    assert published == [1]
    assert log.check().rows["calls"] == 2
    assert log.table("agents").height == 1
    write_table(folder / "services.csv", "services", [{"service": "s"}])
    report = log.load(folder, source="ccanalytics")
    assert report.loaded == 1

    class Full(duckdb.FatalException):
        pass

    write_table(folder / "agents.csv", "agents", [{"agent": "b"}])
    write_table(folder / "calls.csv", "calls", [{"call_id": "n2", "arrived_at": AT}])
    seen = []

    def fail():
        seen.append(1)
        if len(seen) == 2:
            raise Full("no room")

    _when("checkpointing", fail, monkeypatch)
    with pytest.raises(LogError, match="no room"):
        log.load(folder, source="ccanalytics")
    assert sorted(log.table("agents")["agent"]) == ["a", "b"]
    assert log.load(folder, source="ccanalytics").loaded in (0, 1)
    assert log.check().rows["calls"] == 3
    assert log.check().checks[0].status == "holds"
