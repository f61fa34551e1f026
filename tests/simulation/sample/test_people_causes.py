"""Learning, leaving, tools and courses, each against what its parameters promise."""

from __future__ import annotations

import numpy as np
import pytest

from ccanalytics.errors import InputError
from ccanalytics.simulation import CentreParameters
from ccanalytics.simulation.sample.learning import ALL_CAUSES, newness, skill, transfer_chance
from ccanalytics.simulation.sample.luck import luck, root_of
from ccanalytics.simulation.sample.people import NEVER, OUTSOURCED, draw_people
from ccanalytics.simulation.sample.programme import draw_programme

DAYS = 364


@pytest.fixture(scope="module")
def crew():
    """People of 4,000 positions: enough for shares to be seen."""
    people, crew = draw_people(CentreParameters(), 4_000, DAYS, 1.0, 7)
    assert len(people) == crew.size
    return crew


def programme(crew, **parameters):
    return draw_programme(CentreParameters(**parameters), crew, DAYS, np.random.default_rng(3))


@pytest.mark.parametrize("law", [0, 1])
def test_newcomers_learn_in_the_months_promised(law):
    p = CentreParameters(learning_power=law, proficient_days=135)
    days, excess = np.arange(0, 400), np.full(400, 0.5)
    left = newness(p, days, excess)
    assert left[0] == pytest.approx(1)
    assert (np.diff(left) <= 0).all()
    assert left[135] <= 0.05 + 1e-9
    assert left[20] > left[60] > 0.05


def test_first_days_take_longer_by_the_factors_given(crew):
    p = CentreParameters(agent_log_sd=0.0)
    everyone = np.arange(crew.size)
    first = skill(p, crew, programme(crew), everyone, crew.hired, frozenset({"learning"}))
    assert 1.30 <= first.pace.min() < 1.32
    assert 1.78 < first.pace.max() <= 1.80
    later = skill(p, crew, programme(crew), everyone, crew.hired + 400, frozenset({"learning"}))
    assert later.pace == pytest.approx(1, abs=0.001)


def test_people_differ_for_good_by_the_spread_given(crew):
    p = CentreParameters()
    day = np.full(crew.size, 10)
    own = skill(p, crew, programme(crew), np.arange(crew.size), day, frozenset({"differences"}))
    assert np.log(own.pace).std() == pytest.approx(p.agent_log_sd, rel=0.05)


def test_the_slow_leave_sooner_and_survivors_are_quick(crew):
    hires = crew.hired >= 0
    stayed = crew.left[hires] - crew.hired[hires] > 112
    slow = crew.slow[hires]
    assert slow[~stayed].mean() > slow[stayed].mean() + 0.2
    veterans = crew.hired < -700
    assert crew.slow[veterans].mean() < -0.2
    _, even = draw_people(CentreParameters(leaving_slow=0.0), 4_000, DAYS, 1.0, 7)
    assert abs(even.slow[even.hired < -700].mean()) < 4 / (even.hired < -700).sum() ** 0.5


def test_leaving_follows_its_rates():
    p = CentreParameters(leaving_slow=0.0, outsourced=0.0, leaving_novice=1.0, intake_days=1)
    _, crew = draw_people(p, 4_000, DAYS, 1.0, 8)
    leavers = ((crew.left > 0) & (crew.left < DAYS)).sum()
    assert leavers / 4_000 == pytest.approx(p.turnover * DAYS / 365, rel=0.1)
    _, sooner = draw_people(CentreParameters(leaving_novice=5.0), 4_000, DAYS, 1.0, 8)
    hires = sooner.hired >= 0
    assert hires.sum() > 1_000
    early = sooner.left[hires] - sooner.hired[hires] <= 112
    late = sooner.left[hires] - sooner.hired[hires] <= 224
    assert early.sum() > 2 * (late.sum() - early.sum())


def test_intakes_teams_sites_and_employers():
    people, crew = draw_people(CentreParameters(), 350, DAYS, 1.0, 9)
    assert (crew.hired % 28 == 0).all()
    here = [each for each in people if each.left is None]
    assert {each.site for each in here} == {"east", "west", "south"}
    share = np.mean([each.employer == OUTSOURCED for each in here])
    assert share == pytest.approx(0.25, abs=0.05)
    assert {each.site for each in here if each.employer == OUTSOURCED} == {"south"}
    assert np.bincount([each.team for each in here]).max() == 12


