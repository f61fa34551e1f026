"""A load: read, check, stage, then one transaction on the log's next state.

Reading, checking and giving pseudonyms go to a private folder beside the log, block by block in
several threads; other loads are kept out only while the staged rows are taken over, and readers
never. All of a file comes in, or nothing. ``read = loaded + duplicates + rejected``, always.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ccanalytics.calllog.blocks import Checked, checked_block
from ccanalytics.calllog.decoding import check_file, kind_of
from ccanalytics.calllog.pseudonyms import agree
from ccanalytics.calllog.readers import open_table
from ccanalytics.calllog.report import FileLoad
from ccanalytics.calllog.staging import Staging, staging_in
from ccanalytics.calllog.takeover import take_over
from ccanalytics.calllog.workspace import stage
from ccanalytics.errors import InputError
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from ccanalytics.calllog.choosing import Chosen
    from ccanalytics.calllog.reading import Rows
    from ccanalytics.calllog.sources import Plan, Settings, Source
    from ccanalytics.calllog.store import Store

__all__ = ["Progress", "Target", "load_files"]

Progress = Callable[[int, int, str], None]
logger = logging.getLogger("ccanalytics")


@dataclass(frozen=True)
class Target:
    """The log that a load goes into, and what it needs to be made if it is new."""

    store: Store
    time_zone: str
    package_version: str


def load_files(
    target: Target, files: Chosen, source: Source, settings: Settings, progress: Progress | None
) -> tuple[list[FileLoad], dict[str, InputError]]:
    """Load files one by one; of several, those that cannot be loaded do not keep others out.

    Returns
    -------
    (list of FileLoad, dict)
        The account of each file that was loaded; file → why of those that were not.
    """
    loads: list[FileLoad] = []
    failed: dict[str, InputError] = {}
    done, total = 0, files.bytes
    with target.store.loading(target.time_zone, target.package_version):
        for file in files.files:
            report = _within(progress, done, total)
            try:
                loads.append(_load_file(target, file, source, settings, report))
            except InputError as error:
                if not files.several:
                    raise
                failed[os.fsencode(file).decode(errors="replace")] = error
            done += file.stat().st_size if file.is_file() else 0
    if failed and not loads:
        raise _none_loaded(failed)
    return loads, failed


def _none_loaded(failed: dict[str, InputError]) -> InputError:
    first = next(iter(failed.values()))
    if len(failed) == 1:
        return first
    return InputError(f"none of {len(failed)} files can be loaded", f"the first: {first}")


def _within(progress: Progress | None, done: int, total: int) -> Progress | None:
    """Progress of one file as progress of all."""
    if progress is None:
        return None
    return lambda part, _, what: progress(min(done + part, total), total, what)


def _load_file(
    target: Target, path: Path, source: Source, settings: Settings, progress: Progress | None
) -> FileLoad:
    """Load one file: all of it or nothing."""
    stage("reading")
    _check_name(path)
    size = check_file(path)
    digest = _fingerprint(path)
    if not target.store.is_new():
        with target.store.reading() as connection:
            known = _known(connection, digest, source, settings)
        if known is not None:
            return replace(known, file=str(path))
    if size == 0:
        raise InputError(
            "the file is empty", str(path), "export it again; there is nothing to load"
        )
    if settings.sheet is not None and kind_of(path) != "excel":
        raise InputError(
            "the file is no workbook: it has no sheets",
            f"{path}: sheet={settings.sheet!r}",
            "leave the sheet out",
        )
    opened = source.open(path, settings) or open_table(path, source, settings)
    plan = opened.plan

    def check(rows: Rows) -> Checked:
        return checked_block(rows, plan, source, settings)

    stage("staging")
    with (
        target.store.staging() as folder,
        staging_in(folder) as staged,
        contextlib.closing(opened.worked(check)) as blocks,
    ):
        for block in blocks:
            _refuse_cut(path, block)
            staged.add(block.good, block.bad, block.read)
            staged.remarks.update(block.remarks)
            if progress:
                progress(min(block.bytes_read, size), size, path.name)
        staged.close()
        if staged.read > staged.rejected:
            notes = [*opened.remarks(), *plan.notes]
            staged.remarks.update(dict.fromkeys(notes, staged.read - staged.rejected))
        loaded = _commit(target, path, source, settings, plan, digest, staged)
    if progress:
        progress(size, size, path.name)
    logger.info("%s: read %d, loaded %d", path, staged.read, loaded.loaded)
    return loaded


def _check_name(path: Path) -> None:
    """The books keep a file's name as text."""
    name = os.fsencode(path).decode(errors="replace")
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise InputError("the name of this file is no UTF-8 text", name, "rename it") from error


