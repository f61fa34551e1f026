"""A course on four levels: what each says, what it costs, and what it cannot say."""

import dataclasses
import re

import numpy as np
import polars as pl
import pytest

from ccanalytics import handletime, quality
from ccanalytics.errors import DataError, InputError
from ccanalytics.results import Estimate
from ccanalytics.simulation.panels import draw_team_world


@pytest.fixture(scope="module")
def world():
    return draw_team_world(5)


@pytest.fixture(scope="module")
def on_time(world):
    return handletime.effect(world.panel, world.rollouts, "course")


REVIEWS = pl.DataFrame(
    {
        "item": ["answer"] * 40 + ["courtesy"] * 40,
        "passed": [False] * 10 + [True] * 30 + [False] * 5 + [True] * 35,
        "sampled": ["random"] * 79 + ["targeted"],
    }
)


def test_all_levels(world, on_time):
    found = quality.training(
        "course", world.trainings, world.assessments, behaviour=on_time, panel=world.panel,
        reviews=REVIEWS, covers={"answer": "course", "courtesy": "another"}, wage=150.0,
        weeks=26, draws=2000,
    )  # fmt: skip
    assert found.refused == {}
    assert found.trainees == world.trainings.filter(course="course")["agent"].n_unique()
    for occasion in ("post", "delayed"):
        effect = found.learning[occasion].effect
        assert effect.low < world.truth[f"course {occasion}"] < effect.high
    assert found.covered.value == pytest.approx(10 / 15)
    assert found.needs["items_marked"].sum() == 79
    assert found.reaction == "not recorded"
    worth = found.result
    taken = world.trainings.filter(course="course")
    assert worth.cost == pytest.approx(taken.height * (600 + 4 * 150))
    assert found.to_frame()["level"].to_list() == [
        "1 reaction", "2 learning", "2 learning", "3 behaviour", "4 result"
    ]  # fmt: skip
    assert "satisfaction" in worth.summary()


def test_what_trainees_say_is_a_mean_with_the_silent_named(world):
    took = world.trainings.filter(course="course")["agent"].unique().sort().to_list()
    scores = [4.0, 5.0, 3.0, 4.0]
    said = world.assessments.head(5).with_columns(
        agent=pl.Series([*took[:4], "nobody"]), course=pl.lit("course"),
        instrument=pl.lit("course evaluation"), occasion=pl.lit("reaction"),
        score=pl.Series([*scores, 1.0]),
    )  # fmt: skip
    both = pl.concat([world.assessments, said], how="vertical_relaxed")
    found = quality.training("course", world.trainings, both)
    assert found.rated.value == 4.0
    # s = 0.8165, t(3) = 3.1824: 4 ± 1.299.
    assert found.rated.low == pytest.approx(4 - 3.1824 * 0.81650 / 2, abs=1e-3)
    assert found.reaction == f"4.0 points (2.7 to 5.3; 4 of {len(took)} trainees answered)"
    row = found.table().row(0)
    assert row[2] == "4.0 points (2.7 to 5.3)"
    alone = quality.training("course", world.trainings, world.assessments)
    assert (alone.rated, alone.reaction) == (None, "not recorded")
    gains = [each.learning["post"].effect for each in (found, alone)]
    assert gains[0] == gains[1]  # what they say is no test of what they know
    words = quality.training("course", world.trainings, both, reaction="useful")
    assert words.reaction.startswith("useful; 4.0 points")
    one = quality.training("course", world.trainings, both.filter(
        pl.col("occasion").ne("reaction") | (pl.col("agent") == took[0])
    ))  # fmt: skip
    assert one.rated is None
    assert "too few for an interval" in one.reaction


def test_without_a_wage_it_tells_the_wage_that_pays(world, on_time):
    asked = {"behaviour": on_time, "panel": world.panel, "weeks": 26, "draws": 2000}
    found = quality.training("course", world.trainings, world.assessments, **asked)
    assert found.result is None
    told = re.search(r"costs more than ([\d.,]+)$", found.refused["result"])
    wage = float(told[1].replace(",", ""))
    for factor, pays in ((0.98, False), (1.02, True)):
        at = quality.training(
            "course", world.trainings, world.assessments, wage=factor * wage, **asked
        )
        assert (at.result.net.value > 0) is pays
    never = quality.training(
        "course", world.trainings, world.assessments, **asked | {"weeks": 1}, hours=400.0
    )
    assert never.refused["result"].endswith("it pays at no wage")
    with pytest.raises(DataError, match="cost against benefit"):
        found.worth()


def test_levels_without_data_say_why(world):
    found = quality.training("course", world.trainings)
    assert set(found.refused) == {"learning", "behaviour", "result", "needs"}
    assert "answers for none" in found.headline()
    on_job = handletime.effects(world.panel, world.rollouts, "yoga", ["aht", "errors"])
    said = quality.training("course", world.trainings, behaviour=on_job).refused
    assert {"behaviour, handle time", "behaviour, items wrong"} <= set(said)
    once = world.assessments.filter(pl.col("occasion") == "pre")
    found = quality.training("course", world.trainings, once)
    assert "without a test before and one after" in found.refused["learning"]
    with pytest.raises(DataError, match="nobody took this course"):
        quality.training("yoga", world.trainings)
    with pytest.raises(InputError, match="no such item"):
        quality.training("course", world.trainings, reviews=REVIEWS, covers=["smiles"])
    with pytest.raises(InputError, match="effects on the job"):
        quality.training("course", world.trainings, behaviour=[0.04])


