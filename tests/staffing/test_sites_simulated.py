"""Sites, overflow and tiers held against the event simulator, and the bank's own head start."""

import os
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics import Queue, ServiceLevel, staffing
from ccanalytics.errors import DataError, InputError
from ccanalytics.queueing import PriorityQueue
from ccanalytics.simulation import Replay, simulate

GOAL = ServiceLevel(0.80, within=20)
START = datetime(2025, 3, 3, 8, tzinfo=UTC)
FULL = os.environ.get("CCANALYTICS_FULL") == "1"


def steady(calls, hours, key="site", aht=180.0):
    """One long interval: ``calls`` per half-hour by key."""
    return pl.DataFrame({
        "interval_start": [START] * len(calls), "interval_s": 3600.0 * hours,
        "calls": [2.0 * hours * n for n in calls.values()], "aht_s": aht, key: list(calls),
    })  # fmt: skip


@pytest.mark.parametrize(("sites", "seats", "hours"), [(250, 3500, 200), (31, 2697, 80),
                                                       (8, 2576, 40), (1, 2512, 30)])  # fmt: skip
def test_published_seats_hold_when_simulated(sites, seats, hours):
    """One of so many like sites: its formula inside 99.9% limits, its goal met, n − 1 short."""
    agents, calls = seats // sites, 25_000 / sites
    demand = steady({"x": calls}, hours * (4 if FULL else 1)).drop("site")
    # Near saturation the queue forgets slowly: R/(n − R)² handle times.
    load = calls / 10
    warmup = max(3600.0, 10 * 180 * load / (agents - load) ** 2)
    settings = {"goals": GOAL, "warmup_s": warmup, "replications": 12 if FULL else 6,
                "level": 0.999}  # fmt: skip
    told = Queue(calls, 1800, 180).performance(agents)
    run = simulate(demand, agents, seed=7, **settings)
    found = run.service_level()
    assert found.low <= told.service_level(GOAL) <= found.high
    assert told.service_level(GOAL) >= 0.8
    assert Queue(calls, 1800, 180).performance(agents - 1).service_level(GOAL) < 0.8
    assert run.occupancy.value == pytest.approx(told.occupancy, abs=0.01)


def test_overflow_lies_between_separate_and_pooled():
    demand = steady({"a": 100.0, "b": 60.0, "c": 30.0, "d": 15.0}, 20)
    found = staffing.site_overflow(demand, GOAL, replications=12, seed=2)
    rows = {row["arrangement"]: row for row in found.frame.iter_rows(named=True)}
    one, chain, pooled = (
        rows[name] for name in ("separate", "overflow to the next site", "pooled")
    )
    assert one["service_level_high"] < chain["service_level_low"]
    assert chain["service_level_high"] < pooled["service_level_low"]
    assert one["agent_hours"] == pooled["agent_hours"]
    assert (one["links"], chain["links"], pooled["links"]) == (0, 4, 12)
    assert "has" in found.summary()
    # The ends are known by formula: each site by itself, and one queue of all agents.
    agents = {s: Queue(n, 1800, 180).agents_for(GOAL)
              for s, n in {"a": 100, "b": 60, "c": 30, "d": 15}.items()}  # fmt: skip
    apart = found.sites.filter(pl.col("arrangement") == "separate")
    for row in apart.iter_rows(named=True):
        n = {"a": 100, "b": 60, "c": 30, "d": 15}[row["site"]]
        told = Queue(n, 1800, 180).performance(agents[row["site"]]).service_level(GOAL)
        # The simulated centre starts empty; a percent is what that is worth in 20 hours.
        assert row["service_level_low"] - 0.01 <= told <= row["service_level_high"] + 0.01
    whole = Queue(205, 1800, 180).performance(sum(agents.values())).service_level(GOAL)
    assert pooled["service_level_low"] - 0.01 <= whole <= pooled["service_level_high"] + 0.01


def test_one_site_may_help_another_and_not_the_reverse():
    demand = steady({"a": 50.0, "b": 50.0}, 20)
    # Seven agents at a, for five erlangs; at b nine.
    found = staffing.site_overflow(
        demand, GOAL, {"separate": "separate", "b helps a": {"a": ["b"]}, "all": "pooled"},
        agents={"a": 7, "b": 9}, replications=10,
    )  # fmt: skip
    levels = {
        (row["arrangement"], row["site"]): row["service_level"]
        for row in found.sites.iter_rows(named=True)
    }
    assert levels["b helps a", "a"] > levels["separate", "a"] + 0.02
    assert levels["b helps a", "b"] < levels["separate", "b"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"arrangements": {"x": {"a": ["z"]}}}, "'x': 'z'"),
        ({"arrangements": {"x": {"a": ["a"]}}}, "each named once"),
        ({"arrangements": {"x": {"a": 3}}}, "list of names"),
        ({"arrangements": {"x": "ring"}}, "no such arrangement"),
        ({"arrangements": {}}, "have names"),
        ({"agents": {"a": 3}}, "every site.*b"),
    ],
)
def test_bad_overflow(arguments, told):
    with pytest.raises(InputError, match=told):
        staffing.site_overflow(steady({"a": 5.0, "b": 5.0}, 1), GOAL, **arguments)


