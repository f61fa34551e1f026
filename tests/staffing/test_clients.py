"""Clients: the optimum of every plan there is, chances against simulation, contracts refused."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product

import numpy as np
import polars as pl
import pytest
from scipy.special import gammainc
from scipy.stats import norm

from ccanalytics import Queue, ServiceLevel, staffing
from ccanalytics.errors import DataError, InputError
from ccanalytics.staffing import Contract
from ccanalytics.staffing._chance import mark_variances, shortfall

GOAL = ServiceLevel(0.80, within=20)
START = datetime(2025, 3, 3, 8, tzinfo=UTC)


def frame(calls, aht=180.0, step=1800.0):
    return pl.DataFrame([
        {"interval_start": START + timedelta(seconds=step * k), "interval_s": step,
         "calls": float(number), "aht_s": aht, "client": client}
        for client, numbers in calls.items()
        for k, number in enumerate(numbers)
    ])  # fmt: skip


def variance_by_matrix(rate, aht, agents, within, targets, leaving=0.0, states=400):
    """The same variance by solving Poisson's equation of the generator as a linear system."""
    j = np.arange(states)
    death = np.minimum(j, agents) / aht + np.maximum(j - agents, 0) * leaving
    generator = np.diag(np.full(states - 1, rate), 1) + np.diag(death[1:], -1)
    generator -= np.diag(generator.sum(axis=1))
    pi = np.linalg.lstsq(np.vstack([generator.T, np.ones(states)]),
                         np.r_[np.zeros(states), 1.0], rcond=None)[0]  # fmt: skip
    f = np.where(j < agents, 1.0, gammainc(np.maximum(j - agents + 1, 1), agents * within / aht))
    mean = pi @ f
    h = np.linalg.lstsq(np.vstack([generator, pi]), np.r_[-rate * (f - mean), 0.0], rcond=None)[0]
    after = np.r_[h[1:], h[-1]]
    found = []
    for target in targets:
        own = mean * (1 - target) ** 2 + (1 - mean) * target**2
        found.append(rate * (own + 2 * pi @ ((f - target) * after)))
    return found


@pytest.mark.parametrize(
    ("calls", "agents", "leaving"),
    [(100, 12, 0.0), (100, 14, 0.0), (20, 4, 0.0), (100, 10, 1 / 120)],
)
def test_the_variance_of_service_solves_poissons_equation(calls, agents, leaving):
    targets = np.array([0.8, 0.5])
    found = mark_variances(calls / 1800, 180.0, agents, 20.0, leaving, targets)
    exact = variance_by_matrix(calls / 1800, 180.0, agents, 20.0, targets, leaving, 200)
    assert found[0] == pytest.approx(exact, rel=1e-4)
    level = Queue(calls, 1800, 180).performance(12).service_level(GOAL)
    assert found[0, 0] > 3 * calls / 1800 * level * (1 - level)  # far above the binomial's


def test_the_chance_to_miss_a_day_is_that_of_simulation():
    """Four hundred days of ten hours, 100 calls a half-hour: the share of days missed."""
    from ccanalytics.simulation import simulate

    days = pl.DataFrame(
        {
            "interval_start": [START + timedelta(hours=10 * k) for k in range(400)],
            "interval_s": 36_000.0,
            "calls": 2000.0,
            "aht_s": 180.0,
        }
    )
    for agents in (13, 14):
        run = simulate(days, agents, goals=GOAL, warmup_s=3600, replications=1, seed=5)
        levels = run.intervals["service_level"].to_numpy()
        missed = np.mean(levels < GOAL.share)
        level = Queue(100, 1800, 180).performance(agents).service_level(GOAL)
        rate = mark_variances(100 / 1800, 180.0, agents, 20.0, 0.0, np.array([0.8]))[0, 0]
        sd = np.sqrt(rate * 36_000) / 2000
        told = norm.cdf(-(level - 0.8) / sd)
        # Three standard errors of 400 days, and what a normal law is off by.
        assert told == pytest.approx(missed, abs=3 * np.sqrt(missed * (1 - missed) / 400) + 0.03)
        # The sd of 400 days is known to 3.5%; the formula may be a tenth too small.
        assert 0.80 < sd / np.std(levels) < 1.1


def test_shortfall_is_the_mean_of_what_is_lacking():
    x = norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    for mean, sd in ((0.0, 1.0), (2.0, 1.5), (-3.0, 2.0)):
        told = np.maximum(-(mean + sd * x), 0).mean()
        assert shortfall(mean, sd**2) == pytest.approx(told, abs=1e-4)


