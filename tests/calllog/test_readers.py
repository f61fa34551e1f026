"""One table in many kinds of file: each loads the same rows, and says what it had to choose."""

import gzip
import json
import os
import zipfile
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from ccanalytics import CallLog
from ccanalytics.calllog.choosing import files_to_load
from ccanalytics.calllog.sources import find_source
from ccanalytics.cli import main
from ccanalytics.errors import InputError

MAPPING = """
[file]
time_zone = "Asia/Shanghai"
timestamp = ["iso", "%Y/%m/%d %H:%M:%S"]
[columns]
call_id = "编号"
arrived_at = "呼入时间"
talk_s = "通话时长"
outcome = "结果"
[units]
talk_s = "hms"
[outcomes]
"接通" = "answered"
"放弃" = "abandoned"
"""
NAMES = ["编号", "呼入时间", "通话时长", "结果", "备注"]
AT = datetime(2025, 3, 3, 9, 0, 5, 250_000)
ROWS = [
    ["1", AT, timedelta(seconds=93_605), "接通", "=1+1"],
    ["2", AT + timedelta(days=1), None, "放弃", "@SUM(A1)"],
]
EXPECTED = [
    ("1", datetime(2025, 3, 3, 1, 0, 5, 250_000, tzinfo=UTC), 93_605.0, "answered"),
    ("2", datetime(2025, 3, 4, 1, 0, 5, 250_000, tzinfo=UTC), None, "abandoned"),
]


def clock(value):
    return "" if value is None else f"{value // timedelta(hours=1)}:00:05"


