from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ccanalytics import CallLog, deflection, simulation
from ccanalytics.errors import DataError, InputError
from ccanalytics.schema import TABLES
from ccanalytics.simulation.panels.quantile import poisson_counts
from ccanalytics.statistics import effects

RollOut = simulation.RollOut

# Everything that makes one week unlike another, switched off.
QUIET = {
    "season": 0,
    "festival": 1,
    "month_start": 1,
    "saturday": 1,
    "sunday": 1,
    "growth": 0,
    "trend_unit_sd": 0,
    "unit_sd": 0,
    "common_sd": 0,
    "dispersion_cv": 0,
}


def draw(**options):
    return simulation.draw_panels(**options)


def near(values, truth, errors=4.5):
    """The mean of independent values is the truth, within its Monte Carlo error."""
    values = np.asarray(values, float)
    error = values.std(ddof=1) / np.sqrt(values.size)
    return abs(values.mean() - truth) < errors * error


# Counts from deviates


@settings(max_examples=200, deadline=None)
@given(st.floats(-5, 5), st.floats(0, 1e5))
def test_counts_are_the_poisson_quantile(z, rate):
    # At the very edge of a step the two libraries may round Φ(z) to either side.
    below, above = stats.poisson.ppf(stats.norm.cdf([z - 1e-8, z + 1e-8]), rate)
    count = poisson_counts(np.array([z]), np.array([rate]))[0]
    assert max(below, 0) <= count <= max(above, 0)


def test_counts_around_the_change_of_method():
    z = np.random.default_rng(1).standard_normal(20_000)
    for rate in (0.3, 5.0, 24.9, 25.1, 60.0, 3000.0):
        expected = stats.poisson.ppf(stats.norm.cdf(z), rate)
        np.testing.assert_array_equal(poisson_counts(z, np.full(z.size, rate)), expected)


# Reproducible, world by world and cause by cause


def test_a_world_depends_on_seed_and_number_alone():
    many, few = draw(units=5, periods=20, worlds=50), draw(units=5, periods=20, worlds=8)
    many.panel(3)
    assert many.panel(7, handle=True).equals(few.panel(7, handle=True))
    assert many.rollouts(7).equals(few.rollouts(7))
    stack = many.arrays("offered", "first_rate_without", start=5, stop=9)
    for k in range(4):
        world = draw(units=5, periods=20, worlds=9).world(5 + k)
        np.testing.assert_array_equal(stack["offered"][k], world.factual.offered)
        np.testing.assert_array_equal(stack["first_rate_without"][k], world.without().first_rate)
    assert not many.panel(6).equals(many.panel(7))
    assert not draw(units=5, periods=20, seed=2).panel(7).equals(many.panel(7))


@pytest.mark.parametrize("design", ["staggered", "before_after", "randomised", "encouragement"])
def test_without_effect_both_worlds_are_the_same(design):
    worlds = draw(units=6, periods=30, worlds=3, effect=0, design=design, spill_over=0.3)
    for world in worlds:
        now, never = world.factual, world.without()
        np.testing.assert_array_equal(now.first_rate, never.first_rate)
        np.testing.assert_array_equal(now.first_attempts, never.first_attempts)
        np.testing.assert_array_equal(now.offered, never.offered)
    found = worlds.truth(2).overall()
    assert (found.relative, found.removed, found.removed_realised) == (0, 0, 0)


@pytest.mark.parametrize("cause", ["unit_sd", "common_sd", "dispersion_cv", "trend_unit_sd"])
def test_removing_a_cause_leaves_the_others_bit_for_bit(cause):
    shape = {"units": 5, "periods": 30, "worlds": 2, "season_unit_sd": 0.02}
    whole, less = draw(**shape).world(1), draw(**shape, **{cause: 0}).world(1)
    gone = whole.factors.keys() - less.factors.keys()
    assert len(gone) == 1
    for name, factor in less.factors.items():
        np.testing.assert_array_equal(factor, whole.factors[name])
    np.testing.assert_array_equal(less.plans["sms_assist"].dose, whole.plans["sms_assist"].dose)
    np.testing.assert_allclose(
        whole.baseline, less.baseline * whole.factors[gone.pop()], rtol=1e-12
    )


