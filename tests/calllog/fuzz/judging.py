"""What must hold of every mutated file, whatever became of it."""

import json
import re
from collections import Counter
from dataclasses import dataclass

import duckdb

from ccanalytics.schema import TABLES

from . import counting
from .cases import Case
from .counting import Record
from .packing import grid, sheet_cells
from .reading import Outcome
from .refusals import excused, listed
from .seeds import Seed

_TOLD = re.compile(r"read in the encoding (\S+): ")
_BELOW = re.compile(r"the header was found in (?:line|row) (\d+);")
_ASCII_BLANK = " \t\r\x0b\x0c"


@dataclass
class Count:
    """Records of a file, found without the package."""

    records: list[Record]
    # The line that names the columns, as it stands.
    header: str = ""
    known: bool = True


@dataclass
class Base:
    """What the unmutated file gives: text of a record → its row, or why it has none."""

    count: Count
    rows: dict[str, tuple]
    note: str


NO_END = "the last line has no end"


def told_encoding(case_options: dict, remarks: list[str]) -> str:
    """The encoding that the package says it read the file in."""
    if case_options.get("encoding"):
        return case_options["encoding"]
    return next((m[1] for r in remarks if (m := _TOLD.match(r))), "utf-8")


def count(seed: Seed, content: bytes, encoding: str, outcome: Outcome) -> Count | None:
    """The records of a text, counted independently.

    Of the package's account two statements are taken for granted, because it makes them to its
    user: in which encoding it read the file, and in which line it found the header.
    """
    ours = seed.kind == "ndjson" and seed.source in ("generic", "ccanalytics")
    lines = counting.lines_of(content, encoding, returns=ours)
    if seed.kind == "lines":
        return Count(counting.line_records(lines))
    if seed.kind in ("ndjson", "answers", "document"):
        return _json_count(seed, lines)
    first, header, width = 1, "", seed.width
    ordered = any(remark.startswith("order of the columns told") for remark in outcome.remarks)
    if seed.header and not ordered:
        told = next((int(m[1]) for r in outcome.remarks if (m := _BELOW.match(r))), None)
        filled = [i for i, line in enumerate(lines, 1) if line is None or line.strip(_ASCII_BLANK)]
        first = told or next(iter(filled), 1)
        header = lines[first - 1] or "" if lines else ""
        names = counting.fields_of(header, seed.delimiter, seed.quote)
        width = len(names) if names else 0
        first += 1
    if header != seed.text.split("\n", 1)[0] and outcome.fields:
        width = outcome.fields
    delimiter = seed.delimiter
    if seed.source == "avaya_hsplit" and header:
        delimiter = max(",|;\t", key=header.count)
    records = counting.records_of(lines, first, width, delimiter, seed.quote)
    return Count(records, header)


def _json_count(seed: Seed, lines: list[str | None]) -> Count | None:
    records = counting.line_records(lines)
    source_reads_documents = seed.source in ("amazon_connect", "genesys_aggregates")
    start = next((r.text.lstrip() for r in records), "")
    told = [counting.is_json(r.text) for r in records if r.whole][:50]
    lines_of_objects = 2 * sum(told) > len(told)
    opens = start.startswith("[") or start.strip() == "{"
    if source_reads_documents and opens and not lines_of_objects:
        text = "\n".join(line or "" for line in lines)
        wrapped = text if start.startswith("[") else f"[{text}]"
        if counting.depth_of(wrapped) > 800:
            return None  # how deep a parser may go depends on where it is called
        try:
            items = json.loads(wrapped, parse_int=str, parse_float=str, object_pairs_hook=_all_told)
        except (ValueError, RecursionError):
            return Count([], known=False)
        records = [Record(i, json.dumps(item), True) for i, item in enumerate(items, 1)]
    if seed.source != "genesys_aggregates":
        return Count(records)
    found, number = [], 0
    for record in records:
        intervals = counting.answer_records(record.text) if record.whole else None
        if intervals is None:
            found.append(Record(-record.line, record.text, False))
            continue
        for j in range(intervals):
            number += 1
            found.append(Record(number, f"{record.text}#{j}", True))
    return Count(found)


def _all_told(pairs: list[tuple]) -> dict:
    """An object; one with a key that stands twice is not the same as without."""
    found = dict(pairs)
    return found if len(found) == len(pairs) else {**found, "keys that stand": len(pairs)}


def count_cells(seed: Seed, cells: list[list[str]], outcome: Outcome) -> Count:
    """The records of a table of cells."""
    first = 1
    if seed.kind == "xlsx":
        told = next((int(m[1]) for r in outcome.remarks if (m := _BELOW.match(r))), None)
        filled = [i for i, row in enumerate(cells, 1) if any(c.strip() for c in row)]
        first = told or next(iter(filled), 1)
        found = [
            Record(i, repr(row), True)
            for i, row in enumerate(cells, 1)
            if i > first and any(c.strip() for c in row)
        ]
    else:
        found = [Record(i, repr(row), True) for i, row in enumerate(cells[1:], 1)]
    return Count(found, repr(cells[first - 1]) if cells else "")


