"""Square-root staffing, Halfin and Whitt's and Garnett's functions."""

import pytest

from ccanalytics.errors import InputError
from ccanalytics.queueing import Queue, garnett, halfin_whitt, square_root_agents


def test_halfin_whitt_table():
    betas = [0.1, 0.25, 0.5, 0.506, 0.75, 1, 1.5, 2, 2.5]
    expected = [0.8803, 0.7209, 0.5045, 0.5000, 0.3417, 0.2234, 0.0847, 0.0269, 0.0070]
    assert halfin_whitt(betas) == pytest.approx(expected, abs=5.1e-5)
    assert halfin_whitt(-1) == halfin_whitt(0) == 1.0


def test_garnett_table():
    ratios = [0.1, 0.5, 1, 2, 10]
    assert garnett(0, ratios) == pytest.approx([0.7597, 0.5858, 0.5, 0.4142, 0.2403], abs=5.1e-5)
    assert garnett(1, ratios) == pytest.approx([0.2094, 0.1790, 0.1587, 0.1356, 0.0826], abs=5.1e-5)


def test_garnett_is_the_limit_of_erlang_a():
    for beta in (-1.0, 0.0, 1.0):
        load = 250_000.0
        p = Queue(load, 1, 1, 0.5).performance(round(load + beta * load**0.5))
        assert p.wait_probability == pytest.approx(garnett(beta, 2.0), abs=1e-3)


def test_square_root_table(oracles):
    for load, expected in (
        (10, [16, 15, 14, 12]),
        (50, [63, 61, 58, 54]),
        (100, [118, 115, 111, 106]),
        (500, [539, 532, 524, 512]),
        (1000, [1056, 1045, 1034, 1017]),
    ):
        assert square_root_agents(load, [0.05, 0.1, 0.2, 0.5]).tolist() == expected
    for case in oracles["min_agents_pwait"]:
        i, e = case["inputs"], case["expected"]
        assert abs(square_root_agents(i["R"], i["alpha"]) - e["agents"]) <= 1


def test_with_impatient_callers_fewer_agents_do():
    assert square_root_agents(100, 0.5, aht_over_patience=1) == 100
    assert square_root_agents(100, 0.9, aht_over_patience=1) < 100
    assert square_root_agents(0, 0.2) == 0


def test_bad_input():
    with pytest.raises(InputError, match=r"20% is 0\.2"):
        square_root_agents(100, 20)
    with pytest.raises(InputError, match="aht_over_patience=0"):
        garnett(1, 0)
    with pytest.raises(InputError, match="beta=nan"):
        halfin_whitt(float("nan"))
