"""How fast the funnel of self-service is on a large log, and how much memory it takes.

10 million calls and 2 million self-service events stand for a year of a large hotline; the aim is
10 seconds and 4 GB for the counts with five windows and the shares made of them. Each question is
asked in a process of its own; times are printed, never asserted, memory is. Beside it stands one
hand-written join for the simplest count: completed contacts followed by a request within 7 days.
Run with ``pytest -n 0 tests/benchmarks/test_funnel_speed.py``; ``CCANALYTICS_FUNNEL_CALLS`` for
another size, ``CCANALYTICS_FUNNEL_LOG`` for a folder in which the log is kept for the next run.
"""

import json
import os
import subprocess
import sys

import pytest

CALLS = int(os.environ.get("CCANALYTICS_FUNNEL_CALLS", "10000000"))
PAIRS = int(os.environ.get("CCANALYTICS_LOAD_PAIRS", "3"))
MOST_MB = 4096

# Each row's luck is a hash of its number: the same log in every run, without a generator's state.
LUCK = "CREATE MACRO luck(i, k) AS hash(i * 64 + k) % 1000000 / 1000000.0"
ROWS = """
INSERT INTO calls BY NAME
SELECT printf('%010d', i) AS call_id,
    CASE WHEN luck(i, 1) >= 0.04 THEN printf('C%07d', (luck(i, 2) ** 2 * {customers})::INT) END
        AS customer,
    printf('S%02d', (luck(i, 3) ** 2 * 49)::INT) AS service,
    TIMESTAMP '2024-01-01' + to_seconds((i * {step})::BIGINT) AS arrived_at,
    arrived_at + to_seconds(60) AS answered_at,
    30 AS menu_s, 20 AS wait_s,
    CASE WHEN luck(i, 4) < 0.8 THEN 20 + (luck(i, 5) ** 3 * 900)::INT END AS talk_s,
    CASE WHEN luck(i, 4) < 0.8 THEN 'answered' WHEN luck(i, 4) < 0.87 THEN 'abandoned'
        WHEN luck(i, 4) < 0.95 THEN 'contained' ELSE 'left_menu' END AS outcome
FROM range({calls}) r(i);
INSERT INTO self_service BY NAME
SELECT printf('e%09d', i) AS event_id,
    CASE WHEN luck(i, 11) >= 0.02 THEN printf('C%07d', (luck(i, 12) ** 2 * {customers})::INT) END
        AS customer,
    CASE WHEN luck(i, 13) < 0.6 THEN 'sms' ELSE 'web' END AS channel,
    CASE WHEN luck(i, 13) < 0.35 THEN 'before_call' WHEN luck(i, 13) < 0.6 THEN 'during_call'
        ELSE 'own_initiative' END AS stage,
    printf('S%02d', (luck(i, 14) ** 2 * 49)::INT) AS service,
    TIMESTAMP '2024-01-01' + to_seconds((i * {step} * 5)::BIGINT) AS "at",
    stage = 'own_initiative' OR luck(i, 15) < 0.45 AS accepted,
    CASE WHEN accepted AND channel = 'sms' THEN luck(i, 16) < 0.97 END AS delivered,
    CASE WHEN accepted THEN luck(i, 17) < 0.85 END AS completed
FROM range({calls} // 5) r(i)
"""
JOIN = """
SELECT count(DISTINCT d.event_id) FROM self_service d JOIN calls a
    ON d.customer = a.customer AND d.service = a.service
WHERE d.completed AND a.outcome IN ('answered', 'abandoned', 'overflowed', 'call_back')
    AND a.arrived_at BETWEEN d."at" AND d."at" + INTERVAL 7 DAY
    AND d."at" + INTERVAL 7 DAY <= (SELECT max(arrived_at) FROM calls)
"""
CHILD = """
import json, resource, sys, time
import duckdb, polars, narwhals
from ccanalytics import CallLog, deflection
from ccanalytics.calllog.database import attached
log, what = CallLog(sys.argv[1]), sys.argv[2]
start = time.perf_counter()
if what == "join":
    with attached(log.path, read_only=True, wait_s=1) as connection:
        ((found,),) = connection.execute(sys.argv[3]).fetchall()
elif what == "funnel":
    answer = deflection.funnel(log.self_service())
    at = answer.totals.filter((polars.col("window_days") == 7) & (polars.col("channel") != "menu"))
    found = at["recontacted"].sum()
else:
    answer = deflection.ledger(deflection.funnel(log.self_service()), log.episodes(7))
    found = answer.episodes["episodes"].sum()
taken = time.perf_counter() - start
print(json.dumps([found, taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


@pytest.fixture(scope="module")
def large_log(large_log_of):
    rows = ROWS.format(calls=CALLS, customers=CALLS // 4, step=31_000_000 / CALLS)
    return large_log_of(
        f"funnel_{CALLS}", "CCANALYTICS_FUNNEL_LOG", LUCK.replace("CREATE", "CREATE TEMP"), rows
    )


def asked(path, what):
    """(answer, seconds, peak MB) of one question in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path), what, JOIN],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_funnel_of_a_large_log(large_log, say):
    asked(large_log, "join")  # so that the file is in the system's cache for both sides
    say(f"{CALLS:,} calls, {CALLS // 5:,} events")
    pairs = []
    for _ in range(PAIRS):
        (by_hand, plain, _), (found, taken, peak) = (
            asked(large_log, w) for w in ("join", "funnel")
        )
        assert found == by_hand
        pairs.append((taken / plain, taken, peak))
        say(f"funnel: {taken:.1f} s, {peak:.0f} MB; one join by hand {plain:.1f} s")
    ratio, taken, peak = (sorted(column)[len(pairs) // 2] for column in zip(*pairs, strict=True))
    say(f"median: {taken:.1f} s, {peak:.0f} MB, {ratio:.1f} times one join")
    assert max(p for _, _, p in pairs) < MOST_MB


def test_the_ledger_of_a_large_log(large_log, say):
    found, taken, peak = asked(large_log, "ledger")
    assert found > 0
    say(f"funnel, episodes and ledger, {CALLS:,} calls: {taken:.1f} s, {peak:.0f} MB")
    assert peak < MOST_MB
