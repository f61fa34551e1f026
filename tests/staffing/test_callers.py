"""What a log says of its callers and agents: what it tells, what it cannot, and what follows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy import stats

from ccanalytics import Queue, ServiceLevel, staffing
from ccanalytics.errors import InputError, UnsupportedError

GOAL = ServiceLevel(0.8, 20)


def waits_of(law, n=6000, seed=1, **key):
    rng = np.random.default_rng(seed)
    patient, answer = law.rvs(n, random_state=rng), rng.exponential(80, n)
    left = patient < answer
    frame = pl.DataFrame(
        {"outcome": np.where(left, "abandoned", "answered"), "queued": True,
         "seconds": np.rint(np.minimum(patient, answer)).astype(int)}
    ).with_columns(pl.lit(v).alias(k) for k, v in key.items())  # fmt: skip
    return frame.group_by(pl.all()).len("calls").sort(pl.all())


@cache
def told():
    delays = pl.DataFrame({"seconds": [30, 90_000], "again": [True, False], "calls": [40, 60]})
    rng = np.random.default_rng(3)
    start = [datetime(2025, 3, 3) + timedelta(hours=h) for h in range(24 * 70)]
    day = np.repeat(rng.gamma(1 / 0.2**2, 0.2**2, 70), 24)
    demand = pl.DataFrame({"local_start": start, "calls": rng.poisson(50 * day)})
    return staffing.callers(waits_of(stats.weibull_min(0.5, scale=200)), delays, demand)


def test_every_part_is_told_in_words():
    found = told()
    assert set(found.missing) == {"by_group"}
    words = found.summary()
    assert "40% call again within 1 h" in words
    assert "half would give up within" in words
    day = found.variation.cv_day
    assert day.low < 0.2 < day.high
    assert f"{found.variation.cv.value:.0%} off their usual level" in words
    assert found.unknown("patience") is None
    assert found.to_frame()["known"].to_list() == [True, False, True, True]
    # What the estimate of patience doubts, the composite doubts too.
    assert any(c.name == "Exponential law" and c.status == "fails" for c in found.checks)


def test_days_left_out_are_written_as_elsewhere_in_staffing():
    """Dates, or the text of a notebook's parameter with ranges."""
    start = [datetime(2025, 3, 3) + timedelta(hours=h) for h in range(24 * 70)]
    calls = np.random.default_rng(4).poisson(50, len(start))
    calls[: 24 * 2] *= 20  # the first two days
    demand = pl.DataFrame({"local_start": start, "calls": calls})
    waits = waits_of(stats.expon(scale=300), n=5)
    odd, text, dates = (
        staffing.callers(waits, None, demand, exclude=days).variation
        for days in ("", "2025-03-03..2025-03-04", [date(2025, 3, 3), date(2025, 3, 4)])
    )
    assert odd.cv.value > 1
    assert text.cv.value == dates.cv.value < 0.1
    with pytest.raises(InputError, match="2025-13-01"):
        staffing.callers(waits, None, demand, exclude="2025-13-01")


def test_the_law_to_plan_with():
    found = told()
    assert found.law("log") is found.patience.law()
    assert found.law("none") is found.law(None) is found.mean_s("none") is None
    assert found.law("120") == found.law(120) == found.mean_s("120") == 120
    assert found.mean_s("log") == found.patience.quantile("exponential_patience_s").value
    assert found.doubts("log") == found.doubts("none") == found.doubts("120") == ()
    for wrong in ("logs", "-5", "nan", 0, True, [1]):
        with pytest.raises(InputError, match="no patience"):
            found.law(wrong)


@pytest.mark.parametrize(
    ("waits", "reason"),
    [
        (waits_of(stats.expon(scale=300), n=5), "too few callers gave up"),
        (
            pl.DataFrame(
                {"outcome": ["abandoned", "answered"], "queued": [True, None],
                 "seconds": [None, None], "calls": [70, 400]},
                schema_overrides={"seconds": pl.Int64},
            ),
            "70 gave up, after an unknown time",
        ),
        (waits_of(stats.expon(scale=300)).clear(), "too few callers gave up"),
    ],
    ids=["too few", "no wait times", "no calls"],
)  # fmt: skip
def test_a_log_that_cannot_tell_patience_says_what_was_done_instead(waits, reason):
    found = staffing.callers(waits)
    assert found.patience is found.by_group is found.law("log") is found.mean_s("log") is None
    assert reason in found.summary()
    assert reason in found.unknown("patience").summary()
    (doubt,) = found.doubts("log")
    assert doubt.status == "fails"
    assert "as if nobody gave up (Erlang C)" in doubt.detail
    assert found.doubts("none") == ()


