"""Reviews, surveys, tickets and contacts counted in the log, against plain loops over its rows."""

import datetime as dt
import math
import random
from collections import Counter, defaultdict

import polars as pl
import pytest

from ccanalytics import quality
from ccanalytics.errors import DataError, InputError

START = dt.datetime(2025, 3, 3, 1, tzinfo=dt.UTC)
HOUR, DAY = 3600, 86400


def at(seconds):
    return START + dt.timedelta(seconds=seconds)


def some(rng, values, unknown=0.1):
    return None if rng.random() < unknown else rng.choice(values)


@pytest.fixture(scope="module")
def world(make_log):
    """Sixty days of calls with reviews, surveys and tickets, everything unknown now and then."""
    rng = random.Random(5)
    calls = []
    for i in range(1500):
        outcome = rng.choice(["answered"] * 7 + ["abandoned", "contained", "overflowed"])
        answered = outcome == "answered"
        calls.append(
            {
                "call_id": f"c{i}", "customer": some(rng, [f"k{j}" for j in range(120)]),
                "service": some(rng, ["bill", "move"]), "tier": some(rng, ["gold", "base"]),
                "queue": "q", "arrived_at": at(rng.randrange(60 * DAY)), "outcome": outcome,
                "wait_s": some(rng, [0.0, 20.0, 21.0, 200.0]),
                "talk_s": rng.randrange(300) + 10.0 if answered and rng.random() < 0.95 else None,
                "agent": some(rng, ["a1", "a2", "a3"], 0.05) if answered else None,
                "transfer": some(rng, ["none", "none", "second_line", "other"])
                if answered else None,
                "parent_call_id": "c0" if rng.random() < 0.08 else None,
            }
        )  # fmt: skip
    ids = [c["call_id"] for c in calls] + ["gone1", "gone2"]
    reviews = []
    for i in range(300):
        call = some(rng, ids[:80] + ids[-2:], 0.05)
        head = {
            "review_id": f"r{i:03d}", "call_id": call, "agent": some(rng, ["a1", "a2"], 0.3),
            "reviewer": some(rng, ["x", "y", "z"]),
            "sampled": some(rng, ["random", "random", "targeted"]),
            "at": at(rng.randrange(60 * DAY)) if rng.random() > 0.05 else None,
        }  # fmt: skip
        for item, critical in (("greeting", False), ("answer", True)):
            reviews.append(
                head
                | {"item": item, "critical": critical, "passed": some(rng, [True, True, False])}
            )
    surveys = [
        {
            "call_id": call, "channel": "sms", "sent_at": at(rng.randrange(60 * DAY)),
            "answered_at": at(60 * DAY) if rng.random() < 0.5 else None,
            "score": some(rng, [1.0, 3.0, 5.0], 0.4),
        }
        for call in rng.sample(ids, 400)
    ]  # fmt: skip
    tickets = []
    for i in range(300):
        opened = rng.randrange(60 * DAY)
        closed = opened + rng.randrange(-12 * HOUR, 6 * DAY)
        tickets.append(
            {
                "ticket": f"t{i}", "call_id": some(rng, ids),
                "service": some(rng, ["bill", "move"]),
                "opened_at": at(opened), "closed_at": at(closed) if rng.random() < 0.8 else None,
                "reopened": some(rng, [True, False, False]), "owner": some(rng, ["desk", "net"]),
            }
        )  # fmt: skip
    agents = [{"agent": f"a{i}", "team": t} for i, t in ((1, "red"), (2, "blue"))]
    tables = {"reviews": reviews, "surveys": surveys, "tickets": tickets, "agents": agents}
    log = make_log(calls, time_zone="Asia/Shanghai", **tables)
    return log, {"calls": calls, **tables}


def first_reviews(tables):
    """Reviews with their items, and whether the call was reviewed before in the same sample."""
    by_id = defaultdict(list)
    for row in tables["reviews"]:
        by_id[row["review_id"]].append(row)
    calls = {c["call_id"]: c for c in tables["calls"]}
    order = sorted(by_id, key=lambda r: (by_id[r][0]["at"] or START - dt.timedelta(9999), r))
    had, told = set(), []
    for review in order:
        head = by_id[review][0]
        place = (head["call_id"], head["sampled"])
        again = head["call_id"] is not None and place in had
        had.add(place)
        told.append((head, by_id[review], again, calls.get(head["call_id"])))
    return told


