"""Any CSV through a mapping: units, time formats, codes, layouts; mistakes named by their place."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccanalytics import CallLog
from ccanalytics.calllog.sources import read_mapping
from ccanalytics.errors import InputError
from ccanalytics.schema import OUTCOMES

PLAIN = """
[file]
time_zone = "Europe/London"
timestamp = "%d/%m/%Y %H:%M:%S"
[columns]
call_id = "Call ID"
arrived_at = "Start"
outcome = "Result"
talk_s = "Talk"
"""
HEADER = "Call ID,Start,Result,Talk\n"


@pytest.fixture
def load(tmp_path):
    """Load a text (or bytes) through a mapping: (content, mapping, **options) -> (log, report)."""

    def loaded(content, mapping=PLAIN, name="export.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        toml = tmp_path / "map.toml"
        toml.write_text(mapping, encoding="utf-8")
        log = CallLog(tmp_path / "centre.duckdb")
        return log, log.load(path, source="generic", mapping=toml, **options)

    return loaded


def _with(mapping, section, line):
    """The mapping with a line added to a section."""
    if f"[{section}]" not in mapping:
        return f"{mapping}[{section}]\n{line}\n"
    return mapping.replace(f"[{section}]", f"[{section}]\n{line}", 1)


# ---- values -------------------------------------------------------------------------------------


def test_local_times_and_seconds(load):
    log, report = load(
        HEADER + "a,03/07/2025 09:00:00,answered,60\nb,03/01/2025 09:00:00,abandoned,\n"
    )
    assert (report.read, report.loaded) == (2, 2)
    assert log.time_zone == "Europe/London"
    rows = log.table("calls").sort("call_id").rows(named=True)
    assert [r["arrived_at"] for r in rows] == [
        datetime(2025, 7, 3, 8, tzinfo=UTC),  # summer time
        datetime(2025, 1, 3, 9, tzinfo=UTC),
    ]
    assert [r["talk_s"] for r in rows] == [60.0, None]


@pytest.mark.parametrize(
    ("unit", "texts"),
    [
        ("s", {"90": 90, "90.25": 90.25, " 91 ": 91, "1e2": 100, "0": 0}),
        ("ms", {"90250": 90.25, "0.5": 0.0005}),
        ("min", {"1.5": 90, "0": 0}),
        (
            "hms",
            {
                "0:01:30": 90,
                "1:31": 91,
                "01:00:00.5": 3600.5,
                "26:00:00": 93_600,
                "90:00": 5400,
                "0:00:00": 0,
            },
        ),
    ],
)
def test_units_of_durations(load, unit, texts):
    rows = "".join(f"{text},03/03/2025 09:00:00,answered,{text}\n" for text in texts)
    log, report = load(HEADER + rows, _with(PLAIN, "units", f'talk_s = "{unit}"'))
    assert report.loaded == len(texts), report.reasons
    found = dict(log.table("calls").select("call_id", "talk_s").rows())
    assert found == pytest.approx({text.strip(): seconds for text, seconds in texts.items()})


@pytest.mark.parametrize(
    ("unit", "texts"),
    [
        ("s", ["a minute", "1:30", "nan", "inf", "-5", "1;5", "1e300", "0x10", "1_000"]),
        ("ms", ["-1", "nan", "1e300"]),
        ("min", ["-1", "x", "1e300"]),
        ("hms", ["90", "1:75", "0:61:00", "-0:00:05", "1:2:3:4", "::", "99999999:00:00"]),
    ],
)
def test_durations_that_cannot_be_are_rejected_by_column(load, unit, texts):
    rows = "".join(f"{i},03/03/2025 09:00:00,answered,{t}\n" for i, t in enumerate(texts))
    log, report = load(
        HEADER + rows + "whole,03/03/2025 09:00:00,answered,\n",
        _with(PLAIN, "units", f'talk_s = "{unit}"'),
    )
    assert log.table("calls").select("call_id", "talk_s").rows() == [("whole", None)]
    assert report.rejected == len(texts)
    assert log.rejects()["line"].to_list() == list(range(2, len(texts) + 2))
    assert all("talk_s" in reason for reason in report.reasons)


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        ('"%Y-%m-%d %H:%M:%S%.f"', {"2025-03-03 09:00:00.25": (9, 0, 0, 250_000)}),
        ('"%d.%m.%Y %H:%M"', {"03.03.2025 09:05": (9, 5)}),
        ('"%m/%d/%Y %I:%M:%S %p"', {"03/03/2025 09:00:00 PM": (21, 0)}),
        ('"%Y%m%d%H%M%S"', {"20250303090000": (9, 0)}),
        ('"%Y-%m-%dT%H:%M:%S%z"', {"2025-03-03T09:00:00+0200": (7, 0)}),
        (
            '"iso"',
            {
                "2025-03-03T09:00:00": (9, 0),
                "2025-03-03 09:00:01": (9, 0, 1),
                "2025-03-03T09:00:02Z": (9, 0, 2),
                "2025-03-03T09:00:00.123+08:00": (1, 0, 0, 123_000),
                "2025-03-03T09:00:00-0330": (12, 30),
            },
        ),
        ('"epoch_s"', {"1740992400": (9, 0), "1740992400.5": (9, 0, 0, 500_000)}),
        ('"epoch_ms"', {"1740992400500": (9, 0, 0, 500_000)}),
        (
            '["iso", "%d/%m/%Y %H:%M", "epoch_s"]',
            {"03/03/2025 09:00": (9, 0), "1740992401": (9, 0, 1), "2025-03-03T09:00:02": (9, 0, 2)},
        ),
    ],
)
def test_forms_of_timestamps(load, form, texts):
    rows = "".join(f"{text},{text},answered,1\n" for text in texts)
    log, report = load(HEADER + rows, PLAIN.replace('"%d/%m/%Y %H:%M:%S"', form))
    assert report.loaded == len(texts), report.reasons
    found = dict(log.table("calls").select("call_id", "arrived_at").rows())
    assert found == {
        text: datetime(2025, 3, 3, *moment, tzinfo=UTC) for text, moment in texts.items()
    }


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        (
            '"%d/%m/%Y %H:%M:%S"',
            "03/03/2025 09:00:00",
            [
                "2025-03-03 09:00:00",
                "31/02/2025 09:00:00",
                "03/03/2025 09:00:00 and more",
                "03/03/2025 24:00:00",
            ],
        ),
        ('"iso"', "2025-03-03T09:00:00", ["03/03/2025 09:00", "yesterday", "2025-03-03T25:00"]),
        # The third: milliseconds taken for seconds would be the year 57,139.
        ('"epoch_s"', "1740992400", ["soon", "nan", "1740992400000", "-99999999999", "1e300"]),
        ('"epoch_ms"', "1740992400000", ["1e300", "inf", "-99999999999999"]),
    ],
)
def test_timestamps_that_cannot_be_are_rejected_by_column(load, form, good, bad):
    rows = "".join(f"{i},{text},answered,1\n" for i, text in enumerate(bad))
    log, report = load(
        HEADER + rows + f"whole,{good},answered,1\n",
        PLAIN.replace('"%d/%m/%Y %H:%M:%S"', form),
    )
    assert log.table("calls")["call_id"].to_list() == ["whole"]
    assert report.rejected == len(bad)
    assert all("arrived_at" in reason for reason in report.reasons)
    assert log.intervals("1d")["arrived"].to_list() == [1]


@pytest.mark.parametrize(
    "forms",
    [
        ["%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S"],
        ["iso", "%m-%d-%y %H:%M", "%d-%m-%y %H:%M"],
        ["%d-%m-%y %H:%M", "%y-%m-%d %H:%M"],
    ],
)
def test_forms_with_day_and_month_in_both_orders_are_refused(load, forms):
    """Half of such a file came in a month off, without a word."""
    mapping = PLAIN.replace('"%d/%m/%Y %H:%M:%S"', repr(forms))
    with pytest.raises(InputError, match="as different days"):
        load(HEADER + "a,03/04/2025 09:00:00,answered,60\n", mapping)


def test_a_row_without_an_arrival_is_rejected(load):
    _, report = load(HEADER + "a,,answered,1\n")
    assert report.reasons == {"arrived_at is missing": 1}


def test_outcome_codes(load):
    codes = "\n".join(f'"{code}" = "{code.lower()}"' for code in map(str.upper, OUTCOMES))
    rows = "".join(f"{o},03/03/2025 09:00:00,{o.upper()},\n" for o in OUTCOMES)
    log, report = load(
        HEADER + rows + "x,03/03/2025 09:00:00,HUNG UP,\ny,03/03/2025 09:00:00,,\n",
        f"{PLAIN}[outcomes]\n{codes}\n",
    )
    assert (report.loaded, report.rejected) == (len(OUTCOMES), 2)
    assert dict(log.table("calls").select("call_id", "outcome").rows()) == {o: o for o in OUTCOMES}
    assert report.reasons == {
        "outcome code is not in the mapping: 'HUNG UP'": 1,
        "outcome is missing": 1,
    }


def test_unknown_codes_are_named_by_frequency_and_numbers_are_masked(load):
    codes = ["XYZ"] * 12 + ["QA"] * 3 + ["1380013800"] * 2 + [f"C{k}" for k in range(9)]
    rows = "".join(f"{i},03/03/2025 09:00:00,{code},\n" for i, code in enumerate([*codes, "OK"]))
    log, report = load(HEADER + rows, PLAIN + '[outcomes]\nOK = "answered"\n')
    words = report.summary()
    told = "outcome code is not in the mapping: "
    assert f"Rejected: {told}'XYZ' (12 rows); {told}'QA' (3 rows)" in words
    assert f"{told}'##########' (2 rows)" in words
    assert "13800" not in words
    assert "and 4 other reasons" in words
    assert sum(report.reasons.values()) == len(codes)
    details = [check.detail for check in log.check().checks if check.name == "rejected"]
    assert f"{told}'XYZ': 12 rows" in details
    assert len(details) == 9
    assert details[-1].startswith("4 other reasons")


def test_date_and_time_in_two_columns(load):
    header = "Call ID,Day,Clock,Result,Talk\n"
    mapping = PLAIN.replace('arrived_at = "Start"', 'arrived_at = ["Day", "Clock"]')
    rows = "a,03/07/2025,09:00:05,answered,60\nb,03/07/2025,,answered,60\n"
    rows += "c,03/07/2025, 09:61:00,answered,1\n"
    log, report = load(header + rows, mapping)
    assert report.loaded == 1
    assert log.table("calls")["arrived_at"].to_list() == [datetime(2025, 7, 3, 8, 0, 5, tzinfo=UTC)]
    assert report.reasons == {
        "arrived_at is missing": 1,
        "arrived_at is not a time of the form %d/%m/%Y %H:%M:%S": 1,
    }


@pytest.mark.parametrize("form", ["iso", "%Y-%m-%d %H:%M:%S"])
def test_an_iso_date_and_a_time_in_two_columns(load, form):
    mapping = PLAIN.replace('"Start"', '["Day", "Clock"]').replace("%d/%m/%Y %H:%M:%S", form)
    content = "Call ID,Day,Clock,Result,Talk\na,2025-01-03,09:00:05,answered,60\n"
    log, _ = load(content, mapping)
    assert log.table("calls")["arrived_at"].to_list() == [datetime(2025, 1, 3, 9, 0, 5, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('queue = ["A", "B"]', "only a timestamp may stand in several columns"),
        ("ended_at = []", "the list of columns is empty"),
        ('ended_at = ["A", 3]', "text in quotation marks"),
        ('ended_at = ["Start", "Nowhere"]', "'Nowhere'"),
    ],
)
def test_lists_of_columns_that_cannot_be_used(load, line, words):
    with pytest.raises(InputError) as caught:
        load(HEADER + "a,03/03/2025 09:00:00,answered,1\n", _with(PLAIN, "columns", line))
    assert words in str(caught.value)


def test_the_mapping_of_the_readme_is_one(tmp_path):
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    toml = tmp_path / "map.toml"
    toml.write_text(text.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    mapping = read_mapping(toml)
    assert mapping.columns["arrived_at"] == ("Date", "Time")
    assert (mapping.delimiter, mapping.encoding, mapping.table) == (";", "gb18030", "calls")
    assert mapping.null == ("", "NULL", "-")


def test_outcomes_without_codes_must_be_canonical(load):
    _, report = load(HEADER + "x,03/03/2025 09:00:00,ANSWERED,\n")
    assert report.rejected == 1
    (reason,) = report.reasons
    assert "outcome" in reason


def test_several_codes_for_one_outcome_and_codes_with_odd_letters(load):
    mapping = PLAIN + '[outcomes]\n"接通" = "answered"\n"OK; \'DONE\'" = "answered"\n'
    log, report = load(
        HEADER + "a,03/03/2025 09:00:00,接通,\nb,03/03/2025 09:00:00,OK; 'DONE',\n", mapping
    )
    assert report.loaded == 2
    assert set(log.table("calls")["outcome"]) == {"answered"}


def test_constants(load):
    mapping = PLAIN.replace('outcome = "Result"\n', "")
    mapping += '[constants]\noutcome = "answered"\nqueue = "sales; \'DROP\'"\nsite = "总部"\n'
    log, report = load(HEADER + "a,03/03/2025 09:00:00,whatever,1\n", mapping)
    assert report.loaded == 1
    row = log.table("calls").row(0, named=True)
    assert (row["outcome"], row["queue"], row["site"]) == ("answered", "sales; 'DROP'", "总部")


def test_a_constant_outcome_outside_the_list_is_refused_or_rejected(load):
    mapping = PLAIN.replace('outcome = "Result"\n', "") + '[constants]\noutcome = "won"\n'
    try:
        log, report = load(HEADER + "a,03/03/2025 09:00:00,x,1\n", mapping)
    except InputError as error:
        assert "outcome" in str(error)  # noqa: PT017 - either answer will do
    else:
        assert report.rejected == 1
        assert log.table("calls").height == 0


def test_texts_that_mean_unknown(load):
    mapping = _with(PLAIN, "file", 'null = ["", "NULL", "-", "n/a"]')
    mapping = _with(mapping, "columns", 'queue = "Queue"')
    rows = "".join(
        f"{i},03/03/2025 09:00:00,answered,{text},{text}\n"
        for i, text in enumerate(["", "NULL", "-", "n/a", " NULL "])
    )
    log, report = load("Call ID,Start,Result,Talk,Queue\n" + rows, mapping)
    assert report.loaded == 5, report.reasons
    assert log.table("calls")["talk_s"].null_count() == 5
    assert log.table("calls")["queue"].null_count() == 5


def test_without_a_null_list_a_dash_is_text(load):
    mapping = _with(PLAIN, "columns", 'queue = "Queue"')
    log, _ = load("Call ID,Start,Result,Talk,Queue\na,03/03/2025 09:00:00,answered,1,-\n", mapping)
    assert log.table("calls")["queue"].to_list() == ["-"]


def test_columns_that_the_mapping_does_not_name_are_left_out(load):
    log, _ = load("secret,Call ID,Start,Result,Talk\n4929-1234,a,03/03/2025 09:00:00,answered,1\n")
    assert "4929" not in str(log.table("calls").rows())


def test_one_column_may_fill_two(load):
    mapping = _with(PLAIN, "columns", 'queue = "Result"')
    log, _ = load(HEADER + "a,03/03/2025 09:00:00,answered,1\n", mapping)
    assert log.table("calls")["queue"].to_list() == ["answered"]


def test_rows_without_a_call_id_are_named_after_their_text(load):
    mapping = PLAIN.replace('call_id = "Call ID"\n', "")
    rows = HEADER + "1,03/03/2025 09:00:00,answered,1\n2,03/03/2025 09:00:00,answered,1\n"
    log, report = load(rows, mapping)
    assert (report.loaded, report.duplicates) == (2, 0)
    ids = set(log.table("calls")["call_id"])
    assert len(ids) == 2
    assert None not in ids
    again = load(rows + "3,03/03/2025 09:00:00,answered,1\n", mapping)[1]
    assert (again.loaded, again.duplicates) == (1, 2)


def test_another_table(load):
    mapping = """
