"""Coverage: shares by hand, what is planted in sample centres, and what cannot be known."""

import datetime as dt
import json
import os
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from ccanalytics import charts, deflection
from ccanalytics.errors import DataError, InputError
from ccanalytics.simulation.sample.parameters import CentreParameters
from ccanalytics.simulation.sample.services import CATALOGUE, draw_go_live, draw_traits

MONDAY = dt.date(2024, 1, 1)
WEEKS = 78
FULL = os.environ.get("CCANALYTICS_FULL") == "1"
WORLDS = 200 if FULL else 16


def panel_of(calls, units, handle_s=None):
    size, weeks = calls.shape
    starts = [dt.datetime(2024, 1, 1) + dt.timedelta(weeks=k) for k in range(weeks)]
    frame = pl.DataFrame(
        {
            "local_start": starts * size,
            "interval_s": [604_800] * (size * weeks),
            "unit": np.repeat(units, weeks),
            "first_attempts": calls.ravel(),
        }
    )
    if handle_s is None:
        return frame
    seconds = (calls * handle_s[:, None]).ravel()
    return frame.with_columns(handled=pl.col("first_attempts"), handle_s=pl.Series(seconds))


def centre(seed):
    """Calls by service and week of a full-size sample centre with SMS-assist alone: its services'
    own traits and days, its weeks' noise; and the effect that each service truly has."""
    p = CentreParameters()
    rng = np.random.default_rng(seed)
    traits = draw_traits(p, rng)
    live = draw_go_live(p, WEEKS * 7, 0, rng).sms
    done = p.sms_delivery * traits.completion
    stays = done * (1 - traits.leakage) + (1 - done) * (1 - p.sms_failed_return)
    # Of calls that ask for an agent all of these come from known customers.
    effect = -p.sms_offer * (1 - p.withheld) * traits.acceptance * stays
    week = np.arange(WEEKS)
    common = np.exp(0.05 * np.sin(week / 8) + rng.normal(0, 0.03, WEEKS))
    own = rng.gamma(1 / p.service_week_cv**2, p.service_week_cv**2, (len(CATALOGUE), WEEKS))
    is_live = week[None, :] >= (live // 7)[:, None]
    mean = 7 * p.calls_per_day * traits.share[:, None] * common * own
    calls = rng.poisson(mean * np.where(is_live, 1 + effect[:, None], 1))
    days = [MONDAY + dt.timedelta(days=int(d)) if d < WEEKS * 7 else None for d in live]
    services = pl.DataFrame(
        {
            "service": [s.code for s in CATALOGUE],
            "name": [s.name for s in CATALOGUE],
            "kind": [s.kind for s in CATALOGUE],
            "sms_assist_before_on": days,
        },
        schema_overrides={"sms_assist_before_on": pl.Date},
    )
    handle = traits.handle_median_s * np.exp(p.handle_log_sd**2 / 2)
    return panel_of(calls, services["service"].to_list(), handle), services, effect


@pytest.fixture(scope="module")
def found():
    """One centre's answer, with its frames and its truth."""
    panel, services, effect = centre(1)
    return deflection.coverage(panel, services), panel, services, effect


# ---- planted truth ------------------------------------------------------------------------------


def test_the_last_ten_launches_are_foretold_in_sample_centres():
    """80% intervals hold six of ten at least, and the error beats one share for all."""
    inside, errors, held = [], [], []
    for seed in range(WORLDS):
        panel, services, effect = centre(100 + seed)
        answer = deflection.coverage(panel, services, hold_out=10)
        assert answer.proof.height == 10
        inside.append(int(answer.proof["inside"].sum()))
        errors.append(answer.weighted_error)
        truth = dict(zip(services["service"], effect, strict=True))
        ahead = answer.ahead
        true = np.array([truth[unit] for unit in ahead["unit"]])
        held += list(
            (ahead["relative_low"].to_numpy() <= true) & (true <= ahead["relative_high"].to_numpy())
        )
    mine, same = np.mean(errors, axis=0)
    assert np.mean(np.array(inside) >= 6) >= (0.9 if FULL else 0.8)
    assert 0.72 <= np.mean(inside) / 10 <= 0.9
    assert mine < 0.97 * same
    # Services that never came within the log: their true effect, within its 80% interval.
    assert 0.72 <= np.mean(held) <= 0.92


def test_the_sample_centre_itself(small_centre):
    """Its own expectation at full size, with the other channels and their dates."""
    folder, log = small_centre
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    weeks, expected = truth["service_weeks"], truth["expected"]["service_weeks"]
    rate = np.array(expected["log"]["requests"]) / truth["scale"]
    calls = np.random.default_rng(2).poisson(rate)
    handle = np.array(expected["log"]["handle_s"]).sum(axis=1) / truth["scale"] / rate.sum(axis=1)
    panel = panel_of(calls, weeks["services"], handle)
    answer = deflection.coverage(panel, log.table("services"), "sms_assist_before")
    assert answer.proof.height == 10
    assert answer.proof["inside"].sum() >= 6
    assert answer.covered == sum(
        each["live_on"]["sms_before_call"] is not None for each in truth["services"]
    )
    without = np.array(expected["without_sms_before_call"]["requests"]) / truth["scale"]
    true = rate[:, -8:].sum(axis=1) / without[:, -8:].sum(axis=1) - 1
    known = dict(zip(weeks["services"], true, strict=True))
    rows = answer.effects
    seen = np.array([known[unit] for unit in rows["unit"]])
    assert np.mean(np.abs(rows["shrunk"].to_numpy() - seen)) < 0.02


def test_the_words_and_the_ranking(found):
    answer, panel, services, _ = found
    words = answer.summary()
    left = answer.ahead
    assert f"covers {answer.covered} of 49 services" in words
    assert f"{left['name'][0]} next would take away" in words
    assert "came out within their 80% intervals" in words
    assert left["removed_per_week"].is_sorted(descending=True)
    assert left["covered_share"][-1] == pytest.approx(1)
    assert left["removed_so_far"].to_list() == pytest.approx(
        left["removed_per_week"].cum_sum().to_list()
    )
    # The error of the sum is less than the errors' sum, and more than if all were independent.
    half = (left["removed_per_week_high"] - left["removed_per_week_low"]) / 2
    whole = (left["removed_so_far_high"][-1] - left["removed_so_far_low"][-1]) / 2
    assert np.sqrt((half**2).sum()) * 0.9 < whole < half.sum() * 1.05
    again = deflection.coverage(panel, services)
    assert again.ahead.equals(answer.ahead)


def test_queries_are_foretold_to_give_more(found):
    answer, *_ = found
    assert "kind" in answer.used
    drawn = answer.effects.group_by("kind").agg(pl.col("shrunk").mean())
    by_kind = dict(drawn.iter_rows())
    assert by_kind["query"] < by_kind["transaction"] < 0


def test_charts_draw_it(found):
    answer, *_ = found
    ahead = charts.coverage_ahead(answer)
    assert answer.ahead["name"][0] in ahead.layout.title.text
    assert charts.coverage_steps(answer).data[-1].x[-1] == pytest.approx(1)
    proof = charts.coverage_proof(answer)
    assert "of the last 10 launches" in proof.layout.title.text
    assert answer.table(3).height == 3
    assert answer.effects_table().height == answer.effects.height


# ---- by hand and at the edges -------------------------------------------------------------------


def small(dates, weeks=30, calls=100):
    units = [f"S{k}" for k in range(len(dates))]
    numbers = np.full((len(units), weeks), calls) + np.arange(len(units))[:, None]
    rng = np.random.default_rng(1)
    days = [None if w is None else MONDAY + dt.timedelta(weeks=w) for w in dates]
    services = pl.DataFrame({"service": units, "web_hall_on": days}).cast({"web_hall_on": pl.Date})
    return panel_of(rng.poisson(numbers), units), services


def test_coverage_is_weighted_by_calls():
    units = ["a", "b", "c"]
    calls = np.array([[60], [30], [10]]) * np.ones((3, 20), int)
    services = pl.DataFrame(
        {"service": units, "web_hall_on": [dt.date(2020, 1, 1), None, dt.date(2030, 1, 1)]}
    )
    answer = deflection.coverage(panel_of(calls, units), services, "web_hall")
    assert (answer.covered, answer.covered_share) == (1, pytest.approx(0.6))
    assert "cannot be known" in answer.summary()
    with pytest.raises(DataError, match="no launch within the log"):
        answer.or_refuse()
    assert not answer.to_frame().height


def test_a_single_launch_teaches_nothing_about_others():
    answer = deflection.coverage(*small([10, None, None, None, None, None]), "web_hall")
    assert "1 launch could be estimated" in answer.refused
    assert "covers 1 of 6 services" in answer.summary()
    with pytest.raises(DataError, match="1 launch"):
        charts.coverage_ahead(answer)
    with pytest.raises(DataError, match="1 launch"):
        answer.effects_table()


def test_none_is_left_to_launch():
    answer = deflection.coverage(*small([10, 11, 12, 13, 14, 15, 27, 28, 29]), "web_hall")
    assert answer.covered_share == pytest.approx(1)
    assert answer.summary().endswith("none is left to launch.")
    with pytest.raises(DataError, match="none is left"):
        answer.table()


def test_few_launches_are_not_held_out():
    answer = deflection.coverage(*small([9, 10, 11, 12, 13, 14, None, None, None]), "web_hall")
    assert answer.refused == ""
    assert not answer.proof.height
    assert any("too few launches" in check.detail for check in answer.checks)
    with pytest.raises(DataError, match="too few launches"):
        charts.coverage_proof(answer)


def test_another_channel_on_the_same_days_is_said():
    panel, services = small([9, 10, 11, 12, 13, 14, None, None, None])
    services = services.with_columns(app_on=pl.col("web_hall_on"))
    answer = deflection.coverage(panel, services, "web_hall")
    assert any(c.status == "fails" and "App took up services" in c.detail for c in answer.checks)


PANEL, SERVICES = small([9, 10, 11, None, None, None])


@pytest.mark.parametrize(
    ("panel", "services", "settings", "kind", "words"),
    [
        (PANEL, SERVICES.drop("web_hall_on"), {}, InputError, "no day on which any channel"),
        (PANEL, SERVICES.with_columns(web_hall_on=pl.lit(None, pl.Date)), {}, InputError, "no day"),
        (PANEL, SERVICES, {"treatment": "fax"}, InputError, "no such channel"),
        (
            PANEL,
            SERVICES.with_columns(app_on=pl.lit(dt.date(2030, 1, 1))),
            {"treatment": "app"},
            DataError,
            "no service is live yet",
        ),
        (PANEL, SERVICES.with_columns(service=pl.lit("S0")), {}, InputError, "stands twice"),
        (
            PANEL,
            SERVICES.with_columns(service="x" + pl.col("service")),
            {},
            DataError,
            "same codes",
        ),
        (PANEL.drop("unit"), SERVICES, {}, InputError, "missing: unit"),
        (PANEL.with_columns(first_attempts=-1), SERVICES, {}, InputError, "first_attempts=-1"),
        (pl.concat([PANEL, PANEL]), SERVICES, {}, InputError, "one row a week"),
        (PANEL, SERVICES, {"count": "sold"}, InputError, "count='sold'"),
        (PANEL, SERVICES, {"min_weeks": 0}, InputError, "min_weeks=0"),
        (PANEL, SERVICES, {"hold_out": 1.5}, InputError, "hold_out=1.5"),
        (PANEL, SERVICES, {"level": 80}, InputError, "level=80"),
        (PANEL, [1], {}, InputError, "got list"),
    ],
)
def test_bad_input_is_named(panel, services, settings, kind, words):
    with pytest.raises(kind) as caught:
        deflection.coverage(panel, services, **settings)
    assert words in str(caught.value)


@pytest.mark.notebook
def test_the_report_says_what_the_library_says(small_centre, tmp_path):
    from ccanalytics.runs import run

    _, log = small_centre
    done = run("coverage", log.path, {"end": "2024-10-01"}, output=tmp_path / "r.html")
    answer = deflection.coverage(log.panel(end="2024-10-01"), log.table("services"))
    assert done.details == answer.summary()
    assert "next would take away" in done.answer
    assert done.charts == 3


@pytest.mark.notebook
def test_the_report_of_a_log_without_services_ends_in_words(make_log, tmp_path):
    from ccanalytics.runs import run

    start = dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)
    log = make_log({"arrived_at": start + dt.timedelta(hours=k)} for k in range(400))
    done = run("coverage", log.path, output=tmp_path / "r.html")
    assert "holds no table of services" in done.answer
    assert done.charts == 0


def test_errors_that_read_alike_are_not_told_apart(found):
    answer = found[0]
    for off, word in ((0.00001, "about"), (0.05, "less than"), (-0.05, "no less than")):
        seen = answer.proof["relative"]
        proof = answer.proof.with_columns(foretold=seen + 0.08, same=seen + 0.08 + off)
        told = replace(answer, proof=proof)
        assert f"is {word} that of one share for all" in told.summary()
