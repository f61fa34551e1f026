"""From bytes to rows of text, streaming, without losing a line.

A file is read in blocks of whole lines, several at once. A healthy block is parsed by Arrow at full
speed; a block in which Arrow's count of rows differs from the count of lines (an unclosed quotation
mark, a wrong number of fields, bytes that are no text) is parsed again in small pieces, and the
pieces with the fault line by line, so that damage stays where it is, and costs little.
"""

from __future__ import annotations

import codecs
import csv
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar, cast

from ccanalytics.calllog.decoding import BLOCK_BYTES, LONGEST_LINE
from ccanalytics.calllog.pipeline import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    import polars as pl
    import pyarrow as pa

    from ccanalytics.calllog.decoding import TextFile

__all__ = ["Layout", "Rows", "read_rows", "split_line"]

T = TypeVar("T")
_PIECE_BYTES = 128 << 10
# Arrow parses pieces that stay in the processor's cache twice as fast as a whole block.
_PARSED_BYTES = 2 << 20
# First bytes, in UTF-8, of the blanks beyond ASCII.
_BLANK_LEADS = (0xC2, 0xE1, 0xE2, 0xE3)
_JOINED_LINES = 20


@dataclass(frozen=True)
class Layout:
    """How a text file is laid out."""

    delimiter: str = ","
    quote: str | None = '"'
    header: bool = True


@dataclass(frozen=True)
class Rows:
    """Rows of a block: ``good`` has columns _line, _raw and the fields as text; ``bad`` has
    _line, _raw and reasons."""

    good: pl.DataFrame
    bad: pl.DataFrame
    bytes_read: int
    # The number of a last line without a line end: if it cannot be used, the file was cut off.
    open_line: int | None = None
    # Known to have no field that begins or ends with a blank.
    trimmed: bool = False


def split_line(text: str, layout: Layout) -> list[str] | None:
    """Fields of one record, which may hold line ends within quotation marks.

    None where a quotation mark is not closed, or where the text is more than one record.
    """
    if layout.quote is None:
        return text.split(layout.delimiter)
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE + BLOCK_BYTES))
    lines = [f"{line}\n" for line in text.split("\n")]
    # As lenient as Arrow about marks within a field; one that is not closed runs into the guard.
    reader = csv.reader([*lines, "guard"], delimiter=layout.delimiter, quotechar=layout.quote)
    try:
        fields = next(reader)
    except (csv.Error, StopIteration):
        return None
    return fields if reader.line_num == len(lines) else None


def read_rows(
    text: TextFile,
    layout: Layout,
    names: list[str],
    *,
    work: Callable[[Rows], T] | None = None,
) -> Generator[T]:
    """Rows of a text file, block by block and in order; the header, if any, is passed over.

    A last line without a line end is named in ``open_line``. What is to be
    done with each block is given as ``work``, and done by several threads at once.
    """
    do = work or cast("Callable[[Rows], T]", _as_it_is)

    def parse(block: _Block) -> T | None:
        rows = _fast(block.content, block.start, layout, names, block.total)
        return None if rows is None else do(replace(rows, open_line=block.open_line))

    blocks = _numbered(text.blocks(), header=layout.header)
    carried = b""
    with closing(in_order(blocks, parse)) as told:
        for block, parsed in told:
            done = None if carried else parsed()
            if done is not None:
                yield done
                continue
            # A record may go on in the next block: its lines are read with that one.
            whole = replace(
                block, content=carried + block.content, start=block.start - carried.count(b"\n")
            )
            carried = b""
            for piece in _pieces(whole):
                content = carried + piece.content
                start = piece.start - carried.count(b"\n")
                rows, carried = _fast(content, start, layout, names, piece.total), b""
                if rows is None:
                    rows, carried = _careful(
                        content, start, layout, names, piece.total, more=piece.more
                    )
                yield do(replace(rows, open_line=piece.open_line))


def _as_it_is(rows: Rows) -> Rows:
    return rows


@dataclass(frozen=True)
class _Block:
    """Whole lines of a file, the number of the first, and whether more follow."""

    content: bytes
    start: int
    total: int
    more: bool
    open_line: int | None


