"""Text from a log is data everywhere: in SQL, HTML, spreadsheets, paths and terminals."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

import ccanalytics as cc
from ccanalytics import charts, deflection, handletime, quality
from ccanalytics.calllog.rollups.scope import KEYS
from ccanalytics.cli import main
from ccanalytics.runs.tables import html_table
from ccanalytics.schema import TABLES

AT = datetime(2025, 3, 3, 9, tzinfo=UTC)
NASTY = (
    "'); DROP TABLE calls; --",
    '"; DROP VIEW base; --',
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}{% raw %}${7*7}",
    "=cmd|'/c calc'!A1",
    "../../x",
    "\\0\\x00%00\x01\x1b[31m",
    "😀 \u202e zero\u200bwidth",
    "O'Brien; $1 ?",
)


def _values(i):
    return NASTY[i % len(NASTY)]


@pytest.fixture(scope="module")
def nasty(make_log):
    """A log in which every free text of every table is one of the above."""
    tables = {}
    for table in TABLES.values():
        rows = []
        for i in range(3 * len(NASTY)):
            at = AT + timedelta(minutes=10 * i)
            row = {}
            for column in table.columns:
                if column.kind == "text":
                    row[column.name] = column.values[0] if column.values else f"{_values(i)}"
                elif column.kind == "timestamp":
                    row[column.name] = at
                elif column.kind == "date":
                    row[column.name] = (at + timedelta(days=i)).date()
                elif column.kind == "flag":
                    row[column.name] = True
                else:
                    row[column.name] = 30
            # Keys must differ; the text stays in them.
            for name in table.key:
                if table.column(name).kind == "text" and not table.column(name).values:
                    row[name] = f"{_values(i)}{'' if i < len(NASTY) else i}"
            rows.append(row)
        tables[table.name] = rows
    calls = tables.pop("calls")
    for row in calls:
        row |= {"answered_at": row["arrived_at"], "ended_at": row["arrived_at"]}
    return make_log(calls, "UTC", **tables)


def test_rollups_give_the_texts_back_and_harm_nothing(nasty, log_content):
    before = log_content(nasty)
    for key in KEYS:
        if nasty.table("calls")[key].n_unique() > 1 and key not in ("outcome", "transfer"):
            frame = nasty.intervals("1h", by=[key])
            assert set(NASTY) <= set(frame[key])
            for value in NASTY:
                chosen = nasty.intervals("1h", by=[key], where={key: value})
                assert set(chosen[key]) == {value}
    assert set(NASTY) <= set(nasty.panel("service", every="1d")["unit"])
    assert set(NASTY) <= set(nasty.self_service(by=["service"])["service"])
    assert set(NASTY) <= set(nasty.handle_times(by=["agent"])["agent"])
    assert set(NASTY) <= set(nasty.agent_handling(by=["service"])["agent"])
    assert set(NASTY) <= set(nasty.agents()["team"])
    nasty.recontacts(by=["queue"])
    assert set(NASTY) <= set(nasty.reviews(["item"])["item"])
    assert set(NASTY) <= set(nasty.reviews(["agent"], "1w")["agent"])
    assert set(NASTY) <= set(nasty.surveys(["service", "agent"])["service"])
    assert set(NASTY) <= set(nasty.tickets(["owner", "service"])["owner"])
    assert set(NASTY) <= set(nasty.tickets_opened("1d", by=["service"])["service"])
    nasty.resolutions((1,), by=["service"])  # all of these calls continue another
    assert set(NASTY) <= set(nasty.agent_calls()["agent"])
    for value in NASTY:
        assert set(nasty.tickets(["service"], where={"service": value})["service"]) == {value}
        assert set(nasty.reviews(["service"], where={"service": value})["service"]) <= {value}
    nasty.review_pairs()
    for name in TABLES:
        nasty.table(name)
    assert log_content(nasty) == before


def test_checks_are_harmless_in_words_json_and_html(nasty, log_content, tmp_path, capsys):
    before = log_content(nasty)
    page = tmp_path / "check.html"
    assert main(["check", "--log", str(nasty.path), "--html", str(page)]) == 0
    out = capsys.readouterr().out
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e\u200b]", out)
    assert main(["check", "--log", str(nasty.path), "--json"]) == 0
    json.loads(capsys.readouterr().out)
    html = page.read_text(encoding="utf-8")
    _harmless(html)
    assert "<script" not in html
    assert log_content(nasty) == before


def _harmless(html):
    """No element of the log's making, and no template that was worked out."""
    body = html.split("<body>", 1)[1]
    assert "<script>alert" not in body
    assert not re.search(r"<img[^>]*onerror", body)
    assert "&lt;script" in body or "\\u003cscript" in body or "script" not in body


