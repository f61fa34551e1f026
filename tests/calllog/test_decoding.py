"""Bytes become lines: packing and encoding told from the content, and nothing garbled silently."""

import bz2
import gzip
import io
import lzma
import os
import random
import zipfile

import pyarrow as pa
import pytest

from ccanalytics.calllog.decoding import TextFile, blocks, check_file, compression, kind_of
from ccanalytics.calllog.decoding.encodings import ASCII, contradicted, found
from ccanalytics.errors import InputError

TEXT = "call_id,arrived_at,outcome\n" + "".join(
    f"{i},2025-03-03T09:00:00Z,接通\n" for i in range(900)
)
CHINESE = [
    *(
        "接通",
        "放弃",
        "已接",
        "张伟",
        "王芳",
        "李娜",
        "陈建国",
        "流量查询",
        "话费充值",
        "宽带报障",
        "北京市",
    ),
    *("投诉建议", "套餐变更", "国际漫游", "账单", "缴费", "客服中心", "排队", "呼损"),
]
OTHERS = {
    "latin-1": ["señor", "Müller", "naïve", "São Paulo", "Straße", "élève", "créée", "GRÖSSE"],
    "cp1251": ["ответ", "ОТКАЗ", "Иванов", "справка", "Москва", "клиент"],
    "koi8-r": ["ответ", "отказ", "Иванов", "справка", "звонок", "клиент"],
    "shift_jis": ["応答", "放棄", "佐藤", "料金照会", "オペレーター", "折返し"],
    "iso8859-7": ["απάντηση", "Αθήνα", "κλήση"],
    "cp1255": ["שיחה", "נענתה", "תל אביב"],
    "cp1250": ["Łódź", "żółw", "święto", "źródło"],
}


def packed(name, content):
    if name == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("../../etc/calls.csv", content)
            archive.writestr("__MACOSX/._calls.csv", b"\0\0")
        return buffer.getvalue()
    return {
        "plain": lambda c: c,
        "gzip": gzip.compress,
        "two members": lambda c: gzip.compress(c[:1000]) + gzip.compress(c[1000:]),
        "bzip2": bz2.compress,
        "xz": lzma.compress,
        "zstd": lambda c: pa.compress(c, codec="zstd", asbytes=True),
    }[name](content)


def content(path, **options):
    text = TextFile(path, **options)
    return b"".join(block for block, _, _ in text.blocks()), text


# ---- packing ------------------------------------------------------------------------------------

WAYS = ["plain", "gzip", "two members", "bzip2", "xz", "zstd", "zip"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["calls.csv", "calls.gz", "calls.xlsx", "calls"])
def test_packing_is_told_from_the_content_whatever_the_name(tmp_path, way, name):
    path = tmp_path / name
    path.write_bytes(packed(way, TEXT.encode()))
    assert content(path)[0] == TEXT.encode()


@pytest.mark.parametrize("way", WAYS[1:])
def test_a_packed_file_that_is_cut_off_is_refused(tmp_path, way):
    path = tmp_path / "calls.csv"
    whole = packed(way, TEXT.encode())
    for kept in (len(whole) // 2, len(whole) - 5, 20):
        path.write_bytes(whole[:kept])
        with pytest.raises(InputError, match=r"cut off or damaged.*calls\.csv"):
            content(path)


@pytest.mark.parametrize("way", WAYS[1:])
def test_a_flipped_bit_is_an_error_or_does_no_harm(tmp_path, way):
    path = tmp_path / "calls.csv"
    whole, draw = packed(way, TEXT.encode()), random.Random(1)
    for _ in range(25):
        place = draw.randrange(4, len(whole))
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ 1 << draw.randrange(8)]) + whole[place + 1 :]
        )
        try:
            read = content(path)[0]
        except InputError:
            continue
        # Names, times and other ornaments of the container may change; the content may not.
        assert way == "zstd" or read == TEXT.encode()


@pytest.mark.parametrize("way", ["gzip", "bzip2", "xz", "zstd", "zip"])
def test_a_file_that_unpacks_without_end_is_refused(tmp_path, monkeypatch, way):
    monkeypatch.setattr(compression, "FREE_BYTES", 1 << 20)
    path = tmp_path / "calls.csv"
    path.write_bytes(packed(way, b"0" * 99 + b"\n" + b"a,b\n" * (6 << 20)))
    with pytest.raises(InputError, match="250 times"):
        content(path)
    assert len(content(path, most_times=1e9)[0]) == 100 + (24 << 20)


