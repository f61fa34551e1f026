import numpy as np
import pytest

from ccanalytics import charts, deflection
from ccanalytics.simulation.panels import draw_reminders


@pytest.fixture(scope="module")
def worlds():
    return draw_reminders(
        worlds=1, customers=3000, days=180, effect=-0.5, calls_per_month=3, term=60, renewal=0.3,
        leaving=0.5,
    )  # fmt: skip


def test_days_after_a_reminder(worlds):
    found = deflection.reminders(worlds.reminded(0), window_days=4)
    fig = charts.effect_by_day(found)
    assert list(fig.data[0].x) == [0, 1, 2, 3]
    assert fig.data[0].y[0] == pytest.approx(found.by_day["relative"][0])
    assert "fewer calls in the first 4 days" in fig.layout.title.text
    weeks = charts.effect_by_tenure(found)
    assert set(weeks.data[0].x) <= set(found.by_weeks["weeks"])


def test_weeks_around_expiry(worlds):
    found = deflection.expiry(worlds.reminded(0))
    fig = charts.around_expiry(found)
    before, after = fig.data
    assert max(before.x) < 0 <= min(after.x)
    assert np.concatenate([before.y, after.y]) == pytest.approx(found.by_week["relative"])


def test_waves_and_all_of_them(worlds):
    found = deflection.encouraged(
        worlds.offers(0, before_days=20, lead_days=10, after_days=20), by_lot=True
    )
    fig = charts.effect_by_wave(found)
    each, whole = fig.data
    assert list(each.y) == [name.capitalize() for name in found.by_stratum["stratum"]]
    assert whole.x[0] == found.relative.value


def test_who_leaves(worlds):
    found = deflection.churn(worlds.leaving(0))
    fig = charts.leaving_rates(found)
    assert [name for data in fig.data for name in data.y] == [
        "Invited", "Subscribed", "Not invited", "Not subscribed"
    ]  # fmt: skip
    assert fig.layout.xaxis.tickformat