GIVEN = {
    "trainees": 20, "calls_a_week": 200.0, "aht_s": 180.0, "wage": 120.0, "hours": 4.0,
    "seat_cost": 600.0,
}  # fmt: skip


def test_cost_against_benefit_by_hand():
    certain = Estimate(-0.04, -0.04 - 1e-9, -0.04 + 1e-9)
    worth = quality.course_worth(certain, weeks=52, **GIVEN)
    hours = 20 * 200 * 52 * 180 * 0.04 / 3600
    assert worth.hours_freed.value == pytest.approx(hours, rel=1e-9)
    assert worth.cost == 20 * (600 + 4 * 120)
    assert worth.roi.value == pytest.approx(hours * 120 / worth.cost - 1, rel=1e-9)
    assert worth.pays == 1
    week = hours * 120 / 52
    assert worth.break_even_weeks == np.ceil(worth.cost / week)
    # At the effect that just pays, it just pays.
    just = worth.break_even_effect
    again = quality.course_worth(Estimate(just, just - 1e-9, just + 1e-9), weeks=52, **GIVEN)
    assert again.net.value == pytest.approx(0, abs=1e-3)


def test_draws_follow_the_estimate():
    worth = quality.course_worth(Estimate(-0.01, -0.03, 0.0104), draws=40_000, **GIVEN)
    # The draws' mean is the estimate's, and their limits are the estimate's own.
    assert np.quantile(worth.draws, 0.5) == pytest.approx(worth.net.value, rel=0.05)
    hours = 20 * 200 * 52 * 180 / 3600
    assert worth.hours_freed.high == pytest.approx(hours * 0.03, rel=0.03)
    assert 0.1 < worth.pays < 0.5
    assert "may or may not pay" in worth.headline()
    again = quality.course_worth(Estimate(-0.01, -0.03, 0.0104), draws=40_000, **GIVEN)
    assert (again.draws == worth.draws).all()


def test_what_leaves_and_fades_is_worth_less():
    known = Estimate(-0.04, -0.05, -0.03)
    whole = quality.course_worth(known, **GIVEN).benefit.value
    assert quality.course_worth(known, leaving_a_year=0.3, **GIVEN).benefit.value < 0.9 * whole
    assert quality.course_worth(known, half_life_weeks=13, **GIVEN).benefit.value < 0.6 * whole
    assert quality.course_worth(known, usable=0.5, **GIVEN).benefit.value == pytest.approx(
        whole / 2
    )
    never = quality.course_worth(Estimate(0.01, 0.0, 0.02), **GIVEN)
    assert never.break_even_weeks == np.inf
    assert never.pays < 0.01
    assert "does not pay" in never.headline()


@pytest.mark.parametrize(
    "wrong",
    [{"trainees": 0}, {"wage": -1}, {"usable": 2}, {"weeks": "many"}, {"leaving_a_year": 1.0},
     {"half_life_weeks": 0}, {"aht_s": 0}],
)  # fmt: skip
def test_numbers_that_cannot_be_are_named(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        quality.course_worth(Estimate(-0.04, -0.05, -0.03), **(GIVEN | wrong))
    with pytest.raises(InputError, match="effect on handle time"):
        quality.course_worth(-0.04, **GIVEN)


def test_courses_are_listed_with_how_agents_came_to_them(world):
    listed = quality.courses(world.trainings, world.assessments, world.rollouts)
    assert listed["course"].to_list() == ["course", "coaching"]
    assert listed["by_lot"].to_list() == [True, False]
    assert listed["by_score"].to_list() == [False, True]


def test_all_draws_is_said_only_of_all():
    certain = quality.course_worth(Estimate(-0.04, -0.04 - 1e-9, -0.04 + 1e-9), **GIVEN)
    assert "in all of draws" not in certain.headline()
    assert "in all draws" in certain.headline()
    nearly = dataclasses.replace(certain, pays=0.9996)
    assert "in more than 99% of draws" in nearly.headline()
    assert "in fewer than 1% of draws" in dataclasses.replace(certain, pays=0.0004).headline()
    assert "at 120 an hour" in certain.summary()


def test_scores_marks_and_names_of_another_kind_are_refused(world):
    took = world.trainings.filter(course="course")["agent"][0]
    said = world.assessments.head(1).with_columns(
        agent=pl.lit(took), course=pl.lit("course"), occasion=pl.lit("reaction"),
        score=pl.lit(float("nan")),
    )  # fmt: skip
    with pytest.raises(InputError, match="finite"):
        quality.training("course", world.trainings, pl.concat([world.assessments, said]))
    # Not true or false, but 1 or 0, of which "not" is no count of failures.
    marked = REVIEWS.with_columns(pl.col("passed").cast(pl.Int64))
    with pytest.raises(InputError, match="true or false"):
        quality.training("course", world.trainings, reviews=marked, covers=["answer"])
    numbered = world.trainings.with_columns(agent=pl.int_range(pl.len()))
    with pytest.raises(InputError, match="must hold words"):
        quality.training("course", numbered, world.assessments)
