"""Redials: shares with delays cut off by the end of the log, by a planted law."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ccanalytics.errors import DataError
from ccanalytics.simulation import Retry
from ccanalytics.statistics import redials


def planted(n, share, mean, seed, followed):
    """Value counts of delays, of callers followed for so long (uniform up to ``followed``)."""
    rng = np.random.default_rng(seed)
    delay = np.where(rng.random(n) < share, rng.exponential(mean, n), np.inf)
    seen = rng.uniform(0, followed, n)
    again = delay <= seen
    frame = pl.DataFrame({"seconds": np.where(again, delay, seen).astype(int), "again": again})
    return frame.group_by(pl.all()).len("calls").sort(pl.all())


def test_a_planted_share_is_found_although_most_are_cut_off():
    hits = 0
    truth = 0.5 * (1 - np.exp(-600 / 900))
    for seed in range(120):
        row = redials(planted(800, 0.5, 900, seed, 4000), [600]).shares.row(0, named=True)
        hits += row["redial_low"] <= truth <= row["redial_high"]
    assert 106 <= hits <= 120
    seen = planted(800, 0.5, 900, 1, 1200)
    naive = seen.filter(pl.col("again") & (pl.col("seconds") <= 600))["calls"].sum() / 800
    assert naive < truth - 0.01, "counting without following would be too low"


def test_windows_beyond_the_log_are_not_answered_and_delays_feed_a_simulation():
    found = redials(planted(20_000, 0.4, 300, 3, 9000), [60, 3600, 10**6])
    assert found.shares["redial"].is_null().to_list() == [False, False, True]
    assert found.delays["redial_p50_s"][0] == pytest.approx(300 * np.log(2), rel=0.05)
    assert Retry(0.4, after=found.laws[()]).share == 0.4
    assert "within 1 min" in found.summary()


def test_no_known_customer_is_refused():
    empty = planted(10, 0.4, 300, 3, 9000).clear()
    with pytest.raises(DataError):
        redials(empty)


# ---- the bank -----------------------------------------------------------------------------------


@pytest.mark.real
def test_which_definition_gives_the_banks_published_redials(bank_log):
    """18.8, 36.0 and 58.4% are of the next *queued* call, from the moment the caller gave up.

    Ours, 20.6, 43.3 and 68.1%, count the next call whatever became of it (the voice menu included,
    and one answered at once), from arrival to arrival; both of known customers alone.
    """
    import duckdb

    with duckdb.connect(str(bank_log.path), read_only=True) as connection:
        calls = connection.sql(
            "SELECT customer, call_id, outcome, epoch(arrived_at) AS at, epoch(ended_at) AS ended, "
            "coalesce(wait_s > 0, false) AS queued FROM calls WHERE customer IS NOT NULL"
        ).pl()
    windows = (600, 3600, 86_400)

    def shares(some, since):
        ordered = some.sort("customer", "at", "call_id")
        after = pl.col("at").shift(-1).over("customer") - pl.col(since)
        left = ordered.with_columns(after=after).filter(pl.col("outcome") == "abandoned")
        assert left.height == 19_514
        return [round(100 * left.filter(pl.col("after") <= w).height / left.height, 1)
                for w in windows]  # fmt: skip

    assert shares(calls.filter("queued"), "ended") == [18.8, 36.0, 58.4]
    assert shares(calls, "at") == [20.6, 43.3, 68.1]
    found = redials(bank_log.redials(), windows).shares
    assert found["calls"][0] == 19_514
    assert (100 * found["redial"]).round(1).to_list() == [20.6, 43.3, 68.1]
