"""Lines in use: counted again here call by call, on planted days, and at the Anonymous Bank."""

from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccanalytics.errors import DataError, InputError

# The night in which London puts its clocks back lies in the middle.
BEGIN = datetime(2025, 10, 25, 21, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

# Coarse moments, so that ends, starts and edges of intervals often fall together.
calls = st.builds(
    lambda at, length, group, line, blocked: {
        "arrived_at": BEGIN + at * MINUTE / 2,
        "ended_at": None if length is None else BEGIN + (at + length) * MINUTE / 2,
        "line_group": group,
        "line": line,
        "outcome": "blocked" if blocked else "answered",
    },
    st.integers(0, 900),
    st.one_of(st.none(), st.integers(0, 8), st.integers(0, 3000)),
    st.sampled_from([None, "A", "B"]),
    st.sampled_from([None, "1", "2", "3"]),
    st.sampled_from([False, False, False, True]),
)


def held(spans, begin, end):
    """Most at once inside [begin, end), looked at wherever anything starts, and the mean."""
    looked_at = [begin, *(s for s, _ in spans if begin <= s < end)]
    most = max(sum(s <= t < e for s, e in spans) for t in looked_at)
    seconds = sum(max((min(e, end) - max(s, begin)).total_seconds(), 0) for s, e in spans)
    return most, seconds / (end - begin).total_seconds()


@settings(max_examples=8)
@given(
    st.lists(calls, min_size=1, max_size=40),
    st.sampled_from(["1min", "15min", "30min", "1h", "1d", "1w"]),
    st.sampled_from([(), ("line_group",), ("line", "line_group")]),
)
def test_most_and_mean_are_those_counted_call_by_call(make_log, rows, every, by):
    log = make_log(
        [*rows, {"arrived_at": BEGIN, "ended_at": BEGIN + MINUTE, "line": "1"}],
        time_zone="Europe/London",
    )
    stored = log.table("calls").rows(named=True)
    found = log.lines(every, by=by)
    if every == "1min":  # every minute is compared of a few hours only
        found = found.filter(pl.col("interval_start") < BEGIN + 3 * 60 * MINUTE)
    groups = {tuple(row[k] for k in by) for row in stored}
    assert {tuple(row[k] for k in by) for row in found.iter_rows(named=True)} == groups
    assert found.select("interval_start", *by).is_unique().all()
    for row in found.iter_rows(named=True):
        begin = row["interval_start"]
        end = begin + timedelta(seconds=row["interval_s"])
        own = [c for c in stored if all(c[k] == row[k] for k in by)]
        spans = [
            (c["arrived_at"], c["ended_at"])
            for c in own
            if c["outcome"] != "blocked" and (c["ended_at"] or c["arrived_at"]) > c["arrived_at"]
        ]
        most, mean = held(spans, begin, end)
        seen = {c["line"] for c in own if c["line"] and begin <= c["arrived_at"] < end}
        assert row["peak_lines"] == most, row
        assert row["mean_lines"] == pytest.approx(mean, abs=1e-9), row
        assert row["lines_seen"] == len(seen), row


def test_a_line_given_back_and_taken_at_once_counts_once(make_log):
    """Calls end to end hold one line, however many; a second one beside them makes two."""
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    rows = [{"arrived_at": at + k * MINUTE, "ended_at": at + (k + 1) * MINUTE} for k in range(60)]
    log = make_log([*rows, {"arrived_at": at + 90 * MINUTE, "ended_at": at + 150 * MINUTE}])
    frame = log.lines("30min").filter(pl.col("mean_lines") > 0)
    assert frame["peak_lines"].to_list() == [1, 1, 1, 1]
    assert frame["mean_lines"].to_list() == [1.0] * 4
    assert frame["interval_start"].to_list()[2] == at + 90 * MINUTE
    # An hour's second caller, within the first half-hour.
    more = make_log([*rows, {"arrived_at": at + 3 * MINUTE, "ended_at": at + 18 * MINUTE}])
    frame = more.lines("30min").filter(pl.col("mean_lines") > 0)
    assert frame["peak_lines"].to_list() == [2, 1]
    assert frame["mean_lines"].to_list() == [1.5, 1.0]


def test_a_call_holds_its_line_through_menu_wait_and_talk_but_not_after(make_log):
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    log = make_log(
        [{"arrived_at": at, "menu_s": 60.0, "wait_s": 30.0, "talk_s": 90.0, "wrap_s": 600.0}]
    )
    assert log.lines("1min")["peak_lines"].to_list()[9 * 60 : 9 * 60 + 4] == [1, 1, 1, 0]


def test_holding_times_are_menu_wait_and_talk(make_log):
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    call = {"arrived_at": at, "menu_s": 60.0, "wait_s": 30.4, "talk_s": 90.0, "wrap_s": 600.0}
    log = make_log(
        [
            {**call, "queue": "a"},
            {**call, "queue": "a", "outcome": "abandoned", "talk_s": None},
            {**call, "queue": "b", "outcome": "blocked"},
        ]
    )
    assert log.holding_times("queue").rows() == [("a", 90, 1), ("a", 180, 1)]


def test_lines_of_a_group_are_those_of_the_day(make_log):
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    log = make_log(
        [
            {"arrived_at": at + timedelta(days=d), "ended_at": at + timedelta(days=d, hours=1),
             "line_group": group}
            for d in range(3) for group in ("A", "B")
        ],
        line_groups=[
            {"line_group": "A", "lines": 30, "from_on": date(2025, 1, 1)},
            {"line_group": "A", "lines": 60, "from_on": date(2025, 3, 4)},
        ],
    )  # fmt: skip
    frame = log.lines("1d", by="line_group")
    assert frame["lines"].to_list() == [30, 60, 60, None, None, None]
    assert "lines" not in log.lines("1d").columns


def planted(log_of):
    """Two groups on ten workdays: A busy from 10:30 to 11:30, except that one day 14:00 is."""
    monday = datetime(2025, 3, 3, tzinfo=UTC)
    rows = []
    for day in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11):
        for hour, minute, calls_ in ((10, 30, 6), (14, 0, 9 if day == 8 else 2), (17, 0, 1)):
            begin = monday + timedelta(days=day, hours=hour, minutes=minute)
            rows += [
                {"arrived_at": begin, "ended_at": begin + timedelta(hours=1), "line_group": "A"}
            ] * calls_
        begin = monday + timedelta(days=day, hours=20)
        rows.append({"arrived_at": begin, "ended_at": begin + 45 * MINUTE, "line_group": "B"})
    saturday = monday + timedelta(days=5, hours=8)
    rows += [
        {"arrived_at": saturday, "ended_at": saturday + timedelta(hours=1), "line_group": "A"}
    ] * 200
    return log_of([{**row, "call_id": f"c{k}"} for k, row in enumerate(rows)])