def _numbered(blocks: Iterator[tuple[bytes, bool, int]], *, header: bool) -> Iterator[_Block]:
    """Blocks with the number of their first line, the header taken away."""
    line, header_due = 1, header
    following = next(blocks, None)
    while following is not None:
        content, open_end, total = following
        following = next(blocks, None)
        lines = _line_ends(content) + open_end
        rest, start = content, line
        if header_due:
            head, _, rest = content.partition(b"\n")
            start += 1
            while not head.strip() and rest:
                head, _, rest = rest.partition(b"\n")
                start += 1
            header_due = not head.strip()
        open_line = line + lines - 1 if open_end else None
        yield _Block(rest, start, total, following is not None, open_line)
        line += lines


def _pieces(block: _Block) -> Iterator[_Block]:
    """A block cut into small pieces of whole lines."""
    content, start, begin = block.content, block.start, 0
    while True:
        end = content.find(b"\n", begin + _PIECE_BYTES) + 1 or len(content)
        piece = content[begin:end]
        last = end == len(content)
        yield _Block(
            piece, start, block.total, block.more or not last, block.open_line if last else None
        )
        if last:
            return
        start += piece.count(b"\n")
        begin = end


def _line_array(block: bytes) -> pa.Array:
    """The lines of a block as one Arrow array over the same bytes, nothing copied."""
    import numpy as np
    import pyarrow as pa

    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")).astype(np.int64)
    if not block.endswith(b"\n"):
        ends = np.append(ends, len(block))
    starts = np.concatenate(([0], ends[:-1] + 1))
    # One shared offsets buffer needs contiguous values: keep the line ends, strip them after.
    offsets = np.append(starts, ends[-1] + 1 if block.endswith(b"\n") else len(block))
    return pa.LargeStringArray.from_buffers(
        len(starts), pa.py_buffer(offsets.astype(np.int64)), pa.py_buffer(block)
    )


def _fast(block: bytes, start: int, layout: Layout, names: list[str], total: int) -> Rows | None:
    """Parse a block by Arrow; None where its rows are not its lines."""
    import numpy as np
    import polars as pl
    import pyarrow as pa
    import pyarrow.compute as pc

    if not block:
        return Rows(_empty_good(names), _empty_bad(), total)
    if b"\r" in block or b"\0" in block:
        return None
    # Arrow passes over a byte order mark, also where it does not begin the file.
    if any(bytes(part[:3]) == codecs.BOM_UTF8 for part in _parts(block, _PARSED_BYTES)):
        return None
    raw = _line_array(block)
    try:
        raw.validate(full=True)
        parts = [_parsed(part, layout, names) for part in _parts(block, _PARSED_BYTES)]
    except pa.ArrowInvalid:
        return None
    if any(_open_at_end(part) for part in parts) or _may_be_open(block, layout):
        return None
    table = pa.concat_tables(parts)
    numbers = pa.array(np.arange(start, start + len(raw)))
    if len(raw) != table.num_rows:
        # Arrow passes over blank lines; so do we.
        filled = pc.greater(pc.binary_length(pc.utf8_rtrim(raw, "\n")), 0)
        raw, numbers = raw.filter(filled), numbers.filter(filled)
    if len(raw) != table.num_rows:
        return None
    trimmed = all(_trimmed(part, layout) for part in _parts(block, _PARSED_BYTES))
    good = pl.from_arrow(table)
    assert isinstance(good, pl.DataFrame)  # noqa: S101 - for the type checker
    good = good.with_columns(
        pl.Series("_line", pl.from_arrow(numbers)),
        pl.Series("_raw", pl.from_arrow(raw)).str.strip_suffix("\n"),
    )
    if len(names) == 1 and (b" \n" in block or block.endswith(b" ")):
        # A line of spaces is blank, as it is beside a damaged one.
        good = good.filter(pl.col("_raw").str.strip_chars(" ") != "")
    return Rows(good, _empty_bad(), total, trimmed=trimmed)


def _parts(block: bytes, size: int) -> Iterator[memoryview]:
    """A block in parts of whole lines."""
    view, begin = memoryview(block), 0
    while begin < len(block):
        end = block.find(b"\n", begin + size) + 1 or len(block)
        yield view[begin:end]
        begin = end


def _parsed(part: memoryview, layout: Layout, names: list[str]) -> pa.Table:
    """Lines, found to be UTF-8 before, as a table of text."""
    import pyarrow as pa
    from pyarrow import csv as pacsv

    return pacsv.read_csv(
        pa.BufferReader(pa.py_buffer(part)),
        read_options=pacsv.ReadOptions(
            column_names=names, use_threads=False, block_size=len(part) + 1
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=layout.delimiter, quote_char=layout.quote or False
        ),
        convert_options=pacsv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )


