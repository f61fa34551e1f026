"""The demo as a user meets it: a small centre, the same loader, its reports in the browser."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from filelock import FileLock

from ccanalytics.cli import main

pytestmark = pytest.mark.browser

NOTEBOOKS = (
    "bulletin", "coverage", "deflection", "handle_time", "quality", "reminders", "seats", "sites",
    "traffic", "training", "trunks",
)  # fmt: skip


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The reports of a small demo, made once for all workers; what it said is in said.txt."""
    place = tmp_path_factory.getbasetemp()
    folder = (place if worker_id == "master" else place.parent) / "demo 演示"
    said = folder / "said.txt"
    with FileLock(folder.with_suffix(".lock")):
        if not said.exists():
            folder.mkdir(exist_ok=True)
            places = ["--data", str(folder / "data"), "--reports", str(folder / "reports")]
            with redirect_stdout(io.StringIO()) as out:
                assert main(["demo", *places, "--weeks", "26", "--scale", "0.02"]) == 0
            said.write_text(out.getvalue(), encoding="utf-8")
    return folder / "reports"


def test_the_demo_names_its_reports(reports) -> None:
    lines = (reports.parent / "said.txt").read_text(encoding="utf-8").splitlines()
    many = len(NOTEBOOKS)
    assert lines[-many - 1] == f"{many} reports:"
    named = [Path(line.strip()) for line in lines[-many:]]
    assert named == [reports / f"{name}.html" for name in NOTEBOOKS]
    assert all(path.is_file() for path in named)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_report_is_drawn_quietly(open_report, reports, name, width) -> None:
    report = open_report(reports / f"{name}.html", width)
    # On a quiet day the bulletin has no items to draw.
    report.check_charts(at_least=1 if name == "bulletin" else 3)
    report.check_quiet()
    report.check_fits()


def test_no_button_sends_a_chart_anywhere(open_report, reports) -> None:
    """A chart of a confidential log must not be one click from somebody's cloud."""
    page = open_report(reports / "seats.html").page
    titles = page.evaluate(
        "[...document.querySelectorAll('.modebar-btn')].map(b => b.dataset.title)"
    )
    assert titles
    assert not [t for t in titles if "share" in t.lower() or "cloud" in t.lower()]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_report_refers_to_no_other_host(open_report, reports, name) -> None:
    report = open_report(reports / f"{name}.html")
    referred = report.page.evaluate(
        "[...document.querySelectorAll('[src],[href],[action],[data]')].map("
        "e => e.getAttribute('src') || e.getAttribute('href') || e.getAttribute('action') || '')"
    )
    assert [r for r in referred if r and not r.startswith(("#", "data:"))] == []
    policy = report.page.evaluate(
        "document.querySelector('meta[http-equiv=Content-Security-Policy]').content"
    )
    assert "default-src 'none'" in policy


_CUT = """() => [...document.querySelectorAll('figure.chart')].flatMap(figure => {
    const plot = figure.querySelector('.plot').getBoundingClientRect();
    return [...figure.querySelectorAll('svg text')].filter(text => {
        const box = text.getBoundingClientRect();
        return box.width && (box.left < plot.left - 1 || box.right > plot.right + 1);
    }).map(text => text.textContent);
})"""
_OVERLAPPING = """() => [...document.querySelectorAll('.yaxislayer-above')].flatMap(axis => {
    const boxes = [...axis.querySelectorAll('.ytick text, .y2tick text, .y3tick text')]
        .map(text => [text.getBoundingClientRect(), text.textContent])
        .sort((a, b) => a[0].top - b[0].top);
    return boxes.slice(1).filter((box, i) => box[0].top < boxes[i][0].bottom - 2)
        .map(box => box[1]);
})"""


@pytest.mark.parametrize("name", ["deflection", "handle_time"])
def test_on_a_phone_no_label_is_cut_and_no_names_overlap(open_report, reports, name) -> None:
    page = open_report(reports / f"{name}.html", 390).page
    assert page.evaluate(_CUT) == []
    assert page.evaluate(_OVERLAPPING) == []


def test_a_slider_moves_without_a_kernel(open_report, reports) -> None:
    """Whoever opens the seats report a year later can still ask what another goal would take."""
    page = open_report(reports / "seats.html").page
    figure = page.locator("figure.chart").filter(has=page.locator(".slider-group")).last
    figure.scroll_into_view_if_needed()
    words = figure.locator(".annotation-text").last
    before, bars = words.text_content(), _heights(figure)
    assert "agent-hours" in before
    rail = figure.locator(".slider-rail-touch-rect")
    box = rail.bounding_box()
    page.mouse.click(box["x"] + 0.97 * box["width"], box["y"] + box["height"] / 2)
    page.wait_for_function(
        "([node, text]) => node.textContent !== text", arg=[words.element_handle(), before]
    )
    after = words.text_content()
    assert after.startswith("Goal ")
    assert "agent-hours" in after
    page.wait_for_timeout(300)
    assert sum(_heights(figure)) > sum(bars)


def _heights(figure) -> list[float]:
    return figure.evaluate(
        "f => [...f.querySelectorAll('.barlayer .point path')]"
        ".map(bar => bar.getBoundingClientRect().height)"
    )


def test_deflection_has_contents_and_its_answer_first(open_report, reports) -> None:
    page = open_report(reports / "deflection.html").page
    sections = page.locator("nav li").all_inner_texts()
    assert "How many calls fewer came" in sections
    assert "What became of offers and sessions" in sections
    headline = page.locator(".headline").inner_text()
    # The effect with a control leads, with its grade.
    assert headline.startswith("Against units that were not live, grade moderate: SMS-assist")