@cache
def noise(whole, aht, agents, target):
    return mark_variances(whole / 1800, aht, agents, 20.0, 0.0, np.array([target]))[0, 0] * 1800


@cache
def served(whole, aht, agents):
    return Queue(whole, 1800, aht).performance(agents).service_level(GOAL)


def money(contracts, calls, agents, aht=180.0, price=15.0, premium=0.0):
    """Profit of one pool by itself, written down anew: calls by client and interval, agents."""
    names = list(contracts)
    total = np.sum([calls[name] for name in names], axis=0)
    profit = -sum(agents) * price * (1 + premium * (len(names) > 1)) / 2
    levels = [served(n, aht, k) for n, k in zip(total, agents, strict=True)]
    for name in names:
        contract, own = contracts[name], np.asarray(calls[name])
        target = contract.goal.share
        bill = contract.price_per_call * own
        surplus, variance = [], []
        for n, whole, k, level in zip(own, total, agents, levels, strict=True):
            share = n / whole
            luck = n * (1 - share) * (level * (1 - target) ** 2 + (1 - level) * target**2)
            surplus.append(n * (level - target))
            variance.append(share**2 * noise(whole, aht, k, target) + luck)
        windows = (
            [(s, v, b, n) for s, v, b, n in zip(surplus, variance, bill, own, strict=True)]
            if contract.window == "interval"
            else [(sum(surplus), sum(variance), bill.sum(), own.sum())]
        )
        many = 1.0
        if contract.window == "week":  # seven such days, of which this span holds a seventh
            windows, many = [tuple(7 * x for x in windows[0])], 1 / 7
        profit += bill.sum()
        for s, v, b, n in windows:
            z = s / np.sqrt(v)
            lost = norm.cdf(-z) * (contract.penalty + contract.penalty_share * b)
            points = 100 * (-s * norm.cdf(-z) + np.sqrt(v) * norm.pdf(z)) / n
            profit -= many * (lost + contract.penalty_per_point * points)
    return profit


CALLS = {"a": [60.0, 20.0], "b": [25.0, 30.0], "c": [8.0, 5.0]}
TERMS = {
    "a": Contract(client="a", goal=GOAL, window="day", price_per_call=2.0, penalty_share=0.4),
    "b": Contract(client="b", goal=ServiceLevel(0.9, 20), window="interval", price_per_call=3.0,
                  penalty=20.0, penalty_per_point=0.5),
    "c": Contract(client="c", goal=GOAL, window="week", price_per_call=5.0, penalty=300.0),
}  # fmt: skip


STRICT = TERMS | {
    "c": Contract(client="c", goal=ServiceLevel(0.99, 20), window="interval", price_per_call=9.0,
                  penalty=400.0)
}  # fmt: skip


def best_by_enumeration(names, contracts, premium):
    total = np.sum([CALLS[name] for name in names], axis=0)
    least = np.floor(total / 10).astype(int) + 1
    terms = {name: contracts[name] for name in names}
    return max(
        (money(terms, CALLS, agents, premium=premium), agents)
        for agents in product(*(range(k, k + 14) for k in least))
    )


def partitions(items):
    if not items:
        yield []
        return
    first, *rest = items
    for part in partitions(rest):
        yield [[first], *part]
        for k, pool in enumerate(part):
            yield [*part[:k], [first, *pool], *part[k + 1 :]]


@pytest.mark.parametrize(
    ("contracts", "premium", "wanted"),
    [
        (TERMS, 0.0, "shared"),
        (TERMS, 0.35, "dedicated"),
        (STRICT, 0.05, "partly shared"),
    ],
)
def test_the_optimum_of_a_portfolio_of_three_is_found(contracts, premium, wanted):
    """Every staff of every pool of every way to share, enumerated."""
    found = staffing.client_plans(
        frame(CALLS), contracts.values(), cost_per_hour=15.0, shared_premium=premium
    )
    pools = {
        pool: best_by_enumeration(pool, contracts, premium)
        for pool in {tuple(pool) for part in partitions(list(CALLS)) for pool in part}
    }
    profits = {
        frozenset(map(tuple, part)): sum(pools[tuple(pool)][0] for pool in part)
        for part in partitions(list(CALLS))
    }
    rows = {row["arrangement"]: row for row in found.frame.iter_rows(named=True)}
    assert rows["dedicated"]["profit"] == pytest.approx(
        profits[frozenset({("a",), ("b",), ("c",)})]
    )
    assert rows["shared"]["profit"] == pytest.approx(profits[frozenset({("a", "b", "c")})])
    assert found.best["profit"] == pytest.approx(max(profits.values()))
    for name in ("dedicated", "shared"):
        for (label,), part in found.agents.filter(pl.col("arrangement") == name).group_by(["pool"]):
            members = ("a", "b", "c") if label == "all clients" else (label,)
            assert tuple(part.sort("interval_start")["agents"]) == pools[members][1]
    assert found.best["arrangement"] == wanted
    own = found.clients.group_by("arrangement").agg(pl.col("revenue", "penalty").sum())
    for row in own.iter_rows(named=True):
        whole = rows[row["arrangement"]]
        assert row["revenue"] - row["penalty"] - whole["cost"] == pytest.approx(whole["profit"])


