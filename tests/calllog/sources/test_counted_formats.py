"""Genesys Cloud aggregates and Avaya hsplit: counts of intervals, never made into calls."""

import copy
import json
from datetime import UTC, datetime

import pytest

from ccanalytics import ServiceLevel, staffing
from ccanalytics.errors import DataError, InputError

GENESYS, AVAYA = "genesys_aggregates", "avaya_hsplit"


@pytest.fixture
def answer(samples):
    return json.loads((samples / "genesys_aggregates.json").read_text())


@pytest.fixture
def write(tmp_path):
    def to(value, name="answer.json"):
        path = tmp_path / name
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    return to


@pytest.fixture
def genesys(new_log, samples, balanced):
    log = new_log("Europe/London", "genesys")
    balanced(log, log.load(samples / "genesys_aggregates.json", source=GENESYS), 4)
    return log


@pytest.fixture
def avaya(new_log, samples, balanced):
    log = new_log("America/New_York", "avaya")
    report = balanced(log, log.load(samples / "avaya_hsplit.csv", source=AVAYA), 5)
    assert report.loaded == 5
    return log


def test_milliseconds_and_the_denominator(genesys):
    rows = genesys.table("interval_counts").sort("media", "started_at").to_dicts()
    assert [row["media"] for row in rows] == ["chat", "voice", "voice", "voice"]
    first = rows[1]
    assert first["started_at"] == datetime(2025, 1, 1, 8, tzinfo=UTC)
    # Written into the sample by hand, in milliseconds.
    assert {k: first[k] for k in ("interval_s", "offered", "answered", "abandoned")} == {
        "interval_s": 1800,
        "offered": 100,
        "answered": 90,
        "abandoned": 10,
    }
    assert first["counted"] == first["offered"] - first["short_abandoned"] == 96
    assert first["answered_in_time"] == 80
    sums = ("answered_wait_s", "abandoned_wait_s", "talk_s", "hold_s", "wrap_s", "handle_s")
    assert [first[name] for name in sums] == [900, 200, 17600, 880, 7920, 26400]
    # Asked for and not there means none; never asked for means unknown.
    assert (rows[2]["abandoned"], rows[2]["short_abandoned"]) == (0, 0)
    assert (rows[3]["offered"], rows[3]["handled"]) == (0, 0)
    assert (rows[0]["counted"], rows[3]["counted"]) == (None, 0), "chats had no service level"
    for row in rows:
        assert row["flowed_out"] is row["staffed_s"] is row["within_s"] is None
    assert genesys.table("calls").height == 0


def test_what_was_never_asked_is_unknown(new_log, answer, write):
    for result in answer["results"]:
        for entry in result["data"]:
            entry["metrics"] = [m for m in entry["metrics"] if m["metric"] != "tAbandon"]
    log = new_log()
    log.load(write(answer), source=GENESYS)
    assert log.table("interval_counts")["abandoned"].null_count() == 4
    frame = log.interval_counts("1h", where={"media": "voice"})
    assert frame["abandoned"].null_count() == frame.height


def test_another_denominator_is_remarked(new_log, answer, write):
    stats = answer["results"][0]["data"][0]["metrics"][-1]["stats"]
    stats["denominator"] = 100
    report = new_log().load(write(answer), source=GENESYS)
    assert report.remarks == {"the service level's denominator is not offered − short abandons": 1}


def test_intervals_told_again(new_log, answer, write, balanced):
    log = new_log()
    log.load(write(answer), source=GENESYS)
    answer["results"][0]["data"][0]["metrics"][0]["stats"]["count"] = 101
    report = balanced(log, log.load(write(answer, "later.json"), source=GENESYS), 4)
    assert (report.loaded, report.duplicates) == (0, 4)
    assert any("other numbers" in remark and n == 1 for remark, n in report.remarks.items())
    assert log.interval_counts(where={"media": "voice"})["offered"].to_list() == [100, 50, 0]


def test_several_answers_one_a_line(new_log, answer, write, balanced):
    voice, chat = ({"results": [result]} for result in answer["results"])
    text = f"{json.dumps(voice)}\n{json.dumps(chat)}\n{{}}\nnot json\n"
    log = new_log()
    report = balanced(log, log.load(write(text), source=GENESYS), 6)
    assert (report.loaded, report.rejected) == (4, 2)
    assert set(report.reasons) == {"an answer without results", "not valid JSON"}


def changed(answer, at, value):
    """The answer with one thing changed in the first of its four intervals."""
    answer = copy.deepcopy(answer)
    here = answer["results"][0]
    for step in at[:-1]:
        here = here[step]
    here[at[-1]] = value
    return answer


