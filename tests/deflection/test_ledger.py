"""The ledger: lines by hand, and what was planted in the sample centre."""

import datetime as dt
import json
import math

import polars as pl
import pytest

from ccanalytics import charts, deflection
from ccanalytics.deflection.handled import longer_by
from ccanalytics.deflection.shares import design_effect
from ccanalytics.errors import DataError, InputError
from ccanalytics.statistics import wilson

SMS, WEB, DURING = ("sms", "before_call"), ("web", "own_initiative"), ("sms", "during_call")
START = dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def told(small_centre):
    """The ledger of the small centre, and the truth beside it."""
    folder, log = small_centre
    found = deflection.ledger(
        deflection.funnel(log.self_service()),
        log.episodes(7),
        rollouts=log.table("rollouts"),
        services=log.table("services"),
    )
    return found, json.loads((folder / "truth.json").read_text(encoding="utf-8"))


# ---- planted truth ------------------------------------------------------------------------------


def test_failed_diversions_are_those_that_were_planted(told):
    found, truth = told
    p = {name: each["value"] for name, each in truth["parameters"].items()}
    # Eight in ten call again, after a mean of 30 hours and not at night: nearly all within a week.
    share = found.line("failed_recontact", *SMS)
    assert share.low < p["sms_failed_return"] < share.high
    contacts = truth["overall"]["contacts"]
    failed = contacts["sms_accepted"] - contacts["sms_completed"]
    assert found.line("failed_calls", *SMS).value <= contacts["sms_failed_returned"] < failed


def test_calls_after_a_failure_are_not_far_from_as_much_longer_as_was_planted(told, small_centre):
    """Three standard errors: on this one centre the 95% interval misses what was planted (+24 s, it
    ends at +23), and how often it does over many centres has not been measured."""
    found, truth = told
    factor = truth["parameters"]["return_handle"]["value"]
    _, log = small_centre
    rows = log.episodes(7).filter(pl.col("channel") == "sms", pl.col("stage") == "before_call")
    usual = rows["others_s"].sum() / rows["others"].sum()
    longer = found.line("failed_longer_s", *SMS)
    error = (longer.high - longer.low) / 2 / 1.96
    assert abs(longer.value - (factor - 1) * usual) < 3 * error < 30


def test_calls_brought_hold_what_was_given_back_and_caused(told):
    found, truth = told
    causes, contacts = truth["overall"]["causes"], truth["overall"]["contacts"]
    sessions = contacts["web_sessions_of_callers"] + contacts["web_sessions_new_demand"]
    brought = found.line("called_more", *WEB).value
    base = found.lines.filter(pl.col("line") == "called_more", pl.col("channel") == "web")
    caused, back = causes["web_caused"], causes["web_given_back"]
    sessions += truth["expected"]["cannibalised"]["from_sms_hall"]["counted"]
    # More than was caused alone; all of it but what came later or accepted the SMS in between.
    assert brought > caused / sessions
    assert 0.85 * (caused + back) / sessions < brought < 1.05 * (caused + back) / sessions
    assert base["base"].item() < sessions


def test_the_seconds_of_an_assist_are_found_and_no_call_is_removed(told):
    found, truth = told
    saved = found.line("assist_longer_s", *DURING)
    assert saved.low < -truth["parameters"]["assist_saving_s"]["value"] < saved.high
    for line in ("gross_deflection", "net_deflection", "failed_recontact", "called_more"):
        assert found.line(line, *DURING) is None
    assert "removes no call" in found.summary()
    hours = found.line("assist_hours", *DURING)
    assert hours.value == pytest.approx(
        saved.value * truth["overall"]["contacts"]["assist_accepted"] / 3600
    )


def test_leakage_is_what_was_planted_and_what_comes_by_chance(told):
    found, truth = told
    contacts = truth["overall"]["contacts"]
    planted = contacts["sms_completed_returned_7d"] / contacts["sms_completed"]
    leaked = found.line("leakage", *SMS)
    assert planted < leaked.high
    assert leaked.value < planted + 0.03


