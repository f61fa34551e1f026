"""Queues at the edges of scale and reason: right to many digits, quick, silent or refused."""

import warnings

import mpmath as mp
import numpy as np
import pytest

from ccanalytics.queueing import Queue, erlang_b, square_root_agents
from ccanalytics.queueing.flow import Flow
from ccanalytics.queueing.goals import Goals
from ccanalytics.servicelevel import ServiceLevel

MEASURES = ("wait_probability", "abandonment", "mean_wait", "asa", "abandoned_wait", "answered")
COUNTINGS = (
    "offered",
    "answered",
    "abandoned_in_time",
    "late_abandoned",
    "short_as_served",
    "short_excluded",
    "virtual",
)


@pytest.fixture(autouse=True)
def _silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def goals(within, share=0.8):
    for counting in COUNTINGS:
        yield ServiceLevel(share, within, counting, 5 if counting.startswith("short") else 0)


@pytest.mark.parametrize("agents", [1, 10, 14])
def test_an_exponential_law_is_its_mean_at_every_scale(agents):
    from scipy import stats

    for mean in 10.0 ** np.arange(-9, 13, 3):
        law = Queue(100, 1800, 180, stats.expon(scale=mean)).performance(agents)
        number = Queue(100, 1800, 180, mean).performance(agents)
        for name in MEASURES:
            want = getattr(number, name)
            assert getattr(law, name) == pytest.approx(want, rel=1e-11), (mean, name)
        for goal in goals(20):
            want = number.service_level(goal)
            assert law.service_level(goal) == pytest.approx(want, rel=1e-11), (mean, goal)


def test_a_law_of_endless_scale_gives_up_as_overload_asks():
    """Ten erlangs on nine agents: one call in ten goes, however patient the callers are."""
    from scipy import stats

    for mean in (1e6, 1e9, 1e12):
        p = Queue(100, 1800, 180, stats.expon(scale=mean)).performance(9)
        assert p.abandonment == pytest.approx(0.1, rel=1e-5)
        assert p.mean_wait == pytest.approx(0.1 * mean, rel=1e-5)
    short = Queue(100, 1800, 180, stats.expon(scale=1e-9)).performance(9)
    assert short.mean_wait == pytest.approx(1e-9 * erlang_b(10, 9), rel=1e-9)


@pytest.mark.parametrize("patience", [1e5, 1e7, 1e9, 1e12])
def test_very_patient_callers_against_quadrature(patience, exact):
    """Agents equal to the load: few are served at once, and that share is a small difference."""
    agents, t = 10, 20
    with mp.workdps(40):
        lam, c, s = mp.mpf(100) / 1800, mp.mpf(agents) / 180, mp.mpf(patience)
        term = free = mp.mpf(1)
        for j in range(agents - 1, 0, -1):
            term *= mp.mpf(j) / 10
            free += term
        spread = mp.sqrt(20 * s)
        edges = [0, t, *(spread * k for k in (0.01, 0.1, 0.5, 1, 2, 4, 8, 16, 40))]

        def f(v):
            return mp.exp(lam * s * -mp.expm1(-v / s) - c * v)

        early = mp.quad(lambda v: mp.exp(-v / s) * f(v), [0, t])
        whole = free + lam * mp.quad(f, edges)
        offered = (free + lam * early) / whole
        virtual = (free + lam * mp.quad(f, [0, t])) / whole
    p = Queue(100, 1800, 180, patience).performance(agents)
    assert exact.error(p.service_level(ServiceLevel(0.8, t)), offered) < 1e-12
    assert exact.error(p.service_level(ServiceLevel(0.8, t, "virtual")), virtual) < 1e-12


@pytest.mark.parametrize("patience", [1e-9, 1e-6, 1e-3, 0.05, 0.5])
@pytest.mark.parametrize("agents", [3, 9, 12])
def test_callers_of_no_patience_against_the_chain(patience, agents, exact):
    true = exact.chain(100, 1800, 180, agents, patience, None, (20.0,))
    p = Queue(100, 1800, 180, patience).performance(agents)
    for name in ("wait_probability", "abandonment", "mean_wait", "asa"):
        assert exact.error(getattr(p, name), getattr(true, name)) < 1e-12
    assert exact.error(p.wait_above(20, "virtual"), true.virtual_late[20.0]) < 1e-12
    level = p.service_level(ServiceLevel(0.8, 20, "virtual"))
    assert exact.error(level, true.virtual_within[20.0]) < 1e-12


@pytest.mark.parametrize(
    ("load", "agents", "room", "patience"),
    [(0.7, 4, 1, 124), (4.2, 9, 2, 6.8), (39, 42, 1, 30), (15.4, 15, 20, 11), (5, 5, 60, 131)],
)
def test_the_far_tail_on_finite_lines(load, agents, room, patience, exact):
    """Chances down to 1e-300, each kind of caller."""
    times, least = (20.0, 500.0, 2000.0, 10_000.0, 20_000.0), 1.0
    true = exact.chain(load * 10, 1800, 180.0, agents, patience, agents + room, times, digits=400)
    p = Queue(load * 10, 1800, 180, patience, agents + room).performance(agents)
    with mp.workdps(400):
        for t in times:
            kept = true.answered - true.answered_within[t]
            left = true.abandonment - true.abandoned_within[t]
            for of, share in (
                ("all", (kept + left) / (true.answered + true.abandonment)),
                ("answered", kept / true.answered),
                ("abandoned", left / true.abandonment),
                ("virtual", true.virtual_late[t]),
            ):
                if share > mp.mpf(10) ** -300:
                    assert exact.error(p.wait_above(t, of), share) < 1e-11, (of, t)
                    least = min(least, float(share))
    assert least < 1e-100


