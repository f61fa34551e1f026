"""Intervals that cover, seeds that repeat, scenarios that share chance, records that add up."""

import copy
import os
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
import scipy.stats as st

from ccanalytics import CallLog, Queue, ServiceLevel
from ccanalytics.errors import InputError, UnsupportedError
from ccanalytics.simulation import Menu, Replay, Retry, simulate

FULL = os.environ.get("CCANALYTICS_FULL") == "1"
GOAL = ServiceLevel(0.8, within=20)


def test_intervals_cover_the_steady_state_as_often_as_promised(demand):
    """M/M/20+M at 19 erlangs, 20 replications of 5 hours after a warm-up of one: 95% of seeds.

    93 to 97% over 2,000 seeds; the slice of 200 has the bounds of its own chance (99.9%).
    """
    seeds = 2000 if FULL else 200
    frame = demand(19 * 12 * 5, 300, interval_s=3600 * 5)
    exact = Queue(19 * 12, 3600, 300, patience=300).performance(20)
    truth = {
        "service_level": exact.service_level(GOAL),
        "abandonment": exact.abandonment,
        "asa_s": exact.asa,
        "occupancy": exact.occupancy,
        "queue_length": exact.queue_length,
    }
    covered = dict.fromkeys(truth, 0)
    for seed in range(seeds):
        found = simulate(
            frame, 20, patience=300, goals=GOAL, warmup_s=3600, replications=20, seed=10_000 + seed
        )
        for name, value in truth.items():
            estimate = found.estimate(name)
            covered[name] += estimate.low <= value <= estimate.high
    low, high = (0.93, 0.97) if FULL else (0.895, 0.995)
    for name, count in covered.items():
        assert low <= count / seeds <= high, (name, count / seeds)


@pytest.mark.parametrize("several", [False, True])
def test_one_seed_one_answer_on_any_number_of_cores(demand, several):
    joblib = pytest.importorskip("joblib")
    frame = demand([100, 140, 60], 200)
    how = {"patience": 100, "goals": GOAL, "replications": 8, "seed": 4}
    if several:
        frame = pl.concat(
            [demand([50, 70, 30], 200, queue="a"), demand([50, 70, 30], 300, queue="b")]
        )
        how["priority"] = {"a": 0, "b": 1}
    alone = simulate(frame, 14, **how)
    with joblib.parallel_config(backend="loky", n_jobs=2):
        together = simulate(frame, 14, **how)
    assert alone.intervals.equals(together.intervals)
    assert alone.overall.equals(together.overall)
    other = simulate(frame, 14, **{**how, "seed": 5})
    assert not alone.intervals.equals(other.intervals)


def test_replications_on_a_local_dask_cluster(demand):
    """One ``parallel_config`` away, and the same answer; it is the workers who computed it."""
    distributed = pytest.importorskip("distributed")
    joblib = pytest.importorskip("joblib")
    frame = demand([100, 140], 200)
    alone = simulate(frame, 14, patience=100, replications=4)
    with (
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            processes=False,
            protocol="tcp",
            dashboard_address=None,
            host="127.0.0.1",
        ) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        far = simulate(frame, 14, patience=100, replications=4)
        done = client.run(lambda dask_worker: dask_worker.state.executed_count)
    assert alone.intervals.equals(far.intervals)
    assert sum(done.values()) >= 4


def test_a_backend_that_keeps_results_back_is_refused(demand):
    joblib = pytest.importorskip("joblib")
    with (
        joblib.parallel_config(backend="multiprocessing", n_jobs=2),
        pytest.raises(UnsupportedError, match="loky"),
    ):
        simulate(demand(100, 180), 14, replications=2)


@pytest.mark.parametrize(
    "law", [st.lognorm(s=0.9), st.skewnorm(5, loc=2)], ids=["one array", "two arrays"]
)
def test_scenarios_with_other_volumes_see_the_same_callers(demand, law):
    """The n-th caller asks for the same work, whatever the law and however calls are drawn."""
    few, many = (
        simulate(demand([n] * 4, 60), 9000, handle_time=law, replications=1, records=True).calls()
        for n in (10_000, 13_000)
    )
    first = min(few.height, many.height)
    assert np.allclose(few["talk_s"][:first], many["talk_s"][:first], rtol=1e-6, atol=1e-6)


