"""The project's own written form: CSV, gzip and Parquet, alone or as a folder."""

import gzip
import json
import re
from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccanalytics import CallLog
from ccanalytics.calllog.sources import SOURCES, find_source
from ccanalytics.calllog.sources.canonical import table_of
from ccanalytics.errors import InputError, LogError
from ccanalytics.schema import OUTCOMES, TABLES

AT = datetime(2025, 3, 3, 9, tzinfo=UTC)
# Texts that mean something to spreadsheets, databases, shells and browsers; here they mean nothing.
ODD = [
    "=1+1",
    "+SUM(A1)",
    "-2+3",
    "@cmd|' /C calc'!A0",
    "'; DROP TABLE calls; --",
    '" OR ""="',
    "Robert'); DELETE FROM loads; --",
    "$(rm -rf ~)",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "%s %d ?",
    "NULL",
    "null",
    "nan",
    "true",
    "0012",
    "1e5",
    "2025-03-03",
    "客服，北京",
    "naïve ☎ 📞",
    "e\u0301 and \u00e9",
    "\u202eright to left",
    "a,b;c\td|e",
    "x" * 5000,
    "back\\slash",
    "per%20cent",
    "--",
    "line\u2028separators\u2029too",
    "vertical\x0btab\x0c\x85and more",
]


def every_column(i, table):
    """A row with a value in each column, none like that of another row."""
    row = {}
    for n, column in enumerate(TABLES[table].columns):
        row[column.name] = {
            "text": column.values[i % len(column.values)]
            if column.values
            else f"{column.name} {i}",
            "timestamp": AT + timedelta(hours=i, microseconds=i + 1, days=n),
            "date": date(2025, 1, 1) + timedelta(days=i),
            "seconds": i + 0.125,
            "number": i - 0.5,
            "whole": i,
            "flag": i % 2 == 0,
        }[column.kind]
    return row


def held(log, table):
    """Rows of a table as mappings, sorted by key, nulls and all."""
    key = list(TABLES[table].key)
    return log.table(table).sort(key).rows(named=True)


def expected(rows, table):
    filled = [{name: row.get(name) for name in TABLES[table].names} for row in rows]
    return sorted(filled, key=lambda row: [row[k] for k in TABLES[table].key])


# ---- round trips --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv.gz", "parquet"])
def test_every_table_comes_back_as_it_was_written(tmp_path, write_table, form):
    written = {table: [every_column(i, table) for i in range(20)] for table in TABLES}
    for table, rows in written.items():
        path = tmp_path / f"{table}_2025-01.{form}"
        if form == "parquet":
            pl.DataFrame(rows).write_parquet(path)
        else:
            write_table(path, table, rows)
        if form == "csv.gz":
            path.write_bytes(gzip.compress(path.read_bytes()))
    log = CallLog(tmp_path / "centre.duckdb", time_zone="Asia/Shanghai")
    report = log.load(tmp_path, source="ccanalytics")
    assert report.rejected == 0, report.reasons
    assert {(f.table, f.read, f.loaded) for f in report.files} == {(t, 20, 20) for t in TABLES}
    for table, rows in written.items():
        assert held(log, table) == expected(rows, table)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_texts_come_back_untouched(tmp_path, write_table, form):
    texts = [c.name for c in TABLES["calls"].columns if c.kind == "text" and not c.values]
    rows = [
        {
            "arrived_at": AT,
            "outcome": "answered",
            **dict.fromkeys(texts, odd),
            "call_id": f"{i} {odd}",
        }
        for i, odd in enumerate(ODD)
    ]
    path = tmp_path / f"calls.{form}"
    if form == "csv":
        write_table(path, "calls", rows)
    else:
        pl.DataFrame(rows).write_parquet(path)
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    report = log.load(path, source="ccanalytics")
    assert (report.loaded, report.rejected) == (len(ODD), 0), report.reasons
    assert held(log, "calls") == expected(rows, "calls")
    counted = log.intervals("1d", by="queue")
    assert set(counted["queue"]) == set(ODD)


texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1, max_size=12
).map(str.strip)


@settings(max_examples=8)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "customer": st.none() | texts,
                "queue": st.none() | texts,
                "agent": st.none() | texts,
                "arrived_at": st.datetimes(
                    datetime(1990, 1, 1),
                    datetime(2100, 1, 1),
                ).map(lambda t: t.replace(tzinfo=UTC)),
                "wait_s": st.none() | st.floats(0, 1e6).map(lambda x: x + 0.0),
                "outcome": st.sampled_from([o for o in OUTCOMES if o != "answered"]),
            }
        ),
        min_size=1,
        max_size=25,
    )
)
def test_whatever_is_written_comes_back(make_log, rows):
    log = make_log(rows)
    key = [{"call_id": f"c{i}"} | row for i, row in enumerate(rows)]
    for row, back in zip(sorted(key, key=lambda r: r["call_id"]), held(log, "calls"), strict=True):
        for name, value in row.items():
            assert back[name] == (value or None if isinstance(value, str) else value)


# ---- names and folders --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("calls.csv", "calls"),
        ("calls_2025-01.csv", "calls"),
        ("calls_2025.01.csv.gz", "calls"),
        ("calls.parquet", "calls"),
        ("agents.csv", "agents"),
        ("agent_states.csv", "agent_states"),
        ("agent_states_x.csv.gz", "agent_states"),
        ("self_service_web.parquet", "self_service"),
        ("callsheet.csv", None),
        ("my_calls.csv", None),
        ("agent.csv", None),
        ("calls-2025.csv", None),
        ("centre.json", None),
    ],
)
def test_the_name_of_a_file_says_its_table(tmp_path, name, table):
    assert table_of(tmp_path / name) == table


def test_a_file_of_another_name_needs_the_table_told(tmp_path, write_table):
    path = write_table(tmp_path / "export.csv", "calls", [{"arrived_at": AT}])
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    with pytest.raises(InputError, match=r"export\.csv"):
        log.load(path, source="ccanalytics")
    assert log.load(path, source="ccanalytics", table="calls").loaded == 1
    with pytest.raises(InputError, match="call_log"):
        log.load(path, source="ccanalytics", table="call_log")
    for wrong in (5, ["calls"]):
        with pytest.raises(InputError, match="table"):
            log.load(path, source="ccanalytics", table=wrong)


def test_a_folder_is_loaded_table_by_table(tmp_path, write_table, log_content):
    folder = tmp_path / "exports of a centre"
    folder.mkdir()
    for name in ("calls_1", "calls_2"):
        write_table(
            folder / f"{name}.csv",
            "calls",
            [{"call_id": f"{name} {i}", "arrived_at": AT, "service": "S1"} for i in range(5)],
        )
    pl.DataFrame([every_column(i, "agents") for i in range(3)]).write_parquet(
        folder / "agents.parquet"
    )
    write_table(folder / "plain", "services", [{"service": "S1", "name_zh": "查询"}])
    (folder / "services.csv.gz").write_bytes(gzip.compress((folder / "plain").read_bytes()))
    (folder / "plain").unlink()
    (folder / "centre.json").write_text(
        json.dumps({"format": "ccanalytics", "schema": 1, "time_zone": "Asia/Urumqi"})
    )
    (folder / "truth.json").write_text("{}")
    (folder / "notes.txt").write_text("nothing to load")
    (folder / "calls").mkdir()
    log = CallLog(tmp_path / "centre.duckdb")
    report = log.load(folder, source="ccanalytics")
    assert (report.read, report.loaded) == (14, 14)
    assert [f.table for f in report.files] == ["agents", "calls", "calls", "services"]
    assert log.time_zone == "Asia/Urumqi"
    assert log.table("services")["name_zh"].to_list() == ["查询"]
    assert report.to_frame()["loaded"].sum() == 14
    before = log_content(log)
    again = log.load(folder, source="ccanalytics")
    assert (again.read, again.loaded, again.duplicates) == (14, 0, 14)
    assert log_content(log) == before