def rows_of(outcome: Outcome) -> dict[int, tuple]:
    """Line → row, or the reasons why there is none."""
    found: dict[int, tuple] = {}
    if outcome.good is not None:
        for line, *row in outcome.good.iter_rows():
            found[line] = ("row", *row)
    if outcome.bad is not None:
        for line, reasons in zip(_lines_of_rejects(outcome), outcome.bad["reasons"], strict=True):
            found[line] = ("rejected", *reasons)
    return found


_NO_ANSWER = ("not valid JSON", "JSON nested", "an answer without", "not text", "holds ")


def _lines_of_rejects(outcome: Outcome) -> list[int]:
    """Lines of rejected rows; negative for those of lines that tell no intervals to count."""
    if outcome.bad is None:
        return []
    return [
        -line if outcome.answers and reasons[0].startswith(_NO_ANSWER) else line
        for line, reasons in outcome.bad.select("_line", "reasons").iter_rows()
    ]


def base_of(seed: Seed, outcome: Outcome) -> Base:
    """What every intact record must give; the seed itself must come through whole."""
    assert not outcome.refused, (seed.name, outcome.refused)
    if seed.binary:
        counted = count_cells(seed, grid(seed.text), outcome)
    else:
        counted = count(seed, seed.text.encode(), "utf-8", outcome)
    rows = rows_of(outcome)
    assert sorted(rows) == sorted(r.line for r in counted.records), seed.name
    assert sum(row[0] == "row" for row in rows.values()) >= len(rows) / 2, (seed.name, rows)
    table = TABLES[outcome.table].names
    return Base(
        counted,
        {r.text: _comparable(rows[r.line], table) for r in counted.records},
        outcome.remarks[0] if outcome.remarks else "",
    )


def _comparable(row: tuple, names: tuple[str, ...]) -> tuple:
    """A row without what tells its place among its neighbours; not-a-number equals itself."""
    if row[0] == "row" and "place" in names:
        skip = {names.index("place") + 1, names.index("event_id") + 1}
        row = tuple(v for i, v in enumerate(row) if i not in skip)
    return tuple(map(str, row))


def problems(case: Case, outcome: Outcome, base: Base) -> list[str]:
    """What is wrong with what became of a file; nothing, if all is well."""
    if outcome.refused:
        if not listed(outcome.refused):
            return [f"refused for a cause that is not listed: {outcome.refused}"]
        return [
            f"refused without need: {outcome.refused}"
            for _ in range(not excused(case, outcome.refused, base))
        ]
    rows = rows_of(outcome)
    found = _balance(outcome, rows)
    counted = _counted(case, outcome)
    if counted is None:
        return found
    if not counted.known:
        return [*found, "read, though it is no whole JSON document"]
    want = sorted(r.line for r in counted.records)
    have = sorted(
        [
            *([] if outcome.good is None else outcome.good["_line"].to_list()),
            *_lines_of_rejects(outcome),
        ]
    )
    if want != have:
        lost, new = Counter(want) - Counter(have), Counter(have) - Counter(want)
        found.append(f"{len(have)} read, {len(want)} there: lost {[*lost][:9]}, new {[*new][:9]}")
        return found
    broken = [r.line for r in counted.records if not r.whole and rows[r.line][0] == "row"]
    if broken:
        found.append(f"broken records were loaded: lines {broken[:9]}")
    if counted.header != base.count.header or _another_order(outcome, base):
        return found
    table = TABLES[outcome.table].names
    for record in counted.records:
        if record.whole and record.text in base.rows:
            row = _comparable(rows[record.line], table)
            # Where the user says that the file may be cut, a last line without an end is.
            if case.allow_cut and record.line == want[-1] and row[-1].startswith(NO_END):
                continue
            if row != base.rows[record.text]:
                found.append(
                    f"line {record.line} is intact and loads otherwise: {row} instead of "
                    f"{base.rows[record.text]}"
                )
    found += _lost(case, counted, told_encoding(case.options, outcome.remarks))
    if case.seed.kind == "lines":
        found += _places(counted, outcome)
    return found


def _another_order(outcome: Outcome, base: Base) -> bool:
    """Whether the columns of a file without a header were told otherwise."""
    return base.note.startswith("order of") and base.note not in outcome.remarks


