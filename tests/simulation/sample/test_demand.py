"""The demand side of the sample centre: expectations against draws, reminders, customers, days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pytest

from ccanalytics.simulation import CentreParameters
from ccanalytics.simulation.sample import expected as expected_module
from ccanalytics.simulation.sample.counts import count_world
from ccanalytics.simulation.sample.days import BILL_DAYS, calendar_of
from ccanalytics.simulation.sample.expected import demand_of, expect
from ccanalytics.simulation.sample.needs import CAUSED, CONTAINED, REQUEST, TOLD, draw_needs
from ccanalytics.simulation.sample.population import draw_population
from ccanalytics.simulation.sample.reminders import draw_reminders
from ccanalytics.simulation.sample.services import (
    IS_BILLING,
    IS_REMINDED,
    draw_go_live,
    draw_traits,
)
from ccanalytics.simulation.sample.volumes import DAY_S, draw_volumes
from ccanalytics.simulation.sample.worlds import make_world

START, DAYS = date(2024, 1, 1), 182
SPAN_S = DAYS * DAY_S
WORLDS = {
    "log": {},
    "without sms": {"sms": False},
    "without web": {"web": False},
    "without reminders": {"reminders": False},
    "without any": {"sms": False, "web": False, "reminders": False},
}


@dataclass
class Half:
    """Half a year of demand, without anybody to answer it."""

    parameters: CentreParameters
    scale: float = 0.02

    def __post_init__(self) -> None:
        p, rngs = self.parameters, [np.random.default_rng(seed) for seed in range(5)]
        self.traits = draw_traits(p, rngs[0])
        self.go_live = draw_go_live(p, DAYS, START.weekday(), rngs[1])
        self.volumes = draw_volumes(p, self.traits, START, DAYS, self.scale, rngs[2])
        self.population = draw_population(p, self.volumes.calendar, self.scale, rngs[3])
        self.reminders = draw_reminders(p, self.population, self.volumes.calendar, rngs[4])
        self.population = replace(self.population, left=self.reminders.left)

    def needs(self, seed: int) -> Any:
        own, latent, told = (np.random.default_rng([seed, each]) for each in range(3))
        return draw_needs(
            self.parameters,
            self.traits,
            self.go_live,
            self.volumes,
            self.population,
            self.reminders,
            own,
            latent,
            told,
        )

    def world(self, needs: Any, **missing: bool) -> Any:
        return make_world(self.parameters, needs, self.go_live, SPAN_S, **missing)

    def count(self, needs: Any, **missing: bool) -> dict[str, Any]:
        return count_world(needs, self.world(needs, **missing), 0, SPAN_S)

    @cached_property
    def demand(self) -> Any:
        return demand_of(
            self.parameters,
            self.traits,
            self.go_live,
            self.volumes,
            self.population,
            self.reminders,
        )

    def expect(self, **missing: bool) -> Any:
        return expect(self.parameters, self.traits, self.go_live, self.demand, **missing)


@pytest.fixture(scope="module")
def half():
    return Half(CentreParameters(opt_in=0.5, reminder_prevents=0.8, reminder_causes=0.02))


@pytest.fixture(scope="module")
def draws(half):
    """What each world counts, in 12 draws of the same expectations."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in WORLDS}
    for seed in range(12):
        needs = half.needs(seed)
        for name, missing in WORLDS.items():
            counted = half.count(needs, **missing)
            found[name].append({key: float(each.sum()) for key, each in counted.items()})
    return found


@pytest.mark.parametrize("name", WORLDS)
def test_worlds_are_on_average_what_is_expected(half, draws, name):
    # The count leaves out what SMS-assist during the call saves.
    expected = half.expect(assist=False, **WORLDS[name])
    for measure in ("calls", "requests", "handle_s"):
        seen = np.array([each[measure] for each in draws[name]])
        mean = getattr(expected, measure).sum()
        # Poisson counts; of handle times the second moment of a lognormal law.
        second = np.exp(0.9**2) * 160 if measure == "handle_s" else 1.0
        error = (1.1 * mean * second / seen.size) ** 0.5
        assert abs(seen.mean() - mean) < 4 * error, measure