def test_the_frontier_runs_from_cheap_to_good_and_holds_the_choice():
    found = staffing.client_plans(frame(CALLS), TERMS.values(), cost_per_hour=15.0)
    for (_,), part in found.frontier.group_by(["arrangement"], maintain_order=True):
        assert part["cost"].is_sorted()
        assert part.filter(~pl.col("chosen"))["service_level"].is_sorted()
        assert part["profit"].max() == pytest.approx(part.filter("chosen")["profit"][0])
        assert part["service_level"].max() > 0.99
        assert part["occupancy"][0] > part["occupancy"][-1]


def test_uncertain_volume_and_dearer_penalties_ask_for_more_agents():
    def hours(penalty, **settings):
        terms = [Contract(client="a", goal=GOAL, window="day", price_per_call=2, penalty=penalty)]
        found = staffing.client_plans(frame({"a": [60.0, 90.0, 20.0]}), terms, cost_per_hour=15.0,
                                      **settings)  # fmt: skip
        return found.frame["agent_hours"][0], found.frame["profit"][0]

    assert hours(5000)[0] > hours(500)[0] > hours(0)[0]
    assert hours(500, cv=0.2)[0] > hours(500)[0]
    assert hours(500, cv=0.2)[1] < hours(500)[1]
    patient, leaving = hours(200), hours(200, patience=120)
    assert leaving[0] <= patient[0]
    assert hours(0, goal=GOAL)[0] >= 0.5 * sum(
        Queue(n, 1800, 180).agents_for(GOAL) for n in (60, 90, 20)
    )


def test_prices_by_minute_and_by_seat():
    calls = {"a": [60.0, 60.0]}
    terms = Contract(client="a", goal=GOAL, price_per_minute=1.0, price_per_seat_hour=20.0, seats=8)
    found = staffing.client_plans(frame(calls), [terms], cost_per_hour=15.0, goal=GOAL)
    assert found.clients["revenue"][0] == pytest.approx(120 * 3 + 20 * 8)
    assert found.clients["penalty"][0] == 0
    assert any("nothing is lost" in check.detail for check in found.checks)


def test_missing_on_purpose_is_said():
    terms = Contract(client="a", goal=ServiceLevel(0.99, 5), window="day", price_per_call=1.0,
                     penalty=0.01)  # fmt: skip
    found = staffing.client_plans(frame({"a": [60.0, 60.0]}), [terms], cost_per_hour=15.0)
    assert found.checks[0].status == "fails"
    assert "pays to miss" in found.checks[0].detail


def table(**columns):
    row = {"client": "North", "from_on": date(2025, 1, 1), "price": 2.9, "service_level": 0.8,
           "within_s": 20.0, "window_days": 30, "penalty": 0.1}  # fmt: skip
    return pl.DataFrame([row | columns])


