"""Agents beside each other: truth drawn into sums comes back, and luck does not pass for skill."""

import datetime as dt
import os
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from ccanalytics import handletime
from ccanalytics.errors import DataError, InputError

FULL = os.environ.get("CCANALYTICS_FULL") == "1"
WORLDS = 200 if FULL else 15
SIGMA = 0.8


def floor(seed, count=40, spread=0.12, calls=(3, 400), weeks=4, specialised=False):
    """Agents with true log differences; kinds of calls of two lengths, given unevenly."""
    rng = np.random.default_rng([seed, 5])
    own = spread * rng.standard_normal(count)
    own -= own.mean()
    size = np.exp(rng.uniform(*np.log(calls), count))
    rows = []
    for i in range(count):
        share = rng.uniform(0.05, 0.95) if specialised else 0.5
        for week in range(weeks):
            for kind, part in (("short", share), ("long", 1 - share)):
                n = int(rng.poisson(size[i] * part / weeks))
                if n:
                    logs = rng.normal(4.5 + own[i] + (kind == "long"), SIGMA, n)
                    rows.append((week, f"a{i:02d}", kind, n, logs.sum(), (logs**2).sum(),
                                 np.exp(logs).sum(), np.exp(2 * logs).sum()))  # fmt: skip
    frame = pl.DataFrame(
        rows, orient="row",
        schema=["week", "agent", "service", "timed_calls", "timed_logs", "timed_logs2", "timed_s",
                "timed_ss"],
    ).with_columns(
        local_start=pl.lit(dt.datetime(2024, 1, 1)) + pl.duration(weeks=pl.col("week")),
        interval_s=604800,
    ).drop("week")  # fmt: skip
    names = sorted(frame["agent"].unique())
    return frame, {f"a{i:02d}": own[i] for i in range(count)}, names


@pytest.mark.parametrize("scale", ["log", "mean"])
def test_limits_and_ranks_hold_the_truth(scale):
    inside = ranked = total = tried = 0
    for seed in range(WORLDS):
        frame, own, names = floor(seed)
        found = handletime.agents(frame, scale=scale, min_calls=1)
        truth = np.array([own[name] for name in names])
        truth = np.exp(truth - truth.mean()) if scale == "log" else np.exp(truth)
        truth = truth if scale == "log" else truth / truth.mean()
        rows = found.rows
        inside += int(((rows["relative_time_low"].to_numpy() <= truth)
                       & (truth <= rows["relative_time_high"].to_numpy())).sum())  # fmt: skip
        rank = truth.argsort().argsort() + 1
        ranked += int(
            ((rows["rank_low"].to_numpy() <= rank) & (rank <= rows["rank_high"].to_numpy())).sum()
        )
        total += len(names)
        tried += found.beyond
    # Means of a few calls of a heavy-tailed law are skewed: their limits hold a little less often.
    least = 0.925 if scale == "log" else 0.9
    assert least <= inside / total <= 0.98, inside / total
    assert ranked / total >= 0.92, ranked / total
    assert tried > 0


def test_the_weight_is_that_of_the_formula():
    """METHODS.md §4: k/(k + σ²/τ²)."""
    frame, _, _ = floor(1)
    found = handletime.agents(frame)
    rows, tau = found.rows, found.lasting
    # From any two agents the same ratio of variances follows.
    ratio = rows["timed_calls"] * (1 / rows["weight"] - 1)
    assert ratio.to_list() == pytest.approx([ratio[0]] * rows.height)
    assert ratio[0] * tau**2 == pytest.approx(SIGMA**2, rel=0.15)
    shrunk = np.log(rows["relative_time"]) / np.log(rows["observed"])
    assert shrunk.to_list() == pytest.approx(rows["weight"].to_list(), abs=1e-9)


def test_alike_agents_differ_by_luck_alone():
    alarms, luck = 0, []
    for seed in range(WORLDS):
        frame, _, _ = floor(seed, spread=0)
        found = handletime.agents(frame)
        alarms += found.beyond > 0
        luck.append(found.luck)
    # One in twenty worlds; twenty times that many would be a fault.
    assert alarms <= 0.05 * WORLDS + 4 * np.sqrt(0.05 * WORLDS) + 1
    assert np.mean(luck) > 0.6


def test_who_takes_the_long_calls_is_not_slow():
    """Alike agents who take unlike shares of long calls: raw means differ, like calls do not."""
    frame, _, _ = floor(3, spread=0, calls=(300, 800), specialised=True)
    raw = (
        frame.group_by("agent").agg(pl.col("timed_logs").sum() / pl.col("timed_calls").sum())
    )["timed_logs"]  # fmt: skip
    found = handletime.agents(frame)
    assert raw.std() > 0.15
    assert np.log(found.rows["observed"]).std() < 0.07
    assert found.luck < 0.2
    # Groups that share no kind of call are held apart, not ranked by what they are given.
    apart = frame.with_columns(
        service=pl.when(pl.col("agent") < "a20").then(pl.lit("x")).otherwise(pl.lit("y"))
    )
    # Kinds x and y take unlike times, by the agents' shares alone.
    told = handletime.agents(apart)
    names = {check.name: check.detail for check in told.checks}
    assert names["calls shared"].startswith("2 groups")
    one = np.log(told.rows.filter(pl.col("agent") < "a20")["observed"]).mean()
    assert one == pytest.approx(0, abs=0.005)