def test_removing_a_roll_out_is_the_world_in_which_it_was_never_drawn():
    sms, web = RollOut(effect=-0.2, effect_sd=0.1), RollOut(effect=-0.1, treatment="web_hall")
    shape = {"units": 6, "periods": 40, "worlds": 2, "spill_over": 0.2}
    both, one = draw(effect=[sms, web], **shape).world(1), draw(effect=web, **shape).world(1)
    left = both.without("sms_assist")
    np.testing.assert_array_equal(left.first_attempts, one.factual.first_attempts)
    np.testing.assert_array_equal(left.offered, one.factual.offered)
    np.testing.assert_array_equal(both.baseline, one.baseline)


def test_more_calls_by_the_same_luck_are_never_fewer():
    world = draw(units=9, periods=30, effect=-0.3, calls_per_week=500).world(0)
    truth = draw(units=9, periods=30, effect=-0.3, calls_per_week=500).truth(0)
    assert (truth.removed_realised >= 0).all()
    assert truth.removed_realised[~world.plans["sms_assist"].treated].sum() == 0


# Moments


def test_sizes_are_zipf_like_and_sum_to_the_volume():
    worlds = draw(units=7, periods=10, worlds=1, effect=0, zipf_exponent=1, zipf_shift=1, **QUIET)
    rate = worlds.world(0).baseline
    np.testing.assert_allclose(rate.sum(axis=0), 20_000)
    np.testing.assert_allclose(rate[:, 0] / rate[0, 0], 2 / np.arange(2, 9))


def test_variance_over_mean_grows_with_the_gamma_factor():
    for cv in (0, 0.1):
        worlds = draw(
            units=2,
            periods=100,
            worlds=40,
            effect=0,
            zipf_exponent=0,
            calls_per_week=800,
            **(QUIET | {"dispersion_cv": cv}),
        )
        calls = worlds.arrays()["first_attempts"].ravel()
        assert near(calls, 400)
        ratio = calls.var(ddof=1) / calls.mean()
        expected = 1 + cv**2 * 400
        assert abs(ratio / expected - 1) < 5 * np.sqrt(2 / calls.size)


@pytest.mark.parametrize(("which", "units"), [("unit", 10), ("common", 1)])
def test_shocks_are_an_autoregression_of_that_size_and_memory(which, units):
    causes = {f"{which}_sd": 0.2, f"{which}_memory": 0.7}
    worlds = draw(units=units, periods=200, worlds=30, effect=0, **(QUIET | causes))
    factors = np.stack([np.broadcast_to(w.factors[which], (units, 200)) for w in worlds])
    assert near(factors.mean(axis=(1, 2)), 1)
    logs = np.log(factors) + 0.2**2 / 2
    assert near((logs**2).mean(axis=(1, 2)), 0.04)
    for lag in (1, 3):
        product = (logs[..., lag:] * logs[..., :-lag]).mean(axis=(1, 2))
        assert near(product, 0.04 * 0.7**lag)
    if units > 1:  # of units' own shocks, neighbours know nothing of each other
        assert near((logs[:, 0] * logs[:, 1]).mean(axis=1), 0)


def test_season_growth_and_calendar_are_those_of_the_parameters():
    worlds = draw(
        units=1,
        periods=104,
        worlds=1,
        effect=0,
        calls_per_week=1e8,
        **(QUIET | {"season": 0.2, "season_peak": 0.25, "growth": 0.1}),
    )
    logs = np.log(worlds.world(0).factual.first_attempts[0])
    year = (np.arange(104) * 7 + 3.5) / 365.2425
    wave = 2 * np.pi * (year - 0.25)
    design = np.column_stack([np.ones(104), year, np.cos(wave), np.sin(wave)])
    slope, peak, aside = np.linalg.lstsq(design, logs, rcond=None)[0][1:]
    np.testing.assert_allclose([slope, peak, aside], [0.1, 0.2, 0], atol=1e-3)