@pytest.mark.parametrize("way", ["gzip", "zip"])
def test_what_is_packed_twice_is_refused(tmp_path, way):
    path = tmp_path / "calls.csv"
    path.write_bytes(packed(way, packed("gzip", TEXT.encode())))
    with pytest.raises(InputError, match="kind gzip"):
        content(path)


def test_an_archive_must_hold_one_file_without_a_password(tmp_path):
    path = tmp_path / "calls.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "x")
        archive.writestr("b\n.csv", "x")
    with pytest.raises(InputError, match="2 files") as caught:
        content(path)
    assert "'a.csv'" in str(caught.value)
    assert "\n" not in str(caught.value)
    path.write_bytes(packed("zip", b"a,b\n"))
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(InputError, match="password"):
        content(path)


def test_kinds_that_hold_no_text_are_named(tmp_path):
    path = tmp_path / "calls.csv"
    for start, kind in (
        (b"%PDF-1.7", "PDF"),
        (b"SQLite format 3\0", "SQLite"),
        (b"Rar!\x1a", "rar"),
    ):
        path.write_bytes(start + bytes(99))
        assert kind_of(path) == kind
        with pytest.raises(InputError, match=kind):
            content(path)


def test_what_is_no_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    for name, word in (
        ("pipe.csv", "pipe"),
        ("folder.csv", "folder"),
        ("loop.csv", "cannot be read"),
        ("gone.csv", "no such file"),
        ("nothing.csv", "no such file"),
        ("a\0b", "cannot be read"),
    ):
        with pytest.raises(InputError, match=word) as caught:
            check_file(tmp_path / name)
        assert "\n" not in str(caught.value)


# ---- encodings ----------------------------------------------------------------------------------


def rows(words, draw, n):
    return "call_id,arrived_at,outcome,agent\n" + "".join(
        f"{i},2025-03-03 09:00:{i % 60:02},{draw.choice(words)},{draw.choice(words)}\n"
        for i in range(n)
    )


@pytest.mark.parametrize(
    "encoding", ["utf-8", "gb18030", "utf-16-le", "utf-16-be", "utf-16", "utf-32"]
)
def test_encodings_are_found_out(encoding):
    draw, right = random.Random(3), 0
    for _ in range(60):
        words = draw.sample(CHINESE, draw.choice([2, 4, 9]))
        told = found(rows(words, draw, draw.choice([2, 9, 60])).encode(encoding), whole=True)
        right += told is not None and told.name == encoding
        # Two or three words may be too little, but are never taken for something else.
        assert told is None or told.name == encoding, words
    assert right >= (58 if encoding == "gb18030" else 60)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_half_a_letter_is_no_line_end(encoding):
    """The letter of every morning, 上, has the byte of a line end in it."""
    text = "".join(f"{i},03/03/2025 08:00:{i:02} 上午,上海\n" for i in range(40))
    assert found(text.encode(encoding), whole=True).name == encoding


@pytest.mark.parametrize("encoding", OTHERS)
def test_other_encodings_are_not_taken_for_chinese(encoding):
    draw = random.Random(4)
    for _ in range(60):
        words = draw.sample(OTHERS[encoding], draw.choice([2, 3]))
        assert (
            found(rows(words, draw, draw.choice([2, 9, 60])).encode(encoding), whole=True) is None
        )
        assert found(rows(words, draw, 9).encode(), whole=True).name == "utf-8"