def test_busy_hours_of_planted_days(make_log):
    log = planted(make_log)
    found = log.busy_hours("line_group", weekdays=range(1, 6))
    a, b = found.filter(line_group="A"), found.filter(line_group="B")
    assert a.height == b.height == 10
    assert set(a["consistent_hour"]) == {time(10, 30)}
    assert a["consistent_hour_erlangs"].to_list() == [6.0] * 10
    odd = a.filter(day=date(2025, 3, 11)).row(0, named=True)
    assert (odd["busiest_hour"], odd["busiest_hour_erlangs"]) == (time(14), 9.0)
    assert (odd["peak_lines"], odd["consistent_hour_erlangs"]) == (9, 6.0)
    assert (
        a.filter(pl.col("day") != date(2025, 3, 11))["busiest_hour_erlangs"].to_list() == [6.0] * 9
    )
    assert a["mean_lines"][0] == pytest.approx((6 + 2 + 1) / 24)
    # 45 minutes fill three quarters of the hour that begins a quarter before, or with them.
    assert set(b["consistent_hour"]) == {time(19, 45)}
    assert b["busiest_hour_erlangs"].to_list() == [0.75] * 10
    # With its Saturdays the group's busy hour is another one.
    everything = log.busy_hours("line_group").filter(line_group="A")
    assert everything.height == 11
    assert set(everything["consistent_hour"]) == {time(8)}


def test_without_ends_nothing_is_counted(make_log):
    log = make_log([{"arrived_at": BEGIN, "outcome": "blocked"}])
    if "ended_at" in log.columns_filled("calls"):
        pytest.skip("the reader fills an end")
    with pytest.raises(DataError, match="ended_at"):
        log.lines("1h")


@pytest.mark.parametrize("weekdays", [0, [0], [], ["Mon"], [8]])
def test_weekdays_that_are_none(make_log, weekdays):
    log = make_log([{"arrived_at": BEGIN, "ended_at": BEGIN + MINUTE}])
    with pytest.raises(InputError, match="weekdays"):
        log.busy_hours(weekdays=weekdays)


def test_subscribers_by_day_and_month(make_log):
    at = datetime(2025, 1, 1, 9, tzinfo=UTC)
    log = make_log(
        [{"arrived_at": at}, {"arrived_at": at + timedelta(days=58)}],
        customers=[
            {"customer": "a"},
            {"customer": "b", "joined_on": date(2020, 5, 1), "left_on": date(2025, 1, 11)},
            {"customer": "c", "joined_on": date(2025, 2, 15)},
            {"customer": "d", "joined_on": date(2026, 1, 1)},
        ],
    )
    days = log.subscribers("1d")["subscribers"].to_list()
    assert days == [2.0] * 10 + [1.0] * 35 + [2.0] * 14
    assert log.subscribers()["subscribers"].to_list() == pytest.approx([41 / 31, 1.5])
    with pytest.raises(InputError, match="days"):
        log.subscribers("1h")
    with pytest.raises(DataError, match="customers"):
        make_log([{"arrived_at": at}]).subscribers()


# ---- the bank: METHODS.md 6.1 -------------------------------------------------------------------


@pytest.mark.real
def test_lines_of_the_bank(bank_log):
    """27–30 lines seen on two units in a month; at most 24–29 at once."""
    months = bank_log.lines("1mo")
    assert months["lines_seen"].is_between(27, 30).all()
    assert months["peak_lines"].is_between(24, 29).all()
    # One more at once than there are lines, in February: on one line two calls overlap.
    assert months["peak_lines"].to_list() == [27, 28, 27, 24, 27, 24]
    assert months["lines_seen"].to_list() == [27, 27, 27, 27, 30, 30]
    assert (
        bank_log.lines("1mo", "line", start="1999-02-01", end="1999-03-01")["peak_lines"].max() > 1
    )
    units = bank_log.lines("1mo", by="line_group")
    assert set(units["line_group"]) == {"AA01", "AA02"}
    carried = bank_log.busy("1mo", what="line")
    total = (months["mean_lines"] * months["interval_s"]).sum()
    assert total == pytest.approx(carried["busy_s"].sum(), rel=1e-3)
    february = bank_log.busy_hours(weekdays=(7, 1, 2, 3, 4), start="1999-02-01", end="1999-03-01")
    assert february.height == 20
    assert february["consistent_hour"].n_unique() == 1
    assert (february["busiest_hour_erlangs"] >= february["consistent_hour_erlangs"]).all()
    assert (february["peak_lines"] >= february["busiest_hour_erlangs"]).all()
    finer = bank_log.lines("1min", start="1999-02-01", end="1999-03-01")
    assert finer["peak_lines"].max() == months["peak_lines"][1]