def test_a_folder_without_tables_is_refused(tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "notes.txt").write_text("nothing")
    with pytest.raises(InputError, match="empty"):
        CallLog(tmp_path / "centre.duckdb", time_zone="UTC").load(folder, source="ccanalytics")
    for source, word in (("anonymous_bank", r"notes\.txt"), ("generic", "mapping")):
        with pytest.raises(InputError, match=word):
            CallLog(tmp_path / "centre.duckdb", time_zone="UTC").load(folder, source=source)


@pytest.mark.parametrize(
    "name",
    [
        "calls_it's; DROP TABLE calls; --.csv",
        'calls_"[1]{a,b}*.csv',
        "calls_$(touch x)`id`%s.csv",
        "calls_客服 三月\nlines.csv",
    ],
)
def test_names_of_files_and_folders_do_no_harm(tmp_path, write_table, log_content, name):
    folder = tmp_path / name
    folder.mkdir()
    path = write_table(folder / name, "calls", [{"arrived_at": AT}])
    log = CallLog(folder / f"{name}.duckdb", time_zone="UTC")
    assert log.load(path, source="ccanalytics").loaded == 1
    assert log.table("loads")["file"].to_list() == [path.name]
    assert log.intervals("1d")["arrived"].sum() == 1
    assert log.load(path, source="ccanalytics").duplicates == 1
    assert sorted(p.name for p in folder.iterdir()) == sorted([path.name, log.path.name])
    assert log_content(log)["calls"][0] == 1


def test_a_question_mark_in_a_folders_name_is_loaded_or_refused_in_a_line(tmp_path, write_table):
    """DuckDB looks for its own journal elsewhere then."""
    folder = tmp_path / "why?"
    folder.mkdir()
    path = write_table(folder / "calls.csv", "calls", [{"arrived_at": AT}])
    log = CallLog(folder / "centre.duckdb", time_zone="UTC")
    try:
        report = log.load(path, source="ccanalytics")
    except LogError as error:
        assert "why?" in str(error)  # noqa: PT017 - either answer will do
        assert [p.name for p in folder.iterdir()] == ["calls.csv"]
    else:
        assert report.loaded == log.table("calls").height == 1


# ---- headers ------------------------------------------------------------------------------------


def _load(tmp_path, text, name="calls.csv", **options):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    return log, log.load(tmp_path / name, source="ccanalytics", **options)


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("call_id,outcome", "arrived_at"),
        ("call_id,arrived_at", "outcome"),
        ("call_id,arrived_at,outcome,duration", "duration"),
        ("call_id,arrived_at,outcome,queue,queue", "queue"),
        ("CALL_ID,ARRIVED_AT,OUTCOME", "CALL_ID"),
        ("call_id;arrived_at;outcome", "call_id;arrived_at;outcome"),
        ("nothing of the kind", "nothing of the kind"),
    ],
)
def test_wrong_columns_are_named(tmp_path, header, named):
    with pytest.raises(InputError, match=named) as caught:
        _load(tmp_path, header + "\n")
    assert "calls.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_columns_in_any_order_with_blanks_around_them(tmp_path):
    log, _ = _load(tmp_path, " outcome ,queue, arrived_at\nanswered,sales,2025-03-03T09:00:00Z\n")
    row = log.table("calls").row(0, named=True)
    assert (row["outcome"], row["queue"], row["arrived_at"]) == ("answered", "sales", AT)


@pytest.mark.parametrize("header", ["call_id,arrived_at,outcome", "arrived_at,outcome"])
def test_calls_without_a_name_are_named_after_their_row(tmp_path, header):
    """The column may be empty or missing; the name is the same in every load."""
    lead = "," if header.startswith("call_id") else ""
    rows = [f"{lead}2025-03-03T0{i}:00:00Z,answered" for i in range(3)]
    log, report = _load(tmp_path, "\n".join([header, *rows, rows[0]]) + "\n")
    assert (report.loaded, report.duplicates) == (3, 1)
    ids = set(log.table("calls")["call_id"])
    assert len(ids) == 3
    assert None not in ids
    more = f"{header}\n{rows[2]}\n{lead}2025-03-04T00:00:00Z,answered\n"
    again = _load(tmp_path, more, name="calls_2.csv")[1]
    assert (again.loaded, again.duplicates) == (1, 1)


