"""Callers' numbers: every format that carries them insists on a key, and none is left with one."""

import re

import duckdb
import polars as pl
import pytest

from ccanalytics import CallLog
from ccanalytics.calllog import SOURCES
from ccanalytics.calllog.pseudonyms import make_key, read_key
from ccanalytics.errors import InputError

FILES = {
    "asterisk_queue_log": "asterisk_queue_log.txt",
    "asterisk_cdr": "asterisk_cdr_Master.csv",
    "freeswitch_cdr": "freeswitch_cdr_Master.csv",
    "amazon_connect": "amazon_connect.ndjson",
}
# As the samples write them: callers, and numbers of the centre that lines are named after.
NUMBER = re.compile(r"\+?(?:44)?0?20794600\d\d|\+?(?:44)?8005550100")


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "centre.key"
    make_key(path)
    return path


def stored(path):
    """All that a log holds, as text."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.sql("SELECT table_name FROM duckdb_tables()").fetchall()
        return "".join(
            str(connection.sql(f'SELECT * FROM "{name}"').fetchall()) for (name,) in tables
        )


def test_every_source_with_numbers_is_tried_here():
    assert {name for name, source in SOURCES.items() if source.raw_numbers} == set(FILES)


@pytest.mark.parametrize("source", FILES)
def test_no_number_of_a_format_is_stored_with_a_key(tmp_path, samples, key_file, source):
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    with pytest.raises(InputError, match="no key is given"):
        log.load(samples / FILES[source], source)
    assert not log.path.exists()
    assert NUMBER.search((samples / FILES[source]).read_text())
    report = log.load(samples / FILES[source], source, key_file=key_file)
    assert report.loaded
    assert not NUMBER.search(stored(log.path))
    assert not NUMBER.search(log.path.read_bytes().decode("latin-1"))
    customers = log.table("calls")["customer"].drop_nulls()
    assert customers.len()
    assert customers.str.contains(r"^[0-9a-f]{20}$").all()
    one = read_key(key_file)
    caller = "+442079460001" if source == "amazon_connect" else "02079460001"
    assert one.pseudonym("customer", caller) in customers


def test_lines_that_are_numbers_become_pseudonyms_and_names_of_lines_stay(
    tmp_path, write_table, key_file
):
    at = "2025-03-03T09:00:00Z"
    names = ["AA0101", "SIP/trunk", "+44 800 555 0100", "SIP/8005550100", "port 12", None]
    calls = [
        {"call_id": str(i), "arrived_at": at, "line": n, "customer": "8005550100"}
        for i, n in enumerate(names)
    ]
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    log.load(write_table(tmp_path / "calls.csv", "calls", calls), "ccanalytics", key_file=key_file)
    lines = log.table("calls").sort("call_id")["line"].to_list()
    one = read_key(key_file)
    assert lines == [
        n if n in ("AA0101", "SIP/trunk", "port 12", None) else one.pseudonym("customer", n)
        for n in names
    ]


def test_names_of_calls_made_from_rows_need_the_key_to_be_found_again(tmp_path, samples, key_file):
    """Without one, whoever tries all numbers of a row finds its caller by the digest."""
    other = tmp_path / "other.key"
    make_key(other)
    plain, keyed, again, foreign = (
        CallLog(tmp_path / f"{n}.duckdb", time_zone="UTC") for n in "abcd"
    )
    path = samples / FILES["asterisk_cdr"]
    plain.load(path, "asterisk_cdr", identifiers="as_they_are")
    for log, file in ((keyed, key_file), (again, key_file), (foreign, other)):
        log.load(path, "asterisk_cdr", key_file=file)
    ids = [set(log.table("calls")["call_id"]) for log in (plain, keyed, again, foreign)]
    assert ids[1] == ids[2]
    assert not ids[0] & ids[1]
    assert not ids[1] & ids[3]


def test_events_and_the_calls_they_make_name_the_same_persons(tmp_path, samples, key_file):
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    log.load(samples / FILES["asterisk_queue_log"], "asterisk_queue_log", key_file=key_file)
    events, calls = log.table("queue_events"), log.table("calls")
    assert set(calls["customer"].drop_nulls()) <= set(events["customer"])
    assert set(calls["agent"].drop_nulls()) <= set(events["agent"])
    assert events.filter(pl.col("agent").is_not_null())[
        "agent"
    ].str.len_chars().unique().to_list() == [20]
