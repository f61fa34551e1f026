"""What truth.json says is what the log shows, and what a world without the cause confirms."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from ccanalytics.simulation import CentreParameters

NO_WEB = {"web_use_query": 0.0, "web_use_transaction": 0.0, "web_takes_sms_hall": 0.0}
NO_CHANNEL = {"sms_offer": 0.0, **NO_WEB}


def within_chance(count, of, share):
    """Whether a count is within what chance allows, at odds of 1 in 10,000 a test."""
    low, high = binom.interval(1 - 1e-4, of, share)
    return low <= count <= high


def matrix(truth, world, measure):
    return np.array(truth["service_weeks"]["worlds"][world][measure])


@pytest.fixture(scope="module")
def without(make_sample):
    """The same seed and centre, had neither channel ever come."""
    return make_sample(weeks=26, scale=0.05, seed=7, parameters=CentreParameters(**NO_CHANNEL))


def test_switching_the_channels_off_gives_the_counterfactual(sample, without):
    for measure in ("calls", "requests", "handle_s"):
        there = matrix(sample.truth, "neither", measure)
        assert (matrix(without.truth, "both", measure) == there).all()
    there = set(without.events.select("channel", "stage").unique().rows())
    assert there == {("sms", "during_call"), ("sms", "own_initiative")}
    assert "diverted" not in set(without.calls["outcome"])
    assert without.truth["overall"]["removed"]["both"]["requests"] == 0


@pytest.mark.parametrize(
    ("off", "world"),
    [
        ({"sms_offer": 0.0}, "web_only"),
        (NO_WEB, "sms_only"),
    ],
)
def test_switching_one_channel_off_gives_the_world_without_it(make_sample, sample, off, world):
    other = make_sample(weeks=26, scale=0.05, seed=7, parameters=CentreParameters(**off))
    for measure in ("calls", "requests", "handle_s"):
        there = matrix(sample.truth, world, measure)
        assert (matrix(other.truth, "both", measure) == there).all()


def test_the_log_without_channels_shows_the_calls_removed(sample, without):
    """First attempts counted from the two logs differ by what the truth says was removed."""

    def first_attempts(log):
        asked = log.offered.with_columns(who=pl.coalesce("customer", "call_id")).sort(
            "who", "service", "arrived_at"
        )
        gap = (
            pl.col("arrived_at") - pl.col("arrived_at").shift(1).over("who", "service")
        ).dt.total_seconds()
        return asked.filter((gap > 86_400).fill_null(True)).height

    removed = sample.truth["overall"]["removed"]["both"]["requests"]
    assert removed > 3000
    # Withheld callers' redials count as first attempts in both logs; hence not to the call.
    assert first_attempts(without) - first_attempts(sample) == pytest.approx(removed, rel=0.02)


def test_causes_add_up_by_service_and_week(sample):
    causes = {
        name: np.array(values) for name, values in sample.truth["service_weeks"]["causes"].items()
    }
    told = (
        matrix(sample.truth, "neither", "requests")
        - causes["web_taken"]
        + causes["web_given_back"]
        + causes["web_caused"]
        - causes["sms_taken"]
        + causes["sms_given_back"]
    )
    assert (told == matrix(sample.truth, "both", "requests")).all()
    assert len(sample.truth["service_weeks"]["services"]) == 49
    assert sample.truth["service_weeks"]["weeks"][1] == "2024-01-08"


def test_weeks_of_the_truth_are_weeks_of_the_log(sample):
    monday = pl.col("arrived_at").dt.convert_time_zone("Asia/Shanghai").dt.truncate("1w").dt.date()
    diverted = sample.calls.filter(pl.col("outcome") == "diverted")
    seen = diverted.group_by("service", monday.cast(pl.String).alias("week")).len()
    truth = sample.truth["service_weeks"]
    taken = np.array(truth["causes"]["sms_taken"])
    assert seen["len"].sum() == taken.sum()
    for service, week, count in seen.rows():
        assert taken[truth["services"].index(service), truth["weeks"].index(week)] == count


def test_calls_in_the_log_are_those_of_the_truth(sample):
    overall = sample.truth["overall"]
    repeats = overall["repeats"]
    assert sample.first_line.height == (
        overall["worlds"]["both"]["calls"] + repeats["redials"] + repeats["follow_up_calls"]
    )
    assert repeats["first_requests"] == overall["worlds"]["both"]["requests"]


@pytest.mark.parametrize(
    ("stage", "of", "share", "probability"),
    [
        ("before_call", "event_id", "accepted", "sms_acceptance"),
        ("before_call", "delivered", "completed", "sms_completion_of_delivered"),
        ("own_initiative", "accepted", "completed", "web_completion"),
        ("during_call", "event_id", "accepted", "assist_acceptance"),
    ],
)
def test_the_funnel_is_within_chance_of_its_probabilities(sample, stage, of, share, probability):
    base = sample.events.filter(pl.col("stage") == stage)
    if stage == "own_initiative":
        base = base.filter(pl.col("channel") == "web")
    if of != "event_id":
        base = base.filter(pl.col(of))
    seen = {
        service: (took, size)
        for service, took, size in base.group_by("service")
        .agg(pl.col(share).sum().alias("took"), pl.len().alias("size"))
        .rows()
    }
    assert len(seen) > 30
    for each in sample.truth["services"]:
        took, size = seen.get(each["service"], (0, 0))
        assert within_chance(took, size, each["probabilities"][probability]), each["service"]


def test_contacts_of_the_truth_are_events_of_the_log(sample):
    contacts = sample.truth["overall"]["contacts"]
    events = sample.events
    before = events.filter(pl.col("stage") == "before_call")
    during = events.filter(pl.col("stage") == "during_call")
    web = events.filter(pl.col("channel") == "web")
    assert contacts["sms_offered"] == before.height
    assert contacts["sms_accepted"] == before["accepted"].sum()
    assert contacts["sms_delivered"] == before["delivered"].sum()
    assert contacts["sms_completed"] == before["completed"].sum()
    assert contacts["assist_offered"] == during.height
    assert contacts["assist_accepted"] == during["accepted"].sum()
    taken = sample.truth["expected"]["cannibalised"]["from_sms_hall"]["counted"]
    assert web.height == (
        contacts["web_sessions_of_callers"] + contacts["web_sessions_new_demand"] + taken
    )
    for name, total in contacts.items():
        assert total == sum(each["counts"][name] for each in sample.truth["services"])


def test_leakage_in_the_log_is_the_true_one_and_a_little_chance(sample):
    end = sample.calls["arrived_at"].max()
    for stage, channel in (("before_call", "sms"), ("own_initiative", "web")):
        done = sample.events.filter(
            (pl.col("stage") == stage) & (pl.col("channel") == channel) & pl.col("completed")
        )
        later = done.join(
            sample.offered.select("customer", "service", "arrived_at"), on=["customer", "service"]
        ).filter(
            (pl.col("arrived_at") > pl.col("at"))
            & (pl.col("arrived_at") <= pl.col("at") + pl.duration(days=7))
        )
        seen = later["event_id"].n_unique()
        true = sample.truth["overall"]["contacts"][f"{channel}_completed_returned_7d"]
        withheld = 0.04 if channel == "web" else 0.0
        assert seen >= true * (1 - withheld) - 4 * (true * withheld) ** 0.5 - 1
        assert seen - true < 0.03 * done.height
    # The probability itself: contacts near the end of the log may come back after it.
    done = sample.events.filter((pl.col("stage") == "before_call") & pl.col("completed"))
    leaks = {
        each["service"]: each["probabilities"]["sms_leakage_of_completed"]
        for each in sample.truth["services"]
    }
    in_all = sum(leaks[name] for name in done["service"])
    early = done.filter(pl.col("at") < end - pl.duration(days=14))
    surely = sum(leaks[name] for name in early["service"])
    true = sample.truth["overall"]["contacts"]["sms_completed_returned_14d"]
    assert surely - 4 * surely**0.5 < true < in_all + 4 * in_all**0.5


def test_failed_diversions_call_again(sample):
    failed = sample.events.filter(
        (pl.col("stage") == "before_call") & pl.col("accepted") & ~pl.col("completed")
    )
    again = failed.join(
        sample.offered.select("customer", "service", "arrived_at"), on=["customer", "service"]
    ).filter(pl.col("arrived_at") > pl.col("at"))
    assert 0.7 < again["event_id"].n_unique() / failed.height < 0.9


def test_assist_saves_ten_seconds_of_the_calls_that_accept(sample, make_sample):
    # Whoever answers takes as long as anyone else, or the queue's own feedback would show.
    off = "agent_log_sd kb_talk_novice kb_talk_expert course_pace coaching_pace"
    alike = {"novice_least": 1.0, "novice_most": 1.0} | dict.fromkeys(off.split(), 0.0)
    sample, plain = (
        make_sample(
            weeks=26, scale=0.05, seed=7, parameters=CentreParameters(assist_offer=offer, **alike)
        )
        for offer in (0.3, 0.0)
    )
    assert "during_call" not in set(plain.events["stage"])
    key = ["customer", "service", "arrived_at"]
    offers = sample.events.filter(pl.col("stage") == "during_call").select("call_id", "accepted")
    pairs = (
        sample.answered.join(offers, on="call_id")
        .join(plain.answered.select(*key, "handle_s", "talk_s"), on=key, suffix="_without")
        .with_columns(saved=pl.col("handle_s_without") - pl.col("handle_s"))
    )
    assert pairs.height > 0.9 * offers.height
    # A redial may come at another second in the other world, and another call in its place.
    took, declined = pairs.filter(pl.col("accepted")), pairs.filter(~pl.col("accepted"))
    assert (took["saved"] == 10).mean() > 0.999
    assert (declined["saved"] == 0).mean() > 0.999
    assert took["talk_s_without"].min() >= 30
    counts = sample.truth["overall"]["contacts"]
    assert counts["assist_saved_s"] == 10 * counts["assist_accepted"]


def test_web_sessions_are_part_displaced_calls_part_new_demand(sample):
    counts = sample.truth["overall"]["contacts"]
    ratio = counts["web_sessions_new_demand"] / counts["web_sessions_of_callers"]
    assert ratio == pytest.approx(CentreParameters().web_new_demand, rel=0.06)
    removed = sample.truth["overall"]["removed"]["web"]["requests"]
    completed = sample.events.filter((pl.col("channel") == "web") & pl.col("completed")).height
    assert 0 < removed < completed / 2  # sessions are not calls saved


def test_handle_times_are_those_of_the_truth(sample):
    means = dict(sample.answered.group_by("service").agg(pl.col("handle_s").mean()).rows())
    sizes = dict(sample.answered.group_by("service").len().rows())
    for each in sample.truth["services"]:
        # Of a typical agent there; of those who took the calls here.
        mean = each["handle"]["mean_s"] * sample.truth["people"]["worlds"]["log"]["pace"]
        size = sizes[each["service"]]
        error = mean * (np.exp(each["handle"]["log_sd"] ** 2) - 1) ** 0.5 / size**0.5
        # Re-contacts run a little longer, assisted calls a little shorter.
        assert abs(means[each["service"]] - mean) < 4 * error + 0.02 * mean


def test_the_truth_lists_every_parameter_and_no_defect_yet(sample):
    listed = sample.truth["parameters"]
    assert set(listed) == {each.name for each in fields(CentreParameters)}
    for each in listed.values():
        assert each["unit"]
        assert each["meaning"]
    assert sample.truth["defects"] == []
    assert sample.truth["seed"] == 7
    assert set(sample.truth["meanings"]) >= {"worlds", "requests", "removed", "causes"}


def test_arithmetic_is_of_the_whole_centre(year):
    figures = year.centre.arithmetic
    assert figures["calls_a_day"] == pytest.approx(year.first_line.height / 364 / 0.1)
    assert figures["calls_ten_months"] == pytest.approx(300 * figures["calls_a_day"])
    assert 0.05 < figures["removed_by_both"] < 0.10
    offers = year.events.filter(pl.col("stage") == "before_call")
    assert figures["acceptance"] == pytest.approx(offers["accepted"].mean())
