"""What many tests share: the real records, the bank's log, and small logs made on the spot."""

import csv
import os
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run: a failure here is a failure everywhere.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

MONTHS = ("January", "February", "March", "April", "May", "June")


_TIMES = {
    "loads": ("load", "at"),
    "meta": ("created_at",),
    "rejects": ("load",),
    "remarks": ("load",),
}


def _real_folder() -> Path:
    told = os.environ.get("CCANALYTICS_REAL_DATA")
    if not told:
        pytest.skip("CCANALYTICS_REAL_DATA does not say where the real records are")
    folder = Path(told)
    if not folder.is_dir():
        pytest.fail(f"CCANALYTICS_REAL_DATA={told}: there is no such folder", pytrace=False)
    return folder


def pytest_collection_modifyitems(items):
    """Spark first: whoever begins with its tests keeps them, since workers steal each other's last.

    A second worker would start three Javas of its own.
    """
    items.sort(key=lambda item: item.get_closest_marker("spark") is None)


def pytest_runtest_setup(item):
    """Tests of real records are skipped without them, and fail where they were promised."""
    if item.get_closest_marker("real"):
        _real_folder()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real records."""
    return _real_folder()


@pytest.fixture(scope="session")
def bank_files(real_data) -> list[Path]:
    """The six monthly files of the Anonymous Bank, January to June 1999."""
    folder = real_data / "anonymous_bank"
    return [folder / f"{i:02d}_{month}.txt.gz" for i, month in enumerate(MONTHS, 1)]


@pytest.fixture(scope="session")
def bank_loads(bank_files, tmp_path_factory):
    """The bank's log and the six load reports. Nobody may write to this log."""
    from ccanalytics import CallLog

    log = CallLog(tmp_path_factory.mktemp("bank") / "bank.duckdb")
    return log, [log.load(file, source="anonymous_bank") for file in bank_files]


@pytest.fixture(scope="session")
def bank_log(bank_loads):
    """The bank's log of six months. Nobody may write to it."""
    return bank_loads[0]


def _written(value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)


def _write_table(path: Path, table: str, rows) -> Path:
    from ccanalytics.schema import TABLES

    rows = list(rows)
    if table == "calls":
        rows = [{"call_id": f"c{i}", "outcome": "answered"} | row for i, row in enumerate(rows)]
    elif table == "self_service":
        rows = [{"event_id": f"e{i}", "accepted": False} | row for i, row in enumerate(rows)]
    given = {name for row in rows for name in row}
    given |= {column.name for column in TABLES[table].columns if column.required}
    names = [name for name in TABLES[table].names if name in given]
    assert given == set(names), f"no such column: {given - set(names)}"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_written(row.get(name)) for name in names] for row in rows)
    return path


@pytest.fixture(scope="session")
def write_table():
    """Write rows (mappings of canonical columns) as a canonical CSV: (path, table, rows) -> path.

    Timestamps are aware; a missing call_id or event_id is numbered, a missing outcome answered.
    """
    return _write_table


@pytest.fixture(scope="session")
def make_log(tmp_path_factory):
    """A small log: (calls, time_zone="UTC", **other tables) -> CallLog, in a folder of its own."""
    from ccanalytics import CallLog

    def make(calls=(), time_zone="UTC", **tables):
        folder = tmp_path_factory.mktemp("log")
        log = CallLog(folder / "centre.duckdb", time_zone=time_zone)
        for table, rows in {"calls": calls, **tables}.items():
            path = _write_table(folder / f"{table}.csv", table, rows)
            report = log.load(path, source="ccanalytics")
            assert report.rejected == report.duplicates == 0, report.summary()
        return log

    return make


@pytest.fixture(scope="session")
def log_content():
    """What a log file holds, read past the package: table -> (rows, digest of the rows).

    ``timeless=True`` leaves out when and as which load rows came, so that two logs can be compared.
    """
    import duckdb

    def content(path, *, timeless=False):
        path = getattr(path, "path", path)
        with duckdb.connect(str(path), read_only=True) as connection:
            names = connection.execute(
                "SELECT table_name FROM information_schema.tables "
                "WHERE table_type = 'BASE TABLE' ORDER BY 1"
            ).fetchall()
            held = {}
            for (name,) in names:
                skip = _TIMES.get(name, ()) if timeless else ()
                columns = ", ".join(
                    f'"{c}"'
                    for (c,) in connection.execute(
                        "SELECT column_name FROM information_schema.columns "
                        "WHERE table_name = ? ORDER BY ordinal_position",
                        [name],
                    ).fetchall()
                    if c not in skip
                )
                held[name] = connection.execute(
                    f'SELECT count(*), coalesce(sum(hash({columns})::HUGEINT), 0) FROM "{name}"'
                ).fetchone()
        return held

    return content
