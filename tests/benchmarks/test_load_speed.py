"""How fast a load is beside DuckDB's own ``read_csv`` into a table of the same columns on disk.

Each load runs in a process of its own, in pairs with the other side, and its ratios are medians;
times are printed, never asserted. Processor time is printed beside the clock's, since it says more
on a busy machine. Run with ``pytest tests/benchmarks/test_load_speed.py``;
``CCANALYTICS_LOAD_ROWS=10000000`` for the full size, ``CCANALYTICS_LOAD_PAIRS`` for more pairs.
"""

import json
import os
import statistics
import subprocess
import sys

import numpy as np
import polars as pl

from ccanalytics.calllog.pseudonyms import make_key
from ccanalytics.schema import TABLES

ROWS = int(os.environ.get("CCANALYTICS_LOAD_ROWS", "1000000"))
PAIRS = int(os.environ.get("CCANALYTICS_LOAD_PAIRS", "3"))
CHUNK = 500_000
CALLS = TABLES["calls"]
# What the file has: one delivery of each call, so it tells of no updates.
COLUMNS = [column for column in CALLS.columns if column.name != "updated_at"]
TYPES = {"text": "VARCHAR", "timestamp": "TIMESTAMP", "seconds": "DOUBLE"}

MEASURED = """
import json, os, resource, sys, time
import duckdb, polars, pyarrow.csv, pyarrow.parquet
from ccanalytics import CallLog
options = json.loads(sys.argv[1])
start, used = time.perf_counter(), time.process_time()
if options["how"] == "duckdb":
    connection = duckdb.connect(options["log"])
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"CREATE TABLE calls ({options['columns']})")
    connection.execute(
        f"INSERT INTO calls SELECT * FROM read_csv(?, header=true, columns={options['types']})",
        [options["file"]],
    )
    rows = connection.sql("SELECT count(*) FROM calls").fetchall()[0][0]
    connection.close()
else:
    log = CallLog(options["log"], time_zone="UTC")
    rows = log.load(options["file"], **options["load"]).loaded
taken = time.perf_counter() - start, time.process_time() - used
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
peaks = [peak()]
if options.get("rollups"):
    log.intervals("30min", by=["queue"])
    log.recontacts()
    peaks.append(peak())
print(json.dumps([rows, *taken, *peaks]))
"""
MAPPING = """
[file]
time_zone = "UTC"
timestamp = "iso"
[columns]
"""


def write_calls(path, rows, start=0):
    """A file of calls: 22 columns, one caller in three comes again, most calls are answered.

    ``start`` is the number of the first, for a log in several files.
    """
    with path.open("wb") as file:
        for first in range(start, start + rows, CHUNK):
            frame = _calls(first, min(CHUNK, start + rows - first))
            file.write(frame.write_csv(include_header=first == start).encode())
    return path


def _calls(first, rows):
    rng = np.random.default_rng([1, first])
    arrived = 1_704_067_200 + first * 3 + np.cumsum(rng.integers(0, 7, rows))
    menu, wait, talk = (
        rng.integers(low, high, rows) for low, high in ((5, 90), (0, 200), (20, 900))
    )
    served = pl.Series(rng.random(rows) < 0.7)

    def one_of(values):
        return pl.Series(values)[rng.integers(0, len(values), rows)]

    def iso(epoch):
        return (
            pl.Series(epoch * 1_000_000).cast(pl.Datetime("us")).dt.to_string("%Y-%m-%dT%H:%M:%SZ")
        )

    columns = {
        "call_id": pl.Series(np.arange(first, first + rows)).cast(pl.String).str.zfill(10),
        "customer": pl.Series(rng.integers(0, 3_000_000, rows)).cast(pl.String).str.zfill(11),
        "client": one_of(["client"]),
        "line": one_of([str(i) for i in range(900)]),
        "line_group": one_of(["south", "north", "east"]),
        "site": one_of(["one", "two"]),
        "queue": one_of([f"queue {i}" for i in range(12)]),
        "service": one_of([f"service {i}" for i in range(60)]),
        "tier": one_of(["gold", "standard"]),
        "arrived_at": iso(arrived),
        "answered_at": iso(arrived + menu + wait),
        "ended_at": iso(arrived + menu + wait + np.where(served, talk, 0)),
        "menu_s": menu,
        "wait_s": wait,
        "talk_s": talk,
        "hold_s": np.where(rng.random(rows) < 0.1, rng.integers(1, 60, rows), 0),
        "wrap_s": rng.integers(5, 60, rows),
        "outcome": pl.Series(np.where(served, "answered", "abandoned")),
        "agent": one_of([f"A{i:04d}" for i in range(350)]),
        "transfer": one_of(["none", "none", "none", "second_line"]),
        "parent_call_id": pl.Series([None] * rows, dtype=pl.String),
        "ended_by": one_of(["caller", "agent"]),
    }
    of_agents = ("answered_at", "talk_s", "hold_s", "wrap_s", "agent", "transfer")
    return pl.DataFrame(columns).with_columns(
        pl.when(served).then(pl.col(name)).alias(name) for name in of_agents
    )


def measured(folder, file, how, *, rollups=False, **load):
    """(rows, seconds, processor seconds, peak MB) of one load in a process of its own; with
    ``rollups`` the peak after these as well."""
    log = folder / "measured.duckdb"
    options = {
        "how": how,
        "file": str(file),
        "log": str(log),
        "columns": ", ".join(f'"{c.name}" {TYPES[c.kind]}' for c in COLUMNS),
        "types": str({c.name: TYPES[c.kind] for c in COLUMNS}),
        "load": {name: str(value) for name, value in load.items()},
        "rollups": rollups,
    }
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, json.dumps(options)],
        capture_output=True,
        text=True,
        check=False,
    )
    for path in folder.glob("measured.duckdb*"):
        path.unlink()
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_a_load_beside_read_csv(tmp_path, say):
    file = write_calls(tmp_path / "calls.csv", ROWS)
    make_key(tmp_path / "key")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        MAPPING + "".join(f'{name} = "{name}"\n' for name in (c.name for c in COLUMNS))
    )
    ways = {
        "canonical": {"source": "ccanalytics"},
        "canonical, pseudonyms": {"source": "ccanalytics", "key_file": tmp_path / "key"},
        "generic": {"source": "generic", "mapping": mapping, "identifiers": "as_they_are"},
    }
    ratios = {way: [] for way in ways}
    for _ in range(PAIRS):
        rows, clock, used, memory = measured(tmp_path, file, "duckdb")
        assert rows == ROWS
        say(f"read_csv, {ROWS:,} rows: {clock:.1f} s ({used:.1f} s of processors), {memory:.0f} MB")
        for way, options in ways.items():
            ours = measured(tmp_path, file, "ours", **options)
            assert ours[0] == ROWS
            ratios[way].append((ours[1] / clock, ours[2] / used))
            say(
                f"{way}: {ours[1]:.1f} s ({ours[2]:.1f} s of processors), {ours[3]:.0f} MB; "
                f"ratio {ours[1] / clock:.2f} ({ours[2] / used:.2f})"
            )
    for way, pairs in ratios.items():
        clock, used = (statistics.median(column) for column in zip(*pairs, strict=True))
        say(f"median of {PAIRS}, {way}: {clock:.2f} times read_csv ({used:.2f} of processors)")
