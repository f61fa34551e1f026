"""What is taken over: the first of several rows with one key, in the file and across loads."""

from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccanalytics import CallLog
from ccanalytics.calllog.pipeline import in_order
from ccanalytics.calllog.staging import OTHER, Staging
from ccanalytics.calllog.takeover import take_over
from ccanalytics.schema import TABLES

AT = datetime(2025, 3, 3, 9, tzinfo=UTC)


def test_every_key_column_is_required():
    """Keys are compared by equality, which null does not know."""
    for table in TABLES.values():
        assert all(table.column(name).required for name in table.key), table.name


agents, moments = st.sampled_from("abc"), st.integers(0, 5)
files = st.lists(st.lists(st.tuples(agents, moments), max_size=12), min_size=1, max_size=4)


@settings(max_examples=15)
@given(files)
def test_the_first_row_of_a_key_wins_in_the_file_and_across_loads(
    tmp_path_factory, write_table, loads
):
    folder = tmp_path_factory.mktemp("loads")
    log = CallLog(folder / "centre.duckdb", time_zone="UTC")
    expected, row = {}, 0
    for n, keys in enumerate(loads):
        rows = []
        fresh = 0
        for agent, moment in keys:
            row += 1
            at = AT + timedelta(seconds=moment)
            end = AT + timedelta(days=row)
            rows.append({"agent": agent, "started_at": at, "ended_at": end, "state": "wrap"})
            if (agent, at) not in expected:
                expected[agent, at] = end
                fresh += 1
        path = write_table(folder / f"agent_states_{n}.csv", "agent_states", rows)
        path.write_text(path.read_text() + "\n" * n)  # no two files alike
        report = log.load(path, source="ccanalytics")
        assert (report.read, report.loaded) == (len(rows), fresh)
        assert report.duplicates == len(rows) - fresh
    held = log.table("agent_states").select("agent", "started_at", "ended_at").rows()
    assert {(a, s): e for a, s, e in held} == expected
    assert len(held) == len(expected)


class _Colliding:
    """A connection whose hash has four values only, so that every key collides with others."""

    def __init__(self, connection):
        self.connection = connection

    def execute(self, sql, parameters=()):
        return self.connection.execute(sql.replace("hash(", "few("), parameters)


def test_keys_whose_hashes_collide_are_told_apart(tmp_path):
    table = TABLES["agents"]
    connection = duckdb.connect()
    connection.execute("CREATE MACRO few(x) AS ascii(x) % 4")
    columns = ", ".join(
        f'"{c.name}" {"DATE" if c.kind == "date" else "TEXT"}' for c in table.columns
    )
    connection.execute(f"CREATE TABLE agents ({columns})")
    held = list("adgjm")
    connection.execute(f"INSERT INTO agents (agent, site) SELECT unnest({held}), 'old'")
    names = list("abcdefabcxyz")
    frame = pl.DataFrame(
        {"_line": range(2, len(names) + 2), "agent": names, "site": [str(i) for i in range(12)]}
    ).with_columns(
        pl.lit(None, pl.Date if c.kind == "date" else pl.String).alias(c.name)
        for c in table.columns
        if c.name not in ("agent", "site")
    )
    frame.write_parquet(tmp_path / "rows.parquet")
    loaded = take_over(_Colliding(connection), tmp_path / "rows.parquet", table)
    there = dict(connection.execute("SELECT agent, site FROM agents").fetchall())
    assert loaded == 7
    assert there == dict.fromkeys(held, "old") | {
        name: str(names.index(name)) for name in "bcefxyz"
    }
    assert not connection.execute("SELECT * FROM duckdb_tables() WHERE temporary").fetchall()


def test_a_million_different_reasons_do_not_pile_up(tmp_path):
    staged = Staging(tmp_path)
    for first in range(0, 60_000, 10_000):
        reasons = [["always", f"code {i}"] for i in range(first, first + 10_000)]
        bad = pl.DataFrame({"_line": range(10_000), "_raw": [""] * 10_000, "reasons": reasons})
        staged.add(bad.clear(), bad, 10_000)
    staged.close()
    assert staged.rejected == 60_000
    assert staged.reasons["always"] == 60_000
    assert len(staged.reasons) <= 20_001
    assert staged.reasons.total() == 120_000
    assert staged.reasons[OTHER] > 0


# ---- the pipeline -------------------------------------------------------------------------------


def test_results_come_in_order_whoever_is_done_first():
    import random
    import time

    rng = random.Random(1)
    pauses = [rng.random() / 500 for _ in range(60)]

    def work(i):
        time.sleep(pauses[i])
        return i * i

    found = [(item, result()) for item, result in in_order(iter(range(60)), work)]
    assert found == [(i, i * i) for i in range(60)]


def test_no_worker_is_idle_while_the_oldest_is_waited_for(monkeypatch):
    import threading
    import time

    from ccanalytics.calllog import pipeline

    monkeypatch.setattr(pipeline, "workers", lambda: 2)
    second_began = threading.Event()

    def items():
        for i in range(3):
            time.sleep(0.05)  # so that reading is never done already
            yield i

    def work(i):
        if i == 1:
            second_began.set()
        return second_began.wait(20) if i == 0 else True

    assert all(result() for _, result in in_order(items(), work))


@pytest.mark.parametrize("where", ["reading", "working"])
def test_an_error_comes_where_it_belongs_and_ends_everything(where):
    import threading

    def items():
        yield from range(5)
        if where == "reading":
            raise ValueError("broken")
        yield from range(5, 100)

    def work(i):
        if where == "working" and i == 5:
            raise ValueError("broken")
        return i

    seen = []
    with pytest.raises(ValueError, match="broken"):  # noqa: PT012 - the loop is what breaks
        for _, result in in_order(items(), work):
            seen.append(result())
    assert seen == list(range(5))
    for thread in threading.enumerate():
        if thread.name.startswith("ccanalytics"):
            thread.join(10)
            assert not thread.is_alive()


def test_closing_waits_for_the_work_and_for_nothing_else():
    """The collector may close a dropped stream in a thread that is just starting: it holds the lock
    under which others end, so nobody may be joined."""
    import threading
    import time

    lock = getattr(threading, "_shutdown_locks_lock", None) or threading.Lock()
    done = []

    def work(i):
        time.sleep(0.2)
        done.append(i)
        return i

    stream = in_order(iter(range(100)), work)
    next(stream)[1]()

    def collected():
        with lock:
            stream.close()
        closed.append(len(done))

    closed = []
    thread = threading.Thread(target=collected, daemon=True)
    thread.start()
    thread.join(20)
    assert closed, "closing never returned"
    time.sleep(0.5)
    assert len(done) == closed[0] < 20


def test_little_is_read_ahead():
    drawn = []

    def items():
        for i in range(1000):
            drawn.append(i)
            yield i

    stream = in_order(items(), lambda i: i)
    for _ in range(10):
        next(stream)[1]()
    stream.close()
    assert len(drawn) < 20