def test_days_have_weekends_festivals_and_month_starts():
    calendar = {"saturday": 0.7, "sunday": 0.5, "festival": 0.4, "month_start": 1.3}
    worlds = draw(
        units=1,
        periods=91,
        worlds=1,
        every="1d",
        calls_per_week=6.2e7,
        effect=0,
        **(QUIET | calendar),
    )
    frame = worlds.panel(0)
    calls = dict(zip(frame["local_start"].dt.date(), frame["first_attempts"], strict=True))
    usual = calls[dt.date(2024, 1, 16)]
    assert usual == pytest.approx(1e7, rel=2e-3)  # a Tuesday
    for day, factor in {
        dt.date(2024, 1, 20): 0.7,
        dt.date(2024, 1, 21): 0.5,
        dt.date(2024, 2, 1): 1.3,
        dt.date(2024, 2, 9): 0.4,  # New Year's Eve
        dt.date(2024, 2, 15): 0.4,
        dt.date(2024, 2, 16): 1.0,
        dt.date(2024, 3, 2): 0.7 * 1.3,
    }.items():
        assert calls[day] / usual == pytest.approx(factor, rel=4e-3)


def test_abandoned_and_redials_follow_the_load():
    calm = draw(units=20, periods=60, worlds=6, effect=0, **QUIET)
    found = calm.arrays("first_attempts", "offered", "answered")
    # Without shocks the load is as planned: each attempt is abandoned with 0.06, half redial.
    lost = 1 - found["answered"].sum(axis=(1, 2)) / found["offered"].sum(axis=(1, 2))
    assert near(lost, 0.06)
    attempts = found["offered"].sum(axis=(1, 2)) / found["first_attempts"].sum(axis=(1, 2))
    assert near(attempts, 1 / (1 - 0.06 * 0.5))
    busy = draw(units=20, periods=60, worlds=1, effect=0, **(QUIET | {"common_sd": 0.2})).world(0)
    share, load = busy.factual.abandonment, busy.factual.offered_rate.sum(axis=0)
    planned = 20_000 / (1 - 0.06 * 0.5)
    odds = (share / (1 - share)) / (0.06 / 0.94)
    np.testing.assert_allclose(odds, (load / planned) ** 4, rtol=1e-9)


# What the roll-outs do


def test_build_up_decay_and_anticipation_by_time_since_going_live():
    rollout = RollOut(effect=-0.4, build_up=3, half_life=10, early=2, anticipation=0.25)
    event = draw(units=20, periods=60, worlds=1, effect=rollout).truth(0).dynamic()
    effect = dict(zip(event["event"], event["relative"], strict=True))
    for e in (0, 1, 5, 20):
        expected = -0.4 * (1 - np.exp(-(e + 1) / 3)) * 0.5 ** (e / 10)
        assert effect[e] == pytest.approx(expected, abs=1e-12)
    assert [effect[-1], effect[-2]] == pytest.approx([-0.1, -0.1], abs=1e-12)
    assert effect[-3] == pytest.approx(0, abs=1e-12)


def test_effects_differ_by_unit_and_by_group_as_asked():
    rollout = RollOut(effect=-0.2, effect_sd=0.3, never=0)
    worlds = draw(units=40, periods=4, worlds=60, effect=rollout)
    own = np.stack([world.plans["sms_assist"].effect for world in worlds])
    assert near(own.mean(axis=1), -0.2)
    assert near(np.log1p(own).var(axis=1, ddof=1), 0.3**2)
    ordered = draw(units=11, periods=60, worlds=1, effect=RollOut(by_group=0.3, never=0))
    groups = ordered.truth(0).by_group()["log_ratio"].to_numpy()
    np.testing.assert_allclose(np.diff(groups), -0.03, atol=1e-9)


