import datetime as dt
import math

import numpy as np
import polars as pl
import pytest

from ccanalytics import handletime
from ccanalytics.errors import DataError, InputError

MONDAY = dt.datetime(2024, 1, 1)
WEEK = 7 * 86400


def weekly(slope=0.0, weeks=30, calls=400, seed=1, sd=0.0, edges=None, **keys):
    """Value counts of lognormal handle times whose log mean moves by ``slope`` a week."""
    rng = np.random.default_rng(seed)
    frames = []
    for k in range(weeks):
        mean = 4.8 + slope * k + sd * rng.normal()
        seconds, n = np.unique(np.rint(rng.lognormal(mean, 0.9, calls)), return_counts=True)
        frames.append(
            pl.DataFrame(
                {
                    "local_start": [MONDAY + dt.timedelta(weeks=k)] * len(n),
                    "interval_s": (edges or {}).get(k, WEEK),
                    **keys,
                    "seconds": seconds,
                    "calls": n,
                }
            )
        )
    return pl.concat(frames)


def test_a_planted_trend_is_found():
    answer = handletime.trend(weekly(slope=0.004, weeks=52, calls=2000))
    truth = math.expm1(0.004 * 365.2425 / 7)
    change = answer.change()
    assert change.excludes_zero
    assert change.value == pytest.approx(truth, abs=0.04)
    assert answer.summary().startswith(f"Handle time is rising: +{change.value:.1%} a year")
    quarter = answer.change(per="quarter")
    assert quarter.value == pytest.approx((1 + change.value) ** 0.25 - 1)
    assert answer.rows.height == 52
    assert (answer.rows["fitted_s_low"] <= answer.rows["fitted_s_high"]).all()


def test_no_trend_reads_as_none_that_shows():
    answer = handletime.trend(weekly(weeks=20, seed=3))
    assert not answer.change().excludes_zero
    assert answer.summary().startswith("Handle time shows no change beyond chance: ")
    assert "over 20 weeks." in answer.summary()
    assert "a quarter" in answer.summary()


def test_intervals_cover_the_planted_trend():
    """120 worlds of 26 weeks with slow weeks: near 95% cover (99.9% limits)."""
    truth = math.expm1(-0.003 * 365.2425 / 7)
    hits = 0
    for seed in range(120):
        change = handletime.trend(
            weekly(slope=-0.003, weeks=26, calls=120, seed=seed, sd=0.05)
        ).change()
        hits += change.low <= truth <= change.high
    assert 104 <= hits <= 120


def test_weeks_by_hand():
    frame = pl.concat([weekly(weeks=10, calls=50)])
    first = frame.filter(pl.col("local_start") == MONDAY)
    seconds = np.repeat(first["seconds"], first["calls"]).astype(float)
    timed, long = seconds[seconds > 0], seconds[seconds >= 10]
    row = handletime.trend(frame, floor_s=10, min_calls=10).rows.row(0, named=True)
    assert row["mean_s"] == pytest.approx(timed.mean())
    assert row["median_s"] == pytest.approx(np.median(timed))
    assert row["log_mean"] == pytest.approx(np.log(long).mean())
    assert row["typical_s"] == pytest.approx(np.exp(np.log(long).mean()))
    assert row["typical_s_low"] < row["typical_s"] < row["typical_s_high"]


def test_weeks_in_part_are_left_out_and_said():
    frame = weekly(weeks=14, edges={0: 3 * 86400, 5: WEEK - 3600, 13: 86400})
    answer = handletime.trend(frame)
    assert answer.rows.height == 12
    assert any("2 weeks that the log covers in part" in check.detail for check in answer.checks)


def test_thin_weeks_are_left_out_where_they_stand():
    frame = weekly(weeks=20, slope=0.01)
    thin = pl.col("local_start") == MONDAY + dt.timedelta(weeks=7)
    frame = pl.concat([frame.filter(~thin), frame.filter(thin).head(3)])
    answer = handletime.trend(frame)
    weeks = answer.rows["week"].to_list()
    assert len(weeks) == 19
    assert (MONDAY + dt.timedelta(weeks=7)).date() not in weeks
    assert answer.change().low < math.expm1(0.01 * 52.1775) < answer.change().high


