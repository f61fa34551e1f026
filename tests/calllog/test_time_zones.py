"""Intervals follow the centre's own clock, through every change of it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ccanalytics import CallLog
from ccanalytics.calllog.timegrid import Every, Span, grid, parse_day
from ccanalytics.errors import InputError

ZONES = [
    "Europe/London",
    "Asia/Shanghai",
    "Asia/Kolkata",
    "America/St_Johns",
    "Asia/Jerusalem",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Pacific/Chatham",  # quarters of an hour
    "America/Sao_Paulo",  # clocks went forward at midnight until 2018
    "America/Havana",  # and back to midnight
    "Africa/Casablanca",  # four changes a year
    "Asia/Tehran",
    "UTC",
]


def arriving(moments):
    return [{"arrived_at": at} for at in moments]


def minutes(day, zone, step=15):
    """A moment for each `step` minutes of a local day, counted in UTC."""
    zone = ZoneInfo(zone)
    begin = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    after = day + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=zone).astimezone(UTC)
    while begin < end:
        yield begin
        begin += timedelta(minutes=step)


# ---- the grid -----------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    st.sampled_from(ZONES),
    st.dates(date(2012, 1, 1), date(2037, 12, 28)),
    st.integers(1, 3),
    st.sampled_from(["1min", "5min", "15min", "30min", "1h", "2h", "1d", "1w", "1mo"]),
)
@example("America/Sao_Paulo", date(2017, 10, 14), 2, "30min")
@example("America/Havana", date(2025, 11, 1), 2, "1h")
@example("Australia/Lord_Howe", date(2025, 4, 5), 2, "1h")
@example("Europe/London", date(2025, 3, 29), 2, "2h")
@example("Africa/Casablanca", date(2025, 2, 22), 2, "1d")
def test_every_moment_lies_in_the_interval_of_its_wall_clock(name, first, days, text):
    every, zone = Every.parse(text), ZoneInfo(name)
    span = Span(first, first + timedelta(days=days))
    frame = grid(every, span, name)
    begin, end = (
        datetime(d.year, d.month, d.day, tzinfo=zone).astimezone(UTC)
        for d in (span.first, span.last)
    )
    epochs = [every.unit_s * unit for unit in frame["unit"]]
    assert epochs == list(range(int(begin.timestamp()), int(end.timestamp()), every.unit_s))
    step = {"1min": 60, "5min": 300, "15min": 900, "30min": 1800, "1h": 3600, "2h": 7200}.get(text)
    for epoch, row in zip(epochs, frame.iter_rows(named=True), strict=True):
        for inside in (epoch, epoch + every.unit_s - 1):
            wall = datetime.fromtimestamp(inside, UTC).astimezone(zone)
            local = wall.replace(tzinfo=None)
            if step:
                midnight = local.replace(hour=0, minute=0, second=0)
                passed = int((local - midnight).total_seconds()) // step * step
                assert row["local_start"] == midnight + timedelta(seconds=passed)
                assert row["utc_offset_s"] == wall.utcoffset().total_seconds()
            elif text == "1d":
                assert row["local_start"].date() == local.date()
            elif text == "1w":
                monday = local.date() - timedelta(days=local.weekday())
                assert row["local_start"].date() == monday
            else:
                assert row["local_start"].date() == local.date().replace(day=1)
    slots = frame.unique("slot").sort("slot")
    assert slots["interval_s"].sum() == int((end - begin).total_seconds())
    starts = slots["interval_start"].to_list()
    assert starts == sorted(set(starts))
    for _, part in frame.group_by("slot"):
        assert part["interval_start"].n_unique() == 1
        assert part["interval_s"][0] == part.height * every.unit_s
        first_unit = datetime.fromtimestamp(part["unit"].min() * every.unit_s, UTC)
        assert part["interval_start"][0] == first_unit.replace(tzinfo=None)


def test_clocks_that_changed_a_minute_after_midnight():
    """Newfoundland until November 2011 changed its clocks at 00:01."""
    span = Span(date(2010, 11, 6), date(2010, 11, 8))
    every = Every.parse("1d").fitted(span, "America/St_Johns")
    frame = grid(every, span, "America/St_Johns")
    zone = ZoneInfo("America/St_Johns")
    for unit, local in frame.select("unit", "local_start").iter_rows():
        width = int(frame["interval_s"][0] / frame.filter(pl.col("slot") == 0).height)
        for epoch in (unit * width, (unit + 1) * width - 1):
            wall = datetime.fromtimestamp(epoch, UTC).astimezone(zone)
            assert local.date() == wall.date(), wall


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1min", 60), ("15min", 900), ("15m", 900), ("1h", 3600), ("2h", 7200), ("48min", 2880)],
)
def test_an_interval_divides_the_day(text, seconds):
    frame = grid(Every.parse(text), Span(date(2025, 3, 3), date(2025, 3, 4)), "UTC")
    assert set(frame["interval_s"]) == {seconds}
    assert frame["slot"].n_unique() == 86_400 // seconds


def test_a_table_of_too_many_intervals_is_refused():
    with pytest.raises(InputError, match="every='1s'"):
        grid(Every.parse("1s"), Span(date(2000, 1, 1), date(2025, 1, 1)), "UTC")


@pytest.mark.parametrize("text", ["2025-3-3", "03/03/2025", "2025-02-30", "", "today", 5.5])
def test_a_day_is_written_in_iso(text):
    with pytest.raises(InputError, match="start"):
        parse_day(text, "start")


# ---- roll-ups -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "quarters"),
    [(date(2025, 3, 30), 92), (date(2025, 10, 26), 100), (date(2025, 7, 1), 96)],
)
def test_days_of_london_have_92_100_and_96_quarters(make_log, day, quarters):
    log = make_log(arriving(minutes(day, "Europe/London")), time_zone="Europe/London")
    frame = log.intervals("15min")
    assert frame["arrived"].to_list() == [1] * quarters
    whole = log.intervals("1d")
    assert whole["interval_s"].to_list() == [quarters * 900]
    assert whole["arrived"].to_list() == [quarters]
    assert whole["local_start"].to_list() == [datetime(day.year, day.month, day.day)]


def test_the_repeated_hour_stays_two_hours(make_log):
    moments = list(minutes(date(2025, 10, 26), "Europe/London"))
    frame = make_log(arriving(moments), time_zone="Europe/London").intervals("1h")
    assert frame.height == 25
    assert frame["arrived"].to_list() == [4] * 25
    twice = frame.filter(pl.col("local_start").dt.hour() == 1)
    assert twice["utc_offset_s"].to_list() == [3600, 0]
    assert twice["interval_s"].to_list() == [3600, 3600]
    assert twice["interval_start"].to_list() == [
        datetime(2025, 10, 26, 0, tzinfo=UTC),
        datetime(2025, 10, 26, 1, tzinfo=UTC),
    ]


def test_the_skipped_hour_is_not_there(make_log):
    moments = list(minutes(date(2025, 3, 30), "Europe/London"))
    frame = make_log(arriving(moments), time_zone="Europe/London").intervals("1h")
    hours = frame["local_start"].dt.hour().to_list()
    assert hours == [0, *range(2, 24)]
    assert frame["utc_offset_s"].to_list() == [0] + [3600] * 22


@pytest.mark.parametrize(
    ("zone", "offset_s"),
    [("Asia/Kolkata", 19_800), ("Asia/Shanghai", 28_800), ("Asia/Kathmandu", 20_700)],
)
def test_whole_hours_of_the_local_clock(make_log, zone, offset_s):
    begin = datetime(2025, 3, 3, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    # The last second of one hour and the first of the next.
    moments = [begin + timedelta(hours=h, seconds=s) for h in range(24) for s in (0, 3599)]
    frame = make_log(arriving(moments), time_zone=zone).intervals("1h")
    assert frame["local_start"].dt.hour().to_list() == list(range(24))
    assert set(frame["utc_offset_s"]) == {offset_s}
    assert frame["arrived"].to_list() == [2] * 24
    assert frame["interval_start"][0] == begin


def test_newfoundland_counts_its_own_half_hours(make_log):
    day = date(2025, 11, 2)  # clocks go back
    log = make_log(arriving(minutes(day, "America/St_Johns")), time_zone="America/St_Johns")
    assert log.intervals("15min")["arrived"].to_list() == [1] * 100
    hours = log.intervals("1h")
    assert hours["arrived"].to_list() == [4] * 25
    assert sorted(set(hours["utc_offset_s"])) == [-12_600, -9_000]


def test_weeks_start_on_monday_and_months_on_the_first(make_log):
    zone = ZoneInfo("Asia/Shanghai")
    moments = [datetime(2025, 1, 1, 0, 30, tzinfo=zone) + timedelta(days=d) for d in range(60)]
    log = make_log(arriving(moments), time_zone="Asia/Shanghai")
    weeks = log.intervals("1w")
    assert set(weeks["local_start"].dt.weekday()) == {1}
    # Wednesday 1 January to Saturday 1 March: five days, seven whole weeks, six days.
    assert weeks["arrived"].to_list() == [5, 7, 7, 7, 7, 7, 7, 7, 6]
    assert weeks["interval_s"].to_list() == [n * 86_400 for n in weeks["arrived"]]
    months = log.intervals("1mo")
    assert months["arrived"].to_list() == [31, 28, 1]
    assert months["local_start"].to_list() == [datetime(2025, m, 1) for m in (1, 2, 3)]


def test_start_and_end_are_days_of_the_centre(make_log):
    """In Shanghai the 4th begins at 16:00 UTC on the 3rd."""
    moments = [datetime(2025, 3, 3, 15, 59, tzinfo=UTC), datetime(2025, 3, 3, 16, 0, tzinfo=UTC)]
    log = make_log(arriving(moments), time_zone="Asia/Shanghai")
    assert log.intervals("1d", end="2025-03-04")["arrived"].to_list() == [1]
    assert log.intervals("1d", start="2025-03-04")["arrived"].to_list() == [1]
    assert log.handle_times(start="2025-03-04").height == 0
    assert log.intervals("1d")["arrived"].to_list() == [1, 1]


# ---- sources with local times -------------------------------------------------------------------


def _local_log(tmp_path, times, zone="Europe/London", **options):
    (tmp_path / "calls.csv").write_text(
        "call_id,arrived_at,outcome\n" + "".join(f"{i},{t},answered\n" for i, t in enumerate(times))
    )
    log = CallLog(tmp_path / "centre.duckdb", time_zone=zone)
    return log, log.load(tmp_path / "calls.csv", source="ccanalytics", **options)


def test_local_times_of_a_gap_are_rejected_and_of_a_repeated_hour_the_first(tmp_path):
    times = [
        "2025-03-30T00:59:59",
        "2025-03-30T01:00:00",  # never was
        "2025-03-30T01:59:59",  # never was
        "2025-03-30T02:00:00",
        "2025-10-26T01:30:00",  # was twice
        "2025-10-26T02:00:00",
    ]
    log, report = _local_log(tmp_path, times, time_zone="Europe/London")
    assert (report.loaded, report.rejected) == (4, 2)
    assert log.rejects()["line"].to_list() == [3, 4]
    assert sorted(log.table("calls")["arrived_at"].to_list()) == [
        datetime(2025, 3, 30, 0, 59, 59, tzinfo=UTC),
        datetime(2025, 3, 30, 1, 0, 0, tzinfo=UTC),
        datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
        datetime(2025, 10, 26, 2, 0, tzinfo=UTC),
    ]


def test_the_reason_of_a_skipped_time_names_the_clock_change(tmp_path):
    mapping = tmp_path / "map.toml"
    mapping.write_text(
        '[file]\ntime_zone = "Europe/London"\ntimestamp = "%Y-%m-%d %H:%M"\n'
        '[columns]\narrived_at = "t"\n[constants]\noutcome = "answered"\n'
    )
    (tmp_path / "x.csv").write_text("t,n\n2025-03-30 01:30,1\n2025-10-26 01:30,2\nnever,3\n")
    log = CallLog(tmp_path / "centre.duckdb")
    report = log.load(tmp_path / "x.csv", source="generic", mapping=mapping)
    assert (report.loaded, report.rejected) == (1, 2)
    assert log.table("calls")["arrived_at"].to_list() == [datetime(2025, 10, 26, 0, 30, tzinfo=UTC)]
    skipped, never = log.rejects()["reasons"].to_list()
    assert skipped != never
    assert any("clocks" in reason for reason in skipped)


def test_times_without_an_offset_are_not_guessed(tmp_path):
    """The centre's zone is not the clock of the file, unless that is said."""
    _, report = _local_log(tmp_path, ["2025-03-03T09:00:00"])
    assert (report.loaded, report.rejected) == (0, 1)
    (reason,) = report.reasons
    assert "arrived_at" in reason


