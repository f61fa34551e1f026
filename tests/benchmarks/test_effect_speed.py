"""How long an effect takes over 78 weeks of 49 services, design by design.

The aim is 10 seconds an effect with its falsifications, on a panel of staggered roll-outs, or on
one in which all went live at once. Times are printed, never asserted; beside them stands the
plainest regression that could answer, two-way fixed effects by least squares on logs. Run with
``pytest -n 0 tests/benchmarks/test_effect_speed.py``.
"""

import time

import numpy as np
import pytest

from ccanalytics import deflection
from ccanalytics.deflection.effect import DESIGNS
from ccanalytics.simulation.panels import draw_panels

UNITS, WEEKS = 49, 78


def _two_way(panel):
    """Log of calls on unit, week and treated: the plain regression, for the ratio."""
    unit = panel["unit"].cast(str).rank("dense").to_numpy() - 1
    week = panel["local_start"].rank("dense").to_numpy() - 1
    y = np.log(panel["first_attempts"].to_numpy() + 0.5)
    design = np.zeros((y.size, UNITS + WEEKS))
    design[np.arange(y.size), unit.astype(int)] = 1
    design[np.arange(y.size), UNITS + week.astype(int)] = 1
    return np.linalg.lstsq(design, y, rcond=None)


@pytest.mark.parametrize("design", [*DESIGNS, "auto"])
def test_an_effect_over_a_year_and_a_half(say, design):
    drawn = "before_after" if design == "segmented" else "staggered"
    worlds = draw_panels(units=UNITS, periods=WEEKS, worlds=1, seed=1, design=drawn)
    panel, rollouts = worlds.panel(0), worlds.rollouts(0)
    taken = []
    for ask in (lambda: _two_way(panel), lambda: deflection.effect(panel, rollouts, design=design)):
        ask()  # imports and compilations
        start = time.perf_counter()
        found = ask()
        taken.append(time.perf_counter() - start)
    plain, ours = taken
    say(
        f"{design}: {ours:.2f} s, {found.relative.value:+.1%}; plain regression {plain:.3f} s, "
        f"ratio {ours / plain:.0f}"
    )
