"""What a log says of itself, and that texts asked for are only texts."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

import ccanalytics as cc
from ccanalytics import calllog
from ccanalytics.calllog.rollups.scope import KEYS
from ccanalytics.errors import InputError
from ccanalytics.schema import TABLES

AT = datetime(2025, 3, 3, 9, tzinfo=UTC)
NASTY = [
    "'; DROP TABLE calls; --",
    "' OR '1'='1",
    '" OR ""="',
    "sales' UNION SELECT * FROM loads --",
    "$1",
    "?",
    "%",
    "_",
    "\\",
    "NULL",
    "{queue}",
    "客服'",
    "",
]


@pytest.fixture(scope="module")
def log(make_log):
    rows = [
        {"call_id": f"c{i}", "arrived_at": AT + timedelta(days=i), "queue": name, "talk_s": 1.0}
        for i, name in enumerate([*NASTY[:-1], "sales", None])
    ]
    return make_log(
        rows,
        time_zone="Europe/London",
        services=[{"service": "S1", "name": "Balance", "sms_hall_on": date(2025, 1, 1)}],
    )


# ---- texts are texts ----------------------------------------------------------------------------


@pytest.mark.parametrize("text", NASTY)
def test_a_value_asked_for_is_only_compared(log, text):
    counts = log.handle_times(where={"queue": text})
    assert counts["calls"].sum() == (text in NASTY[:-1])


def test_values_may_come_as_list_tuple_or_set(log, log_content):
    before = log_content(log)
    text = NASTY[0]
    for value, calls in (
        ([text], 1),
        ((text, "no such queue"), 1),
        ({text}, 1),
        ([*NASTY, None], 13),
        ([None], 1),
    ):
        assert log.handle_times(where={"queue": value})["calls"].sum() == calls, value
    assert log_content(log) == before


def test_a_name_that_is_no_column_is_refused_before_anything_is_asked(log, log_content):
    before = log_content(log)
    for text in [*NASTY, "calls", "queue; DROP TABLE calls", 'queue" FROM calls']:
        for question in (
            lambda text=text: log.intervals("1d", by=[text]),
            lambda text=text: log.intervals("1d", where={text: "x"}),
            lambda text=text: log.busy("1d", by=[text]),
            lambda text=text: log.demand("1d", by=[text]),
            lambda text=text: log.recontacts(by=[text]),
            lambda text=text: log.handle_times(by=[text]),
            lambda text=text: log.panel(unit=text),
            lambda text=text: log.self_service(by=[text]),
            lambda text=text: log.table(f"{text} "),
            lambda text=text: log.columns_filled(f"{text} "),
        ):
            with pytest.raises(InputError):
                question()
    assert log_content(log) == before


def test_keys_are_the_texts_that_name_something():
    assert {"queue", "service", "outcome", "agent", "tier", "line_group", "site"} <= set(KEYS)
    assert not {"customer", "call_id", "parent_call_id", "arrived_at", "talk_s"} & set(KEYS)


# ---- what it holds ------------------------------------------------------------------------------


def test_it_says_in_words_what_it_holds(log):
    result = log.check()
    words = result.summary()
    assert "14 calls from 2025-03-03 to 2025-03-16" in words
    assert "Europe/London" in words
    assert "1 row of services" in words
    assert "14 answered" in words
    names = {check.name: check for check in result.checks}
    assert names["every row is accounted for"].status == "holds"
    assert names["days without a call"].status == "holds"
    assert "wait_s is never recorded" in names
    assert "talk_s is never recorded" not in names
    assert dict(result.to_frame().rows())["calls"] == 14
    assert words == f"{result.headline()} {log.summary().summary()}"


def test_days_without_a_call_are_named(make_log):
    log = make_log([{"arrived_at": AT}, {"arrived_at": AT + timedelta(days=3)}])
    check = next(c for c in log.check().checks if c.name == "days without a call")
    assert check.status == "informs"
    assert "2 of 4" in check.detail
    assert "2025-03-04, 2025-03-05" in check.detail


def test_a_log_whose_books_do_not_balance_says_so(make_log):
    log = make_log([{"arrived_at": AT}])
    with duckdb.connect(str(log.path)) as connection:
        connection.execute('UPDATE loads SET "read" = "read" + 1')
    check = next(c for c in log.check().checks if c.name == "every row is accounted for")
    assert check.status == "fails"
    assert "2 read = 1 loaded + 0 duplicates + 0 rejected" in check.detail


def test_rejected_rows_are_told_with_their_reasons(tmp_path):
    rows = ["call_id,arrived_at,outcome,talk_s", "a,2025-03-03T09:00:00Z,answered,1"]
    rows += ["b,soon,answered,1", "c,soon,answered,x", "d,2025-03-03T09:00:00Z,lost,1"]
    (tmp_path / "calls.csv").write_text("\n".join(rows) + "\n")
    log = cc.CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    report = log.load(tmp_path / "calls.csv", source="ccanalytics")
    assert (report.read, report.loaded, report.duplicates, report.rejected) == (4, 1, 0, 3)
    assert sum(report.reasons.values()) == 4
    words = report.summary()
    assert "Read 4 rows: 1 loaded, 0 duplicates, 3 rejected." in words
    for reason, count in report.reasons.items():
        assert f"{reason} ({count} row{'' if count == 1 else 's'})" in words
    assert report.to_frame().select("read", "loaded", "rejected").rows() == [(4, 1, 3)]
    aside = log.rejects()
    assert aside.columns == ["file", "line", "raw", "reasons"]
    assert aside["line"].to_list() == [3, 4, 5]
    assert aside["raw"].to_list() == rows[2:]
    assert [len(r) for r in aside["reasons"].to_list()] == [1, 2, 1]
    assert log.rejects(limit=1).height == 1
    assert log.rejects(limit=0).height == 0
    assert log.rejects(limit=None).height == 3
    told = [c.detail for c in log.check().checks if c.name == "rejected"]
    assert len(told) == len(report.reasons)
    again = log.load(tmp_path / "calls.csv", source="ccanalytics")
    assert again.reasons == report.reasons
    assert "Loaded before" in again.summary()
    assert "calls.csv" in again.summary()


def test_a_file_read_in_another_way_is_another_load(tmp_path):
    """What was rejected without a time zone can be loaded with one."""
    path = tmp_path / "calls.csv"
    path.write_text("call_id,arrived_at,outcome\na,2025-03-03T09:00:00,answered\n")
    log = cc.CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    assert log.load(path, source="ccanalytics").rejected == 1
    assert log.load(path, source="ccanalytics", time_zone="UTC").loaded == 1
    assert log.table("loads").height == 2


def test_tables_come_out_whole_with_aware_times(log):
    frame = log.table("calls")
    assert frame.columns == list(TABLES["calls"].names)
    assert frame.schema["arrived_at"] == pl.Datetime("us", "UTC")
    assert log.table("services").rows()[0][:2] == ("S1", "Balance")
    assert log.table("services")["sms_hall_on"].to_list() == [date(2025, 1, 1)]
    loads = log.table("loads")
    assert loads["table"].to_list() == ["calls", "services"]
    assert loads.schema["at"] == pl.Datetime("us", "UTC")
    assert log.table("meta")["time_zone"].to_list() == ["Europe/London"]
    for table in TABLES:
        assert log.table(table).columns == list(TABLES[table].names)


def test_columns_that_are_filled(log):
    filled = set(log.columns_filled("calls"))
    assert {"call_id", "arrived_at", "outcome", "queue", "talk_s"} <= filled
    assert not {"wait_s", "customer", "wrap_s"} & filled
    assert log.columns_filled("services") == ["service", "name", "sms_hall_on"]
    assert log.columns_filled("agents") == []


def test_the_span_is_first_and_last_arrival(log):
    assert log.span() == (AT, AT + timedelta(days=13))


def test_two_logs_of_the_same_files_have_one_fingerprint(tmp_path, write_table):
    files = [
        write_table(tmp_path / f"calls_{i}.csv", "calls", [{"call_id": f"{i}", "arrived_at": AT}])
        for i in range(2)
    ]
    prints = {}
    for name, order in (("a", files), ("b", files), ("c", files[:1])):
        log = cc.CallLog(tmp_path / f"{name}.duckdb", time_zone="UTC")
        for file in order:
            log.load(file, source="ccanalytics")
        prints[name] = log.fingerprint()
    assert prints["a"] == prints["b"] != prints["c"]
    before = log.fingerprint()
    log.load(files[0], source="ccanalytics")
    assert log.fingerprint() == before


def test_people_with_sql_tools_find_views_and_tables(log):
    with duckdb.connect(str(log.path), read_only=True) as connection:
        held = {row[0] for row in connection.execute("SHOW TABLES").fetchall()}
        assert {*TABLES, "meta", "loads", "rejects", "base"} <= held
        (offered,) = connection.execute("SELECT count(*) FROM base WHERE is_offered").fetchone()
    assert offered == log.intervals("1d")["offered"].sum()


def test_the_log_prints_where_it_is(log):
    assert str(log.path) in repr(log)
    assert cc.CallLog(str(log.path)).path == log.path


def test_one_of_each_is_said_in_the_singular(tmp_path):
    (tmp_path / "calls.csv").write_text(
        "call_id,arrived_at,outcome\na,2025-03-03T09:00:00Z,answered\n"
    )
    log = cc.CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    first = log.load(tmp_path / "calls.csv", source="ccanalytics").summary()
    assert first.startswith("Read 1 row: 1 loaded, 0 duplicates, 0 rejected.")
    again = log.load(tmp_path / "calls.csv", source="ccanalytics").summary()
    assert "0 loaded, 1 duplicate, 0 rejected" in again
    told = f"{log.check().summary()} {' '.join(c.detail for c in log.check().checks)}"
    assert "1 call from" in told
    assert "the one day has calls" in told
    for wrong in ("1 rows", "1 calls", "1 days", "1 duplicates"):
        assert wrong not in f"{first} {again} {told}"


def test_the_database_draws_no_progress_bar_into_what_is_printed(make_log):
    """It would, on standard output, where a question takes seconds: also into JSON."""
    log = make_log([{"arrived_at": "2025-03-03T09:00:00Z"}], "UTC")
    asked = "SELECT current_setting('enable_progress_bar')"
    with log._store.reading() as outer, log._store.reading() as inner:
        assert [c.execute(asked).fetchall() for c in (outer, inner)] == [[(False,)]] * 2
    with log._store.writing("UTC", "0") as connection:
        assert connection.execute(asked).fetchall() == [(False,)]
    room = Path(calllog.__file__).parent
    connecting = [p.name for p in room.rglob("*.py") if "duckdb.connect(" in p.read_text()]
    assert connecting == ["database.py"]