def test_an_offset_in_the_file_outweighs_the_zone_given(tmp_path):
    times = ["2025-07-01T09:00:00+02:00", "2025-07-01T09:00:00Z", "2025-07-01T09:00:00"]
    log, report = _local_log(tmp_path, times, time_zone="Asia/Shanghai")
    assert report.loaded == 3
    assert log.table("calls").sort("call_id")["arrived_at"].to_list() == [
        datetime(2025, 7, 1, 7, tzinfo=UTC),
        datetime(2025, 7, 1, 9, tzinfo=UTC),
        datetime(2025, 7, 1, 1, tzinfo=UTC),
    ]
    assert log.time_zone == "Europe/London"


@pytest.mark.parametrize("zone", ["", "Europe", "Europe/Nowhere", "../../etc/passwd", 5, "GMT+25"])
def test_a_zone_that_does_not_exist_is_refused(tmp_path, zone):
    with pytest.raises(InputError, match="time_zone"):
        CallLog(tmp_path / "centre.duckdb", time_zone=zone)
    (tmp_path / "calls.csv").write_text("call_id,arrived_at,outcome\n")
    if zone != "":
        with pytest.raises(InputError, match="time_zone"):
            CallLog(tmp_path / "c.duckdb", time_zone="UTC").load(
                tmp_path / "calls.csv", source="ccanalytics", time_zone=zone
            )


