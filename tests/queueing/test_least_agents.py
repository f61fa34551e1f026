"""The least number of agents, against brute force on another implementation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from ccanalytics.errors import InputError, UnsupportedError
from ccanalytics.queueing import Queue
from ccanalytics.queueing.goals import Goals
from ccanalytics.servicelevel import ServiceLevel

PER, AHT, SHORT = 1800, 240.0, 5.0
WITHIN = (0.0, 10.0, 20.0, 60.0)


def shares(load, agents, patience):
    """Shares by state of M/M/n(+M) in log weights, with waits by state from beta and gamma laws.

    Returns answered within each threshold, gave up within each and the short one, gave up, mean
    wait of the answered, occupancy, virtual wait within each.
    """
    mu = 1 / AHT
    lam, theta = load * mu, 0.0 if patience is None else 1 / patience
    top = int(load + agents + 60 + 14 * np.sqrt(load * max(1, (patience or AHT) / AHT)))
    if theta:
        top += int(lam / theta)
    else:
        top += int(45 / np.log(agents / load)) if agents > load else 0
    k = np.arange(top + 1)
    death = np.minimum(k, agents) * mu + np.maximum(k - agents, 0) * theta
    with np.errstate(divide="ignore"):
        logs = np.concatenate([[0.0], np.cumsum(np.log(lam) - np.log(death[1:]))])
    if agents == 0 and not theta:
        return None
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    ahead = k[agents:] - agents  # waiting, as found
    found = weight[agents:]
    free = weight[:agents].sum()
    if theta:
        a = agents * mu / theta
        kept = a / (a + ahead + 1)
        gave_up = float((found * (1 - kept)).sum())
        mean = kept * patience * (special.digamma(a + ahead + 2) - special.digamma(a + 1))
    else:
        kept, gave_up = np.ones(ahead.size), 0.0
        mean = (ahead + 1) / (agents * mu)
    result = {"gave_up": gave_up, "answered": free + float((found * kept).sum())}
    result["asa"] = float((found * mean).sum()) / result["answered"] if agents else np.nan
    result["occupancy"] = load * result["answered"] / agents if agents else np.nan
    for t in (*WITHIN, SHORT):
        if theta:
            q = np.exp(-t * theta)
            early = special.betaincc(max(a, 1e-300), ahead + 1, q)
            in_time = kept * special.betaincc(a + 1, ahead + 1, q)
            # Gives up within t: not still there at t, and not answered by then.
            left = 1 - q * (1 - early) - in_time
        else:
            early = in_time = special.gammainc(ahead + 1, agents * mu * t)
            left = np.zeros(ahead.size)
        result["in", t] = free + float((found * in_time).sum())
        result["left", t] = float((found * left).sum())
        result["virtual", t] = free + float((found * early).sum())
    return result


def level(s, counting, t):
    base = s["answered"] + s["gave_up"]
    with np.errstate(invalid="ignore", divide="ignore"):
        if counting == "virtual":
            return s["virtual", t]
        if counting == "answered":
            return s["in", t] / s["answered"]
        if counting == "abandoned_in_time":
            return (s["in", t] + s["left", t]) / base
        if counting == "late_abandoned":
            return s["in", t] / (base - s["left", t])
        if counting == "short_as_served":
            return (s["in", t] + s["left", SHORT]) / base
        if counting == "short_excluded":
            return s["in", t] / (base - s["left", SHORT])
        return s["in", t] / base


def tabulate(load, patience):
    """The shares for every number of agents, as arrays; nan where there is no steady state."""
    last = int(2 * load + 8 * np.sqrt(load) + 10)
    rows = [
        None if patience is None and n <= load else shares(load, n, patience) for n in range(last)
    ]
    names = rows[-1].keys()
    return {name: np.array([np.nan if r is None else r[name] for r in rows]) for name in names}


KEYS = {"max_occupancy": "occupancy", "max_abandonment": "gave_up", "max_asa": "asa"}


def goals():
    for share in (0.5, 0.8, 0.95):
        for t in WITHIN:
            for counting in (
                "offered",
                "answered",
                "abandoned_in_time",
                "late_abandoned",
                "virtual",
            ):
                yield ServiceLevel(share, t, counting), {}
    for counting in ("short_as_served", "short_excluded"):
        yield ServiceLevel(0.8, 20.0, counting, SHORT), {}
        yield ServiceLevel(0.9, 60.0, counting, SHORT), {}
    yield ServiceLevel(0.8, 20.0), {"max_occupancy": 0.85}
    yield ServiceLevel(0.8, 20.0), {"max_asa": 4.0}
    yield None, {"max_asa": 12.0}
    yield None, {"max_occupancy": 0.7}


LOADS = (0.05, 0.7, 2.0, 5.0, 9.9, 17.3, 33.0, 64.2, 101.0, 220.0)
PATIENCE = (None, 20.0, 60.0, 180.0, 1000.0)


@pytest.mark.parametrize("patience", PATIENCE)
def test_least_agents_by_brute_force(patience, full):
    """Every goal at every load: the first number of agents, counting up, that meets it."""
    solves, wrong = 0, []
    loads = LOADS if full or patience is None else LOADS[:7]
    wanted = list(goals())
    if patience is not None:
        wanted += [(None, {"max_abandonment": x}) for x in (0.2, 0.05, 0.005)]
        wanted += [(ServiceLevel(0.8, 20.0), {"max_abandonment": 0.03, "max_occupancy": 0.9})]
    calls = np.array(loads) * PER / AHT
    found = [Queue(calls, PER, AHT, patience).agents_for(goal, **limits) for goal, limits in wanted]
    for column, load in enumerate(loads):
        table = tabulate(load, patience)
        for (goal, limits), answers in zip(wanted, found, strict=True):
            margin = np.ones(table["answered"].size)
            if goal is not None:
                margin = level(table, goal.counting, goal.within) - goal.share
            for name, limit in limits.items():
                margin = np.minimum(margin, (limit - table[KEYS[name]]) / max(limit, 1))
            margin = np.where(np.isnan(margin), -1.0, margin)
            first, answer = int(np.argmax(margin >= 0)), int(answers[column])
            solves += 1
            # Only a tie that the brute force cannot see may differ.
            if answer != first and min(abs(margin[answer]), abs(margin[first])) > 1e-11:
                wrong.append((goal, limits, load, answer, first, margin[answer], margin[first]))
    assert not wrong
    assert solves >= 450


def test_enough_solves_are_compared():
    per_patience = len(list(goals())) * 7
    assert per_patience * len(PATIENCE) >= 2000


@settings(max_examples=60, deadline=None)
@given(
    load=st.floats(0.001, 3000),
    share=st.floats(0.02, 0.998),
    within=st.sampled_from([0.0, 5.0, 20.0, 120.0]),
    patience=st.one_of(st.none(), st.floats(1.0, 5000.0)),
)
def test_one_agent_fewer_fails(load, share, within, patience):
    goal = ServiceLevel(share, within)
    queue = Queue(load * PER / AHT, PER, AHT, patience)
    n = queue.agents_for(goal)
    assert queue.performance(n).service_level(goal) >= share - 1e-11
    if n > 0:
        assert queue.performance(n - 1).service_level(goal) < share
    real = queue.agents_for(goal, fractional=True)
    assert n - 1 <= real <= n
    if real > 1e-6 and patience is not None:
        assert queue.performance(real).service_level(goal) == pytest.approx(share, rel=1e-6)


@pytest.mark.parametrize("patience", [None, 120.0])
def test_the_work_does_not_grow_with_the_load(patience, monkeypatch):
    """Each evaluation takes a fixed number of steps, so that their number is the work."""
    calls = []
    score = Goals.score

    def counted(self, *arguments):
        calls.append(1)
        return score(self, *arguments)

    monkeypatch.setattr(Goals, "score", counted)
    for load in (0.5, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6):
        calls.clear()
        Queue(load, 300, 300, patience).agents_for(ServiceLevel(0.8, 20))
        assert len(calls) <= 10


def test_square_root_table(oracles):
    for case in oracles["min_agents_pwait"]:
        i, e = case["inputs"], case["expected"]
        goal = ServiceLevel(1 - i["alpha"], within=0)
        assert Queue(i["R"], 1, 1).agents_for(goal) == e["agents"]


def test_fewer_agents_than_erlangs_where_callers_give_up():
    queue = Queue(100, 60, 60, 30)
    n = queue.agents_for(None, max_abandonment=0.25)
    assert n < 100
    p = queue.performance([n - 1, n])
    assert p.abandonment[0] > 0.25 >= p.abandonment[1]


def test_zero_calls_need_nobody():
    goal = ServiceLevel(0.8, 20)
    for args in ((), (60.0,), (60.0, 30)):
        assert Queue(0, 1800, 180, *args).agents_for(goal) == 0
        found = Queue([0, 50, 0], 1800, 180, *args).agents_for(goal)
        assert found[0] == found[2] == 0 < found[1]
    assert isinstance(Queue(0, 1800, 180).agents_for(goal), int)
    assert Queue(0, 1800, 180).agents_for(goal, fractional=True) == 0.0


def test_ties_are_met():
    """One agent, load 0.3: exactly 70% wait nothing; 8.5 erlangs at 85% are 10 agents, not 11."""
    assert Queue(0.3, 1, 1).agents_for(ServiceLevel(0.7, within=0)) == 1
    assert Queue(85, 10, 1).agents_for(None, max_occupancy=0.85) == 10
    assert Queue(21, 1, 1).agents_for(None, max_occupancy=1 - 0.3) == 30


def test_many_alike_elements_are_solved_as_one_by_one():
    """The shortcut for whole years must not change an answer."""
    rng = np.random.default_rng(8)
    calls = np.concatenate([rng.gamma(2.0, 60.0, 1500), np.zeros(20), [1e-4, 3000.0]])
    goal = ServiceLevel(0.8, 20)
    for args in ((), (150.0,)):
        year = Queue(calls, 900, 300, *args).agents_for(goal)
        some = rng.integers(0, calls.size, 40)
        one_by_one = [Queue(float(c), 900, 300, *args).agents_for(goal) for c in calls[some]]
        assert year[some].tolist() == one_by_one


def test_lines_and_agents_together():
    goal = ServiceLevel(0.8, 20)
    calls = np.array([20.0, 100, 300])
    lines = np.array([9, 24, 60])
    for patience in (None, 90.0):
        queue = Queue(calls, 1800, 180, patience, lines)
        n = queue.agents_for(goal, max_blocking=0.2)
        p, fewer = queue.performance(n), queue.performance(n - 1)
        assert ((p.service_level(goal) >= 0.8) & (p.blocking <= 0.2)).all()
        assert ((fewer.service_level(goal) < 0.8) | (fewer.blocking > 0.2)).all()
    assert Queue(20, 1800, 180, None, 9).agents_for(ServiceLevel(1, 20)) == 9
    with pytest.raises(InputError, match=r"lines\[1\]=10"):
        Queue([20.0, 300.0], 1800, 180, None, [40, 10]).agents_for(None, max_blocking=0.01)
    with pytest.raises(UnsupportedError, match="whole"):
        Queue(20, 1800, 180, None, 9).agents_for(goal, fractional=True)


def test_impatient_callers_free_their_lines():
    """With patience below the handle time blocking may rise with the agents: try every number."""
    calls = np.array([300.0, 450, 700, 900])
    queue = Queue(calls, 1800, 180, 90, lines=80)
    every = np.arange(81)[:, None]
    p = queue.performance(every)
    assert (np.diff(p.blocking, axis=0) > 0).any()
    goal = ServiceLevel(0.5, 60)
    for most in (0.3, 0.1, 0.02):
        met = p.blocking <= most
        for wanted, ok in ((None, met), (goal, met & (p.service_level(goal) >= 0.5))):
            for column in range(calls.size):
                one = Queue(float(calls[column]), 1800, 180, 90, lines=80)
                if ok[:, column].any():
                    assert one.agents_for(wanted, max_blocking=most) == ok[:, column].argmax()
                else:
                    with pytest.raises(InputError, match="no number of agents"):
                        one.agents_for(wanted, max_blocking=most)


def test_with_lines_every_other_goal_gets_better_with_more_agents():
    """What the search rests on where it does not try every number."""
    agents = np.array([1, 2, 3, 5, 8, 12, 16, 17, 18, 19, 20, 21, 22, 25, 30, 35, 39, 40])
    for patience in (None, 30.0, 400.0):
        for returns in ({}, {"redial": 0.5, "redial_blocked": 0.6, "reconnect": 0.1}):
            for load in (3, 25):
                p = Queue(load * 10, 1800, 180, patience, 40, **returns).performance(agents)
                for counting in ("offered", "virtual"):
                    levels = p.service_level(ServiceLevel(0.8, 20, counting))
                    assert (np.diff(levels) > -1e-12).all()
                assert (np.diff(p.asa) < 1e-9).all()
                assert (np.diff(p.occupancy) < 1e-12).all()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda q: q.agents_for(), "nothing is asked for"),
        (lambda q: q.agents_for(0.8), "ServiceLevel"),
        (lambda q: q.agents_for(ServiceLevel(1.0, 20)), "at random"),
        (lambda q: q.agents_for(None, max_occupancy=85), "85% is 0.85"),
        (lambda q: q.agents_for(None, max_occupancy=0), "never busy"),
        (lambda q: q.agents_for(None, max_abandonment=0), "always give up"),
        (lambda q: q.agents_for(None, max_asa=0), "always wait"),
        (lambda q: q.agents_for(None, max_asa=float("nan")), "max_asa=nan"),
        (lambda q: q.agents_for(None, max_asa=[1, -2]), r"max_asa\[1\]=-2"),
        (lambda q: q.agents_for(None, max_blocking=0.1), "block nobody"),
        (lambda q: q.agents_for(None, max_asa=[1, 2, 3]), r"calls \(2,\), max_asa \(3,\)"),
        (lambda q: q.performance("four"), "'four'"),
        (lambda q: q.performance(-1), "agents=-1"),
        (lambda q: q.performance([1, float("nan")]), r"agents\[1\]=nan"),
        (lambda q: q.performance([1, 2, 3]), r"calls \(2,\), agents \(3,\)"),
    ],
)
def test_bad_questions_are_named(call, match):
    with pytest.raises(InputError, match=match):
        call(Queue([10, 20], 1800, 180, 60))


def test_limits_that_cannot_bind_are_refused():
    with pytest.raises(InputError, match="never give up"):
        Queue(10, 1800, 180).agents_for(None, max_abandonment=0.05)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"calls": float("nan")}, "calls=nan"),
        ({"calls": [1, 2, float("inf")]}, r"calls\[2\]=inf"),
        ({"calls": -5}, "calls=-5"),
        ({"calls": [[1, 2], [3, -4]]}, r"calls\[1, 1\]=-4"),
        ({"calls": "many"}, "'many'"),
        ({"calls": [1, "two"]}, "calls"),
        ({"per": 0}, "interval's length"),
        ({"aht": 0}, "aht=0"),
        ({"aht": [180, -1]}, r"aht\[1\]=-1"),
        ({"patience": 0}, "patience=0"),
        ({"patience": "long"}, "'long'"),
        ({"lines": 10.5}, "whole"),
        ({"lines": float("inf")}, "endless"),
        ({"redial": 30}, "30% is 0.3"),
        ({"reconnect": 1}, "below 1"),
        ({"calls": [1, 2, 3], "aht": [100, 200]}, r"aht \(2,\).*calls \(3,\)|calls \(3,\).*aht"),
    ],
)
def test_bad_queues_are_named(arguments, match):
    with pytest.raises(InputError, match=match):
        Queue(**{"calls": 10, "per": 1800, "aht": 180, **arguments})


def test_more_agents_than_lines_is_an_error():
    with pytest.raises(InputError, match=r"agents\[1\]=12, lines\[1\]=11"):
        Queue(10, 1800, 180, lines=11).performance([3, 12])
    with pytest.raises(InputError, match="whole"):
        Queue(10, 1800, 180, lines=11).performance(3.5)
