"""Waits, redials, presence and states: counted here by hand or by brute force, second by second."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from ccanalytics.errors import DataError, InputError

AT = datetime(2025, 3, 3, 9, tzinfo=UTC)


def at(seconds):
    return AT + timedelta(seconds=seconds)


# ---- waits --------------------------------------------------------------------------------------


def test_waits_count_every_offered_call_once(make_log):
    rows = [
        {"arrived_at": at(0), "wait_s": 0.0, "talk_s": 9.0, "queue": "a"},
        {"arrived_at": at(1), "wait_s": 0.4, "talk_s": 9.0, "queue": "a"},
        {"arrived_at": at(2), "wait_s": 12.4, "talk_s": 9.0, "queue": "a"},
        {"arrived_at": at(3), "wait_s": 11.6, "outcome": "abandoned", "queue": "b"},
        {"arrived_at": at(4), "wait_s": 0.0, "outcome": "abandoned", "queue": "b"},
        {"arrived_at": at(5), "outcome": "abandoned"},
        {"arrived_at": at(6), "wait_s": 3.0, "outcome": "overflowed", "queue": "a"},
        {"arrived_at": at(7), "outcome": "left_menu"},
    ]
    found = make_log(rows).waits()
    assert found.rows() == [
        ("abandoned", True, None, 1),
        ("abandoned", True, 0, 1),
        ("abandoned", True, 12, 1),
        ("answered", False, 0, 1),
        ("answered", True, 0, 1),
        ("answered", True, 12, 1),
        ("overflowed", True, 3, 1),
    ]
    by_queue = make_log(rows).waits(by="queue", where={"queue": ["a", None]})
    assert by_queue["calls"].sum() == 5
    assert set(by_queue["queue"]) == {None, "a"}


# ---- redials ------------------------------------------------------------------------------------


def test_redials_are_followed_until_the_log_ends(make_log):
    left = {"outcome": "abandoned", "wait_s": 5.0}
    log = make_log(
        [
            {"arrived_at": at(0), "customer": "again", **left},
            {"arrived_at": at(40), "customer": "again"},
            {"arrived_at": at(100), "customer": "never", **left},
            {"arrived_at": at(100), "customer": "late", **left},
            {"arrived_at": at(900), "customer": "late"},
            {"arrived_at": at(200), **left},
            {"arrived_at": at(230), **left},
            {"arrived_at": at(990), "customer": "end", **left},
            {"arrived_at": at(1000), "customer": "other"},
        ]
    )
    # Withheld callers never make a pair; "never" is followed for 900 s, "end" for 10 s.
    assert log.redials().rows() == [(10, False, 1), (40, True, 1), (800, True, 1), (900, False, 1)]
    assert log.redials(up_to_s=500).rows() == [(10, False, 1), (40, True, 1), (500, False, 2)]
    with pytest.raises(InputError, match="up_to_s"):
        log.redials(up_to_s=0)


def test_the_next_call_is_found_also_where_only_some_calls_are_asked_about(make_log):
    log = make_log(
        [
            {"arrived_at": at(0), "customer": "c", "queue": "a", "outcome": "abandoned"},
            {"arrived_at": at(60), "customer": "c", "queue": "b"},
        ]
    )
    assert log.redials(where={"queue": "a"}).rows() == [(60, True, 1)]


# ---- presence -----------------------------------------------------------------------------------


def test_presence_is_every_second_of_every_spell(make_log):
    random.seed(11)
    rows, truth = [], {}
    for agent in "xyz":
        clock, spell = random.randrange(0, 3000), None
        for _ in range(25):
            talk = random.randrange(1, 400)
            rows.append(
                {
                    "arrived_at": at(clock),
                    "answered_at": at(clock),
                    "talk_s": float(talk),
                    "agent": agent,
                }
            )
            if spell is not None and clock - spell[1] <= 600:
                spell[1] = max(spell[1], clock + talk)
            else:
                spell = [clock, clock + talk]
                truth.setdefault(agent, []).append(spell)
            clock += talk + random.choice([0, 5, 300, 600, 601, 4000])
    rows.append({"arrived_at": at(10), "answered_at": at(10), "talk_s": 50.0})  # agent unknown
    log = make_log(rows)
    found = log.agents_present("30min", gap_s=600)
    by_slot = {}
    for spells in truth.values():
        for start, end in spells:
            for second in range(start, end):
                by_slot[second // 1800] = by_slot.get(second // 1800, 0) + 1
    seen = {
        (row["interval_start"] - AT).total_seconds() // 1800: row["agents_present"] * 1800
        for row in found.iter_rows(named=True)
        if row["agents_present"] > 0
    }
    last = max(seen)
    assert seen == {slot: n for slot, n in by_slot.items() if slot <= last}
    assert last * 1800 <= 86400
    everyone = log.agents_present("1d", by="agent", gap_s=600)
    assert everyone["agent"].to_list() == ["x", "y", "z"]


def test_presence_needs_agents(make_log):
    log = make_log([{"arrived_at": at(0), "talk_s": 5.0}])
    with pytest.raises(DataError, match="who took the calls"):
        log.agents_present()
    with pytest.raises(InputError, match="gap_s"):
        log.agents_present(gap_s=0)


# ---- states and schedules -----------------------------------------------------------------------


def spells(agent, kind, *parts):
    """Spells end to end: (name, seconds), None for nothing, from AT on."""
    out, clock = [], 0
    for name, seconds in parts:
        if name is not None:
            out.append(
                {
                    "agent": agent,
                    kind: name,
                    "started_at": at(clock),
                    "ended_at": at(clock + seconds),
                }
            )
        clock += seconds
    return out


@pytest.fixture(scope="module")
def two_agents(make_log):
    """One agent keeps to the plan but for 25 minutes; the other never comes."""
    states = spells(
        "a", "state", ("available", 6000), ("handling", 1800), ("wrap", 300), ("break", 2700),
        ("available", 18000),
    )  # fmt: skip
    plan = spells("a", "activity", ("calls", 8100), ("break", 1200), ("calls", 19500))
    plan += spells("b", "activity", ("calls", 3600), ("meeting", 1800))
    return make_log(
        [{"arrived_at": at(0), "agent": "a"}, {"arrived_at": at(28_000), "agent": "a"}],
        agents=[{"agent": "a", "team": "t1"}, {"agent": "b", "team": "t2"}],
        agent_states=states,
        schedules=plan,
    )


def test_what_was_planned_stands_beside_what_was_done(two_agents):
    found = two_agents.activities()
    assert found.filter(pl.col("agent") == "a").drop("agent", "overlapping").rows() == [
        ("break", "break", 1200.0),
        ("calls", "available", 24000.0),
        ("calls", "break", 1500.0),
        ("calls", "handling", 1800.0),
        ("calls", "wrap", 300.0),
    ]
    assert found.filter(pl.col("agent") == "b").drop("agent", "overlapping").rows() == [
        ("calls", None, 3600.0),
        ("meeting", None, 1800.0),
    ]
    assert not found["overlapping"].any()
    by_team = two_agents.activities(by="team")
    assert by_team.group_by("team").agg(pl.col("seconds").sum()).sort("team").rows() == [
        ("t1", 28800.0),
        ("t2", 5400.0),
    ]


def test_seconds_by_state_are_split_over_intervals(two_agents):
    hourly = two_agents.agent_time("1h")
    sums = hourly.group_by("state").agg(pl.col("actual_s", "scheduled_s").sum()).sort("state")
    assert sums.rows() == [
        ("available", 24000.0, 0.0),
        ("break", 2700.0, 1200.0),
        ("calls", 0.0, 31200.0),
        ("handling", 1800.0, 0.0),
        ("meeting", 0.0, 1800.0),
        ("wrap", 300.0, 0.0),
    ]
    second = hourly.filter(pl.col("interval_start") == at(3600)).select("state", "actual_s")
    assert second.rows() == [
        ("available", 2400.0), ("calls", 0.0), ("handling", 1200.0), ("meeting", 0.0)
    ]  # fmt: skip
    assert two_agents.agent_time("1h", by="team")["team"].unique().sort().to_list() == ["t1", "t2"]


def test_random_spells_agree_with_a_count_of_seconds(make_log):
    random.seed(4)
    states, plans, truth = [], [], {}
    for agent in ("a", "b", "c"):
        lines = []
        for kind, names, rows in (
            ("state", ["available", "handling", "break", None], states),
            ("activity", ["calls", "break", "other", None], plans),
        ):
            parts = [(random.choice(names), random.randrange(1, 200)) for _ in range(60)]
            parts.append((names[0], 20_000 - sum(s for _, s in parts)))
            rows.extend(spells(agent, kind, *parts))
            lines.append([name for name, seconds in parts for _ in range(seconds)])
        for pair in zip(lines[1], lines[0], strict=True):
            truth[pair] = truth.get(pair, 0) + 1
    truth.pop((None, None), None)
    log = make_log([{"arrived_at": at(0)}], agent_states=states, schedules=plans)
    low = min(min(r["started_at"] for r in rows) for rows in (states, plans))
    assert low == AT, "both tables cover the whole span"
    found = {(r["activity"], r["state"]): r["seconds"] for r in log.activities(by=()).to_dicts()}
    assert found == truth


def test_spells_in_two_states_at_once_are_named(make_log):
    log = make_log(
        [{"arrived_at": at(0)}],
        agent_states=[
            {"agent": "a", "state": "handling", "started_at": at(0), "ended_at": at(100)},
            {"agent": "a", "state": "wrap", "started_at": at(80), "ended_at": at(120)},
        ],
    )
    assert log.activities(by=()).rows() == [
        (None, "handling", False, 80.0), (None, "handling", True, 20.0), (None, "wrap", False, 20.0)
    ]  # fmt: skip


def test_a_schedule_ahead_of_the_states_is_no_absence(make_log):
    log = make_log(
        [{"arrived_at": at(0)}],
        agent_states=spells("a", "state", ("available", 3600)),
        schedules=spells("a", "activity", ("calls", 7200)),
    )
    assert log.activities(by=()).rows() == [("calls", "available", False, 3600.0)]


def test_a_log_without_states_says_so(make_log):
    log = make_log([{"arrived_at": at(0)}])
    with pytest.raises(DataError, match="what agents did"):
        log.agent_time()
    with pytest.raises(DataError, match="what agents did"):
        log.activities()
    with pytest.raises(InputError, match="no such column"):
        log.activities(by="queue")


@pytest.mark.real
def test_agents_at_the_bank(bank_log):
    found = bank_log.agents_present("30min", start="1999-02-01", end="1999-03-01")
    seen = found.filter(pl.col("agents_present") > 0)["agents_present"]
    # Distinct agents seen per half-hour are 6.7-6.9 on average; of those some are there in part.
    assert 5.0 < seen.mean() < 6.9
    assert seen.max() <= 14
