"""Agents by week and calls helped by a message: counted in the log, and from its tables."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics.errors import DataError, InputError

MONDAY = datetime(2024, 3, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(4)
    calls = [
        {
            "call_id": f"C{k}",
            "customer": f"k{k}",
            "service": ["a", "b"][k % 2],
            "agent": [f"A{k % 3}", None][int(k % 17 == 0)],
            "arrived_at": MONDAY + timedelta(minutes=25 * k),
            "wait_s": 3,
            "talk_s": int(60 + 100 * (k % 2) + rng.integers(0, 90)) * int(k % 29 > 0),
            "wrap_s": 0,
            "hold_s": 0,
            "outcome": "answered",
            "transfer": "second_line" if k % 7 == 0 else "none",
        }
        for k in range(1600)
    ]
    reviews = [
        {
            "review_id": f"V{k}",
            "call_id": f"C{k}" if k < 395 else "unknown",
            "agent": f"A{k % 3}",
            "item": item,
            "passed": (k + n) % 4 > 0,
            "sampled": "targeted" if k % 10 == 1 else "random",
            "at": MONDAY + timedelta(days=26),
        }
        for k in range(5, 400, 5)
        for n, item in enumerate(("x", "y"))
    ]
    events = [
        {
            "event_id": f"E{k}",
            "customer": f"k{k}",
            "channel": "sms",
            "stage": "during_call" if k % 4 else "before_call",
            "call_id": f"C{k}",
            "at": MONDAY + timedelta(minutes=25 * k),
            "accepted": k % 3 == 0,
        }
        for k in range(0, 1600, 5)
    ]
    agents = [
        {"agent": "A0", "hired_on": MONDAY.date() - timedelta(days=30), "team": "north"},
        {"agent": "A1", "hired_on": MONDAY.date() + timedelta(days=10), "team": "south"},
        {"agent": "A2", "team": "south"},
    ]
    return {"calls": calls, "reviews": reviews, "self_service": events, "agents": agents}


@pytest.fixture(scope="module")
def log(make_log, tables):
    return make_log(**tables)


def test_sums_are_those_of_the_calls(log, tables):
    told = log.agent_panel()
    calls = pl.DataFrame(tables["calls"]).filter(
        pl.col("agent").is_not_null(), pl.col("talk_s") > 0
    )
    calls = calls.with_columns(
        log=pl.col("talk_s").log(),
        week=pl.col("arrived_at").dt.truncate("1w").dt.replace_time_zone(None),
        sent=(pl.col("transfer") == "second_line").cast(pl.Int64),
    )
    usual = calls.with_columns(
        usual=pl.col("log").mean().over("service"), sent_usual=pl.col("sent").mean().over("service")
    )
    ours = usual.group_by("agent", "week").agg(
        calls=pl.len(), handle_s=pl.col("talk_s").sum(), log_handle=pl.col("log").sum(),
        squares=(pl.col("log") ** 2).sum(), sent=pl.col("sent").sum(), usual=pl.col("usual").sum(),
        sent_usual=pl.col("sent_usual").sum(),
    ).sort("agent", "week")  # fmt: skip
    for name, other in (
        ("calls", "calls"), ("handle_s", "handle_s"), ("log_handle", "log_handle"),
        ("log_handle_squares", "squares"), ("second_line", "sent"),
        ("usual_log_handle", "usual"), ("usual_second_line", "sent_usual"),
    ):  # fmt: skip
        assert told[name].to_numpy() == pytest.approx(ours[other].to_numpy(), rel=1e-9), name
    assert told["agent"].to_list() == ours["agent"].to_list()
    assert told["local_start"].to_list() == ours["week"].to_list()


def test_without_kinds_of_calls_all_are_alike(log):
    told = log.agent_panel(adjust=())
    mean = told["log_handle"].sum() / told["calls"].sum()
    assert (told["usual_log_handle"] / told["calls"]).to_numpy() == pytest.approx(mean)


def test_tenure_counts_from_hiring_and_is_null_where_not_known(log):
    told = log.agent_panel().sort("local_start")
    first = told.filter(agent="A0")["tenure_weeks"].to_list()
    assert first[:3] == [4, 5, 6]  # 33 days at the first Thursday
    assert told.filter(agent="A1")["tenure_weeks"].to_list()[:3] == [0, 0, 1]
    assert told.filter(agent="A2")["tenure_weeks"].null_count() == told.filter(agent="A2").height
    assert set(told["team"]) == {"north", "south"}


def test_random_items_of_known_calls_count_in_the_week_of_the_call(log, tables):
    told = log.agent_panel()
    calls = {c["call_id"]: c for c in tables["calls"]}
    random = [
        r for r in tables["reviews"]
        if r["sampled"] == "random" and r["call_id"] in calls and calls[r["call_id"]]["agent"]
    ]  # fmt: skip
    cells = {(r["agent"], r["local_start"]) for r in told.iter_rows(named=True)}
    assert cells
    assert told["items_marked"].sum() == len(random)
    assert told["items_failed"].sum() == sum(not r["passed"] for r in random)


def test_calls_with_a_message_in_them(log, tables):
    told = log.assisted_calls()
    calls = {c["call_id"]: c for c in tables["calls"] if c["talk_s"] > 0}
    offered = [
        e for e in tables["self_service"] if e["stage"] == "during_call" and e["call_id"] in calls
    ]
    assert told["calls"].sum() == len(calls)
    assert told["assist_offered"].sum() == len(offered)
    assert told["assisted"].sum() == sum(e["accepted"] for e in offered)
    assert set(told["service"]) == {"a", "b"}


def test_a_choice_of_calls_is_all_that_counts(log):
    some = log.agent_panel(where={"service": "a"}, start="2024-03-11")
    assert some["calls"].sum() < log.agent_panel()["calls"].sum() / 2
    assert (some["usual_log_handle"].sum()) == pytest.approx(some["log_handle"].sum())


def test_what_the_log_does_not_know_is_refused(make_log):
    bare = make_log([{"arrived_at": MONDAY, "talk_s": 60, "wait_s": 1}])
    with pytest.raises(DataError, match="who took the calls"):
        bare.agent_panel()
    with pytest.raises(DataError, match="in which calls SMS-assist"):
        bare.assisted_calls()
    with pytest.raises(InputError, match="no such column"):
        bare.agent_panel(adjust=["shoe"])