def test_report_tables_and_files_are_harmless(nasty, tmp_path):
    times = handletime.distribution(nasty.handle_times(by=["agent"]), by=["agent"])
    html = html_table(times.table())
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "{{7*7}}" in html
    tickets = quality.tickets(nasty.tickets(["owner"]))
    for frame in (tickets.table(), quality.error_rates(nasty.reviews(["item"])).table()):
        assert "<script>" not in html_table(frame)
    assert "<script>" not in tickets._repr_html_()
    page = quality.agent_file(NASTY[2], nasty.agent_calls(), reviews=nasty.reviews(["agent"]))
    assert "<script>" not in page._repr_html_()
    for figure in (charts.tickets_pareto(tickets), charts.agent_page(page)):
        assert "<script>" not in str(figure.to_dict())
    funnel = deflection.funnel(nasty.self_service(by=["service"]), window_days=7)
    assert "<script>" not in funnel._repr_html_()
    path = tmp_path / "times.csv"
    times.table().write_csv(path)
    with path.open(encoding="utf-8", newline="") as file:
        assert set(NASTY) <= {row["agent"] for row in csv.DictReader(file)}


def test_a_formula_in_a_sheet_stays_a_text(nasty, tmp_path):
    """polars writes texts as texts; a spreadsheet must not take one for a formula or a link."""
    pytest.importorskip("xlsxwriter")
    import zipfile

    path = tmp_path / "times.xlsx"
    nasty.handle_times(by=["agent"]).write_excel(path)
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert not [n for n in book.namelist() if "externalLink" in n]
    back = pl.read_excel(path)
    assert "=cmd|'/c calc'!A1" in set(back["agent"])


@pytest.mark.notebook
def test_a_notebook_on_such_a_log_is_harmless(nasty, log_content, tmp_path):
    from ccanalytics.runs import run

    before = log_content(nasty)
    done = run(
        "handle_time",
        log=nasty.path,
        parameters={"by": "agent", "floor_s": 1},
        output=tmp_path / "times.html",
        small_cells=0,
    )
    html = done.output.read_text(encoding="utf-8")
    _harmless(html)
    assert "{{7*7}}" in html
    assert log_content(nasty) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["times.html"]


@pytest.mark.parametrize("name", ["a'; DROP TABLE x; --.duckdb", "<b>&{{7}}.duckdb", "😀.duckdb"])
def test_names_of_files_are_data_too(tmp_path, write_table, name):
    path = write_table(tmp_path / "calls.csv", "calls", [{"arrived_at": AT}])
    log = cc.CallLog(tmp_path / name, time_zone="UTC")
    assert log.load(path, "ccanalytics").loaded == 1
    assert log.check().rows["calls"] == 1
    assert log.forget("2025-01-01").rows == {}
    page = tmp_path / "check.html"
    assert main(["check", "--log", str(log.path), "--html", str(page)]) == 0
    assert "<b>&{{7}}" not in page.read_text(encoding="utf-8").replace("&amp;", "&")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["calls.csv", name, "check.html"])


def test_what_steers_a_terminal_is_printed_escaped(tmp_path, capsys):
    """Colours, bells and turned text in an unknown code came through to the screen."""
    (tmp_path / "m.toml").write_text(
        '[file]\ntime_zone = "UTC"\n[columns]\narrived_at = "at"\noutcome = "how"\n'
        '[outcomes]\nOK = "answered"\n'
    )
    codes = ["OK", "\x1b[31mred", "bell\x07", "\u202eturned", "\x9b2J", "a\u2028b"]
    rows = "".join(f"2025-03-03T09:00:00Z,{code}\n" for code in codes)
    (tmp_path / "x.csv").write_text("at,how\n" + rows, encoding="utf-8")
    log = ["--log", str(tmp_path / "centre.duckdb")]
    mapped = ["--source", "generic", "--mapping", str(tmp_path / "m.toml"), "--no-pseudonyms"]
    wild = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e]")
    for said in (
        ["load", str(tmp_path / "x.csv"), *mapped, *log],
        ["load", str(tmp_path / "x.csv"), *mapped, *log, "--json"],
        ["check", *log, "--rejects", "9"],
        ["check", *log, "--rejects", "9", "--json"],
        ["mapping", str(tmp_path / "x.csv")],
    ):
        assert main(said) == 0
        printed = capsys.readouterr()
        assert not wild.search(printed.out + printed.err)
        assert "--json" not in said or json.loads(printed.out)
    assert cc.CallLog(tmp_path / "centre.duckdb").rejects().height == len(codes) - 1