def test_scenarios_with_one_seed_see_the_same_callers(demand):
    """More agents: the same first attempts at the same moments; the difference is sharp."""
    frame = demand([300] * 4, 240)
    how = {"patience": st.lognorm(s=1, scale=90), "replications": 20, "goals": GOAL}
    few = simulate(frame, 38, records=True, **how)
    many = simulate(frame, 40, records=True, **how)
    for number in range(3):
        assert few.calls(number)["arrived_at"].equals(many.calls(number)["arrived_at"])
    gains, apart = [], []
    for number in range(20):
        rate = [(found.calls(number)["outcome"] == "abandoned").mean() for found in (few, many)]
        gains.append(rate[0] - rate[1])
        apart.append(rate)
    apart = np.array(apart)
    assert min(gains) > 0
    assert np.var(gains) < 0.5 * (apart[:, 0].var() + apart[:, 1].var())


def test_records_add_up_to_the_frames(demand):
    frame = pl.concat(
        [demand([120, 90, 150], 240, queue="a"), demand([60, 60, 60], 400, queue="b")]
    )
    found = simulate(
        frame,
        {"generalists": [14, 10, 16], "b only": [6, 6, 6]},
        skills={"generalists": ["a", "b"], "b only": ["b"]},
        patience=120,
        lines=60,
        menu=Menu(30, leaves=0.1),
        redial=Retry(0.5, after=300),
        redial_blocked=Retry(0.5, after=60),
        replications=3,
        records=True,
        goals=GOAL,
    )
    calls = pl.concat([found.calls(number, extra=True) for number in range(3)])
    counted = calls.group_by("queue").agg(
        arrived=pl.len() / 3,
        answered=(pl.col("outcome") == "answered").sum() / 3,
        blocked=(pl.col("outcome") == "blocked").sum() / 3,
        left_menu=(pl.col("outcome") == "left_menu").sum() / 3,
        in_time=((pl.col("outcome") == "answered") & (pl.col("wait_s") <= 20)).sum() / 3,
    )
    for row in found.types.to_dicts():
        mine = counted.filter(pl.col("queue") == row["queue"]).to_dicts()[0]
        for name in ("arrived", "answered", "blocked", "left_menu"):
            assert mine[name] == pytest.approx(row[name])
        served = row["service_level"] * (row["answered"] + row["abandoned"] + row["unserved"])
        assert mine["in_time"] == pytest.approx(served)
    spent = pl.col("menu_s").fill_null(0) + pl.col("wait_s").fill_null(0)
    spent = spent + pl.col("talk_s").fill_null(0)
    length = (pl.col("ended_at") - pl.col("arrived_at")).dt.total_microseconds() / 1e6
    assert calls.select((length - spent).abs().max()).item() < 1e-5
    answered = calls.filter(pl.col("outcome") == "answered")
    assert set(answered.filter(pl.col("queue") == "a")["agent_group"]) == {"generalists"}
    assert set(calls["outcome"]) <= {"answered", "abandoned", "left_menu", "blocked"}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_records_load_into_a_call_log_and_tell_the_same(demand, tmp_path, ending):
    frame = pl.concat(
        [
            demand([120, 90], 240, queue="a", region="x"),
            demand([60, 60], 400, queue="b", region="y"),
        ]
    )
    goals = [
        GOAL,
        ServiceLevel(0.8, 20, counting="late_abandoned"),
        ServiceLevel(0.8, 20, counting="short_excluded", short=5),
    ]
    found = simulate(
        frame,
        16,
        patience=120,
        lines=30,
        menu=Menu(30, leaves=0.1),
        redial=Retry(0.5, after=300),
        goals=goals,
        replications=1,
        records=True,
    )
    path = tmp_path / f"calls_simulated.{ending}"
    calls = found.calls()
    calls.write_csv(path) if ending == "csv" else calls.write_parquet(path)
    log = CallLog(tmp_path / "simulated.duckdb")
    report = log.load(path, source="ccanalytics", time_zone="UTC")
    assert (report.read, report.loaded) == (calls.height, calls.height)
    counted = log.intervals("30min", goals=goals)
    counted = counted.select(pl.selectors.numeric().sum()).row(0, named=True)
    for place, goal in enumerate(goals):
        served, base = goal.parts(
            answered=counted["answered"],
            answered_within=counted["answered_in_20s"],
            abandoned=counted["abandoned"],
            abandoned_within=counted["abandoned_in_20s"],
            abandoned_short=counted["abandoned_in_5s"] if goal.short else 0.0,
            blocked=counted["blocked"],
        )
        name = "service_level" if not place else f"service_level_{place + 1}"
        assert served / base == pytest.approx(found.overall[name][0], abs=1e-12)
    assert {"attempt", "agent_group", "region"} <= set(found.calls(extra=True).columns)


