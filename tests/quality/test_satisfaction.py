"""Satisfaction with those who do not answer: bounds hold what weighting cannot mend."""

import numpy as np
import polars as pl
import pytest

from ccanalytics import quality
from ccanalytics.errors import DataError, InputError


def frame(rows, **more):
    scored = pl.DataFrame(rows, schema={"score": pl.Float64, "surveys": pl.Int64}, orient="row")
    return scored.with_columns(**more)


def test_bounds_are_what_the_silent_could_make_of_it():
    """40 of 100 answer, mean 4.25: all asked have from 0.4·4.25 + 0.6·1 to 0.4·4.25 + 0.6·5."""
    found = quality.satisfaction(frame([(None, 6000), (5, 3000), (2, 1000)]))
    assert found.response.value == pytest.approx(0.4)
    assert found.mean.value == pytest.approx(4.25)
    assert found.top.value == pytest.approx(0.75)
    assert found.mean_bounds.value == pytest.approx((2.3 + 4.7) / 2)
    # Beyond the ends by 1.645 standard errors: only one end can be missed.
    error = np.sqrt((0.6 * 1 + 0.3 * 25 + 0.1 * 4 - 2.3**2) / 10_000)
    assert found.mean_bounds.low == pytest.approx(2.3 - 1.645 * error, rel=1e-4)
    assert found.top_bounds.low == pytest.approx(
        0.3 - 1.645 * np.sqrt(0.3 * 0.7 / 10_000), rel=1e-4
    )
    assert found.top_bounds.high == pytest.approx(
        0.9 + 1.645 * np.sqrt(0.9 * 0.1 / 10_000), rel=1e-4
    )
    # Where all answer the bounds are the plain limits.
    all_said = quality.satisfaction(frame([(5, 3000), (2, 1000)]))
    assert (all_said.mean_bounds.low, all_said.mean_bounds.high) == pytest.approx(
        (all_said.mean.low, all_said.mean.high), abs=1e-4
    )


def test_weighting_mends_what_known_features_explain():
    """Those who waited answer half as often and are less satisfied: 0.5·4.5 + 0.5·2.5 = 3.5."""
    waited = frame([(2, 100), (3, 100), (None, 800)], wait=pl.lit("long"))
    served = frame([(4, 200), (5, 200), (None, 600)], wait=pl.lit("short"))
    found = quality.satisfaction(pl.concat([waited, served]))
    assert found.mean.value == pytest.approx((200 * 2.5 + 400 * 4.5) / 600)
    assert found.mean_weighted.value == pytest.approx(3.5)
    half = 1.96 * np.sqrt(0.25 * (0.25 * 200 / 199) / 200 + 0.25 * (0.25 * 400 / 399) / 400)
    assert found.mean_weighted.high - 3.5 == pytest.approx(half, rel=1e-3)
    assert found.silent.select("level", "response").rows() == [("long", 0.2), ("short", 0.4)]
    assert found.silent["silent_share"].to_list() == pytest.approx([800 / 1400, 600 / 1400])


def test_limits_hold_planted_truth_as_often_as_they_say():
    """Who is unhappy answers more often: bounds hold, those who answered and weights do not."""
    rng = np.random.default_rng(5)
    worlds, n = 300, 800
    shares = np.array([0.05, 0.08, 0.12, 0.3, 0.45])
    answers = np.array([0.9, 0.85, 0.8, 0.8, 0.8])
    truth = float(shares[3:].sum())
    held = naive = 0
    for _ in range(worlds):
        asked = rng.multinomial(n, shares)
        said = rng.binomial(asked, answers)
        rows = [(k + 1.0, int(said[k])) for k in range(5)] + [(None, int(n - said.sum()))]
        found = quality.satisfaction(frame(rows, wait=pl.lit("any")))
        held += found.top_bounds.low <= truth <= found.top_bounds.high
        naive += found.top.low <= truth <= found.top.high
        assert found.top_bounds.low <= found.top.value <= found.top_bounds.high
    assert held >= 0.93 * worlds
    assert naive < held


def test_what_cannot_be_judged_is_refused_or_named():
    with pytest.raises(DataError, match="nobody answered"):
        quality.satisfaction(frame([(None, 50)]))
    with pytest.raises(DataError, match="nobody answered"):
        quality.satisfaction(frame([]))
    with pytest.raises(InputError, match="outside the scale"):
        quality.satisfaction(frame([(7, 3)]))
    with pytest.raises(InputError, match="upwards"):
        quality.satisfaction(frame([(3, 3)]), scale=(5, 1))
    with pytest.raises(InputError, match="within the scale"):
        quality.satisfaction(frame([(3, 3)]), top_from=9)
    rows = frame([(5, 30), (None, 70)], blank=2, unknown_calls=3, too_recent=4)
    told = {c.name: c for c in quality.satisfaction(rows).checks}
    assert "4 surveys were answered without a score" in told["answers without a score"].detail
    assert told["unknown calls"].status == "fails"
    assert "8 surveys may still be answered" in told["sent too recently"].detail
    assert told["weighting"].status == "fails"
    assert told["response"].status == "fails"


def test_small_and_empty_cells_are_said():
    rows = pl.concat(
        [
            frame([(5, 50), (None, 50)], tier=pl.lit("a")),
            frame([(1, 2), (None, 8)], tier=pl.lit("b")),
            frame([(None, 10)], tier=pl.lit("c")),
        ]
    )
    found = quality.satisfaction(rows)
    assert found.cells["cell"].to_list() == ["a", "others"]
    assert any("16.7% of surveys" in c.detail for c in found.checks)  # 20 of 120
