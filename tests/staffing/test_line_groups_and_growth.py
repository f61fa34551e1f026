"""Overflow between groups, the busy-signal trick, contact rates, seasons, months to come."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, staffing
from ccanalytics.errors import CcanalyticsError, InputError
from ccanalytics.queueing import MenuQueue, erlang_b, overflow_blocking, servers_for_blocking

GOAL = ServiceLevel(0.80, within=20)

# ---- overflow -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["wilkinson", "hayward"])
def test_the_common_group_is_the_least_that_does(method):
    groups = {"a": (10.0, 10), "b": (6.0, 8), "c": (0.0, 2)}
    plan = staffing.overflow_plan(groups, method=method)
    fewer = staffing.overflow_plan(groups, common=plan.common - 1, method=method)
    assert plan.blocking <= 0.01 < fewer.blocking
    assert plan.stream.mean == pytest.approx(2.87708, abs=5e-6)
    assert plan.stream.variance == pytest.approx(5.73485, abs=5e-6)
    # Bunched calls need more than random ones; sharing needs less than standing alone.
    assert plan.common > plan.random_common
    assert plan.pooled_lines < plan.lines < plan.frame["lines_alone"].sum()
    further = overflow_blocking(
        plan.stream.mean, plan.stream.peakedness, plan.common, method=method
    )
    assert plan.frame["lost"][0] == pytest.approx(erlang_b(10, 10) * further)
    assert plan.frame["lost"][2] == 0
    told = plan.summary()
    assert f"{plan.common} common lines" in told
    assert "peakedness 1.99" in told


def test_groups_that_are_large_enough_need_no_common_one():
    plan = staffing.overflow_plan({"a": (10, 25)})
    assert (plan.common, plan.lines) == (0, 25)
    assert plan.blocking == pytest.approx(erlang_b(10, 25))
    assert "No common group is needed" in plan.summary()


@pytest.mark.parametrize(
    ("groups", "further", "named"),
    [
        ({}, {}, "groups"),
        ([1], {}, "groups"),
        ({"a": 5}, {}, "'a'"),
        ({"a": (-1, 5)}, {}, "'a': -1"),
        ({"a": (1, 2.5)}, {}, "lines of 'a'"),
        ({"a": (1, 2)}, {"common": -3}, "common"),
        ({"a": (1, 2)}, {"max_blocking": 0}, "max_blocking"),
        ({"a": (10, 2)}, {"method": "guess"}, "method"),
    ],
)
def test_groups_that_cannot_be_planned_are_named(groups, further, named):
    with pytest.raises(CcanalyticsError, match=named):
        staffing.overflow_plan(groups, **further)


def test_groups_come_from_the_log_or_are_given():
    busy = pl.DataFrame(
        {"line_group": ["A", "A", "B", None], "consistent_hour_erlangs": [4.0, 6.0, 2.0, 1.0]}
    )
    lines = pl.DataFrame(
        {"line_group": ["A", "A", "B"], "peak_lines": [9, 8, 5], "lines": [10, 12, None]}
    )
    assert staffing.groups_measured(busy, lines) == {"A": (5.0, 12), "B": (2.0, 5)}
    without = lines.drop("lines")
    assert staffing.groups_measured(busy, without, "A 7") == {"A": (5.0, 7), "B": (2.0, 5)}
    for text, named in (("C 3", "'C'"), ("A", "'A'"), ("A x", "'A x'")):
        with pytest.raises(InputError, match=named):
            staffing.groups_measured(busy, lines, text)
    assert "no call names its line group" in staffing.no_line_groups().summary()


# ---- the busy-signal trick ----------------------------------------------------------------------


def test_fewer_lines_flatter_the_queue():
    shown = staffing.busy_signal(600, 3600, 180, GOAL, agents=22, menu=60, to_agent=0.7)
    frame = shown.frame
    assert frame["lines"][0] == 22
    assert (frame["blocking"].diff().drop_nulls() < 0).all()
    assert (frame["service_level"].diff().drop_nulls() < 0).all()
    assert (frame["asa_s"].diff().drop_nulls() > 0).all()
    row = frame.filter(lines=35).row(0, named=True)
    assert row["blocking"] == pytest.approx(0.08364, abs=5e-6)
    assert row["service_level"] == pytest.approx(1 - 0.15492, abs=5e-6)
    assert row["service_level_of_all"] == pytest.approx((1 - 0.15492) * (1 - 0.08364), abs=1e-5)
    lying = shown.flattering
    assert lying["lines"] == 36
    assert lying["service_level"] >= 0.8 > lying["service_level_of_all"]
    assert "on 36 lines the queue's report says 80.8%" in shown.checks[0].detail


def test_with_agents_to_spare_there_is_no_trick():
    shown = staffing.busy_signal(600, 3600, 180, GOAL, agents=30, menu=60, to_agent=0.7,
                                 lines=range(60, 80))  # fmt: skip
    assert shown.flattering is None
    assert "hardly changes" in shown.summary()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"lines": [20]}, "fewer lines than agents"),
        ({"lines": []}, "lines"),
        ({"lines": ["x"]}, "lines"),
        ({"agents": 0}, "agents"),
        ({"calls": -1}, "calls"),
        ({"calls": "many"}, "calls"),
        ({"goal": 0.8}, "ServiceLevel"),
        ({"redial": 2}, "redial"),
    ],
)
def test_tricks_that_cannot_be_shown_are_named(given, named):
    asked = {"calls": 600, "per": 3600, "aht": 180, "goal": GOAL, "agents": 22} | given
    with pytest.raises(CcanalyticsError, match=named):
        staffing.busy_signal(**asked)


# ---- contact rate and seasons -------------------------------------------------------------------


def days(first, count, calls):
    start = [datetime(first.year, first.month, first.day) + timedelta(days=k) for k in range(count)]
    return pl.DataFrame({"local_start": start, "arrived": [calls(day) for day in start]})


def people(first, months, number):
    start = [datetime(first.year + (first.month - 1 + k) // 12, (first.month - 1 + k) % 12 + 1, 1)
             for k in range(months)]  # fmt: skip
    return pl.DataFrame({"local_start": start, "subscribers": [number(day) for day in start]})


SEASON = np.array([1.3, 1.1, 1, 1, 0.9, 0.8, 0.7, 0.8, 1, 1.1, 1.1, 1.2])


def test_planted_rate_and_seasons_are_found_in_spite_of_growth():
    """Subscribers double within the year: taken per subscriber, growth does not pass for season."""
    begin = date(2023, 1, 1)

    def number(day):
        return 1000 * 2 ** ((day.month - 1) / 12)

    frame = days(begin, 365, lambda day: number(day) * 0.3 * SEASON[day.month - 1] / (365.25 / 12))
    found = staffing.contact_pattern(frame, people(begin, 12, number))
    assert found.contact_rate == pytest.approx(0.3 * SEASON.mean())
    assert [found.seasons[m] for m in range(1, 13)] == pytest.approx(SEASON / SEASON.mean())
    assert found.subscribers == pytest.approx(number(date(2023, 12, 1)))
    assert "Busiest month January (" in found.summary()
    alone = staffing.contact_pattern(frame)
    assert alone.contact_rate is None
    assert "growth" in alone.checks[0].detail
    assert alone.seasons[12] > found.seasons[12]


def test_eleven_months_and_a_half_have_no_seasons():
    found = staffing.contact_pattern(
        days(date(2023, 1, 10), 345, lambda _: 100), people(date(2023, 1, 1), 12, lambda _: 5000)
    )
    assert found.frame.height == 10  # January and December are not whole
    assert found.seasons is None
    assert "the log holds 10 of them whole" in found.summary()
    assert found.contact_rate == pytest.approx(100 * 365.25 / 12 / 5000)


def test_a_log_of_days_knows_no_rate():
    found = staffing.contact_pattern(days(date(2023, 1, 10), 15, lambda _: 100))
    assert found.contact_rate is None
    assert "no whole month" in found.summary()
    with pytest.raises(InputError, match="days"):
        staffing.contact_pattern(pl.DataFrame({"x": [1]}))


# ---- months to come -----------------------------------------------------------------------------

HOUR = pl.DataFrame(
    {
        "interval_start": [datetime(2025, 3, 3, 10, tzinfo=UTC)],
        "interval_s": [3600],
        "calls": [50.0],
        "aht_s": [180.0],
    }
)
COMING = {
    "months": 14, "goal": GOAL, "day": HOUR, "per_day": 500, "first": date(2025, 11, 20),
    "subscribers": 1e5, "contact_rate": 0.36525, "growth": 0.02, "menu": 60, "to_agent": 0.7,
}  # fmt: skip


def test_months_by_hand():
    found = staffing.trunk_growth(**COMING, seasons=SEASON, shrinkage=0.3).frame
    assert found["month"].to_list()[:3] == [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1)]
    assert found["month"][-1] == date(2026, 12, 1)
    row = found.row(2, named=True)
    assert row["subscribers"] == pytest.approx(1e5 * 1.02**2)
    # A day has .36525 / 30.4375 = .012 calls a subscriber, a tenth of them in the planned hour.
    assert row["busy_calls"] == pytest.approx(1e5 * 1.02**2 * 0.0012 * 1.3)
    assert row["calls"] == pytest.approx(31 * 10 * row["busy_calls"])
    one = HOUR.with_columns(calls=pl.lit(row["busy_calls"]))
    plan = staffing.trunks(one, GOAL, menu=60, to_agent=0.7)
    assert (row["lines"], row["ports"], row["agents"]) == (plan.lines, plan.ports, plan.agents)
    assert row["scheduled_agents"] == staffing.scheduled(plan.agents, 0.3)
    assert row["ports"] == servers_for_blocking(row["busy_calls"] / 60, 0.001)
    good = MenuQueue(row["busy_calls"], 3600, 60, 0.7, 180).performance(plan.agents, plan.lines)
    assert good.blocking <= 0.01


def test_the_months_after_a_log_follow_from_what_it_shows():
    """Two whole months of 300 calls a day from customers who grow by 5% a month."""
    frame = days(date(2025, 3, 1), 61, lambda _: 300)
    number = people(date(2025, 3, 1), 2, lambda day: 10_000 * 1.05 ** (day.month - 3))
    pattern = staffing.contact_pattern(frame, number)
    assert pattern.growth == pytest.approx(0.05)
    assert pattern.next_month == date(2025, 5, 1)
    plan = staffing.trunks(HOUR, GOAL, menu=60, to_agent=0.7)
    coming = staffing.coming_months(plan, pattern, GOAL, months=3)
    row = coming.frame.row(0, named=True)
    assert row["month"] == date(2025, 5, 1)
    assert row["subscribers"] == pytest.approx(10_500)
    rate = 300 * 365.25 / 12 * (1 / 10_000 + 1 / 10_500) / 2
    assert row["contact_rate"] == pytest.approx(rate)
    assert row["busy_calls"] == pytest.approx(50 / 300 * 10_500 * rate * 12 / 365.25)
    assert coming.frame["subscribers"][2] == pytest.approx(10_500 * 1.05**2)
    # Without customers the number of subscribers has to be told, and then is enough.
    blind = staffing.contact_pattern(frame)
    assert (
        "give the number of subscribers"
        in staffing.coming_months(plan, blind, GOAL, months=3).summary()
    )
    told = staffing.coming_months(plan, blind, GOAL, months=3, subscribers=1000).frame
    assert told["busy_calls"].to_list() == pytest.approx([50.0] * 3)
    assert told["lines"].to_list() == [plan.lines] * 3


def test_without_seasons_more_subscribers_never_need_fewer():
    found = staffing.trunk_growth(**COMING)
    for name in ("lines", "ports", "agents"):
        assert (found.frame[name].diff().drop_nulls() >= 0).all()
    # Fewer subscribers may do with fewer lines.
    less = staffing.trunk_growth(**COMING | {"growth": -0.05}).frame
    assert less["lines"][-1] < less["lines"][0]
    assert "every month taken as average" in found.summary()


def test_seasons_are_read_from_text():
    assert staffing.read_seasons("") is None
    assert staffing.read_seasons(", ".join(map(str, SEASON)))[7] == 0.7
    for text in ("1 2 3", "a b c d e f g h i j k l", "1 1 1 1 1 1 1 1 1 1 1 0"):
        with pytest.raises(InputError):
            staffing.read_seasons(text)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"months": 0}, "months"),
        ({"months": 1.5}, "months"),
        ({"first": "2025"}, "first"),
        ({"subscribers": 0}, "subscribers"),
        ({"contact_rate": -1}, "contact_rate"),
        ({"growth": -1}, "growth"),
        ({"per_day": 0}, "per_day"),
        ({"day": HOUR.with_columns(calls=pl.lit(0.0))}, "no calls"),
        ({"seasons": [1, 2]}, "twelve"),
        ({"max_blocking": 0}, "max_blocking"),
    ],
)
def test_months_that_cannot_be_planned_are_named(given, named):
    with pytest.raises(CcanalyticsError, match=named):
        staffing.trunk_growth(**COMING | given)
