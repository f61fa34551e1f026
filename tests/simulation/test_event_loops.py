"""Two event loops that share no idea must agree call by call, and with a slow third one."""

import heapq
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ccanalytics.compiled import COMPILES
from ccanalytics.simulation import Menu, Replay, Retry, simulate
from ccanalytics.simulation.groups import Groups
from ccanalytics.simulation.plan import callers_of
from ccanalytics.simulation.replication import Setting, replicate
from ccanalytics.simulation.tally import (
    ABANDONED,
    ANSWERED,
    ARRIVED,
    BLOCKED,
    FIRST_IN_TIME,
    LEFT_MENU,
    UNSERVED,
)

ROUNDS = 600 if os.environ.get("CCANALYTICS_FULL") == "1" else 60


def random_setting(rng, **fixed):
    count, types = int(rng.integers(1, 8)), int(rng.integers(1, 3))
    length = float(rng.choice([600.0, 1800.0]))
    warm = float(rng.choice([0.0, 500.0]))
    choice = {
        "patience": [None, 60.0, 300.0][rng.integers(3)],
        "menu": [None, Menu(60, leaves=0.3)][rng.integers(2)],
        "redial": None,
        "redial_blocked": None,
        "reconnect": None,
        **fixed,
    }
    names = ("a", "b")[:types]
    calls = rng.uniform(0, 40, (count, types)) * (rng.random((count, types)) < 0.8)
    return Setting(
        bounds=np.concatenate([[-warm], np.arange(count + 1) * length, [np.inf]]),
        calls=calls,
        aht=rng.uniform(60, 400, (count, types)),
        cv=np.zeros((count, types)),
        day=np.zeros(count, int),
        mixed=None,
        replayed=None,
        callers=callers_of(names, None, **choice),
        groups=Groups(
            names=("all",),
            agents=rng.integers(0, 15, (count, 1)),
            routes=np.zeros((types, 1), int),
            serves=np.ones((1, types), bool),
            priority=np.zeros(types, int),
            head_start=np.zeros(types),
        ),
        lines=int(rng.choice([0, 8, 20])),
        within=np.array([20.0, 5.0]),
        rejoin=False,
        closing=str(rng.choice(["serve", "leave"])),
        records=True,
    )


def as_network(setting, seed, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Groups, "is_one_queue", property(lambda self: False))
        return replicate(setting, np.random.SeedSequence(seed))


def balanced(tally):
    ends = tally.calls[..., [BLOCKED, LEFT_MENU, ANSWERED, ABANDONED, UNSERVED]].sum(axis=-1)
    return np.array_equal(tally.calls[..., ARRIVED], ends)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_without_an_event_list_and_with_one(seed, monkeypatch):
    """The walk through agents' free times and the event loop count the same, bin by bin."""
    setting = random_setting(np.random.default_rng(seed))
    pool, records = replicate(setting, np.random.SeedSequence(seed))
    network, others = as_network(setting, seed, monkeypatch)
    counts, same = pool.calls.copy(), network.calls
    counts[..., FIRST_IN_TIME + 2 :: 3] = 0  # the virtual wait is known to the pool alone
    np.testing.assert_allclose(counts, same, atol=1e-6)
    inner = slice(None, -1)  # what happens after the last interval is booked nowhere
    for which in ("busy", "overtime", "queue"):
        np.testing.assert_allclose(
            getattr(pool, which)[inner], getattr(network, which)[inner], atol=1e-5
        )
    if setting.lines or setting.callers.has_menu:
        np.testing.assert_allclose(pool.lines[inner], network.lines[inner], atol=1e-5)
    assert balanced(pool)
    assert balanced(network)
    assert len(records) == len(others) == pool.calls[..., ARRIVED].sum()

    def in_order(rows):
        return rows[np.lexsort(rows.T[[4, 0]])]

    ours, theirs = in_order(records), in_order(others)
    unserved = ours[:, 5] == 4
    np.testing.assert_allclose(ours[~unserved], theirs[~unserved], atol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_later_attempts_balance_in_both(seed, monkeypatch):
    rng = np.random.default_rng(1000 + seed)
    setting = random_setting(
        rng,
        redial=Retry(0.6, after=300),
        redial_blocked=Retry(0.7, after=100),
        reconnect=Retry(0.2, after=900),
    )
    pool, _ = replicate(setting, np.random.SeedSequence(seed))
    network, _ = as_network(setting, seed, monkeypatch)
    assert balanced(pool)
    assert balanced(network)
    # First attempts do not depend on what comes after.
    np.testing.assert_array_equal(pool.calls[..., 1], network.calls[..., 1])


def reference(calls, agents, bounds):
    """First come, first served by a plain event list: who is answered when, who gives up.

    When staff falls idle agents go at once, and of the others those who are free first.
    """
    events = [(at, 2, number) for number, (at, _, _) in enumerate(calls)]
    events += [(bound, 1, place) for place, bound in enumerate(bounds)]
    heapq.heapify(events)
    on_shift, staff, queue, gone, begun = {}, 0, [], set(), {}
    while events:
        now, what, which = heapq.heappop(events)
        if what == 0:
            on_shift.pop(which, None)
        elif what == 1:
            staff = agents[which]
            for last in sorted(on_shift, key=on_shift.get)[: max(0, len(on_shift) - staff)]:
                del on_shift[last]
        elif what == 2:
            queue.append(which)
            heapq.heappush(events, (now + calls[which][2], 3, which))
        elif which in queue:
            queue.remove(which)
            gone.add(which)
        while queue and len(on_shift) < staff:
            first = queue.pop(0)
            begun[first] = now
            on_shift[first] = now + calls[first][1]
            heapq.heappush(events, (on_shift[first], 0, first))
    return begun, gone


@pytest.mark.parametrize("seed", range(12))
def test_shifts_that_end_against_a_plain_event_list(seed, demand):
    """Agents finish the call at hand when staff falls; arrivals, work and patience are given."""
    rng = np.random.default_rng(seed)
    agents = rng.integers(0, 9, 6).tolist()
    found = simulate(
        demand([30] * 6, 240, interval_s=900),
        agents,
        patience=200,
        replications=1,
        seed=seed,
        records=True,
        closing="serve",
    )
    calls = found.calls()
    start = found.intervals["interval_start"][0]
    at = (calls["arrived_at"] - start).dt.total_microseconds().to_numpy() / 1e6
    # Work and patience are known of those who used them up; the others' do not matter.
    work = calls["talk_s"].fill_null(0).to_numpy()
    answered = (calls["outcome"] == "answered").to_numpy()
    patience = np.where(answered, calls["wait_s"].fill_null(0) + 1e-3, calls["wait_s"].fill_null(0))
    given = list(zip(at, work, patience, strict=True))
    bounds = [900.0 * place for place in range(6)]
    begun, gone = reference(given, agents, bounds)
    for number in range(len(calls)):
        if answered[number]:
            assert begun[number] == pytest.approx(at[number] + calls["wait_s"][number], abs=1e-4)
        elif calls["outcome"][number] == "abandoned" and np.isfinite(patience[number]):
            assert number in gone or number not in begun


def test_plain_python_gives_the_same_digits(demand, tmp_path):
    """Compiled or not, one seed gives one answer (numba switched off in another process)."""
    code = """
import sys
sys.path.insert(0, sys.argv[1])
from test_event_loops import small
print(small())
"""
    plain = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
    )
    assert plain.stdout.strip() == small()


