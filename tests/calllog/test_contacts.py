"""Who calls again, first attempts, and what self-service led to, against plain counting."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ccanalytics.errors import DataError
from ccanalytics.schema import OUTCOMES

KOLKATA = ZoneInfo("Asia/Kolkata")
BEGIN = datetime(2025, 3, 3, 12, tzinfo=UTC)
OFFERED = ("answered", "abandoned", "overflowed", "call_back")
STEP = 600  # moments lie on a coarse grid, so that ties and exact windows happen
WINDOWS = (600, 3600, 86_400)

moments = st.integers(0, 4 * 144).map(lambda n: BEGIN + timedelta(seconds=STEP * n))
calls = st.fixed_dictionaries(
    {
        "arrived_at": moments,
        "customer": st.sampled_from([None, "a", "b", "c"]),
        "service": st.sampled_from([None, "S1", "S2"]),
        "queue": st.sampled_from([None, "sales", "help"]),
        "outcome": st.sampled_from(list(OUTCOMES)),
    }
)
logs = st.lists(calls, min_size=15, max_size=40)
days = st.sampled_from(
    [(None, None), (date(2025, 3, 4), None), (None, date(2025, 3, 6)), ("2025-03-04", "2025-03-06")]
)
events = st.lists(
    st.fixed_dictionaries(
        {
            "at": moments,
            "customer": st.sampled_from([None, "a", "b", "c"]),
            "service": st.sampled_from(["S1", "S2", "S3"]),
            "channel": st.sampled_from(["sms", "web"]),
            "stage": st.sampled_from(["before_call", "own_initiative"]),
            "accepted": st.booleans(),
            "delivered": st.sampled_from([None, True, False]),
            "completed": st.sampled_from([None, True, True, False]),
        }
    ),
    min_size=5,
    max_size=25,
)


def local_day(moment):
    return moment.astimezone(KOLKATA).date()


def between(moment, start, end):
    """Whether a moment lies on the local days asked for."""
    start, end = (date.fromisoformat(d) if isinstance(d, str) else d for d in (start, end))
    day = local_day(moment)
    return (start is None or day >= start) and (end is None or day < end)


def ordered(log):
    return sorted(
        log.table("calls").rows(named=True), key=lambda r: (r["arrived_at"], r["call_id"])
    )


def answers(question):
    """The answer, or None where the log has nothing on these days."""
    try:
        return question()
    except DataError:
        return None


# ---- calling again ------------------------------------------------------------------------------


@settings(max_examples=6)
@given(logs, st.sampled_from([("outcome",), (), ("queue", "service")]), days)
def test_calls_again_are_counted_one_by_one(make_log, rows, by, limits):
    start, end = limits
    log = make_log(rows, time_zone="Asia/Kolkata")
    frame = answers(lambda: log.recontacts(WINDOWS, by=by, start=start, end=end))
    kept, last = ordered(log), max(r["arrived_at"] for r in rows)
    expected = Counter()
    for i, call in enumerate(kept):
        if call["customer"] is None or not between(call["arrived_at"], start, end):
            continue
        later = [c["arrived_at"] for c in kept[i + 1 :] if c["customer"] == call["customer"]]
        for window in WINDOWS:
            over = call["arrived_at"] + timedelta(seconds=window)
            if over <= last:
                key = (*(call[k] for k in by), window)
                expected[*key, "followed"] += 1
                expected[*key, "again"] += bool(later) and min(later) <= over
    found = Counter()
    if frame is not None:
        assert frame.columns == [*by, "window_s", "followed", "again"]
        for *key, followed, again in frame.iter_rows():
            found[*key, "followed"], found[*key, "again"] = followed, again
    assert +found == +expected


def test_windows_are_cut_at_the_end_of_the_log(make_log):
    """A call whose window reaches beyond the last arrival cannot be said not to repeat."""
    hour = timedelta(hours=1)
    log = make_log(
        [
            {"arrived_at": BEGIN, "customer": "a"},
            {"arrived_at": BEGIN + 2 * hour, "customer": "b"},
            {"arrived_at": BEGIN + 3 * hour, "customer": "a"},
            {"arrived_at": BEGIN + 4 * hour},
        ]
    )
    frame = log.recontacts([3600, 3 * 3600, 4 * 3600, 5 * 3600], by=())
    assert frame.rows() == [
        (3600.0, 3, 0),
        (10_800.0, 1, 1),
        (14_400.0, 1, 1),
        (18_000.0, 0, 0),
    ]


def test_withheld_callers_are_no_one(make_log):
    moments_ = [BEGIN + timedelta(minutes=i) for i in range(10)]
    log = make_log([{"arrived_at": at} for at in moments_])
    frame = log.recontacts([60], by=())
    assert frame["followed"].sum() == frame["again"].sum() == 0


def test_a_log_in_parts_gives_what_it_gives_whole(make_log, monkeypatch):
    """A window over more calls than fit into memory is taken customer by customer."""
    from ccanalytics.calllog import engine

    log = make_log(
        [
            {
                "arrived_at": BEGIN + timedelta(seconds=STEP * (n * n % 97)),
                "customer": None if n % 7 == 0 else f"c{n % 11}",
                "service": f"S{n % 3}",
                "queue": "sales" if n % 4 else None,
                "wait_s": float(n % 23),
                "outcome": "abandoned" if n % 3 else "answered",
            }
            for n in range(120)
        ]
    )
    questions = (
        lambda: log.recontacts(WINDOWS, by=["queue"]),
        lambda: log.recontacts(WINDOWS),
        lambda: log.redials(by=["service"]),
        lambda: log.panel("service", "1d"),
        lambda: log.intervals("1h", by=["queue"]),
    )
    whole = [ask() for ask in questions]
    monkeypatch.setattr(engine, "_ROWS_HELD", 13)
    for ask, expected in zip(questions, whole, strict=True):
        assert ask().equals(expected)
    assert sum(whole[1]["again"]) > 0


def test_where_chooses_the_calls_and_not_those_that_follow(make_log):
    """The customer called again, though elsewhere; the log goes on, though not this queue."""
    rows = [
        {"arrived_at": BEGIN, "customer": "a", "queue": "sales"},
        {"arrived_at": BEGIN + timedelta(minutes=5), "customer": "a", "queue": "help"},
        {"arrived_at": BEGIN + timedelta(minutes=30), "customer": "b", "queue": "help"},
    ]
    log = make_log(rows)
    assert log.recontacts([600], by=(), where={"queue": "sales"}).rows() == [(600.0, 1, 1)]
    assert log.recontacts([600], by="queue").rows() == [
        ("help", 600.0, 1, 0),
        ("sales", 600.0, 1, 1),
    ]


# ---- first attempts -----------------------------------------------------------------------------


@settings(max_examples=6)
@given(logs, st.sampled_from(["service", "queue"]), st.sampled_from([3600, 86_400]), days)
def test_first_attempts_are_counted_one_by_one(make_log, rows, unit, quiet, limits):
    start, end = limits
    log = make_log(rows, time_zone="Asia/Kolkata")
    frame = answers(lambda: log.panel(unit, "1d", quiet_s=quiet, start=start, end=end))
    expected, offered, before = Counter(), Counter(), {}
    for call in ordered(log):
        if call["outcome"] not in OFFERED:
            continue
        asker, at = (call["customer"], call["service"]), call["arrived_at"]
        repeat = (
            call["customer"] is not None
            and asker in before
            and at - before[asker] <= timedelta(seconds=quiet)
        )
        before[asker] = at
        if between(at, start, end):
            offered[local_day(at), call[unit]] += 1
            expected[local_day(at), call[unit]] += not repeat
    found, asked = Counter(), Counter()
    if frame is not None:
        for row in frame.iter_rows(named=True):
            found[row["local_start"].date(), row["unit"]] = row["first_attempts"]
            asked[row["local_start"].date(), row["unit"]] = row["offered"]
    assert +found == +expected
    assert +asked == +offered


def test_a_customer_who_keeps_redialling_made_one_attempt(make_log):
    rows = [
        {"arrived_at": BEGIN + timedelta(hours=20 * i), "customer": "a", "service": "S1"}
        for i in range(4)
    ]
    rows += [{"arrived_at": BEGIN, "customer": "a", "service": "S2"}]
    rows += [{"arrived_at": BEGIN, "service": "S1"}, {"arrived_at": BEGIN, "service": "S1"}]
    # Not asked for: a call that ended in the menu neither counts nor makes the next a repeat.
    rows += [{"arrived_at": BEGIN, "customer": "b", "service": "S1", "outcome": "left_menu"}]
    rows += [{"arrived_at": BEGIN + timedelta(hours=1), "customer": "b", "service": "S1"}]
    frame = make_log(rows).panel("service", "1mo")
    assert dict(frame.select("unit", "first_attempts").rows()) == {"S1": 4, "S2": 1}
    assert frame["offered"].to_list() == [7, 1]


def test_the_panel_has_a_row_for_each_unit_and_week(make_log):
    rows = [
        {"arrived_at": BEGIN + timedelta(days=7 * week), "service": service, "customer": "a"}
        for week, service in ((0, "S1"), (3, "S2"))
    ]
    frame = make_log(rows).panel()
    assert frame.select("unit").unique().height == 2
    assert frame.height == 2 * 4
    assert "service" not in frame.columns
    assert frame["first_attempts"].null_count() == 0


def test_earlier_calls_outside_where_still_make_a_repeat(make_log):
    rows = [
        {"arrived_at": BEGIN, "customer": "a", "service": "S1", "queue": "sales"},
        {
            "arrived_at": BEGIN + timedelta(hours=1),
            "customer": "a",
            "service": "S1",
            "queue": "help",
        },
    ]
    frame = make_log(rows).panel("service", "1d", where={"queue": "help"})
    assert frame["offered"].sum() == 1
    assert frame["first_attempts"].sum() == 0


# ---- self-service -------------------------------------------------------------------------------


def funnel_recount(kept, happened, by, windows, start, end):
    """Every count of self_service(), one contact at a time."""
    groups, out = Counter(), {}
    last = max(c["arrived_at"] for c in kept)
    live = {}
    for e in happened:
        place = (e["channel"], e["stage"], e["service"])
        live[place] = min(live.get(place, e["at"]), e["at"])

    def key(row):
        return (row["channel"], row["stage"], *(row[name] for name in by))

    in_menu = []
    if any(c["outcome"] == "contained" for c in kept):
        in_menu = [
            {
                "channel": "menu",
                "stage": "own_initiative",
                "service": c["service"],
                "customer": c["customer"],
                "event_id": c["call_id"],
                "at": c["arrived_at"],
                "accepted": True,
                "delivered": None,
                "completed": c["outcome"] == "contained",
            }
            for c in kept
            if c["outcome"] in ("contained", "left_menu", "diverted")
        ]
    per = {}
    for e in happened + in_menu:
        if between(e["at"], start, end):
            group = key(e)
            groups[*group, "sent"] += 1
            for what in ("accepted", "delivered", "completed"):
                groups[*group, what] += bool(e[what])
            groups[*group, "noted"] += e["delivered"] is not None
            groups[*group, "eligible"] += e["stage"] == "own_initiative" and e["accepted"]
            # In the menu every call counts for itself.
            who = e["event_id"] if e["channel"] == "menu" else e["customer"] or e["event_id"]
            mine = per.setdefault(group, {}).setdefault(who, Counter())
            mine.update(sent=1, accepted=bool(e["accepted"]), completed=bool(e["completed"]))
    for (channel, stage, service), since in live.items():
        group = key({"channel": channel, "stage": stage, "service": service})
        groups[*group, "eligible"] += sum(
            c["service"] == service
            and c["arrived_at"] >= since
            and between(c["arrived_at"], start, end)
            for c in kept
        )

    def squares(counts, x, n):
        return [sum(c[a] * c[b] for c in counts) for a, b in ((n, n), (x, n), (x, x))]

    def asks(e, window):
        return any(
            c["customer"] == e["customer"]
            and c["service"] == e["service"]
            and c["outcome"] in OFFERED
            and e["at"] <= c["arrived_at"] <= e["at"] + timedelta(days=window)
            for c in kept
        )

    left = [
        e
        for e in in_menu
        if e["event_id"] in {c["call_id"] for c in kept if c["outcome"] != "diverted"}
    ]
    for group, customers in per.items():
        if groups[*group, "accepted"] and not groups[*group, "noted"]:
            groups[*group, "delivered"] = None  # never noted: unknown, not zero
        for window in windows:
            after = {}
            for e in happened + left:
                tried = e["completed"] or (e["accepted"] and e["completed"] is False)
                if key(e) != group or not tried or e["customer"] is None:
                    continue
                if not between(e["at"], start, end) or e["at"] + timedelta(days=window) > last:
                    continue
                kind = "" if e["completed"] else "failed_"
                mine = after.setdefault(e["customer"], Counter())
                mine.update({f"{kind}followed": 1, f"{kind}recontacted": asks(e, window)})
            names = ("eligible", "sent", "accepted", "delivered", "completed")
            later = ("followed", "recontacted", "failed_followed", "failed_recontacted")
            out[*group, window] = (
                *(groups[*group, n] for n in names),
                *(sum(c[n] for c in after.values()) for n in later),
                *squares(customers.values(), "accepted", "sent"),
                *squares(customers.values(), "completed", "accepted"),
                *squares(after.values(), "recontacted", "followed"),
                *squares(after.values(), "failed_recontacted", "failed_followed"),
            )
    return out


@settings(max_examples=6)
@given(logs, events, st.sampled_from([("service",), ()]), days)
def test_the_funnel_is_counted_one_by_one(make_log, rows, happened, by, limits):
    start, end = limits
    log = make_log(rows, time_zone="Asia/Kolkata", self_service=happened)
    windows = (1, 3, 7)
    frame = answers(lambda: log.self_service(windows, by=by, start=start, end=end))
    if frame is None:
        assert not any(between(r["arrived_at"], start, end) for r in rows)
        return
    # Asked for days without end, the log answers for those from its first call to its last; the
    # channels' own records may come before and after.
    first, last = (local_day(f(r["arrived_at"] for r in rows)) for f in (min, max))
    start = max(date.fromisoformat(str(start)), first) if start else first
    after = last + timedelta(days=1)
    end = min(date.fromisoformat(str(end)), after) if end else after
    kept = ordered(log)
    held = log.table("self_service").rows(named=True)
    expected = funnel_recount(kept, held, by, windows, start, end)
    assert {
        tuple(row[: 3 + len(by)]): tuple(row[3 + len(by) :]) for row in frame.iter_rows()
    } == expected


SMS = {"channel": "sms", "stage": "before_call", "service": "S1", "accepted": True}


def test_a_channel_nobody_completed_has_its_zeros(make_log):
    log = make_log(
        [{"arrived_at": BEGIN, "service": "S1"}, {"arrived_at": BEGIN + timedelta(days=40)}],
        self_service=[
            SMS | {"at": BEGIN, "completed": False},
            SMS | {"at": BEGIN, "channel": "app", "service": "S9", "accepted": False},
        ],
    )
    frame = log.self_service()
    assert frame.height == 2 * 5
    assert frame["window_days"].to_list() == [1, 3, 7, 14, 30] * 2
    # Accepted once, and never noted whether it was delivered: unknown, not zero.
    assert frame["delivered"].to_list() == [0] * 5 + [None] * 5
    assert frame.drop("delivered").null_count().sum_horizontal().item() == 0
    assert frame.filter(pl.col("channel") == "app")["eligible"].to_list() == [0] * 5
    assert frame["followed"].sum() == frame["recontacted"].sum() == 0


def test_leakage_by_hand(make_log):
    day = timedelta(days=1)
    done = SMS | {"delivered": True, "completed": True}
    log = make_log(
        [
            {"arrived_at": BEGIN - day, "customer": "a", "service": "S1"},
            {"arrived_at": BEGIN + 2 * day, "customer": "a", "service": "S1"},
            {"arrived_at": BEGIN + 2 * day, "customer": "b", "service": "S2"},
            {
                "arrived_at": BEGIN + 2 * day,
                "customer": "c",
                "service": "S1",
                "outcome": "contained",
            },
            {"arrived_at": BEGIN + 10 * day},
        ],
        self_service=[done | {"at": BEGIN, "customer": who} for who in ("a", "b", "c", None)],
    )
    every = log.self_service((1, 3, 7, 14))
    frame = every.filter(pl.col("channel") == "sms")
    assert frame["sent"].to_list() == [4] * 4
    assert frame["followed"].to_list() == [3, 3, 3, 0]
    assert frame["recontacted"].to_list() == [0, 1, 1, 0]
    # The call before the channel's first record could not have used it.
    assert frame["eligible"].to_list() == [2] * 4
    # The log goes on for ten days, whatever service is asked about.
    only = log.self_service((7,), where={"service": "S1"}).filter(pl.col("channel") == "sms")
    assert only.select("followed", "recontacted").rows() == [(3, 1)]
    # One call ended in the voice menu, served, and its customer asked nobody in the eight days
    # that were left of the log.
    menu = every.filter(pl.col("channel") == "menu")
    assert menu["service"].to_list() == ["S1"] * 4
    assert menu["completed"].to_list() == menu["eligible"].to_list() == [1] * 4
    assert menu.select("followed", "recontacted").rows() == [(1, 0), (1, 0), (1, 0), (0, 0)]


def test_a_window_asked_for_twice_is_one(make_log):
    log = make_log([{"arrived_at": BEGIN, "service": "S1"}], self_service=[SMS | {"at": BEGIN}])
    assert log.self_service((7, 7)).equals(log.self_service((7,)))


def test_a_call_handed_on_is_no_second_request(make_log):
    minute, week = timedelta(minutes=1), timedelta(days=7)
    calls_ = [
        {"arrived_at": BEGIN, "customer": "a", "service": "S1", "call_id": "first",
         "talk_s": 100, "transfer": "second_line"},
        {"arrived_at": BEGIN + 2 * minute, "customer": "a", "service": "S1", "call_id": "second",
         "parent_call_id": "first", "talk_s": 300},
        {"arrived_at": BEGIN - 9 * timedelta(days=1)},
        {"arrived_at": BEGIN + 2 * week},
    ]  # fmt: skip
    assist = {"channel": "sms", "stage": "during_call", "service": "S1", "call_id": "first",
              "customer": "a", "accepted": True, "completed": True}  # fmt: skip
    log = make_log(calls_, self_service=[assist | {"at": BEGIN + minute}])
    row = log.self_service((7,)).row(0, named=True)
    assert (row["followed"], row["recontacted"]) == (1, 0)
    log = make_log(calls_, self_service=[SMS | {"at": BEGIN - minute, "customer": "b"}])
    assert log.self_service((7,))["eligible"].to_list() == [1]
    episode = log.episodes(7).filter(pl.col("stage") == "assisted", pl.col("service") == "S1")
    told = episode.row(0, named=True)
    # One request, with the time of both agents.
    assert (told["episodes"], told["contacts"], told["requests"]) == (1, 1, 1)
    assert told["agent_s"] == 400


def test_a_log_without_self_service_gives_an_empty_frame_of_the_same_form(make_log):
    with_some = make_log([{"arrived_at": BEGIN}], self_service=[SMS | {"at": BEGIN}])
    without = make_log([{"arrived_at": BEGIN}])
    for by in ("service", ()):
        frame = without.self_service(by=by)
        assert frame.height == 0
        assert frame.schema == with_some.self_service(by=by).schema


# ---- the edges of windows -----------------------------------------------------------------------


def test_the_last_second_of_a_quiet_time_belongs_to_it(make_log):
    day = timedelta(days=1)
    rows = [
        {"arrived_at": BEGIN, "customer": "exact", "service": "S1"},
        {"arrived_at": BEGIN + day, "customer": "exact", "service": "S1"},
        {"arrived_at": BEGIN, "customer": "later", "service": "S1"},
        {"arrived_at": BEGIN + day + timedelta(seconds=1), "customer": "later", "service": "S1"},
    ]
    assert make_log(rows).panel("service", "1mo")["first_attempts"].to_list() == [3]


def test_what_the_first_line_hands_on_is_no_attempt_of_its_own(make_log):
    """The second line's part of an unknown caller's call was a request once more."""
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    part = {"service": "S1", "outcome": "answered", "customer": None}
    log = make_log(
        [
            part | {"call_id": "a", "arrived_at": at},
            part | {"call_id": "b", "arrived_at": at + timedelta(minutes=4), "parent_call_id": "a"},
            part | {"call_id": "c", "arrived_at": at + timedelta(minutes=9)},
        ]
    )
    row = log.panel("service", "1d").row(0, named=True)
    assert (row["offered"], row["first_attempts"]) == (3, 2)


def test_the_last_second_of_a_window_belongs_to_it(make_log):
    second, day = timedelta(seconds=1), timedelta(days=1)
    calls_ = [
        {"arrived_at": BEGIN + day, "customer": "exact", "service": "S1"},
        {"arrived_at": BEGIN + day + second, "customer": "later", "service": "S1"},
        {"arrived_at": BEGIN, "customer": "at once", "service": "S1"},
        {"arrived_at": BEGIN - second, "customer": "before", "service": "S1"},
        {"arrived_at": BEGIN + 3 * day},
    ]
    done = SMS | {"at": BEGIN, "completed": True}
    who = ("exact", "later", "at once", "before")
    log = make_log(calls_, self_service=[done | {"customer": name} for name in who])
    frame = log.self_service((1, 2, 3, 4))
    assert frame["recontacted"].to_list() == [2, 3, 3, 0]
    # The log ends three days after the contacts, to the second.
    assert frame["followed"].to_list() == [4, 4, 4, 0]
    shorter = make_log(
        [*calls_[:-1], {"arrived_at": BEGIN + 3 * day - second}],
        self_service=[done | {"customer": name} for name in who],
    )
    assert shorter.self_service((3,))["followed"].to_list() == [0]
