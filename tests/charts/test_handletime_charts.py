import datetime as dt
import math

import numpy as np
import polars as pl
import pytest

from ccanalytics import charts, handletime
from ccanalytics.errors import DataError, InputError

MONDAY = dt.datetime(2024, 1, 1)


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(4)
    frames = []
    for k in range(12):
        for service, mean in (("A", 4.6), ("B", 5.0), (None, 4.2)):
            seconds, calls = np.unique(np.rint(rng.lognormal(mean, 0.9, 200)), return_counts=True)
            frames.append(
                pl.DataFrame(
                    {
                        "local_start": [MONDAY + dt.timedelta(weeks=k)] * len(calls),
                        "interval_s": 604800,
                        "service": [service] * len(calls),
                        "seconds": seconds,
                        "calls": calls,
                    },
                    schema_overrides={"service": pl.String},
                )
            )
    return pl.concat(frames)


def words(fig):
    return f"{fig.layout.title.text} {fig.layout.title.subtitle.text}".replace("<br>", " ")


def test_the_histogram_draws_the_result_s_own_bars_and_curve(counts):
    times = handletime.distribution(counts)
    fig = charts.handle_time_histogram(times)
    bars = times.histogram()
    assert list(fig.data[0].y) == bars["density"].to_list()
    assert list(fig.data[1].y) == bars["law"].drop_nulls().to_list()
    assert fig.layout.xaxis.type == "log"
    # Plotly wants lines by value and their words by the power of ten.
    assert fig.layout.shapes[0].x0 == times.median.value
    assert fig.layout.annotations[0].x == pytest.approx(math.log10(times.median.value))


def test_by_key_mean_and_median_with_limits(counts):
    times = handletime.distribution(counts, by="service")
    fig = charts.handle_time_by_key(times, names={"A": "Balance", "B": None}, top=2)
    assert [trace.name for trace in fig.data] == ["Mean, for staffing", "Median, a typical call"]
    shown = times.rows.head(2)
    assert sorted(fig.data[0].x) == sorted(shown["mean_s"].to_list())
    assert set(fig.data[0].y) <= {"Balance", "B", "unknown"}
    assert "not drawn" in words(fig)
    assert "(of the 2 with most calls)" in words(fig)
    assert "with most" not in words(charts.handle_time_by_key(times))
    with pytest.raises(InputError, match="not split"):
        charts.handle_time_by_key(handletime.distribution(counts))


def test_the_trend_in_all_and_by_key(counts):
    trend = handletime.trend(counts)
    fig = charts.handle_time_trend(trend)
    by_name = {trace.name: trace for trace in fig.data}
    assert list(by_name["Mean"].y) == trend.rows["mean_s"].to_list()
    assert list(by_name["Trend"].y) == trend.rows["fitted_s"].to_list()
    assert "No change beyond chance over 12 weeks" in words(fig)
    trends = handletime.trend(counts, by="service")
    one = charts.handle_time_trend(trends, "B")
    assert words(one).startswith("B: ")
    assert charts.handle_time_trend(trends, None).data
    fig = charts.trend_by_key(trends)
    assert sorted(fig.data[0].x) == sorted(trends.slopes["per_quarter"].to_list())
    assert "chance alone about 0.2" in words(fig)
    assert "rarely" not in words(fig)
    with pytest.raises(InputError, match="other keys"):
        charts.handle_time_trend(trends)
    with pytest.raises(InputError, match="not split"):
        charts.trend_by_key(trend)


def test_parts_stack_to_the_handle_time():
    frame = pl.DataFrame(
        {
            "service": ["A", "B"],
            "handled": [10, 20],
            "talk_s": [1000.0, 3000.0],
            "hold_s": [100.0, 0.0],
            "wrap_s": [None, None],
        },
        schema_overrides={"wrap_s": pl.Float64},
    )
    fig = charts.handle_time_parts(handletime.parts(frame, by="service"))
    assert [trace.name for trace in fig.data] == ["Talk", "Hold"]
    assert list(fig.data[0].y) == ["All calls", "B", "A"]
    assert list(fig.data[0].x) == pytest.approx([4000 / 30, 150, 100])
    assert "unknown: after-call work" in words(fig)
    alone = handletime.parts(frame.with_columns(hold_s=pl.lit(None, pl.Float64)))
    with pytest.raises(DataError, match="talk only"):
        charts.handle_time_parts(alone)


def test_one_service_is_compared_with_none(counts):
    alone = handletime.distribution(counts.filter(service="A"), by="service")
    assert words(charts.handle_time_by_key(alone)).count("for A") == 1