def small():
    """Two scenarios, one for each loop, down to the last digit."""
    rng = np.random.default_rng(5)
    told = []
    for one_queue in (True, False):
        setting = random_setting(
            rng, redial=Retry(0.5, after=300), patience=90.0, menu=Menu(30, leaves=0.1)
        )
        if not one_queue:
            object.__setattr__(setting.groups, "priority", np.arange(setting.types))
            object.__setattr__(setting, "rejoin", True)
        tally, _ = replicate(setting, np.random.SeedSequence(9))
        told.append([float(part.sum()).hex() for part in tally])
    return repr(told)


def test_handed_back_calls_are_the_last_begun(demand):
    """Three agents, then one: the call begun first goes on, the others wait at the head."""
    frame = demand([3, 0, 0], 600, interval_s=300)  # a handle time even where none is expected
    start = frame["interval_start"][0]
    arrivals = pl.DataFrame(
        {"arrived_at": [start + timedelta(seconds=each) for each in (10, 20, 30)]}
    )
    found = simulate(
        frame,
        [3, 1, 1],
        handle_time=[600.0],
        arrivals=Replay(arrivals),
        when_staff_falls="rejoin",
        replications=2,
        records=True,
    )
    ended = (found.calls()["ended_at"] - start).dt.total_seconds().to_list()
    # The first: 10 + 600. Then the second, 320 s left, then the third, 330 s left.
    assert ended == [610, 930, 1260]
    assert found.intervals["answered"].to_list() == [3, 0, 0]
    finish = simulate(
        frame,
        [3, 1, 1],
        handle_time=[600.0],
        arrivals=Replay(arrivals),
        replications=2,
        records=True,
    )
    ended = (finish.calls()["ended_at"] - start).dt.total_seconds().to_list()
    assert ended == [610, 620, 630]


def test_patient_callers_leave_nothing_behind(demand):
    """The room for events follows the callers inside, not all who ever had patience."""
    from ccanalytics.simulation import network

    rooms = []

    class Watched(network.Network):
        def run(self, *given):
            reason = super().run(*given)
            rooms.append(self._state.due.shape[0])
            return reason

    frame = demand([100_000], 300, interval_s=100_000 * 300 / 95)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "Network", Watched)
        found = simulate(frame, 100, patience=1e9, when_staff_falls="rejoin", replications=1)
    assert max(rooms) <= 1024
    one = simulate(frame, 100, patience=1e9, replications=1)
    for name in ("asa_s", "wait_probability", "aht_s"):
        assert found.overall[name][0] == pytest.approx(one.overall[name][0], rel=1e-9)


def test_what_a_caller_cut_off_does_not_use_is_not_handled(demand):
    """Agents' time on calls is the handle time counted, those who gave up midway included."""
    frame = demand([60, 0, 0, 0], [600, 1, 1, 1], interval_s=600)
    found = simulate(
        frame,
        [40, 2, 2, 60],
        patience=60,
        when_staff_falls="rejoin",
        replications=5,
        closing="leave",
    )
    row = found.overall.row(0, named=True)
    assert row["cut_off"] > 5
    handled = row["aht_s"] * row["answered"]
    # The rest is what is still being talked at the very end.
    assert row["busy_agents"] * 2400 == pytest.approx(handled, rel=0.02)


@pytest.mark.skipif(not COMPILES, reason="nothing is compiled here")
def test_a_first_compilation_is_said_beforehand_and_only_once(tmp_path):
    code = (
        "import numpy as np\n"
        "from ccanalytics.simulation import heaps\n"
        "from ccanalytics.compiled import compiled\n"
        "def double(x): return 2 * x\n"
        "double.__module__ = 'ccanalytics.simulation.heaps'\n"
        "loop = compiled(double)\n"
        "print(loop(2), loop(2.5), flush=True)\n"
    )
    script = tmp_path / "first.py"
    script.write_text(code)
    here = {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, **here}, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["4", "5.0"]
    assert done.stderr.count("is being compiled") == 1
