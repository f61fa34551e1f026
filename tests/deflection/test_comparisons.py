import datetime as dt
import json

import numpy as np
import polars as pl
import pytest

from ccanalytics import deflection
from ccanalytics.errors import DataError, InputError

MONDAY = dt.datetime(2024, 1, 1)
WEEK = np.arange(60)


def frames(effects, refused=False):
    """A panel of two units, and one treatment per effect, each live in weeks of its own."""
    rng = np.random.default_rng(9)
    weeks = [MONDAY + dt.timedelta(weeks=int(k)) for k in WEEK]
    panel, rollouts = [], []
    for n, unit in enumerate(("A", "B")):
        mean = 3000.0 * np.ones(60)
        for m, (treatment, effect) in enumerate(effects.items()):
            at = 3 if refused else 15 + 12 * m + 4 * n
            mean *= np.where(at < WEEK, 1 + effect, 1)
            rollouts.append(
                {
                    "unit_kind": "service",
                    "unit": unit,
                    "treatment": treatment,
                    "live_on": weeks[at].date(),
                }
            )
        panel.append(
            pl.DataFrame(
                {
                    "local_start": weeks,
                    "interval_s": 604800,
                    "unit": unit,
                    "first_attempts": rng.poisson(mean),
                }
            )
        )
    schema = {"unit_kind": pl.String, "unit": pl.String, "treatment": pl.String, "live_on": pl.Date}
    return pl.concat(panel), pl.DataFrame(rollouts, schema=schema)


def test_each_treatment_beside_the_others_the_largest_first():
    answers = deflection.before_after_each(*frames({"small": -0.05, "big": -0.2, "none": 0.0}))
    assert [answer.treatment for answer in answers.answers] == ["big", "small", "none"]
    for name, truth in (("small", -0.05), ("big", -0.2), ("none", 0.0)):
        change = answers.of(name).together.relative
        assert change.low < truth < change.high
    assert answers.of().treatment == "big"
    frame = answers.to_frame()
    assert frame["units"].to_list() == [2, 2, 2]
    words = answers.summary()
    assert words.startswith("big, 2 services together: ")
    assert "none, 2 services together: no change that the data can show" in words
    assert "Grade: weak" in words
    with pytest.raises(InputError, match="one of big, small, none"):
        answers.of("fax")


def test_nothing_to_compare():
    panel, rollouts = frames({"x": -0.1})
    nothing = deflection.before_after_each(panel, rollouts.clear())
    assert nothing.empty
    assert nothing.summary().count(".") == 1
    with pytest.raises(DataError, match="no roll-out dates"):
        nothing.or_refuse()
    refused = deflection.before_after_each(*frames({"x": -0.1}, refused=True))
    assert refused.empty
    assert "none of 2 services could be estimated" in refused.summary()
    with pytest.raises(DataError, match="nothing can be said of x"):
        refused.or_refuse()
    left = refused.of("x").left_out({"A": "Balance"})
    assert left.columns == ["unit", "name", "refused"]
    assert left["name"].to_list() == ["Balance", None]


def test_the_sample_centre_gives_its_truth_back(small_centre):
    """End to end from exports: what each channel truly removed lies in its interval.

    The truth of a channel is the world with both channels less the world without it, over the
    weeks after each service went live. An assist during the call removes nothing.
    """
    folder, log = small_centre
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    counted = truth["service_weeks"]
    worlds = {name: np.array(world["requests"]) for name, world in counted["worlds"].items()}
    answers = deflection.before_after_each(log.panel(), log.table("rollouts"))
    for treatment, other in (("sms_assist_before", "web_only"), ("web_hall", "sms_only")):
        answer = answers.of(treatment)
        came = without = 0.0
        for effect in answer.effects:
            row = counted["services"].index(effect.unit)
            after = (effect.series["phase"] == "after").to_numpy()
            came += worlds["both"][row][after].mean()
            without += worlds[other][row][after].mean()
        change = answer.together.relative
        assert change.low <= came / without - 1 <= change.high
    during = answers.of("sms_assist_during").together.relative
    assert during.low <= 0 <= during.high

    funnel = deflection.funnel(log.self_service())
    contacts = truth["overall"]["contacts"]
    sms = funnel.totals.filter(
        (pl.col("stage") == "before_call") & (pl.col("window_days") == 7)
    ).row(0, named=True)
    assert sms["sent"] == contacts["sms_offered"]
    assert sms["accepted"] == contacts["sms_accepted"]
    assert sms["completed"] == contacts["sms_completed"]
    # Those who came back because of the contact are in it; so are some who called by chance.
    caused = contacts["sms_completed_returned_7d"] / contacts["sms_completed"]
    assert caused - 0.01 < sms["leakage"] < caused + 0.03