def test_a_plan_carries_the_doubt_along():
    found = staffing.callers(waits_of(stats.expon(scale=300), n=5))
    _, need = planned(patience=found.law("log"))
    cover = staffing.cover(need, staffing.shifts("4h", every="1h"))
    plan = staffing.day_plan(need, cover, doubts=found.doubts("log"))
    assert plan.checks[0].name == "Patience from the log"
    assert need.frame["required_agents"].max() == Queue(100, 3600, 180).agents_for(GOAL)


def test_few_who_gave_up_are_taken_as_exponential_and_that_is_said():
    found = staffing.callers(waits_of(stats.expon(scale=2000), n=700))
    assert 10 <= found.patience.frame["abandoned"][0] < 50
    assert found.law("log") == found.mean_s("log")
    assert "taken as exponential" in found.doubts("log")[0].detail


def test_unknown_customers_and_short_logs_are_named():
    nobody = pl.DataFrame(schema={"seconds": pl.Int64, "again": pl.Boolean, "calls": pl.Int64})
    start = [datetime(2025, 3, 3) + timedelta(hours=h) for h in range(48)]
    short = pl.DataFrame({"local_start": start, "calls": 50})
    found = staffing.callers(waits_of(stats.expon(scale=300)), nobody, short)
    assert found.redials is found.variation is None
    assert "no abandoned call is of a known customer" in found.missing["redials"]
    assert "too few days" in found.missing["variation"]
    assert found.patience is not None
    assert {c.status for c in found.checks if c.name in ("Redials", "Variation of volumes")} == {
        "informs"
    }


def test_groups_are_kept_apart_only_where_their_patience_differs():
    calm, hasty = stats.expon(scale=600), stats.expon(scale=60)
    alike = pl.concat(
        [waits_of(calm, seed=s, queue=q, tier=t)
         for s, (q, t) in enumerate([("a", "1"), ("b", "1"), ("a", "2"), ("b", "2")])]
    )  # fmt: skip
    assert staffing.callers(alike).by_group is None
    apart = pl.concat(
        [waits_of(law, seed=s, queue=q, tier=t)
         for s, (law, q, t) in enumerate([(calm, "a", "1"), (calm, "b", "1"),
                                          (hasty, "a", "2"), (hasty, "b", "2")])]
    )  # fmt: skip
    found = staffing.callers(apart).by_group
    assert found.keys == ("tier",)
    assert found.quantile("patience_p50_s", "1").low > found.quantile("patience_p50_s", "2").high


def test_a_group_of_unknown_key_is_a_group():
    """A null key beside named ones, in every frame of the estimate."""
    from ccanalytics.statistics import patience

    law = stats.expon(scale=100)
    unknown = waits_of(law, seed=2, queue="b").with_columns(queue=pl.lit(None, pl.String))
    some = pl.concat([waits_of(law, queue="a"), unknown])
    found = patience(some)
    assert found.frame["queue"].to_list() == found.survival["queue"].unique().sort().to_list()
    assert found.hazard.schema["queue"] == pl.String


# ---- the plan -----------------------------------------------------------------------------------


@cache
def typical():
    start = [datetime(2025, 3, 3, 8, tzinfo=UTC) + timedelta(days=d, hours=h)
             for d in range(14) for h in range(4)]  # fmt: skip
    frame = pl.DataFrame(
        {"interval_start": start, "interval_s": 3600, "calls": 100.0, "aht_s": 180.0}
    )
    return staffing.typical_day(frame, weekdays=1, time_zone="UTC", hours=("08:00", "12:00"))


def planned(**settings):
    return typical(), staffing.requirement(typical(), GOAL, **settings)


def test_the_logs_patience_enters_plan_curve_and_proof():
    law = told().law("log")
    _, need = planned(patience=law)
    assert "as patient as this log shows (M/M/n+G)" in need.summary()
    agents = need.frame["required_agents"][0]
    assert agents == Queue(100, 3600, 180, patience=law).agents_for(GOAL)
    curve = staffing.service_level_curve(100, 3600, 180, GOAL, patience=law)
    assert curve.required == {"Erlang C": 8, "M/M/n+G": agents}
    assert curve.seats_between == 8 - agents
    goals = staffing.what_if(need, (0.7, 0.8))
    assert goals.models["model"].to_list() == ["Erlang C", "M/M/n+G"]
    assert goals.hours_between == pytest.approx(4 * (8 - agents))
    proof = staffing.prove(need, replications=60)
    assert proof.simulated.low - 0.01 < proof.planned < proof.simulated.high + 0.01
    assert "as callers of the log show it" in proof.summary()


