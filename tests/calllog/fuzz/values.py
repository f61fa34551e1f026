"""Ways in which values, JSON and packed files come damaged; and the lists of all ways."""

import re

import numpy as np

from . import mutators as m
from .mutators import Edit, Edits, Shape

# ---- values ------------------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    return text.split()


_HUGE = [
    *("9" * 19, "9" * 40, "9" * 400, "", " ", "٣٤", "𝟙9", "1²"),
    *_words(
        "-1 -0 1e308 1e400 1e-400 -9223372036854775808 NaN inf -Infinity 0x1F 1_000 １２３ 1,5"
    ),
    *_words("1.2.3 +7 18446744073709551616 1e18 9223372036854.775807 4294967296 0.1 00 --1 1e"),
]
_DATES = [
    *_words("2025-02-30 0000-00-00 9999-12-31 2025-13-45 1899-12-31 -2025-01-01 29/02/2023"),
    *_words("31/04/2025 00/00/0000 2025-W10-1 20250303 99999-01-01 2262-04-12 1677-01-01"),
    *_words("2025-3-3 0001-01-01 ２０２５-03-03 ٢٠٢٥-03-03"),
]
_CLOCKS = ["24:00:00", "25:61:61", "23:59:60", "00:00:00.0000000001", "-1:00:00", "8:5:3", "99:99"]
_CLOCKS += ["𝟙9:00:00", "٩:١٠:٠٠"]
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DATE = re.compile(r"\d{1,4}[-/]\d{1,2}[-/]\d{1,4}")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")


def _replaced(content, rng, shape, pattern, choices) -> Edits:
    name = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(shape.encoding, shape.encoding)
    start, stop = m.line(content, rng, shape, first=1)
    text = content[start:stop].decode(
        name, errors="surrogateescape" if shape.unit == 1 else "replace"
    )
    found = list(pattern.finditer(text))
    edits = []
    for match in {m.pick(rng, found).span() for _ in range(m.some(rng, 2)) if found}:
        before = (
            len(shape.coded(text[: match[0]]))
            if shape.unit > 1
            else len(text[: match[0]].encode(name, errors="surrogateescape"))
        )
        size = len(shape.coded(text[slice(*match)]))
        at = start + before
        edits.append(Edit(at, min(at + size, stop), shape.coded(m.pick(rng, choices))))
    return edits


