"""What a floor is worth, and who leaves it: against arithmetic, and against worlds drawn."""

import datetime as dt
import os

import numpy as np
import polars as pl
import pytest

from ccanalytics import handletime
from ccanalytics.errors import DataError, InputError

FULL = os.environ.get("CCANALYTICS_FULL") == "1"
FIRST, LAST = dt.date(2023, 1, 2), dt.date(2024, 6, 30)


def cells(means, calls=4000, cv2=0.8):
    """One week of agents with these mean handle times, exactly."""
    rows = [
        (dt.datetime(2024, 1, 1), 604800, f"a{i:02d}", calls, calls * m, calls * (1 + cv2) * m**2,
         calls * 5.0, calls * 25.6)
        for i, m in enumerate(means)
    ]  # fmt: skip
    schema = ["local_start", "interval_s", "agent", "timed_calls", "timed_s", "timed_ss",
              "timed_logs", "timed_logs2"]  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def people(new, old):
    return pl.DataFrame(
        {
            "agent": [f"a{i:02d}" for i in range(new + old)],
            "hired_on": [dt.date(2023, 12, 4)] * new + [dt.date(2020, 1, 6)] * old,
            "left_on": [None] * (new + old),
        },
        schema_overrides={"left_on": pl.Date},
    )


def test_effective_agents_are_the_sum_of_inverses():
    """Gans et al. 2010: ten at 300 s and ten at 200 s; the average of agents is 250 s."""
    means = [300.0] * 10 + [200.0] * 10
    found = handletime.effective_agents(
        handletime.agents(cells(means), people(10, 10), scale="mean")
    )
    assert found.total.value == pytest.approx(sum(250 / m for m in means), rel=0.01)
    assert found.total.low < sum(250 / m for m in means) < found.total.high
    new, old, whole = found.rows.iter_rows(named=True)
    assert (new["tenure"], old["tenure"], whole["tenure"]) == (
        "up to 13 weeks", "over 52 weeks", "all",
    )  # fmt: skip
    assert new["effective_agents"] == pytest.approx(10 * 250 / 300, rel=0.01)
    assert whole["efficiency"] == 1
    # A floor of newcomers alone does 8/10 of the work of this one: (5/6)/(25/24).
    planned = found.efficiency({"up to 13 weeks": 30})
    assert planned.value == pytest.approx(0.8, rel=0.01)
    same = found.efficiency({"up to 13 weeks": 5, "over 52 weeks": 5})
    assert same.value == pytest.approx(1, abs=1e-9)
    assert "20 agents do the work of" in found.summary()


def test_efficiency_leads_into_the_requirement():
    """Handle time measured on this floor, planned for another: load follows who will answer."""
    from ccanalytics import ServiceLevel, staffing

    means = [300.0] * 10 + [200.0] * 10
    floor = handletime.effective_agents(
        handletime.agents(cells(means), people(10, 10), scale="mean")
    )
    # Equally busy heads: the floor's calls take the harmonic mean, 240 s; newcomers take 300.
    demand = pl.DataFrame(
        {
            "interval_start": [dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)],
            "interval_s": [1800], "calls": [200], "aht_s": [240.0],
        }
    )  # fmt: skip
    goal = ServiceLevel(0.8, within=20)
    need = staffing.requirement(
        demand, goal, efficiency=floor.efficiency({"up to 13 weeks": 40}).value
    )
    assert need.frame["load"][0] == pytest.approx(200 * 300 / 1800, rel=0.01)


def test_effective_agents_refuse():
    effects = handletime.agents(cells([300.0] * 4 + [200.0] * 4))
    with pytest.raises(InputError, match="needs means"):
        handletime.effective_agents(effects)
    with pytest.raises(InputError, match=r"handletime\.agents"):
        handletime.effective_agents(None)
    found = handletime.effective_agents(
        handletime.agents(cells([300.0] * 4 + [200.0] * 4), people(4, 4), scale="mean")
    )
    for heads, words in (({"soon": 1}, "no such band"), ({"over 52 weeks": -1}, "0 or more"),
                         ({}, "has heads")):  # fmt: skip
        with pytest.raises(InputError, match=words):
            found.efficiency(heads)


def staff(seed, rate=0.03, count=60, late=0.0):
    """Positions held one after another since long before; who left before the log is not listed."""
    rng = np.random.default_rng([seed, 9])
    days = (LAST - FIRST).days
    rows = []
    for _ in range(count):
        hired = -int(rng.integers(300, 900))
        while hired <= days:
            months = rng.exponential(1 / rate)
            if months > 3 and late:  # another rate after three months
                months = 3 + (months - 3) * rate / late
            left = hired + max(int(months * 365.25 / 12), 1)
            if left >= 0:
                rows.append((hired, left - 1 if left - 1 <= days else None))
            hired = left
    return pl.DataFrame(
        {
            "agent": [f"a{i:03d}" for i in range(len(rows))],
            "hired_on": [FIRST + dt.timedelta(days=h) for h, _ in rows],
            "left_on": [None if x is None else FIRST + dt.timedelta(days=x) for _, x in rows],
        },
        schema_overrides={"left_on": pl.Date},
    )


