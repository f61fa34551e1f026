"""intervals(): every count, sum and percentile against a recount in plain Python."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccanalytics import ServiceLevel
from ccanalytics.errors import DataError, InputError, UnsupportedError
from ccanalytics.schema import OUTCOMES

# Around the night in which London puts its clocks back.
BEGIN = datetime(2025, 10, 24, 22, tzinfo=UTC)
SPAN_S = 4 * 86_400
OFFERED = ("answered", "abandoned", "overflowed", "call_back")
GOALS = [
    ServiceLevel(0.8, within=20),
    ServiceLevel(0.8, within=20, counting="answered"),
    ServiceLevel(0.8, within=20, counting="abandoned_in_time"),
    ServiceLevel(0.8, within=20, counting="late_abandoned"),
    ServiceLevel(0.8, within=20, counting="short_as_served", short=5),
    ServiceLevel(0.8, within=20, counting="short_excluded", short=5),
    ServiceLevel(0.8, within=7.5, counting="offered", include_blocked=True),
]

seconds = st.one_of(
    st.none(),
    st.sampled_from([0.0, 5.0, 7.5, 20.0, 20.001]),
    st.integers(0, 40_000_000).map(lambda ms: ms / 1000),
    st.integers(0, 60).map(float),
)
calls = st.fixed_dictionaries(
    {
        "arrived_at": st.integers(0, SPAN_S * 1000).map(
            lambda ms: BEGIN + timedelta(milliseconds=ms)
        ),
        "outcome": st.sampled_from(list(OUTCOMES)),
        "queue": st.sampled_from([None, "sales", "help"]),
        "site": st.sampled_from([None, "north"]),
        "menu_s": seconds,
        "wait_s": seconds,
        "talk_s": seconds,
        "hold_s": seconds,
        "wrap_s": seconds,
    }
)
logs = st.lists(calls, min_size=15, max_size=45)


def total(values):
    return sum(v for v in values if v is not None)


def recount(rows, filled):
    """What the columns of a row of intervals() must be, from the calls that arrived in it.

    ``filled`` are the parts that the log has at all: sums of the others are null.
    """
    offered = [r for r in rows if r["outcome"] in OFFERED]
    answered = [r for r in rows if r["outcome"] == "answered"]
    abandoned = [r for r in rows if r["outcome"] == "abandoned"]
    # What took over a day was never closed: it is a call, and has no time.
    closed = [
        r for r in answered
        if r["talk_s"] is None or r["talk_s"] + (r["hold_s"] or 0) + (r["wrap_s"] or 0) <= 86_400
    ]  # fmt: skip
    handled = [r for r in closed if r["talk_s"] is not None]
    waits = [r["wait_s"] for r in offered if r["wait_s"] is not None]
    answered_waits = [r["wait_s"] for r in answered if r["wait_s"] is not None]
    handle = [r["talk_s"] + (r["hold_s"] or 0) + (r["wrap_s"] or 0) for r in handled]

    def within(group, limit):
        return sum(r["wait_s"] is not None and r["wait_s"] <= limit for r in group)

    found = {
        "arrived": len(rows),
        "offered": len(offered),
        "answered": len(answered),
        "abandoned": len(abandoned),
        **{
            name: sum(r["outcome"] == name for r in rows)
            for name in ("left_menu", "contained", "diverted", "blocked")
        },
        "waited": sum(w > 0 for w in waits),
        "handled": len(handled),
        "answered_in_20s": within(answered, 20),
        "answered_in_7.5s": within(answered, 7.5),
        "abandoned_in_20s": within(abandoned, 20),
        "abandoned_in_5s": within(abandoned, 5),
        "menu_s": total(r["menu_s"] for r in rows),
        "wait_s": total(waits),
        "answered_wait_s": total(answered_waits),
        "abandoned_wait_s": total(r["wait_s"] for r in abandoned),
        **{part: total(r[part] for r in closed) for part in ("talk_s", "hold_s", "wrap_s")},
        "handle_s": sum(handle),
        "mean_wait_s": np.mean(waits) if waits else None,
        "asa_s": np.mean(answered_waits) if answered_waits else None,
        "aht_s": np.mean(handle) if handle else None,
        "wait_p50_s": np.percentile(waits, 50) if waits else None,
        "wait_p90_s": np.percentile(waits, 90) if waits else None,
    }
    needs = {"answered_wait_s": "wait_s", "abandoned_wait_s": "wait_s", "handle_s": "talk_s"}
    parts = ("menu_s", "wait_s", "talk_s", "hold_s", "wrap_s")
    for name in (*parts, *needs):
        if needs.get(name, name) not in filled:
            found[name] = None
    return found


def recount_level(goal, counts):
    """METHODS.md section 1, one line a counting."""
    a, t = counts["answered"], counts[f"answered_in_{goal.within:g}s"]
    b, bt, bs = (counts[k] for k in ("abandoned", "abandoned_in_20s", "abandoned_in_5s"))
    top, bottom = {
        "offered": (t, a + b),
        "answered": (t, a),
        "abandoned_in_time": (t + bt, a + b),
        "late_abandoned": (t, a + b - bt),
        "short_as_served": (t + bs, a + b),
        "short_excluded": (t, a + b - bs),
    }[goal.counting]
    bottom += counts["blocked"] * goal.include_blocked
    return top / bottom if bottom else float("nan")


@settings(max_examples=7)
@given(
    logs,
    st.sampled_from(["15min", "1h", "2h", "1d", "1w", "1mo"]),
    st.sampled_from([(), ("queue",), ("queue", "site"), ("outcome",)]),
)
def test_every_number_is_that_of_a_recount(make_log, rows, every, by):
    log = make_log(rows, time_zone="Europe/London")
    held = log.table("calls").rows(named=True)
    frame = log.intervals(every, by=by, goals=GOALS)
    levels = [goal.of(frame) for goal in GOALS]
    groups = {tuple(r[k] for k in by) for r in held}
    if by:
        assert set(frame.select(by).iter_rows()) == groups
    filled = {name for r in held for name, value in r.items() if value is not None}
    seen = 0
    for i, row in enumerate(frame.iter_rows(named=True)):
        begin, length = row["interval_start"], timedelta(seconds=row["interval_s"])
        mine = [
            r
            for r in held
            if begin <= r["arrived_at"] < begin + length and all(r[k] == row[k] for k in by)
        ]
        seen += len(mine)
        expected = recount(mine, filled)
        if not mine:
            assert {name: row[name] for name in expected} == expected
            continue
        found = {name: row[name] for name in expected}
        assert found == pytest.approx(expected, nan_ok=False, abs=1e-6), (begin, row)
        for goal, level in zip(GOALS, levels, strict=True):
            assert level[i] == pytest.approx(recount_level(goal, expected), nan_ok=True), goal
    assert seen == len(rows)


@settings(max_examples=4)
@given(logs, st.sampled_from(["15min", "30min", "1h", "1d"]))
def test_intervals_tile_the_local_days_without_a_gap(make_log, rows, every):
    log = make_log(rows, time_zone="Europe/London")
    zone = ZoneInfo("Europe/London")
    frame = log.intervals(every, by="queue")
    first, last = (min(r["arrived_at"] for r in rows), max(r["arrived_at"] for r in rows))
    begin = datetime.combine(first.astimezone(zone).date(), datetime.min.time(), zone)
    end = datetime.combine(
        last.astimezone(zone).date() + timedelta(days=1), datetime.min.time(), zone
    )
    for _, part in frame.group_by("queue"):
        starts = part["interval_start"].to_list()
        ends = [
            s + timedelta(seconds=n)
            for s, n in zip(starts, part["interval_s"].to_list(), strict=True)
        ]
        assert starts == sorted(starts)
        assert starts[1:] == ends[:-1]
        assert (starts[0], ends[-1]) == (begin.astimezone(UTC), end.astimezone(UTC))
        for start, local, offset in part.select(
            "interval_start", "local_start", "utc_offset_s"
        ).iter_rows():
            wall = start.astimezone(zone)
            assert local == wall.replace(tzinfo=None)
            assert offset == wall.utcoffset().total_seconds()


@settings(max_examples=2)
@given(logs, st.sampled_from(["sales", "help", None]))
def test_where_narrows_to_its_values(make_log, rows, queue):
    log = make_log(rows, time_zone="Europe/London")
    days = log.intervals("1d")["local_start"].to_list()
    for where, kept in (
        ({"queue": queue}, lambda r: r["queue"] == queue),
        ({"queue": ["sales", None]}, lambda r: r["queue"] != "help"),
        ({"queue": "sales", "outcome": "answered"}, lambda r: _is(r, "sales", "answered")),
    ):
        frame = log.intervals("1d", where=where)
        assert frame["arrived"].sum() == sum(map(kept, rows)), where
        assert frame["local_start"].to_list() == days


def _is(row, queue, outcome):
    return row["queue"] == queue and row["outcome"] == outcome


@pytest.fixture(scope="module")
def week(make_log):
    """Ten calls on each day from Monday 3 to Sunday 9 March 2025, in London's winter."""
    return make_log(
        [
            {
                "arrived_at": datetime(2025, 3, 3 + day, 9, minute, tzinfo=UTC),
                "queue": "sales",
                "wait_s": 10.0 * minute,
                "talk_s": 60.0,
            }
            for day in range(7)
            for minute in range(10)
        ],
        time_zone="Europe/London",
    )


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (None, None, 7),
        ("2025-03-04", None, 6),
        (None, "2025-03-04", 1),
        ("2025-03-04", "2025-03-06", 2),
        ("2024-01-01", "2030-01-01", 7),
        (datetime(2025, 3, 4).date(), datetime(2025, 3, 5, 12), 1),
    ],
)
def test_start_and_end_are_local_days_and_end_is_excluded(week, start, end, days):
    frame = week.intervals("1d", start=start, end=end)
    assert frame.height == days
    assert frame["arrived"].to_list() == [10] * days


