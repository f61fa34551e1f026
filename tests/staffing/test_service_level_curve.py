"""The curve of service level against agents."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, staffing
from ccanalytics.errors import InputError

GOAL = ServiceLevel(0.80, within=20)


def test_the_published_table_of_erlang_c():
    # 100 calls in 30 minutes of 180 s: agents, P(wait), service level, ASA.
    table = {
        11: (0.68212, 0.38961, 122.781),
        12: (0.44939, 0.64016, 40.445),
        13: (0.28527, 0.79559, 17.116),
        14: (0.17413193359505, 0.88835001917947, 7.83593701177725),
        15: (0.10204, 0.94145, 3.674),
        16: (0.05734, 0.97056, 1.720),
    }
    curve = staffing.service_level_curve(100, 1800, 180, GOAL, agents=table)
    assert curve.required == {"Erlang C": 14}
    for row in curve.points.to_dicts():
        wait, level, asa = table[row["agents"]]
        assert row["wait_probability"] == pytest.approx(wait, abs=5e-6)
        assert row["service_level"] == pytest.approx(level, abs=5e-6)
        assert row["asa"] == pytest.approx(asa, abs=5e-4)
        assert row["met"] == (row["agents"] >= 14)


def test_up_to_the_load_waits_grow_without_end():
    points = staffing.service_level_curve(100, 1800, 180, GOAL, agents=[5, 10]).points
    low = points.filter(pl.col("agents") <= 10)
    assert np.isinf(low["asa"].to_numpy()).all()
    assert (low["service_level"] == 0).all()


def test_patience_adds_a_model_that_needs_no_more_agents():
    curve = staffing.service_level_curve(1000, 3600, 300, GOAL, patience=180)
    assert curve.required == {"Erlang C": 91, "Erlang A": 84}
    by = {m: curve.points.filter(pl.col("model") == m) for m in curve.required}
    assert by["Erlang A"]["agents"].to_list() == by["Erlang C"]["agents"].to_list()
    assert (by["Erlang A"]["asa"] <= by["Erlang C"]["asa"]).all()
    assert (by["Erlang C"]["abandonment"] == 0).all()
    at = by["Erlang A"].filter(pl.col("agents").is_in([83, 84]))["service_level"].to_list()
    assert at == [pytest.approx(0.77303, abs=5e-6), pytest.approx(0.80067, abs=5e-6)]


def test_the_curve_rises_and_has_the_requirement_inside():
    points = staffing.service_level_curve(37.5, 900, 210, GOAL).points
    level = points["service_level"].to_numpy()
    assert (np.diff(level) >= 0).all()
    assert level[0] < GOAL.share < level[-1]
    assert points["agents"].to_list() == list(range(points["agents"][0], points["agents"][-1] + 1))


def test_a_tiny_load_has_a_curve_from_one_agent():
    curve = staffing.service_level_curve(0.1, 3600, 60, GOAL)
    assert curve.points["agents"][0] == 1
    assert curve.required == {"Erlang C": 1}
    assert "1 agents" not in curve.summary()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"calls": 0}, "calls=0"),
        ({"aht": float("nan")}, "aht=nan"),
        ({"per": True}, "per=True"),
        ({"agents": [1.5]}, "whole"),
        ({"agents": [0, 3]}, "from 1"),
        ({"patience": 0}, "patience"),
    ],
)
def test_bad_numbers_are_named(arguments, words):
    good = {"calls": 100, "per": 1800, "aht": 180, "goal": GOAL}
    with pytest.raises(InputError) as refused:
        staffing.service_level_curve(**(good | arguments))
    assert words in str(refused.value)
