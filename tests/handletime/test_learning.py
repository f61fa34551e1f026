"""Learning within agents: golden numbers, planted laws recovered, no learning where none is."""

import datetime as dt
import os

import numpy as np
import polars as pl
import pytest

from ccanalytics import handletime
from ccanalytics.errors import DataError, InputError

FULL = os.environ.get("CCANALYTICS_FULL") == "1"
WORLDS = 1000 if FULL else 20  # of each of three laws
RATE = 0.88
WEEKS = (1, 4, 13, 26)


def test_the_law_s_golden_numbers():
    """METHODS.md §4: r = .8 gives 100, 80, 64, 51.2, 40.96 at k = 1, 2, 4, 8, 16."""
    found = handletime.learning_law(100, 0.8, np.array([1, 2, 4, 8, 16]))
    assert found == pytest.approx([100, 80, 64, 51.2, 40.96], abs=1e-12)
    assert handletime.learning_law(100.0, 0.8, 16) == pytest.approx(40.96)
    with pytest.raises(InputError, match="above 0"):
        handletime.learning_law(100, 0, 4)
    with pytest.raises(InputError, match="from 1"):
        handletime.learning_law(100, 0.8, 0.5)


def _truth(worlds, law, week):
    if law == "wright":
        return np.log(RATE) * (np.log2(week) - np.log2(52))
    return 0.0 if law == "none" else worlds.typical(week, law)


def _binomial(count, share, tail=0.001):
    from scipy.stats import binom

    return binom.ppf(tail, count, share), binom.isf(tail, count, share)


@pytest.fixture(scope="module", params=["exponential", "wright", "none"])
def recovered(request, worlds):
    """Estimates less truth, standard errors and coverage at each week, and of the rate."""
    law = request.param
    truth = np.array([_truth(worlds, law, week) for week in WEEKS])
    size = {} if FULL else {"positions": 24, "weeks": 70}
    off, covered, errors, rates, soon, leavers = [], [], [], [], [], []
    for seed in range(WORLDS):
        drawn = worlds.world(seed, law, rate=RATE, **size)
        found = handletime.learning_curve(drawn.frame, drawn.people, weeks=WEEKS)
        value, low, high = (
            np.log(found.rows[name].to_numpy())
            for name in ("relative_time", "relative_time_low", "relative_time_high")
        )
        off.append(value - truth)
        covered.append((low <= truth) & (truth <= high))
        errors.append([found.errors.get(week, np.nan) for week in WEEKS])
        rates.append(found.rate)
        soon.append(found.proficient_weeks)
        leavers.append(found.leavers)
    return law, np.array(off), np.array(covered), np.array(errors), rates, soon, leavers


def test_limits_cover_what_was_planted(recovered):
    law, off, covered, errors, rates, *_ = recovered
    seen = ~np.isnan(off)
    if FULL:
        share = [covered[seen[:, k], k].mean() for k in range(len(WEEKS))]
        ratio = errors.mean(axis=0) / off.std(axis=0, ddof=1)
        print(f"\n{law}: weeks {WEEKS}, coverage {np.round(share, 3)}, error/spread "
              f"{np.round(ratio, 2)}, bias {np.round(off.mean(axis=0), 4)}")  # fmt: skip
        assert all(0.93 <= each <= 0.97 for each in share), (law, share)
        assert ((ratio >= 0.9) & (ratio <= 1.15)).all(), (law, ratio)
        assert (np.abs(off.mean(axis=0)) < 0.01).all()
    least, _ = _binomial(int(seen.sum()), 0.93)
    assert covered[seen].sum() >= least
    # Hats are straight where the law is curved: off by no more than a small part of the spread.
    assert np.abs(np.nanmean(off, axis=0)).max() < 0.01 + 4 * off.std() / np.sqrt(WORLDS)
    if law == "exponential":
        return  # no law of doublings, so no rate to be held
    inside = sum(rate.low <= (RATE if law == "wright" else 1) <= rate.high for rate in rates)
    low, high = _binomial(WORLDS, 0.95)
    assert low <= inside <= high


def test_time_to_proficiency_is_covered(recovered, worlds):
    law, *_, soon, _ = recovered
    if law == "none":
        assert np.mean([each.low <= 1 for each in soon]) >= 0.8
        return
    weeks = np.arange(1, 52, 1 / 7)
    curve = np.array([_truth(worlds, law, week) for week in weeks])
    true = weeks[np.argmax(curve <= np.log(1.05))]
    inside = sum(each.low <= true <= each.high for each in soon)
    assert inside >= _binomial(WORLDS, 0.93)[0]


def test_no_learning_no_alarm(recovered):
    law, _, _, _, rates, *_ = recovered
    alarms = sum(rate.high < 1 or rate.low > 1 for rate in rates)
    low, high = _binomial(WORLDS, 0.05)
    if law == "none":
        assert low <= alarms <= high
    else:
        assert alarms == WORLDS


def test_the_naive_curve_is_biased_where_the_slow_leave(worlds):
    """Slow newcomers leave: who is there says that people learn more than they do."""
    naive, within = [], []
    for seed in range(60 if FULL else 8):
        drawn = worlds.world(seed, "exponential", leaving_slow=1.2, spread=0.25)
        found = handletime.learning_curve(drawn.frame, drawn.people, weeks=(1,))
        naive.append(np.log(found.rows["naive"][0]) - worlds.typical(1))
        within.append(np.log(found.rows["relative_time"][0]) - worlds.typical(1))
    assert np.mean(naive) > 0.05
    assert abs(np.mean(within)) < 0.04
    told = {check.name: check for check in found.checks}["who left"]
    assert told.status == "fails"
    assert "slower at the same tenure" in told.detail
    assert found.leavers.value > 1


