"""Quality of the sample centre, held against what is true of it; and the report of it."""

import datetime as dt
import json
import os

import numpy as np
import polars as pl
import pytest

from ccanalytics import CallLog, quality
from ccanalytics.runs import run
from ccanalytics.simulation import write_centre

FULL = os.environ.get("CCANALYTICS_FULL") == "1"


@pytest.fixture(scope="module")
def truth(small_centre):
    return json.loads((small_centre[0] / "truth.json").read_text("utf-8"))


def marking(truth):
    """Chances that a reviewer marks a wrong item, and a right one, as wrong; by reviewer."""
    strict = np.array(list(truth["people"]["reviews"]["strictness_logit"].values()))
    return (
        1 / (1 + np.exp(-np.log(p / (1 - p)) - strict))
        for p in (truth["parameters"][n]["value"] for n in ("reviewer_finds", "reviewer_false"))
    )


def holds(estimate, value):
    return estimate.low <= value <= estimate.high


def test_random_reviews_hold_what_reviewers_would_mark_in_all_calls(small_centre, truth):
    """Targeted reviews look at worse calls, and say nothing of all."""
    _, log = small_centre
    found = quality.error_rates(log.reviews(["agent"]), calls=log.agent_calls())
    told = truth["people"]["reviews"]
    assert holds(found.of("random"), told["marked_share_expected"])
    assert holds(found.at_large, told["marked_share_expected"])
    seen = found.overall.filter(pl.col("sampled") == "targeted").row(0, named=True)
    assert seen["reviews"] == told["reviews"]["targeted"]
    assert seen["item_error"] == pytest.approx(told["marked_share_of_reviewed"]["targeted"])
    mine = found.overall.filter(pl.col("sampled") == "random").row(0, named=True)
    assert mine["reviews"] + mine["repeated"] == told["reviews"]["random"]
    # One item after the other: at most one in five may miss by chance.
    items = quality.error_rates(log.reviews(["item"]))
    finds, false = (each.mean() for each in marking(truth))
    held = [
        row["item_error_low"] <= finds * wrong + false * (1 - wrong) <= row["item_error_high"]
        for row in items.table().iter_rows(named=True)
        for wrong in [told["wrong_share_by_item"][row["item"]]]
    ]
    assert sum(held) >= 4


def test_reviewers_agree_as_their_errors_let_them(small_centre, truth):
    _, log = small_centre
    found = quality.agreement(log.review_pairs())
    finds, false = marking(truth)
    wrong = truth["people"]["reviews"]["wrong_share"]
    assert finds.size == 2
    both = wrong * finds.prod() + (1 - wrong) * false.prod()
    one, two = wrong * finds + (1 - wrong) * false
    by_chance = one * two + (1 - one) * (1 - two)
    agreed = both + (1 - one - two + both)
    kappa = (agreed - by_chance) / (1 - by_chance)
    assert holds(found.kappa, kappa)


def test_tickets_are_closed_and_come_back_as_planted(small_centre, truth):
    _, log = small_centre
    # The records tell the last closing: only tickets never opened again show the first.
    found = quality.tickets(log.tickets(["owner"]), reopened=False)
    told = truth["tickets"]
    for row in found.groups.iter_rows(named=True):
        owner = told["owners"][row["owner"]]
        assert (row["tickets"], row["open"]) == (owner["tickets"], owner["open_at_end"])
        # Hours are whole: one to either side.
        low, high = row["median_hours_low"] - 1, row["median_hours_high"] + 1
        assert low <= owner["median_s"] / 3600 <= high
    row = found.overall.row(0, named=True)
    assert row["reopened"] == told["reopened"]
    assert row["reopen_rate_low"] <= truth["parameters"]["ticket_reopened"]["value"]
    assert row["reopen_rate_high"] >= truth["parameters"]["ticket_reopened"]["value"]
    assert row["tickets"] == told["opened"]["counted"]


def test_bounds_hold_the_satisfaction_of_all_and_those_who_answered_do_not(small_centre, truth):
    _, log = small_centre
    found = quality.satisfaction(log.surveys(["wait", "transfer", "tier", "service"]))
    told = truth["people"]["surveys"]
    assert found.response.value == pytest.approx(told["response_share_expected"], abs=0.02)
    assert holds(found.mean, told["mean_score_expected_of_responders"])
    assert holds(found.mean_bounds, told["mean_score"])
    assert holds(found.top_bounds, told["share_4_or_5"])
    # The unhappy answer more often whatever their call was: weighting cannot mend that.
    assert found.mean.high < told["mean_score"]
    assert found.mean_weighted.high < told["mean_score"]