def test_units_go_live_in_the_order_and_share_asked_for():
    rollout = RollOut(by_size=1, never=0.25, waves=3, first=0.2, last=0.8)
    live = draw(units=12, periods=50, effect=rollout).world(0).plans["sms_assist"].live
    assert live.tolist() == [10] * 3 + [25] * 3 + [40] * 3 + [-1] * 3
    chance = draw(units=200, periods=50, worlds=30, effect=replace(rollout, by_size=0))
    rank = np.arange(200)
    tau = [stats.spearmanr(rank, w.plans["sms_assist"].live % 99)[0] for w in chance]
    assert near(tau, 0)
    days = draw(units=12, periods=50, effect=rollout).rollouts(0)
    assert days["live_on"].to_list() == [
        dt.date(2024, 1, 1) + dt.timedelta(weeks=k) for k in [10] * 3 + [25] * 3 + [40] * 3
    ]


def test_two_channels_overlap_and_interact():
    sms = RollOut(effect=-0.2, first=0.3, last=0.3, never=0)
    web = RollOut(effect=-0.1, treatment="web_hall", first=0.6, last=0.6, never=0)
    worlds = draw(units=3, periods=10, effect=[sms, web], interaction=0.05)
    world = worlds.world(0)
    ratio = world.factual.first_rate / world.baseline
    np.testing.assert_allclose(ratio[:, 2], 1)
    np.testing.assert_allclose(ratio[:, 4], 0.8)
    np.testing.assert_allclose(ratio[:, 7], 0.8 * 0.9 * np.exp(0.05))
    truth = worlds.truth(0, "web_hall")
    assert truth.overall().relative == pytest.approx(0.9 * np.exp(0.05) - 1)


def test_calls_spill_over_and_the_total_is_what_remains():
    rollout = RollOut(effect=-0.5, never=0.5)
    worlds = draw(units=10, periods=20, effect=rollout, spill_over=0.4, design="before_after")
    truth = worlds.truth(0)
    base = worlds.world(0).baseline
    direct = (0.5 * base)[truth.plan.treated].sum()
    total = truth.total()
    assert total.removed * total.unit_periods == pytest.approx(0.6 * direct)
    never = truth.plan.live == -1
    assert (truth.relative[never, 10:] > 0).all()
    assert truth.overall().relative > -0.5


def test_fewer_needs_make_fewer_redials_of_everybody():
    worlds = draw(effect=RollOut(effect=-0.3, never=0.5), design="before_after", worlds=1)
    need, offered = worlds.truth(0), worlds.truth(0, count="offered")
    assert offered.overall().relative < need.overall().relative - 0.005
    never = need.plan.live == -1
    assert (need.relative[never] == 0).all()
    assert (offered.relative[never, 39:] < 0).all()
    still = draw(effect=RollOut(effect=-0.3), worlds=1, congestion=0).truth(0, count="offered")
    assert still.overall().relative == pytest.approx(-0.3)


def test_realised_effects_tend_to_expected_ones():
    worlds = draw(units=5, periods=30, worlds=150, effect=RollOut(effect=-0.1, effect_sd=0.1))
    gaps = []
    for i in range(150):
        found = worlds.truth(i, count="offered").overall()
        gaps.append(found.removed_realised - found.removed)
    assert near(gaps, 0)
    assert np.std(gaps) > 0


def test_truth_adds_up_from_cells_to_levels():
    truth = draw(units=9, periods=40, effect=RollOut(effect=-0.2, effect_sd=0.2)).truth(0)
    overall = truth.overall()
    for table in (truth.by_unit(), truth.by_group()):
        weighted = (table["removed"] * table["unit_periods"]).sum()
        assert weighted == pytest.approx(overall.removed * overall.unit_periods)
    cells = truth.cells().filter(pl.col("event") >= 0)
    assert cells.height == overall.unit_periods
    came = cells["realised"].sum() / cells["realised_without"].sum() - 1
    assert overall.relative_realised == pytest.approx(came)
    later = truth.group_time().filter(pl.col("period") >= pl.col("group") + 3)
    assert later["unit_periods"].sum() == truth.overall(skip=3).unit_periods