def test_what_a_promise_to_one_tier_costs():
    found = staffing.tier_promise({"gold": 30, "plain": 70}, 1800, 180, GOAL, agents=14)
    rows = found.at_agents()
    assert rows["mean_wait_s"].to_list() == pytest.approx([2.84943, 9.97301], abs=6e-6)
    assert rows["mean_wait_alike_s"].to_list() == pytest.approx([7.83594] * 2, abs=6e-6)
    assert found.agents_alike == 14
    assert found.agents_first == PriorityQueue([30, 70], 1800, 180).agents_for([GOAL, None])
    # Work is conserved, whatever the share of the first tier.
    for (share,), part in found.by_share.group_by(["first_share"]):
        mean = part.sort(pl.col("tier") == "plain")["mean_wait_s"].to_numpy() @ [share, 1 - share]
        assert mean == pytest.approx(7.83594, abs=6e-6)
    first = found.by_share.filter(pl.col("tier") == "gold").sort("first_share")
    assert first["service_level"].is_sorted(descending=True)  # a promise to all is none
    short = staffing.tier_promise({"gold": 30, "plain": 70}, 1800, 180, GOAL, agents=10)
    assert short.at_agents()["mean_wait_s"][1] == np.inf
    assert short.checks[0].status == "fails"
    with pytest.raises(InputError, match="another tier"):
        staffing.tier_promise({"gold": 30, "plain": 0}, 1800, 180, GOAL)
    with pytest.raises(InputError, match="ServiceLevel"):
        staffing.tier_promise([1, 2], 1800, 180, 0.8)


def test_simulated_rules_keep_to_the_formula_and_a_head_start_lies_between():
    demand = steady({"gold": 30.0, "plain": 70.0}, 40, key="tier")
    found = staffing.tier_rules(demand, 13, GOAL, {"gold": 20.0}, replications=15, seed=4)
    alike, _start, strict = found.rules
    formula = PriorityQueue({"gold": 30, "plain": 70}, 1800, 180).performance(13)
    for tier, told in zip(("gold", "plain"), formula.mean_wait, strict=True):
        low, high = (found.value(strict, tier, f"mean_wait_s_{end}") for end in ("low", "high"))
        assert low * 0.98 <= told <= high * 1.02  # the simulated centre starts empty
        same = Queue(100, 1800, 180).performance(13).mean_wait
        assert found.value(alike, tier, "mean_wait_s") == pytest.approx(same, rel=0.1)
    gold = [found.value(rule, "gold", "mean_wait_s") for rule in found.rules]
    plain = [found.value(rule, "plain", "mean_wait_s") for rule in found.rules]
    assert gold[0] > gold[1] > gold[2]
    assert plain[0] < plain[1] < plain[2]
    endless = staffing.tier_rules(demand, 13, GOAL, {"gold": 1e6}, replications=15, seed=4)
    for tier in ("gold", "plain"):  # a start that nobody makes up for is a strict priority
        assert endless.value(endless.rules[1], tier, "mean_wait_s") == pytest.approx(
            endless.value(strict, tier, "mean_wait_s")
        )


@pytest.mark.parametrize(
    ("head_start", "told"),
    [({}, "maps tiers"), ({"gold": 0}, "maps tiers"), ({"gold": 9, "plain": 9}, "everybody"),
     ({"silver": 9}, "no such type")],
)  # fmt: skip
def test_bad_head_starts(head_start, told):
    demand = steady({"gold": 3.0, "plain": 7.0}, 1, key="tier")
    with pytest.raises(InputError, match=told):
        staffing.tier_rules(demand, 3, GOAL, head_start)


def test_unknown_keys_are_shared_out_and_no_call_is_lost():
    at = [START + timedelta(hours=k) for k in range(3)]
    rows = pl.DataFrame({
        "interval_start": at * 3, "interval_s": 3600.0,
        "site": ["a"] * 3 + ["b"] * 3 + [None] * 3,
        "calls": [30.0, 10.0, 0.0, 10.0, 10.0, 0.0, 8.0, 6.0, 5.0],
        "aht_s": [100.0, 100.0, None, 200.0, 200.0, None, None, None, None],
    })  # fmt: skip
    found = staffing.shared_out(rows, "site")
    # At ten o'clock nothing is known: as all day, 40 to 20.
    assert found.demand.filter(pl.col("site") == "a")["calls"].to_list() == pytest.approx(
        [36.0, 13.0, 10 / 3]
    )
    assert found.demand["calls"].sum() == pytest.approx(rows["calls"].sum())
    assert found.unknown == pytest.approx(19 / 79)
    assert found.demand["aht_s"].null_count() == 0
    staffing.site_plans(found.demand, GOAL)
    whole = staffing.shared_out(rows.filter(pl.col("site").is_not_null()), "site")
    assert whole.unknown == 0
    assert whole.checks == ()
    with pytest.raises(DataError, match="only one site"):
        staffing.shared_out(rows.filter(pl.col("site").eq_missing("a")), "site")
    with pytest.raises(DataError, match="no site"):
        staffing.shared_out(rows.filter(pl.col("site").is_null()), "site")
    with pytest.raises(InputError, match="no such key"):
        staffing.shared_out(rows, "tier")


