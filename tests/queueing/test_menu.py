"""Lines, voice menu and agents as one model, against worked numbers, limits and a balance check."""

import mpmath as mp
import numpy as np
import pytest

from ccanalytics.errors import InputError
from ccanalytics.queueing import MenuQueue, Queue, erlang_b, servers_for_blocking
from ccanalytics.servicelevel import ServiceLevel

# λ = 10/min, menu 1 min, p = .7, AHT 3 min, 22 agents: blocked, P(wait), mean wait in minutes,
# P(W > 20 s), utilisation (computed exactly, by another program).
TABLE = {
    30: (0.15357, 0.09003, 0.02257, 0.02446, 0.80795),
    35: (0.08364, 0.31949, 0.13139, 0.15492, 0.87471),
    40: (0.04937, 0.49849, 0.31894, 0.33264, 0.90742),
    50: (0.02239, 0.64742, 0.73831, 0.52636, 0.93317),
    61: (0.01129, 0.70662, 1.14237, 0.60589, 0.94376),
    63: (0.01008, 0.71303, 1.20680, 0.61449, 0.94493),
    64: (0.00953, 0.71592, 1.23796, 0.61838, 0.94545),
}
CENTRE = MenuQueue(calls=10, per=60, menu=60, to_agent=0.7, aht=180)


@pytest.mark.parametrize("lines", TABLE)
def test_worked_table(lines):
    p = CENTRE.performance(22, lines)
    got = (p.blocking, p.wait_probability, p.mean_wait / 60, p.wait_above(20), p.occupancy)
    assert np.abs(np.subtract(got, TABLE[lines])).max() <= 0.5000001e-5


def test_the_textbook_recipe_finds_too_few_lines():
    assert round(CENTRE.performance(22, 58).blocking, 5) == 0.01346
    assert CENTRE.lines_for(22, 0.01) == 64
    assert CENTRE.performance(22, 63).blocking > 0.01
    assert CENTRE.performance(22, 64).blocking <= 0.01
    # Erlang B on λ(menu + p(ASA + AHT)) = 47.08 erlangs says 61 for 1%; jointly 1.1% are lost
    # (the ASA of Erlang C, 21 erlangs on 22 agents).
    load = 10 * (1 + 0.7 * (Queue(7, 60, 180).performance(22).asa / 60 + 3))
    assert round(load, 2) == 47.08
    assert servers_for_blocking(load, 0.01) == 61
    assert CENTRE.performance(22, 61).blocking > 0.011


def test_simulation_quoted_beside_it():
    # One run of 1.5 million correlated calls: .01 on shares and 3% of each figure are allowed.
    for lines, quoted in (
        (35, (0.0827, 0.3187, 0.1302, 0.1538)),
        (50, (0.0225, 0.653, 0.747, 0.531)),
    ):
        p = CENTRE.performance(22, lines)
        got = np.array([p.blocking, p.wait_probability, p.mean_wait / 60, p.wait_above(20)])
        assert np.abs(got - quoted).max() < 0.01
        assert np.abs(got / quoted - 1).max() < 0.03


def test_limits():
    only_menu = MenuQueue(10, 60, 60, 0.0, 180).performance(1, 15)
    assert only_menu.blocking == pytest.approx(0.036496946, abs=6e-10)
    assert only_menu.blocking == pytest.approx(erlang_b(10, 15), rel=1e-12)
    assert only_menu.wait_probability == 0
    none = MenuQueue(10, 60, 0, 1.0, 60).performance(12, 20)
    assert none.blocking == pytest.approx(0.0190807, abs=5e-8)
    for menu, close in ((0.0, 1e-12), (1e-9, 1e-8)):
        p = MenuQueue(10, 60, menu, 1.0, 60).performance(12, 20)
        plain = Queue(10, 60, 60, lines=20).performance(12)
        for name in ("blocking", "wait_probability", "mean_wait", "occupancy", "queue_length"):
            assert getattr(p, name) == pytest.approx(getattr(plain, name), rel=close), name
        assert p.wait_above(20) == pytest.approx(plain.wait_above(20), rel=close)


