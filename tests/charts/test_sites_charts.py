"""Charts of sites, tiers and clients: they draw what the Result says, with every name in place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from ccanalytics import ServiceLevel, charts, staffing
from ccanalytics.staffing import Contract

GOAL = ServiceLevel(0.80, within=20)
START = datetime(2025, 3, 3, 9, tzinfo=UTC)


def demand(key, calls):
    return pl.concat(
        pl.DataFrame(
            {
                "interval_start": [START + timedelta(hours=h) for h in range(len(numbers))],
                "interval_s": 3600.0,
                "calls": [float(n) for n in numbers],
                "aht_s": 180.0,
                key: name,
            }
        )
        for name, numbers in calls.items()
    )


SITES = demand("site", {"north": [120, 60], "so<b>uth": [80, 40], "west": [30, 20]})
TIERS = demand("tier", {"gold": [60.0], "plain": [140.0]})


def said(fig):
    """A figure without a second line of its own, and with words for every trace."""
    fig.to_json()
    assert fig.layout.title.text
    assert "<b>" not in fig.layout.title.text
    named = [trace.name for trace in fig.data if trace.showlegend is not False]
    assert all(named) or len(named) <= 1
    return fig


def test_arrangements_of_sites():
    found = staffing.site_plans(SITES, GOAL)
    fig = said(charts.site_plans(found))
    assert list(fig.data[0].y) == found.frame["agent_hours"].to_list()
    assert list(fig.data[1].y) == found.frame["occupancy"].to_list()
    assert list(fig.data[0].x) == ["Separate", "Pooled"]


def test_the_curve_of_merging_has_the_best_beside_it():
    found = staffing.merge_order(SITES, GOAL)
    fig = said(charts.merge_order(found))
    assert [trace.name for trace in fig.data] == ["Best of all ways", "In this order"]
    assert list(fig.data[1].y) == found.frame["saved"].to_list()
    assert list(fig.data[1].x) == [3, 2, 1]
    assert "&lt;b&gt;" in " ".join(fig.data[1].text)


def test_overflow_by_site():
    found = staffing.site_overflow(SITES, GOAL, replications=4)
    fig = said(charts.site_overflow(found))
    assert len(fig.data) == 3
    assert fig.data[0].y[0] == "all calls"
    assert fig.data[0].x[0] == found.frame["service_level"][0]
    assert len(fig.data[0].y) == 4
    assert "so&lt;b&gt;uth" in fig.data[0].y


def test_a_promise_and_its_share():
    found = staffing.tier_promise({"gold": 30, "plain": 70}, 1800, 180, GOAL)
    fig = said(charts.tier_promise(found))
    gold = next(trace for trace in fig.data if trace.name == "gold")
    assert (
        list(gold.y) == found.by_agents.filter(pl.col("tier") == "gold")["service_level"].to_list()
    )
    assert fig.layout.yaxis2.type == "log"
    share = said(charts.tier_share(found))
    assert [trace.name for trace in share.data] == ["gold", "plain"]
    assert share.layout.annotations[-1].text == "now"
    assert share.layout.annotations[-1].x == pytest.approx(0.3)


def test_rules_for_tiers():
    found = staffing.tier_rules(TIERS, 12, GOAL, {"gold": 30}, replications=4)
    fig = said(charts.tier_rules(found))
    assert len(fig.data) == 3
    assert fig.data[0].y == ("gold", "plain")
    assert fig.data[2].x[0] == found.value("strict priority", "gold", "service_level")


@pytest.fixture(scope="module")
def clients():
    rows = demand("client", {"a": [120, 60], "b": [80, 40]})
    terms = [Contract(client=name, goal=GOAL, window="day", price_per_call=2.0, penalty=99.0)
             for name in "ab"]  # fmt: skip
    return staffing.client_plans(rows, terms, cost_per_hour=15.0)


def test_the_frontier_marks_the_choice(clients):
    fig = said(charts.client_frontier(clients))
    assert len(fig.data) == 12  # a line and a dot, in three panels, for two arrangements
    chosen = [trace for trace in fig.data if trace.mode == "markers"]
    rows = clients.frame.to_dicts()
    for k, trace in enumerate(chosen):
        row, measure = rows[k // 3], ("service_level", "occupancy", "profit")[k % 3]
        assert trace.x == pytest.approx((row["cost"],))
        assert trace.y == pytest.approx((row[measure],))
    line = fig.data[0]
    assert list(line.x) == sorted(line.x)
    assert max(line.y) < 0.999
    low, high = fig.layout.yaxis3.range
    assert low < clients.frame["profit"].to_numpy().min()
    assert high > clients.frame["profit"].to_numpy().max()


def test_where_the_money_goes_adds_up(clients):
    fig = said(charts.client_profit(clients))
    for k, row in enumerate(clients.frame.iter_rows(named=True)):
        assert sum(trace.x[k] for trace in fig.data) == pytest.approx(row["revenue"])
