"""Charts of what if and of the proof: they draw what the Result says, and move without a kernel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, charts, staffing
from ccanalytics.charts._slider import _lines
from ccanalytics.charts.planning import _price_title
from ccanalytics.errors import InputError

GOAL = ServiceLevel(0.80, within=20)


@pytest.fixture(scope="module")
def frame():
    start = [datetime(2025, 3, 3, tzinfo=UTC) + timedelta(hours=h) for h in range(24 * 28)]
    calls = [60.0 + 5 * at.hour if 8 <= at.hour < 20 else 0.0 for at in start]
    return pl.DataFrame(
        {"interval_start": start, "interval_s": 3600, "calls": calls, "aht_s": 180.0}
    )


@pytest.fixture(scope="module")
def need(frame):
    day = staffing.typical_day(frame, weekdays=1, time_zone="UTC", hours=("08:00", "20:00"))
    return staffing.requirement(day, GOAL, patience=120, shrinkage=0.3)


@pytest.fixture(scope="module")
def goals(need):
    return staffing.what_if(need, (0.6, 0.8, 0.9), cost_per_hour=20)


def stepped(fig):
    """What the slider writes into the first of its traces, and its words, step by step."""
    (slider,) = fig.layout.sliders
    found = []
    for step in slider.steps:
        assert step.method == "update"  # plotly.js moves it alone
        data, layout, traces = step.args
        (words,) = layout.values()
        found.append((step.label, data, words, traces))
    return slider, found


def test_the_slider_moves_the_plan_and_tells_its_figures(goals):
    fig = charts.what_if(goals)
    slider, steps = stepped(fig)
    assert [label for label, *_ in steps] == ["60%", "80%", "90%"]
    assert slider.active == 1
    assert list(fig.data[0].y) == goals.requirement.frame["required_agents"].to_list()
    for (_, data, words, traces), row in zip(steps, goals.frame.to_dicts(), strict=True):
        assert list(traces) == [0]
        assert sum(data["y"][0]) == row["agent_hours"]  # intervals of an hour
        assert f"{row['agent_hours']:,.1f} agent-hours" in words
        assert f"cost {row['cost']:,.0f}" in words
    assert fig.layout.yaxis.range[1] > max(max(data["y"][0]) for _, data, *_ in steps)
    assert fig.layout.yaxis.title.text == "Agents seated"


def test_the_words_of_a_slider_fit_a_phone():
    lines = _lines([f"some words {n}" for n in range(9)])
    assert max(map(len, lines)) <= 44
    assert " · ".join(lines).count("some words") == 9


def test_the_slider_of_an_interval_rings_each_panel():
    curve = staffing.service_level_curve(100, 1800, 180, GOAL, patience=120, cost_per_hour=20)
    fig = charts.service_level_curve(curve)
    slider, steps = stepped(fig)
    numbers = [int(label) for label, *_ in steps]
    assert numbers[slider.active] == curve.required["Erlang A"]
    rows = {
        row["agents"]: row
        for row in curve.points.filter(pl.col("model") == "Erlang A").iter_rows(named=True)
    }
    for number, (_, data, words, traces) in zip(numbers, steps, strict=True):
        assert len(traces) == 4
        assert [y[0] for y in data["y"]] == [
            rows[number][n] for n in ("service_level", "asa", "abandonment", "occupancy")
        ]
        assert f"service level {rows[number]['service_level']:.1%}" in words


def test_the_price_is_drawn_as_it_was_found(goals):
    fig = charts.price_of_service(goals)
    assert list(fig.data[1].y) == goals.frame["cost_per_point"].drop_nulls().to_list()
    assert any("goal 80%" in (note.text or "") for note in fig.layout.annotations)
    plain = charts.price_of_service(staffing.what_if(goals.requirement, (0.6, 0.8)))
    assert "scheduled hours" in plain.layout.title.text


def test_the_tornado_has_the_longest_bars_on_top(need):
    found = staffing.sensitivity(need)
    fig = charts.sensitivity(found)
    drawn = [trace for trace in fig.data if trace.yaxis == "y"]
    widths = np.ptp(np.array([trace.x for trace in drawn], float), axis=0)
    assert (np.diff(widths) >= 0).all()  # plotly draws the last category at the top
    higher = dict(zip(drawn[1].y, drawn[1].x, strict=True))
    rows = found.frame.filter((pl.col("factor") == "volume") & (pl.col("change") > 0))
    assert higher["Volume"] == rows["hours_change"][0]


def test_methods_are_drawn_with_their_goal(need):
    demand = need.frame.select(
        "interval_start", "local_start", "utc_offset_s", "interval_s", "calls", "aht_s"
    )
    found = staffing.compare_methods(demand, GOAL, patience=120)
    fig = charts.methods_compared(found)
    assert len(fig.data) == 8
    assert any("goal 80%" in (note.text or "") for note in fig.layout.annotations)
    title = " ".join(fig.layout.title.text.split("<br>"))
    assert not found.row("stationary")["intervals_short"]
    assert "falls short nowhere" in title
    assert "in 0 of" not in title


def test_the_proof_has_whiskers_and_names_what_fails(need):
    from dataclasses import replace

    thin = need.frame.with_columns(pl.col("required_agents") - 3)
    proof = staffing.prove(replace(need, frame=thin), replications=60)
    fig = charts.proof(proof)
    missed = next(trace for trace in fig.data if trace.name == "Simulated, misses the goal")
    assert len(missed.x) == proof.frame.filter("missed").height > 0
    assert fig.layout.title.text.startswith(f"Simulated, {len(missed.x)} of ")
    high = proof.frame.filter("missed")["simulated_service_level_high"].to_numpy()
    assert np.array(missed.y) + np.array(missed.error_y.array) == pytest.approx(high)


def test_days_ahead_stand_beside_the_days_they_come_from(frame):
    found = staffing.ahead(frame, 2, time_zone="UTC", growth=0.1)
    fig = charts.demand_ahead(found)
    past, expected = fig.data
    assert len(past.x) == 28
    assert list(expected.y) == pytest.approx([1.1 * past.y[0]] * 14)


def test_a_chart_of_one_queue_refuses_two(need):
    two = pl.concat(
        [
            need.frame.select("interval_start", "interval_s", "calls", "aht_s").with_columns(
                queue=pl.lit(queue)
            )
            for queue in ("a", "b")
        ]
    )
    both = staffing.requirement(two, GOAL, patience=120)
    with pytest.raises(InputError, match="one queue"):
        charts.what_if(staffing.what_if(both, (0.8, 0.9)))
    with pytest.raises(InputError, match="one queue"):
        charts.methods_compared(staffing.compare_methods(two, GOAL, patience=120))
    with pytest.raises(InputError, match="one queue"):
        charts.proof(staffing.prove(both, replications=4))


def test_both_panels_of_the_tornado_have_their_zero_in_the_middle(need):
    fig = charts.sensitivity(staffing.sensitivity(need))
    for axis in (fig.layout.xaxis, fig.layout.xaxis2):
        assert axis.range[0] == -axis.range[1]
    for trace in fig.data:
        ends = (fig.layout.xaxis if trace.xaxis == "x" else fig.layout.xaxis2).range
        assert max(abs(x) for x in trace.x) < ends[1]


def test_prices_at_both_ends_are_written_with_the_same_digits():
    rows = pl.DataFrame({"hours_per_point": [0.823, 9.31]})
    title = _price_title(rows, "hours_per_point")
    assert "0.8 scheduled hours" in title
    assert "9.3 at" in title
