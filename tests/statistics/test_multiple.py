import numpy as np
import pytest

from ccanalytics.errors import InputError
from ccanalytics.results import Estimate
from ccanalytics.statistics.multiple import p_value, several

# Benjamini & Hochberg (1995), section 4.1: fifteen p-values, four of which their procedure
# rejects at a false discovery rate of 5%, where Bonferroni's rejects three.
PUBLISHED = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
]


def test_the_published_example():
    found = several(PUBLISHED, level=0.95)
    assert found.stands_out == (True,) * 4 + (False,) * 11
    assert found.shown == 9
    assert found.expected == pytest.approx(0.75)


def test_the_binomial_tail_by_hand():
    found = several([0.01, 0.5, 0.5], level=0.95)
    assert found.by_chance == pytest.approx(1 - 0.95**3)
    assert several([0.5, 0.5]).by_chance == 1


def test_words_say_chance_and_what_is_left():
    chance = several([0.04, 0.03, 0.02] + [0.5] * 46)
    assert "3 of 49 show a change, where chance alone would show about 2.5" in chance.in_words()
    assert "no more than chance would make" in chance.in_words()
    many = several([0.02] * 6 + [0.5] * 29)
    assert many.standing == 0
    assert "more than chance would make, but no single one can be named" in many.in_words()
    assert "1 stands out" in several([0.0001, 0.7]).in_words()
    assert "2 stand out" in several([0.0001, 0.0001]).in_words()
    assert "0 of 5 show a change" in several([0.5] * 5).in_words()


def test_p_values_of_intervals_that_just_touch_zero():
    for degrees in (5, 30):
        edge = Estimate(np.expm1(0.1), 0.0, np.expm1(0.2), 0.9)
        assert p_value(edge, degrees) == pytest.approx(0.1)
    assert p_value(Estimate(0.0, 0.0, 0.0), 10) == 1
    assert p_value(Estimate(0.1, 0.1, 0.1), 10) == 0


def test_bad_p_values_are_refused():
    with pytest.raises(InputError, match="p-value"):
        several([0.5, 1.5])
