"""Ways in which files come damaged.

Each is a pure function of bytes, a generator and the :class:`Shape` of the text, and gives the
edits that it would make: which bytes it takes away, and what it puts there instead.
"""

import re
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Shape:
    """How a text lies in its bytes."""

    encoding: str
    delimiter: str
    quote: str

    def bytes(self, text: str) -> bytes:
        """A text in this encoding, without a mark."""
        name = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(self.encoding, self.encoding)
        return text.encode(name, errors="surrogatepass" if "utf" in name else "replace")

    @property
    def end(self) -> bytes:
        return self.bytes("\n")

    @property
    def unit(self) -> int:
        return len(self.end)


@dataclass(frozen=True, order=True)
class Edit:
    """Bytes from ``start`` to ``stop`` make place for ``new``."""

    start: int
    stop: int
    new: bytes = b""


Edits = list[Edit]


def applied(content: bytes, edits: Edits) -> bytes:
    """The content after the edits; of two that overlap, the later one is left out."""
    parts, at = [], 0
    for edit in kept(edits):
        parts += [content[at : edit.start], edit.new]
        at = edit.stop
    return b"".join([*parts, content[at:]])


def kept(edits: Edits) -> Edits:
    """The edits that do not overlap, in order."""
    found: Edits = []
    for edit in sorted(edits):
        if not found or edit.start >= max(found[-1].stop, found[-1].start + 1):
            found.append(edit)
    return found


def line_spans(content: bytes, end: bytes) -> list[tuple[int, int]]:
    """Where each line begins and stops, its end included."""
    spans, at = [], 0
    while at < len(content):
        stop = content.find(end, at)
        while stop >= 0 and stop % len(end):  # half of one character and half of the next
            stop = content.find(end, stop + 1)
        stop = len(content) if stop < 0 else stop + len(end)
        spans.append((at, stop))
        at = stop
    return spans


def untouched(content: bytes, edits: Edits, end: bytes) -> list[int]:
    """Numbers (from 1) of the lines that no edit touches, ends and neighbourhood included."""
    done = kept(edits)
    after = applied(content, done)
    same = []
    for number, (start, stop) in enumerate(line_spans(content, end), 1):
        if any(edit.start < stop and edit.stop > start for edit in done):
            continue
        if any(start < edit.start < stop and edit.start == edit.stop for edit in done):
            continue
        shift = sum(len(e.new) - (e.stop - e.start) for e in done if e.stop <= start)
        begins = start + shift
        line = content[start:stop]
        if begins % len(end) or after[begins : begins + len(line)] != line:
            continue
        if begins and not after[:begins].endswith(end):
            continue
        if not line.endswith(end) and begins + len(line) != len(after):
            continue
        same.append(number)
    return same


def _some(rng: np.random.Generator, most: int) -> int:
    return int(rng.integers(1, most + 1))


