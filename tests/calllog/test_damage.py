"""Damaged lines stay where they are: every other line loads exactly, and every row is counted."""

import gzip
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccanalytics import CallLog
from ccanalytics.calllog.decoding import TextFile
from ccanalytics.calllog.reading import Layout, read_rows
from ccanalytics.errors import InputError

BEGIN = datetime(2025, 3, 3, tzinfo=UTC)
HEADER = "call_id,arrived_at,outcome,queue,agent,talk_s\n"
# What may stand in a healthy field, and how it is written.
FIELDS = {
    "sales": "sales",
    "客服": "客服",
    "a,b": '"a,b"',
    'say "hi"': '"say ""hi"""',
    "two\nlines": '"two\nlines"',
    "three\n\nlines": '"three\n\nlines"',
    "it's": "it's",
    "semi;colon": "semi;colon",
    "☎ 📞": "☎ 📞",
}


def healthy(i, queue):
    """A record, and what must come out of it."""
    at = BEGIN + timedelta(seconds=i)
    stamp = at.isoformat().replace("+00:00", "Z")
    return (
        f"c{i},{stamp},answered,{FIELDS[queue]},Ann {i},{i}.5",
        (f"c{i}", at, "answered", queue, f"Ann {i}", i + 0.5),
    )


def damaged(kind, i, place):
    """A line that no longer is a record."""
    line = f"c{i},2025-03-03T00:00:00Z,answered,sales,Bo,1".encode()
    place %= len(line)
    starts = [0, *(n + 1 for n, byte in enumerate(line) if byte == ord(","))]
    if kind == "quote":
        place = starts[place % len(starts)]
        return line[:place] + b'"' + line[place:]
    if kind == "wide":
        return line + b",1"
    if kind == "narrow":
        return line[: line.rfind(b",")]
    if kind == "junk":
        return b"*** the switch was restarted ***"
    byte = {"NUL": b"\0", "no text": b"\xff", "half a letter": b"\xe5\xae", "CR": b"\r"}[kind]
    return line[:place] + byte + line[place:]


def loaded(path, content, **options):
    """Load bytes into a log of their own: (log, report, rows as tuples)."""
    path.mkdir(exist_ok=True)
    (path / "calls.csv").write_bytes(content)
    log = CallLog(path / "centre.duckdb", time_zone="UTC")
    report = log.load(path / "calls.csv", source="ccanalytics", **options)
    rows = log.table("calls").select("call_id", "arrived_at", "outcome", "queue", "agent", "talk_s")
    return log, report, sorted(rows.rows())


kinds = st.sampled_from(
    ["quote", "wide", "narrow", "junk", "NUL", "no text", "half a letter", "CR"]
)


@settings(max_examples=10)
@given(
    st.lists(st.sampled_from(sorted(FIELDS)), min_size=60, max_size=90),
    st.lists(st.tuples(kinds, st.integers(0, 29), st.integers(0, 200)), max_size=3),
    st.booleans(),
)
def test_every_undamaged_line_loads_exactly(tmp_path_factory, queues, damages, crlf):
    records = [healthy(i, queue) for i, queue in enumerate(queues)]
    lines, expected = [r[0].encode() for r in records], sorted(r[1] for r in records)
    # At most one damaged line in thirty: two open quotation marks near each other may be one field.
    for n, (kind, offset, place) in enumerate(damages):
        lines.insert(30 * n + offset % 25, damaged(kind, 1000 + n, place))
    content = b"\n".join([HEADER.strip().encode(), *lines]) + b"\n"
    if crlf:
        content = content.replace(b"\n", b"\r\n")
    log, report, found = loaded(tmp_path_factory.mktemp("damage"), content)
    assert found == expected
    assert report.read == len(records) + len(damages)
    assert (report.loaded, report.rejected) == (len(records), len(damages))
    assert log.rejects().height == len(damages)
    assert all(reasons for reasons in log.rejects()["reasons"].to_list())


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("quote", "quotation"),
        ("wide", "7 fields"),
        ("narrow", "5 fields"),
        ("junk", "1 fields"),
        ("NUL", "NUL"),
        ("no text", "encoding"),
        ("half a letter", "encoding"),
        ("CR", ""),
    ],
)
def test_each_damage_has_its_reason_line_and_text(tmp_path, kind, word):
    lines = [healthy(i, "two\nlines")[0].encode() for i in range(3)]
    line = damaged(kind, 1, 8)
    content = HEADER.encode() + b"\n".join([*lines, line, healthy(9, "sales")[0].encode()]) + b"\n"
    log, report, _ = loaded(tmp_path, content)
    ((file, number, raw, reasons),) = log.rejects().rows()
    assert (file, number) == ("calls.csv", 8)  # the header, and three records of two lines
    assert word in reasons[0]
    if kind == "CR":
        assert "quotation" not in reasons[0]
    if kind in ("quote", "wide", "narrow", "junk"):
        assert raw == line.decode()
    assert (report.read, report.loaded) == (5, 4)