@pytest.mark.parametrize(
    ("start", "end"),
    [("2025-03-05", "2025-03-05"), ("2025-03-06", "2025-03-05")],
)
def test_an_end_that_does_not_follow_its_start_is_refused(week, start, end):
    with pytest.raises(InputError, match="end must come after the start"):
        week.intervals("1d", start=start, end=end)


@pytest.mark.parametrize(
    ("start", "end"), [("2026-01-01", None), (None, "2020-01-01"), ("2026-01-01", "2026-02-01")]
)
def test_days_without_the_log_are_refused(week, start, end):
    with pytest.raises(DataError, match="2025-03-03"):
        week.intervals("1d", start=start, end=end)


def test_quiet_intervals_stand_there_with_zeros(week):
    frame = week.intervals("1h", start="2025-03-03", end="2025-03-04")
    assert frame.height == 24
    quiet = frame.filter(pl.col("local_start").dt.hour() != 9)
    assert quiet.select(pl.col(pl.Int64).exclude("interval_s", "utc_offset_s")).sum().row(0) == (
        0,
    ) * len(quiet.select(pl.col(pl.Int64).exclude("interval_s", "utc_offset_s")).columns)
    assert quiet["mean_wait_s"].null_count() == quiet["aht_s"].null_count() == 23
    assert quiet["wait_p90_s"].null_count() == 23


