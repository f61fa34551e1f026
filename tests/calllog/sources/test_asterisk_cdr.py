"""Asterisk's call records: the order of the columns, and what a leg tells of a call."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from ccanalytics.errors import InputError

SOURCE = "asterisk_cdr"
ORDER = [
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp"),
    *("lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
    *("uniqueid", "userfield"),
]


@pytest.fixture
def sample(samples):
    return samples / "asterisk_cdr_Master.csv"


@pytest.mark.real
def test_the_real_sample_as_counted_by_hand(real_data, new_log, balanced, calls_of):
    # python's csv: 14 rows, 11 ANSWERED and 3 NO ANSWER; billsec 78 s, duration 78 + 109 s.
    path = real_data / "acd_samples" / "asterisk_cdr_Master.csv"
    log = new_log("Asia/Riyadh")
    report = balanced(log, log.load(path, source=SOURCE), 14)
    assert (report.loaded, report.duplicates, report.rejected) == (14, 0, 0)
    calls = calls_of(log)
    assert Counter(call["outcome"] for call in calls) == {"answered": 11, "abandoned": 3}
    assert sum(call["talk_s"] or 0 for call in calls) == 78
    assert sum(call["wait_s"] for call in calls) == 109
    assert calls[0]["arrived_at"] == datetime(2023, 7, 25, 22, 51, 32, tzinfo=UTC)
    assert any("cdr_custom with sequence" in remark for remark in report.remarks)
    assert not any("uniqueid" in remark for remark in report.remarks)
    # The switch stood three hours east of Greenwich: with another zone the epochs disagree.
    wrong = new_log("UTC", "wrong").load(path, source=SOURCE)
    assert any("is the time zone right" in remark for remark in wrong.remarks)


def test_what_a_leg_tells(new_log, sample, balanced, calls_of):
    log = new_log()
    report = balanced(log, log.load(sample, source=SOURCE), 7)
    assert report.loaded == 7
    found = calls_of(log, "customer", "outcome", "wait_s", "talk_s", "queue", "agent", "client")
    assert found == [
        ("02079460001", "answered", 12, 120, None, "SIP/101", None),
        ("02079460002", "abandoned", 25, None, None, None, "acme"),
        ("02079460003", "left_menu", None, None, None, None, None),
        (None, "abandoned", None, None, "sales", None, None),
        ("02079460004", "answered", None, None, "sales", "SIP/102", None),
        ("02079460005", "blocked", None, None, None, None, None),
        ("02079460006", "blocked", None, None, None, None, None),
    ]
    told = "; ".join(report.remarks)
    assert "order of the columns told from the content: cdr_csv with uniqueid" in told
    for remark in ("answered by the switch itself", "another application", "FAILED"):
        assert remark in told
    filled = log.columns_filled("calls")
    assert not {"menu_s", "hold_s", "wrap_s", "service"} & set(filled)
    assert "service" in report.summary()


def test_the_order_may_be_told(new_log, sample, tmp_path, calls_of):
    import csv

    rows = list(csv.reader(sample.open()))
    wanted = ["disposition", "billsec", "src", "start", "duration", "lastapp", "dstchannel"]
    turned = tmp_path / "turned.csv"
    with turned.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([row[ORDER.index(name)] for name in wanted] for row in rows)
    with pytest.raises(InputError, match="cannot be told"):
        new_log().load(turned, source=SOURCE)
    log = new_log()
    report = log.load(turned, source=SOURCE, columns=",".join(wanted))
    assert report.loaded == 7
    assert {call["outcome"] for call in calls_of(log)} >= {"answered", "abandoned", "blocked"}
    headed = tmp_path / "headed.csv"
    headed.write_text(",".join(wanted).upper() + "\n" + turned.read_text())
    again = new_log(name="again")
    assert again.load(headed, source=SOURCE).loaded == 7
    key = ("arrived_at", "customer", "outcome", "talk_s")
    assert calls_of(again, *key) == calls_of(log, *key)


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ("src,start", "missing"),
        ("src,src,start,duration,billsec,disposition", "twice"),
        ("src,start,duration,billsec,disposition", "first lines have"),
        ("", "list of column names"),
    ],
)
def test_an_order_that_cannot_be_is_refused(new_log, sample, columns, match):
    with pytest.raises(InputError, match=match):
        new_log().load(sample, source=SOURCE, columns=columns)


def test_columns_for_a_format_that_has_its_own(new_log, sample):
    with pytest.raises(InputError, match="of their own"):
        new_log().load(sample, source="ccanalytics", columns="a,b")


def row(**cells):
    fields = {
        **dict.fromkeys(ORDER, ""),
        "src": "5550100",
        "dstchannel": "SIP/1-00000001",
        "lastapp": "Dial",
        "start": "2025-01-01 08:00:00",
        "answer": "2025-01-01 08:00:05",
        "end": "2025-01-01 08:01:05",
        "duration": "65",
        "billsec": "60",
        "disposition": "ANSWERED",
        **cells,
    }
    return ",".join('"' + fields[name].replace('"', '""') + '"' for name in ORDER)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"src": "'); DROP TABLE calls; --"}, None),
        ({"src": '=cmd|"/c calc"!A1\n<script>'}, None),
        ({"start": "1969-12-31 23:59:59"}, "arrived_at is not between 1970 and 2199"),
        ({"end": "2200-01-01 00:00:00"}, "ended_at is not between 1970 and 2199"),
        ({"start": "2025-02-30 08:00:00"}, "start is not a time"),
        ({"billsec": "-60"}, "billsec is negative"),
        ({"billsec": "66"}, "billsec is longer than duration"),
        ({"duration": "NaN"}, "duration is not a number"),
        ({"duration": "1e999"}, "duration is not a number"),
        ({"duration": "9" * 4000}, "duration is not a number"),
        ({"duration": "8640100"}, "wait_s is longer than 100 days"),
        ({"disposition": "MAYBE"}, "disposition is none that Asterisk writes"),
        ({"end": "2025-01-01 07:00:00"}, "ended before it arrived"),
    ],
)
def test_rows_that_mean_harm(new_log, tmp_path, balanced, cells, reason):
    path = tmp_path / "Master.csv"
    path.write_text(f"{row()}\n{row(**cells)}\n{row()},more\n")
    log = new_log()
    report = balanced(log, log.load(path, source=SOURCE), 3)
    reasons = "; ".join(report.reasons)
    assert "19 fields where 18 are expected" in reasons
    if reason is None:
        assert report.loaded == 2
        assert cells["src"] in log.table("calls")["customer"].to_list()
    else:
        assert report.loaded == 1
        assert reason in reasons


def test_a_time_that_the_clock_change_skipped(new_log, tmp_path):
    path = tmp_path / "Master.csv"
    skipped = row(start="2025-03-30 01:30:00", answer="", end="", disposition="NO ANSWER")
    path.write_text(f"{row()}\n{skipped}\n")
    report = new_log("Europe/London").load(path, source=SOURCE)
    assert report.rejected == 1
    assert any("put forward" in reason for reason in report.reasons)
