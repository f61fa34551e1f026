"""Weeks to proficiency: the planted curve, a tool that shortens it, and what is refused."""

import numpy as np
import polars as pl
import pytest

from ccanalytics import handletime
from ccanalytics.errors import DataError, InputError
from ccanalytics.simulation.panels import TeamParameters, draw_team_world

# Excess 0.55 on the first day, over τ = 6.5 weeks; 10% is left after τ·log(0.55/0.10).
WEEKS = 6.5 * np.log(0.55 / 0.10)


def test_the_curve_that_was_planted_and_the_tool_that_shortens_it():
    held, changes = 0, []
    for seed in range(500, 506):
        world = draw_team_world(seed)
        found = handletime.proficiency(world.panel, world.rollouts, "knowledge_base")
        held += found.without.low < WEEKS < found.without.high
        changes.append(found.change.value)
    assert held >= 4
    assert np.mean(changes) < -1.5


def test_a_tool_that_does_nothing_leaves_it_alone():
    nothing = TeamParameters(kb_novice=0, kb_expert=0, course=0)
    worlds = [draw_team_world(seed, nothing) for seed in range(520, 526)]
    found = [handletime.proficiency(w.panel, w.rollouts, "knowledge_base").change for w in worlds]
    assert sum(each.excludes_zero for each in found) <= 2
    assert abs(np.mean([each.value for each in found])) < 1.5


def test_what_cannot_be_told_is_refused():
    world = draw_team_world(3)
    mine = world.rollouts.filter(treatment="knowledge_base")
    late = mine.with_columns(pl.col("live_on") + pl.duration(weeks=100))
    with pytest.raises(DataError, match="too few newcomers"):
        handletime.proficiency(world.panel, late)
    with pytest.raises(DataError, match="nobody has been there for a year"):
        handletime.proficiency(world.panel.filter(pl.col("tenure_weeks") < 20), mine)
    with pytest.raises(InputError, match="within"):
        handletime.proficiency(world.panel, mine, within=10)
