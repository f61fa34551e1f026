"""Asterisk's queue_log: every line an event, and the calls that follow from them."""

import gzip
import itertools
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from ccanalytics.calllog.masking import masked_text
from ccanalytics.errors import InputError

SOURCE = "asterisk_queue_log"
START = datetime(2025, 1, 1, 8, tzinfo=UTC)
AT = "1735718400"


def at(seconds):
    return START + timedelta(seconds=seconds)


def events(lines):
    """Counted past our code: the fifth field of each line that is not blank."""
    return Counter(line.split("|")[4] for line in lines if line.strip())


@pytest.fixture
def sample(samples):
    return samples / "asterisk_queue_log.txt"


@pytest.fixture
def loaded(new_log, sample, balanced):
    log = new_log()
    balanced(log, log.load(sample, source=SOURCE), 39)
    return log


def told(log):
    """Calls and states as the log holds them, whatever order they came in."""
    with duckdb.connect(str(log.path), read_only=True) as connection:
        return (
            sorted(connection.execute("SELECT * FROM calls").fetchall(), key=repr),
            sorted(connection.execute("SELECT * FROM agent_states").fetchall(), key=repr),
            sorted(
                connection.execute("SELECT * EXCLUDE (place) FROM queue_events").fetchall(),
                key=repr,
            ),
        )


@pytest.mark.real
def test_the_real_sample_as_counted_by_hand(real_data, new_log, balanced, calls_of):
    # grep -vc '^$' gives 278; cut -d'|' -f5 | sort | uniq -c gives the rest.
    path = real_data / "acd_samples" / "asterisk_queue_log.txt"
    log = new_log("Africa/Cairo")
    report = balanced(log, log.load(path, source=SOURCE), 278)
    assert (report.loaded, report.duplicates, report.rejected) == (278, 0, 0)
    by_event = dict(log.table("queue_events")["event"].value_counts().iter_rows())
    assert by_event == {
        "ENTERQUEUE": 21,
        "ABANDON": 12,
        "CONNECT": 8,
        "COMPLETEAGENT": 6,
        "COMPLETECALLER": 1,
        "RINGNOANSWER": 221,
        "CONFIGRELOAD": 7,
        "QUEUESTART": 2,
    }
    calls = calls_of(log)
    assert Counter(call["outcome"] for call in calls) == {"abandoned": 12, "answered": 8}
    assert sum(call["talk_s"] is not None for call in calls) == 7
    assert any("still open" in remark and n == 1 for remark, n in report.remarks.items())
    lines = [line.split("|") for line in path.read_text().splitlines() if line.strip()]
    # 215 and 45 by awk too.
    waits = sum(int(f[7]) for f in lines if f[4] == "ABANDON")
    talks = sum(int(f[6]) for f in lines if f[4].startswith("COMPLETE"))
    rings = sum(int(f[5]) for f in lines if f[4] == "RINGNOANSWER")
    assert sum(c["wait_s"] for c in calls if c["outcome"] == "abandoned") == waits == 215
    assert sum(c["talk_s"] or 0 for c in calls) == talks == 45
    assert log.table("queue_events")["ring_s"].sum() == rings / 1000 == 351
    for name in ("menu_s", "hold_s", "wrap_s", "service"):
        assert name not in log.columns_filled("calls")
    assert "hold" in report.summary()


def test_every_line_is_an_event(loaded, sample):
    by_event = dict(loaded.table("queue_events")["event"].value_counts().iter_rows())
    assert by_event == events(sample.read_text().splitlines())
    assert by_event["RINGNOANSWER"] == 3, "two lines that are the same are two events"


def test_calls_follow_from_their_events(loaded, calls_of):
    found = calls_of(
        loaded,
        *("call_id", "customer", "queue", "arrived_at", "answered_at", "ended_at"),
        *("wait_s", "talk_s", "outcome", "agent", "transfer", "parent_call_id", "ended_by"),
    )
    no = None
    assert found == [
        (
            *("1735718450.1", "02079460001", "sales", at(60), at(72), at(192), 12, 120),
            *("answered", "SIP/101", "none", no, "caller"),
        ),
        (
            *("1735718595.3", no, "sales", at(200), no, at(200), 0, no),
            *("abandoned", no, no, no, "caller"),
        ),
        (
            *("1735718605.4", "02079460002", "sales", at(210), no, at(240), 30, no),
            *("overflowed", no, no, no, no),
        ),
        (
            *("1735718605.4/2", "02079460002", "help", at(240), at(255), at(300), 15, 45),
            *("answered", "SIP/101", "other", "1735718605.4", no),
        ),
        # An old line without parameters: the moments tell 15 s of wait and 60 s of talk.
        (
            *("1735718705.6", "02079460003", "sales", at(310), at(325), at(385), 15, 60),
            *("answered", "SIP/102", "none", no, "agent"),
        ),
        (
            *("1735718795.7", "02079460004", "sales", at(400), no, at(406), 6, no),
            *("overflowed", no, no, no, no),
        ),
        (
            *("1735718815.8", "02079460005", "sales", at(420), at(435), at(500), 15, 65),
            *("answered", "SIP/101", "other", no, no),
        ),
        (
            *("1735718905.10", "02079460006", "help", at(510), no, at(515), 5, no),
            *("overflowed", no, no, no, no),
        ),
        (
            *("1735718905.10/2", "02079460006", "help", at(520), no, at(550), 30, no),
            *("abandoned", no, no, "1735718905.10", "caller"),
        ),
    ]


