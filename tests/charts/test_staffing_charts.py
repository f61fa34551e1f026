"""Charts of staffing: what they draw is what the Result says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, charts, staffing
from ccanalytics.errors import InputError

GOAL = ServiceLevel(0.80, within=20)


@pytest.fixture(scope="module")
def demand():
    start = [datetime(2025, 3, 3, tzinfo=UTC) + timedelta(hours=h) for h in range(24 * 28)]
    calls = [60.0 + 5 * at.hour if 8 <= at.hour < 20 else 0.0 for at in start]
    calls[24 * 9 + 13] = 900.0  # Wednesday 12 March, 13:00
    return pl.DataFrame(
        {"interval_start": start, "interval_s": 3600, "calls": calls, "aht_s": 180.0}
    )


@pytest.fixture(scope="module")
def typical(demand):
    return staffing.typical_day(demand, weekdays=3, time_zone="UTC")


@pytest.fixture(scope="module")
def need(typical):
    return staffing.requirement(typical, GOAL, shrinkage=0.3)


def bars(fig, name):
    return next(trace for trace in fig.data if trace.name == name)


def test_the_requirement_is_drawn_interval_by_interval(need):
    fig = charts.requirement(need)
    assert list(bars(fig, "Required (seated)").y) == need.frame["required_agents"].to_list()
    assert list(bars(fig, "Scheduled").y) == need.frame["scheduled_agents"].to_list()
    load = bars(fig, "Load in erlangs")
    assert list(load.y)[:-1] == need.frame["load"].to_list()
    assert load.x[-1] - load.x[-2] == timedelta(hours=1)
    assert str(need.peak["required_agents"]) in fig.layout.title.text


def test_without_shrinkage_nothing_is_drawn_twice(typical):
    fig = charts.requirement(staffing.requirement(typical, GOAL))
    assert [trace.name for trace in fig.data] == ["Required (seated)", "Load in erlangs"]


def test_demand_of_several_queues_is_not_drawn_as_one(demand):
    both = pl.concat([demand.with_columns(queue=pl.lit(q)) for q in "ab"])
    with pytest.raises(InputError, match="one queue"):
        charts.requirement(staffing.requirement(both, GOAL))


def test_a_requirement_on_utc_alone_is_drawn_too(demand):
    fig = charts.requirement(staffing.requirement(demand.head(48), GOAL))
    assert len(bars(fig, "Required (seated)").x) == 48


def test_the_week_is_a_heat_map(demand, need):
    week = staffing.requirement(staffing.typical_week(demand, time_zone="UTC"), GOAL)
    heat = charts.required_by_weekday(week).data[0]
    assert np.asarray(heat.z).shape == (7, 24)
    assert np.nanmax(np.asarray(heat.z)) == week.peak["required_agents"]
    with pytest.raises(InputError, match="typical_week"):
        charts.required_by_weekday(need)


def test_the_curve_has_a_goal_and_leaves_endless_waits_out():
    curve = staffing.service_level_curve(100, 1800, 180, GOAL, patience=120, agents=range(8, 20))
    fig = charts.service_level_curve(curve)
    erlang_c = [trace for trace in fig.data if trace.name == "Erlang C"]
    assert len(erlang_c) == 3
    assert min(erlang_c[0].x) == 11  # ten erlangs on ten agents never settle
    assert min(next(t for t in fig.data if t.name == "Erlang A").x) == 8
    assert any("goal 80%" in (note.text or "") for note in fig.layout.annotations)
    assert fig.layout.yaxis.autorange is False


def test_shifts_are_stacked_to_what_they_cover(need):
    found = staffing.cover(need, staffing.shifts("8h", every="2h"))
    fig = charts.shift_cover(found)
    stacked: dict[datetime, int] = {}
    for trace in fig.data:
        if trace.type == "bar":
            for at, people in zip(trace.x, trace.y, strict=True):
                stacked[at] = stacked.get(at, 0) + people
    covered = dict(found.intervals.select("local_start", "covered_agents").iter_rows())
    assert stacked == {at: people for at, people in covered.items() if people}
    assert fig.layout.barmode == "stack"


def test_what_no_shift_covers_is_the_title(need):
    found = staffing.cover(need, staffing.shifts("4h", starts=("08:00",)))
    assert "no shift" in charts.shift_cover(found).layout.title.text


def test_the_spike_is_in_the_colour_of_alarm_and_the_rest_is_not(typical):
    found = staffing.spikes(typical, GOAL)
    fig = charts.spikes(found)
    required = next(t for t in fig.data if t.type == "bar")
    alarmed = [
        at.hour
        for at, colour in zip(required.x, required.marker.color, strict=True)
        if colour == charts.theme.ALARM
    ]
    assert alarmed == [13]
    without = [t for t in fig.data if t.type == "bar"][1]
    assert without.y[13] == found.flagged["required_without"][0]
    assert next(t for t in fig.data if t.name == "The day it rests on").y == (900,)


def test_without_a_spike_the_chart_says_so(demand):
    calm = staffing.typical_day(demand, weekdays=4, time_zone="UTC")
    fig = charts.spikes(staffing.spikes(calm, GOAL))
    assert fig.layout.title.text.startswith("No interval")
    assert fig.layout.showlegend is False


def test_two_days_are_drawn_although_they_cannot_be_judged(demand):
    found = staffing.spikes(
        staffing.typical_day(demand.head(24 * 14), weekdays=3, time_zone="UTC"), GOAL
    )
    fig = charts.spikes(found)
    assert fig.layout.title.text.startswith("Too few days")
    assert len(fig.data[0].x) == 48


def test_titles_name_every_interval_at_the_peak():
    start = [datetime(2025, 3, 3, tzinfo=UTC) + timedelta(hours=h) for h in range(24 * 28)]
    calls = [90.0 if at.hour in (9, 14) else 60.0 for at in start]
    frame = pl.DataFrame(
        {"interval_start": start, "interval_s": 3600, "calls": calls, "aht_s": 180.0}
    )
    day = staffing.typical_day(frame, weekdays=1, time_zone="UTC", recorded=["talk_s"])
    title = charts.requirement(staffing.requirement(day, GOAL)).layout.title.text
    assert "from 09:00, also 14:00" in title.replace("<br>", " ")
    assert title.startswith("At least ")  # after-call work is not in it
    week = staffing.typical_week(frame, time_zone="UTC")
    title = charts.required_by_weekday(staffing.requirement(week, GOAL)).layout.title.text
    assert "also in 13 more intervals" in title.replace("<br>", " ")


def test_many_days_have_no_white_edges_and_the_load_stops_where_it_is_closed():
    from datetime import UTC, datetime, timedelta

    start = [datetime(2025, 3, 3, 8, tzinfo=UTC) + timedelta(days=d, minutes=30 * i)
             for d in range(14) for i in range(20)]  # fmt: skip
    frame = pl.DataFrame(
        {"interval_start": start, "interval_s": 1800, "calls": 60.0, "aht_s": 180.0}
    )
    fig = charts.requirement(staffing.requirement(frame, ServiceLevel(0.80, within=20)))
    assert {trace.marker.line.width for trace in fig.data if trace.type == "bar"} == {0}
    (load,) = (trace for trace in fig.data if trace.type == "scatter")
    assert sum(value is None for value in load.y) == 13
