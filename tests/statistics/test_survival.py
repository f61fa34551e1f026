"""Kaplan and Meier with delayed entry: by hand, and against the case without it."""

import numpy as np
import pytest

from ccanalytics.statistics.survival import kaplan_meier


def test_at_risk_are_those_who_came_before():
    """Entries at 0, 0, 2, 4; ends at 3 (event), 4 (event), 5 (event), 6 (censored).

    At 3: those of 0, 0 and 2 are at risk; at 4: two (who comes at 4 is not yet); at 5: two.
    """
    times = np.array([0, 2, 3, 4, 5, 6], float)
    ended = np.array([0, 0, 1, 1, 1, 0], float)
    gone = np.array([0, 0, 0, 0, 0, 1], float)
    came = np.array([2, 1, 0, 1, 0, 0], float)
    found = kaplan_meier(times, ended, gone, entered=came)
    assert found.at_risk.tolist() == [3, 2, 2]
    assert found.survival.tolist() == pytest.approx([2 / 3, 1 / 3, 1 / 6])


def test_all_from_the_beginning_is_the_usual_curve():
    rng = np.random.default_rng(1)
    times = np.sort(rng.exponential(10, 50))
    event = rng.random(50) < 0.7
    usual = kaplan_meier(times, event, ~event)
    late = kaplan_meier(
        np.append(0.0, times), np.append(0, event), np.append(0, ~event),
        entered=np.append(50, np.zeros(50)),
    )  # fmt: skip
    assert late.survival.tolist() == pytest.approx(usual.survival.tolist())
    assert late.at_risk.tolist() == usual.at_risk.tolist()
    assert late.low.tolist() == pytest.approx(usual.low.tolist(), nan_ok=True)
