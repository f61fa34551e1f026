"""FreeSWITCH's call records: the default template, other templates, mod_callcenter's variables."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from ccanalytics.errors import InputError

SOURCE = "freeswitch_cdr"


@pytest.mark.real
def test_the_real_sample_as_counted_by_hand(real_data, new_log, balanced, calls_of):
    # python's csv: 10 rows of 8 uuids; one (of 8) without an answer, NO_USER_RESPONSE.
    path = real_data / "acd_samples" / "freeswitch_cdr_Master.csv"
    log = new_log("Asia/Shanghai")
    report = balanced(log, log.load(path, source=SOURCE), 10)
    assert (report.loaded, report.duplicates, report.rejected) == (8, 2, 0)
    calls = calls_of(log)
    assert Counter(call["outcome"] for call in calls) == {"answered": 7, "blocked": 1}
    # billsec 9 + 61 + 21 + 327 + 20 + 32 + 20; duration less billsec 2 + 3 + 3 + 2 + 12 + 11 + 11.
    assert sum(call["talk_s"] or 0 for call in calls) == 490
    assert sum(call["wait_s"] or 0 for call in calls) == 44
    assert any("known to the minute" in remark for remark in report.remarks)
    assert any("the default template" in remark for remark in report.remarks)
    filled = set(log.columns_filled("calls"))
    assert not {"queue", "agent", "menu_s", "hold_s", "wrap_s", "service"} & filled


def test_the_default_template(new_log, samples, balanced, calls_of):
    log = new_log()
    report = balanced(log, log.load(samples / "freeswitch_cdr_Master.csv", source=SOURCE), 4)
    assert report.loaded == 4
    assert calls_of(log, "customer", "outcome", "wait_s", "talk_s", "client", "queue") == [
        ("02079460001", "answered", 12, 120, None, None),
        ("02079460002", "abandoned", 25, None, "acme", None),
        (None, "blocked", None, None, None, None),
        ("02079460004", "answered", 0, 30, None, None),
    ]
    assert report.remarks["answered, but by a person or by the switch: not told"] == 1


def test_the_variables_of_mod_callcenter(new_log, samples, balanced, calls_of):
    log = new_log()
    report = balanced(log, log.load(samples / "freeswitch_callcenter.csv", source=SOURCE), 5)
    assert (report.loaded, report.rejected) == (4, 1)
    assert list(report.reasons) == ["the agent's leg of a queue call: the caller's row holds it"]
    found = calls_of(log, "call_id", "outcome", "menu_s", "wait_s", "talk_s", "queue", "agent")
    assert found == [
        ("b1", "answered", 20, 30, 130, "sales@default", "101"),
        ("b3", "abandoned", 10, 50, None, "sales@default", None),
        ("b4", "overflowed", 5, 55, None, "sales@default", None),
        ("b5", "answered", None, 0, 30, None, None),
    ]
    ((answered, ended),) = calls_of(log, "answered_at", "ended_at")[:1]
    assert answered == datetime(2025, 1, 1, 8, 0, 50, tzinfo=UTC)
    assert ended == datetime(2025, 1, 1, 8, 3, tzinfo=UTC)


def test_columns_in_an_order_of_ones_own(new_log, tmp_path, samples, calls_of):
    headed = samples / "freeswitch_callcenter.csv"
    head, _, body = headed.read_text().partition("\n")
    bare = tmp_path / "bare.csv"
    bare.write_text(body)
    with pytest.raises(InputError, match="cannot be told"):
        new_log().load(bare, source=SOURCE)
    one, two = new_log(name="one"), new_log(name="two")
    one.load(headed, source=SOURCE)
    two.load(bare, source=SOURCE, columns=head)
    assert calls_of(one) == calls_of(two)


def line(**cells):
    fields = {
        "name": "",
        "number": "5550100",
        "to": "100",
        "context": "public",
        "start": "2025-01-01 08:00:00",
        "answer": "2025-01-01 08:00:05",
        "end": "2025-01-01 08:01:05",
        "duration": "65",
        "billsec": "60",
        "cause": "NORMAL_CLEARING",
        "uuid": "u1",
        "bleg": "",
        "account": "",
        **cells,
    }
    return ",".join('"' + text.replace('"', '""') + '"' for text in fields.values())


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"number": "'; DELETE FROM calls; --"}, None),
        ({"name": 'a "quoted", name\nover lines'}, None),
        ({"start": "1969-12-31 08:00:00", "end": ""}, "arrived_at is not between"),
        ({"end": "2300-01-01 08:00:00"}, "ended_at is not between"),
        ({"start": "2025-13-01 08:00"}, "start is not a time"),
        ({"duration": "-1"}, "duration is negative"),
        ({"billsec": "1e999"}, "billsec is not a number"),
        ({"billsec": "nan"}, "billsec is not a number"),
        ({"billsec": "1" * 3000}, "billsec is not a number"),
        ({"cause": ""}, "the hangup cause is missing"),
    ],
)
def test_rows_that_mean_harm(new_log, tmp_path, balanced, cells, reason):
    path = tmp_path / "Master.csv"
    path.write_text(f"{line()}\n{line(uuid='u2', **cells)}\n{line(uuid='u3')},more\n")
    log = new_log()
    report = balanced(log, log.load(path, source=SOURCE), 3)
    assert report.loaded == (2 if reason is None else 1)
    assert reason is None or reason in "; ".join(report.reasons)


def test_epochs_of_mod_callcenter_that_are_none(new_log, tmp_path, balanced, samples):
    head, first = (samples / "freeswitch_callcenter.csv").read_text().splitlines()[:2]
    path = tmp_path / "queue.csv"
    bad = [first.replace("1735718450", text) for text in ("-5", "1e9", "9" * 400, "7258118400")]
    path.write_text("\n".join([head, *(b.replace("b1,", f"x{i},") for i, b in enumerate(bad))]))
    log = new_log()
    report = balanced(log, log.load(path, source=SOURCE, allow_cut=True), 4)
    assert report.rejected == 4
