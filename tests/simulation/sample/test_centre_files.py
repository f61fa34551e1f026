from __future__ import annotations

import json

import polars as pl
import pytest

from ccanalytics import simulation
from ccanalytics.results import Result
from ccanalytics.schema import OUTCOMES, SCHEMA_VERSION, TABLES

NOT_WRITTEN = ()
TABLE_NAMES = ("calls", "self_service", "services", "rollouts", "agents")


def digest(directory):
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def test_same_arguments_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        simulation.write_centre(tmp_path / name, weeks=3, scale=0.02, seed=5)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_another_seed_gives_another_world(tmp_path):
    for name, seed in (("one", 5), ("two", 6)):
        simulation.write_centre(tmp_path / name, weeks=1, scale=0.02, seed=seed)
    one, two = digest(tmp_path / "one"), digest(tmp_path / "two")
    for name in ("calls_2024-01.csv", "self_service.csv", "rollouts.csv", "agents.csv"):
        assert one[name] != two[name]


def test_every_file_of_the_export_is_there(sample):
    months = [f"calls_2024-{month:02d}.csv" for month in range(1, 7)]
    others = [f"{table}.csv" for table in TABLES if table not in ("calls", *NOT_WRITTEN)]
    assert sorted(sample.centre.rows) == sorted([*months, *others])
    on_disk = {path.name for path in sample.directory.iterdir()}
    assert on_disk == {*months, *others, "centre.json", "truth.json"}
    centre = json.loads((sample.directory / "centre.json").read_text(encoding="utf-8"))
    assert centre == {
        "format": "ccanalytics",
        "schema": SCHEMA_VERSION,
        "time_zone": "Asia/Shanghai",
    }


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_tables_conform_to_the_schema(sample, table):
    frame = getattr(sample, {"self_service": "events"}.get(table, table))
    definition = TABLES[table]
    assert [name for name in definition.names if name in frame.columns] == frame.columns
    for column in definition.columns:
        if column.required:
            assert frame[column.name].null_count() == 0, column.name
        if column.name in frame.columns:
            assert frame[column.name].null_count() < frame.height, column.name
            if column.values:
                assert set(frame[column.name].drop_nulls()) <= set(column.values)
            if column.kind == "seconds":
                assert frame[column.name].drop_nulls().min() >= 0
    assert frame.select(definition.key).is_duplicated().sum() == 0
    rows = sum(n for name, n in sample.centre.rows.items() if name.startswith(table))
    assert frame.height == rows


def test_calls_add_up_to_the_second(sample):
    calls = sample.calls
    answered, asked = pl.col("outcome") == "answered", pl.col("wait_s").is_not_null()
    seconds = (pl.col("ended_at") - pl.col("arrived_at")).dt.total_seconds()
    to_answer = (pl.col("answered_at") - pl.col("arrived_at")).dt.total_seconds()
    verdict = calls.select(
        answered_known=(
            answered
            == pl.all_horizontal(
                pl.col("answered_at", "agent", "talk_s", "hold_s", "wrap_s").is_not_null()
            )
        ).all(),
        nothing_else=(
            ~answered
            == pl.all_horizontal(
                pl.col("answered_at", "agent", "talk_s", "hold_s", "wrap_s").is_null()
            )
        ).all(),
        queued=(asked == pl.col("outcome").is_in(["answered", "abandoned"])).all(),
        answer_time=(to_answer == pl.col("menu_s") + pl.col("wait_s")).all(),
        line_time=(
            seconds
            == pl.col("menu_s")
            + pl.col("wait_s").fill_null(0)
            + pl.col("talk_s").fill_null(0)
            + pl.col("hold_s").fill_null(0)
        ).all(),
        in_order=pl.col("arrived_at").is_sorted(),
        tier_with_customer=(pl.col("tier").is_null() == pl.col("customer").is_null()).all(),
    )
    assert all(verdict.row(0)), verdict
    assert set(calls["outcome"]) == {
        "answered",
        "abandoned",
        "left_menu",
        "contained",
        "diverted",
    }
    assert set(calls["outcome"]) <= set(OUTCOMES)


def test_files_hold_their_own_local_month(sample):
    for path in sample.directory.glob("calls_*.csv"):
        local = (
            pl.read_csv(path, columns=["arrived_at"])
            .to_series()
            .str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
            .dt.convert_time_zone("Asia/Shanghai")
        )
        assert set(local.dt.strftime("calls_%Y-%m.csv")) == {path.name}


def test_an_agent_does_one_thing_at_a_time_while_employed(sample):
    spells = sample.answered.sort("agent", "answered_at").with_columns(
        before=(pl.col("answered_at") + pl.duration(seconds=pl.col("handle_s")))
        .shift(1)
        .over("agent")
    )
    assert spells.filter(pl.col("before") > pl.col("answered_at")).is_empty()
    employed = sample.answered.join(sample.agents, on="agent", how="left").with_columns(
        day=pl.col("answered_at").dt.convert_time_zone("Asia/Shanghai").dt.date()
    )
    assert employed["hired_on"].null_count() == 0
    assert employed.filter(pl.col("day") < pl.col("hired_on")).is_empty()
    # A night shift of the last day ends in the morning of the day on which the agent has left.
    assert employed.filter(pl.col("day") > pl.col("left_on")).is_empty()
    shift = employed.group_by("agent", "day").agg(
        (pl.col("answered_at").max() - pl.col("answered_at").min()).dt.total_hours().alias("hours")
    )
    assert shift["hours"].median() <= 8


