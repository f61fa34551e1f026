"""Benchmarks run when they are asked for: ``--benchmark-skip`` leaves all of this folder out."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from ccanalytics import CallLog

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("benchmark_skip", default=False):
        return
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.skip(reason="a benchmark"))


@pytest.fixture(scope="session")
def large_log_of(tmp_path_factory, write_table):
    """A function that gives the log of a name, made of SQL once and kept where a variable says."""

    def make(name, variable, *statements):
        kept = os.environ.get(variable)
        folder = Path(kept) if kept else tmp_path_factory.mktemp(name)
        path = folder / f"{name}.duckdb"
        if path.exists():
            return path
        # One call makes the file with all its tables; the rest is written past the package.
        one = {"arrived_at": datetime(2024, 1, 1, tzinfo=UTC), "call_id": "first"}
        first = write_table(folder / "calls.csv", "calls", [one])
        CallLog(path, time_zone="UTC").load(first, source="ccanalytics", identifiers="as_they_are")
        first.unlink()
        with duckdb.connect(str(path)) as connection:
            connection.execute("SET memory_limit = '2GiB'")
            connection.execute("SET enable_progress_bar = false")
            for statement in statements:
                connection.execute(statement)
        return path

    return make


@pytest.fixture
def say(capsys):
    """Print a figure past the capturing of output."""

    def write(line: str) -> None:
        with capsys.disabled():
            print(f"\n  {line}", end="", flush=True)

    return write
