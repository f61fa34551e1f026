"""Logs of older schemas come up to today's, all rows with them, and the old file is kept."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from ccanalytics import CallLog, schema
from ccanalytics.calllog import database, generation, migrations, store, tables
from ccanalytics.calllog.pseudonyms import make_key
from ccanalytics.errors import LogError
from ccanalytics.schema import SCHEMA_VERSION, Column, Table

OLD = sorted((Path(__file__).parent / "old_schemas").glob("*.sql"))
LEDGER = {
    "loads": "(1, 'calls.csv', 'ccanalytics', 'calls', 'f', '{}', 9, 3, 2, 4, TIMESTAMP "
    "'2025-01-02')",
    "rejects": "(1, 7, 'raw ''text''', ['one reason', 'another'])",
    "remarks": "(1, 'a remark', 3)",
}
VALUES = {
    "VARCHAR": "'{t} {c} ' || i",
    "TIMESTAMP": "TIMESTAMP '2025-03-03 09:00:00' + to_minutes(i)",
    "DATE": "DATE '2025-03-03' + i::INTEGER",
    "DOUBLE": "i + 0.5",
    "BIGINT": "i + 7",
    "BOOLEAN": "i % 2 = 0",
}


def make_old(path: Path, frozen: Path) -> int:
    """A log as that schema had it, three rows in every table; its schema."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(frozen.read_text(encoding="utf-8"))
        columns: dict[str, list[str]] = {}
        for table, column, kind in connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() "
            "JOIN duckdb_tables() USING (table_name) ORDER BY table_name, column_index"
        ).fetchall():
            value = VALUES.get(kind, "NULL").format(t=table, c=column)
            if (table, column) == ("calls", "outcome"):
                value = "'answered'"
            columns.setdefault(table, []).append(value)
        for table, values in columns.items():
            if table in LEDGER:
                connection.execute(f"INSERT INTO {table} VALUES {LEDGER[table]}")
                connection.execute("SELECT nextval('load_numbers')")
            elif table != "meta":
                connection.execute(
                    f'INSERT INTO "{table}" SELECT {", ".join(values)} FROM range(3) AS r(i)'
                )
        # People add things of their own to the file.
        connection.execute("CREATE TABLE notes AS SELECT 'mine' AS note")
        connection.execute("CREATE VIEW long_calls AS SELECT call_id FROM calls WHERE talk_s > 1")
        ((version,),) = connection.execute("SELECT schema_version FROM meta").fetchall()
    return version


