"""The most memory that a load takes, and then roll-ups, as a log grows: flat, and within 4 GB.

Each size is a folder of files that a process of its own loads into a new log; the figure is that
process's peak. Run with ``pytest -n 0 tests/benchmarks/test_load_memory.py``;
``CCANALYTICS_MEMORY_ROWS=10000000,30000000,100000000`` for the full sizes (100 million calls take
25 GB of files and 15 GB of log under the folder for temporary files).
"""

import os
import shutil

from ccanalytics.calllog.pseudonyms import make_key

from .test_load_speed import measured, write_calls

SIZES = [
    int(size)
    for size in os.environ.get("CCANALYTICS_MEMORY_ROWS", "500000,1000000,2000000").split(",")
]
LARGEST_FILE = 5_000_000
MOST_MB = 4096


def test_peak_memory_as_a_log_grows(tmp_path, say):
    make_key(tmp_path / "key")
    peaks = []
    for rows in SIZES:
        folder = tmp_path / "exports"
        folder.mkdir()
        part = min(LARGEST_FILE, -(-rows // 4))
        for start in range(0, rows, part):
            write_calls(folder / f"calls_{start}.csv", min(part, rows - start), start)
        load = {"source": "ccanalytics", "key_file": tmp_path / "key"}
        loaded, clock, _, *both = measured(tmp_path, folder, "ours", rollups=True, **load)
        shutil.rmtree(folder)
        assert loaded == rows
        peaks.append(both)
        say(
            f"{rows:,} calls in files of {part:,}, loaded in {clock:.0f} s: {both[0]:.0f} MB, "
            f"after roll-ups {both[1]:.0f} MB"
        )
    times = SIZES[-1] / SIZES[0]
    load, both = (after / before for before, after in zip(peaks[0], peaks[-1], strict=True))
    say(f"{times:.0f} times the calls: {load:.2f} times the memory, with roll-ups {both:.2f}")
    assert max(max(each) for each in peaks) < MOST_MB
