"""Sites apart and together: published counts, the formula per pool, and what is refused."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from ccanalytics import Queue, ServiceLevel, staffing
from ccanalytics.errors import InputError

GOAL = ServiceLevel(0.80, within=20)
START = datetime(2025, 3, 3, 8, tzinfo=UTC)


def frame(calls, aht=180.0, **columns):
    """Rows of ``calls``: site → calls per half-hour."""
    rows = [
        {"interval_start": START + timedelta(minutes=30 * k), "interval_s": 1800.0,
         "calls": float(number), "aht_s": aht if number else None, "site": site}
        for site, numbers in calls.items()
        for k, number in enumerate(numbers)
    ]  # fmt: skip
    return pl.DataFrame(rows).with_columns(**columns)


def even(sites, total=25_000.0):
    return frame({f"site {k:03}": [total / sites] for k in range(sites)})


@pytest.mark.parametrize(
    ("sites", "seats", "occupancy"),
    [(250, 3500, 0.714), (31, 2697, 0.927), (8, 2576, 0.970), (1, 2512, 0.995)],
)
def test_published_seats(sites, seats, occupancy):
    row = staffing.site_plans(even(sites), GOAL, {"as it is": "separate"}).frame.row(0, named=True)
    assert row["seats"] == seats
    assert row["occupancy"] == pytest.approx(occupancy, abs=6e-4)
    assert row["agent_hours"] == seats / 2


def test_one_site_is_livable_only_with_a_cap():
    found = staffing.site_plans(even(250), GOAL, max_occupancy=0.9)
    assert found.frame["seats"].to_list() == [3500, 2778]  # ⌈2500/.9⌉
    assert found.frame["occupancy"].max() <= 0.9
    free = staffing.site_plans(even(250), GOAL)
    assert free.checks[0].status == "fails"
    assert "max_occupancy" in free.checks[0].detail
    assert found.checks[0].status == "holds"


def test_pools_are_queues_of_the_sums():
    calls = {"a": [30, 80, 0], "b": [10, 5, 12], "c": [200, 180, 90]}
    rows = frame(calls).with_columns(
        aht_s=pl.when(pl.col("site") == "c").then(240.0).otherwise(pl.col("aht_s"))
    )
    found = staffing.site_plans(
        rows, GOAL, {"apart": "separate", "two": {"a": "north", "b": "north"}, "one": "pooled"},
        patience=200, cost_per_hour=10, shrinkage=0.3,
    )  # fmt: skip
    agents = {
        name: np.array([
            Queue(n, 1800, aht, patience=200).agents_for(GOAL) if n else 0
            for n, aht in zip(numbers, ahts, strict=True)
        ])
        for name, numbers, ahts in (
            ("a", calls["a"], [180] * 3), ("b", calls["b"], [180] * 3),
            ("c", calls["c"], [240] * 3),
            ("north", np.add(calls["a"], calls["b"]), [180] * 3),
            ("all sites", np.sum(list(calls.values()), axis=0),
             [(180 * (a + b) + 240 * c) / (a + b + c)
              for a, b, c in zip(*calls.values(), strict=True)]),
        )
    }  # fmt: skip
    for arrangement, pools in (("apart", "abc"), ("two", ("c", "north")), ("one", ("all sites",))):
        own = found.pools.filter(pl.col("arrangement") == arrangement).sort("pool")
        assert own["pool"].to_list() == sorted(pools)
        assert own["agent_hours"].to_list() == [agents[p].sum() / 2 for p in sorted(pools)]
        assert own["seats"].to_list() == [agents[p].max() for p in sorted(pools)]
    rows = {row["arrangement"]: row for row in found.frame.iter_rows(named=True)}
    assert rows["one"]["agent_hours"] < rows["two"]["agent_hours"] < rows["apart"]["agent_hours"]
    saved = rows["apart"]["agent_hours"] - rows["one"]["agent_hours"]
    assert rows["one"]["agent_hours_saved"] == saved
    scheduled = sum(int(np.ceil(round(n / 0.7, 9))) for n in agents["all sites"]) / 2
    assert rows["one"]["cost"] == pytest.approx(10 * scheduled)
    levels = [
        Queue(n, 1800, aht, patience=200).performance(k).service_level(GOAL)
        for n, aht, k in zip(
            np.sum(list(calls.values()), axis=0),
            [(180 * (a + b) + 240 * c) / (a + b + c)
             for a, b, c in zip(*calls.values(), strict=True)],
            agents["all sites"], strict=True,
        )
    ]  # fmt: skip
    assert rows["one"]["service_level"] == pytest.approx(
        np.average(levels, weights=np.sum(list(calls.values()), axis=0))
    )


def test_bound_calls_lie_between_pooled_and_separate():
    rows = even(20, 4000)
    hours = [
        staffing.site_plans(rows, GOAL, {"one": "pooled"}, bound=share).frame["agent_hours"][0]
        for share in (0.0, 0.2, 0.5, 1.0)
    ]
    assert hours[0] == min(hours)
    alone = staffing.site_plans(rows, GOAL, {"apart": "separate"}, bound=0.5)
    assert hours[3] == alone.frame["agent_hours"][0]
    own = staffing.site_plans(rows, GOAL, {"one": "pooled"}, bound={"site 003": 1.0})
    assert own.pools["pool"].to_list() == ["all sites", "site 003 (bound)"]
    assert own.pools["calls"].to_list() == pytest.approx([3800, 200])
    assert "bound" in own.summary()


def test_the_order_of_rows_does_not_matter_and_zones_do_not():
    rows = frame({"a": [30, 80, 4], "b": [10, 5, 12]})
    told = staffing.site_plans(rows, GOAL).frame
    other = rows.sample(fraction=1, shuffle=True, seed=4).with_columns(
        pl.col("interval_start").dt.convert_time_zone("Asia/Shanghai")
    )
    assert staffing.site_plans(other, GOAL).frame.equals(told)
    assert staffing.site_plans(rows.to_pandas(), GOAL).frame.equals(told)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: staffing.site_plans(frame({"a": [1]}).drop("site"), GOAL), "which site"),
        (lambda: staffing.site_plans(frame({"a": [1], "b": [0]}), GOAL), "without calls.*'b'"),
        (lambda: staffing.site_plans(frame({"a": [1]}), GOAL, {"x": {"z": "p"}}), "'x': 'z'"),
        (lambda: staffing.site_plans(frame({"a": [1]}), GOAL, {"x": "y"}), "no such arrangement"),
        (lambda: staffing.site_plans(frame({"a": [1]}), GOAL, {}), "have names"),
        (lambda: staffing.site_plans(frame({"a": [1]}), GOAL, bound=1.2), "bound"),
        (lambda: staffing.site_plans(frame({"a": [1]}), GOAL, bound={"q": 0.1}), "no such site"),
        (lambda: staffing.site_plans(frame({"a": [1]}, queue=pl.lit("x")), GOAL), "further keys"),
        (lambda: staffing.site_plans(frame({"a": [1]}, site=pl.lit(None, pl.String)), GOAL),
         "belongs to no site"),
        (lambda: staffing.site_plans(
            pl.concat([frame({"a": [1]}), frame({"b": [1]}, interval_s=pl.lit(900.0))]), GOAL),
         "length of an interval"),
        (lambda: staffing.site_plans(frame({"a": [1]}), GOAL, max_occupancy=90), "max_occupancy"),
    ],
)  # fmt: skip
def test_bad_input(call, told):
    with pytest.raises(InputError, match=told):
        call()