def _place(content: bytes, rng: np.random.Generator, unit: int = 1) -> int:
    return int(rng.integers(0, max(len(content) // unit, 1))) * unit


def _line(content: bytes, rng: np.random.Generator, shape: Shape, first: int = 0):
    spans = line_spans(content, shape.end)
    if not spans:
        return 0, 0
    return spans[int(rng.integers(min(first, len(spans) - 1), len(spans)))]


def _pick(rng: np.random.Generator, choices):
    return choices[int(rng.integers(len(choices)))]


# ---- bytes -------------------------------------------------------------------------------------


def bytes_flipped(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """One bit of one to four bytes."""
    places = {_place(content, rng) for _ in range(_some(rng, 4)) if content}
    return [Edit(p, p + 1, bytes([content[p] ^ (1 << int(rng.integers(8)))])) for p in places]


def bytes_overwritten(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """A run of one to sixteen bytes by random ones."""
    at, size = _place(content, rng), _some(rng, 16)
    return [Edit(at, min(at + size, len(content)), rng.bytes(min(size, len(content) - at)))]


def bytes_removed(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    at = _place(content, rng)
    return [Edit(at, min(at + _some(rng, 40), len(content)))]


def bytes_inserted(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    at = _place(content, rng)
    return [Edit(at, at, rng.bytes(_some(rng, 12)))]


# ---- lines -------------------------------------------------------------------------------------


def line_cut(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    return [Edit(*_line(content, rng, shape)) for _ in range(_some(rng, 3))]


def line_doubled(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    start, stop = _line(content, rng, shape)
    return [Edit(stop, stop, content[start:stop])]


def line_truncated(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """The rest of a line, its end kept."""
    start, stop = _line(content, rng, shape)
    units = max((stop - start) // shape.unit - 1, 1)
    at = start + int(rng.integers(units)) * shape.unit
    return [Edit(at, max(stop - shape.unit, at))]


def lines_joined(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    _, stop = _line(content, rng, shape)
    return [Edit(max(stop - shape.unit, 0), stop)]


def lines_swapped(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    a, b = sorted([_line(content, rng, shape), _line(content, rng, shape)])
    return [] if a == b else [Edit(*a, content[slice(*b)]), Edit(*b, content[slice(*a)])]


def lines_inserted(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """Blank ones, rules, remarks, a header again."""
    at, _ = _line(content, rng, shape)
    first = content[slice(*line_spans(content, shape.end)[0])] if content else b""
    said = _pick(
        rng,
        [*("\n", "   \n", "\n\n\n", "\u3000\n", "\x0b\n", " \r\n"), "----\n", "Report 第 1 页\n"]
        + ["*** switch restarted ***\n", "{\n", "[\n", "}\n", shape.delimiter * 3 + "\n", "null\n"],
    )
    return [Edit(at, at, first if rng.random() < 0.1 else shape.bytes(said))]


def file_truncated(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    return [Edit(_place(content, rng, 1 if rng.random() < 0.3 else shape.unit), len(content))]


def last_end_removed(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    return [Edit(max(len(content) - shape.unit, 0), len(content))]


def line_ends_mixed(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """Some or all line ends as CR LF, CR alone, or LF CR."""
    end = shape.bytes(_pick(rng, ["\r\n", "\r\n", "\r\n", "\r", "\n\r", "\r\r\n"]))
    share = _pick(rng, [0.1, 0.5, 1.0])
    spans = line_spans(content, shape.end)
    return [Edit(s - shape.unit, s, end) for _, s in spans if rng.random() < share and s]


# ---- columns -----------------------------------------------------------------------------------


def _cells(line: bytes, shape: Shape) -> tuple[list[bytes], bytes]:
    body = line.removesuffix(shape.end)
    return body.split(shape.bytes(shape.delimiter)), line[len(body) :]


def _columns(content: bytes, rng: np.random.Generator, shape: Shape, change) -> Edits:
    spans = line_spans(content, shape.end)
    chosen = spans if rng.random() < 0.3 else [_line(content, rng, shape)]
    edits = []
    for start, stop in chosen:
        cells, end = _cells(content[start:stop], shape)
        edits.append(Edit(start, stop, shape.bytes(shape.delimiter).join(change(cells)) + end))
    return edits


def columns_swapped(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """Two columns, in one line or in all."""
    a, b = rng.integers(0, 12, 2)

    def change(cells: list[bytes]) -> list[bytes]:
        cells = list(cells)
        i, j = a % len(cells), b % len(cells)
        cells[i], cells[j] = cells[j], cells[i]
        return cells

    return _columns(content, rng, shape, change)


def column_dropped(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    a = int(rng.integers(12))
    return _columns(
        content, rng, shape, lambda cells: [c for i, c in enumerate(cells) if i != a % len(cells)]
    )


def column_added(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    a, new = int(rng.integers(12)), shape.bytes(_pick(rng, ["", "x", "17", "客服"]))
    return _columns(
        content,
        rng,
        shape,
        lambda cells: [*cells[: a % len(cells)], new, *cells[a % len(cells) :]],
    )


# ---- encodings ---------------------------------------------------------------------------------


def encodings_mixed(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """One to three lines in another encoding."""
    other = _pick(rng, ["gb18030", "utf-8", "utf-16-le", "big5", "shift_jis", "cp1252", "utf-7"])
    edits = []
    for _ in range(_some(rng, 3)):
        start, stop = _line(content, rng, shape)
        name = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(shape.encoding, shape.encoding)
        text = content[start:stop].decode(name, errors="replace")
        edits.append(Edit(start, stop, text.encode(other, errors="replace")))
    return edits


def words_in_another_encoding(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    word, name = _pick(
        rng,
        [("客服热线", "gb18030"), ("客服热线", "utf-8"), ("señor", "cp1252"), ("Москва", "cp1251")],
    )
    at = _place(content, rng, shape.unit)
    return [Edit(at, at, word.encode(name))]


def marks_inserted(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """A byte order mark, at the beginning or anywhere."""
    mark = _pick(rng, [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\x84\x31\x95\x33"])
    at = 0 if rng.random() < 0.6 else _place(content, rng, shape.unit)
    return [Edit(at, at, mark)]


def letters_halved(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """One byte of a letter that has several."""
    places = [i for i, byte in enumerate(content) if byte >= 0x80]
    if not places:
        return []
    at = _pick(rng, places)
    return [Edit(at, at + 1)]


# ---- signs -------------------------------------------------------------------------------------


def quotes_unbalanced(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """A quotation mark too many or too few, at the beginning of a field or anywhere."""
    edits = []
    mark, sign = shape.bytes(shape.quote), shape.bytes(shape.delimiter)
    for _ in range(_some(rng, 3)):
        there = [m.start() for m in re.finditer(re.escape(mark), content)]
        starts = [m.end() for m in re.finditer(re.escape(sign), content)]
        what = rng.random()
        if what < 0.35 and there:
            at = _pick(rng, there)
            edits.append(Edit(at, at + len(mark)))
        elif what < 0.8 and starts:
            at = _pick(rng, starts)
            edits.append(Edit(at, at, mark))
        else:
            at = _place(content, rng, shape.unit)
            edits.append(Edit(at, at, mark * _some(rng, 3)))
    return edits


def controls_inserted(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """NULs, control characters, separators that some programs take for line ends."""
    edits = []
    for _ in range(_some(rng, 3)):
        at = _place(content, rng, shape.unit)
        sign = _pick(rng, ["\0", "\0\0\0", "\r", "\x1a", "\x0b", "\x0c", "\x1f", "\x85", "\u2028"])
        edits.append(Edit(at, at, shape.bytes(sign)))
    return edits


def odd_letters(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """Letters that turn, join or vanish, and formulas."""
    at = _place(content, rng, shape.unit)
    new = _pick(rng, ["\u202e", "\u200b", "\ufeff", "e\u0301", "\U0001f4de", "=1+1", "٣٤", "𝟙", "ﷺ"])
    return [Edit(at, at, shape.bytes(new))]


# ---- values ------------------------------------------------------------------------------------

_HUGE = [
    *("9" * 19, "9" * 40, "9" * 400, "-1", "-0", "1e308", "1e400", "1e-400", "-9223372036854775808"),
    *("NaN", "inf", "-Infinity", "0x1F", "1_000", "１２３", "1,5", "1.2.3", "+7", "18446744073709551616"),
    *("1e18", "9223372036854.775807", "4294967296", "0.1", "00", "--1", "1e", "", " "),
]
_DATES = [
    *("2025-02-30", "0000-00-00", "9999-12-31", "2025-13-45", "1899-12-31", "-2025-01-01"),
    *("29/02/2023", "31/04/2025", "00/00/0000", "2025-W10-1", "20250303", "99999-01-01", "2262-04-12"),
    *("1677-01-01", "2025-3-3", "0001-01-01", "２０２５-03-03"),
]
_CLOCKS = ["24:00:00", "25:61:61", "23:59:60", "00:00:00.0000000001", "-1:00:00", "8:5:3", "99:99"]
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DATE = re.compile(r"\d{1,4}[-/]\d{1,2}[-/]\d{1,4}")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?")


def _replaced(content, rng, shape, pattern, choices) -> Edits:
    name = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(shape.encoding, shape.encoding)
    start, stop = _line(content, rng, shape, first=1)
    text = content[start:stop].decode(name, errors="surrogateescape" if shape.unit == 1 else "replace")
    found = list(pattern.finditer(text))
    edits = []
    for match in {_pick(rng, found).span() for _ in range(_some(rng, 2)) if found}:
        before = len(shape.bytes(text[: match[0]])) if shape.unit > 1 else len(
            text[: match[0]].encode(name, errors="surrogateescape")
        )
        size = len(shape.bytes(text[slice(*match)]))
        at = start + before
        edits.append(Edit(at, min(at + size, stop), shape.bytes(_pick(rng, choices))))
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
    size = _pick(rng, [3_000] * 60 + [200_000] * 8 + [5_000_000])
    at = _place(content, rng, shape.unit)
    return [Edit(at, at, shape.bytes(_pick(rng, ["x", "7", "客", '"']) * size))]


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
    keys = ['"other"', '""', '"a.b"', '"a/b~c"', '"queue"', '"queue "', '"0"', '"\\u0000"', "key", '"a":1,"a"']
    many = ",".join(f'"k{i}":1' for i in range(300)) + ',"x"'
    return _replaced(content, rng, shape, _KEY, [*keys, many])


def json_objects(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """An object where a value was, or a value where an object was."""
    return _replaced(content, rng, shape, _OBJECT, ['"x"', "null", "1", "[]", "{}", '{"x": {}}'])


def json_blanks(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """A blank at the end of keys."""
    start, stop = _line(content, rng, shape)
    marks = list(re.finditer(re.escape(shape.bytes('":')), content[start:stop]))
    places = {start + _pick(rng, marks).start() for _ in range(2) if marks}
    return [Edit(at, at, shape.bytes(" ")) for at in sorted(places)]


def json_signs(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """A brace, bracket, comma or colon too many or too few."""
    sign = shape.bytes(_pick(rng, ["{", "}", "[", "]", ",", ":", '"', "\\"]))
    there = [m.start() for m in re.finditer(re.escape(sign), content)]
    if there and rng.random() < 0.6:
        at = _pick(rng, there)
        return [Edit(at, at + len(sign))]
    at = _place(content, rng, shape.unit)
    return [Edit(at, at, sign)]


EVERYWHERE = (
    *(bytes_flipped, bytes_overwritten, bytes_removed, bytes_inserted, line_cut, line_doubled),
    *(line_truncated, lines_joined, lines_swapped, lines_inserted, file_truncated),
    *(last_end_removed, line_ends_mixed, columns_swapped, column_dropped, column_added),
    *(encodings_mixed, words_in_another_encoding, marks_inserted, letters_halved),
    *(quotes_unbalanced, quotes_unbalanced, controls_inserted, odd_letters, numbers_huge),
    *(dates_impossible, clocks_impossible, field_long),
)
JSON = (json_values, json_values, json_deep, json_keys, json_signs, json_objects, json_blanks)


# ---- files that are packed, or no text -----------------------------------------------------------


def file_flipped(content: bytes, rng: np.random.Generator) -> bytes:
    """One bit of one to three bytes, the first and last ones rather than others."""
    out = bytearray(content)
    for _ in range(_some(rng, 3)):
        at = _place(content, rng)
        near = int(rng.integers(min(40, len(out))))
        at = _pick(rng, [at, at, near, len(out) - 1 - near])
        out[at] ^= 1 << int(rng.integers(8))
    return bytes(out)


def file_cut_short(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: _place(content, rng)]


def file_lengthened(content: bytes, rng: np.random.Generator) -> bytes:
    """Something after the end: zeros, noise, itself."""
    return content + _pick(rng, [bytes(20), rng.bytes(30), content, b"\n"])


def file_overwritten(content: bytes, rng: np.random.Generator) -> bytes:
    at = _place(content, rng)
    return content[:at] + rng.bytes(min(_some(rng, 64), len(content) - at)) + content[at + 64 :]


CONTAINERS = (file_flipped, file_flipped, file_cut_short, file_lengthened, file_overwritten)