def test_ring_times_are_milliseconds_and_numbers_of_strangers_are_masked(loaded):
    frame = loaded.table("queue_events")
    assert sorted(frame["ring_s"].drop_nulls()) == [0, 0, 2, 3, 4, 5.5]
    said = dict(frame.select("event", "info").iter_rows())
    assert said["BLINDTRANSFER"] == "#|outside"
    assert said["SURVEY_RESULT"] == "5|#"
    assert said["DID"] == "#"
    held = [value for row in frame.drop("customer", "call_id").iter_rows() for value in row]
    assert not [value for value in held if "0207946" in str(value)]


def test_states_of_agents(loaded):
    frame = loaded.table("agent_states").sort("agent", "started_at")
    assert frame.rows() == [
        ("SIP/101", "available", at(0), at(72)),
        ("SIP/101", "handling", at(72), at(192)),
        ("SIP/101", "available", at(192), at(255)),
        ("SIP/101", "handling", at(255), at(300)),
        ("SIP/101", "available", at(300), at(435)),
        ("SIP/101", "handling", at(435), at(500)),
        ("SIP/101", "available", at(500), at(605)),
        ("SIP/102", "other", at(10), at(20)),
        ("SIP/102", "available", at(20), at(325)),
        ("SIP/102", "handling", at(325), at(385)),
        ("SIP/102", "available", at(385), at(410)),
        ("SIP/102", "break", at(410), None),
    ]


def test_any_cut_in_any_order_gives_the_same(new_log, loaded, sample, tmp_path, balanced):
    lines = sample.read_text().splitlines(keepends=True)
    whole = told(loaded)
    # Cuts through a call, through the second of a call that hung up at once, through a transfer.
    for cut, order in itertools.product((12, 15, 19), ("early", "late")):
        parts = [tmp_path / f"{cut}_1", tmp_path / f"{cut}_2"]
        parts[0].write_text("".join(lines[:cut]))
        parts[1].write_text("".join(lines[cut:]))
        log = new_log(name=f"{cut}_{order}")
        for part in parts if order == "early" else reversed(parts):
            balanced(log, log.load(part, source=SOURCE), len(part.read_text().splitlines()))
        assert told(log) == whole, (cut, order)


def test_three_parts_that_overlap_and_loading_again(new_log, loaded, sample, tmp_path):
    lines = sample.read_text().splitlines(keepends=True)
    spans = [(0, 20), (12, 30), (25, 39)]
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        log = new_log(name="".join(map(str, order)))
        for number in (*order, order[0]):
            first, last = spans[number]
            part = tmp_path / f"part{number}"
            part.write_text("".join(lines[first:last]))
            log.load(part, source=SOURCE)
        assert told(log) == told(loaded)


def test_a_file_copied_twice_into_one_brings_duplicates(new_log, sample, tmp_path, loaded):
    double = tmp_path / "double"
    double.write_text(sample.read_text() * 2)
    log = new_log(name="double")
    report = log.load(double, source=SOURCE)
    assert (report.read, report.loaded, report.duplicates) == (78, 39, 39)
    assert told(log) == told(loaded)


def test_blocks_may_end_within_a_second(new_log, loaded, sample, monkeypatch):
    from ccanalytics.calllog import reading

    for size in (40, 300):
        monkeypatch.setattr(reading, "BLOCK_BYTES", size)
        log = new_log(name=f"blocks{size}")
        assert log.load(sample, source=SOURCE).loaded == 39
        assert told(log) == told(loaded)


