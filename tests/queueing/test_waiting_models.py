"""Erlang C, Erlang A and finite lines, every measure, against state-by-state sums in 60 digits."""

import mpmath as mp
import numpy as np
import pytest

from ccanalytics.queueing import Queue, erlang_b
from ccanalytics.servicelevel import ServiceLevel

COUNTINGS = (
    "offered",
    "answered",
    "abandoned_in_time",
    "late_abandoned",
    "short_as_served",
    "short_excluded",
    "virtual",
)


def goal(counting, within, share=0.8):
    return ServiceLevel(share, within, counting, 5 if counting.startswith("short") else 0)


def level(true, counting, t, short=5):
    """The seven countings, from the reference's shares of arrivals."""
    served, everyone = true.answered_within[t], true.answered + true.abandonment
    if counting == "offered":
        return served / everyone
    if counting == "answered":
        return served / true.answered
    if counting == "abandoned_in_time":
        return (served + true.abandoned_within[t]) / everyone
    if counting == "late_abandoned":
        return served / (everyone - true.abandoned_within[t])
    if counting == "short_as_served":
        return (served + true.abandoned_within[short]) / everyone
    if counting == "short_excluded":
        return served / (everyone - true.abandoned_within[short])
    return true.virtual_within[t]


def cases(seed, number, largest):
    """Queues over the whole range, far below to far above the load, some with finite lines."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        load = float(10 ** rng.uniform(-2, np.log10(largest)))
        aht = float(rng.choice([30, 180, 300, 600]))
        patience = aht * float(10 ** rng.uniform(-1.5, 1.3))
        near = round(load + rng.uniform(-6, 9) * load**0.5)
        agents = max(1, int(near if rng.random() < 0.7 else load * rng.uniform(0.1, 3)))
        lines = None
        if rng.random() < 0.45:
            lines = agents + int(rng.choice([0, 1, 3, 10, 50, 200]))
        if lines is not None and rng.random() < 0.3:
            patience = None
        t = float(rng.choice([0, 5, 20, 60]))
        yield load * 1800 / aht, aht, agents, patience, lines, t


def compare(case, exact):
    calls, aht, agents, patience, lines, t = case
    true = exact.chain(calls, 1800, aht, agents, patience, lines, (t, 5.0))
    p = Queue(calls, 1800, aht, patience, lines).performance(agents)
    load = calls * aht / 1800
    # Everything here moves at most with e^{λH − cv}, so that distance from the load, and the
    # threshold in handle times, bound the condition number.
    condition = abs(agents - load) + (lines or agents) - agents + load * t / aht
    bound = max(1e-12, 4 * 2.0**-52 * condition)
    for name in (
        "wait_probability",
        "abandonment",
        "blocking",
        "mean_wait",
        "asa",
        "queue_length",
        "occupancy",
    ):
        if name == "asa" and true.answered == 0:
            continue
        got = getattr(p, name)
        assert exact.error(got, getattr(true, name)) <= bound, (name, case, got)
    for counting in COUNTINGS:
        want = level(true, counting, t)
        if want > mp.mpf(10) ** -30:  # beyond, the reference itself runs out of digits
            got = p.service_level(goal(counting, t))
            assert exact.error(got, want) <= bound, (counting, case, got)


def test_every_measure_to_twelve_digits(exact, full):
    for case in cases(1, 3000, 5000) if full else cases(1, 110, 1000):
        compare(case, exact)


def test_large_loads_to_twelve_digits(exact, full):
    loads = (5000.0, 50_000.0)
    for load in loads:
        for z in (-3.0, 0.0, 1.0, 5.0) if full else (-3.0, 1.0):
            agents = round(load + z * load**0.5)
            compare((load * 6, 300.0, agents, 150.0, None, 20.0), exact)


def test_erlang_c_to_twelve_digits(exact):
    rng = np.random.default_rng(2)
    for _ in range(120):
        load = float(10 ** rng.uniform(-2, 3.2))
        agents = int(np.floor(load)) + 1 + int(rng.integers(0, 4 * load**0.5 + 3))
        calls, aht, t = load * 10, 180.0, float(rng.choice([0, 20, 60]))
        load = calls * aht / 1800
        wait, late, mean = exact.erlang_c_waits(calls, 1800, aht, agents, t)
        p = Queue(calls, 1800, aht).performance(agents)
        bound = max(1e-12, 4 * 2.0**-52 * (agents - load + agents / (agents - load)))
        assert exact.error(p.wait_probability, wait) <= bound
        assert exact.error(p.mean_wait, mean) <= bound
        assert exact.error(p.asa, mean) <= bound
        assert exact.error(p.wait_above(t), late) <= bound
        for counting in COUNTINGS:
            assert exact.error(p.service_level(goal(counting, t)), 1 - late) <= bound


def test_probabilities_down_to_the_smallest(exact):
    """Relative precision holds at 1e-100 and 1e-290."""
    for load, agents in ((100.0, 290), (1000.0, 1760), (30.0, 200)):
        true = exact.chain(load * 6, 1800, 300.0, agents, 240.0, None, (20.0,))
        assert true.wait_probability < mp.mpf(10) ** -40
        p = Queue(load * 6, 1800, 300, 240).performance(agents)
        for name in ("wait_probability", "abandonment", "mean_wait"):
            assert exact.error(getattr(p, name), getattr(true, name)) < 2e-12
    # Overload: the service level is what is small.
    true = exact.chain(6000, 1800, 300.0, 800, 3000.0, None, (0.0, 5.0), digits=200)
    assert true.answered_within[5.0] < mp.mpf(10) ** -15
    p = Queue(6000, 1800, 300, 3000).performance(800)
    for t in (0.0, 5.0):
        got = p.service_level(ServiceLevel(0.8, t))
        assert exact.error(got, true.answered_within[t]) < 2e-12


def test_worked_numbers_of_erlang_a(oracles):
    for case in oracles["erlang_a"]:
        i, e = case["inputs"], case["expected"]
        p = Queue(i["lam"], 1, 1 / i["mu"], 1 / i["theta"]).performance(i["n"])
        assert p.wait_probability == pytest.approx(e["pw"], rel=1e-11)
        assert p.abandonment == pytest.approx(e["pab"], rel=1e-11)
        assert p.mean_wait == pytest.approx(e["ew"], rel=1e-11)
        assert p.occupancy == pytest.approx(e["util"], rel=1e-11)
        assert p.queue_length == pytest.approx(e["Lq"], rel=1e-11)
        assert p.wait_above(i["t"]) == pytest.approx(e["W_gt"], rel=1e-11)
    names = {
        "offered": "offered",
        "answered": "answered",
        "credit_abandon": "abandoned_in_time",
        "exclude_early_abandon": "late_abandoned",
    }
    for case in oracles["sl_definitions_erlang_a"]:
        i, e = case["inputs"], case["expected"]
        p = Queue(i["lam"], 1, 1 / i["mu"], 1 / i["theta"]).performance(i["n"])
        assert p.abandonment == pytest.approx(e["pab"], rel=1e-10)
        for key, counting in names.items():
            assert p.service_level(goal(counting, i["t"])) == pytest.approx(e[key], rel=1e-10)


def test_the_countings_worked_example():
    """1,000 calls/h, AHT 300 s, patience 180 s, 20 s, short 5 s: all seven countings."""
    p = Queue(1000, 3600, 300, 180).performance([83, 84, 91])
    for counting, expected in (
        ("abandoned_in_time", (0.80844, 0.83252, 0.94771)),
        ("answered", (0.81479, 0.83860, 0.95025)),
        ("offered", (0.77303, 0.80067, 0.93534)),
        ("late_abandoned", (0.80141, 0.82701, 0.94705)),
        ("short_as_served", (0.78486, 0.81147, 0.93999)),
        ("short_excluded", (0.78229, 0.80941, 0.93971)),
        ("virtual", (0.78592, 0.81284, 0.94156)),
    ):
        assert p.service_level(goal(counting, 20)) == pytest.approx(expected, abs=5.1e-6)
    for counting, agents in (("offered", 84), ("answered", 83), ("virtual", 84)):
        assert Queue(1000, 3600, 300, 180).agents_for(goal(counting, 20)) == agents


def test_patience_like_handle_time_is_infinitely_many_servers(oracles):
    for case in oracles["erlang_a_theta_eq_mu"]:
        i, e = case["inputs"], case["expected"]
        p = Queue(i["lam"], 1, 1, 1).performance(i["n"])
        assert p.wait_probability == pytest.approx(e["pw"], rel=1e-12)
        assert p.abandonment == pytest.approx(e["pab"], rel=1e-12)
    for load, agents in ((3.0, 2), (40.0, 55), (900.0, 850)):
        with mp.workdps(40):  # P(Poisson(R) ≥ n)
            tail = 1 - mp.nsum(
                lambda k, load=load: mp.exp(-load) * mp.mpf(load) ** k / mp.factorial(k),
                [0, agents - 1],
                method="direct",
            )
        got = Queue(load, 60, 60, 60).performance(agents).wait_probability
        assert abs(got / tail - 1) < 1e-12


def test_endless_patience_is_erlang_c():
    for agents in (11, 14, 20):
        c = Queue(100, 1800, 180).performance(agents)
        a = Queue(100, 1800, 180, 1e13).performance(agents)
        assert a.wait_probability == pytest.approx(c.wait_probability, rel=1e-8)
        assert a.asa == pytest.approx(c.asa, rel=1e-8)
        assert a.service_level(goal("offered", 20)) == pytest.approx(
            c.service_level(goal("offered", 20)), rel=1e-8
        )


def test_lines_as_many_as_agents_are_erlang_b():
    for patience in (None, 60.0):
        p = Queue(100, 1800, 180, patience, lines=12).performance(12)
        assert p.blocking == pytest.approx(erlang_b(10, 12), rel=1e-13)
        assert p.wait_probability == p.mean_wait == p.abandonment == p.asa == 0
        assert p.service_level(goal("offered", 0)) == 1.0


def test_very_many_lines_are_endless():
    for patience in (120.0, None):
        few = Queue(48, 60, 60, patience, lines=3000).performance(50)
        endless = Queue(48, 60, 60, patience).performance(50)
        assert few.blocking < 1e-40
        for name in ("wait_probability", "abandonment", "mean_wait", "asa", "occupancy"):
            assert getattr(few, name) == pytest.approx(getattr(endless, name), rel=1e-11)
        for counting in COUNTINGS:
            g = goal(counting, 20)
            assert few.service_level(g) == pytest.approx(endless.service_level(g), rel=1e-11)


def test_worked_numbers_of_finite_lines(oracles):
    for case in oracles["mmnN_plus_M"]:
        i, e = case["inputs"], case["expected"]
        p = Queue(i["lam"], 1, 1 / i["mu"], 1 / i["theta"], i["N"]).performance(i["n"])
        assert p.blocking == pytest.approx(e["block"], rel=1e-11)
        assert p.abandonment == pytest.approx(e["pab"], rel=1e-11)
        assert p.occupancy == pytest.approx(e["util"], rel=1e-11)
        # The table divides by all arrivals, Performance by those who entered.
        assert p.wait_probability * (1 - p.blocking) == pytest.approx(e["pw"], rel=1e-11)
        assert p.mean_wait * (1 - p.blocking) == pytest.approx(e["ew"], rel=1e-11)
    for case in oracles["mmnk"]:
        i, e = case["inputs"], case["expected"]
        p = Queue(i["lam"], 1, 1 / i["mu"], lines=i["K"]).performance(i["n"])
        assert p.blocking == pytest.approx(e["block"], rel=1e-11)
        assert p.occupancy == pytest.approx(e["util"], rel=1e-11)
        assert p.queue_length == pytest.approx(e["Lq"], rel=1e-11)
        all_busy = p.blocking + (1 - p.blocking) * p.wait_probability
        assert all_busy == pytest.approx(e["p_all_busy"], rel=1e-11)


def test_three_waits_are_three_numbers(exact):
    p = Queue(48, 60, 60, 120).performance(50)
    assert len({p.asa, p.abandoned_wait, p.mean_wait}) == 3
    lost = p.abandonment
    assert p.asa * (1 - lost) + p.abandoned_wait * lost == pytest.approx(p.mean_wait, rel=1e-12)
    # Those who gave up waited far less than their mean patience, and were not the whole story.
    assert p.abandoned_wait < 120
    assert p.mean_wait == pytest.approx(120 * lost, rel=1e-12)


@pytest.mark.parametrize("lines", [None, 60])
def test_percentiles_invert_the_tail(lines):
    p = Queue(48, 60, 60, 120, lines).performance(50)
    for of in ("all", "answered", "abandoned", "virtual"):
        for share in (0.3, 0.6, 0.9, 0.999):
            t = p.wait_percentile(share, of)
            if t > 0:
                assert p.wait_above(t, of) == pytest.approx(1 - share, rel=1e-9)
            else:
                assert p.wait_above(0, of) <= 1 - share
    c = Queue(48, 60, 60).performance(50)
    assert c.wait_percentile(0.9) == pytest.approx(58.139, abs=5e-4)
    assert Queue(48 * 0.969, 60, 60).performance(50).wait_percentile(0.9) == pytest.approx(
        28.104, abs=5e-4
    )


def test_with_too_few_agents_patient_callers_wait_for_ever():
    p = Queue(100, 1800, 180).performance(10)
    assert p.wait_probability == 1.0
    assert p.mean_wait == p.asa == p.queue_length == p.wait_percentile(0.5) == np.inf
    assert p.service_level(goal("offered", 20)) == 0.0
    assert p.occupancy == 1.0
    assert p.checks[0].status == "fails"


def test_without_agents_everybody_gives_up():
    p = Queue(100, 1800, 180, 60).performance(0)
    assert p.abandonment == p.wait_probability == 1.0
    assert p.mean_wait == p.abandoned_wait == pytest.approx(60)
    assert p.service_level(goal("offered", 20)) == 0.0
    with_lines = Queue(100, 1800, 180, 60, lines=5).performance(0)
    assert with_lines.blocking == pytest.approx(erlang_b(100 / 1800 * 60, 5), rel=1e-12)
    assert with_lines.abandonment == pytest.approx(1 - with_lines.blocking, rel=1e-12)


def test_arrays_are_their_elements():
    calls = np.array([[0.0, 10, 100], [1000, 5, 0.001]])
    agents = np.array([3, 2, 12])
    for args in ((), (90.0,), (None, 40), (90.0, 40)):
        whole = Queue(calls, 1800, 180, *args).performance(agents)
        assert whole.mean_wait.shape == (2, 3)
        for index in np.ndindex(2, 3):
            one = Queue(calls[index], 1800, 180, *args).performance(int(agents[index[1]]))
            for name in ("wait_probability", "mean_wait", "blocking", "abandonment", "occupancy"):
                value = getattr(one, name)
                assert isinstance(value, float)
                assert getattr(whole, name)[index] == pytest.approx(value, rel=1e-13)


def test_real_numbers_of_agents_lie_between_whole_ones():
    for patience in (None, 60.0):
        q = Queue(100, 1800, 180, patience)
        levels = q.performance(np.linspace(10.5, 16, 56)).service_level(goal("offered", 20))
        assert (np.diff(levels) > 0).all()
        assert levels[-1] == q.performance(16).service_level(goal("offered", 20))