def test_a_channel_that_is_nowhere_live_has_no_effect_to_tell():
    truth = draw(units=3, periods=10, effect=RollOut(never=1)).truth(0)
    with pytest.raises(DataError, match="live nowhere"):
        truth.overall()
    assert truth.by_unit().height == 0


# The frames are those of a call log


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panels")
    columns = ["call_id", "arrived_at", "wait_s", "talk_s", "outcome", "service"]
    rows = [
        f"c{k},2024-01-0{k + 1}T03:00:00Z,10,100,answered,{service}"
        for k, service in enumerate(["Q01", "T01", "Q01"])
    ]
    assert set(columns) <= {column.name for column in TABLES["calls"].columns}
    (folder / "calls.csv").write_text("\n".join([",".join(columns), *rows]), encoding="utf-8")
    live = "unit_kind,unit,treatment,planned_on,live_on,randomised"
    first = "service,Q01,sms_assist,2024-01-03,2024-01-04,false"
    (folder / "rollouts.csv").write_text(f"{live}\n{first}\n", encoding="utf-8")
    (folder / "centre.json").write_text(
        '{"format": "ccanalytics", "schema": 1, "time_zone": "Asia/Shanghai"}', encoding="utf-8"
    )
    log = CallLog(folder / "log.duckdb")
    log.load(folder, "ccanalytics")
    return log


def test_frames_have_the_form_of_the_call_log(log):
    worlds = draw(units=4, periods=6)
    assert worlds.panel(0, handle=True).schema == log.panel().schema
    assert worlds.panel(0).schema == log.panel().schema
    assert worlds.rollouts(0).schema == log.table("rollouts").schema
    frame = worlds.panel(0, handle=True)
    assert frame.equals(frame.sort("unit", "interval_start"))
    assert (frame["offered"] == frame["answered"] + frame["abandoned"]).all()
    assert (frame["first_attempts"] <= frame["offered"]).all()
    assert frame["interval_start"][0] == dt.datetime(2023, 12, 31, 16, tzinfo=dt.UTC)
    assert worlds.panel(0)["handle_s"].null_count() == 24


def test_weeks_know_the_clock_change():
    frame = draw(units=1, periods=14, time_zone="Europe/Paris").panel(0)
    change = frame["local_start"].dt.date() == dt.date(2024, 3, 25)
    assert frame.filter(change)["interval_s"].to_list() == [7 * 86400 - 3600]
    assert frame["utc_offset_s"].to_list() == [3600] * 13 + [7200]


def test_handle_times_have_the_law_and_the_effect_planted():
    rollout = RollOut(effect=0, handle_effect=-0.2, first=0.5, last=0.5, never=0.5)
    worlds = draw(units=4, periods=30, effect=rollout, handle_log_sd=0.6)
    frame, panel = worlds.handle_times(0), worlds.panel(0, handle=True)
    assert frame["handle_s"].equals(panel["handle_s"])
    assert frame["calls"].equals(panel["answered"])
    calls, total = frame["calls"].to_numpy(), frame["handle_s"].to_numpy()
    expected = frame["expected_s"].to_numpy()
    variance = expected**2 * np.expm1(0.6**2)
    z = (total / calls - expected) / np.sqrt(variance / calls)
    assert abs(z.mean()) < 4.5 / np.sqrt(z.size)
    assert stats.kstest(z, "norm").pvalue > 1e-4
    log_var = frame["log_var"].to_numpy()
    chi = log_var * (calls - 1) / 0.6**2
    assert abs(chi.sum() / (calls - 1).sum() - 1) < 4.5 * np.sqrt(2 / calls.sum())
    np.testing.assert_allclose(frame["handle_var_s2"] / variance, 1, atol=0.5)
    ratio = (frame["expected_s"] / frame["expected_without_s"]).to_numpy()
    np.testing.assert_allclose(ratio, np.where(worlds.use(0)["offered_it"], 0.8, 1))