@pytest.mark.parametrize("name", [name for name in WORLDS if name != "log"])
def test_what_a_cause_removes_is_on_average_what_is_expected(half, draws, name):
    """Paired draws: the same customers with and without, so the error is a small one."""
    log, without = half.expect(), half.expect(**WORLDS[name])
    for measure in ("calls", "requests"):
        pairs = zip(draws[name], draws["log"], strict=True)
        gone = np.array([there[measure] - here[measure] for there, here in pairs])
        mean = (getattr(without, measure) - getattr(log, measure)).sum()
        error = gone.std(ddof=1) / gone.size**0.5
        assert abs(gone.mean() - mean) < 4.5 * error + 1e-3 * abs(mean), measure
        if measure == "requests":
            assert mean > 0


def test_expectations_hold_by_service_and_by_half_hour(half):
    needs = half.needs(99)
    world = half.world(needs)
    asks = np.flatnonzero(world.requests)
    expected = half.expect().requests
    by_service = np.bincount(needs.service[world.need[asks]], minlength=49)
    mean = expected.sum(axis=(1, 2))
    assert (np.abs(by_service - mean) < 4.5 * mean**0.5 + 3).all()
    by_clock = np.bincount(world.at[asks] % DAY_S // 1800, minlength=48)
    mean = expected.sum(axis=(0, 1))
    assert (np.abs(by_clock - mean) < 4.5 * mean**0.5 + 3).all()
    by_day = np.bincount(world.at[asks] // DAY_S, minlength=DAYS)
    mean = expected.sum(axis=(0, 2))
    assert (np.abs(by_day - mean) < 4.5 * mean**0.5 + 3).all()


@pytest.mark.parametrize(
    ("off", "missing"),
    [
        ({"sms_offer": 0.0}, {"sms": False}),
        ({"assist_offer": 0.0}, {"assist": False}),
        ({"web_use_query": 0.0, "web_use_transaction": 0.0}, {"web": False}),
        ({"reminder_prevents": 0.0, "reminder_causes": 0.0}, {"reminders": False}),
        ({"opt_in": 0.0, "keyword": 0.0}, {"reminders": False}),
    ],
)
def test_switching_a_cause_off_is_the_world_without_it(half, off, missing):
    other = Half(replace(half.parameters, **off))
    for measure in ("calls", "requests", "handle_s"):
        there = getattr(half.expect(**missing), measure)
        assert np.allclose(getattr(other.expect(), measure), there, rtol=1e-5, atol=1e-9)
    if "assist" not in missing:
        needs, others = half.needs(1), other.needs(1)
        counted = half.count(needs, **missing)
        for measure, each in other.count(others).items():
            assert (each == counted[measure]).all()


def test_a_reminder_is_fresh_for_as_long_as_told(half):
    reminders, rng = half.reminders, np.random.default_rng(5)
    subscribers = reminders.subscribers
    customer = rng.choice(subscribers, 4000).astype(np.int32)
    at = rng.integers(0, SPAN_S, 4000).astype(np.int32)
    service = rng.integers(0, 49, 4000).astype(np.uint8)
    told = reminders.fresh(customer, at, service)
    lasts = half.parameters.reminder_lasts_s
    sent: dict[int, list[int]] = {}
    for who, when in zip(reminders.sent.tolist(), reminders.sent_at.tolist(), strict=True):
        sent.setdefault(who, []).append(when)
    for who, when, what, found in zip(customer, at, service, told, strict=True):
        near = any(each <= when < each + lasts for each in sent.get(int(who), []))
        assert found == (near and IS_REMINDED[what])
    assert told.sum() > 30


def test_reminders_answer_questions_only_while_fresh(half):
    needs = half.needs(3)
    told = needs.told == TOLD
    fresh = half.reminders.fresh(needs.customer, needs.at, needs.service) & ~needs.latent
    fresh &= needs.told != CAUSED
    assert (told <= fresh).all()
    assert told.sum() / fresh.sum() == pytest.approx(0.8, abs=4 * (0.16 / fresh.sum()) ** 0.5)


def test_messages_keep_to_the_calendar_and_the_term(half):
    reminders, calendar = half.reminders, half.volumes.calendar
    day = reminders.sent_at // DAY_S
    assert {calendar.dates[each].day for each in set(day.tolist())} == {5, 10, 15, 25}
    assert (day > reminders.started[reminders.sent]).all()
    assert (day <= reminders.until[reminders.sent]).all()
    assert set((reminders.until - reminders.started)[reminders.subscribers] % 90) == {0}
    first = day <= reminders.started[reminders.sent] + 90
    assert np.bincount(reminders.sent[first]).max() <= 12
    assert 0 < (~first).sum() < first.sum()
    hour = reminders.sent_at % DAY_S / 3600
    assert 9 <= hour.min() < hour.max() < 11


def test_the_wave_is_a_lot_and_moves_subscriptions(half):
    reminders, population = half.reminders, half.population
    subscribed = reminders.started >= 0
    for trait in (population.tier == 2, population.bill == 0, population.rate > 8):
        by_wave = np.array([trait[reminders.wave == each].mean() for each in range(1, 9)])
        size = population.size / 8
        assert np.ptp(by_wave) < 5 * (trait.mean() * (1 - trait.mean()) / size) ** 0.5
    invited = reminders.invited_at >= 0
    assert subscribed[invited].mean() > 10 * subscribed[~invited].mean()
    # Those who call often subscribe more often: a plain comparison would mislead.
    assert population.rate[subscribed].mean() > 1.3 * population.rate[~subscribed].mean()
    assert 0.6 < invited.mean() < 0.8
    assert (reminders.source[subscribed & ~invited] == 0).all()


def test_customers_call_while_they_are_customers_and_near_their_bills(half):
    needs, population = half.needs(4), half.population
    own = needs.told != CAUSED
    day, who = needs.at[own] // DAY_S, needs.customer[own]
    assert ((population.joined[who] <= day) & (day < population.left[who])).all()
    billing = IS_BILLING[needs.service[own]] & ~needs.latent[own]
    window = half.volumes.calendar.bill_window[population.bill[who], day]
    base = half.volumes.calendar.bill_window[population.bill].mean()
    lift = half.parameters.bill_lift
    assert window[billing].mean() == pytest.approx(lift * base / (1 - base + lift * base), rel=0.05)
    other = ~IS_BILLING[needs.service[own]] & ~needs.latent[own]
    assert window[other].mean() == pytest.approx(base, rel=0.05)
    share = np.bincount(population.bill, minlength=5) / population.size
    assert share == pytest.approx(list(BILL_DAYS.values()), abs=0.02)


def test_callers_differ_by_the_rates_given(half):
    needs, population = half.needs(6), half.population
    calls = np.bincount(needs.customer[~needs.latent], minlength=population.size)
    often = population.rate > np.quantile(population.rate, 0.9)
    told = population.rate[often].sum() / population.rate.sum()
    assert calls[often].sum() / calls.sum() == pytest.approx(told, abs=0.02)
    gold, standard = (population.rate[population.tier == each].mean() for each in (2, 0))
    assert gold / standard == pytest.approx(2.0, rel=0.15)


def test_the_web_takes_more_from_the_menu_than_from_agents(half):
    needs = half.needs(7)
    own = ~needs.latent & (needs.told != CAUSED)
    use = [needs.web[own & (needs.fate == fate)].mean() for fate in (CONTAINED, REQUEST)]
    # Queries use the web more and are more often contained, hence more than 1.5.
    query = own & (needs.service == 0)
    alike = [needs.web[query & (needs.fate == fate)].mean() for fate in (CONTAINED, REQUEST)]
    assert alike[0] / alike[1] == pytest.approx(1.5, rel=0.25)
    assert use[0] > use[1]


def test_the_outage_is_felt_for_one_day_by_those_who_report_faults(half):
    cells, day = half.volumes.cells(), half.volumes.outage_day
    faults, usual = cells[9].sum(axis=1), np.median(cells[9].sum(axis=1))
    assert faults.argmax() == day
    assert 4 * usual < faults[day] < 9 * usual
    assert half.volumes.calendar.workday[day]
    quiet = Half(replace(half.parameters, outage=1.0))
    assert quiet.volumes.outage_day == -1
    assert np.allclose(quiet.volumes.actual, half.volumes.actual)


def test_make_up_days_are_those_published():
    # METHODS.md §5.
    published = {
        2024: "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
        2025: "01-26 02-08 04-27 09-28 10-11",
        2026: "01-04 02-14 02-28 05-09 09-20 10-10",
    }
    calendar = calendar_of(date(2024, 1, 1), 1096)
    worked = [str(day) for day, each in zip(calendar.dates, calendar.make_up, strict=True) if each]
    assert worked == [f"{year}-{day}" for year, days in published.items() for day in days.split()]
    for day, works, worked_for, holiday in zip(
        calendar.dates, calendar.workday, calendar.make_up, calendar.holiday, strict=True
    ):
        assert works == (worked_for or (day.weekday() < 5 and holiday is None))
        assert not (worked_for and (day.weekday() < 5 or holiday))
    # 365 days less 104 of weekends, 11 public holidays beside them, and weekdays moved for them.
    assert (
        245
        < sum(
            1
            for day, w in zip(calendar.dates, calendar.workday, strict=True)
            if w and day.year == 2025
        )
        < 252
    )


def test_a_finer_grid_of_delays_changes_nothing(half, monkeypatch):
    coarse = half.expect(), half.expect(sms=False, web=False)
    monkeypatch.setattr(expected_module, "_DELAYS", 4000)
    monkeypatch.setattr(expected_module, "_MOMENTS", 15)
    finer = Half(half.parameters)
    fine = finer.expect(), finer.expect(sms=False, web=False)
    for measure in ("calls", "requests", "handle_s"):
        one, two = (
            (getattr(neither, measure) - getattr(log, measure)).sum()
            for log, neither in (coarse, fine)
        )
        assert one == pytest.approx(two, rel=1e-3)


def test_an_early_wave_asks_less_than_one_not_yet_invited(half):
    """The instrument at work: invited by lot, 90 days, and the questions that reminders answer."""
    half = Half(replace(half.parameters, renewal=0.0))
    reminders, waves = half.reminders, half.reminders.waves
    wave = int(np.argmin(np.abs(waves - 40))) + 1
    day = int(waves[wave - 1])
    later = np.isin(reminders.wave, np.flatnonzero(waves > day + 95) + 1)
    keyword = (reminders.source == 0) & (reminders.started >= 0)
    share = reminders.protection(half.population, wave) * half.parameters.reminder_prevents
    wanted = half.volumes.cells()[IS_REMINDED].sum(axis=0)
    answered = (wanted * share).sum()
    invited = (reminders.wave == wave) & (reminders.invited_at >= 0)
    found = []
    for seed in range(12):
        needs = half.needs(seed)
        asks = ~needs.latent & (needs.told == 0) & IS_REMINDED[needs.service]
        asks &= (needs.at >= day * DAY_S) & (needs.at < (day + 95) * DAY_S)
        calls = np.bincount(needs.customer[asks], minlength=half.population.size)
        here = (half.population.joined <= day) & (half.population.left > day)
        control = later & here & ~keyword
        rate = half.population.rate
        # Per unit of call rate: the lot balances it only on average.
        treated = invited & ~keyword
        per = [calls[group].sum() / rate[group].sum() for group in (treated, control)]
        found.append((per[1] - per[0]) * rate[treated].sum())
    error = np.std(found, ddof=1) / len(found) ** 0.5
    assert abs(np.mean(found) - answered) < 4 * error + 0.1 * answered
    assert answered > 4 * error


def test_expiry_is_a_second_experiment(half):
    """Renewed or not by lot: those whose term ended ask again what reminders had told them."""
    reminders, population = half.reminders, half.population
    rate, days = population.rate, DAYS
    who = reminders.subscribers
    over = reminders.started[who] + reminders.term
    who, over = who[over < days - 10], over[over < days - 10]
    there = population.left[who] > over
    who, over = who[there], over[there]
    renewed = reminders.until[who] > over
    assert renewed.mean() == pytest.approx(half.parameters.renewal, abs=0.03)
    often = [rate[who[group]].mean() for group in (renewed, ~renewed)]
    assert often[0] == pytest.approx(often[1], rel=0.1)  # unlike opting in: no self-selection
    since = np.full(population.size, days + 1)
    since[who] = over
    found = []
    for seed in range(12):
        needs = half.needs(seed)
        asks = ~needs.latent & (needs.told != TOLD) & IS_REMINDED[needs.service]
        # A reminder of the old term may still be fresh for some days, in both groups alike.
        asks &= needs.at // DAY_S >= since[needs.customer]
        calls = np.bincount(needs.customer[asks], minlength=population.size)
        exposure = rate * np.maximum(np.minimum(population.left, days) - since, 0)
        per = [calls[who[g]].sum() / exposure[who[g]].sum() for g in (renewed, ~renewed)]
        found.append((per[1] - per[0]) * exposure[who[renewed]].sum())
    share = reminders.protection(population, renewed=True) * half.parameters.reminder_prevents
    answered = (half.volumes.cells()[IS_REMINDED].sum(axis=0) * share).sum()
    error = np.std(found, ddof=1) / len(found) ** 0.5
    assert abs(np.mean(found) - answered) < 4 * error + 0.15 * answered
    assert np.mean(found) > 4 * error
