"""The plain forecast: four same weekdays, by the local clock, and what it refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from ccanalytics import ServiceLevel, staffing
from ccanalytics.errors import DataError, InputError

BERLIN = ZoneInfo("Europe/Berlin")


def hourly(first, days, calls, zone=BERLIN, aht=200.0):
    """One row per hour that the wall clock really shows; ``calls(local)`` gives its calls."""
    begin = datetime.combine(first, datetime.min.time(), zone)
    end = datetime.combine(first + timedelta(days), datetime.min.time(), zone)
    seconds = range(int(begin.timestamp()), int(end.timestamp()), 3600)
    starts = [datetime.fromtimestamp(s, UTC) for s in seconds]
    local = [at.astimezone(zone).replace(tzinfo=None) for at in starts]
    return pl.DataFrame(
        {
            "interval_start": starts,
            "interval_s": 3600,
            "calls": [float(calls(at)) for at in local],
            "aht_s": [aht(at) if callable(aht) else aht for at in local],
        }
    )


def coming(frame, weeks=1, **settings):
    return staffing.ahead(frame, weeks, time_zone="Europe/Berlin", **settings)


def at(result, local):
    return result.demand.filter(pl.col("local_start") == local).row(0, named=True)


def test_each_hour_is_the_mean_of_the_last_four_same_weekdays_times_growth():
    # Five Mondays at 10:00 with 1000, 10, 20, 30, 40 calls: the first is too old.
    first = date(2025, 1, 6)
    weeks = {0: 1000, 1: 10, 2: 20, 3: 30, 4: 40}
    frame = hourly(
        first,
        35,
        lambda t: weeks[(t.date() - first).days // 7],
        aht=lambda t: 100.0 + 100.0 * ((t.date() - first).days // 7 == 4),
    )
    found = at(coming(frame, growth=0.10), datetime(2025, 2, 10, 10))
    assert found["calls"] == pytest.approx(25 * 1.1)
    # (10 + 20 + 30)·100 and 40·200 over 100 calls.
    assert found["aht_s"] == pytest.approx(140)
    # Standard deviation of 10, 20, 30, 40 is 12.9099…
    assert found["cv"] == pytest.approx(12.90994449 / 25)


def test_closed_and_excluded_days_are_skipped_and_older_ones_taken():
    first = date(2025, 1, 6)
    values = {6: 100, 13: 7, 20: 0, 27: 9}  # Mondays of January; the 20th was closed
    frame = hourly(
        first, 42, lambda t: values.get(t.day, 20) if t.month == 1 and t.weekday() == 0 else 20
    )
    found = coming(frame, exclude="2025-01-13, 2025-02-18")
    # 10 and 3 February, 27 and 6 January.
    assert at(found, datetime(2025, 2, 17, 10))["calls"] == pytest.approx((20 + 20 + 9 + 100) / 4)
    assert date(2025, 2, 18) not in found.dates
    assert len(found.dates) == 6
    named = {check.name: check.detail for check in found.checks}
    assert "6 January 2025" in named["Age of the days taken"]
    assert "left out as asked" in named["Holidays"]


@pytest.mark.parametrize(
    ("last_whole_week", "day", "hours"),
    [(date(2025, 2, 24), date(2025, 3, 30), 23), (date(2025, 9, 22), date(2025, 10, 26), 25)],
)
def test_the_clock_runs_as_it_will(last_whole_week, day, hours):
    frame = hourly(last_whole_week, 28, lambda t: 10 + t.hour)
    found = coming(frame)
    assert day in found.dates
    rows = found.demand.filter(pl.col("local_start").dt.date() == day)
    assert rows.height == hours
    # Nine in the morning by the wall is nine in the morning, on either side of the change.
    assert at(found, datetime.combine(day, datetime.min.time()) + timedelta(hours=9))[
        "calls"
    ] == pytest.approx(19)
    step = found.demand["interval_start"].diff().drop_nulls().dt.total_seconds()
    assert set(step) == {3600}


def test_a_log_that_ends_at_noon_does_not_halve_the_day():
    whole = hourly(date(2025, 1, 6), 35, lambda _: 10)
    cut = whole.filter(pl.col("interval_start") < datetime(2025, 2, 9, 11, tzinfo=UTC))
    found = coming(cut)
    assert found.daily()["calls"].to_list() == pytest.approx([240.0] * 7)
    assert any(c.name == "First and last day" for c in found.checks)


def test_it_says_that_it_is_plain():
    found = coming(hourly(date(2025, 1, 6), 28, lambda _: 10), growth=0.05)
    assert found.name == "plain forecast"
    assert found.summary().startswith("Plain forecast")
    assert "no holidays" in found.summary()
    assert {"Plain forecast", "Holidays"} <= {check.name for check in found.checks}


def test_it_feeds_a_requirement_by_key():
    one = hourly(date(2025, 1, 6), 28, lambda _: 30).with_columns(queue=pl.lit("a"))
    two = hourly(date(2025, 1, 6), 28, lambda _: 60).with_columns(queue=pl.lit("b"))
    found = coming(pl.concat([one, two]))
    need = staffing.requirement(found.demand, ServiceLevel(0.8, within=20), cv="demand")
    assert need.keys == ("queue",)
    assert need.frame.height == 2 * 7 * 24


@pytest.mark.parametrize(
    ("days", "settings", "error", "words"),
    [
        (27, {}, DataError, "3 Sundays|fewer"),
        (28, {"exclude": "2025-01-13"}, DataError, "3 Mondays? left|fewer"),
        (28, {"growth": 5}, InputError, "write 5% as 0.05"),
        (28, {"growth": -1}, InputError, "growth"),
        (28, {"weeks": 0}, InputError, "weeks=0"),
        (28, {"weeks": 1.5}, InputError, "weeks=1.5"),
        (28, {"exclude": "2025-02-03..2025-02-09"}, DataError, "every coming day"),
    ],
)
def test_what_it_refuses(days, settings, error, words):
    frame = hourly(date(2025, 1, 6), days, lambda _: 10)
    with pytest.raises(error, match=words):
        coming(frame, **settings)
