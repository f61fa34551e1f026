"""The same questions on Spark over Parquet: tables equal to DuckDB's."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import polars.testing
import pytest

import ccanalytics as cc
from ccanalytics.errors import DataError, InputError, LogError, UnsupportedError

pytestmark = pytest.mark.spark

QUESTIONS = {
    "half-hours": lambda log: log.intervals(
        "30min", by=["queue"], goals=[cc.ServiceLevel(0.8, 20, "short_excluded", short=5)]
    ),
    "days": lambda log: log.intervals(
        "1d", by=["site", "service"], goals=[cc.ServiceLevel(0.8, 20)]
    ),
    "weeks of two queues": lambda log: log.intervals(
        "1w", where={"queue": ["a'b", None]}, start="2024-04-01", end="2024-12-01"
    ),
    "busy agents": lambda log: log.busy("15min", by=["site"]),
    "busy lines": lambda log: log.busy("1h", what="line"),
    "lines at once": lambda log: log.lines("15min", by=["line_group"]),
    "lines at once in all": lambda log: log.lines("1d"),
    "busy hours": lambda log: log.busy_hours(),
    "demand": lambda log: log.demand("1h"),
    "recontacts": lambda log: log.recontacts(by=["outcome", "queue"]),
    "some recontacts": lambda log: log.recontacts(by=[], where={"service": "bill"}),
    "self-service": lambda log: log.self_service((1, 7)),
    "self-service in all": lambda log: log.self_service((3,), by=[], start="2024-04-01"),
    "uses": lambda log: log.uses("1w"),
    "episodes": lambda log: log.episodes(7, 30),
    "panel": lambda log: log.panel("service", "1w"),
    "handle times": lambda log: log.handle_times(by=["queue"], every="1mo"),
    "hold times": lambda log: log.handle_times(part="hold"),
    "waits": lambda log: log.waits(by=["queue"]),
    "redials": lambda log: log.redials(by=["queue"], up_to_s=7200),
    "agents present": lambda log: log.agents_present("1h", by=["site"]),
    "agent time": lambda log: log.agent_time("1h", by=["team"]),
    "activities": lambda log: log.activities(),
    "handling by agent": lambda log: log.agent_handling("1w", by=["queue"]),
    "handling by agent, monthly": lambda log: log.agent_handling("1mo", by=[]),
    "agents": lambda log: log.agents(start="2024-04-01"),
    "agents by week": lambda log: log.agent_panel(),
    "assisted calls": lambda log: log.assisted_calls(),
    "offers": lambda log: log.offers(before_days=10, lead_days=10, after_days=14),
    "reminded": lambda log: log.reminded(where={"service": "bill"}),
    "leaving": lambda log: log.leaving(),
    "messages": lambda log: log.reminder_facts(),
    "reviews": lambda log: log.reviews(["item", "team"]),
    "reviews by week": lambda log: log.reviews(["service"], "1w"),
    "pairs of marks": lambda log: log.review_pairs(),
    "surveys": lambda log: log.surveys(["wait", "agent", "transfer"]),
    "tickets": lambda log: log.tickets(["owner", "team"]),
    "tickets opened": lambda log: log.tickets_opened("1w", by=["service"]),
    "first contacts": lambda log: log.resolutions((1, 7), by=["service"]),
    "first contacts in all": lambda log: log.resolutions((3,), by=[]),
    "agents' calls": lambda log: log.agent_calls(case=["service", "queue"]),
    "columns filled": lambda log: pl.DataFrame({"column": log.columns_filled("calls")}),
    "services": lambda log: log.table("services"),
    "an empty table": lambda log: log.table("articles"),
    "calls": lambda log: log.table("calls"),
    "span": lambda log: pl.DataFrame({"moment": log.span()}),
}
FULL = os.environ.get("CCANALYTICS_FULL") == "1"
# What each takes from calls alone; all of them, and of a million, with CCANALYTICS_FULL=1.
# Half-hours by queue are not among the first: a percentile in each of 85,000 groups takes Spark a
# minute.
MANY = 1_000_000 if FULL else 100_000
OF_CALLS = [
    *("days", "busy lines", "recontacts", "waits"),
    *("half-hours", "agents present", "weeks of two queues", "busy agents", "demand"),
    *("some recontacts", "panel", "handle times", "hold times", "redials", "handling by agent"),
    *("columns filled", "span"),
]


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """Spark with two executors, each a process of its own, and a driver."""
    pyspark_sql = pytest.importorskip("pyspark.sql")
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not java or subprocess.run([java, "-version"], capture_output=True, check=False).returncode:
        pytest.skip("Spark needs Java")
    folder = tmp_path_factory.mktemp("spark")
    where = {
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_WORKER_DIR": str(folder / "work"),  # else beside the package
    }
    # Three short-lived Javas on two cores: the quick compiler and the small collector are enough,
    # and Spark's own classes need no second look.
    java_options = (
        "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC "
        "-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
    )
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": java_options,
        "spark.executor.extraJavaOptions": java_options,
        "spark.log.level": "ERROR",
        "spark.executor.memory": "1g",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.adaptive.enabled": "false",  # nothing here is worth planning twice
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        # A clock that is not UTC: it must not matter.
        "spark.sql.session.timeZone": "Asia/Shanghai",
    }
    builder = pyspark_sql.SparkSession.builder.master("local-cluster[2,1,1024]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in where.items():
            patch.setenv(name, value)
        session = builder.getOrCreate()
        yield session
        session.stop()


@pytest.fixture(scope="session")
def quick(spark):
    """A session of the same Spark for small tables, which cost less to walk than to compile for.

    The many calls go through compiled code.
    """
    session = spark.newSession()
    for name, value in {
        "spark.sql.session.timeZone": "Asia/Shanghai",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    }.items():
        session.conf.set(name, value)
    return session


def _same(ours: pl.DataFrame, theirs: pl.DataFrame) -> None:
    """Columns, types and order are the same; sums of fractions differ in their last digits."""
    assert ours.schema == theirs.schema
    polars.testing.assert_frame_equal(ours, theirs, rel_tol=1e-9, abs_tol=1e-9)


def _year_of_calls(n: int, seed: int = 1) -> pl.DataFrame:
    """Calls of a London year with all that a column may hold: unknown keys, customers, times."""
    rng = np.random.default_rng(seed)
    start = datetime(2024, 3, 30, 23, tzinfo=UTC)  # an hour before a day of 23 hours
    # Half of them around the two clock changes, to the millisecond.
    near = np.where(rng.random(n) < 0.5, 0, 211 * 86_400_000)
    spread = np.where(rng.random(n) < 0.5, 3 * 86_400_000, 360 * 86_400_000)
    at = np.where(spread < 10**9, near, 0) + (rng.random(n) * spread).astype(np.int64)

    def some(values, unknown=0.1):
        drawn = pl.Series(rng.integers(0, len(values), n))
        known = pl.Series(rng.random(n) >= unknown)
        return pl.Series(values).gather(drawn).zip_with(known, pl.Series([None], dtype=pl.String))

    outcomes = ["answered"] * 6 + ["abandoned"] * 2 + ["left_menu", "contained", "blocked"]
    outcomes += ["diverted", "overflowed", "call_back"]
    customers = [f"k{i}" for i in range(max(n // 20, 3))]
    answered = pl.col("outcome") == "answered"
    frame = pl.DataFrame(
        {
            "call_id": pl.int_range(n, eager=True).cast(pl.String),
            "customer": some(customers, 0.15),
            "site": some(["north", "south"]),
            "queue": some(["sales", "service", "números", "a'b"]),
            "service": some(["bill", "move", "fault"], 0.2),
            "arrived_at": pl.Series(start.timestamp() * 1000 + at).cast(pl.Int64),
            "wait_s": np.round(rng.exponential(30, n), 2) * (rng.random(n) > 0.2),
            "talk_s": np.round(rng.exponential(200, n), 3),
            "hold_s": np.round(rng.exponential(20, n), 3),
            "wrap_s": np.round(rng.exponential(40, n), 3),
            "outcome": some(outcomes, 0),
            "agent": some([f"a{i}" for i in range(12)], 0.05),
            "_known": rng.random(n),
        }
    ).with_columns(
        pl.from_epoch("arrived_at", "ms").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        wait_s=pl.when(~pl.col("outcome").is_in(["left_menu", "contained"])).then("wait_s"),
        talk_s=pl.when(answered & (pl.col("_known") > 0.02)).then("talk_s"),
        hold_s=pl.when(answered & (pl.col("_known") > 0.5)).then("hold_s"),
        wrap_s=pl.when(answered & (pl.col("_known") < 0.7)).then("wrap_s"),
        agent=pl.when(answered).then("agent"),
    )
    wait = pl.col("wait_s").fill_null(0)
    over = wait + pl.col("talk_s").fill_null(0) + pl.col("hold_s").fill_null(0)
    wait_ms, over_ms = ((x * 1000).round().cast(pl.Int64) for x in (wait, over))
    frame = frame.with_columns(
        answered_at=pl.when(answered).then(
            pl.col("arrived_at") + pl.duration(milliseconds=wait_ms)
        ),
        ended_at=pl.col("arrived_at") + pl.duration(milliseconds=over_ms),
    ).drop("_known")
    return frame.sort("arrived_at")


def _beside(seed: int = 2) -> dict[str, pl.DataFrame]:
    """Self-service, agents, their states and plans around the clock change of spring."""
    rng = np.random.default_rng(seed)
    start = datetime(2024, 3, 29, tzinfo=UTC)
    n = 400
    services = np.array(["bill", "move", None], dtype=object)
    customers = np.array([*(f"k{i}" for i in range(40)), None], dtype=object)
    accepted = rng.random(n) < 0.6
    events = pl.DataFrame(
        {
            "event_id": [f"e{i}" for i in range(n)],
            "customer": pl.Series(rng.choice(customers, n).tolist(), dtype=pl.String),
            "channel": rng.choice(["sms", "web"], n),
            "stage": rng.choice(["before_call", "during_call", "own_initiative"], n),
            "service": pl.Series(rng.choice(services, n).tolist(), dtype=pl.String),
            "at": [start + timedelta(seconds=int(s)) for s in rng.integers(0, 90 * 86400, n)],
            "accepted": accepted,
            "delivered": accepted & (rng.random(n) < 0.8),
            "completed": accepted & (rng.random(n) < 0.5),
        }
    )
    # Some offers were made in a call, now and then twice in the same.
    number = (pl.int_range(n, eager=True) * 7 % 900).cast(pl.String)
    inside = pl.when(pl.col("stage") == "during_call").then(number)
    events = events.with_columns(call_id=inside)
    spells = {"agent": [], "state": [], "started_at": [], "ended_at": []}
    plans = {"agent": [], "activity": [], "started_at": [], "ended_at": []}
    for agent in range(6):
        at = start + timedelta(seconds=int(rng.integers(0, 5000)))
        for i in range(60):
            end = at + timedelta(milliseconds=int(rng.integers(1, 9_000_000)))
            states = ["available", "handling", "wrap", "break", "meeting", "other"]
            spells["agent"].append(f"a{agent}")
            spells["state"].append(str(rng.choice(states)))
            spells["started_at"].append(at)
            spells["ended_at"].append(end if i < 59 else None)
            plans["agent"].append(f"a{agent}")
            plans["activity"].append(str(rng.choice(["calls", "break", "training"])))
            plans["started_at"].append(at + timedelta(seconds=int(rng.integers(0, 600))))
            plans["ended_at"].append(end + timedelta(seconds=int(rng.integers(1, 900))))
            at = end - timedelta(seconds=int(rng.integers(0, 30)))  # some overlap
    agents = {"agent": [f"a{i}" for i in range(5)], "team": ["red", "red", "blue", "blue", None]}
    named = {"service": ["bill", "move"], "name": ["Bills", "Moving"], "kind": ["query"] * 2}
    people = [f"k{i}" for i in range(200)]
    first = date(2024, 4, 2)
    wave = rng.integers(0, 4, 200)
    invited = datetime(2024, 5, 1, 9, tzinfo=UTC)
    subscribed = np.flatnonzero(rng.random(200) < 0.5)
    sent = [(k, day) for k in subscribed.tolist() for day in range(35, 120, 10)]
    messages = [
        (f"k{k}", "invitation", f"wave {w}", invited + timedelta(days=20 * w))
        for k, w in enumerate(wave.tolist())
    ] + [(f"k{k}", "bill", None, invited + timedelta(days=day)) for k, day in sent]
    message = ["customer", "kind", "wave", "sent_at"]
    began = [first + timedelta(days=30 + 20 * int(wave[k])) for k in subscribed]
    return {
        **_quality(rng, start),
        "customers": pl.DataFrame(
            {
                "customer": people,
                "bill_day": rng.choice([1, 15], 200),
                "left_on": [date(2024, 9, 1) if rng.random() < 0.1 else None for _ in people],
            }
        ),
        "reminders": pl.DataFrame(messages, schema=message, orient="row"),
        "subscriptions": pl.DataFrame(
            {
                "customer": [people[k] for k in subscribed],
                "kind": ["bill"] * subscribed.size,
                "started_on": began,
                "ended_on": [
                    on + timedelta(days=90) if i % 2 else None for i, on in enumerate(began)
                ],
            }
        ),
        "self_service": events,
        "agent_states": pl.DataFrame(spells),
        "schedules": pl.DataFrame(plans),
        "agents": pl.DataFrame(agents),
        "services": pl.DataFrame(named),
    }


def _quality(rng: np.random.Generator, start: datetime) -> dict[str, pl.DataFrame]:
    """Reviews, surveys and tickets of the first calls, and some of calls that are not there."""
    at = [start + timedelta(seconds=int(s)) for s in rng.integers(0, 90 * 86400, 300)]

    def some(values, unknown=0.1):
        drawn = [None if rng.random() < unknown else values[rng.integers(len(values))] for _ in at]
        return pl.Series(drawn, dtype=pl.String)

    calls = some([str(i) for i in range(60)] + ["gone"])
    reviews = pl.DataFrame(
        {
            "review_id": [f"v{i}" for i in range(300)],
            "call_id": calls,
            "agent": some([f"a{i}" for i in range(5)], 0.3),
            "reviewer": some(["x", "y", "z"]),
            "sampled": some(["random", "targeted"]),
            "at": at,
        }
    )
    items = pl.concat(
        [
            reviews.with_columns(
                item=pl.lit(item),
                critical=pl.lit(value=critical),
                passed=pl.Series([None if x < 0.1 else x < 0.8 for x in rng.random(300)]),
            )
            for item, critical in (("greeting", False), ("answer", True))
        ]
    )
    open_for = rng.integers(-3600, 9 * 86400, 300)
    return {
        "reviews": items,
        "surveys": pl.DataFrame(
            {
                "call_id": [str(i) for i in range(290)] + [f"gone{i}" for i in range(10)],
                "channel": "sms",
                "sent_at": at,
                "score": pl.Series([None if x < 0.6 else float(x > 0.8) for x in rng.random(300)]),
            }
        ),
        "tickets": pl.DataFrame(
            {
                "ticket": [f"t{i}" for i in range(300)],
                "call_id": calls,
                "service": some(["bill", "move"]),
                "opened_at": at,
                "closed_at": pl.Series(
                    [
                        None if i % 5 == 0 else moment + timedelta(seconds=int(open_for[i]))
                        for i, moment in enumerate(at)
                    ],
                    dtype=pl.Datetime("us", "UTC"),
                ),
                "reopened": pl.Series([None if x < 0.1 else x < 0.2 for x in rng.random(300)]),
                "owner": some(["desk", "net"]),
            }
        ),
    }


def _loaded(folder, tables, time_zone):
    log = cc.CallLog(folder / "centre.duckdb", time_zone=time_zone)
    for name, frame in tables.items():
        file = folder / f"{name}.parquet"
        frame.write_parquet(file)
        report = log.load(file, source="ccanalytics", identifiers="as_they_are")
        assert report.loaded == frame.height, report.summary()
    return log


@pytest.fixture(scope="session")
def london(tmp_path_factory):
    """A London year in DuckDB, and the folder that was written from it."""
    folder = tmp_path_factory.mktemp("london")
    log = _loaded(folder, {"calls": _year_of_calls(6000), **_beside()}, "Europe/London")
    rows = log.to_parquet(folder / "tables")
    assert rows["calls"] == 6000
    assert rows["meta"] == 1
    return log, folder / "tables"


@pytest.fixture(scope="session")
def on_spark(quick, london):
    return cc.CallLog.on_spark(quick, london[1])


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_has_the_same_answer(london, on_spark, question):
    ours = QUESTIONS[question](london[0])
    assert ours.height or question == "an empty table"
    _same(ours, QUESTIONS[question](on_spark))


def test_many_calls_have_the_same_answers(spark, tmp_path):
    """Two executors, each a process of its own, count what DuckDB counts."""
    assert spark.sparkContext.master == "local-cluster[2,1,1024]"
    # The driver is one of those that hold blocks.
    assert spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() == 3
    log = _loaded(tmp_path, {"calls": _year_of_calls(MANY)}, "Europe/London")
    log.to_parquet(tmp_path / "tables")
    there = cc.CallLog.on_spark(spark, tmp_path / "tables")
    for question in OF_CALLS if FULL else OF_CALLS[:4]:
        ours = QUESTIONS[question](log)
        assert ours.height
        _same(ours, QUESTIONS[question](there))


@pytest.fixture
def own(tmp_path):
    """Calls as another program writes them: zoned times, whole seconds, a folder a site, files
    that differ in their columns, a column of its own; beside them a file that is a table."""
    calls = _year_of_calls(400, seed=3).with_columns(
        pl.col("talk_s").round().cast(pl.Int32), site=pl.lit(None, pl.String), hold_s=None
    )
    parts = [calls.head(150).drop("wrap_s"), calls.tail(250)]
    folder = tmp_path / "own lake"
    for i, (site, part) in enumerate(zip(("001", "002"), parts, strict=True)):
        place = folder / "calls" / f"site={site}"
        place.mkdir(parents=True)
        part.drop("site").with_columns(pl.lit(i).alias("mine")).write_parquet(place / "p.parquet")
    events = _beside()["self_service"]
    events.write_parquet(folder / "self_service.parquet")
    (folder / "notes.txt").write_text("not a table")
    parts = [
        part.with_columns(site=pl.lit(site), talk_s=pl.col("talk_s").cast(pl.Float64))
        for site, part in zip(("001", "002"), parts, strict=True)
    ]
    tables = {"calls": pl.concat(parts, how="diagonal"), "self_service": events}
    return _loaded(tmp_path, tables, "Asia/Shanghai"), folder


def test_a_folder_that_never_was_in_duckdb(quick, own):
    log, folder = own
    there = cc.CallLog.on_spark(quick, folder, time_zone="Asia/Shanghai")
    for question in (
        "days",
        "busy agents",
        "recontacts",
        "self-service",
        "columns filled",
        "calls",
    ):
        _same(QUESTIONS[question](log), QUESTIONS[question](there))
    holds, said = log.summary(), there.summary()
    assert (said.rows, said.outcomes, said.first_day, said.last_day) == (
        holds.rows,
        holds.outcomes,
        holds.first_day,
        holds.last_day,
    )
    assert any("notes.txt" in check.detail for check in said.checks)
    mark = there.fingerprint()
    again = cc.CallLog.on_spark(quick, f"file://{folder}", time_zone="Asia/Shanghai")
    assert again.fingerprint() == mark
    os.utime(folder / "self_service.parquet", (0, 0))
    assert again.fingerprint() != mark
    # The caller's session is as it was.
    assert quick.conf.get("spark.sql.session.timeZone") == "Asia/Shanghai"


def test_counts_of_intervals_without_calls(quick, tmp_path):
    start = datetime(2024, 3, 31, tzinfo=UTC)
    counts = pl.DataFrame(
        {
            "queue": ["a", "b"] * 8,
            "media": ["voice"] * 16,
            "started_at": [start + timedelta(minutes=30 * (i // 2)) for i in range(16)],
            "interval_s": [1800.0] * 16,
            "offered": [*range(15), None],
            "answered": list(range(16)),
            "handle_s": [10.5 * i for i in range(16)],
        }
    )
    log = _loaded(tmp_path, {"interval_counts": counts}, "Europe/London")
    log.to_parquet(tmp_path / "tables")
    there = cc.CallLog.on_spark(quick, tmp_path / "tables")
    for ask in (
        lambda log: log.interval_counts(),
        lambda log: log.interval_counts("1d", by=["queue", "media"]),
        lambda log: log.demand("1h", by=["queue"], where={"queue": "a"}),
    ):
        _same(ask(log), ask(there))
    with pytest.raises(DataError, match="holds no calls"):
        there.intervals()


def test_what_spark_cannot_answer_is_refused_with_the_way_out(on_spark, tmp_path):
    for refused in (
        lambda log: log.load(tmp_path / "calls.csv", source="ccanalytics"),
        lambda log: log.check(),
        lambda log: log.forget("2024-01-01"),
        lambda log: log.rejects(),
        lambda log: log.to_parquet(tmp_path / "x"),
        lambda log: log.table("remarks"),
    ):
        with pytest.raises(UnsupportedError) as error:
            refused(on_spark)
        assert error.value.remedy
    with pytest.raises(InputError, match="no such column"):
        on_spark.intervals(by=["nothing"])
    with on_spark.snapshot() as state:
        assert state is on_spark


def _folder(place, **tables):
    for name, columns in tables.items():
        (place / name).mkdir(parents=True)
        pl.DataFrame(columns).write_parquet(place / name / "data.parquet")
    return place


CALL = {"call_id": ["a"], "arrived_at": [datetime(2024, 1, 1, tzinfo=UTC)], "outcome": ["answered"]}
ZONE = {"time_zone": ["UTC"]}


@pytest.mark.parametrize(
    ("tables", "error", "words"),
    [
        ({}, LogError, "no canonical table"),
        ({"calls": CALL}, InputError, "where the centre stands"),
        ({"calls": CALL, "meta": {"time_zone": ["Mars/Olympus"]}}, InputError, "no such time zone"),
        ({"calls": CALL, "meta": {"time_zone": ["UTC", "UTC"]}}, DataError, "one row"),
        ({"calls": CALL, "meta": {**ZONE, "schema_version": [99]}}, LogError, "schema 99"),
        ({"calls": CALL | {"outcome": [1]}, "meta": ZONE}, DataError, "calls.outcome"),
        ({"calls": CALL | {"wait_s": ["9"]}, "meta": ZONE}, DataError, "calls.wait_s"),
        ({"calls": CALL | {"arrived_at": ["2024"]}, "meta": ZONE}, DataError, "calls.arrived_at"),
        ({"calls": CALL | {"outcome": ["ANSWERED"]}, "meta": ZONE}, DataError, "'ANSWERED'"),
        ({"calls": {"call_id": ["a"], "outcome": ["blocked"]}, "meta": ZONE}, DataError, "lacks"),
        (
            {"calls": {**CALL, "call_id": [None]} | {}, "meta": ZONE},
            DataError,
            "calls.call_id",
        ),
    ],
)
def test_a_folder_that_cannot_be_trusted_is_refused(quick, tmp_path, tables, error, words):
    if tables.get("calls", {}).get("call_id") == [None]:
        tables = {**tables, "calls": {**CALL, "call_id": pl.Series([None], dtype=pl.String)}}
    (tmp_path / "lake").mkdir()
    with pytest.raises(error, match=words):
        cc.CallLog.on_spark(quick, _folder(tmp_path / "lake", **tables)).intervals("1d")


def test_paths_and_files_that_are_no_folder_of_tables(quick, tmp_path):
    lake = _folder(tmp_path / "lake", calls=CALL, meta=ZONE)
    with pytest.raises(LogError, match="no such folder"):
        cc.CallLog.on_spark(quick, tmp_path / "nothing")
    with pytest.raises(LogError, match="a file, not a folder"):
        cc.CallLog.on_spark(quick, lake / "calls" / "data.parquet")
    with pytest.raises(InputError, match="pattern"):
        cc.CallLog.on_spark(quick, tmp_path / "l*")
    with pytest.raises(InputError, match="SparkSession"):
        cc.CallLog.on_spark("local", lake)
    with pytest.raises(InputError, match="centre in UTC"):
        cc.CallLog.on_spark(quick, lake, time_zone="Asia/Tokyo")
    log = cc.CallLog.on_spark(quick, lake)
    (lake / "calls" / "data.parquet").write_bytes(b"PAR1 this is nothing of the kind PAR1")
    with pytest.raises(LogError, match="Spark says") as error:
        log.intervals("1d")
    assert len(str(error.value)) < 600
    shutil.copy(lake / "meta" / "data.parquet", lake / "calls.parquet")
    with pytest.raises(LogError, match="twice"):
        cc.CallLog.on_spark(quick, lake)


def test_one_name_opens_either_kind(spark, london):
    log, folder = london
    assert type(cc.open_log(log.path)) is cc.CallLog
    there = cc.open_log(folder)  # in the session that is active
    assert there.time_zone == "Europe/London"
    assert there.table("services").equals(log.table("services"))
