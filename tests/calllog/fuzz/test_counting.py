"""The fuzz run's own tools: the count of records, and what mutators say that they touched."""

import numpy as np
import pytest

from . import mutators as m
from . import values
from .cases import case_of
from .counting import answer_records, depth_of, fields_of, lines_of, records_of
from .packing import PACKINGS, packed, unpacked
from .seeds import seeds

SEEDS = seeds()


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("a,b", ["a", "b"]),
        ('"a,b",c', ["a,b", "c"]),
        ('"a ""b""",', ['a "b"', ""]),
        ('a"b,c', ['a"b', "c"]),
        ('"a"b,c', ["ab", "c"]),
        ('"a\nb",c', ["a\nb", "c"]),
        ('"a,b', None),
        ('x,"', None),
        ("", [""]),
        ('""', [""]),
    ],
)
def test_fields_are_split_as_by_hand(text, fields):
    assert fields_of(text, ",", '"') == fields


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("1,2\n3,4\n", [(1, True), (2, True)]),
        ("1,2\n\n  \n3,4", [(1, True), (4, True)]),
        ('1,"a\nb"\n3,4\n', [(1, True), (3, True)]),
        # Never closed, or closed only by the mark of another record: the first line alone.
        ('1,"a\n3,4\n', [(1, False), (2, True)]),
        ('1,"a\n"3",4\n5,6\n', [(1, False), (2, True), (3, True)]),
        # Two stray marks that make one well-formed field of what lies between.
        ('1,"a\n3,b"\n5,6\n', [(1, True), (3, True)]),
        ('1,"' + "\n" * 19 + '"\n', [(1, True)]),
        ('1,"' + "\n" * 20 + '"\n', [(1, False), (21, False)]),
        ("1\n1,2,3\n1,2\n", [(1, False), (2, False), (3, True)]),
        ("1\0,2\n3,4\n", [(1, False), (2, True)]),
        ('1,"a\n\xff\n5,6\n', [(1, False), (2, False), (3, True)]),
        ("1,2\r\n3\r,4\r\n", [(1, True), (2, False)]),
    ],
)
def test_records_are_found_as_by_hand(text, records):
    lines = lines_of(text.encode("latin-1"), "utf-8")
    assert [(r.line, r.whole) for r in records_of(lines, 1, 2, ",", '"')] == records


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_lines_are_the_same_in_every_encoding(encoding):
    text = "编号,队列\r\n1,客服\n\n2,last"
    assert lines_of(text.encode(encoding), encoding) == ["编号,队列", "1,客服", "", "2,last"]


def test_lines_end_in_carriage_returns_where_nothing_else_ends_them():
    for encoding in ("utf-8", "utf-16"):
        assert lines_of("a,b\r1,2\r\r3".encode(encoding), encoding) == ["a,b", "1,2", "", "3"]
    assert lines_of(b"a,b\r1,2\n", "utf-8") == [None]


def test_wide_letters_without_a_mark_are_told_from_the_plain_ones():
    for order in ("utf-16-be", "utf-16-le"):
        assert lines_of("编号,b\n1,2\n".encode(order), "utf-16") == ["编号,b", "1,2"]


def test_answers_are_counted_by_their_intervals():
    assert answer_records('{"results": [{"data": [1, 2]}, {"data": []}, 5]}') == 4
    assert answer_records('{"results": [], "results": []}') is None
    assert answer_records('{"other": 1}') is None
    assert depth_of('{"a": ["[[["], "b": [[1]]}') == 3


def test_packings_come_out_as_they_went_in():
    for how in set(PACKINGS):
        assert unpacked(packed(b"some text\n", how)) == b"some text\n"
    assert unpacked(packed(b"some text\n", "gzip")[:-3]) is None


@pytest.mark.parametrize(
    "way", [*values.EVERYWHERE[::2], *values.JSON], ids=lambda way: way.__name__
)
def test_a_mutator_is_a_pure_function_and_says_what_it_touched(way):
    content = SEEDS["genesys_aggregates-lines"].text.encode()
    shape = m.Shape("utf-8", ",", '"')
    lines = content.split(b"\n")
    for number in range(20):
        edits, again = (way(content, np.random.default_rng(number), shape) for _ in range(2))
        assert edits == again
        after = m.applied(content, edits).split(b"\n")
        same = m.untouched(content, edits, b"\n")
        assert all(lines[n - 1] in after for n in same)
        if m.applied(content, edits) != content:
            assert len(same) < len(lines) - 1 or len(after) != len(lines)


def test_every_case_is_the_same_in_every_run():
    for seed in list(SEEDS.values())[::5]:
        assert case_of(seed, 3) == case_of(seed, 3)
        assert case_of(seed, 3).file != case_of(seed, 4).file