def test_fates_sum_to_one_and_the_chart_draws_them(told):
    found, _ = told
    fates = found.fates()
    assert fates.select(pl.sum_horizontal(fates.columns[3:])).to_series().to_list() == (
        pytest.approx([1.0] * fates.height)
    )
    fig = charts.contact_fates(found)
    assert fig.data[0].name == "Completed, did not ask again"
    assert "SMS-assist before the call: of 100 contacts" in fig.layout.title.text.replace(
        "<br>", " "
    )
    assert found.episodes_table()["begins"][0] == "Asked an agent at once"


# ---- by hand ------------------------------------------------------------------------------------


def counts(**more):
    base = {"channel": "web", "stage": "own_initiative", "service": "S1", "window_days": 7}
    numbers = {
        "eligible": 100, "sent": 40, "accepted": 40, "delivered": None, "completed": 30,
        "followed": 20, "recontacted": 5, "failed_followed": 8, "failed_recontacted": 4,
    }  # fmt: skip
    return pl.DataFrame([base | numbers | more])


def episodes(**more):
    zero = dict.fromkeys(
        [
            *("episodes", "settled", "reached", "contacts", "requests", "taken_up", "unknown"),
            *("watched", "asked_before", "asked_after", "change_nn", "change_xn", "change_xx"),
            *("looked_back", "used_before", "from_elsewhere", "touched", "others"),
        ],
        0,
    ) | dict.fromkeys(("agent_s", "touched_s", "touched_ss", "others_s", "others_ss"), 0.0)
    base = {"channel": "web", "stage": "own_initiative", "service": "S1"}
    return pl.DataFrame([base | {"window_days": 7, "lookback_days": 90} | zero | more])


def test_lines_by_hand():
    found = deflection.ledger(
        deflection.funnel(counts()),
        episodes(
            taken_up=40, unknown=30, watched=20, asked_before=2, asked_after=7,
            # Twenty customers with a contact each, five of whom asked after and not before.
            change_nn=20, change_xn=5, change_xx=5, looked_back=10, used_before=4, from_elsewhere=1,
            touched=2, touched_s=400.0, touched_ss=100_000.0,
            others=4, others_s=400.0, others_ss=40_400.0,
        ),
    )  # fmt: skip
    failed = found.line("failed_recontact", *WEB)
    assert (failed.value, (failed.low, failed.high)) == (0.5, wilson(4, 8))
    assert found.line("failed_calls", *WEB).value == 2
    assert found.line("failed_hours", *WEB).value == pytest.approx(400 / 3600)
    longer = found.line("failed_longer_s", *WEB)
    # Means 200 and 100; variances 20,000 and 400/3 of the calls.
    assert longer.value == 100
    assert longer.high - 100 == pytest.approx(1.95996 * math.sqrt(20_000 / 2 + 400 / 3 / 4), 1e-4)
    brought = found.line("called_more", *WEB)
    assert brought.value == 0.25
    assert brought.high - 0.25 == pytest.approx(1.95996 * math.sqrt(5 - 2.5 + 1.25) / 20, 1e-4)
    assert found.line("from_elsewhere", *WEB).value == 0.1
    assert any("30 of 40" in c.detail and c.status == "fails" for c in found.checks)
    assert "2" in found.table()["Web channel"].to_list()


def test_services_are_compared_with_themselves():
    """A service of long calls that fails often makes no call longer than it is."""
    rows = pl.DataFrame(
        {
            "touched": [90, 10], "touched_s": [90 * 300.0, 10 * 100.0],
            "touched_ss": [90 * 300.0**2, 10 * 100.0**2],
            "others": [10, 90], "others_s": [10 * 300.0, 90 * 100.0],
            "others_ss": [10 * 300.0**2, 90 * 100.0**2],
        }
    )  # fmt: skip
    found, n = longer_by(rows, 0.95)
    assert (found.value, n) == (0.0, 100)
    assert longer_by(rows.with_columns(touched=1), 0.95) is None


