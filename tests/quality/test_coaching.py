"""Coaching of the lowest: before and after is fooled, the comparison is not."""

import os

import numpy as np
import polars as pl
import pytest

from ccanalytics import quality
from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics.effects.ancova import ancova
from ccanalytics.statistics.proportions import wilson

WORLDS = 1000 if os.environ.get("CCANALYTICS_FULL") == "1" else 150


def scores_and_courses(seed=1, n=120, gives=0.0, share=0.2):
    """Scores of reliability 0.64; coaching for the lowest gives so many points."""
    rng = np.random.default_rng(seed)
    skill = rng.normal(74, 8, n)
    before = skill + rng.normal(0, 6, n)
    coached = before < np.quantile(before, share)
    after = skill + rng.normal(0, 6, n) + gives * coached
    names = [f"A{k:03d}" for k in range(n)]
    tests = pl.DataFrame(
        {
            "agent": names * 2,
            "instrument": "test",
            "course": "coaching",
            "occasion": ["pre"] * n + ["post"] * n,
            "at": ["2024-03-01"] * n + ["2024-04-01"] * n,
            "score": np.concatenate([before, after]),
        }
    ).with_columns(pl.col("at").str.to_datetime())
    taken = [name for name, each in zip(names, coached, strict=True) if each]
    courses = pl.DataFrame({"agent": taken, "course": "coaching", "on": "2024-03-10"})
    return tests, courses.with_columns(pl.col("on").str.to_date())


def test_the_gain_is_parted_into_luck_and_coaching():
    found = quality.coaching(*scores_and_courses())
    assert found.by_score
    assert found.grade == "moderate"
    parts = {row["gain"]: row["points"] for row in found.to_frame().iter_rows(named=True)}
    assert parts["before and after, coached"] == pytest.approx(
        parts["would have come without coaching"] + parts["given by coaching"]
    )
    assert parts["would have come without coaching"] == pytest.approx(
        parts["of that: regression to the mean"] + parts["of that: what moved everybody"]
    )
    assert "what moved everybody makes" in found.summary()
    assert found.found.gain.low > 0 > found.effect.low
    assert "would have come without coaching" in found.headline()
    fooled = next(c for c in found.checks if c.name == "Before and after alone")
    assert fooled.status == "fails"
    scores = found.scores
    assert scores.height == 120
    mean = scores.filter("coached")["score_expected"].mean()
    assert mean == pytest.approx(found.found.before + found.found.expected_gain)


@pytest.mark.parametrize("gives", [0.0, 2.0])
def test_before_and_after_is_biased_and_the_comparison_covers(gives):
    held = fooled = shown = 0
    gains, effects = [], []
    for seed in range(WORLDS):
        rng = np.random.default_rng([seed, 5])
        skill = rng.normal(74, 8, 100)
        before = skill + rng.normal(0, 6, 100)
        low = before < np.quantile(before, 0.2)
        found = ancova(before, skill + rng.normal(0, 6, 100) + gives * low, low)
        held += found.effect.low <= gives <= found.effect.high
        shown += found.effect.excludes_zero
        fooled += found.gain.low <= gives <= found.gain.high
        gains.append(found.gain.value)
        effects.append(found.effect.value)
    print(
        f"\ngives {gives}: before/after {np.mean(gains):+.2f}, covers {fooled / WORLDS:.1%}; "
        f"comparison {np.mean(effects):+.2f}, covers {held / WORLDS:.1%}, "
        f"shown {shown / WORLDS:.1%}"
    )
    few, many = wilson(held, WORLDS, level=0.999)
    assert few < 0.97
    assert many > 0.93
    # (1 − r)·distance: 0.36 × 1.4 sd of 10 points.
    assert np.mean(gains) - gives == pytest.approx(5.0, abs=0.5)
    assert wilson(fooled, WORLDS)[1] < 0.5
    assert abs(np.mean(effects) - gives) < 4 * np.std(effects) / WORLDS**0.5
    if not gives:
        assert wilson(shown, WORLDS, level=0.999)[0] < 0.05 < wilson(shown, WORLDS, level=0.999)[1]


def test_a_line_that_bends_at_the_cut_makes_it_weak():
    tests, courses = scores_and_courses(n=400)
    taken = courses["agent"].to_list()
    pre = tests.filter(occasion="pre").select("agent", pre="score")
    bent = tests.join(pre, on="agent").with_columns(
        score=pl.when((pl.col("occasion") == "post") & pl.col("agent").is_in(taken))
        .then(pl.col("score") + 2 * (66 - pl.col("pre")))
        .otherwise("score")
    )
    found = quality.coaching(bent, courses)
    assert found.grade == "weak"
    assert "not straight" in found.reason


def test_what_cannot_be_told_is_refused():
    tests, courses = scores_and_courses()
    with pytest.raises(DataError, match="without a test before and one after"):
        quality.coaching(tests.filter(occasion="pre"), courses, "coaching")
    with pytest.raises(DataError, match="too few to compare"):
        quality.coaching(tests.join(courses, on="agent", how="semi"), courses, "coaching")
    with pytest.raises(DataError, match="nobody took this course"):
        quality.coaching(tests, courses, "yoga")
    with pytest.raises(DataError, match="cannot be told"):
        quality.coaching(tests.with_columns(course=pl.lit("another")), courses)
    with pytest.raises(InputError, match="no such test after"):
        quality.coaching(tests, courses, occasion="tomorrow")
    two = pl.concat([tests, tests.with_columns(instrument=pl.lit("other"))])
    with pytest.raises(InputError, match="several tests"):
        quality.coaching(two, courses, "coaching")
    with pytest.raises(DataError, match="holds no course"):
        quality.courses(courses.clear())


def test_few_agents_make_it_weak_and_those_tested_once_are_counted():
    tests, courses = scores_and_courses(n=30)
    gone = tests.filter(~((pl.col("agent") == "A000") & (pl.col("occasion") == "post")))
    found = quality.coaching(gone, courses)
    assert found.grade == "weak"
    assert any("1 agent left out" in check.detail for check in found.checks)