@pytest.mark.parametrize(
    ("a", "p", "aht", "n", "lines"),
    [(3.0, 0.6, 120, 4, 9), (8.0, 1.0, 60, 3, 6), (0.5, 0.2, 300, 9, 7)],
)
def test_states_summed_one_by_one(a, p, aht, n, lines):
    """The stationary law of the two-dimensional chain, solved from its generator."""
    calls, per, menu = a, 60.0, 60.0
    lam, out, mu = calls / per, 1 / menu, 1 / aht
    states = [(i, j) for i in range(lines + 1) for j in range(lines + 1 - i)]
    place = {s: k for k, s in enumerate(states)}
    q = np.zeros((len(states), len(states)))
    for (i, j), k in place.items():
        for target, rate in (
            ((i + 1, j), lam),
            ((i - 1, j + 1), i * out * p),
            ((i - 1, j), i * out * (1 - p)),
            ((i, j - 1), min(j, n) * mu),
        ):
            if rate and target in place:
                q[k, place[target]] += rate
                q[k, k] -= rate
    pi = np.linalg.lstsq(
        np.vstack([q.T, np.ones(len(states))]), np.append(np.zeros(len(states)), 1), rcond=None
    )[0]
    i, j = np.array(states).T
    found = pi * i / (pi @ i)
    m = MenuQueue(calls, per, menu, p, aht).performance(n, lines)
    waiting = j >= n
    assert m.blocking == pytest.approx(pi[i + j == lines].sum(), abs=1e-11)
    assert m.wait_probability == pytest.approx(found[waiting].sum(), abs=1e-11)
    assert m.mean_wait == pytest.approx(
        (found * np.maximum(j - n + 1, 0)).sum() * aht / n, rel=1e-9
    )
    assert m.in_menu == pytest.approx(pi @ i, rel=1e-9)
    assert m.queue_length == pytest.approx(pi @ np.maximum(j - n, 0), abs=1e-10)
    assert m.occupancy == pytest.approx(pi @ np.minimum(j, n) / n, rel=1e-9)
    assert m.lines_busy == pytest.approx(pi @ (i + j), rel=1e-9)


def test_many_lines_against_fifty_digits():
    """20,000 lines: the level sums of the product form, by convolution in 50 digits."""
    a, r, n, lines = 900.0, 700.0, 690, 1700
    got = MenuQueue(a * 10, 600, 60, r / a, 60).performance(n, lines).blocking
    with mp.workdps(50):
        r = mp.mpf(a * 10) / 600 * (mp.mpf(r / a)) * 60
        agents = [mp.mpf(1)]
        for j in range(1, lines + 1):
            agents.append(agents[-1] * r / min(j, n))
        menu = [mp.mpf(1)]
        for i in range(1, lines + 1):
            menu.append(menu[-1] * a / i)
        at_most, total = [], mp.mpf(0)
        for weight in menu:
            total += weight
            at_most.append(total)
        full = mp.fdot(agents, menu[::-1])
        exact = full / mp.fdot(agents, at_most[::-1])
    assert got == pytest.approx(float(exact), rel=1e-11)
    many = MenuQueue(10_000, 60, 60, 0.7, 60).performance(7010, [17_000, 20_000])
    assert (np.diff(many.blocking) < 0).all()
    assert np.isfinite(many.mean_wait).all()
    # More lines than can fill: no blocking, and an Erlang C queue.
    plain = Queue(700, 60, 60).performance(730)
    wide = MenuQueue(1000, 60, 60, 0.7, 60).performance(730, 20_000)
    assert wide.wait_probability == pytest.approx(plain.wait_probability, rel=1e-10)
    assert wide.mean_wait == pytest.approx(plain.mean_wait, rel=1e-10)
    tiny = MenuQueue(2000, 60, 60, 0.7, 60).performance(300, 40)  # weights far below e⁻⁷⁰⁰
    assert tiny.blocking == pytest.approx(float(erlang_b(3400.0, 40)), rel=1e-10)


