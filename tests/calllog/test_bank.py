"""The Anonymous Bank, January to June 1999: what others measured on it comes out of the log.

Figures: METHODS.md 6.1. Whatever is not there is counted here from the raw files, without the
package.
"""

import gzip
import math
import re
from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import polars as pl
import pytest

import ccanalytics as cc

pytestmark = pytest.mark.real

ROWS = [31_599, 33_344, 38_801, 32_036, 39_553, 37_935]
FEBRUARY = {"start": "1999-02-01", "end": "1999-03-01"}
JAN_TO_JUNE = {}
JERUSALEM = ZoneInfo("Asia/Jerusalem")


@pytest.fixture(scope="module")
def raw(bank_files):
    """Each row of the six files as a list of 17 texts, PHANTOM rows too."""
    rows = []
    for file in bank_files:
        with gzip.open(file, "rt", encoding="ascii") as lines:
            next(lines)
            rows += [line.rstrip("\n").split("\t") for line in lines]
    assert {len(row) for row in rows} == {17}
    return rows


@pytest.fixture(scope="module")
def spells(raw):
    """Of each call that is no phantom: group, server, and the seconds of line and agent."""
    out = []
    for row in raw:
        if row[12] == "PHANTOM":
            continue
        entry, menu_exit, queue_exit, end = (_clock(row[i]) for i in (6, 7, 10, 14))
        served, queued = row[12] == "AGENT", int(row[11]) > 0
        timed = served and not (row[13] == "0:00:00" and row[15] == "0")
        over = end if timed else queue_exit if queued else menu_exit
        if over < entry - 43_200:  # past midnight
            over += 86_400
        line_s = 0.0
        if over > entry:
            line_s = _epoch(row[5], over) - _epoch(row[5], entry)
        server = row[16] if served and row[16] != "NO_SERVER" else None
        out.append((row[0][:4], server, max(line_s, 0.0), int(row[15]) if served else 0))
    return out


@cache
def _day(text):
    """Epoch second of a local midnight, and whether the clocks stay as they are for two days."""
    midnight = datetime.strptime(text, "%y%m%d").replace(tzinfo=JERUSALEM)
    steady = midnight.utcoffset() == (midnight + timedelta(days=2)).utcoffset()
    return midnight, int(midnight.timestamp()), steady


def _epoch(day, seconds):
    """Epoch second of a wall clock's seconds after midnight."""
    midnight, epoch, steady = _day(day)
    return epoch + seconds if steady else int((midnight + timedelta(seconds=seconds)).timestamp())


def _clock(text):
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


# ---- loading ------------------------------------------------------------------------------------


def test_every_row_is_read_and_accounted_for(bank_loads, raw):
    _, reports = bank_loads
    assert [report.read for report in reports] == ROWS
    for report in reports:
        assert report.read == report.loaded + report.duplicates + report.rejected
    assert sum(report.loaded for report in reports) == sum(row[12] != "PHANTOM" for row in raw)


def test_phantoms_are_rejected_with_that_reason(bank_loads, raw):
    log, reports = bank_loads
    phantoms = sum(row[12] == "PHANTOM" for row in raw)
    reasons = Counter()
    for report in reports:
        reasons.update(report.reasons)
    ((reason, count),) = reasons.items()
    assert "PHANTOM" in reason
    assert count == phantoms
    aside = log.rejects(limit=None)
    assert aside.height == phantoms
    assert aside["raw"].str.contains("PHANTOM", literal=True).all()


def test_a_rejected_row_is_found_again_in_its_file(bank_log, bank_files):
    aside = bank_log.rejects(limit=None)
    for file in bank_files[:2]:
        with gzip.open(file, "rt", encoding="ascii") as lines:
            text = lines.read().split("\n")
        of_file = aside.filter(pl.col("file") == file.name)
        assert of_file.height
        # As it stands there, save that the persons (customer, server) and long numbers are masked.
        for line, raw in of_file.select("line", "raw").rows():
            there, kept = text[line - 1].split("\t"), raw.split("\t")
            assert kept[2] in ("***", "")
            assert kept[16] in ("***", "")
            hidden = [re.sub(r"\d{5,}", "#####", cell) for cell in there]
            assert kept == [*hidden[:2], kept[2], *hidden[3:16], kept[16]]


