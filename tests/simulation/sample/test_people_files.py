"""The people's tables: complete, consistent with the calls, and with the traps they should have."""

from __future__ import annotations

import polars as pl
import pytest

from ccanalytics.schema import TABLES
from ccanalytics.simulation import CentreParameters

TABLE_NAMES = (
    *("agent_states", "schedules", "reviews", "surveys"),
    *("trainings", "assessments", "articles"),
)
KINDS = {
    "timestamp": pl.Datetime("us", "UTC"),
    "date": pl.Date,
    "seconds": pl.Float64,
    "number": pl.Float64,
    "whole": pl.Int64,
    "flag": pl.Boolean,
}


def read(sample, table):
    frame = pl.read_csv(sample.directory / f"{table}.csv", infer_schema=False)
    casts = []
    for name in frame.columns:
        kind, column = TABLES[table].column(name).kind, pl.col(name)
        if kind == "timestamp":
            casts.append(column.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC"))
        elif kind == "date":
            casts.append(column.str.to_date("%Y-%m-%d"))
        elif kind == "flag":
            casts.append(column.replace_strict({"true": True, "false": False}, default=None))
        elif kind in KINDS:
            casts.append(column.cast(KINDS[kind]))
    return frame.with_columns(casts)


@pytest.fixture(scope="module")
def tables(sample):
    return {name: read(sample, name) for name in TABLE_NAMES}


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_the_tables_conform_to_the_schema(sample, tables, table):
    frame, definition = tables[table], TABLES[table]
    assert frame.height == sample.centre.rows[f"{table}.csv"] > 0
    assert frame.columns == [name for name in definition.names if name in frame.columns]
    for column in definition.columns:
        if column.required:
            assert frame[column.name].null_count() == 0
        if column.name in frame.columns:
            assert frame[column.name].null_count() < frame.height
            if column.values:
                assert set(frame[column.name].drop_nulls()) <= set(column.values)
    assert frame.select(definition.key).is_duplicated().sum() == 0
    if "agent" in frame.columns:
        assert set(frame["agent"]) <= set(sample.agents["agent"])
    if "call_id" in frame.columns:
        assert frame.join(sample.answered, on="call_id", how="anti").is_empty()


def test_no_agent_is_in_two_states_at_once(tables):
    for table in ("agent_states", "schedules"):
        spells = tables[table].sort("agent", "started_at")
        assert (spells["ended_at"] > spells["started_at"]).all()
        after = pl.col("ended_at").shift(1).over("agent")
        assert spells.filter(after > pl.col("started_at")).is_empty()


def test_states_tell_of_every_call_of_their_weeks(sample, tables):
    states = tables["agent_states"]
    first = states["started_at"].min()
    last_weeks = sample.calls["arrived_at"].max() - first
    assert 27 <= last_weeks.days <= 28
    handling = states.filter(pl.col("state") == "handling")
    answered = sample.calls.filter(pl.col("outcome") == "answered")
    calls = answered.filter(pl.col("answered_at") >= first).with_columns(
        spoken=pl.col("talk_s") + pl.col("hold_s")
    )
    # A night shift that had begun before the first of the weeks is not told of.
    both = handling.join(
        calls, left_on=["agent", "started_at"], right_on=["agent", "answered_at"], how="left"
    ).with_columns(seconds=(pl.col("ended_at") - pl.col("started_at")).dt.total_seconds())
    assert both["call_id"].null_count() == 0
    assert (both["seconds"] == both["spoken"]).all()
    assert handling.height >= 0.99 * calls.filter(pl.col("spoken") > 0).height
    wrap = states.filter(pl.col("state") == "wrap")
    after = wrap.join(
        both, left_on=["agent", "started_at"], right_on=["agent", "ended_at"], how="inner"
    )
    assert after.height > 0.98 * wrap.height
    told = (after["ended_at"] - after["started_at"]).dt.total_seconds()
    assert (told == after["wrap_s"]).all()


def test_states_leave_no_gap_within_a_shift(tables):
    states = tables["agent_states"].sort("agent", "started_at")
    gap = (
        (pl.col("started_at") - pl.col("ended_at").shift(1).over("agent"))
        .dt.total_seconds()
        .alias("gap")
    )
    gaps = states.select(gap).drop_nulls()["gap"]
    # Between two shifts there is a night; within one, nothing.
    assert ((gaps == 0) | (gaps > 4 * 3600)).all()


def test_people_keep_to_the_plan_more_or_less(tables):
    plan, states = tables["schedules"], tables["agent_states"]
    hours = {
        name: frame.select(
            (pl.col("ended_at") - pl.col("started_at")).dt.total_seconds().sum()
        ).item()
        for name, frame in (
            ("planned", plan.filter(pl.col("activity") == "break")),
            ("taken", states.filter(pl.col("state") == "break")),
        )
    }
    assert 0.8 < hours["taken"] / hours["planned"] < 1.02  # calls eat into breaks
    begun = plan.filter(pl.col("activity") == "break").join(
        states.filter(pl.col("state") == "break"), on=["agent", "started_at"], how="inner"
    )
    assert begun.height < 0.5 * plan.filter(pl.col("activity") == "break").height
    assert set(plan["activity"]) >= {"calls", "break", "meeting"}
    assert set(states["state"]) >= {"available", "handling", "wrap", "break", "meeting"}


def test_no_weeks_of_states_where_none_are_wanted(make_sample):
    bare = make_sample(weeks=2, scale=0.01, parameters=CentreParameters(states_weeks=0))
    assert read(bare, "agent_states").is_empty()
    assert read(bare, "schedules").is_empty()


def test_random_reviews_are_few_and_alike_for_all(sample, tables):
    reviews = tables["reviews"]
    each = reviews.group_by("review_id").agg(
        pl.col("agent", "call_id", "sampled", "reviewer", "at").first(), pl.len()
    )
    assert (each["len"] == 5).all()
    random = each.filter(pl.col("sampled") == "random").unique("call_id")
    a_period = random.group_by("agent", (pl.col("at").dt.epoch("d") // 28).alias("period")).len()
    assert a_period["len"].median() == 4
    assert random.height > 300
    # Some are looked at twice, never by the same person.
    twice = each.filter(pl.col("call_id").is_duplicated())
    assert twice.height > 10
    assert twice.select("call_id", "reviewer").is_duplicated().sum() == 0
    critical = reviews.group_by("item").agg(pl.col("critical").n_unique(), pl.len())
    assert (critical["critical"] == 1).all()
    done = each.join(sample.answered.select("call_id", "answered_at"), on="call_id")
    assert (done["at"] > done["answered_at"]).all()


def test_targeted_reviews_look_where_more_is_wrong(sample, tables):
    reviews = tables["reviews"].join(sample.answered.select("call_id", "handle_s"), on="call_id")
    by = {key[0]: part for key, part in reviews.partition_by("sampled", as_dict=True).items()}
    assert by["targeted"]["handle_s"].mean() > 2 * by["random"]["handle_s"].mean()
    failed = {name: 1 - part["passed"].mean() for name, part in by.items()}
    assert failed["targeted"] > 1.15 * failed["random"]


def test_those_who_answer_surveys_are_not_like_the_rest(sample, tables):
    surveys, truth = tables["surveys"], sample.truth["people"]["surveys"]
    known = sample.answered["customer"].is_not_null().sum()
    assert surveys.height / known == pytest.approx(0.10, abs=0.005)
    said = surveys.drop_nulls("answered_at")
    assert (surveys["score"].is_null() == surveys["answered_at"].is_null()).all()
    assert set(said["score"]) == {1, 2, 3, 4, 5}
    error = said["score"].std() / said.height**0.5
    expected = truth["mean_score_expected_of_responders"]
    assert said["score"].mean() == pytest.approx(expected, abs=4 * error)
    assert truth["mean_score"] > expected + 0.1
    # Weighting by the response share of each score, which only the truth knows, puts it right.
    share = truth["response_share_by_score"]
    weight = [1 / share[str(int(score))] for score in said["score"]]
    righted = (said["score"] * pl.Series(weight)).sum() / sum(weight)
    assert righted == pytest.approx(truth["mean_score"], abs=6 * error)


def test_courses_and_their_tests(sample, tables):
    trainings, tests, agents = tables["trainings"], tables["assessments"], sample.agents
    lots = sample.rollouts.filter(pl.col("unit_kind") == "agent")
    by_lot = lots.filter(pl.col("treatment") == "shorter calls")
    assert by_lot["randomised"].all()
    assert not lots.filter(pl.col("treatment") == "coaching")["randomised"].any()
    took = set(trainings.filter(pl.col("course") == "shorter calls")["agent"])
    assert took == set(by_lot.drop_nulls("live_on")["unit"])
    assert 0 < len(took) < by_lot.height
    # Everyone in the lot is tested, whether or not they took the course.
    pre = tests.filter((pl.col("course") == "shorter calls") & (pl.col("occasion") == "pre"))
    assert set(pre["agent"]) == set(by_lot["unit"])
    assert tests["score"].is_between(0, 100).all()
    employed = trainings.join(agents, on="agent")
    assert (employed["on"] > employed["hired_on"]).all()
    left = employed.drop_nulls("left_on")
    assert (left["on"] < left["left_on"]).all()
    screening = tests.filter((pl.col("course") == "coaching") & (pl.col("occasion") == "pre"))
    coached = set(trainings.filter(pl.col("course") == "coaching")["agent"])
    sent = screening.filter(pl.col("agent").is_in(coached))
    others = screening.filter(~pl.col("agent").is_in(coached))
    assert sent["score"].max() <= others["score"].min()


def test_articles_are_opened_once_the_team_has_them(sample, tables):
    teams = sample.rollouts.filter(pl.col("unit_kind") == "team")
    first = sample.agents.filter(pl.col("skills") == "hotline")
    assert set(teams["unit"]) == set(first["team"])
    assert teams["live_on"].n_unique() > 2
    opened = (
        tables["articles"]
        .join(sample.agents.select("agent", "team"), on="agent")
        .join(teams.select("unit", "live_on"), left_on="team", right_on="unit", how="left")
        .join(sample.answered.select("call_id", "answered_at", "ended_at", "service"), on="call_id")
        .with_columns(day=pl.col("at").dt.convert_time_zone("Asia/Shanghai").dt.date())
    )
    assert opened["live_on"].null_count() == 0
    assert (opened["day"] >= opened["live_on"]).all()
    assert ((opened["at"] >= opened["answered_at"]) & (opened["at"] <= opened["ended_at"])).all()
    assert (opened["article"].str.split("-").list.first() == opened["service"]).all()


def test_agents_have_teams_employers_and_intakes(sample):
    agents = sample.agents
    assert agents.group_by("team").agg(pl.col("site", "employer").n_unique()).select(
        pl.col("site", "employer").max()
    ).row(0) == (1, 1)
    assert set(agents["employer"]) == {"in-house", "outsourced"}
    assert (agents.group_by("cohort").agg(pl.col("hired_on").n_unique())["hired_on"] == 1).all()
    sites = sample.answered.join(agents.select("agent", "site"), on="agent", suffix="_own")
    assert (sites["site"] == sites["site_own"]).all()
    unanswered = sample.calls.filter(pl.col("outcome") != "answered")
    assert unanswered["site"].null_count() == unanswered.height
    assert unanswered["transfer"].null_count() == unanswered.height