[file]
time_zone = "Asia/Shanghai"
timestamp = "%Y-%m-%d %H:%M:%S"
table = "self_service"
[columns]
event_id = "id"
channel = "ch"
stage = "st"
at = "time"
accepted = "yes"
completed = "done"
"""
    rows = "id,ch,st,time,yes,done\n1,sms,before_call,2025-03-03 09:00:00,Y,no\n"
    log, report = load(rows + "2,fax,before_call,2025-03-03 09:00:00,maybe,1\n", mapping)
    assert (report.loaded, report.rejected) == (1, 1)
    row = log.table("self_service").row(0, named=True)
    assert (row["accepted"], row["completed"]) == (True, False)
    assert row["at"] == datetime(2025, 3, 3, 1, tzinfo=UTC)


def test_a_flag_or_date_that_cannot_be_read_is_rejected_not_dropped(load):
    """What cannot be read must not pass for unknown."""
    mapping = """
[file]
time_zone = "UTC"
table = "rollouts"
[columns]
unit_kind = "k"
unit = "u"
treatment = "t"
live_on = "on"
randomised = "r"
"""
    rows = "k,u,t,on,r\nservice,S1,sms,2025-03-03,true\nservice,S2,sms,3 March,true\n"
    log, report = load(rows + "service,S3,sms,2025-03-03,perhaps\n", mapping)
    assert (report.loaded, report.rejected) == (1, 2)
    assert log.table("rollouts")["unit"].to_list() == ["S1"]


# ---- layouts ------------------------------------------------------------------------------------

ROW = ["a,1", "03/03/2025 09:00:00", "answered", "60"]


@pytest.mark.parametrize(("setting", "character"), [("tab", "\t"), (";", ";"), ("|", "|")])
def test_delimiters(load, setting, character):
    text = HEADER.replace(",", character) + character.join(ROW) + "\n"
    log, report = load(text, _with(PLAIN, "file", f'delimiter = "{setting}"'))
    assert report.loaded == 1
    assert log.table("calls")["call_id"].to_list() == ["a,1"]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "latin-1", "utf-8-sig", "big5"])
def test_encodings(load, encoding):
    name = "señor" if encoding == "latin-1" else "開通" if encoding == "big5" else "开通,㐀𠀀"
    if encoding == "latin-1":
        header = HEADER.replace("Result", "Résultat")
        mapping = PLAIN.replace("Result", "Résultat")
    else:
        header, mapping = HEADER.replace("Result", "結果"), PLAIN.replace("Result", "結果")
    mapping = _with(mapping, "file", f'encoding = "{encoding}"')
    text = header + f'"{name}",03/03/2025 09:00:00,answered,60\r\n'
    log, report = load(text.encode(encoding), mapping)
    assert report.loaded == 1, report.reasons
    assert log.table("calls")["call_id"].to_list() == [name]


def test_the_encoding_may_be_an_option_of_the_load(load):
    text = HEADER + "开通,03/03/2025 09:00:00,answered,60\n"
    log, _ = load(text.encode("gb18030"), encoding="gb18030")
    assert log.table("calls")["call_id"].to_list() == ["开通"]


def test_lines_that_are_not_in_the_encoding_are_set_aside(load):
    text = HEADER.encode() + "señor,03/03/2025 09:00:00,answered,60\n".encode("latin-1")
    log, report = load(text + b"b,03/03/2025 09:00:00,answered,60\n")
    assert (report.loaded, report.rejected) == (1, 1)
    assert log.table("calls")["call_id"].to_list() == ["b"]
    assert any("encoding" in reason for reason in report.reasons)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("last", [True, False], ids=["ended", "open"])
def test_line_ends_and_byte_order_marks(load, mark, end, last):
    lines = [HEADER.strip().encode(), b"a,03/03/2025 09:00:00,answered,60"]
    lines.append(b"b,03/03/2025 09:00:00,abandoned,")
    content = mark + end.join(lines) + (end if last else b"")
    log, report = load(content)
    assert (report.read, report.loaded) == (2, 2)
    rows = log.table("calls").sort("call_id").rows(named=True)
    assert [(r["call_id"], r["outcome"], r["talk_s"]) for r in rows] == [
        ("a", "answered", 60.0),
        ("b", "abandoned", None),
    ]


def test_quoted_fields_keep_their_delimiters_quotes_and_line_ends(load):
    names = ["a,b", 'say ""hi""', "two\nlines", "three\r\n\r\nlines", "'; --", ' "" ']
    rows = "".join(f'"{n}",03/03/2025 09:00:00,answered,60\n' for n in names)
    log, report = load(HEADER + rows)
    assert (report.read, report.loaded) == (6, 6), report.reasons
    kept = {n.replace('""', '"').replace("\r\n", "\n").strip() for n in names}
    assert {n.replace("\r\n", "\n") for n in log.table("calls")["call_id"]} == kept


def test_quotation_marks_may_be_plain_text(load):
    mapping = _with(_with(PLAIN, "file", 'delimiter = "tab"'), "file", 'quote = ""')
    text = HEADER.replace(",", "\t") + '5" screen\t03/03/2025 09:00:00\tanswered\t60\n'
    log, report = load(text + '"b\t03/03/2025 09:00:00\tanswered\t60\n', mapping)
    assert report.loaded == 2
    assert set(log.table("calls")["call_id"]) == {'5" screen', '"b'}


def test_another_quotation_mark(load):
    mapping = _with(PLAIN, "file", 'quote = "\'"')
    log, _ = load(HEADER + "'a,b',03/03/2025 09:00:00,answered,60\n", mapping)
    assert log.table("calls")["call_id"].to_list() == ["a,b"]


OWN_NAMES = ["raw", "_raw", "_line", "reasons", "remarks", "call_id", "_0:Call ID", "", "*", "a:"]


def test_columns_with_names_that_the_loader_uses_itself(load):
    log, report = load(
        HEADER.strip()
        + "".join(f",{name}" for name in OWN_NAMES)
        + ',"the ""mark"""\na,03/03/2025 09:00:00,answered,60'
        + ",boo" * (len(OWN_NAMES) + 1)
        + "\n"
    )
    assert report.loaded == 1
    row = log.table("calls").row(0, named=True)
    assert (row["call_id"], row["talk_s"]) == ("a", 60.0)


