import datetime as dt

import numpy as np
import polars as pl
import pytest

from ccanalytics import charts, handletime
from ccanalytics.errors import DataError, InputError

MONDAY = dt.datetime(2024, 1, 1)


def days(count=200, step=0.0, at=120, seed=1, habit=0.06, calls=400, skip=()):
    """Lognormal calls by whole seconds; Mondays take longer, and a level changes at a day."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(count):
        day = MONDAY + dt.timedelta(days=k)
        if k in skip:
            continue
        level = 5 + habit * (day.weekday() == 0) + step * (k >= at) + 0.01 * rng.standard_normal()
        seconds = np.rint(np.exp(level + 0.8 * rng.standard_normal(calls)))
        value, many = np.unique(seconds, return_counts=True)
        rows += [(day, 86400, float(v), int(n)) for v, n in zip(value, many, strict=True)]
    schema = ["local_start", "interval_s", "seconds", "calls"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_a_planted_change_is_found_with_the_roll_out_beside_it():
    live = pl.DataFrame(
        {
            "treatment": ["knowledge_base", "knowledge_base", "web_hall"],
            "live_on": [dt.date(2024, 4, 29), dt.date(2024, 5, 2), dt.date(2024, 2, 1)],
        }
    )
    found = handletime.control_chart(days(step=-0.15), rollouts=live)
    (day, level, change, beside) = found.changes.row(0)
    assert found.changes.height == 1
    assert abs((day - dt.date(2024, 4, 30)).days) <= 3
    assert change == pytest.approx(np.expm1(-0.15), abs=0.02)
    assert level == pytest.approx(np.exp(5 - 0.15), rel=0.03)
    assert "(2 units)" in beside
    assert "Web" not in beside
    last = found.frame.row(-1, named=True)
    assert last["signal"]
    assert last["statistic"] < 0
    assert f"last on {day}: −1" in found.headline()
    assert "it runs below the 1" in found.headline()


@pytest.mark.parametrize("chart", ["cusum", "ewma", "individuals"])
def test_nothing_planted_is_mostly_nothing_found(chart):
    """Signals by day as often as said, or fewer changes of level than one in ten worlds."""
    signalled = days_seen = changed = 0
    every = []
    for seed in range(12):
        found = handletime.control_chart(days(seed=seed, calls=150), chart=chart)
        after = found.frame.filter(~found.frame["in_baseline"])
        # A chart with a memory signals for some days in a row: count the first of each run.
        signals = after["signal"].to_numpy()
        signalled += int(signals[0]) + int((np.diff(signals.astype(int)) == 1).sum())
        days_seen += after.height
        changed += found.changes.height > 0
        every.append(found.chart.false_every)
    expected = days_seen / np.mean(every)
    assert signalled <= expected + 4 * np.sqrt(expected) + 2
    assert changed <= 2


def test_mondays_are_no_signal():
    """Without the weekday's habit removed, most Mondays would stand out."""
    found = handletime.control_chart(days(habit=0.3), chart="individuals")
    monday = found.frame.filter(found.frame["day"].dt.weekday() == 1)
    assert monday["signal"].sum() <= 2
    assert monday["typical_s"].mean() > 1.2 * monday["adjusted_s"].mean()


def test_days_left_out_are_said():
    frame = days(skip=(100,))
    part = frame.with_columns(
        interval_s=pl.when(pl.col("local_start") == pl.lit(MONDAY)).then(40000).otherwise(86400)
    )
    found = handletime.control_chart(part, exclude=["2024-02-10"])
    assert found.left_out == {"excluded": 1, "covered in part": 1}
    assert "1 day left out: excluded." in found.summary()
    assert (
        any("1 day" in check.detail for check in found.checks if "without" in check.name) is False
    )
    gaps = {check.name: check.detail for check in found.checks}["days without a value"]
    assert gaps == "2 days"


@pytest.mark.parametrize(
    ("frame", "settings", "error", "words"),
    [
        (days(40), {}, DataError, "not more days than the baseline"),
        (days(40), {"baseline_days": 10}, InputError, "three weeks or more"),
        (days(80), {"chart": "pie"}, InputError, "one of cusum"),
        (days(80), {"exclude": ["soon"]}, InputError, "this is no date"),
        (days(80).with_columns(interval_s=604800), {}, InputError, "every='1d'"),
        (days(80), {"min_calls": 10**6}, DataError, "0 days"),
        (
            days(80).filter(pl.col("local_start").dt.date() != dt.date(2024, 1, 7)),
            {"baseline_days": 21, "exclude": ["2024-01-14"]}, DataError, "Sunday",
        ),
    ],
)  # fmt: skip
def test_refusals(frame, settings, error, words):
    with pytest.raises(error, match=words):
        handletime.control_chart(frame, **settings)


def test_the_chart_shows_levels_and_signals():
    found = handletime.control_chart(days(step=0.2))
    fig = charts.handle_time_control(found)
    named = {trace.name: trace for trace in fig.data}
    assert set(named) == {"A day", "Level", "No signal", "Signal"}
    assert len(named["Signal"].x) == found.chart.signals.height
    assert "changed level 1 time" in fig.layout.title.text