def test_types_of_the_columns(week):
    frame = week.intervals("30min", by="queue", goals=[ServiceLevel(0.8, 20)])
    assert frame.schema["interval_start"] == pl.Datetime("us", "UTC")
    assert frame.schema["local_start"] == pl.Datetime("us")
    for name in ("utc_offset_s", "interval_s", "arrived", "offered", "answered_in_20s", "handled"):
        assert frame.schema[name].is_integer(), name
    for name in ("wait_s", "handle_s", "aht_s", "wait_p50_s", "agent_busy_s", "line_busy_s"):
        assert frame.schema[name] == pl.Float64, name


def test_a_sum_is_null_where_the_log_never_has_that_part(make_log):
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    frame = make_log([{"arrived_at": at, "queue": "sales"}]).intervals("1d")
    for name in (
        *("menu_s", "wait_s", "answered_wait_s", "abandoned_wait_s", "talk_s", "hold_s"),
        *("wrap_s", "handle_s", "mean_wait_s", "asa_s", "aht_s", "wait_p50_s", "wait_p90_s"),
        *("agent_busy_s", "line_busy_s"),
    ):
        assert frame[name][0] is None, name
    assert frame["answered"][0] == 1
    assert frame["handled"][0] == frame["waited"][0] == 0


def test_busy_agents_are_unknown_where_the_answer_is(make_log):
    """Talk time alone does not tell when the agent was busy."""
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    row = make_log([{"arrived_at": at, "talk_s": 60.0}]).intervals("1d").row(0, named=True)
    assert row["handle_s"] == 60
    assert row["agent_busy_s"] is None
    assert row["line_busy_s"] is None


