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


def test_days_without_rows_count_as_zero_on_request_and_days_outside_the_span_never():
    frame = hourly("2025-03-03", 28, lambda t: 12)
    sparse = frame.filter(pl.col("local_start").dt.date() != date(2025, 3, 10))
    day = staffing.typical_day(sparse, weekdays=1, time_zone="Europe/Berlin", closed_days="zero")
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
    assert need.summary().startswith("An average Monday needs 2 agents seated at its peak, from")
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
    # 8 of 1,608 calls a day, on 28 days of which one, with the clock change, has 7 such hours.
    assert check.detail.startswith("223 of 45,023 calls came outside 08:00 to 24:00")
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


def check(day, name):
    return next((c for c in day.checks if c.name == name), None)


def test_days_without_any_call_are_left_out_and_named():
    # Closed from Monday 10 to Tuesday 11 March, and on every Sunday.
    shut = {date(2025, 3, 10), date(2025, 3, 11)}
    frame = hourly("2025-03-03", 28, lambda t: 0 if t.date() in shut or t.isoweekday() == 7 else 12)
    day = staffing.typical_day(frame, weekdays=1, time_zone="Europe/Berlin")
    assert at(day, "09:00") == [12]
    assert date(2025, 3, 10) not in day.dates
    told = check(day, "Days without any call")
    assert "10 Mar 2025" in told.detail
    assert "11 Mar" not in told.detail  # no Monday
    week = staffing.typical_week(frame, time_zone="Europe/Berlin")
    assert "10–11 Mar 2025" in check(week, "Days without any call").detail
    # That nobody calls on Sundays is a fact about the week.
    sunday = week.demand.filter(pl.col("weekday") == 7)
    assert sunday["calls"].to_list() == [0] * 24
    assert set(week.demand.filter(pl.col("weekday") < 7)["calls"]) == {12}
    assert told in staffing.requirement(day, ServiceLevel(0.8, within=20)).checks


def test_a_few_calls_a_day_do_not_make_an_empty_day_a_closed_one():
    frame = hourly("2025-03-03", 28, lambda t: 2 if t.hour == 9 and t.day % 2 else 0)
    day = staffing.typical_day(frame, weekdays=1, time_zone="Europe/Berlin")
    assert len(day.dates) == 4
    assert check(day, "Days without any call") is None


def test_days_nearly_without_calls_are_named_and_stay():
    frame = hourly("2025-03-03", 28, lambda t: 1 if t.date() == date(2025, 3, 10) else 12)
    day = staffing.typical_day(frame, weekdays=1, time_zone="Europe/Berlin")
    assert at(day, "09:00") == [(12 * 3 + 1) / 4]
    assert "10 Mar 2025" in check(day, "Days nearly without calls").detail


@pytest.mark.parametrize(
    "exclude",
    [
        "2025-03-10..2025-03-16, 2025-03-24",
        "2025-03-10 .. 2025-03-16;2025-03-24",
        [date(2025, 3, 10), "2025-03-24"],
        ["2025-03-10..2025-03-11", date(2025, 3, 24)],
    ],
)
def test_named_days_are_left_out(exclude):
    frame = hourly("2025-03-03", 28, lambda t: t.day)  # Mondays 3, 10, 17, 24
    day = staffing.typical_day(frame, weekdays=1, time_zone="Europe/Berlin", exclude=exclude)
    assert at(day, "09:00") == [10]
    assert day.dates == (date(2025, 3, 3), date(2025, 3, 17))
    assert "10 Mar 2025, 24 Mar 2025" in check(day, "Days left out by name").detail
    week = staffing.typical_week(frame, time_zone="Europe/Berlin", exclude=exclude)
    monday = week.demand.filter(pl.col("weekday") == 1)
    assert set(monday["calls"]) == {10}


def test_days_that_were_left_out_have_no_say_in_the_busiest_weekday():
    frame = hourly("2025-03-03", 28, lambda t: 900 if t.day == 4 else t.isoweekday())

    def busiest(**settings):
        return staffing.typical_day(
            frame, weekdays="busiest", time_zone="Europe/Berlin", **settings
        ).name

    assert busiest() == "average Tuesday"
    assert busiest(exclude="2025-03-04") == "average Sunday"


@pytest.mark.parametrize(
    "exclude",
    ["10 March", "2025-03-10..", "2025-03-12..2025-03-10", "2025-03-10..2025-03-11..2025-03-12",
     "2025-02-30", 20250310, [20250310], datetime(2025, 3, 10)],
)  # fmt: skip
def test_days_that_cannot_be_read_are_refused(exclude):
    frame = hourly("2025-03-03", 14, lambda t: 12)
    with pytest.raises(InputError, match="2024-02-10"):
        staffing.typical_day(frame, time_zone="Europe/Berlin", exclude=exclude)


