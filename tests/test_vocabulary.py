"""Every measure is defined once, and frames use no other names."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from ccanalytics import ServiceLevel, vocabulary
from ccanalytics.errors import InputError
from ccanalytics.vocabulary import MEASURES, Measure, measure

# Columns that say when, where and over what, not how much.
GRID = {
    "interval_start",
    "local_start",
    "utc_offset_s",
    "interval_s",
    "window_s",
    "window_days",
    "lookback_days",
    "seconds",
    "unit",
    "queue",
    "outcome",
    "service",
    "channel",
    "stage",
    "queued",
    "state",
    "activity",
    "overlapping",
    "agent",
    "day",
    "item",
    "reviewer",
    "other",
    "sampled",
    "passed",
    "other_passed",
    "score",
    "owner",
}


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_is_told_in_full(name):
    told = MEASURES[name]
    assert told.name == name
    assert told.label
    assert told.definition
    assert re.search(r"[\u4e00-\u9fff]", told.label_zh), "a Chinese label has Chinese letters"
    assert name.endswith("_s") == (told.unit == "s") or name in ("asa", "mean_wait")
    assert told.axis.startswith(told.label)
    assert told.unit in Measure.__doc__, "the units in use are those that are documented"


def test_every_measure_is_defined_once():
    names = [
        row[0]
        for module, rows in vars(vocabulary).items()
        if module.endswith("_MEASURES")
        for row in rows
    ]
    assert len(names) == len(MEASURES)
    assert [name for name in set(names) if names.count(name) > 1] == []


def test_labels_are_not_mistaken_for_one_another():
    """Two names may share a label only if they are one quantity (a log's and a model's)."""
    seen = {}
    for told in MEASURES.values():
        other = seen.setdefault(told.label, told)
        assert other.unit == told.unit, told.label


def test_shares_are_shares_and_no_percent():
    for told in MEASURES.values():
        assert "percent" not in told.unit
        assert "%" not in told.label


@pytest.mark.parametrize(
    ("name", "label", "zh"),
    [
        ("answered_in_20s", "Answered within 20 s", "20秒内接通"),
        ("abandoned_in_7.5s", "Abandoned within 7.5 s", "7.5秒内放弃"),
    ],
)
def test_counts_within_a_threshold_are_told_from_their_name(name, label, zh):
    told = measure(name)
    assert (told.label, told.label_zh, told.unit) == (label, zh, "calls")
    assert told.name == name


@pytest.mark.parametrize(
    "name", ["nothing", "", "answered_in_s", "blocked_in_20s", "answered_in_20", "Answered"]
)
def test_a_measure_that_does_not_exist_is_refused(name):
    with pytest.raises(InputError, match="no such measure"):
        measure(name)


def test_frames_of_the_log_use_these_names_and_no_other(make_log):
    at = datetime(2025, 3, 3, 9, tzinfo=UTC)
    log = make_log(
        [
            {
                "arrived_at": at,
                "answered_at": at,
                "agent": "x",
                "customer": "a",
                "service": "S1",
                "wait_s": 1.0,
                "talk_s": 2.0,
            }
        ],
        agent_states=[
            {
                "agent": "x",
                "state": "handling",
                "started_at": at,
                "ended_at": at + timedelta(seconds=2),
            }
        ],
        self_service=[
            {"at": at + timedelta(hours=1), "channel": "sms", "stage": "reminder", "service": "S1"}
        ],
        reviews=[
            {"review_id": r, "call_id": "c0", "reviewer": r, "item": "i", "passed": True, "at": at}
            for r in "xy"
        ],
        surveys=[{"call_id": "c0", "channel": "sms", "sent_at": at}],
        tickets=[{"ticket": "t", "opened_at": at, "owner": "o"}],
    )
    goals = [
        ServiceLevel(0.8, 20),
        ServiceLevel(0.8, 7.5, counting="abandoned_in_time"),
        ServiceLevel(0.8, 20, counting="short_excluded", short=5),
    ]
    frames = {
        "intervals": log.intervals("1d", by="queue", goals=goals),
        "demand": log.demand("1d", by="queue"),
        "panel": log.panel("service", "1d", goals),
        "busy": log.busy("1d"),
        "lines": log.lines("1d", by="queue"),
        "busy_hours": log.busy_hours(),
        "recontacts": log.recontacts(),
        "self_service": log.self_service(),
        "episodes": log.episodes(),
        "handle_times": log.handle_times(),
        "agent_handling": log.agent_handling(),
        "waits": log.waits(by="queue"),
        "redials": log.redials(),
        "agents_present": log.agents_present(),
        "agent_time": log.agent_time(),
        "activities": log.activities().rename({"seconds": "actual_s"}),
        "reviews": log.reviews(every="1d"),
        "review_pairs": log.review_pairs(),
        "surveys": log.surveys(["agent"]),
        "tickets": log.tickets(["owner"]),
        "tickets_opened": log.tickets_opened("1d"),
        "resolutions": log.resolutions(),
        "agent_calls": log.agent_calls(),
    }
    unknown = {}
    for source, frame in frames.items():
        for name in set(frame.columns) - GRID:
            try:
                measure(name)
            except InputError:
                unknown.setdefault(source, set()).add(name)
    assert unknown == {}


def test_frames_of_models_and_simulations_use_these_names_and_no_other():
    import polars as pl

    from ccanalytics import Queue, queueing, simulation

    start = datetime(2025, 3, 3, 9, tzinfo=UTC)
    demand = pl.DataFrame(
        {
            "interval_start": [start, start + timedelta(minutes=30)] * 2,
            "interval_s": [1800.0] * 4,
            "calls": [10.0] * 4,
            "aht_s": [180.0] * 4,
            "queue": ["a", "a", "b", "b"],
        }
    )
    goals = [ServiceLevel(0.8, 20), ServiceLevel(0.9, 30)]
    found = simulation.simulate(demand, {"x": 2, "y": 1}, goals=goals, replications=2)
    frames = {
        "intervals": found.intervals,
        "overall": found.overall,
        "types": found.types,
        "interval_types": found.interval_types,
        "groups": found.groups.drop("group"),
        "transient": queueing.transient([10, 20], 1800, 180, 3, 60).to_frame(),
        "menu": queueing.MenuQueue(10, 60, 60, 0.7, 180).performance(22, 35).to_frame(),
        "load": queueing.modified_offered_load([10, 20], 1800, 180).to_frame(),
        "queue": Queue(100, 1800, 180).performance(14).to_frame(),
    }
    for source, frame in frames.items():
        for name in set(frame.columns) - GRID:
            assert measure(name).name == name, source


def test_frames_of_plans_of_lines_use_these_names_and_no_other():
    from datetime import date

    import polars as pl

    from ccanalytics import staffing

    start = datetime(2025, 3, 3, 9, tzinfo=UTC)
    hour = pl.DataFrame(
        {"interval_start": [start], "interval_s": [3600], "calls": [60.0], "aht_s": [180.0]}
    )
    goal = ServiceLevel(0.8, 20)
    plan = staffing.trunks(hour, goal, menu=60, to_agent=0.7)
    coming = staffing.trunk_growth(
        1, goal, hour, first=date(2025, 3, 1), subscribers=1000, contact_rate=1
    )
    trick = staffing.busy_signal(60, 3600, 180, goal, agents=4)
    frames = {
        "trunks": plan.frame,
        "weighed": plan.options,
        "growth": coming.frame.drop("month"),
        "trick": trick.frame,
        "overflow": staffing.overflow_plan({"a": (3, 2)}).frame.drop("line_group"),
    }
    for source, frame in frames.items():
        for name in set(frame.columns) - GRID:
            assert measure(name).name == name, source


def test_limits_and_further_goals_are_told_from_their_name():
    assert measure("abandonment_low").label == "Abandonment, lower limit"
    assert measure("service_level_2_high").label == "Service level 2, upper limit"
    with pytest.raises(InputError, match="no such measure"):
        measure("nothing_low")
