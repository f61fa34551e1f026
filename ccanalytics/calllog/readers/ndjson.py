"""NDJSON: one JSON object a line, its members as columns, those of objects within as a.b."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from ccanalytics.calllog.database import in_memory
from ccanalytics.calllog.decoding import TextFile
from ccanalytics.calllog.readers.base import Reader
from ccanalytics.calllog.reading import Rows
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from ccanalytics.calllog.sources import Plan

__all__ = ["Ndjson", "looks_like_json"]

_MOST_NAMES = 10_000


def looks_like_json(text: TextFile) -> bool:
    """Whether the first line is a JSON object, or opens a JSON list of them."""
    probe = TextFile(text.path, text.encoding, text.most_times)
    try:
        ((_, line),) = probe.first_lines(1)
    except InputError:
        return False  # whoever reads it as text says why it cannot be read
    start = line.lstrip()
    if not start.startswith(("{", "[{")) and start.strip() != "[":
        return False
    try:
        return isinstance(json.loads(start), dict | list)
    except (ValueError, RecursionError):
        return start.startswith("[")


class Ndjson(Reader):
    """Reader of NDJSON. Names are gathered in a first pass: a member may come late."""

    def __init__(self, text: TextFile, *, allow_cut: bool = False) -> None:
        self.text = text
        self._allow_cut = allow_cut
        self._paths: dict[str, str] = {}

    def headers(self) -> Iterator[tuple[int, list[str]]]:
        """The names of all members, in the order in which they first appear."""
        ((number, line),) = self.text.first_lines(1)
        if line.lstrip().startswith("["):
            raise InputError(
                "this is one JSON list, not one JSON object a line",
                f"{self.text.path}, line {number}",
                "write it as NDJSON, such as with jq -c '.[]'",
            )
        self._paths = {}
        for lines, _, _, _ in self._lines():
            for path in _paths(lines):
                self._paths.setdefault(_name(path), path)
            if len(self._paths) > _MOST_NAMES:
                raise InputError(
                    f"the objects have more than {_MOST_NAMES:,} different members",
                    str(self.text.path),
                    "check which file this is",
                )
        yield 0, list(self._paths)

    def rows(self, plan: Plan, header: int) -> Iterator[Rows]:  # noqa: ARG002 - there is no line
        """Blocks of rows; lines that are no JSON object apart."""
        import polars as pl

        for lines, numbers, position, open_line in self._lines():
            kinds, texts = _extracted(lines, list(self._paths.values()))
            frame = pl.DataFrame({"_line": numbers, "_raw": lines, "_kind": kinds})
            good = texts.rename(dict(zip(texts.columns, plan.fields, strict=True)))
            told = pl.when(pl.col("_kind") == "").then(
                pl.lit("not valid JSON: the line is damaged or cut off")
            )
            reasons = told.otherwise(pl.lit("not a JSON object"))
            bad = frame.filter(pl.col("_kind") != "OBJECT").select(
                "_line", "_raw", pl.concat_list(reasons).alias("reasons")
            )
            yield Rows(
                pl.concat([frame, good], how="horizontal")
                .filter(pl.col("_kind") == "OBJECT")
                .drop("_kind"),
                bad,
                position,
                None if self._allow_cut else open_line,
            )

    def remarks(self) -> list[str]:
        """The encoding, where it is not UTF-8."""
        return self.text.remarks()

    def _lines(self) -> Iterator[tuple[pl.Series, pl.Series, int, int | None]]:
        """Lines that are not blank, their numbers, bytes so far, and a last line left open."""
        import polars as pl

        start = 1
        for block, open_end, position in self.text.blocks():
            count = block.count(b"\n") + open_end
            try:
                text = block.decode()
            except UnicodeDecodeError:
                # A replacement character is no JSON outside of a text; within one it shows.
                text = b"\n".join(
                    line
                    if _is_text(line)
                    else b"\xef\xbf\xbd" + line.decode(errors="replace").encode()
                    for line in block.split(b"\n")
                ).decode()
            lines = pl.Series("_raw", text.removesuffix("\n").split("\n"), dtype=pl.String)
            numbers = pl.int_range(start, start + len(lines), dtype=pl.Int64, eager=True)
            filled = lines.str.strip_chars() != ""
            yield (
                lines.filter(filled),
                numbers.filter(filled),
                position,
                start + count - 1 if open_end else None,
            )
            start += count


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _query(lines: pl.Series, sql: str, parameters: list[Any] | None = None) -> pl.DataFrame:
    import polars as pl

    with in_memory() as connection:
        connection.register("json_lines", pl.DataFrame({"l": lines}).to_arrow())
        frame = pl.from_arrow(connection.sql(sql, params=parameters or []).to_arrow_table())
    return cast("pl.DataFrame", frame)


def _paths(lines: pl.Series) -> list[str]:
    """JSON pointers to all members that hold a value, depth first."""
    if not len(lines):
        return []
    shape = _query(
        lines,
        "SELECT json_group_structure(l::JSON) AS shape FROM json_lines "
        "WHERE json_valid(l) AND json_type(l) = 'OBJECT'",
    )["shape"][0]
    found: list[str] = []
    pending: list[tuple[str, Any]] = [("", json.loads(shape or "{}"))]
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict) and value:
            pending.extend(
                (f"{path}/{name.replace('~', '~0').replace('/', '~1')}", inner)
                for name, inner in reversed(list(value.items()))
            )
        elif path:
            found.append(path)
    return found


def _name(path: str) -> str:
    return ".".join(
        part.replace("~1", "/").replace("~0", "~") for part in path.removeprefix("/").split("/")
    )


def _extracted(lines: pl.Series, paths: list[str]) -> tuple[pl.Series, pl.DataFrame]:
    """The kind of each line ('' if not JSON), and the members at the paths as text."""
    import polars as pl

    # Paths are bound; a line that is not valid is read as an empty object.
    frame = _query(
        lines,
        "SELECT CASE WHEN json_valid(l) THEN json_type(l) ELSE '' END AS kind, "
        "json_extract_string(CASE WHEN json_valid(l) THEN l ELSE '{}' END, ?::VARCHAR[]) AS found "
        "FROM json_lines",
        [paths],
    )
    found = frame["found"]
    return frame["kind"], pl.DataFrame(
        [
            found.list.get(i, null_on_oob=True).fill_null("").alias(f"_{i}")
            for i in range(len(paths))
        ]
    )
