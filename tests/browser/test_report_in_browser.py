"""The report that a person opens, looked at in Chromium with the network off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desktop(open_report: Callable[..., Any], waits_report: Path) -> Any:
    """The report on a wide screen, for tests that leave it as it is."""
    return open_report(waits_report)


@pytest.mark.parametrize("width", [1280, 390])
def test_charts_appear_quietly(
    open_report: Callable[..., Any], waits_report: Path, width: int
) -> None:
    report = open_report(waits_report, width)
    charts = report.check_charts(at_least=7)
    report.check_quiet()
    report.check_fits()
    # The chart without a title is a plain plotly figure, whose labels nobody placed.
    assert not [text for chart in charts if chart["title"] for text in chart["beyond"]]


def test_a_heat_map_shows_its_days_and_hours(desktop: Any) -> None:
    (volume,) = [c for c in desktop.charts() if c["title"].startswith("Monday mornings")]
    assert {"Monday", "Sunday", "00:00", "21:00"} <= set(volume["texts"])
    assert len([text for text in volume["texts"] if ":" in text]) <= 9
    image = desktop.page.locator(".heatmaplayer image").first.bounding_box()
    assert image["width"] > 500
    assert image["height"] > 100


def test_panels_share_one_scale(desktop: Any) -> None:
    """The talk panel's bars are low because its share per bin is; no axis runs off."""
    (parts,) = [c for c in desktop.charts() if c["title"].startswith("Talk takes")]
    assert "20 min" in parts["texts"]
    shares = {float(text.rstrip("%")) for text in parts["texts"] if text.endswith("%")}
    assert max(shares) <= 50


def test_names_from_a_log_are_shown_and_do_nothing(desktop: Any) -> None:
    evil = "</script><img src=x onerror=window.hacked=1>"
    texts = [text for chart in desktop.charts() for text in chart["texts"]]
    assert texts.count(evil) >= 3  # a label, a legend, a point
    assert "<script>alert(1)</script>" in texts
    # Under the pointer too, where plotly writes names anew.
    bars = desktop.page.locator(".barlayer .point path")
    bars.nth(2).scroll_into_view_if_needed()
    box = bars.nth(2).bounding_box()
    # The chart listens through a sheet above the bars, so the pointer goes to a place.
    desktop.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
    desktop.page.locator(".hoverlayer .hovertext", has_text=evil).wait_for()
    assert desktop.page.evaluate("typeof window.hacked") == "undefined"
    assert desktop.page.locator("main img, svg img, svg script, svg a").count() == 0
    desktop.check_quiet()


def test_the_policy_lets_nothing_else_run_or_be_fetched(
    open_report: Callable[..., Any], waits_report: Path
) -> None:
    report = open_report(waits_report)
    outcome = report.page.evaluate(
        """async () => {
            document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="hacked=1">');
            const script = document.createElement('script');
            script.textContent = 'window.hacked = 2';
            document.body.append(script);
            let fetched = 'yes';
            try { await fetch('data:text/plain,x'); } catch { fetched = 'no'; }
            await new Promise(resolve => setTimeout(resolve, 300));
            return [typeof window.hacked, fetched];
        }"""
    )
    assert outcome == ["undefined", "no"]
    assert any("Content Security Policy" in message for message in report.messages)


def test_the_working_opens_on_demand(desktop: Any) -> None:
    page = desktop.page
    working = page.locator("details.working").first
    assert not working.locator("pre").is_visible()
    working.locator("summary").click()
    assert "rng = np.random.default_rng(seed)" in working.locator("pre").inner_text()


def test_on_paper_no_code_and_charts_as_wide_as_the_page(
    open_report: Callable[..., Any], waits_report: Path
) -> None:
    report = open_report(waits_report)
    page = report.page
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert not page.locator("details.working").first.is_visible()
    widths = {chart["sheets"][0][0] for chart in report.charts()}
    assert widths == {690}
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert min(chart["sheets"][0][0] for chart in report.charts()) > 900
    report.check_quiet()


def test_without_scripts_the_words_are_there(
    open_report: Callable[..., Any], waits_report: Path
) -> None:
    page = open_report(waits_report, scripts=False).page
    assert page.locator(".noscript").is_visible()
    assert page.locator(".headline").inner_text().startswith("86% of the callers")
    assert page.locator("table").count() >= 3


def test_on_a_phone_a_finger_scrolls(open_report: Callable[..., Any], waits_report: Path) -> None:
    page = open_report(waits_report, 390).page
    assert page.locator(".modebar-btn").count() == 0
    assert page.locator(".table").first.evaluate("e => getComputedStyle(e).overflowX") == "auto"
    names = page.locator(".yaxislayer-above .ytick text").all_inner_texts()
    assert names


def test_a_phone_breaks_no_word_of_the_settings(
    open_report: Callable[..., Any], waits_report: Path
) -> None:
    report = open_report(waits_report, 390)
    lines = report.page.eval_on_selector_all(
        "footer .parameters code",
        """all => all.map(one => {
            one.textContent = 'shift_length_of_a_weekday';
            return one.getClientRects().length;
        })""",
    )
    assert lines
    assert set(lines) == {1}
