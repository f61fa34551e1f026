"""Where a log may lie, and what it may be called."""

import os
import subprocess
from datetime import UTC, datetime

import duckdb
import pytest

from ccanalytics import CallLog
from ccanalytics.cli import main
from ccanalytics.errors import CcanalyticsError, InputError, LogError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="logs are kept on POSIX systems")

AT = datetime(2025, 3, 3, 9, tzinfo=UTC)
NAMES = [
    'it\'s a "log".duckdb',
    "two\nlines.duckdb",
    "通话记录 ÆØ 🎧.duckdb",
    "'; DROP TABLE calls; --.duckdb",
    "') AS log; ATTACH 'stolen.duckdb' AS (x",
    "[a-z]*{x}$HOME`id`%s.duckdb",
    "sqlite:centre.duckdb",
    "s3:centre.duckdb",
    "-log",
    "no suffix",
    ".hidden",
    "centre.csv",
]


@pytest.fixture
def files(tmp_path, write_table):
    folder = tmp_path / "exports"
    folder.mkdir()
    return [
        write_table(
            folder / f"calls_{n}.csv", "calls", [{"call_id": n, "arrived_at": AT, "queue": "q"}]
        )
        for n in "ab"
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_log_of_any_name_is_made_read_and_loaded_into(tmp_path, files, name, monkeypatch):
    folder = tmp_path / "logs"
    folder.mkdir()
    log = CallLog(folder / name, time_zone="UTC")
    assert log.load(files[0], source="ccanalytics").loaded == 1
    assert log.load(files[1], source="ccanalytics").loaded == 1
    assert log.intervals("1d", by=["queue"])["arrived"].to_list() == [2]
    assert log.check().rows["calls"] == 2
    # A path relative to the working folder is the same file.
    monkeypatch.chdir(folder)
    assert CallLog(name).table("calls").height == 2
    assert [p.name for p in folder.iterdir()] == [name]


def test_a_folder_of_any_name(tmp_path, files):
    folder = tmp_path / 'it\'s\n[a] "folder" 数据*'
    folder.mkdir()
    log = CallLog(folder / "centre.duckdb", time_zone="UTC")
    for file in files:
        assert log.load(file, source="ccanalytics").loaded == 1
    assert log.table("calls").height == 2
    assert [p.name for p in folder.iterdir()] == ["centre.duckdb"]


@pytest.mark.parametrize(
    "name",
    ["x" * 300, "x" * 250, "nowhere/centre.duckdb", "a/" * 3000, "what?.duckdb", "a\\b", "?x=y"],
    ids=["300 letters", "250 letters", "no folder", "deep", "question", "backslash", "options"],
)
def test_a_path_that_cannot_be_is_an_error_in_one_line(tmp_path, files, name):
    log = CallLog(tmp_path / name, time_zone="UTC")
    for ask in (log.check, lambda: log.load(files[0], source="ccanalytics")):
        with pytest.raises(LogError) as caught:
            ask()
        assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["exports"]


def test_a_name_that_is_no_text_is_an_error_that_can_be_printed(tmp_path, files):
    """Bytes of another encoding, as old archives leave them."""
    log = CallLog(tmp_path / os.fsdecode(b"caf\xe9.duckdb"), time_zone="UTC")
    for ask in (log.check, lambda: log.load(files[0], source="ccanalytics")):
        with pytest.raises(LogError, match="no text") as caught:
            ask()
        str(caught.value).encode()
    assert [p.name for p in tmp_path.iterdir()] == ["exports"]


def test_an_export_whose_name_is_no_text_keeps_no_other_out(tmp_path, files, capsys):
    bad = files[0].with_name(os.fsdecode(b"calls_\xe9.csv"))
    bad.write_bytes(files[0].read_bytes())
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    with pytest.raises(InputError, match=r"no UTF-8 text.*rename it"):
        log.load(bad, "ccanalytics")
    for given in (bad.parent, bad.parent / "calls*.csv", [*files, bad]):
        report = log.load(given, "ccanalytics")
        assert len(report.files) == 2
        assert [error.remedy for error in report.failed.values()] == ["rename it"]
        report.summary().encode()
    said = ["load", str(bad.parent), "--source", "ccanalytics", "--log", str(log.path)]
    for more in ([], ["--json"]):
        assert main([*said, *more]) == 2
        assert "bug" not in capsys.readouterr().err


def test_a_path_with_a_null_byte_is_refused(files):
    with pytest.raises(InputError, match="path"):
        CallLog("a\0b")
    with pytest.raises(InputError, match="path"):
        CallLog("centre.duckdb").load("a\0b", source="ccanalytics")


def test_a_link_stays_a_link(tmp_path, files):
    place, elsewhere = tmp_path / "place", tmp_path / "elsewhere"
    place.mkdir()
    elsewhere.mkdir()
    link, target = place / "log.duckdb", elsewhere / "target.duckdb"
    link.symlink_to(target)
    log = CallLog(link, time_zone="UTC")
    with pytest.raises(LogError, match="no call log here"):
        log.check()
    for file in files:
        assert log.load(file, source="ccanalytics").loaded == 1
    assert link.is_symlink()
    assert not target.is_symlink()
    assert log.table("calls").height == CallLog(target).table("calls").height == 2
    assert [p.name for p in place.iterdir()] == ["log.duckdb"]
    assert [p.name for p in elsewhere.iterdir()] == ["target.duckdb"]


def test_a_link_in_a_circle_is_an_error_in_one_line(tmp_path, files):
    log = CallLog(tmp_path / "one", time_zone="UTC")
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    for ask in (log.check, lambda: log.load(files[0], source="ccanalytics")):
        with pytest.raises(LogError) as caught:
            ask()
        assert "\n" not in str(caught.value)
    assert (tmp_path / "one").is_symlink()


def test_a_second_name_of_the_file_keeps_what_it_had(tmp_path, files):
    """A hard link, such as a backup's, is a copy of the log as it was."""
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    log.load(files[0], source="ccanalytics")
    os.link(log.path, tmp_path / "backup.duckdb")
    log.load(files[1], source="ccanalytics")
    assert log.table("calls").height == 2
    assert CallLog(tmp_path / "backup.duckdb").table("calls").height == 1


def test_who_may_read_a_log_may_read_its_next_state(tmp_path, files):
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    log.load(files[0], source="ccanalytics")
    for mode in (0o600, 0o664):
        log.path.chmod(mode)
        with log.snapshot():  # nothing to do with it
            pass
        log.load(files[1], source="ccanalytics")
        with duckdb.connect(str(log.path)) as connection:
            connection.execute("DELETE FROM loads WHERE file = 'calls_b.csv'")
        assert log.path.stat().st_mode & 0o777 == mode


@pytest.fixture
def read_only(tmp_path, files):
    """A log in a folder that nobody can write to."""
    place = tmp_path / "place"
    place.mkdir()
    root = not os.geteuid()
    if root:
        mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("root needs a mount of its own to be refused")
    log = CallLog(place / "centre.duckdb", time_zone="UTC")
    try:
        log.load(files[0], source="ccanalytics")
        if root:
            subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        else:
            place.chmod(0o555)
        yield log
    finally:
        if root:
            subprocess.run(["umount", "-l", str(place)], check=True)
        else:
            place.chmod(0o755)


def test_a_log_in_a_read_only_folder_is_read_and_not_loaded_into(read_only, files):
    before = read_only.path.read_bytes()
    assert read_only.intervals("1d", by=["queue"])["arrived"].to_list() == [1]
    assert read_only.check().checks[0].status == "holds"
    with pytest.raises(LogError, match="cannot be written to") as caught:
        read_only.load(files[1], source="ccanalytics")
    assert "\n" not in str(caught.value)
    assert read_only.path.read_bytes() == before
    assert [p.name for p in read_only.path.parent.iterdir()] == ["centre.duckdb"]


def test_a_device_or_a_pipe_is_no_log(tmp_path, files):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/null"):
        log = CallLog(path, time_zone="UTC")
        for ask in (log.check, lambda log=log: log.load(files[0], source="ccanalytics")):
            with pytest.raises(CcanalyticsError) as caught:
                ask()
            assert "\n" not in str(caught.value)
