"""Writing the sample centre: whole or not at all, in the canonical written form."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccanalytics.errors import InputError
from ccanalytics.schema import TABLES
from ccanalytics.simulation.sample.truth import TRUTH_FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl


__all__ = ["FORMS", "complete_or_nothing", "write_json", "write_table"]

_OURS = re.compile(rf"({'|'.join(TABLES)})(_\d{{4}}-\d{{2}})?\.(csv|parquet)|(centre|truth)\.json")
FORMS = ("csv", "parquet")
_UNFINISHED = ".sample-"  # what a run that was killed leaves behind; ours to ignore


@contextmanager
def complete_or_nothing(directory: str | Path) -> Iterator[tuple[Path, Path]]:
    """A place to write to, and where its files will be when all are written.

    An empty directory and an earlier sample are replaced; anything else is left alone.

    Raises
    ------
    InputError
        The path is a file, holds other files, or cannot be written.
    """
    try:
        target = Path(directory).resolve()
        _refuse_foreign(target)
        beside = target if target.exists() else target.parent
        beside.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=beside))
    except (OSError, ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            "the sample cannot be written there",
            f"directory={str(directory)!r}, {getattr(error, 'strerror', None) or error}",
            "name a directory that you may write",
        ) from error
    try:
        new = place / "new"
        new.mkdir()
        yield new, target
        _refuse_foreign(target)
        if target.exists():
            _exchange(new, target, place / "old")
        else:
            new.rename(target)
    except OSError as error:
        raise InputError(
            "writing the sample failed, nothing of it was kept",
            f"directory={str(directory)!r}, {error.strerror or error}",
            "free some space or name another directory",
        ) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _exchange(new: Path, target: Path, old: Path) -> None:
    """Files of ``new`` for those of ``target``; the directory itself stays, someone may be in it.

    Whatever goes wrong half-way, the earlier files come back.
    """
    old.mkdir()
    earlier = [each for each in target.iterdir() if not each.name.startswith(_UNFINISHED)]
    fresh = sorted(new.iterdir())
    try:
        for each in earlier:
            each.rename(old / each.name)
        for each in fresh:
            each.rename(target / each.name)
    except BaseException:
        for each in fresh:
            (target / each.name).unlink(missing_ok=True)
        for each in old.iterdir():
            each.rename(target / each.name)
        raise


def _refuse_foreign(target: Path) -> None:
    if not target.exists():
        return
    where = f"directory={str(target)!r}"
    if not target.is_dir():
        raise InputError("the path is a file, not a directory", where, "name a new directory")
    names = sorted(each.name for each in target.iterdir() if not each.name.startswith(_UNFINISHED))
    if not names:
        return
    foreign = [name for name in names if not _OURS.fullmatch(name)]
    if foreign:
        raise InputError(
            "the directory holds other files",
            f"{where}, {foreign[0]!r}",
            "name a new or empty directory, or one that holds nothing but an earlier sample",
        )
    try:
        truth = json.loads((target / "truth.json").read_text(encoding="utf-8"))
        earlier = truth.get("format") == TRUTH_FORMAT
    except (OSError, ValueError, AttributeError):
        earlier = False
    if not earlier:
        raise InputError(
            "the directory holds exports that no earlier sample wrote",
            f"{where}, {names[0]!r}",
            "name a new or empty directory",
        )


def write_table(
    directory: Path, table: str, frame: pl.DataFrame, suffix: str = "", form: str = "csv"
) -> Path:
    """One file of a canonical table, its columns in the order of the schema."""
    path = directory / f"{table}{suffix}.{form}"
    names = [name for name in TABLES[table].names if name in frame.columns]
    if form == "parquet":
        import polars as pl

        aware = pl.selectors.datetime().dt.replace_time_zone("UTC")
        frame.select(names).with_columns(aware).write_parquet(path)
        return path
    frame.select(names).write_csv(
        path, datetime_format="%Y-%m-%dT%H:%M:%SZ", date_format="%Y-%m-%d", line_terminator="\n"
    )
    return path


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """JSON with one line for each row of numbers, so that a person can read it."""
    text = json.dumps(content, ensure_ascii=False, indent=1)
    text = re.sub(r"\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]", _in_one_line, text)
    path.write_text(text + "\n", encoding="utf-8")


def _in_one_line(numbers: re.Match[str]) -> str:
    return "[" + re.sub(r"\s+", " ", numbers.group(1)) + "]"
