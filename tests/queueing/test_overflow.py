"""Overflow: two moments, Hayward, Wilkinson, against the chain of both groups."""

import numpy as np
import pytest
from scipy.linalg import null_space

from ccanalytics import queueing
from ccanalytics.errors import InputError


def chain_blocking(load, first, second, further=None):
    """Share of the overflow of one or two groups that ``second`` lines lose: balance equations."""
    groups = [(load, first)] + ([further] if further else [])
    sizes = [n + 1 for _, n in groups] + [second + 1]
    states = list(np.ndindex(*sizes))
    place = {state: i for i, state in enumerate(states)}
    q = np.zeros((len(states), len(states)))
    for state in states:
        here = place[state]
        for g, (rate, n) in enumerate(groups):
            to = list(state)
            if state[g] < n:
                to[g] += 1
            elif state[-1] < second:
                to[-1] += 1
            else:
                continue
            q[here, place[tuple(to)]] += rate
        for g, busy in enumerate(state):
            if busy:
                to = list(state)
                to[g] -= 1
                q[here, place[tuple(to)]] += busy
    q -= np.diag(q.sum(axis=1))
    pi = null_space(q.T)[:, 0]
    pi /= pi.sum()
    turned_away = lost = 0.0
    for state in states:
        for g, (rate, n) in enumerate(groups):
            if state[g] == n:
                turned_away += rate * pi[place[state]]
                lost += rate * pi[place[state]] * (state[-1] == second)
    return lost / turned_away


@pytest.mark.parametrize(
    ("load", "lines", "second", "mean", "variance", "exact", "hayward"),
    [
        (10, 10, 4, 2.14582, 4.36245, 0.26479, 0.22020),
        (20, 20, 6, 3.17784, 8.29201, 0.23409, 0.19019),
        (20, 20, 12, 3.17784, 8.29201, 0.02127, 0.01196),
    ],
)
def test_one_group(load, lines, second, mean, variance, exact, hayward):
    first = queueing.overflow(load, lines)
    assert (first.mean, first.variance) == pytest.approx((mean, variance), abs=6e-6)
    told = queueing.overflow_blocking(first.mean, first.peakedness, second)
    assert told == pytest.approx(hayward, abs=6e-6)
    chain = chain_blocking(load, lines, second)
    assert chain == pytest.approx(exact, abs=6e-6)
    # The equivalent group is the group itself, so that Wilkinson's answer is exact.
    wilkinson = queueing.overflow_blocking(first.mean, first.peakedness, second, method="wilkinson")
    assert wilkinson == pytest.approx(chain, abs=1e-10)


def test_two_groups():
    both = queueing.overflow(10, 10) + queueing.overflow(6, 8)
    assert (both.mean, both.variance) == pytest.approx((2.87708, 5.73485), abs=6e-6)
    assert queueing.overflow_blocking(both.mean, both.peakedness, 5) == pytest.approx(
        0.19720, abs=6e-6
    )
    wilkinson = queueing.overflow_blocking(both.mean, both.peakedness, 5, method="wilkinson")
    assert wilkinson == pytest.approx(0.22790, abs=6e-6)
    assert chain_blocking(10, 10, 5, (6, 8)) == pytest.approx(0.22462, abs=6e-6)


def test_the_equivalent_group_is_found_again():
    rng = np.random.default_rng(3)
    load = 10 ** rng.uniform(-1, 3, 400)
    lines = load * rng.uniform(0.1, 1.4, 400)
    stream = queueing.overflow(load, lines)
    some = (stream.mean > 1e-6) & (stream.peakedness > 1.001)
    found = queueing.equivalent_random(stream.mean[some], stream.peakedness[some])
    assert some.sum() > 200
    assert found[0] == pytest.approx(load[some], rel=1e-6)
    assert found[1] == pytest.approx(lines[some], rel=1e-5, abs=1e-4)


def test_corners():
    everything = queueing.overflow(7.5, 0)
    assert (everything.mean, everything.variance) == (7.5, 7.5)
    nothing = queueing.overflow(0, 3)
    assert (nothing.mean, nothing.variance, nothing.peakedness) == (0, 0, 1)
    assert queueing.overflow_blocking(0, 1, 0) == 1
    assert queueing.overflow_blocking(0, 1, 3) == 0
    assert queueing.equivalent_random(4.0, 1.0) == pytest.approx((4.0, 0.0))
    assert queueing.overflow_blocking(5.0, 1.0, 8) == pytest.approx(queueing.erlang_b(5, 8))
    # Smooth streams lose less than random ones.
    assert queueing.overflow_blocking(5.0, 0.5, 8) < queueing.erlang_b(5, 8)
    far = queueing.overflow(np.array([1e-3, 1e6]), np.array([1000, 1e3]))
    assert np.isfinite(far.variance).all()
    assert far.mean[1] == pytest.approx(1e6 - 1e3, rel=1e-5)


def test_least_lines_for_overflow():
    stream = queueing.overflow(np.array([10.0, 20, 200, 3]), np.array([10, 20, 190, 9]))
    for method in ("hayward", "wilkinson"):
        lines = queueing.servers_for_overflow(stream.mean, stream.peakedness, 0.01, method=method)
        asked = {"method": method}
        assert (
            queueing.overflow_blocking(stream.mean, stream.peakedness, lines, **asked) <= 0.01
        ).all()
        assert (
            queueing.overflow_blocking(stream.mean, stream.peakedness, lines - 1, **asked) > 0.01
        ).all()
    assert lines.dtype == np.int64


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: queueing.overflow(-1, 3), "load"),
        (lambda: queueing.equivalent_random(2, 0.9), "peakedness"),
        (lambda: queueing.overflow_blocking(2, 0.9, 3, method="wilkinson"), "hayward"),
        (lambda: queueing.overflow_blocking(2, 0, 3), "peakedness"),
        (lambda: queueing.overflow_blocking(2, 2, 3, method="x"), "no such method"),
        (lambda: queueing.servers_for_overflow(2, 2, 1.5), "blocking"),
        (lambda: queueing.overflow([1, 2], [1, 2, 3]), "broadcast|fit"),
    ],
)
def test_bad_input(call, told):
    with pytest.raises(InputError, match=told):
        call()