def test_replayed_arrivals_are_those_of_the_log(demand):
    rng = np.random.default_rng(8)
    frame = demand([40, 60], 240)
    start = frame["interval_start"][0]
    moments = np.sort(rng.uniform(0, 3600, 100))
    log = pl.DataFrame({"arrived_at": [start + timedelta(seconds=each) for each in moments]})
    found = simulate(frame, 10, arrivals=Replay(log), replications=5, patience=60)
    expected = [int((moments < 1800).sum()), int((moments >= 1800).sum())]
    assert found.intervals["arrived"].to_list() == expected
    assert found.intervals["arrived_low"].to_list() == expected


def test_a_single_replication_gives_no_interval(demand):
    found = simulate(demand(100, 180), 14, replications=1)
    assert found.overall["abandonment_low"][0] is None
    assert any(check.status == "fails" for check in found.checks)


def test_what_never_happened_is_not_certain(demand):
    """No abandonment in 20 × 20 calls says little; the limit is that of the binomial law."""
    found = simulate(demand(20, 180), 40, patience=600, replications=20)
    estimate = found.abandonment
    assert estimate.value == 0
    assert 0.002 < estimate.high < 0.02


def test_the_words_and_the_errors_of_a_result(demand):
    found = simulate(demand([100, 120], 180), 14, patience=120, replications=5)
    assert "abandon" in found.summary()
    assert "Poisson" in found.summary()
    assert found.to_frame().height == 2
    with pytest.raises(InputError, match="no call records"):
        found.calls()
    with pytest.raises(InputError, match="measure"):
        found.estimate("sl")
    with pytest.raises(InputError, match="goal"):
        found.service_level()
    with pytest.raises(UnsupportedError, match="virtual"):
        simulate(
            demand(100, 180),
            14,
            goals=ServiceLevel(0.8, 20, counting="virtual"),
            when_staff_falls="rejoin",
        )
    assert copy.deepcopy(found).overall.equals(found.overall)


def test_a_requirement_is_simulated_as_it_is(demand):
    """Erlang C's agents hold Erlang C's promise; impatient callers only help."""
    staffing = pytest.importorskip("ccanalytics.staffing")
    frame = demand([40, 100, 160, 0], 240, interval_s=18_000)
    need = staffing.requirement(frame, GOAL)
    found = simulate(frame, need.frame, goals=GOAL, patience=300, replications=40)
    assert found.intervals["agents"].to_list() == need.frame["required_agents"].to_list()
    assert found.service_level().high > 0.8


def test_progress_is_told(demand):
    told = []
    simulate(demand(100, 180), 14, replications=3, progress=lambda *what: told.append(what))
    assert told == [(1, 3, "replications"), (2, 3, "replications"), (3, 3, "replications")]


def test_the_bar_stays_out_of_standard_output(demand, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    simulate(demand(100, 180), 14, replications=3, progress=True)
    said = capsys.readouterr()
    assert said.out == ""
    assert "simulating" in said.err
