"""Goals that more agents may miss: the least number is found by trying, and quickly enough."""

import numpy as np
import pytest

from ccanalytics.errors import InputError
from ccanalytics.queueing import Queue
from ccanalytics.queueing.goals import Goals
from ccanalytics.servicelevel import ServiceLevel


def first(queue, agents, goal, limits):
    """The first number that meets everything, by its own performance; None where none does."""
    p = queue.performance(agents)
    met = np.ones(agents.size, dtype=bool)
    if goal is not None:
        met &= p.service_level(goal) >= goal.share
    for name, most in limits.items():
        value = np.asarray(getattr(p, name.removeprefix("max_")))
        met &= np.where(np.isnan(value), np.inf, value) <= most
    return int(met.argmax()) if met.any() else None


def compare(queue, agents, goal, limits):
    want = first(queue, agents, goal, limits)
    if want is None:
        with pytest.raises(InputError, match="no number of agents"):
            queue.agents_for(goal, **limits)
    else:
        assert queue.agents_for(goal, **limits) == want
    return want


def test_more_agents_may_be_busier_where_the_answered_return():
    """Nine in ten of the answered call again, nobody who gave up: each agent brings calls."""
    queue = Queue(42.4, 1800, 180, 3.32, None, 0, 0.9, 0.9)
    agents = np.arange(1, 60)
    busy = queue.performance(agents).occupancy
    assert (np.diff(busy) > 0).any()
    found = set()
    for most in (busy.max() * 0.999, 0.85, 0.8, 0.75, 0.7, busy[0] * 1.0001, busy[0] * 0.9999):
        want = first(queue, np.arange(200), None, {"max_occupancy": most})
        assert queue.agents_for(None, max_occupancy=most) == want
        found.add(want)
    assert len(found) > 2


def test_a_late_short_threshold_credits_those_whom_nobody_answers():
    goal = ServiceLevel(0.9, 20, "short_as_served", short=120)
    queue = Queue(300, 1800, 180, 40)
    levels = queue.performance(np.arange(60)).service_level(goal)
    assert (np.diff(levels) < -1e-3).any()
    for share in (0.98, 0.95, 0.9, levels.min() + 1e-6):
        wanted = ServiceLevel(share, 20, "short_as_served", short=120)
        assert compare(queue, np.arange(60), wanted, {}) is not None
        whole = queue.agents_for(wanted)
        assert queue.agents_for(wanted, fractional=True) <= whole


@pytest.mark.parametrize(
    ("load", "patience", "lines", "returns"),
    [
        (2.0086, 59.2, 8, (0.5, 1.0, 0.9)),
        (3.6755, 8.6, 3, (0.0, 0.9, 0.3)),
        (34.0, 5.15, 30, (0.0, 1.0, 0.0)),
        (20.2, 191.0, 8, (0.0, 0.0, 0.3)),
        (10.4, 247.3, 15, (0.0, 0.9, 0.9)),
        (13.2, 592.0, 15, (0.5, 0.9, 0.0)),
    ],
)
def test_finite_lines_and_callers_who_return(load, patience, lines, returns):
    queue = Queue(load * 10, 1800, 180, patience, lines, *returns)
    agents = np.arange(lines + 1)
    answers = []
    for share in (0.1, 0.6, 0.9):
        for blocked in (False, True):
            for counting in ("offered", "abandoned_in_time"):
                goal = ServiceLevel(share, 5, counting, include_blocked=blocked)
                answers.append(compare(queue, agents, goal, {}))
        limits = (
            {"max_occupancy": share},
            {"max_blocking": 1 - share},
            {"max_abandonment": 1 - share},
            {"max_blocking": 1 - share, "max_asa": 30.0},
        )
        answers += [compare(queue, agents, None, wanted) for wanted in limits]
    assert len(set(answers)) > 3


def test_an_array_is_its_elements_where_every_number_is_tried():
    """Sixteen at once: as many elements as numbers."""
    calls = np.linspace(100, 900, 16)
    goal = ServiceLevel(0.5, 60, include_blocked=True)
    queue = Queue(calls, 1800, 180, 90, 80)
    found = queue.agents_for(goal, max_blocking=0.4)
    one = [Queue(float(c), 1800, 180, 90, 80).agents_for(goal, max_blocking=0.4) for c in calls]
    assert found.tolist() == one
    assert len(set(one)) > 8


def test_blocking_bounds_the_search(monkeypatch):
    """With short patience blocking grows with the agents: beyond the limit none need be tried."""
    tried = []
    score = Goals.score

    def counted(self, flow, agents, which):
        tried.append(agents.size)
        return score(self, flow, agents, which)

    monkeypatch.setattr(Goals, "score", counted)
    queue = Queue(40_000, 1800, 180, 90, 2000)
    goal = ServiceLevel(0.8, 60)
    with pytest.raises(InputError, match="no number of agents"):
        queue.agents_for(goal, max_blocking=1e-9)
    assert sum(tried) < 200
    tried.clear()
    assert queue.agents_for(goal, max_blocking=0.9) == Queue(
        40_000, 1800, 180, 90, 2000
    ).agents_for(goal)
    assert sum(tried) < 200