def test_a_mapped_column_may_bear_such_a_name(load):
    names = ["_raw", "_line", "reasons", "remarks", "a:b", "x:", ":"]
    targets = ["queue", "site", "service", "agent", "customer", "client", "line"]
    mapping = PLAIN
    for target, name in zip(targets, names, strict=True):
        mapping = _with(mapping, "columns", f'{target} = "{name}"')
    header = HEADER.strip() + "".join(f",{name}" for name in names)
    values = "".join(f",is {name}" for name in names)
    log, report = load(
        f"{header}\na,03/03/2025 09:00:00,answered,60{values}\n", mapping, identifiers="as_they_are"
    )
    assert report.loaded == 1
    row = log.table("calls").row(0, named=True)
    assert [row[target] for target in targets] == [f"is {name}" for name in names]


def test_mapped_columns_that_stand_twice_are_refused_and_others_remarked(load):
    row = "a,03/03/2025 09:00:00,answered,60"
    with pytest.raises(InputError, match=r"twice.*'Talk'"):
        load(f"{HEADER.strip()},Talk\n{row},99\n")
    log, report = load(f"{HEADER.strip()},other,other\n{row},1,2\n")
    assert log.table("calls")["talk_s"].to_list() == [60.0]
    assert any("'other'" in remark for remark in report.remarks)


