import datetime as dt

import numpy as np
import polars as pl
import pytest

from ccanalytics import deflection
from ccanalytics.errors import DataError, InputError

MONDAY = dt.datetime(2024, 1, 1)
WEEK = 7 * 86400


def panel(calls, lengths=None):
    """A weekly panel as the call log gives it: unit → counts, all from the same Monday."""
    frames = []
    for unit, counts in calls.items():
        n = len(counts)
        frames.append(
            pl.DataFrame(
                {
                    "local_start": [MONDAY + dt.timedelta(weeks=k) for k in range(n)],
                    "interval_s": lengths or [WEEK] * n,
                    "unit": [unit] * n,
                    "offered": np.asarray(counts, dtype=int) + 10,
                    "first_attempts": np.asarray(counts, dtype=int),
                },
                schema_overrides={"unit": pl.String},
            )
        )
    return pl.concat(frames)


def rollouts(live, treatment="sms_before", unit_kind="service"):
    return pl.DataFrame(
        {
            "unit_kind": unit_kind,
            "unit": list(live),
            "treatment": treatment,
            "planned_on": None,
            "live_on": list(live.values()),
            "randomised": False,
        },
        schema_overrides={"live_on": pl.Date, "planned_on": pl.Date, "unit": pl.String},
    )


def day(week):
    return (MONDAY + dt.timedelta(weeks=week, days=2)).date()


def stepped(n, at, effect, level, seed):
    rng = np.random.default_rng(seed)
    return rng.poisson(level * np.where(np.arange(n) > at, 1 + effect, 1))


def test_each_unit_and_the_total():
    calls = {"Q01": stepped(52, 25, -0.2, 2000, 1), "T01": stepped(52, 25, 0, 1000, 2)}
    calls[None] = stepped(52, 25, 0, 300, 3)
    live = {"Q01": day(25), "T01": day(25)}
    answer = deflection.before_after(panel(calls), rollouts(live), treatment="sms_before")
    assert [effect.unit for effect in answer.effects] == ["Q01", "T01"]
    big, small = answer.effects
    assert big.relative.low < -0.2 < big.relative.high
    assert not small.relative.excludes_zero
    total = answer.total
    assert total.relative.low < -400 / 3300 < total.relative.high
    assert total.weeks_before == 25
    assert total.weeks_after == 26
    assert all(effect.grade == "weak" for effect in (*answer.effects, total))
    together = answer.together
    assert together.units == 2
    assert together.relative.low < -400 / 3000 < together.relative.high
    assert together.removed_per_week.low < 400 < together.removed_per_week.high
    words = answer.summary()
    assert words.startswith("sms before, 2 services together: ")
    assert "Grade: weak" in words
    assert "One by one, 1 of 2 shows a change, where chance alone would show about 0.1" in words
    assert "1 stands out" in words
    assert "Of those that show one, 1 had fewer calls, 0 more" in words
    assert answer.to_frame()["stands_out"].to_list() == [True, False]
    assert "All calls as one series: " in words
    frame = answer.to_frame()
    assert frame.height == 2
    assert answer.effect("T01") is small
    assert answer.or_refuse().main is big


def test_units_without_enough_weeks_are_listed_with_the_reason():
    calls = {
        name: stepped(40, 20, -0.1, 500, 4) for name in ("early", "late", "outside", "planned")
    }
    calls["zero"] = np.zeros(40)
    live = {"early": day(3), "late": day(35), "outside": dt.date(2030, 1, 1), "planned": None}
    live |= {"zero": day(20), "unknown": day(20)}
    answer = deflection.before_after(panel(calls), rollouts(live))
    assert answer.effects == ()
    assert set(answer.refused) == set(live)
    assert "3 weeks, at least 8" in answer.refused["early"]
    assert "after the change" in answer.refused["late"]
    assert "outside" in answer.refused["outside"]
    assert "planned" in answer.refused["planned"]
    assert "no calls" in answer.refused["zero"]
    assert "the log holds no calls about it" in answer.refused["unknown"]
    assert answer.to_frame()["refused"].null_count() == 0
    assert "6 services were left out, with reasons" in answer.summary()
    assert answer.total is None
    assert answer.total_refused in answer.summary()
    with pytest.raises(DataError, match="nothing can be said of sms before"):
        answer.or_refuse()


def test_staggered_roll_outs_make_one_total_by_exposure():
    rng = np.random.default_rng(8)
    n, at = 78, np.array([26, 32, 38, 44, 50, 56])
    week = np.arange(n)
    calls = {
        f"S{k}": rng.poisson(800 * np.where(week >= a, 0.85, 1) * np.exp(0.001 * week))
        for k, a in enumerate(at)
    }
    live = {f"S{k}": (MONDAY + dt.timedelta(weeks=int(a))).date() for k, a in enumerate(at)}
    answer = deflection.before_after(panel(calls), rollouts(live))
    total = answer.total
    base = 800 * np.exp(0.001 * week)
    after = week >= 26
    done = np.array([np.where(week >= a, 0.85, 1) for a in at])
    truth = (base * done)[:, after].sum() / (6 * base[after].sum()) - 1
    assert total.relative.low < truth < total.relative.high
    assert abs(total.relative.value - truth) < 0.02
    assert "share of the series that is treated" in total.method


