"""The mapping of a generic table: a TOML file that says which column is what.

``ccanalytics mapping FILE`` proposes one.

.. code-block:: toml

    [file]
    time_zone = "Europe/London"          # where the clock of the timestamps stands; or "UTC", or
                                         # "centre": that of --time-zone, else of the log
    timestamp = "%d/%m/%Y %H:%M:%S"      # strptime; several as a list; or "iso", "epoch_s",
                                         # "epoch_ms", "excel" (days since 1899-12-30)
    date = "%Y-%m-%d"                    # optional: strptime of columns that hold dates
    table = "calls"                      # optional: the table the file fills
    delimiter = ","                      # optional; "tab" is understood
    quote = '"'                          # optional; "" for none
    encoding = "utf-8"                   # optional; found out if left out
    sheet = "Calls"                      # optional: of a workbook with several
    decimal = ","                        # optional; "." if left out
    thousands = "."                      # optional; none if left out
    null = ["", "NULL", "-"]             # optional: texts that mean unknown
    raw_numbers = true                   # optional: callers' numbers are in it, so that a load
                                         # insists on a key for pseudonyms, or on doing without;
                                         # left out: where customer or agent is mapped
    note = "untested"                    # optional: what to remark of every row

    [columns]                            # canonical column = column of the file
    call_id = "Call ID"
    arrived_at = "Start time"            # date and time apart: ["Date", "Time"]
    wait_s = "Queue (sec)"
    talk_s = "Talk"
    outcome = "Disposition"

    [units]                              # optional: s (default), ms, min, hms, day (Excel)
    talk_s = "hms"

    [outcomes]                           # code in the file = canonical outcome
    ANSWERED = "answered"
    "NO ANSWER" = "abandoned"

    [constants]                          # optional: the same for every row
    queue = "sales"

A timestamp in two columns (or more) is written as a list; their texts are joined by a space before
``timestamp`` is applied, so that its form covers both: ``"%d/%m/%Y %H:%M:%S"``. Where a form has
``%p``, 上午 and 下午 are read as AM and PM. Full-width digits and signs are read as plain ones in
times and durations. ``hms`` reads H:MM:SS (with any number of hours), MM:SS, and words: 2m 30s,
1小时2分3秒.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.decoding import check_file
from ccanalytics.calllog.store import check_time_zone
from ccanalytics.errors import InputError
from ccanalytics.schema import OUTCOMES, TABLES

if TYPE_CHECKING:
    from ccanalytics.calllog.pseudonyms import Key

__all__ = [
    "CENTRE",
    "Mapping",
    "check_encoding",
    "checked_mapping",
    "packaged_mappings",
    "read_mapping",
]

UNITS = ("s", "ms", "min", "hms", "day")
_MOST_BYTES = 1 << 20
_SHOWN = 80
_SEPARATORS = (".", ",", " ", "'", "_")
# A time zone that is told with the load, not by the mapping.
CENTRE = "centre"
_PACKAGED = Path(__file__).parent.parent / "mappings"


@dataclass(frozen=True)
class Mapping:
    """A checked mapping; a timestamp may stand in several columns, joined by a space."""

    columns: dict[str, str | tuple[str, ...]]
    timestamp: tuple[str, ...]
    time_zone: str
    table: str = "calls"
    delimiter: str = ","
    quote: str | None = '"'
    encoding: str | None = None
    sheet: str | None = None
    date: str = "%Y-%m-%d"
    decimal: str = "."
    thousands: str = ""
    null: tuple[str, ...] = ("",)
    units: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    note: str = ""
    # Whether a load insists on a key or on doing without, as Source.raw_numbers; None: where
    # customers or agents are mapped.
    raw_numbers: bool | None = None

    @property
    def names_people(self) -> bool:
        """Whether a load insists on a choice between pseudonyms and identifiers as they are."""
        if self.raw_numbers is not None:
            return self.raw_numbers
        table = TABLES[self.table]
        given = (table.column(name).person for name in {**self.columns, **self.constants})
        return any(person in ("customer", "agent") for person in given)

    def without_persons(self, key: Key) -> Mapping:
        """The same, with constants that name a person as the log keeps them."""
        table = TABLES[self.table]
        constants = {
            name: key.pseudonym(kind, value.strip())
            if (kind := table.column(name).person)
            else value
            for name, value in self.constants.items()
        }
        return replace(self, constants=constants)


def packaged_mappings() -> dict[str, Path]:
    """The mappings that come with the package, by name."""
    return {path.stem: path for path in sorted(_PACKAGED.glob("*.toml"))}


def read_mapping(path: Path) -> Mapping:
    """Read and check a mapping; every mistake is named with its section and key.

    A bare name that is no file's stands for a mapping that comes with the package.
    """
    named = packaged_mappings()
    if path.name in named and str(path) == path.name and not path.exists():
        path = named[path.name]
    elif not path.suffix and str(path) == path.name and not path.exists():
        raise InputError(
            "there is no such mapping",
            f"mapping={str(path)!r}",
            "name a TOML file, or one that comes with the package: " + ", ".join(named),
        )
    if check_file(path) > _MOST_BYTES:
        raise InputError("the mapping is larger than 1 MiB", str(path), "check which file this is")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except RecursionError as error:
        raise InputError("the mapping is nested too deeply", str(path), "sections hold text") from (
            error
        )
    except OSError as error:
        raise InputError(
            "the mapping cannot be read", str(path), error.strerror or "check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError("the mapping is no UTF-8 text", str(path), "save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError("the mapping is not valid TOML", f"{path}: {error}") from error
    return checked_mapping(data, str(path))


def checked_mapping(data: dict[str, Any], where: str) -> Mapping:
    """The mapping that TOML data describe; ``where`` names them in errors."""
    known = ("file", "columns", "units", "outcomes", "constants")
    _refuse_unknown(data, known, where, "section")
    for section in known:
        if not isinstance(data.get(section, {}), dict):
            raise InputError("this must be a section", f"{where}: [{section}]")
    file = data.get("file", {})
    _refuse_unknown(
        file,
        (
            *("time_zone", "timestamp", "date", "delimiter", "quote", "encoding", "null", "table"),
            *("sheet", "decimal", "thousands", "note", "raw_numbers"),
        ),
        where,
        "key in [file]",
    )
    table = _text(file.get("table", "calls"), f"{where}: [file] table")
    if table not in TABLES:
        raise InputError(
            "no such table", f"{where}: [file] table={table!r}", "one of " + ", ".join(TABLES)
        )
    columns = _columns(data.get("columns", {}), table, f"{where}: [columns]")
    constants = _texts(data.get("constants", {}), f"{where}: [constants]")
    names = TABLES[table].names
    _refuse_unknown(columns, names, f"{where}: [columns]", "canonical column")
    _refuse_unknown(constants, names, f"{where}: [constants]", "canonical column")
    both = sorted(set(columns) & set(constants))
    if both:
        raise InputError("mapped and constant at once", f"{where}: {', '.join(both)}")
    needed = [
        c.name
        for c in TABLES[table].columns
        if c.required
        and c.name not in {**columns, **constants}
        and (table, c.name) != ("calls", "call_id")
    ]
    if needed:
        raise InputError(
            f"the mapping does not say which columns are {', '.join(needed)}",
            f"{where}: [columns]",
            'add lines such as arrived_at = "Start time"',
        )
    units = _texts(data.get("units", {}), f"{where}: [units]")
    for name, unit in units.items():
        if name not in columns or TABLES[table].column(name).kind != "seconds":
            raise InputError(
                "a unit is given for what is not a mapped duration", f"{where}: [units] {name}"
            )
        if unit not in UNITS:
            raise InputError(
                "no such unit", f"{where}: [units] {name}={unit!r}", "one of " + ", ".join(UNITS)
            )
    outcomes = _texts(data.get("outcomes", {}), f"{where}: [outcomes]")
    for code, outcome in outcomes.items():
        if outcome not in OUTCOMES:
            raise InputError(
                "no such outcome",
                f"{where}: [outcomes] {code}={outcome!r}",
                "one of " + ", ".join(OUTCOMES),
            )
    stamp = file.get("timestamp", "iso")
    if not stamp:
        raise InputError(
            "the form of the timestamps is empty",
            f"{where}: [file] timestamp={stamp!r}",
            'such as "%d/%m/%Y %H:%M:%S" or "iso"',
        )
    _check_forms(stamp, f"{where}: [file] timestamp")
    zone = file.get("time_zone")
    if zone is None:
        raise InputError(
            "the mapping does not say where the clock of the timestamps stands",
            f"{where}: [file]",
            'add time_zone = "Europe/London" (or "UTC")',
        )
    delimiter = _text(file.get("delimiter", ","), f"{where}: [file] delimiter")
    delimiter = "\t" if delimiter == "tab" else delimiter
    quote = _text(file.get("quote", '"'), f"{where}: [file] quote")
    if len(delimiter) != 1 or len(quote) > 1 or not (delimiter + quote).isascii():
        raise InputError(
            "a delimiter is one ASCII character and a quotation mark at most one",
            f"{where}: [file] delimiter={_short(delimiter)}, quote={_short(quote)}",
        )
    decimal, thousands = _separators(file, f"{where}: [file]")
    sheet = file.get("sheet")
    encoding = file.get("encoding")
    if encoding is not None:
        place = f"{where}: [file] encoding"
        check_encoding(_text(encoding, place), place)
    nulls = file.get("null", [""])
    told_zone = _text(zone, f"{where}: [file] time_zone")
    return Mapping(
        columns=columns,
        timestamp=tuple(
            _text(s, f"{where}: [file] timestamp")
            for s in (stamp if isinstance(stamp, list) else [stamp])
        ),
        time_zone=told_zone
        if told_zone == CENTRE
        else check_time_zone(told_zone, f"{where}: [file] time_zone"),
        table=table,
        delimiter=delimiter,
        quote=quote or None,
        encoding=encoding,
        sheet=None if sheet is None else _text(sheet, f"{where}: [file] sheet"),
        date=_text(file.get("date", "%Y-%m-%d"), f"{where}: [file] date"),
        decimal=decimal,
        thousands=thousands,
        null=tuple(
            _text(s, f"{where}: [file] null")
            for s in (nulls if isinstance(nulls, list) else [nulls])
        ),
        units=units,
        outcomes=outcomes,
        constants=constants,
        note=_text(file.get("note", ""), f"{where}: [file] note"),
        raw_numbers=None
        if "raw_numbers" not in file
        else _yes(file["raw_numbers"], f"{where}: [file] raw_numbers"),
    )


def _check_forms(forms: object, where: str) -> None:
    """Refuse forms between which no row can choose: day and month in both orders."""
    seen: dict[str, str] = {}
    for form in forms if isinstance(forms, list) else []:
        shape = re.sub(r"%[-_]?[demy]", "%#", form) if isinstance(form, str) else ""
        other = seen.setdefault(shape, str(form))
        if shape and other != form:
            raise InputError(
                "two forms of timestamps read the same texts, as different days",
                f"{where}: {_short(other)} and {_short(form)}",
                "keep the one that is right; a file with both must be split first",
            )


def _separators(file: dict[str, Any], where: str) -> tuple[str, str]:
    decimal = _text(file.get("decimal", "."), f"{where} decimal")
    thousands = _text(file.get("thousands", ""), f"{where} thousands")
    if decimal not in (".", ",") or thousands not in ("", *_SEPARATORS) or decimal == thousands:
        raise InputError(
            "a decimal sign is . or , and a sign of thousands another one",
            f"{where} decimal={_short(decimal)}, thousands={_short(thousands)}",
            'such as decimal = "," and thousands = "."',
        )
    return decimal, thousands


def _short(value: object) -> str:
    """A value as an error shows it."""
    try:
        text = repr(value)
    except RecursionError:
        return "…"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _columns(values: dict[str, Any], table: str, where: str) -> dict[str, str | tuple[str, ...]]:
    """Column names of the file; several are joined, for a timestamp alone."""
    found: dict[str, str | tuple[str, ...]] = {}
    for name, value in values.items():
        if not isinstance(value, list):
            found[name] = _text(value, f"{where} {name}")
            continue
        several = tuple(_text(one, f"{where} {name}") for one in value)
        kinds = {column.name: column.kind for column in TABLES[table].columns}
        if kinds.get(name, "timestamp") != "timestamp":
            raise InputError(
                "only a timestamp may stand in several columns",
                f"{where} {name} = {_short(value)}",
                "name one column",
            )
        if not several:
            raise InputError("the list of columns is empty", f"{where} {name}", "name a column")
        found[name] = several
    return found


def check_encoding(name: str, where: str = "encoding") -> str:
    """The name itself if Python knows the encoding as one of text."""
    try:
        # Codecs such as idna pass for encodings of text, but read no file.
        if "a\n,1\tb".encode(name).decode(name) == "a\n,1\tb":
            codecs.getincrementaldecoder(name)(errors="surrogateescape").decode(b"", final=True)
            return name
    except (LookupError, ValueError, TypeError):
        pass
    raise InputError(
        "no such encoding", f"{where}={name!r}", "such as utf-8, gb18030, utf-16 or latin-1"
    )


def _refuse_unknown(given: dict[str, Any], known: tuple[str, ...], where: str, what: str) -> None:
    for name in given:
        if name not in known:
            raise InputError(f"no such {what}", f"{where}: {name!r}", "one of " + ", ".join(known))


def _yes(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise InputError("this must be true or false", f"{where} = {_short(value)}")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise InputError("this must be text in quotation marks", f"{where} = {_short(value)}")
    return value


def _texts(values: dict[str, Any], where: str) -> dict[str, str]:
    return {key: _text(value, f"{where} {key}") for key, value in values.items()}
