"""Claims of deflection: the published one to the digit, and others that fit or do not."""

from __future__ import annotations

import pytest

from ccanalytics.deflection import check_claim
from ccanalytics.errors import InputError

# A published account of a provincial hotline (2012), and the figures that its own imply.
QINGHAI = {"items": 110_000, "share": (0.065, 0.07), "days": 300, "during_calls": 50_000,
           "items_are": 0.49}  # fmt: skip
ROWS = [
    (110_000, 1.571e6, 1.692e6, 5_238),
    (160_000, 2.286e6, 2.462e6, 7_619),
    (224_490, 3.207e6, 3.454e6, 10_690),
    (274_490, 3.921e6, 4.223e6, 13_071),
]


def test_the_published_claim_to_the_digit():
    frame = check_claim(**QINGHAI).frame
    assert frame.height == len(ROWS)
    for row, (items, low, high, per_day) in zip(frame.iter_rows(named=True), ROWS, strict=True):
        assert round(row["items"]) == items
        assert row["base_low"] == pytest.approx(low, abs=500)
        assert row["base_high"] == pytest.approx(high, abs=500)
        assert round(row["base_per_day"]) == per_day
    assert frame["removes_calls"].to_list() == [True, False, True, False]


def test_with_its_staff_the_items_alone_do_not_fit():
    # 230 at work of 345: 23 calls a day each, where 1,000 a month are 33.
    told = check_claim(110_000, (0.065, 0.07), days=300, staff=345)
    assert told.consistent is False
    assert round(told.frame["base_per_agent_day"][0]) == 23
    assert told.plausible == pytest.approx((2.3e6, 6.9e6))
    assert told.share_of(6.9e6) == pytest.approx(0.016, abs=0.0005)
    assert "does not fit" in told.summary()
    assert "1.6%" in told.summary()
    # Read as 49% of all diversions they do; assists during calls never do.
    every = check_claim(**QINGHAI, staff=345)
    assert every.frame["fits"].to_list() == [False, False, True, False]
    assert "read as all diversions" in every.summary()
    assert "remove no call" in every.frame["reason"][1]


@pytest.mark.parametrize(
    ("claim", "consistent"),
    [
        ({"items": 70_000, "share": 0.07, "days": 300, "calls": 1_000_000}, True),
        ({"items": 36_000, "share": (0.11, 0.13), "days": 90, "staff": 150}, True),
        ({"items": 200_000, "share": 0.20, "days": 365, "calls": 4_200_000}, False),
        ({"items": 9_000, "share": 0.30, "days": 30, "staff": 400}, False),
        ({"items": 50_000, "share": 0.05, "days": 30, "staff": 60}, False),
    ],
)
def test_other_claims(claim, consistent):
    assert check_claim(**claim).consistent is consistent


def test_the_direction_of_a_misfit_is_named():
    few = check_claim(9_000, 0.30, days=30, staff=400)
    assert few.frame["reason"][0].startswith("fewer calls")
    many = check_claim(50_000, 0.05, days=30, staff=60)
    assert many.frame["reason"][0].startswith("more calls")


def test_a_stated_base_holds_to_its_digits():
    # 1,040,000 was stated to 10,000; 70,000 at 7% need 1,000,000.
    assert check_claim(70_000, 0.07, days=300, calls=1_040_000).consistent is False
    assert check_claim(70_000, 0.07, days=300, calls=1_000_000).plausible == (950_000, 1_050_000)
    assert check_claim(70_000, 0.07, days=300, calls=999_999).plausible == (999_998.5, 999_999.5)


def test_nothing_stated_nothing_said():
    told = check_claim(110_000, 0.07, days=300)
    assert told.consistent is None
    assert "ask for the base" in told.summary()


def test_traffic_in_erlangs():
    told = check_claim(110_000, 0.07, days=300, shorter=0.5)
    assert any("3.5% of erlangs" in str(check) for check in told.checks)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"items": 0}, "items"),
        ({"share": 1.0}, "share"),
        ({"share": (0.07, 0.065)}, "lowest comes first"),
        ({"share": (0.07,)}, "share"),
        ({"days": -3}, "days"),
        ({"items_are": 1.2}, "items_are"),
        ({"staff": float("nan")}, "staff"),
        ({"staff": 10, "present": 1.5}, "present"),
        ({"calls": "many"}, "calls"),
        ({"during_calls": -1}, "during_calls"),
        ({"shorter": 0}, "shorter"),
    ],
)
def test_figures_that_cannot_be(change, words):
    with pytest.raises(InputError, match=words):
        check_claim(**{"items": 110_000, "share": 0.07, "days": 300, **change})