def test_contracts_of_a_log():
    later = table(from_on=date(2025, 6, 1), price=3.5)
    both = pl.concat([later, table()])
    assert staffing.read_contracts(both)[0].price_per_call == 3.5
    assert staffing.read_contracts(both, on=date(2025, 3, 1))[0].price_per_call == 2.9
    with pytest.raises(DataError, match="no contract"):
        staffing.read_contracts(both, on=date(2024, 3, 1))
    with pytest.raises(DataError, match="holds no contracts"):
        staffing.read_contracts(both.clear())
    with pytest.raises(InputError, match=r"two contracts.*'North'"):
        staffing.read_contracts(pl.concat([table(), table()]))
    with pytest.raises(InputError, match=r"'North'.*share=80"):
        staffing.read_contracts(table(service_level=80.0))
    with pytest.raises(InputError, match=r"'North'.*within_s is missing"):
        staffing.read_contracts(table(within_s=None).with_columns(pl.col("within_s").cast(float)))
    with pytest.raises(InputError, match="column 'within_s'"):
        staffing.read_contracts(table().drop("within_s"))


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"goal": 0.8}, "ServiceLevel"),
        ({"goal": ServiceLevel(0.8, 20, "virtual")}, "virtual"),
        ({"goal": ServiceLevel(0.8, 20, include_blocked=True)}, "busy signal"),
        ({"goal": ServiceLevel(1, 20), "penalty": 3}, "every single call"),
        ({"window": "year"}, "no such window"),
        ({"window": 0}, "no such window"),
        ({"penalty": -1}, "0 or more"),
        ({"penalty_share": 5}, "penalty_share of 'a'"),
        ({"seats": 3}, "needs the number of seats"),
        ({"seats": 1.5, "price_per_seat_hour": 1}, "whole"),
    ],
)
def test_contracts_that_contradict_themselves(terms, told):
    with pytest.raises(InputError, match=told) as caught:
        Contract(**({"client": "a", "goal": GOAL} | terms))
    assert "'a'" in str(caught.value)


def plan(contracts=None, calls=None, **settings):
    terms = [Contract(client="a", goal=GOAL)] if contracts is None else contracts
    return staffing.client_plans(
        frame({"a": [9.0]} if calls is None else calls), terms, **({"cost_per_hour": 9} | settings)
    )


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: plan(goal=ServiceLevel(0.8, 15)), "'a': within=20, goal: within=15"),
        (lambda: plan(goal=ServiceLevel(0.8, 20, "answered")), "'a': counting='offered'"),
        (lambda: plan([]), "no contract.*'a'"),
        (lambda: plan([*TERMS.values()]), "no calls.*'b'"),
        (lambda: plan([TERMS["a"], TERMS["a"]]), "two contracts"),
        (lambda: plan(["a"]), "no Contract"),
        (lambda: plan(calls={"a": [1.0], "b": [0.0]}), "a client without calls.*'b'"),
        (lambda: plan(arrangements={"x": {"z": "p"}}), "'x': 'z'"),
        (lambda: plan(cost_per_hour=0), "price above 0"),
        (lambda: plan(shared_premium=-0.1), "premium"),
        (lambda: plan(cv=10), "cv=10"),
        (lambda: plan(max_occupancy=90), "max_occupancy"),
    ],
)
def test_bad_input(call, told):
    with pytest.raises(InputError, match=told):
        call()


def test_promises_that_must_be_kept_are_kept_at_least_cost():
    """With keep, the best of all enumerated plans that miss seldom enough is found."""
    free = staffing.client_plans(frame(CALLS), TERMS.values(), cost_per_hour=15.0)
    kept = staffing.client_plans(frame(CALLS), TERMS.values(), cost_per_hour=15.0, keep=0.9)
    assert (kept.clients["missed"] <= 0.1 + 1e-9).all()
    assert (free.clients["missed"] > 0.1).any()
    assert kept.checks[0].status == "holds"
    assert kept.best["profit"] < free.best["profit"]
    terms = {"c": TERMS["c"]}
    dear = {"c": Contract(client="c", goal=GOAL, window="week", price_per_call=5.0)}
    least = np.floor(np.array(CALLS["c"]) / 10).astype(int) + 1
    best = -np.inf
    for agents in product(*(range(k, k + 14) for k in least)):
        surplus = variance = 0.0
        for n, k in zip(CALLS["c"], agents, strict=True):
            surplus += 7 * n * (served(n, 180.0, k) - 0.8)
            variance += 7 * noise(n, 180.0, k, 0.8)
        if norm.cdf(-surplus / np.sqrt(variance)) <= 0.1:
            best = max(best, money(terms, CALLS, agents))
    own = staffing.client_plans(
        frame({"c": CALLS["c"]}), terms.values(), cost_per_hour=15.0, keep=0.9
    )
    assert own.frame["profit"][0] == pytest.approx(best)
    # Where nothing is lost by missing, keep is what makes the staff.
    bare = staffing.client_plans(
        frame({"c": CALLS["c"]}), dear.values(), cost_per_hour=15.0, keep=0.9
    )
    assert bare.clients["missed"][0] <= 0.1
