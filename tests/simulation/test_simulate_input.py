"""What cannot be simulated is refused by name: argument, row, value, remedy."""

import math
import re
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
import scipy.stats as st

from ccanalytics import ServiceLevel
from ccanalytics.errors import CcanalyticsError, DataError, InputError
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
        ({"patience": [5, -1]}, "patience, row 1"),
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
        ({"warmup_s": 1e300}, "warmup_s=1e"),
        ({"replications": 0}, "replications=0"),
        ({"replications": 1.5}, "replications"),
        ({"seed": -1}, "seed=-1"),
        ({"level": 95}, "level=95"),
        ({"goals": 0.8}, "ServiceLevel"),
        ({"arrivals": "poisson"}, "MixedPoisson"),
        ({"arrivals": MixedPoisson()}, "cv"),
        # texts, truth values and durations are no numbers
        ({"agents": "14"}, "agents='14'"),
        ({"agents": True}, "agents=True"),
        ({"agents": ["14", "15"]}, "agents="),
        ({"agents": [True, False]}, "agents="),
        ({"agents": None}, "agents=None"),
        ({"agents": {1: 14, "1": 3}}, "names of their own"),
        ({"patience": ["100"]}, "patience"),
        ({"patience": [True, False]}, "patience"),
        ({"patience": np.array([100, 200], "m8[s]")}, "durations as seconds"),
        ({"patience": pl.Series([timedelta(seconds=100)])}, "durations as seconds"),
        ({"patience": pl.DataFrame({"seconds": ["1", "2"]})}, "column 'seconds'"),
        ({"patience": pl.DataFrame({"secs": [1.0]})}, "column of seconds"),
        ({"patience": pl.DataFrame({"seconds": [1.0, 2], "calls": [1.0, math.inf]})}, "row 1: inf"),
        ({"skills": {"agents": 5}}, "list of names"),
        ({"skills": {"agents": None}}, "list of names"),
        ({"routing": {"calls": 3}}, "list of names"),
        ({"routing": {"calls": []}}, "a route needs a group"),
        ({"priority": {"calls": 1e300}}, "thousand million"),
        ({"head_start": {"calls": 1e300}}, "thousand million"),
        ({"records": "yes"}, "records='yes'"),
        ({"progress": "bar"}, "progress='bar'"),
        ({"arrivals": pl.DataFrame({"arrived_at": [1]})}, r"\(DataFrame\)"),
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
        (lambda: Retry(0.5, math.inf), "needs a delay"),
        (lambda: Retry(1.0, [0.0, 0.0]), "a millisecond or more"),
        (lambda: Retry(1.0, 1e-300), "a millisecond or more"),
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


def test_a_frame_of_agents_is_of_the_demands_own_intervals(demand):
    """A finer one is not cut to the starts that fit; the rows of another day may stand in it."""
    frame = demand([100, 120], 180)
    quarters = demand([0] * 4, 180, interval_s=900.0)
    finer = quarters.select("interval_start", agents=pl.Series([10, 20, 30, 40]))
    with pytest.raises(InputError, match="within an interval of the demand"):
        simulate(frame, finer, replications=2)
    longer = demand([0] * 9, 180).select("interval_start", agents=pl.lit(14))
    assert simulate(frame, longer, replications=2).intervals["agents"].to_list() == [14, 14]
    good = frame.select("interval_start", agents=pl.lit(14))
    for wrong, words in (
        (good.cast({"agents": pl.String}), "column 'agents' is String"),
        (good.with_columns(agents=pl.lit(value=True)), "column 'agents' is Boolean"),
        (good.lazy(), "LazyFrame"),
        (good.with_columns(agents=pl.lit(None)), "row 0"),
        (
            pl.concat([good.with_columns(queue=pl.lit(q)) for q in "ab"]),
            "name their column 'group'",
        ),
    ):
        with pytest.raises(InputError, match=words):
            simulate(frame, wrong, replications=2)


def test_types_need_intervals_of_the_same_length(demand):
    """The same starts are not enough: the last interval of one type was taken for the other's."""
    frame = two(demand)
    short = pl.when((pl.col("queue") == "b") & (pl.col("calls") == 30)).then(900.0)
    with pytest.raises(InputError, match=r"b, row 1: .*900 s"):
        simulate(frame.with_columns(interval_s=short.otherwise(1800.0)), 14, replications=2)
    rounded = pl.when(pl.col("queue") == "b").then(1800 * (1 + 1e-15)).otherwise(1800.0)
    assert simulate(frame.with_columns(interval_s=rounded), 14, replications=2).types.height == 2


def test_a_key_with_the_name_of_a_result_is_refused(demand):
    """Every column that stands beside the keys, and no other."""
    found = simulate(
        two(demand), 14, goals=[ServiceLevel(0.8, 20)] * 2, replications=2, records=True
    )
    columns = [*found.types.columns, *found.calls(extra=True).columns]
    measures = ("aht_s",)  # a column of the demand itself
    for name in dict.fromkeys(columns):
        if name == "queue" or name in measures:
            continue
        with pytest.raises(InputError, match=re.escape(repr(name))):
            simulate(two(demand).rename({"queue": name}), 14, replications=2)
    assert simulate(two(demand).rename({"queue": "group"}), 14, replications=2).types.height == 2


