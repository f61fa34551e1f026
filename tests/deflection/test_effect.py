"""Effects with a control: from frames of a log to seats, and the charts of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, charts, deflection
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Estimate
from ccanalytics.simulation.panels import RollOut, draw_panels
from ccanalytics.statistics.effects import NEVER, staggered

GOAL = ServiceLevel(0.8, within=20)


@pytest.fixture(scope="module")
def panels():
    both = [RollOut(treatment="sms_assist_before", effect=-0.15),
            RollOut(treatment="web_hall", effect=-0.1)]  # fmt: skip
    return draw_panels(worlds=3, seed=4, units=30, effect=both)


@pytest.fixture(scope="module")
def found(panels):
    return deflection.effect(panels.panel(0), panels.rollouts(0), "sms_assist_before")


def test_frames_lead_to_the_estimate_of_their_arrays(panels):
    one = draw_panels(worlds=1, seed=9, units=20, effect=-0.2)
    got = deflection.effect(one.panel(0), one.rollouts(0))
    live = one.truth(0).plan.live
    direct = staggered(
        one.world(0).factual.first_attempts,
        np.where(live < 0, NEVER, live),
        units=one.units,
        weeks=list(range(78)),
    )
    assert got.relative.value == pytest.approx(direct.relative.value, abs=1e-9)
    assert got.units == direct.units
    assert f"{got.units} units together" in got.summary()


def test_each_of_two_roll_outs_is_found_beside_the_other(panels, found):
    for treatment, true in (("sms_assist_before", -0.15), ("web_hall", -0.1)):
        for world in range(3):
            got = deflection.effect(panels.panel(world), panels.rollouts(world), treatment)
            half = (got.relative.high - got.relative.low) / 2
            assert got.relative.value == pytest.approx(true, abs=2 * half)
            assert half < 0.06
    assert any("held apart" in str(check) for check in found.checks)
    assert set(found.live) <= set(panels.units)


@pytest.mark.parametrize("design", ["group_time", "synthetic_did", "synthetic_control",
                                    "structural", "segmented"])  # fmt: skip
def test_each_design_answers_beside_another_roll_out(panels, found, design):
    got = deflection.effect(panels.panel(0), panels.rollouts(0), "sms_assist_before", design=design)
    assert got.inputs["design"] == design
    half = (got.relative.high - got.relative.low) / 2
    assert got.relative.value == pytest.approx(-0.15, abs=2 * half)
    assert got.placebo is not None
    assert got.name == found.name
    assert charts.event_study(got).data
    assert charts.counterfactual(got).data


def test_the_designs_are_named_in_order_of_trust_and_have_options(panels):
    panel, rollouts = panels.panel(0), panels.rollouts(0)
    with pytest.raises(InputError, match="staggered, group_time, synthetic_did, synthetic_control"):
        deflection.effect(panel, rollouts, "web_hall", design="magic")
    with pytest.raises(InputError, match=r"no such option \(base_weeks=4\)"):
        deflection.effect(panel, rollouts, "web_hall", base_weeks=4)
    short = deflection.effect(panel, rollouts, "web_hall", design="group_time", base_weeks=4)
    assert "4 weeks before" in short.method
    outside = [
        unit for unit in panel["unit"].unique().sort()
        if unit not in set(rollouts.filter(pl.col("treatment") == "web_hall")["unit"])
    ][:2]  # fmt: skip
    told = deflection.effect(panel, rollouts, "web_hall", outside=outside)
    assert any("against units out of reach" in str(check) for check in told.checks)


def test_auto_takes_the_first_design_that_can_answer(panels):
    panel, rollouts = panels.panel(0), panels.rollouts(0)
    assert deflection.effect(panel, rollouts, "web_hall", design="auto").design == "staggered"
    one = pl.concat([
        rollouts.filter(pl.col("treatment") == "web_hall").head(1),
        rollouts.filter(pl.col("treatment") != "web_hall"),
    ])  # fmt: skip
    alone = deflection.effect(panel, one, "web_hall", design="auto")
    assert alone.design == "synthetic_did"
    assert any("Design staggered: only one unit" in str(check) for check in alone.checks)
    with pytest.raises(DataError, match="nothing of this kind went live"):
        deflection.effect(panel, one.filter(pl.col("treatment") != "web_hall").with_columns(
            treatment=pl.lit("web_hall"), live_on=pl.lit(None, one.schema["live_on"])
        ), "web_hall", design="auto")  # fmt: skip


def test_designs_beside_each_other(panels, found):
    panel, rollouts = panels.panel(0), panels.rollouts(0)
    told = deflection.designs(panel, rollouts, "sms_assist_before")
    assert list(told.effects) == list(deflection.DESIGNS)
    assert told.main.relative == found.relative
    frame = told.to_frame()
    assert frame["relative"][0] == found.relative.value
    assert frame.height == 6
    low = {name: each.relative.low for name, each in told.effects.items()}
    agree = [n for n in told.effects if n != "staggered"
             and low[n] <= found.relative.value <= told.effects[n].relative.high]  # fmt: skip
    assert list(told.agree) == agree
    assert f"{len(agree)} of 5 other designs" in told.summary()
    drawn = charts.designs(told)
    assert list(drawn.data[0].x) == frame["relative"].reverse().to_list()
    with pytest.raises(InputError, match="no such design"):
        deflection.designs(panel, rollouts, "web_hall", which=["magic"])
    few = rollouts.filter(pl.col("treatment") == "web_hall").head(1)
    alone = deflection.designs(panel, few, which=["staggered", "structural"])
    assert list(alone.refused) == ["staggered"]
    assert alone.table()["design"].to_list() == ["structural"]
    assert any("gives no answer" in str(check) for check in alone.checks)
    nobody = deflection.designs(panel, few, which=["staggered"])
    assert nobody.to_frame()["refused"][0].startswith("only one unit")
    with pytest.raises(DataError, match="no design can answer"):
        nobody.or_refuse()


def test_offered_calls_are_doubted(panels):
    told = deflection.effect(
        panels.panel(0), panels.rollouts(0), "web_hall", count="offered"
    )  # fmt: skip
    assert any(check.status == "fails" and "redials" in check.detail for check in told.checks)


def test_refusals(panels):
    panel, rollouts = panels.panel(0), panels.rollouts(0)
    with pytest.raises(InputError, match="no such design"):
        deflection.effect(panel, rollouts, "web_hall", design="magic")
    with pytest.raises(InputError, match="more than one thing"):
        deflection.effect(panel, rollouts)
    with pytest.raises(DataError, match="nothing of this name"):
        deflection.effect(panel, rollouts, "app")
    none = rollouts.with_columns(live_on=pl.lit(None, rollouts.schema["live_on"]))
    with pytest.raises(DataError, match="nothing of this kind went live"):
        deflection.effect(panel, none, "web_hall")
    later = rollouts.with_columns(live_on=pl.col("live_on").dt.offset_by("10y"))
    with pytest.raises(DataError, match="nothing went live within"):
        deflection.effect(panel, later, "web_hall")


def test_contradictions_and_a_single_unit_are_refused(panels):
    panel, rollouts = panels.panel(0), panels.rollouts(0)
    twice = pl.concat(
        [rollouts, rollouts.with_columns(live_on=pl.col("live_on").dt.offset_by("28d"))]
    )
    with pytest.raises(InputError, match="goes live once"):
        deflection.effect(panel, twice, "web_hall")
    again = pl.concat([rollouts, rollouts])  # the same row twice contradicts nothing
    assert deflection.effect(panel, again, "web_hall").units > 1
    with pytest.raises(InputError, match="one row a week"):
        deflection.effect(pl.concat([panel, panel]), rollouts, "web_hall")
    one = pl.concat([
        rollouts.filter(pl.col("treatment") == "web_hall").head(1),
        rollouts.filter(pl.col("treatment") != "web_hall"),
    ])  # fmt: skip
    with pytest.raises(DataError, match="only one unit went live"):
        deflection.effect(panel, one, "web_hall")
    with pytest.raises(InputError, match="calls are counted"):
        deflection.effect(panel, rollouts, "web_hall", count="wait_p90_s")
    with pytest.raises(InputError, match="min_weeks"):
        deflection.effect(panel, rollouts, "web_hall", min_weeks=-1)


def week_of(calls):
    start = datetime(2025, 3, 3, tzinfo=UTC)
    at = [start + timedelta(minutes=30 * i) for i in range(336)]
    shape = 1 + np.sin(np.arange(336) / 48 * 2 * np.pi)
    return pl.DataFrame({"interval_start": at, "interval_s": 1800,
                         "calls": calls * shape / shape.sum(), "aht_s": 180.0})  # fmt: skip


def test_an_effect_is_worth_the_seats_of_the_calls_it_removes(panels, found):
    panel = panels.panel(0, handle=True)
    week = week_of(16_000)
    told = deflection.worth(found, panel, week, GOAL, shrinkage=0.3)
    removed = found.removed_per_week
    assert told.calls.value == pytest.approx(removed.value, rel=1e-9)
    live = panel.filter(pl.col("unit").is_in(found.live))
    aht = live["handle_s"].sum() / live["handled"].sum()
    assert told.erlang_hours.value == pytest.approx(removed.value * aht / 3600, rel=1e-9)
    assert told.seat_hours.value > 0
    assert told.scheduled_hours.value > told.seat_hours.value
    with pytest.raises(DataError, match="how long calls"):
        deflection.worth(found, panels.panel(0).with_columns(handle_s=None), week, GOAL)
    with pytest.raises(InputError, match=r"week covers 84\.0 hours"):
        deflection.worth(found, panel, week.head(168), GOAL)
    with pytest.raises(InputError, match="effect with a control"):
        deflection.worth(0.07, panel, week, GOAL)
    fig = charts.value_steps(told)
    assert list(fig.data[0].x) == told.waterfall()["hours"].to_list()


def test_charts_show_what_was_estimated(found):
    events = charts.event_study(found)
    drawn = [x for trace in events.data for x in trace.x]
    assert drawn == found.events["event"].to_list()
    assert "fewer calls once live" in events.layout.title.text
    weeks = charts.counterfactual(found)
    came = next(trace for trace in weeks.data if trace.name == "Came")
    assert list(came.y) == found.weeks["calls"].to_list()


def test_calls_a_week_say_of_which_weeks_they_are(panels, found):
    assert found.relative.excludes_zero
    weeks = found.weeks["counterfactual"]
    assert f"mean of the {weeks.len()} weeks since the first went live" in found.summary()
    panel = panels.panel(0, handle=True)
    worth = deflection.worth(found, panel, week_of(16_000), GOAL)
    (told,) = (c.detail for c in worth.checks if c.name == "Weeks of the roll-out")
    now = -found.relative.value * weeks.tail(4).mean()
    assert now > 1.1 * found.removed_per_week.value
    assert f"{now:,.0f} a week instead of {found.removed_per_week.value:,.0f}" in told


def test_hours_that_the_data_cannot_show_are_not_told_as_freed(panels, found):
    panel = panels.panel(0, handle=True)
    none = replace(
        found,
        relative=Estimate(-0.02, -0.06, 0.02, 0.95),
        removed_per_week=Estimate(20.0, -20.0, 60.0, 0.95),
    )
    worth = deflection.worth(none, panel, week_of(16_000), GOAL)
    steps = deflection.waterfall(funnel_of(8_000, 2_000), none, worth, panel)
    assert not steps.shown
    assert "the data cannot show that any went from the agents" in steps.summary()
    assert "really went from the agents" not in steps.summary()
    for drawn in (charts.value_steps(worth), charts.gross_to_bankable(steps)):
        title = drawn.layout.title.text.replace("<br>", " ")
        assert "freed that the data can show" in title


def test_designs_by_lot_are_reached_by_the_same_call():
    worlds = draw_panels(worlds=1, seed=3, design="randomised")
    panel, rollouts = worlds.panel(0), worlds.rollouts(0)
    found = deflection.effect(panel, rollouts, design="randomised", draws=99)
    direct = deflection.randomised(panel, rollouts, draws=99)
    assert found.relative == direct.relative
    assert found.design == "randomised"
    other = deflection.effect(panel, rollouts, design="encouraged", use=worlds.use(0), draws=99)
    assert other.complier_relative is not None
    with pytest.raises(InputError, match="randomised, encouraged, staggered"):
        deflection.effect(panel, rollouts, design="lot")
    with pytest.raises(InputError, match="named by a text"):
        deflection.effect(panel, rollouts, design=["staggered"])
    with pytest.raises(InputError, match="give the share that it removes"):
        deflection.worth(found, panel, None, GOAL)


def funnel_of(completed, recontacted):
    rows = {"channel": "sms", "stage": "before_call", "service": "unit 01", "window_days": 7,
            "eligible": 50_000, "sent": 20_000, "accepted": 9_000, "delivered": 9_000,
            "completed": completed, "followed": completed, "recontacted": recontacted}  # fmt: skip
    return deflection.funnel(pl.DataFrame([rows]))


def test_from_gross_to_bankable_by_hand(panels, found):
    panel = panels.panel(0, handle=True)
    week = week_of(16_000)
    worth = deflection.worth(found, panel, week, GOAL, shrinkage=0.3)
    steps = deflection.waterfall(funnel_of(8_000, 2_000), found, worth, panel)
    # From the week of the first going live to the last of the panel.
    first = min(
        panels.rollouts(0).filter(pl.col("treatment") == "sms_assist_before")["live_on"].to_list()
    )
    last = panel["local_start"].max().date()
    weeks = (last - (first - timedelta(days=first.weekday()))).days // 7 + 1
    aht = worth.inputs["removed_aht_s"].value
    gross, net = steps.frame["hours"].to_list()[:2]
    assert gross == pytest.approx(8_000 * aht / 3600 / weeks)
    assert net == pytest.approx(0.75 * gross)
    assert steps.frame["hours"].to_list()[2:] == worth.waterfall()["hours"].to_list()
    assert steps.frame["known"].to_list()[:3] == ["counted", "counted", "estimated"]
    assert "really went from the agents" in steps.summary()
    fig = charts.gross_to_bankable(steps)
    assert sum(len(bar.x) for bar in fig.data) == steps.frame.height
    (doubt,) = deflection.waterfall(funnel_of(10, 2), found, worth, panel).checks
    assert doubt.status == "fails"
    other = deflection.effect(panels.panel(0), panels.rollouts(0), "web_hall")
    with pytest.raises(DataError, match="no contacts of this channel"):
        deflection.waterfall(funnel_of(8_000, 2_000), other, worth, panel)
    with pytest.raises(InputError, match="worth is another answer"):
        deflection.waterfall(funnel_of(8_000, 2_000), found, None, panel)
