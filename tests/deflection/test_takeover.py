"""What a new channel takes from other self-service: counted by hand, planted, and refused."""

import datetime as dt
import json

import polars as pl
import pytest

from ccanalytics import deflection
from ccanalytics.errors import DataError, InputError
from ccanalytics.simulation import draw_panels

AT = dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def test_uses_are_counted_by_channel_service_and_week(make_log):
    event = {"channel": "sms", "stage": "own_initiative", "service": "bill", "accepted": True}
    log = make_log(
        [
            {"arrived_at": AT, "outcome": "contained", "service": "bill"},
            {"arrived_at": AT + DAY, "outcome": "contained", "service": None},
            {"arrived_at": AT + 13 * DAY, "outcome": "answered", "service": "bill"},
        ],
        self_service=[
            event | {"event_id": "1", "at": AT, "completed": True},
            event | {"event_id": "2", "at": AT + DAY, "completed": False},
            event | {"event_id": "3", "at": AT + 8 * DAY, "completed": None},
            event | {"event_id": "4", "at": AT, "accepted": False, "completed": None},
            event | {"event_id": "5", "at": AT, "stage": "before_call", "completed": True},
            event | {"event_id": "6", "at": AT + 8 * DAY, "service": "roam", "completed": True},
            event | {"event_id": "7", "at": AT - 300 * DAY, "completed": True},
        ],
    )
    told = log.uses("1w")
    rows = told.select("channel", "unit", "local_start", "uses", "completed").rows()
    first, second = dt.datetime(2025, 3, 3), dt.datetime(2025, 3, 10)
    assert rows == [
        ("menu", "bill", first, 1, 1),
        ("menu", "bill", second, 0, 0),
        ("menu", None, first, 1, 1),
        ("menu", None, second, 0, 0),
        ("sms", "bill", first, 2, 1),
        ("sms", "bill", second, 1, 0),
        ("sms", "roam", first, 0, 0),
        ("sms", "roam", second, 1, 1),
    ]
    assert log.uses("1w", where={"service": "roam"})["unit"].unique().to_list() == ["roam"]
    with pytest.raises(InputError, match="queue"):
        log.uses(where={"queue": "a"})


def test_what_the_web_took_from_the_sms_hall_and_the_menu_is_within_the_limits(small_centre):
    folder, log = small_centre
    truth = json.loads((folder / "truth.json").read_text("utf-8"))["expected"]["cannibalised"]
    found = deflection.taken_over(log.uses("1w"), log.table("rollouts"), "web_hall")
    assert set(found.effects) == {"menu", "sms"}
    sms = found.effects["sms"]
    # Per live service: what it takes of the uses that there would have been while it is live.
    share = -truth["from_sms_hall"]["expected"] / truth["sms_hall_uses"]["expected"]
    assert sms.relative.low < share < sms.relative.high
    assert sms.grade == "weak"  # so few services are in the SMS hall
    told = {check.name: check.detail for check in found.checks}
    assert "SMS-assist before the call" in told["Other roll-outs"]
    assert "deflect nothing" in found.summary()
    assert found.to_frame()["channel"].to_list() == ["the voice menu", "SMS hall"]


@pytest.fixture(scope="module")
def planted():
    worlds = draw_panels(worlds=6, seed=4, units=30, effect=-0.3)
    panels = [
        worlds.panel(i).rename({"first_attempts": "uses"}).with_columns(channel=pl.lit("sms"))
        for i in range(6)
    ]
    return worlds, panels


def test_what_was_planted_is_recovered(planted):
    worlds, panels = planted
    held = 0
    for i, panel in enumerate(panels):
        found = deflection.taken_over(panel, worlds.rollouts(i), "sms_assist").effects["sms"]
        held += found.relative.low < -0.3 < found.relative.high
        assert abs(found.relative.value + 0.3) < 0.08
    assert held >= 5


def test_what_cannot_be_answered_is_refused_or_named(planted):
    worlds, panels = planted
    panel, rollouts = panels[0], worlds.rollouts(0)
    web = panel.with_columns(channel=pl.lit("web"))
    web_live = rollouts.with_columns(treatment=pl.lit("web_hall"))
    with pytest.raises(DataError, match="no other self-service channel"):
        deflection.taken_over(web, web_live, "web_hall")
    both = pl.concat([panel, web.filter(pl.col("unit") == web["unit"][0])])
    found = deflection.taken_over(both, rollouts, "sms_assist")
    assert list(found.effects) == ["sms"]
    assert list(found.refused) == ["web"]
    assert "Web channel: no answer" in found.summary()
    with pytest.raises(DataError, match="cannot be estimated"):
        deflection.taken_over(both.filter(channel="web"), rollouts, "sms_assist").or_refuse()
    with pytest.raises(InputError, match="no such roll-out"):
        deflection.taken_over(panel, rollouts, "sms_assist", apart=["another"])
    with pytest.raises(DataError, match="nothing"):
        deflection.taken_over(panel, rollouts, "another")
    with pytest.raises(InputError, match="lacks a column"):
        deflection.taken_over(panel.drop("channel"), rollouts, "sms_assist")


def test_without_an_answer_the_words_say_so(planted):
    worlds, panels = planted
    panel, rollouts = panels[0], worlds.rollouts(0)
    one = panel.filter(pl.col("unit") == panel["unit"][0])
    found = deflection.taken_over(one, rollouts, "sms_assist")
    assert found.headline().endswith("took over from other self-service cannot be estimated.")
    assert "SMS hall: no answer, " in found.summary()
    assert "deflect nothing" not in found.summary()
    assert found.to_frame().height == 0
    none = deflection.taken_over(panel, rollouts.clear())
    assert none.headline().startswith("What a new channel took over")
    for odd in (1, [1], [None], [["sms_assist"]]):
        with pytest.raises(InputError, match="no such roll-out"):
            deflection.taken_over(panel, rollouts, "sms_assist", apart=odd)
