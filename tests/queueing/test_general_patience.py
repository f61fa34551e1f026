"""M/M/n+G for laws of every kind: worked numbers, mpmath quadrature, and exponential as a law."""

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from ccanalytics.errors import InputError, UnsupportedError
from ccanalytics.queueing import Queue
from ccanalytics.servicelevel import ServiceLevel


class Fixed:
    """Everybody waits the same time: a jump."""

    def __init__(self, seconds):
        self.seconds = seconds

    def sf(self, x):
        return (np.asarray(x) < self.seconds).astype(float)


class Mixed:
    """Half impatient, half patient (hyperexponential), under the other name."""

    def __init__(self, first, second):
        self.first, self.second = first, second

    def ccdf(self, x):
        return 0.5 * np.exp(-np.asarray(x) / self.first) + 0.5 * np.exp(
            -np.asarray(x) / self.second
        )


class Some:
    """Some never give up."""

    def __init__(self, share, mean):
        self.share, self.mean = share, mean

    def sf(self, x):
        return self.share + (1 - self.share) * np.exp(-np.asarray(x) / self.mean)


def laws():
    from scipy import stats

    return {
        "det2": Fixed(120),
        "erlang2": stats.gamma(2, scale=60),
        "uniform04": stats.uniform(0, 240),
        "exp": stats.expon(scale=120),
        "hyper": Mixed(30, 210),
    }


def test_worked_numbers(oracles):
    by_name = laws()
    for case in oracles["mmng"]:
        i, e = case["inputs"], case["expected"]
        p = Queue(i["lam"], 60, 60 / i["mu"], by_name[i["patience"]]).performance(i["n"])
        assert p.wait_probability == pytest.approx(e["pw"], rel=1e-10)
        assert p.abandonment == pytest.approx(e["pab"], rel=1e-9)
        assert p.mean_wait / 60 == pytest.approx(e["ew"], rel=1e-10)


def test_second_worked_table():
    from scipy import stats

    for law, expected in (
        (stats.expon(scale=1), (0.59172, 0.04992, 0.04992)),
        (stats.gamma(2, scale=0.5), (0.75451, 0.03783, 0.11529)),
    ):
        p = Queue(102, 1, 1, law).performance(100)
        got = (p.wait_probability, p.abandonment, p.mean_wait)
        assert got == pytest.approx(expected, abs=5.1e-6)


def quadrature(lam, c, agents, survival, total, cuts, t):
    """Zeltyn and Mandelbaum's formulas by 40-digit quadrature; ``total`` integrates survival."""
    with mp.workdps(40):
        lam, c = mp.mpf(lam), mp.mpf(c)
        load = lam / c * agents
        term, d = mp.mpf(1), mp.mpf(1)
        for j in range(agents - 1, 0, -1):
            term *= j / load
            d += term

        def f(v):
            return mp.exp(lam * total(v) - c * v)

        cuts = sorted({mp.mpf(0), mp.mpf(t), *map(mp.mpf, cuts)})

        def integral(g, low=0):
            points = [p for p in cuts if p >= low]
            return mp.quad(g, [*points, mp.inf])

        z = d + lam * integral(f)
        kept = d + lam * integral(lambda v: survival(v) * f(v))
        late = lam * integral(lambda v: survival(v) * f(v), t)
        return {
            "wait_probability": 1 - d / z,
            "abandonment": lam * integral(lambda v: (1 - survival(v)) * f(v)) / z,
            "mean_wait": lam * integral(lambda v: total(v) * f(v)) / z,
            "offered": (kept - late) / z,
            "virtual_late": lam * integral(f, t) / z,
        }


