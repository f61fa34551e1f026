"""Frames at the door of deflection: what cannot be used is refused in words, nothing is lost."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, deflection
from ccanalytics.errors import CcanalyticsError, DataError, InputError
from ccanalytics.results import Estimate
from ccanalytics.simulation.panels import draw_reminders

START = dt.datetime(2024, 1, 1)
GOAL = ServiceLevel(0.8, within=20)


def made(units=12, weeks=52, live=6):
    rng = np.random.default_rng(1)
    rows, dates = [], []
    for i in range(units):
        at = 15 + 2 * i if i < live else weeks
        for j in range(weeks):
            mean = (80 + 10 * i) * (0.8 if j >= at else 1)
            rows.append((f"U{i:02d}", START + dt.timedelta(weeks=j), 604_800, rng.poisson(mean)))
        if i < live:
            day = (START + dt.timedelta(weeks=at)).date()
            dates.append(("service", f"U{i:02d}", "sms_assist_before", day))
    panel = pl.DataFrame(
        rows, schema=["unit", "local_start", "interval_s", "first_attempts"], orient="row"
    ).with_columns(handled=pl.lit(50), handle_s=pl.lit(9000.0))
    rollouts = pl.DataFrame(dates, schema=["unit_kind", "unit", "treatment", "live_on"],
                            orient="row")  # fmt: skip
    return panel, rollouts


PANEL, ROLLOUTS = made()
WEEK = PANEL["local_start"].unique().sort()[20]
FUNNEL = pl.DataFrame({
    "channel": ["sms"], "stage": ["before_call"], "service": ["Q01"], "window_days": [7],
    "eligible": [2000], "sent": [1000], "accepted": [400], "delivered": [398], "completed": [390],
    "followed": [300], "recontacted": [60],
})  # fmt: skip


@pytest.mark.parametrize("design", ["auto", *deflection.DESIGNS])
def test_a_week_that_is_missing_is_not_passed_over(design):
    holed = PANEL.filter(pl.col("local_start") != WEEK)
    with pytest.raises(CcanalyticsError, match="seven days apart"):
        deflection.effect(holed, ROLLOUTS, design=design)


def test_by_lot_a_week_that_is_missing_is_not_passed_over():
    with pytest.raises(DataError, match="seven days apart"):
        deflection.randomised(PANEL.filter(pl.col("local_start") != WEEK), ROLLOUTS)


def test_coverage_does_not_pass_over_a_missing_week():
    services = ROLLOUTS.select(service="unit", web_hall_on="live_on")
    with pytest.raises(DataError, match="seven days apart"):
        deflection.coverage(PANEL.filter(pl.col("local_start") != WEEK), services)


@pytest.mark.parametrize("ask", [deflection.effect, deflection.before_after, deflection.randomised])
@pytest.mark.parametrize(
    ("panel", "rollouts", "words"),
    [
        (PANEL, pl.concat([ROLLOUTS, ROLLOUTS.head(1).with_columns(live_on=dt.date(2024, 9, 2))]),
         "goes live once"),
        (pl.concat([PANEL, PANEL.head(2)]), ROLLOUTS, "one row a week"),
        (PANEL.with_columns(interval_s=pl.lit("a week")), ROLLOUTS, "must hold numbers"),
        (PANEL.with_columns(interval_s=pl.when(pl.col("unit") != "U01").then("interval_s")),
         ROLLOUTS, "do not tell interval_s"),
        (PANEL.with_columns(local_start=pl.when(pl.col("unit") != "U01").then("local_start")),
         ROLLOUTS, "do not tell local_start"),
        (PANEL.clear(), ROLLOUTS, "no row"),
    ],
)  # fmt: skip
def test_all_designs_refuse_the_same(ask, panel, rollouts, words):
    with pytest.raises(CcanalyticsError, match=words):
        ask(panel, rollouts)


def test_unknown_counts_are_named_by_their_column():
    unknown = PANEL.with_columns(
        first_attempts=pl.when(pl.col("unit") != "U01").then("first_attempts")
    )
    with pytest.raises(InputError, match="52 of 624 rows of panel do not tell first_attempts"):
        deflection.effect(unknown, ROLLOUTS)


def test_roll_outs_of_units_that_the_panel_does_not_have_are_said():
    one = ROLLOUTS.with_columns(unit=pl.col("unit").replace("U02", "U99"))
    found = deflection.effect(PANEL, one)
    told = {check.name: check.detail for check in found.checks}
    assert "U99" in told["Units without calls"]
    numbers = ROLLOUTS.with_columns(unit=pl.int_range(pl.len()))
    with pytest.raises(DataError, match="no unit that went live has a call in the panel"):
        deflection.effect(PANEL, numbers)
    refused = deflection.before_after(PANEL, numbers)
    assert set(refused.refused.values()) == {"the log holds no calls about it in these weeks"}
    assert refused.to_frame().height == ROLLOUTS.height


def test_a_roll_out_without_a_name_is_none():
    nameless = pl.concat([ROLLOUTS, ROLLOUTS.head(1).with_columns(treatment=pl.lit(None))])
    same = deflection.effect(PANEL, ROLLOUTS)
    assert deflection.effect(PANEL, nameless).relative == same.relative
    assert len(deflection.before_after_each(PANEL, nameless).answers) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"outside": 13},
        {"design": "group_time", "controls": ["never"]},
        {"design": "structural", "seed": -1},
        {"design": "structural", "seed": "one"},
    ],
)
def test_options_of_another_kind(options):
    with pytest.raises(InputError):
        deflection.effect(PANEL, ROLLOUTS, **options)


def test_controls_that_never_vary_tell_a_structural_series_nothing():
    flat = PANEL.with_columns(first_attempts=pl.lit(100))
    with pytest.raises(DataError, match="as many calls every week"):
        deflection.effect(flat, ROLLOUTS, design="structural")


def test_units_that_go_live_one_by_one_have_controls_but_no_fellows():
    with pytest.raises(DataError, match="two assigned and two not"):
        deflection.randomised(PANEL, ROLLOUTS)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pl.lit("much"), "must hold numbers"),
        (pl.lit(None, pl.Float64), "do not tell use"),
        (pl.lit(-1.0), "cannot be used"),
    ],
)
def test_use_that_is_none(column, words):
    use = PANEL.select("unit", "local_start", use=column)
    with pytest.raises(InputError, match=words):
        deflection.encouraged(PANEL, ROLLOUTS, use=use)
    twice = PANEL.select("unit", "local_start", use=pl.lit(0.2))
    with pytest.raises(InputError, match="one use a week"):
        deflection.encouraged(PANEL, ROLLOUTS, use=pl.concat([twice, twice]))


@pytest.fixture(scope="module")
def reminded():
    return draw_reminders(worlds=1, customers=3000, days=150, effect=-0.3, term=40).reminded(0)


def test_reminders_of_pandas_are_those_of_polars(reminded):
    for ask in (deflection.reminders, deflection.expiry):
        mine, theirs = ask(reminded), ask(reminded.to_pandas())
        assert theirs.relative == mine.relative
        assert theirs.to_frame().equals(mine.to_frame())


def test_customers_times_days_are_called_so(reminded):
    found = deflection.reminders(reminded)
    mine = reminded.filter(pl.col("state") == "reminded", pl.col("day") >= 0)
    assert found.by_day["customer_days"].sum() == mine["customers"].sum()
    assert found.by_weeks["customer_days"].sum() == mine.drop_nulls("weeks")["customers"].sum()
    assert "customer_days" in deflection.expiry(reminded).by_week.columns


@pytest.mark.parametrize("ask", [deflection.reminders, deflection.expiry])
@pytest.mark.parametrize(
    "changed",
    [
        {"on": pl.lit("soon")},
        {"on": pl.lit(None, pl.Date)},
        {"on": pl.lit(3)},
        {"state": pl.lit(1)},
        {"day": pl.lit("third")},
        {"day": pl.col("day") + 0.5},
        {"bill_day": pl.lit("first")},
        {"customers": pl.lit(None, pl.Int64)},
    ],
)
def test_days_that_are_none(reminded, ask, changed):
    with pytest.raises(InputError):
        ask(reminded.with_columns(**changed))


LEAVING = pl.DataFrame({
    "on": [dt.date(2024, 1, 1) + dt.timedelta(days=k // 4) for k in range(80)],
    "invited": [k % 2 == 0 for k in range(80)],
    "subscribed": [k % 4 < 2 for k in range(80)],
    "customers": [500] * 80, "left": [k % 3 for k in range(80)],
})  # fmt: skip


def test_leaving_of_pandas_is_that_of_polars():
    assert deflection.churn(LEAVING.to_pandas()).invited == deflection.churn(LEAVING).invited


@pytest.mark.parametrize(
    "changed",
    [
        {"on": pl.lit(None, pl.Date)},
        {"on": pl.lit(5)},
        {"invited": pl.lit("yes")},
        {"subscribed": pl.lit(None, pl.Boolean)},
    ],
)
def test_leaving_that_is_none(changed):
    with pytest.raises(InputError):
        deflection.churn(LEAVING.with_columns(**changed))


@pytest.mark.parametrize("limit", ["high", None, 0, float("nan")])
def test_a_guardrail_is_a_number(limit):
    with pytest.raises(InputError, match="limit"):
        deflection.churn(LEAVING, limit=limit)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (FUNNEL.with_columns(window_days=pl.lit(None, pl.Int64)), "window_days"),
        (FUNNEL.with_columns(stage=pl.lit(None, pl.String)), "stage"),
        (FUNNEL.with_columns(channel=pl.lit(3)), "must hold words"),
        (FUNNEL.with_columns(sent=pl.lit(None, pl.Int64)), "sent"),
        (FUNNEL.with_columns(failed_recontacted=pl.lit(1)), "failed_followed"),
        (FUNNEL.with_columns(leakage_xx=pl.lit(60)), "leakage_nn"),
    ],
)
def test_a_funnel_of_other_frames(frame, words):
    with pytest.raises(InputError, match=words):
        deflection.funnel(frame)


def test_a_share_that_no_funnel_has():
    with pytest.raises(InputError, match="no such share"):
        deflection.funnel(FUNNEL).by_key("containment")


def demand(calls=100.0):
    start = dt.datetime(2024, 3, 4, tzinfo=dt.UTC)
    return pl.DataFrame({
        "interval_start": [start + dt.timedelta(minutes=30 * k) for k in range(336)],
        "interval_s": [1800] * 336, "calls": [calls] * 336, "aht_s": [200.0] * 336,
    })  # fmt: skip


def test_nothing_can_go_where_no_call_comes():
    with pytest.raises(DataError, match="no call comes"):
        deflection.value(0.07, demand(0.0), GOAL)


@pytest.mark.parametrize(
    ("week", "words"),
    [
        (demand().with_columns(calls=pl.lit("many")), "must hold numbers"),
        (demand().with_columns(calls=pl.lit(None, pl.Float64)), "do not tell calls"),
        (demand(0.001), "fewer than the channel may have brought"),
    ],
)
def test_worth_of_another_week(week, words):
    effect = deflection.effect(PANEL, ROLLOUTS)
    rises = replace(effect, removed_per_week=Estimate(-50.0, -80.0, -20.0, 0.95))
    with pytest.raises(InputError, match=words):
        deflection.worth(rises, PANEL, week, GOAL)


@pytest.mark.parametrize("option", ["level", "demand_is", "removed_aht_s"])
def test_worth_takes_from_the_effect_what_it_says(option):
    effect = deflection.effect(PANEL, ROLLOUTS)
    with pytest.raises(InputError, match=option):
        deflection.worth(effect, PANEL, demand(), GOAL, **{option: 0.9})


def test_a_claim_without_end_and_a_reading_that_is_none():
    with pytest.raises(InputError, match="no end"):
        deflection.check_claim(110_000, 1e-320, days=300)
    claim = deflection.check_claim(110_000, 0.07, days=300)
    for reading in (1, -1, "first"):
        with pytest.raises(InputError, match="reading"):
            claim.share_of(1_000_000, reading)
    with pytest.raises(InputError, match="base"):
        claim.share_of("all")
