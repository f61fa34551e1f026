"""The files of the demand side, and the expectations in ``truth.json``, as a reader sees them."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics import Queue, ServiceLevel
from ccanalytics.schema import TABLES
from ccanalytics.simulation.sample.removed import CAUSES

ZONE = "Asia/Shanghai"
DATES = {"joined_on", "left_on", "started_on", "ended_on", "on", "from_on"}


@pytest.fixture(scope="module")
def table(sample):
    def read(name):
        frame = pl.read_csv(sample.directory / f"{name}.csv", infer_schema_length=None)
        assert frame.columns == [each for each in TABLES[name].names if each in frame.columns]
        assert frame.select(TABLES[name].key).is_duplicated().sum() == 0
        return frame.with_columns(
            pl.col(each).str.to_date() for each in frame.columns if each in DATES
        )

    return read


def test_every_caller_is_a_customer_of_the_client_called(sample, table):
    customers = table("customers")
    calls = sample.first_line.drop_nulls("customer").join(customers, on="customer", how="left")
    assert calls["province"].null_count() == 0
    assert (calls["client"] == calls["province"] + " Mobile").all()
    assert set(table("contracts")["client"]) == set(sample.calls["client"])
    home = calls.filter(pl.col("province") == "Central")
    assert set(home["line_group"]) == {"central-1", "central-2"}
    assert 0.8 < home.height / calls.height < 0.92
    # Of withheld numbers the line is known, and so the client.
    assert sample.calls.filter(pl.col("customer").is_null())["client"].n_unique() == 3
    assert set(customers["bill_day"]) == {1, 5, 10, 15, 20}
    gone = customers.drop_nulls("left_on")
    assert (gone["left_on"] > gone["joined_on"]).all()
    assert 0.04 < gone.height / customers.height < 0.08  # 12% a year leave, in half a year


def test_days_of_the_log_are_all_in_the_calendar(sample, table):
    days = table("days")
    local = sample.calls["arrived_at"].dt.convert_time_zone(ZONE).dt.date()
    assert set(local) <= set(days["on"])
    assert days.height == 182
    assert days.filter(pl.col("make_up"))["on"].cast(pl.String).to_list() == [
        "2024-02-04",
        "2024-02-18",
        "2024-04-07",
        "2024-04-28",
        "2024-05-11",
    ]
    assert set(days.filter(pl.col("bill_run"))["on"].dt.day()) == {1, 5, 10, 15, 20}
    volume = local.value_counts().rename({"arrived_at": "on"}).join(days, on="on")
    make_up = volume.filter(pl.col("make_up"))["count"].mean()
    weekend = volume.filter(~pl.col("workday") & pl.col("holiday").is_null())["count"].mean()
    assert make_up > 1.05 * weekend


def test_reminders_go_to_subscribers_and_invitations_to_waves(sample, table):
    subscriptions, reminders = table("subscriptions"), table("reminders")
    sent = reminders.with_columns(
        on=pl.col("sent_at")
        .str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
        .dt.convert_time_zone(ZONE)
        .dt.date()
    )
    # The term that had begun before the day: one ends on the day on which the next begins.
    reminded = (
        sent.filter(pl.col("kind") == "reminder")
        .with_columns(before=pl.col("on") - timedelta(days=1))
        .sort("before")
        .join_asof(
            subscriptions.sort("started_on"),
            left_on="before",
            right_on="started_on",
            by="customer",
            suffix="_of",
            check_sortedness=False,
        )
    )
    assert reminded["started_on"].null_count() == 0
    assert (reminded["on"] > reminded["started_on"]).all()
    assert (reminded["on"] <= reminded["started_on"] + timedelta(days=90)).all()
    assert set(reminded["on"].dt.day()) == {5, 10, 15, 25}
    assert reminded["wave"].null_count() == reminded.height
    # METHODS.md §8.1: twelve reminders in ninety days, or eleven.
    whole = reminded.filter(pl.col("started_on") < pl.date(2024, 3, 20))
    per = whole.group_by("customer", "started_on").len()["len"]
    assert per.max() <= 12
    assert set(per.mode()) <= {11, 12}

    invited = sent.filter(pl.col("kind") == "invitation")
    assert invited["customer"].n_unique() == invited.height
    campaigns = table("days").drop_nulls("campaign").select("on", "campaign")
    joined = invited.join(campaigns, on="on", how="left")
    assert (joined["campaign"] == joined["wave"]).all()
    own = ~pl.col("source").is_in(["keyword", "renewal"])
    by_wave = subscriptions.filter(own).join(invited, on="customer")
    assert by_wave.height > 500
    assert (by_wave["source"] == by_wave["wave"]).all()
    assert (by_wave["started_on"] >= by_wave["on"]).all()


def test_expected_removals_are_near_those_counted(sample):
    overall, expected = sample.truth["overall"], sample.truth["expected"]
    causes = overall["causes"]
    for name, counted in (
        ("sms_before_call", "sms_before_call"),
        ("web", "web"),
        ("sms_before_call_and_web", "both"),
        ("reminders", "reminders"),
    ):
        mean = expected["removed"][name]["requests"]
        # Every request taken, given back or caused is one independent difference.
        moved = sum(count for each, count in causes.items())
        assert abs(overall["removed"][counted]["requests"] - mean) < 4.5 * moved**0.5
        assert mean > 0
    log = expected["worlds"]["log"]
    assert overall["worlds"]["both"]["requests"] == pytest.approx(log["requests"], rel=0.005)
    saved = expected["removed"]["sms_during_call"]
    assert saved["requests"] == 0
    # Told of all requests, if answered; counted are those answered.
    told = overall["contacts"]["assist_saved_s"] / saved["handle_s"]
    assert 0.85 < told < 1.02


def test_joint_and_single_removals_are_both_there(sample):
    removed = sample.truth["expected"]["removed"]
    assert set(removed) == set(CAUSES)
    single = sum(removed[each]["requests"] for each in ("sms_before_call", "web", "reminders"))
    assert removed["all"]["requests"] != pytest.approx(single, rel=0.001)
    assert removed["all"]["requests"] == pytest.approx(single, rel=0.1)
    for each in removed.values():
        assert each["agent_erlangs"] == pytest.approx(each["handle_s"] / (182 * 86_400))
    weeks = sample.truth["expected"]["service_weeks"]
    gone = np.array(weeks["without_web"]["requests"]) - np.array(weeks["log"]["requests"])
    assert gone.shape == (49, 26)
    assert gone.sum() == pytest.approx(removed["web"]["requests"], rel=1e-3)


def test_seats_are_those_of_the_queue_that_planners_use(sample):
    seats = sample.truth["expected"]["seats"]["last_28_days"]
    assert set(seats["removed"]) == set(CAUSES)
    log = seats["log"]
    assert seats["without_all"]["seat_hours_a_week"] > log["seat_hours_a_week"]
    assert log["seat_hours_a_week_fractional"] <= log["seat_hours_a_week"]
    # Roughly the busiest half-hour of the log's last four weeks.
    local = sample.offered.with_columns(
        at=pl.col("arrived_at").dt.convert_time_zone(ZONE).dt.replace_time_zone(None)
    ).filter(pl.col("at") >= pl.datetime(2024, 6, 3))
    busiest = (
        local.filter(pl.col("at").dt.weekday() < 5)
        .group_by(half=pl.col("at").dt.hour() * 2 + pl.col("at").dt.minute() // 30)
        .len()
        .sort("len")["len"][-1]
        / 20
    )
    handle = sample.answered["handle_s"].mean()
    near = Queue(calls=busiest, per=1800, aht=handle).agents_for(ServiceLevel(0.8, within=20))
    assert abs(near - log["busiest"]) <= 1


def test_more_is_removed_of_what_is_offered_than_of_what_is_wanted(sample):
    offered = sample.truth["offered"]
    for cause in ("sms_before_call", "web", "sms_before_call_and_web"):
        removed, there = offered["removed"][cause], offered["worlds"][f"without_{cause}"]
        assert there["redials"] > offered["log_again"]["redials"]
        assert removed["offered_share"] > removed["agent_s_share"]
        assert removed["offered_error"] < 0.02 * removed["offered"]
    log = offered["log"]
    assert log["offered"] == log["answered"] + log["abandoned"]
    assert log["offered"] == sample.offered.height
    assert log["abandoned"] == sample.offered.filter(pl.col("outcome") == "abandoned").height


def test_the_published_figures_and_their_base_are_held_side_by_side(sample):
    figures = sample.centre.arithmetic
    # METHODS.md §8.1: 110,000 at 7% imply 1.571 million calls.
    assert figures["published_base_calls"] == pytest.approx(1.571e6, rel=1e-3)
    share = sample.truth["parameters"]["published_base"]["value"]
    assert figures["declared_base_calls_ten_months"] == pytest.approx(
        share * figures["calls_ten_months"]
    )
    assert figures["declared_base_calls_ten_months"] == pytest.approx(1.571e6, rel=0.06)
    (said,) = (c for c in sample.centre.checks if c.name == "base of the published 7%")
    assert "24%" in said.detail
