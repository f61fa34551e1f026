"""Gaps between perceived, got and expected: scipy's intervals, pairing, and what is refused."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from ccanalytics import charts
from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics import concern_gaps

RNG = np.random.default_rng(5)
CONCERNS = [f"concern {k}" for k in range(1, 8)]


def ratings(owners=100, shortfall=(1.5, 0.0, 0.6, 0.05, 0.9, -0.3, 0.2)):
    """Owners whose level moves perceived and expected together; shortfalls are planted."""
    own = RNG.normal(0, 1, owners)
    return pl.concat(
        pl.DataFrame({
            "concern": concern,
            "perceived": 6 + own - short + RNG.normal(0, 0.7, owners),
            "got": 6 + own + RNG.normal(0, 0.7, owners),
            "expected": 6 + own + RNG.normal(0, 0.7, owners),
        })
        for concern, short in zip(CONCERNS, shortfall, strict=True)
    )  # fmt: skip


def test_means_and_gaps_have_students_limits():
    rows = ratings()
    found = concern_gaps(rows)
    assert found.frame["gap"].is_sorted()
    for row in found.frame.iter_rows(named=True):
        part = rows.filter(pl.col("concern") == row["concern"])
        test = stats.ttest_rel(part["perceived"].to_numpy(), part["expected"].to_numpy())
        limits = test.confidence_interval(0.95)
        assert (row["gap_low"], row["gap_high"]) == pytest.approx((limits.low, limits.high))
        unseen = stats.ttest_1samp((part["got"] - part["perceived"]).to_numpy(), 0)
        assert row["unseen_low"] == pytest.approx(unseen.confidence_interval(0.95).low)
        assert row["n"] == 100
    assert found.frame["concern"][0] == "concern 1"
    clear = found.frame.filter("stands_out")["concern"].to_list()
    assert {"concern 1", "concern 3", "concern 5"} <= set(clear)
    assert "concern 4" not in clear
    assert "concern 1" in found.summary()


def test_planted_gaps_lie_inside_their_limits_as_often_as_promised():
    inside = 0
    for _ in range(60):
        found = concern_gaps(ratings(30, (0.5,) * 7)).frame
        inside += ((found["gap_low"] <= -0.5) & (found["gap_high"] >= -0.5)).sum()
    # 420 intervals, of which concerns of one owner are nearly independent: 95% ± 3.5 points.
    assert abs(inside / 420 - 0.95) < 0.035


def test_means_alone_give_welch_limits_wider_than_pairs():
    rows = ratings()
    paired = concern_gaps(rows).frame.sort("concern")
    means = rows.group_by("concern", maintain_order=True).agg(
        pl.col("perceived", "got", "expected").mean(),
        pl.col("perceived", "got", "expected").std().name.suffix("_sd"),
        n=pl.len(),
    )
    found = concern_gaps(means.to_pandas()).frame.sort("concern")
    assert found["gap"].to_list() == pytest.approx(paired["gap"].to_list())
    assert ((found["gap_high"] - found["gap_low"]) > (paired["gap_high"] - paired["gap_low"])).all()
    part = rows.filter(pl.col("concern") == "concern 1")
    welch = stats.ttest_ind(part["perceived"].to_numpy(), part["expected"].to_numpy(),
                            equal_var=False).confidence_interval(0.95)  # fmt: skip
    assert (found["gap_low"][0], found["gap_high"][0]) == pytest.approx((welch.low, welch.high))


def test_the_bootstrap_agrees_and_is_repeatable():
    rows = ratings()
    one, two = (concern_gaps(rows, method="bootstrap", seed=3).frame for _ in range(2))
    assert one.equals(two)
    t = concern_gaps(rows).frame
    assert one["gap_low"].to_numpy() == pytest.approx(t["gap_low"].to_numpy(), abs=0.06)


def test_without_measurement_there_is_nothing_unseen():
    found = concern_gaps(ratings().drop("got"))
    assert found.frame["got"].null_count() == found.frame.height
    assert found.frame["unseen"].null_count() == found.frame.height
    fig = charts.concern_gaps(found)
    assert len({trace.name for trace in fig.data}) == 2


def test_the_chart_shows_every_concern_once():
    found = concern_gaps(ratings())
    fig = charts.concern_gaps(found)
    names = [trace.name for trace in fig.data]
    assert names == ["Perceived", "Got", "Expected"]
    for trace in fig.data:
        assert len(trace.x) == 7
        assert trace.error_x.array is not None


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: concern_gaps(ratings().drop("expected")), "column 'expected'"),
        (lambda: concern_gaps([1]), "polars or pandas"),
        (lambda: concern_gaps(ratings(), method="z"), "no such method"),
        (lambda: concern_gaps(ratings(), level=95), "between 0 and 1"),
        (lambda: concern_gaps(ratings().with_columns(n=pl.lit(3))), "perceived_sd"),
        (lambda: concern_gaps(ratings().with_columns(pl.lit("x").alias("perceived"))), "numbers"),
        (lambda: concern_gaps(
            pl.DataFrame({"concern": ["a", "a"], "perceived": [1.0, 2], "expected": [1.0, 2],
                          "perceived_sd": [1.0, 2], "expected_sd": [1.0, 2], "n": [9, 9]})),
         "stands twice"),
    ],
)  # fmt: skip
def test_bad_input(call, told):
    with pytest.raises(InputError, match=told):
        call()


def test_too_few_ratings_are_refused():
    with pytest.raises(DataError, match="'concern 1': 2"):
        concern_gaps(ratings(2))
    with pytest.raises(DataError, match="no scores"):
        concern_gaps(ratings().clear())