@pytest.mark.parametrize(("calls", "agents"), [(48, 50), (48, 40), (6, 9), (300, 290)])
def test_laws_against_quadrature(calls, agents, exact):
    from scipy import stats

    t, widths = 20, [1, 3, 8, 20, 45, 90, 160, 300, 600, 1500, 4000]
    for law, survival, total, corners in (
        (
            stats.gamma(2, scale=60),
            lambda v: mp.exp(-v / 60) * (1 + v / 60),
            lambda v: 120 - mp.exp(-v / 60) * (v + 120),
            [],
        ),
        (
            Mixed(30, 210),
            lambda v: (mp.exp(-v / 30) + mp.exp(-v / 210)) / 2,
            lambda v: 15 * -mp.expm1(-v / 30) + 105 * -mp.expm1(-v / 210),
            [],
        ),
        (
            Fixed(45),
            lambda v: mp.mpf(v < 45),
            lambda v: min(v, mp.mpf(45)),
            [45],
        ),
        (
            stats.uniform(0, 200),
            lambda v: max(1 - v / 200, mp.mpf(0)),
            lambda v: v - v * v / 400 if v < 200 else mp.mpf(100),
            [200],
        ),
    ):
        true = quadrature(
            mp.mpf(calls) / 60, agents / mp.mpf(60), agents, survival, total, widths + corners, t
        )
        p = Queue(calls, 60, 60, law).performance(agents)
        for name in ("wait_probability", "abandonment", "mean_wait"):
            # A law given by its survival alone knows small shares of leavers to 1e-16 only.
            bound = 1e-12 + (2e-16 / float(true["abandonment"]) if name == "abandonment" else 0)
            assert exact.error(getattr(p, name), true[name]) < bound, (law, name)
        level = p.service_level(ServiceLevel(0.8, t))
        assert exact.error(level, true["offered"]) < 1e-12
        assert exact.error(p.wait_above(t, "virtual"), true["virtual_late"]) < 1e-12


def test_a_lognormal_and_a_heavy_law_conserve_calls():
    from scipy import stats

    for law in (
        stats.lognorm(1.1, scale=90),
        stats.weibull_min(0.6, scale=100),
        stats.lomax(1.5, scale=60),
    ):
        p = Queue([30, 48, 90], 60, 60, law).performance(50)
        answered = p.occupancy * 50 / np.array([30, 48, 90])
        assert answered + p.abandonment == pytest.approx(np.ones(3), rel=1e-11)
        whole = p.asa * p.answered + p.abandoned_wait * p.abandonment
        assert whole == pytest.approx(p.mean_wait, rel=1e-10)


def test_exponential_as_a_law_is_erlang_a():
    from scipy import stats

    goal = ServiceLevel(0.8, 20, "late_abandoned")
    for agents in (0, 1, 40, 50, 70):
        law = Queue(48, 60, 60, stats.expon(scale=120)).performance(agents)
        mean = Queue(48, 60, 60, 120).performance(agents)
        for name in (
            "wait_probability",
            "abandonment",
            "mean_wait",
            "queue_length",
            "abandoned_wait",
        ):
            assert getattr(law, name) == pytest.approx(getattr(mean, name), rel=1e-11)
        if agents:
            assert law.asa == pytest.approx(mean.asa, rel=1e-11)
            assert law.service_level(goal) == pytest.approx(mean.service_level(goal), rel=1e-11)


def test_newer_scipy_laws_and_empirical_curves():
    from scipy import stats

    rng = np.random.default_rng(4)
    sample = rng.exponential(120, 400)
    curve = stats.ecdf(sample)
    step = Queue(48, 60, 60, curve).performance(50)
    assert step.abandonment == pytest.approx(0.0309, abs=0.006)
    new = stats.make_distribution(stats.expon)() * 120
    assert Queue(48, 60, 60, new).performance(50).abandonment == pytest.approx(
        0.0309122491621924, rel=1e-10
    )


def test_a_sample_as_steps_is_exact():
    """Three callers' patience as a step curve: H is piecewise straight, J has a closed form."""

    class Steps:
        def sf(self, x):
            x = np.asarray(x)
            return (x < 10) / 3 + (x < 30) / 3 + (x < 80) / 3

    lam, c, agents = 50 / 60, 50 / 60, 50
    with mp.workdps(40):
        edges, shares = [0, 10, 30, 80], [mp.mpf(1), mp.mpf(2) / 3, mp.mpf(1) / 3, mp.mpf(0)]
        lam, c = mp.mpf(50) / 60, mp.mpf(50) / 60
        log, area, left = mp.mpf(0), mp.mpf(0), mp.mpf(0)
        for k, share in enumerate(shares):
            slope = lam * share - c
            if k == 3:
                piece, width = mp.exp(log) / -slope, None
            else:
                width = edges[k + 1] - edges[k]
                piece = mp.exp(log) * (mp.expm1(slope * width) / slope if slope else width)
                log += slope * width
            area += piece
            left += (1 - share) * piece
        term, d = mp.mpf(1), mp.mpf(1)
        for j in range(agents - 1, 0, -1):
            term *= mp.mpf(j) / 50
            d += term
        z = d + lam * area
    p = Queue(50, 60, 60, Steps()).performance(50)
    assert abs(p.wait_probability / (lam * area / z) - 1) < 1e-12
    assert abs(p.abandonment / (lam * left / z) - 1) < 1e-12


