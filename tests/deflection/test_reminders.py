"""Reminders, expiry and leaving: recovered from worlds whose truth is known, and refused."""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from ccanalytics import deflection
from ccanalytics.errors import DataError, InputError
from ccanalytics.simulation.panels import draw_reminders

FULL = bool(os.environ.get("CCANALYTICS_FULL"))
WORLDS = 1000 if FULL else 40
CAUSES = {
    "customers": 4000, "days": 180, "effect": -0.3, "half_life": 3, "window": 4, "selection": 0.5,
    "term": 60, "renewal": 0.4, "leaving": 0.3, "leaving_subscribed": 0.7,
}  # fmt: skip


def judged(name, rows):
    """Coverage, error over spread and bias, on logarithms, printed as a row of a table."""
    true, value, low, high, *error = np.array(rows, float).T
    off, n = value - true, true.size
    cover = ((low <= true) & (true <= high)).mean()
    wide = error[0] if error else (high - low) / 2 / 1.97
    ratio = wide.mean() / off.std(ddof=1)
    bias = abs(off.mean() / true.mean())
    print(
        f"| {name} | {n:,} | {np.expm1(true.mean()):+.3f} | {cover:.1%} | {ratio:.2f} | "
        f"{bias:.1%} |"
    )
    room = 0.02 if FULL else 3 * np.sqrt(0.05 * 0.95 / n)
    assert 0.95 - room <= cover <= min(0.95 + room, 1)
    wide = 0.0 if FULL else 0.35
    assert 0.9 - wide <= ratio <= 1.15 + wide
    assert abs(off.mean()) <= 0.05 * abs(true.mean()) + (2 if FULL else 3.5) * off.std(
        ddof=1
    ) / np.sqrt(n)


def logs(estimate, true, *, less_one=True):
    ends = np.array([true, estimate.value, estimate.low, estimate.high])
    return np.log1p(ends) if less_one else np.log(ends)


def true_expiry(world, days=180, around=28):
    """Calls after the end over those before it, given what either days have without reminders."""
    until, start = np.minimum(world.until, world.left), world.subscribed_on
    whole = (start < days) & (until > start) & (world.until < world.left)
    whole &= (until - around >= np.maximum(start, 0)) & (until + around <= days)
    whole &= until + around <= world.left
    event = np.arange(days) - until[:, None]
    rate, ratio = world.rate(), []
    for cells in ((event >= 0) & (event < around), (event < 0) & (event >= -around)):
        mine = cells & whole[:, None]
        ratio.append(rate[mine].sum() / world.base[mine].sum())
    return ratio[0] / ratio[1] - 1


def expected_leavers(frame):
    """The same frame, those who leave being those expected."""
    yearly = pl.when(pl.col("subscribed")).then(0.3 * 0.7).otherwise(0.3)
    return frame.with_columns(left=pl.col("customers") * (1 - (-yearly / 365).exp()))


def test_decay_expiry_and_churn_are_recovered():
    worlds = draw_reminders(worlds=WORLDS, seed=11, **CAUSES)
    rows = {
        name: []
        for name in ("all days", "day 0", "day 1", "day 2", "day 3", "expiry", "left", "invited")
    }
    alarms = []
    for i in range(WORLDS):
        days, truth = worlds.reminded(i), worlds.truth(i)
        found = deflection.reminders(days, window_days=4)
        whole = logs(found.relative, truth.overall()["relative"])
        rows["all days"].append([*whole, found.errors["all"]])
        by_day = truth.by_day()["relative"].to_list()
        for k, true in enumerate(by_day):
            day = found.by_day.row(k, named=True)
            ends = [day[name] for name in ("relative", "relative_low", "relative_high")]
            rows[f"day {k}"].append([*np.log1p([true, *ends]), found.errors[f"day {k}"]])
        ended = deflection.expiry(days)
        rows["expiry"].append(logs(ended.relative, true_expiry(worlds.world(i))))
        leaving = worlds.leaving(i)
        gone = deflection.churn(leaving, by_lot=True)
        rows["left"].append(logs(gone.subscribed, 0.7, less_one=False))
        expected = deflection.churn(expected_leavers(leaving)).invited.value
        rows["invited"].append(logs(gone.invited, expected, less_one=False))
        alarms.append([c.status == "fails" for c in (*found.checks, *ended.checks)])
    for name, each in rows.items():
        judged(name, each)
    each = np.mean(alarms, axis=0)
    print("| alarms: after expiry, beyond the window, before the end | " + ", ".join(
        f"{share:.1%}" for share in each
    ) + " |")  # fmt: skip
    assert max(each) <= 0.10 + (0 if FULL else 0.2)


