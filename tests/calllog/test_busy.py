"""Busy seconds: a call that spans intervals is split exactly, whatever it spans."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccanalytics.errors import InputError

# The night in which London puts its clocks back lies in the middle.
BEGIN = datetime(2025, 10, 25, 12, tzinfo=UTC)
MS = timedelta(milliseconds=1)

moments = st.integers(0, 36 * 3_600_000).map(lambda ms: BEGIN + ms * MS)
durations = st.one_of(
    st.none(),
    st.sampled_from([0.0, 0.001, 0.999, 900.0, 1800.0, 86_400.0]),
    st.integers(0, 200_000).map(lambda ms: ms / 1000),
    st.integers(0, 100_000).map(float),
)


@st.composite
def calls(draw):
    """A call whose moments may be given, follow from durations, or be unknown."""
    arrived = draw(moments)
    answered = draw(st.one_of(st.none(), st.integers(0, 4_000_000)))
    ended = draw(st.one_of(st.none(), st.integers(0, 90_000_000)))
    return {
        "arrived_at": arrived,
        "outcome": draw(st.sampled_from(["answered", "answered", "abandoned", "left_menu"])),
        "agent": draw(st.sampled_from([None, "Ann", "Bo"])),
        "line_group": draw(st.sampled_from([None, "A"])),
        "answered_at": None if answered is None else arrived + answered * MS,
        "ended_at": None if ended is None else arrived + ended * MS,
        "menu_s": draw(durations),
        "wait_s": draw(durations),
        "talk_s": draw(durations),
        "hold_s": draw(durations),
        "wrap_s": draw(durations),
    }


logs = st.lists(calls(), min_size=12, max_size=30)


def spells(rows, what):
    """(start, end, call) of each spell, from the stored calls."""
    for row in rows:
        if what == "line":
            start, end = row["arrived_at"], row["ended_at"]
        elif row["outcome"] != "answered" or row["talk_s"] is None:
            continue
        else:
            start = row["answered_at"]
            took = row["talk_s"] + (row["hold_s"] or 0) + (row["wrap_s"] or 0)
            if took > 86_400:
                continue  # nobody closed it
            end = start and start + timedelta(seconds=took)
        if start is not None and end is not None and end > start:
            yield start, end, row


def inside(start, end, begin, length):
    """Seconds of a spell that fall inside an interval."""
    overlap = min(end, begin + length) - max(start, begin)
    return max(overlap, timedelta()).total_seconds()


@settings(max_examples=7)
@given(
    logs,
    st.sampled_from(["5min", "15min", "1h", "1d", "1w"]),
    st.sampled_from([(), ("agent",), ("line_group", "agent")]),
    st.sampled_from(["agent", "line"]),
)
def test_every_interval_has_the_seconds_that_fall_inside_it(make_log, rows, every, by, what):
    log = make_log(rows, time_zone="Europe/London")
    spans = list(spells(log.table("calls").rows(named=True), what))
    wide = log.busy(every, by=by, what=what)
    narrow = log.intervals(every, by=by)
    for frame, column in ((wide, "busy_s"), (narrow, f"{what}_busy_s")):
        if column != "busy_s" and frame[column].null_count() == frame.height:
            assert not spans
            continue
        for row in frame.iter_rows(named=True):
            begin, length = row["interval_start"], timedelta(seconds=row["interval_s"])
            expected = sum(
                inside(start, end, begin, length)
                for start, end, call in spans
                if all(call[k] == row[k] for k in by)
            )
            assert row[column] == pytest.approx(expected, abs=1e-6), (begin, row)
    expected = sum((end - start).total_seconds() for start, end, _ in spans)
    assert wide["busy_s"].sum() == pytest.approx(expected, abs=1e-6)


@settings(max_examples=3)
@given(logs)
def test_the_sum_does_not_depend_on_the_interval_or_the_key(make_log, rows):
    log = make_log(rows, time_zone="Asia/Kolkata")
    for what in ("agent", "line"):
        sums = {
            (every, by): log.busy(every, by=by, what=what)["busy_s"].sum()
            for every, by in (("5min", "agent"), ("30min", ()), ("1d", "line_group"))
        }
        assert max(sums.values()) == pytest.approx(min(sums.values()), abs=1e-6)


def test_a_long_call_over_midnight_by_hand(make_log):
    log = make_log(
        [
            {
                "arrived_at": datetime(2025, 3, 3, 23, 50, tzinfo=UTC),
                "wait_s": 60.5,
                "talk_s": 1800.25,
                "wrap_s": 30.0,
            }
        ]
    )
    # Answered at 23:51:00.5; talk until 00:21:00.75, after-call work until 00:21:30.75.
    agent = log.busy("15min").filter(pl.col("busy_s") > 0)
    assert agent["busy_s"].to_list() == [539.5, 900.0, 390.75]
    line = log.busy("15min", what="line").filter(pl.col("busy_s") > 0)
    assert line["busy_s"].to_list() == [600.0, 900.0, 360.75]
    day = log.intervals("1d")
    assert day.height == 1
    assert day["agent_busy_s"].to_list() == [539.5]
    assert day["line_busy_s"].to_list() == [600.0]


def test_a_call_before_the_span_is_busy_in_it(make_log):
    at = datetime(2025, 3, 3, 23, 30, tzinfo=UTC)
    log = make_log(
        [
            {"arrived_at": at, "wait_s": 0.0, "talk_s": 7200.0},
            {"arrived_at": at + timedelta(days=1), "wait_s": 0.0, "talk_s": 60.0},
        ]
    )
    frame = log.intervals("1h", start="2025-03-04")
    assert frame["agent_busy_s"].to_list()[:3] == [3600.0, 1800.0, 0.0]
    assert frame["arrived"].sum() == 1


def test_fractions_below_a_millisecond_are_lost_by_no_more_than_that(make_log):
    at = datetime(2025, 3, 3, 9, 0, 0, 333_333, tzinfo=UTC)
    calls_ = [
        {"arrived_at": at + i * timedelta(seconds=7.000001), "wait_s": 0.0, "talk_s": 10.123456}
        for i in range(200)
    ]
    total = make_log(calls_).busy("5min")["busy_s"].sum()
    assert total == pytest.approx(200 * 10.123456, abs=200 * 0.001)


def test_no_agent_is_busy_where_no_call_was_handled(make_log):
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    log = make_log(
        [
            {"arrived_at": at, "outcome": "abandoned", "wait_s": 30.0, "talk_s": 5.0},
            {"arrived_at": at, "outcome": "answered", "wait_s": 0.0, "talk_s": 0.0},
        ]
    )
    assert log.intervals("1d")["agent_busy_s"].to_list() == [0.0]
    assert log.busy("1d")["busy_s"].sum() == 0
    assert log.busy("1d", what="line")["busy_s"].sum() == 30


@pytest.mark.parametrize("what", ["agents", None, ["agent"]])
def test_something_else_cannot_be_busy(make_log, what):
    log = make_log([{"arrived_at": BEGIN}])
    with pytest.raises(InputError, match="what"):
        log.busy("1d", what=what)
