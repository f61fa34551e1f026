"""What the package makes of a file: through its whole load, or up to the database's door."""

from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ccanalytics.calllog import loading, reading
from ccanalytics.calllog.arguments import placed, settings_for
from ccanalytics.calllog.blocks import checked_block
from ccanalytics.calllog.decoding import blocks, check_file
from ccanalytics.calllog.readers import open_table
from ccanalytics.calllog.sources import find_source, json_records
from ccanalytics.errors import InputError

from .seeds import Seed

_SAID = (
    *("mapping", "table", "time_zone", "encoding", "key_file", "identifiers", "sheet"),
    *("most_times", "columns"),
)
CENTRE = "Europe/London"


@dataclass
class Outcome:
    """Rows, rejects and remarks; or why the whole file was refused."""

    refused: str = ""
    table: str = ""
    fields: int = 0
    read: int = 0
    good: pl.DataFrame | None = None
    bad: pl.DataFrame | None = None
    remarks: list[str] = field(default_factory=list)
    # Whether records are intervals of answers, several of which stand in one line.
    answers: bool = False
    # Whether of several rows with one key the latest counts.
    newest: bool = False


def load_options(seed: Seed, more: dict, key: Path) -> dict:
    """The arguments of ``CallLog.load``."""
    options = {**seed.options, **more}
    if options.get("key_file"):
        options["key_file"] = key
    else:
        options.setdefault("identifiers", "as_they_are")
    return options


def read(path: Path, seed: Seed, options: dict) -> Outcome:
    """All that a load does before it takes its rows over."""
    source = find_source(seed.source)
    said = {name: options.get(name) for name in _SAID}
    said["allow_cut"] = options.get("allow_cut", False)
    settings = placed(settings_for(source, said), source, CENTRE)
    try:
        if not check_file(path):
            return Outcome(refused="the file is empty")
        opened = source.open(path, settings) or open_table(path, source, settings)
        found, good, bad = 0, [], []
        work = lambda rows: checked_block(rows, opened.plan, source, settings)  # noqa: E731
        with closing(opened.worked(work)) as checked:
            for block in checked:
                loading._refuse_cut(path, block)
                found += block.read
                good.append(block.good)
                bad.append(block.bad)
        remarks = [*opened.remarks(), *opened.plan.notes]
    except InputError as error:
        return Outcome(refused=error.what)
    return Outcome(
        "",
        opened.plan.table,
        len(opened.plan.fields),
        found,
        pl.concat(good) if good else None,
        pl.concat(bad) if bad else None,
        remarks,
        seed.source == "genesys_aggregates",
        source.newest is not None,
    )


@contextmanager
def small_blocks():
    """Files are read in blocks of a few hundred bytes, so that small ones have seams too."""
    places = (
        (blocks, "BLOCK_BYTES", 1200),
        (blocks, "SAMPLE_BYTES", 2048),
        (reading, "_PIECE_BYTES", 300),
        (json_records, "_ITEMS_A_BLOCK", 3),
    )
    before = [getattr(module, name) for module, name, _ in places]
    for module, name, value in places:
        setattr(module, name, value)
    try:
        yield
    finally:
        for (module, name, _), value in zip(places, before, strict=True):
            setattr(module, name, value)
