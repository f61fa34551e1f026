"""Lists, texts and strangers where lines, sites, tiers and clients want something else."""

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, queueing, staffing
from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics import concern_gaps

GOAL = ServiceLevel(0.80, within=20)
MEANS = pl.DataFrame(
    {"concern": ["a"], "perceived": [3.0], "expected": [4.0], "perceived_sd": [1.0],
     "expected_sd": [1.0], "n": [50.0]}
)  # fmt: skip
MARCH = pl.datetime_range(datetime(2025, 3, 1), datetime(2025, 3, 31), "1d", eager=True)
DAYS = pl.DataFrame(
    {"interval_start": MARCH.dt.replace_time_zone("UTC"), "local_start": MARCH,
     "arrived": [10] * 31}
)  # fmt: skip


def demand(key=None):
    rows = {
        "interval_start": [datetime(2025, 3, 3, 9, tzinfo=UTC)] * (2 if key else 1),
        "interval_s": [3600] * (2 if key else 1),
        "calls": [100.0, 200.0][: 2 if key else 1],
        "aht_s": [180.0] * (2 if key else 1),
    }
    return pl.DataFrame({**rows, **({key: ["a", "b"]} if key else {})})


@pytest.mark.parametrize("name", ["menu", "to_agent", "patience"])
@pytest.mark.parametrize("value", [[], [1, 2], np.array([0.5, 0.7]), "10", pl.Series([1])])
def test_menu_share_and_patience_are_one_number_for_all(name, value):
    with pytest.raises(InputError, match=name):
        staffing.busy_signal(60, 3600, 180, GOAL, agents=4, **{"menu": 10, name: value})
    with pytest.raises(InputError, match=name):
        staffing.trunks(demand(), GOAL, **{name: value})


def test_an_array_of_the_caller_is_left_as_it_was():
    menu = np.array([1.0, 2.0])
    with pytest.raises(InputError):
        staffing.trunks(demand(), GOAL, menu=menu, agents=20)
    assert menu.tolist() == [1.0, 2.0]


def grow(**changed):
    asked = {"first": date(2025, 7, 1), "subscribers": 1000.0, "contact_rate": 0.8, **changed}
    return staffing.trunk_growth(2, GOAL, demand(), **asked)


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda: staffing.trunks(demand(), GOAL, measured=5), "measured"),
        (lambda: grow(seasons=1.5), "seasons"),
        (lambda: staffing.site_plans(demand("site"), GOAL, site={}), "column of names"),
        (lambda: staffing.merge_order(demand("site"), GOAL, site=["site"]), "column of names"),
        (lambda: staffing.merge_order(demand("site"), GOAL, groups={"a": ["x"]}), "one name"),
        (lambda: staffing.merge_order(demand("site"), GOAL, way=np.array([1, 2])), "way"),
        (lambda: staffing.site_overflow(demand("site"), GOAL, agents=5), "agents=5"),
        (lambda: staffing.shared_out(None, "site"), "NoneType"),
        (lambda: staffing.shared_out(demand("site").drop("calls"), "site"), "'calls'"),
        (lambda: staffing.shared_out(demand("site"), ["site"]), "key"),
        (lambda: staffing.tier_rules(demand("tier"), 20, [], {"a": 30}), "ServiceLevel"),
        (lambda: staffing.tier_rules(demand("tier"), 20, GOAL, {"a": "x"}), "head_start"),
        (lambda: staffing.tier_rules(demand("tier"), 20, GOAL, {"a": -5}), "head start"),
        (lambda: staffing.tier_rules(GOAL, 20, GOAL, {"a": 5}), "tier"),
        (
            lambda: staffing.tier_rules(demand("tier"), 20, GOAL, {"a": 5}, patience=GOAL),
            "patience",
        ),
        (lambda: staffing.tier_promise([1, 2], 1800, 180, GOAL, agents=[]), "agents"),
        (lambda: staffing.Contract(client="a", goal=GOAL, window=np.array([1, 2])), "window"),
        (
            lambda: staffing.overflow_plan({"n": (2, 3)}, method=np.array([1, 2])),
            "method",
        ),
        (lambda: queueing.servers_for_overflow(1e300, 2, 0.01), "mean"),
        (lambda: staffing.groups_measured(None, None), "busy_hours"),
        (lambda: staffing.contact_pattern(DAYS, 5), "subscribers"),
        (lambda: concern_gaps(MEANS, seed=-1), "seed"),
        (lambda: concern_gaps(MEANS, seed="1"), "seed"),
    ],
)
def test_what_is_no_such_thing_is_named(ask, named):
    with pytest.raises(InputError, match=named):
        ask()


def test_no_number_of_ratings_is_too_few():
    with pytest.raises(DataError, match="ratings"):
        concern_gaps(MEANS.with_columns(n=float("nan")))


def test_what_stays_is_not_said_to_go():
    told = grow(growth=0.0, menu=30).summary()
    assert "lines stay at" in told
    assert "seats stay at" in told
    assert "subscribers go from" in told


def test_no_agent_saved_is_said_in_words():
    found = staffing.tier_promise({"gold": 99, "plain": 1}, 1800, 180, GOAL)
    assert found.agents_alike == found.agents_first
    assert "no agent fewer" in found.summary()


def test_no_case_at_all_has_a_summary():
    nothing = queueing.MenuQueue([], 60, menu=60, to_agent=0.7, aht=180).performance(5, 10)
    assert nothing.summary().startswith("No case was asked for.")
