"""Callers' numbers: every format that carries them insists on a key, and none is left with one."""

import hashlib
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


# ---- names in channels, endpoints, accounts and codes -------------------------------------------

NAMED = {
    # source: its row, columns that must hold pseudonyms of their kind: (text, kind)
    "freeswitch_cdr": (
        '"Ann","02079460001","bob.smith@example.com","default","2025-01-01 09:00:00",'
        '"2025-01-01 09:00:09","2025-01-01 09:01:00","60","51","NORMAL_CLEARING","u1","",'
        '"02079460001","PCMU","PCMU"',
        {"client": ("02079460001", "account"), "line": ("bob.smith@example.com", "dialled")},
    ),
    "asterisk_cdr": (
        '"bob","02079460001","100","in","Ann <02079460001>","PJSIP/alice-0000001a",'
        '"SIP/101-0000001b","Dial","SIP/101","2025-01-01 09:00:00","2025-01-01 09:00:09",'
        '"2025-01-01 09:01:00",'
        '"60","51","ANSWERED","DOCUMENTATION","1735722000.1","u"',
        {"client": ("bob", "account"), "line": ("PJSIP/alice", "channel")},
    ),
    "amazon_connect": (
        '{"ContactId":"c1","Channel":"VOICE","InitiationMethod":"INBOUND",'
        '"InitiationTimestamp":"2025-01-01T09:00:00Z","DisconnectTimestamp":"2025-01-01T09:01:00Z",'
        '"SystemEndpoint":{"Address":"alice@example.com"}}',
        {"line": ("alice@example.com", "dialled")},
    ),
}
NAMES = re.compile(r"alice|bob|smith|example|02079460001", re.IGNORECASE)


@pytest.mark.parametrize("source", NAMED)
def test_channels_endpoints_and_accounts_become_pseudonyms_of_their_own(tmp_path, key_file, source):
    """A caller's number as account code stood beside its pseudonym, and an agent's channel too."""
    row, told = NAMED[source]
    path = tmp_path / "export.txt"
    path.write_text(row + "\n")
    keyed = CallLog(tmp_path / "keyed.duckdb", time_zone="UTC")
    assert keyed.load(path, source, key_file=key_file).loaded == 1
    plain = CallLog(tmp_path / "plain.duckdb", time_zone="UTC")
    plain.load(path, source, identifiers="as_they_are")
    for column, (text, kind) in told.items():
        expected = read_key(key_file).pseudonym(kind, text)
        assert keyed.table("calls")[column].to_list() == [expected]
        assert plain.table("calls")[column].to_list() == [text]
    assert not NAMES.search(stored(keyed.path))


def test_short_numbers_that_were_dialled_stay(tmp_path, key_file):
    row = NAMED["freeswitch_cdr"][0].replace("bob.smith@example.com", "5001")
    (tmp_path / "export.csv").write_text(row + "\n")
    log = CallLog(tmp_path / "keyed.duckdb", time_zone="UTC")
    log.load(tmp_path / "export.csv", "freeswitch_cdr", key_file=key_file)
    assert log.table("calls")["line"].to_list() == ["5001"]


def test_addresses_in_a_line_of_any_source_become_pseudonyms(tmp_path, write_table, key_file):
    calls = [{"call_id": "a", "arrived_at": "2025-03-03T09:00:00Z", "line": "alice@example.com"}]
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    log.load(write_table(tmp_path / "calls.csv", "calls", calls), "ccanalytics", key_file=key_file)
    assert not NAMES.search(stored(log.path))


def test_events_keep_beside_pseudonyms_what_names_nobody(tmp_path, key_file):
    at = 1735718400
    lines = {
        "NONE|NONE|Agent/7|AGENTLOGIN|SIP/alice.brown-00001": None,
        "NONE|NONE|Agent/7|AGENTLOGOFF|SIP/alice.brown-00001|600": None,
        "NONE|NONE|Agent/7|AGENTCALLBACKLOGIN|alice@agents": None,
        "1.1|q|SIP/7|TRANSFER|alice@agents|default|3|4|1": None,
        "1.1|q|SIP/7|TRANSFER|601|default|3|4|1": "601|default",
        "1.2|q|SIP/7|CONNECT|3|1735718400.7|2": "1735718400.7",
        "1.2|q|SIP/7|CONNECT|3|SIP/alice|2": None,
        "1.3|q|NONE|EXITWITHKEY|1|2|3|4": "1",
        "NONE|q|SIP/7|ADDMEMBER|PAUSED": "PAUSED",
        "NONE|q|SIP/7|PAUSE|lunch": "lunch",
        "NONE|q|SIP/7|PAUSE|Lunch with alice": "Lunch",
        "NONE|q|SIP/7|PAUSEALL|doctor alice": None,
        "NONE|q|SIP/7|INFO|bob called": None,
    }
    path = tmp_path / "queue_log"
    path.write_text("".join(f"{at + i}|{line}\n" for i, line in enumerate(lines)))
    log = CallLog(tmp_path / "keyed.duckdb", time_zone="UTC")
    assert log.load(path, "asterisk_queue_log", key_file=key_file).loaded == len(lines)
    assert log.table("queue_events").sort("at")["info"].to_list() == list(lines.values())
    assert not NAMES.search(stored(log.path))


def test_events_are_numbered_by_the_key_where_there_is_one(tmp_path, key_file):
    """A plain digest of a line gives its agent away to whoever tries all names."""
    line = "1735718400|NONE|q|SIP/alice|PAUSE|lunch"
    (tmp_path / "queue_log").write_text(line + "\n")
    ids = []
    for name, said in {"k": {"key_file": key_file}, "p": {"identifiers": "as_they_are"}}.items():
        log = CallLog(tmp_path / f"{name}.duckdb", time_zone="UTC")
        log.load(tmp_path / "queue_log", "asterisk_queue_log", **said)
        ids.append(log.table("queue_events")["event_id"].item())
    digest = hashlib.md5((line + "1").encode()).hexdigest()  # noqa: S324
    assert ids[1] == digest
    assert ids[0] == read_key(key_file).pseudonym("event", line + "1")


def test_a_mapping_brings_no_name_into_the_books_or_the_reasons(tmp_path, key_file, capsys):
    (tmp_path / "m.toml").write_text(
        '[file]\ntime_zone = "UTC"\n[columns]\narrived_at = "at"\noutcome = "how"\n'
        '[outcomes]\nOK = "answered"\n[constants]\ncustomer = "07700900123"\n'
    )
    codes = ["OK", "NO ANSWER", "Bob Smith"]
    (tmp_path / "x.csv").write_text(
        "at,how\n" + "".join(f"2025-01-01T09:00:0{i},{code}\n" for i, code in enumerate(codes))
    )
    log = CallLog(tmp_path / "centre.duckdb")
    report = log.load(tmp_path / "x.csv", "generic", mapping=tmp_path / "m.toml", key_file=key_file)
    assert report.loaded == 1
    assert set(report.reasons) == {
        "outcome code is not in the mapping: 'NO ANSWER'",
        "outcome code is not in the mapping: 'xxx xxxxx'",
    }
    assert not re.search("07700900123|Bob|Smith", stored(log.path))
    again = log.load(tmp_path / "x.csv", "generic", mapping=tmp_path / "m.toml", key_file=key_file)
    assert again.files[0].already_loaded