def test_reviews_are_counted_by_sample_and_once_a_call(world):
    log, tables = world
    expected = defaultdict(Counter)
    teams = {row["agent"]: row["team"] for row in tables["agents"]}
    for head, items, again, call in first_reviews(tables):
        agent = head["agent"] or (call or {}).get("agent")
        here = expected[(teams.get(agent), head["sampled"] or "unknown")]
        marks = [row for row in items if row["passed"] is not None]
        wrong = [row for row in marks if not row["passed"]]
        here["repeated"] += again
        here["unmarked"] += len(items) - len(marks)
        if again:
            continue
        here["items_marked"] += len(marks)
        here["items_failed"] += len(wrong)
        here["items_failed_nn"] += len(marks) ** 2
        here["items_failed_xn"] += len(marks) * len(wrong)
        here["items_failed_xx"] += len(wrong) ** 2
        if marks:
            here["reviews"] += 1
            here["reviews_failed"] += any(row["critical"] for row in wrong)
            here["unknown_calls"] += call is None
    told = log.reviews(["team"])
    assert told.height == len(expected)
    for row in told.iter_rows(named=True):
        here = expected[row.pop("team"), row.pop("sampled")]
        assert row == {name: here[name] for name in row}
    assert told["repeated"].sum()
    assert told["unknown_calls"].sum()


def test_reviews_by_item_reviewer_and_week_add_up_to_all(world):
    log, _ = world
    whole = log.reviews([])
    counts = ["items_marked", "items_failed", "unmarked"]
    for by in (
        ["item"],
        ["reviewer", "critical"],
        ["agent"],
        ["service", "tier"],
        ["item", "team"],
    ):
        part = log.reviews(by)
        for sampled in whole["sampled"]:
            one, many = (
                each.filter(pl.col("sampled") == sampled).select(pl.col(counts).sum())
                for each in (whole, part)
            )
            assert one.equals(many), by
    weekly = log.reviews([], "1w")
    dated = log.reviews([], start="2025-03-01", end="2026-01-01")
    for name in ("reviews", "items_failed"):
        assert weekly[name].sum() == dated[name].sum() < whole[name].sum()  # some have no date
    assert weekly["interval_s"].max() == 7 * DAY
    assert log.reviews([], where={"service": "bill"})["unknown_calls"].sum() == 0


def test_pairs_are_marks_of_two_reviewers_on_one_item(world):
    log, tables = world
    marks = {}
    for row in tables["reviews"]:
        if row["passed"] is not None and row["call_id"] and row["reviewer"]:
            key = (row["call_id"], row["item"], row["reviewer"])
            marks[key] = marks.get(key, True) and row["passed"]
    units = defaultdict(dict)
    for (call, item, reviewer), passed in marks.items():
        units[call, item][reviewer] = passed
    expected = Counter()
    for (_, item), by in units.items():
        names = sorted(by)
        for i, one in enumerate(names):
            for two in names[i + 1 :]:
                expected[item, one, two, len(names), by[one], by[two]] += 1
    told = log.review_pairs()
    assert {row[:-1]: row[-1] for row in told.iter_rows()} == dict(expected)
    assert told["raters"].max() == 3


def test_surveys_are_counted_answered_or_not(world):
    log, tables = world
    calls = {c["call_id"]: c for c in tables["calls"]}
    last = max(c["arrived_at"] for c in tables["calls"])
    expected = defaultdict(Counter)
    for row in tables["surveys"]:
        call = calls.get(row["call_id"])
        wait = (call or {}).get("wait_s")
        band = (
            None if wait is None else "1: up to 20 s" if wait <= 20
            else "2: up to 180 s" if wait <= 180 else "3: over 180 s"
        )  # fmt: skip
        here = expected[band, row["score"]]
        if row["sent_at"] > last - dt.timedelta(days=3):
            here["too_recent"] += 1
            continue
        here["surveys"] += 1
        here["blank"] += row["score"] is None and row["answered_at"] is not None
        here["unknown_calls"] += call is None
    told = log.surveys(["wait"], waits_s=(180, 20))
    assert told.height == len(expected)
    for row in told.iter_rows(named=True):
        here = expected[row.pop("wait"), row.pop("score")]
        assert row == {name: here[name] for name in row}
    assert log.surveys(["agent", "tier"])["surveys"].sum() == told["surveys"].sum()


