"""The look of charts: what every chart may rely on."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from datetime import datetime

import numpy as np
import plotly.io as pio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccanalytics import charts
from ccanalytics.charts import theme
from ccanalytics.errors import InputError
from ccanalytics.vocabulary import measure


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.1 defines it."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
_BLINDNESS = {
    "none": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def _lab(colour: str, blindness: np.ndarray) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(blindness @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ seen / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("blindness", _BLINDNESS)
def test_neighbours_in_the_palette_differ_for_every_eye(blindness: str) -> None:
    seen = [_lab(colour, _BLINDNESS[blindness]) for colour in theme.PALETTE]
    near = [float(np.linalg.norm(a - b)) for a, b in itertools.pairwise(seen)]
    # A difference of 10 is seen at a glance; the just noticeable one is 2.3.
    assert min(near) > 10


def test_answer_second_and_alarm_differ_for_every_eye() -> None:
    for matrix in _BLINDNESS.values():
        one, two, three = (
            _lab(colour, matrix) for colour in (theme.ANSWER, theme.SECOND, theme.ALARM)
        )
        for a, b in ((one, two), (one, three), (two, three)):
            assert np.linalg.norm(a - b) > 10


def test_sequential_colours_keep_their_order_on_a_grey_printer() -> None:
    light = [_luminance(colour) for _, colour in theme.SEQUENTIAL]
    assert light == sorted(light, reverse=True)


def test_diverging_colours_are_lightest_at_the_goal() -> None:
    light = [_luminance(colour) for _, colour in theme.DIVERGING]
    assert light.index(max(light)) == 2
    assert light[:3] == sorted(light[:3])
    assert light[2:] == sorted(light[2:], reverse=True)


def test_text_is_readable_on_the_paper() -> None:
    template = pio.templates[theme.template()].layout
    paper = _luminance(template.paper_bgcolor)
    for colour in (template.font.color, template.xaxis.tickfont.color, theme.REFERENCE):
        assert (paper + 0.05) / (_luminance(colour) + 0.05) >= 4.5
    assert template.xaxis.tickfont.size >= 12


def test_template_is_registered_and_not_imposed() -> None:
    before = pio.templates.default
    assert theme.template() in pio.templates
    assert pio.templates.default == before
    fig = theme.figure("A message")
    assert list(fig.layout.template.layout.colorway) == list(theme.PALETTE)


@pytest.mark.parametrize("family", ["Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC"])
def test_chinese_text_has_a_font(family: str) -> None:
    assert family in theme.FONT


def test_axes_take_label_and_unit_from_the_vocabulary() -> None:
    fig = theme.figure("Waits", x="required_agents", y="asa_s")
    assert fig.layout.xaxis.title.text == measure("required_agents").axis
    assert fig.layout.yaxis.title.text == "Average speed of answer (seconds)"


def test_a_share_is_written_in_percent() -> None:
    fig = theme.figure("Kept", y="service_level")
    assert fig.layout.yaxis.tickformat.endswith("%")
    assert fig.layout.yaxis.title.text == "Service level"
    theme.share_axis(fig, "y", whole=True)
    assert fig.layout.yaxis.range[0] == 0


def test_a_long_title_is_wrapped_and_makes_room() -> None:
    short, long = theme.figure("Short"), theme.figure("word " * 40, "more " * 60)
    assert long.layout.title.text.count("<br>") >= 2
    assert max(map(len, long.layout.title.text.split("<br>"))) <= 80
    assert long.layout.margin.t > short.layout.margin.t
    # The plot itself keeps its height.
    room = [fig.layout.height - fig.layout.margin.t for fig in (short, long)]
    assert room[0] == room[1]


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: theme.figure("  "), "title"),
        (lambda: theme.figure("A", y="servise_level"), "no such measure"),
        (lambda: theme.share_axis(theme.figure("A"), "z"), "no such axis"),
        (lambda: theme.reference_line(theme.figure("A"), 1, "goal", "left"), "no such axis"),
        (lambda: theme.duration_axis(theme.figure("A"), float("nan")), "finite"),
        (lambda: theme.duration_axis(theme.figure("A"), 0), "positive"),
        (lambda: theme.panels("A", names=[]), "at least one"),
        (lambda: theme.band(theme.figure("A"), [1, 2], [1], [2, 3], "b"), "one length"),
    ],
)
def test_bad_input_is_refused_in_words(call, word: str) -> None:
    with pytest.raises(InputError, match=word):
        call()


def test_a_band_is_a_closed_shape_with_gaps_where_a_limit_is_unknown() -> None:
    fig = theme.figure("Band")
    low, high = [1.0, 2.0, np.nan, 3.0, 4.0], [2.0, 3.0, 9.0, np.inf, 5.0]
    theme.band(fig, [0, 1, 2, 3, 4], low, high, "95% interval", colour=theme.ALARM)
    (trace,) = fig.data
    assert list(trace.x) == [0, 1, 1, 0, None, 4, 4, None]
    assert list(trace.y) == [2.0, 3.0, 2.0, 1.0, None, 5.0, 4.0, None]
    assert trace.fillcolor.startswith("rgba(213,94,0")


def test_a_band_over_dates_stays_on_dates() -> None:
    fig = theme.figure("Band")
    days = np.array(["2025-03-03", "2025-03-10"], dtype="datetime64[ns]")
    theme.band(fig, days, [1, 1], [2, 2], "b")
    assert str(fig.data[0].x[0]).startswith("2025-03-03")
    aware = [datetime(2025, 3, 3, 1), datetime(2025, 3, 3, 2)]
    theme.band(fig, aware, [1, 1], [2, 2], "b")
    assert fig.data[1].x[0] == aware[0]


def test_limits_are_distances_from_the_value() -> None:
    bars = theme.limits([5.0, 1.0], [4.0, -1.0], [7.0, 1.5])
    assert bars["array"] == [2.0, 0.5]
    assert bars["arrayminus"] == [1.0, 2.0]


def test_a_heat_map_thins_its_labels_and_diverges_at_the_goal() -> None:
    fig = theme.figure("Week")
    hours = [f"{h:02d}:{m:02d}" for h in range(24) for m in (0, 30)]
    theme.heatmap(fig, hours, ["Mon"], np.ones((1, 48)), "service_level", goal=0.8)
    (trace,) = fig.data
    assert trace.zmid == 0.8
    assert trace.colorbar.tickformat.endswith("%")
    assert 2 <= len(fig.layout.xaxis.tickvals) <= 9
    assert set(fig.layout.xaxis.tickvals) <= set(hours)


def test_text_of_a_log_is_no_markup() -> None:
    assert theme.plain("<b>&</b>") == "&lt;b&gt;&amp;&lt;/b&gt;"


def test_panels_share_their_time_axis() -> None:
    fig = theme.panels("Parts", names=["Talk", "<i>"], x_title="Week", y="aht_s")
    assert fig.layout.xaxis.matches == "x2"
    assert fig.layout.xaxis2.title.text == "Week"
    assert [note.text for note in fig.layout.annotations] == ["Talk", "&lt;i&gt;"]


@given(st.floats(min_value=0, max_value=1e7))
def test_a_duration_reads_back_as_what_it_was(seconds: float) -> None:
    text = theme.duration(seconds)
    units = {"s": 1, "min": 60, "h": 3600, "d": 86400}
    found = re.findall(r"([0-9.]+) (s|min|h|d)", text)
    back = sum(float(number) * units[unit] for number, unit in found)
    # A unit and the next smaller one are shown, so the error is at most half of the smaller.
    step = {1: 1, 60: 1, 3600: 60, 86400: 3600}[max(units[unit] for _, unit in found)]
    assert abs(back - seconds) <= step / 2 + 1e-6
    assert not re.search(r"\b60 (s|min)\b|\b24 h\b", text)
    assert theme.duration(-seconds).lstrip("−") == text


def test_charts_are_found_by_name_and_named_once() -> None:
    names = [name for name in dir(charts) if not name.startswith("_")]
    assert len(names) == len(set(names))
    assert charts.theme is theme
    with pytest.raises(AttributeError, match="no chart 'pie'"):
        _ = charts.pie


def test_importing_charts_imports_no_plotly() -> None:
    code = "import sys, ccanalytics.charts as c; dir(c); c.theme; print('plotly' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