def test_lines_for_is_proved_and_broadcasts():
    agents = np.array([22, 25, 30])[:, None]
    target = np.array([0.05, 0.01, 0.001])
    lines = CENTRE.lines_for(agents, target)
    assert lines.shape == (3, 3)
    assert lines.dtype == np.int64
    assert (CENTRE.performance(agents, lines).blocking <= target).all()
    assert (CENTRE.performance(agents, lines - 1).blocking > target).all()
    assert MenuQueue(0, 60, 60, 0.7, 180).lines_for(1, 0.01) == 0
    assert type(CENTRE.lines_for(22, 0.01)) is int


def test_more_lines_more_waiting():
    p = CENTRE.performance(22, np.arange(22, 80))
    assert (np.diff(p.blocking) < 0).all()
    assert (np.diff(p.wait_probability) > 0).all()
    goal = ServiceLevel(0.8, 20)
    assert p.service_level(goal) == pytest.approx(1 - p.wait_above(20), abs=1e-14)
    strict = ServiceLevel(0.8, 20, include_blocked=True)
    assert p.service_level(strict) == pytest.approx((1 - p.wait_above(20)) * (1 - p.blocking))
    assert type(CENTRE.performance(22, 40).blocking) is float
    assert p.to_frame().height == 58


def test_words():
    text = CENTRE.performance(22, 35).summary()
    assert text.startswith("With 22 agents on 35 lines, 8.4% of calls meet a busy signal")
    assert "58 cases" in CENTRE.performance(22, np.arange(22, 80)).summary()
    nobody = MenuQueue(0, 60, 60, 0.7, 180).performance(1, 1)
    assert (nobody.blocking, nobody.wait_probability, nobody.occupancy) == (0, 0, 0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"calls": -1}, "calls must be 0 or more"),
        ({"calls": float("nan")}, "calls"),
        ({"menu": -5}, "menu"),
        ({"to_agent": 70}, r"70% is 0\.7"),
        ({"aht": 0}, "aht must be above 0"),
        ({"per": [60, 0]}, r"per\[1\]=0"),
        ({"calls": [1, 2], "aht": [1, 2, 3]}, "do not fit together"),
        ({"menu": None}, "menu must be a number"),
    ],
)
def test_bad_arguments(change, says):
    with pytest.raises(InputError, match=says):
        MenuQueue(**{"calls": 10, "per": 60, "menu": 60, "to_agent": 0.7, "aht": 180, **change})


def test_bad_questions():
    with pytest.raises(InputError, match="agents must"):
        CENTRE.performance(21.5, 35)
    with pytest.raises(InputError, match=r"lines\[1\]=0"):
        CENTRE.performance(22, [35, 0])
    with pytest.raises(InputError, match="small share"):
        CENTRE.lines_for(22, 0)
    with pytest.raises(InputError, match="cannot handle more"):
        CENTRE.lines_for([22, 10], 0.01)
    with pytest.raises(InputError, match="more than 1,000,000 lines"):
        CENTRE.lines_for(21, 1e-9)
    with pytest.raises(InputError, match="ServiceLevel"):
        CENTRE.performance(22, 35).service_level(0.8)
    with pytest.raises(InputError, match="one threshold"):
        CENTRE.performance(22, 35).wait_above([1, 2])


COUNTED = [
    ServiceLevel(0.8, 20, counting=name, short=5 if name.startswith("short") else 0)
    for name in (
        "offered", "answered", "abandoned_in_time", "late_abandoned", "short_as_served",
        "short_excluded", "virtual",
    )
]  # fmt: skip


@pytest.mark.parametrize(
    ("agents", "lines", "patience"), [(9, 20, 90), (11, 11, 300), (14, 60, 30)]
)
def test_without_a_menu_it_is_the_queue_with_patience_and_lines(agents, lines, patience):
    ours = MenuQueue(100, 1800, 0, 1, 180, patience).performance(agents, lines)
    queue = Queue(100, 1800, 180, patience=patience, lines=lines).performance(agents)
    assert ours.blocking == pytest.approx(queue.blocking, rel=1e-11)
    # A queue's abandonment is a share of all arrivals.
    assert ours.abandonment * (1 - ours.blocking) == pytest.approx(queue.abandonment, abs=1e-13)
    for name in ("asa", "mean_wait", "occupancy", "queue_length", "wait_probability"):
        assert getattr(ours, name) == pytest.approx(getattr(queue, name), rel=1e-10, abs=1e-14)
    for goal in COUNTED:
        assert ours.service_level(goal) == pytest.approx(queue.service_level(goal), abs=1e-12)
    assert ours.wait_above(20) == pytest.approx(queue.wait_above(20), abs=1e-12)


