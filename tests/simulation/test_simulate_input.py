"""What cannot be simulated is refused by name: argument, row, value, remedy."""

import numpy as np
import polars as pl
import pytest
import scipy.stats as st

from ccanalytics.errors import CcanalyticsError, InputError
from ccanalytics.simulation import Menu, MixedPoisson, Replay, Retry, simulate


def two(demand):
    return pl.concat([demand([50, 60], 200, queue="a"), demand([40, 30], 200, queue="b")])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"agents": -1}, "agents, row 0"),
        ({"agents": [14]}, "row 1: 2025-03-03 09:30"),
        ({"agents": [14, 14, 14]}, "3 intervals"),
        ({"agents": [14, 13.5]}, "row 1"),
        ({"agents": [14, float("nan")]}, "row 1"),
        ({"agents": "many"}, "agents="),
        ({"agents": {}}, "agents"),
        ({"patience": 0}, "patience=0"),
        ({"patience": -5}, "patience=-5"),
        ({"patience": float("nan")}, "patience"),
        ({"patience": True}, "patience=True"),
        ({"patience": [5, -1]}, r"patience\[1\]"),
        ({"patience": []}, "patience"),
        ({"patience": st.norm(0, 1)}, "negative"),
        ({"patience": st.lognorm}, "freeze"),
        ({"handle_time": 200}, "aht_s"),
        ({"handle_time": st.cauchy()}, "mean"),
        ({"handle_time": st.pareto(0.5)}, "mean"),
        ({"handle_time": [0, 0]}, "handle_time"),
        ({"lines": 0}, "lines=0"),
        ({"lines": 2.5}, "lines=2.5"),
        ({"redial": 0.5}, "Retry"),
        ({"menu": 60}, "Menu"),
        ({"skills": {"agents": ["calls", "fax"]}}, "fax"),
        ({"skills": {"other": ["calls"]}}, "other"),
        ({"routing": {"fax": ["agents"]}}, "fax"),
        ({"priority": {"fax": 1}}, "fax"),
        ({"priority": {"calls": 0.5}}, "whole"),
        ({"head_start": {"calls": -1}}, "head_start"),
        ({"when_staff_falls": "vanish"}, "finish or rejoin"),
        ({"closing": "never"}, "serve or leave"),
        ({"warmup_s": -1}, "warmup_s"),
        ({"warmup_s": float("inf")}, "warmup_s"),
        ({"replications": 0}, "replications=0"),
        ({"replications": 1.5}, "replications"),
        ({"seed": -1}, "seed=-1"),
        ({"level": 95}, "level=95"),
        ({"goals": 0.8}, "ServiceLevel"),
        ({"arrivals": "poisson"}, "MixedPoisson"),
        ({"arrivals": MixedPoisson()}, "cv"),
    ],
)
def test_an_argument_is_named(demand, change, words):
    given = {"agents": 14, "replications": 2, **change}
    with pytest.raises(InputError, match=words):
        simulate(demand([100, 120], 180), **given)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Retry(1.5, 60), "share=1.5"),
        (lambda: Retry(0.5, None), "delay"),
        (lambda: Retry(0.5, -3), "after"),
        (lambda: Menu(60, leaves=30), "leaves=30"),
        (lambda: Menu(None), "time"),
        (lambda: MixedPoisson(cv=-0.1), "cv"),
        (lambda: MixedPoisson(cv=0.1, within_day=2), "within_day"),
        (lambda: Replay(pl.DataFrame({"at": [1]})), "arrived_at"),
        (lambda: Replay([1, 2]), "frame"),
    ],
)
def test_a_part_is_named(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_rows_of_the_demand_are_named(demand):
    frame = demand([100, 120, 90], 180)
    cases = {
        "gap before this interval": frame.filter(pl.Series([True, False, True])),
        "overlaps": frame.with_columns(interval_s=pl.lit(2400.0)),
        "row 1": frame.with_columns(calls=pl.Series([1.0, -1.0, 2.0])),
        "aht_s": frame.with_columns(aht_s=pl.Series([180.0, None, 180.0])),
    }
    for words, wrong in cases.items():
        with pytest.raises(CcanalyticsError, match=words):
            simulate(wrong, 14, replications=2)


def test_types_need_the_same_intervals_and_a_skilled_group(demand):
    frame = two(demand)
    with pytest.raises(InputError, match="same intervals"):
        simulate(frame[:-1], 14, replications=2)
    with pytest.raises(InputError, match="'b', first in row 0"):
        simulate(frame, {"A": 10}, skills={"A": ["a"]}, replications=2)
    with pytest.raises(InputError, match="without the skill"):
        simulate(
            frame,
            {"A": 10, "B": 10},
            skills={"A": ["a", "b"], "B": ["b"]},
            routing={"a": ["B"]},
            replications=2,
        )
    with pytest.raises(InputError, match="'b' is missing"):
        simulate(frame, 14, patience={"a": 60}, replications=2)
    with pytest.raises(InputError, match="no such type"):
        simulate(frame, 14, patience={"a": 60, "b": 60, "c": 60}, replications=2)


def test_a_night_without_calls_and_agents(demand):
    found = simulate(demand([0, 0], [0, 0]), 0, patience=60, replications=3)
    assert found.overall["arrived"][0] == 0
    assert found.overall["abandonment"][0] is None
    nobody = simulate(demand([40, 40], 180), 0, patience=60, replications=3)
    assert nobody.abandonment.value == 1
    waits = simulate(demand([40, 40], 180), 0, replications=3)
    assert waits.overall["unserved"][0] == waits.overall["arrived"][0] > 0


@pytest.mark.parametrize("closing", ["serve", "leave"])
def test_every_attempt_ends_in_one_way(demand, closing):
    found = simulate(
        two(demand),
        {"A": [8, 0], "B": [3, 3]},
        skills={"A": ["a"], "B": ["b", "a"]},
        patience=st.lognorm(s=1, scale=100),
        handle_time=st.gamma(2),
        menu=Menu(30, leaves=0.1),
        lines=40,
        redial=Retry(0.9, after=30),
        redial_blocked=Retry(1.0, after=20),
        reconnect=Retry(0.2, after=600),
        closing=closing,
        replications=5,
    )
    row = found.overall.row(0, named=True)
    ends = ("blocked", "left_menu", "answered", "abandoned", "unserved")
    assert row["arrived"] == pytest.approx(sum(row[name] for name in ends))
    spent = found.intervals["queue_length"].to_numpy() * found.intervals["interval_s"].to_numpy()
    assert np.isfinite(spent).all()


def test_markup_in_names_stays_text(demand):
    frame = two(demand).with_columns(pl.lit("<b>&").alias("queue") + pl.col("queue"))
    found = simulate(frame, 20, patience={"<b>&a": 60, "<b>&b": 90}, replications=2)
    assert "<b>&a" not in found._repr_html_()
