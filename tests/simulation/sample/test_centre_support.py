"""Behind the first line: the second line, tickets and trunk lines, as their files show them."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom, kstest

from ccanalytics import queueing
from ccanalytics.simulation import CentreParameters
from ccanalytics.simulation.sample import lines as lines_module


@pytest.fixture(scope="module")
def second(sample):
    return sample.calls.filter(pl.col("queue") == "second_line")


def in_use(calls):
    """Calls in progress just after each one began, counted one event at a time."""
    begun = calls.select(at=pl.col("arrived_at"), step=pl.lit(1))
    over = calls.select(at=pl.col("ended_at"), step=pl.lit(-1))
    # A line given back in a second is free in it.
    return pl.concat([begun, over]).sort("at", "step")["step"].cum_sum()


def test_a_second_line_call_continues_the_call_that_was_sent_on(sample, second):
    assert second["parent_call_id"].null_count() == 0
    assert second["parent_call_id"].is_unique().all()
    assert sample.first_line["parent_call_id"].null_count() == sample.first_line.height
    both = second.join(sample.calls, left_on="parent_call_id", right_on="call_id", suffix="_of")
    assert both.height == second.height
    assert (both["transfer_of"] == "second_line").all()
    assert (both["arrived_at"] == both["ended_at_of"]).all()
    assert both["customer"].equals(both["customer_of"].alias("customer"))
    assert (both["service"] == both["service_of"]).all()
    assert set(second["outcome"]) == {"answered", "abandoned"}
    assert second["menu_s"].null_count() == second.height
    assert set(second["line_group"]) == {"second-1"}


def test_as_many_go_on_as_the_truth_says(sample, second):
    sent = sample.calls.filter(pl.col("transfer") == "second_line").height
    told = sample.truth["second_line"]
    assert told["transferred"] == sent
    assert told["calls"] == second.height
    low, high = binom.interval(1 - 1e-4, sent, CentreParameters().second_line_taken)
    assert low <= second.height <= high
    assert told["expected_calls"] == pytest.approx(0.8 * sent)
    assert told["abandoned"] == (second["outcome"] == "abandoned").sum()
    assert 0.005 < told["abandoned"] / told["calls"] < 0.19
    handle = second["talk_s"] + second["wrap_s"]
    error = handle.std() / handle.count() ** 0.5
    assert abs(handle.mean() - told["handle_s"]) < 4 * error


def test_each_queue_has_agents_with_its_own_skill(sample):
    skills = dict(sample.agents.select("agent", "skills").rows())
    taken = sample.calls.drop_nulls("agent").select("agent", "queue").unique()
    assert {queue for _, queue in taken.rows()} == {"hotline", "second_line"}
    for agent, queue in taken.rows():
        assert skills[agent] == queue
    assert sample.agents["agent"].is_unique().all()
    spells = (
        sample.calls.drop_nulls("agent")
        .sort("agent", "answered_at")
        .with_columns(
            done=pl.col("answered_at")
            + pl.duration(seconds=pl.sum_horizontal("talk_s", "hold_s", "wrap_s"))
        )
    )
    assert spells.filter(pl.col("done").shift(1).over("agent") > pl.col("answered_at")).is_empty()


def test_the_second_line_may_be_left_out(make_sample):
    none = make_sample(
        weeks=2,
        scale=0.02,
        parameters=CentreParameters(second_line_taken=0, ticket=0, ticket_fault=0),
    )
    assert set(none.calls["queue"]) == {"hotline"}
    assert "tickets.csv" not in none.centre.rows
    assert none.truth["tickets"]["opened"] == {"counted": 0, "expected": 0.0}
    assert {check.status for check in none.centre.checks} == {"holds", "informs"}


def test_tickets_come_from_calls_and_some_are_open_at_the_end(sample):
    tickets = sample.table("tickets")
    assert tickets["ticket"].is_unique().all()
    both = tickets.join(sample.answered, on="call_id", suffix="_call")
    assert both.height == tickets.height
    assert (both["service"] == both["service_call"]).all()
    assert (both["opened_at"] == both["ended_at"]).all()
    closed = tickets.drop_nulls("closed_at")
    assert (closed["closed_at"] > closed["opened_at"]).all()
    local = closed["closed_at"].dt.convert_time_zone("Asia/Shanghai").dt.date()
    assert local.max() < date(2024, 7, 1)  # the log's end
    told = sample.truth["tickets"]
    expected = told["opened"]["expected"]
    assert tickets.height == told["opened"]["counted"]
    assert abs(tickets.height - expected) < 4 * expected**0.5
    for owner, truth in told["owners"].items():
        mine = tickets.filter(pl.col("owner") == owner)
        still = mine["closed_at"].null_count()
        assert mine.height == truth["tickets"]
        assert still == truth["open_at_end"]
        wanted = truth["open_at_end_expected"]
        assert abs(still - wanted) < 4 * wanted**0.5 + 0.1 * wanted + 1
    assert tickets.filter(pl.col("reopened"))["ticket"].len() == told["reopened"]
    low, high = binom.interval(1 - 1e-4, told["closed_once"], CentreParameters().ticket_reopened)
    assert low <= told["reopened"] <= high


def test_time_to_close_follows_the_law_told(sample):
    tickets = sample.table("tickets").drop_nulls("closed_at")
    # Closed once, and opened long enough before the end that none is missing.
    early = tickets.filter(
        ~pl.col("reopened")
        & (pl.col("opened_at") < pl.col("opened_at").max() - pl.duration(days=40))
    )
    p = CentreParameters()
    for owner, factor in (("network", p.ticket_network), ("back office", 1.0)):
        mine = early.filter(pl.col("owner") == owner)
        seconds = (mine["closed_at"] - mine["opened_at"]).dt.total_seconds().to_numpy()
        normal = np.log(seconds / (p.ticket_median_s * factor)) / p.ticket_log_sd
        assert kstest(normal, "norm").pvalue > 1e-3


def test_lines_are_planned_by_erlang_b_and_grow_with_customers(sample):
    groups = sample.table("line_groups")
    assert set(groups["line_group"]) == set(sample.calls["line_group"])
    begins = groups.group_by("line_group").agg(pl.col("from_on").min())["from_on"]
    assert set(begins) == {date(2024, 1, 1)}
    assert set(groups["site"]) <= set(sample.agents["site"])
    told = sample.truth["lines"]
    p = CentreParameters()
    for name in ("central-1", "central-2", "north-1", "south-1"):
        load, lines = told[name]["erlangs"], told[name]["lines"]
        for erlangs, count in zip(load, lines, strict=True):
            enough = queueing.servers_for_blocking(erlangs, p.lines_blocking)
            assert count == max(enough, p.lines_least)
    assert told["central-1"]["erlangs"][-1] > told["central-1"]["erlangs"][0]


def test_no_group_ever_carries_more_calls_than_it_has_lines(sample):
    told = sample.truth["lines"]
    for name in set(sample.calls["line_group"]):
        calls = sample.calls.filter(pl.col("line_group") == name)
        most = in_use(calls).max()
        assert most == told[name]["most_at_once"]
        assert most <= max(told[name]["lines"])
    assert "blocked" not in set(sample.calls["outcome"])


def test_too_few_lines_give_a_busy_signal(make_sample, sample):
    few = make_sample(
        weeks=26,
        scale=0.05,
        seed=7,
        parameters=CentreParameters(lines_load=1.0, lines_least=1, lines_blocking=0.05),
    )
    blocked = few.calls.filter(pl.col("outcome") == "blocked")
    told = few.truth["lines"]
    assert blocked.height == sum(
        told[name]["blocked"] for name in ("central-1", "central-2", "north-1", "south-1")
    )
    assert blocked.height > 200
    for column in ("answered_at", "menu_s", "wait_s", "talk_s", "agent", "service"):
        assert blocked[column].null_count() == blocked.height
    assert (blocked["arrived_at"] == blocked["ended_at"]).all()
    for name in ("central-1", "north-1"):
        calls = few.calls.filter((pl.col("line_group") == name) & (pl.col("outcome") != "blocked"))
        # Whoever another log tells of is never turned away, even if that takes a line too many.
        over = in_use(calls) > max(told[name]["lines"])
        assert over.sum() < 1e-3 * calls.height
    # Whoever got through, the other logs know; nothing else has changed.
    events = few.events.drop_nulls("call_id").join(blocked, on="call_id")
    assert events.is_empty()
    assert few.events.equals(sample.events)
    same = few.calls.filter(pl.col("queue") == "hotline")
    assert same.height == sample.first_line.height
    assert {check.status for check in few.centre.checks} == {"holds", "informs"}


def test_the_last_to_come_is_turned_away():
    begin, end = np.array([0, 1, 2, 3, 30, 31]), np.array([10, 20, 25, 9, 40, 40])
    limit, turned = np.full(6, 2), np.zeros(6, bool)
    lines_module._turn_away(begin, end, np.zeros(6, bool), limit, turned)
    assert turned.tolist() == [False, False, True, True, False, False]
    turned[:] = False
    # A call that another log tells of keeps its line; the one before it loses its own.
    protected = np.array([False, False, True, False, False, False])
    lines_module._turn_away(begin, end, protected, limit, turned)
    assert turned.tolist() == [False, True, False, True, False, False]
