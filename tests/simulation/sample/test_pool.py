"""The pool against published queues, and against a clock that ticks every second."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccanalytics.simulation.sample.floor import Absences, Floor
from ccanalytics.simulation.sample.parameters import CentreParameters
from ccanalytics.simulation.sample.pool import FIRST, FOLLOW_UP, REDIAL, Requests, serve
from ccanalytics.simulation.sample.roster import seats_for, wait_probability

PATIENT = 10**9


def requests(entry, handle, patience=PATIENT, redials=0, follow_up=0):
    size = len(entry)

    def column(value, kind):
        return np.broadcast_to(np.asarray(value, kind), size)

    return Requests(
        entry=np.asarray(entry, np.int64),
        key=np.arange(size),
        patience_s=column(patience, np.int64),
        handle_s=column(handle, np.int64),
        saved_s=column(0, np.int32),
        rest_share=column(0.2, np.float32),
        redials=column(redials, np.uint8),
        follow_up_s=column(follow_up, np.int64),
        typical_s=column(100.0, float),
    )


def floor(shifts, person=None, pace=1.0, talk_pace=1.0):
    start, end = (np.array(each, np.int64) for each in zip(*sorted(shifts), strict=True))
    number = np.arange(start.size)
    person = number if person is None else np.asarray(person)
    paces = (np.broadcast_to(np.asarray(each, float), start.size) for each in (pace, talk_pace))
    none = np.zeros(0, np.int64)
    return Floor(start, end, person, number, *paces, Absences(*(6 * [none])))


def run(asked, shifts, span_s=10**9, **parameters):
    chosen = CentreParameters(**{"patience_cap_s": float(PATIENT), **parameters})
    there = shifts if isinstance(shifts, Floor) else floor(shifts)
    return serve(chosen, asked, there, span_s, np.random.default_rng(1))


def test_published_queue_with_impatient_callers():
    # METHODS.md §2.4: 48 calls a minute, handle time 1 minute, 50 agents, patience 2 minutes.
    minute, count, rng = 10_000, 250_000, np.random.default_rng(11)
    entry = np.cumsum(rng.exponential(minute / 48, count)).astype(np.int64)
    handle = rng.exponential(minute, count)
    attempts = run(requests(entry, handle, rng.exponential(2 * minute, count)), [(0, 10**9)] * 50)
    assert (attempts.wait_s > 0).mean() == pytest.approx(0.467774, abs=0.02)
    assert (attempts.shift < 0).mean() == pytest.approx(0.0309122, abs=0.002)
    assert attempts.wait_s.mean() / minute == pytest.approx(3.70947 / 60, rel=0.06)


def test_published_queue_with_patient_callers():
    # METHODS.md §2.2: 100 calls in 30 minutes, handle time 180 s, 14 agents; here in 1/100 s.
    tick, count, rng = 100, 250_000, np.random.default_rng(12)
    entry = np.cumsum(rng.exponential(18 * tick, count)).astype(np.int64)
    attempts = run(requests(entry, rng.exponential(180 * tick, count)), [(0, 10**9)] * 14)
    assert (attempts.wait_s > 0).mean() == pytest.approx(0.17413, abs=0.01)
    assert attempts.wait_s.mean() / tick == pytest.approx(7.8359, rel=0.08)
    assert (attempts.wait_s <= 20 * tick).mean() == pytest.approx(0.88835, abs=0.008)


def ticking(entry, handle, patience, shifts, until):
    """First come, first served, one second at a time: the wait, or −1 − the wait given up."""
    waits = [None] * len(entry)
    line: list[int] = []
    free_at = [start for start, _ in shifts]
    for now in range(until):
        line += [caller for caller, at in enumerate(entry) if at == now]
        for caller in list(line):
            if now - entry[caller] > patience[caller]:
                line.remove(caller)
                waits[caller] = -1 - patience[caller]
        for caller in list(line):
            idle = [
                agent
                for agent, (start, end) in enumerate(shifts)
                if free_at[agent] <= now and start <= now < end
            ]
            if not idle:
                break
            # The longest idle agent, as in any distributor of calls.
            agent = min(idle, key=lambda each: (free_at[each], shifts[each], each))
            free_at[agent] = now + handle[caller]
            waits[caller] = now - entry[caller]
            line.remove(caller)
    return waits


@settings(max_examples=60, deadline=None)
@given(
    calls=st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 30), st.integers(0, 40)), min_size=1
    ),
    shifts=st.lists(st.tuples(st.integers(0, 40), st.integers(5, 80)), min_size=1, max_size=4),
)
def test_every_caller_fares_as_under_a_ticking_clock(calls, shifts):
    calls = sorted(calls, key=lambda call: call[0])
    entry, handle, patience = (list(each) for each in zip(*calls, strict=True))
    spells = sorted((start, start + length) for start, length in shifts)
    attempts = run(requests(entry, handle, patience), spells, patience_cap_s=100.0)
    told = np.where(attempts.shift >= 0, attempts.wait_s, -1 - attempts.wait_s).tolist()
    assert told == ticking(entry, handle, patience, spells, 300)


def test_nobody_overtakes():
    rng = np.random.default_rng(2)
    entry = np.sort(rng.integers(0, 20_000, 2_000))
    attempts = run(requests(entry, rng.integers(1, 100, 2_000)), [(0, 10**6)] * 4)
    assert (np.diff(attempts.entry + attempts.wait_s) >= 0).all()


def test_an_agent_finishes_the_call_and_takes_no_other_after_the_shift():
    attempts = run(requests([0, 10, 50], 100, patience=500), [(0, 60), (300, 450)])
    assert attempts.wait_s.tolist() == [0, 290, 350]
    assert attempts.shift.tolist() == [0, 1, 1]


def test_callers_redial_and_those_served_call_again():
    waiting = requests([0, 1, 2], [5_000, 60, 60], patience=30, redials=2)
    attempts = run(waiting, [(0, 10**6)], redial_median_s=60.0, redial_log_sd=0.1)
    assert (attempts.kind == FIRST).sum() == 3
    redials = attempts.request[attempts.kind == REDIAL]
    assert np.bincount(redials, minlength=3).tolist() == [0, 2, 2]
    assert (np.diff(attempts.entry) >= 0).all()

    noon = 12 * 3600
    served = run(requests([noon], 60, follow_up=3600), [(0, 10**6)])
    assert served.kind.tolist() == [FIRST, FOLLOW_UP]
    assert served.entry[1] - served.menu_s[1] == noon + 60 + 3600
    late = 23 * 3600
    by_day = run(requests([late], 60, follow_up=2 * 3600), [(0, 10**6)])
    assert by_day.entry[1] - by_day.menu_s[1] == late + 60 + 10 * 3600


def test_calls_after_the_log_ends_are_not_made():
    attempts = run(
        requests([0, 1], 5_000, patience=30, redials=5, follow_up=5), [(0, 10**6)], span_s=31
    )
    assert attempts.kind.tolist() == [FIRST, FIRST]


def test_how_long_a_call_takes_depends_on_who_answers_it():
    slow_then_fast = floor([(0, 10**6), (10, 10**6)], pace=[1.5, 0.8], talk_pace=[1.0, 0.5])
    attempts = run(requests([0, 20, 500], 100), slow_then_fast)
    assert attempts.shift.tolist() == [0, 1, 1]
    # A fifth of the handle time is not talk: 100 × 0.8 × (0.8 × 0.5 + 0.2) = 48.
    assert attempts.handle_s.tolist() == [150, 48, 48]


def test_nobody_is_in_two_spells_at_once():
    # The first call runs beyond the break and into the next spell of the same agent.
    one = floor([(0, 100), (130, 1_000)], person=[0, 0])
    attempts = run(requests([50, 140], [300, 10], patience=500), one)
    assert attempts.wait_s.tolist() == [0, 210]
    assert attempts.shift.tolist() == [0, 1]


def busy_day():
    rng = np.random.default_rng(5)
    entry = np.sort(rng.integers(0, 86_400, 4_000))
    asked = requests(entry, rng.integers(20, 400, 4_000), rng.integers(1, 200, 4_000), 3, 7_200)
    spells = [(at, at + 14_000) for at in range(0, 80_000, 2_000)]
    return asked, floor(spells, person=np.arange(40) % 20, pace=np.linspace(0.8, 1.6, 40))


def test_the_same_numbers_without_a_compiler(tmp_path):
    """Without numba (or with its compiler off) the pool is plain Python and tells the same."""
    attempts = run(*busy_day(), patience_cap_s=3600.0)
    assert (attempts.kind > FIRST).sum() > 1_000
    code = (
        "import importlib.util, sys, numpy as np\n"
        f"spec = importlib.util.spec_from_file_location('pool_again', {__file__!r})\n"
        "again = importlib.util.module_from_spec(spec); spec.loader.exec_module(again)\n"
        "from ccanalytics.compiled import COMPILES\n"
        "assert not COMPILES\n"
        "told = again.run(*again.busy_day(), patience_cap_s=3600.0)\n"
        f"np.savez({str(tmp_path / 'plain.npz')!r}, **vars(told))\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}
    )
    plain = np.load(tmp_path / "plain.npz")
    for name, values in vars(attempts).items():
        assert np.array_equal(plain[name], values), name


def test_a_callers_luck_is_their_own():
    """Whether somebody else calls changes nobody's redial delays, patience or menu time."""
    asked = requests([0, 1, 2, 3], [90_000, 60, 60, 60], patience=30, redials=2)
    fewer = requests([0, 1, 3], [90_000, 60, 60], patience=30, redials=2)
    fewer = dataclasses.replace(fewer, key=np.array([0, 1, 3]))
    full, part = (run(each, [(0, 10**6)]) for each in (asked, fewer))
    last = [each.request == each.request.max() for each in (full, part)]
    assert full.entry[last[0]].tolist() == part.entry[last[1]].tolist()
    assert full.wait_s[last[0]].tolist() == part.wait_s[last[1]].tolist()


# METHODS.md §2.3.
@pytest.mark.parametrize(
    ("beta", "waits"),
    [(0.1, 0.8803), (0.25, 0.7209), (0.5, 0.5045), (0.506, 0.5), (1.0, 0.2234), (2.0, 0.0269)],
)
def test_square_root_rule(beta, waits):
    assert wait_probability(np.array([beta]))[0] == pytest.approx(waits, abs=5e-5)


def test_seats_grow_with_calls_and_are_never_fewer_than_allowed():
    calls = np.array([0.0, 1, 10, 100, 1000])
    seats = seats_for(calls, 180.0, 0.8, 20.0, least=2)
    assert seats[0] == 2
    assert (np.diff(seats) >= 0).all()
    # METHODS.md §2.2: 100 calls in 30 minutes of 180 s need 14 by Erlang C; the rule is near.
    assert abs(int(seats[3]) - 14) <= 1
