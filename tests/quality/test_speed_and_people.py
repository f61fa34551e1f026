"""First contacts, speed against quality, what a settled matter costs, and one agent's file."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from ccanalytics import quality
from ccanalytics.errors import DataError, InputError


def contacts(n, again, **more):
    rows = {
        "window_days": [7], "first_contacts": [n], "again": [again], "transferred": [n // 10],
        "transferred_again": [again // 10], "unwatched": [3], "unknown_customers": [4],
    }  # fmt: skip
    return pl.DataFrame(rows).with_columns(**more)


def test_first_contact_resolution_has_wilson_limits_and_names_what_is_left_out():
    found = quality.first_contact_resolution(contacts(100, 10, service=pl.lit("s")))
    assert found.within().value == pytest.approx(0.9)
    assert 100 * found.within().low == pytest.approx(82.56, abs=0.01)  # 100 − 17.44
    assert found.groups["transferred_resolution"][0] == pytest.approx(0.9)
    told = {c.name: c.detail for c in found.checks}
    assert told["unwatched"].startswith("3 answered calls")
    assert told["unknown customers"].startswith("4 answered calls")
    # A longer window that nobody can be followed to the end of is left out of the words.
    both = pl.concat([contacts(100, 10), contacts(0, 0, window_days=pl.lit(30, pl.Int64))])
    assert "30 days" not in quality.first_contact_resolution(both).summary()
    with pytest.raises(InputError, match="this window"):
        quality.first_contact_resolution(contacts(9, 1), window_days=3)
    with pytest.raises(InputError, match="no such window"):
        found.within(30)
    with pytest.raises(DataError, match="no first contact"):
        quality.first_contact_resolution(contacts(0, 0))


def people(pace, wrong, calls=2000, reviews=60, seed=1):
    """Calls and reviews of agents with a true pace and a true share of errors."""
    rng = np.random.default_rng(seed)
    names = [f"a{i:03d}" for i in range(len(pace))]
    expected = np.full(len(pace), 150.0 * calls)
    time = expected * pace + rng.normal(0, 120 * np.sqrt(calls), len(pace))
    done = pl.DataFrame(
        {
            "agent": names, "answered": calls, "handled": calls, "handle_s": time,
            "expected_s": expected, "off_ss": 120.0**2 * calls, "transferred": calls // 20,
        }
    )  # fmt: skip
    failed = rng.binomial(reviews, wrong)
    seen = pl.DataFrame(
        {
            "agent": names, "sampled": "random", "reviews": reviews, "reviews_failed": failed,
            "items_marked": reviews, "items_failed": failed,
        }
    )  # fmt: skip
    return done, seen


def test_speed_that_costs_quality_is_seen_and_where_it_does_not_is_not():
    pace = np.linspace(0.8, 1.25, 60)
    costly = people(pace, 0.4 - 0.28 * pace, reviews=300)
    found = quality.frontier(*costly)
    assert found.correlation.high < 0
    assert found.headline().startswith("Faster agents make more errors")
    free = people(pace, np.full(60, 0.1), reviews=300)
    found = quality.frontier(*free)
    assert not found.correlation.excludes_zero or found.reliability < 0.2


def test_shrinking_keeps_chance_out_and_the_frontier_is_that_of_no_better():
    pace = np.array([0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 0.9, 1.1])
    wrong = np.array([0.3, 0.2, 0.1, 0.05, 0.2, 0.3, 0.3, 0.3])
    found = quality.frontier(*people(pace, wrong, calls=10**6, reviews=10**5))
    efficient = found.frame.filter("efficient")["agent"].to_list()
    assert efficient == ["a000", "a001", "a002", "a003"]
    assert found.reliability > 0.99
    few = quality.frontier(*people(pace, np.full(8, 0.1), reviews=20))
    drawn, raw = few.frame["item_error_shrunk"], few.frame["item_error"]
    assert drawn.std() <= 0.5 * raw.std()
    # One review each: they cannot be told apart at all.
    one = quality.frontier(*people(pace, np.full(8, 0.1), reviews=1, seed=4))
    assert "cannot tell agents apart" in one.headline()
    assert any(c.name == "spread of errors" and c.status == "fails" for c in one.checks)


def test_figures_of_a_model_take_the_place_of_the_ratio():
    pace = np.linspace(0.8, 1.2, 8)
    done, seen = people(pace, np.full(8, 0.1))
    model = pl.DataFrame(
        {"agent": done["agent"], "relative_aht": 1.0 + pace, "relative_aht_sd": 0.01}
    )
    found = quality.frontier(done, seen, relative=model)
    assert found.frame["relative_aht"].to_list() == pytest.approx((1 + pace).tolist())
    with pytest.raises(InputError, match="lacks some"):
        quality.frontier(done, seen, relative=model.head(3))
    with pytest.raises(DataError, match="too few agents"):
        quality.frontier(done.head(5), seen)


def test_keys_and_numbers_of_another_type_are_refused_in_words():
    done, seen = people(np.linspace(0.8, 1.2, 8), np.full(8, 0.1))
    nobody = done.with_columns(agent=pl.lit(None))
    with pytest.raises(DataError, match="too few agents"):
        quality.frontier(nobody, seen)
    with pytest.raises(InputError, match="different types"):
        quality.frontier(done, seen.with_columns(agent=pl.int_range(8)))
    unknown = done.with_columns(over_a_day=pl.lit(None))
    assert "longer than a day" not in {c.name for c in quality.frontier(unknown, seen).checks}
    for odd in ("x", -1, float("nan")):
        with pytest.raises(InputError, match="over_a_day"):
            quality.frontier(done.with_columns(over_a_day=pl.lit(odd)), seen)
    first = contacts(500, 50, team=pl.lit("x"))
    costs = done.rename({"agent": "team"})
    with pytest.raises(DataError, match="no team has both"):
        quality.resolution_cost(costs.with_columns(team=pl.lit(None)), first, cost_per_hour=1)
    with pytest.raises(InputError, match="different types"):
        quality.resolution_cost(costs.with_columns(team=pl.lit(7)), first, cost_per_hour=1)
    with pytest.raises(InputError, match="'handle_s' must hold numbers"):
        quality.agent_file("a001", done.with_columns(pl.col("handle_s").cast(pl.String)))
    surveys = pl.DataFrame({"agent": ["a001"], "score": ["5"], "surveys": [3]})
    with pytest.raises(InputError, match="'score' must hold numbers"):
        quality.agent_file("a001", done, surveys=surveys)


def test_a_settled_matter_costs_its_repetitions():
    """30 an hour, 144 s, 0.8 on calls, 0.9 settled: 30·144/3600/0.8/0.9 = 1.667."""
    done = pl.DataFrame(
        {"team": ["x", "second line"], "handled": [1000, 10], "handle_s": [144_000.0, 36_000.0],
         "off_ss": [1000 * 90.0**2, 0.0]}
    )  # fmt: skip
    first = contacts(500, 50, team=pl.lit("x"))
    found = quality.resolution_cost(done, first, cost_per_hour=30, productive=0.8)
    row = found.frame.row(0, named=True)
    assert row["cost_per_resolution"] == pytest.approx(1.6667, abs=1e-4)
    spread = np.sqrt((90 / 144) ** 2 / 1000 + 0.1 / 0.9 / 500)
    assert row["cost_per_resolution_high"] == pytest.approx(
        1.66667 * np.exp(1.95996 * spread), rel=1e-5
    )
    assert found.checks[0].detail == (
        "1 team without timed calls, or without a first contact that settled anything; "
        "20.0% of handle time is theirs and in no cost"
    )
    with pytest.raises(InputError, match="above 0"):
        quality.resolution_cost(done, first, cost_per_hour=0)
    with pytest.raises(InputError, match="1 at most"):
        quality.resolution_cost(done, first, cost_per_hour=1, productive=70)
    with pytest.raises(DataError, match="no team"):
        quality.resolution_cost(done, first, cost_per_hour=1, window_days=3)


def test_an_agents_file_holds_what_is_known_and_hides_what_rests_on_few():
    done, seen = people(np.array([1.3, 1.0, 0.7]), np.array([0.1, 0.1, 0.1]), reviews=40)
    few = seen.with_columns(
        sampled=pl.lit("targeted"), reviews=pl.lit(3), items_marked=pl.lit(3),
        items_failed=pl.lit(2), reviews_failed=pl.lit(2),
    )  # fmt: skip
    said = pl.DataFrame(
        {"agent": ["a000", "a000", "a001"], "score": [5.0, None, 4.0], "surveys": [4, 30, 50]}
    )
    courses = pl.DataFrame(
        {"agent": ["a000", "a001"], "course": ["listening", "else"], "hours": [2.0, 3.0],
         "on": [dt.date(2024, 5, 1)] * 2}
    )  # fmt: skip
    frames = {
        "reviews": pl.concat([seen, few.select(seen.columns).cast(dict(seen.schema))]),
        "surveys": said,
        "trainings": courses,
        "contacts": contacts(200, 20, agent=pl.lit("a000")),
        "tickets": pl.DataFrame(
            {"agent": ["a000"], "state": ["closed"], "reopened": [True], "tickets": [9]}
        ),
    }
    page = quality.agent_file("a000", done, least=5, **frames)
    lines = {row["measure"]: row for row in page.lines.iter_rows(named=True)}
    ratio = lines["handle time relative to such calls"]
    assert ratio["differs"]
    assert ratio["low"] > 1
    assert not lines["average handle time"]["differs"]
    assert lines["items wrong, calls chosen for a reason"]["value"] is None
    assert lines["satisfied, of those who answered"]["value"] is None
    assert lines["satisfied, of those who answered"]["basis"] is None
    assert lines["tickets opened again"]["value"] == 1
    assert page.hidden == 2
    assert page.trainings["course"].to_list() == ["listening"]
    assert "above the centre's 1.00" in page.headline()
    assert "2 figures are not shown, being of too few" in page.summary()
    assert quality.agent_file("a000", done, least=0, **frames).hidden == 0
    assert quality.agent_file(None, done).agent == "a000"  # the first of those with most calls
    with pytest.raises(InputError, match="no such agent"):
        quality.agent_file("nobody", done)
    with pytest.raises(DataError, match="no agent"):
        quality.agent_file(None, done.head(0))