def test_customers_with_many_contacts_widen_the_interval():
    # Ten customers with ten contacts each, of whom four accept all.
    alike = {"sent": 100, "accepted": 40, "acceptance_nn": 1000, "acceptance_xn": 400,
             "acceptance_xx": 400}  # fmt: skip
    rest = {
        f"{share}_{part}": 0
        for share in ("completion", "leakage", "failed_recontact")
        for part in ("nn", "xn", "xx")
    }
    assert design_effect(40, 100, 1000, 400, 400) == pytest.approx(10)
    found = deflection.funnel(counts(**alike, **rest)).share("acceptance", *WEB)
    assert (found.low, found.high) == pytest.approx(wilson(4, 10))
    plain = deflection.funnel(counts(sent=100)).share("acceptance", *WEB)
    assert plain.high - plain.low < found.high - found.low
    # Everyone alike, and no share to see it by: a customer counts once.
    assert design_effect(0, 100, 1000, 0, 0) == pytest.approx(10)


# ---- what a log cannot say ----------------------------------------------------------------------


def short_log(make_log, **more):
    who = {"customer": "a", "service": "S1"}
    return make_log(
        [who | {"arrived_at": START}, who | {"arrived_at": START + 5 * DAY, "talk_s": 100}],
        self_service=[
            who | {"at": START + k * DAY, "channel": "web", "stage": "own_initiative",
                   "accepted": True, "completed": True} | more
            for k in (1, 2)
        ],
    )  # fmt: skip


def test_a_window_longer_than_the_log_cannot_be_known(make_log):
    log = short_log(make_log)
    funnel = deflection.funnel(log.self_service((1, 30)), window_days=30)
    assert "Net deflection within 30 days cannot be known" in funnel.summary()
    assert any(
        c.status == "fails" and "does not go on for 30 days" in c.detail for c in funnel.checks
    )
    assert funnel.share("leakage", *WEB) is None
    assert funnel.share("leakage", *WEB, 1) is not None
    found = deflection.ledger(funnel, log.episodes(30))
    assert found.line("called_more", *WEB) is None
    with pytest.raises(DataError, match="could be followed"):
        charts.contact_fates(found)


def test_unknown_customers_and_channels_without_a_record_are_counted(make_log):
    log = short_log(make_log, customer=None)
    services = pl.DataFrame({"service": ["S1", "S2"], "app_on": [dt.date(2025, 1, 1)] * 2})
    rollouts = pl.DataFrame(
        {"unit_kind": ["service"], "unit": ["S3"], "treatment": ["app"], "live_on": ["2025-01-01"]}
    )
    found = deflection.ledger(
        deflection.funnel(log.self_service()), log.episodes(7), rollouts=rollouts, services=services
    )
    words = " ".join(c.detail for c in found.checks if c.status == "fails")
    assert "2 of 2 contacts taken up (100%) have no known customer" in words
    assert "App (live for 3 services): named in the log, but no contact" in words


def test_an_empty_log_is_one_sentence_or_a_refusal(make_log):
    log = make_log([{"arrived_at": START}])
    found = deflection.ledger(deflection.funnel(log.self_service()), log.episodes(7))
    assert "no self-service records" in found.summary()
    with pytest.raises(DataError, match="no self-service records"):
        found.or_refuse()
    assert found.table().height == found.fates().height == found.episodes_table().height == 0


@pytest.mark.parametrize(
    ("funnel", "frame", "words"),
    [
        (None, episodes(), "funnel must come from"),
        (counts(), episodes().drop("touched"), "missing: touched"),
        (counts(), episodes(window_days=30), "different windows"),
        (counts(), episodes(watched=-1), "watched=-1"),
        (counts(), [1], "got list"),
    ],
)
def test_bad_input_is_named(funnel, frame, words):
    with pytest.raises(InputError) as caught:
        deflection.ledger(funnel if funnel is None else deflection.funnel(funnel), frame)
    assert words in str(caught.value)


def test_lines_and_places_that_do_not_exist():
    found = deflection.ledger(deflection.funnel(counts()), episodes())
    with pytest.raises(InputError, match="no such line"):
        found.line("magic", *WEB)
    with pytest.raises(InputError, match="no such place"):
        found.line("leakage", *SMS)