def counted(monkeypatch, owner, name):
    calls, function = [], getattr(owner, name)

    def wrapper(*arguments, **named):
        calls.append(1)
        return function(*arguments, **named)

    monkeypatch.setattr(owner, name, wrapper)
    return calls


def test_callers_who_return_without_end_cost_no_search(monkeypatch):
    calls = counted(monkeypatch, Flow, "leaving")
    assert Queue(100, 1800, 180, redial_blocked=1, lines=9).performance(9).load == np.inf
    assert not calls
    # At most what 22 agents can finish leaves for good: no number of them is enough.
    queue = Queue(938.33, 1800, 30, 1340.8, 22, reconnect=0.9, redial_blocked=1)
    goal = ServiceLevel(0.9, 20, include_blocked=True)
    with pytest.raises(ValueError, match="no number of agents"):
        queue.agents_for(goal, max_abandonment=0.05, max_asa=10)
    assert len(calls) < 100


def test_a_fixed_point_next_to_the_edge():
    """All blocked callers try again: what is carried is the load, however many attempts."""
    for load in (8.0, 8.99, 8.999999):
        p = Queue(load * 10, 1800, 180, redial_blocked=1, lines=9).performance(9)
        assert np.isfinite(p.load)
        assert p.load * (1 - erlang_b(p.load, 9)) == pytest.approx(load, rel=1e-9)
    edge = Queue([90, 91, 200], 1800, 180, 60, 9, 1, 1).performance(9)
    assert edge.load.tolist() == [np.inf] * 3
    # A queue whose callers come back for ever is full.
    full = Queue(100, 1800, 180, 60, 12, 1, 1).performance(9)
    assert full.queue_length == pytest.approx(3, rel=1e-6)
    assert full.occupancy == pytest.approx(1, rel=1e-6)


def test_reconnects_alone_have_a_closed_form():
    p = Queue(60, 1800, 180, reconnect=[0.0, 0.25, 0.9]).performance(14)
    assert p.load.tolist() == pytest.approx([6, 8, 60], rel=1e-15)


def test_a_search_for_calls_that_any_number_meets(monkeypatch):
    calls = counted(monkeypatch, Goals, "score")
    queue = Queue(None, 1800, 180, 1000, 98)
    assert queue.calls_for(88, ServiceLevel(0.5, 20)) == np.inf
    assert len(calls) < 15
    crowd = Queue(1e7, 1800, 180, 1000, 98).performance(88)
    assert crowd.service_level(ServiceLevel(0.5, 20)) > 0.5


def test_calls_for_callers_who_return_are_first_attempts():
    goal = ServiceLevel(0.8, 20)
    for model in (
        {"patience": 90, "redial": 0.6, "reconnect": 0.2},
        {"patience": 90, "lines": 20, "redial": 0.4, "redial_blocked": 0.9},
        {"lines": 20, "redial_blocked": 0.7, "reconnect": 0.1},
    ):
        for limits in ({}, {"max_occupancy": 0.8}):
            calls = Queue(None, 1800, 180, **model).calls_for(14, goal, **limits)
            p = Queue(calls * np.array([1 - 1e-9, 1.001]), 1800, 180, **model).performance(14)
            met = (p.service_level(goal) >= 0.8) & (p.occupancy <= 0.8 if limits else True)
            assert met.tolist() == [True, False]


def test_arrays_of_finite_lines_with_returns_are_silent():
    p = Queue(440.53268636617076, 1800, 180, None, 44, 0.3, 0.5, 0.1).performance(np.arange(45))
    assert np.isfinite(p.load).all()
    mixed = Queue([0, 1, 100, 1e5], 1800, 180, 60, [0, 3, 50, 600]).performance([0, 2, 4, 9])
    assert np.isnan(mixed.asa[0])
    assert (mixed.asa[1:] > 0).all()
    endless = Queue([0, 1, 100, 1e8], 1800, 180).performance([0, 2, 4, 10_000_001])
    assert np.isnan(endless.asa[0])
    assert endless.asa[2] == np.inf


def test_places_summed_and_integrated_agree(monkeypatch):
    """Up to some hundred places are summed, more are integrated."""
    from ccanalytics.queueing import general

    load = np.array([0.3, 4, 9, 11, 30, 300, 1e6])
    for patience in (None, 1.0, 60.0, 5000.0):
        for lines in (10, 11, 60, 300):
            queue = Queue(load * 10, 1800, 180, patience, lines)
            summed = queue.performance(10)
            monkeypatch.setattr(general, "FEW_PLACES", -1)
            integrated = queue.performance(10)
            monkeypatch.undo()
            for name in (*MEASURES, "blocking"):
                want = getattr(integrated, name)
                # Each exponent is a multiple of the places.
                assert getattr(summed, name) == pytest.approx(want, rel=1e-11, nan_ok=True)


def test_square_root_rule_down_to_the_smallest_chance():
    with mp.workdps(30):
        beta = mp.findroot(lambda b: mp.log(1 + b * mp.ncdf(b) / mp.npdf(b)) - 320 * mp.log(10), 38)
    assert square_root_agents(100, 1e-320) == int(mp.ceil(100 + 10 * beta))
    assert square_root_agents([0, 1e15], 0.2).tolist()[0] == 0
    # Half of all wait at β = .506 (a published pair): 1e15 + .506·√1e15.
    beta = (square_root_agents(1e14, 0.5) - 1e14) / 1e7
    assert beta == pytest.approx(0.506, abs=5e-4)
    # Very impatient callers: nearly all wait only far below the load.
    assert square_root_agents(1e6, 0.999, aht_over_patience=1e4) < 1e6 - 4e4
