"""Callers who return: Erlang X, redials after blocking, reconnects."""

import numpy as np
import pytest

from ccanalytics.queueing import Queue, extended_erlang_b
from ccanalytics.servicelevel import ServiceLevel

GOAL = ServiceLevel(0.8, within=20)


def test_worked_numbers(oracles):
    for case in oracles["erlang_x"]:
        i, e = case["inputs"], case["expected"]
        queue = Queue(i["lam"], 1, 1 / i["mu"], 1 / i["theta"], redial=i["p_redial"])
        p = queue.performance(i["n"])
        assert p.calls == pytest.approx(e["lam_total"], rel=1e-10)
        assert p.abandonment == pytest.approx(e["pab"], rel=1e-10)
        assert p.mean_wait == pytest.approx(e["ew"], rel=1e-10)


def test_overload_table():
    p = Queue(60, 1, 1, 2, redial=[0.0, 0.5]).performance(50)
    assert p.calls == pytest.approx([60, 70.0004], abs=5e-5)
    assert p.abandonment == pytest.approx([0.16823, 0.28572], abs=5e-6)
    assert p.mean_wait * 60 == pytest.approx([20.19, 34.29], abs=5e-3)


@pytest.mark.parametrize("lines", [None, 55])
@pytest.mark.parametrize(
    ("redial", "blocked", "again"), [(0.4, 0.7, 0.0), (1, 1, 0.1), (0, 0, 0.3)]
)
def test_the_fixed_point_balances(lines, redial, blocked, again):
    p = Queue(44, 60, 60, 90, lines, redial, blocked, again).performance(50)
    stays = p.abandonment * redial + p.blocking * blocked + p.answered * again
    assert p.calls * (1 - stays) == pytest.approx(44, rel=1e-12)
    # At the attempts it found, the queue is the plain one.
    plain = Queue(p.calls, 60, 60, 90, lines).performance(50)
    assert plain.abandonment == pytest.approx(p.abandonment, rel=1e-11)
    assert plain.service_level(GOAL) == pytest.approx(p.service_level(GOAL), rel=1e-11)


def test_reconnects_of_patient_callers_are_more_calls():
    p = Queue(80, 1800, 180, reconnect=0.2).performance(14)
    plain = Queue(100, 1800, 180).performance(14)
    assert p.asa == pytest.approx(plain.asa, rel=1e-12)
    assert p.calls == pytest.approx(100)


def test_blocked_redials_are_extended_erlang_b():
    for n, r in ((12, 0.0), (12, 0.5), (12, 0.99)):
        p = Queue(10, 1, 1, lines=n, redial_blocked=r).performance(n)
        assert p.blocking == pytest.approx(extended_erlang_b(10, n, r), rel=1e-12)


def test_with_a_law_of_patience():
    from scipy import stats

    law = Queue(48, 60, 60, stats.expon(scale=120), redial=0.5).performance(50)
    mean = Queue(48, 60, 60, 120, redial=0.5).performance(50)
    assert law.calls == pytest.approx(mean.calls, rel=1e-11)


def test_callers_who_return_without_end():
    p = Queue(60, 60, 60, 120, redial=1.0).performance([50, 61])
    assert p.calls[0] == np.inf
    assert p.service_level(GOAL)[0] == pytest.approx(0, abs=1e-9)
    assert np.isfinite(p.calls[1])
    assert {check.status for check in p.checks} == {"fails", "informs"}


def test_least_agents_with_redials():
    calls = np.array([3.0, 20, 100, 500])
    queue = Queue(calls, 1800, 240, 90, redial=0.6, reconnect=0.1)
    n = queue.agents_for(GOAL, max_abandonment=0.08)
    p, fewer = queue.performance(n), queue.performance(n - 1)
    assert ((p.service_level(GOAL) >= 0.8) & (p.abandonment <= 0.08)).all()
    assert ((fewer.service_level(GOAL) < 0.8) | (fewer.abandonment > 0.08)).all()
    plain = Queue(calls, 1800, 240, 90).agents_for(GOAL, max_abandonment=0.08)
    assert (n >= plain).all()
    assert n[-1] > plain[-1]