def test_a_mean_of_no_day_is_refused():
    frame = hourly("2025-03-03", 14, lambda t: 12)
    with pytest.raises(DataError, match="every day of the span"):
        staffing.typical_day(frame, time_zone="Europe/Berlin", exclude="2025-03-01..2025-03-31")
    with pytest.raises(DataError, match="every Monday"):
        staffing.typical_day(
            frame, weekdays=1, time_zone="Europe/Berlin", exclude="2025-03-03, 2025-03-10"
        )
    with pytest.raises(InputError, match="closed_days"):
        staffing.typical_day(frame, time_zone="Europe/Berlin", closed_days="drop")


def test_an_interval_in_which_nobody_ever_called_is_kept():
    frame = hourly("2025-03-03", 28, lambda t: 12 if 8 <= t.hour < 20 and t.hour != 13 else 0)
    # A sparse frame has no rows there; a dense one has zeros.
    for rows in (frame, frame.filter(pl.col("calls") > 0)):
        day = staffing.typical_day(rows, weekdays=1, time_zone="Europe/Berlin")
        table = staffing.requirement(day, ServiceLevel(0.8, within=20)).table()
        shown = dict(zip(table["interval"], table["required_agents"], strict=True))
        assert shown["13:00"] == 0
        assert shown["12:00"] == shown["14:00"] > 0
    assert staffing.requirement(
        staffing.typical_day(frame, weekdays=1, time_zone="Europe/Berlin"),
        ServiceLevel(0.8, within=20),
    ).table()["interval"].to_list() == [f"{hour:02d}:00" for hour in range(24)]


def test_opening_hours_that_lose_no_call_need_no_remark():
    frame = hourly("2025-03-03", 28, lambda t: 12 if 8 <= t.hour < 20 else 0)
    day = staffing.typical_day(
        frame, weekdays=1, time_zone="Europe/Berlin", hours=("08:00", "20:00")
    )
    assert day.demand.height == 12
    assert check(day, "Opening hours") is None
    need = staffing.requirement(day, ServiceLevel(0.8, within=20))
    assert "08:00 to 20:00" in need.summary()  # but what is left out is said


def test_what_the_log_never_recorded_makes_seats_a_lower_bound():
    frame = hourly("2025-03-03", 28, lambda t: 60)
    goal = ServiceLevel(0.8, within=20)
    take = lambda **k: staffing.requirement(  # noqa: E731
        staffing.typical_day(frame, weekdays=1, time_zone="Europe/Berlin", **k), goal
    )
    lacking = take(recorded=["talk_s", "wait_s"])
    first = lacking.summary().split(". ")[0]
    assert "at least" in first
    assert "after-call work" in lacking.summary()
    assert "lower bound" in lacking.summary()
    assert any(c.status == "fails" and c.name == "After-call work" for c in lacking.checks)
    for whole in (take(), take(recorded=["wrap_s"]), take(recorded=["talk_s"], aht_s=300)):
        assert "at least" not in whole.summary()
        assert not any(c.name == "After-call work" for c in whole.checks)
    covered = staffing.cover(lacking, staffing.shifts("8h", every="4h"))
    assert any(c.name == "After-call work" for c in covered.checks)


def test_calls_over_a_day_are_told_of_the_days_in_the_mean_alone():
    start = datetime(2025, 3, 3, 9, tzinfo=UTC)  # a Monday
    frame = pl.DataFrame(
        {
            "interval_start": [start + timedelta(days=k) for k in range(14)],
            "interval_s": 3600, "calls": 10, "aht_s": 100.0,
            "over_a_day": [2, 5, None, *[0] * 4, 1, *[0] * 6],
        }
    )  # fmt: skip

    def told(**asked):
        checks = staffing.typical_day(frame, time_zone="UTC", **asked).checks
        return [c.detail.split(":")[0] for c in checks if c.name == "longer than a day"]

    assert told() == ["8 calls are longer than a day, counted without that time"]
    assert told(weekdays=1)[0].startswith("3 calls are")
    assert told(weekdays=1, exclude="2025-03-03")[0].startswith("1 call is")
    assert told(weekdays=3) == []
    weekly = staffing.typical_week(frame, time_zone="UTC", exclude="2025-03-03, 2025-03-10").checks
    assert "5 calls are" in {c.name: c.detail for c in weekly}["longer than a day"]
    unknown = frame.with_columns(over_a_day=pl.lit(None))
    assert staffing.typical_day(unknown, time_zone="UTC").demand["calls"].to_list() == [10.0]
    for odd in ("x", -1, float("nan")):
        with pytest.raises(InputError, match="over_a_day"):
            staffing.typical_day(frame.with_columns(over_a_day=pl.lit(odd)), time_zone="UTC")