def test_variances_of_few_calls_are_unbiased_and_of_one_unknown():
    options = {"calls_per_week": 100, "handle_log_sd": 0.3, "effect": 0}
    frame = draw(units=30, periods=100, worlds=1, **options).handle_times(0)
    assert set(frame["calls"]) >= {0, 1, 2}
    assert frame.filter(pl.col("calls") < 2)["handle_var_s2"].null_count() > 0
    assert frame.filter(pl.col("calls") == 0)["handle_s"].to_list()[0] == 0
    some = frame.filter(pl.col("calls") >= 2)
    assert some["handle_var_s2"].null_count() == 0
    assert near(some["log_var"], 0.3**2)
    assert near(some["handle_var_s2"] / some["expected_s"] ** 2, np.expm1(0.3**2))


# Estimators recover what they should, and fail where they should


def simple_did(world):
    """Log of after over before, treated less never treated."""
    calls, live = world.factual.first_attempts, world.plans["sms_assist"].live >= 0
    half = calls.shape[1] // 2
    change = np.log(calls[:, half:].sum(axis=1) / calls[:, :half].sum(axis=1))
    return change[live].mean() - change[~live].mean()


@pytest.fixture(scope="module")
def halves():
    return {"units": 16, "periods": 78, "worlds": 120, "design": "before_after"}


def test_a_simple_did_is_unbiased_without_selection_and_biased_with_it(halves):
    effect = np.log(0.9)
    fair = draw(effect=RollOut(effect=-0.1, never=0.5, by_size=1), **halves)
    assert near([simple_did(world) for world in fair], effect)
    chosen = draw(effect=RollOut(effect=-0.1, never=0.5, trend_gap=0.2), **halves)
    found = [simple_did(world) for world in chosen]
    assert not near(found, effect, errors=10)
    # First less last differ by 0.2 a year: halves of the order by about half of it, and halves of
    # the span lie nine months apart.
    half = 16 / 15 * 0.1
    assert near(found, effect + half * 39 * 7 / 365.2425, errors=6)
    assert chosen.truth(0).overall().relative == pytest.approx(-0.1)


def test_spill_over_makes_a_did_too_large(halves):
    spilt = draw(effect=RollOut(effect=-0.1, never=0.5), spill_over=0.5, **halves)
    truths = [spilt.truth(i) for i in range(120)]
    gaps = [
        simple_did(spilt.world(i)) - truth.overall().log_ratio for i, truth in enumerate(truths)
    ]
    # Half of the calls are treated, a tenth of those removed, half of these turn up elsewhere:
    # units never treated get 2.5% more, which passes for effect.
    assert near(gaps, -np.log(1.025), errors=5)
    assert not near(gaps, 0)
    totals = [truth.total().relative for truth in truths]
    assert np.mean(totals) == pytest.approx(-0.1 * 0.5 * 0.5, abs=0.002)


def test_a_randomised_offer_tells_itt_and_complier_effect():
    worlds = draw(units=40, periods=40, worlds=60, effect=-0.25, design="randomised")
    assert worlds.rollouts(0)["randomised"].all()
    assert worlds.rollouts(0).height == 20
    truth = worlds.truth(0)
    assert truth.overall().relative == pytest.approx(-0.25 * 0.6)
    assert truth.complier == pytest.approx(-0.25)
    found = [simple_did(world) for world in worlds]
    assert near(found, np.log(1 - 0.15))
    use = worlds.use(0)
    assert set(use["use"].round(9)) == {0, 0.6}


def demeaned(values):
    """Take out means of units and of periods."""
    return values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()