def test_uncertain_rates_of_any_size(demand):
    """A tiny coefficient of variation is none; one beyond all reason names its row."""
    frame = demand([100, 120], 180)
    plain = simulate(frame, 14, replications=3)
    tiny = simulate(frame, 14, replications=3, arrivals=MixedPoisson(cv=1e-200))
    assert tiny.intervals.equals(plain.intervals)
    with pytest.raises(InputError, match=r"row 1, 2025-03-03 09:30.*cv=20"):
        simulate(
            frame.with_columns(cv=pl.Series([0.1, 20.0])),
            14,
            replications=2,
            arrivals=MixedPoisson(),
        )


def test_days_are_those_of_the_zone_in_which_the_demand_came(demand):
    """Midnight in Shanghai is 16:00 UTC: one factor before it, another after."""
    frame = demand([2000] * 14, 1).with_columns(
        pl.col("interval_start").dt.convert_time_zone("Asia/Shanghai")
    )
    how = {"arrivals": MixedPoisson(cv=1.0), "replications": 1}
    for given in (frame, frame.to_pandas()):
        calls = simulate(given, 5, **how).intervals["arrived"]
        # 9:00 to 16:00 UTC are 14 intervals of one day; five hours more belong to the next.
        assert calls.std() / calls.mean() < 0.1
    later = frame.with_columns(pl.col("interval_start") + pl.duration(hours=3, minutes=30))
    calls = simulate(later, 5, **how).intervals["arrived"]
    assert abs(calls[:7].mean() / calls[7:].mean() - 1) > 0.2
    assert calls[:7].std() / calls[:7].mean() < 0.1


def test_calls_that_cannot_be_replayed_are_counted(demand):
    frame = two(demand)
    start = frame["interval_start"][0]
    log = pl.DataFrame(
        {
            "arrived_at": [start + timedelta(minutes=m) for m in (1, 2, 3, -5)] + [None],
            "queue": ["a", "b", "fax", "a", "a"],
        }
    )
    found = simulate(frame, 5, arrivals=Replay(log), replications=2)
    assert found.overall["arrived"][0] == 2
    assert any("3 calls" in check.detail for check in found.checks)
    with pytest.raises(InputError, match="another kind"):
        simulate(frame, 5, arrivals=Replay(log.with_columns(queue=1)), replications=2)


def test_where_nobody_calls_or_nobody_answers_there_is_still_an_answer(demand):
    goal = ServiceLevel(0.8, within=20)
    silent = simulate(demand([0, 0], 180), 14, goals=goal, replications=2)
    assert silent.summary().startswith("No call came.")
    empty = simulate(demand([10, 10], 180), 0, replications=2)
    assert "none is answered" in empty.summary()
    with pytest.raises(DataError, match="asa_s"):
        empty.estimate("asa_s")
    once = simulate(demand([100, 100], 180), 14, goals=goal, replications=1)
    assert "nan" not in once.summary()
    assert "None" not in once.summary()
    few = simulate(demand(30, 180), 4, replications=3, patience=60)
    limits = few.overall.select(pl.selectors.ends_with("_low"))
    assert min(value for value in limits.row(0) if value is not None) >= 0


def test_a_type_without_a_shape_of_its_own_is_exponential(demand):
    frame = two(demand)
    given = simulate(frame, 14, handle_time={"a": None, "b": None}, replications=2)
    assert given.overall.equals(simulate(frame, 14, replications=2).overall)
    assert given.inputs["handle_time"] == "exponential"


def test_more_calls_than_anyone_simulates_are_refused_at_once(demand):
    with pytest.raises(InputError, match="calls per interval"):
        simulate(demand([1e15, 10], 180), 14, replications=2)


@pytest.mark.parametrize("agents", [[40, 4], {"north": [40, 4]}, pl.Series([40, 4])])
def test_a_list_of_agents_needs_a_demand_in_order(demand, agents):
    # The rows of such a demand are not its intervals: 40 agents would sit where 4 are meant.
    turned = demand([10, 300], 180).reverse()
    with pytest.raises(InputError, match="not in order of time"):
        simulate(turned, agents, replications=2)


def test_a_demand_out_of_order_may_have_one_number_or_a_frame(demand):
    sorted_demand = demand([10, 300], 180)
    turned = sorted_demand.reverse()
    roster = turned.select("interval_start", agents=pl.Series([40, 4]))
    for agents, same in ((14, 14), (roster, [4, 40])):
        found = simulate(turned, agents, replications=2)
        assert found.intervals.equals(simulate(sorted_demand, same, replications=2).intervals)


def test_types_below_each_other_are_in_order(demand):
    assert simulate(two(demand), [14, 15], replications=2).overall.height == 1
