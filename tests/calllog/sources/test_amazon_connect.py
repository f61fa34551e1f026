"""Amazon Connect's contact records: what they tell, and of several deliveries the latest."""

import gzip
import json
from datetime import UTC, datetime

import pytest

from ccanalytics.errors import InputError

SOURCE = "amazon_connect"


@pytest.fixture
def sample(samples):
    return samples / "amazon_connect.ndjson"


@pytest.fixture
def records(sample):
    return [json.loads(line) for line in sample.read_text().splitlines()]


@pytest.fixture
def write(tmp_path):
    def to(name, records, form="lines"):
        path = tmp_path / name
        text = (
            json.dumps(records, indent=form == "pretty" or None)
            if form != "lines"
            else "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records)
        )
        path.write_text(text)
        return path

    return to


@pytest.mark.real
def test_the_real_sample_as_counted_by_hand(real_data, new_log, balanced, calls_of):
    # python's json: four records of one ContactId, with three moments of last update.
    path = real_data / "acd_samples" / "amazon_connect_ctr.ndjson"
    log = new_log("America/New_York")
    report = balanced(log, log.load(path, source=SOURCE), 4)
    assert (report.loaded, report.duplicates, report.rejected) == (1, 3, 0)
    (call,) = calls_of(log)
    assert call["updated_at"] == datetime(2022, 1, 11, 4, 9, 47, tzinfo=UTC)
    # 17:12:59 begun, 17:14:46 queued, 17:20:32 connected, 239 + 221 s until 17:28:12, 5 s after.
    told = ("menu_s", "wait_s", "talk_s", "hold_s", "wrap_s")
    assert [call[name] for name in told] == [107, 346, 239, 221, 5]
    assert (call["outcome"], call["transfer"], call["ended_by"]) == ("answered", "other", "caller")
    assert call["service"] is None
    assert "service" in report.summary()


def test_what_a_record_tells(new_log, sample, balanced, calls_of):
    log = new_log()
    report = balanced(log, log.load(sample, source=SOURCE), 7)
    assert (report.loaded, report.duplicates, report.rejected) == (4, 1, 2)
    assert report.reasons == {
        "not a call: its channel is CHAT": 1,
        "no call that came in: InitiationMethod is OUTBOUND": 1,
    }
    columns = ("outcome", "menu_s", "wait_s", "talk_s", "hold_s", "wrap_s", "agent", "transfer")
    assert calls_of(log, *columns) == [
        ("answered", 10, 12, 20, 8, 35, "ann", "none"),
        ("abandoned", 10, 40, None, None, None, None, None),
        ("left_menu", None, None, None, None, None, None, None),
        ("answered", 10, 15, 20, 0, 4, "ann", "other"),
    ]
    assert report.remarks["delivered more than once in the file: the latest was taken"] == 1


@pytest.mark.parametrize("form", ["array", "pretty"])
def test_an_array_is_the_same(new_log, sample, records, write, balanced, calls_of, form):
    lines, array = new_log(name="lines"), new_log(name="array")
    lines.load(sample, source=SOURCE)
    balanced(array, array.load(write("a.json", records, form), source=SOURCE), 7)
    assert calls_of(array) == calls_of(lines)


def test_one_record_over_several_lines(new_log, records, tmp_path, balanced):
    path = tmp_path / "one.json"
    path.write_text(json.dumps(records[0], indent=2))
    log = new_log()
    assert balanced(log, log.load(path, source=SOURCE), 1).loaded == 1


def test_gzip(new_log, sample, tmp_path):
    packed = tmp_path / "records"
    packed.write_bytes(gzip.compress(sample.read_bytes()))
    assert new_log().load(packed, source=SOURCE).loaded == 4


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_last_update_wins_across_loads(new_log, records, write, balanced, calls_of, order):
    first = records[0]
    versions = [
        {
            **first,
            "LastUpdateTimestamp": f"2025-01-0{day}T00:00:00Z",
            "Agent": {**first["Agent"], "AfterContactWorkDuration": day},
        }
        for day in (2, 3, 4)
    ]
    log = new_log()
    latest, newest = 0, -1
    for number in order:
        path = write(f"{number}.ndjson", [versions[number]])
        report = balanced(log, log.load(path, source=SOURCE), 1)
        assert report.loaded == (number > newest), "what came in is loaded, an older one is not"
        took = "a later delivery of a contact in the log: took its place" in report.remarks
        assert took == (number > newest >= 0)
        newest = max(newest, number)
        latest = versions[newest]["Agent"]["AfterContactWorkDuration"]
        assert calls_of(log, "wrap_s") == [(latest,)]
    again = log.load(write("0.ndjson", [versions[0]]), source=SOURCE)
    assert (again.loaded, again.duplicates) == (0, 1)
    assert calls_of(log, "wrap_s") == [(4,)]


