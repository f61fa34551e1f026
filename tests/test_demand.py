"""Demand is checked once at the door: what planning gets is whole, or an error names the row."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import polars as pl
import pytest

from ccanalytics.demand import MEASURES, as_demand
from ccanalytics.errors import DataError, InputError

AT = datetime(2025, 3, 3, 9, tzinfo=UTC)
HALF = timedelta(minutes=30)


def demand(rows=6, **columns):
    """Half-hours of one queue, with some columns replaced."""
    return pl.DataFrame(
        {
            "interval_start": [AT + i * HALF for i in range(rows)],
            "interval_s": [1800] * rows,
            "queue": ["sales"] * rows,
            "calls": [100.0 + i for i in range(rows)],
            "aht_s": [180.0] * rows,
        }
        | columns
    )


def test_good_demand_passes_unchanged_and_is_a_copy():
    frame = demand()
    before = frame.clone()
    checked = as_demand(frame)
    assert frame.equals(before)
    assert checked.select("queue", "calls", "aht_s").equals(frame.select("queue", "calls", "aht_s"))
    assert checked["interval_s"].to_list() == [1800.0] * 6
    assert as_demand(checked).equals(checked)


def test_rows_are_sorted_by_key_and_time_and_keys_pass_through():
    frame = pl.concat([demand(), demand(queue=["help"] * 6)]).sample(
        fraction=1, shuffle=True, seed=1
    )
    checked = as_demand(frame)
    assert checked["queue"].to_list() == ["help"] * 6 + ["sales"] * 6
    for _, part in checked.group_by("queue"):
        assert part["interval_start"].is_sorted()


def test_the_logs_own_columns_are_no_keys():
    """Wall clock and offset describe the interval; they do not split or order the demand."""
    local = demand().with_columns(
        local_start=pl.col("interval_start").dt.replace_time_zone(None) - pl.duration(hours=20),
        utc_offset_s=pl.lit(3600),
    )
    other = local.with_columns(queue=pl.lit("help"))
    checked = as_demand(pl.concat([local, other]))
    assert checked["queue"].to_list() == ["help"] * 6 + ["sales"] * 6
    assert {"local_start", "utc_offset_s"} <= set(checked.columns)
    without = as_demand(local.drop("interval_s"))
    assert set(without["interval_s"]) == {1800.0}
    twice = pl.concat([local, local.with_columns(utc_offset_s=pl.lit(0))])
    with pytest.raises(InputError, match="12 of 12"):
        as_demand(twice)
    assert {"local_start", "utc_offset_s"} <= set(MEASURES)


def test_pandas_in_polars_out():
    frame = demand(cv=[0.1] * 6)
    checked = as_demand(frame.to_pandas())
    assert isinstance(checked, pl.DataFrame)
    assert checked.equals(as_demand(frame))
    gap = frame.to_pandas()
    gap.loc[0, ["calls", "aht_s"]] = [0.0, None]
    assert as_demand(gap)["aht_s"].null_count() == 1


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/London"])
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_any_zone_and_unit_becomes_utc(zone, unit):
    stamps = demand()["interval_start"].dt.convert_time_zone(zone).dt.cast_time_unit(unit)
    checked = as_demand(demand().with_columns(stamps))
    assert checked.schema["interval_start"] == pl.Datetime("us", "UTC")
    assert checked["interval_start"].to_list() == demand()["interval_start"].to_list()


def test_a_missing_length_is_the_commonest_step_of_its_key():
    hours = demand(
        queue=["help"] * 6, interval_start=[AT + i * timedelta(hours=1) for i in range(6)]
    )
    frame = pl.concat([demand(), hours]).drop("interval_s")
    # A gap is seen because the length is known.
    checked = as_demand(frame.filter(pl.int_range(pl.len()) != 2))
    assert set(checked.filter(pl.col("queue") == "sales")["interval_s"]) == {1800.0}
    assert set(checked.filter(pl.col("queue") == "help")["interval_s"]) == {3600.0}
    with pytest.raises(InputError, match="interval_s"):
        as_demand(frame.head(1))


def test_calls_may_be_fractional_and_quiet_intervals_need_no_handle_time():
    checked = as_demand(demand(calls=[0.0, 0.5, 1, 2, 3, 4], aht_s=[None, 1.5, 1, 1, 1, 1]))
    assert checked["calls"].to_list() == [0.0, 0.5, 1, 2, 3, 4]
    assert checked["aht_s"][0] is None


@pytest.mark.parametrize(
    ("column", "values", "row"),
    [
        ("calls", [1, 1, -1, 1, -2, 1], 2),
        ("calls", [1.0, float("nan"), 1, 1, 1, 1], 1),
        ("calls", [1.0, 1, 1, float("inf"), 1, 1], 3),
        ("calls", [1, 1, 1, 1, None, 1], 4),
        ("aht_s", [180.0, 0.0, 180, 180, 180, 180], 1),
        ("aht_s", [180.0, 180, 180, 180, 180, -1], 5),
        ("aht_s", [180.0, 180, None, 180, 180, 180], 2),
        ("aht_s", [180.0, 180, float("nan"), 180, 180, 180], 2),
        ("aht_s", [180.0, 180, float("inf"), 180, 180, 180], 2),
        ("interval_s", [1800, 1800, 1800, 0, 1800, 1800], 3),
        ("interval_s", [1800, 1800, 1800, -1800, 1800, 1800], 3),
        ("interval_s", [1800, None, 1800, 1800, 1800, 1800], 1),
        ("interval_s", [1800.0, 1800, float("nan"), 1800, 1800, 1800], 2),
        ("interval_s", [1800.0, 1800, float("inf"), 1800, 1800, 1800], 2),
        ("interval_start", [AT, AT + HALF, None, AT + 3 * HALF, AT + 4 * HALF, AT + 5 * HALF], 2),
        ("interval_start", [AT, AT + HALF, AT + 2 * HALF, AT + HALF, AT + 4 * HALF, AT], 0),
        ("cv", [0.1, 0.1, 0.1, -0.1, 0.1, 0.1], 3),
        ("cv", [0.1, 0.1, 0.1, float("nan"), 0.1, 0.1], 3),
    ],
)
def test_the_first_row_that_cannot_be_used_is_named(column, values, row):
    with pytest.raises(InputError) as caught:
        as_demand(demand(**{column: values}))
    text = str(caught.value)
    assert f"row {row}" in text
    assert column in text
    assert "\n" not in text


@pytest.mark.parametrize("column", ["interval_start", "calls", "aht_s"])
def test_a_missing_column_is_named(column):
    with pytest.raises(InputError, match=column):
        as_demand(demand().drop(column))


@pytest.mark.parametrize(
    "stamps",
    [
        [AT.replace(tzinfo=None) + i * HALF for i in range(6)],
        ["2025-03-03T09:00:00Z"] * 6,
        [AT.date()] * 6,
        list(range(6)),
    ],
    ids=["naive", "text", "dates", "numbers"],
)
def test_a_start_that_is_no_aware_timestamp_is_refused(stamps):
    with pytest.raises(InputError, match="interval_start") as caught:
        as_demand(demand(interval_start=stamps))
    assert "UTC" in str(caught.value)


@pytest.mark.parametrize("column", ["calls", "aht_s", "interval_s"])
@pytest.mark.parametrize(
    "values", [["many"] * 6, [[1]] * 6, [AT] * 6], ids=["text", "list", "time"]
)
def test_a_column_that_is_no_number_is_refused(column, values):
    with pytest.raises(InputError, match=column):
        as_demand(demand(**{column: values}))


@pytest.mark.parametrize(
    "frame", [None, 5, "demand", [1, 2], {"calls": [1]}, pd.Series([1]), pl.Series([1])], ids=str
)
def test_what_is_no_frame_is_refused(frame):
    with pytest.raises(InputError):
        as_demand(frame)


def test_a_lazy_frame_is_taken_or_refused_in_words():
    try:
        checked = as_demand(demand().lazy())
    except InputError as error:
        assert "frame" in str(error)  # noqa: PT017 - either answer will do
    else:
        assert checked.height == 6


def test_an_empty_frame_is_refused():
    with pytest.raises(DataError, match=r"no rows|empty"):
        as_demand(demand().head(0))
    with pytest.raises(DataError, match=r"no rows|empty"):
        as_demand(demand().head(0).drop("interval_s"))


def test_what_the_log_gives_is_accepted(make_log):
    log = make_log(
        [
            {
                "arrived_at": datetime(2025, 10, 26, tzinfo=UTC) + timedelta(minutes=10 * i),
                "queue": ["sales", None][i % 2],
                "wait_s": 5.0,
                "talk_s": float(60 + i),
            }
            for i in range(200)
        ],
        time_zone="Europe/London",
    )
    for every, by in (("15min", "queue"), ("1h", ()), ("1d", "queue"), ("1w", ())):
        frame = log.demand(every, by)
        checked = as_demand(frame)
        assert checked.height == frame.height
        assert checked["calls"].sum() == 200
        assert set(checked.columns) == set(frame.columns)
        keys = [by] if by else []
        assert checked.equals(checked.sort([*keys, "interval_start"]))


def test_a_measure_that_strayed_in_is_no_key():
    frame = pl.DataFrame(
        {
            "interval_start": [datetime(2025, 3, 3, 9, tzinfo=UTC)],
            "interval_s": [1800.0],
            "calls": [10.0],
            "aht_s": [100.0],
            "load": [0.5],
        }
    )
    with pytest.raises(InputError, match="'load' is Float64"):
        as_demand(frame)