def test_few_calls_are_too_few_to_say():
    frame, _, _ = floor(2)
    single = frame.head(1).with_columns(
        agent=pl.lit("b"), timed_calls=pl.lit(1), timed_logs=9.0, timed_logs2=81.0,
        timed_s=np.exp(9.0), timed_ss=np.exp(18.0),
    )  # fmt: skip
    found = handletime.agents(pl.concat([frame, single], how="vertical_relaxed"), min_calls=50)
    row = found.rows.filter(pl.col("agent") == "b").row(0, named=True)
    assert row["rank"] is None
    assert not row["enough"]
    assert row["observed"] > 20
    assert row["relative_time"] < 1.6  # one call says next to nothing
    told = {check.name: check.detail for check in found.checks}["too few to say"]
    assert "with a single call" in told
    small = found.rows.filter(pl.col("timed_calls") < 50)
    assert told.startswith(f"{small.height} agents")
    assert small["rank"].null_count() == small.height


def test_it_is_no_league_table():
    frame, _, _ = floor(2)
    found = handletime.agents(frame)
    assert found.rows["agent"].to_list() == sorted(found.rows["agent"])
    assert "mean_s" not in found.rows.columns
    assert "beyond luck" in found.summary()
    assert f"luck makes {found.luck:.0%}" in found.headline()


def test_by_tenure_newcomers_are_drawn_to_newcomers():
    frame, _, names = floor(4, calls=(20, 60))
    slow = [name for name in names if name < "a10"]
    more = np.log(1.4)
    frame = frame.with_columns(_new=pl.col("agent").is_in(slow)).with_columns(
        timed_logs2=pl.when("_new").then(
            pl.col("timed_logs2") + 2 * more * pl.col("timed_logs")
            + more**2 * pl.col("timed_calls")).otherwise("timed_logs2"),
        timed_logs=pl.when("_new").then(
            pl.col("timed_logs") + more * pl.col("timed_calls")).otherwise("timed_logs"),
    ).drop("_new")  # fmt: skip
    people = pl.DataFrame(
        {
            "agent": names,
            "hired_on": [
                dt.date(2023, 12, 18) if n in slow else dt.date(2020, 1, 6) for n in names
            ],
            "left_on": [None] * len(names),
        },
        schema_overrides={"left_on": pl.Date},
    )
    alone, held = handletime.agents(frame), handletime.agents(frame, people)
    new = pl.col("tenure") == "up to 13 weeks"
    assert held.rows.filter(new)["agent"].to_list() == slow
    assert held.lasting < alone.lasting
    mine = held.rows.filter(new)["relative_time"].mean()
    theirs = held.rows.filter(~new)["relative_time"].mean()
    assert mine / theirs == pytest.approx(1.4, rel=0.1)


@pytest.mark.parametrize(
    ("change", "settings", "error", "words"),
    [
        ({}, {"scale": "rank"}, InputError, "log or mean"),
        ({}, {"min_calls": 0}, InputError, "min_calls=0"),
        ({}, {"min_calls": 10**6}, DataError, "no agent has enough calls"),
        ({}, {"level": 95}, InputError, "0.95"),
        ({"agent": pl.lit("a")}, {}, DataError, "too few"),
    ],
)
def test_refusals(change, settings, error, words):
    frame, _, _ = floor(1)
    with pytest.raises(error, match=words):
        handletime.agents(frame.with_columns(**change), **settings)


def predictions(frame, scale):
    """Squared errors of next month's raw means: from raw means, and from empirical Bayes."""
    column = "timed_s" if scale == "mean" else "timed_logs"
    frame = frame.drop_nulls("agent").with_columns(month=pl.col("local_start").dt.truncate("1mo"))
    months = frame["month"].unique().sort().to_list()
    parts = []
    for now, after in pairwise(months):
        this = frame.filter(pl.col("month") == now).drop("month")
        raw, later = (
            some.group_by("agent")
            .agg(n=pl.col("timed_calls").sum(), mean=pl.col(column).sum())
            .filter(pl.col("n") > 0)
            .with_columns(pl.col("mean") / pl.col("n"))
            for some in (this, frame.filter(pl.col("month") == after))
        )
        found = handletime.agents(this, scale=scale, min_calls=1).rows
        both = raw.join(later, on="agent", suffix="_next").join(found, on="agent")
        own = (
            pl.col("expected_aht_s") * pl.col("relative_time")
            if scale == "mean"
            else pl.col("mean") - pl.col("observed").log() + pl.col("relative_time").log()
        )
        parts.append(
            both.select(
                month=pl.lit(now), n="n",
                raw=(pl.col("mean") - pl.col("mean_next")) ** 2 * pl.col("n_next"),
                bayes=(own - pl.col("mean_next")) ** 2 * pl.col("n_next"),
            )
        )  # fmt: skip
    return pl.concat(parts)


def better(errors):
    """Error (RMS) of empirical Bayes over that of raw means: under 50 calls, and of all."""
    few = errors.filter(pl.col("n") < 50)
    assert errors["month"].n_unique() >= 5
    assert few.height >= 3
    return tuple(np.sqrt(e["bayes"].sum() / e["raw"].sum()) for e in (few, errors))


@pytest.mark.parametrize("scale", ["log", "mean"])
def test_the_next_month_of_the_sample_centre_is_foretold_better(people_centre, scale):
    few, whole = better(
        predictions(people_centre.agent_handling("1w", by=["queue", "service"]), scale)
    )
    assert few < 1
    assert whole <= 1.01


@pytest.mark.real
@pytest.mark.parametrize("scale", ["log", "mean"])
def test_the_next_month_of_the_bank_is_foretold_better(bank_log, scale):
    few, whole = better(predictions(bank_log.agent_handling("1w", by=["service"]), scale))
    assert few < 1
    assert whole <= 1.01