def test_blank_lines_are_no_rows(load):
    _, report = load("\n\n" + HEADER + "\n\na,03/03/2025 09:00:00,answered,60\n   \n\n")
    assert (report.read, report.loaded) == (1, 1)


def test_a_rejected_line_is_counted_from_the_top_of_the_file(load):
    log, _ = load("\n" + HEADER + "\na,03/03/2025 09:00:00,answered,60\n\nb,soon,answered,60\n")
    assert log.rejects().rows() == [
        (
            "export.csv",
            6,
            "b,soon,answered,60",
            ["arrived_at is not a time of the form %d/%m/%Y %H:%M:%S"],
        )
    ]


def test_a_row_may_have_several_reasons(load):
    log, report = load(HEADER + "a,soon,,a while\n")
    (reasons,) = log.rejects()["reasons"].to_list()
    assert len(reasons) >= 2
    assert report.rejected == 1
    assert sum(report.reasons.values()) == len(reasons)


def test_a_header_that_lacks_a_mapped_column_is_named_with_what_is_there(load, tmp_path):
    with pytest.raises(InputError, match="'Result'") as caught:
        load("Call ID,Start,Outcome,Talk\na,03/03/2025 09:00:00,answered,60\n")
    assert "'Outcome'" in str(caught.value)
    assert "export.csv" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["export.csv", "map.toml"]


