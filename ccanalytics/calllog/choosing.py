"""Which files a load is meant to read: files, folders and patterns, in a stable order."""

from __future__ import annotations

import glob
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ccanalytics.calllog.decoding import check_file
from ccanalytics.calllog.sources.canonical import table_of
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ccanalytics.calllog.sources import Source

__all__ = ["Chosen", "files_to_load"]

# What lies beside exports in a folder without being one.
_BESIDE = re.compile(
    r"(\.(toml|md|rst|html?|pdf|docx?|pptx?|png|jpe?g|py|ipynb|sql|sh|bat|ini|cfg|ya?ml|log\.lock"
    r"|duckdb(\.wal)?|sqlite3?|db|key|tmp|part|bak|crdownload)|~)$",
    re.IGNORECASE,
)
_NOT_EXPORTS = ("centre.json", "truth.json")
_MOST = 100_000


@dataclass(frozen=True)
class Chosen:
    """Files to load, in order, and what a folder holds besides."""

    files: tuple[Path, ...]
    passed_over: tuple[Path, ...] = ()
    # Whether a folder or a pattern was given: then one bad file does not keep the others out.
    several: bool = False

    @property
    def bytes(self) -> int:
        """Size of all files that can be seen."""
        return sum(file.stat().st_size for file in self.files if file.is_file())


def files_to_load(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], source: Source
) -> Chosen:
    """The files that paths stand for.

    A path that exists is that file or folder, whatever characters it holds; otherwise ``*``, ``?``
    and ``[…]`` make it a pattern. Of a folder come its files in the order of their names, hidden
    ones, notes and mappings left out, folders within left alone; of canonical tables those named
    after one. A file named twice is loaded once.

    Raises
    ------
    InputError
        A path stands for no file.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not given:
        raise InputError("no file is named", "path is empty", "name files, a folder or a pattern")
    files: dict[str, Path] = {}
    passed: list[Path] = []
    several = len(given) > 1
    for one in given:
        path = Path(one)
        found, beside = _expanded(path, source)
        several = several or found != [path]
        passed.extend(beside)
        for file in found:
            files.setdefault(os.path.realpath(file), file)
    if len(files) > _MOST:
        raise InputError(f"this stands for more than {_MOST:,} files", str(given[0]))
    return Chosen(tuple(files.values()), tuple(passed), several)


def _expanded(path: Path, source: Source) -> tuple[list[Path], list[Path]]:
    try:
        exists = path.exists() or path.is_symlink()
        folder = path.is_dir()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError("the path cannot be used", repr(str(path)), why) from error
    if not exists:
        return _matching(path), []
    if not folder:
        check_file(path)
        return [path], []
    try:
        within = sorted((f for f in path.iterdir() if not f.is_dir()), key=lambda f: f.name)
    except OSError as error:
        raise InputError(
            "the folder cannot be read", str(path), error.strerror or "check it"
        ) from error
    visible = [file for file in within if not file.name.startswith((".", "~$"))]
    files = [file for file in visible if _is_export(file, source)]
    if not files:
        raise InputError(
            "no file in this folder is named after a canonical table"
            if source.name == "ccanalytics"
            else "no file in this folder is an export",
            str(path),
            "such as calls.csv; see data/README.md"
            if source.name == "ccanalytics"
            else "name the files; folders within it are not looked into",
        )
    return files, [file for file in visible if file not in files]


def _is_export(file: Path, source: Source) -> bool:
    if _BESIDE.search(file.name) or file.name in _NOT_EXPORTS:
        return False
    return source.name != "ccanalytics" or table_of(file) is not None


def _matching(path: Path) -> list[Path]:
    if not glob.has_magic(str(path)):
        raise InputError("there is no such file", str(path), "check the path")
    try:
        found = sorted(Path(name) for name in glob.glob(str(path)))  # noqa: PTH207
    except (OSError, ValueError, RecursionError, re.error) as error:
        raise InputError("the pattern cannot be used", str(path), str(error)) from error
    files = [file for file in found if not file.is_dir() and not _BESIDE.search(file.name)]
    if not files:
        raise InputError("no file matches this pattern", str(path), "check the path")
    return files