def test_weeks_in_part_are_left_out():
    calls = {"Q01": stepped(42, 20, -0.1, 500, 5)}
    calls["Q01"][0] = calls["Q01"][-1] = 3
    lengths = [2 * 86400, *[WEEK] * 9, WEEK - 3600, *[WEEK] * 30, 86400]
    answer = deflection.before_after(panel(calls, lengths), rollouts({"Q01": day(20)}))
    assert answer.effects[0].weeks_before == 19
    assert answer.effects[0].series["calls"].min() > 100
    assert any("2 weeks that the log covers in part" in check.detail for check in answer.checks)


def test_another_roll_out_on_the_same_units_is_estimated_beside_this_one():
    week = np.arange(78)
    mean = 4000 * np.where(week > 26, 0.9, 1) * np.where(week > 45, 0.8, 1)
    calls = {"Q01": np.random.default_rng(1).poisson(mean)}
    both = pl.concat([rollouts({"Q01": day(26)}), rollouts({"Q01": day(45)}, treatment="web_hall")])
    answer = deflection.before_after(panel(calls), both, treatment="sms_before")
    change = answer.effects[0].relative
    assert change.low < -0.1 < change.high
    assert change.value == pytest.approx(-0.1, abs=0.02)
    assert "beside Web channel" in answer.effects[0].method
    check = next(check for check in answer.checks if check.name == "other changes")
    assert "Web channel (1)" in check.detail
    with pytest.raises(InputError, match="one of sms_before, web_hall"):
        deflection.before_after(panel(calls), both)
    with pytest.raises(DataError, match="nothing of this name"):
        deflection.before_after(panel(calls), both, treatment="app")


def test_two_roll_outs_in_the_same_week_are_refused():
    calls = {"Q01": stepped(52, 25, -0.2, 2000, 1)}
    both = pl.concat([rollouts({"Q01": day(25)}), rollouts({"Q01": day(25)}, treatment="web_hall")])
    answer = deflection.before_after(panel(calls), both, treatment="sms_before")
    assert "cannot be told from another" in answer.refused["Q01"]
    assert "cannot be told from another" in answer.total_refused


def test_units_live_before_the_log_belong_to_the_level_of_the_total():
    calls = {"old": stepped(60, 99, 0, 1000, 3), "new": stepped(60, 30, -0.3, 1000, 4)}
    live = {"old": dt.date(2020, 1, 1), "new": day(30)}
    answer = deflection.before_after(panel(calls), rollouts(live))
    assert "outside the weeks" in answer.refused["old"]
    change = answer.total.relative
    assert change.low < -0.15 < change.high
    only_old = deflection.before_after(panel(calls), rollouts({"old": dt.date(2020, 1, 1)}))
    assert "no unit went live within these weeks" in only_old.total_refused


def test_without_roll_outs_the_answer_says_so():
    calls = {"Q01": stepped(52, 25, -0.2, 2000, 1)}
    answer = deflection.before_after(panel(calls), rollouts({}), treatment="sms_before")
    assert answer.empty
    assert answer.summary().count(".") == 1
    assert "no roll-out dates" in answer.summary()
    assert answer.to_frame().height == 0
    with pytest.raises(DataError, match="no roll-out dates"):
        answer.or_refuse()


def test_offered_calls_carry_a_warning():
    calls = {"Q01": stepped(52, 25, -0.2, 2000, 1)}
    answer = deflection.before_after(panel(calls), rollouts({"Q01": day(25)}), count="offered")
    check = next(check for check in answer.checks if check.name == "redials")
    assert check.status == "fails"
    assert answer.effects[0].series["calls"][0] == calls["Q01"][0] + 10


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"panel": panel({"a": [5] * 20}).drop("first_attempts")}, "missing: first_attempts"),
        ({"panel": panel({"a": [5] * 20}, [86400 * 28] * 20)}, "must be by week"),
        ({"panel": panel({"a": [5] * 20}, [86400] * 20)}, "must be by week"),
        ({"panel": panel({"a": [-5] * 20})}, "first_attempts=-5"),
        ({"rollouts": rollouts({"a": day(9)}).drop("live_on")}, "missing: live_on"),
        ({"rollouts": 7}, "got int"),
        ({"level": 95}, "level=95"),
    ],
)
def test_bad_input_is_named(change, words):
    given = {"panel": panel({"a": [5] * 20}), "rollouts": rollouts({"a": day(9)})}
    with pytest.raises(InputError) as caught:
        deflection.before_after(**(given | change))
    assert words in str(caught.value)


def test_no_such_unit():
    answer = deflection.before_after(panel({"a": [50] * 20}), rollouts({"a": day(2)}))
    with pytest.raises(InputError, match="2 weeks, at least 8"):
        answer.effect("a")
    with pytest.raises(InputError, match="never went live"):
        answer.effect("b")
