import datetime as dt

import numpy as np
import polars as pl
import pytest

from ccanalytics import deflection
from ccanalytics.errors import DataError, InputError

MONDAY = dt.datetime(2024, 1, 1)
WEEKS = [MONDAY + dt.timedelta(weeks=k) for k in range(60)]
COUNTS = ["eligible", "sent", "accepted", "delivered", "completed", "followed", "recontacted"]


def funnel(*places):
    rows = [
        {"channel": channel, "stage": stage, "service": "Q01", "window_days": 7}
        | dict(zip(COUNTS, [eligible, 1000, 500, 500, completed, completed, 40], strict=True))
        for channel, stage, eligible, completed in places
    ]
    schema = {"channel": pl.String, "stage": pl.String, "service": pl.String}
    schema |= dict.fromkeys(["window_days", *COUNTS], pl.Int64)
    return deflection.funnel(pl.DataFrame(rows, schema=schema))


def comparisons(treatment=None, effect=-0.2, at=30):
    rng = np.random.default_rng(5)
    mean = 3000 * np.where(np.arange(60) > at, 1 + effect, 1)
    panel = pl.DataFrame(
        {"local_start": WEEKS, "interval_s": 604800, "unit": "Q01"}
        | {"first_attempts": rng.poisson(mean)}
    )
    schema = {"unit_kind": pl.String, "unit": pl.String, "treatment": pl.String, "live_on": pl.Date}
    live = [("service", "Q01", treatment, WEEKS[at].date())] if treatment else []
    return deflection.before_after_each(panel, pl.DataFrame(live, schema=schema, orient="row"))


BOTH = (("web", "own_initiative", 9000, 400), ("sms", "before_call", 5000, 300))


def test_calls_removed_come_first_and_the_shares_are_not_called_savings():
    answers = comparisons("sms_assist_before")
    answer = deflection.overview(funnel(*BOTH), answers).or_refuse()
    together = answers.of().together
    first, second, third = answer.summary().split(". ")[:3]
    assert first.startswith("Once live, SMS-assist before the call took away ")
    assert f"{-together.relative.value:.1%} of the calls about its 1 service" in first
    assert f"{together.removed_per_week.value:,.0f} a week" in first
    assert "weak estimate" in first
    assert "4.4% of 9,000 (Web channel)" in second
    assert "6.0% of 5,000 (SMS-assist before the call)" in second
    assert "not calls saved" in third
    assert "different bases" in third
    assert "sms_assist" not in answer.summary()


def test_the_effect_with_a_control_leads_and_the_weak_one_comes_second():
    rng = np.random.default_rng(3)
    units, at = 14, {f"S{i:02d}": 15 + 2 * i for i in range(7)}
    rows = [
        (f"S{i:02d}", week, 604_800, rng.poisson(400))
        for i in range(units)
        for week in WEEKS
    ]  # fmt: skip
    panel = pl.DataFrame(
        rows, schema=["unit", "local_start", "interval_s", "first_attempts"], orient="row"
    )
    rollouts = pl.DataFrame(
        [("service", unit, "sms_assist_before", WEEKS[k].date()) for unit, k in at.items()],
        schema=["unit_kind", "unit", "treatment", "live_on"], orient="row",
    )  # fmt: skip
    answers = deflection.before_after_each(panel, rollouts)
    designs = deflection.designs(panel, rollouts, answers.named())
    answer = deflection.overview(funnel(*BOTH), answers, designs)
    first, *rest = answer.summary().split(". ")
    assert first.startswith(f"Against units that were not live, grade {designs.main.grade}: ")
    assert designs.main.headline().startswith(first.split(": ", 1)[1])
    assert "without a control" in ". ".join(rest)
    top, second = answer.to_frame().rows(named=True)[:2]
    assert top["relative"] == designs.main.relative.value
    assert (top["design"], second["design"]) == ("staggered", "before and after")
    assert (top["grade"], second["grade"]) == (designs.main.grade, "weak")
    # Where no unit can serve as control, what is weak stays first, and is called so.
    one = deflection.designs(panel, rollouts, which="segmented")
    alone = deflection.overview(funnel(*BOTH), answers, one)
    assert alone.controlled is None
    assert alone.summary().startswith("Once live, ")
    with pytest.raises(InputError, match="designs"):
        deflection.overview(funnel(*BOTH), answers, panel)


def test_which_roll_out_is_looked_at():
    assert comparisons().named() is None
    assert comparisons().named("web_hall") == "web_hall"
    assert comparisons("web_hall").named() == "web_hall"
    with pytest.raises(InputError, match="nothing of this name"):
        comparisons("web_hall").named("fax")


def test_no_effect_and_more_calls_are_said_as_such():
    still = deflection.overview(funnel(*BOTH), comparisons("web_hall", effect=0))
    assert (
        "Web channel shows no effect beyond chance on the calls about its 1 service, "
        in still.summary()
    )
    more = deflection.overview(funnel(*BOTH), comparisons("web_hall", effect=0.3))
    assert "Web channel came with " in more.summary()
    assert "took away" not in more.summary()


def test_an_assist_during_the_call_is_a_test_of_the_method_and_no_answer():
    for effect, status in ((0, "holds"), (-0.2, "fails")):
        answers = comparisons("sms_assist_during", effect=effect)
        answer = deflection.overview(funnel(*BOTH), answers)
        assert answer.summary().startswith("How many calls fewer came cannot be told")
        check = next(c for c in answer.checks if c.name == "SMS-assist during the call")
        assert check.status == status


def test_what_the_log_lacks_is_said_and_nothing_at_all_is_refused():
    alone = deflection.overview(funnel(*BOTH), comparisons()).summary()
    assert alone.startswith("How many calls fewer came cannot be told: the log holds no day")
    assert "customers settled" in alone
    late = deflection.overview(funnel(*BOTH), comparisons("web_hall", at=57)).summary()
    assert late.startswith("How many calls fewer came cannot be told: nothing can be said of Web")
    without = deflection.overview(funnel(), comparisons("web_hall")).summary()
    assert without.startswith("Once live, Web channel took away ")
    assert "holds no self-service records" in without
    with pytest.raises(DataError, match="no self-service records"):
        deflection.overview(funnel(), comparisons()).or_refuse()
    with pytest.raises(InputError, match="comparisons must come from deflection"):
        deflection.overview(funnel(*BOTH), "answers")


def test_the_table_sets_estimate_and_shares_side_by_side():
    frame = deflection.overview(funnel(*BOTH), comparisons("sms_assist_before")).to_frame()
    assert frame["channel"].to_list() == ["SMS-assist before the call", "Web channel"]
    sms, web = frame.rows(named=True)
    assert sms["units"] == 1
    assert sms["relative"] < -0.1
    assert sms["gross_deflection"] == pytest.approx(300 / 5000)
    assert web["relative"] is None
    assert web["eligible"] == 9000


def test_a_log_too_short_for_weeks_is_said_not_raised():
    panel = pl.DataFrame(
        {"local_start": WEEKS[:1], "interval_s": 86400, "unit": "Q01", "first_attempts": 5}
    )
    live = pl.DataFrame(
        {"unit_kind": "service", "unit": "Q01", "treatment": "web_hall", "live_on": [MONDAY.date()]}
    )
    answers = deflection.before_after_each(panel, live)
    assert answers.empty
    with pytest.raises(DataError, match="hold no whole week"):
        answers.or_refuse()
    words = deflection.overview(funnel(*BOTH), answers).summary()
    assert "cannot be told" in words
    assert "1 day" in words
