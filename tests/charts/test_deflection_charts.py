import datetime as dt

import numpy as np
import polars as pl
import pytest

from ccanalytics import charts, deflection
from ccanalytics.errors import CcanalyticsError, DataError, InputError

COUNTS = ["eligible", "sent", "accepted", "delivered", "completed", "followed", "recontacted"]
MONDAY = dt.datetime(2024, 1, 1)


@pytest.fixture(scope="module")
def funnel():
    data = []
    for channel, stage in (
        ("sms", "before_call"),
        ("sms", "during_call"),
        ("web", "own_initiative"),
    ):
        for k in range(6):
            counts = [2000, 900 - 100 * k, 300 + 10 * k, 295, 290 + k, 250, 20 + 5 * k]
            if channel == "web":
                counts[3] = 0
            data += [
                {"channel": channel, "stage": stage, "service": f"<b>S{k}</b>"}
                | {"window_days": days}
                | dict(zip(COUNTS, counts, strict=True))
                for days in (1, 7)
            ]
    return deflection.funnel(pl.DataFrame(data))


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(2)
    weeks = [MONDAY + dt.timedelta(weeks=k) for k in range(52)]
    frames, live = [], {}
    for k, at in enumerate((18, 25, 32)):
        calls = rng.poisson(900 * np.where(np.arange(52) > at, 0.85, 1))
        frames.append(
            pl.DataFrame(
                {
                    "local_start": weeks,
                    "interval_s": 604800,
                    "unit": f"S{k}",
                    "first_attempts": calls,
                }
            )
        )
        live[f"S{k}"] = weeks[at].date()
    rollouts = pl.DataFrame(
        {
            "unit_kind": "service",
            "unit": [*live, "S9"],
            "treatment": "sms",
            "live_on": [*live.values(), None],
        }
    )
    return deflection.before_after_each(pl.concat(frames), rollouts)


def texts(fig):
    return f"{fig.layout.title.text} {fig.layout.title.subtitle.text}"


def test_the_funnel_has_a_panel_per_channel_and_the_counts_of_the_result(funnel):
    fig = charts.funnel_steps(funnel)
    assert len(fig.data) == 3
    steps = funnel.steps()
    assert list(fig.data[0].x) == steps["share_of_sent"].fill_null(0).to_list()[:5]
    web = next(trace for trace in fig.data if "not recorded" in trace.text)
    assert web.text[2] == "not recorded"
    # Words stand inside bars that leave no room beside them on a narrow page.
    assert web.textposition[0] == "inside"
    assert web.textposition[2] == "outside"
    assert fig.layout.xaxis.range[1] < 1.2
    assert "7 days" in texts(fig)


def test_shares_by_key_are_those_of_the_result_and_the_rest_is_named(funnel):
    fig = charts.share_by_key(funnel, "acceptance", top=4)
    assert [trace.name for trace in fig.data] == [
        "SMS-assist before the call",
        "SMS-assist during the call",
    ]
    rows = funnel.by_key("acceptance").filter(pl.col("stage") == "before_call").head(4)
    assert sorted(fig.data[0].x) == sorted(rows["acceptance"].to_list())
    low = np.array(fig.data[0].x) - np.array(fig.data[0].error_x.arrayminus)
    assert sorted(low) == pytest.approx(sorted(rows["acceptance_low"].to_list()))
    assert "not drawn" in texts(fig)
    assert "(of the 4 with most contacts)" in texts(fig).replace("<br>", " ")
    assert "with most" not in texts(charts.share_by_key(funnel, "acceptance"))
    # Names of services may carry mark-up; as labels they are text.
    assert "&lt;b&gt;S4" in texts(fig)
    assert all("<b>" not in label for label in fig.data[0].y)
    named = charts.share_by_key(funnel, "leakage", names={"<b>S0</b>": "Balance"})
    assert "Balance" in named.data[0].y
    assert {trace.name for trace in named.data} == {"SMS-assist before the call", "Web channel"}


def test_leakage_by_window(funnel):
    fig = charts.leakage_by_window(funnel)
    assert len(fig.data) == 3
    assert list(fig.data[0].x) == [1, 7]
    found = funnel.share("leakage", *funnel.places[0], window_days=1).value
    assert fig.data[0].y[0] == pytest.approx(found)


def test_before_and_after_draws_counted_fitted_and_counterfactual(answers):
    effect = answers.of("sms").main
    fig = charts.before_after(effect, names={effect.unit: "Balance"})
    by_name = {trace.name: trace for trace in fig.data}
    assert len(by_name["Counted"].x) == 52
    assert len(by_name["Had it not come"].x) == effect.weeks_after
    assert texts(fig).startswith("Balance: ")
    assert "weak" in fig.layout.title.text.replace("<br>", " ")
    assert "without a control" in texts(fig).replace("<br>", " ")
    assert any(effect.live_on.isoformat() == shape.x0 for shape in fig.layout.shapes)


def test_effects_by_unit_and_by_rollout(answers):
    fig = charts.effects_by_unit(answers.of())
    assert sorted(fig.data[0].x) == sorted(e.relative.value for e in answers.of().effects)
    assert "chance alone about 0.2" in texts(fig).replace("<br>", " ")
    fig = charts.effects_of_rollouts(answers)
    assert fig.data[0].x[0] == answers.of().together.relative.value
    assert fig.data[0].y[0] == "sms (3 services)"


def test_empty_answers_are_refused_not_drawn(funnel):
    nothing = deflection.funnel(
        funnel.rows.select("channel", "stage", "window_days", *COUNTS).clear()
    )
    for chart in (charts.funnel_steps, charts.leakage_by_window, charts.share_by_key):
        with pytest.raises(DataError, match="no self-service records"):
            chart(nothing)


def test_a_share_without_keys_is_refused(funnel):
    bare = deflection.funnel(
        funnel.rows.filter(pl.col("service") == "<b>S0</b>").select(
            "channel", "stage", "window_days", *COUNTS
        )
    )
    with pytest.raises(CcanalyticsError, match="by key"):
        charts.share_by_key(bare)


def test_no_estimate_no_chart(answers):
    panel = pl.DataFrame(
        {"local_start": [MONDAY], "interval_s": [604800], "unit": ["S0"], "first_attempts": [5]}
    )
    rollouts = pl.DataFrame(
        {"unit_kind": "service", "unit": ["S0"], "treatment": "sms", "live_on": [MONDAY.date()]}
    )
    refused = deflection.before_after_each(panel, rollouts)
    with pytest.raises(DataError):
        charts.effects_of_rollouts(refused)
    with pytest.raises(DataError):
        charts.effects_by_unit(refused.answers[0])
    with pytest.raises(InputError, match="nothing of this name"):
        answers.of("fax")
