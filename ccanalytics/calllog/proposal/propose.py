"""An unknown file, and the mapping that would load it, each line with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ccanalytics.calllog.proposal.assigning import Assigned, Column, assigned, described
from ccanalytics.calllog.proposal.durations import Duration, duration_of, separators_of
from ccanalytics.calllog.proposal.outcomes import meaning
from ccanalytics.calllog.proposal.sample import Table, first_lines, read_table
from ccanalytics.calllog.proposal.switches import recognised
from ccanalytics.calllog.proposal.times import Moments, moments_of, of_half_days
from ccanalytics.calllog.proposal.toml import Line, rendered
from ccanalytics.calllog.sources.base import Settings
from ccanalytics.calllog.sources.values import moment
from ccanalytics.schema import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

__all__ = ["Proposal", "propose"]

_CALLS = TABLES["calls"]
_ORDERED = 0.99
_CODES_SHOWN = 60


@dataclass(frozen=True)
class Proposal:
    """What a file seems to be, and a mapping for it.

    ``source`` names a source that knows the format; then no mapping is needed and ``lines`` is
    empty. ``questions`` is what only the user can answer; a mapping with questions loads nothing
    until they are answered.
    """

    file: str
    source: str = "generic"
    why: str = ""
    lines: tuple[Line, ...] = ()
    questions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    rows: int = 0
    usable: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def to_toml(self) -> str:
        """The mapping as a TOML file, reasons as comments."""
        head = [f"Proposed for {self.file}"]
        if self.rows:
            share = f"{self.usable:,} of its first {self.rows:,} rows would load"
            head.append(share + (" once the questions are answered." if self.questions else "."))
            head.extend(f"{reason}: {rows:,}" for reason, rows in list(self.reasons.items())[:5])
        head.extend(self.notes)
        head.extend(f"QUESTION: {question}" for question in self.questions)
        return rendered(head, self.lines, self.unused)

    def summary(self) -> str:
        """What to do, in a sentence."""
        if self.source != "generic":
            return f"{self.file}: {self.why}: load it with --source {self.source}."
        asked = f" Only you can answer: {'; '.join(self.questions)}." if self.questions else ""
        return (
            f"{self.file}: a mapping for --source generic; {self.usable:,} of its first "
            f"{self.rows:,} rows would load.{asked}"
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "file": self.file,
            "source": self.source,
            "why": self.why,
            "lines": [vars(line) for line in self.lines],
            "questions": list(self.questions),
            "notes": list(self.notes),
            "unused": list(self.unused),
            "rows": self.rows,
            "usable": self.usable,
            "reasons": self.reasons,
        }


def propose(path: Path, settings: Settings | None = None) -> Proposal:
    """Look at a file and propose how to load it.

    Parameters
    ----------
    path
        Any file of calls.
    settings
        Time zone, encoding and sheet, where the user told them.

    Raises
    ------
    InputError
        The file cannot be read, or holds no table with a header.
    """
    settings = settings or Settings()
    lines = first_lines(path, settings)
    known = recognised(path, lines)
    if known is not None:
        return Proposal(path.name, *known)
    table = read_table(path, settings, lines)
    known = recognised(path, lines, table.names)
    if known is not None:
        return Proposal(path.name, *known)
    return _Builder(table, settings).proposal()


class _Builder:
    """Collects the lines of a mapping and their reasons."""

    def __init__(self, table: Table, settings: Settings) -> None:
        self.table = table
        self.settings = settings
        self.columns = described(table)
        self.chosen: Assigned = assigned(self.columns)
        self.lines: list[Line] = []
        self.questions: list[str] = []
        self.notes = list(table.remarks)

    def proposal(self) -> Proposal:
        moments = self._moments()
        self._file(moments)
        self._columns(moments)
        self._outcomes()
        used = self.chosen.taken()
        names = [self.table.names[index] for index in sorted(used)]
        unused = tuple(
            name
            for index, name in enumerate(self.table.names)
            if index not in used and name and name not in names
        )
        twice = [name for name in names if self.table.names.count(name) > 1]
        self.notes.extend(
            f"{name!r} stands twice in the header: rename one of them before loading"
            for name in dict.fromkeys(twice)
        )
        found = Proposal(
            self.table.path.name,
            lines=tuple(self.lines),
            questions=tuple(self.questions),
            notes=tuple(self.notes),
            unused=unused,
            rows=self.table.frame.height,
        )
        from ccanalytics.calllog.proposal.trial import tried

        usable, reasons = tried(found, self.table)
        return replace(found, usable=usable, reasons=reasons)

    def _add(self, section: str, key: str, value: object, why: str, *, sure: bool = True) -> None:
        self.lines.append(Line(section, key, value, why, sure))

    # ---- [file] ------------------------------------------------------------------------------

    def _moments(self) -> dict[str, Moments]:
        """Forms of the chosen moments; of two that fit, the one that another column proves."""
        found: dict[str, Moments] = {}
        for canonical, several in self.chosen.columns.items():
            if _CALLS.column(canonical).kind != "timestamp":
                continue
            told = several[0].moments if len(several) == 1 else moments_of(_joined(several))
            if told is not None and told.part == "whole":
                found[canonical] = told
        proven = {told.forms[0] for told in found.values() if len(told.forms) == 1}
        for canonical, told in found.items():
            shared = tuple(form for form in told.forms if form in proven)
            if len(told.forms) > 1 and len(shared) == 1:
                found[canonical] = replace(told, forms=shared)
        return found

    def _file(self, moments: dict[str, Moments]) -> None:
        aware = bool(moments) and all(told.aware for told in moments.values())
        if self.settings.time_zone:
            self._add("file", "time_zone", self.settings.time_zone, "as you said")
        elif aware:
            self._add("file", "time_zone", "UTC", "the moments bear an offset or are epochs")
        else:
            self._add(
                "file", "time_zone", "Europe/London", "the file does not tell; fill in", sure=False
            )
            self.questions.append("where the clock of the file stands (time_zone)")
        self._forms(moments)
        if self.table.kind == "delimited":
            layout = self.table.layout
            delimiter = "tab" if layout.delimiter == "\t" else layout.delimiter
            self._add("file", "delimiter", delimiter, "found by its regular number of fields")
            if layout.quote != '"':
                self._add("file", "quote", layout.quote or "", "found around fields")
            if self.table.encoding not in (None, "ascii", "utf-8"):
                self._add("file", "encoding", self.table.encoding, "found out from the bytes")
        if self.settings.sheet:
            self._add("file", "sheet", self.settings.sheet, "as you said")
        nulls = sorted({w for index in self.chosen.taken() for w in self.table.nulls(index)})
        if nulls:
            self._add("file", "null", ["", *nulls], "stand where other rows have a value")

    def _forms(self, moments: dict[str, Moments]) -> None:
        forms = list(dict.fromkeys(told.forms for told in moments.values()))
        sure = [several[0] for several in forms if len(several) == 1]
        doubtful = next((several for several in forms if len(several) > 1), None)
        if doubtful is None and sure:
            told = next(iter(moments.values()))
            halves = any(self._of_half_days(name, one) for name, one in moments.items())
            if halves:
                self.questions.append(
                    "whether the clock goes to 12 only, without AM or PM (timestamp): no hour is 0 "
                    "or above 12; if so export with 24 hours, as nothing tells morning from evening"
                )
            self._add(
                "file",
                "timestamp",
                sure[0] if len(sure) == 1 else sure,
                f"reads {told.share:.0%} of values such as {told.example!r}"
                + _day_first(sure[0], told),
                sure=not halves,
            )
        elif doubtful is not None:
            told = next(one for one in moments.values() if one.forms == doubtful)
            for form in doubtful:
                self._add(
                    "file",
                    "timestamp",
                    [*sure, form] if sure else form,
                    f"{told.example!r} read so; no value tells day from month",
                    sure=False,
                )
            self.questions.append("whether the day or the month comes first (timestamp)")

    def _of_half_days(self, canonical: str, told: Moments) -> bool:
        several = self.chosen.columns[canonical]
        texts = several[0].values if len(several) == 1 else _joined(several)
        return not told.aware and of_half_days(texts, told.forms[0])

    # ---- [columns] and [units] ---------------------------------------------------------------

    def _columns(self, moments: dict[str, Moments]) -> None:
        clocks = {name: self._clock(name, told) for name, told in moments.items()}
        durations = [
            columns[0]
            for name, columns in self.chosen.columns.items()
            if _CALLS.column(name).kind == "seconds"
        ]
        signs = separators_of([column.values for column in durations])
        decimal, thousands, why = signs or (".", "", "")
        if signs:
            for key, sign in (("decimal", decimal), ("thousands", thousands)):
                if sign and (key, sign) != ("decimal", "."):
                    self._add("file", key, sign, why)
        units = {
            name: duration_of(
                columns[0].name,
                columns[0].values,
                decimal,
                thousands,
                _elapsed(name, clocks, columns[0]),
            )
            for name, columns in self.chosen.columns.items()
            if _CALLS.column(name).kind == "seconds"
        }
        units = _alike(units)
        for canonical in _CALLS.names:
            columns = self.chosen.columns.get(canonical)
            if columns is None:
                self._possible(canonical)
                continue
            kind = _CALLS.column(canonical).kind
            names = [column.name for column in columns]
            value = names[0] if len(names) == 1 else names
            why, sure = self.chosen.why[canonical], True
            if kind == "timestamp" and canonical != "arrived_at":
                sure, why = self._in_order(canonical, clocks, why)
            if canonical == "call_id" and not columns[0].unique:
                sure = False
                why = "not every row has its own: rows of one id would count as duplicates"
            if kind != "seconds":
                self._add("columns", canonical, value, why, sure=sure)
                continue
            unit = units[canonical]
            if unit is None:
                self._add("columns", canonical, value, f"{why}; but no numbers", sure=False)
                continue
            self._add("columns", canonical, value, why, sure=unit.sure)
            if unit.sure and unit.unit != "s":
                self._add("units", canonical, unit.unit, unit.why)
            elif unit.sure:
                self.lines[-1] = replace(self.lines[-1], why=f"{why}; seconds: {unit.why}")
            else:
                for one in unit.may_be:
                    self._add("units", canonical, one, unit.why, sure=False)
                self.questions.append(
                    f"the unit of {canonical} ({columns[0].name!r}), if you use it"
                )

    def _possible(self, canonical: str) -> None:
        for column in self.chosen.possible.get(canonical, [])[:3]:
            self._add("columns", canonical, column.name, "may be; its name comes near", sure=False)
        needed = _CALLS.column(canonical).required and canonical != "call_id"
        if needed:
            self.questions.append(f"which column is {canonical}")

    def _clock(self, canonical: str, told: Moments) -> pl.Series:
        """A column of moments in time, as long as the table."""
        columns = self.chosen.columns[canonical]
        texts = columns[0].texts if len(columns) == 1 else _joined(columns)
        known, _ = moment(_col(), told.forms[:1], "UTC")
        return texts.to_frame("v").select(known.alias("v"))["v"]

    def _in_order(self, canonical: str, clocks: dict[str, pl.Series], why: str) -> tuple[bool, str]:
        """Whether moments follow the arrival, as they must."""
        later, first = clocks.get(canonical), clocks.get("arrived_at")
        if later is None or first is None:
            return True, why
        share = (later >= first).mean()
        if not isinstance(share, float) or share >= _ORDERED:
            return True, f"{why}; never before the arrival" if share == 1.0 else why
        return False, f"{why}; but {1 - share:.0%} lie before the arrival"

    # ---- [outcomes] --------------------------------------------------------------------------

    def _outcomes(self) -> None:
        columns = self.chosen.columns.get("outcome")
        if columns is None:
            return
        counts = columns[0].values.value_counts(sort=True)
        rows = list(counts.iter_rows())
        for code, count in rows[:_CODES_SHOWN]:
            meant = meaning(str(code), columns[0].name)
            if len(meant) == 1:
                self._add("outcomes", str(code), meant[0], f"{count:,} rows")
                continue
            for one in meant or ("answered", "abandoned"):
                why = f"{count:,} rows; " + ("may be" if meant else "unknown word: which outcome?")
                self._add("outcomes", str(code), one, why, sure=False)
            self.questions.append(f"what {str(code)[:40]!r} means (outcomes)")


def _col() -> pl.Expr:
    import polars as pl

    return pl.col("v")


def _joined(columns: list[Column]) -> pl.Series:
    """A moment in two columns, as the mapping joins it."""
    import polars as pl

    frame = pl.DataFrame({str(i): column.texts for i, column in enumerate(columns)})
    return frame.select(pl.concat_str(pl.all(), separator=" ").alias("v"))["v"].drop_nulls()


def _alike(units: dict[str, Duration | None]) -> dict[str, Duration | None]:
    """Where every sure column of a file is in one unit, one that may be in it is."""
    sure = {unit.unit for unit in units.values() if unit is not None and unit.sure}
    if len(sure) != 1:
        return units
    (same,) = sure
    return {
        name: Duration(same, f"as its other durations are ({unit.why})", sure=True)
        if unit is not None and not unit.sure and same in unit.may_be
        else unit
        for name, unit in units.items()
    }


def _day_first(form: str, told: Moments) -> str:
    if "%d" not in form or "%b" in form or form.startswith("%Y"):
        return ""
    first = "day" if form.index("%d") < form.index("%m") else "month"
    return f"; the {first} comes first, as numbers above 12 show ({told.first} to {told.last})"


def _elapsed(canonical: str, clocks: dict[str, pl.Series], column: Column) -> pl.Series | None:
    """Seconds between the two moments that a duration lies between, where its column is filled."""
    pairs = {"wait_s": ("arrived_at", "answered_at"), "talk_s": ("answered_at", "ended_at")}
    begin, end = (clocks.get(name) for name in pairs.get(canonical, ("", "")))
    if begin is None or end is None or not len(begin) == len(end) == len(column.texts):
        return None
    seconds = (end - begin).dt.total_milliseconds() / 1000
    return seconds.filter(column.texts.is_not_null())