def test_the_course_is_drawn_by_lot_and_coaching_is_not(crew):
    drawn = programme(crew)
    took = drawn.course_day < NEVER
    assert not took[~drawn.in_lot].any()
    lot = drawn.in_lot
    assert took[lot].mean() == pytest.approx(0.5, abs=0.03)
    error = crew.score[lot].std() / (took[lot].sum() / 2) ** 0.5
    assert abs(crew.score[lot & took].mean() - crew.score[lot & ~took].mean()) < 4 * error
    sent = drawn.coaching_day < NEVER
    assert crew.score[sent].mean() < -0.8


def study(drawn, crew, coaching, occasion):
    tests = drawn.tests
    which = (tests.coaching == coaching) & (tests.occasion == occasion)
    score = np.full(crew.size, np.nan)
    score[tests.person[which]] = tests.score[which]
    return score


def test_the_lot_recovers_the_course_and_before_after_flatters_coaching(crew):
    p = CentreParameters()
    drawn = programme(crew, coaching_score=0.0)
    took = drawn.course_day < NEVER
    gain = study(drawn, crew, False, 1) - study(drawn, crew, False, 0)
    there = np.isfinite(gain)
    effect = gain[there & took].mean() - gain[there & ~took].mean()
    left = 1 - (1 - p.retained) * 10 / p.delayed_days  # about ten days later
    error = gain[there].std() / (there.sum() / 4) ** 0.5
    assert effect == pytest.approx(p.course_score * left, abs=4 * error)
    # Coaching does nothing here, and those sent to it do better all the same.
    sent = drawn.coaching_day < NEVER
    before_after = study(drawn, crew, True, 1) - study(drawn, crew, True, 0)
    assert np.nanmean(before_after[sent]) > 2
    assert np.nanmean(before_after[~sent]) < 0


def test_the_knowledge_base_helps_newcomers_most(crew):
    p = CentreParameters()
    drawn = programme(crew, kb_first=0.0, kb_last=0.0)
    everyone = np.arange(crew.size)
    only = frozenset({"knowledge_base"})
    new = skill(p, crew, drawn, everyone, crew.hired, only)
    old = skill(p, crew, drawn, everyone, crew.hired + 3_000, only)
    live = crew.hired >= 0
    assert new.talk_pace[live] == pytest.approx(1 - p.kb_talk_novice)
    assert old.talk_pace == pytest.approx(1 - p.kb_talk_expert, abs=1e-6)
    assert (new.pace == 1).all()
    assert (new.error[live] < old.error[live]).all()
    sent = transfer_chance(p, crew, drawn, everyone, crew.hired + 3_000, only)
    assert sent == pytest.approx(p.transfer * (1 - p.kb_transfer))


def test_without_any_cause_everybody_is_typical(crew):
    p = CentreParameters()
    nobody = skill(p, crew, programme(crew), np.arange(crew.size), crew.hired, frozenset())
    assert (nobody.pace == 1).all()
    assert (nobody.talk_pace == 1).all()
    assert np.ptp(nobody.error) == 0
    assert len(ALL_CAUSES) == 5


def test_teams_get_the_knowledge_base_one_after_another(crew):
    drawn = programme(crew)
    assert np.unique(drawn.kb_day).size > 30
    assert 0.3 * DAYS < drawn.kb_day.min() < DAYS < drawn.kb_day.max()
    assert (drawn.kb_planned <= drawn.kb_day).all()


def test_luck_is_even_and_each_draw_another():
    key = np.arange(200_000)
    one, two = luck(root_of(1, "a"), key), luck(root_of(1, "a"), key, 1)
    for each in (one, two, luck(root_of(2, "a"), key), luck(root_of(1, "b"), key)):
        counts = np.histogram(each, 20, (0, 1))[0]
        assert ((counts - 10_000) ** 2 / 10_000).sum() < 50  # chi-squared, 19 degrees
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.01
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 0.01
    assert (luck(root_of(1, "a"), key[::-1])[::-1] == one).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"novice_least": 0.9},
        {"novice_most": 1.2},
        {"learning_power": 0.5},
        {"agent_log_sd": 0.9},
        {"kb_last": 0.1},
        {"proficient_days": 0},
        {"plan_shrinkage": 0.95},
        {"survey": 10},
        {"intake_days": 0},
    ],
)
def test_what_no_centre_could_be_is_refused(wrong):
    with pytest.raises(InputError) as error:
        CentreParameters(**wrong)
    assert next(iter(wrong)) in str(error.value)
