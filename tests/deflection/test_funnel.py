import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccanalytics import deflection
from ccanalytics.deflection.shares import product_limits
from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics import wilson

COUNTS = ["eligible", "sent", "accepted", "delivered", "completed", "followed", "recontacted"]


def rows(*extra):
    """SMS before the call for two services, during the call, and the web, at 1 and 7 days."""
    data = []
    for channel, stage, service, counts in (
        ("sms", "before_call", "Q01", [2000, 1000, 400, 398, 390, 300, 60]),
        ("sms", "before_call", "T01", [1000, 600, 120, 120, 90, 80, 40]),
        ("sms", "during_call", "Q01", [2000, 500, 350, 340, 340, 300, 90]),
        ("web", "own_initiative", "Q01", [2500, 700, 690, 690, 500, 450, 50]),
        *extra,
    ):
        for days, factor in ((1, 0.5), (7, 1)):
            data.append(
                {"channel": channel, "stage": stage, "service": service, "window_days": days}
                | dict(zip(COUNTS, counts, strict=True))
                | {"recontacted": int(counts[-1] * factor)}
            )
    return pl.DataFrame(data)


def empty():
    return rows().clear()


def one(frame, **keys):
    for name, value in keys.items():
        frame = frame.filter(pl.col(name) == value)
    assert frame.height == 1
    return frame.row(0, named=True)


def test_shares_by_hand():
    answer = deflection.funnel(rows())
    row = one(answer.rows, stage="before_call", service="Q01", window_days=7)
    assert row["acceptance"] == 0.4
    assert row["delivery"] == 398 / 400
    assert row["completion"] == 390 / 400
    assert row["leakage"] == 0.2
    assert row["gross_deflection"] == 0.195
    assert row["net_deflection"] == pytest.approx(0.195 * 0.8)
    assert (row["acceptance_low"], row["acceptance_high"]) == wilson(400, 1000)
    assert (row["leakage_low"], row["leakage_high"]) == wilson(60, 300)
    assert one(answer.rows, stage="before_call", service="Q01", window_days=1)["leakage"] == 0.1


def test_totals_add_counts_not_shares():
    answer = deflection.funnel(rows())
    row = one(answer.totals, stage="before_call", window_days=7)
    assert (row["sent"], row["accepted"], row["recontacted"]) == (1600, 520, 100)
    assert row["acceptance"] == 520 / 1600
    found = answer.share("net_deflection", "sms", "before_call")
    assert found.value == pytest.approx(480 / 3000 * (1 - 100 / 380))
    assert found.low < found.value < found.high


def test_assists_during_a_call_remove_none():
    answer = deflection.funnel(rows())
    for frame in (answer.rows, answer.totals):
        during = frame.filter(pl.col("stage") == "during_call")
        assert during["acceptance"].null_count() == 0
        assert during["gross_deflection"].null_count() == during.height
        assert during["net_deflection"].null_count() == during.height
    assert answer.share("net_deflection", "sms", "during_call") is None
    assert "its 340 completed assists remove no call" in answer.summary()


def test_the_words_warn_that_net_deflection_is_not_calls_saved():
    words = deflection.funnel(rows()).summary()
    assert "not calls saved" in words
    assert "within 7 days" in words
    assert "acceptance 32.5% (30.2% to 34.8%)" in words


def test_an_empty_log_is_one_sentence():
    answer = deflection.funnel(empty())
    assert answer.empty
    assert answer.summary().count(".") == 1
    assert "no self-service records" in answer.summary()
    assert answer.places == []
    assert answer.steps().height == 0
    assert answer.to_frame().height == 0
    assert "no self-service records" in answer._repr_html_()
    with pytest.raises(DataError, match="no self-service records"):
        answer.or_refuse()
    assert deflection.funnel(rows()).or_refuse().empty is False


def test_steps_end_with_those_who_stayed():
    steps = deflection.funnel(rows()).steps()
    assert steps["channel"].to_list()[0] == "sms"
    mine = steps.filter(pl.col("channel") == "web")
    assert mine["step"].to_list() == ["sent", "accepted", "delivered", "completed", "stayed"]
    assert mine["contacts"].to_list()[-1] == pytest.approx(500 * (1 - 50 / 450))
    assert mine["share_of_sent"][0] == 1


def test_unknown_parts_are_unknown_not_zero():
    frame = rows().with_columns(delivered=pl.lit(None, pl.Int64))
    answer = deflection.funnel(frame)
    assert answer.rows["delivery"].null_count() == frame.height
    assert answer.rows["completion"].null_count() == 0
    assert answer.totals["delivered"].null_count() == answer.totals.height


