"""Charts of quality draw what the Results hold, and show no small cells."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from ccanalytics import charts, quality, smallcells
from ccanalytics.errors import DataError


@pytest.fixture
def five():
    smallcells.set_least(5)
    yield
    smallcells.set_least(0)


def reviews(key, counts, sampled="random"):
    return pl.DataFrame(
        {
            key: [name for name, _, _ in counts], "sampled": sampled,
            "reviews": [n for _, n, _ in counts], "reviews_failed": [x for _, _, x in counts],
            "items_marked": [n for _, n, _ in counts], "items_failed": [x for _, _, x in counts],
        }
    )  # fmt: skip


def title(fig):
    return fig.layout.title.text.replace("<br>", " ")


def test_one_group_is_no_range():
    fig = charts.error_rates(quality.error_rates(reviews("team", [("red", 100, 12)])))
    assert title(fig).startswith("12.0% of what reviewers looked at was wrong")


def test_samples_stand_beside_each_other(five):
    rows = [("red", 100, 12), ("blue", 80, 4), ("few", 3, 1), ("green", 20, 1)]
    frame = pl.concat([reviews("team", rows), reviews("team", [("red", 40, 10)], "targeted")])
    found = quality.error_rates(frame)
    fig = charts.error_rates(found)
    drawn = {trace.name: dict(zip(trace.y, trace.x, strict=True)) for trace in fig.data}
    assert drawn["Chosen at random"]["red"] == pytest.approx(0.12)
    assert drawn["Chosen for a reason"] == {"red": pytest.approx(0.25)}
    # A team of three reviews is not shown, nor one more that a total would give away.
    assert set(drawn["Chosen at random"]) == {"red", "blue"}
    assert fig.layout.title.text.replace("<br>", " ").startswith("Errors go from 5.0% (blue)")
    with pytest.raises(DataError, match="by nothing"):
        charts.error_rates(quality.error_rates(frame, by=[]))
    agents = quality.error_rates(reviews("agent", [("a1", 90, 9), ("a2", 90, 1)]))
    assert "a1" not in charts.error_rates(agents).layout.title.text  # nobody is pilloried


def test_a_plan_and_an_agreement():
    plan = quality.sampling_plan(80, 2)
    fig = charts.passing(plan)
    assert np.asarray(fig.data[0].y) == pytest.approx(plan.curve["passes"].to_numpy())
    pairs = pl.DataFrame(
        {"item": ["a"] * 4, "passed": [True, True, False, False],
         "other_passed": [True, False, True, False], "pairs": [20, 5, 10, 15]}
    )  # fmt: skip
    fig = charts.reviewers_agree(quality.agreement(pairs))
    assert list(fig.data[0].x) == [pytest.approx(0.4)]
    assert "kappa of 0.40" in fig.layout.title.text


def test_tickets():
    rows = pl.DataFrame(
        {"service": ["<b>x</b>", "y"], "state": "closed", "reopened": False, "hours": [10, 30],
         "tickets": [70, 30]}
    )  # fmt: skip
    found = quality.tickets(rows)
    curve = charts.tickets_closed(found).data[-1]
    assert dict(zip(curve.x, curve.y, strict=True))[10] == pytest.approx(0.7)
    bars = charts.tickets_pareto(found).data[0]
    assert list(bars.y) == ["y", "&lt;b&gt;x&lt;/b&gt;"]
    assert list(bars.text) == ["100%", "70%"]
    assert "2 groups of 2 make 100% of the tickets" in title(charts.tickets_pareto(found))
    alone = quality.tickets(rows.head(1))
    assert "1 group of 1 makes 100% of the tickets" in title(charts.tickets_pareto(alone))
    weeks = pl.DataFrame(
        {
            "local_start": [dt.datetime(2024, 1, 1) + dt.timedelta(days=7 * k) for k in range(21)],
            "interval_s": 604_800, "tickets": [20, 24, 18, 22] * 5 + [90], "answered": 1000,
        }
    )  # fmt: skip
    chart = quality.complaint_chart(weeks, baseline=20)
    fig = charts.complaints(chart)
    assert list(fig.data[-1].y) == [90]
    assert fig.data[-1].name == "Signal"


def test_satisfaction_and_the_silent(five):
    rows = pl.DataFrame(
        {"tier": ["gold", "gold", "base", "base", "few"], "score": [5.0, None, 2.0, None, None],
         "surveys": [30, 20, 20, 80, 2]}
    )  # fmt: skip
    found = quality.satisfaction(rows)
    fig = charts.satisfaction(found)
    assert {trace.y[0]: trace.x[0] for trace in fig.data}["Of those who answered"] == 0.6
    dots = charts.who_is_silent(found).data[0]
    shown = dict(zip(dots.y, dots.x, strict=True))
    assert "tier: few" not in shown
    # Nor the one that a total would give away with it.
    assert len(shown) == 1
    with pytest.raises(DataError, match="nothing is known"):
        charts.who_is_silent(found, features=("wait",))


def test_contacts_speed_and_a_page():
    names = [f"a{i}" for i in range(8)]
    contacts = pl.DataFrame(
        {"agent": names, "window_days": 7, "first_contacts": 100, "again": range(8),
         "transferred": 5, "transferred_again": 1, "unwatched": 0, "unknown_customers": 0}
    )  # fmt: skip
    fig = charts.resolution(quality.first_contact_resolution(contacts))
    assert list(fig.data[0].x) == sorted(fig.data[0].x)
    assert fig.data[0].x[-1] == 1
    calls = pl.DataFrame(
        {"agent": names, "answered": 500, "handled": 500,
         "handle_s": np.linspace(40_000.0, 60_000, 8), "expected_s": 50_000.0,
         "off_ss": 500 * 60.0**2, "transferred": 20}
    )  # fmt: skip
    seen = reviews("agent", [(name, 200, 40 - 4 * i) for i, name in enumerate(names)])
    found = quality.frontier(calls, seen)
    others, best = charts.speed_and_quality(found).data
    assert len(others.x) + len(best.x) == 8
    assert list(best.text) == found.frame.filter("efficient")["agent"].to_list()
    page = quality.agent_file("a0", calls, reviews=seen, contacts=contacts)
    agent, centre = charts.agent_page(page).data
    assert list(agent.y) == list(centre.y)
    place = list(agent.y).index("Items wrong, calls chosen at random")
    assert (agent.x[place], centre.x[place]) == pytest.approx((0.2, 0.13))
    hidden = quality.agent_file("a0", calls, least=10_000)
    with pytest.raises(DataError, match="too few"):
        charts.agent_page(hidden)
