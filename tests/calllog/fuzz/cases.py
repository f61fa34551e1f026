"""One mutated file: made from a seed and a number, the same in every run."""

import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field

import numpy as np

from . import mutators as m
from . import packing, values
from .seeds import Seed

_PLAIN_NAME = {"utf-8-sig": "utf-8"}


@dataclass(frozen=True)
class Case:
    """A mutated file and what is known of it.

    Attributes
    ----------
    file
        What the package is given.
    content
        The text as bytes, unpacked (None: it cannot be), or None of a file that is no text.
    cells
        Rows of cells of a table that is no text, where they were changed before it was written.
    same
        Numbers of the lines of the seed that no mutator touched.
    marks
        Whether quotation marks were put in or taken out.
    """

    seed: Seed
    number: int
    mutators: tuple[str, ...]
    encoding: str
    packing: str
    file: bytes
    content: bytes | None = None
    cells: list[list[str]] | None = None
    same: tuple[int, ...] = ()
    marks: bool = False
    options: dict = field(default_factory=dict)
    small_blocks: bool = False

    def __str__(self) -> str:
        ways = ", ".join(self.mutators)
        return (
            f"{self.seed.name}:{self.number} ({self.encoding}, {self.packing}, {ways}"
            f"{', small blocks' if self.small_blocks else ''})"
        )

    @property
    def much_touched(self) -> bool:
        """Whether so much is touched that nobody can tell any more what encoding the text has."""
        lines = self.seed.text.split("\n")[:-1]
        telling = {i for i, line in enumerate(lines, 1) if not line.isascii()} or {1}
        if self.encoding.startswith("utf-16"):
            telling = set(range(1, len(lines) + 1))
        touched = telling - set(self.same)
        if self.encoding == "utf-16-le" and len(self.content or b"") > 6 * len(self.seed.text):
            return True  # without a mark it is told from letters, and a long field has no others
        return "marks_inserted" in self.mutators or 8 * len(touched) > len(telling)

    @property
    def allow_cut(self) -> bool:
        return bool(self.options.get("allow_cut"))


def case_of(seed: Seed, number: int) -> Case:
    """The mutated file of that number."""
    rng = np.random.default_rng([zlib.crc32(seed.name.encode()), number])
    return _binary(seed, number, rng) if seed.binary else _text(seed, number, rng)


def _pick(rng, choices):
    return choices[int(rng.integers(len(choices)))]


def _text(seed: Seed, number: int, rng) -> Case:
    encoding = _pick(rng, ("utf-8", *seed.encodings))
    how = _pick(rng, packing.PACKINGS)
    shape = m.Shape(encoding, seed.delimiter, seed.quote or '"')
    before = packing.written(seed.text, encoding)
    options = {"allow_cut": bool(rng.random() < 0.5)}
    if rng.random() < 0.25:
        options["encoding"] = _PLAIN_NAME.get(encoding, encoding)
    json = seed.kind in ("ndjson", "answers", "document")
    choices = values.EVERYWHERE + (values.JSON * 2 if json else ())
    edits: m.Edits = []
    names: list[str] = []
    wrapped = how != "plain" and rng.random() < 0.4
    for _ in range(0 if wrapped else 1 + int(rng.geometric(0.6)) % 3):
        way = _pick(rng, choices)
        edits += way(before, rng, shape)
        names.append(way.__name__)
    after = m.applied(before, edits)
    file = packing.packed(after, how)
    if wrapped:
        way = _pick(rng, values.CONTAINERS)
        file = way(file, rng)
        names.append(way.__name__)
    content = packing.unpacked(file)
    mark = shape.coded(shape.quote)
    done = m.kept(edits)
    same = m.untouched(before, edits, shape.end) if content == after else []
    if encoding in ("utf-8-sig", "utf-16") and any(e.start == 0 for e in done):
        same = [number for number in same if number > 1]  # its mark begins the file no more
    return Case(
        seed,
        number,
        tuple(names),
        encoding,
        how,
        file,
        content,
        None,
        tuple(same),
        any(mark in e.new or mark in before[e.start : e.stop] for e in done)
        or (shape.unit > 1 and bool(done)),
        options,
        small_blocks=bool(rng.random() < 0.15),
    )


_CELLWISE = tuple(
    way
    for way in values.EVERYWHERE
    if way not in (m.quotes_unbalanced, values.field_long, m.encodings_mixed)
)


def _binary(seed: Seed, number: int, rng) -> Case:
    write = packing.as_parquet if seed.kind == "parquet" else packing.as_xlsx
    cells = packing.grid(seed.text)
    names: list[str] = []
    if rng.random() < 0.5:
        shape = m.Shape("utf-8", ",", '"')
        before = seed.text.encode()
        edits: m.Edits = []
        for _ in range(1 + int(rng.geometric(0.6)) % 3):
            way = _pick(rng, _CELLWISE)
            edits += way(before, rng, shape)
            names.append(way.__name__)
        text = m.applied(before, edits).decode(errors="replace").replace("\0", "")
        if text.strip():
            cells = packing.grid(text)
        return Case(seed, number, tuple(names), "", seed.kind, write(cells), None, cells)
    file = write(cells)
    if seed.kind == "xlsx" and rng.random() < 0.6:
        way = _pick(rng, (m.bytes_flipped, m.bytes_overwritten, m.bytes_removed, m.file_truncated))
        file, part = _inside(file, way, rng)
        names.append(f"{way.__name__} in {part}")
    else:
        way = _pick(rng, values.CONTAINERS)
        file = way(file, rng)
        names.append(way.__name__)
    return Case(seed, number, tuple(names), "", seed.kind, file)


def _inside(file: bytes, way, rng) -> tuple[bytes, str]:
    """A part of a workbook damaged, the archive around it whole."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    telling = [name for name in parts if re.search(r"sheet1|shared|workbook\.xml|styles", name)]
    chosen = _pick(rng, telling)
    shape = m.Shape("utf-8", ",", '"')
    parts[chosen] = m.applied(parts[chosen], way(parts[chosen], rng, shape))
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return sink.getvalue(), chosen.rsplit("/", 1)[-1]