def _open_at_end(table: pa.Table) -> bool:
    """Whether the last field took the end of its line in: a quotation mark was not closed.

    Arrow closes it silently at the end of what it is given, and nowhere else.
    """
    return table.num_rows > 0 and "\n" in table.column(table.num_columns - 1)[-1].as_py()


def _may_be_open(block: bytes, layout: Layout) -> bool:
    """Whether a last line without a line end has quotation marks, to be looked at closely."""
    if layout.quote is None or block.endswith(b"\n"):
        return False
    return layout.quote.encode() in block[block.rfind(b"\n") + 1 :]


def _line_ends(content: bytes | memoryview) -> int:
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(content, np.uint8) == ord("\n")))


def _trimmed(part: memoryview, layout: Layout) -> bool:
    """Whether certainly no field begins or ends with a blank."""
    import numpy as np

    letters = np.frombuffer(part, np.uint8)
    if letters.max(initial=0) >= 0x80 and any((letters == lead).any() for lead in _BLANK_LEADS):
        return False
    mark = ord(layout.delimiter)
    edge = (letters == ord("\n")) | (letters == mark)
    blank = (letters <= ord(" ")) & ~edge
    if layout.quote is not None:
        edge |= letters == ord(layout.quote)
    return not (
        blank[0] or blank[-1] or (blank[1:] & edge[:-1]).any() or (blank[:-1] & edge[1:]).any()
    )


def _careful(
    block: bytes, start: int, layout: Layout, names: list[str], total: int, *, more: bool
) -> tuple[Rows, bytes]:
    """Parse a block line by line; a record whose quoted field holds line ends is joined again.

    Where ``more`` follows, lines at the end that may belong to an unfinished record come back.
    """
    import polars as pl

    lines = block.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    good: list[list[str | int]] = []
    bad: list[tuple[int, str, list[str]]] = []
    index, carried = 0, b""
    while index < len(lines):
        number, raw = start + index, lines[index]
        if not raw.strip(b" \r"):
            index += 1
            continue
        text, fields, index, why = _record(lines, index, layout, len(names))
        if fields is not None:
            good.append([number, text, *fields])
        elif why == _OPEN and more and len(lines) - (number - start) <= _JOINED_LINES:
            carried = b"\n".join(lines[number - start :]) + b"\n"
            break
        else:
            bad.append((number, text, [why]))
    columns = ["_line", "_raw", *names]
    schema = {name: pl.Int64 if name == "_line" else pl.String for name in columns}
    rows = Rows(
        pl.DataFrame(good, schema=schema, orient="row") if good else _empty_good(names),
        pl.DataFrame(bad, schema=_empty_bad().schema, orient="row") if bad else _empty_bad(),
        total,
    )
    return rows, carried


_OPEN = "a quotation mark is not closed"


def _record(
    lines: list[bytes], index: int, layout: Layout, width: int
) -> tuple[str, list[str] | None, int, str]:
    """Text and fields of the record that begins at a line, where the next begins, and any fault."""
    raw = lines[index]
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        why = "not text in the encoding of the file"
        return raw.decode(errors="replace"), None, index + 1, why
    if "\0" in text:
        return text.replace("\0", "�"), None, index + 1, "holds a NUL character"
    if "\r" in text:
        return text, None, index + 1, "holds a carriage return in the middle"
    fields = split_line(text, layout)
    end, whole = index + 1, text
    while fields is None and end < min(index + _JOINED_LINES, len(lines)):
        try:
            following = lines[end].decode()
        except UnicodeDecodeError:
            break
        if "\0" in following or "\r" in following:
            break
        whole += "\n" + following
        end += 1
        fields = split_line(whole, layout)
        if fields is not None and len(fields) != width:
            # The mark was closed by that of a later record: the fault is this line's alone.
            return text, None, index + 1, _OPEN
    if fields is None:
        return text, None, index + 1, _OPEN
    if len(fields) != width:
        why = f"{len(fields)} fields where {width} are expected"
        if layout.delimiter < " " and width == 1:
            why = f"holds the control character U+{ord(layout.delimiter):04X}"
        return text, None, index + 1, why
    return whole, fields, end, ""


def _empty_good(names: list[str]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(
        schema={"_line": pl.Int64, "_raw": pl.String, **dict.fromkeys(names, pl.String)}
    )


def _empty_bad() -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(
        schema={"_line": pl.Int64, "_raw": pl.String, "reasons": pl.List(pl.String)}
    )