def odd(record, **cells):
    return json.dumps({**record, **cells})


def test_records_that_mean_harm(new_log, records, tmp_path, balanced, calls_of):
    good = records[0]
    plain = json.dumps(good)
    queue = good["Queue"]
    injected = "x'); DROP TABLE calls; --<script>"
    cases = {
        odd(good, ContactId=injected): None,
        odd(good, ContactId="z", Queue={**queue, "Name": '"|\n=1+1'}): None,
        plain[:-20]: "not valid JSON",
        "[" * 100_000 + "]" * 100_000: "nested too deeply",
        '{"a":' * 50_000 + "1" + "}" * 50_000: "nested too deeply",
        plain.replace('"Duration": 12', '"Duration": NaN'): "NaN, which is no number",
        plain.replace('"Duration": 12', '"Duration": 1e999'): "a number too large",
        plain.replace('"Duration": 12', f'"Duration": {"9" * 200_000}'): "too many digits",
        plain.replace('"Duration": 12', '"Duration": "12"'): "text where a number is expected",
        plain.replace('"Duration": 12', '"Duration": true'): "true or false where a number",
        plain.replace('"Duration": 12', '"Duration": -12'): "wait_s is negative",
        plain.replace('"Duration": 12', '"Duration": 8640001'): "longer than 100 days",
        plain[:-1] + ', "Channel": "VOICE"}': "a key that stands twice",
        odd(good, ContactId=7): "a number where text is expected",
        odd(good, ContactId=None): "ContactId is missing",
        odd(good, ContactId="i" * 2000): "longer than 1000 characters",
        odd(good, Queue=[1]): "no object where one is expected",
        odd(good, Agent="ann"): "no object where one is expected",
        odd(good, Channel=None): "Channel is missing",
        odd(good, InitiationTimestamp="1969-12-31T23:59:59Z"): "not between 1970 and 2199",
        odd(good, InitiationTimestamp="2200-01-01T00:00:00Z"): "not between 1970 and 2199",
        odd(good, InitiationTimestamp="yesterday"): "not an ISO 8601 timestamp",
        odd(good, InitiationTimestamp=None): "arrived_at is missing",
        odd(good, DisconnectTimestamp="2024-01-01T00:00:00Z"): "ended before it arrived",
        odd(good, Agent=None, DisconnectTimestamp=None): "the contact has not ended",
        "12": "the record is no object",
        '"text"': "the record is no object",
        "null": "the record is no object",
        "nonsense": "not valid JSON",
    }
    path = tmp_path / "records.ndjson"
    path.write_text(plain + "\n" + "".join(f"{text}\n" for text in cases))
    log = new_log()
    report = balanced(log, log.load(path, source=SOURCE), len(cases) + 1)
    assert report.loaded == 3
    found = {row["line"]: "; ".join(row["reasons"]) for row in log.rejects().to_dicts()}
    for line, (text, reason) in enumerate(cases.items(), 2):
        if reason:
            assert reason in found[line], (text[:80], found.get(line))
    assert {injected, "z"} < {call["call_id"] for call in calls_of(log)}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('[{"a": 1}, {"b"', "broken"),
        ('[{"a": 1}] more', "after the end"),
        ('[{"a": 1} {"b": 2}]', "broken"),
        ("a,b\n1,2\n", "no file of JSON"),
        ("[" * 200_000, "nested too deeply"),
    ],
)
def test_files_that_are_refused_whole(new_log, tmp_path, text, match):
    path = tmp_path / "records.json"
    path.write_text(text)
    with pytest.raises(InputError, match=match):
        new_log().load(path, source=SOURCE)


def test_a_last_record_that_is_cut_off(new_log, sample, tmp_path):
    path = tmp_path / "cut.ndjson"
    path.write_text(sample.read_text()[:-50])
    with pytest.raises(InputError, match="cut off"):
        new_log().load(path, source=SOURCE)
    report = new_log().load(path, source=SOURCE, allow_cut=True)
    assert (report.read, report.loaded, report.rejected) == (7, 3, 3)
    assert report.reasons["the last line has no end: it may be cut off"] == 1