def test_zero_is_not_null(make_log):
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    rows = [{"arrived_at": at, "wait_s": 0.0, "talk_s": 0.0, "wrap_s": 0.0}]
    row = make_log(rows).intervals("1d").row(0, named=True)
    assert row["handled"] == 1
    assert [row[n] for n in ("wait_s", "talk_s", "wrap_s", "handle_s", "aht_s")] == [0.0] * 5
    assert row["waited"] == 0
    assert row["hold_s"] is None


def test_a_call_on_the_edge_belongs_to_the_interval_it_begins(make_log):
    at = datetime(2025, 3, 3, 9, 30, tzinfo=UTC)
    log = make_log(
        [
            {"arrived_at": at},
            {"arrived_at": at - timedelta(microseconds=1)},
            {"arrived_at": datetime(2025, 3, 3, tzinfo=UTC)},
            {"arrived_at": datetime(2025, 3, 3, tzinfo=UTC) - timedelta(microseconds=1)},
        ]
    )
    frame = log.intervals("30min").filter(pl.col("arrived") > 0)
    assert frame["local_start"].to_list() == [
        datetime(2025, 3, 2, 23, 30),
        datetime(2025, 3, 3),
        datetime(2025, 3, 3, 9),
        datetime(2025, 3, 3, 9, 30),
    ]


def test_two_goals_with_thresholds_that_differ_a_little_are_not_mixed_up(make_log):
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    log = make_log([{"arrived_at": at, "wait_s": 100.0003}, {"arrived_at": at, "wait_s": 1.0}])
    goals = [ServiceLevel(0.8, within=100), ServiceLevel(0.8, within=100.0005)]
    frame = log.intervals("1d", goals=goals)
    assert [goal.of(frame)[0] for goal in goals] == [0.5, 1.0]


def test_one_goal_needs_no_list(week):
    goal = ServiceLevel(0.8, 20)
    alone, listed = week.intervals("1d", goals=goal), week.intervals("1d", goals=[goal])
    assert goal.of(alone).tolist() == goal.of(listed).tolist() == [0.3] * 7


def test_the_virtual_goal_is_refused(week):
    with pytest.raises(UnsupportedError, match="virtual"):
        week.intervals("1d", goals=[ServiceLevel(0.8, 20, counting="virtual")])


