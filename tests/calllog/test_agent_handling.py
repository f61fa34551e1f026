"""Handle time by agent, and who the agents are: counted by hand."""

import datetime as dt
import math

import polars as pl
import pytest

from ccanalytics.errors import DataError, InputError

AT = dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)


def call(day, agent, talk, **more):
    return {"arrived_at": AT + dt.timedelta(days=day), "agent": agent, "talk_s": talk, **more}


@pytest.fixture(scope="module")
def log(make_log):
    calls = [
        call(0, "x", 100.0, wrap_s=20.0, service="bill", transfer="none"),
        call(1, "x", 60.0, service="bill", transfer="second_line"),
        call(7, "x", 30.0, service="move"),
        call(0, "y", 0.4, service="bill"),
        call(0, "y", 90_000.0, service="bill"),
        call(0, "y", None, service="bill"),
        call(0, None, 50.0, service="bill"),
        call(0, "y", 40.0, service="bill", outcome="abandoned"),
        call(8, "z", 1.0, service=None),
    ]
    agents = [
        {"agent": "x", "hired_on": dt.date(2025, 1, 6), "team": "red"},
        {"agent": "w", "hired_on": None, "left_on": dt.date(2025, 3, 1), "team": "blue"},
    ]
    return make_log(calls, "Asia/Shanghai", agents=agents)


def test_sums_are_those_by_hand_and_what_is_left_out_is_counted(log):
    frame = log.agent_handling("1w", by=["service"])
    rows = {(r["local_start"].day, r["agent"], r["service"]): r for r in frame.to_dicts()}
    assert set(rows) == {
        (3, "x", "bill"), (3, "y", "bill"), (3, None, "bill"), (10, "x", "move"), (10, "z", None),
    }  # fmt: skip
    x = rows[3, "x", "bill"]
    assert (x["timed_calls"], x["second_line"]) == (2, 1)
    assert (x["timed_s"], x["timed_ss"]) == (180.0, 120.0**2 + 60.0**2)
    assert x["timed_logs"] == pytest.approx(math.log(120) + math.log(60))
    assert x["timed_logs2"] == pytest.approx(math.log(120) ** 2 + math.log(60) ** 2)
    y = rows[3, "y", "bill"]
    assert (y["timed_calls"], y["timed_s"], y["timed_logs"]) == (0, 0.0, 0.0)
    assert (y["untimed"], y["zero_times"], y["over_a_day"], y["negative_times"]) == (1, 1, 1, 0)
    assert rows[3, None, "bill"]["timed_calls"] == 1
    assert rows[10, "z", None]["timed_logs"] == 0.0
    counts = frame.select(
        pl.col("timed_calls", "untimed", "negative_times", "zero_times", "over_a_day").sum()
    )
    assert sum(counts.row(0)) == log.intervals("1w")["answered"].sum()


def test_the_span_and_the_choice_are_kept(log):
    late = log.agent_handling("1d", by=[], start="2025-03-10")
    assert late["agent"].to_list() == ["x", "z"]
    assert late["interval_s"].unique().to_list() == [86400]
    one = log.agent_handling("1mo", by="agent", where={"service": "move"})
    assert one["timed_s"].to_list() == [30.0]
    with pytest.raises(InputError, match="no such column"):
        log.agent_handling(by=["customer"])


def test_a_log_without_transfers_does_not_say_none(make_log):
    log = make_log([call(0, "x", 10.0)])
    assert log.agent_handling()["second_line"].to_list() == [None]
    nobody = make_log([call(0, None, 10.0)])
    with pytest.raises(DataError, match="who took the calls"):
        nobody.agent_handling()
    with pytest.raises(DataError, match="who took the calls"):
        nobody.agents()


def test_agents_are_those_of_the_table_and_of_the_calls(log):
    frame = log.agents()
    assert frame["agent"].to_list() == ["w", "x", "y", "z"]
    w, x, y, z = frame.to_dicts()
    assert (w["listed"], w["answered"], w["first_on"]) == (True, 0, None)
    assert (x["listed"], x["answered"], x["team"]) == (True, 3, "red")
    assert (x["first_on"], x["last_on"]) == (dt.date(2025, 3, 3), dt.date(2025, 3, 10))
    assert (y["listed"], y["hired_on"], y["answered"]) == (False, None, 3)
    assert z["seen_from"] == dt.date(2025, 3, 3)
    assert z["seen_until"] == dt.date(2025, 3, 11)
    part = log.agents(start="2025-03-10")
    assert part.filter(pl.col("agent") == "y").height == 0
    assert part.filter(pl.col("agent") == "x")["answered"].to_list() == [1]