def rows_of(path: Path) -> dict[str, tuple[list[str], list]]:
    """Every table: its columns, and its rows in order."""
    held = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        for (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            answer = connection.execute(f'SELECT * FROM "{table}" ORDER BY ALL')
            held[table] = ([d[0] for d in answer.description], answer.fetchall())
    return held


def shape_of(path: Path) -> set:
    with duckdb.connect(str(path), read_only=True) as connection:
        return set(
            connection.execute(
                "SELECT table_name, column_name, data_type, is_nullable, column_default "
                "FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal "
                "AND table_name NOT IN ('notes', 'long_calls')"
            ).fetchall()
        )


def assert_all_there(path: Path, before: dict) -> None:
    after = rows_of(path)
    for table, (columns, rows) in before.items():
        if table == "meta":
            assert after[table][1] == [(SCHEMA_VERSION, *rows[0][1:])]
            continue
        held, values = after[table]
        chosen = [held.index(c) for c in columns]
        assert [tuple(row[i] for i in chosen) for row in values] == rows, table
    for table in set(after) - set(before):
        assert after[table][1] == []


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """The shape of a new log of today."""
    path = tmp_path_factory.mktemp("fresh") / "fresh.duckdb"
    with duckdb.connect(str(path)) as connection:
        tables.create_log(connection, "UTC", "0")
    return shape_of(path)


@pytest.mark.parametrize("frozen", OLD, ids=lambda p: p.stem)
@pytest.mark.parametrize("first", ["question", "load"])
def test_a_log_of_an_older_schema_comes_up_with_all_its_rows(
    tmp_path, write_table, fresh, caplog, frozen, first
):
    path = tmp_path / "centre.duckdb"
    version = make_old(path, frozen)
    before, old = rows_of(path), path.read_bytes()
    log = CallLog(path)
    more = write_table(tmp_path / "calls.csv", "calls", [])
    with caplog.at_level(logging.WARNING, "ccanalytics"):
        if first == "load":
            log.load(more, source="ccanalytics")
        else:
            assert log.intervals("1d")["arrived"].sum() == 3
    if version == SCHEMA_VERSION:
        assert not caplog.records
        assert first == "load" or path.read_bytes() == old
        return
    kept = tmp_path / f"centre.schema{version}.duckdb"
    assert kept.read_bytes() == old
    (record,) = caplog.records
    assert f"from schema {version} to {SCHEMA_VERSION}" in record.getMessage()
    assert str(kept) in record.getMessage()
    assert sorted(tmp_path.iterdir()) == sorted([path, kept, more])
    if first == "load":
        assert log.table("loads").height == 2
        assert log.table("loads")["load"].to_list()[1] > 1
        return
    assert_all_there(path, before)
    assert shape_of(path) == fresh
    assert log.check().rows["calls"] == 3
    assert log.rejects()["reasons"].to_list() == [["one reason", "another"]]
    log.load(more, source="ccanalytics")
    assert kept.read_bytes() == old
    caplog.clear()
    log.check()
    assert not caplog.records


def test_a_copy_that_is_in_the_way_is_kept_too(tmp_path):
    path = tmp_path / "centre.duckdb"
    version = make_old(path, OLD[0])
    (tmp_path / f"centre.schema{version}.duckdb").write_text("not ours")
    before = rows_of(path)
    assert CallLog(path).time_zone == "Asia/Shanghai"
    assert (tmp_path / f"centre.schema{version}.duckdb").read_text() == "not ours"
    assert rows_of(tmp_path / f"centre.schema{version}.2.duckdb") == before


# ---- schemas to come ----------------------------------------------------------------------------


@pytest.fixture
def future(monkeypatch):
    """Make today's schema an older one: (tables, steps) -> the version after it."""

    def change(new_tables, steps=None):
        for module in (schema, database, generation, migrations, store, tables):
            monkeypatch.setattr(module, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
        monkeypatch.setattr(tables, "TABLES", new_tables)
        monkeypatch.setattr(migrations, "STEPS", {SCHEMA_VERSION: steps} if steps else {})
        return SCHEMA_VERSION + 1

    return change


def _with(name, *columns, drop=()):
    old = schema.TABLES[name]
    kept = tuple(c for c in old.columns if c.name not in drop)
    return schema.TABLES | {name: Table(name, old.row, old.key, kept + columns)}


@pytest.fixture
def today(tmp_path, write_table, make_log):
    return make_log(
        [{"arrived_at": f"2025-03-0{i + 1}T09:00:00Z", "queue": "sales"} for i in range(3)]
    )


def test_what_a_schema_has_besides_is_added(today, future):
    mood = Table("moods", "one mood", ("call_id",), (Column("call_id", "text", "", True),))
    future(_with("calls", Column("mood", "number", "of the caller")) | {"moods": mood})
    assert today.intervals("1d")["arrived"].sum() == 3
    with duckdb.connect(str(today.path), read_only=True) as connection:
        assert (
            connection.execute("SELECT mood, queue FROM base").fetchall() == [(None, "sales")] * 3
        )
        assert connection.execute("SELECT count(*) FROM moods").fetchall() == [(0,)]


def test_a_step_moves_what_has_to_be_moved(today, future):
    def moved(connection):
        connection.execute("ALTER TABLE agents RENAME COLUMN team TO crew")
        connection.execute("ALTER TABLE calls ADD COLUMN lane VARCHAR")
        connection.execute("UPDATE calls SET lane = queue || '!'")
        connection.execute("ALTER TABLE calls ALTER COLUMN lane SET NOT NULL")

    crew = _with("agents", Column("crew", "text", "the team"), drop=("team",))
    future(
        _with("calls", Column("lane", "text", "", required=True)) | {"agents": crew["agents"]},
        moved,
    )
    today.check()
    with duckdb.connect(str(today.path), read_only=True) as connection:
        assert connection.execute("SELECT DISTINCT lane FROM base").fetchall() == [("sales!",)]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"columns": (Column("lane", "text", "", required=True),)}, "lane of calls"),
        ({"drop": ("tier",)}, "tier of calls"),
        ({"drop": ("tier",), "columns": (Column("tier", "number", ""),)}, "tier of calls"),
    ],
    ids=["required", "gone", "of another kind"],
)
def test_what_no_step_provides_for_is_refused_and_the_log_stays(today, future, change, named):
    before, names = today.path.read_bytes(), sorted(today.path.parent.iterdir())
    future(_with("calls", *change.get("columns", ()), drop=change.get("drop", ())))
    with pytest.raises(LogError, match=named):
        today.check()
    assert today.path.read_bytes() == before
    assert sorted(today.path.parent.iterdir()) == names