def test_reasons_name_what_is_wrong_and_no_more(tmp_path):
    """A line with a missing field is not said to have a quotation mark left open."""
    content = HEADER + "c1,2025-03-03T00:00:00Z\nc2,2025-03-03T00:00:00Z,answered,,,1\n"
    _, report, _ = loaded(tmp_path, content.encode())
    ((reason, count),) = report.reasons.items()
    assert count == 1
    assert "fields" in reason


def test_a_line_is_read_alike_in_healthy_and_in_damaged_company(tmp_path):
    """What becomes of a line must not depend on its neighbours."""
    rng = random.Random(1)
    lines = ['a"b,c', '"a"b,c', ' "a",c', '"",c', '"a""b",c', '"a" ,c', '"a,c', 'a",c', '"a""",c']
    lines += ["\u2028,a\x0bb", "a\x0c\x85,c", "',c'", "a", "a,b,c", ","]
    lines += ["".join(rng.choices("\"',a b", k=rng.randrange(1, 9))) for _ in range(300)]
    for line in lines:
        alone, beside = (
            _read(tmp_path / "x.csv", f"a,b\n{line}\nx,y\n{more}") for more in ("", "bro\0ken,1\n")
        )
        assert beside[0] == alone[0], line
        assert len(beside[1]) == len(alone[1]) + 1, line


def _read(path, text):
    """Good and bad rows of a file of two columns, each with line and raw text."""
    path.write_bytes(text.encode())
    good, bad = [], []
    for rows in read_rows(TextFile(path), Layout(), ["a", "b"]):
        good += rows.good.select("_line", "_raw", "a", "b").rows()
        bad += rows.bad.rows()
    return good, bad


@pytest.mark.parametrize("byte", [b"\0", b"\xff", b"\r"], ids=["NUL", "no text", "CR"])
def test_damage_in_the_second_line_of_a_record_is_damage(tmp_path, byte):
    record = b'c1,2025-03-03T00:00:00Z,answered,"two\nli' + byte + b'nes",Ann,1\n'
    last = b"c2,2025-03-03T00:00:00Z,answered,sales,Ann,1\n"
    _, report, rows = loaded(tmp_path, HEADER.encode() + record + last)
    assert [row[0] for row in rows] == ["c2"]
    assert report.rejected >= 1


def test_a_record_of_two_lines_keeps_odd_separators_elsewhere_in_it(tmp_path):
    """Line and paragraph separators and vertical tabs end no line of a file."""
    text = 'c1,2025-03-03T00:00:00Z,answered,"two\nlines",A\u2028n\x0bn\x85 1,1\n'
    _, report, rows = loaded(tmp_path, (HEADER + text).encode())
    assert report.rejected == 0, report.reasons
    assert rows[0][3:5] == ("two\nlines", "A\u2028n\x0bn\x85 1")


def test_a_very_long_field_is_no_damage_even_beside_damage(tmp_path):
    long = "x" * 300_000
    text = HEADER + f"c1,2025-03-03T00:00:00Z,answered,{long},Ann,1\n" + "junk\n"
    _, report, rows = loaded(tmp_path, text.encode())
    assert (report.loaded, report.rejected) == (1, 1)
    assert rows[0][3] == long


def test_records_of_several_lines_anywhere_in_a_large_file(tmp_path):
    """More than any buffer holds, so that records lie across its edges; lines are counted on."""
    rng = random.Random(1)
    records, lines = [], 1
    expected = {}
    for i in range(9500):
        text = "\n".join("客" * rng.randrange(22, 44) for _ in range(10))
        expected[f"c{i}"] = text
        records.append(f'c{i},2025-03-03T00:00:00Z,answered,"{text}",Ann,1')
        lines += 10
    content = (HEADER + "\n".join(records) + "\nnot a record\n").encode()
    assert len(content) > 9_000_000
    log, report, rows = loaded(tmp_path, content)
    assert {row[0]: row[3] for row in rows} == expected
    assert (report.read, report.loaded, report.rejected) == (9501, 9500, 1)
    assert log.rejects()["line"].to_list() == [lines + 1]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_every_line_of_a_large_compressed_file(tmp_path, end):
    lines = [f"c{i},2025-03-03T00:00:00Z,answered,{'y' * 150},Ann,{i % 7}" for i in range(50_000)]
    content = end.join([HEADER.strip().encode(), *(line.encode() for line in lines)]) + end
    assert len(content) > 9_000_000
    log, report, _ = loaded(tmp_path, gzip.compress(content, 1))
    assert (report.read, report.loaded) == (50_000, 50_000)
    assert log.handle_times().rows() == [
        (s, sum(i % 7 == s for i in range(50_000))) for s in range(7)
    ]


def test_a_line_without_end_is_refused(tmp_path):
    content = HEADER.encode() + b"x" * 20_000_000
    with pytest.raises(InputError, match=r"calls\.csv"):
        loaded(tmp_path, content)