def test_an_open_call_is_no_call_until_its_end_is_known(new_log, tmp_path, calls_of):
    first, second = tmp_path / "queue_log.1", tmp_path / "queue_log"
    first.write_text(f"{AT}|1.1|sales|NONE|ENTERQUEUE||5550100\n")
    second.write_text("1735718430|1.1|sales|SIP/9|CONNECT|30|1.2\n")
    log = new_log()
    assert any("still open" in remark for remark in log.load(first, source=SOURCE).remarks)
    assert calls_of(log) == []
    log.load(second, source=SOURCE)
    ((outcome, talk, ended),) = calls_of(log, "outcome", "talk_s", "ended_at")
    assert (outcome, talk, ended) == ("answered", None, None)


def test_a_call_whose_beginning_is_not_there_is_not_invented(new_log, tmp_path, calls_of):
    path = tmp_path / "queue_log"
    path.write_text(f"{AT}|1.1|sales|NONE|ABANDON|1|1|17\n")
    log = new_log()
    report = log.load(path, source=SOURCE)
    assert report.loaded == 1
    assert calls_of(log) == []
    assert any("without their ENTERQUEUE" in remark for remark in report.remarks)


def test_an_agent_who_gets_a_call_back_and_one_whose_end_was_lost(new_log, tmp_path):
    path = tmp_path / "queue_log"
    path.write_text(
        f"{AT}|1.1|q|NONE|ENTERQUEUE||1\n"
        "1735718410|1.1|q|SIP/1|CONNECT|10|1.2\n"
        "1735718420|1.1|q|SIP/1|COMPLETEAGENT|10|10|1\n"
        "1735718430|1.1|q|NONE|ENTERQUEUE||1\n"
        "1735718440|1.1|q|SIP/1|CONNECT|10|1.3\n"
        "1735718440|1.1|q|SIP/1|COMPLETEAGENT|10|0|1\n"
        "1735718450|1.4|q|NONE|ENTERQUEUE||1\n"
        "1735718460|1.4|q|SIP/1|CONNECT|10|1.5\n"
        "1735718500|1.6|q|NONE|ENTERQUEUE||1\n"
        "1735718510|1.6|q|SIP/1|CONNECT|10|1.7\n"
        "1735718530|1.6|q|SIP/1|COMPLETECALLER|10|20|1\n"
    )
    log = new_log()
    log.load(path, source=SOURCE)
    assert log.table("agent_states").sort("started_at").rows() == [
        ("SIP/1", "handling", at(10), at(20)),
        # Until the next call, at the latest: then it was over.
        ("SIP/1", "handling", at(60), at(130)),
    ]


def test_rows_of_other_sources_stay(new_log, sample, tmp_path, write_table, calls_of):
    log = new_log()
    states = [{"agent": "SIP/101", "state": "training", "started_at": at(5000)}]
    log.load(write_table(tmp_path / "agent_states.csv", "agent_states", states), "ccanalytics")
    mine = [{"call_id": "1735718450.1", "arrived_at": at(60), "outcome": "blocked"}]
    log.load(write_table(tmp_path / "calls.csv", "calls", mine), "ccanalytics")
    log.load(sample, source=SOURCE)
    part = tmp_path / "more"
    part.write_text("1735720000|1735718450.1|sales|SIP/101|INFO|x\n")
    log.load(part, source=SOURCE)
    assert ("1735718450.1", "blocked") in calls_of(log, "call_id", "outcome")
    assert "training" in log.table("agent_states")["state"].to_list()


def test_gzip_and_another_file(new_log, sample, tmp_path):
    packed = tmp_path / "queue_log.1"
    packed.write_bytes(gzip.compress(sample.read_bytes()))
    assert new_log().load(packed, source=SOURCE).loaded == 39
    other = tmp_path / "calls.csv"
    other.write_text("arrived_at,outcome\n2025-01-01,answered\n")
    with pytest.raises(InputError, match="not a queue_log"):
        new_log(name="other").load(other, source=SOURCE)


HOSTILE = {
    f"{AT}|1.1|q'); DROP TABLE calls; --|NONE|ENTERQUEUE||'\"": None,
    f"{AT}|1.2|q|a|b|ENTERQUEUE||x": "the event is not a word in capitals",
    f"{AT}|1.3|q|NONE": "fewer than five fields",
    "": None,
    "-5|1.4|q|NONE|ENTERQUEUE||1": "at is not between 1970 and 2199",
    "253402300800|1.5|q|NONE|ENTERQUEUE||1": "at is not between 1970 and 2199",
    f"{'9' * 400}|1.6|q|NONE|ENTERQUEUE||1": "the time is not a whole number",
    "1e999|1.7|q|NONE|ENTERQUEUE||1": "the time is not a whole number",
    f"{AT}|1.8|q|NONE|ABANDON|1|1|-17": "wait_s is negative",
    f"{AT}|1.9|q|NONE|ABANDON|1|1|NaN": "wait is not a number",
    f"{AT}|1.10|q|NONE|ABANDON|1|1|1e999": "wait is not a number",
    f"{AT}|1.11|q|NONE|ABANDON|1|1|{'9' * 5000}": "wait is not a number",
    f"{AT}|1.12|q|a|COMPLETEAGENT|1|999999999|1": "talk_s is longer than 100 days",
    f"{AT}|1.13|q|NONE|ABANDON|1.5|1|3": "position is not a number",
    f"{AT}|1.14|q|NONE|ENTERQUEUE||<script>alert(1)</script>|=1+1": "original position is not",
    f"{AT}|1.15|q\x1f|NONE|ENTERQUEUE||1": "holds the control character U+001F",
    f"{AT}|1.16|q\x00|NONE|ENTERQUEUE||1": "holds a NUL",
    f"{AT}|" + "|" * 3000: "the event is not a word in capitals",
}


