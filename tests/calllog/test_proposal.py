"""A mapping proposed for an unknown file loads it, and what the file leaves open is asked."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from ccanalytics import CallLog
from ccanalytics.calllog.proposal import propose
from ccanalytics.calllog.proposal.names import likeness, unit_told
from ccanalytics.calllog.sources.base import Settings
from ccanalytics.errors import InputError

BEGIN = datetime(2025, 3, 3, 8, tzinfo=UTC)


def truth(n=40):
    """Calls as they happened: (id, arrived, answered or None, talk, wait, agent, queue)."""
    calls = []
    for i in range(n):
        at = BEGIN + timedelta(seconds=40_000 * i + i % 7)
        wait, talk = 5 + i % 23, 61 + (37 * i) % 400
        if i % 5 == 0:
            calls.append((f"K{1000 + i}", at, None, None, wait, None, "sales"))
        else:
            calls.append(
                (f"K{1000 + i}", at, at + timedelta(seconds=wait), talk, wait, "A7", "tech")
            )
    return calls


def hms(seconds):
    return "" if seconds is None else f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def text(value):
    return "" if value is None else str(value)


def half_day(at):
    return (
        at.strftime("%Y/%m/%d ") + ("上午" if at.hour < 12 else "下午") + at.strftime(" %I:%M:%S")
    )


def wide(value):
    return str(value).translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789:"})


def table(delimiter, header, row, encoding="utf-8", end="\n"):
    lines = [delimiter.join(header), *(delimiter.join(row(*call)) for call in truth())]
    return (end.join(lines) + end).encode(encoding)


DIALECTS = {
    "iso with offset, commas": table(
        ",",
        ["Call ID", "Start time", "Queue (sec)", "Talk Time", "Disposition", "Agent", "Skill"],
        lambda i, at, an, talk, wait, ag, q: [
            i,
            at.isoformat(),
            text(wait),
            text(talk),
            "ANSWERED" if an else "ABANDONED",
            text(ag),
            q,
        ],
    ),
    "day first, semicolons, clocks, BOM, CRLF": table(
        ";",
        ["Contact ID", "Start", "Wait time", "Talk", "Result", "Agent name", "Queue"],
        lambda i, at, an, talk, wait, ag, q: [
            i,
            at.strftime("%d/%m/%Y %H:%M:%S"),
            hms(wait),
            hms(talk),
            "answered" if an else "lost",
            text(ag),
            q,
        ],
        "utf-8-sig",
        "\r\n",
    ),
    "month first, twelve hours, tabs": table(
        "\t",
        ["uniqueid", "Call Date", "Queue Time (s)", "Talk Time (s)", "Status", "User", "Split"],
        lambda i, at, an, talk, wait, ag, q: [
            i,
            at.strftime("%m/%d/%Y %I:%M:%S %p"),
            text(wait),
            text(talk),
            "Connected" if an else "Missed",
            text(ag),
            q,
        ],
    ),
    "Chinese, GB18030": table(
        ",",
        ["流水号", "呼入时间", "排队时长", "通话时长", "呼叫结果", "坐席工号", "技能组"],
        lambda i, at, an, talk, wait, ag, q: [
            i,
            at.strftime("%Y-%m-%d %H:%M:%S"),
            text(wait),
            text(talk),
            "接通" if an else "放弃",
            text(ag),
            q,
        ],
        "gb18030",
    ),
    "Chinese, UTF-16, halves of the day, full-width clocks": table(
        "\t",
        ["呼叫编号", "来电时间", "等待时长", "人工通话时长", "通话状态", "客服工号", "队列名称"],
        lambda i, at, an, talk, wait, ag, q: [
            i,
            half_day(at),
            wide(hms(wait)),
            wide(hms(talk)) if talk else "",
            "已接" if an else "排队放弃",
            text(ag),
            q,
        ],
        "utf-16",
    ),
    "milliseconds and epochs, pipes": table(
        "|",
        ["session_id", "start_ts", "wait_ms", "talkTimeMs", "outcome", "agent_id", "queue_name"],
        lambda i, at, an, talk, wait, ag, q: [
            i,
            str(int(at.timestamp() * 1000)),
            f"{wait}000",
            f"{talk}000" if talk else "NULL",
            "answered" if an else "abandoned",
            ag or "NULL",
            q,
        ],
    ),
    "date and time apart, title above": "话务报表\n\n".encode()
    + table(
        ",",
        ["编号", "日期", "时间", "等待秒数", "通话秒数", "接听状态", "工号", "队列"],
        lambda i, at, an, talk, wait, ag, q: [
            i,
            at.strftime("%Y年%m月%d日"),
            at.strftime("%H:%M:%S"),
            text(wait),
            text(talk),
            "已接听" if an else "主叫放弃",
            text(ag),
            q,
        ],
    ),
    "decimal commas, minutes, quoted": table(
        ";",
        [
            '"Call Id"',
            '"Start Date"',
            '"Wait (min)"',
            '"Talk (min)"',
            '"Outcome"',
            '"Agent"',
            '"Queue"',
        ],
        lambda i, at, an, talk, wait, ag, q: [
            f'"{i}"',
            at.strftime('"%d.%m.%Y %H:%M:%S"'),
            f"{wait / 60:.4f}".replace(".", ","),
            f"{talk / 60:.4f}".replace(".", ",") if talk else "",
            '"handled"' if an else '"abandon"',
            f'"{ag or ""}"',
            f'"{q}; all"',
        ],
    ),
    "moments alone, gzip": gzip.compress(
        table(
            ",",
            [
                "call key",
                "offered time",
                "answer time",
                "end time",
                "completion",
                "operator",
                "split",
            ],
            lambda i, at, an, talk, wait, ag, q: [
                i,
                at.strftime("%d-%b-%Y %H:%M:%S"),
                an.strftime("%d-%b-%Y %H:%M:%S") if an else "",
                (an + timedelta(seconds=talk) if an else at + timedelta(seconds=wait)).strftime(
                    "%d-%b-%Y %H:%M:%S"
                ),
                "completed" if an else "abandoned",
                text(ag),
                q,
            ],
        )
    ),
    "NDJSON": "".join(
        json.dumps(
            {
                "contactId": i,
                "startTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "queue": {"name": q, "waitTime": wait},
                "talkTime": talk,
                "result": "answered" if an else "abandoned",
                "agent": ag,
            }
        )
        + "\n"
        for i, at, an, talk, wait, ag, q in truth()
    ).encode(),
}


def loaded(tmp_path, path, mapping):
    toml = tmp_path / "map.toml"
    toml.write_text(mapping, encoding="utf-8")
    log = CallLog(tmp_path / "centre.duckdb", time_zone="UTC")
    return log, log.load(path, source="generic", mapping=toml, identifiers="as_they_are")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_proposed_mapping_loads_the_file(tmp_path, dialect):
    path = tmp_path / "export.dat"
    path.write_bytes(DIALECTS[dialect])
    found = propose(path, Settings(time_zone="UTC"))
    assert found.questions == (), found.to_toml()
    assert found.usable == found.rows == 40
    log, report = loaded(tmp_path, path, found.to_toml())
    assert (report.read, report.loaded) == (40, 40), report.summary()
    rows = log.table("calls").sort("arrived_at").rows(named=True)
    for row, (name, at, answered, talk, wait, agent, queue) in zip(rows, truth(), strict=True):
        assert (row["call_id"], row["arrived_at"]) == (name, at)
        assert row["outcome"] == ("answered" if answered else "abandoned")
        if dialect != "moments alone, gzip":
            assert row["wait_s"] == pytest.approx(wait, abs=0.01)
            assert row["talk_s"] == (None if talk is None else pytest.approx(talk, abs=0.01))
        else:
            assert row["answered_at"] == answered
        assert row["agent"] == agent
        assert row["queue"] == (f"{queue}; all" if "quoted" in dialect else queue)


HEADER = "Call ID,Start,Talk,Result\n"


def proposed(tmp_path, content, name="export.csv", **settings):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return propose(path, Settings(**settings))


def test_day_and_month_that_cannot_be_told_apart_are_asked(tmp_path):
    rows = "".join(
        f"c{i},0{1 + i % 9}/0{1 + i % 4}/2025 09:00:00,{i}00,answered\n" for i in range(9)
    )
    found = proposed(tmp_path, HEADER + rows, time_zone="UTC")
    assert found.questions == ("whether the day or the month comes first (timestamp)",)
    toml = found.to_toml()
    assert '# timestamp = "%d/%m/%Y %H:%M:%S"' in toml
    assert '# timestamp = "%m/%d/%Y %H:%M:%S"' in toml
    assert found.usable == 9
    # One day above 12, or another column that has one, settles it.
    more = proposed(tmp_path, HEADER + rows + "d,25/03/2025 09:00:00,1,answered\n", time_zone="UTC")
    assert more.questions == ()
    assert 'timestamp = "%d/%m/%Y %H:%M:%S"' in more.to_toml()
    header = HEADER.strip() + ",End\n"
    ends = "".join(f"{row},25/04/2025 10:00:00\n" for row in rows.splitlines())
    assert proposed(tmp_path, header + ends, time_zone="UTC").questions == ()


def _days_of(hours, form):
    rows = [
        f"c{day}-{i},{form.format(day=day, hour=hour, i=i)},60,answered\n"
        for day in range(13, 27)
        for i in range(4)
        for hour in hours
    ]
    return HEADER + "".join(rows)


DAY_FIRST = "{day}/01/2025 {hour:02}:0{i}:00"


def test_a_clock_of_twelve_hours_without_halves_is_asked(tmp_path):
    """Afternoons came in as nights, and the proposal was sure of it."""
    office = [8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6, 7]
    found = proposed(tmp_path, _days_of(office, DAY_FIRST), time_zone="UTC")
    assert any("AM or PM" in question for question in found.questions)
    assert '# timestamp = "%d/%m/%Y %H:%M:%S"' in found.to_toml()
    for hours in (range(8, 20), range(24), range(8, 13)):
        assert proposed(tmp_path, _days_of(list(hours), DAY_FIRST), time_zone="UTC").questions == ()


def test_check_names_a_clock_of_twelve_hours(make_log):
    for hours, verdict in ((range(1, 13), "fails"), (range(8, 20), "holds")):
        moments = [
            datetime(2025, 1, day, hour, i, tzinfo=UTC)
            for day in range(1, 15)
            for i in range(4)
            for hour in hours
        ]
        log = make_log([{"arrived_at": at} for at in moments], "UTC")
        (found,) = [f for f in log.check().findings if f.name == "a clock of 12 hours"]
        assert found.verdict == verdict


def test_a_name_that_stands_twice_and_is_used_is_not_called_unused(tmp_path):
    header = HEADER.strip() + ",Start\n"
    row = "c1,25/03/2025 09:00:00,60,answered,25/03/2025 09:00:00\n"
    found = proposed(tmp_path, header + row, time_zone="UTC")
    assert "Start" not in found.unused
    assert any("twice" in note for note in found.notes)


def test_the_time_zone_is_left_to_the_user_unless_the_file_tells(tmp_path):
    asked = proposed(tmp_path, HEADER + "a,2025-03-03 09:00:00,90,answered\n" * 3)
    assert len(asked.questions) == 1
    assert '# time_zone = "' in asked.to_toml()
    for told in ("2025-03-03T09:00:00+08:00", "2025-03-03T09:00:00Z", "1740992400"):
        found = proposed(tmp_path, HEADER + f"a,{told},200,answered\n" * 3)
        assert found.questions == ()
        assert 'time_zone = "UTC"' in found.to_toml()


@pytest.mark.parametrize(
    ("name", "values", "unit"),
    [
        ("Talk", ["183000", "64000", "15000", "322000", "90000", "61000"], "ms"),
        ("Talk", ["183", "64", "15", "322"], None),
        ("Talk", ["0.00211806", "0.00074", "0.00017361", "0.0037"], "day"),
        ("Talk", ["0:03:03", "1:04", "26:00:15", "5:22"], "hms"),
        ("通话时长", ["3分3秒", "1分4秒", "15秒", "5分"], "hms"),
        ("Talk (min)", ["3.05", "1.1", "0.25", "5.4"], "min"),
        ("talk_ms", ["183", "64", "15", "322"], "ms"),
        ("Talk", ["1.2", "3.4", "0.9", "12.5"], "?"),
    ],
)
def test_units_come_from_name_shape_and_size_or_are_asked(tmp_path, name, values, unit):
    rows = "".join(f"c{i},2025-03-03 09:00:00,{v},answered\n" for i, v in enumerate(values))
    found = proposed(tmp_path, HEADER.replace("Talk", name) + rows, time_zone="UTC")
    units = [line.value for line in found.lines if line.section == "units" and line.sure]
    assert units == ([unit] if unit not in (None, "?") else [])
    taken = [
        line.sure for line in found.lines if line.key == "talk_s" and line.section == "columns"
    ]
    assert taken == [unit != "?"]
    assert bool(found.questions) == (unit == "?")
    assert found.usable == len(values)


def test_the_moments_of_a_row_settle_a_unit(tmp_path):
    rows = "".join(
        f"c{i},2025-03-03 09:00:00,2025-03-03 09:0{i}:30,{i + 0.5},answered\n" for i in range(1, 9)
    )
    header = "Call ID,Start,Answer time,Wait,Result\n"
    found = proposed(tmp_path, header + rows, time_zone="UTC")
    (line,) = [line for line in found.lines if line.section == "units"]
    assert (line.value, line.sure) == ("min", True)
    assert "moments" in line.why


def test_codes_that_may_mean_two_things_are_asked(tmp_path):
    rows = "".join(
        f"c{i},2025-03-03 09:00:00,90,{code}\n"
        for i, code in enumerate(["接通", "接通", "呼损", "未接", "XQ7"])
    )
    found = proposed(tmp_path, HEADER + rows, time_zone="UTC")
    assert found.usable == 2
    assert [q.split("'")[1] for q in found.questions] == ["呼损", "未接", "XQ7"]
    toml = found.to_toml()
    assert '# "呼损" = "abandoned"' in toml
    assert '# "呼损" = "blocked"' in toml
    assert '\n"接通" = "answered"' in toml


def test_words_for_unknown_are_found(tmp_path):
    rows = "a,2025-03-03 09:00:00,NULL,answered\nb,2025-03-03 09:00:00,-,answered\n"
    rows += "c,2025-03-03 09:00:00,300,answered\n"
    found = proposed(tmp_path, HEADER + rows, time_zone="UTC")
    assert 'null = ["", "-", "NULL"]' in found.to_toml()
    assert found.usable == 3


@pytest.mark.parametrize(
    ("content", "source", "word"),
    [
        ("call_id,arrived_at,outcome\nc,2025-03-03T09:00:00Z,answered\n", "ccanalytics", "--table"),
        (
            "vru+line\tcall_id\tcustomer_id\tpriority\ttype\tdate\tvru_entry\tvru_exit\tvru_time"
            "\tq_start\tq_exit\tq_time\toutcome\tser_start\tser_exit\tser_time\tserver\nx\n",
            "anonymous_bank",
            "Bank",
        ),
    ],
)
def test_formats_of_our_own_are_recognised(tmp_path, content, source, word):
    found = proposed(tmp_path, content)
    assert found.source == source
    assert word in found.summary()
    assert f"--source {source}" in found.summary()


NASTY = [
    '" # x',
    "a]b = 1",
    "[file]",
    "=1+1",
    "c\x7fd\u2028e",
    "’); DROP TABLE calls;--",
    "..\\..",
    "\\u0022",
]


@pytest.mark.parametrize("nasty", NASTY)
def test_text_of_the_file_stays_text_in_the_mapping(tmp_path, nasty):
    quoted = nasty.replace('"', '""')
    content = f'Call ID,Start,Talk,Result,"Queue {quoted}","{quoted}"\n' + "".join(
        f"c{i},2025-03-03 09:00:00,9{i},{code},q,z\n"
        for i, code in enumerate(["answered", "answered", f'"{quoted}"'])
    )
    found = proposed(tmp_path, content, name="ex\nport '[*?].csv", time_zone="UTC")
    path = tmp_path / "ex\nport '[*?].csv"
    log, report = loaded(tmp_path, path, found.to_toml())
    assert (report.read, report.loaded) == (3, 2), found.to_toml()
    assert set(log.table("calls")["queue"]) <= {"q", None}


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"\0" * 500, ""),
        (b"hello\nworld\n", "one column"),
        (b"1266833361|NONE|NONE|NONE|START|\n126|1.2|9|L|ENTER||0|\n1|2|3|x|B|0\n", ""),
        (b"c,ANSWERED,2025-03-03 09:00:00,4\nd,ANSWERED,2025-03-03 09:00:00,5\n", "no header"),
        (b"1,2025-03-03 09:00:00,4\n2,2025-03-03 09:00:00,5\n", "no header"),
        (b"%PDF-1.4 xx", "PDF"),
        (
            ",".join(f"c{i}" for i in range(10_000)).encode() + b"\n" + b"1," * 9_999 + b"1\n",
            "10,000",
        ),
        (b'[{"a": 1}]', "JSON list"),
        ("señor;größe\nä;ö\n".encode("latin-1"), "encoding"),
    ],
)
def test_files_without_a_mapping_say_so(tmp_path, content, word):
    with pytest.raises(InputError) as caught:
        proposed(tmp_path, content)
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("Talk Time (sec)", "talk_s"),
        ("talkTime", "talk_s"),
        ("客服通话时长(秒)", "talk_s"),
        ("Speed of Answer", "wait_s"),
        ("ACW", "wrap_s"),
        ("技能组名称", "queue"),
        ("Call Disposition", "outcome"),
        ("坐席工号", "agent"),
        ("进线时间", "arrived_at"),
    ],
)
def test_names_are_known_in_both_languages(name, canonical):
    assert likeness(name, canonical) > 0.6
    assert likeness("Shoe size", canonical) == 0


def test_names_tell_units():
    told = {"Talk (ms)": "ms", "talk_s": "s", "Wait[min]": "min", "时长（秒）": "s", "Talk": None}
    assert {name: unit_told(name) for name in told} == told
