"""The door: whatever comes in is a number in its range, or is named with its place and a remedy."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from ccanalytics.errors import InputError
from ccanalytics.queueing import (
    Queue,
    engset,
    erlang_b,
    extended_erlang_b,
    garnett,
    halfin_whitt,
    servers_for_blocking,
    square_root_agents,
)
from ccanalytics.servicelevel import ServiceLevel

GOAL = ServiceLevel(0.8, within=20)


class Law:
    def __init__(self, sf):
        self.sf = sf


@pytest.mark.parametrize(
    ("call", "match"),
    [
        # Numbers no float or no model can hold.
        (lambda: Queue(10**400, 3600, 300), r"calls is beyond 1e308"),
        (lambda: Queue([1, 10**400], 3600, 300), r"calls\[1\] is beyond 1e308"),
        (lambda: Queue(1e17, 1800, 180), r"more than .* erlangs \(calls=1e\+17"),
        (lambda: Queue([1, 1e300], 1, 1e300), r"aht=1e\+300"),
        (lambda: Queue(100, 1800, 180, lines=1e300), r"lines=1e\+300.*endless"),
        (lambda: Queue(100, 1800, 180, 1e-300), r"patience=1e-300.*law"),
        (lambda: square_root_agents(1e300, 0.2), r"load=1e\+300"),
        (lambda: servers_for_blocking(1e300, 0.2), r"load=1e\+300"),
        # Each with a remedy.
        (lambda: Queue(-1, 1, 1), r"0 or more \(calls=-1\): give a number"),
        (lambda: Queue(float("nan"), 1, 1), r"finite number \(calls=nan\): fill"),
        (lambda: erlang_b(-1, 3), r"load=-1\): give"),
        (lambda: engset(10.5, 0.1, 3), r"sources=10.5\): give a number that is .* whole"),
        (lambda: halfin_whitt(float("inf")), r"beta=inf\): "),
        # Flags, texts and gaps among numbers, by their place.
        (lambda: Queue([1, "a"], 1, 1), r"calls\[1\]='a'"),
        (lambda: Queue([1, True], 1, 1), r"calls\[1\]=True"),
        (lambda: Queue([[1.5, 2], [False, 3]], 1, 1), r"calls\[1, 0\]=False"),
        (lambda: Queue(np.array([1, np.True_], dtype=object), 1, 1), r"calls\[1\]="),
        (lambda: Queue((1, 1j), 1, 1), r"calls\[1\]=1j"),
        (lambda: Queue([[1], [1, 2]], 1, 1), r"calls\[0\]=\[1\]"),
        (lambda: Queue(np.ma.array([1, 2], mask=[0, 1]), 1, 1), r"calls\[1\] is masked"),
        (lambda: Queue(1, 1, 1).agents_for(GOAL, fractional="x"), "fractional='x'"),
        (lambda: servers_for_blocking(1, 0.1, fractional=1), "fractional=1"),
        (lambda: servers_for_blocking(0.1, 0.1, fractional=True, sources=3), "whole servers$"),
        # Scalars are named without a place.
        (lambda: Queue(10, 1800, 180, 60, 3).performance(4), r"\(agents=4, lines=3\)"),
        (lambda: Queue([10, 20], 1800, 180, 60, 3).performance(4), r"agents\[0\]=4, lines\[0\]=3"),
        (
            lambda: Queue(20, 1800, 180, None, 9).agents_for(GOAL, max_blocking=1e-9),
            r"with these lines \(calls=20, lines=9\)",
        ),
        # Laws of patience.
        (lambda: Queue(1, 1, 1, Law(lambda x: np.exp(-x) + 0j)), "complex"),
        (lambda: Queue(1, 1, 1, Law(lambda x: np.exp(-x * 1e20))), "too short to be seconds"),
        (lambda: Queue(1, 1, 1, Law(lambda x: 0.5)), "for each element of an array"),
        (lambda: Queue(1, 1, 1, Law(lambda x: 0 * x + 0.5 + np.tanh(x) / 2)), "never rises"),
        (lambda: Queue(1, 1, 1, Law(lambda x: np.log(-x))), "from 0 to 1"),
    ],
)
def test_what_cannot_be_used_is_named(call, match):
    with pytest.raises(InputError, match=match) as caught:
        call()
    assert caught.value.remedy


def test_without_lines_an_error_names_none(monkeypatch):
    def nowhere(score, guess, *arguments, **named):
        return (np.full(guess.size, np.inf),) * 3

    monkeypatch.setattr("ccanalytics.queueing.least.least_whole", nowhere)
    with pytest.raises(InputError, match=r"no number of agents .* \(calls=10\): ask") as caught:
        Queue(10, 1800, 180).agents_for(GOAL)
    assert "lines" not in str(caught.value)


def test_numbers_of_every_kind_are_numbers():
    for one in (14, 14.0, np.float32(14), np.int8(14), Decimal(14), Fraction(28, 2)):
        assert erlang_b(10, one) == erlang_b(10, 14)
        assert erlang_b(10, [one, 3])[0] == erlang_b(10, 14)
    assert erlang_b(10, np.ma.array([14, 3]))[0] == erlang_b(10, 14)
    assert erlang_b([], 3).shape == (0,)


def test_functions_far_out_are_silent(recwarn):
    assert halfin_whitt(1e200) == 0.0
    assert garnett([-1e3, 60], 0.5).tolist() == [1.0, 0.0]
    assert extended_erlang_b(1e-300, 3, 1) == 0.0
    assert not recwarn.list
