"""A file of text as blocks of whole lines in UTF-8, whatever it is packed and written in.

Text in UTF-8 goes through untouched: it is looked at until its encoding is known (bytes of a block
that are all ASCII tell nothing, so the next block is looked at), and never again.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ccanalytics.calllog.decoding.compression import Unpacked
from ccanalytics.calllog.decoding.encodings import (
    ASCII,
    SAMPLE_BYTES,
    Encoding,
    candidates,
    contradicted,
    found,
)
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["BLOCK_BYTES", "LONGEST_LINE", "TextFile"]

BLOCK_BYTES = 8 << 20
LONGEST_LINE = 4 << 20
_HIGH = re.compile(rb"[\x80-\xff]")
# Two or more characters in the form of UTF-8 for Chinese, and no other bytes beside them.
_UTF8_WORD = re.compile(rb"(?<![\x80-\xff])(?:[\xe4-\xe9][\x80-\xbf]{2}){2,}(?![\x80-\xff])")
# UTF-8 that no decoder takes: the line that holds it is set aside.
_INVALID = "\udcff"


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _INVALID, max(error.end, error.start + 1)


codecs.register_error("ccanalytics-escape", _escaped)


@dataclass
class TextFile:
    """One file of text.

    Parameters
    ----------
    path
        The file.
    encoding
        As Python names it; found out where None.
    most_times
        Limit on unpacking; see :class:`~ccanalytics.calllog.decoding.compression.Unpacked`.
    skipped
        Lines at the top that are handed on as blank ones, so that the header comes first and
        numbers of lines stay right.
    """

    path: Path
    encoding: str | None = None
    most_times: float | None = None
    skipped: int = 0
    # What was found out; set while blocks are read.
    told: Encoding = field(default=ASCII, init=False)
    _may_be: list[str] = field(default_factory=list, init=False)
    # Lines end in carriage returns alone, as some old systems write them.
    _bare: bool = field(default=False, init=False)

    def blocks(self) -> Iterator[tuple[bytes, bool, int]]:
        """Blocks of whole lines in UTF-8, each ended by a line feed alone.

        Yields the block, whether the file's last line ended without a line end, and bytes of the
        file so far.

        Raises
        ------
        InputError
            The file is damaged, unpacks beyond the limit, is binary, has a line above 4 MiB, or
            its bytes prove another encoding than the given one.
        """
        rest, first, decode, skipped = b"", True, None, self.skipped
        with Unpacked(self.path, self.most_times) as file:
            while True:
                chunk = file.read(BLOCK_BYTES)
                final = not chunk
                if first:
                    if not final:
                        # Streams may give less than was asked for; the first sample is whole.
                        while len(chunk) < SAMPLE_BYTES and (more := file.read(BLOCK_BYTES)):
                            chunk += more
                    decode = self._begin(chunk)
                elif decode is None and self.encoding is None and self.told is ASCII:
                    decode = self._look(rest, chunk, final=final)
                if decode is not None:
                    chunk = decode(chunk, final)
                if first:
                    chunk, first = chunk.removeprefix(codecs.BOM_UTF8), False
                    self._bare = b"\r" in chunk and b"\n" not in chunk
                if self._bare:
                    chunk = chunk.replace(b"\r", b"\n")
                if final:
                    rest += chunk
                    if rest:
                        yield _tidy(rest), not rest.endswith(b"\n"), file.position
                    return
                cut = chunk.rfind(b"\n") + 1
                if cut:
                    # Copied once: joined with what the last block left.
                    block = b"".join((rest, memoryview(chunk)[:cut]))
                    rest = chunk[cut:]
                    if skipped:
                        block, skipped = _blank(block, skipped), 0
                    yield _tidy(block), False, file.position
                    continue
                rest += chunk
                if len(rest) > LONGEST_LINE + BLOCK_BYTES:
                    raise InputError(
                        "a line is longer than 4 MiB: this is not a table in text",
                        str(self.path),
                        "check which file this is",
                    )

    def first_lines(self, most: int) -> list[tuple[int, str]]:
        """The first lines that are not blank, with their numbers from 1.

        Raises
        ------
        InputError
            The file is empty, or its first line is no text in its encoding.
        """
        number, lines = 0, list[tuple[int, str]]()
        for block, _, _ in self.blocks():
            place = 0
            while place < len(block) and len(lines) < most:
                end = block.find(b"\n", place) % (len(block) + 1)
                line, place, number = block[place:end], end + 1, number + 1
                if not line.strip():
                    continue
                try:
                    lines.append((number, line.decode()))
                except UnicodeDecodeError as error:
                    if lines:
                        return lines
                    raise self._not_text(line, error) from error
            if lines:
                return lines
        raise InputError(
            "the file is empty", str(self.path), "export it again; there is nothing to load"
        )

    def remarks(self) -> list[str]:
        """What a reader of the report should know of how the file was read."""
        bare = ["its lines end in carriage returns alone"] if self._bare else []
        return bare + self._of_encoding()

    # ---- within ------------------------------------------------------------------------------

    def _of_encoding(self) -> list[str]:
        if self.encoding is not None or self.told.name in ("ascii", "utf-8"):
            if self.told.doubtful:
                return ["read as UTF-8, but its few letters also read as Chinese in GB18030"]
            if self._may_be:
                return [
                    "lines with letters that are not UTF-8 were set aside; the first can be read "
                    f"as {', '.join(self._may_be)}: name it with --encoding"
                ]
            return []
        return [f"read in the encoding {self.told.name}: {self.told.why}"]

    def _begin(self, chunk: bytes) -> Callable[[bytes, bool], bytes] | None:
        """What turns the file's bytes into UTF-8, from its first ones; None for nothing to do."""
        sample = chunk[:SAMPLE_BYTES]
        whole = len(chunk) <= SAMPLE_BYTES
        if self.encoding is not None:
            other = contradicted(self.encoding, sample, whole=whole)
            if other is not None:
                raise InputError(
                    f"the bytes of the file are not {self.encoding} but {other.name}",
                    f"{self.path}: {other.why}",
                    f"leave the encoding out, or give {other.name}",
                )
            name = codecs.lookup(self.encoding).name
            if name == "utf-16" and not sample.startswith(
                (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
            ):
                told = found(sample, whole=whole)
                name = told.name if told and told.name.startswith("utf-16") else "utf-16-le"
            return self._decoder(name)
        return self._look(b"", chunk, final=whole)

    def _look(
        self, rest: bytes, chunk: bytes, *, final: bool
    ) -> Callable[[bytes, bool], bytes] | None:
        """Find the encoding out from the first bytes that tell it."""
        start, high = 0, None
        if b"\n" not in chunk:
            chunk = chunk.replace(b"\r", b"\n")
        if chunk.isascii() and b"\0" not in chunk[:SAMPLE_BYTES]:
            return None
        if rest or not _wide_start(chunk):
            high = _HIGH.search(chunk)
            if high is None:
                return None
            # From the beginning of that line; what stands before is ASCII.
            start = chunk.rfind(b"\n", 0, high.start()) + 1
        sample = chunk[start : start + SAMPLE_BYTES]
        told = found(sample, whole=final and len(chunk) - start <= SAMPLE_BYTES)
        if told is None:
            # Not for us to guess: its lines are set aside, each with a word on what it may be.
            told = Encoding("utf-8", "nothing tells another")
            end = sample.find(b"\n", high.start() - start) if high else -1
            self._may_be = [name for name, _ in candidates(sample[: end if end > 0 else None])]
        self.told = told
        return self._decoder(told.name)

    def _decoder(self, name: str) -> Callable[[bytes, bool], bytes] | None:
        plain = codecs.lookup(name).name
        if plain in ("utf-8", "ascii"):
            return None
        decoder = codecs.getincrementaldecoder(name)(errors="ccanalytics-escape")
        gb = plain in ("gb18030", "gbk", "gb2312")

        def decode(chunk: bytes, final: bool) -> bytes:
            if gb:
                # Lines in UTF-8 within a file in GB18030 would read as other Chinese, silently.
                chunk = _unlike_utf8(chunk)
            return decoder.decode(chunk, final).encode(errors="surrogatepass")

        return decode

    def _not_text(self, line: bytes, error: UnicodeDecodeError) -> InputError:
        read = ", ".join(f"{name} ({word!r})" for name, word in candidates(line))
        return InputError(
            "the first line is not text in UTF-8"
            if self.encoding is None
            else f"the first line is not text in {self.encoding}",
            f"{self.path}: {error.reason}",
            "name its encoding with --encoding"
            + (f"; it can be read as {read}" if read else ", such as gb18030 or cp1252"),
        )


def _unlike_utf8(chunk: bytes) -> bytes:
    """The chunk with the first byte of every word in UTF-8 made invalid."""
    import numpy as np

    # Few words of GB18030 begin as UTF-8 does; only there is it worth to look on.
    letters = np.frombuffer(chunk, np.uint8)
    places = np.flatnonzero(letters - np.uint8(0xE4) <= 5)
    places = places[places < len(letters) - 5]
    places = places[(places == 0) | (letters[places - 1] < 0x80)]
    for ahead in (1, 2, 4, 5):
        places = places[letters[places + ahead] & 0xC0 == 0x80]
    words = [place for place in places.tolist() if _UTF8_WORD.match(chunk, place)]
    if not words:
        return chunk
    marked = bytearray(chunk)
    for place in words:
        marked[place] = 0xFF
    return bytes(marked)


def _tidy(block: bytes) -> bytes:
    # Looking for one byte is ten times as fast as looking for two.
    return block.replace(b"\r\n", b"\n") if b"\r" in block else block


def _blank(block: bytes, lines: int) -> bytes:
    """The block with its first lines made blank."""
    place = 0
    for _ in range(lines):
        place = block.find(b"\n", place) + 1
    return b"\n" * lines + block[place:]


def _wide_start(chunk: bytes) -> bool:
    """Whether the first bytes may be text in UTF-16 or bear a byte order mark."""
    return b"\0" in chunk[:SAMPLE_BYTES] or not chunk[:4].isascii()
