"""Charts of lines draw what the Results say."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest

from ccanalytics import ServiceLevel, charts, staffing
from ccanalytics.errors import InputError

GOAL = ServiceLevel(0.80, within=20)


def demand(calls):
    start = [datetime(2025, 3, 3, 9, tzinfo=UTC) + timedelta(hours=k) for k in range(len(calls))]
    return pl.DataFrame(
        {"interval_start": start, "interval_s": 3600, "calls": calls, "aht_s": 180.0}
    )


@pytest.fixture(scope="module")
def plan():
    return staffing.trunks(demand([0.0, 200.0, 600.0]), GOAL, menu=60, to_agent=0.7)


def traces(fig):
    return {trace.name: trace for trace in fig.data}


def test_the_plan_over_the_day(plan):
    fig = charts.lines_planned(plan)
    drawn = traces(fig)
    some = plan.frame.filter(pl.col("calls") > 0)
    assert list(drawn["Agents seated"].y) == some["agents"].to_list()
    assert list(drawn["Lines in use, mean"].y) == some["lines_busy"].to_list()
    assert fig.layout.shapes[0].y0 == plan.lines
    assert f"{plan.lines} lines carry" in fig.layout.title.text
    bare = staffing.trunks(demand([200.0]), GOAL)
    assert "Of them in the voice menu" not in traces(charts.lines_planned(bare))
    with pytest.raises(InputError, match="no interval"):
        charts.lines_planned(staffing.trunks(demand([0.0]), GOAL))


@pytest.mark.parametrize("priced", [False, True])
def test_what_was_weighed(priced):
    prices = {"cost_per_hour": 10.0, "line_cost": 2.0} if priced else {}
    plan = staffing.trunks(demand([600.0]), GOAL, menu=60, to_agent=0.7, **prices)
    fig = charts.trunk_options(plan)
    assert list(fig.data[0].y) == plan.options["agents"].to_list()
    column = "cost" if priced else "agent_hours"
    assert list(fig.data[1].y) == plan.options[column].to_list()
    sizes = fig.data[0].marker.size
    assert plan.options["lines"][sizes.index(max(sizes))] == plan.lines
    assert ("cost" in plan.weighed().columns) == priced


def test_the_trick():
    shown = staffing.busy_signal(600, 3600, 180, GOAL, agents=22, menu=60, to_agent=0.7)
    fig = charts.busy_signal(shown)
    drawn = traces(fig)
    assert list(drawn["Met a busy signal"].y) == shown.frame["blocking"].to_list()
    assert list(fig.data[3].y) == shown.frame["asa_s"].to_list()
    assert "On 36 lines" in fig.layout.title.text.replace("<br>", " ")
    assert fig.layout.annotations[-1].text == "goal 80%"


def test_months(plan):
    coming = staffing.trunk_growth(
        4, GOAL, demand([600.0]), first=date(2025, 11, 1), subscribers=1e5, contact_rate=0.3,
        per_day=5000, menu=60, to_agent=0.7,
    )  # fmt: skip
    drawn = traces(charts.trunk_growth(coming))
    assert list(drawn["Seats"].y) == coming.frame["agents"].to_list()
    assert list(drawn["Voice-menu ports"].y) == coming.frame["ports"].to_list()


@pytest.mark.parametrize("common", [None, 0])
def test_groups(common):
    groups = {"<b>north</b>": (10.0, 10), "south": (6.0, 8)}
    plan = staffing.overflow_plan(groups, common=common)
    fig = charts.overflow_groups(plan)
    assert "<b>" not in fig.data[0].name  # text of a log is no markup
    assert sum(trace.x[0] for trace in fig.data[:2]) == 18
    assert ("Common group" in traces(fig)) == (common is None)
    assert f"{plan.lines} lines" in fig.layout.title.text


def test_days_and_peaks():
    days = [date(2025, 3, 3) + timedelta(days=k) for k in range(3)]
    busy = pl.DataFrame(
        {"day": days, "peak_lines": [5, 9, 7], "mean_lines": 1.0, "busiest_hour": time(11),
         "busiest_hour_erlangs": [3.0, 4.0, 3.5], "consistent_hour": time(10),
         "consistent_hour_erlangs": [2.0, 3.0, 3.5]}
    )  # fmt: skip
    counts = pl.DataFrame({"contained": [1], "blocked": [1]})
    fig = charts.lines_by_day(staffing.lines_measured(busy, counts))
    assert list(traces(fig)["Most at once"].y) == [5, 9, 7]
    with pytest.raises(InputError, match="more than once"):
        charts.lines_by_day(staffing.lines_measured(pl.concat([busy, busy]), counts))
    frame = pl.DataFrame(
        {"day": days, "calls": 100, "peak_lines": [5, 9, 7], "expected_peak_lines": 6,
         "peak_lines_low": 4, "peak_lines_high": 8, "inside": [True, False, True]}
    )  # fmt: skip
    peaks = staffing.LinePeaks(frame=frame, inputs={"level": 0.95})
    drawn = traces(charts.line_peaks(peaks))
    assert list(drawn["Seen, outside"].y) == [9]
    assert list(drawn["Seen, inside"].y) == [5, 7]
