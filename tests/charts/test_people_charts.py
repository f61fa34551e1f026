import datetime as dt

import numpy as np
import polars as pl
import pytest

from ccanalytics import charts, handletime

MONDAY = dt.datetime(2024, 1, 1)


def cells(count=20, newcomers=6, weeks=80, spread=0.15, seed=1):
    """Agents by week: some come one after the other and learn, some were there long before."""
    rng = np.random.default_rng(seed)
    rows, people = [], []
    for i in range(count):
        first = 4 * i if i < newcomers else -60
        gone = first + 30 if i == 1 and newcomers else weeks
        own = spread * rng.standard_normal()
        people.append(
            (f"a{i:02d}", MONDAY.date() + dt.timedelta(weeks=first),
             MONDAY.date() + dt.timedelta(weeks=gone, days=-1) if gone < weeks else None)
        )  # fmt: skip
        for t in range(max(first, 0), gone):
            n = int(rng.poisson(40)) + 1
            level = 5 + own - 0.12 * np.log2(min(t - first + 1, 52))
            log = level + 0.8 * rng.standard_normal() / np.sqrt(n)
            mean = np.exp(log + 0.32)
            rows.append(
                (MONDAY + dt.timedelta(weeks=t), 604800, f"a{i:02d}", n, n * mean,
                 n * mean**2 * 1.9, n * log, n * (log**2 + 0.64))
            )  # fmt: skip
    schema = ["local_start", "interval_s", "agent", "timed_calls", "timed_s", "timed_ss",
              "timed_logs", "timed_logs2"]  # fmt: skip
    told = {"agent": pl.String, "hired_on": pl.Date, "left_on": pl.Date}
    return (
        pl.DataFrame(rows, schema=schema, orient="row"),
        pl.DataFrame(people, schema=told, orient="row"),
    )


@pytest.fixture(scope="module")
def frames():
    return cells()


def named(fig):
    return {trace.name: trace for trace in fig.data}


def words(fig):
    return f"{fig.layout.title.text} {fig.layout.title.subtitle.text}".replace("<br>", " ")


def test_the_learning_curve_has_its_band_and_the_naive_curve_dashed(frames):
    found = handletime.learning_curve(*frames)
    fig = charts.learning_curve(found)
    lines = named(fig)
    assert list(lines["The same agents"].y) == found.curve["relative_time"].to_list()
    assert list(lines["Who was there"].y) == found.curve["naive"].to_list()
    assert lines["Who was there"].line.dash == "dash"
    assert max(v for v in lines["95% interval"].y if v) == found.curve["relative_time_high"].max()
    assert fig.layout.shapes[0].y0 == 1.05
    assert "In week 1 of work newcomers take" in words(fig)


def test_the_funnel_has_limits_by_calls_and_marks_those_beyond(frames):
    found = handletime.agents(frames[0])
    fig = charts.agent_funnel(found)
    lines = named(fig)
    loud = found.rows.filter("beyond_luck")
    assert sorted(lines["Beyond luck"].text) == loud["agent"].to_list()
    assert len(lines["Within luck"].x) == found.rows.height - loud.height
    assert list(lines["Luck, 95%"].x) == found.funnel["timed_calls"].to_list()
    wide = np.array(found.funnel["luck_998_high"]) > np.array(found.funnel["luck_95_high"])
    assert wide.all()
    assert fig.layout.xaxis.type == "log"
    assert "beyond luck" in words(fig)


def test_many_agents_are_drawn_at_the_extremes_alone():
    found = handletime.agents(cells(count=90, newcomers=0, weeks=3)[0])
    fig = charts.agent_effects(found)
    drawn = list(fig.data[0].x)
    assert len(drawn) == 60
    order = sorted(found.rows["relative_time"])
    assert sorted(drawn) == pytest.approx(order[:30] + order[-30:])
    assert "30 agents between the extremes not drawn" in words(fig)
    few = charts.agent_effects(handletime.agents(cells(count=9, newcomers=0, weeks=3)[0]))
    assert len(few.data[0].x) == 9
    assert "not drawn" not in words(few)


def test_texts_of_agents_are_no_markup():
    frame, _ = cells(count=5, newcomers=0, weeks=3)
    nasty = frame.with_columns(agent="<b>" + pl.col("agent"))
    found = handletime.agents(nasty)
    for fig in (charts.agent_funnel(found), charts.agent_effects(found)):
        assert "<b>a0" not in str(fig.data[-1].text) + str(fig.data[-1].y)


def test_survival_begins_with_everyone_and_falls(frames):
    found = handletime.attrition(frames[1], seen_from="2024-01-01", seen_until="2025-07-13")
    fig = charts.tenure_survival(found)
    line = named(fig)["Still there"]
    assert line.y[0] == 1
    assert list(line.y)[1:] == found.survival["staying"].to_list()
    assert line.line.shape == "hv"
    assert "leave in a month" in words(fig)
