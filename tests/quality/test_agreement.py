"""Agreement of reviewers, against worked examples of others."""

import math

import polars as pl
import pytest

from ccanalytics import quality
from ccanalytics.errors import DataError, InputError


def pairs(marks, **more):
    """Rows of (passed, other_passed, pairs)."""
    frame = pl.DataFrame(
        marks, schema={"passed": pl.Boolean, "other_passed": pl.Boolean, "pairs": pl.Int64},
        orient="row",
    )  # fmt: skip
    return frame.with_columns(**{name: pl.lit(value) for name, value in more.items()})


KNOWN = [(True, True, 20), (True, False, 5), (False, True, 10), (False, False, 15)]


def test_kappa_of_a_known_table():
    """[[20, 5], [10, 15]]: p_o = 0.7, p_e = 0.5, so 0.4; its standard error is 0.1257."""
    found = quality.agreement(pairs(KNOWN))
    assert found.kappa.value == pytest.approx(0.4)
    p_o, p_e, n = 0.7, 0.5, 50
    # Fleiss, Cohen & Everitt (1969), large-sample variance.
    row, column = (0.5, 0.5), (0.6, 0.4)
    cells = ((0.4, 0.1), (0.2, 0.3))
    a = sum(
        cells[i][i] * (1 - (row[i] + column[i]) * (1 - 0.4)) ** 2 for i in range(2)
    )  # fmt: skip
    b = (1 - 0.4) ** 2 * sum(
        cells[i][j] * (column[i] + row[j]) ** 2 for i in range(2) for j in range(2) if i != j
    )
    c = (0.4 - p_e * (1 - 0.4)) ** 2
    error = math.sqrt((a + b - c) / ((1 - p_e) ** 2 * n))
    assert found.kappa.high - found.kappa.value == pytest.approx(1.959964 * error, rel=1e-6)
    assert found.pabak.value == pytest.approx(2 * p_o - 1)
    assert found.agreed.value == pytest.approx(0.7)
    assert found.pairs == 50


def test_alpha_of_krippendorffs_own_example():
    """Computing Krippendorff's alpha-reliability (2011), section A: two observers, ten units."""
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    marks = [(not a, not b, 1) for a, b in zip(first, second, strict=True)]
    found = quality.agreement(pairs(marks))
    assert found.alpha.value == pytest.approx(0.095, abs=5e-4)
    assert found.alpha.low < 0.095 < found.alpha.high


def test_a_call_of_three_reviewers_weighs_as_its_marks():
    """Units (1,1,0) and (0,0,0): coincidences by hand; o₀₁ = 2/2, n₁ = 2, n₀ = 4."""
    three = pairs([(True, True, 1), (True, False, 2), (False, False, 3)], raters=3)
    expected = 1 - (6 - 1) * 1 / (2 * 4)
    assert quality.agreement(three).alpha.value == pytest.approx(expected)


def test_strict_reviewers_are_told_from_lenient_ones():
    more = pairs(
        [(True, True, 80), (False, True, 15), (True, False, 1), (False, False, 4)],
        reviewer="strict", other="mild",
    )  # fmt: skip
    row = quality.agreement(more).reviewers.row(0, named=True)
    assert (row["reviewer"], row["failed"], row["other_failed"]) == ("strict", 0.19, 0.05)
    assert row["stricter_p"] == pytest.approx(0.000519, abs=1e-6)  # 2·(1 + 16)/2¹⁶


def test_by_item_and_where_nothing_can_be_said():
    good = pairs([(True, True, 90), (False, False, 10)], item="a")
    same = pairs([(True, True, 40)], item="b")
    found = quality.agreement(pl.concat([good, same]))
    assert found.items["item"].to_list() == ["a", "b"]
    assert found.items["kappa"].to_list() == [pytest.approx(1), None]
    assert found.items["pabak"].to_list() == [1, 1]
    alone = quality.agreement(same)
    assert math.isnan(alone.kappa.value)
    assert "cannot be told" in alone.headline()
    assert any(c.name == "marks" and c.status == "fails" for c in alone.checks)
    with pytest.raises(DataError, match="two reviewers"):
        quality.agreement(same.filter(pl.col("pairs") < 0))


def test_the_same_seed_gives_the_same_limits():
    first, second = (quality.agreement(pairs(KNOWN), seed=3).alpha for _ in range(2))
    assert first == second


def test_where_no_mark_differs_no_measure_is_a_number_that_is_none():
    said = quality.agreement(pairs([(True, True, 9)])).summary()
    assert "not defined" in said
    assert "nan" not in said


def test_reviewers_that_are_not_counted_were_two():
    told = quality.agreement(pairs(KNOWN, raters=None)).alpha.value
    assert told == pytest.approx(quality.agreement(pairs(KNOWN)).alpha.value)
    with pytest.raises(InputError, match="two reviewers"):
        quality.agreement(pairs(KNOWN, raters=1))
