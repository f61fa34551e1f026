"""What Performance gives: types, shapes, undefined places, words and frames."""

import numpy as np
import pytest

from ccanalytics.errors import InputError
from ccanalytics.queueing import Queue
from ccanalytics.servicelevel import ServiceLevel
from ccanalytics.vocabulary import MEASURES

GOAL = ServiceLevel(0.8, within=20)
NAMES = (
    "wait_probability",
    "asa",
    "mean_wait",
    "abandonment",
    "blocking",
    "occupancy",
    "queue_length",
    "answered",
    "load",
    "calls",
)


def test_scalars_give_floats_and_arrays_arrays():
    one = Queue(100, 1800, 180, 120).performance(12)
    many = Queue(100, 1800, 180, 120).performance([12])
    for name in NAMES:
        assert type(getattr(one, name)) is float
        assert getattr(many, name).shape == (1,)
    assert type(one.service_level(GOAL)) is float
    assert type(one.wait_percentile(0.9)) is float
    assert type(Queue(100, 1800, 180).agents_for(GOAL)) is int
    assert Queue([100.0], 1800, 180).agents_for(GOAL).dtype == np.int64


def test_littles_law_and_conservation():
    p = Queue(100, 1800, 180, 60, lines=14).performance(11)
    assert p.answered + p.abandonment + p.blocking == pytest.approx(1, rel=1e-13)
    entered = 100 / 1800 * (1 - p.blocking)
    assert p.queue_length == pytest.approx(entered * p.mean_wait, rel=1e-12)
    assert p.occupancy == pytest.approx(10 * p.answered / 11, rel=1e-12)


def test_a_night_does_not_end_the_year():
    queue = Queue([0.0, 100.0, 0.0], 1800, 180, 60)
    p = queue.performance([0, 12, 2])
    level = p.service_level(GOAL)
    assert np.isnan(level[0])
    assert 0 < level[1] < 1
    assert level[2] == 1.0  # as the first caller would meet it
    for name in ("asa", "mean_wait", "wait_probability", "abandonment", "occupancy"):
        value = getattr(p, name)
        assert np.isnan(value[0])
        assert value[2] == pytest.approx(0, abs=1e-150)
    assert p.queue_length.tolist()[::2] == [0, 0]
    assert p.load.tolist()[::2] == [0, 0]


def test_undefined_for_scalars_is_an_error():
    nobody = Queue(0, 1800, 180).performance(0)
    for name in ("asa", "mean_wait", "wait_probability", "occupancy"):
        with pytest.raises(InputError, match="undefined"):
            getattr(nobody, name)
    with pytest.raises(InputError, match="undefined"):
        nobody.service_level(GOAL)
    no_agents = Queue(10, 1800, 180, 60).performance(0)
    with pytest.raises(InputError, match="nobody is answered"):
        _ = no_agents.asa
    with pytest.raises(InputError, match="no agents"):
        _ = no_agents.occupancy
    with pytest.raises(InputError, match="nobody gives up"):
        _ = Queue(10, 1800, 180).performance(3).abandoned_wait
    with pytest.raises(InputError, match="undefined"):
        no_agents.service_level(ServiceLevel(0.8, 20, "answered"))


def test_blocked_calls_stand_outside_unless_asked():
    p = Queue(300, 1800, 180, None, 30).performance(28)
    inside = p.service_level(ServiceLevel(0.8, 20, include_blocked=True))
    assert inside == pytest.approx(p.service_level(GOAL) * (1 - p.blocking), rel=1e-12)
    virtual = ServiceLevel(0.8, 20, "virtual", include_blocked=True)
    assert p.service_level(virtual) == pytest.approx(inside, rel=1e-12)


def test_words():
    text = Queue(100, 1800, 180).performance(14).summary()
    assert text.startswith("With 14 agents for 10 erlangs, 17.4% of callers wait")
    assert "7.8 s" in text
    assert "Erlang C" in text
    assert "give up" in Queue(100, 1800, 180, 60).performance(12).summary()
    lines = Queue(100, 1800, 180, 60, 15, redial=0.3).performance(12)
    assert "busy signal" in lines.summary()
    assert "Erlang X" in lines.summary()
    assert "without end" in Queue(100, 1800, 180).performance(9).summary()
    assert "nobody is answered" in Queue(100, 1800, 180, 60).performance(0).summary()
    assert "3 cases" in Queue([1, 2, 3], 1800, 180).performance(4).summary()
    assert "neither" in Queue(0, 1800, 180).performance(0).summary()
    html = Queue(100, 1800, 180).performance(9)._repr_html_()
    assert "steady state" in html


def test_frame_speaks_the_vocabulary():
    frame = Queue([0.0, 100.0], 1800, 180, 60).performance([0, 12]).to_frame()
    assert frame.height == 2
    assert set(frame.columns) <= set(MEASURES)
    assert Queue(100, 1800, 180).performance(14).to_frame()["asa"][0] == pytest.approx(7.83593701)
    assert np.isnan(Queue(10, 1800, 180, 60).performance(0).to_frame()["asa"][0])


def test_waits_are_asked_for_properly():
    p = Queue(100, 1800, 180, 60).performance(12)
    with pytest.raises(InputError, match="choose one of"):
        p.wait_percentile(0.9, of="everybody")
    with pytest.raises(InputError, match=r"90% is 0\.9"):
        p.wait_percentile(90)
    with pytest.raises(InputError, match="one threshold"):
        p.wait_above([1, 2])
    with pytest.raises(InputError, match="no caller of kind 'abandoned'"):
        Queue(100, 1800, 180).performance(14).wait_above(5, of="abandoned")
