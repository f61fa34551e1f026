"""NDJSON: one JSON object a line, its members as columns, those of objects within as a.b."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from ccanalytics.calllog.database import in_memory
from ccanalytics.calllog.decoding import TextFile
from ccanalytics.calllog.masking import few_names
from ccanalytics.calllog.nesting import DEEPEST, TOO_DEEP, too_deep
from ccanalytics.calllog.readers.base import HEADER_LINES, Reader
from ccanalytics.calllog.reading import Rows
from ccanalytics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from ccanalytics.calllog.sources import Plan

__all__ = ["Ndjson", "looks_like_json"]

_MOST_NAMES = 10_000
# The kind of a line that no parser is asked about.
_DEEP = "DEEP"


def looks_like_json(text: TextFile) -> bool:
    """Whether the first line is a JSON object or opens a list of them, or most of the first ones
    are objects: one line may be damaged, the first as well as any other."""
    probe = TextFile(text.path, text.encoding, text.most_times)
    try:
        lines = [line.strip() for _, line in probe.first_lines(HEADER_LINES)]
    except InputError:
        return False  # whoever reads it as text says why it cannot be read
    if lines[0] == "[" or lines[0].startswith("[{"):
        return True
    return _is_object(lines[0]) or 2 * sum(map(_is_object, lines)) > len(lines)


def _is_object(line: str) -> bool:
    if not line.startswith("{") or too_deep(line):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


class Ndjson(Reader):
    """Reader of NDJSON. Names are gathered in a first pass: a member may come late."""

    def __init__(self, text: TextFile) -> None:
        self.text = text
        self._paths: dict[str, str] = {}
        self._strange: list[str] = []

    def headers(self) -> Iterator[tuple[int, list[str]]]:
        """The names of all members, in the order in which they first appear."""
        (number, line), *second = self.text.first_lines(2)
        # A list's own objects end in a comma, or go on for lines; one that is whole is a row.
        if line.lstrip().startswith("[") and not any(
            _is_object(text.strip()) for _, text in second
        ):
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

    def without(self, header: list[str], strangers: list[str]) -> list[str]:
        """The header without those that stand in no more than half of the objects."""
        paths = [self._paths[name] for name in strangers]
        held, objects = [0] * len(paths), 0
        for lines, _, _, _ in self._lines():
            kinds, texts = _extracted(lines, paths)
            objects += kinds.filter(kinds == "OBJECT").len()
            held = [
                count + texts[:, i].filter(texts[:, i] != "").len() for i, count in enumerate(held)
            ]
        rare = {n for n, count in zip(strangers, held, strict=True) if 2 * count <= objects}
        self._strange = [name for name in header if name in rare]
        return [name for name in header if name not in rare]

    def rows(self, plan: Plan, header: int) -> Iterator[Rows]:  # noqa: ARG002 - there is no line
        """Blocks of rows; lines that are no JSON object apart."""
        import polars as pl

        names = [name for name in self._paths if name not in self._strange]
        paths = [self._paths[name] for name in (*names, *self._strange)]
        for lines, numbers, position, open_line in self._lines():
            kinds, texts = _extracted(lines, paths)
            frame = pl.DataFrame({"_line": numbers, "_raw": lines})
            good = texts[:, : len(names)]
            good = good.rename(dict(zip(good.columns, plan.fields, strict=True)))
            why = pl.select(
                pl.when(kinds == _DEEP)
                .then(pl.lit(f"{TOO_DEEP}: more than {DEEPEST} levels"))
                .when(kinds == "")
                .then(pl.lit("not valid JSON: the line is damaged or cut off"))
                .when(kinds != "OBJECT")
                .then(pl.lit("not a JSON object"))
            ).to_series()
            for i, name in enumerate(self._strange, len(names)):
                told = pl.lit(f"a member that this format does not have: {few_names([name])}")
                why = why.fill_null(pl.select(pl.when(texts[:, i] != "").then(told)).to_series())
            right = why.is_null()
            bad = frame.with_columns(reasons=pl.concat_list(pl.lit(why))).filter(~right)
            yield Rows(
                pl.concat([frame, good], how="horizontal").filter(right),
                bad,
                position,
                # A whole object is not cut off, with or without a line end.
                open_line if open_line in bad["_line"].to_list() else None,
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
            filled = lines.str.strip_chars(" \r") != ""
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


def _query(lines: pl.Series, sql: str, parameters: list[Any] | dict[str, Any]) -> pl.DataFrame:
    import polars as pl

    with in_memory() as connection:
        connection.register("json_lines", pl.DataFrame({"l": lines}).to_arrow())
        frame = pl.from_arrow(connection.sql(sql, params=parameters).to_arrow_table())
    return cast("pl.DataFrame", frame)


def _deep(lines: pl.Series) -> pl.Series:
    """Which lines are nested too deeply; few have so many brackets that it must be counted."""
    import polars as pl

    many = (lines.str.count_matches(r"[\[{]") > DEEPEST).fill_null(value=False)
    if not many.any():
        return many
    return pl.Series([some and too_deep(line) for some, line in zip(many, lines, strict=True)])


def _paths(lines: pl.Series) -> list[str]:
    """JSON pointers to all members that hold a value, depth first."""
    lines = lines.filter(~_deep(lines))
    if not len(lines):
        return []
    found: list[str] = []
    pending: list[tuple[str, Any]] = [("", _shape(lines, ""))]
    while pending:
        path, value = pending.pop()
        # A member may hold an object here and a text there: then its objects are asked alone.
        inside = _shape(lines, path) if value == "JSON" else value
        if isinstance(inside, dict) and inside:
            pending.extend(
                (f"{path}/{name.replace('~', '~0').replace('/', '~1')}", inner)
                for name, inner in reversed(list(inside.items()))
            )
        if path and not (isinstance(value, dict) and value):
            found.append(path)
    return found


def _shape(lines: pl.Series, path: str) -> Any:
    """The members of all objects at a path, each with its type."""
    told = _query(
        lines,
        "SELECT json_group_structure(json_extract(j, $path)) AS shape FROM (SELECT "
        "CASE WHEN json_valid(l) THEN l ELSE 'null' END::JSON AS j FROM json_lines) "
        "WHERE json_type(j, $path) = 'OBJECT'",
        {"path": path},
    )["shape"][0]
    return json.loads(told or "{}")


def _name(path: str) -> str:
    return ".".join(
        part.replace("~1", "/").replace("~0", "~") for part in path.removeprefix("/").split("/")
    )


def _extracted(lines: pl.Series, paths: list[str]) -> tuple[pl.Series, pl.DataFrame]:
    """The kind of each line ('' if not JSON), and the members at the paths as text."""
    import polars as pl

    deep = _deep(lines)
    # Paths are bound; a line that is not valid is read as an empty object.
    frame = _query(
        pl.select(pl.when(~deep).then(lines).otherwise(pl.lit(""))).to_series(),
        "SELECT CASE WHEN json_valid(l) THEN json_type(l) ELSE '' END AS kind, "
        "json_extract_string(CASE WHEN json_valid(l) THEN l ELSE '{}' END, ?::VARCHAR[]) AS found "
        "FROM json_lines",
        [paths],
    )
    found = frame["found"]
    kinds = pl.select(pl.when(deep).then(pl.lit(_DEEP)).otherwise(frame["kind"])).to_series()
    return kinds, pl.DataFrame(
        [
            found.list.get(i, null_on_oob=True).fill_null("").alias(f"_{i}")
            for i in range(len(paths))
        ]
    )