def rows_of(effect, days=120, seed=1, customers=20_000, controls=60_000, rate=0.03):
    """A frame as the log gives it, whose effect by day and weeks is ``effect(day, weeks)``."""
    rng, first, rows = np.random.default_rng(seed), dt.date(2024, 1, 1), []
    luck = rng.gamma(50, 1 / 50, (days, 2))
    for t in range(days):
        on = first + dt.timedelta(days=t)
        for b, bill in enumerate((1, 15)):
            n = rng.poisson(controls * rate * luck[t, b] / 2)
            rows.append(("never subscribed", on, bill, None, None, controls // 2, n))
            for weeks in (0, 5, 10, 15):
                day = t % 10
                mean = customers * rate * 2 * luck[t, b] * (1 + effect(day, weeks)) / 8
                rows.append(("reminded", on, bill, day, weeks, customers // 8, rng.poisson(mean)))
    names = ["state", "on", "bill_day", "day", "weeks", "customers", "calls"]
    return pl.DataFrame(rows, schema=names, orient="row")


def test_an_effect_that_fades_with_the_weeks_is_seen_to_fade():
    fades = rows_of(lambda day, weeks: -0.4 * 0.5 ** (weeks / 5) * (day < 5))
    found = deflection.reminders(fades)
    assert found.by_weeks["relative"].to_list() == pytest.approx(
        [-0.4, -0.2, -0.1, -0.05], abs=0.05
    )
    assert found.fading.low > 0
    assert "grows weaker with the weeks" in found.headline()
    stays = deflection.reminders(rows_of(lambda day, weeks: -0.2 * (day < 5)))
    assert not stays.fading.excludes_zero
    assert "not seen to change" in stays.headline()
    assert stays.relative.value == pytest.approx(-0.2, abs=0.02)
    per_reminder = 0.06 * 5 * 0.2  # calls of five days, of which a fifth is removed
    assert stays.removed.value == pytest.approx(1000 * per_reminder, rel=0.15)


def test_an_effect_longer_than_the_window_is_told():
    long = deflection.reminders(rows_of(lambda day, weeks: -0.3 * (day < 8)), window_days=3)
    told = {check.name: check.status for check in long.checks}
    assert told["Days beyond the window"] == "fails"
    right = deflection.reminders(
        rows_of(lambda day, weeks: -0.3 * (day < 3), seed=2), window_days=3
    )
    told = {check.name: check.status for check in right.checks}
    assert told["Days beyond the window"] == "holds"
    assert told["Placebo after expiry"] == "informs"


def test_messages_to_unknown_customers_are_said():
    facts = pl.DataFrame({"messages": [1000, 10], "unknown": [7, 0]})
    found = deflection.reminders(rows_of(lambda day, weeks: 0), facts=facts)
    said = " ".join(str(check) for check in found.checks)
    assert "7 of 1,010 messages went to customers the log does not know" in said


def test_reminders_that_cannot_be_judged():
    frame = rows_of(lambda day, weeks: 0, days=40)
    with pytest.raises(DataError, match="everybody takes reminders"):
        deflection.reminders(frame.filter(state="reminded"))
    with pytest.raises(DataError, match="nobody was reminded"):
        deflection.reminders(frame.filter(state="never subscribed"))
    with pytest.raises(DataError, match="no day lies beyond the window"):
        deflection.reminders(frame, window_days=12)
    with pytest.raises(InputError, match="window_days"):
        deflection.reminders(frame, window_days=0.5)
    with pytest.raises(InputError, match="lacks a column"):
        deflection.reminders(frame.drop("bill_day"))
    with pytest.raises(DataError, match="too few terms ended"):
        deflection.expiry(frame)
    few = deflection.reminders(rows_of(lambda day, weeks: 0, days=30))
    assert few.grade == "weak"
    assert "on only 3 days" in few.reason


def leaving_of(rates, days=200, n=4000, seed=1):
    rng, first, rows = np.random.default_rng(seed), dt.date(2024, 1, 1), []
    for t in range(days):
        on = first + dt.timedelta(days=t)
        for invited, subscribed in ((0, 0), (1, 0), (1, 1)):
            gone = rng.poisson(n * rates[invited, subscribed] / 365)
            rows.append((on, bool(invited), bool(subscribed), n, gone))
    names = ["on", "invited", "subscribed", "customers", "left"]
    return pl.DataFrame(rows, schema=names, orient="row")


def test_the_guardrail_breaks_when_those_invited_leave():
    found = deflection.churn(leaving_of({(0, 0): 0.2, (1, 0): 0.4, (1, 1): 0.4}), by_lot=True)
    assert found.invited.low < 2 < found.invited.high
    assert found.checks[0].status == "fails"
    assert found.grade == "strong"
    assert "more often than the guardrail of 1.1" in found.headline()
    rate = found.rates.filter(compared="invited", group="not invited").row(0, named=True)
    assert rate["leaving_low"] < 1 - np.exp(-0.2) < rate["leaving_high"]
    kept = deflection.churn(leaving_of({(0, 0): 0.4, (1, 0): 0.3, (1, 1): 0.2}))
    assert kept.checks[0].status == "holds"
    assert "less often" in kept.headline()
    assert kept.grade == "moderate"


def test_leaving_that_cannot_be_compared():
    frame = leaving_of({(0, 0): 0.2, (1, 0): 0.2, (1, 1): 0.2})
    with pytest.raises(DataError, match="nobody left"):
        deflection.churn(frame.with_columns(left=pl.lit(0)))
    at_once = deflection.churn(frame.filter(pl.col("invited")))
    assert at_once.invited is None
    assert at_once.grade == "weak"
    assert "cannot be said" in at_once.headline()


def test_the_sample_centre_tells_its_own_truths(small_centre):
    """A year of a small centre against ``truth.json``: removed calls, and who leaves."""
    folder, log = small_centre
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    facts = log.reminder_facts()
    found = deflection.reminders(log.reminded(), facts=facts, level=0.99)
    asked = truth["parameters"]
    invitations = facts.filter(pl.col("wave").is_not_null())["messages"].sum()
    # What invitations cause is no effect of reminders: about 0.8 of the calls ask for an agent.
    removed = truth["expected"]["removed"]["reminders"]["requests"]
    removed += invitations * asked["reminder_causes"]["value"] * 0.8
    sent = found.reminders / 1000
    assert found.removed.low * sent < removed < found.removed.high * sent
    assert found.relative.high < 0
    gone = deflection.churn(log.leaving(), by_lot=True, level=0.99)
    assert gone.subscribed.low < asked["churn_subscribed"]["value"] < gone.subscribed.high
    ended = deflection.expiry(log.reminded(), renewed_by_lot=True, level=0.99)
    # Four reminders a month, five days each, are what ends.
    back = 1 / (1 + found.relative.value * 20 / 30) - 1
    assert ended.relative.low < back < ended.relative.high
    assert ended.customers > 500


def centre_truth(built, parameters, after):
    """Calls per invited customer that each wave removed in its window, expected."""
    from ccanalytics.simulation.sample.expected import demand_of, expect
    from ccanalytics.simulation.sample.services import IS_REMINDED

    p, reminders = parameters, built.reminders
    parts = (built.traits, built.go_live, built.volumes, built.population, reminders)
    demand = demand_of(p, *parts)
    none = replace(
        demand, fresh=np.zeros_like(demand.fresh), caused=np.zeros_like(demand.caused), web_flows={}
    )
    without = expect(p, built.traits, built.go_live, none).requests
    found = {}
    for number, day in enumerate(reminders.waves.tolist(), start=1):
        if day + after > built.days:
            continue
        share = reminders.protection(built.population, number) * p.reminder_prevents
        fresh = np.where(IS_REMINDED[:, None, None], share[None], 0.0)
        mine = expect(p, built.traits, built.go_live, replace(none, fresh=fresh, web_flows={}))
        window = slice(day, day + after)
        gone = (without - mine.requests)[:, window].sum() * (1 - p.withheld)
        asked = int(((reminders.wave == number) & (reminders.invited_at >= 0)).sum())
        found[f"wave {number}"] = gone / asked
    return found


@pytest.mark.parametrize("seed", range(1, 41) if FULL else [1])
def test_waves_end_to_end_from_calls(seed, tmp_path):
    """A centre whose reminders prevent nine of ten queries: loaded, counted, estimated."""
    from ccanalytics import CallLog
    from ccanalytics.simulation import CentreParameters, write_centre
    from ccanalytics.simulation.sample.build import build

    strong = CentreParameters(opt_in=0.6, reminder_prevents=0.9, reminder_causes=0)
    weeks, scale = 16, 0.02
    write_centre(tmp_path / "c", weeks=weeks, scale=scale, seed=seed, parameters=strong)
    log = CallLog(tmp_path / "c.duckdb")
    log.load(tmp_path / "c", "ccanalytics")
    found = deflection.encouraged(
        log.offers(before_days=14, lead_days=7, after_days=14), by_lot=True, level=0.95
    )
    built = build(strong, dt.date(2024, 1, 1), weeks, scale, seed)
    true = centre_truth(built, strong, 14)
    waves = found.by_stratum
    expected = (
        -sum(true[name] * n for name, n in waves.select("stratum", "assigned").iter_rows())
        / waves["assigned"].sum()
    )
    off = (found.change.value - expected) / found.errors["change"]
    print(f"| centre {seed} | {expected:+.4f} | {found.change.value:+.4f} | {off:+.2f} |")
    assert expected < -0.005
    assert abs(off) < 3.5
    assert found.grade in ("strong", "weak")