def test_a_log_keeps_the_zone_it_was_made_with(make_log):
    log = make_log([{"arrived_at": datetime(2025, 3, 3, tzinfo=UTC)}], time_zone="Asia/Tokyo")
    assert CallLog(log.path).time_zone == "Asia/Tokyo"
    other = CallLog(log.path, time_zone="Europe/London")
    with pytest.raises(InputError, match="Asia/Tokyo"):
        other.load(log.path.parent / "calls.csv", source="ccanalytics")


def test_a_new_log_must_be_told_where_it_stands(tmp_path):
    (tmp_path / "calls.csv").write_text(
        "call_id,arrived_at,outcome\n1,2025-03-03T09:00:00Z,answered\n"
    )
    log = CallLog(tmp_path / "centre.duckdb")
    with pytest.raises(InputError, match="time_zone"):
        log.load(tmp_path / "calls.csv", source="ccanalytics")
    assert not log.path.exists()
    (tmp_path / "centre.json").write_text(
        '{"format": "ccanalytics", "schema": 1, "time_zone": "Asia/Shanghai"}'
    )
    assert log.load(tmp_path / "calls.csv", source="ccanalytics").loaded == 1
    assert log.time_zone == "Asia/Shanghai"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"zone": "UTC"}', '{"time_zone": "Mars/North"}']
)
def test_a_description_of_the_centre_that_cannot_be_used(tmp_path, content):
    (tmp_path / "centre.json").write_text(content)
    (tmp_path / "calls.csv").write_text("call_id,arrived_at,outcome\n")
    with pytest.raises(InputError, match=r"centre\.json|time_zone"):
        CallLog(tmp_path / "centre.duckdb").load(tmp_path / "calls.csv", source="ccanalytics")