def test_a_survey_without_its_call_is_rejected(tmp_path):
    log, report = _load(tmp_path, "call_id,channel,score\n,sms,5\nc1,sms,4\n", "surveys.csv")
    assert (report.loaded, report.reasons) == (1, {"call_id is missing": 1})
    assert log.table("surveys")["call_id"].to_list() == ["c1"]


def test_of_rows_with_one_key_the_first_wins(tmp_path):
    text = "call_id,arrived_at,outcome,queue\n"
    text += "c1,2025-03-03T09:00:00Z,answered,first\nc1,2025-03-03T09:00:00Z,answered,second\n"
    log, report = _load(tmp_path, text)
    assert (report.read, report.loaded, report.duplicates) == (2, 1, 1)
    again = _load(
        tmp_path,
        "call_id,arrived_at,outcome,queue\nc1,2025-03-03T09:00:00Z,answered,third\n",
        "calls_2.csv",
    )[1]
    assert (again.read, again.loaded, again.duplicates) == (1, 0, 1)
    assert log.table("calls")["queue"].to_list() == ["first"]


def test_keys_of_two_columns(tmp_path):
    text = "agent,started_at,state\n"
    text += "Ann,2025-03-03T09:00:00Z,available\nAnn,2025-03-03T10:00:00Z,available\n"
    text += "Bo,2025-03-03T09:00:00Z,available\nAnn,2025-03-03T09:00:00+00:00,break\n"
    log, report = _load(tmp_path, text, "agent_states.csv")
    assert (report.loaded, report.duplicates) == (3, 1)
    assert set(log.table("agent_states")["state"]) == {"available"}


# ---- values -------------------------------------------------------------------------------------


def test_timestamps(tmp_path):
    moments = {
        "2025-03-03T09:00:00Z": AT,
        "2025-03-03 09:00:00Z": AT,
        "2025-03-03T09:00:00.5Z": AT + timedelta(milliseconds=500),
        "2025-03-03T09:00:00.123456Z": AT + timedelta(microseconds=123_456),
        "2025-03-03T17:00:00+08:00": AT,
        "2025-03-03T17:00:00+0800": AT,
        "2025-03-02T23:30:00-09:30": AT,
        "2025-03-03T09:00:00+00:00": AT,
    }
    rows = "".join(f"{text},{text},answered\n" for text in moments)
    log, report = _load(tmp_path, "call_id,arrived_at,outcome\n" + rows)
    assert report.loaded == len(moments), report.reasons
    assert dict(log.table("calls").select("call_id", "arrived_at").rows()) == moments


BAD = [
    ("arrived_at", "2025-03-03T09:00:00"),
    ("arrived_at", "2025-03-03"),
    ("arrived_at", "2025-02-29T09:00:00Z"),
    ("arrived_at", "2025-03-03T25:00:00Z"),
    ("arrived_at", "2025-03-03T09:00:00 Europe/London"),
    ("arrived_at", "1740992400"),
    ("arrived_at", ""),
    ("arrived_at", "9998-03-03T09:00:00Z"),
    ("arrived_at", "0001-03-03T09:00:00Z"),
    ("arrived_at", "0000-03-03T09:00:00Z"),
    ("ended_at", "9998-03-03T09:00:00Z"),
    ("ended_at", "later"),
    ("answered_at", "0001-03-03T09:00:00Z"),
    ("talk_s", "a minute"),
    ("talk_s", "-1"),
    ("talk_s", "nan"),
    ("talk_s", "inf"),
    ("talk_s", "1e300"),
    ("talk_s", "1e13"),
    ("wait_s", "-0.5"),
    ("menu_s", "-1e300"),
    ("outcome", "Answered"),
    ("outcome", ""),
    ("transfer", "third_line"),
    ("ended_by", "nobody"),
]


