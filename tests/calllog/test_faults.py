"""What goes wrong with files and logs: one readable line, and the log as it was."""

import gzip
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime

import duckdb
import pytest

from ccanalytics import CallLog
from ccanalytics.errors import CcanalyticsError, DataError, InputError, LogError
from ccanalytics.schema import SCHEMA_VERSION

AT = datetime(2025, 3, 3, 9, tzinfo=UTC)
HEADER = "call_id,arrived_at,outcome\n"
ROW = "c1,2025-03-03T09:00:00Z,answered\n"

HOLDER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reading")
print("held", flush=True)
sys.stdin.read()
"""
LOADER = """
import sys, ccanalytics
log = ccanalytics.CallLog(sys.argv[1], time_zone="UTC", wait_s=30)
for file in sys.argv[2:]:
    print(log.load(file, source="ccanalytics").loaded, flush=True)
"""


@pytest.fixture
def held(tmp_path):
    """Have another process hold a database: (path, how) -> a function that lets go."""
    others = []

    def hold(path, how="writing"):
        other = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        others.append(other)
        assert other.stdout.readline() == "held\n"

        def let_go():
            other.stdin.close()
            other.wait(timeout=30)

        return let_go

    yield hold
    for other in others:
        other.stdin.close()
        other.wait(timeout=30)
        other.stdout.close()


@pytest.fixture
def small(make_log, write_table):
    """A log of one call, and a file of two more beside it."""
    log = make_log([{"arrived_at": AT}])
    more = [{"call_id": f"more{i}", "arrived_at": AT} for i in range(2)]
    return log, write_table(log.path.parent / "calls_more.csv", "calls", more)


def one_line(error):
    text = str(error)
    assert "\n" not in text
    assert "Traceback" not in text
    return text


# ---- files that cannot be loaded ----------------------------------------------------------------


def _bad_file(folder, what):
    path = folder / "calls.csv"
    content = {
        "empty": b"",
        "blank": b"\n \n\r\n",
        "only a byte order mark": b"\xef\xbb\xbf",
        "gzip of nothing": gzip.compress(b""),
        "cut off": (HEADER + ROW + "c2,2025").encode(),
        "cut gzip": gzip.compress((HEADER + ROW * 500).encode())[:-9],
        "zip": b"PK\x03\x04 and so on",
        "zstd": b"\x28\xb5\x2f\xfd and so on",
        "bzip2": b"BZh9 and so on",
        "old Excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
        "bytes": bytes(range(256)) * 20,
        "another header": b"start;end;agent\n1;2;3\n",
        "unclosed header": b'"call_id,arrived_at,outcome\nc1,2,3\n',
        "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(99),
        "HTML": b"<!doctype html><title>Log in</title>\n",
    }
    if what == "folder":
        (folder / "calls.csv").mkdir()
    elif what == "broken link":
        path.symlink_to(folder / "nowhere.csv")
    elif what != "missing":
        path.write_bytes(content[what])
    return path


BAD_FILES = [
    *("missing", "folder", "broken link", "empty", "blank", "only a byte order mark"),
    *("gzip of nothing", "cut off", "cut gzip", "zip", "zstd", "bzip2", "old Excel", "bytes"),
    *("another header", "unclosed header", "PDF", "HTML"),
]


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_file_that_cannot_be_loaded_says_so_and_leaves_nothing(tmp_path, what):
    path = _bad_file(tmp_path, what)
    names = sorted(p.name for p in tmp_path.iterdir())
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    with pytest.raises(InputError, match=r"calls\.csv") as caught:
        log.load(path, source="ccanalytics")
    one_line(caught.value)
    assert caught.value.remedy
    assert sorted(p.name for p in tmp_path.iterdir()) == names


def test_files_that_cannot_be_loaded_leave_a_log_as_it_was(tmp_path, small, log_content):
    log, _ = small
    folder = log.path.parent
    before, names, bytes_ = log_content(log), sorted(folder.iterdir()), log.path.read_bytes()
    for what in ("missing", "empty", "cut off", "cut gzip", "another header"):
        place = tmp_path / what
        place.mkdir()
        with pytest.raises(InputError):
            log.load(_bad_file(place, what), source="ccanalytics")
    for source in ("no such source", None):
        with pytest.raises(InputError, match="source"):
            log.load(folder / "calls.csv", source=source)
    with pytest.raises(InputError, match="Anonymous Bank"):
        log.load(folder / "calls_more.csv", source="anonymous_bank")
    assert log_content(log) == before
    assert sorted(folder.iterdir()) == names
    assert log.path.read_bytes() == bytes_


def test_a_file_that_breaks_after_many_good_rows_leaves_nothing(small, log_content):
    """The first blocks are read and staged before the break is met."""
    log, _ = small
    before, names = log_content(log), sorted(log.path.parent.iterdir())
    rows = "".join(f"n{i},2025-03-03T09:00:00Z,answered\n" for i in range(300_000))
    path = log.path.parent / "calls_long.csv.gz"
    path.write_bytes(gzip.compress((HEADER + rows).encode(), 1)[:-50])
    with pytest.raises(InputError, match="calls_long"):
        log.load(path, source="ccanalytics")
    path.unlink()
    assert log_content(log) == before
    assert sorted(log.path.parent.iterdir()) == names


def test_a_file_with_only_a_header_holds_no_rows(tmp_path, log_content):
    path = tmp_path / "calls.csv"
    for text in (HEADER, HEADER.rstrip("\n"), HEADER + "\n\n"):
        path.write_text(text)
        log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
        report = log.load(path, source="ccanalytics")
        assert (report.read, report.loaded, report.rejected) == (0, 0, 0)
    assert log_content(log)["calls"][0] == 0
    with pytest.raises(DataError, match="no calls"):
        log.intervals("1d")
    assert log.check().summary() == "The log holds no calls."


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"encoding": "klingon"}, "klingon"),
        ({"encoding": "hex"}, "hex"),
        ({"encoding": 5}, "encoding"),
        ({"encoding": "idna"}, "idna"),
        ({"encoding": "punycode"}, "punycode"),
        ({"time_zone": "Mars/North"}, "Mars/North"),
        ({"table": "nothing"}, "nothing"),
        ({"source": "excel"}, "excel"),
    ],
)
def test_an_option_that_does_not_exist_is_named(tmp_path, options, named):
    (tmp_path / "calls.csv").write_text(HEADER + ROW)
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    with pytest.raises(InputError, match=named) as caught:
        log.load(tmp_path / "calls.csv", **({"source": "ccanalytics"} | options))
    one_line(caught.value)
    assert not log.path.exists()


@pytest.mark.parametrize("path", [None, 5, ["calls.csv"]])
def test_a_path_that_is_none(tmp_path, path):
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    with pytest.raises(InputError, match="path"):
        log.load(path, source="ccanalytics")
    if path is not None:
        with pytest.raises(InputError, match="path"):
            CallLog(path)


def test_the_log_may_be_named_by_the_environment(monkeypatch, small):
    monkeypatch.delenv("CCANALYTICS_LOG", raising=False)
    with pytest.raises(InputError, match="CCANALYTICS_LOG"):
        CallLog()
    monkeypatch.setenv("CCANALYTICS_LOG", str(small[0].path))
    assert CallLog().intervals("1d")["arrived"].sum() == 1


def test_progress_goes_from_nothing_to_all(small):
    log, more = small
    seen = []
    log.load(more, source="ccanalytics", progress=lambda *args: seen.append(args))
    size = more.stat().st_size
    assert seen[-1] == (size, size, "calls_more.csv")
    assert all(0 <= done <= whole == size for done, whole, _ in seen)
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


def test_a_progress_that_fails_leaves_nothing_behind(small, log_content):
    log, more = small
    before, names = log_content(log), sorted(log.path.parent.iterdir())

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        log.load(more, source="ccanalytics", progress=stop)
    assert log_content(log) == before
    assert sorted(log.path.parent.iterdir()) == names


# ---- logs that are none -------------------------------------------------------------------------


def _questions(log):
    """Every way to open a log for reading."""
    yield lambda: log.time_zone
    yield log.fingerprint
    yield log.check
    yield lambda: log.intervals("1d")
    yield log.rejects
    yield lambda: log.table("calls")


def test_a_log_that_is_not_there(tmp_path):
    log = CallLog(tmp_path / "centre.duckdb")
    for question in _questions(log):
        with pytest.raises(LogError, match=r"centre\.duckdb") as caught:
            question()
        assert "load" in one_line(caught.value)
    assert not any(tmp_path.iterdir())
    assert LogError.exit_code == 3


def _not_a_log(path, what):
    if what == "folder":
        path.mkdir()
        return
    if what in ("another database", "a table called meta", "an empty meta"):
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                {
                    "another database": "CREATE TABLE t (x INTEGER)",
                    "a table called meta": "CREATE TABLE meta (x INTEGER)",
                    "an empty meta": "CREATE TABLE meta (schema_version INTEGER, time_zone TEXT)",
                }[what]
            )
        return
    path.write_bytes(
        {
            "no bytes": b"",
            "text": b"call_id,arrived_at\n" * 500,
            "a few bytes": b"hello",
            "SQLite": b"SQLite format 3\0" + bytes(4080),
        }[what]
    )


@pytest.mark.parametrize(
    "what",
    [
        *("folder", "text", "a few bytes", "no bytes", "SQLite"),
        *("another database", "a table called meta", "an empty meta"),
    ],
)
def test_what_is_not_a_log_is_refused_and_stays_as_it_is(tmp_path, what):
    path = tmp_path / "centre.duckdb"
    _not_a_log(path, what)
    before = path.read_bytes() if path.is_file() else None
    (tmp_path / "calls.csv").write_text(HEADER + ROW)
    log = CallLog(path, time_zone="UTC", wait_s=0.2)
    for question in _questions(log):
        with pytest.raises(LogError, match=r"centre\.duckdb") as caught:
            question()
        text = one_line(caught.value)
        assert "http" not in text, "a log is opened without asking the network"
    with pytest.raises(LogError, match=r"centre\.duckdb"):
        log.load(tmp_path / "calls.csv", source="ccanalytics")
    if before is not None:
        assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["calls.csv", "centre.duckdb"]


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_log_that_was_cut_short_is_refused(tmp_path, small, kept):
    whole = small[0].path.read_bytes()
    path = tmp_path / "cut.duckdb"
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(LogError, match=r"cut\.duckdb") as caught:
        CallLog(path).intervals("1d")
    one_line(caught.value)


def test_a_log_in_a_folder_that_is_not_there(tmp_path):
    (tmp_path / "calls.csv").write_text(HEADER + ROW)
    log = CallLog(tmp_path / "no" / "centre.duckdb", time_zone="UTC")
    with pytest.raises(LogError, match="folder") as caught:
        log.load(tmp_path / "calls.csv", source="ccanalytics")
    one_line(caught.value)


@pytest.mark.parametrize(
    ("version", "remedy"),
    [(SCHEMA_VERSION + 1, "upgrade"), (0, "load the exports again"), (-1, "load the exports")],
)
def test_a_log_of_a_schema_unknown_is_refused_and_stays_as_it_is(
    small, log_content, version, remedy
):
    log, more = small
    with duckdb.connect(str(log.path)) as connection:
        connection.execute("UPDATE meta SET schema_version = ?", [version])
    before, names = log_content(log), sorted(log.path.parent.iterdir())
    for question in [*_questions(log), lambda: log.load(more, source="ccanalytics")]:
        with pytest.raises(LogError, match=f"schema {version}") as caught:
            question()
        assert remedy in one_line(caught.value)
    assert log_content(log) == before
    assert sorted(log.path.parent.iterdir()) == names


# ---- other processes ----------------------------------------------------------------------------


def test_a_log_that_another_process_writes_to_is_refused_after_a_wait(small, held, log_content):
    log, more = small
    before = log_content(log)
    let_go = held(log.path)
    waiting = CallLog(log.path, wait_s=0.2)
    names = sorted(log.path.parent.iterdir())
    for question in [*_questions(waiting), lambda: waiting.load(more, source="ccanalytics")]:
        with pytest.raises(LogError, match="in use") as caught:
            question()
        assert "0.2 s" in one_line(caught.value)
    assert sorted(log.path.parent.iterdir()) == names
    let_go()
    assert log_content(log) == before
    assert waiting.load(more, source="ccanalytics").loaded == 2


def test_whoever_waits_long_enough_gets_in(small, held):
    log, more = small
    for question in (
        lambda: log.intervals("1d").height,
        lambda: log.load(more, source="ccanalytics").loaded,
    ):
        let_go = held(log.path)
        timer = threading.Timer(0.4, let_go)
        timer.start()
        assert question() in (1, 2)
        timer.join()


def test_many_may_read_at_once_and_a_load_waits_for_none_of_them(small, held):
    log, more = small
    let_go = held(log.path, "reading")
    assert log.intervals("1d")["arrived"].sum() == 1
    assert CallLog(log.path, wait_s=0).load(more, source="ccanalytics").loaded == 2
    assert log.intervals("1d")["arrived"].sum() == 3
    let_go()


def test_a_connection_of_this_process_is_waited_for_too(small):
    log, more = small
    connection = duckdb.connect(str(log.path))
    try:
        with pytest.raises(LogError, match="in use"):
            CallLog(log.path, wait_s=0.2).intervals("1d")
    finally:
        connection.close()
    assert log.load(more, source="ccanalytics").loaded == 2


def test_nothing_is_held_between_questions(small, held):
    log, more = small
    log.intervals("1d")
    log.load(more, source="ccanalytics")
    held(log.path)()  # another process may write at once


def test_two_loads_at_once_into_a_new_log_both_come_in(tmp_path, write_table):
    files = [
        write_table(
            tmp_path / f"calls_{name}.csv",
            "calls",
            [{"call_id": f"{name}{i}", "arrived_at": AT} for i in range(500)],
        )
        for name in "abcd"
    ]
    path = tmp_path / "centre.duckdb"
    loaders = [
        subprocess.Popen(
            [sys.executable, "-c", LOADER, str(path), *map(str, pair)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for pair in (files[:2], files[2:])
    ]
    for loader in loaders:
        out, err = loader.communicate(timeout=60)
        assert (loader.returncode, out) == (0, "500\n500\n"), err
    log = CallLog(path)
    assert log.intervals("1d")["arrived"].to_list() == [2000]
    assert log.table("loads")["loaded"].to_list() == [500] * 4
    assert sorted(tmp_path.iterdir()) == sorted([path, *files])


def test_a_first_load_that_fails_takes_no_other_load_with_it(tmp_path, write_table):
    """Two first loads at once: one makes the log, the other waits, then fails. The log stays."""
    from ccanalytics.calllog.store import Store

    first = write_table(tmp_path / "calls_a.csv", "calls", [{"call_id": "a", "arrived_at": AT}])
    path = tmp_path / "centre.duckdb"
    assert Store(path).is_new()
    # Between the look for the file and the right to write, another process makes the log.
    subprocess.run(
        [sys.executable, "-c", LOADER, str(path), str(first)],
        check=True,
        timeout=60,
        stdout=subprocess.PIPE,
    )
    with pytest.raises(RuntimeError, match="this load fails"):  # noqa: SIM117 - the inner one fails
        with Store(path).writing("UTC", "0"):
            raise RuntimeError("this load fails")
    assert CallLog(path).intervals("1d")["arrived"].to_list() == [1]
    with pytest.raises(RuntimeError, match="this load fails"):  # noqa: SIM117 - the inner one fails
        with Store(tmp_path / "new.duckdb").writing("UTC", "0"):
            raise RuntimeError("this load fails")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["calls_a.csv", "centre.duckdb"]


# ---- no room ------------------------------------------------------------------------------------

FULL = """
import resource, signal, sys
import ccanalytics, duckdb, polars, pyarrow.parquet, pyarrow.csv
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
log = ccanalytics.CallLog(sys.argv[1], wait_s=5)
try:
    log.load(sys.argv[2], source="ccanalytics")
