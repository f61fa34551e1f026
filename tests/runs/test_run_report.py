"""The page: one file, no other host, text as text, and small apart from plotly.js."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from plotly.offline import get_plotlyjs

from ccanalytics import runs
from ccanalytics.runs.figures import Figures, in_script

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.notebook


class _Page(HTMLParser):
    """Elements, attributes and scripts of a page, as a parser sees them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.words: list[str] = []
        self._raw = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._raw = tag if tag in {"script", "style"} else ""
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._raw = ""

    def handle_data(self, data: str) -> None:
        if self._raw == "script":
            attrs, text = self.scripts[-1]
            self.scripts[-1] = (attrs, text + data)
        elif not self._raw:
            self.words.append(data)


@pytest.fixture(scope="module")
def text(waits_run: runs.Run) -> str:
    return waits_run.output.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> _Page:
    return _Page(text)


def test_the_page_is_whole(text: str, page: _Page) -> None:
    assert text.startswith("<!DOCTYPE html>")
    assert "@@" not in text.replace(get_plotlyjs(), "")
    assert ("html", {"lang": "en"}) in page.elements
    words = " ".join(page.words)
    assert words.count("How long do callers wait?") == 2  # title and H1
    assert "noscript" in {tag for tag, _ in page.elements}


def test_plotly_is_there_once_and_the_rest_is_small(text: str) -> None:
    plotly = get_plotlyjs()
    assert text.count(plotly) == 1
    assert len(text) - len(plotly) < 80_000


def test_no_other_host_is_named(text: str, page: _Page) -> None:
    for tag, attributes in page.elements:
        for name in ("src", "href", "action", "data", "poster", "srcset", "background"):
            address = attributes.get(name)
            assert address is None or address.startswith(("#", "data:")), (tag, address)
    own = text.replace(get_plotlyjs(), "")
    assert "url(" not in own
    assert "@import" not in own
    assert re.findall(r"https?://[^\s<)\"]+", own) == ["https://example.org/methods"]


def test_the_policy_names_every_script_by_its_hash(page: _Page) -> None:
    (policy,) = [
        attributes["content"]
        for tag, attributes in page.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    running = [s for attributes, s in page.scripts if attributes.get("type") != "application/json"]
    assert len(running) == 2
    for script in running:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in rules["script-src"]


def test_text_of_a_log_stays_text(page: _Page) -> None:
    assert not [attrs for _, attrs in page.elements if any(a.startswith("on") for a in attrs)]
    assert "img" not in {tag for tag, _ in page.elements}
    words = " ".join(page.words)
    assert "<script>alert(1)</script>" in words
    assert "</script><img src=x onerror=window.hacked=1>" in words
    blocks = [s for attributes, s in page.scripts if attributes.get("type") == "application/json"]
    assert len(blocks) == 8  # seven figures and their templates
    for block in blocks:
        assert "<" not in block
        json.loads(block)


def test_answer_first_then_sections(page: _Page, text: str) -> None:
    body = text[text.index("<body>") : text.index('id="templates"')]
    order = ["<h1>", "The question.", 'class="headline"', "<nav", 'id="answer"', "Where this comes"]
    places = [body.index(mark) for mark in order]
    assert places == sorted(places)
    headline = body[body.index('class="headline"') : body.index('class="more"')]
    assert "Counted as" not in headline  # the method follows below
    # What speaks against it does not wait, and its sign is text that can be copied.
    assert "✗</span> <b>Steady weeks:</b> " in headline
    contents = re.search(r"<nav.*?</nav>", body, re.DOTALL)[0]
    links = re.findall(r'href="#([^"]+)">([^<]+)<', contents)
    assert [words for _, words in links][:2] == ["The answer", "Volume by weekday and hour"]
    for name, _ in links:
        assert f'id="{name}"' in body


def test_code_is_shown_on_demand_only(text: str, page: _Page) -> None:
    outside = re.sub(r"(?s)<details class=\"working\">.*?</details>", "", text)
    assert "import polars as pl" in text
    assert "import polars as pl" not in outside
    assert "log = &quot;&quot;" not in text  # parameters stand in the table instead
    assert "# a warning for the author" in text
    assert "# a warning for the author" not in outside


def test_a_section_the_data_cannot_answer_says_so_and_is_left_out(text: str) -> None:
    assert "This log holds no self-service records: load the SMS and web exports" in text
    assert "This paragraph is left out" not in text
    assert "never shown" not in text
    assert "Limits of this answer" in text


def test_provenance(text: str, waits_run: runs.Run, tiny_log: Path) -> None:
    footer = text[text.index('id="provenance"') :]
    assert waits_run.fingerprint in footer
    assert "tiny.duckdb" in footer
    assert str(tiny_log.parent) not in text  # a report travels; its maker's folders do not
    assert "holds 2 calls" in footer
    for name, version in waits_run.versions.items():
        assert f"{name} {version}" in footer
    row = re.search(r"<tr><td><code>goal</code>.*?</tr>", footer, re.DOTALL)[0]
    assert "0.85 <small>(changed)" in row
    assert "share of calls to be answered in time" in row


def test_tables_have_labels_units_and_few_digits(text: str) -> None:
    table = re.search(r"<div class=\"table\"><table><thead><tr><th[^>]*>Service<.*?</table>", text)[
        0
    ]
    assert "Service level, low" in table
    assert "81.2%" in table
    assert "0.8123456" not in table
    assert "Average speed of answer (s)" in table
    assert table.count('<td class="num">–</td>') == 4  # null and nan
    assert ">2025<" in table  # a year has no separator


def test_a_report_without_charts_carries_no_plotly(
    write_notebook, tiny_log: Path, tmp_path: Path
) -> None:
    path = write_notebook("# Plain", "'a < b'")
    done = runs.run(path, tiny_log, output=tmp_path / "r.html")
    text = done.output.read_text(encoding="utf-8")
    assert done.charts == 0
    assert len(text) < 30_000
    assert "script-src 'none'" in text
    assert "a &lt; b" in text


def test_figures_share_templates_and_lose_links() -> None:
    figures = Figures()
    layout = {
        "template": {"layout": {"font": {"size": 14}}},
        "title": {"text": "A<br>B &amp; <b>C</b>", "subtitle": {"text": "S"}},
        "height": 500,
        "margin": {"t": 110},
        "xaxis": {"title": {"text": '<a href="https://example.org">x</a><br><b>y</b>'}},
    }
    first = figures.html(
        {"data": [{"type": "scattergl", "name": "<a href='x'>"}], "layout": layout}
    )
    figures.html({"data": [], "layout": layout})
    assert len(json.loads(figures.templates_json())) == 1
    assert "<h3>A B &amp; C</h3><p>S</p>" in first
    drawn = json.loads(re.search(r"<script[^>]*>(.*?)</script>", first)[1])
    assert drawn["data"][0] == {"type": "scatter", "name": "&lt;a href='x'>"}
    assert drawn["layout"]["xaxis"]["title"]["text"].startswith("&lt;a href")
    assert drawn["layout"]["xaxis"]["title"]["text"].endswith("<b>y</b>")
    assert "title" not in drawn["layout"]
    # The room of the title is given back; the plot keeps its height.
    assert drawn["layout"]["height"] - drawn["layout"]["margin"]["t"] == 500 - 110


def test_json_in_a_script_reads_back() -> None:
    value = {"a": "</script><!--<script>", "b": "中 文 &amp;"}
    assert json.loads(in_script(json.dumps(value, ensure_ascii=False))) == value
    assert "<" not in in_script(json.dumps(value))