@pytest.mark.parametrize(
    ("at", "value", "reason", "rejected"),
    [
        (("group", "queueId"), "q'); DROP TABLE calls; --", None, 0),
        (("group", "queueId"), None, "queueId is missing", 3),
        (("group", "queueId"), 5, "queueId is not a short text", 3),
        (("group",), [], "queueId is not a short text", 3),
        (("data", 0, "interval"), "2025-01-01", "not of the form START/END", 1),
        (("data", 0, "interval"), "2025-01-01T09:00Z/2025-01-01T08:00Z", "does not end after", 1),
        (("data", 0, "interval"), "1969-01-01T00:00Z/1969-01-01T00:30Z", "between 1970", 1),
        (("data", 0, "interval"), "2300-01-01T00:00Z/2300-01-01T00:30Z", "between 1970", 1),
        (("data", 0, "interval"), {"a": 1}, "interval is not a short text", 1),
        (("data", 0, "metrics", 0, "stats", "count"), -5, "offered is not a whole number", 1),
        (("data", 0, "metrics", 0, "stats", "count"), 1.5, "offered is not a whole number", 1),
        (("data", 0, "metrics", 0, "stats", "count"), float("nan"), "NaN, which is no number", 1),
        (("data", 0, "metrics", 0, "stats", "count"), 10**400, "too many digits", 1),
        (("data", 0, "metrics", 0, "stats", "count"), "100", "is no number", 1),
        (("data", 0, "metrics", 0, "stats", "count"), True, "is no number", 1),
        (("data", 0, "metrics", 1, "stats", "sum"), -1, "answered_wait_s is negative", 1),
        (("data", 0, "metrics", 0, "stats"), [], "no number", 1),
        (("data",), [], "interval is missing", 1),
        (("data",), "none", "interval is missing", 1),
    ],
)
def test_answers_that_mean_harm(new_log, answer, write, balanced, at, value, reason, rejected):
    log = new_log()
    path = write(changed(answer, at, value))
    expected = 2 if at == ("data",) else 4
    report = balanced(log, log.load(path, source=GENESYS), expected)
    assert report.rejected == rejected, report.summary()
    assert reason is None or reason in "; ".join(report.reasons)


def test_answers_of_another_kind(new_log, write, balanced):
    for number, text in enumerate(('{"results": 5}', "[]", '{"results": []}')):
        log = new_log(name=f"kind{number}")
        report = balanced(log, log.load(write(text, f"{number}.json"), source=GENESYS), number == 0)
        assert report.loaded == 0
    with pytest.raises(InputError, match="no file of JSON"):
        new_log().load(write("a,b\n"), source=GENESYS)


def test_hsplit_as_written(avaya):
    rows = avaya.table("interval_counts").sort("queue", "started_at").to_dicts()
    # 00:30, not 30 o'clock: starttime 0 and 830 are 05:00 and 13:30 UTC in New York's winter.
    assert [row["started_at"].strftime("%H:%M") for row in rows] == [
        *("05:00", "13:30", "14:00", "13:30", "14:00")
    ]
    busy = rows[1]
    names = ("offered", "answered", "abandoned", "answered_in_time", "within_s", "talk_s", "wrap_s")
    assert [busy[name] for name in names] == [120, 110, 10, 90, 20, 22000, 3300]
    names = ("answered_wait_s", "abandoned_wait_s", "hold_s", "staffed_s", "available_s")
    assert [busy[name] for name in names] == [1650, 400, 1100, 36000, 9600]
    assert busy["short_abandoned"] is busy["flowed_out"] is None


@pytest.mark.parametrize("delimiter", ["|", "\t", ";"])
def test_hsplit_by_other_delimiters_and_dates(new_log, samples, write, avaya, delimiter):
    text = (samples / "avaya_hsplit.csv").read_text()
    text = text.replace("2025-01-06", "01/06/2025").replace(",", delimiter)
    log = new_log("America/New_York", name="other")
    log.load(write(text, "hsplit.txt"), source=AVAYA)
    assert log.interval_counts().equals(avaya.interval_counts())


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("split", "1'); DROP TABLE calls; --", None),
        ("split", "", "queue is missing"),
        ("row_date", "31/12/2025", "row_date is not a date"),
        ("row_date", "1969-12-31", "between 1970 and 2199"),
        ("row_date", "2200-01-01", "between 1970 and 2199"),
        ("starttime", "2400", "not an hour and minute"),
        ("starttime", "860", "not an hour and minute"),
        ("starttime", "-30", "not an hour and minute"),
        ("intrvl", "0", "intrvl is not a number of minutes"),
        ("callsoffered", "NaN", "callsoffered is not a number"),
        ("callsoffered", "1e999", "callsoffered is not a number"),
        ("callsoffered", "9" * 5000, "callsoffered is not a number"),
        ("callsoffered", "-3", "callsoffered is not a whole number"),
        ("acdtime", "-1", "talk_s is negative"),
    ],
)
def test_rows_of_hsplit_that_mean_harm(new_log, samples, write, balanced, column, value, reason):
    lines = (samples / "avaya_hsplit.csv").read_text().splitlines()
    cells = lines[1].split(",")
    cells[lines[0].split(",").index(column)] = value
    log = new_log("America/New_York")
    path = write("\n".join([lines[0], ",".join(cells), *lines[2:], "1,2,3", ""]), "hsplit.csv")
    report = balanced(log, log.load(path, source=AVAYA), 6)
    assert report.loaded == (5 if reason is None else 4)
    assert reason is None or reason in "; ".join(report.reasons)


