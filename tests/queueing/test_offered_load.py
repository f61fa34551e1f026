"""Modified offered load against closed forms and numerical integration."""

import numpy as np
import pytest
from scipy.integrate import quad

from ccanalytics.errors import InputError
from ccanalytics.queueing import modified_offered_load


def test_sinusoid_of_eick_massey_whitt():
    """λ = 100 + 20 sin t, μ = 1: m = 100 + 10(sin t − cos t), peak 114.1421 at 3π/4."""
    count = 720
    per = 4 * np.pi / count
    load = modified_offered_load(
        lambda t: 100 + 20 * np.sin(t), np.full(count, per), 1.0, start=90, steps=4
    )
    t = np.linspace(0, 4 * np.pi, 1441)
    assert np.abs(load.at(t) - (100 + 10 * (np.sin(t) - np.cos(t)))).max() < 1e-4
    assert load.greatest.max() == pytest.approx(114.1421, abs=1e-4)
    assert (load.greatest.argmax() + 0.5) * per % (2 * np.pi) == pytest.approx(
        3 * np.pi / 4, abs=2 * per
    )
    coarse = modified_offered_load(
        lambda t: 100 + 20 * np.sin(t), np.full(count, per), 1.0, start=90, steps=2
    )
    exact = 100 + 10 * (np.sin(load._times[-1]) - np.cos(load._times[-1]))
    errors = [abs(x.end[-1] - exact) for x in (coarse, load)]
    assert errors[1] < errors[0] / 3.5  # falls with the square of the steps


def test_definition_by_integration():
    """m(t) = ∫ λ(u)·P(S > t − u) du, interval by interval."""
    calls, per, aht = np.array([30, 300, 0, 120.0]), np.array([1800, 900, 900, 3600.0]), 240.0
    load = modified_offered_load(calls, per, aht)
    ends = np.cumsum(per)

    def m(t):
        return sum(
            c / p * aht * (np.exp(-max(t - e, 0) / aht) - np.exp(-(t - e + p) / aht))
            for c, p, e in zip(calls, per, ends, strict=True)
            if t > e - p
        )

    for t in (10.0, 1800.0, 2000.0, 3000.0, 7000.0):
        assert load.at(t) == pytest.approx(m(t), rel=1e-12)
    for i in range(4):
        mean = quad(m, ends[i] - per[i], ends[i], epsabs=1e-10)[0] / per[i]
        assert load.mean[i] == pytest.approx(mean, rel=1e-9)
        grid = [m(t) for t in np.linspace(ends[i] - per[i] + 1e-9, ends[i], 200)]
        assert load.greatest[i] == pytest.approx(max(grid), rel=1e-6)
        assert load.least[i] == pytest.approx(min(grid), abs=1e-6)


def test_even_calls_stay_and_short_calls_follow():
    steady = modified_offered_load([100] * 5, 1800, 180, start="steady")
    assert steady.mean == pytest.approx(np.full(5, 10.0), rel=1e-14)
    quick = modified_offered_load([100, 200, 50], 1800, 1e-3)
    assert quick.mean == pytest.approx(quick.offered, rel=1e-5)
    assert modified_offered_load(0, 1800, 180).mean.tolist() == [0]
    text = modified_offered_load([100, 200, 100], 1800, 180).summary()
    assert "20 in interval 2" in text
    assert modified_offered_load([100, 200], 1800, 180).to_frame().height == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"calls": [1, -2]}, r"calls\[1\]=-2"),
        ({"calls": [1, 2], "aht": [1, 2, 3]}, "one value per interval"),
        ({"calls": [[1, 2]]}, "one day at a time"),
        ({"calls": []}, "one value per interval"),
        ({"aht": 0}, "aht must be above 0"),
        ({"start": "full"}, "no such start"),
        ({"start": [1, 2]}, "one start"),
        ({"steps": 3}, "even rate"),
        ({"calls": lambda t: -1.0}, "calls per second"),
        ({"calls": lambda t: float("nan")}, r"calls\(t\)"),
    ],
)
def test_bad_arguments(change, says):
    with pytest.raises(InputError, match=says):
        modified_offered_load(**{"calls": [10, 20], "per": 1800, "aht": 180, **change})


def test_times_inside_the_day():
    load = modified_offered_load([10, 20], 1800, 180)
    with pytest.raises(InputError, match="inside the day"):
        load.at([0, 4000])