def test_first_contacts_asked_again_are_those_left_unsettled(small_centre, truth):
    """Shorter windows find fewer; within a day it is at least what the world leaves unsettled."""
    _, log = small_centre
    found = quality.first_contact_resolution(log.resolutions())
    shares = found.windows["resolution"].to_list()
    assert shares == sorted(shares, reverse=True)
    agents = found.windows["first_contacts"].to_list()
    assert agents == sorted(agents, reverse=True)
    assert 0.8 < found.within(7).value < 0.97


def test_agents_relative_time_is_that_of_their_pace(small_centre, truth):
    """Rank correlation with the true pace; and errors drawn to the mean are nearer to the truth."""
    _, log = small_centre
    found = quality.frontier(log.agent_calls(), log.reviews(["agent"]))
    told = pl.DataFrame(truth["people"]["agents"]).select("agent", "mean_pace", "wrong_share")
    both = found.frame.join(told, on="agent")
    assert both.select(pl.corr("relative_aht", "mean_pace", method="spearman")).item() > 0.9
    finds, false = (each.mean() for each in marking(truth))
    marked = finds * both["wrong_share"] + false * (1 - both["wrong_share"])
    raw = float(((both["item_error"] - marked) ** 2).mean())
    drawn = float(((both["item_error_shrunk"] - marked) ** 2).mean())
    assert drawn < raw
    rho = both.select(pl.corr("mean_pace", "wrong_share", method="spearman")).item()
    assert holds(found.correlation, rho)


@pytest.mark.skipif(not FULL, reason="ten centres take some minutes (CCANALYTICS_FULL=1)")
def test_ten_centres(tmp_path):
    """Of ten centres the random sample holds the truth, and both samples together do not."""
    held = pooled = weighted = 0
    for seed in range(1, 11):
        folder = tmp_path / f"centre{seed}"
        write_centre(folder, weeks=78, scale=0.05, seed=seed)
        log = CallLog(tmp_path / f"{seed}.duckdb")
        log.load(folder, "ccanalytics")
        told = json.loads((folder / "truth.json").read_text("utf-8"))["people"]["reviews"]
        marked = told["marked_share_expected"]
        frame = log.reviews(["agent"])
        found = quality.error_rates(frame, calls=log.agent_calls())
        both = quality.error_rates(frame.with_columns(sampled=pl.lit("random")))
        held += holds(found.of("random"), marked)
        weighted += holds(found.at_large, marked)
        pooled += holds(both.of("random"), marked)
        print(seed, marked, found.of("random"), found.at_large, both.of("random"), flush=True)
    assert held >= 8
    assert weighted >= 8
    assert pooled <= 5


@pytest.mark.notebook
def test_the_report_says_what_the_library_says(small_centre, tmp_path):
    _, log = small_centre
    done = run("quality", log.path, {"agent": "A0003"}, output=tmp_path / "q.html")
    errors = quality.error_rates(log.reviews(["agent"]), calls=log.agent_calls())
    assert done.answer == errors.headline()
    html = done.output.read_text(encoding="utf-8")
    assert done.charts >= 9
    for said in (
        quality.satisfaction(log.surveys(["wait", "transfer", "tier", "service"])).headline(),
        quality.first_contact_resolution(log.resolutions()).headline(),
        quality.agreement(log.review_pairs()).headline(),
    ):
        assert said in html
    assert "Agent A0003, " in html
    assert "Traceback" not in html
    for raw in ("item_error", "first_contacts", "second_line<", "median_hours", "NaN", "nan<"):
        assert raw not in html.split("<body>", 1)[1].split("<script", 1)[0], raw


@pytest.mark.notebook
def test_a_log_of_calls_alone_gets_a_report_of_what_it_holds(make_log, tmp_path):
    rng = np.random.default_rng(2)
    start = dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)
    log = make_log(
        {
            "arrived_at": start + dt.timedelta(minutes=30 * int(k)),
            "customer": f"k{rng.integers(800)}", "service": "bill", "agent": f"a{k % 3}",
            "talk_s": 60 + k % 90, "wait_s": 5,
        }
        for k in range(900)
    )  # fmt: skip
    done = run("quality", log.path, output=tmp_path / "q.html")
    html = done.output.read_text(encoding="utf-8")
    assert "The log holds no reviews" in html
    assert "The log holds no surveys" in html
    assert "The log holds no tickets" in html
    assert "first contacts" in html
    assert "Agent a0, 300 answered calls" in html
    assert "Limits of this answer" in html
    assert "Traceback" not in html