def test_a_sum_of_a_large_centre_is_no_single_duration(new_log, samples, write):
    text = (samples / "avaya_hsplit.csv").read_text().replace(",36000,9600,", ",9000000,9600,")
    log = new_log("America/New_York")
    assert log.load(write(text, "hsplit.csv"), source=AVAYA).loaded == 5
    assert log.table("interval_counts")["staffed_s"].max() == 9_000_000


def test_columns_that_are_missing_or_twice(new_log, write):
    with pytest.raises(InputError, match="missing"):
        new_log().load(write("row_date,split\n2025-01-01,1\n", "a.csv"), source=AVAYA)
    twice = "row_date,split,starttime,intrvl,acdcalls,split\n2025-01-01,1,0,30,1,2\n"
    with pytest.raises(InputError, match="twice"):
        new_log().load(write(twice, "a.csv"), source=AVAYA)


def test_interval_counts_add_up(avaya):
    own = avaya.interval_counts()
    assert own.height == 5
    assert own["interval_s"].to_list() == [1800] * 5
    hour = avaya.interval_counts("1h", by=())
    by_hour = {row["local_start"].hour: row for row in hour.to_dicts()}
    assert by_hour[8]["offered"] == 160
    assert by_hour[9]["offered"] == 100
    assert by_hour[8]["counted_intervals"] == 2
    assert by_hour[8]["within_s"] is None, "two thresholds are none"
    assert by_hour[9]["within_s"] is None
    day = avaya.interval_counts("1d")
    assert day["offered"].to_list() == [223, 40]
    assert day["within_s"].to_list() == [20, 30]
    assert day["handle_s"][0] == 600 + 22000 + 19200 + 60 + 3300 + 2880 + 1100 + 960
    assert day["aht_s"][0] == pytest.approx(day["handle_s"][0] / 209)
    assert day["asa_s"][0] == pytest.approx((15 + 1650 + 960) / 209)


def test_what_cannot_be_told_is_refused(avaya, genesys, make_log):
    with pytest.raises(DataError, match="cannot be told from counts of 1800 s"):
        avaya.interval_counts("15min")
    with pytest.raises(DataError, match="several media"):
        genesys.demand()
    with pytest.raises(DataError, match="offered contacts alone"):
        avaya.demand(calls="arrived")
    with pytest.raises(DataError, match=r"interval_counts\(\)"):
        avaya.intervals()
    with pytest.raises(DataError, match="no counts of intervals"):
        make_log([{"arrived_at": datetime(2025, 1, 1, tzinfo=UTC)}]).interval_counts()
    with pytest.raises(DataError, match="no counts in these days"):
        avaya.interval_counts(start="2026-01-01")
    with pytest.raises(InputError, match="no such column"):
        avaya.interval_counts(by="agent")


def test_a_requirement_from_counts(avaya, genesys):
    goal = ServiceLevel(0.80, within=20)
    demand = avaya.demand("30min", by=["queue"], where={"queue": "1"})
    assert demand["calls"].to_list() == [3, 120, 100]
    # 110 answered: (22,000 + 1,100 + 3,300) / 110 = 240 s; 120 of them an hour make 16 erlangs.
    assert demand["aht_s"][1] == pytest.approx(240)
    need = staffing.requirement(demand, goal)
    agents = need.to_frame()["required_agents"].to_list()
    assert agents[1] > 120 * 240 / 1800
    voice = genesys.demand("30min", where={"media": "voice"})
    assert voice["calls"].to_list() == [100, 50, 0]
    assert voice["aht_s"].to_list()[:2] == pytest.approx([300, 300])


def test_check_says_what_the_format_cannot_tell(genesys):
    found = genesys.check()
    assert "interval counts" in found.summary()
    assert any("names of queues" in check.detail for check in found.checks)
