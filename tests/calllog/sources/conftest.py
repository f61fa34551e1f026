"""What the tests of every format share: the samples, a log, and rows that mean harm."""

from pathlib import Path

import duckdb
import pytest

SAMPLES = Path(__file__).parent.parent / "samples"


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of made-up samples, one or two a format."""
    return SAMPLES


@pytest.fixture
def new_log(tmp_path):
    """Makes an empty log that takes identifiers as they are: (time_zone, name) -> CallLog."""
    from ccanalytics import CallLog

    class Plain(CallLog):
        def load(self, path, source, **said):
            return super().load(path, source, **{"identifiers": "as_they_are", **said})

    def make(time_zone="UTC", name="centre"):
        return Plain(tmp_path / f"{name}.duckdb", time_zone=time_zone)

    return make


@pytest.fixture
def calls_of():
    """The calls of a log as dictionaries, in the order of their arrival."""

    def calls(log, *columns):
        frame = log.table("calls").sort("arrived_at", "call_id")
        return frame.select(columns).rows() if columns else frame.to_dicts()

    return calls


@pytest.fixture
def balanced():
    """Asserts that a load accounts for every record, and that the log says so too."""

    def check(log, report, read):
        assert report.read == read
        assert report.read == report.loaded + report.duplicates + report.rejected
        assert bool(report.rejected) == bool(report.reasons)
        with duckdb.connect(str(log.path), read_only=True) as connection:
            load, loaded, duplicates, rejected, seen = connection.execute(
                'SELECT load, loaded, duplicates, rejected, "read" FROM loads '
                "ORDER BY load DESC LIMIT 1"
            ).fetchone()
            (kept,) = connection.execute(
                "SELECT count(*) FROM rejects WHERE load = ?", [load]
            ).fetchone()
        assert seen == loaded + duplicates + rejected
        assert kept == rejected
        books = log.summary().findings[0]
        assert (books.name, books.verdict) == ("every row is accounted for", "holds"), books.detail
        return report

    return check
