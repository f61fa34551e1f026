"""Errors that reviews find: published intervals, samples kept apart, planted shares recovered."""

import numpy as np
import polars as pl
import pytest

from ccanalytics import quality
from ccanalytics.errors import DataError, InputError


def seen(failed, items, sampled="random", **more):
    return pl.DataFrame(
        {
            "sampled": [sampled], "reviews": [items], "reviews_failed": [failed],
            "items_marked": [items], "items_failed": [failed], **more,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("right", "reviews", "low", "high"),
    [
        (5, 5, 56.6, 100), (4, 5, 37.6, 96.4), (17, 20, 64.0, 94.8), (85, 100, 76.7, 90.7),
        (10, 100, 5.52, 17.44), (0, 50, 0, 7.13),
    ],
)  # fmt: skip
def test_limits_are_the_published_ones(right, reviews, low, high):
    for what in ("item_error", "critical_error"):
        found = quality.error_rates(seen(reviews - right, reviews)).of("random", what)
        assert 100 * (1 - found.high) == pytest.approx(low, abs=0.051)
        assert 100 * (1 - found.low) == pytest.approx(high, abs=0.051)


def test_samples_are_never_added_up():
    found = quality.error_rates(pl.concat([seen(5, 100), seen(30, 60, "targeted")]))
    assert found.overall["sampled"].to_list() == ["random", "targeted"]
    assert found.of("random").value == pytest.approx(0.05)
    assert found.of("targeted").value == pytest.approx(0.5)
    assert found.of("unknown") is None
    assert "5.0%" in found.headline()
    assert "50.0%" not in found.headline()


def test_items_of_one_review_that_fail_together_count_as_one():
    """Twenty reviews of five items, each wholly right or wholly wrong: twenty trials, not 100."""
    frame = pl.DataFrame(
        {
            "sampled": ["random"], "reviews": [40], "items_marked": [200], "items_failed": [50],
            "items_failed_nn": [40 * 25], "items_failed_xn": [10 * 25],
            "items_failed_xx": [10 * 25],
        }
    )  # fmt: skip
    found = quality.error_rates(frame)
    assert found.overall["design_effect"][0] == pytest.approx(5)
    alone = quality.error_rates(seen(10, 40)).of("random")
    together = found.of("random")
    assert (together.low, together.high) == pytest.approx((alone.low, alone.high))
    assert found.overall["critical_error"][0] is None


def test_strata_are_weighted_by_their_calls():
    """0.9·0.1 + 0.1·0.5; variance Σ W²·p(1 − p)/(n − 1), each stratum's own (Cochran)."""
    frame = pl.concat([seen(10, 100, agent=["a"]), seen(50, 100, agent=["b"])])
    calls = pl.DataFrame({"agent": ["a", "b"], "answered": [900, 100]})
    found = quality.error_rates(frame, calls=calls)
    assert found.of("random").value == pytest.approx(0.3)
    assert found.at_large.value == pytest.approx(0.14)
    half = 1.96 * np.sqrt((0.9**2 * 0.1 * 0.9 + 0.1**2 * 0.5 * 0.5) / 99)
    assert found.at_large.high - found.at_large.low == pytest.approx(2 * half, rel=0.02)
    # One call each has no spread of its own: that of all together is taken.
    one = quality.error_rates(
        pl.concat([seen(1, 1, agent=["a"]), seen(0, 1, agent=["b"])]), calls=calls
    )
    assert one.at_large.low < 0.3
    assert one.at_large.high > 0.95
    # Calls of somebody nobody looked at: said, and taken to be like the others.
    more = pl.concat([calls, pl.DataFrame({"agent": ["c"], "answered": [1000]})])
    told = quality.error_rates(frame, calls=more)
    assert told.at_large.value == pytest.approx(0.14)
    assert any("50.0% of calls" in c.detail and c.status == "fails" for c in told.checks)


def test_the_random_sample_holds_the_truth_and_both_together_do_not():
    """1,000 worlds of 600 random reviews, and 200 of calls chosen because they looked wrong."""
    rng = np.random.default_rng(7)
    worlds, share, bad = 1000, 0.08, 0.2
    # Items of a call are alike.
    random = rng.binomial(5, rng.beta(0.8, 0.8 * (1 / share - 1), (worlds, 600)))
    targeted = rng.binomial(5, rng.beta(0.8, 0.8 * (1 / bad - 1), (worlds, 200)))

    def frame(x, sampled):
        n = x.shape[1]
        return pl.DataFrame(
            {
                "world": [str(i) for i in range(worlds)], "sampled": sampled, "reviews": n,
                "items_marked": 5 * n, "items_failed": x.sum(1), "items_failed_nn": 25 * n,
                "items_failed_xn": 5 * x.sum(1), "items_failed_xx": (x * x).sum(1),
            }
        )  # fmt: skip

    def held(found, truth):
        return ((found["item_error_low"] <= truth) & (found["item_error_high"] >= truth)).mean()

    apart = quality.error_rates(pl.concat([frame(random, "random"), frame(targeted, "targeted")]))
    for sampled, truth in (("random", share), ("targeted", bad)):
        mine = apart.groups.filter(pl.col("sampled") == sampled)
        assert mine.height == worlds
        assert 0.93 <= held(mine, truth) <= 0.97  # three standard errors about 95%
    both = quality.error_rates(frame(np.hstack([random, targeted]), "random"))
    assert held(both.groups, share) < 0.1


def test_few_reviews_rank_nobody():
    frame = pl.concat([seen(0, 5, agent=["a"]), seen(3, 60, agent=["b"])])
    found = quality.error_rates(frame)
    (check,) = [c for c in found.checks if c.name == "few reviews"]
    assert check.status == "fails"
    assert "1 agent of 2 has fewer than 30" in check.detail
    assert "43%" in check.detail  # 100 − 56.6
    assert found.table()["agent"].to_list() == ["a", "b"]  # by name: no league table


def test_what_cannot_be_judged_is_named():
    frame = seen(3, 60).with_columns(unmarked=4, repeated=1, unknown_calls=2)
    found = {c.name: c for c in quality.error_rates(frame).checks}
    assert "4 items without a mark are left out" in found["unmarked"].detail
    assert "1 review of a call that was reviewed before counts once" in found["repeated"].detail
    assert "2 reviews are of calls" in found["unknown calls"].detail
    assert found["unknown calls"].status == "fails"
    only = quality.error_rates(seen(3, 60, "targeted"))
    assert only.headline() == (
        "No call was reviewed at random, so how often calls go wrong is not known."
    )
    assert any(c.name == "random sample" and c.status == "fails" for c in only.checks)
    unknown = quality.error_rates(seen(3, 60, None))
    assert any(c.name == "how calls were chosen" for c in unknown.checks)
    with pytest.raises(DataError, match="no item"):
        quality.error_rates(seen(0, 0))
    with pytest.raises(InputError, match="more were wrong"):
        quality.error_rates(seen(4, 3))
    with pytest.raises(InputError, match="lacks a column"):
        quality.error_rates(pl.DataFrame({"sampled": ["random"]}))
    with pytest.raises(InputError, match="no such key"):
        quality.error_rates(seen(3, 60), by=["agent"])
    with pytest.raises(InputError, match="strata"):
        quality.error_rates(seen(3, 60), calls=pl.DataFrame({"answered": [3]}))


def test_pandas_frames_do_as_well():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(seen(3, 60).to_dict(as_series=False))
    assert quality.error_rates(frame).of("random").value == pytest.approx(0.05)