def test_waves_are_an_instrument_where_use_is_confounded():
    rollout = RollOut(effect=-0.2, compliance=0.3, own_use=0.3, own_use_sd=1, confounding=0.3)
    worlds = draw(
        units=40, periods=60, worlds=60, effect=rollout, design="encouragement", common_sd=0
    )
    naive, instrumented, stage = [], [], []
    for world in worlds:
        plan = world.plans["sms_assist"]
        # Calls over those of an average user; the law is linear in use.
        y = demeaned(world.factual.first_attempts / world.baseline.mean(axis=1, keepdims=True))
        use, sent = demeaned(plan.use), demeaned(plan.treated.astype(float))
        naive.append((use * y).sum() / (use**2).sum())
        instrumented.append((sent * y).sum() / (sent * use).sum())
        stage.append((sent * use).sum() / (sent**2).sum())
    assert np.mean(stage) == pytest.approx(0.3 * 0.7, abs=0.02)
    assert np.mean(naive) > -0.1  # those whose use grows also need more
    assert abs(np.mean(instrumented) + 0.2) < 0.03
    truth = worlds.truth(0)
    assert truth.complier == pytest.approx(-0.2)
    assert -0.08 < truth.overall().relative < -0.03
    unaware = draw(effect=rollout, design="encouragement", worlds=1).world(0)
    assert unaware.plans["sms_assist"].own.std() > 0.05


def compared(worlds):
    """Estimates before and after: covers, shows an effect, error, by unit; covers together."""
    rows, together = [], []
    for i in range(len(worlds)):
        answer = deflection.before_after_each(worlds.panel(i), worlds.rollouts(i)).answers[0]
        truth = worlds.truth(i)
        # The week of going live is left out by the estimator.
        for row in truth.by_unit(skip=1).iter_rows(named=True):
            found, true = answer.effect(row["unit"]).relative, row["relative"]
            rows.append((found.low <= true <= found.high, found.excludes_zero, found.value - true))
        found = answer.together.relative
        together.append(found.low <= truth.overall(skip=1).relative <= found.high)
    covers, shows, gaps = np.array(rows).T
    return covers, shows, gaps, np.array(together)


def test_before_after_covers_where_its_model_holds():
    level = {"season": 0, "festival": 1, "month_start": 1}
    worlds = draw(units=4, worlds=30, seed=3, effect=-0.15, design="before_after", **level)
    covers, shows, _, together = compared(worlds)
    # Units of a world share half of their shocks: 120 intervals are worth about 60. A method that
    # covers 92% falls below these bounds once in ten thousand slices.
    assert covers.mean() >= stats.binom.ppf(1e-4, 60, 0.92) / 60
    assert together.sum() >= stats.binom.ppf(1e-4, 30, 0.92)
    assert shows.mean() > 0.5  # and not because the intervals are endless


def test_before_after_fails_where_a_season_passes_for_the_effect():
    season = {"season": 0.15, "season_peak": 0.25}
    options = {"units": 2, "periods": 52, "worlds": 8, "effect": -0.15, "design": "before_after"}
    assert abs(compared(draw(**options, **QUIET))[2].mean()) < 0.01
    assert abs(compared(draw(**options, **(QUIET | season)))[2].mean()) > 0.08


def test_segmented_regression_finds_the_step_in_one_unit():
    worlds = draw(units=1, effect=-0.2, design="before_after", **QUIET)
    frame, day = worlds.panel(0), worlds.rollouts(0)["live_on"][0]
    found = effects.segmented(frame["local_start"], frame["first_attempts"], day)
    assert found.relative.low < -0.2 < found.relative.high
    assert found.relative.high - found.relative.low < 0.02