@pytest.mark.parametrize("every", ["7min", "0min", "2d", "25h", "", None, 30, "1y", "-1h", "1.5h"])
def test_an_interval_that_does_not_fit_into_days_is_refused(week, every):
    with pytest.raises(InputError, match="every"):
        week.intervals(every)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"by": "customer"}, "customer"),
        ({"by": "call_id"}, "call_id"),
        ({"by": "talk_s"}, "talk_s"),
        ({"by": ["queue", "queue"]}, "queue"),
        ({"by": 5}, "by"),
        ({"by": None}, "by"),
        ({"goals": ["80/20"]}, "goals"),
        ({"goals": 5}, "goals"),
        ({"start": "yesterday"}, "start"),
        ({"end": 5}, "end"),
        ({"where": {"arrived_at": "2025-03-03"}}, "arrived_at"),
        ({"where": {"queue": 5}}, "queue"),
        ({"where": {"queue": ["sales", 5.5]}}, "queue"),
        ({"where": {"queue": True}}, "queue"),
        ({"where": {"queue": b"sales"}}, "queue"),
        ({"where": "queue"}, "where"),
        ({"where": 5}, "where"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_by_name(week, arguments, named):
    with pytest.raises(InputError, match=named):
        week.intervals("1d", **arguments)


def test_an_empty_list_of_values_keeps_nothing_or_is_refused(week):
    try:
        frame = week.intervals("1d", where={"queue": []})
    except InputError as error:
        assert "queue" in str(error)  # noqa: PT017 - either answer will do
    else:
        assert frame["arrived"].sum() == 0


def test_handle_times_are_counted_by_whole_seconds(make_log):
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    parts = [(60.2, None, None), (59.0, 1.0, 0.4), (0.0, 0.0, 0.0), (None, 5.0, 5.0), (10, None, 3)]
    log = make_log(
        [
            {"arrived_at": at + timedelta(hours=i), "talk_s": t, "hold_s": h, "wrap_s": w}
            for i, (t, h, w) in enumerate(parts)
        ]
        + [{"arrived_at": at, "outcome": "abandoned", "talk_s": 7.0}]
    )
    assert log.handle_times().rows() == [(0, 1), (13, 1), (60, 2)]
    assert log.handle_times(part="talk").rows() == [(0, 1), (10, 1), (59, 1), (60, 1)]
    assert log.handle_times(part="hold").rows() == [(0, 1), (1, 1), (5, 1)]
    assert log.handle_times(part="wrap").rows() == [(0, 2), (3, 1), (5, 1)]
    by_hour = log.handle_times(every="1h")
    assert by_hour["local_start"].dt.hour().to_list() == [9, 10, 11, 13]
    assert by_hour["seconds"].to_list() == [60, 60, 0, 13]
    for bad in ("menu", ["talk"], None):
        with pytest.raises(InputError, match="part"):
            log.handle_times(part=bad)


def test_demand_takes_the_keys_own_handle_time_where_nothing_was_handled(make_log):
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    hour = timedelta(hours=1)
    log = make_log(
        [
            {"arrived_at": at, "queue": "sales", "talk_s": 100.0},
            {"arrived_at": at, "queue": "sales", "talk_s": 200.0},
            {"arrived_at": at + hour, "queue": "sales", "outcome": "abandoned"},
            {"arrived_at": at + 2 * hour, "queue": "help", "talk_s": 50.0},
            {"arrived_at": at + 2 * hour, "queue": "help", "outcome": "contained"},
        ]
    )
    frame = log.demand("1h", by="queue")
    held = {
        (q, t.hour): (c, a)
        for q, t, c, a in frame.select("queue", "local_start", "calls", "aht_s").iter_rows()
    }
    assert held["sales", 9] == (2, 150)
    assert held["sales", 10] == (1, 150)
    assert held["help", 11] == (1, 50)
    assert held["help", 3] == (0, 50)
    arrived = log.demand("1h", by="queue", calls="arrived")
    assert arrived.filter(pl.col("queue") == "help")["calls"].sum() == 2
    with pytest.raises(InputError, match="calls"):
        log.demand(calls="handled")


def test_a_call_that_nobody_closed_is_a_call_without_a_time(make_log):
    """One record of 25 hours made the handle time of ten calls two and a half hours."""
    from ccanalytics import staffing

    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    rows = [{"arrived_at": at, "answered_at": at, "talk_s": 200.0} for _ in range(9)]
    open_ = {"arrived_at": at, "answered_at": at, "talk_s": 90_000.0, "wrap_s": 60.0}
    log = make_log([*rows, open_])
    row = log.intervals("1h").filter(pl.col("arrived") > 0).row(0, named=True)
    assert (row["answered"], row["handled"], row["aht_s"]) == (10, 9, 200)
    assert (row["talk_s"], row["wrap_s"], row["agent_busy_s"]) == (1800, 0, 1800)
    demand = log.demand("1h")
    assert demand["over_a_day"].sum() == 1
    busy = demand.filter(pl.col("calls") > 0).row(0, named=True)
    assert (busy["calls"], busy["aht_s"]) == (10, 200)
    day = staffing.typical_day(demand, time_zone="UTC")
    assert "longer than a day" in {check.name for check in day.checks}
    own = staffing.typical_day(demand, time_zone="UTC", aht_s=300)
    assert "longer than a day" not in {check.name for check in own.checks}
    assert log.handle_times().rows() == [(200, 9), (90_060, 1)]


def test_demand_without_any_handle_time_says_null_and_not_nan(make_log):
    from ccanalytics.demand import as_demand

    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    log = make_log(
        [
            {"arrived_at": at, "queue": "sales", "talk_s": 100.0},
            {"arrived_at": at, "queue": "help", "outcome": "abandoned"},
        ]
    )
    frame = log.demand("1h", by="queue")
    help_queue = frame.filter(pl.col("queue") == "help")
    assert help_queue["aht_s"].null_count() == help_queue.height
    with pytest.raises(InputError, match="aht_s"):
        as_demand(frame)
    assert as_demand(frame.filter(pl.col("queue") == "sales"))["calls"].sum() == 1


def test_demand_is_accepted_where_the_only_handle_time_is_zero(make_log):
    """A service noted with 0 seconds is no handle time to plan with; the queue's own stands in."""
    from ccanalytics.demand import as_demand

    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    log = make_log(
        [
            {"arrived_at": at, "queue": "sales", "talk_s": 0.0},
            {"arrived_at": at + timedelta(hours=1), "queue": "sales", "talk_s": 100.0},
        ]
    )
    checked = as_demand(log.demand("1h", by="queue"))
    assert checked.filter(pl.col("calls") > 0)["aht_s"].min() > 0
