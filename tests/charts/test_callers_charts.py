"""Charts of callers and agents: what they draw is what the Result says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from scipy import stats

from ccanalytics import ServiceLevel, charts, staffing
from ccanalytics.errors import DataError
from ccanalytics.staffing.abandonment_models import MODELS
from ccanalytics.statistics import overdispersion, patience, redials

GOAL = ServiceLevel(0.8, 20)


def waits_of(law, n=6000, seed=1, **key):
    rng = np.random.default_rng(seed)
    patient, answer = law.rvs(n, random_state=rng), rng.exponential(80, n)
    left = patient < answer
    frame = pl.DataFrame(
        {"outcome": np.where(left, "abandoned", "answered"), "queued": True,
         "seconds": np.rint(np.minimum(patient, answer)).astype(int)}
    ).with_columns(pl.lit(v).alias(k) for k, v in key.items())  # fmt: skip
    return frame.group_by(pl.all()).len("calls").sort(pl.all())


@pytest.fixture(scope="module")
def plan():
    start = [datetime(2025, 3, 3, 8, tzinfo=UTC) + timedelta(days=d, hours=h)
             for d in range(14) for h in range(4)]  # fmt: skip
    frame = pl.DataFrame(
        {"interval_start": start, "interval_s": 3600, "calls": 100.0, "aht_s": 180.0}
    )
    day = staffing.typical_day(frame, weekdays=1, time_zone="UTC", hours=("08:00", "12:00"))
    seen = day.counts.select(
        local_start=pl.concat_str(pl.col("date").cast(pl.String), pl.lit(" "), "clock")
        .str.to_datetime("%Y-%m-%d %H:%M"),
        interval_s=3600, agents_present=5.0,
    )  # fmt: skip
    return staffing.requirement(day, GOAL), day, seen


@pytest.fixture(scope="module")
def found():
    return patience(waits_of(stats.weibull_min(0.5, scale=200), n=20_000))


def named(fig, name):
    return next(trace for trace in fig.data if trace.name == name)


def test_the_curve_is_drawn_with_limits_and_the_exponential_law(found):
    fig = charts.patience(found)
    curve = named(fig, "This log")
    at = dict(zip(curve.x, curve.y, strict=True))
    for row in found.survival.filter(pl.col("at_risk") >= 10).iter_rows(named=True):
        assert at[row["seconds"]] == row["survival"]
    mean = found.quantile("exponential_patience_s").value
    law = next(trace for trace in fig.data if trace.name.startswith("Exponential"))
    assert law.y[-1] == pytest.approx(np.exp(-law.x[-1] / mean))
    band = named(fig, "95% limits")
    assert band.fill == "toself"
    hazard = fig.data[-1]
    assert set(hazard.y) == set(found.hazard.filter(
        pl.col("abandoned") > 0, pl.col("to_s").is_finite())["hazard"])  # fmt: skip
    assert hazard.yaxis == "y2"
    half = charts.theme.duration(found.quantile("patience_p50_s").value)
    assert f"within {half}" in fig.layout.title.text


def test_groups_are_lines_and_names_are_no_html():
    both = pl.concat([waits_of(stats.expon(scale=600), queue="<b>calm</b>"),
                      waits_of(stats.expon(scale=60), seed=2, queue="hasty")])  # fmt: skip
    fig = charts.patience(patience(both))
    assert {"queue hasty", "queue &lt;b&gt;calm&lt;/b&gt;"} <= {trace.name for trace in fig.data}
    assert not any(trace.name.startswith("Exponential") for trace in fig.data)
    assert fig.layout.title.text.startswith("Half of queue hasty would give up within")


def test_a_median_beyond_the_log_is_not_invented():
    few = patience(waits_of(stats.expon(scale=4000), n=4000))
    assert "More than half would wait longer than" in charts.patience(few).layout.title.text


def test_redials_are_bars_with_their_limits():
    delays = pl.DataFrame({"seconds": [30, 9000], "again": [True, False], "calls": [40, 60]})
    fig = charts.redials(redials(delays))
    (bar,) = fig.data
    assert list(bar.x) == ["1 min", "10 min", "1 h"]  # a day is longer than anybody was followed
    assert list(bar.y) == pytest.approx([0.4] * 3)
    assert "Within 1 h, 40% of known customers" in fig.layout.title.text
    with pytest.raises(DataError, match="no window"):
        charts.redials(redials(delays, [10**6]))


def test_variation_is_a_week_of_cells():
    start = [datetime(2025, 3, 3) + timedelta(hours=h) for h in range(24 * 70)]
    calls = np.random.default_rng(1).poisson(50, len(start))
    result = overdispersion(pl.DataFrame({"local_start": start, "calls": calls}))
    (cells,) = charts.variation(result).data
    assert np.shape(cells.z) == (7, 24)
    row = result.cells.filter(pl.col("weekday") == 3, pl.col("clock").str.starts_with("13")).row(0)
    assert cells.z[2][13] == row[-1]


def test_seats_are_drawn_by_law(found):
    result = staffing.seats_by_patience(found, GOAL, calls=400, aht=190)
    fig = charts.seats_by_patience(result)
    (bar,) = fig.data
    drawn = dict(zip(bar.y, bar.x, strict=True))
    assert drawn["Nobody gives up<br>(Erlang C)"] == result.seats("none")
    assert drawn["This log's own<br>(M/M/n+G)"] == result.seats("own")
    fewer = result.seats("none") - result.seats("own")
    assert f"{fewer} fewer than Erlang C" in fig.layout.title.text.replace("<br>", " ")


def test_models_of_abandonment_stand_with_the_best_on_top():
    start = [datetime(2025, 3, 3 + d, 8 + h, tzinfo=UTC) for d in range(12) for h in range(4)]
    rng = np.random.default_rng(4)
    hours = pl.DataFrame(
        {"interval_start": start, "local_start": [at.replace(tzinfo=None) for at in start],
         "interval_s": 3600, "offered": 120, "abandoned": rng.binomial(120, 0.2, len(start)),
         "aht_s": 180.0, "agents_present": 5.0}
    )  # fmt: skip
    result = staffing.abandonment_models(hours, 400.0, 400.0, fitted_abandonment=0.1, resamples=100)
    fig = charts.abandonment_models(result)
    (dots,) = fig.data
    assert list(dots.x)[::-1] == result.scores["error"].to_list()
    assert dots.y[-1] == MODELS[result.winner]
    assert fig.layout.shapes[0].x0 == result.noise


def test_agents_seen_beside_the_plan(plan):
    need, day, seen = plan
    fig = charts.agents_seen(staffing.agents_seen(need, day, None, seen))
    assert list(named(fig, "Present, inferred").y) == [5.0] * 4
    assert set(named(fig, "Required").y) == set(need.frame["required_agents"])
    assert "20 agent-hours were there" in fig.layout.title.text
    assert "inferred from calls" in fig.layout.title.subtitle.text.replace("<br>", " ")
    with pytest.raises(DataError, match="no agent"):
        charts.agents_seen(staffing.agents_seen(need, day))


def test_shrinkage_by_component():
    acts = pl.DataFrame(
        [("a", "calls", "available", False, 800.0), ("a", "break", "break", False, 150.0),
         ("a", "calls", "break", False, 50.0)],
        schema=["agent", "activity", "state", "overlapping", "seconds"], orient="row",
    )  # fmt: skip
    fig = charts.measured_shrinkage(staffing.measured_shrinkage(acts))
    assert dict(zip(named(fig, "Measured").y, named(fig, "Measured").x, strict=True)) == {
        "Break": 0.2
    }
    assert list(named(fig, "Planned").x) == [0.15]
