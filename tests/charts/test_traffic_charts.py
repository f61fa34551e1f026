"""Charts of traffic: what they draw is what the Result says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, charts, traffic

GOAL = ServiceLevel(0.80, within=20)
MONDAY = datetime.fromisoformat("2025-03-03")


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(2)
    local = [MONDAY + timedelta(minutes=30 * i) for i in range(48 * 42)]
    hours = np.array([at.hour for at in local])
    offered = rng.poisson(np.where((hours >= 8) & (hours < 20), 60, 0))
    offered[48 * 9 : 48 * 10] = 0
    answered = rng.binomial(offered, 0.9)
    return pl.DataFrame(
        {
            "interval_start": [at.replace(tzinfo=UTC) for at in local],
            "local_start": local,
            "interval_s": [1800] * len(local),
            "offered": offered,
            "answered": answered,
            "abandoned": offered - answered,
            "answered_in_20s": rng.binomial(answered, 0.7),
            "wait_s": offered * rng.uniform(10, 40, len(local)),
        }
    )


@pytest.fixture(scope="module")
def profile(frame):
    return traffic.profile(frame, GOAL)


def test_the_week_is_drawn_from_monday_by_time_of_day(profile):
    fig = charts.volume_by_weekday(profile)
    heat = fig.data[0]
    assert list(heat.y) == ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
                            "Sunday"]  # fmt: skip
    assert list(heat.x)[:2] == ["00:00", "00:30"]
    assert np.asarray(heat.z).shape == (7, 48)
    drawn = np.asarray(heat.z)[1][20]
    slot = profile.slots.filter(pl.col("weekday") == 2, pl.col("clock") == "10:00")
    assert drawn == slot["calls"][0]


def test_service_level_is_white_without_calls_and_neutral_at_the_goal(profile):
    heat, grey = charts.service_level_by_weekday(profile).data
    table = np.asarray(heat.z, float)
    assert np.isnan(table[:, :16]).all()
    assert np.isfinite(table[:, 16:40]).all()
    assert not np.isfinite(np.asarray(grey.z, float)).any()
    assert (heat.zmin, heat.zmax) == (0, 1)
    middle = [at for at, colour in heat.colorscale if colour == charts.theme.DIVERGING[2][1]]
    assert middle == [pytest.approx(GOAL.share)]
    assert [at for at, _ in heat.colorscale] == sorted(at for at, _ in heat.colorscale)


def test_cells_with_few_calls_are_grey_and_have_no_share(frame):
    night = frame["local_start"].dt.hour().to_numpy() == 3
    calls = {name: np.where(night, 1, frame[name]) for name in ("offered", "answered")}
    rows = frame.with_columns(**{name: pl.Series(value) for name, value in calls.items()})
    fig = charts.service_level_by_weekday(traffic.profile(rows, GOAL))
    shares, grey = (np.asarray(trace.z, float) for trace in fig.data)
    assert np.isnan(shares[:, 6:8]).all()
    assert np.isfinite(grey[:, 6:8]).all()
    assert (np.isfinite(shares) & np.isfinite(grey)).sum() == 0
    assert "fewer than 30 calls" in fig.layout.title.subtitle.text.replace("<br>", " ")
    assert np.asarray(fig.data[1].customdata)[0][6] == 6  # six weeks, a call in each


def test_the_busy_hour_has_a_colour_of_its_own(profile):
    bars = charts.busy_hour(profile).data[0]
    busy = [
        clock
        for clock, colour in zip(bars.x, bars.marker.color, strict=True)
        if colour == charts.theme.ANSWER
    ]
    assert busy == [profile.busy_hour.clock]


def test_unusual_days_are_ringed(profile):
    fig = charts.daily_calls(profile)
    ringed = [str(day) for day in fig.data[1].x]
    assert ringed == [str(day) for day in profile.unusual_days()["date"]]
    assert "2025-03-12" in ringed


def test_the_line_of_abandonment_goes_through_the_origin(frame):
    result = traffic.abandonment_by_wait(frame)
    fig = charts.abandonment_by_wait(result)
    line = fig.data[-1]
    assert (line.x[0], line.y[0]) == (0, 0)
    assert line.y[1] / line.x[1] == pytest.approx(result.slope.value)
    assert len(fig.data[1].x) == result.points.height


def test_repeat_callers_have_whiskers_and_escaped_names():
    counts = pl.DataFrame(
        {"queue": ["<b>sales</b>"] * 2 + [None] * 2, "window_s": [600, 3600] * 2,
         "followed": [100, 100, 50, 50], "again": [10, 20, 0, 5]}
    )  # fmt: skip
    result = traffic.repeat_callers(counts)
    fig = charts.repeat_callers(result)
    assert not any("<b>sales" in trace.name for trace in fig.data)
    assert any("unknown" in trace.name.lower() for trace in fig.data)
    bar = next(trace for trace in fig.data if "sales" in trace.name)
    high = result.shares.filter(pl.col("queue").is_not_null())["recontact_high"].to_list()
    assert [y + up for y, up in zip(bar.y, bar.error_y.array, strict=True)] == pytest.approx(high)


def test_a_handful_of_calls_does_not_make_the_title():
    counts = pl.DataFrame(
        {"outcome": ["answered", "abandoned", "left_menu"], "window_s": [3600] * 3,
         "followed": [500, 100, 1], "again": [50, 40, 1]}
    )  # fmt: skip
    fig = charts.repeat_callers(traffic.repeat_callers(counts))
    assert "40% of the abandoned calls" in fig.layout.title.text.replace("<br>", " ")


def test_every_chart_says_in_its_title_what_it_shows(profile, frame):
    for fig in (
        charts.volume_by_weekday(profile),
        charts.service_level_by_weekday(profile),
        charts.busy_hour(profile),
        charts.daily_calls(profile),
        charts.abandonment_by_wait(traffic.abandonment_by_wait(frame)),
    ):
        assert len(fig.layout.title.text) > 15
        assert fig.to_json()
