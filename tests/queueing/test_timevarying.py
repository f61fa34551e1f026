"""The day in motion: worked examples, dense exponentials, stationary limits, exact identities."""

from statistics import NormalDist

import numpy as np
import pytest
from scipy import special
from scipy.linalg import expm

from ccanalytics.errors import InputError, UnsupportedError
from ccanalytics.queueing import Queue, erlang_c, modified_offered_load, transient
from ccanalytics.servicelevel import ServiceLevel

GOAL = ServiceLevel(0.8, within=20)
COUNTINGS = ("offered", "answered", "abandoned_in_time", "late_abandoned", "virtual")


def poisson(mean, size):
    k = np.arange(size)
    return np.exp(special.xlogy(k, mean) - mean - special.gammaln(k + 1))


# ---------------------------------------------------------------- worked example 1

# λ = 100 + 20 sin t, μ = θ = 1; staff ⌈x + β√x⌉ with x = m (MOL) or λ (PSA); P(N(t) ≥ n(t)) over
# the second cycle: least, greatest, mean.
FIRST = {
    (0.1, "MOL"): (0.0930, 0.1112, 0.1022),
    (0.5, "MOL"): (0.4715, 0.5143, 0.4934),
    (0.9, "MOL"): (0.8921, 0.9117, 0.9016),
    (0.1, "PSA"): (0.0032, 0.6045, 0.2044),
    (0.5, "PSA"): (0.0739, 0.9312, 0.4988),
    (0.9, "PSA"): (0.4554, 0.9972, 0.8145),
}


