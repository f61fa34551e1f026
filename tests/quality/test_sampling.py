"""Sampling plans: published chances to pass, and plans than which none is smaller."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccanalytics import quality
from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.proportions import wilson


def test_the_chance_to_pass_is_the_published_one():
    plan = quality.sampling_plan(80, 2)
    found = plan.acceptance([0.01, 0.02, 0.05, 0.08])
    assert found == pytest.approx([0.9534, 0.7844, 0.2306, 0.0404], abs=5e-5)
    assert plan.curve["passes"][0] == 1
    assert (np.diff(plan.curve["passes"].to_numpy()) <= 0).all()
    assert plan.acceptance(plan.share_at(0.3)) == pytest.approx(0.3)
    assert quality.acceptance(5, 5, 0.4) == 1
    assert quality.sampling_plan(3, 0).acceptance(0.5) == pytest.approx(0.125)


@given(st.floats(0.005, 0.3), st.floats(1.5, 6), st.floats(0.02, 0.2), st.floats(0.02, 0.2))
def test_a_plan_keeps_both_risks_and_none_with_fewer_errors_does(good, times, producer, consumer):
    bad = min(good * times, 0.9)
    n, accept = quality.plan_for_risks(good, bad, producer=producer, consumer=consumer)
    assert quality.acceptance(n, accept, good) >= 1 - producer
    assert quality.acceptance(n, accept, bad) <= consumer
    if n - 1 >= accept:
        assert quality.acceptance(n - 1, accept, bad) > consumer


@given(st.floats(0.01, 0.3), st.floats(0, 1), st.floats(0.5, 0.999))
def test_the_fewest_reviews_for_a_width(half_width, share, level):
    n = quality.reviews_for_width(half_width, share, level)

    def half(n):
        low, high = wilson(share * n, n, level)
        return (high - low) / 2

    assert half(n) <= half_width + 1e-9 or share * n < 1  # wilson clips at 0
    if n > 1 and 0.2 < share < 0.8:
        assert half(n - 1) > half_width - 1e-9


def test_a_hundred_answers_bind_a_share_to_ten_points():
    assert quality.reviews_for_width(0.098) == 97  # METHODS: ±9.8 points at 100, by Wald


@pytest.mark.parametrize(
    "call",
    [
        lambda: quality.acceptance(0, 0, 0.1), lambda: quality.acceptance(5, 6, 0.1),
        lambda: quality.acceptance(5, 1, 1.1), lambda: quality.acceptance(5, True, 0.1),
        lambda: quality.reviews_for_width(0), lambda: quality.plan_for_risks(0.1, 0.1),
        lambda: quality.plan_for_risks(0.1, 1.0), lambda: quality.sampling_plan(2.5, 1),
    ],
)  # fmt: skip
def test_plans_that_are_none_are_refused(call):
    with pytest.raises(InputError):
        call()


def test_work_that_no_sample_tells_apart_is_refused():
    with pytest.raises(DataError, match="no plan"):
        quality.plan_for_risks(0.1, 0.1001)