def numbers_huge(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """Numbers that are huge, negative, not numbers, or written oddly."""
    return _replaced(content, rng, shape, _NUMBER, _HUGE)


def dates_impossible(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    return _replaced(content, rng, shape, _DATE, _DATES)


def clocks_impossible(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    return _replaced(content, rng, shape, _CLOCK, _CLOCKS)


def field_long(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """A field of a few kilobytes, seldom of megabytes."""
    size = m.pick(rng, [3_000] * 60 + [200_000] * 8 + [5_000_000])
    at = m.place(content, rng, shape.unit)
    return [Edit(at, at, shape.coded(m.pick(rng, ["x", "7", "客", '"']) * size))]


# ---- JSON --------------------------------------------------------------------------------------

_VALUES = [
    *("null", "true", "[]", "{}", "[1,2]", '{"a":{"b":1}}', "NaN", "-Infinity", "1e999", "9" * 30),
    *('"\\ud800"', '"\\u0000"', '"\\x"', "'a'", "", '"' + "é" * 1200 + '"', '{"results":[]}'),
    *("[" * 60 + "]" * 60, '{"a":' * 40 + "1" + "}" * 40, "01", "1.", '"\t"', '{"":1}'),
]
_DEEP = [
    opening * depth + (inner + closing * depth) * closed
    for opening, inner, closing in (("[", "", "]"), ('{"a":', "1", "}"))
    for depth in (90, 101, 500, 960, 980, 3000, 20_000)
    for closed in (0, 1, 1)
]
_OBJECT = re.compile(r"\{[^{}]*\}")
_VALUE = re.compile(r'(?<=: )("(?:[^"\\]|\\.)*"|[-\d.eE]+|null|true|false)')
_KEY = re.compile(r'"[^"\\]+"(?=: )')


def json_values(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """A value of another type, an impossible one, or none."""
    return _replaced(content, rng, shape, _VALUE, _VALUES)


def json_deep(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    return _replaced(content, rng, shape, _VALUE, _DEEP)


def json_keys(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """A key renamed, doubled, empty, or with signs that paths are made of."""
    keys = [
        '"other"',
        '""',
        '"a.b"',
        '"a/b~c"',
        '"queue"',
        '"queue "',
        '"0"',
        '"\\u0000"',
        "key",
        '"a":1,"a"',
    ]
    many = ",".join(f'"k{i}":1' for i in range(300)) + ',"x"'
    return _replaced(content, rng, shape, _KEY, [*keys, many])


def json_objects(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """An object where a value was, or a value where an object was."""
    return _replaced(content, rng, shape, _OBJECT, ['"x"', "null", "1", "[]", "{}", '{"x": {}}'])


def json_blanks(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """A blank at the end of keys."""
    start, stop = m.line(content, rng, shape)
    marks = list(re.finditer(re.escape(shape.coded('":')), content[start:stop]))
    places = {start + m.pick(rng, marks).start() for _ in range(2) if marks}
    return [Edit(at, at, shape.coded(" ")) for at in sorted(places)]


def json_signs(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """A brace, bracket, comma or colon too many or too few."""
    sign = shape.coded(m.pick(rng, ["{", "}", "[", "]", ",", ":", '"', "\\"]))
    there = [m.start() for m in re.finditer(re.escape(sign), content)]
    if there and rng.random() < 0.6:
        at = m.pick(rng, there)
        return [Edit(at, at + len(sign))]
    at = m.place(content, rng, shape.unit)
    return [Edit(at, at, sign)]


EVERYWHERE = (
    *(
        m.bytes_flipped,
        m.bytes_overwritten,
        m.bytes_removed,
        m.bytes_inserted,
        m.line_cut,
        m.line_doubled,
    ),
    *(m.line_truncated, m.lines_joined, m.lines_swapped, m.lines_inserted, m.file_truncated),
    *(m.last_end_removed, m.line_ends_mixed, m.columns_swapped, m.column_dropped, m.column_added),
    *(m.encodings_mixed, m.words_in_another_encoding, m.marks_inserted, m.letters_halved),
    *(m.quotes_unbalanced, m.quotes_unbalanced, m.controls_inserted, m.odd_letters, numbers_huge),
    *(dates_impossible, clocks_impossible, field_long),
)
JSON = (json_values, json_values, json_deep, json_keys, json_signs, json_objects, json_blanks)


# ---- files that are packed, or no text -----------------------------------------------------------


def file_flipped(content: bytes, rng: np.random.Generator) -> bytes:
    """One bit of one to three bytes, the first and last ones rather than others."""
    out = bytearray(content)
    for _ in range(m.some(rng, 3)):
        at = m.place(content, rng)
        near = int(rng.integers(min(40, len(out))))
        at = m.pick(rng, [at, at, near, len(out) - 1 - near])
        out[at] ^= 1 << int(rng.integers(8))
    return bytes(out)


def file_cut_short(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: m.place(content, rng)]


def file_lengthened(content: bytes, rng: np.random.Generator) -> bytes:
    """Something after the end: zeros, noise, itself."""
    return content + m.pick(rng, [bytes(20), rng.bytes(30), content, b"\n"])


def file_overwritten(content: bytes, rng: np.random.Generator) -> bytes:
    at = m.place(content, rng)
    return content[:at] + rng.bytes(min(m.some(rng, 64), len(content) - at)) + content[at + 64 :]


CONTAINERS = (file_flipped, file_flipped, file_cut_short, file_lengthened, file_overwritten)