def test_by_key_with_refusals():
    frame = pl.concat(
        [
            weekly(weeks=30, slope=0.01, calls=500, service="A"),
            weekly(weeks=5, service="B", seed=2),
            weekly(weeks=30, calls=5, service="C", seed=3),
        ]
    )
    answer = handletime.trend(frame, by="service")
    assert answer.slopes["service"].to_list() == ["A"]
    assert answer.refused["B"] == "5 weeks, at least 8 are needed"
    assert "30 more have fewer than 30 calls" in answer.refused["C"]
    assert answer.change("A").value > 0.3
    assert "Left out, with too few weeks or calls: B, C" in answer.summary()
    with pytest.raises(InputError, match="5 weeks"):
        answer.change("B")
    with pytest.raises(InputError, match="per='day'"):
        answer.change("A", per="day")


@pytest.mark.parametrize(
    ("frame", "settings", "error", "words"),
    [
        (weekly(weeks=7), {}, DataError, "7 weeks, at least 8"),
        (weekly(weeks=9, edges={0: 86400, 8: 86400}), {}, DataError, "7 weeks"),
        (weekly(weeks=3).with_columns(interval_s=86400), {}, InputError, "must be by week"),
        (weekly(weeks=9).with_columns(interval_s=30 * 86400), {}, InputError, "must be by week"),
        (weekly(weeks=2, edges={0: 86400, 1: 86400}), {}, DataError, "hold no whole week"),
        (weekly(weeks=9).drop("local_start"), {}, InputError, "missing: local_start"),
        (weekly(weeks=9).with_columns(calls=pl.lit(-1)), {}, InputError, "calls=-1"),
        (weekly(weeks=9), {"by": "service"}, InputError, "by='service'"),
        (weekly(weeks=9), {"level": 1.5}, InputError, "level=1.5"),
        (weekly(weeks=9).clear(), {}, DataError, "no whole week"),
    ],
)
def test_refusals(frame, settings, error, words):
    with pytest.raises(error) as caught:
        handletime.trend(frame, **settings)
    assert words in str(caught.value)


def test_one_planted_trend_among_many_stands_out_and_chance_does_not():
    still = [weekly(weeks=26, seed=k, service=f"S{k:02d}") for k in range(30)]
    moving = weekly(weeks=26, slope=0.02, seed=99, service="up")
    frame = pl.concat([*still, moving])
    answer = handletime.trend(frame, by="service", names={"up": "Plan change"})
    assert answer.slopes.filter("stands_out")["service"].to_list() == ["up"]
    assert "1 stands out" in answer.summary()
    assert "Plan change: +" in answer.summary()
    assert "chance alone would show about 1.6" in answer.summary()
    none = handletime.trend(pl.concat(still), by="service")
    assert not none.slopes["stands_out"].any()
    assert "none stands out" in none.summary()


def test_keys_beyond_the_largest_are_one_series():
    parts = [weekly(weeks=10, calls=400 - 10 * k, seed=k, service=f"S{k}") for k in range(6)]
    frame = pl.concat(parts)
    answer = handletime.trend(frame, by="service", most=3)
    assert answer.slopes["service"].to_list() == ["all others", "S0", "S1", "S2"]
    others = pl.concat(parts[3:]).filter(pl.col("seconds") > 0)["calls"].sum()
    assert answer.slopes["calls"][0] == others
    assert "the other 3 together" in str(answer.checks)
    everything = handletime.trend(frame, by="service", most=None)
    assert everything.slopes.height == 6


def test_the_first_sentence_says_whether_it_changes_and_how_long_calls_take():
    frame = weekly(slope=-0.01, weeks=50, calls=500)
    times = handletime.distribution(frame.drop("local_start", "interval_s"))
    answer = handletime.overview(times, frame)
    value = answer.trend.change().value
    words = answer.summary()
    assert words.startswith(f"Handle time is falling: −{-value:.1%} a year for the typical call")
    assert f"; calls take {times.mean.value:.1f} s on the mean and " in words.split(". ")[0] + ". "
    short = handletime.overview(times, weekly(weeks=3), min_weeks=8)
    assert short.summary().startswith("Whether handle time is changing cannot be told: ")
    assert "3 weeks, at least 8" in short.summary()
    with pytest.raises(DataError, match="3 weeks"):
        short.trend_or_refuse()
    one = handletime.overview(times, weekly(weeks=1), min_weeks=8)
    assert "1 week, at least 8" in one.summary()
