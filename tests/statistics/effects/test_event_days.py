import numpy as np
import pytest
import statsmodels.api as sm

from ccanalytics.errors import DataError
from ccanalytics.statistics.effects.event_days import event_days


def cells(seed=1, days=80):
    rng = np.random.default_rng(seed)
    date = np.repeat(np.arange(days), 2)
    bill = np.tile([1, 15], days)
    event = (date % 7 < 3).astype(float)
    later = (date % 7 >= 5).astype(float)
    luck = np.repeat(rng.gamma(10, 0.1, days), 2)
    people, controls = rng.integers(500, 900, 2 * days), rng.integers(2000, 4000, 2 * days)
    rate = 0.05 * luck * np.where(bill == 1, 2, 1)
    mine = rng.poisson(people * rate * np.where(bill == 1, 1.5, 1.2) * np.exp(-0.3 * event))
    return mine, people, rng.poisson(controls * rate), controls, event, later, bill, date


def test_it_is_the_binomial_regression_of_another_library():
    mine, people, others, controls, event, later, bill, date = cells()
    ours = event_days(mine, people, others, controls, np.column_stack([event, later]), bill, date)
    design = np.column_stack([event, later, bill == 1, bill == 15]).astype(float)
    model = sm.GLM(
        np.column_stack([mine, others]), design, family=sm.families.Binomial(),
        offset=np.log(people / controls),
    )  # fmt: skip
    theirs = model.fit(
        tol=1e-12, cov_type="cluster", cov_kwds={"groups": date, "use_correction": False}
    )
    assert ours.log == pytest.approx(theirs.params[:2], rel=1e-7)
    # The plain sandwich is theirs; without a date's own part in it, a little wider.
    wider = np.diag(ours.covariance) / np.diag(theirs.cov_params()[:2, :2])
    assert ((wider > 1) & (wider < 1.08)).all()
    found = ours.relative(0, 0.95)
    assert found.low < np.expm1(-0.3) < found.high
    assert ours.p_value([0]) < 0.001 < ours.p_value([1])


def test_errors_lie_between_the_plain_sandwich_and_leaving_out_a_date():
    mine, people, others, controls, event, later, bill, date = cells(days=40)
    design = np.column_stack([event, later])
    found = event_days(mine, people, others, controls, design, bill, date)
    told = []
    for day in range(40):
        rest = date != day
        told.append(
            event_days(
                mine[rest], people[rest], others[rest], controls[rest], design[rest], bill[rest],
                date[rest],
            ).log
        )  # fmt: skip
    pulls = np.array(told) - found.log
    wanted = np.sqrt((pulls**2).sum(axis=0))
    ratio = np.array([found.error(0), found.error(1)]) / wanted
    assert ((ratio > 0.93) & (ratio < 0.995)).all()
    # A handful of dates carries a rare event, and its own degrees of freedom are about as many.
    rare = np.isin(date, (3, 11, 19, 27, 35)).astype(float)
    few = event_days(mine, people, others, controls, np.column_stack([event, rare]), bill, date)
    assert 1 <= few.degrees[1] < 20 < few.degrees[0] <= 39


def test_what_moves_both_groups_drops_out():
    mine, people, others, controls, event, _, bill, date = cells()
    one = event_days(mine * 1.0, people, others, controls, event, bill, date)
    wave = 1 + (date % 7 < 3) * 4  # every call on the days of the event fivefold, of both
    two = event_days(mine * wave, people, others * wave, controls, event, bill, date)
    assert two.log[0] == pytest.approx(one.log[0], abs=0.05)


def test_what_cannot_be_told_apart():
    mine, people, others, controls, event, _, bill, date = cells()
    with pytest.raises(DataError, match="cannot be told apart"):
        event_days(mine, people, others, controls, np.ones(event.size), bill, date)
    once = np.column_stack([event, date == 4])
    with pytest.raises(DataError, match="on a single date"):
        event_days(mine, people, others, controls, once, bill, date)
    with pytest.raises(DataError, match="no call came from one"):
        event_days(0 * mine, people, others, controls, event, bill, date)


@pytest.mark.parametrize(("events", "most"), [((3, 9), 1.3), ((3, 9, 20), 2.6)])
def test_few_dates_of_an_event_have_a_degree_of_freedom_less_than_dates(events, most):
    rng = np.random.default_rng(7)
    bill, date = np.tile(np.arange(3), 40), np.repeat(np.arange(40), 3)
    event, held = np.isin(date, events).astype(float), 0
    for _ in range(200):
        mine = rng.poisson(50 * np.exp(-0.2 * event))
        found = event_days(mine, 0 * mine + 1000, rng.poisson(150, 120), 0 * mine + 3000,
                           event, bill, date)  # fmt: skip
        limits = found.relative(0, 0.95)
        held += limits.low < np.expm1(-0.2) < limits.high
        # Of binomial calls: 1.1 of two dates and 2.3 of three, by the whole matrix of all cells.
        assert len(events) - 1 <= found.degrees[0] < most
    assert held >= 187
