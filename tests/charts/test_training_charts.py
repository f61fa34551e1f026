import numpy as np
import pytest

from ccanalytics import charts, handletime, quality
from ccanalytics.errors import DataError
from ccanalytics.results import Estimate
from ccanalytics.simulation.panels import draw_team_world


@pytest.fixture(scope="module")
def world():
    return draw_team_world(4)


@pytest.fixture(scope="module")
def tool(world):
    return handletime.effect(world.panel, world.rollouts, "knowledge_base")


def test_effects_by_group_and_all_of_them(tool):
    fig = charts.effect_by_group(tool)
    groups, whole = fig.data
    assert list(groups.x) == tool.by_group["relative"].to_list()
    assert whole.x[0] == tool.relative.value
    assert [y.lower() for y in groups.y] == tool.by_group["group"].to_list()


def test_weeks_before_and_since(tool):
    before, since = charts.handle_event_study(tool).data
    assert max(before.x) < 0 < min(since.x)
    assert np.concatenate([before.y, since.y]) == pytest.approx(tool.events["relative"])


def test_gains_in_both_tests(world):
    found = quality.training("course", world.trainings, world.assessments)
    fig = charts.learning_gains(found)
    assert [bar.name for bar in fig.data] == ["Took it", "Did not", "Effect of the course"]
    assert list(fig.data[2].y) == [each.effect.value for each in found.learning.values()]
    with pytest.raises(DataError, match="no tests"):
        charts.learning_gains(quality.training("course", world.trainings))


def test_scores_of_coached_and_others_beside_the_line(world):
    found = quality.coaching(world.assessments, world.trainings)
    fig = charts.coaching_scores(found)
    assert len(fig.data[1].x) == found.found.treated
    assert max(fig.data[1].x) <= found.cut <= min(fig.data[0].x)
    assert f"{found.found.gain.value:.1f} points" in fig.layout.title.text


def test_whether_and_when_it_pays():
    worth = quality.course_worth(
        Estimate(-0.02, -0.04, 0.0004), trainees=20, calls_a_week=200, aht_s=180, wage=120,
        hours=4, seat_cost=600,
    )  # fmt: skip
    fig = charts.course_return(worth)
    assert sum(fig.data[0].y) == pytest.approx(1)
    assert f"{worth.pays:.0%}" in fig.layout.title.text
    time = charts.training_over_time(worth)
    assert list(time.data[-1].y) == worth.over_time["net"].to_list()
    assert f"after {worth.break_even_weeks:.0f} weeks" in time.layout.title.text