def test_a_plan_without_patience_can_be_proven_with_it():
    _, need = planned()
    lived = staffing.prove(need, patience=told().law("log"), replications=60)
    true = Queue(100, 3600, 180, patience=told().law("log"))
    kept = true.performance(need.frame["required_agents"][0]).service_level(GOAL)
    assert lived.simulated.low - 0.01 < kept < lived.simulated.high + 0.01


def test_a_method_without_laws_is_refused_with_the_remedy():
    with pytest.raises(UnsupportedError, match="give mean seconds, or take method='simulated'"):
        planned(patience=told().law("log"), method="iterative")


def test_spikes_do_not_depend_on_which_days_are_solved():
    """Days that cannot lower the requirement are left out of the search: brute force agrees."""
    rng = np.random.default_rng(5)
    start = [datetime(2025, 3, 3, 8, tzinfo=UTC) + timedelta(days=d, hours=h)
             for d in range(63) for h in range(6)]  # fmt: skip
    frame = pl.DataFrame(
        {"interval_start": start, "interval_s": 3600,
         "calls": rng.negative_binomial(2, 0.03, len(start)),
         "aht_s": rng.uniform(120, 300, len(start))}
    )  # fmt: skip
    day = staffing.typical_day(frame, weekdays=1, time_zone="UTC", hours=("08:00", "14:00"))
    found = staffing.spikes(day, GOAL)
    for row in found.frame.iter_rows(named=True):
        counts = day.counts.filter(pl.col("clock") == f"{row['local_start']:%H:%M}")
        least = []
        for left_out in counts["date"]:
            rest = counts.filter(pl.col("date") != left_out)
            aht = (rest["calls"] * rest["aht_s"].fill_null(0)).sum() / rest["calls"].sum()
            least.append(Queue(rest["calls"].mean(), 3600, aht).agents_for(GOAL))
        assert row["required_without"] == min(least)


# ---- agents -------------------------------------------------------------------------------------


def seen_of(agents, dates=None):
    at = [datetime(d.year, d.month, d.day, 8) + timedelta(hours=h)
          for d in (dates or typical().dates) for h in range(4)]  # fmt: skip
    return pl.DataFrame({"local_start": at, "interval_s": 3600, "agents_present": float(agents)})


def test_states_go_before_what_calls_tell_and_the_source_is_named():
    day, need = planned()
    states = seen_of(6).select(
        "local_start", "interval_s", state=pl.lit("available"), actual_s=pl.lit(6 * 3600.0)
    )
    idle = states.with_columns(state=pl.lit("break"), actual_s=pl.lit(3600.0))
    found = staffing.agents_seen(need, day, pl.concat([states, idle]), seen_of(5))
    assert (found.source, found.days, found.hours) == ("agent states", 2, 24)
    assert "measured from agent states" in found.summary()
    inferred = staffing.agents_seen(need, day, None, seen_of(5))
    assert (inferred.source, inferred.hours) == ("calls", 20)
    assert "inferred from calls" in inferred.summary()
    assert inferred.shrinkage is None
    # A day of the plan of which nothing is known is in no mean; other days are not looked at.
    one = staffing.agents_seen(need, day, None, seen_of(5, [day.dates[0]]))
    assert (one.days, one.hours) == (1, 20)
    assert "mean over 1 day of 2" in one.summary()


def test_a_log_without_agents_says_so():
    day, need = planned()
    found = staffing.agents_seen(need, day)
    assert found.source is None
    assert "neither agent states nor the agent of each call" in found.summary()
    away = staffing.agents_seen(need, day, None, seen_of(5, [datetime(2025, 3, 5)]))
    assert "no agent was seen on the days of this plan" in away.summary()
    with pytest.raises(InputError, match="typical day"):
        staffing.agents_seen(need, None)


def test_measured_shrinkage_stands_beside_the_plans():
    day, need = planned(shrinkage=0.3)
    acts = pl.DataFrame(
        [("a", "calls", "available", False, 800.0), ("a", "break", "break", False, 200.0)],
        schema=["agent", "activity", "state", "overlapping", "seconds"], orient="row",
    )  # fmt: skip
    found = staffing.agents_seen(need, day, None, seen_of(5), acts)
    assert "20% of paid time was not spent on calls, where the plan takes 30%" in found.summary()
    nobody = acts.with_columns(state=pl.lit("break"))
    assert "shrinkage" in staffing.agents_seen(need, day, None, seen_of(5), nobody).missing