def _refuse_cut(path: Path, block: Checked) -> None:
    """A last line without a line end that cannot be used: the export was cut off there."""
    if block.open_line is None:
        return
    if (block.bad["_line"] == block.open_line).any():
        raise InputError(
            "the file is cut off in the middle of its last line",
            f"{path}, line {block.open_line}",
            "export it again, or load what is whole with --allow-cut; nothing was loaded",
        )


def _commit(
    target: Target,
    path: Path,
    source: Source,
    settings: Settings,
    plan: Plan,
    digest: str,
    staged: Staging,
) -> FileLoad:
    """Take the staged rows over, in one transaction that holds the log for a moment."""
    table = TABLES[plan.table]
    good = staged.read - staged.rejected
    with target.store.writing(target.time_zone, target.package_version) as connection:
        # Another load may have brought in this very file meanwhile.
        known = _known(connection, digest, source, settings)
        if known is not None:
            return replace(known, file=str(path))
        agree(connection, settings.key, str(target.store.path))
        loaded, before = 0, _rows(connection)
        if staged.holds(staged.rows):
            with source.taking_over(connection, staged.rows) as remarks:
                loaded = take_over(connection, staged.rows, table, source.newest)
            staged.remarks.update(remarks)
        duplicates = good - loaded
        (number,) = connection.execute(
            'INSERT INTO loads (file, source, "table", fingerprint, settings, "read", loaded, '
            'duplicates, rejected, "at") '
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, now() AT TIME ZONE 'UTC') RETURNING load",
            [
                path.name,
                source.name,
                plan.table,
                digest,
                settings.text(),
                staged.read,
                loaded,
                duplicates,
                staged.rejected,
            ],
        ).fetchall()[0]
        if staged.holds(staged.rejects):
            connection.execute(
                "INSERT INTO rejects SELECT ?, _line, _raw, reasons FROM read_parquet(?)",
                [number, str(staged.rejects)],
            )
        for remark, rows in staged.remarks.items():
            connection.execute("INSERT INTO remarks VALUES (?, ?, ?)", [number, remark, rows])
        # What was derived from the rows, or replaced by them, is in the books too.
        for name, rows in _rows(connection).items():
            more = rows - before[name] - (loaded if name == plan.table else 0)
            if more:
                connection.execute("INSERT INTO adjustments VALUES (?, ?, ?)", [number, name, more])
    return FileLoad(
        str(path),
        plan.table,
        staged.read,
        loaded,
        duplicates,
        staged.rejected,
        dict(staged.reasons),
        dict(staged.remarks),
        identifiers=settings.identifiers,
        cannot_tell=source.cannot_tell,
    )


def _rows(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many rows each table has."""
    return {
        name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0])  # noqa: S608
        for name in TABLES
    }


def _known(
    connection: duckdb.DuckDBPyConnection, digest: str, source: Source, settings: Settings
) -> FileLoad | None:
    """The account of an earlier load of this very file in this very way."""
    rows = connection.execute(
        'SELECT load, "table", "read", loaded, duplicates, rejected FROM loads '
        "WHERE fingerprint = ? AND source = ? AND settings = ? ORDER BY load LIMIT 1",
        [digest, source.name, settings.text()],
    ).fetchall()
    if not rows:
        return None
    load, table, read, loaded, duplicates, rejected = rows[0]
    reasons = connection.execute(
        "SELECT reason, count(*) FROM (SELECT unnest(reasons) AS reason FROM rejects "
        "WHERE load = ?) GROUP BY reason",
        [load],
    ).fetchall()
    remarks = connection.execute(
        'SELECT remark, "rows" FROM remarks WHERE load = ?', [load]
    ).fetchall()
    return FileLoad(
        "",
        table,
        read,
        0,
        loaded + duplicates,
        rejected,
        dict(reasons),
        dict(remarks),
        already_loaded=True,
        identifiers=settings.identifiers,
        cannot_tell=source.cannot_tell,
    )


def _fingerprint(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            "the file cannot be read", str(path), error.strerror or "check it"
        ) from error
