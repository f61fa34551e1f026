"""Checks as a report: every planted fault is found by name, and a good log raises none."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest

from ccanalytics import CallLog, simulation
from ccanalytics.calllog.checks import TOPICS
from ccanalytics.calllog.checks.finding import Finding, clean, judged, share
from ccanalytics.errors import InputError

SIZE = {"weeks": 4, "scale": 0.02}
MONDAY = datetime(2025, 3, 3, tzinfo=UTC)


def named(result, name):
    return [f for f in result.findings if f.name == name]


def one(result, name):
    (finding,) = named(result, name)
    return finding


# ---- the sample centre --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flawed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flawed")
    simulation.write_centre(folder / "x", **SIZE, seed=3, defects=True)
    log = CallLog(folder / "centre.duckdb")
    log.load(folder / "x", "ccanalytics")
    truth = json.loads((folder / "x" / "truth.json").read_text(encoding="utf-8"))
    return log.check(), {each["kind"]: each for each in truth["defects"]}


# What each planted defect is called here, and whether the finding counts exactly its rows.
FOUND = {
    "changed definition": ("what the wait counts", False),
    "clock of a line group": ("the clock of a part of the centre", False),
    "impossible order": ("answered before it arrived", True),
    "agent in two calls": ("agents in two calls at once", False),
    "unknown service": ("services nobody knows", True),
    "duplicate rows": ("rows exported twice", True),
    "missing hours": ("missing hours", False),
}
REJECTED = {
    "ended before it arrived": "ended before it arrived",
    "negative wait": "wait_s is negative",
    "garbled line": "not text",
}


def test_every_planted_defect_is_found_by_name(flawed):
    result, planted = flawed
    assert set(planted) == {*FOUND, *REJECTED}
    for kind, (name, exact) in FOUND.items():
        finding = one(result, name)
        assert finding.verdict in ("fails", "informs"), kind
        assert finding.count == planted[kind]["rows"] or not exact, kind
    aside = [f.detail for f in named(result, "rejected")]
    for kind, words in REJECTED.items():
        assert any(words in detail for detail in aside), kind


def test_findings_say_where_and_when(flawed):
    result, planted = flawed
    zone = ZoneInfo("Asia/Shanghai")

    def local(kind):
        return datetime.fromisoformat(planted[kind]["from"]).astimezone(zone)

    gap = one(result, "missing hours")
    assert gap.examples[0]["from"] == f"{local('missing hours'):%Y-%m-%d %H:%M}"
    assert gap.count == 2
    moved = one(result, "the clock of a part of the centre")
    # Calls of the day's last hour stand in the next day, those of the day before in none.
    assert abs(moved.count - planted["clock of a line group"]["rows"]) < 10
    clock = moved.examples
    assert [(e["value"], e["day"], e["clock"]) for e in clock] == [
        ("central-2", f"{local('clock of a line group'):%Y-%m-%d}", "+1 h")
    ]
    changed = one(result, "what the wait counts")
    assert changed.examples[0]["from"] == f"{local('changed definition'):%Y-%m-%d}"
    # Of answered calls alone: those who hung up have no time of answer to disagree with.
    waits = one(result, "wait against timestamps")
    assert 0 < waits.count <= planted["changed definition"]["rows"]
    assert waits.verdict == "fails"
    assert "X99" in one(result, "services nobody knows").detail
    # Besides the planted one, the calls whose clock is an hour fast.
    busy = one(result, "agents in two calls at once")
    clocks = planted["clock of a line group"]["rows"]
    assert 1 <= busy.count <= 1 + 2 * clocks + 20


def test_a_report_says_what_each_use_may_expect(flawed):
    result, _ = flawed
    fit = {one.use: one.fit for one in result.fitness()}
    assert set(fit) == set(TOPICS.values())
    assert fit["what calls are about"] == "fit"
    assert fit["waits and service level"] == "with care"
    assert "with care, because of" in result.headline()
    again = json.loads(json.dumps(result.to_dict()))
    assert again["headline"] == result.headline()
    assert {f["verdict"] for f in again["findings"]} == {"holds", "informs", "fails"}
    for finding in result.findings:
        assert set(finding.consequences) <= set(TOPICS)
        assert len(finding.examples) <= 5
        if finding.verdict == "fails":
            assert finding.remedy
            assert finding.consequences


@pytest.mark.parametrize("seed", range(1, 7) if os.environ.get("CCANALYTICS_FULL") else [1])
def test_a_good_log_raises_no_alarm(tmp_path, seed):
    simulation.write_centre(tmp_path / "x", **SIZE, seed=seed, start="2024-03-01")
    log = CallLog(tmp_path / "x.duckdb")
    log.load(tmp_path / "x", "ccanalytics")
    result = log.check({"plan": ["volume", "handle"], "wait": ["wait"]})
    assert [f.name for f in result.failed] == []
    assert result.headline() == "Fit for plan and wait."


# ---- planted here -------------------------------------------------------------------------------


def steady(days=28, zone="UTC", per_hour=4, hours=range(8, 20), **fields):
    """The same calls on every day: per_hour in each of the hours, of changing customers."""
    place, first = ZoneInfo(zone), datetime(2025, 3, 3)
    rows = []
    for day in range(days):
        for hour in hours:
            # More in the morning than in the evening, so that hours can be told apart.
            n = per_hour * (2 if hour < 13 else 1)
            for i in range(n):
                at = (first + timedelta(days=day, hours=hour, minutes=60 * i // n)).replace(
                    tzinfo=place
                )
                rows.append(
                    {
                        "arrived_at": at,
                        "answered_at": at + timedelta(seconds=12),
                        "ended_at": at + timedelta(seconds=103),
                        "menu_s": 2,
                        "wait_s": 10,
                        "talk_s": 91,
                        "customer": f"k{len(rows)}",
                        "agent": f"a{len(rows) % 40}",
                        "queue": "q",
                        "_day": day,
                        **fields,
                    }
                )
    return rows


def logged(make_log, rows, zone="UTC", **tables):
    return make_log(
        [{k: v for k, v in row.items() if not k.startswith("_")} for row in rows], zone, **tables
    ).check()


def changed(make_log, name, zone="UTC", days=28, **tables):
    """The findings of a steady log after ``change`` of rows from day 14 on."""

    def after(change):
        rows = steady(days, zone)
        for row in rows:
            if row["_day"] >= days // 2:
                change(row)
        return one(logged(make_log, rows, zone, **tables), name)

    return after


def test_a_steady_log_holds(make_log):
    result = logged(make_log, steady())
    assert [f.name for f in result.failed] == []
    assert result.to_dict()["rows"]["calls"] == len(steady())


def test_a_clock_that_did_not_follow_the_change_is_seen(make_log):
    """London goes forward on 30 March; a switch that stays behind books an hour early."""
    rows = steady(56, "Europe/London")
    last = datetime(2025, 3, 30, tzinfo=UTC)
    good = one(logged(make_log, rows, "Europe/London"), "the clock from one day to the next")
    assert good.verdict == "holds"
    for row in rows:
        if row["arrived_at"] >= last:
            for name in ("arrived_at", "answered_at", "ended_at"):
                row[name] = row[name].astimezone(UTC) + timedelta(hours=1)
    bad = one(logged(make_log, rows, "Europe/London"), "the clock from one day to the next")
    assert bad.verdict == "fails"
    assert "an hour later" in bad.detail
    assert "2025-03-30" in bad.detail


def test_a_repeated_hour_that_is_not_told_apart_is_seen(make_log):
    first = datetime(2025, 10, 26, 0, 5, tzinfo=UTC)  # 01:05 in London, the first pass
    rows = [{"arrived_at": first + timedelta(minutes=i)} for i in range(20)]
    rows += [{"arrived_at": first + timedelta(hours=12)}]
    name = "calls in a repeated or skipped hour"
    merged = one(make_log(rows, "Europe/London").check(), name)
    assert (merged.verdict, merged.count) == ("informs", 20)
    rows += [{"arrived_at": first + timedelta(minutes=60 + i)} for i in range(20)]
    assert one(make_log(rows, "Europe/London").check(), name).verdict == "holds"


def test_calls_under_two_names_are_seen(make_log):
    rows = steady()
    copies = [
        {**row, "call_id": f"again{i}", "customer": row["customer"] if i % 2 else f"other{i}"}
        for i, row in enumerate(rows[:30])
    ]
    result = logged(make_log, rows + copies)
    twice = one(result, "calls exported twice")
    assert (twice.count, twice.verdict) == (30, "fails")
    assert one(result, "same customer in the same second").count == 15
    assert one(result, "agents in two calls at once").count == 30


def test_impossible_orders_are_counted_and_shown(make_log):
    rows = steady()
    rows[0]["ended_at"] = rows[0]["answered_at"] - timedelta(seconds=5)
    rows[1]["wait_s"] = 5000
    rows[2] |= {"outcome": "abandoned", "call_id": "odd"}
    result = logged(make_log, rows)
    assert one(result, "ended before it was answered").count == 1
    # The first one too: it ended while it should have waited.
    assert one(result, "wait longer than the call").count == 2
    odd = one(result, "handled without an answer")
    assert odd.count == 1
    assert odd.examples[0]["call_id"] == "odd"


def test_overlap_with_after_call_work_is_told_apart(make_log):
    at = MONDAY + timedelta(hours=9)

    def call(start, talk, wrap, agent):
        begin = at + timedelta(seconds=start)
        return {
            "arrived_at": begin,
            "answered_at": begin,
            "talk_s": talk,
            "wrap_s": wrap,
            "agent": agent,
        }

    calls = [
        call(0, 600, 0, "long"),
        call(100, 50, 0, "long"),
        call(200, 50, 0, "long"),  # inside the first, though after the second
        call(0, 100, 60, "wrap"),
        call(120, 100, 0, "wrap"),
        call(0, 100, 0, "good"),
        call(100, 100, 0, "good"),
    ]
    result = make_log(calls).check()
    twice = one(result, "agents in two calls at once")
    assert (twice.count, twice.base) == (2, 7)
    assert "long 2" in twice.detail
    wrap = one(result, "after-call work into the next call")
    assert (wrap.count, wrap.examples[0]["overlap_s"]) == (1, "40")


def test_rows_of_other_tables_that_nobody_knows_are_seen(make_log):
    rows = steady(2)
    events = [
        {"channel": "sms", "stage": "during_call", "at": MONDAY, "call_id": "nowhere"},
        {"channel": "sms", "stage": "during_call", "at": MONDAY, "call_id": "c0", "service": "Z"},
    ]
    result = logged(
        make_log,
        rows,
        self_service=events,
        services=[{"service": "S"}],
        agents=[{"agent": f"a{i}", "skills": "other"} for i in range(39)],
    )
    assert one(result, "self service of unknown calls").count == 1
    assert one(result, "events outside their call").count == 1
    assert one(result, "events of services nobody knows").count == 1
    assert one(result, "agents nobody knows").count == sum(r["agent"] == "a39" for r in rows)
    assert one(result, "queues nobody may serve").count == len(rows)


def test_changes_of_definition_are_named_with_their_day(make_log):
    day = "2025-03-17"

    def look(name, change):
        finding = changed(make_log, name)(change)
        assert finding.verdict in ("fails", "informs"), name
        assert day in finding.detail, finding.detail
        return finding

    stops = look("columns that start or stop", lambda row: row.update(agent=None))
    assert stops.detail.startswith("agent from")
    minutes = look(
        "the unit of a duration", lambda row: row.update(talk_s=91 / 60, ended_at=row["ended_at"])
    )
    assert minutes.examples[0]["what"] == "talk_s"
    look("the unit of a duration", lambda row: row.update(wait_s=10_000))
    rounded = look("the rounding of a duration", lambda row: row.update(talk_s=90))
    assert "multiples of 5 s" in rounded.detail
    look("typical durations from one day to the next", lambda row: row.update(talk_s=181))
    come = changed(make_log, "queues that come and go")(lambda row: row.update(queue="new"))
    lives = {e["queue"]: (e["first day"], e["last day"]) for e in come.examples}
    assert lives == {"q": ("2025-03-03", "2025-03-16"), "new": (day, "2025-03-30")}


def test_durations_of_nothing_and_of_days_are_seen(make_log):
    rows = steady()
    rows[0]["talk_s"] = 0
    rows[1]["talk_s"] = 3 * 3600
    rows[2]["wait_s"] = 2 * 86400
    result = logged(make_log, rows)
    assert one(result, "talk of zero seconds").count == 1
    assert one(result, "durations over 2 hours").count == 2
    assert one(result, "durations over a day").count == 1
    assert one(result, "durations over a day").verdict == "fails"


def test_a_day_off_needs_a_calendar_to_be_judged(make_log):
    rows = [row for row in steady() if row["_day"] != 9]
    away = (MONDAY + timedelta(days=9)).date()
    name = "days without a call"
    assert one(logged(make_log, rows), name).verdict == "informs"
    work = logged(make_log, rows, days=[{"on": away, "workday": True}])
    assert one(work, name).verdict == "fails"
    feast = logged(make_log, rows, days=[{"on": away, "workday": False}])
    assert one(feast, name).verdict == "holds"


def test_rows_taken_past_the_loader_unbalance_the_books(make_log):
    log = make_log([{"arrived_at": MONDAY}, {"arrived_at": MONDAY}])
    with duckdb.connect(str(log.path)) as connection:
        connection.execute("DELETE FROM calls WHERE call_id = 'c0'")
    finding = one(log.check(), "every row is accounted for")
    assert finding.verdict == "fails"
    assert "calls has 1 of 2 rows" in finding.detail


# ---- its parts ----------------------------------------------------------------------------------


def test_uses_are_checked(make_log):
    log = make_log([{"arrived_at": MONDAY}])
    for wrong in ({"x": ["nothing"]}, {"x": "volume"}, ["volume"], {"x": 3}):
        with pytest.raises(InputError):
            log.check(wrong)
    blocked = log.check({"x": ["handle"]}).fitness()[0]
    assert blocked.fit == "not fit"
    assert blocked.reasons[0][0] == "talk_s is never recorded"


def test_no_caller_number_is_shown(make_log):
    number = "13912345678"
    rows = [
        {**row, "customer": number, "call_id": f"{number}-{i}"}
        for i, row in enumerate(steady(3, per_hour=1))
    ]
    rows += [{**row, "call_id": f"x{i}"} for i, row in enumerate(rows)]
    result = logged(make_log, rows)
    shown = json.dumps(result.to_dict())
    assert one(result, "same customer in the same second").examples
    assert number not in shown


@pytest.mark.parametrize(
    ("count", "base", "text"),
    [(1, 2, "50%"), (1, 1, "100%"), (1, 1000, "0.1%"), (999_999, 10**6, "over 99.99%")],
)
def test_shares_never_round_to_none_or_all(count, base, text):
    assert share(count, base) == text


def test_texts_of_a_log_are_one_clean_line():
    assert clean("a\x1b[31m\nb\0") == "a·[31m·b·"
    assert len(clean("x" * 500)) == 60
    assert clean("tel:13912345678") == "tel:139…78"


def test_few_inform_many_fail():
    few = judged("n", 1, 10_000, "call with a wait", seen="wrong")
    assert (few.verdict, few.detail) == ("informs", "1 of 10,000 calls with a wait (0.01%) wrong")
    assert judged("n", 10, 10_000, "call", seen="wrong").verdict == "fails"
    assert judged("n", 0, 0, "call", seen="wrong").verdict == "holds"
    assert not Finding(name="n", verdict="informs", detail="").needs_care


# ---- the Anonymous Bank -------------------------------------------------------------------------


@pytest.mark.real
def test_the_known_quirks_of_the_bank_are_found(bank_files, tmp_path):
    """METHODS §6.1, of January and February; counts are taken from the files by hand here."""
    import gzip

    log = CallLog(tmp_path / "bank.duckdb")
    raw = []
    for file in bank_files[:2]:
        log.load(file, "anonymous_bank")
        with gzip.open(file, "rt", encoding="latin-1") as text:
            raw += [line.rstrip("\n").split("\t") for line in text][1:]
    result = log.check()
    assert one(result, "days without a call").detail.startswith("2 of 59 days: 1999-01-11")
    rows = [[cell.strip() for cell in row] for row in raw if row[12].strip() != "PHANTOM"]
    phantoms = len(raw) - len(rows)
    assert [f.count for f in named(result, "rejected")] == [phantoms]
    unnamed = sum(row[12] == "AGENT" and row[16] == "NO_SERVER" for row in rows)
    assert one(result, "agent unknown in part").count == unnamed
    remarks = {f.detail.split(":")[0]: f.count for f in named(result, "loaded with a remark")}
    assert remarks["answered by an agent of no name"] == unnamed
    assert remarks["negative menu time"] == sum(int(row[8]) < 0 for row in rows)
    # The bank's 13 January has no call from ten to eleven either.
    at_ten = [r for r in rows if r[5] == "990113" and r[6].startswith("10:")]
    assert at_ten == []
    assert one(result, "missing hours").examples[0]["from"] == "1999-01-13 10:00"
    # ser_start precedes q_exit by 1 to 2 s, up to 13: told, not failed.
    assert one(result, "wait against timestamps").verdict == "informs"
    assert one(result, "customer unknown in part").count > 30_000
    assert any(f.name == "wrap_s is never recorded" for f in result.findings)


@pytest.mark.real
def test_services_over_two_hours_are_found(bank_log, bank_files):
    import gzip

    long = 0
    for file in bank_files:
        with gzip.open(file, "rt", encoding="latin-1") as text:
            cells = [line.rstrip("\n").split("\t") for line in text][1:]
        long += sum(row[12].strip() == "AGENT" and int(row[15]) > 7200 for row in cells)
    finding = one(bank_log.check(), "durations over 2 hours")
    assert finding.count == long > 0
