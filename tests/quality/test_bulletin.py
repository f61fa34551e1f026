import datetime as dt
import os

import numpy as np
import polars as pl
import pytest
from scipy import stats

from ccanalytics import charts
from ccanalytics.errors import DataError, InputError
from ccanalytics.quality import bulletin

MONDAY = dt.date(2024, 1, 1)
SERVICES = [f"S{k}" for k in range(12)]
HABIT = np.array([1.2, 1.1, 1.0, 1.0, 1.05, 0.7, 0.6])


def centre(rng, days=57, services=SERVICES, spread=0.05):
    """Days whose volumes, abandonment and times wobble beyond the chance of single calls."""
    rows = []
    for k in range(days):
        day = MONDAY + dt.timedelta(days=k)
        for i, name in enumerate(services):
            mean = 120 * (1 + i) * HABIT[day.weekday()] * np.exp(spread * rng.standard_normal())
            offered = int(rng.poisson(mean))
            share = 0.06 * np.exp(0.1 * rng.standard_normal())
            gone = int(rng.binomial(offered, share))
            handled = offered - gone
            aht = 200 * np.exp(0.03 * rng.standard_normal())
            total = float(rng.gamma(max(handled, 1) * 1.2, aht / 1.2))
            rows.append((dt.datetime.combine(day, dt.time()), 86400, name, offered, gone, handled,
                         total))  # fmt: skip
    schema = ["local_start", "interval_s", "service", "offered", "abandoned", "handled", "handle_s"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def planted(frame, service, column, factor):
    last = pl.col("local_start") == frame["local_start"].max()
    hit = last & (pl.col("service") == service)
    kind = frame.schema[column]
    return frame.with_columns(
        pl.when(hit).then((pl.col(column) * factor).cast(kind)).otherwise(pl.col(column))
    )


def test_a_day_without_a_cause_has_an_item_as_often_as_said():
    rng = np.random.default_rng(2)
    worlds = 300 if os.environ.get("CCANALYTICS_FULL") == "1" else 60
    found = [bulletin(centre(rng)).items.height > 0 for _ in range(worlds)]
    assert sum(found) <= stats.binom.ppf(0.999, worlds, 0.05)


def test_planted_moves_come_first_with_their_evidence():
    frame = centre(np.random.default_rng(3))
    frame = planted(frame, "S4", "handle_s", 1.3)
    frame = planted(frame, "S9", "abandoned", 4.0)
    answer = bulletin(frame, names={"S4": "Plan change"})
    named = set(answer.items.select("key", "measure").iter_rows())
    assert {("S4", "aht_s"), ("S9", "abandonment")} <= named
    row = answer.items.filter(pl.col("key") == "S4").row(0, named=True)
    assert row["value"] > row["usual_high"]
    text = answer.summary()
    assert "average handle time of Plan change" in text
    assert "abandonment of S9" in text
    assert "at most one day in 20" in text
    assert answer.history.filter(pl.col("key") == "S4").height == 57
    assert answer.table()["about"].to_list()[0] in ("Plan change", "S9", "all calls")


def test_only_so_many_are_shown_and_the_others_are_counted():
    frame = centre(np.random.default_rng(4))
    for name in SERVICES[:7]:
        frame = planted(frame, name, "offered", 2.5)
    answer = bulletin(frame, most=5)
    assert answer.items.height == 5
    assert answer.more >= 2
    assert "more" in answer.summary()


def test_limits_are_those_of_a_new_day_by_hand():
    """One key, equal weekdays: mean ± t·s·√(1 + 1/8) of logs, s with n − 7 degrees of freedom."""
    rng = np.random.default_rng(5)
    offered = rng.integers(900, 1100, 57)
    frame = pl.DataFrame(
        {
            "local_start": [dt.datetime(2024, 1, 1) + dt.timedelta(days=k) for k in range(57)],
            "interval_s": 86400, "offered": offered, "abandoned": 0, "handled": offered,
            "handle_s": offered * 100.0,
        }
    )  # fmt: skip
    answer = bulletin(frame)
    row = answer.looked_at.filter(pl.col("measure") == "calls").row(0, named=True)
    logs = np.log(offered[:56]).reshape(8, 7)
    off = logs - logs.mean(axis=0)
    spread = np.sqrt((off**2).sum() / 49)
    half = stats.t.ppf(0.975, 49) * spread * np.sqrt(1 + 1 / 8)
    centre_ = logs[:, 0].mean()
    assert row["usual_low"] == pytest.approx(np.exp(centre_ - half))
    assert row["usual_high"] == pytest.approx(np.exp(centre_ + half))
    # Days of which every call takes the same time: no spread, and no surprise either.
    assert answer.looked_at.filter(pl.col("measure") == "aht_s")["p_value"][0] == 1.0
    assert answer.items.height == 0
    assert "nothing lies outside" in answer.headline()


def test_equal_days_make_the_next_one_no_surer_than_chance_allows():
    """Days of 72 calls each, then one of 80: a Poisson count of mean 72 is as far off one in three.

    And one of 130, which it is not.
    """
    shown = {}
    for last in (80, 130):
        offered = np.array([72] * 56 + [last])
        frame = pl.DataFrame(
            {
                "local_start": [dt.datetime(2024, 1, 1) + dt.timedelta(days=k) for k in range(57)],
                "interval_s": 86400, "offered": offered, "abandoned": 0, "handled": offered,
                "handle_s": offered * 100.0,
            }
        )  # fmt: skip
        answer = bulletin(frame)
        row = answer.looked_at.filter(pl.col("measure") == "calls").row(0, named=True)
        half = stats.t.ppf(0.975, 49) / np.sqrt(72) * np.sqrt(1 + 1 / 8)
        assert row["usual_low"] == pytest.approx(72 * np.exp(-half))
        assert row["usual_high"] == pytest.approx(72 * np.exp(half))
        shown[last] = answer.items.height
    assert shown == {80: 0, 130: 1}


def test_excluded_days_and_cut_days_do_not_count():
    frame = centre(np.random.default_rng(6))
    last = frame["local_start"].max()
    cut = frame.with_columns(
        interval_s=pl.when(pl.col("local_start") == last).then(20000).otherwise(86400)
    )
    assert bulletin(cut).day == last.date() - dt.timedelta(days=1)
    answer = bulletin(frame, exclude="2024-01-01..2024-01-07")
    assert answer.days == 49
    assert any("7 were excluded" in check.detail for check in answer.checks)


FRAME = centre(np.random.default_rng(7))


@pytest.mark.parametrize(
    ("frame", "settings", "error", "words"),
    [
        (FRAME, {"day": "2025-01-01"}, InputError, "it goes from 2024-01-01 to 2024-02-26"),
        (FRAME, {"day": "2024-01-08"}, DataError, "too few such weekdays"),
        (FRAME, {"day": "today"}, InputError, "no date"),
        (FRAME, {"weeks": 2}, InputError, "weeks=2"),
        (FRAME, {"most": 0}, InputError, "most=0"),
        (FRAME, {"min_calls": 10**8}, DataError, "no measure has calls enough"),
        (FRAME.with_columns(interval_s=604800), {}, InputError, "every='1d'"),
        (FRAME.drop("abandoned"), {}, InputError, "missing: abandoned"),
        (FRAME.clear(), {}, DataError, "no day covered in full"),
        (FRAME.with_columns(offered=-1), {}, InputError, "offered=-1"),
    ],
)
def test_refusals(frame, settings, error, words):
    with pytest.raises(error, match=words):
        bulletin(frame, **settings)


def test_the_chart_draws_each_item_or_says_that_there_is_none():
    frame = planted(planted(FRAME, "S2", "handle_s", 1.5), "S3", "handle_s", 1.5)
    answer = bulletin(frame)
    fig = charts.bulletin_items(answer)
    assert len(fig.data) == 3 * answer.items.height
    dots = charts.bulletin_looked_at(answer, top=10).data[0]
    assert len(dots.x) == 10
    row = answer.items.row(0, named=True)
    assert dots.x[-1] == pytest.approx(row["position"])
    assert row["position"] > 1
    quiet = bulletin(centre(np.random.default_rng(5), spread=0.02))
    if not quiet.items.height:
        with pytest.raises(DataError, match="nothing deserves attention"):
            charts.bulletin_items(quiet)


def test_holm_is_that_of_statsmodels():
    from statsmodels.stats.multitest import multipletests

    from ccanalytics.statistics.multiple import holm

    rng = np.random.default_rng(9)
    for _ in range(5):
        p = rng.random(30) ** 4
        expected, *_rest = multipletests(p, 0.05, method="holm")
        np.testing.assert_array_equal(holm(p, 0.05), expected)


def test_all_that_was_looked_at_is_told_in_words():
    answer = bulletin(FRAME, names={"S4": "Plan change"})
    told = answer.everything()
    assert told.height == answer.looked_at.height
    assert told["p_value"].is_sorted()
    assert set(told["measure"]) == {"offered calls", "abandonment", "average handle time"}
    assert "Plan change" in told["about"].to_list()
    shares = told.filter(measure="abandonment")["today"]
    assert shares.str.ends_with("%").all()
    assert answer.table().columns == ["item", *told.columns[:5]]


def test_a_last_day_with_few_calls_may_be_cut_short():
    last = FRAME["local_start"].max()
    counts = ("offered", "abandoned", "handled", "handle_s")
    cut = FRAME.with_columns(
        pl.when(pl.col("local_start") == last).then(pl.col(n) * 0.4).otherwise(pl.col(n))
        .cast(FRAME.schema[n]).alias(n) for n in counts
    )  # fmt: skip
    doubts = [c for c in bulletin(cut).checks if c.name == "the day itself"]
    assert [c.status for c in doubts] == ["fails"]
    assert "export was made during it" in doubts[0].detail
    assert not [c for c in bulletin(FRAME).checks if c.name == "the day itself"]


@pytest.mark.parametrize("day", ["2024-13-01", "2024-02-10..2024-02-01", 5])
def test_a_day_that_is_none_is_named_as_the_day(day):
    with pytest.raises(InputError) as error:
        bulletin(FRAME, day)
    assert str(error.value.where).startswith("day")