def test_events_belong_to_calls(sample):
    events = sample.events.filter(pl.col("stage") != "own_initiative")
    both = events.join(sample.calls, on="call_id", how="left", suffix="_call")
    assert both["arrived_at"].null_count() == 0
    assert (both["customer"] == both["customer_call"]).all()
    assert (both["service"] == both["service_call"]).all()
    assert ((both["at"] >= both["arrived_at"]) & (both["at"] <= both["ended_at"])).all()
    before = both.filter(pl.col("stage") == "before_call")
    assert (before["accepted"] == (before["outcome"] == "diverted")).all()
    assert before.filter(pl.col("accepted"))["call_id"].n_unique() == (
        sample.calls.filter(pl.col("outcome") == "diverted").height
    )
    during = both.filter(pl.col("stage") == "during_call")
    assert (during["outcome"] == "answered").all()
    assert sample.events.filter(pl.col("channel") == "web")["call_id"].null_count() == (
        sample.events.filter(pl.col("channel") == "web").height
    )
    declined = sample.events.filter(~pl.col("accepted"))
    assert declined["completed"].null_count() == declined.height
    sent = sample.events.filter(pl.col("delivered") == False)  # noqa: E712 (null is neither)
    assert sent.height > 0
    assert not sent["completed"].any()


def test_channels_appear_when_they_go_live(sample):
    live = sample.rollouts.select("unit", "treatment", "live_on")
    for treatment, stage in (
        ("sms_assist_before", "before_call"),
        ("sms_assist_during", "during_call"),
        ("web_hall", "own_initiative"),
    ):
        events = sample.events.filter(pl.col("stage") == stage)
        if treatment == "web_hall":
            events = events.filter(pl.col("channel") == "web")
        events = events.join(
            live.filter(pl.col("treatment") == treatment),
            left_on="service",
            right_on="unit",
            how="left",
        )
        day = events["at"].dt.convert_time_zone("Asia/Shanghai").dt.date()
        assert (day >= events["live_on"]).all()
        assert events["live_on"].null_count() == 0
    columns = {
        "sms_assist_before": "sms_assist_before_on",
        "sms_assist_during": "sms_assist_during_on",
        "web_hall": "web_hall_on",
    }
    for treatment, column in columns.items():
        there = live.filter(pl.col("treatment") == treatment).sort("unit")["live_on"]
        assert there.equals(sample.services.sort("service")[column].alias("live_on"))


def test_rollouts_are_staggered_and_not_randomised(sample):
    rollouts = sample.rollouts.filter(pl.col("unit_kind") == "service")
    assert not rollouts["randomised"].any()
    assert (rollouts["planned_on"] <= rollouts["live_on"]).all()
    first = sample.calls["arrived_at"].min().date()
    sms = rollouts.filter(pl.col("treatment") == "sms_assist_before")["live_on"]
    assert sms.n_unique() > 10
    assert 0 < sms.null_count() < 15  # some services stay untreated: controls to the end
    web = rollouts.filter(pl.col("treatment") == "web_hall")["live_on"]
    assert web.null_count() == 0
    assert (web <= first).sum() / web.len() == pytest.approx(0.43, abs=0.01)
    kinds = sample.services["kind"].value_counts().sort("kind")
    assert kinds.rows() == [("query", 14), ("transaction", 35)]


def test_no_log_holds_any_truth(sample):
    names = {name for table in TABLES.values() for name in table.names}
    for path in sample.directory.glob("*.csv"):
        header = path.open(encoding="utf-8").readline().strip().split(",")
        assert set(header) <= names
    # New demand and displaced calls look alike: same channel, same stage, same codes.
    assert sample.events.filter(pl.col("channel") == "web")["stage"].unique().to_list() == [
        "own_initiative"
    ]


def test_two_weeks_make_an_extract(make_sample):
    extract = make_sample(weeks=2, scale=0.03, seed=1, start="2024-03-04")
    assert sum(extract.centre.sizes.values()) < 7_000_000
    sms = extract.rollouts.filter(pl.col("treatment") == "sms_assist_before")["live_on"]
    days = extract.calls["arrived_at"].dt.convert_time_zone("Asia/Shanghai").dt.date()
    assert days.min() < sms.min() < days.max()
    assert sms.n_unique() > 5
    assert {"before_call", "during_call", "own_initiative"} == set(extract.events["stage"])


def test_the_result_speaks(sample):
    centre = sample.centre
    assert isinstance(centre, Result)
    assert centre.summary().startswith(f"{sample.calls.height:,} calls of 26 weeks")
    frame = centre.to_frame()
    assert frame.columns == ["file", "rows", "bytes"]
    sizes = {path.name: path.stat().st_size for path in sample.directory.iterdir()}
    assert dict(frame.select("file", "bytes").rows()) == sizes
    assert {check.status for check in centre.checks} == {"holds", "informs"}
    assert centre.truth["overall"] == sample.truth["overall"]
    assert centre.inputs["start"] == "2024-01-01"
    assert "<div" in centre._repr_html_()


def test_progress_runs_to_the_end(tmp_path):
    seen = []
    simulation.write_centre(
        tmp_path / "x", weeks=1, scale=0.01, progress=lambda *step: seen.append(step)
    )
    done = [step[0] for step in seen]
    assert done == sorted(done)
    assert seen[-1][0] == seen[-1][1]
    assert all(isinstance(step[2], str) for step in seen)
