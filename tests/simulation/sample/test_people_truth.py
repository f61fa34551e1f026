"""The people's part of truth.json: what the log shows, and what a world without the cause tells."""

from __future__ import annotations

import filecmp

import numpy as np
import polars as pl
import pytest

from ccanalytics.simulation import CentreParameters
from ccanalytics.simulation.sample import people_truth

NO_KNOWLEDGE_BASE = dict.fromkeys(
    ("kb_talk_novice", "kb_talk_expert", "kb_error", "kb_transfer", "kb_use"), 0.0
)


@pytest.fixture(scope="module")
def truth(sample):
    return sample.truth["people"]


@pytest.fixture(scope="module")
def without(make_sample):
    """The same seed and centre, had no team ever got the knowledge base."""
    parameters = CentreParameters(**NO_KNOWLEDGE_BASE)
    return make_sample(weeks=26, scale=0.05, seed=7, parameters=parameters)


def test_every_cause_is_known_where_it_acts(truth):
    # All others are known to 2% or null: test_queue_truth.py.
    for cause in ("differences", "learning", "knowledge_base", "course", "coaching"):
        effect = truth["effects"][cause]["where_it_acts"]
        for name in ("handle_s", "handle_share", "handle_log", "wrong_share", "transfer_share"):
            assert effect[f"{name}_error"] <= 0.02 * abs(effect[name]), (cause, name)
    # Counted on the lengths that came about, it is the same but for their luck.
    for effect in (each["where_it_acts"] for each in truth["effects"].values()):
        assert effect["handle_s_counted"] == pytest.approx(effect["handle_s"], rel=0.05)


def test_a_small_group_is_null_with_the_reason(truth):
    effect = truth["effects"]["course"]["under_90_days"]
    assert effect["handle_s"] is None
    why = effect["unknown"]["handle_s"]
    assert str(effect["calls"]) in why["reason"]
    assert abs(effect["handle_s_counted"]) < why["at_most"]


def test_of_a_large_log_small_groups_are_looked_at_whole(make_sample, sample, monkeypatch):
    monkeypatch.setattr(people_truth, "_MOST", 30_000)
    few, all_calls = (
        each.truth["people"]["effects"]
        for each in (make_sample(weeks=26, scale=0.05, seed=7), sample)
    )
    group = "where_it_acts_under_90_days"
    one, other = few["knowledge_base"][group], all_calls["knowledge_base"][group]
    assert one["handle_s"] == pytest.approx(other["handle_s"], rel=0.04)
    # Of 5,000 that one call in six shows, and 40,000 there are, as many as are looked at.
    assert 15_000 < few["coaching"]["90_to_364_days"]["calls"] <= 30_000
    for effect in few.values():
        for told in effect.values():
            for name in ("handle_s", "wrong_share", "transfer_share"):
                if told[name] is not None:
                    assert told[f"{name}_error"] <= 0.02 * abs(told[name])


def test_effects_are_those_of_the_parameters(truth):
    p, effects = CentreParameters(), truth["effects"]
    for course, saved in (("course", p.course_pace), ("coaching", p.coaching_pace)):
        acts = effects[course]["where_it_acts"]
        assert acts["handle_share"] == pytest.approx(-saved)
        assert acts["handle_log"] == pytest.approx(np.log(1 - saved))
        assert acts["wrong_share"] < 0
    tool = effects["knowledge_base"]
    novice, expert = (
        tool[f"where_it_acts_{band}"]["handle_share"]
        for band in ("under_90_days", "a_year_or_more")
    )
    assert -p.kb_talk_novice < novice < 6 * expert < 0
    learning = effects["learning"]
    assert learning["under_90_days"]["handle_share"] > 0.1
    assert abs(learning["a_year_or_more"]["handle_share"]) < 0.001
    assert effects["differences"]["a_year_or_more"]["handle_s"] < 0  # survivors are quick


def test_worlds_and_effects_agree(truth):
    worlds = truth["worlds"]
    for cause, effect in truth["effects"].items():
        other = worlds["none" if cause == "joint" else f"without_{cause}"]
        for measure in ("handle_s", "wrong_share", "transfer_share"):
            told = worlds["log"][measure] - other[measure]
            assert effect["all"][measure] == pytest.approx(told, abs=1e-9), (cause, measure)
    assert worlds["none"]["pace"] == pytest.approx(1)
    assert worlds["none"]["transfer_share"] == pytest.approx(CentreParameters().transfer)
    assert worlds["none"]["erlangs"] > worlds["log"]["erlangs"]
    assert worlds["none"]["seat_hours"] > worlds["log"]["seat_hours"]


def test_the_log_is_as_the_truth_says(sample, truth):
    log, calls = truth["worlds"]["log"], sample.answered
    # Before SMS-assist during the call; its saving is known.
    saved = sample.truth["overall"]["contacts"]["assist_saved_s"]
    mean = (calls["handle_s"].sum() + saved) / calls.height
    error = calls["handle_s"].std() / calls.height**0.5
    # A call after a failed channel runs longer, which the expectation leaves out.
    assert mean == pytest.approx(log["handle_s"], abs=4 * error + 0.01 * mean)
    sent = (calls["transfer"] == "second_line").mean()
    share = log["transfer_share"]
    assert sent == pytest.approx(share, abs=4 * (share / calls.height) ** 0.5)
    counted = dict(calls.group_by("agent").len().rows())
    assert counted == {each["agent"]: each["calls"] for each in truth["agents"]}