@pytest.mark.real
def test_the_banks_head_start_of_ninety_seconds(bank_log):
    """February 1999, all desks but the internet's: recorded waits against three rules.

    Priority 2 is known to count as having waited 90 s; 0 and 1 are both regular callers. Tiers are
    recorded for callers who waited; those answered at once get one by chance, as at that hour.
    Agents are inferred from calls. What is held against each other is the mean wait of those who
    waited, which the number of agents moves less than the chance to wait.
    """
    february = {"start": "1999-02-01", "end": "1999-03-01"}
    desks = ["PS", "PE", "NE", "NW", "TT"]
    chosen = {**february, "where": {"service": desks}}
    zone = bank_log.time_zone
    calls = (
        bank_log.table("calls")
        .filter(
            pl.col("outcome").is_in(["answered", "abandoned"]),
            pl.col("service").is_in(desks),
            pl.col("arrived_at").dt.convert_time_zone(zone).dt.strftime("%Y-%m") == "1999-02",
        )
        .with_columns(hour=pl.col("arrived_at").dt.convert_time_zone(zone).dt.hour())
        .sort("arrived_at", "call_id")
    )
    waited = calls.filter(pl.col("tier").is_not_null()).with_columns(first=pl.col("tier") == "2")
    recorded = dict(waited.group_by("first").agg(pl.col("wait_s").mean()).rows())
    chance = dict(waited.group_by("hour").agg(pl.col("first").mean()).rows())
    luck = np.random.default_rng(1).random(calls.height)
    first = [
        tier == "2" if tier is not None else draw < chance.get(hour, 0.5)
        for tier, hour, draw in zip(calls["tier"], calls["hour"], luck, strict=True)
    ]
    calls = calls.with_columns(tier=pl.Series(np.where(first, "priority", "regular")))

    grid = bank_log.intervals("30min", **chosen).select("interval_start", "interval_s")
    aht = float(calls.filter(pl.col("talk_s") > 0)["talk_s"].mean())
    counts = calls.with_columns(interval_start=pl.col("arrived_at").dt.truncate("30m"))
    demand = pl.concat(
        grid.join(
            counts.filter(pl.col("tier") == tier)
            .group_by("interval_start").agg(calls=pl.len().cast(pl.Float64)),
            on="interval_start", how="left",
        ).with_columns(pl.col("calls").fill_null(0.0), aht_s=pl.lit(aht), tier=pl.lit(tier))
        for tier in ("priority", "regular")
    )  # fmt: skip
    seen = bank_log.agents_present("30min", **chosen)
    agents = grid.join(
        seen.select("interval_start", agents=pl.col("agents_present").round()),
        on="interval_start", how="left",
    ).with_columns(pl.col("agents").fill_null(0.0))  # fmt: skip
    waits = bank_log.waits(["tier"], **chosen).with_columns(
        tier=pl.when(pl.col("tier") == "2").then(pl.lit("priority")).otherwise(pl.lit("regular"))
    )
    from ccanalytics.statistics import patience

    laws = patience(
        waits.group_by("tier", "outcome", "queued", "seconds").agg(pl.col("calls").sum())
    )
    found = staffing.tier_rules(
        demand.select("interval_start", "interval_s", "calls", "aht_s", "tier"), agents, GOAL,
        {"priority": 90.0},
        patience={tier: laws.law(tier) for tier in ("priority", "regular")},
        handle_time=bank_log.handle_times(**chosen).filter(pl.col("seconds") > 0),
        arrivals=Replay(calls), replications=40 if FULL else 12, seed=1,
    )  # fmt: skip
    told = {
        rule: (found.value(rule, "priority", "wait_if_any_s"),
               found.value(rule, "regular", "wait_if_any_s"))
        for rule in found.rules
    }  # fmt: skip
    alike, start, strict = found.rules
    was = np.array([recorded[True], recorded[False]])
    assert was == pytest.approx([66.1, 83.7], abs=0.1)
    assert np.abs(np.array(told[start]) - was).max() < 5  # 66.8 and 86.5
    assert told[alike][0] - was[0] > 12  # 84.0: without it, they would wait longer than the rest
    assert told[alike][0] > told[alike][1]
    assert was[0] - told[strict][0] > 10  # 51.3: and it is no strict priority
    left = waited.group_by("first").agg((pl.col("outcome") == "abandoned").mean())
    for is_first, share in left.iter_rows():
        tier = "priority" if is_first else "regular"
        given_up = found.value(start, tier, "abandonment") / found.value(
            start, tier, "wait_probability"
        )
        assert given_up == pytest.approx(share, abs=0.02)  # of those who waited
    # What does not fit: 58% waited at all, the model says 30%. Presence inferred from calls takes
    # an agent who does what the log does not record for one who is free.
    assert waited.height / calls.height == pytest.approx(0.578, abs=0.002)
    assert found.value(start, "priority", "wait_probability") < 0.4
