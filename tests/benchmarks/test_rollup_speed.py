"""How fast each public roll-up is beside hand-written SQL for the same table on the same log.

The rows must be equal; times are printed, never asserted. Both sides are asked in turns in one
process, each through a connection of its own under the same limits, and ratios are medians of
pairs. Run with ``pytest -n 0 tests/benchmarks/test_rollup_speed.py``; ``CCANALYTICS_LOAD_ROWS`` for
more calls, ``CCANALYTICS_ROLLUP_LOG`` for a folder in which the log is kept for the next run.
"""

import os
import statistics
import time
from pathlib import Path

import numpy as np
import polars as pl
import polars.testing
import pytest

from ccanalytics import CallLog, ServiceLevel
from ccanalytics.calllog.database import attached

from . import rollup_sql as sql
from .test_load_speed import write_calls

ROWS = int(os.environ.get("CCANALYTICS_LOAD_ROWS", "1000000"))
PAIRS = int(os.environ.get("CCANALYTICS_LOAD_PAIRS", "5"))
START = 1_704_067_200  # of the calls
HALF_HOUR, DAY = 1800, 86400
GOAL = ServiceLevel(0.8, within=20)

# What is asked, and the queries that give the same: more than one where the rows are in two tables.
QUESTIONS = {
    "intervals": (
        lambda log: log.intervals("30min", by=["queue"], goals=[GOAL]),
        sql.intervals(HALF_HOUR, ["queue"], 20),
    ),
    "busy agents": (
        lambda log: log.busy("30min", by=["queue"]),
        sql.busy(HALF_HOUR, ["queue"], sql.AGENT),
    ),
    "busy lines": (
        lambda log: log.busy("30min", what="line"),
        sql.busy(HALF_HOUR, [], sql.LINE),
    ),
    "demand": (lambda log: log.demand("30min", by=["queue"]), sql.demand(HALF_HOUR, ["queue"])),
    "recontacts": (lambda log: log.recontacts(), sql.recontacts((600, 3600, 86400))),
    "self_service": (
        lambda log: log.self_service((1, 3, 7, 14, 30)),
        sql.self_service((1, 3, 7, 14, 30)),
    ),
    "panel": (
        lambda log: log.panel("service", "1d", [GOAL]),
        sql.intervals(DAY, ["service"], 20),
        sql.first_attempts(DAY, "service", DAY),
    ),
    "handle_times": (lambda log: log.handle_times(by=["queue"]), sql.HANDLE_TIMES),
    "waits": (lambda log: log.waits(by=["queue"]), sql.WAITS),
    "redials": (lambda log: log.redials(), sql.redials(DAY)),
    "agents_present": (
        lambda log: log.agents_present("30min"),
        sql.agents_present(HALF_HOUR, 1800),
    ),
    "agent_time": (lambda log: log.agent_time("30min"), sql.agent_time(HALF_HOUR)),
    "activities": (lambda log: log.activities(), sql.activities()),
    "interval_counts": (lambda log: log.interval_counts("1h"), sql.interval_counts(3600)),
}