def test_tickets_are_followed_until_the_records_end(world):
    log, tables = world
    last = max(c["arrived_at"] for c in tables["calls"])
    moments = [row[name] for row in tables["tickets"] for name in ("opened_at", "closed_at")]
    end = min(last, max(m for m in moments if m))
    expected = Counter()
    for row in tables["tickets"]:
        opened, closed = row["opened_at"], row["closed_at"]
        hours = None
        if closed is not None and closed < opened:
            state = "closed before opened"
        elif opened > end:
            state = "opened after the end"
        elif closed is not None and closed <= end:
            state, hours = "closed", math.ceil((closed - opened) / dt.timedelta(hours=1))
        else:
            state, hours = "open", (end - opened) // dt.timedelta(hours=1)
        expected[row["owner"], state, row["reopened"], hours] += 1
    told = log.tickets(["owner"])
    assert {row[:-1]: row[-1] for row in told.iter_rows()} == dict(expected)
    assert set(told["state"]) >= {"closed", "open", "closed before opened"}
    assert log.tickets(["team", "service"])["tickets"].sum() == 300


def test_tickets_stand_beside_the_calls_of_their_week(world):
    log, tables = world
    told = log.tickets_opened("1w", by=["service"])
    answered = Counter(c["service"] for c in tables["calls"] if c["outcome"] == "answered")
    opened = Counter(row["service"] for row in tables["tickets"])
    for (service,), part in told.group_by(["service"]):
        assert part["answered"].sum() == answered[service]
        assert 0 <= opened[service] - part["tickets"].sum() <= 3  # past the last day with calls
    one = log.tickets_opened(where={"service": "bill"})
    assert one["tickets"].sum() == told.filter(pl.col("service") == "bill")["tickets"].sum()


def test_first_contacts_are_those_not_served_before_and_watched_to_the_end(world):
    log, tables = world
    asked = [
        c for c in tables["calls"]
        if c["outcome"] in ("answered", "abandoned", "overflowed") and c["parent_call_id"] is None
    ]  # fmt: skip
    begun = min(c["arrived_at"] for c in asked)
    last = max(c["arrived_at"] for c in tables["calls"])
    same = defaultdict(list)
    for call in asked:
        same[call["customer"], call["service"]].append(call)
    expected = defaultdict(Counter)
    for call in asked:
        if call["outcome"] != "answered":
            continue
        when = call["arrived_at"]
        for days in (1, 7):
            here, window = expected[call["tier"], days], dt.timedelta(days=days)
            if call["customer"] is None:
                here["unknown_customers"] += 1
                continue
            if when + window > last or when - window < begun:
                here["unwatched"] += 1
                continue
            others = [o for o in same[call["customer"], call["service"]] if o is not call]
            if any(
                o["outcome"] == "answered" and when - window <= o["arrived_at"] <= when
                for o in others
            ):
                continue
            again = any(when < o["arrived_at"] <= when + window for o in others)
            moved = call["transfer"] in ("second_line", "other")
            here["first_contacts"] += 1
            here["again"] += again
            here["transferred"] += moved
            here["transferred_again"] += moved and again
    told = log.resolutions((1, 7), by=["tier"])
    assert told.height == len(expected)
    for row in told.iter_rows(named=True):
        here = expected[row.pop("tier"), row.pop("window_days")]
        assert row == {name: here[name] for name in row}
    assert told["again"].sum()
    whole = log.resolutions((1, 7), by=[])
    for name in ("first_contacts", "again", "unknown_customers", "unwatched"):
        assert (
            whole[name].sum() == told[name].sum() == log.resolutions((1, 7), ["team"])[name].sum()
        )