# What cannot be


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"units": 0}, "units=0"),
        ({"units": 2.5}, "units=2.5"),
        ({"periods": 1}, "periods=1"),
        ({"units": 1, "periods": 10**7}, "the calendar ends before (periods=10000000)"),
        ({"worlds": True}, "worlds=True"),
        ({"seed": -1}, "seed=-1"),
        ({"effect": -20}, "write a fall by 20% as -0.2"),
        ({"effect": float("nan")}, "effect=nan"),
        ({"effect": "-0.1"}, "effect='-0.1'"),
        ({"effect": []}, "effect="),
        ({"effect": [RollOut(), RollOut()]}, "sms_assist, sms_assist"),
        ({"design": "observational"}, "one of staggered"),
        ({"design": "randomised", "effect": RollOut(by_size=1)}, "by_size=1"),
        ({"interaction": 0.1}, "interaction=0.1"),
        ({"interaction": float("inf")}, "interaction=inf"),
        ({"start": "2024-01-02"}, "2024-01-01"),
        ({"start": "soon"}, "start='soon'"),
        ({"start": "1990-01-01"}, "1990"),
        ({"every": "1h"}, "every='1h'"),
        ({"time_zone": "Mars/Base"}, "Mars/Base"),
        ({"unit_kind": ""}, "kind"),
        ({"seasons": 0.1}, "seasons"),
        ({"abandonment": 6}, "write 6% as 0.06"),
        ({"abandonment": 1}, "abandonment=1"),
        ({"redial": 1}, "redial=1"),
        ({"unit_memory": 1}, "unit_memory=1"),
        ({"unit_sd": -0.1}, "unit_sd=-0.1"),
        ({"unit_sd": "0.1"}, "unit_sd='0.1'"),
        ({"calls_per_week": 0}, "calls_per_week=0"),
        ({"growth": float("inf")}, "growth=inf"),
        ({"units": 1, "spill_over": 0.5}, "units=1"),
        ({"units": 10**9}, "units=1000000000, periods=78"),
        ({"zipf_exponent": 1000}, "zipf_exponent=1000"),
        ({"effect": RollOut(own_use_sd=1)}, "own_use=0"),
    ],
)
def test_bad_input_is_named(options, told):
    with pytest.raises(InputError) as caught:
        draw(**options)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"never": 20}, "write 20% as 0.2"),
        ({"waves": 2.5}, "waves=2.5"),
        ({"waves": 0}, "waves=0"),
        ({"by_size": 2}, "by_size=2"),
        ({"first": 0.8, "last": 0.2}, "first=0.8"),
        ({"early": 1.5}, "early=1.5"),
        ({"treatment": ""}, "treatment=''"),
        ({"half_life": -1}, "half_life=-1"),
        ({"confounding": 0.1}, "confounding=0.1"),
    ],
)
def test_bad_roll_outs_are_named(options, told):
    with pytest.raises(InputError) as caught:
        RollOut(**options)
    assert told in str(caught.value)


def test_worlds_and_arrays_that_do_not_exist_are_named():
    worlds = draw(units=2, periods=4, worlds=3)
    for i in (3, -1, 1.0, True):
        with pytest.raises(InputError, match="0 to 2"):
            worlds.world(i)
    with pytest.raises(InputError, match="one of first_attempts"):
        worlds.arrays("calls")
    with pytest.raises(InputError, match="stop=9"):
        worlds.arrays(stop=9)
    with pytest.raises(InputError, match="sms_assist"):
        worlds.truth(0, "web_hall")
    with pytest.raises(InputError, match="count='answered'"):
        worlds.truth(0, count="answered")
    two = draw(units=2, periods=4, effect=[RollOut(), RollOut(treatment="web_hall")])
    with pytest.raises(InputError, match="more than one"):
        two.truth(0)
    with pytest.raises(InputError, match="skip=-1"):
        worlds.truth(0).overall(skip=-1)


def test_more_calls_than_can_be_counted_are_refused():
    sms, web = RollOut(never=0), RollOut(treatment="web_hall", never=0)
    endless = draw(units=2, periods=10, effect=[sms, web], interaction=800)
    with pytest.raises(InputError, match="more calls than can be counted"):
        endless.panel(0)
    with pytest.raises(InputError, match="so many handle times"):
        draw(units=2, periods=10, calls_per_week=1e9).handle_times(0)


def test_every_cause_says_its_unit_and_meaning():
    for described in (simulation.PanelParameters().describe(), RollOut().describe()):
        assert all(each["unit"] and each["meaning"] for each in described.values())
    assert simulation.PanelParameters().describe()["redial"]["value"] == 0.5