def test_what_reviews_find_is_what_is_there(sample, truth):
    told = truth["reviews"]
    reviews = pl.read_csv(sample.directory / "reviews.csv")
    random = reviews.filter(pl.col("sampled") == "random")
    marked = 1 - random["passed"].mean()
    assert marked == pytest.approx(told["marked_share_of_reviewed"]["random"])
    # Items of one call share its agent and length: allow for that.
    error = (told["marked_share_expected"] / random.height) ** 0.5 * 1.3
    assert marked == pytest.approx(told["marked_share_expected"], abs=4 * error)
    assert told["wrong_share"] == pytest.approx(truth["worlds"]["log"]["wrong_share"])
    assert told["wrong_share_of_reviewed"]["targeted"] > told["wrong_share"]


def test_removing_a_cause_leaves_everything_else_as_it_was(sample, without):
    for name in ("agents.csv", "schedules.csv", "trainings.csv", "assessments.csv"):
        same = filecmp.cmp(sample.directory / name, without.directory / name, shallow=False)
        assert same, name
    first = ["customer", "service", "arrived_at", "menu_s"]
    pairs = sample.calls.join(without.calls, on=first, how="semi", nulls_equal=True)
    # All but redials and follow-up calls, whose time hangs on how the call before went.
    assert pairs.height > 0.93 * sample.calls.height
    for part in ("worlds", "causes"):
        assert sample.truth["overall"][part] == without.truth["overall"][part]


def test_the_world_without_the_cause_is_the_one_foretold(truth, without):
    foretold, there = truth["worlds"]["without_knowledge_base"], without.truth["people"]["worlds"]
    assert there["log"]["handle_s"] == pytest.approx(foretold["handle_s"], rel=0.003)
    assert there["log"]["wrong_share"] == pytest.approx(foretold["wrong_share"], rel=0.01)
    assert there["log"]["transfer_share"] == pytest.approx(foretold["transfer_share"], rel=0.003)
    tool = without.truth["people"]["effects"]["knowledge_base"]["all"]
    assert tool["handle_s"] == tool["wrong_share"] == tool["transfer_share"] == 0
    # The queue run again without it, and the queue of the centre that never had it.
    again = truth["queue"]["without_knowledge_base"]
    alone = without.truth["people"]["queue"]["log_again"]
    assert again["offered"] == pytest.approx(alone["offered"], rel=0.002)
    assert again["in_time_share"] == pytest.approx(alone["in_time_share"], abs=0.003)


def test_the_queue_feels_what_people_do(sample, truth):
    queue, offered = truth["queue"], sample.offered
    assert queue["log"]["offered"] == offered.height
    abandoned = (offered["outcome"] == "abandoned").mean()
    assert queue["log"]["abandoned_share"] == pytest.approx(abandoned)
    assert queue["log"]["mean_wait_s"] == pytest.approx(offered["wait_s"].mean())
    slower = queue["without_differences"]["effect"]
    assert slower["in_time_share"] > 4 * slower["in_time_share_error"] > 0
    assert slower["abandoned_share"] < 0


@pytest.mark.parametrize(
    ("cause", "alone"),
    [
        ("learning", {"turnover": 2.0, "agent_log_sd": 0.0, **NO_KNOWLEDGE_BASE}),
        ("knowledge_base", {"turnover": 2.0, "agent_log_sd": 0.0, "novice_most": 1.0}),
    ],
)
def test_the_log_gives_the_effect_back(make_sample, cause, alone):
    """One cause alone at work: the difference in log handle time it makes is in the log."""
    parameters = {"novice_least": 1.0} if cause == "knowledge_base" else {}
    alone = {**alone, **parameters, "course_pace": 0.0, "coaching_pace": 0.0, "assist_offer": 0.0}
    made = make_sample(weeks=26, scale=0.05, seed=3, parameters=CentreParameters(**alone))
    days = pl.col("answered_at").dt.convert_time_zone("Asia/Shanghai").dt.date()
    teams = made.rollouts.filter(pl.col("unit_kind") == "team").select("unit", "live_on")
    calls = (
        made.answered.join(made.agents.select("agent", "hired_on", "team"), on="agent")
        .join(teams, left_on="team", right_on="unit")
        .with_columns(
            tenure=(days - pl.col("hired_on")).dt.total_days(),
            live=(days >= pl.col("live_on")).fill_null(value=False),
            log=pl.col("handle_s").log() - pl.col("handle_s").log().mean().over("service"),
        )
    )
    band = (pl.col("tenure") < 90) & (pl.col("live") | (cause == "learning"))
    none = pl.col("tenure") >= 365 if cause == "learning" else ~pl.col("live")
    there, gone = calls.filter(band)["log"], calls.filter(none)["log"]
    acts = "under_90_days" if cause == "learning" else "where_it_acts_under_90_days"
    truth = made.truth["people"]["effects"][cause][acts]["handle_log"]
    error = (there.var() / there.len() + gone.var() / gone.len()) ** 0.5
    assert abs(truth) > 8 * error
    assert there.mean() - gone.mean() == pytest.approx(truth, abs=4 * error + 0.01)
