"""The profile of traffic: ratios of sums, days in the span, busy hour, spread, unusual days."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from ccanalytics import ServiceLevel, traffic
from ccanalytics.errors import DataError, InputError, UnsupportedError

wall = datetime.fromisoformat  # a wall clock: naive on purpose
GOAL = ServiceLevel(0.80, within=20)


def roll_up(start, hours, offered, *, answered=None, in_time=None, every_s=3600, **columns):
    """A frame as log.intervals gives it, on a clock without changes."""
    offered = np.asarray(offered, dtype=int)
    answered = offered if answered is None else np.asarray(answered, dtype=int)
    local = [start + timedelta(seconds=every_s * i) for i in range(int(hours * 3600 / every_s))]
    return pl.DataFrame(
        {
            "interval_start": [at.replace(tzinfo=UTC) for at in local],
            "local_start": local,
            "utc_offset_s": [0] * len(local),
            "interval_s": [every_s] * len(local),
            "arrived": offered + 2,
            "offered": offered,
            "answered": answered,
            "abandoned": offered - answered,
            "answered_in_20s": answered if in_time is None else np.asarray(in_time, dtype=int),
            **columns,
        }
    )


MONDAY = wall("2025-03-03")


def test_service_level_is_a_ratio_of_sums_not_a_mean_of_ratios():
    # Two Mondays at 09:00: 10 of 10 in time, then 10 of 90.
    offered, in_time = np.zeros(24 * 8, int), np.zeros(24 * 8, int)
    offered[9], in_time[9], offered[7 * 24 + 9], in_time[7 * 24 + 9] = 10, 10, 90, 10
    result = traffic.profile(roll_up(MONDAY, 24 * 8, offered, in_time=in_time), GOAL)
    cell = result.slots.filter(pl.col("weekday") == 1, pl.col("clock") == "09:00").row(
        0, named=True
    )
    assert cell["service_level"] == pytest.approx(20 / 100)
    assert cell["calls"] == 50
    assert cell["intervals"] == 2
    assert result.totals["service_level"] == pytest.approx(20 / 100)


def test_a_day_without_calls_inside_the_span_counts_as_zero_and_one_outside_does_not():
    offered = np.zeros(24 * 8, int)
    offered[9] = 12  # the first Monday; the second is in the span, without calls
    result = traffic.profile(roll_up(MONDAY, 24 * 8, offered), GOAL)
    mean = {
        row["weekday"]: row for row in result.slots.filter(pl.col("clock") == "09:00").to_dicts()
    }
    assert mean[1]["calls"] == 6
    assert mean[2]["intervals"] == 1
    assert mean[2]["service_level"] is None


def test_where_nobody_called_there_is_no_service_level_and_no_abandonment():
    offered = np.zeros(24, int)
    offered[9] = 5
    night = traffic.profile(roll_up(MONDAY, 24, offered), GOAL).slots.filter(
        pl.col("clock") == "03:00"
    )
    assert night.select("service_level", "abandonment").row(0) == (None, None)


def test_busy_hour_is_a_clock_hour_by_mean_and_the_busiest_is_one_that_happened():
    # Half-hours: 10:00 and 10:30 together beat 14:30, which has the greatest half-hour.
    day = np.zeros(48, int)
    day[20], day[21], day[29] = 30, 30, 40
    offered = np.tile(day, 3)
    offered[48 + 36] = 200  # Tuesday 18:00, once
    frame = roll_up(MONDAY, 72, offered, every_s=1800)
    result = traffic.profile(frame, GOAL)
    assert result.busy_hour.clock == "18:00"  # 200/3 a day beats 60
    assert result.busiest_hour.local_start == wall("2025-03-04T18:00")
    assert result.busiest_hour.calls == 200
    calm = traffic.profile(roll_up(MONDAY, 72, np.tile(day, 3), every_s=1800), GOAL)
    assert calm.busy_hour.clock == "10:00"
    assert calm.busy_hour.calls == 60
    assert calm.busy_hour.share_of_day == pytest.approx(0.6)


def test_the_load_of_the_busy_hour_is_what_agents_carried():
    offered = np.full(24, 10)
    offered[11] = 60
    busy = np.zeros(24)
    busy[11] = 5 * 3600.0
    result = traffic.profile(roll_up(MONDAY, 24, offered, agent_busy_s=busy), GOAL)
    assert result.busy_hour.load == 5.0
    assert traffic.profile(roll_up(MONDAY, 24, offered), GOAL).busy_hour.load is None


def test_speed_of_answer_is_of_the_answered_and_mean_wait_of_all_offered():
    frame = roll_up(
        MONDAY,
        24,
        [10] * 24,
        answered=[8] * 24,
        wait_s=[300.0] * 24,
        answered_wait_s=[160.0] * 24,
        menu_s=[None] * 24,
    )
    totals = traffic.profile(frame, GOAL).totals
    assert totals["asa_s"] == 20.0
    assert totals["mean_wait_s"] == 30.0
    assert totals["abandonment"] == pytest.approx(0.2)


def test_what_the_log_never_recorded_is_none_and_not_zero():
    frame = roll_up(MONDAY, 24, [10] * 24).with_columns(wait_s=pl.lit(None, pl.Float64))
    result = traffic.profile(frame, GOAL)
    assert result.totals["mean_wait_s"] is None
    shown = result.overview().filter(pl.col("measure") == "Mean wait")
    assert shown["value"].to_list() == ["not recorded"]


@pytest.mark.parametrize(("variance", "status"), [(1.0, "holds"), (5.0, "fails")])
def test_dispersion_recovers_what_was_planted(variance, status):
    # Negative binomial with the same mean: variance/mean = 1 + mean/shape.
    rng, mean, weeks = np.random.default_rng(7), 40.0, 26
    rate = np.full(24 * 7 * weeks, mean)
    if variance > 1:
        shape = mean / (variance - 1)
        rate = rng.gamma(shape, mean / shape, rate.size)
    result = traffic.profile(roll_up(MONDAY, rate.size, rng.poisson(rate)), GOAL)
    assert result.dispersion == pytest.approx(variance, rel=0.12)
    assert result.dispersion_low < result.dispersion < result.dispersion_high
    check = next(check for check in result.checks if check.name == "Variation of volume")
    assert check.status == status
    # The name is a topic; the finding says which way it went.
    assert check.detail.startswith("chance alone" if status == "holds" else "more than chance")


def test_zero_days_and_spikes_are_named_with_their_dates():
    rng = np.random.default_rng(3)
    offered = rng.poisson(30, (8 * 7, 24))
    offered[22] = 0  # Tuesday 25 March
    offered[31, 13] += 600  # Thursday 3 April
    result = traffic.profile(roll_up(MONDAY, 8 * 7 * 24, offered.ravel()), GOAL)
    kinds = {row["date"].isoformat(): row["kind"] for row in result.days.to_dicts() if row["kind"]}
    assert kinds == {"2025-03-25": "zero", "2025-04-03": "high"}
    text = " ".join(check.detail for check in result.checks)
    assert "25 Mar 2025" in text
    assert "3 Apr 2025" in text


def test_a_day_seen_in_part_is_not_compared():
    frame = roll_up(MONDAY + timedelta(hours=14), 24 * 28, np.full(24 * 28, 30))
    days = traffic.profile(frame, GOAL).days
    assert days["kind"].to_list()[0] == "partial"
    assert days["kind"].to_list()[-1] == "partial"
    assert days["kind"].to_list()[1:-1] == [None] * 27


def test_the_matrix_is_the_week_from_monday_with_a_column_per_time():
    offered = np.arange(24 * 7)
    table = traffic.profile(roll_up(MONDAY, 24 * 7, offered), GOAL).matrix("calls")
    assert table["weekday"].to_list()[0] == "Monday"
    assert table["weekday"].to_list()[6] == "Sunday"
    assert table.columns[1:3] == ["00:00", "01:00"]
    assert table["05:00"].to_list() == [5.0 + 24 * day for day in range(7)]


def test_an_interval_missing_inside_the_span_is_said_and_not_made_zero():
    frame = roll_up(MONDAY, 48, [10] * 48)
    result = traffic.profile(frame.filter(pl.col("local_start") != wall("2025-03-04T09:00")), GOAL)
    assert any("Intervals missing" in check.name for check in result.checks)
    tuesday = result.slots.filter(pl.col("weekday") == 2, pl.col("clock") == "09:00")
    assert tuesday.is_empty()


def test_the_doubled_hour_of_a_clock_change_is_not_a_busy_hour():
    # Berlin, 26 October 2025: 02:00 comes twice.
    zone, start = ZoneInfo("Europe/Berlin"), datetime(2025, 10, 25, 22, tzinfo=UTC)
    utc = [start + timedelta(hours=h) for h in range(25)]
    frame = roll_up(MONDAY, 25, [30] * 25).with_columns(
        interval_start=pl.Series(utc), local_start=pl.Series([
            at.astimezone(zone).replace(tzinfo=None) for at in utc])
    )  # fmt: skip
    result = traffic.profile(frame, GOAL)
    assert "02:00" not in result.hours["clock"].to_list()
    assert result.days["kind"].to_list() == [None]
    two = result.slots.filter(pl.col("clock") == "02:00")
    assert two.select("intervals", "calls").row(0) == (2, 30.0)


def test_the_summary_begins_with_the_answer():
    text = traffic.profile(roll_up(MONDAY, 24 * 7, [10] * 168, answered=[9] * 168), GOAL).summary()
    first = text.split(". ")[0]
    assert "1,680 calls" in first
    assert "90.0% were answered within 20 s, as a share of all offered calls" in first
    assert "10.0% of the offered abandoned" in first


def test_pandas_and_polars_give_the_same():
    frame = roll_up(MONDAY, 48, np.arange(48))
    ours = traffic.profile(frame, GOAL)
    theirs = traffic.profile(frame.to_pandas(), GOAL)
    assert ours.slots.equals(theirs.slots)
    assert frame.columns == roll_up(MONDAY, 48, np.arange(48)).columns


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop("offered"), "offered"),
        (lambda f: f.drop("answered_in_20s"), "goals=[goal]"),
        (lambda f: f.with_columns(offered=pl.lit(-1)), "negative"),
        (lambda f: f.with_columns(offered=pl.lit(float("nan"))), "not finite"),
        (lambda f: pl.concat([f, f]), "several rows for one interval"),
        (lambda f: f.with_columns(interval_s=86400), "divides an hour"),
        (lambda f: f.with_columns(pl.col("local_start").dt.replace_time_zone("UTC")), "wall clock"),
        (lambda f: "not a frame", "polars or pandas"),
    ],
)
def test_a_frame_of_another_form_is_refused_in_one_sentence(change, words):
    with pytest.raises(InputError) as refused:
        traffic.profile(change(roll_up(MONDAY, 24, [10] * 24)), GOAL)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_no_rows_and_no_calls_are_data_errors():
    frame = roll_up(MONDAY, 24, [0] * 24)
    with pytest.raises(DataError, match="no call"):
        traffic.profile(frame, GOAL)
    with pytest.raises(DataError, match="empty"):
        traffic.profile(frame.clear(), GOAL)


def test_a_virtual_service_level_cannot_be_seen_in_a_log():
    with pytest.raises(UnsupportedError):
        traffic.profile(roll_up(MONDAY, 24, [1] * 24), ServiceLevel(0.8, 20, counting="virtual"))


@pytest.fixture(scope="module")
def bank():
    """Roll up February 1999 by hour from the raw file, by rules of its own."""
    folder = os.environ.get("CCANALYTICS_REAL_DATA")
    if not folder:
        pytest.skip("CCANALYTICS_REAL_DATA is not set")
    with gzip.open(Path(folder) / "anonymous_bank" / "02_February.txt.gz") as file:
        calls = pl.read_csv(file.read(), separator="\t", infer_schema=False)
    outcome, wait = pl.col("outcome").str.strip_chars(), pl.col("q_time").cast(pl.Int64)
    agent = outcome == "AGENT"
    at = (pl.col("date") + " " + pl.col("vru_entry").str.zfill(8)).str.to_datetime(
        "%y%m%d %H:%M:%S"
    )
    rows = (
        calls.filter(outcome != "PHANTOM")
        .with_columns(local_start=at.dt.truncate("1h"), wait=wait, agent=agent)
        .filter(pl.col("agent") | (pl.col("wait") > 0))
        .group_by("local_start")
        .agg(
            pl.len().alias("offered"),
            pl.col("agent").sum().alias("answered"),
            (~pl.col("agent")).sum().alias("abandoned"),
            (pl.col("wait") > 0).sum().alias("waited"),
            (pl.col("agent") & (pl.col("wait") <= 20)).sum().alias("answered_in_20s"),
            pl.col("wait").sum().cast(pl.Float64).alias("wait_s"),
        )
    )
    grid = pl.select(
        local_start=pl.datetime_range(wall("1999-02-01"), wall("1999-02-28T23:00"), "1h")
    )
    return grid.join(rows, on="local_start", how="left").fill_null(0).with_columns(
        interval_start=pl.col("local_start").dt.replace_time_zone("Asia/Jerusalem")
        .dt.convert_time_zone("UTC"),
        interval_s=pl.lit(3600),
    )  # fmt: skip


@pytest.mark.real
def test_the_measured_facts_of_february_1999(bank):
    result = traffic.profile(bank, GOAL)
    totals = result.totals
    assert totals["offered"] == 31094
    assert totals["abandonment"] == pytest.approx(0.1265, abs=5e-5)
    assert totals["waited"] / totals["offered"] == pytest.approx(0.5798, abs=5e-5)
    assert totals["mean_wait_s"] == pytest.approx(43.97, abs=0.005)
    assert totals["service_level"] == pytest.approx(0.5213, abs=5e-5)
    assert 1.5 < result.dispersion_high < 20


def test_all_that_arrived_is_accounted_for_in_the_overview():
    counts = {"blocked": 1, "left_menu": 2, "contained": 3, "diverted": 4}
    frame = roll_up(MONDAY, 24 * 28, [30] * 24 * 28).with_columns(
        arrived=pl.lit(40), **{name: pl.lit(value) for name, value in counts.items()}
    )
    result = traffic.profile(frame, GOAL)
    table = dict(result.overview().select("measure", "value").iter_rows())
    assert table["Contained"] == f"{3 * 24 * 28:,}"
    assert table["Diverted"] == f"{4 * 24 * 28:,}"
    parts = ("Blocked", "Left in the menu", "Contained", "Diverted", "Offered")
    number = lambda name: int(table[name].replace(",", ""))  # noqa: E731
    assert sum(number(name) for name in parts) == number("Arrived")


def test_cells_with_few_calls_are_marked():
    offered = np.tile(np.r_[[0] * 8, [1], [8] * 15], 28)  # four weeks: 4 calls at 08:00, then 32
    cells = traffic.profile(roll_up(MONDAY, offered.size, offered), GOAL).slots
    few = cells.filter(pl.col("few"))["clock"].unique().sort().to_list()
    assert few == [f"{hour:02d}:00" for hour in range(9)]
    assert cells.filter(pl.col("clock") == "08:00")["offered"].to_list() == [4] * 7
    more = traffic.profile(roll_up(MONDAY, offered.size, offered), GOAL, min_cell_calls=33).slots
    assert more["few"].all()
    with pytest.raises(InputError, match="min_cell_calls"):
        traffic.profile(roll_up(MONDAY, offered.size, offered), GOAL, min_cell_calls=-1)


@pytest.mark.parametrize(("days", "words"), [(1, "1 day,"), (6, "once"), (20, "3 times"), (28, "")])
def test_a_short_log_says_how_often_it_saw_a_weekday(days, words):
    result = traffic.profile(roll_up(MONDAY, 24 * days, [30] * 24 * days), GOAL)
    said = [check for check in result.checks if check.name == "Span of the log"]
    assert bool(said) == bool(words)
    assert all(check.status == "fails" and words in check.detail for check in said)