@pytest.mark.parametrize(("alpha", "method"), FIRST)
def test_staffing_a_sinusoid(alpha, method):
    beta = NormalDist().inv_cdf(1 - alpha)

    def staff(t):
        x = 100 + (10 * (np.sin(t) - np.cos(t)) if method == "MOL" else 20 * np.sin(t))
        return np.ceil(x + beta * np.sqrt(x))

    t = np.linspace(0, 2 * np.pi, 200_001)
    jumps = np.flatnonzero(np.diff(staff(t)))
    edges = np.concatenate([[0], (t[jumps] + t[jumps + 1]) / 2, [2 * np.pi]])
    agents = np.tile(staff((edges[1:] + edges[:-1]) / 2), 2)
    day = transient(
        lambda s: 100 + 20 * np.sin(s),
        np.tile(np.diff(edges), 2),
        1.0,
        agents,
        1.0,
        start=poisson(90.0, 400) / poisson(90.0, 400).sum(),
        steps=4,
    )
    chances = day.distribution()
    second = range(agents.size // 2, agents.size)
    ends = [chances[j, int(agents[i]) :].sum() for i in second for j in (i, i + 1)]
    per = np.diff(edges)
    mean = (
        sum(
            part.time[int(n) :].sum()
            for part, n in zip(day._parts[second[0] :], agents[second[0] :], strict=True)
        )
        / per.sum()
    )
    least, greatest, average = FIRST[alpha, method]
    assert mean == pytest.approx(average, abs=2e-4)
    # The chance jumps with the staff; the worked example was read off on a grid of moments, which
    # passes by the last thousandth on either side of a jump.
    assert least - 1e-3 < min(ends) <= least + 5e-5
    assert greatest - 5e-5 <= max(ends) < greatest + 1e-3


# ---------------------------------------------------------------- worked example 2

# λ(t) = λ̄(1 + RA sin(2πt/24)), half-hours, least n with P(wait) ≤ .10 by the half-hour's mean or
# maximum, with and without a lag of 1/μ: half-hours of the second day above .11, the worst one.
SECOND = {
    (2, 16, 0.5): ((7, 0.140), (0, 0.095), (2, 0.113), (0, 0.079)),
    (4, 64, 0.5): ((4, 0.126), (0, 0.099), (0, 0.098), (0, 0.084)),
    (2, 64, 0.5): ((19, 0.195), (0, 0.100), (14, 0.143), (0, 0.088)),
    (4, 64, 1): ((16, 0.246), (0, 0.100), (0, 0.100), (0, 0.085)),
    (2, 64, 1): ((23, 0.764), (3, 0.350), (20, 0.372), (0, 0.088)),
    (1, 32, 0.5): ((22, 0.350), (2, 0.112), (21, 0.265), (0, 0.107)),
}


def second_example(mu, mean, amplitude, method, delay=0.0, steps=6):
    turn = 2 * np.pi / 24
    begin = np.arange(48) / 2 - (1 / mu if method in (1, 3) else 0)
    if method < 2:
        swing = (np.cos(turn * begin) - np.cos(turn * (begin + 0.5))) / (turn / 2)
    else:
        swing = np.sin(turn * (begin[:, None] + np.linspace(0, 0.5, 501))).max(axis=1)
    load = mean * (1 + amplitude * swing) / mu
    agents = np.floor(load) + 1
    while (bad := erlang_c(load, agents) > 0.10).any():
        agents = agents + bad

    def rate(t):
        wave = 1 + amplitude * np.sin(turn * (t - delay) / 3600)
        return np.maximum(mean * wave, 0) / 3600

    day = transient(rate, 1800, 3600 / mu, np.tile(agents, 2), steps=steps)
    waits = day.wait_probability[48:]
    return int((waits > 0.11).sum()), waits.max()


@pytest.mark.parametrize("case", SECOND)
def test_staffing_by_the_half_hour(case):
    for method, (count, worst) in enumerate(SECOND[case]):
        got = second_example(*case, method)
        assert got[0] == count
        assert got[1] == pytest.approx(worst, abs=0.0035)


@pytest.mark.parametrize("case", SECOND)
def test_staffing_by_the_half_hour_to_all_digits(case, full):
    """The figures are those of a wave 9 s later: presumably λ stood still in short steps."""
    if not full and case not in ((2, 16, 0.5), (4, 64, 1)):
        pytest.skip("one of the full set")
    for method, (count, worst) in enumerate(SECOND[case]):
        got = second_example(*case, method, delay=9.0, steps=16 if full else 10)
        assert got[0] == count
        assert got[1] == pytest.approx(worst, abs=0.00055 if worst < 0.5 else 0.001)


# ---------------------------------------------------------------- against dense exponentials

PER, AHT, PATIENCE = 240.0, 90.0, 150.0
CALLS, AGENTS = (9.0, 4.0, 14.0, 6.0), (3, 1, 5, 2)


def dense(i, lines, top):
    """The whole chain of interval i, transposed for column vectors."""
    k = np.arange(top + 1)
    n = AGENTS[i]
    up = np.where(k < lines, CALLS[i] / PER, 0.0)
    up[-1] = 0.0
    down = np.minimum(k, n) / AHT + np.maximum(k - n, 0) / PATIENCE
    return np.diag(-(up + down)) + np.diag(up[:-1], -1) + np.diag(down[1:], 1), down


def follow(vector, i, offset, horizon, lines, top):
    """A tagged caller's fate: answered, gave up, still waiting, seconds waited, by expm."""
    state = np.zeros(top + 4)  # calls ahead …, answered, gave up, seconds
    state[: top + 1] = vector
    left = horizon
    while True:
        n = AGENTS[i]
        state[top + 1] += state[:n].sum()
        state[:n] = 0
        length = min(left, PER - offset) if i < 3 else left
        down = dense(i, lines, top)[1]
        matrix = np.zeros((top + 4, top + 4))
        for a in range(n, top + 1):
            to = a - 1 if a - 1 >= n else top + 1
            matrix[to, a] += down[a]
            matrix[top + 2, a] += 1 / PATIENCE
            matrix[a, a] -= down[a] + 1 / PATIENCE
            matrix[top + 3, a] += 1
        state = expm(matrix * length) @ state
        left -= length
        if left <= 0:
            return state[top + 1], state[top + 2], state[: top + 1].sum(), state[top + 3]
        i, offset = i + 1, 0.0


@pytest.mark.parametrize("lines", [7, None])
def test_dense_exponentials(lines):
    top = 7 if lines else 45
    room = lines or np.inf
    day = transient(CALLS, PER, AHT, AGENTS, PATIENCE, lines)
    chances = day.distribution()
    p = np.zeros(top + 1)
    p[0] = 1
    within = 30.0
    x, w = np.polynomial.legendre.leggauss(10)
    levels = {c: day.service_level(ServiceLevel(0.8, within, c)) for c in COUNTINGS}
    for i in range(4):
        q, _ = dense(i, room, top)
        assert np.abs(chances[i, : top + 1] - p).max() < 1e-10
        sums = np.zeros(9)
        for low, high in ((0, 4), (4, 30), (30, PER - within), (PER - within, PER)):
            for s, weight in zip((high + low) / 2 + (high - low) / 2 * x, w, strict=True):
                now = expm(q * s) @ p
                enter = np.where(np.arange(top + 1) < room, now, 0)
                soon = follow(enter, i, s, within, room, top)
                ever = follow(enter, i, s, 40_000.0, room, top)
                k = np.arange(top + 1)
                row = (
                    enter.sum(),
                    enter[AGENTS[i] :].sum(),
                    ever[1],
                    ever[3],
                    soon[0],
                    soon[1],
                    now @ np.maximum(k - AGENTS[i], 0),
                    now @ np.minimum(k, AGENTS[i]),
                    ever[0],
                )
                sums += (high - low) / 2 * weight * np.array(row) / PER
        entered, wait, gone, seconds, soon_answered, soon_gone, queue, busy, answered = sums
        assert day.blocking[i] == pytest.approx(1 - entered, abs=1e-9)
        assert day.wait_probability[i] == pytest.approx(wait / entered, abs=1e-8)
        assert day.abandonment[i] == pytest.approx(gone, abs=1e-8)
        assert day.answered[i] == pytest.approx(answered, abs=1e-8)
        assert day.mean_wait[i] == pytest.approx(seconds / entered, rel=1e-7)
        assert day.queue_length[i] == pytest.approx(queue, abs=1e-8)
        assert day.busy[i] == pytest.approx(busy, abs=1e-8)
        assert levels["offered"][i] == pytest.approx(soon_answered / entered, abs=1e-6)
        assert levels["abandoned_in_time"][i] == pytest.approx(
            (soon_answered + soon_gone) / entered, abs=1e-6
        )
        assert levels["late_abandoned"][i] == pytest.approx(
            soon_answered / (entered - soon_gone), abs=1e-6
        )
        p = expm(q * PER) @ p
    assert day.waiting_at_end[3] == pytest.approx(p @ np.maximum(np.arange(top + 1) - 2, 0))
    assert np.abs(chances.sum(axis=1) - 1).max() < 1e-11
    between = day.distribution([100.0, 240.0, 500.0])
    first, _ = dense(0, room, top)
    assert np.abs(between[0, : top + 1] - (expm(first * 100) @ np.eye(top + 1)[0])).max() < 1e-10
    assert np.array_equal(between[1], chances[1][: between.shape[1]])


# ---------------------------------------------------------------- limits and identities


@pytest.mark.parametrize(("patience", "lines"), [(None, None), (120, None), (None, 30), (60, 25)])
def test_even_calls_end_in_the_steady_state(patience, lines):
    still = Queue(200, 1800, 180, patience, lines).performance(22)
    for start in ("empty", "steady"):
        count = 40 if start == "empty" else 2
        day = transient([200] * count, 1800, 180, 22, patience, lines, start=start)
        for name in (
            "wait_probability",
            "mean_wait",
            "asa",
            "abandonment",
            "blocking",
            "queue_length",
            "occupancy",
        ):
            assert getattr(day, name)[-1] == pytest.approx(getattr(still, name), abs=1e-8), name
        for counting in COUNTINGS:
            goal = ServiceLevel(0.8, 20, counting)
            assert day.service_level(goal)[-1] == pytest.approx(still.service_level(goal), abs=1e-8)
        assert day.wait_above(20)[-1] == pytest.approx(still.wait_above(20), abs=1e-8)


def test_patience_as_long_as_calls_is_poisson():
    """θ = μ: every call leaves alike, M/M/∞, whatever the agents do."""
    calls, agents = np.array([50, 400, 100, 0, 250.0]), [10, 55, 5, 0, 30]
    day = transient(calls, 1800, 200, agents, 200)
    load = modified_offered_load(calls, 1800, 200)
    chances = day.distribution()
    for row, mean in zip(chances[1:], load.end, strict=True):
        assert np.abs(row - poisson(mean, row.size)).max() < 1e-10
    assert day.busy + day.queue_length == pytest.approx(load.mean, abs=1e-8)
    middle = day.distribution(2700.0)
    assert np.abs(middle - poisson(load.at(2700.0), middle.size)).max() < 1e-10


def test_calls_are_conserved():
    """Arrived = answered + gave up + left over; staff never falls, so nobody is answered twice."""
    calls, agents = np.array([150, 260, 260, 120.0]), np.array([10, 22, 24, 24])
    day = transient(calls, 1800, 180, agents, 100, 40)
    gone = day.answered + day.abandonment + day.blocking
    assert gone == pytest.approx(np.ones(4), abs=1e-9)
    served = day.busy * 1800 / 180  # ends of calls
    inside = day.waiting_at_end + day.busy_at_end
    change = np.diff(np.concatenate([[0], inside]))
    entered = calls * (1 - day.blocking)
    assert entered == pytest.approx(served + day.abandoned_calls + change, rel=1e-9)
    # By arrival or by moment, the same people give up in the end.
    rest = transient([0] * 4, 1800, 180, 24, 100, 40, start=day.distribution()[-1])
    whole = day.abandoned_calls.sum() + rest.abandoned_calls.sum()
    assert calls @ day.abandonment == pytest.approx(whole, rel=1e-8)


def test_a_function_of_even_pieces_is_the_array():
    calls = np.array([100, 200, 50.0])
    by_array = transient(calls, 1800, 180, [14, 22, 10], 120)
    by_function = transient(
        lambda t: calls[np.minimum((t // 1800).astype(int), 2)] / 1800,
        1800,
        180,
        [14, 22, 10],
        120,
        steps=3,
    )
    for name in ("wait_probability", "mean_wait", "abandonment", "asa"):
        assert getattr(by_function, name) == pytest.approx(getattr(by_array, name), abs=1e-8)
    assert by_function.service_level(GOAL) == pytest.approx(by_array.service_level(GOAL), abs=1e-7)
    goal = ServiceLevel(0.8, 1900)  # a threshold longer than an interval
    fine, rough = by_function.service_level(goal, points=8), by_array.service_level(goal)
    assert rough == pytest.approx(fine, abs=1e-4)
    assert by_array.service_level(goal, points=40) == pytest.approx(fine, abs=2e-5)


def test_short_intervals_are_one_long_one():
    one = transient([100, 200], 1800, 180, [14, 21], 120)
    many = transient(np.repeat([10.0, 20.0], 10), 180, 180, np.repeat([14, 21], 10), 120)
    for name in ("wait_probability", "mean_wait", "abandonment", "queue_length"):
        parts = getattr(many, name).reshape(2, 10).mean(axis=1)
        assert parts == pytest.approx(getattr(one, name), abs=1e-8)
    goal = ServiceLevel(0.8, 400, "abandoned_in_time")
    parts = many.service_level(goal, points=12).reshape(2, 10).mean(axis=1)
    assert parts == pytest.approx(one.service_level(goal, points=12), abs=1e-6)


def test_nights_overload_and_closing():
    day = transient([0, 100, 300, 100, 0], 1800, 180, [0, 12, 12, 12, 0], 300)
    assert np.isnan(day.occupancy[[0, 4]]).all()
    assert np.isfinite(day.mean_wait).all()
    assert day.abandonment[2] > 0.3
    assert day.answered + day.abandonment == pytest.approx(np.ones(5), abs=1e-8)
    patient = transient([100, 300], 1800, 180, [12, 0])
    assert np.isinf(patient.mean_wait[1])
    assert any(check.name == "end of the day" for check in patient.checks)
    assert patient.waiting_at_end[1] > 300
    assert any(check.name == "backlog" for check in patient.checks)
    flood = transient([3000], 1800, 180, [50])
    assert flood.waiting_at_end[0] == pytest.approx(3000 - 500 - 50, rel=0.03)
    assert flood.checks[0].status == "holds"


def test_words_and_frame():
    day = transient([100, 200, 100], 1800, 180, [14, 22, 14], 120, 40)
    text = day.summary()
    assert text.startswith("Over 3 intervals with 400 calls and 14 to 22 agents")
    assert "M(t)/M/n(t)/N+M" in text
    assert any(check.name == "staff falls" for check in day.checks)
    assert day.to_frame().height == 3
    assert "Nobody calls" in transient([0, 0], 1800, 180, 1).summary()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"calls": [1, -2]}, r"calls\[1\]=-2"),
        ({"calls": [1, float("nan")]}, r"calls\[1\]"),
        ({"agents": [1.5, 2]}, r"agents\[0\]=1\.5"),
        ({"agents": [1, 2, 3]}, "one value per interval"),
        ({"agents": [[1, 2]]}, "one day at a time"),
        ({"lines": [5, 1]}, "each agent needs a line"),
        ({"patience": 0}, "patience must be above 0"),
        ({"start": "full"}, "no such start"),
        ({"start": [0.5, 0.2]}, "no distribution"),
        ({"start": "steady", "calls": [100, 1]}, "no steady state"),
        ({"start": 9, "lines": 8}, "more calls at the start"),
        ({"when_staff_falls": "stay"}, "no such rule"),
        ({"steps": 4}, "even rate"),
        ({"calls": lambda t: -1.0}, "calls per second"),
    ],
)
def test_bad_arguments(change, says):
    given = {"calls": [10, 20], "per": 1800, "aht": 180, "agents": [3, 4], **change}
    with pytest.raises(InputError, match=says):
        transient(**given)


def test_what_has_no_exact_answer():
    with pytest.raises(UnsupportedError, match="rejoin"):
        transient([10], 1800, 180, [3], when_staff_falls="finish")

    class Law:
        def sf(self, x):
            return np.exp(-np.asarray(x) / 100)

    with pytest.raises(UnsupportedError, match="exponential"):
        transient([10], 1800, 180, [3], patience=Law())
    with pytest.raises(UnsupportedError, match="interval 0"):
        transient([200_000], 1800, 180, [3])


def test_bad_questions():
    day = transient([10, 20], 1800, 180, [3, 4])
    with pytest.raises(InputError, match="ServiceLevel"):
        day.service_level(0.8)
    with pytest.raises(InputError, match="points"):
        day.service_level(GOAL, points=0)
    with pytest.raises(InputError, match="inside the day"):
        day.distribution([0, 4000])
    with pytest.raises(InputError, match="one threshold"):
        day.wait_above([1, 2])