def test_what_changes_for_all_is_not_learning(worlds):
    """A roll-out that makes all calls shorter in one week leaves the curve as it was."""
    drawn = worlds.world(3, "exponential")
    before = handletime.learning_curve(drawn.frame, drawn.people)
    live = pl.col("local_start") >= dt.datetime(2023, 12, 4)
    shift = np.log(0.8)
    shorter = drawn.frame.with_columns(
        timed_logs=pl.when(live)
        .then(pl.col("timed_logs") + shift * pl.col("timed_calls"))
        .otherwise(pl.col("timed_logs")),
        timed_logs2=pl.when(live)
        .then(
            pl.col("timed_logs2")
            + 2 * shift * pl.col("timed_logs")
            + shift**2 * pl.col("timed_calls")
        )
        .otherwise(pl.col("timed_logs2")),
    )
    after = handletime.learning_curve(shorter, drawn.people)
    assert after.rows["relative_time"].to_list() == pytest.approx(
        before.rows["relative_time"].to_list()
    )
    assert after.rate.value == pytest.approx(before.rate.value)


def test_pandas_and_order_make_no_difference(worlds):
    drawn = worlds.world(5, positions=12, weeks=60)
    one = handletime.learning_curve(drawn.frame, drawn.people)
    other = handletime.learning_curve(
        drawn.frame.sample(fraction=1, shuffle=True, seed=1).to_pandas(), drawn.people[::-1]
    )
    assert other.rate.value == pytest.approx(one.rate.value, rel=1e-9)


def test_agents_without_a_day_of_hiring_are_named_and_what_is_not_seen_is_said(worlds):
    drawn = worlds.world(1, positions=20)
    newest = drawn.people["hired_on"].max()
    people = drawn.people.with_columns(
        hired_on=pl.when(pl.col("agent").is_in(["a000", "a007"]))
        .then(None)
        .otherwise(pl.col("hired_on"))
    )
    found = handletime.learning_curve(drawn.frame, people)
    told = {check.name: check.detail for check in found.checks}
    assert told["agents without a day of hiring"] == "2 agents left out: a000, a007"
    # Nobody is seen in the first weeks of work: nothing is said of them.
    hired = pl.DataFrame({"agent": drawn.people["agent"], "hired_on": drawn.people["hired_on"]})
    rows = drawn.frame.join(hired, on="agent").filter(
        pl.col("local_start").cast(pl.Date) >= pl.col("hired_on") + pl.duration(weeks=9)
    )
    late = handletime.learning_curve(rows.drop("hired_on"), drawn.people, weeks=(1, 13))
    assert late.rows["relative_time"].to_list()[0] is None
    assert late.rows["relative_time"][1] > 1
    told = {check.name: check for check in late.checks}
    assert told["tenures seen"].status == "fails"
    assert "1 weeks" in told["tenures seen"].detail
    assert newest is not None


def test_left_out_calls_are_counted(worlds):
    drawn = worlds.world(2, positions=12, weeks=60)
    frame = drawn.frame.with_columns(
        untimed=pl.lit(1), negative_times=0, zero_times=pl.lit(2), over_a_day=0
    )
    nobody = frame.head(1).with_columns(agent=pl.lit(None, pl.String), timed_calls=pl.lit(40))
    found = handletime.learning_curve(
        pl.concat([frame, nobody], how="vertical_relaxed"), drawn.people
    )
    told = {check.name: check.detail for check in found.checks}["calls left out"]
    n = frame.height + 1
    assert f"{n:,} without handle time" in told
    assert f"{2 * n:,} below 1 s" in told
    assert "40 whose agent is unknown" in told
    assert "negative" not in told


@pytest.mark.parametrize(
    ("change", "settings", "error", "words"),
    [
        ({}, {"weeks": (0,)}, InputError, "between 1 and tenured"),
        ({}, {"weeks": ("soon",)}, InputError, "must be numbers"),
        ({}, {"tenured_weeks": 1}, InputError, "tenured_weeks=1"),
        ({}, {"most": 0}, InputError, "most=0"),
        ({"interval_s": pl.lit(2_592_000)}, {}, InputError, "every='1w'"),
        ({"agent": pl.lit(None, pl.String)}, {}, DataError, "no answered call has both"),
        ({"timed_calls": pl.lit(-1)}, {}, InputError, "cannot be used"),
    ],
)
def test_refusals(worlds, change, settings, error, words):
    drawn = worlds.world(4, positions=8, weeks=30)
    with pytest.raises(error, match=words):
        handletime.learning_curve(drawn.frame.with_columns(**change), drawn.people, **settings)


def test_refusals_about_people(worlds):
    drawn = worlds.world(4, positions=8, weeks=30)
    hired = pl.col("hired_on")
    for people, error, words in (
        (drawn.people.with_columns(hired_on=pl.lit(None, pl.Date)), DataError, "day of hiring"),
        (drawn.people.with_columns(hired - pl.duration(days=4000)), DataError, "too few newcomers"),
        (
            drawn.people.with_columns(pl.max_horizontal(hired, pl.lit(dt.date(2022, 12, 1)))),
            DataError, "too few tenured",
        ),
        (drawn.people.drop("left_on"), InputError, "left_on"),
        (pl.concat([drawn.people, drawn.people.head(1)]), InputError, "stands twice"),
        (drawn.people.with_columns(hired_on=pl.lit("soon")), InputError, "must hold dates"),
    ):  # fmt: skip
        with pytest.raises(error, match=words):
            handletime.learning_curve(drawn.frame, people)
