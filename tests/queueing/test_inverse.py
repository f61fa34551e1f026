"""Solving for calls, handle time and patience: each found value just meets what was asked."""

import numpy as np
import pytest

from ccanalytics.errors import InputError
from ccanalytics.queueing import Queue
from ccanalytics.servicelevel import ServiceLevel

GOAL = ServiceLevel(0.8, within=20)
MODELS = [
    {},
    {"patience": 120.0},
    {"lines": 40},
    {"patience": 90.0, "lines": 20},
    {"patience": 120.0, "redial": 0.4, "reconnect": 0.1},
]


@pytest.mark.parametrize("model", MODELS)
def test_most_calls(model):
    agents = np.array([1, 5, 14])
    calls = Queue(None, 1800, 180, **model).calls_for(agents, GOAL)
    p = Queue(calls, 1800, 180, **model).performance(agents)
    assert p.service_level(GOAL) == pytest.approx([0.8] * 3, rel=1e-9)
    more = Queue(calls * 1.001, 1800, 180, **model).performance(agents)
    assert (more.service_level(GOAL) < 0.8).all()
    # And back: those calls need just these agents.
    if "lines" not in model:
        back = Queue(calls * (1 - 1e-9), 1800, 180, **model)
        assert back.agents_for(GOAL).tolist() == agents.tolist()


@pytest.mark.parametrize("model", MODELS)
def test_longest_handle_time(model):
    aht = Queue(60, 1800, None, **model).aht_for(14, GOAL, max_occupancy=0.9)
    assert isinstance(aht, float)
    p = Queue(60, 1800, aht, **model).performance(14)
    assert p.service_level(GOAL) >= 0.8 - 1e-9
    assert p.occupancy <= 0.9 + 1e-9
    q = Queue(60, 1800, aht * 1.001, **model).performance(14)
    assert q.service_level(GOAL) < 0.8 or q.occupancy > 0.9


def test_every_limit_can_decide():
    queue = Queue(None, 1800, 180, patience=120, lines=30)
    for limits, name in (
        ({"max_occupancy": 0.8}, "occupancy"),
        ({"max_abandonment": 0.03}, "abandonment"),
        ({"max_asa": 6.0}, "asa"),
        ({"max_blocking": 0.001}, "blocking"),
    ):
        calls = queue.calls_for(14, **limits)
        found = getattr(Queue(calls, 1800, 180, patience=120, lines=30).performance(14), name)
        assert found == pytest.approx(next(iter(limits.values())), rel=1e-9)


def test_the_first_load_at_which_too_many_give_up():
    """On few lines fewer give up again at a much higher load: most of them are blocked."""
    queue = Queue(None, 1800, 180, patience=60, lines=16)
    calls = queue.calls_for(14, max_abandonment=0.02)
    grid = Queue(np.linspace(calls * 0.01, calls * 0.999, 200), 1800, 180, 60, 16).performance(14)
    assert (grid.abandonment <= 0.02).all()
    assert Queue(calls * 1.001, 1800, 180, 60, 16).performance(14).abandonment > 0.02


def test_no_agents_take_no_calls_and_easy_goals_no_end():
    queue = Queue(None, 1800, 180, patience=5.0)
    assert queue.calls_for([0, 3], GOAL)[0] == 0.0
    # Nearly all give up within 20 s: by this counting any number of calls is served in time.
    easy = ServiceLevel(0.8, 60, "abandoned_in_time")
    assert queue.calls_for(3, easy) == np.inf
    assert Queue(0, 1800, None).aht_for(3, GOAL) == np.inf
    assert Queue(10, 1800, None).aht_for(0, GOAL) == 0.0


def test_patience_that_explains_abandonment():
    for patience in (15.0, 120.0, 900.0):
        seen = Queue(48, 60, 60, patience).performance([45, 50, 55])
        found = Queue(48, 60, 60).patience_for([45, 50, 55], max_abandonment=seen.abandonment)
        assert found == pytest.approx([patience] * 3, rel=1e-8)
        by_wait = Queue(48, 60, 60).patience_for([45, 50, 55], max_asa=seen.asa)
        assert by_wait == pytest.approx([patience] * 3, rel=1e-7)


def test_patience_by_a_goal():
    goal = ServiceLevel(0.8, 20, "virtual")
    patience = Queue(1000, 3600, 300).patience_for(84, goal)
    p = Queue(1000, 3600, 300, patience).performance(84)
    assert p.service_level(goal) == pytest.approx(0.8, rel=1e-9)


def test_patience_that_nothing_gives():
    queue = Queue(48, 60, 60)
    with pytest.raises(InputError, match="no mean patience"):
        queue.patience_for(70, max_abandonment=0.5)  # hardly anybody even waits
    with pytest.raises(InputError, match="one thing at a time"):
        queue.patience_for(50, GOAL, max_asa=4)
    with pytest.raises(InputError, match="agents=0"):
        queue.patience_for(0, max_asa=4)


def test_what_is_missing_is_named():
    with pytest.raises(InputError, match="calls=None"):
        Queue(None, 1800, 180).agents_for(GOAL)
    with pytest.raises(InputError, match="aht=None"):
        Queue(100, 1800, None).performance(14)
    with pytest.raises(InputError, match="nothing is asked for"):
        Queue(None, 1800, 180).calls_for(14)