except ccanalytics.errors.LogError as error:
    print("LogError", error)
except BaseException as error:
    print("other", type(error).__name__, error)
else:
    print("loaded")
"""


@pytest.mark.skipif(os.name != "posix", reason="file size limits are POSIX")
@pytest.mark.parametrize("room", [20_000, 1_400_000], ids=["of the staging file", "of the log"])
def test_when_the_disk_is_full_the_log_stays_as_it_was(small, write_table, log_content, room):
    """A limit on the size of files stands in for a full disk."""
    import hashlib

    log, _ = small
    rows = [
        {
            "call_id": hashlib.sha256(str(i).encode()).hexdigest(),
            "customer": hashlib.sha256(str(-i).encode()).hexdigest(),
            "arrived_at": AT,
        }
        for i in range(15_000)
    ]
    path = write_table(log.path.parent / "calls_many.csv", "calls", rows)
    before, names = log_content(log), sorted(log.path.parent.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(log.path), str(path), str(room)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.startswith("LogError"), (done.stdout, done.stderr[-500:])
    assert done.stdout.count("\n") == 1
    assert log_content(log) == before
    assert sorted(log.path.parent.iterdir()) == names
    assert log.load(path, source="ccanalytics").loaded == 15_000


def test_every_error_of_the_package_is_one_of_its_own(small):
    log, _ = small
    for question in (
        lambda: log.table("nothing"),
        lambda: log.table(["calls"]),
        lambda: log.columns_filled("nothing"),
        lambda: log.rejects(limit=-1),
        lambda: log.rejects(limit="many"),
        lambda: log.recontacts(within_s=600),
        lambda: log.recontacts(within_s=[]),
        lambda: log.recontacts(within_s=["day"]),
        lambda: log.recontacts(within_s=[float("nan")]),
        lambda: log.recontacts(within_s=[-1]),
        lambda: log.self_service(recontact_days=1),
        lambda: log.self_service(recontact_days=[0.5]),
        lambda: log.self_service(by="queue"),
        lambda: log.self_service(where={"queue": "sales"}),
        lambda: log.panel(unit="customer"),
        lambda: log.panel(unit=["queue"]),
        lambda: log.panel(quiet_s=0),
        lambda: log.panel(quiet_s="day"),
    ):
        with pytest.raises(CcanalyticsError) as caught:
            question()
        one_line(caught.value)


# ---- whoever stops a load -----------------------------------------------------------------------

ENDLESS = """
import os, pathlib, signal, threading
from ccanalytics.calllog.database import in_memory, speaking