def test_rows_that_cannot_be_used_are_rejected_by_column(tmp_path):
    names = [
        "call_id",
        "arrived_at",
        "outcome",
        *sorted({c for c, _ in BAD} - {"arrived_at", "outcome"}),
    ]
    good = dict.fromkeys(names, "") | {"arrived_at": "2025-03-03T09:00:00Z", "outcome": "answered"}
    lines = [",".join((good | {"call_id": f"c{i}", c: t}).values()) for i, (c, t) in enumerate(BAD)]
    last = ",".join((good | {"call_id": "whole"}).values())
    log, report = _load(tmp_path, "\n".join([",".join(names), *lines, last]) + "\n")
    assert (report.read, report.rejected) == (len(BAD) + 1, len(BAD)), log.table("calls").rows()
    aside = log.rejects()
    assert aside["line"].to_list() == list(range(2, len(BAD) + 2))
    # As they stand in the file, save that long numbers are masked.
    assert aside["raw"].to_list() == [re.sub(r"\d{5,}", "#####", line) for line in lines]
    for (column, text), reasons in zip(BAD, aside["reasons"].to_list(), strict=True):
        assert reasons, (column, text)
        assert all(column in reason for reason in reasons), (column, text, reasons)
    # Nor do they spoil the questions.
    assert log.intervals("1d")["arrived"].to_list() == [1]
    assert "1 call " in log.check().summary()


def test_a_call_that_ended_before_it_came_is_rejected(tmp_path):
    text = "call_id,arrived_at,ended_at,outcome\n"
    text += "c1,2025-03-03T09:00:00Z,2025-03-03T08:00:00Z,abandoned\n"
    _, report = _load(tmp_path, text)
    assert report.reasons == {"ended before it arrived": 1}


@pytest.mark.parametrize(
    ("table", "header", "row", "column"),
    [
        ("services", "service,sms_hall_on", "S1,3 March", "sms_hall_on"),
        ("services", "service,sms_hall_on", "S1,2025-02-30", "sms_hall_on"),
        ("rollouts", "unit_kind,unit,treatment,randomised", "a,b,c,perhaps", "randomised"),
        ("reviews", "review_id,item,passed", "r,i,2", "passed"),
        ("self_service", "event_id,channel,stage,at,accepted", "e,fax,reminder,{},true", "channel"),
        ("self_service", "event_id,channel,stage,at,accepted", "e,sms,reminder,{},", "accepted"),
        ("surveys", "call_id,channel,score", "c,sms,good", "score"),
        ("trainings", "agent,course,on", "Ann,,2025-03-03", "course"),
    ],
)
def test_other_tables_reject_by_column_too(tmp_path, table, header, row, column):
    row = row.format("2025-03-03T09:00:00Z")
    _, report = _load(tmp_path, f"{header}\n{row}\n", f"{table}.csv")
    assert (report.loaded, report.rejected) == (0, 1)
    assert all(column in reason for reason in report.reasons)


def test_blanks_around_values_are_not_part_of_them(tmp_path):
    text = "call_id,arrived_at,outcome,queue,talk_s\n"
    log, _ = _load(tmp_path, text + " c1 , 2025-03-03T09:00:00Z , answered , \u3000, 60 \n")
    row = log.table("calls").row(0, named=True)
    assert (row["call_id"], row["queue"], row["talk_s"]) == ("c1", None, 60.0)


# ---- Parquet ------------------------------------------------------------------------------------

BASE = {"call_id": ["c1"], "arrived_at": [AT], "outcome": ["answered"]}


def _parquet(tmp_path, columns, **options):
    pl.DataFrame(columns).write_parquet(tmp_path / "calls.parquet")
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    return log, log.load(tmp_path / "calls.parquet", source="ccanalytics", **options)


