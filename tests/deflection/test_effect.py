"""Effects with a control: from frames of a log to seats, and the charts of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, charts, deflection
from ccanalytics.errors import DataError, InputError
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
    with pytest.raises(InputError, match="nothing of this name"):
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
