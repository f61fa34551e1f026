"""Typical days: which days count, clock changes, weights, spans."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from ccanalytics import ServiceLevel, staffing
from ccanalytics.errors import DataError, InputError

BERLIN = ZoneInfo("Europe/Berlin")


def hourly(first, days, calls, zone=BERLIN, aht=100.0):
    """Hours of whole local days; ``calls`` is a function of the local start."""
    at = datetime.fromisoformat(first).replace(tzinfo=zone).astimezone(UTC)
    end = (datetime.fromisoformat(first) + timedelta(days)).replace(tzinfo=zone).astimezone(UTC)
    starts = []
    while at < end:
        starts.append(at)
        at += timedelta(hours=1)
    local = [s.astimezone(zone).replace(tzinfo=None) for s in starts]
    return pl.DataFrame(
        {
            "interval_start": starts,
            "local_start": local,
            "utc_offset_s": [int(s.astimezone(zone).utcoffset().total_seconds()) for s in starts],
            "interval_s": [3600] * len(starts),
            "calls": [float(calls(at)) for at in local],
            "aht_s": [aht] * len(starts),
        }
    )


def at(day, clock, column="calls"):
    row = day.demand.filter(pl.col("local_start").dt.strftime("%H:%M") == clock)
    return row[column].to_list()


def test_only_the_weekdays_asked_for_are_meant():
    frame = hourly("2025-03-03", 28, lambda t: t.isoweekday())
    for number, name in ((1, "Monday"), (7, "Sunday")):
        day = staffing.typical_day(frame, weekdays=number, time_zone="Europe/Berlin")
        assert at(day, "09:00") == [number]
        assert len(day.dates) == 4
        assert day.name == f"average {name}"
    both = staffing.typical_day(frame, weekdays=(1, 3), time_zone="Europe/Berlin")
    assert at(both, "09:00") == [2]
    everyday = staffing.typical_day(frame, time_zone="Europe/Berlin")
    assert at(everyday, "09:00") == [4]


def test_busiest_is_the_weekday_with_most_calls_a_day():
    # Fridays have most calls in all, because the span has more of them; Tuesdays have most a day.
    frame = hourly("2025-03-07", 15, lambda t: {2: 11, 5: 10}.get(t.isoweekday(), 1))
    day = staffing.typical_day(frame, weekdays="busiest", time_zone="Europe/Berlin")
    assert day.name == "average Tuesday"


def test_a_day_in_the_span_without_rows_counts_as_zero_and_days_outside_do_not():
    frame = hourly("2025-03-03", 28, lambda t: 12)
    sparse = frame.filter(pl.col("local_start").dt.date() != date(2025, 3, 10))
    day = staffing.typical_day(sparse, weekdays=1, time_zone="Europe/Berlin")
    assert at(day, "09:00") == [9]
    assert len(day.dates) == 4
    shorter = frame.filter(pl.col("local_start").dt.date() >= date(2025, 3, 11))
    day = staffing.typical_day(shorter, weekdays=1, time_zone="Europe/Berlin")
    assert at(day, "09:00") == [12]
    assert len(day.dates) == 2


def test_hours_before_the_log_began_are_not_zero():
    frame = hourly("2025-03-03", 15, lambda t: 10)
    late = frame.filter(pl.col("local_start") >= pl.datetime(2025, 3, 3, 12))
    day = staffing.typical_day(late, weekdays=1, time_zone="Europe/Berlin")
    assert at(day, "09:00") == [10]
    counts = day.counts.filter(pl.col("clock") == "09:00")
    assert counts.height == 2


def test_a_skipped_hour_is_no_day_and_a_doubled_one_is_two():
    # Sundays; the clock jumps from 02:00 to 03:00 on 30 March 2025.
    frame = hourly("2025-03-17", 14, lambda t: 10)
    day = staffing.typical_day(frame, weekdays=7, time_zone="Europe/Berlin")
    assert at(day, "02:00") == [10]
    assert day.counts.filter(pl.col("clock") == "02:00")["date"].to_list() == [date(2025, 3, 23)]
    # And back on 26 October: 02:00 comes twice.
    frame = hourly("2025-10-13", 14, lambda t: 10)
    day = staffing.typical_day(frame, weekdays=7, time_zone="Europe/Berlin")
    assert at(day, "02:00") == [10]
    assert day.counts.filter(pl.col("clock") == "02:00").height == 3
    assert day.demand.height == 24
    assert day.demand["interval_start"].is_unique().all()


def test_the_result_is_demand_on_the_wall_clock_of_the_zone():
    day = staffing.typical_day(
        hourly("2025-06-02", 14, lambda t: t.hour), weekdays=1, time_zone="Europe/Berlin"
    )
    row = day.demand.row(9, named=True)
    assert row["local_start"].hour == 9
    assert row["interval_start"] == datetime(2025, 6, 9, 7, tzinfo=UTC)
    assert row["utc_offset_s"] == 7200
    need = staffing.requirement(day, ServiceLevel(0.8, within=20))
    assert need.frame["calls"].to_list() == list(range(24))
    assert need.summary().startswith("An average Monday needs at most")
    assert "over 2 days from 2 June 2025 to 9 June 2025" in need.summary()


def test_handle_times_are_weighted_by_calls_and_quiet_hours_have_none():
    frame = hourly("2025-03-03", 8, lambda t: 10 if t.day == 3 else 30).with_columns(
        aht_s=pl.when(pl.col("local_start").dt.day() == 3).then(100.0).otherwise(200.0),
        calls=pl.when(pl.col("local_start").dt.hour() == 3).then(0.0).otherwise(pl.col("calls")),
    )
    day = staffing.typical_day(frame, weekdays=1, time_zone="Europe/Berlin")
    assert at(day, "09:00", "aht_s") == [175.0]
    assert at(day, "03:00", "aht_s") == [None]


def test_calls_without_a_handle_time_take_that_of_all():
    frame = hourly("2025-03-03", 8, lambda t: 10).with_columns(
        aht_s=pl.when(pl.col("local_start").dt.hour() == 9).then(None).otherwise(120.0)
    )
    day = staffing.typical_day(frame, weekdays=1, time_zone="Europe/Berlin")
    assert at(day, "09:00", "aht_s") == [120.0]
    fixed = staffing.typical_day(frame, weekdays=1, time_zone="Europe/Berlin", aht_s=240)
    assert at(fixed, "09:00", "aht_s") == [240.0]


def test_variation_between_days_is_kept():
    frame = hourly("2025-03-03", 28, lambda t: 10 if t.day < 17 else 30)
    day = staffing.typical_day(frame, weekdays=1, time_zone="Europe/Berlin")
    # 10, 10, 30, 30: mean 20, standard deviation 11.547.
    assert at(day, "09:00", "cv") == [pytest.approx(11.547005 / 20)]


def test_keys_are_averaged_apart():
    frame = pl.concat(
        [
            hourly("2025-03-03", 14, lambda t: 4).with_columns(queue=pl.lit("a")),
            hourly("2025-03-03", 14, lambda t: 8).with_columns(queue=pl.lit("b")),
        ]
    )
    day = staffing.typical_day(frame, weekdays=2, time_zone="Europe/Berlin")
    assert day.keys == ("queue",)
    assert day.demand.group_by("queue").agg(pl.col("calls").sum()).sort("queue").rows() == [
        ("a", 96.0),
        ("b", 192.0),
    ]


def test_a_typical_week_is_its_typical_days():
    frame = hourly("2025-03-03", 21, lambda t: 24 * t.isoweekday() + t.hour)
    week = staffing.typical_week(frame, time_zone="Europe/Berlin")
    assert week.demand.height == 168
    for number in range(1, 8):
        day = staffing.typical_day(frame, weekdays=number, time_zone="Europe/Berlin")
        mine = week.demand.filter(pl.col("weekday") == number)["calls"].to_list()
        assert mine == day.demand["calls"].to_list()


def test_few_days_are_doubted():
    frame = hourly("2025-03-03", 14, lambda t: 5)
    day = staffing.typical_day(frame, weekdays=1, time_zone="Europe/Berlin")
    assert day.checks[0].status == "fails"
    assert staffing.typical_day(frame, time_zone="Europe/Berlin").checks[0].status == "holds"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"time_zone": "Mars/Olympus"}, "no such time zone"),
        ({"weekdays": 0}, "1 (Monday) to 7"),
        ({"weekdays": 8}, "1 (Monday) to 7"),
        ({"weekdays": "wednesday"}, "busiest"),
        ({"weekdays": ()}, "1 (Monday) to 7"),
        ({"aht_s": 0}, "above 0"),
        ({"aht_s": float("inf")}, "finite"),
    ],
)
def test_bad_arguments_are_named(arguments, words):
    with pytest.raises(InputError) as refused:
        staffing.typical_day(
            hourly("2025-03-03", 7, lambda t: 5), **({"time_zone": "Europe/Berlin"} | arguments)
        )
    assert words in str(refused.value)


def test_bad_frames_are_named():
    frame = hourly("2025-03-03", 7, lambda t: 5)
    with pytest.raises(InputError, match="one length"):
        staffing.typical_day(frame.with_columns(interval_s=86400), time_zone="Europe/Berlin")
    with pytest.raises(InputError, match="polars or pandas"):
        staffing.typical_day({"calls": [1]}, time_zone="Europe/Berlin")
    with pytest.raises(DataError, match="empty"):
        staffing.typical_day(frame.clear(), time_zone="Europe/Berlin")
    with pytest.raises(DataError, match="give aht_s"):
        staffing.typical_day(
            frame.with_columns(aht_s=pl.lit(None, pl.Float64)), time_zone="Europe/Berlin"
        )
    with pytest.raises(DataError, match="no Sunday"):
        staffing.typical_day(frame.head(24), weekdays=7, time_zone="Europe/Berlin")


def test_opening_hours_leave_out_what_begins_outside_and_say_how_much():
    frame = hourly("2025-03-03", 28, lambda t: 1 if t.hour < 8 else 100)
    day = staffing.typical_day(
        frame, weekdays=1, time_zone="Europe/Berlin", hours=("08:00", "24:00")
    )
    assert day.demand["local_start"].dt.hour().to_list() == list(range(8, 24))
    check = next(check for check in day.checks if check.name == "Opening hours")
    assert check.status == "informs"
    assert f"{8 / 1608:.2%}" in check.detail
    night = staffing.typical_day(
        frame, weekdays=1, time_zone="Europe/Berlin", hours=("22:00", "02:00")
    )
    assert night.demand["local_start"].dt.hour().to_list() == [0, 1, 22, 23]
    assert next(c.status for c in night.checks if c.name == "Opening hours") == "fails"
    whole = staffing.typical_day(
        frame, weekdays=1, time_zone="Europe/Berlin", hours=("00:00", "24:00")
    )
    assert whole.demand.height == 24
    with pytest.raises(InputError, match="two times of day"):
        staffing.typical_day(frame, time_zone="Europe/Berlin", hours="08:00")
    with pytest.raises(InputError, match="no time of day"):
        staffing.typical_day(frame, time_zone="Europe/Berlin", hours=("8", "25:00"))