def _counted(case: Case, outcome: Outcome) -> Count | None:
    if case.cells is not None:
        return count_cells(case.seed, case.cells, outcome)
    if case.seed.kind == "xlsx":
        cells = sheet_cells(case.file)
        if cells is None:
            return None
        height = max(cells, default=0)
        names = sorted({name for row in cells.values() for name in row}, key=lambda n: (len(n), n))
        full = [[cells.get(y, {}).get(x, "") for x in names] for y in range(1, height + 1)]
        return count_cells(case.seed, full, outcome)
    if case.seed.kind == "parquet":
        height = _parquet_height(case.file)
        return (
            None
            if height is None
            else Count([Record(i, f"row {i}", True) for i in range(1, height + 1)], "unknown")
        )
    if case.content is None:
        return Count([], known=False)
    encoding = told_encoding(case.options, outcome.remarks)
    return count(case.seed, case.content, encoding, outcome)


def _parquet_height(file: bytes) -> int | None:
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".parquet") as copy:
        copy.write(file)
        copy.flush()
        try:
            told = "SELECT sum(num_rows) FROM parquet_file_metadata(?)"
            ((height,),) = duckdb.execute(told, [copy.name]).fetchall()
            return int(height)
        except duckdb.Error:
            return None


def _balance(outcome: Outcome, rows: dict[int, tuple]) -> list[str]:
    found = []
    loaded = 0 if outcome.good is None else outcome.good.height
    rejected = 0 if outcome.bad is None else outcome.bad.height
    if outcome.read != loaded + rejected:
        found.append(f"read {outcome.read}, loaded {loaded}, rejected {rejected}")
    if rejected and (outcome.bad["reasons"].list.len() == 0).any():
        found.append("a row was rejected without a reason")
    if rejected:
        shown = outcome.bad["_raw"].str.join("\n")[0] + repr(outcome.bad["reasons"].to_list())
        if re.search(r"0207946\d{4}|4420794\d{5}", shown):
            found.append("a caller's number stands among the rejected rows")
    return found


def _lost(case: Case, counted: Count, encoding: str) -> list[str]:
    """Records that no mutator touched, and that are not there any more.

    Excused are those within a field that stray quotation marks make, and files of which so much is
    touched that they were read in another encoding.
    """
    if case.seed.kind == "document" or not case.same:
        return []
    same = set(case.same)
    if case.seed.header and 1 not in same:
        return []
    if case.much_touched and _family(encoding) != _family(case.encoding):
        return []
    there = Counter(r.text for r in counted.records if r.whole)
    lost = Counter(_records_of_lines(case.seed, same)) - there
    # Of a record of several lines each may be as it was, and another stand between them.
    name = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(case.encoding, case.encoding)
    content = case.content or b""
    lost = Counter({t: n for t, n in lost.items() if "\n" not in t or t.encode(name) in content})
    if case.marks:
        within = [r.text for r in counted.records if r.lines > 1]
        lost = Counter({t: n for t, n in lost.items() if not any(t in one for one in within)})
        if case.seed.kind == "delimited":
            # A record of several lines may have lost its end to the field.
            lost = Counter({t: n for t, n in lost.items() if "\n" not in t})
    if lost:
        return [f"{lost.total()} records that nobody touched are lost: {[*lost][:2]}"]
    return []


def _family(encoding: str) -> str:
    return {"utf-8-sig": "utf-8", "ascii": "utf-8"}.get(encoding, encoding.removesuffix("-le"))


def _records_of_lines(seed: Seed, same: set[int]) -> list[str]:
    """Texts of the seed's records that stand in these lines alone."""
    lines = seed.text.split("\n")
    found = []
    at = 1 if not seed.header else 2
    if seed.kind == "delimited":
        width = seed.width or len(counting.fields_of(lines[0], seed.delimiter, seed.quote) or ())
        records = counting.records_of(lines[:-1], at, width, seed.delimiter, seed.quote)
    else:
        records = counting.line_records(lines[:-1])
    for record in records:
        if same.issuperset(range(record.line, record.line + record.lines)):
            found += (
                [f"{record.text}#{j}" for j in range(counting.answer_records(record.text) or 0)]
                if seed.kind == "answers"
                else [record.text]
            )
    return found


def _places(counted: Count, outcome: Outcome) -> list[str]:
    """Events are numbered within their second, and no two of it have one name."""
    if outcome.good is None or not outcome.good.height:
        return []
    found = []
    second, place, run = None, 0, 0
    want = {}
    for record in counted.records:
        if not record.whole:
            continue
        told = record.text.split("|", 1)[0]
        run += told != second
        place = place + 1 if told == second else 1
        second = told
        want[record.line] = run, place
    events = outcome.good.select("_line", "place", "event_id").rows()
    wrong = [line for line, place, _ in events if want[line][1] != place]
    if len({(want[line][0], name) for line, _, name in events}) != len(events):
        found.append("two events of one second have one name")
    if wrong:
        found.append(f"places within the second are wrong: lines {wrong[:9]}")
    return found
