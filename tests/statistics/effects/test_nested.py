"""Means of agents in teams: closed forms, another fit, and each team left out in earnest."""

import numpy as np
import pytest
import statsmodels.api as sm

from ccanalytics.errors import DataError
from ccanalytics.statistics.effects.nested import Cells, nested


def cells_of(rng, teams=6, agents=4, weeks=20, effect=-0.2, noise=0.0, alone=False):
    """Teams of agents by week, half of the teams live from week 10."""
    team, agent, week = (
        x.ravel() for x in np.meshgrid(range(teams), range(agents), range(weeks), indexing="ij")
    )
    person = team if alone else team * agents + agent
    live = (team < teams // 2) & (week >= 10)
    slow = rng.standard_normal(teams * agents)[team * agents + agent]
    level = rng.standard_normal(teams)[team]
    curve = rng.random(team.size)
    value = level + 0.3 * slow + rng.standard_normal(weeks)[week] + 2 * curve + effect * live
    value = value + noise * rng.standard_normal(team.size)
    cells = Cells(
        value, rng.integers(20, 90, team.size).astype(float), team, person, week, curve[:, None],
        ~live,
    )  # fmt: skip
    return cells, live


def test_without_noise_the_effect_is_what_was_planted():
    cells, live = cells_of(np.random.default_rng(1))
    found = nested(cells).ratio(live)
    assert found.value == pytest.approx(-0.2, abs=1e-9)
    assert found.left_out == pytest.approx(-0.2, abs=1e-9)
    assert found.clusters == 3


def test_agents_as_clusters_are_a_regression_with_dummies():
    cells, live = cells_of(np.random.default_rng(2), teams=8, agents=1, noise=0.3, alone=True)
    fit = nested(cells)
    used = cells.untreated
    design = np.column_stack(
        [np.eye(8)[cells.cluster], np.eye(20)[cells.week][:, 1:], cells.shared]
    )
    theirs = sm.WLS(cells.value[used], design[used], weights=cells.weight[used]).fit()
    off = (cells.value - design @ theirs.params)[live]
    found = fit.ratio(live)
    assert found.value == pytest.approx(np.average(off, weights=cells.weight[live]), abs=1e-9)


def test_agents_are_drawn_to_their_team_as_a_mixed_model_draws_them():
    """The same equations solved whole, with the ridge that the moments gave."""
    cells, live = cells_of(np.random.default_rng(3), noise=0.5)
    fit = nested(cells)
    assert 0 < fit.ridge < np.inf
    used = cells.untreated
    agents, teams, weeks = 24, 6, 20
    design = np.column_stack(
        [
            np.eye(agents)[cells.person], np.eye(teams)[cells.cluster],
            np.eye(weeks)[cells.week][:, 1:], cells.shared,
        ]
    )  # fmt: skip
    left = (design[used].T * cells.weight[used]) @ design[used]
    left[np.arange(agents), np.arange(agents)] += fit.ridge
    beta = np.linalg.solve(left, (design[used].T * cells.weight[used]) @ cells.value[used])
    off = (cells.value - design @ beta)[live]
    found = fit.ratio(live)
    assert found.value == pytest.approx(np.average(off, weights=cells.weight[live]), abs=1e-8)
    # The variance ratio that was planted is 0.5² / 0.3²; moments of 24 agents come near it.
    assert 0.3 < fit.ridge / np.mean(cells.weight) / (0.5**2 / 0.3**2) < 3


def test_leaving_a_team_out_is_a_fit_without_it():
    cells, live = cells_of(np.random.default_rng(4), noise=0.5)
    fit = nested(cells)
    found = fit.ratio(live)
    kept = cells.cluster != 1
    code = np.where(cells.cluster > 1, cells.cluster - 1, 0)[kept]
    some = Cells(
        cells.value[kept], cells.weight[kept], code,
        cells.person[kept], cells.week[kept], cells.shared[kept], cells.untreated[kept],
    )  # fmt: skip
    again = nested(some)
    # Of its own variances; the ridge of the whole is kept when a team is left out.
    assert found.left_out[1] == pytest.approx(again.ratio(live[kept]).value, abs=0.02)
    assert found.left_out[1] != pytest.approx(found.value, abs=1e-4)


def test_a_share_is_told_over_what_was_foretold():
    cells, live = cells_of(np.random.default_rng(5))
    found = nested(cells).ratio(live)
    mean = np.average(cells.value[live], weights=cells.weight[live])
    assert found.share == pytest.approx(-0.2 / (mean + 0.2), abs=1e-9)


def test_what_untreated_cells_do_not_show_is_refused():
    cells, live = cells_of(np.random.default_rng(6))
    both = np.column_stack([cells.shared, live.astype(float)])
    twice = Cells(
        cells.value, cells.weight, cells.cluster, cells.person, cells.week, both, cells.untreated
    )
    with pytest.raises(DataError, match="untreated cells do not"):
        nested(twice).ratio(live)


def test_weeks_with_one_untreated_team_are_in_no_answer():
    cells, _ = cells_of(np.random.default_rng(7))
    live = (cells.cluster < 5) & (cells.week >= 10)
    late = Cells(
        cells.value, cells.weight, cells.cluster, cells.person, cells.week, cells.shared, ~live
    )
    assert nested(late).ratio(live) is None


def test_too_few_teams_are_refused():
    cells, _ = cells_of(np.random.default_rng(8), teams=2)
    with pytest.raises(DataError, match="too few"):
        nested(cells)
