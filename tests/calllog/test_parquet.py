"""A log written as Parquet tables."""

from datetime import UTC, datetime

import polars as pl
import pytest

from ccanalytics.errors import InputError

START = datetime(2025, 3, 3, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def log(make_log):
    texts = ["plain", "a'b;--", "号码", '"; DROP TABLE calls', None]
    return make_log(
        [{"arrived_at": START, "queue": text, "talk_s": 1.5} for text in texts],
        "Europe/London",
        services=[{"service": "bill"}],
    )


def test_each_table_with_rows_is_a_folder_and_says_the_same(log, tmp_path):
    rows = log.to_parquet(tmp_path / "deep" / "it's 中 tables")
    assert rows == {"calls": 5, "services": 1, "meta": 1, "loads": 2}
    written = tmp_path / "deep" / "it's 中 tables"
    assert {place.name for place in written.iterdir()} == set(rows)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == [written.name]
    for name in ("calls", "services"):
        frame = pl.read_parquet(written / name / "*.parquet", glob=True)
        frame = frame.with_columns(pl.col(pl.Datetime).dt.replace_time_zone("UTC"))
        assert frame.equals(log.table(name))
    assert pl.read_parquet(written / "meta" / "data_0.parquet")["time_zone"].item() == (
        "Europe/London"
    )


def test_what_is_there_is_not_touched(log, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine").write_text("keep")
    with pytest.raises(InputError, match="there already"):
        log.to_parquet(tmp_path / "there")
    with pytest.raises(InputError, match="there already"):
        log.to_parquet(tmp_path / "there" / "mine")
    with pytest.raises(InputError, match="cannot be written"):
        log.to_parquet(tmp_path / "there" / "mine" / "below")
    with pytest.raises(InputError, match="pattern"):
        log.to_parquet(tmp_path / "a?b")
    assert [p.name for p in tmp_path.rglob("*")] == ["there", "mine"]
    (tmp_path / "empty").mkdir()
    assert log.to_parquet(tmp_path / "empty")["calls"] == 5