def ask(rows, after_s):
    threading.Timer(after_s, os.kill, (os.getpid(), signal.SIGINT)).start()
    with speaking(pathlib.Path("centre.duckdb")):
        in_memory().execute(f"SELECT count(*) FROM range({rows}) r(i) WHERE hash(i) = 3").fetchall()

def stopped():
    try:
        ask(10**15, 0.2)
    except KeyboardInterrupt:
        return True

print(sum(bool(stopped()) for _ in range(8)))
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
# Handlers of a program: one that raises stops the query, one that does not lets it be.
def raises(*_): raise KeyboardInterrupt
signal.signal(signal.SIGINT, raises)
assert stopped()
assert signal.getsignal(signal.SIGINT) is raises
noted = []
signal.signal(signal.SIGINT, lambda *_: noted.append(1))
ask(300_000_000, 0.05)
while not noted: pass
"""


def test_an_interrupt_reaches_the_threads_of_the_database():
    """One of two queries went on to its end, where another thread than ours had its work."""
    done = subprocess.run(
        [sys.executable, "-c", ENDLESS], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("8", "")


def test_an_interrupt_while_the_database_works_is_an_interrupt(small, log_content, monkeypatch):
    """The database makes a RuntimeError of Ctrl-C, which once was called a bug of ours."""
    from ccanalytics.calllog import loading
    from ccanalytics.cli import main

    log, path = small
    before = log_content(log.path)

    def long(connection, *_):
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        connection.execute("SELECT count(*) FROM range(50_000_000_000) WHERE hash(range) = 3")

    monkeypatch.setattr(loading, "take_over", long)
    with pytest.raises(KeyboardInterrupt):
        log.load(path, source="ccanalytics")
    said = ["load", str(path), "--source", "ccanalytics", "--log", str(log.path)]
    assert main(said) == 130
    assert log_content(log.path) == before
