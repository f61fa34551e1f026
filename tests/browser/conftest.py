"""Reports opened as a reader opens them: the distribution's Chromium, no network."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What a chart draws its data with: lines and points, bars, shaded areas, and heat maps (images).
_MARKS = (
    ".scatterlayer .trace path, .scatterlayer .trace text, .barlayer .point path, "
    ".boxlayer path, .heatmaplayer image"
)
_CHARTS = """(marks) => [...document.querySelectorAll('figure.chart')].map(figure => {
    const size = node => {
        const box = node.getBoundingClientRect();
        return [box.width, box.height];
    };
    const page = document.documentElement.clientWidth;
    const drawn = node => { const [w, h] = size(node); return w > 0 || h > 0; };
    return {
        title: figure.querySelector('figcaption h3')?.textContent ?? '',
        sheets: [...figure.querySelectorAll('svg.main-svg')].map(size),
        marks: [...figure.querySelectorAll(marks)].filter(drawn).length,
        traces: JSON.parse(figure.querySelector('script').textContent).data.length,
        texts: [...figure.querySelectorAll('svg text')].map(text => text.textContent.trim()),
        beyond: [...figure.querySelectorAll('svg text')].filter(text => {
            const box = text.getBoundingClientRect();
            return box.width && (box.left < -1 || box.right > page + 1);
        }).map(text => text.textContent),
    };
})"""


@dataclass
class OpenReport:
    """A report in the browser, and what the browser had to say."""

    page: Any
    path: Path
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def charts(self) -> list[dict[str, Any]]:
        """Title, sizes of the drawing sheets, number of drawn marks and texts of every chart."""
        return self.page.evaluate(_CHARTS, _MARKS)

    def check_charts(self, at_least: int = 1) -> list[dict[str, Any]]:
        """Check that every chart has sheets with a size, drawn data and words; give them."""
        charts = self.charts()
        assert len(charts) >= at_least
        for chart in charts:
            assert chart["sheets"], f"{chart['title']}: nothing is drawn"
            assert all(w > 100 and h > 100 for w, h in chart["sheets"][:1]), chart["title"]
            assert chart["marks"] >= 1, f"{chart['title']}: no data is drawn"
            assert chart["texts"], f"{chart['title']}: no labels"
        return charts

    def check_quiet(self) -> None:
        """Check that there was no console message and no request but for the file itself."""
        assert self.messages == []
        assert [url for url in self.requests if not url.startswith(("data:", "blob:"))] == [
            self.path.as_uri()
        ]

    def check_fits(self) -> None:
        """Check that the page does not scroll sideways."""
        wide, window = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= window


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The distribution's Chromium; without one the tests skip, in CI they fail."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no chromium on the PATH: apt-get install chromium")
        pytest.skip("no chromium on the PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def open_report(chromium: Any) -> Iterator[Callable[..., OpenReport]]:
    """Open a report: ``open_report(path, width=1280)``, with the network off."""
    contexts = []

    def open_(path: Path, width: int = 1280, *, scripts: bool = True) -> OpenReport:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            offline=True,
            java_script_enabled=scripts,
            has_touch=width < 600,
        )
        contexts.append(context)
        opened = OpenReport(context.new_page(), Path(path).resolve())
        page = opened.page
        page.on("console", lambda message: opened.messages.append(message.text))
        page.on("pageerror", lambda error: opened.messages.append(str(error)))
        page.on("dialog", lambda dialog: opened.messages.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: opened.requests.append(request.url))
        page.goto(opened.path.as_uri())
        if scripts and page.query_selector("figure.chart"):
            page.wait_for_selector("html[data-charts=drawn]", timeout=30_000)
        return opened

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def waits_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the fixture notebook, on a log of two calls."""
    from ccanalytics.calllog import CallLog
    from ccanalytics.runs import run

    folder = tmp_path_factory.mktemp("browser")
    rows = "arrived_at,outcome\n2025-03-03T09:00:00Z,abandoned\n"
    (folder / "calls.csv").write_text(rows, encoding="utf-8")
    log = folder / "tiny.duckdb"
    CallLog(log, time_zone="Europe/London").load(folder / "calls.csv", source="ccanalytics")
    notebook = Path(__file__).parents[1] / "runs" / "fixtures" / "waits.ipynb"
    return run(notebook, log, output=folder / "a report, 报告.html").output