def test_generic_needs_a_mapping(tmp_path):
    (tmp_path / "x.csv").write_text("a\n1\n")
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    with pytest.raises(InputError, match="mapping"):
        log.load(tmp_path / "x.csv", source="generic")
    for wrong in (5, {"columns": {}}, ["map.toml"]):
        with pytest.raises(InputError, match="mapping"):
            log.load(tmp_path / "x.csv", source="generic", mapping=wrong)


# ---- mistakes in the mapping --------------------------------------------------------------------


def test_a_mapping_that_is_right(tmp_path):
    path = tmp_path / "map.toml"
    path.write_bytes(b"\xef\xbb\xbf" + PLAIN.encode())
    mapping = read_mapping(path)
    assert mapping.columns["arrived_at"] == "Start"
    assert mapping.timestamp == ("%d/%m/%Y %H:%M:%S",)
    assert (mapping.table, mapping.delimiter, mapping.quote) == ("calls", ",", '"')


@pytest.mark.parametrize(
    ("mapping", "named"),
    [
        ("", ["[columns]", "arrived_at", "outcome"]),
        ("[file", ["TOML"]),
        (PLAIN + "[extra]\na = 1\n", ["section", "extra"]),
        (_with(PLAIN, "file", 'zone = "UTC"'), ["[file]", "zone"]),
        (PLAIN.replace('time_zone = "Europe/London"\n', ""), ["[file]", "time_zone"]),
        (PLAIN.replace("Europe/London", "Europe/Londres"), ["time_zone", "Europe/Londres"]),
        (PLAIN.replace('"Europe/London"', "5"), ["[file]", "time_zone", "5"]),
        (PLAIN.replace('"%d/%m/%Y %H:%M:%S"', "5"), ["[file]", "timestamp", "5"]),
        (PLAIN.replace('"%d/%m/%Y %H:%M:%S"', '["iso", 5]'), ["[file]", "timestamp", "5"]),
        (PLAIN.replace('"%d/%m/%Y %H:%M:%S"', "[]"), ["[file]", "timestamp"]),
        (_with(PLAIN, "file", 'delimiter = "::"'), ["[file]", "delimiter", "::"]),
        (_with(PLAIN, "file", 'delimiter = ""'), ["[file]", "delimiter"]),
        (_with(PLAIN, "file", "delimiter = 5"), ["[file]", "delimiter", "5"]),
        (_with(PLAIN, "file", 'delimiter = "，"'), ["[file]", "delimiter"]),
        (_with(PLAIN, "file", 'quote = "<<"'), ["[file]", "quote", "<<"]),
        (_with(PLAIN, "file", 'quote = "«"'), ["[file]", "quote"]),
        (_with(PLAIN, "file", 'encoding = "klingon"'), ["encoding", "klingon"]),
        (_with(PLAIN, "file", "encoding = 8"), ["[file]", "encoding", "8"]),
        (_with(PLAIN, "file", "null = 0"), ["[file]", "null", "0"]),
        (_with(PLAIN, "file", 'null = ["", 0]'), ["[file]", "null", "0"]),
        (_with(PLAIN, "file", 'table = "call"'), ["[file]", "table", "call"]),
        (_with(PLAIN, "file", "table = 1"), ["[file]", "table", "1"]),
        (_with(PLAIN, "columns", 'duration = "D"'), ["columns", "duration"]),
        (_with(PLAIN, "columns", "queue = 3"), ["[columns]", "queue", "3"]),
        (PLAIN.replace('arrived_at = "Start"\n', ""), ["[columns]", "arrived_at"]),
        (PLAIN.replace('outcome = "Result"\n', ""), ["[columns]", "outcome"]),
        (_with(PLAIN, "units", 'talk_s = "hours"'), ["[units]", "talk_s", "hours"]),
        (_with(PLAIN, "units", 'wrap_s = "s"'), ["[units]", "wrap_s"]),
        (_with(PLAIN, "units", 'outcome = "s"'), ["[units]", "outcome"]),
        (_with(PLAIN, "units", "talk_s = 1"), ["[units]", "talk_s", "1"]),
        (_with(PLAIN, "outcomes", 'OK = "fine"'), ["[outcomes]", "OK", "fine"]),
        (_with(PLAIN, "outcomes", "OK = 1"), ["[outcomes]", "OK", "1"]),
        (_with(PLAIN, "constants", 'talk_s = "5"\nqueue = "a"'), ["constant", "talk_s"]),
        (_with(PLAIN, "constants", 'nothing = "5"'), ["constants", "nothing"]),
        (_with(PLAIN, "constants", "queue = 5"), ["[constants]", "queue", "5"]),
        ("file = 3\n" + PLAIN.replace("[file]", "[file2]"), ["file"]),
        ("columns = 3\n[file]\ntime_zone='UTC'\n", ["[columns]"]),
    ],
)
def test_each_mistake_is_named_with_its_section_and_key(tmp_path, mapping, named):
    path = tmp_path / "my map.toml"
    path.write_text(mapping, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_mapping(path)
    message = str(caught.value)
    assert "my map.toml" in message
    for word in named:
        assert word in message
    assert "\n" not in message


def test_a_constant_that_is_no_text_column_is_refused_or_typed(load):
    """A constant arrival or duration must not end in an error from inside."""
    mapping = PLAIN.replace('arrived_at = "Start"\n', "")
    mapping += '[constants]\narrived_at = "03/03/2025 09:00:00"\nwait_s = "20"\n'
    try:
        log, report = load(HEADER + "a,,answered,60\n", mapping)
    except InputError as error:
        assert "arrived_at" in str(error)  # noqa: PT017 - either answer will do
    else:
        assert report.loaded == 1
        row = log.table("calls").row(0, named=True)
        assert (row["arrived_at"], row["wait_s"]) == (datetime(2025, 3, 3, 9, tzinfo=UTC), 20.0)


@pytest.mark.parametrize("what", ["missing", "folder", "binary"])
def test_a_mapping_that_cannot_be_read(tmp_path, what):
    path = tmp_path / "map.toml"
    if what == "folder":
        path.mkdir()
    elif what == "binary":
        path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"map\.toml") as caught:
        read_mapping(path)
    assert (caught.value.remedy == "save it as UTF-8") == (what == "binary")