@pytest.mark.parametrize(
    "kind",
    [
        pl.Datetime("ms", "UTC"),
        pl.Datetime("us", "UTC"),
        pl.Datetime("ns", "Asia/Tokyo"),
        pl.Datetime("us", "America/St_Johns"),
    ],
    ids=str,
)
def test_parquet_timestamps_of_any_zone_and_unit(tmp_path, kind):
    moments = pl.Series([AT], dtype=pl.Datetime("us", "UTC"))
    log, report = _parquet(tmp_path, BASE | {"arrived_at": moments.cast(kind)})
    assert report.loaded == 1
    assert log.table("calls")["arrived_at"].to_list() == [AT]


def test_parquet_timestamps_without_a_zone_are_not_guessed(tmp_path):
    naive = BASE | {"arrived_at": [AT.replace(tzinfo=None)]}
    assert _parquet(tmp_path, naive)[1].rejected == 1
    log, report = _parquet(tmp_path, naive, time_zone="Asia/Shanghai")
    assert report.loaded == 1
    assert log.table("calls")["arrived_at"].to_list() == [AT - timedelta(hours=8)]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([5], "5"),
        (pl.Series(["q"], dtype=pl.Categorical), "q"),
        ([None], None),
        (["two\nlines"], "two\nlines"),
    ],
    ids=["whole numbers", "categories", "nothing", "line ends"],
)
def test_parquet_texts_of_other_types(tmp_path, values, text):
    log, _ = _parquet(tmp_path, BASE | {"queue": values})
    assert log.table("calls")["queue"].to_list() == [text]


@pytest.mark.parametrize(
    "values",
    [[["a"]], [{"a": 1, "b": 2}], [b"\xff\xfe"], [timedelta(seconds=5)]],
    ids=["list", "struct", "bytes", "duration"],
)
def test_parquet_columns_that_are_no_text_are_refused_or_rejected(tmp_path, values):
    try:
        log, report = _parquet(tmp_path, BASE | {"queue": values})
    except InputError as error:
        assert "queue" in str(error)  # noqa: PT017 - either answer will do
    else:
        assert report.rejected == 1
        assert log.table("calls").height == 0


def test_a_parquet_file_without_rows(tmp_path):
    log, report = _parquet(tmp_path, pl.DataFrame(BASE).head(0))
    assert (report.read, report.loaded, report.rejected) == (0, 0, 0)
    assert "no calls" in log.check().summary()


@pytest.mark.parametrize("damage", ["cut", "overwritten", "only the mark"])
def test_a_damaged_parquet_file_is_refused(tmp_path, damage):
    frame = pl.DataFrame(
        {
            "call_id": [str(i) * 9 for i in range(2000)],
            "arrived_at": [AT + timedelta(seconds=i) for i in range(2000)],
            "outcome": ["answered"] * 2000,
        }
    )
    path = tmp_path / "calls.parquet"
    frame.write_parquet(path)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[:-20]
    elif damage == "overwritten":
        content[40:400] = bytes(360)
    else:
        content = b"PAR1"
    path.write_bytes(content)
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    with pytest.raises(InputError, match=r"calls\.parquet"):
        log.load(path, source="ccanalytics")
    assert [p.name for p in tmp_path.iterdir()] == ["calls.parquet"]


# ---- sources ------------------------------------------------------------------------------------


def test_the_sources_there_are():
    assert {"ccanalytics", "generic", "anonymous_bank"} <= set(SOURCES)
    for name, source in SOURCES.items():
        assert source.name == name
        assert source.title


@pytest.mark.parametrize("name", ["ccanalytic", "", None, 5, ["ccanalytics"], "CCANALYTICS"])
def test_a_source_that_does_not_exist_is_refused_with_those_that_do(name):
    with pytest.raises(InputError, match="anonymous_bank") as caught:
        find_source(name)
    assert "generic" in str(caught.value)


def test_timestamps_keep_their_moment_whatever_zone_wrote_them(make_log):
    zone = timezone(timedelta(hours=5, minutes=45))
    log = make_log([{"arrived_at": AT.astimezone(zone)}])
    assert log.table("calls")["arrived_at"].to_list() == [AT]
    assert log.span() == (AT, AT)