def test_agents_stand_beside_calls_of_the_same_kind(world):
    log, tables = world
    answered = [c for c in tables["calls"] if c["outcome"] == "answered"]
    times = defaultdict(list)
    for call in answered:
        if call["talk_s"] is not None:
            times[call["service"], call["tier"]].append(call["talk_s"])
    usual = {kind: sum(each) / len(each) for kind, each in times.items()}
    told = log.agent_calls()
    for row in told.iter_rows(named=True):
        mine = [c for c in answered if c["agent"] == row["agent"]]
        timed = [c for c in mine if c["talk_s"] is not None]
        expect = [usual[c["service"], c["tier"]] for c in timed]
        assert (row["answered"], row["handled"]) == (len(mine), len(timed))
        assert row["handle_s"] == pytest.approx(sum(c["talk_s"] for c in timed))
        assert row["expected_s"] == pytest.approx(sum(expect))
        assert row["off_ss"] == pytest.approx(
            sum((c["talk_s"] - e) ** 2 for c, e in zip(timed, expect, strict=True))
        )
        assert row["transferred"] == sum(c["transfer"] in ("second_line", "other") for c in mine)
    # Over everybody, what is expected is what was taken.
    assert told["expected_s"].sum() == pytest.approx(told["handle_s"].sum())
    plain = log.agent_calls(["team"], case=[])
    ratio = (plain["expected_s"] / plain["handled"]).to_list()
    assert ratio == pytest.approx([ratio[0]] * plain.height)


def test_calls_of_more_than_a_day_are_in_no_time_of_an_agent(make_log):
    rows = [
        {"call_id": str(k), "arrived_at": START, "talk_s": each, "agent": "a", "service": "s"}
        for k, each in enumerate((100.0, 200.0, 86_400.0, 86_401.0, 900_000.0))
    ]
    offers = [{"event_id": "e", "channel": "sms", "stage": "during_call", "call_id": "0",
               "service": "s", "at": START, "accepted": True}]  # fmt: skip
    log = make_log(rows, self_service=offers)
    told = log.agent_calls().row(0, named=True)
    assert (told["answered"], told["handled"], told["over_a_day"]) == (5, 3, 2)
    assert told["handle_s"] == told["expected_s"] == 86_700
    assert log.assisted_calls()["handle_s"].sum() == 86_700
    page = quality.agent_file("a", log.agent_calls(), least=0)
    assert (
        "2 calls are longer than a day"
        in {c.name: c.detail for c in page.checks}["longer than a day"]
    )


def test_a_log_without_them_says_what_is_missing(make_log):
    log = make_log([{"arrived_at": START, "talk_s": 5.0}])
    for table, ask in (
        ("reviews", log.reviews), ("reviews", log.review_pairs), ("surveys", log.surveys),
        ("tickets", log.tickets), ("tickets", log.tickets_opened),
    ):  # fmt: skip
        with pytest.raises(DataError, match=f"holds no {table}") as error:
            ask()
        assert error.value.remedy.startswith(f"load {table}")
    assert log.resolutions(by=[])["unknown_customers"].to_list() == [1] * 5
    assert log.agent_calls()["answered"].to_list() == [1]
    for ask in (
        lambda: log.reviews(["nothing"]), lambda: log.surveys(waits_s=[0]),
        lambda: log.tickets(where={"queue": "q"}), lambda: log.tickets_opened(by=["owner"]),
        lambda: log.resolutions([0]), lambda: log.agent_calls(["service"]),
        lambda: log.agent_calls(case=["agent"]), lambda: log.surveys(settle_days=0.5),
    ):  # fmt: skip
        with pytest.raises(InputError):
            ask()


def test_reviews_that_do_not_tell_who_or_what_is_critical(make_log):
    rows = [
        {"review_id": "r1", "call_id": "c0", "item": "a", "passed": False, "sampled": "random"},
        {"review_id": "r2", "call_id": "c0", "item": "a", "passed": True, "sampled": "random"},
    ]
    log = make_log([{"arrived_at": START, "talk_s": 5.0, "agent": "x"}], reviews=rows)
    told = log.reviews(["agent"])
    assert told.select("agent", "reviews", "repeated", "reviews_failed").rows() == [
        ("x", 1, 1, None)
    ]
    with pytest.raises(DataError, match="who reviewed"):
        log.review_pairs()
    named = [row | {"reviewer": name} for row, name in zip(rows, "xy", strict=True)]
    log = make_log([{"arrived_at": START, "talk_s": 5.0}], reviews=named[:1])
    assert log.review_pairs().height == 0