def _beside(rows):
    """Tables beside the calls: as many events, spells and counts as such a centre would have."""
    rng = np.random.default_rng(7)
    whole = 3 * rows  # seconds that the calls span
    n = max(rows // 10, 100)
    accepted = rng.random(n) < 0.6

    def one_of(values, size):
        return pl.Series(values)[rng.integers(0, len(values), size)]

    def moment(epoch):
        return (
            pl.Series(np.asarray(epoch) * 1_000_000)
            .cast(pl.Datetime("us"))
            .dt.replace_time_zone("UTC")
        )

    events = pl.DataFrame(
        {
            "event_id": pl.Series(np.arange(n)).cast(pl.String),
            "customer": pl.Series(rng.integers(0, 3_000_000, n)).cast(pl.String).str.zfill(11),
            "channel": one_of(["sms", "web"], n),
            "stage": one_of(["before_call", "during_call", "own_initiative"], n),
            "service": one_of([f"service {i}" for i in range(60)], n),
            "at": moment(START + rng.integers(0, whole, n)),
            "accepted": accepted,
            "delivered": accepted & (rng.random(n) < 0.8),
            "completed": accepted & (rng.random(n) < 0.5),
        }
    )
    spells, agents = max(rows // 20 // 350, 10), 350
    length = whole // spells
    at = START + np.arange(spells) * length
    agent = pl.Series([f"A{i:04d}" for i in range(agents)])

    def spell(column, values, most):
        start = np.concatenate([at + rng.integers(0, 60) for _ in range(agents)])
        return pl.DataFrame(
            {
                "agent": agent[np.repeat(np.arange(agents), spells)],
                column: one_of(values, agents * spells),
                "started_at": moment(start),
                "ended_at": moment(start + rng.integers(1, most, agents * spells)),
            }
        )

    states = ["available", "handling", "wrap", "break", "meeting", "other"]
    intervals = whole // HALF_HOUR
    counted = rng.integers(1, 200, 12 * intervals)
    counts = pl.DataFrame(
        {
            "queue": pl.Series([f"queue {i}" for i in range(12)])[
                np.repeat(np.arange(12), intervals)
            ],
            "media": "voice",
            "started_at": moment(START + np.tile(np.arange(intervals), 12) * HALF_HOUR),
            "interval_s": float(HALF_HOUR),
            "offered": counted,
            "answered": counted - counted // 20,
            "abandoned": counted // 20,
            "answered_in_time": counted // 2,
            "within_s": 20.0,
            "answered_wait_s": counted * 15.0,
            "abandoned_wait_s": pl.Series(counted * 2.0).set(pl.Series(counted < 20), None),
            "talk_s": counted * 170.0,
            "hold_s": counted * 5.0,
            "wrap_s": counted * 25.0,
        }
    )
    return {
        "self_service": events,
        "agent_states": spell("state", states, length + 30),
        "schedules": spell("activity", ["calls", "break", "training"], length + 30),
        "interval_counts": counts,
    }


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    kept = os.environ.get("CCANALYTICS_ROLLUP_LOG")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("rollups")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"calls_{ROWS}.duckdb"
    log = CallLog(path, time_zone="UTC")
    if path.exists():
        return log
    file = write_calls(folder / "calls.csv", ROWS)
    log.load(file, source="ccanalytics", identifiers="as_they_are")
    file.unlink()
    for table, frame in _beside(ROWS).items():
        file = folder / f"{table}.parquet"
        frame.write_parquet(file)
        report = log.load(file, source="ccanalytics", identifiers="as_they_are")
        assert report.loaded == frame.height, report.summary()
        file.unlink()
    return log


def _by_hand(log, query):
    with attached(log.path, read_only=True, wait_s=1) as connection:
        return pl.from_arrow(connection.sql(query).to_arrow_table())


def _timed(function):
    start, used = time.perf_counter(), time.process_time()
    result = function()
    return result, time.perf_counter() - start, time.process_time() - used


def _same(ours, theirs):
    """The rows of the query, as far as it has columns, whatever their order and width."""
    if "service" in theirs.columns and "unit" in ours.columns:
        theirs = theirs.rename({"service": "unit"})
    columns = theirs.columns

    def plain(frame):
        frame = frame.select(columns).with_columns(
            pl.col(pl.Datetime).dt.epoch("s"),
            *(
                pl.col(name).cast(pl.Float64)
                for name, kind in frame.schema.items()
                if name in columns and kind.is_numeric()
            ),
        )
        numbers = [n for n in columns if frame.schema[n].is_numeric()]
        order = [n for n in columns if n not in numbers]
        order += [
            n for n in ("interval_start", "seconds", "window_s", "window_days") if n in numbers
        ]
        return frame.sort(order)

    if "first_attempts" in columns:  # the panel has its empty intervals too
        ours = ours.filter(pl.col("first_attempts") > 0)
    ours, theirs = plain(ours), plain(theirs)
    absent = {n: 0.0 for n in columns if ours[n].null_count() == 0 and theirs[n].null_count()}
    theirs = theirs.with_columns(pl.col(name).fill_null(nil) for name, nil in absent.items())
    polars.testing.assert_frame_equal(ours, theirs, rel_tol=1e-9, abs_tol=1e-6)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_rollup_beside_its_sql(log, say, name):
    ask, *queries = QUESTIONS[name]
    ratios = []
    for pair in range(PAIRS):
        frame, clock, used = _timed(lambda: ask(log))
        frames, by_hand, spent = _timed(lambda: [_by_hand(log, query) for query in queries])
        ratios.append((clock / by_hand, used / spent, clock, by_hand))
        if not pair:
            for one in frames:
                _same(frame, one)
    clock, used, ours, theirs = (statistics.median(x) for x in zip(*ratios, strict=True))
    say(
        f"{name}, {ROWS:,} calls: {ours:.2f} s, by hand {theirs:.2f} s; "
        f"median ratio {clock:.2f} ({used:.2f} of processors)"
    )
