"""A frame as a reader's table."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pandas as pd
import polars as pl
import pytest

from ccanalytics.runs.tables import html_table


def _cells(html: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("service_level", 0.81234, "81.2%"),
        ("abandonment_low", -0.05, "−5.0%"),
        ("asa_s", 12.3456, "12.3"),
        ("service_level", 0.0003, "0.03%"),
        ("talk_s", 123456.7, "123,457"),
        ("load", 1234.5678, "1,235"),
        ("load", 0.0245, "0.0245"),
        ("load", 12.3456, "12.35"),
        ("load", 2.0, "2"),
        ("load", 0.0, "0"),
        ("load", float("inf"), "∞"),
        ("load", 0.00001234, "1e−05"),
        ("offered", 31599, "31,599"),
        ("year", 2025, "2025"),
        ("items_marked", 10260, "10,260"),
        ("tickets", 6986, "6,986"),
        ("mix_s", -0.0, "0"),
        ("open", True, "yes"),
        ("day", date(1999, 2, 3), "1999-02-03"),
        ("at", datetime(1999, 2, 3, 4, 5, tzinfo=UTC), "1999-02-03 04:05 UTC"),
        ("local", datetime(1999, 2, 3, 4, 5, 6), "1999-02-03 04:05:06"),
        ("days", [1, 2], "1, 2"),
        ("name", "<b>&", "&lt;b&gt;&amp;"),
        ("name", None, "–"),
    ],
)
def test_values_are_written_for_people(column: str, value: object, shown: str) -> None:
    frame = pl.DataFrame({column: [value]})
    assert _cells(html_table(frame))[1] == [shown]


def test_heads_are_labels_with_units_and_definitions() -> None:
    frame = pl.DataFrame({"service_level_high": [1.0], "asa_s": [2.0], "team_name": ["a"]})
    html = html_table(frame)
    assert _cells(html)[0] == [
        "Service level, upper limit",
        "Average speed of answer (s)",
        "Team name",
    ]
    assert 'title="mean wait of answered calls"' in html
    assert html.count('class="num"') == 4  # head and cell of the two numbers


def test_a_long_table_says_that_it_is_cut() -> None:
    html = html_table(pl.DataFrame({"n": range(1344)}))
    assert len(_cells(html)) == 101
    assert "The first 100 of 1,344 rows." in html


def test_a_column_keeps_its_points_in_line_and_no_number_vanishes() -> None:
    frame = pl.DataFrame({"load": [12.3456, 3.0, 0.001, None]})
    assert [row[0] for row in _cells(html_table(frame))[1:]] == ["12.35", "3.00", "0.001", "–"]


@pytest.mark.parametrize(("rows", "tall"), [(15, False), (16, True)])
def test_a_long_table_scrolls_in_its_box(rows: int, *, tall: bool) -> None:
    assert ("tall" in html_table(pl.DataFrame({"n": range(rows)}))) is tall


def test_an_empty_table_says_so() -> None:
    assert "No rows." in html_table(pl.DataFrame({"offered": []}))


def test_pandas_keeps_its_index_and_strange_frames_keep_their_own_form() -> None:
    frame = pd.DataFrame({"calls": [1]}, index=pd.Index(["a"], name="service"))
    assert _cells(html_table(frame)) == [["Service", "Calls"], ["a", "1"]]
    assert html_table(pd.DataFrame({"x": [object()]})) is None
    assert html_table([1]) is None


def test_a_time_in_hours_says_so_once():
    html = html_table(pl.DataFrame({"median_hours": [15.0], "agent_hours": [3.0]}))
    heads = _cells(html)[0]
    assert heads == ["Median to close (h)", "Agent-hours"]