@settings(max_examples=8)
@given(
    st.lists(st.sampled_from(["销售", "开通，", "㐀", "plain", "a b"]), min_size=8, max_size=20),
    st.integers(0, 7),
    st.sampled_from([b"\xff", b"\x81", b"\xb0", b"\x811", b"\xfe "]),
)
def test_bytes_that_are_no_text_in_a_chinese_encoding_stay_in_their_line(
    tmp_path_factory, names, where, broken
):
    rows = [f"c{i},2025-03-03T00:00:00Z,answered,{n},Ann,1" for i, n in enumerate(names)]
    lines = [row.encode("gb18030") for row in rows]
    lines.insert(where, b"bad,2025-03-03T00:00:00Z,answered,x" + broken + b",Ann,1")
    content = HEADER.encode() + b"\n".join(lines) + b"\n"
    _, report, found = loaded(tmp_path_factory.mktemp("gb"), content, encoding="gb18030")
    assert [(row[0], row[3]) for row in found] == sorted((f"c{i}", n) for i, n in enumerate(names))
    assert (report.read, report.rejected) == (len(names) + 1, 1)


# ---- cut files ----------------------------------------------------------------------------------

WHOLE = "".join(healthy(i, queue)[0] + "\n" for i, queue in enumerate(["sales", "a,b", "客服"]))


def test_a_file_cut_in_the_middle_of_its_last_line_is_refused_wherever_it_is_cut(tmp_path):
    """Unless what is left of the last line is a whole record, which nobody can tell."""
    content = (HEADER + WHOLE).encode()
    begin = content.rstrip(b"\n").rfind(b"\n") + 1
    refused = 0
    for cut in range(begin + 1, len(content) - 1):
        folder = tmp_path / str(cut)
        try:
            _, report, rows = loaded(folder, content[:cut])
        except InputError as error:
            assert "cut off" in str(error)  # noqa: PT017 - some cuts leave a whole record
            assert "line 4" in str(error)  # noqa: PT017
            assert [p.name for p in folder.iterdir()] == ["calls.csv"]
            refused += 1
        else:
            assert report.rejected == 0, content[begin:cut]
            assert len(rows) == 3
    # All but the seconds of talk at the very end, which are a number also when cut.
    assert refused >= len(content) - begin - 5


def test_a_cut_file_leaves_the_log_as_it_was(tmp_path, log_content):
    log, _, _ = loaded(tmp_path, (HEADER + WHOLE).encode())
    before, names = log_content(log), sorted(p.name for p in tmp_path.iterdir())
    (tmp_path / "calls.csv").write_text(HEADER + WHOLE.replace("c", "d") + "d9,2025-03-03T0")
    with pytest.raises(InputError, match=r"--allow-cut|allow_cut"):
        log.load(tmp_path / "calls.csv", source="ccanalytics")
    assert log_content(log) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == names


def test_what_is_whole_of_a_cut_file_loads_when_asked(tmp_path):
    content = (HEADER + WHOLE + "c9,2025-03-03T0").encode()
    log, report, rows = loaded(tmp_path, content, allow_cut=True)
    assert (report.read, report.loaded, report.rejected) == (4, 3, 1)
    assert log.rejects()["line"].to_list() == [5]
    assert log.rejects()["raw"].to_list() == ["c9,2025-03-03T0"]
    # The whole file later: what was there stays, the rest comes in.
    _, report, rows = loaded(tmp_path, (HEADER + WHOLE + healthy(9, "sales")[0] + "\n").encode())
    assert (report.loaded, report.duplicates) == (1, 3)
    assert len(rows) == 4


def test_a_last_line_without_a_line_end_is_not_cut(tmp_path):
    _, report, rows = loaded(tmp_path, (HEADER + WHOLE).rstrip("\n").encode())
    assert report.loaded == len(rows) == 3


def test_a_wrong_line_before_the_last_is_not_a_cut(tmp_path):
    content = HEADER + "c9,2025-03-03T0\n" + WHOLE.rstrip("\n")
    _, report, _ = loaded(tmp_path, content.encode())
    assert (report.loaded, report.rejected) == (3, 1)


@pytest.mark.parametrize("lost", [1, 8, 100])
def test_a_truncated_gzip_is_refused(tmp_path, lost):
    body = "".join(healthy(i, "sales")[0] + "\n" for i in range(500))
    content = gzip.compress((HEADER + body).encode())
    with pytest.raises(InputError, match=r"cut off|damaged"):
        loaded(tmp_path, content[:-lost])
    assert [p.name for p in tmp_path.iterdir()] == ["calls.csv"]
    with pytest.raises(InputError, match=r"cut off|damaged"):
        loaded(tmp_path, content[:-lost], allow_cut=True)


def test_a_gzip_with_a_wrong_checksum_or_a_tail_is_refused(tmp_path):
    content = bytearray(gzip.compress((HEADER + WHOLE).encode()))
    tail = bytes(content) + b"garbage"
    content[-6] ^= 0xFF
    for i, damaged_ in enumerate((bytes(content), tail, b"\x1f\x8b", b"\x1f\x8b\x08\0")):
        with pytest.raises(InputError, match=r"calls\.csv"):
            loaded(tmp_path / str(i), damaged_)


def test_gzip_is_told_from_the_content_and_may_have_several_members(tmp_path):
    content = gzip.compress(HEADER.encode()) + gzip.compress(WHOLE.encode())
    assert loaded(tmp_path, content)[1].loaded == 3
