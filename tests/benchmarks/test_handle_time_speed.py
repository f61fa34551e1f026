"""How long the questions on handle time take on a large log, and how much memory.

10 million calls of a year are asked what the notebook on handle time asks: distribution with its
laws, trends over all and one by one, control chart, rate and mix, parts, learning and agents. The
aim is 30 seconds and 4 GB for all together. The questions run in one process of their own, so the
peak is that of all; times are printed, never asserted, memory is. Run with
``pytest -n 0 -s tests/benchmarks/test_handle_time_speed.py``; ``CCANALYTICS_HANDLE_CALLS`` for
another size, ``CCANALYTICS_HANDLE_LOG`` for a folder in which the log is kept for the next run.
"""

import json
import os
import subprocess
import sys

import pytest

CALLS = int(os.environ.get("CCANALYTICS_HANDLE_CALLS", "10000000"))
MOST_MB = 4096

# Each row's luck is a hash of its number: the same log in every run, without a generator's state.
LUCK = "CREATE TEMP MACRO luck(i, k) AS (hash(i * 64 + k) % 1000000 + 0.5) / 1000000.0"
# Two lucks make a normal one; half a second more, so that no time is 0.
ROWS = """
INSERT INTO calls BY NAME
SELECT printf('%010d', i) AS call_id,
    printf('S%02d', (luck(i, 3) ** 2 * 49)::INT) AS service,
    printf('A%03d', (luck(i, 6) * 349)::INT) AS agent,
    TIMESTAMP '2024-01-01' + to_seconds((i * {step})::BIGINT) AS arrived_at,
    arrived_at + to_seconds(30) AS answered_at,
    10 AS menu_s, 20 AS wait_s,
    CASE WHEN luck(i, 4) < 0.8 THEN round(0.5 + 150 * exp(0.8 * sqrt(-2 * ln(luck(i, 5)))
        * cos(2 * pi() * luck(i, 7)))) END AS talk_s,
    CASE WHEN talk_s IS NULL THEN NULL WHEN luck(i, 8) < 0.1 THEN 40 ELSE 0 END AS hold_s,
    CASE WHEN talk_s IS NOT NULL THEN round(20 + 30 * luck(i, 9)) END AS wrap_s,
    CASE WHEN luck(i, 4) < 0.8 THEN 'answered' ELSE 'abandoned' END AS outcome
FROM range({calls}) r(i);
INSERT INTO agents BY NAME
SELECT printf('A%03d', i) AS agent, DATE '2020-01-01' + (i * 5)::INT AS hired_on,
    printf('team %02d', i % 12) AS team FROM range(350) r(i)
"""
CHILD = """
import json, resource, sys, time
from ccanalytics import CallLog, handletime
log = CallLog(sys.argv[1])
taken, last = {}, time.perf_counter()
def done(name):
    global last
    taken[name], last = time.perf_counter() - last, time.perf_counter()
times = handletime.distribution(log.handle_times(by=["service"]), by=["service"])
times.laws()
done("distribution and laws")
overview = handletime.overview(times, log.handle_times(every="1w"))
overview.trend_or_refuse()
done("trend")
weeks = log.handle_times(by=["service"], every="1w")
done("weeks by service")
handletime.trend(weeks, by=["service"])
done("trends one by one")
handletime.control_chart(log.handle_times(every="1d"))
done("control chart")
handletime.mix(weeks, by=["service"])
done("rate and mix")
handletime.parts(
    log.intervals("1d", by=["service"]), by=["service"], overall=log.intervals("1d")
).or_refuse()
done("parts")
people, handling = log.agents(), log.agent_handling("1w")
done("weeks by agent")
handletime.learning_curve(handling, people)
done("learning")
handletime.agents(handling)
done("agents")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([int(handling["timed_calls"].sum()), taken, peak]))
"""


@pytest.fixture(scope="module")
def large_log(large_log_of):
    return large_log_of(
        f"handle_time_{CALLS}",
        "CCANALYTICS_HANDLE_LOG",
        LUCK,
        ROWS.format(calls=CALLS, step=31_000_000 / CALLS),
    )


def test_all_questions_on_handle_time(large_log, say):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(large_log)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    calls, taken, peak = json.loads(done.stdout.splitlines()[-1])
    assert calls == pytest.approx(0.8 * CALLS, rel=0.01)
    for name, seconds in taken.items():
        say(f"{name}: {seconds:.1f} s")
    say(f"all on {CALLS:,} calls: {sum(taken.values()):.1f} s, {peak:.0f} MB")
    assert peak < MOST_MB
