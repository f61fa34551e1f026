"""Handle times of the Anonymous Bank against METHODS.md §6.1, from the raw files."""

import gzip

import polars as pl
import pytest

from ccanalytics import handletime

pytestmark = pytest.mark.real


def served(files):
    frames = [
        pl.read_csv(gzip.decompress(file.read_bytes()), separator="\t", infer_schema=False)
        for file in files
    ]
    rows = pl.concat(frames).with_columns(
        pl.col("type").str.strip_chars(),
        pl.col("ser_time", "vru_time", "q_time").cast(pl.Int64),
    )
    return rows.filter(pl.col("outcome") == "AGENT")


def counts(rows):
    return rows.group_by("type", seconds="ser_time").agg(calls=pl.len())


@pytest.fixture(scope="module")
def half_year(bank_files):
    return served(bank_files)


@pytest.fixture(scope="module")
def february(bank_files):
    return served(bank_files[1:2])


def facts(answer):
    row = answer.overall.row(0, named=True)
    return (
        round(row["mean_s"], 1),
        round(row["sd_s"], 1),
        row["median_s"],
        round(100 * row["short_share"], 2),
        round(row["log_mean"], 3),
        round(row["log_sd"], 3),
        round(row["ks"], 4),
    )


def test_february(february):
    answer = handletime.distribution(counts(february))
    assert facts(answer) == (176.9, 217.3, 107, 7.00, 4.784, 0.953, 0.0143)
    assert any(check.name == "short calls" for check in answer.checks)


def test_january_to_june(half_year):
    answer = handletime.distribution(counts(half_year))
    assert facts(answer) == (191.5, 265.9, 115, 7.11, 4.853, 0.960, 0.0127)


def test_by_type(half_year):
    # As published: calls whose menu time is negative only where they queued.
    rows = half_year.filter((pl.col("vru_time") >= 0) | (pl.col("q_time") > 0))
    answer = handletime.distribution(counts(rows), by="type")
    found = {
        row["type"]: (round(row["mean_s"], 1), round(row["sd_s"], 1), row["median_s"])
        for row in answer.rows.iter_rows(named=True)
        if row["mean_s"] is not None
    }
    assert found == {
        "PS": (194.1, 230.6, 123),
        "NW": (112.2, 159.4, 62),
        "NE": (296.0, 393.6, 180),
        "IN": (315.2, 428.5, 183),
        "PE": (259.6, 274.4, 188),
        "TT": (115.6, 494.7, 28),
    }


def test_the_lognormal_beats_exponential_and_gamma(half_year):
    """§6.1: the exponential on seconds above the floor is 0.062 off, the gamma 0.080."""
    frame = counts(half_year)
    assert handletime.distribution(frame).law.ks < 0.062 / 4
    found = {
        fit.law: fit.ks
        for fit in handletime.distribution(frame.filter(frame["seconds"] < 3600)).rivals
    }
    assert next(iter(found)) == "lognormal"
    assert found["exponential"] == pytest.approx(0.062, abs=0.0006)
    assert found["gamma"] == pytest.approx(0.080, abs=0.0006)
