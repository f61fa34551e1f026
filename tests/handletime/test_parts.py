import math

import polars as pl
import pytest

from ccanalytics import handletime
from ccanalytics.errors import DataError, InputError


def intervals(**changes):
    frame = {
        "service": ["A", "A", "B"],
        "handled": [10, 0, 5],
        "talk_s": [1000.0, 0.0, 300.0],
        "hold_s": [200.0, 0.0, 0.0],
        "wrap_s": [300.0, 0.0, 200.0],
    } | changes
    return pl.DataFrame(frame, schema_overrides=dict.fromkeys(["talk_s", "hold_s"], pl.Float64))


def test_shares_and_means():
    answer = handletime.parts(intervals(), by=["service"])
    assert answer.overall["share"].to_list() == [1300 / 2000, 200 / 2000, 500 / 2000]
    assert answer.overall["mean_s"].to_list() == pytest.approx([1300 / 15, 200 / 15, 500 / 15])
    b = answer.rows.filter(pl.col("service") == "B")
    assert dict(zip(b["part"], b["share"], strict=True)) == {
        "talk": 0.6,
        "hold": 0,
        "after-call work": 0.4,
    }
    assert "65.0% is talk (86.7 s), 10.0% is hold" in answer.summary()
    assert answer.unknown == ()


def test_parts_that_the_log_never_has_are_unknown_not_zero():
    answer = handletime.parts(intervals(hold_s=[None] * 3))
    assert answer.unknown == ("hold",)
    hold = answer.overall.filter(pl.col("part") == "hold").row(0, named=True)
    assert (hold["known"], hold["share"], hold["mean_s"]) == (False, None, None)
    assert "Hold is unknown, not zero" in answer.summary()


def test_talk_alone_says_nothing_about_the_composition():
    answer = handletime.parts(intervals(hold_s=[None] * 3, wrap_s=[None] * 3))
    assert answer.summary().startswith("The log has talk only: 86.7 s")
    assert "Hold and after-call work are unknown, not zero" in answer.summary()
    with pytest.raises(DataError, match="the log has talk only"):
        answer.or_refuse()
    assert handletime.parts(intervals(hold_s=[None] * 3)).or_refuse().unknown == ("hold",)


def test_a_group_without_the_part_is_unknown_for_itself():
    answer = handletime.parts(intervals(hold_s=[200.0, None, None]), by="service")
    known = answer.rows.filter(pl.col("part") == "hold")
    assert dict(zip(known["service"], known["known"], strict=True)) == {"A": True, "B": False}


@pytest.mark.parametrize(
    ("frame", "by", "error", "words"),
    [
        (intervals().drop("wrap_s"), (), InputError, "missing: wrap_s"),
        (intervals(talk_s=[-1.0, 0, 0]), (), InputError, "talk_s=-1"),
        (intervals(talk_s=[math.nan, 0, 0]), (), InputError, "talk_s=nan"),
        (intervals(), ("queue",), InputError, "by='queue'"),
        (intervals(handled=[0, 0, 0]), (), DataError, "no call was handled"),
        (
            intervals(talk_s=[None] * 3, hold_s=[None] * 3, wrap_s=[None] * 3),
            (),
            DataError,
            "knows no part",
        ),
    ],
)
def test_refusals(frame, by, error, words):
    with pytest.raises(error) as caught:
        handletime.parts(frame, by)
    assert words in str(caught.value)