def test_a_step_that_fails_leaves_the_log_as_it_was(today, future):
    def broken(connection):
        connection.execute("DELETE FROM calls")
        raise OSError(28, "No space left on device")

    before, names = today.path.read_bytes(), sorted(today.path.parent.iterdir())
    future(schema.TABLES, broken)
    with pytest.raises(LogError, match="No space left"):
        today.check()
    assert today.path.read_bytes() == before
    assert sorted(today.path.parent.iterdir()) == names


# ---- killed in the middle -----------------------------------------------------------------------

KILLED = """
import logging, os, signal, sys
from ccanalytics import CallLog
class Kill(logging.Handler):
    def emit(self, record):
        if record.getMessage() == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)
logger = logging.getLogger("ccanalytics.stages")
logger.setLevel("DEBUG"); logger.propagate = False; logger.addHandler(Kill())
CallLog(sys.argv[1]).time_zone
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("at", ["copying", "migrating", "publishing", "done"])
def test_a_migration_that_is_killed_leaves_the_old_log_or_the_new(tmp_path, at):
    path = tmp_path / "centre.duckdb"
    version = make_old(path, OLD[0])
    before, old = rows_of(path), path.read_bytes()
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path), at], check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    if at != "done":
        assert path.read_bytes() == old
    else:
        assert_all_there(path, before)
    assert CallLog(path).time_zone == "Asia/Shanghai"
    assert_all_there(path, before)
    kept = tmp_path / f"centre.schema{version}.duckdb"
    assert kept.read_bytes() == old
    left = {p.name for p in tmp_path.iterdir()} - {path.name, kept.name}
    if at == "done":  # swept by whatever writes next
        with store.Store(path).writing("Asia/Shanghai", "0"):
            pass
        left = {p.name for p in tmp_path.iterdir()} - {path.name, kept.name}
    assert not left


@pytest.mark.parametrize("frozen", OLD, ids=lambda p: p.stem)
def test_a_log_that_was_brought_up_takes_what_only_todays_schema_holds(tmp_path, frozen):
    """Events, counts of intervals, later deliveries, pseudonyms and the book of the forgotten."""
    path = tmp_path / "centre.duckdb"
    make_old(path, frozen)
    log = CallLog(path)
    held = log.table("queue_events").height
    samples = Path(__file__).parent / "samples"
    make_key(tmp_path / "centre.key")
    # Its persons are as they came: pseudonyms beside them would give one person two names.
    with pytest.raises(LogError, match="two names"):
        log.load(
            samples / "amazon_connect.ndjson",
            "amazon_connect",
            key_file=tmp_path / "centre.key",
        )
    for file, source in (
        ("amazon_connect.ndjson", "amazon_connect"),
        ("asterisk_queue_log.txt", "asterisk_queue_log"),
        ("genesys_aggregates.json", "genesys_aggregates"),
    ):
        assert log.load(samples / file, source, identifiers="as_they_are").loaded
    assert log.table("calls")["updated_at"].count() > 0
    assert log.table("queue_events").height == held + 39
    assert log.interval_counts("1h").height
    assert log.forget("2025-03-04").rows["queue_events"] >= 39