def test_patience_balances_every_state():
    """Menu, lines, agents and patience as a chain of their own, solved by brute force."""
    lam, menu, p, aht, patience, n, lines = 0.2, 40.0, 0.6, 150.0, 60.0, 5, 12
    states = [(i, j) for i in range(lines + 1) for j in range(lines + 1 - i)]
    place = {s: k for k, s in enumerate(states)}
    q = np.zeros((len(states), len(states)))
    for (i, j), k in place.items():
        if i + j < lines:
            q[k, place[i + 1, j]] += lam
        if i:
            q[k, place[i - 1, j + 1]] += i * p / menu
            q[k, place[i - 1, j]] += i * (1 - p) / menu
        if j:
            q[k, place[i, j - 1]] += min(j, n) / aht + max(j - n, 0) / patience
    q -= np.diag(q.sum(axis=1))
    pi = np.linalg.lstsq(
        np.vstack([q.T, np.ones(len(states))]), np.r_[np.zeros(len(states)), 1], rcond=None
    )[0]
    told = MenuQueue(lam * 60, 60, menu, p, aht, patience).performance(n, lines)
    at = np.array(states)
    assert told.blocking == pytest.approx(pi[at.sum(axis=1) == lines].sum(), rel=1e-9)
    queue = pi @ np.maximum(at[:, 1] - n, 0)
    assert told.queue_length == pytest.approx(queue, rel=1e-9)
    assert told.in_menu == pytest.approx(pi @ at[:, 0], rel=1e-9)
    asked = lam * p * (1 - told.blocking)
    assert told.abandonment == pytest.approx(queue / patience / asked, rel=1e-9)
    assert told.mean_wait == pytest.approx(queue / asked, rel=1e-9)
    assert told.lines_busy == pytest.approx(pi @ at.sum(axis=1), rel=1e-9)
    assert told.occupancy == pytest.approx(pi @ np.minimum(at[:, 1], n) / n, rel=1e-9)


def test_with_patience_inside_simulated_limits():
    from datetime import UTC, datetime

    import polars as pl

    from ccanalytics.simulation import Menu, simulate

    frame = pl.DataFrame(
        {
            "interval_start": [datetime(2025, 3, 3, tzinfo=UTC)],
            "interval_s": [60.0 * 4000],
            "calls": [40_000.0],
            "aht_s": [180.0],
        }
    )
    goal = ServiceLevel(0.8, 20)
    run = simulate(
        frame, 22, goals=goal, lines=40, menu=Menu(60, leaves=0.3), patience=120,
        warmup_s=3600, replications=20, level=0.999, seed=3,
    ).overall  # fmt: skip
    told = MenuQueue(10, 60, 60, 0.7, 180, patience=120).performance(22, 40)
    for name, value in (
        ("blocking", told.blocking),
        ("service_level", told.service_level(goal)),
        ("asa_s", told.asa),
        ("wait_probability", told.wait_probability),
        ("occupancy", told.occupancy),
        ("lines_held", told.lines_busy),
    ):
        row = run.row(0, named=True)
        assert row[f"{name}_low"] <= value <= row[f"{name}_high"], (name, value, row[name])


def test_fewer_lines_make_the_queue_look_good():
    """Each line taken away lowers waiting and raises the busy signal."""
    for patience in (None, 120):
        p = MenuQueue(10, 60, 60, 0.7, 180, patience).performance(22, np.arange(25, 80))
        assert (np.diff(p.blocking) < 0).all()
        assert (np.diff(p.wait_probability) > 0).all()
        assert (np.diff(p.service_level(ServiceLevel(0.8, 20))) < 0).all()