def test_delivery_below_completion_was_not_recorded():
    frame = rows().with_columns(
        delivered=pl.when(pl.col("channel") == "web").then(0).otherwise("delivered")
    )
    answer = deflection.funnel(frame)
    assert answer.share("delivery", "web", "own_initiative") is None
    assert answer.share("delivery", "sms", "before_call") is not None
    assert any(check.name == "delivery" for check in answer.checks)
    web = answer.steps().filter(pl.col("channel") == "web")
    assert web["contacts"].to_list()[2] is None


def test_no_trials_give_no_share():
    answer = deflection.funnel(rows(("app", "own_initiative", "Q01", [0] * 7)))
    row = one(answer.rows, channel="app", window_days=7)
    assert all(row[name] is None for name in ("acceptance", "leakage", "net_deflection"))


def test_completed_beyond_eligible_is_said_and_left_out():
    answer = deflection.funnel(rows(("app", "before_call", "Q01", [10, 50, 40, 40, 40, 40, 4])))
    assert any(c.status == "fails" and "eligible" in c.name for c in answer.checks)
    assert one(answer.rows, channel="app", window_days=7)["gross_deflection"] is None


def test_pandas_in_polars_out():
    answer = deflection.funnel(pd.DataFrame(rows().to_dict(as_series=False)))
    assert isinstance(answer.rows, pl.DataFrame)
    assert answer.rows.equals(deflection.funnel(rows()).rows)


def test_without_keys_and_with_others():
    bare = rows().filter(pl.col("service") == "Q01").drop("service")
    assert deflection.funnel(bare).keys == ()
    assert deflection.funnel(rows().rename({"service": "client"})).keys == ("client",)


shares = st.integers(0, 1000).map(lambda k: k / 1000)


@given(st.tuples(shares, shares, shares), st.tuples(shares, shares, shares))
def test_limits_of_a_product_stay_between_those_of_the_corners(first, second):
    first, second = sorted(first), sorted(second)
    p, q = (tuple(np.array([v]) for v in (side[1], side[0], side[2])) for side in (first, second))
    low, high = product_limits(p, q)
    product = p[0] * q[0]
    assert p[1] * q[1] - 1e-12 <= low <= product + 1e-12
    assert product - 1e-12 <= high <= p[2] * q[2] + 1e-12


def test_net_deflection_covers_the_planted_share():
    """400 seeded worlds of one channel: near 95% of the intervals hold the truth (99.9% limits)."""
    rng = np.random.default_rng(11)
    n = 400
    completed = rng.binomial(3000, 0.2, n)
    followed = (completed * 0.8).astype(int)
    again = rng.binomial(followed, 0.15)
    frame = pl.DataFrame(
        {
            "channel": "sms",
            "stage": "before_call",
            "world": range(n),
            "window_days": 7,
            "eligible": 3000,
            "sent": 3000,
            "accepted": completed,
            "delivered": completed,
            "completed": completed,
            "followed": followed,
            "recontacted": again,
        }
    )
    found = deflection.funnel(frame).rows
    truth = 0.2 * 0.85
    hits = ((found["net_deflection_low"] <= truth) & (found["net_deflection_high"] >= truth)).sum()
    assert 363 <= hits <= 394


@pytest.mark.parametrize(
    ("frame", "settings", "words"),
    [
        (rows().drop("sent"), {}, "missing: sent"),
        (rows().with_columns(sent=pl.lit(-5)), {}, "sent=-5"),
        (rows().with_columns(sent=pl.lit("x")), {}, "'sent' must hold numbers"),
        (rows().with_columns(accepted=pl.lit(5000)), {}, "more were accepted than sent"),
        (rows().with_columns(recontacted=pl.lit(900)), {}, "recontacted than followed"),
        (pl.concat([rows(), rows()]), {}, "same channel"),
        ([1, 2], {}, "got list"),
        (rows(), {"window_days": 30}, "one of 1, 7"),
        (rows(), {"level": 95}, "level=95"),
    ],
)
def test_bad_input_is_named(frame, settings, words):
    with pytest.raises(InputError) as caught:
        deflection.funnel(frame, **settings)
    assert words in str(caught.value)


def test_a_share_that_does_not_exist():
    answer = deflection.funnel(rows())
    with pytest.raises(InputError, match="no such share"):
        answer.share("magic", "sms", "before_call")
    with pytest.raises(InputError, match="no such row"):
        answer.share("leakage", "fax", "before_call")