# ---- what follows from what ---------------------------------------------------------------------


FOLLOWS = [
    # answered: the wait from the moments, the moments from the durations
    (
        {"outcome": "answered", "answered_at": 50, "menu_s": 20.0, "talk_s": 60.0},
        {"wait_s": 30.0, "answered_at": 50, "ended_at": 110},
    ),
    (
        {"outcome": "answered", "menu_s": 20.0, "wait_s": 30.0, "talk_s": 60.0, "hold_s": 5.0},
        {"answered_at": 50, "ended_at": 115},
    ),
    ({"outcome": "answered", "talk_s": 60.0}, {"answered_at": None, "ended_at": None}),
    # what is given stays, even where it does not add up
    (
        {"outcome": "answered", "answered_at": 50, "wait_s": 10.0, "ended_at": 99},
        {"answered_at": 50, "wait_s": 10.0, "ended_at": 99},
    ),
    # an answer before the end of the menu tells no wait
    (
        {"outcome": "answered", "answered_at": 10, "menu_s": 20.0},
        {"wait_s": None, "answered_at": 10},
    ),
    ({"outcome": "abandoned", "wait_s": 30.0}, {"ended_at": 30, "answered_at": None}),
    ({"outcome": "left_menu", "menu_s": 12.5}, {"ended_at": 12.5, "answered_at": None}),
    ({"outcome": "blocked"}, {"ended_at": None, "wait_s": None}),
    # after-call work holds the agent, not the line
    (
        {"outcome": "answered", "wait_s": 0.0, "talk_s": 60.0, "wrap_s": 30.0},
        {"ended_at": 60},
    ),
]


def test_moments_follow_from_durations_and_waits_from_moments(make_log):
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)

    def moment(value):
        return None if value is None else at + timedelta(seconds=value)

    stamped = [
        {"call_id": f"c{i}", "arrived_at": at}
        | {k: moment(v) if k.endswith("_at") else v for k, v in given.items()}
        for i, (given, _) in enumerate(FOLLOWS)
    ]
    rows = make_log(stamped).table("calls").sort("call_id").rows(named=True)
    for row, (given, derived) in zip(rows, FOLLOWS, strict=True):
        for name, value in derived.items():
            expected = moment(value) if name.endswith("_at") else value
            assert row[name] == expected, (name, given)