def test_short_words_that_are_valid_twice_are_doubtful():
    both = "name\n\u03a9\u03c8\n".encode()
    assert found(both, whole=True).name == "utf-8"
    assert found(b"plain\n", whole=True) is ASCII


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("size", [7, 64, 1000])
def test_letters_cut_by_the_border_of_a_block_are_whole(tmp_path, monkeypatch, encoding, size):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
    monkeypatch.setattr(blocks, "SAMPLE_BYTES", 2000)
    text = "编号,结果\n" + "".join(f"{i},接通㐀𠀀放弃\r\n" for i in range(300))
    path = tmp_path / "calls.csv"
    path.write_bytes(text.encode(encoding))
    read, told = content(path)
    assert read.decode() == text.replace("\r\n", "\n")
    assert (told.remarks() == []) == encoding.startswith("utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_that_comes_long_after_the_beginning_is_read(tmp_path, monkeypatch, encoding):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 5000)
    text = "id,who\n" + "1,Ann\n" * 90_000 + "2,客服张伟𠀀接通\n" * 3000
    path = tmp_path / "calls.csv"
    path.write_bytes(text.encode(encoding))
    read, told = content(path)
    assert read.decode() == text
    assert told.told.name == encoding


def test_lines_in_another_encoding_are_marked_not_garbled(tmp_path):
    good = "".join(f"{i},客服张伟接通\n" for i in range(50))
    path = tmp_path / "calls.csv"
    for main, other in (("utf-8", "gb18030"), ("gb18030", "utf-8")):
        path.write_bytes(good.encode(main) + "x,话费充值查询\n".encode(other) + good.encode(main))
        read, told = content(path)
        assert told.told.name == main
        lines = read.split(b"\n")
        assert [line.decode() for line in lines[:50]] == good.splitlines()
        with pytest.raises(UnicodeDecodeError):
            lines[50].decode()
        assert lines[51:101] == lines[:50]


def test_a_damaged_byte_changes_no_verdict(tmp_path):
    draw = random.Random(5)
    for encoding, text in (("utf-8", TEXT), ("gb18030", TEXT), ("ascii", "a,b\n" * 500)):
        whole = text.encode(encoding)
        for _ in range(40):
            place = draw.randrange(len(whole))
            bytes_ = whole[:place] + bytes([draw.randrange(256)]) + whole[place + 1 :]
            told = found(bytes_, whole=True)
            assert (told.name if told else "ascii") == encoding


@pytest.mark.parametrize(
    ("declared", "real", "refused"),
    [
        ("latin-1", "utf-8", True),
        ("gb18030", "utf-8", True),
        ("latin-1", "gb18030", True),
        ("utf-8", "gb18030", True),
        ("utf-8", "utf-16", True),
        ("gb18030", "utf-16-le", True),
        ("gbk", "gb18030", False),
        ("gb2312", "gb18030", False),
        ("utf-8-sig", "utf-8", False),
        ("utf-16", "utf-16-be", False),
        ("utf-16", "utf-16", False),
        ("cp1252", "latin-1", False),
    ],
)
def test_an_encoding_that_the_bytes_contradict_is_refused(tmp_path, declared, real, refused):
    text = "id,who\n" + ("1,señor Müller\n" if real == "latin-1" else "1,客服张伟接通\n") * 20
    path = tmp_path / "calls.csv"
    path.write_bytes(text.encode(real))
    if refused:
        assert contradicted(declared, path.read_bytes(), whole=True)
        with pytest.raises(InputError, match="are not"):
            content(path, encoding=declared)
    else:
        assert content(path, encoding=declared)[0].decode() == text


def test_bytes_that_a_declared_encoding_lacks_stay_invalid(tmp_path):
    path = tmp_path / "calls.csv"
    lone = b"\x00\xd8"  # half of a letter of four bytes
    path.write_bytes("接\n".encode("utf-16-le") + lone + "x\nok\n".encode("utf-16-le") + b"o")
    lines = content(path, encoding="utf-16-le")[0].split(b"\n")
    assert (lines[0].decode(), lines[2]) == ("接", b"ok")
    for broken in (lines[1], lines[3]):
        with pytest.raises(UnicodeDecodeError):
            broken.decode()


def test_the_first_line_says_what_it_may_be(tmp_path):
    path = tmp_path / "calls.csv"
    path.write_bytes("Größe;Straße\n".encode("latin-1"))
    with pytest.raises(InputError, match="cp1252") as caught:
        TextFile(path).first_lines(1)
    assert "Größe" in str(caught.value)


def test_a_stray_zero_byte_makes_no_utf_16():
    for text in (b"a,b\na\nx,y\nbro\0ken,1\n", b"ab\n\0\n\0\nab\n", b"a\0b\0\nc\n"):
        assert found(text, whole=True) is ASCII