def test_loading_again_changes_nothing(bank_files, tmp_path, log_content):
    log = cc.CallLog(tmp_path / "again.duckdb")
    first = log.load(bank_files[3], source="anonymous_bank")
    before, fingerprint = log_content(log), log.fingerprint()
    again = log.load(bank_files[3], source="anonymous_bank")
    assert log_content(log) == before
    assert log.fingerprint() == fingerprint
    # Unpacked and under another name it is another file, of which every row is a duplicate.
    plain = tmp_path / "other name.txt"
    plain.write_bytes(gzip.decompress(bank_files[3].read_bytes()))
    renamed = log.load(plain, source="anonymous_bank")
    assert log_content(log)["calls"] == before["calls"]
    for report in (again, renamed):
        assert (report.read, report.loaded, report.duplicates, report.rejected) == (
            first.read,
            0,
            first.loaded,
            first.rejected,
        )
        assert report.reasons == first.reasons


def test_negative_menu_times_are_unknown_and_the_call_stays(bank_loads, bank_log, raw):
    _, reports = bank_loads
    negative = [row for row in raw if int(row[8]) < 0 and row[12] != "PHANTOM"]
    assert sum(sum(r.remarks.values()) for r in reports if r.remarks) > 0
    remarks = Counter()
    for report in reports:
        remarks.update({k: v for k, v in report.remarks.items() if "menu" in k})
    assert sum(remarks.values()) == len(negative) > 0
    assert bank_log.table("calls")["menu_s"].null_count() == len(negative)


def test_the_log_is_summed_up_in_words(bank_log):
    result = bank_log.summary()
    assert "211,298 calls" in result.summary()
    assert "1999-01-01" in result.summary()
    assert "1999-06-30" in result.summary()
    assert "Asia/Jerusalem" in result.summary()
    closed = next(check for check in result.checks if "without a call" in check.name)
    assert closed.status == "informs"
    assert "1999-01-11, 1999-01-12" in closed.detail
    assert not any(check.status == "fails" for check in result.checks)


# ---- the published and measured facts -----------------------------------------------------------


@pytest.mark.parametrize(
    ("span", "facts"),
    [
        pytest.param(
            FEBRUARY,
            {
                "requests": 31_094,
                "abandoned": 12.65,
                "waited": 57.98,
                "mean wait": 43.97,
                "mean wait if > 0": 75.84,
                "abandoned of queued": 21.81,
                "within 20 s": 52.13,
            },
            id="February",
        ),
        pytest.param(
            JAN_TO_JUNE,
            {
                "requests": 199_728,
                "abandoned": 16.50,
                "waited": 65.72,
                "mean wait": 62.45,
                "mean wait if > 0": 95.02,
                "abandoned of queued": 25.11,
                "within 20 s": 43.35,
            },
            id="January to June",
        ),
    ],
)
def test_requests_waits_and_service_level(bank_log, span, facts):
    goal = cc.ServiceLevel(0.8, within=20)
    frame = bank_log.intervals("1d", goals=[goal], **span)
    counts = frame.select(pl.col(pl.Int64).sum(), pl.col(pl.Float64).sum())
    offered, abandoned, waited, wait_s = (
        counts[name][0] for name in ("offered", "abandoned", "waited", "wait_s")
    )
    found = {
        "requests": offered,
        "abandoned": round(100 * abandoned / offered, 2),
        "waited": round(100 * waited / offered, 2),
        "mean wait": round(wait_s / offered, 2),
        "mean wait if > 0": round(wait_s / waited, 2),
        "abandoned of queued": round(100 * abandoned / waited, 2),
        "within 20 s": round(100 * float(goal.of(counts)[0]), 2),
    }
    assert found == facts


@pytest.mark.parametrize(
    ("span", "mean", "sd", "median", "within_10"),
    [
        pytest.param(FEBRUARY, 176.9, 217.3, 107, 7.00, id="February"),
        pytest.param(JAN_TO_JUNE, 191.5, 265.9, 115, 7.11, id="January to June"),
    ],
)
def test_service_times(bank_log, span, mean, sd, median, within_10):
    counts = bank_log.handle_times(**span)
    above = counts.filter(pl.col("seconds") > 0)
    calls, found_mean, found_sd, found_median = _moments(above)
    assert (round(found_mean, 1), round(found_sd, 1), found_median) == (mean, sd, median)
    # "Answered with service ≤10 s": of all who were answered, those without a time included.
    short = counts.filter(pl.col("seconds") <= 10)["calls"].sum()
    assert calls < counts["calls"].sum()
    assert round(100 * short / counts["calls"].sum(), 2) == within_10


