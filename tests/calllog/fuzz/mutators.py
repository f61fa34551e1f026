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

    def coded(self, text: str) -> bytes:
        """A text in this encoding, without a mark."""
        name = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(self.encoding, self.encoding)
        return text.encode(name, errors="surrogatepass" if "utf" in name else "replace")

    @property
    def end(self) -> bytes:
        return self.coded("\n")

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


def some(rng: np.random.Generator, most: int) -> int:
    return int(rng.integers(1, most + 1))


def place(content: bytes, rng: np.random.Generator, unit: int = 1) -> int:
    return int(rng.integers(0, max(len(content) // unit, 1))) * unit


def line(content: bytes, rng: np.random.Generator, shape: Shape, first: int = 0):
    spans = line_spans(content, shape.end)
    if not spans:
        return 0, 0
    return spans[int(rng.integers(min(first, len(spans) - 1), len(spans)))]


def pick(rng: np.random.Generator, choices):
    return choices[int(rng.integers(len(choices)))]


# ---- bytes -------------------------------------------------------------------------------------


def bytes_flipped(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """One bit of one to four bytes."""
    places = {place(content, rng) for _ in range(some(rng, 4)) if content}
    return [Edit(p, p + 1, bytes([content[p] ^ (1 << int(rng.integers(8)))])) for p in places]


def bytes_overwritten(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """A run of one to sixteen bytes by random ones."""
    at, size = place(content, rng), some(rng, 16)
    return [Edit(at, min(at + size, len(content)), rng.bytes(min(size, len(content) - at)))]


def bytes_removed(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    at = place(content, rng)
    return [Edit(at, min(at + some(rng, 40), len(content)))]


def bytes_inserted(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    at = place(content, rng)
    return [Edit(at, at, rng.bytes(some(rng, 12)))]


# ---- lines -------------------------------------------------------------------------------------


def line_cut(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    return [Edit(*line(content, rng, shape)) for _ in range(some(rng, 3))]


def line_doubled(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    start, stop = line(content, rng, shape)
    return [Edit(stop, stop, content[start:stop])]


def line_truncated(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """The rest of a line, its end kept."""
    start, stop = line(content, rng, shape)
    units = max((stop - start) // shape.unit - 1, 1)
    at = start + int(rng.integers(units)) * shape.unit
    return [Edit(at, max(stop - shape.unit, at))]


def lines_joined(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    _, stop = line(content, rng, shape)
    return [Edit(max(stop - shape.unit, 0), stop)]


def lines_swapped(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    a, b = sorted([line(content, rng, shape), line(content, rng, shape)])
    return [] if a == b else [Edit(*a, content[slice(*b)]), Edit(*b, content[slice(*a)])]


def lines_inserted(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """Blank ones, rules, remarks, a header again."""
    at, _ = line(content, rng, shape)
    first = content[slice(*line_spans(content, shape.end)[0])] if content else b""
    blank = ["\n", "   \n", "\n\n\n", "\u3000\n", "\x0b\n", " \r\n"]
    said = ["----\n", "Report 第 1 页\n", "*** switch restarted ***\n", "null\n"]
    signs = ["{\n", "[\n", "}\n", shape.delimiter * 3 + "\n"]
    new = shape.coded(pick(rng, [*blank, *said, *signs]))
    return [Edit(at, at, first if rng.random() < 0.1 else new)]


def file_truncated(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    return [Edit(place(content, rng, 1 if rng.random() < 0.3 else shape.unit), len(content))]


def last_end_removed(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    return [Edit(max(len(content) - shape.unit, 0), len(content))]


def line_ends_mixed(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """Some or all line ends as CR LF, CR alone, or LF CR."""
    end = shape.coded(pick(rng, ["\r\n", "\r\n", "\r\n", "\r", "\n\r", "\r\r\n"]))
    share = pick(rng, [0.1, 0.5, 1.0])
    spans = line_spans(content, shape.end)
    return [Edit(s - shape.unit, s, end) for _, s in spans if rng.random() < share and s]


# ---- columns -----------------------------------------------------------------------------------


def _cells(line: bytes, shape: Shape) -> tuple[list[bytes], bytes]:
    body = line.removesuffix(shape.end)
    return body.split(shape.coded(shape.delimiter)), line[len(body) :]


def _columns(content: bytes, rng: np.random.Generator, shape: Shape, change) -> Edits:
    spans = line_spans(content, shape.end)
    chosen = spans if rng.random() < 0.3 else [line(content, rng, shape)]
    edits = []
    for start, stop in chosen:
        cells, end = _cells(content[start:stop], shape)
        edits.append(Edit(start, stop, shape.coded(shape.delimiter).join(change(cells)) + end))
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
    a, new = int(rng.integers(12)), shape.coded(pick(rng, ["", "x", "17", "客服"]))
    return _columns(
        content,
        rng,
        shape,
        lambda cells: [*cells[: a % len(cells)], new, *cells[a % len(cells) :]],
    )


# ---- encodings ---------------------------------------------------------------------------------


def encodings_mixed(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """One to three lines in another encoding."""
    other = pick(rng, ["gb18030", "utf-8", "utf-16-le", "big5", "shift_jis", "cp1252", "utf-7"])
    edits = []
    for _ in range(some(rng, 3)):
        start, stop = line(content, rng, shape)
        name = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(shape.encoding, shape.encoding)
        text = content[start:stop].decode(name, errors="replace")
        edits.append(Edit(start, stop, text.encode(other, errors="replace")))
    return edits


def words_in_another_encoding(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    word, name = pick(
        rng,
        [("客服热线", "gb18030"), ("客服热线", "utf-8"), ("señor", "cp1252"), ("Москва", "cp1251")],
    )
    at = place(content, rng, shape.unit)
    return [Edit(at, at, word.encode(name))]


def marks_inserted(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """A byte order mark, at the beginning or anywhere."""
    mark = pick(
        rng, [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\x84\x31\x95\x33"]
    )
    at = 0 if rng.random() < 0.6 else place(content, rng, shape.unit)
    return [Edit(at, at, mark)]


def letters_halved(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """One byte of a letter that has several."""
    places = [i for i, byte in enumerate(content) if byte >= 0x80]
    if not places:
        return []
    at = pick(rng, places)
    return [Edit(at, at + 1)]


# ---- signs -------------------------------------------------------------------------------------


def quotes_unbalanced(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """A quotation mark too many or too few, at the beginning of a field or anywhere."""
    edits = []
    mark, sign = shape.coded(shape.quote), shape.coded(shape.delimiter)
    for _ in range(some(rng, 3)):
        there = [m.start() for m in re.finditer(re.escape(mark), content)]
        starts = [m.end() for m in re.finditer(re.escape(sign), content)]
        what = rng.random()
        if what < 0.35 and there:
            at = pick(rng, there)
            edits.append(Edit(at, at + len(mark)))
        elif what < 0.8 and starts:
            at = pick(rng, starts)
            edits.append(Edit(at, at, mark))
        else:
            at = place(content, rng, shape.unit)
            edits.append(Edit(at, at, mark * some(rng, 3)))
    return edits


def controls_inserted(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """NULs, control characters, separators that some programs take for line ends."""
    edits = []
    for _ in range(some(rng, 3)):
        at = place(content, rng, shape.unit)
        sign = pick(rng, ["\0", "\0\0\0", "\r", "\x1a", "\x0b", "\x0c", "\x1f", "\x85", "\u2028"])
        edits.append(Edit(at, at, shape.coded(sign)))
    return edits


def odd_letters(content: bytes, rng: np.random.Generator, shape: Shape) -> Edits:
    """Letters that turn, join or vanish, and formulas."""
    at = place(content, rng, shape.unit)
    new = pick(rng, ["\u202e", "\u200b", "\ufeff", "e\u0301", "\U0001f4de", "=1+1", "٣٤", "𝟙", "ﷺ"])
    return [Edit(at, at, shape.coded(new))]