def test_lines_that_mean_harm_are_loaded_or_rejected(new_log, tmp_path, balanced):
    path = tmp_path / "queue_log"
    path.write_bytes(b"".join(line.encode() + b"\n" for line in HOSTILE) + b"\xff\xfe|||\n")
    log = new_log()
    report = balanced(log, log.load(path, source=SOURCE), len(HOSTILE))
    assert report.loaded == 1
    told_reasons = {r["raw"]: "; ".join(r["reasons"]) for r in log.rejects().to_dicts()}
    for line, reason in HOSTILE.items():
        if reason:
            raw = masked_text(line.replace("\x00", "�"))
            assert reason in told_reasons[raw], (line[:60], told_reasons[raw])
    assert log.table("queue_events")["queue"].to_list() == ["q'); DROP TABLE calls; --"]


def test_a_last_line_that_is_cut_off(new_log, tmp_path):
    path = tmp_path / "queue_log"
    path.write_text(f"{AT}|1.1|q|NONE|ENTERQUEUE||1\n{AT}|1.2|q|NONE|ENTERQ")
    with pytest.raises(InputError, match="cut off"):
        new_log().load(path, source=SOURCE)
    report = new_log().load(path, source=SOURCE, allow_cut=True)
    assert (report.read, report.loaded, report.rejected) == (2, 1, 1)
    assert "the last line has no end" in next(iter(report.reasons))


@pytest.mark.parametrize("end", ["RING", "COMPLETEAGENT|6|1"])
def test_a_last_line_that_may_be_cut_is_remarked_and_set_aside_if_so_told(new_log, tmp_path, end):
    """RING of RINGNOANSWER, and a talk of 1 of 12 seconds, came in as facts."""
    path = tmp_path / "queue_log"
    path.write_text(f"{AT}|1.1|q|NONE|ENTERQUEUE||1\n{AT}|1.1|q|a|CONNECT|6\n{AT}|1.1|q|a|{end}")
    log = new_log(name="told")
    report = log.load(path, source=SOURCE, allow_cut=True)
    assert (report.loaded, report.rejected) == (2, 1)
    assert set(log.table("queue_events")["event"]) == {"ENTERQUEUE", "CONNECT"}
    if end != "RING":
        report = new_log().load(path, source=SOURCE)
        assert (report.loaded, report.rejected) == (3, 0)
        assert report.remarks["the last line has no end: it was taken for whole"] == 1


def test_a_call_handed_over_by_a_link_has_two_channels(new_log, tmp_path):
    lines = ["BRIDGE|b7|3|40|1", "APP|Voicemail|3|40|1", "LINK|Local/1@x;1|Local/1@x;2|3|40|1"]
    path = tmp_path / "queue_log"
    path.write_text(
        "".join(f"{AT}|1.{i}|q|a|ATTENDEDTRANSFER|{line}\n" for i, line in enumerate(lines))
    )
    log = new_log()
    assert log.load(path, source=SOURCE).loaded == 3
    events = log.table("queue_events").select("wait_s", "talk_s", "original_position")
    assert events.rows() == [(3.0, 40.0, 1)] * 3


def test_random_damage_accounts_for_every_line(new_log, sample, tmp_path, balanced):
    luck = random.Random(5)
    text = sample.read_bytes()
    for number in range(8):
        damaged = bytearray(text)
        for _ in range(luck.randint(1, 30)):
            damaged[luck.randrange(len(damaged))] = luck.choice(b"|x9-\"'\x00\xff ")
        path = tmp_path / f"damaged{number}"
        path.write_bytes(bytes(damaged))
        lines = sum(bool(line.strip(b" \r")) for line in bytes(damaged).split(b"\n"))
        log = new_log(name=f"damaged{number}")
        report = log.load(path, source=SOURCE, allow_cut=True)
        balanced(log, report, lines)