def workbook(path, sheets, above=0):
    """Sheets of rows; moments, times and durations as Excel keeps them."""
    with xlsxwriter.Workbook(path) as book:
        moment = book.add_format({"num_format": "yyyy/mm/dd hh:mm:ss.000"})
        length = book.add_format({"num_format": "[h]:mm:ss"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for n in range(above):
                sheet.write_string(n, 0, f"title {n}")
            for i, row in enumerate(rows, above):
                for j, cell in enumerate(row):
                    if isinstance(cell, datetime):
                        sheet.write_datetime(i, j, cell, moment)
                    elif isinstance(cell, timedelta):
                        sheet.write_number(i, j, cell / timedelta(days=1), length)
                    elif isinstance(cell, time):
                        sheet.write_datetime(i, j, cell, length)
                    elif isinstance(cell, bool):
                        sheet.write_boolean(i, j, cell)
                    elif isinstance(cell, (int, float)):
                        sheet.write_number(i, j, cell)
                    elif cell is not None:
                        sheet.write_string(i, j, cell)
    return path


def written(path, kind):
    if kind == "excel":
        return workbook(path, {"数据": [NAMES, *ROWS]})
    texts = [[a, b.isoformat(sep=" "), clock(c), d, e] for a, b, c, d, e in ROWS]
    if kind == "parquet":
        pl.DataFrame(texts, schema=NAMES, orient="row").write_parquet(path)
    elif kind == "ndjson":
        lines = [
            json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=False) for row in texts
        ]
        path.write_text("\n".join(lines) + "\n", encoding="gb18030")
    else:
        path.write_text("\n".join(map(",".join, [NAMES, *texts])) + "\n", encoding="gb18030")
    return path


@pytest.fixture
def load(tmp_path):
    def loaded(path, mapping=MAPPING, **options):
        toml = tmp_path / "map.toml"
        toml.write_text(mapping, encoding="utf-8")
        log = CallLog(tmp_path / "centre.duckdb")
        return log, log.load(path, source="generic", mapping=toml, **options)

    return loaded


def rows(log):
    names = ("call_id", "arrived_at", "talk_s", "outcome")
    return log.table("calls").sort("call_id").select(names).rows()


@pytest.mark.parametrize("kind", ["text", "ndjson", "parquet", "excel"])
def test_every_kind_of_file_loads_the_same_rows(tmp_path, load, kind):
    log, report = load(written(tmp_path / "a.dat", kind))
    assert (report.read, report.loaded) == (2, 2), report.summary()
    assert rows(log) == EXPECTED
    assert any("gb18030" in told for told in report.remarks) == (kind in ("text", "ndjson"))


# ---- Excel --------------------------------------------------------------------------------------


def test_cells_of_excel_by_their_kind(tmp_path, load):
    mapping = MAPPING.replace("[units]", '[units]\nwait_s = "day"\nhold_s = "hms"').replace(
        "[columns]", '[columns]\nwait_s = "等待"\nhold_s = "保持"\nqueue = "队列"\nsite = "是"'
    )
    header = [*NAMES[:4], "等待", "保持", "队列", "是"]
    row = [1234567890123, AT, timedelta(seconds=90), "接通", 90 / 86400, time(0, 1, 7), 12.5, True]
    log, report = load(workbook(tmp_path / "a.xlsx", {"s": [header, row]}), mapping)
    assert report.loaded == 1, report.summary()
    found = log.table("calls").row(0, named=True)
    assert (found["call_id"], found["queue"], found["site"]) == ("1234567890123", "12.5", "true")
    assert (found["talk_s"], found["wait_s"], found["hold_s"]) == (90.0, 90.0, 67.0)


def test_serial_numbers_of_excel_in_text(tmp_path, load):
    path = tmp_path / "a.csv"
    path.write_text("编号,呼入时间,通话时长,结果\n1,45719.3750579,1:00,接通\nx,0.5,1:00,接通\n")
    mapping = MAPPING.replace('["iso", "%Y/%m/%d %H:%M:%S"]', '"excel"')
    log, report = load(path, mapping)
    assert (report.loaded, report.rejected) == (1, 1)
    assert log.table("calls")["arrived_at"][0] == datetime(2025, 3, 3, 1, 0, 5, 3000, tzinfo=UTC)


def test_of_several_sheets_one_must_be_named(tmp_path, load):
    sheets = {"一月": [NAMES, ROWS[0]], "二月": [NAMES, ROWS[1]], "空": []}
    path = workbook(tmp_path / "a.xlsx", sheets)
    with pytest.raises(InputError, match="several sheets") as caught:
        load(path)
    assert "'一月', '二月'" in str(caught.value)
    assert "空" not in str(caught.value)
    with pytest.raises(InputError, match="no such sheet"):
        load(path, sheet="March")
    log, _ = load(path, sheet="二月")
    assert rows(log) == EXPECTED[1:]
    load(path, MAPPING.replace("[file]", '[file]\nsheet = "一月"'))
    assert rows(log) == EXPECTED


def test_a_sheet_or_a_table_is_refused_where_there_is_none(tmp_path, load):
    path = tmp_path / "a.csv"
    path.write_text(",".join(NAMES) + "\n1,2025/03/03 09:00:05,1:00:05,接通,\n")
    with pytest.raises(InputError, match=r"it has no sheets.*sheet='Calls'"):
        load(path, sheet="Calls")
    with pytest.raises(InputError, match=r"table='calls'.*name it in the mapping"):
        load(path, table="calls")
    with pytest.raises(InputError, match=r"which table its rows belong to.*leave the table out"):
        CallLog(tmp_path / "b.duckdb", time_zone="UTC").load(
            path, source="anonymous_bank", table="calls"
        )


def test_lines_may_end_in_carriage_returns_alone(tmp_path, load):
    path = tmp_path / "a.csv"
    lines = [",".join(NAMES), '1,2025/03/03 09:00:05,1:00:05,接通,"a\rb"', "x,y,1:00,接通,"]
    path.write_bytes("\r".join(lines).encode() + b"\r")
    log, report = load(path)
    assert (report.read, report.loaded, report.rejected) == (2, 1, 1)
    assert log.rejects()["line"].to_list() == [4]
    assert any("carriage returns alone" in note for note in report.remarks)
    assert log.table("calls")["arrived_at"][0] == datetime(2025, 3, 3, 1, 0, 5, tzinfo=UTC)


def test_chinese_that_comes_late_between_carriage_returns_is_found_out(tmp_path):
    lines = ["call_id,arrived_at,outcome,queue"]
    lines += [f"{i},2025-03-03T09:00:05Z,abandoned,sales" for i in range(20_000)]
    lines += [f"x{i},2025-03-03T09:00:05Z,abandoned,销售热线客户服务" for i in range(100)]
    for encoding in ("gb18030", "utf-16-le"):
        log = CallLog(tmp_path / f"{encoding}.duckdb", time_zone="UTC")
        path = tmp_path / f"calls_{encoding}.csv"
        path.write_bytes("\r".join([*lines, ""]).encode(encoding))
        report = log.load(path, source="ccanalytics", identifiers="as_they_are")
        assert (report.loaded, report.rejected) == (20_100, 0)
        assert any(encoding in note for note in report.remarks)


def test_a_header_with_some_carriage_returns_says_so(tmp_path, load):
    path = tmp_path / "a.csv"
    path.write_bytes((",".join(NAMES) + "\r1,2025/03/03 09:00:05,1:00:05,接通,\r\n").encode())
    with pytest.raises(InputError, match="let all lines end alike"):
        load(path)


@pytest.mark.parametrize("kind", ["excel", "text"])
def test_a_header_below_titles_is_found_and_said(tmp_path, load, kind):
    if kind == "excel":
        path = workbook(
            tmp_path / "a.xlsx", {"s": [NAMES, *ROWS, ["3", "soon", None, "接通"]]}, above=3
        )
    else:
        path = tmp_path / "a.csv"
        lines = [*("话务报表,2025", "by: Ann, Bo", ""), ",".join(NAMES)]
        lines += [
            "1,2025-03-03T09:00:05.25,26:00:05,接通,x",
            "2,2025/03/04 09:00:05,,放弃,",
            "3,soon,,接通,",
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    log, report = load(path)
    assert (report.loaded, report.rejected) == (2, 1)
    assert log.rejects()["line"].to_list() == [7]
    assert any("found in" in told and "4" in told for told in report.remarks)


def test_what_is_no_workbook_is_refused(tmp_path, load):
    path = tmp_path / "a.xlsx"
    for name in ("xl/workbook.xml", "word/document.xml"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("[Content_Types].xml", "<x/>")
            archive.writestr(name, "<not a workbook")
        with pytest.raises(InputError, match=r"a\.xlsx") as caught:
            load(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="empty"):
        load(workbook(path, {"s": []}))
    whole = workbook(path, {"s": [NAMES, *ROWS]}).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"a\.xlsx"):
        load(path)


def test_a_workbook_that_unpacks_beyond_the_limit_is_refused(tmp_path, load, monkeypatch):
    from ccanalytics.calllog.readers import excel

    monkeypatch.setattr(excel, "FREE_BYTES", 1000)
    path = workbook(tmp_path / "a.xlsx", {"s": [NAMES, *ROWS]})
    with pytest.raises(InputError, match="--most-times"):
        load(path, most_times=1.0)


def test_without_fastexcel_it_says_what_to_install(tmp_path, load, monkeypatch):
    path = workbook(tmp_path / "a.xlsx", {"s": [NAMES, *ROWS]})
    monkeypatch.setitem(__import__("sys").modules, "fastexcel", None)
    with pytest.raises(InputError, match=r"ccanalytics\[excel\]"):
        load(path)


# ---- NDJSON -------------------------------------------------------------------------------------


def test_members_within_members_and_lines_that_are_no_objects(tmp_path, load):
    mapping = MAPPING.replace('talk_s = "通话时长"', 'talk_s = "t.a/b.秒"').replace(
        '[units]\ntalk_s = "hms"', ""
    )
    good = {"编号": 7, "呼入时间": "2025-03-03T09:00:05", "结果": "接通", "x": [1, {"y": "z"}]}
    late = {**good, "编号": "late", "t": {"a/b": {"秒": 12.5}, "": None}}
    lines = [json.dumps(good), "", '{"编号": ', "[1, 2]", "3", json.dumps(late, ensure_ascii=False)]
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join(lines).encode() + b'\n{"\xff": 1}\n')
    log, report = load(path, mapping)
    assert (report.read, report.loaded, report.rejected) == (6, 2, 4)
    assert dict(log.table("calls").select("call_id", "talk_s").rows()) == {"7": None, "late": 12.5}
    assert log.rejects()["line"].to_list() == [3, 4, 5, 7]
    assert {reason.split(":")[0] for reason in report.reasons} == {
        "not valid JSON",
        "not a JSON object",
    }


def test_canonical_tables_come_as_ndjson_and_excel_too(tmp_path):
    row = {"call_id": "a", "arrived_at": "2025-03-03T09:00:00Z", "outcome": "answered"}
    (tmp_path / "calls_1.ndjson").write_text(json.dumps(row) + "\n")
    cells = [list(row), ["b", "2025-03-03T10:00:00Z", "abandoned"]]
    workbook(tmp_path / "calls_2.xlsx", {"calls": cells})
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    assert log.load(tmp_path, source="ccanalytics").loaded == 2
    assert sorted(log.table("calls")["call_id"]) == ["a", "b"]


# ---- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        ("%Y/%m/%d %p %I:%M:%S", ["2025/3/3 上午 9:00:05", "2025/03/03 AM 09:00:05"]),
        ("%d/%m/%Y %I:%M:%S %p", ["03/03/2025 9:00:05 am", "3/3/2025 09:00:05 A.M."]),
        (
            "%Y年%m月%d日 %H:%M:%S",
            ["2025年3月3日 09:00:05", "２０２５年０３月０３日 ０９：００：０５"],
        ),
        ("%d.%m.%Y %H:%M:%S,%3f", ["03.03.2025 09:00:05,000"]),
        ("iso", ["2025-03-03 09:00:05.000", "２０２５－０３－０３ ０９：００：０５"]),
    ],
)
def test_forms_of_moments(tmp_path, load, form, texts):
    path = tmp_path / "a.csv"
    lines = [f"{i};{text};;接通" for i, text in enumerate(texts)]
    path.write_text("\n".join(["编号;呼入时间;通话时长;结果", *lines]) + "\n", encoding="utf-8")
    mapping = MAPPING.replace('["iso", "%Y/%m/%d %H:%M:%S"]', f'"{form}"\ndelimiter = ";"')
    log, report = load(path, mapping)
    assert report.loaded == len(texts), report.reasons
    assert set(log.table("calls")["arrived_at"]) == {datetime(2025, 3, 3, 1, 0, 5, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("signs", "unit", "texts"),
    [
        (
            'decimal = ","\nthousands = "."',
            "s",
            {"1.234,5": 1234.5, "90,25": 90.25, "9": 9, "1.5": None, "1.23": None},
        ),
        ('thousands = ","', "s", {"1,234.5": 1234.5, "1,23": None, "12": 12, "1，234": 1234}),
        ("", "s", {"９０": 90, "1,234": None}),
        (
            "",
            "hms",
            {
                "26:00:05": 93605,
                "１：３１": 91,
                "1小时2分3秒": 3723,
                "2m 30s": 150,
                "45秒": 45,
                "秒": None,
                "90": None,
            },
        ),
        ("", "day", {"0.00104166667": 90.0, "1.5": 129600.0, "x": None}),
    ],
)
def test_numbers_and_durations_as_people_write_them(tmp_path, load, signs, unit, texts):
    path = tmp_path / "a.csv"
    lines = [f"{i}\t2025-03-03T09:00:05\t{text}\t接通" for i, text in enumerate(texts)]
    path.write_text("\n".join(["编号\t呼入时间\t通话时长\t结果", *lines]) + "\n", encoding="utf-8")
    mapping = MAPPING.replace("[columns]", f'delimiter = "tab"\n{signs}\n[columns]').replace(
        "hms", unit
    )
    log, report = load(path, mapping)
    found = {int(i): value for i, value in log.table("calls").select("call_id", "talk_s").rows()}
    assert found == pytest.approx({i: v for i, v in enumerate(texts.values()) if v is not None})
    assert report.rejected == sum(v is None for v in texts.values())


# ---- several files ------------------------------------------------------------------------------

HEADER = "call_id,arrived_at,outcome\n"


def calls(path, name, content=None):
    path.write_text(HEADER + (content or f"{name},2025-03-03T09:00:00Z,answered\n"))


@pytest.mark.parametrize("given", ["folder", "pattern", "list"])
def test_a_bad_file_does_not_keep_the_others_out(tmp_path, capsys, given):
    folder = tmp_path / "ex ports"
    folder.mkdir()
    for name in ("calls_b", "calls_a", "calls_d"):
        calls(folder / f"{name}.csv", name)
    (folder / "calls_c.csv").write_text("not,the,header\n1,2,3\n")
    (folder / "README.md").write_text("# notes")
    (folder / ".hidden.csv").write_text("x")
    paths = {
        "folder": [str(folder)],
        "pattern": [str(folder / "calls_?.csv")],
        "list": [str(folder / f"calls_{x}.csv") for x in "abcd"],
    }[given]
    log = tmp_path / "centre.duckdb"
    code = main(
        ["load", *paths, "--source", "ccanalytics", "--log", str(log), "--time-zone", "UTC"]
    )
    out, err = capsys.readouterr()
    assert code == 2
    assert [line.split(":")[0].split("/")[-1] for line in out.splitlines()[:3]] == [
        "calls_a.csv",
        "calls_b.csv",
        "calls_d.csv",
    ]
    assert "Read 3 rows: 3 loaded" in out
    assert ("README.md" in out) == (given == "folder")
    assert "calls_c.csv" in err.strip().splitlines()[-1]
    assert sorted(CallLog(log).table("calls")["call_id"]) == ["calls_a", "calls_b", "calls_d"]


def test_progress_runs_over_all_files(tmp_path):
    for name in "abc":
        calls(tmp_path / f"calls_{name}.csv", name)
    told = []
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    report = log.load(tmp_path, source="ccanalytics", progress=lambda *step: told.append(step))
    total = sum(path.stat().st_size for path in tmp_path.glob("calls_*.csv"))
    assert {step[1] for step in told} == {total}
    assert [step[0] for step in told] == sorted(step[0] for step in told)
    assert told[-1] == (total, total, "calls_c.csv")
    assert [one.loaded for one in report.files] == [1, 1, 1]


def test_where_no_file_can_be_loaded_it_is_an_error(tmp_path):
    for name in "ab":
        (tmp_path / f"calls_{name}.csv").write_text("x\n1\n")
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    with pytest.raises(InputError, match="none of 2 files"):
        log.load(tmp_path, source="ccanalytics")
    assert not log.path.exists()


NAMES_OF_FILES = [
    "calls_[1].csv",
    "calls_*.csv",
    "calls_?.csv",
    "calls_'\".csv",
    "calls_\n.csv",
    "calls_{a}$(b).csv",
]


def test_names_with_signs_of_patterns_are_names_first(tmp_path, capsys):
    for i, name in enumerate(NAMES_OF_FILES):
        calls(tmp_path / name, f"c{i}")
    log = tmp_path / "centre.duckdb"
    for name in NAMES_OF_FILES:
        report = CallLog(log, time_zone="UTC").load(tmp_path / name, source="ccanalytics")
        assert (report.loaded, len(report.files)) == (1, 1)
    code = main(
        ["load", str(tmp_path / NAMES_OF_FILES[4]), "--source", "ccanalytics", "--log", str(log)]
    )
    assert code == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    chosen = files_to_load(str(tmp_path / "calls_[[]1].csv"), find_source("ccanalytics"))
    assert [file.name for file in chosen.files] == ["calls_[1].csv"]


def test_what_is_no_file_in_a_folder_is_named_and_the_rest_comes_in(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    os.mkfifo(folder / "calls_pipe.csv")
    (folder / "calls_folder.csv").mkdir()
    (folder / "calls_loop.csv").symlink_to(folder / "calls_loop.csv")
    (folder / "deep").symlink_to(folder)
    calls(folder / "calls_a.csv", "a")
    (folder / "calls_b.csv").symlink_to(folder / "calls_a.csv")
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    report = log.load(folder, source="ccanalytics")
    assert report.loaded == 1
    assert {Path(name).name for name in report.failed} == {
        "calls_pipe.csv",
        "calls_loop.csv",
    }
    assert "pipe" in report.summary()
    for path in ("calls_pipe.csv", "calls_folder.csv", "nothing*.csv"):
        with pytest.raises(InputError):
            log.load(folder / path, source="ccanalytics")


def test_nothing_is_named(tmp_path):
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    for given in ([], [tmp_path / "none*"], "a\0b"):
        with pytest.raises(InputError):
            log.load(given, source="ccanalytics")


# ---- hostile ------------------------------------------------------------------------------------


def test_ten_thousand_columns(tmp_path, load):
    more = [f"c{i}" for i in range(10_000)]
    path = tmp_path / "a.csv"
    row = ["1", "2025-03-03T09:00:05", "1:00", "接通"] + ["x"] * 10_000
    path.write_text(
        "\n".join([",".join([*NAMES[:4], *more]), ",".join(row)]) + "\n", encoding="utf-8"
    )
    assert load(path)[1].loaded == 1


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("x = " + "[" * 5000 + "]" * 5000, "map.toml"),
        ('[columns]\nqueue = "' + "x" * (1 << 21) + '"', "1 MiB"),
        (
            '[file]\ntime_zone = "UTC"\nnull = '
            + str([{"a": {"b": ["c"] * 3000}}]).replace(": ", " = ").replace("'", '"'),
            "null",
        ),
        ('[file]\ntime_zone = "UTC"\ndelimiter = 1' + "0" * 4000, "delimiter"),
        ('[file]\ntime_zone = "UTC"\ndecimal = ","\nthousands = ","', "thousands"),
        ('[file]\ntime_zone = "UTC"\nsheet = 3', "sheet"),
    ],
)
def test_mappings_that_are_traps(tmp_path, load, text, word):
    needed = '\n[columns]\narrived_at = "a"\noutcome = "b"\n'
    with pytest.raises(InputError) as caught:
        load(written(tmp_path / "a.csv", "text"), text + needed * ("[columns]" not in text))
    assert word in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_mapping_that_is_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "map.toml")
    log = CallLog(tmp_path / "centre.duckdb")
    with pytest.raises(InputError, match="pipe"):
        log.load(
            written(tmp_path / "a.csv", "text"), source="generic", mapping=tmp_path / "map.toml"
        )


def test_the_command_proposes_prints_and_writes(tmp_path, capsys):
    path, toml = written(tmp_path / "a.csv", "text"), tmp_path / "map.toml"
    assert main(["mapping", str(path)]) == 0
    assert 'call_id = "' not in (printed := capsys.readouterr().out) or '"编号"' in printed
    assert main(["mapping", str(path), "--time-zone", "UTC", "--output", str(toml), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["source"], told["questions"], told["usable"]) == (
        1,
        "generic",
        [],
        2,
    )
    log = str(tmp_path / "l.duckdb")
    assert (
        main(["load", str(path), "--source", "generic", "--mapping", str(toml), "--log", log]) == 0
    )
    assert main(["mapping", str(path), "--output", str(toml)]) == 2
    assert "already" in capsys.readouterr().err
    assert main(["mapping", str(tmp_path / "nothing.csv")]) == 2


def test_gzip_and_excel_bytes_count_for_the_bar(tmp_path, load):
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress(written(tmp_path / "b.csv", "text").read_bytes()))
    told = []
    load(path, progress=lambda *step: told.append(step))
    assert told[-1][0] == told[-1][1] == path.stat().st_size