@pytest.mark.parametrize(
    ("service", "mean", "sd", "median"),
    [
        ("PS", 194.1, 230.6, 123),
        ("NW", 112.2, 159.4, 62),
        ("NE", 296.0, 393.6, 180),
        ("IN", 315.2, 428.5, 183),
        ("PE", 259.6, 274.4, 188),
        ("TT", 115.6, 494.7, 28),
    ],
)
def test_service_times_by_type(bank_log, service, mean, sd, median):
    counts = bank_log.handle_times(by="service").filter(
        (pl.col("service") == service) & (pl.col("seconds") > 0)
    )
    _, *found = _moments(counts)
    assert [round(found[0], 1), round(found[1], 1), found[2]] == [mean, sd, median]


def _moments(counts):
    """Number, mean, standard deviation (n − 1) and median of seconds that come as counts."""
    calls, seconds = counts["calls"].to_list(), counts["seconds"].to_list()
    number = sum(calls)
    mean = sum(n * s for n, s in zip(calls, seconds, strict=True)) / number
    spread = sum(n * (s - mean) ** 2 for n, s in zip(calls, seconds, strict=True))
    merged = Counter()
    for n, s in zip(calls, seconds, strict=True):
        merged[s] += n
    middle = []
    for place in ((number - 1) // 2, number // 2):
        seen = 0
        for second in sorted(merged):
            seen += merged[second]
            if seen > place:
                middle.append(second)
                break
    return number, mean, math.sqrt(spread / (number - 1)), sum(middle) / 2


def test_queued_callers_by_priority(bank_log, raw):
    """METHODS.md gives January to October; six months come within a few seconds and points."""
    frame = (
        bank_log.intervals("1mo", by="tier")
        .group_by("tier")
        .agg(pl.col(pl.Int64, pl.Float64).sum())
    )
    found = {row["tier"]: row for row in frame.iter_rows(named=True)}
    for tier, wait, abandoned in (("0", 108, 47.1), ("1", 98, 27.2), ("2", 88, 15.0)):
        row = found[tier]
        assert row["wait_s"] / row["waited"] == pytest.approx(wait, abs=0.5)
        assert 100 * row["abandoned"] / row["waited"] == pytest.approx(abandoned, abs=0.05)
    # A priority is known of those who queued, and of nobody else.
    queued = Counter(row[3] for row in raw if row[12] != "PHANTOM" and int(row[11]) > 0)
    assert {tier: row["offered"] for tier, row in found.items() if tier is not None} == queued


# ---- counted from the raw files -----------------------------------------------------------------


def test_wednesdays_of_february_by_clock_hour(bank_log, raw):
    wednesdays = {"990203", "990210", "990217", "990224"}
    expected = Counter(
        int(row[6].split(":")[0]) for row in raw if row[5] in wednesdays and row[12] != "PHANTOM"
    )
    frame = bank_log.intervals("1h", **FEBRUARY).filter(
        pl.col("local_start").dt.weekday() == 3  # Monday is 1
    )
    found = frame.group_by(pl.col("local_start").dt.hour().alias("hour")).agg(
        pl.col("arrived").sum()
    )
    assert frame.height == 4 * 24
    assert dict(found.iter_rows()) == {hour: expected.get(hour, 0) for hour in range(24)}


def test_arrivals_by_local_day_and_outcome(bank_log, raw):
    names = {"AGENT": "answered", "HANG": "hang"}
    expected = Counter(
        (row[5], names[row[12]], int(row[11]) > 0) for row in raw if row[12] != "PHANTOM"
    )
    for row in bank_log.intervals("1d").iter_rows(named=True):
        day = row["local_start"].strftime("%y%m%d")
        answered = expected[day, "answered", True] + expected[day, "answered", False]
        assert row["answered"] == answered, day
        assert row["abandoned"] == expected[day, "hang", True], day
        assert row["left_menu"] == expected[day, "hang", False], day


def test_customers_who_call_again(bank_log, raw):
    """METHODS.md counts queued calls only; here every call that carries a customer's number."""
    names = {("AGENT", True): "answered", ("AGENT", False): "answered"}
    names |= {("HANG", True): "abandoned", ("HANG", False): "left_menu"}
    calls, last = {}, 0
    for row in raw:
        if row[12] == "PHANTOM":
            continue
        at = _epoch(row[5], _clock(row[6]))
        last = max(last, at)
        if row[2] != "0":
            calls.setdefault(row[2], []).append((at, names[row[12], int(row[11]) > 0]))
    expected = Counter()
    for history in calls.values():
        history.sort()
        for i, (at, outcome) in enumerate(history):
            for window in (600, 3600, 86400):
                if at + window <= last:
                    expected[outcome, window, "followed"] += 1
                    expected[outcome, window, "again"] += (
                        i + 1 < len(history) and history[i + 1][0] <= at + window
                    )
    found = Counter()
    for row in bank_log.recontacts((600, 3600, 86400)).iter_rows(named=True):
        for what in ("followed", "again"):
            found[row["outcome"], row["window_s"], what] = row[what]
    # Two calls of one customer in one second may stand in either order; their sum is the same.
    assert {k: n for k, n in found.items() if n} == pytest.approx(dict(expected), abs=2)
    for window in (600, 3600, 86400):
        for what in ("followed", "again"):
            total = sum(n for k, n in expected.items() if k[1:] == (window, what))
            assert sum(n for k, n in found.items() if k[1:] == (window, what)) == total


@pytest.mark.parametrize("every", ["5min", "30min", "1h", "1d"])
def test_agents_are_busy_as_long_as_they_serve(bank_log, spells, every):
    expected = sum(served for *_, served in spells)
    assert bank_log.busy(every)["busy_s"].sum() == pytest.approx(expected, abs=1e-3)


def test_days_with_arrivals_have_all_but_what_runs_past_the_last_midnight(bank_log, spells):
    expected = sum(served for *_, served in spells)
    busy = bank_log.intervals("1d")["agent_busy_s"].sum()
    assert expected - 7200 < busy <= expected + 1e-3


@pytest.mark.parametrize("every", ["5min", "30min", "1h", "1d"])
def test_lines_are_busy_as_long_as_calls_last(bank_log, spells, every):
    expected = sum(line for _, _, line, _ in spells)
    assert bank_log.busy(every, what="line")["busy_s"].sum() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("every", ["1h", "1d"])
def test_busy_seconds_of_each_agent(bank_log, spells, every):
    expected = Counter()
    for _, server, _, served in spells:
        expected[server] += served
    frame = bank_log.busy(every, by="agent").group_by("agent").agg(pl.col("busy_s").sum())
    found = {agent: busy for agent, busy in frame.iter_rows() if busy}
    assert found == pytest.approx({a: s for a, s in expected.items() if s}, abs=1e-3)


@pytest.mark.parametrize("every", ["5min", "1d"])
def test_busy_seconds_of_each_line_group(bank_log, spells, every):
    expected = Counter()
    for group, _, line, _ in spells:
        expected[group] += line
    frame = bank_log.busy(every, by="line_group", what="line")
    found = frame.group_by("line_group").agg(pl.col("busy_s").sum())
    assert dict(found.iter_rows()) == pytest.approx(dict(expected), abs=1e-3)


def test_no_agent_is_busy_longer_than_the_interval_unless_calls_overlap(bank_log):
    """A named agent has one call at a time, save the few overlaps that the record has."""
    frame = bank_log.busy("30min", by="agent").filter(pl.col("agent").is_not_null())
    over = frame.filter(pl.col("busy_s") > pl.col("interval_s"))
    assert over.height < frame.filter(pl.col("busy_s") > 0).height * 0.02


def test_demand_is_what_planning_takes(bank_log):
    from ccanalytics.demand import as_demand

    frame = bank_log.demand("30min", by="service", **FEBRUARY)
    checked = as_demand(frame)
    assert checked["calls"].sum() == 31_094
    assert checked.height == frame.height
