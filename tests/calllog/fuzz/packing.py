"""From a seed to the bytes of a file, and back again without the package's help."""

import bz2
import csv
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from xml.etree import ElementTree as ET

import pyarrow as pa
import pyarrow.parquet as pq

PACKINGS = ("plain", "plain", "plain", "gzip", "bzip2", "xz", "zstd", "zip")


def written(text: str, encoding: str) -> bytes:
    """The text in an encoding; ``utf-16-le`` goes without a byte order mark."""
    return text.encode(encoding)


def packed(content: bytes, how: str) -> bytes:
    """The content as a file holds it."""
    if how == "gzip":
        return gzip.compress(content, mtime=0)
    if how == "bzip2":
        return bz2.compress(content)
    if how == "xz":
        return lzma.compress(content)
    if how == "zstd":
        buffer = pa.BufferOutputStream()
        with pa.CompressedOutputStream(buffer, "zstd") as stream:
            stream.write(content)
        return buffer.getvalue().to_pybytes()
    if how == "zip":
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("export"), content)
        return sink.getvalue()
    return content


def unpacked(content: bytes) -> bytes | None:
    """What a text reader must find in a file; None where it is damaged or holds no one text."""
    try:
        if content.startswith(b"\x1f\x8b"):
            return gzip.decompress(content)
        if content.startswith(b"BZh"):
            return bz2.decompress(content)
        if content.startswith(b"\xfd7zXZ\x00"):
            return lzma.decompress(content)
        if content.startswith(b"\x28\xb5\x2f\xfd"):
            return pa.CompressedInputStream(pa.py_buffer(content), "zstd").read()
        if content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                (only,) = archive.namelist()
                return archive.read(only)
    except (
        *(OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile),
        *(NotImplementedError, RuntimeError, pa.ArrowException, struct.error),
    ):
        return None
    return content


def grid(text: str) -> list[list[str]]:
    """The cells that a CSV text stands for, each row as wide as the widest."""
    rows = list(csv.reader(io.StringIO(text, newline="")))
    width = max(map(len, rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def as_parquet(cells: list[list[str]]) -> bytes:
    """Cells as a Parquet file of texts, in row groups of five; an empty cell is null."""
    head, *rows = cells
    columns = [pa.array([row[i] or None for row in rows], pa.string()) for i in range(len(head))]
    sink = io.BytesIO()
    pq.write_table(pa.table(columns, names=head), sink, row_group_size=5, compression="snappy")
    return sink.getvalue()


def as_xlsx(cells: list[list[str]]) -> bytes:
    """Cells as a workbook of one sheet, all of them text."""
    import xlsxwriter

    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Calls")
        for y, row in enumerate(cells):
            for x, cell in enumerate(row):
                sheet.write_string(y, x, cell[:32_000])
    return sink.getvalue()


_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheet_cells(content: bytes) -> dict[int, dict[str, str]] | None:
    """Cells of a workbook's only sheet by row number and column letters; None if damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            shared = [
                "".join(t.text or "" for t in item.iter(f"{_SHEET}t"))
                for item in ET.fromstring(archive.read("xl/sharedStrings.xml"))  # noqa: S314 - our own
            ]
            root = ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))  # noqa: S314
        found: dict[int, dict[str, str]] = {}
        for cell in root.iter(f"{_SHEET}c"):
            value = cell.find(f"{_SHEET}v")
            place = cell.get("r") or ""
            letters = place.rstrip("0123456789")
            if value is None or value.text is None:
                continue
            text = shared[int(value.text)] if cell.get("t") == "s" else value.text
            found.setdefault(int(place[len(letters) :]), {})[letters] = text
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is no workbook to us
        return None
    return found