def test_rates_and_survival_are_those_planted_though_early_leavers_are_not_listed():
    """Exponential stays of 3% a month, watched from the middle: delayed entry, or a fool's rate."""
    month, covered, curve, naive = [], 0, [], []
    worlds = 400 if FULL else 40
    for seed in range(worlds):
        found = handletime.attrition(staff(seed), seen_from=FIRST, seen_until=LAST)
        row = found.rates.filter(pl.col("tenure") == "all").row(0, named=True)
        month.append(row["monthly_leaving"])
        true = -np.expm1(-0.03)
        covered += row["monthly_leaving_low"] <= true <= row["monthly_leaving_high"]
        at = found.survival.filter(pl.col("weeks_worked") <= 52)
        if found.from_weeks == 0 and at.height:
            curve.append(at["staying"][-1])
        wrong = staff(seed).with_columns(
            stay=(pl.col("left_on") - pl.col("hired_on")).dt.total_days()
        )
        naive.append((wrong["stay"].is_null() | (wrong["stay"] > 364)).mean())
    assert np.mean(month) == pytest.approx(-np.expm1(-0.03), rel=0.03)
    assert covered >= (0.93 if FULL else 0.85) * worlds
    true = np.exp(-0.03 * 12)
    assert np.mean(curve) == pytest.approx(true, abs=0.02)
    # Who was listed and stayed a year is no share of who was hired.
    assert np.mean(naive) > true + 0.03


def test_newcomers_leave_sooner_and_the_bands_say_so():
    found = handletime.attrition(
        staff(3, rate=0.10, count=200, late=0.02), seen_from=FIRST, seen_until=LAST
    )
    rows = {row["tenure"]: row for row in found.rates.iter_rows(named=True)}
    first, late = rows["up to 13 weeks"], rows["over 52 weeks"]
    assert first["monthly_leaving"] == pytest.approx(-np.expm1(-0.10), rel=0.25)
    assert late["monthly_leaving"] == pytest.approx(-np.expm1(-0.02), rel=0.25)
    assert rows["all"]["leavers"] == sum(r["leavers"] for k, r in rows.items() if k != "all")
    left = found.leaving({"over 52 weeks": 100})
    assert left.value == pytest.approx(100 * (1 - (1 - late["monthly_leaving"]) ** 12))
    assert left.low < left.value < left.high
    with pytest.raises(InputError, match="no such band"):
        found.leaving({"soon": 1})


def test_the_exact_limits_of_a_rate():
    """Garwood: none in 100 months 0 to 3.69 %, ten 4.80 to 18.4, as rates; shares below these."""
    made = pl.DataFrame(
        {
            "agent": ["a", *"bcdefghijkl"],
            "hired_on": [FIRST] * 12,
            "left_on": [FIRST + dt.timedelta(days=364)] * 10 + [None, None],
        }
    )
    found = handletime.attrition(made, seen_from=FIRST, seen_until=FIRST + dt.timedelta(days=364))
    row = found.rates.row(-1, named=True)
    months = 12 * 365 / (365.25 / 12)
    assert row["agent_months"] == pytest.approx(months)
    assert row["monthly_leaving_low"] == pytest.approx(-np.expm1(-4.795389 / months), rel=1e-6)
    assert row["monthly_leaving_high"] == pytest.approx(-np.expm1(-18.390356 / months), rel=1e-6)


def test_a_log_of_one_day_tells_of_that_day():
    made = pl.DataFrame(
        {
            "agent": ["a", "b", "c", "d"],
            "hired_on": [FIRST - dt.timedelta(days=30)] * 4,
            "left_on": [FIRST, None, None, None],
        }
    )
    row = handletime.attrition(made, seen_from=FIRST, seen_until=FIRST).rates.row(-1, named=True)
    assert row["leavers"] == 1
    assert row["agent_months"] == pytest.approx(4 / (365.25 / 12))


def test_who_cannot_be_used_is_named():
    made = staff(1).with_columns(
        hired_on=pl.when(pl.col("agent") == "a001").then(None).otherwise("hired_on"),
        left_on=pl.when(pl.col("agent") == "a002")
        .then(pl.col("hired_on") - pl.duration(days=1))
        .when(pl.col("agent") == "a000")
        .then(pl.lit(FIRST) - pl.duration(days=1))
        .otherwise("left_on"),
    )
    found = handletime.attrition(made, seen_from=FIRST, seen_until=LAST)
    told = {check.name: check.detail for check in found.checks}
    assert "a001" in told["agents without a day of hiring"]
    assert "a002" in told["agents who left before they were hired"]
    assert told["left before"].startswith("1 agent had left")
    for people_, settings, error, words in (
        (made, {}, InputError, "from when to when"),
        (made, {"seen_from": LAST, "seen_until": FIRST}, InputError, "after the last"),
        (made, {"seen_from": "soon", "seen_until": LAST}, InputError, "must be a day"),
        (made, {"seen_from": FIRST, "seen_until": LAST, "bands": (13, 13)}, InputError, "rise"),
        (made.with_columns(left_on=pl.lit(None, pl.Date)), {"seen_from": FIRST, "seen_until": LAST},
         DataError, "nobody left"),
        (made.with_columns(hired_on=pl.lit(None, pl.Date)), {"seen_from": FIRST,
         "seen_until": LAST}, DataError, "no agent with a day of hiring"),
    ):  # fmt: skip
        with pytest.raises(error, match=words):
            handletime.attrition(people_, **settings)


@pytest.mark.parametrize("name", ["learning", "agents", "effective", "attrition"])
def test_the_examples_of_the_documentation_run(name):
    import doctest
    import importlib

    found = doctest.testmod(importlib.import_module(f"ccanalytics.handletime.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