def test_callers_who_never_give_up_can_swamp_the_queue():
    law = Some(0.9, 60)
    busy = Queue(100, 60, 60, law).performance([80, 91])
    assert busy.wait_probability[0] == 1.0
    assert busy.mean_wait[0] == np.inf
    assert busy.service_level(ServiceLevel(0.8, 20))[0] == 0.0
    assert np.isfinite(busy.mean_wait[1])
    goal = ServiceLevel(0.8, 20)
    n = Queue(100, 60, 60, law).agents_for(goal)
    p = Queue(100, 60, 60, law).performance([n - 1, n])
    assert p.service_level(goal)[0] < 0.8 <= p.service_level(goal)[1]


def test_some_leave_at_once(exact):
    """Three in ten hang up as soon as they have to wait: the others are a lighter Erlang A."""

    class AtOnce:
        def sf(self, x):
            return np.where(np.asarray(x) > 0, 0.7 * np.exp(-np.asarray(x) / 120), 1.0)

    lam, c, agents = mp.mpf(48) / 60, mp.mpf(50) / 60, 50
    with mp.workdps(40):
        term = d = mp.mpf(1)
        for j in range(agents - 1, 0, -1):
            term *= mp.mpf(j) / 48
            d += term

        def f(v):
            return mp.exp(lam * mp.mpf("0.7") * 120 * -mp.expm1(-v / 120) - c * v)

        edges = [0, 2, 6, 15, 40, 100, 300, 1000]
        whole = mp.quad(f, edges)
        kept = mp.quad(lambda v: mp.mpf("0.7") * mp.exp(-v / 120) * f(v), edges)
        z = d + lam * whole
    p = Queue(48, 60, 60, AtOnce()).performance(agents)
    assert exact.error(p.wait_probability, lam * whole / z) < 1e-12
    assert exact.error(p.abandonment, lam * (whole - kept) / z) < 1e-12


def test_least_agents_with_a_law():
    from scipy import stats

    law = stats.lognorm(1.0, scale=100)
    calls = np.array([0, 3, 20, 100, 400, 2000.0])
    queue = Queue(calls, 1800, 240, law)
    for goal in (ServiceLevel(0.8, 20), ServiceLevel(0.9, 10, "virtual")):
        n = queue.agents_for(goal, max_abandonment=0.05)
        p, fewer = queue.performance(n), queue.performance(np.maximum(n - 1, 0))
        some = calls > 0
        assert n[0] == 0
        assert (p.service_level(goal)[some] >= goal.share).all()
        assert (p.abandonment[some] <= 0.05).all()
        fails = (fewer.service_level(goal) < goal.share) | (fewer.abandonment > 0.05)
        assert fails[some].all()


def test_bad_laws_are_refused():
    class Rising:
        def sf(self, x):
            return 0.5 + 0.5 * np.tanh(np.asarray(x) / 100)

    class Percent:
        def sf(self, x):
            return 100 * np.exp(-np.asarray(x) / 100)

    class Broken:
        sf = 3

    class Fails:
        def sf(self, x):
            raise ValueError("no such table")

    for law, match in (
        (Rising(), "never rises|rises"),
        (Percent(), "0 to 1"),
        (Broken(), "sf"),
        (Fails(), "no such table"),
    ):
        with pytest.raises(InputError, match=match):
            Queue(48, 60, 60, law)
    with pytest.raises(UnsupportedError, match="simulate"):
        Queue(48, 60, 60, Fixed(30), lines=60)


@pytest.mark.parametrize("law", [stats.cauchy(), stats.norm(60, 60), stats.uniform(-10, 100)])
def test_a_law_with_negative_times_is_no_patience(law):
    with pytest.raises(InputError, match="negative"):
        Queue(48, 60, 60, law)


def test_a_law_that_reaches_below_0_by_a_hair_is_one():
    assert 0 < Queue(48, 60, 60, stats.norm(100, 10)).performance(48).abandonment < 1
